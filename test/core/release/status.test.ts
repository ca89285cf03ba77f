import { describe, expect, test } from 'vitest'

import { choices } from '../../../src/core/add.ts'
import { readCatalog } from '../../../src/core/catalog.ts'
import { editorSchemas } from '../../../src/core/editor.ts'
import { readOrganisation } from '../../../src/core/organisation.ts'
import { bundleDigest, readReleaseRecord, releasePath } from '../../../src/core/release/model.ts'
import { notesMarkdown } from '../../../src/core/release/notes.ts'
import { recordsByUnit } from '../../../src/core/release/deployed.ts'
import { changedReleases, standingProblems } from '../../../src/core/release/standing.ts'
import { isProposed, nextVersion, offeredVersion, releaseStatus } from '../../../src/core/release/status.ts'
import { releaseProblems } from '../../../src/core/release/verify.ts'
import type { Template } from '../../../src/core/template.ts'
import { readTemplate } from '../../../src/core/template.ts'
import type { FileTree } from '../../../src/core/tree.ts'
import { brief, manifest, organisationFiles, schemaFile, treeOf } from '../trees.ts'

const bundle = (major: number): Readonly<Record<string, string>> => ({
  [`v${major}/schema/schema.yaml`]: schemaFile('service', 'properties: {}'),
  [`v${major}/instance_infrastructure/manifest.yaml`]: manifest,
  [`v${major}/instance_infrastructure/cloudformation.yaml`]: 'Resources: {}\n',
})

function read(more: string) {
  const file = `kind: service\nversions: { v1: 1.4.2, v2: 2.0.0, v3: 3.0.0 }\nhelp: "#help"\n${more}`
  return readTemplate(treeOf(bundle(1), bundle(2), bundle(3), { 'template.yaml': file }), {
    name: 'web',
    folder: 'templates/web',
  })
}

function template(more: string): Template {
  const result = read(more)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.value
}

describe('what is said of a version', () => {
  const own = template(`support:
  v1: { is: deprecated, until: 2027-01-31, because: v2 is cheaper }
  1.4.0: { is: yanked, because: It leaks }
  1.4.1: supported
  v3: draft
`)

  test.each([
    ['1.0.0', { is: 'deprecated', until: '2027-01-31', because: 'v2 is cheaper' }],
    ['1.4.0', { is: 'yanked', because: 'It leaks' }],
    ['1.4.1', { is: 'supported' }],
    ['2.0.0', { is: 'supported' }],
    ['3.0.0', { is: 'draft' }],
  ])('of %s is %j: of itself before its major', (version, status) => {
    expect(releaseStatus(own, version)).toEqual(status)
  })

  test('decides what is proposed, and which way leads from a version', () => {
    expect(
      ['1.0.0', '1.4.0', '1.4.1', '2.0.0', '3.0.0'].filter((each) => isProposed(releaseStatus(own, each))),
    ).toEqual(['1.4.1', '2.0.0'])
    const released = ['1.4.0', '1.4.1', '2.0.0', '2.1.0', '3.0.0']
    expect(nextVersion('1.4.0', { template: own, released })).toBe('1.4.1')
    expect(nextVersion('1.4.1', { template: own, released })).toBe('2.1.0')
    // Nothing newer is good, so the way leads back.
    expect(nextVersion('3.0.0', { template: own, released })).toBe('2.1.0')
    expect(offeredVersion(own, released)).toBe('2.1.0')
    expect(offeredVersion(template('recommended: 1.4.2\n'), released)).toBe('1.4.2')
    expect(offeredVersion(template('support: { v1: draft, v2: draft, v3: draft }\n'))).toBeUndefined()
  })

  test.each([
    ['support: { v1: yanked }', ['wrong-value templates/web/template.yaml:4']],
    ['support: { v1: { is: yanked } }', ['wrong-value templates/web/template.yaml:4']],
    ['support: { v1: { is: deprecated } }', ['wrong-value templates/web/template.yaml:4']],
    ['support: { v1: { is: deprecated, until: 2027-02-30 } }', ['wrong-value templates/web/template.yaml:4']],
    ['support: { v1: { is: deprecated, until: soon } }', 'wrong-value'],
    ['support: { v1: { is: draft, until: 2027-01-31 } }', ['wrong-value templates/web/template.yaml:4']],
    ['support: { "1.4": draft }', ['wrong-value templates/web/template.yaml:4']],
    ['support: "#help"', ['wrong-value templates/web/template.yaml:4']],
    ['support: { v1: draft }\nrecommended: 1.4.2', ['wrong-value templates/web/template.yaml:5']],
    ['recommended: newest', ['wrong-value templates/web/template.yaml:4']],
  ])('%j is wrong', (more, expected) => {
    const problems = brief(read(more).problems)

    if (typeof expected === 'string') expect(problems[0]).toContain(expected)
    else expect(problems).toEqual(expected)
  })
})

