import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { readCatalog } from '../../src/core/catalog.ts'
import { gateNames, glassPasses } from '../../src/core/gates.ts'
import { organisationFiles, treeOf } from '../core/trees.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/promotion.md'), 'utf8')

describe('the page on promotion', () => {
  test('shows a catalog that is one', () => {
    const text = /```yaml\n(?<yaml># catalog\.yaml\n.*?)```/su.exec(page)?.groups?.['yaml'] ?? ''
    const home = organisationFiles['environments/dev.yaml'] ?? ''
    const staging = home.replaceAll('dev', 'staging')
    const read = readCatalog(treeOf(organisationFiles, { 'catalog.yaml': text, 'environments/staging.yaml': staging }))
    expect(read.problems).toEqual([])
    expect(read.ok && read.value.freezes.map(({ name }) => name)).toEqual(['christmas', 'weekend'])
  })

  test('has a row for each gate, in their order', () => {
    const rows = [...page.matchAll(/^\| `(\w+)` +\|/gmu)].map(([, name]) => name)
    expect(rows).toEqual(gateNames)
  })

  test('names what a broken glass passes, and no other gate', () => {
    const sentence = /broken glass passes (?<names>.*?)\. The guard/su.exec(page)?.groups?.['names'] ?? ''
    expect([...sentence.matchAll(/`(\w+)`/gu)].map(([, name]) => name)).toEqual(glassPasses)
  })
})
