/** Errors of templates as a person wants to read them: where, what, what would have been right, and what to do. */
import { didYouMean } from '../nearest.ts'
import type { ProblemCode } from '../problem-codes.ts'
import type { Place, Problem } from '../problem.ts'
import { unknown } from './rendering.ts'
import type { Call, Context, Rendering, Site } from './rendering.ts'
import { Dict, JinjaError } from './values.ts'
import type { ErrorKind, Undefined, Value } from './values.ts'

/** Where a node or a token starts; both count from 0. */
export type Spot = { readonly lineno: number; readonly colno: number }

/** An error that was found while a template was read, with its place. */
export class Fault extends JinjaError {
  readonly spot: Spot

  constructor(kind: ErrorKind, message: string, spot: Spot) {
    super(kind, message)
    this.spot = spot
  }
}

export function failAt(kind: ErrorKind, message: string, spot: Spot): never {
  throw new Fault(kind, message, { lineno: spot.lineno, colno: spot.colno })
}

/** The code of a problem for each class of error, Python's, Jinja2's and our own. */
export const codes: Readonly<Record<ErrorKind, ProblemCode>> = {
  TemplateSyntaxError: 'template-syntax',
  TemplateAssertionError: 'template-unknown-name',
  UndefinedError: 'undefined-variable',
  TypeError: 'template-type',
  AttributeError: 'template-type',
  ValueError: 'template-value',
  KeyError: 'template-value',
  IndexError: 'template-value',
  ZeroDivisionError: 'template-value',
  OverflowError: 'template-value',
  FilterArgumentError: 'template-value',
  TemplateNotFound: 'template-not-found',
  TemplateRuntimeError: 'template-runtime',
  SecurityError: 'template-refused',
  Limit: 'template-limit',
}

const remedies: Readonly<Record<ErrorKind, string>> = {
  TemplateSyntaxError:
    'Mend it here. Braces that are not meant for the template belong between `{% raw %}` and `{% endraw %}`.',
  TemplateAssertionError:
    'Correct the name. Filters and tests are those of Jinja2 3.1, and the `proton_cfn_…` filters.',
  UndefinedError: 'Correct the name, or write `| default("…")` or `is defined` where it may be absent.',
  TypeError: 'Convert the value first, for example with `| int` or `| string`, or use the value that was meant.',
  AttributeError: 'Use a method that the value has.',
  ValueError: 'Correct the value or the arguments.',
  KeyError: 'Use a key that the map has, or `.get(key, otherwise)`.',
  IndexError: 'Use an index within the list.',
  ZeroDivisionError: 'Make sure that the divisor is not zero.',
  OverflowError: 'Use a smaller number.',
  FilterArgumentError: 'Correct the arguments of the filter.',
  TemplateNotFound: 'Correct the path, which starts at the root of the bundle, or add the file.',
  TemplateRuntimeError: 'Mend the statement.',
  SecurityError: 'Remove it: a template works with its inputs alone.',
  Limit: 'Make the template do less: fewer or smaller loops, texts and macros.',
}

/** The problem of a template that could not be read. */
export function problemOfFault(file: string, source: string, fault: JinjaError, names: Iterable<string> = []): Problem {
  const spot = fault instanceof Fault ? fault.spot : { lineno: 0, colno: 0 }
  const at = { file, line: spot.lineno + 1, column: spot.colno + 1 }
  const reference = dynamicReference(source, spot)
  if (reference !== undefined && fault.kind === 'TemplateSyntaxError') {
    return {
      code: 'template-syntax',
      severity: 'error',
      message: `CloudFormation's dynamic reference ${reference.text} is read as an expression of the template.`,
      expected: `{{ '${reference.text}' }}`,
      remedy: `Write {{ '${reference.text}' }}, or {% raw %}${reference.text}{% endraw %}. That is needed in comments, too.`,
      at: { file, line: reference.line, column: reference.column },
    }
  }
  const wanted = /^No (?:filter|test) named '(?<name>[^']*)'/.exec(fault.message)?.groups?.name
  const hint = wanted === undefined ? hintFor(fault.message) : didYouMean(wanted, names)
  return {
    code: codes[fault.kind],
    severity: 'error',
    message: sentence(fault.message) + hint,
    remedy: remedies[fault.kind],
    at,
  }
}

/** The problem of an error that a rendering ended with, or that it noted on its way. */
export function problemOfError(
  error: JinjaError,
  of: {
    readonly rendering: Rendering
    readonly site: Site | undefined
    readonly stack: Call | undefined
    readonly context: Context | undefined
  },
): Problem {
  const { subject } = error
  const site = (subject === undefined ? undefined : of.rendering.undefinedAt.get(subject)) ?? of.site
  const related = callsOf(of.stack)
  const names = subject === undefined ? undefined : namesNear(subject, of.context)
  return {
    code: codes[error.kind],
    severity: 'error',
    message: messageOf(error, site, { names, context: of.context }),
    ...(names === undefined || names.length === 0 ? {} : { expected: listOf(names) }),
    remedy: remedyFor(error),
    ...(site === undefined ? {} : { at: { file: site.file, line: site.line, column: site.column } }),
    ...(related.length === 0 ? {} : { related }),
  }
}

/** The calls and includes that led somewhere, innermost first; of a deep recursion only the innermost. */
export function callsOf(stack: Call | undefined): { readonly at: Place; readonly note: string }[] {
  const related: { at: Place; note: string }[] = []
  for (let call = stack; call !== undefined && related.length < 20; call = call.outer) {
    const { file, line, column } = call.site
    related.push({ at: { file, line, column }, note: call.note })
  }
  return related
}

