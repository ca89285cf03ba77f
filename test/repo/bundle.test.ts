import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { usedEndpoints } from '../../scripts/bundle/endpoints.ts'
import { built } from '../../scripts/build.ts'
import * as entities from '../../src/core/jinja/entities.ts'
import * as jinja from '../../src/core/jinja/index.ts'
import * as pattern from '../../src/core/pattern.ts'
import { environmentSchema } from '../../src/core/schemas/environment.ts'
import * as sha256 from '../../src/core/sha256.ts'
import * as shape from '../../src/core/shape.ts'
import * as types from '../../src/core/stack/types.ts'
import * as yaml from '../../src/core/yaml.ts'

/** A build takes other code for parts of its packages, and packs tables; here both are asked the same. */
const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'protium-bundle-'))
const sources = {
  entities: 'src/core/jinja/entities.ts',
  jinja: 'src/core/jinja/index.ts',
  pattern: 'src/core/pattern.ts',
  sha256: 'src/core/sha256.ts',
  shape: 'src/core/shape.ts',
  types: 'src/core/stack/types.ts',
  yaml: 'src/core/yaml.ts',
}

beforeAll(async () => {
  const files = await built(Object.fromEntries(Object.entries(sources).map(([name, file]) => [name, join(root, file)])))
  for (const [path, text] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function fromBuild(name: keyof typeof sources) {
  return import(/* @vite-ignore */ pathToFileURL(join(folder, `${name}.js`)).href)
}

const files = ['catalog.yaml', ...['environments', 'services', 'templates', 'workflows'].flatMap(yamlIn)]

function yamlIn(under: string): readonly string[] {
  return readdirSync(join(root, under), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.ya?ml$/u.test(file))
    .map((file) => join(under, file))
}

const broken = [
  'a: [1, 2',
  'a: b: c\nd: "\n',
  'a: 1\na: 2\n',
  '? - a\n: |2\n x\n',
  '%YAML 1.3\n---\na: *nobody\n',
  'a: !!binary x\nb: !Ref y\n',
  'one: 0o17\ntwo: 12:30:45\nthree: 2001-12-14t21:59:43.10-05:00\nfour: ~\nfive: .inf\n',
  '- &a {x: y}\n- <<: *a\n',
  '--- 1\n--- 2\n',
  '\ta: 1\n',
]

describe('in a build', () => {
  test.each(files)('%s is read as from the sources', async (file) => {
    const text = readFileSync(join(root, file), 'utf8')
    const { readYaml }: typeof yaml = await fromBuild('yaml')

    expect(read(readYaml(file, text, 'own'))).toEqual(read(yaml.readYaml(file, text, 'own')))
  })

  test.each(broken)('%j is read as from the sources, or refused in the same words', async (text) => {
    const { readYaml }: typeof yaml = await fromBuild('yaml')

    for (const dialect of ['own', 'proton-spec', 'schema', 'cloudformation'] as const)
      expect(read(readYaml('x.yaml', text, dialect))).toEqual(read(yaml.readYaml('x.yaml', text, dialect)))
  })

  test.each([
    ['^[a-z]{2,}$', ['ab', 'a', 'A']],
    ['^\\p{Greek}+$', ['αβγ', 'abc', 'Ω']],
    ['\\p{Lu}\\p{Ll}*', ['Ärger', 'x', 'ǅ']],
    ['(?i)^straße$', ['STRASSE', 'Straße', 'straſſe']],
    ['[[:alpha:]]\\d\\b', ['a1', 'ä1', '1a']],
    ['(a*)*b|c', ['aaaaaaaaaaaaaaaaaaaaaaaaaaaac', 'aaaa', 'b']],
    ['^.{0,5}\\P{Emoji}$', ['👍👍', 'ab', '12']],
    ['(?=a)', []],
    ['[', []],
  ])('the pattern %s matches what it matches from the sources', async (source, texts) => {
    const { linearPattern }: typeof pattern = await fromBuild('pattern')
    const answers = (found: ReturnType<typeof linearPattern>) =>
      'pattern' in found ? [found.pattern.size, ...texts.map((text) => found.pattern.test(text))] : found

    expect(answers(linearPattern(source))).toEqual(answers(pattern.linearPattern(source)))
  })

  test('the resource types are those of the sources', async () => {
    const { lookUpType, typesNear }: typeof types = await fromBuild('types')
    const names = types.typesNear('AWS::Nothing::Here')

    expect(names.length).toBeGreaterThan(400)
    expect(typesNear('AWS::Nothing::Here')).toEqual(names)
    for (const name of [...names, 'AWS::Athena::WorkGroup', 'AWS::S3::Buckett', 'Custom::X'])
      expect(lookUpType(name)).toEqual(types.lookUpType(name))
  })

  test('the character references are those of the sources', async () => {
    const { namedEntities }: typeof entities = await fromBuild('entities')

    expect(namedEntities()).toEqual(entities.namedEntities())
    expect(namedEntities().size).toBeGreaterThan(2000)
  })

  test.each(['', 'a', 'ä€👍', 'x'.repeat(100_000)])('the digest of a text is that of the sources', async (text) => {
    const { plainSha256 }: typeof sha256 = await fromBuild('sha256')

    expect(plainSha256(text)).toBe(sha256.plainSha256(text))
  })

  test.each([
    {},
    { name: 'dev', template: 'vpc-fargate@1.0.0', unknown: 1 },
    { name: 7, template: [], account: 'x', region: true, inputs: { a: 1 } },
  ])('what is wrong with %j is what is wrong from the sources', async (value) => {
    const { faultsOf }: typeof shape = await fromBuild('shape')

    expect(faultsOf(environmentSchema, value)).toEqual(shape.faultsOf(environmentSchema, value))
  })

  test.each([
    '{{ name|upper }} {%- for x in list if x > 1 %} {{ loop.index }}:{{ x }}{% else %}none{% endfor %}',
    "{{ '<p>a &amp; b &notit; &hearts;</p>'|striptags }} {{ 0x1F }} {{ 1_000 }} {{ 'a' ~ 1.0 }}",
    '{% macro m(a, b=2) %}{{ a + b }}{% endmacro %}{{ m(1) }} {# a comment #} {% raw %}{{ x }}{% endraw %}',
    '{% if a %}',
    '{{ nothing.at.all }} {{ x|nofilter }}',
    '{% set a = [1, {"b": none}] %}{{ a[1].b is none }} {{ a|tojson }} {{ "%05.1f"|format(3.14159) }}',
  ])('the template %j is rendered as from the sources', async (source) => {
    const { parseTemplate, renderTemplate }: typeof jinja = await fromBuild('jinja')
    const context = { name: 'ärger', list: [1, 2, 3] }
    const answer = (parse: typeof parseTemplate, render: typeof renderTemplate) => {
      const parsed = parse('x.yaml', source)
      return parsed.ok ? render(parsed.value, context) : parsed
    }

    expect(answer(parseTemplate, renderTemplate)).toEqual(answer(jinja.parseTemplate, jinja.renderTemplate))
  })
})

describe("GitHub's endpoints", () => {
  test('are asked for in the one way that a build finds', () => {
    const folderOf = join(root, 'src/adapters')
    const texts = readdirSync(folderOf, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(join(folderOf, file), 'utf8'))

    const uses = texts.flatMap((text) =>
      [...text.matchAll(/\boctokit\.rest\b(?:\.\w+\.\w+)?|[)\]]\.rest\b/gu)].map(([use]) => use),
    )
    const found = usedEndpoints(folderOf).map((names) => `octokit.rest.${names.join('.')}`)
    expect(new Set(uses)).toEqual(new Set(found))
    expect(found).toContain('octokit.rest.issues.createComment')
  })
})

function read(checked: ReturnType<typeof yaml.readYaml>): unknown {
  return checked.ok ? { data: checked.value.data, problems: checked.problems } : checked
}
