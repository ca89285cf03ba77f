import type { Catalog } from './catalog.ts'
import type { Edited } from './edit.ts'
import { setValue } from './edit.ts'
import { addItem } from './edit-list.ts'
import { editorSchemas } from './editor.ts'
import { serviceFile } from './init.ts'
import type { Markdown } from './markdown.ts'
import { blocks, bullets, code, fence, fold, prose, title } from './markdown.ts'
import { didYouMean } from './nearest.ts'
import type { Checked, Problem } from './problem.ts'
import { offeredVersion } from './release/status.ts'
import { hostOf, isServiceName } from './stage.ts'
import type { Ours, SkeletonMerge, SkeletonPlan } from './skeleton.ts'
import { filesSection, lockFile, mergeSkeleton, planSkeleton } from './skeleton.ts'
import { readServiceSpec } from './spec.ts'
import type { FileTree } from './tree.ts'
import { serviceWorkflows } from './workflows.ts'

/** The service of a repository that is taken in, as it was asked for. */
export type Wanted = {
  readonly repository: { readonly owner: string; readonly name: string }
  readonly service?: string | undefined
  readonly template?: string | undefined
  readonly owner?: string | undefined
  /** `port=8080` */
  readonly input: readonly string[]
}

/** What a service is made from: a template of services by its name, with its newest version in the catalog. */
export type Choice = {
  readonly name: string
  readonly version: string
  readonly description: string | undefined
  /** Whether it answers at an address. */
  readonly hasHost: boolean
  /** Inputs that have to be given, since they have no default. */
  readonly required: readonly { readonly name: string; readonly description: string | undefined }[]
}

export function choices({ templates }: Catalog): readonly Choice[] {
  return [...templates.values()].flatMap((template): Choice[] => {
    const { name, kind, bundles, description } = template
    // No draft, and nothing that ends or was taken back.
    const offered = offeredVersion(template)
    const bundle = [...bundles.values()].find(({ version }) => version === offered)
    if (kind !== 'service' || bundle === undefined) return []
    const inputs = [...(bundle.schema.service?.inputs.values() ?? [])]
    const required = inputs.filter((input) => input.required && input.default === undefined && !input.host)
    return [
      {
        name,
        version: bundle.version,
        description,
        hasHost: inputs.some(({ host }) => host),
        required: required.map((input) => ({ name: input.name, description: input.description })),
      },
    ]
  })
}

/** The files for the repository: the workflows that call the catalog's, the service, and what editors need to check it. */
export function serviceFiles(
  catalog: Catalog,
  wanted: Wanted,
): Checked<{ readonly service: string; readonly files: FileTree }> {
  const problems: Problem[] = []
  const tell = (problem: Omit<Problem, 'severity'>): void => void problems.push({ severity: 'error', ...problem })
  const service = wanted.service ?? wanted.repository.name.toLowerCase()
  if (!isServiceName(service))
    tell({
      code: wanted.service === undefined ? 'missing-argument' : 'option-value',
      message:
        wanted.service === undefined
          ? `It is not said how the service is called, and the name of the repository, ${JSON.stringify(service)}, can be that of none.`
          : `--service: ${JSON.stringify(service)} cannot be the name of a service.`,
      expected: 'Small letters, digits and "-", a letter first: it is a part of its addresses.',
      remedy: 'Say --service, such as `--service checkout`.',
    })
  const all = choices(catalog)
  const choice = chosen(all, wanted.template, tell)
  const inputs = wanted.input.flatMap((text): (readonly [string, string])[] => {
    const split = text.indexOf('=')
    if (split > 0 && /^[A-Za-z_][A-Za-z0-9_-]*$/u.test(text.slice(0, split)))
      return [[text.slice(0, split), text.slice(split + 1)]]
    tell({
      code: 'option-value',
      message: `--input: ${JSON.stringify(text)} names no input.`,
      expected: 'Its name and its value, such as port=8080.',
      remedy: 'Correct it.',
    })
    return []
  })
  if (serviceWorkflows(catalog).size === 0)
    tell({
      code: 'workflows-unset',
      message: 'catalog.yaml does not say which repository it is in, so nothing can call its workflows.',
      expected: '`workflows: { actions: …, repository: owner/name }`.',
      remedy: 'Add it, and run `protium workflows --write`.',
      at: catalog.document.keyPlace(['workflows']),
    })
  if (problems.length > 0 || choice === undefined) return { ok: false, problems }
  const stages = catalog.stages.map((stage) => ({ stage: stage.name, host: hostOf(stage, service) }))
  const text = serviceFile({
    service,
    template: `${choice.name}@${choice.version}`,
    hosts: choice.hasHost ? stages : [],
    stages: stages.map(({ stage }) => stage),
    inputs: new Map(inputs),
    schema: schemaFile,
    ...(wanted.owner === undefined ? {} : { owner: wanted.owner }),
  })
  const schema = editorSchemas(catalog.templates.values()).get('service.schema.json') ?? ''
  const files = new Map([...serviceWorkflows(catalog), [schemaFile, schema], ['service.yaml', text]])
  return { ok: true, value: { service, files }, problems: [] }
}

/** Where editors find it: they cannot fetch from a private catalog. */
const schemaFile = '.protium/schemas/service.schema.json'

/** What is read of a repository before it is known what its template gives to it. */
export function firstReads(files: FileTree): readonly string[] {
  return [...files.keys(), lockFile]
}

