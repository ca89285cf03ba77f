/**
 * Expressions as closures. Each node of the tree becomes one function that is called with the activation of its routine;
 * nothing is generated and nothing is evaluated as code. With spans, lookups also say which reference they are.
 */
import { failAt } from './errors.ts'
import type { Spot } from './errors.ts'
import { Literal, isFolded } from './nodes.ts'
import type {
  Arguments,
  Attribute,
  Call,
  Compare,
  Concat,
  DictNode,
  Expression,
  FilterNode,
  Item,
  Name,
  TestNode,
} from './nodes.ts'
import { callValue, dictOf, isTrue, iterate, slicedBy } from './objects.ts'
import { binary, compare, concat, getAttribute, getItem, unary } from './operators.ts'
import type { Activation, Rendering, Site } from './rendering.ts'
import type { Frame, Ref } from './scope.ts'
import { step } from './spans.ts'
import type { Mark, Tracer } from './spans.ts'
import { typeName } from './text.ts'
import { Callable, Dict, Float, JinjaError, Markup, Namespace, Slice, Tuple, Undefined, noKwargs } from './values.ts'
import type { Filter, Kwargs, Test, Value } from './values.ts'

export type Evaluate = (activation: Activation) => Value

/** What the compiler of expressions is given, and what it counts. */
export type Setting = {
  readonly file: string
  /** Offsets of the line starts of the source. */
  readonly starts: readonly number[]
  readonly filters: ReadonlyMap<string, Filter>
  readonly tests: ReadonlyMap<string, Test>
  /** Whether closures note what they look up. */
  readonly traced: boolean
}

/** A function that is a part of a template: its arguments may carry marks. */
export class TemplateFunction extends Callable {}

export function tracerOf(rendering: Rendering): Tracer {
  if (rendering.tracer === undefined) throw new Error('a traced template needs a tracer')
  return rendering.tracer
}

export class Expressions {
  readonly #setting: Setting
  /** Nodes compiled so far: what they cost. */
  nodes = 0
  /** How deep the closures lie in each other now, and at most. */
  level = 0
  deepest = 0

  constructor(setting: Setting) {
    this.#setting = setting
  }

  site(spot: Spot): Site {
    const { file, starts } = this.#setting
    const { lineno, colno } = spot
    return { file, line: lineno + 1, column: colno + 1, offset: (starts[lineno] ?? 0) + colno }
  }

  /** Where an expression begins. */
  start(node: Expression): Site {
    return this.site(leftmost(node))
  }

