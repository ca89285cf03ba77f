import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env, execPath, stdout } from 'node:process'

/**
 * How long the built actions take to their first line, beside a Node file with nothing in it, and how large they are. Each is
 * started from a copy of `dist/` alone, in turns, so that a busy machine is busy for all of them alike.
 *
 * `node bench/start.ts` prints the table; `node bench/start.ts 51` takes 51 rounds. `PROTIUM_BENCH_AWS_ACTION` may name a
 * checkout of AWS's own action, aws-actions/aws-cloudformation-github-deploy, to be measured beside them.
 */
type Start = { readonly name: string; readonly milliseconds: number; readonly target?: number }

const dist = join(import.meta.dirname, '../dist')
const targets: Readonly<Record<string, number>> = { validate: 60, plan: 60, deploy: 135 }

async function starts(rounds: number): Promise<readonly Start[]> {
  const folder = mkdtempSync(join(tmpdir(), 'protium-start-'))
  try {
    cpSync(dist, join(folder, 'dist'), { recursive: true })
    for (const name of ['output', 'summary']) writeFileSync(join(folder, name), '')
    const nothing = join(folder, 'dist/nothing.js')
    writeFileSync(nothing, "process.stdout.write('\\n')\n")
    const theirs = awsAction()
    if (theirs !== undefined) cpSync(join(theirs.folder, 'dist'), join(folder, 'aws'), { recursive: true })
    const files = ['nothing', ...Object.keys(targets), ...(theirs === undefined ? [] : ['aws'])]
    const times = new Map<string, number[]>(files.map((name) => [name, []]))
    for (let round = 0; round < rounds; round += 1) {
      for (const name of files) {
        const file = name === 'aws' ? 'aws/index.js' : `dist/${name}.js`
        times.get(name)?.push(await firstLine(folder, file))
      }
    }
    const base = median(times.get('nothing') ?? [])
    return files.map((name) => {
      const time = median(times.get(name) ?? [])
      const target = targets[name]
      return { name, milliseconds: name === 'nothing' ? time : time - base, ...(target !== undefined && { target }) }
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** AWS's own action, where a checkout of it is at hand. */
function awsAction(): { readonly folder: string; readonly version: string; readonly bytes: number } | undefined {
  const folder = env['PROTIUM_BENCH_AWS_ACTION']
  if (folder === undefined || !existsSync(join(folder, 'dist/index.js'))) return undefined
  const { version }: { readonly version?: string } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const names = readdirSync(join(folder, 'dist'))
  const bytes = names.reduce((sum, name) => sum + statSync(join(folder, 'dist', name)).size, 0)
  return { folder, version: version ?? 'of no version', bytes }
}

/** Milliseconds from the start of the process to the first of what it prints. */
async function firstLine(folder: string, file: string): Promise<number> {
  const began = performance.now()
  const child = spawn(execPath, [join(folder, file)], {
    cwd: folder,
    env: { GITHUB_OUTPUT: join(folder, 'output'), GITHUB_STEP_SUMMARY: join(folder, 'summary') },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  const time = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.stdout.once('data', () => resolve(performance.now() - began))
  })
  child.kill()
  await ended
  return time
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0
}

/** The bytes of `dist/`, and of each of its files. */
function sizes(): { readonly all: number; readonly files: ReadonlyMap<string, number> } {
  const names = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(dist, name)).isFile(),
  )
  const files = new Map(names.map((name) => [name, statSync(join(dist, name)).size]))
  return { all: [...files.values()].reduce((sum, size) => sum + size, 0), files }
}

/** The table as the other comparisons print theirs. */
export async function startTable(rounds: number): Promise<string> {
  const found = await starts(rounds)
  const theirs = awsAction()
  const rows = found.map(({ name, milliseconds, target }) =>
    name === 'nothing'
      ? `| an empty file | ${milliseconds.toFixed(0)} | |`
      : name === 'aws'
        ? `| aws-cloudformation-github-deploy ${theirs?.version ?? ''}, more than that | ${milliseconds.toFixed(0)} | |`
        : `| \`${name}\`, more than that | ${milliseconds.toFixed(0)} | ${target ?? ''}${target !== undefined && milliseconds > target ? ' (missed)' : ''} |`,
  )
  const { all, files } = sizes()
  const largest = [...files].toSorted(([, a], [, b]) => b - a).slice(0, 4)
  const parts = largest.map(([name, size]) => `\`${name}\` ${(size / 1000).toFixed(0)} kB`).join(', ')
  return [
    '### The start of an action, to its first line',
    [
      '| what | ms | target |',
      '| --- | ---: | ---: |',
      ...rows,
      ...(theirs === undefined ? ['| aws-cloudformation-github-deploy | void | |'] : []),
    ].join('\n'),
    theirs === undefined
      ? 'AWS’s own action is not at hand, so its figure is void.'
      : `AWS’s own action is ${(theirs.bytes / 1e6).toFixed(2)} MB. Measured on ${new Date().toISOString().slice(0, 10)}.`,
    `\`dist/\` is ${(all / 1e6).toFixed(2)} MB in ${files.size} files, at most 1.75 MB; the largest: ${parts}.`,
  ].join('\n\n')
}

if (import.meta.main) stdout.write(`${await startTable(Number(process.argv[2] ?? 21))}\n`)
