import type {
  BranchFacts,
  EnvironmentFacts,
  InstallationFacts,
  PersonFacts,
  Passer,
  RepositoryFacts,
  Seen,
} from '../../core/doctor/facts.ts'
import { seen } from '../../core/doctor/facts.ts'
import { Refused } from '../../core/problem.ts'
import type { SettingsHost } from '../../ports.ts'
import type { Client, ClientOptions } from './client.ts'
import { clientOf } from './client.ts'
import { isStatus, told, wordsOf } from './refusal.ts'

type Octokit = Client['octokit']
type At = { readonly owner: string; readonly repo: string }

/** Looks, and says `hidden` for what the token may not see. What does not answer once is not asked again. */
type Look = <T>(doing: string, ask: () => Promise<T>, absent?: () => T) => Promise<Seen<T>>

/** How GitHub is set up. `ask` throws nothing but that the run was stopped. */
export function settingsOf(options: ClientOptions): SettingsHost {
  const { octokit } = clientOf(options)
  const look = lookOf()
  return {
    repository: async (name, kind) => repository(octokit, look, { name, kind }),
    plan: async (owner) => {
      const found = await look<Seen<string | undefined> | 'hidden'>(
        `see the plan of ${owner}`,
        async () => {
          const { data } = await octokit.rest.orgs.get({ org: owner })
          return data.plan === undefined ? 'hidden' : seen(data.plan.name)
        },
        // A user's repositories have no organisation.
        () => seen(undefined),
      )
      if (found.is === 'hidden') return found
      return found.value === 'hidden' ? hiddenFor('organization-plan: read') : found.value
    },
    person: async (name, repositoryName) => {
      const [owner = '', team] = name.replace(/^@/u, '').split('/')
      return look<PersonKind>(
        `see who ${name} is`,
        async () => {
          if (team !== undefined) {
            const { data } = await octokit.rest.teams.getByName({ org: owner, team_slug: team })
            return { is: 'team' as const, members: data.members_count }
          }
          const { data } = await octokit.rest.repos.getCollaboratorPermissionLevel({
            ...placeOf(repositoryName),
            username: owner,
          })
          return { is: 'person' as const, writes: data.permission === 'write' || data.permission === 'admin' }
        },
        () => ({ is: 'absent' as const }),
      )
    },
    app: async (variable, repositoryName) => {
      const at = placeOf(repositoryName)
      const value = await variableOf({ octokit, look, at, name: variable })
      if (value.is === 'hidden') return { value, installation: value }
      const installation = await look(`list the Apps of ${at.owner}`, async () => {
        const { data } = await octokit.rest.orgs.listAppInstallations({ org: at.owner, per_page: 100 })
        return data.installations.map(
          ({ client_id: client, app_id: id, app_slug: slug, permissions, repository_selection: selection }) =>
            ({
              client: client ?? String(id),
              name: slug,
              permissions: { ...permissions },
              isEverywhere: selection === 'all',
            }) satisfies InstallationFacts,
        )
      })
      if (installation.is === 'hidden') return { value, installation }
      return { value, installation: seen(installation.value.find(({ client }) => client === value.value)) }
    },
    topic: async (owner, topic) =>
      look(`search the repositories of ${owner}`, async () => {
        const all = await octokit.paginate(octokit.rest.search.repos, {
          q: `org:${owner} topic:${topic} archived:false`,
          per_page: 100,
        })
        return all.map(({ full_name: name }) => name).toSorted()
      }),
  }
}

type PersonKind = Extract<PersonFacts['is'], { readonly is: 'seen' }>['value']

function placeOf(name: string): At {
  const [owner = '', repo = ''] = name.split('/')
  return { owner, repo }
}

/** What GitHub says of it: "Upgrade to GitHub Pro or make this repository public to enable this feature." */
const unavailable: Seen<never> = {
  is: 'hidden',
  why: 'GitHub has none of this for private repositories on the plan of this organisation',
  fix: 'Make the repository public, or pay for GitHub Team: without it nothing keeps who may push from deploying.',
  isUnavailable: true,
}

