import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { OperationTypeNode } from 'graphql'
import type { Clock } from '../../../src/ports.ts'
import type { FileTree } from '../../../src/core/tree.ts'
import { actionsHandlers, artifactBytes, waitingEnvironments } from './actions.ts'
import { appsHandlers } from './apps.ts'
import { checksHandlers } from './checks.ts'
import { systemClock } from './clock.ts'
import { deploymentsHandlers } from './deployments.ts'
import { checkAnswer, checkRequest, completed, match, type Matched, operationOf } from './description.ts'
import { type Entry, startEmulator } from './emulator.ts'
import { environmentsHandlers } from './environments.ts'
import { type Fault, newFaults, type Request } from './faults.ts'
import { gitHandlers, moveRef } from './git.ts'
import {
  type Answered,
  answerGraphql,
  type Asked,
  type Document,
  type GraphqlOptions,
  readDocument,
} from './graphql/answer.ts'
import { type Identity, loginOf, refusal } from './identity.ts'
import { issuesHandlers } from './issues.ts'
import {
  beginJob,
  beginRun,
  endRun,
  finishJob,
  type JobEnd,
  jobsHandlers,
  type JobWanted,
  readOnly,
  type RunWanted,
} from './jobs.ts'
import { isMap, type Json, type JsonMap, mapAt, number, parseJson, text, textAt } from './json.ts'
import { type LimitOptions, newLimits } from './limits.ts'
import { copyObjects, filesOf, refSha } from './objects.ts'
import { type IdentityRequest, newOidc } from './oidc.ts'
import { peopleHandlers } from './people.ts'
import { propertiesHandlers } from './properties.ts'
import { mergeWhenReady, pullsHandlers } from './pulls.ts'
import { releasesHandlers } from './releases.ts'
import { rulesHandlers } from './rules.ts'
import { searchHandlers } from './search.ts'
import { searchRepositories, settingsHandlers } from './settings.ts'
import { commit, newState, plant, populationOf, type Seed } from './seed.ts'
import {
  type Event,
  findRepository,
  fullNameOf,
  nextNumber,
  type Permissions,
  type Repository,
  repositoryOf,
  type State,
} from './state.ts'
import { newTokens } from './tokens.ts'
import {
  type Answer,
  type Call,
  type CompareLag,
  dressed,
  Failure,
  failure,
  type Handler,
  now,
  pass,
  read,
  type World,
  writeGit,
} from './world.ts'

export type Options = {
  /** By default the machine's. */
  readonly clock?: Clock
  readonly limits?: LimitOptions
  /** How far what compares branches is behind a branch that has moved: not at all by default. */
  readonly compareLag?: CompareLag
  readonly graphql?: GraphqlOptions
  /** By default any that is free. */
  readonly port?: number
}

/** Everything that a local GitHub is: what `startGitHub` takes to go on from there. */
export type Snapshot = { readonly seed: Seed; readonly journal: readonly Entry[]; readonly state: State }

export type Grant =
  /** The `GITHUB_TOKEN` of a job, with what it declares; of a fork's pull request it may only read. */
  | { readonly kind: 'job'; readonly repository: string; readonly permissions: Permissions; readonly fork?: true }
  /** An installation of an App, with all that it may or a part of that. */
  | {
      readonly kind: 'app'
      readonly app: string
      readonly permissions?: Permissions
      readonly repositories?: readonly string[]
    }
  | { readonly kind: 'user'; readonly login: string }

/** One request, as it came and as it was answered. */
export type Recorded = Request & {
  readonly status: number | 'reset'
  readonly token: Identity['is'] | 'bad'
  /** The login that acted. */
  readonly actor: string
  readonly body: Json | undefined
  /** What it cost: one request, or the points of GraphQL. */
  readonly cost: number
  /** How many new contents were refused because there were too many. */
  readonly rejected: number
}

export type Lag = {
  /** The operations that are behind: all reads by default. */
  readonly match?: string | readonly string[]
  /** How many reads see what is there at this moment. */
  readonly reads: number
}

export type WaitingJob = {
  readonly repository: string
  readonly run: number
  readonly job: number
  readonly name: string
  readonly environment: string
  readonly since: string
}

/** A job that was started again, and that no runner has taken yet. */
export type QueuedJob = {
  readonly repository: string
  readonly run: number
  readonly attempt: number
  readonly job: number
  readonly name: string
}

