import { createHash } from 'node:crypto'
import type { Data, DataMap } from '../../src/core/data.ts'
import { isMap, mapOf } from '../../src/core/data.ts'
import { Refused } from '../../src/core/problem.ts'
import type {
  Provisioner,
  ResourceChange,
  StackEvent,
  StackId,
  StackPreview,
  StackState,
  WantedStack,
} from '../../src/ports.ts'
import type { Actor, Turns } from './turns.ts'

type Content = Pick<WantedStack, 'body' | 'parameters' | 'tags'>

type Live = {
  readonly content: Content
  readonly status: string
  /** What is under way: it goes on whatever becomes of who began it. */
  readonly operation?: {
    readonly content: Content
    readonly wants: string
    readonly ends: number
    readonly fails: boolean
  }
}

/** What was begun, with what it was begun by. */
export type Begun = {
  readonly actor: Actor
  readonly stack: string
  readonly unit: string
  readonly changes: readonly ResourceChange[]
  readonly fails: boolean
}

const takes = 60_000
const clean = { is: 'absent' } as const

/**
 * Accounts as far as the port of a provisioner promises: stacks that are compared and executed, that fail and go back, and that go
 * on when nobody looks.
 */
export class Cloud {
  readonly stacks: Map<string, Live>
  readonly #turns: Turns
  readonly #begun: (begun: Begun) => void
  /** Stacks whose next operation fails. */
  readonly failing = new Set<string>()

  constructor(turns: Turns, begun: (begun: Begun) => void, stacks: ReadonlyMap<string, Live> = new Map()) {
    this.#turns = turns
    this.#begun = begun
    this.stacks = new Map(stacks)
  }

  /** A stack as it is at this moment. */
  look(name: string): Live | undefined {
    const live = this.stacks.get(name)
    if (live?.operation === undefined || this.#turns.now() < live.operation.ends) return live
    return this.#end(name, live)
  }

  #end(name: string, live: Live): Live | undefined {
    const { operation } = live
    if (operation === undefined) return live
    const isNew = live.status === 'CREATE_IN_PROGRESS'
    const ended = operation.fails
      ? { content: live.content, status: isNew ? 'ROLLBACK_COMPLETE' : 'UPDATE_ROLLBACK_COMPLETE' }
      : { content: operation.content, status: isNew ? 'CREATE_COMPLETE' : 'UPDATE_COMPLETE' }
    this.stacks.set(name, ended)
    return ended
  }

  provisionerFor(actor: Actor): Provisioner {
    const turns = this.#turns
    const ask = async <T>(effect: () => T): Promise<T> => turns.ask(actor, effect)
    const state = (stack: StackId): StackState => stateOf(this.look(stack.name))
    const follow = async function* (this: Cloud, stack: StackId): AsyncGenerator<StackEvent> {
      const left = await ask(() => this.look(stack.name)?.operation?.ends)
      if (left !== undefined) await ask(() => turns.pass(Math.max(0, left - turns.now())))
      const status = await ask(() => this.look(stack.name)?.status ?? 'DELETE_COMPLETE')
      yield { kind: 'stack', at: new Date(turns.now()), status }
    }.bind(this)
    return {
      state: async (stack) => ask(() => state(stack)),
      preview: async (wanted) =>
        ask(() => {
          const live = this.look(wanted.stack.name)
          const content = isThere(live) ? live.content : undefined
          return {
            stack: wanted.stack,
            wants: hash(contentText(wanted)),
            against: againstOf(live),
            changes: changesOf(content, wanted),
          }
        }),
      discard: async () => undefined,
      execute: async function* (this: Cloud, preview: StackPreview, wanted: WantedStack): AsyncGenerator<StackEvent> {
        const { name } = wanted.stack
        const status = await ask(() => {
          const live = this.look(name)
          const wants = hash(contentText(wanted))
          if (live?.operation !== undefined && live.operation.wants === wants) return live.status
          if (live?.operation !== undefined)
            throw new Refused('stack-busy', `The stack ${name} is busy.`, { remedy: 'Wait.' })
          if (againstOf(live) !== preview.against || wants !== preview.wants)
            throw new Refused('plan-stale', `The stack ${name} was changed.`, { remedy: 'Plan again.' })
          const fails = this.failing.delete(name)
          const unit = wanted.tags['protium:unit'] ?? ''
          this.#begun({ actor, stack: name, unit, changes: preview.changes, fails })
          const { body, parameters, tags } = wanted
          const content = { body, parameters, tags }
          const before = isThere(live) ? live.content : undefined
          const begun = before === undefined ? 'CREATE_IN_PROGRESS' : 'UPDATE_IN_PROGRESS'
          this.stacks.set(name, {
            content: before ?? { body: mapOf(), parameters: {}, tags },
            status: begun,
            operation: { content, wants, ends: turns.now() + takes, fails },
          })
          return begun
        })
        yield { kind: 'stack', at: new Date(turns.now()), status }
        const [first] = preview.changes
        const isFailing = await ask(() => {
          turns.pass(takes / 2)
          return this.stacks.get(name)?.operation?.fails === true
        })
        if (isFailing && first !== undefined) {
          const { logicalId, type } = first
          const failed = first.action === 'create' ? 'CREATE_FAILED' : 'UPDATE_FAILED'
          yield { kind: 'resource', at: new Date(turns.now()), logicalId, type, status: failed, reason: 'Rehearsed' }
        }
        const ended = await ask(() => {
          turns.pass(takes / 2)
          return this.look(name)?.status ?? ''
        })
        yield { kind: 'stack', at: new Date(turns.now()), status: ended }
      }.bind(this),
      follow: (stack) => follow(stack),
      recover: async function* (this: Cloud, { name }: StackId): AsyncGenerator<StackEvent> {
        await ask(() => this.stacks.delete(name))
        yield { kind: 'stack', at: new Date(turns.now()), status: 'DELETE_COMPLETE' }
      }.bind(this),
      cancel: async () => 'nothing',
      health: async () => ({ is: 'healthy', words: 'steady' }),
      drift: async () => ({ resources: [], looked: 0, unknown: [] }),
      remove: async function* ({ name }: StackId): AsyncGenerator<StackEvent> {
        yield { kind: 'stack', at: new Date(turns.now()), status: `${name} is not removed here` }
      },
    }
  }
}

