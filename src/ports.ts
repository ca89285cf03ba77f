import type { Board, Lock } from './core/board.ts'
import type { Environment, Repositories } from './core/catalog.ts'
import type { Found } from './core/cause/suspects.ts'
import type { Data, DataMap, Path } from './core/data.ts'
import type { AppFacts, PersonFacts, RepositoryFacts, Seen } from './core/doctor/facts.ts'
import type { Review, RunApproval } from './core/gates/approval.ts'
import type { GateName, Glass } from './core/gates.ts'
import type { GuardOptions } from './core/guard.ts'
import type { Answer, CloudHealth } from './core/health.ts'
import type { Markdown, Url } from './core/markdown.ts'
import type { CheckFinding } from './core/policy/checks.ts'
import type { CheckName } from './core/policy/rules.ts'
import type { ReleaseRecord } from './core/release/model.ts'
import type { FileTree } from './core/tree.ts'
import type {
  FilesSeen,
  FleetRepository,
  FleetWrite,
  FleetWritten,
  OutcomeSeen,
  RepositorySeen,
} from './core/upgrade/seen.ts'

/** A stack's identity. `name` follows CloudFormation: at most 128 characters of `[a-zA-Z][-a-zA-Z0-9]*`. */
export type StackId = { readonly name: string; readonly account: string; readonly region: string }

/** What a stack shall be: the parsed template in long form, its parameters, its few and stable tags. */
export type WantedStack = {
  readonly stack: StackId
  readonly body: DataMap
  readonly parameters: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
  /** What the catalog says of the stacks of this stage; a provisioner that cannot do one of them says so. */
  readonly options?: StackOptions
}

/** What is set on a stack besides its template. What is absent is left as the cloud has it. */
export type StackOptions = {
  readonly terminationProtection?: boolean
  readonly stackPolicy?: DataMap
  /** The role that CloudFormation works with; an ARN. */
  readonly serviceRole?: string
  /** Alarms that roll an operation back, by ARN, and how many minutes they are watched after it. */
  readonly rollback?: { readonly alarms: readonly string[]; readonly minutes: number }
  readonly mode?: 'standard' | 'express'
  readonly capabilities?: readonly string[]
}

export type StackState =
  | { readonly is: 'absent' }
  | {
      readonly is: 'settled'
      readonly body: DataMap
      readonly parameters: Readonly<Record<string, string>>
      readonly tags: Readonly<Record<string, string>>
      readonly outputs: Readonly<Record<string, string>>
      /** Where the provisioner knows them without asking. */
      readonly resources?: readonly StackResource[]
    }
  /** Somebody works on it. `tags` say whose stack it is, where the provisioner can tell. */
  | { readonly is: 'busy'; readonly status: string; readonly tags?: Readonly<Record<string, string>> }
  /**
   * An operation ended badly. `recovers` says whether `recover` mends it without losing data; if not, `remedy` is the exact
   * command for a person.
   */
  | {
      readonly is: 'stuck'
      readonly status: string
      readonly remedy: string
      readonly recovers?: boolean
      readonly tags?: Readonly<Record<string, string>>
    }

export type StackResource = { readonly logicalId: string; readonly type: string; readonly physicalId: string }

/** What happens to one resource. `because` names the property paths that force a replacement. */
export type ResourceChange = {
  readonly logicalId: string
  readonly type: string
  readonly action: 'create' | 'update' | 'replace' | 'delete'
  /** None of a resource that is created: there is nothing to compare, and the digest of what is wanted covers it. */
  readonly properties: readonly PropertyChange[]
  readonly because: readonly string[]
  /** Property paths that replace the resource under conditions that only the cloud knows; counted as an update. */
  readonly conditional?: readonly string[]
  /** The resource stays in the account although the stack lets go of it (`DeletionPolicy: Retain`). */
  readonly retained: boolean
}

