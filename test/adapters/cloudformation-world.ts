import { cloudFormation, type CloudFormationOptions } from '../../src/adapters/cloudformation.ts'
import type { DataMap } from '../../src/core/data.ts'
import type { GuardOptions } from '../../src/core/guard.ts'
import type { Clock, Provisioner, StackEvent, StackId, StackPreview, WantedStack } from '../../src/ports.ts'
import type { FakeCloudFormation } from '../fakes/cloudformation/server.ts'

export const account = '123456789012'
export const region = 'eu-central-1'
export const stack: StackId = { name: 'jobs', account, region }

/** Lets AWS's SDK find a fake and somebody to be, in the way that it finds them anywhere. */
export function pointTo({ url }: { readonly url: string }): void {
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  })
  delete process.env['AWS_PROFILE']
}

let runs = 0

/** A run of its own, as each process is. */
export function provisionerOf(fake: FakeCloudFormation, options: Partial<CloudFormationOptions> = {}): Provisioner {
  pointTo(fake)
  runs += 1
  return cloudFormation({ clock: fake.clock, random: () => 0.5, run: { id: `run${runs}`, attempt: 1 }, ...options })
}

/** A queue and a topic with some delay in it. */
export function template(delay = 0, more: DataMap = {}): DataMap {
  return {
    Resources: {
      Jobs: { Type: 'AWS::SQS::Queue', Properties: { DelaySeconds: delay } },
      News: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: 'news' } },
      ...more,
    },
    Outputs: { Url: { Value: { Ref: 'Jobs' } } },
  }
}

export function wantedOf(body: DataMap, more: Partial<WantedStack> = {}): WantedStack {
  return { stack, body, parameters: {}, tags: { 'protium:unit': 'jobs/dev' }, ...more }
}

export async function collect(events: AsyncIterable<StackEvent>): Promise<readonly StackEvent[]> {
  const all: StackEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

/** The status that a stream of events ends with. */
export async function endOf(events: AsyncIterable<StackEvent>): Promise<string> {
  const last = (await collect(events)).at(-1)
  return last?.kind === 'stack' ? last.status : 'no status'
}

/** What a deployment does with one stack, as the commands do it. */
export async function deploy(provisioner: Provisioner, wanted: WantedStack, guard?: GuardOptions): Promise<string> {
  for (let looks = 0; looks < 6; looks += 1) {
    const state = await provisioner.state(wanted.stack, guard === undefined ? {} : { guard })
    if (state.is === 'busy') {
      await endOf(provisioner.follow(wanted.stack))
      continue
    }
    if (state.is === 'stuck') {
      await endOf(provisioner.recover(wanted.stack, undefined, guard))
      continue
    }
    const preview = await provisioner.preview(wanted, { for: 'deployment' })
    if (preview.unchanged === true) return 'unchanged'
    return endOf(provisioner.execute(preview, wanted))
  }
  return 'always busy'
}

/** The changes of a preview, short: `update Jobs`. */
export function changesOf({ changes }: StackPreview): readonly string[] {
  return changes.map(({ action, logicalId }) => `${action} ${logicalId}`)
}

/** How long and how often, by the clock of the fake. */
export async function measured(clock: Clock, run: () => Promise<unknown>): Promise<number> {
  const began = clock.now().getTime()
  await run()
  return clock.now().getTime() - began
}
