import { basename, dirname, join } from 'node:path'

import type { Ports } from '../command.ts'
import { readBundleFolder } from '../core/bundle.ts'
import { type DataMap, mapOf } from '../core/data.ts'
import { explainLine, type Explanation } from '../core/explanation.ts'
import { parseTemplate, renderTemplate } from '../core/jinja/index.ts'
import type { Checked, Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import { readContext, renderProtonTexts } from '../core/proton.ts'
import { dataAt } from '../core/shape.ts'
import type { FileTree } from '../core/tree.ts'
import { type Document, readJson } from '../core/yaml.ts'
import { renderAll, type Rendered } from '../core/rendering.ts'
import { renderDeployed } from './planning.ts'
import { stacksOf } from './stacks.ts'
import { readFolder, stateFolders } from './reading.ts'

/** What a rendered text was made from: the organisation, a Proton bundle, or one template. */
export type From = {
  readonly bundle: string | undefined
  readonly spec: string | undefined
  readonly text: string | undefined
  readonly context: string | undefined
  readonly root: string
  readonly state: string
}

/** A text that can be rendered here and now. */
type Candidate = {
  readonly name: string
  /** Where `render --out` writes it. */
  readonly path: string
  /** The template in the organisation that it is a rendering of. */
  readonly source?: string
  readonly text: string
  readonly explain: (at: { readonly line: number; readonly column?: number }) => Explanation | undefined
}

type Candidates = Checked<readonly Candidate[]> & { readonly sources: FileTree }

export type Traced = { readonly name: string; readonly explanation: Explanation; readonly sources: FileTree }

/**
 * Finds what a line of a rendered file came from: everything is rendered once more, and the one rendering whose text is that
 * of the file explains it. `at` is `FILE:LINE` or `FILE:LINE:COLUMN`; in place of a file it may name a unit.
 */
export async function traceLine(
  ports: Ports,
  { at, from }: { readonly at: string; readonly from: From },
): Promise<Checked<Traced> & { readonly sources: FileTree }> {
  const [, file = '', line = '', column] = /^(.+?):(\d+)(?::(\d+))?$/u.exec(at) ?? []
  const none: FileTree = new Map()
  if (file === '') {
    return {
      ok: false,
      problems: [mistake('`--at` has no line.', 'FILE:LINE, FILE:LINE:COLUMN or UNIT:LINE.')],
      sources: none,
    }
  }
  const found = await candidatesOf(ports, from)
  const { sources } = found
  if (!found.ok) return { ...found, sources }
  const unit = found.value.find(({ name }) => name === file)
  const chosen = unit === undefined ? await matching(ports, { file, from, candidates: found.value, sources }) : ok(unit)
  if (!chosen.ok) return { ...chosen, sources }
  const { name, explain, text } = chosen.value
  const explanation = explain({ line: Number(line), ...(column !== undefined && { column: Number(column) }) })
  if (explanation === undefined) {
    const lines = text.split('\n').length
    return { ok: false, problems: [mistake(`${file} has no line ${line}.`, `A line from 1 to ${lines}.`)], sources }
  }
  return { ok: true, value: { name, explanation, sources }, problems: [], sources }
}

function ok<T>(value: T): Checked<T> {
  return { ok: true, value, problems: [] }
}

function mistake(message: string, expected: string): Problem {
  return { code: 'option-value', severity: 'error', message, expected, remedy: 'See `protium help explain`.' }
}

async function candidatesOf(ports: Ports, from: From): Promise<Candidates> {
  if (from.text !== undefined) return templateCandidate(ports, { file: from.text, context: from.context })
  if (from.bundle !== undefined) return bundleCandidates(ports, { ...from, bundle: from.bundle })
  const { organisation, sources } = await readFolder(ports, from.root)
  if (!organisation.ok) return { ...organisation, sources }
  // A unit that cannot be rendered is told of by `validate`; the others can be explained all the same.
  const { rendered } = renderAll(organisation.value.units)
  return { ...ok(rendered.map(candidate)), sources }
}

function candidate({ unit, part }: Rendered): Candidate {
  const path = `${unit.id}/${part.part.name}/${basename(part.part.file ?? '')}`
  return { name: unit.id, path, source: part.document.file, text: part.text, explain: part.explain }
}

async function bundleCandidates(ports: Ports, from: From & { readonly bundle: string }): Promise<Candidates> {
  const { tree, problems } = await ports.files.tree(from.bundle)
  const root = join(from.bundle, '.')
  const bundle = readBundleFolder(tree, { template: basename(dirname(root)), root: '' })
  const spec = from.spec === undefined ? undefined : await ports.files.text(from.spec)
  const known = await readKnown(ports, from.context)
  const sources = new Map([
    ...tree,
    ...(from.spec !== undefined && spec?.ok === true ? [[from.spec, spec.value] as const] : []),
  ])
  if (!bundle.ok || !known.ok || spec?.ok === false) {
    return {
      ok: false,
      problems: [...problems, ...bundle.problems, ...known.problems, ...(spec?.problems ?? [])],
      sources,
    }
  }
  const given = from.spec !== undefined && spec !== undefined ? { spec: { file: from.spec, text: spec.value } } : {}
  const rendered = renderProtonTexts(bundle.value, { ...given, context: known.value.context })
  if (!rendered.ok) return { ...rendered, sources }
  const all = [...rendered.value].map(([path, { text, explain }]) => ({ name: path, path, text, explain }))
  return { ...ok(all), sources }
}

async function templateCandidate(
  ports: Ports,
  { file, context }: { readonly file: string; readonly context: string | undefined },
): Promise<Candidates> {
  const source = await ports.files.text(file)
  const known = await readKnown(ports, context)
  const sources = new Map([
    ...(source.ok ? [[file, source.value] as const] : []),
    ...(known.ok && known.value.document !== undefined ? [[known.value.document.file, known.value.text] as const] : []),
  ])
  if (!source.ok || !known.ok) return { ok: false, problems: [...source.problems, ...known.problems], sources }
  const template = parseTemplate(file, source.value)
  if (!template.ok) return { ...template, sources }
  const { context: seen, document } = known.value
  const rendered = renderTemplate(template.value, seen, { spans: true })
  if (!rendered.ok || rendered.spans === undefined) {
    return { ok: false, problems: rendered.ok ? [] : rendered.problems, sources }
  }
  const { text, spans } = rendered
  const whereFrom = (reference: string) => {
    const path = reference.split('.')
    if (document === undefined || dataAt(document.data, path) === undefined) return undefined
    return { at: document.place(path), note: 'written here' }
  }
  const explain: Candidate['explain'] = (at) => explainLine({ text, spans, context: seen, whereFrom }, at)
  return { ...ok([{ name: file, path: basename(file), text, explain }]), sources }
}

type KnownContext = { readonly context: DataMap; readonly document?: Document; readonly text: string }

/** What `--context` says; with a file, also where. */
async function readKnown(ports: Ports, context: string | undefined): Promise<Checked<KnownContext>> {
  if (context === undefined) return ok({ context: mapOf(), text: '' })
  const inline = context.trimStart().startsWith('{')
  const source: Checked<string> = inline ? ok(context) : await ports.files.text(context)
  if (!source.ok) return source
  const document = readJson(inline ? '--context' : context, source.value)
  const read = document.ok ? readContext(document.value) : document
  if (!read.ok || !document.ok) return { ok: false, problems: read.problems }
  return ok({ context: read.value, text: source.value, ...(!inline && { document: document.value }) })
}

/** The rendering that a file on disk is: as everything is rendered from the files, or with what is deployed now. */
async function matching(
  ports: Ports,
  {
    file,
    from,
    candidates,
    sources,
  }: {
    readonly file: string
    readonly from: From
    readonly candidates: readonly Candidate[]
    readonly sources: FileTree
  },
): Promise<Checked<Candidate>> {
  const written = await ports.files.text(file)
  if (!written.ok) return written
  const text = written.value.replaceAll('\r\n', '\n')
  const isIt = (each: Candidate): boolean => each.text === text || `${each.text}\n` === text
  const likely = candidates.toSorted((a, b) => Number(isAt(b, file)) - Number(isAt(a, file)))
  const exact = likely.find(isIt)
  const template = likely.find(({ source }) => source !== undefined && sources.get(source) === written.value)
  if (exact === undefined && template !== undefined) return { ok: false, problems: [isTemplate(file, template)] }
  const found = exact ?? (await deployedCandidates(ports, from)).find(isIt)
  return found === undefined ? { ok: false, problems: [unknown(file, { text, likely })] } : ok(found)
}

function isAt({ path }: Candidate, file: string): boolean {
  return `/${file.replaceAll('\\', '/')}`.endsWith(`/${path}`)
}

/** What the units render to with the outputs of the stacks that are there. */
async function deployedCandidates(ports: Ports, from: From): Promise<readonly Candidate[]> {
  if (from.text !== undefined || from.bundle !== undefined) return []
  const { organisation } = await readFolder(ports, from.root)
  if (!organisation.ok) return []
  await using stacks = stacksOf(ports, { folder: stateFolders(from.root, from.state).stacks })
  try {
    return (await renderDeployed(organisation.value.units, stacks)).map(candidate)
  } catch (error) {
    // A cloud that cannot be asked leaves what the files say.
    if (error instanceof Refused) return []
    throw error
  }
}

function isTemplate(file: string, { name }: Candidate): Problem {
  return {
    code: 'rendering-unknown',
    severity: 'error',
    message: `${file} is a template, and what is explained is a line of what it renders to: each unit has a rendering of its own.`,
    expected: 'A unit, or a file that `protium render --out` wrote.',
    remedy: `Name one with a line of its rendering: \`protium explain --at ${name}:LINE\`.`,
    at: { file, line: 0, column: 0 },
  }
}

function unknown(
  file: string,
  { text, likely }: { readonly text: string; readonly likely: readonly Candidate[] },
): Problem {
  const lines = text.split('\n')
  const own = new Set(lines)
  const share = (each: Candidate): number => each.text.split('\n').filter((line) => own.has(line)).length
  const [first] = likely
  const near = first === undefined || isAt(first, file) ? first : likely.toSorted((a, b) => share(b) - share(a))[0]
  const differs = near?.text.split('\n').findIndex((line, index) => line !== lines[index]) ?? -1
  const nearest =
    near === undefined || share(near) === 0
      ? ''
      : ` It is nearest to ${near.name}, and differs first in line ${(differs === -1 ? Math.min(lines.length, near.text.split('\n').length) : differs) + 1}.`
  return {
    code: 'rendering-unknown',
    severity: 'error',
    message: `Nothing renders to what is in ${file}: it was changed since, or rendered from other files or inputs.${nearest}`,
    expected: 'A file that `protium render --out` wrote from the files as they are now.',
    remedy: `Render it again${near === undefined ? '' : `, or name what is rendered instead of a file: \`protium explain --at ${near.name}:LINE\``}.`,
    at: { file, line: 0, column: 0 },
  }
}
