/** Jinja2's built-in filters, and Proton's: the table, and those of them that work on text and numbers. */
import { filterOf } from './calls.ts'
import { isSpace, splitLines, splitWords } from './characters.ts'
import { textToWhole, toDouble, toWhole } from './convert.ts'
import { indentOf, jsonText } from './json.ts'
import { listFilters } from './list-filters.ts'
import { escapeText, escapeValue, stripTags } from './markup.ts'
import { attributeOf, isRefused } from './methods.ts'
import { asWhole, negate, roundDouble, roundWhole, truncated } from './numbers.ts'
import {
  asIndex,
  asText,
  elementsOf,
  integerArgument,
  isTrue,
  iterate,
  lengthOfValue,
  listOf,
  ordered,
  slicedBy,
} from './objects.ts'
import { binary, getAttribute, getItem } from './operators.ts'
import { prettyText } from './pretty.ts'
import { linkText, wrapText } from './prose.ts'
import { protonFilters } from './proton-filters.ts'
import { callMarkupMethod, callTextMethod, joinTexts, replaceIn } from './text-methods.ts'
import { quote, repr, toText, typeName, undefinedError } from './text.ts'
import { Dict, Float, Iter, JinjaError, Markup, noKwargs, Slice, Tuple, Undefined } from './values.ts'
import type { Filter, Runtime, Value } from './values.ts'

/** markupsafe's `soft_str`: a string as it is, Markup or not; the text of anything else. */
function softText(value: Value, runtime: Runtime): string | Markup {
  return value instanceof Markup ? value : toText(value, runtime)
}

/** A method of `str`, on the text of the value. */
function method(value: Value, name: string, args: readonly Value[], runtime: Runtime): Value {
  const text = softText(value, runtime)
  const given = { args, kwargs: noKwargs }
  if (text instanceof Markup) return callMarkupMethod(text.text, name, given, runtime)
  return callTextMethod(text, name, given, runtime)
}

function methodFilter(name: string, filter: string): readonly [string, Filter] {
  return [name, filterOf(filter, ['s'], (runtime, s = null) => method(s, name, [], runtime))]
}

/** `abs` and `escape` are functions of C: one argument, without a name. */
function builtin(name: string, run: (value: Value, runtime: Runtime) => Value): Filter {
  return (value, args, kwargs, runtime) => {
    if (kwargs.size > 0) throw new JinjaError('TypeError', `${name}() takes no keyword arguments`)
    if (args.length > 0) {
      throw new JinjaError('TypeError', `${name}() takes exactly one argument (${args.length + 1} given)`)
    }
    return run(value, runtime)
  }
}

const absolute = builtin('abs', (value) => {
  if (value instanceof Undefined) throw undefinedError(value)
  if (value instanceof Float) return new Float(Math.abs(value.value))
  const number = asWhole(value)
  if (number === undefined) throw new JinjaError('TypeError', `bad operand type for abs(): '${typeName(value)}'`)
  return number < 0 ? (negate(number) ?? number) : number
})

const escape = builtin('escape', (value, runtime) => escapeValue(value, runtime))

const fallback = filterOf(
  'do_default',
  ['value', ['default_value', ''], ['boolean', false]],
  (_, value = null, by = null, boolean = null) => {
    if (value instanceof Undefined) return by
    return isTrue(boolean) && !isTrue(value) ? by : value
  },
)

/** Jinja2's title case: words begin after white space and after `- ( { [ <`. */
function titleText(text: string): string {
  let result = ''
  let start = 0
  const between = (unit: string): boolean => '-({[<'.includes(unit) || isSpace(unit)
  while (start < text.length) {
    let end = start + 1
    const gap = between(text.charAt(start))
    while (end < text.length && between(text.charAt(end)) === gap) end += 1
    const [first = ''] = text.slice(start, end)
    result += first.toUpperCase() + text.slice(start + first.length, end).toLowerCase()
    start = end
  }
  return result
}

function replaced(runtime: Runtime, s: Value, old: Value, by: Value, count: Value): Value {
  const times = count === null ? -1 : integerArgument(count)
  if (!runtime.autoescape) {
    const text = toText(s, runtime)
    return replaceIn(text, { old: toText(old, runtime), by: toText(by, runtime), count: times }, runtime)
  }
  const escaped = old instanceof Markup || (by instanceof Markup && !(s instanceof Markup))
  const subject = escaped ? escapeValue(s, runtime) : softText(s, runtime)
  return method(subject, 'replace', [softText(old, runtime), softText(by, runtime), times], runtime)
}

