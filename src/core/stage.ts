/**
 * Hosts and stages. A stage has a pattern, `{service}.dev.{domain}`; the host of a service says which stage it is in, and a
 * stage and a service say the host. `{service}` and `{number}` stand for a part of one DNS label each, so patterns with a
 * different number of labels never meet, and of others it can be decided exactly whether they do.
 */

import type { StackOptions } from './catalog/stack-options.ts'

/** An ordered step of promotion. `order` counts from 0; `soak` is in seconds. */
export type Stage = {
  readonly name: string
  readonly order: number
  readonly host: HostPattern
  readonly environment: string
  readonly production: boolean
  readonly soak?: number
  readonly approval?: { readonly by: readonly string[] }
  /** What its stacks are besides their templates. */
  readonly stack: StackOptions
}

/** Where instances of pull requests answer. `expire` is in seconds; at most `most` of them at a time for each service. */
export type Previews = {
  readonly host: HostPattern
  readonly stage: string
  readonly expire: number
  readonly most: number
}

/** A pattern of hosts, its domain filled in. `text` is as written. */
export type HostPattern = {
  readonly text: string
  readonly labels: readonly (readonly Piece[])[]
  readonly matcher: RegExp
}

/** A fixed part of a label, or what stands for the service or for the number of a pull request. */
export type Piece =
  | { readonly is: 'fixed'; readonly text: string }
  | { readonly is: 'service' }
  | { readonly is: 'number' }

export type HostOwner =
  | { readonly is: 'stage'; readonly stage: Stage; readonly service: string }
  | { readonly is: 'preview'; readonly service: string; readonly number: number }
  | { readonly is: 'none' }
  /** Only in a catalog that has been refused already: its patterns meet. */
  | { readonly is: 'several'; readonly owners: readonly string[] }

/** A name of a service: a DNS label that begins with a letter, so that it can begin the name of a stack too. */
const SERVICE = '[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?'
const NUMBER = '[1-9][0-9]{0,8}'
const LONGEST_LABEL = 63
const LONGEST_HOST = 253

/**
 * A host as DNS compares them, in small letters, or why it is none. Labels have 1 to 63 letters, digits and hyphens, no
 * hyphen at an end (RFC 1123, 2.1); a host has at most 253 characters (RFC 1035, 2.3.4, without the root).
 */
