import type { Impact } from '../impact/model.ts'
import type { Markdown, Url } from '../markdown.ts'
import {
  alert,
  blocks,
  bullets,
  checkbox,
  code,
  cut,
  heading,
  link,
  plainText,
  prose,
  shorten,
  stacked,
  table,
} from '../markdown.ts'
import type { Migrated } from '../migration/model.ts'
import { count, list } from '../report.ts'
import { maskUnder } from '../secret.ts'
import { inWords } from '../shape.ts'
import { filesSection } from '../skeleton/report.ts'
import type { FileOutcome } from '../skeleton/model.ts'
import type { Stage } from '../stage.ts'
import { compareVersions, parseVersion } from '../version.ts'
import { changesSection, riskOf } from './changes.ts'
import type { Box, Marker } from './metadata.ts'
import { readMarker, upgradeMarker } from './metadata.ts'
import type { Consumer, Notice } from './model.ts'

/** All that the text of an upgrade's pull request is made from. */
export type UpgradeText = {
  readonly consumer: Consumer
  readonly marker: Omit<Marker, 'consumer' | 'head'>
  /** One sentence by the owners of the template. */
  readonly why?: string
  /** The last day of the version that it runs, `2027-01-31`, or why it was taken back. */
  readonly ends?:
    | { readonly is: 'deprecated'; readonly until: string }
    | { readonly is: 'yanked'; readonly because: string }
  readonly impact: Impact
  readonly migrated?: Pick<Migrated, 'shown' | 'asks' | 'defaults' | 'notes'>
  readonly outcomes: readonly FileOutcome[]
  /** What the changelog says, the newest version first. */
  readonly notes: readonly { readonly version: string; readonly text: string }[]
  /** What the records say of others that run it. */
  readonly others?: Others
  /** In the order of promotion; of a service those that it has. */
  readonly stages: readonly Pick<Stage, 'name' | 'soak' | 'approval'>[]
  /** The issue of the rollout, `acme/catalog#412`. */
  readonly rollout?: string
  /** Where people get help. */
  readonly help?: string
  readonly notice?: Notice
  readonly automerge: boolean
  /** The consumer's file as it would be, to tell the lines that somebody has to change. */
  readonly text?: string
  /** The address of a line of a file on the branch. */
  readonly address?: (path: string, line: number) => Url | undefined
  /** Boxes that are ticked and stay so. */
  readonly ticked?: ReadonlySet<Box>
}

export type Others = {
  /** Those that run the template, and of them those that run this version. */
  readonly all: number
  readonly on: number
  readonly deployments: number
  readonly failed: number
}

/** GitHub takes 65,536 characters; what a person or GitHub adds has to fit too. */
export const bodyBudget = 58_000

/** The most that each part may have; together with what is always there they stay within the budget. */
const most = { changes: 18_000, inputs: 9000, notes: 9000, files: 16_000 } as const

/** `Upgrade fargate-service 2.2.1 → 2.3.0`. Filters of mail rely on it. */
export function upgradeTitle(
  { kind, name, file }: Consumer,
  { template, from, to }: Pick<Marker, 'template' | 'from' | 'to'>,
): string {
  const what = `${template} ${from} → ${to}`
  // In a repository of one service it goes without saying whose it is.
  const whose = kind === 'service' && file === 'service.yaml' ? '' : `${name}: `
  return compareVersions(from, to) > 0 ? `Go back: ${whose}${what}` : `Upgrade ${whose}${what}`
}

/**
 * The body of the pull request: what is asked of the reader first, then what it would do to this consumer, then what is behind it. Whatever is
 * long is cut in its own part, never the boxes. `head` is the commit that it is written for.
 */
