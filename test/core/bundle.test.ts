import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readBundle, readBundleFolder } from '../../src/core/bundle.ts'
import { checkInputs, inputsAt } from '../../src/core/schema.ts'
import { readProtonEnvironmentSpec, readProtonServiceSpec } from '../../src/core/spec.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { brief, manifest, schemaFile, treeOf } from './trees.ts'

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
const component = { 'manifest.yaml': manifest, 'cloudformation.yaml': 'Resources: {}\n' }

function read(files: FileTree) {
  return readBundle(files, { template: 't', version: '1.4.2', root: 'templates/t/v1' })
}

function withManifest(text: string, more: Readonly<Record<string, string>> = {}) {
  return read(treeOf(environment, { 'infrastructure/manifest.yaml': `infrastructure:\n  templates:\n${text}\n` }, more))
}

describe('the files of a bundle say its kind', () => {
  test.each([
    ['environment', environment, ['infrastructure']],
    ['service', service, ['instance_infrastructure']],
    [
      'service',
      {
        ...service,
        'schema/schema.yaml': schemaFile('service', 'properties: {}', 'pipeline_input_type: Input'),
        'pipeline_infrastructure/manifest.yaml': manifest,
        'pipeline_infrastructure/cloudformation.yaml': '',
      },
      ['instance_infrastructure', 'pipeline_infrastructure'],
    ],
    ['component', component, ['component']],
    ['environment', { 'schema/schema.yaml': environment['schema/schema.yaml'] }, []],
  ])('%s', (kind, files, parts) => {
    const bundle = read(treeOf(files))
    expect(bundle.problems).toEqual([])
    expect(bundle.ok && [bundle.value.kind, bundle.value.parts.map(({ name }) => name)]).toEqual([kind, parts])
  })

  test('the part has its one file by its path in the bundle', () => {
    const bundle = read(treeOf(service))
    expect(bundle.ok && bundle.value.parts[0]).toEqual({
      name: 'instance_infrastructure',
      engine: 'jinja',
      folder: 'instance_infrastructure',
      manifest: 'instance_infrastructure/manifest.yaml',
      file: 'instance_infrastructure/cloudformation.yaml',
    })
    const alone = readBundleFolder(treeOf(component), { template: 'bucket' })
    expect(alone.ok && [alone.value.version, alone.value.parts[0]?.file]).toEqual(['0.0.0', 'cloudformation.yaml'])
  })

  test.each([
    [{ ...environment, ...service }, ['bundle-layout templates/t/v1:1']],
    [{ 'README.md': 'x' }, ['bundle-layout templates/t/v1:1']],
    [{ 'pipeline_infrastructure/manifest.yaml': manifest }, ['bundle-layout templates/t/v1:1']],
    [
      { ...environment, 'schema/schema.yaml': service['schema/schema.yaml'] },
      ['schema-invalid templates/t/v1/schema/schema.yaml:1'],
    ],
    [
      { 'instance_infrastructure/manifest.yaml': manifest, 'instance_infrastructure/cloudformation.yaml': '' },
      ['missing-file templates/t/v1/schema/schema.yaml:1'],
    ],
    [
      {
        ...service,
        'pipeline_infrastructure/manifest.yaml': manifest,
        'pipeline_infrastructure/cloudformation.yaml': '',
      },
      ['schema-invalid templates/t/v1/schema/schema.yaml:1'],
    ],
    [
      { 'schema/schema.yaml': environment['schema/schema.yaml'], 'infrastructure/cloudformation.yaml': '' },
      ['missing-file templates/t/v1/infrastructure/manifest.yaml:1'],
    ],
  ])('a layout that is none is told, case %#', (files, expected) => {
    const bundle = read(treeOf(files))
    expect(bundle.ok).toBe(false)
    expect(brief(bundle.problems)).toEqual(expected)
  })
})

