/**
 * Which variable a name means: Jinja2's analysis (jinja2/idtracking.py of 3.1.6), with slots instead of Python's local
 * variables. The rules are kept to the letter, because templates depend on them: a name that is set anywhere in a frame is
 * looked up in the context when the frame is entered only if it is read before; a `set` inside a loop shadows; branches of
 * an `if` share the frame around them.
 */
import { bodies, branches, otherwise, parts } from './nodes.ts'
import type { AnyNode, If, Statement } from './nodes.ts'

/** What is one Python function in Jinja2: the body of a template, a block, a macro, a recursive loop, a loop's condition. */
export class Routine {
  readonly outer: Routine | undefined
  /** How many slots an activation of it has. */
  size = 0

  constructor(outer: Routine | undefined) {
    this.outer = outer
  }
}

/** A variable: a slot of an activation of a routine. */
export type Ref = { readonly routine: Routine; readonly slot: number; readonly name: string }

/** What a slot holds when its frame is entered. */
export type Load =
  | { readonly how: 'parameter' }
  | { readonly how: 'resolve'; readonly name: string }
  | { readonly how: 'alias'; readonly of: Ref }
  | { readonly how: 'missing' }

/** The names of one frame; or, for a branch of an `if`, those that the branch adds to it. */
export class Symbols {
  readonly parent: Symbols | undefined
  readonly routine: Routine
  readonly refs = new Map<string, Ref>()
  readonly loads = new Map<Ref, Load>()
  readonly stores = new Set<string>()
  /** What a branch adds to. It stays as it is until the branch is joined to it. */
  readonly #base: Symbols | undefined
  /** The slots of this frame; the branches of an `if` share them. */
  readonly #slots: Map<string, Ref>

  constructor(parent: Symbols | undefined, routine: Routine, base?: Symbols) {
    this.parent = parent
    this.routine = routine
    this.#base = base
    this.#slots = base === undefined ? new Map() : base.#slots
  }

  branch(): Symbols {
    return new Symbols(this.parent, this.routine, this)
  }

