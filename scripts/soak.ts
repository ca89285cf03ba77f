/**
 * `npm run soak`: plays random schedules of merges, approvals, failures, lost runners and resumes, and looks whether what has to be
 * so of promotions is so. With `--upgrades` it is releases, people who push and close, and lost runs of the bot that are played.
 *
 *     npm run soak -- [--upgrades] [--schedules N] [--seed S] [--minutes M]
 *
 * What is played is the code itself, over a model of GitHub and of accounts as far as the ports promise (test/schedules). Each
 * hundred of schedules has a seed of its own. A finding is made as short as it goes, and printed with its seed and its path; then it
 * goes on with the next hundred, and the exit code is 1.
 */
import { parseArgs } from 'node:util'
import * as fc from 'fast-check'
import { prepared } from '../test/schedules/play.ts'
import { played } from '../test/schedules/run.ts'
import { schedule } from '../test/schedules/steps.ts'
import { played as upgraded } from '../test/schedules/upgrades/run.ts'
import { schedule as upgrades } from '../test/schedules/upgrades/steps.ts'

process.exitCode = await main()

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      schedules: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      minutes: { type: 'string', default: '600' },
      path: { type: 'string' },
      upgrades: { type: 'boolean', default: false },
    },
  })
  const wanted = Number(values.schedules)
  const end = Date.now() + Number(values.minutes) * 60_000
  const game = values.upgrades ? upgradesGame() : await promotionsGame()
  let [seed, done, begun, findings] = [Number(values.seed), 0, 0, 0]
  for (; done < wanted && Date.now() < end; seed += 1) {
    const numRuns = Math.min(100, wanted - done)
    const property = game.property((count) => void (begun += count))
    const { path } = values
    const result = await property.check({ numRuns, seed, ...(path !== undefined && { path }) })
    done += result.done
    process.stderr.write(`${done} schedules, ${findings} findings so far\n`)
    if (result.found === undefined) continue
    findings += 1
    say(`seed ${seed}, path ${result.found.path}`)
    for (const line of result.found.log) say(`  ${line}`)
  }
  say(`${done} schedules, ${begun} ${game.what}, ${findings} findings.`)
  return findings === 0 ? 0 : 1
}

type Played = { readonly faults: readonly string[]; readonly log: readonly string[]; readonly begun: number }

type Game = {
  /** What is counted of a schedule. */
  readonly what: string
  readonly property: (count: (begun: number) => void) => {
    readonly check: (options: {
      readonly numRuns: number
      readonly seed: number
      readonly path?: string
    }) => Promise<Checked>
  }
}

type Checked = {
  readonly done: number
  readonly found?: { readonly path: string; readonly log: readonly string[] }
}

async function promotionsGame(): Promise<Game> {
  const world = await prepared()
  return gameOf('deployments', schedule, async (steps) => played(steps, world))
}

function upgradesGame(): Game {
  return gameOf('pull requests', upgrades, async (steps) => {
    const { created, ...rest } = await upgraded(steps)
    return { ...rest, begun: created }
  })
}

function gameOf<Steps>(what: string, arbitrary: fc.Arbitrary<Steps>, play: (steps: Steps) => Promise<Played>): Game {
  return {
    what,
    property: (count) => ({
      check: async (options) => {
        const property = fc.asyncProperty(arbitrary, async (steps) => {
          const { faults, begun } = await play(steps)
          count(begun)
          if (faults.length > 0) throw new Error(faults.join('\n'))
        })
        const { numRuns, failed, counterexample, counterexamplePath } = await fc.check(property, options)
        if (!failed || counterexample === null) return { done: numRuns }
        const { log, faults } = await play(counterexample[0])
        return {
          done: numRuns,
          found: { path: counterexamplePath ?? '', log: [...log, ...faults.map((fault) => `! ${fault}`)] },
        }
      },
    }),
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
