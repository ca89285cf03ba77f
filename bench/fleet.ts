import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderAll } from '../src/core/rendering.ts'
import { readTree } from '../src/adapters/disk.ts'
import { readOrganisation } from '../src/core/organisation.ts'

/**
 * An organisation of any size: the catalog, environments and templates of the sample organisation, and `services` services,
 * each in three stages. Services differ as they do in life (templates, stores, configuration, peaks, differences between
 * stages), and a service of a number is the same in every fleet.
 */
export type Fleet = {
  readonly folder: string
  readonly services: number
  readonly instances: number
  /** A service of the middle, that a pull request changes. */
  readonly changed: string
}

const root = join(import.meta.dirname, '..')
const stages = ['dev', 'staging', 'prod'] as const

/** Writes a fleet into an empty folder, with `fleet.json` for the reference in Python beside it. */
export async function makeFleet(folder: string, services: number): Promise<Fleet> {
  mkdirSync(folder, { recursive: true })
  for (const name of ['catalog.yaml', 'environments', 'templates'])
    cpSync(join(root, name), join(folder, name), { recursive: true })
  // What lies in the environments is known before any service is: the reference in Python is given it.
  const { tree } = await readTree(folder)
  const organisation = readOrganisation(tree, () => undefined)
  if (!organisation.ok)
    throw new Error(`the sample organisation has problems: ${JSON.stringify(organisation.problems)}`)
  const { rendered } = renderAll(organisation.value.units)
  const environments = Object.fromEntries(
    rendered.map(({ unit: { environment }, outputs }) => [
      environment.name,
      { name: environment.name, account_id: environment.account, outputs },
    ]),
  )
  const files: string[] = []
  for (let index = 0; index < services; index += 1) {
    const name = nameOf(index)
    mkdirSync(join(folder, 'services', name), { recursive: true })
    writeFileSync(join(folder, 'services', name, 'service.yaml'), serviceText(index))
    files.push(`services/${name}/service.yaml`)
  }
  const templates = Object.fromEntries(
    [...organisation.value.catalog.templates.values()]
      .filter(({ kind }) => kind === 'service')
      .flatMap(({ name, bundles }) =>
        [...bundles.values()].map((bundle) => [
          `${name}@${bundle.version}`,
          {
            template: `${bundle.root}/instance_infrastructure/cloudformation.yaml`,
            schema: `${bundle.root}/schema/schema.yaml`,
          },
        ]),
      ),
  )
  const homes = organisation.value.catalog.stages.map(({ name, environment }) => ({
    name,
    environment: environments[environment],
    domain: name === 'prod' ? 'example.com' : `${name}.example.com`,
  }))
  writeFileSync(join(folder, 'fleet.json'), JSON.stringify({ services: files, templates, stages: homes }))
  return { folder, services, instances: services * stages.length, changed: nameOf(Math.floor(services / 2)) }
}

/** Another value in the file of the service that the pull request is about. */
export function changeService(fleet: Fleet, port: number): void {
  const file = join(fleet.folder, 'services', fleet.changed, 'service.yaml')
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace(/(cpu|memory_mb): \d+/, (_, key: string) => `${key}: ${port}`),
  )
}

const words = ['orders', 'prices', 'search', 'stock', 'mail', 'users', 'media', 'fraud', 'ledger', 'routes'] as const

export function nameOf(index: number): string {
  return `${words[index % words.length] ?? ''}-${String(index).padStart(5, '0')}`
}

const template = {
  service: 'fargate-service@2.3.0',
  function: 'lambda-api@1.0.0',
  worker: 'queue-worker@1.0.0',
} as const

/** Of ten services six are containers, two are functions and two are workers of a queue. */
export function serviceText(index: number): string {
  const name = nameOf(index)
  const kind = index % 10 < 6 ? 'service' : index % 10 < 8 ? 'function' : 'worker'
  const every = (nth: number, lines: readonly string[]): readonly string[] => (index % nth === 0 ? lines : [])
  const configuration = Array.from(
    { length: 1 + (index % 6) },
    (_, each) => `    SETTING_${each}: value ${index + each}`,
  )
  const other = nameOf(Math.max(0, index - 1))
  const inputs = [
    ...(kind === 'function'
      ? [`  memory_mb: ${[256, 512, 1024][index % 3]}`]
      : [`  cpu: ${[256, 512, 1024][index % 3]}`]),
    ...(kind === 'service' ? [`  port: ${8000 + (index % 90)}`, ...every(2, ['  public: true'])] : []),
    // By the hash of their names, some of so many would have one place among the rules.
    ...(kind === 'worker' ? [] : [`  calls: [${other}]`, `  rule_priority: ${index + 1}`]),
    '  configuration:',
    ...configuration,
    ...every(3, ['  secrets:', `    API_KEY: /${name}/api-key`]),
    ...every(2, ['  table: true', '  table_key: id']),
    ...every(5, kind === 'service' ? ['  cache: true', '  queue: true'] : []),
  ]
  const hosts =
    kind === 'worker'
      ? []
      : [
          'hosts:',
          `  - ${name}.dev.example.com              # dev`,
          `  - ${name}.staging.example.com          # staging`,
          `  - ${name}.example.com                  # prod`,
        ]
  const production = {
    service: ['      desired_count: 4', `      maximum_count: ${40 + (index % 200)}`],
    function: ['      timeout_seconds: 20'],
    worker: ['      desired_count: 2'],
  }[kind]
  const differences = [
    ...(kind === 'worker' || index % 2 === 0 ? ['stages:'] : []),
    ...(kind === 'worker' ? ['  dev: {}', '  staging: {}'] : []),
    ...(kind === 'worker' || index % 2 === 0
      ? ['  prod:', '    because: Everybody buys here.', '    inputs:', ...production]
      : []),
  ]
  return `${[
    `service: ${name}`,
    `template: ${template[kind]}`,
    `owner: team-${index % 40}`,
    ...hosts,
    'inputs:',
    ...inputs,
    ...differences,
  ].join('\n')}\n`
}
