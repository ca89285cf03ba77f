import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type DataMap, isMap } from '../../src/core/data.ts'
import { templateFilters } from '../../src/core/jinja/filters.ts'
import { templateGlobals } from '../../src/core/jinja/globals.ts'
import { parseTemplate, renderTemplate } from '../../src/core/jinja/index.ts'
import { defaultLimits } from '../../src/core/jinja/rendering.ts'
import { templateTests } from '../../src/core/jinja/tests.ts'
import { readJson } from '../../src/core/yaml.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/template-language.md'), 'utf8')
const lines = page.split('\n')

type Example = { readonly line: number; readonly source: string } & (
  | { readonly gives: string }
  | { readonly code: string; readonly messages: readonly string[] }
)

const fences = readFences()
const context = readContext()
const files = new Map(
  fences.flatMap(({ info, text }) => {
    const name = /^jinja file=(\S+)$/u.exec(info)?.[1]
    return name === undefined ? [] : [[name, text] as const]
  }),
)
const examples = [...blockExamples(), ...tableExamples()].toSorted((a, b) => a.line - b.line)

/** The fenced blocks of the page, with the line that each begins on. */
function readFences(): { readonly info: string; readonly text: string; readonly line: number }[] {
  const found: { info: string; text: string; line: number }[] = []
  for (let index = 0; index < lines.length; index += 1) {
    const info = /^```(.+)$/u.exec(lines[index] ?? '')?.[1]
    if (info === undefined) continue
    const end = lines.indexOf('```', index)
    found.push({ info, text: lines.slice(index + 1, end).join('\n'), line: index + 1 })
    index = end
  }
  return found
}

function readContext(): DataMap {
  const text = fences.find(({ info }) => info === 'json context')?.text ?? ''
  const read = readJson('context', text)
  if (!read.ok || !isMap(read.value.data)) throw new Error('the page has no context')
  return read.value.data
}

/** A template and, in the next block, what it gives or the problems that it has. */
function blockExamples(): Example[] {
  return fences.flatMap(({ info, text: source, line }, index): Example[] => {
    if (info !== 'jinja') return []
    const result = fences[index + 1]
    if (result?.info === 'text') return [{ line, source, gives: result.text }]
    if (result?.info !== 'problem') throw new Error(`line ${line}: the example has no result`)
    const problems = result.text.split('\n')
    return [
      {
        line,
        source,
        code: problems[0]?.split(':')[0] ?? '',
        messages: problems.map((problem) => problem.slice(problem.indexOf(':') + 2)),
      },
    ]
  })
}

/** The cells of a row of a table. */
function cellsOf(row: string): string[] {
  return row
    .split(/(?<!\\)\|/u)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'))
}

/** What a cell has between backquotes. */
function codesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/gu)].map(([, code = '']) => code)
}

/** Rows that end with a template and what it gives. */
function tableExamples(): Example[] {
  return lines.flatMap((row, index): Example[] => {
    const cells = row.startsWith('|') ? cellsOf(row) : []
    const [source, gives] = [cells.at(-2), cells.at(-1)]
    if (source === undefined || gives === undefined || !/^`.*(?:\{\{|\{%|\{#).*`$/u.test(source)) return []
    const template = source.slice(1, -1).replaceAll('⏎', '\n')
    const code = /^refused: \[`([a-z-]+)`\]/u.exec(gives)?.[1]
    if (code !== undefined) return [{ line: index + 1, source: template, code, messages: [] }]
    const text = gives === 'nothing' ? '' : (codesIn(gives)[0] ?? '').replaceAll('⏎', '\n')
    return [{ line: index + 1, source: template, gives: text }]
  })
}

/** The names in the first column of the tables under a heading. */
function namesUnder(...headings: readonly string[]): string[] {
  return headings.flatMap((heading) => {
    const start = lines.indexOf(heading)
    if (start === -1) throw new Error(`there is no ${heading}`)
    const end = lines.findIndex((each, index) => index > start && each.startsWith('#'))
    const rows = lines.slice(start, end).filter((each) => each.startsWith('| `'))
    return rows.flatMap((row) => codesIn(cellsOf(row)[0] ?? ''))
  })
}

describe('the page on the template language', () => {
  test('has examples in plenty', () => {
    expect(examples.length).toBeGreaterThan(200)
  })

  test.each(examples)('line $line: $source', (example) => {
    const template = parseTemplate('example', example.source, { files })
    const rendered = template.ok ? renderTemplate(template.value, context) : template
    if ('gives' in example) {
      expect(rendered.ok ? rendered.text : rendered.problems).toBe(example.gives)
      return
    }
    const problems = rendered.ok ? [] : rendered.problems
    expect(problems.map(({ code }) => code)).toContain(example.code)
    expect(problems.map(({ message }) => message)).toEqual(
      example.messages.length === 0
        ? [expect.any(String)]
        : example.messages.map((message) => expect.stringContaining(message)),
    )
  })

  test.each([
    ['filters', ['## Filters', '### Filters of Proton'], templateFilters],
    ['tests', ['## Tests'], templateTests],
    ['globals', ['## Globals'], templateGlobals],
  ])('has all %s that there are, and no other', (_, headings, table) => {
    expect(namesUnder(...headings).toSorted()).toEqual([...table.keys()].toSorted())
  })

  test('tries each filter, test and global in its own row', () => {
    for (const heading of ['## Filters', '### Filters of Proton', '## Tests', '## Globals']) {
      const start = lines.indexOf(heading)
      const end = lines.findIndex((each, index) => index > start && each.startsWith('#'))
      for (const row of lines.slice(start, end).filter((each) => each.startsWith('| `'))) {
        const [names = '', , example = ''] = cellsOf(row)
        for (const name of codesIn(names)) expect(example).toContain(name)
      }
    }
  })

  test('names the bounds as they are', () => {
    const rows = lines.flatMap((row) => (/^\| .* \| +[\d,]+ \|$/u.test(row) ? [cellsOf(row).at(-1) ?? ''] : []))
    expect(rows.map((cell) => Number(cell.replaceAll(',', '')))).toEqual(Object.values(defaultLimits))
  })

  test('gives what Jinja2 itself gives, where it is not refused and not Proton’s', ({ skip }) => {
    const version = spawnSync('python3', ['-c', 'import jinja2; print(jinja2.__version__)'], { encoding: 'utf8' })
    if (version.stdout?.trim() !== '3.1.6') skip('Python with jinja2 3.1.6 is not installed')
    const asked = examples.filter((example) => 'gives' in example && !example.source.includes('proton_cfn'))
    // The context as it is written: JavaScript would read 2.0 as 2.
    const known = fences.find(({ info }) => info === 'json context')?.text ?? ''
    const rest = JSON.stringify({ files: Object.fromEntries(files), sources: asked.map(({ source }) => source) })
    const input = `[${known}, ${rest}]`
    const program = `
import json, sys, jinja2
context, given = json.load(sys.stdin)
jinja = jinja2.Environment(undefined=jinja2.StrictUndefined, loader=jinja2.DictLoader(given["files"]))
print(json.dumps([jinja.from_string(each).render(context) for each in given["sources"]]))`
    const { stdout, stderr } = spawnSync('python3', ['-c', program], { input, encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual(asked.map((example) => ('gives' in example ? example.gives : '')))
  })
})