function joined(runtime: Runtime, value: Value, d: Value, attribute: Value): Value {
  const parts: Value[] = []
  let marked = d instanceof Markup
  const path = attributePath(attribute)
  for (const item of iterate(value)) {
    runtime.spend(1)
    let part = item
    for (const step of path) part = getItem(part, step)
    marked ||= part instanceof Markup
    parts.push(runtime.autoescape && part instanceof Markup ? part : toText(part, runtime))
    if ((parts.length & 1023) === 0) runtime.size(parts.length)
  }
  if (!runtime.autoescape || !marked) return joinTexts(toText(d, runtime), parts, runtime)
  const separator = escapeValue(d, runtime)
  return callMarkupMethod(separator.text, 'join', { args: [parts], kwargs: noKwargs }, runtime)
}

function attributePath(attribute: Value): Value[] {
  if (attribute === null) return []
  const text = asText(attribute)
  return text === undefined ? [attribute] : text.split('.').map((part) => (/^[0-9]+$/.test(part) ? Number(part) : part))
}

const units = ['kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB']

function fileSize(value: Value, binarySize: boolean): string {
  const bytes = toDouble(value)
  const base = binarySize ? 1024 : 1000
  if (bytes === 1) return '1 Byte'
  if (bytes < base) return `${truncated(bytes)} Bytes`
  let text = ''
  for (const [index, unit] of units.entries()) {
    const size = base ** (index + 2)
    const name = binarySize ? `${unit.charAt(0).toUpperCase()}iB` : unit
    text = `${toText(binary('%', '%.1f', new Float((base * bytes) / size), unlimited))} ${name}`
    if (bytes < size) return text
  }
  return text
}

/** For work whose size is known to be small. */
const unlimited: Runtime = {
  spend: () => undefined,
  size: () => undefined,
  autoescape: false,
  filters: new Map(),
  tests: new Map(),
}

function indented(runtime: Runtime, s: Value, width: Value, first: Value, blank: Value): Value {
  const text = asText(s)
  const indention = asText(width) ?? toText(binary('*', ' ', width, runtime), runtime)
  if (text === undefined) {
    if (s instanceof Undefined) throw undefinedError(s)
    throw new JinjaError('TypeError', `unsupported operand type(s) for +=: '${typeName(s)}' and 'str'`)
  }
  const markup = s instanceof Markup
  const lines = splitLines(`${text}\n`)
  runtime.spend(lines.length)
  runtime.size(text.length + lines.length * (indention.length + 1))
  const blankToo = isTrue(blank)
  const rest = lines.slice(1).map((line) => (line === '' && !blankToo ? line : indention + line))
  const result = (isTrue(first) ? indention : '') + [lines[0] ?? '', ...rest].join('\n')
  return markup ? new Markup(result) : result
}

function truncate(runtime: Runtime, s: Value, length: Value, killWords: Value, end: Value, leeway: Value): Value {
  const spare = leeway === null ? 5 : leeway
  const endLength = lengthOfValue(end)
  if (ordered('<', length, endLength, runtime)) {
    throw new JinjaError('FilterArgumentError', `expected length >= ${endLength}, got ${toText(length)}`)
  }
  if (ordered('<', spare, 0, runtime)) {
    throw new JinjaError('FilterArgumentError', `expected leeway >= 0, got ${toText(spare)}`)
  }
  if (ordered('<=', lengthOfValue(s), binary('+', length, spare, runtime), runtime)) return s
  const cut = slicedBy(s, new Slice(null, binary('-', length, endLength, runtime), null), runtime)
  if (isTrue(killWords)) return binary('+', cut, end, runtime)
  const text = asText(cut)
  if (text === undefined) throw new JinjaError('AttributeError', `'${typeName(cut)}' object has no attribute 'rsplit'`)
  const space = text.lastIndexOf(' ')
  const words = space < 0 ? text : text.slice(0, space)
  return binary('+', cut instanceof Markup ? new Markup(words) : words, end, runtime)
}

function integer(value: Value, otherwise: Value, base: Value): Value {
  const attempt = (run: () => Value, kinds: readonly string[]): Value | undefined => {
    try {
      return run()
    } catch (error) {
      if (error instanceof JinjaError && kinds.includes(error.kind)) return undefined
      throw error
    }
  }
  const text = asText(value)
  const first = attempt(() => {
    if (text === undefined) return toWhole(value)
    return textToWhole(text, integerArgument(base))
  }, ['TypeError', 'ValueError'])
  if (first !== undefined) return first
  return attempt(() => truncated(toDouble(value)), ['TypeError', 'ValueError', 'OverflowError']) ?? otherwise
}