/** A changed property: its path (`Properties.Listeners.0.Port`) and the SHA-256 digests of both sides, never the values. */
export type PropertyChange = { readonly path: string; readonly before?: string; readonly after?: string }

/** What executing would do. `wants` and `against` are digests of what was wanted and of the state it was compared with. */
export type StackPreview = {
  readonly stack: StackId
  readonly wants: string
  readonly against: string
  readonly changes: readonly ResourceChange[]
  /** Outputs that would be others, where the provisioner can tell. They may change although no resource does. */
  readonly outputs?: readonly PropertyChange[]
  /** What the provisioner keeps for executing exactly this: the ARN of a change set. */
  readonly handle?: string
  /** What a person should know of it: findings of the cloud that do not stop it. One sentence each. */
  readonly notes?: readonly string[]
  /**
   * The provisioner knows that executing would do nothing, although the template may be written in another way than the one
   * that is live.
   */
  readonly unchanged?: true
  /** What was changed besides the stack, where the provisioner has looked; executing overwrites it where it changes the same. */
  readonly byHand?: readonly { readonly logicalId: string; readonly is: 'changed' | 'gone' }[]
  /** When it has looked, where that was not now: a time as ISO 8601 has it. */
  readonly byHandAt?: string
  /** What is set on the stack besides, by calls of its own: `termination protection`, `stack policy`. */
  readonly settings?: readonly string[]
}

export type StackEvent =
  | {
      readonly kind: 'resource'
      readonly at: Date
      readonly logicalId: string
      readonly type: string
      readonly status: ResourceStatus
      readonly reason?: string
    }
  | { readonly kind: 'stack'; readonly at: Date; readonly status: string; readonly reason?: string }

export type ResourceStatus =
  | 'CREATE_IN_PROGRESS'
  | 'CREATE_COMPLETE'
  | 'CREATE_FAILED'
  | 'UPDATE_IN_PROGRESS'
  | 'UPDATE_COMPLETE'
  | 'UPDATE_FAILED'
  | 'DELETE_IN_PROGRESS'
  | 'DELETE_COMPLETE'
  | 'DELETE_FAILED'
  | 'DELETE_SKIPPED'

export type PreviewOptions = {
  readonly for?: 'plan' | 'deployment'
  /** What was changed besides the stack is to be brought back too; without it, only what the template changes is. */
  readonly mends?: 'drift'
}

/** What the last deployment of a stack wanted, by its digest in the preview, and what is wanted now: is it another, a change is expected. */
export type Since = { readonly wants: string; readonly wanted: WantedStack }

/**
 * Where stacks live: CloudFormation, or the local default. What the world does not allow is thrown as `Refused`. Whatever
 * streams events tells the stack's own status last, and ends with it.
 */
