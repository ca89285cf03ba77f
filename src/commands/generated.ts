import { join } from 'node:path'

import type { Json, Outcome, Ports } from '../command.ts'
import type { Problem } from '../core/problem.ts'
import { count } from '../core/report.ts'
import type { FileTree } from '../core/tree.ts'
import { sameFolders } from './reading.ts'

export type Generated = {
  /** The command's name, and what it says when there is nothing to do. */
  readonly name: string
  readonly inStep: string
  /** What one of the files is called. */
  readonly noun: string
  readonly root: string
  readonly write: boolean
  /** The files as catalog.yaml makes them, and those of ours that there are. What is there and not wanted is to go. */
  readonly wanted: FileTree
  readonly there: FileTree
  /** How a file is shown: its path, what comes between, its text. */
  readonly gap: string
  readonly problems: readonly Problem[]
  readonly sources: FileTree
}

/** Shows the files that catalog.yaml makes; or makes what is there be that, and takes away what an older catalog.yaml asked for. */
export async function generated(ports: Ports, given: Generated): Promise<Outcome<{ readonly files: Json }>> {
  const { name, inStep, noun, root, write, wanted, there, gap, problems, sources } = given
  const files = [...wanted].map(([file, text]) => ({ file, same: there.get(file) === text }))
  const left = [...there.keys()].filter((file) => !wanted.has(file))
  const stale = [...files.filter(({ same }) => !same).map(({ file }) => file), ...left]
  if (write) {
    await ports.files.write(root, new Map([...wanted].filter(([file, text]) => there.get(file) !== text)))
    for (const file of left) await ports.files.remove(join(root, file))
  }
  const isDone = write || stale.length === 0
  return {
    exit: isDone ? 'done' : 'different',
    data: { files: [...files, ...left.map((file) => ({ file, same: false }))] },
    text: (paint) =>
      paint.bold(
        stale.length === 0
          ? inStep
          : `${write ? 'Wrote' : 'Out of step:'} ${count(stale.length, noun)}: ${stale.join(', ')}.`,
      ),
    ...(write ? {} : { exact: [...wanted].map(([file, text]) => `# ${file}${gap}${text}`).join('\n') }),
    problems,
    sources,
    next: isDone
      ? []
      : [{ run: `${name} --write${sameFolders({ root, state: '.protium' })}`, why: 'write what differs' }],
  }
}
