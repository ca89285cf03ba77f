import { findRepository, type Identity, type Permissions, type Repository, type Role, type State } from './state.ts'

export type { Identity } from './state.ts'

/** The App that jobs act as, with GitHub's own number for it. */
export const actionsApp = { id: 15368, slug: 'github-actions', name: 'GitHub Actions' }

/** The login under which an identity's doings are shown. */
export function loginOf(identity: Identity): string {
  switch (identity.is) {
    case 'job':
      return `${actionsApp.slug}[bot]`
    case 'app':
    case 'signed-app':
      return `${identity.slug}[bot]`
    case 'user':
      return identity.login
    case 'nobody':
      return 'ghost'
  }
}

export type Refusal = {
  readonly status: 401 | 403 | 404
  readonly message: string
  /** What GitHub says would have been enough. */
  readonly accepted?: string
}

/**
 * What a call needs, in the notation of GitHub's header `x-accepted-github-permissions`: alternatives between semicolons.
 * From "Permissions required for GitHub Apps" (docs.github.com/rest/authentication). `anyone`: any valid token; `app`: the
 * App's own signature.
 */
const needs: Readonly<Record<string, string>> = {
  'actions/create-workflow-dispatch': 'actions=write',
  'actions/download-artifact': 'actions=read',
  'actions/get-allowed-actions-repository': 'administration=read',
  'actions/get-artifact': 'actions=read',
  'actions/get-custom-oidc-sub-claim-for-repo': 'actions=read',
  'actions/get-github-actions-permissions-repository': 'administration=read',
  'actions/get-pending-deployments-for-run': 'actions=read',
  'actions/get-repo-variable': 'actions_variables=read',
  'actions/get-reviews-for-run': 'actions=read',
  'actions/get-workflow-access-to-repository': 'administration=read',
  'actions/get-workflow-run': 'actions=read',
  'actions/list-artifacts-for-repo': 'actions=read',
  'actions/list-jobs-for-workflow-run': 'actions=read',
  'actions/list-repo-organization-variables': 'actions_variables=read',
  'actions/list-workflow-run-artifacts': 'actions=read',
  'actions/list-workflow-runs': 'actions=read',
  'actions/list-workflow-runs-for-repo': 'actions=read',
  'actions/re-run-job-for-workflow-run': 'actions=write',
  'actions/review-pending-deployments-for-run': 'deployments=write',
  'apps/create-installation-access-token': 'app',
  'apps/get-authenticated': 'app',
  'apps/get-org-installation': 'app',
  'apps/get-repo-installation': 'app',
  'apps/list-repos-accessible-to-installation': 'anyone',
  'apps/revoke-installation-access-token': 'anyone',
  'checks/create': 'checks=write',
  'checks/get': 'checks=read',
  'checks/list-annotations': 'checks=read',
  'checks/list-for-ref': 'checks=read',
  'checks/update': 'checks=write',
  'git/create-blob': 'contents=write',
  'git/create-commit': 'contents=write',
  'git/create-ref': 'contents=write',
  'git/create-tag': 'contents=write',
  'git/create-tree': 'contents=write',
  'git/delete-ref': 'contents=write',
  'git/get-blob': 'contents=read',
  'git/get-commit': 'contents=read',
  'git/get-ref': 'contents=read',
  'git/get-tag': 'contents=read',
  'git/get-tree': 'contents=read',
  'git/list-matching-refs': 'contents=read',
  'git/update-ref': 'contents=write',
  'issues/add-labels': 'issues=write; pull_requests=write',
  'issues/create': 'issues=write',
  'issues/create-comment': 'issues=write; pull_requests=write',
  'issues/create-label': 'issues=write; pull_requests=write',
  'issues/delete-comment': 'issues=write; pull_requests=write',
  'issues/get': 'issues=read; pull_requests=read',
  'issues/get-comment': 'issues=read; pull_requests=read',
  'issues/get-label': 'issues=read; pull_requests=read',
  'issues/list-comments': 'issues=read; pull_requests=read',
  'issues/list-for-repo': 'issues=read; pull_requests=read',
  'issues/list-labels-for-repo': 'issues=read; pull_requests=read',
  'issues/list-labels-on-issue': 'issues=read; pull_requests=read',
  'issues/remove-label': 'issues=write; pull_requests=write',
  'issues/set-labels': 'issues=write; pull_requests=write',
  'issues/update': 'issues=write; pull_requests=write',
  'issues/update-comment': 'issues=write; pull_requests=write',
  'orgs/check-membership-for-user': 'members=read',
  'orgs/custom-properties-for-repos-create-or-update-organization-values': 'organization_custom_properties=write',
  'orgs/custom-properties-for-repos-get-organization-values': 'organization_custom_properties=read',
  'orgs/get': 'anyone',
  'orgs/get-membership-for-user': 'members=read',
  'orgs/list-app-installations': 'organization_administration=read',
  'orgs/list-members': 'members=read',
  'pulls/create': 'pull_requests=write',
  'pulls/create-review': 'pull_requests=write',
  'pulls/dismiss-review': 'pull_requests=write',
  'pulls/get': 'pull_requests=read',
  'pulls/list': 'pull_requests=read',
  'pulls/list-commits': 'pull_requests=read',
  'pulls/list-files': 'pull_requests=read',
  'pulls/list-reviews': 'pull_requests=read',
  'pulls/merge': 'contents=write',
  'pulls/update': 'pull_requests=write',
  'rate-limit/get': 'anyone',
  'repos/codeowners-errors': 'contents=read',
  'repos/compare-commits': 'contents=read',
  'repos/create-commit-status': 'statuses=write',
  'repos/create-deployment': 'deployments=write',
  'repos/create-deployment-branch-policy': 'administration=write',
  'repos/create-deployment-status': 'deployments=write',
  'repos/create-dispatch-event': 'contents=write',
  'repos/create-or-update-environment': 'administration=write',
  'repos/create-or-update-file-contents': 'contents=write',
  'repos/create-release': 'contents=write',
  'repos/get': 'metadata=read',
  'repos/get-all-environments': 'actions=read',
  'repos/get-branch': 'contents=read',
  'repos/get-branch-rules': 'metadata=read',
  'repos/get-collaborator-permission-level': 'metadata=read',
  'repos/get-combined-status-for-ref': 'statuses=read',
  'repos/get-commit': 'contents=read',
  'repos/get-content': 'contents=read',
  'repos/get-deployment': 'deployments=read',
  'repos/get-deployment-status': 'deployments=read',
  'repos/get-environment': 'actions=read',
  'repos/get-latest-release': 'contents=read',
  'repos/get-release': 'contents=read',
  'repos/get-release-by-tag': 'contents=read',
  'repos/get-repo-ruleset': 'metadata=read',
  'repos/get-repo-rulesets': 'metadata=read',
  'repos/list-branches': 'contents=read',
  'repos/list-commit-statuses-for-ref': 'statuses=read',
  'repos/list-commits': 'contents=read',
  'repos/list-deployment-branch-policies': 'actions=read',
  'repos/list-deployment-statuses': 'deployments=read',
  'repos/list-deployments': 'deployments=read',
  'repos/list-pull-requests-associated-with-commit': 'contents=read; pull_requests=read',
  'repos/list-releases': 'contents=read',
  'repos/list-tags': 'contents=read',
  'repos/update-release': 'contents=write',
  'search/issues-and-pull-requests': 'anyone',
  'search/repos': 'anyone',
  'teams/get-by-name': 'members=read',
  'teams/get-membership-for-user-in-org': 'members=read',
  'teams/list-members-in-org': 'members=read',
  'users/get-authenticated': 'anyone',
  'users/get-by-username': 'anyone',
}