function hiddenFor(needs: string): Seen<never> {
  return { is: 'hidden', why: `The token may not see it: it lacks ${needs}`, needs }
}

function lookOf(): Look {
  let gone: Seen<never> | undefined
  return async (doing, ask, absent) => {
    if (gone !== undefined) return gone
    try {
      return seen(await told(doing, ask))
    } catch (error) {
      if (!(error instanceof Refused) || error.code === 'interrupted') throw error
      const { code, cause, remedy } = error
      if (isStatus(cause, 403) && /\bupgrade to github\b/iu.test(wordsOf(cause))) return unavailable
      if (code === 'github-not-found' && absent !== undefined) return seen(absent())
      const needs = neededBy(cause)
      if (needs !== undefined && !isStatus(cause, 401)) return hiddenFor(needs)
      if (code === 'github-not-found' || (code === 'github-permission' && !isStatus(cause, 401)))
        return { is: 'hidden', why: 'The token may not see it' }
      const why =
        code === 'github-permission'
          ? 'GitHub does not know the token'
          : code === 'github-rate-limited'
            ? 'GitHub takes no more requests for now'
            : 'GitHub did not answer'
      if (code === 'github-conflict') return { is: 'hidden', why, fix: remedy }
      // A token that is none is the caller's; the others pass by themselves.
      const isDown = code !== 'github-permission'
      gone = { is: 'hidden', why, fix: remedy, ...(isDown && { isDown }) }
      return gone
    }
  }
}

/** GitHub names the permissions that would have been enough; the first of several ways. */
function neededBy(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('response' in error)) return undefined
  const { response } = error
  if (typeof response !== 'object' || response === null || !('headers' in response)) return undefined
  const { headers } = response
  if (typeof headers !== 'object' || headers === null || !('x-accepted-github-permissions' in headers)) return undefined
  const accepted = headers['x-accepted-github-permissions']
  const [first] = typeof accepted === 'string' ? accepted.split(/[;,]/u) : []
  return first === undefined || !/^[a-z_]+=[a-z]+$/u.test(first.trim())
    ? undefined
    : first.trim().replaceAll('_', '-').replace('=', ': ')
}

type Variable = { readonly octokit: Octokit; readonly look: Look; readonly at: At; readonly name: string }

/** A repository's own comes before its owner's. */
async function variableOf({ octokit, look, at, name }: Variable): Promise<Seen<string | undefined>> {
  const own = await look<string | undefined>(
    `read the variable ${name}`,
    async () => (await octokit.rest.actions.getRepoVariable({ ...at, name })).data.value,
    () => undefined,
  )
  if (own.is === 'hidden' || own.value !== undefined) return own
  return look(`list the variables of ${at.owner}`, async () => {
    const all = await octokit.paginate(octokit.rest.actions.listRepoOrganizationVariables, { ...at, per_page: 30 })
    return all.find((each) => each.name === name)?.value
  })
}

type Wanted = { readonly name: string; readonly kind: 'catalog' | 'services' }

