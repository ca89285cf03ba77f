import type { Plugin } from 'rolldown'

/**
 * Says of modules that what they make for a name of theirs at once (`const schema = new Schema(…)`) is of no use but by that
 * name, so that a build leaves out what nobody asks for.
 */
export function pure({ code }: { readonly code: readonly string[] }): Plugin {
  return {
    name: 'pure',
    transform(text, id) {
      if (!code.some((end) => id.endsWith(end))) return null
      const parts: string[] = []
      let last = 0
      for (const statement of this.parse(text).body) {
        if (statement.type !== 'VariableDeclaration') continue
        for (const { init } of statement.declarations) {
          if (init === null || !made.has(init.type)) continue
          parts.push(text.slice(last, init.start), `/* @__PURE__ */ (() => ${text.slice(init.start, init.end)})()`)
          last = init.end
        }
      }
      parts.push(text.slice(last))
      return parts.join('')
    },
  }
}

const made = new Set<string>(['CallExpression', 'NewExpression', 'ClassExpression'])
