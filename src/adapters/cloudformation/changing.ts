import {
  CreateChangeSetCommand,
  DeleteChangeSetCommand,
  DescribeChangeSetCommand,
} from '@aws-sdk/client-cloudformation'
import type { Change, CreateChangeSetInput, DescribeChangeSetOutput } from '@aws-sdk/client-cloudformation'

import type { TemplateBody } from '../../core/cloudformation/body.ts'
import { templateBody } from '../../core/cloudformation/body.ts'
import { changeSetState, isIncomplete, mergedWith, nestedChangeSets } from '../../core/cloudformation/changes.ts'
import type { DescribedChangeSet } from '../../core/cloudformation/model.ts'
import { changeSetInterval } from '../../core/cloudformation/pace.ts'
import type { DataMap } from '../../core/data.ts'
import { Refused } from '../../core/problem.ts'
import { partitionOf } from '../../core/stack/regions.ts'
import type { Cloud } from './client.ts'
import { failedEvents } from './reading.ts'
import { meaningOf, staleRefusal } from './refusal.ts'

/** A change set that is there to be executed, with those of the stacks nested in it; or there is nothing to change. */
export type Made =
  | { readonly is: 'empty' }
  | {
      readonly is: 'ready'
      readonly arn: string
      readonly changeSet: DescribedChangeSet
      readonly nested: ReadonlyMap<string, DescribedChangeSet>
    }

/** Milliseconds after which a change set that is still being made will not be. */
const longestMaking = 20 * 60_000

/** A role that was made a moment ago is known everywhere a minute later. */
const roleTries = { count: 6, every: 10_000 } as const

/** The template as a call takes it: by itself, or by way of the bucket. */
export async function templateFields(
  cloud: Cloud,
  {
    stack,
    body,
    bucket,
    isLarge = false,
  }: {
    readonly stack: string
    readonly body: DataMap
    readonly bucket: string | undefined
    /** CloudFormation has said so. */
    readonly isLarge?: boolean
  },
): Promise<{ readonly TemplateBody: string } | { readonly TemplateURL: string }> {
  const template = templateBody(body, isLarge ? { inline: 0 } : {})
  if (template.way === 'inline') return { TemplateBody: template.text }
  if (template.way === 'too-large' || bucket === undefined) throw tooLarge(stack, template)
  await cloud.put({ bucket, key: template.key, text: template.text })
  const { urlSuffix } = partitionOf(cloud.region)
  return { TemplateURL: `https://${bucket}.s3.${cloud.region}.${urlSuffix}/${template.key}` }
}

function tooLarge(stack: string, { bytes, way }: TemplateBody): Refused {
  const kilobytes = Math.ceil(bytes / 1024)
  if (way === 'too-large') {
    return new Refused(
      'stack-refused',
      `The template of the stack ${stack} has ${kilobytes} KiB; CloudFormation takes 1,024.`,
      {
        remedy: 'Split the stack.',
      },
    )
  }
  return new Refused(
    'template-bucket',
    `The template of the stack ${stack} has ${kilobytes} KiB; CloudFormation takes 50 in a request, and more only from a bucket.`,
    { remedy: 'Name a bucket in the environment’s file: `template_bucket: NAME`.' },
  )
}

/** Makes a change set and waits until it is known what it does. Throws `Refused` where it cannot be made; nothing is left then. */
export async function makeChangeSet(
  cloud: Cloud,
  { stack, input }: { readonly stack: string; readonly input: CreateChangeSetInput },
): Promise<Made> {
  const arn = await create(cloud, input)
  if (arn === undefined) return { is: 'empty' }
  const first = await whenMade(cloud, { stack, arn })
  const state = changeSetState(first)
  if (state.is === 'ready') {
    const changeSet = await whole(cloud, { arn, first })
    return { is: 'ready', arn, changeSet, nested: await nestedIn(cloud, changeSet) }
  }
  if (state.is === 'empty') {
    await deleteChangeSet(cloud, arn)
    return { is: 'empty' }
  }
  if (state.is !== 'failed')
    throw staleRefusal(stack, { said: 'its change set was overtaken by another operation on the stack.' })
  const refusal = await whyFailed(cloud, { stack, arn, changeSet: first, reason: state.reason })
  // The reason is what matters now; what is left is given back by the next execution at the latest.
  await deleteChangeSet(cloud, arn).catch(() => undefined)
  throw refusal
}

