import { describe, expect, test } from 'vitest'
import type { Consumer } from '../../../src/core/impact.ts'
import { changedTemplates, outputsRead, targetOf } from '../../../src/core/impact/changes.ts'
import { Radius, type ConsumerImpact, type Side } from '../../../src/core/impact/radius.ts'
import { bundleOf, openOrganisation } from '../../../src/core/organisation.ts'
import type { FileTree } from '../../../src/core/tree.ts'
import { lines, treeOf } from '../trees.ts'
import {
  bundleIn,
  catalogFiles,
  type Files,
  net,
  netFile,
  now,
  opened,
  serviceOf,
  web,
  webAt,
  webFile,
} from './organisation.ts'

const noServices: Files = { 'services/checkout/service.yaml': undefined }
const first = treeOf(catalogFiles, noServices)
const released: ReadonlyMap<string, FileTree> = new Map([
  ['web@1.4.2', bundleIn(first, 'templates/web/v1')],
  ['net@1.0.0', bundleIn(first, 'templates/net/v1')],
])

function side(tree: FileTree, releases = released): Side {
  const { opened, problems } = openOrganisation(tree, (template, version) => releases.get(`${template}@${version}`))
  if (opened === undefined) throw new Error(JSON.stringify(problems))
  return { opened, tree }
}

function radius(
  change: Files,
  more: { readonly base?: Files; readonly released?: ReadonlyMap<string, FileTree> } = {},
): Radius {
  const base = more.base ?? {}
  return new Radius({
    before: side(treeOf(catalogFiles, noServices, base), more.released),
    after: side(treeOf(catalogFiles, noServices, base, change), more.released),
    now,
  })
}

function told(impact: ConsumerImpact | undefined): string {
  if (impact === undefined) return 'untouched'
  const { consumer, from, to, through, impact: result } = impact
  return `${consumer} ${from} → ${to} by ${through.join(' and ')}: ${result.is}`
}

const checkout = serviceOf('checkout')
const netAt = (version: string, change: (text: string) => string): Files => ({
  'templates/net/template.yaml': `kind: environment\nversions: { v1: ${version} }\n`,
  [netFile]: change(net),
})

