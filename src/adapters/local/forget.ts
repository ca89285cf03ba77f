import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Refused } from '../../core/problem.ts'
import type { Clock } from '../../ports.ts'
import { boardFolder } from '../board.ts'
import { refusalOf } from '../disk.ts'
import { holdStack } from './lock.ts'

/** The names that Protium gives in these folders; a name that begins with a dot is a file that was being written. */
const ours = {
  stacks: /^(?:\..*|format\.json|locks|stacks)$/u,
  records: /^(?:\..*|[0-9A-Za-z][0-9A-Za-z._-]*\.json)$/u,
  board: /^(?:\..*|board\.json|locks)$/u,
} as const

/**
 * Removes all stacks and records of two folders, and the board beside them; a folder that is not there is empty. Throws
 * `Refused` before anything is touched: `state-locked` while another run works on the stacks, `path-taken` where there is
 * something that is not Protium’s.
 */
export async function forget(
  folders: { readonly stacks: string; readonly records: string },
  clock: Clock,
): Promise<void> {
  const stacks = namesIn(folders.stacks, ours.stacks)
  namesIn(folders.records, ours.records)
  namesIn(boardFolder(folders.records), ours.board)
  const hold = stacks.length === 0 ? undefined : await holdStack(folders.stacks, 'all', clock)
  try {
    remove(folders.records)
    remove(boardFolder(folders.records))
    // The lock goes last.
    for (const name of stacks) if (name !== 'locks') remove(join(folders.stacks, name))
  } finally {
    hold?.release()
  }
}

function namesIn(folder: string, own: RegExp): readonly string[] {
  const names = listed(folder)
  const strange = names.find((name) => !own.test(name))
  if (strange === undefined) return names
  throw new Refused(
    'path-taken',
    `"${folder}" is not emptied: it holds "${strange}", which Protium did not put there.`,
    {
      remedy: 'Move it elsewhere, or name another folder with `--state`.',
    },
  )
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw refusalOf(folder, error) ?? error
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch (error) {
    throw refusalOf(path, error) ?? error
  }
}
