import type { Answers } from '../../core/upgrade/answers.ts'
import { noAnswers } from '../../core/upgrade/answers.ts'
import { newPacer, type Pacer } from '../../core/upgrade/pacer.ts'
import { readResting, type Resting, restingPath, writeResting } from '../../core/upgrade/resting.ts'
import {
  answersPath,
  pacerPath,
  readAnswers,
  readPacer,
  readRollout,
  type Rollout,
  rolloutPath,
  writeAnswers,
  writePacer,
  writeRollout,
} from '../../core/upgrade/state.ts'
import type { RolloutsHost } from '../../ports.ts'

/** All that is remembered from run to run. Rollouts are by their releases, `fargate-service@2.3.0`. */
export type Remembered = {
  readonly rollouts: ReadonlyMap<string, Rollout>
  readonly answers: Answers
  readonly pacer: Pacer
  readonly resting: Resting
}

/** It, and the texts and the commit that it was read from. */
export type Stored = Remembered & { readonly at: string | undefined; readonly files: ReadonlyMap<string, string> }

export async function recall(host: RolloutsHost): Promise<Stored> {
  const { at, files } = await host.read()
  const rollouts = new Map<string, Rollout>()
  for (const [path, text] of files) {
    if (!path.startsWith('rollouts/')) continue
    const rollout = readRollout(path, text)
    rollouts.set(`${rollout.template}@${rollout.version}`, rollout)
  }
  const [answers, pacer] = [files.get(answersPath), files.get(pacerPath)]
  return {
    at,
    files,
    rollouts,
    answers: answers === undefined ? noAnswers : readAnswers(answersPath, answers),
    pacer: pacer === undefined ? newPacer : readPacer(pacerPath, pacer),
    resting: readResting(files.get(restingPath)),
  }
}

/** The files of it that are others than those that were read. */
function changesIn(stored: Stored, now: Remembered): ReadonlyMap<string, string> {
  const all: readonly (readonly [string, string])[] = [
    ...[...now.rollouts.values()].map((rollout) => [rolloutPath(rollout), writeRollout(rollout)] as const),
    [answersPath, writeAnswers(now.answers)],
    [pacerPath, writePacer(now.pacer)],
    [restingPath, writeResting(now.resting)],
  ]
  const empty = new Map([
    [answersPath, writeAnswers(noAnswers)],
    [pacerPath, writePacer(newPacer)],
    [restingPath, writeResting(new Map())],
  ])
  return new Map(all.filter(([path, text]) => (stored.files.get(path) ?? empty.get(path)) !== text))
}

/** Writes what has changed; nothing where somebody else has written since it was read. */
export async function remember(
  host: RolloutsHost,
  { stored, now, why }: { readonly stored: Stored; readonly now: Remembered; readonly why: string },
): Promise<Stored | undefined> {
  const changes = changesIn(stored, now)
  if (changes.size === 0) return { ...stored, ...now }
  const written = await host.write(changes, { at: stored.at, why })
  if (written.is === 'behind') return undefined
  return { ...now, at: written.at, files: new Map([...stored.files, ...changes]) }
}
