import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  writeSync,
} from 'node:fs'
import { randomUUID } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { platform } from 'node:process'
import { compareText } from '../core/canonical.ts'
import { checkPath } from '../core/paths.ts'
import { type Checked, Refused } from '../core/problem.ts'
import type { Only } from '../core/tree.ts'
import {
  add,
  admit,
  decode,
  type Gathering,
  gathered,
  gathering,
  isPassedOver,
  limits,
  noFile,
  notAFile,
  notText,
  type ReadTree,
  tooLong,
} from './entries.ts'

/**
 * The text files below a folder. Links are not followed, in no segment of a path; pipes, sockets and devices are not
 * opened for reading; files that are too long or no text are left out. Each of them is among the problems. Folders named
 * `.git`, `node_modules` and `.protium` are passed over. Throws `Refused` (`no-folder`) if there is no such folder.
 *
 * Of the folders in `only` nothing is looked at but the entries of these names, however many there are.
 */
export async function readTree(
  root: string,
  wanted: (path: string) => boolean = () => true,
  only: Only = new Map(),
  { own = false }: { readonly own?: boolean } = {},
): Promise<ReadTree> {
  const into = gathering(own ? limits.own : limits.file)
  readFolder(into, { root: realFolder(root), folder: '', wanted, only })
  return gathered(into)
}

/**
 * The text of one file that a person names, of at most 1 MiB (16, if Protium wrote it); a link is followed, since the person
 * chose it.
 */
export async function readText(
  file: string,
  { own = false }: { readonly own?: boolean } = {},
): Promise<Checked<string>> {
  const most = own ? limits.own : limits.file
  const descriptor = attempt(() => openSync(file, constants.O_RDONLY | constants.O_NONBLOCK))
  if (typeof descriptor !== 'number') {
    const absent = descriptor.code === 'ENOENT' || descriptor.code === 'ENOTDIR'
    return { ok: false, problems: [absent ? noFile(file) : notAFile(file, unopened(descriptor.code))] }
  }
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) return { ok: false, problems: [notAFile(file, kindOf(stats))] }
    if (stats.size > most) return { ok: false, problems: [{ ...tooLong(file, stats.size, most), severity: 'error' }] }
    const text = decode(readAll(descriptor, stats.size))
    if (text === undefined) return { ok: false, problems: [{ ...notText(file), severity: 'error' }] }
    return { ok: true, value: text, problems: [] }
  } finally {
    closeSync(descriptor)
  }
}

type Walk = {
  readonly root: string
  readonly folder: string
  readonly wanted: (path: string) => boolean
  readonly only: Only
}

type Entry = { readonly name: string; isDirectory(): boolean }

function readFolder(into: Gathering, { root, folder, wanted, only }: Walk): void {
  for (const entry of entriesOf(join(root, folder), only.get(folder))) {
    if (into.full) return
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (isPassedOver(into, path)) continue
    if (entry.isDirectory()) {
      // A link could have taken the folder's place since it was listed.
      if (isItself(root, path)) readFolder(into, { root, folder: path, wanted, only })
      else into.problems.push(notAFile(path, 'a symbolic link'))
    } else if (wanted(path)) readFile(into, root, path)
  }
}

/** What lies in a folder, or what lies there under one of the names. */
function entriesOf(folder: string, names: readonly string[] | undefined): readonly Entry[] {
  const entries =
    names === undefined
      ? readdirSync(folder, { withFileTypes: true })
      : [...new Set(names)].flatMap((name) => {
          const stats = lstatSync(join(folder, name), { throwIfNoEntry: false })
          return stats === undefined ? [] : [{ name, isDirectory: () => stats.isDirectory() }]
        })
  return entries.toSorted((a, b) => compareText(a.name, b.name))
}

/**
 * Opens first and asks then, of the descriptor: between a question of the path and its opening anything could be put in
 * its place. `O_NONBLOCK` keeps a pipe without a writer from holding up the process.
 */
function readFile(into: Gathering, root: string, path: string): void {
  const full = join(root, path)
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const descriptor = attempt(() => openSync(full, flags))
  if (typeof descriptor !== 'number') {
    // Gone since it was listed.
    if (descriptor.code !== 'ENOENT') into.problems.push(notAFile(path, unopened(descriptor.code)))
    return
  }
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) into.problems.push(notAFile(path, kindOf(stats)))
    else if (openedPath(descriptor, full) !== full)
      into.problems.push(notAFile(path, 'reached through a symbolic link'))
    else if (admit(into, path, stats.size)) add(into, path, readAll(descriptor, stats.size))
  } finally {
    closeSync(descriptor)
  }
}

/** Why a path could not be opened, by the system's code. */
function unopened(code: string): string {
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'not there'
  if (code === 'ELOOP' || code === 'EMLINK') return 'a symbolic link'
  return code === 'ENXIO' ? 'a socket' : `not readable (${code})`
}

/** Where an open file lies in truth: as the kernel says, or where it does not say, as the path resolves now. */
function openedPath(descriptor: number, path: string): string {
  return platform === 'linux' ? readlinkSync(`/proc/self/fd/${descriptor}`) : realpathSync.native(path)
}

function isItself(root: string, path: string): boolean {
  return realpathSync.native(join(root, path)) === join(root, path)
}

/** At most the size that was admitted, however the file grows meanwhile. */
function readAll(descriptor: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let length = 0
  while (length < size) {
    const read = readSync(descriptor, bytes, length, size - length, length)
    if (read === 0) break
    length += read
  }
  return bytes.subarray(0, length)
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a folder'
  if (stats.isFIFO()) return 'a pipe'
  if (stats.isSocket()) return 'a socket'
  return stats.isSymbolicLink() ? 'a symbolic link' : 'a device'
}