  /** The place of a lookup, with the reference as it is written. */
  #lookupSite(node: Name | Attribute | Item): Site {
    const path = writtenPath(node)
    return path === undefined ? this.site(node) : { ...this.site(node), path }
  }

  sink(): void {
    this.level += 1
    if (this.level > this.deepest) this.deepest = this.level
  }

  rise(): void {
    this.level -= 1
  }

  compile(node: Expression, frame: Frame): Evaluate {
    this.nodes += 1
    this.sink()
    const result = this.#compile(node, frame)
    this.rise()
    return result
  }

  /** As `compile`, and the mark of the value is left in the tracer. Only for traced templates. */
  observed(node: Expression, frame: Frame): Evaluate {
    const evaluate = isReference(node) ? this.#reference(node, frame) : this.compile(node, frame)
    return (activation) => {
      const tracer = tracerOf(activation.rendering)
      const before = tracer.begin()
      const value = evaluate(activation)
      const captured = tracer.captured !== undefined && tracer.captured.text === value ? tracer.captured : undefined
      tracer.mark = {
        path: tracer.path,
        references: tracer.references.size > 0 ? [...tracer.references] : undefined,
        captured,
        calledOn: node.kind === 'call' ? tracer.calledOn : undefined,
      }
      tracer.references = before
      tracer.path = undefined
      return value
    }
  }

  #compile(node: Expression, frame: Frame): Evaluate {
    switch (node.kind) {
      case 'literal': {
        const { value } = node
        return () => value
      }
      case 'name':
      case 'attribute':
      case 'item': {
        if (!this.#setting.traced) return this.#lookup(node, frame)
        const evaluate = this.#reference(node, frame)
        return (activation) => {
          const value = evaluate(activation)
          tracerOf(activation.rendering).commit()
          return value
        }
      }
      case 'tuple': {
        const items = this.#all(node.children.filter(isExpression), frame)
        return (activation) => new Tuple(items.map((item) => item(activation)))
      }
      case 'list': {
        const items = this.#all(node.children, frame)
        return (activation) => items.map((item) => item(activation))
      }
      case 'dict':
        return this.#dict(node, frame)
      case 'slice': {
        const [start, stop, end] = [node.start, node.stop, node.step].map((part) =>
          part === null ? nothing : this.compile(part, frame),
        )
        if (start === undefined || stop === undefined || end === undefined) throw new Error('a slice has three parts')
        return (activation) => new Slice(start(activation), stop(activation), end(activation))
      }
      case 'conditional':
        return this.#conditional(node, frame)
      case 'logic': {
        const goesOn = node.op === 'and'
        const left = this.compile(node.left, frame)
        // Jinja2 drops what a literal decides: a filter there need not exist.
        const known = decided(node.left)
        if (known !== undefined && isTrue(known.value) !== goesOn) return left
        const right = this.compile(node.right, frame)
        const site = this.site(node.left)
        return (activation) => {
          const value = left(activation)
          activation.rendering.site = site
          return isTrue(value) === goesOn ? right(activation) : value
        }
      }
      case 'not': {
        const target = this.compile(node.target, frame)
        const site = this.site(node)
        return (activation) => {
          const value = target(activation)
          activation.rendering.site = site
          return !isTrue(value)
        }
      }
      case 'binary': {
        const left = this.compile(node.left, frame)
        const right = this.compile(node.right, frame)
        const site = this.site(node)
        const { op } = node
        // Jinja2 writes what it has worked out as it prints, and Python reads `-1 ** x` as `-(1 ** x)`.
        const bare = op === '**' && frame.escape !== 'volatile' && isFolded(node.left) && !isFolded(node.right)
        return (activation) => {
          const a = left(activation)
          const b = right(activation)
          activation.rendering.site = site
          if (typeof a === 'bigint' || typeof b === 'bigint') activation.rendering.spend(bigCost)
          if (bare && isNegative(a)) return unary('-', binary(op, unary('-', a), b, activation.rendering))
          return binary(op, a, b, activation.rendering)
        }
      }
      case 'sign': {
        const target = this.compile(node.target, frame)
        const site = this.site(node)
        const { op } = node
        return (activation) => {
          const value = target(activation)
          activation.rendering.site = site
          return unary(op, value)
        }
      }
      case 'concat':
        return this.#concat(node, frame)
      case 'compare':
        return this.#compare(node, frame)
      case 'call':
        return this.#call(node, frame, undefined)
      case 'filter':
        return this.#filter(node, frame)
      case 'test':
        return this.#test(node, frame)
    }
  }

  #all(nodes: readonly Expression[], frame: Frame): Evaluate[] {
    return nodes.map((node) => this.compile(node, frame))
  }

  // Lookups without spans.

  #lookup(node: Name | Attribute | Item, frame: Frame): Evaluate {
    if (node.kind === 'name') return this.#name(node, frame)
    const target = this.compile(node.target, frame)
    const site = this.#lookupSite(node)
    if (node.kind === 'attribute') {
      const { val } = node
      return (activation) => {
        const owner = target(activation)
        activation.rendering.site = site
        return located(getAttribute(owner, val), activation.rendering)
      }
    }
    const key = this.compile(node.val, frame)
    if (node.val.kind === 'slice') {
      return (activation) => {
        const owner = target(activation)
        const value = key(activation)
        activation.rendering.site = site
        if (!(value instanceof Slice)) throw new Error('a slice is a slice')
        payForText(owner, activation.rendering)
        return slicedBy(owner, value, activation.rendering)
      }
    }
    return (activation) => {
      const owner = target(activation)
      const value = key(activation)
      activation.rendering.site = site
      payForText(owner, activation.rendering)
      return located(getItem(owner, value), activation.rendering)
    }
  }

  #name(node: Name, frame: Frame): Evaluate {
    const name = node.value
    const ref = frame.symbols.ref(name)
    const { slot } = ref
    const site = this.#lookupSite(node)
    const missing = (activation: Activation): Value => {
      activation.rendering.site = site
      return located(new Undefined({ name }), activation.rendering)
    }
    const hops = hopsTo(ref, frame)
    if (hops === 0) {
      return (activation) => {
        const value = activation.slots[slot]
        return value === undefined ? missing(activation) : value
      }
    }
    return (activation) => {
      const value = above(activation, hops).slots[slot]
      return value === undefined ? missing(activation) : value
    }
  }

  // Lookups with spans: the path of the value is left in the tracer.

  #reference(node: Name | Attribute | Item, frame: Frame): Evaluate {
    this.nodes += 1
    this.sink()
    const result = node.kind === 'name' ? this.#namePath(node, frame) : this.#memberPath(node, frame)
    this.rise()
    return result
  }

  #namePath(node: Name, frame: Frame): Evaluate {
    const evaluate = this.#name(node, frame)
    const ref = frame.symbols.ref(node.value)
    const hops = hopsTo(ref, frame)
    return (activation) => {
      tracerOf(activation.rendering).follow(above(activation, hops).marks[ref.slot])
      return evaluate(activation)
    }
  }

  #memberPath(node: Attribute | Item, frame: Frame): Evaluate {
    const { target } = node
    const owner = isReference(target) ? this.#reference(target, frame) : this.compile(target, frame)
    const known = isReference(target)
    const site = this.#lookupSite(node)
    const key =
      node.kind === 'attribute'
        ? this.compile(new Literal(node.lineno, node.colno, node.val), frame)
        : this.compile(node.val, frame)
    const isAttribute = node.kind === 'attribute'
    return (activation) => {
      const { rendering } = activation
      const tracer = tracerOf(rendering)
      const value = owner(activation)
      const path = known ? tracer.path : undefined
      tracer.path = undefined
      const part = key(activation)
      rendering.site = site
      if (!isAttribute) payForText(value, rendering)
      let result: Value
      if (isAttribute && typeof part === 'string') {
        result = getAttribute(value, part)
        if (value instanceof Namespace) tracer.followAttribute(value, part)
      } else if (part instanceof Slice) result = slicedBy(value, part, rendering)
      else result = getItem(value, part)
      if (path !== undefined) {
        const steps = (typeof part === 'string' || typeof part === 'number') && !(result instanceof Callable)
        tracer.path = steps ? path + step(part) : path
      }
      return located(result, rendering)
    }
  }

  // The rest.

  #dict(node: DictNode, frame: Frame): Evaluate {
    const pairs = node.children
    const keys = this.#all(
      pairs.map((pair) => pair.key),
      frame,
    )
    const values = this.#all(
      pairs.map((pair) => pair.value),
      frame,
    )
    const site = this.site(node)
    return (activation) => {
      const entries: [Value, Value][] = []
      for (const [index, key] of keys.entries()) entries.push([key(activation), values[index]?.(activation) ?? null])
      activation.rendering.site = site
      return dictOf(entries)
    }
  }

  #conditional(node: Expression & { readonly kind: 'conditional' }, outer: Frame): Evaluate {
    const frame = { ...outer, soft: true }
    const condition = this.compile(node.cond, frame)
    const body = this.compile(node.body, frame)
    const site = this.site(node.cond)
    const hint =
      `the inline if-expression on line ${node.lineno + 1} in '${this.#setting.file}' evaluated to false and no else ` +
      'section was defined.'
    const otherwise =
      node.else_ === null ? (): Value => new Undefined({ hint, lenient: true }) : this.compile(node.else_, frame)
    return (activation) => {
      const value = condition(activation)
      activation.rendering.site = site
      return isTrue(value) ? body(activation) : otherwise(activation)
    }
  }

  #concat(node: Concat, frame: Frame): Evaluate {
    const items = this.#all(node.children, frame)
    const site = this.site(node)
    return (activation) => {
      const { rendering } = activation
      const values = items.map((item) => item(activation))
      rendering.site = site
      return concat(values, rendering)
    }
  }

  #compare(node: Compare, frame: Frame): Evaluate {
    const first = this.compile(node.expr, frame)
    const operands = node.ops.map((operand) => ({
      op: operand.type,
      site: this.site(operand),
      evaluate: this.compile(operand.expr, frame),
    }))
    const [only, second] = operands
    if (only !== undefined && second === undefined) {
      const { op, site, evaluate } = only
      return (activation) => {
        const left = first(activation)
        const right = evaluate(activation)
        activation.rendering.site = site
        payFor(left, right, activation.rendering)
        return compare(op, left, right, activation.rendering)
      }
    }
    return (activation) => {
      let left = first(activation)
      for (const { op, site, evaluate } of operands) {
        const right = evaluate(activation)
        activation.rendering.site = site
        payFor(left, right, activation.rendering)
        if (!compare(op, left, right, activation.rendering)) return false
        left = right
      }
      return true
    }
  }

  /** A call; `caller` is the body of a call block. */
  call(node: Call, frame: Frame, caller: Evaluate): Evaluate {
    this.nodes += 1
    this.sink()
    const result = this.#call(node, frame, caller)
    this.rise()
    return result
  }

  #call(node: Call, frame: Frame, caller: Evaluate | undefined): Evaluate {
    const site = this.site(node.name.kind === 'literal' ? node : node.name)
    if (this.#setting.traced) return this.#tracedCall(node, frame, caller)
    const callee = this.compile(node.name, frame)
    const args = this.#arguments(node.args, frame, caller)
    const { positional } = args
    if (args.keywords === undefined && args.list === undefined) {
      return (activation) => {
        const value = callee(activation)
        const values = positional.map((item) => item(activation))
        activation.rendering.site = site
        return paid(value, callValue(value, values, noKwargs, activation.rendering), activation.rendering)
      }
    }
    return (activation) => {
      const value = callee(activation)
      const values = listed(args, activation)
      const kwargs = args.keywords?.(activation) ?? noKwargs
      activation.rendering.site = site
      return paid(value, callValue(value, values, kwargs, activation.rendering), activation.rendering)
    }
  }

  #tracedCall(node: Call, frame: Frame, caller: Evaluate | undefined): Evaluate {
    const site = this.site(node.name.kind === 'literal' ? node : node.name)
    const known = isReference(node.name)
    const callee = isReference(node.name) ? this.#reference(node.name, frame) : this.compile(node.name, frame)
    const positional = node.args.positional.map((arg) => this.observed(arg, frame))
    const keyword = node.args.keyword.map(([name, value]) => [name, this.observed(value, frame)] as const)
    const rest = this.#arguments(
      { positional: [], keyword: [], list: node.args.list, map: node.args.map },
      frame,
      caller,
    )
    return (activation) => {
      const { rendering } = activation
      const tracer = tracerOf(rendering)
      const value = callee(activation)
      const on = known ? tracer.path : undefined
      tracer.commit()
      const marks: (Mark | undefined)[] = []
      const values: Value[] = []
      for (const evaluate of positional) {
        values.push(evaluate(activation))
        marks.push(tracer.mark)
      }
      values.push(...listed(rest, activation))
      const named = new Map<string, Value>()
      const namedMarks = new Map<string, Mark | undefined>()
      for (const [name, evaluate] of keyword) {
        named.set(name, evaluate(activation))
        namedMarks.set(name, tracer.mark)
      }
      for (const [name, item] of rest.keywords?.(activation) ?? noKwargs) {
        if (named.has(name)) throw repeated(name)
        named.set(name, item)
      }
      const isOurs = value instanceof TemplateFunction
      if (isOurs) tracer.passed = { positional: marks, keyword: namedMarks }
      else for (const mark of [...marks, ...namedMarks.values()]) tracer.use(mark)
      rendering.site = site
      const result = callValue(value, values, named, rendering)
      tracer.passed = undefined
      tracer.calledOn = on
      return located(result, rendering)
    }
  }

  #arguments(args: Arguments, frame: Frame, caller: Evaluate | undefined): CompiledArguments {
    const positional = this.#all(args.positional, frame)
    const list = args.list === null ? undefined : this.compile(args.list, frame)
    const named = args.keyword.map(([name, value]) => [name, this.compile(value, frame)] as const)
    const map = args.map === null ? undefined : this.compile(args.map, frame)
    if (caller !== undefined) named.push(['caller', caller])
    if (named.length === 0 && map === undefined) return { positional, list, keywords: undefined }
    const keywords = (activation: Activation): Kwargs => {
      const result = new Map<string, Value>()
      for (const [name, evaluate] of named) result.set(name, evaluate(activation))
      if (map !== undefined) spread(map(activation), result)
      return result
    }
    return { positional, list, keywords }
  }

  #filter(node: FilterNode, frame: Frame): Evaluate {
    const { name } = node
    const filter = this.#setting.filters.get(name)
    if (filter === undefined && !frame.soft) failAt('TemplateAssertionError', `No filter named '${name}'.`, node)
    const target = node.target === null ? filteredText(frame) : this.compile(node.target, frame)
    const args = this.#arguments(node.args, frame, undefined)
    const { positional } = args
    const site = this.site(node)
    const run: Filter = filter ?? unknownName(`No filter named '${name}' found.`)
    if (args.keywords === undefined && args.list === undefined) {
      return (activation) => {
        const value = target(activation)
        const values = positional.map((item) => item(activation))
        activation.rendering.site = site
        return paid(value, run(value, values, noKwargs, activation.rendering), activation.rendering)
      }
    }
    return (activation) => {
      const value = target(activation)
      const values = listed(args, activation)
      const kwargs = args.keywords?.(activation) ?? noKwargs
      activation.rendering.site = site
      return paid(value, run(value, values, kwargs, activation.rendering), activation.rendering)
    }
  }

  #test(node: TestNode, frame: Frame): Evaluate {
    const name = node.right
    const test = this.#setting.tests.get(name)
    if (test === undefined && !frame.soft) failAt('TemplateAssertionError', `No test named '${name}'.`, node)
    const left = this.compile(node.left, frame)
    const args = this.#arguments(node.args, frame, undefined)
    const site = this.site(node)
    const run: Test = test ?? unknownName(`No test named '${name}' found.`)
    return (activation) => {
      const value = left(activation)
      const values = listed(args, activation)
      const kwargs = args.keywords?.(activation) ?? noKwargs
      activation.rendering.site = site
      return run(value, values, kwargs, activation.rendering)
    }
  }
}