/** What a user with no more than `read` may do to a repository that he sees. */
const openToReaders = new Set(['issues/create', 'issues/create-comment', 'pulls/create', 'pulls/create-review'])

export type Wanted = { readonly operation: string; readonly parameters: Readonly<Record<string, string>> }

/** Why the call is not allowed, or `undefined`. A private repository that one may not read is not found. */
export function refusal(state: State, identity: Identity, wanted: Wanted): Refusal | undefined {
  const need = needs[wanted.operation]
  if (need === undefined) throw new Error(`It is not said what permission ${wanted.operation} needs`)
  if (need === 'app') {
    if (identity.is === 'signed-app') return undefined
    return { status: 401, message: 'A JSON web token could not be decoded' }
  }
  if (identity.is === 'nobody') return { status: 401, message: 'Requires authentication' }
  if (identity.is === 'signed-app') {
    return { status: 403, message: 'Resource not accessible by integration', accepted: need }
  }
  if (need === 'anyone') return undefined
  const { owner, repo } = wanted.parameters
  if (owner === undefined || repo === undefined) return organisationRefusal(state, identity, { ...wanted, need })
  const repository = findRepository(state, `${owner}/${repo}`)
  if (repository === undefined) return { status: 404, message: 'Not Found' }
  return identity.is === 'user'
    ? userRefusal(state, identity.login, { repository, operation: wanted.operation, need })
    : integrationRefusal(identity, repository, need)
}

