import { compareVersions, parseVersion } from '../version.ts'

/** A heading of a version in CHANGELOG.md: `## 2.3.0`, also in brackets, with a `v`, or with a date behind it. */
const headingLine = /^##[ \t]+\[?v?(\d+\.\d+\.\d+)\]?(?![\w.-])[^\n]*$/u

type Section = { readonly version: string; readonly line: number; readonly from: number; readonly to: number }

/** The lines of a CHANGELOG.md between headings of versions. What stands in a block of code is no heading. */
function sectionsOf(lines: readonly string[]): readonly Section[] {
  const found: Section[] = []
  let fence: string | undefined
  let open: { readonly version: string; readonly line: number } | undefined
  const close = (to: number): void => {
    if (open !== undefined) found.push({ ...open, from: open.line + 1, to })
    open = undefined
  }
  for (const [index, each] of lines.entries()) {
    const mark = /^ {0,3}(`{3,}|~{3,})/u.exec(each)?.[1]
    if (mark !== undefined) {
      if (fence === undefined) fence = mark
      else if (mark.startsWith(fence)) fence = undefined
    }
    if (fence !== undefined || !/^##?[ \t]/u.test(each)) continue
    close(index)
    const version = headingLine.exec(each)?.[1]
    if (version !== undefined && parseVersion(version) !== undefined) open = { version, line: index }
  }
  close(lines.length)
  return found
}

/** What a CHANGELOG.md says of a version, and on which line its heading stands, from 1; nothing where it has none. */
export function notesIn(text: string, version: string): { readonly notes: string; readonly line: number } | undefined {
  const lines = text.split(/\r?\n/u)
  const section = sectionsOf(lines).find((each) => each.version === version)
  if (section === undefined) return undefined
  return { notes: lines.slice(section.from, section.to).join('\n').trim(), line: section.line + 1 }
}

/**
 * The text with a heading for a version and a draft of what is new below it, above the newest. A heading that is there already
 * stays; one of a number that was given up (`instead`) gets the new number.
 */
export function withHeading(
  text: string | undefined,
  {
    version,
    instead,
    draft,
  }: { readonly version: string; readonly instead?: string; readonly draft: readonly string[] },
): string {
  const points = draft.map((each) => `- ${each}`)
  if (text === undefined) return ['# Changelog', '', `## ${version}`, '', ...points, ''].join('\n')
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  const lines = text.split(/\r?\n/u)
  const sections = sectionsOf(lines)
  if (sections.some((each) => each.version === version)) return text
  const old = instead === undefined ? undefined : sections.find((each) => each.version === instead)
  if (old !== undefined && instead !== undefined) {
    return lines.with(old.line, (lines[old.line] ?? '').replace(instead, version)).join(eol)
  }
  const below = sections.find((each) => compareVersions(each.version, version) < 0)
  const at = below?.line ?? lines.findLastIndex((each) => each.trim() !== '') + 1
  const lead = at > 0 && (lines[at - 1] ?? '').trim() !== '' ? [''] : []
  const added = [...lead, `## ${version}`, '', ...points, '']
  return lines.toSpliced(at, 0, ...added).join(eol)
}
