/**
 * The names that make each call repeatable. A name says who asked for what: the run, its attempt, and the first eight
 * digits of the digest of what is wanted; so that a run that was cut off finds its own operation, and finds its change
 * sets to give them back.
 */
export type RunName = {
  /** The run's id: GitHub's, or one that a terminal makes up. Characters that do not fit are left out. */
  readonly run: string
  readonly attempt: number
  /** `sha256:…` of what is wanted. */
  readonly wants: string
  /** The pull request that a change set is made for, by which it is found when that is closed. */
  readonly pullRequest?: number
}

/** What a call is for; calls of one run that are not the same request must not have the same token. */
export type Purpose = 'create' | 'execute' | 'delete' | 'rollback' | 'continue' | 'express' | 'plan'

export type ReadName = {
  readonly purpose: Purpose
  readonly run: string
  readonly attempt: number
  /** Eight hex digits. */
  readonly wants: string
  readonly pullRequest?: number
}

const letters: Readonly<Record<Purpose, string>> = {
  create: 'c',
  execute: 'd',
  delete: 'x',
  rollback: 'r',
  continue: 'u',
  express: 'e',
  plan: 'p',
}

/**
 * `d-<run>-<attempt>-<digest8>`, or `p-pr<number>-<run>-<attempt>-<digest8>` of a plan for a pull request. Fits
 * `[a-zA-Z][-a-zA-Z0-9]*`, 128 characters at most.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
 */
export function changeSetName(name: RunName, purpose: 'execute' | 'plan' = 'execute'): string {
  return nameOf(name, purpose)
}

/** For `ClientRequestToken` and `ClientToken`: `[a-zA-Z0-9][-a-zA-Z0-9]*`, 128 characters at most. */
export function requestToken(name: RunName, purpose: Purpose): string {
  return nameOf(name, purpose)
}

function nameOf({ run, attempt, wants, pullRequest }: RunName, purpose: Purpose): string {
  const forPull = pullRequest === undefined ? '' : `pr${pullRequest}-`
  return `${letters[purpose]}-${forPull}${plainRun(run)}-${attempt}-${shortDigest(wants)}`
}

/** A run's id in the alphabet of tokens: what does not fit is left out, and a long one is cut. */
function plainRun(run: string): string {
  const plain = run.replaceAll(/[^a-zA-Z0-9]/g, '').slice(0, 80)
  return plain === '' ? '0' : plain
}

/** The eight digits that names carry of a digest. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 8)
}

const shape = /^([cdxruep])-(?:pr(\d+)-)?([a-zA-Z0-9]{1,80})-(\d+)-([0-9a-f]{8})$/

/** Reads a name or a token of ours back; nothing, if somebody else made it. */
export function readName(name: string): ReadName | undefined {
  const [, letter, pull, run, attempt, wants] = shape.exec(name) ?? []
  const purpose = purposes.find((each) => letters[each] === letter)
  if (purpose === undefined || run === undefined || wants === undefined) return undefined
  return {
    purpose,
    run,
    attempt: Number(attempt),
    wants,
    ...(pull !== undefined && { pullRequest: Number(pull) }),
  }
}

const purposes = ['create', 'execute', 'delete', 'rollback', 'continue', 'express', 'plan'] as const

/**
 * Whether a token on an event is of this run, in this attempt or one before, or of any run that wanted the very same: its
 * operation is then followed to its end in the place of one more.
 */
export function isOurs(token: string | undefined, name: RunName): boolean {
  const read = token === undefined ? undefined : readName(token)
  if (read === undefined) return false
  return read.run === plainRun(name.run) || (read.purpose === 'execute' && read.wants === shortDigest(name.wants))
}
