import { relative } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'

import { ledger } from '../../src/commands/ledger.ts'
import { readFolder } from '../../src/commands/reading.ts'
import { release } from '../../src/commands/release.ts'
import { validate } from '../../src/commands/validate.ts'
import { version } from '../../src/commands/version.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { small } from './organisation.ts'
import type { World } from './ports.ts'
import { run, worldOf } from './ports.ts'

const part = 'templates/queue/v1/instance_infrastructure/cloudformation.yaml'
const schemaFile = 'templates/queue/v1/schema/schema.yaml'
const base = small({ stages: ['dev'], services: { alpha: { size: 1, topics: 1 } } })

/** The catalog with some files changed; `undefined` takes one away. */
function catalog(more: Readonly<Record<string, string | undefined>> = {}): FileTree {
  const own: Readonly<Record<string, string | undefined>> = {
    'templates/queue/template.yaml': '# Ours.\nkind: service\nversions: { v1: 1.0.0 } # the first\n',
    'templates/queue/CHANGELOG.md': '# Changes\n\n## 1.0.0\n\nThe first.\n',
    ...more,
  }
  const files = new Map(base)
  for (const [path, text] of Object.entries(own)) {
    if (text === undefined) files.delete(path)
    else files.set(path, text)
  }
  return new Map([...files].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function bundleIn(files: FileTree, folder: string): FileTree {
  return new Map(
    [...files].flatMap(([path, text]) =>
      path.startsWith(`${folder}/`) ? [[path.slice(folder.length + 1), text] as const] : [],
    ),
  )
}

const released = new Map([
  ['queue@1.0.0', bundleIn(catalog(), 'templates/queue/v1')],
  ['home@1.0.0', bundleIn(catalog(), 'templates/home/v1')],
])

let world: World | undefined
afterEach(() => world?.end())

function start(files: FileTree, more: Parameters<typeof worldOf>[1] = {}): { readonly tree: () => FileTree } & World {
  const tree = new Map(files)
  const made = worldOf(() => new Map([...tree].toSorted(([a], [b]) => (a < b ? -1 : 1))), { released, ...more })
  world = made
  const here = {
    ...made.ports.files,
    write: async (_root: string, written: FileTree) => {
      for (const [path, text] of written) tree.set(path, text)
    },
    remove: async (path: string) => void tree.delete(relative(made.folder, path)),
  }
  return { ...made, ports: { ...made.ports, files: here }, tree: () => tree }
}

const mended = `# Mended.\n${base.get(part) ?? ''}`
const wider = (base.get(schemaFile) ?? '').replace('size: {', 'more: { type: integer, default: 1 }, size: {')
const renamed = (base.get(schemaFile) ?? '')
  .replace('size: {', 'delay: {')
  .replace(/ {6}properties/u, '      required: [delay]\n      properties')
const renamedPart = (base.get(part) ?? '').replace('inputs.size', 'inputs.delay')

describe('version', () => {
  test('finds nothing to do where all is as it was released', async () => {
    const { ports, ...rest } = start(catalog())

    const outcome = await run(version, { ports, ...rest }, {})

    expect(outcome.exit).toBe('done')
    expect(outcome.data['versions']).toMatchObject([
      { template: 'home', is: 'released', must: '1.0.0' },
      { template: 'queue', is: 'released', must: '1.0.0' },
    ])
  })

  test.each<readonly [string, Readonly<Record<string, string>>, string, string, string]>([
    ['a mend', { [part]: mended }, '1.0.0', 'version-unchanged', '1.0.1'],
    ['an input', { [schemaFile]: wider }, '1.0.0', 'version-unchanged', '1.1.0'],
    ['an input, called a mend', { [schemaFile]: wider }, '1.0.1', 'version-understated', '1.1.0'],
    ['a renamed input', { [schemaFile]: renamed, [part]: renamedPart }, '1.0.0', 'version-unchanged', '2.0.0'],
    [
      'a renamed input, called new',
      { [schemaFile]: renamed, [part]: renamedPart },
      '1.1.0',
      'version-understated',
      '2.0.0',
    ],
  ])('says of %s what number it must have', async (_, more, number, code, must) => {
    const files = catalog({
      'templates/queue/template.yaml': `kind: service\nversions: { v1: ${number} }\n`,
      'templates/queue/CHANGELOG.md': `## ${number}\n\nNew.\n`,
      ...more,
    })
    const { ports, ...rest } = start(files)

    const outcome = await run(version, { ports, ...rest }, { templates: ['queue'] })
    const checked = await run(validate, { ports, ...rest }, {})

    expect(outcome.exit).toBe('bad-input')
    expect(outcome.problems?.map((problem) => problem.code)).toContain(code)
    expect(outcome.data['versions']).toMatchObject([{ must, is: 'wrong' }])
    // A pull request with it does not pass.
    expect(checked.exit).toBe('bad-input')
    expect(checked.problems?.map((problem) => problem.code)).toContain(code)
  })

  test('hears what the services of the catalog say of a change that no example shows', async () => {
    const text = (base.get(part) ?? '').replace(
      'range(service_instance.inputs.topics)',
      'range(service_instance.inputs.topics - 1)',
    )
    const { ports, ...rest } = start(catalog({ [part]: text }))

    const outcome = await run(version, { ports, ...rest }, { templates: ['queue'] })

    expect(outcome.data['versions']).toMatchObject([
      {
        must: '2.0.0',
        level: 'major',
        reasons: [{ what: 'Topic0 (AWS::SNS::Topic) would be deleted in alpha/dev.' }, {}],
      },
    ])
    const broken = start(catalog({ [part]: (base.get(part) ?? '').replace('inputs.size', 'inputs.sise') }))
    const told = await run(version, broken, { templates: ['queue'] })
    expect(told.data['versions']).toMatchObject([
      { must: '2.0.0', reasons: [{ what: expect.stringContaining(': alpha.') }, {}] },
    ])
    broken.end()
  })

  test('sets the number and a heading, and touches no other line', async () => {
    const { ports, tree, ...rest } = start(catalog({ [schemaFile]: wider }))

    const outcome = await run(version, { ports, ...rest }, { write: ['true'] })

    expect(outcome.exit).toBe('done')
    expect(outcome.data['written']).toEqual(['templates/queue/CHANGELOG.md', 'templates/queue/template.yaml'])
    expect(tree().get('templates/queue/template.yaml')).toBe(
      '# Ours.\nkind: service\nversions: { v1: 1.1.0 } # the first\n',
    )
    expect(tree().get('templates/queue/CHANGELOG.md')).toBe(
      '# Changes\n\n## 1.1.0\n\n- The input "more" is new.\n\n## 1.0.0\n\nThe first.\n',
    )
    expect((await run(version, { ports, ...rest }, {})).exit).toBe('done')
    expect((await run(validate, { ports, ...rest }, {})).exit).toBe('done')
  })

  test('moves what breaks to its next major, brings the released one back, and drafts the migration', async () => {
    const { ports, tree, ...rest } = start(
      catalog({ [schemaFile]: renamed, [part]: renamedPart, 'templates/queue/v1/extra.md': 'More.' }),
    )

    const outcome = await run(version, { ports, ...rest }, { write: ['true'] })

    expect(outcome.exit).toBe('done')
    expect(bundleIn(tree(), 'templates/queue/v1')).toEqual(released.get('queue@1.0.0'))
    expect(tree().get('templates/queue/v2/schema/schema.yaml')).toBe(renamed)
    expect(tree().get('templates/queue/v2/extra.md')).toBe('More.')
    expect(tree().get('templates/queue/template.yaml')).toContain('versions: { v1: 1.0.0, v2: 2.0.0 } # the first')
    expect(tree().get('templates/queue/CHANGELOG.md')).toContain('## 2.0.0\n\n- The input "size" was removed')
    expect(tree().get('templates/queue/migrations/2.0.0.yaml')).toContain('rename: { from: size, to: delay }')
    // An old spec renders as it did.
    expect((await run(validate, { ports, ...rest }, {})).exit).toBe('done')
  })

  test('drafts a migration for what is gone although nobody has to give anything, unless there is one', async () => {
    const gone = (base.get(schemaFile) ?? '').replace('size: {', 'delay: { default: 3,')
    const { ports, tree, ...rest } = start(
      catalog({ [schemaFile]: gone.replace('default: 3,  type', 'default: 3, type'), [part]: renamedPart }),
    )
    await run(version, { ports, ...rest }, { write: ['true'] })

    expect(tree().get('templates/queue/migrations/2.0.0.yaml')).toContain('rename: { from: size, to: delay }')
    const files = new Map(tree())
    rest.end()
    const again = start(files)
    await run(version, again, { write: ['true'] })
    expect(again.tree()).toEqual(files)
    again.end()

    // A change within a major needs none.
    const within = start(catalog({ [schemaFile]: wider }))
    await run(version, within, { write: ['true'] })
    expect([...within.tree().keys()].filter((path) => path.includes('migrations'))).toEqual([])
  })

  test.each([
    ['a reference to nothing', (text: string) => text.replace('!Ref Queue', '!Ref Queu'), 'stack-reference'],
    ['a name that is not there', (text: string) => text.replace('inputs.size', 'inputs.sise'), 'undefined-variable'],
  ])(
    'says of %s that it has to be mended, and no number; writes nothing, and lets nobody release it',
    async (_, change, code) => {
      const example = {
        'templates/queue/v1/examples/one/inputs.yaml': 'size: 1\ntopics: 1\n',
        'templates/queue/v1/examples/one/context.json':
          '{ "environment": { "outputs": { "KeyArn": "k", "Word": "w" } } }',
      }
      const broken = catalog({
        [part]: change(base.get(part) ?? ''),
        'templates/queue/template.yaml': 'kind: service\nversions: { v1: 1.0.1 }\n',
        ...example,
      })
      const { ports, tree, ...rest } = start(broken)

      const told = await run(version, { ports, ...rest }, {})
      const written = await run(version, { ports, ...rest }, { write: ['true'] })
      const checked = await run(validate, { ports, ...rest }, {})
      const published = await run(release, { ports, ...rest }, {})

      expect(told.data['versions']).toMatchObject([{}, { is: 'broken', must: '1.0.1', reasons: [] }])
      expect(told.next).toBeUndefined()
      for (const { exit, problems = [] } of [told, written, published]) {
        expect(exit).toBe('bad-input')
        expect(problems.map((problem) => problem.code)).toContain(code)
      }
      expect(checked.exit).toBe('bad-input')
      // What the contract of the template tells is not told again by its examples.
      const codes = checked.problems?.map((problem) => problem.code)
      expect(codes).toContain(code === 'undefined-variable' ? 'contract-input-missing' : code)
      expect(tree()).toEqual(broken)
    },
  )

  test('warns of what is said of a version that nobody had', async () => {
    const { ports, ...rest } = start(
      catalog({
        'templates/queue/template.yaml':
          'kind: service\nversions: { v1: 1.0.0 }\nsupport: { v9: draft, 7.0.0: { is: yanked, because: Bad. }, 1.0.0: supported }\n',
      }),
    )

    const told = [await run(version, { ports, ...rest }, {}), await run(validate, { ports, ...rest }, {})]

    for (const { exit, problems = [] } of told) {
      expect(exit).toBe('done')
      expect(problems.flatMap(({ code, message }) => (code === 'unknown-version' ? [message] : []))).toEqual([
        'The template "queue" has no version v9, of which something is said here.',
        'The template "queue" has no version 7.0.0, of which something is said here.',
      ])
    }
  })

  test('names who runs what was taken back by their files, where nothing is recorded', async () => {
    const { ports, ...rest } = start(
      catalog({
        'templates/queue/template.yaml':
          'kind: service\nversions: { v1: 1.0.0 }\nsupport: { 1.0.0: { is: yanked, because: Bad. } }\n',
      }),
    )

    expect((await run(version, { ports, ...rest }, {})).data['troubled']).toMatchObject([{ runs: ['alpha'] }])
  })

  test('gives a heading of a number that was given up the new one', async () => {
    const { ports, tree, ...rest } = start(
      catalog({
        [schemaFile]: wider,
        'templates/queue/template.yaml': 'kind: service\nversions: { v1: 1.0.1 }\n',
        'templates/queue/CHANGELOG.md': '## 1.0.1\n\nMine.\n\n## 1.0.0\n\nThe first.\n',
      }),
    )

    await run(version, { ports, ...rest }, { write: ['true'] })

    expect(tree().get('templates/queue/CHANGELOG.md')).toBe('## 1.1.0\n\nMine.\n\n## 1.0.0\n\nThe first.\n')
  })

  test('wants a migration for what everybody has to give, and takes one that asks', async () => {
    const needed = (base.get(schemaFile) ?? '')
      .replace('size: {', 'owner: { type: string }, size: {')
      .replace(/ {6}properties/u, '      required: [owner]\n      properties')
    const files = (migrations?: string): FileTree => {
      const moved = [...catalog()].flatMap(([path, text]) =>
        path.startsWith('templates/queue/v1/') ? [[path.replace('/v1/', '/v2/'), text] as const] : [],
      )
      return new Map([
        ...catalog({
          'templates/queue/template.yaml': 'kind: service\nversions: { v1: 1.0.0, v2: 2.0.0 }\n',
          'templates/queue/CHANGELOG.md': '## 2.0.0\n\nAn owner.\n',
          ...(migrations !== undefined && { 'templates/queue/migrations/2.0.0.yaml': migrations }),
        }),
        ...moved,
        ['templates/queue/v2/schema/schema.yaml', needed],
      ])
    }
    const codes = async (tree: FileTree): Promise<unknown> => {
      const { ports, ...rest } = start(tree)
      const outcome = await run(version, { ports, ...rest }, { templates: ['queue'] })
      rest.end()
      return outcome.problems?.map(({ code, at }) => `${code} ${at?.file ?? ''}`)
    }

    expect(await codes(files())).toEqual(['migration-missing templates/queue/v2/schema/schema.yaml'])
    expect(
      await codes(
        files(
          'to: 2.0.0\ninputs:\n  - ask: { path: owner, type: string, why: Who answers for it. }\nexamples:\n  - { name: one, before: {}, after: {}, ask: [owner] }\n',
        ),
      ),
    ).toEqual([])
  })

  test.each<readonly [string, string | undefined, readonly string[]]>([
    ['lacks the version', '## 1.0.0\n\nThe first.\n', ['changelog-missing templates/queue/CHANGELOG.md:1']],
    [
      'says nothing of it',
      '# Changes\n\n## 1.0.1\n\n## 1.0.0\n\nThe first.\n',
      ['changelog-missing templates/queue/CHANGELOG.md:3'],
    ],
    ['is not there', undefined, ['changelog-missing templates/queue/template.yaml:2']],
    [
      'has it in a block of code alone',
      '```\n## 1.0.1\nx\n```\n',
      ['changelog-missing templates/queue/CHANGELOG.md:1'],
    ],
    ['has it', '## [1.0.1] - 2026-11-25\n\nMended.\n', []],
  ])('is told that the changelog %s', async (_, changelog, expected) => {
    const { ports, ...rest } = start(
      catalog({
        [part]: mended,
        'templates/queue/template.yaml': 'kind: service\nversions: { v1: 1.0.1 }\n',
        'templates/queue/CHANGELOG.md': changelog,
      }),
    )

    const outcome = await run(version, { ports, ...rest }, {})

    expect(outcome.problems?.map(({ code, at }) => `${code} ${at?.file ?? ''}:${at?.line ?? ''}`)).toEqual(expected)
  })

  test('takes the line in template.yaml for the notes where there is no changelog', async () => {
    const { ports, ...rest } = start(
      catalog({
        [part]: mended,
        'templates/queue/template.yaml': 'kind: service\nversions: { v1: 1.0.1 }\nnotes: { 1.0.1: Mended. }\n',
        'templates/queue/CHANGELOG.md': undefined,
      }),
    )

    expect((await run(version, { ports, ...rest }, {})).exit).toBe('done')
  })

  test('is not content with less than what is released', async () => {
    const { ports, ...rest } = start(
      catalog({ 'templates/queue/template.yaml': 'kind: service\nversions: { v1: 1.0.5 }\n' }),
      {
        released: new Map([...released, ['queue@1.2.0', bundleIn(catalog({ [part]: mended }), 'templates/queue/v1')]]),
      },
    )

    const outcome = await run(version, { ports, ...rest }, {})

    expect(outcome.problems).toContainEqual(
      expect.objectContaining({ code: 'version-behind', expected: 'The version 1.2.1, or a higher one.' }),
    )
  })

  test('lets a draft change as it likes', async () => {
    const { ports, ...rest } = start(
      catalog({
        [schemaFile]: renamed,
        'templates/queue/template.yaml': 'kind: service\nversions: { v1: 1.1.0 }\nsupport: { 1.1.0: draft }\n',
      }),
    )

    const outcome = await run(version, { ports, ...rest }, {})

    expect(outcome.exit).toBe('done')
    expect(outcome.data['versions']).toMatchObject([{}, { template: 'queue', is: 'skipped' }])
  })

  test('says that a template is gone, and who runs what was taken back', async () => {
    const record = {
      format: 1,
      id: '1',
      unit: 'alpha/dev',
      outcome: 'deployed',
      template: 'queue',
      version: '1.0.0',
    }
    const { ports, ...rest } = start(
      catalog({
        'templates/queue/template.yaml':
          'kind: service\nversions: { v1: 1.0.0 }\nsupport: { 1.0.0: { is: yanked, because: It loses messages. } }\n',
      }),
      {
        released: new Map([...released, ['old@1.0.0', new Map<string, string>()]]),
        ledger: {
          files: new Map([['records/alpha/dev/2026-11/1.json', JSON.stringify(record)]]),
          messages: [],
          problems: [],
        },
      },
    )

    const outcome = await run(version, { ports, ...rest }, {})

    expect(outcome.data['troubled']).toEqual([
      { version: 'queue@1.0.0', is: 'yanked', because: 'It loses messages.', runs: ['alpha/dev'] },
    ])
    const same = String
    const text = outcome.text({ bold: same, dim: same, good: same, bad: same, notice: same, accent: same })
    expect(text).toContain('Released, and no longer in the catalog: old.')
    expect(text).toContain('queue@1.0.0 is yanked (It loses messages.), and runs in alpha/dev.')
  })
})

describe('a bundle that was changed under a number that is recorded', () => {
  const recorded = [
    {
      format: 1,
      template: 'queue',
      version: '1.0.0',
      digest: 'sha256:other',
      commit: 'c'.repeat(40),
      at: '2026-11-25T12:00:00.000Z',
      by: 'ada',
    },
  ] as const

  test('is refused in a job, and told of at a terminal, where one may try it', async () => {
    const severity = async (more: Parameters<typeof worldOf>[1]): Promise<unknown> => {
      const { ports, ...rest } = start(catalog(), { recorded, ...more })
      const { organisation } = await readFolder(ports, '.')
      rest.end()
      return [organisation.ok, organisation.problems.map((problem) => `${problem.severity} ${problem.code}`)]
    }
    const job = {
      server: 'https://github.com',
      api: 'https://api.github.com',
      repository: { owner: 'acme', name: 'catalog', id: 1 },
      defaultBranch: 'main',
      id: 1,
      attempt: 1,
      actor: 'ada',
      commit: 'c'.repeat(40),
      ref: 'refs/heads/main',
      about: { is: 'push', branch: 'main' },
    } as const

    expect(await severity({})).toEqual([true, ['warning version-unchanged']])
    expect(await severity({ run: job })).toEqual([false, ['error version-unchanged']])
  })

  test('and a record that was put in, are two lines of the check of the ledger', async () => {
    const { ports, ...rest } = start(catalog(), {
      recorded,
      released: new Map([['queue@1.1.0', new Map([['a', 'b']])]]),
      ledger: { files: new Map([['releases/queue/1.0.0.json', '{}']]), messages: [], problems: [] },
    })

    const { problems = [] } = await run(ledger, { ports, ...rest }, {})

    expect(problems.map(({ code, at }) => `${code} ${at?.file ?? ''}`)).toEqual([
      'ledger-broken releases/queue/1.0.0.json',
      'release-changed releases/queue/1.0.0.json',
      'release-changed releases/queue/1.1.0.json',
    ])
  })
})
