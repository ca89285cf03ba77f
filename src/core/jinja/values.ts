/**
 * The values that a template computes with: Python's, as Jinja2 3.1.6 sees them, in TypeScript.
 *
 * Nothing of JavaScript is reachable through them. A whole number is a `number` while it is a safe integer and a `bigint`
 * beyond; a `number` is never a fraction: that is a `Float`. A list is a mutable array, as in Python.
 */
import { Float, isList, keysOf, mapOf } from '../data.ts'
import type { Data, DataMap } from '../data.ts'

export { Float }

export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Float
  | Markup
  | Value[]
  | Tuple
  | Dict
  | DictView
  | Range
  | Slice
  | Undefined
  | Callable
  | Namespace
  | Iter
  | Thing
  | Aligned

/** The keyword arguments of a call. */
export type Kwargs = ReadonlyMap<string, Value>

export const noKwargs: Kwargs = new Map()

/** What a filter is: the value on its left, then its arguments. */
export type Filter = (value: Value, args: readonly Value[], kwargs: Kwargs, runtime: Runtime) => Value

/** What a test is: the value on the left of `is`, then its arguments. */
export type Test = (value: Value, args: readonly Value[], kwargs: Kwargs, runtime: Runtime) => boolean

/** What the values need of the rendering that they are part of. One a rendering. */
export interface Runtime {
  /** Pays for work; throws a `Limit` error when the budget is spent. */
  spend(steps: number): void
  /**
   * Throws a `Limit` error when a string or a collection of so many characters or elements would be too large. It is
   * called before the string or collection is built.
   */
  size(length: number): void
  /** Whether `{% autoescape true %}` is in force here. Proton's templates never escape. */
  readonly autoescape: boolean
  readonly filters: ReadonlyMap<string, Filter>
  readonly tests: ReadonlyMap<string, Test>
}

/** The class of Python's or Jinja's exception; `Limit` is a bound of our own. */
export type ErrorKind =
  | 'UndefinedError'
  | 'TypeError'
  | 'ValueError'
  | 'KeyError'
  | 'IndexError'
  | 'AttributeError'
  | 'ZeroDivisionError'
  | 'OverflowError'
  | 'FilterArgumentError'
  | 'TemplateSyntaxError'
  | 'TemplateAssertionError'
  | 'TemplateRuntimeError'
  | 'TemplateNotFound'
  | 'SecurityError'
  | 'Limit'

/** An error of a template: the message is Python's or Jinja's own where they have one. */
export class JinjaError extends Error {
  readonly kind: ErrorKind
  /** The undefined value that was used, for an `UndefinedError` or a refused attribute. */
  readonly subject: Undefined | undefined

  constructor(kind: ErrorKind, message: string, subject?: Undefined) {
    super(message)
    this.name = kind
    this.kind = kind
    this.subject = subject
  }
}

/** Text that is marked as safe HTML (markupsafe's `Markup`). Equal to the plain string of the same text. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A tuple; with `names` it is a named tuple of the type `type`, whose fields are also attributes. */
export class Tuple {
  readonly items: readonly Value[]
  readonly names: readonly string[] | undefined
  readonly type: string

  constructor(items: readonly Value[], named?: { readonly type: string; readonly names: readonly string[] }) {
    this.items = items
    this.names = named?.names
    this.type = named?.type ?? 'tuple'
  }
}

/** `start:stop:step` between square brackets. A part that was left out is null. */
export class Slice {
  readonly start: Value
  readonly stop: Value
  readonly step: Value

  constructor(start: Value, stop: Value, step: Value) {
    this.start = start
    this.stop = stop
    this.step = step
  }
}

/** Python's `range` object: whole numbers that are never stored. */
export class Range {
  readonly start: number
  readonly stop: number
  readonly step: number
  readonly length: number

  constructor(start: number, stop: number, step: number) {
    this.start = start
    this.stop = stop
    this.step = step
    this.length = Math.max(0, Math.ceil((stop - start) / step))
  }

  at(index: number): number {
    return this.start + index * this.step
  }
}

