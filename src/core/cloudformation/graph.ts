import { compareText } from '../canonical.ts'
import type { Checked, Place, Problem } from '../problem.ts'
import { inOrder } from '../stack/order.ts'
import { planStack } from '../stack/plan.ts'
import type { StackName, StackWish } from '../stack/template.ts'

/** A unit as the graph needs it. */
export type GraphUnit = {
  readonly id: string
  readonly kind: 'environment' | 'instance' | 'pipeline' | 'component'
  /** The name of the environment that it lies in; of an environment, its own. */
  readonly environment: string
  readonly service?: string | undefined
  readonly stage?: string | undefined
  readonly stack: StackName
  /** Milliseconds that its last deployment took. */
  readonly usual?: number | undefined
  /** Names that its stack exports and imports; see `crossings`. */
  readonly exports?: readonly string[] | undefined
  readonly imports?: readonly string[] | undefined
  /** Where its template takes what another stack exports, for the telling of a circle. */
  readonly at?: Place | undefined
  /** Units that have to be there first for another reason. */
  readonly after?: readonly string[] | undefined
}

export type Node = {
  readonly id: string
  /** What has to be done before it, and what waits for it. */
  readonly needs: readonly string[]
  readonly feeds: readonly string[]
  /** Milliseconds from its beginning to the end of the longest chain that waits for it. */
  readonly path: number
  /** The account and region: each has a budget of its own. */
  readonly place: string
}

/** Units and what ties them together, in an order in which each stands after those that it needs. */
export type Graph = { readonly nodes: ReadonlyMap<string, Node> }

/** How long a deployment is taken to be when none is known: environments take minutes (networks, clusters). */
const guess = { environment: 300_000, instance: 120_000, pipeline: 60_000, component: 60_000 } as const

/**
 * The names that a stack exports and imports, from its rendered template: functions evaluated, for the name of an export is most often
 * made of the stack's name. What cannot be evaluated here has none; the cloud tells then.
 */
export function crossings(wish: StackWish): {
  readonly exports: readonly string[]
  readonly imports: readonly string[]
} {
  const planned = planStack(wish, { imported: (name) => `import:${name}` })
  if (!planned.ok) return { exports: [], imports: [] }
  const { exports, imports } = planned.value
  return { exports: Object.keys(exports).toSorted(compareText), imports: Object.keys(imports).toSorted(compareText) }
}

/**
 * Ties units together: an environment before all that lies in it, a component before its instance, the instances before the
 * pipeline that serves them, the stack that exports a name before those of the same account and region that import it.
 * Problems: a circle. Names that no unit exports are none: another stack of the account may export them.
 *
 * `reversed` ties them for a removal: what needs goes before what is needed.
 */
export function graphOf(units: readonly GraphUnit[], options: { readonly reversed?: boolean } = {}): Checked<Graph> {
  const forward = needsOf(units)
  const sorted = inOrder(forward)
  if (sorted.is === 'cycle') return { ok: false, problems: [cycleProblem(sorted.cycle, units)] }
  const order = options.reversed === true ? sorted.order.toReversed() : sorted.order
  const backward = turned(forward)
  const [needs, feeds] = options.reversed === true ? [backward, forward] : [forward, backward]
  const known = new Map(units.map((unit) => [unit.id, unit]))
  const nodes = new Map<string, Node>()
  for (const id of order.toReversed()) {
    const unit = known.get(id)
    if (unit === undefined) continue
    const own = unit.usual ?? guess[unit.kind]
    const fed = feeds.get(id) ?? []
    const path = own + Math.max(0, ...fed.map((each) => nodes.get(each)?.path ?? 0))
    const place = `${unit.stack.account} ${unit.stack.region}`
    nodes.set(id, { id, needs: needs.get(id) ?? [], feeds: fed, path, place })
  }
  return { ok: true, value: { nodes: new Map([...nodes].toReversed()) }, problems: [] }
}

function needsOf(units: readonly GraphUnit[]): ReadonlyMap<string, readonly string[]> {
  const environments = new Map(
    units.flatMap(({ kind, id, environment }) => (kind === 'environment' ? [[environment, id]] : [])),
  )
  const siblings = Map.groupBy(units, ({ service = '' }) => service)
  const exporters = new Map(
    units.flatMap(({ id, stack, exports = [] }) => exports.map((name) => [exportKey(stack, name), id] as const)),
  )
  const known = new Set(units.map(({ id }) => id))
  return new Map(
    units.map((unit) => {
      const { id, kind, stack, environment, service, stage, imports = [], after = [] } = unit
      const others = service === undefined ? [] : (siblings.get(service) ?? [])
      const needed = others.filter((other) =>
        kind === 'pipeline'
          ? other.kind === 'instance'
          : kind === 'instance' && other.kind === 'component' && other.stage === stage,
      )
      const home = kind === 'environment' ? undefined : environments.get(environment)
      const all = [
        ...(home === undefined ? [] : [home]),
        ...needed.map((other) => other.id),
        ...imports.flatMap((name) => exporters.get(exportKey(stack, name)) ?? []),
        ...after.filter((other) => known.has(other)),
      ]
      return [id, [...new Set(all)].filter((other) => other !== id)] as const
    }),
  )
}

function exportKey({ account, region }: StackName, name: string): string {
  return `${account} ${region} ${name}`
}

