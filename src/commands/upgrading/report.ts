import { line } from '../../core/encode.ts'
import type { Markdown } from '../../core/markdown.ts'
import { blocks, code, plainText, prose, table as rows } from '../../core/markdown.ts'
import type { Problem } from '../../core/problem.ts'
import { count, type Paint, table } from '../../core/report.ts'
import type { Done, Mode, Upgraded } from './run.ts'

const columns = [{ name: 'consumer' }, { name: 'repository' }, { name: 'version' }, { name: 'state' }, { name: 'why' }]

/** Rows for all of which there is something to say; the quiet ones are counted. */
function shown({ done }: Upgraded): readonly Done[] {
  const quiet = new Set(['current', 'compatible', 'merged', 'off', 'closed'])
  return done.filter(({ decision, end }) => end.is !== 'nothing' || !quiet.has(decision.standing))
}

const most = 200

function cellsOf({ consumer, to, decision, end }: Done): readonly string[] {
  const version = to === undefined || to === consumer.version ? consumer.version : `${consumer.version} → ${to}`
  return [consumer.name, consumer.repository, version, stateOf({ decision, end }), decision.why]
}

function stateOf({ decision, end }: Pick<Done, 'decision' | 'end'>): string {
  if (end.is === 'planned') return `would ${deed(decision.action.is)}`
  if (end.is === 'opened') return `opened #${end.pull.number}`
  return end.is === 'refused' || end.is === 'left' || end.is === 'skipped' ? end.is : decision.standing
}

function deed(action: Done['decision']['action']['is']): string {
  const words = {
    nothing: 'do nothing',
    keep: 'keep',
    open: 'open',
    finish: 'open',
    move: 'move',
    append: 'add a commit',
    close: 'close',
    'delete-branch': 'delete the branch',
  } as const
  return words[action]
}

export function tableOf(upgraded: Upgraded, paint: Paint): string {
  const all = shown(upgraded)
  if (all.length === 0) return ''
  const cells = all.slice(0, most).map(cellsOf)
  const left = all.length - cells.length
  return [table(columns, cells, paint), ...(left > 0 ? [`and ${left} more.`] : [])].join('\n')
}

export function summaryOf({ done, rollouts, sweep }: Upgraded, mode: Mode): string {
  const by = (is: Done['end']['is']): number => done.filter(({ end }) => end.is === is).length
  const standing = rollouts.filter(({ is }) => is !== 'done')
  const parts =
    mode === 'dry' || mode === 'show'
      ? [`${count(by('planned'), 'consumer')} to write to`]
      : [
          `${count(by('opened') + by('there'), 'pull request')} opened`,
          `${by('done')} changed`,
          `${by('left') + by('moved') + by('skipped')} left`,
          `${by('refused')} refused`,
        ]
  const stops = standing.flatMap(({ template, version, is, stopped }) =>
    is === 'running' ? [] : [`${template}@${version} is ${is}: ${line(stopped?.why ?? '')}`],
  )
  return [
    `${count(sweep.sightings.length, 'consumer')}, ${count(standing.length, 'rollout')} under way: ${parts.join(', ')}.`,
    ...stops,
  ].join('\n')
}

export function pageOf(upgraded: Upgraded, mode: Mode): Markdown {
  const all = shown(upgraded)
  const left = all.length - Math.min(all.length, most)
  return blocks([
    prose`## Upgrades`,
    prose`${summaryOf(upgraded, mode)}`,
    all.length === 0
      ? undefined
      : rows(
          ['Consumer', 'Repository', 'Version', 'State', 'Why'],
          all.slice(0, most).map((each) => {
            const [name = '', repository = '', version = '', state = '', why = ''] = cellsOf(each)
            return [code(name), code(repository), code(version), plainText(state), plainText(why)]
          }),
        ),
    left > 0 ? prose`And ${left} more.` : undefined,
  ])
}

/** What could not be read or written, as warnings: one repository keeps no other waiting, and a run that did the rest is done. */
export function problemsOf({ sweep: { unseen, unreadable }, done }: Upgraded): readonly Problem[] {
  const warning = (message: string, remedy: string): Problem => ({
    code: 'upgrade-left',
    severity: 'warning',
    message,
    remedy,
  })
  return [
    ...unreadable.map(({ repository, file, words }) =>
      warning(
        `${repository.name}: ${file} cannot be read. ${words}`,
        'Correct the file there; it gets no upgrades until then.',
      ),
    ),
    ...unseen.map(({ repository, words }) =>
      warning(`${repository.name}: ${words}`, 'Nothing has to be done if that is meant to be so.'),
    ),
    ...done.flatMap(({ consumer, decision, end }) =>
      end.is === 'refused' ? [warning(`${consumer.repository}: ${decision.why}`, remedies[end.why])] : [],
    ),
  ]
}

const remedies = {
  gone: 'Nothing has to be done if it was deleted or moved away.',
  archived: 'Nothing has to be done; a repository that is archived gets no upgrades.',
  permission: 'Give the App `contents: write` and `pull-requests: write` there.',
  workflows: 'Give the App `workflows: write`, or take the file out of the skeleton.',
  rules: 'Let the rule make an exception for the App, or for branches that begin with `protium/`.',
  invalid: 'Look at what GitHub says; the next run tries it again.',
} as const