function decimal(value: Value, otherwise: Value): Value {
  try {
    return new Float(toDouble(value))
  } catch (error) {
    if (error instanceof JinjaError && (error.kind === 'TypeError' || error.kind === 'ValueError')) return otherwise
    throw error
  }
}

function rounded(runtime: Runtime, value: Value, precision: Value, how: Value): Value {
  const name = asText(how)
  if (how instanceof Undefined && !how.lenient) throw undefinedError(how)
  if (name !== 'common' && name !== 'ceil' && name !== 'floor') {
    throw new JinjaError('FilterArgumentError', 'method must be common, ceil or floor')
  }
  if (name === 'common') return roundedHalf(value, precision)
  const scale = binary('**', 10, precision, runtime)
  const scaled = binary('*', value, scale, runtime)
  const whole = asWhole(scaled)
  if (whole === undefined && !(scaled instanceof Float)) {
    throw new JinjaError('TypeError', `must be real number, not ${typeName(scaled)}`)
  }
  const number = scaled instanceof Float ? scaled.value : 0
  const edge = whole ?? truncated(Number.isFinite(number) ? Math[name](number) : number)
  return binary('/', edge, scale, runtime)
}

function roundedHalf(value: Value, precision: Value): Value {
  const whole = asWhole(value)
  if (value instanceof Float || whole !== undefined) {
    if (precision === null) return whole ?? truncated(roundDouble(value instanceof Float ? value.value : 0, 0))
    const places = integerArgument(precision)
    return value instanceof Float ? new Float(roundDouble(value.value, places)) : roundWhole(whole ?? 0, places)
  }
  if (value instanceof Undefined) throw undefinedError(value)
  throw new JinjaError('TypeError', `type ${typeName(value)} doesn't define __round__ method`)
}

function formatted(value: Value, args: readonly Value[], kwargs: ReadonlyMap<string, Value>, runtime: Runtime): Value {
  if (args.length > 0 && kwargs.size > 0) {
    throw new JinjaError('FilterArgumentError', "can't handle positional and keyword arguments at the same time")
  }
  return binary('%', softText(value, runtime), kwargs.size > 0 ? new Dict(kwargs) : new Tuple(args), runtime)
}