async function repository(octokit: Octokit, look: Look, { name, kind }: Wanted): Promise<RepositoryFacts> {
  const at = placeOf(name)
  const about = await look<Awaited<ReturnType<typeof aboutOf>> | undefined>(
    `look at ${name}`,
    async () => aboutOf(octokit, at),
    () => undefined,
  )
  const main = about.is === 'seen' ? about.value?.defaultBranch : undefined
  if (main === undefined) {
    const hidden: Seen<never> = about.is === 'hidden' ? about : { is: 'hidden', why: 'There is no such repository' }
    return {
      name,
      about,
      environments: hidden,
      main: hidden,
      ledger: hidden,
      board: hidden,
      actions: hidden,
      access: hidden,
      ownersErrors: hidden,
      isSubjectOwn: hidden,
      workflows: hidden,
    }
  }
  const branch = async (each: string): Promise<Seen<BranchFacts>> =>
    look(`read the rules of ${each} in ${name}`, async () => branchOf(octokit, look, { at, branch: each }))
  return {
    name,
    about,
    environments: await look(`list the environments of ${name}`, async () => environmentsOf(octokit, at)),
    main: await branch(main),
    ledger: await branch('protium-ledger'),
    board: await branch('protium-board'),
    actions: await look(`see what ${name} may run`, async () => {
      const { data } = await octokit.rest.actions.getGithubActionsPermissionsRepository(at)
      const { enabled: isEnabled, allowed_actions: allowed = 'all' } = data
      if (allowed !== 'selected') return { isEnabled, allowed: { is: allowed === 'all' ? 'all' : 'local' } as const }
      const { data: selected } = await octokit.rest.actions.getAllowedActionsRepository(at)
      const { github_owned_allowed: ofGitHub = false, patterns_allowed: patterns = [] } = selected
      return { isEnabled, allowed: { is: 'listed', ofGitHub, patterns } as const }
    }),
    access:
      kind === 'services'
        ? seen('none')
        : await look(`see who may call the workflows of ${name}`, async () => {
            const { data } = await octokit.rest.actions.getWorkflowAccessToRepository(at)
            return data.access_level
          }),
    ownersErrors:
      kind === 'services'
        ? seen(undefined)
        : await look(
            `read what is wrong in the code owners of ${name}`,
            async () =>
              (await octokit.rest.repos.codeownersErrors(at)).data.errors.map(({ line, kind, source = '' }) => ({
                line,
                kind,
                source,
              })),
            () => undefined,
          ),
    isSubjectOwn: await look(`read the form of the subjects of ${name}`, async () => {
      const { data } = await octokit.rest.actions.getCustomOidcSubClaimForRepo(at)
      return data.use_default
    }),
    workflows:
      kind === 'catalog'
        ? seen(new Map())
        : await look(
            `read the workflows of ${name}`,
            async () => workflowsOf(octokit, at),
            () => new Map(),
          ),
  }
}

async function aboutOf(octokit: Octokit, at: At) {
  const { data } = await octokit.rest.repos.get(at)
  return {
    id: String(data.id),
    name: data.full_name,
    owner: { id: String(data.owner.id) },
    isPrivate: data.private,
    isArchived: data.archived,
    defaultBranch: data.default_branch,
  }
}

/** The ways in which a rule does not hold for somebody at any time; "for pull requests" is not one. */
const atAnyTime = new Set(['always', 'exempt'])

/** The number of the App that jobs act as. */
const actionsApp = 15_368

async function branchOf(
  octokit: Octokit,
  look: Look,
  { at, branch }: { readonly at: At; readonly branch: string },
): Promise<BranchFacts> {
  const rules = await octokit.paginate(octokit.rest.repos.getBranchRules, { ...at, branch, per_page: 100 })
  const older = await look(
    `look at the branch ${branch}`,
    async () => (await octokit.rest.repos.getBranch({ ...at, branch })).data.protection.enabled === true,
    () => false,
  )
  const pulls = rules.flatMap((rule) => (rule.type === 'pull_request' ? [rule.parameters] : []))
  const checks = rules.flatMap((rule) =>
    rule.type === 'required_status_checks' ? (rule.parameters?.required_status_checks ?? []) : [],
  )
  const workflows = rules.flatMap((rule) => (rule.type === 'workflows' ? (rule.parameters?.workflows ?? []) : []))
  const ids = new Set(rules.flatMap(({ ruleset_id: id }) => (id === undefined ? [] : [id])))
  return {
    isOlderKind: older.is === 'seen' && older.value,
    ...(pulls.length > 0 && {
      pullRequest: {
        approvals: Math.max(0, ...pulls.map((each) => each?.required_approving_review_count ?? 0)),
        byOwners: pulls.some((each) => each?.require_code_owner_review === true),
      },
    }),
    checks: checks.map(({ context, integration_id: app }) => ({
      name: context,
      ...(app !== undefined && { app }),
    })),
    workflows: workflows.map(({ path }) => path),
    types: [...new Set(rules.map(({ type }) => type))],
    passedBy: await passersOf(octokit, look, { at, ids: [...ids] }),
  }
}

