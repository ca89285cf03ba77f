import { describe, expect, test } from 'vitest'

import { Refused } from '../../src/core/problem.ts'
import { simulatedClock, startCloudFormation } from '../fakes/cloudformation/server.ts'
import {
  changesOf,
  collect,
  deploy,
  endOf,
  measured,
  provisionerOf,
  stack,
  template,
  wantedOf,
} from './cloudformation-world.ts'

/** The names of the requests, in their order. */
function asked(fake: { requests(): readonly { readonly action: string }[] }): readonly string[] {
  return fake.requests().map(({ action }) => action)
}

describe('a deployment', () => {
  test('creates a stack, finds it unchanged, and updates it', async () => {
    await using fake = await startCloudFormation()
    expect(await deploy(provisionerOf(fake), wantedOf(template()))).toBe('CREATE_COMPLETE')
    expect(await deploy(provisionerOf(fake), wantedOf(template()))).toBe('unchanged')
    expect(await deploy(provisionerOf(fake), wantedOf(template(5)))).toBe('UPDATE_COMPLETE')
    expect(await deploy(provisionerOf(fake), wantedOf(template(5)))).toBe('unchanged')
    const state = await provisionerOf(fake).state(stack)
    expect(state).toMatchObject({ is: 'settled', body: template(5), tags: { 'protium:unit': 'jobs/dev' } })
  })

  test('tells what happens to each resource, and the status of the stack last', async () => {
    await using fake = await startCloudFormation()
    const provisioner = provisionerOf(fake)
    const preview = await provisioner.preview(wantedOf(template()), { for: 'deployment' })
    expect(changesOf(preview)).toEqual(['create Jobs', 'create News'])
    const events = await collect(provisioner.execute(preview, wantedOf(template())))
    const told = events.map((event) => (event.kind === 'stack' ? event.status : `${event.logicalId} ${event.status}`))
    expect(told.at(-1)).toBe('CREATE_COMPLETE')
    expect(told).toContain('Jobs CREATE_COMPLETE')
    expect(told.filter((each) => each === 'CREATE_COMPLETE')).toHaveLength(1)
  })

  test('costs few requests where it is over at once', async () => {
    await using fake = await startCloudFormation({ durations: () => 0, changeSetSeconds: 0 })
    await deploy(provisionerOf(fake), wantedOf(template()))
    expect(asked(fake).slice(0, 2).toSorted()).toEqual(['DescribeStacks', 'GetTemplate'])
    expect(asked(fake).slice(2)).toEqual(['GetCallerIdentity', 'CreateStack', 'DescribeStacks'])
    fake.forget()
    await deploy(provisionerOf(fake), wantedOf(template()))
    expect(asked(fake).toSorted()).toEqual(['DescribeStacks', 'GetTemplate'])
    fake.forget()
    await deploy(provisionerOf(fake), wantedOf(template(5)))
    const update = ['CreateChangeSet', 'DescribeChangeSet', 'ExecuteChangeSet', 'DescribeStacks']
    expect(asked(fake).slice(0, 2).toSorted()).toEqual(['DescribeStacks', 'GetTemplate'])
    expect(asked(fake).slice(2)).toEqual(update)
    fake.forget()
    // Who knows that there is a change to come, and needs nothing of the live template, spares the reading of it.
    const provisioner = provisionerOf(fake)
    await provisioner.state(stack, { expects: 'change' })
    const preview = await provisioner.preview(wantedOf(template(6)), { for: 'deployment' })
    expect(await endOf(provisioner.execute(preview, wantedOf(template(6))))).toBe('UPDATE_COMPLETE')
    expect(asked(fake)).toEqual(['DescribeStacks', ...update])
  })

  test('shares what an account takes with all others of the process', async () => {
    const clock = simulatedClock({ auto: true })
    await using fake = await startCloudFormation({ clock })
    const provisioners = Array.from({ length: 30 }, () => provisionerOf(fake))
    const took = await measured(clock, async () =>
      Promise.all(
        provisioners.map(async (each, index) => each.state({ ...stack, name: `jobs-${index}` }, { expects: 'change' })),
      ),
    )
    // Ten at once, then five a second.
    expect(took).toBe(4000)
  })

  test('refuses credentials of another account before anything is touched', async () => {
    await using fake = await startCloudFormation({ account: '999999999999' })
    const provisioner = provisionerOf(fake)
    const wanted = wantedOf(template())
    const preview = await provisioner.preview(wanted, { for: 'deployment' })
    const refusal = await collect(provisioner.execute(preview, wanted)).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(Refused)
    expect(refusal).toMatchObject({ code: 'wrong-account' })
    expect(asked(fake)).not.toContain('CreateStack')
  })
})
