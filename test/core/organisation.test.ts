import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readOrganisation, type Unit } from '../../src/core/organisation.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { brief, lines, manifest, organisationFiles, schemaFile, treeOf } from './trees.ts'

type Files = Readonly<Record<string, string | undefined>>

function organisation(...more: readonly Files[]) {
  return readOrganisation(treeOf(organisationFiles, ...more), () => undefined)
}

/** The organisation with this text as the file of its one service. */
function withService(text: string, ...more: readonly Files[]) {
  return organisation({ 'services/checkout/service.yaml': lines(text) }, ...more)
}

function unitOf(read: ReturnType<typeof organisation>, id: string): Unit {
  const unit = read.ok ? read.value.units.find((each) => each.id === id) : undefined
  if (unit === undefined) throw new Error(`no ${id}: ${JSON.stringify(read.problems)}`)
  return unit
}

const other = (text: string): Files => ({ 'services/other/service.yaml': lines(text) })
const webFolder = Object.entries(organisationFiles).filter(([path]) => path.startsWith('templates/web/v1/'))
const released: FileTree = new Map(webFolder.map(([path, text]) => [path.replace('templates/web/v1/', ''), text]))
const withoutPipeline: Files = {
  'templates/web/v1/pipeline_infrastructure/manifest.yaml': undefined,
  'templates/web/v1/pipeline_infrastructure/cloudformation.yaml': undefined,
}
const digest = `registry.example.com/shop@sha256:${'0'.repeat(64)}`

describe('an organisation', () => {
  test('has its environments, then its services, stage by stage', () => {
    const read = organisation()
    expect(read.problems).toEqual([])
    if (!read.ok) return
    expect(read.value.units.map((unit) => [unit.kind, unit.id, unit.stack])).toEqual([
      ['environment', 'environment/dev', 'env-dev'],
      ['environment', 'environment/prod', 'env-prod'],
      ['instance', 'checkout/dev', 'checkout-dev'],
      ['instance', 'checkout/prod', 'checkout-prod'],
    ])
    expect(read.value.services[0]?.stages.map(({ hosts }) => hosts)).toEqual([
      ['checkout.dev.example.com'],
      ['checkout.example.com'],
    ])
    expect(read.value.services[0]?.stages[1]).toMatchObject({
      because: 'more people',
      stage: { name: 'prod', production: true },
    })
  })

  test('reads the one service file at the root where a service is laid over its catalog', () => {
    const text = organisationFiles['services/checkout/service.yaml'] ?? ''
    const read = organisation({ 'services/checkout/service.yaml': undefined, 'service.yaml': text })
    expect(read.ok && read.value.units.map(({ id }) => id)).toContain('checkout/dev')
  })

  test('reads each bundle once, and gives it to all that use it', () => {
    const read = organisation(other('service: other\ntemplate: web@1.4.2\nstages: { dev: }'))
    expect(unitOf(read, 'other/dev').bundle).toBe(unitOf(read, 'checkout/prod').bundle)
  })

  test('tells the faults of all files at once', () => {
    const read = organisation(
      {
        'environments/dev.yaml':
          'environment: dev\ntemplate: net@1.9.0\naccount: "111111111111"\nregion: ap-northeast-2\n',
      },
      { 'services/checkout/service.yaml': 'service: checkout\ntemplate: wbe@1.4.2\nhots: []\nstages: { dve: }\n' },
      other('service: other\ntemplate: web@1.4.2\nhosts: [other.dev.example.com]\ninputs: { port: x, prot: 1 }'),
    )
    expect(brief(read.problems)).toEqual([
      'unknown-version environments/dev.yaml:2',
      'unknown-template services/checkout/service.yaml:2',
      'unknown-key services/checkout/service.yaml:3',
      'unknown-stage services/checkout/service.yaml:4',
      'input-type services/other/service.yaml:4',
      'unknown-input services/other/service.yaml:4',
    ])
  })

  test('is read in any order of its files to the same units', () => {
    const files = Object.entries(organisationFiles)
    const wanted = organisation()
    fc.assert(
      fc.property(fc.shuffledSubarray(files, { minLength: files.length }), (shuffled) => {
        const read = readOrganisation(new Map(shuffled), () => undefined)
        expect(read.ok && read.value.units.map(({ id, inputs }) => [id, inputs])).toEqual(
          wanted.ok && wanted.value.units.map(({ id, inputs }) => [id, inputs]),
        )
      }),
      { numRuns: 20 },
    )
  })
})