export interface Provisioner {
  /**
   * How a stack is now; with `guard`, what may be lost by mending it is judged by that. Who `expects` a change saves the
   * reading of the template: a settled stack then comes with the empty body.
   */
  state(
    stack: StackId,
    options?: { readonly expects?: 'change' | Since; readonly guard?: GuardOptions },
  ): Promise<StackState>
  /**
   * What would be done. Problems of the template that only the provisioner can see are thrown as `Refused`. The stack is left
   * as it is; what a preview keeps in the cloud is given back by `discard`, or is used up by `execute`. A preview for a plan
   * leaves nothing where a stack is absent.
   */
  preview(wanted: WantedStack, options?: PreviewOptions): Promise<StackPreview>
  /** Gives back what a preview keeps. A preview that keeps nothing, or nothing any more, is all right. */
  discard(preview: StackPreview): Promise<void>
  /**
   * Does what the preview says, or throws `Refused` (`plan-stale`) before anything is touched when either digest no longer
   * holds. `CREATE_COMPLETE` and `UPDATE_COMPLETE` are success, every other status is a failure. An operation of the same
   * preview that is under way already is followed instead of begun a second time. A signal ends the following, not the
   * operation: `interrupted`. Where it cannot be learned how it ended: `outcome-unknown`.
   */
  execute(preview: StackPreview, wanted: WantedStack, signal?: AbortSignal): AsyncIterable<StackEvent>
  /** Follows an operation that is under way, whoever began it, to its end. At rest, tells the status alone. */
  follow(stack: StackId, signal?: AbortSignal): AsyncIterable<StackEvent>
  /**
   * Makes a stuck stack one that can be deployed: `absent` or `settled`. Throws `Refused` with the exact command for a person
   * (`stack-stuck`) before anything is touched, where that would lose data, and where it did not help.
   */
  recover(stack: StackId, signal?: AbortSignal, guard?: GuardOptions): AsyncIterable<StackEvent>
  /** Asks that an update under way be taken back. It ends later: `follow` tells how. */
  cancel(stack: StackId): Promise<'cancelled' | 'nothing'>
  /** How the cloud itself finds what a stack runs, at this moment. Changes nothing. */
  health(stack: StackId, signal?: AbortSignal): Promise<CloudHealth>
  /**
   * What is to be seen of why something in a stack fails, at this moment: a rollback takes it away. Ends within ten seconds, and
   * says of what it could not look at that it could not. A provisioner with nothing to be seen has no such method.
   */
  readonly evidence?: (stack: StackId, failing: FailingResource, signal?: AbortSignal) => Promise<Found>
  /**
   * What the address of a stack answers, where the stack is rehearsed and nothing answers there. `expected` is the status of a
   * good answer. A provisioner of real stacks has no such method: their addresses are asked.
   */
  readonly answer?: (stack: StackId, expected: number) => Promise<Answer>
  /** Looks for what was changed besides the stack. It may take a minute, and changes nothing. */
  drift(stack: StackId, signal?: AbortSignal): Promise<StackDrift>
  /** Deletes a stack. `DELETE_COMPLETE` is success; what stands in the way is named in the events, or in a `Refused`. */
  remove(stack: StackId, signal?: AbortSignal): AsyncIterable<StackEvent>
}

/** The resource that fails, or none where a stack is complete and what it runs is not healthy. */
export type FailingResource = {
  /** In a nested stack `Network/Vpc`. */
  readonly logicalId?: string
  readonly type?: string
  /** What the cloud said of it. */
  readonly reason?: string
  /** Of a custom resource: the function that makes it, by its ARN or by its logical id. */
  readonly handler?: string
}

/** What was changed of a stack besides the stack, as far as it can be told. */
export type StackDrift = {
  readonly resources: readonly ResourceDrift[]
  /** How many resources were looked at, and which could not be: their types do not take part. */
  readonly looked: number
  readonly unknown: readonly { readonly logicalId: string; readonly type: string }[]
  /** Why it is not told who has changed it, where that could not be looked at: words. */
  readonly untold?: string
}

export type ResourceDrift = {
  readonly logicalId: string
  readonly type: string
  readonly is: 'changed' | 'gone'
  /** Who has changed it last, when, and by which call, where the cloud tells. */
  readonly by?: { readonly who: string; readonly at: Date; readonly call: string }
  /** None of a resource that is gone. */
  readonly properties: readonly DriftedProperty[]
}

/** A property by its path below `Properties`; nothing on a side that lacks it. */
export type DriftedProperty = { readonly path: Path; readonly expected?: Data; readonly actual?: Data }

/**
 * Asks an address once, without credentials, and follows no redirection. Five seconds without an answer are a timeout. Never
 * throws, except when the signal aborts.
 */
export type Probe = (url: string, signal?: AbortSignal) => Promise<Answer>