describe('who runs a version', () => {
  const now = new Date('2026-11-25T12:00:00Z')
  const released = (name: string, version: string): FileTree | undefined => {
    if (name !== 'web' && name !== 'old') return undefined
    return new Map(
      [...treeOf(organisationFiles)].flatMap(([path, text]) =>
        path.startsWith('templates/web/v1/') && version.startsWith('1.') ? [[path.slice(17), text] as const] : [],
      ),
    )
  }

  function told(more: Readonly<Record<string, string | undefined>>, at = now): readonly string[] {
    const read = readOrganisation(treeOf(organisationFiles, more), released, ['web@1.4.2', 'web@1.5.0', 'old@1.0.0'])
    if (!read.ok) throw new Error(JSON.stringify(read.problems))
    const problems = standingProblems(read.value, { released: ['web@1.4.2', 'web@1.5.0'], now: at })
    return problems.map(({ code, severity, message, remedy, at: place }) =>
      [severity, code, `${place?.file ?? ''}:${place?.line ?? ''}`, message, remedy].join(' | '),
    )
  }

  const said = (support: string) => ({
    'templates/web/template.yaml': `kind: service\nversions: { v1: 1.4.2 }\nhelp: "#help"\nsupport: { 1.4.2: ${support} }\n`,
  })

  test('that is supported is told nothing', () => {
    expect(told({})).toEqual([])
  })

  test('that is a draft in production is refused', () => {
    expect(told(said('draft'))).toEqual([
      'error | version-draft | services/checkout/service.yaml:2 | web@1.4.2 is a draft, and may change without a new number. | Go to web@1.5.0 (help: #help).',
    ])
  })

  test('that is a draft elsewhere is told so', () => {
    const service = (organisationFiles['services/checkout/service.yaml'] ?? '')
      .replace('  - checkout.example.com\n', '')
      .replace(/stages:[^]*/u, '')

    expect(told({ ...said('draft'), 'services/checkout/service.yaml': service })[0]).toContain(
      'warning | version-draft',
    )
  })

  test.each([
    ['2026-12-31', 'web@1.4.2 is supported until 2026-12-31 only (too dear).'],
    ['2026-11-25', 'web@1.4.2 is supported until 2026-11-25 only (too dear).'],
    ['2026-11-24', 'web@1.4.2 was supported until 2026-11-24, and is not any more (too dear).'],
  ])('that is deprecated until %s is warned, before and after', (until, message) => {
    expect(told(said(`{ is: deprecated, until: ${until}, because: too dear }`))).toEqual([
      `warning | version-deprecated | services/checkout/service.yaml:2 | ${message} | Go to web@1.5.0 (help: #help).`,
    ])
  })

  test('that was taken back is warned, with the reason and the way', () => {
    expect(told(said('{ is: yanked, because: It loses data }'))).toEqual([
      'warning | version-yanked | services/checkout/service.yaml:2 | web@1.4.2 was taken back: It loses data. | Go to web@1.5.0 (help: #help).',
    ])
  })

  test('is told that the template is gone, and what it is called now if its files are there under another name', () => {
    const moved = Object.fromEntries(
      Object.entries(organisationFiles).flatMap(([path, text]) =>
        path.startsWith('templates/web/')
          ? [[path, undefined] as const, [path.replace('/web/', '/site/'), text] as const]
          : [],
      ),
    )
    const gone = Object.fromEntries(
      Object.keys(organisationFiles).flatMap((path) => (path.startsWith('templates/web/') ? [[path, undefined]] : [])),
    )

    expect(told(moved)[0]).toContain('It seems to be called "site" now. | Write `template: site@1.4.2`')
    expect(told(gone)).toEqual([
      'warning | template-gone | services/checkout/service.yaml:2 | The catalog has no template "web" any more; web@1.4.2 is rendered from its tag, and gets no upgrades. | Go to another template, or bring the folder of this one back as it was released.',
    ])
  })

  test('is told that its major is gone', () => {
    const moved = Object.fromEntries(
      Object.entries(organisationFiles).flatMap(([path, text]) =>
        path.startsWith('templates/web/v1/')
          ? [[path, undefined] as const, [path.replace('/v1/', '/v2/'), text] as const]
          : [],
      ),
    )

    expect(told({ ...moved, 'templates/web/template.yaml': 'kind: service\nversions: { v2: 2.0.0 }\n' })[0]).toContain(
      'The catalog has no `v1/` of "web" any more; web@1.4.2 is rendered from its tag, and gets no mends.',
    )
  })
})

