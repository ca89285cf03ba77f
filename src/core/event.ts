/**
 * What a run of a workflow is about, read once into a precise type. What GitHub sends holds words of strangers (titles, names
 * of branches) beside its own (numbers, commits); the latter are checked here, the former are bounded and stay what they are:
 * text to be encoded.
 *
 * https://docs.github.com/en/actions/reference/workflows-and-actions/variables
 * https://docs.github.com/en/webhooks/webhook-events-and-payloads
 */

/** A run, and where it came from. `server` and `api` are addresses without a slash at the end. */
export type Run = {
  readonly server: string
  readonly api: string
  readonly repository: Repository
  readonly defaultBranch: string
  readonly id: number
  readonly attempt: number
  /** Who set it off; with a re-run, who did that. */
  readonly actor: string
  /** What is checked out by default. Of a pull request it is the merge with its base. */
  readonly commit: string
  readonly ref: string
  readonly about: About
}

export type Repository = { readonly owner: string; readonly name: string; readonly id: number }

export type About =
  | {
      readonly is: 'pull-request'
      readonly number: number
      readonly title: string
      readonly author: string
      readonly head: Head
      readonly base: { readonly commit: string; readonly branch: string }
      /** It comes from another repository, or from one that is gone. */
      readonly fork: boolean
    }
  | {
      readonly is: 'push'
      /** Nothing for a tag. */
      readonly branch?: string
      /** What was there before; nothing for a new branch. */
      readonly before?: string
    }
  | { readonly is: 'merge-group'; readonly base: string }
  /** Another run has ended. */
  | { readonly is: 'workflow-run'; readonly id: number; readonly event: string; readonly head: Head }
  | { readonly is: 'other'; readonly event: string }

/** `repository` is missing where a fork was deleted. */
export type Head = { readonly commit: string; readonly branch: string; readonly repository?: Repository }

/** The variables of a step that say what its run is. */
export type Variables = Readonly<Record<string, string | undefined>>

/** Reads a run from the variables of a step and the text of the file that `GITHUB_EVENT_PATH` names. */
export function readRun(
  variables: Variables,
  payload: string,
): { readonly ok: true; readonly run: Run } | { readonly ok: false; readonly fault: string } {
  try {
    return { ok: true, run: runOf(variables, parsed(payload)) }
  } catch (error) {
    if (error instanceof Unusable) return { ok: false, fault: error.message }
    throw error
  }
}

/** Thrown here and caught in `readRun`. */
class Unusable extends Error {}

/** What a change is compared with: the commit before it. Nothing where the run is about no change. */
export function baseOf({ about }: Run): { readonly since: string; readonly merge: boolean } | undefined {
  switch (about.is) {
    case 'pull-request':
      return { since: about.base.commit, merge: true }
    case 'push':
      return about.before === undefined ? undefined : { since: about.before, merge: false }
    case 'merge-group':
      return { since: about.base, merge: false }
    default:
      return undefined
  }
}

function parsed(payload: string): unknown {
  try {
    return JSON.parse(payload)
  } catch (cause) {
    throw new Unusable('The event is no JSON.', { cause })
  }
}

function runOf(variables: Variables, payload: unknown): Run {
  const [owner, name, more] = (variables['GITHUB_REPOSITORY'] ?? '').split('/')
  const about = (key: string): string => `the variable ${key}`
  if (more !== undefined) throw new Unusable('GITHUB_REPOSITORY has more than an owner and a name.')
  return {
    server: address(variables['GITHUB_SERVER_URL'] ?? 'https://github.com', about('GITHUB_SERVER_URL')),
    api: address(variables['GITHUB_API_URL'] ?? 'https://api.github.com', about('GITHUB_API_URL')),
    repository: {
      owner: login(owner, about('GITHUB_REPOSITORY')),
      name: repositoryName(name, about('GITHUB_REPOSITORY')),
      id: number(Number(variables['GITHUB_REPOSITORY_ID'] ?? at(payload, 'repository', 'id')), 'the repository’s id'),
    },
    defaultBranch: words(at(payload, 'repository', 'default_branch') ?? 'main', 'the default branch'),
    id: number(Number(variables['GITHUB_RUN_ID']), about('GITHUB_RUN_ID')),
    attempt: number(Number(variables['GITHUB_RUN_ATTEMPT'] ?? '1'), about('GITHUB_RUN_ATTEMPT')),
    actor: actor(variables['GITHUB_TRIGGERING_ACTOR'] ?? variables['GITHUB_ACTOR'], about('GITHUB_ACTOR')),
    commit: commit(variables['GITHUB_SHA'], about('GITHUB_SHA')),
    ref: words(variables['GITHUB_REF'], about('GITHUB_REF')),
    about: aboutOf(variables['GITHUB_EVENT_NAME'] ?? '', { variables, payload }),
  }
}

