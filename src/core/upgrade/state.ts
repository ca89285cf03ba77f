import { compareText } from '../canonical.ts'
import type { Data, DataMap } from '../data.ts'
import { isList, isMap } from '../data.ts'
import { Refused } from '../problem.ts'
import { isTemplateName, parseVersion } from '../version.ts'
import { readJson } from '../yaml.ts'
import type { Answers } from './answers.ts'
import type { Answer, Standing } from './model.ts'
import type { Pacer } from './pacer.ts'

/**
 * What is kept on the branch `protium-rollouts` of the catalog: for each release how far it has come, what people have answered, and how
 * fast GitHub lets us write. All else is seen anew by each run. Damaged files are refused: what somebody has declined cannot be
 * seen then.
 */

/** The way of one release through those who run its template. */
export type Rollout = {
  readonly template: string
  readonly version: string
  readonly began: string
  readonly is: 'running' | 'paused' | 'halted' | 'aborted' | 'done'
  /** Why it stands still, since when, and who said so: a login, or nothing where it is by what was seen. */
  readonly stopped?: { readonly at: string; readonly why: string; readonly by?: string }
  /** The last time that it went on after it had stopped: what had stopped it, and who let it go on for which reason. */
  readonly resumed?: { readonly at: string; readonly was: string; readonly why?: string; readonly by?: string }
  /** When each wave began, of those that have. */
  readonly waves: readonly string[]
  readonly issue?: number
  readonly members: readonly Member[]
}

/** One consumer in a rollout, as it was last seen. */
export type Member = {
  readonly key: string
  readonly name: string
  readonly kind: 'service' | 'environment'
  readonly repository: string
  readonly owner?: string
  readonly wave: number
  readonly standing: Standing
  /** A sentence, where there is something to say. */
  readonly why?: string
  /** Since when it stands so. */
  readonly since: string
  readonly pullRequest?: number
  readonly merged?: string
  /** The checks of the main branch had failed before, so that what fails after is not by this release. */
  readonly wasRed?: true
  /** The newest of each of its stages, of this release. */
  readonly deployments: readonly Deployed[]
  /** Its failures were looked at, and are not by this release; what fails later counts again. */
  readonly excused?: string
}

export type Deployed = { readonly stage: string; readonly is: 'ok' | 'failed' | 'running'; readonly at: string }

export function rolloutPath({ template, version }: Pick<Rollout, 'template' | 'version'>): string {
  return `rollouts/${template}/${version}.json`
}

export const answersPath = 'answers.json'
export const pacerPath = 'pacer.json'

// Written: one line for each member, so that a history of them can be read

export function writeRollout(rollout: Rollout): string {
  const { template, version, began, is, stopped, resumed, waves, issue, members } = rollout
  const head = {
    format: 1,
    template,
    version,
    began,
    is,
    ...(stopped !== undefined && {
      stopped: { at: stopped.at, why: stopped.why, ...(stopped.by !== undefined && { by: stopped.by }) },
    }),
    ...(resumed !== undefined && { resumed }),
    waves,
    ...(issue !== undefined && { issue }),
  }
  const lines = members.toSorted((a, b) => compareText(a.key, b.key)).map((member) => JSON.stringify(inOrder(member)))
  return withLines(head, 'members', lines)
}

function inOrder(member: Member): Member {
  const { key, name, kind, repository, owner, wave, standing, why, since, pullRequest, merged, wasRed, excused } =
    member
  return {
    key,
    name,
    kind,
    repository,
    ...(owner !== undefined && { owner }),
    wave,
    standing,
    ...(why !== undefined && { why }),
    since,
    ...(pullRequest !== undefined && { pullRequest }),
    ...(merged !== undefined && { merged }),
    ...(wasRed === true && { wasRed }),
    deployments: member.deployments.map(({ stage, is, at }) => ({ stage, is, at })),
    ...(excused !== undefined && { excused }),
  }
}

