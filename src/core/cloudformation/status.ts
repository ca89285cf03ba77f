import { holdsData } from '../guard.ts'
import type { DescribedResource } from './model.ts'

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html; with `absent` the 24 states of a stack. */
export const stackStatuses = [
  'CREATE_IN_PROGRESS',
  'CREATE_FAILED',
  'CREATE_COMPLETE',
  'ROLLBACK_IN_PROGRESS',
  'ROLLBACK_FAILED',
  'ROLLBACK_COMPLETE',
  'DELETE_IN_PROGRESS',
  'DELETE_FAILED',
  'DELETE_COMPLETE',
  'UPDATE_IN_PROGRESS',
  'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
  'UPDATE_COMPLETE',
  'UPDATE_FAILED',
  'UPDATE_ROLLBACK_IN_PROGRESS',
  'UPDATE_ROLLBACK_FAILED',
  'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS',
  'UPDATE_ROLLBACK_COMPLETE',
  'REVIEW_IN_PROGRESS',
  'IMPORT_IN_PROGRESS',
  'IMPORT_COMPLETE',
  'IMPORT_ROLLBACK_IN_PROGRESS',
  'IMPORT_ROLLBACK_FAILED',
  'IMPORT_ROLLBACK_COMPLETE',
] as const

/** What is known of a stack besides its status when it is decided what to do with it. */
export type StackFacts = {
  /** Its name; the ARN where it is known, which names this stack alone even when it is made again. */
  readonly stack: string
  readonly region: string
  /** The operation under way is this run's own: its newest event carries a token of ours. */
  readonly isOurs?: boolean
  readonly terminationProtection?: boolean
  /** The role that the stack was given; it is used again by what mends it. */
  readonly role?: string
  /** All resources, by ListStackResources. Needed for a stack that is stuck; without them, none is known to be safe. */
  readonly resources?: readonly DescribedResource[]
  /** Logical ids whose policy in the live template lets them stay when the stack goes (`Retain`, `RetainExceptOnCreate`). */
  readonly retained?: readonly string[]
  /** The mode of the last operation. Of an express one there is no RollbackStack. */
  readonly mode?: 'standard' | 'express'
  /** How often this run has tried each recovery. */
  readonly tried?: Readonly<Partial<Record<Recovery, number>>>
  /** Logical ids that somebody has said may be lost. */
  readonly acknowledged?: readonly string[]
  readonly guard?: { readonly types?: readonly string[]; readonly release?: readonly string[] }
}

/**
 * What mends a stack that is stuck.
 * - `delete`: DeleteStack; then it is absent
 * - `delete-again`: DeleteStack after one that failed; then it is absent
 * - `rollback`: RollbackStack with RetainExceptOnCreate; then it is ROLLBACK_COMPLETE or UPDATE_ROLLBACK_COMPLETE
 * - `continue-rollback`: ContinueUpdateRollback without skipping anything; then it is UPDATE_ROLLBACK_COMPLETE
 * - `update-express`: UpdateStack in express mode, directly, because RollbackStack does not take what express has left
 */
export type Recovery = 'delete' | 'delete-again' | 'rollback' | 'continue-rollback' | 'update-express'

/** What a deployment does next with a stack. After each step but the first two, the stack is looked at again. */
export type Step =
  | { readonly step: 'create' }
  | { readonly step: 'update' }
  /** An operation of somebody else, or one that nothing can be done about: wait until it is over. */
  | { readonly step: 'wait'; readonly until: 'idle' | 'gone' }
  /** This run's own operation, begun before it was cut off: follow it. */
  | { readonly step: 'attach' }
  /** `notes` says what a person should know of it, one sentence each. */
  | { readonly step: 'recover'; readonly by: Recovery; readonly notes: readonly string[] }
  /** Nothing is done by itself, because something would be lost by it. `remedy` has the exact command. */
  | { readonly step: 'refuse'; readonly code: RefusalCode; readonly message: string; readonly remedy: string }

export type RefusalCode = 'stack-protected' | 'recovery-loses-data' | 'stack-stuck'

/** The state in the words of the port. */
export type Rest = 'absent' | 'settled' | 'busy' | 'stuck'

/**
 * A stack's status in the words of the port. REVIEW_IN_PROGRESS is a stack that was never made: the shell that a change set
 * of a new stack leaves, with nothing in it.
 */
export function restOf(status: string | undefined): Rest {
  if (status === undefined || status === 'DELETE_COMPLETE' || status === 'REVIEW_IN_PROGRESS') return 'absent'
  if (status.endsWith('_IN_PROGRESS')) return 'busy'
  if (status === 'ROLLBACK_COMPLETE') return 'stuck'
  return status.endsWith('_COMPLETE') ? 'settled' : 'stuck'
}

