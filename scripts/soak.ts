/**
 * `npm run soak`: plays random schedules of merges, approvals, failures, lost runners and resumes, and looks whether what has to be
 * so of promotions is so.
 *
 *     npm run soak -- [--schedules N] [--seed S] [--minutes M]
 *
 * What is played is the code itself, over a model of GitHub and of accounts as far as the ports promise (test/schedules). Each
 * hundred of schedules has a seed of its own. A finding is made as short as it goes, and printed with its seed and its path; then it
 * goes on with the next hundred, and the exit code is 1.
 */
import { parseArgs } from 'node:util'
import * as fc from 'fast-check'
import type { Prepared } from '../test/schedules/play.ts'
import { prepared } from '../test/schedules/play.ts'
import { played } from '../test/schedules/run.ts'
import type { Step } from '../test/schedules/steps.ts'
import { schedule } from '../test/schedules/steps.ts'

process.exitCode = await main()

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      schedules: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      minutes: { type: 'string', default: '600' },
      path: { type: 'string' },
    },
  })
  const wanted = Number(values.schedules)
  const end = Date.now() + Number(values.minutes) * 60_000
  const world = await prepared()
  let [seed, done, deployments, findings] = [Number(values.seed), 0, 0, 0]
  for (; done < wanted && Date.now() < end; seed += 1) {
    const numRuns = Math.min(100, wanted - done)
    const property = fc.asyncProperty(schedule, async (steps) => {
      const { faults, begun } = await played(steps, world)
      deployments += begun
      if (faults.length > 0) throw new Error(faults.join('\n'))
    })
    const { path } = values
    const result = await fc.check(property, { numRuns, seed, ...(path !== undefined && { path }) })
    done += result.numRuns
    process.stderr.write(`${done} schedules, ${findings} findings so far\n`)
    if (!result.failed || result.counterexample === null) continue
    findings += 1
    say(`seed ${seed}, path ${result.counterexamplePath ?? ''}`)
    await tell(result.counterexample[0], world)
  }
  say(`${done} schedules, ${deployments} deployments, ${findings} findings.`)
  return findings === 0 ? 0 : 1
}

async function tell(steps: readonly Step[], world: Prepared): Promise<void> {
  const { log, faults } = await played(steps, world)
  for (const line of [...log, ...faults.map((fault) => `! ${fault}`)]) say(`  ${line}`)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
