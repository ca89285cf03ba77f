import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  buildSchema,
  type DocumentNode,
  execute,
  GraphQLError,
  type GraphQLFieldResolver,
  Kind,
  NoDeprecatedCustomRule,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql'
import type { Identity } from '../identity.ts'
import { isMap, type Json, type JsonMap, listAt, mapAt, parseJson, textAt } from '../json.ts'
import { type Answer, Failure, failure, stamp, type World } from '../world.ts'
import { deployment, rollup } from './checks.ts'
import { type Costed, costOf } from './cost.ts'
import { mutation } from './mutations.ts'
import { commit, ref } from './objects.ts'
import { pull } from './pulls.ts'
import { query, repository } from './repositories.ts'
import { GraphqlFailure, type Scene, type Show, type View } from './scene.ts'

/** How much a query may be: by default as much as GitHub's own numbers allow. */
export type GraphqlOptions = {
  /** From so many nodes on that a query may reach, it is too much. */
  readonly mostNodes?: number
  /** What happens then: 502 for all of it (by default), or the first of `nodes(ids)` and errors in place of the others. */
  readonly over?: 'timeout' | 'partial'
}

/** One field of the root that fails while the others are answered. */
export type FieldFault = {
  /** By its name in the schema: `createPullRequest`. */
  readonly field: string
  readonly message: string
  readonly type?: string
  /** Its effect is there, and only its answer is lost. */
  readonly done?: true
}

/** A document as it came. */
export type Document = {
  readonly source: JsonMap
  readonly document?: DocumentNode
  readonly operation?: OperationDefinitionNode
  /** The names of the fields of the root, as often as they are asked for. */
  readonly fields: readonly string[]
  readonly problems: readonly GraphQLError[]
}

const schema = buildSchema(readFileSync(join(import.meta.dirname, '../schema.generated.graphql'), 'utf8'))
const show: Show = { repository, pull, commit, ref, rollup, deployment }

/** Reads the body of a request, and holds its document against GitHub's schema. */
export function readDocument(body: Json | undefined): Document {
  const source = isMap(body) ? body : {}
  const nothing = { source, fields: [] }
  let document: DocumentNode
  try {
    document = parse(textAt(source, 'query') ?? '')
  } catch (error) {
    if (error instanceof GraphQLError) return { ...nothing, problems: [error] }
    throw error
  }
  const problems = validate(schema, document, [...specifiedRules, NoDeprecatedCustomRule])
  const operations = document.definitions.filter((each) => each.kind === Kind.OPERATION_DEFINITION)
  const name = textAt(source, 'operationName')
  const operation = operations.find((each) => name === undefined || each.name?.value === name)
  const fields = (operation?.selectionSet.selections ?? []).flatMap((each) =>
    each.kind === Kind.FIELD ? [each.name.value] : [],
  )
  return { source, document, ...(operation === undefined ? {} : { operation }), fields, problems }
}

export type Asked = {
  readonly document: Document
  readonly identity: Identity
  readonly faults: readonly FieldFault[]
  readonly options: GraphqlOptions
}

export type Answered = {
  readonly answer: Answer
  readonly points: number
  /** How many new contents were refused, for there were too many. */
  readonly rejected: number
  readonly violations: readonly string[]
}

