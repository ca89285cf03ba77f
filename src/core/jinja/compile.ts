/**
 * A template as closures: one pass over the tree, then it is rendered as often as wanted. What each statement does, which
 * variables it sees and what is exported follow Jinja2's compiler (jinja2/compiler.py of 3.1.6) step by step.
 */
import { failAt } from './errors.ts'
import { Expressions, TemplateFunction, above, hopsTo, tracerOf } from './expressions.ts'
import type { Evaluate, Setting } from './expressions.ts'
import { Loop, pullFrom, unpack } from './loops.ts'
import type { Pull } from './loops.ts'
import { callMacro } from './macros.ts'
import type { MacroSetting } from './macros.ts'
import { asMarkup, escapeValue } from './markup.ts'
import {
  TemplateData,
  asTarget,
  assignedNames,
  assignsLoop,
  bodies,
  branches,
  containsExtends,
  hasScopedBlock,
  isConstant,
  namespaceNames,
  otherwise,
  targetNames,
} from './nodes.ts'
import type {
  Autoescape,
  Block,
  CallBlock,
  Expression,
  Extends,
  FilterBlock,
  For,
  FromImport,
  If,
  Import,
  Include,
  MacroNode,
  Output,
  SetBlock,
  SetNode,
  Signature,
  Statement,
  Target,
  With,
} from './nodes.ts'
import { isTrue } from './objects.ts'
import { align, writeText } from './output.ts'
import { Activation, unknown } from './rendering.ts'
import type { Code, Loaded, Lookup, Module, Site } from './rendering.ts'
import {
  Routine,
  Symbols,
  analyse,
  analyseExpression,
  analyseTarget,
  innerFrame,
  softFrame,
  undeclared,
} from './scope.ts'
import type { Frame, Load, Ref } from './scope.ts'
import { markOfItem, placed, referencesOf } from './spans.ts'
import type { Mark } from './spans.ts'
import { derived, extendedBy, invoke, loadAny, loadOne, makeModule, renderInto, selfOf, superOf } from './templates.ts'
import type { Locals } from './templates.ts'
import { quote, toText } from './text.ts'
import { Aligned, Dict, DictView, JinjaError, Markup, Namespace, Tuple, Undefined } from './values.ts'
import type { Callable, Kwargs, Value } from './values.ts'

type Execute = (activation: Activation) => void
type Assign = (activation: Activation, value: Value, mark: Mark | undefined) => void

export type CompileSetting = Setting & {
  /** Whether the rendering goes on after an undefined reference, to find the others. */
  readonly collecting: boolean
  /** The globals that a template sees which is included without context. */
  readonly globals: Lookup
}

/** Compiles the tree of a template. Throws a fault for what Jinja2 refuses when it compiles. */
export function compileTemplate(tree: readonly Statement[], setting: CompileSetting): Loaded {
  return new Compiler(setting).template(tree)
}

class Compiler {
  readonly #setting: CompileSetting
  readonly #expressions: Expressions
  readonly #blocks = new Map<string, Block>()
  #extendsSoFar = 0
  /** Variables listed so far for statements that hand them on. */
  #listed = 0
  #hasKnownExtends = false

  constructor(setting: CompileSetting) {
    this.#setting = setting
    this.#expressions = new Expressions(setting)
  }

  // Templates and blocks.

