import type { Json, Outcome } from '../command.ts'
import { line } from '../core/encode.ts'
import { codeOf, type Diagnosis, stepsByHand } from '../core/cause/diagnosis.ts'
import { suspectNames, verdictWords } from '../core/cause/words.ts'
import type { Organisation } from '../core/organisation.ts'
import { planOf } from '../core/plan.ts'
import { isOpen } from '../core/problem.ts'
import type { Paint } from '../core/report.ts'
import { count, list, placeText, planText, table } from '../core/report.ts'
import type { Attempt } from './deploying.ts'
import { columnsOf, isForApproval, positionOf, stopped } from './deploying.ts'
import { lossProblems } from './losses.ts'

/** How a deployment ended, as a command's outcome. */
export function outcomeOf(
  given: readonly Attempt[],
  {
    organisation,
    again,
    options = '',
    folders,
    byHand,
  }: {
    readonly organisation: Organisation
    readonly again: string
    /** What was said of how stacks are deployed: a deployment that is proposed repeats it. */
    readonly options?: string
    readonly folders: string
    /** Of a deployment that somebody has begun in a terminal: the failures that are rehearsed. */
    readonly byHand?: { readonly fail: readonly string[] }
  },
): Outcome<{ readonly units: Json }> {
  const attempts = byHand === undefined ? given : given.map((attempt) => advised(attempt, byHand.fail))
  const failed = attempts.filter(({ is }) => is === 'failed')
  const held = attempts.filter(({ is }) => is === 'held')
  const cut = attempts.some(({ is, why, isOpen }) => is === 'skipped' && (why === stopped || isOpen === true))
  const lossy = held.filter(({ losses }) => losses !== undefined)
  const others = held.filter(({ replanned }) => replanned !== undefined)
  const waiting = held.some(isForApproval)
  // What waits for nobody and was not stopped was left out because of something that is wrong.
  const left = attempts.some(({ is, why }) => is === 'skipped' && why !== stopped) && !cut && held.length === 0
  const units = attempts.map(({ unit, is, touched, why, failure, proof }) => ({
    unit: unit.id,
    outcome: is,
    touched,
    why: why ?? null,
    ...(proof !== undefined && { health: { ok: proof.is === 'healthy', words: proof.words } }),
    failure:
      failure === undefined
        ? null
        : {
            ...causeData(failure.diagnosis),
            status: failure.status,
            rolledBack: failure.rolledBack,
          },
  }))
  const [first] = failed
  return {
    exit:
      failed.some(isOver) || left
        ? 'failed'
        : cut || failed.length > 0
          ? 'unfinished'
          : held.length > 0
            ? 'needs-approval'
            : 'done',
    data: { units },
    text: (paint) =>
      [
        summaryTable(attempts, { organisation, paint }),
        ...failed.map((each) => failureText(each, paint)),
        ...attempts.flatMap((each) => openText(each)),
        ...gatedText(held.filter(isGated), paint),
        ...others.map(({ unit, why = '', replanned }) =>
          replanned === undefined ? '' : `${paint.bold(unit.id)} ${why}:\n\n${planText(planOf([replanned]), paint)}`,
        ),
        sentence(attempts),
      ].join('\n\n'),
    problems: lossy.flatMap(({ unit, losses = [] }) => lossProblems(unit, { losses })),
    next: [
      ...(first === undefined
        ? []
        : [
            {
              run: `deploy ${first.unit.service?.service ?? first.unit.id}${options}${folders}`,
              why:
                byHand !== undefined && isRehearsed(first, byHand.fail)
                  ? 'deploy it without the rehearsed failure; what is deployed stays'
                  : 'try again once the cause is mended; what is deployed stays',
            },
            ...(first.failure?.diagnosis === undefined
              ? []
              : [{ run: `explain ${codeOf(first.failure.diagnosis.cause)}`, why: 'what such a failure means' }]),
          ]),
      ...(lossy[0] === undefined || first !== undefined
        ? []
        : [{ run: `plan ${lossy[0].unit.id}${folders}`, why: 'see what would be lost, and by which property' }]),
      ...(others.length > 0 && first === undefined
        ? [{ run: `${again}${options}${folders}`, why: 'do what the new plan says' }]
        : []),
      ...(waiting && first === undefined
        ? [{ run: `${again} --yes${options}${folders}`, why: 'approve what waits, and deploy it' }]
        : []),
      ...(cut && first === undefined ? [{ run: `${again}${options}${folders}`, why: 'do what is left' }] : []),
      { run: `status${folders}`, why: 'what runs where' },
    ],
  }
}

