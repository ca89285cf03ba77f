/** Jinja2's built-in tests: what may stand after `is`. */
import { testOf } from './calls.ts'
import { asWhole, isNumber } from './numbers.ts'
import { asText, contains, elementsOf, equal, isCallable, isSame, keyOf, ordered, sizeOf } from './objects.ts'
import type { Ordering } from './objects.ts'
import { binary } from './operators.ts'
import { builtinArguments } from './signature.ts'
import { isLowerText, isUpperText } from './text-methods.ts'
import { toText } from './text.ts'
import { Dict, DictView, Float, Iter, Markup, Thing, Undefined } from './values.ts'
import type { Runtime, Test, Value } from './values.ts'

function remainder(runtime: Runtime, value: Value, by: Value, rest: Value): boolean {
  return equal(binary('%', value, by, runtime), rest, runtime)
}

/** A test that is a function of Python's `operator` module. */
function operatorTest(name: string, run: (left: Value, right: Value, runtime: Runtime) => boolean): Test {
  return (value, args, kwargs, runtime) => {
    const given = { args: [value, ...args], kwargs }
    const [left = null, right = null] = builtinArguments(`_operator.${name}`, given, { least: 2, most: 2 })
    return run(left, right, runtime)
  }
}

function orderTest(name: string, operator: Ordering): Test {
  return operatorTest(name, (left, right, runtime) => ordered(operator, left, right, runtime))
}

function isSequence(value: Value): boolean {
  if (value instanceof Undefined) return value.lenient
  if (value instanceof DictView || value instanceof Thing) return false
  return sizeOf(value) !== undefined
}

const eq = operatorTest('eq', (left, right, runtime) => equal(left, right, runtime))
const ne = operatorTest('ne', (left, right, runtime) => !equal(left, right, runtime))
const gt = orderTest('gt', '>')
const ge = orderTest('ge', '>=')
const lt = orderTest('lt', '<')
const le = orderTest('le', '<=')

export const templateTests: ReadonlyMap<string, Test> = new Map<string, Test>([
  ['odd', testOf('test_odd', ['value'], (runtime, value = null) => remainder(runtime, value, 2, 1))],
  ['even', testOf('test_even', ['value'], (runtime, value = null) => remainder(runtime, value, 2, 0))],
  [
    'divisibleby',
    testOf('test_divisibleby', ['value', 'num'], (runtime, value = null, by = null) =>
      remainder(runtime, value, by, 0),
    ),
  ],
  ['defined', testOf('test_defined', ['value'], (_, value) => !(value instanceof Undefined))],
  ['undefined', testOf('test_undefined', ['value'], (_, value) => value instanceof Undefined)],
  [
    'filter',
    testOf('test_filter', ['value'], (runtime, value = null) => runtime.filters.has(asText(keyOf(value)) ?? ''), 1),
  ],
  ['test', testOf('test_test', ['value'], (runtime, value = null) => runtime.tests.has(asText(keyOf(value)) ?? ''), 1)],
  ['none', testOf('test_none', ['value'], (_, value) => value === null)],
  ['boolean', testOf('test_boolean', ['value'], (_, value) => typeof value === 'boolean')],
  ['false', testOf('test_false', ['value'], (_, value) => value === false)],
  ['true', testOf('test_true', ['value'], (_, value) => value === true)],
  [
    'integer',
    testOf('test_integer', ['value'], (_, value = null) => asWhole(value) !== undefined && typeof value !== 'boolean'),
  ],
  ['float', testOf('test_float', ['value'], (_, value) => value instanceof Float)],
  ['lower', testOf('test_lower', ['value'], (runtime, value = null) => isLowerText(toText(value, runtime)))],
  ['upper', testOf('test_upper', ['value'], (runtime, value = null) => isUpperText(toText(value, runtime)))],
  ['string', testOf('test_string', ['value'], (_, value = null) => asText(value) !== undefined)],
  ['mapping', testOf('test_mapping', ['value'], (_, value) => value instanceof Dict)],
  ['number', testOf('test_number', ['value'], (_, value = null) => isNumber(value))],
  ['sequence', testOf('test_sequence', ['value'], (_, value = null) => isSequence(value))],
  [
    'iterable',
    testOf('test_iterable', ['value'], (_, value = null) => value instanceof Iter || elementsOf(value) !== undefined),
  ],
  // Python calls an undefined value callable, because its class can say what happens when it is called: it fails.
  [
    'callable',
    (value, args, kwargs) => {
      builtinArguments('callable', { args: [value, ...args], kwargs }, { least: 1, most: 1 })
      return value instanceof Undefined || isCallable(value)
    },
  ],
  ['sameas', testOf('test_sameas', ['value', 'other'], (_, value = null, other = null) => isSame(value, other))],
  [
    'escaped',
    testOf(
      'test_escaped',
      ['value'],
      (_, value) => value instanceof Markup || (value instanceof Thing && value.escaped),
    ),
  ],
  ['in', testOf('test_in', ['value', 'seq'], (runtime, value = null, list = null) => contains(list, value, runtime))],
  ['==', eq],
  ['eq', eq],
  ['equalto', eq],
  ['!=', ne],
  ['ne', ne],
  ['>', gt],
  ['gt', gt],
  ['greaterthan', gt],
  ['ge', ge],
  ['>=', ge],
  ['<', lt],
  ['lt', lt],
  ['lessthan', lt],
  ['<=', le],
  ['le', le],
])
