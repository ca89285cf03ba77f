import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { DataMap } from '../../../src/core/data.ts'
import { isMap } from '../../../src/core/data.ts'
import { parseTemplate, renderTemplate } from '../../../src/core/jinja/index.ts'
import type { Rendered } from '../../../src/core/jinja/index.ts'
import type { FileTree } from '../../../src/core/tree.ts'
import { readJson } from '../../../src/core/yaml.ts'

type Case = { readonly template: string; readonly text?: string; readonly error?: string }

type Suite = { readonly context: DataMap; readonly files: FileTree | undefined; readonly cases: readonly Case[] }

const codes: Readonly<Record<string, string>> = {
  TemplateSyntaxError: 'template-syntax',
  SyntaxError: 'template-syntax',
  TemplateAssertionError: 'template-unknown-name',
  UndefinedError: 'undefined-variable',
  TypeError: 'template-type',
  ValueError: 'template-value',
  KeyError: 'template-value',
  FilterArgumentError: 'template-value',
  ZeroDivisionError: 'template-value',
  TemplateNotFound: 'template-not-found',
  TemplatesNotFound: 'template-not-found',
  TemplateRuntimeError: 'template-runtime',
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function readSuite(path: string): Suite {
  const source = readFileSync(path, 'utf8')
  const read = readJson(path, source)
  if (!read.ok || !isMap(read.value.data)) throw new Error(`${path} cannot be read`)
  const { context, files, cases } = read.value.data
  if (!isMap(context) || !Array.isArray(cases)) throw new Error(`${path} is no list of cases`)
  const tree = isMap(files) ? new Map(Object.entries(files).map(([name, body]) => [name, text(body) ?? ''])) : undefined
  return {
    context,
    files: tree,
    cases: cases.map((item): Case => {
      if (!isMap(item)) throw new Error('a case is a map')
      const rendered = text(item.text)
      const error = text(item.error)
      return {
        template: text(item.template) ?? '',
        ...(rendered === undefined ? {} : { text: rendered }),
        ...(error === undefined ? {} : { error }),
      }
    }),
  }
}

function run(suite: Suite, template: string, options?: { readonly spans: boolean }): Rendered {
  const parsed = parseTemplate('case', template, suite.files === undefined ? {} : { files: suite.files })
  return parsed.ok ? renderTemplate(parsed.value, suite.context, options) : parsed
}

/** The same text as Jinja2, or a problem of the class of its error. */
function answer(rendered: Rendered): string {
  return rendered.ok ? JSON.stringify(rendered.text) : (rendered.problems[0]?.code ?? 'no problem')
}

function expected(item: Case): string {
  return item.text === undefined
    ? (codes[item.error ?? ''] ?? `unmapped ${item.error ?? ''}`)
    : JSON.stringify(item.text)
}

/** Python prints an address there, and ours is refused, because the text would not be the same twice. */
function hasAddress(item: Case): boolean {
  return item.text?.includes(' at 0x') === true
}

const own = readSuite(new URL('cases.json', import.meta.url).pathname)
const shared = new URL('../../../../shared/proton/jinja-cases.json', import.meta.url).pathname

describe('what Jinja2 3.1.6 answered', () => {
  test.each(own.cases)('$template', (item) => {
    expect(answer(run(own, item.template))).toBe(expected(item))
  })

  test('is answered with spans, too', () => {
    const differing = own.cases.filter((item) => answer(run(own, item.template, { spans: true })) !== expected(item))
    expect(differing).toEqual([])
  })
})

describe.skipIf(!existsSync(shared))('the micro templates of the reference (beside the repository)', () => {
  const suite = existsSync(shared) ? readSuite(shared) : own

  test.each(suite.cases)('$template', (item) => {
    expect(answer(run(suite, item.template))).toBe(hasAddress(item) ? 'template-refused' : expected(item))
  })
})
