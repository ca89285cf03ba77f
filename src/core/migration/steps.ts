import { same } from '../canonical.ts'
import { type Data, type DataMap, entriesOf, Float, isList, isMap, mapOf } from '../data.ts'
import { changed, type Edit } from '../edit.ts'
import { isPlaceholder, placeholderFor } from '../placeholder.ts'
import { maskUnder } from '../secret.ts'
import { dataAt, inWords } from '../shape.ts'
import { evaluate } from './expression.ts'
import type { AnswerType, Ask, Block, Else, Shown, Step } from './model.ts'
import { wordOf } from './read.ts'

/** Inputs at one place of a file: for all stages, for one, or of the pipeline. */
export type Layer = { readonly prefix: readonly string[]; readonly isBase: boolean; inputs: DataMap }

/** What has come of the steps so far. */
export type Progress = {
  version: string
  readonly accept: boolean
  readonly edits: Edit[]
  readonly shown: Shown[]
  asks: Ask[]
  readonly blocks: Block[]
}

type Of<Is extends Step['is']> = Extract<Step, { readonly is: Is }>

/** Takes one step in layers of which the first is that for all stages. */
export function take(progress: Progress, layers: readonly Layer[], step: Step): void {
  switch (step.is) {
    case 'rename':
      for (const layer of layers) rename(progress, layer, step)
      return
    case 'map':
      for (const layer of layers) mapValue(progress, layer, step)
      return
    case 'convert':
      for (const layer of layers) convert(progress, layer, step)
      return
    case 'remove':
      for (const layer of layers) remove(progress, layer, step)
      return
    case 'default': {
      const [base] = layers
      if (base !== undefined && at(base, step.path) === undefined)
        give(progress, base, { path: step.path, value: step.value, why: step.why ?? 'It is written out from now on.' })
      return
    }
    case 'compute':
      compute(progress, layers, step)
      return
    case 'ask':
      ask(progress, layers, step)
      return
  }
}

function at({ inputs }: Layer, path: readonly string[]): Data | undefined {
  return dataAt(inputs, path)
}

/** Makes a change in a layer; what stands in its way is told. */
function make({ edits, blocks, version }: Progress, layer: Layer, edit: Edit): boolean {
  const next = changed(layer.inputs, edit)
  if (next === undefined) {
    const path = [...layer.prefix, ...(edit.is === 'rename' ? edit.to : edit.path)]
    blocks.push({ path, why: 'Something that is no map stands in the way.', version })
    return false
  }
  layer.inputs = next
  const path = [...layer.prefix, ...edit.path]
  edits.push(edit.is === 'rename' ? { ...edit, path, to: [...layer.prefix, ...edit.to] } : { ...edit, path })
  return true
}

/** Takes out the maps above a place in which nothing is left. */
function prune(progress: Progress, layer: Layer, path: readonly string[]): void {
  for (let length = path.length - 1; length > 0; length -= 1) {
    const above = path.slice(0, length)
    const map = at(layer, above)
    if (!isMap(map) || entriesOf(map).length > 0) return
    make(progress, layer, { is: 'remove', path: above })
  }
}

function show(
  { shown, version }: Progress,
  layer: Layer,
  {
    path,
    from,
    ...rest
  }: { path: readonly string[]; from?: readonly string[]; before?: Data; after?: Data; why: string },
): void {
  const moved = from === undefined ? {} : { from: [...layer.prefix, ...from] }
  shown.push({ path: [...layer.prefix, ...path], ...moved, ...rest, version })
}

function give(
  progress: Progress,
  layer: Layer,
  { path, value, why }: { readonly path: readonly string[]; readonly value: Data; readonly why: string },
): void {
  if (make(progress, layer, { is: 'set', path, value })) show(progress, layer, { path, after: value, why })
}

function block(progress: Progress, layer: Layer, path: readonly string[], why: string): void {
  progress.blocks.push({ path: [...layer.prefix, ...path], why, version: progress.version })
}

/** Puts what is asked for where the answer shall stand. */
export function question(
  progress: Progress,
  layer: Layer,
  {
    path,
    expected,
    options = [],
    suggest,
    before,
    why,
  }: {
    readonly path: readonly string[]
    readonly expected: string
    readonly options?: readonly Data[]
    readonly suggest?: Data | undefined
    readonly before?: Data
    readonly why: string
  },
): void {
  const word = before === undefined ? undefined : wordOf(before)
  // A long text would hide the question.
  const was = word === undefined || !/^[^\r\n]{1,60}$/u.test(word) ? '' : ` (was ${word})`
  const likely = suggest === undefined ? undefined : wordOf(suggest)
  const perhaps = likely === undefined || !/^[^\r\n]{1,60}$/u.test(likely) ? '' : `, perhaps ${likely}`
  const placeholder = placeholderFor(`${expected}${perhaps}${was}`)
  if (at(layer, path) !== placeholder && !make(progress, layer, { is: 'set', path, value: placeholder })) return
  progress.asks.push({
    path: [...layer.prefix, ...path],
    expected,
    options,
    ...(suggest === undefined ? {} : { suggest }),
    ...(before === undefined ? {} : { before }),
    why,
    placeholder,
  })
}

