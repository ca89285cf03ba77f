/**
 * The tree of a template: nunjucks' node classes, given types, and extended where Jinja2 has more to say (a loop's
 * condition, a scoped block, a slice, `with`). The arguments of a constructor are the place, then the values of `fields`.
 */
import nunjucks from 'nunjucks/src/nodes.js'
import type { Float } from '../data.ts'

export type Expression =
  | Literal
  | Name
  | TupleNode
  | ListNode
  | DictNode
  | Attribute
  | Item
  | SliceNode
  | Conditional
  | Call
  | FilterNode
  | TestNode
  | Logic
  | Not
  | Binary
  | Sign
  | Concat
  | Compare

/** What can stand left of `=`. */
export type Target = Name | TupleNode | NamespaceTarget

export type Statement =
  | Output
  | If
  | For
  | MacroNode
  | CallBlock
  | FilterBlock
  | SetNode
  | SetBlock
  | With
  | Autoescape
  | Block
  | Extends
  | Include
  | Import
  | FromImport

export type AnyNode = Expression | Target | Statement | TemplateData

/** What stands between the parentheses of a call, a filter or a test. */
export type Arguments = {
  readonly positional: readonly Expression[]
  readonly keyword: readonly (readonly [name: string, value: Expression])[]
  readonly list: Expression | null
  readonly map: Expression | null
}

export const noArguments: Arguments = { positional: [], keyword: [], list: null, map: null }

/** The parameters of a macro or a call block; the defaults belong to the last of them. */
export type Signature = { readonly names: readonly string[]; readonly defaults: readonly Expression[] }

export class Literal extends nunjucks.Literal {
  readonly kind = 'literal'
  declare readonly value: string | number | bigint | Float | boolean | null
}

export class Name extends nunjucks.Symbol {
  readonly kind = 'name'
  declare readonly value: string
}

/** nunjucks calls parentheses a group; with a comma in them, or none around them, they are a tuple. */
export class TupleNode extends nunjucks.Group {
  readonly kind = 'tuple'
  declare readonly children: readonly (Expression | Target)[]
}

export class ListNode extends nunjucks.Array {
  readonly kind = 'list'
  declare readonly children: readonly Expression[]
}

export class PairNode extends nunjucks.Pair {
  declare readonly key: Expression
  declare readonly value: Expression
}

export class DictNode extends nunjucks.Dict {
  readonly kind = 'dict'
  declare readonly children: readonly PairNode[]
}

/** `target.name`. Jinja2 looks for an attribute first, then for an item. */
export class Attribute extends nunjucks.LookupVal {
  readonly kind = 'attribute'
  declare readonly target: Expression
  declare readonly val: string
}

/** `target[val]` and `target.0`. An item first, then an attribute. */
export class Item extends nunjucks.LookupVal {
  readonly kind = 'item'
  declare readonly target: Expression
  declare readonly val: Expression
}

export class SliceNode extends nunjucks.Node {
  readonly kind = 'slice'
  declare readonly start: Expression | null
  declare readonly stop: Expression | null
  declare readonly step: Expression | null
  override get fields(): readonly string[] {
    return ['start', 'stop', 'step']
  }
}

export class Conditional extends nunjucks.InlineIf {
  readonly kind = 'conditional'
  declare readonly cond: Expression
  declare readonly body: Expression
  declare readonly else_: Expression | null
}

export class Call extends nunjucks.FunCall {
  readonly kind = 'call'
  declare readonly name: Expression
  declare readonly args: Arguments
}

/** `target | name(args)`. Without a target it filters the block that it stands over. */
export class FilterNode extends nunjucks.Filter {
  readonly kind = 'filter'
  declare readonly name: string
  declare readonly args: Arguments
  declare readonly target: Expression | null
  override get fields(): readonly string[] {
    return ['name', 'args', 'target']
  }
}

export class TestNode extends nunjucks.Is {
  readonly kind = 'test'
  declare readonly left: Expression
  declare readonly right: string
  declare readonly args: Arguments
  override get fields(): readonly string[] {
    return ['left', 'right', 'args']
  }
}

export class Logic extends nunjucks.Node {
  readonly kind = 'logic'
  declare readonly left: Expression
  declare readonly right: Expression
  declare readonly op: 'and' | 'or'
  override get fields(): readonly string[] {
    return ['left', 'right', 'op']
  }
}

export class Not extends nunjucks.Not {
  readonly kind = 'not'
  declare readonly target: Expression
}

export type BinaryOperator = '+' | '-' | '*' | '/' | '//' | '%' | '**'

export class Binary extends nunjucks.Node {
  readonly kind = 'binary'
  declare readonly left: Expression
  declare readonly right: Expression
  declare readonly op: BinaryOperator
  override get fields(): readonly string[] {
    return ['left', 'right', 'op']
  }
}

export class Sign extends nunjucks.Node {
  readonly kind = 'sign'
  declare readonly target: Expression
  declare readonly op: '+' | '-'
  override get fields(): readonly string[] {
    return ['target', 'op']
  }
}

