import type { Ports } from '../../command.ts'
import type { Problem } from '../../core/problem.ts'
import { Refused } from '../../core/problem.ts'
import type { FileTree } from '../../core/tree.ts'
import { type Answers, keptAnswers } from '../../core/upgrade/answers.ts'
import type { Decision } from '../../core/upgrade/model.ts'
import { mergedPacer, paceFor } from '../../core/upgrade/pacer.ts'
import { isResting } from '../../core/upgrade/resting.ts'
import type { FleetRepository, FleetWritten } from '../../core/upgrade/seen.ts'
import { type Share, shardsOf } from '../../core/upgrade/shards.ts'
import type { Rollout } from '../../core/upgrade/state.ts'
import { compareVersions } from '../../core/version.ts'
import type { FleetHost, FleetPull, RolloutsHost } from '../../ports.ts'
import { afterWrite, restingAfter } from './answered.ts'
import { ended, withIssues, withTicks } from './issues.ts'
import { pacing, withOpened } from './pacing.ts'
import { recall, remember, type Remembered, type Stored } from './record.ts'
import { countOf, rolloutsFor, standingsOf, watched, wavesFor, withMembers, type Outcomes } from './standing.ts'
import { sweep, type Sweep, unsure, type Sighting } from './sweep.ts'
import { type Case, drafted, type Judged, type Knowing, referencesOf, tracksFor } from './tracks.ts'
import { openWorld, type World } from './world.ts'
import { needsLook, undone, writesOf } from './writing.ts'

export type Mode =
  /** Everything: it judges, and writes to all. */
  | 'run'
  /** It judges, and remembers that; the shards write. */
  | 'show'
  /** It writes to what its token reaches, and judges nothing: it sees a part of the fleet alone. */
  | 'shard'
  /** It only says what a run would do. */
  | 'dry'

/** What a run has come to. */
export type Upgraded = {
  readonly rollouts: readonly Rollout[]
  /** What was to be done on each track, and what became of it. */
  readonly done: readonly Done[]
  readonly sweep: Sweep
  /** In `show`: what is to be written, in parts. */
  readonly shards: readonly { readonly shard: string; readonly repositories: readonly string[] }[]
  readonly problems: readonly Problem[]
  readonly sources: FileTree
}

export type Done = {
  readonly consumer: Sighting['consumer']
  readonly branch: string
  readonly to: string | undefined
  readonly decision: Decision
  readonly end:
    | FleetWritten
    | { readonly is: 'nothing' }
    | { readonly is: 'planned' }
    | { readonly is: 'skipped'; readonly why: string }
}

/**
 * Brings every consumer of a released version nearer to the newest that it is to have: discovers and reads the fleet, renders and merges in
 * memory, decides, and writes what is left to write. Killed at any point and run again, it goes on with the rest.
 */
