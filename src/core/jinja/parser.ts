/**
 * Jinja2's grammar (jinja2/parser.py of 3.1.6, no extensions) on nunjucks' parser: its plumbing of tokens and its nodes.
 * What the two languages share in name differs in detail (the order of `not`, `is`, `~` and `-`; tuples; slices; calls with
 * `*args`), so the productions are Jinja2's. Errors carry Jinja2's messages.
 */
import nunjucks from 'nunjucks/src/parser.js'
import { failAt } from './errors.ts'
import type { Spot } from './errors.ts'
import { lex } from './lexer.ts'
import type { Token, TokenType } from './lexer.ts'
import {
  Attribute,
  Autoescape,
  Binary,
  Block,
  Call,
  CallBlock,
  Compare,
  Concat,
  Conditional,
  DictNode,
  Extends,
  FilterBlock,
  FilterNode,
  For,
  FromImport,
  If,
  Import,
  Include,
  Item,
  ListNode,
  Literal,
  Logic,
  MacroNode,
  Name,
  NamespaceTarget,
  Not,
  Operand,
  Output,
  PairNode,
  SetBlock,
  SetNode,
  Sign,
  SliceNode,
  TemplateData,
  TestNode,
  TupleNode,
  With,
  noArguments,
} from './nodes.ts'
import type {
  AnyNode,
  Arguments,
  BinaryOperator,
  CompareOperator,
  Expression,
  Signature,
  Statement,
  Target,
} from './nodes.ts'

export type ParseLimits = {
  /** Tokens of one template. */
  readonly tokens: number
  /** How deep tags, parentheses and operators may lie in each other. */
  readonly depth: number
}

/** The tree of a normalised source, or a fault. */
export function parseSource(source: string, limits: ParseLimits): readonly Statement[] {
  const parser = new JinjaParser({ tokens: lex(source, limits), limits })
  return parser.parseTemplate()
}

const comparisons: ReadonlyMap<unknown, CompareOperator> = new Map(
  (['==', '!=', '<', '<=', '>', '>='] as const).map((operator) => [operator, operator]),
)
const sums: ReadonlyMap<unknown, BinaryOperator> = new Map((['+', '-'] as const).map((name) => [name, name]))
const products: ReadonlyMap<unknown, BinaryOperator> = new Map(
  (['*', '/', '//', '%'] as const).map((name) => [name, name]),
)

const constants: ReadonlyMap<unknown, boolean | null> = new Map([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['none', null],
  ['None', null],
])

/** What may start the argument of a test that stands without parentheses. */
const argumentStarts: ReadonlySet<TokenType> = new Set([
  'symbol',
  'string',
  'int',
  'float',
  'left-bracket',
  'left-curly',
])

/** How deep the tree under one expression may be: long chains of filters and operators count, too. */
const heights = new WeakMap<object, number>()

class JinjaParser extends nunjucks.Parser {
  declare private source: readonly Token[]
  declare private limits: ParseLimits
  declare private position: number
  declare private depth: number
  declare private openTags: string[]
  declare private endTags: (readonly string[])[]

  override init(input: { readonly tokens: readonly Token[]; readonly limits: ParseLimits }): void {
    super.init(input.tokens)
    this.source = input.tokens
    this.limits = input.limits
    this.position = 0
    this.depth = 0
    this.openTags = []
    this.endTags = []
  }

  // Tokens. They lie in an array, so that looking two ahead is possible; nunjucks' skip… work on top of these.

  override peekToken(): Token {
    return this.look(0)
  }

  override nextToken(): Token {
    const token = this.look(0)
    if (token.type !== 'eof') this.position += 1
    return token
  }

  override pushToken(token: Token): void {
    if (token.type !== 'eof') this.position -= 1
  }

  private look(ahead: number): Token {
    const token = this.source[Math.min(this.position + ahead, this.source.length - 1)]
    if (token === undefined) throw new Error('a template without an end')
    return token
  }

