import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readTree } from '../../src/adapters/disk.ts'
import { limits } from '../../src/adapters/entries.ts'
import { begun, changed, head, readTreeAt, tags } from '../../src/adapters/git.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'protium-git-'))
})
afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

function git(...args: string[]): string {
  const who = [
    '-c',
    'user.name=Somebody',
    '-c',
    'user.email=somebody@example.com',
    '-c',
    'commit.gpgsign=false',
    '-c',
    'tag.gpgsign=false',
  ]
  return execFileSync('git', [...who, ...args], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim()
}

function commit(files: Record<string, string | Uint8Array>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  git('add', '-A')
  git('commit', '-q', '-m', 'x')
}

describe('in a repository', () => {
  beforeEach(() => git('init', '-q', '-b', 'main'))

  test('what has changed since a commit is told by its paths below the folder, renames as both', async () => {
    commit({ 'a/same.txt': '1', 'a/old.txt': 'some text\n', 'b/x.txt': '1' })
    const since = git('rev-parse', 'HEAD')
    git('mv', 'a/old.txt', 'a/n ü\nw.txt')
    commit({ 'a/added.txt': '', 'b/x.txt': '2' })

    expect(await changed(join(root, 'a'), { since, merge: false })).toEqual(['added.txt', 'n ü\nw.txt', 'old.txt'])
    expect(await changed(root, { since: 'f'.repeat(40), merge: false })).toBeUndefined()
    expect(await changed(root, { since: '--output=x', merge: false })).toBeUndefined()
  })

  test('of the merge of a pull request, what it merges has changed, and nothing that the base did meanwhile', async () => {
    commit({ 'a.txt': '1' })
    const since = git('rev-parse', 'HEAD')
    git('checkout', '-q', '-b', 'request')
    commit({ 'mine.txt': '1' })
    git('checkout', '-q', 'main')
    commit({ 'theirs.txt': '1' })
    git('merge', '-q', '--no-ff', '-m', 'merge', 'request')

    expect(await changed(root, { since, merge: true })).toEqual(['mine.txt'])
    expect(await changed(root, { since, merge: false })).toEqual(['mine.txt', 'theirs.txt'])
  })

  test('a change began where its line was left, or with what its merge was merged into', async () => {
    commit({ 'a.txt': '1' })
    const left = git('rev-parse', 'HEAD')
    git('checkout', '-q', '-b', 'request')
    commit({ 'mine.txt': '1' })
    expect(await begun(root, { since: 'request', merge: true })).toBe(git('rev-parse', 'HEAD'))
    git('checkout', '-q', 'main')
    commit({ 'theirs.txt': '1' })
    const main = git('rev-parse', 'HEAD')
    git('checkout', '-q', 'request')
    expect(await begun(root, { since: 'main', merge: false })).toBe(left)
    expect(await begun(root, { since: 'HEAD~1', merge: false })).toBe(left)
    git('checkout', '-q', 'main')
    git('merge', '-q', '--no-ff', '-m', 'merge', 'request')
    expect(await begun(root, { since: left, merge: true })).toBe(main)
  })

  test.each(['nothing', '--output=x', 'f'.repeat(40), 'HEAD:a.txt', ''])('no change began with %j', async (since) => {
    commit({ 'a.txt': '1' })
    expect(await begun(root, { since, merge: false })).toBeUndefined()
  })

  test('is read as on the disk: what is passed over there is passed over here', async () => {
    const skeleton = 'templates/web/v1/skeleton'
    commit({
      'templates/web/v1/a.yaml': '1',
      [`${skeleton}/b.md`]: '2',
      [`${skeleton}/.protium/lock.json`]: '{}',
      [`${skeleton}/node_modules/x/index.js`]: '3',
      '.protium/actions/plan/action.yml': '4',
    })
    const [disk, there] = [await readTree(root), await readTreeAt(root, 'HEAD', '')]
    expect([...(there?.tree.keys() ?? [])]).toEqual(['templates/web/v1/a.yaml', `${skeleton}/b.md`])
    expect(there?.tree).toEqual(disk.tree)
    // Who has put it into a skeleton has meant something by it.
    const told = ({ problems }: Pick<typeof disk, 'problems'>) => problems.map(({ code, at }) => `${code} ${at?.file}`)
    expect(told(disk)).toEqual([`skeleton-path ${skeleton}/.protium`, `skeleton-path ${skeleton}/node_modules`])
    expect(there === undefined ? [] : told(there)).toEqual(told(disk))
  })

  test('a released bundle is read as it was, not as it is', async () => {
    commit({
      'templates/web/v1/a.yaml': 'a: 1\n',
      'templates/web/v1/b/c ä.yaml': 'ü\r\n',
      'templates/web/v10/x.yaml': '',
    })
    git('tag', 'web@1.0.0')
    commit({ 'templates/web/v1/a.yaml': 'a: 2\n' })
    git('tag', '-a', '-m', 'annotated', 'web@1.1.0')
    expect(await readTreeAt(root, 'web@1.0.0', 'templates/web/v1')).toEqual({
      tree: new Map([
        ['a.yaml', 'a: 1\n'],
        ['b/c ä.yaml', 'ü\r\n'],
      ]),
      problems: [],
      commit: git('rev-parse', 'web@1.0.0^{commit}'),
    })
    expect((await readTreeAt(root, 'web@1.1.0', 'templates/web/v1'))?.tree.get('a.yaml')).toBe('a: 2\n')
    expect((await readTreeAt(root, git('rev-parse', 'HEAD~1'), ''))?.tree.size).toBe(3)
  })

  test('only tags that name a release are listed', async () => {
    commit({ a: '' })
    for (const tag of ['web@1.0.0', 'web@1.10.0', 'v1', 'web@01.0.0', 'web@1.0', 'x/web@1.0.0', 'web@1.0.0-rc'])
      git('tag', tag)
    expect((await tags(root)).toSorted()).toEqual(['web@1.0.0', 'web@1.10.0'])
  })

  test('a tag on what was never merged is none of those that are merged', async () => {
    commit({ a: '' })
    git('tag', 'web@1.0.0')
    git('checkout', '-q', '-b', 'mine')
    commit({ a: 'mine' })
    git('tag', '-a', '-m', 'by hand', 'web@1.1.0')
    git('checkout', '-q', '-')
    expect(await tags(root)).toEqual(['web@1.0.0', 'web@1.1.0'])
    expect(await tags(root, { merged: true })).toEqual(['web@1.0.0'])
  })

  test('a branch does not pass for a tag', async () => {
    commit({ 'x/a.yaml': '' })
    git('branch', 'web@1.0.0')
    expect(await readTreeAt(root, 'web@1.0.0', 'x')).toBeUndefined()
  })

  test.each(['--upload-pack=x', 'main', 'HEAD:x', '../x', 'web@9.9.9', ''])('there is nothing at %j', async (ref) => {
    commit({ 'x/a.yaml': '' })
    expect(await readTreeAt(root, ref, 'x')).toBeUndefined()
  })

  test.each(['y', '../x', '/x', 'x:a', 'x/a.yaml'])('there is no folder %j', async (folder) => {
    commit({ 'x/a.yaml': '' })
    git('tag', 'web@1.0.0')
    expect(await readTreeAt(root, 'web@1.0.0', folder)).toBeUndefined()
  })

  test('links and submodules are refused by their mode, binary and long files left out', async () => {
    const head = git('hash-object', '-t', 'tree', '/dev/null')
    commit({ 'x/a.yaml': 'a: 1', 'x/bad.yaml': new Uint8Array([0xff]), 'x/long.yaml': '#'.repeat(limits.file + 1) })
    symlinkSync('/etc/passwd', join(root, 'x', 'link.yaml'))
    git('add', '-A')
    git('update-index', '--add', '--cacheinfo', `160000,${head},x/module`)
    git('commit', '-q', '-m', 'x')
    git('tag', 'web@1.0.0')
    const read = await readTreeAt(root, 'web@1.0.0', 'x')
    expect([...(read?.tree.keys() ?? [])]).toEqual(['a.yaml'])
    expect(
      read?.problems.map(({ code, message }) => `${code}: ${message.split(' ').slice(0, 4).join(' ')}`).toSorted(),
    ).toEqual([
      'file-encoding: "bad.yaml" is not a',
      'file-too-large: "long.yaml" has 1,048,577 bytes',
      'not-a-file: "link.yaml" is a symbolic',
      'not-a-file: "module" is a submodule.',
    ])
  })

  test('a catalog in a folder of the repository finds its own templates', async () => {
    commit({ 'platform/templates/web/v1/a.yaml': 'a: 1', 'templates/web/v1/a.yaml': 'other' })
    git('tag', 'web@1.0.0')
    const inner = join(root, 'platform')
    expect(await tags(inner)).toEqual(['web@1.0.0'])
    expect((await readTreeAt(inner, 'web@1.0.0', 'templates/web/v1'))?.tree.get('a.yaml')).toBe('a: 1')
  })

  test('two thousand files are read in one go', async () => {
    const files = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`x/f${index}.yaml`, `n: ${index}\n`]))
    commit(files)
    git('tag', 'web@1.0.0')
    const read = await readTreeAt(root, 'web@1.0.0', 'x')
    expect(read?.tree.size).toBe(2_000)
    expect(read?.tree.get('f1234.yaml')).toBe('n: 1234\n')
  })

  test('the environment cannot point git elsewhere', async () => {
    commit({ a: '' })
    git('tag', 'web@1.0.0')
    process.env['GIT_DIR'] = '/nonexistent'
    try {
      expect(await tags(root)).toEqual(['web@1.0.0'])
    } finally {
      delete process.env['GIT_DIR']
    }
  })

  test('the commit that is checked out has a name', async () => {
    expect(await head(root)).toBeUndefined()
    commit({ a: '' })
    expect(await head(root)).toBe(git('rev-parse', 'HEAD'))
  })
})

test('outside of a repository, or where there is no folder, there are no releases', async () => {
  for (const folder of [root, join(root, 'none')]) {
    expect(await tags(folder)).toEqual([])
    expect(await head(folder)).toBeUndefined()
    expect(await readTreeAt(folder, 'web@1.0.0', 'x')).toBeUndefined()
  }
})

test('without git there are no releases', async () => {
  const path = process.env['PATH']
  process.env['PATH'] = root
  try {
    expect(await tags(root)).toEqual([])
  } finally {
    process.env['PATH'] = path
  }
})
