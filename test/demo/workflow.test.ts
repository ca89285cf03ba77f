import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readWorkflow } from '../../demo/workflow.ts'

const root = join(import.meta.dirname, '../..')

describe('workflows of the demo', () => {
  test.each(globSync('workflows/catalog/*.yml', { cwd: root }))('%s is understood whole', (file) => {
    const { name, jobs } = readWorkflow(file, readFileSync(join(root, file), 'utf8'))

    expect(name).not.toBe('')
    for (const { uses, steps } of Object.values(jobs)) expect(uses === undefined).toBe(steps.length > 0)
  })

  test.each([
    ['a shell of its own', 'jobs: { a: { steps: [{ run: make, shell: pwsh }] } }', 'does not know shell'],
    ['a container', 'jobs: { a: { container: x, steps: [] } }', 'does not know container'],
    ['a list of jobs', 'jobs: []', 'not a map'],
  ])('%s is refused, and not left out', (_, jobs, why) => {
    expect(() => readWorkflow('x.yml', `name: X\non: push\n${jobs}\n`)).toThrow(why)
  })
})