/**
 * What to do before a deployment, for each status: a table, with no memory but the facts. What is not known to CloudFormation
 * today goes by its ending.
 */
export function step(status: string | undefined, facts: StackFacts): Step {
  switch (status) {
    case undefined:
    case 'DELETE_COMPLETE':
    case 'REVIEW_IN_PROGRESS':
      return { step: 'create' }
    case 'CREATE_COMPLETE':
    case 'UPDATE_COMPLETE':
    case 'UPDATE_ROLLBACK_COMPLETE':
    case 'IMPORT_COMPLETE':
    case 'IMPORT_ROLLBACK_COMPLETE':
      return { step: 'update' }
    case 'DELETE_IN_PROGRESS':
      return { step: 'wait', until: 'gone' }
    case 'ROLLBACK_COMPLETE':
    case 'ROLLBACK_FAILED':
      return deletion('delete', status, facts)
    case 'DELETE_FAILED':
      return deletion('delete-again', status, facts)
    case 'CREATE_FAILED':
      return afterPausedCreation(status, facts)
    case 'UPDATE_FAILED':
      return afterPausedUpdate(status, facts)
    case 'UPDATE_ROLLBACK_FAILED':
      return afterFailedRollback(status, facts)
    case 'IMPORT_ROLLBACK_FAILED':
      return afterFailedImport(status, facts)
    default:
      return otherwise(status, facts)
  }
}

/** CREATE_, UPDATE_, IMPORT_ and rollbacks under way, the clean-ups after them, and what a later CloudFormation may add. */
function otherwise(status: string, facts: StackFacts): Step {
  if (status.endsWith('_IN_PROGRESS')) {
    return facts.isOurs === true ? { step: 'attach' } : { step: 'wait', until: 'idle' }
  }
  if (status.endsWith('_COMPLETE')) return { step: 'update' }
  return {
    step: 'refuse',
    code: 'stack-stuck',
    message: `${nameOf(facts)} is in the state ${status}, which Protium does not know.`,
    remedy: `Look at it: ${command('describe-stack-events', facts)}`,
  }
}

/** A creation that has failed leaves a stack that can only be deleted. */
function deletion(by: 'delete' | 'delete-again', status: string, facts: StackFacts): Step {
  const guarded = guardDeletion(status, facts)
  if (guarded !== undefined) return guarded
  if ((facts.tried?.[by] ?? 0) > 0) return blocked(status, facts)
  const kept = left(facts, 'DELETE_SKIPPED')
  return {
    step: 'recover',
    by,
    notes: kept.map(
      (id) =>
        `${id} stays in the account, because its policy says so; a stack that wants one of the same name will not get it.`,
    ),
  }
}

/** The creation stopped where it failed, because rolling back was switched off: what it had made is there, and may be in use. */
function afterPausedCreation(status: string, facts: StackFacts): Step {
  const by = facts.mode === 'express' ? 'update-express' : 'rollback'
  const precious = by === 'rollback' ? lost(facts) : []
  if (precious === undefined || precious.length > 0) {
    return {
      step: 'refuse',
      code: 'recovery-loses-data',
      message: `${nameOf(facts)} is in the state ${status}, and rolling it back deletes what it has made: ${lossInWords(precious)}.`,
      remedy: `If that may be lost: ${command('rollback-stack', facts, ['--retain-except-on-create', ...roleOption(facts)])}. Then deploy again.`,
    }
  }
  return (facts.tried?.[by] ?? 0) > 0 ? blocked(status, facts) : recovery(by)
}

/** The update stopped where it failed. Rolling it back is what CloudFormation does by itself elsewhere. */
function afterPausedUpdate(status: string, facts: StackFacts): Step {
  const by = facts.mode === 'express' ? 'update-express' : 'rollback'
  return (facts.tried?.[by] ?? 0) > 0 ? blocked(status, facts) : recovery(by)
}

/** Two tries by itself; nothing is ever skipped by itself, because what is skipped is then other than the stack believes. */
function afterFailedRollback(status: string, facts: StackFacts): Step {
  if ((facts.tried?.['continue-rollback'] ?? 0) < 2) return recovery('continue-rollback')
  const failed = left(facts, 'UPDATE_FAILED')
  const skip = failed.length === 0 ? [] : ['--resources-to-skip', ...failed]
  return {
    step: 'refuse',
    code: 'stack-stuck',
    message: `${nameOf(facts)} is in the state ${status}: ${failed.length === 0 ? 'a resource' : listed(failed)} cannot be brought back to what was there before${reasons(facts, failed)}.`,
    remedy: `Mend what stops it and deploy again, or go on without it: ${command('continue-update-rollback', facts, [...skip, ...roleOption(facts)])}`,
  }
}

