import { readTemplate, type Template } from './template.ts'
import { readStackOptions } from './catalog/stack-options.ts'
import { readFreezes } from './catalog/freezes.ts'
import { readTrust, type Trust } from './catalog/trust.ts'
import { readUpgrades, type Upgrades } from './catalog/upgrades.ts'
import { compareText } from './canonical.ts'
import { type DataMap, isMap, mapOf } from './data.ts'
import { durationSeconds } from './duration.ts'
import type { Freeze } from './gates/freeze.ts'
import { didYouMean } from './nearest.ts'
import type { Policy } from './policy/judge.ts'
import { readPolicy } from './policy/read.ts'
import type { Checked, Problem } from './problem.ts'
import { catalogSchema } from './schemas/catalog.ts'
import { environmentSchema } from './schemas/environment.ts'
import { checkShape, listIn, mapIn, numberIn, textIn, textsIn } from './shape.ts'
import { type Acknowledged, readAcknowledged } from './spec/acknowledged.ts'
import { readKeep } from './spec/keep.ts'
import { commonHost, type HostPattern, isServiceName, type Previews, readHostPattern, type Stage } from './stage.ts'
import type { FileTree } from './tree.ts'
import { parseReference } from './version.ts'
import { type Document, readYaml } from './yaml.ts'

/** What the repository of a platform team says: `catalog.yaml`, the environments, the templates. */
export type Catalog = {
  readonly document: Document
  readonly name: string
  readonly domain: string
  /** In the order of promotion. */
  readonly stages: readonly Stage[]
  readonly previews?: Previews
  readonly repositories?: Repositories
  /** How new versions are offered. */
  readonly upgrades: Upgrades
  readonly workflows?: Workflows
  /** Who may work in the accounts; without it, what is set up there is nobody's business here. */
  readonly trust?: Trust
  /** How the stacks of instances are called; holds `{service}` and `{stage}`. */
  readonly stackName: string
  /** The repository that owns what is deployed from a terminal. */
  readonly owner?: string
  /** Times at which nothing is deployed. */
  readonly freezes: readonly Freeze[]
  /** Who may break the glass, and who the locks of others. */
  readonly glass?: People
  readonly locks?: People
  /** Types of resources that hold data besides those that are known, and types that are not guarded. */
  readonly guard: { readonly types: readonly string[]; readonly release: readonly string[] }
  /** The rules that what is rendered has to keep, and the waivers in `waivers/`. */
  readonly policy: Policy
  /** By name, in the order of their names; so are the templates. */
  readonly environments: ReadonlyMap<string, Environment>
  readonly templates: ReadonlyMap<string, Template>
}

/** Teams and persons of GitHub: `@acme/platform`, `@ada`. */
export type People = { readonly by: readonly string[] }

/** Where services live besides this repository: repositories with a topic, with a custom property, or named ones. */
export type Repositories =
  | { readonly by: 'topic'; readonly topic: string }
  | { readonly by: 'property'; readonly property: string }
  | { readonly by: 'name'; readonly names: readonly string[] }

/**
 * How the workflows of this catalog are made. `actions` is a folder of this repository, or `owner/name/folder@commit`; the
 * commit is called `version`. `repository` is the catalog's own, `owner/name`; with `app` it is private, and service
 * repositories read it through a GitHub App. With `fleet` the catalog looks after what waits in all repositories of its owner.
 * With `teams` jobs see who is in a team, by another App; with `upgrades` a third one brings releases to who runs the templates.
 */
export type Workflows = {
  readonly actions: string
  readonly version?: string
  readonly repository?: string
  /** Plans only: no workflow deploys. */
  readonly deploy?: false
  readonly app?: true
  readonly fleet?: true
  readonly teams?: true
  readonly upgrades?: true
}

/** What an `environments/<name>.yaml` says. `stack` is its name, adopted or `env-<name>`. */
export type Environment = {
  readonly document: Document
  readonly name: string
  readonly template: string
  readonly version: string
  readonly provisioner: 'cloudformation' | 'terraform' | 'command' | 'local'
  readonly account: string
  readonly region: string
  /** Who Protium is in the account; without it, what the process finds around it. */
  readonly credentials?: Credentials
  /** Where templates go that are too large for a request. */
  readonly templateBucket?: string
  readonly acknowledged: Acknowledged
  /** Logical ids of the template, with those that the live stack has for them. */
  readonly keep: ReadonlyMap<string, string>
  readonly inputs: DataMap
  readonly stack: string
}