/** The ARN of the change set; nothing where the call itself says that there is nothing to change. */
async function create(cloud: Cloud, input: CreateChangeSetInput): Promise<string | undefined> {
  const look = async (): Promise<string | undefined> => {
    try {
      const found = await cloud.read(async (client, at) =>
        client.send(
          new DescribeChangeSetCommand({ StackName: input.StackName, ChangeSetName: input.ChangeSetName }),
          at,
        ),
      )
      return found.ChangeSetId
    } catch (error) {
      const { is } = meaningOf(error)
      if (is === 'change-set-gone' || is === 'absent') return undefined
      throw error
    }
  }
  for (let count = 1; ; count += 1) {
    try {
      return await cloud.write(
        async (client, at) =>
          (await client.send(new CreateChangeSetCommand(input), at)).Id ?? input.ChangeSetName ?? '',
        { look },
      )
    } catch (error) {
      const { is } = meaningOf(error)
      if (is === 'no-updates') return undefined
      // The name is of this run alone, so that one that is there is an earlier try whose answer was lost.
      const found = is === 'exists' || is === 'change-set-mismatch' ? await look() : undefined
      if (found !== undefined) return found
      if (is !== 'role' || count >= roleTries.count) throw error
      await cloud.clock.sleep(roleTries.every)
    }
  }
}

async function whenMade(
  cloud: Cloud,
  { stack, arn }: { readonly stack: string; readonly arn: string },
): Promise<DescribeChangeSetOutput> {
  const until = cloud.clock.now().getTime() + longestMaking
  for (let count = 0; ; count += 1) {
    const found = await describe(cloud, { arn, values: true })
    if (found === undefined)
      throw staleRefusal(stack, { said: 'its change set was removed by another operation on the stack.' })
    if (changeSetState(found).is !== 'making') return found
    if (cloud.clock.now().getTime() > until) {
      await deleteChangeSet(cloud, arn).catch(() => undefined)
      throw new Refused(
        'cloud-refused',
        `CloudFormation has been making a change set of the stack ${stack} for 20 minutes.`,
        { remedy: 'Run this again in a while. If it stays so, look at the health of AWS.' },
      )
    }
    await cloud.clock.sleep(Math.ceil(changeSetInterval(count)))
  }
}

async function describe(
  cloud: Cloud,
  { arn, values, next }: { readonly arn: string; readonly values: boolean; readonly next?: string | undefined },
): Promise<DescribeChangeSetOutput | undefined> {
  try {
    return await cloud.read(async (client, at) =>
      client.send(
        new DescribeChangeSetCommand({
          ChangeSetName: arn,
          ...(values && { IncludePropertyValues: true }),
          ...(next !== undefined && { NextToken: next }),
        }),
        at,
      ),
    )
  } catch (error) {
    if (meaningOf(error).is === 'change-set-gone') return undefined
    throw error
  }
}

/** Whether a change set was executed to its end, well or not. */
export async function isExecuted(cloud: Cloud, arn: string): Promise<boolean> {
  const found = await describe(cloud, { arn, values: false })
  return found?.ExecutionStatus === 'EXECUTE_COMPLETE' || found?.ExecutionStatus === 'EXECUTE_FAILED'
}