/** With the advice that fits whoever sits at a terminal. */
function advised(attempt: Attempt, fail: readonly string[]): Attempt {
  const { failure } = attempt
  const { diagnosis } = failure ?? {}
  if (failure === undefined || diagnosis === undefined) return attempt
  const steps = stepsByHand(diagnosis.steps, { isRehearsed: isRehearsed(attempt, fail) })
  return { ...attempt, failure: { ...failure, diagnosis: { ...diagnosis, steps } } }
}

/** Whether the failure is one that was asked for: `cart-dev/Queue`, `health:cart/dev`, with what is to be said after a `=`. */
function isRehearsed({ unit, failure }: Attempt, fail: readonly string[]): boolean {
  const resource = failure?.diagnosis?.cause.resource
  const asked = [`${unit.stack}/${resource ?? ''}`, ...(resource === undefined ? [`health:${unit.id}`] : [])]
  return unit.environment.provisioner === 'local' && fail.some((entry) => asked.includes(entry.split('=')[0] ?? ''))
}

/** What is done and could not be recorded is not: it is taken up. */
function isOver({ refusal }: Attempt): boolean {
  return refusal === undefined || !isOpen(refusal)
}

/** Held by a gate: neither for approval, nor because of what it would be now. */
function isGated(attempt: Attempt): boolean {
  return (
    attempt.is === 'held' && !isForApproval(attempt) && attempt.losses === undefined && attempt.replanned === undefined
  )
}

/** What is held by a gate that no word of the person at the terminal opens: for each reason the units. */
function gatedText(gated: readonly Attempt[], paint: Paint): readonly string[] {
  const reasons = Map.groupBy(gated, ({ why = '' }) => why)
  return [...reasons].map(
    ([why, those]) => `${paint.bold(list(those.map(({ unit }) => unit.id)))} ${paint.notice('held')}: ${line(why)}`,
  )
}

/** Services by stages, one word each. */
function summaryTable(
  attempts: readonly Attempt[],
  { organisation, paint }: { readonly organisation: Organisation; readonly paint: Paint },
): string {
  const tones = {
    deployed: paint.good,
    unchanged: paint.dim,
    failed: paint.bad,
    skipped: paint.dim,
    held: paint.notice,
  } satisfies Record<Attempt['is'], (text: string) => string>
  const cells = attempts.map((attempt) => ({ ...positionOf(attempt.unit, organisation), attempt }))
  const columns = columnsOf(attempts, organisation)
  const rows = [...new Set(cells.map(({ row }) => row))]
  return table(
    [{ name: ' ' }, ...columns.map((name) => ({ name }))],
    rows.map((row) => [
      { text: row, paint: paint.bold },
      ...columns.map((column) => {
        const is = cells.find((cell) => cell.row === row && cell.column === column)?.attempt.is
        return is === undefined ? '' : { text: is, paint: tones[is] }
      }),
    ]),
    paint,
  )
}

function failureText({ unit, why, failure }: Attempt, paint: Paint): string {
  const diagnosis = failure?.diagnosis
  const { cause, at, inputs = [], also = [] } = diagnosis ?? {}
  const resource = cause?.resource
  const rows = [
    ...(resource === undefined ? [] : [['failed first', `${resource} (${cause?.type ?? ''})`]]),
    ...(at === undefined ? [] : [['declared at', placeText(at)]]),
    ['why', line(cause?.reason ?? why ?? '')],
    ...inputs.map(({ reference, value = '?', at: written }) => [
      'it read',
      line(`${reference} = ${value}${written === undefined ? '' : ` (${placeText(written)})`}`),
    ]),
    ...also.map((each) => ['also failed', line(`${each.resource ?? 'the stack'}: ${each.reason}`)]),
    ...(diagnosis?.rollbackBlockedBy === undefined
      ? []
      : [['blocks the way back', line(blockedText(diagnosis.rollbackBlockedBy))]]),
    ['now', stateText(failure)],
  ]
  const shown = table([{ name: '' }, { name: '' }], rows).replaceAll(/^/gmu, '  ')
  const head = `${paint.bad(paint.bold(`${unit.id} failed`))}\n${shown}`
  return diagnosis === undefined
    ? head
    : [head, suspectsText(diagnosis, paint), ...seenText(diagnosis, paint)].join('\n\n')
}

