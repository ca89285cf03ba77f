import { expect, test } from 'vitest'

import type { DeploymentRecord, Records } from '../../src/ports.ts'

export const record: DeploymentRecord = {
  format: 1,
  id: '20261122T173602000Z-checkout-dev',
  unit: 'checkout/dev',
  stage: 'dev',
  template: 'fargate-service',
  version: '2.3.0',
  by: 'ana',
  started: '2026-11-22T17:36:02.000Z',
  finished: '2026-11-22T17:40:40.000Z',
  outcome: 'deployed',
  wants: 'sha256:00',
}

/** A record of another moment, in minutes after the first, and of another unit. */
export function later(minutes: number, unit = 'checkout/dev'): DeploymentRecord {
  const started = new Date(Date.parse(record.started) + minutes * 60_000).toISOString()
  const id = `${started.replaceAll(/[-:.]/gu, '')}-${unit.replaceAll('/', '-')}`
  return { ...record, id, unit, started, finished: started, evidence: 'all ± 한국어 "quoted"\n' }
}

/** What every place of records promises, tried on new and empty ones. */
export function testRecords(make: () => Promise<Records> | Records): void {
  test('no records are there before the first', async () => {
    const records = await make()
    expect(await records.list()).toEqual([])
    expect(await records.list('checkout/dev', { latest: 1 })).toEqual([])
  })

  test('records are listed oldest first, whole, of one unit or of all', async () => {
    const records = await make()
    const cart = later(600, 'cart/dev')
    const month = later(60 * 24 * 40)
    for (const each of [month, cart, record]) await records.append(each)
    expect(await records.list()).toEqual([record, cart, month])
    expect(await records.list('checkout/dev')).toEqual([record, month])
    expect(await records.list('cart/dev')).toEqual([cart])
    expect(await records.list('search/dev')).toEqual([])
  })

  test('the latest few of a unit can be asked for', async () => {
    const records = await make()
    const all = [record, later(1), later(2), later(60 * 24 * 40)]
    for (const each of all) await records.append(each)
    await records.append(later(60 * 24 * 50, 'cart/dev'))
    expect(await records.list('checkout/dev', { latest: 1 })).toEqual(all.slice(-1))
    expect(await records.list('checkout/dev', { latest: 3 })).toEqual(all.slice(-3))
    expect(await records.list('checkout/dev', { latest: 9 })).toEqual(all)
  })

  test('a unit is not another one whose name begins alike', async () => {
    const records = await make()
    const part = later(1, 'checkout/dev/component')
    for (const each of [record, part]) await records.append(each)
    expect(await records.list('checkout/dev')).toEqual([record])
    expect(await records.list('checkout/dev/component')).toEqual([part])
  })

  test('a record is never written again', async () => {
    const records = await make()
    await records.append(record)
    await expect(records.append({ ...record, outcome: 'failed' })).rejects.toMatchObject({ code: 'record-exists' })
    expect(await records.list()).toEqual([record])
  })

  test.each([['../x'], ['a/b'], ['']])('the id %j is refused', async (id) => {
    const records = await make()
    await expect(records.append({ ...record, id })).rejects.toThrow('Not an id of a record')
  })
}