  template(tree: readonly Statement[]): Loaded {
    this.#collectBlocks(tree)
    const extending = containsExtends(tree)
    const frame = this.#rootFrame({ toplevel: true, checksOutput: extending })
    const needsSelf = undeclared(tree, ['self']).has('self') ? frame.symbols.parameter('self') : undefined
    analyse(tree, frame.symbols)
    const root = this.#code('root', frame.routine, () => {
      const enter = this.#enter(frame)
      const body = this.#body(tree, frame)
      return (activation) => {
        const { context } = activation
        if (needsSelf !== undefined) activation.slots[needsSelf.slot] = selfOf(context)
        enter(activation)
        if (!extending) return body(activation)
        context.extended = undefined
        body(activation)
        const parent = extendedBy(context)
        if (parent !== undefined) invoke(parent.root, context, undefined, { note: `extends ${parent.file}` })
      }
    })
    const blocks = new Map<string, Code>()
    for (const [name, block] of this.#blocks) blocks.set(name, this.#blockCode(block))
    return { file: this.#setting.file, root, blocks }
  }

  #collectBlocks(statements: readonly Statement[]): void {
    for (const statement of statements) {
      if (statement.kind === 'block') {
        if (this.#blocks.has(statement.name)) {
          failAt('TemplateAssertionError', `block ${quote(statement.name)} defined twice`, statement)
        }
        this.#blocks.set(statement.name, statement)
      }
      for (const body of bodies(statement)) this.#collectBlocks(body)
    }
  }

  #rootFrame(of: { readonly toplevel: boolean; readonly checksOutput: boolean }): Frame {
    const routine = new Routine(undefined)
    const symbols = new Symbols(undefined, routine)
    const { toplevel, checksOutput } = of
    return {
      symbols,
      routine,
      toplevel,
      rootlevel: toplevel,
      soft: false,
      checksOutput,
      escape: false,
      escapesConstants: false,
      captured: false,
    }
  }

  #blockCode(block: Block): Code {
    const frame = this.#rootFrame({ toplevel: false, checksOutput: false })
    const used = undeclared(block.body, ['self', 'super'])
    const self = used.has('self') ? frame.symbols.parameter('self') : undefined
    const parent = used.has('super') ? frame.symbols.parameter('super') : undefined
    analyse(block.body, frame.symbols)
    const code: Code = this.#code(block.name, frame.routine, () => {
      const enter = this.#enter(frame)
      const body = this.#body(block.body, frame)
      return (activation) => {
        const { context } = activation
        if (self !== undefined) activation.slots[self.slot] = selfOf(context)
        if (parent !== undefined) activation.slots[parent.slot] = superOf(context, block.name, code)
        enter(activation)
        body(activation)
      }
    })
    return code
  }

  /** What a routine does, with the size of its activations and how much of the stack it takes. */
  #code(name: string, routine: Routine, build: () => Execute): Code {
    const expressions = this.#expressions
    const { level, deepest } = expressions
    expressions.level = 0
    expressions.deepest = 0
    const run = build()
    const height = expressions.deepest + 2
    expressions.level = level
    expressions.deepest = deepest
    return { name, size: routine.size, height, run }
  }

  /** Sets up the names of a frame. */
  #enter(frame: Frame): Execute {
    const loads = [...frame.symbols.loads].filter(([, load]) => load.how !== 'parameter')
    const steps = loads.map(([ref, load]) => this.#load(ref, load, frame))
    const [only, second] = steps
    if (only === undefined) return nothing
    if (second === undefined) return only
    const cost = steps.length >> 1
    return (activation) => {
      activation.rendering.spend(cost)
      for (const load of steps) load(activation)
    }
  }

  #load(ref: Ref, load: Load, frame: Frame): Execute {
    const { slot } = ref
    const { traced } = this.#setting
    if (load.how === 'resolve') {
      const { name } = load
      if (!traced) {
        return (activation) => {
          activation.slots[slot] = activation.context.resolve(name)
        }
      }
      return (activation) => {
        activation.slots[slot] = activation.context.resolve(name)
        activation.marks[slot] = activation.context.mark(name)
      }
    }
    if (load.how === 'alias') {
      const from = load.of
      const hops = hopsTo(from, frame)
      return (activation) => {
        const source = above(activation, hops)
        activation.slots[slot] = source.slots[from.slot]
        if (traced) activation.marks[slot] = source.marks[from.slot]
      }
    }
    return (activation) => {
      activation.slots[slot] = undefined
      if (traced) activation.marks[slot] = undefined
    }
  }

  /** Forgets the names of a frame, so that a macro that was made in it does not see them afterwards. */
  #leave(frame: Frame): Execute {
    const slots = [...frame.symbols.loads.keys()].map((ref) => ref.slot)
    if (slots.length === 0) return nothing
    return (activation) => {
      for (const slot of slots) activation.slots[slot] = undefined
    }
  }

  // Bodies.

  #body(statements: readonly Statement[], frame: Frame): Execute {
    const expressions = this.#expressions
    const { nodes } = expressions
    expressions.nodes = 0
    expressions.sink()
    const all: Execute[] = []
    for (const statement of statements) {
      const executed = this.#statement(statement, frame)
      if (executed !== undefined) all.push(...executed)
      // Jinja2 compiles nothing after a second `extends` that is certain to be reached: it is an error.
      if (statement.kind === 'extends' && this.#extendsSoFar > 1 && this.#hasKnownExtends) break
    }
    expressions.rise()
    const cost = expressions.nodes + all.length + 1
    expressions.nodes = nodes
    const [first, second, third] = all
    if (first === undefined) return (activation) => activation.rendering.spend(cost)
    if (second === undefined) {
      return (activation) => {
        activation.rendering.spend(cost)
        first(activation)
      }
    }
    if (third === undefined) {
      return (activation) => {
        activation.rendering.spend(cost)
        first(activation)
        second(activation)
      }
    }
    return (activation) => {
      activation.rendering.spend(cost)
      for (let index = 0; index < all.length; index += 1) all[index]?.(activation)
    }
  }

  #statement(statement: Statement, frame: Frame): Execute[] | undefined {
    if (statement.kind === 'output') return this.#output(statement, frame)
    const execute = this.#compound(statement, frame)
    if (execute === undefined) return undefined
    return [this.#guarded(execute, this.#onFailure(statement, frame))]
  }

  #compound(statement: Exclude<Statement, Output>, frame: Frame): Execute | undefined {
    switch (statement.kind) {
      case 'if':
        return this.#if(statement, frame)
      case 'for':
        return this.#for(statement, frame)
      case 'macro':
        return this.#macroStatement(statement, frame)
      case 'callblock':
        return this.#callBlock(statement, frame)
      case 'filterblock':
        return this.#filterBlock(statement, frame)
      case 'set':
        return this.#set(statement, frame)
      case 'setblock':
        return this.#setBlock(statement, frame)
      case 'with':
        return this.#with(statement, frame)
      case 'autoescape':
        return this.#autoescape(statement, frame)
      case 'block':
        return this.#block(statement, frame)
      case 'extends':
        return this.#extends(statement, frame)
      case 'include':
        return this.#include(statement, frame)
      case 'import':
        return this.#import(statement, frame)
      case 'from':
        return this.#from(statement, frame)
    }
  }

  /** Where all undefined references are looked for: notes one and goes on after the statement. */
  #guarded(execute: Execute, onFailure: Execute = nothing): Execute {
    if (!this.#setting.collecting) return execute
    return (activation) => {
      const { rendering } = activation
      const { text, calls, levels, stack, autoescape, collector } = rendering
      try {
        execute(activation)
      } catch (error) {
        if (collector === undefined) throw error
        collector.take(error, rendering, activation.context)
        rendering.text = text
        rendering.calls = calls
        rendering.levels = levels
        rendering.stack = stack
        rendering.autoescape = autoescape
        onFailure(activation)
      }
    }
  }

  /** Variables that a failed statement would have assigned are unknown, so that using them is not reported, too. */
  #onFailure(statement: Statement, frame: Frame): Execute {
    if (!this.#setting.collecting) return nothing
    const targets = assignedNames(statement).map((name) => frame.symbols.ref(name))
    if (targets.length === 0) return nothing
    const { toplevel } = frame
    return (activation) => {
      for (const ref of targets) {
        activation.slots[ref.slot] = unknown
        if (toplevel) activation.context.variables.set(ref.name, unknown)
      }
    }
  }

  // Output.

  #output(node: Output, frame: Frame): Execute[] {
    if (frame.checksOutput && this.#hasKnownExtends) return []
    const result = node.children.map((child): Execute => {
      const write = this.#guarded(child instanceof TemplateData ? this.#text(child, frame) : this.#print(child, frame))
      if (!frame.checksOutput) return write
      return (activation) => {
        if (activation.context.extended === undefined) write(activation)
      }
    })
    return result
  }

  #text(node: TemplateData, frame: Frame): Execute {
    const { value } = node
    if (!this.#setting.traced) return (activation) => activation.rendering.write(value)
    const site = this.#expressions.site(node)
    void frame
    return (activation) => {
      const { rendering } = activation
      tracerOf(rendering).note(rendering.text.length, site, rendering.stack, true)
      rendering.write(value)
    }
  }

  #print(node: Expression, frame: Frame): Execute {
    const evaluate = this.#expressions.compile(node, frame)
    const site = this.#expressions.start(node)
    const escape = frame.escape === 'volatile' && isConstant(node) ? frame.escapesConstants : frame.escape
    const write = (value: Value, activation: Activation): void => {
      const { rendering } = activation
      const escaping = escape === 'volatile' ? activation.context.autoescape : escape
      rendering.site = site
      if (value instanceof Aligned) return align(value, rendering)
      rendering.write(escaping ? escapeValue(value, rendering).text : toText(value, rendering))
    }
    if (this.#setting.traced) {
      return (activation) => {
        const { rendering } = activation
        const tracer = tracerOf(rendering)
        tracer.begin()
        const value = evaluate(activation)
        const start = rendering.text.length
        const captured = placed(tracer.captured, value instanceof Markup ? value.text : value)
        if (captured !== undefined) tracer.splice(captured, start)
        else tracer.note(start, site, rendering.stack, false)
        write(value, activation)
      }
    }
    if (escape !== false) return (activation) => write(evaluate(activation), activation)
    return (activation) => {
      const value = evaluate(activation)
      if (typeof value === 'string') activation.rendering.write(value)
      else write(value, activation)
    }
  }

  // Conditions.

  #if(node: If, outer: Frame): Execute {
    const frame = softFrame(outer)
    const all = branches(node)
    const compiled = all.map((branch) => ({
      condition: this.#setting.traced
        ? this.#expressions.observed(branch.cond, frame)
        : this.#expressions.compile(branch.cond, frame),
      body: this.#body(branch.body, frame),
      site: this.#expressions.start(branch.cond),
    }))
    const last = otherwise(all)
    const rest = last.length === 0 ? nothing : this.#body(last, frame)
    if (this.#setting.traced) return this.#tracedIf(compiled, rest)
    const [only, second] = compiled
    if (only !== undefined && second === undefined) {
      const { condition, body, site } = only
      return (activation) => {
        const value = condition(activation)
        activation.rendering.site = site
        if (isTrue(value)) body(activation)
        else rest(activation)
      }
    }
    return (activation) => {
      for (const { condition, body, site } of compiled) {
        const value = condition(activation)
        activation.rendering.site = site
        if (isTrue(value)) return body(activation)
      }
      rest(activation)
    }
  }

  #tracedIf(
    compiled: readonly { readonly condition: Evaluate; readonly body: Execute; readonly site: Site }[],
    rest: Execute,
  ): Execute {
    return (activation) => {
      const { rendering } = activation
      const tracer = tracerOf(rendering)
      const outer = tracer.guard
      for (const { condition, body, site } of compiled) {
        const value = condition(activation)
        tracer.guard = { site, references: referencesOf(tracer.mark), outer: tracer.guard }
        rendering.site = site
        if (!isTrue(value)) continue
        body(activation)
        tracer.guard = outer
        return
      }
      rest(activation)
      tracer.guard = outer
    }
  }

  // Assignments.

  #target(target: Target, frame: Frame): Assign {
    if (target.kind === 'name') {
      const ref = frame.symbols.ref(target.value)
      const { slot } = ref
      if (!this.#setting.traced) {
        return (activation, value) => {
          activation.slots[slot] = value
        }
      }
      return (activation, value, mark) => {
        activation.slots[slot] = value
        activation.marks[slot] = mark
      }
    }
    if (target.kind === 'namespace') {
      const read = this.#variable(target.target, frame)
      const { val } = target
      const { traced } = this.#setting
      return (activation, value, mark) => {
        const space = read(activation)
        if (!(space instanceof Namespace)) throw notNamespace()
        space.attributes.set(val, value)
        if (traced) tracerOf(activation.rendering).setAttribute(space, val, mark)
      }
    }
    const targets = target.children.map((child) => this.#target(asTarget(child), frame))
    return (activation, value, mark) => {
      const values = unpack(value, targets.length, activation.rendering)
      const marks = mark?.pair
      for (const [index, assign] of targets.entries()) {
        const item = values[index]
        if (item !== undefined) assign(activation, item, marks?.[index] ?? mark)
      }
    }
  }

  #variable(name: string, frame: Frame): (activation: Activation) => Value | undefined {
    const ref = frame.symbols.ref(name)
    const hops = hopsTo(ref, frame)
    return (activation) => above(activation, hops).slots[ref.slot]
  }

  /** What is set at the top of a template is a part of its context, and exported unless its name begins with `_`. */
  #export(names: readonly string[], frame: Frame): Execute {
    if (!frame.toplevel || names.length === 0) return nothing
    const refs = names.map((name) => frame.symbols.ref(name))
    const { traced } = this.#setting
    return (activation) => {
      const { context } = activation
      for (const ref of refs) {
        const value = activation.slots[ref.slot]
        if (value === undefined) continue
        context.variables.set(ref.name, value)
        if (!ref.name.startsWith('_')) context.exported.add(ref.name)
        const mark = traced ? activation.marks[ref.slot] : undefined
        if (mark !== undefined) context.marks.set(ref.name, mark)
      }
    }
  }

  #set(node: SetNode, frame: Frame): Execute {
    const { traced } = this.#setting
    const evaluate = traced
      ? this.#expressions.observed(node.value, frame)
      : this.#expressions.compile(node.value, frame)
    const spaces = namespaceNames(node.targets).map((name) => this.#variable(name, frame))
    const assign = this.#target(node.targets, frame)
    const exported = this.#export(targetNames(node.targets), frame)
    const site = this.#expressions.site(node)
    return (activation) => {
      const { rendering } = activation
      rendering.site = site
      for (const space of spaces) if (!(space(activation) instanceof Namespace)) throw notNamespace()
      const value = evaluate(activation)
      rendering.site = site
      assign(activation, value, traced ? tracerOf(rendering).mark : undefined)
      exported(activation)
    }
  }

  #setBlock(node: SetBlock, frame: Frame): Execute {
    const inner = { ...innerFrame(frame), checksOutput: false, captured: true }
    analyse(node.body, inner.symbols)
    if (node.filter !== null) analyseExpression(node.filter, inner.symbols)
    const enter = this.#enter(inner)
    const body = this.#body(node.body, inner)
    const leave = this.#leave(inner)
    const filter = node.filter === null ? undefined : this.#filterOf(node.filter, inner)
    const assign = this.#target(node.targets, frame)
    const exported = this.#export(targetNames(node.targets), frame)
    const site = this.#expressions.site(node)
    const { traced } = this.#setting
    return (activation) => {
      const { rendering } = activation
      enter(activation)
      const text = rendering.capture(() => body(activation))
      const captured = traced ? tracerOf(rendering).takeCaptured() : undefined
      rendering.filtered = text
      const value = filter === undefined ? text : filter(activation)
      rendering.site = site
      assign(activation, activation.context.autoescape ? asMarkup(value, rendering) : value, captured)
      exported(activation)
      leave(activation)
    }
  }

  #filterOf(node: Expression, frame: Frame): Evaluate {
    return this.#expressions.compile(node, frame)
  }

  #with(node: With, frame: Frame): Execute {
    const inner = innerFrame(frame)
    for (const target of node.targets) analyseTarget(target, inner.symbols, { parameters: true })
    analyse(node.body, inner.symbols)
    const enter = this.#enter(inner)
    const { traced } = this.#setting
    const assignments = node.targets.map((target, index) => {
      const value = node.values[index]
      if (value === undefined) throw new Error('with needs a value for each name')
      return {
        assign: this.#target(target, inner),
        evaluate: traced ? this.#expressions.observed(value, frame) : this.#expressions.compile(value, frame),
      }
    })
    const body = this.#body(node.body, inner)
    const leave = this.#leave(inner)
    return (activation) => {
      enter(activation)
      for (const { assign, evaluate } of assignments) {
        const value = evaluate(activation)
        assign(activation, value, traced ? tracerOf(activation.rendering).mark : undefined)
      }
      body(activation)
      leave(activation)
    }
  }

  #filterBlock(node: FilterBlock, frame: Frame): Execute {
    const inner = { ...innerFrame(frame), captured: true }
    analyse(node.body, inner.symbols)
    analyseExpression(node.filter, inner.symbols)
    const enter = this.#enter(inner)
    const body = this.#body(node.body, inner)
    const filter = this.#filterOf(node.filter, inner)
    const leave = this.#leave(inner)
    const site = this.#expressions.site(node)
    const { traced } = this.#setting
    return (activation) => {
      const { rendering } = activation
      enter(activation)
      rendering.filtered = rendering.capture(() => body(activation))
      const captured = traced ? tracerOf(rendering).captured : undefined
      const value = filter(activation)
      rendering.site = site
      if (traced) tracerOf(rendering).noteFiltered(rendering, site, captured, value)
      writeText(value, rendering)
      leave(activation)
    }
  }

  #autoescape(node: Autoescape, outer: Frame): Execute {
    const known = node.on.kind === 'literal' ? isTrue(node.on.value) : undefined
    const frame: Frame = {
      ...innerFrame(outer),
      escape: known ?? 'volatile',
      escapesConstants: known ?? outer.escapesConstants,
    }
    analyseExpression(node.on, frame.symbols)
    analyse(node.body, frame.symbols)
    const enter = this.#enter(frame)
    const on = this.#expressions.compile(node.on, frame)
    const body = this.#body(node.body, frame)
    const leave = this.#leave(frame)
    return (activation) => {
      const { context, rendering } = activation
      const before = context.autoescape
      enter(activation)
      context.autoescape = isTrue(on(activation))
      rendering.autoescape = context.autoescape
      body(activation)
      leave(activation)
      context.autoescape = before
      rendering.autoescape = before
    }
  }

  // Loops.

  #for(node: For, frame: Frame): Execute {
    if (assignsLoop(node)) {
      failAt('TemplateAssertionError', "Can't assign to special loop variable in for-loop target", node)
    }
    const routine = node.recursive ? new Routine(frame.routine) : frame.routine
    const captured = frame.captured || node.recursive
    const inner = { ...innerFrame(frame, routine), captured }
    const special =
      node.recursive || undeclared(node.body, ['loop']).has('loop') || hasScopedBlock(node)
        ? inner.symbols.parameter('loop')
        : undefined
    analyseTarget(node.name, inner.symbols, { parameters: true })
    analyse(node.body, inner.symbols)
    const other = { ...innerFrame(frame, routine), captured }
    analyse(node.else_, other.symbols)
    const test = this.#loopTest(node, frame)
    const { traced } = this.#setting
    const iterated = traced ? this.#expressions.observed(node.arr, frame) : this.#expressions.compile(node.arr, frame)
    const site = this.#expressions.site(node.arr)
    if (!node.recursive) {
      const walk = this.#walk(node, { inner, other, special, test })
      return (activation) => {
        const value = iterated(activation)
        activation.rendering.site = site
        walk(activation, value, 0, undefined, activation)
      }
    }
    const holder: { walk: Walk } = { walk: nothing }
    const code = this.#code('loop', routine, () => {
      holder.walk = this.#walk(node, { inner, other, special, test })
      return nothing
    })
    const render = (outer: Activation, value: Value, depth: number): string => {
      const { rendering } = outer
      const before = rendering.stack
      rendering.enter(code.height, 'recursive loop', rendering.site)
      const activation = new Activation(routine.size, outer.context, outer)
      const recurse = (items: Value, deeper: number): Value => {
        const text = render(outer, items, deeper)
        return frame.escape === true || (frame.escape === 'volatile' && outer.context.autoescape)
          ? new Markup(text)
          : text
      }
      const text = rendering.capture(() => holder.walk(activation, value, depth, recurse, outer))
      rendering.leave(code.height, before)
      return text
    }
    return (activation) => {
      const { rendering } = activation
      const value = iterated(activation)
      rendering.site = site
      const text = render(activation, value, 0)
      if (traced) tracerOf(rendering).spliceLast(rendering.text.length)
      rendering.write(text)
    }
  }

  /** The condition of a loop is a routine of its own: it sees the loop's names, but not what the body sets. */
  #loopTest(node: For, frame: Frame): LoopTest | undefined {
    const { condition } = node
    if (condition === null) return undefined
    const routine = new Routine(frame.routine)
    const inner = innerFrame(frame, routine)
    analyseTarget(node.name, inner.symbols, { parameters: true })
    analyseExpression(condition, inner.symbols)
    const enter = this.#enter(inner)
    const assign = this.#target(node.name, inner)
    const evaluate = this.#expressions.compile(condition, inner)
    const count = node.name.kind === 'tuple' ? node.name.children.length : undefined
    return (outer, pull, marks) => {
      const activation = new Activation(routine.size, outer.context, outer)
      const { rendering } = outer
      enter(activation)
      let index = 0
      return () => {
        for (let item = pull(); item !== undefined; item = pull()) {
          rendering.spend(1)
          const value = count === undefined ? item : new Tuple(unpack(item, count, rendering))
          const mark = marks?.of(item, index)
          index += 1
          assign(activation, value, mark)
          if (!isTrue(evaluate(activation))) continue
          marks?.kept.push(mark)
          return value
        }
        return undefined
      }
    }
  }

  #walk(node: For, of: LoopParts): Walk {
    const { inner, other, special, test } = of
    const enter = this.#enter(inner)
    const assign = this.#target(node.name, inner)
    const body = this.#body(node.body, inner)
    const leave = this.#leave(inner)
    const enterOther = this.#enter(other)
    const rest = node.else_.length === 0 ? nothing : this.#body(node.else_, other)
    const leaveOther = this.#leave(other)
    const { traced } = this.#setting
    const pairs = node.name.kind === 'tuple' && node.name.children.length === 2 && isComponentOutputs(node.arr)
    const site = this.#expressions.site(node)
    return (activation, given, depth, recurse, outer) => {
      const { rendering } = activation
      // Proton accepted `for name, value in ….outputs`, which Python does not.
      const value = pairs && given instanceof Dict ? new DictView('items', given) : given
      const tracer = traced ? tracerOf(rendering) : undefined
      const mark = tracer?.mark
      const guard = tracer?.guard
      if (tracer !== undefined) tracer.guard = { site, references: referencesOf(mark), outer: guard }
      let index = 0
      if (special === undefined && test === undefined && !traced && Array.isArray(value)) {
        for (; index < value.length; index += 1) {
          const item = value[index]
          if (item === undefined) break
          assign(activation, item, undefined)
          enter(activation)
          body(activation)
        }
      } else {
        const marks: LoopMarks | undefined = traced
          ? { of: (item, at) => markOfItem(mark, { value, item, index: at }), kept: [] }
          : undefined
        const pull = test === undefined ? pullFrom(value) : test(outer, pullFrom(value), marks)
        const sized = test === undefined ? value : undefined
        const loop = special === undefined ? undefined : new Loop(rendering, { pull, sized, depth, recurse })
        for (;;) {
          const item = loop === undefined ? pull() : loop.next()
          if (item === undefined) break
          assign(activation, item, test === undefined ? marks?.of(item, index) : marks?.kept.shift())
          if (special !== undefined && loop !== undefined) activation.slots[special.slot] = loop.thing
          enter(activation)
          body(activation)
          index += 1
        }
      }
      leave(activation)
      if (index === 0 && rest !== nothing) {
        enterOther(activation)
        rest(activation)
        leaveOther(activation)
      }
      if (tracer !== undefined) tracer.guard = guard
    }
  }

  // Macros.

  #macro(of: MacroNode | CallBlock, outer: Frame): (activation: Activation) => Callable {
    const routine = new Routine(outer.routine)
    const frame: Frame = { ...innerFrame(outer, routine), checksOutput: false, captured: true }
    const { names, defaults } = of.args
    const name = of.kind === 'macro' ? of.name : undefined
    analyseMacro(of, frame.symbols)
    const used = undeclared(of.body, ['caller', 'kwargs', 'varargs'])
    const explicitCaller = names.indexOf('caller')
    const usesCaller = used.has('caller')
    if (usesCaller && explicitCaller !== -1 && explicitCaller < names.length - defaults.length) {
      failAt(
        'TemplateAssertionError',
        'When defining macros or call blocks the special "caller" argument must be omitted or be given a default.',
        of,
      )
    }
    const slots = names.map((parameter) => frame.symbols.ref(parameter).slot)
    const callerSlot = usesCaller && explicitCaller === -1 ? frame.symbols.parameter('caller').slot : undefined
    const kwargsSlot =
      used.has('kwargs') && !names.includes('kwargs') ? frame.symbols.parameter('kwargs').slot : undefined
    const varargsSlot =
      used.has('varargs') && !names.includes('varargs') ? frame.symbols.parameter('varargs').slot : undefined
    analyseMacro(of, frame.symbols)
    const code = this.#code(name ?? 'caller', routine, () => {
      const enter = this.#enter(frame)
      const fill = names.map((parameter, index) =>
        this.#default(parameter, slots[index] ?? 0, { of: of.args, index, frame }),
      )
      const body = this.#body(of.body, frame)
      return (activation) => {
        enter(activation)
        for (const set of fill) set(activation)
        body(activation)
      }
    })
    const shownName = name === undefined ? 'None' : quote(name)
    const takesCaller = usesCaller
    const attributes = new Map<string, Value>([
      ['name', name ?? null],
      ['arguments', new Tuple([...names])],
      ['catch_kwargs', kwargsSlot !== undefined],
      ['catch_varargs', varargsSlot !== undefined],
      ['caller', takesCaller],
      ['explicit_caller', explicitCaller !== -1],
    ])
    const note = name === undefined ? 'the body of a call block' : `macro ${name}`
    const macroSetting: MacroSetting = {
      names,
      slots,
      code,
      shownName,
      takesCaller,
      explicitCaller: explicitCaller !== -1,
      callerSlot,
      kwargsSlot,
      varargsSlot,
      note,
    }
    return (outerActivation) => {
      const call = (args: readonly Value[], kwargs: Kwargs): Value =>
        callMacro(macroSetting, outerActivation, args, kwargs)
      const text = name === undefined ? '<Macro anonymous>' : `<Macro ${shownName}>`
      return new TemplateFunction(name ?? 'caller', call, { type: 'Macro', text, attributes })
    }
  }

  #default(
    name: string,
    slot: number,
    of: { readonly of: Signature; readonly index: number; readonly frame: Frame },
  ): Execute {
    const node = of.of.defaults[of.index - (of.of.names.length - of.of.defaults.length)]
    const { traced } = this.#setting
    if (node === undefined) {
      const hint = `parameter ${quote(name)} was not provided`
      return (activation) => {
        if (activation.slots[slot] === undefined) activation.slots[slot] = new Undefined({ hint, name })
      }
    }
    const evaluate = traced ? this.#expressions.observed(node, of.frame) : this.#expressions.compile(node, of.frame)
    return (activation) => {
      if (activation.slots[slot] !== undefined) return
      activation.slots[slot] = evaluate(activation)
      if (traced) activation.marks[slot] = tracerOf(activation.rendering).mark
    }
  }

  #macroStatement(node: MacroNode, frame: Frame): Execute {
    const make = this.#macro(node, frame)
    const { slot } = frame.symbols.ref(node.name)
    const { name } = node
    const { toplevel } = frame
    return (activation) => {
      const macro = make(activation)
      activation.slots[slot] = macro
      if (!toplevel) return
      activation.context.variables.set(name, macro)
      if (!name.startsWith('_')) activation.context.exported.add(name)
    }
  }

  #callBlock(node: CallBlock, frame: Frame): Execute {
    const make = this.#macro(node, frame)
    if (node.call.args.keyword.some(([name]) => name === 'caller')) {
      failAt('TemplateSyntaxError', 'keyword argument repeated: caller', node)
    }
    const evaluate = this.#expressions.call(node.call, frame, make)
    const site = this.#expressions.start(node.call)
    const { traced } = this.#setting
    return (activation) => {
      const { rendering } = activation
      if (traced) tracerOf(rendering).begin()
      const value = evaluate(activation)
      rendering.site = site
      if (traced) tracerOf(rendering).noteFiltered(rendering, site, undefined, value)
      writeText(value, rendering)
    }
  }

  // Inheritance, includes, imports.

  #block(node: Block, frame: Frame): Execute | undefined {
    if (frame.toplevel && this.#hasKnownExtends) return undefined
    const checks = frame.toplevel && this.#extendsSoFar > 0
    const { name, scoped, required } = node
    const locals = scoped ? this.#locals(frame) : undefined
    const site = this.#expressions.site(node)
    return (activation) => {
      const { context, rendering } = activation
      if (checks && context.extended !== undefined) return
      const used = locals === undefined ? context : derived(context, locals(activation))
      const versions = context.blocks.get(name) ?? []
      rendering.site = site
      if (required && versions.length <= 1) {
        throw new JinjaError('TemplateRuntimeError', `Required block ${quote(name)} not found`)
      }
      const code = versions[0]
      if (code !== undefined) invoke(code, used, undefined, { note: `block ${name}` })
    }
  }

  #extends(node: Extends, frame: Frame): Execute {
    if (!frame.toplevel) failAt('TemplateAssertionError', 'cannot use extend from a non top-level scope', node)
    const known = this.#hasKnownExtends
    const evaluate = this.#expressions.compile(node.template, frame)
    const checks = this.#extendsSoFar > 0
    if (frame.rootlevel) this.#hasKnownExtends = true
    this.#extendsSoFar += 1
    const site = this.#expressions.site(node.template)
    return (activation) => {
      const { context, rendering } = activation
      rendering.site = site
      if (checks && (known || context.extended !== undefined)) {
        throw new JinjaError('TemplateRuntimeError', 'extended multiple times')
      }
      const value = evaluate(activation)
      rendering.site = site
      const parent = loadOne(value, rendering)
      rendering.spend(10)
      context.extended = parent
      for (const [name, code] of parent.blocks) {
        const versions = context.blocks.get(name)
        if (versions === undefined) context.blocks.set(name, [code])
        else versions.push(code)
      }
    }
  }

  /** The variables around, for a template that is included or a block that is scoped. */
  #locals(frame: Frame): (activation: Activation) => Locals {
    const reads = [...frame.symbols.visible()].map(([name, ref]) => ({ name, ref, hops: hopsTo(ref, frame) }))
    const { traced } = this.#setting
    // Jinja2's compiler lists them for each statement, too.
    this.#listed += reads.length
    if (this.#listed > mostListed) {
      throw new JinjaError(
        'Limit',
        `the variables around includes, imports and scoped blocks are more than ${mostListed}`,
      )
    }
    return (activation) => {
      const result: Locals = new Map()
      activation.rendering.spend(reads.length >> 1)
      for (const { name, ref, hops } of reads) {
        const source = above(activation, hops)
        const value = source.slots[ref.slot]
        if (value !== undefined) result.set(name, { value, mark: traced ? source.marks[ref.slot] : undefined })
      }
      return result
    }
  }

  #include(node: Include, frame: Frame): Execute {
    const evaluate = this.#expressions.compile(node.template, frame)
    const locals = node.withContext ? this.#locals(frame) : undefined
    const site = this.#expressions.site(node.template)
    const { globals } = this.#setting
    const { ignoreMissing } = node
    const misplaced = frame.captured && !node.withContext
    return (activation) => {
      const { context, rendering } = activation
      const value = evaluate(activation)
      rendering.site = site
      if (misplaced) throw new JinjaError('SecurityError', misplacedInclude)
      const template = loadAny(value, rendering, ignoreMissing)
      if (template === undefined) return
      const lookup = locals === undefined ? globals : context.seen(locals(activation))
      renderInto(template, lookup, rendering, `include of ${template.file}`)
    }
  }

  #module(template: Expression, withContext: boolean, frame: Frame): (activation: Activation) => Module {
    const evaluate = this.#expressions.compile(template, frame)
    const locals = withContext ? this.#locals(frame) : undefined
    const site = this.#expressions.site(template)
    const { globals } = this.#setting
    return (activation) => {
      const { context, rendering } = activation
      const value = evaluate(activation)
      rendering.site = site
      const loaded = loadOne(value, rendering)
      const known = locals === undefined ? rendering.modules.get(loaded) : undefined
      if (known !== undefined) return known
      const lookup = locals === undefined ? globals : context.seen(locals(activation))
      const module = makeModule(loaded, lookup, rendering)
      if (locals === undefined) rendering.modules.set(loaded, module)
      return module
    }
  }

  #import(node: Import, frame: Frame): Execute {
    const load = this.#module(node.template, node.withContext, frame)
    const { slot } = frame.symbols.ref(node.target)
    const { target } = node
    const { toplevel } = frame
    return (activation) => {
      const { thing } = load(activation)
      activation.slots[slot] = thing
      if (!toplevel) return
      activation.context.variables.set(target, thing)
      activation.context.exported.delete(target)
    }
  }

  #from(node: FromImport, frame: Frame): Execute {
    const load = this.#module(node.template, node.withContext, frame)
    const { toplevel } = frame
    const { file } = this.#setting
    const names = node.names.map(([name, alias]) => ({ name, alias, slot: frame.symbols.ref(alias).slot }))
    return (activation) => {
      const module = load(activation)
      const { context } = activation
      for (const { name, alias, slot } of names) {
        const hint =
          `the template ${quote(module.file)} (imported on line ${node.lineno + 1} in ${quote(file)}) ` +
          `does not export the requested name ${quote(name)}`
        const value = module.exported.get(name) ?? null
        const found = module.exported.has(name) ? value : new Undefined({ hint, name })
        activation.slots[slot] = found
        if (!toplevel) continue
        context.variables.set(alias, found)
        context.exported.delete(alias)
      }
    }
  }
}