export function writeAnswers({ answers }: Answers): string {
  const lines = answers
    .toSorted((a, b) => compareText(a.consumer, b.consumer) || a.pullRequest - b.pullRequest)
    .map(({ consumer, width, version, from, pullRequest, at, by, until, reverted }) =>
      JSON.stringify({
        consumer,
        width,
        version,
        from,
        pullRequest,
        at,
        ...(by !== undefined && { by }),
        ...(until !== undefined && { until }),
        ...(reverted === true && { reverted }),
      }),
    )
  return withLines({ format: 1 }, 'answers', lines)
}

export function writePacer({ made, hourly, minutely, heldUntil, noes, learnedAt }: Pacer): string {
  const said = {
    format: 1,
    made,
    hourly,
    minutely,
    ...(heldUntil !== undefined && { heldUntil }),
    noes,
    ...(learnedAt !== undefined && { learnedAt }),
  }
  return `${JSON.stringify(said)}\n`
}

function withLines(head: object, name: string, lines: readonly string[]): string {
  const begin = JSON.stringify(head).slice(0, -1)
  return lines.length === 0 ? `${begin},"${name}":[]}\n` : `${begin},"${name}":[\n${lines.join(',\n')}\n]}\n`
}

// Read

export function readRollout(file: string, text: string): Rollout {
  return reading(file, text, (data) => {
    const stopped = isMap(data['stopped']) ? data['stopped'] : undefined
    const by = optional(stopped ?? {}, 'by')
    const issue = count(data, 'issue')
    return {
      template: pick(data, 'template', isTemplateName),
      version: pick(data, 'version', isVersion),
      began: time(data, 'began'),
      is: word(data, 'is', ['running', 'paused', 'halted', 'aborted', 'done'] as const),
      ...(stopped !== undefined && {
        stopped: { at: time(stopped, 'at'), why: pick(stopped, 'why'), ...(by !== undefined && { by }) },
      }),
      ...(data['resumed'] !== undefined && { resumed: resumedOf(asMap(data['resumed'])) }),
      waves: each(data, 'waves', (wave) => (typeof wave === 'string' ? wave : damaged('A wave is no time.'))),
      ...(issue !== undefined && { issue }),
      members: each(data, 'members', (member) => memberOf(asMap(member))),
    }
  })
}

function resumedOf(data: DataMap): NonNullable<Rollout['resumed']> {
  const [why, by] = [optional(data, 'why'), optional(data, 'by')]
  return {
    at: time(data, 'at'),
    was: pick(data, 'was'),
    ...(why !== undefined && { why }),
    ...(by !== undefined && { by }),
  }
}

const standings: readonly Standing[] = [
  'compatible',
  'current',
  'waits',
  'open',
  'held',
  'failing',
  'conflicting',
  'needs-answer',
  'taken-over',
  'queued',
  'declined',
  'off',
  'merged',
  'reverted',
  'closed',
  'impossible',
  'unreachable',
]

function memberOf(data: DataMap): Member {
  const [owner, why] = [optional(data, 'owner'), optional(data, 'why')]
  const [merged, excused] = [optionalTime(data, 'merged'), optionalTime(data, 'excused')]
  const pullRequest = count(data, 'pullRequest')
  return {
    key: pick(data, 'key'),
    name: pick(data, 'name'),
    kind: word(data, 'kind', ['service', 'environment'] as const),
    repository: pick(data, 'repository'),
    ...(owner !== undefined && { owner }),
    wave: count(data, 'wave') ?? 0,
    standing: word(data, 'standing', standings),
    ...(why !== undefined && { why }),
    since: time(data, 'since'),
    ...(pullRequest !== undefined && { pullRequest }),
    ...(merged !== undefined && { merged }),
    ...(data['wasRed'] === true && { wasRed: true }),
    deployments: each(data, 'deployments', (found) => {
      const deployed = asMap(found)
      return {
        stage: pick(deployed, 'stage'),
        is: word(deployed, 'is', ['ok', 'failed', 'running'] as const),
        at: time(deployed, 'at'),
      }
    }),
    ...(excused !== undefined && { excused }),
  }
}

