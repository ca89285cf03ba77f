import type {
  BranchSeen,
  ChecksSeen,
  FilesSeen,
  FileSeen,
  FleetRepository,
  PullSeen,
  RepositorySeen,
} from '../../../core/upgrade/seen.ts'
import { at, listAt, textAt } from './client.ts'

// GitHub's answers as the facts that they are.

type Unusable = Extract<RepositorySeen, { readonly is: 'unusable' }>['why']

export function repositoryOf(node: unknown, properties: FleetRepository['properties'] = {}): FleetRepository {
  return {
    id: textAt(node, 'id') ?? '',
    number: Number(at(node, 'databaseId')),
    name: textAt(node, 'nameWithOwner') ?? '',
    is: at(node, 'isArchived') === true ? 'archived' : at(node, 'isDisabled') === true ? 'disabled' : 'usable',
    properties,
  }
}

export function unusableOf(node: unknown): Unusable | undefined {
  if (at(node, 'isArchived') === true) return 'archived'
  if (at(node, 'isDisabled') === true) return 'disabled'
  if (at(node, 'isLocked') === true) return 'locked'
  if (at(node, 'isEmpty') === true || textAt(node, 'defaultBranchRef', 'target', 'oid') === undefined) return 'empty'
  return undefined
}

export function baseOf(node: unknown) {
  const branch = at(node, 'defaultBranchRef')
  const checks = checksOf(textAt(branch, 'target', 'statusCheckRollup', 'state'))
  return {
    branch: textAt(branch, 'name') ?? '',
    commit: textAt(branch, 'target', 'oid') ?? '',
    tree: textAt(branch, 'target', 'tree', 'oid') ?? '',
    ...(checks !== undefined && { checks }),
  }
}

export function mayWrite(node: unknown): boolean {
  // A token of an App is told no permission of its own.
  const permission = textAt(node, 'viewerPermission')
  return permission !== 'READ' && permission !== 'TRIAGE'
}

/** What is longer is nothing that people write. */
const mostBytes = 1_000_000

/** The files by their aliases `f0` … below the main branch; `cut` are those of which GitHub gave a part. */
export function filesOf(
  node: unknown,
  paths: readonly string[],
): { readonly files: FilesSeen; readonly cut: readonly { readonly path: string; readonly oid: string }[] } {
  const files = new Map<string, FileSeen>()
  const cut: { readonly path: string; readonly oid: string }[] = []
  for (const [index, path] of paths.entries()) {
    const read = fileOf(at(node, 'defaultBranchRef', 'target', `f${index}`))
    if (read === undefined) continue
    files.set(path, read.file)
    if (read.isCut) cut.push({ path, oid: read.file.oid })
  }
  return { files, cut }
}

function fileOf(entry: unknown): { readonly file: FileSeen; readonly isCut: boolean } | undefined {
  const type = textAt(entry, 'type')
  if (type === undefined) return undefined
  const mode = Number(at(entry, 'mode')).toString(8)
  const oid = textAt(entry, 'object', 'oid') ?? ''
  const text = textAt(entry, 'object', 'text')
  const other = (is: Exclude<FileSeen['is'], 'text'>) => ({ file: { is, oid }, isCut: false }) as const
  if (type !== 'blob') return other('folder')
  if (mode === '120000') return other('link')
  if (Number(at(entry, 'object', 'byteSize')) > mostBytes) return other('large')
  if (text === undefined || at(entry, 'object', 'isBinary') === true) return other('binary')
  const file: FileSeen = { is: 'text', oid, text, ...(mode === '100755' && { isExecutable: true }) }
  return { file, isCut: at(entry, 'object', 'isTruncated') === true }
}

/** A branch of ours; `us` is the login of who asks, without `[bot]`. */
export function branchOf(
  node: unknown,
  { us, pulls }: { readonly us: string; readonly pulls: readonly unknown[] },
): BranchSeen {
  const full = `${textAt(node, 'prefix') ?? ''}${textAt(node, 'name') ?? ''}`
  const head = at(node, 'target')
  const isSigned = at(head, 'signature', 'isValid') === true && at(head, 'signature', 'wasSignedByGitHub') === true
  const own = fileOf(at(head, 'own'))
  const author = textAt(head, 'author', 'user', 'login') ?? textAt(head, 'author', 'name')
  return {
    name: full.replace(/^refs\/heads\//u, ''),
    commit: textAt(head, 'oid') ?? '',
    tree: textAt(head, 'tree', 'oid') ?? '',
    message: textAt(head, 'message') ?? '',
    isSigned,
    isOurs: isSigned && (author === `${us}[bot]` || author === us),
    pulls: pulls.map((pull) => pullOf(pull, us)),
    ...(own !== undefined && { file: own.file }),
  }
}

export function pullOf(node: unknown, us: string): PullSeen {
  const state = textAt(node, 'state')
  const ended = textAt(node, 'mergedAt') ?? textAt(node, 'closedAt')
  const closer = textAt(listAt(node, 'timelineItems', 'nodes').at(-1), 'actor', 'login')
  const checks = checksOf(textAt(node, 'statusCheckRollup', 'state'))
  const mergeable = textAt(node, 'mergeable')
  const merged = textAt(node, 'mergeCommit', 'oid')
  return {
    id: textAt(node, 'id') ?? '',
    number: Number(at(node, 'number')),
    branch: textAt(node, 'headRefName') ?? '',
    base: textAt(node, 'baseRefName') ?? '',
    head: textAt(node, 'headRefOid') ?? '',
    state: state === 'OPEN' ? 'open' : state === 'MERGED' ? 'merged' : 'closed',
    isOurs: bare(textAt(node, 'author', 'login')) === us,
    ...(closer !== undefined && { closedBy: bare(closer) === us ? 'us' : (`@${closer}` as const) }),
    created: textAt(node, 'createdAt') ?? '',
    ...(ended !== undefined && { ended }),
    isDraft: at(node, 'isDraft') === true,
    isQueued: at(node, 'isInMergeQueue') === true,
    isAutomerging: textAt(node, 'autoMergeRequest', 'enabledAt') !== undefined,
    isApproved: textAt(node, 'reviewDecision') === 'APPROVED',
    ...(checks !== undefined && { checks }),
    mergeable: mergeable === 'MERGEABLE' ? 'yes' : mergeable === 'CONFLICTING' ? 'no' : 'unknown',
    title: textAt(node, 'title') ?? '',
    body: (textAt(node, 'body') ?? '').replaceAll('\r\n', '\n'),
    ...(state === 'MERGED' && merged !== undefined && { merged }),
  }
}

function bare(login: string | undefined): string | undefined {
  return login?.replace(/\[bot\]$/u, '')
}

function checksOf(state: string | undefined): ChecksSeen | undefined {
  if (state === undefined) return undefined
  return state === 'SUCCESS' ? 'success' : state === 'FAILURE' || state === 'ERROR' ? 'failure' : 'pending'
}
