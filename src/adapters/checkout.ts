import type { Board } from '../core/board.ts'
import { emptyBoard, readBoard } from '../core/board.ts'
import { compareText } from '../core/canonical.ts'
import type { Records } from '../ports.ts'
import type { FetchedLedger } from '../core/ledger.ts'
import { unitFolder } from '../core/ledger.ts'
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
  const read = messages === undefined ? undefined : await readTreeAt(root, fetchedLedger, 'records')
  if (messages === undefined) return undefined
  const files = new Map([...(read?.tree ?? [])].map(([path, text]) => [`records/${path}`, text]))
  return { messages, files, problems: read?.problems ?? [] }
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
