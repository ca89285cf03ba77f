/** What stands in a file for a value that a person has to give: it is text that no input takes. */

const mark = '?? '

/** `expected` is what is wanted, in words: `one of public, internal, pii`. */
export function placeholderFor(expected: string): string {
  return `${mark}${expected}`
}

export function isPlaceholder(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith(mark)
}

/** What is wanted, of a placeholder. */
export function askedFor(placeholder: string): string {
  return placeholder.slice(mark.length)
}
