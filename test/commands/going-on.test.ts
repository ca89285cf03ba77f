import { afterEach, describe, expect, test } from 'vitest'

import type { Outcome } from '../../src/command.ts'
import { settle } from '../../src/commands/settling.ts'
import type { FileTree } from '../../src/core/tree.ts'
import type { Merging, Pull } from './merging.ts'
import { startMerging } from './merging.ts'
import { small } from './organisation.ts'

/** Promotions that are held by the deployment itself, on the local GitHub, and are gone on with by resume. */

const minutes = 60_000
let time = 0
/** Each look at the clock is a moment later, so that records have an order. */
const now = (): Date => new Date((time += 1))
const wait = (milliseconds: number): void => void (time += milliseconds)

/** The cart by its topics: before prod there are 30 minutes in dev, and an approval. */
function shop(topics: number, word = 'first'): FileTree {
  const tree = small({ word, stages: ['dev', 'prod'], services: { cart: { size: 1, topics } }, approval: ['prod'] })
  const kept = 'Type: AWS::SQS::Queue\n    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain'
  const adapted = (text: string): string =>
    text
      .replace('environment: dev }', 'environment: dev, soak: 30m }')
      .replace('environment: prod,', 'environment: prod, production: true,')
      .replace('Type: AWS::SQS::Queue', kept)
  return new Map([...tree].map(([path, text]) => [path, adapted(text)]))
}

let merging: Merging
afterEach(async () => merging.close())

/** The environments of both stages are there, and the cart in none. */
async function begin(): Promise<void> {
  time = Date.parse('2026-11-25T12:00:00Z')
  merging = await startMerging(shop(0, 'none'), ['dev', 'prod'], {
    now,
    members: ['carla'],
    teams: { platform: ['carla'] },
  })
  const pull = await merging.propose(shop(1))
  await merging.review(pull, 'carla')
  const commit = await merging.merge(pull)
  expect((await merging.deploy(commit, { services: 'environment', stage: 'dev' })).exit).toBe('done')
  wait(31 * minutes)
  expect((await merging.deploy(commit, { services: 'environment', stage: 'prod' })).exit).toBe('done')
}

/** A change of the cart that is merged, in dev, and held in prod. */
async function held(topics: number, isApproved = true): Promise<{ readonly commit: string; readonly pull: Pull }> {
  const pull = await merging.propose(shop(topics))
  if (isApproved) await merging.review(pull, 'carla')
  const commit = await merging.merge(pull)
  expect((await merging.deploy(commit, { services: 'cart', stage: 'dev' })).exit).toBe('done')
  expect((await merging.deploy(commit, { services: 'cart', stage: 'prod' })).exit).toBe('needs-approval')
  return { commit, pull }
}

function started({ data }: Outcome): readonly string[] {
  const list: readonly { unit: string; commit: string }[] = JSON.parse(JSON.stringify(data['started']))
  return list.map(({ commit }) => commit)
}

function outcomes({ data }: Outcome): readonly string[] {
  const units: readonly { unit?: string; outcome?: string }[] = JSON.parse(JSON.stringify(data['units']))
  return units.map(({ unit, outcome }) => `${unit} ${outcome}`)
}

/** What became of a commit in production, by what GitHub shows. */
async function stateOf(commit: string): Promise<string | undefined> {
  const all = await merging.deployments()
  return all.findLast((each) => each.environment === 'cart/prod' && each.commit === commit)?.state
}

describe('a promotion that was held', () => {
  test('goes on when its soak is over and somebody has approved it, and not before', async () => {
    await begin()
    const { commit, pull } = await held(2, false)
    const early = await merging.resume()
    wait(31 * minutes)
    const unapproved = await merging.resume()
    await merging.review(pull, 'carla')
    const approved = await merging.resume()
    const before = await stateOf(commit)
    const ends = await merging.goOn()

    expect([early, unapproved, approved].map(started)).toEqual([[], [], [commit]])
    expect(before).toBe('queued')
    expect([...ends].map(([name, end]) => [name, ...outcomes(end)])).toEqual([
      ['services (cart) / prod', 'cart/prod deployed'],
    ])
    expect((await merging.board()).waiting).toEqual([])
    expect(await stateOf(commit)).toBe('success')
    expect(started(await merging.resume())).toEqual([])
  })

  test('is one of five that were merged within a minute: the newest is live in the end, and of each it is shown what became of it', async () => {
    await begin()
    const commits: string[] = []
    for (const topics of [2, 3, 4, 5, 6]) commits.push((await held(topics)).commit)
    expect((await merging.board()).waiting.map(({ commit }) => commit).toSorted()).toEqual(commits.toSorted())
    wait(40 * minutes)
    const woken = started(await merging.resume())
    const ends = await merging.goOn()
    for (let left = (await merging.board()).waiting.length; left > 0; left = (await merging.board()).waiting.length) {
      wait(10 * minutes)
      await merging.resume()
      await merging.goOn()
    }

    expect(woken).toEqual(commits)
    expect(ends.size).toBeGreaterThan(0)
    const records = (await merging.ledger()).filter(({ unit }) => unit === 'cart/prod')
    expect(records.at(-1)).toMatchObject({ commit: commits.at(-1), outcome: 'deployed' })
    const states = await Promise.all(commits.map(stateOf))
    expect(states.at(-1)).toBe('success')
    expect(states.filter((state) => state === 'queued' || state === 'in_progress')).toEqual([])
  }, 60_000)

  test('whose runner dies while it goes on is on the board, and is brought to its end', async () => {
    await begin()
    const { commit } = await held(2)
    wait(31 * minutes)
    await merging.resume()
    const [queued] = merging.github.queued()
    const killed = new AbortController()
    merging.github.fault({ match: 'repos/create-deployment-status', kind: { before: () => killed.abort() } })
    const wanted = { services: 'cart', stage: 'prod', attempt: queued?.attempt ?? 0, signal: killed.signal }
    await merging.deploy(commit, wanted).catch(() => undefined)
    const ports = merging.jobOf(commit, { attempt: wanted.attempt })
    if (ports.github === undefined) throw new Error('There is no GitHub')
    const told = await settle(ports, {
      github: await ports.github(),
      board: await ports.board(''),
      run: ports.run,
      service: 'cart',
      environments: new Map(),
      jobs: [
        { stage: 'dev', result: 'success', exit: 'done' },
        { stage: 'prod', result: 'failure', exit: '' },
      ],
      isLabelled: false,
    })
    wait(10 * minutes)
    const woken = started(await merging.resume())
    const ends = await merging.goOn()

    expect(killed.signal.aborted).toBe(true)
    expect(told).toMatchObject([{ unit: 'cart/prod', is: 'waits' }])
    expect(woken).toEqual([commit])
    expect([...ends.values()].map(({ exit }) => exit)).toEqual(['done'])
    expect((await merging.board()).waiting).toEqual([])
    expect(await stateOf(commit)).toBe('success')
  })
})
