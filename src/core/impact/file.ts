import { type Data, type DataMap, isMap } from '../data.ts'
import { compactJson } from '../encode.ts'
import { type ProblemCode, problemCodes } from '../problem-codes.ts'
import type { Checked, Problem } from '../problem.ts'
import { listIn, mapIn, numberIn, textIn } from '../shape.ts'
import { utf8Length } from '../stack/sizes.ts'
import { readJson } from '../yaml.ts'
import { type Consumer, impactWords } from './model.ts'
import type { ChangeList, Report, ReportedConsumer, ReportedProblem } from './report.ts'

/**
 * The two files that the jobs of a workflow hand on to each other. Whoever takes one takes it as bytes: what it says may have been
 * written by anybody. It is read strictly, and encoded again wherever it goes.
 */

/** The consumers in other repositories, as they were read at one time. */
export type Consumers = {
  /** When, as ISO 8601 has it. */
  readonly read: string
  readonly consumers: readonly (Consumer & { readonly repository: string })[]
  readonly unread: Report['unread']
}

/** Bytes; what goes beyond is among what was not read. */
const most = 15_000_000

/**
 * The file as a JSON text. The same consumers give the same bytes. Where there is no room for all, the longest are left out first: few
 * who write much push nobody else out.
 */
export function consumersText({ read, consumers, unread }: Consumers): string {
  const texts = consumers.map(({ repository, file, text, component }) => {
    const own = compactJson({
      repository,
      file,
      text,
      ...(component !== undefined && { component: Object.fromEntries(component) }),
    })
    return { repository, own, bytes: utf8Length(own) + 2 }
  })
  let size = utf8Length(compactJson(unread)) + 200
  const kept = new Set<(typeof texts)[number]>()
  for (const each of texts.toSorted((a, b) => a.bytes - b.bytes)) {
    size += each.bytes
    if (size > most) break
    kept.add(each)
  }
  const beyond = texts
    .filter((each) => !kept.has(each))
    .map(({ repository }) => ({ repository, why: 'there is no more room in the file' }))
  const all = texts.filter((each) => kept.has(each)).map(({ own }) => own)
  const head = compactJson({ format: 1, read })
  return `${head.slice(0, -1)},"consumers":[${all.join(',\n')}],"unread":${compactJson([...unread, ...beyond.slice(0, 1000)])}}\n`
}

export function readConsumers(file: string, text: string): Checked<Consumers> {
  const data = whole(file, text)
  if (!data.ok) return data
  const read = textIn(data.value, 'read')
  const consumers = each(data.value, 'consumers', readConsumer)
  const unread = each(data.value, 'unread', readUnread)
  return read === undefined || consumers === undefined || unread === undefined
    ? notWhole(file, 'consumers', 'protium consumers')
    : { ok: true, value: { read, consumers, unread }, problems: [] }
}

function readConsumer(map: DataMap): Consumers['consumers'][number] | undefined {
  const [repository, file, text] = [textIn(map, 'repository'), textIn(map, 'file'), textIn(map, 'text')]
  if (repository === undefined || text === undefined) return undefined
  // Where its file lies decides what it is taken for.
  if (file !== 'service.yaml' || !/^[A-Za-z0-9][\w.-]{0,99}\/(?!\.+$)[\w.-]{1,100}$/u.test(repository)) return undefined
  const component = mapIn(map, 'component')
  const files = new Map(
    Object.entries(component ?? {}).flatMap(([path, content]) =>
      typeof content === 'string' ? [[path, content] as const] : [],
    ),
  )
  return { is: 'service', repository, file, text, ...(component !== undefined && { component: files }) }
}

function readUnread(map: DataMap): Report['unread'][number] | undefined {
  const [repository, why] = [textIn(map, 'repository'), textIn(map, 'why')]
  return repository === undefined || why === undefined ? undefined : { repository, why }
}

/** The report as a JSON text. Of consumers that there is no room for, the least grave are left out, and counted as not concerned. */
export function reportText({ consumers, lists, ...rest }: Report): string {
  const told = `"lists":[${lists.map((list) => compactJson(list)).join(',\n')}]`
  const kept: string[] = []
  let size = utf8Length(told) + utf8Length(compactJson(rest)) + 200
  for (const consumer of consumers) {
    const own = compactJson(consumer)
    size += utf8Length(own) + 2
    if (size > most) break
    kept.push(own)
  }
  const untouched = rest.untouched + consumers.length - kept.length
  const head = compactJson({ format: 1, ...rest, untouched })
  return `${head.slice(0, -1)},${told},"consumers":[${kept.join(',\n')}]}\n`
}

