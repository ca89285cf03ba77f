import { describe, expect, test } from 'vitest'
import { checkWorkflow, type Rule, rules } from './workflow-rules.ts'

const commit = '0123456789abcdef0123456789abcdef01234567'
const checkout = `uses: actions/checkout@${commit} # v7.0.1`
const digest = `sha256:${'0'.repeat(64)}`
const guard = 'github.event.pull_request.head.repo.full_name == github.repository'

/** A workflow that keeps all the rules, with parts of it exchanged. */
function workflow({
  on = 'push',
  top = 'permissions: {}',
  job = '',
  rights = 'contents: read # check out',
  timeout = 'timeout-minutes: 5',
  runner = 'runs-on: ubuntu-latest',
  steps = '- run: make',
}: Partial<Record<'on' | 'top' | 'job' | 'rights' | 'timeout' | 'runner' | 'steps', string>>): string {
  const jobLines = [
    runner,
    timeout,
    'permissions:',
    ...indented(rights),
    ...job.split('\n'),
    'steps:',
    ...indented(steps),
  ]
  return ['name: Some', `on: ${on}`, top, 'jobs:', '  some:', ...indented(jobLines.join('\n'), 4)].join('\n')
}

function indented(text: string, by = 2): string[] {
  return text.split('\n').map((line) => (line === '' ? '' : ' '.repeat(by) + line))
}

type Case = { readonly rule: Rule; readonly bad: readonly string[]; readonly good: string }

const cases: readonly Case[] = [
  {
    rule: 'W01',
    bad: [
      workflow({ top: '' }),
      workflow({ top: 'permissions: read-all' }),
      workflow({ top: 'permissions:\n  contents: read' }),
    ],
    good: workflow({}),
  },
  {
    rule: 'W02',
    bad: [workflow({ on: 'pull_request_target' }), workflow({ on: '[push, pull_request_target]' })],
    good: workflow({ on: 'pull_request' }),
  },
  {
    rule: 'W03',
    bad: [
      workflow({ on: '\n  workflow_run:\n    workflows: [Plan]' }),
      workflow({
        on: '\n  workflow_run:\n    workflows: [Plan]',
        steps: `- ${checkout}\n  with:\n    persist-credentials: false`,
      }),
    ],
    good: workflow({ on: '\n  workflow_run:\n    workflows: [Plan]', steps: '- uses: $/actions/plan' }),
  },
  {
    rule: 'W04',
    bad: [workflow({}).replace(/\n {4}permissions:\n.*/, ''), workflow({ rights: 'contents: read' })],
    good: workflow({ rights: 'contents: read # check out\nissues: write # tell' }),
  },
  { rule: 'W05', bad: [workflow({ timeout: '' })], good: workflow({}) },
  { rule: 'W06', bad: [call('secrets: inherit')], good: call('secrets:\n  key: ${{ secrets.KEY }}') },
  {
    rule: 'W07',
    bad: [
      workflow({ runner: 'runs-on: self-hosted' }),
      workflow({ runner: 'runs-on: [self-hosted, linux]' }),
      workflow({ runner: 'runs-on:\n  group: ours' }),
    ],
    good: workflow({ runner: 'runs-on: ubuntu-24.04' }),
  },
  {
    rule: 'W08',
    bad: [
      workflow({ job: 'container: node:24' }),
      workflow({ job: 'services:\n  db:\n    image: postgres' }),
      workflow({ steps: '- uses: docker://alpine:3' }),
    ],
    good: workflow({ job: `container: node@${digest}`, steps: `- uses: docker://alpine@${digest}` }),
  },
  {
    rule: 'W09',
    bad: [workflow({ rights: 'id-token: write # a role' })],
    good: workflow({ rights: 'id-token: write # a role', job: 'environment: dev' }),
  },
  {
    rule: 'W10',
    bad: [
      workflow({ on: 'pull_request', rights: 'id-token: write # a role', job: 'environment: dev' }),
      workflow({
        on: 'workflow_run',
        rights: 'id-token: write # a role',
        job: `environment: dev\nif: ${guard}`,
        steps: '- uses: ./x',
      }),
    ],
    good: workflow({ on: 'pull_request', rights: 'id-token: write # a role', job: `environment: dev\nif: ${guard}` }),
  },
  {
    rule: 'W11',
    bad: [
      workflow({ steps: '- uses: actions/setup-go@v6' }),
      workflow({ steps: `- uses: actions/setup-go@${commit}` }),
      workflow({ steps: '- uses: actions/setup-go@0123456 # v6' }),
      call('', 'acme/other/.github/workflows/plan.yml@main'),
    ],
    good: workflow({
      steps: `- uses: actions/setup-go@${commit} # v6.0.0\n- uses: $/actions/plan\n- uses: ./actions/plan`,
    }),
  },
  {
    rule: 'W12',
    bad: [
      workflow({ steps: `- ${checkout}` }),
      workflow({ steps: `- ${checkout}\n  with:\n    persist-credentials: true` }),
    ],
    good: workflow({ steps: `- ${checkout}\n  with:\n    persist-credentials: false` }),
  },
  {
    rule: 'W13',
    bad: ['github.event.pull_request.head.sha', 'github.head_ref', 'github.event.workflow_run.head_sha'].map((ref) =>
      workflow({ steps: `- ${checkout}\n  with:\n    persist-credentials: false\n    ref: \${{ ${ref} }}` }),
    ),
    good: workflow({
      steps: `- ${checkout}\n  with:\n    persist-credentials: false\n    ref: \${{ github.event.pull_request.base.sha }}`,
    }),
  },
  {
    rule: 'W14',
    bad: [
      workflow({ rights: 'contents: write # tag', steps: `- uses: actions/cache@${commit} # v5.0.0` }),
      workflow({
        rights: 'contents: write # tag',
        steps: `- uses: actions/setup-node@${commit} # v6.0.0\n  with:\n    cache: npm`,
      }),
    ],
    good: workflow({ steps: `- uses: actions/cache@${commit} # v5.0.0` }),
  },
  {
    rule: 'W15',
    bad: [
      workflow({ steps: '- run: echo ${{ github.head_ref }}' }),
      workflow({ steps: '- run: |\n    true\n    echo "${{ inputs.x }}"' }),
    ],
    good: workflow({ steps: '- run: echo "$REF"\n  env:\n    REF: ${{ github.head_ref }}' }),
  },
  {
    rule: 'W16',
    bad: [
      workflow({
        steps: `- uses: actions/github-script@${commit} # v8.0.0\n  with:\n    script: return '\${{ github.actor }}'`,
      }),
    ],
    good: workflow({
      steps: `- uses: actions/github-script@${commit} # v8.0.0\n  with:\n    script: return process.env.ACTOR`,
    }),
  },
  {
    rule: 'W17',
    bad: [
      workflow({ steps: '- run: echo "A=$B" >> "$GITHUB_ENV"' }),
      workflow({ steps: '- run: echo bin >> $GITHUB_PATH' }),
    ],
    good: workflow({ steps: '- run: echo "a=1" >> "$GITHUB_OUTPUT"' }),
  },
  {
    rule: 'W18',
    bad: [
      workflow({ job: 'env:\n  ALL: ${{ toJSON(secrets) }}' }),
      workflow({ job: 'env:\n  ONE: ${{ secrets[matrix.name] }}' }),
    ],
    good: workflow({ job: 'env:\n  ONE: ${{ secrets.ONE }}' }),
  },
  {
    rule: 'W19',
    bad: [workflow({ job: "if: contains('refs/heads/main refs/heads/next', github.ref)" })],
    good: workflow({ job: `if: contains(fromJSON('["refs/heads/main"]'), github.ref)` }),
  },
  {
    rule: 'W20',
    bad: [workflow({ job: "if: ${{ github.actor == 'a' }} && true" }), workflow({ job: 'if: |\n  ${{ false }}' })],
    good: workflow({ job: "if: ${{ github.actor == 'a' }}" }),
  },
]

