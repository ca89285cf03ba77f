/**
 * Templates: exactly Jinja2 3.1.6 with StrictUndefined and otherwise default settings (what AWS Proton rendered with), and
 * Proton's filters.
 *
 * A template is a stranger's file. It is read by a linear lexer and a bounded parser, becomes closures (no code is
 * generated), works with Python's values, of which none is an object of JavaScript's, and everything that it uses up is
 * bounded in units that are the same on every machine. The same template and context give the same text each time.
 */
import type { DataMap } from '../data.ts'
import type { Checked, Problem } from '../problem.ts'
import type { FileTree } from '../tree.ts'
import { compileTemplate } from './compile.ts'
import { callsOf, problemOfError, problemOfFault } from './errors.ts'
import { templateFilters } from './filters.ts'
import { templateGlobals } from './globals.ts'
import { lineStarts, normalise } from './lexer.ts'
import type { Statement } from './nodes.ts'
import { parseSource } from './parser.ts'
import { Collector, Rendering, defaultLimits } from './rendering.ts'
import type { Blank, Limits, Loaded, Lookup } from './rendering.ts'
import { findReferences } from './references.ts'
import type { Reference, Source } from './references.ts'
import { Spans, Tracer } from './spans.ts'
import type { Mark, Piece } from './spans.ts'
import { renderInto } from './templates.ts'
import { templateTests } from './tests.ts'
import { JinjaError, contextOf } from './values.ts'
import type { Value } from './values.ts'

export { noComponents } from './values.ts'
export type { Reference } from './references.ts'
export { Spans } from './spans.ts'
export type { Origin } from './spans.ts'
export type { Limits } from './rendering.ts'

export type ParseOptions = {
  /** What may be included, imported and extended: paths from the bundle's root. Without it nothing may be. */
  readonly files?: FileTree
  /** Where the bundle lies, so that places in included files name the whole path. */
  readonly root?: string
  readonly limits?: Partial<Limits>
}

export type RenderOptions = {
  /** Whether to keep account of where the text came from. It costs nothing if not. */
  readonly spans?: boolean
  readonly limits?: Partial<Limits>
}

export type Rendered =
  | { readonly ok: true; readonly text: string; readonly spans: Spans | undefined }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** How closures are made: each way is compiled when it is first needed. */
type Way = 'plain' | 'traced' | 'collecting'

/** A template that was read and found to be one. It can be rendered any number of times. */
export class Template {
  readonly file: string
  readonly #library: Library

  constructor(file: string, library: Library) {
    this.file = file
    this.#library = library
  }

  render(context: DataMap, options: RenderOptions): Rendered {
    return render(this.#library, context, options)
  }

  references(): readonly Reference[] {
    return this.#library.references()
  }
}

/**
 * Reads a template. Syntax, and the names of filters and tests, are checked; what it includes is read when it is rendered.
 * `file` is what problems and spans call it.
 */
export function parseTemplate(file: string, source: string, options: ParseOptions = {}): Checked<Template> {
  const library = new Library(file, source, options)
  try {
    library.main('plain')
    return { ok: true, value: new Template(file, library), problems: [] }
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, problems: [error.problem] }
    throw error
  }
}

/**
 * Renders a template with the variables of `context`. A mistake in the template is a Problem; of undefined references all
 * are found at once.
 */
export function renderTemplate(template: Template, context: DataMap, options: RenderOptions = {}): Rendered {
  return template.render(context, options)
}

/**
 * What a template reads of its context, and where, found without rendering it; globals are not among it. Files that it
 * includes by a literal name are read along; one that cannot be read is left out.
 */
export function referencesOf(template: Template): readonly Reference[] {
  return template.references()
}

/** The problem of a file that could not be read, on its way up. */
class Unreadable extends JinjaError {
  readonly problem: Problem

  constructor(problem: Problem, cause: JinjaError) {
    super(cause.kind, cause.message)
    this.problem = problem
  }
}

/** A template and the files that it may use, each read once. */
class Library {
  readonly limits: Limits
  readonly #file: string
  readonly #source: string
  readonly #files: FileTree | undefined
  readonly #root: string
  readonly #trees = new Map<string, Parsed>()
  readonly #compiled = new Map<string, Loaded>()

