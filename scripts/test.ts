/**
 * `npm test`: the checks that read the sources, then the tests; each is run even if one before it failed. With `--e2e` first
 * it is `npm run e2e`: the tests that run the workflows, and nothing else.
 */
import { spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tallyLine, type Tally } from '../test/tally.ts'

const root = join(import.meta.dirname, '..')

type Stage = { readonly name: string; readonly args: readonly string[] }

const checks: readonly Stage[] = [
  { name: 'types', args: ['node_modules/typescript/bin/tsc'] },
  { name: 'lint', args: ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings', '--format=unix'] },
  { name: 'format', args: ['node_modules/oxfmt/bin/oxfmt', '--check'] },
  { name: 'dead code', args: ['node_modules/knip/bin/knip.js', '--no-progress'] },
]

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  const e2e = args[0] === '--e2e'
  let failedChecks = 0
  for (const check of e2e ? [] : checks) {
    const started = performance.now()
    const { code, output } = await run(check.args, { show: false })
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'} ${check.name} (${seconds} s)\n`)
    if (code === 0) continue
    failedChecks += 1
    process.stdout.write(`${output.trimEnd()}\n`)
  }
  const tests = e2e ? await runTests(args.slice(1), { PROTIUM_E2E_TESTS: '1' }) : await runTests(args, {})
  const tally = { ...tests, failed: tests.failed + failedChecks }
  // Where several runs are counted together, each adds its numbers to this file.
  const tallies = process.env.PROTIUM_TALLIES
  if (tallies) appendFileSync(tallies, `${tally.passed} ${tally.failed} ${tally.skipped}\n`)
  process.stdout.write(`${tallyLine(tally)}\n`)
  return tally.failed === 0 ? 0 : 1
}

async function runTests(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'protium-test-'))
  const file = join(folder, 'tally.json')
  try {
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...args]
    const { code } = await run(vitest, { show: true, env: { ...env, PROTIUM_TALLY: file } })
    const tally = readTally(file)
    // Vitest that breaks down before it has counted, or that fails for a reason of its own, is a failure too.
    if (tally === undefined) return { passed: 0, failed: 1, skipped: 0 }
    return code !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function readTally(file: string): Tally | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

type RunOptions = { readonly show: boolean; readonly env?: Readonly<Record<string, string>> }

/** Runs a script with this Node; a signal that ends it counts as code 1. */
function run(args: readonly string[], options: RunOptions): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...options.env },
    stdio: options.show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
