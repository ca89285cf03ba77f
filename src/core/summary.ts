import type { Budget, Markdown, Url } from './markdown.ts'
import {
  alert,
  blocks,
  bullets,
  code,
  cut,
  fence,
  fold,
  heading,
  hostLink,
  link,
  listed,
  marker,
  numbered,
  plainText,
  prose,
  small,
  table,
  title,
} from './markdown.ts'
import type { Diagnosis } from './cause/diagnosis.ts'
import { suspectNames, verdictWords } from './cause/words.ts'
import { duration, list } from './report.ts'

/**
 * What a job says of a deployment when it has ended: first what people want to know (is it live, where, how long, what is
 * next, how to undo it), of a failure first what users have now, what happened and what to do. Then the steps, then the rest
 * in folds. GitHub drops a job summary of more than 1 MiB, so ours ends at 900 KiB.
 */

/** One unit's deployment, as far as it is known. Times are in milliseconds. */
export type DeploymentReport = {
  /** `checkout/staging` */
  readonly unit: string
  readonly outcome: 'deployed' | 'unchanged' | 'failed' | 'held' | 'skipped'
  /** Why it failed, waits, or was not begun: a sentence. */
  readonly why?: string
  readonly host?: string
  readonly health?: string
  readonly took?: number
  readonly usual?: number
  /** What happens next, as a sentence. */
  readonly next?: string
  /** The commit that was gone back to, if it was a rollback. */
  readonly back?: string
  /** How to go back, and what to. */
  readonly undo?: { readonly run: string; readonly to: string }
  readonly steps?: readonly { readonly step: string; readonly result: string; readonly took?: number }[]
  readonly resources?: readonly TouchedResource[]
  /** An output without a value is a secret. */
  readonly outputs?: readonly { readonly name: string; readonly value?: string }[]
  readonly failure?: FailureReport
  /** Where the record of it lies. */
  readonly record?: { readonly path: string; readonly url?: Url }
  /** Who and what set it off: `merge of #128 by ana`. */
  readonly trigger?: string
}

export type TouchedResource = {
  readonly logicalId: string
  readonly type: string
  readonly action: 'created' | 'updated' | 'replaced' | 'deleted'
  readonly took?: number
}

export type FailureReport = {
  readonly code: string
  /** What went wrong first, where it comes from, and who is suspected. */
  readonly diagnosis?: Diagnosis
  /** What the provisioner said. */
  readonly reason: string
  /** The stack's last status; nothing, if it was not touched. */
  readonly status?: string
  readonly rolledBack: boolean
  /** The operation is still under way: what ran before is being brought back. */
  readonly isOpen?: true
  /** The commit that serves again after a rollback. */
  readonly previous?: string
  /** Stages that come after, and were not begun. */
  readonly untouched: readonly string[]
  /** What to do now, the likeliest first: sentences. */
  readonly steps: readonly string[]
  readonly events: readonly { readonly at: Date; readonly what: string; readonly reason: string }[]
}

export const summaryBudget = { most: 900 * 1024, unit: 'bytes' } as const satisfies Budget

/** The summary of a job that deployed units. `run` is where its log is. */
export function deploymentSummary(
  reports: readonly DeploymentReport[],
  { run }: { readonly run?: Url } = {},
): Markdown {
  const [first] = reports
  const rest = run === undefined ? prose`The log has all of it.` : prose`${link('The log', run)} has all of it.`
  if (first === undefined) return prose`## Nothing was deployed`
  if (reports.length === 1) return cut(blocks(sectionsOf(first, 2)), { ...summaryBudget, rest })
  const failed = reports.filter(({ outcome }) => outcome === 'failed')
  const others = reports.filter(({ outcome }) => outcome !== 'failed')
  const rows = [...failed, ...others].map((report) => [
    code(report.unit),
    plainText(wordOf(report)),
    report.host === undefined ? '' : hostLink(report.host),
    report.took === undefined ? '' : clockTime(report.took),
  ])
  return cut(
    blocks([
      prose`## ${tally(reports)}`,
      table(['Unit', 'Result', 'Address', '>Time'], rows),
      ...failed.flatMap((report) => sectionsOf(report, 3)),
      ...others.map((report) => {
        const sections = sectionsOf(report, 4).slice(1)
        const isBare = sections.every((section) => section === undefined)
        return isBare ? undefined : fold(title`${report.unit}: ${wordOf(report)}`, blocks(sections))
      }),
    ]),
    { ...summaryBudget, rest },
  )
}

/** The most that a comment may hold; GitHub takes 65,536 characters. */
const commentBudget = { most: 60_000, unit: 'characters' } as const satisfies Budget