type CompiledArguments = {
  readonly positional: readonly Evaluate[]
  readonly list: Evaluate | undefined
  readonly keywords: ((activation: Activation) => Kwargs) | undefined
}

function listed(args: CompiledArguments, activation: Activation): Value[] {
  const values = args.positional.map((item) => item(activation))
  if (args.list === undefined) return values
  for (const item of iterate(args.list(activation))) {
    activation.rendering.spend(1)
    values.push(item)
  }
  return values
}

/** `**map` in a call. */
function spread(map: Value, into: Map<string, Value>): void {
  if (!(map instanceof Dict)) {
    if (map instanceof Undefined) iterate(map)
    throw new JinjaError('TypeError', `argument after ** must be a mapping, not ${typeName(map)}`)
  }
  for (const [key, value] of map.entries()) {
    if (typeof key !== 'string') throw new JinjaError('TypeError', 'keywords must be strings')
    if (into.has(key)) throw repeated(key)
    into.set(key, value)
  }
}

function repeated(name: string): JinjaError {
  return new JinjaError('TypeError', `got multiple values for keyword argument '${name}'`)
}

function nothing(): null {
  return null
}

function unknownName(message: string): (value: Value, args: readonly Value[], kwargs: Kwargs) => never {
  return (_value, _args, kwargs) => {
    const [keyword] = kwargs.keys()
    if (keyword !== undefined) throw new JinjaError('TypeError', `${message} It got the keyword argument ${keyword}.`)
    throw new JinjaError('TemplateRuntimeError', message)
  }
}