function rename(progress: Progress, layer: Layer, { from, to, why }: Of<'rename'>): void {
  const [value, there] = [at(layer, from), at(layer, to)]
  if (value === undefined) return
  if (there !== undefined) {
    if (!same(value, there)) {
      const words = `Both "${from.join('.')}" and "${to.join('.')}" are given, which are one input now.`
      return block(progress, layer, from, words)
    }
    if (make(progress, layer, { is: 'remove', path: from })) {
      show(progress, layer, { path: from, before: value, why: why ?? `It is called "${to.join('.')}" now.` })
      prune(progress, layer, from)
    }
    return
  }
  if (!make(progress, layer, { is: 'rename', path: from, to })) return
  moveAsks(progress, layer, { from, to })
  if (!isPlaceholder(value)) {
    const words = why ?? `"${from.join('.')}" is called "${to.join('.')}" now.`
    show(progress, layer, { path: to, from, before: value, after: value, why: words })
  }
  prune(progress, layer, from)
}

/** What was asked for at a place, or inside of it, is asked for where that has gone. */
function moveAsks(
  progress: Progress,
  { prefix }: Layer,
  { from, to }: { readonly from: readonly string[]; readonly to: readonly string[] },
): void {
  const old = [...prefix, ...from]
  progress.asks = progress.asks.map((each) =>
    old.every((step, index) => each.path[index] === step)
      ? { ...each, path: [...prefix, ...to, ...each.path.slice(old.length)] }
      : each,
  )
}

function mapValue(progress: Progress, layer: Layer, step: Of<'map'>): void {
  const { path, to, values, why } = step
  const before = at(layer, path)
  if (before === undefined || isPlaceholder(before)) return
  const isMoved = path.join('.') !== to.join('.')
  const word = wordOf(before)
  const after = word !== undefined && Object.hasOwn(values, word) ? values[word] : undefined
  // Where a value stays at its place, a new one is one that has been mapped before.
  if (!isMoved && (after === undefined ? hasValue(values, before) : same(after, before))) return
  if (isMoved && at(layer, to) !== undefined)
    return block(progress, layer, path, `"${to.join('.')}", which follows from it, is given too.`)
  if (after === undefined) {
    const options = [...new Map(entriesOf(values).map(([, each]) => [JSON.stringify(wordOf(each)), each])).values()]
    const words = `${said(path, before)} has no counterpart in the new version.`
    return otherwise(progress, layer, { path, to, before, else: step.else, why: why ?? words, options })
  }
  if (after === null) return takeOut(progress, layer, { path, before, why: why ?? 'It says nothing more.' })
  if (isMoved) {
    if (!make(progress, layer, { is: 'rename', path, to })) return
    prune(progress, layer, path)
  }
  if (!make(progress, layer, { is: 'set', path: to, value: after })) return
  const words = why ?? `${said(path, before)} is ${said(to, after)} now.`
  show(progress, layer, { path: to, ...(isMoved ? { from: path } : {}), before, after, why: words })
}

function hasValue(values: DataMap, value: Data): boolean {
  return entriesOf(values).some(([, each]) => same(each, value))
}

function takeOut(
  progress: Progress,
  layer: Layer,
  { path, before, why }: { readonly path: readonly string[]; readonly before: Data; readonly why: string },
): void {
  if (!make(progress, layer, { is: 'remove', path })) return
  show(progress, layer, { path, before, why })
  prune(progress, layer, path)
}

function otherwise(
  progress: Progress,
  layer: Layer,
  given: {
    readonly path: readonly string[]
    readonly to: readonly string[]
    readonly before: Data
    readonly else: Else
    readonly why: string
    readonly options: readonly Data[]
    readonly expected?: string
  },
): void {
  const { path, to, before, why, options } = given
  switch (given.else) {
    case 'block':
      return block(progress, layer, path, why)
    case 'remove':
      return takeOut(progress, layer, { path, before, why })
    case 'keep':
      return
    case 'ask': {
      if (path.join('.') !== to.join('.')) {
        if (!make(progress, layer, { is: 'rename', path, to })) return
        prune(progress, layer, path)
      }
      const expected = given.expected ?? oneOf(options)
      return question(progress, layer, { path: to, expected, options, before, why })
    }
  }
}

/** A value in words that others read too: who may see the template need not see the service. */
function said(path: readonly string[], value: Data): string {
  return maskUnder(path.at(-1), inWords(value))
}

function oneOf(options: readonly Data[]): string {
  return `one of ${options.map((option) => wordOf(option) ?? inWords(option)).join(', ')}`
}

const typeWords: Readonly<Record<AnswerType, string>> = {
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  enum: 'one of several words',
  list: 'a list',
  map: 'a map',
}

