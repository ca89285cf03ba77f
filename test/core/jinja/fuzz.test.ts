import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { examine, sampleOf } from '../../../scripts/fuzz.ts'
import known from './fuzz-seeds.json' with { type: 'json' }

describe('templates made at random', () => {
  test.each(known.seeds)('seed %i, which once found a mistake, finds none', (seed) => {
    expect(examine(sampleOf(seed)).findings).toEqual([])
  })

  test('of three thousand none finds a mistake, and many render', () => {
    let rendered = 0
    for (let seed = 1_000_000; seed < 1_003_000; seed += 1) {
      const { outcome, findings } = examine(sampleOf(seed))
      expect(findings).toEqual([])
      if (outcome !== undefined && 'text' in outcome) rendered += 1
    }
    expect(rendered).toBeGreaterThan(900)
  })

  test('are the same for the same seed', () => {
    expect(sampleOf(42)).toEqual(sampleOf(42))
    expect(examine(sampleOf(42)).outcome).toEqual(examine(sampleOf(42)).outcome)
    expect(sampleOf(42).template).not.toBe(sampleOf(43).template)
  })
})

test('the fuzzer says what it looked at, and ends with 0 if it found nothing', () => {
  const script = new URL('../../../scripts/fuzz.ts', import.meta.url).pathname
  const result = spawnSync(process.execPath, [script, '--count', '50', '--seed', '7'], { encoding: 'utf8' })
  expect(result.stdout).toContain('50 templates from seed 7')
  expect(result.stdout).toContain('0 findings')
  expect(result.status).toBe(0)
})