describe('a manifest', () => {
  test('of Terraform means all of its files, or one', () => {
    const all = withManifest('    - { file: "*", rendering_engine: hcl, template_language: terraform }', {
      'infrastructure/main.tf': '',
    })
    expect(all.ok && all.value.parts[0]).toEqual({
      name: 'infrastructure',
      engine: 'hcl',
      folder: 'infrastructure',
      manifest: 'infrastructure/manifest.yaml',
    })
    const one = withManifest('    - { file: main.tf, rendering_engine: hcl, template_language: terraform }', {
      'infrastructure/main.tf': '',
    })
    expect(one.ok && one.value.parts[0]?.file).toBe('infrastructure/main.tf')
    expect(
      brief(withManifest('    - { file: "*", rendering_engine: hcl, template_language: terraform }').problems),
    ).toEqual(['missing-file templates/t/v1/infrastructure/manifest.yaml:3'])
  })

  test.each([
    [
      'in its settings',
      '    - rendering_engine: codebuild\n      settings: { input_type: HCL, provision: [echo], env: { variables: { A: "1" } } }',
    ],
    ['beside them', '    - rendering_engine: codebuild\n      input_type: HCL\n      settings: { provision: [echo] }'],
  ])('of CodeBuild has the type of its input %s', (_, text) => {
    const bundle = withManifest(text)
    expect(bundle.problems).toEqual([])
    expect(bundle.ok && bundle.value.parts[0]).toMatchObject({
      engine: 'codebuild',
      settings: { input_type: 'HCL', provision: ['echo'] },
    })
  })

  test.each([
    ['    - { file: cloudformation.yaml, engine: jinja, template_language: cloudformation }', 'warning irregular-form'],
    [
      '    - { file: cloudformation.yaml, rendering_engine: jinja, template_langauge: cloudformation }',
      'warning manifest-invalid',
    ],
    ['    - { file: ./cloudformation.yaml, rendering_engine: jinja, template_language: cloudformation }', ''],
    [
      '    - { file: cloudformation.yaml, rendering_engine: jnija, template_language: cloudformation }',
      'error unknown-engine',
    ],
    ['    - { file: cloudformation.yaml, template_language: cloudformation }', 'error unknown-engine'],
    [
      '    - { file: cloudformation.yaml, rendering_engine: jinja, template_language: terraform }',
      'error unknown-engine',
    ],
    [
      '    - { file: ../cloudformation.yaml, rendering_engine: jinja, template_language: cloudformation }',
      'error path-outside-bundle',
    ],
    [
      '    - { file: /etc/passwd, rendering_engine: jinja, template_language: cloudformation }',
      'error path-outside-bundle',
    ],
    [
      '    - { file: x/../../y.yaml, rendering_engine: jinja, template_language: cloudformation }',
      'error path-outside-bundle',
    ],
    [
      '    - { file: cloudformaton.yaml, rendering_engine: jinja, template_language: cloudformation }',
      'error missing-file',
    ],
    ['    - { file: "*", rendering_engine: jinja, template_language: cloudformation }', 'error manifest-invalid'],
    ['    - { rendering_engine: jinja, template_language: cloudformation }', 'error manifest-invalid'],
    ['    - { file: network/*, rendering_engine: hcl, template_language: terraform }', 'error manifest-invalid'],
    ['    - { rendering_engine: codebuild }', 'error manifest-invalid'],
    ['    - cloudformation.yaml', 'error manifest-invalid'],
    ['    []', 'error manifest-invalid'],
    [
      '    - { file: cloudformation.yaml, rendering_engine: jinja }\n    - { file: cloudformation.yaml, rendering_engine: jinja }',
      'error manifest-invalid',
    ],
  ])('%s: %s', (text, expected) => {
    const bundle = withManifest(text)
    expect(bundle.problems.map(({ severity, code }) => `${severity} ${code}`).join()).toBe(expected)
    expect(bundle.ok).toBe(!expected.startsWith('error'))
  })

  test('names the near file when its file is not there', () => {
    const bundle = withManifest('    - { file: cloudformaton.yaml, rendering_engine: jinja }')
    expect(bundle.problems[0]?.message).toBe(
      'The file "cloudformaton.yaml" is not in the bundle. Did you mean "cloudformation.yaml"?',
    )
  })

  test('may end in `.yml`, as the schema may', () => {
    const bundle = read(
      treeOf(environment, {
        'infrastructure/manifest.yaml': undefined,
        'infrastructure/manifest.yml': manifest,
        'schema/schema.yaml': undefined,
        'schema/schema.yml': environment['schema/schema.yaml'],
      }),
    )
    expect(bundle.ok).toBe(true)
  })
})