  private at(type: TokenType): boolean {
    return this.look(0).type === type
  }

  private atOperator(value: string): boolean {
    const token = this.look(0)
    return token.type === 'operator' && token.value === value
  }

  private atName(...names: readonly string[]): boolean {
    const token = this.look(0)
    return token.type === 'symbol' && names.some((name) => name === token.value)
  }

  private isName(token: Token, name: string): boolean {
    return token.type === 'symbol' && token.value === name
  }

  private take(type: TokenType, value?: string): Token {
    const token = this.look(0)
    if (token.type === type && (value === undefined || token.value === value)) return this.nextToken()
    const wanted = value ?? described[type]
    if (token.type === 'eof')
      return failAt('TemplateSyntaxError', `unexpected end of template, expected '${wanted}'.`, token)
    return failAt('TemplateSyntaxError', `expected token '${wanted}', got '${describe(token)}'`, token)
  }

  private takeName(): { readonly name: string; readonly token: Token } {
    const token = this.take('symbol')
    return { name: word(token), token }
  }

  private syntax(message: string, spot: Spot): never {
    return failAt('TemplateSyntaxError', message, spot)
  }

  // Bounds.

  private nested<T>(read: () => T): T {
    this.depth += 1
    if (this.depth > this.limits.depth) {
      failAt('Limit', `the template is nested deeper than ${this.limits.depth} levels`, this.look(0))
    }
    const result = read()
    this.depth -= 1
    return result
  }

  /** Notes how high the tree of an expression is: evaluating it takes that much of the stack. */
  private made<T extends Expression>(node: T, ...children: readonly (Expression | Arguments | null)[]): T {
    let height = 0
    for (const child of children) {
      if (child === null) continue
      if (child instanceof Object && 'positional' in child) {
        const all = [...child.positional, ...child.keyword.map(([, value]) => value), child.list, child.map]
        for (const part of all) if (part !== null) height = Math.max(height, heights.get(part) ?? 0)
      } else height = Math.max(height, heights.get(child) ?? 0)
    }
    height += 1
    const most = this.limits.depth * 4
    if (height > most) failAt('Limit', `an expression has more than ${most} operations in a row`, node)
    heights.set(node, height)
    return node
  }

  // Statements.

  parseTemplate(): readonly Statement[] {
    return this.subparse(undefined)
  }

  private subparse(ends: readonly string[] | undefined): Statement[] {
    const body: Statement[] = []
    let texts: (Expression | TemplateData)[] = []
    const flush = (): void => {
      const first = texts[0]
      if (first !== undefined) body.push(new Output(first.lineno, first.colno, texts))
      texts = []
    }
    if (ends !== undefined) this.endTags.push(ends)
    for (;;) {
      const token = this.look(0)
      if (token.type === 'data') {
        this.nextToken()
        texts.push(new TemplateData(token.lineno, token.colno, token.value))
      } else if (token.type === 'variable-start') {
        this.nextToken()
        texts.push(this.parseTuple({}))
        this.take('variable-end')
      } else if (token.type === 'block-start') {
        flush()
        this.nextToken()
        if (ends !== undefined && this.atName(...ends)) {
          this.endTags.pop()
          return body
        }
        body.push(this.nested(() => this.parseTag()))
        this.take('block-end')
      } else break
    }
    flush()
    if (ends !== undefined) this.failAtEnd(undefined, this.look(0))
    return body
  }

  /** A body until one of the end tags, whose name is the next token then; with `drop` it is taken, too. */
  private parseBody(ends: readonly string[], options?: { readonly drop: boolean }): readonly Statement[] {
    this.skip('colon')
    this.take('block-end')
    const body = this.subparse(ends)
    if (options?.drop === true) this.nextToken()
    return body
  }

