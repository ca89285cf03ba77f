/** One rendering: its variables, its output, what it has spent, and where it is. */
import type { Place } from '../problem.ts'
import type { Mark, Tracer } from './spans.ts'
import { JinjaError, Undefined } from './values.ts'
import type { Filter, Runtime, Test, Thing, Value } from './values.ts'

/** What a rendering may use up. Each bound is the same on every machine; none is a time. */
export type Limits = {
  /** Characters of a template. */
  readonly source: number
  /** Tokens of a template. */
  readonly tokens: number
  /** How deep tags and parentheses may lie in each other. */
  readonly depth: number
  /** Nodes walked, elements visited, and so on: the work of a whole rendering. */
  readonly steps: number
  /** Characters of the rendered text. */
  readonly output: number
  /** Characters of any other text, and elements of any list. */
  readonly size: number
  /** Macros, includes, blocks and recursive loops that may be under way at one time. */
  readonly calls: number
}

export const defaultLimits: Limits = {
  source: 256 * 1024,
  tokens: 60_000,
  depth: 64,
  steps: 2_000_000,
  output: 4 * 1024 * 1024,
  size: 1024 * 1024,
  calls: 200,
}

/** How many closures may be on the stack at one time. V8's smallest usual stack holds several times as many. */
const deepest = 1500

/** A node's place, kept for errors and spans. */
export type Site = Place & { readonly offset: number; readonly path?: string }

/** The calls that are under way, innermost first. */
export type Call = { readonly site: Site; readonly note: string; readonly outer: Call | undefined }

/** Variables by name: the data of the rendering, the globals, and what a template sees of its includer. */
export interface Lookup {
  get(name: string): Value | undefined
  names(): Iterable<string>
  mark(name: string): Mark | undefined
}

export class Rendering implements Runtime {
  readonly filters: ReadonlyMap<string, Filter>
  readonly tests: ReadonlyMap<string, Test>
  readonly limits: Limits
  autoescape = false
  text = ''
  steps = 0
  calls = 0
  levels = 0
  /** Where the operation under way was written; undefined before the first. */
  site: Site | undefined = undefined
  stack: Call | undefined = undefined
  /** Present where spans are wanted; the compiler then asks it at every step. */
  readonly tracer: Tracer | undefined
  /** Present where all undefined references are to be found, not only the first. */
  readonly collector: Collector | undefined
  /** The variables that the innermost template sees, for "did you mean". */
  context: Context | undefined = undefined
  /** Where each undefined value was looked up: that is the place of the mistake, wherever it is used. */
  readonly undefinedAt = new WeakMap<Undefined, Site>()
  /** The text that a filter block is about to filter. */
  filtered = ''
  /** The first part of what is being written that is no text. It counts when the parts are joined. */
  misfit: Misfit | undefined = undefined
  /** Lines that print nothing unless they are the whole value of a key; settled when the text is complete. */
  readonly blanks: Blank[] = []
  /** Modules imported without context: one a rendering. */
  readonly modules = new Map<Loaded, Module>()
  /** The templates that can be included. Throws TemplateNotFound. */
  readonly load: (name: string) => Loaded

  constructor(of: {
    readonly filters: ReadonlyMap<string, Filter>
    readonly tests: ReadonlyMap<string, Test>
    readonly limits: Limits
    readonly tracer: Tracer | undefined
    readonly collector: Collector | undefined
    readonly load: (name: string) => Loaded
  }) {
    this.filters = of.filters
    this.tests = of.tests
    this.limits = of.limits
    this.tracer = of.tracer
    this.collector = of.collector
    this.load = of.load
  }

  spend(steps: number): void {
    this.steps += steps
    if (this.steps > this.limits.steps) {
      throw new JinjaError('Limit', `the template takes more than ${this.limits.steps} steps`)
    }
  }

  size(length: number): void {
    if (length > this.limits.size) {
      throw new JinjaError('Limit', `a text or a list has more than ${this.limits.size} characters or elements`)
    }
    // Building it costs in proportion: the steps bound the memory that a rendering can fill, too.
    this.spend(length >> 5)
  }

  /** Appends to the output, or to what is being captured. */
  write(text: string): void {
    this.text += text
    if (this.text.length > this.limits.output) {
      throw new JinjaError('Limit', `the rendered text has more than ${this.limits.output} characters`)
    }
  }

  /** Runs a part of a template and gives the text that it writes. */
  capture(run: () => void): string {
    const { text: before, misfit, tracer } = this
    this.text = ''
    this.misfit = undefined
    if (tracer === undefined) {
      run()
    } else {
      const { pieces, references } = tracer
      tracer.pieces = []
      tracer.references = new Set()
      run()
      const captured = { text: this.text, pieces: tracer.pieces }
      tracer.pieces = pieces
      tracer.references = references
      tracer.path = undefined
      tracer.noteCaptured(captured)
    }
    this.join()
    const result = this.text
    this.text = before
    this.misfit = misfit
    this.size(result.length)
    return result
  }

  /** The parts that were written become one text, which they cannot if one of them is none. */
  join(): void {
    if (this.misfit === undefined) return
    this.site = this.misfit.site
    this.stack = this.misfit.stack
    throw this.misfit.error
  }

