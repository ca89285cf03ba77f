import { same } from './canonical.ts'
import { type Data, type DataMap, entriesOf, Float, isList, isMap, keysOf, mapOf } from './data.ts'
import { find, parsed } from './edit/find.ts'
import { applied, removals, renamings, settings, type Ways } from './edit/splice.ts'
import { readYaml } from './yaml.ts'

/** What can be written into a file: a word, a number, a yes or no. */
export type Scalar = string | number | bigint | boolean

/** The text with its changes; or nothing, where that cannot be done without touching more than is meant. */
export type Edited = { readonly is: 'edited'; readonly text: string } | { readonly is: 'unsure'; readonly why: string }

/**
 * A change of one value. Paths are keys of maps. `set` writes a value, and the maps above it where there are none; `rename` gives a
 * value another key, in its place where the map is the same or is made around it, else at the end of the map that it goes to;
 * `remove` takes a key with its value and its own comment.
 */
export type Edit =
  | { readonly is: 'set'; readonly path: readonly string[]; readonly value: Data }
  | { readonly is: 'rename'; readonly path: readonly string[]; readonly to: readonly string[] }
  | { readonly is: 'remove'; readonly path: readonly string[] }

/**
 * Sets one value in a file that people write, as `editYaml` does; a map or a list that is there is not replaced by a word.
 */
export function setValue(
  file: string,
  text: string,
  { path, value }: { path: readonly string[]; value: Scalar },
): Edited {
  const there = readYaml(file, text, 'own')
  const old = there.ok ? at(there.value.data, path) : undefined
  if (isMap(old) || isList(old))
    return { is: 'unsure', why: 'the place is written in a way that is not edited by program' }
  return editYaml(file, text, [{ is: 'set', path, value }])
}

/**
 * Makes changes in a file that people write, one after the other, and leaves the rest as it is, to the byte: comments, order,
 * quotes, the ends of lines. What is there is replaced; what is not is put at the end of the map that it belongs into, in the style
 * of that map. A comment above a key stays where it is, whatever happens to the key. After each change the result is read again: it
 * is what was meant, or no change is made at all.
 */
export function editYaml(file: string, text: string, edits: readonly Edit[]): Edited {
  // A mark of the order of bytes is refused by the reader, and is no matter of lines.
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : ''
  let now = readState(file, text.slice(mark.length))
  if (now === undefined) return { is: 'unsure', why: 'the file has mistakes' }
  for (const edit of edits) {
    const next = editOnce(file, now, edit)
    if ('why' in next) return { is: 'unsure', why: next.why }
    now = next
  }
  return { is: 'edited', text: `${mark}${now.text}` }
}

/** A text that could be read, and what it says. */
type State = { readonly text: string; readonly data: Data; readonly warnings: number }

function readState(file: string, text: string): State | undefined {
  const read = readYaml(file, text, 'own')
  return read.ok ? { text, data: read.value.data, warnings: read.problems.length } : undefined
}

function editOnce(file: string, before: State, edit: Edit): State | { readonly why: string } {
  const { text, data: root } = before
  if (!isMap(root) || edit.path.length === 0) return { why: 'the file is not a map' }
  const wanted = changed(root, edit)
  if (wanted === undefined) return { why: whyNot(root, edit) }
  if (edit.is === 'set' && identical(root, wanted)) return before
  const found = waysOf(text, edit)
  if ('why' in found) return found
  for (const way of found.ways) {
    const edited = applied(text, way)
    const after = edited === undefined ? undefined : readState(file, edited)
    if (after !== undefined && identical(after.data, wanted) && after.warnings <= before.warnings) return after
  }
  return { why: 'the value does not read back as what it is' }
}

function waysOf(text: string, edit: Edit): Ways {
  const root = parsed(text)
  if (root === undefined) return { why: 'the place is written in a way that is not edited by program' }
  switch (edit.is) {
    case 'set':
      return settings(text, find(root, edit.path), edit.value)
    case 'remove':
      return removals(text, find(root, edit.path))
    case 'rename':
      return renamings(text, { root, path: edit.path, to: edit.to })
  }
}

// What the data shall be.

function at(data: Data, path: readonly string[]): Data | undefined {
  let value: Data | undefined = data
  for (const key of path) value = isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined
  return value
}

/** What the data of a file is after a change; nothing where the change has no meaning there. */
export function changed(root: DataMap, edit: Edit): DataMap | undefined {
  switch (edit.is) {
    case 'set':
      return withValue(root, edit.path, edit.value)
    case 'remove':
      return without(root, edit.path)
    case 'rename': {
      const { path, to } = edit
      const value = at(root, path)
      if (value === undefined) return undefined
      const own = path.slice(0, -1)
      const [key = '', name = ''] = [path.at(-1), to[own.length]]
      const isBelow = to.length > own.length && own.every((step, index) => to[index] === step)
      const map = at(root, own)
      if (isBelow && isMap(map) && (name === key || !Object.hasOwn(map, name))) {
        const inner = to.slice(own.length + 1).reduceRight<Data>((value, each) => mapOf([[each, value]]), value)
        return atMap(root, own, (inside) =>
          mapOf(entriesOf(inside).map(([each, old]) => (each === key ? [name, inner] : [each, old]))),
        )
      }
      if (at(root, to) !== undefined) return undefined
      const left = without(root, path)
      return left === undefined ? undefined : withValue(left, to, value)
    }
  }
}

function whyNot(root: DataMap, edit: Edit): string {
  if (edit.is === 'rename' && at(root, edit.path) !== undefined) return 'the key has a value already'
  return edit.is === 'set' ? 'the place is written in a way that is not edited by program' : 'there is no such key'
}

function atMap(map: DataMap, path: readonly string[], change: (map: DataMap) => DataMap): DataMap {
  const [key, ...rest] = path
  if (key === undefined) return change(map)
  return mapOf(
    entriesOf(map).map(([name, value]) => [name, name === key && isMap(value) ? atMap(value, rest, change) : value]),
  )
}

function without(root: DataMap, path: readonly string[]): DataMap | undefined {
  if (at(root, path) === undefined) return undefined
  const key = path.at(-1)
  return atMap(root, path.slice(0, -1), (map) => mapOf(entriesOf(map).filter(([name]) => name !== key)))
}

function withValue(map: DataMap, [key, ...rest]: readonly string[], value: Data): DataMap | undefined {
  if (key === undefined) return map
  const old = Object.hasOwn(map, key) ? map[key] : undefined
  if (rest.length > 0 && old !== undefined && old !== null && !isMap(old)) return undefined
  const inner = rest.length === 0 ? value : withValue(isMap(old) ? old : mapOf(), rest, value)
  if (inner === undefined) return undefined
  if (old === undefined) return mapOf([...entriesOf(map), [key, inner]])
  return mapOf(entriesOf(map).map(([name, each]) => [name, name === key ? inner : each]))
}

/** Whether two values are the same in every respect that a reader sees: kinds of numbers and the order of keys too. */
function identical(a: Data, b: Data): boolean {
  if (isMap(a) && isMap(b)) {
    const [left, right] = [keysOf(a), keysOf(b)]
    return (
      left.length === right.length &&
      left.every((key, index) => key === right[index] && identical(a[key] ?? null, b[key] ?? null))
    )
  }
  if (isList(a) && isList(b))
    return a.length === b.length && a.every((item, index) => identical(item, b[index] ?? null))
  return a instanceof Float === b instanceof Float && same(a, b)
}
