/**
 * What a template reads of its context, found without rendering it.
 *
 * The tree is walked with the names that are set on the way: `{% set outputs = environment.outputs %}` followed by
 * `outputs.VpcId` reads `environment.outputs.VpcId`, and the variable of a loop reads any element (`*`) of what is looped
 * over. A name that holds anything else leads nowhere and is passed over. What is included, extended or imported with
 * its context under a literal name is read along.
 */
import type { Place } from '../problem.ts'
import { If, bodies, parts } from './nodes.ts'
import type { AnyNode, Arguments, Expression, Statement, Target } from './nodes.ts'

export type Reference = {
  /** `['environment', 'outputs', 'VpcId']`; the first step is a variable of the context, `*` is any element of a list. */
  readonly path: readonly string[]
  /** Where the reference begins. */
  readonly at: Place
  /**
   * How many steps of the path may be missing at their end: a length is in it if the template provides for the absence
   * of the path up to there, by `| default`, `is defined`, `.get(…)` or an `if` around it.
   */
  readonly guarded: ReadonlySet<number>
}

/** A parsed file: its tree, by the name that templates include it by, and the name that places have. */
export type Source = { readonly file: string; readonly tree: readonly Statement[] }

/** References in the order of the text. `load` gives an included file, or nothing if there is none to be read. */
export function findReferences(main: Source, load: (name: string) => Source | undefined): readonly Reference[] {
  const walker = new Walker(main, load)
  walker.statements(main.tree, emptyView)
  return walker.found
}

type Steps = readonly string[]

/** What is known at a point of the template: names that are set (with the path that they stand for), and paths that are there. */
type View = { readonly names: Names; readonly there: ReadonlySet<string> }

const emptyView: View = { names: { own: new Map(), outer: undefined }, there: new Set() }

/** A scope; a name that stands for no path has `null`. */
type Names = { readonly own: Map<string, Steps | null>; readonly outer: Names | undefined }

/** Paths that are there if a condition holds, and if it does not. */
type Facts = { readonly yes: ReadonlySet<string>; readonly no: ReadonlySet<string> }

const nothing: ReadonlySet<string> = new Set()
const noFacts: Facts = { yes: nothing, no: nothing }

/** Names that Jinja2 itself sets; globals are the caller's business. */
const own = ['loop', 'self', 'super', 'caller', 'varargs', 'kwargs']

/** Included files that are walked; one template includes a handful. */
const mostFiles = 500

class Walker {
  readonly found: Reference[] = []
  readonly #load: (name: string) => Source | undefined
  #source: Source
  /** Names that are set anywhere in the files that are being read: a macro may use one that is set further down. */
  #set: ReadonlySet<string>
  readonly #open: Set<string>
  #files = 0

  constructor(main: Source, load: (name: string) => Source | undefined) {
    this.#source = main
    this.#load = load
    this.#open = new Set([main.file])
    this.#set = namesSetIn(main.tree)
  }

  statements(all: readonly Statement[], view: View): void {
    for (const statement of all) this.#statement(statement, view)
  }

  #statement(node: Statement, view: View): void {
    switch (node.kind) {
      case 'if':
        return this.#if(node, view)
      case 'for': {
        const over = this.#expression(node.arr, view)
        const inner = scoped(view)
        this.#bind(node.name, over === undefined ? null : [...over, '*'], inner)
        if (node.condition !== null) this.#expression(node.condition, inner)
        const facts = node.condition === null ? noFacts : this.#facts(node.condition, inner)
        this.statements(node.body, withFacts(inner, facts.yes))
        return this.statements(node.else_, scoped(view))
      }
      case 'set': {
        const value = this.#expression(node.value, view)
        return this.#bind(node.targets, value ?? null, view)
      }
      case 'setblock':
        this.statements(node.body, scoped(view))
        if (node.filter !== null) this.#arguments(node.filter.args, view)
        return this.#bind(node.targets, null, view)
      case 'with': {
        const inner = scoped(view)
        const values = node.values.map((value) => this.#expression(value, view))
        node.targets.forEach((target, index) => this.#bind(target, values[index] ?? null, inner))
        return this.statements(node.body, inner)
      }
      case 'macro':
      case 'callblock': {
        if (node.kind === 'callblock') this.#expression(node.call, view)
        for (const value of node.args.defaults) this.#expression(value, view)
        const inner = scoped(view)
        for (const name of node.args.names) inner.names.own.set(name, null)
        if (node.kind === 'macro') view.names.own.set(node.name, null)
        return this.statements(node.body, inner)
      }
      case 'filterblock':
        this.#arguments(node.filter.args, view)
        return this.statements(node.body, scoped(view))
      case 'include':
      case 'extends':
        this.#expression(node.template, view)
        if (node.kind === 'extends' || node.withContext)
          this.#file(node.template, node.kind === 'extends' ? view : scoped(view))
        return
      case 'import':
      case 'from':
        this.#expression(node.template, view)
        if (node.withContext) this.#file(node.template, scoped(view))
        if (node.kind === 'import') view.names.own.set(node.target, null)
        else for (const [, alias] of node.names) view.names.own.set(alias, null)
        return
      default:
        for (const part of parts(node)) if (part.kind !== 'data') this.#expression(part, view)
        for (const body of bodies(node)) this.statements(body, scoped(view))
    }
  }

  /** What is set in one branch holds after it only where the other branch sets it to the same. */
  #if(node: If, view: View): void {
    this.#expression(node.cond, view)
    const facts = this.#facts(node.cond, view)
    const branches = [
      { body: node.body, there: facts.yes },
      { body: node.else_ instanceof If ? [node.else_] : node.else_, there: facts.no },
    ].map(({ body, there }) => {
      const inner = withFacts(scoped(view), there)
      this.statements(body, inner)
      return inner.names.own
    })
    const [yes, no] = branches
    for (const name of new Set(branches.flatMap((names) => [...names.keys()]))) {
      const [one, other] = [yes?.get(name), no?.get(name)]
      view.names.own.set(name, one && other && keyOf(one) === keyOf(other) ? one : null)
    }
  }

