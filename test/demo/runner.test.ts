import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Runner, startRunner } from '../../demo/runner.ts'
import { type GitHub, startGitHub } from '../fakes/github/server.ts'

const workflow = (name: string, jobs: string): string => `name: ${name}\non: push\njobs:\n${jobs}`

let github: GitHub
let runner: Runner
beforeEach(async () => {
  github = await startGitHub({
    organisation: 'acme',
    members: { ada: 'admin' },
    repositories: { catalog: { files: { 'README.md': 'x' } } },
  })
  runner = startRunner({
    github,
    repository: 'acme/catalog',
    by: 'ada',
    product: import.meta.dirname,
    vars: {},
    rehearse: () => ({}),
    changed: () => undefined,
  })
})
afterEach(async () => {
  await runner.close()
  await github.close()
})

/** Pushes workflows and runs what that starts; how each run and each of its jobs ended. */
async function ran(files: Readonly<Record<string, string>>): Promise<Readonly<Record<string, readonly string[]>>> {
  const paths = Object.entries(files).map(([name, text]) => [`.github/workflows/${name}.yml`, text] as const)
  await github.push({ repository: 'acme/catalog', branch: 'main', files: Object.fromEntries(paths), by: 'ada' })
  runner.look()
  await runner.rest()
  return Object.fromEntries(
    runner
      .runs()
      .map(({ workflow: name, conclusion, jobs }) => [
        `${name} ${conclusion}`,
        jobs.map((job) => `${job.name} ${job.state}${job.annotations.map(({ message }) => `: ${message}`).join('')}`),
      ]),
  )
}

describe('the runner of the demo', () => {
  test('runs jobs when those that they need have ended, and leaves out those after a failure', async () => {
    const jobs = `  one: { runs-on: x, steps: [{ run: "echo here" }] }
  two: { needs: one, runs-on: x, steps: [{ run: "false" }] }
  three: { needs: two, runs-on: x, steps: [{ run: "true" }] }
  last: { needs: [two, three], if: "\${{ always() && needs.two.result == 'failure' }}", runs-on: x, steps: [{ run: "true" }] }
`

    expect(await ran({ a: workflow('A', jobs) })).toEqual({
      'A failure': ['one success', 'two failure', 'last success'],
    })
    expect(runner.runs()[0]?.jobs[0]?.steps[0]?.log).toBe('here')
  })

  test('runs again what has not succeeded, and nothing else', async () => {
    await ran({ a: workflow('A', '  one: { steps: [{ run: "true" }] }\n  two: { steps: [{ run: "false" }] }\n') })
    runner.again(runner.runs()[0]?.id ?? 0)
    await runner.rest()

    expect(runner.runs()[0]?.jobs.map(({ name, attempt }) => `${name} ${attempt}`)).toEqual(['one 1', 'two 1', 'two 2'])
  })

  test('starts what asks for files only when one of them has changed, and what is started by hand alone', async () => {
    const jobs = 'jobs:\n  one: { steps: [{ run: "true" }] }\n'
    await ran({
      a: `name: A\non: { push: { paths: ['templates/**'] } }\n${jobs}`,
      b: `name: B\non: { workflow_dispatch: }\n${jobs}`,
    })
    const before = runner.runs().map(({ workflow: name }) => name)
    await github.push({ repository: 'acme/catalog', branch: 'main', files: { 'templates/web/a.txt': 'x' }, by: 'ada' })
    runner.look()
    await runner.rest()
    await github.act({
      operation: 'actions/create-workflow-dispatch',
      by: 'ada',
      parameters: { owner: 'acme', repo: 'catalog', workflow_id: 'b.yml' },
      body: { ref: 'main' },
    })
    runner.look()
    await runner.rest()

    expect(before).toEqual([])
    expect(runner.runs().map(({ workflow: name }) => name)).toEqual(['B', 'A'])
  })

  test('says what it cannot run, and does not wait for it', async () => {
    const strange = workflow('B', '  one: { container: x, steps: [] }\n')
    const wrong = workflow('C', '  one: { if: "nothing.there", steps: [{ run: "true" }] }\n')
    const runs = await ran({ b: strange, c: wrong, d: 'name: [\n' })

    expect(Object.keys(runs).toSorted()).toEqual(['C failure', 'b.yml failure', 'd.yml failure'])
    expect(runs['b.yml failure']?.[0]).toContain('does not know container')
    expect(runs['C failure']?.[0]).toContain('nothing')
  })
})
