import type { Json, Outcome, Ports } from '../command.ts'
import { command, flag, lines, path, text } from '../command.ts'
import type { Waiting } from '../core/board.ts'
import type { Markdown } from '../core/markdown.ts'
import { blocks, code, plainText, prose, table as rows } from '../core/markdown.ts'
import type { Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import { count, table } from '../core/report.ts'
import { readNeeds, standingOf, waitingLabel } from '../core/resume.ts'
import { atGitHub } from './posting.ts'
import { stateFolders } from './reading.ts'
import type { Resumed } from './resuming.ts'
import { resumeIn, unlabel } from './resuming.ts'
import { settle } from './settling.ts'

type Result = Outcome<{ readonly started: Json; readonly waiting: Json }>

export const resume = command({
  name: 'resume',
  summary:
    'Goes on with what was held and may go on now: a soak or a freeze is over, somebody has approved, a runner was lost.',
  inputs: {
    fleet: text('Look into the repositories of this owner as well that have something waiting.', { hint: 'OWNER' }),
    jobs: text('The jobs of a run, as `needs` says how they ended: tells of those whose runner was lost, and ends.', {
      hint: 'JSON',
    }),
    service: text('Whose jobs these are: a service, or `environment`.', {}),
    environments: lines('The environment of a stage, where these are the jobs of environments.', {
      hint: 'STAGE: ENVIRONMENT',
    }),
    label: flag('Label the pull request of what was lost, so that the catalog finds it from its own repository.'),
    root: path('The folder of the organisation.', { default: '.' }),
    state: path('The folder of the local stacks and records; a relative one lies below the root.', {
      default: '.protium',
    }),
  },
  outputs: {
    started: 'What was started again: each with its repository, unit and stage.',
    waiting: 'What waits on: the same, with since when and why.',
  },
  permissions: {
    actions: { access: 'write', why: 'see how a run stands, and start its job again' },
    contents: { access: 'write', why: 'note on the branch `protium-board` what is started' },
    deployments: {
      access: 'write',
      why: 'say of a deployment that its runner was lost, or that it cannot be started again',
    },
    'pull-requests': {
      access: 'write',
      why: 'see who has approved, label what waits, and say what was stopped; without `fleet` and `jobs` `read`',
    },
  },
  async run(ports, { fleet, jobs, service, environments, label, root, state }): Promise<Result> {
    if (jobs !== undefined) return settled(ports, { jobs, service: service ?? '', environments, isLabelled: label })
    if (ports.run === undefined) return locally(ports, { root, state })
    return woken(ports, fleet)
  },
})

/** At GitHub: one read of the board where nothing waits; and one search where there is a fleet, whatever its size. */
async function woken(ports: Ports, fleet: string | undefined): Promise<Result> {
  const { run, github } = await atGitHub(ports)
  if (fleet !== undefined && !/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,98}[A-Za-z0-9])?$/u.test(fleet)) return noOwner(fleet)
  const here = `${run.repository.owner}/${run.repository.name}`
  const ends = [...(await resumeIn(ports, { repository: here, github, board: await ports.board('') }))]
  const problems: Problem[] = []
  const others = fleet === undefined ? new Map<string, readonly number[]>() : await github.labelled(fleet, waitingLabel)
  for (const [repository, pulls] of others) {
    if (repository.toLowerCase() === here.toLowerCase()) continue
    try {
      if (ports.elsewhere === undefined) break
      const place = { repository, ...(await ports.elsewhere(repository)) }
      const own = await resumeIn(ports, place)
      ends.push(...own)
      await unlabel(place, { pulls, waiting: own.map(({ entry }) => entry) })
    } catch (error) {
      if (!(error instanceof Refused) || error.code === 'interrupted') throw error
      // One repository that cannot be reached does not keep the others waiting.
      const { message, remedy } = error
      problems.push({ code: 'resume-failed', severity: 'error', message: `${repository}: ${message}`, remedy })
    }
  }
  return resultOf(ends, problems)
}

function noOwner(fleet: string): Result {
  const message = `fleet is ${JSON.stringify(fleet.slice(0, 100))}.`
  const expected = 'The name of an organisation or a user on GitHub.'
  const remedy = 'Correct `fleet:` below `with:` in the workflow.'
  return bad([{ code: 'option-value', severity: 'error', message, expected, remedy }])
}

function bad(problems: readonly Problem[]): Result {
  return { exit: 'bad-input', data: { started: [], waiting: [] }, text: () => '', problems }
}