/** One immutable record a deployment attempt. `id` sorts by time. */
export type DeploymentRecord = {
  readonly format: 1
  readonly id: string
  readonly unit: string
  readonly stage?: string
  readonly template: string
  readonly version: string
  readonly commit?: string
  readonly by: string
  readonly started: string
  readonly finished: string
  /** `unlocked` is of a lock that was broken: its unit is `lock/<what was locked>`. */
  readonly outcome: 'deployed' | 'unchanged' | 'failed' | 'refused' | 'removed' | 'unlocked'
  readonly wants: string
  readonly evidence?: string
  /** The container image that it runs, by digest, where a build has handed one over. */
  readonly image?: string
  /** Whether it was seen to be healthy, and what was seen; nothing where that is not looked at. */
  readonly health?: { readonly ok: boolean; readonly words: string }
  /** What it went back to, from which commit, and why, if it was a rollback: that commit is not deployed there again. */
  readonly rollback?: { readonly to: string; readonly from?: string; readonly reason?: string }
  /** The gates that were not waited for, because the glass was broken: by whom, and why. */
  readonly glass?: Glass & { readonly skipped: readonly GateName[] }
  /** The lock that was broken. */
  readonly lock?: Omit<Lock, 'unit' | 'run'>
}

/** A rendered template, as a program beside Protium judges it; findings tell of it by its name. */
export type CheckedTemplate = { readonly name: string; readonly body: DataMap; readonly region: string }

export type CheckOptions = {
  readonly templates: readonly CheckedTemplate[]
  /** The rules for cfn-guard, by the paths of their files. */
  readonly rules?: FileTree
  readonly signal: AbortSignal
  /** Milliseconds that the program has for the templates of a region; two minutes if nothing is said. */
  readonly limit?: number
}

/** `missing` is a program that is not installed. `why` says in one sentence why nothing is known of what it would have found. */
export type CheckAnswer =
  | { readonly is: 'judged'; readonly findings: readonly CheckFinding[] }
  | { readonly is: 'missing' }
  | { readonly is: 'failed'; readonly why: string }

/** Has a program that is installed judge templates. For jobs without rights alone. Throws nothing for what the program does. */
export type TemplateCheck = (name: CheckName, options: CheckOptions) => Promise<CheckAnswer>

export interface Records {
  append(record: DeploymentRecord): Promise<void>
  /** Oldest first. Of one unit, it can be asked for the latest few. */
  list(unit?: string, options?: { readonly latest?: number }): Promise<readonly DeploymentRecord[]>
}

/**
 * The one board of a repository. What it cannot read is thrown as `Refused` (`board-format`), and so is what stands in the way
 * (`board-busy`, GitHub's).
 */
export interface BoardHost {
  /**
   * As this run knows it: as it was fetched with the files, or as this run has read or left it. What came with the files is asked for
   * once more where it has to be of this moment (`now`).
   */
  read(options?: { readonly now?: boolean }): Promise<Board>
  /**
   * Changes the newest board, and gives back what came of it. The edit is made again on a newer one if somebody was faster; what
   * it throws ends it, and nothing is changed. What it leaves as it was is not written, so `(board) => board` reads the newest.
   * Made once, whatever becomes of the answers. `why` is one line for its history.
   */
  change(edit: (board: Board) => Board, why: string): Promise<Board>
}

export interface Clock {
  now(): Date
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
}

// GitHub

