import { line } from './encode.ts'
import type { Change, Plan, PlannedUnit, Verdict } from './plan.ts'
import type { Place, Problem } from './problem.ts'
import { maskSecrets } from './secret.ts'

/** How words are set off: colours in a terminal, nothing in a log. Each gives back its text with the same visible width. */
export type Paint = {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly notice: (text: string) => string
  readonly accent: (text: string) => string
}

const same = (text: string): string => text

/** No colours: for logs, pipes and `NO_COLOR`. */
export const plain: Paint = { bold: same, dim: same, good: same, bad: same, notice: same, accent: same }

const sgr =
  (on: number, off: number) =>
  (text: string): string =>
    text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`

/** The sixteen colours that a terminal's own theme decides on, so that they are readable on dark and on light. */
export const colours: Paint = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  good: sgr(32, 39),
  bad: sgr(31, 39),
  notice: sgr(33, 39),
  accent: sgr(36, 39),
}

/** The text of a cell, and how it is painted once it has its width. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string }

/**
 * A table as lines of text: columns as wide as their widest cell, two spaces between them, no trailing space. The cells
 * are encoded here (`encode.ts`), so what a repository says may be handed in as it is. A column without a name has no heading; if no
 * column has one, there is no heading line.
 */
export function table(
  columns: readonly { readonly name: string; readonly align?: 'right' }[],
  rows: readonly (readonly Cell[])[],
  paint: Paint = plain,
): string {
  const heading: readonly Cell[] = columns.map(({ name }) => ({ text: name.toUpperCase(), paint: paint.dim }))
  const shown = columns.some(({ name }) => name !== '') ? [heading, ...rows] : rows
  const cells = shown.map((row) =>
    columns.map((_, index) => {
      const cell = row[index] ?? ''
      return typeof cell === 'string' ? { text: line(cell), paint: same } : { text: line(cell.text), paint: cell.paint }
    }),
  )
  const widths = columns.map((_, index) => Math.max(0, ...cells.map((row) => width(row[index]?.text ?? ''))))
  return cells
    .map((row) => {
      const last = row.findLastIndex(({ text }) => text !== '')
      return row
        .slice(0, last + 1)
        .map(({ text, paint: dress }, index) => {
          const gap = ' '.repeat((widths[index] ?? 0) - width(text))
          if (columns[index]?.align === 'right') return gap + dress(text)
          return index === last ? dress(text) : dress(text) + gap
        })
        .join('  ')
    })
    .join('\n')
}

/** `1 problem`, `3 problems`, `no problems`; give the plural where it is not formed with an s. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return number === 0 ? `no ${plural}` : `${number} ${number === 1 ? noun : plural}`
}

/** `a`, `a and b`, `a, b and c`. */
export function list(words: readonly string[]): string {
  const last = words.at(-1)
  if (last === undefined) return ''
  return words.length === 1 ? last : `${words.slice(0, -1).join(', ')} and ${last}`
}

/** How long something took: `0.3 s`, `12 s`, `4 min 38 s`, `1 h 5 min`. */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 === 0 ? '' : ` ${whole % 60} s`}`
  const minutes = Math.round(whole / 60)
  return `${Math.floor(minutes / 60)} h${minutes % 60 === 0 ? '' : ` ${minutes % 60} min`}`
}

/** How long ago, in one unit: `now`, `40 s`, `3 min`, `11 h`, `2 d`. */
export function age(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000)
  if (seconds < 1) return 'now'
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

/** Errors before warnings do not matter to a reader who goes through a file; the place does: file, line, column, code. */
export function sorted(problems: readonly Problem[]): Problem[] {
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
  return problems.toSorted(
    (a, b) =>
      compare(a.at?.file ?? '', b.at?.file ?? '') ||
      (a.at?.line ?? 0) - (b.at?.line ?? 0) ||
      (a.at?.column ?? 0) - (b.at?.column ?? 0) ||
      compare(a.code, b.code) ||
      compare(a.message, b.message),
  )
}

