import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { fetchedBranch } from '../../src/adapters/checkout.ts'
import { ledger } from '../../src/commands/ledger.ts'
import { digest } from '../../src/core/canonical.ts'
import { plain } from '../../src/core/report.ts'
import { quickFolder } from '../quick-folder.ts'
import { run, worldOf } from './ports.ts'

/** A clone that has fetched a ledger of two records. */
function clone(): { readonly folder: string; readonly git: (...args: readonly string[]) => string } {
  const folder = mkdtempSync(join(quickFolder(), 'protium-ledger-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const git = (...args: readonly string[]): string => {
    const who = ['-c', 'user.name=Ben', '-c', 'user.email=ben@example.com', '-c', 'commit.gpgsign=false']
    return execFileSync('git', [...who, ...args], { cwd: folder, encoding: 'utf8' }).trim()
  }
  git('init', '-q', '-b', 'protium-ledger')
  let prev: string | undefined
  for (const id of ['one', 'two']) {
    const path = `records/cart/dev/2026-11/${id}.json`
    const text = JSON.stringify({ id, prev })
    write(folder, path, text)
    git('add', '-A')
    git('commit', '-q', '-m', `cart/dev: deployed\n\nRecord: ${path}\nDigest: ${digest(text)}`)
    prev = digest(text)
  }
  git('update-ref', 'refs/remotes/origin/protium-ledger', 'HEAD')
  return { folder, git }
}

function write(folder: string, path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

async function checked(folder: string) {
  const fetched = await fetchedBranch(folder)
  const world = worldOf(() => new Map(), fetched === undefined ? {} : { ledger: fetched })
  onTestFinished(() => world.end())
  const { exit, problems = [], text } = await run(ledger, world)
  return {
    exit,
    said: text(plain),
    problems: problems.map(({ code, at, message }) => `${code} ${at?.file}: ${message}`),
  }
}

test('a ledger that is whole is said to be', async () => {
  expect(await checked(clone().folder)).toEqual({
    exit: 'done',
    said: 'The ledger is whole: 2 records, each as it was written, in one chain.',
    problems: [],
  })
})

test('a record that was taken away or changed is named', async () => {
  const { folder, git } = clone()
  rmSync(join(folder, 'records/cart/dev/2026-11/one.json'))
  write(folder, 'records/cart/dev/2026-11/two.json', '{}')
  git('commit', '-q', '-a', '-m', 'Tidy up')
  git('update-ref', 'refs/remotes/origin/protium-ledger', 'HEAD')

  expect(await checked(folder)).toMatchObject({
    exit: 'different',
    problems: [
      'ledger-broken records/cart/dev/2026-11/two.json: The record was changed after it was added.',
      'ledger-broken records/cart/dev/2026-11/one.json: The record was added by a commit of the ledger, and is missing.',
    ],
  })
})

test('where no ledger was fetched it is refused, with the command that fetches it', async () => {
  const folder = mkdtempSync(join(quickFolder(), 'protium-ledger-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))

  await expect(checked(folder)).rejects.toMatchObject({
    code: 'no-ledger',
    remedy: expect.stringContaining('git fetch'),
  })
})
