/**
 * The filters that Proton added to Jinja2 for CloudFormation ("CloudFormation parameter filters" in its guide). Their
 * lines are aligned by the evaluator, because only it knows the column of the expression.
 */
import { filterOf } from './calls.ts'
import { asText, isTrue } from './objects.ts'
import { toText, typeName, undefinedError } from './text.ts'
import { Aligned, Dict, Float, JinjaError, Undefined } from './values.ts'
import type { Filter, Runtime, Value } from './values.ts'

const harmless = /^[a-zA-Z0-9_-]*$/
/** Any ARN, of characters that mean nothing to YAML where they stand. */
const anyArn = /^arn:[a-z][a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:(?:[0-9]{12}|aws)?:[a-zA-Z0-9_+=,.@/:*-]+$/
const policyArn = /^arn:[a-zA-Z-]+:iam::[0-9]{12}:policy\//

function illegal(text: string, alternative: string): JinjaError {
  return new JinjaError(
    'ValueError',
    `Illegal character(s) detected in "${text}". Must match regex ^[a-zA-Z0-9_-]*$${alternative}`,
  )
}

/** The entries of the filter's map, each value as text. */
function entriesOf(filter: string, value: Value, runtime: Runtime): (readonly [string, string])[] {
  if (value instanceof Undefined) throw undefinedError(value)
  if (!(value instanceof Dict)) {
    throw new JinjaError(
      'TypeError',
      `${filter} takes a map, such as the outputs of a component, not ${typeName(value)}`,
    )
  }
  runtime.spend(value.size)
  return [...value.entries()].map(([key, item]) => [scalar(filter, key, runtime), scalar(filter, item, runtime)])
}

function scalar(filter: string, value: Value, runtime: Runtime): string {
  const plain = asText(value) !== undefined || typeof value !== 'object' || value instanceof Float
  if (plain) return toText(value, runtime)
  if (value instanceof Undefined) throw undefinedError(value)
  throw new JinjaError(
    'TypeError',
    `${filter} takes a map of texts and numbers; one of its values is ${typeName(value)}`,
  )
}

/** Refuses values that are not harmless when `raw=False` asks for it. */
function checked(entries: readonly (readonly [string, string])[], raw: Value): void {
  if (isTrue(raw)) return
  for (const [, value] of entries) if (!harmless.test(value)) throw illegal(value, '')
}

function envVars(filter: string, empty: '[]' | '{}', line: (key: string, value: string) => readonly string[]): Filter {
  return filterOf(filter, ['value', ['raw', true]], (runtime, value = null, raw = null) => {
    const entries = entriesOf(filter, value, runtime)
    checked(entries, raw)
    return aligned(
      entries.flatMap(([key, text]) => line(yamlScalar(key), yamlScalar(text))),
      empty,
      runtime,
    )
  })
}

function aligned(lines: readonly string[], empty: '[]' | '{}', runtime: Runtime): Aligned {
  runtime.size(lines.reduce((length, line) => length + line.length + 1, 0))
  return new Aligned(lines, empty)
}

/** Plain scalars that YAML 1.1 or 1.2 reads as something else than text. */
const notText =
  /^(?:~|null|true|false|yes|no|on|off|y|n|[-+]?(?:[0-9][0-9_]*(?::[0-5]?[0-9])*)?\.?[0-9_]*(?:e[-+]?[0-9]+)?|[-+]?0(?:x[0-9a-f_]+|o[0-7_]+|b[01_]+)|[-+]?\.inf|\.nan|=|<<|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[tT\s].*)?)$/i
/** Texts that are what they say wherever a plain scalar may stand. */
const plainScalar = /^[\p{L}\p{N}_./(\\$+;^~-](?:[\p{L}\p{N}_./()\\$+;^~=<>|'"!&*%@?,{}[\]` -]|:(?=[^\s])|#)*$/u

/** A text as a scalar of YAML: plain where YAML reads it as this text, otherwise between double quotes. */
export function yamlScalar(text: string): string {
  const plain =
    plainScalar.test(text) &&
    !notText.test(text) &&
    !/ #|:$|^\s|\s$|^-(?:\s|$)|^(?:---|\.\.\.)/.test(text) &&
    !/[^ -~]/.test(text)
  return plain ? text : JSON.stringify(text)
}

export const protonFilters: ReadonlyMap<string, Filter> = new Map<string, Filter>([
  [
    'proton_cfn_ecs_task_definition_formatted_env_vars',
    envVars('proton_cfn_ecs_task_definition_formatted_env_vars', '[]', (key, value) => [
      `- Name: ${key}`,
      `  Value: ${value}`,
    ]),
  ],
  [
    'proton_cfn_lambda_function_formatted_env_vars',
    envVars('proton_cfn_lambda_function_formatted_env_vars', '{}', (key, value) => [`${key}: ${value}`]),
  ],
  [
    'proton_cfn_iam_policy_arns',
    filterOf('proton_cfn_iam_policy_arns', ['value'], (runtime, value = null) => {
      const entries = entriesOf('proton_cfn_iam_policy_arns', value, runtime)
      const arns = entries.map(([, text]) => text).filter((text) => policyArn.test(text))
      return aligned(
        arns.map((arn) => `- ${yamlScalar(arn)}`),
        '[]',
        runtime,
      )
    }),
  ],
  [
    'proton_cfn_sanitize',
    filterOf('proton_cfn_sanitize', ['value'], (runtime, value = null) => {
      const text = scalar('proton_cfn_sanitize', value, runtime)
      if (harmless.test(text) || anyArn.test(text)) return text
      throw illegal(text, ' or be a valid ARN')
    }),
  ],
])
