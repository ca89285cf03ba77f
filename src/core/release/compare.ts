import type { Bundle, Part } from '../bundle.ts'
import { isMap } from '../data.ts'
import { type Example, readExamples, renderUnjudged } from '../examples.ts'
import { isRevision } from '../guard.ts'
import type { Place } from '../problem.ts'
import type { RenderedStack } from '../render.ts'
import { list } from '../report.ts'
import { mapIn } from '../shape.ts'
import { planStack, type Resources } from '../stack/plan.ts'
import { outputsPlace, writtenOutputs } from '../contract/outputs.ts'
import { compareInputs } from './inputs.ts'
import { type Reason, worstFirst } from './level.ts'
import { bundleDigest } from './model.ts'

/**
 * What a change of a bundle asks of its number, and why: by its schema, its outputs and exports, its parts, the environments that
 * it runs in, and by what its examples render to, those of both versions. Nothing, where the two are the same. A change that
 * has no other meaning than to be one is a patch.
 */
export function compareBundles(before: Bundle, after: Bundle): readonly Reason[] {
  if (bundleDigest(before.files) === bundleDigest(after.files)) return []
  const found = [
    ...compareSchemas(before, after),
    ...compareParts(before, after),
    ...compareHomes(before, after),
    ...compareOutputs(before, after),
    ...compareRenderings(before, after),
  ]
  const changed = changedFiles(before, after)
  const at: Place = { file: fileIn(after, changed[0] ?? ''), line: 1, column: 1 }
  const files =
    changed.length > 3 ? `${changed.length} files have` : `${list(changed)} ${changed.length > 1 ? 'have' : 'has'}`
  return worstFirst([...distinct(found), { level: 'patch', what: `${files} changed.`, at }])
}

function distinct(reasons: readonly Reason[]): readonly Reason[] {
  const known = new Map(reasons.map((reason) => [reason.what, reason]))
  return [...known.values()]
}

function fileIn({ root }: Bundle, file: string): string {
  return root === '' ? file : `${root}/${file}`
}

function changedFiles(before: Bundle, after: Bundle): readonly string[] {
  const paths = new Set([...before.files.keys(), ...after.files.keys()])
  return [...paths]
    .filter((path) => !path.startsWith('examples/') && before.files.get(path) !== after.files.get(path))
    .toSorted()
}

function compareSchemas(before: Bundle, after: Bundle): readonly Reason[] {
  const nowhere: Place = { file: after.schema.file, line: 1, column: 1 }
  return (['environment', 'service', 'pipeline'] as const).flatMap((kind): readonly Reason[] => {
    const [old, now] = [before.schema[kind], after.schema[kind]]
    if (old === undefined || now === undefined) return []
    return compareInputs(old, now, nowhere)
  })
}

function compareParts(before: Bundle, after: Bundle): readonly Reason[] {
  const known = new Map(before.parts.map((part) => [part.name, part]))
  const placeOf = ({ manifest }: Part): Place => ({ file: fileIn(after, manifest), line: 1, column: 1 })
  const found = after.parts.flatMap((part): readonly Reason[] => {
    const was = known.get(part.name)
    known.delete(part.name)
    if (was === undefined) return [{ level: 'minor', what: `\`${part.name}/\` is new.`, at: placeOf(part) }]
    if (was.engine === part.engine) return []
    return [
      {
        level: 'major',
        what: `\`${part.name}/\` is made by the engine ${part.engine}, and was made by ${was.engine}.`,
        at: placeOf(part),
      },
    ]
  })
  const gone = [...known.values()].map((part): Reason => ({
    level: 'major',
    what: `\`${part.name}/\` was removed.`,
    at: placeOf(part),
  }))
  return [...found, ...gone]
}

/** Where a service template may run, and whether it takes components. */
function compareHomes(before: Bundle, after: Bundle): readonly Reason[] {
  const at: Place = { file: fileIn(after, '.compatible-envs'), line: 1, column: 1 }
  const namesOf = ({ compatible }: Bundle): readonly string[] =>
    compatible.map(({ template, major }) => `${template}:${major}`)
  const [old, now] = [namesOf(before), namesOf(after)]
  const found: Reason[] = []
  const [gone, more] = [old.filter((each) => !now.includes(each)), now.filter((each) => !old.includes(each))]
  if (old.length === 0 && now.length > 0)
    found.push({ level: 'major', what: `It runs in environments of ${list(now)} alone, and ran in all.`, at })
  else if (now.length === 0 && old.length > 0) found.push({ level: 'minor', what: 'It runs in all environments.', at })
  else {
    if (gone.length > 0)
      found.push({ level: 'major', what: `It does not run in environments of ${list(gone)} any more.`, at })
    if (more.length > 0) found.push({ level: 'minor', what: `It runs in environments of ${list(more)} too.`, at })
  }
  const [sources, sourcesNow] = [before.componentSources, after.componentSources]
  if (sources.some((each) => !sourcesNow.includes(each)))
    found.push({ level: 'major', what: 'It takes no components any more.', at })
  if (sourcesNow.some((each) => !sources.includes(each)))
    found.push({ level: 'minor', what: 'It takes components.', at })
  return found
}

/** The outputs that stand in the text, whether an example renders them or not. */
function compareOutputs(before: Bundle, after: Bundle): readonly Reason[] {
  const at = outputsPlace(after)
  return after.parts.flatMap((part): readonly Reason[] => {
    const was = before.parts.find(({ name }) => name === part.name)
    if (was === undefined) return []
    const [old, now] = [writtenOutputs(before, was), writtenOutputs(after, part)]
    return [
      ...[...old].filter((name) => !now.has(name)).map((name) => goneOutput(name, at)),
      ...[...now]
        .filter((name) => !old.has(name))
        .map((name): Reason => ({ level: 'minor', what: `The output "${name}" is new.`, at })),
    ]
  })
}

