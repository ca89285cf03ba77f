import { type DataMap, isMap, type Path } from '../data.ts'
import { type Freeze, readLocal, readWeekly, type Window } from '../gates/freeze.ts'
import { didYouMean } from '../nearest.ts'
import type { Problem } from '../problem.ts'
import type { ProblemCode } from '../problem-codes.ts'
import { listIn, mapIn, textIn, textsIn } from '../shape.ts'
import { isZone, zones } from '../zone.ts'
import type { Document } from '../yaml.ts'

/** Reads `freezes:` of catalog.yaml. What its schema finds is told elsewhere; a freeze with a mistake is left out. */
export function readFreezes(
  document: Document,
  { data, problems }: { readonly data: DataMap; readonly problems: Problem[] },
): readonly Freeze[] {
  const stages = Object.keys(mapIn(data, 'stages') ?? {})
  const names = new Map<string, number>()
  return (listIn(data, 'freezes') ?? []).flatMap((item, index): Freeze[] => {
    if (!isMap(item)) return []
    const wrong = (code: ProblemCode, below: Path, words: Words): void => {
      problems.push({ code, severity: 'error', ...words, at: document.place(['freezes', index, ...below]) })
    }
    const [name, zone, reason] = [textIn(item, 'name'), textIn(item, 'zone'), textIn(item, 'reason')]
    const own = textsIn(item, 'stages')
    if (name === undefined || zone === undefined || reason === undefined) return []
    const first = names.get(name)
    if (first === undefined) names.set(name, index)
    else {
      wrong('wrong-value', ['name'], {
        message: `Two freezes are called "${name}".`,
        expected: 'A name of its own for each freeze.',
        remedy: 'Rename one of them.',
        related: [{ at: document.place(['freezes', first, 'name']), note: 'the other one' }],
      })
    }
    if (!isZone(zone)) {
      wrong('wrong-value', ['zone'], {
        message: `There is no time zone "${zone}".${didYouMean(zone, zones())}`,
        expected: 'A time zone by its IANA name, such as Europe/Vienna, or UTC.',
        remedy: 'Correct the name.',
      })
    }
    for (const [at, stage] of own.entries()) {
      if (stages.includes(stage)) continue
      wrong('unknown-stage', ['stages', at], {
        message: `There is no stage "${stage}".${didYouMean(stage, stages)}`,
        expected: `One of ${stages.join(', ')}.`,
        remedy: 'Correct the name.',
      })
    }
    const window = readWindow(item, wrong)
    if (window === undefined || !isZone(zone)) return []
    return [{ name, reason, zone, window, ...(listIn(item, 'stages') !== undefined && { stages: own }) }]
  })
}

type Words = Pick<Problem, 'message' | 'expected' | 'remedy' | 'related'>

function readWindow(item: DataMap, wrong: (code: ProblemCode, below: Path, words: Words) => void): Window | undefined {
  const [every, begin, end] = [textIn(item, 'every'), textIn(item, 'from'), textIn(item, 'to')]
  if (every !== undefined && begin === undefined && end === undefined) {
    const span = readWeekly(every)
    if (span !== undefined) return { is: 'weekly', ...span }
    wrong('wrong-value', ['every'], {
      message: `"${every}" is no span of a week.`,
      expected: 'Two different times of a week, such as "fri 16:00 - mon 08:00".',
      remedy: 'Correct it.',
    })
    return undefined
  }
  if (every !== undefined || begin === undefined || end === undefined) {
    wrong(every === undefined ? 'missing-key' : 'wrong-value', every === undefined ? [] : ['every'], {
      message:
        every === undefined
          ? 'It is not said when the freeze begins and ends.'
          : 'The freeze is one of every week, and has a date too.',
      expected: 'Either `from` and `to`, or `every`.',
      remedy: every === undefined ? 'Add what is missing.' : 'Remove one of the two.',
    })
    return undefined
  }
  const [from, to] = [readLocal(begin), readLocal(end)]
  for (const [key, text, read] of [
    ['from', begin, from],
    ['to', end, to],
  ] as const) {
    if (read !== undefined) continue
    wrong('wrong-value', [key], {
      message: `There is no day or time "${text}".`,
      expected: 'A date, or a date and a time of day, such as 2026-12-20T18:00.',
      remedy: 'Correct it.',
    })
  }
  if (from === undefined || to === undefined) return undefined
  if (begin.slice(0, 10) > end.slice(0, 10) || (begin.slice(0, 10) === end.slice(0, 10) && from.minute >= to.minute)) {
    wrong('wrong-value', ['to'], {
      message: 'The freeze ends before it has begun.',
      expected: `A time after ${begin}.`,
      remedy: 'Correct `from` or `to`.',
    })
    return undefined
  }
  return { is: 'once', from, to }
}
