import { cpuUsage } from 'node:process'

import { leapingClock } from '../test/adapters/fleet-world.ts'
import { serviceRepository, upgradeWorld } from '../test/upgrades/world.ts'
import { table } from './figures.ts'

const hour = 3_600_000

/** What GitHub speaks of, and what was seen of it: so many pull requests an hour and a minute. */
const caps = [
  { title: '500 an hour, 80 a minute', contentPerHour: 500, contentPerMinute: 80 },
  { title: '150 an hour, hidden', contentPerHour: 150, contentPerMinute: 80 },
] as const

/**
 * The least time that so many pull requests take where GitHub lets so many be opened in an hour: whole hours for all but the last part, and
 * three seconds for each of that, one for each request that writes.
 */
export function boundFor(count: number, hourly: number): number {
  const hours = Math.ceil(count / hourly) - 1
  return hours * hour + (count - hours * hourly) * 3000
}

/** A release that reaches fleets of any size over the local GitHub, on a clock that nobody waits for: a run an hour, until nothing is left. */
export async function upgradeTable({
  sizes,
  progress,
}: {
  readonly sizes: readonly number[]
  readonly progress: (text: string) => void
}): Promise<string> {
  const rows: (readonly string[])[] = []
  for (const size of sizes) {
    for (const { title, ...limits } of caps) {
      progress(`upgrade of ${size}: ${title}`)
      rows.push(await row(size, { title, limits }))
    }
  }
  return [
    '### A release that reaches every service',
    table(
      [
        'repositories',
        'GitHub takes',
        'simulated, h',
        'bound, h',
        '× the bound',
        'refused',
        'requests a pull request',
        'requests an idle repository',
        'CPU of a look at all, s',
      ],
      rows,
    ),
  ].join('\n\n')
}

async function row(
  size: number,
  {
    title,
    limits,
  }: {
    readonly title: string
    readonly limits: { readonly contentPerHour: number; readonly contentPerMinute: number }
  },
): Promise<readonly string[]> {
  const clock = leapingClock()
  const repositories = Object.fromEntries(
    Array.from({ length: size }, (_, index) => [`service-${index}`, serviceRepository(`service-${index}`)]),
  )
  const catalog = { versions: { '1.0.0': {}, '1.1.0': { delay: 5 } }, upgrades: '{ waves: [rest], per_team: 1000 }' }
  const world = await upgradeWorld(catalog, repositories, {
    clock,
    limits: { ...limits, retryAfter: 'unsaid', primary: 15_000, points: 10_000 },
  })
  const begun = clock.now().getTime()
  let [opened, asked, refused, last] = [0, 0, 0, begun]
  for (;;) {
    const start = clock.now().getTime()
    world.github.forget()
    const { done } = await world.run()
    const now = done.filter(({ end }) => end.is === 'opened').length
    asked += world.github.requests().length
    refused += world.github.requests().reduce((sum, { rejected }) => sum + rejected, 0)
    opened += now
    if (now > 0) last = clock.now().getTime()
    if (opened >= size) break
    await clock.sleep(Math.max(0, start + hour - clock.now().getTime()))
  }
  world.github.forget()
  const cpu = cpuUsage()
  await world.run('dry')
  const { user, system } = cpuUsage(cpu)
  const idle = world.github.requests().length
  await world.github.close()
  const [took, bound] = [last - begun, boundFor(size, limits.contentPerHour)]
  return [
    size.toLocaleString('en'),
    title,
    (took / hour).toFixed(2),
    (bound / hour).toFixed(2),
    (took / bound).toFixed(3),
    String(refused),
    (asked / opened).toFixed(3),
    (idle / size).toFixed(4),
    ((user + system) / 1e6).toFixed(1),
  ]
}
