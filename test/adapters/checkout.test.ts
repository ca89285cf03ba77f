import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkoutLedger } from '../../src/adapters/checkout.ts'
import { isBefore } from '../../src/adapters/git.ts'
import { recordPath } from '../../src/core/ledger.ts'
import type { DeploymentRecord } from '../../src/ports.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'protium-checkout-'))
  git('init', '-q', '-b', 'main')
  git('commit', '-q', '--allow-empty', '-m', 'first')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function git(...args: readonly string[]): string {
  const who = ['-c', 'user.name=Ben', '-c', 'user.email=ben@example.com', '-c', 'commit.gpgsign=false']
  return execFileSync('git', [...who, ...args], { cwd: root, encoding: 'utf8' }).trim()
}

function record(unit: string, time: string): DeploymentRecord {
  return {
    format: 1,
    id: `${time.replaceAll(/[-:.]/gu, '')}-${unit.replaceAll('/', '-')}`,
    unit,
    template: 'web',
    version: '1.0.0',
    by: 'ana',
    started: time,
    finished: time,
    outcome: 'deployed',
    wants: 'x',
  }
}

/** The branch as `actions/checkout` with `fetch-depth: 0` leaves it. */
function fetched(...records: readonly DeploymentRecord[]): void {
  git('checkout', '-q', '--orphan', 'ledger')
  for (const each of records) {
    const file = join(root, recordPath(each))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, JSON.stringify(each))
  }
  git('add', '-A')
  git('commit', '-q', '--allow-empty', '-m', 'records')
  git('update-ref', 'refs/remotes/origin/protium-ledger', 'HEAD')
  git('checkout', '-q', 'main')
}

describe('the ledger of a checkout', () => {
  test('has the records of a unit in their order, and not those of its component', async () => {
    const [one, two] = [record('web/dev', '2026-10-31T12:00:00.000Z'), record('web/dev', '2026-11-01T12:00:00.000Z')]
    fetched(
      two,
      one,
      record('web/dev/component', '2026-11-02T12:00:00.000Z'),
      record('web/prod', '2026-11-02T12:00:00.000Z'),
    )

    const ledger = await checkoutLedger(root)

    expect(await ledger?.list('web/dev')).toEqual([one, two])
    expect(await ledger?.list('web/dev', { latest: 1 })).toEqual([two])
    expect(await ledger?.list('other/dev')).toEqual([])
    expect(await ledger?.list()).toHaveLength(4)
  })

  test('is not there where the branch was not fetched', async () => {
    expect(await checkoutLedger(root)).toBeUndefined()
  })
})

test('a commit is before its descendants, and before nothing else', async () => {
  const older = git('rev-parse', 'HEAD')
  git('commit', '-q', '--allow-empty', '-m', 'second')
  const newer = git('rev-parse', 'HEAD')

  expect(await isBefore(root, { older, newer })).toBe(true)
  expect(await isBefore(root, { older: newer, newer: older })).toBe(false)
  expect(await isBefore(root, { older, newer: older })).toBe(false)
  expect(await isBefore(root, { older, newer: 'f'.repeat(40) })).toBeUndefined()
})
