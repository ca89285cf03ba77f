import type { Catalog } from '../catalog.ts'
import { readCatalog } from '../catalog.ts'
import { compareText } from '../canonical.ts'
import { editorSchemas } from '../editor.ts'
import type { Checked } from '../problem.ts'
import type { FileTree } from '../tree.ts'
import { accessTemplates } from '../trust.ts'
import { partitionOf } from '../trust/names.ts'
import { catalogWorkflows } from '../workflows.ts'
import type { Answers } from './answers.ts'
import { emptyTemplate } from './empty.ts'
import { readme } from './readme.ts'

/** Where the actions are, if they are a part of the catalog. */
const vendoredActions = '.protium/actions'

/**
 * The files of a new catalog, without those of Protium itself. `catalog.yaml` is the last of them: where it is there, all are.
 * `sample` is the sample organisation, whose templates the catalog begins with if that was asked for.
 */
export function catalogOf(answers: Answers, sample: FileTree): Checked<FileTree> {
  const templates = answers.start === 'sample' ? sampleTemplates(answers, sample) : emptyTemplate(answers.owner)
  const own = new Map([
    ...templates,
    ...environmentFiles(answers, sample),
    ...(answers.start === 'sample' ? exampleService(answers, sample) : []),
    ['catalog.yaml', catalogFile(answers)] as const,
  ])
  const read = readCatalog(own)
  if (!read.ok) return read
  const catalog = read.value
  const files = new Map([
    ...own,
    ...catalogWorkflows(catalog),
    ...accessTemplates(catalog),
    ...[...editorSchemas(catalog.templates.values())].map(([name, text]) => [`schemas/${name}`, text] as const),
    ['.github/CODEOWNERS', codeOwners(answers)] as const,
    ['.gitignore', ignored] as const,
    ['README.md', readme(answers, catalog)] as const,
  ])
  const last = (path: string): number => Number(path === 'catalog.yaml')
  const value = new Map([...files].toSorted(([a], [b]) => last(a) - last(b) || compareText(a, b)))
  return { ok: true, value, problems: read.problems }
}

function quoted(text: string): string {
  return JSON.stringify(text)
}

function catalogFile({ repository, domain, stages, approval, actions, ids, local }: Answers): string {
  const people = (names: readonly string[]): string => `[${names.map(quoted).join(', ')}]`
  const stageLines = stages.flatMap(({ name, host, production, account, region }) => [
    `  ${name}:`,
    `    host: ${quoted(host)}`,
    `    environment: ${name}`,
    ...(production ? ['    production: true', `    approval: { by: ${people(approval)} }`] : []),
    ...(ids === undefined
      ? []
      : [
          `    stack: { service_role: "arn:${partitionOf(region)}:iam::${account}:role/protium/cloudformation-${name}" }`,
        ]),
  ])
  const asksTeams = stages.some(({ production }) => production) && approval.some((who) => who.includes('/'))
  const here = actions === 'vendored' ? vendoredActions : actions
  return [
    '# yaml-language-server: $schema=./schemas/catalog.schema.json',
    `catalog: ${catalogName(repository.owner)}`,
    `domain: ${domain}`,
    '',
    '# In the order of promotion. The host name of a service says in which stage it answers.',
    'stages:',
    ...stageLines,
    '',
    '# Repositories that have services of their own; `protium add` puts them here.',
    'services:',
    '  repositories: []',
    '',
    '# The workflows in .github/workflows/ are written from this file, by `protium workflows --write`.',
    'workflows:',
    `  actions: ${here}`,
    `  repository: ${repository.owner}/${repository.name}`,
    ...(asksTeams ? ['  teams: true # who is in a team is asked by an App; README.md says how'] : []),
    '  deploy: false # plans only; take this line away to switch deploying on',
    ...(ids === undefined || local
      ? []
      : [
          '',
          '# Who may work in the accounts. `protium trust --write` writes the roles to accounts/.',
          'trust:',
          `  organisation: ${quoted(ids.organisation)}`,
          '  repositories:',
          `    ${repository.owner}/${repository.name}: { id: ${quoted(ids.repository)} }`,
        ]),
    '',
  ].join('\n')
}

