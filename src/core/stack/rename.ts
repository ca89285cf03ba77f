import { type Data, type DataMap, entriesOf, isList, isMap, mapOf, type Path } from '../data.ts'
import { functionOf, isText, own, section } from './template.ts'

/**
 * A template in which resources have other logical ids, with everything that names them: `Ref`, `Fn::GetAtt`, `Fn::Sub` and
 * `DependsOn`. Conditions, parameters and the names of outputs are no resources and stay. `ids` are the new ids by the old ones.
 */
export function renamedResources(body: DataMap, ids: ReadonlyMap<string, string>): DataMap {
  return mapOf(
    entriesOf(body).map(([name, part]): [string, Data] => {
      if (name === 'Resources' && isMap(part)) return [name, resources(part, ids)]
      return [name, name === 'Outputs' || name === 'Rules' ? mentions(part, ids) : part]
    }),
  )
}

/** What of `ids` cannot be done: the template has no such resource, or has the new id for something else. */
export function misfits(
  body: DataMap,
  ids: ReadonlyMap<string, string>,
): readonly { readonly id: string; readonly is: 'nothing' | 'taken' }[] {
  const all = section(body, 'Resources')
  const given = new Set<string>()
  return [...ids].flatMap(([id, wanted]): readonly { readonly id: string; readonly is: 'nothing' | 'taken' }[] => {
    if (own(all, id) === undefined) return [{ id, is: 'nothing' }]
    const other = own(all, wanted) !== undefined && ids.get(wanted) === undefined && wanted !== id
    const isTaken = other || given.has(wanted) || own(section(body, 'Parameters'), wanted) !== undefined
    given.add(wanted)
    return isTaken ? [{ id, is: 'taken' }] : []
  })
}

/** A path of the renamed template as one of the template that it was made from; `old` are the old ids by the new ones. */
export function oldPath(path: Path, old: ReadonlyMap<string, string>): Path {
  const [section, id, ...rest] = path
  return section === 'Resources' && typeof id === 'string' ? [section, old.get(id) ?? id, ...rest] : path
}

function resources(part: DataMap, ids: ReadonlyMap<string, string>): DataMap {
  return mapOf(
    entriesOf(part).map(([id, resource]): [string, Data] => {
      if (!isMap(resource)) return [id, mentions(resource, ids)]
      const written = entriesOf(resource).map(([key, value]): [string, Data] => [
        key,
        key === 'DependsOn' ? dependencies(value, ids) : mentions(value, ids),
      ])
      return [ids.get(id) ?? id, mapOf(written)]
    }),
  )
}

function dependencies(value: Data, ids: ReadonlyMap<string, string>): Data {
  if (isText(value)) return ids.get(value) ?? value
  return isList(value) ? value.map((each) => (isText(each) ? (ids.get(each) ?? each) : each)) : value
}

/** A value with other names in its functions; the value itself where there is none. */
function mentions(value: Data, ids: ReadonlyMap<string, string>): Data {
  if (isList(value)) {
    const items = value.map((item) => mentions(item, ids))
    return items.some((item, index) => item !== value[index]) ? items : value
  }
  if (!isMap(value)) return value
  const call = functionOf(value)
  if (call?.name === 'Ref') return isText(call.argument) ? withName(value, call, ids.get(call.argument)) : value
  if (call?.name === 'Fn::GetAtt') return withName(value, call, attribute(call.argument, ids))
  if (call?.name === 'Fn::Sub') return withName(value, call, substituted(call.argument, ids))
  const entries = entriesOf(value).map(([key, inner]): [string, Data] => [key, mentions(inner, ids)])
  return entries.some(([key, inner]) => inner !== value[key]) ? mapOf(entries) : value
}

function withName(
  value: DataMap,
  { name, argument }: { name: string; argument: Data },
  next: Data | undefined,
): DataMap {
  return next === undefined || next === argument ? value : mapOf([[name, next]])
}

function attribute(argument: Data, ids: ReadonlyMap<string, string>): Data | undefined {
  if (isText(argument)) {
    const dot = argument.indexOf('.')
    const id = dot <= 0 ? undefined : ids.get(argument.slice(0, dot))
    return id === undefined ? undefined : `${id}${argument.slice(dot)}`
  }
  if (!isList(argument) || !isText(argument[0])) return undefined
  const id = ids.get(argument[0])
  const rest = mentions(argument.slice(1), ids)
  return id === undefined || !isList(rest) ? undefined : [id, ...rest]
}

function substituted(argument: Data, ids: ReadonlyMap<string, string>): Data | undefined {
  if (isText(argument)) return inText(argument, { ids, variables: undefined })
  if (!isList(argument) || !isText(argument[0])) return undefined
  const [text, variables, ...rest] = argument
  // The values of its variables may name resources too.
  const inner = isMap(variables)
    ? mapOf(entriesOf(variables).map(([key, each]): [string, Data] => [key, mentions(each, ids)]))
    : variables
  return [inText(text, { ids, variables }), ...(inner === undefined ? [] : [inner]), ...rest]
}

/** The names in `${…}` of a text; `${!Literal}` is text, and a variable is its own. */
function inText(
  text: string,
  { ids, variables }: { readonly ids: ReadonlyMap<string, string>; readonly variables: Data | undefined },
): string {
  return text.replaceAll(/\$\{(\s*)([^!}\s][^}]*)\}/g, (whole, space: string, inside: string) => {
    const name = inside.trim()
    if (own(variables, name) !== undefined) return whole
    const dot = name.indexOf('.')
    const id = ids.get(dot < 0 ? name : name.slice(0, dot))
    return id === undefined ? whole : `\${${space}${id}${dot < 0 ? '' : name.slice(dot)}}`
  })
}