/** One repository on GitHub, as far as pull requests and deployments need it. What goes wrong is thrown as `Refused`. */
export interface GitHost {
  pullRequest(number: number): Promise<PullRequest>
  /** The open pull request from a branch, if its head is at that commit; `owner` is whose fork it comes from. */
  openPullRequest(head: {
    readonly owner: string
    readonly branch: string
    readonly commit: string
  }): Promise<PullRequest | undefined>
  /** The merged pull request that brought a commit to the branch that it is on. */
  pullRequestOf(commit: string): Promise<PullRequest | undefined>
  /** The reviews of a pull request, the oldest first. */
  reviews(number: number): Promise<readonly Review[]>
  /** Who made the commits of a pull request, of those that GitHub knows. It tells of 250 commits; `isComplete` says whether these are all. */
  committers(number: number): Promise<{ readonly logins: readonly string[]; readonly isComplete: boolean }>
  /** Who has let jobs of a run go on to an environment, or has not. */
  approvals(run: number): Promise<readonly RunApproval[]>
  /**
   * Whether a person is one of those that a catalog names: in a team, `@acme/platform`; or is the person `@ada` himself and may
   * still write to this repository. Throws `Refused` (`github-permission`) where the token may not see who is in a team.
   */
  isMember(of: string, login: string): Promise<boolean>
  /** GitHub lists 3,000 files at most; `isComplete` says whether these are all. */
  changedFiles(number: number): Promise<{ readonly files: readonly ChangedFile[]; readonly isComplete: boolean }>

  /** Makes the one comment of its kind on a pull request be this: `absent` if it is not there and was not to be made. */
  comment(wanted: StickyComment): Promise<Brought | 'absent'>
  /** Makes the one check of its name on a commit be this. */
  check(wanted: Check): Promise<Brought>
  /** Our check of that name on a commit. */
  checkOn(commit: string, name: string): Promise<StoredCheck | undefined>

  /** The deployment with that key, made if it is not there; its number. */
  deployment(wanted: Deployment): Promise<number>
  /** Makes the newest status of a deployment be this. */
  deploymentStatus(deployment: number, wanted: DeploymentStatus): Promise<Brought>
  /** What a run has deployed or begun to: our deployments of its commit whose keys end with it. */
  deploymentsOf(run: { readonly id: string; readonly commit: string }): Promise<readonly StoredDeployment[]>

  /** A run of a workflow; nothing where there is none any more. */
  run(id: string): Promise<WorkflowRun | undefined>
  /** The jobs of a run as they are in its latest attempt. */
  jobs(run: string): Promise<readonly RunJob[]>
  /**
   * Starts a job of a run again, and with it those that come after it. `running` if the run is under way, by whomever it was
   * started; `refused` with GitHub's words where it starts this run no more. The attempt is the one that the job is of.
   */
  startAgain(wanted: { readonly run: string; readonly attempt: number; readonly job: number }): Promise<Started>

  /** Puts a label on a pull request, or takes it off. */
  label(pullRequest: number, wanted: { readonly name: string; readonly is: 'on' | 'off' }): Promise<Brought>
  /**
   * The merged pull requests with a label in all repositories of an owner that the token may read, by their repositories: one
   * request for every hundred that are found, however many repositories there are. It may be some seconds behind.
   */
  labelled(owner: string, label: string): Promise<ReadonlyMap<string, readonly number[]>>
}

/** What came of it, so that nothing is done twice. */
export type Brought = 'created' | 'updated' | 'unchanged'

export type PullRequest = {
  readonly number: number
  readonly state: 'open' | 'merged' | 'closed'
  readonly isDraft: boolean
  /** The login of who opened it. */
  readonly author: string
  /** From another repository, or from one that is gone. */
  readonly isFork: boolean
  readonly head: { readonly branch: string; readonly commit: string }
  readonly base: { readonly branch: string; readonly commit: string }
}

export type ChangedFile = {
  readonly path: string
  readonly change: 'added' | 'removed' | 'changed' | 'renamed'
  /** The path before, of a file that was renamed. */
  readonly was?: string
}

/** A comment that is found again by its first line, `marker(kind)`, and by being ours; and is edited instead of repeated. */
export type StickyComment = {
  readonly pullRequest: number
  readonly kind: string
  /** Tells apart several of one kind, one for each unit; without it there is one of a kind. */
  readonly subject?: string
  readonly body: Markdown
  /** Edits the comment where there is one, and makes none. */
  readonly onlyIfThere?: true
}