export class Concat extends nunjucks.NodeList {
  readonly kind = 'concat'
  declare readonly children: readonly Expression[]
}

export type CompareOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in'

export class Operand extends nunjucks.CompareOperand {
  declare readonly expr: Expression
  declare readonly type: CompareOperator
}

export class Compare extends nunjucks.Compare {
  readonly kind = 'compare'
  declare readonly expr: Expression
  declare readonly ops: readonly Operand[]
}

/** `{% set name.val = … %}`: an attribute of a namespace. */
export class NamespaceTarget extends nunjucks.LookupVal {
  readonly kind = 'namespace'
  declare readonly target: string
  declare readonly val: string
}

export class TemplateData extends nunjucks.TemplateData {
  readonly kind = 'data'
  declare readonly value: string
}

export class Output extends nunjucks.Output {
  readonly kind = 'output'
  declare readonly children: readonly (Expression | TemplateData)[]
}

/** `elif` is an `If` of its own in `else_`, as in nunjucks. */
export class If extends nunjucks.If {
  readonly kind = 'if'
  declare readonly cond: Expression
  declare readonly body: readonly Statement[]
  declare else_: If | readonly Statement[]
}

export class For extends nunjucks.For {
  readonly kind = 'for'
  declare readonly arr: Expression
  declare readonly name: Target
  declare readonly body: readonly Statement[]
  declare readonly else_: readonly Statement[]
  declare readonly condition: Expression | null
  declare readonly recursive: boolean
  override get fields(): readonly string[] {
    return ['arr', 'name', 'body', 'else_', 'condition', 'recursive']
  }
}

export class MacroNode extends nunjucks.Macro {
  readonly kind = 'macro'
  declare readonly name: string
  declare readonly args: Signature
  declare readonly body: readonly Statement[]
}

export class CallBlock extends nunjucks.Caller {
  readonly kind = 'callblock'
  declare readonly call: Call
  declare readonly args: Signature
  declare readonly body: readonly Statement[]
  override get fields(): readonly string[] {
    return ['call', 'args', 'body']
  }
}

export class FilterBlock extends nunjucks.Capture {
  readonly kind = 'filterblock'
  declare readonly body: readonly Statement[]
  declare readonly filter: FilterNode
  override get fields(): readonly string[] {
    return ['body', 'filter']
  }
}

export class SetNode extends nunjucks.Set {
  readonly kind = 'set'
  declare readonly targets: Target
  declare readonly value: Expression
}

export class SetBlock extends nunjucks.Capture {
  readonly kind = 'setblock'
  declare readonly body: readonly Statement[]
  declare readonly targets: Target
  declare readonly filter: FilterNode | null
  override get fields(): readonly string[] {
    return ['body', 'targets', 'filter']
  }
}

export class With extends nunjucks.Node {
  readonly kind = 'with'
  declare readonly targets: readonly Target[]
  declare readonly values: readonly Expression[]
  declare readonly body: readonly Statement[]
  override get fields(): readonly string[] {
    return ['targets', 'values', 'body']
  }
}

export class Autoescape extends nunjucks.Node {
  readonly kind = 'autoescape'
  declare readonly on: Expression
  declare readonly body: readonly Statement[]
  override get fields(): readonly string[] {
    return ['on', 'body']
  }
}

export class Block extends nunjucks.Block {
  readonly kind = 'block'
  declare readonly name: string
  declare readonly body: readonly Statement[]
  declare readonly scoped: boolean
  declare readonly required: boolean
  override get fields(): readonly string[] {
    return ['name', 'body', 'scoped', 'required']
  }
}

export class Extends extends nunjucks.Extends {
  readonly kind = 'extends'
  declare readonly template: Expression
}

export class Include extends nunjucks.Include {
  readonly kind = 'include'
  declare readonly template: Expression
  declare readonly ignoreMissing: boolean
  declare readonly withContext: boolean
  override get fields(): readonly string[] {
    return ['template', 'ignoreMissing', 'withContext']
  }
}

export class Import extends nunjucks.Import {
  readonly kind = 'import'
  declare readonly template: Expression
  declare readonly target: string
  declare readonly withContext: boolean
}

export class FromImport extends nunjucks.FromImport {
  readonly kind = 'from'
  declare readonly template: Expression
  declare readonly names: readonly (readonly [name: string, alias: string])[]
  declare readonly withContext: boolean
}

/**
 * The expressions and targets that are parts of a node, in the order in which Jinja2 walks them (it decides which names a
 * macro or a loop is found to use). Bodies are not among them; see `bodies`.
 */
