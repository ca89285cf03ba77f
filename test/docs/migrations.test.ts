import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkMigrations, readMigrations } from '../../src/core/migration.ts'

test('the migration that docs/migrations.md shows comes out as it says', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/migrations.md'), 'utf8')
  const [, name = '', text = ''] =
    /```yaml\n# templates\/fargate-service\/(migrations\/\S+)\n([\s\S]*?)```/u.exec(page) ?? []
  const read = readMigrations(new Map([[name, text]]), 'templates/fargate-service')
  expect(read.problems).toEqual([])
  if (!read.ok) return
  expect(read.value[0]?.examples).toHaveLength(2)
  expect(checkMigrations({ migrations: read.value, bundles: new Map() })).toEqual([])
})
