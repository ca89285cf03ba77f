import { isMap } from '../data.ts'
import type { Place, Problem } from '../problem.ts'
import { mapIn, textIn } from '../shape.ts'
import type { Template } from '../template.ts'
import { compareVersions, parseVersion } from '../version.ts'
import type { Document } from '../yaml.ts'
import { dayIn, isDay } from '../zone.ts'

/** How it stands with a version. `until` is a deprecated version's last day, `2027-01-31`. */
export type ReleaseStatus =
  | { readonly is: 'supported' }
  /** It may still change, and is not for production. */
  | { readonly is: 'draft'; readonly because?: string }
  | { readonly is: 'deprecated'; readonly until: string; readonly because?: string }
  /** It was taken back: nobody should run it, and it is proposed to nobody. */
  | { readonly is: 'yanked'; readonly because: string }

/** What template.yaml says of a version, and where. */
export type Said = { readonly status: ReleaseStatus; readonly at: Place }

/** How it stands with an exact version: what is said of itself, else of its major; what nothing is said of is supported. */
export function releaseStatus({ support }: Pick<Template, 'support'>, version: string): ReleaseStatus {
  return said({ support }, version)?.status ?? { is: 'supported' }
}

/** The same with the place where it is said. */
export function said({ support }: Pick<Template, 'support'>, version: string): Said | undefined {
  return support.get(version) ?? support.get(`v${parseVersion(version)?.major ?? ''}`)
}

/** Whether a version may be proposed to somebody who does not run it. */
export function isProposed({ is }: ReleaseStatus): boolean {
  return is === 'supported'
}

/** Reads `support:` of template.yaml. What has not the form of it has been told of by the shape. */
export function readSupport(document: Document, problems: Problem[]): ReadonlyMap<string, Said> {
  const support = new Map<string, Said>()
  const map = mapIn(isMap(document.data) ? document.data : undefined, 'support') ?? {}
  for (const [key, value] of Object.entries(map)) {
    const given = isMap(value) ? value : undefined
    // Of words alone there are two; that another is none has been told.
    const bare = value === 'supported' || value === 'draft' ? value : undefined
    const word = given === undefined ? bare : textIn(given, 'is')
    const [until, because] = [textIn(given, 'until'), textIn(given, 'because')]
    const at = document.place(['support', key])
    const wrong = (words: Pick<Problem, 'message' | 'expected' | 'remedy'>, place = at): void =>
      void problems.push({ code: 'wrong-value', severity: 'error', ...words, at: place })
    if (until !== undefined && word !== 'deprecated') {
      wrong(
        {
          message: `"support.${key}" has a last day, and is not deprecated.`,
          expected: '`until:` beside `is: deprecated` alone.',
          remedy: 'Remove the day, or write `is: deprecated`.',
        },
        document.place(['support', key, 'until']),
      )
    }
    const why = because === undefined ? {} : { because }
    if (word === 'supported') support.set(key, { status: { is: word }, at })
    if (word === 'draft') support.set(key, { status: { is: word, ...why }, at })
    if (word === 'deprecated') {
      if (until === undefined || !isDay(until)) {
        wrong({
          message:
            until === undefined
              ? `"support.${key}" is deprecated, and does not say until when it is supported.`
              : `There is no day ${until}.`,
          expected: `\`${key}: { is: deprecated, until: 2027-01-31 }\`.`,
          remedy: 'Write the last day, so that those who run it can plan.',
        })
      } else support.set(key, { status: { is: word, until, ...why }, at })
    }
    if (word === 'yanked') {
      if (because === undefined) {
        wrong({
          message: `"support.${key}" is yanked, and does not say why.`,
          expected: `\`${key}: { is: yanked, because: "what is wrong with it" }\`.`,
          remedy: 'Say why: those who run it are told, and have to judge how soon they leave it.',
        })
      } else support.set(key, { status: { is: word, because }, at })
    }
  }
  return support
}

/** Reads `recommended:`. What is not for everybody is not recommended. */
export function readRecommended(
  document: Document,
  { support, problems }: { readonly support: ReadonlyMap<string, Said>; readonly problems: Problem[] },
): string | undefined {
  const recommended = textIn(isMap(document.data) ? document.data : undefined, 'recommended')
  if (recommended === undefined || parseVersion(recommended) === undefined) return undefined
  const found = said({ support }, recommended)
  if (found === undefined || isProposed(found.status)) return recommended
  problems.push({
    code: 'wrong-value',
    severity: 'error',
    message: `The version ${recommended} is recommended, and is ${found.status.is}.`,
    expected: 'A supported version.',
    remedy: 'Recommend another version, or none: the newest supported one is offered then.',
    at: document.place(['recommended']),
    related: [{ at: found.at, note: 'which says so' }],
  })
  return undefined
}