  constructor(file: string, source: string, options: ParseOptions) {
    this.#file = file
    this.#source = source
    this.#files = options.files
    this.#root = options.root === undefined || options.root === '' ? '' : `${options.root}/`
    this.limits = { ...defaultLimits, ...options.limits }
  }

  main(way: Way): Loaded {
    return this.#compile(this.#file, this.#source, way)
  }

  /** A file by the name that a template gave. */
  load(name: string, way: Way): Loaded {
    if (this.#files === undefined) throw new JinjaError('TypeError', 'no loader for this environment specified')
    const source = this.#files.get(name)
    if (source === undefined) throw new JinjaError('TemplateNotFound', name)
    return this.#compile(this.#root + name, source, way)
  }

  references(): readonly Reference[] {
    const { tree } = this.#parse(this.#file, this.#source)
    const load = (name: string): Source | undefined => {
      const source = this.#files?.get(name)
      const file = this.#root + name
      if (source === undefined) return undefined
      try {
        return { file, tree: this.#parse(file, source).tree }
      } catch (error) {
        if (error instanceof JinjaError) return undefined
        throw error
      }
    }
    const found = findReferences({ file: this.#file, tree }, load)
    return found.filter(({ path: [name = ''] }) => !templateGlobals.has(name))
  }

  /** The line starts of each file read so far. */
  sources(): ReadonlyMap<string, readonly number[]> {
    return new Map([...this.#trees].map(([file, parsed]) => [file, parsed.starts]))
  }

  #compile(file: string, source: string, way: Way): Loaded {
    const key = `${way} ${file}`
    const known = this.#compiled.get(key)
    if (known !== undefined) return known
    try {
      const { tree, starts } = this.#parse(file, source)
      const compiled = compileTemplate(tree, {
        file,
        starts,
        filters: templateFilters,
        tests: templateTests,
        globals: builtins,
        traced: way === 'traced',
        collecting: way === 'collecting',
      })
      this.#compiled.set(key, compiled)
      return compiled
    } catch (error) {
      const cause = asJinjaError(error)
      const names = cause.message.startsWith('No test') ? templateTests.keys() : templateFilters.keys()
      throw new Unreadable(problemOfFault(file, normalise(source.slice(0, this.limits.source)), cause, names), cause)
    }
  }

  #parse(file: string, source: string): Parsed {
    const known = this.#trees.get(file)
    if (known !== undefined) return known
    if (source.length > this.limits.source) {
      throw new JinjaError('Limit', `the template has more than ${this.limits.source} characters`)
    }
    const text = normalise(source)
    const parsed = { tree: parseSource(text, this.limits), starts: lineStarts(text) }
    this.#trees.set(file, parsed)
    return parsed
  }
}

type Parsed = { readonly tree: readonly Statement[]; readonly starts: readonly number[] }

/** What every template sees: the globals. */
const builtins: Lookup = {
  get: (name) => templateGlobals.get(name),
  names: () => [],
  mark: () => undefined,
}

/** The variables of a rendering, over the globals. */
function variablesOf(context: DataMap): Lookup {
  const variables: ReadonlyMap<string, Value> = contextOf(context)
  return {
    get: (name) => {
      const value = variables.get(name)
      return value === undefined ? templateGlobals.get(name) : value
    },
    names: () => variables.keys(),
    mark: (name): Mark | undefined => (variables.has(name) ? { path: name } : undefined),
  }
}

function render(library: Library, context: DataMap, options: RenderOptions): Rendered {
  const tracer = options.spans === true ? new Tracer() : undefined
  const first = run(library, context, { options, tracer, collector: undefined })
  if (first.error === undefined) return finish(first.rendering, library, tracer)
  if (first.error.kind === 'UndefinedError') {
    const all = allUndefined(library, context, options)
    if (all.length > 0) return { ok: false, problems: all }
  }
  return { ok: false, problems: [problemOf(first.error, first.rendering)] }
}

type Outcome = { readonly rendering: Rendering; readonly error: JinjaError | undefined }

function run(
  library: Library,
  context: DataMap,
  of: {
    readonly options: RenderOptions
    readonly tracer: Tracer | undefined
    readonly collector: Collector | undefined
  },
): Outcome {
  const way: Way = of.collector !== undefined ? 'collecting' : of.tracer !== undefined ? 'traced' : 'plain'
  const limits = { ...library.limits, ...of.options.limits }
  const rendering = new Rendering({
    filters: templateFilters,
    tests: templateTests,
    // Keeping account is work too: what can be rendered can be rendered with spans.
    limits: of.tracer === undefined ? limits : { ...limits, steps: limits.steps * accounting },
    tracer: of.tracer,
    collector: of.collector,
    load: (name) => library.load(name, way),
  })
  try {
    renderInto(library.main(way), variablesOf(context), rendering, 'template')
    rendering.join()
    return { rendering, error: undefined }
  } catch (error) {
    return { rendering, error: asJinjaError(error) }
  }
}

/** How many times the steps a rendering with spans may take. Seen: up to 1.4 times. */
const accounting = 3

/** Renders once more, past each undefined reference, and reports every one once. */
function allUndefined(library: Library, context: DataMap, options: RenderOptions): Problem[] {
  const collector = new Collector(mostUndefined)
  const { rendering } = run(library, context, { options, tracer: undefined, collector })
  const problems = new Map<string, Problem>()
  for (const { error, site, stack, context: seen } of collector.found) {
    const problem = problemOfError(error, { rendering, site, stack, context: seen })
    const { at } = problem
    const key = `${at?.file ?? ''}:${at?.line ?? 0}:${at?.column ?? 0} ${problem.message}`
    if (!problems.has(key)) problems.set(key, problem)
  }
  return [...problems.values()]
}

const mostUndefined = 50

function problemOf(error: JinjaError, rendering: Rendering): Problem {
  const { site, stack, context } = rendering
  if (error instanceof Unreadable) {
    const { problem } = error
    const here =
      site === undefined ? [] : [{ at: { file: site.file, line: site.line, column: site.column }, note: 'used here' }]
    return { ...problem, related: [...here, ...callsOf(stack)] }
  }
  return problemOfError(error, { rendering, site, stack, context })
}

/** The bounds keep the stack from running out; should it happen all the same, it is a bound that was met. */
function asJinjaError(error: unknown): JinjaError {
  if (error instanceof JinjaError) return error
  if (error instanceof RangeError && error.message.includes('call stack'))
    return new JinjaError('Limit', 'the template is nested too deeply')
  throw error
}

function finish(rendering: Rendering, library: Library, tracer: Tracer | undefined): Rendered {
  const { text, pieces } = settle(rendering.text, rendering.blanks, tracer?.pieces)
  const spans = pieces === undefined ? undefined : new Spans(text, pieces, library.sources())
  return { ok: true, text, spans }
}

/** Puts `[]` or `{}` where a list or map of Proton's filters is empty and the whole value of a key. */
function settle(
  text: string,
  blanks: readonly Blank[],
  pieces: readonly Piece[] | undefined,
): { readonly text: string; readonly pieces: readonly Piece[] | undefined } {
  const wanted = blanks.filter(
    (blank, index) => blank.offset !== blanks[index - 1]?.offset && isWholeValue(text, blank.offset),
  )
  if (wanted.length === 0) return { text, pieces }
  let result = ''
  let done = 0
  for (const blank of wanted) {
    result += text.slice(done, blank.offset) + blank.text
    done = blank.offset
  }
  let passed = 0
  let moved = 0
  const shifted = pieces?.map((piece) => {
    for (let blank = wanted[passed]; blank !== undefined && blank.offset < piece.start; blank = wanted[passed]) {
      moved += blank.text.length
      passed += 1
    }
    return moved === 0 ? piece : { ...piece, start: piece.start + moved }
  })
  return { text: result + text.slice(done), pieces: shifted }
}

/** How far around an empty list the text is looked at. */
const surroundings = 2000

/** Whether nothing else is the value of the key before `offset`. */
function isWholeValue(text: string, offset: number): boolean {
  const before = text.slice(Math.max(0, offset - surroundings), offset).trimEnd()
  if (!before.endsWith(':')) return false
  const [rest = '', ...lines] = text.slice(offset, offset + surroundings).split('\n')
  if (rest.trim() !== '') return false
  const indent = indentOf(before.slice(before.lastIndexOf('\n') + 1))
  const next = lines.find((line) => line.trim() !== '')
  if (next === undefined) return true
  return indentOf(next) < indent || (indentOf(next) === indent && !next.trimStart().startsWith('- '))
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length
}