describe('a template that a service names', () => {
  test.each([
    ['wbe@1.4.2', 'unknown-template', 'The catalog has no template "wbe". Did you mean "web"?'],
    ['web@1.4.3', 'unknown-version', 'The template "web" has no version 1.4.3.'],
    [
      'net@1.0.0',
      'wrong-template',
      '"net" is a template of kind environment, and a template of kind service is wanted here.',
    ],
  ])('%s is refused: %s', (template, code, message) => {
    const read = withService(`service: checkout\ntemplate: ${template}\nhosts: [checkout.dev.example.com]`)
    expect(read.problems.map((problem) => [problem.code, problem.message, problem.at?.line])).toEqual([
      [code, message, 2],
    ])
  })

  test('may be of a released version, which is read once', () => {
    const asked: string[] = []
    const files = treeOf(organisationFiles, {
      'services/checkout/service.yaml': 'service: checkout\ntemplate: web@1.3.0\nstages: { dev: , prod: }\n',
      'services/other/service.yaml': 'service: other\ntemplate: web@1.3.0\nstages: { dev: }\n',
    })
    const read = readOrganisation(files, (template, version) => {
      asked.push(`${template}@${version}`)
      return released
    })
    expect(asked).toEqual(['web@1.3.0'])
    expect(unitOf(read, 'checkout/dev').bundle).toMatchObject({ version: '1.3.0', root: 'web@1.3.0' })
  })

  test('in a version that there is not names those that there are, in the order of versions', () => {
    const read = readOrganisation(
      treeOf(organisationFiles, {
        'services/checkout/service.yaml': 'service: checkout\ntemplate: web@2.0.0\nstages: { dev: }\n',
      }),
      () => undefined,
      ['web@1.10.0', 'web@1.2.0', 'net@7.0.0'],
    )
    expect(read.problems.map(({ expected }) => expected)).toEqual(['One of 1.2.0, 1.4.2, 1.10.0.'])
  })

  test('that cannot be read is told once, not in every service', () => {
    const read = organisation({ 'templates/web/v1/schema/schema.yaml': 'schema: {}' })
    expect(new Set(read.problems.map(({ at }) => at?.file))).toEqual(new Set(['templates/web/v1/schema/schema.yaml']))
  })

  test('that does not fit the environment is refused, with the template of the environment', () => {
    const read = organisation({ 'templates/web/v1/.compatible-envs': 'net:2\nmesh:1\n' })
    expect(read.problems).toMatchObject([
      {
        code: 'template-incompatible',
        expected: 'An environment of net:2 or mesh:1.',
        at: { line: 2 },
        related: [{ at: { file: 'environments/dev.yaml', line: 2 } }],
      },
    ])
  })
})