function messageOf(
  error: JinjaError,
  site: Site | undefined,
  around: { readonly names: readonly string[] | undefined; readonly context: Context | undefined },
): string {
  const { subject } = error
  const { names, context } = around
  if (error.kind === 'TemplateNotFound') return `The bundle has no such template: ${error.message}.`
  if (subject === undefined || error.kind !== 'UndefinedError' || typeof subject.name !== 'string') {
    return sentence(error.message)
  }
  if (subject.hint !== undefined) return sentence(error.message)
  const path = site?.path
  const missing = subject.name
  const hyphened = names?.find((name) => name.includes('-') && name.startsWith(`${missing}-`))
  const near = hyphened === undefined ? didYouMean(subject.name, names ?? []) : ''
  const what = path !== undefined && path.endsWith(subject.name) ? path : subject.name
  const owner = subject.owner === undefined ? '' : ownerOf(path, subject.name)
  const elsewhere =
    subject.owner === undefined ? dotted(subject.name, context) : deeper(path, subject.name, subject.owner.value)
  let hint = near
  if (hyphened !== undefined) {
    hint = ` A name with a hyphen is written ["${hyphened}"], because a hyphen is a minus here.`
  } else if (elsewhere !== undefined) hint = ` Did you mean "${elsewhere}"?`
  return `${what} is not defined${owner}.${hint}`
}

/** `environment.VpcId` is `environment.outputs.VpcId` since Proton's preview: the same name, one level down. */
function deeper(path: string | undefined, name: string, owner: Value): string | undefined {
  if (path === undefined || !path.endsWith(`.${name}`) || !(owner instanceof Dict)) return undefined
  for (const [key, value] of owner.entries()) {
    if (typeof key === 'string' && value instanceof Dict && value.has(name)) {
      return `${path.slice(0, path.length - name.length)}${key}.${name}`
    }
  }
  return undefined
}

/** `service_name` is `service.name` since Proton's preview. */
function dotted(name: string, context: Context | undefined): string | undefined {
  for (let end = name.indexOf('_'); end !== -1; end = name.indexOf('_', end + 1)) {
    const owner = context?.resolve(name.slice(0, end))
    const rest = name.slice(end + 1)
    if (owner instanceof Dict && owner.has(rest)) return `${name.slice(0, end)}.${rest}`
  }
  return undefined
}

function ownerOf(path: string | undefined, name: string): string {
  const end = path?.lastIndexOf(`.${name}`) ?? -1
  return path === undefined || end <= 0 ? '' : `: ${path.slice(0, end)} has no "${name}"`
}

function remedyFor(error: JinjaError): string {
  return remedies[error.kind]
}

/** The names that are there: the keys of the map, or the variables of the template. */
function namesNear(subject: Undefined, context: Context | undefined): string[] | undefined {
  if (subject.hint !== undefined || typeof subject.name !== 'string') return undefined
  if (subject.owner === undefined) return context === undefined ? undefined : knownNames(context, subject.name)
  const { value } = subject.owner
  if (!(value instanceof Dict)) return undefined
  return [...value.keys()].filter((key) => typeof key === 'string')
}

function knownNames(context: Context, missing: string): string[] {
  return [...new Set(context.names())].filter((name) => name !== missing && context.resolve(name) !== unknown)
}

function listOf(names: readonly string[]): string {
  const shown = names.slice(0, 20).map((name) => (name.length > 60 ? `${name.slice(0, 60)}…` : name))
  const more = names.length > shown.length ? `, and ${names.length - shown.length} more` : ''
  return `One of the names that are there: ${shown.join(', ')}${more}.`
}

function sentence(message: string): string {
  const end = message.endsWith('.') || message.endsWith('…') ? '' : '.'
  return message.slice(0, 1).toUpperCase() + message.slice(1) + end
}

const hints: readonly (readonly [part: string, hint: string])[] = [
  ["unknown tag 'elseif'", ' Jinja2 writes {% elif … %}.'],
  ["unknown tag 'elsif'", ' Jinja2 writes {% elif … %}.'],
  ["unknown tag 'do'", ' Protium renders as AWS Proton did, without extensions: use {% set … %}.'],
  ["unknown tag 'break'", ' Protium renders as AWS Proton did, without extensions: use {% for … if … %}.'],
  ["unknown tag 'continue'", ' Protium renders as AWS Proton did, without extensions: use {% for … if … %}.'],
  ["unexpected char '&'", ' Jinja2 writes `and`.'],
  ["unexpected char '!'", ' Jinja2 writes `not`.'],
  ["unexpected '='", ' Jinja2 compares with `==`.'],
]

function hintFor(message: string): string {
  return hints.find(([part]) => message.includes(part))?.[1] ?? ''
}

/** `{{resolve:ssm:…}}` around a place: CloudFormation's own braces, which have to be escaped. */
function dynamicReference(
  source: string,
  spot: Spot,
): { readonly text: string; readonly line: number; readonly column: number } | undefined {
  const line = source.split('\n', spot.lineno + 1)[spot.lineno] ?? ''
  for (let start = line.indexOf('{{'); start !== -1; start = line.indexOf('{{', start + 2)) {
    const inside = line.slice(start + 2).trimStart()
    const end = line.indexOf('}}', start)
    if (!inside.startsWith('resolve:') || end === -1) continue
    if (spot.colno >= start && spot.colno <= end + 2) {
      return { text: line.slice(start, end + 2), line: spot.lineno + 1, column: start + 1 }
    }
  }
  return undefined
}
