import { accessOf } from './access.ts'
import { canonicalJson, compareText, same } from './canonical.ts'
import { type Data, entriesOf, isList, isMap, type Path } from './data.ts'
import { type Drifted, shownValue } from './drift.ts'
import type { Unit } from './organisation.ts'
import type { Place } from './problem.ts'
import type { RenderedStack } from './render.ts'

/**
 * Whether two stages of a service are alike, and where they are not.
 *
 * Parity is evidence: what runs healthy in one stage and is the same in another cannot be what is wrong in the other. So each
 * difference is followed to what it comes from, and is either written down by somebody, or belongs to the stage itself (its
 * name, its account, what its environment gives out), or is reported as one that nobody declared.
 */

/** One of the two: a unit, its rendering, and what runs of it as far as records say. */
export type Side = {
  readonly unit: Unit
  readonly part: RenderedStack
  readonly runs?: { readonly version: string; readonly image?: string }
}

/** What a difference is about, for who asks which of the four suspects it concerns. */
export type Layer = 'template' | 'image' | 'input' | 'setting' | 'variable' | 'permission' | 'network'

export type ParityDifference = {
  readonly layer: Layer
  /** `template`, `image`, `inputs.port`, `Resources.Service.Properties.DesiredCount`. */
  readonly what: string
  /** Both sides as compact JSON, cut at 60 characters; nothing on a side that lacks it. */
  readonly first?: string
  readonly second?: string
  readonly is: 'declared' | 'own' | 'undeclared'
  /** What it comes from: inputs and what else the template read for it. */
  readonly from: readonly string[]
  /** Where it was declared, and why, if that was said. */
  readonly at?: Place
  readonly because?: string
}

export type ParityReport = {
  readonly first: string
  readonly second: string
  readonly differences: readonly ParityDifference[]
  /** How many values of the two renderings are the same. */
  readonly alike: number
}

/** Compares two instances of one service: what runs, the inputs, and every value of the two renderings. */
export function compareSides(first: Side, second: Side): ParityReport {
  const pair = { first, second }
  const [mine, theirs] = [leaves(first.part.body), leaves(second.part.body)]
  const paths = [...new Set([...mine.keys(), ...theirs.keys()])]
  const differing = paths.filter((path) => !sameLeaf(mine.get(path), theirs.get(path)))
  return {
    first: first.unit.id,
    second: second.unit.id,
    differences: [
      ...runningDifferences(pair),
      ...inputDifferences(pair),
      ...differing.map((path) => rendered(pair, { path, mine: mine.get(path), theirs: theirs.get(path) })),
    ],
    alike: paths.length - differing.length,
  }
}

type Pair = { readonly first: Side; readonly second: Side }

function runningDifferences({ first, second }: Pair): readonly ParityDifference[] {
  const found: ParityDifference[] = []
  const versionOf = ({ unit, runs }: Side): string => `${unit.bundle.template}@${runs?.version ?? unit.bundle.version}`
  const [mine, theirs] = [versionOf(first), versionOf(second)]
  if (mine !== theirs)
    found.push({ layer: 'template', what: 'template', first: mine, second: theirs, is: 'undeclared', from: [] })
  const [image, other] = [first.runs?.image, second.runs?.image]
  if (image !== undefined && other !== undefined && image !== other)
    found.push({ layer: 'image', what: 'image', first: short(image), second: short(other), is: 'undeclared', from: [] })
  return found
}

function inputDifferences(pair: Pair): readonly ParityDifference[] {
  const { first, second } = pair
  const names = [...new Set([...Object.keys(first.unit.inputs), ...Object.keys(second.unit.inputs)])]
  return names
    .filter((name) => !sameInput(pair, name))
    .map((name) => ({
      layer: 'input' as const,
      what: `inputs.${name}`,
      ...shown(first.unit.inputs[name], second.unit.inputs[name]),
      ...declaration(pair, [name]),
      from: [],
    }))
}

