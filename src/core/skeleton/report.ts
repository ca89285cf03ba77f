import { diffText } from '../diff-text.ts'
import type { Markdown, Url } from '../markdown.ts'
import {
  blocks,
  checkbox,
  code,
  fence,
  fold,
  heading,
  link,
  listed,
  prose,
  stacked,
  table,
  tickedBoxes,
  title,
} from '../markdown.ts'
import { linesOf } from '../merge/lines.ts'
import { count } from '../report.ts'
import type { Choice, FileOutcome, Question, Why } from './model.ts'

/** How the section is made. */
type Told = {
  /** Whether the reader is asked; where nobody reads the boxes again, there are none. */
  readonly asks: boolean
  /** The address of a line of a file, on the branch that is proposed. */
  readonly address?: ((path: string, line: number) => Url | undefined) | undefined
  /** How many characters the section may have; texts of the files are left out first. */
  readonly most?: number
}

/**
 * The section `Files` of a pull request: what becomes of each file, and of what somebody has to decide both sides, with a box for
 * either. Nothing, if no file has anything to be told of.
 */
export function filesSection(
  outcomes: readonly FileOutcome[],
  { asks, address, most = 20_000 }: Told,
): Markdown | undefined {
  if (outcomes.length === 0) return undefined
  const rows = outcomes.map((outcome) => [code(outcome.path), wordsOf(outcome, asks)])
  const head = [heading(3, prose`Files`), table(['File', 'What becomes of it'], rows)]
  const parts = outcomes.flatMap((outcome) => detailsOf(outcome, { asks, address }))
  const whole = blocks([...head, ...parts.map(({ long }) => long)])
  if (whole.markdown.length <= most) return whole
  let left = most - blocks([...head, ...parts.map(({ short }) => short)]).markdown.length
  const fitting = parts.map(({ short, long }) => {
    left -= long.markdown.length - (short?.markdown.length ?? 0)
    return left < 0 ? short : long
  })
  return blocks([...head, ...fitting])
}

/** What is ticked in the body of a pull request, by the ids of the questions; of a question with both boxes ticked nothing is known. */
export function decisionsIn(body: string): ReadonlyMap<string, Choice> {
  const decisions = new Map<string, Choice>()
  const both = new Set<string>()
  for (const name of tickedBoxes(body)) {
    const [, id, choice] = /^file (h[0-9a-f]{15}) (mine|template)$/u.exec(name) ?? []
    if (id === undefined || (choice !== 'mine' && choice !== 'template')) continue
    const known = decisions.get(id)
    if (known !== undefined && known !== choice) both.add(id)
    decisions.set(id, choice)
  }
  for (const id of both) decisions.delete(id)
  return decisions
}

function wordsOf(outcome: FileOutcome, asks: boolean): Markdown {
  switch (outcome.is) {
    case 'added':
      return outcome.owner === 'block' ? prose`new lines, between two marks` : prose`new`
    case 'updated':
      return prose`brought to the new version; nobody had changed it`
    case 'merged':
      return prose`merged: your changes stay, and the template’s are added`
    case 'removed':
      return prose`removed: the template has it no longer, and nobody had changed it`
    case 'overwritten':
      return prose`**overwritten**: it belongs to the template, and ${lostWords(outcome.lost)} here`
    case 'kept':
      return keptWords[outcome.why]
    case 'conflict':
      return prose`merged, but for **${count(outcome.hunks.length, 'place')}** that both have changed: ${choiceWords(outcome.hunks)}`
    case 'review': {
      const left = prose`**left as it is**: ${whyWords(outcome)}`
      return outcome.question === undefined || !asks ? left : prose`${left}; ${choiceWords([outcome.question])}`
    }
  }
}

function lostWords(lost: readonly string[]): Markdown {
  return lost.length === 0
    ? prose`what was taken out is back`
    : prose`${count(lost.length, 'line')} of yours ${lost.length === 1 ? 'goes' : 'go'}`
}

const keptWords: Readonly<Record<'deleted' | 'dropped' | 'unmarked', Markdown>> = {
  deleted: prose`stays deleted, as you have it; the template has changed it`,
  dropped: prose`**yours stays**: the template has it no longer, and you have changed it; delete it if nothing needs it`,
  unmarked: prose`left alone: the two marks of the template’s lines are not there`,
}

