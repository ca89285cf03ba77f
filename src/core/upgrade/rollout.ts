import { compareText } from '../canonical.ts'
import type { Upgrades } from '../catalog/upgrades.ts'
import type { Markdown } from '../markdown.ts'
import {
  alert,
  blocks,
  bullets,
  checkbox,
  code,
  dataMarker,
  fold,
  link,
  listed,
  prose,
  shorten,
  stacked,
  table,
  tickedBoxes,
  title,
  url,
} from '../markdown.ts'
import { age, count, list } from '../report.ts'
import { confidence } from './body.ts'
import type { Standing } from './model.ts'
import { haltReasons, hasFailed, tallyOf, waveGate } from './progress.ts'
import type { Member, Rollout } from './state.ts'

/** What people can decide in the issue of a rollout, or by a command. */
export const controls = ['pause', 'resume', 'next-wave', 'abort'] as const

export type Control = (typeof controls)[number]

export type RolloutText = {
  readonly rollout: Rollout
  readonly upgrades: Pick<Upgrades, 'gate' | 'halt'>
  /** How many waves there are. */
  readonly waves: number
  /** Why the version is there, by the owners of the template. */
  readonly why?: string
  /** The last day of the one before, `2027-01-31`. */
  readonly until?: string
  /** `https://github.com` */
  readonly server: string
  readonly now: Date
}

/** `Rollout: fargate-service 2.3.0` */
export function rolloutTitle({ template, version }: Pick<Rollout, 'template' | 'version'>): string {
  return `Rollout: ${template} ${version}`
}

const budget = 58_000
const mostRows = 100

/**
 * The one issue of a rollout: how far it has come, what is in the way and who could do something about it, and no list of those with
 * whom all is well. It is written anew as a whole each time.
 */
export function rolloutBody({ rollout, upgrades, waves, why, until, server, now }: RolloutText): Markdown {
  const { members, template, version } = rollout
  const tally = tallyOf(members, { soak: upgrades.gate.soak, now })
  const rows = members
    .filter(needsPeople)
    .toSorted((a, b) => urgency(a) - urgency(b) || compareText(a.since, b.since) || compareText(a.key, b.key))
  const head = [
    rolloutMarker(rollout),
    stateOf(rollout),
    prose`**${tally.merged} of ${tally.asked} have merged it**${countsOf(members)}${until === undefined ? prose`` : prose` · the support of the version before ends on ${until}`}`,
    why === undefined ? undefined : prose`**Why:** ${shorten(why, 300)}`,
    prose`**Deployed:** ${deployedText(tally.well, tally.failed.length)}`,
    wavesTable({ rollout, upgrades, waves, now }),
    gateText({ rollout, upgrades, waves, now }),
  ]
  const file = code(`rollouts/${template}/${version}.json`)
  const whole = (most: number): Markdown => {
    const left = rows.length - most
    return blocks([
      ...head,
      rows.length === 0 ? undefined : rowsOf(rows.slice(0, most), { server, now }),
      left <= 0
        ? undefined
        : prose`And ${left} more; all of them are in ${file} on the branch ${code('protium-rollouts')}.`,
      quietFold(members),
      boxesOf(rollout, waves),
    ])
  }
  let most = mostRows
  while (most > 1 && whole(most).markdown.length > budget) most = Math.floor(most / 2)
  return whole(most)
}

/** What the issue is found by. */
export function rolloutMarker({ template, version }: Pick<Rollout, 'template' | 'version'>): Markdown {
  return dataMarker('rollout', { template, version })
}

function stateOf({ is, stopped, resumed }: Rollout): Markdown | undefined {
  if (stopped === undefined) return resumed === undefined ? undefined : resumedText(resumed)
  const by = stopped.by === undefined ? prose`` : prose` by ${code(stopped.by)}`
  const since = stopped.at.slice(0, 16).replace('T', ' ')
  const words = { paused: 'Paused', halted: 'Halted', aborted: 'Aborted', done: 'Done', running: 'Running' }[is]
  const text = prose`**${words}${by}, ${since} UTC.** ${shorten(stopped.why, 500)}`
  return is === 'halted' || is === 'aborted' ? alert('CAUTION', text) : text
}

