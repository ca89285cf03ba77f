import type { Event } from '@aws-sdk/client-cloudtrail'
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'

import { redact } from '../../core/cause/redact.ts'
import { isMap } from '../../core/data.ts'
import { readJson } from '../../core/yaml.ts'
import type { ResourceDrift, StackDrift } from '../../ports.ts'
import type { Asking, Running } from './asking.ts'
import { askingOf, whyUnseen } from './asking.ts'

/** Of so many resources it is looked up who has changed them: an account takes two look-ups in a second. */
const most = 5
const pause = 600

/**
 * The same drift with who has changed what last, as CloudTrail tells it: of the last 90 days, and a quarter of an hour late at worst.
 * What may not be looked up is told without, and `untold` says why.
 * https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
 */
export async function withChangers(running: Running, drift: StackDrift): Promise<StackDrift> {
  const asking = askingOf(running, { attempts: 3, signal: running.signal })
  try {
    const names = new Map((await running.resources()).map(({ logicalId, physicalId }) => [logicalId, physicalId]))
    const lookUp = await trailOf(asking)
    const resources: ResourceDrift[] = []
    for (const [index, resource] of drift.resources.entries()) {
      const name = names.get(resource.logicalId)
      const by = index < most && name !== undefined ? await changerOf(running, { name, lookUp }) : undefined
      resources.push({ ...resource, ...(by !== undefined && { by }) })
    }
    return { ...drift, resources }
  } catch (error) {
    const why = whyUnseen(error)
    if (why === undefined) throw error
    return { ...drift, untold: why }
  }
}

type LookUp = (name: string) => Promise<readonly Event[]>

async function trailOf({ options, ask }: Asking): Promise<LookUp> {
  const client = new CloudTrailClient(await options())
  return async (name) => {
    const { Events: events = [] } = await ask('cloudtrail:LookupEvents', async (at) =>
      client.send(
        new LookupEventsCommand({
          LookupAttributes: [{ AttributeKey: 'ResourceName', AttributeValue: name }],
          MaxResults: 20,
        }),
        at,
      ),
    )
    return events
  }
}

/** Some services put down the name of a resource, others all of its ARN or address. */
async function changerOf(
  { clock, signal }: Running,
  { name, lookUp }: { readonly name: string; readonly lookUp: LookUp },
): Promise<ResourceDrift['by']> {
  const short = name.split(/[/:]/u).at(-1) ?? name
  for (const each of new Set([name, short])) {
    const found = (await lookUp(each)).flatMap(changeOf)
    await clock.sleep(pause, signal)
    const newest = found.toSorted((a, b) => b.at.getTime() - a.at.getTime())[0]
    if (newest !== undefined) return newest
  }
  return undefined
}

/** A call that has changed something, and was not CloudFormation's, which changes what the stack says. */
function changeOf(event: Event): readonly NonNullable<ResourceDrift['by']>[] {
  const {
    EventName: call = '',
    EventTime: at,
    Username: name,
    ReadOnly: readOnly,
    CloudTrailEvent: text = '{}',
  } = event
  const read = readJson('event', text)
  const all = read.ok && isMap(read.value.data) ? read.value.data : {}
  const identity = isMap(all['userIdentity']) ? all['userIdentity'] : {}
  const isOfStack = [identity['invokedBy'], all['sourceIPAddress']].includes('cloudformation.amazonaws.com')
  if (at === undefined || readOnly === 'true' || all['errorCode'] !== undefined || isOfStack) return []
  const arn = identity['arn']
  const who = typeof arn === 'string' ? (arn.split(':').at(-1) ?? arn) : (name ?? 'somebody')
  return [{ who: redact(who), at, call }]
}
