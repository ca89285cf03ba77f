import { canonicalJson } from './canonical.ts'
import { type Data, type DataMap, isMap, mapOf } from './data.ts'
import { compactJson } from './encode.ts'
import type { Organisation, Unit } from './organisation.ts'
import { problemCodes } from './problem-codes.ts'
import type { PolicyFact } from './policy.ts'
import { factsText, readFacts } from './policy/facts.ts'
import type { Checked, Place, Problem } from './problem.ts'
import { requestSchema } from './schemas/request.ts'
import { checkShape, listIn, mapIn, numberIn, textIn, textsIn } from './shape.ts'
import type { Stage } from './stage.ts'
import { utf8Length } from './stack/sizes.ts'
import type { StackName } from './stack/template.ts'
import { readJson } from './yaml.ts'

/**
 * What the job that reads a pull request hands on: what it rendered, and what it found wrong. That job has no rights, and
 * what it read may have been written by anybody; so whoever takes this takes it as bytes, checks it, and decides itself what
 * account, region and stage a unit has.
 */
export type PlanRequest = {
  /** The commit that was rendered; of a pull request the merge with its base. */
  readonly commit?: string
  /** The head of the pull request that it is for. */
  readonly head?: string
  /** The stages of the catalog, as the pull request has it. For showing only. */
  readonly stages: readonly Pick<Stage, 'name' | 'environment' | 'soak' | 'approval'>[]
  /** No workflow deploys what is merged: the catalog only plans. */
  readonly plansOnly?: true
  readonly problems: readonly Problem[]
  readonly units: readonly RequestedUnit[]
  /** Units that did not fit: they are planned when they are deployed. */
  readonly left: readonly string[]
}

/** A unit as it was rendered. Its id follows from what it is. */
export type RequestedUnit = {
  readonly kind: Unit['kind']
  readonly unit: string
  readonly service?: string
  readonly stage?: string
  readonly environment: string
  readonly stack: StackName
  readonly hosts: readonly string[]
  /** `fargate-service@2.3.0` */
  readonly template: string
  /** The digest of the rendered text. */
  readonly rendered: string
  readonly body: DataMap
  /** Of a template that is not rendered: what its parameters get. */
  readonly parameters: Readonly<Record<string, string>>
  /** Logical ids that may be lost, as its file says. */
  readonly acknowledged: readonly string[]
  /** What breaks a rule of the policy, and the waivers for it. For showing only: it is judged again before it is deployed. */
  readonly policy: readonly PolicyFact[]
  /** The outputs of its environment that it was rendered with. */
  readonly given: Readonly<Record<string, string>>
}

/** Bytes. A unit takes some 20,000, so there is room for a fleet; what goes beyond is named. */
const most = 12_000_000
const mostProblems = 500

export type RenderedUnit = {
  readonly unit: Unit
  /** The digest of what was rendered. */
  readonly rendered: string
  readonly body: DataMap
  readonly parameters: Readonly<Record<string, string>>
  readonly given: Readonly<Record<string, string>>
  readonly policy?: readonly PolicyFact[]
}

/** The request as a JSON text. The same files give the same bytes. */
export function requestText(
  { catalog }: Pick<Organisation, 'catalog'>,
  {
    of,
    problems,
    units,
  }: { readonly of: Commits; readonly problems: readonly Problem[]; readonly units: readonly RenderedUnit[] },
): string {
  const head = {
    format: 1,
    ...of,
    ...(catalog.workflows?.deploy === false && { plans_only: true }),
    stages: catalog.stages.map(({ name, environment, soak, approval }) => ({
      name,
      environment,
      ...(soak !== undefined && { soak }),
      ...(approval !== undefined && { approval }),
    })),
  }
  return written(head, { problems, units })
}

/** The request of files that are no organisation. */
export function brokenRequestText(of: Commits, problems: readonly Problem[]): string {
  return written({ format: 1, ...of, stages: [] }, { problems, units: [] })
}

/** What a request is of, if that is known. */
export type Commits = Pick<PlanRequest, 'commit' | 'head'>

function written(
  head: object,
  { problems, units }: { readonly problems: readonly Problem[]; readonly units: readonly RenderedUnit[] },
): string {
  const told: string[] = []
  const kept: string[] = []
  const left: string[] = []
  let size = utf8Length(compactJson(head)) + 200
  const take = (list: string[], text: string): boolean => {
    const bytes = utf8Length(text) + 1
    if (size + bytes > most) return false
    size += bytes
    return list.push(text) > 0
  }
  for (const problem of problems.slice(0, mostProblems)) take(told, compactJson(problem))
  for (const each of units) {
    // More ids would not fit either.
    if (!take(kept, unitText(each)) && left.length < 1000) left.push(each.unit.id)
  }
  const parts = [`"problems":[${told.join(',')}]`, `"units":[${kept.join(',')}]`, `"left":${compactJson(left)}`]
  return `${compactJson(head).slice(0, -1)},${parts.join(',')}}\n`
}

function unitText({ unit, rendered, body, parameters, given, policy = [] }: RenderedUnit): string {
  const { kind, service, stage, environment, stack, bundle, acknowledged } = unit
  return compactJson({
    kind,
    ...(service !== undefined && { service: service.service }),
    ...(stage !== undefined && { stage: stage.name }),
    environment: environment.name,
    stack: { name: stack, account: environment.account, region: environment.region },
    hosts: service?.stages.find((each) => kind === 'instance' && each.stage.name === stage?.name)?.hosts ?? [],
    template: `${bundle.template}@${bundle.version}`,
    rendered,
    // A text in the text: who reads the whole need not read all bodies, and each is bounded by itself.
    body: canonicalJson(body),
    ...(Object.keys(parameters).length > 0 && { parameters }),
    ...(acknowledged.size > 0 && { acknowledged: [...acknowledged.keys()] }),
    ...(policy.length > 0 && { policy: factsText(policy) }),
    given,
  })
}