  private failAtEnd(name: string | undefined, spot: Spot): never {
    const looking = this.endTags.at(-1)?.map((tag) => `'${tag}'`)
    const sentences = [name === undefined ? 'Unexpected end of template.' : `Encountered unknown tag '${name}'.`]
    if (looking !== undefined) {
      const list = looking.join(' or ')
      sentences.push(
        name !== undefined && this.endTags.some((tags) => tags.includes(name))
          ? `You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for ${list}.`
          : `Jinja was looking for the following tags: ${list}.`,
      )
    }
    const innermost = this.openTags.at(-1)
    if (innermost !== undefined) sentences.push(`The innermost block that needs to be closed is '${innermost}'.`)
    return this.syntax(sentences.join(' '), spot)
  }

  private parseTag(): Statement {
    const token = this.look(0)
    if (token.type !== 'symbol') this.syntax('tag name expected', token)
    const name = word(token)
    const read = tags.get(name)
    if (read === undefined) return this.failAtEnd(name, token)
    this.openTags.push(name)
    this.nextToken()
    const statement = read(this, token)
    this.openTags.pop()
    return statement
  }

  parseSetTag(at: Spot): Statement {
    const target = this.parseTarget({ namespaces: true })
    if (this.skipValue('operator', '=')) return new SetNode(at.lineno, at.colno, target, this.parseTuple({}))
    const filter = this.at('pipe') ? this.parseFilters(null) : null
    const body = this.parseBody(['endset'], { drop: true })
    return new SetBlock(at.lineno, at.colno, body, target, filter)
  }

  parseForTag(at: Spot): Statement {
    const target = this.parseTarget({})
    this.take('symbol', 'in')
    const iterated = this.parseTuple({ conditional: false })
    const condition = this.skipSymbol('if') ? this.parseExpr() : null
    const recursive = this.skipSymbol('recursive')
    const body = this.parseBody(['endfor', 'else'])
    const others = this.nextToken().value === 'endfor' ? [] : this.parseBody(['endfor'], { drop: true })
    return new For(at.lineno, at.colno, iterated, target, body, others, condition, recursive)
  }

  parseIfTag(at: Spot): Statement {
    const result = this.parseBranch(at)
    let last = result
    for (;;) {
      const token = this.nextToken()
      if (this.isName(token, 'elif')) {
        const branch = this.parseBranch(token)
        last.else_ = branch
        last = branch
        continue
      }
      if (this.isName(token, 'else')) last.else_ = this.parseBody(['endif'], { drop: true })
      return result
    }
  }

  private parseBranch(at: Spot): If {
    const condition = this.parseTuple({ conditional: false })
    return new If(at.lineno, at.colno, condition, this.parseBody(['elif', 'else', 'endif']), [])
  }

  parseWithTag(at: Spot): Statement {
    const targets: Target[] = []
    const values: Expression[] = []
    while (!this.at('block-end')) {
      if (targets.length > 0) this.take('comma')
      targets.push(this.parseTarget({}))
      this.take('operator', '=')
      values.push(this.parseExpr())
    }
    return new With(at.lineno, at.colno, targets, values, this.parseBody(['endwith'], { drop: true }))
  }

  parseAutoescapeTag(at: Spot): Statement {
    const on = this.parseExpr()
    return new Autoescape(at.lineno, at.colno, on, this.parseBody(['endautoescape'], { drop: true }))
  }

  parseBlockTag(at: Spot): Statement {
    const { name } = this.takeName()
    const scoped = this.skipSymbol('scoped')
    const required = this.skipSymbol('required')
    if (this.atOperator('-')) {
      this.syntax(
        'Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead.',
        this.look(0),
      )
    }
    const body = this.parseBody(['endblock'], { drop: true })
    if (required && !body.every(isBlank)) {
      this.syntax('Required blocks can only contain comments or whitespace', this.look(0))
    }
    this.skipSymbol(name)
    return new Block(at.lineno, at.colno, name, body, scoped, required)
  }

  parseExtendsTag(at: Spot): Statement {
    return new Extends(at.lineno, at.colno, this.parseExpr())
  }

