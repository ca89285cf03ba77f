import { type Data, type DataMap, Float, isList, isMap, type Path } from '../data.ts'
import { linearPattern, ownPattern } from '../pattern.ts'
import { mapIn, textIn, textsIn } from './values.ts'
import { kindOf, plural, typesOf, typeWords, wanted } from './words.ts'

/** One thing that keeps a value from having the shape that a JSON Schema describes. Paths lead from the checked value. */
export type Fault =
  /** The map at `path` has a key that the schema does not know; `known` are those that it does. */
  | { readonly is: 'unknown'; readonly path: Path; readonly key: string; readonly known: readonly string[] }
  | { readonly is: 'missing'; readonly path: Path; readonly key: string; readonly expected: string }
  /** `why` ends a sentence that begins with the name of the value: `is more than 65535`. */
  | {
      readonly is: 'type' | 'value'
      readonly path: Path
      readonly onKey: boolean
      readonly why: string
      readonly expected: string
    }

/**
 * Everything that is wrong with a value, in the order in which it stands there; one fault a value, since what has a wrong
 * type breaks other rules with it. The schema is JSON Schema (draft-07) with the keywords below, without references, and is
 * read once. Its other keywords are a bug, for what they ask would never be checked. Formats are not looked at, and no text
 * becomes code. The schema comes from a stranger, by `readSchema`: its patterns are matched in linear time.
 */
export function faultsOf(schema: DataMap, value: Data): readonly Fault[] {
  return faults(strangers.checkOf(schema), value)
}

/** The same for a schema that was written here. */
export function faultsOfOwn(schema: DataMap, value: Data): readonly Fault[] {
  return faults(own.checkOf(schema), value)
}

function faults(check: Check, value: Data): readonly Fault[] {
  const found: Found = { path: [], faults: new Map() }
  check(value, found)
  return [...found.faults.values()]
}

/** Where a check is, and what it has found so far, by path and key. */
type Found = { readonly path: (string | number)[]; readonly faults: Map<string, Fault> }

type Check = (value: Data, found: Found) => void

/** What a keyword asks of values of its type, given what it says; nothing if that asks for nothing. */
type Keyword = (said: Data, schema: DataMap, reader: Reader) => Check | undefined

/** How schemas are read: whose they are decides by what their patterns are matched. */
type Reader = {
  readonly checkOf: (schema: DataMap) => Check
  readonly matcherOf: (pattern: string) => (text: string) => boolean
}

const strangers = readerWith((source) => (text) => {
  const result = linearPattern(source)
  if ('fault' in result) throw new Error(`The pattern ${source} ${result.fault}.`)
  return result.pattern.test(text)
})

const own = readerWith(ownPattern)

function readerWith(matcherOf: Reader['matcherOf']): Reader {
  const checks = new WeakMap<DataMap, Check>()
  const checkOf = (schema: DataMap): Check => {
    const known = checks.get(schema)
    if (known !== undefined) return known
    const check = read(schema, { checkOf, matcherOf })
    checks.set(schema, check)
    return check
  }
  return { checkOf, matcherOf }
}

function read(schema: DataMap, reader: Reader): Check {
  const types = typesOf(schema)
  const asked: Check[] = []
  for (const key of Object.keys(schema)) {
    if (key !== 'type' && !notes.has(key) && !key.startsWith('x-') && keywords[key] === undefined)
      throw new Error(`The keyword ${key} is not read.`)
  }
  for (const key of order) {
    const said = schema[key]
    const check = said === undefined ? undefined : keywords[key]?.(said, schema, reader)
    if (check !== undefined) asked.push(check)
  }
  return (value, found) => {
    if (types.length > 0 && !types.some((type) => isOf(type, value)))
      tell(found, { is: 'type', why: typeFault(value, types), schema })
    else for (const check of asked) check(value, found)
  }
}

/** Notes that the value at hand breaks a rule of its schema, unless something else was told about it. */
function tell(
  found: Found,
  { is = 'value', why, schema }: { readonly is?: 'type' | 'value'; readonly why: string; readonly schema: DataMap },
): void {
  note(found, { is, path: [...found.path], onKey: false, why, expected: wanted(schema) })
}

function note(found: Found, fault: Fault): void {
  const id = JSON.stringify([fault.path, 'key' in fault ? fault.key : null])
  if (!found.faults.has(id)) found.faults.set(id, fault)
}

