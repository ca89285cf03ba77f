import { isMap as isMapNode, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml'
import { isEmptyValue, pairOf } from './lines.ts'

/** A map of the text on the way to a place. `outer` are the maps around it with the pair that leads inside, the root first. */
export type Inside = {
  readonly map: YAMLMap
  /** Whether it lies in brackets. */
  readonly isFlow: boolean
  readonly outer: readonly { readonly map: YAMLMap; readonly pair: Pair }[]
}

/** Where a path leads in a text. */
export type Found =
  | { readonly is: 'there'; readonly pair: Pair; readonly inside: Inside }
  /** The map has no such key; `keys` are it and what lies under it. */
  | { readonly is: 'missing'; readonly inside: Inside; readonly keys: readonly string[] }
  /** A key is there and has no value yet; `keys` would lie under it. */
  | { readonly is: 'empty'; readonly pair: Pair; readonly inside: Inside; readonly keys: readonly string[] }
  | { readonly is: 'odd'; readonly why: string }

const odd = 'the place is written in a way that is not edited by program'

export function parsed(text: string): YAMLMap | undefined {
  const { contents, errors } = parseDocument(text, {
    version: '1.2',
    schema: 'failsafe',
    keepSourceTokens: true,
    logLevel: 'error',
    prettyErrors: false,
  })
  return errors.length > 0 || !isMapNode(contents) ? undefined : contents
}

export function find(root: YAMLMap, path: readonly string[]): Found {
  let inside: Inside = { map: root, isFlow: root.flow === true, outer: [] }
  for (const [index, key] of path.entries()) {
    const rest = path.slice(index + 1)
    const pair = pairOf(inside.map, key)
    if (pair === undefined) return { is: 'missing', inside, keys: [key, ...rest] }
    // An explicit key (`? a`) has its own rules of lines.
    if (pair.srcToken?.start.some(({ type }) => type === 'explicit-key-ind') === true) return { is: 'odd', why: odd }
    if (rest.length === 0) return { is: 'there', pair, inside }
    const { value } = pair
    if (isMapNode(value)) {
      const outer = [...inside.outer, { map: inside.map, pair }]
      inside = { map: value, isFlow: inside.isFlow || value.flow === true, outer }
      continue
    }
    const isNothing = isEmptyValue(value) || (isScalar(value) && value.type === 'PLAIN' && isNull(value.source))
    return isNothing ? { is: 'empty', pair, inside, keys: rest } : { is: 'odd', why: odd }
  }
  return { is: 'odd', why: 'no place is named' }
}

function isNull(source: string | undefined): boolean {
  return source === 'null' || source === '~' || source === 'Null' || source === 'NULL'
}
