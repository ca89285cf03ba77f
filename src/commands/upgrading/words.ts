import { type Url, url } from '../../core/markdown.ts'
import { releaseStatus } from '../../core/release/status.ts'
import type { Others, UpgradeText } from '../../core/upgrade/body.ts'
import { sameText, upgradeBody, upgradeTitle } from '../../core/upgrade/body.ts'
import { type Box, isOurs, readMarker, readTrailers, tickedIn } from '../../core/upgrade/metadata.ts'
import type { Facts } from '../../core/upgrade/model.ts'
import type { Rollout } from '../../core/upgrade/state.ts'
import { compareVersions } from '../../core/version.ts'
import type { Case, Judged } from './tracks.ts'
import type { World } from './world.ts'

/** What a pull request says. `body` is told the commit at its head. */
export type Words = {
  readonly title: string
  readonly body: (commit: string) => string
  /** Whether a body says the same already, but for what changes from hour to hour. */
  readonly isSaid: (body: string) => boolean
}

export type Saying = {
  readonly world: World
  readonly rollouts: ReadonlyMap<string, Rollout>
  /** How many run each release, and how many its template. */
  readonly runs: ReadonlyMap<string, number>
  /** `owner/name` of the catalog. */
  readonly catalog: string
  /** Where people look at GitHub; nothing where that is not known. */
  readonly server: string | undefined
}

/** What the pull request of a case says; nothing where there is nothing to propose, and what it says stays. */
export function wordsFor(given: Case, { facts, decision }: Judged, saying: Saying): Words | undefined {
  const { sighting, track, proposal } = given
  const { consumer } = sighting
  const pull = facts.pulls.find(({ state }) => state === 'open')
  if (proposal?.draft === undefined || track.target.is === 'none' || proposal.desired.is !== 'change') return undefined
  const { draft, merge, desired } = proposal
  const template = saying.world.catalog.templates.get(consumer.template)
  const { to } = track.target
  const release = `${consumer.template}@${to}`
  const issue = saying.rollouts.get(release)?.issue ?? issueIn(pull?.body, saying.catalog)
  const isKept = decision.action.is === 'keep'
  const held = heldBy(facts)
  // A person has emptied the text of what he has taken over: what it holds is not known any more, and nothing is claimed of it.
  if (isKept && held === undefined) return undefined
  const status = template === undefined ? undefined : releaseStatus(template, consumer.version)
  const others = othersOf(consumer.template, { to, saying })
  const why = template?.notes.get(to)
  const given_: UpgradeText = {
    consumer,
    marker: {
      template: consumer.template,
      from: consumer.version,
      to,
      fingerprint: isKept ? (held?.fingerprint ?? desired.fingerprint) : desired.fingerprint,
      ...(decision.action.is === 'move' && held !== undefined && held.to !== to && { was: held.to }),
    },
    ...(why !== undefined && { why }),
    ...(status?.is === 'deprecated' && { ends: { is: 'deprecated', until: status.until } as const }),
    ...(status?.is === 'yanked' && { ends: { is: 'yanked', because: status.because } as const }),
    impact: draft.impact,
    migrated: draft.migrated,
    outcomes: merge?.outcomes ?? [],
    notes: notesBetween(given, saying.world),
    ...(others !== undefined && { others }),
    stages: saying.world.catalog.stages.filter(({ name }) => draft.impact.stages.some(({ stage }) => stage === name)),
    ...(issue !== undefined && { rollout: `${saying.catalog}#${issue}` }),
    ...(template?.help !== undefined && { help: template.help }),
    ...(decision.notice !== undefined && { notice: decision.notice }),
    automerge: facts.automerge,
    ...(saying.server !== undefined && { address: addressOn(saying.server, given) }),
    ticked: tickedAfter(pull?.body ?? '', isKept),
  }
  const title = upgradeTitle(consumer, given_.marker)
  const body = (commit: string | undefined): string => upgradeBody(given_, commit).markdown
  return {
    title,
    body,
    isSaid: (there) =>
      pull !== undefined && sameText({ title: pull.title, body: there }, { title, body: body(pull.head) }),
  }
}

/** The issue that a body names already: where what is remembered was lost, it is found again only at the end of the run. */
function issueIn(body: string | undefined, catalog: string): number | undefined {
  const number = body?.split(`\`${catalog}#`)[1]?.split('`')[0]
  return number !== undefined && /^[1-9]\d{0,8}$/u.test(number) ? Number(number) : undefined
}

/**
 * What an open pull request holds: by our own commit on its branch, for its text may be one behind it; or, where a person has pushed to it, by
 * its text.
 */
export function heldBy({
  branch,
  pulls,
}: Facts): { readonly to: string; readonly fingerprint: string; readonly head?: string } | undefined {
  const own = branch !== undefined && isOurs(branch) ? readTrailers(branch.message) : undefined
  if (own !== undefined && branch !== undefined)
    return { to: own.to, fingerprint: own.fingerprint, head: branch.commit }
  const pull = pulls.find(({ state }) => state === 'open')
  return pull === undefined ? undefined : readMarker(pull.body)
}

/** What was asked for by a tick, and is done, is not ticked any more. */
function tickedAfter(body: string, isKept: boolean): ReadonlySet<Box> {
  const ticked = tickedIn(body)
  return isKept ? ticked : new Set([...ticked].filter((box) => box !== 'rebase' && box !== 'apply'))
}

function notesBetween({ sighting: { consumer }, track: { target } }: Case, world: World): UpgradeText['notes'] {
  if (target.is === 'none') return []
  const { template, version: from } = consumer
  return (world.offers(template) ?? [])
    .map(({ version }) => version)
    .filter((version) => compareVersions(version, from) > 0 && compareVersions(version, target.to) <= 0)
    .toSorted((a, b) => compareVersions(b, a))
    .flatMap((version) => {
      const text = world.notes({ template, version })
      return text === undefined ? [] : [{ version, text }]
    })
}

function othersOf(
  template: string,
  { to, saying: { runs, rollouts } }: { readonly to: string; readonly saying: Saying },
): Others | undefined {
  const all = runs.get(template) ?? 0
  if (all < 2) return undefined
  const deployments = (rollouts.get(`${template}@${to}`)?.members ?? []).flatMap((member) => member.deployments)
  return {
    all,
    on: runs.get(`${template}@${to}`) ?? 0,
    deployments: deployments.filter(({ is }) => is !== 'running').length,
    failed: deployments.filter(({ is }) => is === 'failed').length,
  }
}

function addressOn(server: string, { sighting, track }: Case): (path: string, line: number) => Url | undefined {
  const [owner = '', name = ''] = sighting.repository.name.split('/')
  return (path) => url(server, [owner, name, 'blob', ...track.branch.split('/'), ...path.split('/')])
}
