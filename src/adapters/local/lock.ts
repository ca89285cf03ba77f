import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { kill, pid } from 'node:process'
import { Refused } from '../../core/problem.ts'
import type { Clock } from '../../ports.ts'
import { refusalOf, writeAtomically } from '../disk.ts'

/**
 * One run at a time on a state folder. Each process that works on it has a file of its own in `locks/`, named after its
 * process id and start, so that a file of a dead process can be removed by anybody without a race: no other process ever
 * has the same name. In one process several stacks may be worked on at once, each once. A run that changes several stacks
 * holds the folder from its beginning to its end, and holds each stack inside of that.
 */
export type Hold = { readonly release: () => void }

type Owner = { readonly pid: number; readonly started: string; readonly host: string }

type Held = { readonly by: Set<string>; readonly file: string; readonly made: string | undefined }

/** By folder; of the process, since every provisioner on a folder in this process shares its lock. */
const holds = new Map<string, Held>()

/** No stack has such a name. */
const wholeRun = ''

/**
 * Holds a state folder for a whole run. Throws `Refused` (`state-locked`) while any other run works on it, and leaves
 * nothing behind when it is let go: a folder that was made for the lock goes with it, if nothing else came into it.
 */
export async function holdFolder(folder: string, clock: Clock): Promise<Hold> {
  const root = resolve(folder)
  const running = holds.get(root)
  if (running !== undefined) throw locked(root, { owner: { pid, started: '', host: hostname() }, file: running.file })
  return await hold(root, wholeRun, clock)
}

/** Holds one stack, and its folder with it. Throws `Refused`: `state-locked`, `stack-busy`. */
export async function holdStack(folder: string, stack: string, clock: Clock): Promise<Hold> {
  return hold(resolve(folder), stack, clock)
}

async function hold(root: string, what: string, clock: Clock): Promise<Hold> {
  let held = holds.get(root)
  while (held === undefined) {
    await lockFolder(root, clock)
    // Whoever else held it in this process may have let go meanwhile.
    held = holds.get(root)
  }
  const { by, file, made } = held
  if (by.has(what)) {
    throw what === wholeRun
      ? locked(root, { owner: { pid, started: '', host: hostname() }, file })
      : new Refused('stack-busy', `The stack ${what} is being worked on by this run already.`, {
          remedy: 'Wait until it has ended.',
        })
  }
  by.add(what)
  return {
    release: () => {
      by.delete(what)
      if (by.size > 0) return
      holds.delete(root)
      rmSync(file, { force: true })
      if (made !== undefined) removeEmpty(dirname(file), made)
    },
  }
}

/** Removes a folder and those above it up to the one that was made first, as long as they are empty. */
function removeEmpty(folder: string, first: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // Something came into it, or somebody else has removed it.
    return
  }
  if (folder !== first) removeEmpty(dirname(folder), first)
}

/** Whether somebody is at work on a stack at this moment: this process, or another one that lives. */
export function isHeld(folder: string, stack: string): boolean {
  const root = resolve(folder)
  return holds.get(root)?.by.has(stack) === true || others(root).length > 0
}

async function lockFolder(root: string, clock: Clock): Promise<void> {
  const own: Owner = { pid, started: startOf(pid) ?? '', host: hostname() }
  const file = join(root, 'locks', `${own.pid}-${own.started}.json`)
  let made: string | undefined
  // Two that begin in one moment see each other and both step back; each waits a while of its own before it looks again.
  for (let attempt = 1; ; attempt += 1) {
    if (holds.has(root)) return
    made = makeFolder(root) ?? made
    try {
      writeAtomically(file, `${JSON.stringify(own)}\n`)
    } catch (error) {
      // Another run that has just ended has taken the folder with it.
      if (!existsSync(dirname(file)) && attempt < 4) continue
      throw error
    }
    const [other] = others(root)
    if (other === undefined) {
      holds.set(root, { by: new Set(), file, made })
      return
    }
    rmSync(file, { force: true })
    if (attempt === 4) throw locked(root, other)
    await clock.sleep(5 + ((pid * attempt) % 23))
  }
}

/** The first of the folders that had to be made, if any. */
function makeFolder(root: string): string | undefined {
  try {
    return mkdirSync(join(root, 'locks'), { recursive: true })
  } catch (error) {
    throw refusalOf(root, error) ?? error
  }
}

function locked(root: string, { owner, file }: { readonly owner: Owner; readonly file: string }): Refused {
  return new Refused(
    'state-locked',
    `Another run works on the state folder ${root}: process ${owner.pid} on ${owner.host}.`,
    {
      remedy: `Wait until it has ended. If there is no such process any more, remove ${file}.`,
    },
  )
}

/** The living owners of the folder besides this process; the files of the dead are removed on the way. */
function others(root: string): readonly { readonly owner: Owner; readonly file: string }[] {
  const living: { readonly owner: Owner; readonly file: string }[] = []
  for (const name of namesIn(join(root, 'locks'))) {
    const match = /^(\d+)-(.*)\.json$/.exec(name)
    if (match === null || Number(match[1]) === pid) continue
    const file = join(root, 'locks', name)
    const owner = readOwner(file)
    if (owner === undefined) continue
    if (isAlive(owner)) living.push({ owner, file })
    else rmSync(file, { force: true })
  }
  return living
}

function namesIn(folder: string): readonly string[] {
  // Asked for every stack: an error that is thrown and caught costs more than all the rest.
  if (!existsSync(folder)) return []
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Nothing when the file went away meanwhile. */
function readOwner(file: string): Owner | undefined {
  try {
    const owner: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (typeof owner !== 'object' || owner === null || !('pid' in owner) || !('started' in owner) || !('host' in owner))
      return undefined
    const { pid: id, started, host } = owner
    return typeof id === 'number' && typeof started === 'string' && typeof host === 'string'
      ? { pid: id, started, host }
      : undefined
  } catch {
    return undefined
  }
}

/** Of a process on another machine nothing can be known, so it counts as alive. */
function isAlive(owner: Owner): boolean {
  if (owner.host !== hostname()) return true
  try {
    kill(owner.pid, 0)
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
  }
  const started = startOf(owner.pid)
  return started === undefined || owner.started === '' || started === owner.started
}

/** When a process was started, in ticks of the kernel's clock; tells a process from a later one with the same id. Linux only. */
function startOf(id: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${id}/stat`, 'utf8')
    // The second field is the program's name in parentheses, which may hold anything; the twenty-second is the start.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
