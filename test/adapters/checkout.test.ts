import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  checkoutBoard,
  checkoutBundle,
  checkoutLedger,
  checkoutReleases,
  fetchedBranch,
} from '../../src/adapters/checkout.ts'
import { isBefore } from '../../src/adapters/git.ts'
import type { Board } from '../../src/core/board.ts'
import { emptyBoard, writeBoard } from '../../src/core/board.ts'
import { recordPath } from '../../src/core/ledger.ts'
import { bundleDigest } from '../../src/core/release/model.ts'
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

describe('the board of a checkout', () => {
  const board: Board = {
    format: 1,
    waiting: [],
    locks: [{ unit: 'web', by: 'ana', reason: 'x', since: '2026-11-25T12:00:00.000Z' }],
  }

  function fetchedBoard(text: string): void {
    git('checkout', '-q', '--orphan', 'board')
    writeFileSync(join(root, 'board.json'), text)
    git('add', '-A')
    git('commit', '-q', '-m', 'board')
    git('update-ref', 'refs/remotes/origin/protium-board', 'HEAD')
    git('checkout', '-q', 'main')
  }

  test('is read from the branch that was fetched, also from a folder below', async () => {
    fetchedBoard(writeBoard(board))
    mkdirSync(join(root, 'below'))

    expect(await checkoutBoard(root)).toEqual(board)
    expect(await checkoutBoard(join(root, 'below'))).toEqual(board)
  })

  test('is not the branch of somebody who has given his own that name', async () => {
    git('checkout', '-q', '--orphan', 'protium-board')
    writeFileSync(join(root, 'board.json'), writeBoard(board))
    git('add', '-A')
    git('commit', '-q', '-m', 'board')
    git('tag', 'origin/protium-board')
    git('checkout', '-q', 'main')

    expect(await checkoutBoard(root)).toBeUndefined()
  })

  test('is empty where all branches were fetched and there is none yet; otherwise it is not known', async () => {
    expect(await checkoutBoard(root)).toBeUndefined()
    fetched()
    expect(await checkoutBoard(root)).toEqual(emptyBoard)
    rmSync(join(root, '.git'), { recursive: true })
    expect(await checkoutBoard(root)).toBeUndefined()
  })

  test('that cannot be read is refused, so that nothing passes', async () => {
    fetchedBoard('{"format": 2}')

    await expect(checkoutBoard(root)).rejects.toMatchObject({ code: 'board-format' })
  })
})

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

describe('a released bundle of a checkout', () => {
  const release = { template: 'web', version: '1.0.0' }

  function bundle(text: string, folder = 'templates/web/v1'): string {
    mkdirSync(join(root, folder), { recursive: true })
    writeFileSync(join(root, folder, 'manifest.yaml'), text)
    git('add', '-A')
    git('commit', '-q', '--allow-empty', '-m', text)
    return git('rev-parse', 'HEAD')
  }

  function recorded(commit: string, text: string, file = 'releases/web/1.0.0.json'): void {
    const said = {
      format: 1,
      ...release,
      digest: bundleDigest(new Map([['manifest.yaml', text]])),
      commit,
      at: '2026-11-25T12:00:00.000Z',
      by: 'ana',
    }
    git('checkout', '-q', '--orphan', 'ledger')
    git('rm', '-rq', '--cached', '.')
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), JSON.stringify(said))
    git('add', '-f', file)
    git('commit', '-q', '-m', 'released')
    git('update-ref', 'refs/remotes/origin/protium-ledger', 'HEAD')
    git('checkout', '-qf', 'main')
  }

  const codes = async (at?: string): Promise<unknown> =>
    (await checkoutBundle(root, { ...release, ...(at !== undefined && { commit: at }) }))?.problems.map(
      ({ code }) => code,
    )

  test('is not there without its tag', async () => {
    bundle('one')

    expect(await checkoutBundle(root, release)).toBeUndefined()
  })

  test('is as it was tagged, where nothing was recorded', async () => {
    bundle('one')
    git('tag', 'web@1.0.0')
    bundle('two')

    expect((await checkoutBundle(root, release))?.tree).toEqual(new Map([['manifest.yaml', 'one']]))
    expect(await checkoutReleases(root)).toEqual({ releases: [], problems: [] })
    expect(await codes()).toEqual([])
  })

  test('is good where it is as it was recorded, also by a tag with a message, and in a folder without the letter', async () => {
    const commit = bundle('one', 'templates/web/1')
    git('tag', '-a', 'web@1.0.0', '-m', 'The first.')
    recorded(commit, 'one')

    expect(await codes()).toEqual([])
    expect((await checkoutReleases(root)).releases).toMatchObject([{ ...release, commit }])
    expect([...((await fetchedBranch(root))?.files.keys() ?? [])]).toEqual(['releases/web/1.0.0.json'])
  })

  test('is refused where its tag has moved, with the same content or another one', async () => {
    const commit = bundle('one')
    recorded(commit, 'one')
    bundle('two')
    git('tag', 'web@1.0.0')
    expect(await codes()).toEqual(['release-changed'])

    bundle('one')
    git('tag', '-f', 'web@1.0.0')
    expect(await codes()).toEqual(['release-changed'])
    // By the commit that was recorded it is what it was.
    expect(await codes(commit)).toEqual([])
  })

  test('is refused where its record cannot be read', async () => {
    bundle('one')
    git('tag', 'web@1.0.0')
    git('checkout', '-q', '--orphan', 'ledger')
    mkdirSync(join(root, 'releases/web'), { recursive: true })
    writeFileSync(join(root, 'releases/web/1.0.0.json'), '{"format":2}')
    git('add', '-A')
    git('commit', '-q', '-m', 'odd')
    git('update-ref', 'refs/remotes/origin/protium-ledger', 'HEAD')
    git('checkout', '-qf', 'main')

    expect(await codes()).toEqual(['release-damaged'])
    expect((await checkoutReleases(root)).problems).toMatchObject([{ code: 'release-damaged' }])
  })
})
