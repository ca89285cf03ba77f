import { diffShown, diffText } from '../../core/diff-text.ts'
import { line } from '../../core/encode.ts'
import { count, type Paint } from '../../core/report.ts'
import type { FileOutcome } from '../../core/skeleton.ts'

/** The most lines that are shown of one place. */
const mostLines = 40

/**
 * What a person at a terminal has to look at in the files of a template: where both sides have changed something, with what the template
 * has in the place of what was kept. Nothing else shows it: what is merged is settled.
 */
export function sidesTexts(outcomes: readonly FileOutcome[], paint: Paint): readonly string[] {
  return outcomes.flatMap((outcome): readonly string[] => {
    if (outcome.is === 'conflict')
      return outcome.hunks.map((hunk) => {
        const head = `${outcome.path}, line ${hunk.line}: both sides have changed it, and yours was kept. To have the template's, change it by hand:`
        return shown(head, { ours: textOf(hunk.ours), after: textOf(hunk.after), paint })
      })
    if (outcome.is !== 'review') return []
    const head = `${outcome.path} was left as it is${outcome.ours === undefined ? ', for it is no text that could be changed. The template has:' : ". To have the template's, change it by hand:"}`
    return [shown(head, { ours: outcome.ours ?? '', after: outcome.after, paint })]
  })
}

function textOf(lines: readonly string[]): string {
  return lines.map((each) => `${each}\n`).join('')
}

function shown(
  head: string,
  { ours, after, paint }: { readonly ours: string; readonly after: string; readonly paint: Paint },
): string {
  const diff = diffText(ours.replaceAll('\r\n', '\n'), after)
  const rest = diff.length - mostLines
  return [
    paint.notice(line(head)),
    diffShown(diff.slice(0, mostLines), { before: 'yours', after: 'the template', paint }),
    ...(rest > 0 ? [paint.dim(`… ${count(rest, 'more line')}`)] : []),
  ].join('\n')
}