function call(more: string, uses = `acme/catalog/.github/workflows/plan.yml@${commit} # v1.0.0`): string {
  const lines = ['permissions:', '  contents: read # check out', `uses: ${uses}`, ...more.split('\n')]
  return ['on: push', 'permissions: {}', 'jobs:', '  some:', ...indented(lines.join('\n'), 4)].join('\n')
}

describe('the rules for workflows', () => {
  test('have a case each', () => {
    expect(cases.map(({ rule }) => rule)).toEqual(Object.keys(rules))
  })

  test.each(cases.flatMap(({ rule, bad }) => bad.map((text) => ({ rule, text }))))(
    '$rule is broken by this: $text',
    ({ rule, text }) => {
      expect(checkWorkflow(text).map((finding) => finding.rule)).toEqual([rule])
    },
  )

  test.each(cases)('$rule is kept by this: $good', ({ good }) => {
    expect(checkWorkflow(good)).toEqual([])
  })

  test('a finding says the line', () => {
    expect(checkWorkflow(workflow({ steps: '- run: true\n- run: echo ${{ github.head_ref }}' }))).toEqual([
      { rule: 'W15', line: 13 },
    ])
  })

  test('the catalog of the same organisation is called by its branch, another repository is not', () => {
    const text = call('', 'acme/catalog/.github/workflows/plan.yml@main')

    expect(checkWorkflow(text, { own: ['acme/catalog'] })).toEqual([])
    expect(checkWorkflow(text, { own: ['acme/cat'] })).toEqual([{ rule: 'W11', line: 7 }])
  })
})
