import { describe, expect, test } from 'vitest'

import { startCloudFormation, simulatedClock } from '../fakes/cloudformation/server.ts'
import { deploy, measured, provisionerOf, template, wantedOf } from './cloudformation-world.ts'

/** Numbers from 0 to 1 that look drawn, and are the same each time. */
function drawn(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

describe('how soon an end is noticed', () => {
  test('of operations of about 45 seconds, within 2 seconds on average and 60 requests each', async () => {
    const runs = 12
    let late = 0
    let most = 0
    for (let run = 0; run < runs; run += 1) {
      const random = drawn(run + 1)
      const clock = simulatedClock({ auto: true })
      const seconds = 45 * (0.9 + 0.2 * random())
      await using fake = await startCloudFormation({ clock, durations: { Jobs: seconds, '*': 5 }, changeSetSeconds: 5 })
      await deploy(provisionerOf(fake, { random }), wantedOf(template()))
      fake.forget()
      const took = await measured(clock, async () => deploy(provisionerOf(fake, { random }), wantedOf(template(5))))
      const events = fake.stack('jobs')?.events ?? []
      const ended = events.map(({ at }) => at.getTime()).reduce((a, b) => Math.max(a, b))
      const ideal = ended - (fake.requests()[0]?.at.getTime() ?? 0)
      late += took - ideal
      most = Math.max(most, fake.requests().length)
    }
    expect(most).toBeLessThanOrEqual(60)
    expect(late / runs / 1000).toBeLessThanOrEqual(2)
  })
})
