/**
 * Markdown for GitHub. Whatever a repository, a template, a provisioner or a person said becomes Markdown here and nowhere
 * else, so that it cannot mention anybody, refer to an issue, link, hold HTML, or break out of the cell, span or fence it
 * stands in. GitHub looks for mentions and references in the rendered page, in every text that is not code: a backslash
 * or an entity before an `@` changes nothing there, a code span does.
 *
 * Rules of the language: https://github.github.com/gfm/. Their GitHub part:
 * https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
 */

import { compactJson, line, lines } from './encode.ts'
import { list } from './report.ts'

/** Text that is safe to hand to GitHub: only this module makes it. */
export type Markdown = { readonly markdown: string }

/** HTML that stands in Markdown, where Markdown is not read: the title of a fold. */
export type Html = { readonly html: string }

/** An address that was put together from parts, each encoded. */
export type Url = { readonly url: string }

/** Longer texts end in `…` where they stand in a line; nobody reads more there, and what is hostile is often long. */
const longest = 500

// Inline

/**
 * Our own Markdown with values in it. A string among them is encoded as by `plainText`; what is Markdown already stays. The
 * literal parts are ours, and stay as they are.
 */
export function prose(
  literals: TemplateStringsArray,
  ...values: readonly (Markdown | Url | string | number)[]
): Markdown {
  return {
    markdown: joined(
      literals,
      values.map((value) => textOf(value, markdownOf)),
    ),
  }
}

/** The same for HTML. */
export function title(literals: TemplateStringsArray, ...values: readonly (Html | string | number)[]): Html {
  return {
    html: joined(
      literals,
      values.map((value) => textOf(value, htmlOf)),
    ),
  }
}

/** A text in a code span, fit for a table too: in a cell, a code span is the only thing that a `|` could break. */
export function code(text: string): Markdown {
  return { markdown: span(shorten(text)) }
}

/**
 * A text without more marks than it needs: what could mean something to GitHub is in code spans, word by word, and what is
 * between back-ticks already stays a code span of its own. For sentences with foreign words in them.
 */
export function plainText(text: string): Markdown {
  return { markdown: markdownOf(text) }
}

/** A link. Without an address it is the label alone. */
export function link(label: Markdown | string, address: Url | undefined): Markdown {
  const text = typeof label === 'string' ? plainText(label) : label
  return address === undefined ? text : { markdown: `[${text.markdown}](${address.url})` }
}

/**
 * An address below a server's, `https://github.com`, with each segment encoded. Nothing, if the server is no address of the
 * web or a segment is one that means another folder.
 */
export function url(server: string, segments: readonly (string | number)[]): Url | undefined {
  if (!/^https?:\/\/[a-z0-9.-]+(?::\d{1,5})?$/u.test(server)) return undefined
  const encoded = segments.map((segment) => encodeSegment(String(segment)))
  return encoded.some((segment) => segment === undefined) ? undefined : { url: [server, ...encoded].join('/') }
}

/** The address of a host; nothing if it is no host. */
export function hostUrl(host: string): Url | undefined {
  const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
  const isHost = host.length <= 253 && new RegExp(`^${label}(?:\\.${label})+$`, 'u').test(host)
  return isHost ? { url: `https://${host}` } : undefined
}

/** A host as a link to it; what is no host is shown as code. */
export function hostLink(host: string): Markdown {
  const address = hostUrl(host)
  return address === undefined ? code(host) : link({ markdown: host }, address)
}

