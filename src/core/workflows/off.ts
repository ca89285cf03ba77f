import { parse, stringify } from 'yaml'
import type { FileTree } from '../tree.ts'

/** What only deploying needs, and no other workflow calls. */
const unneeded = new Set(['stages.yml'])
/** What goes on as it is: it looks, and touches nothing. */
const looking = new Set(['forks.yml', 'plan.yml', 'pull-request.yml', 'validate.yml'])

/**
 * The workflows of a catalog that only plans. Whoever calls one that would deploy finds it, with the inputs that he hands it, and is
 * told that nothing is deployed: so the callers in the repositories of services need no change when that is switched on.
 */
export function switchedOff(files: FileTree): FileTree {
  return new Map(
    [...files].flatMap(([path, text]) => {
      const name = path.replace(/^.*\//u, '')
      if (unneeded.has(name)) return []
      return [[path, looking.has(name) ? text : offFile(text)] as const]
    }),
  )
}

/** What this reads of a workflow of ours. */
type Text = { readonly name: string; readonly on: { readonly workflow_call?: unknown } }

function offFile(text: string): string {
  const [header = ''] = text.split('\n')
  const whole: Text = parse(text)
  const called = whole.on.workflow_call ?? null
  const on = stringify({ on: { workflow_call: called } }, { lineWidth: 0, nullStr: '' })
  return `${header}
#
# Switched off: catalog.yaml says \`deploy: false\`. Take that line away and run \`protium workflows --write\`, and this deploys.
name: ${whole.name}
${on}
permissions: {}

jobs:
  off:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    permissions: {}
    steps:
      - run: echo "::notice title=Nothing is deployed::The catalog plans only. Its catalog.yaml says deploy, false."
`
}
