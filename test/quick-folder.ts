import { accessSync, constants } from 'node:fs'
import { tmpdir } from 'node:os'

/** Where tests put their folders: in memory where the system has such a place, since state files are brought to the disk one by one. */
export function quickFolder(): string {
  try {
    accessSync('/dev/shm', constants.W_OK)
    return '/dev/shm'
  } catch {
    return tmpdir()
  }
}