function encodeSegment(text: string): string | undefined {
  if (text === '' || text === '.' || text === '..' || text.length > longest) return undefined
  return encodeURIComponent(text.toWellFormed()).replaceAll(
    /[!'()*~_]/gu,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(parts: readonly Markdown[]): Markdown {
  return { markdown: list(parts.map(({ markdown }) => markdown)) }
}

/** The same of HTML. */
export function listedHtml(parts: readonly Html[]): Html {
  return { html: list(parts.map(({ html }) => html)) }
}

/** A text, cut to what a line can take: at most 500 units of UTF-16, and not through a character. */
export function shorten(text: string, most = longest): string {
  if (text.length <= most) return text
  const end = most - 1
  const isHalf = /[\ud800-\udbff]/u.test(text.charAt(end - 1))
  return `${text.slice(0, isHalf ? end - 1 : end)}…`
}

function joined(literals: TemplateStringsArray, values: readonly string[]): string {
  let text = ''
  for (const [index, literal] of literals.entries()) {
    text = glued(glued(text, literal), values[index] ?? '')
  }
  return text
}

/** Two code spans that touch would be read as one. */
function glued(left: string, right: string): string {
  return left.endsWith('`') && right.startsWith('`') ? `${left} ${right}` : left + right
}

function textOf(value: Markdown | Html | Url | string | number, encode: (text: string) => string): string {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return encode(value)
  if ('markdown' in value) return value.markdown
  return 'html' in value ? value.html : value.url
}

function markdownOf(text: string): string {
  return encoded(text, { code: span, word: (word) => word })
}

function htmlOf(text: string): string {
  return encoded(text, { code: (word) => `<code>${escapeHtml(line(word))}</code>`, word: escapeHtml })
}

function escapeHtml(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return text.replaceAll(/[&<>]/gu, (character) => names[character] ?? '')
}

/** A code span: its marks are longer than any run of them inside. A `|` is shown as what it is, since no mark keeps it from ending a cell. */
function span(text: string): string {
  const shown = line(text).replaceAll('|', '\\u007c')
  if (shown === '') return '(empty)'
  const marks = '`'.repeat(longestRun(shown) + 1)
  const pad = shown.startsWith('`') || shown.endsWith('`') || /^ .* $/u.test(shown) ? ' ' : ''
  return `${marks}${pad}${shown}${pad}${marks}`
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/gu) ?? []).map((run) => run.length))
}

type Encoders = { readonly code: (text: string) => string; readonly word: (text: string) => string }

/** A text word by word: what is harmless stays, the rest and what is between back-ticks becomes code. Spaces are single. */
function encoded(text: string, { code: codeOf, word: wordOf }: Encoders): string {
  let made = ''
  for (const [index, piece] of shorten(text)
    .split(/`([^`]+)`/u)
    .entries()) {
    if (index % 2 === 1) made = glued(made, codeOf(piece))
    for (const [part] of index % 2 === 1 ? [] : piece.matchAll(/[ \t\r\n]+|[^ \t\r\n]+/gu)) {
      if (/^[ \t\r\n]/u.test(part)) made = made === '' ? '' : `${made} `
      else if (isHarmless(part, made === '')) made += wordOf(part)
      else {
        const [, core = part, end = ''] = /^(.*[^.,;:!?])([.,;:!?]+)$/su.exec(part) ?? []
        made = glued(made, codeOf(core)) + wordOf(end)
      }
    }
  }
  return made.trimEnd() === '' ? '(empty)' : made.trimEnd()
}

/**
 * Whether a word means nothing but itself, wherever it stands: letters and digits of any script, joined by single signs that
 * mean nothing to Markdown between them, or a time of day, with the signs of a sentence around. What GitHub would turn into a
 * link or a reference is not harmless: `www.`, `GH-12`, the digits of a commit; neither is what begins a list.
 */
function isHarmless(word: string, isFirst: boolean): boolean {
  const core = word.replace(/^[("'“‘]+/u, '').replace(/[.,;:!?)"'”’…]+$/u, '')
  if (core === '' || /^\d{1,2}:\d{2}(?::\d{2})?$/u.test(core)) return true
  if (isFirst && /^\d+[.)]$/u.test(word)) return false
  if (!/^[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:[.’'/-][\p{L}\p{N}][\p{L}\p{M}\p{N}]*)*%?$/u.test(core)) return false
  return !/www\.|gh-\d|ghsa-|cve-|(?:^|[^0-9a-z])[0-9a-f]{7,}(?:$|[^0-9a-z])/iu.test(core)
}

// Blocks

/** Blocks, one below the other. */
export function blocks(parts: readonly (Markdown | undefined)[]): Markdown {
  const texts = parts.flatMap((part) => (part === undefined || part.markdown === '' ? [] : [part.markdown.trimEnd()]))
  return { markdown: `${texts.join('\n\n')}\n` }
}

/** Folds that belong together, with no room between them. */
export function stacked(parts: readonly Markdown[]): Markdown {
  return { markdown: parts.map(({ markdown }) => markdown).join('\n') }
}

/** A heading of a level from 1 to 6. */
export function heading(level: number, text: Markdown): Markdown {
  return { markdown: `${'#'.repeat(level)} ${text.markdown}` }
}

/** A list. Each point is one line. */
export function bullets(points: readonly Markdown[]): Markdown {
  return { markdown: points.map(({ markdown }) => `- ${markdown}`).join('\n') }
}

/** A numbered list. */
export function numbered(points: readonly Markdown[]): Markdown {
  return { markdown: points.map(({ markdown }, index) => `${index + 1}. ${markdown}`).join('\n') }
}

/** A table; a column is aligned right if its name begins with a `>`. Strings are encoded as by `plainText`. */
export function table(columns: readonly string[], rows: readonly (readonly (Markdown | string)[])[]): Markdown {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const names = columns.map((name) => name.replace(/^>/u, ''))
  const rule = `|${columns.map((name) => (name.startsWith('>') ? '--:' : '---')).join('|')}|`
  const lined = rows.map((cells) => row(columns.map((_, index) => cellText(cells[index] ?? ''))))
  return { markdown: [row(names), rule, ...lined].join('\n') }
}

function cellText(cell: Markdown | string): string {
  if (typeof cell !== 'string') return cell.markdown
  return cell === '' ? '' : markdownOf(cell)
}

/** Lines of text as they are, in a fence that is longer than any run of back-ticks inside. Long lines end in `…`. */
export function fence(text: string, language: 'diff' | 'json' | '' = ''): Markdown {
  const shown = lines(text)
    .split('\n')
    .map((each) => shorten(each))
    .join('\n')
  const marks = '`'.repeat(Math.max(3, longestRun(shown) + 1))
  return { markdown: `${marks}${language}\n${shown}\n${marks}` }
}

