import type { Ports, ProvisionerOptions } from '../command.ts'
import type { Environment } from '../core/catalog.ts'
import type { Unit } from '../core/organisation.ts'
import type { Provisioner, StackPreview } from '../ports.ts'
import type { Judging } from '../core/rendering.ts'
import type { Terms } from './terms.ts'
import { noTerms } from './terms.ts'

/** Where the stacks of units are, and what they are looked at for. */
export type Stacks = {
  /** The provisioner of a unit's environment; asked for once for all that are alike. */
  readonly of: (unit: Pick<Unit, 'environment'>) => Promise<Provisioner>
  readonly for: 'plan' | 'deployment'
  /** What waivers end by; one moment for the whole run. */
  readonly now: Date
  readonly policy: NonNullable<Judging['policy']>
  readonly terms: Terms
  /** What the last deployment of a unit wanted, by its digest, where that is known. */
  readonly last: (unit: Pick<Unit, 'id'>) => Promise<string | undefined>
  readonly signal: AbortSignal
  readonly told: (what: string) => void
}

/**
 * The stacks of one run. At its end, however it comes, what previews keep in the cloud is given back, save what was executed:
 * `await using`.
 */
export function stacksOf(
  ports: Ports,
  options: {
    readonly folder: string
    readonly fail?: readonly string[]
    readonly for?: Stacks['for']
    readonly policy?: Judging['policy']
    readonly terms?: Terms
    readonly last?: Stacks['last']
  },
): Stacks & AsyncDisposable {
  const known = new Map<string, Promise<Provisioner>>()
  const open = new Map<StackPreview, Provisioner>()
  let now: Date | undefined
  return {
    of: async ({ environment }) => {
      const wanted = provisionerOptions(environment, options)
      const id = JSON.stringify(wanted)
      const provisioner = known.get(id) ?? ports.provisioner(wanted).then((one) => remembering(one, open))
      known.set(id, provisioner)
      return provisioner
    },
    for: options.for ?? 'plan',
    get now() {
      return (now ??= ports.clock.now())
    },
    policy: options.policy ?? 'stops',
    terms: options.terms ?? noTerms,
    last: options.last ?? (async () => undefined),
    signal: ports.signal,
    told: (what) => ports.reporter.step('stacks', what),
    async [Symbol.asyncDispose]() {
      const left = [...open]
      open.clear()
      await Promise.all(left.map(async ([preview, provisioner]) => provisioner.discard(preview)))
    },
  }
}

/** Remembers which previews have yet to be given back. Only one with a handle keeps anything. */
function remembering(provisioner: Provisioner, open: Map<StackPreview, Provisioner>): Provisioner {
  return {
    state: async (stack, options) => provisioner.state(stack, options),
    async preview(wanted, options) {
      const preview = await provisioner.preview(wanted, options)
      if (preview.handle !== undefined) open.set(preview, provisioner)
      return preview
    },
    async discard(preview) {
      open.delete(preview)
      await provisioner.discard(preview)
    },
    async *execute(preview, wanted, signal) {
      yield* provisioner.execute(preview, wanted, signal)
      open.delete(preview)
    },
    follow: (stack, signal) => provisioner.follow(stack, signal),
    recover: (stack, signal, guard) => provisioner.recover(stack, signal, guard),
    cancel: async (stack) => provisioner.cancel(stack),
    health: async (stack, signal) => provisioner.health(stack, signal),
    ...(provisioner.evidence !== undefined && { evidence: provisioner.evidence }),
    ...(provisioner.answer !== undefined && { answer: provisioner.answer }),
    drift: async (stack, signal) => provisioner.drift(stack, signal),
    remove: (stack, signal) => provisioner.remove(stack, signal),
  }
}

/** What a door needs to know to hand out the provisioner of an environment. */
export function provisionerOptions(
  { provisioner: name, credentials, templateBucket }: Environment,
  { folder, fail = [] }: { readonly folder: string; readonly fail?: readonly string[] },
): ProvisionerOptions {
  return {
    name,
    folder,
    fail,
    ...(credentials !== undefined && { credentials }),
    ...(templateBucket !== undefined && { templateBucket }),
  }
}

/** Only local stacks are held for a run; those of a cloud are held by the cloud, one operation at a time. */
export async function exclusively(
  ports: Ports,
  { units, stacks }: { readonly units: readonly Unit[]; readonly stacks: string },
): Promise<AsyncDisposable> {
  return units.some(({ environment }) => environment.provisioner === 'local')
    ? ports.exclusive(stacks)
    : { [Symbol.asyncDispose]: async () => {} }
}