/** What arithmetic with a whole number beyond 2^53 costs; how long such a number may be is bounded. */
const bigCost = 500

/** Walking a long text, or making one, costs in proportion. */
function paid(given: Value, result: Value, rendering: Rendering): Value {
  if (typeof given === 'string' && given.length > 64) rendering.spend(given.length >> 5)
  if (typeof result === 'string') {
    if (result.length > 64) rendering.spend(result.length >> 5)
  } else if (typeof given === 'bigint' || typeof result === 'bigint') rendering.spend(bigCost)
  return located(result, rendering)
}

/** Counting the characters of a text walks it. */
function payForText(owner: Value, rendering: Rendering): void {
  if (typeof owner === 'string' && owner.length > 64) rendering.spend(owner.length >> 4)
}

/** Comparing long texts is work. */
function payFor(left: Value, right: Value, rendering: Rendering): void {
  if (typeof left !== 'string' || typeof right !== 'string') return
  const length = Math.min(left.length, right.length)
  if (length > 64) rendering.spend(length >> 5)
}

/** The text of the block that a filter block stands around. */
function filteredText(frame: Frame): Evaluate {
  const { escape } = frame
  return (activation) => {
    const { filtered } = activation.rendering
    const markup = escape === 'volatile' ? activation.context.autoescape : escape
    return markup ? new Markup(filtered) : filtered
  }
}

