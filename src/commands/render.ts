import { basename, dirname, join } from 'node:path'

import type { Outcome, Ports } from '../command.ts'
import { command, flag, lines, path, text } from '../command.ts'
import { readBundleFolder } from '../core/bundle.ts'
import type { DataMap } from '../core/data.ts'
import { mapOf } from '../core/data.ts'
import { parseTemplate, renderTemplate } from '../core/jinja/index.ts'
import type { Checked, Problem } from '../core/problem.ts'
import { readContext, renderProtonBundle } from '../core/proton.ts'
import { count } from '../core/report.ts'
import type { FileTree } from '../core/tree.ts'
import { readJson } from '../core/yaml.ts'
import { renderAll } from '../core/rendering.ts'
import { readFolder, selectUnits } from './reading.ts'
import { whileWatching } from './watching.ts'

type Result = Outcome<{ readonly files: readonly { readonly path: string; readonly text: string }[] }>

export const render = command({
  name: 'render',
  summary: 'Renders units of the organisation, a Proton bundle with its spec, or one template. Deploys nothing.',
  inputs: {
    services: lines('Services, or units such as checkout/dev; all of them if none is named.', { positional: true }),
    stage: lines('Only this stage.', {}),
    bundle: path('Render this Proton bundle instead: the folder of one version.', { hint: 'DIR' }),
    spec: path('The bundle’s spec, as Proton took it.', { hint: 'FILE' }),
    text: path('Render this one template instead, and print exactly what it gives.', { hint: 'FILE' }),
    context: text('What the template sees, or what is known besides the spec: a JSON file, or JSON itself.', {
      hint: 'JSON',
    }),
    out: path('Write the files below this folder: <unit>/<part>/<file>.', { hint: 'DIR' }),
    watch: flag('Render again whenever a file changes, and show what is different then. Ctrl-C ends it.'),
    root: path('The folder of the organisation.', { default: '.' }),
  },
  outputs: { files: 'The rendered files: their paths and texts.' },
  async run(ports, values) {
    const { bundle, text: template, services, stage, context, spec, out, watch, root } = values
    const modes = [bundle, template, services.length + stage.length > 0 ? 'units' : undefined].filter(
      (mode) => mode !== undefined,
    )
    if (modes.length > 1)
      return refuse([mistake('Units, --bundle and --text are three different things to render.', 'Give one of them.')])
    const stray = spec !== undefined ? '--spec' : context !== undefined ? '--context' : undefined
    if (stray !== undefined && bundle === undefined && (template === undefined || stray === '--spec'))
      return refuse([
        mistake(`${stray} belongs to --bundle${stray === '--context' ? ' or --text' : ''}.`, 'Say what to render.'),
      ])
    const once = async (): Promise<Result> => {
      if (template !== undefined) return renderFile(ports, { template, context, out })
      if (bundle !== undefined) return renderProton(ports, { bundle, spec, context, out })
      return renderUnits(ports, { services, stages: stage, root, out })
    }
    if (!watch) return once()
    const files = [template, bundle, spec, context?.trimStart().startsWith('{') === true ? undefined : context]
    const paths = files.filter((file) => file !== undefined)
    return whileWatching(ports, {
      paths: template === undefined && bundle === undefined ? organisationPaths.map((each) => join(root, each)) : paths,
      render: async () => {
        const outcome = await once()
        const { files: texts } = outcome.data
        return {
          outcome,
          files: outcome.exit === 'done' ? new Map(texts.map((each) => [each.path, each.text])) : undefined,
        }
      },
      show: ports.show,
    })
  },
})

/** What an organisation is read from. */
const organisationPaths = [
  'catalog.yaml',
  'environments',
  'services',
  'templates',
  'waivers',
  'service.yaml',
  'component',
]

async function renderUnits(
  ports: Ports,
  {
    services,
    stages,
    root,
    out,
  }: {
    readonly services: readonly string[]
    readonly stages: readonly string[]
    readonly root: string
    readonly out: string | undefined
  },
): Promise<Result> {
  const { organisation, sources } = await readFolder(ports, root, { services })
  if (!organisation.ok) return { ...refuse(organisation.problems), sources }
  const selected = selectUnits(organisation.value, { services, stages })
  if (!selected.ok) return refuse(selected.problems)
  const { rendered, problems } = renderAll(selected.value, { now: ports.clock.now() })
  const all = [...organisation.problems, ...problems]
  if (problems.some(({ severity }) => severity === 'error')) return { ...refuse(all), sources }
  const asked = services.length + stages.length > 0
  // An environment is rendered along for what it gives out; it is shown where it, or everything, was asked for.
  const wanted = rendered.filter(({ unit }) => !asked || unit.kind !== 'environment' || services.includes(unit.id))
  const files = new Map(
    wanted.map(({ unit, part }) => [`${unit.id}/${part.part.name}/${basename(part.part.file ?? '')}`, part.text]),
  )
  return { ...(await handOver(ports, files, out)), problems: all, sources }
}