export type Credentials =
  | { readonly is: 'profile'; readonly profile: string }
  | { readonly is: 'role'; readonly role: string }

/** Reads the catalog in a repository. Nothing is looked up elsewhere; services are read by `readOrganisation`. */
export function readCatalog(tree: FileTree): Checked<Catalog> {
  const { catalog, problems } = openCatalog(tree)
  const failed = problems.some(({ severity }) => severity === 'error')
  return catalog === undefined || failed ? { ok: false, problems } : { ok: true, value: catalog, problems }
}

/** The same, with what can be read of a catalog that has errors. `broken` are the templates that could not be read. */
export function openCatalog(tree: FileTree): {
  readonly catalog?: Catalog
  readonly broken: ReadonlySet<string>
  readonly problems: readonly Problem[]
} {
  const problems: Problem[] = []
  const { environments, templates, broken } = readFolders(tree, problems)
  const text = tree.get('catalog.yaml')
  if (text === undefined) {
    problems.push({
      code: 'missing-file',
      severity: 'error',
      message: 'There is no `catalog.yaml`.',
      expected: 'A file `catalog.yaml` at the root of the catalog, with the stages.',
      remedy: 'Go to the folder of the catalog, or begin one.',
      at: { file: 'catalog.yaml', line: 1, column: 1 },
    })
    return { broken, problems }
  }
  const read = readYaml('catalog.yaml', text, 'own')
  problems.push(...read.problems)
  if (!read.ok) return { broken, problems }
  const document = read.value
  problems.push(...checkShape(document, catalogSchema, 'the catalog'))
  const data = isMap(document.data) ? document.data : mapOf()
  const domain = textIn(data, 'domain')
  if (domain === undefined) return { broken, problems }
  const stages = readStages({ document, data, domain, environments, problems })
  const previews = readPreviews({ document, data, domain, stages, problems })
  checkOverlaps({ document, stages, previews, problems })
  const repositories = readRepositories(data)
  const workflows = readWorkflows(document, data, problems)
  const trust = readTrust({
    document,
    data,
    stages,
    repository: workflows?.repository,
    inAccount: ({ environment }) => environments.get(environment)?.provisioner === 'cloudformation',
    problems,
  })
  const owner = textIn(data, 'owner')
  const guard = mapIn(data, 'guard')
  const [glass, locks] = [mapIn(data, 'glass'), mapIn(data, 'locks')]
  return {
    catalog: {
      document,
      name: textIn(data, 'catalog') ?? '',
      domain,
      stages,
      ...(previews === undefined ? {} : { previews }),
      ...(repositories === undefined ? {} : { repositories }),
      upgrades: readUpgrades(document, { data, problems }),
      ...(workflows === undefined ? {} : { workflows }),
      ...(trust === undefined ? {} : { trust }),
      stackName: readStackName(document, data, problems),
      ...(owner === undefined ? {} : { owner }),
      freezes: readFreezes(document, { data, problems }),
      ...(glass === undefined ? {} : { glass: { by: textsIn(glass, 'by') } }),
      ...(locks === undefined ? {} : { locks: { by: textsIn(locks, 'by') } }),
      guard: { types: textsIn(guard, 'types'), release: textsIn(guard, 'release') },
      policy: readPolicy(tree, { document, data, problems, environments, templates, broken }),
      environments,
      templates,
    },
    broken,
    problems,
  }
}

