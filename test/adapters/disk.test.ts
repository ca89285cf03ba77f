import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readText, readTree, refusalOf, writeAtomically, writeTree } from '../../src/adapters/disk.ts'
import { limits } from '../../src/adapters/entries.ts'
import { Refused } from '../../src/core/problem.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'protium-disk-'))
})
afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

function put(path: string, content: string | Uint8Array): void {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), content)
}

describe('reading a folder', () => {
  test('gives the texts by their paths, in the order of code points', async () => {
    put('b/two.yaml', 'b: 2\n')
    put('B.yaml', '')
    put('a.yaml', 'ä: "ü"\r\n')
    const { tree, problems } = await readTree(root)
    expect([...tree]).toEqual([
      ['B.yaml', ''],
      ['a.yaml', 'ä: "ü"\r\n'],
      ['b/two.yaml', 'b: 2\n'],
    ])
    expect(problems).toEqual([])
  })

  test('passes over the folders of git, of packages and of Protium', async () => {
    for (const folder of ['.git', 'node_modules', '.protium', 'services/x/node_modules'])
      put(`${folder}/x.yaml`, 'a: 1')
    put('.github/workflows/x.yml', 'a: 1')
    expect([...(await readTree(root)).tree.keys()]).toEqual(['.github/workflows/x.yml'])
  })

  test('reads only what is wanted', async () => {
    put('a.yaml', '')
    put('picture.png', new Uint8Array([0x89, 0x50, 0]))
    const { tree, problems } = await readTree(root, (path) => path.endsWith('.yaml'))
    expect([...tree.keys()]).toEqual(['a.yaml'])
    expect(problems).toEqual([])
  })

  test('looks at nothing but the entries that are named, in the folders of which some are', async () => {
    put('services/a/service.yaml', 'a: 1')
    put('services/b/service.yaml', 'b: 1')
    put('services/b/picture.png', new Uint8Array([0x89, 0x50, 0]))
    put('catalog.yaml', 'c: 1')
    put('other/x.yaml', 'x: 1')
    symlinkSync('b', join(root, 'services', 'link'))
    const only = new Map([
      ['', ['services', 'catalog.yaml', 'absent']],
      ['services', ['a', 'absent', 'a']],
    ])
    const read = await readTree(root, undefined, only)
    expect([...read.tree.keys()]).toEqual(['catalog.yaml', 'services/a/service.yaml'])
    expect(read.problems).toEqual([])
    const linked = await readTree(root, undefined, new Map([['services', ['link']]]))
    expect(linked.problems.map(({ code }) => code)).toEqual(['not-a-file'])
  })

  test('refuses links to files and to folders, without looking behind them', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'protium-outside-'))
    writeFileSync(join(outside, 'secret.yaml'), 'secret: 1')
    put('real/x.yaml', '')
    symlinkSync(join(outside, 'secret.yaml'), join(root, 'leaf.yaml'))
    symlinkSync(outside, join(root, 'folder'))
    symlinkSync('real', join(root, 'inside'))
    symlinkSync('nowhere', join(root, 'dangling.yaml'))
    const { tree, problems } = await readTree(root)
    rmSync(outside, { recursive: true })
    expect([...tree.keys()]).toEqual(['real/x.yaml'])
    expect(problems.map(({ code, severity, message }) => `${code} ${severity} ${message}`)).toEqual([
      'not-a-file error "dangling.yaml" is a symbolic link.',
      'not-a-file error "folder" is a symbolic link.',
      'not-a-file error "inside" is a symbolic link.',
      'not-a-file error "leaf.yaml" is a symbolic link.',
    ])
  })

  test('is not held up by a pipe', async () => {
    execFileSync('mkfifo', [join(root, 'pipe.yaml')])
    const { tree, problems } = await readTree(root)
    expect(tree.size).toBe(0)
    expect(problems).toMatchObject([{ code: 'not-a-file', message: '"pipe.yaml" is a pipe.' }])
  })

  test('leaves out what is no text: an error for what Protium reads, a warning for anything else', async () => {
    put('latin.yaml', new Uint8Array([0xe4, 0x0a]))
    put('nul.json', 'a\0b')
    put('overlong.tf', new Uint8Array([0xc0, 0xaf]))
    put('picture.png', new Uint8Array([0x89, 0]))
    const { tree, problems } = await readTree(root)
    expect(tree.size).toBe(0)
    expect(problems.map(({ code, severity, at }) => [code, severity, at?.file])).toEqual([
      ['file-encoding', 'error', 'latin.yaml'],
      ['file-encoding', 'error', 'nul.json'],
      ['file-encoding', 'error', 'overlong.tf'],
      ['file-encoding', 'warning', 'picture.png'],
    ])
  })

  test('keeps a byte order mark, for the reader of the text to name it', async () => {
    put('bom.yaml', '\ufeffa: 1')
    expect((await readTree(root)).tree.get('bom.yaml')).toBe('\ufeffa: 1')
  })

  test('takes a file of exactly the limit and leaves out a longer one', async () => {
    put('most.yaml', '#'.repeat(limits.file))
    put('more.yaml', '#'.repeat(limits.file + 1))
    const { tree, problems } = await readTree(root)
    expect([...tree.keys()]).toEqual(['most.yaml'])
    expect(problems).toMatchObject([{ code: 'file-too-large', severity: 'error', at: { file: 'more.yaml' } }])
    expect(problems[0]?.expected).toContain('1,048,576')
  })

  test('refuses names that other systems read differently', async () => {
    put('a:b.yaml', '')
    put('x/README.md', '')
    put('x/Readme.md', '')
    const { problems } = await readTree(root)
    expect(problems.map(({ code }) => code)).toEqual(['unsafe-path', 'path-twins'])
  })

  test('says so when there is no such folder', async () => {
    await expect(readTree(join(root, 'none'))).rejects.toMatchObject({ code: 'no-folder' })
  })
})

