import { canonicalJson } from './canonical.ts'
import { type Data, isMap, type Path } from './data.ts'
import type { Unit } from './organisation.ts'
import type { Place, Problem } from './problem.ts'
import type { RenderedStack } from './render.ts'

/**
 * The places among the rules of load balancers, over all units that are rendered together. Each rule of a listener has a
 * priority of its own; CloudFormation would find a second one only when it makes it, long after the pull request. Holds a
 * few words a rule, so it may see every unit of a large organisation.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticloadbalancingv2-listenerrule.html
 */
export class ListenerRules {
  readonly #taken = new Map<string, Map<number, Unit>>()

  /** Takes the places of a unit's rules; those that were taken before are Problems, traced to the unit's template. */
  claim(unit: Unit, { body, document, trace }: RenderedStack): readonly Problem[] {
    const resources = isMap(body['Resources']) ? Object.entries(body['Resources']) : []
    return resources.flatMap(([id, resource]) => {
      const rule = ruleOf(resource)
      if (rule === undefined) return []
      const listener = keyOf(unit, rule.listener)
      const taken = this.#taken.get(listener) ?? new Map<number, Unit>()
      this.#taken.set(listener, taken)
      const owner = taken.get(rule.priority)
      taken.set(rule.priority, owner ?? unit)
      if (owner === undefined) return []
      const path: Path = ['Resources', id, 'Properties', 'Priority']
      return [trace(problem({ unit, owner, priority: rule.priority, at: document.place(path) }))]
    })
  }
}

function ruleOf(resource: Data): { readonly listener: Data; readonly priority: number } | undefined {
  if (!isMap(resource) || resource['Type'] !== 'AWS::ElasticLoadBalancingV2::ListenerRule') return undefined
  const properties = resource['Properties']
  if (!isMap(properties)) return undefined
  const { ListenerArn: listener, Priority: given } = properties
  const priority = typeof given === 'string' ? Number(given) : given
  // What only the cloud knows cannot be compared.
  return listener === undefined || typeof priority !== 'number' || !Number.isInteger(priority)
    ? undefined
    : { listener, priority }
}

/** One listener, one key: an ARN or an import means the same in all stacks of an account and region, other functions do not. */
function keyOf({ environment: { account, region }, stack }: Unit, listener: Data): string {
  const isShared = typeof listener === 'string' || (isMap(listener) && 'Fn::ImportValue' in listener)
  return JSON.stringify([account, region, isShared ? '' : stack, canonicalJson(listener)])
}

function problem({
  unit,
  owner,
  priority,
  at,
}: {
  readonly unit: Unit
  readonly owner: Unit
  readonly priority: number
  readonly at: Place
}): Problem {
  const byInput = [unit, owner].some(({ inputs }) => Object.hasOwn(inputs, 'rule_priority'))
  return {
    code: 'listener-priority-taken',
    severity: 'error',
    message:
      unit === owner
        ? `Two rules of ${unit.id} have the priority ${priority} at one listener.`
        : `The rules of ${owner.id} and ${unit.id} have the priority ${priority} at one listener.`,
    expected: 'A priority of its own for each rule of a listener.',
    remedy: byInput
      ? 'Give one of the two another number, from 1 to 50000: `rule_priority:` under its `inputs:`, for this stage or for all.'
      : 'Let the template give one of the two another priority.',
    at,
    ...(unit !== owner && { related: [{ at: writtenAt(owner), note: `where ${owner.id} is written` }] }),
  }
}

/** Its rendering is not kept, so another unit is named by its file: the line of its address, or of its name. */
function writtenAt(unit: Unit): Place {
  const { service, environment, bundle } = unit
  const address = [...(bundle.schema.service?.inputs.values() ?? [])].find(({ host }) => host)
  if (address !== undefined) return unit.inputPlace(address.name)
  return service === undefined ? environment.document.place(['environment']) : service.spec.document.place(['service'])
}