/**
 * What a name, attribute or item that is not there gives (Jinja2's StrictUndefined): nothing can be done with it but to
 * ask whether it is defined, or to replace it with `default`. Its message is `undefinedMessage` of text.ts.
 */
export class Undefined {
  /** A sentence that replaces the usual message. */
  readonly hint: string | undefined
  /** The value that has no such attribute or element; absent for a variable. */
  readonly owner: { readonly value: Value } | undefined
  /** The name of the variable or attribute, or the index or key. */
  readonly name: Value
  /** `SecurityError` for an attribute that exists in Python and is refused, such as `__class__`. */
  readonly kind: 'UndefinedError' | 'SecurityError'
  /** What an inline `if` without `else` gives: Jinja2's plain Undefined, which prints nothing, is false and empty. */
  readonly lenient: boolean

  constructor(of: {
    readonly name?: Value
    readonly owner?: { readonly value: Value }
    readonly hint?: string
    readonly kind?: 'SecurityError'
    readonly lenient?: boolean
  }) {
    this.name = of.name ?? null
    this.owner = of.owner
    this.hint = of.hint
    this.kind = of.kind ?? 'UndefinedError'
    this.lenient = of.lenient ?? false
  }
}

/** A function: a method bound to its value, a global, a macro. Its attributes are those that Jinja2 gives to macros. */
export class Callable {
  readonly name: string
  readonly call: (args: readonly Value[], kwargs: Kwargs, runtime: Runtime) => Value
  readonly attributes: ReadonlyMap<string, Value> | undefined
  /** Python's name of its type, for messages: `builtin_function_or_method`, `Macro`, … */
  readonly type: string
  /** What it prints: `<Macro 'x'>`, `<class 'dict'>`. Without it printing is refused: Python prints an address. */
  readonly text: string | undefined

  constructor(
    name: string,
    call: (args: readonly Value[], kwargs: Kwargs, runtime: Runtime) => Value,
    options: { readonly type?: string; readonly text?: string; readonly attributes?: ReadonlyMap<string, Value> } = {},
  ) {
    this.name = name
    this.call = call
    this.type = options.type ?? 'builtin_function_or_method'
    this.text = options.text
    this.attributes = options.attributes
  }
}

/** `namespace(…)`: attributes that `{% set ns.x = … %}` may write. */
export class Namespace {
  readonly attributes: Map<string, Value>

  constructor(attributes: Map<string, Value>) {
    this.attributes = attributes
  }
}

/** A generator: it can be walked once, and it is never printed, because Python prints its address in memory. */
export class Iter {
  /** Python's name of its type: `generator`, `list_reverseiterator`, … */
  readonly type: string
  readonly #source: Iterator<Value>

  constructor(source: Iterable<Value>, type = 'generator') {
    this.type = type
    this.#source = source[Symbol.iterator]()
  }

  next(): IteratorResult<Value> {
    return this.#source.next()
  }

  [Symbol.iterator](): this {
    return this
  }
}

/**
 * An object of Jinja's own: `loop`, `cycler`, `self`, an imported template. It shows what `get` answers and no more.
 * `text` is what it prints; without it, printing is refused.
 */
export class Thing {
  /** As in messages: `jinja2.runtime.LoopContext`. */
  readonly type: string
  readonly get: (name: string) => Value | undefined
  readonly call: ((args: readonly Value[], kwargs: Kwargs, runtime: Runtime) => Value) | undefined
  readonly text: (() => string) | undefined
  /** Whether its text is HTML, which is not escaped. */
  readonly escaped: boolean
  /** How it stands in a list, if not as `text`. */
  readonly shown: string | undefined
  readonly iterate: (() => Iterable<Value>) | undefined
  readonly length: (() => number) | undefined

  constructor(
    type: string,
    of: {
      readonly get?: (name: string) => Value | undefined
      readonly call?: (args: readonly Value[], kwargs: Kwargs, runtime: Runtime) => Value
      readonly text?: () => string
      readonly escaped?: boolean
      readonly shown?: string
      readonly iterate?: () => Iterable<Value>
      readonly length?: () => number
    },
  ) {
    this.type = type
    this.get = of.get ?? nothing
    this.call = of.call
    this.text = of.text
    this.escaped = of.escaped ?? false
    this.shown = of.shown
    this.iterate = of.iterate
    this.length = of.length
  }
}

