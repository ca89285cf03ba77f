import { canonicalJson, same } from '../canonical.ts'
import { type Data, type DataMap, entriesOf, isList, isMap, mapOf } from '../data.ts'
import { nearest } from '../nearest.ts'
import type { Place } from '../problem.ts'
import { type InputSchema, longestText } from '../schema.ts'
import { inWords, listIn, mapIn, numberIn, pathInWords, textsIn } from '../shape.ts'
import type { Reason } from './level.ts'

/** A value that a schema describes, before and after. */
type Pair = { readonly path: readonly string[]; readonly before: DataMap; readonly after: DataMap; readonly at: Place }

type Tell = (level: Reason['level'], what: string) => void

/**
 * What a change of a schema means to those who have written inputs for it: what is no longer accepted breaks them, what is new or
 * has another default is there to be seen. `nowhere` is the place of what is not in the new schema any more. An input that is
 * newly needed is marked by its path in `asks`.
 */
export function compareInputs(before: InputSchema, after: InputSchema, nowhere: Place): readonly Reason[] {
  const own = comparePair({ path: [], before: before.json, after: after.json, at: nowhere }, after)
  const marks = [...after.inputs.values()].flatMap((input): Reason[] => {
    const old = before.inputs.get(input.name)
    const name = pathInWords([input.name])
    const reason = (level: Reason['level'], what: string): Reason => ({ level, what, at: input.at })
    if (old === undefined) return []
    return [
      ...(old.secret !== true && input.secret === true
        ? [reason('major', `The input ${name} takes references to secrets only, and took values.`)]
        : []),
      ...(old.image === input.image
        ? []
        : [
            reason(
              'major',
              input.image
                ? `The input ${name} is a container image now, which has to be named by its digest in production.`
                : `The input ${name} is no container image any more, so no build hands one over.`,
            ),
          ]),
      ...(old.host && !input.host
        ? [reason('major', `The input ${name} is not filled with the address of the instance any more.`)]
        : !old.host && input.host
          ? [reason('minor', `The input ${name} is filled with the address of the instance, where none is written.`)]
          : []),
    ]
  })
  return [...own, ...marks]
}

function comparePair(pair: Pair, schema?: InputSchema): Reason[] {
  const { path, before, after, at } = pair
  const found: Reason[] = []
  const name = path.length === 0 ? 'The inputs' : `The input ${pathInWords(path)}`
  const tell: Tell = (level, what) => void found.push({ level, what: `${name} ${what}.`, at })
  compareTypes(pair, tell)
  compareEnums(pair, tell)
  compareNumbers(pair, tell)
  compareTexts(pair, tell)
  compareLists(pair, tell)
  if (path.length > 0 && !sameOrAbsent(before['default'], after['default'])) {
    tell('minor', `has another default: ${shown(after['default'])}, and was ${shown(before['default'])}`)
  }
  found.push(...compareItems(pair), ...compareProperties(pair, schema))
  return found
}

