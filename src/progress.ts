import type { Reporter, UnitProgress } from './command.ts'
import { line } from './core/encode.ts'
import type { Cell, Paint } from './core/report.ts'
import { duration, table } from './core/report.ts'

/** What a stream must be able to do to be drawn on. */
export type Screen = { readonly write: (text: string) => unknown; readonly columns?: number; readonly rows?: number }

/** A reporter of the terminal; `end` takes away what is drawn only while something runs. */
export type TerminalReporter = Reporter & { readonly end: () => void }

/** For logs, pipes and `--plain`: one line for each step and each unit that ended, in the order in which they ended. */
export function lineReporter(
  screen: Screen,
  { now, paint }: { readonly now: () => number; readonly paint: Paint },
): TerminalReporter {
  const time = stopwatch(now)
  const work = workTimes(now)
  return {
    step: (title, detail) => void screen.write(`${stepLine(title, detail, { took: time(), paint })}\n`),
    unit(progress) {
      const took = work(progress)
      if (progress.is === 'waiting' || progress.is === 'deploying') return
      const said = [progress.is, progress.detail].filter((word) => word !== '').join(', ')
      screen.write(`${stepLine(progress.unit, said, { took, paint })}\n`)
    },
    end: () => {},
  }
}

/**
 * For a terminal: steps as lines, and below them a table of rows by stages that is drawn again whenever something moves.
 * The table is gone at the end; the result says the same in full.
 */
export function liveReporter(
  screen: Screen,
  { now, paint }: { readonly now: () => number; readonly paint: Paint },
): TerminalReporter {
  const time = stopwatch(now)
  const work = workTimes(now)
  const board = new Map<string, Map<string, UnitProgress>>()
  let drawn = 0
  let drawnAt = Number.NEGATIVE_INFINITY
  const erased = (): string => {
    const codes = drawn === 0 ? '' : `\u001b[${drawn}F\u001b[0J`
    drawn = 0
    return codes
  }
  /** Takes the table away, writes what stays, and draws the table again: in one go, so that nothing flickers. */
  const draw = (stays: string): void => {
    const text = boardText(board, paint)
    const height = text === '' ? 0 : text.split('\n').length + 1
    const before = erased() + stays
    drawnAt = now()
    // A table that does not fit would scroll away and could not be erased.
    const fits = height > 0 && height < sizeOf(screen.rows, 24) && !tooWide(text, sizeOf(screen.columns, 80))
    screen.write(fits ? `${before}\n${text}\n` : before)
    drawn = fits ? height : 0
  }
  return {
    step: (title, detail) => draw(`${stepLine(title, detail, { took: time(), paint })}\n`),
    unit(progress) {
      const row = board.get(progress.row) ?? new Map<string, UnitProgress>()
      board.set(progress.row, row.set(progress.column, progress))
      const took = work(progress)
      const small = progress.is === 'deploying' || progress.is === 'waiting'
      if (small && now() - drawnAt < frame) return
      draw(
        progress.is === 'failed' ? `${stepLine(progress.unit, `failed, ${progress.detail}`, { took, paint })}\n` : '',
      )
    },
    end: () => void screen.write(erased()),
  }
}

/** Milliseconds between two pictures of the table. */
const frame = 40

function stepLine(
  title: string,
  detail: string,
  { took, paint }: { readonly took: number | undefined; readonly paint: Paint },
): string {
  if (took === undefined) return `  ${line(title).padEnd(22)} ${line(detail)}`
  return `  ${line(title).padEnd(22)} ${line(detail).padEnd(44)} ${paint.dim(duration(took).padStart(6))}`
}

/** How long a unit has been worked on, from the first to the last that was told of it; nothing before there was any work. */
function workTimes(now: () => number): (progress: UnitProgress) => number | undefined {
  const times = new Map<string, { readonly first: number; last: number }>()
  return ({ unit, is }) => {
    const time = times.get(unit)
    if (is === 'deploying') {
      if (time === undefined) times.set(unit, { first: now(), last: now() })
      else time.last = now()
    }
    return time === undefined ? undefined : time.last - time.first
  }
}

/** Milliseconds since it was last asked. */
function stopwatch(now: () => number): () => number {
  let last = now()
  return () => {
    const before = last
    last = now()
    return last - before
  }
}

function boardText(board: ReadonlyMap<string, ReadonlyMap<string, UnitProgress>>, paint: Paint): string {
  if (board.size === 0) return ''
  const columns = [...new Set([...board.values()].flatMap((row) => [...row.keys()]))]
  const rows = [...board].map(([name, row]): Cell[] => [
    { text: name, paint: paint.bold },
    ...columns.map((column) => boardCell(row.get(column), paint)),
  ])
  return table([{ name: ' ' }, ...columns.map((name) => ({ name }))], rows, paint).replaceAll(/^/gmu, '  ')
}

function boardCell(progress: UnitProgress | undefined, paint: Paint): Cell {
  if (progress === undefined) return ''
  const { is, done, of } = progress
  const tones = {
    waiting: paint.dim,
    deploying: paint.notice,
    deployed: paint.good,
    unchanged: paint.good,
    failed: paint.bad,
    skipped: paint.dim,
    held: paint.notice,
  } satisfies Record<UnitProgress['is'], (text: string) => string>
  // As wide in every state, so that the columns stand still.
  const text = is === 'deploying' && done !== undefined && of !== undefined ? `${bar(done, of)} ${done}/${of}` : is
  return { text: text.padEnd(14), paint: tones[is] }
}

function bar(done: number, of: number): string {
  const full = of === 0 ? 8 : Math.round((done / of) * 8)
  return '▰'.repeat(full) + '▱'.repeat(8 - full)
}

/** A terminal that does not know its size says 0. */
function sizeOf(told: number | undefined, usual: number): number {
  return told === undefined || told === 0 ? usual : told
}

function tooWide(text: string, columns: number): boolean {
  return text.split('\n').some((row) => row.replaceAll(/\u001b\[\d+m/gu, '').length >= columns)
}