/** `urllib.parse.quote`; in a query string `/` is quoted and a space is `+`. */
function urlQuote(value: Value, runtime: Runtime, options: { readonly query: boolean }): string {
  const text = toText(value, runtime)
  if (/[\ud800-\udfff]/.test(text) && !text.isWellFormed()) {
    throw new JinjaError('ValueError', "'utf-8' codec can't encode a lone surrogate")
  }
  runtime.size(text.length * 3)
  runtime.spend(1 + (text.length >> 4))
  const quoted = encodeURIComponent(text).replace(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return options.query ? quoted.replaceAll('%20', '+') : quoted.replaceAll('%2F', '/')
}

function urlEncoded(value: Value, runtime: Runtime): Value {
  if (value instanceof Undefined && !value.lenient) throw undefinedError(value)
  const walk = asText(value) === undefined && isIterable(value)
  if (!walk) return urlQuote(value, runtime, { query: false })
  const pairs = value instanceof Dict ? [...value.entries()] : iterate(value)
  const parts: string[] = []
  for (const pair of pairs) {
    if (elementsOf(pair) === undefined) {
      throw new JinjaError('TypeError', `cannot unpack non-iterable ${typeName(pair)} object`)
    }
    const [key, item, ...more] = listOf(pair, runtime)
    if (key === undefined || item === undefined) {
      const count = key === undefined ? 0 : 1
      throw new JinjaError('ValueError', `not enough values to unpack (expected 2, got ${count})`)
    }
    if (more.length > 0) throw new JinjaError('ValueError', 'too many values to unpack (expected 2)')
    parts.push(`${urlQuote(key, runtime, { query: true })}=${urlQuote(item, runtime, { query: true })}`)
    runtime.spend(1)
  }
  return joinTexts('&', parts, runtime)
}

function isIterable(value: Value): boolean {
  return value instanceof Iter || elementsOf(value) !== undefined
}

function linkedText(runtime: Runtime, values: readonly Value[]): Value {
  const [value = null, limit = null, noFollow = null, target = null, rel = null, schemes = null] = values
  const rels = new Set(rel === null || !isTrue(rel) ? [] : splitWords(toText(rel, runtime)))
  if (isTrue(noFollow)) rels.add('nofollow')
  rels.add('noopener')
  const relText = escapeText([...rels].sort().join(' '))
  const targetText = target !== null && isTrue(target) ? ` target="${escapeValue(target, runtime).text}"` : ''
  const list = schemes === null ? [] : listOf(schemes, runtime)
  const schemeTexts = list.map((scheme) => {
    const text = asText(scheme) ?? ''
    if (!/^[\p{L}\p{N}_.+-]{2,}:\/{0,2}$/u.test(text)) {
      throw new JinjaError('FilterArgumentError', `${repr(scheme)} is not a valid URI scheme prefix.`)
    }
    return text
  })
  const text = escapeValue(value, runtime).text
  const links = {
    limit: limit === null ? undefined : (): number => integerArgument(limit),
    attributes: ` rel="${relText}"${targetText}`,
    schemes: schemeTexts,
  }
  const result = linkText(text, links, runtime)
  return runtime.autoescape ? new Markup(result) : result
}

function wrapped(runtime: Runtime, values: readonly Value[]): Value {
  const [s = null, width = null, breakLong = null, between = null, breakHyphens = null] = values
  const text = asText(s)
  if (s instanceof Undefined) throw undefinedError(s)
  if (text === undefined)
    throw new JinjaError('AttributeError', `'${typeName(s)}' object has no attribute 'splitlines'`)
  const glue = between === null ? '\n' : asText(between)
  if (glue === undefined) {
    if (between instanceof Undefined) throw undefinedError(between)
    throw new JinjaError('AttributeError', `'${typeName(between)}' object has no attribute 'join'`)
  }
  const columns = asIndex(width)
  if (columns === undefined) {
    if (width instanceof Undefined) throw undefinedError(width)
    throw new JinjaError('TypeError', `'<=' not supported between instances of '${typeName(width)}' and 'int'`)
  }
  return wrapText(
    text,
    { width: columns, breakLongWords: isTrue(breakLong), breakOnHyphens: isTrue(breakHyphens), between: glue },
    runtime,
  )
}

function xmlAttributes(runtime: Runtime, d: Value, autospace: Value): Value {
  if (d instanceof Undefined) throw undefinedError(d)
  if (!(d instanceof Dict)) throw new JinjaError('AttributeError', `'${typeName(d)}' object has no attribute 'items'`)
  const parts: string[] = []
  for (const [key, value] of d.entries()) {
    runtime.spend(1)
    if (value === null || value instanceof Undefined) continue
    const name = asText(key)
    if (name === undefined)
      throw new JinjaError('TypeError', `expected string or bytes-like object, got '${typeName(key)}'`)
    if (/[ \t\n\r\f\v/>=]/.test(name)) {
      throw new JinjaError('ValueError', `Invalid character in attribute name: ${quote(name)}`)
    }
    parts.push(`${escapeValue(key, runtime).text}="${escapeValue(value, runtime).text}"`)
  }
  const text = joinTexts(' ', parts, runtime)
  const spaced = isTrue(autospace) && text !== '' ? ` ${text}` : text
  return runtime.autoescape ? new Markup(spaced) : spaced
}

function attribute(value: Value, name: Value): Value {
  const text = asText(name)
  if (name instanceof Undefined && !name.lenient) throw undefinedError(name)
  if (text === undefined) throw new JinjaError('TypeError', `attribute name must be string, not '${typeName(name)}'`)
  if (value instanceof Undefined) throw undefinedError(value)
  if (isRefused(text) || attributeOf(value, text) !== undefined) return getAttribute(value, text)
  return new Undefined({ owner: { value }, name: text })
}

const random: Filter = () => {
  throw new JinjaError('SecurityError', 'random is not offered: a rendering must give the same text each time')
}

const textFilters: readonly (readonly [string, Filter])[] = [
  ['abs', absolute],
  ['attr', filterOf('do_attr', ['obj', 'name'], (_, value = null, name = null) => attribute(value, name), 1)],
  methodFilter('capitalize', 'do_capitalize'),
  [
    'center',
    filterOf('do_center', ['value', ['width', 80]], (runtime, value = null, width = null) =>
      method(value, 'center', [width], runtime),
    ),
  ],
  ['d', fallback],
  ['default', fallback],
  ['e', escape],
  ['escape', escape],
  [
    'filesizeformat',
    filterOf('do_filesizeformat', ['value', ['binary', false]], (_, value = null, binarySize = null) =>
      fileSize(value, isTrue(binarySize)),
    ),
  ],
  [
    'float',
    filterOf('do_float', ['value', ['default', new Float(0)]], (_, value = null, by = null) => decimal(value, by)),
  ],
  [
    'forceescape',
    filterOf('do_forceescape', ['value'], (runtime, value = null) => escapeValue(toText(value, runtime), runtime)),
  ],
  ['format', formatted],
  [
    'indent',
    filterOf(
      'do_indent',
      ['s', ['width', 4], ['first', false], ['blank', false]],
      (runtime, s = null, width = null, first = null, blank = null) => indented(runtime, s, width, first, blank),
    ),
  ],
  [
    'int',
    filterOf('do_int', ['value', ['default', 0], ['base', 10]], (_, value = null, by = null, base = null) =>
      integer(value, by, base),
    ),
  ],
  [
    'join',
    filterOf(
      'sync_do_join',
      ['value', ['d', ''], ['attribute', null]],
      (runtime, value = null, d = null, of = null) => joined(runtime, value, d, of),
      1,
    ),
  ],
  methodFilter('lower', 'do_lower'),
  ['pprint', filterOf('do_pprint', ['value'], (runtime, value = null) => prettyText(value, runtime))],
  ['random', random],
  [
    'replace',
    filterOf(
      'do_replace',
      ['s', 'old', 'new', ['count', null]],
      (runtime, s = null, old = null, by = null, count = null) => replaced(runtime, s, old, by, count),
      1,
    ),
  ],
  [
    'round',
    filterOf(
      'do_round',
      ['value', ['precision', 0], ['method', 'common']],
      (runtime, value = null, precision = null, how = null) => rounded(runtime, value, precision, how),
    ),
  ],
  ['safe', filterOf('do_mark_safe', ['value'], (runtime, value = null) => new Markup(toText(value, runtime)))],
  ['string', filterOf('soft_str', ['s'], (runtime, s = null) => softText(s, runtime))],
  [
    'striptags',
    filterOf('do_striptags', ['value'], (runtime, value = null) => stripTags(toText(value, runtime), runtime)),
  ],
  ['title', filterOf('do_title', ['s'], (runtime, s = null) => titleText(toText(s, runtime)))],
  [
    'tojson',
    filterOf(
      'do_tojson',
      ['value', ['indent', null]],
      (runtime, value = null, indent = null) => {
        const text = jsonText(value, runtime, indentOf(indent, runtime))
        return new Markup(text.replace(/[<>&']/g, (mark) => `\\u00${mark.charCodeAt(0).toString(16).padStart(2, '0')}`))
      },
      1,
    ),
  ],
  [
    'trim',
    filterOf('do_trim', ['value', ['chars', null]], (runtime, value = null, chars = null) =>
      method(value, 'strip', [chars], runtime),
    ),
  ],
  [
    'truncate',
    filterOf(
      'do_truncate',
      ['s', ['length', 255], ['killwords', false], ['end', '...'], ['leeway', null]],
      (runtime, s = null, length = null, killWords = null, end = null, leeway = null) =>
        truncate(runtime, s, length, killWords, end, leeway),
      1,
    ),
  ],
  methodFilter('upper', 'do_upper'),
  ['urlencode', filterOf('do_urlencode', ['value'], (runtime, value = null) => urlEncoded(value, runtime))],
  [
    'urlize',
    filterOf(
      'do_urlize',
      [
        'value',
        ['trim_url_limit', null],
        ['nofollow', false],
        ['target', null],
        ['rel', null],
        ['extra_schemes', null],
      ],
      linked,
      1,
    ),
  ],
  [
    'wordcount',
    filterOf('do_wordcount', ['s'], (runtime, s = null) => {
      const text = toText(s, runtime)
      runtime.spend(1 + (text.length >> 4))
      return text.match(/[\p{L}\p{N}_]+/gu)?.length ?? 0
    }),
  ],
  [
    'wordwrap',
    filterOf(
      'do_wordwrap',
      ['s', ['width', 79], ['break_long_words', true], ['wrapstring', null], ['break_on_hyphens', true]],
      (runtime, ...values) => wrapped(runtime, values),
      1,
    ),
  ],
  [
    'xmlattr',
    filterOf(
      'do_xmlattr',
      ['d', ['autospace', true]],
      (runtime, d = null, autospace = null) => xmlAttributes(runtime, d, autospace),
      1,
    ),
  ],
]

function linked(runtime: Runtime, ...values: readonly Value[]): Value {
  return linkedText(runtime, values)
}

/** All filters by name: Jinja2 3.1.6's, and Proton's. */
export const templateFilters: ReadonlyMap<string, Filter> = new Map<string, Filter>([
  ...textFilters,
  ...listFilters,
  ...protonFilters,
])