  /** `with context` or `without context`. */
  private parseContext(otherwise: boolean): boolean {
    if (!this.atName('with', 'without') || !this.isName(this.look(1), 'context')) return otherwise
    const result = this.nextToken().value === 'with'
    this.nextToken()
    return result
  }

  parseIncludeTag(at: Spot): Statement {
    const template = this.parseExpr()
    const ignore = this.atName('ignore') && this.isName(this.look(1), 'missing')
    if (ignore) this.position += 2
    return new Include(at.lineno, at.colno, template, ignore, this.parseContext(true))
  }

  parseImportTag(at: Spot): Statement {
    const template = this.parseExpr()
    this.take('symbol', 'as')
    const { name } = this.takeAssignable()
    return new Import(at.lineno, at.colno, template, name, this.parseContext(false))
  }

  parseFromTag(at: Spot): Statement {
    const template = this.parseExpr()
    this.take('symbol', 'import')
    const names: [name: string, alias: string][] = []
    for (;;) {
      if (names.length > 0) this.take('comma')
      if (!this.at('symbol')) this.take('symbol')
      if (this.atName('with', 'without') && this.isName(this.look(1), 'context')) break
      const { name, token } = this.takeAssignable()
      if (name.startsWith('_')) {
        failAt('TemplateAssertionError', 'names starting with an underline can not be imported', token)
      }
      names.push([name, this.skipSymbol('as') ? this.takeAssignable().name : name])
      if (!this.at('comma')) break
    }
    return new FromImport(at.lineno, at.colno, template, names, this.parseContext(false))
  }

  parseMacroTag(at: Spot): Statement {
    const { name } = this.takeAssignable()
    const signature = this.parseSignatureOf()
    return new MacroNode(at.lineno, at.colno, name, signature, this.parseBody(['endmacro'], { drop: true }))
  }

  private parseSignatureOf(): Signature {
    const names: string[] = []
    const defaults: Expression[] = []
    this.take('left-paren')
    while (!this.at('right-paren')) {
      if (names.length > 0) this.take('comma')
      const { name, token } = this.takeAssignable()
      if (names.includes(name)) this.syntax(`duplicate argument '${name}' in function definition`, token)
      if (this.skipValue('operator', '=')) defaults.push(this.parseExpr())
      else if (defaults.length > 0) this.syntax('non-default argument follows default argument', this.look(0))
      names.push(name)
    }
    this.take('right-paren')
    return { names, defaults }
  }

  parseCallTag(at: Spot): Statement {
    const signature = this.at('left-paren') ? this.parseSignatureOf() : { names: [], defaults: [] }
    const call = this.parseExpr()
    if (!(call instanceof Call)) this.syntax('expected call', at)
    return new CallBlock(at.lineno, at.colno, call, signature, this.parseBody(['endcall'], { drop: true }))
  }

  parseFilterTag(at: Spot): Statement {
    const first = this.parseOneFilter(null)
    const filter = this.at('pipe') ? this.parseFilters(first) : first
    return new FilterBlock(at.lineno, at.colno, this.parseBody(['endfilter'], { drop: true }), filter)
  }

  parsePrintTag(at: Spot): Statement {
    const values: Expression[] = []
    while (!this.at('block-end')) {
      if (values.length > 0) this.take('comma')
      values.push(this.parseExpr())
    }
    return new Output(at.lineno, at.colno, values)
  }

  // Targets.

  /** The name of a macro, a parameter or an import: any name, but not a constant. */
  private takeAssignable(): { readonly name: string; readonly token: Token } {
    const taken = this.takeName()
    if (constants.has(taken.name)) this.syntax("can't assign to 'name'", taken.token)
    return taken
  }

  private parseTarget(options: { readonly namespaces?: boolean }): Target {
    const spot = this.look(0)
    const found = this.parseTuple({ ...options, simple: true, namespaces: options.namespaces === true })
    return this.asTarget(found, spot)
  }

