import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { folderRecords } from '../../src/adapters/records.ts'
import type { DeploymentRecord } from '../../src/ports.ts'

const record: DeploymentRecord = {
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

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'protium-records-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('records are listed oldest first, of one unit or of all', async () => {
  const records = folderRecords(join(folder, 'new', 'records'))
  const later = { ...record, id: '20261123T000000000Z-cart-dev', unit: 'cart/dev' }
  await records.append(later)
  await records.append(record)

  expect(await records.list()).toEqual([record, later])
  expect(await records.list('cart/dev')).toEqual([later])
})

test('a folder that is not there yet has no records', async () => {
  expect(await folderRecords(join(folder, 'none')).list()).toEqual([])
})

test('a record is never written again', async () => {
  const records = folderRecords(folder)
  await records.append(record)

  await expect(records.append({ ...record, outcome: 'failed' })).rejects.toMatchObject({ code: 'record-exists' })
  expect(await records.list()).toEqual([record])
})

test('an attempt is one file, with nothing left beside it', async () => {
  await folderRecords(folder).append(record)

  expect(readdirSync(folder)).toEqual([`${record.id}.json`])
})

test.each([
  ['of a newer format', JSON.stringify({ ...record, format: 2 })],
  ['cut short', JSON.stringify(record).slice(0, 40)],
  ['of another outcome', JSON.stringify({ ...record, outcome: 'perhaps' })],
])('a record that is %s is refused, not passed over', async (_, text) => {
  writeFileSync(join(folder, 'one.json'), text)

  await expect(folderRecords(folder).list()).rejects.toMatchObject({ code: 'record-format' })
})

test('an id that would leave the folder is a bug of the caller', async () => {
  await expect(folderRecords(folder).append({ ...record, id: '../up' })).rejects.toThrow(TypeError)
})