function readFolders(
  tree: FileTree,
  problems: Problem[],
): {
  readonly environments: ReadonlyMap<string, Environment>
  readonly templates: ReadonlyMap<string, Template>
  readonly broken: ReadonlySet<string>
} {
  const environments = new Map<string, Environment>()
  const folders = new Map<string, Map<string, string>>()
  for (const [path, text] of tree) {
    const [top = '', name = '', ...rest] = path.split('/')
    if (top === 'environments' && rest.length === 0) {
      if (name.endsWith('.yaml')) readEnvironment(path, text, { environments, problems })
      else if (name.endsWith('.yml')) problems.push(wrongEnding(path))
    } else if (top === 'templates' && rest.length > 0) {
      const files = folders.get(name) ?? new Map<string, string>()
      files.set(rest.join('/'), text)
      folders.set(name, files)
    }
  }
  const templates = new Map<string, Template>()
  const broken = new Set<string>()
  for (const [name, files] of [...folders].toSorted(([a], [b]) => compareText(a, b))) {
    const template = readTemplate(files, { name, folder: `templates/${name}` })
    problems.push(...template.problems)
    if (template.ok) templates.set(name, template.value)
    else broken.add(name)
  }
  return { environments, templates, broken }
}

/** A file that would be passed over only because of its ending. */
export function wrongEnding(path: string): Problem {
  return {
    code: 'irregular-form',
    severity: 'error',
    message: `The file \`${path}\` is not read: its name ends in \`.yml\`.`,
    expected: `\`${path.replace(/\.yml$/, '.yaml')}\`.`,
    remedy: 'Rename it.',
    at: { file: path, line: 1, column: 1 },
  }
}

/** Reads one `environments/<name>.yaml` by itself; nothing where its name, template, account or region cannot be read. */
export function openEnvironment(
  path: string,
  text: string,
): { readonly environment?: Environment; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const environments = new Map<string, Environment>()
  readEnvironment(path, text, { environments, problems })
  const [environment] = environments.values()
  return { ...(environment !== undefined && { environment }), problems }
}

const provisioners: readonly Environment['provisioner'][] = ['cloudformation', 'terraform', 'command', 'local']

function readEnvironment(
  path: string,
  text: string,
  { environments, problems }: { readonly environments: Map<string, Environment>; readonly problems: Problem[] },
): void {
  const read = readYaml(path, text, 'own')
  problems.push(...read.problems)
  if (!read.ok) return
  const document = read.value
  problems.push(...checkShape(document, environmentSchema, 'an environment'))
  const data = isMap(document.data) ? document.data : mapOf()
  const name = textIn(data, 'environment')
  const reference = parseReference(textIn(data, 'template') ?? '')
  const [account, region] = [textIn(data, 'account'), textIn(data, 'region')]
  if (
    name === undefined ||
    reference === undefined ||
    account === undefined ||
    region === undefined ||
    !isServiceName(name)
  )
    return
  const other = environments.get(name)
  if (other !== undefined) {
    problems.push({
      code: 'environment-twice',
      severity: 'error',
      message: `Two environments are called "${name}".`,
      expected: 'A name of its own for each environment.',
      remedy: 'Rename one of them.',
      at: document.place(['environment']),
      related: [{ at: other.document.place(['environment']), note: 'the other one' }],
    })
    return
  }
  const provisioner = provisioners.find((word) => word === textIn(data, 'provisioner')) ?? 'cloudformation'
  const stack = textIn(data, 'stack') ?? `env-${name}`
  const credentials = readCredentials(document, { data, account, problems })
  const templateBucket = textIn(data, 'template_bucket')
  environments.set(name, {
    document,
    name,
    ...reference,
    provisioner,
    account,
    region,
    ...(credentials === undefined ? {} : { credentials }),
    ...(templateBucket === undefined ? {} : { templateBucket }),
    acknowledged: readAcknowledged(document, data, []),
    keep: readKeep(data),
    inputs: mapIn(data, 'inputs') ?? mapOf(),
    stack,
  })
}

/** A role of another account would deploy into that account, whatever the file says. */
function readCredentials(
  document: Document,
  { data, account, problems }: { readonly data: DataMap; readonly account: string; readonly problems: Problem[] },
): Credentials | undefined {
  const given = mapIn(data, 'credentials')
  const [profile, role] = [textIn(given, 'profile'), textIn(given, 'role')]
  if (role === undefined) return profile === undefined ? undefined : { is: 'profile', profile }
  const other = role.split(':')[4]
  // What is no ARN has been told of by the schema.
  if (other !== undefined && other !== account) {
    problems.push({
      code: 'wrong-account',
      severity: 'error',
      message: `The role is one of the account ${other}, and the environment is in ${account}.`,
      expected: `A role of the account ${account}.`,
      remedy: 'Correct the role, or the account.',
      at: document.place(['credentials', 'role']),
      related: [{ at: document.place(['account']), note: 'the account of the environment' }],
    })
  }
  return { is: 'role', role }
}

