import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { digest } from '../../src/core/canonical.ts'
import { mapOf } from '../../src/core/data.ts'
import { readOrganisation } from '../../src/core/organisation.ts'
import type { Problem } from '../../src/core/problem.ts'
import type { RenderedUnit } from '../../src/core/request.ts'
import { brokenRequestText, readRequest, requestText } from '../../src/core/request.ts'
import { organisationFiles, treeOf } from './trees.ts'

const read = readOrganisation(treeOf(organisationFiles), () => undefined)
if (!read.ok) throw new Error('the organisation of the tests has problems')
const organisation = read.value
const commit = '0123456789abcdef0123456789abcdef01234567'
const head = '76543210fedcba9876543210fedcba9876543210'

function renderedUnits(bytes = 10): readonly RenderedUnit[] {
  return organisation.units.map((unit) => ({
    unit,
    rendered: digest('Resources: {}'),
    body: mapOf([['Description', 'x'.repeat(bytes)]]),
    parameters: { Port: '80' },
    given: { VpcId: 'vpc-1' },
  }))
}

const problem: Problem = {
  code: 'unknown-input',
  severity: 'error',
  message: 'The template has no input "prot".',
  expected: 'Another.',
  remedy: 'Correct it.',
  at: { file: 'services/checkout/service.yaml', line: 6, column: 3 },
}

describe('the request for a plan', () => {
  test('is read as it was written', () => {
    const text = requestText(organisation, { of: { commit, head }, problems: [problem], units: renderedUnits() })

    const again = readRequest('request.json', text)

    expect(again).toMatchObject({ ok: true, value: { commit, problems: [problem], left: [] } })
    const units = again.ok ? again.value.units : []
    expect(units.map(({ unit }) => unit)).toEqual(organisation.units.map(({ id }) => id))
    expect(
      units.map(({ stack, body, parameters, given }) => ({ stack, body: { ...body }, parameters, given })),
    ).toEqual(
      organisation.units.map(({ stack, environment: { account, region } }) => ({
        stack: { name: stack, account, region },
        body: { Description: 'xxxxxxxxxx' },
        parameters: { Port: '80' },
        given: { VpcId: 'vpc-1' },
      })),
    )
  })

  test('hands on what a unit may lose', () => {
    const acknowledged = new Map([['Table', { file: 'services/checkout/service.yaml', line: 9, column: 3 }]])
    const units = renderedUnits().map((each) => ({ ...each, unit: { ...each.unit, acknowledged } }))

    const again = readRequest('request.json', requestText(organisation, { of: { commit }, problems: [], units }))

    expect(again.ok && again.value.units[0]?.acknowledged).toEqual(['Table'])
  })

  test('of files that are no organisation holds the problems alone', () => {
    expect(readRequest('request.json', brokenRequestText({}, [problem]))).toMatchObject({
      ok: true,
      value: { stages: [], problems: [problem], units: [] },
    })
  })

  test('names the units that did not fit, and stays below the size that is read', () => {
    const many = Array.from({ length: Math.ceil(20 / organisation.units.length) }, () => renderedUnits(900_000)).flat()
    const text = requestText(organisation, { of: { commit, head }, problems: [], units: many })

    const again = readRequest('request.json', text)

    expect(text.length).toBeLessThanOrEqual(12_000_000)
    expect(again.ok && again.value.units).toHaveLength(13)
    expect(again.ok && again.value.left).toEqual(many.slice(13).map(({ unit }) => unit.id))
  })

  test('carries a fleet of 200 units of the size of a real one', () => {
    const fleet = Array.from({ length: Math.ceil(200 / organisation.units.length) }, () => renderedUnits(20_000)).flat()
    const again = readRequest('request.json', requestText(organisation, { of: { commit }, problems: [], units: fleet }))

    expect(again.ok && again.value.units).toHaveLength(fleet.length)
    expect(again.ok && again.value.left).toEqual([])
  })

  test('keeps any text that a problem may hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (message) => {
        const again = readRequest('request.json', brokenRequestText({ commit }, [{ ...problem, message }]))

        expect(again.ok && again.value.problems[0]?.message).toBe(message)
      }),
    )
  })

  test.each([
    ['an unknown key', (text: string) => text.replace('"format"', '"role":"x","format"')],
    ['another format', (text: string) => text.replace('"format":1', '"format":2')],
    ['a stack that is no name', (text: string) => text.replace(/"name":"env/u, '"name":"../env')],
    ['a unit without its service', (text: string) => text.replace(/"service":"[^"]*",/u, '')],
    [
      'an environment with a service',
      (text: string) => text.replace('"kind":"environment"', '"kind":"environment","service":"x"'),
    ],
    ['a body that is no map', (text: string) => text.replace(/"body":"(?:[^"\\]|\\.)*"/u, '"body":"[]"')],
    ['no JSON', (text: string) => text.slice(1)],
    ['a key twice', (text: string) => text.replace('{', '{"format":1,')],
    ['a long text', (text: string) => text.replace('vpc-1', 'x'.repeat(200_000))],
  ])('with %s is refused', (_what, change) => {
    const text = requestText(organisation, { of: { commit, head }, problems: [], units: renderedUnits() })
    const changed = change(text)

    const again = readRequest('request.json', changed)

    expect(changed).not.toBe(text)
    expect(again.ok).toBe(false)
    expect(again.problems[0]?.at?.file).toBe('request.json')
  })

  test('leaves out a problem of a code that there is not', () => {
    const text = brokenRequestText({ commit }, [problem]).replace('unknown-input', 'invented')

    expect(readRequest('request.json', text)).toMatchObject({ ok: true, value: { problems: [] } })
  })

  test('is never a bug, whatever it holds', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(() => readRequest('request.json', text)).not.toThrow()
      }),
    )
  })
})
