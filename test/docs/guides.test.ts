import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { blocksOf, guides, root } from './pages.ts'

/**
 * The guides are followed, block by block in the order of the page, by what a comment above each says: `<!-- file -->` is written
 * to where its first line says, or to `<!-- file: path -->`; `<!-- run -->` is run by bash, with `protium` being this program, and
 * ends well, or as `<!-- run: exit 4 -->`; `<!-- says -->` is in what the last of these printed; `<!-- from: path -->` in that file.
 */
const begun = new Map<string, string>()
afterAll(() => {
  for (const folder of begun.values()) rmSync(folder, { recursive: true, force: true })
})

/** The folder in which a page is followed: that of the sample organisation, in git; for the one that begins a catalog, an empty one. */
function folderOf(page: string): string {
  const known = begun.get(page)
  if (known !== undefined) return known
  const folder = mkdtempSync(join(tmpdir(), 'protium-guide-'))
  begun.set(page, folder)
  mkdirSync(join(folder, '.bin'))
  const program = join(folder, '.bin/protium')
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'src/cli.ts')}' "$@"\n`)
  chmodSync(program, 0o755)
  const work = join(folder, 'work')
  mkdirSync(work)
  execFileSync('git', ['init', '--quiet', '--initial-branch=main'], { cwd: work })
  for (const [key, value] of [
    ['user.name', 'Ada'],
    ['user.email', 'ada@example.com'],
  ])
    execFileSync('git', ['config', key ?? '', value ?? ''], { cwd: work })
  if (!page.includes('guide-platform')) {
    for (const name of ['catalog.yaml', 'environments', 'services', 'templates'])
      cpSync(join(root, name), join(work, name), { recursive: true })
  }
  return folder
}

/** A text without what the formatter does to tables and blank lines. */
function unspaced(text: string): string {
  return text
    .replaceAll(/-{2,}/gu, '-')
    .replaceAll(/ *\| */gu, '|')
    .replaceAll(/\n+/gu, '\n')
    .trim()
}

const isFollowed = (mark: string | undefined): boolean => /^(?:file|run|says|from)(?::|$)/u.test(mark ?? '')

describe.each(guides.filter((page) => !page.endsWith('.ko.md') && blocksOf(page).some(({ mark }) => isFollowed(mark))))(
  '%s, followed word by word',
  (page) => {
    let output = ''
    for (const { line, info, text, mark = '' } of blocksOf(page)) {
      const [what, rest = ''] = mark.split(/: (.*)/u)
      if (what === 'file')
        test(`line ${line}: is a file to write`, () => {
          const [first = '', ...others] = text.split('\n')
          const path = rest === '' ? /^# (\S+)$/u.exec(first)?.[1] : rest
          if (path === undefined) throw new Error('It is not said where the file lies.')
          const file = join(folderOf(page), 'work', path)
          mkdirSync(dirname(file), { recursive: true })
          writeFileSync(file, rest === '' ? others.join('\n') : text)
          expect(info).not.toBe('sh')
        })
      if (what === 'run')
        test(`line ${line}: runs`, () => {
          const folder = folderOf(page)
          const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-euc', text], {
            cwd: join(folder, 'work'),
            encoding: 'utf8',
            stdio: ['ignore', 'pipe', 'pipe'],
            env: { PATH: `${join(folder, '.bin')}:${process.env['PATH'] ?? ''}`, HOME: folder },
          })
          output = stderr + stdout
          expect(info).toBe('sh')
          expect(status, output).toBe(Number(/^exit (\d)$/u.exec(rest)?.[1] ?? 0))
        })
      if (what === 'says') test(`line ${line}: is what was said`, () => expect(output).toContain(text.trimEnd()))
      if (what === 'from')
        test(`line ${line}: stands in ${rest}`, () =>
          expect(unspaced(readFileSync(join(root, rest), 'utf8'))).toContain(unspaced(text)))
    }
  },
)