type Integration = Extract<Identity, { readonly is: 'job' | 'app' }>

function integrationRefusal(identity: Integration, repository: Repository, need: string): Refusal | undefined {
  const inside = reaches(identity, repository)
  if (!inside && repository.private) return { status: 404, message: 'Not Found' }
  const held = inside ? identity.permissions : {}
  if (satisfies(held, need, !repository.private)) return undefined
  return { status: 403, message: 'Resource not accessible by integration', accepted: need }
}

/** Whether the repository is one of those of the token. */
export function reaches(identity: Integration, { owner, name }: Repository): boolean {
  if (identity.is === 'job') return identity.repository.toLowerCase() === `${owner}/${name}`.toLowerCase()
  if (identity.account !== owner) return false
  return identity.repositories === 'all' || identity.repositories.includes(`${owner}/${name}`)
}

const ranks = { none: 0, read: 1, write: 2, admin: 3 }

/** Whether the permissions are enough; what is public may be read with none. Everybody has `metadata=read`. */
function satisfies(held: Permissions, need: string, isPublic: boolean): boolean {
  return need.split(';').some((alternative) =>
    alternative.split(',').every((each) => {
      const [name = '', access] = each.trim().split('=')
      if (access === 'read' && (isPublic || name === 'metadata')) return true
      const rank = ranks[held[name] ?? held[name.replaceAll('_', '-')] ?? 'none']
      return rank >= (access === 'write' ? ranks.write : ranks.read)
    }),
  )
}

function organisationRefusal(
  state: State,
  identity: Exclude<Identity, { is: 'nobody' | 'signed-app' }>,
  { parameters, need }: Wanted & { readonly need: string },
): Refusal | undefined {
  const organisation = state.organisations[parameters['org'] ?? '']
  if (organisation === undefined) return { status: 404, message: 'Not Found' }
  if (identity.is === 'user') {
    return identity.login in organisation.members ? undefined : { status: 404, message: 'Not Found' }
  }
  const inside = identity.is === 'app' && identity.account === organisation.login
  if (inside && satisfies(identity.permissions, need, false)) return undefined
  return { status: 403, message: 'Resource not accessible by integration', accepted: need }
}

const roles: readonly Role[] = ['read', 'triage', 'write', 'maintain', 'admin']

function userRefusal(
  state: State,
  login: string,
  {
    repository,
    operation,
    need,
  }: { readonly repository: Repository; readonly operation: string; readonly need: string },
): Refusal | undefined {
  const role = roleOf(state, login, repository)
  if (role === undefined) return { status: 404, message: 'Not Found' }
  if (operation.startsWith('checks/') && need.endsWith('write')) {
    return { status: 403, message: 'You must authenticate via a GitHub App.' }
  }
  // Who may review a held deployment is a matter of its environment, not of the role.
  const isReview = operation === 'actions/review-pending-deployments-for-run'
  const wanted: Role = need.startsWith('administration')
    ? 'admin'
    : need.endsWith('read') || openToReaders.has(operation) || isReview
      ? 'read'
      : 'write'
  if (roles.indexOf(role) >= roles.indexOf(wanted)) return undefined
  // Who may read and not write is told that there is nothing: what GitHub does, odd as it is.
  if (wanted === 'admin') return { status: 403, message: 'Must have admin rights to Repository.' }
  return { status: 404, message: 'Not Found' }
}

/** A user's role in a repository: the highest that anything gives; `undefined` if he does not see it. */
export function roleOf(state: State, login: string, repository: Repository): Role | undefined {
  const found: Role[] = repository.private ? [] : ['read']
  if (repository.owner === login) found.push('admin')
  const collaborator = repository.collaborators[login]
  if (collaborator !== undefined) found.push(collaborator)
  const organisation = state.organisations[repository.owner]
  const membership = organisation?.members[login]
  if (membership !== undefined) found.push(membership === 'admin' ? 'admin' : 'read')
  for (const team of Object.values(organisation?.teams ?? {})) {
    const role = team.repositories[repository.name]
    if (role !== undefined && team.members.includes(login)) found.push(role)
  }
  return found.toSorted((a, b) => roles.indexOf(b) - roles.indexOf(a))[0]
}
