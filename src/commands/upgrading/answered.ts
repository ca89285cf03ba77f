import { upgradeMarker } from '../../core/upgrade/metadata.ts'
import type { Decision } from '../../core/upgrade/model.ts'
import { afterRefusal, afterSuccess, type Resting } from '../../core/upgrade/resting.ts'
import type { FleetRepository, FleetWritten } from '../../core/upgrade/seen.ts'
import type { Case } from './tracks.ts'

/** Which repositories are left alone for a while, after GitHub has answered for one. */
export function restingAfter(
  resting: Resting,
  {
    end,
    repository: { number },
    now,
  }: { readonly end: FleetWritten; readonly repository: FleetRepository; readonly now: Date },
): Resting {
  if (end.is === 'refused') return afterRefusal(resting, number, now)
  return resting.has(String(number)) && (end.is === 'opened' || end.is === 'done')
    ? afterSuccess(resting, number)
    : resting
}

/** A case and what is said of it, after GitHub has answered. */
export function afterWrite(
  given: Case,
  decision: Decision,
  end: FleetWritten,
): { readonly given: Case; readonly decision: Decision } {
  switch (end.is) {
    case 'opened':
      return { given: withPull(given, end), decision }
    case 'there':
      return { given, decision }
    case 'done':
      return { given: withMove(given, decision, end), decision }
    case 'moved':
      return {
        given,
        decision: {
          ...decision,
          standing: kept(decision),
          why: 'Somebody else was at work there; the next run looks again.',
        },
      }
    case 'refused':
      return { given, decision: { ...decision, standing: 'unreachable', why: refusalWords(end) } }
    case 'left':
      return { given, decision: { ...decision, standing: kept(decision), why: end.why } }
  }
}

function kept({ action, standing }: Decision): Decision['standing'] {
  return action.is === 'open' || action.is === 'finish' ? 'waits' : standing
}

function refusalWords({ why, words }: Extract<FleetWritten, { readonly is: 'refused' }>): string {
  const heads = {
    gone: 'Its repository is gone, or hidden from the token',
    archived: 'Its repository is archived',
    permission: 'The token may not do it there',
    workflows: 'The token may not change workflows',
    rules: 'A rule of the repository is against it',
    invalid: 'GitHub would not take it',
  } as const
  return `${heads[why]}: ${words}`
}

/** With what its pull request has come to hold. */
function withMove(given: Case, { action }: Decision, { head }: Extract<FleetWritten, { readonly is: 'done' }>): Case {
  if (action.is !== 'move' || head === undefined) return given
  const { sighting } = given
  const pulls = sighting.pulls.map((pull) =>
    pull.id === action.pull.id ? { ...pull, head, body: markerOf(given, head) } : pull,
  )
  return { ...given, sighting: { ...sighting, pulls } }
}

/** With the pull request that was opened just now. */
function withPull(given: Case, { pull, head, at }: Extract<FleetWritten, { readonly is: 'opened' }>): Case {
  const { sighting, track } = given
  return {
    ...given,
    sighting: {
      ...sighting,
      pulls: [
        {
          id: pull.id,
          number: pull.number,
          branch: track.branch,
          base: sighting.base.branch,
          head,
          state: 'open',
          isOurs: true,
          created: at,
          isDraft: false,
          isQueued: false,
          isAutomerging: false,
          isApproved: false,
          mergeable: 'unknown',
          title: '',
          body: markerOf(given, head),
        },
        ...sighting.pulls,
      ],
    },
  }
}

/** The first line of what the pull request of a case says. */
function markerOf({ sighting, track: { target }, proposal }: Case, head: string): string {
  const { name, template, version } = sighting.consumer
  const desired = proposal?.desired
  const fingerprint = desired?.is === 'change' ? desired.fingerprint : ''
  const to = target.is === 'move' ? target.to : version
  return upgradeMarker({ consumer: name, template, from: version, to, fingerprint, head }).markdown
}