/** The owner, as a name of ours. */
function catalogName(owner: string): string {
  const name = owner.toLowerCase()
  return /^[a-z]/u.test(name) ? name : `org-${name}`
}

/** The environment template of the sample, with the version that it has there. */
function sampleEnvironment(sample: FileTree): string {
  const [reference] = [...sample].flatMap(([path, text]) =>
    path.startsWith('environments/') ? (/^template: (\S+)$/mu.exec(text)?.slice(1) ?? []) : [],
  )
  if (reference === undefined) throw new Error('The sample has no environment.')
  return reference
}

function environmentFiles({ stages, start, local }: Answers, sample: FileTree): readonly (readonly [string, string])[] {
  const template = start === 'sample' ? sampleEnvironment(sample) : 'base@1.0.0'
  return stages.map(({ name, account, region, zone, production }, index) => [
    `environments/${name}.yaml`,
    [
      '# yaml-language-server: $schema=../schemas/environment.schema.json',
      `environment: ${name}`,
      `template: ${template}`,
      ...(local ? ['provisioner: local # rehearsed on the machine that runs it; cloudformation is for accounts'] : []),
      `account: ${quoted(account)}`,
      `region: ${region}`,
      'inputs:',
      `  domain: ${zone}`,
      ...(start === 'sample' ? networkLines({ index, production }) : []),
      '',
    ].join('\n'),
  ])
}

/** Ranges do not overlap, so that networks can be joined later. */
function networkLines({ index, production }: { readonly index: number; readonly production: boolean }): string[] {
  return [
    `  vpc_cidr: 10.${index}.0.0/16`,
    ...(production
      ? [
          '  production: true # keeps stores, zones and logs when a stack is deleted',
          '  nat: zone # losing one zone must not cut off the others',
        ]
      : []),
    '  alarm_emails: [] # who is told of alarms',
  ]
}

/**
 * The sample's templates, owned by those who were named. Where roles are trusted, CloudFormation makes roles inside of a boundary
 * alone, so each role has it; so has each role of what the examples expect.
 */
function sampleTemplates({ owner, ids }: Answers, sample: FileTree): readonly (readonly [string, string])[] {
  return [...sample].flatMap(([path, text]): (readonly [string, string])[] => {
    if (!path.startsWith('templates/')) return []
    if (/^templates\/[^/]+\/template\.yaml$/u.test(path)) {
      const own = text.replaceAll(/^owners: .*$/gmu, `owners: [${quoted(owner)}]`).replaceAll(/^help: .*\n/gmu, '')
      return [[path, own]]
    }
    return [[path, ids !== undefined && path.endsWith('/cloudformation.yaml') ? bounded(text) : text]]
  })
}

function bounded(text: string): string {
  return text.replaceAll(
    /^( +)Type: AWS::IAM::Role\n\1Properties:\n/gmu,
    (all, indent: string) =>
      `${all}${indent}  PermissionsBoundary: !Sub 'arn:\${AWS::Partition}:iam::\${AWS::AccountId}:policy/protium/protium-boundary'\n`,
  )
}

/** The one that costs nothing while nobody calls it. */
const exampleTemplate = 'lambda-api'

function exampleService({ stages }: Answers, sample: FileTree): readonly (readonly [string, string])[] {
  const version = /\{ v\d+: (\S+) \}/u.exec(sample.get(`templates/${exampleTemplate}/template.yaml`) ?? '')?.[1]
  if (version === undefined) throw new Error(`The sample has no template ${exampleTemplate}.`)
  const text = serviceFile({
    service: 'hello',
    template: `${exampleTemplate}@${version}`,
    hosts: stages.map(({ name, zone }) => ({ stage: name, host: `hello.${zone}` })),
    schema: '../../schemas/service.schema.json',
  })
  return [['services/hello/service.yaml', text]]
}

