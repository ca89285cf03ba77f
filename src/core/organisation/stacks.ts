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

/**
 * Stacks are told apart by account, region and name. CloudFormation takes names of at most 128 characters that begin with a
 * letter (CreateStack, `StackName`).
 */
export function checkStacks(units: readonly Unit[], problems: Problem[]): void {
  const taken = new Map<string, Unit>()
  for (const unit of units) {
    const at = stackPlace(unit)
    if (!/^[a-zA-Z][-a-zA-Z0-9]{0,127}$/.test(unit.stack)) {
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
