import { describe, expect, expectTypeOf, test } from 'vitest'
import type { Ports } from '../../src/command.ts'
import { command, flag, helpText, lines, number, path, readArguments, text } from '../../src/command.ts'

const deploy = command({
  name: 'deploy',
  summary: 'Deploys.',
  inputs: {
    services: lines('What to deploy.', { positional: true }),
    stage: lines('A stage.', {}),
    plan: path('A plan.', {}),
    by: text('Who.', { required: true }),
    most: number('At most so many.', { default: 3 }),
    yes: flag('Approve.'),
  },
  outputs: { values: 'What was read.' },
  async run(_ports, values) {
    expectTypeOf(values).toEqualTypeOf<{
      readonly services: readonly string[]
      readonly stage: readonly string[]
      readonly plan: string | undefined
      readonly by: string
      readonly most: number
      readonly yes: boolean
    }>()
    const { plan, ...others } = values
    return { exit: 'done', data: { values: { ...others, plan: plan ?? null } }, text: () => '' }
  },
})

async function read(...words: string[]): Promise<unknown> {
  const { given, problems } = readArguments(deploy, words)
  const accepted = deploy.accept(given)
  const mistakes = [...problems, ...(accepted.ok ? [] : accepted.problems)]
  if (mistakes.length > 0 || !accepted.ok) return mistakes.map(({ code, message }) => `${code}: ${message}`)
  const { data } = await accepted.value(noPorts)
  return data['values']
}

// This command uses none of them.
const noPorts: Ports = {
  program: 'protium',
  files: {
    tree: async () => ({ tree: new Map(), problems: [] }),
    text: async () => ({ ok: false, problems: [] }),
    write: async () => {},
    writeText: async () => {},
    remove: async () => {},
    changes: async () => (async function* () {})(),
    recorded: async () => ({ releases: [], problems: [] }),
    releases: async () => [],
    released: async () => undefined,
    changed: async () => undefined,
    begun: async () => undefined,
    isBefore: async () => undefined,
    at: async () => undefined,
    ledger: async () => undefined,
    board: async () => undefined,
    commit: async () => undefined,
  },
  board: async () => {
    throw new Error('not used')
  },
  exclusive: async () => ({ [Symbol.asyncDispose]: async () => {} }),
  forget: async () => {},
  provisioner: async () => {
    throw new Error('not used')
  },
  records: async () => ({ append: async () => {}, list: async () => [] }),
  probe: async () => ({ is: 'answered', status: 200, took: 0 }),
  check: async () => ({ is: 'missing' }),
  clock: { now: () => new Date(0), sleep: async () => {} },
  reporter: { step: () => {}, unit: () => {} },
  show: () => {},
  confirm: undefined,
  ask: undefined,
  product: undefined,
  proposals: undefined,
  fleet: undefined,
  rollouts: undefined,
  run: undefined,
  github: undefined,
  releases: undefined,
  around: {
    settings: undefined,
    account: undefined,
    access: undefined,
    nameServers: async () => ({ is: 'seen', value: [] }),
    version: () => '0.0.0',
  },
  elsewhere: undefined,
  base: undefined,
  by: 'ana',
  signal: new AbortController().signal,
}

describe('what is typed', () => {
  test('is read by the declaration, with its defaults', async () => {
    expect(await read('checkout', 'cart', '--stage', 'dev', '--stage=prod', '--by', 'ana', '--yes')).toEqual({
      services: ['checkout', 'cart'],
      stage: ['dev', 'prod'],
      plan: null,
      by: 'ana',
      most: 3,
      yes: true,
    })
  })

  test('may begin with dashes after "--"', async () => {
    expect(await read('--by', 'ana', '--', '--yes')).toMatchObject({ services: ['--yes'], yes: false })
  })

  test.each([
    [['--by', 'a', '--stge', 'dev'], ['unknown-option: deploy has no option --stge. Did you mean "--stage"?']],
    [[], ['missing-argument: deploy needs --by: who.']],
    [['--by', 'a', '--by', 'b'], ['option-value: --by is given 2 times; it takes one value.']],
    [['--by', 'a', '--most', 'many'], ['option-value: --most is a number; this is "many".']],
    [['--by', 'a', '--yes=no'], ['option-value: --yes takes no value.']],
    [
      ['--by', '--yes'],
      ['option-value: --by needs a value after it.', 'missing-argument: deploy needs --by: who.'],
    ],
    [['--by='], ['option-value: --by is empty.']],
  ])('%j is refused, and says why', async (words, mistakes) => {
    expect(await read(...words)).toEqual(expect.arrayContaining(mistakes))
  })

  test('is not ignored where no argument is expected', () => {
    const { problems } = readArguments({ name: 'status', inputs: { root: path('Where.', { positional: true }) } }, [
      'a',
      'b',
    ])

    expect(problems.map(({ code }) => code)).toEqual(['unexpected-argument'])
  })
})

test('help follows from the declaration', () => {
  expect(helpText(deploy)).toMatchInlineSnapshot(`
    "Deploys.

    Usage  protium deploy [<services> …] [options]

    Arguments
      <services>  What to deploy.

    Options
      --stage NAME  A stage. May be repeated.
      --plan PATH   A plan.
      --by NAME     Who.
      --most N      At most so many. Default: 3
      --yes         Approve.
      --json        Print the result as one JSON document.
      --plain       No colours and no redrawing, as when the output is not a terminal.
      --help        Show what the command does and its options."
  `)
})
