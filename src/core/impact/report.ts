import { compareText } from '../canonical.ts'
import type { PolicyFact } from '../policy.ts'
import type { Problem } from '../problem.ts'
import type { ReleaseStatus } from '../release/status.ts'
import type { Change } from '../stack/diff.ts'
import type { TemplateChange } from './changes.ts'
import { type ImpactWord, impactWords, type Loss, type StageImpact } from './model.ts'
import type { ConsumerImpact, OutputChange, Through } from './radius.ts'

/**
 * What a change does to everybody, as data: it is handed from the job that renders to the one that says it on the pull request, and
 * kept as an artifact. It holds names and paths, and never the value of a property.
 */
export type Report = {
  /** What was rendered, the head of the pull request that it is for, and what it was compared with. */
  readonly commit?: string
  readonly head?: string
  readonly since?: string
  /** When the consumers in other repositories were read, as ISO 8601 has it; nothing where they were not. */
  readonly read?: string
  readonly templates: readonly TemplateChange[]
  readonly outputs: readonly OutputChange[]
  /** How many services the change does not concern. */
  readonly untouched: number
  /** Repositories of services that could not be read. */
  readonly unread: readonly { readonly repository: string; readonly why: string }[]
  /** What happens to units, each once; most units of a fleet have it in common with many. */
  readonly lists: readonly ChangeList[]
  /** The gravest first. */
  readonly consumers: readonly ReportedConsumer[]
}

export type ChangeList = {
  readonly changes: readonly (Pick<Change, 'logicalId' | 'type' | 'action' | 'because' | 'retained'> & {
    /** The paths of properties. */
    readonly properties: readonly string[]
  })[]
  readonly losses: readonly Loss[]
  readonly outputs: readonly string[]
  readonly broken: readonly Pick<PolicyFact, 'rule' | 'resource' | 'message'>[]
}

export type ReportedConsumer = {
  readonly consumer: string
  readonly kind: ConsumerImpact['is']
  readonly repository?: string
  readonly file: string
  readonly owner?: string
  readonly template: string
  readonly from: string
  readonly to: string
  readonly through: readonly Through[]
  readonly standing?: Exclude<ReleaseStatus['is'], 'supported'>
  readonly is: ImpactWord
  /** `list` is the number of a list of changes. */
  readonly stages: readonly (Pick<StageImpact, 'unit' | 'stage' | 'is'> & { readonly list: number })[]
  readonly problems: readonly ReportedProblem[]
  /** What its inputs become, one line each. */
  readonly migrated: readonly string[]
}

/** A problem in the file of a consumer; what it says is shortened. */
export type ReportedProblem = Pick<Problem, 'code' | 'message' | 'remedy'> & {
  readonly file?: string
  readonly line?: number
}

/** Of more than these, more would not help. */
const mostProblems = 3
const mostWords = 400

/** Takes what becomes of consumers one by one, and keeps of each as little as is told of it. */
export class Collected {
  readonly #lists = new Map<string, number>()
  readonly #kept: ChangeList[] = []
  readonly #consumers: ReportedConsumer[] = []

  add(impact: ConsumerImpact): void {
    const { consumer, is: kind, repository, file, owner, template, from, to, through, standing } = impact
    this.#consumers.push({
      consumer,
      kind,
      ...(repository !== undefined && { repository }),
      file,
      ...(owner !== undefined && { owner }),
      template,
      from,
      to,
      through,
      ...(standing !== undefined && { standing: standing.is }),
      is: impact.impact.is,
      stages: impact.impact.stages.map((stage) => ({
        unit: stage.unit,
        ...(stage.stage !== undefined && { stage: stage.stage }),
        is: stage.is,
        list: this.#listOf(stage),
      })),
      problems: impact.impact.problems.slice(0, mostProblems).map(reported),
      migrated: impact.migrated.slice(0, 20).map(({ path, why }) => words(`${path}: ${why}`)),
    })
  }

  report(rest: Omit<Report, 'lists' | 'consumers'>): Report {
    const consumers = this.#consumers.toSorted(
      (a, b) =>
        impactWords.indexOf(b.is) - impactWords.indexOf(a.is) ||
        Number(this.#holdsNothing(a)) - Number(this.#holdsNothing(b)) ||
        compareText(a.consumer, b.consumer) ||
        compareText(a.repository ?? '', b.repository ?? ''),
    )
    return { ...rest, lists: this.#kept, consumers }
  }

  #holdsNothing({ stages }: ReportedConsumer): boolean {
    return !stages.some(({ list }) => this.#kept[list]?.losses.some(({ holds }) => holds !== undefined) === true)
  }

  #listOf({ changes, losses, outputs, broken }: StageImpact): number {
    const list: ChangeList = {
      changes: changes.map(({ logicalId, type, action, because, retained, properties }) => ({
        logicalId,
        type,
        action,
        because,
        retained,
        properties: properties.map(({ path }) => path),
      })),
      losses,
      outputs: outputs.map(({ path }) => path.replace(/^Outputs\./u, '')),
      broken: broken.map(({ rule, resource, message }) => ({ rule, resource, message: words(message) })),
    }
    const key = JSON.stringify(list)
    const known = this.#lists.get(key)
    if (known !== undefined) return known
    this.#lists.set(key, this.#kept.length)
    return this.#kept.push(list) - 1
  }
}

function reported({ code, message, remedy, at }: Problem): ReportedProblem {
  return {
    code,
    message: words(message),
    remedy: words(remedy),
    ...(at !== undefined && { file: at.file, line: at.line }),
  }
}

function words(text: string): string {
  return text.length > mostWords ? `${text.slice(0, mostWords - 1)}…` : text
}

/** How many consumers there are of each word. */
export function countsOf({ consumers }: Pick<Report, 'consumers'>): Readonly<Record<ImpactWord, number>> {
  const counts = Object.fromEntries(impactWords.map((word) => [word, 0]))
  for (const { is } of consumers) counts[is] = (counts[is] ?? 0) + 1
  const of = (word: ImpactWord): number => counts[word] ?? 0
  return {
    unchanged: of('unchanged'),
    changed: of('changed'),
    replaces: of('replaces'),
    'breaks-policy': of('breaks-policy'),
    'needs-input': of('needs-input'),
    'does-not-render': of('does-not-render'),
    unknown: of('unknown'),
  }
}
