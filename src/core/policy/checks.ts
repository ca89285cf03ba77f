import { type Data, type DataMap, isList, isMap, mapOf, type Path } from '../data.ts'
import { listIn, mapIn, textIn } from '../shape.ts'
import { readJson } from '../yaml.ts'
import type { CheckName, Severity } from './rules.ts'

/**
 * What programs beside Protium say of templates: cfn-lint and cfn-guard. They are handed what is rendered as JSON, and tell of
 * what they find by its path in it; where that was written is known here.
 */

/** One finding, of the template with that name. `note` says more of the rule. */
export type CheckFinding = {
  readonly template: string
  /** As the program calls it: `E3012`, `tables_have_backups`. */
  readonly rule: string
  readonly severity: Severity
  readonly path: Path
  readonly message: string
  readonly note?: string
}

/**
 * What is handed to a program: the template without what would tell the program how to go about it. cfn-lint would switch
 * rules off by that, and load code from a path that is written there.
 * https://github.com/aws-cloudformation/cfn-lint#metadata
 */
export function withoutDirections(body: DataMap): DataMap {
  const resources = mapIn(body, 'Resources')
  const bare = withoutMetadata(body)
  if (resources === undefined) return bare
  const kept = Object.entries(resources).map(([id, resource]): [string, Data] => [
    id,
    isMap(resource) ? withoutMetadata(resource) : resource,
  ])
  return mapOf([...Object.entries(bare), ['Resources', mapOf(kept)]])
}

const directions: ReadonlySet<string> = new Set(['cfn-lint', 'cfn_nag', 'guard'])

function withoutMetadata(map: DataMap): DataMap {
  const metadata = mapIn(map, 'Metadata')
  if (metadata === undefined || !Object.keys(metadata).some((key) => directions.has(key))) return map
  const kept = Object.entries(metadata).filter(([key]) => !directions.has(key))
  return mapOf([...Object.entries(map), ['Metadata', mapOf(kept)]])
}

/** The names of templates by the files that a program has read, and their bodies. */
export type CheckedFiles = ReadonlyMap<string, { readonly name: string; readonly body: DataMap }>

/** What a program has written; nothing where that is not its form. Informational findings are left out. */
export function readFindings(
  check: CheckName,
  { text, files }: { readonly text: string; readonly files: CheckedFiles },
): readonly CheckFinding[] | undefined {
  const read = readJson(check, text)
  if (!read.ok || !isList(read.value.data)) return undefined
  const found = read.value.data.map((each) =>
    isMap(each) ? (check === 'cfn-lint' ? lintFinding(each, files) : guardFindings(each, files)) : undefined,
  )
  return found.includes(undefined) ? undefined : found.flatMap((each) => each ?? [])
}

/** https://github.com/aws-cloudformation/cfn-lint/blob/main/src/cfnlint/formatters/__init__.py (JsonFormatter) */
function lintFinding(match: DataMap, files: CheckedFiles): readonly CheckFinding[] | undefined {
  const [rule, location] = [mapIn(match, 'Rule'), mapIn(match, 'Location')]
  const file = files.get(textIn(match, 'Filename') ?? '')
  const [id, level, message] = [textIn(rule, 'Id'), textIn(match, 'Level'), textIn(match, 'Message')]
  if (file === undefined || id === undefined || level === undefined || message === undefined) return undefined
  const severity = (['error', 'warning'] as const).find((each) => each === level.toLowerCase())
  if (severity === undefined) return []
  const steps = (listIn(location, 'Path') ?? []).filter((step) => typeof step === 'number' || typeof step === 'string')
  const note = textIn(rule, 'ShortDescription')
  const finding = { template: file.name, rule: id, severity, path: pathIn(file.body, steps), message }
  return [{ ...finding, ...(note !== undefined && { note }) }]
}

/**
 * The structured report of cfn-guard 3: of each file the rules that it does not keep, and in each the clauses. Its own messages
 * hold the values that it met, so they are not shown: what the rule's author wrote is, and the clause.
 * https://docs.aws.amazon.com/cfn-guard/latest/ug/validating-rules.html
 */
function guardFindings(report: DataMap, files: CheckedFiles): readonly CheckFinding[] | undefined {
  const file = files.get(textIn(report, 'name') ?? '')
  const broken = listIn(report, 'not_compliant')
  if (file === undefined || broken === undefined) return undefined
  const found = new Map<string, CheckFinding>()
  for (const each of broken) {
    const rule = mapIn(isMap(each) ? each : undefined, 'Rule')
    const name = textIn(rule, 'name')
    if (name === undefined) return undefined
    for (const clause of clausesIn(rule?.['checks'])) {
      const path = pathIn(file.body, (firstPath(clause['check'] ?? clause['unresolved']) ?? '').split('/').slice(1))
      const said = textIn(mapIn(clause, 'messages'), 'custom_message') ?? ''
      const context = (textIn(clause, 'context') ?? '').replaceAll(/\s+/gu, ' ').trim()
      const finding = {
        template: file.name,
        rule: name.split('/').at(-1) ?? name,
        severity: 'error',
        path,
        message: said.trim() === '' ? `It is against the clause \`${context}\`.` : said.replaceAll(/\s+/gu, ' ').trim(),
        ...(said.trim() !== '' && context !== '' && { note: context }),
      } as const
      const key = JSON.stringify([finding.rule, path])
      if (!found.has(key)) found.set(key, finding)
    }
  }
  return [...found.values()]
}

/** Clauses stand in blocks, in alternatives and in other rules; each has its own text and messages. */
function clausesIn(data: Data | undefined): readonly DataMap[] {
  if (isList(data)) return data.flatMap(clausesIn)
  if (!isMap(data)) return []
  if (data['context'] !== undefined && (data['check'] !== undefined || data['unresolved'] !== undefined)) return [data]
  return Object.values(data).flatMap(clausesIn)
}

/** The place that a clause was about: the first path that leads into the template. */
function firstPath(data: Data | undefined): string | undefined {
  if (isList(data)) return data.map(firstPath).find((path) => path !== undefined)
  if (!isMap(data)) return undefined
  const own = textIn(data, 'path')
  if (own !== undefined) return own.startsWith('/') ? own : undefined
  // What it came from comes before what it was compared with. Values of the template may look like anything.
  return ['value', 'traversed_to', 'from', 'InResolved', 'Resolved', 'UnResolved']
    .map((key) => firstPath(data[key]))
    .find((path) => path !== undefined)
}

/** Steps as a path: one is an index where a list is, and it ends where there is nothing more. */
function pathIn(body: DataMap, steps: readonly (string | number)[]): Path {
  const path: (string | number)[] = []
  let value: Data | undefined = body
  for (const step of steps) {
    const next: string | number = isList(value) ? Number(step) : String(step)
    value = isList(value) ? value[Number(step)] : isMap(value) && Object.hasOwn(value, next) ? value[next] : undefined
    if (value === undefined) break
    path.push(next)
  }
  return path
}
