import type { Path } from '../data.ts'
import { isList, isMap, type Data } from '../data.ts'
import { problemCodes } from '../problem-codes.ts'
import type { ParityDifference, ParityReport } from '../parity.ts'
import type { Place } from '../problem.ts'
import type { RenderedStack } from '../render.ts'
import type { FailureClass } from './classes.ts'
import type { Cause, FirstCause } from './first.ts'
import type { Difference, Evidence, Parity, Suspect, Verdict } from './suspects.ts'
import { blamesCloud, judge } from './suspects.ts'
import type { Shown } from './found.ts'
import { shownOf } from './found.ts'
import { redact } from './redact.ts'

/** What can be said of a failure: the cause, where it comes from, who is suspected, and what to do. Secrets are taken out. */
export type Diagnosis = {
  readonly cause: Cause
  readonly also: readonly Cause[]
  readonly cascaded: number
  readonly rollbackBlockedBy?: Cause
  /** The line of the template that wrote the resource, or the property that the message names. */
  readonly at?: Place
  /** What that line read, and where it was written. */
  readonly inputs: readonly { readonly reference: string; readonly value?: string; readonly at?: Place }[]
  readonly verdicts: readonly Verdict[]
  /** What the cloud showed of it while it was there. */
  readonly seen: readonly Shown[]
  /** What the cloud itself does wrong; a sentence. */
  readonly cloud?: string
  /** What to do now, the likeliest first: sentences. */
  readonly steps: readonly string[]
}

/** Puts together what is known of a failure. `part` is what was deployed; what it lacks is left out. */
export function diagnosisOf(
  found: FirstCause,
  { part, evidence = {} }: { readonly part: RenderedStack; readonly evidence?: Omit<Evidence, 'cause'> },
): Diagnosis {
  const { first, also, cascaded, rollbackBlockedBy } = found
  const origin = originOf(part, first)
  // What is quoted is cut, so secrets are taken out before that.
  const all: Evidence = { ...evidence, cause: { ...found, first: safe(first) } }
  const verdicts = judge(all)
  const cloud = blamesCloud(all)
  return {
    cause: safe(first),
    also: also.map(safe),
    cascaded,
    ...(rollbackBlockedBy !== undefined && { rollbackBlockedBy: safe(rollbackBlockedBy) }),
    ...(origin?.at !== undefined && { at: origin.at }),
    inputs: origin?.inputs ?? [],
    verdicts: verdicts.map((verdict) => ({ ...verdict, evidence: verdict.evidence.map(redact) })),
    seen: shownOf(evidence),
    ...(cloud !== undefined && { cloud }),
    steps: stepsFor(first, { verdicts, at: origin?.at }),
  }
}

function safe(cause: Cause): Cause {
  return { ...cause, reason: redact(cause.reason) }
}

/** The line that wrote what failed, and what it read. A resource of a nested stack leads to the resource that is that stack. */
function originOf(
  part: RenderedStack,
  { logicalId, within, reason }: Cause,
): Pick<Diagnosis, 'at' | 'inputs'> | undefined {
  const own = within[0] ?? logicalId
  if (own === undefined) return undefined
  const resource: Path = ['Resources', own]
  const named = within.length === 0 ? propertyIn(reason, { body: part.body, resource }) : undefined
  const { line } = part.document.keyPlace(named ?? resource)
  // Several properties may share a line; where the value itself is an expression, only that is meant.
  const value = named === undefined ? undefined : part.document.place(named)
  const exact = value === undefined ? undefined : part.explain(value)
  const origin = exact !== undefined && exact.reads.length > 0 ? exact : part.explain({ line })
  if (origin === undefined) return undefined
  const reads = named === undefined ? [] : [...origin.reads, ...origin.within.flatMap((guard) => guard.reads)]
  return {
    at: origin.place,
    inputs: reads.map(({ reference, value, at }) => ({
      reference,
      ...(value !== null && { value: redact(value) }),
      ...(at !== null && { at }),
    })),
  }
}