export type Check = {
  readonly commit: string
  readonly name: string
  readonly conclusion: 'success' | 'failure' | 'neutral' | 'action_required'
  /** One line of plain text. */
  readonly title: string
  readonly summary: Markdown
  /** What later runs read back: a key of at most 100 characters, and a text below the summary. */
  readonly key?: string
  readonly text?: Markdown
  readonly details?: Url
}

export type StoredCheck = {
  readonly conclusion: string | undefined
  readonly key: string | undefined
  readonly text: string | undefined
  /** When it was made, by GitHub's clock. */
  readonly at: string | undefined
}

export type Deployment = {
  /** By which it is found again: of the unit, the commit and the run. */
  readonly key: string
  readonly commit: string
  readonly environment: string
  readonly isProduction: boolean
  readonly description: string
  /** The run has not made one yet, so it need not be looked for before. */
  readonly isFirst?: true
}

/** `states` are its statuses, the newest first. */
export type StoredDeployment = {
  readonly id: number
  readonly key: string
  readonly environment: string
  readonly states: readonly { readonly state: string; readonly description: string; readonly at: string }[]
}

/** GitHub counts the attempts from 1. */
export type WorkflowRun = {
  readonly id: string
  readonly attempt: number
  readonly isOver: boolean
  readonly created: string
}

/** `name` as it is shown: of a job in a called workflow, behind the names of those that call, `services (checkout) / prod`. */
export type RunJob = {
  readonly id: number
  readonly name: string
  readonly attempt: number
  readonly conclusion?: string
  /** A runner has had it. */
  readonly hasBegun: boolean
}

export type Started = { readonly is: 'started' | 'running' } | { readonly is: 'refused'; readonly why: string }

/** `address` is where what was deployed answers, `log` where the run can be read. */
export type DeploymentStatus = {
  readonly state: 'queued' | 'in_progress' | 'success' | 'failure' | 'error' | 'inactive'
  /** Cut at 140 characters. */
  readonly description: string
  readonly address?: Url
  readonly log?: Url
  /** The attempt has said nothing of the deployment yet, so it need not be looked for before. */
  readonly isFirst?: true
}

// A person at a terminal

/** Asks a person. Who goes away instead of answering ends the run: `Refused` (`interrupted`). */
export interface Ask {
  /** A line. What is `given` stands there already, to be kept or changed; `fault` says what is wrong with an answer. */
  text(question: {
    readonly message: string
    readonly given?: string | undefined
    readonly fault: (answer: string) => string | undefined
  }): Promise<string>
  /** One of a few words. */
  choice(question: {
    readonly message: string
    readonly options: readonly { readonly value: string; readonly label: string; readonly hint?: string }[]
    readonly given?: string | undefined
  }): Promise<string>
}

// Protium itself

/** This copy of Protium, as far as a new catalog is made from it. Read from the disk alone: it works offline. */
export interface Product {
  /** The sample organisation: its `catalog.yaml`, environments, templates and services. */
  sample(): Promise<FileTree>
  /** Its repository on GitHub and the commit that is checked out, where that is on a branch of GitHub's. */
  release(): Promise<{ readonly repository: string; readonly commit: string } | undefined>
  /** What of the actions a catalog lacks that has them in a folder of its own, and what is another there. */
  vendored(root: string): Promise<Vendored>
  /** Whether a folder is in a working copy of git; not, too, where there is no git. */
  isInGit(folder: string): Promise<boolean>
}

/** Paths in the catalog. `write` writes what is missing, each file whole or not at all. */
export type Vendored = {
  readonly missing: readonly string[]
  readonly different: readonly string[]
  write(): Promise<void>
}

// How it is set up

/**
 * How GitHub is set up, as far as a token may see it. Changes nothing, and throws nothing but that the run was stopped: what
 * cannot be seen is hidden, for a reason.
 */