function resultOf(ends: readonly Resumed[], more: readonly Problem[]): Result {
  const problems = [...ends.flatMap(({ problem }) => (problem === undefined ? [] : [problem])), ...more]
  const started = ends.filter(({ is }) => is === 'started')
  const others = ends.filter(({ is }) => is !== 'started')
  const words = `${count(started.length, 'promotion')} started again, ${others.length} waiting.`
  const cells = ends.map(({ repository, entry, is, why }) => [
    repository,
    entry.unit,
    entry.commit.slice(0, 7),
    is === 'started' ? 'started again' : `since ${entry.since.slice(0, 16).replace('T', ' ')}`,
    why,
  ])
  return {
    exit: problems.some(({ severity }) => severity === 'error') ? 'failed' : 'done',
    data: {
      started: started.map(({ repository, entry }) => told(repository, entry)),
      waiting: others.map(({ repository, entry, why }) => ({ ...told(repository, entry), since: entry.since, why })),
    },
    text: (paint) => (ends.length === 0 ? 'Nothing waits.' : `${table(columns, cells, paint)}\n\n${words}`),
    page: ends.length === 0 ? prose`Nothing waits.` : pageOf(words, cells),
    problems,
  }
}

const columns = [{ name: 'repository' }, { name: 'unit' }, { name: 'commit' }, { name: 'state' }, { name: 'why' }]

function told(repository: string, { unit, stage, commit }: Waiting) {
  return { repository, unit, stage, commit }
}

function pageOf(words: string, cells: readonly (readonly string[])[]): Markdown {
  return blocks([
    prose`## ${words}`,
    rows(
      ['Repository', 'Unit', 'Commit', 'State', 'Why'],
      cells.map(([repository = '', unit = '', commit = '', is = '', why = '']) => [
        code(repository),
        code(unit),
        code(commit),
        plainText(is),
        plainText(why),
      ]),
    ),
  ])
}

/** At the end of a run: what a runner that was lost could not say. */
async function settled(
  ports: Ports,
  wanted: {
    readonly jobs: string
    readonly service: string
    readonly environments: readonly string[]
    readonly isLabelled: boolean
  },
): Promise<Result> {
  const { run, github } = await atGitHub(ports)
  const jobs = readNeeds(wanted.jobs)
  const environments = wanted.environments.map((each) => each.split(':').map((part) => part.trim()))
  if (jobs === undefined || wanted.service === '') {
    const message = jobs === undefined ? 'jobs is no JSON of a map.' : 'jobs is given without service.'
    const expected = '`jobs: ${{ toJSON(needs) }}` and `service:`, as in the workflow stages.yml.'
    const remedy = 'Write the workflows anew: `protium workflows --write`.'
    return bad([{ code: 'option-value', severity: 'error', message, expected, remedy }])
  }
  const ends = await settle(ports, {
    github,
    board: await ports.board(''),
    run,
    service: wanted.service,
    environments: new Map(environments.map(([stage = '', environment = '']) => [stage, environment])),
    jobs,
    isLabelled: wanted.isLabelled,
  })
  const repository = `${run.repository.owner}/${run.repository.name}`
  const cells = ends.map(({ unit, why }) => [repository, unit, run.commit.slice(0, 7), '', why])
  return {
    exit: 'done',
    data: {
      started: [],
      waiting: ends.filter(({ is }) => is === 'waits').map(({ unit, why }) => ({ repository, unit, why })),
    },
    text: () =>
      ends.length === 0
        ? 'Every job has said how it ended.'
        : ends.map(({ unit, why }) => `${unit}: ${why}`).join('\n'),
    page: ends.length === 0 ? prose`Every job has said how it ended.` : pageOf('Jobs that were cut off', cells),
  }
}

/** In a terminal: deploys what waits on the board of this machine and may go on now, in one go. */
async function locally(
  ports: Ports,
  { root, state }: { readonly root: string; readonly state: string },
): Promise<Result> {
  const board = await (await ports.board(stateFolders(root, state).records)).read()
  const isDue = (entry: Waiting): boolean => {
    const standing = standingOf(entry, { board, now: ports.clock.now() })
    return standing.is === 'due' && standing.approvedSince === undefined && standing.locks.length === 0
  }
  const due = board.waiting.filter(isDue)
  const given = { services: due.map(({ unit }) => unit), root: [root], state: [state] }
  // A workflow, which only starts jobs, need not load all that deploys.
  const { deploy } = await import('./deploy.ts')
  const accepted = deploy.accept(new Map(Object.entries(given)))
  if (!accepted.ok) return bad(accepted.problems)
  const outcome = due.length === 0 ? undefined : await accepted.value(ports)
  if (outcome !== undefined) ports.show(outcome)
  const left = outcome === undefined ? board : await (await ports.board(stateFolders(root, state).records)).read()
  const ends = board.waiting.map((entry): Resumed => {
    const after = left.waiting.find(({ unit, commit }) => unit === entry.unit && commit === entry.commit)
    const why = (after ?? entry).gates.map((gate) => gate.why).join(' ')
    if (after !== undefined || !due.includes(entry)) return { repository: root, entry, is: 'waits', why }
    return { repository: root, entry, is: 'started', why: outcome?.exit === 'done' ? 'Deployed.' : 'See above.' }
  })
  const result = resultOf(ends, [])
  const isWell = outcome === undefined || outcome.exit === 'done' || outcome.exit === 'needs-approval'
  return isWell ? result : { ...result, exit: outcome.exit }
}
