import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commandsIn, step } from './action.ts'
import { edit, emptyFolder, sample, snapshotOf, write } from './terminal.ts'

describe('the action validate', () => {
  test('says that everything is in order', async () => {
    const folder = sample()

    const ended = await step('validate', folder)

    expect(ended.stdout).toMatchInlineSnapshot(`
      "::stop-commands::TOKEN
      Everything is in order: acme has 15 units with 376 resources, and each renders within the rules.
      ::TOKEN::
      "
    `)
    expect(ended.summary).toMatchInlineSnapshot(`
      "## validate: done

      \`\`\`
      Everything is in order: acme has 15 units with 376 resources, and each renders within the rules.
      \`\`\`
      "
    `)
    expect(ended).toMatchObject({ exit: 0, stderr: '', outputs: { exit: 'done', catalog: 'acme' } })
    expect(JSON.parse(ended.outputs['units'] ?? '')).toHaveLength(15)
  })

  test('marks every problem on its line, and fails', async () => {
    const folder = sample()
    edit(folder, 'services/checkout/service.yaml', { from: 'port: 8080', to: 'prot: 8080' })

    const ended = await step('validate', folder)

    expect(ended.stdout).toMatchInlineSnapshot(`
      "::stop-commands::TOKEN
      services/checkout/service.yaml:10:3  The template has no input "prot". Did you mean "port"? Expected: one of image, public, port, health_path, health_grace_seconds, command, cpu, memory_per_cpu, architecture, writable, configuration, secrets, secrets_key, calls, sends_to, egress_ports, managed_policies, desired_count, maximum_count, cpu_target and 14 more. Correct the name, or remove the line. [unknown-input]
         10 |   prot: 8080
            |   ^
      ::TOKEN::
      ::error title=unknown-input,file=services/checkout/service.yaml,line=10,col=3::The template has no input "prot". Did you mean "port"? Expected: one of image, public, port, health_path, health_grace_seconds, command, cpu, memory_per_cpu, architecture, writable, configuration, secrets, secrets_key, calls, sends_to, egress_ports, managed_policies, desired_count, maximum_count, cpu_target and 14 more. Correct the name, or remove the line.
      ::error::validate: 1 problem. Nothing was changed.
      "
    `)
    expect(ended).toMatchObject({ exit: 2, stderr: '', outputs: { exit: 'bad-input' } })
  })

  test('finds the organisation in a folder of the repository, and marks its files there', async () => {
    const folder = emptyFolder()
    mkdirSync(join(folder, 'platform'))
    write(folder, 'platform/catalog.yaml', 'catalog: acme\n')

    const { stdout } = await step('validate', folder, { inputs: { path: 'platform' } })

    expect(stdout).toContain('::error title=missing-key,file=platform/catalog.yaml,')
  })

  test('writes nothing into the workspace', async () => {
    const folder = sample()
    const before = snapshotOf(folder)

    await step('validate', folder)

    expect(snapshotOf(folder)).toEqual(before)
  })

  test.each(['GITHUB_OUTPUT', 'GITHUB_STEP_SUMMARY'])(
    'without a file for %s says so, and does nothing',
    async (name) => {
      const unset = await step('validate', sample(), { env: { [name]: undefined } })
      const gone = await step('validate', sample(), { env: { [name]: '/nowhere/at/all' } })

      expect(unset).toEqual(gone)
      expect(unset).toMatchObject({ exit: 1, outputs: {}, summary: '' })
      expect(unset.stdout).toContain(`::error::This is a step of GitHub Actions, and ${name} does not name a file`)
    },
  )

  test('of more problems than GitHub shows, marks the first 50 and says where the others are', async () => {
    const folder = sample()
    const inputs = Array.from({ length: 70 }, (_, index) => `  unknown_${index}: 1\n`).join('')
    edit(folder, 'services/checkout/service.yaml', { from: 'inputs:\n', to: `inputs:\n${inputs}` })

    const { stdout, summary } = await step('validate', folder)

    const commands = commandsIn(stdout)
    expect(commands.filter(({ name }) => name === 'error')).toHaveLength(51)
    expect(commands).toContainEqual({
      name: 'notice',
      text: '20 more problems of 70: all of them are in the job summary.',
    })
    expect(summary.match(/^- .* `unknown-input`$/gmu)).toHaveLength(70)
  })
})

describe('what a repository says', () => {
  const hostile = {
    'a workflow command': '::set-output name=exit::done',
    'a workflow command after a wide space': '\u3000::error::no',
    'an old workflow command': 'x ##[add-mask]s',
    'a command that would end the silence': '::TOKEN::',
    'escape sequences': '\u001b[2J\u001b]0;title\u0007',
    'a mention': '@acme/platform #1 GH-1',
    'a table': 'a | b',
    HTML: '</details><script>alert(1)</script><!--',
    'a fence': '```\n````\n## heading',
    'an output': 'x\nexit=done',
    'a long text': 'x'.repeat(70_000),
  }

  test.each(Object.entries(hostile))('%s is shown, and is obeyed by nobody', async (_what, text) => {
    const folder = sample()
    const quoted = JSON.stringify(text)
    edit(folder, 'services/checkout/service.yaml', { from: 'service: checkout', to: `service: ${quoted}` })
    edit(folder, 'services/receipts/service.yaml', {
      from: 'inputs:\n',
      to: `inputs:\n  ${quoted}: ${quoted}\n  port: ${quoted}\n`,
    })

    const ended = await step('validate', folder, { inputs: { only: text } })

    const names = new Set(commandsIn(ended.stdout).map(({ name }) => name))
    expect([...names]).toEqual(['error'])
    expect(ended.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/u)
    expect(ended.outputs).toEqual({
      exit: 'bad-input',
      catalog: '',
      units: '[]',
      services: '[]',
      environments: 'false',
      stages: '[]',
    })
    expect(outsideOfCode(ended.summary)).not.toMatch(/@acme|<script|<\/details|#1\b|\u001b/u)
    expect(ended.exit).toBe(2)
  })
})

/** Markdown without what stands in fences and code spans, where nothing has a meaning. */
function outsideOfCode(markdown: string): string {
  return markdown.replaceAll(/^(`{3,})[^\n]*\n[^]*?\n\1$/gmu, '').replaceAll(/(?<!`)(`+)(?!`)[^]*?(?<!`)\1(?!`)/gu, '')
}
