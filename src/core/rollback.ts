import { planDetails } from './comment.ts'
import type { Markdown } from './markdown.ts'
import { blocks, bullets, code, prose } from './markdown.ts'
import type { Plan } from './plan.ts'

/** An attempt to deploy, as far as the page tells of it. */
type Attempt = {
  readonly id: string
  readonly template: string
  readonly version: string
  readonly by: string
  readonly finished: string
  readonly outcome: string
  readonly commit?: string
  readonly image?: string
}

/**
 * The page on a rollback before it is done: from what, to what, why, and what would change; who lets it begin has seen that.
 */
export function rollbackPage(
  plan: Plan,
  {
    id,
    record,
    history,
    reason,
  }: {
    readonly id: string
    readonly record: Attempt
    /** The latest records of the unit, the newest last. */
    readonly history: readonly Attempt[]
    readonly reason: string | undefined
  },
): Markdown {
  const last = history.at(-1)
  const held = last?.commit === undefined || last.commit === record.commit ? undefined : last.commit
  const [subject = '', ...places] = id.split('/')
  const where =
    subject === 'environment' ? prose`environment ${places.join(' ')}` : prose`${subject} → ${places.join(' ')}`
  return blocks([
    prose`## ${where}: back to ${record.commit === undefined ? code(record.id) : code(record.commit.slice(0, 7))}`,
    bullets([
      ...(reason === undefined ? [] : [prose`**Why:** ${reason}`]),
      ...(last === undefined ? [] : [prose`**From:** ${told(last)}`]),
      prose`**To:** ${told(record)}`,
      ...(record.image === undefined ? [] : [prose`**Image:** ${code(record.image)}`]),
      ...(held === undefined
        ? []
        : [
            prose`**Then:** ${code(held.slice(0, 7))} and what was merged before it are not deployed there again; a new commit is.`,
          ]),
    ]),
    planDetails(plan),
  ])
}

function told({ id, template, version, by, finished, outcome, commit }: Attempt): Markdown {
  const what = commit === undefined ? prose`` : prose` of commit ${code(commit.slice(0, 7))}`
  return prose`${code(template)} ${version}${what}, ${outcome} by ${code(by)} on ${finished.slice(0, 16).replace('T', ' ')} UTC (${code(id)})`
}
