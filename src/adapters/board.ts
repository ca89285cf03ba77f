import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import type { Board } from '../core/board.ts'
import { emptyBoard, readBoard, writeBoard } from '../core/board.ts'
import { Refused } from '../core/problem.ts'
import type { BoardHost, Clock } from '../ports.ts'
import { writeAtomically } from './disk.ts'
import type { Hold } from './local/lock.ts'
import { holdFolder } from './local/lock.ts'

/** The folder of the board, beside that of the records. It is held while the board is changed, and the stacks are not. */
export function boardFolder(records: string): string {
  return join(dirname(records), 'board')
}

/** The board as a file beside the records of this machine. */
export function folderBoard(records: string, clock: Clock): BoardHost {
  const folder = boardFolder(records)
  const file = join(folder, 'board.json')
  const read = async (): Promise<Board> => {
    const text = await textOf(file)
    return text === undefined ? emptyBoard : readBoard(file, text)
  }
  return {
    read,
    async change(edit) {
      const hold = await turn(folder, clock)
      try {
        const before = await read()
        const after = edit(before)
        const text = writeBoard(after)
        if (text !== writeBoard(before)) writeAtomically(file, text)
        return after
      } finally {
        hold.release()
      }
    },
  }
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** A change takes a moment, so whoever else makes one is waited for. */
const mostTries = 100

async function turn(folder: string, clock: Clock): Promise<Hold> {
  for (let count = 1; ; count += 1) {
    try {
      return await holdFolder(folder, clock)
    } catch (error) {
      if (!(error instanceof Refused && error.code === 'state-locked') || count === mostTries) throw error
      await clock.sleep(10 + ((process.pid * count) % 41))
    }
  }
}
