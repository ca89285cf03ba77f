import type { JsonMap } from './json.ts'

/** What emulate has no place for, or gets wrong. Plain data: a copy of it and of emulate's journal is a copy of everything. */
export type State = {
  readonly organisations: Record<string, Organisation>
  readonly apps: Record<string, App>
  readonly repositories: Record<string, Repository>
  /** Their ids, by login. */
  readonly users: Record<string, number>
  /** The last number given, by kind of thing: one sequence for all repositories, as on GitHub. */
  readonly numbers: Record<string, number>
  /** The commits that GitHub has signed itself. */
  readonly signed: Record<string, true>
  /** What repositories were called before: their name of then to that of now. */
  readonly renamed: Record<string, string>
  readonly events: Event[]
}

export type Organisation = {
  readonly login: string
  readonly id: number
  readonly members: Record<string, 'admin' | 'member'>
  readonly teams: Record<string, Team>
  /** What it pays for; `free` if nothing is said. */
  readonly plan?: string
  readonly variables?: Readonly<Record<string, string>>
}

export type Team = {
  readonly id: number
  readonly slug: string
  readonly name: string
  readonly members: readonly string[]
  readonly repositories: Readonly<Record<string, Role>>
}

export type Role = 'read' | 'triage' | 'write' | 'maintain' | 'admin'

export type App = {
  readonly id: number
  readonly slug: string
  readonly name: string
  readonly permissions: Permissions
  readonly installations: readonly Installation[]
}

export type Installation = {
  readonly id: number
  readonly account: string
  readonly repositories: 'all' | readonly string[]
  readonly permissions: Permissions
}

/** Whose a token is. */
export type Identity =
  /** The `GITHUB_TOKEN` of a job: one repository, and what the job's `permissions` declare. */
  | { readonly is: 'job'; readonly repository: string; readonly permissions: Permissions; readonly run?: number }
  /** An installation of an App, or a part of what it may. */
  | {
      readonly is: 'app'
      readonly slug: string
      readonly installation: number
      readonly account: string
      readonly repositories: 'all' | readonly string[]
      readonly permissions: Permissions
      readonly expires: string
    }
  | { readonly is: 'user'; readonly login: string }
  /** An App itself, by its signature. */
  | { readonly is: 'signed-app'; readonly slug: string }
  | { readonly is: 'nobody' }

/** By GitHub's names, as in workflows (`pull-requests`) or in its API (`pull_requests`). */
export type Permissions = Readonly<Record<string, 'read' | 'write' | 'none' | 'admin'>>

export type Repository = {
  readonly id: number
  readonly owner: string
  readonly name: string
  readonly private: boolean
  readonly archived: boolean
  readonly disabled?: true
  readonly locked?: true
  readonly defaultBranch: string
  /** Its identities are told by numbers too, as of those that were made since July 2026. */
  readonly immutableSubject?: true
  readonly settings?: Settings
  /** The repository that this one is a fork of. */
  readonly parent?: string
  readonly collaborators: Readonly<Record<string, Role>>
  readonly pulls: Record<number, Pull>
  readonly checks: CheckRun[]
  readonly statuses: CommitStatus[]
  readonly deployments: Deployment[]
  readonly environments: Environment[]
  readonly rulesets: Ruleset[]
  readonly runs: WorkflowRun[]
  readonly artifacts: Artifact[]
  readonly releases: Release[]
  pushedAt: string
}

/** What the administrators of a repository have set; what is not said is as GitHub has it for a new one. */
export type Settings = {
  readonly actions?: {
    readonly enabled?: false
    readonly allowed?: 'local_only' | 'selected'
    /** What is allowed where it is `selected`. */
    readonly ofGitHub?: true
    readonly patterns?: readonly string[]
  }
  /** Which other repositories may call its workflows. */
  readonly access?: 'none' | 'user' | 'organization'
  /** The claims that the subject of its identities is made of, where they are customised. */
  readonly subject?: readonly string[]
  readonly variables?: Readonly<Record<string, string>>
  readonly topics?: readonly string[]
  /** Custom properties, as the organisation has set them. */
  readonly properties?: Readonly<Record<string, string | readonly string[]>>
  /** Whether pull requests may be set to merge themselves. */
  readonly autoMerge?: true
}

/** What emulate does not follow of a pull request: where its branch is now, and how it was merged. */
export type Pull = {
  readonly number: number
  readonly author: string
  readonly head: { readonly repository: string; readonly branch: string }
  readonly base: string
  readonly headSha: string
  readonly baseSha: string
  readonly open: boolean
  readonly draft: boolean
  readonly merged?: { readonly at: string; readonly by: string; readonly sha: string }
  /** When it was closed, opened again and merged, and by whom. */
  readonly timeline: readonly Moment[]
  readonly autoMerge?: { readonly at: string; readonly by: Identity; readonly method: 'merge' | 'squash' | 'rebase' }
  readonly inMergeQueue?: true
}

export type Moment = { readonly is: 'closed' | 'reopened' | 'merged'; readonly at: string; readonly by: string }

export type Release = {
  readonly id: number
  readonly tag: string
  /** The branch or commit that the tag is made at, if there is none. */
  readonly target: string
  readonly name: string | null
  readonly body: string | null
  readonly draft: boolean
  readonly prerelease: boolean
  /** Whether it was made to be the latest one, or not to be it. */
  readonly latest: 'true' | 'false' | 'legacy'
  readonly author: string
  readonly createdAt: string
  readonly publishedAt: string | null
}