/** The comment on the merged pull request: what failed, why, and what to do. It is edited as more is known. */
export function failureComment(report: DeploymentReport, { run }: { readonly run?: Url } = {}): Markdown {
  const rest = run === undefined ? prose`The log has all of it.` : prose`${link('The log', run)} has all of it.`
  const log = run === undefined ? undefined : small([link('the run', run)])
  return cut(blocks([marker('failure', report.unit), ...sectionsOf(report, 3), log]), { ...commentBudget, rest })
}

/** What is left of that comment when the unit was deployed after all. */
export function mendedComment({ unit, commit }: { readonly unit: string; readonly commit: string }): Markdown {
  return blocks([
    marker('failure', unit),
    prose`### ${nameOf({ unit })}: deployed after all`,
    prose`It had failed before; commit ${code(commit.slice(0, 7))} is deployed there now.`,
  ])
}

function tally(reports: readonly DeploymentReport[]): string {
  const order = ['failed', 'deployed', 'unchanged', 'held', 'skipped'] as const
  const words = {
    failed: 'failed',
    deployed: 'deployed',
    unchanged: 'unchanged',
    held: 'waiting for approval',
    skipped: 'not begun',
  }
  const counts = order.map((outcome) => ({
    outcome,
    number: reports.filter((each) => each.outcome === outcome).length,
  }))
  return list(counts.filter(({ number }) => number > 0).map(({ outcome, number }) => `${number} ${words[outcome]}`))
}

function sectionsOf(report: DeploymentReport, level: number): readonly (Markdown | undefined)[] {
  const first = heading(level, prose`${nameOf(report)}: ${wordOf(report)}`)
  const { failure } = report
  const head = failure === undefined ? [first, factsOf(report)] : [first, ...failureOf(report, failure)]
  return [...head, stepsOf(report), resourcesOf(report), outputsOf(report), footOf(report)]
}

/** `checkout → staging` */
function nameOf({ unit }: Pick<DeploymentReport, 'unit'>): Markdown {
  const parts = unit.split('/')
  const [subject = '', ...places] = parts
  if (places.length === 0) return prose`${subject}`
  return subject === 'environment' ? prose`environment ${places.join(' ')}` : prose`${subject} → ${places.join(' ')}`
}

function wordOf({ outcome, failure, back }: DeploymentReport): string {
  if (outcome === 'held') return 'waits for approval'
  if (outcome === 'skipped') return 'not begun'
  if (outcome !== 'failed') return back === undefined ? outcome : `back to ${back.slice(0, 7)}`
  if (failure?.isOpen === true) return 'failing'
  if (failure?.status === undefined) return 'failed, nothing was touched'
  return failure.rolledBack ? 'failed, rolled back' : 'failed'
}

function factsOf({ host, health, outcome, why, took, usual, next, undo }: DeploymentReport): Markdown | undefined {
  const isLive = outcome === 'deployed' || outcome === 'unchanged'
  const points = [
    ...(host !== undefined && isLive
      ? [prose`**Live:** ${hostLink(host)}${health === undefined ? prose`` : prose` (${health})`}`]
      : []),
    ...(why === undefined ? [] : [prose`**Why:** ${why}`]),
    ...(took === undefined
      ? []
      : [prose`**Took:** ${duration(took)}${usual === undefined ? prose`` : prose` (usual: ${duration(usual)})`}`]),
    ...(next === undefined ? [] : [prose`**Next:** ${next}`]),
    ...(undo === undefined ? [] : [prose`**Undo:** ${code(undo.run)} (back to ${undo.to})`]),
  ]
  return points.length === 0 ? undefined : bullets(points)
}

// A failure

function failureOf({ unit }: DeploymentReport, failure: FailureReport): readonly (Markdown | undefined)[] {
  const { diagnosis, reason, steps, events } = failure
  const { cause, at, inputs = [], also = [] } = diagnosis ?? {}
  const where = unit.split('/').slice(1).join(' ')
  const rows = [
    ...(cause?.resource === undefined
      ? []
      : [['Failed first', prose`${code(cause.resource)} (${code(cause.type ?? '')})`]]),
    ...(at === undefined ? [] : [['Declared at', code(`${at.file}:${at.line}`)]]),
    ['What was said', prose`${reason}`],
    ...inputs.map(({ reference, value, at: written }) => [
      'It read',
      prose`${code(value === undefined ? reference : `${reference} = ${value}`)}${
        written === undefined ? prose`` : prose` from ${code(`${written.file}:${written.line}`)}`
      }`,
    ]),
    ...also.map((each) => ['Also failed', prose`${code(each.resource ?? 'the stack')}: ${each.reason}`]),
    ...(diagnosis?.rollbackBlockedBy === undefined
      ? []
      : [
          [
            'Blocks the way back',
            prose`${code(diagnosis.rollbackBlockedBy.resource ?? 'the stack')}: ${diagnosis.rollbackBlockedBy.reason}`,
          ],
        ]),
    ...(failure.status === undefined ? [] : [['The stack now', code(failure.status)]]),
  ]
  return [
    alert('WARNING', prose`**${stateOf(failure, where)}**`),
    table(['Where', 'What is known'], rows),
    diagnosis === undefined ? undefined : suspectsTable(diagnosis),
    steps.length === 0 ? undefined : prose`**Do this:**`,
    steps.length === 0 ? undefined : numbered(steps.map((step) => plainText(step))),
    diagnosis === undefined ? undefined : seenParts(diagnosis),
    events.length === 0
      ? undefined
      : fold(
          title`First failure, and what came of it`,
          table(
            ['UTC', 'Resource', 'Reason'],
            events.map(({ at, what, reason: said }) => [at.toISOString().slice(11, 19), what, said]),
          ),
        ),
    small([prose`${code(failure.code)}: ${code(`protium explain ${failure.code}`)} says what this code means`]),
  ]
}