/** What is hidden until it is asked for. */
export function fold(title: Html, body: Markdown): Markdown {
  return { markdown: `<details><summary>${title.html}</summary>\n\n${body.markdown.trimEnd()}\n</details>` }
}

/** What people must not overlook; at most one in a text. */
export function alert(kind: 'CAUTION' | 'WARNING', body: Markdown): Markdown {
  const quoted = body.markdown.trimEnd().split('\n')
  return { markdown: [`[!${kind}]`, ...quoted].map((each) => `> ${each}`.trimEnd()).join('\n') }
}

/** Small print. */
export function small(parts: readonly (Markdown | undefined)[]): Markdown {
  const texts = parts.flatMap((part) => (part === undefined ? [] : [part.markdown]))
  return { markdown: `<sub>${texts.join(' · ')}</sub>` }
}

/**
 * The line that our own comments are known by; GitHub does not show it. The subject is for people who read the source, and
 * is left out where it is not made of small letters, digits and hyphens.
 */
export function marker(kind: string, subject = ''): Markdown {
  const isName = /^[a-z0-9]+(?:[-/][a-z0-9]+)*$/u.test(subject) && subject.length <= 100
  return { markdown: `<!-- protium:${kind}${isName ? ` ${subject}` : ''} -->` }
}

/**
 * The same with data for the next run instead of a subject. The data is JSON on one line; what could end the comment is written as
 * JSON escapes.
 */
export function dataMarker(kind: string, data: unknown): Markdown {
  return { markdown: `<!-- protium:${kind} ${compactJson(data).replaceAll('>', '\\u003e')} -->` }
}

/** A point of a list with a box that people can tick; it is known again by its name, of small letters, digits, hyphens and spaces. */
export function checkbox(
  name: string,
  text: Markdown,
  state: { readonly ticked: boolean } = { ticked: false },
): Markdown {
  const kept = name.replaceAll(/[^a-z0-9 -]/gu, '')
  return { markdown: `- [${state.ticked ? 'x' : ' '}] ${text.markdown} <!-- protium:box ${kept} -->` }
}

