import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env, execPath, pid, stderr } from 'node:process'
import type { Usage } from './usage.ts'

/** Each thing that is measured runs in a process of its own, so that its memory is its own; one at a time. */

const here = import.meta.dirname
const cache = join(here, '..', 'node_modules', '.cache')
const pythonPackages = join(cache, 'bench-python')

/** What `protium WORDS` used: seconds of wall clock and of CPU, and the peak of its memory in MB. */
export async function protium(words: readonly string[]): Promise<Usage & { readonly wall: number }> {
  const file = join(tmpdir(), `protium-bench-usage-${pid}.json`)
  const started = performance.now()
  const program = ['--import', join(here, 'usage.ts'), join(here, '..', 'src', 'cli.ts')]
  await run(execPath, [...program, ...words], { PROTIUM_BENCH_USAGE: file }, { keep: false })
  const wall = (performance.now() - started) / 1000
  const usage: Usage = JSON.parse(readFileSync(file, 'utf8'))
  rmSync(file)
  return { ...usage, wall }
}

export async function node<T>(script: string, words: readonly string[]): Promise<T> {
  return JSON.parse(await run(execPath, [join(here, script), ...words], {}))
}

/** The reference in Python; `undefined` if there is no Python with its packages. */
export async function python<T>(words: readonly string[]): Promise<T | undefined> {
  if (!(await havePython())) return undefined
  return JSON.parse(await run('python3', [join(here, 'reference.py'), ...words], { PYTHONPATH: pythonPackages }))
}

const installed = new Map<string, Promise<boolean>>()

async function once(name: string, install: () => Promise<unknown>): Promise<boolean> {
  const known = installed.get(name)
  if (known !== undefined) return known
  const made = install().then(
    () => true,
    (error: unknown) => {
      stderr.write(`bench: no ${name}, so its figures are void: ${String(error).split('\n')[0]}\n`)
      return false
    },
  )
  installed.set(name, made)
  return made
}

async function havePython(): Promise<boolean> {
  return once('Python reference', async () => {
    if (!existsSync(join(pythonPackages, 'jsonschema'))) {
      const wanted = ['Jinja2==3.1.6', 'PyYAML==6.0.4', 'jsonschema==4.26.0']
      const options = ['--quiet', '--disable-pip-version-check', '--no-input', '--target', pythonPackages]
      await run('python3', ['-m', 'pip', 'install', ...options, ...wanted], {})
    }
    await run('python3', ['-c', 'import jinja2, jsonschema, yaml; yaml.CSafeLoader'], { PYTHONPATH: pythonPackages })
  })
}

/** minijinja for JavaScript is compared with and used for nothing else, so it lies apart from the project's packages. */
export async function haveMinijinja(): Promise<boolean> {
  return once('minijinja-js', async () => {
    const folder = join(cache, 'bench')
    if (existsSync(join(folder, 'node_modules', 'minijinja-js'))) return
    mkdirSync(folder, { recursive: true })
    const options = ['--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--no-save']
    await run('npm', ['install', ...options, 'minijinja-js@2.11.0'], {})
  })
}

async function run(
  program: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
  { keep = true }: { readonly keep?: boolean } = {},
): Promise<string> {
  const child = spawn(program, words, { env: { ...env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
  const chunks: Buffer[] = []
  const errors: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => {
    if (keep) chunks.push(chunk)
  })
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  child.once('error', reject)
  child.once('close', (code, signal) => {
    if (code === 0) resolve(Buffer.concat(chunks).toString())
    else
      reject(
        new Error(
          `${program} ${words.join(' ')} ended with ${code ?? signal}: ${Buffer.concat(errors).toString().slice(-2000)}`,
        ),
      )
  })
  return promise
}