function aboutOf(
  event: string,
  { variables, payload }: { readonly variables: Variables; readonly payload: unknown },
): About {
  switch (event) {
    case 'pull_request': {
      const pull = at(payload, 'pull_request')
      const head = headOf(pull)
      const own = at(pull, 'base', 'repo', 'id')
      return {
        is: 'pull-request',
        number: number(at(pull, 'number'), 'the pull request’s number'),
        title: words(at(pull, 'title'), 'the title'),
        author: actor(at(pull, 'user', 'login'), 'the author'),
        head,
        base: {
          commit: commit(at(pull, 'base', 'sha'), 'the base’s commit'),
          branch: words(at(pull, 'base', 'ref'), 'the base’s branch'),
        },
        fork: head.repository === undefined || head.repository.id !== own,
      }
    }
    case 'push': {
      const ref = words(at(payload, 'ref') ?? variables['GITHUB_REF'], 'the ref')
      const before = at(payload, 'before')
      return {
        is: 'push',
        ...(ref.startsWith('refs/heads/') && { branch: ref.slice('refs/heads/'.length) }),
        ...(typeof before === 'string' && !/^0*$/u.test(before) && { before: commit(before, 'the commit before') }),
      }
    }
    case 'merge_group':
      return { is: 'merge-group', base: commit(at(payload, 'merge_group', 'base_sha'), 'the base of the merge group') }
    case 'workflow_run': {
      const other = at(payload, 'workflow_run')
      return {
        is: 'workflow-run',
        id: number(at(other, 'id'), 'the id of the other run'),
        event: words(at(other, 'event'), 'the event of the other run'),
        head: {
          commit: commit(at(other, 'head_sha'), 'the commit of the other run'),
          branch: words(at(other, 'head_branch'), 'the branch of the other run'),
          ...repositoryOf(at(other, 'head_repository')),
        },
      }
    }
    default:
      return { is: 'other', event: words(event, 'the name of the event') }
  }
}

function headOf(pull: unknown): Head {
  return {
    commit: commit(at(pull, 'head', 'sha'), 'the head’s commit'),
    branch: words(at(pull, 'head', 'ref'), 'the head’s branch'),
    ...repositoryOf(at(pull, 'head', 'repo')),
  }
}

function repositoryOf(value: unknown): Pick<Head, 'repository'> {
  if (value === null || value === undefined) return {}
  return {
    repository: {
      owner: login(at(value, 'owner', 'login'), 'the owner of the other repository'),
      name: repositoryName(at(value, 'name'), 'the name of the other repository'),
      id: number(at(value, 'id'), 'the id of the other repository'),
    },
  }
}

/** The value at a path of own keys; nothing where the path leads nowhere. */
function at(value: unknown, ...path: readonly string[]): unknown {
  let found: unknown = value
  for (const step of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step)) return undefined
    found = Reflect.get(found, step)
  }
  return found
}

function matching(value: unknown, { what, pattern }: { readonly what: string; readonly pattern: RegExp }): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw new Unusable(`The event does not say ${what}.`)
  return value
}

function commit(value: unknown, what: string): string {
  return matching(value, { what, pattern: /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/u })
}

function login(value: unknown, what: string): string {
  return matching(value, { what, pattern: /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9_])?$/u })
}

/** A person, or a bot: `dependabot[bot]`. */
function actor(value: unknown, what: string): string {
  return matching(value, { what, pattern: /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}(?:\[bot\])?$/u })
}

function repositoryName(value: unknown, what: string): string {
  return matching(value, { what, pattern: /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/u })
}

function address(value: string, what: string): string {
  return matching(value.replace(/\/+$/u, ''), {
    what,
    pattern: /^https?:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?(?:\/[A-Za-z0-9._/-]*)?$/u,
  })
}

function number(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1)
    throw new Unusable(`The event does not say ${what}.`)
  return value
}

/** Words of people. GitHub bounds them; so do we, in case that it is not GitHub. */
function words(value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '') throw new Unusable(`The event does not say ${what}.`)
  return value.slice(0, 100_000)
}
