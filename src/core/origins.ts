import { isMap } from './data.ts'
import type { Unit } from './organisation.ts'
import type { ReferencePlace } from './explanation.ts'
import type { RenderedStack } from './render.ts'

/** A unit of the organisation with its rendering; a unit that the customer manages has none. */
export type UnitRendering = { readonly unit: Unit; readonly part?: RenderedStack }

const pipelineReference =
  /^service_instances\[(?<index>\d+)\]\.(?:(?<kind>inputs|outputs)|environment\.outputs)\.(?<name>\w+)/
const componentReference = /^service_instance\.components\.default\.outputs\.(?<name>\w+)/
const environmentReference = /^(?:service_instance\.)?environment\.outputs\.(?<name>\w+)/

/**
 * Where what a unit reads of others comes from: an output of its environment, of its component or, for a pipeline, of an
 * instance leads to the line of the template that gives it; an input of an instance to the line where it was written.
 * `units` are in the order of the organisation; `rendered` gives one of them as it was rendered, if it was.
 */
export function placesInOthers(
  unit: Unit,
  {
    units,
    rendered,
  }: { readonly units: readonly Unit[]; readonly rendered: (id: string) => UnitRendering | undefined },
): ReferencePlace {
  const home = ({ environment }: Unit): UnitRendering | undefined => {
    const id = `environment/${environment.name}`
    const managed = units.find((each) => each.id === id && each.bundle.parts.length === 0)
    return managed === undefined ? rendered(id) : { unit: managed }
  }
  return (reference) => {
    const inPipeline = pipelineReference.exec(reference)?.groups
    if (inPipeline !== undefined) {
      const { index, kind, name = '' } = inPipeline
      const instance = instancesOf(unit, units)[Number(index)]
      if (instance === undefined) return undefined
      if (kind === 'inputs') return { at: instance.inputPlace(name), note: `an input of ${instance.id}` }
      return outputPlace(kind === 'outputs' ? rendered(instance.id) : home(instance), name)
    }
    const inComponent = componentReference.exec(reference)?.groups?.['name']
    if (inComponent !== undefined) return outputPlace(rendered(`${unit.id}/component`), inComponent)
    const inHome = environmentReference.exec(reference)?.groups?.['name']
    return inHome === undefined ? undefined : outputPlace(home(unit), inHome)
  }
}

function instancesOf({ service }: Unit, units: readonly Unit[]): readonly Unit[] {
  return units.filter((each) => each.kind === 'instance' && each.service?.service === service?.service)
}

/** An output that is live, and no longer in the template, has no place. */
function outputPlace(giver: UnitRendering | undefined, name: string): ReturnType<ReferencePlace> {
  if (giver === undefined) return undefined
  const { unit, part } = giver
  const note = `an output of ${unit.id}`
  if (part === undefined) {
    return Object.hasOwn(unit.inputs, name) ? { at: unit.inputPlace(name), note } : undefined
  }
  const outputs = part.body['Outputs']
  if (!isMap(outputs) || !Object.hasOwn(outputs, name)) return undefined
  const at = part.origin(['Outputs', name])
  return at === undefined ? undefined : { at, note }
}