export type NewService = {
  readonly service: string
  /** With its version. */
  readonly template: string
  /** In the order of promotion; a service that answers at no address has none, and names its stages. */
  readonly hosts: readonly { readonly stage: string; readonly host: string }[]
  readonly stages?: readonly string[]
  readonly owner?: string
  /** Values as they were typed. */
  readonly inputs?: ReadonlyMap<string, string>
  /** Where the schema for editors is, as seen from the file. */
  readonly schema?: string
}

/** The `service.yaml` of a service that takes what its template gives. */
export function serviceFile({
  service,
  template,
  hosts,
  stages = [],
  owner,
  inputs = new Map(),
  schema,
}: NewService): string {
  const widest = Math.max(0, ...hosts.map(({ host }) => host.length))
  return [
    ...(schema === undefined ? [] : [`# yaml-language-server: $schema=${schema}`]),
    `service: ${service}`,
    `template: ${template}`,
    ...(owner === undefined ? [] : [`owner: ${owner}`]),
    ...(hosts.length === 0
      ? []
      : ['hosts:', ...hosts.map(({ stage, host }) => `  - ${host.padEnd(widest)} # ${stage}`)]),
    ...(inputs.size === 0
      ? ['inputs: {} # what is left out is as the template says']
      : [
          'inputs: # what is left out is as the template says',
          ...[...inputs].map(([name, text]) => `  ${name}: ${typed(text)}`),
        ]),
    ...(hosts.length > 0 || stages.length === 0
      ? []
      : ['stages: # it answers at no address, so it names its stages', ...stages.map((stage) => `  ${stage}: {}`)]),
    '',
  ].join('\n')
}

/** A number and a yes or no as such; everything else as a text. */
function typed(text: string): string {
  return /^(?:true|false|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?)$/u.test(text) ? text : quoted(text)
}

/** https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners */
function codeOwners({ owner, actions }: Answers): string {
  const paths = [
    '/.github/',
    '/accounts/',
    '/catalog.yaml',
    '/environments/',
    '/policy/',
    '/templates/',
    '/waivers/',
    ...(actions === 'vendored' ? ['/.protium/'] : []),
  ]
  return [
    '# Who has to agree to changes of what everybody builds on, of who may deploy, and of this file.',
    '# It holds where a ruleset of the main branch asks for the review of code owners.',
    ...paths.map((path) => `${path} ${owner}`),
    '',
  ].join('\n')
}

const ignored = `# Stacks that were rehearsed on this machine. What workflows need of Protium lies beside them, and is kept.
/.protium/*
!/.protium/LICENSE
!/.protium/actions/
!/.protium/dist/
`

/** What two catalogs have to have in common to be the answers to the same questions; the differences, as sentences. */
export function differences(wanted: Catalog, there: Catalog): readonly string[] {
  const facts = (catalog: Catalog): ReadonlyMap<string, string> =>
    new Map([
      ['the domain', catalog.domain],
      ['the repository', catalog.workflows?.repository ?? 'none'],
      ['the actions', catalog.workflows?.actions ?? 'none'],
      ['the order of the stages', catalog.stages.map(({ name }) => name).join(', ')],
      ...catalog.stages.flatMap((stage): (readonly [string, string])[] => {
        const home = catalog.environments.get(stage.environment)
        const of = (what: string): string => `${what} of "${stage.name}"`
        return [
          [of('the pattern of hosts'), stage.host.text.replaceAll('{domain}', catalog.domain)],
          [of('the account'), home?.provisioner === 'local' ? 'none, as it is rehearsed' : (home?.account ?? 'none')],
          [of('the region'), home?.region ?? 'none'],
        ]
      }),
      ['the id of the organisation', catalog.trust?.organisation.id ?? 'none'],
    ])
  const [asked, found] = [facts(wanted), facts(there)]
  return [...new Set([...asked.keys(), ...found.keys()])].flatMap((fact) => {
    const [one, other] = [asked.get(fact), found.get(fact)]
    // That a stage is missing is told by the order of the stages.
    if (one === other || one === undefined || other === undefined) return []
    return [`${fact} is ${other}, and not ${one}`]
  })
}