export function readReport(file: string, text: string): Checked<Report> {
  const data = whole(file, text)
  if (!data.ok) return data
  const map = data.value
  const templates = each(map, 'templates', readTemplate)
  const outputs = each(map, 'outputs', readOutput)
  const unread = each(map, 'unread', readUnread)
  const lists = each(map, 'lists', readList)
  const untouched = numberIn(map, 'untouched')
  if (templates === undefined || outputs === undefined || unread === undefined || lists === undefined)
    return notWhole(file, 'report', 'protium impact')
  const consumers = each(map, 'consumers', (one) => readReported(one, lists.length))
  if (consumers === undefined || untouched === undefined) return notWhole(file, 'report', 'protium impact')
  const [commit, head, since, read] = ['commit', 'head', 'since', 'read'].map((key) => textIn(map, key))
  return {
    ok: true,
    value: {
      ...(commit !== undefined && { commit }),
      ...(head !== undefined && { head }),
      ...(since !== undefined && { since }),
      ...(read !== undefined && { read }),
      templates,
      outputs,
      untouched,
      unread,
      lists,
      consumers,
    },
    problems: [],
  }
}

function readTemplate(map: DataMap): Report['templates'][number] | undefined {
  const [template, renamed] = [textIn(map, 'template'), textIn(map, 'renamed')]
  const kind = one(map, 'kind', ['environment', 'service', 'component'])
  const is = one(map, 'is', ['added', 'removed', 'changed'])
  const majors = each(map, 'majors', (own) => {
    const [major, before, after] = [numberIn(own, 'major'), textIn(own, 'before'), textIn(own, 'after')]
    return major === undefined
      ? undefined
      : { major, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }
  })
  if (template === undefined || kind === undefined || is === undefined || majors === undefined) return undefined
  return { template, kind, is, ...(renamed !== undefined && { renamed }), majors }
}

function readOutput(map: DataMap): Report['outputs'][number] | undefined {
  const [environment, output, services] = [textIn(map, 'environment'), textIn(map, 'output'), numberIn(map, 'services')]
  const is = one(map, 'is', ['added', 'changed', 'removed'])
  const templates = texts(map, 'templates')
  if (environment === undefined || output === undefined || services === undefined || is === undefined) return undefined
  return templates === undefined ? undefined : { environment, output, is, templates, services }
}

function readList(map: DataMap): ChangeList | undefined {
  const changes = each(map, 'changes', (own) => {
    const names = readNames(own)
    const action = one(own, 'action', ['create', 'update', 'replace', 'delete'])
    const properties = texts(own, 'properties')
    if (names === undefined || action === undefined || properties === undefined) return undefined
    return { ...names, action, properties }
  })
  const losses = each(map, 'losses', (own) => {
    const [names, holds] = [readNames(own), textIn(own, 'holds')]
    const happens = one(own, 'happens', ['deleted', 'replaced', 'perhaps replaced'])
    if (names === undefined || happens === undefined) return undefined
    return { ...names, happens, ...(holds !== undefined && { holds }) }
  })
  const broken = each(map, 'broken', (own) => {
    const [rule, resource, message] = [textIn(own, 'rule'), textIn(own, 'resource'), textIn(own, 'message')]
    if (rule === undefined || resource === undefined || message === undefined) return undefined
    return { rule, resource, message }
  })
  const outputs = texts(map, 'outputs')
  if (changes === undefined || losses === undefined || broken === undefined || outputs === undefined) return undefined
  return { changes, losses, outputs, broken }
}

function readNames(
  map: DataMap,
): Pick<ChangeList['changes'][number], 'logicalId' | 'type' | 'because' | 'retained'> | undefined {
  const [logicalId, type, because] = [textIn(map, 'logicalId'), textIn(map, 'type'), texts(map, 'because')]
  const { retained } = map
  if (logicalId === undefined || type === undefined || because === undefined || typeof retained !== 'boolean')
    return undefined
  return { logicalId, type, because, retained }
}