function resumedText({ at, was, why, by }: NonNullable<Rollout['resumed']>): Markdown {
  const who = by === undefined ? prose`` : prose` by ${code(by)}`
  const reason = why === undefined ? prose`` : prose` ${shorten(why, 300)}`
  return prose`**Gone on with${who}, ${at.slice(0, 16).replace('T', ' ')} UTC.**${reason} It had stopped: ${shorten(was, 300)}`
}

const words: Readonly<Record<Standing, string>> = {
  compatible: 'need nothing',
  current: 'have it already',
  waits: 'wait',
  open: 'open',
  held: 'held',
  failing: 'failing',
  conflicting: 'in conflict',
  'needs-answer': 'need an answer',
  'taken-over': 'in people’s hands',
  queued: 'about to be merged',
  declined: 'declined',
  off: 'take no upgrades',
  merged: 'merged',
  reverted: 'taken back',
  closed: 'closed',
  impossible: 'cannot have it',
  unreachable: 'cannot be reached',
}

function countsOf(members: readonly Member[]): Markdown {
  const shown: readonly Standing[] = [
    'open',
    'queued',
    'failing',
    'conflicting',
    'needs-answer',
    'taken-over',
    'held',
    'waits',
    'declined',
    'reverted',
    'impossible',
    'unreachable',
    'compatible',
    'off',
  ]
  const parts = shown.flatMap((standing) => {
    const number = members.filter((member) => member.standing === standing).length
    return number === 0 ? [] : [`${number} ${words[standing]}`]
  })
  return parts.reduce((so, part) => prose`${so} · ${part}`, prose``)
}

function deployedText(well: number, failed: number): string {
  const all = well + failed
  if (all === 0) return 'nobody has yet.'
  return `${well} well, ${failed} failed; ${confidence({ deployments: all, failed })}`
}

type Shown = Pick<RolloutText, 'rollout' | 'upgrades' | 'waves' | 'now'>

function wavesTable({ rollout, upgrades, waves, now }: Shown): Markdown {
  const rows = Array.from({ length: waves }, (_, wave) => {
    const own = rollout.members.filter((member) => member.wave === wave)
    const tally = tallyOf(own, { soak: upgrades.gate.soak, now })
    const began = rollout.waves[wave]
    return [
      String(wave + 1),
      began === undefined ? 'not yet' : `${began.slice(0, 16).replace('T', ' ')} UTC`,
      String(own.length),
      String(tally.asked),
      String(tally.merged),
      String(tally.well),
      String(tally.failed.length),
    ]
  })
  return table(['Wave', 'Began', '>In it', '>Asked', '>Merged', '>Deployed well', '>Failed'], rows)
}

function gateText({ rollout, upgrades, waves, now }: Shown): Markdown | undefined {
  if (rollout.is !== 'running') {
    const reasons = rollout.is === 'halted' ? haltReasons(rollout, upgrades.halt) : []
    return reasons.length === 0
      ? undefined
      : stacked([prose`**In the way:**`, bullets(reasons.map((reason) => prose`${reason}`))])
  }
  if (rollout.waves.length >= waves) return prose`All waves have begun.`
  const gate = waveGate(rollout, { gate: upgrades.gate, now })
  if (gate.is === 'open') return prose`Wave ${rollout.waves.length + 1} begins with the next run.`
  const head = gate.isStale
    ? prose`**Wave ${rollout.waves.length} does not come on, and somebody has to decide** (a box below begins the next one):`
    : prose`**Before wave ${rollout.waves.length + 1} begins:**`
  return stacked([head, bullets(gate.missing.map((missing) => prose`${missing}`))])
}

// Rows

/** With whom somebody could do something. */
function needsPeople(member: Member): boolean {
  const busy: readonly Standing[] = [
    'open',
    'failing',
    'conflicting',
    'needs-answer',
    'taken-over',
    'declined',
    'reverted',
    'impossible',
    'unreachable',
    'held',
  ]
  return busy.includes(member.standing) || hasFailed(member) || isUnderWay(member)
}

/** It was merged, and has not been taken back since. */
function isDone({ merged, standing }: Member): boolean {
  return merged !== undefined && (standing === 'merged' || standing === 'current')
}

