import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../../src/core/canonical.ts'
import {
  checkMigrations,
  consumerOf,
  coversInput,
  migrate,
  type Migrated,
  proposeMigration,
  upgradeSpec,
} from '../../../src/core/migration.ts'
import { bundle, consumer, migrationsOf } from './fixtures.ts'

const v1 = bundle(
  '1.4.0',
  'desired_count: { type: integer, default: 2 }\nsize: { type: string, default: small }\nlegacy: { type: boolean }',
)
const v2 = bundle(
  '2.0.0',
  'scaling: { type: object, properties: { min: { type: integer, default: 2 } } }\nsize: { type: string, enum: [small, large], default: small }',
)
const v3 = bundle(
  '3.0.0',
  'scaling: { type: object, properties: { least: { type: integer }, most: { type: integer, maximum: 100 } } }\ncpu: { type: integer, default: 512 }\ndata_class: { type: string, enum: [public, internal] }',
  ['data_class'],
)
const migrations = migrationsOf({
  '3.0.0': `inputs:
  - rename: { from: scaling.min, to: scaling.least }
  - compute: { path: scaling.most, expr: "scaling.least * 2" }
  - map: { path: size, to: cpu, values: { small: 256, large: 1024 } }
resources:
  - keep_id: { from: Service, to: ApiService }
notes: Sizes are numbers now.
`,
  '2.0.0': `inputs:
  - rename: { from: desired_count, to: scaling.min }
  - remove: { path: legacy }
resources:
  - keep_id: { from: Svc, to: Service }
`,
})

const file = `service: shop
template: web@1.4.0          # held back in May
inputs:
  desired_count: 3           # three zones
  size: large
  legacy: false
stages:
  prod:
    inputs: { desired_count: 60 }
`

function upgrade(text: string, from = '1.4.0', to = '3.0.0'): Migrated {
  const before = from === '1.4.0' ? v1 : v2
  return migrate({ consumer: consumer(text), from, to, migrations, before, after: to === '3.0.0' ? v3 : v2 })
}

describe('an upgrade over two majors', () => {
  test('is the file with the intended lines changed, and a question for what nobody can know', () => {
    const migrated = upgrade(file)
    expect(upgradeSpec('service.yaml', file, { reference: 'web@3.0.0', migrated })).toMatchObject({
      is: 'upgraded',
      text: `service: shop
template: web@3.0.0          # held back in May
inputs:
  scaling:
    least: 3           # three zones
    most: 6
  cpu: 1024
  data_class: "?? one of \\"public\\", \\"internal\\""
stages:
  prod:
    inputs: { scaling: { least: 60, most: 120 } }
keep:
  ApiService: Svc
`,
    })
    expect(migrated.asks.map(({ path, why }) => [path.join('.'), why])).toEqual([
      ['inputs.data_class', 'The new version needs it, and has no default.'],
      ['stages.prod.inputs.scaling.most', 'In the new version it is more than 100.'],
    ])
    expect(migrated.notes).toEqual([{ version: '3.0.0', text: 'Sizes are numbers now.' }])
    expect(
      migrated.shown.map(({ path, from, before, after }) => [path.join('.'), from?.join('.'), before, after]),
    ).toEqual([
      ['inputs.scaling.min', 'inputs.desired_count', 3, 3],
      ['stages.prod.inputs.scaling.min', 'stages.prod.inputs.desired_count', 60, 60],
      ['inputs.legacy', undefined, false, undefined],
      ['keep.Service', undefined, undefined, 'Svc'],
      ['inputs.scaling.least', 'inputs.scaling.min', 3, 3],
      ['stages.prod.inputs.scaling.least', 'stages.prod.inputs.scaling.min', 60, 60],
      ['inputs.scaling.most', undefined, undefined, 6],
      ['stages.prod.inputs.scaling.most', undefined, undefined, 120],
      ['inputs.cpu', 'inputs.size', 'large', 1024],
      ['keep.ApiService', undefined, undefined, 'Svc'],
    ])
  })

  test('in two steps comes to the same as in one', () => {
    const once = upgrade(file)
    const first = upgradeSpec('service.yaml', file, {
      reference: 'web@2.0.0',
      migrated: upgrade(file, '1.4.0', '2.0.0'),
    })
    if (first.is !== 'upgraded') throw new Error(first.is)
    const second = upgrade(first.text, '2.0.0', '3.0.0')
    expect(second.after).toEqual(once.after)
  })

  test('tells of defaults that are others, and what keeps the old ones', () => {
    const migrated = upgrade('service: shop\ntemplate: web@1.4.0\ninputs: { data_class: public }\n')
    expect(migrated.asks).toEqual([])
    expect(migrated.defaults).toEqual([
      {
        path: ['inputs', 'scaling', 'least'],
        before: 2,
        keep: { is: 'set', path: ['inputs', 'scaling', 'least'], value: 2 },
      },
      {
        path: ['inputs', 'scaling', 'most'],
        before: 4,
        keep: { is: 'set', path: ['inputs', 'scaling', 'most'], value: 4 },
      },
      { path: ['inputs', 'cpu'], before: 256, after: 512, keep: { is: 'set', path: ['inputs', 'cpu'], value: 256 } },
    ])
  })

  test('keeps what no version knows, and says so', () => {
    const { unknown, edits } = upgrade('inputs: { data_class: public, colour: red }\n')
    expect(unknown).toEqual([{ path: ['inputs', 'colour'], why: 'No version has such an input.', isNew: false }])
    expect(edits).toHaveLength(2)
    const lost = migrate({
      consumer: consumer('inputs: { data_class: public, legacy: true }\n'),
      from: '1.4.0',
      to: '3.0.0',
      migrations: [],
      before: v1,
      after: v3,
    })
    expect(lost.asks.map(({ path }) => path.join('.'))).toEqual(['inputs.legacy'])
    expect(lost.unknown.map(({ path, isNew }) => [path.join('.'), isNew])).toEqual([['inputs.legacy', true]])
  })

  test('does nothing where there is no way to go, and nothing twice', () => {
    expect(upgrade('inputs: {}\n', '3.0.0', '3.0.0').edits.filter(({ is }) => is === 'rename')).toEqual([])
    expect(
      upgrade('inputs: { scaling: { least: 1, most: 2 }, data_class: public }\n').edits.map(({ is, path }) => [
        is,
        path.join('.'),
      ]),
    ).toEqual([
      ['set', 'keep.Service'],
      ['rename', 'keep.Service'],
    ])
  })
})

