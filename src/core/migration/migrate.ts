import type { Bundle } from '../bundle.ts'
import { same } from '../canonical.ts'
import { type Data, type DataMap, entriesOf, isList, isMap, type Path } from '../data.ts'
import type { Edit } from '../edit.ts'
import { isPlaceholder } from '../placeholder.ts'
import { filledInputs, type InputSchema } from '../schema.ts'
import { dataAt, type Fault, faultsOf, mapIn } from '../shape.ts'
import { compareVersions } from '../version.ts'
import type { ChangedDefault, Consumer, Migrated, Migration, Step } from './model.ts'
import { known, type Layer, overlaid, type Progress, question, take } from './steps.ts'

/**
 * Takes what a consumer's file says from one version to another by the migrations in between, one after the other: it never
 * guesses. `before` and `after` are the bundles of the two versions; where the one that it comes from is not to be had, nothing is
 * known of changed defaults. With `acceptSuggestions` what a migration suggests is taken for the answer.
 */
export function migrate({
  consumer,
  from,
  to,
  migrations,
  before,
  after,
  acceptSuggestions = false,
}: {
  readonly consumer: Consumer
  readonly from: string
  readonly to: string
  readonly migrations: readonly Migration[]
  readonly before: Bundle | undefined
  readonly after: Bundle
  readonly acceptSuggestions?: boolean
}): Migrated {
  const chosen = migrationsBetween(migrations, from, to)
  const progress = newProgress(acceptSuggestions)
  const base: Layer = { prefix: ['inputs'], isBase: true, inputs: consumer.inputs }
  const stages = [...consumer.stages].map(([name, inputs]): Layer => ({
    prefix: ['stages', name, 'inputs'],
    isBase: false,
    inputs,
  }))
  const pipeline: Layer | undefined = consumer.pipeline && {
    prefix: ['pipeline', 'inputs'],
    isBase: true,
    inputs: consumer.pipeline,
  }
  const keep = new Map(consumer.keep)
  for (const migration of chosen) {
    progress.version = migration.to
    for (const step of migration.inputs) take(progress, [base, ...stages], step)
    if (pipeline !== undefined) for (const step of migration.pipeline) take(progress, [pipeline], step)
    keepIds(progress, migration, keep)
  }
  progress.version = to
  const unknown: Migrated['unknown'][number][] = []
  const [old, schema] = [schemaOf(before), schemaOf(after)]
  if (schema !== undefined)
    check(progress, { layers: [base, ...stages], schema, old, original: consumer.inputs, unknown })
  if (pipeline !== undefined && after.schema.pipeline !== undefined)
    check(progress, {
      layers: [pipeline],
      schema: after.schema.pipeline,
      old: before?.schema.pipeline,
      original: consumer.pipeline ?? {},
      unknown,
    })
  const steps = chosen.flatMap(({ inputs }) => inputs)
  const result: Consumer = {
    inputs: base.inputs,
    stages: new Map([...consumer.stages.keys()].map((name, index) => [name, stages[index]?.inputs ?? {}])),
    ...(pipeline === undefined ? {} : { pipeline: pipeline.inputs }),
    keep,
  }
  return {
    from,
    to,
    edits: progress.edits,
    shown: progress.shown,
    asks: progress.asks.filter(({ path, placeholder }) => placeholder === undefined || isThere(result, path)),
    blocks: progress.blocks,
    defaults:
      old === undefined || schema === undefined
        ? []
        : defaultsOf({ base, original: consumer.inputs, steps, old, schema }),
    unknown,
    notes: chosen.flatMap(({ to: version, notes: text }) => (text === undefined ? [] : [{ version, text }])),
    after: result,
  }
}

/** The migrations on the way from a version to another, in order. */
export function migrationsBetween(migrations: readonly Migration[], from: string, to: string): readonly Migration[] {
  return migrations
    .filter((each) => compareVersions(from, each.to) < 0 && compareVersions(each.to, to) <= 0)
    .toSorted((a, b) => compareVersions(a.to, b.to))
}

export function newProgress(accept: boolean): Progress {
  return { version: '', accept, edits: [], shown: [], asks: [], blocks: [] }
}

function schemaOf(bundle: Bundle | undefined): InputSchema | undefined {
  return bundle?.kind === 'environment' ? bundle.schema.environment : bundle?.schema.service
}

/** Whether a placeholder still stands where it was put. */
function isThere({ inputs, stages, pipeline }: Consumer, [top, ...rest]: Path): boolean {
  if (top === 'inputs') return isPlaceholder(dataAt(inputs, rest))
  if (top === 'pipeline') return isPlaceholder(dataAt(pipeline ?? {}, rest.slice(1)))
  return isPlaceholder(dataAt(stages.get(String(rest[0])) ?? {}, rest.slice(2)))
}

/** Notes in the file which ids its stacks have: what was kept before is kept under the newest name. */
function keepIds(progress: Progress, { resources, to: version }: Migration, keep: Map<string, string>): void {
  for (const { from, to, why } of resources) {
    if (keep.has(to)) continue
    const live = keep.get(from) ?? from
    const words = why ?? `The template calls it ${to} now; the stacks keep what they have.`
    const isHome = live === to
    const edit: Edit | undefined = keep.has(from)
      ? isHome
        ? { is: 'remove', path: ['keep', from] }
        : { is: 'rename', path: ['keep', from], to: ['keep', to] }
      : { is: 'set', path: ['keep', to], value: live }
    keep.delete(from)
    if (!isHome) keep.set(to, live)
    progress.edits.push(edit)
    progress.shown.push({ path: ['keep', isHome ? from : to], ...(isHome ? {} : { after: live }), why: words, version })
  }
}

// What came out, looked at by the schema of the new version.