/** Whether a number prints with a minus. */
function isNegative(value: Value): boolean {
  if (value instanceof Float) return value.value < 0 || Object.is(value.value, -0)
  return (typeof value === 'number' || typeof value === 'bigint') && value < 0
}

/** The literal that a chain of `and` and `or` ends at, if literals alone decide it. */
function decided(node: Expression): Literal | undefined {
  if (node.kind === 'literal') return node
  const left = node.kind === 'logic' ? decided(node.left) : undefined
  if (node.kind !== 'logic' || left === undefined) return undefined
  return isTrue(left.value) === (node.op === 'and') ? decided(node.right) : left
}

function isReference(node: Expression): node is Name | Attribute | Item {
  return node.kind === 'name' || node.kind === 'attribute' || node.kind === 'item'
}

function isExpression(node: { readonly kind: string }): node is Expression {
  return node.kind !== 'namespace'
}

/** The part of an expression that is written first. */
function leftmost(node: Expression): Spot {
  switch (node.kind) {
    case 'attribute':
    case 'item':
      return leftmost(node.target)
    case 'call':
      return leftmost(node.name)
    case 'filter':
      return node.target === null ? node : leftmost(node.target)
    case 'test':
    case 'binary':
    case 'logic':
      return leftmost(node.left)
    case 'compare':
      return leftmost(node.expr)
    case 'conditional':
      return leftmost(node.body)
    case 'concat':
    case 'tuple': {
      const [first] = node.children
      return first === undefined || first.kind === 'namespace' ? node : leftmost(first)
    }
    default:
      return node
  }
}