  private asTarget(node: Expression | Target, spot: Spot): Target {
    if (node instanceof Name || node instanceof NamespaceTarget) return node
    if (node instanceof TupleNode) {
      return new TupleNode(
        node.lineno,
        node.colno,
        node.children.map((child) => this.asTarget(child, child)),
      )
    }
    return this.syntax(`can't assign to '${targetNames.get(node.kind) ?? node.kind}'`, spot)
  }

  // Expressions.

  parseExpr(options?: { readonly conditional: boolean }): Expression {
    return options?.conditional === false ? this.parseOr_() : this.parseConditional()
  }

  private parseConditional(): Expression {
    let node = this.parseOr_()
    while (this.skipSymbol('if')) {
      const condition = this.parseOr_()
      const otherwise = this.skipSymbol('else') ? this.nested(() => this.parseConditional()) : null
      node = this.made(new Conditional(node.lineno, node.colno, condition, node, otherwise), condition, node, otherwise)
    }
    return node
  }

  private parseOr_(): Expression {
    let left = this.parseAnd_()
    while (this.skipSymbol('or')) {
      const right = this.parseAnd_()
      left = this.made(new Logic(left.lineno, left.colno, left, right, 'or'), left, right)
    }
    return left
  }

  private parseAnd_(): Expression {
    let left = this.parseNot_()
    while (this.skipSymbol('and')) {
      const right = this.parseNot_()
      left = this.made(new Logic(left.lineno, left.colno, left, right, 'and'), left, right)
    }
    return left
  }

  private parseNot_(): Expression {
    const token = this.look(0)
    if (!this.skipSymbol('not')) return this.parseComparison()
    const target = this.nested(() => this.parseNot_())
    return this.made(new Not(token.lineno, token.colno, target), target)
  }

  private parseComparison(): Expression {
    const first = this.parseSum()
    const operands: Operand[] = []
    for (;;) {
      const token = this.look(0)
      const operator = token.type === 'operator' ? comparisons.get(token.value) : undefined
      if (operator !== undefined) {
        this.nextToken()
        operands.push(new Operand(token.lineno, token.colno, this.parseSum(), operator))
      } else if (this.skipSymbol('in')) {
        operands.push(new Operand(token.lineno, token.colno, this.parseSum(), 'in'))
      } else if (this.atName('not') && this.isName(this.look(1), 'in')) {
        this.position += 2
        operands.push(new Operand(token.lineno, token.colno, this.parseSum(), 'not in'))
      } else break
    }
    if (operands.length === 0) return first
    return this.made(
      new Compare(first.lineno, first.colno, first, operands),
      first,
      ...operands.map((operand) => operand.expr),
    )
  }

  private parseSum(): Expression {
    return this.parseBinary(sums, () => this.parseConcat_())
  }

  private parseConcat_(): Expression {
    const first = this.parseProduct()
    if (!this.at('tilde')) return first
    const all = [first]
    while (this.skip('tilde')) all.push(this.parseProduct())
    return this.made(new Concat(first.lineno, first.colno, all), ...all)
  }

  private parseProduct(): Expression {
    return this.parseBinary(products, () => this.parsePower())
  }

  private parseBinary(operators: ReadonlyMap<unknown, BinaryOperator>, operand: () => Expression): Expression {
    let left = operand()
    for (;;) {
      const token = this.look(0)
      const operator = token.type === 'operator' ? operators.get(token.value) : undefined
      if (operator === undefined) return left
      this.nextToken()
      const right = operand()
      left = this.made(new Binary(left.lineno, left.colno, left, right, operator), left, right)
    }
  }

  /** `**` binds to the left in Jinja2, other than in Python. */
  private parsePower(): Expression {
    let left = this.parseSigned()
    while (this.skipValue('operator', '**')) {
      const right = this.parseSigned()
      left = this.made(new Binary(left.lineno, left.colno, left, right, '**'), left, right)
    }
    return left
  }

