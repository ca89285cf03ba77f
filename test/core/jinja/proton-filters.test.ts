import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isMap, mapOf } from '../../../src/core/data.ts'
import type { DataMap } from '../../../src/core/data.ts'
import { yamlScalar } from '../../../src/core/jinja/proton-filters.ts'
import { readRendered, readYaml } from '../../../src/core/yaml.ts'
import { rendered, shown } from './rendered.ts'

const outputs = mapOf([
  ['Output1', 'hello'],
  ['PolicyArn1', 'arn:aws:iam::123456789012:policy/p1'],
])
const ecs = 'proton_cfn_ecs_task_definition_formatted_env_vars'
const lambda = 'proton_cfn_lambda_function_formatted_env_vars'

describe("Proton's filters", () => {
  test('write the environment of a task, aligned below its first line', () => {
    expect(rendered(`Environment:\n    {{ outputs | ${ecs} }}\n`, { outputs })).toBe(
      'Environment:\n    - Name: Output1\n      Value: hello\n    - Name: PolicyArn1\n      Value: arn:aws:iam::123456789012:policy/p1',
    )
  })

  test('write the environment of a function', () => {
    expect(rendered(`Variables:\n  {{ outputs | ${lambda} }}`, { outputs })).toBe(
      'Variables:\n  Output1: hello\n  PolicyArn1: arn:aws:iam::123456789012:policy/p1',
    )
  })

  test('list the ARNs of policies, and those alone', () => {
    expect(rendered('- !Ref Base\n{{ outputs | proton_cfn_iam_policy_arns }}', { outputs })).toBe(
      '- !Ref Base\n- arn:aws:iam::123456789012:policy/p1',
    )
  })

  test.each([
    ["'fine-1_x' | proton_cfn_sanitize", 'fine-1_x'],
    ["'arn:aws:sns:us-east-1:123456789012:topic' | proton_cfn_sanitize", 'arn:aws:sns:us-east-1:123456789012:topic'],
    [
      "'this::is::incorrect' | proton_cfn_sanitize",
      'template-value: Illegal character(s) detected in "this::is::incorrect". Must match regex ^[a-zA-Z0-9_-]*$ or be a valid ARN.',
    ],
    [
      "'a\\n' | proton_cfn_sanitize | length",
      'template-value: Illegal character(s) detected in "a\n". Must match regex ^[a-zA-Z0-9_-]*$ or be a valid ARN.',
    ],
    [`{'a': 'x-1'} | ${ecs}(raw=False)`, '- Name: a\n  Value: x-1'],
    [
      `{'a': 'b c'} | ${ecs}(raw=False)`,
      'template-value: Illegal character(s) detected in "b c". Must match regex ^[a-zA-Z0-9_-]*$.',
    ],
    [
      `{'a': 'b c'} | ${lambda}(raw=false)`,
      'template-value: Illegal character(s) detected in "b c". Must match regex ^[a-zA-Z0-9_-]*$.',
    ],
    [`{'a': 'b c'} | ${lambda}(raw=True)`, 'a: b c'],
    [`{'a': 'b c'} | ${lambda}(nope)`, 'undefined-variable: nope is not defined.'],
    [
      `'text' | ${ecs}`,
      `template-type: ${ecs.charAt(0).toUpperCase()}${ecs.slice(1)} takes a map, such as the outputs of a component, not str.`,
    ],
    [`{} | ${ecs}`, ''],
  ])('%s is %s', (expression, text) => {
    expect(shown(expression)).toBe(text)
  })
})

describe('a text as a scalar of YAML', () => {
  test.each([
    'hello',
    'my-queue',
    'https://sqs.us-east-1.amazonaws.com/1/q',
    'a b',
    'a=b',
    '/path',
    'x: y'.replace(' ', ''),
  ])('is plain where it can be: %s', (text) => {
    expect(yamlScalar(text)).toBe(text)
  })

  test.each([
    '',
    'true',
    'No',
    'null',
    '~',
    '0123',
    '1.5',
    '1e3',
    '12:30',
    'a: b',
    'a #b',
    '*a',
    '&a',
    '!a',
    '%a',
    '@a',
    '{a',
    '[a',
    '- a',
    ' a',
    'a ',
    'a:',
    '#a',
    '2024-01-01',
    'a\nb',
    "'a",
    '"a',
    '|',
    '>',
    '`',
    '---',
    '=',
    '<<',
    '0x1f',
    '.inf',
    'é',
    ',a',
    '?',
    ']',
    'y',
    'ON',
  ])('is quoted where it must be: %j', (text) => {
    expect(yamlScalar(text)).toBe(JSON.stringify(text))
  })

  test('reads as the same text, as YAML and as CloudFormation, for keys and for values', () => {
    const line = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom(...Array.from(':# -\'"{}[],&*!|>%@`\\\n\t~0ey.=<')) }),
    )
    const value = (data: DataMap | undefined): unknown => data?.['k']
    fc.assert(
      fc.property(line, (text) => {
        const source = `k: ${yamlScalar(text)}\n`
        for (const read of [readYaml('f', source, 'own'), readRendered('f', source)]) {
          if (!read.ok || !isMap(read.value.data)) throw new Error(`${source} cannot be read`)
          expect(value(read.value.data)).toBe(text)
        }
      }),
      { numRuns: 500 },
    )
  })
})