/** Reads a request. Anything that is not as `requestText` writes it is a problem. */
export function readRequest(file: string, text: string): Checked<PlanRequest> {
  const document = readJson(file, text)
  if (!document.ok) return document
  const faults = checkShape(document.value, requestSchema, 'a plan request')
  const { data } = document.value
  if (faults.length > 0 || !isMap(data)) return { ok: false, problems: faults }
  const [commit, head] = [textIn(data, 'commit'), textIn(data, 'head')]
  const problems: Problem[] = []
  const units = mapsIn(data, 'units').flatMap((each) => {
    const unit = readUnit(file, each)
    if (!unit.ok) problems.push(...unit.problems)
    return unit.ok ? [unit.value] : []
  })
  if (problems.length > 0) return { ok: false, problems }
  return {
    ok: true,
    value: {
      ...(commit !== undefined && { commit }),
      ...(head !== undefined && { head }),
      stages: mapsIn(data, 'stages').map(readStage),
      ...(data['plans_only'] === true && { plansOnly: true }),
      problems: mapsIn(data, 'problems').flatMap(readProblem),
      units,
      left: textsIn(data, 'left'),
    },
    problems: [],
  }
}

function readUnit(file: string, map: DataMap): Checked<RequestedUnit> {
  const kind = kinds.find((each) => each === textIn(map, 'kind'))
  const service = textIn(map, 'service')
  const stage = textIn(map, 'stage')
  const environment = textIn(map, 'environment') ?? ''
  const unit = kind === undefined ? undefined : idOf(kind, { service, stage, environment })
  const stack = mapIn(map, 'stack')
  const body = readJson(file, textIn(map, 'body') ?? '')
  if (kind === undefined || unit === undefined || !body.ok || !isMap(body.value.data)) {
    const problem: Problem = {
      code: 'wrong-value',
      severity: 'error',
      message: `A unit of the plan request is not whole: ${unit ?? 'it has no name'}.`,
      expected: 'A unit as the action `validate` writes it.',
      remedy: 'Run the whole workflow again.',
      at: { file, line: 0, column: 0 },
    }
    return { ok: false, problems: [problem] }
  }
  return {
    ok: true,
    value: {
      kind,
      unit,
      ...(service !== undefined && { service }),
      ...(stage !== undefined && { stage }),
      environment,
      stack: {
        name: textIn(stack, 'name') ?? '',
        account: textIn(stack, 'account') ?? '',
        region: textIn(stack, 'region') ?? '',
      },
      hosts: textsIn(map, 'hosts'),
      template: textIn(map, 'template') ?? '',
      rendered: textIn(map, 'rendered') ?? '',
      body: body.value.data,
      parameters: textsOf(mapIn(map, 'parameters')),
      acknowledged: textsIn(map, 'acknowledged'),
      policy: readFacts(map['policy']) ?? [],
      given: textsOf(mapIn(map, 'given')),
    },
    problems: [],
  }
}

function textsOf(map: DataMap = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(map).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  )
}

const kinds = ['environment', 'instance', 'pipeline', 'component'] as const satisfies readonly Unit['kind'][]

function idOf(
  kind: Unit['kind'],
  {
    service,
    stage,
    environment,
  }: { readonly service: string | undefined; readonly stage: string | undefined; readonly environment: string },
): string | undefined {
  if (kind === 'environment') return service === undefined ? `environment/${environment}` : undefined
  if (service === undefined) return undefined
  if (kind === 'pipeline') return `${service}/pipeline`
  if (stage === undefined) return undefined
  return kind === 'instance' ? `${service}/${stage}` : `${service}/${stage}/component`
}

function readStage(map: DataMap): PlanRequest['stages'][number] {
  const soak = numberIn(map, 'soak')
  const approval = mapIn(map, 'approval')
  return {
    name: textIn(map, 'name') ?? '',
    environment: textIn(map, 'environment') ?? '',
    ...(soak !== undefined && { soak }),
    ...(approval !== undefined && { approval: { by: textsIn(approval, 'by') } }),
  }
}

const codes: ReadonlyMap<string, keyof typeof problemCodes> = new Map(keysOf(problemCodes).map((code) => [code, code]))

function keysOf<Key extends string>(map: Readonly<Record<Key, unknown>>): readonly Key[] {
  const isKey = (key: string): key is Key => Object.hasOwn(map, key)
  return Object.keys(map).filter(isKey)
}

/** A problem that this version knows the code of. */
function readProblem(map: DataMap): readonly Problem[] {
  const code = codes.get(textIn(map, 'code') ?? '')
  if (code === undefined) return []
  const expected = textIn(map, 'expected')
  const at = readPlace(mapIn(map, 'at'))
  return [
    {
      code,
      severity: textIn(map, 'severity') === 'warning' ? 'warning' : 'error',
      message: textIn(map, 'message') ?? '',
      remedy: textIn(map, 'remedy') ?? '',
      ...(expected !== undefined && { expected }),
      ...(at !== undefined && { at }),
    },
  ]
}

function readPlace(map: DataMap | undefined): Place | undefined {
  const file = textIn(map, 'file')
  return file === undefined
    ? undefined
    : { file, line: numberIn(map, 'line') ?? 0, column: numberIn(map, 'column') ?? 0 }
}

function mapsIn(map: DataMap, key: string): readonly DataMap[] {
  return (listIn(map, key) ?? [])
    .filter((each: Data): each is DataMap => isMap(each))
    .map((each) => mapOf(Object.entries(each)))
}