  private parseSigned(options?: { readonly filters: boolean }): Expression {
    const token = this.look(0)
    let node: Expression
    if (token.type === 'operator' && (token.value === '-' || token.value === '+')) {
      this.nextToken()
      const target = this.nested(() => this.parseSigned({ filters: false }))
      node = this.made(new Sign(token.lineno, token.colno, target, token.value), target)
    } else node = this.parseAtom()
    node = this.parsePostfixes(node)
    return options?.filters === false ? node : this.parseFilterExpression(node)
  }

  private parseAtom(): Expression {
    const token = this.look(0)
    switch (token.type) {
      case 'symbol': {
        this.nextToken()
        const constant = constants.get(token.value)
        if (constant !== undefined) return this.made(new Literal(token.lineno, token.colno, constant))
        return this.made(new Name(token.lineno, token.colno, token.value))
      }
      case 'string': {
        let text = ''
        while (this.at('string')) text += word(this.nextToken())
        return this.made(new Literal(token.lineno, token.colno, text))
      }
      case 'int':
      case 'float':
        this.nextToken()
        return this.made(new Literal(token.lineno, token.colno, token.value))
      case 'left-paren':
        return this.nested(() => {
          this.nextToken()
          const node = this.parseTuple({ parentheses: true })
          this.take('right-paren')
          return node
        })
      case 'left-bracket':
        return this.nested(() => this.parseList())
      case 'left-curly':
        return this.nested(() => this.parseDict())
      default:
        return this.syntax(`unexpected '${describe(token)}'`, token)
    }
  }

  private parseTuple(options: {
    readonly simple?: false
    readonly conditional?: boolean
    readonly parentheses?: boolean
  }): Expression
  private parseTuple(options: { readonly simple: true; readonly namespaces: boolean }): Expression | Target
  private parseTuple(options: {
    readonly simple?: boolean
    readonly conditional?: boolean
    readonly parentheses?: boolean
    readonly namespaces?: boolean
  }): Expression | Target {
    const start = this.look(0)
    const items: (Expression | Target)[] = []
    let isTuple = false
    for (;;) {
      if (items.length > 0) this.take('comma')
      if (this.atTupleEnd()) break
      if (options.simple === true) items.push(this.parseSimple(options.namespaces === true))
      else items.push(this.parseExpr({ conditional: options.conditional !== false }))
      if (!this.at('comma')) break
      isTuple = true
    }
    const only = items[0]
    if (!isTuple && only !== undefined) return only
    if (!isTuple && options.parentheses !== true) {
      this.syntax(`Expected an expression, got '${describe(this.look(0))}'`, this.look(0))
    }
    const node = new TupleNode(start.lineno, start.colno, items)
    return this.made(node, ...items.filter((item) => !(item instanceof NamespaceTarget)))
  }

  private atTupleEnd(): boolean {
    return this.at('variable-end') || this.at('block-end') || this.at('right-paren')
  }

  /** What may be assigned to, before it is known whether it can be: a name, a literal, something in parentheses. */
  private parseSimple(namespaces: boolean): Expression | Target {
    const token = this.look(0)
    const after = this.look(1)
    const isNamespace = token.type === 'symbol' && after.type === 'operator' && after.value === '.'
    if (namespaces && isNamespace && !constants.has(token.value)) {
      this.position += 2
      return new NamespaceTarget(token.lineno, token.colno, token.value, this.takeName().name)
    }
    return this.parseAtom()
  }

  private parseList(): Expression {
    const start = this.nextToken()
    const items: Expression[] = []
    while (!this.at('right-bracket')) {
      if (items.length > 0) this.take('comma')
      if (this.at('right-bracket')) break
      items.push(this.parseExpr())
    }
    this.take('right-bracket')
    return this.made(new ListNode(start.lineno, start.colno, items), ...items)
  }

  private parseDict(): Expression {
    const start = this.nextToken()
    const pairs: PairNode[] = []
    while (!this.at('right-curly')) {
      if (pairs.length > 0) this.take('comma')
      if (this.at('right-curly')) break
      const key = this.parseExpr()
      this.take('colon')
      pairs.push(new PairNode(key.lineno, key.colno, key, this.parseExpr()))
    }
    this.take('right-curly')
    return this.made(
      new DictNode(start.lineno, start.colno, pairs),
      ...pairs.map((pair) => pair.key),
      ...pairs.map((pair) => pair.value),
    )
  }

