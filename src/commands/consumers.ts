import type { Ports } from '../command.ts'
import { command, path } from '../command.ts'
import type { Catalog } from '../core/catalog.ts'
import { isList, isMap } from '../core/data.ts'
import { type Consumers, consumersText } from '../core/impact/file.ts'
import { Refused } from '../core/problem.ts'
import { count } from '../core/report.ts'
import { textIn } from '../core/shape.ts'
import type { FilesSeen, FleetRepository } from '../core/upgrade/seen.ts'
import { readYaml } from '../core/yaml.ts'
import type { FleetHost } from '../ports.ts'
import { readFolder } from './reading.ts'

export const consumers = command({
  name: 'consumers',
  summary: 'Reads the services in other repositories into a file, for `impact`. Changes nothing.',
  inputs: {
    out: path('Write them to this file.', { hint: 'FILE', required: true }),
    root: path('The folder of the catalog.', { default: '.' }),
  },
  outputs: {
    read: 'How many services were read.',
    unread: 'The repositories that could not be read, each with the reason.',
  },
  permissions: { contents: { access: 'read', why: 'the repositories of services, where no other token is given' } },
  asksFleet: true,
  async run(ports, { out, root }) {
    // The name of an environment leads to what all services share, and to no service.
    const { organisation, sources } = await readFolder(ports, root, { services: ['environment'] })
    if (!organisation.ok) {
      const nothing = { read: 0, unread: [] }
      return { exit: 'bad-input', data: nothing, text: () => '', problems: organisation.problems, sources }
    }
    const { catalog } = organisation.value
    const found = await consumersOf(ports, catalog)
    await ports.files.writeText(out, consumersText(found))
    const { consumers: all, unread } = found
    const words = unread.length === 0 ? '' : ` ${count(unread.length, 'repository', 'repositories')} could not be read.`
    return {
      exit: 'done',
      data: { read: all.length, unread },
      text: (paint) =>
        catalog.repositories === undefined
          ? `${paint.good('Nothing to read:')} catalog.yaml names no other repositories of services.`
          : `${paint.good(`Read ${count(all.length, 'service')}`)} in other repositories.${words}`,
    }
  },
})

async function consumersOf(ports: Ports, catalog: Catalog): Promise<Consumers> {
  const read = ports.clock.now().toISOString()
  if (catalog.repositories === undefined) return { read, consumers: [], unread: [] }
  const owner = ports.run?.repository.owner ?? catalog.workflows?.repository?.split('/')[0]
  if (ports.fleet === undefined || owner === undefined) {
    throw new Refused(
      'github-token',
      'Services in other repositories are read on GitHub, and there is no token for it.',
      {
        remedy:
          owner === undefined
            ? 'Say whose the repositories are: `workflows: { repository: owner/name }` in catalog.yaml.'
            : 'Set GITHUB_TOKEN to a token that may read the contents of these repositories.',
      },
    )
  }
  const fleet = await ports.fleet()
  return { read, ...(await readAll(fleet, await fleet.repositories(catalog.repositories, owner))) }
}

const manifest = 'component/manifest.yaml'

/** Two sweeps: the files of services, and then, of those that have a component, what its manifest names. */
async function readAll(
  fleet: FleetHost,
  repositories: readonly FleetRepository[],
): Promise<Pick<Consumers, 'consumers' | 'unread'>> {
  const consumers: Consumers['consumers'][number][] = []
  const unread: Consumers['unread'][number][] = []
  const withComponent = new Map<string, FleetRepository[]>()
  const components = new Map<string, Map<string, string>>()
  for await (const seen of fleet.files(repositories, ['service.yaml', manifest])) {
    const repository = seen.repository.name
    if (seen.is === 'unread') unread.push({ repository, why: seen.why })
    // What is gone or archived runs nothing that anybody could upgrade.
    if (seen.is !== 'read') continue
    const text = textOf(seen.files, 'service.yaml')
    if (text === undefined) {
      if (seen.files.has('service.yaml')) unread.push({ repository, why: 'its service.yaml is no text' })
      continue
    }
    consumers.push({ is: 'service', repository, file: 'service.yaml', text })
    const own = textOf(seen.files, manifest)
    if (own === undefined) continue
    components.set(repository, new Map([['manifest.yaml', own]]))
    for (const file of filesIn(own)) withComponent.set(file, [...(withComponent.get(file) ?? []), seen.repository])
  }
  for (const [file, some] of withComponent) {
    for await (const seen of fleet.files(some, [`component/${file}`])) {
      const text = seen.is === 'read' ? textOf(seen.files, `component/${file}`) : undefined
      if (text !== undefined) components.get(seen.repository.name)?.set(file, text)
    }
  }
  const whole = consumers.map((consumer) => {
    const component = components.get(consumer.repository)
    return component === undefined ? consumer : { ...consumer, component }
  })
  return { consumers: whole, unread }
}

function textOf(files: FilesSeen, path: string): string | undefined {
  const file = files.get(path)
  return file?.is === 'text' ? file.text : undefined
}

/** The files that the manifest of a component names: each is one in its own folder. */
function filesIn(text: string): readonly string[] {
  const read = readYaml(manifest, text, 'own')
  const data = read.ok && isMap(read.value.data) ? read.value.data : undefined
  const infrastructure = data?.['infrastructure']
  const templates = isMap(infrastructure) ? infrastructure['templates'] : undefined
  const files = (isList(templates) ? templates : []).flatMap((each) =>
    isMap(each) ? (textIn(each, 'file') ?? []) : [],
  )
  return files.filter((file) => /^[\w.-]+$/u.test(file) && !/^\.+$/u.test(file)).slice(0, 5)
}
