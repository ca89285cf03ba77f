import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkTemplates } from '../../src/adapters/checks.ts'
import { type DataMap, isMap } from '../../src/core/data.ts'
import { readJson } from '../../src/core/yaml.ts'
import { quickFolder } from '../quick-folder.ts'

/** A program of ours in the place of cfn-lint, to see how one is run; the true ones are asked in test/checks. */
const signal = new AbortController().signal
const before = { ...process.env }
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(quickFolder(), 'protium-checks-'))
  mkdirSync(join(folder, 'bin'))
})
afterEach(() => {
  process.env = { ...before }
  rmSync(folder, { recursive: true, force: true })
})

function program(script: string): void {
  writeFileSync(join(folder, 'bin/cfn-lint'), `#!/bin/sh\n${script}\n`)
  chmodSync(join(folder, 'bin/cfn-lint'), 0o755)
  process.env['PATH'] = [join(folder, 'bin'), before['PATH']].join(delimiter)
}

function template(text = '{ "Resources": { "A": { "Type": "T" } } }'): { name: string; body: DataMap; region: string } {
  const read = readJson('t.json', text)
  if (!read.ok || !isMap(read.value.data)) throw new Error('this is no template')
  return { name: 'shop/dev', body: read.value.data, region: 'eu-west-1' }
}

/** What was ended stays in the table of processes until somebody asks how. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !existsSync(`/proc/${pid}/stat`) || !/\) Z /u.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

const checked = async (options: { readonly limit?: number; readonly signal?: AbortSignal } = {}) =>
  checkTemplates('cfn-lint', { templates: [template()], signal, ...options })

describe('a program that judges templates', () => {
  test('is handed the templates in a folder of their own, which is gone afterwards', async () => {
    program(
      `pwd > ${folder}/where; ls > ${folder}/there; for last; do :; done; cat "$last" > ${folder}/template; echo '[]'`,
    )
    expect(await checked()).toEqual({ is: 'judged', findings: [] })
    const where = readFileSync(join(folder, 'where'), 'utf8').trim()
    expect(where.startsWith(process.cwd())).toBe(false)
    expect(existsSync(where)).toBe(false)
    expect(readFileSync(join(folder, 'there'), 'utf8')).toBe('config.json\neu-west-1\n')
    expect(readFileSync(join(folder, 'template'), 'utf8')).toBe('{"Resources":{"A":{"Type":"T"}}}')
  })

  test('is handed no credential, no token and no setting of the environment', async () => {
    Object.assign(process.env, {
      AWS_SECRET_ACCESS_KEY: 'k',
      GITHUB_TOKEN: 't',
      INPUT_TOKEN: 't',
      PYTHONPATH: '/evil',
      NODE_OPTIONS: '',
    })
    program(`env > ${folder}/env; echo '[]'`)
    process.env['PATH'] = `bin:.:${process.env['PATH'] ?? ''}`
    await checked()
    const names = readFileSync(join(folder, 'env'), 'utf8')
      .split('\n')
      .map((line) => line.replace(/=.*$/su, ''))
    expect(names.filter((name) => !['', 'HOME', 'LANG', 'OLDPWD', 'PATH', 'PWD', 'SHLVL', '_'].includes(name))).toEqual(
      [],
    )
    expect(readFileSync(join(folder, 'env'), 'utf8')).toMatch(/^PATH=\//mu)
  })

  test('is missing where it is not on the path, or only something that stands for it is', async () => {
    process.env['PATH'] = folder
    expect(await checked()).toEqual({ is: 'missing' })
    program('echo "pyenv: cfn-lint: command not found" >&2; exit 127')
    expect(await checked()).toEqual({ is: 'missing' })
  })

  test.each([
    ['ends in a way of its own', 'echo "no such option" >&2; exit 2', 'cfn-lint ended with 2: no such option'],
    ['says something else', 'echo "all is well"', 'cfn-lint ended with 0, and said nothing of its form'],
    ['breaks down', 'echo "Traceback" >&2; exit 1', 'cfn-lint ended with 1: Traceback'],
    ['is ended', 'kill -9 $$', 'cfn-lint ended with -1, and said nothing of its form'],
    ['never comes to an end of saying', 'yes', 'cfn-lint said more than 20000000 bytes'],
  ])('that %s has failed, and nothing is taken for kept', async (_what, script, why) => {
    program(script)
    expect(await checked()).toEqual({ is: 'failed', why })
  })

  test('that does not end is ended, with what it has started', async () => {
    program(`(sleep 60; touch ${folder}/late) & echo $! > ${folder}/child; sleep 60`)
    expect(await checked({ limit: 300 })).toEqual({ is: 'failed', why: 'cfn-lint did not end within 0 seconds' })
    const child = Number(readFileSync(join(folder, 'child'), 'utf8'))
    await expect.poll(() => isAlive(child)).toBe(false)
  })

  test('is ended with the run', async () => {
    program('sleep 60')
    const abort = new AbortController()
    const answer = checked({ signal: abort.signal })
    abort.abort()
    expect(await answer).toEqual({ is: 'failed', why: 'cfn-lint was stopped' })
  })

  test.each(['AWS_SECRET_ACCESS_KEY', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'])(
    'is not run in a job that has %s',
    async (name) => {
      program(`touch ${folder}/ran; echo '[]'`)
      Object.assign(process.env, { GITHUB_ACTIONS: 'true', [name]: 'x' })
      expect(await checked()).toEqual({
        is: 'failed',
        why: `this job has credentials (${name}), and cfn-lint runs only in one that has none`,
      })
      expect(existsSync(join(folder, 'ran'))).toBe(false)
      delete process.env[name]
      expect(await checked()).toEqual({ is: 'judged', findings: [] })
    },
  )

  test('leaves nothing behind', async () => {
    const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith('protium-check-')).length
    const count = left()
    program('exit 3')
    await checked()
    expect(left()).toBe(count)
  })
})
