import { type Data, isList, isMap } from '../data.ts'
import { lookUpType } from '../stack/types.ts'
import { branches, elements, isIntrinsic, properties, reach, type Resource, type Spot } from './resources.ts'
import { type Demand, isOfTypes, type Types, type Wants } from './rules.ts'
import type { Finding } from './resources.ts'

/** What a finding says of itself, before it is known which rule it breaks. */
export type Broken = Pick<Finding, 'path' | 'message' | 'expected' | 'remedy'>

/** The text of a value, as far as it follows from what is known before the deployment. */
export type Settle = (value: Data | undefined) => string | undefined

/** Where a resource does not do what a rule of the catalog demands. */
export function brokenBy(demand: Demand, resource: Resource, settle: Settle): readonly Broken[] {
  switch (demand.is) {
    case 'types':
      return typeFindings(demand, resource)
    case 'ids':
      if (!isFor(demand.resources, resource) || demand.pattern.test(resource.id.slice(0, longestId))) return []
      return [
        {
          path: resource.path,
          message: `The logical id ${resource.id} does not match ${demand.pattern.toString()}.`,
          expected: `A logical id that matches ${demand.pattern.toString()}.`,
          remedy: 'Rename it. A resource of a stack that is live is replaced by that: look in the plan.',
        },
      ]
    case 'tags':
      return isFor(demand.resources, resource) ? tagFindings(demand, resource, settle) : []
    case 'property':
      return isFor(demand.resources, resource) ? propertyFindings(demand, resource, settle) : []
  }
}

/** CloudFormation takes 255; what is longer is told of elsewhere, and is not matched in full. */
const longestId = 300

function isFor(resources: Types | undefined, { type }: Resource): boolean {
  return resources === undefined || isOfTypes(type, resources)
}

function typeFindings(
  { allow, deny }: Extract<Demand, { readonly is: 'types' }>,
  { id, type, path }: Resource,
): readonly Broken[] {
  const isDenied = deny !== undefined && isOfTypes(type, deny)
  if (!isDenied && (allow === undefined || isOfTypes(type, allow))) return []
  return [
    {
      path: [...path, 'Type'],
      message: `${id} is of the type ${type}, which ${isDenied ? 'no template may have' : 'is not among those that templates may have'}.`,
      expected: isDenied || allow === undefined ? 'Another type of resource.' : `One of ${some(allow)}.`,
      remedy: 'Take the resource out, or do it by another one.',
    },
  ]
}

/** Tags are a list of keys and values or a map, under a name that differs by type. */
const tagNames = ['Tags', 'HostedZoneTags', 'FileSystemTags', 'UserPoolTags', 'TagList'] as const

function tagFindings(
  { resources, tags }: Extract<Demand, { readonly is: 'tags' }>,
  resource: Resource,
  settle: Settle,
): readonly Broken[] {
  const found = lookUpType(resource.type)
  // Where no types are named, those are meant that can have tags.
  if (resources === undefined && (found.is !== 'known' || !found.type.taggable)) return []
  const known = found.is === 'known' ? tagNames.find((name) => found.type.properties.has(name)) : undefined
  const name = known ?? tagNames.find((each) => properties(resource, each).some(({ value }) => value !== undefined))
  const spots = properties(resource, name ?? 'Tags')
  return [...tags].flatMap(([key, pattern]): readonly Broken[] =>
    spots.flatMap((spot): readonly Broken[] => {
      const given = tagOf(spot, key, settle)
      const where = given?.path ?? (spot.value === undefined ? resource.path : spot.path)
      const expected = `The tag \`${key}\`${pattern === undefined ? '' : ` with a value that matches ${pattern.toString()}`}.`
      const remedy = `Write it under \`${name ?? 'Tags'}\` of ${resource.id}.`
      if (given === undefined)
        return [{ path: where, message: `${resource.id} has no tag \`${key}\`.`, expected, remedy }]
      const value = settle(given.value)
      if (pattern === undefined || (value !== undefined && pattern.test(value))) return []
      const why = value === undefined ? 'has a value that only the deployment knows' : 'has another value than it may'
      return [{ path: where, message: `The tag \`${key}\` of ${resource.id} ${why}.`, expected, remedy }]
    }),
  )
}

