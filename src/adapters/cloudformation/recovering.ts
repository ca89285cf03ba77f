import {
  CancelUpdateStackCommand,
  ContinueUpdateRollbackCommand,
  DeleteStackCommand,
  RollbackStackCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation'

import type { GuardOptions } from '../../core/guard.ts'
import type { Recovery, StackFacts } from '../../core/cloudformation/status.ts'
import { outcome, restOf, step } from '../../core/cloudformation/status.ts'
import { requestToken } from '../../core/cloudformation/tokens.ts'
import { digest } from '../../core/canonical.ts'
import { isRetained } from '../../core/stack/plan.ts'
import { resourcesOf as declaredIn } from '../../core/stack/template.ts'
import { Refused } from '../../core/problem.ts'
import type { StackEvent, StackId } from '../../ports.ts'
import type { Cloud } from './client.ts'
import type { Context } from './context.ts'
import { followed } from './following.ts'
import type { Described } from './reading.ts'
import { describeStack, liveTemplate, resourcesOf } from './reading.ts'
import { meaningOf } from './refusal.ts'

/** Recoveries of one stack in a run: more are not tried, whatever it answers. */
const mostRounds = 6

type Asked = { readonly cloud: Cloud; readonly stack: StackId; readonly signal: AbortSignal | undefined }

/** What is known of a stack that is stuck, for the decision what to do with it. */
export async function factsOf({
  cloud,
  stack,
  guard = {},
  tried = {},
}: {
  readonly cloud: Cloud
  readonly stack: Described
  readonly guard: GuardOptions | undefined
  readonly tried?: StackFacts['tried']
}): Promise<StackFacts> {
  const [resources, template] = await Promise.all([
    resourcesOf(cloud, stack.StackId),
    liveTemplate(cloud, stack.StackId),
  ])
  const declared = template === undefined ? [] : [...declaredIn(template).values()]
  return {
    stack: stack.StackId,
    region: cloud.region,
    terminationProtection: stack.EnableTerminationProtection ?? false,
    retained: declared.flatMap(({ logicalId, deletionPolicy }) => (isRetained(deletionPolicy) ? [logicalId] : [])),
    mode: stack.DeploymentConfig?.Mode === 'EXPRESS' ? 'express' : 'standard',
    acknowledged: guard.acknowledged ?? [],
    ...(tried !== undefined && { tried }),
    ...(stack.RoleARN !== undefined && { role: stack.RoleARN }),
    ...(resources !== undefined && { resources }),
    guard,
  }
}

/** Mends a stack step by step, each decided from a fresh look, until it can be deployed. */
export async function* recovered(
  context: Context,
  { cloud, stack, signal, guard }: Asked & { readonly guard: GuardOptions | undefined },
): AsyncGenerator<StackEvent, void, void> {
  const tried: Partial<Record<Recovery, number>> = {}
  let arn = stack.name
  for (let round = 0; round < mostRounds; round += 1) {
    const found = await describeStack(cloud, arn, { signal })
    if (found === undefined) {
      yield { kind: 'stack', at: cloud.clock.now(), status: 'DELETE_COMPLETE' }
      return
    }
    arn = found.StackId
    const operation = { cloud, arn, name: stack.name, signal }
    if (restOf(found.StackStatus) === 'busy') {
      yield* followed({ ...operation, kind: kindOf(found.StackStatus) })
      continue
    }
    if (restOf(found.StackStatus) !== 'stuck') {
      yield { kind: 'stack', at: cloud.clock.now(), status: found.StackStatus }
      return
    }
    const next = step(found.StackStatus, await factsOf({ cloud, stack: found, guard, tried }))
    if (next.step === 'refuse') throw new Refused(next.code, next.message, { remedy: next.remedy })
    if (next.step !== 'recover') {
      yield { kind: 'stack', at: cloud.clock.now(), status: found.StackStatus }
      return
    }
    await cloud.checkAccount(arn, signal)
    for (const reason of next.notes) {
      yield { kind: 'stack', at: cloud.clock.now(), status: found.StackStatus, reason }
    }
    tried[next.by] = (tried[next.by] ?? 0) + 1
    const token = requestToken(context.nameFor(digest(arn)), purposes[next.by])
    await mend(cloud, { by: next.by, stack: found, token, signal })
    const isDeletion = next.by === 'delete' || next.by === 'delete-again'
    const shows = isDeletion ? { shows: isDeleted } : {}
    yield* followed({ ...operation, token, kind: isDeletion ? 'removal' : 'deployment', ...shows })
  }
  throw new Refused(
    'stack-stuck',
    `The stack ${stack.name} is stuck, and ${mostRounds} attempts to mend it did not help.`,
    {
      remedy: `See what stops it: \`aws cloudformation describe-stack-events --stack-name ${arn} --region ${cloud.region}\`.`,
    },
  )
}

const purposes = {
  delete: 'delete',
  'delete-again': 'delete',
  rollback: 'rollback',
  'continue-rollback': 'continue',
  'update-express': 'express',
} as const satisfies Record<Recovery, string>

async function mend(
  cloud: Cloud,
  {
    by,
    stack,
    token,
    signal,
  }: {
    readonly by: Recovery
    readonly stack: Described
    readonly token: string
    readonly signal: AbortSignal | undefined
  },
): Promise<void> {
  // The role that the stack was given is used again by itself.
  const at = { StackName: stack.StackId, ClientRequestToken: token }
  const commands = {
    delete: () => new DeleteStackCommand(at),
    'delete-again': () => new DeleteStackCommand(at),
    rollback: () => new RollbackStackCommand({ ...at, RetainExceptOnCreate: true }),
    'continue-rollback': () => new ContinueUpdateRollbackCommand(at),
    'update-express': () => new UpdateStackCommand({ ...at, ...asItWas(stack) }),
  } as const
  try {
    await cloud.write<unknown>(
      async (client, to) => {
        switch (by) {
          case 'delete':
          case 'delete-again':
            return client.send(commands[by](), to)
          case 'rollback':
            return client.send(commands[by](), to)
          case 'continue-rollback':
            return client.send(commands[by](), to)
          case 'update-express':
            return client.send(commands[by](), to)
        }
      },
      { signal },
    )
  } catch (error) {
    const { is } = meaningOf(error)
    // Another run was quicker with the same, or an answer was lost: what is under way now is followed.
    if (is !== 'busy' && is !== 'token-used' && is !== 'absent' && is !== 'no-updates') throw error
  }
}

/** Express mode has left the stack where it failed, and is gone on with by the same template in the same mode. */
function asItWas({
  Parameters: parameters = [],
  Capabilities,
}: Described): Pick<
  ConstructorParameters<typeof UpdateStackCommand>[0],
  'UsePreviousTemplate' | 'Parameters' | 'Capabilities' | 'DeploymentConfig'
> {
  return {
    UsePreviousTemplate: true,
    Parameters: parameters.map(({ ParameterKey }) => ({ ParameterKey, UsePreviousValue: true })),
    ...(Capabilities !== undefined && { Capabilities }),
    DeploymentConfig: { Mode: 'EXPRESS', DisableRollback: false },
  }
}

function isDeleted({ StackStatus: status }: Described): boolean {
  return status === 'DELETE_COMPLETE'
}

/** What the operation is that a status shows. */
export function kindOf(status: string): 'deployment' | 'removal' {
  return status === 'DELETE_IN_PROGRESS' ? 'removal' : 'deployment'
}

/** Deletes a stack; what stands in the way is told by the events, and by what is thrown before. */
export async function* removed(
  context: Context,
  { cloud, stack, signal }: Asked,
): AsyncGenerator<StackEvent, void, void> {
  const gone = (): StackEvent => ({ kind: 'stack', at: cloud.clock.now(), status: 'DELETE_COMPLETE' })
  let found = await describeStack(cloud, stack.name, { signal })
  if (found !== undefined && restOf(found.StackStatus) === 'busy') {
    yield* followed({ cloud, arn: found.StackId, name: stack.name, kind: kindOf(found.StackStatus), signal })
    found = await describeStack(cloud, found.StackId, { signal })
  }
  if (found === undefined || found.StackStatus === 'DELETE_COMPLETE') {
    yield gone()
    return
  }
  const arn = found.StackId
  await cloud.checkAccount(arn, signal)
  if (found.EnableTerminationProtection === true) {
    throw new Refused('stack-protected', `The stack ${stack.name} is protected from being deleted.`, {
      remedy: `If it may be deleted: \`aws cloudformation update-termination-protection --stack-name ${arn} --no-enable-termination-protection --region ${cloud.region}\`. Then run this again.`,
    })
  }
  signal?.throwIfAborted()
  const token = requestToken(context.nameFor(digest(arn)), 'delete')
  await mend(cloud, { by: 'delete', stack: found, token, signal })
  const blockers: string[] = []
  const events = followed({ cloud, arn, name: stack.name, token, kind: 'removal', shows: isDeleted, signal })
  for (;;) {
    const next = await events.next()
    if (next.done === true) break
    const event = next.value
    if (event.kind === 'resource' && event.status === 'DELETE_FAILED') {
      blockers.push(`${event.logicalId}${event.reason === undefined ? '' : ` (${event.reason})`}`)
    }
    const isLast = event.kind === 'stack' && outcome(event.status, 'removal').is === 'failed'
    yield isLast && event.kind === 'stack' && blockers.length > 0
      ? { ...event, reason: `It cannot be deleted because of ${blockers.join(', ')}.` }
      : event
  }
}

/** Asks that an update be taken back. The creation of a stack, and a rollback, cannot be. */
export async function cancelled(
  { cloud, stack }: Omit<Asked, 'signal'>,
  context: Context,
): Promise<'cancelled' | 'nothing'> {
  const found = await describeStack(cloud, stack.name)
  if (found?.StackStatus !== 'UPDATE_IN_PROGRESS') return 'nothing'
  await cloud.checkAccount(found.StackId)
  const token = requestToken(context.nameFor(digest(found.StackId)), 'rollback')
  try {
    await cloud.write(async (client, at) =>
      client.send(new CancelUpdateStackCommand({ StackName: found.StackId, ClientRequestToken: token }), at),
    )
    return 'cancelled'
  } catch (error) {
    const now = await describeStack(cloud, found.StackId)
    if (now?.StackStatus === 'UPDATE_ROLLBACK_IN_PROGRESS') return 'cancelled'
    if (now?.StackStatus !== 'UPDATE_IN_PROGRESS') return 'nothing'
    throw error
  }
}
