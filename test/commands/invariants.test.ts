import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deploy } from '../../src/commands/deploy.ts'
import { plan } from '../../src/commands/plan.ts'
import { render } from '../../src/commands/render.ts'
import { json } from '../../src/core/encode.ts'
import { plain } from '../../src/core/report.ts'
import type { Small, SmallService } from './organisation.ts'
import { small } from './organisation.ts'
import { run, worldOf } from './ports.ts'

const service: fc.Arbitrary<SmallService> = fc.record({
  size: fc.integer({ min: 0, max: 900 }),
  topics: fc.integer({ min: 0, max: 4 }),
})

const organisation: fc.Arbitrary<Small> = fc
  .record({
    stages: fc.constantFrom(['prod'], ['dev', 'prod'], ['dev', 'staging', 'prod']),
    services: fc.dictionary(fc.constantFrom('cart', 'mail', 'search'), service),
    word: fc.constantFrom('first', 'second'),
  })
  .map((each) => ({ ...each, approval: each.stages.slice(-1) }))

const runs = { numRuns: 15 }

describe('whatever the organisation', () => {
  test('a plan that was applied has nothing to do, also when the organisation changed in between', async () => {
    await fc.assert(
      fc.asyncProperty(organisation, organisation, async (first, second) => {
        let now = first
        const world = worldOf(() => small(now))
        try {
          for (const next of [first, second]) {
            // A stage that is gone would leave stacks behind, which is another story.
            now = { ...next, stages: first.stages, approval: first.approval ?? [] }
            const deployed = await run(deploy, world, { yes: ['true'] })
            const after = await run(plan, world)

            expect(deployed.exit).toBe('done')
            expect(after.text(plain)).toContain('Nothing to do')
          }
        } finally {
          world.end()
        }
      }),
      runs,
    )
  })

  test('the same files give the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(organisation, async (given) => {
        const worlds = [worldOf(() => small(given)), worldOf(() => new Map([...small(given)].toReversed()))]
        try {
          const outcomes = await Promise.all(
            worlds.map(async (world) =>
              [await run(plan, world), await run(render, world)].map(({ data, text, exact }) =>
                json([data, text(plain), exact ?? null]),
              ),
            ),
          )

          expect(outcomes[1]).toEqual(outcomes[0])
        } finally {
          for (const world of worlds) world.end()
        }
      }),
      runs,
    )
  })

  test('a plan changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(organisation, async (given) => {
        const world = worldOf(() => small(given))
        try {
          await run(plan, world)

          expect(readdirSync(world.folder)).toEqual([])
        } finally {
          world.end()
        }
      }),
      runs,
    )
  })

  test('a reviewed plan is applied as it is, or refused before anything is touched', async () => {
    await fc.assert(
      fc.asyncProperty(organisation, organisation, fc.boolean(), async (first, second, between) => {
        let now = first
        const world = worldOf(() => small(now))
        try {
          await run(plan, world, { out: ['plan.json'] })
          const reviewed = await run(plan, world)
          now = { ...second, stages: first.stages, approval: first.approval ?? [] }
          // Either the files changed, or somebody deployed in between.
          if (between) await run(deploy, world, { yes: ['true'] })
          const stacks = join(world.folder, 'stacks')
          const before = filesBelow(stacks)
          const current = await run(plan, world)

          const applied = await run(deploy, world, { plan: ['plan.json'], yes: ['true'] }).then(
            ({ exit }) => exit,
            (error: unknown) => error,
          )

          const unchanged = json(current.data) === json(reviewed.data)
          if (unchanged) expect(applied).toBe('done')
          if (applied !== 'done') {
            expect(applied).toMatchObject({ code: 'plan-stale' })
            expect(filesBelow(stacks)).toEqual(before)
          }
        } finally {
          world.end()
        }
      }),
      runs,
    )
  })
})

/** The files below a folder, each with its text. */
function filesBelow(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
    .map((path) => `${path}\n${readFileSync(path, 'utf8')}`)
}