/**
 * An input differs because a stage says so, in its own section of the service's file. That is where it was declared; a
 * default that the two do not share was declared by nobody. A host that the service has in the stage is the stage's own.
 */
function declaration(pair: Pair, names: readonly string[]): Pick<ParityDifference, 'is' | 'at' | 'because'> {
  const { first, second } = pair
  if (names.every((name) => [first, second].every(({ unit }) => hostsOf(unit).includes(unit.inputs[name] ?? ''))))
    return { is: 'own' }
  for (const { unit } of [second, first]) {
    const stage = unit.service?.spec.stages.get(unit.stage?.name ?? '')
    const name = names.find((each) => stage !== undefined && Object.hasOwn(stage.inputs, each))
    if (stage === undefined || name === undefined) continue
    return {
      is: 'declared',
      at: unit.inputPlace(name),
      ...(stage.because !== undefined && { because: stage.because }),
    }
  }
  return { is: 'undeclared' }
}

function hostsOf({ service, stage }: Unit): readonly Data[] {
  return service?.stages.find((each) => each.stage.name === stage?.name)?.hosts ?? []
}

function rendered(
  pair: Pair,
  { path, mine, theirs }: { readonly path: string; readonly mine: Leaf | undefined; readonly theirs: Leaf | undefined },
): ParityDifference {
  const read = [...new Set([...referencesAt(pair.first, mine), ...referencesAt(pair.second, theirs)])]
  const inputs = read.flatMap((reference) => inputName.exec(reference)?.[1] ?? [])
  const changed = inputs.filter((name) => !sameInput(pair, name))
  const own = read.filter((reference) => ofStage.test(reference))
  const is =
    changed.length > 0
      ? declaration(pair, changed)
      : { is: own.length > 0 ? ('own' as const) : ('undeclared' as const) }
  return {
    layer: layerOf(pair, path),
    what: path,
    ...shown(mine?.value, theirs?.value),
    ...is,
    from: changed.length > 0 ? changed.map((name) => `inputs.${name}`) : own,
  }
}

const inputName = /^service_instance\.inputs\.(\w+)/

/** What is another in every stage without anybody’s doing. https://docs.aws.amazon.com/proton/latest/userguide/parameters.html */
const ofStage = /^(?:service_instance\.name|(?:service_instance\.)?environment\.|service_instance\.components\.)/

function sameInput({ first, second }: Pair, name: string): boolean {
  const [mine, theirs] = [first.unit.inputs[name], second.unit.inputs[name]]
  return mine === undefined || theirs === undefined ? mine === theirs : same(mine, theirs)
}

type Leaf = { readonly path: Path; readonly value: Data }

/**
 * Every value of a template that holds no others, by its path. An item of a list that has a name stands under its name, not
 * under its number: a variable more in the one stage does not make all that follow it others.
 */
function leaves(data: Data): ReadonlyMap<string, Leaf> {
  const found = new Map<string, Leaf>()
  const walk = (value: Data, { path, label }: { readonly path: Path; readonly label: Path }): void => {
    if (isMap(value) && Object.keys(value).length > 0) {
      for (const [key, inner] of entriesOf(value)) walk(inner, { path: [...path, key], label: [...label, key] })
    } else if (isList(value) && value.length > 0) {
      const names = namesOf(value)
      value.forEach((inner, index) =>
        walk(inner, { path: [...path, index], label: [...label, names?.[index] ?? index] }),
      )
    } else found.set(label.join('.'), { path, value })
  }
  walk(data, { path: [], label: [] })
  return found
}

/** The names of a list's items, where each has one and no two the same. */
function namesOf(list: readonly Data[]): readonly string[] | undefined {
  for (const key of ['Name', 'Key', 'Sid', 'Id']) {
    const names = list.flatMap((item) => (isMap(item) && typeof item[key] === 'string' ? [item[key]] : []))
    if (names.length === list.length && new Set(names).size === names.length) return names
  }
  return undefined
}

function sameLeaf(a: Leaf | undefined, b: Leaf | undefined): boolean {
  return a !== undefined && b !== undefined && same(a.value, b.value)
}

