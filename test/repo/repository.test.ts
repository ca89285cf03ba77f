import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root })
  .toString()
  .split('\0')
  .filter((path) => path !== '' && existsSync(join(root, path)))
const pages = files.filter((path) => path.endsWith('.md'))

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

describe('the files of the repository', () => {
  test.each([
    ['the folder it was written in', root],
    ['what lay beside that folder', join(root, '..', 'shared')],
    ['the host of a package registry', ['registry', 'npmjs', 'org'].join('.')],
    ['the host of a package registry', ['files', 'pythonhosted', 'org'].join('.')],
  ])('none mentions %s', (_what, text) => {
    expect(files.filter((path) => read(path).includes(text))).toEqual([])
  })

  test('none is called after nothing in particular', () => {
    expect(files.filter((path) => /(^|\/)(utils?|helpers?|common|misc)(\/|\.\w+$)/.test(path))).toEqual([])
  })

  test('the licence is Apache-2.0, in the file and in package.json', () => {
    const { license }: { license: string } = JSON.parse(read('package.json'))

    expect(license).toBe('Apache-2.0')
    expect(read('LICENSE')).toMatch(/^\s*Apache License\s+Version 2\.0, January 2004/)
  })

  test('the CI entry can be run', () => {
    expect(statSync(join(root, '.ci/run')).mode & 0o111).toBe(0o111)
  })
})

describe('the packages', () => {
  type Package = Readonly<Record<'dependencies' | 'devDependencies' | 'optionalDependencies', Record<string, string>>>
  const { dependencies, devDependencies, optionalDependencies }: Package = JSON.parse(read('package.json'))
  const named = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })

  test.each(named)('%s is pinned to one version', (_name, version) => {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/)
  })

  test('each is installed from whichever registry the machine uses, and by its hash', () => {
    type Entry = { readonly resolved?: string; readonly integrity?: string }
    const lock: { packages: Record<string, Entry> } = JSON.parse(read('package-lock.json'))
    const entries = Object.entries(lock.packages).filter(([path]) => path !== '')

    expect(entries.filter(([, { resolved }]) => resolved !== undefined)).toEqual([])
    expect(entries.filter(([, { integrity }]) => integrity === undefined)).toEqual([])
  })

  test.each(named)('docs/architecture.md says what %s is for', (name) => {
    expect(read('docs/architecture.md')).toContain(`\`${name}\``)
  })

  test('the Python references are pinned', () => {
    const lines = read('.ci/requirements.txt').split('\n')

    expect(lines.filter((line) => !/^(#.*|[\w.-]+==[\w.]+)?$/.test(line))).toEqual([])
  })
})

describe('the prose', () => {
  test('every link leads somewhere', () => {
    const broken = pages.flatMap((page) =>
      linksOf(read(page))
        .filter((link) => !leadsSomewhere(page, link))
        .map((link) => `${page}: ${link}`),
    )

    expect(broken).toEqual([])
  })

  test('every command that a reader is told to type exists', () => {
    const scripts: Record<string, string> = JSON.parse(read('package.json')).scripts
    const exists = ([program, verb = '']: readonly string[]): boolean =>
      program === 'npm'
        ? verb in scripts
        : verb === 'help' || verb === 'version' || existsSync(join(root, `src/commands/${verb}.ts`))
    const unknown = pages.flatMap((page) =>
      commandsOf(read(page))
        .filter(({ words }) => !exists(words))
        .map(({ text }) => `${page}: ${text}`),
    )

    expect(unknown).toEqual([])
  })
})

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = decodeURI(link).split('#')
  const target = path === '' ? page : join(dirname(page), path)
  if (!existsSync(join(root, target))) return false
  return anchor === undefined || !target.endsWith('.md') || anchorsOf(read(target)).has(anchor)
}

/** Where the links of a page lead, without those that leave the repository and those that stand in code. */
function linksOf(markdown: string): string[] {
  const prose = markdown.replaceAll(/^(`{3,}|~{3,}).*?^\1/gms, '').replaceAll(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)]
    .map((match) => match[1] ?? '')
    .filter((link) => !/^[a-z]+:/i.test(link))
}

/** The anchors that GitHub gives to headings. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const headings = markdown.matchAll(/^#{1,6}\s+(.+?)\s*$/gm)
  return new Set(
    [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(/\s/g, '-'),
    ),
  )
}

type Said = { readonly text: string; readonly words: readonly string[] }

/** Commands of ours that a page tells a reader to type: `npm …` and `protium …`, in code. */
function commandsOf(markdown: string): Said[] {
  const code = [...markdown.matchAll(/`([^`\n]+)`/g), ...markdown.matchAll(/^\s*\$? ?((?:npm|protium) .+)$/gm)]
  return code
    .map((match) => (match[1] ?? '').trim())
    .filter((text) => /^(npm (run|test|start)|protium)\b/.test(text))
    .map((text) => {
      const words = text.split(/\s+/).filter((word) => word !== 'run' && !word.startsWith('-'))
      const ours = words[1] === 'protium' ? words.slice(1) : words
      return { text, words: ours }
    })
    .filter(({ words }) => /^[a-z]+$/.test(words[1] ?? ''))
}