  /** A call begins; `height` says how much of the stack its body takes at most. */
  enter(height: number, note: string, site: Site | undefined): void {
    this.calls += 1
    this.levels += height
    if (this.calls > this.limits.calls || this.levels > deepest) {
      throw new JinjaError(
        'Limit',
        `macros, includes or recursive loops call each other more than ${this.limits.calls} deep`,
      )
    }
    if (site !== undefined) this.stack = { site, note, outer: this.stack }
  }

  leave(height: number, before: Call | undefined): void {
    this.calls -= 1
    this.levels -= height
    this.stack = before
  }
}

/** Something in the output that is no text, and where it was written. */
export type Misfit = { readonly error: JinjaError; readonly site: Site | undefined; readonly stack: Call | undefined }

/** An `Aligned` value without lines: where it would have stood in the output, and what it prints as the whole value. */
export type Blank = { readonly offset: number; readonly text: string }

/** The undefined references of a rendering that goes on after the first. */
export class Collector {
  readonly found: {
    readonly error: JinjaError
    readonly site: Site | undefined
    readonly stack: Call | undefined
    readonly context: Context | undefined
  }[] = []
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  /** Notes an undefined reference and is done with it; every other error, and one too many, is thrown again. */
  take(error: unknown, rendering: Rendering, context: Context): void {
    if (!(error instanceof JinjaError) || error.kind !== 'UndefinedError') throw error
    if (error.subject === unknown) return
    this.found.push({ error, site: rendering.site, stack: rendering.stack, context })
    if (this.found.length >= this.#most) throw error
  }
}

/** What a variable holds after its assignment failed: using it is not a second mistake. */
export const unknown = new Undefined({ hint: '\0the value is not known, because of an earlier mistake' })

/** What a block, a template or a macro is at run time. */
export type Code = {
  readonly name: string
  readonly size: number
  readonly height: number
  readonly run: (activation: Activation) => void
}

/** The slots of a routine that is under way, and the routine that it was written in. */
export class Activation {
  readonly slots: (Value | undefined)[]
  /** The marks of the slots, where spans are wanted. */
  readonly marks: (Mark | undefined)[]
  readonly outer: Activation | undefined
  readonly context: Context
  readonly rendering: Rendering

  constructor(size: number, context: Context, outer: Activation | undefined) {
    if (size > 8) context.rendering.spend(size >> 3)
    const slots: (Value | undefined)[] = []
    for (let index = 0; index < size; index += 1) slots.push(undefined)
    this.slots = slots
    this.marks = context.rendering.tracer === undefined ? noMarks : []
    this.outer = outer
    this.context = context
    this.rendering = context.rendering
  }
}

const noMarks: (Mark | undefined)[] = []

/** Jinja2's context: what a template reads and what it exports. */
export class Context {
  readonly rendering: Rendering
  readonly parent: Lookup
  readonly variables = new Map<string, Value>()
  readonly marks = new Map<string, Mark>()
  readonly exported = new Set<string>()
  /** The versions of each block, that of the innermost child first. */
  readonly blocks: Map<string, Code[]>
  readonly templateName: string
  autoescape = false
  /** The template that the one under way extends. */
  extended: Loaded | undefined = undefined

  constructor(
    rendering: Rendering,
    parent: Lookup,
    of: { readonly templateName: string; readonly blocks: ReadonlyMap<string, readonly Code[]> },
  ) {
    this.rendering = rendering
    this.parent = parent
    this.templateName = of.templateName
    this.blocks = new Map()
    for (const [name, versions] of of.blocks) this.blocks.set(name, [...versions])
  }

  resolve(name: string): Value | undefined {
    const value = this.variables.get(name)
    return value === undefined ? this.parent.get(name) : value
  }

  mark(name: string): Mark | undefined {
    return this.variables.has(name) ? this.marks.get(name) : this.parent.mark(name)
  }

  *names(): Iterable<string> {
    yield* this.variables.keys()
    yield* this.parent.names()
  }

  /** The variables as they are now, with the locals over them: what an included template sees. */
  seen(locals: ReadonlyMap<string, { readonly value: Value; readonly mark: Mark | undefined }>): Lookup {
    if (locals.size === 0 && this.variables.size === 0) return this.parent
    this.rendering.spend(locals.size + this.variables.size)
    const values = new Map(this.variables)
    const marks = new Map(this.marks)
    for (const [name, local] of locals) {
      values.set(name, local.value)
      if (local.mark === undefined) marks.delete(name)
      else marks.set(name, local.mark)
    }
    return new Layer(values, marks, this.parent)
  }
}

class Layer implements Lookup {
  readonly #values: ReadonlyMap<string, Value>
  readonly #marks: ReadonlyMap<string, Mark>
  readonly #below: Lookup

  constructor(values: ReadonlyMap<string, Value>, marks: ReadonlyMap<string, Mark>, below: Lookup) {
    this.#values = values
    this.#marks = marks
    this.#below = below
  }

  get(name: string): Value | undefined {
    const value = this.#values.get(name)
    return value === undefined ? this.#below.get(name) : value
  }

  *names(): Iterable<string> {
    yield* this.#values.keys()
    yield* this.#below.names()
  }

  mark(name: string): Mark | undefined {
    return this.#values.has(name) ? this.#marks.get(name) : this.#below.mark(name)
  }
}

/** A template that was imported. */
export type Module = { readonly file: string; readonly thing: Thing; readonly exported: ReadonlyMap<string, Value> }

/** A template that can be rendered, extended, included or imported. */
export type Loaded = {
  readonly file: string
  readonly root: Code
  readonly blocks: ReadonlyMap<string, Code>
}