/** The same problem is often met once for each unit that shares a file; it is shown once. */
export function distinct(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>()
  return problems.filter((problem) => {
    const key = JSON.stringify([problem.code, problem.at, problem.message])
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

/**
 * All problems, as they are read in a terminal: sorted by place, one after the other, each with its place, what is
 * wrong, what was expected, what to do, its code, and the line of the file with a caret below the column.
 *
 * `source` gives the text of a file, where it is known. `wrap` is the number of columns to wrap at; without it each
 * problem's words stay on one line, as editors and `grep` like it.
 */
export function problemsText(
  problems: readonly Problem[],
  options: {
    readonly source?: (file: string) => string | undefined
    readonly paint?: Paint
    readonly wrap?: number
  } = {},
): string {
  const shown: string[] = []
  const perFile = new Map<string, { told: number; left: number }>()
  for (const [problem, more] of folded(sorted(distinct(problems)))) {
    const key = `${problem.code} in ${line(problem.at?.file ?? '')}`
    const so = perFile.get(key) ?? { told: 0, left: 0 }
    perFile.set(key, so)
    if (so.told === mostPerFile) so.left += 1 + more
    else {
      so.told += 1
      shown.push(problemText(problem, options) + (more === 0 ? '' : `\n      and ${more} more like it at this place`))
    }
  }
  const left = [...perFile]
    .filter(([, so]) => so.left > 0)
    .map(([key, so]) => `… and ${so.left} more of ${key}; --json lists them all`)
  return [...shown, ...left].join('\n')
}

/** Of one kind of problem this many are told for one file; a mistake in a generated file can have thousands. */
const mostPerFile = 10

/** A loop in a template, or a template with many instances, has the same problem at one place many times: the first, and how many more. */
function folded(problems: readonly Problem[]): (readonly [Problem, number])[] {
  const groups = new Map<string, { first: Problem; more: number }>()
  for (const problem of problems) {
    const key = JSON.stringify([problem.code, problem.at ?? problem.message])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { first: problem, more: 0 })
    else group.more += 1
  }
  return [...groups.values()].map(({ first, more }) => [first, more] as const)
}

function problemText(
  problem: Problem,
  {
    source = () => undefined,
    paint = plain,
    wrap,
  }: { readonly source?: (file: string) => string | undefined; readonly paint?: Paint; readonly wrap?: number },
): string {
  const { at } = problem
  const tone = problem.severity === 'error' ? paint.bad : paint.notice
  const lead = at === undefined ? problem.severity : placeText(at)
  const words = `${problem.severity === 'warning' && at !== undefined ? 'warning: ' : ''}${problemWords(problem)} [${problem.code}]`
  const head = `${tone(paint.bold(lead))}  ${wrapped(words, { first: width(lead) + 2, wrap })}`
  // A line on which a secret was found is not shown.
  const excerpt = at === undefined || problem.code === 'secret-value' ? [] : excerptLines(at, { source, paint })
  const related = (problem.related ?? []).flatMap((each) => [
    `  ${placeText(each.at)}  ${line(each.note)}`,
    ...excerptLines(each.at, { source, paint }),
  ])
  return [head, ...excerpt, ...related].join('\n')
}

/** What is wrong, what was expected and what to do, on one line and encoded; without the place and the code. */
export function problemWords({ message, expected, remedy }: Problem): string {
  const words = [
    line(message),
    expected === undefined ? '' : `Expected: ${ended(line(midSentence(expected)))}`,
    line(remedy),
  ]
  return words.filter((word) => word !== '').join(' ')
}

/** With a full stop, where it has no end of its own; what comes from a cloud often has none. */
export function ended(sentence: string): string {
  return /[.!?]$/u.test(sentence) ? sentence : `${sentence}.`
}

/** The beginning of a sentence as it goes on after a colon; a name such as `AWS::Region` or `A` stays as it is. */
function midSentence(text: string): string {
  return /^[A-Z][a-z]* [a-z`"0-9]/u.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text
}

/** `services/checkout/service.yaml:6:3`; only the file where the whole file is meant (line 0). */
export function placeText(at: Place): string {
  return at.line === 0 ? line(at.file) : `${line(at.file)}:${at.line}:${at.column}`
}

const excerptWidth = 100

/** The line that a place is in, with its number, and a caret under the column; nothing where the file is not known. */
export function excerptLines(
  at: Place,
  { source, paint }: { readonly source: (file: string) => string | undefined; readonly paint: Paint },
): readonly string[] {
  const text = source(at.file)?.split(/\r\n|\r|\n/u)[at.line - 1]
  return text === undefined ? [] : excerpt({ line: at.line, column: at.column, text }, paint)
}

/** The same for a line that is at hand. */
export function excerpt(
  at: { readonly line: number; readonly column: number; readonly text: string },
  paint: Paint,
): readonly string[] {
  // A long line is cut around the column, so that the caret is always in sight.
  const from = at.column > excerptWidth - 20 ? at.column - 40 : 0
  const text = maskSecrets(at.text)
  const before = line(text.slice(from, at.column - 1).replaceAll('\t', '  '))
  const after = line(text.slice(at.column - 1, from + excerptWidth).replaceAll('\t', '  '))
  const number = String(at.line).padStart(5)
  const cut = { start: from > 0 ? '…' : '', end: at.text.length > from + excerptWidth ? '…' : '' }
  return [
    `${paint.dim(`${number} |`)} ${cut.start}${before}${after}${cut.end}`,
    `${paint.dim(`${' '.repeat(5)} |`)} ${' '.repeat(width(cut.start + before))}${paint.accent('^')}`,
  ]
}

/** Breaks words over lines of at most `wrap` columns; lines after the first are indented by four. */
function wrapped(text: string, { first, wrap }: { readonly first: number; readonly wrap: number | undefined }): string {
  if (wrap === undefined) return text
  const rows: string[] = []
  let row = ''
  let room = Math.max(wrap - first, 20)
  for (const word of text.split(' ')) {
    if (row !== '' && width(row) + 1 + width(word) > room) {
      rows.push(row)
      row = word
      room = Math.max(wrap - 4, 20)
    } else {
      row = row === '' ? word : `${row} ${word}`
    }
  }
  return [...rows, row].join('\n    ')
}

/**
 * How many columns a terminal gives a text: two for the wide characters of East Asian scripts and emoji (Unicode's UAX
 * #11), none for combining marks. The text has no escape sequences in it.
 */
export function width(text: string): number {
  let columns = 0
  for (const character of text) {
    if (/\p{Mark}/u.test(character)) continue
    columns += wide.test(character) ? 2 : 1
  }
  return columns
}

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u

/**
 * A plan as it is read in a terminal: a line a unit, then what happens to the resources, the worst first. Units with the same changes are shown
 * once, with all their names.
 */
export function planText(plan: Plan, paint: Paint = plain): string {
  const tones = verdictTones(paint)
  const units = table(
    [
      { name: 'unit' },
      { name: 'stack' },
      { name: 'template' },
      { name: 'verdict' },
      { name: 'resources' },
      { name: '' },
    ],
    plan.units.map((unit) => [
      { text: unit.unit, paint: paint.bold },
      unit.stack.name,
      unit.template,
      { text: unit.verdict, paint: tones[unit.verdict] },
      changeCounts(unit.changes),
      unit.predicted ? { text: 'outputs of the environment are predicted', paint: paint.dim } : '',
    ]),
    paint,
  )
  const groups = groupsOf(plan.units.filter(({ changes }) => changes.length > 0))
  const details = groups.map(
    ([names, changes]) =>
      `${paint.bold(line(list(names)))}${names.length > 1 ? paint.dim(' (the same)') : ''}\n${changesText(changes, paint)}`,
  )
  const notes = plan.units.flatMap(({ unit, notes: said = [] }) => said.map((note) => `${unit}: ${line(note)}`))
  const told = notes.length === 0 ? [] : [notes.join('\n')]
  return [units, ...details, ...lossTexts(plan, paint), ...waivedTexts(plan), ...told, planSummary(plan)].join('\n\n')
}

/** What breaks a rule and is let through for a while. */
function waivedTexts({ units }: Plan): readonly string[] {
  const rows = units.flatMap(({ unit, policy = [] }) =>
    policy.flatMap(({ message, rule, waiver }) =>
      waiver?.expired === false
        ? `${unit}: ${line(`${message} (rule ${rule}) Waived until ${waiver.until} by ${waiver.owner}: ${waiver.reason}`)}`
        : [],
    ),
  )
  return rows.length === 0 ? [] : [rows.join('\n')]
}

/** What would be lost: what keeps units from being deployed first, then what somebody has said may go. */
function lossTexts({ units }: Plan, paint: Paint): readonly string[] {
  return [false, true].flatMap((isAcknowledged) => {
    const rows = units.flatMap(({ unit, losses = [] }) =>
      losses
        .filter((loss) => loss.isAcknowledged === isAcknowledged)
        .map(({ logicalId, happens, holds, isSnapshotKept }): Cell[] => [
          `  ${unit}`,
          logicalId,
          { text: happens, paint: paint.bad },
          `${holds}${isSnapshotKept ? ', of which a snapshot is kept' : ''}`,
        ]),
    )
    const title = isAcknowledged ? 'May be lost, as was acknowledged' : 'Held back until it is acknowledged or stays'
    return rows.length === 0
      ? []
      : [`${paint.bold(title)}\n${table([{ name: '' }, { name: '' }, { name: '' }, { name: '' }], rows, paint)}`]
  })
}

/** `1 replace, 2 update`; empty for no change. */
export function changeCounts(changes: readonly Change[]): string {
  return severity
    .map((action) => ({ action, number: changes.filter((change) => change.action === action).length }))
    .filter(({ number }) => number > 0)
    .map(({ action, number }) => `${number} ${action}`)
    .join(', ')
}

/** One sentence: how much there is to do, and whether anything is lost by it. */
export function planSummary(plan: Plan): string {
  const busy = plan.units.filter(({ verdict }) => verdict !== 'nothing')
  if (busy.length === 0)
    return `Nothing to do: ${count(plan.units.length, 'unit is', 'units are')} as wanted. Plan ${short(plan.digest)}.`
  const changes = busy.flatMap((unit) => unit.changes)
  const lost = changes.filter(({ action }) => action === 'replace' || action === 'delete')
  const warning =
    lost.length === 0 ? 'Nothing is replaced or deleted.' : `Replaced or deleted: ${count(lost.length, 'resource')}.`
  return `${count(busy.length, 'unit')} to change, ${count(changes.length, 'resource')} touched. ${warning} Plan ${short(plan.digest)}.`
}

/** The first twelve digits of a digest: enough to compare by eye. */
export function short(digest: string): string {
  return digest.replace(/^sha256:/u, '').slice(0, 12)
}

const severity = ['delete', 'replace', 'update', 'create'] as const

function changesText(changes: readonly Change[], paint: Paint): string {
  const signs = { delete: '-', replace: '-+', update: '~', create: '+' } satisfies Record<Change['action'], string>
  const tones = verdictTones(paint)
  if (changes.length > manyChanges && changes.every(({ action }) => action === 'create'))
    return typesText(changes, paint)
  const worstFirst = severity.flatMap((action) => changes.filter((change) => change.action === action))
  return table(
    [{ name: '' }, { name: '' }, { name: '' }, { name: '' }, { name: '' }],
    worstFirst.map((change) => [
      { text: `  ${signs[change.action]}`, paint: tones[change.action] },
      change.logicalId,
      { text: change.type, paint: paint.dim },
      { text: change.action, paint: tones[change.action] },
      reasonOf(change),
    ]),
  )
}

/** A new stack of more resources than this is told by their types; the names are in the data. */
const manyChanges = 30

function typesText(changes: readonly Change[], paint: Paint): string {
  const types = [...new Set(changes.map(({ type }) => type))].toSorted()
  const rows = types.map((type): Cell[] => {
    const number = changes.filter((change) => change.type === type).length
    return [{ text: '  +', paint: paint.good }, String(number), { text: type, paint: paint.dim }]
  })
  return table([{ name: '' }, { name: '', align: 'right' }, { name: '' }], rows)
}

function reasonOf({ action, because, properties, retained }: Change): string {
  const paths = (all: readonly string[]): string => list(all.map((path) => path.replace(/^Properties\./u, '')))
  const kept = retained ? ' (stays in the account)' : ''
  if (action === 'replace') return `because ${paths(because)} cannot change in place${kept}`
  if (action === 'update') return `${paths(properties.map(({ path }) => path))}${kept}`
  return kept.trim()
}

function verdictTones(paint: Paint): Record<Verdict, (text: string) => string> {
  return { nothing: paint.dim, create: paint.good, update: paint.notice, replace: paint.bad, delete: paint.bad }
}

function groupsOf(units: readonly PlannedUnit[]): (readonly [string[], readonly Change[]])[] {
  const groups = new Map<string, readonly [string[], readonly Change[]]>()
  for (const { unit, changes } of units) {
    const key = JSON.stringify(changes.map(({ properties, ...change }) => [change, properties.map(({ path }) => path)]))
    const group = groups.get(key) ?? [[], changes]
    group[0].push(unit)
    groups.set(key, group)
  }
  return [...groups.values()]
}
