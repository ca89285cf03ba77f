import { describe, expect, test } from 'vitest'
import { checkWaivedServices, endingSoon } from '../../../src/core/policy/waivers.ts'
import { catalogWith, found, noon } from './world.ts'

const open =
  'Resources:\n  News: { Type: AWS::SNS::Topic, Properties: {} }\n  Mail: { Type: AWS::SNS::Topic, Properties: {} }\n'

const text = (more: Readonly<Record<string, string>> = {}): string =>
  Object.entries({
    rule: 'policy-unencrypted',
    unit: 'shop/dev',
    owner: '"@acme/news"',
    reason: 'The old reader knows no keys.',
    expires: '2026-12-31',
    ...more,
  })
    .flatMap(([key, value]) => (value === '' ? [] : [`${key}: ${value}\n`]))
    .join('')

const waived = (more: Readonly<Record<string, string>> = {}) => catalogWith('', { 'old-reader.yaml': text(more) })
const at = (day: string): Date => new Date(`${day}Z`)

describe('a waiver', () => {
  test.each([
    ['for the unit', {}, {}, 0],
    ['for one of its resources', { resource: 'News' }, {}, 1],
    ['for the service', { unit: '', service: 'shop' }, {}, 0],
    ['for the template', { unit: '', template: 'web' }, {}, 0],
    ['for the same service in another stage', { unit: 'shop/prod' }, {}, 2],
    ['for the unit of another service', { unit: 'cart/dev' }, {}, 2],
    ['for another service', { unit: '', service: 'cart' }, {}, 2],
    ['for a service whose name begins so', { unit: '', service: 'sho' }, {}, 2],
    ['for another template', { unit: '', template: 'home' }, {}, 2],
    ['for another rule', { rule: 'policy-open-ingress' }, {}, 2],
    ['for the instance, not for its component', {}, { unit: 'shop/dev/component' }, 2],
    ['for the component', { unit: 'shop/dev/component' }, { unit: 'shop/dev/component', isOwn: true }, 0],
  ])('%s', (_what, waiver, subject, left) => {
    const { catalog, problems } = waived(waiver)
    expect(problems).toEqual([])
    const { judged, problems: told } = found(catalog, open, subject)
    expect(told).toHaveLength(left)
    expect(judged.filter((each) => each.waiver !== undefined)).toHaveLength(2 - left)
  })

  test.each([
    ['the day before', '2026-12-30T23:59:59', undefined, 0],
    ['on its day', '2026-12-31T00:00:00', undefined, 2],
    ['after it', '2027-02-01T00:00:00', undefined, 2],
    ['when its day begins in the east', '2026-12-30T15:00:00', 'Asia/Tokyo', 2],
    ['a second before', '2026-12-30T14:59:59', 'Asia/Tokyo', 0],
    ['while it is still the day before in the west', '2026-12-31T07:59:59', 'America/Los_Angeles', 0],
    ['when its day begins in the west', '2026-12-31T08:00:00', 'America/Los_Angeles', 2],
  ])('counts until its day begins: %s', (_what, now, zone, left) => {
    const { catalog, problems } = waived(zone === undefined ? {} : { zone })
    expect(problems).toEqual([])
    const told = found(catalog, open, { now: at(now) }).problems
    expect(told.map(({ code, severity }) => `${severity} ${code}`)).toEqual(Array(left).fill('error waiver-expired'))
  })

  test('that has ended is told of with what it was for, and leads to its file', () => {
    const { catalog } = waived({ resource: 'News' })
    expect(found(catalog, open, { now: at('2026-12-31T09:00:00') }).problems[0]).toEqual({
      code: 'waiver-expired',
      severity: 'error',
      message: 'News is not encrypted. The waiver `old-reader` of @acme/news ended on 2026-12-31.',
      expected: 'A store encrypted at rest: `KmsMasterKeyId`.',
      remedy:
        'Write `KmsMasterKeyId` in News. On a store with data, look in the plan whether it is replaced. If that takes longer, agree on another day for the waiver.',
      at: { file: 't.yaml', line: 2, column: 46 },
      related: [
        { at: { file: 'waivers/old-reader.yaml', line: 5, column: 10 }, note: 'the waiver for policy-unencrypted' },
      ],
    })
  })

  test.each([
    ['15 days before', '2026-12-16T12:00:00', undefined],
    ['14 days before', '2026-12-17T00:00:00', 'ends in 14 days, on 2026-12-31'],
    ['the day before', '2026-12-30T23:00:00', 'ends tomorrow, on 2026-12-31'],
    ['on its day, when it fails', '2026-12-31T00:00:00', undefined],
  ])('is announced: %s', (_what, now, words) => {
    const { waivers } = waived().catalog.policy
    expect(endingSoon([...waivers, ...waivers], at(now))).toMatchObject(
      words === undefined
        ? []
        : [
            {
              code: 'waiver-ends',
              severity: 'warning',
              message: expect.stringContaining(words),
              at: { file: 'waivers/old-reader.yaml', line: 5 },
            },
          ],
    )
  })

  test('of several, the one that lasts longest counts', () => {
    const { catalog } = catalogWith('', {
      'a.yaml': text({ expires: '2026-11-25' }),
      'b.yaml': text({ expires: '2026-11-26' }),
      'c.yaml': text({ expires: '2026-01-01' }),
    })
    const { judged, problems } = found(catalog, open, { now: noon })
    expect(problems).toEqual([])
    expect(judged.map(({ waiver }) => waiver?.name)).toEqual(['b', 'b'])
  })
})

