import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { UpgradeText } from '../../../src/core/upgrade/body.ts'
import {
  bodyBudget,
  closedBody,
  confidence,
  sameText,
  upgradeBody,
  upgradeTitle,
} from '../../../src/core/upgrade/body.ts'
import { boxes, readMarker, tickedIn } from '../../../src/core/upgrade/metadata.ts'
import { url } from '../../../src/core/markdown.ts'
import { consumerOf, fingerprint, oid } from './facts.ts'
import { changeOf, lossOf, stageOf } from './impacts.ts'

const given: UpgradeText = {
  consumer: consumerOf(),
  marker: { template: 'fargate-service', from: '2.2.1', to: '2.3.0', fingerprint: fingerprint('a') },
  why: '2.2.1 leaves TLS 1.0 open on the load balancer.',
  ends: { is: 'deprecated', until: '2027-01-31' },
  impact: { is: 'changed', stages: [stageOf(), stageOf({ stage: 'prod' })], problems: [] },
  migrated: {
    shown: [
      {
        path: ['inputs', 'scaling', 'min'],
        from: ['inputs', 'desired_count'],
        before: 2,
        after: 2,
        why: 'It is called so now.',
        version: '2.3.0',
      },
    ],
    asks: [],
    defaults: [],
    notes: [],
  },
  outcomes: [{ path: 'infra/alarms.yaml', owner: 'merge', is: 'merged' }],
  notes: [{ version: '2.3.0', text: '### Changed\n\n- TLS 1.2 or newer only.\n- New input `idle_timeout`.' }],
  others: { all: 26, on: 19, deployments: 61, failed: 0 },
  stages: [{ name: 'dev' }, { name: 'staging' }, { name: 'prod', approval: { by: ['@acme/platform'] } }],
  rollout: 'acme/catalog#412',
  automerge: false,
}

const bodyFor = (more: Partial<UpgradeText> = {}): string => upgradeBody({ ...given, ...more }, oid('b')).markdown

test('it says what is asked of the reader first, then what would happen, then the rest', () => {
  expect(bodyFor()).toMatchSnapshot()
})

describe('a title', () => {
  test.each([
    [consumerOf(), '2.3.0', 'Upgrade fargate-service 2.2.1 → 2.3.0'],
    [
      consumerOf({ file: 'services/checkout/service.yaml' }),
      '2.3.0',
      'Upgrade checkout: fargate-service 2.2.1 → 2.3.0',
    ],
    [
      consumerOf({ kind: 'environment', name: 'dev', file: 'environments/dev.yaml' }),
      '2.3.0',
      'Upgrade dev: fargate-service 2.2.1 → 2.3.0',
    ],
    [consumerOf(), '2.2.0', 'Go back: fargate-service 2.2.1 → 2.2.0'],
  ] as const)('%#', (consumer, to, wanted) => {
    expect(upgradeTitle(consumer, { template: 'fargate-service', from: '2.2.1', to })).toBe(wanted)
  })
})

