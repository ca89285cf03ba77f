import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

/** The rules of the preset as Renovate's regex manager reads them; `arg0` is what `extends` gives to the preset. */
type Manager = {
  readonly managerFilePatterns: readonly string[]
  readonly matchStrings: readonly string[]
  readonly packageNameTemplate: string
  readonly datasourceTemplate: string
  readonly extractVersionTemplate: string
}

const root = join(import.meta.dirname, '../..')
const preset: { readonly customManagers: readonly Manager[]; readonly packageRules: readonly unknown[] } = JSON.parse(
  readFileSync(join(root, 'renovate/default.json'), 'utf8').replaceAll('{{arg0}}', 'acme/catalog'),
)
const [manager] = preset.customManagers

function filled(template: string, groups: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{\{\{?(\w+)\}?\}\}/gu, (_, name: string) => groups[name] ?? '')
}

/** What Renovate would find in a file: https://docs.renovatebot.com/modules/manager/regex/ */
function found(file: string, text: string): readonly Readonly<Record<string, string>>[] {
  if (manager === undefined) return []
  const isRead = manager.managerFilePatterns.some((pattern) => new RegExp(pattern.slice(1, -1), 'u').test(file))
  if (!isRead) return []
  return manager.matchStrings.flatMap((source) =>
    [...text.matchAll(new RegExp(source, 'gu'))].map(({ groups = {}, 0: replaced }) => ({
      ...groups,
      replaced,
      packageName: filled(manager.packageNameTemplate, groups),
      extractVersion: filled(manager.extractVersionTemplate, groups),
    })),
  )
}

describe('the preset for Renovate', () => {
  test.each([
    ['service.yaml', 'service: checkout\ntemplate: fargate-service@2.3.0\nowner: a\n', 'fargate-service', '2.3.0'],
    ['services/checkout/service.yaml', '# one\ntemplate: "queue-worker@1.0.0" # chosen\n', 'queue-worker', '1.0.0'],
    ['environments/dev.yaml', "template: 'vpc-fargate@10.20.30'", 'vpc-fargate', '10.20.30'],
    ['a/b/service.yaml', 'service: x\r\ntemplate:   Web_1@1.2.3\r\nhosts: []\r\n', 'Web_1', '1.2.3'],
  ])('finds the template in %s', (file, text, depName, currentValue) => {
    const all = found(file, text)

    expect(all).toMatchObject([{ depName, currentValue, packageName: 'acme/catalog' }])
    // What it writes is the number alone.
    expect(all[0]?.['replaced']).toContain(`${depName}@${currentValue}`)
  })

  test.each([
    ['services.yaml', 'template: web@1.2.3'],
    ['my-service.yaml', 'template: web@1.2.3'],
    ['service.yaml', 'service: web\ninputs:\n  template: web@1.2.3\n'],
    ['service.yaml', '# template: web@1.2.3\n'],
    ['service.yaml', 'template: web@1.2\n'],
    ['service.yaml', 'template: web@1.2.3-rc.1\n'],
    ['templates/web/template.yaml', 'template: web@1.2.3'],
  ])('finds nothing in %s: %j', (file, text) => {
    expect(found(file, text)).toEqual([])
  })

  test('takes the versions of that template alone out of the releases of the catalog', () => {
    const [dependency] = found('service.yaml', 'template: web@1.2.3')
    const extract = new RegExp(dependency?.['extractVersion'] ?? '', 'u')
    const versions = ['web@1.2.3', 'web@1.3.0', 'web-api@9.0.0', 'my-web@9.0.0', 'web@2', 'v1.0.0', 'web@2.0.0'].map(
      (tag) => extract.exec(tag)?.groups?.['version'],
    )

    expect(versions).toEqual(['1.2.3', '1.3.0', undefined, undefined, undefined, undefined, '2.0.0'])
  })

  test('knows the sample organisation’s own files', () => {
    for (const file of ['services/checkout/service.yaml', 'environments/dev.yaml']) {
      expect(found(file, readFileSync(join(root, file), 'utf8'))).toHaveLength(1)
    }
  })
})