function readReported(map: DataMap, lists: number): ReportedConsumer | undefined {
  const [consumer, file, template] = [textIn(map, 'consumer'), textIn(map, 'file'), textIn(map, 'template')]
  const [from, to] = [textIn(map, 'from'), textIn(map, 'to')]
  const [repository, owner] = [textIn(map, 'repository'), textIn(map, 'owner')]
  const kind = one(map, 'kind', ['service', 'environment'])
  const is = one(map, 'is', impactWords)
  const standing = one(map, 'standing', ['draft', 'deprecated', 'yanked'])
  const through = texts(map, 'through')?.flatMap((word) => throughs.filter((known) => known === word))
  const stages = each(map, 'stages', (own) => {
    const [unit, stage, list] = [textIn(own, 'unit'), textIn(own, 'stage'), numberIn(own, 'list')]
    const happens = one(own, 'is', ['unchanged', 'changed', 'replaces', 'new', 'gone'])
    if (unit === undefined || happens === undefined || list === undefined || !(list >= 0 && list < lists))
      return undefined
    return { unit, ...(stage !== undefined && { stage }), is: happens, list }
  })
  const problems = each(map, 'problems', readProblem)
  const migrated = texts(map, 'migrated')
  if (consumer === undefined || file === undefined || template === undefined || from === undefined || to === undefined)
    return undefined
  if (kind === undefined || is === undefined || through === undefined || stages === undefined) return undefined
  if (problems === undefined || migrated === undefined) return undefined
  return {
    consumer,
    kind,
    ...(repository !== undefined && { repository }),
    file,
    ...(owner !== undefined && { owner }),
    template,
    from,
    to,
    through,
    ...(standing !== undefined && { standing }),
    is,
    stages,
    problems,
    migrated,
  }
}

const throughs = ['template', 'environment', 'catalog'] as const

function readProblem(map: DataMap): ReportedProblem | undefined {
  const [code, message, remedy] = [textIn(map, 'code'), textIn(map, 'message'), textIn(map, 'remedy')]
  const [file, line] = [textIn(map, 'file'), numberIn(map, 'line')]
  if (code === undefined || !isCode(code) || message === undefined || remedy === undefined) return undefined
  return { code, message, remedy, ...(file !== undefined && { file }), ...(line !== undefined && { line }) }
}

function isCode(code: string): code is ProblemCode {
  return Object.hasOwn(problemCodes, code)
}

// Reading

function whole(file: string, text: string): Checked<DataMap> {
  const document = readJson(file, text)
  if (!document.ok) return document
  const { data } = document.value
  if (isMap(data) && data['format'] === 1) return { ok: true, value: data, problems: [] }
  const isNewer = isMap(data) && typeof data['format'] === 'number' && data['format'] > 1
  return wrong(file, isNewer ? 'The file was written by a newer version of Protium.' : 'This is no file of Protium.')
}

function notWhole(file: string, what: string, by: string): Checked<never> {
  return wrong(file, `This is not a whole file of ${what}: a part of it is missing, or is not as \`${by}\` writes it.`)
}

function wrong(file: string, message: string): Checked<never> {
  const problem: Problem = {
    code: 'wrong-value',
    severity: 'error',
    message,
    expected: 'The file as it was written, in `format` 1.',
    remedy: 'Make it again; in a workflow, run the whole workflow again.',
    at: { file, line: 0, column: 0 },
  }
  return { ok: false, problems: [problem] }
}

/** All members of a list, each read; nothing where one is not whole. */
function each<T>(map: DataMap, key: string, read: (own: DataMap) => T | undefined): readonly T[] | undefined {
  const list: readonly Data[] | undefined = listIn(map, key)
  const found = list?.flatMap((own): T[] => {
    const value = isMap(own) ? read(own) : undefined
    return value === undefined ? [] : [value]
  })
  return found?.length === list?.length ? found : undefined
}

function texts(map: DataMap, key: string): readonly string[] | undefined {
  const list = listIn(map, key)
  const found = list?.filter((own) => typeof own === 'string')
  return found?.length === list?.length ? found : undefined
}

function one<const T extends string>(map: DataMap, key: string, words: readonly T[]): T | undefined {
  return words.find((word) => word === map[key])
}
