import { readFileSync } from 'node:fs'

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mapOf } from '../../src/core/data.ts'
import { json } from '../../src/core/encode.ts'
import type { Change, PlannedUnit } from '../../src/core/plan.ts'
import { planOf, readPlan, stale, verdictOf, within } from '../../src/core/plan.ts'
import { planText } from '../../src/core/report.ts'

const change: Change = {
  logicalId: 'OrdersDb',
  type: 'AWS::RDS::DBInstance',
  action: 'replace',
  properties: [{ path: 'Properties.DBInstanceIdentifier', before: 'sha256:1', after: 'sha256:2' }],
  because: ['Properties.DBInstanceIdentifier'],
  retained: true,
}
const unit: PlannedUnit = {
  unit: 'checkout/prod',
  stage: 'prod',
  stack: { name: 'checkout-prod', account: '333333333333', region: 'ap-northeast-2' },
  template: 'fargate-service@2.3.0',
  verdict: 'replace',
  changes: [change],
  rendered: 'sha256:aa',
  wants: 'sha256:bb',
  against: 'sha256:cc',
  predicted: false,
}

const anyChange: fc.Arbitrary<Change> = fc.record({
  logicalId: fc.string({ minLength: 1 }),
  type: fc.constantFrom('AWS::SQS::Queue', 'AWS::ECS::Service'),
  action: fc.constantFrom('create', 'update', 'replace', 'delete'),
  properties: fc.array(fc.record({ path: fc.string(), before: fc.string() }, { requiredKeys: ['path'] }), {
    maxLength: 3,
  }),
  because: fc.array(fc.string(), { maxLength: 2 }),
  retained: fc.boolean(),
})
const anyUnit: fc.Arbitrary<PlannedUnit> = fc.record({
  unit: fc.string(),
  stage: fc.constantFrom('dev', 'prod'),
  stack: fc.record({ name: fc.string(), account: fc.string(), region: fc.string() }),
  template: fc.string(),
  verdict: fc.constantFrom('nothing', 'create', 'update', 'replace', 'delete'),
  changes: fc.uniqueArray(anyChange, { selector: ({ logicalId }) => logicalId, maxLength: 5 }),
  rendered: fc.string(),
  wants: fc.string(),
  against: fc.string(),
  predicted: fc.boolean(),
})

describe('the gates of a plan', () => {
  const gates = [
    { gate: 'order', asks: 'staging has this commit.' },
    { gate: 'approval', asks: 'Somebody approves it.', by: ['@acme/platform'] },
    { gate: 'guard', asks: 'A table would be replaced.', is: 'held' },
  ] as const

  test('are read back, in their order, and leave the digest as it is', () => {
    const plan = planOf([{ ...unit, gates: gates.toReversed() }])
    expect(plan.units[0]?.gates).toEqual(gates)
    expect(plan.digest).toBe(planOf([unit]).digest)
    expect(readPlan('plan.json', json(plan))).toMatchObject({ ok: true, value: plan })
  })

  test('are none in a plan that was written before there were gates', () => {
    const text = readFileSync(new URL('formats/plan-1-without-gates.json', import.meta.url), 'utf8')
    const read = readPlan('plan.json', text)
    expect(read).toEqual({ ok: true, value: planOf([unit]), problems: [] })
  })

  test.each([
    { gate: 'luck', asks: 'A good day.' },
    { gate: 'order' },
    { gate: 'guard', asks: '', is: 'perhaps' },
    'order',
  ])('are refused as %j', (gate) => {
    const text = json({ ...planOf([unit]), units: [{ ...planOf([unit]).units[0], gates: [gate] }] })
    expect(readPlan('plan.json', text)).toMatchObject({ ok: false, problems: [{ code: 'plan-format' }] })
  })
})

describe('a plan', () => {
  test('has the same bytes for the same units, in whatever order their changes come', () => {
    fc.assert(
      fc.property(fc.array(anyUnit, { maxLength: 4 }), (units) => {
        const shuffled = units.map((each) => ({ ...each, changes: each.changes.toReversed() }))

        expect(json(planOf(shuffled))).toBe(json(planOf(units)))
      }),
    )
  })

  test('written to a file reads back as the same plan', () => {
    fc.assert(
      fc.property(fc.array(anyUnit, { maxLength: 4 }), (units) => {
        const plan = planOf(units)

        expect(readPlan('plan.json', json(plan))).toMatchObject({ ok: true, value: plan })
      }),
    )
  })

  test.each([
    [
      'a unit of it was edited',
      json(planOf([unit]))
        .replace('"create"', '"update"')
        .replace('checkout-prod', 'checkout-dev'),
      'plan-edited',
    ],
    ['it is of a newer format', json({ ...planOf([unit]), format: 2 }), 'plan-format'],
    ['a unit lacks its digest', json({ ...planOf([unit]), units: [{ ...unit, wants: 1 }] }), 'plan-format'],
    [
      'a change is of no known kind',
      json({ ...planOf([unit]), units: [{ ...unit, changes: [{ ...change, action: 'x' }] }] }),
      'plan-format',
    ],
    ['it is some other JSON', '[]', 'plan-format'],
    ['it is no JSON', '{', 'yaml-syntax'],
  ])('is refused when %s', (_, text, code) => {
    const read = readPlan('plan.json', text)

    expect(read.ok).toBe(false)
    expect(read.problems.map((problem) => problem.code)).toEqual([code])
  })
})

