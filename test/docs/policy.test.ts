import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { delimiter } from 'node:path'
import { describe, expect, test } from 'vitest'
import { policyPageWith } from '../../scripts/generate-policy.ts'
import { checkTemplates } from '../../src/adapters/checks.ts'
import type { Catalog } from '../../src/core/catalog.ts'
import { openCatalog } from '../../src/core/catalog.ts'
import { isMap } from '../../src/core/data.ts'
import { readRendered } from '../../src/core/yaml.ts'
import { guardFolder, isGuardInstalled } from '../checks/guard.ts'
import { found, treeOfCatalog } from '../core/policy/world.ts'

const file = join(import.meta.dirname, '../../docs/policy.md')
const page = readFileSync(file, 'utf8')

/** The fenced blocks in their order. */
const blocks = [...page.matchAll(/^```(\w+)\n([^]*?)^```$/gmu)].map(([, info = '', text = '']) => ({ info, text }))
const guard = blocks.filter(({ info }) => info === 'guard').map(({ text }) => text)
const policies = blocks.filter(({ text }) => text.startsWith('policy:')).map(({ text }) => text)
const waivers = blocks.filter(({ text }) => /^rule:/mu.test(text)).map(({ text }) => text)
/** Each template with the policy that stands before it. */
const templates = blocks.flatMap(({ text }, index) => {
  const broken = /^# breaks (.*)\n/u.exec(text)?.[1]
  const policy = blocks.slice(0, index).findLast((each) => each.text.startsWith('policy:'))?.text
  return broken === undefined || policy === undefined
    ? []
    : [{ text, broken: broken === 'nothing' ? [] : broken.split(', '), policy }]
})

function catalogOf(policy: string, more: Readonly<Record<string, string>> = {}): Catalog {
  const tree = treeOfCatalog(policy, { 'policy/tables.guard': guard[0] ?? '', ...more })
  const { catalog, problems } = openCatalog(tree)
  expect(problems.filter(({ at }) => at?.file.startsWith('templates/') !== true)).toEqual([])
  if (catalog === undefined) throw new Error('there is no catalog')
  return catalog
}

describe('the page on policy', () => {
  test('has examples', () => {
    expect([policies.length, waivers.length, templates.length, guard.length]).toEqual([3, 2, 3, 1])
    const known = new Set([...policies, ...waivers, ...guard, ...templates.map(({ text }) => text)])
    expect(blocks.filter(({ text }) => !known.has(text))).toEqual([])
  })

  test.each(policies)('shows a policy that can be read: %#', (policy) => {
    expect(catalogOf(policy).policy.rules.length).toBeGreaterThan(0)
  })

  test.each(waivers)('shows a waiver that can be read: %#', (waiver) => {
    const { policy } = catalogOf(policies[0] ?? '', {
      'waivers/shown.yaml': waiver,
      'templates/mail-relay/v1/schema/schema.yaml': 'broken: [',
    })
    expect(policy.waivers).toHaveLength(1)
  })

  test.each(templates)('shows what breaks the rules that it says: $broken', ({ text, policy, broken }) => {
    const { judged } = found(catalogOf(policy), text)
    expect([...new Set(judged.map(({ rule }) => rule))]).toEqual(broken)
  })

  test('shows a rule that cfn-guard takes', async ({ skip }) => {
    if (!isGuardInstalled) skip('cfn-guard is not installed: npm run setup:guard')
    const read = readRendered('t.yaml', templates[0]?.text ?? '')
    if (!read.ok || !isMap(read.value.data)) throw new Error('this is no template')
    const before = process.env['PATH']
    process.env['PATH'] = [guardFolder, before].join(delimiter)
    const rules = new Map([['policy/tables.guard', guard[0] ?? '']])
    const one = { name: 'shop/dev', body: read.value.data, region: 'eu-west-1' }
    const answer = await checkTemplates('cfn-guard', { templates: [one], rules, signal: new AbortController().signal })
    process.env['PATH'] = before
    expect(answer).toMatchObject({
      is: 'judged',
      findings: [
        { rule: 'tables_have_backups', message: 'A table can be brought back to any second of the last weeks.' },
      ],
    })
  })

  test('has tables that are current: `npm run generate`', () => {
    expect(policyPageWith(page)).toBe(page)
  })

  test('links to pages that there are', () => {
    for (const [, link = ''] of page.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/gu))
      expect(link.startsWith('https://') || existsSync(join(dirname(file), link)), link).toBe(true)
  })
})