/** The property that a message names, if the resource has it: `#/LoadBalancers/0`, or a word that is one of its keys. */
function propertyIn(
  reason: string,
  { body, resource }: { readonly body: Data; readonly resource: Path },
): Path | undefined {
  const properties: Path = [...resource, 'Properties']
  const pointer = /#((?:\/[A-Za-z0-9]+)+)/.exec(reason)?.[1]
  const steps = pointer?.split('/').slice(1) ?? []
  for (let length = steps.length; length > 0; length -= 1) {
    const path = [...properties, ...steps.slice(0, length).map((step) => (/^\d+$/.test(step) ? Number(step) : step))]
    if (valueAt(body, path) !== undefined) return path
  }
  const keys = valueAt(body, properties)
  if (!isMap(keys)) return undefined
  const words = new Set(reason.slice(0, 4000).match(/[A-Za-z][A-Za-z0-9]{2,}/g) ?? [])
  const lower = new Set([...words].map((word) => word.toLowerCase()))
  const key =
    Object.keys(keys).find((name) => words.has(name)) ?? Object.keys(keys).find((name) => lower.has(name.toLowerCase()))
  return key === undefined ? undefined : [...properties, key]
}

function valueAt(data: Data | undefined, path: Path): Data | undefined {
  let value = data
  for (const step of path) {
    value = isMap(value) ? value[String(step)] : isList(value) && typeof step === 'number' ? value[step] : undefined
  }
  return value
}

/** What a comparison says to the suspects. What differs with the stage itself is no difference. */
export function parityOf(
  { differences }: ParityReport,
  { stage, sameTemplate, sameImage }: Omit<Parity, 'differences'>,
): Parity {
  return {
    stage,
    sameTemplate,
    ...(sameImage !== undefined && { sameImage }),
    differences: differences.filter(({ is, layer }) => is !== 'own' && layer in kinds).flatMap(differenceOf),
  }
}

const kinds: Readonly<Partial<Record<ParityDifference['layer'], Difference['kind']>>> = {
  input: 'input',
  setting: 'input',
  variable: 'environment',
  permission: 'permission',
  network: 'network',
}

function differenceOf({ layer, what, first, second, is }: ParityDifference): readonly Difference[] {
  const kind = kinds[layer]
  if (kind === undefined) return []
  const variable = /\.(?:Environment|Secrets)\.(?:Variables\.)?([^.]+)/.exec(what)?.[1]
  return [
    {
      what: variable ?? what,
      kind,
      is: second === undefined ? 'missing' : first === undefined ? 'additional' : 'other',
      declared: is === 'declared',
    },
  ]
}

const names: Readonly<Record<Suspect, string>> = {
  code: 'the code of the service',
  settings: 'the settings',
  security: 'the permissions',
  firewall: 'the network’s rules',
}

/** The code whose page explains the class of a failure. */
export function codeOf({ is: { is } }: Cause): `failure-${FailureClass}` {
  return `failure-${is}`
}

/** What to do now, by the kind of the trouble. */
function stepsFor(
  cause: Cause,
  { verdicts, at }: { readonly verdicts: readonly Verdict[]; readonly at: Place | undefined },
): readonly string[] {
  const guilty = verdicts.filter(({ is }) => is === 'convicted').map(({ suspect }) => names[suspect])
  const open = verdicts.filter(({ is }) => is === 'unknown').map(({ suspect }) => names[suspect])
  const where = at === undefined ? '' : `, at ${at.file} line ${at.line}`
  const look =
    guilty.length > 0
      ? `Look at ${guilty.join(' and ')} first${where}.`
      : open.length < 4
        ? `What is left to look at: ${open.join(', ')}${where}.`
        : undefined
  return [...(look === undefined ? [] : [look]), problemCodes[codeOf(cause)].fix, byPush]
}

const byPush = 'Mend it and push: the deployment goes on by itself. To undo the change instead, revert its commit.'

/** What to do where somebody has deployed by hand: no push sets it going again. A failure that was asked for needs no mending. */
export function stepsByHand(
  steps: readonly string[],
  { isRehearsed }: { readonly isRehearsed: boolean },
): readonly string[] {
  const byHand = 'Mend it and run the command again. To undo the change instead, take it out of the files.'
  const own = steps.map((step) => (step === byPush ? byHand : step))
  return isRehearsed
    ? [
        'This failure was rehearsed: `--fail` asked for it. Nothing has to be mended; without `--fail` it is deployed.',
        ...own.map((step) => (step === byHand ? 'Of a real one: mend it and run the command again.' : step)),
      ]
    : own
}