describe('a file that is no waiver is a problem at its line', () => {
  test.each([
    [
      'a rule that is not there',
      { rule: 'policy-unencryptd' },
      'unknown-rule',
      'Did you mean "policy-unencrypted"?',
      1,
    ],
    [
      'a rule of a check that is off',
      { rule: 'cfn-lint/E3012' },
      'unknown-rule',
      'cfn-lint is not among the checks',
      1,
    ],
    ['a unit in no stage', { unit: 'shop/dve' }, 'unknown-unit', 'Did you mean "dev"?', 2],
    ['an environment that is not there', { unit: 'environment/prd' }, 'unknown-unit', 'Did you mean "prod"?', 2],
    ['a template that is not there', { unit: '', template: 'wep' }, 'unknown-template', 'Did you mean "web"?', 5],
    ['nothing that it is for', { unit: '' }, 'wrong-value', 'does not say what it is for', 1],
    ['two things that it is for', { template: 'web' }, 'wrong-value', 'for several things', 6],
    ['a day that is not in the calendar', { expires: '2026-02-30' }, 'wrong-value', 'There is no day 2026-02-30.', 5],
    ['no day', { expires: '' }, 'missing-key', '"expires" is missing', 1],
    ['no owner', { owner: '' }, 'missing-key', '"owner" is missing', 1],
    ['a reason that says nothing', { reason: 'todo' }, 'wrong-value', 'is shorter than 10 characters', 4],
    ['a zone that is not there', { zone: 'Europe/Wien' }, 'wrong-value', 'There is no time zone "Europe/Wien"', 6],
    ['a key that it has not', { until: '2027-01-01' }, 'unknown-key', 'until', 6],
  ])('%s', (_what, more, code, message, line) => {
    const { problems, catalog } = waived(more)
    expect(problems).toMatchObject([
      {
        code,
        severity: 'error',
        message: expect.stringContaining(message),
        at: { file: 'waivers/old-reader.yaml', line },
      },
    ])
    expect(catalog.policy.waivers).toEqual([])
  })

  test('a name that is not read, and files beside them that are none of ours', () => {
    const { problems, catalog } = catalogWith('', {
      'Old.yaml': text(),
      'a.yml': text(),
      'deep/b.yaml': text(),
      'README.md': 'words',
    })
    expect(problems.map(({ at: place }) => place?.file)).toEqual([
      'waivers/Old.yaml',
      'waivers/a.yml',
      'waivers/deep/b.yaml',
    ])
    expect(catalog.policy.waivers).toEqual([])
  })

  test('a rule of the catalog and one of a check that is on can be waived', () => {
    const policy = 'policy: { checks: [cfn-lint], rules: [{ name: mine, deny: "AWS::SNS::*" }] }\n'
    expect(
      catalogWith(policy, { 'a.yaml': text({ rule: 'mine' }), 'b.yaml': text({ rule: 'cfn-lint/E3012' }) }).problems,
    ).toEqual([])
  })

  test('a service that is not there is an error where all services are known, and doubted where it is nearly one of them', () => {
    const { waivers } = catalogWith('', {
      'a.yaml': text({ unit: 'shp/dev' }),
      'b.yaml': text({ unit: '', service: 'elsewhere' }),
      'c.yaml': text({ unit: 'environment/dev' }),
    }).catalog.policy
    const services = new Set(['shop'])
    expect(checkWaivedServices(waivers, { services, isAll: true })).toMatchObject([
      { code: 'unknown-service', severity: 'error', message: 'There is no service "shp" here. Did you mean "shop"?' },
      { code: 'unknown-service', severity: 'error', message: 'There is no service "elsewhere" here.' },
    ])
    expect(checkWaivedServices(waivers, { services, isAll: false })).toMatchObject([
      { severity: 'warning', message: 'There is no service "shp" here. Did you mean "shop"?' },
    ])
  })
})
