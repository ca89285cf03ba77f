import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parse } from 'yaml'
import type { FileTree } from '../../src/core/tree.ts'
import { clientOf } from '../fakes/github/client.ts'
import { type JsonMap, text } from '../fakes/github/json.ts'
import type { Event, Permissions } from '../fakes/github/state.ts'
import type { GitHub } from '../fakes/github/server.ts'
import { type Acted, runAct } from './act.ts'
import { copyFor } from './copy.ts'
import { newMirror } from './mirror.ts'
import { zip } from './zip.ts'

const root = join(import.meta.dirname, '../..')
const standIns = join(import.meta.dirname, 'stand-ins')

/** The runners of the local GitHub: runs its workflows with act, gives their jobs tokens, keeps what they hand on. */
export type Runners = {
  /** Runs a workflow for an event, to its end. */
  readonly run: (wanted: Wanted) => Promise<Run>
  /** What the tokens of Apps were for that jobs have asked for, the last one at the end. */
  readonly appTokens: () => readonly AppToken[]
  readonly close: () => Promise<void>
}

/** No repositories means all that the App is installed in. */
export type AppToken = { readonly repositories: readonly string[]; readonly permissions: Permissions }

export type Wanted = {
  readonly repository: string
  /** Its path in the repository, at the commit that runs. */
  readonly workflow: string
  readonly event: 'pull_request' | 'push' | 'schedule' | 'workflow_dispatch' | 'workflow_run'
  readonly payload: JsonMap
  /** For a pull request that of its head; what is checked out is then the merge with the base. */
  readonly commit: string
  readonly branch: string
  readonly actor: string
  /**
   * A run that was started again, and the attempt that it is in. act begins all of its jobs; those that GitHub would leave out find
   * nothing to do.
   */
  readonly again?: { readonly run: number; readonly attempt: number }
}

export type Run = Acted & {
  readonly run: number
  readonly conclusion: 'success' | 'failure'
  /** The job summaries, by the job's id. */
  readonly summaries: ReadonlyMap<string, string>
  /** The files of the artifacts, by the artifact's name and the file's. */
  readonly artifacts: ReadonlyMap<string, ReadonlyMap<string, string>>
}

type Options = {
  readonly github: GitHub
  /** The catalog's repository, which is served with the actions built into it. */
  readonly catalog: string
  /** Somebody who may read everything. */
  readonly by: string
  /** Repository variables. */
  readonly vars?: Readonly<Record<string, string>>
  /** Secrets, which the run of a fork is not given. */
  readonly secrets?: Readonly<Record<string, string>>
  /** What every job finds in its environment. */
  readonly env?: Readonly<Record<string, string>>
  /** The variable `PROTIUM_ROLE` of GitHub environments, by the environment's name. */
  readonly roles?: Readonly<Record<string, string>>
}

type Artifact = {
  readonly run: number
  readonly id: number
  readonly name: string
  readonly files: Readonly<Record<string, string>>
}
type StartedJob = { readonly id: string; readonly started: ReturnType<GitHub['beginJob']> }

type Running = {
  readonly wanted: Wanted
  readonly jobs: ReadonlyMap<string, Declared>
  /** By the workspace, which each job has for itself. */
  readonly started: Map<string, StartedJob>
  readonly summaries: Map<string, string>
  readonly commit: string
}

/** Where a working copy keeps the workflows as they were, beside what act is given of them. */
const declarations = '.github/as-declared'

/** What a workflow says of a job. */
type Declared = {
  readonly permissions: Readonly<Record<string, 'read' | 'write'>>
  readonly environment?: string
  readonly deployment?: false
  /** The workflow that it stands in. */
  readonly file: File
}

/** What stands for the token of a job until the job is known. */
const placeholder = 'the token of the job'

/** What stands for the private key of the App, where a repository has it as a secret. */
export const appKey = 'the private key of the App'

