import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type Pair, visit, type YAMLMap } from 'yaml'

/**
 * Twenty rules for workflows, each against one way in which workflows have been broken into or have failed silently. GitHub's
 * own reader says whether a file is a workflow; these say whether it is one that may be shipped.
 */
export const rules = {
  W01: 'The workflow has no rights at its top: `permissions: {}`.',
  W02: '`pull_request_target` is not used: it gives rights to what a stranger wrote.',
  W03: 'A workflow on `workflow_run` checks out nothing and runs no script: what it reads is a stranger’s.',
  W04: 'Each job says its rights by name, each with the reason behind it.',
  W05: 'Each job ends by itself: `timeout-minutes`.',
  W06: 'Secrets are not inherited.',
  W07: 'Nothing runs on machines of our own: what a pull request leaves there, the next job finds.',
  W08: 'Images are named by digest.',
  W09: 'A job that can ask for an identity has an environment, whose rules say who may.',
  W10: 'A job that can ask for an identity is not reached by the pull request of a fork.',
  W11: 'Actions and workflows of others are named by commit, with the version in a comment.',
  W12: 'A checkout leaves no token behind: `persist-credentials: false`.',
  W13: 'What is checked out is not chosen by the head of a pull request.',
  W14: 'A job that may write takes nothing from a cache.',
  W15: 'No expression stands in a script of a shell.',
  W16: 'No expression stands in a script of an action.',
  W17: 'No script writes to the environment or the path of later steps.',
  W18: 'Secrets are named one by one.',
  W19: '`contains` looks for a member of a list, not for a part of a text.',
  W20: 'A condition is one expression, not a text around one, which is always true.',
} as const

export type Rule = keyof typeof rules
export type Finding = { readonly rule: Rule; readonly line: number }