function convert(progress: Progress, layer: Layer, { path, as, why }: Of<'convert'>): void {
  const before = at(layer, path)
  if (before === undefined || isPlaceholder(before)) return
  const after = converted(before, as)
  if (after === undefined) {
    const words = why ?? `${said(path, before)} is not ${typeWords[as]}, which the new version takes.`
    return otherwise(progress, layer, {
      path,
      to: path,
      before,
      else: 'ask',
      why: words,
      options: [],
      expected: typeWords[as],
    })
  }
  if (typeof after === typeof before && same(after, before)) return
  if (!make(progress, layer, { is: 'set', path, value: after })) return
  show(progress, layer, { path, before, after, why: why ?? `The new version takes ${typeWords[as]}.` })
}

/** A value in another type; nothing where it has no meaning in it. */
function converted(value: Data, as: Of<'convert'>['as']): Data | undefined {
  const word = value instanceof Float ? undefined : wordOf(value)
  switch (as) {
    case 'list':
      return isList(value) ? value : word === undefined && !(value instanceof Float) ? undefined : [value]
    case 'string':
      if (value instanceof Float) return Number.isInteger(value.value) ? value.value.toFixed(1) : String(value.value)
      return word
    case 'boolean':
      if (/^(?:true|yes|on)$/i.test(word ?? '')) return true
      return /^(?:false|no|off)$/i.test(word ?? '') ? false : undefined
    case 'integer':
    case 'number': {
      if (value instanceof Float) {
        if (as === 'number') return value
        return Number.isSafeInteger(value.value) ? value.value : undefined
      }
      if (typeof value !== 'string') return typeof value === 'boolean' || word === undefined ? undefined : value
      const text = value.trim()
      if (/^-?(?:0|[1-9]\d{0,14})$/.test(text)) return Number(text)
      return as === 'number' && /^-?(?:0|[1-9]\d{0,14})\.\d{1,15}$/.test(text) ? new Float(Number(text)) : undefined
    }
  }
}

function remove(progress: Progress, layer: Layer, step: Of<'remove'>): void {
  const { path, when, why } = step
  const before = at(layer, path)
  if (before === undefined) return
  const expected = 'this line to be taken out, or another way'
  // It was asked already.
  if (typeof before === 'string' && before.startsWith(placeholderFor(expected))) return
  if (when === undefined || isPlaceholder(before))
    return takeOut(progress, layer, { path, before, why: why ?? 'The new version has no such input.' })
  const found = evaluate(`(${when}) | default(false) and true`, { inputs: known(layer.inputs), value: before })
  if (found.is === 'value' && found.value === true)
    return takeOut(progress, layer, { path, before, why: why ?? 'The new version has no such input.' })
  const words = why ?? `The new version has no such input, and ${said(path, before)} cannot be left out by itself.`
  otherwise(progress, layer, { path, to: path, before, else: step.else, why: words, options: [], expected })
}

/** Inputs without those that are asked for. */
export function known(inputs: DataMap): DataMap {
  return mapOf(
    entriesOf(inputs).flatMap(([key, value]): [string, Data][] => {
      if (isPlaceholder(value)) return []
      return [[key, isMap(value) ? known(value) : value]]
    }),
  )
}

/** Inputs of a stage over those for all; maps key by key, one level deep. */
export function overlaid(base: DataMap, own: DataMap): DataMap {
  const result = new Map<string, Data>(entriesOf(base))
  for (const [name, value] of entriesOf(own)) {
    const under = result.get(name)
    result.set(name, isMap(value) && isMap(under) ? mapOf([...entriesOf(under), ...entriesOf(value)]) : value)
  }
  return mapOf(result)
}

function compute(progress: Progress, layers: readonly Layer[], { path, expr, why }: Of<'compute'>): void {
  const [base, ...stages] = layers
  if (base === undefined || at(base, path) !== undefined) return
  const words = why ?? `It is worked out: ${expr}.`
  // A value that was worked out from inputs for all stages would be wrong where a stage has others.
  const before = base.inputs
  const found = evaluate(expr, { inputs: known(before) })
  if (found.is === 'failed') return block(progress, base, path, `It cannot be worked out: ${found.why}`)
  if (found.is === 'value') give(progress, base, { path, value: found.value, why: words })
  for (const layer of stages) {
    if (at(layer, path) !== undefined || entriesOf(layer.inputs).length === 0) continue
    const own = evaluate(expr, { inputs: known(overlaid(before, layer.inputs)) })
    if (own.is === 'failed') block(progress, layer, path, `It cannot be worked out: ${own.why}`)
    if (own.is !== 'value' || (found.is === 'value' && same(found.value, own.value))) continue
    give(progress, layer, { path, value: own.value, why: words })
  }
}

function ask(progress: Progress, layers: readonly Layer[], step: Of<'ask'>): void {
  const { path, type, options, suggest, why } = step
  const [base, ...stages] = layers
  if (base === undefined) return
  const there = at(base, path)
  const isGiven = there !== undefined && !isPlaceholder(there)
  if (isGiven || (stages.length > 0 && stages.every((stage) => at(stage, path) !== undefined))) return
  const words = why ?? 'The new version needs it, and has no default.'
  if (progress.accept && suggest !== undefined) return give(progress, base, { path, value: suggest, why: words })
  const expected = options.length > 0 ? oneOf(options) : typeWords[type]
  question(progress, base, { path, expected, options, suggest, why: words })
}
