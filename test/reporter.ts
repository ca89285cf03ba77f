import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Reporter, TestCase, TestModule } from 'vitest/node'
import { tallyLine, type Tally } from './tally.ts'

const root = join(import.meta.dirname, '..')

/**
 * Counts what vitest ran, one count a test, and ends its output with one plain line.
 *
 * Where `PROTIUM_TALLY` names a file the count goes there instead, for `scripts/test.ts` to add its own stages to. In CI a
 * skipped test is a failed one: what is optional on a laptop is installed there.
 */
export default function reporter(): Reporter {
  return {
    onTestRunEnd(modules, unhandledErrors) {
      const { tally, complaints } = count(modules, unhandledErrors.length)
      for (const complaint of brief(complaints)) process.stderr.write(`${complaint}\n`)
      if (tally.failed > 0) process.exitCode = 1
      const file = process.env.PROTIUM_TALLY
      if (file) writeFileSync(file, JSON.stringify(tally))
      else process.stdout.write(`${tallyLine(tally)}\n`)
    },
  }
}

function count(modules: readonly TestModule[], unhandled: number): { tally: Tally; complaints: string[] } {
  const mayNotSkip = Boolean(process.env.CI || process.env.PROTIUM_CI)
  const complaints: string[] = []
  let passed = 0
  let failed = unhandled
  let skipped = 0
  for (const module of modules) {
    const failedBefore = failed
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      if (state === 'passed') passed += 1
      // A run that is cut short leaves tests pending.
      else if (state === 'failed' || state === 'pending') failed += 1
      else if (mayNotSkip && !isExcused(test)) {
        failed += 1
        complaints.push(`skipped, which CI does not allow: ${nameOf(test)}`)
      } else skipped += 1
    }
    // A file that cannot be loaded, or whose hook of a whole suite fails, has no failed test to count.
    if (!module.ok() && failed === failedBefore) failed += 1
  }
  return { tally: { passed, failed, skipped }, complaints }
}

/** A suite that is skipped as a whole shall not bury the rest of the output. */
function brief(complaints: readonly string[]): string[] {
  const most = 40
  const rest = complaints.length - most
  return [...complaints.slice(0, most), ...(rest > 0 ? [`… and ${rest} more that were skipped`] : [])]
}

/** Some tests read material that lies beside the repository. Each says so in its name or its note, and has a double. */
function isExcused(test: TestCase): boolean {
  return !existsSync(join(root, '..', 'shared')) && nameOf(test).includes('beside the repository')
}

function nameOf(test: TestCase): string {
  const result = test.result()
  const note = result.state === 'skipped' && result.note ? ` (${result.note})` : ''
  return `${test.module.relativeModuleId} > ${test.fullName}${note}`
}
