import { digest } from './canonical.ts'
import type { Path } from './data.ts'
import { mapOf } from './data.ts'
import { checkWatched, healthCheckOf } from './health.ts'
import { ListenerRules } from './listeners.ts'
import type { Unit } from './organisation.ts'
import type { Judged, PolicyFact, Subject } from './policy.ts'
import { factOf, holds, judge, problemOf } from './policy.ts'
import type { Checked, Place, Problem } from './problem.ts'
import type { Known, RenderedStack } from './render.ts'
import { renderUnit } from './render.ts'
import { Crossings } from './rendering/crossing.ts'
import { Kept } from './rendering/known.ts'
import type { Judging, Rendered } from './rendering/model.ts'
import { checkLimits } from './stack/limits.ts'
import { predictOutputs } from './stack/plan.ts'
import type { StackWish } from './stack/template.ts'

export type { Judging, Rendered } from './rendering/model.ts'

/**
 * Renders and checks units one by one as if nothing was deployed: what an environment will give out is predicted from its
 * rendering. Who needs no rendering after it was looked at holds one at a time, however many units there are.
 */
export function* renderEach(units: readonly Unit[], judging?: Judging): Generator<Checked<Rendered>, void, void> {
  const kept = new Kept(units)
  const rules = new ListenerRules()
  const crossings = new Crossings()
  for (const unit of units) {
    // What cannot be rendered has been reported; what builds on it cannot be judged.
    const all = kept.known(unit)
    if (all === undefined) continue
    const one = renderChecked(unit, all.known, judging)
    if (one.ok) kept.add(one.value, { values: one.value.outputs, predicted: true })
    const taken = one.ok ? rules.claim(unit, one.value.part) : []
    if (one.ok) crossings.add(one.value)
    yield taken.length === 0 ? one : { ok: false, problems: [...one.problems, ...taken] }
  }
  const circles = crossings.problems()
  if (circles.length > 0) yield { ok: false, problems: circles }
}

/** Renders and checks all units as `renderEach` does, and keeps the renderings. */
export function renderAll(
  units: readonly Unit[],
  judging?: Judging,
): {
  readonly rendered: readonly Rendered[]
  readonly problems: readonly Problem[]
} {
  const all = [...renderEach(units, judging)]
  return {
    rendered: all.flatMap((one) => (one.ok ? [one.value] : [])),
    problems: all.flatMap(({ problems }) => problems),
  }
}

export function stackOf({ stack, environment }: Unit): StackWish['stack'] {
  return { name: stack, account: environment.account, region: environment.region }
}

function wantedOf(unit: Unit, part: RenderedStack): Rendered['wanted'] {
  const { service, stage, bundle } = unit
  const names = { unit: unit.id, template: bundle.template, service: service?.service, stage: stage?.name }
  return {
    stack: stackOf(unit),
    body: part.body,
    parameters: part.parameters,
    tags: tagsOf(names),
    options: unit.options,
  }
}

/** Few and stable tags: one that changed would touch every resource of the stack. */
export function tagsOf({
  unit,
  template,
  service,
  stage,
}: {
  readonly unit: string
  readonly template: string
  readonly service: string | undefined
  readonly stage: string | undefined
}): Readonly<Record<string, string>> {
  return {
    'protium:unit': unit,
    'protium:template': template,
    ...(service !== undefined && { 'protium:service': service }),
    ...(stage !== undefined && { 'protium:stage': stage }),
  }
}

/** Renders a unit and checks what came out: its structure and references, CloudFormation's limits, the rules of the organisation. */
export function renderChecked(unit: Unit, known: Known, judging?: Judging): Checked<Rendered> {
  const rendered = renderUnit(unit, known)
  if (!rendered.ok) return rendered
  const part = rendered.value
  const wanted = wantedOf(unit, part)
  const at = (path: Path): Place => part.document.place(path)
  const limits = checkLimits(part.body, at)
  // A template with mistakes in its form would be told about them a second time by its evaluation.
  const broken = limits.some(({ severity }) => severity === 'error')
  const outputs: Checked<Readonly<Record<string, string>>> = broken
    ? { ok: false, problems: [] }
    : predictOutputs(wanted, { at })
  const judged = judging === undefined ? [] : judgedBy(judging, { unit, part, wanted })
  const left = judging?.policy === 'gated' ? holds : (): boolean => false
  const told = judged.filter((each) => !left(each)).flatMap((each) => problemOf(each, at(each.path)) ?? [])
  const found = [...limits, ...outputs.problems, ...told]
  const problems = [...rendered.problems, ...found.map((each) => part.trace(each)), ...unwatched(unit, part)]
  if (!outputs.ok || problems.some(({ severity }) => severity === 'error')) return { ok: false, problems }
  return { ok: true, value: { unit, part, wanted, outputs: outputs.value, judged }, problems }
}

function judgedBy(
  { now, policy, tell }: Judging,
  { unit, part, wanted }: Omit<Rendered, 'outputs' | 'judged'>,
): readonly Judged[] {
  const judged = judge(part.body, { policy: unit.policy, subject: subjectOf(unit, wanted), now })
  tell?.(unit, judged)
  return policy === 'warns' ? judged.map((each) => ({ ...each, severity: 'warning' })) : judged
}

/** Whose rendering a policy judges. What a service adds by a component of its own does not excuse itself. */
export function subjectOf(
  { id, kind, service, bundle, stage, serves }: Unit,
  { parameters, stack }: Pick<StackWish, 'parameters' | 'stack'>,
): Subject {
  return {
    unit: id,
    ...(service !== undefined && { service: service.service }),
    template: bundle.template,
    stages: serves,
    production: stage?.production ?? false,
    isOwn: kind === 'component',
    parameters,
    stack,
  }
}

/** What breaks a rule of the policy, as plans hold it: at the lines of the template. */
export function policyFacts({ part, judged }: Pick<Rendered, 'part' | 'judged'>): readonly PolicyFact[] {
  return judged.map((each) => factOf(each, part.origin(each.path)))
}

/** A mistake of the service's file, which shows only in what its template makes. */
function unwatched(unit: Unit, { body }: RenderedStack): readonly Problem[] {
  const { spec } = unit.service ?? {}
  if (spec === undefined) return []
  const own = spec.stages.get(unit.stage?.name ?? '')?.health
  const at = spec.document.place(own === undefined ? ['health'] : ['stages', unit.stage?.name ?? '', 'health'])
  return checkWatched(healthCheckOf(unit), { body, unit: unit.id, at })
}

/** The digest of what was rendered: two stages with the same one run the same thing. */
export function renderedDigest({ part, wanted: { parameters } }: Pick<Rendered, 'part' | 'wanted'>): string {
  const given = Object.entries(parameters)
  const text = part.kept === undefined ? part.text : [part.text, mapOf(part.kept)]
  return digest(given.length === 0 ? text : [text, mapOf(given)])
}