describe('hosts', () => {
  test.each<[string, readonly string[]]>([
    ['checkout.test.example.com', ['host-unclaimed']],
    ['checkout-pr-1.preview.example.com', ['host-unclaimed']],
    ['https://checkout.example.com', ['host-invalid']],
    ['checkuot.dev.example.com', ['host-service']],
    ['CheckOut.Dev.example.com', []],
  ])('%s: %j', (host, expected) => {
    const read = withService(`service: checkout\ntemplate: web@1.4.2\nhosts:\n  - ${host}`)
    expect(brief(read.problems)).toEqual(expected.map((code) => `${code} services/checkout/service.yaml:4`))
  })

  test('of no stage are answered with those that the service can have', () => {
    const read = withService('service: checkout\ntemplate: web@1.4.2\nhosts: [checkout.dve.example.com]')
    expect(read.problems[0]).toMatchObject({
      message: 'The host checkout.dve.example.com belongs to no stage. Did you mean "checkout.dev.example.com"?',
      expected: 'For this service: checkout.dev.example.com, checkout.example.com.',
    })
  })

  test('of two stages are refused, as their patterns are', () => {
    const read = organisation({
      'catalog.yaml': (organisationFiles['catalog.yaml'] ?? '').replace(
        '{service}.dev.{domain}',
        '{service}t.{domain}',
      ),
    })
    expect(read.problems.map(({ code }) => code)).toEqual(['host-patterns-overlap', 'host-unclaimed', 'host-ambiguous'])
  })

  test('are in one service, and both places are shown', () => {
    const read = organisation(other('service: other\ntemplate: web@1.4.2\nhosts:\n  - checkout.dev.example.com'))
    expect(brief(read.problems)).toEqual([
      'host-service services/other/service.yaml:4',
      'host-taken services/other/service.yaml:4',
    ])
    expect(read.problems[1]?.related).toEqual([
      { at: { file: 'services/checkout/service.yaml', line: 5, column: 5 }, note: 'the other claimant' },
    ])
  })

  test('stand once in a file', () => {
    const read = withService(
      'service: checkout\ntemplate: web@1.4.2\nhosts:\n  - checkout.example.com\n  - checkout.example.com',
    )
    expect(brief(read.problems)).toEqual(['host-taken services/checkout/service.yaml:5'])
  })

  test('whatever they are, each is in exactly one stage, or the file is refused', () => {
    const word = fc.constantFrom('checkout', 'dev', 'x', 'preview', 'checkout-pr-1', '-', '')
    const host = fc
      .tuple(fc.array(word, { maxLength: 3 }), fc.constantFrom('example.com', 'example.org'))
      .map(([words, domain]) => [...words, domain].join('.'))
    fc.assert(
      fc.property(fc.uniqueArray(host, { minLength: 1, maxLength: 3 }), (hosts) => {
        const read = withService(`service: checkout\ntemplate: web@1.4.2\nhosts: ${JSON.stringify(hosts)}`)
        if (!read.ok) {
          expect(read.problems.length).toBeGreaterThan(0)
          return
        }
        const placed = read.value.services.flatMap(({ stages }) => stages.flatMap((each) => each.hosts))
        expect(placed.toSorted()).toEqual(hosts.toSorted())
      }),
    )
  })
})

describe('the stages of a service', () => {
  test('are those that it names where it has no hosts, in the order of promotion', () => {
    const read = withService(
      'service: checkout\ntemplate: web@1.4.2\nstages: { prod: , dev: { inputs: { size: small } } }',
    )
    expect(read.ok && read.value.units.filter(({ kind }) => kind === 'instance').map(({ id }) => id)).toEqual([
      'checkout/dev',
      'checkout/prod',
    ])
    expect(unitOf(read, 'checkout/dev').service?.stages.flatMap(({ hosts }) => hosts)).toEqual([])
  })

  test.each([
    ['', 'no-stages', 1],
    ['stages: { dve: }', 'unknown-stage', 3],
    ['hosts: [checkout.dev.example.com]\nstages: { prod: }', 'stage-without-host', 4],
    ['hosts: []', 'no-stages', 1],
  ])('%j: %s', (text, code, line) => {
    const read = withService(`service: checkout\ntemplate: web@1.4.2\n${text}`)
    expect(brief(read.problems)).toEqual([`${code} services/checkout/service.yaml:${line}`])
  })
})

describe('the name of a service', () => {
  test('is unique; the second is told, with the place of the first', () => {
    const read = organisation(other('service: checkout\ntemplate: web@1.4.2\nhosts: [checkout.dev.example.com]'))
    expect(brief(read.problems)).toEqual(['service-twice services/other/service.yaml:1'])
    expect(read.problems[0]?.related?.[0]?.at).toEqual({ file: 'services/checkout/service.yaml', line: 1, column: 10 })
  })

  test('is not "environment"', () => {
    const text = 'service: environment\ntemplate: web@1.4.2\nstages: { dev: }'
    const read = organisation({ 'services/environment/service.yaml': text })
    expect(brief(read.problems)).toEqual(['service-name services/environment/service.yaml:1'])
  })

  test('is that of its folder', () => {
    const read = organisation(other('service: cart\ntemplate: web@1.4.2\nstages: { dev: }'))
    expect(brief(read.problems)).toEqual(['service-folder services/other/service.yaml:1'])
  })
})

