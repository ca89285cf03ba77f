import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

import { at, listAt, textAt } from '../src/adapters/github/fleet/client.ts'
import type { Clock } from '../src/ports.ts'
import { serviceFile } from '../test/upgrades/world.ts'

/**
 * As much of GitHub as an upgrade of a very large fleet asks for, and no more: repositories that are all alike, what was opened in them, and
 * how much of that in an hour and in a minute is taken. Whether the answers are GitHub's is shown by the local GitHub of the tests.
 */
export type Hub = {
  readonly url: string
  readonly requests: () => number
  readonly refused: () => number
  readonly opened: () => number
  /** When the last one was opened. */
  readonly last: () => number
  readonly close: () => Promise<void>
}

type Branch = {
  readonly commit: string
  readonly message: string
  /** Of its pull request, where there is one. */
  title?: string
  body?: string
  created?: string
}

export async function startHub(
  size: number,
  { clock, hourly, minutely }: { readonly clock: Clock; readonly hourly: number; readonly minutely: number },
): Promise<Hub> {
  const made: number[] = []
  /** The branch of each repository and its pull request, by its number. */
  const branches = new Map<number, Branch>()
  const messages = new Map<string, string>()
  let [asked, refused, count] = [0, 0, 0]
  const oid = (): string => (count += 1).toString(16).padStart(40, '0')

  function node(number: number, files: number): unknown {
    const name = `app-${number}`
    const branch = branches.get(number)
    const text = serviceFile(name)
    const file = {
      mode: 33_188,
      type: 'blob',
      object: { oid: oid(), text, isBinary: false, isTruncated: false, byteSize: text.length },
    }
    const target = { oid: '1'.repeat(40), tree: { oid: '2'.repeat(40) }, statusCheckRollup: null }
    return {
      id: String(number),
      databaseId: number,
      nameWithOwner: `acme/${name}`,
      isArchived: false,
      isDisabled: false,
      isEmpty: false,
      isLocked: false,
      viewerPermission: null,
      autoMergeAllowed: false,
      defaultBranchRef: { name: 'main', target: { ...target, f0: file, ...(files > 1 && { f1: null }) } },
      refs: {
        pageInfo: { hasNextPage: false, endCursor: null },
        nodes: branch === undefined ? [] : [ref(number, branch)],
      },
      b0: branch === undefined ? null : ref(number, branch),
      p0: { nodes: branch?.body === undefined ? [] : [pull(number, branch)] },
    }
  }

  function ref(number: number, branch: Branch): unknown {
    return {
      prefix: 'refs/heads/',
      name: `protium/upgrade/app-${number}-v1`,
      target: {
        oid: branch.commit,
        message: branch.message,
        tree: { oid: oid() },
        author: { name: 'protium[bot]', user: null },
        signature: { isValid: true, wasSignedByGitHub: true },
      },
      associatedPullRequests: { nodes: branch.body === undefined ? [] : [pull(number, branch)] },
    }
  }

  function pull(number: number, { commit, title, body, created }: Branch): unknown {
    return {
      id: `P${number}`,
      number: 1,
      state: 'OPEN',
      isDraft: false,
      isInMergeQueue: false,
      mergeable: 'MERGEABLE',
      title,
      body,
      headRefName: `protium/upgrade/app-${number}-v1`,
      headRefOid: commit,
      baseRefName: 'main',
      createdAt: created,
      closedAt: null,
      mergedAt: null,
      author: { login: 'protium' },
      reviewDecision: null,
      autoMergeRequest: null,
      statusCheckRollup: null,
      mergeCommit: null,
    }
  }

  function mutated(field: string, input: unknown): unknown {
    if (field === 'updateRefs') {
      const commit = textAt(input, 'refUpdates', 0, 'afterOid') ?? ''
      branches.set(Number(textAt(input, 'repositoryId')), { commit, message: messages.get(commit) ?? '' })
      return { clientMutationId: null }
    }
    if (field !== 'createPullRequest') return { pullRequest: { id: '' } }
    const now = clock.now().getTime()
    const within = (span: number): number => made.filter((each) => each > now - span).length
    if (within(3_600_000) >= hourly || within(60_000) >= minutely) {
      refused += 1
      return undefined
    }
    made.push(now)
    if (made.length > hourly * 2) made.splice(0, made.length - hourly * 2)
    const number = Number(textAt(input, 'repositoryId'))
    const branch = branches.get(number)
    if (branch !== undefined) {
      branch.title = textAt(input, 'title') ?? ''
      branch.body = textAt(input, 'body') ?? ''
      branch.created = clock.now().toISOString()
    }
    opened += 1
    last = now
    return { pullRequest: { id: `P${number}`, number: 1, headRefOid: branch?.commit, createdAt: branch?.created } }
  }
  let [opened, last] = [0, 0]

  function graphql(body: unknown): unknown {
    const query = textAt(body, 'query') ?? ''
    const variables = at(body, 'variables')
    const rate = {
      rateLimit: { cost: 1, remaining: 4000, limit: 5000, resetAt: clock.now().toISOString() },
      viewer: { login: 'protium[bot]' },
    }
    if (query.startsWith('query Read'))
      return { data: { ...rate, nodes: listAt(variables, 'ids').map((id) => node(Number(id), 2)) } }
    if (query.startsWith('query Look')) {
      const aliases = [...query.matchAll(/\b(r\d+):node/gu)].map(([, alias = '']) => alias)
      return {
        data: {
          ...rate,
          ...Object.fromEntries(aliases.map((alias) => [alias, node(Number(at(variables, `i${alias.slice(1)}`)), 2)])),
        },
      }
    }
    if (query.startsWith('query Named')) return { data: { ...rate, r0: null } }
    const fields = [...query.matchAll(/\b(m\d+):(\w+)\(/gu)].map(
      ([, alias = '', field = '']) => [alias, field] as const,
    )
    const done = fields.map(([alias, field]) => [alias, mutated(field, at(variables, alias))] as const)
    const errors = done.flatMap(([alias, data]) =>
      data === undefined ? [{ type: 'UNPROCESSABLE', path: [alias], message: 'was submitted too quickly' }] : [],
    )
    return {
      data: Object.fromEntries(done.map(([alias, data]) => [alias, data ?? null])),
      ...(errors.length > 0 && { errors }),
    }
  }

  function answer(path: string, body: unknown): unknown {
    if (path.startsWith('/installation/repositories')) {
      const page = Number(/[?&]page=(\d+)/u.exec(path)?.[1] ?? 1)
      const numbers = Array.from(
        { length: Math.min(100, size - (page - 1) * 100) },
        (_, index) => (page - 1) * 100 + index + 1,
      )
      const repositories = numbers.map((id) => ({
        id,
        node_id: String(id),
        full_name: `acme/app-${id}`,
        topics: ['protium'],
      }))
      return { total_count: size, repositories }
    }
    if (path === '/graphql') return graphql(body)
    const sha = oid()
    if (path.endsWith('/git/commits')) messages.set(sha, textAt(body, 'message') ?? '')
    return { sha }
  }

  async function answered(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request)
    asked += 1
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(answer(request.url ?? '', body)))
  }

  const server = createServer((request, response) => {
    void answered(request, response)
  })
  // Between two requests there may be a minute of rendering.
  server.keepAliveTimeout = 600_000
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => asked,
    refused: () => refused,
    opened: () => opened,
    last: () => last,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => void server.close(() => resolve()))
    },
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  for await (const part of request) if (part instanceof Buffer) parts.push(part)
  const text = Buffer.concat(parts).toString('utf8')
  return text === '' ? undefined : JSON.parse(text)
}
