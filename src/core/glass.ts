import type { Gate, Glass } from './gates.ts'
import type { Markdown, Url } from './markdown.ts'
import { alert, blocks, bullets, code, link, marker, numbered, prose, small } from './markdown.ts'
import { ended } from './report.ts'

/** What was deployed without waiting for all of its gates. */
export type BrokenGlass = {
  readonly unit: string
  readonly commit: string
  readonly glass: Glass
  /** The gates that were not waited for. */
  readonly skipped: readonly Gate[]
}

/**
 * The comment on the merged pull request that asks for what has to follow an emergency. It stays until people have done it: nothing
 * but they can say so.
 */
export function glassComment(broken: BrokenGlass, { run }: { readonly run?: Url } = {}): Markdown {
  const { unit, commit, glass } = broken
  return blocks([
    marker('glass', unit),
    prose`### The glass was broken: ${unit}`,
    glassAlert(broken),
    prose`What has to follow:`,
    numbered([
      prose`Somebody else looks at commit ${code(commit.slice(0, 7))} now that it runs, and says here whether it may stay. If not: ${code(`protium rollback ${unit}`)}.`,
      prose`${glass.by} says here what the emergency was, and what would have helped to do without breaking the glass.`,
    ]),
    run === undefined ? undefined : small([link('the run', run)]),
  ])
}

/** Who broke it, why, and which gates were not waited for: for the comment, and for the summary of the job. */
export function glassAlert({ unit, commit, glass, skipped }: BrokenGlass): Markdown {
  const points = skipped.map(({ gate, why }) => prose`${gate}: ${ended(why)}`)
  return alert(
    'WARNING',
    blocks([
      prose`${glass.by} deploys commit ${code(commit.slice(0, 7))} to ${unit} without waiting: ${ended(glass.reason)}`,
      points.length === 0 ? prose`No gate was closed, so nothing was skipped.` : bullets(points),
    ]),
  )
}
