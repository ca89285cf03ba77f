import { compareVersions } from '../version.ts'
import { isOurs, readMarker, readTrailers, tickedIn } from './metadata.ts'
import type { Action, Closing, Decision, Facts, NoTarget, Notice, Standing } from './model.ts'
import type { BranchSeen, PullSeen } from './seen.ts'

/**
 * What is to be done on one track, from what was seen of it. It is one function without a memory: killed at any point and run again,
 * the bot sees what it has done and goes on with the rest. Four things hold in every case: a person's commit is never replaced, an
 * answer is never asked for twice, there is never a second pull request, and what was not seen is not touched.
 */
export function decide(facts: Facts): Decision {
  const { access, branch, pulls } = facts
  if (access.is === 'closed') return { action: { is: 'nothing' }, standing: 'unreachable', why: access.words }
  const open = pulls.find(({ state }) => state === 'open')
  if (open !== undefined) return onOpen(facts, open)
  return branch === undefined ? onNothing(facts) : onBranch(facts, branch)
}

// A pull request is open

function onOpen(facts: Facts, pull: PullSeen): Decision {
  const { target, desired } = facts
  if (target.is === 'none') return withoutTarget(facts, pull, target.why)
  // Whose pull request it is is not ours to settle: who has opened it by hand from our branch keeps it.
  if (!pull.isOurs) return kept(pull, 'taken-over', 'Somebody has opened a pull request from this branch.')
  if (facts.branch === undefined)
    return nothing('unreachable', 'Its branch was not to be seen; the next run looks again.')
  if (desired === undefined) return nothing('unreachable', 'What it would write is not known.')
  if (pull.isQueued) return kept(pull, 'queued', 'It is in the merge queue.')
  if (!isOurs(facts.branch)) return onForeign(facts, pull, facts.branch)
  if (facts.branch.commit !== pull.head) return nothing('open', 'GitHub does not show yet what was pushed.')
  if (desired.is === 'impossible') {
    // What was proposed may be merged still, if it is what is offered; otherwise nobody should.
    const notice = { is: 'impossible', words: desired.words } as const
    return { ...kept(pull, 'impossible', desired.words), notice }
  }
  if (desired.is === 'same') return closed(facts, pull, 'not-needed', 'Nothing would change any more.')
  return onOwn(facts, { pull, branch: facts.branch, desired })
}

/** Nothing is offered on this track any more. */
function withoutTarget(facts: Facts, pull: PullSeen, why: NoTarget): Decision {
  // Whatever is the matter, what a person has taken in hand is left to him; `declined` he has said himself.
  if (!pull.isOurs) return kept(pull, 'taken-over', 'Somebody has opened a pull request from this branch.')
  if (pull.isQueued) return kept(pull, 'queued', 'It is in the merge queue.')
  const words: Readonly<Record<NoTarget, { readonly closing: Closing; readonly why: string }>> = {
    newest: { closing: 'done', why: 'The version was moved by hand.' },
    declined: { closing: 'declined', why: 'It was declined.' },
    later: { closing: 'later', why: 'It is to be asked again later.' },
    off: { closing: 'off', why: 'Its file takes no upgrades.' },
    moved: { closing: 'moved', why: 'It no longer runs this template.' },
    retracted: { closing: 'retracted', why: 'The version was taken back.' },
    'other-major': { closing: 'other-major', why: 'It has gone on to another major.' },
  }
  const offered = readMarker(pull.body)?.to
  if (why === 'newest' && offered !== undefined && compareVersions(offered, facts.consumer.version) > 0)
    return closed(facts, pull, 'retracted', `${offered} is not offered any more.`)
  return closed(facts, pull, words[why].closing, words[why].why)
}

/** A person has pushed to the branch. It is his now: what is new is offered in words, and comes on top when he asks for it. */
function onForeign({ target, desired, turn, isAnswered }: Facts, pull: PullSeen, branch: BranchSeen): Decision {
  const offered = readMarker(pull.body)
  const to = target.is === 'move' ? target.to : undefined
  const isNewer = to !== undefined && offered !== undefined && compareVersions(offered.to, to) !== 0
  const mayAppend = turn.is === 'now' && desired?.is === 'change' && branch.commit === pull.head
  if (isNewer && mayAppend && tickedIn(pull.body).has('apply')) {
    return {
      action: { is: 'append', pull, onto: branch.commit },
      standing: 'taken-over',
      why: `${to} was asked for on top of what is there.`,
    }
  }
  const notice = { is: 'taken-over', ...(isNewer && { newer: to }) } as const
  const isBad = target.is === 'move' && offered !== undefined && target.retracted?.includes(offered.to) === true
  return {
    // What was missing he has filled in; what was taken back must not be merged by mistake.
    ...kept(pull, 'taken-over', 'Somebody works on it: nothing is pushed there.', {
      draft: isBad || (pull.isDraft && isAnswered !== true),
    }),
    notice,
  }
}

type Own = {
  readonly pull: PullSeen
  readonly branch: BranchSeen
  readonly desired: Extract<Facts['desired'], { readonly is: 'change' }>
}

