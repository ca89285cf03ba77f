import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command, Input } from '../src/command.ts'
import { flagOf, globalInputs, usageOf } from '../src/command.ts'
import { type DataMap, isMap } from '../src/core/data.ts'
import { catalogSchema } from '../src/core/schemas/catalog.ts'
import { environmentSchema } from '../src/core/schemas/environment.ts'
import { serviceSchema } from '../src/core/schemas/service.ts'
import { templateSchema } from '../src/core/schemas/template.ts'
import { mapIn, textIn, textsIn, wanted } from '../src/core/shape.ts'
import type { FileTree } from '../src/core/tree.ts'
import { stepInputs, stepOutputs } from '../src/step.ts'
import { commands } from '../src/terminal.ts'
import { exitTable, markdownTable } from './readme.ts'

const root = join(import.meta.dirname, '..')

/** The files that people write: what each is, where the sample has one, and the schema that it is held to. */
const files = [
  {
    page: 'catalog',
    title: 'catalog.yaml',
    what: 'The one file of a catalog at its root: the stages and what is asked of them, and what follows for workflows and accounts.',
    sample: 'catalog.yaml',
    schema: catalogSchema,
  },
  {
    page: 'service',
    title: 'service.yaml',
    what: 'A service. It lies in `services/<name>/` of the catalog, or in the repository of the service.',
    sample: 'services/checkout/service.yaml',
    schema: serviceSchema,
  },
  {
    page: 'environment',
    title: 'environments/&lt;name&gt;.yaml',
    what: 'An environment: where services live, in which account and region, and what provisions it.',
    sample: 'environments/dev.yaml',
    schema: environmentSchema,
  },
  {
    page: 'template',
    title: 'templates/&lt;name&gt;/template.yaml',
    what: 'What is to be known of a template besides its bundles. [Writing a template](../guide-templates.md) has the rest.',
    sample: 'templates/fargate-service/template.yaml',
    schema: templateSchema,
  },
] as const

