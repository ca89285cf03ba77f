import { line } from '../encode.ts'
import { count, type Paint, plain, table } from '../report.ts'
import { countsOf, type Report, type ReportedConsumer } from './report.ts'
import { groupsOf, outcomes, verdictOf, worstFirst, yankedIn } from './words.ts'

/** What a change does to everybody, for the terminal: the verdict, the counts, the gravest first. */
export function impactText(report: Report, { paint = plain }: { readonly paint?: Paint } = {}): string {
  const counts = { ...countsOf(report), untouched: report.untouched }
  const told = [...worstFirst, 'untouched' as const].filter((word) => counts[word] > 0)
  const groups = groupsOf(report).filter(({ is }) => is !== 'unchanged')
  const rows = groups.slice(0, mostRows).map(({ consumers, what, is }) => {
    const [first] = consumers
    const versions = first.from === first.to ? first.to : `${first.from} → ${first.to}`
    const word = is === 'changed' ? paint.notice : is === 'unknown' ? paint.dim : paint.bad
    return [
      { text: line(namesOf(consumers)), paint: paint.bold },
      line(`${first.template} ${versions}`),
      { text: line(what.replaceAll('`', '')), paint: word },
    ]
  })
  const left = groups.length - rows.length
  return [
    paint.bold(line(verdictOf(report))),
    '',
    ...told.map((word) => `${String(counts[word]).padStart(7)}  ${outcomes[word][counts[word] === 1 ? 0 : 1]}`),
    ...(rows.length === 0
      ? []
      : ['', table([{ name: 'Who' }, { name: 'Template' }, { name: 'What becomes of it' }], rows)]),
    ...yankedIn(report)
      .slice(0, mostRows)
      .map(({ consumer, template, from }) =>
        paint.bad(line(`${consumer} runs ${template} ${from}, which was taken back`)),
      ),
    ...(left > 0 ? [`and ${count(left, 'more line')}: \`--json\` has all`] : []),
    ...report.outputs.map(({ environment, output, is, services }) =>
      line(
        `environment ${environment}: the output ${output} is ${is}; ${count(services, 'service')} ${services === 1 ? 'reads' : 'read'} it`,
      ),
    ),
    ...report.unread.slice(0, mostRows).map(({ repository, why }) => line(`${repository} was not read: ${why}`)),
    ...(report.read === undefined
      ? [paint.dim('Services in other repositories were not looked at: see `protium consumers`.')]
      : []),
  ].join('\n')
}

const mostRows = 40

function namesOf(consumers: readonly ReportedConsumer[]): string {
  const names = consumers.slice(0, 3).map(({ consumer }) => consumer)
  return consumers.length > 3 ? `${names.join(', ')} and ${consumers.length - 3} more` : names.join(', ')
}
