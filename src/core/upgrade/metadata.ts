import { compareText, digest } from '../canonical.ts'
import { isMap } from '../data.ts'
import type { Markdown } from '../markdown.ts'
import { dataMarker, tickedBoxes } from '../markdown.ts'
import { isServiceName } from '../stage.ts'
import { isTemplateName, parseVersion } from '../version.ts'
import { readJson } from '../yaml.ts'
import type { Consumer } from './model.ts'
import type { BranchSeen } from './seen.ts'

/**
 * What an upgrade says of itself for the next run: in the trailers of its commit, and in a comment that GitHub does not show at the
 * beginning of its pull request's body. Anybody who may write to the repository can change either, so both are read strictly and
 * prove little: the body tells what was offered and which boxes are ticked, never whose a commit is.
 */

/** The marker of a body. `head` is the commit that was pushed with it. */
export type Marker = {
  readonly consumer: string
  readonly template: string
  readonly from: string
  readonly to: string
  /** `fingerprintOf` what it proposes. */
  readonly fingerprint: string
  readonly head?: string
  /** What the branch held before it was moved: who merges it in that very moment merges this still. */
  readonly was?: string
  /** It was asked to come again from then on, an ISO 8601 day. */
  readonly later?: string
}

/** All upgrade branches begin so. */
export const branchPrefix = 'protium/upgrade/'

/** The branch of a consumer for a major: it stays the same from version to version, and no two consumers have the same. */
export function branchOf({ kind, name }: Pick<Consumer, 'kind' | 'name'>, major: number): string {
  // A service may be called `environment-dev`.
  const prefix = kind === 'environment' ? 'environment-' : /^(?:environment|service)-/u.test(name) ? 'service-' : ''
  return `${branchPrefix}${prefix}${name}-v${major}`
}

/** Whose branch it is, and of which major; nothing for a branch that has no such name. */
export function readBranchName(
  branch: string,
): { readonly kind: Consumer['kind']; readonly name: string; readonly major: number } | undefined {
  if (!branch.startsWith(branchPrefix)) return undefined
  const parts = /^(environment-|service-(?=environment-|service-))?(.+)-v(0|[1-9]\d{0,8})$/u.exec(
    branch.slice(branchPrefix.length),
  )
  const [name, major] = [parts?.[2], parts?.[3]]
  if (name === undefined || major === undefined || !isServiceName(name)) return undefined
  return { kind: parts?.[1] === 'environment-' ? 'environment' : 'service', name, major: Number(major) }
}

/**
 * What an upgrade's content is known by. Two with the same fingerprint would write the same files, so nothing is pushed again
 * because the base has moved on elsewhere. `files` are the blobs that it writes, nothing for those that it deletes.
 */
export function fingerprintOf(content: {
  /** Of Protium's own: what it writes may change with its versions. */
  readonly engine: string
  /** The digest of the bundle. */
  readonly bundle: string
  readonly to: string
  readonly files: ReadonlyMap<string, string | undefined>
}): string {
  const files = [...content.files]
    .toSorted(([a], [b]) => compareText(a, b))
    .map(([path, blob]): readonly string[] => (blob === undefined ? [path] : [path, blob]))
  return digest([content.engine, content.bundle, content.to, files]).slice('sha256:'.length, 'sha256:'.length + 32)
}

// Trailers

/** What the commit says of itself. `base` is the commit of the main branch that it was made upon. */
export type Trailers = Pick<Marker, 'template' | 'from' | 'to' | 'fingerprint'> & { readonly base?: string }

/** The message of an upgrade's commit: its title, and the trailers that it is known by. */
export function commitMessage(title: string, { template, from, to, fingerprint, base }: Trailers): string {
  const line = title.replaceAll(/[\r\n]+/gu, ' ').trim()
  const begins = base === undefined ? '' : `Protium-Base: ${base}\n`
  return `${line}\n\nProtium-Upgrade: ${template} ${from} ${to}\nProtium-Fingerprint: ${fingerprint}\n${begins}`
}

