import { cloudFormation } from '../src/adapters/cloudformation.ts'
import type { WantedStack } from '../src/ports.ts'
import { simulatedClock, startCloudFormation } from '../test/fakes/cloudformation/server.ts'
import { median, table } from './figures.ts'

/**
 * How long after an operation has ended Protium knows it, and how many requests that takes: an update with a change set, on
 * the simulated clock of the fake CloudFormation, so that it is not of this machine. A change set takes 3 to 8 seconds, an
 * operation its length give or take 30 %. What is over both is the overhead, the time to answer requests included.
 */
const lengths = [15, 45, 120, 300] as const

/** Of other deployers, by simulations of their intervals: seconds on average and requests. */
const others: Readonly<Record<string, Readonly<Record<(typeof lengths)[number], readonly [number, number]>>>> = {
  '`aws cloudformation deploy`': { 15: [17.5, 5], 45: [17.5, 6], 120: [17.2, 8], 300: [17.7, 14] },
  'aws-cloudformation-github-deploy 2.2': { 15: [9.6, 8], 45: [9.5, 16], 120: [9.4, 36], 300: [9.5, 84] },
  CDK: { 15: [5.0, 16], 45: [5.0, 37], 120: [5.0, 89], 300: [4.9, 215] },
}

type Detected = { readonly overhead: number; readonly requests: number }

export async function detectionTable(runs: number): Promise<string> {
  const rows: string[][] = []
  for (const perRequest of [0, 100]) {
    for (const length of lengths) {
      process.stderr.write(`detection, ${length} s, ${perRequest} ms a request: ${runs} runs\n`)
      const found: Detected[] = []
      for (let run = 0; run < runs; run += 1)
        found.push(await detect({ length, perRequest, seed: run * 1000 + length }))
      const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
      const overheads = found.map(({ overhead }) => overhead)
      const average = mean(overheads)
      const requests = mean(found.map((one) => one.requests))
      const missed = length === 45 && perRequest === 0 && (average > 2 || requests > 60)
      rows.push([
        `Protium, ${perRequest} ms a request`,
        `${length} s`,
        `${average.toFixed(1)}${missed ? ' (missed)' : ''}`,
        (median(overheads) ?? 0).toFixed(1),
        (overheads.toSorted((a, b) => a - b)[Math.floor(overheads.length * 0.95)] ?? 0).toFixed(1),
        requests.toFixed(0),
      ])
    }
  }
  for (const [name, figures] of Object.entries(others))
    for (const length of lengths)
      rows.push([name, `${length} s`, figures[length][0].toFixed(1), '', '', String(figures[length][1])])
  return [
    '### How soon the end of an operation is known',
    `Seconds after its end on average, for half and for 95 of a hundred, of ${runs} updates each; and requests, the first to the last. The target is at most 2 s in at most 60 requests for an operation of 45 s. The rows of other programs are simulations of the intervals in their sources, without the time that requests take.`,
    table(['by', 'operation', 'average, s', 'half, s', '95 %, s', 'requests'], rows),
  ].join('\n\n')
}

async function detect({
  length,
  perRequest,
  seed,
}: {
  readonly length: number
  readonly perRequest: number
  readonly seed: number
}): Promise<Detected> {
  const random = randomFrom(seed)
  const clock = simulatedClock({ auto: true, perRequest })
  const changeSetSeconds = 3 + 5 * random()
  const seconds = length * (0.7 + 0.6 * random())
  await using fake = await startCloudFormation({ clock, changeSetSeconds, durations: { '*': seconds } })
  process.env['AWS_ENDPOINT_URL'] = fake.url
  const provisioner = cloudFormation({ clock, random, run: { id: String(seed), attempt: 1 } })
  const deploy = async (retention: number): Promise<void> => {
    const wanted = wantedWith(retention)
    await provisioner.state(wanted.stack)
    const preview = await provisioner.preview(wanted, { for: 'deployment' })
    for await (const _event of provisioner.execute(preview, wanted)) continue
  }
  await deploy(60)
  fake.forget()
  const began = clock.now().getTime()
  await deploy(120)
  const took = (clock.now().getTime() - began) / 1000
  const requests = fake.requests().length
  const operation = fake.stack('one')?.operations.at(-1)
  if (operation?.endedAt === undefined) throw new Error('the operation has not ended')
  const worked = (operation.endedAt.getTime() - operation.startedAt.getTime()) / 1000
  return { overhead: took - changeSetSeconds - worked, requests }
}

function wantedWith(retention: number): WantedStack {
  return {
    stack: { name: 'one', account: '123456789012', region: 'eu-west-1' },
    body: {
      Resources: { Queue: { Type: 'AWS::SQS::Queue', Properties: { MessageRetentionPeriod: retention } } },
      Outputs: { Url: { Value: { Ref: 'Queue' } } },
    },
    parameters: {},
    tags: { 'protium:unit': 'bench/one' },
  }
}

/** The same numbers in each run: mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

if (import.meta.main) process.stdout.write(`${await detectionTable(Number(process.argv[2] ?? 20))}\n`)