function isThere(live: Live | undefined): live is Live {
  return live !== undefined && live.status !== 'ROLLBACK_COMPLETE'
}

function stateOf(live: Live | undefined): StackState {
  if (live === undefined) return clean
  const { content, status, operation } = live
  if (operation !== undefined) return { is: 'busy', status, tags: content.tags }
  if (status === 'ROLLBACK_COMPLETE')
    return { is: 'stuck', status, remedy: 'Delete it.', recovers: true, tags: content.tags }
  return { is: 'settled', ...content, outputs: outputsOf(content) }
}

function outputsOf({ body, tags }: Content): Readonly<Record<string, string>> {
  const outputs = mapAt(body, 'Outputs')
  return Object.fromEntries(
    Object.keys(outputs).map((name) => {
      const value = mapAt(outputs, name)['Value']
      return [name, typeof value === 'string' ? value : `${tags['protium:unit']} ${JSON.stringify(value)}`]
    }),
  )
}

function changesOf(before: Content | undefined, { body }: WantedStack): readonly ResourceChange[] {
  const [old, wanted] = [mapAt(before?.body, 'Resources'), mapAt(body, 'Resources')]
  const names = [...new Set([...Object.keys(old), ...Object.keys(wanted)])]
  return names.flatMap((logicalId): ResourceChange[] => {
    const [was, is] = [mapAt(old, logicalId), mapAt(wanted, logicalId)]
    const facts = { logicalId, because: [], retained: false }
    if (!(logicalId in old)) return [{ ...facts, type: textAt(is), action: 'create', properties: [] }]
    if (!(logicalId in wanted)) return [{ ...facts, type: textAt(was), action: 'delete', properties: [] }]
    const [a, b] = [mapAt(was, 'Properties'), mapAt(is, 'Properties')]
    const paths = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => text(a[key]) !== text(b[key]))
    const properties = paths.map((path) => ({
      path: `Properties.${path}`,
      before: hash(text(a[path])),
      after: hash(text(b[path])),
    }))
    return properties.length === 0 ? [] : [{ ...facts, type: textAt(is), action: 'update', properties }]
  })
}

function mapAt(value: Data | undefined, key: string): DataMap {
  const found = isMap(value) ? value[key] : undefined
  return isMap(found) ? found : mapOf()
}

function textAt(resource: DataMap): string {
  const type = resource['Type']
  return typeof type === 'string' ? type : ''
}

function text(value: Data | undefined): string {
  return JSON.stringify(value) ?? ''
}

function contentText({ body, parameters, tags }: Content): string {
  return JSON.stringify([body, parameters, tags])
}

function againstOf(live: Live | undefined): string {
  return hash(live === undefined ? '' : `${live.status} ${contentText(live.content)}`)
}

function hash(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}
