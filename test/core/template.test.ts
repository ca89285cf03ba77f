import { describe, expect, test } from 'vitest'
import { readTemplate } from '../../src/core/template.ts'
import { brief, lines, manifest, schemaFile, treeOf } from './trees.ts'

const environment = {
  'schema/schema.yaml': schemaFile('environment', 'properties: { cidr: { type: string, default: 10.0.0.0/16 } }'),
  'infrastructure/manifest.yaml': manifest,
  'infrastructure/cloudformation.yaml': 'Resources: {}\n',
}
const service = {
  'schema/schema.yaml': schemaFile('service', 'properties: {}'),
  'instance_infrastructure/manifest.yaml': manifest,
  'instance_infrastructure/cloudformation.yaml': 'Resources: {}\n',
  '.compatible-envs': 'net:1',
}

describe('a template', () => {
  function template(...files: readonly Readonly<Record<string, string | undefined>>[]) {
    return readTemplate(treeOf(...files), { name: 'web', folder: 'templates/web' })
  }
  const v1 = Object.fromEntries(Object.entries(service).map(([path, text]) => [`v1/${path}`, text]))
  const plain2 = Object.fromEntries(Object.entries(service).map(([path, text]) => [`2/${path}`, text]))

  test("with Proton's files alone has the versions of its folders", () => {
    const read = template(v1, plain2)
    expect(read.problems).toEqual([])
    expect(read.ok && [...read.value.bundles].map(([major, { version, root }]) => [major, version, root])).toEqual([
      [1, '1.0.0', 'templates/web/v1'],
      [2, '2.0.0', 'templates/web/2'],
    ])
  })

  test('says its versions, owners and notes in a file of its own', () => {
    const file = lines(`
      template: web
      kind: service
      versions: { v1: 1.4.2 }
      description: A service.
      owners: ["@acme/platform"]
      help: "#help"
      notes: { 1.4.2: New. }
    `)
    const read = template(v1, { 'template.yaml': file })
    expect(read.problems).toEqual([])
    expect(read.ok && read.value).toMatchObject({
      kind: 'service',
      owners: ['@acme/platform'],
      description: 'A service.',
      help: '#help',
    })
    expect(read.ok && read.value.notes.get('1.4.2')).toBe('New.')
    expect(read.ok && read.value.bundles.get(1)?.version).toBe('1.4.2')
  })

  test.each([
    ['kind: service\nversions: { v1: 1.4 }', ['wrong-value templates/web/template.yaml:2']],
    ['kind: service\nversions: { v1: 2.0.0 }', ['version-major templates/web/template.yaml:2']],
    ['kind: service\nversions: { v1: 1.0.0, v3: 3.0.0 }', ['missing-file templates/web/template.yaml:2']],
    ['kind: environment', ['template-kind templates/web/template.yaml:1']],
    ['kind: services', ['wrong-value templates/web/template.yaml:1', 'template-kind templates/web/template.yaml:1']],
    ['kind: service\ntemplate: wbe', ['template-name templates/web/template.yaml:2']],
    ['kind: service\nowner: me', ['unknown-key templates/web/template.yaml:2']],
    ['versions: { v1: 1.0.0 }', ['missing-key templates/web/template.yaml:1']],
  ])('%j is wrong: %j', (file, expected) => {
    const read = template(v1, { 'template.yaml': file })
    expect(read.ok).toBe(false)
    expect(brief(read.problems)).toEqual(expected)
  })

  test('without a version, or with two folders of one, is none', () => {
    expect(brief(template({ 'template.yaml': 'kind: service' }).problems)).toEqual([
      'bundle-layout templates/web/template.yaml:1',
    ])
    expect(
      brief(
        template(v1, Object.fromEntries(Object.entries(v1).map(([path, text]) => [path.replace('v1', '1'), text])))
          .problems,
      ),
    ).toEqual(['bundle-layout templates/web/v1:1'])
  })

  test('whose versions are of two kinds is none', () => {
    const v2 = Object.fromEntries(Object.entries(environment).map(([path, text]) => [`v2/${path}`, text]))
    expect(brief(template(v1, v2).problems)).toEqual(['template-kind templates/web/v2:1'])
  })
})