/** What breaks the rules, in the order of the lines. `own` are repositories of the same organisation, named by branch. */
export function checkWorkflow(text: string, { own = [] }: { readonly own?: readonly string[] } = {}): Finding[] {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter })
  const root = document.contents
  if (document.errors.length > 0 || !isMap(root)) throw new Error('Not a map in YAML')
  const rows = text.split('\n')
  const found: Finding[] = []
  const lineOf = (node: unknown): number => {
    const start = isNode(node) ? node.range?.[0] : undefined
    return start === undefined ? 1 : counter.linePos(start).line
  }
  const add = (rule: Rule, node: unknown): void => void found.push({ rule, line: lineOf(node) })
  const commented = (node: unknown): boolean => / # \S/.test(rows[lineOf(node) - 1] ?? '')

  const top = pair(root, 'permissions')
  if (!isMap(top?.value) || top.value.items.length > 0) add('W01', top?.key ?? root)
  const events = eventsOf(value(root, 'on'))
  if (events.has('pull_request_target')) add('W02', pair(root, 'on')?.key)

  for (const { key: name, value: job } of map(value(root, 'jobs'))?.items ?? []) {
    if (!isMap(job)) continue
    const steps = list(value(job, 'steps'))
    const isCall = job.has('uses')
    const grants = pair(job, 'permissions')
    if (!isMap(grants?.value)) add('W04', grants?.key ?? name)
    for (const { key: scope } of map(grants?.value)?.items ?? []) if (!commented(scope)) add('W04', scope)
    if (!isCall && !job.has('timeout-minutes')) add('W05', name)
    if (scalar(value(job, 'secrets')) === 'inherit') add('W06', value(job, 'secrets'))
    const runner = JSON.stringify(job.get('runs-on') ?? '')
    if (/self-hosted|\bgroup\b|labels/.test(runner)) add('W07', value(job, 'runs-on'))
    for (const image of imagesOf(job)) if (!/@sha256:[0-9a-f]{64}$/.test(scalar(image) ?? '')) add('W08', image)
    const rights = new Map((map(grants?.value)?.items ?? []).map((each) => [scalar(each.key), scalar(each.value)]))
    if (rights.get('id-token') === 'write' && !isCall) {
      if (!job.has('environment')) add('W09', name)
      const guarded = (scalar(value(job, 'if')) ?? '').includes(
        'github.event.pull_request.head.repo.full_name == github.repository',
      )
      if (events.has('workflow_run') || (events.has('pull_request') && !guarded)) add('W10', name)
    }
    if (isCall && !isPinned(scalar(value(job, 'uses')) ?? '', own, commented(value(job, 'uses'))))
      add('W11', value(job, 'uses'))
    const writes = [...rights.values()].includes('write')
    for (const step of steps) {
      if (!isMap(step)) continue
      const uses = value(step, 'uses')
      const action = scalar(uses) ?? ''
      const script = scalar(value(step, 'run'))
      const inputs = map(value(step, 'with'))
      if (events.has('workflow_run') && (script !== undefined || action.startsWith('actions/checkout@')))
        add('W03', step)
      if (uses !== undefined && action.startsWith('docker://')) {
        if (!/@sha256:[0-9a-f]{64}$/.test(action)) add('W08', uses)
      } else if (uses !== undefined && !isPinned(action, [], commented(uses))) add('W11', uses)
      if (action.startsWith('actions/checkout@')) {
        if (inputs?.get('persist-credentials') !== false) add('W12', uses)
        const chosen = `${scalar(value(inputs, 'ref')) ?? ''} ${scalar(value(inputs, 'repository')) ?? ''}`
        if (/pull_request\.head|head_ref|workflow_run\.head|pull_request\.number|refs\/pull/.test(chosen))
          add('W13', uses)
      }
      if (writes && (action.startsWith('actions/cache') || inputs?.has('cache') === true)) add('W14', uses)
      if (script?.includes('${{') === true) add('W15', value(step, 'run'))
      if (scalar(value(inputs, 'script'))?.includes('${{') === true) add('W16', value(inputs, 'script'))
      if (/GITHUB_(ENV|PATH)\b/.test(script ?? '')) add('W17', value(step, 'run'))
    }
  }
  visit(document, {
    Pair(_, { key, value: given }) {
      const condition = scalar(given)
      if (scalar(key) !== 'if' || condition === undefined) return
      const rest = condition.replaceAll(/\$\{\{.*?\}\}/gs, '')
      if (condition.includes('${{') && rest !== '') add('W20', given)
    },
    Scalar(_, node) {
      const said = typeof node.value === 'string' ? node.value : ''
      if (/toJSON\s*\(\s*secrets\s*\)|\bsecrets\s*\[/i.test(said)) add('W18', node)
      if (/\bcontains\s*\((?!\s*(fromJSON\s*\(|[\w.-]+\.\*))/i.test(said)) add('W19', node)
    },
  })
  return found.toSorted((a, b) => a.line - b.line || a.rule.localeCompare(b.rule))
}

function isPinned(uses: string, own: readonly string[], commented: boolean): boolean {
  if (uses.startsWith('./') || uses.startsWith('$/')) return true
  if (own.some((repository) => uses.startsWith(`${repository}/.github/workflows/`))) return true
  return /@[0-9a-f]{40}$/.test(uses) && commented
}

function imagesOf(job: YAMLMap): Node[] {
  const containers = [value(job, 'container'), ...(map(value(job, 'services'))?.items ?? []).map((each) => each.value)]
  return containers.flatMap((each) => {
    const image = isMap(each) ? value(each, 'image') : each
    return isScalar(image) ? [image] : []
  })
}

function eventsOf(on: unknown): ReadonlySet<string> {
  if (isMap(on)) return new Set(on.items.map(({ key }) => scalar(key) ?? ''))
  if (isSeq(on)) return new Set(on.items.map((item) => scalar(item) ?? ''))
  return new Set([scalar(on) ?? ''])
}

function pair(node: unknown, key: string): Pair | undefined {
  return isMap(node) ? node.items.find((each) => scalar(each.key) === key) : undefined
}

function value(node: unknown, key: string): unknown {
  return pair(node, key)?.value ?? undefined
}

function map(node: unknown): YAMLMap | undefined {
  return isMap(node) ? node : undefined
}

function list(node: unknown): readonly unknown[] {
  return isSeq(node) ? node.items : []
}

function scalar(node: unknown): string | undefined {
  return isScalar(node) ? String(node.value) : undefined
}

function isNode(node: unknown): node is Node {
  return isMap(node) || isSeq(node) || isScalar(node)
}
