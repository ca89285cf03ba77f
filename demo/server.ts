import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { clientOf } from '../test/fakes/github/client.ts'
import type { GitHub } from '../test/fakes/github/server.ts'
import type { FileTree } from '../src/core/tree.ts'
import type { DeploymentRecord } from '../src/ports.ts'
import { readOrganisationAt, type StageFacts } from './facts.ts'
import type { Html } from './html.ts'
import { html } from './html.ts'
import type { CheckView, CommentView, DeploymentView, PullView, StandingView } from './pages.ts'
import { deploymentsPage, overview, page, pullPage, runList, runPage, script, style } from './pages.ts'
import type { Runner } from './runner.ts'
import { catalog, mend, open, organisation, people, repository, tries, tryOf } from './story.ts'

const at = { owner: organisation, repo: catalog }

export type Site = {
  readonly url: string
  /** Tells the open pages that something is another than before. */
  readonly changed: () => void
  readonly close: () => Promise<void>
}

export type SiteOptions = {
  readonly github: GitHub
  readonly runner: () => Runner
  readonly records: () => Promise<readonly DeploymentRecord[]>
  readonly port: number
}

/** Throws what stands in the way of serving at a port: `EADDRINUSE`. */
export async function checkPort(port: number): Promise<void> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  await new Promise((resolve) => server.close(resolve))
}

