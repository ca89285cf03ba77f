import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkTemplates } from '../../src/adapters/checks.ts'
import { validate } from '../../src/commands/validate.ts'
import { type DataMap, isMap } from '../../src/core/data.ts'
import { readRequest } from '../../src/core/request.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { readYaml } from '../../src/core/yaml.ts'
import { small } from '../commands/organisation.ts'
import { run, worldOf } from '../commands/ports.ts'
import { guardFolder, isGuardInstalled } from './guard.ts'

/** The true programs. */
const isLintInstalled = spawnSync('cfn-lint', ['--version']).status === 0
const signal = new AbortController().signal
const before = { ...process.env }
const home = mkdtempSync(join(tmpdir(), 'protium-programs-'))
beforeAll(() => void (process.env['PATH'] = [guardFolder, before['PATH']].join(delimiter)))
afterAll(() => {
  process.env = { ...before }
  rmSync(home, { recursive: true })
})

function bodyOf(text: string): DataMap {
  const read = readYaml('t.yaml', text, 'cloudformation')
  if (!read.ok || !isMap(read.value.data)) throw new Error('this is no template')
  return read.value.data
}

const organisation = small({ stages: ['dev'], services: { alpha: { size: 3, topics: 1 } } })

function files(policy: string, more: Readonly<Record<string, string>> = {}): FileTree {
  const tree = new Map(organisation).set('catalog.yaml', `${organisation.get('catalog.yaml') ?? ''}policy:\n${policy}`)
  for (const [path, text] of Object.entries(more)) tree.set(path, text)
  return new Map([...tree].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

async function validated(tree: FileTree) {
  const world = worldOf(() => tree, { check: checkTemplates })
  try {
    const outcome = await run(validate, world, { request: ['request.json'] })
    const request = readRequest('request.json', world.written.get('request.json') ?? '')
    return {
      exit: outcome.exit,
      problems: (outcome.problems ?? []).filter(({ code }) => code !== 'contract-input-missing'),
      facts: request.ok ? request.value.units.flatMap(({ policy }) => policy) : [],
    }
  } finally {
    world.end()
  }
}

const template = 'templates/queue/v1/instance_infrastructure/cloudformation.yaml'
const broken = { [template]: (organisation.get(template) ?? '').replace('inputs.size }}', 'inputs.size }}999') }
const waiver = (rule: string): string =>
  `rule: ${rule}\ntemplate: queue\nowner: ana\nreason: The old reader needs it.\nexpires: 2027-01-01\n`

describe('cfn-lint', () => {
  test('judges what is rendered by its own rules alone, and no code that a template names is run', async ({ skip }) => {
    if (!isLintInstalled) skip('cfn-lint is not installed')
    // What would be found from the home of who runs it, and from a template.
    writeFileSync(join(home, '.cfnlintrc.yaml'), 'ignore_checks: [E]\n')
    writeFileSync(join(home, 'evil.py'), `open(${JSON.stringify(join(home, 'run'))}, 'w').close()\n`)
    process.env['HOME'] = home
    const body = bodyOf(`
Metadata: { cfn-lint: { config: { ignore_checks: [E], append_rules: [${JSON.stringify(home)}] } } }
Resources:
  Mail: { Type: AWS::SQS::Queue, Properties: { Delay: 3, Tags: [{ Key: a, Value: b }, { Key: 5 }] } }
  News: { Type: AWS::SNS::Topic, Metadata: { cfn-lint: { config: { ignore_checks: [E3002] } } }, Properties: { Name: !GetAtt Mail.Nothing } }
`)
    const templates = ['eu-west-1', 'us-east-1'].map((region) => ({ name: `shop/${region}`, body, region }))
    const answer = await checkTemplates('cfn-lint', { templates, signal })
    process.env['HOME'] = before['HOME']
    if (answer.is !== 'judged') throw new Error(JSON.stringify(answer))
    const found = answer.findings.map(
      ({ template: name, rule, severity, path }) => `${name} ${severity} ${rule} ${path.join('.')}`,
    )
    expect(found).toEqual(
      templates.flatMap(({ name }) => [
        `${name} error E3002 Resources.Mail.Properties.Delay`,
        `${name} error E3002 Resources.News.Properties.Name`,
        `${name} error E3003 Resources.Mail.Properties.Tags.1`,
      ]),
    )
    expect(existsSync(join(home, 'run'))).toBe(false)
  })

  test('tells of the line of the template and the input behind it; a waiver counts, and is told of in the plan', async ({
    skip,
  }) => {
    if (!isLintInstalled) skip('cfn-lint is not installed')
    const policy = '  checks: [cfn-lint]\n  require: [cfn-lint]\n  rules: [{ name: cfn-lint/E3512, severity: none }]\n'
    const { exit, problems } = await validated(files(policy, broken))
    expect(exit).toBe('bad-input')
    expect(problems).toMatchObject([
      {
        code: 'check-finding',
        severity: 'error',
        message: expect.stringMatching(/^3999 is .*\(rule cfn-lint\/E3034\)\. \(line 4 of the rendered text\)$/u),
        at: { file: template, line: 4 },
        related: [
          { at: { file: 'services/alpha/service.yaml', line: 5 }, note: 'service_instance.inputs.size: written here' },
        ],
      },
    ])
    const waived = await validated(files(policy, { ...broken, 'waivers/slow.yaml': waiver('cfn-lint/E3034') }))
    expect(waived).toMatchObject({ exit: 'done', problems: [] })
    expect(waived.facts).toMatchObject([{ rule: 'cfn-lint/E3034', resource: 'Queue', waiver: { name: 'slow' } }])
  })
})

describe('cfn-guard', () => {
  const rules = {
    'policy/queues.guard':
      'let queues = Resources.*[ Type == "AWS::SQS::Queue" ]\nrule queues_have_names when %queues !empty {\n  %queues.Properties.QueueName exists <<Queues are called by their service.>>\n}\n',
  }

  test('judges by the rules of the catalog; it is told of by line, set by name, and waived', async ({ skip }) => {
    if (!isGuardInstalled) skip('cfn-guard is not installed: npm run setup:guard')
    const policy = '  checks: [cfn-guard]\n'
    const { exit, problems } = await validated(files(policy, rules))
    expect(exit).toBe('bad-input')
    expect(problems).toMatchObject([
      {
        code: 'check-finding',
        message: 'Queues are called by their service (rule cfn-guard/queues_have_names). (line 4 of the rendered text)',
        at: { file: template, line: 4 },
      },
    ])
    const set = `${policy}  rules: [{ name: cfn-guard/queues_have_names, severity: warning }]\n`
    expect(await validated(files(set, rules))).toMatchObject({ exit: 'done', problems: [{ severity: 'warning' }] })
    const waived = files(policy, { ...rules, 'waivers/name.yaml': waiver('cfn-guard/queues_have_names') })
    expect(await validated(waived)).toMatchObject({ exit: 'done', problems: [] })
    const unused = files(policy, { ...rules, 'waivers/name.yaml': waiver('cfn-guard/queues_have_no_names') })
    expect((await validated(unused)).problems.map(({ code }) => code)).toEqual(['check-finding', 'waiver-unused'])
  })

  test('that cannot read its rules has failed, and nothing is taken for kept', async ({ skip }) => {
    if (!isGuardInstalled) skip('cfn-guard is not installed: npm run setup:guard')
    const { exit, problems } = await validated(files('  checks: [cfn-guard]\n', { 'policy/bad.guard': 'rule a { b c' }))
    expect(exit).toBe('bad-input')
    expect(problems).toMatchObject([
      { code: 'check-failed', message: expect.stringContaining('bad.guard'), at: { file: 'catalog.yaml' } },
    ])
  })
})

test.each([
  ['is a warning', '  checks: [cfn-lint]\n', 'done', 'warning check-missing'],
  [
    'is an error where the catalog requires it',
    '  checks: [cfn-lint]\n  require: [cfn-lint]\n',
    'bad-input',
    'error check-missing',
  ],
])('a program that is not installed %s', async (_what, policy, exit, expected) => {
  const world = worldOf(() => files(policy, { 'waivers/a.yaml': waiver('cfn-lint/E3012') }))
  const outcome = await run(validate, world)
  world.end()
  expect(outcome.exit).toBe(exit)
  const told = (outcome.problems ?? []).filter(({ code }) => code !== 'contract-input-missing')
  // Whether a waiver for its rules is needed is not known either.
  expect(told.map(({ severity, code }) => `${severity} ${code}`)).toEqual([expected])
})
