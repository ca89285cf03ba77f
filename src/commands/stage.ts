import { join } from 'node:path'

import type { Outcome } from '../command.ts'
import { command, path, text } from '../command.ts'
import { openCatalog } from '../core/catalog.ts'
import type { Json } from '../command.ts'
import type { Problem } from '../core/problem.ts'
import { table } from '../core/report.ts'
import { hostOf, previewHost, readHost, stageOfHost } from '../core/stage.ts'

type Answer = Outcome<Readonly<Record<'host' | 'stage' | 'service' | 'environment' | 'preview', Json>>>

export const stage = command({
  name: 'stage',
  summary: 'Says which stage a host belongs to.',
  inputs: {
    host: text('A host as it stands in a service file: checkout.dev.example.com.', {
      positional: true,
      required: true,
    }),
    root: path('The folder of the organisation.', { default: '.' }),
  },
  outputs: {
    host: 'The host as DNS compares it.',
    stage: 'The stage, or null if the host belongs to none.',
    service: 'The service that the host names.',
    environment: 'The environment that the stage lies in.',
    preview: 'The number of the pull request, where the host is that of a preview.',
  },
  async run(ports, { host: typed, root }) {
    const read = await ports.files.text(join(root, 'catalog.yaml'))
    const absent = !read.ok && read.problems.every(({ code }) => code === 'missing-file' || code === 'not-a-file')
    if (!read.ok && !absent) return refuse(typed, read.problems)
    const sources = new Map(read.ok ? [['catalog.yaml', read.value]] : [])
    // The catalog's file alone is enough; whether its environments are there is no question of this command.
    const { catalog, problems } = openCatalog(sources)
    const found = problems.filter(({ code, severity }) => severity === 'error' && code !== 'unknown-environment')
    if (catalog === undefined || found.length > 0) return { ...refuse(typed, found), sources }
    const host = readHost(typed)
    if ('fault' in host)
      return refuse(typed, [mistake('host-unclaimed', `The host ${JSON.stringify(typed)} ${host.fault}.`)])
    const owner = stageOfHost(catalog, host.host)
    if (owner.is === 'stage' || owner.is === 'preview') {
      const name = owner.is === 'stage' ? owner.stage.name : (catalog.previews?.stage ?? '')
      const environment = catalog.stages.find((each) => each.name === name)?.environment ?? ''
      const preview = owner.is === 'preview' ? owner.number : null
      return {
        exit: 'done',
        data: { host: host.host, stage: name, service: owner.service, environment, preview },
        text: (paint) =>
          table(
            [{ name: '' }, { name: '' }],
            [
              ['host', host.host],
              ['stage', { text: name, paint: paint.bold }],
              ['service', owner.service],
              ['environment', environment],
              ...(preview === null ? [] : [['pull request', `#${preview}`]]),
            ],
          ),
      }
    }
    const examples = [
      ...catalog.stages.map((each) => hostOf(each, 'checkout')),
      ...(catalog.previews === undefined ? [] : [previewHost(catalog.previews, 'checkout', 12)]),
    ]
    const code = owner.is === 'several' ? 'host-ambiguous' : 'host-unclaimed'
    const message =
      owner.is === 'several'
        ? `The host ${host.host} belongs to ${owner.owners.join(' and ')} at once.`
        : `The host ${host.host} belongs to no stage of ${catalog.name}.`
    return refuse(typed, [{ ...mistake(code, message), expected: `A host such as ${examples.join(', ')}.` }])
  },
})

function refuse(host: string, problems: readonly Problem[]): Answer {
  return {
    exit: 'bad-input',
    data: { host, stage: null, service: null, environment: null, preview: null },
    text: () => '',
    problems,
  }
}

function mistake(code: 'host-unclaimed' | 'host-ambiguous', message: string): Problem {
  return {
    code,
    severity: 'error',
    message,
    remedy: 'Correct the host; the patterns are in `catalog.yaml`.',
  }
}
