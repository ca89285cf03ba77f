import type { Plugin } from 'rolldown'

/** Takes other code for the modules whose files end so. */
export function instead(codes: Readonly<Record<string, string>>): Plugin {
  return {
    name: 'instead',
    load(id) {
      const end = Object.keys(codes).find((each) => id.endsWith(each))
      return end === undefined ? null : (codes[end] ?? null)
    },
  }
}
