import { createHash, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { runOf } from './actions.ts'
import type { JsonMap } from './json.ts'
import { fullNameOf, repositoryOf, type WorkflowRun } from './state.ts'
import type { Answer, World } from './world.ts'

/** GitHub's provider of identities, as every token names it: https://docs.github.com/en/actions/reference/security/oidc */
export const issuer = 'https://token.actions.githubusercontent.com'

const folder = '/_oidc'
/** What GitHub's tokens live. */
const seconds = 300

/** What a job finds in its environment if it may ask for an identity. */
export type IdentityRequest = {
  /** `ACTIONS_ID_TOKEN_REQUEST_URL`. */
  readonly url: string
  /** `ACTIONS_ID_TOKEN_REQUEST_TOKEN`. */
  readonly token: string
}

/** A job that may ask, and what is vouched for besides its run. */
export type Bearer = {
  readonly repository: string
  readonly run: number
  readonly job: number
  readonly environment: string | undefined
  /** The ref that it runs for; of a pull request that of the merge, if nothing is said. */
  readonly ref: string | undefined
  /** The workflow that the job stands in, if it is not that of the run: `owner/name/.github/workflows/x.yml@refs/heads/main`. */
  readonly workflow: string | undefined
}

export type Oidc = {
  offer(bearer: Bearer): IdentityRequest
  /** The answer to a request for one of its paths; nothing for the others. */
  answer(asked: { readonly url: URL; readonly authorization: string | undefined }): Answer | undefined
}

export function newOidc(world: World): Oidc {
  const bearers = new Map<string, Bearer>()
  let given = 0

  function tokenFor({ url, authorization }: Parameters<Oidc['answer']>[0]): Answer {
    const bearer = bearers.get(/^bearer (\S+)$/i.exec(authorization ?? '')?.[1] ?? '')
    if (bearer === undefined || !isRunning(world, bearer)) return { status: 401, body: { message: 'Unauthorized' } }
    given += 1
    const claims = claimsOf(world, bearer)
    const now = Math.floor(world.clock.now().getTime() / 1000)
    const { owner } = repositoryOf(world.state, bearer.repository)
    const value = sign({
      ...claims,
      iss: issuer,
      aud: url.searchParams.get('audience') ?? `https://github.com/${owner}`,
      jti: createHash('sha256').update(`identity ${given}`).digest('hex').slice(0, 32),
      iat: now,
      nbf: now - 600,
      exp: now + seconds,
    })
    return { status: 200, body: { count: value.length, value } }
  }

  return {
    offer: (bearer) => {
      const token = createHash('sha256').update(`identity request ${bearers.size} ${bearer.job}`).digest('base64url')
      bearers.set(token, bearer)
      return { url: `${world.url}${folder}/token/${bearer.run}/${bearer.job}?api-version=2.0`, token }
    },
    answer: (asked) => {
      const { pathname } = asked.url
      if (!pathname.startsWith(`${folder}/`)) return undefined
      if (pathname === `${folder}/.well-known/openid-configuration`) return { status: 200, body: configuration(world) }
      if (pathname === `${folder}/.well-known/jwks`) return { status: 200, body: keySet() }
      if (pathname.startsWith(`${folder}/token/`)) return tokenFor(asked)
      return { status: 404, body: { message: 'Not Found' } }
    },
  }
}

/** A job that has ended asks for nothing more. */
function isRunning(world: World, { repository, run, job }: Bearer): boolean {
  const { jobs } = runOf(repositoryOf(world.state, repository), run)
  return jobs.some(({ id, status }) => id === job && status === 'in_progress')
}

function claimsOf(world: World, bearer: Bearer): JsonMap {
  const repository = repositoryOf(world.state, bearer.repository)
  const run = runOf(repository, bearer.run)
  const { owner, name, id } = repository
  const ownerId = world.state.organisations[owner]?.id ?? world.state.users[owner] ?? 0
  const ref = bearer.ref ?? refOf(run)
  const workflow = `${fullNameOf(repository)}/${run.workflow}@${ref}`
  const { environment } = bearer
  const pull = run.pulls[0] === undefined ? undefined : repository.pulls[run.pulls[0]]
  const what =
    environment !== undefined
      ? `environment:${environment}`
      : run.event === 'pull_request'
        ? 'pull_request'
        : `ref:${ref}`
  const subject = repository.immutableSubject === true ? `${owner}@${ownerId}/${name}@${id}` : `${owner}/${name}`
  return {
    sub: `repo:${subject}:${what}`,
    ...(environment === undefined ? {} : { environment }),
    actor: run.actor,
    actor_id: String(world.state.users[run.actor] ?? 0),
    base_ref: pull?.base ?? '',
    check_run_id: String(bearer.job),
    event_name: run.event,
    head_ref: pull?.head.branch ?? '',
    job_workflow_ref: bearer.workflow ?? workflow,
    ref,
    ref_type: ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    repository: fullNameOf(repository),
    repository_id: String(id),
    repository_owner: owner,
    repository_owner_id: String(ownerId),
    repository_visibility: repository.private ? 'private' : 'public',
    run_attempt: String(run.attempt),
    run_id: String(run.id),
    run_number: String(run.number),
    runner_environment: 'github-hosted',
    sha: run.sha,
    workflow: run.name,
    workflow_ref: workflow,
    workflow_sha: run.sha,
  }
}

function refOf({ event, pulls, branch }: WorkflowRun): string {
  return event === 'pull_request' && pulls[0] !== undefined ? `refs/pull/${pulls[0]}/merge` : `refs/heads/${branch}`
}

let pair: { readonly publicKey: KeyObject; readonly privateKey: KeyObject } | undefined

/** A key of its own, which signs nothing else. */
function keys(): NonNullable<typeof pair> {
  pair ??= generateKeyPairSync('rsa', { modulusLength: 2048 })
  return pair
}

function keyId(): string {
  return createHash('sha256')
    .update(keys().publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 40)
}

function keySet(): JsonMap {
  const { n = '', e = '' } = keys().publicKey.export({ format: 'jwk' })
  return { keys: [{ kty: 'RSA', alg: 'RS256', use: 'sig', kid: keyId(), n, e }] }
}

function configuration({ url }: World): JsonMap {
  return {
    issuer,
    // GitHub's are below the issuer; these are where this server is.
    jwks_uri: `${url}${folder}/.well-known/jwks`,
    subject_types_supported: ['public', 'pairwise'],
    response_types_supported: ['id_token'],
    id_token_signing_alg_values_supported: ['RS256'],
    scopes_supported: ['openid'],
  }
}

function sign(claims: JsonMap): string {
  const part = (value: JsonMap): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ typ: 'JWT', alg: 'RS256', kid: keyId() })}.${part(claims)}`
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(keys().privateKey, 'base64url')}`
}