describe('reading one file', () => {
  test('gives its text', async () => {
    put('a.json', '{}')
    expect(await readText(join(root, 'a.json'))).toEqual({ ok: true, value: '{}', problems: [] })
  })

  test('names the path of what cannot be read', async () => {
    put('bad.json', new Uint8Array([0xff]))
    put('long.json', ' '.repeat(limits.file + 1))
    for (const [path, code] of [
      ['.', 'not-a-file'],
      ['bad.json', 'file-encoding'],
      ['long.json', 'file-too-large'],
    ]) {
      const file = join(root, path ?? '')
      expect(await readText(file)).toMatchObject({ ok: false, problems: [{ code, severity: 'error', at: { file } }] })
    }
  })

  test('says that a file is not there', async () => {
    const file = join(root, 'none')
    expect(await readText(file)).toMatchObject({
      ok: false,
      problems: [{ code: 'missing-file', message: `There is no file "${file}".` }],
    })
  })
})

describe('writing', () => {
  test('what is written is read back, and nothing else is left behind', async () => {
    const tree = new Map([
      ['a/b/c.yaml', 'c: 1\n'],
      ['d.yaml', 'ü'.repeat(100_000)],
    ])
    await writeTree(join(root, 'new', 'out'), tree)
    expect((await readTree(join(root, 'new', 'out'))).tree).toEqual(tree)
    expect(readdirSync(join(root, 'new', 'out'))).toEqual(['a', 'd.yaml'])
  })

  test('replaces a file that is there', async () => {
    put('a.yaml', 'old')
    await writeTree(root, new Map([['a.yaml', 'new']]))
    expect(readFileSync(join(root, 'a.yaml'), 'utf8')).toBe('new')
  })

  test('writes nothing at all when one path is unsafe', async () => {
    const tree = new Map([
      ['a.yaml', ''],
      ['../b.yaml', ''],
    ])
    await expect(writeTree(root, tree)).rejects.toMatchObject({ code: 'unsafe-path' })
    expect(readdirSync(root)).toEqual([])
  })

  test.each(['link', 'link/x.yaml', 'link.yaml'])('does not write through a link (%s)', async (path) => {
    const outside = mkdtempSync(join(tmpdir(), 'protium-outside-'))
    writeFileSync(join(outside, 'x.yaml'), 'kept')
    symlinkSync(outside, join(root, 'link'))
    symlinkSync(join(outside, 'x.yaml'), join(root, 'link.yaml'))
    await expect(writeTree(root, new Map([[path, 'new']]))).rejects.toMatchObject({ code: 'path-taken' })
    expect(readFileSync(join(outside, 'x.yaml'), 'utf8')).toBe('kept')
    rmSync(outside, { recursive: true })
  })

  test('does not take the place of a folder', async () => {
    put('a/b.yaml', 'kept')
    await expect(writeTree(root, new Map([['a', 'x']]))).rejects.toMatchObject({ code: 'path-taken' })
    expect(() => writeAtomically(join(root, 'a'), 'x')).toThrow(Refused)
    expect(readdirSync(root)).toEqual(['a'])
  })

  test('a file that cannot be written leaves the old one and no rest', () => {
    put('a.yaml', 'old')
    expect(() => writeAtomically(join(root, 'a.yaml', 'b'), 'x')).toThrow(Refused)
    expect(readFileSync(join(root, 'a.yaml'), 'utf8')).toBe('old')
    expect(readdirSync(root)).toEqual(['a.yaml'])
  })

  test('a link of the name of a file that is written atomically is replaced', () => {
    put('kept', 'kept')
    symlinkSync('kept', join(root, 'link'))
    writeAtomically(join(root, 'link'), 'new')
    expect(readFileSync(join(root, 'kept'), 'utf8')).toBe('kept')
    expect(lstatSync(join(root, 'link')).isFile()).toBe(true)
  })

  test.each([
    ['ENOSPC', 'disk-full'],
    ['EDQUOT', 'disk-full'],
    ['EROFS', 'disk-read-only'],
    ['EACCES', 'disk-read-only'],
    ['EPERM', 'disk-read-only'],
    ['EISDIR', 'path-taken'],
  ])('%s is refused as %s, with a remedy', (code, refused) => {
    const refusal = refusalOf('x', Object.assign(new Error(code), { code }))
    expect(refusal?.code).toBe(refused)
    expect(refusal?.remedy).not.toBe('')
  })

  test('an error that is not the state of the disk is none of these', () => {
    expect(refusalOf('x', new Error('bug'))).toBeUndefined()
  })

  test('a folder without the right to write is refused', () => {
    chmodSync(root, 0o555)
    const wrote = attempt(() => writeAtomically(join(root, 'a'), 'x'))
    chmodSync(root, 0o755)
    // Root may write anywhere.
    expect(existsSync(join(root, 'a')) ? 'written' : wrote).toBe(
      process.getuid?.() === 0 ? 'written' : 'disk-read-only',
    )
  })
})

function attempt(action: () => void): string {
  try {
    action()
    return 'done'
  } catch (error) {
    return error instanceof Refused ? error.code : 'failed'
  }
}