test('the file of an environment is taken along as well', () => {
  const environment = (version: string, properties: string) => {
    const { schema, ...rest } = bundle(version, properties)
    const { service, file } = schema
    return {
      ...rest,
      kind: 'environment' as const,
      schema: { file, ...(service !== undefined && { environment: service }) },
    }
  }
  const text = 'environment: dev\ntemplate: net@1.0.0\ninputs: { cidr: 10.0.0.0/16 } # wide\n'
  const migrated = migrate({
    consumer: consumer(text),
    from: '1.0.0',
    to: '2.0.0',
    migrations: migrationsOf({
      '2.0.0':
        'inputs:\n  - rename: { from: cidr, to: network.cidr }\nresources:\n  - keep_id: { from: Vpc, to: Network }\n',
    }),
    before: environment('1.0.0', 'cidr: { type: string }\nzones: { type: integer, default: 2 }'),
    after: environment(
      '2.0.0',
      'network: { type: object, properties: { cidr: { type: string } } }\nzones: { type: integer, default: 3 }',
    ),
  })
  expect(upgradeSpec('environments/dev.yaml', text, { reference: 'net@2.0.0', migrated })).toMatchObject({
    text: 'environment: dev\ntemplate: net@2.0.0\ninputs: { network: { cidr: 10.0.0.0/16 } } # wide\nkeep:\n  Network: Vpc\n',
  })
  expect(migrated.defaults).toEqual([
    { path: ['inputs', 'zones'], before: 2, after: 3, keep: { is: 'set', path: ['inputs', 'zones'], value: 2 } },
  ])
})

