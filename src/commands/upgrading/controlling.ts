import { shorten } from '../../core/markdown.ts'
import { withoutSecrets } from '../../core/secret.ts'
import { advanced, resumed, stopped } from '../../core/upgrade/progress.ts'
import type { Rollout } from '../../core/upgrade/state.ts'
import type { Change } from './run.ts'

/** What a person can say about rollouts by a command. */
export const words = ['halt', 'pause', 'resume', 'next-wave', 'abort'] as const

export type Word = (typeof words)[number]

type Saying = {
  /** Nothing means all that are under way. */
  readonly release: string | undefined
  readonly reason: string | undefined
  readonly by: string
  readonly at: Date
}

const longestReason = 500

/** A person's word, as what it changes. */
export function withWord(word: Word, { release, reason: given, by, at: now }: Saying): Change {
  const at = now.toISOString()
  const reason = given === undefined ? undefined : shorten(withoutSecrets(given.trim()), longestReason)
  const stop = (rollout: Rollout, is: 'paused' | 'halted' | 'aborted'): Rollout =>
    stopped(rollout, is, { at, why: reason ?? `Somebody has said so by \`protium upgrade --what ${word}\`.`, by })
  const said = (rollout: Rollout): Rollout => {
    switch (word) {
      case 'halt':
        return stop(rollout, 'halted')
      case 'pause':
        return stop(rollout, 'paused')
      case 'abort':
        return stop(rollout, 'aborted')
      case 'resume':
        return resumed(rollout, { at, by, ...(reason !== undefined && { why: reason }) })
      case 'next-wave':
        return advanced(rollout, { at, waves: Math.max(0, ...rollout.members.map(({ wave }) => wave)) + 1 })
    }
  }
  return (rollouts) =>
    new Map(
      [...rollouts].map(
        ([name, rollout]) => [name, isMeant(name, rollout, release) ? said(rollout) : rollout] as const,
      ),
    )
}

function isMeant(name: string, { is }: Rollout, release: string | undefined): boolean {
  return release === undefined ? is !== 'done' && is !== 'aborted' : name === release
}