/** `a.b[0]` as it is written, if nothing in it has to be evaluated. */
function writtenPath(node: Expression): string | undefined {
  if (node.kind === 'name') return node.value
  if (node.kind !== 'attribute' && node.kind !== 'item') return undefined
  const before = writtenPath(node.target)
  if (before === undefined) return undefined
  if (node.kind === 'attribute') return `${before}.${node.val}`
  if (node.val.kind !== 'literal') return undefined
  const { value } = node.val
  return typeof value === 'string' || typeof value === 'number' ? before + step(value) : undefined
}

/** How many routines lie between a frame and the variable. */
export function hopsTo(ref: Ref, frame: Frame): number {
  let hops = 0
  for (let routine = frame.routine; routine !== ref.routine; hops += 1) {
    if (routine.outer === undefined) throw new Error(`the variable ${ref.name} is of no routine around`)
    routine = routine.outer
  }
  return hops
}

export function above(activation: Activation, hops: number): Activation {
  let result = activation
  for (let hop = 0; hop < hops; hop += 1) {
    if (result.outer === undefined) throw new Error('an activation without the one around it')
    result = result.outer
  }
  return result
}

/** Remembers where an undefined value came to be. */
function located(value: Value, rendering: Rendering): Value {
  if (typeof value === 'object' && value instanceof Undefined && rendering.site !== undefined) {
    if (!rendering.undefinedAt.has(value)) rendering.undefinedAt.set(value, rendering.site)
  }
  return value
}