function check(
  progress: Progress,
  {
    layers,
    schema,
    old,
    original,
    unknown,
  }: {
    readonly layers: readonly Layer[]
    readonly schema: InputSchema
    readonly old: InputSchema | undefined
    readonly original: DataMap
    readonly unknown: Migrated['unknown'][number][]
  },
): void {
  const [base, ...stages] = layers
  if (base === undefined) return
  const wasUnknown = new Set(
    (old === undefined ? [] : faultsOf(old.json, original)).flatMap((fault) =>
      fault.is === 'unknown' ? [[...fault.path, fault.key].join('.')] : [],
    ),
  )
  const own = (layer: Layer): void => {
    const whole = layer === base ? base.inputs : overlaid(base.inputs, layer.inputs)
    for (const fault of faultsOf(schema.json, whole)) {
      if (fault.is === 'unknown') {
        const path = [...fault.path, fault.key]
        if (dataAt(layer.inputs, path) === undefined) continue
        const isNew = !wasUnknown.has(path.join('.'))
        const why = isNew
          ? 'The new version has no such input, and no migration says what becomes of it.'
          : 'No version has such an input.'
        const whole = [...layer.prefix, ...path]
        unknown.push({ path: whole, why, isNew })
        if (isNew) progress.asks.push({ path: whole, expected: 'this line taken out, or renamed', options: [], why })
      } else if (fault.is === 'missing') missing(layer, fault)
      else wrong(layer, fault)
    }
  }
  const missing = (layer: Layer, fault: Extract<Fault, { is: 'missing' }>): void => {
    const path = [...fault.path, fault.key]
    if (fault.path.length === 0 && schema.inputs.get(fault.key)?.host === true) return
    // What is missing for all is asked for there, and so is what no stage alone is without.
    const isOfBase = layer === base
    if (isOfBase && stages.length > 0 && stages.every((stage) => dataAt(stage.inputs, path) !== undefined)) return
    if (!isOfBase && (fault.path.length === 0 || dataAt(layer.inputs, fault.path) === undefined)) return
    const texts = path.filter((step) => typeof step === 'string')
    const property = propertyAt(schema.json, texts)
    const options = property?.['enum']
    const expected = lowered(fault.expected)
    const why = 'The new version needs it, and has no default.'
    if (texts.length === path.length)
      question(progress, layer, { path: texts, expected, options: isList(options) ? options : [], why })
    else progress.asks.push({ path: [...layer.prefix, ...path], expected, options: [], why })
  }
  const wrong = (layer: Layer, { path, why, expected }: Extract<Fault, { is: 'type' | 'value' }>): void => {
    const value = dataAt(layer.inputs, path)
    if (value === undefined || isPlaceholder(value) || holdsPlaceholder(value)) return
    const words = `In the new version it ${why}.`
    const before = isMap(value) || isList(value) ? {} : { before: value }
    progress.asks.push({
      path: [...layer.prefix, ...path],
      expected: lowered(expected),
      options: [],
      ...before,
      why: words,
    })
  }
  for (const layer of layers) own(layer)
}

function holdsPlaceholder(value: Data): boolean {
  if (isMap(value)) return entriesOf(value).some(([, inner]) => holdsPlaceholder(inner))
  return isList(value) ? value.some(holdsPlaceholder) : isPlaceholder(value)
}

/** A sentence as a part of another. */
function lowered(sentence: string): string {
  return `${sentence.charAt(0).toLowerCase()}${sentence.slice(1).replace(/\.$/, '')}`
}

function propertyAt(json: DataMap, path: readonly string[]): DataMap | undefined {
  return path.reduce<DataMap | undefined>((inner, key) => mapIn(mapIn(inner, 'properties'), key), json)
}

// Inputs that the file does not give, and that are another now.

/**
 * What the old defaults would have become, had they been written out, beside what the new defaults are. So a default that has
 * moved with its input, or was mapped, is no difference.
 */
function defaultsOf({
  base,
  original,
  steps,
  old,
  schema,
}: {
  readonly base: Layer
  readonly original: DataMap
  readonly steps: readonly Step[]
  readonly old: InputSchema
  readonly schema: InputSchema
}): readonly ChangedDefault[] {
  const written: Layer = { prefix: [], isBase: true, inputs: filledInputs(old, original) }
  const trial = newProgress(false)
  for (const step of steps) take(trial, [written], step)
  const now = filledInputs(schema, known(base.inputs))
  const found: ChangedDefault[] = []
  for (const path of leaves(written.inputs, [])) {
    if (dataAt(base.inputs, path) !== undefined || propertyAt(schema.json, path) === undefined) continue
    const [before, after] = [dataAt(written.inputs, path), dataAt(now, path)]
    if (before === undefined || (after !== undefined && same(before, after))) continue
    const asked = isPlaceholder(before)
      ? trial.asks.find((each) => each.path.join('.') === path.join('.'))?.before
      : before
    const keep: Edit = { is: 'set', path: ['inputs', ...path], value: before }
    found.push({
      path: ['inputs', ...path],
      ...(asked === undefined ? {} : { before: asked }),
      ...(after === undefined ? {} : { after }),
      ...(isTaken(schema, path, before) && !isPlaceholder(before) ? { keep } : {}),
    })
  }
  return found
}

function isTaken(schema: InputSchema, path: readonly string[], value: Data): boolean {
  const property = propertyAt(schema.json, path)
  return property !== undefined && faultsOf(property, value).length === 0
}

/** The paths of what is no map with something in it. */
function leaves(map: DataMap, path: readonly string[]): readonly (readonly string[])[] {
  return entriesOf(map).flatMap(([key, value]) =>
    isMap(value) && entriesOf(value).length > 0 ? leaves(value, [...path, key]) : [[...path, key]],
  )
}
