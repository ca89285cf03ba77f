import { afterEach, describe, expect, test } from 'vitest'
import type { FileTree } from '../../src/core/tree.ts'
import { clientOf } from '../fakes/github/client.ts'
import type { Merging } from './merging.ts'
import { startMerging } from './merging.ts'
import { small } from './organisation.ts'

const stages = ['dev', 'staging', 'prod']
const at = { owner: 'acme', repo: 'catalog' }

function fleet(count: number, size: number): FileTree {
  const services = Object.fromEntries(Array.from({ length: count }, (_, index) => [`s${index}`, { size, topics: 5 }]))
  return small({ stages, services })
}

let merging: Merging
afterEach(async () => merging.close())

async function said(number: number): Promise<readonly string[]> {
  const { issues } = clientOf(merging.github, { kind: 'user', login: 'ada' })
  const { data } = await issues.listComments({ ...at, issue_number: number })
  return data.map(({ body }) => body ?? '')
}

async function check(head: string) {
  const { checks } = clientOf(merging.github, {
    kind: 'job',
    repository: 'acme/catalog',
    permissions: { checks: 'read' },
  })
  const { data } = await checks.listForRef({ ...at, ref: head, check_name: 'protium/plan' })
  return data.check_runs.map(({ conclusion, output }) => ({ conclusion, title: output.title }))
}

describe('what the job of a pull request posts', () => {
  test.each([
    ['another pull request', (text: string) => text.replace(/"head":"[0-9a-f]{40}"/u, `"head":"${'1'.repeat(40)}"`)],
    ['another merge of it', (text: string) => text.replace(/"commit":"[0-9a-f]{40}"/u, `"commit":"${'1'.repeat(40)}"`)],
    ['no pull request', (text: string) => text.replace(/"head":"[0-9a-f]{40}",/u, '')],
  ])('is no plan where the request is that of %s', async (_what, swap) => {
    merging = await startMerging(fleet(1, 1), stages)
    const pull = await merging.propose(fleet(1, 2), {
      swap: (files) => files.set('request', swap(files.get('request') ?? '')),
    })

    expect((await said(pull.number)).join('')).toContain('and this run is about')
    expect(await check(pull.head)).toMatchObject([{ conclusion: 'failure', title: 'Cannot plan: 1 problem' }])
  })

  test('is nothing where somebody pushed while it was planned', async () => {
    merging = await startMerging(fleet(1, 1), stages)
    const pull = await merging.propose(fleet(1, 2), {
      meanwhile: async ({ branch }) => {
        await merging.github.push({
          repository: 'acme/catalog',
          branch,
          from: branch,
          files: { 'services/s0/README.md': 'More' },
          by: 'ben',
        })
      },
    })

    expect(await said(pull.number)).toEqual([])
    expect(await check(pull.head)).toEqual([])
  })

  test('is planned without rendering anything: a template that is merged and broken is no matter', async () => {
    const broken = new Map(fleet(1, 1))
    const path = 'templates/queue/v1/instance_infrastructure/cloudformation.yaml'
    broken.set(path, '{% for %}')
    merging = await startMerging(broken, stages)
    const pull = await merging.propose(fleet(1, 2))

    expect((await said(pull.number)).join('')).toContain('### Plan: `s0` is new in 3 stages')
  })

  test('tells of units that were not planned, and is no success then', async () => {
    merging = await startMerging(fleet(1, 1), stages)
    const pull = await merging.propose(fleet(1, 2), {
      swap: (files) =>
        files.set('request', (files.get('request') ?? '').replace('"left":[]', '"left":["s7/dev","s7/prod"]')),
    })

    expect((await said(pull.number)).join('')).toContain('**Not planned here:** 2 units')
    expect(await check(pull.head)).toMatchObject([
      { conclusion: 'neutral', title: expect.stringContaining('2 units not planned') },
    ])
  })

  test('is the plan of all of a fleet, in one comment, with eight requests', async () => {
    merging = await startMerging(fleet(70, 1), stages)
    merging.github.forget()
    const pull = await merging.propose(fleet(70, 2))

    const own = merging.github.requests().filter(({ actor }) => actor === 'github-actions[bot]')
    expect(own.length).toBeLessThanOrEqual(8)
    const comments = await said(pull.number)
    expect(comments).toHaveLength(1)
    expect(comments[0]?.length).toBeLessThanOrEqual(60_000)
    expect(comments[0]).toContain('`s69`')
    expect(comments[0]).not.toContain('Not planned')
    expect(await check(pull.head)).toMatchObject([
      { conclusion: 'success', title: expect.stringContaining('70 services change') },
    ])
  }, 60_000)
})
