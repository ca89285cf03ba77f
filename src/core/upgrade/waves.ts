import type { Upgrades, Wave } from '../catalog/upgrades.ts'
import { compareText } from '../canonical.ts'
import { sha256 } from '../sha256.ts'
import type { Consumer, Turn } from './model.ts'
import type { Member, Rollout } from './state.ts'
import { openingAt } from './windows.ts'

/**
 * Which wave of a rollout a consumer is in. Canaries come first, those who asked to be; the others by a number between 0 and 9999 that
 * follows from the release and the consumer alone: it stays the same when a run is cut off or a repository renamed, a share of 10 %
 * holds that of 5 %, and other releases have other first ones.
 */
export function bucketOf({ template, version }: Pick<Rollout, 'template' | 'version'>, key: string): number {
  return Number.parseInt(sha256(`${template}@${version} ${key}`).slice(0, 12), 16) % 10_000
}

/**
 * The waves of all consumers, by their keys. Who is in a wave already stays there, whoever comes or goes. Environments have a wave for
 * each stage, in the order of promotion, whatever the catalog says of shares.
 */
export function planWaves(
  consumers: readonly Consumer[],
  {
    release,
    upgrades,
    members = [],
  }: {
    readonly release: Pick<Rollout, 'template' | 'version'>
    readonly upgrades: Pick<Upgrades, 'waves' | 'canaries'>
    readonly members?: readonly Pick<Member, 'key' | 'wave'>[]
  },
): ReadonlyMap<string, number> {
  const waves = new Map(members.map(({ key, wave }) => [key, wave]))
  const fresh = consumers.filter(({ key }) => !waves.has(key))
  const stages = [...new Set(consumers.flatMap(({ kind, stage }) => (kind === 'environment' ? [stage ?? 0] : [])))]
  const order = stages.toSorted((a, b) => a - b)
  for (const { key, stage } of fresh.filter(({ kind }) => kind === 'environment'))
    waves.set(key, order.indexOf(stage ?? 0))
  const services = fresh.filter(({ kind }) => kind === 'service')
  const first = services.filter((each) => isCanary(each, upgrades.canaries))
  for (const { key } of first) waves.set(key, 0)
  const rest = services
    .filter(({ key }) => !waves.has(key))
    .map(({ key }) => ({ key, bucket: bucketOf(release, key) }))
    .toSorted((a, b) => a.bucket - b.bucket || compareText(a.key, b.key))
  const counts = countsOf(waves)
  for (const { key, bucket } of rest) {
    const wave = upgrades.waves.findIndex((each, index) => takes(each, { bucket, count: counts.get(index) ?? 0 }))
    // Without `rest`, the last one takes them all; the catalog has been told.
    const own = wave === -1 ? Math.max(0, upgrades.waves.length - 1) : wave
    waves.set(key, own)
    counts.set(own, (counts.get(own) ?? 0) + 1)
  }
  return waves
}

function takes(wave: Wave, { bucket, count }: { readonly bucket: number; readonly count: number }): boolean {
  if (wave.is === 'rest') return true
  return wave.is === 'count' ? count < wave.count : bucket < wave.percent * 100
}

function countsOf(waves: ReadonlyMap<string, number>): Map<number, number> {
  const counts = new Map<number, number>()
  for (const wave of waves.values()) counts.set(wave, (counts.get(wave) ?? 0) + 1)
  return counts
}

export function isCanary(
  { name, wishes, properties }: Consumer,
  { services, property }: Upgrades['canaries'],
): boolean {
  if (wishes.canary === true || services.includes(name)) return true
  return property !== undefined && properties.get(property.name) === property.value
}

/** How many waves there are to be: of services as many as the catalog says, of environments as many as stages have one. */
export function waveCount(waves: ReadonlyMap<string, number>): number {
  return Math.max(0, ...waves.values()) + 1
}

/** Whether it is a consumer's turn, and what it waits for otherwise. What is urgent waits only where the rollout stands still. */
export function turnOf(
  consumer: Consumer,
  {
    rollout,
    wave,
    waves,
    upgrades,
    openOfTeam,
    isUrgent,
    now,
  }: {
    readonly rollout: Rollout
    readonly wave: number
    /** How many there are. */
    readonly waves: number
    readonly upgrades: Pick<Upgrades, 'schedule' | 'perTeam'>
    /** Upgrades of its owner that are open. */
    readonly openOfTeam: number
    readonly isUrgent: boolean
    readonly now: Date
  },
): Turn {
  if (rollout.is !== 'running') {
    const { is, stopped } = rollout
    return { is: 'waits', for: is === 'done' ? 'aborted' : is, words: stopped?.why ?? 'The rollout stands still.' }
  }
  if (isUrgent) return { is: 'now' }
  if (wave >= rollout.waves.length) {
    const words = `It is in wave ${wave + 1} of ${waves}, and wave ${rollout.waves.length} is under way.`
    return { is: 'waits', for: consumer.kind === 'environment' ? 'stage' : 'wave', words }
  }
  const opening = openingAt(consumer.wishes.schedule ?? upgrades.schedule, now)
  if (opening.is === 'closed') {
    const until = opening.until?.toISOString()
    return {
      is: 'waits',
      for: 'window',
      ...(until !== undefined && { until }),
      words: `Its upgrades are opened at certain times of the week${until === undefined ? '' : `, next from ${until.slice(0, 16).replace('T', ' ')} UTC`}.`,
    }
  }
  if (consumer.owner !== undefined && openOfTeam >= upgrades.perTeam) {
    const words = `${openOfTeam} upgrades of ${consumer.owner} are open, and ${upgrades.perTeam} may be at a time.`
    return { is: 'waits', for: 'team', words }
  }
  return { is: 'now' }
}