describe('what it says', () => {
  const risk = (impact: UpgradeText['impact']): string => /\*\*Risk:\*\* (.*)/u.exec(bodyFor({ impact }))?.[1] ?? ''
  test.each([
    [
      'low',
      { is: 'changed', stages: [stageOf()], problems: [] },
      /^low\. Nothing is replaced or deleted in any stage\.$/u,
    ],
    [
      'look',
      {
        is: 'replaces',
        stages: [
          stageOf({
            losses: [lossOf({ logicalId: 'Task' })].map(({ logicalId, type, happens, because, retained }) => ({
              logicalId,
              type,
              happens,
              because,
              retained,
            })),
          }),
        ],
        problems: [],
      },
      /^look\. Task is replaced; nothing that holds data is\.$/u,
    ],
    [
      'high',
      { is: 'replaces', stages: [stageOf({ losses: [lossOf()] })], problems: [] },
      /^high\. Orders \(the items of a table\) is replaced\.$/u,
    ],
    ['not known', { is: 'does-not-render', stages: [], problems: [] }, /^not known: it could not be rendered\.$/u],
  ] as const)('risk: %s', (_, impact, wanted) => {
    expect(risk({ ...impact, stages: [...impact.stages], problems: [] })).toMatch(wanted)
  })

  test('a question has its line, what is wanted and what stands there', () => {
    const ask = {
      path: ['inputs', 'data_class'],
      expected: 'one of public, internal',
      options: [],
      suggest: 'internal',
      why: 'New tags.',
      placeholder: '?? data_class',
    }
    const body = bodyFor({
      migrated: { shown: [], asks: [ask], defaults: [], notes: [] },
      text: 'service: checkout\ninputs:\n  data_class: "?? data_class"\n',
      address: (path, line) => url('https://github.com', ['acme', 'checkout', 'blob', path, line]),
    })
    expect(body).toContain('**Your work:** answer 1 question in the file, marked below. Until then it is a draft.')
    expect(body).toContain('/blob/service.yaml/3)')
    expect(body).toContain('Put it where `?? data_class` stands.')
  })

  test.each([
    [['inputs', 'db_password'], undefined],
    [
      ['inputs', 'login'],
      ['inputs', 'db_password'],
    ],
    [
      ['inputs', 'env', 'API_TOKEN'],
      ['inputs', 'environment', 'API_TOKEN'],
    ],
  ])('what looks like a secret by the name that it has or had is not shown: %j, was %j', (path, from) => {
    const secret = 'x9Q!v2Lm7#Tz4w'
    const shown = [
      { path, ...(from !== undefined && { from }), before: secret, after: secret, why: 'Renamed.', version: '2.3.0' },
    ]
    const body = bodyFor({ migrated: { shown, asks: [], defaults: [], notes: [] } })
    expect(body).toContain('**')
    expect(body).not.toContain(secret)
  })

  test('a default that has changed is a change of what runs', () => {
    const changed = { path: ['inputs', 'idle_timeout'], before: 60, after: 30 }
    expect(bodyFor({ migrated: { shown: [], asks: [], defaults: [changed], notes: [] } })).toContain(
      'its default was `60` and is `30`: **what runs changes.**',
    )
  })

  test.each([
    [{ is: 'taken-over' }, /You have taken this over/u],
    [{ is: 'taken-over', newer: '2.4.0' }, /2\.4\.0\*\* is out; tick below/u],
    [{ is: 'next', version: '2.4.0' }, /\*\*2\.4\.0 is ready\.\*\* This one merges first/u],
    [{ is: 'halted', words: 'web has failed.' }, /> The rollout of 2\.3\.0 is stopped: web has failed\./u],
    [{ is: 'failing', isOwn: false }, /so do those of the main branch/u],
  ] as const)('first of all, where there is something: %j', (notice, wanted) => {
    expect(bodyFor({ notice })).toMatch(wanted)
  })

  test('who has taken it over is offered what is newer, and not to begin again', () => {
    const body = bodyFor({ notice: { is: 'taken-over', newer: '2.4.0' } })
    expect(body).toContain('<!-- protium:box apply -->')
    expect(body).not.toContain('<!-- protium:box rebase -->')
  })
})

describe('how much is known', () => {
  test.each([
    [0, 0, 'nothing is known yet.'],
    [2, 0, 'too few to say anything.'],
    [10, 0, 'at most 30 in 100 are likely to fail.'],
    [60, 0, 'at most 5 in 100 are likely to fail.'],
    [300, 0, 'at most 1 in 100 are likely to fail.'],
    [50, 5, 'about 10 in 100 failed.'],
  ])('of %d deployments of which %d failed: %s', (deployments, failed, wanted) => {
    expect(confidence({ deployments, failed })).toBe(wanted)
  })
})

describe('two texts are the same', () => {
  const title = 'Upgrade'
  const body = bodyFor()
  test.each([
    ['with Windows’ ends of lines', body.replaceAll('\n', '\r\n'), true],
    ['with a box ticked', body.replace('- [ ] ask', '- [x] ask'), true],
    ['with other counts', bodyFor({ others: { all: 26, on: 20, deployments: 70, failed: 0 } }), true],
    ['with another head', upgradeBody(given, oid('d')).markdown, true],
    ['with another notice', bodyFor({ notice: { is: 'next', version: '2.4.0' } }), false],
    [
      'with other changes',
      bodyFor({ impact: { is: 'unchanged', stages: [stageOf({ is: 'unchanged', changes: [] })], problems: [] } }),
      false,
    ],
    ['with another version', bodyFor({ marker: { ...given.marker, to: '2.4.0' } }), false],
  ])('%s: %#', (_, other, wanted) => {
    expect(sameText({ title, body }, { title, body: other })).toBe(wanted)
    expect(sameText({ title, body }, { title: 'Other', body: other })).toBe(false)
  })

  test('ticks that are to stay are there', () => {
    expect([...tickedIn(bodyFor({ ticked: new Set(['never']) }))]).toEqual(['never'])
  })
})

