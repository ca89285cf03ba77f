import {
  CreateStackCommand,
  ExecuteChangeSetCommand,
  SetStackPolicyCommand,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation'

import { callFields } from '../../core/cloudformation/options.ts'
import { readName, shortDigest } from '../../core/cloudformation/tokens.ts'
import type { StackEvent, StackPreview, WantedStack } from '../../ports.ts'
import { isExecuted, templateFields } from './changing.ts'
import type { Cloud } from './client.ts'
import type { Context } from './context.ts'
import { againstOf, readStack, wantsOf } from './context.ts'
import type { Operation } from './following.ts'
import { followed } from './following.ts'
import type { Kept } from './previewing.ts'
import { inputFields } from './previewing.ts'
import { describeStack, eventPage } from './reading.ts'
import { meaningOf, staleRefusal, wordsOf } from './refusal.ts'

type Executing = {
  readonly cloud: Cloud
  readonly preview: StackPreview
  readonly wanted: WantedStack
  readonly kept: Kept | undefined
  readonly signal: AbortSignal | undefined
}

/**
 * Does what was previewed. What was changed by others in the meantime cannot be overwritten: CloudFormation executes a change
 * set only on the stack that it was made against, and creates a stack only where there is none.
 */
export async function* executed(context: Context, executing: Executing): AsyncGenerator<StackEvent, void, void> {
  const { cloud, preview, wanted, signal } = executing
  const { name } = wanted.stack
  if (wantsOf(wanted) !== preview.wants) throw staleRefusal(name, { said: 'something else is wanted now.' })
  const kept = executing.kept ?? (await readAgain(executing))
  const { reading } = kept
  const status = reading.is === 'there' ? reading.stack.StackStatus : 'DELETE_COMPLETE'
  if (preview.unchanged === true) {
    yield { kind: 'stack', at: cloud.clock.now(), status }
    return
  }
  signal?.throwIfAborted()
  const { handle } = preview
  const there = reading.is === 'there' ? reading.stack.StackId : reading.shell
  await cloud.checkAccount(there, signal)
  if (handle === undefined && reading.is === 'absent') {
    const { arn, token } = await created(context, { ...executing, kept })
    yield* followed(operationOf(executing, { arn, token, shows: () => true }))
    return
  }
  const stack = there ?? name
  yield* setUp(cloud, { stack, settings: kept.settings, signal })
  if (handle === undefined) {
    yield { kind: 'stack', at: cloud.clock.now(), status: 'UPDATE_COMPLETE' }
    return
  }
  const token = await begun(executing, { stack, handle, token: kept.token })
  const before = reading.is === 'there' ? reading.stack.LastUpdatedTime?.getTime() : undefined
  const operation = operationOf(executing, {
    arn: stack,
    token,
    shows: ({ ChangeSetId: id, LastUpdatedTime: updated }) =>
      id === handle || (updated !== undefined && updated.getTime() !== before),
    isDone: async () => isExecuted(cloud, handle),
  })
  yield* followed(operation)
}

function operationOf(
  { cloud, wanted, signal }: Executing,
  more: Pick<Operation, 'arn' | 'token' | 'shows' | 'isDone'>,
): Operation {
  return { cloud, name: wanted.stack.name, kind: 'deployment', signal, ...more }
}

/** A preview that comes from elsewhere holds only if the stack is still the one that it was made against. */
async function readAgain({ cloud, preview, wanted }: Executing): Promise<Kept> {
  const reading = await readStack(cloud, wanted.stack.name)
  if (againstOf(reading) !== preview.against)
    throw staleRefusal(wanted.stack.name, { said: 'the stack has changed since it was made.' })
  const { stackPolicy, terminationProtection } = callFields(wanted.options ?? {}, wanted.body)
  const token = /changeSet\/([^/]+)\//u.exec(preview.handle ?? '')?.[1] ?? `d-0-1-${shortDigest(preview.wants)}`
  const settings = {
    ...(stackPolicy !== undefined && { stackPolicy }),
    ...(terminationProtection !== undefined && { terminationProtection }),
  }
  return { reading, token, settings }
}

/**
 * Creates a stack in one call, which is done wholly or not at all; a change set would leave an empty stack where the run ends
 * between its calls.
 */
async function created(
  { templateBucket }: Context,
  { cloud, wanted, kept, signal }: Executing & { readonly kept: Kept },
): Promise<{ readonly arn: string; readonly token: string }> {
  const { stack, body, options } = wanted
  const { token, settings } = kept
  const template = await templateFields(cloud, { stack: stack.name, body, bucket: templateBucket })
  const input = {
    StackName: stack.name,
    ClientRequestToken: token,
    ...template,
    ...inputFields(wanted),
    ...callFields(options ?? {}, body).executeChangeSet,
    ...(settings.stackPolicy !== undefined && { StackPolicyBody: settings.stackPolicy }),
    ...(settings.terminationProtection !== undefined && {
      EnableTerminationProtection: settings.terminationProtection,
    }),
  }
  const look = async (of: 'exactly' | 'any'): Promise<{ arn: string; token: string } | undefined> => {
    const there = await describeStack(cloud, stack.name)
    if (there === undefined || there.StackStatus === 'REVIEW_IN_PROGRESS') return undefined
    const own = await operationLike(cloud, { stack: there.StackId, token, of, orNone: true })
    return own === undefined ? undefined : { arn: there.StackId, token: own }
  }
  for (let count = 1; ; count += 1) {
    try {
      return await cloud.write(
        async (client, at) => {
          const { StackId: arn } = await client.send(new CreateStackCommand(input), at)
          return { arn: arn ?? stack.name, token }
        },
        { signal, look: async () => look('exactly') },
      )
    } catch (error) {
      const { is } = meaningOf(error)
      const found = is === 'exists' || is === 'token-used' ? await look('any') : undefined
      if (found !== undefined) return found
      if (is === 'exists') throw staleRefusal(stack.name, { said: 'somebody else has created it.', cause: error })
      if (is !== 'role' || count >= 6) throw error
      await cloud.clock.sleep(10_000, signal)
    }
  }
}

/** What a change set does not carry is set before it is executed. */
async function* setUp(
  cloud: Cloud,
  {
    stack,
    settings: { stackPolicy, terminationProtection },
    signal,
  }: { readonly stack: string; readonly settings: Kept['settings']; readonly signal: AbortSignal | undefined },
): AsyncGenerator<StackEvent, void, void> {
  const attempts: readonly (readonly [string, () => Promise<unknown>])[] = [
    ...(stackPolicy === undefined
      ? []
      : [
          [
            'The stack policy',
            async () =>
              cloud.write(
                async (client, at) =>
                  client.send(new SetStackPolicyCommand({ StackName: stack, StackPolicyBody: stackPolicy }), at),
                { signal },
              ),
          ] as const,
        ]),
    ...(terminationProtection === undefined
      ? []
      : [
          [
            'Termination protection',
            async () =>
              cloud.write(
                async (client, at) =>
                  client.send(
                    new UpdateTerminationProtectionCommand({
                      StackName: stack,
                      EnableTerminationProtection: terminationProtection,
                    }),
                    at,
                  ),
                { signal },
              ),
          ] as const,
        ]),
  ]
  for (const [what, set] of attempts) {
    try {
      await set()
    } catch (error) {
      if (meaningOf(error).is !== 'unsupported') throw error
      const reason = `${what} was not set: ${wordsOf(error)}`
      yield { kind: 'stack', at: cloud.clock.now(), status: 'UPDATE_IN_PROGRESS', reason }
    }
  }
}

/** Executes a change set, once; gives back the token of the operation that does it, which may be that of another run. */
async function begun(
  { cloud, wanted, signal }: Executing,
  { stack, handle, token }: { readonly stack: string; readonly handle: string; readonly token: string },
): Promise<string> {
  const input = {
    ChangeSetName: handle,
    ClientRequestToken: token,
    ...callFields(wanted.options ?? {}, wanted.body).executeChangeSet,
  }
  try {
    return await cloud.write(
      async (client, at) => {
        await client.send(new ExecuteChangeSetCommand(input), at)
        return token
      },
      { signal, look: async () => operationLike(cloud, { stack, token, of: 'exactly' }) },
    )
  } catch (error) {
    const meaning = meaningOf(error)
    const { is } = meaning
    if (is === 'change-set-state' && meaning.status.startsWith('EXECUTE_')) return token
    const taken = is === 'change-set-gone' || is === 'change-set-state' || is === 'busy' || is === 'token-used'
    const own = taken ? await operationLike(cloud, { stack, token, of: 'any' }) : undefined
    if (own !== undefined) return own
    throw error
  }
}

/**
 * The token of the newest operation on a stack, if it is ours: of the same call, or (`any`) of any run that wanted the very
 * same. `orNone` takes one without a token for ours too.
 */
async function operationLike(
  cloud: Cloud,
  {
    stack,
    token,
    of,
    orNone = false,
  }: {
    readonly stack: string
    readonly token: string
    readonly of: 'exactly' | 'any'
    readonly orNone?: boolean
  },
): Promise<string | undefined> {
  const { events } = await eventPage({ once: cloud.read }, { stack })
  const newest = events.find((event) => event.ClientRequestToken !== undefined)?.ClientRequestToken
  if (newest === undefined) return orNone ? token : undefined
  if (newest === token) return newest
  if (of === 'exactly') return undefined
  const [theirs, ours] = [readName(newest), readName(token)]
  const isSame = theirs?.purpose === 'execute' && ours?.purpose === 'execute' && theirs.wants === ours.wants
  return isSame ? newest : undefined
}