function nothing(): undefined {
  return undefined
}

/**
 * Lines of YAML that belong below each other, from Proton's `proton_cfn_*` filters: when they are printed, the lines after
 * the first start at the column of the expression. Without lines nothing is printed, except where the expression is the
 * whole value of a key: there `empty` is, because CloudFormation takes no null.
 */
export class Aligned {
  readonly lines: readonly string[]
  readonly empty: '[]' | '{}'

  constructor(lines: readonly string[], empty: '[]' | '{}') {
    this.lines = lines
    this.empty = empty
  }
}

type Key = string | number | bigint | null | object

/**
 * A dict: insertion order, and Python's equality of keys (`1`, `1.0` and `True` are one key; a list cannot be one).
 * One that stands for a document's map is filled when it is first touched.
 */
export class Dict {
  readonly #entries = new Map<Key, Value>()
  /** The keys that are not their own lookup key. */
  #keys: Map<Key, Value> | undefined
  #source: { readonly data: DataMap; readonly known: Known } | undefined
  /** Attributes that an empty dict answers for something that is not there (see `noComponent`). */
  readonly standIns: ReadonlyMap<string, Value> | undefined

  constructor(entries: Iterable<readonly [Value, Value]> = [], standIns?: ReadonlyMap<string, Value>) {
    this.standIns = standIns
    for (const [key, value] of entries) this.set(key, value)
  }

  /** A dict that shows a document's map; `known` keeps one value for each of its maps and lists. */
  static over(data: DataMap, known: Known): Dict {
    const dict = new Dict()
    dict.#source = { data, known }
    return dict
  }

  #filled(): Map<Key, Value> {
    const source = this.#source
    if (source !== undefined) {
      this.#source = undefined
      for (const name of keysOf(source.data)) {
        const data = source.data[name]
        if (data !== undefined) this.#entries.set(lookupKey(name), convert(data, source.known))
        if (name.startsWith('\0')) this.#remember(name)
      }
    }
    return this.#entries
  }

  #remember(key: Value): void {
    this.#keys ??= new Map()
    const lookup = lookupKey(key)
    if (!this.#keys.has(lookup)) this.#keys.set(lookup, key)
  }

  get size(): number {
    return this.#filled().size
  }

  /** Throws a TypeError for a key that cannot be hashed. */
  get(key: Value): Value | undefined {
    return this.#filled().get(lookupKey(key))
  }

  has(key: Value): boolean {
    return this.#filled().has(lookupKey(key))
  }

  /** A key that is there already keeps its place and its first spelling, as in Python. */
  set(key: Value, value: Value): void {
    const lookup = lookupKey(key)
    const entries = this.#filled()
    const plain = lookup === key && (lookup === null || typeof lookup !== 'object')
    if (!plain && !entries.has(lookup)) this.#remember(key)
    entries.set(lookup, value)
  }

  delete(key: Value): boolean {
    const lookup = lookupKey(key)
    this.#keys?.delete(lookup)
    return this.#filled().delete(lookup)
  }

  clear(): void {
    this.#filled().clear()
    this.#keys = undefined
  }

  *keys(): IterableIterator<Value> {
    for (const lookup of this.#filled().keys()) yield this.#spelled(lookup)
  }

  values(): IterableIterator<Value> {
    return this.#filled().values()
  }

  *entries(): IterableIterator<[Value, Value]> {
    for (const [lookup, value] of this.#filled()) yield [this.#spelled(lookup), value]
  }

  #spelled(lookup: Key): Value {
    const spelled = this.#keys?.get(lookup)
    if (spelled !== undefined) return spelled
    if (typeof lookup === 'object' && lookup !== null) throw new Error('a key of a dict lost its spelling')
    return lookup
  }
}

/** What `d.keys()`, `d.values()` and `d.items()` give: a view, which follows the dict. */
export class DictView {
  readonly kind: 'keys' | 'values' | 'items'
  readonly dict: Dict