export async function upgradeFleet(
  ports: Ports,
  {
    root,
    mode,
    change = (rollouts) => rollouts,
  }: { readonly root: string; readonly mode: Mode; readonly change?: Change },
): Promise<Upgraded> {
  const { world, problems, sources } = await openWorld(ports, root)
  // With a catalog that is not what it should be nobody knows whose turn it is.
  const isBroken = problems.some(({ severity, at }) => severity === 'error' && at?.file === 'catalog.yaml')
  if (world === undefined || isBroken) return { rollouts: [], done: [], sweep: nobody, shards: [], problems, sources }
  const place = catalogOf(ports, world)
  const { fleet, host } = await hostsOf(ports, place)
  const now = ports.clock.now()
  const stored = await recall(host)
  const { repositories, own } = await reached(fleet, { world, place })
  const seen = await sweep(fleet, { repositories, catalog: own, world })
  const { sightings, outcomes } = await followed(fleet, { sightings: seen.sightings, stored, world, now })
  const knowing: Knowing = { world, kept: stored.answers, engine: ports.around.version(), now }
  const tracks = sightings.flatMap((sighting) => tracksFor(sighting, knowing))
  await world.load(referencesOf(tracks))
  const upgrades = world.catalog.upgrades
  const known = change(mode === 'shard' ? stored.rollouts : await withTicks(host, stored.rollouts, now))
  const begun = mode === 'shard' ? known : rolloutsFor(tracks, { known, world, now })
  const waves = wavesFor(tracks, { rollouts: begun, upgrades })
  const cases = inTurn(
    tracks.map((each) => drafted(each, knowing)),
    waves,
  )
  const standing = { waves, upgrades, urgent: new Set(upgrades.urgent), outcomes, isWhole: mode !== 'shard', now }
  const { rollouts, judged, judgeAgain } = standingsOf(cases, { ...standing, rollouts: begun })
  const run: Run = {
    ports,
    fleet,
    host,
    world,
    mode,
    knowing,
    standing,
    sightings,
    cases,
    judged,
    judgeAgain,
    place,
    before: stored.rollouts,
  }
  const found: Remembered = {
    rollouts,
    answers: cases.reduce((answers, { sighting, answers: own_ }) => {
      const { key } = sighting.consumer
      const isKnown = own_.length > 0 || answers.answers.some(({ consumer }) => consumer === key)
      return isKnown ? keptAnswers(answers, key, own_) : answers
    }, stored.answers),
    pacer: withOpened(stored.pacer, openedOf(sightings), now.getTime()),
    resting: stored.resting,
  }
  const told = { sweep: seen, problems, sources }
  if (mode === 'dry') return { ...told, rollouts: listed(rollouts), done: plannedOf(run), shards: [] }
  if (mode === 'show') {
    const shards = shardsIn(run)
    // Whom the shards are about to ask, they ask for a rollout that has an issue.
    const shown = await settled(run, { stored, now: await published(run, await announced(run, found)) })
    return { ...told, rollouts: listed(shown.rollouts), done: plannedOf(run), shards }
  }
  const { done, after } = await carriedOut(run, { stored, found })
  const left = await settled(run, { ...after, now: await published(run, after.now) })
  return { ...told, rollouts: listed(left.rollouts), done, shards: [] }
}

/** A person's word on rollouts, before they are judged. */
export type Change = (rollouts: ReadonlyMap<string, Rollout>) => ReadonlyMap<string, Rollout>

const nobody: Sweep = { sightings: [], unseen: [], unreadable: [] }

type Run = {
  readonly ports: Ports
  readonly fleet: FleetHost
  readonly host: RolloutsHost
  readonly world: World
  readonly mode: Mode
  readonly knowing: Knowing
  readonly standing: Omit<Parameters<typeof standingsOf>[1], 'rollouts'>
  readonly sightings: readonly Sighting[]
  readonly cases: readonly Case[]
  readonly judged: ReadonlyMap<string, Judged>
  readonly judgeAgain: (given: Case) => Judged
  readonly place: string
  /** The rollouts as they were when the run began. */
  readonly before: ReadonlyMap<string, Rollout>
}

/** `owner/name` of the catalog. */
function catalogOf({ run }: Ports, { catalog }: World): string {
  const place = run === undefined ? catalog.workflows?.repository : `${run.repository.owner}/${run.repository.name}`
  if (place !== undefined) return place
  throw new Refused('catalog-place', 'It is not known which repository on GitHub this catalog is.', {
    remedy: 'Write `workflows: { repository: owner/name }` in catalog.yaml.',
  })
}

async function hostsOf(
  ports: Ports,
  place: string,
): Promise<{ readonly fleet: FleetHost; readonly host: RolloutsHost }> {
  if (ports.fleet === undefined || ports.rollouts === undefined)
    throw new Refused('github-token', 'There is no token to speak to GitHub with.', {
      remedy:
        'Set GITHUB_TOKEN to one that may read and write the repositories of services; or name a service, to move it here.',
    })
  return { fleet: await ports.fleet(), host: await ports.rollouts(place) }
}

async function reached(
  fleet: FleetHost,
  { world: { catalog }, place }: { readonly world: World; readonly place: string },
): Promise<{ readonly repositories: readonly FleetRepository[]; readonly own: FleetRepository | undefined }> {
  const [owner = ''] = place.split('/')
  const repositories = catalog.repositories === undefined ? [] : await fleet.repositories(catalog.repositories, owner)
  const isOwn = ({ name }: FleetRepository): boolean => name.toLowerCase() === place.toLowerCase()
  const there =
    repositories.find(isOwn) ?? (await fleet.repositories({ by: 'name', names: [place] }, owner)).find(isOwn)
  return { repositories, own: there }
}

