import { cloudHealthOf } from '../core/cloud-health.ts'
import { restOf, step } from '../core/cloudformation/status.ts'
import type { GuardOptions } from '../core/guard.ts'
import { mapOf } from '../core/data.ts'
import type { Clock, Provisioner, StackId, StackPreview, StackResource, StackState } from '../ports.ts'
import { deleteChangeSet } from './cloudformation/changing.ts'
import type { Cloud, Credentials } from './cloudformation/client.ts'
import { cloudOf } from './cloudformation/client.ts'
import type { Context, Reading } from './cloudformation/context.ts'
import { readStack, wantsOf } from './cloudformation/context.ts'
import { detectedDrift } from './cloudformation/drifting.ts'
import { executed } from './cloudformation/executing.ts'
import { followed } from './cloudformation/following.ts'
import type { Kept } from './cloudformation/previewing.ts'
import { previewed } from './cloudformation/previewing.ts'
import { describeStack, outputsOf, parametersOf, resourcesOf, tagsOf } from './cloudformation/reading.ts'
import { cancelled, factsOf, kindOf, recovered, removed } from './cloudformation/recovering.ts'
import { told, toldEach } from './cloudformation/refusal.ts'
import type { Running } from './evidence/asking.ts'

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
    nameFor: (wants) => {
      const count = counts.get(wants) ?? 0
      counts.set(wants, count + 1)
      return { ...run, run: count === 0 ? run.id : `${run.id}s${count}`, wants }
    },
  }
  /** What `state` has read a moment ago is what the next `preview` compares with. */
  const seen = new Map<string, Reading>()
  const kept = new WeakMap<StackPreview, Kept>()
  const runningOf = ({ region }: StackId, more: Pick<Running, 'resources' | 'signal'>): Running => ({
    region,
    credentials,
    clock,
    ...more,
  })

  return {
    state: async (stack, { expects, guard } = {}) =>
      told(stack.name, async () => {
        const cloud = context.cloudOf(stack)
        const isChange = expects === 'change' || (expects !== undefined && expects.wants !== wantsOf(expects.wanted))
        const reading = await readStack(cloud, stack.name, { withTemplate: !isChange })
        seen.set(keyOf(stack), reading)
        return stateOf({ cloud, reading, guard })
      }),

    preview: async (wanted, { for: purpose = 'plan', mends } = {}) =>
      told(wanted.stack.name, async () => {
        const { stack } = wanted
        const cloud = context.cloudOf(stack)
        const reading = seen.get(keyOf(stack)) ?? (await readStack(cloud, stack.name))
        seen.delete(keyOf(stack))
        const made = await previewed(context, { cloud, wanted, reading, purpose, mends })
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

    recover: (stack, signal, guard) =>
      toldEach(stack.name, () => recovered(context, { cloud: context.cloudOf(stack), stack, signal, guard }), signal),

    cancel: async (stack) => told(stack.name, async () => cancelled({ cloud: context.cloudOf(stack), stack }, context)),

    health: async (stack, signal) =>
      told(stack.name, async () => {
        const { healthSeen } = await import('./evidence/health.ts')
        const resources = await runningResources(context.cloudOf(stack), stack.name)
        const made = resources.filter(({ type }) => type === 'AWS::ECS::TaskDefinition')
        const seen = await healthSeen(runningOf(stack, { resources: async () => resources, signal }))
        return cloudHealthOf({ ...seen, made: made.map(({ physicalId }) => physicalId) })
      }),

    evidence: async (stack, failing, signal) => {
      const { evidenceOf, isSeen } = await import('./evidence/failure.ts')
      if (!isSeen(failing)) return {}
      const resources = async (): Promise<readonly StackResource[]> =>
        runningResources(context.cloudOf(stack), stack.name)
      return evidenceOf(runningOf(stack, { resources, signal }), failing)
    },

    drift: async (stack, signal) =>
      told(stack.name, async () => {
        const cloud = context.cloudOf(stack)
        const found = await detectedDrift(cloud, { name: stack.name, signal })
        if (found.resources.length === 0) return found
        const { withChangers } = await import('./evidence/changes.ts')
        return withChangers(
          runningOf(stack, { resources: async () => runningResources(cloud, stack.name), signal }),
          found,
        )
      }),

    remove: (stack, signal) =>
      toldEach(stack.name, () => removed(context, { cloud: context.cloudOf(stack), stack, signal }), signal),
  }
}

function keyOf({ account, region, name }: StackId): string {
  return `${account}/${region}/${name}`
}

/** All that a stack has made, with that of nested stacks, which is called `Network/Vpc`. */
async function runningResources(cloud: Cloud, stack: string): Promise<readonly StackResource[]> {
  const found: StackResource[] = []
  const open = [{ stack, within: '' }]
  for (let of = open.pop(); of !== undefined; of = open.pop()) {
    for (const each of (await resourcesOf(cloud, of.stack)) ?? []) {
      const { LogicalResourceId: own, ResourceType: type, PhysicalResourceId: physicalId } = each
      if (own === undefined || type === undefined || physicalId === undefined || physicalId === '') continue
      const logicalId = `${of.within}${own}`
      if (type === 'AWS::CloudFormation::Stack') open.push({ stack: physicalId, within: `${logicalId}/` })
      else found.push({ logicalId, type, physicalId })
    }
  }
  return found
}

async function stateOf({
  cloud,
  reading,
  guard,
}: {
  readonly cloud: Cloud
  readonly reading: Reading
  readonly guard: GuardOptions | undefined
}): Promise<StackState> {
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
      const next = step(status, await factsOf({ cloud, stack, guard }))
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
