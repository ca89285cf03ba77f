import { digest } from '../canonical.ts'
import { openEnvironment } from '../catalog.ts'
import { isMap, mapOf } from '../data.ts'
import { ListenerRules } from '../listeners.ts'
import { type Opened, readConsumer, readEnvironmentConsumer, type Unit } from '../organisation.ts'
import { holds } from '../policy.ts'
import type { Checked, Problem } from '../problem.ts'
import { type Judging, policyFacts, renderChecked, renderedDigest, stackOf, type Rendered } from '../rendering.ts'
import { isManaged, managedOutputs } from '../rendering/known.ts'
import { type Known, renderUnitText } from '../render.ts'
import { textIn } from '../shape.ts'
import { parseReference } from '../version.ts'
import { readYaml } from '../yaml.ts'
import { homesOf } from './homes.ts'
import type { Consumer, ConsumerRendering, ConsumerUnit } from './model.ts'

/** What a consumer's file says that it runs; nothing where it cannot be read. */
export function consumerReference({
  file,
  text,
}: Pick<Consumer, 'file' | 'text'>): { readonly template: string; readonly version: string } | undefined {
  const read = readYaml(file, text, 'own')
  const data = read.ok && isMap(read.value.data) ? read.value.data : undefined
  return parseReference(textIn(data, 'template') ?? '')
}

/**
 * Renders all units of one consumer against an opened catalog, as if none of them was deployed: what its environments give out is
 * predicted. `version` is that of its template, where it is not the one that its file names. What breaks a rule of the policy is
 * told by the units (`broken`), and is no Problem here.
 *
 * `same` is the rendering of the very same file against a catalog that differs in its templates and environments alone: a unit
 * whose text is as it was there is not looked at again.
 */
export function renderConsumer(
  opened: Opened,
  consumer: Consumer,
  { version, now, same }: { readonly version?: string; readonly now: Date; readonly same?: ConsumerRendering },
): Checked<ConsumerRendering> {
  const judging = { now, policy: 'gated' } satisfies Judging
  if (consumer.is === 'environment') return renderEnvironment(opened, consumer, { version, judging })
  const read = readConsumer(opened, filesOf(consumer), version)
  if (!read.ok) return read
  const { service, units } = read.value
  const homes = homesOf(opened)
  const kept = homes.kept.among([...opened.environments.values(), ...units])
  const rules = new ListenerRules()
  const problems = [...read.problems]
  const rendered: ConsumerUnit[] = []
  for (const unit of units) {
    const all = kept.known(unit)
    const before = all === undefined ? undefined : unchanged(unit, all.known, same)
    if (before !== undefined) {
      kept.keep(unit, before.outputs)
      rendered.push(before)
      continue
    }
    const one = all === undefined ? undefined : renderChecked(unit, all.known, judging)
    // What builds on another unit of the consumer that does not render has nothing to tell besides.
    problems.push(...(one?.problems ?? homes.problems.get(unit.environment.name) ?? []))
    if (one?.ok !== true) continue
    problems.push(...rules.claim(unit, one.value.part))
    kept.add(one.value, { values: one.value.outputs, predicted: true })
    rendered.push(unitOf(one.value))
  }
  if (rendered.length < units.length || problems.some(isError)) return { ok: false, problems }
  const { owner, template } = service.spec
  const value = {
    consumer: service.service,
    template: `${template}@${service.spec.version}`,
    ...(owner !== undefined && { owner }),
    units: rendered,
  }
  return { ok: true, value, problems }
}

/** The unit as it was rendered before, if its text is the same now, and so is its stack. */
function unchanged(unit: Unit, known: Known, same: ConsumerRendering | undefined): ConsumerUnit | undefined {
  const before = same?.units.find((each) => each.unit === unit.id)
  if (before === undefined || renderUnitText(unit, known) !== before.text) return undefined
  const [was, is] = [before.wish.stack, stackOf(unit)]
  return was.name === is.name && was.account === is.account && was.region === is.region ? before : undefined
}

function renderEnvironment(
  opened: Opened,
  { file, text }: Consumer,
  { version, judging }: { readonly version: string | undefined; readonly judging: Judging },
): Checked<ConsumerRendering> {
  const { environment: own, problems: found } = openEnvironment(file, text)
  if (own === undefined || found.some(isError)) return { ok: false, problems: found }
  const environment = version === undefined ? own : { ...own, version }
  const read = readEnvironmentConsumer(opened, environment)
  if (!read.ok) return read
  const unit = read.value
  const one: Checked<ConsumerUnit> = isManaged(unit)
    ? { ok: true, value: managed(unit), problems: [] }
    : rendering(unit, judging)
  const problems = [...found, ...read.problems, ...one.problems]
  if (!one.ok) return { ok: false, problems }
  const template = `${environment.template}@${environment.version}`
  return { ok: true, value: { consumer: unit.id, template, units: [one.value] }, problems }
}

function rendering(unit: Unit, judging: Judging): Checked<ConsumerUnit> {
  const one = renderChecked(unit, { environmentOutputs: {} }, judging)
  return one.ok ? { ...one, value: unitOf(one.value) } : one
}

function unitOf(rendered: Rendered): ConsumerUnit {
  const { unit, wanted, outputs } = rendered
  const broken = rendered.judged.some(holds) ? policyFacts({ ...rendered, judged: rendered.judged.filter(holds) }) : []
  return {
    ...namesOf(unit),
    wish: wanted,
    text: rendered.part.text,
    rendered: renderedDigest(rendered),
    outputs,
    broken,
  }
}

/** Of what the customer manages, there is nothing but what it gives out. */
function managed(unit: Unit): ConsumerUnit {
  const outputs = managedOutputs(unit).values
  const wish = { stack: stackOf(unit), body: mapOf([['Resources', mapOf()]]), parameters: {}, tags: {} }
  return { ...namesOf(unit), wish, text: '', rendered: digest(mapOf(Object.entries(outputs))), outputs, broken: [] }
}

function namesOf({
  id,
  kind,
  stage,
  environment,
}: Unit): Pick<ConsumerUnit, 'unit' | 'kind' | 'stage' | 'environment'> {
  return { unit: id, kind, ...(stage !== undefined && { stage: stage.name }), environment: environment.name }
}

function filesOf({ file, text, component }: Consumer): Parameters<typeof readConsumer>[1] {
  const folder = /^services\/([^/]+)\/service\.yaml$/u.exec(file)?.[1]
  const root = folder === undefined ? 'component' : `services/${folder}/component`
  return { file, text, folder, component: component === undefined ? undefined : { root, files: component } }
}

function isError({ severity }: Problem): boolean {
  return severity === 'error'
}
