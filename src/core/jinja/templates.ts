/**
 * Templates at run time: they are rendered into the output, included, imported as modules, extended, and their blocks are
 * called. What each of them sees and exports follows jinja2/runtime.py and jinja2/environment.py of 3.1.6.
 */
import { isTrue, iterate, keyOf } from './objects.ts'
import { Activation, Context } from './rendering.ts'
import type { Code, Loaded, Lookup, Misfit, Module, Rendering } from './rendering.ts'
import type { Mark } from './spans.ts'
import { quote, repr, undefinedError, undefinedMessage } from './text.ts'
import { Dict, JinjaError, Markup, Thing, Undefined } from './values.ts'
import type { Value } from './values.ts'

/** The variables around a template that is included, or a block that is scoped. */
export type Locals = Map<string, { readonly value: Value; readonly mark: Mark | undefined }>

/** Runs a block or a template as a part of the rendering that is under way. */
export function invoke(
  code: Code,
  context: Context,
  outer: Activation | undefined,
  of: { readonly note: string },
): void {
  const { rendering } = context
  const before = rendering.stack
  rendering.enter(code.height, of.note, rendering.site)
  code.run(new Activation(code.size, context, outer))
  rendering.leave(code.height, before)
}

export function loadOne(name: Value, rendering: Rendering): Loaded {
  if (name instanceof Undefined) throw undefinedError(name)
  if (name instanceof Markup) return rendering.load(name.text)
  if (typeof name !== 'string') throw new JinjaError('TemplateNotFound', repr(keyOf(name), rendering))
  return rendering.load(name)
}

/** The first of several templates that is there. Without one: undefined if that is to be ignored. */
export function loadAny(name: Value, rendering: Rendering, ignoreMissing: boolean): Loaded | undefined {
  if (name instanceof Undefined) throw undefinedError(name)
  try {
    if (typeof name === 'string' || name instanceof Markup) return loadOne(name, rendering)
    const tried: string[] = []
    for (const item of isTrue(name) ? iterate(name) : []) {
      rendering.spend(10)
      // One that is undefined is passed over, like one that is not there.
      if (item instanceof Undefined) {
        tried.push(undefinedMessage(item))
        continue
      }
      try {
        return loadOne(item, rendering)
      } catch (error) {
        if (!isNotFound(error)) throw error
        tried.push(typeof item === 'string' ? item : repr(item, rendering))
      }
    }
    // Jinja2 asks for the last of the names to tell it.
    if (name instanceof Dict && name.size > 0 && !name.has(-1)) throw new JinjaError('KeyError', '-1')
    throw new JinjaError(
      'TemplateNotFound',
      tried.length === 0
        ? 'Tried to select from an empty list of templates.'
        : `none of the templates given were found: ${tried.join(', ')}`,
    )
  } catch (error) {
    if (ignoreMissing && isNotFound(error)) return undefined
    throw error
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof JinjaError && error.kind === 'TemplateNotFound'
}

function newContext(template: Loaded, lookup: Lookup, rendering: Rendering): Context {
  const blocks = new Map<string, readonly Code[]>()
  rendering.spend(template.blocks.size)
  for (const [name, code] of template.blocks) blocks.set(name, [code])
  return new Context(rendering, lookup, { templateName: template.file, blocks })
}

/** Renders a template into the output that is under way, with variables of its own. */
export function renderInto(template: Loaded, lookup: Lookup, rendering: Rendering, note: string): Context {
  const context = newContext(template, lookup, rendering)
  const { autoescape, context: before } = rendering
  rendering.spend(10)
  rendering.autoescape = false
  rendering.context = context
  invoke(template.root, context, undefined, { note })
  rendering.autoescape = autoescape
  rendering.context = before
  return context
}

export function extendedBy(context: Context): Loaded | undefined {
  return context.extended
}

export function makeModule(template: Loaded, lookup: Lookup, rendering: Rendering): Module {
  const holder: { context: Context | undefined; misfit: Misfit | undefined } = { context: undefined, misfit: undefined }
  const text = rendering.capture(() => {
    holder.context = renderInto(template, lookup, rendering, `import of ${template.file}`)
    holder.misfit = rendering.misfit
    rendering.misfit = undefined
  })
  const exported = new Map<string, Value>()
  for (const name of holder.context?.exported ?? []) {
    const value = holder.context?.variables.get(name)
    if (value !== undefined) exported.set(name, value)
  }
  const thing = new Thing('jinja2.environment.TemplateModule', {
    get: (name) => exported.get(name),
    text: () => {
      if (holder.misfit !== undefined) throw holder.misfit.error
      return text
    },
    escaped: true,
    shown: `<TemplateModule ${quote(template.file)}>`,
  })
  return { file: template.file, thing, exported }
}

export function derived(context: Context, locals: Locals): Context {
  context.rendering.spend(context.blocks.size)
  const result = new Context(context.rendering, context.seen(locals), {
    templateName: context.templateName,
    blocks: context.blocks,
  })
  result.autoescape = context.autoescape
  return result
}

/** `self`: the blocks of the template. */
export function selfOf(context: Context): Value {
  return new Thing('jinja2.runtime.TemplateReference', {
    get: (name) => (context.blocks.has(name) ? blockReference(context, name, 0) : undefined),
    text: () => `<TemplateReference ${quote(context.templateName)}>`,
  })
}

export function superOf(context: Context, name: string, current: Code): Value {
  const versions = context.blocks.get(name) ?? []
  const index = versions.indexOf(current)
  return index === -1 || index + 1 >= versions.length ? noParent(name) : blockReference(context, name, index + 1)
}

function noParent(name: string): Undefined {
  return new Undefined({ hint: `there is no parent block called ${quote(name)}.`, name: 'super' })
}

function blockReference(context: Context, name: string, depth: number): Value {
  const { rendering } = context
  return new Thing('jinja2.runtime.BlockReference', {
    get: (attribute) => {
      if (attribute === 'name') return name
      if (attribute !== 'super') return undefined
      const count = context.blocks.get(name)?.length ?? 0
      return depth + 1 >= count ? noParent(name) : blockReference(context, name, depth + 1)
    },
    call: (args, kwargs) => {
      if (args.length + kwargs.size > 0) {
        throw new JinjaError(
          'TypeError',
          `BlockReference.__call__() takes 1 positional argument but ${args.length + kwargs.size + 1} were given`,
        )
      }
      const code = context.blocks.get(name)?.[depth]
      if (code === undefined) throw noParentError(name)
      const text = rendering.capture(() => invoke(code, context, undefined, { note: `block ${name}` }))
      return context.autoescape ? new Markup(text) : text
    },
  })
}

function noParentError(name: string): JinjaError {
  return undefinedError(noParent(name))
}
