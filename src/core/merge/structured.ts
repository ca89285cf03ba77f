import { same } from '../canonical.ts'
import { type Data, type DataMap, entriesOf, Float, isList, isMap, keysOf, mapOf } from '../data.ts'
import { type Edit, editYaml } from '../edit.ts'
import { readJson, readRendered } from '../yaml.ts'
import { editJson } from './json.ts'

/** Characters of a text whose values are merged: an edit by value reads it several times over. */
const longest = 256 * 1024

/** Whether a file is JSON or YAML, by its name. */
export function isStructured(path: string): boolean {
  return isJson(path) || /\.ya?ml$/iu.test(path)
}

function isJson(path: string): boolean {
  return /\.json$/iu.test(path)
}

/** Whether the text can be read as what its name says. */
export function reads(path: string, text: string): boolean {
  return valueOf(path, text) !== undefined
}

function valueOf(path: string, text: string): Data | undefined {
  const plain = text.startsWith('\uFEFF') ? text.slice(1) : text
  // YAML of many origins: what CloudFormation may hold, tags and old words among it, is the widest that is read.
  const read = isJson(path) ? readJson(path, plain) : readRendered(path, plain)
  return read.ok ? read.value.data : undefined
}

/**
 * Ours with what the template has changed of its values, where it has changed other keys than we have. Lists are one value. Nothing
 * where both have changed one key, or where it cannot be done without touching lines of ours that do not matter.
 */
export function mergeValues(
  path: string,
  texts: { readonly before: string; readonly after: string; readonly ours: string },
): string | undefined {
  const all = [texts.before, texts.after, texts.ours]
  if (all.some(({ length }) => length > longest)) return undefined
  const [before, after, ours] = all.map((text) => valueOf(path, text))
  if (!isMap(before) || !isMap(after) || !isMap(ours)) return undefined
  if (![before, after, ours].every(isComparable)) return undefined
  const edits: Edit[] = []
  const wanted = mergeMaps({ before, after, ours, path: [] }, edits)
  if (wanted === undefined || edits.length === 0) return undefined
  const edited = isJson(path) ? editJson(texts.ours, edits) : editedYaml(path, texts.ours, edits)
  const value = edited === undefined ? undefined : valueOf(path, edited)
  return value !== undefined && same(value, wanted) ? edited : undefined
}

function editedYaml(path: string, text: string, edits: readonly Edit[]): string | undefined {
  const edited = editYaml(path, text, edits)
  return edited.is === 'edited' ? edited.text : undefined
}

type Maps = {
  readonly before: DataMap
  readonly after: DataMap
  readonly ours: DataMap
  readonly path: readonly string[]
}

/** The merged map, and what has to be done to ours for it; nothing if both have changed one value. */
function mergeMaps({ before, after, ours, path }: Maps, edits: Edit[]): DataMap | undefined {
  const merged = new Map<string, Data>(entriesOf(ours))
  for (const key of new Set([...keysOf(before), ...keysOf(after)])) {
    const [old, fresh, own] = [before, after, ours].map((map) => (Object.hasOwn(map, key) ? map[key] : undefined))
    if (isSame(old, fresh) || isSame(fresh, own)) continue
    const at = [...path, key]
    if (isMap(fresh) && isMap(own) && (old === undefined || isMap(old))) {
      const inner = mergeMaps({ before: old ?? mapOf(), after: fresh, ours: own, path: at }, edits)
      if (inner === undefined) return undefined
      merged.set(key, inner)
    } else if (isSame(old, own)) {
      if (fresh === undefined) {
        merged.delete(key)
        edits.push({ is: 'remove', path: at })
      } else {
        merged.set(key, fresh)
        edits.push({ is: 'set', path: at, value: fresh })
      }
    } else return undefined
  }
  return mapOf(merged)
}

/** Whether JSON has words for all of it; YAML knows numbers that are none. */
function isComparable(data: Data): boolean {
  if (data instanceof Float) return Number.isFinite(data.value)
  if (isList(data)) return data.every(isComparable)
  return !isMap(data) || entriesOf(data).every(([, value]) => isComparable(value))
}

function isSame(one: Data | undefined, other: Data | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return one === other || same(one, other)
}