  private parsePostfixes(start: Expression): Expression {
    let node = start
    for (;;) {
      if (this.atOperator('.')) node = this.parseAttribute(node)
      else if (this.at('left-bracket')) node = this.parseSubscript(node)
      else if (this.at('left-paren')) node = this.parseCallOf(node)
      else return node
    }
  }

  private parseFilterExpression(start: Expression): Expression {
    let node = start
    for (;;) {
      if (this.at('pipe')) node = this.parseFilters(node)
      else if (this.atName('is')) node = this.parseTest(node)
      else if (this.at('left-paren')) node = this.parseCallOf(node)
      else return node
    }
  }

  private parseAttribute(node: Expression): Expression {
    this.nextToken()
    const name = this.nextToken()
    if (name.type === 'symbol') {
      return this.made(new Attribute(name.lineno, name.colno, node, name.value), node)
    }
    if (name.type !== 'int') this.syntax('expected name or number', name)
    const key = this.made(new Literal(name.lineno, name.colno, name.value))
    return this.made(new Item(name.lineno, name.colno, node, key), node)
  }

  private parseSubscript(node: Expression): Expression {
    const start = this.nextToken()
    const keys: Expression[] = []
    this.nested(() => {
      while (!this.at('right-bracket')) {
        if (keys.length > 0) this.take('comma')
        keys.push(this.parseKey())
      }
    })
    this.take('right-bracket')
    const [only, second] = keys
    const key =
      only !== undefined && second === undefined
        ? only
        : this.made(new TupleNode(start.lineno, start.colno, keys), ...keys)
    return this.made(new Item(start.lineno, start.colno, node, key), node, key)
  }

  private parseKey(): Expression {
    const start = this.look(0)
    const first = this.at('colon') ? null : this.parseExpr()
    if (first !== null && !this.at('colon')) return first
    this.take('colon')
    const stop = this.atKeyEnd() || this.at('colon') ? null : this.parseExpr()
    const step = this.skip('colon') && !this.atKeyEnd() ? this.parseExpr() : null
    return this.made(new SliceNode(start.lineno, start.colno, first, stop, step), first, stop, step)
  }

  private atKeyEnd(): boolean {
    return this.at('right-bracket') || this.at('comma')
  }

  private parseCallOf(node: Expression): Expression {
    const start = this.look(0)
    const args = this.parseArguments()
    return this.made(new Call(start.lineno, start.colno, node, args), node, args)
  }

  private parseArguments(): Arguments {
    const start = this.take('left-paren')
    return this.nested(() => this.parseArgumentsFrom(start))
  }

  private parseArgumentsFrom(start: Token): Arguments {
    const positional: Expression[] = []
    const keyword: [string, Expression][] = []
    const names = new Set<string>()
    let list: Expression | null = null
    let map: Expression | null = null
    let needsComma = false
    const ensure = (condition: boolean): void => {
      if (!condition) this.syntax('invalid syntax for function call expression', start)
    }
    while (!this.at('right-paren')) {
      if (needsComma) {
        this.take('comma')
        if (this.at('right-paren')) break
      }
      const after = this.look(1)
      if (this.skipValue('operator', '*')) {
        ensure(list === null && map === null)
        list = this.parseExpr()
      } else if (this.skipValue('operator', '**')) {
        ensure(map === null)
        map = this.parseExpr()
      } else if (this.at('symbol') && after.type === 'operator' && after.value === '=') {
        ensure(map === null)
        const { name, token } = this.takeName()
        this.nextToken()
        if (names.has(name)) this.syntax(`keyword argument repeated: ${name}`, token)
        names.add(name)
        keyword.push([name, this.parseExpr()])
      } else {
        ensure(list === null && map === null && keyword.length === 0)
        positional.push(this.parseExpr())
      }
      needsComma = true
    }
    this.take('right-paren')
    return { positional, keyword, list, map }
  }

