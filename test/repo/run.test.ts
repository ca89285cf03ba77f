import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

/**
 * A repository with nothing in it but the script, a lock file of a few packages, a door that says what it was called with,
 * and an npm that installs by writing what npm would write.
 */
let clone: string

const names = ['typescript', 'vitest', 'yaml', 'node-of-another-machine']

beforeEach(() => {
  clone = join(mkdtempSync(join(realpathSync(tmpdir()), 'protium-run-')), 'a clone with spaces')
  mkdirSync(join(clone, 'scripts'), { recursive: true })
  cpSync(join(root, 'scripts/run.mjs'), join(clone, 'scripts/run.mjs'))
  write('package.json', '{ "type": "module" }')
  lock('1.0.0')
  write(
    'src/cli.ts',
    `process.stdout.write(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd() }) + '\\n')
     if (process.argv.includes('wait')) setInterval(() => undefined, 1000)
     else process.exitCode = Number(process.argv[3] ?? 0)`,
  )
  write(
    'bin/npm-cli.js',
    `import { appendFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
     appendFileSync('calls', process.argv.slice(2).join(' ') + '\\n')
     console.log('npm says something')
     if (process.env.NPM_FAILS) process.exit(1)
     const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
     for (const [path, { optional }] of Object.entries(packages)) {
       if (optional || path === '') { delete packages[path]; continue }
       mkdirSync(path, { recursive: true })
       writeFileSync(path + '/package.json', '{}')
     }
     writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages }))`,
  )
})

afterEach(() => rmSync(dirname(clone), { recursive: true, force: true }))

function write(path: string, text: string): void {
  mkdirSync(dirname(join(clone, path)), { recursive: true })
  writeFileSync(join(clone, path), text)
}

function lock(version: string): void {
  const packages = names.map((name) => [
    `node_modules/${name}`,
    { version, integrity: `sha512-${name}-${version}`, ...(name.startsWith('node-') && { optional: true }) },
  ])
  write('package-lock.json', JSON.stringify({ packages: { '': {}, ...Object.fromEntries(packages) } }))
}

function installs(): string[] {
  const file = join(clone, 'calls')
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []
}

type Ended = {
  readonly code: number | null
  readonly signal: string | null
  readonly out: string
  readonly err: string
}
type Options = {
  readonly cwd?: string
  readonly env?: Record<string, string>
  readonly killWith?: 'SIGTERM' | 'SIGINT'
}

function run(args: readonly string[], { cwd = clone, env = {}, killWith }: Options = {}): Promise<Ended> {
  const child = spawn(process.execPath, [join(clone, 'scripts/run.mjs'), ...args], {
    cwd,
    env: { ...process.env, npm_execpath: join(clone, 'bin/npm-cli.js'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    if (killWith && text.includes('wait')) child.kill(killWith)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, out, err }))
  })
}

describe('the script before everything', () => {
  test('installs by npm ci in a fresh clone, and not again', async () => {
    const first = await run(['protium', 'plan'])
    const second = await run(['protium', 'plan'])

    expect(first).toMatchObject({ code: 0, out: `${JSON.stringify({ args: ['plan'], cwd: clone })}\n` })
    expect(first.err).toContain('npm says something')
    expect(second).toEqual({ ...first, err: '' })
    expect(installs()).toEqual([expect.stringMatching(/^ci .*--include=dev .*--ignore-scripts/)])
  })

  test('installs again when package-lock.json has changed', async () => {
    await run(['protium'])
    lock('1.0.1')

    await run(['protium'])

    expect(installs()).toHaveLength(2)
  })

  test('installs again when the last install was cut short', async () => {
    await run(['protium'])
    rmSync(join(clone, 'node_modules/.package-lock.json'))

    await run(['protium'])

    expect(installs()).toHaveLength(2)
  })

  test('takes what a plain npm ci has installed', async () => {
    await run(['install'])
    rmSync(join(clone, '.protium'), { recursive: true })

    const { err } = await run(['protium'])

    expect(err).toBe('')
    expect(installs()).toHaveLength(1)
  })

  test('of two runs at once one installs and both go on', async () => {
    const ends = await Promise.all([run(['protium', 'one']), run(['protium', 'two'])])

    expect(ends.map(({ code }) => code)).toEqual([0, 0])
    expect(installs()).toHaveLength(1)
  })

  test.each([
    ['by a process that is gone', '999999999'],
    ['long ago, by a process that left no name', undefined],
  ])('is not held up by a lock that was taken %s', async (_by, pid) => {
    mkdirSync(join(clone, '.protium/install.lock'), { recursive: true })
    if (pid) write('.protium/install.lock/pid', pid)
    utimesSync(join(clone, '.protium/install.lock'), 0, 0)

    const { code } = await run(['protium'])

    expect(code).toBe(0)
    expect(existsSync(join(clone, '.protium/install.lock'))).toBe(false)
  })

  test('says so when npm fails, and the next run tries again', async () => {
    const failed = await run(['protium'], { env: { NPM_FAILS: '1' } })
    const mended = await run(['protium'])

    expect(failed).toMatchObject({ code: 1, out: '' })
    expect(failed.err).toContain('npm ci failed')
    expect(mended.code).toBe(0)
  })

  test('runs from any folder, with the arguments and the exit code as they are', async () => {
    const cwd = dirname(clone)

    const ended = await run(['protium', 'exit', '3', '--flag=a b', '*'], { cwd })

    expect(ended).toMatchObject({
      code: 3,
      out: `${JSON.stringify({ args: ['exit', '3', '--flag=a b', '*'], cwd })}\n`,
    })
  })

  test('runs in the folder of who calls npm from elsewhere, and in that of the package within it', async () => {
    const elsewhere = await run(['protium'], { env: { npm_lifecycle_event: 'protium', INIT_CWD: dirname(clone) } })
    const within = await run(['protium'], { env: { npm_lifecycle_event: 'protium', INIT_CWD: join(clone, 'scripts') } })

    expect(JSON.parse(elsewhere.out)).toMatchObject({ cwd: dirname(clone) })
    expect(JSON.parse(within.out)).toMatchObject({ cwd: clone })
  })

  test.skipIf(process.platform === 'win32').each(['SIGTERM', 'SIGINT'] as const)(
    'passes %s on, and ends by it',
    async (signal) => {
      const ended = await run(['protium', 'wait'], { killWith: signal })

      expect(ended).toMatchObject({ code: null, signal })
    },
  )

  test('names its verbs when it is given none', async () => {
    const { code, out, err } = await run([])

    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toContain('start|protium|test')
    expect(installs()).toEqual([])
  })
})