function choiceWords(questions: readonly Question[]): Markdown {
  const open = questions.filter(({ isSettled }) => !isSettled).length
  if (open > 0) return prose`yours ${open === 1 ? 'stays' : 'stay'} until you decide`
  const words = { mine: prose`yours stays, as decided`, template: prose`the template’s is taken, as decided` } as const
  return listed([...new Set(questions.map(({ choice }) => choice))].map((choice) => words[choice]))
}

function whyWords({ why, words = '' }: { readonly why: Why; readonly words?: string }): Markdown {
  switch (why) {
    case 'no-base':
      return prose`you have changed it, and from what it was made is not known`
    case 'both-added':
      return prose`you had a file of this name already`
    case 'no-text':
      return prose`it is no file with a text that could be changed`
    case 'too-long':
      return prose`it ${words}, which is too much to merge`
    case 'unsure':
      return prose`what came of merging it ${words}`
  }
}

/** A part in full, and without the texts of files. */
type Part = { readonly long: Markdown; readonly short: Markdown | undefined }

function detailsOf(outcome: FileOutcome, { asks, address }: Told): readonly Part[] {
  if (outcome.is === 'overwritten' && outcome.lost.length > 0) {
    const lost = fence(
      outcome.lost
        .slice(0, mostLines)
        .map((each) => `-${each}`)
        .join('\n'),
      'diff',
    )
    return [{ long: fold(title`${outcome.path}: what goes`, lost), short: undefined }]
  }
  if (outcome.is === 'conflict')
    return outcome.hunks.map((hunk) => {
      const place = link(prose`${code(outcome.path)}, line ${hunk.line}`, address?.(outcome.path, hunk.line))
      const sides = stacked([
        prose`You have changed:`,
        difference(hunk.before, hunk.ours),
        prose`The template has changed:`,
        difference(hunk.before, hunk.after),
      ])
      return asked(place, { sides, question: hunk, asks })
    })
  if (outcome.is === 'review' && outcome.ours !== undefined) {
    const place = link(code(outcome.path), address?.(outcome.path, 1))
    const sides = fold(
      title`${outcome.path}: yours (-), and the template’s (+)`,
      difference(linesOf(outcome.ours).lines, linesOf(outcome.after).lines),
    )
    return [asked(place, { sides, question: outcome.question, asks })]
  }
  return []
}

function asked(
  place: Markdown,
  {
    sides,
    question,
    asks,
  }: { readonly sides: Markdown; readonly question: Question | undefined; readonly asks: boolean },
): Part {
  const box = (choice: Choice, words: Markdown): Markdown =>
    checkbox(`file ${question?.id ?? ''} ${choice}`, words, {
      ticked: question?.isSettled === true && question.choice === choice,
    })
  const boxes =
    question === undefined || !asks
      ? undefined
      : stacked([box('mine', prose`keep mine`), box('template', prose`take the template’s`)])
  return { long: blocks([place, sides, boxes]), short: blocks([place, boxes]) }
}

/** The most lines of a text that are shown. */
const mostLines = 60

/** So many lines are compared for that, from the first that differs on: a file may have as many as it likes. */
const comparedLines = 500

function difference(before: readonly string[], after: readonly string[]): Markdown {
  let same = 0
  while (same < before.length && before[same] === after[same]) same += 1
  const from = Math.max(0, same - 3)
  const whole = (lines: readonly string[]): string =>
    lines
      .slice(from, from + comparedLines)
      .map((each) => `${each}\n`)
      .join('')
  const signs = { same: ' ', old: '-', new: '+', hunk: '', note: '' } as const
  const shown = diffText(whole(before), whole(after)).filter(({ is }) => is !== 'note' && is !== 'hunk')
  const isCut = Math.max(before.length, after.length) > from + comparedLines
  const more = isCut ? 'many more lines' : count(shown.length - mostLines, 'more line')
  const rest = isCut || shown.length > mostLines ? [`… ${more}`] : []
  return fence([...shown.slice(0, mostLines).map(({ is, text }) => `${signs[is]}${text}`), ...rest].join('\n'), 'diff')
}
