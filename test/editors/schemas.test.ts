import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LanguageServer, startLanguageServer } from './language-server.ts'

const root = join(import.meta.dirname, '../..')

let server: LanguageServer
beforeAll(async () => {
  server = await startLanguageServer(root)
})
afterAll(async () => server[Symbol.asyncDispose]())

/** A file that is being written; its first line names the schema, as that of each file of the sample does. */
const serviceHead = [
  '# yaml-language-server: $schema=../../schemas/service.schema.json',
  'service: cart',
  'template: fargate-service@2.3.0',
]
const catalogHead = [
  '# yaml-language-server: $schema=./schemas/catalog.schema.json',
  'catalog: acme',
  'domain: example.com',
]

describe('an editor with the YAML language server', () => {
  test.each([
    'catalog.yaml',
    'environments/prod.yaml',
    'services/checkout/service.yaml',
    'services/storefront/service.yaml',
    'templates/fargate-service/template.yaml',
  ])('underlines nothing in %s', async (file) => {
    expect(await server.open(file, readFileSync(join(root, file), 'utf8'))).toEqual([])
  })

  test('shows for what an input is, and a key of the catalog', async () => {
    expect(await server.hover('services/checkout/service.yaml', 'table_key')).toContain(
      'The attribute, a string, that items are found by.',
    )
    expect(await server.hover('catalog.yaml', 'soak')).toContain(
      'How long a service has to be healthy here before the next stage may start.',
    )
  })

  test('offers templates with their versions, keys, and the inputs of the template that was chosen', async () => {
    const template = [
      '# yaml-language-server: $schema=../../schemas/service.schema.json',
      'service: cart',
      'template: ',
    ]
    await server.open('services/cart/template.yaml', template.join('\n'))
    await server.open('services/cart/inputs.yaml', [...serviceHead, 'inputs:', '  port: 8080', '  '].join('\n'))
    await server.open('services/cart/keys.yaml', [...serviceHead, ''].join('\n'))

    expect(await server.completions('services/cart/template.yaml', 3)).toContain('fargate-service@2.3.0')
    const inputs = await server.completions('services/cart/inputs.yaml', 6)
    expect(inputs).toContain('desired_count')
    expect(inputs).not.toContain('port')
    expect(await server.completions('services/cart/keys.yaml', 4)).toEqual(
      expect.arrayContaining(['owner', 'hosts', 'health']),
    )
  })

  test('offers the keys of a stage in the catalog', async () => {
    await server.open('stage.yaml', [...catalogHead, 'stages:', '  dev:', '    '].join('\n'))

    expect(await server.completions('stage.yaml', 6)).toEqual(expect.arrayContaining(['host', 'environment', 'soak']))
  })

  test('underlines what is wrong in a service, on its line', async () => {
    const lines = ['hots: []', 'inputs:', '  prot: 8080', '  desired_count: many', '  cpu: 300']
    const found = await server.open('services/cart/wrong.yaml', [...serviceHead, ...lines].join('\n'))

    expect(found).toEqual([
      { line: 4, message: 'Property hots is not allowed.' },
      { line: 6, message: 'Property prot is not allowed.' },
      { line: 7, message: 'Incorrect type. Expected "integer".' },
      { line: 8, message: expect.stringContaining('Value is not accepted.') },
    ])
  })

  test('underlines what is wrong in a catalog, in the words that the program has for it', async () => {
    const lines = [
      'stages:',
      '  dev:',
      '    hots: x',
      '  prod:',
      '    host: "{service}.{domain}"',
      '    soak: 30 minutes',
    ]
    const found = await server.open('wrong.yaml', [...catalogHead, ...lines].join('\n'))

    expect(found.map(({ line, message }) => `${line}: ${message}`)).toEqual([
      '5: Missing property "host".',
      '5: Missing property "environment".',
      '6: Property hots is not allowed.',
      '7: Missing property "environment".',
      '9: A duration such as 90s, 30m, 72h or 7d.',
    ])
  })
})