  #own(name: string): Ref | undefined {
    const found = this.refs.get(name)
    return found !== undefined || this.#base === undefined ? found : this.#base.#own(name)
  }

  find(name: string): Ref | undefined {
    return this.#own(name) ?? this.parent?.find(name)
  }

  ref(name: string): Ref {
    const found = this.find(name)
    if (found === undefined) throw new Error(`the name ${name} was not analysed`)
    return found
  }

  #define(name: string, load: Load): Ref {
    let ref = this.#slots.get(name)
    if (ref === undefined) {
      ref = { routine: this.routine, slot: this.routine.size, name }
      this.routine.size += 1
      this.#slots.set(name, ref)
    }
    this.refs.set(name, ref)
    this.loads.set(ref, load)
    return ref
  }

  store(name: string): void {
    this.stores.add(name)
    if (this.#own(name) !== undefined) return
    const outer = this.parent?.find(name)
    this.#define(name, outer === undefined ? { how: 'missing' } : { how: 'alias', of: outer })
  }

  parameter(name: string): Ref {
    this.stores.add(name)
    return this.#define(name, { how: 'parameter' })
  }

  load(name: string): void {
    if (this.find(name) === undefined) this.#define(name, { how: 'resolve', name })
  }

  #stored(name: string): boolean {
    return this.stores.has(name) || (this.#base !== undefined && this.#base.#stored(name))
  }

  /** What was stored in some branch only: before the `if` it has the value that it had outside. */
  join(branches: readonly Symbols[]): void {
    const stored = new Set<string>()
    for (const branch of branches) for (const name of branch.stores) if (!this.#stored(name)) stored.add(name)
    for (const branch of branches) {
      for (const [name, ref] of branch.refs) this.refs.set(name, ref)
      for (const [ref, load] of branch.loads) this.loads.set(ref, load)
      for (const name of branch.stores) this.stores.add(name)
    }
    for (const name of stored) {
      const outer = this.parent?.find(name)
      this.loads.set(this.ref(name), outer === undefined ? { how: 'resolve', name } : { how: 'alias', of: outer })
    }
  }

  /** The variables that a template included or imported here sees besides the context. */
  visible(): ReadonlyMap<string, Ref> {
    const result = new Map<string, Ref>()
    for (const name of [...this.stores].sort()) result.set(name, this.ref(name))
    for (const [name, ref] of this.parent?.visible() ?? []) {
      if (!result.has(name)) result.set(name, this.find(name) ?? ref)
    }
    return result
  }
}

/** Analyses statements that are a part of the frame. */
export function analyse(statements: readonly Statement[], symbols: Symbols): void {
  for (const statement of statements) visit(statement, symbols)
}

/** Names that are read in an expression. */
export function analyseExpression(node: AnyNode, symbols: Symbols): void {
  if (node.kind === 'name') symbols.load(node.value)
  else for (const part of parts(node)) analyseExpression(part, symbols)
}

/** Names that are assigned by a target; `parameters` are those that get their value from outside, as a loop's do. */
export function analyseTarget(node: AnyNode, symbols: Symbols, options?: { readonly parameters: boolean }): void {
  if (node.kind === 'name') {
    if (options?.parameters === true) symbols.parameter(node.value)
    else symbols.store(node.value)
  } else if (node.kind === 'namespace') symbols.load(node.target)
  else if (node.kind === 'tuple') for (const child of node.children) analyseTarget(child, symbols, options)
}

function visit(statement: Statement, symbols: Symbols): void {
  switch (statement.kind) {
    case 'output':
      for (const child of statement.children) analyseExpression(child, symbols)
      return
    case 'if':
      return visitIf(statement, symbols)
    case 'for':
      return analyseExpression(statement.arr, symbols)
    case 'macro':
      return symbols.store(statement.name)
    case 'callblock':
      return analyseExpression(statement.call, symbols)
    case 'filterblock':
      return analyseExpression(statement.filter, symbols)
    case 'set':
      analyseExpression(statement.value, symbols)
      return analyseTarget(statement.targets, symbols)
    case 'setblock':
      return analyseTarget(statement.targets, symbols)
    case 'with':
      for (const value of statement.values) analyseExpression(value, symbols)
      return
    case 'extends':
    case 'include':
      return analyseExpression(statement.template, symbols)
    case 'import':
      analyseExpression(statement.template, symbols)
      return symbols.store(statement.target)
    case 'from':
      analyseExpression(statement.template, symbols)
      for (const [, alias] of statement.names) symbols.store(alias)
      return
    case 'autoescape':
    case 'block':
      return
  }
}

/** `elif` branches are analysed one by one, as Jinja2 keeps them in a list, and each is an `if` of its own. */
function visitIf(statement: If, symbols: Symbols): void {
  analyseExpression(statement.cond, symbols)
  const body = symbols.branch()
  analyse(statement.body, body)
  const all = branches(statement)
  const elifs = symbols.branch()
  for (const branch of all.slice(1)) {
    analyseExpression(branch.cond, elifs)
    const inside = elifs.branch()
    analyse(branch.body, inside)
    elifs.join([inside])
  }
  const rest = symbols.branch()
  analyse(otherwise(all), rest)
  symbols.join([body, elifs, rest])
}

/**
 * Which of `names` the nodes read without having assigned them (Jinja2's `find_undeclared`): it looks into macros and
 * loops, but not into blocks, and a name that was assigned anywhere before is no longer looked for.
 */
export function undeclared(nodes: readonly AnyNode[], names: readonly string[]): ReadonlySet<string> {
  const wanted = new Set(names)
  const found = new Set<string>()

  function target(node: AnyNode): void {
    if (node.kind === 'name') wanted.delete(node.value)
    else if (node.kind === 'tuple') for (const child of node.children) target(child)
  }

  function walk(node: AnyNode): void {
    if (node.kind === 'name') {
      if (wanted.has(node.value)) found.add(node.value)
      return
    }
    if (node.kind === 'block') return
    if (node.kind === 'if') {
      const all = branches(node)
      for (const branch of all) for (const child of [branch.cond, ...branch.body]) walk(child)
      for (const child of otherwise(all)) walk(child)
      return
    }
    if (node.kind === 'for') {
      target(node.name)
      walk(node.arr)
      for (const body of [node.body, node.else_]) for (const child of body) walk(child)
      if (node.condition !== null) walk(node.condition)
      return
    }
    if (node.kind === 'set' || node.kind === 'setblock') target(node.targets)
    if (node.kind === 'with') for (const child of node.targets) target(child)
    if (node.kind === 'callblock') walk(node.call)
    if (node.kind === 'macro' || node.kind === 'callblock') for (const name of node.args.names) wanted.delete(name)
    if (node.kind === 'filterblock') for (const child of node.body) walk(child)
    if (node.kind === 'set') walk(node.value)
    else if (node.kind === 'with') for (const value of node.values) walk(value)
    else if (node.kind === 'setblock') {
      if (node.filter !== null) walk(node.filter)
    } else if (node.kind === 'callblock') for (const value of node.args.defaults) walk(value)
    else for (const part of parts(node)) walk(part)
    if (node.kind !== 'filterblock') for (const body of bodies(node)) for (const child of body) walk(child)
  }

  for (const node of nodes) walk(node)
  return found
}

/** What the compiler knows of the statements that it is in. */
export type Frame = {
  readonly symbols: Symbols
  readonly routine: Routine
  /** At the top of a template, or in an `if` there: what is set here is exported. */
  readonly toplevel: boolean
  /** At the very top. */
  readonly rootlevel: boolean
  /** In an `if`: an unknown filter is an error only if it is reached. */
  readonly soft: boolean
  /** Text is not written once the template extends another. */
  readonly checksOutput: boolean
  /** Whether what is printed is escaped; `volatile` if that is known only when it is rendered. */
  readonly escape: boolean | 'volatile'
  /** Whether what needs no rendering to be known is escaped, where `escape` is `volatile`. */
  readonly escapesConstants: boolean
  /** Whether the text goes to a variable, a filter or a caller instead of the output. */
  readonly captured: boolean
}

/** A frame inside another: its own names, in the same routine or in one of its own. */
export function innerFrame(frame: Frame, routine: Routine = frame.routine): Frame {
  return {
    ...frame,
    symbols: new Symbols(frame.symbols, routine),
    routine,
    toplevel: false,
    rootlevel: false,
    soft: false,
  }
}

/** The frame of a branch of an `if`: it shares the names of the frame around it. */
export function softFrame(frame: Frame): Frame {
  return { ...frame, symbols: frame.symbols.branch(), rootlevel: false, soft: true }
}
