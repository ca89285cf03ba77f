/** The functions that every template has: `range`, `dict`, `cycler`, `joiner`, `namespace`, and `lipsum`, which is refused. */
import { attributeOf, pairsOf } from './methods.ts'
import { dictOf, integerArgument } from './objects.ts'
import { bind, builtinArguments, signature } from './signature.ts'
import { Callable, Dict, JinjaError, Namespace, Range, Thing, Tuple } from './values.ts'
import type { Kwargs, Runtime, Value } from './values.ts'

/** The class with this name, as it prints; calling it makes an object. */
function classOf(
  name: string,
  qualified: string,
  make: (args: readonly Value[], kwargs: Kwargs, runtime: Runtime) => Value,
  attributes?: ReadonlyMap<string, Value>,
): readonly [string, Callable] {
  const options = { type: 'type', text: `<class '${qualified}'>` }
  return [name, new Callable(name, make, attributes === undefined ? options : { ...options, attributes })]
}

/** Python's `range`. It stores nothing, so that its length is bounded where it is walked. */
function range(args: readonly Value[], kwargs: Kwargs): Value {
  const [first, second, third] = builtinArguments('range', { args, kwargs }, { least: 1, most: 3 })
  const start = second === undefined ? 0 : integerArgument(first)
  const stop = integerArgument(second === undefined ? first : second)
  const step = third === undefined ? 1 : integerArgument(third)
  if (step === 0) throw new JinjaError('ValueError', 'range() arg 3 must not be zero')
  return new Range(start, stop, step)
}

function dict(args: readonly Value[], kwargs: Kwargs, runtime: Runtime): Dict {
  if (args.length > 1) throw new JinjaError('TypeError', `dict expected at most 1 argument, got ${args.length}`)
  const pairs: (readonly [Value, Value])[] = args[0] === undefined ? [] : pairsOf(args[0], runtime)
  runtime.size(pairs.length + kwargs.size)
  return dictOf([...pairs, ...kwargs])
}

function namespace(args: readonly Value[], kwargs: Kwargs, runtime: Runtime): Value {
  const attributes = new Map<string, Value>()
  for (const [name, value] of dict(args, kwargs, runtime).entries()) {
    if (typeof name === 'string') attributes.set(name, value)
  }
  return new Namespace(attributes)
}

function cycler(args: readonly Value[], kwargs: Kwargs): Value {
  bind(signature('Cycler.__init__', []), [], kwargs)
  if (args.length === 0) throw new JinjaError('TemplateRuntimeError', 'at least one item has to be provided')
  let position = 0
  const current = (): Value => args[position] ?? null
  const next = new Callable('next', (given, named) => {
    bind(signature('Cycler.next', [], { hidden: 1 }), given, named)
    const item = current()
    position = (position + 1) % args.length
    return item
  })
  const reset = new Callable('reset', (given, named) => {
    bind(signature('Cycler.reset', [], { hidden: 1 }), given, named)
    position = 0
    return null
  })
  return new Thing('jinja2.utils.Cycler', {
    get: (name) => {
      if (name === 'next') return next
      if (name === 'reset') return reset
      if (name === 'current') return current()
      if (name === 'pos') return position
      return name === 'items' ? new Tuple(args) : undefined
    },
  })
}

const joinerTakes = signature('Joiner.__init__', [['sep', ', ']], { hidden: 1 })

function joiner(args: readonly Value[], kwargs: Kwargs): Value {
  const [separator = null] = bind(joinerTakes, args, kwargs)
  let used = false
  return new Thing('jinja2.utils.Joiner', {
    get: (name) => (name === 'sep' ? separator : name === 'used' ? used : undefined),
    call: (given, named) => {
      bind(signature('Joiner.__call__', [], { hidden: 1 }), given, named)
      if (used) return separator
      used = true
      return ''
    },
  })
}

const fromKeys = attributeOf(new Dict(), 'fromkeys') ?? null

/** The globals by name. They keep no state, so that one table serves every rendering. */
export const templateGlobals: ReadonlyMap<string, Value> = new Map<string, Value>([
  classOf('range', 'range', range),
  classOf('dict', 'dict', dict, new Map([['fromkeys', fromKeys]])),
  classOf('cycler', 'jinja2.utils.Cycler', cycler),
  classOf('joiner', 'jinja2.utils.Joiner', joiner),
  classOf('namespace', 'jinja2.utils.Namespace', namespace),
  [
    'lipsum',
    new Callable('lipsum', () => {
      throw new JinjaError('SecurityError', 'lipsum() is random, and a rendering must give the same text each time')
    }),
  ],
])