function isOf(type: string, value: Data): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string'
    case 'object':
      return isMap(value)
    case 'array':
      return isList(value)
    case 'boolean':
      return typeof value === 'boolean'
    case 'null':
      return value === null
    default: {
      const number = numberOf(value)
      return number !== undefined && (type === 'number' || Number.isInteger(number))
    }
  }
}

/** The number that a value is, whichever way it was written. */
function numberOf(value: Data): number | undefined {
  const number = value instanceof Float ? value.value : typeof value === 'bigint' ? Number(value) : value
  return typeof number === 'number' ? number : undefined
}

function typeFault(value: Data, types: readonly string[]): string {
  return value === null
    ? 'has no value'
    : `is ${kindOf(value)}, and ${types.map((type) => typeWords[type] ?? type).join(' or ')} is wanted`
}

/** Keywords that tell people something, and ask nothing of a value. */
const notes = new Set([
  'title',
  'description',
  'default',
  'example',
  'examples',
  'format',
  'externalDocs',
  'xml',
  'deprecated',
  'readOnly',
  'writeOnly',
])

/** The rules, in the order in which they are looked at: what a value is, before what lies in it. */
const keywords: Readonly<Record<string, Keyword>> = {
  maximum: ofNumber((number, most) => number <= most, 'is more than'),
  minimum: ofNumber((number, least) => number >= least, 'is less than'),
  exclusiveMaximum: ofNumber((number, most) => number < most, 'is not less than'),
  exclusiveMinimum: ofNumber((number, least) => number > least, 'is not more than'),
  multipleOf: ofNumber((number, step) => Number.isInteger(number / step), 'is not a multiple of'),
  maxLength: ofSize(
    lengthOf,
    (length, most) => length <= most,
    (most) => `is longer than ${plural(most, 'character')}`,
  ),
  minLength: ofSize(
    lengthOf,
    (length, least) => length >= least,
    (least) => (least === '1' ? 'is empty' : `is shorter than ${plural(least, 'character')}`),
  ),
  pattern: (source, schema, { matcherOf }) => {
    if (typeof source !== 'string') return undefined
    const matches = matcherOf(source)
    const why =
      textIn(schema, 'x-protium-expected') === undefined
        ? `does not match the pattern ${source}`
        : 'is not of the right form'
    return (value, found) => {
      if (typeof value === 'string' && !matches(value)) tell(found, { why, schema })
    }
  },
  const: (said, schema) => oneOf([said], schema),
  enum: (said, schema) => (isList(said) ? oneOf(said, schema) : undefined),
  not: (said, schema, { checkOf }) => {
    if (!isMap(said)) return undefined
    const check = checkOf(said)
    return (value, found) => {
      if (isSound(check, value)) tell(found, { why: 'is not as the schema wants it', schema })
    }
  },
  maxItems: ofSize(
    itemsOf,
    (count, most) => count <= most,
    (most) => `has more than ${plural(most, 'item')}`,
  ),
  minItems: ofSize(
    itemsOf,
    (count, least) => count >= least,
    (least) => `has fewer than ${plural(least, 'item')}`,
  ),
  uniqueItems: (said, schema) => {
    if (said !== true) return undefined
    return (value, found) => {
      if (isList(value) && new Set(value.map(textOf)).size < value.length)
        tell(found, { why: 'holds an item twice', schema })
    }
  },
  items: (said, _schema, { checkOf }) => {
    if (!isMap(said)) return undefined
    const check = checkOf(said)
    return (value, found) => {
      if (isList(value)) value.forEach((item, index) => within(found, { step: index, check, value: item }))
    }
  },
  maxProperties: ofSize(
    keysIn,
    (count, most) => count <= most,
    (most) => `has more than ${plural(most, 'key')}`,
  ),
  minProperties: ofSize(
    keysIn,
    (count, least) => count >= least,
    (least) => `has fewer than ${plural(least, 'key')}`,
  ),
  required: (_said, schema) => {
    const names = textsIn(schema, 'required')
    return (value, found) => {
      if (!isMap(value)) return
      for (const key of names) {
        if (Object.hasOwn(value, key)) continue
        const expected = wanted(mapIn(schema, 'properties')?.[key])
        note(found, { is: 'missing', path: [...found.path], key, expected })
      }
    }
  },
  propertyNames: (said, _schema, { checkOf }) => {
    if (!isMap(said)) return undefined
    const check = checkOf(said)
    return (value, found) => {
      if (!isMap(value)) return
      for (const key of Object.keys(value)) {
        if (isSound(check, key)) continue
        const path = [...found.path, key]
        note(found, { is: 'value', path, onKey: true, why: 'cannot be used', expected: wanted(said) })
      }
    }
  },
  additionalProperties: (said, schema, { checkOf }) => {
    const properties = mapIn(schema, 'properties') ?? {}
    const check = isMap(said) ? checkOf(said) : undefined
    if (check === undefined && said !== false) return undefined
    return (value, found) => {
      if (!isMap(value)) return
      for (const [key, item] of Object.entries(value)) {
        if (Object.hasOwn(properties, key)) continue
        if (check !== undefined) within(found, { step: key, check, value: item })
        else note(found, { is: 'unknown', path: [...found.path], key, known: Object.keys(properties) })
      }
    }
  },
  properties: (said, _schema, { checkOf }) => {
    if (!isMap(said)) return undefined
    const known = Object.entries(said).flatMap(([key, schema]) =>
      isMap(schema) ? [{ key, check: checkOf(schema) }] : [],
    )
    return (value, found) => {
      if (!isMap(value)) return
      for (const { key, check } of known) {
        const item = Object.hasOwn(value, key) ? value[key] : undefined
        if (item !== undefined) within(found, { step: key, check, value: item })
      }
    }
  },
}

