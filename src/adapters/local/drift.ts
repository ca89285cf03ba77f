import type { Data } from '../../core/data.ts'
import { differences } from '../../core/stack/diff.ts'
import { evaluateStack } from '../../core/stack/evaluate.ts'
import { placeResource, pseudoValues } from '../../core/stack/identity.ts'
import type { ResourceDrift, StackDrift } from '../../ports.ts'
import type { StackFile } from './state.ts'

/**
 * Where the resources of a stack are no longer what its template says: somebody has edited the properties in its file, or
 * taken a resource out of it. What the template does not make is not looked at, as CloudFormation does not.
 */
export function driftOf({ stack, body, parameters, tags, resources, imports }: StackFile): StackDrift {
  const recorded = (logicalId: string): StackFile['resources'][string] | undefined =>
    Object.hasOwn(resources, logicalId) ? resources[logicalId] : undefined
  const evaluated = evaluateStack(
    { stack, body, parameters, tags },
    {
      pseudo: pseudoValues(stack),
      // A resource keeps the generation that it has: what mentions it mentions the one that is there.
      place: ({ logicalId, type }, properties) =>
        placeResource({ stack, logicalId, type, properties, generation: recorded(logicalId)?.generation ?? 1 }),
      imported: (name) => imports[name],
      at: undefined,
    },
  )
  if (!evaluated.ok) {
    const unknown = Object.entries(resources).map(([logicalId, { type }]) => ({ logicalId, type }))
    return { resources: [], looked: 0, unknown }
  }
  const all = evaluated.value.resources
  const drifted = all.flatMap(({ resource: { logicalId, type }, properties }): ResourceDrift[] => {
    const live = recorded(logicalId)
    if (live === undefined) return [{ logicalId, type, is: 'gone', properties: [] }]
    const found = differences(properties, live.properties).filter(({ before, after }) => !areMarks(before, after))
    if (found.length === 0) return []
    const changed = found.map(({ path, before, after }) => ({
      path,
      ...(before !== undefined && { expected: before }),
      ...(after !== undefined && { actual: after }),
    }))
    return [{ logicalId, type, is: 'changed', properties: changed }]
  })
  return { resources: drifted, looked: all.length, unknown: [] }
}

/** The value of a parameter that must not be seen is not in the file, so what stands for it cannot be compared. */
function areMarks(expected: Data | undefined, actual: Data | undefined): boolean {
  const plain = (value: Data | undefined): string | undefined =>
    typeof value === 'string' ? value.replaceAll(/\*{4}[0-9a-f]{12}/gu, '****') : undefined
  const [before, after] = [plain(expected), plain(actual)]
  return before !== undefined && before === after
}
