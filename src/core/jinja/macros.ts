/** Macros and the bodies of call blocks, when they are called (jinja2/runtime.py's Macro). */
import { Activation } from './rendering.ts'
import type { Code } from './rendering.ts'
import type { Mark, Passed } from './spans.ts'
import { quote } from './text.ts'
import { Dict, JinjaError, Markup, Tuple, Undefined } from './values.ts'
import type { Kwargs, Value } from './values.ts'

/** What the compiler knows of a macro. */
export type MacroSetting = {
  readonly names: readonly string[]
  readonly slots: readonly number[]
  readonly code: Code
  readonly shownName: string
  readonly takesCaller: boolean
  readonly explicitCaller: boolean
  readonly callerSlot: number | undefined
  readonly kwargsSlot: number | undefined
  readonly varargsSlot: number | undefined
  readonly note: string
}

/** Jinja2's `Macro.__call__`: the arguments go to the parameters in their order, then by name. */
export function callMacro(macro: MacroSetting, outer: Activation, args: readonly Value[], kwargs: Kwargs): Value {
  const { rendering, context } = outer
  const { names, slots, code } = macro
  const tracer = rendering.tracer
  const passed = tracer?.passed
  if (tracer !== undefined) tracer.passed = undefined
  const activation = new Activation(code.size, context, outer)
  rendering.spend((names.length >> 1) + kwargs.size)
  const left = kwargs.size === 0 ? undefined : new Map(kwargs)
  let foundCaller = args.length >= names.length && macro.explicitCaller
  for (const [index, name] of names.entries()) {
    const slot = slots[index] ?? 0
    if (index < args.length) activation.slots[slot] = args[index]
    else {
      if (name === 'caller') foundCaller = true
      const value = left?.get(name)
      if (value !== undefined) {
        activation.slots[slot] = value
        left?.delete(name)
      }
    }
    if (passed !== undefined) activation.marks[slot] = markOfArgument(passed, index, name)
  }
  if (macro.takesCaller && !foundCaller) {
    const caller = left?.get('caller') ?? null
    left?.delete('caller')
    const given = caller === null ? new Undefined({ hint: 'No caller defined', name: 'caller' }) : caller
    if (macro.callerSlot !== undefined) activation.slots[macro.callerSlot] = given
  }
  if (macro.kwargsSlot !== undefined) {
    activation.slots[macro.kwargsSlot] = new Dict(left ?? [])
  } else if (left !== undefined && left.size > 0) {
    if (left.has('caller')) {
      throw new JinjaError(
        'TypeError',
        `macro ${macro.shownName} was invoked with two values for the special caller argument. This is most likely a bug.`,
      )
    }
    const [first] = left.keys()
    throw new JinjaError('TypeError', `macro ${macro.shownName} takes no keyword argument ${quote(first ?? '')}`)
  }
  if (macro.varargsSlot !== undefined) {
    activation.slots[macro.varargsSlot] = new Tuple(args.slice(names.length))
  } else if (args.length > names.length) {
    throw new JinjaError('TypeError', `macro ${macro.shownName} takes not more than ${names.length} argument(s)`)
  }
  const { stack, autoescape } = rendering
  rendering.enter(code.height, macro.note, rendering.site)
  rendering.autoescape = context.autoescape
  const text = rendering.capture(() => code.run(activation))
  rendering.autoescape = autoescape
  rendering.leave(code.height, stack)
  return autoescape ? new Markup(text) : text
}

function markOfArgument(passed: Passed, index: number, name: string): Mark | undefined {
  return index < passed.positional.length ? passed.positional[index] : passed.keyword.get(name)
}
