import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from '../src/command.ts'
import { stepInputs, stepOutputs } from '../src/step.ts'
import { commands } from '../src/terminal.ts'
import { markdownTable } from './readme.ts'

const root = join(import.meta.dirname, '..')

/** Writes `actions/<verb>/action.yml` and the tables of its README, from the declaration of the command. */
if (import.meta.main) {
  for (const [path, text] of await actionFiles()) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

/** The generated files below `actions/`, by their paths. A folder with a `main.ts` is an action. */
export async function actionFiles(): Promise<ReadonlyMap<string, string>> {
  const verbs = readdirSync(join(root, 'actions')).filter((verb) => existsSync(join(root, 'actions', verb, 'main.ts')))
  const files = new Map<string, string>()
  for (const verb of verbs.toSorted()) {
    const command = await commands[verb]?.()
    if (command === undefined) throw new Error(`There is no command ${verb} for actions/${verb}`)
    const readme = `actions/${verb}/README.md`
    files.set(`actions/${verb}/action.yml`, actionYaml(command))
    files.set(
      readme,
      readmeWith(command, existsSync(join(root, readme)) ? readFileSync(join(root, readme), 'utf8') : ''),
    )
  }
  return files
}

/** https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax */
function actionYaml(command: Command): string {
  const { name, summary } = command
  const inputs = [...stepInputs(command)].flatMap(([input, { summary: what, required, default: value }]) => [
    `  ${input}:`,
    `    description: ${JSON.stringify(what)}`,
    `    required: ${required}`,
    ...(value === undefined ? [] : [`    default: ${JSON.stringify(value)}`]),
  ])
  const outputs = [...stepOutputs(command)].flatMap(([output, what]) => [
    `  ${output}:`,
    `    description: ${JSON.stringify(what)}`,
  ])
  return [
    `# Generated from src/commands/${name}.ts by \`npm run generate\`.`,
    `name: ${JSON.stringify(`Protium ${name}`)}`,
    `description: ${JSON.stringify(summary)}`,
    'inputs:',
    ...inputs,
    'outputs:',
    ...outputs,
    'runs:',
    '  using: node24',
    `  main: ../../dist/${name}.js`,
    '',
  ].join('\n')
}

function readmeWith(command: Command, readme: string): string {
  const inputs = [...stepInputs(command)].map(([name, { summary, required, default: value }]) => [
    `\`${name}\``,
    cell(summary),
    required ? 'required' : value === undefined || value === '' ? '' : `\`${value}\``,
  ])
  const outputs = [...stepOutputs(command)].map(([name, what]) => [`\`${name}\``, cell(what)])
  const permissions = Object.entries(command.permissions).map(([scope, { access, why }]) => [
    `\`${scope}: ${access}\``,
    cell(why),
  ])
  const blocks = [
    ...(permissions.length === 0 ? [] : [['permissions', markdownTable(['Permission', 'For'], permissions)] as const]),
    ['inputs', markdownTable(['Input', 'What it is', 'Default'], inputs)],
    ['outputs', markdownTable(['Output', 'What it is'], outputs)],
  ] as const
  return blocks.reduce((text, [name, block]) => {
    const [begin, end] = [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`]
    const [before, rest = ''] = text.split(begin)
    const [, after] = rest.split(end)
    if (after === undefined) throw new Error(`actions/${command.name}/README.md has no block "${name}"`)
    return `${before ?? ''}${begin}\n\n${block}\n\n${end}${after}`
  }, readme)
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
