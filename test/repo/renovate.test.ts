import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { RE2JS } from 're2js'
import { describe, expect, test } from 'vitest'
import { openEnvironment } from '../../src/core/catalog.ts'
import { openServiceSpec } from '../../src/core/spec.ts'
import { parseReference } from '../../src/core/version.ts'

const root = join(import.meta.dirname, '../..')

type Manager = {
  readonly customType: string
  readonly managerFilePatterns: readonly string[]
  readonly matchStrings: readonly string[]
  readonly packageNameTemplate: string
  readonly extractVersionTemplate: string
  readonly datasourceTemplate: string
}

const preset: {
  readonly customManagers: readonly Manager[]
  readonly packageRules: readonly Record<string, unknown>[]
} = JSON.parse(readFileSync(join(root, 'renovate/default.json'), 'utf8').replaceAll('{{arg0}}', 'acme/catalog'))
const manager = preset.customManagers[0]
if (manager === undefined) throw new Error('no manager')
const own = manager

/** Whether a file is looked at: a pattern in slashes is a regular expression on the path from the root. */
function isLookedAt(path: string): boolean {
  return own.managerFilePatterns.some((pattern) => new RegExp(pattern.slice(1, -1)).test(path))
}

/** What is found in a file, as Renovate's regex manager does it: each pattern over the whole text, templates filled with the groups. */
function found(text: string) {
  return own.matchStrings.flatMap((pattern) =>
    [...text.matchAll(new RegExp(pattern, 'g'))].map(([all, ...rest]) => {
      const groups = text.match(new RegExp(pattern))?.groups ?? {}
      const filled = (template: string): string =>
        template.replaceAll(/\{\{\{?(\w+)\}?\}\}/g, (_all, name: string) => groups[name] ?? '')
      return {
        all,
        rest,
        name: groups['depName'] ?? '',
        version: groups['currentValue'] ?? '',
        repository: filled(own.packageNameTemplate),
        extract: filled(own.extractVersionTemplate),
      }
    }),
  )
}

function versionsFor(extract: string, tags: readonly string[]): readonly string[] {
  return tags.flatMap((tag) => new RegExp(extract).exec(tag)?.groups?.['version'] ?? [])
}

const files = [
  ...readdirSync(join(root, 'services')).map((name) => `services/${name}/service.yaml`),
  ...readdirSync(join(root, 'environments')).map((name) => `environments/${name}`),
]

describe('the preset for Renovate', () => {
  test.each(files)('finds the template and the version of %s', (path) => {
    expect(isLookedAt(path)).toBe(true)
    const text = readFileSync(join(root, path), 'utf8')
    const said = openServiceSpec(path, text).spec ?? openEnvironment(path, text).environment
    const all = found(text)
    expect(all).toHaveLength(1)
    expect({ template: all[0]?.name, version: all[0]?.version }).toEqual({
      template: said?.template,
      version: said?.version,
    })
    expect(all[0]?.repository).toBe('acme/catalog')
    // What it writes is the file with another version, and nothing else.
    const moved = text.replace(all[0]?.all ?? '', (whole) => whole.replace(all[0]?.version ?? '', '9.8.7'))
    expect(moved.split('\n').filter((line, index) => line !== text.split('\n')[index])).toHaveLength(1)
    expect(parseReference(/^template:\s+(\S+)/m.exec(moved)?.[1] ?? '')).toEqual({
      template: said?.template,
      version: '9.8.7',
    })
  })

  test.each([
    ['service: a\r\ntemplate: web@1.2.3 # held\r\n', ['web 1.2.3']],
    ['template: "web@1.2.3"\n', ['web 1.2.3']],
    ["template: 'my_web-2@10.0.0'\n", ['my_web-2 10.0.0']],
    ['"template": "web@1.2.3"\n', ['web 1.2.3']],
    ['# template: web@1.2.3\n', []],
    ['inputs:\n  template: web@1.2.3\n', []],
    ['template: web\n', []],
    ['my_template: web@1.2.3\n', []],
  ])('reads %j', (text, expected) => {
    expect(found(text).map(({ name, version }) => `${name} ${version}`)).toEqual(expected)
  })

  test('looks at no other file', () => {
    expect(
      [
        'templates/web/template.yaml',
        'a/service.yaml',
        'services/a/b/service.yaml',
        'environments/a/b.yaml',
        'service.yml',
      ].filter(isLookedAt),
    ).toEqual([])
    expect(isLookedAt('service.yaml')).toBe(true)
  })

  test('takes the releases of the template alone for its versions', () => {
    const extract = found('template: web@1.0.0\n')[0]?.extract ?? ''
    const tags = [
      'web@1.0.0',
      'web@1.1.0',
      'web@2.0.0',
      'web-worker@3.0.0',
      'my-web@4.0.0',
      'v5.0.0',
      'web@1.2',
      'web@1.2.0-rc.1',
    ]
    expect(versionsFor(extract, tags)).toEqual(['1.0.0', '1.1.0', '2.0.0'])
    expect(own.datasourceTemplate).toBe('github-releases')
    expect(preset.packageRules[0]).toMatchObject({ separateMultipleMajor: true })
  })

  test('is written in expressions that RE2, which Renovate runs, can read', () => {
    const all = [
      ...own.matchStrings,
      ...own.managerFilePatterns.map((pattern) => pattern.slice(1, -1)),
      own.extractVersionTemplate.replaceAll('{{{depName}}}', 'web'),
    ]
    for (const pattern of all) expect(() => RE2JS.compile(pattern), pattern).not.toThrow()
  })
})