describe('the environments that a service fits', () => {
  test.each<[string, Readonly<Record<string, string | undefined>>, readonly string[], readonly string[]]>([
    ['one line without an end', { '.compatible-envs': 'net:1' }, ['net:1'], []],
    ['two lines', { '.compatible-envs': 'eks:1\r\neks:2\n' }, ['eks:1', 'eks:2'], []],
    ['a list and comments', { '.compatible-envs': '# ours\n- net:1\n\n' }, ['net:1'], []],
    [
      'YAML in the plain file',
      { '.compatible-envs': 'compatible_environments:\n  - net:1\n' },
      ['net:1'],
      ['warning irregular-form'],
    ],
    [
      'YAML in the misspelt file',
      { '.compatible-envs': undefined, '.compatible_envs': 'compatible_environments:\n  - net:1\n' },
      ['net:1'],
      ['warning irregular-form'],
    ],
    [
      'a registration',
      {
        '.compatible-envs': undefined,
        '.template-registration.yaml': 'compatible_environments:\n  - net:1\n  - net:2\n',
      },
      ['net:1', 'net:2'],
      [],
    ],
    [
      'a misspelt registration',
      { '.compatible-envs': undefined, '.template-registration.yaml': 'compatible_environment:\n  - net:1\n' },
      ['net:1'],
      ['warning irregular-form'],
    ],
    [
      'both files',
      { '.template-registration.yaml': 'compatible_environments: [net:1, net:2]\n' },
      ['net:1', 'net:2'],
      [],
    ],
    ['no file', { '.compatible-envs': undefined }, [], []],
    ['no version', { '.compatible-envs': 'net\n' }, [], ['error compatible-environments']],
    [
      'no list',
      { '.template-registration.yaml': 'compatible_environments: { net: 1 }\n' },
      [],
      ['error compatible-environments'],
    ],
  ])('%s', (_, files, expected, problems) => {
    const bundle = read(treeOf(service, files))
    expect(bundle.problems.map(({ severity, code }) => `${severity} ${code}`)).toEqual(problems)
    if (bundle.ok)
      expect(bundle.value.compatible.map(({ template, major }) => `${template}:${major}`).toSorted()).toEqual(expected)
  })

  test('and the components that it takes', () => {
    const bundle = read(
      treeOf(service, {
        '.template-registration.yaml':
          'compatible_environments: [net:1]\nsupported_component_sources: [DIRECTLY_DEFINED]\n',
      }),
    )
    expect(bundle.ok && bundle.value.componentSources).toEqual(['DIRECTLY_DEFINED'])
  })
})

test("Proton's quotas are warnings", () => {
  const files = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`infrastructure/f${n}.txt`, 'x']))
  const bundle = read(treeOf(environment, files, { 'infrastructure/big.txt': 'x'.repeat(300 * 1024) }))
  expect(bundle.ok).toBe(true)
  expect(bundle.problems.map(({ code, severity }) => `${severity} ${code}`)).toEqual([
    'warning proton-quota',
    'warning proton-quota',
  ])
})

// The real bundles lie beside the repository where they are at hand; the cases above are of the same forms.
const real = join(import.meta.dirname, '../../../shared/proton/bundles')

describe.skipIf(!existsSync(real))("AWS Proton's sample bundles (beside the repository)", () => {
  const names = existsSync(real) ? readdirSync(real).filter((name) => statSync(join(real, name)).isDirectory()) : []

  test.each(names)('%s is read without a problem, and so is its spec', (name) => {
    const folder = join(real, name)
    const bundle = readBundleFolder(folderTree(name.endsWith('-component') ? folder : join(folder, 'v1')), {
      template: name,
    })
    expect(bundle.problems).toEqual([])
    if (!bundle.ok || bundle.value.kind === 'component') return
    const text = readFileSync(join(folder, 'spec.yaml'), 'utf8')
    const { schema } = bundle.value
    if (schema.environment !== undefined) {
      const spec = readProtonEnvironmentSpec('spec.yaml', text)
      expect(spec.problems).toEqual([])
      expect(
        spec.ok && checkInputs(schema.environment, spec.value.inputs, inputsAt(spec.value.document, ['spec'])).problems,
      ).toEqual([])
    } else {
      const spec = readProtonServiceSpec('spec.yaml', text)
      expect(spec.problems).toEqual([])
      if (!spec.ok || schema.service === undefined || schema.pipeline === undefined)
        throw new Error('not a service with a pipeline')
      expect(spec.value.instances).toHaveLength(1)
      for (const [index, { inputs }] of spec.value.instances.entries()) {
        expect(
          checkInputs(schema.service, inputs, inputsAt(spec.value.document, ['instances', index, 'spec'])).problems,
        ).toEqual([])
      }
      expect(
        checkInputs(schema.pipeline, spec.value.pipeline ?? {}, inputsAt(spec.value.document, ['pipeline'])).problems,
      ).toEqual([])
    }
  })
})

function folderTree(root: string): FileTree {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return new Map(
    files
      .map(
        (entry) =>
          [
            join(entry.parentPath, entry.name),
            relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'),
          ] as const,
      )
      .map(([path, name]) => [name, readFileSync(path, 'utf8')]),
  )
}
