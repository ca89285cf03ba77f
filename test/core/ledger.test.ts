import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { digest } from '../../src/core/canonical.ts'
import { chainFaults, recordId, recordPath, recordsIn } from '../../src/core/ledger.ts'

/** A chain of so many records, as files. */
function chain(length: number): Map<string, string> {
  const files = new Map<string, string>()
  let prev: string | undefined
  for (let index = 0; index < length; index += 1) {
    const text = JSON.stringify({ id: index, ...(prev !== undefined && { prev }) })
    files.set(`records/x/dev/2026-11/${String(index).padStart(3, '0')}.json`, text)
    prev = digest(text)
  }
  return files
}

describe('the chain of the ledger', () => {
  test('is whole as it was written, whatever the order of its files', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 12 }), fc.infiniteStream(fc.nat()), (length, order) => {
        const files = [...chain(length)].map((file) => ({ file, at: order.next().value ?? 0 }))
        expect(chainFaults(new Map(files.toSorted((a, b) => a.at - b.at).map(({ file }) => file)))).toEqual([])
      }),
    )
  })

  test('shows that a record but the last was taken away, changed, or that one was put in', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), fc.nat(), (length, seed) => {
        const all = chain(length)
        const paths = [...all.keys()]
        const path = paths[seed % (length - 1)] ?? ''
        const without = new Map(all)
        without.delete(path)
        const changed = new Map(all).set(path, `${all.get(path) ?? ''} `)
        const more = new Map(all).set(
          'records/x/dev/2026-11/more.json',
          JSON.stringify({ prev: digest(all.get(path) ?? '') }),
        )
        for (const files of [without, changed, more]) expect(chainFaults(files)).not.toEqual([])
      }),
    )
  })

  test.each([['not json'], ['[]'], ['{"prev":1}']])('shows that a record is %j', (text) => {
    expect(chainFaults(new Map([...chain(2), ['records/x/dev/2026-11/odd.json', text]]))).toEqual([
      'What came before records/x/dev/2026-11/odd.json is missing or was changed',
    ])
  })
})

describe('a ledger', () => {
  const files = chain(4)
  const paths = [...files.keys()]
  const messages = paths
    .map((path) => `x/dev: deployed\n\nRecord: ${path}\nDigest: ${digest(files.get(path) ?? '')}\nText: eA==\n`)
    .toReversed()
  const [first = '', second = '', , last = ''] = paths
  const found = (changed: ReadonlyMap<string, string>, said: readonly string[] = messages) =>
    recordsIn({ files: changed, messages: said }).faults.map(({ file, what }) => `${file}: ${what}`)

  test('is whole as it was written', () => {
    expect(recordsIn({ files, messages })).toEqual({ records: 4, faults: [] })
    expect(recordsIn({ files: new Map(), messages: [] })).toEqual({ records: 0, faults: [] })
  })

  test.each([[first], [second], [last]])('says that %s is missing', (path) => {
    const without = new Map(files)
    without.delete(path)
    expect(found(without)).toEqual([`${path}: The record was added by a commit of the ledger, and is missing.`])
  })

  test.each([[first], [second], [last]])('says that %s was changed', (path) => {
    expect(found(new Map(files).set(path, `${files.get(path) ?? ''} `))).toEqual([
      `${path}: The record was changed after it was added.`,
    ])
  })

  test('says which record was put in', () => {
    const path = 'records/x/dev/2026-11/more.json'
    expect(found(new Map(files).set(path, '{}'))).toEqual([
      `${path}: The record was put in by a commit that does not say so: it is not one of Protium’s.`,
    ])
  })

  test('shows by its chain that it was written anew, with commits that agree', () => {
    const without = new Map(files)
    without.delete(second)
    expect(
      found(
        without,
        messages.filter((message) => !message.includes(second)),
      ),
    ).toEqual([`${paths[2]}: What came before ${paths[2]} is missing or was changed.`])
  })
})

describe('the path of a record', () => {
  test('is by unit and month', () => {
    expect(recordPath({ unit: 'checkout/dev/component', id: '20261122T1-x', started: '2026-11-22T17:36:02Z' })).toBe(
      'records/checkout/dev/component/2026-11/20261122T1-x.json',
    )
  })

  test.each([
    ['..', 'x', '2026-11-22'],
    ['a//b', 'x', '2026-11-22'],
    ['a/../b', 'x', '2026-11-22'],
    ['a', '../x', '2026-11-22'],
    ['a', 'x', '2026-13-22'],
    ['a', 'x', 'yesterday'],
  ])('is none of unit %j, id %j, start %j', (unit, id, started) => {
    expect(() => recordPath({ unit, id, started })).toThrow(TypeError)
  })
})

describe('the id of a record', () => {
  const started = new Date('2026-11-25T12:00:00.000Z')

  test('is the time and the unit', () => {
    expect(recordId('checkout/prod', { started, last: undefined })).toBe('20261125T120000000Z-checkout-prod')
    expect(recordId('checkout/prod', { started, last: '20261125T115959999Z-checkout-prod' })).toBe(
      '20261125T120000000Z-checkout-prod',
    )
  })

  test.each([
    '20261125T120000000Z-checkout-prod',
    '20261125T120130250Z-checkout-prod',
    '20270101T000000000Z-checkout-prod',
  ])('comes after the last one where the clock of that one went ahead: %s', (last) => {
    const id = recordId('checkout/prod', { started, last })
    expect(id > last).toBe(true)
    expect(id).toMatch(/^\d{8}T\d{9}Z-checkout-prod$/u)
  })

  test('is the time where the last one has none', () => {
    expect(recordId('checkout/prod', { started, last: 'imported' })).toBe('20261125T120000000Z-checkout-prod')
  })
})
