import { type Event, parseEvents, YAMLException } from 'js-yaml'
import type { Checked } from './problem.ts'
import { limits, outOfBounds } from './yaml/bounds.ts'
import { build } from './yaml/build.ts'
import { doubtfulForms } from './yaml/doubts.ts'
import { checked, type Finding } from './yaml/findings.ts'
import { scanJson } from './yaml/json.ts'
import { readQuickly } from './yaml/quick.ts'
import type { Dialect } from './yaml/scalars.ts'
import { differs, explain, unreadable } from './yaml/second.ts'
import { type Document, documentOf, type Spot } from './yaml/spots.ts'

/**
 * The one reader of YAML and JSON. Whatever a repository holds passes through it, so it is strict, bounded and linear, and
 * refuses what two readers would read differently rather than choose.
 *
 * A text of the plainest form, which no two readers take differently, is read in one pass. Of any other
 * one parser gives the data: the events of js-yaml, which know their offsets and cost a tenth of a tree of nodes
 * (bench/yaml.ts). The parser of the package `yaml` reads after it whatever people write, explains errors, and has to agree.
 */
export type { Dialect } from './yaml/scalars.ts'
export type { Document } from './yaml/spots.ts'

/**
 * Reads a file that people write: at most 256 KiB (1 MiB of a template), 64 levels, 5,000 keys in a map. Never throws;
 * all problems of a text that can be parsed come together, and so do all faults of one that cannot. In the dialect
 * `cloudformation` a text that is JSON is read as JSON, as CloudFormation does.
 */
export function readYaml(file: string, text: string, dialect: Dialect): Checked<Document> {
  return read(file, text, { dialect, agree: true })
}

/**
 * Reads a rendered CloudFormation template, YAML or JSON, of at most 1 MiB. The same answers as
 * `readYaml(file, text, 'cloudformation')`, without the second parser: a fleet renders thousands of these, and no person
 * wrote them.
 */
export function readRendered(file: string, text: string): Checked<Document> {
  return read(file, text, { dialect: 'cloudformation', agree: false })
}

/** Reads JSON of any size, at most 64 levels deep. `2.0` stays a `Float`, long integers are whole, a key stands once. */
export function readJson(file: string, text: string): Checked<Document> {
  const { data, findings } = scanJson(text, { spots: false })
  return checked(
    file,
    text,
    findings,
    documentOf(file, text, data, () => scanJson(text, { spots: true }).spot),
  )
}

function read(file: string, text: string, { dialect, agree }: { dialect: Dialect; agree: boolean }): Checked<Document> {
  const forbidden = outOfBounds(text, dialect === 'cloudformation' ? limits.rendered : limits.authored)
  if (forbidden.length > 0) return refusal(file, text, forbidden)
  if (dialect === 'cloudformation' && /^\s*\{/.test(text)) {
    const json = readJson(file, text)
    if (!json.problems.some(({ code }) => code === 'yaml-syntax')) return json
  }
  const spot = (): Spot => build(text, eventsOf(text), { dialect, spots: true }).spot
  // Of a text of the plainest form it is known that the two parsers agree.
  const isRendered = dialect === 'cloudformation' && !agree
  const quick = isRendered || dialect === 'own' ? readQuickly(text, { tags: isRendered }) : undefined
  if (quick !== undefined) return { ok: true, value: documentOf(file, text, quick, spot), problems: [] }
  const parsed = parse(text)
  if ('findings' in parsed) return refusal(file, text, parsed.findings)
  const { events } = parsed
  const { data, findings: faulty } = build(text, events, { dialect, spots: false })
  const findings = [...faulty, ...doubtfulForms(text, events)]
  if (agree && !findings.some(({ severity }) => severity === 'error')) {
    const offset = differs(text, events)
    if (offset !== undefined) return refusal(file, text, [disagreement(offset)])
  }
  return checked(file, text, findings, documentOf(file, text, data, spot))
}

function refusal(file: string, text: string, findings: readonly Finding[]): Checked<never> {
  const { problems } = checked(file, text, findings, undefined)
  return { ok: false, problems }
}

function eventsOf(text: string): Event[] {
  return parseEvents(text, { maxDepth: limits.depth })
}

function parse(text: string): { readonly events: readonly Event[] } | { readonly findings: readonly Finding[] } {
  try {
    return { events: eventsOf(text) }
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    return { findings: faults(text, error) }
  }
}

function faults(text: string, error: YAMLException): readonly Finding[] {
  const offset = error.mark?.position ?? 0
  if (error.reason.includes('maxDepth')) {
    const message = `The nesting is deeper than ${limits.depth} levels.`
    const expected = `At most ${limits.depth} levels.`
    return [{ code: 'yaml-too-deep', severity: 'error', offset, message, expected, remedy: 'Flatten the structure.' }]
  }
  const explained = explain(text)
  if (explained.length > 0) return explained
  return [{ code: 'yaml-syntax', severity: 'error', offset, ...unreadable(error.reason) }]
}

function disagreement(offset: number): Finding {
  return {
    code: 'yaml-syntax',
    severity: 'error',
    offset,
    message: 'Two readers of YAML read this text differently.',
    expected:
      'YAML that leaves no doubt: spaces, texts in quotes where they hold special characters, one entry a line.',
    remedy: 'Write this place more simply: quote the text, or put the value on lines of its own.',
  }
}
