import { join } from 'node:path'

import type { Outcome, Ports } from '../command.ts'
import { command, lines, path, text } from '../command.ts'
import type { Wanted } from '../core/add.ts'
import {
  choices,
  firstFiles,
  firstReads,
  proposalBody,
  serviceFiles,
  serviceSkeleton,
  settledFiles,
  withRepository,
} from '../core/add.ts'
import type { Catalog } from '../core/catalog.ts'
import { readRepository } from '../core/init.ts'
import type { Problem } from '../core/problem.ts'
import { count } from '../core/report.ts'
import type { Ours, SkeletonMerge } from '../core/skeleton.ts'
import { isServiceName } from '../core/stage.ts'
import type { FileTree } from '../core/tree.ts'
import type { Ask } from '../ports.ts'
import { quoted, readFolder, sameFolders } from './reading.ts'

/** The branch that the files are proposed from. */
const branch = 'protium/add'

export const add = command({
  name: 'add',
  summary:
    'Takes the repository of a service into the catalog: its service.yaml and workflows, as a pull request there, or as files.',
  inputs: {
    repository: text('The repository of the service on GitHub.', {
      positional: true,
      required: true,
      hint: 'OWNER/NAME',
    }),
    into: path('Write the files to this folder, and open no pull request.', { hint: 'FOLDER' }),
    service: text('The name of the service; that of the repository if nothing is said.', { hint: 'NAME' }),
    template: text('The template that it is made from; the one of services if there is only one.', { hint: 'NAME' }),
    input: lines('An input of the template.', { hint: 'NAME=VALUE' }),
    owner: text('Who owns the service.', { hint: 'NAME' }),
    'repository-id': text(
      'The number of the repository on GitHub, for its roles in the accounts; a pull request finds it by itself.',
      { hint: 'ID' },
    ),
    root: path('The folder of the catalog.', { default: '.' }),
  },
  outputs: {
    service: 'The name of the service.',
    files: 'The files that were written or proposed.',
    kept: 'Files that were there already, and are left as they are.',
    'pull-request': 'The address of the pull request; null where files were written.',
    catalog: 'Whether catalog.yaml was changed.',
  },
  async run(ports, { repository: name, into, root, 'repository-id': given, ...options }) {
    const read = readRepository(name, '<repository>')
    if (!read.ok) return refusal(read.problems)
    if (given !== undefined && !/^[1-9][0-9]{0,17}$/u.test(given))
      return refusal([
        {
          code: 'option-value',
          severity: 'error',
          message: `--repository-id: ${JSON.stringify(given)} is not a number of GitHub's.`,
          expected: 'Digits alone, such as 1296269.',
          remedy: `\`gh api repos/${name} --jq .id\` shows it.`,
        },
      ])
    const { organisation, sources } = await readFolder(ports, root)
    if (!organisation.ok) return { ...refusal(organisation.problems), sources }
    const { catalog } = organisation.value
    const typed: Wanted = { repository: read.value, ...options }
    const wanted = ports.ask === undefined ? typed : await asked(await ports.ask(), catalog, typed)
    const made = serviceFiles(catalog, wanted)
    if (!made.ok) return { ...refusal(made.problems), sources }
    const { service, files } = made.value
    const wrong = await problemsOf(ports, { root, service, files })
    if (wrong.length > 0) return { ...refusal(wrong), sources: files }
    const brought =
      into === undefined
        ? await proposed(ports, { repository: name, catalog, service, files })
        : await written(ports, { into, catalog, files })
    if ('problems' in brought) return refusal(brought.problems)
    const id = given ?? brought.id
    const before = sources.get('catalog.yaml') ?? ''
    const { text: after, left } = withRepository(catalog, before, { repository: name, id, service })
    if (after !== before) await ports.files.writeText(join(root, 'catalog.yaml'), after)
    const changes = after !== before
    const told = [
      ...(brought.kept.length === 0 ? [] : [`Left as they were there: ${brought.kept.join(', ')}.`]),
      ...(into === undefined || brought.executables.length === 0
        ? []
        : [`To be made runnable: \`chmod +x ${brought.executables.join(' ')}\`.`]),
      ...(changes ? ['Added the repository to catalog.yaml; commit that.'] : []),
      ...(catalog.repositories?.by === 'topic'
        ? [`The catalog finds it by its topic: \`gh repo edit ${name} --add-topic ${catalog.repositories.topic}\`.`]
        : []),
      ...left.map(
        (place) =>
          `To be added to catalog.yaml by hand: ${place}.${place.includes('id: "…"') ? ` \`gh api repos/${name} --jq .id\` shows the number.` : ''}`,
      ),
    ]
    return {
      exit: 'done',
      data: {
        service,
        files: [...brought.files.keys()],
        kept: brought.kept,
        'pull-request': brought.address ?? null,
        catalog: changes,
      },
      text: (paint) => [paint.bold(brought.headline), ...told].join('\n'),
      next: [
        ...(changes && catalog.trust !== undefined
          ? [
              {
                run: `trust --write${sameFolders({ root, state: '.protium' })}`,
                why: 'writes its roles in the accounts',
              },
            ]
          : []),
        ...(into === undefined
          ? []
          : [
              {
                run: `validate ${quoted(into)} --catalog ${quoted(root)}`,
                why: 'checks it with the catalog, before it is committed',
              },
            ]),
      ],
    }
  },
})

type Result = {
  readonly service: string | null
  readonly files: readonly string[]
  readonly kept: readonly string[]
  readonly 'pull-request': string | null
  readonly catalog: boolean
}

function refusal(problems: readonly Problem[]): Outcome<Result> {
  const data = { service: null, files: [], kept: [], 'pull-request': null, catalog: false }
  return { exit: 'bad-input', data, text: () => '', problems }
}

/** Asks for what was not given: the name where that of the repository is none, the template, and what it has to be told. */
async function asked(ask: Ask, catalog: Catalog, typed: Wanted): Promise<Wanted> {
  let wanted = typed
  if (wanted.service === undefined && !isServiceName(wanted.repository.name.toLowerCase())) {
    const service = await ask.text({
      message: 'How is the service called? It is a part of its addresses',
      fault: (name) => (isServiceName(name) ? undefined : 'Small letters, digits and "-", a letter first.'),
    })
    wanted = { ...wanted, service }
  }
  const all = choices(catalog)
  if (wanted.template === undefined && all.length > 1) {
    const template = await ask.choice({
      message: 'Which template is it made from?',
      options: all.map(({ name, version, description }) => ({
        value: name,
        label: `${name} ${version}`,
        ...(description !== undefined && { hint: description }),
      })),
    })
    wanted = { ...wanted, template }
  }
  const choice = all.length === 1 ? all[0] : all.find(({ name }) => name === wanted.template?.split('@')[0])
  for (const { name, description } of choice?.required ?? []) {
    if (wanted.input.some((each) => each.startsWith(`${name}=`))) continue
    const value = await ask.text({
      message: `${name}${description === undefined ? '' : `: ${description}`}`,
      fault: (answer) => (answer === '' ? 'The template needs it.' : undefined),
    })
    wanted = { ...wanted, input: [...wanted.input, `${name}=${value}`] }
  }
  return wanted
}

/** What the catalog says of the service that it has not said before: checked as if it lay in a folder of the catalog. */
async function problemsOf(
  ports: Ports,
  { root, service, files }: { readonly root: string; readonly service: string; readonly files: FileTree },
): Promise<readonly Problem[]> {
  const file = `services/${service}/service.yaml`
  const { organisation } = await readFolder(
    {
      ...ports,
      files: {
        ...ports.files,
        tree: async (folder, only, options) => {
          const { tree, problems } = await ports.files.tree(folder, only, options)
          const there = tree.get(file)
          return { tree: new Map([...tree, [file, there ?? files.get('service.yaml') ?? '']]), problems }
        },
      },
    },
    root,
  )
  const { tree } = await ports.files.tree(root, new Map([['', ['services']]]))
  if (tree.has(file))
    return [
      {
        code: 'path-taken',
        severity: 'error',
        message: `The catalog has a service "${service}" already, in its own folder.`,
        expected: 'A service in one place: a folder of the catalog, or a repository of its own.',
        remedy: `Take \`services/${service}/\` out of the catalog first, or choose another name: \`--service\`.`,
        at: { file, line: 1, column: 1 },
      },
    ]
  return organisation.problems
    .filter(({ severity }) => severity === 'error')
    .map(({ at, ...problem }) => ({
      ...problem,
      ...(at === undefined ? {} : { at: at.file === file ? { ...at, file: 'service.yaml' } : at }),
    }))
}

type Brought = {
  readonly headline: string
  readonly files: FileTree
  readonly kept: readonly string[]
  /** Those of the files that can be run. */
  readonly executables: readonly string[]
  readonly address?: string
  readonly id?: string
}

type Failed = { readonly problems: readonly Problem[] }

/** What is brought to a repository that has some files already: those of every service, and those of its template. */
async function settled(
  { catalog, files }: { readonly catalog: Catalog; readonly files: FileTree },
  read: (paths: readonly string[]) => Promise<Ours>,
): Promise<
  | Failed
  | (Omit<Brought, 'headline'> & { readonly own: readonly string[]; readonly skeleton: SkeletonMerge | undefined })
> {
  const there = await read(firstReads(files))
  // What is no text is there all the same, and not ours.
  const known = new Map([...there.files, ...[...there.others.keys()].map((path) => [path, ''] as const)])
  const base = settledFiles(files, known)
  const plan = serviceSkeleton(catalog, known.get('service.yaml') ?? files.get('service.yaml') ?? '')
  if (plan?.ok === false) return { problems: plan.problems }
  const skeleton = plan === undefined ? undefined : firstFiles(plan.value, await read(plan.value.reads))
  const left = skeleton?.outcomes.filter(({ is }) => is === 'review').map(({ path }) => path) ?? []
  return {
    files: new Map([...base.files, ...(skeleton?.files ?? [])]),
    own: base.kept,
    kept: [...base.kept, ...left],
    executables: [...(skeleton?.executables ?? [])],
    skeleton,
  }
}

async function written(
  ports: Ports,
  { into, catalog, files }: { readonly into: string; readonly catalog: Catalog; readonly files: FileTree },
): Promise<Brought | Failed> {
  const found = await settled({ catalog, files }, async (paths) => {
    const there = { files: new Map<string, string>(), others: new Map<string, 'folder'>() }
    for (const file of paths) {
      const read = await ports.files.text(join(into, file))
      if (read.ok) there.files.set(file, read.value)
      else if (!read.problems.some(({ code }) => code === 'missing-file')) there.others.set(file, 'folder')
    }
    return there
  })
  if ('problems' in found) return found
  await ports.files.write(into, found.files)
  const headline =
    found.files.size === 0
      ? `Nothing to do: ${into} has everything.`
      : `Wrote ${count(found.files.size, 'file')} to ${into}: ${[...found.files.keys()].join(', ')}.`
  return { headline, ...found }
}

async function proposed(
  ports: Ports,
  {
    repository,
    catalog,
    service,
    files,
  }: {
    readonly repository: string
    readonly catalog: Catalog
    readonly service: string
    readonly files: FileTree
  },
): Promise<Brought | Failed> {
  if (ports.proposals === undefined)
    return {
      problems: [
        {
          code: 'github-token',
          severity: 'error',
          message: `There is no token to open a pull request in ${repository} with.`,
          expected:
            'GITHUB_TOKEN with `contents: write`, `pull-requests: write` and `workflows: write` on it; or --into FOLDER, to have the files.',
          remedy: `Set it, such as by \`GITHUB_TOKEN="$(gh auth token)"\`; or say \`--into\`.`,
        },
      ],
    }
  const host = await ports.proposals(repository)
  let [id, isOpen] = ['', false]
  const found = await settled({ catalog, files }, async (paths) => {
    if (paths.length === 0) return { files: new Map(), others: new Map() }
    const there = await host.look({ branch, paths })
    id = there.id
    isOpen = there.pullRequest !== undefined
    return there
  })
  if ('problems' in found) return found
  ports.reporter.step('looked', `${repository} lacks ${count(found.files.size, 'file')}`)
  if (found.files.size === 0 && !isOpen)
    return { headline: `Nothing to do: ${repository} has everything.`, ...found, id }
  // What our branch has as it was meant to be is no news in the body, when this is run again.
  const body = proposalBody({ catalog, service, wanted: files, kept: found.own, skeleton: found.skeleton })
  const { is, number, address } = await host.propose({
    branch,
    title: `Take ${service} into the catalog`,
    body,
    files: found.files,
    executables: new Set(found.executables),
  })
  const words = { created: 'Opened', updated: 'Brought up to date:', unchanged: 'Nothing to do:' }[is]
  return { headline: `${words} pull request ${number} of ${repository}: ${address}`, ...found, address, id }
}