function shown(value: Data | undefined): string {
  if (value === undefined) return 'none'
  const text = isList(value) || isMap(value) ? canonicalJson(value) : inWords(value)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

function sameOrAbsent(a: Data | undefined, b: Data | undefined): boolean {
  return a === undefined || b === undefined ? a === b : same(a, b)
}

function compareTypes({ before, after }: Pair, tell: Tell): void {
  const [old, now] = [textsIn(before, 'type'), textsIn(after, 'type')]
  const isIn = (type: string, types: readonly string[]): boolean =>
    types.length === 0 || types.includes(type) || (type === 'integer' && types.includes('number'))
  if (old.length === 0 ? now.length > 0 : !old.every((type) => isIn(type, now)))
    tell(
      'major',
      `is of type ${now.join(' or ')}, and was ${old.length === 0 ? 'of any' : `of type ${old.join(' or ')}`}`,
    )
  else if (now.length === 0 ? old.length > 0 : !now.every((type) => isIn(type, old))) tell('minor', 'takes more types')
}

function compareEnums({ before, after }: Pair, tell: Tell): void {
  const [old, now] = [listIn(before, 'enum'), listIn(after, 'enum')]
  if (now === undefined) {
    if (old !== undefined) tell('minor', 'takes more than a list of values')
    return
  }
  if (old === undefined) return tell('major', `takes only ${now.map(inWords).join(', ')}, and took any value`)
  const gone = old.filter((value) => !now.some((each) => same(each, value)))
  const more = now.filter((value) => !old.some((each) => same(each, value)))
  if (gone.length > 0) tell('major', `does not take ${gone.map(inWords).join(', ')} any more`)
  if (more.length > 0) tell('minor', `takes ${more.map(inWords).join(', ')} too`)
}

type Bound = { readonly value: number; readonly isOpen: boolean }

function boundOf(json: DataMap, closed: string, open: string): Bound | undefined {
  const [value, other] = [numberIn(json, closed), numberIn(json, open)]
  if (other === undefined) return value === undefined ? undefined : { value, isOpen: false }
  const isTighter = value === undefined || (closed === 'minimum' ? other >= value : other <= value)
  return isTighter ? { value: other, isOpen: true } : { value, isOpen: false }
}

function compareNumbers({ before, after }: Pair, tell: Tell): void {
  for (const [closed, open, sign, words] of [
    ['minimum', 'exclusiveMinimum', 1, ['at least', 'more than']],
    ['maximum', 'exclusiveMaximum', -1, ['at most', 'less than']],
  ] as const) {
    const [old, now] = [boundOf(before, closed, open), boundOf(after, closed, open)]
    const inText = (bound: Bound): string => `${words[bound.isOpen ? 1 : 0]} ${bound.value}`
    if (now === undefined) {
      if (old !== undefined) tell('minor', `needs no longer be ${inText(old)}`)
    } else if (old === undefined) tell('major', `has to be ${inText(now)}, and had no such bound`)
    else {
      const step = (now.value - old.value) * sign || Number(now.isOpen) - Number(old.isOpen)
      if (step > 0) tell('major', `has to be ${inText(now)}, and had to be ${inText(old)}`)
      if (step < 0) tell('minor', `has to be ${inText(now)} only, and had to be ${inText(old)}`)
    }
  }
  const [old, now] = [numberIn(before, 'multipleOf'), numberIn(after, 'multipleOf')]
  if (old === now) return
  if (now === undefined) tell('minor', `needs no longer be a multiple of ${old ?? ''}`)
  else if (old === undefined || !Number.isInteger(old / now)) tell('major', `has to be a multiple of ${now}`)
  else tell('minor', `has to be a multiple of ${now} only`)
}

function isText(json: DataMap): boolean {
  const types = textsIn(json, 'type')
  return types.length === 0 || types.includes('string')
}

function compareTexts({ before, after }: Pair, tell: Tell): void {
  if (!isText(before) || !isText(after)) return
  compareCounts({ before, after }, { least: 'minLength', of: 'characters' }, tell)
  const most = (json: DataMap): number => Math.min(numberIn(json, 'maxLength') ?? Infinity, longestText(json))
  const [old, now] = [most(before), most(after)]
  if (now < old) tell('major', `has at most ${now} characters, and had at most ${old}`)
  if (now > old) tell('minor', `has at most ${now} characters, and had at most ${old}`)
  if (sameOrAbsent(before['pattern'], after['pattern'])) return
  if (after['pattern'] === undefined) tell('minor', 'takes any form')
  // Whether one pattern takes all that another took is not found out.
  else tell('major', before['pattern'] === undefined ? 'has to have a form, and had none' : 'has to have another form')
}

function compareCounts(
  { before, after }: Pick<Pair, 'before' | 'after'>,
  { least, most, of }: { readonly least: string; readonly most?: string; readonly of: string },
  tell: Tell,
): void {
  const [old, now] = [numberIn(before, least) ?? 0, numberIn(after, least) ?? 0]
  if (now > old) tell('major', `has to have at least ${now} ${of}, and had to have ${old}`)
  if (now < old) tell('minor', `has to have at least ${now} ${of} only`)
  if (most === undefined) return
  const [wide, narrow] = [numberIn(before, most) ?? Infinity, numberIn(after, most) ?? Infinity]
  if (narrow < wide)
    tell('major', `has at most ${narrow} ${of}, and had ${wide === Infinity ? 'any number' : `at most ${wide}`}`)
  if (narrow > wide) tell('minor', `may have more than ${wide} ${of}`)
}

function compareLists({ before, after }: Pair, tell: Tell): void {
  compareCounts({ before, after }, { least: 'minItems', most: 'maxItems', of: 'items' }, tell)
  compareCounts({ before, after }, { least: 'minProperties', most: 'maxProperties', of: 'keys' }, tell)
  const [old, now] = [before['uniqueItems'] === true, after['uniqueItems'] === true]
  if (now && !old) tell('major', 'takes no item twice')
  if (old && !now) tell('minor', 'takes an item twice')
}

/** What nothing is said of takes everything. */
const anything: DataMap = mapOf()

function compareItems({ path, before, after, at }: Pair): readonly Reason[] {
  const [old, now] = [mapIn(before, 'items'), mapIn(after, 'items')]
  if (old === undefined && now === undefined) return []
  return comparePair({ path: [...path, '[]'], before: old ?? anything, after: now ?? anything, at })
}

/** What a map takes under names that it does not list; nothing where it takes none. */
function restOf(json: DataMap): DataMap | undefined {
  const rest = json['additionalProperties']
  return isMap(rest) ? rest : rest === false ? undefined : anything
}

/** What keys that are gone may be called now: another of the same type, by likeness, or because there is no other; each once. */
function twinsOf(old: DataMap, now: DataMap): ReadonlyMap<string, string> {
  const typeOf = (map: DataMap, key: string): string => textsIn(mapIn(map, key), 'type').join(' ')
  const removed = Object.keys(old).filter((key) => !Object.hasOwn(now, key))
  const added = new Set(Object.keys(now).filter((key) => !Object.hasOwn(old, key)))
  const twins = new Map<string, string>()
  for (const key of removed) {
    const alike = [...added].filter((each) => typeOf(now, each) === typeOf(old, key))
    const to = nearest(key, alike) ?? (removed.length === 1 && alike.length === 1 ? alike[0] : undefined)
    if (to === undefined) continue
    twins.set(key, to)
    added.delete(to)
  }
  return twins
}

function compareProperties({ path, before, after, at }: Pair, schema?: InputSchema): readonly Reason[] {
  const found: Reason[] = []
  const [old, now] = [mapIn(before, 'properties') ?? anything, mapIn(after, 'properties') ?? anything]
  const [rest, restNow] = [restOf(before), restOf(after)]
  const isMapOf = (json: DataMap): boolean =>
    ['properties', 'additionalProperties'].some((key) => json[key] !== undefined)
  if (!isMapOf(before) && !isMapOf(after)) return found
  const [needed, neededNow] = [new Set(textsIn(before, 'required')), new Set(textsIn(after, 'required'))]
  const tell = (level: Reason['level'], key: string, what: string, more: Partial<Reason> = {}): void =>
    void found.push({
      level,
      what: `The input ${pathInWords([...path, key])} ${what}.`,
      at: schema?.inputs.get(key)?.at ?? at,
      ...more,
    })
  const twins = twinsOf(old, now)
  const placeOf = (key: string): Place => schema?.inputs.get(key)?.at ?? at
  for (const [key, was] of entriesOf(old)) {
    if (!isMap(was)) continue
    const is = Object.hasOwn(now, key) ? now[key] : restNow
    if (!isMap(is)) {
      const twin = twins.get(key)
      tell(
        'major',
        key,
        twin === undefined ? 'was removed' : `was removed, or is called ${pathInWords([...path, twin])} now`,
        twin === undefined ? {} : { at: placeOf(twin) },
      )
      continue
    }
    found.push(...comparePair({ path: [...path, key], before: was, after: is, at: placeOf(key) }))
  }
  for (const [key, is] of entriesOf(now)) {
    if (Object.hasOwn(old, key) || !isMap(is)) continue
    if (rest !== undefined && Object.keys(rest).length === 0 && Object.keys(is).length > 0)
      tell('major', key, 'is described now, and took anything under that name')
    else if (rest !== undefined)
      found.push(...comparePair({ path: [...path, key], before: rest, after: is, at: placeOf(key) }))
    else if (!neededNow.has(key)) tell('minor', key, 'is new')
  }
  for (const key of neededNow) {
    if (needed.has(key)) continue
    // The address of the instance is written by nobody.
    const isHost = schema?.inputs.get(key)?.host === true
    tell(
      'major',
      key,
      Object.hasOwn(old, key) ? 'has to be given now' : 'is new, and has to be given',
      isHost ? {} : { asks: [...path, key] },
    )
  }
  for (const key of needed)
    if (!neededNow.has(key) && Object.hasOwn(now, key)) tell('minor', key, 'may be left out now')
  if (rest !== undefined && restNow === undefined) {
    const name = path.length === 0 ? 'The inputs' : `The input ${pathInWords(path)}`
    found.push({ level: 'major', what: `${name} take${path.length === 0 ? '' : 's'} no other keys any more.`, at })
  } else if (rest === undefined && restNow !== undefined) {
    found.push({
      level: 'minor',
      what: `${path.length === 0 ? 'Inputs' : `The input ${pathInWords(path)}`} may have other keys too.`,
      at,
    })
  } else if (rest !== undefined && restNow !== undefined && !same(rest, restNow)) {
    found.push(...comparePair({ path: [...path, '*'], before: rest, after: restNow, at }))
  }
  return found
}