/** What the template read for a value: on its lines, and for the conditions that it stands in. */
function referencesAt({ part }: Side, leaf: Leaf | undefined): readonly string[] {
  if (leaf === undefined) return []
  const { line } = part.document.place(leaf.path)
  // The lines of a block begin below its key.
  const more = typeof leaf.value === 'string' && leaf.value.includes('\n') ? leaf.value.split('\n').length : 0
  return Array.from({ length: more + 1 }, (_none, index) => line + index).flatMap((at) => {
    const origin = part.explain({ line: at })
    if (origin === undefined) return []
    return [...origin.reads, ...origin.within.flatMap(({ reads }) => reads)].map(({ reference }) => reference)
  })
}

function layerOf({ first, second }: Pair, path: string): Layer {
  const [section, logicalId] = path.split('.')
  const resources = [first, second].map(({ part }) => part.body['Resources'])
  const types = resources.flatMap((all) => {
    const resource = isMap(all) && section === 'Resources' ? all[logicalId ?? ''] : undefined
    const type = isMap(resource) ? resource['Type'] : undefined
    return typeof type === 'string' ? [type] : []
  })
  const access = types.map(accessOf).find((each) => each !== undefined)
  if (access !== undefined) return access
  return /\.Environment\.|\.Secrets\./.test(path) ? 'variable' : 'setting'
}

function shown(first: Data | undefined, second: Data | undefined): Pick<ParityDifference, 'first' | 'second'> {
  return {
    ...(first !== undefined && { first: short(canonicalJson(first)) }),
    ...(second !== undefined && { second: short(canonicalJson(second)) }),
  }
}

function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

/** What was changed by hand of one of the two, as far as whoever keeps its stack can tell. */
export type DriftOf =
  /** `unseen` resources cannot be looked at, because their types do not take part. */
  | { readonly is: 'looked'; readonly looked: number; readonly unseen: number; readonly changes: readonly HandChange[] }
  | { readonly is: 'absent' }
  | { readonly is: 'unknown'; readonly why: string }

/** One property, or a whole resource that is gone; values as they are shown, nothing on a side that lacks it. */
export type HandChange = {
  readonly what: string
  readonly type: string
  readonly expected?: string
  readonly actual?: string
}

/** What was found of a stack, as it is shown: paths as they are in the rendering, values without secrets. */
export function handChanges(
  part: RenderedStack,
  resources: readonly {
    readonly logicalId: string
    readonly type: string
    readonly is: 'changed' | 'gone'
    readonly properties: readonly Drifted[]
  }[],
): readonly HandChange[] {
  return resources.flatMap(({ logicalId, type, is, properties }): readonly HandChange[] => {
    const what = `Resources.${logicalId}`
    if (is === 'gone') return [{ what, type, expected: 'there', actual: 'gone' }]
    return properties.map(({ path, expected, actual }) => {
      const of = { path, part, logicalId }
      const [before, after] = [shownValue(expected, of), shownValue(actual, of)]
      return {
        what: [what, 'Properties', ...path].join('.'),
        type,
        ...(before !== undefined && { expected: before }),
        ...(after !== undefined && { actual: after }),
      }
    })
  })
}

/**
 * Whether infrastructure can be ruled out: every difference was declared or is the stage's own, and nothing was changed by hand. What
 * is not known, or not there, rules out nothing.
 */
export function isRuledOut({ differences }: ParityReport, drift: readonly DriftOf[]): boolean {
  return (
    differences.every(({ is }) => is !== 'undeclared') &&
    drift.every((each) => each.is === 'looked' && each.changes.length === 0)
  )
}

/** What matters first: what nobody declared, then what was, then what is the stage’s own; of each in the order of their names. */
export function ordered(differences: readonly ParityDifference[]): readonly ParityDifference[] {
  const rank = { undeclared: 0, declared: 1, own: 2 } as const
  return differences.toSorted((a, b) => rank[a.is] - rank[b.is] || compareText(a.what, b.what))
}