export async function startRunners(options: Options): Promise<Runners> {
  const { github, catalog, by, vars = {}, secrets = {}, env = {}, roles = {} } = options
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'protium-e2e-'))
  const mirror = newMirror(github, { folder: join(folder, 'git'), by })
  const runs = new Map<number, Running>()
  const artifacts: Artifact[] = []
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  // No shell: one would drop the variables of inputs with a hyphen. A link, since this path may not have a space in it.
  symlinkSync(process.execPath, join(folder, 'node'))
  writeFileSync(
    join(bin, 'node'),
    `#!${join(folder, 'node')}\nimport(${JSON.stringify(pathToFileURL(join(standIns, 'node/node.mjs')).href)})\n`,
  )
  writeFileSync(
    join(bin, 'curl'),
    `#!${join(bin, 'node')}\nimport(${JSON.stringify(pathToFileURL(join(standIns, 'curl/curl.mjs')).href)})\n`,
  )
  for (const name of ['node', 'curl']) chmodSync(join(bin, name), 0o755)

  const server = createServer((request, response) => {
    answer(request).then(
      (value) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value)),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    )
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The runners have no port')
  const control = `http://127.0.0.1:${address.port}`

  async function answer(request: IncomingMessage): Promise<unknown> {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += String(chunk)
    const asked: Asked = JSON.parse(text)
    const running = runs.get(asked.run)
    if (running === undefined && request.url !== '/download') throw new Error(`There is no run ${asked.run}`)
    switch (request.url) {
      case '/job':
        return job(asked)
      case '/summary':
        // Each step of a job adds to the same file.
        if (asked.text !== undefined && asked.text !== '') running?.summaries.set(asked.job ?? '', asked.text)
        return {}
      case '/checkout':
        return checkout(asked)
      case '/upload':
        return upload(asked)
      case '/download':
        return download(asked)
      case '/token':
        return appToken(asked)
      case '/role':
        return roleOf(asked)
      default:
        throw new Error(`The runners do not know ${request.url}`)
    }
  }

  type Asked = {
    readonly run: number
    readonly own?: number
    readonly job?: string
    readonly workspace?: string
    readonly text?: string
    readonly repository?: string
    readonly ref?: string
    readonly name?: string
    readonly ids?: readonly number[]
    readonly token?: string
    readonly app?: string
    readonly key?: string
    readonly repositories?: readonly string[]
    readonly permissions?: Permissions
    readonly isWhole?: boolean
    readonly files?: Readonly<Record<string, string>>
  }

  async function job({ run, job: id = '', workspace = '' }: Asked): Promise<unknown> {
    const running = runOf(run)
    let found = running.started.get(workspace)
    if (found === undefined) {
      const declared = running.jobs.get(id)
      if (declared === undefined) throw new Error(`No workflow of the run has a job ${id}`)
      const { repository } = running.wanted
      const { file, ...job } = declared
      const workflow = workflowOf(file, running)
      found = { id, started: github.beginJob({ repository, run, name: id, workflow, ...job }) }
      running.started.set(workspace, found)
    }
    const started = await found.started
    if (started.is === 'refused') return { refused: started.reason }
    return { token: started.token, identity: started.identity }
  }

  /** What the identity of a job says of its workflow: the file, and the ref by which it came into the run. */
  function workflowOf({ path, by }: File, { wanted }: Running): string {
    const [repository = wanted.repository, ref] = by?.split('@') ?? []
    const own = wanted.event === 'pull_request' ? `refs/pull/${numberIn(wanted.payload, 'number')}/merge` : undefined
    return `${repository}/${path}@${ref ?? own ?? `refs/heads/${wanted.branch}`}`
  }

  function runOf(id: number): Running {
    const running = runs.get(id)
    if (running === undefined) throw new Error(`There is no run ${id}`)
    return running
  }

  /** The tokens of Apps that were given out, each with the repositories that it reads. */
  const readers = new Map<string, readonly string[]>()
  const appTokens: AppToken[] = []

  function appToken({ app = '', key, repositories = [], permissions = {} }: Asked): unknown {
    if (key !== appKey) throw new Error('A JSON web token could not be decoded')
    if (Object.keys(permissions).length === 0) throw new Error('The token is for all that the App may')
    const some = repositories.length === 0 ? {} : { repositories }
    const token = github.token({ kind: 'app', app, permissions, ...some })
    readers.set(token, repositories)
    appTokens.push({ repositories, permissions })
    return { token }
  }

  /** What act does not know: the variable of a job's environment. */
  function roleOf({ run, job: id = '' }: Asked): unknown {
    const { environment = '' } = runOf(run).jobs.get(id) ?? {}
    return { role: roles[environment] }
  }

  async function checkout({ run, repository = '', ref = '', token = '', isWhole }: Asked): Promise<unknown> {
    const { wanted, commit } = runOf(run)
    if (isWhole === true) await mirror.refs(repository)
    const [owner = '', repo = ''] = repository.split('/')
    if (repository !== wanted.repository && readers.get(token)?.includes(repository) !== true) {
      const { private: isPrivate } = await github.act({ operation: 'repos/get', by, parameters: { owner, repo } })
      if (isPrivate !== false) throw new Error('Not Found: the token may not read the repository')
    }
    if (repository === wanted.repository && ref === '')
      return { folder: await mirror.fetch(repository, commitOf(wanted)), commit }
    const sha = /^[0-9a-f]{40}$/.test(ref) ? ref : await github.head(repository, ref === '' ? 'main' : ref)
    if (sha === undefined) throw new Error(`${repository} has no ${ref}`)
    return { folder: await mirror.fetch(repository, sha), commit: sha }
  }

  function upload({ run, name = '', files = {} }: Asked): unknown {
    if (artifacts.some((each) => each.run === run && each.name === name))
      throw new Error(
        `Failed to CreateArtifact: (409) Conflict: an artifact with this name already exists on the workflow run: ${name}`,
      )
    const bytes = new Map(Object.entries(files).map(([file, content]) => [file, Buffer.from(content, 'base64')]))
    const id = github.addArtifact({ repository: runOf(run).wanted.repository, run, name, zip: zip(bytes) })
    artifacts.push({ run, id, name, files })
    return { id }
  }

  function download({ run, name, ids = [] }: Asked): unknown {
    const found = artifacts.filter(
      (each) => each.run === run && (name === undefined ? ids.includes(each.id) : each.name === name),
    )
    if (found.length === 0 || (name === undefined && found.length < ids.length))
      throw new Error('Unable to download artifact(s): Artifact not found')
    return { artifacts: found.map((each) => ({ name: each.name, files: each.files })) }
  }

  /** A folder with the files of a commit, as act runs them. */
  async function workingCopy(
    repository: string,
    { commit, git }: { readonly commit: string; readonly git: string },
  ): Promise<string> {
    const target = mkdtempSync(join(folder, 'copy-'))
    execFileSync('git', ['clone', '--quiet', '--no-checkout', git, target], { stdio: 'ignore' })
    execFileSync('git', ['fetch', '--quiet', 'origin', commit], { cwd: target, stdio: 'ignore' })
    execFileSync('git', ['checkout', '--quiet', '--detach', commit], { cwd: target, stdio: 'ignore' })
    const at = { repository: catalog, commit: repository === catalog ? commit : '' }
    const workflows = join(target, '.github/workflows')
    for (const name of readdirSync(workflows)) {
      const file = join(workflows, name)
      const text = readFileSync(file, 'utf8')
      mkdirSync(join(target, declarations), { recursive: true })
      writeFileSync(join(target, declarations, name), text)
      writeFileSync(file, copyFor(text, at))
    }
    return target
  }

  /** A folder from which the workflows of a working copy are served, with the actions built into it. */
  function served(copy: string): string {
    const target = mkdtempSync(join(folder, 'served-'))
    cpSync(join(copy, '.github'), join(target, '.github'), { recursive: true })
    for (const file of globSync('*/action.yml', { cwd: join(root, 'actions') })) {
      cpSync(join(root, 'actions', file), join(target, '.protium/actions', file))
    }
    cpSync(join(root, 'dist'), join(target, '.protium/dist'), { recursive: true })
    return target
  }

  async function run(wanted: Wanted): Promise<Run> {
    const { repository, workflow, event, payload, branch, actor, again } = wanted
    let git = await mirror.fetch(repository, commitOf(wanted))
    const base = event === 'pull_request' ? textIn(payload, 'pull_request', 'base', 'sha') : undefined
    const commit = base === undefined ? wanted.commit : await mirror.merge(repository, { base, head: wanted.commit })
    // GitHub runs nothing for a pull request that cannot be merged.
    if (commit === undefined) throw new Error('The pull request has conflicts')
    const own = await workingCopy(repository, { commit, git })
    const main = (await github.head(catalog)) ?? ''
    git = await mirror.fetch(catalog, main)
    // A run of the catalog itself uses its workflows and actions at its own commit, a caller those of its main branch.
    const atMain = served(commit === main ? own : await workingCopy(catalog, { commit: main, git }))
    const shared = repository === catalog && commit !== main ? served(own) : atMain
    const headRepository = textIn(payload, 'pull_request', 'head', 'repo', 'full_name')
    const id =
      again?.run ??
      (await github.beginRun({
        repository,
        workflow,
        ...nameIn(readFileSync(join(own, workflow), 'utf8')),
        event,
        branch,
        sha: wanted.commit,
        actor,
        ...(event === 'pull_request' ? { pulls: [numberIn(payload, 'number') ?? 0] } : {}),
        ...(headRepository === undefined ? {} : { headRepository }),
      }))
    // Each attempt hands on artifacts of its own.
    for (const each of artifacts.filter(({ run }) => run === id)) artifacts.splice(artifacts.indexOf(each), 1)
    const running: Running = {
      wanted,
      commit,
      jobs: declaredIn({ own: [own, shared], main: atMain }, workflow),
      started: new Map(),
      summaries: new Map(),
    }
    runs.set(id, running)
    const eventFile = join(folder, `event-${id}.json`)
    writeFileSync(eventFile, JSON.stringify(payload))
    const acted = await runAct({
      folder: own,
      workflow,
      event,
      eventFile,
      repositories: new Map([
        [`${catalog}@${commit}`, shared],
        ...[main, 'main'].map((ref) => [`${catalog}@${ref}`, atMain] as const),
        ...thirdParties(join(shared, '.github/workflows')),
        ...thirdParties(join(atMain, '.github/workflows')),
      ]),
      env: {
        ...env,
        GITHUB_API_URL: github.url,
        GITHUB_REPOSITORY: repository,
        GITHUB_RUN_ID: String(id),
        GITHUB_RUN_ATTEMPT: String(again?.attempt ?? 1),
        PROTIUM_E2E: control,
      },
      vars: { ...vars, ...(Object.keys(roles).length === 0 ? {} : { PROTIUM_ROLE: 'the role of the environment' }) },
      secrets: {
        ...(headRepository === undefined || headRepository === repository ? secrets : {}),
        GITHUB_TOKEN: placeholder,
      },
      actor,
      bin,
      cache: join(folder, `act-${id}`),
    })
    const all = [...running.started.values()]
    for (const [index, { id: name, started }] of all.entries()) {
      const begun = await started
      const named = acted.jobs.filter((each) => each.id === name)
      // Several calls of one workflow have jobs of the same name; each ends in its turn.
      const isEach = named.length === all.filter((each) => each.id === name).length
      const nth = all.slice(0, index).filter((each) => each.id === name).length
      const ended = isEach ? named.slice(nth, nth + 1) : named
      const well = ended.length > 0 && ended.every(({ result }) => result === 'success')
      if (begun.is === 'started')
        await github.endJob({ repository, run: id, job: begun.job, conclusion: well ? 'success' : 'failure' })
    }
    const conclusion = acted.code === 0 ? 'success' : 'failure'
    await github.endRun({ repository, run: id, conclusion })
    return { ...acted, run: id, conclusion, summaries: running.summaries, artifacts: artifactsOf(id) }
  }

  function artifactsOf(id: number): Run['artifacts'] {
    const own = artifacts.filter((each) => each.run === id)
    const text = (content: string): string => Buffer.from(content, 'base64').toString('utf8')
    return new Map(
      own.map(({ name, files }) => [
        name,
        new Map(Object.entries(files).map(([file, content]) => [file, text(content)])),
      ]),
    )
  }

  return {
    run,
    appTokens: () => [...appTokens],
    async close() {
      await new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      })
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function commitOf({ commit }: Wanted): string {
  return commit
}

