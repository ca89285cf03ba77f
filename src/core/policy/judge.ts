import type { DataMap, Path } from '../data.ts'
import { isMap } from '../data.ts'
import type { ProblemCode } from '../problem-codes.ts'
import type { Place, Problem } from '../problem.ts'
import { brokenBy } from './demands.ts'
import { ingress, listener } from './doors.ts'
import { type Finding, type Resource, resourcesOf, type Resources } from './resources.ts'
import { identity } from './roles.ts'
import { type CheckName, isBuiltIn, type Rule, type Severity } from './rules.ts'
import { type Known, settledText } from './settled.ts'
import { encryption, retained, retention } from './stores.ts'
import type { FileTree } from '../tree.ts'
import { dayText, daysLeft, isFor, type Waiver } from './waivers.ts'

/** What a catalog says of its policy. */
export type Policy = {
  readonly rules: readonly Rule[]
  readonly checks: readonly CheckName[]
  /** Those of the checks that have to be installed. */
  readonly require: readonly CheckName[]
  readonly waivers: readonly Waiver[]
  /** The rules for cfn-guard: `policy/*.guard`, by their paths. */
  readonly guardRules: FileTree
}

export const noPolicy: Policy = { rules: [], checks: [], require: [], waivers: [], guardRules: new Map() }

/** Whose rendering is judged. */
export type Subject = Known & {
  /** `checkout/prod`. */
  readonly unit: string
  readonly service?: string
  /** The name of its template. */
  readonly template: string
  /** The stages that it serves: one, or those of an environment. */
  readonly stages: readonly string[]
  readonly production: boolean
  /** Its template belongs to the service: it cannot excuse itself. */
  readonly isOwn?: boolean
}

/** The waiver behind a finding, and whether its day has come. */
export type Excuse = {
  readonly name: string
  readonly owner: string
  readonly reason: string
  /** `2026-12-31`, with the zone where that is not UTC. */
  readonly until: string
  readonly expired: boolean
}

/** A finding as plans hold it: the gate `policy` is judged by these. */
export type PolicyFact = {
  readonly rule: string
  readonly resource: string
  readonly severity: Severity
  /** What is wrong. */
  readonly message: string
  /** What the rule says of itself. */
  readonly text?: string
  /** The line of the template. */
  readonly at?: Place
  readonly waiver?: Excuse
}

/** A finding, with its place in the rendering and the waiver for it, if there is one. */
export type Judged = {
  readonly rule: string
  readonly resource: string
  readonly severity: Severity
  readonly code: ProblemCode
  readonly path: Path
  readonly message: string
  readonly expected?: string
  readonly remedy: string
  /** What the rule says of itself. */
  readonly text?: string
  readonly waiver?: Waiver
  readonly expired: boolean
}

/** Judges what is rendered for a unit by the built-in rules and those of the catalog. `now` is what waivers end by. */
export function judge(
  body: DataMap,
  { policy, subject, now }: { readonly policy: Policy; readonly subject: Subject; readonly now: Date },
): readonly Judged[] {
  const resources = resourcesOf(body)
  const { rules } = policy
  const own = rules.filter(({ demand, severity, stages }) => demand && severity !== 'none' && isIn(stages, subject))
  // Stores that outlive their stack are asked for in production, and where a rule asks for it.
  const asksForRetained =
    subject.production || rules.some(({ name, stages }) => name === 'policy-unretained-store' && isIn(stages, subject))
  const world = {
    body,
    ...(subject.parameters && { parameters: subject.parameters }),
    ...(subject.stack && { stack: subject.stack }),
  }
  const found: Judged[] = []
  for (const resource of resources.values()) {
    const allowed = subject.isOwn === true ? none : excused(resource)
    for (const finding of builtIn(resource, { resources, asksForRetained })) {
      const { severity = 'error', ...words } = finding
      found.push(
        ...weighed(
          { rule: finding.code, resource: resource.id, severity, ...words },
          { policy, subject, now, allowed },
        ),
      )
    }
    for (const { name, demand, text } of own) {
      if (demand === undefined) continue
      for (const broken of brokenBy(demand, resource, (value) => settledText(value, world))) {
        const finding = {
          rule: name,
          resource: resource.id,
          severity: 'error',
          code: 'policy-rule',
          ...broken,
        } as const
        found.push(...weighed({ ...finding, ...(text !== undefined && { text }) }, { policy, subject, now, allowed }))
      }
    }
  }
  return found
}

const none: ReadonlySet<string> = new Set()

type Weighing = {
  readonly policy: Policy
  readonly subject: Subject
  readonly now: Date
  readonly allowed?: ReadonlySet<string>
}