  private parseFilters(start: Expression | null): FilterNode {
    let node = start
    for (;;) {
      this.take('pipe')
      const filter = this.parseOneFilter(node)
      if (!this.at('pipe')) return filter
      node = filter
    }
  }

  private parseOneFilter(target: Expression | null): FilterNode {
    const { name, token } = this.parseDottedName()
    const args = this.at('left-paren') ? this.parseArguments() : noArguments
    return this.made(new FilterNode(token.lineno, token.colno, name, args, target), target, args)
  }

  private parseDottedName(): { readonly name: string; readonly token: Token } {
    const first = this.takeName()
    let name = first.name
    while (this.skipValue('operator', '.')) name += `.${this.takeName().name}`
    return { name, token: first.token }
  }

  private parseTest(node: Expression): Expression {
    this.nextToken()
    const negated = this.skipSymbol('not')
    const { name, token } = this.parseDottedName()
    let args = noArguments
    if (this.at('left-paren')) args = this.parseArguments()
    else if (argumentStarts.has(this.look(0).type) && !this.atName('else', 'or', 'and')) {
      if (this.atName('is')) this.syntax('You cannot chain multiple tests with is', this.look(0))
      args = { ...noArguments, positional: [this.parsePostfixes(this.parseAtom())] }
    }
    const test = this.made(new TestNode(token.lineno, token.colno, node, name, args), node, args)
    return negated ? this.made(new Not(token.lineno, token.colno, test), test) : test
  }
}

const tags: ReadonlyMap<string, (parser: JinjaParser, at: Spot) => Statement> = new Map([
  ['for', (parser, at) => parser.parseForTag(at)],
  ['if', (parser, at) => parser.parseIfTag(at)],
  ['block', (parser, at) => parser.parseBlockTag(at)],
  ['extends', (parser, at) => parser.parseExtendsTag(at)],
  ['print', (parser, at) => parser.parsePrintTag(at)],
  ['macro', (parser, at) => parser.parseMacroTag(at)],
  ['include', (parser, at) => parser.parseIncludeTag(at)],
  ['from', (parser, at) => parser.parseFromTag(at)],
  ['import', (parser, at) => parser.parseImportTag(at)],
  ['set', (parser, at) => parser.parseSetTag(at)],
  ['with', (parser, at) => parser.parseWithTag(at)],
  ['autoescape', (parser, at) => parser.parseAutoescapeTag(at)],
  ['call', (parser, at) => parser.parseCallTag(at)],
  ['filter', (parser, at) => parser.parseFilterTag(at)],
])

const described: Readonly<Record<TokenType, string>> = {
  data: 'template data / text',
  'block-start': 'begin of statement block',
  'block-end': 'end of statement block',
  'variable-start': 'begin of print statement',
  'variable-end': 'end of print statement',
  string: 'string',
  int: 'integer',
  float: 'float',
  symbol: 'name',
  operator: 'operator',
  'left-paren': '(',
  'right-paren': ')',
  'left-bracket': '[',
  'right-bracket': ']',
  'left-curly': '{',
  'right-curly': '}',
  comma: ',',
  colon: ':',
  tilde: '~',
  pipe: '|',
  eof: 'end of template',
}

/** The text of a token that has one. */
function word(token: Token): string {
  return typeof token.value === 'string' ? token.value : ''
}

function describe(token: Token): string {
  return token.type === 'symbol' || token.type === 'operator' ? word(token) : described[token.type]
}

/** Jinja2's names of the node classes, for "can't assign to". */
const targetNames: ReadonlyMap<AnyNode['kind'], string> = new Map<AnyNode['kind'], string>([['literal', 'const']])

function isBlank(statement: Statement): boolean {
  return (
    statement instanceof Output &&
    statement.children.every((child) => child instanceof TemplateData && child.value.trim() === '')
  )
}