/** It is merged, and a stage has yet to have it. */
function isUnderWay(member: Member): boolean {
  const { deployments } = member
  return isDone(member) && deployments.some(({ is }) => is === 'running')
}

function urgency(member: Member): number {
  if (hasFailed(member)) return 0
  const order: readonly Standing[] = [
    'reverted',
    'failing',
    'impossible',
    'needs-answer',
    'conflicting',
    'taken-over',
    'declined',
    'unreachable',
    'held',
    'open',
    'merged',
  ]
  const place = order.indexOf(member.standing)
  return place === -1 ? order.length : place + 1
}

function rowsOf(
  members: readonly Member[],
  { server, now }: { readonly server: string; readonly now: Date },
): Markdown {
  const rows = members.map((member) => {
    const { name, owner, repository, pullRequest, since } = member
    const [holder = '', repo = ''] = repository.split('/')
    // A number alone would be a reference of this repository, and a whole address one of that.
    const number = pullRequest === undefined ? undefined : code(`#${pullRequest}`)
    const files = url(server, [holder, repo, 'pulls'])
    return [
      code(shorten(name, 60)),
      owner === undefined ? '' : code(shorten(owner, 60)),
      number === undefined ? link(code(shorten(repository, 80)), url(server, [holder, repo])) : link(number, files),
      whereText(member),
      waitsFor(member),
      age(Math.max(0, now.getTime() - Date.parse(since))),
    ]
  })
  return table(['Service', 'Owner', 'Pull request', 'Where', 'Waits for', 'Since'], rows)
}

function whereText({ deployments, merged }: Member): string {
  if (merged === undefined) return 'not merged'
  const by = (is: Member['deployments'][number]['is']): readonly string[] =>
    deployments.filter((each) => each.is === is).map(({ stage }) => stage)
  const parts = [
    ...(by('ok').length > 0 ? [`${list(by('ok'))} done`] : []),
    ...(by('failed').length > 0 ? [`${list(by('failed'))} failed`] : []),
    ...(by('running').length > 0 ? [`${list(by('running'))} under way`] : []),
  ]
  return parts.length === 0 ? 'merged, not deployed' : parts.join(', ')
}

function waitsFor(member: Member): string {
  const { standing, why, wasRed, owner } = member
  const who = owner ?? 'its owners'
  if (hasFailed(member)) return `${who}, or the owners of the template: it has failed`
  switch (standing) {
    case 'open':
      return `${who}: review`
    case 'failing':
      return wasRed === true ? `${who}: its checks failed before too` : `the owners of the template: its checks fail`
    case 'merged':
      return 'its deployment'
    default:
      return shorten(why ?? words[standing], 200)
  }
}

/** Those with whom all is well, by their names. */
function quietFold(members: readonly Member[]): Markdown | undefined {
  const done = members.filter((member) => isDone(member) && !needsPeople(member))
  if (done.length === 0) return undefined
  const names = done.slice(0, 200).map(({ name }) => shorten(name, 63))
  const more = done.length > names.length ? prose` and ${done.length - names.length} more` : prose``
  return fold(title`${count(done.length, 'service')} done`, prose`${listed(names.map((name) => code(name)))}${more}`)
}

function boxesOf({ is, waves: begun }: Rollout, waves: number): Markdown {
  return stacked([
    ...(is === 'running' ? [checkbox('pause', prose`pause: nothing is opened until it goes on`)] : []),
    ...(is === 'paused' || is === 'halted'
      ? [checkbox('resume', prose`go on: what has failed was looked at, and is not by this release`)]
      : []),
    ...(is === 'running' && begun.length < waves
      ? [checkbox('next-wave', prose`begin wave ${begun.length + 1} now`)]
      : []),
    ...(is === 'aborted' || is === 'done' ? [] : [checkbox('abort', prose`abort: it is offered to nobody any more`)]),
  ])
}

/** What is ticked in the issue, the gravest first: who stops something is heard before who lets it go on. */
export function controlsIn(body: string): readonly Control[] {
  const ticked = new Set(tickedBoxes(body))
  const order: readonly Control[] = ['abort', 'pause', 'resume', 'next-wave']
  return order.filter((each) => ticked.has(each))
}