/** The actions of others that workflows name, each with what stands in for it. */
function thirdParties(workflows: string): (readonly [string, string])[] {
  const texts = readdirSync(workflows).map((name) => readFileSync(join(workflows, name), 'utf8'))
  const named = texts.flatMap((text) => [...text.matchAll(/uses: ((?:aws-)?actions\/([a-z-]+)@[0-9a-f]{40})/g)])
  return [...new Map(named.map(([, uses = '', name = '']) => [uses, join(standIns, name)] as const))]
}

/** A workflow: of the repository that runs, at the commit that runs, or `by` its branch of a repository that has it. */
type File = { readonly path: string; readonly by?: string }

/** What the jobs of a workflow and of those that it calls declare, by their ids. `main` has the catalog's as its main branch has them. */
function declaredIn(
  folders: { readonly own: readonly string[]; readonly main: string },
  workflow: string,
): ReadonlyMap<string, Declared> {
  const found = new Map<string, Declared>()
  const open: File[] = [{ path: workflow }]
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    const from = file
    const kept = from.path.replace('.github/workflows', declarations)
    const among = from.by === undefined ? folders.own : [folders.main]
    const text = among.map((folder) => join(folder, kept)).flatMap((each) => readIfThere(each))[0]
    const { jobs }: { jobs: Readonly<Record<string, JobText>> } = parse(text ?? 'jobs: {}')
    for (const [id, { permissions = {}, environment, uses }] of Object.entries(jobs)) {
      if (uses !== undefined) open.push(calledBy(uses, from))
      else
        found.set(id, {
          permissions,
          file: from,
          ...(environment === undefined ? {} : declaredEnvironment(environment)),
        })
    }
  }
  return found
}