function turned(needs: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, readonly string[]> {
  const feeds = new Map<string, string[]>([...needs.keys()].map((id) => [id, []]))
  for (const [id, needed] of needs) for (const other of needed) feeds.get(other)?.push(id)
  return feeds
}

function cycleProblem(cycle: readonly string[], units: readonly GraphUnit[]): Problem {
  const known = new Map(units.map((unit) => [unit.id, unit]))
  const why = cycle.slice(0, -1).flatMap((id, index) => {
    const [from, to] = [known.get(id), known.get(cycle[index + 1] ?? '')]
    const shared = from?.imports?.filter((name) => to?.exports?.includes(name) === true) ?? []
    return shared.length === 0 ? [] : [`${id} imports ${shared.join(', ')} of ${to?.id ?? ''}`]
  })
  return {
    code: 'units-cycle',
    severity: 'error',
    message: `Units need each other in a circle: ${cycle.join(' → ')}.${why.length === 0 ? '' : ` ${why.join('; ')}.`}`,
    expected: 'Each unit needs only such as can be deployed before it.',
    remedy: 'Take one of the values from elsewhere, so that the circle is broken.',
    ...placesOf(cycle.flatMap((id) => known.get(id) ?? [])),
  }
}

/** The first place of a circle, and the others; a circle names its first unit twice. */
function placesOf(units: readonly GraphUnit[]): Pick<Problem, 'at' | 'related'> {
  const [first, ...others] = [...new Set(units)].flatMap(({ id, at }) => (at === undefined ? [] : [{ id, at }]))
  if (first === undefined) return {}
  const related = others.map(({ id, at }) => ({ at, note: `where ${id} takes what another exports` }))
  return { at: first.at, ...(related.length > 0 && { related }) }
}

/** How far a unit is. `skipped` was not begun because one that it needs failed. */
export type UnitProgress = 'running' | 'done' | 'failed' | 'skipped'

/**
 * What holds requests back is the budget of the account; this bounds what CloudFormation works on. Fewer than the services of
 * an environment would let a short chain wait for another.
 */
const concurrency = { usual: 16, most: 50 } as const

export type NextOptions = {
  /** How many are worked on at a time in one account and region; 16 where nothing is said, 50 at most. */
  readonly most?: number
  /** One failure ends all: what runs goes on to its end, and nothing is begun. */
  readonly failFast?: boolean
}

export type Next = {
  /** To begin now, the longest chain first. */
  readonly start: readonly string[]
  /** Not to be begun any more, and for which unit's failure. */
  readonly skip: readonly { readonly id: string; readonly because: string }[]
  /** Nothing runs, and nothing is left to begin. */
  readonly isOver: boolean
}

/**
 * What to do now, from how far each unit is; those that are not in `progress` are waiting. A unit is ready as soon as all that
 * it needs are done (there are no layers), and of the ready ones those go first on which the longest chain waits.
 */
export function next(graph: Graph, progress: ReadonlyMap<string, UnitProgress>, options: NextOptions = {}): Next {
  const most = Math.max(1, Math.min(options.most ?? concurrency.usual, concurrency.most))
  const waiting = [...graph.nodes.values()].filter(({ id }) => !progress.has(id))
  const failed = [...progress].find(([, state]) => state === 'failed')?.[0]
  const lost = new Map<string, string>()
  // In the order of the graph, so that what is skipped takes along what waits for it.
  for (const { id, needs } of waiting) {
    const cause =
      options.failFast === true && failed !== undefined
        ? failed
        : needs.map((other) => causeOf(other, progress, lost)).find((each) => each !== undefined)
    if (cause !== undefined) lost.set(id, cause)
  }
  const running = [...progress].flatMap(([id, state]) =>
    state === 'running' ? [graph.nodes.get(id)?.place ?? ''] : [],
  )
  const busy = new Map<string, number>()
  for (const place of running) busy.set(place, (busy.get(place) ?? 0) + 1)
  const ready = waiting
    .filter(({ id, needs }) => !lost.has(id) && needs.every((other) => isDone(other, graph, progress)))
    .toSorted((a, b) => b.path - a.path)
  const start = ready.filter(({ place }) => {
    const count = busy.get(place) ?? 0
    if (count >= most) return false
    busy.set(place, count + 1)
    return true
  })
  return {
    start: start.map(({ id }) => id),
    skip: [...lost].map(([id, because]) => ({ id, because })),
    isOver: running.length === 0 && waiting.length === lost.size,
  }
}

/** What a graph does not have needs nothing done: it is not part of this run. */
function isDone(id: string, graph: Graph, progress: ReadonlyMap<string, UnitProgress>): boolean {
  return !graph.nodes.has(id) || progress.get(id) === 'done'
}

function causeOf(
  id: string,
  progress: ReadonlyMap<string, UnitProgress>,
  lost: ReadonlyMap<string, string>,
): string | undefined {
  const state = progress.get(id)
  return lost.get(id) ?? (state === 'failed' || state === 'skipped' ? id : undefined)
}

/** All that wait for these units, at whatever distance, in the order of the graph; the units themselves are not among them. */
export function dependants(graph: Graph, ids: readonly string[]): readonly string[] {
  const found = new Set<string>()
  const open = [...ids]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const other of graph.nodes.get(id)?.feeds ?? []) {
      if (found.has(other)) continue
      found.add(other)
      open.push(other)
    }
  }
  return [...graph.nodes.keys()].filter((id) => found.has(id) && !ids.includes(id))
}
