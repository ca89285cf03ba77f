import type { Plugin } from 'rolldown'
import { isNode } from './syntax.ts'

/** Leaves out methods that a class of ours, which extends this one, does without. They are written as `_proto.name = function`. */
export function methodsOnly({
  code,
  keep,
}: {
  readonly code: readonly string[]
  readonly keep: (name: string) => boolean
}): Plugin {
  return {
    name: 'methods-only',
    transform(text, id) {
      if (!code.some((end) => id.endsWith(end))) return null
      const parts: string[] = []
      let last = 0
      for (const { name, start, end } of methodsIn(this.parse(text, { lang: 'js' }))) {
        if (keep(name)) continue
        parts.push(text.slice(last, start))
        last = end
      }
      parts.push(text.slice(last))
      return parts.join('')
    },
  }
}

type Method = { readonly name: string; readonly start: number; readonly end: number }

function methodsIn(node: unknown): readonly Method[] {
  if (Array.isArray(node)) return node.flatMap(methodsIn)
  if (!isNode(node)) return []
  const { type, expression } = node
  if (type === 'ExpressionStatement' && isNode(expression) && isNode(expression['left'])) {
    const { object, property } = expression['left']
    if (isNode(object) && object['name'] === '_proto' && isNode(property))
      return [{ name: String(property['name']), start: Number(node['start']), end: Number(node['end']) }]
  }
  return Object.values(node).flatMap(methodsIn)
}
