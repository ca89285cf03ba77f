import type { Diagnosis } from '../core/cause/diagnosis.ts'
import { diagnosisOf, parityOf } from '../core/cause/diagnosis.ts'
import type { Cause, FailureEvent } from '../core/cause/first.ts'
import { firstCause } from '../core/cause/first.ts'
import type { Evidence, Parity } from '../core/cause/suspects.ts'
import type { DataMap } from '../core/data.ts'
import { isList, isMap } from '../core/data.ts'
import type { Organisation, Unit } from '../core/organisation.ts'
import { compareSides } from '../core/parity.ts'
import type { RenderedStack } from '../core/render.ts'
import type { FailingResource, Provisioner, Records, StackEvent, StackId } from '../ports.ts'
import { renderAll } from '../core/rendering.ts'
import { imageInput } from './shipping.ts'

/** The events of one operation, from which it is told what went wrong as soon as the first of it is there. */
export class FailureWatch {
  readonly #events: FailureEvent[] = []
  readonly #part: RenderedStack

  constructor(part: RenderedStack) {
    this.#part = part
  }

  /** Takes one more event; says whether it is the first by which a failure shows. */
  see(event: StackEvent): boolean {
    const before = this.#isFailing
    this.#events.push(failureEvent(event, this.#events.length))
    this.#isFailing ||= event.status.endsWith('_FAILED') && firstCause(this.#events) !== undefined
    return this.#isFailing && !before
  }

  #isFailing = false

  /** What is to be looked at to tell more; nothing where nothing has failed. */
  failing(): FailingResource | undefined {
    const first = firstCause(this.#events)?.first
    if (first?.type === undefined) return undefined
    const { resource, type, reason } = first
    const handler = handlerOf(this.#part.body, first)
    return {
      type,
      reason,
      ...(resource !== undefined && { logicalId: resource }),
      ...(handler !== undefined && { handler }),
    }
  }

  /** What went wrong, given what else is known; nothing if nothing did. */
  diagnosis(evidence: Omit<Evidence, 'cause'> = {}): Diagnosis | undefined {
    const cause = firstCause(this.#events)
    return cause === undefined ? undefined : diagnosisOf(cause, { part: this.#part, evidence })
  }
}

/** The function that a custom resource of the stack itself names: by its ARN, or by its logical id. */
function handlerOf(body: DataMap, { within, logicalId = '' }: Cause): string | undefined {
  const resources = within.length === 0 ? body['Resources'] : undefined
  const resource = isMap(resources) ? resources[logicalId] : undefined
  const properties = isMap(resource) ? resource['Properties'] : undefined
  const token = isMap(properties) ? properties['ServiceToken'] : undefined
  if (typeof token === 'string') return token
  const attribute = isMap(token) ? token['Fn::GetAtt'] : undefined
  const [of] = isList(attribute) ? attribute : []
  return typeof of === 'string' ? of : undefined
}

/**
 * All that is known of a failure besides its cause: what is to be seen of it at this moment, and what the unit shares with the
 * stage before.
 */
export async function knownOf(
  provisioner: Provisioner,
  {
    unit,
    stack,
    failing,
    signal,
    ...of
  }: Side & {
    readonly unit: Unit
    readonly stack: StackId
    /** What is to be looked at; nothing where there is nothing to be seen. */
    readonly failing: FailingResource | undefined
    readonly signal: AbortSignal
  },
): Promise<Omit<Evidence, 'cause'>> {
  const [seen, before] = await Promise.all([
    failing === undefined ? undefined : provisioner.evidence?.(stack, failing, signal),
    parityWithBefore(unit, of),
  ])
  return { ...seen, ...(before !== undefined && { before }) }
}

/** A resource of a nested stack is called `Network/Vpc`. */
function failureEvent(event: StackEvent, index: number): FailureEvent {
  const { at, status, reason } = event
  const steps = event.kind === 'resource' ? event.logicalId.split('/') : []
  const logicalId = steps.at(-1)
  return {
    id: String(index),
    at,
    status,
    within: steps.slice(0, -1),
    ...(reason !== undefined && { reason }),
    ...(event.kind === 'resource' && logicalId !== undefined && { logicalId, type: event.type }),
  }
}

/** What a unit is compared by with the stage before. */
type Side = {
  readonly part: RenderedStack
  readonly organisation: Organisation
  readonly records: Records
  /** What it runs, where a build has handed one over. */
  readonly image: string | undefined
}

/**
 * What a unit shares with the same service in the stage before, if that runs well there: what is the same in both is cleared
 * of suspicion, and what differs is what is left.
 */
async function parityWithBefore(
  unit: Unit,
  { part, organisation: { units, catalog }, records, image }: Side,
): Promise<Parity | undefined> {
  const { stage, service } = unit
  if (unit.kind !== 'instance' || stage === undefined || service === undefined) return undefined
  const order = catalog.stages.map(({ name }) => name)
  const before = units.findLast(
    (each) =>
      each.kind === 'instance' &&
      each.service?.service === service.service &&
      order.indexOf(each.stage?.name ?? '') < order.indexOf(stage.name),
  )
  if (before?.stage === undefined) return undefined
  const last = (await records.list(before.id, { latest: 1 })).at(-1)
  if (last === undefined || (last.outcome !== 'deployed' && last.outcome !== 'unchanged')) return undefined
  const needed = units.filter((each) => each.kind === 'environment' || each.service?.service === service.service)
  const rendered = renderAll(needed).rendered.find((each) => each.unit.id === before.id)
  if (rendered === undefined) return undefined
  const report = compareSides({ unit: before, part: rendered.part }, { unit, part })
  const isSame = image === undefined ? undefined : last.image === image
  return parityOf(report, {
    stage: before.stage.name,
    sameTemplate: last.version === unit.bundle.version,
    ...(imageInput(unit) !== undefined && isSame !== undefined && { sameImage: isSame }),
  })
}