describe('a reviewed plan', () => {
  const reviewed = planOf([unit])

  test('holds while what is wanted and what is live stay the same', () => {
    expect(stale(reviewed, planOf([unit]))).toEqual([])
  })

  test('holds for the rest when a part of it is live already', () => {
    const rest = { ...unit, verdict: 'nothing', changes: [], against: 'sha256:dd' } as const

    expect(stale(reviewed, planOf([rest]))).toEqual([])
  })

  test.each([
    ['something else is wanted', { wants: 'sha256:00' }, 'checkout/prod wants something else'],
    ['the stack moved on', { against: 'sha256:00' }, 'checkout/prod is in another state'],
    ['the stack is another', { stack: { ...unit.stack, account: '111111111111' } }, 'checkout/prod is another stack'],
    ['the unit is gone', { unit: 'checkout/qa' }, 'checkout/prod is in the plan, but no longer in the organisation'],
  ])('no longer holds when %s', (_, difference, why) => {
    expect(stale(reviewed, planOf([{ ...unit, ...difference }]))).toEqual([expect.stringContaining(why)])
  })

  test('covers a part of its changes, and no other change', () => {
    expect(within([change], [change, { ...change, logicalId: 'Queue' }])).toBe(true)
    expect(within([], [change])).toBe(true)
    expect(within([{ ...change, action: 'delete' }], [change])).toBe(false)
  })
})

describe('the verdict', () => {
  const content = { body: mapOf([['Resources', mapOf()]]), parameters: { port: '80' }, tags: { stage: 'dev' } }

  test.each([
    ['create', undefined, content, []],
    ['nothing', content, content, []],
    ['update', content, { ...content, parameters: { port: '81' } }, []],
    ['update', content, { ...content, body: mapOf() }, []],
    ['update', content, { ...content, tags: {} }, []],
    ['update', content, content, [{ ...change, action: 'update' }]],
    ['replace', content, content, [{ ...change, action: 'update' }, change]],
    ['delete', content, content, [change, { ...change, action: 'delete' }]],
  ] as const)('is %s', (verdict, live, wanted, changes) => {
    expect(verdictOf(live, wanted, changes)).toBe(verdict)
  })
})

test('a plan is shown with the worst first, and stages with the same changes once', () => {
  const queue: Change = {
    logicalId: 'Queue',
    type: 'AWS::SQS::Queue',
    action: 'create',
    properties: [],
    because: [],
    retained: false,
  }
  const dev = {
    ...unit,
    unit: 'checkout/dev',
    stage: 'dev',
    stack: { ...unit.stack, name: 'checkout-dev' },
    predicted: true,
  }
  const idle = {
    ...unit,
    unit: 'cart/prod',
    stack: { ...unit.stack, name: 'cart-prod' },
    verdict: 'nothing',
    changes: [],
  } as const

  expect(planText(planOf([{ ...dev, changes: [queue, change] }, { ...unit, changes: [change, queue] }, idle])))
    .toMatchInlineSnapshot(`
      "UNIT           STACK          TEMPLATE               VERDICT  RESOURCES
      checkout/dev   checkout-dev   fargate-service@2.3.0  replace  1 replace, 1 create  outputs of the environment are predicted
      checkout/prod  checkout-prod  fargate-service@2.3.0  replace  1 replace, 1 create
      cart/prod      cart-prod      fargate-service@2.3.0  nothing

      checkout/dev and checkout/prod (the same)
        -+  OrdersDb  AWS::RDS::DBInstance  replace  because DBInstanceIdentifier cannot change in place (stays in the account)
        +   Queue     AWS::SQS::Queue       create

      2 units to change, 4 resources touched. Replaced or deleted: 2 resources. Plan ff8cdadd098c."
    `)
  expect(planText(planOf([idle]))).toContain('Nothing to do: 1 unit is as wanted. Plan ')
})