/** The trailers of a commit of ours: its last paragraph, which holds just these. */
export function readTrailers(message: string): Trailers | undefined {
  const last =
    message
      .replaceAll('\r\n', '\n')
      .trimEnd()
      .split(/\n{2,}/u)
      .at(-1) ?? ''
  const parts =
    /^Protium-Upgrade: (\S+) (\S+) (\S+)\nProtium-Fingerprint: ([0-9a-f]{32})(?:\nProtium-Base: ([0-9a-f]{40,64}))?$/u.exec(
      last,
    )
  const [template, from, to, fingerprint, base] = parts?.slice(1) ?? []
  if (template === undefined || from === undefined || to === undefined || fingerprint === undefined) return undefined
  if (!isTemplateName(template) || parseVersion(from) === undefined || parseVersion(to) === undefined) return undefined
  return { template, from, to, fingerprint, ...(base !== undefined && { base }) }
}

/**
 * Whether the head of a branch is our own work, which may be replaced. What GitHub says of its author counts, and that it has the
 * trailers of ours; what a body says does not, for a person could write that there.
 */
export function isOurs(branch: BranchSeen): boolean {
  return branch.isOurs && readTrailers(branch.message) !== undefined
}

// The marker in the body

/** The first line of a body. */
export function upgradeMarker({ consumer, template, from, to, fingerprint, head, was, later }: Marker): Markdown {
  const said = {
    consumer,
    template,
    from,
    to,
    fingerprint,
    ...(head !== undefined && { head }),
    ...(was !== undefined && { was }),
    ...(later !== undefined && { later }),
  }
  return dataMarker('upgrade', said)
}

/** The marker of a body: nothing where its first line is not exactly what we write. */
export function readMarker(body: string): Marker | undefined {
  const json = /^<!-- protium:upgrade (\{[^\r\n]{1,2000}\}) -->\r?(?:\n|$)/u.exec(body)?.[1]
  if (json === undefined) return undefined
  const document = readJson('body', json)
  if (!document.ok || !isMap(document.value.data)) return undefined
  const data = document.value.data
  const known = ['consumer', 'template', 'from', 'to', 'fingerprint', 'head', 'was', 'later']
  if (Object.keys(data).some((key) => !known.includes(key))) return undefined
  const text = (key: string, isGood: (value: string) => boolean): string | undefined => {
    const value = data[key]
    return typeof value === 'string' && isGood(value) ? value : undefined
  }
  const isVersion = (value: string): boolean => parseVersion(value) !== undefined
  const consumer = text('consumer', isServiceName)
  const template = text('template', isTemplateName)
  const [from, to] = [text('from', isVersion), text('to', isVersion)]
  const fingerprint = text('fingerprint', (value) => /^[0-9a-f]{32}$/u.test(value))
  if (
    consumer === undefined ||
    template === undefined ||
    from === undefined ||
    to === undefined ||
    fingerprint === undefined
  )
    return undefined
  const head = text('head', (value) => /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/u.test(value))
  const later = text('later', (value) => /^\d{4}-\d{2}-\d{2}$/u.test(value) && !Number.isNaN(Date.parse(value)))
  const was = text('was', isVersion)
  const optional = [
    ['head', head],
    ['was', was],
    ['later', later],
  ] as const
  if (optional.some(([key, read]) => data[key] !== undefined && read === undefined)) return undefined
  return {
    consumer,
    template,
    from,
    to,
    fingerprint,
    ...(head !== undefined && { head }),
    ...(was !== undefined && { was }),
    ...(later !== undefined && { later }),
  }
}

// Boxes

/** What a person can tick in a body, besides the hunks of merged files. */
export const boxes = ['rebase', 'later', 'skip-major', 'never', 'apply'] as const

export type Box = (typeof boxes)[number]

/** The boxes that are ticked. One that is there twice is ticked if one of the two is: nothing of a person's is overlooked. */
export function tickedIn(body: string): ReadonlySet<Box> {
  const names = new Set(tickedBoxes(body))
  return new Set(boxes.filter((box) => names.has(box)))
}
