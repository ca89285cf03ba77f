import type { Board } from '../core/board.ts'
import { emptyBoard, readBoard } from '../core/board.ts'
import { compareText } from '../core/canonical.ts'
import type { FetchedLedger } from '../core/ledger.ts'
import { unitFolder } from '../core/ledger.ts'
import type { Problem } from '../core/problem.ts'
import type { ReleaseRecord } from '../core/release/model.ts'
import { readReleaseRecord, releaseName, releasePath } from '../core/release/model.ts'
import { damagedRelease, releaseProblems } from '../core/release/verify.ts'
import type { FileTree } from '../core/tree.ts'
import type { Records } from '../ports.ts'
import { fetchedBoard, fetchedLedger, fileAt, isThere, messagesOf, readTreeAt } from './git.ts'
import { readRecord } from './records.ts'

/**
 * The ledger as it was fetched with the checkout, without a request. Undefined where it was not, or there is none yet. In a
 * job that waited for its turn it has all that was written before.
 */
export async function checkoutLedger(root: string): Promise<Pick<Records, 'list'> | undefined> {
  if (!(await isThere(root, fetchedLedger))) return undefined
  return {
    list: async (unit, { latest } = {}) => {
      const folder = unit === undefined ? 'records' : unitFolder(unit)
      const read = await readTreeAt(root, fetchedLedger, folder)
      // Below `checkout/dev` are the months of it, and the component of that instance.
      const own = [...(read?.tree ?? [])].filter(([path]) => unit === undefined || /^\d{4}-\d{2}\//u.test(path))
      const records = own.map(([path, text]) => readRecord(path, text)).toSorted((a, b) => compareText(a.id, b.id))
      return latest === undefined ? records : records.slice(-latest)
    },
  }
}

/** The whole branch of the ledger as it was fetched, for who checks it. */
export async function fetchedBranch(root: string): Promise<FetchedLedger | undefined> {
  const messages = await messagesOf(root, fetchedLedger)
  if (messages === undefined) return undefined
  const read = [await folderOf(root, 'records'), await folderOf(root, 'releases')]
  return {
    messages,
    files: new Map(read.flatMap(({ files }) => [...files])),
    problems: read.flatMap(({ problems }) => problems),
  }
}

async function folderOf(
  root: string,
  folder: string,
): Promise<{ readonly files: FileTree; readonly problems: readonly Problem[] }> {
  const read = await readTreeAt(root, fetchedLedger, folder)
  const files = [...(read?.tree ?? [])].map(([path, text]) => [`${folder}/${path}`, text] as const)
  return { files: new Map(files), problems: read?.problems ?? [] }
}

/** What was released, as the ledger says that was fetched with the checkout. Nothing where it was not fetched. */
export async function checkoutReleases(
  root: string,
): Promise<{ readonly releases: readonly ReleaseRecord[]; readonly problems: readonly Problem[] }> {
  const { files, problems } = await folderOf(root, 'releases')
  const read = [...files].map(([file, text]) => ({ file, record: readReleaseRecord(file, text) }))
  return {
    releases: read.flatMap(({ record }) => record ?? []),
    problems: [
      ...problems,
      ...read.flatMap(({ file, record }) => (record === undefined ? [damagedRelease(file)] : [])),
    ],
  }
}

/** A released bundle, held against what the ledger says was released. */
export async function checkoutBundle(
  root: string,
  release: { readonly template: string; readonly version: string; readonly commit?: string },
): Promise<{ readonly tree: FileTree; readonly problems: readonly Problem[] } | undefined> {
  const { template, version, commit } = release
  const ref = commit ?? releaseName(release)
  const folder = `templates/${template}/v${version.split('.')[0] ?? ''}`
  // A part of Proton's users wrote the folder of a major without the letter.
  const read = (await readTreeAt(root, ref, folder)) ?? (await readTreeAt(root, ref, folder.replace(/v(?=\d+$)/u, '')))
  if (read === undefined) return undefined
  const file = releasePath(release)
  const text = await fileAt(root, fetchedLedger, file)
  const record = text === undefined ? undefined : readReleaseRecord(file, text)
  const found = { tree: read.tree, commit: read.commit }
  const wrong = text === undefined ? [] : record === undefined ? [damagedRelease(file)] : releaseProblems(record, found)
  return { tree: read.tree, problems: [...read.problems, ...wrong] }
}

/**
 * The board as it was fetched with the checkout, without a request. Undefined where the branches were not fetched: where the
 * ledger's was, there is no board yet.
 */
export async function checkoutBoard(root: string): Promise<Board | undefined> {
  const text = await fileAt(root, fetchedBoard, 'board.json')
  if (text !== undefined) return readBoard('board.json', text)
  const isFetched = (await isThere(root, fetchedBoard)) || (await isThere(root, fetchedLedger))
  return isFetched ? emptyBoard : undefined
}
