import { type Data, type DataMap, mapOf } from '../data.ts'
import { parseTemplate, type Limits } from '../jinja/index.ts'
import type { Problem } from '../problem.ts'
import { readJson } from '../yaml.ts'

/** Expressions of migrations: those of the template language, in bounds of their own, and with inputs alone. */

const limits: Partial<Limits> = { source: 2000, tokens: 500, depth: 16, steps: 20_000, output: 64_000, size: 16_000 }

/** A value; `absent`, where the expression reads an input that is not given; or why there is none. */
export type Evaluated =
  | { readonly is: 'value'; readonly value: Data }
  | { readonly is: 'absent' }
  | { readonly is: 'failed'; readonly why: string }

/** What is wrong with an expression before it is evaluated; nothing if it is one. */
export function faultOf(expression: string): string | undefined {
  if (/\{[{%#]|[}%#]\}/.test(expression)) return 'it holds marks of a template, and is an expression alone'
  const parsed = parseTemplate('expression', sourceOf(expression), { limits })
  return parsed.ok ? undefined : wordsOf(parsed.problems)
}

/** Inputs are seen by their names, all of them as `inputs`, and the value that a step is about as `value`. */
export function evaluate(expression: string, { inputs, value }: { inputs: DataMap; value?: Data }): Evaluated {
  const fault = faultOf(expression)
  if (fault !== undefined) return { is: 'failed', why: fault }
  const parsed = parseTemplate('expression', sourceOf(expression), { limits })
  if (!parsed.ok) return { is: 'failed', why: wordsOf(parsed.problems) }
  const names = [...Object.entries(inputs), ['inputs', inputs] as const]
  const context = mapOf(value === undefined ? names : [...names, ['value', value] as const])
  const rendered = parsed.value.render(context, {})
  if (!rendered.ok) {
    // An input that is handed on as it is meets the end of the way before anybody has asked whether it is there.
    const isAbsent = rendered.problems.every(
      ({ code, message }) => code === 'undefined-variable' || message.includes('Undefined is not JSON serializable'),
    )
    return isAbsent ? { is: 'absent' } : { is: 'failed', why: wordsOf(rendered.problems) }
  }
  const read = readJson('expression', rendered.text)
  return read.ok
    ? { is: 'value', value: read.value.data }
    : { is: 'failed', why: 'its value is none that a file can hold' }
}

function sourceOf(expression: string): string {
  return `{{ (${expression}) | tojson }}`
}

function wordsOf(problems: readonly Problem[]): string {
  return problems[0]?.message ?? 'it cannot be read'
}