function realFolder(root: string): string {
  const real = attempt(() => realpathSync.native(root))
  if (typeof real === 'string' && lstatSync(real).isDirectory()) return real
  const message = typeof real === 'string' ? `"${root}" is not a folder.` : `There is no folder "${root}".`
  throw new Refused('no-folder', message, { remedy: 'Correct the path, or make the folder.' })
}

/**
 * Writes each file of the tree below a folder, which is made if it is missing. Each file is there whole or as it was
 * before. Nothing is written through a link. Throws `Refused`: `unsafe-path`, `path-taken`, `disk-full`, `disk-read-only`.
 */
export async function writeTree(root: string, tree: ReadonlyMap<string, string | Uint8Array>): Promise<void> {
  for (const path of tree.keys()) {
    const safe = checkPath(path)
    if (!safe.ok) {
      const [problem] = safe.problems
      throw new Refused('unsafe-path', problem?.message ?? path, { remedy: problem?.remedy ?? 'Choose another path.' })
    }
  }
  orRefuse(root, () => mkdirSync(root, { recursive: true }))
  const real = realFolder(root)
  for (const [path, text] of tree) {
    makeFolders(real, path)
    const full = join(real, path)
    const there = attempt(() => lstatSync(full))
    if ('isFile' in there && !there.isFile()) throw taken(full, kindOf(there))
    writeAtomically(full, text)
  }
}

/**
 * Writes a file whole or not at all: into a new file beside it, which is brought to the disk and then takes its name. A
 * link of that name is replaced, not followed. The folder has to be there. Throws `Refused`: `disk-full`, `disk-read-only`.
 *
 * With `settle: false` nothing waits for the disk: still whole or not at all when the program is killed, but not when the
 * power fails. That is a hundred times as fast on a busy disk.
 */
export function writeAtomically(
  path: string,
  content: string | Uint8Array,
  { settle = true }: { readonly settle?: boolean } = {},
): void {
  const aside = join(dirname(path), `.${basename(path).slice(0, 100)}.${randomUUID()}.tmp`)
  orRefuse(path, () => {
    try {
      const descriptor = openSync(aside, 'wx')
      try {
        writeAll(descriptor, typeof content === 'string' ? new TextEncoder().encode(content) : content)
        if (settle) fsyncSync(descriptor)
      } finally {
        closeSync(descriptor)
      }
      renameSync(aside, path)
    } catch (error) {
      rmSync(aside, { force: true })
      throw error
    }
    if (settle) syncFolder(dirname(path))
  })
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  let written = 0
  while (written < bytes.length) written += writeSync(descriptor, bytes, written)
}

/** The new name is on the disk only when its folder is. Not every system lets a folder be opened; there it is done anyway. */
function syncFolder(folder: string): void {
  const descriptor = attempt(() => openSync(folder, constants.O_RDONLY))
  if (typeof descriptor !== 'number') return
  attempt(() => fsyncSync(descriptor))
  closeSync(descriptor)
}

function makeFolders(root: string, path: string): void {
  let folder = root
  for (const segment of path.split('/').slice(0, -1)) {
    folder = join(folder, segment)
    const there = attempt(() => lstatSync(folder))
    if ('isDirectory' in there) {
      if (!there.isDirectory()) throw taken(folder, kindOf(there))
    } else orRefuse(folder, () => mkdirSync(folder))
  }
}

function taken(path: string, kind: string): Refused {
  return new Refused('path-taken', `"${path}" cannot be written: ${kind} is there.`, {
    remedy: 'Move it away, or choose another folder to write to.',
  })
}

function orRefuse(path: string, action: () => void): void {
  try {
    action()
  } catch (error) {
    throw refusalOf(path, error) ?? error
  }
}

/** The refusal behind an error of the file system; nothing for an error that is not the disk's state but a bug. */
export function refusalOf(path: string, error: unknown): Refused | undefined {
  const code = codeOf(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new Refused('disk-full', `"${path}" was not written: the disk is full (${code}).`, {
      remedy: 'Free some space and run the command again; nothing was half written.',
      cause: error,
    })
  }
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') {
    return new Refused('disk-read-only', `"${path}" was not written: it may not be written to (${code}).`, {
      remedy: 'Choose a folder that you may write to, or change the rights of this one.',
      cause: error,
    })
  }
  // Where the parent of a folder cannot be made, Node says of the folder that it is not there.
  if (code === 'ENOENT' && error instanceof Error && 'syscall' in error && error.syscall === 'mkdir') {
    return new Refused('disk-read-only', `"${path}" was not written: its folder cannot be made.`, {
      remedy: 'Choose a folder that you may write to; a link on the way to it must lead somewhere.',
      cause: error,
    })
  }
  if (code === 'EEXIST' || code === 'ENOTDIR' || code === 'EISDIR') {
    return new Refused('path-taken', `"${path}" was not written: something else has that name (${code}).`, {
      remedy: 'Move it away, or choose another folder to write to.',
      cause: error,
    })
  }
  return undefined
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** The result, or the code of the system's error. Anything that is no error of the system is thrown on. */
function attempt<T>(action: () => T): T | { readonly code: string } {
  try {
    return action()
  } catch (error) {
    const code = codeOf(error)
    if (code === '') throw error
    return { code }
  }
}