export function upgradeBody(given: UpgradeText, head: string | undefined): Markdown {
  const { consumer, marker, impact, outcomes, address } = given
  const files = filesSection(outcomes, {
    asks: true,
    ...(address !== undefined && { address }),
    most: most.files - 1000,
  })
  return blocks([
    upgradeMarker({ consumer: consumer.name, ...marker, ...(head !== undefined && { head }) }),
    noticeOf(given),
    prose`Moves ${code(consumer.name)} from ${code(marker.template)} **${marker.from}** to **${marker.to}**.`,
    bullets(headlines(given)),
    limited(changesSection(consumer.name, impact), most.changes, prose`All of it is in the plan of this pull request.`),
    limited(inputsSection(given), most.inputs, prose`All of it is among the changed files.`),
    limited(notesSection(given), most.notes, prose`All of it is in the template’s changelog.`),
    files === undefined ? undefined : limited(files, most.files, prose`All of it is among the changed files.`),
    heading(3, prose`Rollout`),
    rolloutText(given),
    controls(given),
    ending(given),
  ])
}

function limited(part: Markdown | undefined, size: number, rest: Markdown): Markdown | undefined {
  return part === undefined ? undefined : cut(part, { most: size, unit: 'characters', rest })
}

// What is said first

function noticeOf({ notice, marker }: UpgradeText): Markdown | undefined {
  switch (notice?.is) {
    case undefined:
      return undefined
    case 'taken-over':
      return notice.newer === undefined
        ? prose`**You have taken this over:** Protium does not push here any more.`
        : prose`**You have taken this over:** Protium does not push here any more. **${notice.newer}** is out; tick below to have it put on top of what is here.`
    case 'next':
      return prose`**${notice.version} is ready.** This one merges first; the next comes after it.`
    case 'halted':
      return alert(
        'WARNING',
        prose`The rollout of ${marker.to} is stopped: ${shorten(notice.words, 300)} It can be merged by hand.`,
      )
    case 'paused':
      return prose`**The rollout of ${marker.to} is paused:** ${shorten(notice.words, 300)}`
    case 'failing':
      return notice.isOwn
        ? prose`**Its checks fail**, and those of the main branch do not: look at them before you merge.`
        : prose`**Its checks fail**, and so do those of the main branch: it is not this upgrade.`
    case 'impossible':
      return alert('WARNING', prose`As things are now it cannot be made any more: ${shorten(notice.words, 300)}`)
  }
}

function headlines(given: UpgradeText): readonly Markdown[] {
  const { why, ends, impact, others, marker } = given
  const reasons = [
    ...(why === undefined ? [] : [shorten(why, 300)]),
    ...(ends?.is === 'deprecated' ? [`The support of ${marker.from} ends on ${ends.until}.`] : []),
    ...(ends?.is === 'yanked' ? [`${marker.from} was taken back: ${shorten(ends.because, 300)}`] : []),
  ]
  return [
    ...(reasons.length === 0 ? [] : [prose`**Why now:** ${reasons.join(' ')}`]),
    prose`**Risk:** ${riskOf(impact)}`,
    prose`**Your work:** ${workOf(given)}`,
    ...(others === undefined ? [] : [prose`**Others:** ${othersText(others, marker.to)}`]),
  ]
}

function workOf({ migrated, outcomes, automerge, impact }: UpgradeText): string {
  const asks = migrated?.asks.length ?? 0
  const files = openFiles(outcomes)
  const parts = [
    ...(asks > 0 ? [`answer ${count(asks, 'question')} in the file, marked below`] : []),
    ...(asks === 0 && impact.is === 'needs-input' ? ['give the inputs that are missing'] : []),
    ...(files > 0 ? [`decide about ${count(files, 'file')}`] : []),
  ]
  if (parts.length > 0) return `${list(parts)}. Until then it is a draft.`
  if (impact.is === 'breaks-policy') return 'a rule is broken, which the checks below name.'
  return automerge ? 'none; it merges by itself when its checks pass.' : 'none but to look and merge.'
}

function openFiles(outcomes: readonly FileOutcome[]): number {
  return outcomes.filter((each) => {
    if (each.is === 'conflict') return each.hunks.some(({ isSettled }) => !isSettled)
    return each.is === 'review' && each.question?.isSettled === false
  }).length
}

