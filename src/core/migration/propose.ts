import { same } from '../canonical.ts'
import { type Data, type DataMap, entriesOf, isList, isMap, mapOf } from '../data.ts'
import { flowText } from '../edit/written.ts'
import { nearest } from '../nearest.ts'
import type { InputSchema } from '../schema.ts'
import { listIn, mapIn, textIn, textsIn } from '../shape.ts'
import { outcomeOf, targetOf } from './examples.ts'
import { migrationsBetween } from './migrate.ts'
import type { Migration } from './model.ts'
import { readMigrations } from './read.ts'

/** A draft of a migration: what the schemas of two versions say by themselves. Somebody has to look at it. */
export type Proposed = {
  /** The text of `migrations/<to>.yaml`; nothing where inputs need none. */
  readonly text: string | undefined
  /** What is proposed, in a sentence each. */
  readonly steps: readonly string[]
  /** Inputs that the new version needs, which no old one can be the source of: they would be asked for. */
  readonly asked: readonly string[]
}

/**
 * Whether some migration on the way gives an input of the new version a value, or asks for one; `path` is an input, or a key
 * inside of one.
 */
export function coversInput(
  migrations: readonly Migration[],
  { from, to, path }: { readonly from: string; readonly to: string; readonly path: readonly string[] },
): boolean {
  const steps = migrationsBetween(migrations, from, to).flatMap((each) => [...each.inputs, ...each.pipeline])
  return steps.some((step) => {
    const target = targetOf(step)
    return target !== undefined && path.every((key, index) => target[index] === key || index >= target.length)
  })
}

/** Drafts a migration from what has changed between the inputs of two versions. */
export function proposeMigration(before: InputSchema, after: InputSchema): Proposed {
  const [old, now] = [propertiesOf(before), propertiesOf(after)]
  const removed = [...old.keys()].filter((name) => !now.has(name))
  const added = new Set([...now.keys()].filter((name) => !old.has(name)))
  const lines: string[] = []
  const steps: string[] = []
  const add = (line: string, sentence: string): void => {
    lines.push(line)
    steps.push(sentence)
  }
  for (const name of removed) {
    const type = typeOf(old.get(name))
    const alike = [...added].filter((each) => typeOf(now.get(each)) === type)
    const to = nearest(name, alike) ?? (alike.length === 1 && removed.length === 1 ? alike[0] : undefined)
    if (to === undefined) add(removeLine(name, old.get(name)), `"${name}" is gone.`)
    else {
      added.delete(to)
      add(`rename: { from: ${name}, to: ${to} }`, `"${name}" seems to be called "${to}" now.`)
      narrow(to, old.get(name), now.get(to), add)
    }
  }
  for (const [name, property] of now) {
    const was = old.get(name)
    if (was !== undefined) narrow(name, was, property, add)
  }
  const asked: string[] = []
  for (const [name, input] of after.inputs) {
    if (!input.required || input.host) continue
    if (added.has(name) || before.inputs.get(name)?.required === false) {
      asked.push(name)
      add(askLine(name, now.get(name)), `"${name}" is needed, and nothing says what it is.`)
    }
  }
  const given = [...old].flatMap(([name, property]): [string, Data][] => {
    const value = exampleOf(property)
    const isMoved = steps.some((step) => step.startsWith(`"${name}"`))
    return value !== undefined && (isMoved || before.inputs.get(name)?.required === true) ? [[name, value]] : []
  })
  return { text: lines.length === 0 ? undefined : draft(lines, mapOf(given)), steps, asked }
}

/** The text of a draft, with one example of what its own steps make of inputs as they are. */
function draft(lines: readonly string[], before: DataMap): string {
  const text = [
    '# A draft, from what the two schemas say by themselves: look at each step before it is released.',
    'inputs:',
    ...lines.map((line) => `  - ${line}`),
    'examples:',
    '  - name: all that services give    # inputs as they are, and what becomes of them',
    `    before: ${flowText(before)}`,
    '',
  ].join('\n')
  const read = readMigrations(new Map([['migrations/1.0.0.yaml', text]]), '')
  const [migration] = read.ok ? read.value : []
  if (migration === undefined) return `${text}    after: {}\n`
  const { after, asks, blocks } = outcomeOf(before, migration.inputs)
  const list = (name: string, paths: readonly string[]): string =>
    paths.length === 0 ? '' : `    ${name}: [${paths.join(', ')}]\n`
  return `${text}    after: ${flowText(after)}\n${list('ask', asks)}${list('block', blocks)}`
}

