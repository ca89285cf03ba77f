import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  branchOf,
  commitMessage,
  fingerprintOf,
  isOurs,
  readBranchName,
  readMarker,
  readTrailers,
  tickedIn,
  upgradeMarker,
} from '../../../src/core/upgrade/metadata.ts'
import { bodyOf, branchSeen, fingerprint, oid } from './facts.ts'

const marker = {
  consumer: 'checkout',
  template: 'fargate-service',
  from: '2.2.1',
  to: '2.3.0',
  fingerprint: fingerprint('a'),
  head: oid('b'),
}

describe('a branch', () => {
  test.each([
    ['service', 'checkout', 2, 'protium/upgrade/checkout-v2'],
    ['environment', 'dev', 1, 'protium/upgrade/environment-dev-v1'],
    ['service', 'environment-dev', 1, 'protium/upgrade/service-environment-dev-v1'],
    ['service', 'service-a', 1, 'protium/upgrade/service-service-a-v1'],
    ['service', 'a-v1', 2, 'protium/upgrade/a-v1-v2'],
  ] as const)('of the %s %s and major %d is %s, and is read back', (kind, name, major, branch) => {
    expect(branchOf({ kind, name }, major)).toBe(branch)
    expect(readBranchName(branch)).toEqual({ kind, name, major })
  })

  test.each([
    'protium/upgrade/checkout',
    'protium/upgrade/Checkout-v2',
    'main',
    'protium/upgrade/a/b-v1',
    'x/checkout-v2',
  ])('%s is none of ours', (branch) => {
    expect(readBranchName(branch)).toBeUndefined()
  })
})

describe('a marker', () => {
  test('is read as it was written', () => {
    expect(readMarker(bodyOf())).toEqual(marker)
    expect(readMarker(`${upgradeMarker({ ...marker, later: '2026-12-09' }).markdown}\r\nWords`)).toEqual({
      ...marker,
      later: '2026-12-09',
    })
  })

  test.each([
    ['a body without one', 'Words'],
    ['one that is not in the first line', `\n${bodyOf()}`],
    ['one in a quote', `> ${bodyOf()}`],
    ['a key too many', bodyOf().replace('{', '{"more":1,')],
    ['a version that is none', bodyOf({ to: 'latest' })],
    ['a name that is none', bodyOf({ consumer: '../etc' })],
    ['a digest that is none', bodyOf({ fingerprint: 'abc' })],
    ['a commit that is none', bodyOf({ head: 'main' })],
    ['a day that is none', bodyOf({ later: '2026-13-45' })],
    ['no JSON', '<!-- protium:upgrade {oops} -->'],
    ['another kind', '<!-- protium:plan checkout -->'],
    ['one that goes on', bodyOf().replace(' -->', ' --> <!-- x -->')],
  ])('%s is none', (_, body) => {
    expect(readMarker(body)).toBeUndefined()
  })

  test('whatever a body says, reading it ends, and gives names and versions alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const read = readMarker(`<!-- protium:upgrade {${text}} -->`)
        expect(read === undefined || /^\d+\.\d+\.\d+$/u.test(read.to)).toBe(true)
      }),
      { seed: 1, numRuns: 500 },
    )
  })
})

describe('trailers', () => {
  const trailers = { template: 'fargate-service', from: '2.2.1', to: '2.3.0', fingerprint: fingerprint('a') }

  test('are read as they were written', () => {
    expect(readTrailers(commitMessage('Upgrade\n\nit', trailers))).toEqual(trailers)
    expect(readTrailers(commitMessage('Upgrade', { ...trailers, base: oid('0') }))).toEqual({
      ...trailers,
      base: oid('0'),
    })
  })

  test.each([
    ['in the middle of a message', `${commitMessage('Upgrade', trailers)}\nAnd more`],
    ['with another beside them', `${commitMessage('Upgrade', trailers)}Co-authored-by: Ada <ada@example.com>\n`],
    ['of another template name', commitMessage('Upgrade', { ...trailers, template: 'a/b' })],
    ['none at all', 'Raise the memory'],
  ])('%s are none', (_, message) => {
    expect(readTrailers(message)).toBeUndefined()
  })

  test('make a commit ours only where GitHub says that we made it', () => {
    expect(isOurs(branchSeen())).toBe(true)
    expect(isOurs(branchSeen({ isOurs: false }))).toBe(false)
    expect(isOurs(branchSeen({ message: 'Merge branch main into protium/upgrade/checkout-v2' }))).toBe(false)
  })
})

test('a fingerprint is of what is written, in whatever order it was found', () => {
  const content = {
    engine: '1',
    bundle: 'sha256:1',
    to: '2.3.0',
    files: new Map([
      ['a', '1'],
      ['b', undefined],
    ]),
  }
  const same = fingerprintOf(content)
  expect(same).toMatch(/^[0-9a-f]{32}$/u)
  expect(
    fingerprintOf({
      ...content,
      files: new Map([
        ['b', undefined],
        ['a', '1'],
      ]),
    }),
  ).toBe(same)
  const others = [
    { ...content, engine: '2' },
    { ...content, bundle: 'sha256:2' },
    { ...content, to: '2.3.1' },
    {
      ...content,
      files: new Map([
        ['a', '2'],
        ['b', undefined],
      ]),
    },
    { ...content, files: new Map([['a', '1']]) },
    {
      ...content,
      files: new Map([
        ['a', '1'],
        ['b', 'undefined'],
      ]),
    },
  ]
  expect(new Set([same, ...others.map(fingerprintOf)]).size).toBe(7)
})

test('boxes that are ticked are found, in whatever way GitHub writes them, and nothing else', () => {
  const body = [
    '- [x] a <!-- protium:box rebase -->',
    '* [X] b <!-- protium:box never -->\r',
    '- [ ] c <!-- protium:box later -->',
    'text - [x] d <!-- protium:box apply -->',
    '- [x] e <!-- protium:box unheard -->',
    '- [x] f',
  ].join('\n')
  expect([...tickedIn(body)]).toEqual(['rebase', 'never'])
})