function goneOutput(name: string, at: Place): Reason {
  return { level: 'major', what: `The output "${name}" was removed.`, at }
}

/** The examples of both versions, each rendered by both as far as that goes: inputs that were good have to stay so. */
function compareRenderings(before: Bundle, after: Bundle): readonly Reason[] {
  const own = examplesOf(before, before)
  const first = new Map(own.map((example) => [example.name, example]))
  const second = new Map(examplesOf(after, before).map((example) => [example.name, example]))
  const named = [...first].flatMap(([name, example]) => compareExample(example, second.get(name), after))
  // An example that is new may ask for what is new.
  const newNames = examplesOf(after, after).filter(({ name }) => !first.has(name))
  const old = new Map(examplesOf(before, after).map((example) => [example.name, example]))
  const others = newNames.flatMap((example) => {
    const was = old.get(example.name)
    return was === undefined ? [] : compareExample(was, example, after)
  })
  return [...named, ...others]
}

/** The examples of one bundle as inputs of another. Those that are no good for it are left out. */
function examplesOf(bundle: Bundle, from: Bundle): readonly Example[] {
  const own = [...bundle.files].filter(([path]) => !path.startsWith('examples/'))
  const given = [...from.files].filter(([path]) => path.startsWith('examples/'))
  return readExamples({ ...bundle, files: new Map([...own, ...given]) }).examples
}

type Rendering = ReadonlyMap<string, RenderedStack>

function compareExample(first: Example, second: Example | undefined, after: Bundle): readonly Reason[] {
  const was = renderUnjudged(first)
  // What was broken before says nothing.
  if (!was.ok) return []
  const at: Place = { file: fileIn(after, `examples/${first.name}/inputs.yaml`), line: 1, column: 1 }
  const broken = (why: string): readonly Reason[] => [
    { level: 'major', what: `The inputs of the example "${first.name}" ${why}.`, at },
  ]
  if (second === undefined) return broken('are not accepted any more')
  const is = renderUnjudged(second)
  if (!is.ok) {
    const [problem] = is.problems.filter(({ severity }) => severity === 'error')
    return broken(`do not render any more: ${(problem?.message ?? '').replace(/[.]$/u, '')}`)
  }
  return [...pairsOf(was.value, is.value)].flatMap(([old, now]) => compareStacks(old, now, first.name))
}

/** What each part renders to, by its place among the parts: its file may have been renamed. */
function* pairsOf(before: Rendering, after: Rendering): Iterable<readonly [RenderedStack, RenderedStack]> {
  for (const stack of before.values()) {
    const twin = [...after.values()].find(({ part }) => part.name === stack.part.name)
    if (twin !== undefined) yield [stack, twin]
  }
}

const exampleStack = { name: 'example', account: '111111111111', region: 'us-east-1' } as const

function compareStacks(old: RenderedStack, now: RenderedStack, example: string): readonly Reason[] {
  if (old.text === now.text) return []
  const wish = ({ body, parameters }: RenderedStack) => ({ stack: exampleStack, body, parameters, tags: {} })
  const imported = (name: string): string => `import:${name}`
  const made = planStack(wish(old), { imported })
  if (!made.ok) return []
  const before: Resources = Object.fromEntries(made.value.steps.map(({ logicalId, record }) => [logicalId, record]))
  const options = { before, outputsBefore: made.value.outputs, imported }
  const plan = planStack(wish(now), options)
  const placeOf = (path: readonly string[]): Place =>
    now.origin(path) ?? old.origin(path) ?? { file: now.document.file, line: 1, column: 1 }
  const inExample = `in the example "${example}"`
  if (!plan.ok) {
    return plan.problems.map(({ message, at }): Reason => ({
      level: 'major',
      what: `${message} That is so ${inExample}.`,
      at: at ?? placeOf([]),
    }))
  }
  const resources = plan.value.changes.flatMap(
    ({ logicalId, type, action, because, retained, conditional = [] }): readonly Reason[] => {
      const at = placeOf(['Resources', logicalId])
      const named = `${logicalId} (${type})`
      if (isRevision({ type, action })) return []
      if (action === 'replace')
        return [{ level: 'major', what: `${named} would be replaced, by ${list([...because])}, ${inExample}.`, at }]
      if (action === 'delete')
        return [{ level: 'major', what: `${named} would be ${retained ? 'let go of' : 'deleted'} ${inExample}.`, at }]
      if (conditional.length === 0) return []
      return [{ level: 'minor', what: `${named} may be replaced, by ${list([...conditional])}, ${inExample}.`, at }]
    },
  )
  const outputs = Object.keys(made.value.outputs)
    .filter((name) => !Object.hasOwn(plan.value.outputs, name))
    .map((name): Reason => ({
      level: 'major',
      what: `The output "${name}" is not given any more ${inExample}.`,
      at: placeOf(['Outputs']),
    }))
  const exports = Object.keys(made.value.exports)
    .filter((name) => !Object.hasOwn(plan.value.exports, name))
    .map((name): Reason => ({
      level: 'major',
      what: `The export "${name}" is gone ${inExample}.`,
      at: placeOf(['Outputs', ...exporting(old, name)]),
    }))
  return [...resources, ...outputs, ...exports]
}

/** The output that has an export of that name, if it says so without functions. */
function exporting({ body }: RenderedStack, name: string): readonly string[] {
  const outputs = Object.entries(mapIn(body, 'Outputs') ?? {})
  return outputs.flatMap(([key, output]) => (isMap(output) && mapIn(output, 'Export')?.['Name'] === name ? [key] : []))
}
