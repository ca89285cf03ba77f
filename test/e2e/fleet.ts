import { readBundle } from '../../src/core/bundle.ts'
import { readCatalog } from '../../src/core/catalog.ts'
import type { DataMap } from '../../src/core/data.ts'
import { mapOf } from '../../src/core/data.ts'
import { mergeSkeleton, planSkeleton } from '../../src/core/skeleton.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { catalogWorkflows, serviceWorkflows } from '../../src/core/workflows.ts'
import type { Seed } from '../fakes/github/seed.ts'

/** A catalog with one template for services, whose second version calls an input by another name, and six services that run the first. */
export const services = ['cart', 'checkout', 'mail', 'pay', 'search', 'stock'] as const

export const repository = 'acme/catalog'

/** Where the App's key is given out, and what it may: what workflows/README.md says of it. */
export const upgradesApp = {
  permissions: { checks: 'read', contents: 'write', deployments: 'read', pull_requests: 'write', statuses: 'read' },
} as const

const manifest = `infrastructure:
  templates:
    - file: cloudformation.yaml
      rendering_engine: jinja
      template_language: cloudformation
`

function schema(kind: 'environment' | 'service', properties: string): string {
  return `schema:
  format:
    openapi: "3.0.0"
  ${kind}_input_type: Inputs
  types:
    Inputs:
      type: object
      properties:
${properties}`
}

const place: readonly (readonly [string, string])[] = [
  ['template.yaml', 'template: place\nkind: environment\ndescription: What services share.\nversions:\n  v1: 1.0.0\n'],
  ['CHANGELOG.md', '# Changes\n\n## 1.0.0\n\nThe first one.\n'],
  ['v1/schema/schema.yaml', schema('environment', '        word:\n          type: string\n          default: hello\n')],
  ['v1/infrastructure/manifest.yaml', manifest],
  [
    'v1/infrastructure/cloudformation.yaml',
    `Resources:
  Word:
    Type: AWS::SSM::Parameter
    Properties:
      Type: String
      Value: "{{ environment.inputs.word }}"
`,
  ],
]

/** A version of the template of services: what its one input is called, how long a message waits, and what its image is built from. */
function web(input: string, { delay, node }: { readonly delay: number; readonly node: string }): Map<string, string> {
  return new Map([
    [
      'schema/schema.yaml',
      schema('service', `        ${input}:\n          type: integer\n          minimum: 1\n          default: 30\n`),
    ],
    ['instance_infrastructure/manifest.yaml', manifest],
    [
      'instance_infrastructure/cloudformation.yaml',
      `Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: "{{ service.name }}-{{ service_instance.name }}"
      DelaySeconds: ${delay}
      VisibilityTimeout: {{ service_instance.inputs.${input} }}
`,
    ],
    ['.compatible-envs', '- place:1\n'],
    ['skeleton/Dockerfile', `FROM node:${node}\nENV SERVICE={{ service.name }}\nCMD ["node", "start.js"]\n`],
  ])
}

const first = web('timeout', { delay: 0, node: '22' })
const second = web('work_seconds', { delay: 5, node: '24' })

/** The files of the second version, as a pull request of the platform team adds them. */
export const secondVersion: Readonly<Record<string, string>> = {
  'templates/web/template.yaml': template('v1: 1.0.0\n  v2: 2.0.0'),
  'templates/web/CHANGELOG.md':
    '# Changes\n\n## 2.0.0\n\nA message waits five seconds before it is worked on.\n\n## 1.0.0\n\nThe first one.\n',
  ...under('templates/web/v2', second),
}

/** How those who run the first one come to the second. */
export const migration: Readonly<Record<string, string>> = {
  'templates/web/migrations/2.0.0.yaml': `inputs:
  - rename: { from: timeout, to: work_seconds }
notes: The time that a message is worked on has a name that says so.
examples:
  - before: { timeout: 60 }
    after: { work_seconds: 60 }
`,
}

function template(versions: string): string {
  return `template: web\nkind: service\ndescription: A worker behind a queue.\nversions:\n  ${versions}\n`
}

