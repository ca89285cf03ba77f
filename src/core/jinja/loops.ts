/**
 * Walking values: one element after the other, several at once into targets, and the special variable `loop`
 * (jinja2/runtime.py's LoopContext), which says where a loop is and what comes next.
 */
import { equal, iterate, sizeOf } from './objects.ts'
import type { Rendering } from './rendering.ts'
import { typeName, undefinedError } from './text.ts'
import { Callable, Dict, JinjaError, Namespace, Range, Thing, Tuple, Undefined } from './values.ts'
import type { Value } from './values.ts'

/** Gives the next element, or undefined at the end. */
export type Pull = () => Value | undefined

/** Walks a value as Python's `iter` does: a list is read by index, so that what is appended meanwhile is seen. */
export function pullFrom(value: Value): Pull {
  let index = 0
  if (Array.isArray(value)) {
    return () => {
      const item = value[index]
      index += 1
      return item
    }
  }
  const iterator = iterate(value)[Symbol.iterator]()
  return () => {
    const result = iterator.next()
    return result.done === true ? undefined : result.value
  }
}

export class Loop {
  readonly thing: Thing
  readonly #rendering: Rendering
  readonly #sized: Value | undefined
  readonly #depth: number
  readonly #recurse: ((iterated: Value, depth: number) => Value) | undefined
  #pull: Pull
  #index = -1
  #before: Value | undefined = undefined
  #current: Value | undefined = undefined
  #after: Value | undefined = undefined
  #length: number | undefined = undefined
  #changed: Tuple | undefined = undefined

  /** `sized` is the value that is walked, unless a condition hides its length. `depth` counts recursion from 0. */
  constructor(
    rendering: Rendering,
    of: {
      readonly pull: Pull
      readonly sized: Value | undefined
      readonly depth: number
      readonly recurse: ((iterated: Value, depth: number) => Value) | undefined
    },
  ) {
    this.#rendering = rendering
    this.#pull = of.pull
    this.#sized = of.sized
    this.#depth = of.depth
    this.#recurse = of.recurse
    this.thing = new Thing('jinja2.runtime.LoopContext', {
      get: (name) => this.#get(name),
      call: (args, kwargs) => this.#call(args, kwargs),
      text: () => `<LoopContext ${this.#index + 1}/${this.#size()}>`,
      iterate: () => this.#rest(),
      length: () => this.#size(),
    })
  }

  /** The index of the element that `next` gave last. */
  get index(): number {
    return this.#index
  }

  next(): Value | undefined {
    const item = this.#after === undefined ? this.#pull() : this.#after
    this.#after = undefined
    if (item === undefined) return undefined
    this.#index += 1
    this.#before = this.#current
    this.#current = item
    return item
  }

  #peek(): Value | undefined {
    if (this.#after === undefined) this.#after = this.#pull()
    return this.#after
  }

  #size(): number {
    if (this.#length !== undefined) return this.#length
    const size = this.#sized === undefined ? undefined : sizeOf(this.#sized)
    if (size !== undefined) {
      this.#length = size
      return size
    }
    const rest: Value[] = []
    for (let item = this.#pull(); item !== undefined; item = this.#pull()) {
      this.#rendering.spend(1)
      this.#rendering.size(rest.length)
      rest.push(item)
    }
    this.#pull = pullFrom(rest)
    this.#length = rest.length + this.#index + 1 + (this.#after === undefined ? 0 : 1)
    return this.#length
  }

  #get(name: string): Value | undefined {
    switch (name) {
      case 'index':
        return this.#index + 1
      case 'index0':
        return this.#index
      case 'first':
        return this.#index === 0
      case 'last':
        return this.#peek() === undefined
      case 'length':
        return this.#size()
      case 'revindex':
        return this.#size() - this.#index
      case 'revindex0':
        return this.#size() - this.#index - 1
      case 'depth':
        return this.#depth + 1
      case 'depth0':
        return this.#depth
      case 'previtem':
        if (this.#index === 0) return new Undefined({ hint: 'there is no previous item' })
        return this.#before
      case 'nextitem': {
        const next = this.#peek()
        return next === undefined ? new Undefined({ hint: 'there is no next item' }) : next
      }
      case 'cycle':
        return new Callable('cycle', (args, kwargs) => this.#cycle(args, kwargs), { type: 'method' })
      case 'changed':
        return new Callable('changed', (args, kwargs) => this.#isChanged(args, kwargs), { type: 'method' })
      default:
        return undefined
    }
  }

  #cycle(args: readonly Value[], kwargs: ReadonlyMap<string, Value>): Value {
    refuseKeywords('LoopContext.cycle', kwargs)
    const item = args[this.#index % args.length]
    if (item === undefined) throw new JinjaError('TypeError', 'no items for cycling given')
    return item
  }

  #isChanged(args: readonly Value[], kwargs: ReadonlyMap<string, Value>): Value {
    refuseKeywords('LoopContext.changed', kwargs)
    const now = new Tuple([...args])
    if (this.#changed !== undefined && equal(this.#changed, now, this.#rendering)) return false
    this.#changed = now
    return true
  }

  #call(args: readonly Value[], kwargs: ReadonlyMap<string, Value>): Value {
    const iterated = args[0] ?? (args[0] === null ? null : kwargs.get('iterable'))
    if (iterated === undefined || args.length + kwargs.size !== 1) {
      throw new JinjaError(
        'TypeError',
        `LoopContext.__call__() takes 2 positional arguments but ${args.length + 1} were given`,
      )
    }
    if (this.#recurse === undefined) {
      throw new JinjaError('TypeError', "The loop must have the 'recursive' marker to be called recursively.")
    }
    return this.#recurse(iterated, this.#depth + 1)
  }

  *#rest(): Iterable<Value> {
    for (let item = this.next(); item !== undefined; item = this.next()) yield new Tuple([item, this.thing])
  }
}

function refuseKeywords(name: string, kwargs: ReadonlyMap<string, Value>): void {
  for (const [keyword] of kwargs) {
    throw new JinjaError('TypeError', `${name}() got an unexpected keyword argument '${keyword}'`)
  }
}

/** Python's unpacking of a value into so many targets. */
export function unpack(value: Value, count: number, rendering: Rendering): Value[] {
  if (!isIterable(value)) throw new JinjaError('TypeError', `cannot unpack non-iterable ${typeName(value)} object`)
  const values: Value[] = []
  for (const item of iterate(value)) {
    if (values.length === count) {
      throw new JinjaError('ValueError', `too many values to unpack (expected ${count})`)
    }
    values.push(item)
  }
  rendering.spend(count)
  if (values.length < count) {
    throw new JinjaError('ValueError', `not enough values to unpack (expected ${count}, got ${values.length})`)
  }
  return values
}

function isIterable(value: Value): boolean {
  if (value === null || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return false
  if (value instanceof Undefined) throw undefinedError(value)
  if (typeof value === 'string' || Array.isArray(value)) return true
  if (value instanceof Thing) return value.iterate !== undefined
  return (
    value instanceof Dict ||
    value instanceof Tuple ||
    value instanceof Range ||
    !(value instanceof Callable || value instanceof Namespace)
  )
}
