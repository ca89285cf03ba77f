import { restOf, step } from '../core/cloudformation/status.ts'
import type { GuardSettings } from '../core/guard.ts'
import { mapOf } from '../core/data.ts'
import type { Clock, Provisioner, StackId, StackPreview, StackState } from '../ports.ts'
import { deleteChangeSet } from './cloudformation/changing.ts'
import type { Cloud, Credentials } from './cloudformation/client.ts'
import { cloudOf } from './cloudformation/client.ts'
import type { Context, Reading } from './cloudformation/context.ts'
import { readStack } from './cloudformation/context.ts'
import { executed } from './cloudformation/executing.ts'
import { followed } from './cloudformation/following.ts'
import type { Kept } from './cloudformation/previewing.ts'
import { previewed } from './cloudformation/previewing.ts'
import { describeStack, outputsOf, parametersOf, tagsOf } from './cloudformation/reading.ts'
import { cancelled, factsOf, kindOf, recovered, removed } from './cloudformation/recovering.ts'
import { told, toldEach } from './cloudformation/refusal.ts'

export type CloudFormationOptions = {
  /** Who Protium is in the account; without it, what the process finds around it. */
  readonly credentials?: Credentials | undefined
  /** Where templates go that are too large for a request. */
  readonly templateBucket?: string | undefined
  readonly clock: Clock
  /** From 0 up to 1, for waits that do not meet. */
  readonly random: () => number
  /** By which a later run knows what this one began. */
  readonly run: { readonly id: string; readonly attempt: number; readonly pullRequest?: number }
  /** Which types of resources hold data, and which of the resources may be lost all the same, by logical id. */
  readonly guard?: GuardSettings
  readonly acknowledged?: readonly string[]
}

/**
 * Stacks of AWS CloudFormation. A preview is a change set, unless two reads tell that there is nothing to do, or that there is
 * no stack yet; what is executed is exactly what was previewed. Every call that changes something carries a token, so that it
 * can be repeated, and so that a later run finds what an earlier one began.
 *
 * Every method may throw `Refused`: `cloud-access`, `cloud-capabilities`, `cloud-credentials`, `cloud-quota`, `cloud-refused`,
 * `cloud-unreachable`, `wrong-account`, `interrupted`; what previews and executes also `stack-refused`, `template-bucket`,
 * `express-refused`, `plan-stale`, `stack-busy`; what follows `outcome-unknown`; what recovers and removes `stack-protected`,
 * `stack-stuck`, `recovery-loses-data`. See docs/cloudformation.md.
 */
export function cloudFormation(options: CloudFormationOptions): Provisioner {
  const { credentials, clock, random, run } = options
  const clouds = new Map<string, Cloud>()
  const counts = new Map<string, number>()
  const context: Context = {
    cloudOf: ({ account, region }) => {
      const key = `${account}/${region}`
      const cloud = clouds.get(key) ?? cloudOf({ account, region, credentials, clock, random })
      clouds.set(key, cloud)
      return cloud
    },
    templateBucket: options.templateBucket,
    guard: options.guard,
    acknowledged: options.acknowledged ?? [],
    nameFor: (wants) => {
      const count = counts.get(wants) ?? 0
      counts.set(wants, count + 1)
      return { ...run, run: count === 0 ? run.id : `${run.id}s${count}`, wants }
    },
  }
  /** What `state` has read a moment ago is what the next `preview` compares with. */
  const seen = new Map<string, Reading>()
  const kept = new WeakMap<StackPreview, Kept>()

  return {
    state: async (stack, { expects } = {}) =>
      told(stack.name, async () => {
        const cloud = context.cloudOf(stack)
        const reading = await readStack(cloud, stack.name, { withTemplate: expects === undefined })
        seen.set(keyOf(stack), reading)
        return stateOf(context, { cloud, reading })
      }),

    preview: async (wanted, { for: purpose = 'plan' } = {}) =>
      told(wanted.stack.name, async () => {
        const { stack } = wanted
        const cloud = context.cloudOf(stack)
        const reading = seen.get(keyOf(stack)) ?? (await readStack(cloud, stack.name))
        seen.delete(keyOf(stack))
        const made = await previewed(context, { cloud, wanted, reading, purpose })
        kept.set(made.preview, made.kept)
        return made.preview
      }),

    discard: async ({ stack, handle }) =>
      told(stack.name, async () => {
        if (handle !== undefined) await deleteChangeSet(context.cloudOf(stack), handle)
      }),

    execute: (preview, wanted, signal) =>
      toldEach(
        wanted.stack.name,
        () =>
          executed(context, {
            cloud: context.cloudOf(wanted.stack),
            preview,
            wanted,
            kept: kept.get(preview),
            signal,
          }),
        signal,
      ),

    follow: (stack, signal) =>
      toldEach(
        stack.name,
        async function* follow() {
          const cloud = context.cloudOf(stack)
          const found = await describeStack(cloud, stack.name, { signal })
          if (found !== undefined && restOf(found.StackStatus) === 'busy') {
            const { StackId: arn, StackStatus: status } = found
            yield* followed({ cloud, arn, name: stack.name, kind: kindOf(status), signal })
            return
          }
          yield { kind: 'stack', at: clock.now(), status: found?.StackStatus ?? 'DELETE_COMPLETE' }
        },
        signal,
      ),

    recover: (stack, signal) =>
      toldEach(stack.name, () => recovered(context, { cloud: context.cloudOf(stack), stack, signal }), signal),

    cancel: async (stack) => told(stack.name, async () => cancelled({ cloud: context.cloudOf(stack), stack }, context)),

    remove: (stack, signal) =>
      toldEach(stack.name, () => removed(context, { cloud: context.cloudOf(stack), stack, signal }), signal),
  }
}

function keyOf({ account, region, name }: StackId): string {
  return `${account}/${region}/${name}`
}

async function stateOf(
  context: Context,
  { cloud, reading }: { readonly cloud: Cloud; readonly reading: Reading },
): Promise<StackState> {
  if (reading.is === 'absent') return { is: 'absent' }
  const { stack, template } = reading
  const { StackStatus: status } = stack
  const tags = tagsOf(stack)
  switch (restOf(status)) {
    case 'absent':
      return { is: 'absent' }
    case 'busy':
      return { is: 'busy', status, tags }
    case 'settled':
      return {
        is: 'settled',
        body: template ?? mapOf(),
        parameters: parametersOf(stack),
        tags,
        outputs: outputsOf(stack),
      }
    case 'stuck': {
      const next = step(status, await factsOf(context, { cloud, stack }))
      return next.step === 'refuse'
        ? { is: 'stuck', status, remedy: `${next.message} ${next.remedy}`, recovers: false, tags }
        : {
            is: 'stuck',
            status,
            remedy: 'Deploy again: what the last operation left is mended first.',
            recovers: true,
            tags,
          }
    }
  }
}