/** Writes `docs/reference/`: what can be said to each command and action, and in each file, from their declarations. */
if (import.meta.main) {
  for (const [path, text] of await referencePages()) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

/** The pages of `docs/reference/`, by their paths in the repository. */
export async function referencePages(): Promise<FileTree> {
  const all = await Promise.all(Object.values(commands).map(async (load) => load()))
  const steps = all.filter(({ name }) => hasAction(name))
  const pages: readonly (readonly [string, readonly string[]])[] = [
    ['README', indexPage()],
    ['commands', commandsPage(all)],
    ['actions', actionsPage(steps)],
    ...files.map((file) => [file.page, filePage(file)] as const),
  ]
  return new Map(pages.map(([name, blocks]) => [`docs/reference/${name}.md`, `${blocks.join('\n\n')}\n`]))
}

function hasAction(verb: string): boolean {
  return existsSync(join(root, 'actions', verb, 'main.ts'))
}

function indexPage(): readonly string[] {
  const links = [
    ['commands.md', 'The commands', 'arguments, options and results'],
    ['actions.md', 'The actions', 'permissions, inputs and outputs'],
    ...files.map(({ page, title, what }) => [`${page}.md`, title, lower(what.split(/[.:]/u)[0] ?? '')]),
    ['../policy.md', 'Rules and waivers', 'what `policy:` and `waivers/<name>.yaml` may say'],
    ['../problems/README.md', 'The problems', 'each with why it is one, and how to mend it'],
  ]
  return [
    '# Reference',
    'Everything that can be said, made by `npm run generate` from the declarations that the program itself reads. How it is used ' +
      'is in the guides, which the [README](../../README.md#read-on) lists.',
    links.map(([page = '', title = '', what = '']) => `- [${title}](${page}): ${what}`).join('\n'),
  ]
}

// Commands

function commandsPage(all: readonly Command[]): readonly string[] {
  return [
    '# Commands',
    'In this repository a command is called by `npm run protium -- <command>`; `npm run -s` leaves out what npm itself prints. With ' +
      'Node 24 it is `node src/cli.ts <command>`. Results go to standard output, progress and problems to standard error. ' +
      '`protium help <command>` shows what stands here.',
    all.map(({ name, summary }) => `- [\`${name}\`](#${name}): ${summary}`).join('\n'),
    '## What all of them know',
    optionTable(Object.entries(globalInputs)),
    '## Exit codes',
    exitTable(),
    ...all.flatMap(commandBlocks),
  ]
}

function commandBlocks({ name, summary, inputs, outputs }: Command): readonly string[] {
  const every = Object.entries<Input>(inputs)
  const given = every.filter(([, input]) => isPositional(input))
  const options = every.filter(([, input]) => !isPositional(input))
  const usage = ['protium', name, ...given.map(([each, input]) => usageOf(each, input))]
  return [
    `## ${name}`,
    summary,
    `\`\`\`text\n${[...usage, ...(options.length > 0 ? ['[options]'] : [])].join(' ')}\n\`\`\``,
    ...(every.length === 0 ? [] : [optionTable([...given, ...options])]),
    ...(Object.keys(outputs).length === 0
      ? []
      : [
          'The `result` that `--json` prints:',
          markdownTable(
            ['Key', 'What it is'],
            Object.entries(outputs).map(([key, what]) => [`\`${key}\``, cell(what)]),
          ),
        ]),
  ]
}

function optionTable(inputs: readonly (readonly [string, Input])[]): string {
  const rows = inputs.map(([name, input]) => {
    const again = input.kind === 'lines' && !isPositional(input) ? ' May be repeated.' : ''
    const fallback = 'default' in input && input.default !== undefined ? ` Default: \`${input.default}\`` : ''
    return [`\`${flagOf(name, input)}\``, `${cell(input.summary)}${again}${fallback}`]
  })
  return markdownTable(['Argument or option', 'What it says'], rows)
}

function isPositional(input: Input): boolean {
  return 'positional' in input && input.positional
}

// Actions

function actionsPage(steps: readonly Command[]): readonly string[] {
  return [
    '# Actions',
    'Each is a command as a step of a workflow. The workflows that `protium workflows --write` makes use them, so few people write ' +
      'one by hand. An input that takes several has one a line.',
    steps.map(({ name, summary }) => `- [\`${name}\`](#${name}): ${summary}`).join('\n'),
    ...steps.flatMap((step) => {
      const permissions = Object.entries(step.permissions)
      return [
        `## ${step.name}`,
        `${step.summary} [How it is used](../../actions/${step.name}/README.md).`,
        permissions.length === 0
          ? 'It needs `contents: read`, to check out the files, and no other permission.'
          : markdownTable(
              ['Permission', 'For'],
              permissions.map(([scope, { access, why }]) => [`\`${scope}: ${access}\``, cell(why)]),
            ),
        markdownTable(
          ['Input', 'What it is', 'Default'],
          [...stepInputs(step)].map(([name, { summary, required, default: value }]) => [
            `\`${name}\``,
            cell(summary),
            required ? 'required' : value === undefined || value === '' ? '' : `\`${value}\``,
          ]),
        ),
        markdownTable(
          ['Output', 'What it is'],
          [...stepOutputs(step)].map(([name, what]) => [`\`${name}\``, cell(what)]),
        ),
      ]
    }),
  ]
}

// Files

function filePage({ title, what, sample, schema }: (typeof files)[number]): readonly string[] {
  const text = readFileSync(join(root, sample), 'utf8').trimEnd()
  return [
    `# ${title}`,
    what,
    `This is [${sample}](../../${sample}) of the sample organisation:`,
    `\`\`\`yaml\n${text}\n\`\`\``,
    '## Keys',
    'A key that is not listed is a mistake, with the nearest one as a hint. _always_: the key has to be there.',
    ...sectionsOf(schema, '').flatMap(({ path, about, rows }) => [
      ...(path === '' ? [] : [`### \`${path}\``, ...(about === undefined ? [] : [about])]),
      markdownTable(['Key', 'What it says', 'What it takes'], rows),
    ]),
  ]
}

type Section = { readonly path: string; readonly about: string | undefined; readonly rows: string[][] }

/** The maps in a schema, each with its keys, in the order in which they are written. */
function sectionsOf(schema: DataMap, path: string): readonly Section[] {
  const properties = Object.entries(mapIn(schema, 'properties') ?? {}).flatMap(([key, value]) =>
    isMap(value) ? [[key, value] as const] : [],
  )
  const required = textsIn(schema, 'required')
  const inner: Section[] = []
  const rows = properties.map(([key, value]) => {
    const place = path === '' ? key : `${path}.${key}`
    const [first, ...deeper] = below(value, place)
    if (first !== undefined) inner.push(first, ...deeper)
    return [
      `\`${key}\`${required.includes(key) ? ', always' : ''}`,
      cell(textIn(value, 'description') ?? ''),
      first === undefined ? cell(takes(value)) : `[${kindOf(value)}](#${anchor(first.path)})`,
    ]
  })
  return [{ path, about: path === '' ? undefined : textIn(schema, 'description'), rows }, ...inner]
}

/** The maps in what a key has: itself, each of a list, or each by a name of its own. */
function below(value: DataMap, path: string): readonly Section[] {
  if (mapIn(value, 'properties') !== undefined) return sectionsOf(value, path)
  const items = mapIn(value, 'items')
  if (items !== undefined) return below(items, `${path}[]`)
  const named = mapIn(value, 'additionalProperties')
  return named === undefined ? [] : below(named, `${path}.<${singular(path.split('.').at(-1) ?? '')}>`)
}

function singular(word: string): string {
  return word === 'repositories' ? 'owner/name' : word.replace(/s$/u, '')
}

function kindOf(value: DataMap): string {
  const types = textsIn(value, 'type')
  if (types.includes('string')) return 'text, or a map'
  if (types.includes('array')) return types.includes('object') ? 'a map, or a list' : 'a list of maps'
  return mapIn(value, 'properties') === undefined ? 'a map by names' : 'a map'
}

function takes(value: DataMap): string {
  const items = mapIn(value, 'items')
  if (items !== undefined && textsIn(value, 'type').includes('array'))
    return `${textsIn(value, 'type').length > 1 ? wanted(value) : 'A list.'} Each: ${lower(wanted(items))}`
  const named = mapIn(value, 'additionalProperties')
  if (named === undefined) return wanted(value)
  const names = mapIn(value, 'propertyNames')
  return `A map. ${names === undefined ? '' : `Keys: ${lower(wanted(names))} `}Values: ${lower(wanted(named))}`
}

function anchor(path: string): string {
  return path.toLowerCase().replaceAll(/[^a-z0-9 _-]/gu, '')
}

function cell(text: string): string {
  return text
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;')
    .replaceAll(/`[^`]*`/gu, (code) => code.replaceAll('&lt;', '<'))
}

function lower(text: string): string {
  return /^[A-Z][a-z ]/u.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text
}
