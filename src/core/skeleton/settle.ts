import { digest } from '../canonical.ts'
import { mergeText, type Sides } from '../merge.ts'
import { linesOf, lostLines, sameLines, textOf } from '../merge/lines.ts'
import { isStructured, reads } from '../merge/structured.ts'
import { findBlock, marked } from './block.ts'
import type { Choice, FileOutcome, Question, Why } from './model.ts'
import type { Path } from './plan.ts'

/** What is done with one file: written, deleted, or left alone; and what is said of it, if anything. */
export type Settled = {
  readonly write?: string
  readonly delete?: true
  readonly outcome?: FileOutcome
  /** What is decided by this, by the ids of what was asked. */
  readonly asked?: ReadonlyMap<string, Choice>
}

/** What is there: its text, nothing, or something that is no text to be edited. */
export type Present =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'absent' }
  | { readonly is: 'other' }

export type Decide = (id: string) => { readonly choice: Choice; readonly by: 'person' | 'lock' } | undefined

const nothing: Settled = {}

/** Settles one file that the template has changed. */
export function settleFile(path: Path, present: Present, decide: Decide): Settled {
  const { next, owner } = path
  if (next === undefined) return drop(path, present)
  const isKnown = path.locked !== undefined || path.base !== undefined
  if (owner === 'seed') return present.is === 'absent' && !isKnown ? added(path, next) : nothing
  if (present.is === 'other') return look(path, { why: 'no-text', after: next })
  if (present.is === 'absent') {
    if (isKnown) return say(path, { is: 'kept', why: 'deleted' })
    return added(path, owner === 'block' ? blockText(path.path, next) : next)
  }
  const changed: Changed = { ...path, next, ours: present.text, isKnown }
  if (owner === 'block') return settleBlock(changed, decide)
  if (sameText(changed.ours, next)) return nothing
  if (isUntouched(path, changed.ours)) return { write: inFormOf(changed.ours, next), ...say(path, { is: 'updated' }) }
  if (!path.isProven) return unproven(changed, decide, (text) => text)
  return owner === 'managed' ? overwrite(changed) : merge(changed, decide)
}

type Changed = Path & { readonly next: string; readonly ours: string; readonly isKnown: boolean }

/** Outcomes without what all of them have; `Omit` of a union would keep only what its members share. */
type Said<T = FileOutcome> = T extends FileOutcome ? Omit<T, 'path' | 'owner'> : never

function say({ path, owner }: Path, outcome: Said): Settled {
  return { outcome: { path, owner, ...outcome } }
}

function added(path: Path, text: string): Settled {
  return { write: text, ...say(path, { is: 'added' }) }
}

function sameText(one: string, other: string): boolean {
  return one === other || sameLines(linesOf(one), linesOf(other))
}

/** Whether nobody has changed a text since the template wrote it; an editor's ends of lines are no change. */
function isUntouched({ base, locked }: Path, text: string): boolean {
  if (base !== undefined && sameText(text, base)) return true
  return locked !== undefined && digest(textOf({ ...linesOf(text), crlf: false, bom: false })) === locked.base
}

/** A text with the ends of lines, and the mark at its beginning, of one that it takes the place of. */
function inFormOf(ours: string, next: string): string {
  const { crlf, bom } = linesOf(ours)
  return textOf({ ...linesOf(next), crlf, bom })
}

/** The template has the file no longer. */
function drop(path: Path, present: Present): Settled {
  if (path.owner === 'seed' || present.is === 'absent') return nothing
  if (present.is === 'other') return say(path, { is: 'kept', why: 'dropped' })
  if (path.owner !== 'block')
    return isUntouched(path, present.text)
      ? { delete: true, ...say(path, { is: 'removed' }) }
      : say(path, { is: 'kept', why: 'dropped' })
  const whole = linesOf(present.text)
  const found = findBlock(whole.lines)
  if (found === undefined) return nothing
  if (!isUntouched(path, insideOf(whole.lines, found))) return say(path, { is: 'kept', why: 'dropped' })
  const rest = [...whole.lines.slice(0, found.from - 1), ...whole.lines.slice(found.to + 1)]
  while (rest.at(-1)?.trim() === '') rest.pop()
  const done = say(path, { is: 'removed' })
  return rest.length === 0 ? { delete: true, ...done } : { write: textOf({ ...whole, lines: rest }), ...done }
}

// Blocks

function insideOf(lines: readonly string[], { from, to }: { readonly from: number; readonly to: number }): string {
  return lines
    .slice(from, to)
    .map((text) => `${text}\n`)
    .join('')
}

function blockText(path: string, inside: string): string {
  return `${marked(path, linesOf(inside).lines).join('\n')}\n`
}

