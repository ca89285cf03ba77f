import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { baseOf, readRun } from '../../src/core/event.ts'

const [one, two, three] = ['1', '2', '3'].map((digit) => digit.repeat(40))

const variables = {
  GITHUB_REPOSITORY: 'acme/checkout',
  GITHUB_REPOSITORY_ID: '42',
  GITHUB_RUN_ID: '7',
  GITHUB_RUN_ATTEMPT: '2',
  GITHUB_ACTOR: 'ana',
  GITHUB_SHA: one,
  GITHUB_REF: 'refs/heads/main',
}

const pull = {
  number: 12,
  title: '::set-output name=x::y @acme/all',
  user: { login: 'dependabot[bot]' },
  head: { sha: two, ref: 'a/`branch`', repo: { id: 42, name: 'checkout', owner: { login: 'acme' } } },
  base: { sha: three, ref: 'main', repo: { id: 42 } },
}

function read(event: string, payload: object, more: Readonly<Record<string, string | undefined>> = {}) {
  return readRun({ ...variables, GITHUB_EVENT_NAME: event, ...more }, JSON.stringify(payload))
}

describe('a run', () => {
  test('of a pull request', () => {
    const found = read('pull_request', { pull_request: pull, repository: { id: 42, default_branch: 'trunk' } })

    expect(found).toEqual({
      ok: true,
      run: {
        server: 'https://github.com',
        api: 'https://api.github.com',
        repository: { owner: 'acme', name: 'checkout', id: 42 },
        defaultBranch: 'trunk',
        id: 7,
        attempt: 2,
        actor: 'ana',
        commit: one,
        ref: 'refs/heads/main',
        about: {
          is: 'pull-request',
          number: 12,
          title: '::set-output name=x::y @acme/all',
          author: 'dependabot[bot]',
          head: { commit: two, branch: 'a/`branch`', repository: { owner: 'acme', name: 'checkout', id: 42 } },
          base: { commit: three, branch: 'main' },
          fork: false,
        },
      },
    })
    expect(found.ok && baseOf(found.run)).toEqual({ since: three, merge: true })
  })

  test.each([
    ['another repository', { ...pull.head.repo, id: 43 }],
    ['a repository that is gone', null],
  ])('of a pull request from %s is one of a fork', (_what, repo) => {
    const found = read('pull_request', { pull_request: { ...pull, head: { ...pull.head, repo } } })

    expect(found).toMatchObject({ ok: true, run: { about: { fork: true } } })
  })

  test.each([
    [
      'a push',
      'push',
      { ref: 'refs/heads/main', before: two },
      { is: 'push', branch: 'main', before: two },
      { since: two, merge: false },
    ],
    ['a new branch', 'push', { ref: 'refs/heads/x', before: '0'.repeat(40) }, { is: 'push', branch: 'x' }, undefined],
    ['a tag', 'push', { ref: 'refs/tags/v1', before: two }, { is: 'push', before: two }, { since: two, merge: false }],
    [
      'a merge queue',
      'merge_group',
      { merge_group: { base_sha: two } },
      { is: 'merge-group', base: two },
      { since: two, merge: false },
    ],
    ['a dispatch', 'workflow_dispatch', {}, { is: 'other', event: 'workflow_dispatch' }, undefined],
    [
      'another run',
      'workflow_run',
      { workflow_run: { id: 9, event: 'pull_request', head_sha: two, head_branch: 'x', head_repository: null } },
      { is: 'workflow-run', id: 9, event: 'pull_request', head: { commit: two, branch: 'x' } },
      undefined,
    ],
  ])('of %s', (_what, event, payload, about, base) => {
    const found = read(event, payload)

    expect(found).toMatchObject({ ok: true, run: { about } })
    expect(found.ok && baseOf(found.run)).toEqual(base)
  })

  test.each<readonly [string, object, object, string]>([
    [
      'a commit that is none',
      { pull_request: { ...pull, head: { ...pull.head, sha: 'main' } } },
      {},
      'the head’s commit',
    ],
    ['a number that is a text', { pull_request: { ...pull, number: '12' } }, {}, 'the pull request’s number'],
    ['no pull request', {}, {}, 'the head’s commit'],
    ['an owner with a slash', { pull_request: pull }, { GITHUB_REPOSITORY: 'a/b/c' }, 'more than an owner and a name'],
    ['a repository of dots', { pull_request: pull }, { GITHUB_REPOSITORY: 'a/..' }, 'GITHUB_REPOSITORY'],
    ['an address with words in it', { pull_request: pull }, { GITHUB_API_URL: 'https://a b' }, 'GITHUB_API_URL'],
    ['an address with a user in it', { pull_request: pull }, { GITHUB_API_URL: 'https://a@b' }, 'GITHUB_API_URL'],
    ['no run', { pull_request: pull }, { GITHUB_RUN_ID: undefined }, 'GITHUB_RUN_ID'],
    ['an author with a space', { pull_request: { ...pull, user: { login: 'a b' } } }, {}, 'the author'],
  ])('with %s is refused by name', (_what, payload, more, fault) => {
    const found = readRun({ ...variables, GITHUB_EVENT_NAME: 'pull_request', ...more }, JSON.stringify(payload))

    expect(found).toMatchObject({ ok: false, fault: expect.stringContaining(fault) })
  })

  test('of an event that is no JSON is refused', () => {
    expect(readRun(variables, '{')).toEqual({ ok: false, fault: 'The event is no JSON.' })
  })

  test('whatever the event holds, is never a bug', () => {
    const events = fc.constantFrom('pull_request', 'push', 'merge_group', 'workflow_run', '')
    fc.assert(
      fc.property(events, fc.json(), (event, payload) => {
        expect(() => readRun({ ...variables, GITHUB_EVENT_NAME: event }, payload)).not.toThrow()
      }),
    )
  })

  test('does not take inherited keys for those of the event', () => {
    expect(read('push', JSON.parse('{"__proto__": {"ref": "refs/heads/evil", "before": "x"}}'))).toMatchObject({
      ok: true,
      run: { about: { is: 'push', branch: 'main' } },
    })
  })
})