type StageReading = {
  readonly document: Document
  readonly data: DataMap
  readonly domain: string
  readonly problems: Problem[]
}

function readStages({
  document,
  data,
  domain,
  environments,
  problems,
}: StageReading & { readonly environments: ReadonlyMap<string, Environment> }): Stage[] {
  const stages: Stage[] = []
  for (const [name, value] of Object.entries(mapIn(data, 'stages') ?? {})) {
    if (!isMap(value) || !isServiceName(name)) continue
    const host = readPattern(document, {
      path: ['stages', name, 'host'],
      text: textIn(value, 'host'),
      domain,
      of: 'stage',
      problems,
    })
    const environment = textIn(value, 'environment')
    if (environment !== undefined && !environments.has(environment)) {
      problems.push({
        code: 'unknown-environment',
        severity: 'error',
        message: `There is no environment "${environment}".${didYouMean(environment, environments.keys())}`,
        expected:
          environments.size === 0 ? 'A file in `environments/`.' : `One of ${[...environments.keys()].join(', ')}.`,
        remedy: `Correct the name, or add \`environments/${environment}.yaml\`.`,
        at: document.place(['stages', name, 'environment']),
      })
    }
    if (host === undefined || environment === undefined) continue
    const soak = durationSeconds(textIn(value, 'soak') ?? '')
    const approval = mapIn(value, 'approval')
    const production = value['production'] === true
    const home = environments.get(environment)
    stages.push({
      name,
      order: stages.length,
      host,
      environment,
      production,
      stack: readStackOptions(value, { name, production, home, document, problems }),
      ...(soak === undefined ? {} : { soak }),
      ...(approval === undefined ? {} : { approval: { by: textsIn(approval, 'by') } }),
    })
  }
  return stages
}

function readPreviews({
  document,
  data,
  domain,
  stages,
  problems,
}: StageReading & { readonly stages: readonly Stage[] }): Previews | undefined {
  const value = mapIn(data, 'previews')
  if (value === undefined) return undefined
  const host = readPattern(document, {
    path: ['previews', 'host'],
    text: textIn(value, 'host'),
    domain,
    of: 'previews',
    problems,
  })
  const stage = textIn(value, 'stage')
  const names = Object.keys(mapIn(data, 'stages') ?? {})
  if (stage !== undefined && !names.includes(stage)) {
    problems.push({
      code: 'unknown-stage',
      severity: 'error',
      message: `There is no stage "${stage}".${didYouMean(stage, names)}`,
      expected: `One of ${names.join(', ')}.`,
      remedy: 'Correct the name.',
      at: document.place(['previews', 'stage']),
    })
  }
  if (host === undefined || stage === undefined || !stages.some(({ name }) => name === stage)) return undefined
  return {
    host,
    stage,
    expire: durationSeconds(textIn(value, 'expire') ?? '') ?? 72 * 3600,
    most: numberIn(value, 'most') ?? 10,
  }
}

function readPattern(
  document: Document,
  {
    path,
    text,
    domain,
    of,
    problems,
  }: {
    readonly path: readonly string[]
    readonly text: string | undefined
    readonly domain: string
    readonly of: 'stage' | 'previews'
    readonly problems: Problem[]
  },
): HostPattern | undefined {
  if (text === undefined) return undefined
  const read = readHostPattern(text, { domain, of })
  if ('pattern' in read) return read.pattern
  problems.push({
    code: 'host-pattern',
    severity: 'error',
    message: `The pattern "${text}" ${read.fault}.`,
    expected:
      of === 'stage'
        ? 'A pattern such as "{service}.dev.{domain}".'
        : 'A pattern such as "{service}-pr-{number}.preview.{domain}".',
    remedy: 'Correct the pattern.',
    at: document.place(path),
  })
  return undefined
}

