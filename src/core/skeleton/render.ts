import type { Bundle } from '../bundle.ts'
import { type DataMap, entriesOf, mapOf } from '../data.ts'
import { referencesOf, renderTemplate, type Template } from '../jinja/index.ts'
import { caseTwins } from '../paths.ts'
import type { Checked, Problem } from '../problem.ts'
import { filledInputs } from '../schema.ts'
import type { Ownership, ServiceValues, Skeleton } from './model.ts'
import { nameProblem } from './names.ts'
import { most, readSkeleton, skeletonFolder, type Source } from './read.ts'

/** Read once a bundle: it is as immutable as its version. */
const known = new WeakMap<Bundle, Checked<readonly Source[]>>()

function sourcesOf(bundle: Bundle): Checked<readonly Source[]> {
  const before = known.get(bundle)
  if (before !== undefined) return before
  const read = readSkeleton(bundle.files, bundle)
  known.set(bundle, read)
  return read
}

/**
 * The files that a bundle gives to the repository of a service. Templates see `service.name`, `service.owner` (empty where
 * nobody is named) and `service.inputs`, those of all stages with the defaults of the schema, and nothing of a stage: a
 * repository is in all of them. A file that renders to nothing but space is left out. A bundle without skeleton gives none.
 */
export function renderSkeleton(bundle: Bundle, values: ServiceValues): Checked<Skeleton> {
  const sources = sourcesOf(bundle)
  if (!sources.ok) return sources
  const context = contextOf(bundle, values)
  const files = new Map<string, string>()
  const owners = new Map<string, Ownership>()
  const problems: Problem[] = []
  let together = 0
  for (const source of sources.value) {
    const file = `${bundle.root === '' ? '' : `${bundle.root}/`}${skeletonFolder}${source.path}`
    const rendered = renderSource(source, context, file)
    problems.push(...rendered.problems)
    if (!rendered.ok || rendered.value === undefined) continue
    const { path, text } = rendered.value
    together += text.length
    if (files.has(path)) problems.push(twice(path, file))
    files.set(path, text)
    owners.set(path, source.owner)
  }
  const at = {
    file: `${bundle.root === '' ? '' : `${bundle.root}/`}${skeletonFolder.slice(0, -1)}`,
    line: 1,
    column: 1,
  }
  problems.push(...caseTwins(files.keys()).map((twins) => ({ ...twins, at })))
  if (together > most.together) problems.push(tooMuch(bundle, together))
  if (problems.length > 0) return { ok: false, problems }
  const from = `${bundle.template}@${bundle.version}`
  return { ok: true, value: { from, files, owners, values: usedValues(sources.value, values) }, problems: [] }
}

function contextOf({ schema }: Bundle, { name, owner, inputs }: ServiceValues): DataMap {
  return mapOf([
    [
      'service',
      mapOf([
        ['name', name],
        ['owner', owner ?? ''],
        ['inputs', filledInputs(schema.service, inputs)],
      ]),
    ],
  ])
}

function renderSource(
  source: Source,
  context: DataMap,
  file: string,
): Checked<{ readonly path: string; readonly text: string } | undefined> {
  const path = nameOf(source, context, file)
  if (!path.ok) return path
  const rendered = renderTemplate(source.text, context)
  if (!rendered.ok) return { ok: false, problems: rendered.problems }
  const { text } = rendered
  if (text.trim() === '' && !source.isEmpty) return { ok: true, value: undefined, problems: [] }
  if (text.length > most.characters)
    return {
      ok: false,
      problems: [
        invalid(file, {
          message: `The file renders to ${text.length} characters.`,
          expected: `At most ${most.characters}.`,
          remedy: 'Make it shorter, or leave it to the service.',
        }),
      ],
    }
  const end = source.ended && text !== '' && !text.endsWith('\n') ? '\n' : ''
  return { ok: true, value: { path: path.value, text: `${text}${end}` }, problems: [] }
}

function nameOf({ path, name }: Source, context: DataMap, file: string): Checked<string> {
  if (name === undefined) return { ok: true, value: path, problems: [] }
  const rendered = renderTemplate(name, context)
  if (!rendered.ok) return { ok: false, problems: rendered.problems }
  const { text } = rendered
  const at = { file, line: 1, column: 1 }
  const wrong = nameProblem(text)
  if (wrong !== undefined) return { ok: false, problems: [{ ...wrong, at }] }
  // What an input says is a part of a name, and leads to no other folder.
  const folders = (words: string): number => words.replaceAll(/\{\{.*?\}\}/gu, 'x').split('/').length
  if (text.split('/').length === folders(path)) return { ok: true, value: text, problems: [] }
  const message = `The name of the file renders to "${text}", which lies in another folder.`
  const expected = 'Values without "/" in the names of files.'
  return { ok: false, problems: [invalid(file, { message, expected, remedy: 'Use another value for the name.' })] }
}

function twice(path: string, file: string): Problem {
  return invalid(file, {
    message: `Two files of the skeleton render to "${path}".`,
    expected: 'One file of each name.',
    remedy: 'Rename one of them.',
  })
}

function tooMuch(bundle: Bundle, together: number): Problem {
  const root = bundle.root === '' ? 'skeleton' : `${bundle.root}/skeleton`
  return invalid(root, {
    message: `The skeleton renders to ${together} characters.`,
    expected: `At most ${most.together} together.`,
    remedy: 'Leave out what a service can do without.',
  })
}

function invalid(
  file: string,
  words: { readonly message: string; readonly expected: string; readonly remedy: string },
): Problem {
  return { code: 'skeleton-invalid', severity: 'error', ...words, at: { file, line: 1, column: 1 } }
}

/** Those of the values that a file can depend on, as they were written. */
function usedValues(sources: readonly Source[], { name, owner, inputs }: ServiceValues): ServiceValues {
  const used = new Set<string>()
  const of = (template: Template): void => {
    for (const { path } of referencesOf(template)) {
      const [variable, key, input = '*'] = path
      if (variable !== 'service') continue
      if (key === undefined || key === '*') used.add('owner').add('inputs.*')
      else if (key === 'inputs') used.add(`inputs.${input}`)
      else used.add(key)
    }
  }
  for (const source of sources) {
    of(source.text)
    if (source.name !== undefined) of(source.name)
  }
  const isAll = used.has('inputs.*')
  return {
    name,
    ...(owner !== undefined && used.has('owner') ? { owner } : {}),
    inputs: mapOf(entriesOf(inputs).filter(([input]) => isAll || used.has(`inputs.${input}`))),
  }
}
