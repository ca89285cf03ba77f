import type { Bundle } from '../bundle.ts'
import { readExamples, renderUnjudged } from '../examples.ts'
import { coversInput, migrationsBetween, proposeMigration } from '../migration.ts'
import type { Place, Problem } from '../problem.ts'
import type { Template } from '../template.ts'
import type { FileTree } from '../tree.ts'
import { compareVersions, parseVersion } from '../version.ts'
import { notesIn } from './changelog.ts'
import { compareBundles } from './compare.ts'
import { isEnough, type Level, levelOf, type Reason, stepOf, versionAfter, worstFirst } from './level.ts'
import { bundleDigest } from './model.ts'
import { changedRelease } from './standing.ts'
import { releaseStatus } from './status.ts'

/** How the bundle of a major in the checkout stands to what is released. */
export type Verdict = {
  readonly template: Template
  readonly bundle: Bundle
  readonly major: number
  /**
   * `released`: it is there as it was released. `due`: its version is still to be released. `skipped`: a draft, or taken back before
   * anybody had it. `wrong`: it cannot be released so. `broken`: it does not render its own examples, so nothing is said of its number.
   */
  readonly is: 'released' | 'due' | 'skipped' | 'wrong' | 'broken'
  /** The release that it is compared with: the last one of its major. */
  readonly last?: string
  readonly level: Level
  /** The worst first. */
  readonly reasons: readonly Reason[]
  /** The version that it must have: its own, if that tells the truth. */
  readonly must: string
  /** What is new, as CHANGELOG.md or template.yaml has it. */
  readonly notes: string | undefined
  /** A draft of a migration to that version, where it needs one. */
  readonly migration?: string
  readonly problems: readonly Problem[]
}

/** Released bundles by `name@version`, as far as they could be read. */
export type ReleasedBundles = (template: string, version: string) => Bundle | undefined

/** The versions of a template that have to be read to judge its bundles, given those that are released. */
export function versionsToRead(template: Template, released: readonly string[]): readonly string[] {
  const wanted = [...template.bundles].flatMap(([major, { version }]) => {
    const base = baseOf(major, released)
    return [...(released.includes(version) ? [version] : []), ...(base === undefined ? [] : [base])]
  })
  return [...new Set(wanted)]
}

/** What a major is compared with: its last release, else that of the major before it. */
function baseOf(major: number, released: readonly string[]): string | undefined {
  const upTo = released.filter((version) => (parseVersion(version)?.major ?? 0) <= major)
  return upTo.toSorted(compareVersions).at(-1)
}

/**
 * Judges what the checkout has of a template against what is released of it: the number that each bundle must have, and what else
 * keeps it from being released. `files` are those of the whole catalog.
 */
export function judgeTemplate(
  template: Template,
  {
    released,
    bundles,
    files,
    consumers = () => [],
  }: {
    readonly released: readonly string[]
    readonly bundles: ReleasedBundles
    readonly files: FileTree
    /** What a change from one bundle to another does to those who run it. */
    readonly consumers?: (before: Bundle, after: Bundle) => readonly Reason[]
  },
): readonly Verdict[] {
  const majors = [...template.bundles.keys(), ...released.map((version) => parseVersion(version)?.major ?? 0)]
  const highest = Math.max(...majors)
  return [...template.bundles].map(([major, bundle]) => {
    const base = baseOf(major, released)
    const own = released.includes(bundle.version) ? bundles(template.name, bundle.version) : undefined
    const before = base === undefined ? undefined : bundles(template.name, base)
    return judge({ template, bundle, major, highest, released, own, before, files, consumers })
  })
}

type Judging = {
  readonly template: Template
  readonly bundle: Bundle
  readonly major: number
  readonly highest: number
  readonly released: readonly string[]
  /** The release of its own number, and what it is compared with. */
  readonly own: Bundle | undefined
  readonly before: Bundle | undefined
  readonly files: FileTree
  readonly consumers: (before: Bundle, after: Bundle) => readonly Reason[]
}

function judge(judging: Judging): Verdict {
  const { template, bundle, major, highest, released, own, before, files, consumers } = judging
  const { version } = bundle
  const at = template.versionPlace(major)
  const said = { template, bundle, major, notes: notesOf(template, version, files)?.notes }
  const quiet = { level: 'none', reasons: [], must: version, problems: [] } as const
  const { is } = releaseStatus(template, version)
  const isReleased = released.includes(version)
  // A draft changes as it likes; what was released is none any more.
  if (is === 'draft' || (is === 'yanked' && !isReleased)) return { ...said, ...quiet, is: 'skipped' }
  if (isReleased && own !== undefined && bundleDigest(own.files) === bundleDigest(bundle.files))
    return { ...said, ...quiet, is: 'released', last: version }
  const broken = exampleProblems(bundle)
  if (broken.length > 0) return { ...said, ...quiet, is: 'broken', problems: broken }
  const isSameMajor = before !== undefined && parseVersion(before.version)?.major === major
  const last = isSameMajor ? before.version : undefined
  const all = before === undefined ? [] : compareBundles(before, bundle)
  const isKnown = levelOf(all) === 'none' || levelOf(all) === 'major'
  const reasons = !isSameMajor ? [] : isKnown ? all : worstFirst([...all, ...consumers(before, bundle)])
  const level = levelOf(reasons)
  const lowest =
    last === undefined ? version : versionAfter(last, isReleased && level === 'none' ? 'patch' : level, highest)
  const isTrue =
    !isReleased &&
    (last === undefined || (compareVersions(version, last) > 0 && isEnough(stepOf(last, version), level)))
  const must = isTrue ? version : lowest
  const problems: Problem[] = []
  if (isReleased) problems.push({ ...changedRelease(bundle, at, must), ...relatedTo(reasons) })
  else if (!isTrue && last !== undefined) problems.push(wrongNumber({ bundle, at, last, must, level, reasons }))
  const migration = before === undefined ? undefined : migrationOf({ template, bundle, before, must, all, problems })
  if (!isReleased) problems.push(...changelogProblems({ template, version, at, files, isFirst: released.length === 0 }))
  return {
    ...said,
    is: problems.length > 0 ? 'wrong' : 'due',
    ...(last !== undefined && { last }),
    level,
    reasons,
    must,
    ...(migration !== undefined && { migration }),
    problems,
  }
}

