import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readCatalog } from '../../src/core/catalog.ts'
import { planComment } from '../../src/core/comment.ts'
import { planOf, readPlan } from '../../src/core/plan.ts'
import { blocksOf, root } from './pages.ts'

const [first] = blocksOf('docs/guide-developer.md').filter(({ mark }) => mark === 'file')
const folder = mkdtempSync(join(tmpdir(), 'protium-comment-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function protium(...words: readonly string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'src/cli.ts'), ...words], {
    cwd: folder,
    encoding: 'utf8',
  })
  expect(status, stderr).toBe(0)
}

beforeAll(() => {
  for (const name of ['catalog.yaml', 'environments', 'templates'])
    cpSync(join(root, name), join(folder, name), { recursive: true })
  protium('deploy', 'environment/dev', 'environment/staging', 'environment/prod', '--yes')
  mkdirSync(join(folder, 'services/cart'), { recursive: true })
  writeFileSync(join(folder, 'services/cart/service.yaml'), first?.text ?? '')
  protium('plan', 'cart', '--out', 'plan.json')
})

test('the comment that the guide shows is that of the service that it asks for', async () => {
  const plan = readPlan('plan.json', readFileSync(join(folder, 'plan.json'), 'utf8'))
  const files = ['catalog.yaml', ...['dev', 'staging', 'prod'].map((name) => `environments/${name}.yaml`)]
  const catalog = readCatalog(new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')])))
  if (!plan.ok || !catalog.ok) throw new Error('The plan or the catalog cannot be read.')
  const { stages } = catalog.value
  const units = plan.value.units.filter(({ unit }) => unit.startsWith('cart/'))
  const hosts = ['cart.dev.example.com', 'cart.staging.example.com', 'cart.example.com']

  const { markdown } = planComment(planOf(units), {
    around: { stages, hosts: new Map(units.map(({ unit }, index) => [unit, [hosts[index] ?? '']])) },
    made: { commit: '5c0e1f2a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e', at: new Date('2026-11-22T17:33:10Z'), took: 41_000 },
  })

  await expect(markdown).toMatchFileSnapshot('../golden/comment-of-a-guide.md')
})