/** All pages of a change set; where values make CloudFormation leave resources out, those from a description without. */
async function whole(
  cloud: Cloud,
  { arn, first }: { readonly arn: string; readonly first: DescribeChangeSetOutput },
): Promise<DescribedChangeSet> {
  const found = await allPages(cloud, { arn, first, values: true })
  if (!isIncomplete(found)) return found
  const plain = await describe(cloud, { arn, values: false })
  return plain === undefined ? found : mergedWith(found, await allPages(cloud, { arn, first: plain, values: false }))
}

async function allPages(
  cloud: Cloud,
  { arn, first, values }: { readonly arn: string; readonly first: DescribeChangeSetOutput; readonly values: boolean },
): Promise<DescribedChangeSet> {
  const changes: Change[] = [...(first.Changes ?? [])]
  let next = first.NextToken
  while (next !== undefined) {
    const page = await describe(cloud, { arn, values, next })
    changes.push(...(page?.Changes ?? []))
    next = page?.NextToken
  }
  return { ...first, Changes: changes }
}

async function nestedIn(cloud: Cloud, changeSet: DescribedChangeSet): Promise<ReadonlyMap<string, DescribedChangeSet>> {
  const all = new Map<string, DescribedChangeSet>()
  let open = nestedChangeSets(changeSet)
  while (open.length > 0) {
    const found = await Promise.all(
      open.map(async (arn) => {
        const first = await describe(cloud, { arn, values: true })
        return first === undefined ? undefined : ([arn, await whole(cloud, { arn, first })] as const)
      }),
    )
    const known = found.filter((each) => each !== undefined)
    for (const [arn, nested] of known) all.set(arn, nested)
    open = known.flatMap(([, nested]) => nestedChangeSets(nested)).filter((arn) => !all.has(arn))
  }
  return all
}

async function whyFailed(
  cloud: Cloud,
  {
    stack,
    arn,
    changeSet,
    reason,
  }: {
    readonly stack: string
    readonly arn: string
    readonly changeSet: DescribedChangeSet
    readonly reason: string
  },
): Promise<Refused> {
  const isEarly = reason.includes('AWS::EarlyValidation')
  const events = isEarly || reason.includes('Nested change set') ? await failedEvents(cloud, arn) : []
  const details = events.flatMap(
    ({ LogicalResourceId: id, ValidationPath: path, ValidationStatusReason: said, ValidationName: name }) =>
      said === undefined && name === undefined
        ? []
        : [`${id ?? 'The template'}${path === undefined ? '' : ` (${path})`}: ${said ?? name ?? ''}`],
  )
  const nested = nestedChangeSets(changeSet).length === 0 ? [] : await nestedReasons(cloud, changeSet)
  const words = [...details, ...nested]
  return new Refused(
    'stack-refused',
    `CloudFormation refuses the change of the stack ${stack}: ${words.length === 0 ? sentence(reason) : words.map(sentence).join(' ')}`,
    { remedy: 'Mend what it names in the template or its inputs. Nothing was touched.' },
  )
}

async function nestedReasons(cloud: Cloud, changeSet: DescribedChangeSet): Promise<readonly string[]> {
  const nested = await nestedIn(cloud, changeSet)
  return [...nested.values()].flatMap((each) => {
    const state = changeSetState(each)
    return state.is === 'failed' ? [`${each.StackName ?? 'A nested stack'}: ${state.reason}`] : []
  })
}

function sentence(said: string): string {
  return /[.!?]$/u.test(said) ? said : `${said}.`
}

/** Deletes a change set; one that is gone is all right. */
export async function deleteChangeSet(cloud: Cloud, arn: string): Promise<void> {
  try {
    await cloud.write(async (client, at) => client.send(new DeleteChangeSetCommand({ ChangeSetName: arn }), at))
  } catch (error) {
    const { is } = meaningOf(error)
    // One that is being executed, or was, is used up; some endpoints have no better answer for one that is gone.
    if (is !== 'change-set-gone' && is !== 'change-set-state' && is !== 'absent' && is !== 'unsupported') throw error
  }
}
