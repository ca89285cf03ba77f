/** How the tables of filters and tests are written: a signature, and what it does with the bound arguments. */
import { bind, signature } from './signature.ts'
import type { Filter, Runtime, Test, Value } from './values.ts'

type Parameters = readonly (string | readonly [string, Value])[]

type Run<Result> = (runtime: Runtime, ...values: readonly Value[]) => Result

/**
 * A filter that Jinja2 writes in Python: `filterOf('do_trim', ['value', ['chars', null]], (runtime, value, chars) => …)`.
 * `hidden` counts the arguments that Jinja2 puts in front, for its messages.
 */
export function filterOf(name: string, parameters: Parameters, run: Run<Value>, hidden = 0): Filter {
  const of = signature(name, parameters, { hidden })
  return (value, args, kwargs, runtime) => run(runtime, ...bind(of, [value, ...args], kwargs))
}

/** A test that Jinja2 writes in Python. */
export function testOf(name: string, parameters: Parameters, run: Run<boolean>, hidden = 0): Test {
  const of = signature(name, parameters, { hidden })
  return (value, args, kwargs, runtime) => run(runtime, ...bind(of, [value, ...args], kwargs))
}
