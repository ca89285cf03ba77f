import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Command, readArguments } from '../../src/command.ts'
import { explain } from '../../src/commands/explain.ts'
import { render } from '../../src/commands/render.ts'
import { test as testTemplates } from '../../src/commands/test.ts'
import { isMap, mapOf } from '../../src/core/data.ts'
import { checkPolicy } from '../../src/core/policy.ts'
import { readSchema } from '../../src/core/schema.ts'
import { readJson, readYaml } from '../../src/core/yaml.ts'

const file = join(import.meta.dirname, '../../docs/templates.md')
const page = readFileSync(file, 'utf8')
const commands: Readonly<Record<string, Command>> = { explain, render, test: testTemplates }

/** The texts of the fenced blocks with an information string. */
function blocks(info: string): string[] {
  return [...page.matchAll(/^```(.*)\n([^]*?)^```$/gmu)].flatMap(([, said, text = '']) => (said === info ? [text] : []))
}

const typed = blocks('').flatMap((text) => text.split('\n').filter((line) => line.startsWith('protium ')))

describe('the page on templates', () => {
  test.each(typed)('names a command that there is: %s', (line) => {
    const [, name = '', ...words] = line.replace(/ {3,}.*$|(?<=\/stores) .*$/u, '').split(' ')
    const command = commands[name]
    if (command === undefined) throw new Error(`there is no ${name}`)
    const { given, problems } = readArguments(command, words)
    expect([...problems, ...command.accept(given).problems]).toEqual([])
  })

  test('shows a schema that can be read', () => {
    const text = blocks('yaml').find((each) => each.startsWith('schema:')) ?? ''
    const document = readYaml('schema.yaml', text, 'schema')
    if (!document.ok) throw new Error('the schema is no YAML')
    const schema = readSchema(document.value)
    expect(schema.problems).toEqual([])
    expect(schema.ok && [...(schema.value.service?.inputs.keys() ?? [])]).toEqual(['port'])
  })

  test('shows a context that is one', () => {
    const [text = ''] = blocks('json')
    expect(readJson('context.json', text).problems).toEqual([])
  })

  test('shows an exception that excuses, and says that one without a reason does not', () => {
    const text = blocks('yaml').find((each) => each.includes('allow:')) ?? ''
    const codes = (source: string): string[] => {
      const document = readYaml('t.yaml', source, 'cloudformation')
      if (!document.ok || !isMap(document.value.data)) throw new Error('the example is no YAML')
      const group = document.value.data['PublicSecurityGroup']
      if (!isMap(group)) throw new Error('there is no group')
      const open = [
        mapOf([
          ['IpProtocol', 'tcp'],
          ['FromPort', 22],
          ['ToPort', 22],
          ['CidrIp', '0.0.0.0/0'],
        ]),
      ]
      const resource = mapOf([...Object.entries(group), ['Properties', mapOf([['SecurityGroupIngress', open]])]])
      const template = mapOf([['Resources', mapOf([['PublicSecurityGroup', resource]])]])
      return checkPolicy(template, () => ({ file: 't.yaml', line: 1, column: 1 })).map(({ code }) => code)
    }
    expect(codes(text)).toEqual([])
    expect(codes(text.replace(/policy-open-ingress: .*$/mu, 'policy-open-ingress: ""'))).toEqual([
      'policy-open-ingress',
    ])
  })

  test('links to pages that there are', () => {
    for (const [, link = ''] of page.matchAll(/\]\(([^)#]+)\)/gu))
      expect(existsSync(join(dirname(file), link))).toBe(true)
  })
})
