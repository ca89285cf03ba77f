import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { Ports } from '../../src/command.ts'
import { release } from '../../src/commands/release.ts'
import { compareText } from '../../src/core/canonical.ts'
import { chainFaults, recordsIn } from '../../src/core/ledger.ts'
import { Refused } from '../../src/core/problem.ts'
import { bundleDigest, type ReleaseRecord } from '../../src/core/release/model.ts'
import type { FaultKind } from '../fakes/github/faults.ts'
import { run, worldOf } from './ports.ts'
import { catalogFiles, Releasing } from './releasing.ts'

let it: Releasing
beforeEach(async () => {
  it = await Releasing.start()
})
afterEach(async () => it.github.close())

const part = 'templates/queue/v1/instance_infrastructure/cloudformation.yaml'
const changed = `# Better.\n${catalogFiles().get(part) ?? ''}`

async function refusal(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'nothing was refused',
    (error: unknown) => (error instanceof Refused ? error.code : error),
  )
}

describe('a release', () => {
  test('is a tag, a release of GitHub with the notes, and a record in the chain of the ledger', async () => {
    const commit = await it.merge(catalogFiles('1.2.0', '- Tells @everybody of `it`.\n- Costs less,\n  much less.'))

    const outcome = await it.release(commit)

    expect(outcome.exit).toBe('done')
    expect(outcome.data['released']).toEqual(['home@1.0.0', 'queue@1.2.0'])
    const { tags, releases, records, ledger } = await it.left()
    expect(tags).toEqual({ 'home@1.0.0': commit, 'queue@1.2.0': commit })
    expect(releases).toEqual({
      'home@1.0.0': 'The first release.',
      'queue@1.2.0': '- Tells `@everybody` of `it`.\n- Costs less, much less.\n',
    })
    expect(records.map(({ template, version }) => `${template}@${version}`)).toEqual(['home@1.0.0', 'queue@1.2.0'])
    expect(chainFaults(ledger)).toEqual([])
    const own = new Map(
      [...catalogFiles()].flatMap(([path, text]) =>
        path.startsWith('templates/queue/v1/') ? [[path.slice('templates/queue/v1/'.length), text] as const] : [],
      ),
    )
    expect(records[1]?.digest).toBe(bundleDigest(own))
  })

  test('is done once, and has then two requests for each version to see that, or one for all that the clone knows of', async () => {
    const commit = await it.merge(catalogFiles())
    await it.release(commit)
    const before = await it.left()
    it.github.forget()

    expect((await it.release(commit)).data['released']).toEqual([])
    expect(it.github.requests().map(({ operation }) => operation)).toEqual([
      'git/list-matching-refs',
      'repos/get-content',
      'repos/get-content',
    ])
    it.github.forget()
    await it.release(commit, {
      fetched: before.records.map((each): ReleaseRecord => ({ format: 1, at: '', by: '', ...each })),
    })
    expect(it.github.requests().map(({ operation }) => operation)).toEqual(['git/list-matching-refs'])
    expect(await it.left()).toEqual(before)
  })

  test('is of the next version alone, where one has risen', async () => {
    await it.release(await it.merge(catalogFiles()))
    const second = await it.merge(catalogFiles('1.0.1', 'Mended.', { [part]: changed }))

    expect((await it.release(second)).data['released']).toEqual(['queue@1.0.1'])
    expect((await it.left()).tags).toMatchObject({ 'queue@1.0.1': second })
  })

  test('does not take place while something is wrong with any version', async () => {
    await it.release(await it.merge(catalogFiles()))
    const second = await it.merge(
      catalogFiles('1.0.0', 'x', {
        [part]: changed,
        'templates/home/template.yaml': 'kind: environment\nversions: { v1: 1.1.0 }\nnotes: { 1.1.0: New. }\n',
      }),
    )

    const outcome = await it.release(second, {
      fetched: (await it.left()).records.map((each): ReleaseRecord => ({ format: 1, at: '', by: '', ...each })),
    })

    expect(outcome.exit).toBe('bad-input')
    expect(outcome.problems).toMatchObject([{ code: 'version-unchanged', expected: 'The version 1.0.1.' }])
    expect(Object.keys((await it.left()).tags)).toEqual(['home@1.0.0', 'queue@1.0.0'])
  })

  test('leaves drafts alone, and what was taken back before it was released', async () => {
    const commit = await it.merge(
      catalogFiles('1.0.0', 'x', {
        'templates/queue/template.yaml': 'kind: service\nversions: { v1: 1.0.0 }\nsupport: { v1: draft }\n',
        'templates/home/template.yaml':
          'kind: environment\nversions: { v1: 1.0.0 }\nsupport: { 1.0.0: { is: yanked, because: It leaks. } }\n',
      }),
    )

    expect((await it.release(commit)).data['released']).toEqual([])
    expect((await it.left()).tags).toEqual({})
  })

  test('takes over a tag that somebody has pushed by hand, if it holds the same', async () => {
    const first = await it.merge(catalogFiles())
    await it.tag('queue@1.0.0', first)
    const second = await it.merge(catalogFiles('1.0.0', 'Told better.'))

    expect((await it.release(second)).data['released']).toEqual(['home@1.0.0', 'queue@1.0.0'])
    const { tags, records } = await it.left()
    expect(tags).toEqual({ 'home@1.0.0': second, 'queue@1.0.0': first })
    expect(records).toMatchObject([{ commit: second }, { template: 'queue', commit: first }])
  })

  test('refuses a tag that somebody has pushed by hand with another content, and changes nothing', async () => {
    const first = await it.merge(catalogFiles('1.0.0', 'x', { [part]: changed }))
    await it.tag('queue@1.0.0', first)
    const second = await it.merge(catalogFiles())

    const outcome = await it.release(second)

    expect(outcome.exit).toBe('bad-input')
    expect(outcome.problems).toMatchObject([{ code: 'release-taken' }])
    expect(await it.left()).toMatchObject({ tags: { 'queue@1.0.0': first }, releases: {}, records: [] })
  })

  test('refuses a tag that has moved since it was recorded', async () => {
    const first = await it.merge(catalogFiles())
    await it.release(first)
    const { records } = await it.left()
    const second = await it.merge(catalogFiles('1.0.0', 'Told better.'))
    // Deleted, and pushed anew elsewhere.
    await it.github.act({
      operation: 'git/delete-ref',
      by: 'ada',
      parameters: { owner: 'acme', repo: 'catalog', ref: 'tags/queue@1.0.0' },
      body: {},
    })
    await it.tag('queue@1.0.0', second)

    expect(await refusal(it.release(second))).toBe('release-changed')
    expect((await it.left()).records).toEqual(records)
  })

  test('is not made of a pull request, nor of a branch', async () => {
    const commit = await it.merge(catalogFiles())

    expect(await refusal(it.release(commit, { about: { is: 'push', branch: 'other' } }))).toBe('not-merged')
    expect(
      await refusal(
        it.release(commit, {
          about: {
            is: 'pull-request',
            number: 1,
            title: 'x',
            author: 'ben',
            head: { commit, branch: 'x' },
            base: { commit, branch: 'main' },
            fork: true,
          },
        }),
      ),
    ).toBe('not-merged')
    expect((await it.left()).tags).toEqual({})
  })

  test('of two at once makes each thing once', async () => {
    const commit = await it.merge(catalogFiles())

    const outcomes = await Promise.all([it.release(commit), it.release(commit), it.release(commit)])

    // Which of them has written a record that all would have written alike, nobody can tell.
    const released = new Set(outcomes.flatMap(({ data }) => data['released']))
    expect([...released].map(String).toSorted(compareText)).toEqual(['home@1.0.0', 'queue@1.0.0'])
    const { tags, releases, records, ledger } = await it.left()
    expect(Object.keys(tags)).toEqual(['home@1.0.0', 'queue@1.0.0'])
    expect(Object.keys(releases)).toHaveLength(2)
    expect(records).toHaveLength(2)
    expect(chainFaults(ledger)).toEqual([])
  })

  test('of two merges at once has one content, whoever is first', async () => {
    const first = await it.merge(catalogFiles())
    const second = await it.merge(catalogFiles('1.0.0', 'Told better.'))

    await Promise.all([it.release(first), it.release(second)])

    const { tags, records } = await it.left()
    expect(records.map(({ commit }) => commit)).toEqual(Object.values(tags))
    expect([first, second]).toContain(tags['queue@1.0.0'])
  })

  test.each(
    ['git/create-ref', 'repos/create-release', 'git/create-tree', 'git/create-commit'].flatMap((operation) =>
      (['error', 'error-after', 'reset', 'reset-after', 'truncated', 'secondary-limit'] as const).map(
        (kind): readonly [string, FaultKind] => [operation, kind],
      ),
    ),
  )('comes to its end although %s met: %s', async (operation, kind) => {
    const commit = await it.merge(catalogFiles())
    it.github.fault({ match: operation, kind })

    expect((await it.release(commit)).data['released']).toEqual(['home@1.0.0', 'queue@1.0.0'])
    const { tags, releases, records, ledger } = await it.left()
    expect([Object.keys(tags).length, Object.keys(releases).length, records.length]).toEqual([2, 2, 2])
    expect(chainFaults(ledger)).toEqual([])
  })

  test('says which permission is missing', async () => {
    const commit = await it.merge(catalogFiles())
    it.github.fault({ match: 'git/create-ref', kind: 'forbidden' })

    expect(await refusal(it.release(commit))).toBe('github-permission')
  })

  test('is known to the check of the ledger', async () => {
    await it.release(await it.merge(catalogFiles()))
    const { ledger } = await it.left()
    const without = new Map(ledger)
    without.delete('releases/home/1.0.0.json')
    const messages = (await it.messages()).map(String)

    expect(recordsIn({ files: ledger, messages })).toEqual({ records: 2, faults: [] })
    expect(recordsIn({ files: without, messages }).faults).toMatchObject([{ file: 'releases/home/1.0.0.json' }])
  })
})

