import { count, list } from '../report.ts'
import { type ImpactWord, impactWords, type Loss } from './model.ts'
import { parseVersion } from '../version.ts'
import { type ChangeList, countsOf, type Report, type ReportedConsumer } from './report.ts'

/** Consumers of which the same is to be said. */
export type Group = {
  readonly is: ImpactWord
  readonly consumers: readonly [ReportedConsumer, ...ReportedConsumer[]]
  /** One sentence without its subject; names of resources are between back-ticks. */
  readonly what: string
}

/** Consumers by what is to be said of them, the gravest first. */
export function groupsOf(report: Report): readonly Group[] {
  const groups = Map.groupBy(report.consumers, (each) =>
    JSON.stringify([each.is, each.kind, each.template, whatOf(each, report)]),
  )
  return [...groups.values()].flatMap(([first, ...others]): Group[] =>
    first === undefined ? [] : [{ is: first.is, consumers: [first, ...others], what: whatOf(first, report) }],
  )
}

/** `Logs (AWS::Logs::LogGroup, holds logs) is replaced in dev and prod`. */
export function whatOf({ is, stages, problems, migrated }: ReportedConsumer, { lists }: Pick<Report, 'lists'>): string {
  const listOf = (number: number): ChangeList | undefined => lists[number]
  const also = migrated.length === 0 ? '' : `; ${count(migrated.length, 'input')} migrated`
  switch (is) {
    case 'needs-input':
    case 'does-not-render':
    case 'unknown': {
      const [first, ...others] = problems
      return `${first?.message ?? 'Nothing is known of it.'}${others.length === 0 ? '' : ` And ${others.length} more.`}`
    }
    case 'breaks-policy': {
      const broken = stages.flatMap(({ list: number }) => listOf(number)?.broken ?? [])
      const rules = [...new Set(broken.map(({ rule, resource }) => `\`${resource}\` breaks \`${rule}\``))]
      return `${few(rules)}${lossWords(stages, listOf)}`
    }
    case 'replaces':
      return `${lossWords(stages, listOf).replace(/^; /u, '')}${also}`
    case 'changed': {
      const changed = stages.filter((stage) => stage.is !== 'unchanged')
      const all = [...new Set(changed.map((stage) => changeWords(listOf(stage.list))))]
      return `${few(all)} in ${placesOf(changed)}${also}`
    }
    case 'unchanged':
      return `renders the same${also}`
  }
}

type Stages = ReportedConsumer['stages']

/** What is lost, each resource once, with the stages. */
function lossWords(stages: Stages, listOf: (number: number) => ChangeList | undefined): string {
  const lost = new Map<string, { readonly loss: Loss; readonly where: Stages[number][] }>()
  for (const stage of stages) {
    for (const loss of listOf(stage.list)?.losses ?? []) {
      const key = `${loss.logicalId} ${loss.type} ${loss.happens} ${loss.retained}`
      const known = lost.get(key) ?? { loss, where: [] }
      known.where.push(stage)
      lost.set(key, known)
    }
  }
  const told = [...lost.values()].map(({ loss, where }) => {
    const { logicalId, type, happens, holds, retained } = loss
    const kept = retained ? ', and stays in the account' : ''
    const verb = happens === 'perhaps replaced' ? 'may be replaced' : `is ${happens}`
    return `\`${logicalId}\` (\`${type}\`${holds === undefined ? '' : `, holds ${holds}`}) ${verb} in ${placesOf(where)}${kept}`
  })
  return told.length === 0 ? '' : `; ${few(told)}`
}

function changeWords(changes: ChangeList | undefined): string {
  const all = changes?.changes ?? []
  const of = (action: string): number => all.filter((change) => change.action === action).length
  const parts = [
    [of('create'), 'added'],
    [of('update'), 'changed'],
    [of('replace'), 'made anew'],
    [of('delete'), 'deleted'],
  ] as const
  const words = parts.flatMap(([number, verb]) => (number === 0 ? [] : [`${count(number, 'resource')} ${verb}`]))
  const outputs = changes?.outputs.length ?? 0
  return list([...words, ...(outputs > 0 ? [`${count(outputs, 'output')} changed`] : [])])
}

