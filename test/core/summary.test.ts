import fc from 'fast-check'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmFromMarkdown } from 'mdast-util-gfm'
import { gfm } from 'micromark-extension-gfm'
import { describe, expect, test } from 'vitest'

import { url } from '../../src/core/markdown.ts'
import type { DeploymentReport } from '../../src/core/summary.ts'
import { deploymentSummary, failureComment, summaryBudget } from '../../src/core/summary.ts'

const ledger = url('https://github.com', ['acme', 'catalog', 'blob', 'protium-ledger', 'records'])
const run = url('https://github.com', ['acme', 'checkout', 'actions', 'runs', 48213])
const options = run === undefined ? {} : { run }

const deployed: DeploymentReport = {
  unit: 'checkout/staging',
  outcome: 'deployed',
  host: 'checkout.staging.example.com',
  health: '200 in 84 ms, 5 of 5 checks',
  took: 278_000,
  usual: 250_000,
  next: 'prod waits for `@acme/storefront`.',
  undo: { run: 'protium deploy checkout --stage staging', to: '`4f1c0de`, 21 Nov' },
  steps: [
    { step: 'Stage from host', result: '`checkout.staging.example.com` is staging', took: 0 },
    { step: 'Render', result: '14 resources, the same as the reviewed plan', took: 2000 },
    { step: 'Apply', result: 'complete', took: 221_000 },
  ],
  resources: [
    { logicalId: 'ReceiptQueue', type: 'AWS::SQS::Queue', action: 'created', took: 14_000 },
    { logicalId: 'Service', type: 'AWS::ECS::Service', action: 'updated', took: 3_725_000 },
  ],
  outputs: [{ name: 'Url', value: 'https://checkout.staging.example.com' }, { name: 'DbPassword' }],
  record: { path: 'records/checkout/staging/2026-11/48213.json', ...(ledger !== undefined && { url: ledger }) },
  trigger: 'merge of `#128` by ana',
}

const failed: DeploymentReport = {
  unit: 'checkout/staging',
  outcome: 'failed',
  took: 231_000,
  failure: {
    code: 'deployment-failed',
    diagnosis: {
      cause: {
        resource: 'Service',
        within: [],
        logicalId: 'Service',
        type: 'AWS::ECS::Service',
        at: new Date('2026-11-22T17:41:09Z'),
        status: 'UPDATE_FAILED',
        reason: 'circuit breaker: tasks failed to start',
        is: { is: 'application', by: 'words' },
      },
      also: [],
      cascaded: 4,
      seen: [
        { what: 'Tasks that ended', lines: ['app: exit code 1, Essential container in task exited (3 times)'] },
        {
          what: 'The last 2 lines of the log',
          lines: ['listening on 8080', 'TypeError: Invalid URL: undefined'],
          is: 'log',
        },
      ],
      at: { file: 'templates/fargate-service/v2/instance_infrastructure/cloudformation.yaml', line: 41, column: 3 },
      inputs: [
        {
          reference: 'service_instance.inputs.port',
          value: '8080',
          at: { file: 'services/checkout/service.yaml', line: 9, column: 9 },
        },
      ],
      verdicts: [
        { suspect: 'code', is: 'unknown', evidence: ['The log says: TypeError: Invalid URL: undefined'] },
        { suspect: 'settings', is: 'convicted', evidence: ['`PAYMENTS_URL` is set in dev and missing here.'] },
        { suspect: 'security', is: 'cleared', evidence: ['Nothing was denied.'] },
        { suspect: 'firewall', is: 'cleared', evidence: ['It can be reached, and @everyone answers.'] },
      ],
      steps: [],
    },
    reason: 'circuit breaker: tasks failed to start',
    status: 'UPDATE_ROLLBACK_COMPLETE',
    rolledBack: true,
    previous: '4f1c0de5a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4',
    untouched: ['prod'],
    steps: [
      'Set `PAYMENTS_URL` for staging in `service.yaml` and push. The pipeline goes on by itself.',
      'Or drop the change: `gh pr revert 128`.',
    ],
    events: [
      { at: new Date('2026-11-22T17:41:09Z'), what: 'Service', reason: 'circuit breaker: tasks failed to start' },
      { at: new Date('2026-11-22T17:44:52Z'), what: 'the stack', reason: 'rollback complete' },
    ],
  },
}