export function readAnswers(file: string, text: string): Answers {
  return reading(file, text, (data) => ({ answers: each(data, 'answers', (found) => answerOf(asMap(found))) }))
}

function answerOf(data: DataMap): Answer {
  const [by, until] = [optional(data, 'by'), optionalTime(data, 'until')]
  return {
    consumer: pick(data, 'consumer'),
    width: word(data, 'width', ['version', 'major', 'never', 'later'] as const),
    version: pick(data, 'version', isVersion),
    from: pick(data, 'from', isVersion),
    pullRequest: count(data, 'pullRequest') ?? damaged('An answer is of no pull request.'),
    at: time(data, 'at'),
    ...(by !== undefined && { by }),
    ...(until !== undefined && { until }),
    ...(data['reverted'] === true && { reverted: true }),
  }
}

export function readPacer(file: string, text: string): Pacer {
  return reading(file, text, (data) => {
    const [heldUntil, learnedAt] = [count(data, 'heldUntil'), count(data, 'learnedAt')]
    return {
      made: each(data, 'made', (at) => (typeof at === 'number' ? at : damaged('`made` holds what is no time.'))),
      hourly: Math.max(1, count(data, 'hourly') ?? 1),
      minutely: Math.max(1, count(data, 'minutely') ?? 1),
      noes: count(data, 'noes') ?? 0,
      ...(heldUntil !== undefined && { heldUntil }),
      ...(learnedAt !== undefined && { learnedAt }),
    }
  })
}

/** Thrown here and caught in `reading`. The message is a sentence. */
class Damaged extends Error {}

function damaged(message: string): never {
  throw new Damaged(message)
}

function reading<T>(file: string, text: string, read: (data: DataMap) => T): T {
  const refused = (why: string, remedy: string): Refused => new Refused('rollout-format', `${file}: ${why}`, { remedy })
  try {
    const document = readJson(file, text)
    if (!document.ok) throw new Damaged(document.problems[0]?.message ?? 'It is no JSON.')
    const data = asMap(document.value.data)
    const format = data['format']
    if (typeof format === 'number' && format > 1)
      throw refused(
        `It was written by a newer version of Protium, in format ${format}.`,
        'Use the version that wrote it.',
      )
    if (format !== 1) throw new Damaged('It does not say `"format": 1`.')
    return read(data)
  } catch (error) {
    if (!(error instanceof Damaged)) throw error
    throw refused(
      `It is damaged: ${error.message}`,
      'Bring back the file on the branch protium-rollouts as it was before it was changed by hand; nothing is opened until then.',
    )
  }
}

function asMap(data: Data | undefined): DataMap {
  return isMap(data) ? data : damaged('What should be a map is none.')
}

function each<T>(data: DataMap, key: string, read: (item: Data) => T): readonly T[] {
  const list = data[key]
  return isList(list) ? list.map(read) : damaged(`\`${key}\` is no list.`)
}

function pick(data: DataMap, key: string, isGood: (text: string) => boolean = () => true): string {
  const value = data[key]
  return typeof value === 'string' && isGood(value) ? value : damaged(`\`${key}\` is not what it has to be.`)
}

function optional(data: DataMap, key: string): string | undefined {
  return data[key] === undefined ? undefined : pick(data, key)
}

function time(data: DataMap, key: string): string {
  return pick(data, key, (text) => /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/u.test(text) && !Number.isNaN(Date.parse(text)))
}

function optionalTime(data: DataMap, key: string): string | undefined {
  return data[key] === undefined ? undefined : time(data, key)
}

function word<T extends string>(data: DataMap, key: string, words: readonly T[]): T {
  return words.find((each) => each === data[key]) ?? damaged(`\`${key}\` is none of ${words.join(', ')}.`)
}

function count(data: DataMap, key: string): number | undefined {
  const value = data[key]
  if (value === undefined) return undefined
  return typeof value === 'number' && value >= 0 ? value : damaged(`\`${key}\` is no number.`)
}

function isVersion(text: string): boolean {
  return parseVersion(text) !== undefined
}