function othersText({ all, on, deployments, failed }: Others, to: string): Markdown {
  const runs = `${on} of ${all} run ${to}`
  if (deployments === 0) return prose`${runs}; nobody has deployed it yet.`
  return prose`${runs} · ${count(deployments, 'deployment')}, ${failed} failed · ${confidence({ deployments, failed })}`
}

/**
 * What so many deployments say, and no more than that: of none that failed in n it is known, at 95 %, that fewer than three in n
 * would.
 */
export function confidence({ deployments, failed }: Pick<Others, 'deployments' | 'failed'>): string {
  if (deployments === 0) return 'nothing is known yet.'
  if (failed > 0) return `about ${Math.round((failed * 100) / deployments)} in 100 failed.`
  const bound = Math.ceil(300 / deployments)
  return bound >= 100 ? 'too few to say anything.' : `at most ${bound} in 100 are likely to fail.`
}

// The sections

function inputsSection({ migrated, address, consumer, text }: UpgradeText): Markdown | undefined {
  if (migrated === undefined) return undefined
  const { shown, asks, defaults } = migrated
  if (shown.length + asks.length + defaults.length === 0) return undefined
  const pathOf = (path: readonly (string | number)[]): string => path.join('.')
  /** By the names that it has or had it may be known for a secret, and not by itself. */
  const value = (given: Parameters<typeof inWords>[0], ...paths: readonly (readonly (string | number)[])[]): Markdown =>
    code(paths.reduce((text, path) => maskUnder(path.at(-1), text), inWords(given)))
  const where = (placeholder: string | undefined): Markdown =>
    placeholder === undefined
      ? prose`Until then the old value is refused.`
      : prose`Put it where ${code(placeholder)} stands.`
  const questions = asks.map(({ path, expected, suggest, why, placeholder }) => {
    const place = link(code(pathOf(path)), address?.(consumer.file, lineOf(text, placeholder)))
    const proposal = suggest === undefined ? prose`` : prose` Proposed: ${value(suggest, path)}.`
    return prose`**${place}**: ${shorten(expected, 200)}. ${shorten(why, 300)}${proposal} ${where(placeholder)}`
  })
  const changes = shown.map(({ path, from, before, after, why }) => [
    from === undefined ? code(pathOf(path)) : prose`${code(pathOf(from))} is now ${code(pathOf(path))}`,
    before === undefined ? '' : value(before, path, from ?? path),
    after === undefined ? '' : value(after, path, from ?? path),
    plainText(shorten(why, 200)),
  ])
  const behaviours = defaults.map(({ path, before, after, keep }) => {
    const kept = keep === undefined ? prose`` : prose` Write ${value(before, path)} into the file to keep it.`
    return prose`${code(pathOf(path))} is not in the file, and its default was ${value(before, path)} and is ${value(after, path)}: **what runs changes.**${kept}`
  })
  return blocks([
    heading(3, prose`Inputs`),
    questions.length === 0 ? undefined : bullets(questions),
    changes.length === 0 ? undefined : table(['Input', 'Before', 'After', 'Why'], changes),
    behaviours.length === 0 ? undefined : bullets(behaviours),
  ])
}

/** The line of the file that is to be changed by a person. */
function lineOf(text: string | undefined, placeholder: string | undefined): number {
  if (text === undefined || placeholder === undefined) return 1
  return (
    Math.max(
      0,
      text.split('\n').findIndex((each) => each.includes(placeholder)),
    ) + 1
  )
}

function notesSection({ notes, migrated }: UpgradeText): Markdown | undefined {
  const all = [
    ...notes.map(({ version, text }) => ({ version, lines: linesOf(text) })),
    ...(migrated?.notes ?? []).map(({ version, text }) => ({ version, lines: [text] })),
  ].filter(({ lines }) => lines.length > 0)
  if (all.length === 0) return undefined
  const parts = all.flatMap(({ version, lines }) =>
    lines.length === 1
      ? [bullets([prose`**${version}** ${lines[0] ?? ''}`])]
      : [bullets([prose`**${version}**`]), stacked(lines.map((each) => prose`  - ${each}`))],
  )
  return blocks([heading(3, prose`What is new in the template`), stacked(parts)])
}

