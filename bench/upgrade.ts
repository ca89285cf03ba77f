import { cpuUsage } from 'node:process'

import { fleetOf } from '../src/adapters/github/fleet.ts'
import { upgradeFleet } from '../src/commands/upgrading/run.ts'
import type { RolloutsHost } from '../src/ports.ts'
import { leapingClock } from '../test/adapters/fleet-world.ts'
import { worldOf } from '../test/commands/ports.ts'
import { bundle, catalogTree } from '../test/upgrades/world.ts'
import { table } from './figures.ts'
import { startHub } from './hub.ts'

const hour = 3_600_000

/** What GitHub speaks of, and what was seen of it. */
const caps = [
  { title: '500 an hour, as GitHub says', hourly: 500 },
  { title: '150 an hour, and does not say so', hourly: 150 },
] as const

const minutely = 80

/**
 * The least time that so many pull requests take where so many may be opened in an hour: whole hours for all but the last part, and three
 * seconds for each of that, one for each request that writes.
 */
function boundFor(count: number, hourly: number): number {
  const hours = Math.ceil(count / hourly) - 1
  return hours * hour + (count - hours * hourly) * 3000
}

/** A release that reaches fleets of any size, on a clock that nobody waits for: a run an hour, until nothing is left. */
export async function upgradeTable({
  sizes,
  progress,
}: {
  readonly sizes: readonly number[]
  readonly progress: (text: string) => void
}): Promise<string> {
  const rows: (readonly string[])[] = []
  for (const size of sizes) {
    for (const cap of caps) {
      progress(`upgrade of ${size}: ${cap.title}`)
      rows.push(await row(size, cap))
    }
  }
  return [
    '### A release that reaches every service',
    table(
      [
        'repositories',
        'GitHub takes',
        'simulated, h',
        'least, h',
        '× the least',
        'refused',
        'requests a pull request, beside the look',
        'requests an idle repository',
        'CPU of a look at all, s',
      ],
      rows,
    ),
  ].join('\n\n')
}

async function row(size: number, { title, hourly }: (typeof caps)[number]): Promise<readonly string[]> {
  const clock = leapingClock()
  const hub = await startHub(size, { clock, hourly, minutely })
  const versions = { '1.0.0': {}, '1.1.0': { delay: 5 } }
  const tree = catalogTree({ versions, upgrades: '{ waves: [rest], per_team: 1000 }' })
  const released = new Map(Object.entries(versions).map(([version, each]) => [`web@${version}`, bundle(each)] as const))
  const rollouts = remembered()
  const run = async (mode: 'run' | 'dry') => {
    const fleet = fleetOf({ token: 'none', api: hub.url, clock, random: () => 0.5 })
    const { ports } = worldOf(() => tree, { released, fleet: async () => fleet, rollouts: async () => rollouts })
    return upgradeFleet({ ...ports, clock }, { root: '.', mode })
  }
  const begun = clock.now().getTime()
  let runs = 0
  for (let start = begun; ; start += hour) {
    await run('run')
    runs += 1
    if (hub.opened() >= size) break
    await clock.sleep(Math.max(0, start + hour - clock.now().getTime()))
  }
  const [asked, took, bound] = [hub.requests(), hub.last() - begun, boundFor(size, hourly)]
  const cpu = cpuUsage()
  await run('dry')
  const { user, system } = cpuUsage(cpu)
  const idle = hub.requests() - asked
  await hub.close()
  return [
    size.toLocaleString('en'),
    title,
    (took / hour).toFixed(2),
    (bound / hour).toFixed(2),
    (took / bound).toFixed(3),
    String(hub.refused()),
    // A look at all comes with each run, and is told of by itself.
    ((asked - runs * idle) / hub.opened()).toFixed(3),
    (idle / size).toFixed(4),
    ((user + system) / 1e6).toFixed(1),
  ]
}

/** What is remembered, in memory. */
function remembered(): RolloutsHost {
  let files: ReadonlyMap<string, string> = new Map()
  let count = 0
  return {
    read: async () => ({ at: String(count), files }),
    write: async (changes) => {
      const kept = [...files, ...changes].flatMap(([path, text]) => (text === undefined ? [] : [[path, text] as const]))
      files = new Map(kept)
      count += 1
      return { is: 'written', at: String(count) }
    },
    issue: async ({ body }) => ({ is: 'unchanged', number: 1, body: body.markdown }),
    issueBody: async () => undefined,
  }
}
