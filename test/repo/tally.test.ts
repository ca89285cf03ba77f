import { spawnSync } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'protium-tally-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

type Ended = { readonly code: number | null; readonly last: string; readonly err: string }

/** Runs vitest on one file of tests with the reporter of this repository. */
function vitest(tests: string, env: Readonly<Record<string, string>> = {}): Ended {
  writeFileSync(join(folder, 'some.test.js'), tests)
  const args = ['run', '--root', folder, '--globals', '--reporter', join(root, 'test/reporter.ts')]
  const run = spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '', ...env },
  })
  return { code: run.status, last: run.stdout.trimEnd().split('\n').at(-1) ?? '', err: run.stderr }
}

const passes = `test('one', () => {})\n`

describe('the last line of a run', () => {
  test.each([
    ['counts one a test', passes + passes, { code: 0, last: '2 passed, 0 failed' }],
    [
      'counts what failed',
      `${passes}test('two', () => { throw new Error('no') })`,
      { code: 1, last: '1 passed, 1 failed' },
    ],
    [
      'names what was skipped',
      `${passes}test.skip('two', () => {})`,
      { code: 0, last: '1 passed, 0 failed, 1 skipped' },
    ],
    ['counts a file that cannot be loaded', `throw new Error('no')`, { code: 1, last: '0 passed, 1 failed' }],
    [
      'counts an error outside of a test',
      `test('one', async () => { Promise.reject(new Error('no')); await new Promise(setImmediate) })`,
      { code: 1, last: '1 passed, 1 failed' },
    ],
  ])('%s', (_what, tests, expected) => {
    expect(vitest(tests)).toMatchObject(expected)
  })

  test.each(['CI', 'PROTIUM_CI'])('with %s a skipped test is a failed one, and is named', (variable) => {
    const ended = vitest(`test('one', ({ skip }) => skip('no Python here'))`, { [variable]: '1' })

    expect(ended).toMatchObject({ code: 1, last: '0 passed, 1 failed' })
    expect(ended.err).toContain('one (no Python here)')
  })
})
