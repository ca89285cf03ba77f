import { describe, expect, test } from 'vitest'
import { choices, proposalBody, serviceFiles, settledFiles, withRepository } from '../../src/core/add.ts'
import { type Catalog, readCatalog } from '../../src/core/catalog.ts'
import { small } from '../commands/organisation.ts'

const home = 'workflows: { actions: actions, repository: acme/catalog }\n'
const repository = { owner: 'acme', name: 'checkout' }

function catalogOf(more: string): { readonly catalog: Catalog; readonly text: string } {
  const files = small({ stages: ['dev', 'prod'], services: {} })
  const text = `${files.get('catalog.yaml') ?? ''}${more}`
  const read = readCatalog(new Map([...files, ['catalog.yaml', text]]))
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join('\n'))
  return { catalog: read.value, text }
}

describe('the files of a service', () => {
  test('are made from the only template that there is, at the address of each stage', () => {
    const { catalog } = catalogOf(home)
    const made = serviceFiles(catalog, { repository, input: [] })

    expect(choices(catalog)).toMatchObject([{ name: 'queue', version: '1.0.0', hasHost: false, required: [] }])
    expect(made.ok && made.value.files.get('service.yaml')).toContain('template: queue@1.0.0\n')
    expect(made.ok && [...made.value.files.keys()]).toEqual(
      expect.arrayContaining(['.github/workflows/pull-request.yml', '.protium/schemas/service.schema.json']),
    )
  })

  test('quote what could be read as something else', () => {
    const { catalog } = catalogOf(home)
    const made = serviceFiles(catalog, { repository, input: ['size=3', 'word=yes: #no', 'empty=', 'zero=007'] })

    expect(made.ok && made.value.files.get('service.yaml')).toContain(
      '  size: 3\n  word: "yes: #no"\n  empty: ""\n  zero: "007"\n',
    )
  })

  test('need a catalog that says where it is', () => {
    const { catalog } = catalogOf('')

    expect(serviceFiles(catalog, { repository, input: [] }).problems.map(({ code }) => code)).toEqual([
      'workflows-unset',
    ])
  })

  test('leave what is there, but for the schema, which follows the catalog', () => {
    const schema = '.protium/schemas/service.schema.json'
    const wanted = new Map([
      ['service.yaml', 'new'],
      [schema, 'new'],
      ['deploy.yml', 'new'],
    ])
    const there = new Map([
      ['service.yaml', 'old'],
      [schema, 'old'],
    ])

    expect(settledFiles(wanted, there)).toEqual({
      files: new Map([
        [schema, 'new'],
        ['deploy.yml', 'new'],
      ]),
      kept: ['service.yaml'],
    })
  })

  test('cannot break out of the text of the pull request', () => {
    const { catalog } = catalogOf(home)
    const body = proposalBody({
      catalog,
      service: 'checkout',
      wanted: new Map([['service.yaml', '```\n@acme/everybody <b>\n']]),
      kept: ['service.yaml'],
    })

    expect(body.markdown).toContain('````\n```\n@acme/everybody <b>\n')
    expect(body.markdown).toContain('When this is merged, the service is deployed stage by stage.')
  })
})

describe('catalog.yaml', () => {
  const wanted = { repository: 'acme/checkout', id: '12', service: 'checkout' }

  test('gets the repository where it has lists of them', () => {
    const { catalog, text } = catalogOf(
      `${home}services: { repositories: [acme/a] }\ntrust:\n  organisation: "1"\n  repositories:\n    acme/catalog: { id: "2" } # ours\n`,
    )
    const { text: after, left } = withRepository(catalog, text, wanted)

    expect(left).toEqual([])
    expect(after).toBe(`${text.replace('[acme/a]', '[acme/a, acme/checkout]')}    acme/checkout:\n      id: "12"\n`)
  })

  test('stays as it is where the repositories are found by a topic, or are in it already', () => {
    for (const services of ['{ topic: protium }', '[acme/checkout]']) {
      const { catalog, text } = catalogOf(`${home}services: { repositories: ${services} }\n`)

      expect(withRepository(catalog, text, wanted)).toEqual({ text, left: [] })
    }
  })

  test('says what is left to a person: a number that is not known, and a service of another name', () => {
    const { catalog, text } = catalogOf(
      `${home}trust: { organisation: "1", repositories: { acme/catalog: { id: "2" } } }\n`,
    )

    expect(withRepository(catalog, text, { ...wanted, id: undefined }).left).toEqual([
      '`acme/checkout: { id: "…" }` to `trust.repositories`',
    ])
    expect(withRepository(catalog, text, { ...wanted, service: 'shop' })).toEqual({
      text,
      left: ['`acme/checkout: { id: "…", services: [shop] }` to `trust.repositories`'],
    })
  })
})