async function passersOf(
  octokit: Octokit,
  look: Look,
  { at, ids }: { readonly at: At; readonly ids: readonly number[] },
): Promise<Seen<readonly Passer[]>> {
  const found = new Map<string, Passer>()
  for (const id of ids) {
    const ruleset = await look(
      `read a ruleset of ${at.owner}/${at.repo}`,
      async () =>
        (await octokit.rest.repos.getRepoRuleset({ ...at, ruleset_id: id, includes_parents: true })).data.bypass_actors,
    )
    if (ruleset.is === 'hidden') return ruleset
    // It is told to those alone who may change the ruleset.
    if (ruleset.value === undefined) return hiddenFor('administration: write')
    for (const { actor_id: actor, actor_type: type, bypass_mode: mode = 'always' } of ruleset.value) {
      if (!atAnyTime.has(mode)) continue
      const isActions = type === 'Integration' && actor === actionsApp
      const who = isActions ? 'GitHub Actions' : passerOf(type, actor ?? undefined)
      found.set(who, { who, isActions })
    }
  }
  return seen([...found.values()])
}

/** The roles that GitHub has by itself, by their numbers. */
const roles: Readonly<Record<number, string>> = { 2: 'maintain', 4: 'write', 5: 'admin' }

function passerOf(type: string, id: number | undefined): string {
  switch (type) {
    case 'OrganizationAdmin':
      return 'owners of the organisation'
    case 'EnterpriseOwner':
      return 'owners of the enterprise'
    case 'RepositoryRole':
      return `who has the role ${roles[id ?? 0] ?? id ?? 'of somebody'}`
    case 'DeployKey':
      return 'deploy keys'
    case 'Team':
      return `the team ${id ?? ''}`
    case 'Integration':
      return `the App ${id ?? ''}`
    default:
      return `${type} ${id ?? ''}`
  }
}

async function environmentsOf(octokit: Octokit, at: At): Promise<readonly EnvironmentFacts[]> {
  const { data } = await octokit.rest.repos.getAllEnvironments({ ...at, per_page: 100 })
  const found: EnvironmentFacts[] = []
  for (const { name, protection_rules: rules = [], deployment_branch_policy: policy } of data.environments ?? []) {
    const reviewers = rules.flatMap((rule) => ('reviewers' in rule ? (rule.reviewers ?? []) : []))
    found.push({
      name,
      reviewers: reviewers.flatMap(({ reviewer }) => {
        if (reviewer === undefined) return []
        return 'login' in reviewer ? [`@${reviewer.login}`] : [`@${at.owner}/${reviewer.slug}`]
      }),
      waits: rules.some((rule) => 'wait_timer' in rule && (rule.wait_timer ?? 0) > 0),
      branches:
        policy === null || policy === undefined
          ? { is: 'all' }
          : policy.protected_branches
            ? { is: 'protected' }
            : { is: 'some', patterns: await patternsOf(octokit, { at, environment: name }) },
    })
  }
  return found
}

async function patternsOf(
  octokit: Octokit,
  { at, environment }: { readonly at: At; readonly environment: string },
): Promise<readonly { readonly name: string; readonly kind: string }[]> {
  const all = await octokit.paginate(octokit.rest.repos.listDeploymentBranchPolicies, {
    ...at,
    environment_name: environment,
    per_page: 100,
  })
  return all.map(({ name = '', type = 'branch' }) => ({ name, kind: type }))
}

/** So many workflows are read of a repository. */
const mostWorkflows = 50

async function workflowsOf(octokit: Octokit, at: At): Promise<ReadonlyMap<string, string>> {
  const { data: folder } = await octokit.rest.repos.getContent({ ...at, path: '.github/workflows' })
  const paths = Array.isArray(folder) ? folder.flatMap(({ path }) => (/\.ya?ml$/u.test(path) ? [path] : [])) : []
  const files = new Map<string, string>()
  for (const path of paths.slice(0, mostWorkflows)) {
    const { data } = await octokit.rest.repos.getContent({ ...at, path })
    if ('content' in data) files.set(path, Buffer.from(data.content, 'base64').toString())
  }
  return files
}
