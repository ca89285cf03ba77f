import { compareText, digest } from '../canonical.ts'
import { type Data, isList, isMap, type Path } from '../data.ts'
import { scalarText } from './parameters.ts'
import { lookUpType } from './types.ts'

/** What happens to one resource of a stack; the shape of `ResourceChange` in `src/ports.ts`. */
export type Change = {
  readonly logicalId: string
  readonly type: string
  readonly action: 'create' | 'update' | 'replace' | 'delete'
  readonly properties: readonly ChangedProperty[]
  readonly because: readonly string[]
  /** Property paths that replace under conditions that only the cloud knows; taken as an update here. */
  readonly conditional?: readonly string[]
  readonly retained: boolean
}

export type ChangedProperty = { readonly path: string; readonly before?: string; readonly after?: string }

/** Where two values differ, each place once, as deep as both have it. */
export type Difference = { readonly path: Path; readonly before: Data | undefined; readonly after: Data | undefined }

/**
 * The differences of two resolved values, by path. A number and a text of the same digits are the same, and so are `true`
 * and `"true"`: CloudFormation reads both alike.
 */
export function differences(before: Data | undefined, after: Data | undefined, path: Path = []): readonly Difference[] {
  if (isMap(before) && isMap(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort(compareText)
    return keys.flatMap((key) => differences(member(before, key), member(after, key), [...path, key]))
  }
  if (isList(before) && isList(after)) {
    return Array.from({ length: Math.max(before.length, after.length) }, (_, index) => index).flatMap((index) =>
      differences(before[index], after[index], [...path, index]),
    )
  }
  if (before === after) return []
  const [left, right] = [scalarText(before), scalarText(after)]
  return left !== undefined && left === right ? [] : [{ path, before, after }]
}

/** As the plan shows it: the path, and digests in the place of values. */
export function changedProperty(head: string, { path, before, after }: Difference): ChangedProperty {
  return {
    path: [head, ...path].join('.'),
    ...(before === undefined ? {} : { before: digest(before) }),
    ...(after === undefined ? {} : { after: digest(after) }),
  }
}

/**
 * Which of the differences replace a resource of a type, and which may do so, by the "Update requires" of the public service
 * specification. Of a type that is not known, none does.
 */
export function replacing(
  type: string,
  found: readonly Difference[],
): { readonly because: readonly string[]; readonly conditional: readonly string[] } {
  const known = lookUpType(type)
  if (known.is !== 'known') return { because: [], conditional: [] }
  const { replaced, perhapsReplaced } = known.type
  const paths = (rules: readonly string[]): string[] =>
    found
      .filter((it) => rules.some((rule) => touches(rule.split('.'), it)))
      .map(({ path }) => ['Properties', ...path].join('.'))
  return { because: paths(replaced), conditional: paths(perhapsReplaced) }
}

/** Whether a difference lies in the property that a rule is about, or is of a part that has the property in it. */
function touches(rule: readonly string[], { path, before, after }: Difference): boolean {
  const shared = Math.min(rule.length, path.length)
  for (let index = 0; index < shared; index += 1) {
    if (rule[index] !== '*' && rule[index] !== String(path[index])) return false
  }
  const rest = rule.slice(path.length)
  return rest.length === 0 || has(before, rest) || has(after, rest)
}

function has(value: Data | undefined, rest: readonly string[]): boolean {
  const [step, ...more] = rest
  if (step === undefined) return value !== undefined
  if (step !== '*') return isMap(value) && has(member(value, step), more)
  const members = isList(value) ? value : isMap(value) ? Object.values(value) : []
  return members.some((each) => has(each, more))
}

function member(value: Data, key: string): Data | undefined {
  return isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined
}