test('invariant: whatever a file gives, what its edits make of it is what was said, and the rest stays', () => {
  const inputs = fc.record(
    {
      desired_count: fc.constantFrom('3', '"x"', '60'),
      size: fc.constantFrom('small', 'large', 'huge', '7'),
      legacy: fc.constantFrom('true', 'false'),
      scaling: fc.constantFrom('{ min: 1 }', '{}', 'none', '{ least: 2, other: 1 }'),
      colour: fc.constantFrom('red', '[a, b]'),
    },
    { requiredKeys: [] },
  )
  const lines = (map: Readonly<Record<string, string | undefined>>, indent: string): string =>
    Object.entries(map)
      .map(([key, value], index) => `${indent}${key}: ${value ?? ''}${index % 2 === 0 ? '  # mine' : ''}\n`)
      .join('')
  fc.assert(
    fc.property(inputs, inputs, (all, prod) => {
      const text = `service: shop\ntemplate: web@1.4.0\ninputs:\n${lines(all, '  ')}stages:\n  prod:\n    inputs:\n${lines(prod, '      ')}\n# the end\n`
      const migrated = upgrade(text)
      const result = upgradeSpec('service.yaml', text, { reference: 'web@3.0.0', migrated })
      if (result.is === 'blocked') return
      if (result.is === 'unsure') throw new Error(`${result.why}\n${text}\n${JSON.stringify(migrated.edits)}`)
      const after = consumerOf('service.yaml', result.text)
      if (!after.ok) throw new Error(result.text)
      expect(canonicalJson(after.value.inputs)).toBe(canonicalJson(migrated.after.inputs))
      expect(after.value.stages).toEqual(migrated.after.stages)
      expect(result.text).toContain('\n# the end\n')
      // Each ask stands in the file, or is about a value that does.
      for (const { placeholder } of migrated.asks) if (placeholder !== undefined) expect(result.text).toContain('??')
    }),
    { numRuns: 400 },
  )
})

describe('a draft of a migration', () => {
  const schema = (version: string, properties: string, required: readonly string[] = []) => {
    const own = bundle(version, properties, required).schema.service
    if (own === undefined) throw new Error('no schema')
    return own
  }

  test('is what the two schemas say by themselves', () => {
    const before = schema(
      '1.0.0',
      'desired_count: { type: integer }\nport: { type: string, default: "80" }\nflag: { type: boolean }\nclass: { type: string, enum: [a, b] }',
    )
    const after = schema(
      '2.0.0',
      'desired_counts: { type: integer }\nport: { type: integer, default: 8080 }\nclass: { type: string, enum: [a] }\nowner_mail: { type: string, description: Who is called. }',
      ['owner_mail'],
    )
    const { text, asked } = proposeMigration(before, after)
    expect(asked).toEqual(['owner_mail'])
    expect(text?.split('\n').filter((line) => line.startsWith('  - ') && !line.startsWith('  - name:'))).toEqual([
      '  - rename: { from: desired_count, to: desired_counts }',
      '  - remove: { path: flag, when: "false", else: ask }',
      '  - convert: { path: port, as: integer }',
      '  - map: { path: class, values: { a: a }, else: ask }',
      '  - ask: { path: owner_mail, type: string, why: "Who is called." }',
    ])
    expect(migrationsOf({ '2.0.0': text ?? '' })[0]?.inputs).toHaveLength(5)
    expect(proposeMigration(before, before)).toEqual({ text: undefined, steps: [], asked: [] })
  })

  test('holds what it says: its example is tried, and comes out', () => {
    const before = bundle(
      '1.0.0',
      'flag: { type: boolean }\nkind: { type: string, default: small }\nbacklog_target: { type: integer, minimum: 10 }\nimage: { type: string }\nclass: { type: string, enum: [b, a] }',
      ['image'],
    )
    const after = bundle(
      '2.0.0',
      'backlog_targets: { type: integer, minimum: 10 }\nimage: { type: string }\nclass: { type: string, enum: [a] }\ndata_class: { type: string, enum: [public, internal] }',
      ['image', 'data_class'],
    )
    const [old, now] = [before.schema.service, after.schema.service]
    const { text = '' } = old === undefined || now === undefined ? {} : proposeMigration(old, now)
    const drafted = migrationsOf({ '2.0.0': text })

    expect(drafted[0]?.examples).toMatchObject([
      {
        before: { flag: true, kind: 'small', backlog_target: 10, image: 'example', class: 'b' },
        after: { backlog_targets: 10, image: 'example' },
        ask: [['flag'], ['class'], ['data_class']],
      },
    ])
    expect(checkMigrations({ migrations: drafted, bundles: new Map([[2, after]]) })).toEqual([])
  })

  test('and whether an input is seen to by one can be asked', () => {
    const covers = (path: string, from = '1.0.0'): boolean =>
      coversInput(migrations, { from, to: '3.0.0', path: path.split('.') })
    expect([covers('scaling'), covers('scaling.most'), covers('cpu'), covers('data_class')]).toEqual([
      true,
      true,
      true,
      false,
    ])
    expect(covers('cpu', '3.0.0')).toBe(false)
  })
})