/** What the cloud showed while it was there, each part below its name. */
function seenText({ seen }: Diagnosis, paint: Paint): readonly string[] {
  return seen.map(({ what, lines }) =>
    [`  ${paint.bold(what)}`, ...lines.map((each) => `    ${line(each)}`)].join('\n'),
  )
}

/** `Group: resource sg-1 has a dependent object`: what keeps the stack from going back. */
function blockedText({ resource, reason }: NonNullable<Diagnosis['rollbackBlockedBy']>): string {
  return `${resource ?? 'the stack'}: ${reason}`
}

/** The four suspects, and what to do. */
function suspectsText({ verdicts, cloud, steps }: Diagnosis, paint: Paint): string {
  const tones = { convicted: paint.bad, cleared: paint.good, unknown: paint.dim }
  const rows = verdicts.map(({ suspect, is, evidence }) => [
    suspectNames[suspect],
    { text: verdictWords[is], paint: tones[is] },
    line(evidence.length === 0 ? 'Nothing speaks for it or against it.' : evidence.join(' ')),
  ])
  const shown = table([{ name: 'where is it?' }, { name: 'verdict' }, { name: 'evidence' }], rows, paint)
  const todo = steps.map((step, index) => `${index + 1}. ${line(step)}`)
  return [...shown.split('\n'), ...(cloud === undefined ? [] : [cloud]), '', ...todo]
    .map((each) => (each === '' ? '' : `  ${each}`))
    .join('\n')
}

/** The failure as data, for `--json` and for what comes after. */
function causeData(diagnosis: Diagnosis | undefined): Readonly<Record<string, Json>> {
  if (diagnosis === undefined) return { logicalId: null, type: null, reason: '', at: null }
  const { cause, at, inputs, verdicts, seen, cloud, also, cascaded, steps } = diagnosis
  return {
    logicalId: cause.resource ?? null,
    type: cause.type ?? null,
    reason: cause.reason,
    class: cause.is.is,
    at: at ?? null,
    inputs: inputs.map((input) => ({ reference: input.reference, value: input.value ?? null, at: input.at ?? null })),
    suspects: verdicts.map(({ suspect, is, evidence }) => ({ suspect, is, evidence })),
    seen: seen.map(({ what, lines }) => ({ what, lines })),
    cloud: cloud ?? null,
    also: also.map(({ resource, reason }) => ({ resource: resource ?? null, reason })),
    ...(diagnosis.rollbackBlockedBy !== undefined && {
      rollbackBlockedBy: {
        resource: diagnosis.rollbackBlockedBy.resource ?? null,
        reason: diagnosis.rollbackBlockedBy.reason,
      },
    }),
    cascaded,
    steps,
  }
}

function stateText(failure: Failure): string {
  if (failure === undefined) return 'nothing was touched'
  if (failure.status === 'CREATE_COMPLETE' || (!failure.rolledBack && failure.status === 'UPDATE_COMPLETE'))
    return 'the new version runs, and was not seen to be healthy'
  if (!failure.rolledBack) return `the stack is ${failure.status}`
  return failure.status === 'ROLLBACK_COMPLETE'
    ? 'rolled back: what had been created is gone again'
    : 'rolled back: what ran before runs again'
}

/** What is still under way, or may be. */
function openText({ unit, isOpen, why = '' }: Attempt): readonly string[] {
  if (isOpen !== true) return []
  return [`${unit.id}: ${line(why === stopped ? 'what was begun goes on without this run' : why)}`]
}

type Failure = Attempt['failure']

function sentence(attempts: readonly Attempt[]): string {
  const number = (is: Attempt['is']): number => attempts.filter((attempt) => attempt.is === is).length
  if (number('unchanged') === attempts.length)
    return `Nothing to do: ${count(attempts.length, 'unit is', 'units are')} as wanted.`
  const touched = attempts.reduce((sum, { is, touched: each }) => (is === 'deployed' ? sum + each : sum), 0)
  const parts = [
    ...(number('deployed') > 0
      ? [`${count(number('deployed'), 'unit')} deployed (${count(touched, 'resource')})`]
      : []),
    ...(number('unchanged') > 0 ? [`${number('unchanged')} unchanged`] : []),
    ...(number('failed') > 0 ? [`${number('failed')} failed`] : []),
    ...(number('skipped') > 0 ? [`${number('skipped')} not begun`] : []),
    ...(number('held') > 0 ? [`${number('held')} ${attempts.some(isGated) ? 'held' : 'waiting for approval'}`] : []),
  ]
  return `${list(parts)}.`
}