export type StartedJob =
  | {
      readonly is: 'started'
      readonly job: number
      readonly token: string
      /** Where it asks for an identity, if it may: with `id-token: write`. */
      readonly identity?: IdentityRequest
    }
  | { readonly is: 'refused'; readonly job: number; readonly reason: string }

export type Push = {
  readonly repository: string
  readonly branch: string
  /** Path to text; `null` deletes. */
  readonly files: Readonly<Record<string, string | null>>
  readonly by: string
  readonly message?: string
  /** The branch that a new one starts from. */
  readonly from?: string
}

export type Alteration = {
  readonly name?: string
  readonly archived?: boolean
  readonly disabled?: true
  readonly locked?: true
  /** Deleted, transferred or taken away from every App: it is nowhere to be found any more. */
  readonly deleted?: true
}

export type Doing = {
  readonly operation: string
  readonly by: string
  readonly parameters: Readonly<Record<string, string | number>>
  readonly body?: JsonMap
}

/** A running local GitHub. */
export type GitHub = {
  /** Where it is: `GITHUB_API_URL`, or Octokit's `baseUrl`. */
  readonly url: string
  token(grant: Grant): string
  fault(fault: Fault): void
  /** Faults that have not happened yet. */
  faults(): readonly Fault[]
  /** Makes the next reads see what is there now, whatever is written meanwhile. */
  lag(lag: Lag): Promise<void>
  requests(): readonly Recorded[]
  /** Starts counting anew. */
  forget(): void
  /** What was asked or answered against GitHub's description, since this was last called; then `close` does not tell. */
  takeViolations(): readonly string[]
  /** Whether a token that was given out stands in a text: a log, a summary, a page. */
  leaks(text: string): boolean
  /** What happened, with the payloads of GitHub's events. */
  events(): readonly Event[]

  /** Commits files to a branch, as a user's push does; returns the commit. */
  push(push: Push): Promise<string>
  /** How often a branch was made, moved or deleted: each is a push, which starts workflows. */
  pushes(repository: string, branch: string): number
  /** Puts a pull request into its base's merge queue. */
  enqueue(wanted: { readonly repository: string; readonly pull: number }): void
  /** Does to a repository what its administrators may: its old name leads to the new one. */
  alter(repository: string, wanted: Alteration): Promise<void>
  /** Takes somebody out of a team, as its maintainer does. */
  leaveTeam(membership: { readonly organisation: string; readonly team: string; readonly login: string }): Promise<void>
  /** Makes a user's fork; returns its name. */
  fork(repository: string, by: string): Promise<string>
  /** Does what a request of a user would, beside the recording: `pulls/create`, `pulls/merge`. */
  act(doing: Doing): Promise<JsonMap>
  files(repository: string, ref?: string): Promise<FileTree>
  /** The commit that a branch is at. */
  head(repository: string, branch?: string): Promise<string | undefined>

  beginRun(run: RunWanted): Promise<number>
  endRun(run: { readonly repository: string; readonly run: number; readonly conclusion: string }): Promise<void>
  /** Settles when the gate of the job's environment opens, or shuts for good. */
  beginJob(job: JobWanted): Promise<StartedJob>
  endJob(job: JobEnd & { readonly repository: string }): Promise<void>
  /** The jobs that were started again and wait for a runner: `beginJob` with their names takes them. */
  queued(): readonly QueuedJob[]
  /** The jobs that wait for a reviewer or a timer. */
  waiting(): readonly WaitingJob[]
  /** Those that wait and those that will, each as it begins to wait, until the signal. */
  held(until: AbortSignal): AsyncIterable<WaitingJob>
  /** Adds the zip of an artifact to a run; returns its id. */
  addArtifact(artifact: {
    readonly repository: string
    readonly run: number
    readonly name: string
    readonly zip: Buffer
  }): number

  snapshot(): Snapshot
  /** Ends it. Throws what was asked or answered against GitHub's description. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** What this server answers itself; everything else of the description is emulate's. */
const own: Readonly<Record<string, Handler>> = {
  ...actionsHandlers,
  ...appsHandlers,
  ...checksHandlers,
  ...deploymentsHandlers,
  ...environmentsHandlers,
  ...jobsHandlers,
  ...peopleHandlers,
  ...propertiesHandlers,
  ...releasesHandlers,
  ...rulesHandlers,
  ...searchHandlers,
  ...settingsHandlers,
}

/** What it leaves to emulate in part, so that emulate's gaps are to be filled. */
const shared: Readonly<Record<string, Handler>> = {
  ...gitHandlers,
  ...issuesHandlers,
  ...pullsHandlers,
  'search/repos': searchRepositories,
}

for (const id of Object.keys({ ...own, ...shared })) operationOf(id)

/** Starts a local GitHub for an organisation, or goes on with one that was kept. */
export async function startGitHub(from: Seed | Snapshot, options: Options = {}): Promise<GitHub> {
  const clock = options.clock ?? systemClock()
  const server = createServer()
  const url = await listen(server, options.port ?? 0)
  const kept = 'journal' in from ? from : undefined
  const seed = 'journal' in from ? from.seed : from
  const tokens = newTokens(() => Object.values(world.state.apps))
  const limits = newLimits(options.limits)
  const faults = newFaults()
  const recorded: Recorded[] = []
  let violations: string[] = []
  let behind: { readonly world: World; readonly match: Lag['match']; left: number } | undefined
  const turns = newQueue()

  async function worldOf(start: Pick<Snapshot, 'journal' | 'state'> | undefined): Promise<World> {
    const emulator = await startEmulator({
      population: populationOf(seed),
      url,
      now: () => clock.now(),
      ...(start === undefined ? {} : { journal: start.journal }),
    })
    return {
      url,
      clock,
      emulator,
      tokens,
      limits,
      gates: new Set(),
      held: new Set(),
      objects: new Map(),
      comparing: new Map(),
      compareLag: options.compareLag ?? {},
      state: start === undefined ? newState() : structuredClone(start.state),
    }
  }

  const world = await worldOf(kept)
  if (kept === undefined) await plant(world, seed)
  const oidc = newOidc(world)
  server.on('request', (request, response) => {
    respond(request, response).catch((error: unknown) => {
      violations.push(
        `${request.method} ${request.url}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      )
      send(response, failure(500, 'The local GitHub has a bug: see what close() throws'))
    })
  })

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? 'GET'
    const path = request.url ?? '/'
    const { pathname, searchParams } = new URL(path, url)
    const bytes = artifactBytes(world, pathname)
    if (bytes !== undefined)
      return send(response, { status: 200, bytes, headers: { 'content-type': 'application/zip' } })
    const source = await textOf(request)
    const header = request.headers['authorization']
    const vouched = oidc.answer({ url: new URL(path, url), authorization: header })
    if (vouched !== undefined) return send(response, vouched)
    const leaked = tokens.leaked(`${path}\n${source}`)
    if (leaked !== undefined) violations.push(`${method} ${path}: there is a token in the request beside its header`)

    const identity = tokens.identify(header, clock.now())
    const body = readBody(source)
    const document = method === 'POST' && pathname === '/graphql' ? readDocument(body) : undefined
    const found = document === undefined ? match(method, pathname) : undefined
    const operation = document === undefined ? (found?.operation.id ?? 'unknown') : 'graphql'
    const fields = document?.fields ?? []
    const turn = faults.turnOf({ operation, method, path, fields })
    let cost = 1
    let rejected = 0
    const note = (status: Recorded['status']): void => {
      const actor = identity === 'bad' ? '' : loginOf(identity)
      const token = identity === 'bad' ? identity : identity.is
      recorded.push({ operation, method, path, fields, status, token, actor, body, cost, rejected })
    }
    const answerDocument = async (asked: Document): Promise<Answer> => {
      if (identity === 'bad') return failure(401, 'Bad credentials')
      const told = await graphqlAnswer({ document: asked, identity, faults: turn.fields })
      cost = told.points
      rejected = told.rejected
      violations.push(...told.violations.map((each) => `POST /graphql: ${each}`))
      return told.answer
    }

    const before = await turn.before()
    const answer =
      before?.is === 'answer'
        ? before.answer
        : before === undefined
          ? document !== undefined
            ? await answerDocument(document)
            : await answerTo({
                method,
                path,
                searchParams,
                source,
                found,
                identity,
                token: tokens.inHeader(header) ?? '',
                accept: request.headers.accept ?? '',
              })
          : undefined
    const after = before === undefined ? await turn.after() : undefined
    const instead = before ?? after
    if (instead?.is === 'reset') {
      note('reset')
      response.destroy()
      return
    }
    const whole = after?.is === 'answer' ? after.answer : (answer ?? failure(500, 'Server Error'))
    if (isRefusedContent(whole)) rejected += 1
    note(whole.status)
    const last = withHeaders(whole, { 'x-github-request-id': `LOCAL:${recorded.length}` })
    if (instead?.is === 'truncated') truncate(response, last)
    else send(response, last)
  }

  /** A document is answered in its turn; one that only reads may be behind. */
  async function graphqlAnswer(asked: Omit<Asked, 'options'>): Promise<Answered> {
    const isReading = asked.document.operation?.operation === OperationTypeNode.QUERY
    const read = isReading ? lagging({ method: 'GET', operation: 'graphql' }) : undefined
    return turns(async () => {
      const told = await answerGraphql(read ?? world, { ...asked, options: options.graphql ?? {} })
      if (!isReading) await mergeWhenReady(world)
      return told
    })
  }

  type Asking = {
    readonly method: string
    readonly path: string
    readonly searchParams: URLSearchParams
    readonly source: string
    readonly found: Matched | undefined
    readonly identity: Identity | 'bad'
    readonly token: string
    readonly accept: string
  }

  async function answerTo({
    method,
    path,
    searchParams,
    source,
    found,
    identity,
    token,
    accept,
  }: Asking): Promise<Answer> {
    if (identity === 'bad') return failure(401, 'Bad credentials')
    if (found === undefined) {
      violations.push(`${method} ${path}: this is no operation of the cut of GitHub's description`)
      return failure(404, 'Not Found')
    }
    const { operation, parameters } = found
    const spent = limits.spend(identity, operation.id, clock.now())
    if (spent.refused !== undefined) return withHeaders(spent.refused, spent.headers)
    const body = readBody(source)
    if (body === undefined && source !== '') return failure(400, 'Problems parsing JSON')
    const findings = checkRequest(found, { query: searchParams, body })
    const wrong = findings.filter(({ is }) => is === 'shape')
    if (wrong.length > 0) {
      violations.push(`${method} ${path} (${operation.id}): ${wrong.map(({ what }) => what).join('; ')}`)
      return withHeaders(failure(400, `Invalid request. ${wrong.map(({ what }) => what).join('. ')}`), spent.headers)
    }
    const call: Call = {
      operation: operation.id,
      method,
      path,
      parameters,
      query: searchParams,
      accept,
      body: isMap(body) ? body : {},
      identity,
      token,
    }
    const moved = redirection(world, { method, path, parameters })
    if (moved !== undefined) return withHeaders(moved, spent.headers)
    const limit = findings.find(({ is }) => is === 'limit')
    const answer =
      limit === undefined
        ? await turns(() => perform(lagging(call) ?? world, call))
        : failure(422, `Invalid request.\n\n${limit.what}.`)
    const complaints = answer.bytes === undefined ? checkAnswer(operation, answer.status, answer.body) : []
    if (complaints.length > 0) {
      violations.push(`the answer to ${method} ${path} (${operation.id}): ${complaints.join('; ')}`)
    }
    return withHeaders(answer, spent.headers)
  }

  /** The world as it was, for a read that is behind. */
  function lagging(call: Pick<Call, 'method' | 'operation'>): World | undefined {
    if (behind === undefined || call.method !== 'GET') return undefined
    const { match: wanted } = behind
    if (wanted !== undefined && ![wanted].flat().includes(call.operation)) return undefined
    const seen = behind.world
    behind.left -= 1
    if (behind.left === 0) behind = undefined
    return seen
  }

  const worlds = [world]
  async function copy(): Promise<World> {
    const made = await worldOf({ journal: world.emulator.journal, state: world.state })
    worlds.push(made)
    return made
  }

  async function close(): Promise<void> {
    await Promise.all(worlds.map((each) => each.emulator.close()))
    server.closeAllConnections()
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
    })
    if (violations.length > 0) {
      throw new Error(`Against GitHub's description:\n${violations.map((each) => `- ${each}`).join('\n')}`)
    }
  }

  return {
    url,
    token: (grant) => tokens.issue(identityOf(world, grant)),
    fault: (fault) => faults.add(fault),
    faults: () => faults.waiting,
    lag: async ({ match: wanted, reads }) => {
      behind = { world: await turns(copy), match: wanted, left: reads }
    },
    requests: () => [...recorded],
    forget: () => {
      recorded.length = 0
    },
    takeViolations: () => {
      const taken = violations
      violations = []
      return taken
    },
    leaks: (source) => tokens.leaked(source) !== undefined,
    events: () => [...world.state.events],
    push: (wanted) => turns(() => push(world, wanted)),
    pushes: (repository, branch) =>
      world.state.events.filter(
        (event) =>
          event.name === 'push' && event.repository === repository && event.payload['ref'] === `refs/heads/${branch}`,
      ).length,
    enqueue: ({ repository, pull: number }) => {
      const { pulls } = repositoryOf(world.state, repository)
      const pull = pulls[number]
      if (pull === undefined) throw new Error(`There is no pull request ${number} in ${repository}`)
      pulls[number] = { ...pull, inMergeQueue: true }
    },
    alter: (repository, wanted) => turns(() => alter(world, repositoryOf(world.state, repository), wanted)),
    leaveTeam: ({ organisation, team, login }) =>
      turns(async () => {
        const teams = world.state.organisations[organisation]?.teams
        const found = teams?.[team]
        if (teams === undefined || found === undefined)
          throw new Error(`There is no team ${organisation}/${team} in the local GitHub`)
        teams[team] = { ...found, members: found.members.filter((each) => each !== login) }
      }),
    fork: (repository, by) => turns(() => fork(world, repositoryOf(world.state, repository), by)),
    act: (doing) => turns(() => act(world, doing)),
    files: async (name, ref) => readFiles(world, repositoryOf(world.state, name), ref),
    head: async (name, branch = 'main') => refSha(world, repositoryOf(world.state, name), `refs/heads/${branch}`),
    beginRun: async (wanted) =>
      (await turns(() => beginRun(world, repositoryOf(world.state, wanted.repository), wanted))).id,
    endRun: ({ repository, run, conclusion }) =>
      turns(() => endRun(world, repositoryOf(world.state, repository), run, conclusion)),
    beginJob: async (wanted) => {
      const started = await beginJob(world, repositoryOf(world.state, wanted.repository), wanted)
      if (started.is === 'refused') return started
      const { repository, run } = wanted
      const token = tokens.issue({ is: 'job', repository, permissions: started.permissions, run })
      if (started.permissions['id-token'] !== 'write') return { is: 'started', job: started.job, token }
      const { environment, ref, workflow } = wanted
      const identity = oidc.offer({ repository, run, job: started.job, environment, ref, workflow })
      return { is: 'started', job: started.job, token, identity }
    },
    endJob: async ({ repository, ...end }) => finishJob(world, repositoryOf(world.state, repository), end),
    queued: () => Object.values(world.state.repositories).flatMap(queuedJobs),
    waiting: () => Object.values(world.state.repositories).flatMap(waitingJobs),
    async *held(until) {
      const told = new Set<number>()
      while (!until.aborted) {
        const fresh = Object.values(world.state.repositories)
          .flatMap(waitingJobs)
          .filter(({ job }) => !told.has(job))
        for (const each of fresh) {
          told.add(each.job)
          yield each
        }
        if (fresh.length === 0) await anotherIsHeld(world, until)
      }
    },
    addArtifact: ({ repository, run, name, zip }) => {
      const artifact = {
        id: nextNumber(world.state, 'artifact'),
        run,
        name,
        zip: zip.toString('base64'),
        createdAt: now(world),
      }
      repositoryOf(world.state, repository).artifacts.push(artifact)
      return artifact.id
    },
    snapshot: () => structuredClone({ seed, journal: world.emulator.journal, state: world.state }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Does one call: says whether it is allowed, and what comes of it. */
async function perform(world: World, call: Call): Promise<Answer> {
  const refused = refusal(world.state, call.identity, call)
  if (refused !== undefined) {
    const headers = refused.accepted === undefined ? {} : { 'x-accepted-github-permissions': refused.accepted }
    return withHeaders(failure(refused.status, refused.message), headers)
  }
  const repository = findRepository(world.state, `${call.parameters['owner']}/${call.parameters['repo']}`)
  if (repository?.archived === true && call.method !== 'GET')
    return failure(403, 'Repository was archived so is read-only.')
  try {
    const ownHandler = own[call.operation]
    if (ownHandler !== undefined) {
      const answer = await ownHandler(world, call)
      if (call.method !== 'GET') await mergeWhenReady(world)
      return answer
    }
    const answer = await (shared[call.operation] ?? pass)(world, call)
    if (call.method !== 'GET') await mergeWhenReady(world)
    if (answer.body === undefined || answer.status >= 400) return tidied(answer)
    const whole = completed(operationOf(call.operation), answer.status, answer.body)
    return { ...answer, body: dressed(world, call.identity, whole) }
  } catch (error) {
    if (error instanceof Failure) return error.answer
    throw error
  }
}

/** What was asked for by a name that a repository had before is where the new name leads. */
function redirection(
  { state, url }: World,
  { method, path, parameters: { owner, repo } }: Pick<Call, 'method' | 'path' | 'parameters'>,
): Answer | undefined {
  const before = `${owner}/${repo}`
  const after = findRepository(state, before) === undefined ? state.renamed[before] : undefined
  if (after === undefined) return undefined
  const location = `${url}${path.replace(`/repos/${before}`, `/repos/${after}`)}`
  return { ...failure(method === 'GET' ? 301 : 307, 'Moved Permanently'), headers: { location } }
}

/** Emulate's refusals, with GitHub's own page for more. */
function tidied(answer: Answer): Answer {
  if (answer.body === undefined) return answer
  return {
    ...answer,
    body: { ...mapAt({ body: answer.body }, 'body'), documentation_url: 'https://docs.github.com/rest' },
  }
}

function identityOf(world: World, grant: Grant): Identity {
  if (grant.kind === 'user') {
    if (!(grant.login in world.state.users)) throw new Error(`There is no user ${grant.login} in the local GitHub`)
    return { is: 'user', login: grant.login }
  }
  if (grant.kind === 'job') {
    const { repository, permissions, fork: isFork } = grant
    return {
      is: 'job',
      repository: fullNameOf(repositoryOf(world.state, repository)),
      permissions: isFork ? readOnly(permissions) : permissions,
    }
  }
  const installation = world.state.apps[grant.app]?.installations[0]
  if (installation === undefined) throw new Error(`There is no App ${grant.app} that is installed in the local GitHub`)
  return {
    is: 'app',
    slug: grant.app,
    installation: installation.id,
    account: installation.account,
    repositories: grant.repositories ?? installation.repositories,
    permissions: grant.permissions ?? installation.permissions,
    expires: new Date(world.clock.now().getTime() + 3_600_000).toISOString(),
  }
}

async function push(world: World, wanted: Push): Promise<string> {
  const repository = repositoryOf(world.state, wanted.repository)
  const identity: Identity = { is: 'user', login: wanted.by }
  const ref = `refs/heads/${wanted.branch}`
  const before = await refSha(world, repository, ref)
  const start = before ?? (await refSha(world, repository, `refs/heads/${wanted.from ?? repository.defaultBranch}`))
  const parents = start === undefined ? [] : [start]
  const message = wanted.message ?? `Change ${Object.keys(wanted.files).join(', ')}`
  const after = await commit(world, repository, { files: wanted.files, message, identity, parents })
  await moveRef(world, { repository, ref, ...(before === undefined ? {} : { before }), after, identity })
  return after
}

async function alter(world: World, repository: Repository, wanted: Alteration): Promise<void> {
  const { repositories, renamed } = world.state
  const before = fullNameOf(repository)
  delete repositories[before]
  if (wanted.deleted === true) return
  const { deleted: _deleted, ...changes } = wanted
  const altered = { ...repository, ...changes }
  const after = fullNameOf(altered)
  if (after !== before) {
    await writeGit(world, repository, { method: 'PATCH', path: '', body: { name: altered.name } })
    for (const [old, now] of Object.entries(renamed)) if (now === before) renamed[old] = after
    renamed[before] = after
  }
  repositories[after] = altered
}

/** Emulate's fork begins with a commit of its own; here it is given the history of what it is a fork of. */
async function fork(world: World, parent: Repository, by: string): Promise<string> {
  const actor = { is: 'user', login: by } as const
  const made = await world.emulator.ask({ actor, method: 'POST', path: `/repos/${fullNameOf(parent)}/forks`, body: {} })
  const repository: Repository = {
    id: number(made.body, 'id'),
    owner: by,
    name: parent.name,
    private: parent.private,
    archived: false,
    defaultBranch: parent.defaultBranch,
    parent: fullNameOf(parent),
    collaborators: {},
    pulls: {},
    checks: [],
    statuses: [],
    deployments: [],
    environments: [],
    rulesets: [],
    runs: [],
    artifacts: [],
    releases: [],
    pushedAt: parent.pushedAt,
  }
  const name = fullNameOf(repository)
  world.state.repositories[name] = repository
  const sha = await refSha(world, parent, `refs/heads/${parent.defaultBranch}`)
  if (sha !== undefined) {
    await copyObjects(world, { from: parent, to: repository, sha })
    const path = `/git/refs/heads/${parent.defaultBranch}`
    await writeGit(world, repository, { method: 'PATCH', path, body: { sha, force: true } })
  }
  return name
}

async function act(world: World, { operation: id, by, parameters, body = {} }: Doing): Promise<JsonMap> {
  const operation = operationOf(id)
  const texts = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)]))
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(texts[name] ?? ''))
  const findings = checkRequest({ operation, parameters: texts }, { query: new URLSearchParams(), body })
  if (findings.length > 0) throw new Error(`${id}: ${findings.map(({ what }) => what).join('; ')}`)
  const identity: Identity = { is: 'user', login: by }
  const query = new URLSearchParams()
  const answer = await perform(world, {
    operation: id,
    method: operation.method,
    path,
    parameters: texts,
    query,
    accept: '',
    body,
    identity,
    token: '',
  })
  if (answer.status >= 400) throw new Error(`${id} by ${by}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return isMap(answer.body) ? answer.body : {}
}

async function readFiles(world: World, repository: Repository, ref = repository.defaultBranch): Promise<FileTree> {
  const home = `/repos/${fullNameOf(repository)}`
  const sha = text(await read(world, `${home}/commits/${ref}`), 'sha')
  const files: [string, string][] = []
  for (const [path, file] of await filesOf(world, repository, sha)) {
    const blob = await read(world, `${home}/git/blobs/${file.sha}`)
    files.push([path, Buffer.from(text(blob, 'content'), 'base64').toString()])
  }
  return new Map(files.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Until a job begins to wait, or the signal. */
function anotherIsHeld(world: World, until: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      world.held.delete(look)
      until.removeEventListener('abort', look)
      resolve()
    }
    world.held.add(look)
    until.addEventListener('abort', look)
  })
}

function waitingJobs(repository: Repository): readonly WaitingJob[] {
  return repository.runs.flatMap((run) =>
    waitingEnvironments(repository, run).map(({ environment, job }) => ({
      repository: fullNameOf(repository),
      run: run.id,
      job: job.id,
      name: job.name,
      environment: environment.name,
      since: job.createdAt,
    })),
  )
}

function queuedJobs(repository: Repository): readonly QueuedJob[] {
  return repository.runs.flatMap(({ id: run, jobs }) =>
    jobs.flatMap(({ id: job, name, attempt, status }) =>
      status === 'queued' ? [{ repository: fullNameOf(repository), run, attempt, job, name }] : [],
    ),
  )
}

function withHeaders(answer: Answer, headers: Readonly<Record<string, string>>): Answer {
  return { ...answer, headers: { ...headers, ...answer.headers } }
}

/** One after the other, so that no two calls see a half of each other. */
function newQueue(): <Made>(work: () => Promise<Made>) => Promise<Made> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const done = last.then(work)
    last = done.catch(() => undefined)
    return done
  }
}

function listen(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('The server has no port'))
      else resolve(`http://127.0.0.1:${address.port}`)
    })
  })
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}

function isRefusedContent({ status, body }: Answer): boolean {
  return status === 403 && textAt(body, 'message')?.includes('content creation') === true
}

function readBody(source: string): Json | undefined {
  if (source === '') return undefined
  try {
    return parseJson(source)
  } catch {
    return undefined
  }
}

function bytesOf({ body, bytes }: Answer): Buffer {
  return bytes ?? Buffer.from(body === undefined ? '' : JSON.stringify(body))
}

function send(response: ServerResponse, answer: Answer): void {
  const bytes = bytesOf(answer)
  const headers = { 'content-type': 'application/json; charset=utf-8', ...answer.headers }
  if (answer.status === 204) response.writeHead(204, answer.headers).end()
  else response.writeHead(answer.status, { ...headers, 'content-length': bytes.length }).end(bytes)
}

function truncate(response: ServerResponse, answer: Answer): void {
  const bytes = bytesOf(answer)
  response.writeHead(answer.status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': bytes.length,
  })
  response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.destroy())
}