describe('what a change reaches', () => {
  test('nobody, where no template is another', () => {
    const reach = radius({ 'templates/web/CHANGELOG.md': 'words\n' })
    expect(reach.templates).toEqual([])
    expect(told(reach.judge(checkout))).toBe('untouched')
    expect(reach.untouched).toBe(1)
  })

  test('those who run the template, at any version of the major, and nobody else', () => {
    const reach = radius(webAt('1.5.0', (text) => text.replace('30', '90')))
    expect(told(reach.judge(checkout))).toBe('checkout 1.4.2 → 1.5.0 by template: changed')
    expect(told(reach.judge(serviceOf('other', '', 'job@1.0.0')))).toBe('untouched')
  })

  test('those who run an older release, which is rendered as it was released', () => {
    const more = new Map([
      ...released,
      ['web@1.3.0', bundleIn(treeOf(catalogFiles, { [webFile]: web.replace('30', '7') }), 'templates/web/v1')],
    ] as const)
    const reach = radius(webAt('1.5.0'), { released: more })
    expect(told(reach.judge(serviceOf('old', '', 'web@1.3.0')))).toBe('old 1.3.0 → 1.5.0 by template: changed')
  })

  test('also where a bundle is another and its number is not', () => {
    const reach = radius({ [webFile]: web.replace('30', '90') })
    expect(told(reach.judge(checkout))).toBe('checkout 1.4.2 → 1.4.2 by template: changed')
  })

  test('a repository whose file cannot be read is named, and is not known', () => {
    const reach = radius(webAt('1.5.0'))
    const broken: Consumer = { is: 'service', repository: 'acme/broken', file: 'service.yaml', text: 'service: [\n' }
    const result = reach.judge(broken)
    expect(result).toMatchObject({ consumer: 'acme/broken', impact: { is: 'unknown' } })
    expect(result?.impact.problems.length).toBeGreaterThan(0)
  })

  test('who runs a version that nobody released is not known, and is told why', () => {
    const reach = radius(webAt('1.5.0'))
    const result = reach.judge(serviceOf('lost', '', 'web@1.0.0'))
    expect(result?.impact).toMatchObject({ is: 'unknown', problems: [{ code: 'unknown-version' }] })
  })

  test('who runs a yanked version is told of as such', () => {
    const support = 'support: { 1.4.2: { is: yanked, because: it leaks } }\n'
    const reach = radius({
      ...webAt('1.5.0'),
      'templates/web/template.yaml': `kind: service\nversions: { v1: 1.5.0 }\n${support}`,
    })
    expect(reach.judge(checkout)).toMatchObject({ standing: { is: 'yanked', because: 'it leaks' }, to: '1.5.0' })
  })

  test('a version that is taken back reaches those who run it, and nobody else', () => {
    const support = 'support: { 1.4.2: { is: yanked, because: it leaks } }\n'
    const reach = radius({ 'templates/web/template.yaml': `kind: service\nversions: { v1: 1.4.2 }\n${support}` })
    expect(reach.judge(checkout)).toMatchObject({ standing: { is: 'yanked' }, impact: { is: 'unchanged' } })
    expect(told(reach.judge(serviceOf('old', '', 'web@1.3.0')))).toBe('untouched')
  })

  test('a draft that is proposed from now on is as good as new', () => {
    const template = 'templates/web/template.yaml'
    const base = {
      ...webAt('1.5.0', (text) => text.replace('30', '90')),
      [template]: 'kind: service\nversions: { v1: 1.5.0 }\nsupport: { 1.5.0: draft }\n',
    }
    const reach = radius({ [template]: 'kind: service\nversions: { v1: 1.5.0 }\n' }, { base })
    expect(told(reach.judge(checkout))).toBe('checkout 1.4.2 → 1.5.0 by template: changed')
    expect(told(radius({ 'templates/web/CHANGELOG.md': 'x' }, { base }).judge(checkout))).toBe('untouched')
  })

  test('a template that is deleted while it is used: who runs a release keeps it, and who runs none does not render', () => {
    const gone = Object.fromEntries(
      Object.keys(catalogFiles)
        .filter((path) => path.startsWith('templates/web/'))
        .map((path) => [path, undefined]),
    )
    const reach = radius(gone)
    expect(reach.templates).toMatchObject([{ template: 'web', is: 'removed' }])
    expect(told(reach.judge(checkout))).toBe('checkout 1.4.2 → 1.4.2 by template: unchanged')
    const unreleased = radius(gone, { released: new Map() }).judge(checkout)
    expect(unreleased?.impact).toMatchObject({ is: 'does-not-render', problems: [{ code: 'unknown-template' }] })
  })

  test('a template that is renamed is known again by its files', () => {
    const moved = Object.fromEntries(
      Object.entries(catalogFiles).flatMap(([path, text]) =>
        path.startsWith('templates/web/')
          ? [
              [path, undefined],
              [path.replace('/web/', '/site/'), text],
            ]
          : [],
      ),
    )
    expect(radius(moved).templates).toMatchObject([
      { template: 'site', is: 'added' },
      { template: 'web', is: 'removed', renamed: 'site' },
    ])
  })

  test('a major that is moved: who runs the old one has the new one in store', () => {
    const moved = Object.fromEntries(
      Object.entries(catalogFiles).flatMap(([path, text]) =>
        path.startsWith('templates/web/v1/')
          ? [
              [path, undefined],
              [path.replace('/v1/', '/v2/'), text],
            ]
          : [],
      ),
    )
    const reach = radius({ ...moved, 'templates/web/template.yaml': 'kind: service\nversions: { v2: 2.0.0 }\n' })
    expect(told(reach.judge(checkout))).toBe('checkout 1.4.2 → 2.0.0 by template: unchanged')
  })

  describe('a new major that calls an input by another name', () => {
    const second = Object.fromEntries(
      Object.entries(catalogFiles).flatMap(([path, text]) =>
        path.startsWith('templates/web/v1/')
          ? [[path.replace('/v1/', '/v2/'), text?.replaceAll(/\bport\b/gu, 'listen_port')]]
          : [],
      ),
    )
    const versions = { 'templates/web/template.yaml': 'kind: service\nversions: { v1: 1.4.2, v2: 2.0.0 }\n' }
    const migration = {
      'templates/web/migrations/2.0.0.yaml': lines(`
        to: 2.0.0
        inputs:
          - rename: { from: port, to: listen_port }
          - map: { path: size, values: { small: small }, else: ask }
        examples:
          - name: it has a port
            before: { port: 80 }
            after: { listen_port: 80 }
      `),
    }
    const busy = serviceOf('busy', 'inputs: { port: 8080 }\n')

    test('needs an input of everybody who gives it, without a migration', () => {
      expect(told(radius({ ...second, ...versions }).judge(busy))).toBe('busy 1.4.2 → 2.0.0 by template: needs-input')
    })

    test('changes nothing with one, and says what it did', () => {
      const result = radius({ ...second, ...versions, ...migration }).judge(busy)
      expect(told(result)).toBe('busy 1.4.2 → 2.0.0 by template: unchanged')
      expect(result?.migrated.map(({ path }) => path)).toEqual(['"inputs.port" becomes "inputs.listen_port"'])
    })

    test('needs an input where the migration asks for one', () => {
      const result = radius({ ...second, ...versions, ...migration }).judge(
        serviceOf('large', 'inputs: { size: large }\n'),
      )
      expect(told(result)).toBe('large 1.4.2 → 2.0.0 by template: needs-input')
      expect(result?.impact.problems[0]).toMatchObject({
        code: 'input-unanswered',
        message: expect.stringMatching(/^A person has to decide "inputs\.size" \(/u),
        at: { file: 'service.yaml' },
      })
    })

    test('is said to be blocked where no answer would help', () => {
      const path = 'templates/web/migrations/2.0.0.yaml'
      const text = migration[path].replace('else: ask', 'else: block')
      const result = radius({ ...second, ...versions, [path]: text }).judge(
        serviceOf('large', 'inputs: { size: large }\n'),
      )

      expect(result?.impact.problems[0]?.message).toMatch(/^It is blocked, "inputs\.size": /u)
    })
  })

  test('the environments first, with what they give out and who reads it', () => {
    const reach = radius(netAt('1.1.0', (text) => text.replace('Cidr: { Value', 'Range: { Value')))
    expect(reach.environments.map(told)).toEqual([
      'environment/dev 1.0.0 → 1.1.0 by template: changed',
      'environment/prod 1.0.0 → 1.1.0 by template: changed',
    ])
    expect(told(reach.judge(checkout))).toBe('untouched')
    expect(reach.outputs.map(({ environment, output, is }) => `${environment} ${output} ${is}`)).toEqual([
      'dev Cidr removed',
      'dev Range added',
      'prod Cidr removed',
      'prod Range added',
    ])
  })

  test('what is replaced in an environment has another id, so who reads it changes', () => {
    const reach = radius(
      netAt('1.1.0', (text) => text.replace('CidrBlock: {{ environment.inputs.cidr }}', 'CidrBlock: 10.9.0.0/16')),
    )
    expect(reach.environments[0]?.impact.is).toBe('replaces')
    expect(told(reach.judge(checkout))).toBe('checkout 1.4.2 → 1.4.2 by environment: changed')
    expect(reach.outputs.find(({ output }) => output === 'VpcId')).toMatchObject({
      is: 'changed',
      templates: ['web@1.4.2'],
      services: 1,
    })
  })

  test('an output that is read and removed: who reads it does not render', () => {
    const reach = radius(netAt('1.1.0', (text) => text.replace('  VpcId: { Value: !Ref Vpc }\n', '')))
    const result = reach.judge(checkout)
    expect(told(result)).toBe('checkout 1.4.2 → 1.4.2 by environment: does-not-render')
    expect(result?.impact.problems.map(({ code }) => code)).toContain('undefined-variable')
    expect(reach.outputs.find(({ output }) => output === 'VpcId')).toMatchObject({ is: 'removed', services: 1 })
  })

  test('rules that are others reach everybody', () => {
    const reach = radius({ 'catalog.yaml': `${catalogFiles['catalog.yaml'] ?? ''}# other words\n` })
    expect(told(reach.judge(checkout))).toBe('checkout 1.4.2 → 1.4.2 by catalog: unchanged')
  })

  test('the services of the catalog itself, with what the change says of them', () => {
    const file = 'services/checkout/service.yaml'
    const reach = radius(
      {
        ...webAt('1.5.0'),
        [file]: checkout.text.replace('1.4.2', '1.5.0'),
        'services/new/service.yaml': serviceOf('new', '', 'web@1.5.0').text,
      },
      { base: { [file]: checkout.text, 'services/gone/service.yaml': serviceOf('gone').text } },
    )
    expect([...reach.own()].map(told)).toEqual([
      'checkout 1.4.2 → 1.5.0 by template: unchanged',
      'gone 1.4.2 → 1.5.0 by template: unchanged',
    ])
  })

  test('five thousand consumers are judged one by one, each as it is', () => {
    const reach = radius(
      webAt('1.5.0', (text) =>
        text.replace('/acme/{{', "/acme/{{ 'logs/' if service_instance.inputs.port > 100 else '' }}{{"),
      ),
    )
    const counts = new Map<string, number>()
    for (let index = 0; index < 5000; index += 1) {
      const more = index % 100 === 7 ? 'inputs: { prot: 1 }\n' : `inputs: { port: ${(index % 200) + 1} }\n`
      const result = reach.judge(serviceOf(`service-${index}`, more))
      counts.set(result?.impact.is ?? 'untouched', (counts.get(result?.impact.is ?? 'untouched') ?? 0) + 1)
    }
    expect(Object.fromEntries(counts)).toEqual({ unchanged: 2475, unknown: 50, replaces: 2475 })
  })
})

describe('the version that is in store', () => {
  const withMajors = (versions: string, majors: readonly number[]): Files => ({
    ...Object.fromEntries(
      majors.flatMap((major) =>
        Object.entries(catalogFiles).flatMap(([path, text]) =>
          path.startsWith('templates/web/v1/') ? [[path.replace('/v1/', `/v${major}/`), text]] : [],
        ),
      ),
    ),
    'templates/web/template.yaml': `kind: service\nversions: { ${versions} }\n`,
  })
  const [base, two, three] = [
    opened().catalog,
    opened(withMajors('v1: 1.4.2, v2: 2.0.0', [2])).catalog,
    opened(withMajors('v1: 1.4.2, v2: 2.0.0, v3: 3.0.0', [2, 3])).catalog,
  ]
  test.each([
    ['a new major, for the one before', base, two, '1.4.2', '2.0.0'],
    ['no more than one major at a time', base, three, '1.0.0', '2.0.0'],
    ['not the new major, for who has not come as far', two, three, '1.4.2', undefined],
    ['the new major, for who is next to it', two, three, '2.0.0', '3.0.0'],
    ['nothing older than what runs', two, base, '2.9.0', undefined],
    ['nothing where nothing changes', two, two, '1.4.2', undefined],
  ])('%s', (_, before, after, version, expected) => {
    const changes = changedTemplates(before, after)
    expect(targetOf({ template: 'web', version }, { changes, after })).toBe(expected)
  })
})

describe('the outputs that a bundle reads', () => {
  test.each([
    ['by name', "{{ environment.outputs.VpcId }}{{ environment['outputs'].Cidr }}", ['Cidr', 'VpcId']],
    ['behind a default', '{{ environment.outputs.VpcId | default(1) }}', ['VpcId']],
    ['by the old way of Proton', '{{ service_instance.environment.outputs.VpcId }}', ['VpcId']],
    ['all of them, by a name that is made up', '{{ environment.outputs[service.name] }}', ['*']],
    ['all of them, as they are', '{{ environment.outputs | length }}', ['*']],
    ['none', '{{ environment.name }}', []],
  ])('%s', (_, text, names) => {
    const catalog = opened({ [webFile]: lines(`Description: "${text.replaceAll('"', "'")}"\nResources: {}\n`) })
    const bundle = bundleOf(catalog, 'web', '1.4.2')
    expect(bundle === undefined ? undefined : [...outputsRead(bundle)].toSorted()).toEqual(names)
  })
})
