import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  commonHost,
  hostOf,
  type HostPattern,
  previewHost,
  readHost,
  readHostPattern,
  type Stage,
  stageOfHost,
} from '../../src/core/stage.ts'

function pattern(text: string, of: 'stage' | 'previews' = 'stage', domain = 'example.com'): HostPattern {
  const read = readHostPattern(text, { domain, of })
  if ('fault' in read) throw new Error(`${text} ${read.fault}`)
  return read.pattern
}

function stagesOf(...hosts: readonly HostPattern[]): Stage[] {
  return hosts.map((host, order) => ({
    name: `s${order}`,
    order,
    host,
    environment: 'e',
    production: false,
    stack: {},
  }))
}

const stages = stagesOf(
  pattern('{service}.dev.{domain}'),
  pattern('{service}.staging.{domain}'),
  pattern('{service}.{domain}'),
)
const previews = {
  host: pattern('{service}-pr-{number}.preview.{domain}', 'previews'),
  stage: 's0',
  expire: 1,
  most: 1,
}

describe('a host', () => {
  test.each([
    ['checkout.dev.example.com', 's0 checkout'],
    ['checkout.staging.example.com', 's1 checkout'],
    ['checkout.example.com', 's2 checkout'],
    ['a-b-1.example.com', 's2 a-b-1'],
    ['checkout-pr-12.preview.example.com', 'preview checkout 12'],
    ['a-pr-1-pr-2.preview.example.com', 'preview a-pr-1 2'],
    ['checkout-pr-012.preview.example.com', 'none'],
    ['checkout.preview.example.com', 'none'],
    ['example.com', 'none'],
    ['a.b.dev.example.com', 'none'],
    ['1shop.example.com', 'none'],
    ['checkout.dev.example.org', 'none'],
    ['checkoutXdevXexample.com', 'none'],
  ])('%s belongs to: %s', (host, expected) => {
    const owner = stageOfHost({ stages, previews }, host)
    const said =
      owner.is === 'stage'
        ? `${owner.stage.name} ${owner.service}`
        : owner.is === 'preview'
          ? `preview ${owner.service} ${owner.number}`
          : owner.is
    expect(said).toBe(expected)
  })

  test.each([
    ['Checkout.Example.COM', { host: 'checkout.example.com' }],
    ['', { fault: 'is empty' }],
    ['https://a.example.com', { fault: 'is an address with a protocol' }],
    ['a.example.com.', { fault: 'ends with a dot' }],
    ['a..com', { fault: 'has an empty part between two dots' }],
    ['a_b.com', { fault: 'has a character that is not a letter, a digit or "-"' }],
    ['a.com:80', { fault: 'has a character that is not a letter, a digit or "-"' }],
    ['-a.com', { fault: 'has a part that begins or ends with "-"' }],
    [`${'a'.repeat(64)}.com`, { fault: 'has a part of more than 63 characters' }],
    [`${'a.'.repeat(127)}com`, { fault: 'is longer than 253 characters' }],
    [`${'a'.repeat(63)}.com`, { host: `${'a'.repeat(63)}.com` }],
    ['café.example.com', { fault: 'has a character that is not a letter, a digit or "-"' }],
  ])('%j is read as %o', (text, expected) => {
    expect(readHost(text)).toEqual(expected)
  })
})

describe('a pattern of hosts', () => {
  test.each([
    ['www.{domain}', 'stage', 'has no {service}'],
    ['{service}.{service}.{domain}', 'stage', 'has {service} more than once'],
    ['{service}-{number}.{domain}', 'stage', 'has a {number}, which only the host of previews has'],
    ['{service}.preview.{domain}', 'previews', 'does not have {number} exactly once'],
    ['{stage}.{domain}', 'stage', 'has {stage}, which stands for nothing'],
    ['{service.{domain}', 'stage', 'has {service, which stands for nothing'],
    ['{service}..{domain}', 'stage', 'has an empty part between two dots'],
    ['{service}-.{domain}', 'stage', 'has a part that ends with "-"'],
    ['-{service}.{domain}', 'stage', 'has a part that begins with "-"'],
    ['{service}_dev.{domain}', 'stage', 'has a character that is not a letter, a digit or "-"'],
    ['{service}{number}.{domain}', 'previews', 'has {service} and {number} without a letter or "-" that parts them'],
    ['{service}-1{number}.{domain}', 'previews', 'has {service} and {number} without a letter or "-" that parts them'],
    [`{service}${'x'.repeat(63)}.{domain}`, 'stage', 'fits no host: a part of it or the whole is too long'],
  ] as const)('%s of a %s %s', (text, of, fault) => {
    expect(readHostPattern(text, { domain: 'example.com', of })).toEqual({ fault })
  })

  test.each([
    ['{service}.dev.{domain}', '{service}.{domain}', undefined],
    ['{service}-dev.{domain}', '{service}.{domain}', 'a-dev.example.com'],
    ['dev-{service}.{domain}', '{service}.{domain}', 'dev-a.example.com'],
    ['a{service}.{domain}', '{service}b.{domain}', 'ab.example.com'],
    ['dev-{service}.{domain}', '{service}-dev.{domain}', 'dev-dev.example.com'],
    ['{service}.dev.{domain}', '{service}.test.{domain}', undefined],
    ['{service}.dev.{domain}', 'dev.{service}.{domain}', 'dev.dev.example.com'],
    ['1{service}.{domain}', '{service}.{domain}', undefined],
    [`${'x'.repeat(40)}{service}.{domain}`, `{service}${'y'.repeat(40)}.{domain}`, undefined],
  ])('%s and %s meet at %s', (a, b, host) => {
    const met = commonHost(pattern(a), pattern(b))
    expect(met?.length).toBe(host?.length)
    if (met !== undefined) expect([pattern(a), pattern(b)].every(({ matcher }) => matcher.test(met))).toBe(true)
  })

  test('of previews is told apart from those of stages', () => {
    expect(commonHost(previews.host, pattern('{service}.preview.{domain}'))).toBe('a-pr-1.preview.example.com')
    expect(stages.map(({ host }) => commonHost(previews.host, host))).toEqual([undefined, undefined, undefined])
  })
})