function placesOf(stages: Stages): string {
  const names = [...new Set(stages.map(({ stage, unit }) => stage ?? unit.replace(/^environment\//u, '')))]
  return names.length > 5 ? `${names.length} stages` : list(names)
}

function few(all: readonly string[]): string {
  return all.length > 3 ? `${all.slice(0, 3).join(', ')} and ${all.length - 3} more` : list(all)
}

/** What is said of all consumers that a word is for, with one and with several of them. */
export const outcomes: Readonly<Record<ImpactWord | 'untouched', readonly [string, string]>> = {
  'does-not-render': ['does not render', 'do not render'],
  'needs-input': ['needs an input', 'need an input'],
  'breaks-policy': ['breaks a rule of the policy', 'break a rule of the policy'],
  replaces: ['loses a resource', 'lose a resource'],
  unknown: ['is broken already, so nothing is known of it', 'are broken already, so nothing is known of them'],
  changed: ['changes in place', 'change in place'],
  unchanged: ['renders the same', 'render the same'],
  untouched: ['is not concerned', 'are not concerned'],
}

/** From the gravest. */
export const worstFirst: readonly ImpactWord[] = impactWords.toReversed()

/** `web 1.5.0: 2 of 26 consumers do not render, 3 lose a resource`; one line of plain text. */
export function verdictOf(report: Report): string {
  const counts = countsOf(report)
  const total = report.consumers.length + report.untouched
  const bad = (['does-not-render', 'needs-input', 'breaks-policy', 'replaces'] as const).filter(
    (word) => counts[word] > 0,
  )
  const number = (word: ImpactWord, isFirst: boolean): string => {
    const many = counts[word]
    const of = isFirst ? ` of ${count(total, 'consumer')}` : ''
    return `${many}${of} ${outcomes[word][many === 1 ? 0 : 1]}`
  }
  if (total === 0) return `${subjectOf(report)}: nobody runs it`
  if (bad.length > 0) return `${subjectOf(report)}: ${list(bad.map((word, index) => number(word, index === 0)))}`
  if (counts.changed > 0) return `${subjectOf(report)}: ${number('changed', true)}, nothing is lost`
  const back = yankedIn(report).length
  const taken = back === 0 ? '' : `, and ${back} ${back === 1 ? 'runs' : 'run'} a version that was taken back`
  return `${subjectOf(report)}: nothing changes for ${count(total, 'consumer')}${taken}`
}

/**
 * Whom another version of the same major takes resources from, so that its number says too little. What is only perhaps replaced proves
 * nothing.
 */
export function understatedTo({ consumers, lists }: Pick<Report, 'consumers' | 'lists'>): readonly ReportedConsumer[] {
  const loses = ({ list }: ReportedConsumer['stages'][number]): boolean =>
    lists[list]?.losses.some(({ happens }) => happens !== 'perhaps replaced') === true
  return consumers.filter(
    ({ from, to, through, stages }) =>
      through.includes('template') && parseVersion(from)?.major === parseVersion(to)?.major && stages.some(loses),
  )
}

/** Who runs a version that was taken back. */
export function yankedIn({ consumers }: Pick<Report, 'consumers'>): readonly ReportedConsumer[] {
  return consumers.filter(({ standing }) => standing === 'yanked')
}

function subjectOf({ templates }: Report): string {
  const names = templates.map(({ template, is, majors }) => {
    const versions = majors.flatMap(({ after }) => after ?? [])
    return is === 'removed' ? `${template} taken away` : `${template} ${list(versions)}`.trimEnd()
  })
  if (names.length === 0) return 'The catalog'
  return names.length > 3 ? count(names.length, 'template') : list(names)
}

/** Whether somebody has to do something, or would lose something. */
export function isGrave(report: Report): boolean {
  const counts = countsOf(report)
  return counts['does-not-render'] + counts['needs-input'] + counts['breaks-policy'] + counts.replaces > 0
}
