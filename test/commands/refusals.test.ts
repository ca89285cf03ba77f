import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { problemCodes } from '../../src/core/problem-codes.ts'

const source = join(import.meta.dirname, '..', '..', 'src')

test('every refusal can be explained by its code', () => {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  const codes = files.flatMap((name) =>
    [...readFileSync(join(source, name), 'utf8').matchAll(/new Refused\(\s*'([^']+)'/gu)].map(([, code = '']) => code),
  )

  expect(codes.length).toBeGreaterThan(10)
  expect(codes.filter((code) => !Object.hasOwn(problemCodes, code))).toEqual([])
})