export type CheckRun = {
  readonly id: number
  readonly sha: string
  readonly name: string
  readonly status: string
  readonly conclusion: string | null
  readonly startedAt: string | null
  readonly completedAt: string | null
  readonly externalId: string | null
  readonly detailsUrl: string | null
  readonly title: string | null
  readonly summary: string | null
  readonly text: string | null
  readonly annotations: readonly JsonMap[]
  readonly app: string
}

export type CommitStatus = {
  readonly id: number
  readonly sha: string
  readonly context: string
  readonly state: string
  readonly description: string | null
  readonly targetUrl: string | null
  readonly creator: string
  readonly at: string
}

export type Deployment = {
  readonly id: number
  readonly sha: string
  readonly ref: string
  readonly task: string
  readonly environment: string
  readonly description: string | null
  readonly payload: JsonMap | string
  readonly creator: string
  readonly transient: boolean
  readonly production: boolean
  readonly createdAt: string
  readonly updatedAt: string
  readonly statuses: readonly DeploymentStatus[]
}

export type DeploymentStatus = {
  readonly id: number
  readonly state: string
  readonly description: string
  readonly environment: string
  readonly environmentUrl: string
  readonly logUrl: string
  readonly creator: string
  readonly at: string
}

export type Environment = {
  readonly id: number
  readonly name: string
  /** Minutes. */
  readonly waitTimer: number
  readonly preventSelfReview: boolean
  readonly reviewers: readonly Reviewer[]
  /** `undefined`: every branch may deploy. */
  readonly branches?: { readonly protectedOnly: boolean; readonly patterns: readonly BranchPattern[] }
  readonly createdAt: string
  readonly updatedAt: string
}

export type BranchPattern = { readonly id: number; readonly name: string; readonly type: 'branch' | 'tag' }

export type Reviewer =
  | { readonly is: 'user'; readonly login: string }
  | { readonly is: 'team'; readonly organisation: string; readonly slug: string }

export type Ruleset = {
  readonly id: number
  readonly name: string
  readonly enforcement: 'active' | 'evaluate' | 'disabled'
  /** Refs as GitHub writes them: `refs/heads/main`, `~DEFAULT_BRANCH`, `~ALL`, with `*` and `**`. */
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly rules: readonly { readonly type: string; readonly parameters?: JsonMap }[]
  /** Ids of the Apps for which it does not hold. */
  readonly bypass: readonly number[]
}

export type WorkflowRun = {
  readonly id: number
  readonly number: number
  readonly attempt: number
  readonly workflow: string
  readonly name: string
  readonly event: string
  readonly branch: string
  readonly sha: string
  readonly actor: string
  /** Of a pull request from a fork: the fork. */
  readonly headRepository: string
  readonly pulls: readonly number[]
  readonly createdAt: string
  readonly updatedAt: string
  readonly status: 'queued' | 'in_progress' | 'waiting' | 'completed'
  readonly conclusion: string | null
  readonly jobs: readonly Job[]
  readonly approvals: readonly Approval[]
}

export type Job = {
  readonly id: number
  readonly name: string
  /** The attempt of the run that it is of; what was not started again is in the next one too, with another id. */
  readonly attempt: number
  /** The names of the jobs that it comes after. */
  readonly needs: readonly string[]
  /** `queued`: it was started again, and no runner has it yet. */
  readonly status: 'queued' | 'waiting' | 'in_progress' | 'completed'
  readonly conclusion: string | null
  readonly environment?: string
  readonly deployment?: number
  readonly createdAt: string
  readonly startedAt: string | null
  readonly completedAt: string | null
}

/** One review is of the jobs that wait at that moment; a later job of the same run waits for another one. */
export type Approval = {
  readonly environments: readonly string[]
  readonly jobs: readonly number[]
  readonly state: 'approved' | 'rejected'
  readonly by: string
  readonly comment: string
}

export type Artifact = {
  readonly id: number
  readonly run: number
  readonly name: string
  /** The zip, in base64. */
  readonly zip: string
  readonly createdAt: string
}

/** Something that happened, with the payload that a workflow would find in its event file. */
export type Event = {
  /** Such as `pull_request`. */
  readonly name: string
  readonly repository: string
  readonly payload: JsonMap
  /** What a job's own token does starts no workflow, except by a dispatch. */
  readonly startsWorkflows: boolean
}

export function repositoryOf(state: State, fullName: string): Repository {
  const found = findRepository(state, fullName)
  if (found === undefined) throw new Error(`There is no repository ${fullName} in the local GitHub`)
  return found
}

/** Names are the same whatever their case. */
export function findRepository(state: State, fullName: string): Repository | undefined {
  const exact = state.repositories[fullName]
  if (exact !== undefined) return exact
  const wanted = fullName.toLowerCase()
  return Object.values(state.repositories).find((each) => fullNameOf(each).toLowerCase() === wanted)
}

export function fullNameOf(repository: Repository): string {
  return `${repository.owner}/${repository.name}`
}

/** The next number of a kind. */
export function nextNumber(state: State, kind: string): number {
  const number = (state.numbers[kind] ?? 0) + 1
  state.numbers[kind] = number
  return number
}

export function replace<Thing>(list: Thing[], before: Thing, after: Thing): void {
  const index = list.indexOf(before)
  if (index === -1) throw new Error('What is to be replaced is not there')
  list[index] = after
}
