import { canonicalJson } from '../canonical.ts'
import type { Data } from '../data.ts'
import { mapOf } from '../data.ts'
import type { Unit } from '../organisation.ts'
import { placesInOthers } from '../origins.ts'
import type { Known } from '../render.ts'
import type { Rendered } from './model.ts'

/** What the stack of a unit gives out. */
export type Outputs = { readonly values: Readonly<Record<string, string>>; readonly predicted: boolean }

/** What the unit of an id gives out; nothing if that is not known. */
type Given = (id: string) => Outputs | undefined

/** The units whose outputs a unit is rendered with: its environment, its component, the instances that a pipeline serves. */
export function neededBy(unit: Unit, units: readonly Unit[]): readonly Unit[] {
  if (unit.kind === 'environment') return []
  const { environments, services } = neighboursOf(units)
  const siblings = services.get(unit.service?.service ?? '') ?? []
  const needed = siblings.filter((other) =>
    unit.kind === 'pipeline'
      ? other.kind === 'instance'
      : unit.kind === 'instance' && other.kind === 'component' && other.stage?.name === unit.stage?.name,
  )
  const served = needed.filter(({ kind }) => kind === 'instance')
  const homes = new Set([unit, ...served].map(({ environment }) => environment.name))
  return [...environments.filter(({ environment }) => homes.has(environment.name)), ...needed]
}

type Neighbours = {
  readonly environments: readonly Unit[]
  /** The other units by their service. */
  readonly services: ReadonlyMap<string, readonly Unit[]>
}

const neighbours = new WeakMap<readonly Unit[], Neighbours>()

/** Units by what ties them together; found once for each list of units, so that the work grows with the units alone. */
function neighboursOf(units: readonly Unit[]): Neighbours {
  const known = neighbours.get(units)
  if (known !== undefined) return known
  const others = units.filter(({ kind }) => kind !== 'environment')
  const found = {
    environments: units.filter(({ kind }) => kind === 'environment'),
    services: Map.groupBy(others, ({ service }) => service?.service ?? ''),
  }
  neighbours.set(units, found)
  return found
}

/** What is known of the others when a unit is rendered; nothing if one of them could not be rendered itself. */
export function knownOf(
  unit: Unit,
  { units, given }: { readonly units: readonly Unit[]; readonly given: Given },
): { readonly known: Known; readonly predicted: boolean } | undefined {
  const needed = neededBy(unit, units)
  if (needed.some(({ id }) => given(id) === undefined)) return undefined
  const valuesOf = (of: Unit | undefined): Readonly<Record<string, string>> => given(of?.id ?? '')?.values ?? {}
  const homeOf = ({ environment }: Unit): Unit | undefined =>
    needed.find((other) => other.kind === 'environment' && other.environment.name === environment.name)
  const component = unit.kind === 'instance' ? needed.find(({ kind }) => kind === 'component') : undefined
  const instances = needed.filter(({ kind }) => unit.kind === 'pipeline' && kind === 'instance')
  return {
    known: {
      environmentOutputs: valuesOf(homeOf(unit)),
      ...(component !== undefined && { component: { name: component.bundle.template, outputs: valuesOf(component) } }),
      instances: instances.map((instance) => ({
        name: instance.stage?.name ?? '',
        inputs: instance.inputs,
        environment: {
          name: instance.environment.name,
          account: instance.environment.account,
          outputs: mapOf(Object.entries(valuesOf(homeOf(instance)))),
        },
        outputs: mapOf(Object.entries(valuesOf(instance))),
      })),
    },
    predicted: needed.some(({ id }) => given(id)?.predicted === true),
  }
}

/**
 * An environment that the customer manages has no stack: the values of its inputs are its outputs.
 * https://docs.aws.amazon.com/proton/latest/userguide/template-bundles.html
 */
export function isManaged({ kind, bundle }: Unit): boolean {
  return kind === 'environment' && bundle.parts.length === 0
}

export function managedOutputs({ inputs }: Unit): Outputs {
  const text = (value: Data): string => (typeof value === 'string' ? value : canonicalJson(value))
  return {
    values: Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, text(value)])),
    predicted: false,
  }
}

/**
 * What is kept of the units that went before, for those that build on them: what they give out, and their renderings. A
 * rendering is large, so it is kept only as long as somebody may ask for it: that of an environment always, those of a
 * service until the next service.
 */
export class Kept {
  readonly #units: readonly Unit[]
  readonly #environments = new Map<string, Shelved>()
  // A new map for each service: one that is cleared still leads from what it held to what it holds, so that in a large
  // organisation each quick collection of garbage would find all of it alive.
  #siblings = new Map<string, Shelved>()
  #service: string | undefined
  #builtOn: ReadonlySet<string> | undefined

  constructor(units: readonly Unit[]) {
    this.#units = units
  }

  /** The same for other units, with what is known of the environments. */
  among(units: readonly Unit[]): Kept {
    const other = new Kept(units)
    for (const [id, shelved] of this.#environments) other.#environments.set(id, shelved)
    return other
  }

  /** The units that a unit builds on, of those that there are. */
  needed(unit: Unit): readonly Unit[] {
    return neededBy(unit, this.#units)
  }

  /** Whether one of these units is rendered with what a unit gives out. */
  isBuiltOn({ id }: Unit): boolean {
    this.#builtOn ??= new Set(this.#units.flatMap((unit) => this.needed(unit)).map((needed) => needed.id))
    return this.#builtOn.has(id)
  }

  /** What a unit is rendered with; nothing for one that is not rendered, or that builds on what could not be. */
  known(unit: Unit): { readonly known: Known; readonly predicted: boolean } | undefined {
    if (isManaged(unit)) this.#environments.set(unit.id, { rendered: undefined, outputs: managedOutputs(unit) })
    if (unit.service?.service !== this.#service) this.#siblings = new Map()
    this.#service = unit.service?.service
    const [environments, siblings] = [this.#environments, this.#siblings]
    const shelved = (id: string): Shelved | undefined => environments.get(id) ?? siblings.get(id)
    const all = isManaged(unit) ? undefined : knownOf(unit, { units: this.#units, given: (id) => shelved(id)?.outputs })
    if (all === undefined) return undefined
    const from = placesInOthers(unit, { units: this.#units, rendered: (id) => shelved(id)?.rendered })
    return { ...all, known: { ...all.known, from } }
  }

  add(rendered: Rendered, outputs: Outputs): void {
    this.#shelve(rendered.unit, { rendered, outputs })
  }

  /** The same of a unit whose rendering is not at hand: what it gives out alone. */
  keep(unit: Unit, values: Outputs['values']): void {
    this.#shelve(unit, { rendered: undefined, outputs: { values, predicted: true } })
  }

  #shelve(unit: Unit, shelved: Shelved): void {
    if (unit.kind === 'environment') this.#environments.set(unit.id, shelved)
    // What comes after the next service has begun is asked for by nobody, and would be held by all that follow.
    else if (unit.service?.service === this.#service) this.#siblings.set(unit.id, shelved)
  }
}

type Shelved = { readonly rendered: Rendered | undefined; readonly outputs: Outputs }