export interface SettingsHost {
  /** A repository, `owner/name`: a catalog, or one of services, of which less is asked, and its workflows. */
  repository(name: string, kind: 'catalog' | 'services'): Promise<RepositoryFacts>
  /** The plan that an organisation pays for; nothing of a user. */
  plan(owner: string): Promise<Seen<string | undefined>>
  /** Somebody whom a catalog names, `@acme/platform` or `@ada`, and what he may do in a repository. */
  person(name: string, repository: string): Promise<PersonFacts['is']>
  /** The variable of that name, of a repository or of its owner, and the App that it names. */
  app(variable: string, repository: string): Promise<Pick<AppFacts, 'value' | 'installation'>>
  /** The repositories of an owner with a topic. */
  topic(owner: string, topic: string): Promise<Seen<readonly string[]>>
}

/** Where an environment lies, and who to be there. */
export type Home = Pick<Environment, 'account' | 'region' | 'credentials'>

/** What an account holds that a catalog needs. As `SettingsHost`, it throws nothing. */
export interface AccountHost {
  /** The trust policy of a role, by its ARN; nothing where there is none. */
  trustOf(role: string): Promise<Seen<DataMap | undefined>>
  bucket(name: string): Promise<Seen<'there' | 'absent'>>
  /** What a stack gives out; nothing where there is none. */
  outputs(stack: string): Promise<Seen<Readonly<Record<string, string>> | undefined>>
}

/** The name servers of a domain, as the world is told; none where it is no zone of its own, and nothing where it is no name at all. */
export type NameServers = (domain: string) => Promise<Seen<readonly string[] | undefined>>

// What is released

/**
 * The releases of the catalog's repository on GitHub. Each of these can be run again at any time, by several at once: what is there
 * is found, and nothing that is there is moved. What stands in the way is thrown as `Refused`.
 */
export interface ReleaseHost {
  /** The tags of releases that there are now, `fargate-service@2.3.0`, with the commits that they lead to. */
  tags(): Promise<ReadonlyMap<string, string>>
  /** The record of a release on the ledger; nothing where it was not released. */
  recorded(release: { readonly template: string; readonly version: string }): Promise<ReleaseRecord | undefined>
  /** Makes the tag; the commit that it leads to is the one that is asked for, or that of who was faster. */
  tag(name: string, commit: string): Promise<{ readonly is: 'created' | 'found'; readonly commit: string }>
  /** Adds the record to the ledger; what is there by then is given back instead of it. */
  record(wanted: ReleaseRecord): Promise<{ readonly is: 'created' | 'found'; readonly record: ReleaseRecord }>
  /** Makes the release of GitHub that shows a tag. One that is there, by whomever it was made, is left as it is. */
  publish(wanted: {
    readonly tag: string
    readonly title: string
    readonly notes: Markdown
  }): Promise<{ readonly is: 'created' | 'found'; readonly address: string }>
}

// A repository that is taken in

/** Files for a repository of somebody, as a pull request. What goes wrong is thrown as `Refused`. */
export interface ProposalHost {
  /** Its number, and the files at these paths: on our branch where there is an open pull request from it, else on the main one. */
  look(wanted: { readonly branch: string; readonly paths: readonly string[] }): Promise<Proposed>
  /** Makes the files be on our branch, and the one pull request from it be this. Others' commits there stay. */
  propose(wanted: Proposal): Promise<{ readonly is: Brought; readonly number: number; readonly address: string }>
}

export type Proposed = {
  readonly id: string
  readonly files: FileTree
  /** What is there and is no text: a folder, a link, a file of another kind. */
  readonly others: ReadonlyMap<string, 'folder' | 'link' | 'binary'>
  /** The number of the open pull request from our branch. */
  readonly pullRequest?: number
}

export type Proposal = {
  readonly branch: string
  /** One line. */
  readonly title: string
  readonly body: Markdown
  readonly files: FileTree
  /** Those of the files that can be run. */
  readonly executables?: ReadonlySet<string>
}

// The fleet