  #file(name: Expression, view: View): void {
    if (name.kind !== 'literal' || typeof name.value !== 'string' || this.#files >= mostFiles) return
    const source = this.#load(name.value)
    if (source === undefined || this.#open.has(source.file)) return
    this.#files += 1
    const before = { source: this.#source, set: this.#set }
    this.#source = source
    this.#set = new Set([...before.set, ...namesSetIn(source.tree)])
    this.#open.add(source.file)
    this.statements(source.tree, view)
    this.#open.delete(source.file)
    this.#source = before.source
    this.#set = before.set
  }

  #bind(target: Target, path: Steps | null, view: View): void {
    if (target.kind === 'name') view.names.own.set(target.value, path)
    else if (target.kind === 'tuple')
      for (const child of target.children) if (isTarget(child)) this.#bind(child, null, view)
  }

  /** Notes what an expression reads; gives the path that the expression is, if it is nothing but one. */
  #expression(node: AnyNode, view: View, guarded = false): Steps | undefined {
    const chain = this.#chain(node, view)
    if (chain !== undefined) {
      for (const part of chain.inside) this.#expression(part, view)
      if (chain.path === undefined) return undefined
      this.#note(chain.root, chain.path, { view, guarded })
      return chain.path
    }
    switch (node.kind) {
      case 'test':
        this.#expression(node.left, view, node.right === 'defined' || node.right === 'undefined')
        this.#arguments(node.args, view)
        return undefined
      case 'filter':
        if (node.target !== null) this.#expression(node.target, view, isDefault(node.name))
        this.#arguments(node.args, view)
        return undefined
      case 'logic': {
        this.#expression(node.left, view)
        const { yes, no } = this.#facts(node.left, view)
        this.#expression(node.right, withFacts(view, node.op === 'and' ? yes : no))
        return undefined
      }
      case 'conditional': {
        this.#expression(node.cond, view)
        const { yes, no } = this.#facts(node.cond, view)
        this.#expression(node.body, withFacts(view, yes))
        if (node.else_ !== null) this.#expression(node.else_, withFacts(view, no))
        return undefined
      }
      case 'call':
        this.#call(node.name, node.args, view)
        return undefined
      default:
        for (const part of parts(node)) this.#expression(part, view)
        return undefined
    }
  }

