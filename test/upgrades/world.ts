import type { Ports } from '../../src/command.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { type Mode, type Upgraded, upgradeFleet } from '../../src/commands/upgrading/run.ts'
import type { Change } from '../../src/commands/upgrading/run.ts'
import { fleetWorld, type FleetWorld } from '../adapters/fleet-world.ts'
import { worldOf } from '../commands/ports.ts'
import type { RepositorySeed } from '../fakes/github/seed.ts'

const manifest = `infrastructure:
  templates: [{ file: cloudformation.yaml, rendering_engine: jinja, template_language: cloudformation }]
`

function schema(kind: 'environment' | 'service', properties: string): string {
  return `schema:
  format: { openapi: "3.0.0" }
  ${kind}_input_type: Inputs
  types:
    Inputs: { type: object, properties: { ${properties} } }
`
}

export type Version = {
  /** Of the queue; what is deployed changes with it. */
  readonly delay?: number
  /** The name of its one input; \`size\` if nothing is said. */
  readonly input?: string
  /** Files of the skeleton, by their paths. */
  readonly skeleton?: Readonly<Record<string, string>>
}

/** The bundle of a version of the template `web`. */
export function bundle({ delay = 0, input = 'size', skeleton = {} }: Version = {}): FileTree {
  const body = `Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: { DelaySeconds: ${delay}, VisibilityTimeout: {{ service_instance.inputs.${input} }} }
`
  return new Map([
    ['schema/schema.yaml', schema('service', `${input}: { type: integer, default: 1 }`)],
    ['instance_infrastructure/manifest.yaml', manifest],
    ['instance_infrastructure/cloudformation.yaml', body],
    ['.compatible-envs', '- place:1\n'],
    ...Object.entries(skeleton).map(([path, text]) => [`skeleton/${path}`, text] as const),
  ])
}

export type Catalog = {
  /** The released versions of `web`, the newest is that of the checkout. */
  readonly versions: Readonly<Record<string, Version>>
  /** Below \`upgrades:\` of catalog.yaml. */
  readonly upgrades?: string
  /** Lines of templates/web/template.yaml. */
  readonly template?: string
  /** Further files of the checkout. */
  readonly files?: Readonly<Record<string, string>>
}

/** A catalog of two stages and one service template. */
export function catalogTree({
  versions,
  upgrades = '{ waves: [rest] }',
  template = '',
  files = {},
}: Catalog): FileTree {
  const newest = Object.keys(versions).at(-1) ?? '1.0.0'
  const environment = (name: string): string => `environment: ${name}
template: place@1.0.0
provisioner: local
account: "111111111111"
region: eu-central-1
inputs: { word: hello }
`
  return new Map([
    [
      'catalog.yaml',
      `catalog: acme
domain: example.com
stages:
  dev: { host: "{service}.dev.{domain}", environment: dev }
  prod: { host: "{service}.{domain}", environment: prod }
services: { repositories: { topic: protium } }
workflows: { actions: actions, repository: acme/catalog }
upgrades: ${upgrades}
`,
    ],
    ['environments/dev.yaml', environment('dev')],
    ['environments/prod.yaml', environment('prod')],
    ['templates/place/template.yaml', 'template: place\nkind: environment\nversions: { v1: 1.0.0 }\n'],
    ['templates/place/v1/schema/schema.yaml', schema('environment', 'word: { type: string, default: a }')],
    ['templates/place/v1/infrastructure/manifest.yaml', manifest],
    [
      'templates/place/v1/infrastructure/cloudformation.yaml',
      "Resources:\n  Topic: { Type: AWS::SNS::Topic, Properties: { DisplayName: '{{ environment.inputs.word }}' } }\n",
    ],
    ['templates/web/template.yaml', `template: web\nkind: service\nversions: { v1: ${newest} }\n${template}`],
    ...[...bundle(versions[newest])].map(([path, text]) => [`templates/web/v1/${path}`, text] as const),
    ...Object.entries(files),
  ])
}

/** The \`service.yaml\` of a service in a repository of its own. */
export function serviceFile(
  name: string,
  { version = '1.0.0', more = '' }: { readonly version?: string; readonly more?: string } = {},
): string {
  return `# the service of ${name}
service: ${name}
template: web@${version} # the version
owner: team-${name}
hosts: [${name}.dev.example.com, ${name}.example.com]
inputs:
  size: 3 # chosen
${more}`
}

export function serviceRepository(
  name: string,
  {
    files = {},
    ...options
  }: { readonly files?: Readonly<Record<string, string>>; readonly version?: string; readonly more?: string } = {},
): RepositorySeed {
  return { files: { 'service.yaml': serviceFile(name, options), ...files }, settings: { topics: ['protium'] } }
}

export type UpgradeWorld = FleetWorld & {
  /** What the catalog is from now on. */
  set: (catalog: Catalog) => void
  readonly run: (mode?: Mode, more?: { readonly signal?: AbortSignal; readonly change?: Change }) => Promise<Upgraded>
  readonly ports: (signal?: AbortSignal) => Ports
}

/** A local GitHub with these repositories of services, and a catalog beside it. */
export async function upgradeWorld(
  catalog: Catalog,
  repositories: Readonly<Record<string, RepositorySeed>>,
  options: Parameters<typeof fleetWorld>[1] = {},
): Promise<UpgradeWorld> {
  const world = await fleetWorld(repositories, options)
  let now = catalog
  const released = (): ReadonlyMap<string, FileTree> =>
    new Map(Object.entries(now.versions).map(([version, each]) => [`web@${version}`, bundle(each)] as const))
  const ports = (signal?: AbortSignal): Ports => {
    const { fleet, rollouts } = world.client(signal)
    const made = worldOf(() => catalogTree(now), {
      released: released(),
      fleet: async () => fleet,
      rollouts: async () => rollouts,
      ...(signal !== undefined && { signal }),
    })
    return { ...made.ports, clock: world.clock }
  }
  return {
    ...world,
    set: (next) => {
      now = next
    },
    ports,
    run: async (mode = 'run', { signal, change } = {}) =>
      upgradeFleet(ports(signal), { root: '.', mode, ...(change !== undefined && { change }) }),
  }
}
