import { blocks, bullets, heading, type Markdown, plainText } from '../markdown.ts'

/**
 * The notes of a version for a page of GitHub: its headings, points and paragraphs, with the words of the file encoded, so that they
 * mention nobody and lead nowhere.
 */
export function notesMarkdown(text: string): Markdown {
  const parts: Markdown[] = []
  let points: string[] = []
  let words: string[] = []
  const close = (): void => {
    if (points.length > 0) parts.push(bullets(points.map((point) => plainText(point))))
    if (words.length > 0) parts.push(plainText(words.join(' ')))
    points = []
    words = []
  }
  for (const line of text.split(/\r?\n/u)) {
    const [, title] = /^#{1,6}[ \t]+(.*)$/u.exec(line) ?? []
    const [, point] = /^\s*[-*+][ \t]+(.*)$/u.exec(line) ?? []
    const rest = line.trim()
    if (title !== undefined) {
      close()
      parts.push(heading(3, plainText(title)))
    } else if (rest === '') close()
    else if (point !== undefined) {
      if (words.length > 0) close()
      points.push(point)
    } else if (points.length > 0) points.push(`${points.pop() ?? ''} ${rest}`)
    else words.push(rest)
  }
  close()
  return blocks(parts)
}