  constructor(kind: 'keys' | 'values' | 'items', dict: Dict) {
    this.kind = kind
    this.dict = dict
  }
}

const deepestKey = 100

/** The key that all plain Undefined values are: they are equal. */
const nothingAtAll = {}

function lookupKey(key: Value, depth = 0): Key {
  if (typeof key === 'string') return key.startsWith('\0') ? `\0s${key}` : key
  if (key === null || typeof key === 'number') return key
  if (typeof key === 'bigint') return whole(key)
  if (typeof key === 'boolean') return key ? 1 : 0
  if (key instanceof Markup) return lookupKey(key.text)
  if (key instanceof Float) {
    const number = key.value
    if (Number.isNaN(number)) return key
    return Number.isInteger(number) && !Number.isSafeInteger(number) ? BigInt(number) : number
  }
  if (key instanceof Tuple) {
    if (depth > deepestKey) throw new JinjaError('Limit', 'a key of a dict is nested too deeply')
    let text = '\0t'
    for (const item of key.items) {
      const part = lookupKey(item, depth + 1)
      if (typeof part === 'object' && part !== null) {
        throw new JinjaError('TypeError', 'a tuple that is a key of a dict may hold only texts, numbers and tuples')
      }
      const spelled = `${typeof part} ${String(part)}`
      text += `${spelled.length} ${spelled}`
    }
    return text
  }
  if (key instanceof Undefined && key.lenient) return nothingAtAll
  if (Array.isArray(key)) throw new JinjaError('TypeError', "unhashable type: 'list'")
  if (key instanceof Dict) throw new JinjaError('TypeError', "unhashable type: 'dict'")
  if (key instanceof Slice) throw new JinjaError('TypeError', "unhashable type: 'slice'")
  if (key instanceof DictView && key.kind !== 'values') {
    throw new JinjaError('TypeError', `unhashable type: 'dict_${key.kind}'`)
  }
  return key
}

/** The one form of a whole number: a `number` where it is safe, otherwise a `bigint`. */
export function whole(value: bigint): number | bigint {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value
}

type Known = Map<object, Value>

/**
 * The value of a document's data. Maps are filled when first touched; a map or list that occurs twice is one value, as in
 * Python. The data is never changed: what a template appends to a list is seen by that rendering alone.
 */
export function fromData(data: Data): Value {
  return convert(data, new Map())
}

/** The variables of one rendering: the data's top level, then `extra`, which wins. */
export function contextOf(data: DataMap, extra?: ReadonlyMap<string, Value>): Map<string, Value> {
  const known: Known = new Map()
  const variables = new Map<string, Value>()
  for (const name of keysOf(data)) {
    const value = data[name]
    if (value !== undefined) variables.set(name, convert(value, known))
  }
  for (const [name, value] of extra ?? []) variables.set(name, value)
  return variables
}

/**
 * Proton's stand-ins for a component that is not there: `service_instance.components` and
 * `components.default` print `{}`, are false and have no length, and yet `.default` and `.outputs` can be asked for. They
 * are recognised by identity; put them into a context as they are.
 */
export const noComponent: DataMap = Object.freeze(mapOf())
export const noComponents: DataMap = Object.freeze(mapOf())

function convert(data: Data, known: Known): Value {
  if (typeof data === 'number') return Number.isSafeInteger(data) ? data : new Float(data)
  if (typeof data === 'bigint') return whole(data)
  if (data === null || typeof data !== 'object' || data instanceof Float) return data
  const before = known.get(data)
  if (before !== undefined) return before
  if (isList(data)) {
    const list: Value[] = []
    known.set(data, list)
    for (const item of data) list.push(convert(item, known))
    return list
  }
  const dict = dictOf(data, known)
  known.set(data, dict)
  return dict
}

function dictOf(data: DataMap, known: Known): Dict {
  if (data === noComponent) return new Dict([], new Map([['outputs', new Dict()]]))
  if (data === noComponents) return new Dict([], new Map([['default', convert(noComponent, known)]]))
  return Dict.over(data, known)
}