test('what is offered to somebody who begins is no draft, and what is recommended before what is newest', () => {
  const files = (more: string) =>
    treeOf(
      organisationFiles,
      { 'templates/web/template.yaml': `kind: service\nversions: { v1: 1.4.2, v2: 2.0.0 }\n${more}` },
      Object.fromEntries(Object.entries(bundle(2)).map(([path, text]) => [`templates/web/${path}`, text])),
    )
  const offered = (more: string) => {
    const catalog = readCatalog(files(more))
    if (!catalog.ok) throw new Error(JSON.stringify(catalog.problems))
    const schema = editorSchemas(catalog.value.templates.values()).get('service.schema.json') ?? ''
    return [choices(catalog.value).map(({ version }) => version), /"web@2\.0\.0"/u.test(schema)]
  }

  expect(offered('')).toEqual([['2.0.0'], true])
  expect(offered('recommended: 1.4.2\n')).toEqual([['1.4.2'], true])
  expect(offered('support: { v2: draft }\n')).toEqual([['1.4.2'], false])
  expect(offered('support: { v1: draft, v2: draft }\n')).toEqual([[], false])
})

describe('a record of a release', () => {
  const record = {
    format: 1,
    template: 'web',
    version: '1.4.2',
    digest: bundleDigest(new Map([['a', 'b']])),
    commit: 'c'.repeat(40),
    at: '2026-11-25T12:00:00.000Z',
    by: 'ada',
  } as const
  const file = 'releases/web/1.4.2.json'

  test('is read back where it lies, and nowhere else', () => {
    const text = JSON.stringify({ ...record, prev: 'sha256:0' })

    expect(releasePath(record)).toBe(file)
    expect(readReleaseRecord(file, text)).toEqual(record)
    expect(readReleaseRecord('releases/web/1.4.3.json', text)).toBeUndefined()
    expect(readReleaseRecord(file, text.replace('"format":1', '"format":2'))).toBeUndefined()
    expect(readReleaseRecord(file, 'no')).toBeUndefined()
    expect(() => releasePath({ template: '../x', version: '1.0.0' })).toThrow(TypeError)
    expect(() => releasePath({ template: 'web', version: '1.0' })).toThrow(TypeError)
  })

  test('is held against the tag: another commit and another content are both refused', () => {
    const tree = new Map([['a', 'b']])

    expect(releaseProblems(record, { tree, commit: record.commit })).toEqual([])
    expect(releaseProblems(record, { tree, commit: 'd'.repeat(40) })).toMatchObject([{ code: 'release-changed' }])
    expect(releaseProblems(record, { tree: new Map([['a', 'c']]), commit: record.commit })).toMatchObject([
      { code: 'release-changed', message: expect.stringContaining('another digest') },
    ])
  })

  test('makes a job refuse a bundle of the checkout that was changed under its number, and no draft', () => {
    const changed = (more: Readonly<Record<string, string>>, digest: string) => {
      const read = readOrganisation(treeOf(organisationFiles, more), () => undefined)
      if (!read.ok) throw new Error(JSON.stringify(read.problems))
      const { catalog, units } = read.value
      return changedReleases(catalog, {
        bundles: units.map((unit) => unit.bundle),
        releases: [{ ...record, digest }],
      }).map(({ code, at }) => `${code} ${at?.file ?? ''}:${at?.line ?? ''}`)
    }
    const files = [...treeOf(organisationFiles)].flatMap(([path, text]) =>
      path.startsWith('templates/web/v1/') ? [[path.slice(17), text] as const] : [],
    )

    expect(changed({}, bundleDigest(new Map(files)))).toEqual([])
    expect(changed({}, record.digest)).toEqual(['version-unchanged templates/web/template.yaml:2'])
  })
})

describe('what units run', () => {
  const text = (id: string, outcome: string, version: string, unit = 'a/dev') =>
    [`records/${unit}/2026-11/${id}.json`, JSON.stringify({ unit, id, outcome, template: 'web', version })] as const

  test('is what was deployed last; what failed changes nothing, and what was removed runs no more', () => {
    const files = new Map([
      text('2', 'deployed', '1.1.0'),
      text('1', 'deployed', '1.0.0'),
      text('3', 'failed', '1.2.0'),
      text('1', 'deployed', '1.0.0', 'b/dev'),
      text('2', 'removed', '1.0.0', 'b/dev'),
      ['releases/web/1.0.0.json', '{}'] as const,
      ['records/c/dev/2026-11/1.json', 'no'] as const,
    ])

    expect([...recordsByUnit(files)]).toEqual([['a/dev', 'web@1.1.0']])
  })
})

describe('the notes of a release', () => {
  test('keep their form, and mention nobody', () => {
    const { markdown } = notesMarkdown('Hello @ada, see #3.\nMore.\n\n### New\n\n- one <b>\n  two\n* three\n')

    expect(markdown).toBe('Hello `@ada`, see `#3`. More.\n\n### New\n\n- one `<b>` two\n- three\n')
  })
})
