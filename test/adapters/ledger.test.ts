import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { Ledger } from '../../src/adapters/ledger.ts'
import { ledgerBranch, ledgerRecords } from '../../src/adapters/ledger.ts'
import { chainFaults } from '../../src/core/ledger.ts'
import { clientOf } from '../fakes/github/client.ts'
import type { FaultKind } from '../fakes/github/faults.ts'
import type { Seed } from '../fakes/github/seed.ts'
import type { GitHub, Grant } from '../fakes/github/server.ts'
import { startGitHub } from '../fakes/github/server.ts'
import { later, record, testRecords } from './records-contract.ts'

const seed: Seed = {
  organisation: 'acme',
  members: { ada: 'admin' },
  repositories: { catalog: { files: { 'catalog.yaml': 'catalog: acme\n' } } },
}

const name = 'acme/catalog'
const job: Grant = { kind: 'job', repository: name, permissions: { contents: 'write' } }

let github: GitHub
beforeEach(async () => {
  github = await startGitHub(seed)
})
afterEach(async () => github.close())

let turn = 0
function ledger(grant = job, second = 1): Ledger {
  return ledgerRecords({
    repository: name,
    token: github.token(grant),
    api: github.url,
    clock: {
      now: () => new Date(),
      sleep: async (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    },
    random: () => (turn += 0.37) % 1,
    second,
  })
}

describe('the ledger keeps records as a folder does', () => {
  testRecords(() => ledger())
})

describe('the ledger', () => {
  test('is a branch of its own, with one new file for each record, each naming the one before', async () => {
    for (const each of [record, later(1), later(2, 'cart/dev')]) await ledger().append(each)
    const files = await github.files(name, ledgerBranch)
    expect([...files.keys()]).toEqual([
      'records/cart/dev/2026-11/20261122T173802000Z-cart-dev.json',
      'records/checkout/dev/2026-11/20261122T173602000Z-checkout-dev.json',
      'records/checkout/dev/2026-11/20261122T173702000Z-checkout-dev.json',
    ])
    expect(chainFaults(files)).toEqual([])
    expect(await ledger().files()).toEqual(files)
    expect([...(await github.files(name)).keys()]).toEqual(['catalog.yaml'])
  })

  test('takes four requests for a record, and one for the latest of all units', async () => {
    for (const each of [record, later(1, 'cart/dev')]) await ledger().append(each)
    github.forget()
    await ledger().append(later(2))
    expect(github.requests().map(({ operation }) => operation)).toEqual([
      'repos/list-commits',
      'git/create-tree',
      'git/create-commit',
      'git/update-ref',
    ])
    github.forget()
    const reader = ledger()
    expect(await reader.list('checkout/dev', { latest: 1 })).toEqual([later(2)])
    expect(await reader.list('checkout/dev', { latest: 20 })).toEqual([record, later(2)])
    expect(await reader.list('cart/dev', { latest: 1 })).toEqual([later(1, 'cart/dev')])
    expect(await reader.list('cart/prod', { latest: 1 })).toEqual([])
    expect(github.requests()).toHaveLength(1)
  })

  test('takes one more for a unit whose records are not among the newest hundred', async () => {
    await ledger().append(record)
    for (let index = 1; index <= 100; index += 1) {
      await github.push({ repository: name, branch: ledgerBranch, files: { 'README.md': String(index) }, by: 'ada' })
    }
    github.forget()
    expect(await ledger().list('checkout/dev', { latest: 1 })).toEqual([record])
    expect(github.requests().map(({ operation }) => operation)).toEqual(['repos/list-commits', 'repos/list-commits'])
  })

  test('reads the files where a commit does not tell of its record, or tells of another', async () => {
    await ledger().append(record)
    const text = (await github.files(name, ledgerBranch)).values().next().value ?? ''
    const lie = Buffer.from(text.replace('deployed', 'failed')).toString('base64')
    const file = 'records/checkout/dev/2026-11/20261122T173702000Z-checkout-dev.json'
    await github.push({
      repository: name,
      branch: ledgerBranch,
      files: { [file]: `${JSON.stringify({ ...later(1), prev: 'x' })}\n` },
      message: `checkout/dev: failed\n\nRecord: ${file}\nDigest: sha256:${'0'.repeat(64)}\nText: ${lie}\n`,
      by: 'ada',
    })
    expect(await ledger().list('checkout/dev', { latest: 5 })).toEqual([record, later(1)])
  })

  test('says nothing in a message that GitHub would take for a mention or a reference', async () => {
    await ledger().append({ ...record, outcome: 'failed', evidence: '@acme/all broke #1 and GH-2' })
    const { repos } = clientOf(github, { kind: 'user', login: 'ada' })
    const { data } = await repos.listCommits({ owner: 'acme', repo: 'catalog', sha: ledgerBranch })
    expect(data.map(({ commit }) => commit.message).join('')).not.toMatch(/[@#]|GH-/u)
    expect(await ledger().list('checkout/dev', { latest: 1 })).toMatchObject([
      { evidence: '@acme/all broke #1 and GH-2' },
    ])
  })

  const kinds: readonly FaultKind[] = [
    'error',
    'error-after',
    'reset',
    'reset-after',
    'truncated',
    'html',
    'secondary-limit',
    'conflict',
  ]
  const operations = ['git/create-tree', 'git/create-commit', 'git/create-ref', 'git/update-ref']
  test.each(operations.flatMap((match) => kinds.map((kind) => ({ match, kind }))))(
    'holds each record once although $match met: $kind',
    async ({ match, kind }) => {
      github.fault({ match, kind })
      for (const each of [record, later(1)]) await ledger().append(each)
      expect(await ledger().list()).toEqual([record, later(1)])
      expect(chainFaults(await github.files(name, ledgerBranch))).toEqual([])
      expect(github.faults()).toEqual([])
    },
  )

  test.each(['repos/list-commits', 'repos/get-content', 'git/get-tree', 'git/get-blob'])(
    'is read although %s met broken answers',
    async (match) => {
      await ledger().append(record)
      for (const kind of ['error', 'reset', 'truncated'] as const) github.fault({ match, kind })
      await ledger().append(later(1))
      expect(await ledger().list()).toEqual([record, later(1)])
      expect(await ledger().list('checkout/dev')).toEqual([record, later(1)])
    },
  )

  test('holds a record once where the branch is seen to have moved only five reads later', async () => {
    await ledger().append(record)
    await github.lag({ match: ['repos/list-commits', 'repos/get-content'], reads: 5 })
    github.fault({ match: 'git/update-ref', kind: 'reset-after' })
    await ledger().append(later(1))
    const files = await github.files(name, ledgerBranch)
    expect([...files.keys()].map((path) => path.split('/').at(-1))).toEqual([
      `${record.id}.json`,
      `${later(1).id}.json`,
    ])
    expect(chainFaults(files)).toEqual([])
  })

  test('takes 12 writers at once, every record once and in one chain', async () => {
    const all = Array.from({ length: 12 }, (_, index) => later(index, index % 2 === 0 ? 'checkout/dev' : 'cart/prod'))
    await Promise.all(all.map(async (each) => ledger(job, 50).append(each)))
    const records = await ledger().list()
    expect(records.map(({ id }) => id)).toEqual(all.map(({ id }) => id).toSorted())
    expect(chainFaults(await github.files(name, ledgerBranch))).toEqual([])
  })

  test('goes on after a commit that is not its own, and the chain shows it', async () => {
    await ledger().append(record)
    await github.push({ repository: name, branch: ledgerBranch, files: { 'README.md': 'x' }, by: 'ada' })
    await ledger().append(later(1))
    expect(await ledger().list()).toEqual([record, later(1)])
    expect(chainFaults(await ledger().files())).toEqual([
      'What came before records/checkout/dev/2026-11/20261122T173702000Z-checkout-dev.json is missing or was changed',
    ])
  })

  test('says which permission is missing', async () => {
    await expect(
      ledger({ ...job, kind: 'job', permissions: { contents: 'read' } }).append(record),
    ).rejects.toMatchObject({
      code: 'github-permission',
      remedy: 'Give the job `contents: write` under `permissions:`, or the App the same.',
    })
  })

  test('says at once what is no matter of another writer', async () => {
    github.fault({ match: 'git/create-ref', kind: 'unprocessable' })
    await expect(ledger().append(record)).rejects.toMatchObject({ code: 'github-conflict' })
    expect(github.requests().filter(({ operation }) => operation === 'git/create-ref')).toHaveLength(1)
  })

  test('is not passed over where a record cannot be read', async () => {
    await github.push({
      repository: name,
      branch: ledgerBranch,
      from: 'main',
      files: { 'records/checkout/dev/2026-11/x.json': '{"format":2}' },
      by: 'ada',
    })
    await expect(ledger().list('checkout/dev')).rejects.toMatchObject({ code: 'record-format' })
  })
})
