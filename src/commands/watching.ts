import type { Outcome, Ports } from '../command.ts'
import { diffShown, diffText } from '../core/diff-text.ts'
import type { Paint } from '../core/report.ts'
import { count } from '../core/report.ts'
import type { FileTree } from '../core/tree.ts'

/** One rendering: its outcome, and the texts if there are any. */
export type Rendering<Data> = { readonly outcome: Outcome<Data>; readonly files: FileTree | undefined }

/**
 * Renders, and renders again whenever one of the paths changes, until the run is stopped. What is shown each time are the
 * problems, or how the texts differ from those before; nothing where nothing came of the change.
 */
export async function whileWatching<Data>(
  ports: Ports,
  {
    paths,
    render,
    show,
  }: {
    readonly paths: readonly string[]
    readonly render: () => Promise<Rendering<Data>>
    readonly show: (outcome: Outcome<Data>) => void
  },
): Promise<Outcome<Data>> {
  // Watched from the start, so that what changes during the first rendering is not missed.
  const moments = await ports.files.changes(paths, ports.signal)
  let last = await render()
  let good = last.files
  show(first(last))
  for await (const _ of moments) {
    const next = await render()
    const before = last
    last = next
    if (next.files === undefined) {
      if (!sameProblems(before, next)) show(next.outcome)
      continue
    }
    const mended = before.files === undefined
    const known = good
    good = next.files
    const { files } = next
    if (mended || changed(known, files)) {
      show({ ...quiet(next.outcome), text: (paint) => difference(known ?? new Map(), { files, paint }) })
    }
  }
  return { ...quiet(last.outcome), exit: 'done', text: () => 'Stopped watching.', problems: [] }
}

/** An outcome that prints nothing of the whole texts. */
function quiet<Data>({ exit, data, text, problems = [], sources }: Outcome<Data>): Outcome<Data> {
  return { exit, data, text, problems, ...(sources !== undefined && { sources }) }
}

function first<Data>({ outcome, files }: Rendering<Data>): Outcome<Data> {
  const { exact } = outcome
  if (files === undefined) return outcome
  // What is shown next begins a line of its own.
  if (files.size === 1) return exact === undefined ? outcome : { ...outcome, exact: exact.replace(/\n?$/u, '\n') }
  const text = (): string => `${count(files.size, 'file')} rendered. Watching for changes; Ctrl-C ends it.`
  return { ...quiet(outcome), text }
}

function sameProblems<Data>(a: Rendering<Data>, b: Rendering<Data>): boolean {
  return JSON.stringify(a.outcome.problems) === JSON.stringify(b.outcome.problems)
}

function changed(before: FileTree | undefined, after: FileTree): boolean {
  return before?.size !== after.size || [...after].some(([path, text]) => before.get(path) !== text)
}

function difference(before: FileTree, { files, paint }: { readonly files: FileTree; readonly paint: Paint }): string {
  const paths = [...new Set([...before.keys(), ...files.keys()])]
  const diffs = paths.map((path) =>
    diffShown(diffText(before.get(path) ?? '', files.get(path) ?? ''), { before: path, after: 'rendered now', paint }),
  )
  const shown = diffs.filter((each) => each !== '')
  return shown.length === 0 ? paint.good('It renders again, to the same as before.') : shown.join('\n\n')
}