/** What became of pull requests that the reading did not tell enough of: who closed them, and what was deployed of them. */
async function followed(
  fleet: FleetHost,
  {
    sightings,
    stored,
    world,
    now,
  }: { readonly sightings: readonly Sighting[]; readonly stored: Stored; readonly world: World; readonly now: Date },
): Promise<{ readonly sightings: readonly Sighting[]; readonly outcomes: Outcomes }> {
  // An answer by a tick alone was given while it was open: who has closed it since is not known yet.
  const answered = new Set(
    stored.answers.answers
      .filter(({ by }) => by !== undefined)
      .map(({ consumer, pullRequest }) => `${consumer}#${pullRequest}`),
  )
  const stages = world.catalog.stages.length
  const wanted = [
    ...unsure(sightings, answered),
    ...hidden(sightings, stored.answers),
    ...watched(sightings, { rollouts: stored.rollouts, stages, now }),
  ]
  const each = new Map(wanted.map((pull) => [`${pull.repository.id}#${pull.number}`, pull]))
  const found = each.size === 0 ? [] : await fleet.outcomes([...each.values()])
  const outcomes: Outcomes = new Map(
    found.map((outcome) => [`${outcome.repository.id}#${outcome.pull.number}`, outcome]),
  )
  const by = new Map(stored.answers.answers.map((answer) => [`${answer.consumer}#${answer.pullRequest}`, answer.by]))
  const byRepository = Map.groupBy(found, ({ repository }) => repository.id)
  return {
    outcomes,
    sightings: sightings.map((sighting) => {
      const { consumer, repository } = sighting
      const known = sighting.pulls.map((pull) => {
        const outcome = outcomes.get(`${repository.id}#${pull.number}`)
        if (outcome !== undefined) return outcome.pull
        const kept = by.get(`${consumer.key}#${pull.number}`)
        return pull.state === 'closed' && isCloser(kept) ? { ...pull, closedBy: kept } : pull
      })
      const numbers = new Set(known.map(({ number }) => number))
      const others = (byRepository.get(repository.id) ?? []).flatMap(({ pull }) => {
        const isMine =
          by.has(`${consumer.key}#${pull.number}`) ||
          stored.rollouts
            .values()
            .some(({ members }) =>
              members.some(({ key, pullRequest }) => key === consumer.key && pullRequest === pull.number),
            )
        return isMine && !numbers.has(pull.number) ? [pull] : []
      })
      return { ...sighting, pulls: [...known, ...others] }
    }),
  }
}

/** The pull requests of answers that still count, where their branches are gone: a person may have taken one back. */
function hidden(sightings: readonly Sighting[], { answers }: Answers): readonly FleetPull[] {
  const byConsumer = Map.groupBy(answers, ({ consumer }) => consumer)
  return sightings.flatMap(({ consumer, repository, pulls }) =>
    (byConsumer.get(consumer.key) ?? [])
      .filter(({ width, version }) => width !== 'version' || compareVersions(version, consumer.version) > 0)
      .filter(({ pullRequest }) => !pulls.some(({ number }) => number === pullRequest))
      .map(({ pullRequest }) => ({ repository, number: pullRequest })),
  )
}

function isCloser(text: string | undefined): text is 'us' | `@${string}` {
  return text === 'us' || text?.startsWith('@') === true
}

/** When pull requests of ours were opened. */
function openedOf(sightings: readonly Sighting[]): readonly string[] {
  return sightings.flatMap(({ pulls }) => pulls.filter(({ isOurs }) => isOurs).map(({ created }) => created))
}

/** What is urgent first, then by waves; a consumer's tracks stay together. */
function inTurn(cases: readonly Case[], waves: ReturnType<typeof wavesFor>): readonly Case[] {
  const place = new Map<string, number>()
  for (const {
    sighting: { consumer },
    track: { target },
  } of cases) {
    if (target.is === 'none') continue
    const wave = target.isUrgent ? -1 : (waves.get(`${consumer.template}@${target.to}`)?.get(consumer.key) ?? 0)
    place.set(consumer.key, Math.min(place.get(consumer.key) ?? wave, wave))
  }
  const of = ({ sighting: { consumer } }: Case): number => place.get(consumer.key) ?? Number.MAX_SAFE_INTEGER
  return cases.toSorted((a, b) => of(a) - of(b))
}

