import { writeFileSync } from 'node:fs'
import { peakOf } from './peak.ts'

/**
 * Loaded before a program (`node --import ./bench/usage.ts PROGRAM`), this writes what the whole process used, when it
 * ends, to the file named in PROTIUM_BENCH_USAGE: CPU seconds and the peak of its memory in MB.
 */
export type Usage = { readonly cpu: number; readonly peak: number }

process.on('exit', () => {
  const { userCPUTime, systemCPUTime } = process.resourceUsage()
  const usage: Usage = { cpu: (userCPUTime + systemCPUTime) / 1e6, peak: peakOf() }
  writeFileSync(process.env['PROTIUM_BENCH_USAGE'] ?? '/dev/null', JSON.stringify(usage))
})
