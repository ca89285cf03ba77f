import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exits } from '../src/command.ts'
import { commands } from '../src/terminal.ts'

const root = join(import.meta.dirname, '..')

/** The README with its generated blocks made anew; each stands between two comments that name it. */
export async function readmeWith(readme: string): Promise<string> {
  const blocks: readonly (readonly [string, string])[] = [
    ['start', `\`\`\`text\n$ npm start\n${startTranscript()}\`\`\``],
    ['commands', await commandTable()],
    ['exit codes', exitTable()],
  ]
  return blocks.reduce((text, [name, block]) => {
    const [begin, end] = [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`]
    const [before, rest = ''] = text.split(begin)
    const [old = '', after] = rest.split(end)
    if (after === undefined) throw new Error(`README.md has no block "${name}"`)
    // Durations differ from run to run; they alone are no reason for a change.
    if (withoutDurations(old.trim()) === withoutDurations(block)) return text
    return `${before ?? ''}${begin}\n\n${block}\n\n${end}${after}`
  }, readme)
}

function withoutDurations(text: string): string {
  return text.replaceAll(/ +\d+(\.\d)? s$/gmu, '')
}

/** What `npm start` prints in a log, on a copy of the sample. */
function startTranscript(): string {
  const folder = mkdtempSync(join(tmpdir(), 'protium-readme-'))
  try {
    for (const name of ['catalog.yaml', 'environments', 'services', 'templates']) {
      cpSync(join(root, name), join(folder, name), { recursive: true })
    }
    const { stdout, stderr, status } = spawnSync(process.execPath, [join(root, 'src', 'cli.ts'), 'start', '--plain'], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], npm_lifecycle_event: 'start' },
    })
    if (status !== 0) throw new Error(`start ended with ${status}: ${stderr}`)
    return `${stderr}\n${stdout}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function commandTable(): Promise<string> {
  const all = await Promise.all(Object.values(commands).map(async (load) => load()))
  const rows = all.map(({ name, summary }) => [`[\`${name}\`](docs/reference/commands.md#${name})`, summary])
  return markdownTable(['Command', 'What it does'], rows)
}

/** What each exit code means. */
export function exitTable(): string {
  const meaning = {
    done: 'Done, or nothing to do.',
    failed: 'It failed, or the world does not allow it now. The message says what to do.',
    'bad-input': 'A file or an option has to be mended. Nothing was touched.',
    'needs-approval': 'A stage waits, nobody has agreed, or data would be lost: that is untouched.',
    different: 'A difference or a drift was found.',
    unfinished: 'Stopped, still running or not known. The same command goes on from there.',
  } satisfies Record<keyof typeof exits, string>
  const words: ReadonlyMap<string, string> = new Map(Object.entries(meaning))
  return markdownTable(
    ['Code', 'Meaning'],
    Object.entries(exits).map(([word, code]) => [String(code), words.get(word) ?? '']),
  )
}

/** A table with its columns lined up, as the formatter leaves it. */
export function markdownTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heading.map((name, column) =>
    Math.max(...[heading, ...rows].map((row) => row[column]?.length ?? 0), name.length),
  )
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [line(heading), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
