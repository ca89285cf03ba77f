import type { FileTree } from '../tree.ts'

/** What only deploying needs, and no other workflow calls. */
const unneeded = new Set(['stages.yml'])
/** What goes on as it is: it touches nothing that runs. */
const deploysNothing = new Set([
  'doctor.yml',
  'forks.yml',
  'impact.yml',
  'plan.yml',
  'pull-request.yml',
  'release.yml',
  'upgrade.yml',
  'validate.yml',
])

/**
 * The workflows of a catalog that only plans. Whoever calls one that would deploy finds it, with the inputs that he hands it, and is
 * told that nothing is deployed: so the callers in the repositories of services need no change when that is switched on.
 */
export function switchedOff(files: FileTree): FileTree {
  return new Map(
    [...files].flatMap(([path, text]) => {
      const name = path.replace(/^.*\//u, '')
      if (unneeded.has(name)) return []
      return [[path, deploysNothing.has(name) ? text : offFile(text)] as const]
    }),
  )
}

function offFile(text: string): string {
  const lines = text.split('\n')
  const [header = ''] = lines
  const from = lines.findIndex((line) => line.startsWith('  workflow_call:'))
  const length = lines.slice(from + 1).findIndex((line) => /^ {0,2}[^ ]/u.test(line))
  const called = lines.slice(from, from + 1 + length).filter((line) => line !== '')
  return `${header}
#
# Switched off: catalog.yaml says \`deploy: false\`. Take that line away and run \`protium workflows --write\`, and this deploys.
${lines.find((line) => line.startsWith('name: ')) ?? ''}
on:
${called.join('\n')}

permissions: {}

jobs:
  off:
    # A caller that looks for what waits by its clock is not told every ten minutes.
    if: github.event_name != 'schedule'
    runs-on: ubuntu-latest
    timeout-minutes: 5
    permissions: {}
    steps:
      - run: echo "::notice title=Nothing is deployed::The catalog plans only. Its catalog.yaml says deploy, false."
`
}
