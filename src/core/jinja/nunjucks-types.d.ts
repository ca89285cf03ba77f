/** The parts of nunjucks that Protium uses: the parser's plumbing and the node classes. nunjucks ships no types for them. */
declare module 'nunjucks/src/parser.js' {
  import type { Token } from './lexer.ts'

  class Parser {
    constructor(tokens: unknown)
    init(tokens: unknown): void
    nextToken(withWhitespace?: boolean): Token
    peekToken(): Token
    pushToken(token: Token): void
    fail(message: string, lineno?: number, colno?: number): never
    skip(type: string): boolean
    skipValue(type: string, value: string): boolean
    skipSymbol(value: string): boolean
  }
  const module: { readonly Parser: typeof Parser }
  export default module
}

declare module 'nunjucks/src/nodes.js' {
  /** Every node keeps where it starts; both count from 0. The further arguments are the values of `fields`. */
  class Node {
    constructor(lineno: number, colno: number, ...fields: unknown[])
    readonly lineno: number
    readonly colno: number
    get fields(): readonly string[]
  }
  const module: Readonly<
    Record<
      | 'Node'
      | 'NodeList'
      | 'Output'
      | 'TemplateData'
      | 'Literal'
      | 'Symbol'
      | 'Group'
      | 'Array'
      | 'Dict'
      | 'Pair'
      | 'LookupVal'
      | 'InlineIf'
      | 'FunCall'
      | 'Filter'
      | 'Is'
      | 'Not'
      | 'Compare'
      | 'CompareOperand'
      | 'If'
      | 'For'
      | 'Macro'
      | 'Caller'
      | 'Import'
      | 'FromImport'
      | 'Include'
      | 'Extends'
      | 'Block'
      | 'Set'
      | 'Capture',
      typeof Node
    >
  >
  export default module
}
