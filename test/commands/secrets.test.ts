import { afterEach, describe, expect, test } from 'vitest'
import type { FileTree } from '../../src/core/tree.ts'
import type { Merging } from './merging.ts'
import { startMerging } from './merging.ts'
import { small } from './organisation.ts'

const stages = ['dev', 'staging']

// Put together here, so that no scanner takes this file for a leak.
const accessKey = ['AKIA', 'IOSFODNN7EXAMPLE'].join('')
const token = ['ghp_', '0123456789abcdefghijABCDEFGHIJ012345'].join('')
const password = 'x8Kq2Lz0Vb7Tn4Rw'
/** No form gives this one away: it is an ordinary value. */
const value = 'marmalade-7'

function shop({ word = 'first', lines = '' }: { readonly word?: string; readonly lines?: string } = {}): FileTree {
  const tree = small({ stages, services: { cart: { size: 1, topics: 2 } }, word })
  const free = (text: string): string =>
    text.replace('size: { type: integer', 'note: { type: string }, size: { type: integer')
  return new Map(
    [...tree].map(([path, text]) => [
      path,
      path === 'services/cart/service.yaml' && lines !== ''
        ? text.replace('inputs: {', `inputs: { ${lines},`)
        : free(text),
    ]),
  )
}

let merging: Merging
afterEach(async () => merging.close())

describe('no secret reaches a comment, a check, a summary, a log, a deployment or a record', () => {
  test.each([
    ['by its form', `note: ${token}`, token],
    ['in a text', `note: "use ${accessKey} for now"`, accessKey],
    ['beside an input that there is not', `prot: ${token}`, token],
    ['by the name before it', `note: { password: ${password} }`, password],
    ['under a name that there is not', `db_password: ${password}`, password],
  ])('that stands in a file: %s', async (_what, lines, secret) => {
    merging = await startMerging(shop(), stages)
    await merging.propose(shop({ lines }))

    expect(merging.heard()).toContain('Cannot plan')
    expect(merging.heard()).not.toContain(secret)
  })

  test('nor a value of a template, secret or not: plans and records hold digests', async () => {
    merging = await startMerging(shop(), stages)
    const commit = await merging.merge(await merging.propose(shop({ word: value })))
    for (const services of ['environment', 'cart'])
      for (const stage of stages) expect((await merging.deploy(commit, { services, stage })).exit).toBe('done')

    expect(merging.heard()).toContain('Word')
    expect(merging.heard()).not.toContain(value)
  })

  test('that the cloud quotes when it fails', async () => {
    merging = await startMerging(shop(), stages)
    const commit = await merging.merge(await merging.propose(shop({ word: 'second' })))
    await merging.deploy(commit, { services: 'environment', stage: 'dev' })
    const fail = `cart-dev/Topic0=The value ${accessKey} is no name, nor is ${token}`
    const { exit } = await merging.deploy(commit, { services: 'cart', stage: 'dev', fail })

    expect(exit).toBe('failed')
    expect(merging.heard()).toContain('The value (an AWS access key, hidden) is no name')
    expect(merging.heard()).not.toContain(accessKey)
    expect(merging.heard()).not.toContain(token)
  })

  test('nor the token of a job', async () => {
    merging = await startMerging(shop(), stages)
    const commit = await merging.merge(await merging.propose(shop({ word: 'second' })))
    await merging.deploy(commit, { services: 'environment', stage: 'dev' })

    expect(merging.heard().length).toBeGreaterThan(1000)
    expect(merging.github.leaks(merging.heard())).toBe(false)
  })
})
