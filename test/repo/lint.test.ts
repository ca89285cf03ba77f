import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

/** A line that must be found fault with: where it stands, what it is, the rule that says so, a word of the message. */
type Ban = { readonly file: string; readonly code: string; readonly rule: string; readonly says: string }

const flow = 'protium(imports-flow-one-way)'
const globals = 'eslint(no-restricted-globals)'
const properties = 'eslint(no-restricted-properties)'
const pure = 'The core is pure'

function inCore(code: string, rule: string, says: string): Ban {
  return { file: 'src/core/wrong.ts', code, rule, says }
}

const bans: readonly Ban[] = [
  inCore(`import 'node:fs'`, flow, pure),
  inCore(`import 'fs/promises'`, flow, pure),
  inCore(`export { x } from '@octokit/core'`, flow, pure),
  inCore(`export * from '@actions/core'`, flow, pure),
  inCore(`import '@aws-sdk/client-cloudformation'`, flow, pure),
  inCore(`import '../adapters/disk.ts'`, flow, pure),
  inCore(`import '../commands/plan.ts'`, flow, pure),
  inCore(`import '../ports.ts'`, flow, pure),
  inCore(`import '../command.ts'`, flow, pure),
  inCore(`import '../../scripts/generate.ts'`, flow, pure),
  inCore(`export const x = import('node:os')`, flow, pure),
  inCore(`export type X = import('node:fs').Stats`, flow, pure),
  { ...inCore(`import '../../ports.ts'`, flow, pure), file: 'src/core/deep/wrong.ts' },
  inCore(`export const x = Date.now()`, properties, 'Clock port'),
  inCore(`export const x = new Date()`, 'protium(no-ambient-date)', 'Clock port'),
  inCore(`export const x = Date()`, 'protium(no-ambient-date)', 'Clock port'),
  inCore(`export const x = Math.random()`, properties, 'same inputs'),
  inCore(`const { random } = Math; export const x = random()`, properties, 'same inputs'),
  inCore(`export const x = 'a'.localeCompare('b')`, properties, 'locale'),
  ...[
    'performance.now()',
    'process.env',
    'globalThis',
    'console',
    "fetch('')",
    'setTimeout(() => 1, 1)',
    'crypto.randomUUID()',
    "new Intl.Collator('en')",
    "Buffer.from('')",
    "Function('1')",
    "eval('1')",
  ].map((code) => inCore(`export const x = ${code}`, globals, pure)),
  { file: 'src/ports.ts', code: `import 'yaml'`, rule: flow, says: "the core's values only" },
  { file: 'src/ports.ts', code: `import './adapters/disk.ts'`, rule: flow, says: "the core's values only" },
  { file: 'src/command.ts', code: `import './commands/plan.ts'`, rule: flow, says: 'no command' },
  { file: 'src/commands/wrong.ts', code: `import '../adapters/disk.ts'`, rule: flow, says: 'ports, not adapters' },
  {
    file: 'src/adapters/wrong.ts',
    code: `import '../commands/plan.ts'`,
    rule: flow,
    says: 'does not know the commands',
  },
  { file: 'src/adapters/wrong.ts', code: `import '../command.ts'`, rule: flow, says: 'does not know the commands' },
  { file: 'src/commands/wrong.ts', code: `import '../cli.ts'`, rule: flow, says: 'a door' },
  { file: 'test/wrong.ts', code: `import '../src/cli.ts'`, rule: flow, says: 'a door' },
  { file: 'src/cli.ts', code: `import '../test/fake.ts'`, rule: flow, says: 'src/ stands alone' },
  {
    file: 'src/core/round.ts',
    code: `import { back } from './round-trip.ts'\nexport const there = () => back`,
    rule: 'import(no-cycle)',
    says: 'cycle',
  },
  inCore("export const x = { markdown: '@ana' }", 'protium(markdown-has-one-maker)', 'src/core/markdown.ts'),
  inCore("export const x = { html: '<b>' }", 'protium(markdown-has-one-maker)', 'src/core/markdown.ts'),
  ...['summary.addCodeBlock', 'summary.addTable', 'core.info', 'core.exportVariable'].map((name) => ({
    file: 'src/commands/raw.ts',
    code: `import * as core from '@actions/core'\nexport const { summary } = core\nexport const x = ${name}`,
    rule: properties,
    says: name === 'core.exportVariable' ? 'as an output' : name === 'core.info' ? 'encode.ts' : 'markdown.ts',
  })),
  inCore(`export default 1`, 'import(no-default-export)', 'named exports'),
  inCore(`export const x: any = 1`, 'typescript(no-explicit-any)', 'any'),
  inCore(`export const x = [1].at(0)!`, 'typescript(no-non-null-assertion)', 'non-null'),
  inCore(`export const x = 'a' as string`, 'protium(no-type-assertion)', 'parse the value'),
  inCore(`export const x = <string>'a'`, 'protium(no-type-assertion)', 'parse the value'),
  inCore(`// @ts-ignore\nexport const x = 1`, 'typescript(ban-ts-comment)', 'ts-ignore'),
  inCore(`async function f() {}\nf()`, 'typescript(no-floating-promises)', 'awaited'),
  inCore(`export namespace X { export const x = 1 }`, 'typescript(no-namespace)', 'namespace'),
  inCore(`throw 'text'`, 'typescript(only-throw-error)', 'Error'),
  {
    file: 'test/wrong.test.ts',
    code: testOf(`vi.mock('./x.ts')`),
    rule: 'vitest(no-restricted-vi-methods)',
    says: 'fake',
  },
  { file: 'test/wrong.test.ts', code: testOf(`1 + 1`), rule: 'vitest(expect-expect)', says: 'assertion' },
  {
    file: 'test/wrong.test.ts',
    code: testOf('expect(1).toBe(1)').replace('test(', 'test.only('),
    rule: 'vitest(no-focused-tests)',
    says: 'focused',
  },
]