/** `$/` is the repository of the very workflow that calls, at its commit. */
function calledBy(uses: string, { by }: File): File {
  const [, repository = '', name = '', ref] = /^(.*)\/\.github\/workflows\/([^@]+)(?:@(.+))?$/.exec(uses) ?? []
  const path = `.github/workflows/${name}`
  if (repository !== '$') return { path, by: `${repository}@refs/heads/${ref}` }
  return by === undefined ? { path } : { path, by }
}

type EnvironmentText = { readonly name: string; readonly deployment?: boolean }

function declaredEnvironment({ name, deployment }: EnvironmentText): Pick<Declared, 'environment' | 'deployment'> {
  return { environment: name, ...(deployment === false ? { deployment } : {}) }
}

type JobText = {
  readonly permissions?: Readonly<Record<string, 'read' | 'write'>>
  readonly environment?: EnvironmentText
  readonly uses?: string
}

function readIfThere(file: string): string[] {
  try {
    return [readFileSync(file, 'utf8')]
  } catch {
    return []
  }
}

function textIn(value: unknown, ...path: readonly string[]): string | undefined {
  const found = dig(value, path)
  return typeof found === 'string' ? found : undefined
}

function numberIn(value: unknown, ...path: readonly string[]): number | undefined {
  const found = dig(value, path)
  return typeof found === 'number' ? found : undefined
}