export function readHost(text: string): { readonly host: string } | { readonly fault: string } {
  const host = text.toLowerCase()
  if (host === '') return { fault: 'is empty' }
  if (/^[a-z][a-z0-9+.-]*:\/\//.test(host)) return { fault: 'is an address with a protocol' }
  if (host.endsWith('.')) return { fault: 'ends with a dot' }
  if (host.length > LONGEST_HOST) return { fault: `is longer than ${LONGEST_HOST} characters` }
  for (const label of host.split('.')) {
    if (label === '') return { fault: 'has an empty part between two dots' }
    if (label.length > LONGEST_LABEL) return { fault: `has a part of more than ${LONGEST_LABEL} characters` }
    if (!/^[a-z0-9-]+$/.test(label)) return { fault: 'has a character that is not a letter, a digit or "-"' }
    if (label.startsWith('-') || label.endsWith('-')) return { fault: 'has a part that begins or ends with "-"' }
  }
  return { host }
}

/** Whether a name can be that of a service: small letters, digits and hyphens, a letter first, at most 63. */
export function isServiceName(name: string): boolean {
  return new RegExp(`^${SERVICE}$`).test(name)
}

/**
 * Reads a pattern of hosts, or says why it is none. Every pattern has `{service}` once; that of previews has `{number}`
 * once, with a fixed character that is no digit on the side of the service, so that a host is read in one way only.
 */
export function readHostPattern(
  text: string,
  options: { readonly domain: string; readonly of: 'stage' | 'previews' },
): { readonly pattern: HostPattern } | { readonly fault: string } {
  const labels: Piece[][] = []
  for (const label of text.replaceAll('{domain}', options.domain).toLowerCase().split('.')) {
    const pieces = readLabel(label)
    if (typeof pieces === 'string') return { fault: pieces }
    labels.push(pieces)
  }
  const count = (is: Piece['is']): number => labels.flat().filter((piece) => piece.is === is).length
  if (count('service') !== 1)
    return { fault: count('service') === 0 ? 'has no {service}' : 'has {service} more than once' }
  const numbers = options.of === 'previews' ? 1 : 0
  if (count('number') !== numbers) {
    return {
      fault:
        numbers === 0 ? 'has a {number}, which only the host of previews has' : 'does not have {number} exactly once',
    }
  }
  const source = labels.map((label) => label.map(sourceOf).join('')).join('\\.')
  const pattern = { text, labels, matcher: new RegExp(`^${source}$`) }
  const shortest = commonHost(pattern, pattern)
  return shortest === undefined ? { fault: 'fits no host: a part of it or the whole is too long' } : { pattern }
}

/** The address of a service in a stage; longer than DNS allows if the name of the service is. */
export function hostOf(stage: Pick<Stage, 'host'>, service: string): string {
  return fill(stage.host, { service })
}

/** The address of a pull request's instance. */
export function previewHost(previews: Pick<Previews, 'host'>, service: string, number: number): string {
  return fill(previews.host, { service, number })
}

/** Which stage a host belongs to, and which service it names there. The host has been read by `readHost`. */
export function stageOfHost(
  { stages, previews }: { readonly stages: readonly Stage[]; readonly previews?: Previews | undefined },
  host: string,
): HostOwner {
  const owners: Exclude<HostOwner, { is: 'none' | 'several' }>[] = []
  for (const stage of stages) {
    const service = match(stage.host, host)?.service
    if (service !== undefined) owners.push({ is: 'stage', stage, service })
  }
  const preview = previews === undefined ? undefined : match(previews.host, host)
  if (preview !== undefined) owners.push({ is: 'preview', service: preview.service, number: preview.number })
  const [first, second] = owners
  if (first === undefined) return { is: 'none' }
  if (second === undefined) return first
  return { is: 'several', owners: owners.map((owner) => (owner.is === 'stage' ? owner.stage.name : 'previews')) }
}

/**
 * A shortest host that two patterns both match; nothing when no host can match both. Exact: labels are independent of each
 * other, and for each the two automata are walked side by side, under the limits that DNS sets.
 */
export function commonHost(a: Pick<HostPattern, 'labels'>, b: Pick<HostPattern, 'labels'>): string | undefined {
  if (a.labels.length !== b.labels.length) return undefined
  const labels: string[] = []
  for (const [index, left] of a.labels.entries()) {
    const label = commonLabel(left, b.labels[index] ?? [])
    if (label === undefined) return undefined
    labels.push(label)
  }
  const host = labels.join('.')
  return host.length > LONGEST_HOST ? undefined : host
}

function readLabel(label: string): Piece[] | string {
  const pieces: Piece[] = []
  for (const part of label.split(/(\{[^{}]*\})/)) {
    if (part === '') continue
    if (part === '{service}') pieces.push({ is: 'service' })
    else if (part === '{number}') pieces.push({ is: 'number' })
    else if (/[{}]/.test(part)) return `has ${part}, which stands for nothing`
    else if (/^[a-z0-9-]+$/.test(part)) pieces.push({ is: 'fixed', text: part })
    else return 'has a character that is not a letter, a digit or "-"'
  }
  const [first, last] = [pieces[0], pieces.at(-1)]
  if (first === undefined) return 'has an empty part between two dots'
  if (first.is === 'fixed' && first.text.startsWith('-')) return 'has a part that begins with "-"'
  if (last?.is === 'fixed' && last.text.endsWith('-')) return 'has a part that ends with "-"'
  const service = pieces.findIndex((piece) => piece.is === 'service')
  const number = pieces.findIndex((piece) => piece.is === 'number')
  if (service !== -1 && number !== -1) {
    const between = pieces[service < number ? number - 1 : number + 1]
    const border = between?.is === 'fixed' ? between.text.at(service < number ? -1 : 0) : undefined
    if (border === undefined || /[0-9]/.test(border))
      return 'has {service} and {number} without a letter or "-" that parts them'
  }
  return pieces
}

function sourceOf(piece: Piece): string {
  if (piece.is === 'service') return `(?<service>${SERVICE})`
  return piece.is === 'number' ? `(?<number>${NUMBER})` : piece.text
}

function match(pattern: HostPattern, host: string): { readonly service: string; readonly number: number } | undefined {
  const groups = pattern.matcher.exec(host)?.groups
  const service = groups?.['service']
  return service === undefined ? undefined : { service, number: Number(groups?.['number']) }
}

function fill(
  pattern: HostPattern,
  { service, number }: { readonly service: string; readonly number?: number },
): string {
  const write = (piece: Piece): string =>
    piece.is === 'fixed' ? piece.text : piece.is === 'service' ? service : String(number)
  return pattern.labels.map((label) => label.map(write).join('')).join('.')
}

/** A state of a label's automaton: before which piece, and how many characters of it have been read. */
type State = { readonly piece: number; readonly read: number; readonly hyphen: boolean }

/**
 * A shortest label of both languages, by breadth-first search over pairs of sets of states. A character of a fixed text
 * leads wherever another of its class does, so few are worth trying: those, and one of each class.
 */
function commonLabel(a: readonly Piece[], b: readonly Piece[]): string | undefined {
  const fixed = [...a, ...b].map((piece) => (piece.is === 'fixed' ? piece.text : '')).join('')
  const tried = new Set(['a', '1', '-', ...fixed])
  let frontier = [{ text: '', left: close(a, [start]), right: close(b, [start]) }]
  const seen = new Set<string>()
  for (let length = 0; length <= LONGEST_LABEL; length += 1) {
    const next: typeof frontier = []
    for (const { text, left, right } of frontier) {
      if (length > 0 && !text.endsWith('-') && accepts(a, left) && accepts(b, right)) return text
      if (length === LONGEST_LABEL) continue
      for (const char of tried) {
        if (length === 0 && char === '-') continue
        const [toLeft, toRight] = [step(a, left, char), step(b, right, char)]
        if (toLeft.length === 0 || toRight.length === 0) continue
        const id = `${char === '-'} ${key(toLeft)} ${key(toRight)}`
        if (seen.has(id)) continue
        seen.add(id)
        next.push({ text: text + char, left: toLeft, right: toRight })
      }
    }
    frontier = next
  }
  return undefined
}

const start: State = { piece: 0, read: 0, hyphen: false }

/** States from which the next piece can begin are joined by its beginning. */
function close(pieces: readonly Piece[], states: readonly State[]): State[] {
  const closed = new Map<string, State>()
  const add = (state: State): void => {
    const id = key([state])
    if (closed.has(id)) return
    closed.set(id, state)
    if (ends(pieces[state.piece], state)) add({ piece: state.piece + 1, read: 0, hyphen: false })
  }
  for (const state of states) add(state)
  return [...closed.values()]
}

/** Whether a piece may end in a state. */
function ends(piece: Piece | undefined, { read, hyphen }: State): boolean {
  if (piece === undefined) return false
  if (piece.is === 'fixed') return read === piece.text.length
  return read > 0 && !hyphen
}

function step(pieces: readonly Piece[], states: readonly State[], char: string): State[] {
  const next: State[] = []
  for (const { piece: index, read } of states) {
    const piece = pieces[index]
    if (piece === undefined) continue
    if (piece.is === 'fixed') {
      if (piece.text[read] === char) next.push({ piece: index, read: read + 1, hyphen: false })
    } else if (piece.is === 'service') {
      if (read > 0 ? /[a-z0-9-]/.test(char) : /[a-z]/.test(char))
        next.push({ piece: index, read: 1, hyphen: char === '-' })
    } else if (read > 0 ? /[0-9]/.test(char) : /[1-9]/.test(char)) {
      // The count matters: a number has at most nine digits.
      if (read < 9) next.push({ piece: index, read: read + 1, hyphen: false })
    }
  }
  return close(pieces, next)
}

function accepts(pieces: readonly Piece[], states: readonly State[]): boolean {
  return states.some(({ piece }) => piece === pieces.length)
}

function key(states: readonly State[]): string {
  return states
    .map(({ piece, read, hyphen }) => `${piece}.${read}${hyphen ? '-' : ''}`)
    .toSorted()
    .join(' ')
}