const allowed: readonly Pick<Ban, 'file' | 'code'>[] = [
  { file: 'src/core/right.ts', code: `import { parse } from 'yaml'\nexport const x = parse('')` },
  { file: 'src/core/right.ts', code: `import { sha256 } from '@noble/hashes/sha2.js'\nexport const x = sha256` },
  { file: 'src/core/deep/right.ts', code: `import type { Data } from '../data.ts'\nexport type X = Data` },
  { file: 'src/core/right.ts', code: `export const x = [1] as const satisfies number[]` },
  { file: 'src/core/right.ts', code: `export const x = (text: string) => new Date(text)` },
  { file: 'src/adapters/right.ts', code: `import { sep } from 'node:path'\nexport const x = sep` },
  { file: 'src/cli.ts', code: `import { x } from './adapters/right.ts'\nprocess.stdout.write(x)` },
]

function testOf(body: string): string {
  return `import { expect, test, vi } from 'vitest'\ntest('a', () => { ${body}; void expect; void vi })`
}

type Finding = { readonly code: string; readonly message: string; readonly help?: string; readonly filename: string }

/**
 * Lints each text under this repository's own configuration and returns the findings by the case's index. The cases share a
 * run where their names do not clash: starting the linter costs more than linting.
 */
function lint(cases: readonly Pick<Ban, 'file' | 'code'>[], folder: string): Finding[][] {
  const runs: Map<string, number>[] = []
  for (const [index, { file, code }] of cases.entries()) {
    const name = file.replace(/(wrong|right)/, `$1-${index}`)
    let run = runs.findIndex((each) => !each.has(name))
    if (run === -1) run = runs.push(new Map()) - 1
    runs[run]?.set(name, index)
    write(join(folder, String(run), name), `${code}\n`)
  }
  const found: Finding[][] = cases.map(() => [])
  for (const [run, names] of runs.entries()) {
    const cwd = join(folder, String(run))
    for (const file of ['.oxlintrc.json', 'scripts/lint-rules.js']) cpSync(join(root, file), join(cwd, file))
    const tsconfig = { extends: join(root, 'tsconfig.json'), compilerOptions: { types: [] }, include: ['src', 'test'] }
    write(join(cwd, 'tsconfig.json'), JSON.stringify(tsconfig))
    write(join(cwd, 'src/core/round-trip.ts'), `import { there } from './round.ts'\nexport const back = () => there\n`)
    const args = [join(root, 'node_modules/oxlint/bin/oxlint'), '--type-aware', '--format=json']
    const { stdout } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' })
    const report: { diagnostics: Finding[] } = JSON.parse(stdout)
    for (const finding of report.diagnostics) {
      const index = names.get(finding.filename)
      if (index !== undefined) found[index]?.push(finding)
    }
  }
  return found
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

describe('the house rules are held by the linter', () => {
  const folder = mkdtempSync(join(tmpdir(), 'protium-lint-'))
  let found: Finding[][]

  beforeAll(() => {
    found = lint([...bans, ...allowed], folder)
  }, 120_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test.each(bans.map((ban, index) => ({ ...ban, index })))('$file: `$code` is refused', ({ index, rule, says }) => {
    const findings = found[index] ?? []

    const hit = findings.find((each) => each.code === rule)

    expect(hit, JSON.stringify(findings)).toBeDefined()
    expect(`${hit?.message} ${hit?.help ?? ''}`.toLowerCase()).toContain(says.toLowerCase())
  })

  test.each(allowed.map((each, index) => ({ ...each, index })))('$file: `$code` is allowed', ({ index }) => {
    expect(found[bans.length + index]).toEqual([])
  })
})