/** The names of the boxes that are ticked in a text of ours. */
export function tickedBoxes(body: string): readonly string[] {
  const ticked = body.matchAll(/^[-*] \[[xX]\] [^\r\n]*<!-- protium:box ([a-z0-9 -]+) -->[ \t]*\r?$/gmu)
  return [...ticked].map(([, name = '']) => name)
}

/** The kind of a comment of ours, told by its first line. */
export function markedKind(body: string): string | undefined {
  return /^<!-- protium:([a-z]+)(?: [a-z0-9/-]+)? -->\r?(?:\n|$)/u.exec(body)?.[1]
}

/** The subject of a comment of ours, told by its first line. */
export function markedSubject(body: string): string | undefined {
  return /^<!-- protium:[a-z]+ ([a-z0-9/-]+) -->\r?(?:\n|$)/u.exec(body)?.[1]
}

// Length

/** GitHub counts characters in a comment (65,536) and bytes in a job summary (1 MiB). */
export type Budget = { readonly most: number; readonly unit: 'characters' | 'bytes' }

export function sizeOf({ markdown }: Markdown, unit: Budget['unit']): number {
  return unit === 'characters' ? markdown.length : utf8Length(markdown)
}

/** How long a text is in UTF-8; half a surrogate pair is three bytes, as it is written as U+FFFD. */
function utf8Length(text: string): number {
  let bytes = 0
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x1_0000 ? 3 : 4
  }
  return bytes
}

/**
 * A text that keeps to the budget: whole lines from its beginning, then what is open is closed, and it is said how many lines
 * are missing, with `rest` to tell where they are. A text that fits comes back as it is.
 */
export function cut(whole: Markdown, { most, unit, rest }: Budget & { readonly rest: Markdown }): Markdown {
  if (sizeOf(whole, unit) <= most) return whole
  const all = whole.markdown.trimEnd().split('\n')
  const sizes = all.map((each) => sizeOf({ markdown: each }, unit) + 1)
  const ends = endsOf(all)
  const note = (missing: number): string =>
    `**Cut here:** ${missing} ${missing === 1 ? 'line is' : 'lines are'} left out. ${rest.markdown}`.trimEnd()
  const room = most - sizeOf({ markdown: note(all.length) }, unit) - 2
  let size = 0
  let kept: { readonly lines: number; readonly closing: string } = { lines: 0, closing: '' }
  for (const [index, { closing, isBorder }] of ends.entries()) {
    size += sizes[index] ?? 0
    if (size > room) break
    if (isBorder && size + sizeOf({ markdown: closing }, unit) <= room) kept = { lines: index + 1, closing }
  }
  const head = `${all.slice(0, kept.lines).join('\n')}${kept.closing}`.trimEnd()
  return { markdown: `${head}${head === '' ? '' : '\n\n'}${note(all.length - kept.lines)}\n` }
}

/** For each line: what closes what is open after it, and whether the text may end there. */
function endsOf(all: readonly string[]): readonly { readonly closing: string; readonly isBorder: boolean }[] {
  let fenceMarks = ''
  let folds = 0
  return all.map((each, index) => {
    const marks = /^(`{3,})[^`]*$/u.exec(each)?.[1]
    if (fenceMarks === '' && marks !== undefined) fenceMarks = marks
    else if (fenceMarks !== '' && each === fenceMarks) fenceMarks = ''
    else if (fenceMarks === '') {
      folds += each.startsWith('<details>') ? 1 : 0
      folds -= each.startsWith('</details>') ? 1 : 0
    }
    const next = all[index + 1] ?? ''
    // A table's head alone is no table, and a fold's title alone is no fold.
    const isHead = fenceMarks === '' && (/^\|(?:--[-:]\|)+$/u.test(each) || /^\|(?:--[-:]\|)+$/u.test(next))
    const opens = fenceMarks !== '' && each.startsWith(fenceMarks)
    const isTitle = fenceMarks === '' && (each.startsWith('<details>') || (each === '' && folds > 0))
    const closing = `${fenceMarks === '' ? '' : `\n${fenceMarks}`}${'\n</details>'.repeat(folds)}`
    return { closing, isBorder: !isHead && !opens && !isTitle }
  })
}
