import { data, Evaluator, Lexer, Parser } from '@actions/expressions'

/** A value of a workflow's expressions, as JSON. */
export type Value = null | boolean | number | string | readonly Value[] | { readonly [name: string]: Value }

/** What an expression may speak of, and how the steps or jobs before it ended. */
export type Scope = {
  readonly contexts: Readonly<Record<string, Value>>
  /** Of `success()`, `failure()`, `cancelled()`; `always()` is true whatever it is. */
  readonly so: 'success' | 'failure' | 'cancelled'
}

const ofStatus = ['success', 'failure', 'cancelled', 'always']

/**
 * The value of an expression, by GitHub's own evaluator; without the `${{` and `}}` around it.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/expressions
 */
export function evaluate(expression: string, { contexts, so }: Scope): Value {
  const functions = ofStatus.map((name) => ({
    name,
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(name === 'always' || name === so),
  }))
  const parsed = new Parser(new Lexer(expression).lex().tokens, Object.keys(contexts), functions).parse()
  const context = new data.Dictionary(
    ...Object.entries(contexts).map(([key, value]) => ({ key, value: expressionData(value) })),
  )
  return plain(new Evaluator(parsed, context, new Map(functions.map((each) => [each.name, each]))).evaluate())
}

/** Whether a job or a step runs: without a word of a status, only after success. */
export function holds(condition: string | undefined, scope: Scope): boolean {
  const bare = (condition ?? 'success()').trim().replace(/^\$\{\{([\s\S]*)\}\}$/u, '$1')
  const saysStatus = ofStatus.some((name) => new RegExp(`\\b${name}\\s*\\(`, 'u').test(bare))
  return isTrue(evaluate(saysStatus ? bare : `success() && (${bare})`, scope))
}

/** A text with its expressions filled in; one that is an expression and nothing else keeps the kind of its value. */
export function filled(text: string, scope: Scope): Value {
  const whole = /^\$\{\{((?:(?!\}\}).)*)\}\}$/su.exec(text.trim())?.[1]
  if (whole !== undefined) return evaluate(whole, scope)
  return text.replaceAll(/\$\{\{((?:(?!\}\}).)*)\}\}/gsu, (_, inner: string) => textOf(evaluate(inner, scope)))
}

/** A value as GitHub writes it into a text. */
export function textOf(value: Value): string {
  if (value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function isTrue(value: Value): boolean {
  return value !== null && value !== false && value !== 0 && value !== ''
}

function expressionData(value: Value): data.ExpressionData {
  const found: data.ExpressionData = JSON.parse(JSON.stringify(value), data.reviver)
  return found
}

function plain(value: data.ExpressionData): Value {
  const found: Value = JSON.parse(JSON.stringify(value, data.replacer))
  return found
}