function listed(rollouts: ReadonlyMap<string, Rollout>): readonly Rollout[] {
  return [...rollouts.values()]
}

function membersOf(
  { cases, judged, standing }: Run,
  rollouts: ReadonlyMap<string, Rollout>,
  ends: ReadonlyMap<string, { readonly given: Case; readonly decision: Decision }>,
): ReadonlyMap<string, Rollout> {
  const now = cases.map((each) => ends.get(each.key)?.given ?? each)
  const decisionOf = (key: string): Decision | undefined => ends.get(key)?.decision ?? judged.get(key)?.decision
  return new Map(
    [...rollouts].map(([release, rollout]) => [release, withMembers(rollout, { cases: now, standing, decisionOf })]),
  )
}

function plannedOf({ cases, judged }: Run): readonly Done[] {
  return cases.flatMap((given) => {
    const found = judged.get(given.key)
    return found === undefined ? [] : [doneOf(given, found.decision, { is: isWrite(found) ? 'planned' : 'nothing' })]
  })
}

function doneOf(
  { sighting: { consumer }, track: { branch, target } }: Case,
  decision: Decision,
  end: Done['end'],
): Done {
  return { consumer, branch, to: target.is === 'move' ? target.to : undefined, decision, end }
}

function isWrite({ decision: { action } }: Judged): boolean {
  return action.is !== 'nothing' && action.is !== 'keep'
}

/** GitHub takes about so many new pull requests in an hour; what is more is for the next. */
const anHour = 480

/** The repositories that have something to write, in parts that a token can name. */
function shardsIn({ cases, judged }: Run): Upgraded['shards'] {
  const shares = new Map<string, Share>()
  let opened = 0
  for (const each of cases) {
    const found = judged.get(each.key)
    if (found === undefined || (!isWrite(found) && !needsLook(each, found) && found.decision.action.is !== 'keep'))
      continue
    const { is } = found.decision.action
    if ((is === 'open' || is === 'finish') && (opened += 1) > anHour) continue
    const repository = each.sighting.repository.name
    shares.set(repository, { repository, writes: (shares.get(repository)?.writes ?? 0) + (isWrite(found) ? 3 : 1) })
  }
  const parts = shardsOf([...shares.values()], { most: 1 })
  return parts.map((repositories, index) => ({ shard: `${index + 1}/${parts.length}`, repositories }))
}

type After = { readonly stored: Stored; readonly now: Remembered }

/** Writes what was decided, and says what became of each. */
async function carriedOut(
  run: Run,
  { stored, found }: { readonly stored: Stored; readonly found: Remembered },
): Promise<{ readonly done: readonly Done[]; readonly after: After }> {
  const { ports, fleet, host, cases, judged, knowing, place, mode } = run
  const expected = cases.filter((each) => judged.get(each.key)?.decision.action.is === 'open').length
  const pace = pacing(paceFor(found.pacer, expected), ports.clock)
  const isBusy = [...judged.values()].some(isWrite)
  // Of two runs at once, the one whose commit GitHub takes goes on.
  const now = isBusy && mode !== 'shard' ? await announced(run, found) : found
  const begun = now === found ? stored : await remember(host, { stored, now, why: 'Judge the rollouts' })
  if (begun === undefined) throw otherRun()
  const ends = new Map<string, { readonly given: Case; readonly decision: Decision; readonly end: Done['end'] }>()
  const settle = (given: Case, end: Judged | { readonly skipped: string }): void => {
    const before = judged.get(given.key)
    if ('decision' in end) ends.set(given.key, { given, decision: end.decision, end: { is: 'nothing' } })
    else if (before !== undefined)
      ends.set(given.key, { given, decision: undone(before, end.skipped), end: { is: 'skipped', why: end.skipped } })
  }
  let { resting } = found
  const saying = {
    world: run.world,
    rollouts: now.rollouts,
    runs: runsOf(run.sightings),
    catalog: place,
    server: ports.run?.server,
  }
  const writes = writesOf(cases, { ...knowing, fleet, saying, resting, judged, judgeAgain: run.judgeAgain, settle })
  const known = new Map(cases.map((each) => [each.key, each]))
  for await (const end of fleet.write(writes, pace)) {
    const given = ends.get(end.key)?.given ?? known.get(end.key)
    const decided = ends.get(end.key)?.decision ?? judged.get(end.key)?.decision
    if (given === undefined || decided === undefined) continue
    resting = restingAfter(resting, { end, repository: given.sighting.repository, now: ports.clock.now() })
    ends.set(end.key, { ...afterWrite(given, decided, end), end })
  }
  // A run that has to stop tells nothing of what it has not come to.
  for (const each of cases) {
    const found_ = judged.get(each.key)
    if (
      found_ === undefined ||
      ends.has(each.key) ||
      !isWrite(found_) ||
      isResting(resting, each.sighting.repository.number, run.knowing.now)
    )
      continue
    ends.set(each.key, { given: each, decision: undone(found_, left), end: { is: 'skipped', why: left } })
  }
  const done = cases.map((each): Done => {
    const end = ends.get(each.key)
    const decision = end?.decision ?? judged.get(each.key)?.decision ?? nothingDecided
    return doneOf(end?.given ?? each, decision, end?.end ?? { is: 'nothing' })
  })
  const after = { ...now, rollouts: membersOf(run, now.rollouts, ends), pacer: pace.pacer(), resting }
  return { done, after: { stored: begun, now: after } }
}

