import { same } from '../canonical.ts'
import { type Data, type DataMap, isList, isMap, keysOf, mapOf, type Path } from '../data.ts'
import type { ProblemCode } from '../problem-codes.ts'
import type { Checked, Problem } from '../problem.ts'
import { migrationSchema } from '../schemas/migration.ts'
import { checkShape, listIn, mapIn, textIn, textsIn } from '../shape.ts'
import type { FileTree } from '../tree.ts'
import { compareVersions, parseVersion } from '../version.ts'
import { type Document, readYaml } from '../yaml.ts'
import { faultOf } from './expression.ts'
import type { AnswerType, Else, KeepId, Migration, MigrationExample, Step } from './model.ts'

/**
 * Reads `migrations/<x.y.z>.yaml` of a template, whose files these are; `folder` is where it lies. They are in the order of their
 * versions. Examples are read here and tried by `checkMigrations`.
 */
export function readMigrations(files: FileTree, folder: string): Checked<readonly Migration[]> {
  const problems: Problem[] = []
  const migrations: Migration[] = []
  for (const [path, text] of files) {
    const name = /^migrations\/([^/]+)$/.exec(path)?.[1]
    if (name === undefined) continue
    const file = `${folder}/${path}`
    const version = /^(.+)\.yaml$/.exec(name)?.[1]
    if (version === undefined || parseVersion(version) === undefined) {
      problems.push({
        code: 'migration-version',
        severity: 'error',
        message: `"${name}" is not called as a migration is.`,
        expected: 'The exact version that it leads to: `3.0.0.yaml`.',
        remedy: 'Rename the file.',
        at: { file, line: 1, column: 1 },
      })
      continue
    }
    const read = readYaml(file, text, 'own')
    problems.push(...read.problems)
    if (!read.ok) continue
    const faults = checkShape(read.value, migrationSchema, 'a migration')
    problems.push(...faults)
    if (faults.length === 0) migrations.push(readMigration(read.value, { version, problems }))
  }
  if (problems.some(({ severity }) => severity === 'error')) return { ok: false, problems }
  return { ok: true, value: migrations.toSorted((a, b) => compareVersions(a.to, b.to)), problems }
}

type Reading = { readonly document: Document; readonly problems: Problem[] }

function complain(
  { document, problems }: Reading,
  path: Path,
  { code = 'migration-step', ...words }: Pick<Problem, 'message' | 'expected' | 'remedy'> & { code?: ProblemCode },
): void {
  problems.push({ code, severity: 'error', ...words, at: document.place(path) })
}

function readMigration(
  document: Document,
  { version, problems }: { readonly version: string; readonly problems: Problem[] },
): Migration {
  const reading = { document, problems }
  const data = isMap(document.data) ? document.data : mapOf()
  const to = textIn(data, 'to')
  if (to !== undefined && to !== version)
    complain(reading, ['to'], {
      code: 'migration-version',
      message: `The migration leads to ${to}, and its file is called ${version}.`,
      expected: `${version}.`,
      remedy: 'Correct the line, or rename the file.',
    })
  const notes = textIn(data, 'notes')
  return {
    to: version,
    file: document.file,
    inputs: readSteps(reading, listIn(data, 'inputs') ?? [], ['inputs']),
    pipeline: readSteps(reading, listIn(data, 'pipeline') ?? [], ['pipeline']),
    resources: readResources(reading, listIn(data, 'resources') ?? []),
    ...(notes === undefined ? {} : { notes }),
    examples: (listIn(data, 'examples') ?? []).flatMap((item, index) => readExample(reading, item, index)),
  }
}

function readSteps(reading: Reading, list: readonly Data[], path: Path): readonly Step[] {
  return list.flatMap((item, index): readonly Step[] => {
    const name = isMap(item) ? keysOf(item)[0] : undefined
    const of = isMap(item) && name !== undefined ? mapIn(item, name) : undefined
    if (name === undefined || of === undefined) return []
    const step = readStep(reading, { name, of, path: [...path, index, name] })
    return step === undefined ? [] : [step]
  })
}

const split = (text: string | undefined): readonly string[] => (text ?? '').split('.')