describe('a release that is killed at any request', () => {
  test('comes to the same end when it is run again', async () => {
    const commit = await it.merge(catalogFiles())
    await it.release(commit)
    const total = it.github.requests().length
    const { tags, releases, records } = await it.left()
    const clean = { tags: Object.keys(tags), releases, records: records.map(({ digest }) => digest) }

    for (let nth = 1; nth <= total; nth += 1) {
      for (const when of ['before', 'after'] as const) {
        const other = await Releasing.start()
        const at = await other.merge(catalogFiles())
        other.github.forget()
        const killed = new AbortController()
        const kill = (): void => killed.abort()
        other.github.fault({ match: () => true, nth, kind: when === 'before' ? { before: kill } : { after: kill } })
        const end = await refusal(other.release(at, { signal: killed.signal }))

        expect(['interrupted', 'nothing was refused']).toContain(end)
        await other.release(at)
        const after = await other.left()
        expect({
          tags: Object.keys(after.tags),
          releases: after.releases,
          records: after.records.map(({ digest }) => digest),
        }).toEqual(clean)
        expect(after.records.map((each) => each.commit)).toEqual([at, at])
        expect(chainFaults(after.ledger)).toEqual([])
        await other.github.close()
      }
    }
  }, 120_000)
})

describe('at a terminal', () => {
  test('it says what a merge would release, and how that is done by hand; nothing is changed', async () => {
    const own = [...catalogFiles()].flatMap(([path, text]) =>
      path.startsWith('templates/queue/v1/') ? [[path.slice('templates/queue/v1/'.length), text] as const] : [],
    )
    const world = worldOf(() => catalogFiles(), { commit: 'c'.repeat(40) })
    // What is at the commit: `queue` alone.
    const files: Ports['files'] = {
      ...world.ports.files,
      released: async (_root, { template }) =>
        template === 'queue' ? { tree: new Map(own), problems: [] } : undefined,
    }

    const outcome = await run(release, { ...world, ports: { ...world.ports, files } }, {})

    expect(outcome.exit).toBe('done')
    expect(outcome.data).toMatchObject({ released: [], due: ['home@1.0.0', 'queue@1.0.0'] })
    const same = String
    const text = outcome.text({ bold: same, dim: same, good: same, bad: same, notice: same, accent: same })
    expect(text).toContain(`git tag queue@1.0.0 ${'c'.repeat(40)} && git push origin queue@1.0.0`)
    // A line for what no commit holds would give the number to something else.
    expect(text).toContain('Not committed yet: home@1.0.0.')
    expect(text).not.toContain('git tag home@1.0.0')
    world.end()
  })
})