/** Answers a document as GitHub does: status 200 whatever fails, an error with its path for each field that does. */
export async function answerGraphql(
  world: World,
  { document: asked, identity, faults, options }: Asked,
): Promise<Answered> {
  const { document, operation, source, problems } = asked
  const said = (answer: Answer, violations: readonly string[] = []) => ({ answer, points: 1, rejected: 0, violations })
  if (identity.is === 'nobody') return said(failure(401, 'This endpoint requires you to be authenticated.'))
  if (identity.is === 'signed-app') return said(failure(403, 'Resource not accessible by integration'))
  if (document === undefined || operation === undefined || problems.length > 0) {
    const messages = problems.map(({ message }) => message)
    return said(errors(messages.map((message) => ({ message }))), [messages.join('; ') || 'there is no operation'])
  }
  const variables = mapAt(source, 'variables')
  const cost = costIfVariablesFit({ schema, document, operation, variables })
  if (typeof cost === 'string') return said(errors([{ message: cost }]), [cost])
  if (cost.faults.length > 0)
    return said(
      errors(cost.faults.map(({ type, message, path }) => ({ type, message, path: [path] }))),
      cost.faults.map(({ message }) => message),
    )
  const spent = world.limits.spendPoints(identity, cost.points, world.clock.now())
  if (spent.refused !== undefined) return { ...said({ ...spent.refused, headers: spent.headers }), points: 0 }
  const isOver = cost.nodes > (options.mostNodes ?? Infinity)
  if (isOver && options.over !== 'partial')
    return { ...said({ ...timedOut(), headers: spent.headers }), points: cost.points }

  const scene: Scene = { world, identity, show }
  const left = world.limits.points(identity, world.clock.now())
  const rateLimit: View = {
    __typename: 'RateLimit',
    cost: cost.points,
    nodeCount: cost.nodes,
    limit: left.limit,
    remaining: left.remaining,
    used: left.used,
    resetAt: stamp(new Date(left.reset * 1000)),
  }
  const ids = listAt(variables, 'ids').length || 1
  const most = isOver ? Math.floor((options.mostNodes ?? 0) / (cost.nodes / ids)) : Infinity
  let rejected = 0
  const root =
    operation.operation === OperationTypeNode.MUTATION
      ? mutation(scene, () => {
          rejected += 1
        })
      : query(scene, { rateLimit, most })
  const result = await execute({
    schema,
    document,
    rootValue: root,
    variableValues: { ...variables },
    fieldResolver: resolverWith([...faults]),
  })
  const violations: string[] = []
  const told = (result.errors ?? []).map((error) => toldError(error, violations))
  const data: Json = parseJson(JSON.stringify(result.data ?? null))
  const body = { ...(result.data === undefined ? {} : { data }), ...(told.length === 0 ? {} : { errors: told }) }
  return { answer: { status: 200, body, headers: spent.headers }, points: cost.points, rejected, violations }
}

/** What a variable of another type than its own comes to is only known when it is used. */
function costIfVariablesFit(costed: Costed): ReturnType<typeof costOf> | string {
  try {
    return costOf(costed)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function errors(all: readonly JsonMap[]): Answer {
  return { status: 200, body: { errors: all } }
}

/** What GitHub says when a query has taken longer than ten seconds. */
export function timedOut(): Answer {
  const message =
    'Something went wrong while executing your query. This may be the result of a timeout, or it could be a GitHub bug. Please include `LOCAL` when reporting this issue.'
  return { status: 502, body: { data: null, errors: [{ message }] } }
}

/** What GitHub says of a query that uses more than it may. */
export function overLimits(): Answer {
  const message = 'Resource limits for this query exceeded.'
  return { status: 200, body: { data: null, errors: [{ type: 'RESOURCE_LIMITS_EXCEEDED', message }] } }
}

function resolverWith(faults: FieldFault[]): GraphQLFieldResolver<View, unknown> {
  return async (source, args, _context, info) => {
    const name = info.fieldName
    const index = info.path.prev === undefined ? faults.findIndex(({ field }) => field === name) : -1
    const [fault] = index === -1 ? [] : faults.splice(index, 1)
    if (fault !== undefined && fault.done !== true) throw faultOf(fault)
    if (!(name in source)) throw new Error(`The local GitHub does not answer ${info.parentType.name}.${name}`)
    const value = source[name]
    const made = typeof value === 'function' ? await value(jsonOf(args)) : await value
    if (fault !== undefined) throw faultOf(fault)
    return made
  }
}

function faultOf({ type, message }: FieldFault): GraphqlFailure {
  return new GraphqlFailure(type ?? 'INTERNAL', message)
}

function jsonOf(args: unknown): JsonMap {
  const value = parseJson(JSON.stringify(args))
  return isMap(value) ? value : {}
}

/** An error in GitHub's form; what is no refusal of GitHub's is a mistake of the query's, or of this server's. */
function toldError(error: GraphQLError, violations: string[]): JsonMap {
  const place = {
    ...(error.path === undefined ? {} : { path: [...error.path] }),
    locations: (error.locations ?? []).map(({ line, column }) => ({ line, column })),
  }
  const { originalError } = error
  if (originalError instanceof GraphqlFailure) return { type: originalError.type, ...place, message: error.message }
  if (originalError instanceof Failure) {
    const { status, body } = originalError.answer
    const messages = listAt(body, 'errors').map(
      (each) => textAt(each, 'message') ?? (typeof each === 'string' ? each : ''),
    )
    const type = status === 403 ? 'FORBIDDEN' : status === 404 ? 'NOT_FOUND' : 'UNPROCESSABLE'
    return { type, ...place, message: messages.find((each) => each !== '') ?? originalError.message }
  }
  violations.push(originalError?.stack ?? error.message)
  return { ...place, message: error.message }
}
