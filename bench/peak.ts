import { readFileSync } from 'node:fs'
import { platform } from 'node:process'

/**
 * The most memory in MB that this process has had. Linux counts the parent's into `maxRSS`, because a child begins as its
 * copy; what the kernel says of the memory itself does not.
 */
export function peakOf(): number {
  const status = platform === 'linux' ? readFileSync('/proc/self/status', 'utf8') : ''
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS
  return Number(kilobytes) / 1024
}