  /** The last attribute of what is called is a method; `get` with a literal key provides for the key's absence. */
  #call(name: Expression, args: Arguments, view: View): void {
    this.#arguments(args, view)
    const target = name.kind === 'attribute' ? this.#chain(name.target, view) : undefined
    const [key] = args.positional
    if (name.kind !== 'attribute') this.#expression(name, view)
    else if (
      name.val === 'get' &&
      target?.path !== undefined &&
      key?.kind === 'literal' &&
      typeof key.value === 'string'
    ) {
      this.#note(target.root, [...target.path, key.value], { view, guarded: true })
    } else this.#expression(name.target, view)
  }

  #arguments(args: Arguments, view: View): void {
    for (const each of args.positional) this.#expression(each, view)
    for (const [, each] of args.keyword) this.#expression(each, view)
    for (const each of [args.list, args.map]) if (each !== null) this.#expression(each, view)
  }

  /**
   * A name with steps behind it: its path (nothing if the name leads nowhere) and the expressions in its brackets. Steps
   * behind one that is computed are left out.
   */
  #chain(
    node: AnyNode,
    view: View,
  ): { readonly root: AnyNode; readonly path: Steps | undefined; readonly inside: readonly Expression[] } | undefined {
    const steps: (string | undefined)[] = []
    const inside: Expression[] = []
    let at = node
    while (at.kind === 'attribute' || at.kind === 'item') {
      if (at.kind === 'attribute') steps.unshift(at.val)
      else if (at.val.kind === 'literal' && typeof at.val.value === 'string') steps.unshift(at.val.value)
      else if (at.val.kind === 'literal' && typeof at.val.value === 'number') steps.unshift('*')
      else {
        steps.unshift(undefined)
        inside.unshift(at.val)
      }
      at = at.target
    }
    if (at.kind !== 'name') return undefined
    const root = this.#resolve(at.value, view.names)
    const known = steps.includes(undefined) ? steps.slice(0, steps.indexOf(undefined)) : steps
    const path = root === null ? undefined : [...root, ...known.filter((step) => step !== undefined)]
    return { root: at, path, inside }
  }

  #resolve(name: string, names: Names): Steps | null {
    for (let scope: Names | undefined = names; scope !== undefined; scope = scope.outer) {
      const path = scope.own.get(name)
      if (path !== undefined) return path
    }
    return own.includes(name) || this.#set.has(name) ? null : [name]
  }

  #note(root: AnyNode, path: Steps, { view, guarded }: { readonly view: View; readonly guarded: boolean }): void {
    const lengths = new Set<number>(guarded ? [path.length] : [])
    for (let length = 1; length <= path.length; length += 1) {
      if (view.there.has(keyOf(path.slice(0, length)))) lengths.add(length)
    }
    const at = { file: this.#source.file, line: root.lineno + 1, column: root.colno + 1 }
    this.found.push({ path, at, guarded: lengths })
  }

  #facts(node: Expression, view: View): Facts {
    switch (node.kind) {
      case 'not': {
        const { yes, no } = this.#facts(node.target, view)
        return { yes: no, no: yes }
      }
      case 'logic': {
        const left = this.#facts(node.left, view)
        const right = this.#facts(node.right, view)
        return node.op === 'and'
          ? { yes: left.yes.union(right.yes), no: left.no.intersection(right.no) }
          : { yes: left.yes.intersection(right.yes), no: left.no.union(right.no) }
      }
      case 'test': {
        const paths = this.#prefixes(node.left, view)
        if (node.right === 'defined') return { yes: paths, no: nothing }
        return node.right === 'undefined' ? { yes: nothing, no: paths } : noFacts
      }
      case 'filter': {
        // `x | default('')` holds only if `x` is there.
        const [instead] = node.args.positional
        const falls = instead === undefined || (instead.kind === 'literal' && !instead.value)
        return isDefault(node.name) && node.target !== null && falls && node.args.keyword.length === 0
          ? { yes: this.#prefixes(node.target, view), no: nothing }
          : noFacts
      }
      case 'compare': {
        const [operand] = node.ops
        if (node.ops.length !== 1 || operand === undefined || node.expr.kind !== 'literal') return noFacts
        const map = this.#chain(operand.expr, view)?.path
        if (map === undefined || typeof node.expr.value !== 'string') return noFacts
        const paths = new Set([keyOf([...map, node.expr.value])])
        if (operand.type === 'in') return { yes: paths, no: nothing }
        return operand.type === 'not in' ? { yes: nothing, no: paths } : noFacts
      }
      default:
        return noFacts
    }
  }

  #prefixes(node: Expression, view: View): ReadonlySet<string> {
    const path = this.#chain(node, view)?.path
    return path === undefined ? nothing : new Set([keyOf(path)])
  }
}

function scoped({ names, there }: View): View {
  return { names: { own: new Map(), outer: names }, there }
}

function withFacts({ names, there }: View, more: ReadonlySet<string>): View {
  return { names, there: more.size === 0 ? there : there.union(more) }
}

function keyOf(path: Steps): string {
  return JSON.stringify(path)
}

function isDefault(filter: string): boolean {
  return filter === 'default' || filter === 'd'
}

function isTarget(node: AnyNode): node is Target {
  return node.kind === 'name' || node.kind === 'tuple' || node.kind === 'namespace'
}

function namesSetIn(tree: readonly Statement[]): ReadonlySet<string> {
  const names = new Set<string>()
  const bind = (target: AnyNode): void => {
    if (target.kind === 'name') names.add(target.value)
    else if (target.kind === 'tuple') target.children.forEach(bind)
  }
  const visit = (node: Statement): void => {
    if (node.kind === 'set' || node.kind === 'setblock') bind(node.targets)
    else if (node.kind === 'macro') names.add(node.name)
    else if (node.kind === 'import') names.add(node.target)
    else if (node.kind === 'from') for (const [, alias] of node.names) names.add(alias)
    for (const body of bodies(node)) body.forEach(visit)
  }
  tree.forEach(visit)
  return names
}
