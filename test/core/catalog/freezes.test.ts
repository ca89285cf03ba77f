import { describe, expect, test } from 'vitest'
import { readCatalog } from '../../../src/core/catalog.ts'
import { windowText } from '../../../src/core/gates/freeze.ts'
import { brief, lines, organisationFiles, treeOf } from '../trees.ts'

function catalog(more: string) {
  return readCatalog(
    treeOf(organisationFiles, {
      'catalog.yaml': lines(`
    catalog: acme
    domain: example.com
    stages:
      dev: { host: "{service}.dev.{domain}", environment: dev }
      prod: { host: "{service}.{domain}", environment: prod, production: true }
    ${more}
    `),
    }),
  )
}

describe('a catalog', () => {
  test('says when nothing is deployed, who may break the glass, and who the locks of others', () => {
    const read = catalog(`freezes:
      - { name: christmas, from: 2026-12-20T18:00, to: 2027-01-07, zone: Europe/Vienna, stages: [prod], reason: "Nobody is there." }
      - { name: weekend, every: "fri 16:00 - mon 08:00", zone: UTC, reason: "Nobody is there." }
    glass: { by: ["@acme/oncall", "@ada"] }
    locks: { by: ["@acme/platform"] }`)
    expect(read.problems).toEqual([])
    if (!read.ok) return
    expect(read.value.freezes.map((freeze) => [freeze.name, freeze.stages, windowText(freeze)])).toEqual([
      ['christmas', ['prod'], '2026-12-20 18:00 - 2027-01-07 00:00, Europe/Vienna'],
      ['weekend', undefined, 'every fri 16:00 - mon 08:00, UTC'],
    ])
    expect(read.value.glass).toEqual({ by: ['@acme/oncall', '@ada'] })
    expect(read.value.locks).toEqual({ by: ['@acme/platform'] })
  })

  test('without them has none', () => {
    const read = catalog('')
    expect(read.ok && [read.value.freezes, read.value.glass, read.value.locks]).toEqual([[], undefined, undefined])
  })

  test.each([
    [
      'from: 2026-12-20, to: 2026-12-27, zone: Europe/Viena',
      'There is no time zone "Europe/Viena". Did you mean "Europe/Vienna"?',
    ],
    ['from: 2026-12-20, to: 2026-12-20, zone: UTC', 'The freeze ends before it has begun.'],
    ['from: 2026-12-20T12:00, to: 2026-12-20T11:00, zone: UTC', 'The freeze ends before it has begun.'],
    ['from: 2026-02-30, to: 2026-12-20, zone: UTC', 'There is no day or time "2026-02-30".'],
    ['from: 2026-12-20, zone: UTC', 'It is not said when the freeze begins and ends.'],
    ['zone: UTC', 'It is not said when the freeze begins and ends.'],
    [
      'every: "fri 16:00 - mon 08:00", to: 2026-12-20, zone: UTC',
      'The freeze is one of every week, and has a date too.',
    ],
    ['every: "fri 16:00 - fri 16:00", zone: UTC', '"fri 16:00 - fri 16:00" is no span of a week.'],
    ['every: "fri 16:00 - mon 08:00", zone: UTC, stages: [prd]', 'There is no stage "prd". Did you mean "prod"?'],
  ])('with a freeze of %s is refused', (freeze, message) => {
    const read = catalog(`freezes:
      - { name: one, reason: because, ${freeze} }`)
    expect(read.ok).toBe(false)
    expect(read.problems.map((problem) => [problem.message, problem.at?.line])).toEqual([[message, 7]])
  })

  test('with two freezes of one name is refused, with both places', () => {
    const read = catalog(`freezes:
      - { name: one, reason: because, zone: UTC, every: "fri 16:00 - mon 08:00" }
      - { name: one, reason: because, zone: UTC, every: "wed 16:00 - wed 17:00" }`)
    expect(read.problems).toMatchObject([{ code: 'wrong-value', at: { line: 8 }, related: [{ at: { line: 7 } }] }])
  })

  test.each([
    ['glass: { by: [oncall] }', 'wrong-value catalog.yaml:6'],
    ['glass: {}', 'missing-key catalog.yaml:6'],
    ['locks: { by: [] }', 'wrong-value catalog.yaml:6'],
    ['freezes: [{ name: one, zone: UTC, every: "fri 16:00 - mon 08:00" }]', 'missing-key catalog.yaml:6'],
  ])('with %s is refused', (line, expected) => {
    expect(brief(catalog(line).problems)).toEqual([expected])
  })
})
