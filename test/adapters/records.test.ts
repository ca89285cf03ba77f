import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { folderRecords } from '../../src/adapters/records.ts'
import { record, testRecords } from './records-contract.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'protium-records-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('a folder of records', () => {
  testRecords(() => folderRecords(join(folder, 'new', 'records')))
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
