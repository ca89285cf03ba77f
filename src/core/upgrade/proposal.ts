import type { Bundle } from '../bundle.ts'
import { digest } from '../canonical.ts'
import { openEnvironment } from '../catalog.ts'
import { type Consumer as Rendered, type Impact, impactOf, renderConsumer } from '../impact.ts'
import { consumerOf, migrate, type Migrated, type Migration, upgradeSpec } from '../migration.ts'
import { bundleOf, type Opened } from '../organisation.ts'
import type { Checked, Problem } from '../problem.ts'
import {
  type Choice,
  mergeSkeleton,
  type Ours,
  planSkeleton,
  type ServiceValues,
  type SkeletonMerge,
  type SkeletonPlan,
} from '../skeleton.ts'
import { openServiceSpec } from '../spec.ts'
import type { FileTree } from '../tree.ts'
import { fingerprintOf } from './metadata.ts'
import type { Desired } from './model.ts'
import type { FilesSeen } from './seen.ts'

/** What an upgrade of one consumer is made from. */
export type Making = {
  readonly opened: Opened
  readonly consumer: Rendered
  /** The version that it is to go to. */
  readonly to: string
  /** Those of its template. */
  readonly migrations: readonly Migration[]
  /** `.protium/lock.json` of its repository; nothing where the files of a skeleton are nobody's business, as in the catalog. */
  readonly lock?: { readonly text: string | undefined }
  readonly now: Date
}

/**
 * What an upgrade comes to, as far as it is known without the other files of the repository. `skeleton` names what has to be read of it.
 */
export type Draft =
  | {
      readonly is: 'drafted'
      /** The file of the consumer, with what is changed in it. */
      readonly text: string
      readonly migrated: Migrated
      readonly impact: Impact
      readonly before: Bundle | undefined
      readonly after: Bundle
      readonly skeleton?: SkeletonPlan
      /** What a person has to answer in the file. */
      readonly open: number
    }
  | (Extract<Desired, { readonly is: 'impossible' }> & { readonly problems: readonly Problem[] })

/** A whole upgrade: what would be written, and what is said of it. */
export type Proposal = {
  readonly desired: Desired
  readonly files: FileTree
  readonly deleted: readonly string[]
  /** Those of the files that can be run. */
  readonly executable: readonly string[]
  readonly draft: Extract<Draft, { readonly is: 'drafted' }> | undefined
  readonly merge?: SkeletonMerge
  readonly problems: readonly Problem[]
}

/** Renders a consumer at both versions with what its inputs become, without writing anything. */
export function draftOf({ opened, consumer, to, migrations, lock, now }: Making): Draft {
  const { file, text } = consumer
  const read = readFile(consumer)
  const own = consumerOf(file, text)
  if (read === undefined || !own.ok) return impossible('invalid-file', 'Its file has mistakes.', problemsOf(consumer))
  const { template, version } = read
  const after = bundleOf(opened, template, to)
  const before = bundleOf(opened, template, version)
  if (after === undefined) return impossible('does-not-render', `${template}@${to} cannot be read.`)
  const migrated = migrate({ consumer: own.value, from: version, to, migrations, before, after })
  const edited = upgradeSpec(file, text, { reference: `${template}@${to}`, migrated })
  if (edited.is === 'blocked') {
    const [block] = edited.blocks
    return impossible('blocked', block === undefined ? '' : `\`${block.path.join('.')}\`: ${block.why}`)
  }
  if (edited.is === 'unsure') return impossible('blocked', `Its file cannot be changed by program: ${edited.why}.`)
  const rendering = renderConsumer(opened, consumer, { now })
  // Only the version changes: what is rendered as before need not be looked at twice.
  const isAsIs = migrated.edits.length === 0
  const renderings = {
    before: rendering,
    after: isAsIs
      ? renderConsumer(opened, consumer, { version: to, now, ...(rendering.ok && { same: rendering.value }) })
      : renderConsumer(opened, { ...consumer, text: edited.text }, { now }),
  }
  const impact = impactOf({ ...renderings, guard: opened.catalog.guard })
  const faults = errorsIn(renderings.after.problems)
  const isOpen = migrated.asks.length > 0 || impact.is === 'needs-input'
  if (!renderings.after.ok && !isOpen) {
    const isOld = !renderings.before.ok
    return impossible(isOld ? 'invalid-file' : 'does-not-render', faults[0]?.message ?? '', faults)
  }
  const drafted = {
    is: 'drafted',
    text: edited.text,
    migrated,
    impact,
    before,
    after,
    open: Math.max(migrated.asks.length, impact.is === 'needs-input' ? 1 : 0),
  } as const
  if (lock === undefined) return drafted
  const skeleton = skeletonOf({ opened, read, migrated, before, after, lock: lock.text })
  if (!skeleton.ok)
    return impossible('does-not-render', errorsIn(skeleton.problems)[0]?.message ?? '', skeleton.problems)
  return { ...drafted, skeleton: skeleton.value }
}