// Few characters, so that patterns meet often.
const fixed = fc.string({ unit: fc.constantFrom('a', 'b', '1', '-'), maxLength: 3 })
const label = fc.tuple(fixed, fixed).map(([before, after]) => `${before}{service}${after}`)
const plainLabel = fc.string({ unit: fc.constantFrom('a', 'b', '1'), minLength: 1, maxLength: 2 })
const stagePattern = fc
  .tuple(fc.array(plainLabel, { maxLength: 1 }), label, fc.array(plainLabel, { maxLength: 1 }))
  .map(([before, middle, after]) => [...before, middle, ...after, 'x'].join('.'))
const previewPattern = fc.tuple(fixed, fixed, fixed).map(([a, b, c]) => `${a}{service}${b}-{number}${c}.x`)
const anyPattern = fc
  .oneof(
    stagePattern.map((text) => [text, 'stage'] as const),
    previewPattern.map((text) => [text, 'previews'] as const),
  )
  .map(([text, of]) => readHostPattern(text, { domain: 'x', of }))
  .filter((read) => 'pattern' in read)
  .map((read) => read.pattern)
const service = fc
  .tuple(
    fc.constantFrom('a', 'b'),
    fc.string({ unit: fc.constantFrom('a', 'b', '1', '-'), maxLength: 6 }),
    fc.constantFrom('', 'a', '1'),
  )
  .map((parts) => parts.join(''))
  .filter((name) => !name.endsWith('-'))
const number = fc.integer({ min: 1, max: 120 })

describe('patterns that do not meet', () => {
  test('share no host; and those that meet share the host that is shown', () => {
    fc.assert(
      fc.property(
        anyPattern,
        anyPattern,
        fc.array(fc.tuple(service, number), { minLength: 1, maxLength: 20 }),
        (a, b, names) => {
          const met = commonHost(a, b)
          if (met !== undefined) {
            expect(readHost(met)).toEqual({ host: met })
            expect([a.matcher.test(met), b.matcher.test(met)]).toEqual([true, true])
            return
          }
          for (const [name, pull] of names) {
            expect(b.matcher.test(previewHost({ host: a }, name, pull))).toBe(false)
            expect(a.matcher.test(previewHost({ host: b }, name, pull))).toBe(false)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('share no host of a few letters, tried one by one', () => {
    const words = wordsOf('ab1-', 5).filter((word) => !word.startsWith('-') && !word.endsWith('-'))
    fc.assert(
      fc.property(label, label, (left, right) => {
        const read = [left, right].map((text) => readHostPattern(`${text}.x`, { domain: 'x', of: 'stage' }))
        const [a, b] = read.map((each) => ('pattern' in each ? each.pattern : undefined))
        fc.pre(a !== undefined && b !== undefined)
        if (a === undefined || b === undefined) return
        const both = words.find((word) => a.matcher.test(`${word}.x`) && b.matcher.test(`${word}.x`))
        const met = commonHost(a, b)
        if (both !== undefined) expect(met).toBeDefined()
        // A shortest common host of up to five letters is among the words.
        else expect(met === undefined || met.length > '12345.x'.length).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('lead from a service to a host and back to the same service', () => {
    fc.assert(
      fc.property(anyPattern, service, number, (host, name, pull) => {
        const address = previewHost({ host }, name, pull)
        fc.pre('host' in readHost(address))
        expect(host.matcher.exec(address)?.groups?.['service']).toBe(name)
      }),
    )
  })

  test('give every host to one stage at most, and the host of a service to its stage', () => {
    fc.assert(
      fc.property(fc.array(stagePattern, { minLength: 1, maxLength: 4 }), service, (texts, name) => {
        const hosts = texts.flatMap((text) => {
          const read = readHostPattern(text, { domain: 'x', of: 'stage' })
          return 'pattern' in read ? [read.pattern] : []
        })
        const meet = hosts.some((host, index) =>
          hosts.slice(0, index).some((other) => commonHost(host, other) !== undefined),
        )
        const all = stagesOf(...hosts)
        for (const stage of all) {
          const owner = stageOfHost({ stages: all }, hostOf(stage, name))
          if (!meet) expect(owner).toMatchObject({ is: 'stage', stage: { name: stage.name }, service: name })
          else expect(['stage', 'several']).toContain(owner.is)
        }
      }),
      { numRuns: 500 },
    )
  })
})

function wordsOf(letters: string, longest: number): string[] {
  let words = ['']
  const all: string[] = []
  for (let length = 1; length <= longest; length += 1) {
    words = words.flatMap((word) => [...letters].map((letter) => word + letter))
    all.push(...words)
  }
  return all
}