/** Why a bundle does not render its own examples. A tag of it could not be taken back. */
function exampleProblems(bundle: Bundle): readonly Problem[] {
  const { examples, problems } = readExamples(bundle)
  const rendered = examples.flatMap((example) => renderUnjudged(example).problems)
  return [...problems, ...rendered].filter(
    ({ severity, code }) => severity === 'error' && code !== 'engine-unsupported',
  )
}

function relatedTo(reasons: readonly Reason[]): Pick<Problem, 'related'> {
  const related = reasons
    .slice(0, 4)
    .flatMap(({ what, level, at }) => (at === undefined ? [] : [{ at, note: `${level}: ${what}` }]))
  return related.length === 0 ? {} : { related }
}

function wrongNumber({
  bundle: { template, version },
  at,
  last,
  must,
  level,
  reasons,
}: {
  readonly bundle: Bundle
  readonly at: Place
  readonly last: string
  readonly must: string
  readonly level: Level
  readonly reasons: readonly Reason[]
}): Problem {
  const isBehind = compareVersions(version, last) < 0
  const [first] = reasons
  const more = reasons.filter((each) => each.level === level).length - 1
  return {
    code: isBehind ? 'version-behind' : 'version-understated',
    severity: 'error',
    message: isBehind
      ? `${template} has the version ${version}, and ${last} is released.`
      : `${template}@${version} says too little of what has changed since ${last}: ${first?.what ?? ''}${more > 0 ? ` And ${more} more.` : ''}`,
    expected: `The version ${must}, or a higher one.`,
    remedy:
      level === 'major'
        ? 'Run `protium version --write`: it moves the bundle to its new major, and brings the released one back. Or take back what breaks.'
        : 'Run `protium version --write`.',
    at,
    ...relatedTo(reasons),
  }
}

/** The draft of a migration, where an input has to be given that nothing gives yet; that is told among the problems. */
function migrationOf({
  template,
  bundle,
  before,
  must,
  all,
  problems,
}: Pick<Judging, 'template' | 'bundle'> & {
  readonly before: Bundle
  readonly must: string
  readonly all: readonly Reason[]
  readonly problems: Problem[]
}): string | undefined {
  const from = before.version
  const lacking = all.filter(
    ({ asks }) => asks !== undefined && !coversInput(template.migrations, { from, to: must, path: asks }),
  )
  const kind = bundle.kind === 'environment' ? 'environment' : 'service'
  const [old, now] = [before.schema[kind], bundle.schema[kind]]
  const proposed = old === undefined || now === undefined ? undefined : proposeMigration(old, now)
  const steps = proposed?.steps ?? []
  for (const { asks = [], at } of lacking) {
    problems.push({
      code: 'migration-missing',
      severity: 'error',
      message: `"${asks.join('.')}" has to be given in ${bundle.template}@${must}, and nothing says what those who come from ${from} shall write.`,
      expected: `A default, or a migration in \`${template.folder}/migrations/${must}.yaml\` that gives or asks for it.`,
      remedy: `\`protium version --write\` writes a draft of it${steps.length > 0 ? `: ${steps.slice(0, 3).join(' ')}` : '.'}`,
      ...(at !== undefined && { at }),
    })
  }
  if (lacking.length > 0) return proposed?.text
  // Who writes an input that is gone or takes less would have to find out what became of it.
  const isNext = parseVersion(must)?.major !== parseVersion(from)?.major
  return isNext && migrationsBetween(template.migrations, from, must).length === 0 ? proposed?.text : undefined
}

function notesOf(
  { folder, notes }: Template,
  version: string,
  files: FileTree,
): { readonly notes: string; readonly line: number } | undefined {
  const text = files.get(`${folder}/CHANGELOG.md`)
  const line = notes.get(version)
  return text === undefined ? (line === undefined ? undefined : { notes: line, line: 0 }) : notesIn(text, version)
}

/** The first release has nothing to tell of a change; what keeps a CHANGELOG.md keeps it for each version. */
function changelogProblems({
  template,
  version,
  at,
  files,
  isFirst,
}: {
  readonly template: Template
  readonly version: string
  readonly at: Place
  readonly files: FileTree
  readonly isFirst: boolean
}): readonly Problem[] {
  const file = `${template.folder}/CHANGELOG.md`
  const isKept = files.has(file)
  const found = notesOf(template, version, files)
  if ((found !== undefined && found.notes !== '') || (!isKept && isFirst)) return []
  const isEmpty = found !== undefined
  return [
    {
      code: 'changelog-missing',
      severity: 'error',
      message: isEmpty
        ? `\`CHANGELOG.md\` says nothing below the heading of ${version}.`
        : isKept
          ? `\`CHANGELOG.md\` has no heading for ${template.name}@${version}.`
          : `Nothing says what is new in ${template.name}@${version}.`,
      expected: `A heading \`## ${version}\` in \`${file}\`, with what is new for those who run the template.`,
      remedy: isEmpty ? 'Write some lines.' : '`protium version --write` makes the heading with a draft.',
      at: isKept ? { file, line: isEmpty ? found.line : 1, column: 1 } : at,
    },
  ]
}