export function parts(node: AnyNode): readonly AnyNode[] {
  switch (node.kind) {
    case 'literal':
    case 'name':
    case 'namespace':
    case 'data':
    case 'block':
      return []
    case 'tuple':
    case 'list':
    case 'concat':
    case 'output':
      return node.children
    case 'dict':
      return node.children.flatMap((pair) => [pair.key, pair.value])
    case 'attribute':
      return [node.target]
    case 'item':
      return [node.target, node.val]
    case 'slice':
      return present([node.start, node.stop, node.step])
    case 'conditional':
      return present([node.cond, node.body, node.else_])
    case 'call':
      return [node.name, ...argumentParts(node.args)]
    case 'filter':
      return [...present([node.target]), ...argumentParts(node.args)]
    case 'test':
      return [node.left, ...argumentParts(node.args)]
    case 'logic':
    case 'binary':
      return [node.left, node.right]
    case 'not':
    case 'sign':
      return [node.target]
    case 'compare':
      return [node.expr, ...node.ops.map((operand) => operand.expr)]
    case 'if':
      return branches(node).map((branch) => branch.cond)
    case 'for':
      return present([node.name, node.arr, node.condition])
    case 'macro':
      return node.args.defaults
    case 'callblock':
      return [node.call, ...node.args.defaults]
    case 'filterblock':
      return [node.filter]
    case 'set':
      return [node.targets, node.value]
    case 'setblock':
      return present([node.targets, node.filter])
    case 'with':
      return [...node.targets, ...node.values]
    case 'autoescape':
      return [node.on]
    case 'extends':
    case 'include':
    case 'import':
    case 'from':
      return [node.template]
  }
}

/** The bodies of a statement. */
export function bodies(node: AnyNode): readonly (readonly Statement[])[] {
  switch (node.kind) {
    case 'if': {
      const all = branches(node)
      return [...all.map((branch) => branch.body), otherwise(all)]
    }
    case 'for':
      return [node.body, node.else_]
    case 'macro':
    case 'callblock':
    case 'filterblock':
    case 'setblock':
    case 'with':
    case 'autoescape':
    case 'block':
      return [node.body]
    default:
      return []
  }
}

/** An `if` and its `elif`s. */
export function branches(node: If): readonly If[] {
  const result = [node]
  for (let last: If | readonly Statement[] = node.else_; last instanceof If; last = last.else_) result.push(last)
  return result
}

/** The body of `else`. */
export function otherwise(all: readonly If[]): readonly Statement[] {
  const last = all.at(-1)?.else_
  return last === undefined || last instanceof If ? [] : last
}

function argumentParts(args: Arguments): Expression[] {
  return [...args.positional, ...args.keyword.map(([, value]) => value), ...present([args.list, args.map])]
}

function present<T>(nodes: readonly (T | null)[]): T[] {
  return nodes.filter((node) => node !== null)
}

/**
 * Whether Jinja2 works an expression out when it compiles it, also where only the rendering tells whether to escape:
 * there it looks at no variable, and runs no filter, test or function.
 */
export function isConstant(node: AnyNode): boolean {
  return !runs.has(node.kind) && parts(node).every(isConstant)
}

/** Whether Jinja2 works an expression out when it compiles it, elsewhere: there it runs filters and tests, too. */
export function isFolded(node: AnyNode): boolean {
  return node.kind !== 'name' && node.kind !== 'namespace' && node.kind !== 'call' && parts(node).every(isFolded)
}

const runs: ReadonlySet<AnyNode['kind']> = new Set<AnyNode['kind']>(['name', 'namespace', 'call', 'filter', 'test'])

export function containsExtends(nodes: readonly Statement[]): boolean {
  return nodes.some((node) => node.kind === 'extends' || bodies(node).some(containsExtends))
}

export function hasScopedBlock(node: Statement): boolean {
  return bodies(node).some((body) =>
    body.some((child) => (child.kind === 'block' && child.scoped) || hasScopedBlock(child)),
  )
}

/** Whether a loop, or anything in it, assigns to `loop`. */
export function assignsLoop(node: AnyNode): boolean {
  const assigned = 'kind' in node ? targetsOf(node) : []
  if (assigned.some((target) => targetNames(target).includes('loop'))) return true
  return bodies(node).some((body) => body.some(assignsLoop))
}

function targetsOf(node: AnyNode): readonly Target[] {
  if (node.kind === 'for') return [node.name]
  return node.kind === 'set' || node.kind === 'setblock' ? [node.targets] : []
}

export function targetNames(target: Target): string[] {
  if (target.kind === 'name') return [target.value]
  return target.kind === 'tuple' ? target.children.flatMap((child) => targetNames(asTarget(child))) : []
}

export function namespaceNames(target: Target): string[] {
  if (target.kind === 'namespace') return [target.target]
  return target.kind === 'tuple' ? target.children.flatMap((child) => namespaceNames(asTarget(child))) : []
}

export function asTarget(node: Expression | Target): Target {
  if (node.kind === 'name' || node.kind === 'tuple' || node.kind === 'namespace') return node
  throw new Error('the parser let something through that cannot be assigned to')
}

/** The names that a statement assigns where it stands. */
export function assignedNames(statement: Statement): string[] {
  switch (statement.kind) {
    case 'set':
    case 'setblock':
      return targetNames(statement.targets)
    case 'import':
      return [statement.target]
    case 'from':
      return statement.names.map(([, alias]) => alias)
    default:
      return []
  }
}