/**
 * The version that is offered to somebody who chooses a template: the one that is recommended, else the newest supported one
 * of those that the checkout has; nothing where all are drafts, deprecated or yanked.
 */
export function offeredVersion(
  template: Pick<Template, 'support' | 'recommended' | 'bundles'>,
  released: readonly string[] = [],
): string | undefined {
  const own = [...template.bundles.values()].map(({ version }) => version)
  const known = [...new Set([...own, ...released])].toSorted(compareVersions)
  const { recommended } = template
  if (recommended !== undefined && known.includes(recommended)) return recommended
  return known.findLast((version) => isProposed(releaseStatus(template, version)))
}

/** Who runs a version, and where that is written. */
export type Run = {
  readonly template: string
  readonly version: string
  readonly at: Place
  readonly isProduction: boolean
}

/** What somebody is told who runs a draft, a deprecated or a yanked version; `released` are the versions there are besides. */
export function statusProblem(
  run: Run,
  {
    template,
    released = [],
    now,
  }: { readonly template: Template; readonly released?: readonly string[]; readonly now: Date },
): Problem | undefined {
  const found = said(template, run.version)
  if (found === undefined) return undefined
  const { status, at } = found
  const name = `${run.template}@${run.version}`
  const next = nextVersion(run.version, { template, released })
  const way =
    next === undefined
      ? `Ask the owners of the template${helpOf(template)}: there is no version yet to go to.`
      : `Go to ${run.template}@${next}${helpOf(template)}.`
  const related = [{ at, note: 'which says so' }]
  switch (status.is) {
    case 'supported':
      return undefined
    case 'draft':
      return {
        code: 'version-draft',
        severity: run.isProduction ? 'error' : 'warning',
        message: `${name} is a draft${reason(status.because)}, and may change without a new number.`,
        expected: run.isProduction
          ? 'A released version in production.'
          : 'A released version, before it goes to production.',
        remedy: run.isProduction ? way : 'Nothing has to be done while you try it.',
        at: run.at,
        related,
      }
    case 'deprecated': {
      const isOver = dayIn('UTC', now) > status.until
      return {
        code: 'version-deprecated',
        severity: 'warning',
        message: isOver
          ? `${name} was supported until ${status.until}, and is not any more${reason(status.because)}.`
          : `${name} is supported until ${status.until} only${reason(status.because)}.`,
        expected: isOver ? 'A supported version.' : 'Another version by then.',
        remedy: way,
        at: run.at,
        related,
      }
    }
    case 'yanked':
      return {
        code: 'version-yanked',
        severity: 'warning',
        message: `${name} was taken back: ${status.because}${/[.!?]$/u.test(status.because) ? '' : '.'}`,
        expected: 'Another version, soon.',
        remedy: way,
        at: run.at,
        related,
      }
  }
}

/** Where to go from a version: the newest supported one of its major, else of the next majors; else the newest of an older one. */
export function nextVersion(
  version: string,
  { template, released }: { readonly template: Template; readonly released: readonly string[] },
): string | undefined {
  const own = [...template.bundles.values()].map((bundle) => bundle.version)
  const good = [...new Set([...own, ...released])]
    .filter((each) => each !== version && isProposed(releaseStatus(template, each)))
    .toSorted(compareVersions)
  const majorOf = (each: string): number => parseVersion(each)?.major ?? 0
  const major = majorOf(version)
  const newer = good.filter((each) => compareVersions(each, version) > 0)
  const nearest = Math.min(...newer.map(majorOf))
  return newer.findLast((each) => majorOf(each) === nearest) ?? good.findLast((each) => majorOf(each) <= major)
}

/** What is said of versions that nobody ever had: a slip in a number takes nothing back. */
export function strangeSupport(
  { name, support, bundles }: Pick<Template, 'name' | 'support' | 'bundles'>,
  released: readonly string[],
): readonly Problem[] {
  // A clone without tags does not know which there were.
  if (released.length === 0) return []
  const known = [...new Set([...[...bundles.values()].map(({ version }) => version), ...released])].toSorted(
    compareVersions,
  )
  const isKnown = (key: string): boolean =>
    known.some((each) => each === key || `v${parseVersion(each)?.major ?? ''}` === key)
  return [...support].flatMap(([key, { at }]): readonly Problem[] =>
    isKnown(key)
      ? []
      : [
          {
            code: 'unknown-version',
            severity: 'warning',
            message: `The template "${name}" has no version ${key}, of which something is said here.`,
            expected: `One of ${known.slice(-12).join(', ')}, or the major of one.`,
            remedy: 'Correct the number, or remove the line.',
            at,
          },
        ],
  )
}

function reason(because: string | undefined): string {
  return because === undefined ? '' : ` (${because})`
}

function helpOf({ help }: Template): string {
  return help === undefined ? '' : ` (help: ${help})`
}