/** What the cloud showed while it was there: as it came, in fences, hidden until somebody asks. */
function seenParts({ seen }: Diagnosis): Markdown | undefined {
  if (seen.length === 0) return undefined
  return blocks(seen.map(({ what, lines }) => fold(title`${what}`, fence(lines.join('\n')))))
}

/** The four suspects with what speaks for or against each; and the cloud itself, only where it is to blame. */
export function suspectsTable({ verdicts, cloud }: Diagnosis): Markdown {
  const rows = verdicts.map(({ suspect, is, evidence }) => [
    is === 'convicted' ? prose`**${suspectNames[suspect]}**` : suspectNames[suspect],
    is === 'convicted' ? prose`**${verdictWords[is]}**` : verdictWords[is],
    evidence.length === 0 ? prose`Nothing speaks for it or against it.` : prose`${evidence.join(' ')}`,
  ])
  const blamed = cloud === undefined ? [] : [['AWS itself', verdictWords.convicted, prose`${cloud}`]]
  return table(['Where is it?', 'Verdict', 'Evidence'], [...rows, ...blamed])
}

/** What users have now. */
function stateOf({ status, rolledBack, isOpen, previous, untouched }: FailureReport, where: string): Markdown {
  if (isOpen === true) return prose`What ran before in ${where} is being brought back now.`
  const now =
    status === undefined
      ? prose`Nothing was touched in ${where}`
      : !rolledBack && /^(?:CREATE|UPDATE)_COMPLETE$/.test(status)
        ? prose`${where} runs the new version, which was not seen to be healthy`
        : !rolledBack
          ? prose`${where} may be half changed: its stack is ${code(status)}`
          : status.startsWith('ROLLBACK')
            ? prose`What had been created in ${where} is gone again`
            : previous === undefined
              ? prose`${where} serves the previous version again`
              : prose`${where} serves the previous version (${code(previous.slice(0, 7))}) again`
  if (untouched.length === 0) return prose`${now}.`
  return prose`${now}. ${listed(untouched.map((stage) => plainText(stage)))} ${untouched.length === 1 ? 'was' : 'were'} not touched.`
}

// The rest

function stepsOf({ steps = [] }: DeploymentReport): Markdown | undefined {
  if (steps.length === 0) return undefined
  const rows = steps.map(({ step, result, took }) => [step, result, took === undefined ? '' : clockTime(took)])
  return table(['Step', 'Result', '>Time'], rows)
}

function resourcesOf({ resources = [] }: DeploymentReport): Markdown | undefined {
  if (resources.length === 0) return undefined
  const rows = resources.map(({ logicalId, type, action, took }) => [
    code(logicalId),
    code(type),
    action,
    took === undefined ? '' : clockTime(took),
  ])
  return fold(title`Resources touched (${resources.length})`, table(['Resource', 'Type', 'Action', '>Time'], rows))
}

function outputsOf({ outputs = [] }: DeploymentReport): Markdown | undefined {
  if (outputs.length === 0) return undefined
  const rows = outputs.map(({ name, value }) => [code(name), value === undefined ? 'hidden (secret)' : code(value)])
  return fold(title`Outputs (${outputs.length})`, table(['Name', 'Value'], rows))
}

function footOf({ record, trigger }: DeploymentReport): Markdown | undefined {
  if (record === undefined && trigger === undefined) return undefined
  return small([
    record && prose`Ledger ${link(code(record.path), record.url)}`,
    trigger === undefined ? undefined : plainText(trigger),
  ])
}

/** `0:14`, `3:41`, `1:02:05`. */
function clockTime(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000)
  const two = (number: number): string => String(number).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  return hours === 0 ? `${minutes}:${two(seconds % 60)}` : `${hours}:${two(minutes)}:${two(seconds % 60)}`
}
