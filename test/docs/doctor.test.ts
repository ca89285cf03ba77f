import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { exits } from '../../src/command.ts'
import { checks } from '../../src/core/doctor/finding.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/doctor.md'), 'utf8')

describe('the page on the doctor', () => {
  test('has a row for each check, with what it is and what shows it', () => {
    const text = /<!-- checks -->(.*?)<!-- end -->/su.exec(page)?.[1] ?? ''
    const rows = [...text.matchAll(/^\| `([a-z-]+)` +\| (.+?) +\| (.*?) *\|$/gmu)].map(([, ...cells]) => cells)

    expect(rows.map(([name, what]) => [name, what])).toEqual(
      Object.entries(checks).map(([name, { what }]) => [name, what]),
    )
    for (const [name, , shown = ''] of rows) {
      const { needs } = Object.entries(checks).find(([each]) => each === name)?.[1] ?? { needs: '' }
      if (needs.includes(':')) expect(shown).toBe(`\`${needs}\``)
    }
  })

  test('says the exit codes that there are', () => {
    expect(page).toContain(`| ${exits.different} (\`different\`)`)
    expect(page).toContain(`${exits.unfinished} (\`unfinished\`)`)
  })
})
