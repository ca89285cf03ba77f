/** A node of a parsed program, as the bundler gives it. */
export type SyntaxNode = { readonly type: string; readonly [key: string]: unknown }

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}
