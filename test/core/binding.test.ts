import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bindingText, readBinding, unreviewed } from '../../src/core/binding.ts'
import { fence } from '../../src/core/markdown.ts'
import type { Change, Plan, PlannedUnit } from '../../src/core/plan.ts'
import { planOf } from '../../src/core/plan.ts'

const [a, b, c] = ['a', 'b', 'c'].map((digit) => `sha256:${digit.repeat(64)}`)

function change(more: Partial<Change> = {}): Change {
  return {
    logicalId: 'Service',
    type: 'AWS::ECS::Service',
    action: 'update',
    properties: [{ path: 'Properties.DesiredCount', before: a ?? '', after: b ?? '' }],
    because: [],
    retained: false,
    ...more,
  }
}

function planned(changes: readonly Change[], more: Partial<PlannedUnit> = {}): Plan {
  return planOf([
    {
      unit: 'checkout/dev',
      stage: 'dev',
      stack: { name: 'checkout-dev', account: '111111111111', region: 'eu-west-1' },
      template: 'web@1.0.0',
      verdict: 'update',
      changes,
      rendered: a ?? '',
      wants: a ?? '',
      against: a ?? '',
      predicted: false,
      ...more,
    },
  ])
}

function compare(reviewed: Plan, now: Plan) {
  const binding = readBinding(bindingText(reviewed))
  if (binding === undefined) throw new Error('no binding')
  return unreviewed(binding, now).map(({ unit, changes }) => [unit, ...changes.map(({ logicalId }) => logicalId)])
}

const two = [change(), change({ logicalId: 'Queue', type: 'AWS::SQS::Queue', action: 'create', properties: [] })]

describe('what was reviewed', () => {
  test('binds the same changes', () => {
    expect(compare(planned(two), planned(two))).toEqual([])
  })

  test('binds a part of them, where the rest is live already', () => {
    expect(compare(planned(two), planned(two.slice(1)))).toEqual([])
    expect(compare(planned(two), planned([], { verdict: 'nothing' }))).toEqual([])
  })

  test('binds a part of the properties of one', () => {
    const wide = change({
      properties: [...change().properties, { path: 'Properties.Tags', before: a ?? '', after: c ?? '' }],
    })

    expect(compare(planned([wide]), planned([change()]))).toEqual([])
    expect(compare(planned([change()]), planned([wide]))).toEqual([['checkout/dev', 'Service']])
  })

  test.each<readonly [string, Partial<Change>]>([
    ['another resource', { logicalId: 'Other' }],
    ['another type', { type: 'AWS::ECS::TaskSet' }],
    ['a replacement instead of an update', { action: 'replace' }],
    ['another value after', { properties: [{ path: 'Properties.DesiredCount', before: a ?? '', after: c ?? '' }] }],
    ['another value before', { properties: [{ path: 'Properties.DesiredCount', before: c ?? '', after: b ?? '' }] }],
    ['another property', { properties: [{ path: 'Properties.Tags', before: a ?? '', after: b ?? '' }] }],
    ['a resource that is kept', { retained: true }],
  ])('does not bind %s', (_what, more) => {
    const now = planned([change(more)])

    expect(compare(planned(two), now)).toEqual([['checkout/dev', now.units[0]?.changes[0]?.logicalId]])
  })

  test('does not bind a unit that was not in it, or another stage', () => {
    expect(compare(planned(two), planned(two, { unit: 'checkout/prod' }))).toEqual([
      ['checkout/prod', 'Queue', 'Service'],
    ])
    expect(compare(planned([]), planned(two))).toEqual([['checkout/dev', 'Queue', 'Service']])
  })

  test('binds outputs and tags only if they were to change', () => {
    expect(compare(planned([]), planned([]))).toEqual([])
    expect(compare(planned([], { verdict: 'nothing' }), planned([]))).toEqual([['checkout/dev']])
  })

  test('of predicted values binds the paths', () => {
    const other = change({ properties: [{ path: 'Properties.DesiredCount', before: c ?? '', after: a ?? '' }] })

    expect(compare(planned(two, { predicted: true }), planned([other]))).toEqual([])
    expect(compare(planned(two, { predicted: true }), planned([change({ action: 'delete' })]))).toEqual([
      ['checkout/dev', 'Service'],
    ])
  })

  test('is read back from the fence that it stands in', () => {
    const binding = readBinding(`${fence(bindingText(planned(two)), 'json').markdown}\r\n`)

    expect(binding && unreviewed(binding, planned(two))).toEqual([])
  })

  test('of more changes than a check can hold binds the whole alone', () => {
    const many = Array.from({ length: 3000 }, (_, index) => change({ logicalId: `R${index}` }))

    expect(bindingText(planned(many)).length).toBeLessThan(60_000)
    expect(compare(planned(many), planned(many))).toEqual([])
    expect(compare(planned(many), planned(many.slice(1)))).toHaveLength(1)
  })

  test('of a fleet binds each unit, and of a larger one those that a check can hold', () => {
    const fleet = (count: number, more: Partial<Change> = {}): Plan =>
      planOf(
        Array.from(
          { length: count },
          (_, index) => planned([change(more), ...two], { unit: `service-${index}/staging` }).units,
        ).flat(),
      )

    expect(bindingText(fleet(600)).length).toBeLessThan(60_000)
    expect(compare(fleet(600), fleet(600))).toEqual([])
    expect(compare(fleet(600), fleet(600, { action: 'replace' }))).toHaveLength(600)
    expect(bindingText(fleet(3000)).length).toBeLessThan(65_000)
    const held = compare(fleet(3000), fleet(3000))
    expect(held.length).toBeGreaterThan(1000)
    expect(held.length).toBeLessThan(2500)
  })

  test.each(['', '{', '[]', '{"format":2,"units":[]}', '{"format":1,"units":[{"unit":1}]}'])(
    'is not read out of %s',
    (text) => {
      expect(readBinding(text)).toBeUndefined()
    },
  )

  test('is read out of no text by accident', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const binding = readBinding(text)

        expect(binding === undefined || binding.size === 0).toBe(true)
      }),
    )
  })
})
