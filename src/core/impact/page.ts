import { commentBudget, type Made } from '../comment.ts'
import type { Markdown } from '../markdown.ts'
import {
  alert,
  blocks,
  bullets,
  code,
  cut,
  fence,
  fold,
  link,
  listed,
  marker,
  plainText,
  prose,
  shorten,
  sizeOf,
  small,
  stacked,
  table,
  title,
} from '../markdown.ts'
import { count, list } from '../report.ts'
import type { ImpactWord } from './model.ts'
import { type ChangeList, countsOf, type Report, type ReportedConsumer } from './report.ts'
import { type Group, groupsOf, outcomes, verdictOf, worstFirst, yankedIn } from './words.ts'

/** What of a name is shown; what is hostile is often long. */
const longest = 80

/** How much of it is shown at a time: rows of groups, folds with their changes, names in a row and in a fold. */
type Room = { readonly rows: number; readonly folds: number; readonly names: number }

const rooms: readonly Room[] = [
  { rows: 60, folds: 20, names: 200 },
  { rows: 40, folds: 10, names: 50 },
  { rows: 20, folds: 5, names: 10 },
  { rows: 10, folds: 0, names: 3 },
]

/**
 * The comment on a pull request of a catalog: what merging would do to everybody, the counts first, then the gravest. It is at
 * most 60,000 characters long; the whole is in the artifact of the run.
 */
export function impactPage(report: Report, { made }: { readonly made: Made }): Markdown {
  const rest =
    made.run === undefined ? prose`The whole is in the artifact.` : prose`The whole: ${link('the run', made.run)}.`
  for (const room of rooms) {
    const page = pageOf(report, { made, room })
    if (sizeOf(page, commentBudget.unit) <= commentBudget.most) return page
  }
  return cut(pageOf(report, { made, room: { rows: 5, folds: 0, names: 1 } }), { ...commentBudget, rest })
}

function pageOf(report: Report, { made, room }: { readonly made: Made; readonly room: Room }): Markdown {
  const groups = groupsOf(report)
  const told = groups.filter(({ is }) => is !== 'unchanged')
  const rows = told.slice(0, room.rows).map(({ consumers, what }) => {
    const [first] = consumers
    const versions = first.from === first.to ? prose`${first.to}` : prose`${first.from} → ${first.to}`
    return [
      named(consumers, Math.min(room.names, 5)),
      prose`${code(shorten(first.template, longest))} ${versions}`,
      plainText(what),
    ]
  })
  const folds = told.slice(0, room.folds).map((group) => foldOf(group, report, room))
  return blocks([
    marker('impact'),
    prose`### Blast radius of ${plainText(verdictOf(report))}`,
    lossAlert(told, report),
    countsTable(report),
    rows.length === 0 ? undefined : table(['Who', 'Template', 'What becomes of it'], rows),
    told.length > rows.length
      ? prose`And ${count(told.length - rows.length, 'more line')} in the artifact of the run.`
      : undefined,
    outputsTable(report, room),
    notesOf(report, room),
    folds.length === 0 ? undefined : stacked(folds),
    small([
      prose`commit ${code(made.commit.slice(0, 7))}`,
      report.since === undefined ? undefined : prose`compared with ${code(report.since.slice(0, 7))}`,
      report.read === undefined
        ? prose`other repositories were not read`
        : prose`other repositories read ${code(shorten(report.read, 30))}`,
      made.run && link('the whole', made.run),
    ]),
  ])
}

function named(consumers: readonly ReportedConsumer[], most: number): Markdown {
  const shown = consumers.slice(0, most).map(({ consumer, owner }) => {
    const name = code(shorten(consumer, longest))
    return owner === undefined ? name : prose`${name} (${plainText(shorten(owner, longest))})`
  })
  const left = consumers.length - shown.length
  return listed(left > 0 ? [...shown, prose`**${left} more**`] : shown)
}

/** What holds data and would be lost, each resource once. */
function lossAlert(groups: readonly Group[], { lists }: Report): Markdown | undefined {
  const lost = new Map<string, { readonly words: Markdown; readonly who: Set<ReportedConsumer> }>()
  for (const { consumers } of groups) {
    for (const each of consumers) {
      for (const { list: number } of each.stages) {
        for (const { logicalId, type, happens, holds, retained } of lists[number]?.losses ?? []) {
          if (holds === undefined || retained) continue
          const key = `${logicalId} ${type} ${happens}`
          const verb = happens === 'perhaps replaced' ? 'may be replaced' : `is ${happens}`
          const words = prose`${code(shorten(logicalId, longest))} (${code(shorten(type, longest))}), which holds ${plainText(holds)}, ${verb}`
          const known = lost.get(key) ?? { words, who: new Set<ReportedConsumer>() }
          known.who.add(each)
          lost.set(key, known)
        }
      }
    }
  }
  const all = [...lost.values()].toSorted((a, b) => b.who.size - a.who.size)
  if (all.length === 0) return undefined
  const points = all.slice(0, 5).map(({ words, who }) => prose`**${count(who.size, 'consumer')}:** ${words}`)
  const left = all.length > points.length ? [prose`And ${count(all.length - points.length, 'more resource')}.`] : []
  return alert('CAUTION', blocks([prose`**Data would be lost.**`, bullets([...points, ...left])]))
}