/** Serves the pages on loopback. It takes orders from its own pages only. */
export async function startSite({ github, runner, records, port }: SiteOptions): Promise<Site> {
  const client = clientOf(github, { kind: 'user', login: people.platform })
  const listeners = new Set<ServerResponse>()
  const facts = new Map<string, StageFacts>()
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error)
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' })
      response.end(message)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The pages have no port')
  const url = `http://127.0.0.1:${address.port}`

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', url)
    // A page of somebody else may neither read nor order, whatever name it has given this machine.
    if (request.headers.host !== new URL(url).host) return send(response, { status: 421, text: 'Not this host.' })
    if (request.method === 'POST') {
      const { origin } = request.headers
      if (origin !== undefined && origin !== url) return send(response, { status: 403, text: 'Not from this page.' })
      const to = await order(pathname)
      response.writeHead(303, { location: to }).end()
      return
    }
    if (pathname === '/changes') {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
      response.write(': here\n\n')
      listeners.add(response)
      request.once('close', () => listeners.delete(response))
      return
    }
    if (pathname === '/demo.css') return send(response, { type: 'text/css', text: style })
    if (pathname === '/demo.js') return send(response, { type: 'text/javascript', text: script })
    const found = await look(pathname)
    if (found === undefined)
      return send(response, {
        status: 404,
        type: 'text/html',
        text: page(
          'Not found',
          html`<h1>There is no such page</h1>
            <p><a href="/">Back to the overview</a></p>`,
        ),
      })
    send(response, { type: 'text/html', text: page(found.title, found.body) })
  }

  async function look(path: string): Promise<{ readonly title: string; readonly body: Html } | undefined> {
    const [, kind = '', id = ''] = path.split('/')
    if (path === '/') return { title: 'Overview', body: await home() }
    if (path === '/runs')
      return {
        title: 'Runs',
        body: html`<h1>Runs</h1>
          ${runList(runner().runs())}`,
      }
    if (path === '/deployments') return { title: 'Deployments', body: deploymentsPage(await deployments()) }
    if (kind === 'pulls') {
      const pull = (await pulls()).find(({ number }) => String(number) === id)
      return pull === undefined ? undefined : { title: pull.title, body: await pullOf(pull) }
    }
    if (kind === 'runs') {
      const run = runner()
        .runs()
        .find((each) => String(each.id) === id)
      if (run === undefined) return undefined
      const waiting = github.waiting().filter((each) => each.run === run.id)
      return { title: run.workflow, body: runPage(run, { waiting: waiting.map(({ name }) => name) }) }
    }
    return undefined
  }

  async function home(): Promise<Html> {
    const main = (await github.head(repository)) ?? ''
    const known = facts.get(main) ?? readOrganisationAt(await github.files(repository))
    facts.set(main, known)
    const all = await records()
    const latest = new Map(all.map((record) => [record.unit, record]))
    const opened = await pulls()
    return overview({
      tries: tries.map((each) => {
        const pull = opened.findLast(({ branch }) => tryOf(branch)?.id === each.id)
        return { try: each, pull: pull?.number, state: pull?.state ?? '' }
      }),
      stages: known.stages,
      services: known.services.map(({ name, units }) => ({
        name,
        stages: units.map((unit): StandingView | undefined => {
          const record = unit === undefined ? undefined : latest.get(unit.id)
          if (record === undefined || unit === undefined) return undefined
          const { version, outcome, commit = '' } = record
          return { unit: unit.id, version, outcome, commit, address: unit.address }
        }),
      })),
      runs: runner().runs(),
      waiting: github.waiting().map(({ run, name }) => ({ run, name })),
    })
  }

  async function pulls(): Promise<readonly PullView[]> {
    const { data } = await client.pulls.list({ ...at, state: 'all', sort: 'created', direction: 'asc', per_page: 100 })
    return data.map(({ number, title, body, user, head, state, merged_at: merged }) => ({
      number,
      title,
      body: body ?? '',
      author: user?.login ?? '',
      branch: head.ref,
      state: merged !== null ? 'merged' : state === 'open' ? 'open' : 'closed',
    }))
  }

  async function pullOf(pull: PullView): Promise<Html> {
    const { data: whole } = await client.pulls.get({ ...at, pull_number: pull.number })
    const [before, after, comments, checks] = await Promise.all([
      filesAt(whole.base.sha),
      filesAt(whole.head.sha),
      client.issues.listComments({ ...at, issue_number: pull.number }),
      client.checks.listForRef({ ...at, ref: whole.head.sha }),
    ])
    const views = checks.data.check_runs.map(({ name, status, conclusion, output }): CheckView => ({
      name,
      conclusion: conclusion ?? status,
      title: output.title ?? '',
    }))
    const plan = views.find(({ name }) => name === 'protium/plan')
    const fix = tryOf(pull.branch)?.fix
    const isMended = fix === undefined || plan === undefined || plan.conclusion === 'success'
    return pullPage({
      pull,
      before,
      after,
      comments: comments.data.map(({ user, body, created_at: made, updated_at: edited }): CommentView => ({
        author: user?.login ?? '',
        body: body ?? '',
        edited: made !== edited,
      })),
      checks: views,
      runs: runner()
        .runs()
        .filter((run) => run.pull === pull.number || run.commit === whole.merge_commit_sha),
      mergeable: plan?.conclusion === 'success',
      fix: isMended ? undefined : fix?.words,
    })
  }

  async function filesAt(commit: string): Promise<FileTree> {
    return github.files(repository, commit)
  }

  async function deployments(): Promise<readonly DeploymentView[]> {
    const { data } = await client.repos.listDeployments({ ...at, per_page: 30 })
    return Promise.all(
      data.map(async ({ id, environment, sha, description, created_at: made }): Promise<DeploymentView> => {
        const { data: statuses } = await client.repos.listDeploymentStatuses({ ...at, deployment_id: id, per_page: 1 })
        const [last] = statuses
        return {
          id,
          environment,
          commit: sha,
          description: description ?? '',
          state: last?.state ?? 'queued',
          words: last?.description ?? '',
          address: last?.environment_url ?? '',
          at: made,
        }
      }),
    )
  }

  /** Does what a button says; where to go then. */
  async function order(path: string): Promise<string> {
    const [, kind = '', id = '', act = ''] = path.split('/')
    const chosen = tries.find((each) => kind === 'try' && each.id === id)
    if (chosen !== undefined) {
      const number = await open(github, chosen)
      runner().look()
      return `/pulls/${number}`
    }
    if (kind === 'pulls') {
      const pull = (await pulls()).find(({ number }) => String(number) === id)
      if (pull === undefined) throw new Error('There is no such pull request.')
      if (act === 'merge') {
        await github.act({
          operation: 'pulls/merge',
          by: people.developer,
          parameters: { ...at, pull_number: pull.number },
        })
      } else await mend(github, { branch: pull.branch, fix: tryOf(pull.branch)?.fix })
      runner().look()
      return `/pulls/${pull.number}`
    }
    if (kind === 'runs' && act === 'again') runner().again(Number(id))
    else if (kind === 'runs') await review(Number(id), act === 'approve' ? 'approved' : 'rejected')
    else throw new Error('There is nothing to do.')
    return `/runs/${id}`
  }

  async function review(run: number, state: 'approved' | 'rejected'): Promise<void> {
    const waiting = github.waiting().filter((each) => each.run === run)
    for (const environment of new Set(waiting.map((each) => each.environment))) {
      const { data } = await client.repos.getEnvironment({ ...at, environment_name: environment })
      await client.actions.reviewPendingDeploymentsForRun({
        ...at,
        run_id: run,
        environment_ids: [data.id],
        state,
        comment: state === 'approved' ? 'As planned.' : 'Not now.',
      })
    }
  }

  return {
    url,
    changed() {
      for (const listener of listeners) listener.write('data: changed\n\n')
    },
    async close() {
      for (const listener of listeners) listener.end()
      await new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      })
    },
  }
}

type Sent = { readonly status?: number; readonly type?: string; readonly text: string }

function send(response: ServerResponse, { status = 200, type = 'text/plain', text }: Sent): void {
  response
    .writeHead(status, {
      'content-type': `${type}; charset=utf-8`,
      'cache-control': 'no-store',
      'content-security-policy':
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
    .end(text)
}
