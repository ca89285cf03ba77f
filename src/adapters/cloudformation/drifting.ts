import {
  DescribeStackDriftDetectionStatusCommand,
  DescribeStackResourceDriftsCommand,
  DetectStackDriftCommand,
} from '@aws-sdk/client-cloudformation'
import type { StackResourceDrift } from '@aws-sdk/client-cloudformation'

import type { Data, Path } from '../../core/data.ts'
import { isList, isMap } from '../../core/data.ts'
import { Refused } from '../../core/problem.ts'
import { readJson } from '../../core/yaml.ts'
import type { DriftedProperty, ResourceDrift, StackDrift, StackPreview } from '../../ports.ts'
import type { Cloud } from './client.ts'
import type { Described } from './reading.ts'
import { describeStack, resourcesOf } from './reading.ts'
import { meaningOf } from './refusal.ts'

/** Milliseconds after which a detection that has not ended is given up; one of 500 resources takes some minutes. */
const longestDetection = 15 * 60_000

/**
 * Has CloudFormation compare each resource with what it was deployed as, and reads what it found. Types that do not take part in
 * that, and resources that it could not look at, are `unknown`. Where the detection fails, it has done so for some resources.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
 */
export async function detectedDrift(
  cloud: Cloud,
  { name, signal }: { readonly name: string; readonly signal: AbortSignal | undefined },
): Promise<StackDrift> {
  const stack = await describeStack(cloud, name, { signal })
  if (stack === undefined || stack.StackStatus === 'REVIEW_IN_PROGRESS')
    return { resources: [], looked: 0, unknown: [] }
  const { StackId: arn } = stack
  const { StackDriftDetectionId: id } = await cloud.read(
    async (client, at) => client.send(new DetectStackDriftCommand({ StackName: arn }), at),
    signal,
  )
  await untilDetected(cloud, { id: id ?? '', name, signal })
  const found = await driftsOf(cloud, { arn, signal })
  const looked = found.filter(({ StackResourceDriftStatus: is }) => is === 'IN_SYNC' || isDrift(is))
  const known = new Set(looked.map(({ LogicalResourceId: logicalId }) => logicalId))
  const all = (await resourcesOf(cloud, arn)) ?? []
  return {
    resources: looked.filter(({ StackResourceDriftStatus: is }) => isDrift(is)).map(resourceDrift),
    looked: looked.length,
    unknown: all.flatMap(({ LogicalResourceId: logicalId, ResourceType: type }) =>
      logicalId === undefined || known.has(logicalId) ? [] : [{ logicalId, type: type ?? '' }],
    ),
  }
}

/**
 * What the last detection has found, without another one; nothing where there was none since the stack was last changed. It is
 * asked for what drifted only where something did.
 */
export async function lastDrift(
  cloud: Cloud,
  { StackId: arn, DriftInformation: last }: Described,
): Promise<Pick<StackPreview, 'byHand' | 'byHandAt'>> {
  const byHandAt = last?.LastCheckTimestamp?.toISOString()
  if (byHandAt === undefined) return {}
  if (last?.StackDriftStatus === 'IN_SYNC') return { byHand: [], byHandAt }
  if (last?.StackDriftStatus !== 'DRIFTED') return {}
  try {
    const found = await driftsOf(cloud, { arn, signal: undefined })
    const drifted = found.filter(({ StackResourceDriftStatus: is }) => isDrift(is)).map(resourceDrift)
    return { byHand: drifted.map(({ logicalId, is }) => ({ logicalId, is })), byHandAt }
  } catch (error) {
    // Who may plan need not be allowed to see this.
    const { is } = meaningOf(error)
    if (is !== 'access' && is !== 'unsupported') throw error
    return {}
  }
}

function isDrift(status: StackResourceDrift['StackResourceDriftStatus']): boolean {
  return status === 'MODIFIED' || status === 'DELETED'
}

async function untilDetected(
  cloud: Cloud,
  { id, name, signal }: { readonly id: string; readonly name: string; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const until = cloud.clock.now().getTime() + longestDetection
  for (let wait = 1000; ; wait = Math.min(wait * 1.5, 5000)) {
    const { DetectionStatus: status } = await cloud.read(
      async (client, at) =>
        client.send(new DescribeStackDriftDetectionStatusCommand({ StackDriftDetectionId: id }), at),
      signal,
    )
    if (status !== 'DETECTION_IN_PROGRESS') return
    if (cloud.clock.now().getTime() > until) {
      throw new Refused(
        'cloud-refused',
        `CloudFormation has been looking for drift in the stack ${name} for 15 minutes.`,
        {
          remedy: 'Run this again in a while.',
        },
      )
    }
    await cloud.clock.sleep(Math.ceil(wait), signal)
  }
}

async function driftsOf(
  cloud: Cloud,
  { arn, signal }: { readonly arn: string; readonly signal: AbortSignal | undefined },
): Promise<readonly StackResourceDrift[]> {
  const all: StackResourceDrift[] = []
  let next: string | undefined
  do {
    const token = next
    const page = await cloud.read(
      async (client, at) =>
        client.send(new DescribeStackResourceDriftsCommand({ StackName: arn, NextToken: token }), at),
      signal,
    )
    all.push(...(page.StackResourceDrifts ?? []))
    next = page.NextToken
  } while (next !== undefined)
  return all
}

function resourceDrift(found: StackResourceDrift): ResourceDrift {
  const { LogicalResourceId: logicalId = '', ResourceType: type = '' } = found
  if (found.StackResourceDriftStatus === 'DELETED') return { logicalId, type, is: 'gone', properties: [] }
  const [expected, actual] = [valueOf(found.ExpectedProperties), valueOf(found.ActualProperties)]
  const properties = (found.PropertyDifferences ?? []).map((each): DriftedProperty => {
    const { PropertyPath: pointer = '', ExpectedValue: before, ActualValue: after, DifferenceType: kind } = each
    const path = pathOf(pointer)
    const was = kind === 'ADD' ? undefined : (at(expected, path) ?? valueOf(before) ?? before)
    const is = kind === 'REMOVE' ? undefined : (at(actual, path) ?? valueOf(after) ?? after)
    return { path, ...(was !== undefined && { expected: was }), ...(is !== undefined && { actual: is }) }
  })
  return { logicalId, type, is: 'changed', properties }
}

/** `/Tags/0/Value`, with the escapes of RFC 6901. */
function pathOf(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => (/^\d+$/u.test(step) ? Number(step) : step.replaceAll('~1', '/').replaceAll('~0', '~')))
}

/** The properties come as JSON, single values as JSON or as plain text. */
function valueOf(text: string | undefined): Data | undefined {
  if (text === undefined) return undefined
  const document = readJson('properties', text)
  return document.ok ? document.value.data : undefined
}

function at(data: Data | undefined, path: Path): Data | undefined {
  let value = data
  for (const step of path)
    value = isMap(value) ? value[String(step)] : isList(value) && typeof step === 'number' ? value[step] : undefined
  return value
}