function dig(value: unknown, path: readonly string[]): unknown {
  let found: unknown = value
  for (const key of path)
    found =
      typeof found === 'object' && found !== null
        ? Object.entries(found).find(([name]) => name === key)?.[1]
        : undefined
  return found
}

/** The payload of the last event of a kind, in a repository; of pushes, of those to the main branch. */
export function lastEvent(github: GitHub, wanted: string, repository?: string): Event['payload'] {
  const found = github
    .events()
    .findLast(
      (event) =>
        event.name === wanted &&
        (repository === undefined || event.repository === repository) &&
        (wanted !== 'push' || event.payload['ref'] === 'refs/heads/main'),
    )
  if (found === undefined) throw new Error(`There is no ${wanted}`)
  return found.payload
}

/** Approves what waits for a person while some work is done, as soon as it waits; says what that was. */
export async function approving<T>(
  work: Promise<T>,
  { github, by }: { readonly github: GitHub; readonly by: string },
): Promise<{ readonly result: T; readonly approved: readonly string[] }> {
  const approved: string[] = []
  const until = new AbortController()
  const ended = work.finally(() => until.abort())
  const { actions } = clientOf(github, { kind: 'user', login: by })
  for await (const { repository, run, job, environment, name } of github.held(until.signal)) {
    // One review is of all that wait for the environment.
    if (!github.waiting().some((each) => each.job === job)) continue
    const [owner = '', repo = ''] = repository.split('/')
    const { id } = await github.act({
      operation: 'repos/get-environment',
      by,
      parameters: { owner, repo, environment_name: environment },
    })
    const review = { environment_ids: [Number(id)], comment: 'Go' }
    await actions.reviewPendingDeploymentsForRun({ owner, repo, run_id: run, ...review, state: 'approved' })
    approved.push(name)
  }
  return { result: await ended, approved }
}

