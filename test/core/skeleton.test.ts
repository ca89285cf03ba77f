import { describe, expect, it, test } from 'vitest'
import { mapOf } from '../../src/core/data.ts'
import { renderSkeleton } from '../../src/core/skeleton.ts'
import { bundleWith, type Files, readWith, skeletonOf } from './skeleton/bundles.ts'
import { brief } from './trees.ts'

function rendered(files: Files, values: Partial<Parameters<typeof renderSkeleton>[1]> = {}) {
  return renderSkeleton(bundleWith(files), { name: 'cart', inputs: mapOf(), ...values })
}

describe('A skeleton that is rendered', () => {
  test('sees the name and the owner of the service, and its inputs with their defaults', () => {
    const files = skeletonOf({
      Dockerfile: 'EXPOSE {{ service.inputs.port }}\n# {{ service.name }}, {{ service.owner }}\n',
      'docs/{{ service.name }}.md': '# {{ service.inputs.note | default("none") }}\n',
    })
    const skeleton = rendered(files, { owner: 'shop', inputs: mapOf([['port', 9090]]) })
    expect(skeleton.ok && [...skeleton.value.files]).toEqual([
      ['Dockerfile', 'EXPOSE 9090\n# cart, shop\n'],
      ['docs/cart.md', '# none\n'],
    ])
    expect(skeleton.ok && skeleton.value.from).toBe('web@1.0.0')
  })

  test('has no owner where the service names none', () => {
    const skeleton = rendered(skeletonOf({ 'a.md': '{{ service.owner or "nobody" }}\n' }))
    expect(skeleton.ok && skeleton.value.files.get('a.md')).toBe('nobody\n')
  })

  test('ends its files as they were written', () => {
    const skeleton = rendered(skeletonOf({ a: 'x\n', b: 'x', c: '', d: '{% if true %}\nx\n{% endif %}\n' }))
    expect(skeleton.ok && [...skeleton.value.files]).toEqual([
      ['a', 'x\n'],
      ['b', 'x'],
      ['c', ''],
      ['d', '\nx\n'],
    ])
  })

  test('leaves out what renders to nothing', () => {
    const files = skeletonOf({ 'queue.md': '{% if service.inputs.port > 9000 %}\nqueue\n{% endif %}\n', empty: '' })
    expect([...(named(files, 8080) ?? [])]).toEqual(['empty'])
    expect([...(named(files, 9090) ?? [])]).toEqual(['empty', 'queue.md'])
  })

  function named(files: Files, port: number) {
    const skeleton = rendered(files, { inputs: mapOf([['port', port]]) })
    return skeleton.ok ? skeleton.value.files.keys() : undefined
  }

  test('keeps of the values what a file can depend on', () => {
    const inputs = mapOf([
      ['port', 1],
      ['note', 'x'],
      ['ratio', 2],
    ])
    const some = rendered(skeletonOf({ a: '{{ service.inputs.port }}', '{{ service.inputs.note }}': 'x' }), {
      inputs,
      owner: 'shop',
    })
    expect(some.ok && some.value.values).toEqual({
      name: 'cart',
      inputs: mapOf([
        ['port', 1],
        ['note', 'x'],
      ]),
    })
    const all = rendered(skeletonOf({ a: '{% for name in service.inputs %}{{ name }}{% endfor %}' }), { inputs })
    expect(all.ok && all.value.values.inputs).toEqual(inputs)
    const owned = rendered(skeletonOf({ a: '{{ service.owner }}' }), { inputs, owner: 'shop' })
    expect(owned.ok && owned.value.values).toEqual({ name: 'cart', owner: 'shop', inputs: mapOf() })
  })

  test('belongs to whom skeleton.yaml says, by the longest path', () => {
    const files = skeletonOf(
      { a: '', 'docs/a.md': 'x', 'docs/b.md': 'x', 'docs/own/c.md': 'x' },
      { 'docs/': 'managed', 'docs/b.md': 'seed', 'docs/own/': 'block' },
    )
    const skeleton = rendered(files)
    expect(skeleton.ok && [...skeleton.value.owners]).toEqual([
      ['a', 'merge'],
      ['docs/a.md', 'managed'],
      ['docs/b.md', 'seed'],
      ['docs/own/c.md', 'block'],
    ])
  })

  test('is none in a bundle that has none', () => {
    const skeleton = rendered({})
    expect(skeleton.ok && [...skeleton.value.files]).toEqual([])
  })

  test.each([
    ['what is not there', { a: '{{ service.inputs.prot }}' }, 'undefined-variable templates/web/v1/skeleton/a:1'],
    [
      'a stage, which a repository has none of',
      { a: 'x\n{{ service_instance.name }}' },
      'undefined-variable templates/web/v1/skeleton/a:2',
    ],
    [
      'two files of one name',
      { '{{ service.name }}': 'x', cart: 'y' },
      'skeleton-invalid templates/web/v1/skeleton/{{ service.name }}:1',
    ],
    [
      'two names that differ in case',
      { '{{ service.name }}': 'x', CART: 'y' },
      'path-twins templates/web/v1/skeleton:1',
    ],
    [
      'a name that leads to another folder',
      { '{{ service.inputs.note }}': 'x' },
      'skeleton-invalid templates/web/v1/skeleton/{{ service.inputs.note }}:1',
    ],
    [
      'a name that leads out',
      { '{{ service.inputs.note }}': 'x' },
      'unsafe-path templates/web/v1/skeleton/{{ service.inputs.note }}:1',
      '../x',
    ],
    [
      'a name that leads to workflows',
      { '{{ service.inputs.note }}/ci.yml': 'x' },
      'skeleton-path templates/web/v1/skeleton/{{ service.inputs.note }}/ci.yml:1',
      '.github',
    ],
    ['more than a file may have', { a: '{{ "x" * 300000 }}' }, 'skeleton-invalid templates/web/v1/skeleton/a:1'],
    [
      'more than all may have',
      Object.fromEntries([1, 2, 3, 4, 5].map((each) => [`a${each}`, '{{ "x" * 250000 }}'])),
      'skeleton-invalid templates/web/v1/skeleton:1',
    ],
  ])('is refused for %s', (_, files, expected, note = 'a/b') => {
    const skeleton = rendered(skeletonOf(files), { inputs: mapOf([['note', note]]) })
    expect(skeleton.ok).toBe(false)
    expect(brief(skeleton.problems)).toEqual([expected])
  })
})