function countsTable(report: Report): Markdown {
  const counts: Readonly<Record<ImpactWord | 'untouched', number>> = {
    ...countsOf(report),
    untouched: report.untouched,
  }
  const rows = [...worstFirst, 'untouched' as const].flatMap((word) => {
    const number = counts[word]
    return number === 0 ? [] : [[String(number), prose`${outcomes[word][number === 1 ? 0 : 1]}`]]
  })
  return table(['>Consumers', 'Outcome'], rows)
}

function outputsTable({ outputs }: Report, { rows: most }: Room): Markdown | undefined {
  if (outputs.length === 0) return undefined
  const rows = outputs
    .slice(0, most)
    .map(({ environment, output, is, templates, services }) => [
      code(shorten(environment, longest)),
      code(shorten(output, longest)),
      is,
      templates.length === 0
        ? 'nobody'
        : prose`${listed(templates.slice(0, 5).map((name) => code(shorten(name, longest))))} in ${count(services, 'service')}`,
    ])
  return table(['Environment', 'Output', 'Is', 'Read by'], rows)
}

function notesOf(report: Report, { names }: Room): Markdown | undefined {
  const yanked = yankedIn(report)
  const renamed = report.templates.flatMap(({ template, renamed: to }) =>
    to === undefined
      ? []
      : [
          prose`${code(template)} has the files that ${code(to)} has now: whoever runs it stays on its releases until somebody changes the name.`,
        ],
  )
  const removed = report.templates.flatMap(({ template, is, renamed: to }) =>
    is === 'removed' && to === undefined
      ? [prose`${code(template)} is taken away: whoever runs a release of it keeps it, and gets no upgrade any more.`]
      : [],
  )
  const points = [
    ...renamed,
    ...removed,
    ...(yanked.length > 0
      ? [
          prose`**Yanked:** ${named(yanked, names)} ${yanked.length === 1 ? 'runs' : 'run'} a version that was taken back.`,
        ]
      : []),
    ...(report.unread.length > 0 ? [unreadNote(report.unread, Math.min(names, 10))] : []),
    ...(report.read === undefined
      ? [prose`Services in other repositories were not read, so this is about those of the catalog alone.`]
      : []),
  ]
  return points.length === 0 ? undefined : bullets(points)
}

function unreadNote(unread: Report['unread'], most: number): Markdown {
  const shown = unread
    .slice(0, most)
    .map(({ repository, why }) => prose`${code(shorten(repository, longest))} (${plainText(shorten(why, longest))})`)
  const left = unread.length - shown.length
  return prose`**Not read:** ${listed(left > 0 ? [...shown, prose`${left} more`] : shown)}.`
}

function foldOf({ consumers, is }: Group, { lists }: Report, { names }: Room): Markdown {
  const [first] = consumers
  const head = title`<b>${shorten(first.consumer, longest)}</b>${consumers.length > 1 ? title` and ${consumers.length - 1} more` : title``}: ${outcomes[is][0]}`
  const stages = Map.groupBy(
    first.stages.filter((stage) => stage.is !== 'unchanged'),
    ({ list: number }) => number,
  )
  const parts = [...stages].map(([number, alike]) => {
    const where = list(
      [...new Set(alike.map(({ stage, unit }) => stage ?? unit))].map((name) => shorten(name, longest)),
    )
    return blocks([prose`**${plainText(where)}**`, fence(linesOf(lists[number]).join('\n'), 'diff')])
  })
  // What is said of all in one sentence may be other properties of the same resources.
  const others = consumers.filter((each) => signatureOf(each) !== signatureOf(first)).length
  const problems = first.problems.map(({ file, line, message, remedy, code: word }) => {
    const at = file === undefined ? prose`` : prose`${code(`${shorten(file, longest)}:${line ?? 0}`)} `
    return prose`${at}${plainText(message)} ${plainText(remedy)} ${code(word)}`
  })
  return fold(
    head,
    blocks([
      consumers.length > 1 ? named(consumers, names) : undefined,
      problems.length === 0 ? undefined : bullets(problems),
      first.migrated.length === 0
        ? undefined
        : bullets(first.migrated.map((words) => prose`migrated: ${plainText(words)}`)),
      others === 0
        ? undefined
        : prose`Shown are the changes of ${code(shorten(first.consumer, longest))}; those of ${others} of the others differ in details, and are in the artifact of the run.`,
      ...parts,
    ]),
  )
}

function signatureOf({ stages }: ReportedConsumer): string {
  return stages.map(({ stage, list: number }) => `${stage ?? ''} ${number}`).join()
}

const signs = { create: '+ ', update: '~ ', replace: '-+', delete: '- ' } as const
const mostLines = 60

function linesOf(changes: ChangeList | undefined): readonly string[] {
  const all = [
    ...(changes?.changes ?? []).flatMap(({ logicalId, type, action, properties, because }) => [
      `${signs[action]} ${logicalId}  ${type}  ${action}`,
      ...properties.map((path) => `!      ${path}${because.includes(path) ? '  causes the replacement' : ''}`),
    ]),
    ...(changes?.outputs ?? []).map((name) => `!  output ${name}`),
    ...(changes?.broken ?? []).map(({ resource, rule, message }) => `-  ${resource} breaks ${rule}: ${message}`),
  ]
  return all.length > mostLines ? [...all.slice(0, mostLines), `   and ${all.length - mostLines} more lines`] : all
}
