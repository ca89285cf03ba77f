import { type Data, isList, isMap } from '../data.ts'
import { mapIn, numberIn, textIn } from '../shape.ts'
import type { Excuse, PolicyFact } from './judge.ts'

/** Facts as plans and plan requests hold them; nothing where one is not whole. */
export function readFacts(data: Data | undefined): readonly PolicyFact[] | undefined {
  if (data === undefined) return []
  if (!isList(data)) return undefined
  const facts = data.flatMap((each) => readFact(each) ?? [])
  return facts.length === data.length ? facts : undefined
}

function readFact(data: Data): PolicyFact | undefined {
  if (!isMap(data)) return undefined
  const [rule, resource, message] = [textIn(data, 'rule'), textIn(data, 'resource'), textIn(data, 'message')]
  const severity = (['error', 'warning'] as const).find((each) => each === data['severity'])
  const waiver = readExcuse(data['waiver'])
  if (rule === undefined || resource === undefined || message === undefined || severity === undefined) return undefined
  if (data['waiver'] !== undefined && waiver === undefined) return undefined
  const [text, at] = [textIn(data, 'text'), mapIn(data, 'at')]
  const file = textIn(at, 'file')
  return {
    rule,
    resource,
    severity,
    message,
    ...(text !== undefined && { text }),
    ...(file !== undefined && { at: { file, line: numberIn(at, 'line') ?? 0, column: numberIn(at, 'column') ?? 0 } }),
    ...(waiver !== undefined && { waiver }),
  }
}

function readExcuse(data: Data | undefined): Excuse | undefined {
  if (!isMap(data)) return undefined
  const { name, owner, reason, until, expired } = data
  if (typeof name !== 'string' || typeof owner !== 'string' || typeof reason !== 'string') return undefined
  return typeof until === 'string' && typeof expired === 'boolean' ? { name, owner, reason, until, expired } : undefined
}

/** The one form in which they are written. */
export function factsText(facts: readonly PolicyFact[]): readonly PolicyFact[] {
  return facts.slice(0, mostFacts).map(({ rule, resource, severity, message, text, at, waiver }) => ({
    rule,
    resource,
    severity,
    message,
    ...(text !== undefined && { text }),
    ...(at !== undefined && { at: { file: at.file, line: at.line, column: at.column } }),
    ...(waiver !== undefined && {
      waiver: {
        name: waiver.name,
        owner: waiver.owner,
        reason: waiver.reason,
        until: waiver.until,
        expired: waiver.expired,
      },
    }),
  }))
}

/** More of one unit are not handed on; `validate` tells of all. */
const mostFacts = 200
