import {
  DescribeEventsCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  GetStackPolicyCommand,
  GetTemplateCommand,
  ListStackResourcesCommand,
} from '@aws-sdk/client-cloudformation'
import type { OperationEvent, Stack, StackEvent, StackResourceSummary } from '@aws-sdk/client-cloudformation'

import type { DataMap } from '../../core/data.ts'
import { isMap } from '../../core/data.ts'
import { readJson, readRendered } from '../../core/yaml.ts'
import type { Cloud } from './client.ts'
import { meaningOf } from './refusal.ts'

/** A stack that is there, with its ARN; everything after the first look goes by that. */
export type Described = Stack & { readonly StackId: string; readonly StackStatus: string }

/** A stack by its name or ARN; nothing, if there is none. One that was deleted is still there by its ARN. */
export async function describeStack(
  { read, once }: Cloud,
  stack: string,
  { signal, isOnce = false }: { readonly signal?: AbortSignal | undefined; readonly isOnce?: boolean } = {},
): Promise<Described | undefined> {
  try {
    const { Stacks: [found] = [] } = await (isOnce ? once : read)(
      async (client, at) => client.send(new DescribeStacksCommand({ StackName: stack }), at),
      signal,
    )
    const { StackId, StackStatus } = found ?? {}
    if (found === undefined || StackId === undefined || StackStatus === undefined) return undefined
    return { ...found, StackId, StackStatus }
  } catch (error) {
    if (meaningOf(error).is === 'absent') return undefined
    throw error
  }
}

/** The template as it was given; nothing, if it cannot be had or cannot be read. Then nothing is known to be the same. */
export async function liveTemplate(cloud: Cloud, stack: string): Promise<DataMap | undefined> {
  try {
    const { TemplateBody: text = '' } = await cloud.read(async (client, at) =>
      client.send(new GetTemplateCommand({ StackName: stack, TemplateStage: 'Original' }), at),
    )
    const document = /^\s*\{/u.test(text) ? readJson(stack, text) : readRendered(stack, text)
    return document.ok && isMap(document.value.data) ? document.value.data : undefined
  } catch (error) {
    const { is } = meaningOf(error)
    if (is === 'absent' || is === 'shell' || is === 'access' || is === 'unsupported') return undefined
    throw error
  }
}

/** All resources of a stack; nothing, if they cannot be had. */
export async function resourcesOf(cloud: Cloud, stack: string): Promise<readonly StackResourceSummary[] | undefined> {
  const all: StackResourceSummary[] = []
  let next: string | undefined
  try {
    do {
      const token = next
      const page = await cloud.read(async (client, at) =>
        client.send(new ListStackResourcesCommand({ StackName: stack, NextToken: token }), at),
      )
      all.push(...(page.StackResourceSummaries ?? []))
      next = page.NextToken
    } while (next !== undefined)
    return all
  } catch (error) {
    const { is } = meaningOf(error)
    if (is === 'absent' || is === 'access' || is === 'unsupported') return undefined
    throw error
  }
}

/** The stack policy as it is; an empty text where there is none, nothing where it cannot be had. */
export async function stackPolicy(cloud: Cloud, stack: string): Promise<string | undefined> {
  try {
    const { StackPolicyBody: text = '' } = await cloud.read(async (client, at) =>
      client.send(new GetStackPolicyCommand({ StackName: stack }), at),
    )
    return text
  } catch (error) {
    const { is } = meaningOf(error)
    if (is === 'access' || is === 'unsupported') return undefined
    throw error
  }
}

export type EventPage = { readonly events: readonly StackEvent[]; readonly next: string | undefined }

/** A page of events, newest first. Asked once: who follows looks again. */
export async function eventPage(
  { once }: Pick<Cloud, 'once'>,
  {
    stack,
    next,
    signal,
  }: { readonly stack: string; readonly next?: string | undefined; readonly signal?: AbortSignal | undefined },
): Promise<EventPage> {
  const page = await once(
    async (client, at) => client.send(new DescribeStackEventsCommand({ StackName: stack, NextToken: next }), at),
    signal,
  )
  return { events: page.StackEvents ?? [], next: page.NextToken }
}

/** What went wrong with a change set, where the endpoint tells. It explains, and stops nothing. */
export async function failedEvents(cloud: Cloud, changeSet: string): Promise<readonly OperationEvent[]> {
  try {
    const { OperationEvents: events = [] } = await cloud.once(async (client, at) =>
      client.send(new DescribeEventsCommand({ ChangeSetName: changeSet, Filters: { FailedEvents: true } }), at),
    )
    return events
  } catch {
    return []
  }
}

export function tagsOf({ Tags: tags = [] }: Stack): Readonly<Record<string, string>> {
  return Object.fromEntries(tags.flatMap(({ Key, Value }) => (Key === undefined ? [] : [[Key, Value ?? '']])))
}

export function parametersOf({ Parameters: parameters = [] }: Stack): Readonly<Record<string, string>> {
  return Object.fromEntries(
    parameters.flatMap(({ ParameterKey: key, ParameterValue: value }) =>
      key === undefined ? [] : [[key, value ?? '']],
    ),
  )
}

export function outputsOf({ Outputs: outputs = [] }: Stack): Readonly<Record<string, string>> {
  return Object.fromEntries(
    outputs.flatMap(({ OutputKey: key, OutputValue: value }) => (key === undefined ? [] : [[key, value ?? '']])),
  )
}