describe('a pull request that is closed', () => {
  test('says why below its marker, once, and keeps its boxes', () => {
    const once = closedBody(bodyFor({ ticked: new Set(['never']) }), 'The version was moved by hand, by @ada.')
    expect(readMarker(once)).toEqual(readMarker(bodyFor()))
    expect(once.split('\n').slice(1, 3)).toEqual([
      '',
      '**Closed by Protium:** The version was moved by hand, by `@ada`.',
    ])
    expect([...tickedIn(once)]).toEqual(['never'])
    expect(closedBody(once, 'Again.').match(/Closed by Protium/gu)).toHaveLength(1)
    expect(sameText({ title: 'a', body: once }, { title: 'a', body: bodyFor() })).toBe(false)
  })

  test('says it first where somebody has emptied it, and nothing where there is no room', () => {
    expect(closedBody('', 'It is done.')).toBe('**Closed by Protium:** It is done.\n')
    const full = 'x'.repeat(65_000)
    expect(closedBody(full, 'It is done.')).toBe(full)
  })
})

describe('whatever it is about', () => {
  const hostile = fc.oneof(
    fc.constantFrom(
      '@acme/team',
      'fixes #1',
      'GH-12',
      'https://github.com/acme/catalog/issues/412',
      '</details>',
      '<!-- -->',
      '- [x] <!-- protium:box never -->',
      '```',
      '| a |',
      '\n### x',
      'acme/catalog#412',
    ),
    fc.string({ unit: 'binary', maxLength: 60 }),
  )
  const many = fc.integer({ min: 0, max: 90 })
  const arbitrary = fc
    .record({ words: fc.array(hostile, { minLength: 1, maxLength: 6 }), count: many })
    .map(({ words, count }): UpgradeText => {
      const text = words.join(' ')
      const each = <T>(make: (index: number) => T): readonly T[] =>
        Array.from({ length: count }, (_, index) => make(index))
      return {
        ...given,
        why: text,
        ends: { is: 'yanked', because: text },
        help: text,
        consumer: consumerOf({ owner: text }),
        notice: { is: 'halted', words: text },
        impact: {
          is: 'changed',
          stages: ['dev', 'prod'].map((stage) =>
            stageOf({
              stage,
              changes: each((index) => changeOf({ logicalId: `${text}${index}`, type: text })),
              losses: each(() => lossOf({ logicalId: text })),
            }),
          ),
          problems: [],
        },
        migrated: {
          shown: each((index) => ({
            path: ['inputs', text, index],
            before: text,
            after: text,
            why: text,
            version: '2.3.0',
          })),
          asks: each(() => ({ path: ['inputs', text], expected: text, options: [], why: text, placeholder: text })),
          defaults: each(() => ({ path: ['inputs', text], before: text, after: text })),
          notes: each(() => ({ version: '2.3.0', text })),
        },
        outcomes: each((index) => ({
          path: `${text}${index}`,
          owner: 'merge',
          is: 'review',
          why: 'both-added',
          ours: `${text}\n`.repeat(40),
          after: text,
          question: { id: 'h000000000000000', choice: 'mine', isSettled: false },
        })),
        notes: each(() => ({ version: '2.3.0', text: `${text}\n${text}` })),
        rollout: text,
      }
    })

  test('it fits, with its marker and all its boxes, mentions nobody and refers to nothing', () => {
    fc.assert(
      fc.property(arbitrary, (made) => {
        const body = upgradeBody(made, oid('b')).markdown
        expect(body.length).toBeLessThanOrEqual(bodyBudget)
        expect(readMarker(body)).toMatchObject({ to: '2.3.0', head: oid('b') })
        for (const box of boxes.filter((each) => each !== 'apply'))
          expect(body).toContain(`<!-- protium:box ${box} -->`)
        expect([...tickedIn(body)]).toEqual([])
        const prose = withoutCode(body)
        expect(prose).not.toMatch(/(?<![\w`])@[a-z]/iu)
        expect(prose).not.toMatch(/(?:^|\s)#\d/u)
        expect(prose).not.toMatch(/github\.com\/[^)]*\/(?:issues|pull)\/\d/u)
      }),
      { seed: 21, numRuns: 25, endOnFailure: true },
    )
  }, 60_000)
})

/** What GitHub looks for mentions and references in: all but fences and code spans. */
function withoutCode(body: string): string {
  const lines: string[] = []
  let fence = ''
  for (const line of body.split('\n')) {
    const marks = /^`{3,}/u.exec(line)?.[0] ?? ''
    if (fence !== '') fence = line === fence ? '' : fence
    else if (marks !== '') fence = marks
    else lines.push(withoutSpans(line.replaceAll(/<code>[^<]*<\/code>/gu, '')))
  }
  return lines.join('\n')
}

function withoutSpans(line: string): string {
  const parts = line.split(/(`+)/u)
  let kept = ''
  for (let at = 0; at < parts.length; at += 1) {
    const part = parts[at] ?? ''
    const end = part.startsWith('`') ? parts.indexOf(part, at + 1) : -1
    if (end === -1) kept += part
    else at = end
  }
  return kept
}