/**
 * The repositories that run versions of templates. Reads are in batches that grow and shrink with what GitHub takes; one repository
 * that cannot be read, or not be written to, is told of, and keeps no other waiting. What hinders all of them is thrown as `Refused`.
 */
export interface FleetHost {
  /** Where services live, by the catalog; `owner` is who has the repositories with a topic or a property. By their numbers. */
  repositories(where: Repositories, owner: string): Promise<readonly FleetRepository[]>
  /** The files at some paths on the main branch, and nothing else. In the order of the repositories. */
  files(
    repositories: readonly FleetRepository[],
    paths: readonly string[],
  ): AsyncIterable<
    | { readonly is: 'read'; readonly repository: FleetRepository; readonly commit: string; readonly files: FilesSeen }
    | Exclude<RepositorySeen, { readonly is: 'read' }>
  >
  /** Files, our branches with that prefix, and their pull requests. In the order of the repositories. */
  read(
    repositories: readonly FleetRepository[],
    wanted: { readonly paths: readonly string[]; readonly prefix: string },
  ): AsyncIterable<RepositorySeen>
  /** The same of this moment, for what is about to be written: each with branches by name, there or gone, and paths of its own. */
  look(wanted: readonly FleetLook[]): AsyncIterable<RepositorySeen>
  /** What became of pull requests, by their numbers, and who closed them; what is gone is not among them. */
  outcomes(wanted: readonly FleetPull[]): Promise<readonly OutcomeSeen[]>
  /**
   * Writes one after another, and tells what came of each, in any order, as soon as it is known. Each move of a branch is made only if the
   * branch is where it is said to be. `pace` is asked before each; where it says to stop, what follows is neither asked for nor told of.
   */
  write(wanted: Iterable<FleetWrite> | AsyncIterable<FleetWrite>, pace: Pace): AsyncIterable<FleetWritten>
}

export type FleetPull = { readonly repository: FleetRepository; readonly number: number }

export type FleetLook = {
  readonly repository: FleetRepository
  readonly branches: readonly string[]
  readonly paths: readonly string[]
  /** A file that is read on each of the branches too. */
  readonly file: string
}

/** How fast GitHub may be written to. Content, which GitHub counts by itself, are pull requests that are opened. */
export interface Pace {
  /** Whether a write may be sent now. `pending` are pull requests that will be opened before it, and are not `created` yet. */
  next(kind: 'content' | 'other', pending: number): Turn
  /** A pull request was opened. */
  created(): void
  /** GitHub takes no more for now; `seconds` is how long it said to wait. */
  rejected(seconds: number | undefined): Turn
}

/** `stop`: what is left is for another run. */
export type Turn =
  | { readonly is: 'go' }
  | { readonly is: 'wait'; readonly milliseconds: number }
  | { readonly is: 'stop' }

/** Files on the branch `protium-rollouts` of the catalog: a change is taken only upon what was read. */
export interface RolloutsHost {
  /** All files there are; `at` is the commit that they are of, nothing where there is no branch yet. */
  read(): Promise<RolloutsRead>
  /** The commit with these changes; `behind` if somebody has changed the branch since `at`, and nothing was written. */
  write(
    files: ReadonlyMap<string, string | undefined>,
    options: { readonly at: string | undefined; readonly why: string },
  ): Promise<{ readonly is: 'written'; readonly at: string } | { readonly is: 'behind' }>
  /**
   * Makes the one issue with a marker be this, and finds it by its number where one is known. `closed` closes it.
   */
  issue(wanted: WantedIssue): Promise<{ readonly is: Brought; readonly number: number; readonly body: string }>
  /** What the issue says now, with the boxes that people have ticked. */
  issueBody(number: number): Promise<string | undefined>
}

export type RolloutsRead = { readonly at: string | undefined; readonly files: FileTree }

export type WantedIssue = {
  readonly number?: number
  readonly marker: string
  readonly title: string
  readonly body: Markdown
  readonly state: 'open' | 'closed'
}
