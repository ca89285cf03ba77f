import { type DataMap, isMap, type Path } from '../data.ts'
import { durationSeconds } from '../duration.ts'
import { readWeekly } from '../gates/freeze.ts'
import { didYouMean } from '../nearest.ts'
import type { Problem } from '../problem.ts'
import { listIn, mapIn, numberIn, textIn, textsIn } from '../shape.ts'
import { parseReference } from '../version.ts'
import type { Schedule } from '../upgrade/model.ts'
import { isZone, zones } from '../zone.ts'
import type { Document } from '../yaml.ts'

/** How new versions of templates reach those who run older ones: `upgrades:` of catalog.yaml, with what holds if nothing is said. */
export type Upgrades = {
  readonly waves: readonly Wave[]
  readonly canaries: Canaries
  readonly gate: WaveGate
  readonly halt: Halt
  /** Without one, at any time. */
  readonly schedule: readonly Schedule[]
  readonly automerge: 'none' | 'patch' | 'minor'
  readonly perTeam: number
  /** `fargate-service@2.3.1` */
  readonly urgent: readonly string[]
}

/** How many consumers get an upgrade at a time. */
export type Wave =
  | { readonly is: 'count'; readonly count: number }
  | { readonly is: 'share'; readonly percent: number }
  | { readonly is: 'rest' }

export type Canaries = {
  readonly services: readonly string[]
  readonly property?: { readonly name: string; readonly value: string }
}

/** Times in seconds, shares in percent. */
export type WaveGate = {
  readonly soak: number
  readonly merged: number
  readonly deployed: number
  readonly least: number
  readonly patience: number
}

export type Halt = {
  readonly failed: Limit
  readonly checks: Limit
  readonly reverted: Limit
  readonly declined: Limit
}

/** So many, or such a share of those that have it, and two at the least. */
export type Limit =
  | { readonly is: 'count'; readonly count: number }
  | { readonly is: 'share'; readonly percent: number }

/** Reads `upgrades:`. What its schema finds is told elsewhere. */
export function readUpgrades(
  document: Document,
  { data, problems }: { readonly data: DataMap; readonly problems: Problem[] },
): Upgrades {
  const upgrades = mapIn(data, 'upgrades')
  const [gate, halt, canaries] = [mapIn(upgrades, 'gate'), mapIn(upgrades, 'halt'), mapIn(upgrades, 'canaries')]
  const property = mapIn(canaries, 'property')
  const [name, value] = [textIn(property, 'name'), textIn(property, 'value')]
  const automerge = textIn(upgrades, 'automerge')
  return {
    waves: readWaves(document, upgrades, problems),
    canaries: {
      services: textsIn(canaries, 'services'),
      ...(name !== undefined && value !== undefined && { property: { name, value } }),
    },
    gate: {
      soak: durationSeconds(textIn(gate, 'soak') ?? '') ?? 24 * 3600,
      merged: shareIn(gate, 'merged') ?? 60,
      deployed: shareIn(gate, 'deployed') ?? 98,
      least: numberIn(gate, 'least') ?? 1,
      patience: durationSeconds(textIn(gate, 'patience') ?? '') ?? 14 * 86_400,
    },
    halt: {
      failed: limitIn(halt, 'failed') ?? { is: 'count', count: 1 },
      checks: limitIn(halt, 'checks') ?? { is: 'share', percent: 5 },
      reverted: limitIn(halt, 'reverted') ?? { is: 'count', count: 1 },
      declined: limitIn(halt, 'declined') ?? { is: 'share', percent: 20 },
    },
    schedule: readSchedule(document, { map: upgrades, path: ['upgrades', 'schedule'], problems }),
    automerge: automerge === 'patch' || automerge === 'minor' ? automerge : 'none',
    perTeam: numberIn(upgrades, 'per_team') ?? 5,
    urgent: textsIn(upgrades, 'urgent').filter((text) => parseReference(text) !== undefined),
  }
}

function readWaves(document: Document, upgrades: DataMap | undefined, problems: Problem[]): readonly Wave[] {
  const list = listIn(upgrades, 'waves')
  if (list === undefined) return [{ is: 'count', count: 1 }, { is: 'share', percent: 10 }, { is: 'rest' }]
  const waves = list.flatMap((item): readonly Wave[] => {
    if (typeof item === 'number') return [{ is: 'count', count: item }]
    if (item === 'rest') return [{ is: 'rest' }]
    const percent = percentOf(item)
    return percent === undefined ? [] : [{ is: 'share', percent }]
  })
  const rest = waves.findIndex((wave) => wave.is === 'rest')
  if (waves.length === list.length && rest !== waves.length - 1) {
    problems.push({
      code: 'wrong-value',
      severity: 'error',
      message: rest === -1 ? 'The waves leave some services out.' : 'Nothing is left after the wave "rest".',
      expected: '`rest` as the last wave, and only there.',
      remedy: rest === -1 ? 'Add `rest` at the end.' : 'Move `rest` to the end.',
      at: document.place(['upgrades', 'waves', ...(rest === -1 ? [] : [rest])]),
    })
  }
  return waves
}

/** Reads windows of a week. What is wrong with one is told on its line, and it is left out: then nothing is opened in it. */
export function readSchedule(
  document: Document,
  { map, path, problems }: { readonly map: DataMap | undefined; readonly path: Path; readonly problems: Problem[] },
): readonly Schedule[] {
  return (listIn(map, 'schedule') ?? []).flatMap((item, index): readonly Schedule[] => {
    const [every, zone] = isMap(item) ? [textIn(item, 'every'), textIn(item, 'zone')] : []
    if (every === undefined || zone === undefined) return []
    const [isSpan, isKnown] = [readWeekly(every) !== undefined, isZone(zone)]
    if (!isSpan) {
      problems.push({
        code: 'wrong-value',
        severity: 'error',
        message: `"${every}" is no span of a week.`,
        expected: 'Two different times of a week, such as "mon 09:00 - thu 16:00".',
        remedy: 'Correct it.',
        at: document.place([...path, index, 'every']),
      })
    }
    if (!isKnown) {
      problems.push({
        code: 'wrong-value',
        severity: 'error',
        message: `There is no time zone "${zone}".${didYouMean(zone, zones())}`,
        expected: 'A time zone by its IANA name, such as Europe/Vienna, or UTC.',
        remedy: 'Correct the name.',
        at: document.place([...path, index, 'zone']),
      })
    }
    return isSpan && isKnown ? [{ every, zone }] : []
  })
}

function limitIn(map: DataMap | undefined, key: string): Limit | undefined {
  const count = numberIn(map, key)
  if (count !== undefined) return { is: 'count', count }
  const percent = shareIn(map, key)
  return percent === undefined ? undefined : { is: 'share', percent }
}

function shareIn(map: DataMap | undefined, key: string): number | undefined {
  return percentOf(textIn(map, key))
}

function percentOf(text: unknown): number | undefined {
  const digits = typeof text === 'string' ? /^(\d{1,3})%$/u.exec(text)?.[1] : undefined
  return digits === undefined ? undefined : Number(digits)
}
