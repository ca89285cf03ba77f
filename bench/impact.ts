import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { consumersText } from '../src/core/impact/file.ts'
import { spread, table } from './figures.ts'
import { nameOf, serviceText } from './fleet.ts'
import { protium } from './processes.ts'

/**
 * The reach of a change over fleets of any size: every service lies in a repository of its own, in three stages, and is rendered as
 * it is and as it would be. What changes is one setting of each service template (everybody changes), a comment in each (everybody
 * renders the same), or nothing that concerns a service.
 */
const changes: readonly { readonly title: string; readonly edit: (text: string) => string }[] = [
  {
    title: 'one setting in every service',
    edit: (text) => text.replace(/RetentionInDays: .*/u, 'RetentionInDays: 400'),
  },
  { title: 'nothing that is rendered', edit: (text) => text.replace('Resources:', '{# a comment #}Resources:') },
]

const root = join(import.meta.dirname, '..')
const templates = ['fargate-service/v2', 'lambda-api/v1', 'queue-worker/v1']

export async function impactTable(
  folder: string,
  {
    sizes,
    rounds,
    progress,
  }: { readonly sizes: readonly number[]; readonly rounds: number; readonly progress: (text: string) => void },
): Promise<string> {
  const rows: (readonly string[])[] = []
  const costs = new Map<string, number[]>()
  for (const [number, { title, edit }] of changes.entries()) {
    const catalog = join(folder, `impact-${number}`)
    makeCatalog(catalog, edit)
    for (const size of sizes) {
      const file = join(folder, `consumers-${size}.json`)
      writeFileSync(file, consumersOf(size))
      const figures: Awaited<ReturnType<typeof protium>>[] = []
      for (let round = 0; round < rounds; round += 1) {
        progress(`impact on ${size}, ${round + 1}/${rounds}: ${title}`)
        const out = join(folder, 'impact.json')
        figures.push(
          await protium(['impact', '--root', catalog, '--consumers', file, '--since', 'HEAD~1', '--out', out]),
        )
      }
      const cpus = figures.map(({ cpu }) => cpu)
      costs.set(title, [...(costs.get(title) ?? []), Math.min(...cpus) / size])
      rows.push([
        size.toLocaleString('en'),
        title,
        spread(
          figures.map(({ wall }) => wall),
          1,
        ),
        spread(cpus, 1),
        spread(
          cpus.map((cpu) => (cpu / size) * 1000),
          2,
        ),
        spread(
          figures.map(({ peak }) => peak),
          0,
        ),
      ])
      rmSync(file)
    }
    rmSync(catalog, { recursive: true })
  }
  const growth = [...costs].flatMap(([title, [small, large]]) =>
    small === undefined || large === undefined || small === 0
      ? []
      : [`- ${title}: a consumer of the large fleet costs ${(large / small).toFixed(2)} × one of the small.`],
  )
  return [
    '### The reach of a change: each consumer rendered in three stages, before and after',
    table(['consumers', 'what changes', 'wall, s', 'CPU, s', 'CPU a consumer, ms', 'peak, MB'], rows),
    growth.join('\n'),
  ].join('\n\n')
}

/** The sample's catalog without services, in git, at the commit before a change and the one after. */
function makeCatalog(folder: string, edit: (text: string) => string): void {
  mkdirSync(folder, { recursive: true })
  for (const name of ['catalog.yaml', 'environments', 'templates'])
    cpSync(join(root, name), join(folder, name), { recursive: true })
  const git = (...words: readonly string[]): void =>
    void execFileSync('git', ['-C', folder, '-c', 'user.name=bench', '-c', 'user.email=bench@example.com', ...words])
  git('init', '--quiet')
  git('add', '.')
  git('commit', '--quiet', '--message', 'Before')
  for (const template of templates) {
    const file = join(folder, 'templates', template, 'instance_infrastructure', 'cloudformation.yaml')
    writeFileSync(file, edit(readFileSync(file, 'utf8')))
  }
  git('commit', '--quiet', '--all', '--message', 'After')
}

function consumersOf(size: number): string {
  const consumers = Array.from({ length: size }, (_, index) => ({
    is: 'service' as const,
    repository: `acme/${nameOf(index)}`,
    file: 'service.yaml',
    text: serviceText(index),
  }))
  return consumersText({ read: '2026-11-25T12:00:00.000Z', consumers, unread: [] })
}