async function renderProton(
  ports: Ports,
  {
    bundle: folder,
    spec,
    context,
    out,
  }: {
    readonly bundle: string
    readonly spec: string | undefined
    readonly context: string | undefined
    readonly out: string | undefined
  },
): Promise<Result> {
  const { tree, problems: unreadable } = await ports.files.tree(folder)
  const bundle = readBundleFolder(tree, { template: basename(dirname(join(folder, '.'))), root: '' })
  const specText = spec === undefined ? undefined : await ports.files.text(spec)
  const known = await contextOf(ports, context)
  const problems = [...unreadable, ...bundle.problems, ...known.problems, ...(specText?.problems ?? [])]
  const sources = new Map([
    ...tree,
    ...(spec !== undefined && specText?.ok === true ? [[spec, specText.value] as const] : []),
  ])
  if (!bundle.ok || !known.ok || specText?.ok === false || hasErrors(unreadable))
    return { ...refuse(problems), sources }
  const given = spec !== undefined && specText !== undefined ? { spec: { file: spec, text: specText.value } } : {}
  const rendered = renderProtonBundle(bundle.value, { ...given, context: known.value })
  const all = [...problems, ...rendered.problems]
  if (!rendered.ok) return { ...refuse(all), sources }
  return { ...(await handOver(ports, rendered.value, out)), problems: all, sources }
}

async function renderFile(
  ports: Ports,
  {
    template: file,
    context,
    out,
  }: { readonly template: string; readonly context: string | undefined; readonly out: string | undefined },
): Promise<Result> {
  const source = await ports.files.text(file)
  const known = await contextOf(ports, context)
  if (!source.ok || !known.ok) return refuse([...source.problems, ...known.problems])
  const sources = new Map([[file, source.value]])
  const template = parseTemplate(file, source.value)
  if (!template.ok) return { ...refuse(template.problems), sources }
  const rendered = renderTemplate(template.value, known.value)
  if (!rendered.ok) return { ...refuse([...template.problems, ...rendered.problems]), sources }
  const files = new Map([[basename(file), rendered.text]])
  if (out !== undefined) return { ...(await handOver(ports, files, out)), problems: template.problems, sources }
  return {
    exit: 'done',
    data: { files: dataOf(files) },
    text: () => '',
    exact: rendered.text,
    problems: template.problems,
    sources,
  }
}

/** Writes the files where that was asked for, and prints them where it was not. */
async function handOver(ports: Ports, files: FileTree, out: string | undefined): Promise<Result> {
  const data = { files: dataOf(files) }
  if (out === undefined) {
    const shown = [...files].map(([name, each]) => `# ${name}\n${each.endsWith('\n') ? each : `${each}\n`}`)
    return { exit: 'done', data, text: () => '', exact: shown.join('---\n') }
  }
  await ports.files.write(out, files)
  return { exit: 'done', data, text: () => `${count(files.size, 'file')} written below ${out}.` }
}

function dataOf(files: FileTree): Result['data']['files'] {
  return [...files].map(([name, each]) => ({ path: name, text: each }))
}

/** A JSON file, or JSON itself: no file's name begins with a brace. */
async function contextOf(ports: Ports, context: string | undefined): Promise<Checked<DataMap>> {
  if (context === undefined) return { ok: true, value: mapOf(), problems: [] }
  const inline = context.trimStart().startsWith('{')
  const source: Checked<string> = inline ? { ok: true, value: context, problems: [] } : await ports.files.text(context)
  if (!source.ok) return source
  const document = readJson(inline ? '--context' : context, source.value)
  return document.ok ? readContext(document.value) : document
}

function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some(({ severity }) => severity === 'error')
}

function refuse(problems: readonly Problem[]): Result {
  return { exit: 'bad-input', data: { files: [] }, text: () => '', problems }
}

function mistake(message: string, remedy: string): Problem {
  return { code: 'option-value', severity: 'error', message, remedy: `${remedy} See \`protium help render\`.` }
}