describe('the summary of a job', () => {
  test.each([
    ['deployed', [deployed]],
    ['failed', [failed]],
    [
      'several',
      [
        deployed,
        failed,
        {
          unit: 'search/staging',
          outcome: 'held',
          why: 'waits for approval by @acme/platform',
        } satisfies DeploymentReport,
        { unit: 'environment/staging', outcome: 'unchanged' } satisfies DeploymentReport,
      ],
    ],
  ])('reads as it should: %s', async (name, reports) => {
    await expect(deploymentSummary(reports, options).markdown).toMatchFileSnapshot(`../golden/summary-${name}.md`)
  })

  test.each([
    ['Nothing was touched in staging.', { rolledBack: false, untouched: [] }],
    [
      'staging may be half changed: its stack is `UPDATE_FAILED`. prod and dr were not touched.',
      { status: 'UPDATE_FAILED', rolledBack: false, untouched: ['prod', 'dr'] },
    ],
    [
      'What had been created in staging is gone again.',
      { status: 'ROLLBACK_COMPLETE', rolledBack: true, untouched: [] },
    ],
    [
      'staging serves the previous version again.',
      { status: 'UPDATE_ROLLBACK_COMPLETE', rolledBack: true, untouched: [] },
    ],
  ])('of a failure says what users have now: %s', (sentence, state) => {
    const failure = { code: 'x', reason: 'y', steps: [], events: [], ...state }
    expect(deploymentSummary([{ unit: 'checkout/staging', outcome: 'failed', failure }]).markdown).toContain(
      `> **${sentence}**`,
    )
  })

  test('names what blocks the way back, where the rollback fails too', () => {
    const { failure } = failed
    if (failure?.diagnosis === undefined) throw new Error('It has no diagnosis')
    const { diagnosis } = failure
    const blocked = {
      ...diagnosis,
      rollbackBlockedBy: { ...diagnosis.cause, resource: 'Group', reason: 'it is in use' },
    }
    const report = { ...failed, failure: { ...failure, diagnosis: blocked, status: 'UPDATE_ROLLBACK_FAILED' } }

    expect(deploymentSummary([report], options).markdown).toContain('| Blocks the way back | `Group`: it is in use |')
  })

  test('of nothing says so', () => {
    expect(deploymentSummary([]).markdown).toBe('## Nothing was deployed')
  })

  test('is bounded in bytes', () => {
    const outputs = Array.from({ length: 4000 }, (_, index) => ({ name: `Output${index}`, value: '값'.repeat(400) }))
    const text = deploymentSummary([{ ...deployed, outputs }], options).markdown
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(summaryBudget.most)
    expect(text).toMatch(/\*\*Cut here:\*\* \d+ lines are left out\. \[The log\]\(https:\S+\) has all of it\.\n$/u)
    expect(text.split('<details>')).toHaveLength(text.split('</details>').length)
  })

  test('shows what a log says as it is, and as nothing else, whatever it holds', () => {
    const lines = [
      '```',
      '</details>',
      '<img src=x>',
      '@ana #1',
      '~~~',
      '| a | b |',
      '# x',
      '[x](https://x.example)',
      '\u001b[1m',
    ]
    const { failure } = failed
    if (failure?.diagnosis === undefined) throw new Error('There is no diagnosis')
    const diagnosis = { ...failure.diagnosis, seen: [{ what: 'The log', lines, is: 'log' as const }] }

    const text = failureComment({ ...failed, failure: { ...failure, diagnosis } }).markdown

    const tree = fromMarkdown(text, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] })
    const codes = tree.children.flatMap((node) => (node.type === 'code' ? [node.value] : []))
    expect(codes).toEqual([lines.join('\n').replace('\u001b', '\\u001b')])
    expect(tree.children.filter(({ type }) => type === 'heading')).toHaveLength(1)
    expect(text.split('<details>')).toHaveLength(text.split('\n</details>').length - 1)
  })

  test('mentions nobody, refers to nothing and holds no tag but its own, whatever is said', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.constantFrom('@ana', '#1', '</details>', '<script>', 'a|b', '`', '\n\n# x', '::error::x', '\u001b[1m'),
    )
    fc.assert(
      fc.property(texts, texts, (one, two) => {
        const failure = {
          code: one,
          reason: two,
          status: one,
          rolledBack: false,
          untouched: [two],
          steps: [one],
          events: [{ at: new Date(0), what: one, reason: two }],
          first: { logicalId: one, type: two, at: { file: one, line: 1, column: 1 } },
        }
        const report: DeploymentReport = {
          ...deployed,
          unit: `${one}/${two}`,
          host: one,
          health: two,
          why: one,
          next: two,
          trigger: one,
          steps: [{ step: one, result: two }],
          outputs: [{ name: one, value: two }],
          record: { path: one },
        }
        const text = deploymentSummary([report, { ...report, outcome: 'failed', failure }], options).markdown
        const bare = text.replaceAll(/(`+)(?:(?!`).|`(?!\1))*?[^`]\1(?!`)/gu, '').replaceAll(/<code>.*?<\/code>/gu, '')
        expect(bare.replaceAll(/<\/?(?:details|summary|sub)>/gu, '').replaceAll(/^> /gmu, '')).not.toMatch(
          /<\w|<\/|<!/u,
        )
        expect(bare).not.toMatch(/@[a-z]/iu)
        expect(text).not.toMatch(/^#(?!#)/mu)
        expect(text).not.toContain('\u001b')
      }),
      { numRuns: 300 },
    )
  })
})
