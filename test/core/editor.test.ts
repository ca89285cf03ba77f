import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { schemasOf } from '../../scripts/generate-editor-schemas.ts'
import { canonicalJson } from '../../src/core/canonical.ts'
import { readCatalog } from '../../src/core/catalog.ts'
import { editorSchemas } from '../../src/core/editor.ts'
import { readYaml } from '../../src/core/yaml.ts'
import { organisationFiles, treeOf } from './trees.ts'

const catalog = readCatalog(treeOf(organisationFiles))
if (!catalog.ok) throw new Error(JSON.stringify(catalog.problems))
const schemas = editorSchemas(catalog.value.templates.values())

/** What an editor says of a file: the paths of what it underlines, by its own reader of JSON Schema. */
function underlined(name: string, text: string): string[] {
  const document = readYaml(name, text, 'own')
  const schema = schemas.get(name)
  if (!document.ok || schema === undefined) throw new Error(JSON.stringify(document.problems))
  const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(JSON.parse(schema))
  validate(JSON.parse(canonicalJson(document.value.data)))
  const errors = (validate.errors ?? []).filter(({ keyword }) => keyword !== 'if')
  return errors.map(({ instancePath, keyword }) => `${instancePath} ${keyword}`)
}

describe('the schema that an editor is given', () => {
  test.each([
    ['catalog.schema.json', organisationFiles['catalog.yaml'] ?? ''],
    ['environment.schema.json', organisationFiles['environments/prod.yaml'] ?? ''],
    ['service.schema.json', organisationFiles['services/checkout/service.yaml'] ?? ''],
    ['template.schema.json', organisationFiles['templates/web/template.yaml'] ?? ''],
  ])('%s finds nothing in a good file', (name, text) => {
    expect(underlined(name, text)).toEqual([])
  })

  test.each([
    ['service.schema.json', 'service: a\ntemplate: web@1.4.2\ninputs: { prot: 1 }', ['/inputs additionalProperties']],
    ['service.schema.json', 'service: a\ntemplate: web@1.2.0\ninputs: { port: 0 }', ['/inputs/port minimum']],
    [
      'service.schema.json',
      'service: a\ntemplate: web@1.4.2\nstages: { dev: { inputs: { size: huge } } }',
      ['/stages/dev/inputs/size enum'],
    ],
    [
      'service.schema.json',
      'service: a\ntemplate: web@1.4.2\npipeline: { inputs: { x: 1 } }',
      ['/pipeline/inputs additionalProperties'],
    ],
    ['service.schema.json', 'service: a\ntemplate: web@1.4.2\nhots: []', [' additionalProperties']],
    ['service.schema.json', 'service: a\ntemplate: other@1.0.0\ninputs: { anything: 1 }', []],
    [
      'environment.schema.json',
      'environment: a\ntemplate: net@1.0.0\naccount: "111111111111"\nregion: ap-northeast-2\ninputs: { cird: x }',
      ['/inputs additionalProperties'],
    ],
    [
      'catalog.schema.json',
      'catalog: a\ndomain: a.com\nstages: { dev: { host: "{service}.a.com" } }',
      ['/stages/dev required'],
    ],
  ])('%s underlines in %j: %j', (name, text, expected) => {
    expect(underlined(name, text)).toEqual(expected)
  })

  test('offers the templates of its kind, with their versions', () => {
    const offered = [...schemas].map(([name, schema]) => [name, /"examples": \[([^\]]*)\]/.exec(schema)?.[1]?.trim()])
    expect(Object.fromEntries(offered)).toMatchObject({
      'service.schema.json': '"web@1.4.2"',
      'environment.schema.json': '"net@1.0.0"',
    })
  })

  test('has no word of our own in it', () => {
    expect([...schemas.values()].join()).not.toContain('x-protium')
  })
})

test("the files in `schemas/` are those of this repository's own catalog", () => {
  const root = join(import.meta.dirname, '../..')
  const here = readdirSync(join(root, 'schemas')).map((name) => [
    name,
    readFileSync(join(root, 'schemas', name), 'utf8'),
  ])
  expect(Object.fromEntries(here), 'Run `npm run generate` and commit what changes.').toEqual(
    Object.fromEntries(schemasOf(root)),
  )
})