/** The branch is our own, and it is said what it should hold. */
function onOwn(facts: Facts, { pull, branch, desired }: Own): Decision {
  const { turn, target } = facts
  const holds = readTrailers(branch.message)
  const to = target.is === 'move' ? target.to : ''
  const isHeld = turn.is === 'waits' && (turn.for === 'halted' || turn.for === 'paused' || turn.for === 'aborted')
  // What was taken back is replaced at once; everything else keeps still while the rollout does.
  if (isHeld && holds?.to === to) {
    const notice: Notice = { is: turn.for === 'paused' ? 'paused' : 'halted', words: turn.words }
    return { ...kept(pull, 'held', turn.words, { draft: desired.open > 0, automerge: false }), notice }
  }
  const move = (standing: Standing, why: string): Decision => ({
    action: {
      is: 'move',
      pull,
      before: branch.commit,
      draft: desired.open > 0,
      // What somebody has agreed to is no longer what is there.
      ...(facts.automerge !== pull.isAutomerging && { automerge: facts.automerge && turn.is === 'now' }),
    },
    standing,
    why,
  })
  if (holds?.to !== to) {
    const isForward = holds !== undefined && compareVersions(holds.to, to) < 0
    // It has been reviewed, or has just shown that it works: what is newer comes after it.
    const isGood = target.is === 'move' && !target.isUrgent && target.retracted?.includes(holds?.to ?? '') !== true
    if (isForward && isGood && mergesFirst(pull, facts.now)) {
      const notice = { is: 'next', version: to } as const
      return { ...kept(pull, 'open', `${to} is ready; this one merges first.`), notice }
    }
    if (turn.is === 'waits' && isForward && isGood)
      return kept(pull, 'open', `${to} comes when it is its turn: ${turn.words}`, { draft: pull.isDraft })
    return move('open', `${to} takes the place of ${holds?.to ?? 'what was there'}.`)
  }
  if (holds.fingerprint !== desired.fingerprint)
    return move(standingOf({ pull, desired }), 'What it writes has changed.')
  if (tickedIn(pull.body).has('rebase'))
    return move(standingOf({ pull, desired }), 'It was asked to begin on the base again.')
  // GitHub may not have looked again yet at what begins on this base.
  if (pull.mergeable === 'no' && holds.base !== facts.base.commit)
    return move(standingOf({ pull, desired }), 'The base has changed beside it.')
  return asItIs(facts, { pull, desired })
}

/** The commit stays. */
function asItIs(facts: Facts, { pull, desired }: Pick<Own, 'pull' | 'desired'>): Decision {
  const standing = standingOf({ pull, desired })
  // Who has switched it on by hand is not gainsaid.
  const automerge = pull.isAutomerging || (facts.automerge && standing === 'open' && facts.turn.is === 'now')
  const decision = kept(pull, standing, whyOf(standing), { draft: desired.open > 0, automerge })
  if (standing !== 'failing') return decision
  return { ...decision, notice: { is: 'failing', isOwn: facts.base.checks !== 'failure' } }
}

function standingOf({ pull, desired }: Pick<Own, 'pull' | 'desired'>): Standing {
  if (desired.open > 0) return 'needs-answer'
  if (pull.checks === 'failure') return 'failing'
  return pull.mergeable === 'no' ? 'conflicting' : 'open'
}

function whyOf(standing: Standing): string {
  if (standing === 'needs-answer') return 'Somebody has to answer something first.'
  if (standing === 'conflicting') return 'It conflicts with the base.'
  return standing === 'failing' ? 'Its checks fail.' : 'It is open, and up to date.'
}

const freshFor = 48 * 3_600_000

function mergesFirst({ isApproved, checks, created }: PullSeen, now: Date): boolean {
  return isApproved || (checks === 'success' && now.getTime() - Date.parse(created) < freshFor)
}

// None is open

function onNothing(facts: Facts): Decision {
  const { target, desired, turn } = facts
  if (target.is === 'none') return atRest(facts, target.why)
  if (desired === undefined) return nothing('unreachable', 'What it would write is not known.')
  if (desired.is === 'same')
    return nothing('compatible', 'Nothing would change: the version rides along with the next one that does.')
  if (desired.is === 'impossible') return nothing('impossible', desired.words)
  if (turn.is === 'waits') return nothing('waits', turn.words)
  return {
    action: { is: 'open', draft: desired.open > 0, automerge: facts.automerge && desired.open === 0 },
    standing: desired.open > 0 ? 'needs-answer' : 'open',
    why: 'It is its turn.',
  }
}