/** Two patterns that one host could match are told here, not when somebody deploys that host. */
function checkOverlaps({
  document,
  stages,
  previews,
  problems,
}: {
  readonly document: Document
  readonly stages: readonly Stage[]
  readonly previews: Previews | undefined
  readonly problems: Problem[]
}): void {
  const claims = [
    ...stages.map(({ name, host }) => ({ name: `the stage "${name}"`, host, path: ['stages', name, 'host'] })),
    ...(previews === undefined ? [] : [{ name: 'previews', host: previews.host, path: ['previews', 'host'] }]),
  ]
  for (const [index, claim] of claims.entries()) {
    for (const other of claims.slice(0, index)) {
      const host = commonHost(other.host, claim.host)
      if (host === undefined) continue
      problems.push({
        code: 'host-patterns-overlap',
        severity: 'error',
        message: `The hosts of ${claim.name} and of ${other.name} are not told apart: ${host} would belong to both.`,
        expected:
          'Patterns that no host can match together, such as "{service}.dev.{domain}" and "{service}.{domain}".',
        remedy: 'Put the stage into a label of its own.',
        at: document.place(claim.path),
        related: [{ at: document.place(other.path), note: `the pattern of ${other.name}` }],
      })
    }
  }
}

function readRepositories(data: DataMap): Repositories | undefined {
  const services = mapIn(data, 'services')
  const names = listIn(services, 'repositories')
  if (names !== undefined) return { by: 'name', names: textsIn(services, 'repositories') }
  const repositories = mapIn(services, 'repositories')
  const [topic, property] = [textIn(repositories, 'topic'), textIn(repositories, 'property')]
  if (topic !== undefined) return { by: 'topic', topic }
  return property === undefined ? undefined : { by: 'property', property }
}

function readWorkflows(document: Document, data: DataMap, problems: Problem[]): Workflows | undefined {
  const workflows = mapIn(data, 'workflows')
  const [actions, version] = [textIn(workflows, 'actions'), textIn(workflows, 'version')]
  const repository = textIn(workflows, 'repository')
  if (actions === undefined) return undefined
  if (workflows?.['app'] === true && repository === undefined) {
    problems.push({
      code: 'missing-key',
      severity: 'error',
      message: 'The App is to read this catalog, and it is not said which repository that is.',
      expected: '`repository: owner/name` beside `app: true`.',
      remedy: 'Add it.',
      at: document.keyPlace(['workflows', 'app']),
    })
  }
  if (workflows?.['fleet'] === true && repository === undefined) {
    problems.push({
      code: 'missing-key',
      severity: 'error',
      message: 'The repositories of an owner are to be looked after, and it is not said whose.',
      expected: '`repository: owner/name`, this catalog’s own, beside `fleet: true`.',
      remedy: 'Add it.',
      at: document.keyPlace(['workflows', 'fleet']),
    })
  }
  if (workflows?.['upgrades'] === true && repository === undefined) {
    problems.push({
      code: 'missing-key',
      severity: 'error',
      message: 'Releases are to be brought to other repositories, and it is not said which one this catalog is.',
      expected: '`repository: owner/name`, this catalog’s own, beside `upgrades: true`.',
      remedy: 'Add it.',
      at: document.keyPlace(['workflows', 'upgrades']),
    })
  }
  return {
    actions,
    ...(version === undefined ? {} : { version }),
    ...(repository === undefined ? {} : { repository }),
    ...(workflows?.['deploy'] === false ? { deploy: false } : {}),
    ...(workflows?.['app'] === true ? { app: true } : {}),
    ...(workflows?.['fleet'] === true ? { fleet: true } : {}),
    ...(workflows?.['teams'] === true ? { teams: true } : {}),
    ...(workflows?.['upgrades'] === true ? { upgrades: true } : {}),
  }
}

function readStackName(document: Document, data: DataMap, problems: Problem[]): string {
  const pattern = textIn(mapIn(data, 'stacks'), 'name')
  if (pattern === undefined) return '{service}-{stage}'
  const count = (placeholder: string): number => pattern.split(placeholder).length - 1
  if (count('{service}') === 1 && count('{stage}') === 1) return pattern
  problems.push({
    code: 'stack-name',
    severity: 'error',
    message: `The names of stacks "${pattern}" do not tell services and stages apart.`,
    expected: '`{service}` and `{stage}`, each once.',
    remedy: 'Correct the pattern; without it, stacks are called "{service}-{stage}".',
    at: document.place(['stacks', 'name']),
  })
  return '{service}-{stage}'
}