const order = Object.keys(keywords)

/** Checks a part of the value at hand. */
function within(
  found: Found,
  { step, check, value }: { readonly step: string | number; readonly check: Check; readonly value: Data },
): void {
  found.path.push(step)
  check(value, found)
  found.path.pop()
}

function isSound(check: Check, value: Data): boolean {
  const found: Found = { path: [], faults: new Map() }
  check(value, found)
  return found.faults.size === 0
}

function ofNumber(holds: (number: number, limit: number) => boolean, why: string): Keyword {
  return (said, schema) => {
    const limit = numberOf(said)
    if (limit === undefined) return undefined
    return (value, found) => {
      const number = numberOf(value)
      if (number !== undefined && !holds(number, limit)) tell(found, { why: `${why} ${limit}`, schema })
    }
  }
}

/** A rule on how many of something a value has; nothing where it has no such thing. */
function ofSize(
  sizeOf: (value: Data) => number | undefined,
  holds: (size: number, limit: number) => boolean,
  why: (limit: string) => string,
): Keyword {
  return (said, schema) => {
    const limit = numberOf(said)
    if (limit === undefined) return undefined
    return (value, found) => {
      const size = sizeOf(value)
      if (size !== undefined && !holds(size, limit)) tell(found, { why: why(String(limit)), schema })
    }
  }
}

/** The characters of a text, those that JavaScript writes as two counted as one. */
function lengthOf(value: Data): number | undefined {
  if (typeof value !== 'string') return undefined
  let length = value.length
  for (let index = 1; index < value.length; index += 1) {
    const isPair = (value.charCodeAt(index) & 0xfc00) === 0xdc00 && (value.charCodeAt(index - 1) & 0xfc00) === 0xd800
    if (isPair) length -= 1
  }
  return length
}

function itemsOf(value: Data): number | undefined {
  return isList(value) ? value.length : undefined
}

function keysIn(value: Data): number | undefined {
  return isMap(value) ? Object.keys(value).length : undefined
}

function oneOf(allowed: readonly Data[], schema: DataMap): Check {
  return (value, found) => {
    if (!allowed.some((each) => isSame(each, value))) tell(found, { why: 'is not one of the allowed values', schema })
  }
}

/** The same value; numbers are the same if they are the same number, however they were written. */
function isSame(one: Data, other: Data): boolean {
  return one === other || (typeof one !== 'string' && typeof other !== 'string' && textOf(one) === textOf(other))
}

/** A text that two values share only if they are the same. Unlike canonical JSON, it has a word for infinity. */
function textOf(value: Data): string {
  if (value instanceof Float) return String(value.value)
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (isList(value)) return `[${value.map(textOf).join(',')}]`
  if (!isMap(value)) return JSON.stringify(value)
  const members = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${textOf(item)}`)
  return `{${members.toSorted().join(',')}}`
}