/** A branch of this name without an open pull request: left by a run that was cut off, by a merge, by a close, or a person's own. */
function onBranch(facts: Facts, branch: BranchSeen): Decision {
  const { target, desired, pulls, turn, now } = facts
  const last = pulls.find(({ head }) => head === branch.commit)
  const mayDelete = isOurs(branch) || last?.state === 'merged'
  const deleted = (decision: Decision): Decision =>
    mayDelete ? { ...decision, action: { is: 'delete-branch', before: branch.commit } } : decision
  if (last?.state === 'merged') {
    const decision = onNothing(facts)
    return decision.action.is === 'open'
      ? { ...decision, action: { ...decision.action, before: branch.commit } }
      : deleted(decision)
  }
  if (target.is === 'none') {
    const decision = atRest(facts, target.why)
    // Who has closed it can reopen it for a month: that needs the branch.
    return isOld(last, now) ? deleted(decision) : decision
  }
  const decision = onNothing(facts)
  if (!isOurs(branch)) {
    return nothing('taken-over', 'A branch of this name has commits of somebody, and no pull request is open.')
  }
  if (decision.action.is !== 'open') {
    // What was never proposed, and is not wanted any more, is nobody's.
    const isLeft = desired?.is === 'same' && last === undefined
    return isLeft ? deleted(decision) : decision
  }
  if (
    turn.is === 'now' &&
    desired?.is === 'change' &&
    last === undefined &&
    readTrailers(branch.message)?.fingerprint === desired.fingerprint
  ) {
    return { ...decision, action: { is: 'finish', head: branch.commit, draft: desired.open > 0 } }
  }
  return { ...decision, action: { ...decision.action, before: branch.commit } }
}

const keptFor = 30 * 86_400_000

function isOld(pull: PullSeen | undefined, now: Date): boolean {
  return pull === undefined || now.getTime() - Date.parse(pull.ended ?? pull.created) > keptFor
}

/** Nothing is offered, and nothing is open. */
function atRest({ pulls, consumer }: Facts, why: NoTarget): Decision {
  const merged = pulls.find(({ state }) => state === 'merged')
  const to = merged === undefined ? undefined : readMarker(merged.body)?.to
  switch (why) {
    case 'newest':
      return to === consumer.version
        ? nothing('merged', `It runs ${consumer.version}.`)
        : nothing('current', `It runs ${consumer.version}.`)
    case 'declined':
      return merged !== undefined && to !== undefined && compareVersions(consumer.version, to) < 0
        ? nothing('reverted', `${to} was merged, and taken back.`)
        : nothing('declined', 'Somebody has declined it.')
    case 'later':
      return nothing('waits', 'Somebody wants to be asked later.')
    case 'off':
      return nothing('off', 'Its file takes no upgrades.')
    case 'moved':
      return nothing('closed', 'It no longer runs this template.')
    case 'retracted':
      return nothing('closed', 'The version was taken back.')
    case 'other-major':
      return nothing('closed', 'It has gone on to another major.')
  }
}

/** Whether a track waits for nothing: then the next major may be offered. */
export function isAtRest(standing: Standing): boolean {
  const busy: readonly Standing[] = [
    'waits',
    'open',
    'held',
    'failing',
    'conflicting',
    'needs-answer',
    'taken-over',
    'queued',
  ]
  return !busy.includes(standing)
}

// Words for what is done

function nothing(standing: Standing, why: string): Decision {
  return { action: { is: 'nothing' }, standing, why }
}

function kept(
  pull: PullSeen,
  standing: Standing,
  why: string,
  { draft = pull.isDraft, automerge }: { readonly draft?: boolean; readonly automerge?: boolean } = {},
): Decision {
  const changes = automerge !== undefined && automerge !== pull.isAutomerging
  const action: Action = { is: 'keep', pull, draft, ...(changes && { automerge }) }
  return { action, standing, why }
}

/** Closes what is ours. A branch with a person's commits stays, and he can open it again. */
function closed({ branch, target }: Facts, pull: PullSeen, because: Closing, why: string): Decision {
  const isOwn = branch !== undefined && isOurs(branch) && branch.commit === pull.head
  // A person's work is not closed before his eyes; only his own answer does that, or that it is done.
  const mayClose = isOwn || because === 'declined' || because === 'done' || because === 'moved' || because === 'off'
  if (!mayClose) {
    const notice = { is: 'taken-over', ...(target.is === 'move' && { newer: target.to }) } as const
    // What was taken back must not be merged by mistake.
    return { ...kept(pull, 'taken-over', why, { draft: pull.isDraft || because === 'retracted' }), notice }
  }
  const deletes = isOwn && because !== 'declined' && because !== 'later'
  const standings: Partial<Record<Closing, Standing>> = {
    declined: 'declined',
    done: 'current',
    off: 'off',
    later: 'waits',
    'not-needed': 'compatible',
  }
  return {
    action: { is: 'close', pull, because, ...(deletes && { branch: { before: branch.commit } }) },
    standing: standings[because] ?? 'closed',
    why,
  }
}

// Before a ref moves

/**
 * Why a branch with an open pull request must not be put to a commit; nothing where it may. GitHub closes or merges a pull request
 * whose head comes to hold nothing of its own, and such a one can never be opened again.
 */
export function immovable(
  next: { readonly commit: string; readonly tree: string; readonly parents: readonly string[] },
  base: { readonly commit: string; readonly tree: string },
): string | undefined {
  if (next.commit === base.commit) return 'The commit is the head of the main branch itself.'
  if (next.tree === base.tree) return 'The commit changes nothing.'
  // A commit that is made upon the head of the main branch is no ancestor of it.
  return next.parents.length === 1 && next.parents[0] === base.commit
    ? undefined
    : 'The commit is not made upon the head of the main branch.'
}
