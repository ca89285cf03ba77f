import { afterEach, describe, expect, test } from 'vitest'
import { validate } from '../../src/commands/validate.ts'
import { workflows } from '../../src/commands/workflows.ts'
import type { Problem } from '../../src/core/problem.ts'
import { plain } from '../../src/core/report.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { small } from './organisation.ts'
import { run, type World, worldOf } from './ports.ts'

const without = small({ stages: ['dev', 'prod'], services: { alpha: { size: 1, topics: 0 } } })
const asking = withWorkflows(without)

let world: World | undefined
afterEach(() => world?.end())

function withWorkflows(tree: FileTree): FileTree {
  return new Map([...tree, ['catalog.yaml', `${tree.get('catalog.yaml') ?? ''}workflows: { actions: actions }\n`]])
}

function worldWith(tree: FileTree): World {
  world = worldOf(() => tree)
  return world
}

describe('workflows', () => {
  test('shows the files, and says that they are not there yet', async () => {
    const { exit, exact, data } = await run(workflows, worldWith(asking), { root: ['.'] })

    expect(exit).toBe('different')
    expect(exact).toContain('# .github/workflows/stages.yml\n')
    expect(data['files']).toContainEqual({ file: '.github/workflows/plan.yml', same: false })
  })

  test('writes them, and then has nothing to write', async () => {
    const here = worldWith(asking)

    const first = await run(workflows, here, { root: ['.'], write: ['true'] })
    const written = [...here.written.keys()]
    here.written.set('.github/workflows/plan.yml', `${here.written.get('.github/workflows/plan.yml') ?? ''}# mine\n`)
    const second = await run(workflows, here, { root: ['.'], write: ['true'] })
    const third = await run(workflows, here, { root: ['.'] })

    expect(first.exit).toBe('done')
    expect(written).toEqual(
      [
        'deploy',
        'doctor',
        'forks',
        'hold',
        'impact',
        'plan',
        'release',
        'resume',
        'rollback',
        'stages',
        'validate',
      ].map((name) => `.github/workflows/${name}.yml`),
    )
    expect(second.text(plain)).toBe('Wrote 1 workflow: .github/workflows/plan.yml.')
    expect(third.exit).toBe('done')
  })

  test('takes away what catalog.yaml no longer makes, and leaves what is somebody else’s', async () => {
    const here = worldWith(asking)
    await run(workflows, here, { root: ['.'], write: ['true'] })
    const old = here.written.get('.github/workflows/resume.yml') ?? ''
    const mine = 'name: Mine\non: push\njobs: {}\n'
    const tree = new Map([
      ...asking,
      ...here.written,
      ['.github/workflows/older.yml', old],
      ['.github/workflows/mine.yml', mine],
    ])
    world?.end()
    const later = worldWith(tree)

    const shown = await run(workflows, later, { root: ['.'] })
    const { exit, text } = await run(workflows, later, { root: ['.'], write: ['true'] })

    expect(shown.exit).toBe('different')
    expect(exit).toBe('done')
    expect(text(plain)).toBe('Wrote 1 workflow: .github/workflows/older.yml.')
    expect(later.removed).toEqual(['.github/workflows/older.yml'])
  })

  test('says what catalog.yaml lacks to make them', async () => {
    const { exit, problems } = await run(workflows, worldWith(without), { root: ['.'], write: ['true'] })

    expect(exit).toBe('bad-input')
    expect(problems?.map(({ code }) => code)).toEqual(['workflows-unset'])
  })
})

describe('validate', () => {
  /** What it says of workflows; the small organisation's templates have faults of their own. */
  async function told(here: World): Promise<readonly Problem[]> {
    const { problems = [] } = await run(validate, here, { path: ['.'] })
    return problems.filter(({ code }) => code.startsWith('workflow'))
  }

  test('tells of a workflow that is out of step, at the line that differs', async () => {
    const here = worldWith(asking)
    await run(workflows, here, { root: ['.'], write: ['true'] })
    const path = '.github/workflows/stages.yml'
    const lines = (here.written.get(path) ?? '').split('\n')
    const index = lines.findIndex((line) => line.includes('timeout-minutes'))
    const before = await told(here)
    here.written.set(path, lines.with(index, '    timeout-minutes: 999').join('\n'))

    const after = await told(here)

    expect(before).toEqual([])
    expect(after.map(({ code, at }) => [code, at?.file, at?.line])).toEqual([['workflow-stale', path, index + 1]])
  })

  test('tells of a pull request that edits the workflow that checks it', async () => {
    world = worldOf(() => asking, { changed: ['.github/workflows/plan.yml'] })
    await run(workflows, world, { root: ['.'], write: ['true'] })
    const path = '.github/workflows/plan.yml'
    const text = world.written.get(path) ?? ''
    const before = await told(world)
    world.written.set(path, text.replace('      contents: read', '      contents: write'))
    const { exit } = await run(validate, world, { path: ['.'] })

    expect(before).toEqual([])
    expect(exit).toBe('bad-input')
    expect(await told(world)).toMatchObject([{ code: 'workflow-stale', severity: 'error', at: { file: path } }])
  })

  test.each([
    ['of a catalog that says nothing of them', without],
    ['of a catalog that has none, and is used from the terminal alone', asking],
  ])('says nothing of the workflows %s', async (_what, tree) => {
    expect(await told(worldWith(tree))).toEqual([])
  })
})
