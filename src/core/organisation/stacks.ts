import type { Catalog } from '../catalog.ts'
import { isMap } from '../data.ts'
import type { Place, Problem } from '../problem.ts'
import type { ServiceSpec, StageSpec } from '../spec.ts'
import { problem, type Unit } from './model.ts'

export function stackOf(
  catalog: Catalog,
  {
    spec,
    stageSpec,
    stage,
  }: { readonly spec: ServiceSpec; readonly stageSpec: StageSpec | undefined; readonly stage: string },
): string {
  return stageSpec?.stack ?? spec.stack?.replaceAll('{stage}', stage) ?? filled(catalog.stackName, spec.service, stage)
}

export function filled(pattern: string, service: string, stage: string): string {
  return pattern.replaceAll(/\{(service|stage)\}/g, (_, name) => (name === 'service' ? service : stage))
}

/** The services of which one would get the name of a stack, by the pattern, as an instance, a pipeline or a component. */
export function claimants(catalog: Catalog, stack: string): readonly string[] {
  const stages = [...catalog.stages.map(({ name }) => name), 'pipeline']
  return stages.flatMap((stage) =>
    [stack, stack.replace(/-component$/, '')].flatMap((name) => {
      const [first = '', ...rest] = filled(catalog.stackName, '{service}', stage).split('{service}')
      const fixed = first.length + rest.reduce((sum, part) => sum + part.length, 0)
      const length = rest.length === 0 ? 0 : (name.length - fixed) / rest.length
      const service = name.slice(first.length, first.length + length)
      return service !== '' && filled(catalog.stackName, service, stage) === name ? [service] : []
    }),
  )
}

/**
 * Stacks are told apart by account, region and name. CloudFormation takes names of at most 128 characters that begin with a
 * letter (CreateStack, `StackName`).
 */
export function checkStacks(
  units: readonly Unit[],
  /** `others` are there to be compared with, and are not judged by themselves. */
  { others, problems }: { readonly others: ReadonlySet<Unit>; readonly problems: Problem[] },
): void {
  const taken = new Map<string, Unit>()
  for (const unit of units) {
    const at = stackPlace(unit)
    if (!others.has(unit) && !/^[a-zA-Z][-a-zA-Z0-9]{0,127}$/.test(unit.stack)) {
      problems.push(
        problem('stack-name', at, {
          message: `The stack of ${unit.id} would be called "${unit.stack}"${unit.stack.length > 128 ? `, which has ${unit.stack.length} characters` : ''}.`,
          expected: 'Letters, digits and "-", a letter first, at most 128.',
          remedy: 'Shorten the names, or give the stack a name of its own by `stack:`.',
        }),
      )
    }
    const id = `${unit.environment.account}/${unit.environment.region}/${unit.stack}`
    const other = taken.get(id)
    if (other === undefined) {
      taken.set(id, unit)
    } else if (!concerns(others, [unit, other])) {
      continue
    } else if (other.service === undefined || other.service.service !== unit.service?.service || other.id !== unit.id) {
      problems.push({
        ...problem('stack-taken', at, {
          message: `The stack "${unit.stack}" of ${unit.id} is that of ${other.id} too.`,
          expected: 'A stack of its own for each unit, in its account and region.',
          remedy: 'Rename one of the two, or give its stack a name of its own by `stack:`.',
        }),
        related: [{ at: stackPlace(other), note: `where ${other.id} gets the name` }],
      })
    }
  }
}

/** Whether a clash is one of those that are judged: none with another, or one of a service with another. */
function concerns(others: ReadonlySet<Unit>, pair: readonly Unit[]): boolean {
  return !pair.some((unit) => others.has(unit)) || pair.some((unit) => unit.service !== undefined && !others.has(unit))
}

/** Where the name of a unit's stack comes from. */
function stackPlace({ kind, environment, service, stage }: Unit): Place {
  if (service === undefined) {
    const { data } = environment.document
    return environment.document.place(isMap(data) && 'stack' in data ? ['stack'] : ['environment'])
  }
  const { spec } = service
  if (kind === 'pipeline')
    return spec.document.keyPlace(spec.pipeline?.stack === undefined ? ['pipeline'] : ['pipeline', 'stack'])
  if (stage !== undefined && spec.stages.get(stage.name)?.stack !== undefined)
    return spec.document.place(['stages', stage.name, 'stack'])
  return spec.document.place(spec.stack === undefined ? ['service'] : ['stack'])
}