/** How grave a finding is here, and which waiver is for it; nothing where it is not looked at, or is excused in the template. */
export function weighed(
  finding: Omit<Judged, 'waiver' | 'expired'>,
  { policy: { rules, waivers }, subject, now, allowed = none }: Weighing,
): readonly Judged[] {
  if (allowed.has(finding.rule)) return []
  const said = gravest(finding.rule, { rules, subject })
  if (said.severity === 'none') return []
  const about = { unit: subject.unit, template: subject.template, rule: finding.rule, resource: finding.resource }
  const known = waivers.filter((each) =>
    isFor(each, { ...about, ...(subject.service !== undefined && { service: subject.service }) }),
  )
  // Of several the one that lasts longest.
  const waiver = known.toSorted((a, b) => daysLeft(b, now) - daysLeft(a, now))[0]
  const text = finding.text ?? said.text
  return [
    {
      ...finding,
      ...(text !== undefined && { text }),
      severity: said.severity ?? finding.severity,
      ...(waiver !== undefined && { waiver }),
      expired: waiver !== undefined && daysLeft(waiver, now) <= 0,
    },
  ]
}

/**
 * What the catalog says of a rule in the stages of a unit: in each the last word counts, and of several stages the gravest.
 * No severity, where nothing is said.
 */
function gravest(
  rule: string,
  { rules, subject: { stages } }: { readonly rules: readonly Rule[]; readonly subject: Subject },
): { readonly severity: Rule['severity'] | undefined; readonly text?: string } {
  const named = rules.filter(({ name }) => name === rule)
  if (named.length === 0) return { severity: undefined }
  const words = (stages.length === 0 ? [''] : stages).map((stage) =>
    named.findLast((each) => each.stages === undefined || each.stages.includes(stage)),
  )
  const [first] = words.flatMap((word) => word ?? [])
  const text = words.find((word) => word?.text !== undefined)?.text
  const order = ['none', 'warning', undefined, 'error'] as const
  const severity = order.findLast((each) => words.some((word) => word?.severity === each))
  return { severity: first === undefined ? undefined : severity, ...(text !== undefined && { text }) }
}

function isIn(stages: readonly string[] | undefined, subject: Subject): boolean {
  return stages === undefined || subject.stages.some((stage) => stages.includes(stage))
}

function builtIn(
  resource: Resource,
  { resources, asksForRetained }: { readonly resources: Resources; readonly asksForRetained: boolean },
): readonly Finding[] {
  return [
    ...identity(resource),
    ...ingress(resource, resources),
    ...listener(resource, resources),
    ...encryption(resource),
    ...retention(resource, resources),
    ...(asksForRetained ? retained(resource) : []),
  ]
}

/** The rules that a resource is excused from by its template, each with a reason. */
function excused({ body }: Resource): ReadonlySet<string> {
  const metadata = body['Metadata']
  const own = isMap(metadata) ? metadata['protium'] : undefined
  const allow = isMap(own) ? own['allow'] : undefined
  if (!isMap(allow)) return none
  return new Set(Object.keys(allow).filter((code) => typeof allow[code] === 'string' && allow[code].trim() !== ''))
}

/** Whether it stands in the way: an error for which no waiver counts. */
export function holds({ severity, waiver, expired }: Pick<Judged, 'severity' | 'waiver' | 'expired'>): boolean {
  return severity === 'error' && (waiver === undefined || expired)
}

/** A finding as a Problem; nothing of one that a waiver excuses. */
export function problemOf(judged: Judged, at: Place): Problem | undefined {
  const { waiver, expired, severity, code, expected, remedy, text } = judged
  if (waiver !== undefined && !expired) return undefined
  const words = [text, expected].filter((each) => each !== undefined).join(' ')
  const problem = { severity, message: messageOf(judged), ...(words !== '' && { expected: words }), at }
  if (waiver === undefined) return { ...problem, code, remedy }
  return {
    ...problem,
    code: 'waiver-expired',
    message: `${problem.message} The waiver \`${waiver.name}\` of ${waiver.owner} ended on ${dayText(waiver)}.`,
    remedy: `${remedy} If that takes longer, agree on another day for the waiver.`,
    related: [{ at: waiver.document.place(['expires']), note: `the waiver for ${judged.rule}` }],
  }
}

/** The name of a rule that is built in is the code that is shown anyway. */
function messageOf({ message, rule }: Judged): string {
  return isBuiltIn(rule) ? message : `${message.replace(/\.$/u, '')} (rule ${rule}).`
}

export function factOf(judged: Judged, at: Place | undefined): PolicyFact {
  const { rule, resource, severity, waiver, expired, text } = judged
  return {
    rule,
    resource,
    severity,
    message: judged.message,
    ...(text !== undefined && { text }),
    ...(at !== undefined && { at }),
    ...(waiver !== undefined && {
      waiver: { name: waiver.name, owner: waiver.owner, reason: waiver.reason, until: dayText(waiver), expired },
    }),
  }
}