type LoopTest = (outer: Activation, pull: Pull, marks: LoopMarks | undefined) => Pull

/** The marks of a loop's items, and those of the items that its condition let through and that are still to come. */
type LoopMarks = {
  readonly of: (item: Value, index: number) => Mark | undefined
  readonly kept: (Mark | undefined)[]
}

type LoopParts = {
  readonly inner: Frame
  readonly other: Frame
  readonly special: Ref | undefined
  readonly test: LoopTest | undefined
}

/** Walks a value: `activation` has the loop's slots, `outer` is the one around the loop. */
type Walk = (
  activation: Activation,
  value: Value,
  depth: number,
  recurse: ((items: Value, depth: number) => Value) | undefined,
  outer: Activation,
) => void

function nothing(): void {}

function notNamespace(): JinjaError {
  return new JinjaError('TemplateRuntimeError', 'cannot assign attribute on non-namespace object')
}

/** `….components.<name>.outputs` */
function isComponentOutputs(node: Expression): boolean {
  if (node.kind !== 'attribute' || node.val !== 'outputs' || node.target.kind !== 'attribute') return false
  const { target } = node.target
  return target.kind === 'attribute' && target.val === 'components'
}

function analyseMacro(of: MacroNode | CallBlock, symbols: Symbols): void {
  for (const name of of.args.names) symbols.parameter(name)
  for (const value of of.args.defaults) analyseExpression(value, symbols)
  analyse(of.body, symbols)
}

/** How many variables the compiler lists for statements that hand them on, each time counted. */
const mostListed = 500_000

const misplacedInclude =
  'Jinja2 3.1.6 moves or loses what is included without context in a macro, a call, set or filter block, or a recursive ' +
  'loop: include it with context, or import a macro'