/** What its file says, as far as other files of its repository are made from it. */
type FileRead = ServiceValues & { readonly template: string; readonly version: string }

function readFile({ is, file, text }: Rendered): FileRead | undefined {
  if (is === 'environment') return openEnvironment(file, text).environment
  const { spec } = openServiceSpec(file, text)
  if (spec === undefined) return undefined
  const { service: name, template, version, owner, inputs } = spec
  return { name, ...(owner !== undefined && { owner }), template, version, inputs }
}

function skeletonOf({
  opened,
  read,
  migrated,
  before,
  after,
  lock,
}: {
  readonly opened: Opened
  readonly read: FileRead
  readonly migrated: Migrated
  readonly before: Bundle | undefined
  readonly after: Bundle
  readonly lock: string | undefined
}): Checked<SkeletonPlan> {
  const { name, owner, inputs } = read
  const values: ServiceValues = { name, ...(owner !== undefined && { owner }), inputs }
  return planSkeleton({
    lock,
    ...(before !== undefined && { from: { bundle: before, values } }),
    to: { bundle: after, values: { ...values, inputs: migrated.after.inputs } },
    bundleOf: (template, version) => bundleOf(opened, template, version),
  })
}

/**
 * The upgrade with the other files of the repository: `files` are those of `draft.skeleton.reads`. `decisions` are what people have chosen
 * in hunks that both sides have changed.
 */
export function proposalOf(
  draft: Draft,
  {
    making,
    files = new Map(),
    decisions,
    engine,
    bundle,
  }: {
    readonly making: Making
    readonly files?: FilesSeen
    readonly decisions?: ReadonlyMap<string, Choice>
    /** The version of Protium. */
    readonly engine: string
    /** The digest of the version that it is to go to. */
    readonly bundle: string
  },
): Proposal {
  if (draft.is === 'impossible') {
    const { problems, ...desired } = draft
    return { desired, files: new Map(), deleted: [], executable: [], draft: undefined, problems }
  }
  const { consumer, to } = making
  const merge =
    draft.skeleton === undefined || draft.skeleton.reads.length === 0 ? undefined : mergedWith(draft.skeleton)
  function mergedWith(plan: SkeletonPlan): SkeletonMerge {
    return mergeSkeleton(plan, { ours: oursIn(plan, files), ...(decisions !== undefined && { decisions }) })
  }
  const written = new Map([[consumer.file, draft.text], ...(merge?.files ?? [])])
  const deleted = merge?.deleted ?? []
  const isSame =
    draft.impact.is === 'unchanged' && draft.open === 0 && (merge === undefined || merge.outcomes.length === 0)
  const blobs = new Map<string, string | undefined>([
    ...[...written].map(([path, text]) => [path, digest(text)] as const),
    ...deleted.map((path) => [path, undefined] as const),
  ])
  const runs = [...files].flatMap(([path, file]) => (file.is === 'text' && file.isExecutable === true ? [path] : []))
  return {
    desired: isSame
      ? { is: 'same' }
      : {
          is: 'change',
          fingerprint: fingerprintOf({ engine, bundle, to, files: blobs }),
          open: draft.open + (merge?.attention === 'answer' ? 1 : 0),
        },
    files: written,
    deleted,
    executable: [...runs, ...(merge?.executables ?? [])].filter((path) => written.has(path)),
    draft,
    ...(merge !== undefined && { merge }),
    problems: draft.impact.problems,
  }
}

function oursIn({ reads }: SkeletonPlan, seen: FilesSeen): Ours {
  const files = new Map<string, string>()
  const others = new Map<string, 'binary' | 'link' | 'folder' | 'large'>()
  const isAbove = (path: string): boolean => reads.some((each) => each.startsWith(`${path}/`))
  for (const path of reads) {
    const file = seen.get(path)
    if (file?.is === 'text') files.set(path, file.text)
    // A folder above files is as it should be.
    else if (file !== undefined && !(file.is === 'folder' && isAbove(path))) others.set(path, file.is)
  }
  return { files, others }
}

function impossible(
  why: Extract<Desired, { readonly is: 'impossible' }>['why'],
  words: string,
  problems: readonly Problem[] = [],
): Extract<Draft, { readonly is: 'impossible' }> {
  return { is: 'impossible', why, words, problems }
}

function problemsOf({ is, file, text }: Rendered): readonly Problem[] {
  return is === 'environment' ? openEnvironment(file, text).problems : openServiceSpec(file, text).problems
}

function errorsIn(problems: readonly Problem[]): readonly Problem[] {
  return problems.filter(({ severity }) => severity === 'error')
}
