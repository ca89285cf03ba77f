import type { Gate } from './gates.ts'
import { heldGates } from './gates.ts'
import { gateTitle } from './gates/model.ts'
import type { Markdown, Url } from './markdown.ts'
import { blocks, code, fold, link, marker, plainText, prose, small, table, title } from './markdown.ts'
import { ended, list } from './report.ts'

/**
 * What is said of a promotion that waits: for what, since when, until when, and who can let it go on. One comment for each unit on
 * the merged pull request, edited as things go on; the same in the summary of the job.
 */
export type Held = {
  /** `checkout/prod` */
  readonly unit: string
  readonly commit: string
  readonly gates: readonly Gate[]
}

/** The comment of a promotion that waits. */
export function waitingComment(held: Held, { run }: { readonly run?: Url } = {}): Markdown {
  return blocks([
    marker('waiting', held.unit),
    prose`### ${nameOf(held.unit)}: waits`,
    ...partsOf(held),
    small([prose`commit ${code(held.commit.slice(0, 7))}`, run && link('the run', run)]),
  ])
}

/** The summary of a job that found its gates held. */
export function waitingSummary(held: Held): Markdown {
  return blocks([prose`## ${nameOf(held.unit)}: waits`, ...partsOf(held)])
}

function partsOf({ gates }: Held): readonly Markdown[] {
  const held = heldGates(gates)
  const open = gates.filter(({ is }) => is !== 'held')
  const names = [...new Set(open.map(({ gate }) => gateTitle(gate)))]
  return [
    gatesTable(held),
    prose`Nothing was touched. **What now:** ${stepsOf(held)}`,
    ...(open.length === 0 ? [] : [fold(title`Open: ${list(names)}`, gatesTable(open))]),
  ]
}

/** Gates with why they are as they are, and their times where one has any. */
export function gatesTable(gates: readonly Gate[]): Markdown {
  const isTimed = gates.some(({ since, until }) => since !== undefined || until !== undefined)
  const rows = gates.map(({ gate, why, since, until, by }) => [
    prose`**${gateTitle(gate)}**`,
    by === undefined ? prose`${why}` : prose`${why} Opened by ${list(by)}.`,
    ...(isTimed ? [since === undefined ? '' : timeText(since), until === undefined ? '' : timeText(until)] : []),
  ])
  return table(['Gate', 'Why', ...(isTimed ? ['Since', 'Until'] : [])], rows)
}

/** What opens what is held, as a sentence. */
function stepsOf(held: readonly Gate[]): string {
  const steps = held.map(({ gate, until, by = [] }): string => {
    if (until !== undefined) return `it goes on by itself after ${timeText(until)}`
    switch (gate) {
      case 'approval':
        return `${list(by)} approves it, by a review of the pull request or as a reviewer of the environment`
      case 'binding':
        return 'the new plan is looked at (a check of this commit), and the job is run again to approve it'
      case 'lock':
        return `${list(by)} gives the lock back`
      case 'guard':
        return 'the loss is acknowledged in the file of the unit, by a pull request'
      case 'policy':
        return 'the rule is kept, or a waiver is asked for, by a pull request'
      case 'order':
      case 'soak':
      case 'freeze':
        return 'the stage before is deployed again, or a newer commit is'
    }
  })
  return ended(list([...new Set(steps)]))
}

/** What is left of the comment once it has gone on. `words` are what came of it: `deployed`, `failed`. */
export function goneOnComment({
  unit,
  commit,
  words,
}: Pick<Held, 'unit' | 'commit'> & { readonly words: string }): Markdown {
  return blocks([
    marker('waiting', unit),
    prose`### ${nameOf(unit)}: ${words}`,
    prose`It had waited; commit ${code(commit.slice(0, 7))} has gone on since.`,
  ])
}

/** What is left of it where a newer commit was deployed instead. */
export function supersededComment({
  unit,
  commit,
  newer,
}: Pick<Held, 'unit' | 'commit'> & { readonly newer: string }): Markdown {
  const [own, other] = [code(commit.slice(0, 7)), code(newer.slice(0, 7))]
  return blocks([
    marker('waiting', unit),
    prose`### ${nameOf(unit)}: superseded by ${other}`,
    prose`Commit ${own} waited, and the newer ${other}, which holds what it brought, was deployed instead. It waits no more.`,
  ])
}

/** What is left of it where its job was stopped, or not let begin. */
export function stoppedComment({
  unit,
  commit,
  why,
}: Pick<Held, 'unit' | 'commit'> & { readonly why: string }): Markdown {
  return blocks([
    marker('waiting', unit),
    prose`### ${nameOf(unit)}: stopped`,
    prose`Commit ${code(commit.slice(0, 7))} waits no more: ${why}`,
  ])
}

/** What is left of it where somebody has taken it back. */
export function cancelledComment({
  unit,
  commit,
  by,
  why,
}: Pick<Held, 'unit' | 'commit'> & {
  readonly by: string
  /** Nothing where no reason was given. */
  readonly why: string
}): Markdown {
  const own = code(commit.slice(0, 7))
  return blocks([
    marker('waiting', unit),
    prose`### ${nameOf(unit)}: cancelled`,
    prose`${by} has taken back commit ${own}, which waited${why === '' ? '' : `: ${why}`}. What it brings comes with the next commit that is deployed there.`,
  ])
}

/** `soak: staging is to have had it for 30 min. Until 2026-11-25 12:15 UTC.`, a gate after the other; for a log and a status. */
export function heldText(gates: readonly Gate[]): string {
  return heldGates(gates)
    .map(({ gate, why, until }) => `${gate}: ${why}${until === undefined ? '' : ` Until ${timeText(until)}.`}`)
    .join(' ')
}

/** `2026-11-25 12:15 UTC`. */
function timeText(iso: string): string {
  const time = Date.parse(iso)
  if (Number.isNaN(time)) return iso
  const text = new Date(time).toISOString()
  return `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`
}

/** `checkout → prod` */
function nameOf(unit: string): Markdown {
  const [subject = '', ...places] = unit.split('/')
  if (places.length === 0) return plainText(subject)
  return subject === 'environment' ? prose`environment ${places.join(' ')}` : prose`${subject} → ${places.join(' ')}`
}