const left = 'GitHub takes no more for now; the next run goes on.'

const nothingDecided: Decision = { action: { is: 'nothing' }, standing: 'unreachable', why: 'Nothing was decided.' }

function runsOf(sightings: readonly Sighting[]): ReadonlyMap<string, number> {
  const runs = new Map<string, number>()
  for (const {
    consumer: { template, version },
  } of sightings)
    for (const name of [template, `${template}@${version}`]) runs.set(name, (runs.get(name) ?? 0) + 1)
  return runs
}

/** What is about to be written, with an issue for each rollout that somebody is asked about for the first time: its pull requests name it. */
async function announced(run: Run, found: Remembered): Promise<Remembered> {
  const { cases, judged } = run
  const asks = new Set(
    cases.flatMap(({ key, sighting: { consumer }, track: { target } }) =>
      target.is === 'move' && judged.get(key)?.decision.action.is === 'open'
        ? [`${consumer.template}@${target.to}`]
        : [],
    ),
  )
  return withIssuesOf(run, { now: { ...found, rollouts: membersOf(run, found.rollouts, new Map()) }, asks })
}

/** The rollouts as people see them, each in its issue. */
async function published(run: Run, now: Remembered): Promise<Remembered> {
  const { waves } = run.standing
  // Who sees a part of the fleet does not know that nothing is left.
  if (run.mode === 'shard') return withIssuesOf(run, { now })
  const over = new Map(
    [...now.rollouts].map(([release, each]) => [
      release,
      ended(each, { waves: countOf(waves.get(release)), now: run.ports.clock.now() }),
    ]),
  )
  return withIssuesOf(run, { now: { ...now, rollouts: over } })
}

async function withIssuesOf(
  { ports, host, world, standing, before }: Run,
  { now, asks }: { readonly now: Remembered; readonly asks?: ReadonlySet<string> },
): Promise<Remembered> {
  const { waves, upgrades } = standing
  const rollouts = await withIssues(host, {
    rollouts: now.rollouts,
    before,
    waves,
    upgrades,
    world,
    server: ports.run?.server ?? 'https://github.com',
    now: ports.clock.now(),
    ...(asks !== undefined && { asks }),
  })
  return { ...now, rollouts }
}

function otherRun(): Refused {
  return new Refused('rollouts-busy', 'Another run is at work on the upgrades.', {
    remedy: 'Let it end. What it leaves, the next run does.',
  })
}

/** So often what was written meanwhile is taken in. */
const mostTries = 5

/** Remembers how it stands, whatever another run has written meanwhile. */
async function settled({ host }: Run, { stored, now }: After): Promise<Remembered> {
  let [before, after] = [stored, now]
  for (let count = 0; count < mostTries; count += 1) {
    const written = await remember(host, { stored: before, now: after, why: 'Say how the upgrades stand' })
    if (written !== undefined) return written
    before = await recall(host)
    after = {
      rollouts: new Map([...before.rollouts, ...after.rollouts]),
      answers: after.answers,
      pacer: mergedPacer(before.pacer, after.pacer),
      resting: after.resting,
    }
  }
  throw otherRun()
}