/**
 * What the template gives to the repository, by the service.yaml that will be there: one that was there already stays. Nothing where
 * that is of a version which the checkout of the catalog does not have; then its files come with an upgrade.
 */
export function serviceSkeleton(catalog: Catalog, file: string): Checked<SkeletonPlan> | undefined {
  const spec = readServiceSpec('service.yaml', file)
  if (!spec.ok) return undefined
  const { template, version, service: name, owner, inputs } = spec.value
  const bundle = [...(catalog.templates.get(template)?.bundles.values() ?? [])].find((each) => each.version === version)
  if (bundle?.kind !== 'service') return undefined
  const values = { name, ...(owner === undefined ? {} : { owner }), inputs }
  return planSkeleton({ lock: undefined, to: { bundle, values }, bundleOf: () => undefined })
}

/** The files of the template for a repository that has nothing of it. One with another lock is kept good by upgrades, and left alone. */
export function firstFiles(plan: SkeletonPlan, ours: Ours): SkeletonMerge | undefined {
  const merged = mergeSkeleton(plan, { ours })
  return ours.files.has(lockFile) && merged.files.has(lockFile) ? undefined : merged
}

function chosen(
  all: readonly Choice[],
  name: string | undefined,
  tell: (problem: Omit<Problem, 'severity'>) => void,
): Choice | undefined {
  const names = all.map((each) => each.name)
  const found = name === undefined && all.length === 1 ? all[0] : all.find((each) => each.name === name?.split('@')[0])
  if (found !== undefined) return found
  tell({
    code: name === undefined ? 'missing-argument' : 'unknown-template',
    message:
      name === undefined
        ? 'It is not said which template the service is made from.'
        : `--template: there is no template of services ${JSON.stringify(name)}.${didYouMean(name, names)}`,
    expected: all.length === 0 ? 'A template of the kind `service` in the catalog.' : `One of ${names.join(', ')}.`,
    remedy: all.length === 0 ? 'Add a template first; README.md says how one is written.' : 'Say it with --template.',
  })
  return undefined
}

/** What of the files is written to a repository that has some. The schema follows the catalog; all that people may have changed stays. */
export function settledFiles(
  wanted: FileTree,
  there: FileTree,
): { readonly files: FileTree; readonly kept: readonly string[] } {
  const files = new Map<string, string>()
  const kept: string[] = []
  for (const [path, text] of wanted) {
    const found = there.get(path)
    if (found === undefined || (found !== text && path === schemaFile)) files.set(path, text)
    else if (found !== text) kept.push(path)
  }
  return { files, kept }
}

/** What the pull request says: what it brings, and what was there already and is another. */
export function proposalBody({
  catalog,
  service,
  wanted,
  kept,
  skeleton,
}: {
  readonly catalog: Catalog
  readonly service: string
  readonly wanted: FileTree
  readonly kept: readonly string[]
  readonly skeleton?: SkeletonMerge | undefined
}): Markdown {
  const home = catalog.workflows?.repository ?? ''
  return blocks([
    prose`This brings ${code(service)} into the catalog ${code(home)}. From now on, each pull request here is told what it would change in ${catalog.stages.map(({ name }) => name).join(', ')}.`,
    bullets([
      prose`${code('service.yaml')} says what the service is. Its inputs have the defaults of the template; change what does not fit.`,
      prose`The workflows in ${code('.github/workflows')} call those of the catalog, and need no change when stages do.`,
      prose`${code(schemaFile)} is for editors: completion and checks in ${code('service.yaml')}.`,
    ]),
    catalog.workflows?.deploy === false
      ? prose`The catalog plans only: nothing is deployed when this is merged.`
      : prose`When this is merged, the service is deployed stage by stage.`,
    ...(kept.length === 0
      ? []
      : [
          prose`These files were there already, and are left as they are. Look whether what was meant for them is needed:`,
          ...kept.map((path) => fold(title`${path}`, fence(wanted.get(path) ?? ''))),
        ]),
    // What was written is seen in the pull request; what was left alone is not.
    filesSection(skeleton?.outcomes.filter(({ is }) => is === 'review') ?? [], { asks: false }),
  ])
}

/** catalog.yaml with the repository in the lists that it has; `left` are the places that have to be written by hand. */
export function withRepository(
  catalog: Catalog,
  text: string,
  {
    repository,
    id,
    service,
  }: { readonly repository: string; readonly id: string | undefined; readonly service: string },
): { readonly text: string; readonly left: readonly string[] } {
  const left: string[] = []
  let edited = text
  const take = (where: string, change: Edited): void => {
    if (change.is === 'edited') edited = change.text
    else left.push(where)
  }
  if (catalog.repositories?.by === 'name')
    take(
      `\`${repository}\` to \`services.repositories\``,
      addItem('catalog.yaml', edited, { path: ['services', 'repositories'], item: repository }),
    )
  const isTrusted = catalog.trust?.repositories.some(({ name }) => name === repository) === true
  if (catalog.trust !== undefined && !isTrusted) {
    const own = `\`${repository}: { id: "…" }\` to \`trust.repositories\``
    // A repository deploys the service of its own name, if nothing else is said.
    const isPlain = repository.endsWith(`/${service}`)
    if (id === undefined || !isPlain) left.push(isPlain ? own : own.replace(' }', `, services: [${service}] }`))
    else take(own, setValue('catalog.yaml', edited, { path: ['trust', 'repositories', repository, 'id'], value: id }))
  }
  return { text: edited, left }
}
