import { afterEach, describe, expect, test } from 'vitest'
import { trust } from '../../src/commands/trust.ts'
import { plain } from '../../src/core/report.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { small } from './organisation.ts'
import { run, type World, worldOf } from './ports.ts'

const without = small({ stages: ['dev', 'prod'], services: { alpha: { size: 1, topics: 0 } } })
const asking = inAccounts(
  'organisation: "9919", repositories: { acme/catalog: { id: "100" }, acme/alpha: { id: "101" } }',
)

let world: World | undefined
afterEach(() => world?.end())

function inAccounts(trusted: string): FileTree {
  const files = small({
    stages: ['dev', 'prod'],
    services: { alpha: { size: 1, topics: 0 } },
    provisioner: 'cloudformation',
  })
  const roles: Readonly<Record<string, string>> = { dev: '1'.repeat(12), prod: '2'.repeat(12) }
  const catalog = (files.get('catalog.yaml') ?? '').replaceAll(
    /environment: (\S+)/g,
    (all, name: string) => `${all}, stack: { service_role: "arn:aws:iam::${roles[name]}:role/protium/cfn" }`,
  )
  const more = `workflows: { actions: actions, repository: acme/catalog }\ntrust: { ${trusted} }\n`
  return new Map([...files, ['catalog.yaml', `${catalog}${more}`]])
}

function worldWith(tree: FileTree): World {
  world = worldOf(() => tree)
  return world
}

describe('trust', () => {
  test('shows the templates, and says that they are not there yet', async () => {
    const { exit, exact, data, problems } = await run(trust, worldWith(asking), { root: ['.'] })

    expect(problems).toEqual([])
    expect(exit).toBe('different')
    expect(exact).toContain('# accounts/111111111111.yaml\n')
    expect(data['files']).toContainEqual({ file: 'accounts/111111111111/alpha.yaml', same: false })
  })

  test('writes them, and then has nothing to write', async () => {
    let tree = asking
    world = worldOf(() => tree)

    const first = await run(trust, world, { root: ['.'], write: ['true'] })
    tree = new Map([...asking, ...world.written])
    const second = await run(trust, world, { root: ['.'], write: ['true'] })
    const third = await run(trust, world, { root: ['.'] })

    expect(first.exit).toBe('done')
    expect(first.text(plain)).toMatch(/^Wrote 4 files: accounts\/111111111111\.yaml, /)
    expect([second.text(plain), second.exit]).toEqual([
      'Nothing to write: the accounts are as catalog.yaml makes them.',
      'done',
    ])
    expect(third.exit).toBe('done')
  })

  test('takes the file of a repository away that is trusted no longer, and leaves what others have put there', async () => {
    const here = worldWith(asking)
    await run(trust, here, { root: ['.'], write: ['true'] })
    const fewer = inAccounts('organisation: "9919", repositories: { acme/catalog: { id: "100" } }')
    const old = new Map([...fewer, ...here.written, ['accounts/README.md', '# ours\n'] as const])
    here.end()
    const { exit, data, text } = await run(trust, worldWith(old), { root: ['.'] })

    expect(exit).toBe('different')
    expect(data['files']).toContainEqual({ file: 'accounts/111111111111/alpha.yaml', same: false })
    expect(text(plain)).toBe(
      'Out of step: 2 files: accounts/111111111111/alpha.yaml, accounts/222222222222/alpha.yaml.',
    )
  })

  test('says what catalog.yaml lacks to make them', async () => {
    const { exit, problems } = await run(trust, worldWith(without), { root: ['.'], write: ['true'] })

    expect(exit).toBe('bad-input')
    expect(problems?.map(({ code }) => code)).toEqual(['trust-unset'])
  })
})
