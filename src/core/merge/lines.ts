/** A text as its lines without their ends, and what else there is to it. */
export type Lines = {
  readonly lines: readonly string[]
  /** Whether all of its lines end as on Windows. Where only some do, their `\r` are part of the lines. */
  readonly crlf: boolean
  /** Whether it begins with a byte order mark. */
  readonly bom: boolean
  /** Whether its last line ends; a text without lines has nothing that could lack its end. */
  readonly ended: boolean
}

export function linesOf(text: string): Lines {
  const bom = text.startsWith('\uFEFF')
  const plain = bom ? text.slice(1) : text
  const crlf = plain.includes('\r\n') && !/(?:^|[^\r])\n/u.test(plain)
  const lines = (crlf ? plain.replaceAll('\r\n', '\n') : plain).split('\n')
  const ended = lines.at(-1) === ''
  if (ended) lines.pop()
  return { lines, crlf, bom, ended }
}

export function textOf({ lines, crlf, bom, ended }: Lines): string {
  const end = crlf ? '\r\n' : '\n'
  const body = lines.join(end)
  return `${bom ? '\uFEFF' : ''}${body}${ended && lines.length > 0 ? end : ''}`
}

export function sameLines({ lines: one }: Lines, { lines: other }: Lines): boolean {
  return one.length === other.length && one.every((line, index) => line === other[index])
}

/**
 * How the lines of the merged text end, and how it begins: as in ours, unless ours has it as it was before; then as after. So
 * an editor that has turned all ends of lines is no conflict in each of them.
 */
export function formOf(texts: {
  readonly before: Lines
  readonly after: Lines
  readonly ours: Lines
}): Omit<Lines, 'lines'> {
  const { before, after, ours } = texts
  const pick = (of: 'crlf' | 'bom' | 'ended'): boolean => (ours[of] === before[of] ? after[of] : ours[of])
  return { crlf: pick('crlf'), bom: pick('bom'), ended: pick('ended') }
}

/**
 * The lines of ours that the merged text has no longer, and that the template has not taken away: for each line, how often
 * it is missing beyond what `after` has less of it than `before`. A merge that is right gives none.
 */
export function lostLines(texts: {
  readonly before: readonly string[]
  readonly after: readonly string[]
  readonly ours: readonly string[]
  readonly merged: readonly string[]
}): readonly string[] {
  const allowed = new Map<string, number>()
  const count = (lines: readonly string[], by: number): void => {
    for (const line of lines) allowed.set(line, (allowed.get(line) ?? 0) + by)
  }
  count(texts.before, 1)
  count(texts.after, -1)
  const missing = new Map<string, number>()
  for (const line of texts.ours) missing.set(line, (missing.get(line) ?? 0) + 1)
  for (const line of texts.merged) missing.set(line, (missing.get(line) ?? 0) - 1)
  return [...missing].filter(([line, times]) => times > Math.max(0, allowed.get(line) ?? 0)).map(([line]) => line)
}