/** The value of a tag; nothing where it is missing, or is left out under a condition. */
function tagOf(spot: Spot, key: string, settle: Settle): Spot | undefined {
  if (isList(spot.value)) {
    for (const item of elements([spot])) {
      if (!isMap(item.value) || settle(item.value['Key']) !== key) continue
      return { value: item.value['Value'], path: [...item.path, 'Value'] }
    }
    return undefined
  }
  if (!isMap(spot.value) || isIntrinsic(spot.value)) return undefined
  const [value] = branches({ value: spot.value[key], path: [...spot.path, key] })
  return value?.value === undefined ? undefined : value
}

function propertyFindings(
  { path, wants }: Extract<Demand, { readonly is: 'property' }>,
  resource: Resource,
  settle: Settle,
): readonly Broken[] {
  const shown = path.join('.')
  return spotsAt(resource, path).flatMap((spot): readonly Broken[] => {
    const fault = faultOf(spot, { wants, shown, settle })
    if (fault === undefined) return []
    return [
      {
        path: spot.path,
        message: `\`${shown}\` of ${resource.id} ${fault}.`,
        expected: `\`${shown}\`${wantedText(wants)}.`,
        remedy: wants.isSet === false ? `Take \`${shown}\` out.` : `Correct \`${shown}\` of ${resource.id}.`,
      },
    ]
  })
}

/** Each value that a path leads to; `*` is each element of a list or each value of a map. */
function spotsAt(resource: Resource, path: readonly string[]): readonly Spot[] {
  let spots: readonly Spot[] = properties(resource)
  for (const key of path) {
    spots =
      key === '*'
        ? spots.flatMap((spot) => {
            if (!isMap(spot.value) || isIntrinsic(spot.value)) return elements([spot])
            return Object.entries(spot.value).flatMap(([name, value]) =>
              branches({ value, path: [...spot.path, name] }),
            )
          })
        : spots.flatMap((spot) => reach(spot, key))
  }
  return spots
}

/** Why a value is not what is wanted, as the end of a sentence; nothing if it is. Values themselves are not shown. */
function faultOf(
  { value }: Spot,
  { wants, settle }: { readonly wants: Wants; readonly shown: string; readonly settle: Settle },
): string | undefined {
  const { isSet, oneOf, noneOf, atLeast, atMost, matches } = wants
  if (value === undefined || value === null) return isSet === true ? 'is missing' : undefined
  if (isSet === false) return 'is set'
  if (
    oneOf === undefined &&
    noneOf === undefined &&
    atLeast === undefined &&
    atMost === undefined &&
    matches === undefined
  )
    return undefined
  const text = settle(value)
  // What cannot be seen beforehand would be a way around the rule.
  if (text === undefined)
    return isMap(value) && !isIntrinsic(value) ? 'is no single value' : 'is known only when it is deployed'
  if (oneOf !== undefined && !oneOf.includes(text)) return 'is none of the values that it may have'
  if (noneOf?.includes(text) === true) return 'is one of the values that it may not have'
  if (matches?.test(text) === false) return `does not match ${matches.toString()}`
  if (atLeast === undefined && atMost === undefined) return undefined
  const number = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isNaN(number)) return 'is no number'
  if (atLeast !== undefined && number < atLeast) return `is less than ${atLeast}`
  return atMost !== undefined && number > atMost ? `is more than ${atMost}` : undefined
}

function wantedText({ isSet, oneOf, noneOf, atLeast, atMost, matches }: Wants): string {
  const parts = [
    ...(oneOf === undefined ? [] : [`one of ${some(oneOf)}`]),
    ...(noneOf === undefined ? [] : [`none of ${some(noneOf)}`]),
    ...(atLeast === undefined ? [] : [`at least ${atLeast}`]),
    ...(atMost === undefined ? [] : [`at most ${atMost}`]),
    ...(matches === undefined ? [] : [`that matches ${matches.toString()}`]),
  ]
  if (isSet === false) return ' left out'
  return parts.length === 0 ? ', whatever it is' : `: ${parts.join(', ')}`
}

function some(words: readonly string[]): string {
  return words.length > 8 ? `${words.slice(0, 7).join(', ')} and ${words.length - 7} more` : words.join(', ')
}
