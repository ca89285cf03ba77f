/**
 * Encoders for the places that text from repositories goes to. Everything that a file, a template or a provisioner said
 * passes one of these before a person or a log reader sees it.
 *
 * Two readers are kept in mind: the terminal, which obeys escape sequences and reorders bidirectional text, and the runner
 * of GitHub Actions, which obeys `::command::` at the start of a line (after .NET's trim) and `##[command]` anywhere in
 * one (actions/runner, `ActionCommand.cs`).
 */

/**
 * Characters that are shown escaped: controls but the line feed; soft hyphen; marks of direction (Unicode's
 * Bidi_Control); zero-width and invisible ones; line and paragraph separators; lone surrogates; the byte order mark;
 * tags and variation selectors beyond the common ones.
 */
const unseen =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]|\p{Surrogate}/gu

/**
 * One line of text as it is safe to print anywhere in a line. A line feed is shown as `\n`, a tab as `\t`, other unseen
 * characters as `\u001b`. The result holds no control character, starts no workflow command, and is never longer than
 * twelve times the text.
 */
export function line(text: string): string {
  return disarm(text.replace(unseen, escape).replaceAll('\n', '\\n'))
}

/** Many lines, each made safe as by `line`; line feeds stay, a tab becomes two spaces. */
export function lines(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((each) => line(each.replaceAll('\t', '  ')))
    .join('\n')
}

/**
 * A block of text that came from elsewhere, set apart from our own words: each line safe, and behind a bar, so that
 * nothing in it stands at the start of a line.
 */
export function quoted(text: string): string {
  return lines(text)
    .split('\n')
    .map((each) => `| ${each}`.trimEnd())
    .join('\n')
}

function escape(character: string): string {
  if (character === '\t') return '\\t'
  if (character === '\r') return '\\r'
  const code = character.codePointAt(0) ?? 0
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`
}

function disarm(text: string): string {
  return text.replaceAll('##[', '##\\[').replace(/^(\s*):(?=:)/u, '$1\\:')
}

/**
 * A JSON text, indented by two spaces, that is safe to print as it is: unseen characters and `##[` inside strings are
 * written as JSON escapes, so a reader of JSON gets exactly what was handed in.
 */
export function json(value: unknown): string {
  return seen(JSON.stringify(value, undefined, 2))
}

/** The same on one line. */
export function compactJson(value: unknown): string {
  return seen(JSON.stringify(value))
}

/** What is printable ASCII throughout, as most of what is printed, holds nothing unseen. */
const plain = /^[\n -~]*$/

function seen(text: string): string {
  if (plain.test(text) && !text.includes('##[')) return text
  return text
    .replaceAll('##[', '#\\u0023[')
    .replace(unseen, (character) =>
      Array.from(
        { length: character.length },
        (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
      ).join(''),
    )
}
