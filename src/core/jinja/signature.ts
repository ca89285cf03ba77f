/** How Python binds the arguments of a call to the parameters of a function, and what it says when they do not fit. */
import { quote } from './text.ts'
import { JinjaError } from './values.ts'
import type { Kwargs, Value } from './values.ts'

/** A parameter with its default; without one it is required. */
export type Parameter = { readonly name: string; readonly default?: Value }

/** A function written in Python, so that it takes keywords and its messages are Python's. */
export type Signature = {
  /** As messages name it: `do_truncate`. */
  readonly name: string
  /** How many leading arguments are passed by Jinja2 itself, such as the environment; they are counted in messages. */
  readonly hidden: number
  readonly parameters: readonly Parameter[]
  readonly required: number
}

/**
 * A signature from its parameters: `signature('do_trim', ['value', ['chars', null]])`. A pair has a default. `hidden`
 * counts the leading arguments that Jinja2 adds.
 */
export function signature(
  name: string,
  parameters: readonly (string | readonly [string, Value])[],
  options: { readonly hidden?: number } = {},
): Signature {
  const list = parameters.map((item): Parameter =>
    typeof item === 'string' ? { name: item } : { name: item[0], default: item[1] },
  )
  return {
    name,
    hidden: options.hidden ?? 0,
    parameters: list,
    required: list.filter((item) => item.default === undefined).length,
  }
}

/** The values of all parameters, in their order. Throws Python's TypeError where the arguments do not fit. */
export function bind(of: Signature, args: readonly Value[], kwargs: Kwargs): Value[] {
  const { name, parameters, hidden } = of
  const values: (Value | undefined)[] = args.slice(0, parameters.length)
  for (const [keyword, value] of kwargs) {
    const index = parameters.findIndex((item) => item.name === keyword)
    if (index < 0) throw wrong(`${name}() got an unexpected keyword argument ${quote(keyword)}`)
    if (values[index] !== undefined) throw wrong(`${name}() got multiple values for argument ${quote(keyword)}`)
    values[index] = value
  }
  if (args.length > parameters.length) {
    const most = parameters.length + hidden
    const least = of.required + hidden
    const takes =
      least === most
        ? `${most} positional argument${most === 1 ? '' : 's'}`
        : `from ${least} to ${most} positional arguments`
    const given = args.length + hidden
    throw wrong(`${name}() takes ${takes} but ${given} ${given === 1 ? 'was' : 'were'} given`)
  }
  const missing: string[] = []
  const bound = parameters.map((parameter, index) => {
    const value = values[index] ?? (values[index] === null ? null : parameter.default)
    if (value === undefined) missing.push(quote(parameter.name))
    return value ?? null
  })
  if (missing.length > 0) {
    const plural = missing.length === 1 ? '' : 's'
    throw wrong(`${name}() missing ${missing.length} required positional argument${plural}: ${listed(missing)}`)
  }
  return bound
}

function listed(names: readonly string[]): string {
  if (names.length <= 2) return names.join(' and ')
  return `${names.slice(0, -1).join(', ')}, and ${names.at(-1) ?? ''}`
}

function wrong(message: string): JinjaError {
  return new JinjaError('TypeError', message)
}

/** How many arguments a function that Python implements in C takes, and which of them may be given by name. */
export type Takes = {
  readonly least: number
  readonly most: number
  readonly keywords?: readonly string[]
  /** Whether its arguments are given by their names alone. */
  readonly named?: boolean
  /** Whether its messages count in words of `PyArg_ParseTuple`: `find() takes at least 1 argument (0 given)`. */
  readonly parsed?: boolean
}

/**
 * The arguments of a function that Python implements in C, `str.replace` for example: what was not given is absent. Throws
 * Python's TypeError where they do not fit.
 */
export function builtinArguments(
  name: string,
  given: { readonly args: readonly Value[]; readonly kwargs: Kwargs },
  takes: Takes,
): (Value | undefined)[] {
  const { args, kwargs } = given
  const values: (Value | undefined)[] = [...args]
  const short = name.slice(name.lastIndexOf('.') + 1)
  if (kwargs.size > 0 && takes.keywords === undefined) throw wrong(`${name}() takes no keyword arguments`)
  if (args.length > 0 && takes.named === true) throw wrong(`${short}() takes no positional arguments`)
  const count = args.length + kwargs.size
  if (count > takes.most || (count < takes.least && kwargs.size === 0)) throw wrongCount(name, count, takes)
  for (const [keyword, value] of kwargs) {
    const index = takes.keywords?.indexOf(keyword) ?? -1
    if (index < 0) throw wrong(`${quote(keyword)} is an invalid keyword argument for ${short}()`)
    if (values[index] !== undefined) {
      throw wrong(`argument for ${short}() given by name (${quote(keyword)}) and position (${index + 1})`)
    }
    values[index] = value
  }
  return values
}

function wrongCount(name: string, count: number, takes: Takes): JinjaError {
  const short = name.slice(name.lastIndexOf('.') + 1)
  if (takes.most === 0) return wrong(`${name}() takes no arguments (${count} given)`)
  if (takes.most === 1 && takes.least === 1) return wrong(`${name}() takes exactly one argument (${count} given)`)
  const bound = count < takes.least ? takes.least : takes.most
  const kind = takes.least === takes.most ? '' : count < takes.least ? 'at least ' : 'at most '
  const plural = bound === 1 ? '' : 's'
  if (takes.keywords !== undefined || takes.parsed === true) {
    return wrong(`${short}() takes ${kind}${bound} argument${plural} (${count} given)`)
  }
  return wrong(`${short} expected ${kind}${bound} argument${plural}, got ${count}`)
}