/** A value that an input may have had; nothing where its schema asks for more than can be made up. */
function exampleOf(property: DataMap): Data | undefined {
  const known = property['default'] ?? listIn(property, 'enum')?.[0]
  if (known !== undefined) return known
  switch (typeOf(property)) {
    case 'string':
      return property['pattern'] === undefined && property['minLength'] === undefined ? 'example' : undefined
    case 'integer':
    case 'number':
      return property['minimum'] ?? 1
    case 'boolean':
      return true
    default:
      return undefined
  }
}

function propertiesOf({ json }: InputSchema): ReadonlyMap<string, DataMap> {
  return new Map(
    entriesOf(mapIn(json, 'properties') ?? {}).flatMap(([name, each]) => (isMap(each) ? [[name, each] as const] : [])),
  )
}

function typeOf(property: DataMap | undefined): string {
  return textsIn(property, 'type')
    .filter((type) => type !== 'null')
    .join(' ')
}

/** What is gone without a successor that can be told is taken out where it says no more than its default; else somebody is asked. */
function removeLine(name: string, property: DataMap | undefined): string {
  const known = property?.['default']
  const isPlain = typeof known === 'string' || typeof known === 'number' || typeof known === 'boolean'
  const when = isPlain ? `value == ${JSON.stringify(known)}` : 'false'
  return `remove: { path: ${name}, when: ${flowText(when)}, else: ask }`
}

/** What an input that stays no longer takes. */
function narrow(
  name: string,
  before: DataMap | undefined,
  after: DataMap | undefined,
  add: (line: string, sentence: string) => void,
): void {
  const [from, to] = [typeOf(before), typeOf(after)]
  const as = to === 'array' ? 'list' : to
  if (from !== to && ['string', 'integer', 'number', 'boolean', 'list'].includes(as))
    add(`convert: { path: ${name}, as: ${as} }`, `"${name}" is of the type ${to} now.`)
  const [old, now] = [listIn(before, 'enum'), listIn(after, 'enum')]
  if (now !== undefined && (old === undefined || old.some((each) => !has(now, each)))) {
    const pairs = now.map((value) => `${flowText(textOf(value))}: ${flowText(value)}`)
    add(`map: { path: ${name}, values: { ${pairs.join(', ')} }, else: ask }`, `"${name}" takes fewer values now.`)
  }
  const [was, is] = [before?.['default'], after?.['default']]
  // What has another type now cannot be what it was.
  if (from === to && was !== undefined && (is === undefined || !same(was, is)) && !isMap(was) && !isList(was))
    add(
      `default: { path: ${name}, value: ${flowText(was)} }`,
      `"${name}" has another default now; this keeps the old one.`,
    )
}

function textOf(value: Data): string {
  return typeof value === 'string' ? value : flowText(value)
}

function has(list: readonly Data[], value: Data): boolean {
  return list.some((each) => same(each, value))
}

const answers: Readonly<Record<string, string>> = { array: 'list', object: 'map' }

function askLine(name: string, property: DataMap | undefined): string {
  const options = listIn(property, 'enum')
  const type = typeOf(property)
  const why = textIn(property, 'description')
  const parts = [
    `path: ${name}`,
    `type: ${options === undefined ? (answers[type] ?? (type === '' ? 'string' : type)) : 'enum'}`,
    ...(options === undefined ? [] : [`options: ${flowText(options)}`]),
    ...(why === undefined ? [] : [`why: ${JSON.stringify(why)}`]),
  ]
  return `ask: { ${parts.join(', ')} }`
}
