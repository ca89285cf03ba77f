import { randomUUID } from 'node:crypto'

import type { Board } from '../../core/board.ts'
import { emptyBoard, readBoard, writeBoard } from '../../core/board.ts'
import { line } from '../../core/encode.ts'
import { shorten } from '../../core/markdown.ts'
import { Refused } from '../../core/problem.ts'
import type { BoardHost } from '../../ports.ts'
import type { Client, ClientOptions } from './client.ts'
import { clientOf } from './client.ts'
import { isStatus, told, wordsOf } from './refusal.ts'

/** The branch of the board; it shares no commit with the others of its repository. */
export const boardBranch = 'protium-board'

const path = 'board.json'

/**
 * The board as a file on a branch. GitHub takes a new version of a file only with the digest of the one that it replaces, so of two
 * that change it at once one is refused, and looks again. Each change has a number in its commit: if the answer is lost, it is looked for.
 *
 * `fetched` is the board as it came with the checkout, where it did; reading it costs no request then.
 */
export function branchBoard(
  options: ClientOptions,
  { fetched }: { readonly fetched?: () => Promise<Board | undefined> } = {},
): BoardHost {
  const client = clientOf(options)
  const here = `${client.at.owner}/${client.at.repo}`
  let came: Board | undefined
  let known: Board | undefined
  return {
    async read({ now = false } = {}) {
      if (known === undefined && !now) {
        came ??= await fetched?.()
        if (came !== undefined) return came
      }
      known ??= (await told(`read the board of ${here}`, async () => newest(client))).board
      return known
    },
    async change(edit, why) {
      known = await told(`change the board of ${here}`, async () => change(client, { edit, why }))
      return known
    },
  }
}

type Stored = {
  readonly board: Board
  /** The digest of the file; nothing where there is none. */ readonly sha?: string
}

async function newest({ octokit, at }: Client): Promise<Stored> {
  try {
    const { data } = await octokit.rest.repos.getContent({ ...at, path, ref: boardBranch })
    if (!('content' in data)) throw notAFile(at)
    // Of more than a megabyte GitHub gives the digest alone.
    const { content } =
      data.encoding === 'base64' ? data : (await octokit.rest.git.getBlob({ ...at, file_sha: data.sha })).data
    const text = Buffer.from(content, 'base64').toString('utf8')
    return { board: readBoard(`${at.owner}/${at.repo}/${path}`, text), sha: data.sha }
  } catch (error) {
    if (isStatus(error, 404)) return { board: emptyBoard }
    throw error
  }
}

function notAFile({ owner, repo }: Client['at']): Refused {
  return new Refused('board-format', `${path} on the branch ${boardBranch} of ${owner}/${repo} is no file.`, {
    remedy: 'Bring the file back as it was, or delete the branch: then nothing waits and nothing is locked.',
  })
}

/** Of many that change it each has to have its turn; the pauses grow to some seconds. */
const mostTries = 30
const longestPause = 8
/** GitHub may show what was written only some reads later. */
const looks = 6

async function change(
  client: Client,
  { edit, why }: { readonly edit: (board: Board) => Board; readonly why: string },
): Promise<Board> {
  const id = randomUUID()
  let isLost = false
  for (let count = 0; count < mostTries; count += 1) {
    if (count > 0) await client.pause(count - 1, longestPause)
    if (isLost && (await isThere(client, id))) return (await newest(client)).board
    const { board, sha } = await newest(client)
    const after = edit(board)
    const text = writeBoard(after)
    if (text === writeBoard(board)) return after
    try {
      await write(client, { text, sha, message: `${wordsIn(why)}\n\nChange: ${id}\n` })
      return after
    } catch (error) {
      if (isStatus(error, 500, 502, 503, 504)) {
        isLost = true
        for (let look = 0; look < looks; look += 1) {
          await client.pause(look)
          if (await isThere(client, id)) return (await newest(client)).board
        }
      } else if (!isRace(error)) throw error
    }
  }
  throw new Refused('board-busy', `Others change the board of ${client.at.owner}/${client.at.repo} all the time.`, {
    remedy: 'Run the command again in a while; nothing was changed.',
  })
}

/** GitHub makes links and mentions of what it finds in messages. */
function wordsIn(why: string): string {
  return shorten(line(why).replaceAll(/[@#]/gu, ''), 200)
}

/** Somebody else was faster. That a rule of the repository is against it has the same status and other words. */
function isRace(error: unknown): boolean {
  const words = wordsOf(error)
  if (/\brules?\b/iu.test(words)) return false
  return (
    isStatus(error, 409) ||
    (isStatus(error, 422) &&
      /wasn't supplied|does not match|does not exist|already exists|fast.?forward|cannot be updated/iu.test(words))
  )
}

/** Whether a change is on the branch. */
async function isThere({ octokit, at }: Client, id: string): Promise<boolean> {
  try {
    const { data } = await octokit.rest.repos.listCommits({ ...at, sha: boardBranch, per_page: 100 })
    return data.some(({ commit }) => commit.message.includes(`Change: ${id}`))
  } catch (error) {
    if (isStatus(error, 404)) return false
    throw error
  }
}

type Writing = { readonly text: string; readonly sha: string | undefined; readonly message: string }

async function write(client: Client, { text, sha, message }: Writing): Promise<void> {
  const { octokit, at } = client
  const content = Buffer.from(text).toString('base64')
  try {
    await octokit.rest.repos.createOrUpdateFileContents({
      ...at,
      path,
      branch: boardBranch,
      message,
      content,
      ...(sha !== undefined && { sha }),
    })
  } catch (error) {
    if (sha !== undefined || !isStatus(error, 404)) throw error
    await begin(client, { text, message })
  }
}

/** The branch with its first commit, which has none before it. */
async function begin({ octokit, at }: Client, { text, message }: Omit<Writing, 'sha'>): Promise<void> {
  const tree = await octokit.rest.git.createTree({
    ...at,
    tree: [{ path, mode: '100644', type: 'blob', content: text }],
  })
  const commit = await octokit.rest.git.createCommit({ ...at, message, tree: tree.data.sha, parents: [] })
  await octokit.rest.git.createRef({ ...at, ref: `refs/heads/${boardBranch}`, sha: commit.data.sha })
}