describe('A skeleton in a bundle', () => {
  it('is no infrastructure, whatever its files are called', () => {
    const read = readWith(
      skeletonOf({
        'infrastructure/a.yaml': 'x',
        'pipeline_infrastructure/manifest.yaml': 'x',
        'manifest.yaml': 'not a manifest',
        'schema/schema.yaml': 'x',
        ...Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`x_infrastructure/${index}`, 'x'])),
      }),
    )
    expect(read.problems).toEqual([])
    expect(read.ok && read.value.parts.map(({ name }) => name)).toEqual(['instance_infrastructure'])
  })

  it.each([
    ['.github/workflows/ci.yml', 'skeleton-path'],
    ['.GitHub/CODEOWNERS', 'skeleton-path'],
    ['.protium/lock.json', 'skeleton-path'],
    ['service.yaml', 'skeleton-path'],
    ['.gitmodules', 'skeleton-path'],
    ['web/node_modules/x/index.js', 'skeleton-path'],
    ['.git/hooks/pre-commit', 'unsafe-path'],
    ['a/../../b', 'unsafe-path'],
    ['a\\b', 'unsafe-path'],
    [`${'a/'.repeat(20)}b`, 'unsafe-path'],
  ])('writes no %s', (path, code) => {
    expect(brief(readWith(skeletonOf({ [path]: 'x' })).problems)).toEqual([
      `${code} templates/web/v1/skeleton/${path}:1`,
    ])
  })

  it.each(['docs/service.yaml', 'github/a', '.gitignore', '.gitattributes', 'x.github/a', '{{ service.name }}.md'])(
    'may write %s',
    (path) => {
      expect(readWith(skeletonOf({ [path]: 'x' })).problems).toEqual([])
    },
  )

  it('is told of a template that cannot be read, in its text or its name', () => {
    const { problems } = readWith(skeletonOf({ a: 'x\n{% if %}\n', '{{ service. }}': 'x' }))
    expect(brief(problems)).toEqual([
      'template-syntax templates/web/v1/skeleton/a:2',
      'template-syntax templates/web/v1/skeleton/{{ service. }}:1',
    ])
  })

  it.each([
    ['an owner that there is not', { a: 'x' }, { a: 'mine' }, ['wrong-value templates/web/v1/skeleton.yaml:2']],
    [
      'a file that there is not',
      { Dockerfile: 'x' },
      { dockerfile: 'seed' },
      ['skeleton-invalid templates/web/v1/skeleton.yaml:2'],
    ],
    [
      'a folder that there is not',
      { 'docs/a': 'x' },
      { 'doc/': 'seed' },
      ['skeleton-invalid templates/web/v1/skeleton.yaml:2'],
    ],
    ['files where there are none', {}, { a: 'seed' }, ['skeleton-invalid templates/web/v1/skeleton.yaml:2']],
    [
      'a block in a file without comments',
      { 'a.json': '{}' },
      { 'a.json': 'block' },
      ['skeleton-invalid templates/web/v1/skeleton/a.json:1'],
    ],
  ])('is told of skeleton.yaml with %s', (_, files, owners, expected) => {
    expect(brief(readWith(skeletonOf(files, owners)).problems)).toEqual(expected)
  })

  it('has no more files than go to GitHub at once', () => {
    const files = Object.fromEntries(Array.from({ length: 81 }, (_, index) => [`f${index}`, 'x']))
    expect(brief(readWith(skeletonOf(files)).problems)).toEqual(['skeleton-invalid templates/web/v1/skeleton:1'])
  })

  it('is for templates of services alone', () => {
    const { problems } = readWith({
      ...skeletonOf({ a: 'x' }),
      'instance_infrastructure/manifest.yaml': undefined,
      'instance_infrastructure/cloudformation.yaml': undefined,
      'schema/schema.yaml': undefined,
      'manifest.yaml':
        'infrastructure:\n  templates:\n    - { file: c.yaml, rendering_engine: jinja, template_language: cloudformation }\n',
      'c.yaml': 'Resources: {}\n',
    })
    expect(brief(problems)).toEqual(['skeleton-invalid templates/web/v1/skeleton:1'])
  })
})
