import type { Plugin } from 'rolldown'

/** Leaves out of our own schemas what they tell editors: a build checks by them, and tells what is wanted in its own words. */
export function silent({ code, keys }: { readonly code: RegExp; readonly keys: readonly string[] }): Plugin {
  return {
    name: 'silent',
    transform(text, id) {
      if (!code.test(id)) return null
      const parts: string[] = []
      let last = 0
      for (const { start, end } of propertiesOf(this.parse(text, { lang: 'ts' }), keys)) {
        parts.push(text.slice(last, start))
        // With the comma behind it, if there is one.
        last = /^\s*,/.exec(text.slice(end))?.[0].length ?? 0
        last += end
      }
      parts.push(text.slice(last))
      return parts.join('')
    },
  }
}

/** The properties of these names whose values are texts, where they stand. */
function propertiesOf(
  node: unknown,
  keys: readonly string[],
): readonly { readonly start: number; readonly end: number }[] {
  if (Array.isArray(node)) return node.flatMap((each) => propertiesOf(each, keys))
  if (typeof node !== 'object' || node === null) return []
  if (
    'type' in node &&
    node.type === 'Property' &&
    'key' in node &&
    'value' in node &&
    'start' in node &&
    'end' in node
  ) {
    const isNamed = isOf(node.key, 'Identifier') && 'name' in node.key && keys.includes(String(node.key.name))
    if (isNamed && isOf(node.value, 'Literal')) return [{ start: Number(node.start), end: Number(node.end) }]
  }
  return Object.values(node).flatMap((each) => propertiesOf(each, keys))
}

function isOf(node: unknown, type: string): node is object {
  return typeof node === 'object' && node !== null && 'type' in node && node.type === type
}
