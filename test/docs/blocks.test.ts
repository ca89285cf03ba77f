import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readArguments } from '../../src/command.ts'
import { type Catalog, openCatalog } from '../../src/core/catalog.ts'
import type { DataMap } from '../../src/core/data.ts'
import { catalogSchema } from '../../src/core/schemas/catalog.ts'
import { environmentSchema } from '../../src/core/schemas/environment.ts'
import { migrationSchema } from '../../src/core/schemas/migration.ts'
import { waiverSchema } from '../../src/core/schemas/policy.ts'
import { serviceSchema } from '../../src/core/schemas/service.ts'
import { templateSchema } from '../../src/core/schemas/template.ts'
import { checkShape } from '../../src/core/shape.ts'
import { catalogWorkflows, serviceWorkflows } from '../../src/core/workflows.ts'
import { readYaml } from '../../src/core/yaml.ts'
import { commands } from '../../src/terminal.ts'
import { checkWorkflow } from '../repo/workflow-rules.ts'
import { blocksOf, commandsIn, guides, pages, proseOf, root, wordsOf } from './pages.ts'

const scripts: Readonly<Record<string, string>> = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts

/** The words after `protium`, in whichever of its forms a line calls it. */
function called(line: string): readonly string[] | undefined {
  const words = wordsOf(line)
  if (words[0] === 'protium') return words.slice(1)
  if (words[0] === 'npm' && words.includes('protium')) return words.slice(words.indexOf('--') + 1)
  return words[0] === 'node' && words[1] === 'src/cli.ts' ? words.slice(2) : undefined
}

/** What is wrong with a call of `protium`; nothing where it is one that can be typed. */
async function wrongWith([name = '', ...words]: readonly string[]): Promise<readonly string[]> {
  if (name === 'help' || name.startsWith('-')) return []
  const load = commands[name]
  if (load === undefined) return [`there is no command ${name}`]
  const command = await load()
  const { given, problems } = readArguments(command, words)
  return [...problems, ...command.accept(given).problems].map(({ message }) => message)
}

/** The workflows of a catalog that has all that can be had, by their names. */
const workflows: ReadonlyMap<string, string> = new Map(
  [...catalogWorkflows(wholeCatalog())].map(([path, text]) => [path.split('/').at(-1) ?? '', text]),
)

function wholeCatalog(): Catalog {
  const own = readFileSync(join(root, 'catalog.yaml'), 'utf8').replace(/^workflows:\n/mu, '$&  upgrades: true\n')
  const text = `${own}\nglass: { by: ['@acme/oncall'] }\n`
  const environments = readdirSync(join(root, 'environments')).map(
    (name) => [`environments/${name}`, readFileSync(join(root, 'environments', name), 'utf8')] as const,
  )
  const { catalog } = openCatalog(new Map([['catalog.yaml', text], ...environments]))
  if (catalog === undefined) throw new Error('The catalog cannot be read.')
  return catalog
}