function afterFailedImport(status: string, facts: StackFacts): Step {
  return {
    step: 'refuse',
    code: 'stack-stuck',
    message: `${nameOf(facts)} is in the state ${status}: CloudFormation could not let go again of what was to be imported, and no call mends that.`,
    remedy: `See what stops it: ${command('describe-stack-events', facts)}`,
  }
}

function recovery(by: Recovery): Step {
  return { step: 'recover', by, notes: [] }
}

function guardDeletion(status: string, facts: StackFacts): Step | undefined {
  if (facts.terminationProtection === true) {
    return {
      step: 'refuse',
      code: 'stack-protected',
      message: `${nameOf(facts)} is in the state ${status} and has to be deleted first, but is protected from that.`,
      remedy: `If it may be deleted: ${command('update-termination-protection', facts, ['--no-enable-termination-protection'])}. Then deploy again.`,
    }
  }
  const precious = lost(facts)
  if (precious?.length === 0) return undefined
  const retain = status === 'DELETE_FAILED' && precious !== undefined ? ['--retain-resources', ...precious] : []
  return {
    step: 'refuse',
    code: 'recovery-loses-data',
    message: `${nameOf(facts)} is in the state ${status} and has to be deleted first, but ${lossInWords(precious)}.`,
    remedy: `${retain.length > 0 ? 'To delete the stack and leave them in the account' : 'If that may be lost'}: ${command('delete-stack', facts, [...retain, ...roleOption(facts)])}. Then deploy again.`,
  }
}

function lossInWords(precious: readonly string[] | undefined): string {
  if (precious === undefined) return 'what is in it is not known'
  return `${listed(precious)} may hold data`
}

/** What brings it back was tried, and something stops it. */
function blocked(status: string, facts: StackFacts): Step {
  const blockers = left(facts, status.startsWith('UPDATE') ? 'UPDATE_FAILED' : 'DELETE_FAILED')
  const retain = status === 'DELETE_FAILED' && blockers.length > 0 ? ['--retain-resources', ...blockers] : []
  return {
    step: 'refuse',
    code: 'stack-stuck',
    message: `${nameOf(facts)} is still in the state ${status}: ${blockers.length === 0 ? 'something' : listed(blockers)} ${blockers.length > 1 ? 'stand' : 'stands'} in the way${reasons(facts, blockers)}.`,
    remedy:
      retain.length === 0
        ? `Take away what stops it and deploy again. To see what it is: ${command('describe-stack-events', facts)}`
        : `Take away what stops it and deploy again, or leave ${blockers.length > 1 ? 'them' : 'it'} in the account: ${command('delete-stack', facts, [...retain, ...roleOption(facts)])}`,
  }
}

/** Logical ids that hold data, would go with the stack, and that nobody has acknowledged; nothing where it is not known. */
function lost(facts: StackFacts): readonly string[] | undefined {
  if (facts.resources === undefined) return undefined
  const spared = new Set([...(facts.acknowledged ?? []), ...(facts.retained ?? [])])
  return facts.resources.flatMap(({ LogicalResourceId: id, ResourceType: type = '', ResourceStatus: status }) => {
    if (id === undefined || spared.has(id)) return []
    // One that failed to be made is not there; one that is gone or was let go cannot be lost.
    const gone = status === 'DELETE_COMPLETE' || status === 'DELETE_SKIPPED' || status === 'CREATE_FAILED'
    return !gone && holdsData(type, facts.guard) ? [id] : []
  })
}

function left(facts: StackFacts, status: string): readonly string[] {
  return (facts.resources ?? []).flatMap(({ LogicalResourceId: id, ResourceStatus }) =>
    id !== undefined && ResourceStatus === status ? [id] : [],
  )
}

function reasons(facts: StackFacts, ids: readonly string[]): string {
  const known = (facts.resources ?? []).flatMap(({ LogicalResourceId: id, ResourceStatusReason: reason }) =>
    id !== undefined && reason !== undefined && reason !== '' && ids.includes(id) ? [reason] : [],
  )
  return known.length === 0 ? '' : ` (${known.join('; ')})`
}

function nameOf({ stack }: StackFacts): string {
  return /^arn:[^/]+:stack\/([^/]+)/.exec(stack)?.[1] ?? stack
}

function listed(ids: readonly string[]): string {
  return ids.length < 2 ? ids.join('') : `${ids.slice(0, -1).join(', ')} and ${ids.at(-1) ?? ''}`
}