function readStep(
  reading: Reading,
  { name, of, path }: { readonly name: string; readonly of: DataMap; readonly path: Path },
): Step | undefined {
  const why = textIn(of, 'why')
  const shared = { ...(why === undefined ? {} : { why }), at: reading.document.keyPlace(path) }
  const own = split(textIn(of, 'path'))
  switch (name) {
    case 'rename': {
      const [from, to] = [split(textIn(of, 'from')), split(textIn(of, 'to'))]
      if (isInside(from, to) || isInside(to, from))
        complain(reading, [...path, 'to'], {
          message:
            'One of the two names lies inside of the other, so that nobody could tell whether it was done already.',
          expected: 'Two places of which none is a part of the other.',
          remedy: 'Map its values to maps with `map:`, or take another name.',
        })
      return { ...shared, is: 'rename', from, to }
    }
    case 'map': {
      const to = of['to'] === undefined ? own : split(textIn(of, 'to'))
      const values = mapIn(of, 'values') ?? mapOf()
      if (isSame(own, to)) checkChains(reading, values, [...path, 'values'])
      else if (isInside(own, to) || isInside(to, own))
        complain(reading, [...path, 'to'], {
          message: 'The new place lies inside of the old one, or around it.',
          expected: 'Another input, or none.',
          remedy: 'Leave out `to:`; a value may become a map.',
        })
      return { ...shared, is: 'map', path: own, to, values, else: elseOf(of, 'ask') }
    }
    case 'convert': {
      const as = (['string', 'integer', 'number', 'boolean', 'list'] as const).find((each) => each === of['as'])
      return as === undefined ? undefined : { ...shared, is: 'convert', path: own, as }
    }
    case 'default':
      return { ...shared, is: 'default', path: own, value: of['value'] ?? null }
    case 'compute': {
      const expr = textIn(of, 'expr') ?? ''
      checkExpression(reading, expr, [...path, 'expr'])
      return { ...shared, is: 'compute', path: own, expr }
    }
    case 'remove': {
      const when = textIn(of, 'when')
      if (when !== undefined) checkExpression(reading, when, [...path, 'when'])
      const other = elseOf(of, 'block')
      if (when === undefined && of['else'] !== undefined)
        complain(reading, [...path, 'else'], {
          message: '`else:` says what is done otherwise, and there is no `when:`.',
          expected: 'Both, or none.',
          remedy: 'Add `when:`, or remove the line.',
        })
      const rest = other === 'remove' ? 'block' : other
      return { ...shared, is: 'remove', path: own, ...(when === undefined ? {} : { when }), else: rest }
    }
    case 'ask': {
      const types: readonly AnswerType[] = ['string', 'integer', 'number', 'boolean', 'enum', 'list', 'map']
      const type = types.find((each) => each === of['type']) ?? 'string'
      const options = listIn(of, 'options') ?? []
      const suggest = of['suggest']
      if (type === 'enum' && options.length === 0)
        complain(reading, [...path, 'type'], {
          message: 'One of several answers is asked for, and none is named.',
          expected: '`options:` with the answers.',
          remedy: 'Add them.',
        })
      if (suggest !== undefined && options.length > 0 && !options.some((option) => same(option, suggest)))
        complain(reading, [...path, 'suggest'], {
          message: 'What is suggested is none of the answers.',
          expected: 'One of `options:`.',
          remedy: 'Correct the one or the other.',
        })
      return { ...shared, is: 'ask', path: own, type, options, ...(suggest === undefined ? {} : { suggest }) }
    }
    default:
      return undefined
  }
}

function elseOf(of: DataMap, otherwise: Else): Else {
  return (['ask', 'block', 'keep', 'remove'] as const).find((each) => each === of['else']) ?? otherwise
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.join('.') === b.join('.')
}

/** Whether the second is the first, or lies in it. */
function isInside(outer: readonly string[], inner: readonly string[]): boolean {
  return outer.every((step, index) => inner[index] === step)
}

/** A new value that is an old one too would become a third when the step is done again. */
function checkChains(reading: Reading, values: DataMap, path: Path): void {
  for (const key of keysOf(values)) {
    const value = values[key] ?? null
    const next = values[wordOf(value) ?? '']
    if (next === undefined || same(next, value) || wordOf(value) === key) continue
    complain(reading, [...path, key], {
      message: `"${key}" becomes "${wordOf(value) ?? ''}", which is itself to become something else.`,
      expected: 'New values that are no old ones, or another input for them, by `to:`.',
      remedy: 'Write the new values to another input.',
    })
  }
}

/** A scalar as the key of a map says it. */
export function wordOf(value: Data): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint'
    ? String(value)
    : undefined
}

function checkExpression(reading: Reading, expression: string, path: Path): void {
  const fault = faultOf(expression)
  if (fault === undefined) return
  complain(reading, path, {
    message: `The expression cannot be read: ${fault}`,
    expected: 'An expression of the template language, such as `scaling.min * 2`.',
    remedy: 'Correct it.',
  })
}

function readResources(reading: Reading, list: readonly Data[]): readonly KeepId[] {
  const seen = new Set<string>()
  return list.flatMap((item, index): readonly KeepId[] => {
    const keep = isMap(item) ? mapIn(item, 'keep_id') : undefined
    const [from, to, why] = [textIn(keep, 'from'), textIn(keep, 'to'), textIn(keep, 'why')]
    if (from === undefined || to === undefined) return []
    const path = ['resources', index, 'keep_id']
    for (const id of from === to ? [from] : [from, to]) {
      if (!seen.has(id) && from !== to) {
        seen.add(id)
        continue
      }
      complain(reading, path, {
        message: from === to ? `"${id}" is the old id and the new one.` : `"${id}" stands in two of the lines.`,
        expected: 'Each id once.',
        remedy: 'Correct the line, or remove it.',
      })
    }
    return [{ from, to, at: reading.document.keyPlace(path), ...(why === undefined ? {} : { why }) }]
  })
}

function readExample({ document }: Reading, item: Data, index: number): readonly MigrationExample[] {
  if (!isMap(item)) return []
  const at = document.place(['examples', index])
  const after = item['after']
  return [
    {
      name: textIn(item, 'name') ?? `example ${index + 1}`,
      at,
      of: item['of'] === 'pipeline' ? 'pipeline' : 'inputs',
      before: mapIn(item, 'before') ?? mapOf(),
      ...(after === undefined ? {} : { after: isMap(after) ? after : mapOf() }),
      ask: isList(item['ask']) ? textsIn(item, 'ask').map(split) : [],
      block: textsIn(item, 'block').map(split),
    },
  ]
}