/** What is wrong with lines that are added to a workflow of a service repository: by our rules, and by what it calls. */
function wrongInWorkflow(text: string): readonly string[] {
  const path = /^# (\S+)/u.exec(text)?.[1] ?? ''
  const [top = '', own = ''] = (serviceWorkflows(wholeCatalog()).get(path) ?? '').split(/^ {2}deploy:\n/mu)
  const [before = '', added = ''] = text.replace(/^# .*\njobs:\n/u, '').split(/^ {2}deploy:\n/mu)
  const whole = `${top}${before}  deploy:\n${added}${own}`
  const called = workflows.get(path.split('/').at(-1) ?? '') ?? ''
  const inputs = Object.keys(parse(called).on?.workflow_call?.inputs ?? {})
  const given = Object.keys(parse(whole).jobs.deploy.with ?? {})
  return [
    ...checkWorkflow(whole, { own: ['acme/catalog'] }).map(({ rule, line }) => `${rule} in line ${line} of the whole`),
    ...given.filter((input) => !inputs.includes(input)).map((input) => `there is no input ${input}`),
  ]
}

/** What is wrong with starting a workflow: `gh workflow run hold.yml -f what=lock`. */
function wrongWithWorkflow(words: readonly string[]): readonly string[] {
  const name = words[3] ?? ''
  const found = workflows.get(name)
  if (found === undefined) return [`there is no workflow ${name}`]
  const inputs = Object.keys(parse(found).on?.workflow_dispatch?.inputs ?? {})
  const given = words.flatMap((word, index) => (words[index - 1] === '-f' ? [word.split('=')[0] ?? ''] : []))
  return given.filter((input) => !inputs.includes(input)).map((input) => `${name} has no input ${input}`)
}

async function wrongInLine(line: string): Promise<readonly string[]> {
  const words = wordsOf(line)
  const call = called(line)
  if (call !== undefined) return wrongWith(call)
  if (words[0] === 'gh' && words[1] === 'workflow' && words[2] === 'run') return wrongWithWorkflow(words)
  if (words[0] === 'npm') {
    const script = words[1] === 'run' ? words.slice(2).find((word) => !word.startsWith('-')) : words[1]
    return script !== undefined && script in scripts ? [] : [`there is no script ${script}`]
  }
  return []
}

/** Lines that show a form and are no command: with a placeholder, or an ellipsis. */
const isForm = (line: string): boolean => /<[a-z-]+>|…/u.test(line)

describe('the commands on every page', () => {
  test.each(pages)('can be typed: %s', async (page) => {
    const blocks = blocksOf(page).filter(({ info }) => ['', 'sh', 'shell', 'console'].includes(info))
    const lines = blocks.flatMap(({ text, line }) => commandsIn(text).map((command) => ({ command, line })))
    const wrong: string[] = []
    for (const { command, line } of lines) {
      // Some blocks explain a command after three spaces.
      const typed = command.split(/ {3,}/u)[0] ?? ''
      if (!isForm(typed)) for (const each of await wrongInLine(typed)) wrong.push(`${page}:${line}: ${typed}: ${each}`)
    }
    for (const [, code = ''] of proseOf(page).matchAll(/`((?:protium|npm run|npm start)[^`]*)`/gu)) {
      const call = called(code)
      if (call === undefined || call.length === 0 || isForm(code)) continue
      // In a sentence, arguments are often left out: the command and its options have to be there.
      const [name = ''] = call
      const faults = await wrongWith(call)
      for (const each of faults.filter((fault) => !fault.includes(' needs ') && !fault.includes('takes one value')))
        if (name !== 'help') wrong.push(`${page}: ${code}: ${each}`)
    }

    expect(wrong).toEqual([])
  })
})

const schemas: readonly (readonly [RegExp, DataMap])[] = [
  [/^catalog\.yaml$/u, catalogSchema],
  [/^(?:services\/[^/]+\/)?service\.yaml$/u, serviceSchema],
  [/^environments\/[^/]+\.yaml$/u, environmentSchema],
  [/^templates\/[^/]+\/template\.yaml$/u, templateSchema],
  [/^templates\/[^/]+\/migrations\/[^/]+\.yaml$/u, migrationSchema],
  [/^waivers\/[^/]+\.yaml$/u, waiverSchema],
]

describe.each(guides)('each block of %s', (page) => {
  const blocks = blocksOf(page)

  test('is run or checked, or says why not', () => {
    const loose = blocks.filter(
      ({ info, mark = '' }) =>
        !/^(?:run|run: exit \d|file|file: \S+|says|from: \S+|generated: .+|not run: .{8,}|part)$/u.test(mark) &&
        info !== 'yaml',
    )

    expect(loose.map(({ line, info }) => `${page}:${line} ${info}`)).toEqual([])
  })

  test('that shows a file, or a part of one, shows what that file may say', () => {
    const wrong = blocks.flatMap(({ info, text, line, mark = '' }) => {
      if (info !== 'yaml') return []
      const path = /^# (\S+)/u.exec(text)?.[1] ?? ''
      if (path.startsWith('.github/workflows/')) return wrongInWorkflow(text).map((fault) => `${page}:${line} ${fault}`)
      const schema = schemas.find(([form]) => form.test(path))?.[1]
      if (schema === undefined) return mark.startsWith('file') ? [] : [`${page}:${line} is of no file that is known`]
      const document = readYaml(path, text, 'own')
      if (!document.ok) return document.problems.map(({ message }) => `${page}:${line} ${message}`)
      return checkShape(document.value, schema, 'the file')
        .filter(({ code }) => code !== 'missing-key' || mark.startsWith('file'))
        .map(({ message, at }) => `${page}:${line + (at?.line ?? 0)} ${message}`)
    })

    expect(wrong).toEqual([])
  })
})
