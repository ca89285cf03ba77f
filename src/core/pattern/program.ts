import { type Node, type Place, Unreadable } from './parse.ts'

/**
 * A pattern as steps. Those that read no character are followed at once, all ways at the same time, so that a text is read
 * once and never again: the time is that of its length times the number of steps, whatever the two are.
 */
export type Program = { readonly steps: readonly Step[]; readonly start: number }

type Step =
  | { readonly is: 'one'; readonly reads: Reads; readonly next: number }
  | { readonly is: 'at'; readonly place: Place; readonly next: number }
  | { readonly is: 'fork'; readonly to: readonly number[] }
  | { readonly is: 'found' }

/** Which characters are read: those of ASCII by their codes, the others by a question. */
type Reads = { readonly ascii: Uint8Array; readonly other: (character: string) => boolean }

/** How many steps a pattern comes to, at most; known before they are made. */
export function sizeOf(node: Node): number {
  switch (node.is) {
    case 'one':
    case 'at':
      return 1
    case 'all':
      return node.parts.reduce((sum, part) => sum + sizeOf(part), 0)
    case 'any':
      return node.choices.reduce((sum, choice) => sum + sizeOf(choice), 1)
    case 'many': {
      const { least, most } = node
      const each = sizeOf(node.part)
      return most === undefined ? Math.max(least, 1) * each + 1 : least * each + (most - least) * (each + 1)
    }
  }
}

/** Throws `Unreadable` for a character or class that no engine reads. */
export function programOf(node: Node): Program {
  const steps: Step[] = [{ is: 'found' }]
  const known = new Map<string, Reads>()
  const add = (step: Step): number => steps.push(step) - 1
  /** Makes the steps of a part after those that follow it, at `next`; gives back where they begin. */
  const made = (part: Node, next: number): number => {
    switch (part.is) {
      case 'one': {
        const id = `${part.flags}/${part.source}`
        const reads = known.get(id) ?? readsOf(part)
        known.set(id, reads)
        return add({ is: 'one', reads, next })
      }
      case 'at':
        return add({ is: 'at', place: part.place, next })
      case 'all':
        return part.parts.reduceRight((after, each) => made(each, after), next)
      case 'any':
        return add({ is: 'fork', to: part.choices.map((choice) => made(choice, next)) })
      case 'many':
        return repeated(part, next)
    }
  }
  const repeated = ({ part, least, most }: Extract<Node, { is: 'many' }>, next: number): number => {
    let start = next
    if (most === undefined) {
      const to: number[] = []
      const loop = add({ is: 'fork', to })
      const body = made(part, loop)
      to.push(body, next)
      start = least === 0 ? loop : body
    } else {
      for (let count = least; count < most; count += 1) start = add({ is: 'fork', to: [made(part, start), next] })
    }
    for (let count = most === undefined ? 1 : 0; count < least; count += 1) start = made(part, start)
    return start
  }
  const start = made(node, 0)
  return { steps, start }
}

/** What one character of a pattern may be, asked of JavaScript's own engine: it is of no harm to it. */
function readsOf({ source, flags }: Extract<Node, { is: 'one' }>): Reads {
  const ascii = new Uint8Array(128)
  if (flags === '' && /^[\w /@:=#%&,;<>"'~!`-]$/.test(source)) {
    ascii[source.charCodeAt(0)] = 1
    return { ascii, other: () => false }
  }
  const expression = oneOf(source, flags)
  for (let code = 0; code < ascii.length; code += 1) if (expression.test(String.fromCharCode(code))) ascii[code] = 1
  return { ascii, other: (character) => expression.test(character) }
}

function oneOf(source: string, flags: string): RegExp {
  try {
    return new RegExp(`^(?:${source})$`, `u${flags}`)
  } catch {
    try {
      // There these would be letters like others.
      if (/\\(?:[pP]|u\{)/.test(source)) throw new Unreadable('an unknown class')
      // With the older syntax, in which a backslash may stand before anything.
      return new RegExp(`^(?:${source})$`, flags)
    } catch {
      throw new Unreadable(`\`${source}\` is no character or class of characters`)
    }
  }
}

/** Whether a pattern is found anywhere in a text. */
export function isFound({ steps, start }: Program, text: string): boolean {
  // The steps that wait at this character and at the next one, and those that were followed already.
  let [waiting, following]: [number[], number[]] = [[], []]
  const followed = new Int32Array(steps.length).fill(-1)
  const open: number[] = []
  /** Follows a step, and those after it, up to those that read a character; whether the end was found. */
  const follow = (first: number, at: number): boolean => {
    open.push(first)
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      if (followed[index] === at) continue
      followed[index] = at
      const step = steps[index]
      if (step === undefined) continue
      if (step.is === 'found') return true
      if (step.is === 'one') following.push(index)
      else if (step.is === 'fork') open.push(...step.to)
      else if (isAt(step.place, text, at)) open.push(step.next)
    }
    return false
  }
  const first = steps[start]
  const isAnchored = first?.is === 'at' && first.place === 'start'
  if (follow(start, 0)) return true
  for (let at = 0; at < text.length;) {
    ;[waiting, following] = [following, waiting]
    following.length = 0
    const code = text.codePointAt(at) ?? 0
    const after = at + (code > 0xffff ? 2 : 1)
    const character = code < 128 ? '' : String.fromCodePoint(code)
    for (const index of waiting) {
      const step = steps[index]
      if (step?.is !== 'one') continue
      const isRead = code < 128 ? step.reads.ascii[code] === 1 : step.reads.other(character)
      if (isRead && follow(step.next, after)) return true
    }
    if (!isAnchored && follow(start, after)) return true
    if (isAnchored && following.length === 0) return false
    at = after
  }
  return false
}

function isAt(place: Place, text: string, at: number): boolean {
  switch (place) {
    case 'start':
      return at === 0
    case 'end':
      return at === text.length
    case 'line-start':
      return at === 0 || isLineEnd(text, at - 1)
    case 'line-end':
      return at === text.length || isLineEnd(text, at)
    case 'word-edge':
      return isWord(text, at - 1) !== isWord(text, at)
    case 'no-word-edge':
      return isWord(text, at - 1) === isWord(text, at)
  }
}

function isLineEnd(text: string, at: number): boolean {
  return /[\n\r\u2028\u2029]/.test(text.charAt(at))
}

function isWord(text: string, at: number): boolean {
  return at >= 0 && /\w/.test(text.charAt(at))
}