function under(folder: string, files: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  return Object.fromEntries([...files].map(([path, text]) => [`${folder}/${path}`, text]))
}

function environment(name: string, account: string): string {
  return `environment: ${name}\ntemplate: place@1.0.0\nprovisioner: local\naccount: "${account}"\nregion: ap-northeast-2\ninputs:\n  word: ${name}\n`
}

const catalogText = `catalog: acme
domain: example.com
stages:
  dev: { host: "{service}.dev.{domain}", environment: dev }
  staging: { host: "{service}.staging.{domain}", environment: staging }
  prod: { host: "{service}.{domain}", environment: prod }
services:
  repositories: { topic: protium }
upgrades:
  waves: [1, 2, rest]
  gate: { soak: 1s, merged: 50%, least: 1 }
workflows:
  actions: .protium/actions
  repository: ${repository}
  upgrades: true
`

/** The catalog with the first version of its template, and the workflows that go with it. */
export function catalogFiles(): FileTree {
  const files = new Map([
    ['catalog.yaml', catalogText],
    ['environments/dev.yaml', environment('dev', '111111111111')],
    ['environments/staging.yaml', environment('staging', '222222222222')],
    ['environments/prod.yaml', environment('prod', '333333333333')],
    ...place.map(([path, text]) => [`templates/place/${path}`, text] as const),
    ['templates/web/template.yaml', template('v1: 1.0.0')],
    ['templates/web/CHANGELOG.md', '# Changes\n\n## 1.0.0\n\nThe first one.\n'],
    ...Object.entries(under('templates/web/v1', first)),
  ])
  const catalog = readCatalog(files)
  if (!catalog.ok) throw new Error(catalog.problems.map(({ message }) => message).join('\n'))
  return new Map([...files, ...catalogWorkflows(catalog.value)].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** What somebody of the team has written for a service; it is theirs, comments and all. */
export function specOf(name: string, timeout: number, more = ''): string {
  return `# ${name} is looked after by its own team.
service: ${name}
template: web@1.0.0
owner: team-${name}
hosts:
  - ${name}.dev.example.com
  - ${name}.staging.example.com
  - ${name}.example.com   # what customers see
inputs:
  timeout: ${timeout}        # seconds
${more}`
}

/** The files of a service's repository: its own, the callers of the catalog's workflows, and those of the template's skeleton. */
export function serviceFiles(name: string, spec: string, timeout: number): FileTree {
  const catalog = readCatalog(catalogFiles())
  const bundle = readBundle(first, { template: 'web', version: '1.0.0', root: 'templates/web/v1' })
  if (!catalog.ok || !bundle.ok) throw new Error('The template of the services cannot be read')
  const inputs: DataMap = mapOf([['timeout', timeout]])
  const values = { name, owner: `team-${name}`, inputs }
  const plan = planSkeleton({ lock: undefined, to: { bundle: bundle.value, values }, bundleOf: () => undefined })
  if (!plan.ok) throw new Error(plan.problems.map(({ message }) => message).join('\n'))
  const { files } = mergeSkeleton(plan.value, { ours: { files: new Map(), others: new Map() } })
  return new Map(
    [...serviceWorkflows(catalog.value), ...files, ['service.yaml', spec] as const].toSorted(([a], [b]) =>
      a < b ? -1 : 1,
    ),
  )
}

/** The organisation: the catalog, which everybody may read, and the repositories of services. Only mia is of the platform team. */
export function organisation(): Seed {
  return {
    organisation: 'acme',
    members: { mia: 'admin', dev: 'member' },
    teams: {
      developers: { members: ['dev'], repositories: Object.fromEntries(services.map((name) => [name, 'write'])) },
    },
    apps: { upgrades: upgradesApp },
    repositories: {
      catalog: { public: true, files: catalogFiles(), collaborators: { dev: 'write' } },
      ...Object.fromEntries(
        services.map((name, index) => {
          const timeout = 30 + index
          const spec = specOf(name, timeout, name === 'cart' ? 'upgrades:\n  canary: true\n' : '')
          return [name, { files: serviceFiles(name, spec, timeout), settings: { topics: ['protium'] } }] as const
        }),
      ),
    },
  }
}