function settleBlock(changed: Changed, decide: Decide): Settled {
  const { path, next, ours, isKnown } = changed
  const whole = linesOf(ours)
  const found = findBlock(whole.lines)
  if (found === undefined) {
    if (isKnown) return say(changed, { is: 'kept', why: 'unmarked' })
    const gap = whole.lines.length === 0 || whole.lines.at(-1)?.trim() === '' ? [] : ['']
    const lines = [...whole.lines, ...gap, ...marked(path, linesOf(next).lines)]
    const text = textOf({ ...whole, lines, ended: true })
    if (isStructured(path) && reads(path, ours) && !reads(path, text))
      return look(changed, { why: 'unsure', words: 'could not be read with the block at its end', after: next })
    return added(changed, text)
  }
  const inside = insideOf(whole.lines, found)
  const withInside = (text: string): string => {
    const lines = [...whole.lines.slice(0, found.from), ...linesOf(text).lines, ...whole.lines.slice(found.to)]
    return textOf({ ...whole, lines })
  }
  if (sameText(inside, next)) return nothing
  if (isUntouched(changed, inside)) return { write: withInside(next), ...say(changed, { is: 'updated' }) }
  const part: Changed = { ...changed, ours: inside }
  if (!changed.isProven) return unproven(part, decide, withInside)
  return { ...overwrite(part), write: withInside(next) }
}

// What somebody has changed

/** The template has the say: what of ours goes is told. */
function overwrite(changed: Changed): Settled {
  const { next, ours, base = '' } = changed
  const of = (text: string): readonly string[] => linesOf(text).lines
  const lost = lostLines({ before: of(base), after: of(next), ours: of(ours), merged: of(next) })
  return { write: inFormOf(ours, next), ...say(changed, { is: 'overwritten', lost }) }
}

function merge(changed: Changed, decide: Decide): Settled {
  const { path, base = '', next, ours } = changed
  const asked = new Map<string, Choice>()
  const take = (hunk: Sides): 'ours' | 'after' => {
    const question = questionOf(path, hunk, decide)
    asked.set(question.id, question.choice)
    return question.choice === 'template' ? 'after' : 'ours'
  }
  const merged = mergeText({ path, before: base, after: next, ours, take })
  switch (merged.is) {
    case 'clean':
      return merged.text === ours ? nothing : { write: merged.text, ...say(changed, { is: 'merged' }) }
    case 'conflict': {
      const hunks = merged.hunks.map((hunk) => ({ ...hunk, ...questionOf(path, hunk, decide) }))
      const isOld = hunks.every(({ id }) => decide(id)?.by === 'lock')
      return {
        ...(merged.text === ours ? {} : { write: merged.text }),
        ...say(changed, isOld ? { is: 'merged' } : { is: 'conflict', hunks }),
        asked,
      }
    }
    case 'too-long':
      return whole(changed, decide, { why: 'too-long', words: `differs in ${merged.lines} lines` })
    case 'unsure':
      return whole(changed, decide, { why: 'unsure', words: merged.why })
  }
}

/** Somebody has made the file another than the template has it, and from what it was made is not proven. */
function unproven(changed: Changed, decide: Decide, written: (text: string) => string): Settled {
  const { base, next, isKnown } = changed
  // Whatever it was made from: the template makes of it now what it did before.
  if (base === next) return nothing
  return whole(changed, decide, { why: isKnown ? 'no-base' : 'both-added' }, written)
}

/** Nothing can be merged: the whole is ours, until somebody chooses the template's. */
function whole(
  changed: Changed,
  decide: Decide,
  reason: { readonly why: Why; readonly words?: string },
  written: (text: string) => string = (text) => text,
): Settled {
  const { path, base, next, ours } = changed
  const of = (text: string): readonly string[] => linesOf(text).lines
  const question = questionOf(path, { ours: of(ours), before: of(base ?? ''), after: of(next) }, decide)
  const asked = new Map([[question.id, question.choice]])
  const write = question.choice === 'template' ? { write: written(inFormOf(ours, next)) } : {}
  if (decide(question.id)?.by === 'lock') return { ...write, asked }
  const before = base === undefined ? {} : { before: base }
  return { ...write, ...say(changed, { is: 'review', ...reason, ours, ...before, after: next, question }), asked }
}

function look(path: Path, review: { readonly why: Why; readonly words?: string; readonly after: string }): Settled {
  return say(path, { is: 'review', ...review })
}

function questionOf(path: string, { ours, before, after }: Sides, decide: Decide): Question {
  // A letter first: an object of JavaScript would put keys of digits alone before all others.
  const id = `h${digest([path, ours, before, after]).slice('sha256:'.length, 'sha256:'.length + 15)}`
  const known = decide(id)
  return { id, choice: known?.choice ?? 'mine', isSettled: known !== undefined }
}