/** The run that a push to the main branch starts: by default of the workflow that deploys, after the last push. */
export function deployOf(
  github: GitHub,
  { repository, actor, again }: Pick<Wanted, 'repository' | 'actor' | 'again'>,
): Wanted {
  const payload = lastEvent(github, 'push', repository)
  return {
    repository,
    workflow: '.github/workflows/deploy.yml',
    event: 'push',
    payload,
    commit: text(payload, 'after'),
    branch: 'main',
    actor,
    ...(again !== undefined && { again }),
  }
}

/** The files of the sample organisation, as a new one would have them: with the workflows that users copy. */
export function sampleCatalog(): FileTree {
  const listed = execFileSync(
    'git',
    ['ls-files', '-z', '--', 'catalog.yaml', 'environments', 'templates', 'services'],
    { cwd: root },
  )
  const files = listed
    .toString()
    .split('\0')
    .filter((path) => path !== '')
  const own = files.map((path): [string, string] => [path, readFileSync(join(root, path), 'utf8')])
  // The copies take the actions from a folder of their own repository, so that nothing of others runs; and what is tried with them
  // does not wait half an hour before production.
  const catalog = own.map(([path, text]): [string, string] => [
    path,
    path === 'catalog.yaml'
      ? text.replace(/actions: actions\b.*/, 'actions: .protium/actions').replace(/\n +soak: .*/, '')
      : text,
  ])
  return new Map([...catalog, ...copies('catalog')].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** What a workflow calls itself, and its runs by that. */
function nameIn(workflow: string): { readonly name?: string } {
  const { name }: { readonly name?: string } = parse(workflow)
  return name === undefined ? {} : { name }
}

/** The files that a service repository copies. */
export function serviceWorkflows(): FileTree {
  return new Map(copies('service'))
}

function copies(of: 'catalog' | 'service'): [string, string][] {
  const folder = join(root, 'workflows', of)
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yml'))
    .map((name) => [`.github/workflows/${name}`, readFileSync(join(folder, name), 'utf8')])
}