/** The points of a changelog, without its headings and marks. */
function linesOf(text: string): readonly string[] {
  return text
    .split(/\r\n|\r|\n/u)
    .filter((each) => !each.startsWith('#'))
    .map((each) => each.replace(/^\s*(?:[-*+]|\d+\.)\s+/u, '').trim())
    .filter((each) => each !== '')
}

function rolloutText({ stages, consumer, rollout }: UpgradeText): Markdown {
  const names = stages.map(({ name, approval }) => (approval === undefined ? name : `${name} after an approval`))
  const [first, ...later] = names
  const order =
    first === undefined
      ? 'On merge it is deployed.'
      : later.length === 0
        ? `On merge it goes to ${first}.`
        : `On merge it goes to ${first}, then to ${list(later)}; each stage waits until the one before has had it.`
  const what =
    consumer.kind === 'environment'
      ? 'Services in it are planned again with what it gives out.'
      : 'A failure stops it there.'
  const where = rollout === undefined ? prose`` : prose` How far all others are: ${code(rollout)}.`
  return prose`${order} ${what}${where}`
}

// The end, which is never cut

function controls({ marker, notice, ticked = new Set() }: UpgradeText): Markdown {
  const box = (name: Box, words: Markdown): Markdown => checkbox(name, words, { ticked: ticked.has(name) })
  const major = parseVersion(marker.to)?.major ?? 0
  return stacked([
    ...(notice?.is === 'taken-over'
      ? notice.newer === undefined
        ? []
        : [box('apply', prose`put ${notice.newer} on top of what is here`)]
      : [box('rebase', prose`begin again on the main branch`)]),
    box('later', prose`ask again in 14 days`),
    box('skip-major', prose`no version of ${major}.x`),
    box('never', prose`no upgrade at all`),
  ])
}

function ending({ marker, help }: UpgradeText): Markdown {
  const asks = help === undefined ? prose`` : prose` Who to ask: ${shorten(help, 200)}.`
  return prose`Close this pull request to skip ${marker.to}: it is not offered again, and a later version is. Open it again, or take a tick away, to take the answer back.${asks}`
}

/**
 * The body of a pull request that is closed: what it says, and below its marker why. The boxes stay, for a tick that is taken away takes
 * an answer back.
 */
export function closedBody(body: string, why: string): string {
  const note = prose`**Closed by Protium:** ${shorten(why, 300)}`.markdown
  const lines = body
    .replaceAll('\r\n', '\n')
    .split('\n')
    .filter((each) => !each.startsWith('**Closed by Protium:**'))
  const marked = readMarker(body) === undefined ? 0 : 1
  const noted = [...lines.slice(0, marked), ...(marked === 0 ? [] : ['']), note, ...lines.slice(marked)].join('\n')
  return noted.length > longestBody ? body : noted
}

/** https://docs.github.com/en/rest/pulls/pulls#update-a-pull-request */
const longestBody = 65_000

// Whether it says something else

/**
 * Whether two texts say the same to a reader: ticks, the ends of lines and what only counts others do not matter, so that a thousand pull
 * requests are not written again because one was merged.
 */
export function sameText(
  a: { readonly title: string; readonly body: string },
  b: { readonly title: string; readonly body: string },
): boolean {
  return a.title === b.title && stableBody(a.body) === stableBody(b.body)
}

function stableBody(body: string): string {
  return body
    .replaceAll('\r\n', '\n')
    .replace(/,"(?:head|was)":"[0-9a-f.]+"/gu, '')
    .split('\n')
    .filter((each) => !each.startsWith('- **Others:**'))
    .map((each) => each.replace(/^- \[[xX]\]/u, '- [ ]').trimEnd())
    .join('\n')
    .trim()
}
