import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Data, entriesOf, isMap, keysOf, mapOf } from '../../src/core/data.ts'
import { parseTemplate, renderTemplate } from '../../src/core/jinja/index.ts'
import { checkInputs, inputsAt, readSchema } from '../../src/core/schema.ts'
import { type Document, readJson, readYaml } from '../../src/core/yaml.ts'
import type { Checked } from '../../src/core/problem.ts'
import { lines, schemaFile } from './trees.ts'

const key = fc.oneof(
  fc.nat({ max: 100 }).map(String),
  fc.constantFrom('a', 'b', '2a', '007', '-1', '1.5', '4294967295'),
)

function dataOf(read: Checked<Document>): Data {
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  return read.value.data
}

describe('the keys of a map are in the order in which they were written', () => {
  test('also where they look like numbers', () => {
    fc.assert(
      fc.property(fc.uniqueArray(key), (keys) => {
        const entries = keys.map((name): [string, Data] => [name, mapOf([[name, 1]])])
        expect(keysOf(mapOf(entries))).toEqual(keys)
        expect(entriesOf(mapOf(entries))).toEqual(entries)
        const json = `{${keys.map((name) => `${JSON.stringify(name)}: {}`).join(', ')}}`
        for (const read of [readJson('f.json', json), readYaml('f.yaml', json, 'own')]) {
          const data = dataOf(read)
          expect(isMap(data) ? keysOf(data) : data).toEqual(keys)
        }
      }),
    )
  })

  test('a key that is given twice stands where it was first', () => {
    const pairs: [string, Data][] = [
      ['8080', 1],
      ['80', 2],
      ['8080', 3],
    ]
    expect(entriesOf(mapOf(pairs))).toEqual([
      ['8080', 3],
      ['80', 2],
    ])
  })

  test('from the inputs of a service into its rendered template', () => {
    const schema = readYaml(
      'schema.yaml',
      schemaFile('service', lines(`properties: { ports: { type: object, additionalProperties: { type: string } } }`)),
      'schema',
    )
    if (!schema.ok) throw new Error(JSON.stringify(schema.problems))
    const read = readSchema(schema.value)
    const spec = readYaml('service.yaml', 'inputs:\n  ports: { "8080": api, ssh: shell, "80": web }\n', 'own')
    if (!read.ok || read.value.service === undefined || !spec.ok || !isMap(spec.value.data)) throw new Error('unread')
    const given = spec.value.data['inputs']
    const inputs = checkInputs(read.value.service, isMap(given) ? given : mapOf(), inputsAt(spec.value, ['inputs']))
    const template = parseTemplate('t.yaml', '{% for port, name in ports.items() %}{{ port }}={{ name }} {% endfor %}')
    if (!inputs.ok || !template.ok) throw new Error(JSON.stringify([...inputs.problems, ...template.problems]))
    expect(renderTemplate(template.value, inputs.value)).toMatchObject({ text: '8080=api ssh=shell 80=web ' })
  })
})