function roleOption({ role }: StackFacts): readonly string[] {
  return role === undefined ? [] : ['--role-arn', role]
}

/** A command of the AWS CLI, to be pasted as it is. */
function command(verb: string, { stack, region }: StackFacts, options: readonly string[] = []): string {
  const words = ['aws', 'cloudformation', verb, '--stack-name', stack, ...options, '--region', region]
  return `\`${words.map(quoted).join(' ')}\``
}

function quoted(word: string): string {
  return /^[\w:/.=@,+-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

const recoveryWords: Readonly<Record<Recovery, string>> = {
  delete: 'Its first creation has failed, so that it can only be deleted. Deploy again: that is done first.',
  'delete-again': 'A deletion of it has failed. Deploy again: it is tried once more, and then the stack is made anew.',
  rollback: 'An operation has stopped where it failed. Deploy again: it is rolled back first.',
  'continue-rollback': 'A rollback of it has failed. Deploy again: the rollback is gone on with first.',
  'update-express': 'An operation in express mode has failed. Deploy again: it is gone on with.',
}

/** A step in words for a person who finds the stack so: the remedy of a stack that is stuck. */
export function stepInWords(step: Step): string {
  switch (step.step) {
    case 'recover':
      return [recoveryWords[step.by], ...step.notes].join(' ')
    case 'refuse':
      return `${step.message} ${step.remedy}`
    case 'wait':
    case 'attach':
      return 'Wait until the operation under way has ended.'
    case 'create':
    case 'update':
      return 'Deploy again.'
  }
}

/**
 * What a status says while an operation is followed.
 * - `going`: it is not over. `failing` when it is decided that it fails: the cause is known now. `usable` when the outputs are
 *   those that were wanted and only what was replaced is still cleaned up.
 * - `succeeded`
 * - `failed`: `rolled-back` to what ran before; `paused` where it failed; `blocked` in a rollback or deletion that failed too;
 *   `removed` with all that was made.
 */
export type Outcome =
  | { readonly is: 'going'; readonly failing: boolean; readonly usable: boolean }
  | { readonly is: 'succeeded' }
  | { readonly is: 'failed'; readonly left: 'rolled-back' | 'paused' | 'blocked' | 'removed' }

/**
 * What a status means after an operation of ours has begun. `undefined` is a stack that is no longer found, which only a
 * removal is done with. REVIEW_IN_PROGRESS is a stale read of before: the operation has begun and is not yet seen.
 */
export function outcome(status: string | undefined, operation: 'deployment' | 'removal' = 'deployment'): Outcome {
  if (operation === 'removal') return removalOutcome(status)
  switch (status) {
    case undefined:
    case 'DELETE_COMPLETE':
      return { is: 'failed', left: 'removed' }
    case 'CREATE_COMPLETE':
    case 'UPDATE_COMPLETE':
    case 'IMPORT_COMPLETE':
      return { is: 'succeeded' }
    case 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS':
      return { is: 'going', failing: false, usable: true }
    case 'ROLLBACK_COMPLETE':
    case 'UPDATE_ROLLBACK_COMPLETE':
    case 'IMPORT_ROLLBACK_COMPLETE':
      return { is: 'failed', left: 'rolled-back' }
    case 'CREATE_FAILED':
    case 'UPDATE_FAILED':
      return { is: 'failed', left: 'paused' }
    case 'ROLLBACK_FAILED':
    case 'UPDATE_ROLLBACK_FAILED':
    case 'IMPORT_ROLLBACK_FAILED':
    case 'DELETE_FAILED':
      return { is: 'failed', left: 'blocked' }
    // A first creation with OnStackFailure DELETE.
    case 'DELETE_IN_PROGRESS':
      return { is: 'going', failing: true, usable: false }
    default:
      return unknownOutcome(status)
  }
}

function unknownOutcome(status: string): Outcome {
  const failing = status.includes('ROLLBACK')
  if (status.endsWith('_IN_PROGRESS')) return { is: 'going', failing, usable: false }
  if (status.endsWith('_COMPLETE') && !failing) return { is: 'succeeded' }
  return { is: 'failed', left: status.endsWith('_COMPLETE') ? 'rolled-back' : 'blocked' }
}

function removalOutcome(status: string | undefined): Outcome {
  if (status === undefined || status === 'DELETE_COMPLETE') return { is: 'succeeded' }
  if (status.endsWith('_IN_PROGRESS')) return { is: 'going', failing: false, usable: false }
  // The first reads after DeleteStack may still show the state of before; the follower goes by events then.
  return { is: 'failed', left: 'blocked' }
}
