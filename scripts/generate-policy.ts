/** Writes the tables of docs/policy.md: the built-in rules, and what can be said of a rule and of a waiver. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DataMap, isMap } from '../src/core/data.ts'
import { builtInRules } from '../src/core/policy/rules.ts'
import { problemCodes } from '../src/core/problem-codes.ts'
import { policySchema, waiverSchema } from '../src/core/schemas/policy.ts'
import { mapIn, textIn, textsIn } from '../src/core/shape.ts'
import { markdownTable } from './readme.ts'

const file = join(import.meta.dirname, '..', 'docs/policy.md')
if (import.meta.main) writeFileSync(file, policyPageWith(readFileSync(file, 'utf8')))

export function policyPageWith(page: string): string {
  const rule = mapIn(mapIn(mapIn(policySchema, 'properties'), 'rules'), 'items')
  const blocks: readonly (readonly [string, string])[] = [
    [
      'rules',
      markdownTable(
        ['Rule', 'What it finds'],
        builtInRules.map((name) => [`[\`${name}\`](problems/${name}.md)`, `${problemCodes[name].title}.`]),
      ),
    ],
    ['rule keys', keyTable(rule)],
    ['waiver keys', keyTable(waiverSchema)],
  ]
  return blocks.reduce((text, [name, block]) => {
    const [begin, end] = [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`]
    const [before, rest = ''] = text.split(begin)
    const after = rest.split(end)[1]
    if (after === undefined) throw new Error(`docs/policy.md has no block "${name}"`)
    return `${before ?? ''}${begin}\n\n${block}\n\n${end}${after}`
  }, page)
}

function keyTable(schema: DataMap | undefined): string {
  const required = textsIn(schema, 'required')
  const rows = Object.entries(mapIn(schema, 'properties') ?? {}).map(([key, value]) => [
    `\`${key}\`${required.includes(key) ? ', always' : ''}`,
    (isMap(value) ? (textIn(value, 'description') ?? '') : '').replaceAll('|', '\\|'),
  ])
  return markdownTable(['Key', 'What it says'], rows)
}