describe('a reading of some services alone', () => {
  /** Reads again and again with what was asked for, as a command does. */
  function readOnly(files: Files, service: string) {
    const all = treeOf(organisationFiles, files)
    const within = new Set([service])
    for (;;) {
      const asked = new Set<string>()
      const tree = new Map(
        [...all].filter(([path]) => !path.startsWith('services/') || within.has(path.split('/')[1] ?? '')),
      )
      const only = { services: new Set([service]), wants: (name: string) => void asked.add(name) }
      const read = readOrganisation(tree, () => undefined, [], only)
      const more = [...asked].filter((name) => !within.has(name))
      if (more.length === 0) return { read, within }
      for (const name of more) within.add(name)
    }
  }

  test('asks for no other where no name leads to one', () => {
    const { read, within } = readOnly(
      other('service: other\ntemplate: web@1.4.2\nhosts: [other.dev.example.com]'),
      'other',
    )
    expect(read.problems).toEqual([])
    expect(read.ok && read.value.units.map(({ id }) => id)).toEqual([
      'environment/dev',
      'environment/prod',
      'other/dev',
    ])
    expect([...within]).toEqual(['other'])
  })

  test('leaves out what others have done wrong', () => {
    const { read } = readOnly(other('service: other\ntemplate: no-such@1.0.0'), 'checkout')
    expect(read.problems).toEqual([])
  })

  test('finds the problems of a whole reading with these services, whoever claims what', () => {
    const catalog = lines(`
      catalog: acme
      domain: example.com
      stages:
        dev: { host: "{service}.dev.{domain}", environment: dev }
        b-dev: { host: "{service}.b-dev.{domain}", environment: dev }
    `)
    const name = fc.constantFrom('a', 'a-b', 'b', 'a-b-dev')
    const host = fc
      .tuple(name, fc.constantFrom('dev', 'b-dev'))
      .map(([service, stage]) => `${service}.${stage}.example.com`)
    const hosts = fc.array(host, { minLength: 1, maxLength: 4 })
    const pipeline = fc.constantFrom('', 'pipeline: {}')
    const all = fc.dictionary(name, fc.tuple(fc.option(name), hosts, pipeline), { minKeys: 2 })
    fc.assert(
      fc.property(all, (services) => {
        const files: Record<string, string | undefined> = {
          'catalog.yaml': catalog,
          'services/checkout/service.yaml': undefined,
        }
        for (const [folder, [called, its, more]] of Object.entries(services)) {
          files[`services/${folder}/service.yaml`] =
            `service: ${called ?? folder}\ntemplate: web@1.4.2\nhosts: ${JSON.stringify(its)}\n${more}\n`
        }
        const whole = organisation(files)
        for (const folder of Object.keys(services)) {
          const file = `services/${folder}/service.yaml`
          const { read } = readOnly(files, folder)
          const about = whole.problems.filter(
            ({ at, related = [] }) => at?.file === file || related.some((each) => each.at.file === file),
          )
          const told = read.problems.filter(
            ({ at, related = [] }) => at?.file === file || related.some((each) => each.at.file === file),
          )
          const own = (problems: readonly { readonly at?: { readonly file: string }; readonly code: string }[]) =>
            problems.filter(({ at, code }) => at?.file === file || code === 'stack-taken')
          expect(own(told)).toEqual(own(about))
          // Nothing is told of another's file that is not a clash with this one.
          expect(read.problems.filter(({ at }) => at?.file !== file).every((each) => told.includes(each))).toBe(true)
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('inputs', () => {
  const text = `
    service: checkout
    template: web@1.4.2
    hosts: [checkout.dev.example.com, checkout.example.com]
    inputs:
      port: 8080
      env:
        A: "1"
        B: "2"
    stages:
      prod:
        inputs:
          env:
            B: "3"
            C: "4"
          size: large
  `

  test('of a stage replace those of the service; of a map, key by key', () => {
    const read = withService(text)
    expect(Object.entries(unitOf(read, 'checkout/dev').inputs)).toEqual([
      ['port', 8080],
      ['image', 'public.example.com/placeholder:1'],
      ['env', expect.objectContaining({ A: '1', B: '2' })],
    ])
    const { inputs } = unitOf(read, 'checkout/prod')
    expect({ ...inputs, env: Object.entries(inputs['env'] ?? {}) }).toEqual({
      port: 8080,
      image: 'public.example.com/placeholder:1',
      size: 'large',
      env: [
        ['A', '1'],
        ['B', '3'],
        ['C', '4'],
      ],
    })
  })

  test('have the place where their value is written', () => {
    const read = withService(text)
    const lineOf = (id: string, name: string): string => {
      const { file, line } = unitOf(read, id).inputPlace(name)
      return `${file}:${line}`
    }
    expect(lineOf('checkout/prod', 'port')).toBe('services/checkout/service.yaml:5')
    expect(lineOf('checkout/prod', 'size')).toBe('services/checkout/service.yaml:15')
    expect(lineOf('checkout/dev', 'image')).toBe('templates/web/v1/schema/schema.yaml:11')
    expect(lineOf('environment/prod', 'cidr')).toBe('environments/prod.yaml:5')
    expect(lineOf('environment/dev', 'cidr')).toBe('templates/net/v1/schema/schema.yaml:8')
  })

  test('that are wrong are told once, on the line of the stage or of the service', () => {
    const wrong = text.replace('port: 8080', 'port: 0').replace('C: "4"', 'C: 4').replace('size: large', 'size: huge')
    expect(brief(withService(wrong).problems)).toEqual([
      'input-value services/checkout/service.yaml:5',
      'input-type services/checkout/service.yaml:14',
      'input-value services/checkout/service.yaml:15',
    ])
  })

  test('that are missing are told at `inputs:`, or at the template where there are none', () => {
    const schema = (organisationFiles['templates/web/v1/schema/schema.yaml'] ?? '').replace(
      '    Input:\n      type: object\n',
      '    Input:\n      type: object\n      required: [size]\n',
    )
    const files = { 'templates/web/v1/schema/schema.yaml': schema }
    expect(
      brief(withService('service: checkout\ntemplate: web@1.4.2\nhosts: [checkout.dev.example.com]', files).problems),
    ).toEqual(['missing-input services/checkout/service.yaml:2'])
    expect(
      brief(
        withService(
          'service: checkout\ntemplate: web@1.4.2\nhosts: [checkout.dev.example.com]\ninputs: { port: 1 }',
          files,
        ).problems,
      ),
    ).toEqual(['missing-input services/checkout/service.yaml:4'])
    const everywhere =
      'service: checkout\ntemplate: web@1.4.2\nhosts: [checkout.dev.example.com]\nstages: { dev: { inputs: { size: small } } }'
    expect(withService(everywhere, files).ok).toBe(true)
  })

  test('that hold a secret are refused in every file, without showing it', () => {
    const secret = ['AKIA', 'IOSFODNN7EXAMPLE'].join('')
    const read = withService(
      `service: checkout\ntemplate: web@1.4.2\nhosts: [checkout.dev.example.com]\ninputs: { env: { A: ${secret} } }\nstages: { dev: { inputs: { env: { B: ${secret} } } } }`,
    )
    expect(brief(read.problems)).toEqual([
      'secret-value services/checkout/service.yaml:4',
      'secret-value services/checkout/service.yaml:5',
    ])
    expect(JSON.stringify(read.problems)).not.toContain(secret)
  })

  test.each([
    [`image: ${digest}`, []],
    ['image: registry.example.com/shop:1.0', ['image-tag services/checkout/service.yaml:4']],
    ['image: public.example.com/placeholder:1', []],
    ['port: 80', []],
  ])('in production an image is named by its digest: %s', (line, expected) => {
    const read = withService(
      `service: checkout\ntemplate: web@1.4.2\nhosts: [checkout.dev.example.com, checkout.example.com]\ninputs: { ${line} }`,
    )
    expect(brief(read.problems)).toEqual(expected)
  })

  test('before production an image may have a tag', () => {
    expect(
      withService(
        'service: checkout\ntemplate: web@1.4.2\nhosts: [checkout.dev.example.com]\ninputs: { image: "shop:1" }',
      ).ok,
    ).toBe(true)
  })
})

describe('an input that takes the address', () => {
  const addressed = (more = ''): Files => ({
    ...withoutPipeline,
    'templates/web/v1/schema/schema.yaml': schemaFile(
      'service',
      `properties: { host: { type: string, x-protium-host: true${more} } }${more === '' ? '\nrequired: [host]' : ''}`,
    ),
  })
  const hosts = 'hosts: [checkout.dev.example.com, CHECKOUT.example.com]'

  test('has the host of each stage, and the place where that is written', () => {
    const read = withService(`service: checkout\ntemplate: web@1.4.2\n${hosts}`, addressed())

    expect(read.problems).toEqual([])
    expect(unitOf(read, 'checkout/dev').inputs).toEqual({ host: 'checkout.dev.example.com' })
    expect(unitOf(read, 'checkout/prod').inputs).toEqual({ host: 'checkout.example.com' })
    expect(unitOf(read, 'checkout/prod').inputPlace('host')).toMatchObject({ line: 3, column: 35 })
  })

  test('is what a person writes, where one does', () => {
    const read = withService(
      `service: checkout\ntemplate: web@1.4.2\n${hosts}\nstages: { prod: { because: x, inputs: { host: a.example.com } } }`,
      addressed(),
    )

    expect(unitOf(read, 'checkout/dev').inputs).toEqual({ host: 'checkout.dev.example.com' })
    expect(unitOf(read, 'checkout/prod').inputs).toEqual({ host: 'a.example.com' })
  })

  test('is refused to a service without hosts, at each of its stages, with the host to write', () => {
    const read = withService('service: checkout\ntemplate: web@1.4.2\nstages:\n  dev: {}\n  prod: {}', addressed())

    expect(brief(read.problems)).toEqual([
      'host-missing services/checkout/service.yaml:4',
      'host-missing services/checkout/service.yaml:5',
    ])
    expect(read.problems[1]?.expected).toContain('checkout.example.com')
  })

  test('has its default in a service without hosts, where the template can do without', () => {
    const read = withService(
      'service: checkout\ntemplate: web@1.4.2\nstages: { dev: }',
      addressed(', default: nowhere'),
    )

    expect(unitOf(read, 'checkout/dev').inputs).toEqual({ host: 'nowhere' })
  })
})

describe('the names of services among the inputs', () => {
  const calling: Files = {
    ...withoutPipeline,
    'templates/web/v1/schema/schema.yaml': schemaFile(
      'service',
      'properties: { calls: { type: array, default: [], items: { type: string, x-protium-service: true } } }',
    ),
    'services/inventory/service.yaml': 'service: inventory\ntemplate: web@1.4.2\nstages: { dev: }\n',
  }
  const checkout = (calls: string): string =>
    lines(
      `service: checkout\ntemplate: web@1.4.2\nhosts: [checkout.dev.example.com]\ninputs:\n  calls:\n    - ${calls}`,
    )

  test('are looked up; one that is not there is doubtful, once, with the nearest', () => {
    const read = withService(`${checkout('inventroy')}stages: { dev: }`, calling)

    expect(read.ok).toBe(true)
    expect(read.problems).toMatchObject([
      {
        code: 'unknown-service',
        severity: 'warning',
        message: 'There is no service "inventroy" here. Did you mean "inventory"?',
        at: { line: 6, column: 7 },
      },
    ])
    expect(withService(checkout('inventory'), calling).problems).toEqual([])
  })

  test('are not told to be wrong because the other service has a fault', () => {
    const read = withService(checkout('inventory'), calling, { 'services/inventory/service.yaml': 'service: [' })

    expect(read.problems.map(({ code }) => code)).not.toContain('unknown-service')
  })

  test('are those of other repositories where a service has one of its own', () => {
    const read = organisation(calling, {
      'services/inventory/service.yaml': undefined,
      'services/checkout/service.yaml': undefined,
      'service.yaml': checkout('anything'),
    })

    expect(read.problems).toEqual([])
  })

  test('are looked for where only the calling service is read', () => {
    const tree = treeOf(organisationFiles, calling, { 'services/checkout/service.yaml': checkout('inventory') })
    const wanted: string[] = []
    const only = { services: new Set(['checkout']), wants: (name: string) => void wanted.push(name) }
    const alone = new Map([...tree].filter(([path]) => !path.startsWith('services/inventory/')))

    readOrganisation(alone, () => undefined, [], only)

    expect(wanted).toContain('inventory')
    expect(readOrganisation(tree, () => undefined, [], only).problems).toEqual([])
  })
})

describe('stacks', () => {
  test('have the names that adopted ones have', () => {
    const read = withService(
      'service: checkout\ntemplate: web@1.4.2\nhosts: [checkout.dev.example.com, checkout.example.com]\nstack: shop-{stage}\nstages: { prod: { stack: AWSProton-checkout-x1 } }',
    )
    expect([unitOf(read, 'checkout/dev').stack, unitOf(read, 'checkout/prod').stack]).toEqual([
      'shop-dev',
      'AWSProton-checkout-x1',
    ])
  })

  test('are named by the pattern of the catalog', () => {
    const read = organisation({
      'catalog.yaml': `${organisationFiles['catalog.yaml']}stacks: { name: "acme-{stage}-{service}" }\n`,
    })
    expect(unitOf(read, 'checkout/dev').stack).toBe('acme-dev-checkout')
  })

  test('of two units in one account are refused, with both places', () => {
    const read = organisation(
      {
        'environments/prod.yaml': (organisationFiles['environments/prod.yaml'] ?? '').replace(
          '222222222222',
          '111111111111',
        ),
      },
      other('service: other\ntemplate: web@1.4.2\nstages: { dev: { stack: checkout-prod } }'),
    )
    expect(read.problems).toMatchObject([
      {
        code: 'stack-taken',
        at: { file: 'services/other/service.yaml', line: 3 },
        related: [{ at: { file: 'services/checkout/service.yaml', line: 1 } }],
      },
    ])
  })

  test('of one name in two accounts are two stacks', () => {
    expect(
      withService(
        'service: checkout\ntemplate: web@1.4.2\nhosts: [checkout.dev.example.com, checkout.example.com]\nstack: shop',
      ).ok,
    ).toBe(true)
  })

  test('have names of at most 128 characters', () => {
    const read = organisation({
      'catalog.yaml': `${organisationFiles['catalog.yaml']}stacks: { name: "${'x'.repeat(120)}-{service}-{stage}" }\n`,
    })
    expect(brief(read.problems)).toEqual([
      'stack-name services/checkout/service.yaml:1',
      'stack-name services/checkout/service.yaml:1',
    ])
  })
})

describe('a pipeline', () => {
  test('is a unit where the service asks for it, with the defaults of its own schema', () => {
    const read = withService('service: checkout\ntemplate: web@1.4.2\nhosts: [checkout.dev.example.com]\npipeline:')
    expect(unitOf(read, 'checkout/pipeline')).toMatchObject({
      kind: 'pipeline',
      stack: 'checkout-pipeline',
      inputs: { dockerfile: 'Dockerfile' },
      environment: { name: 'dev' },
    })
  })

  test('has its inputs checked on their lines', () => {
    const read = withService(
      'service: checkout\ntemplate: web@1.4.2\nhosts: [checkout.dev.example.com]\npipeline:\n  inputs:\n    dockerflie: x',
    )
    expect(brief(read.problems)).toEqual(['unknown-input services/checkout/service.yaml:6'])
  })

  test('cannot be asked of a template without one', () => {
    const files = {
      'templates/web/v1/pipeline_infrastructure/manifest.yaml': undefined,
      'templates/web/v1/pipeline_infrastructure/cloudformation.yaml': undefined,
    }
    const read = withService(
      'service: checkout\ntemplate: web@1.4.2\nhosts: [checkout.dev.example.com]\npipeline: {}',
      files,
    )
    expect(read.problems.filter(({ severity }) => severity === 'error').map(({ code }) => code)).toEqual([
      'no-pipeline',
    ])
  })
})

describe('a component', () => {
  const files = {
    'services/checkout/component/manifest.yaml': manifest,
    'services/checkout/component/cloudformation.yaml': 'Resources: {}\n',
  }
  const registration = {
    'templates/web/v1/.template-registration.yaml':
      'compatible_environments: [net:1]\nsupported_component_sources: [DIRECTLY_DEFINED]\n',
  }

  test('of a service is a unit before each of its instances', () => {
    const read = organisation(files, registration)
    expect(read.ok && read.value.units.map(({ id }) => id).slice(2)).toEqual([
      'checkout/dev/component',
      'checkout/dev',
      'checkout/prod/component',
      'checkout/prod',
    ])
    expect(unitOf(read, 'checkout/dev/component')).toMatchObject({
      kind: 'component',
      stack: 'checkout-dev-component',
      bundle: { kind: 'component' },
    })
  })

  test('needs a template that takes components', () => {
    expect(brief(organisation(files).problems)).toEqual(['component-refused services/checkout/component:1'])
  })
})

test('a fleet of a thousand services is read with one reading of their template', () => {
  const many = Object.fromEntries(
    Array.from({ length: 1000 }, (_, n) => [
      `services/s${n}/service.yaml`,
      `service: s${n}\ntemplate: web@1.3.0\nhosts: [s${n}.dev.example.com, s${n}.example.com]\ninputs: { port: ${n + 1} }\n`,
    ]),
  )
  let readings = 0
  const read = readOrganisation(treeOf(organisationFiles, many), () => {
    readings += 1
    return released
  })
  expect(read.ok && read.value.units).toHaveLength(2 + 2 + 2000)
  expect(readings).toBe(1)
})
