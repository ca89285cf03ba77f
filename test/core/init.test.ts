import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { product } from '../../src/adapters/product.ts'
import { readCatalog } from '../../src/core/catalog.ts'
import { catalogOf, type Given, nothingGiven, readAnswers } from '../../src/core/init.ts'
import { readOrganisation } from '../../src/core/organisation.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { accessTemplates, trustProblems } from '../../src/core/trust.ts'
import { staleWorkflows } from '../../src/core/workflows.ts'

const sample = await product(join(import.meta.dirname, '../..')).sample()

const three: Given = {
  ...nothingGiven,
  repository: 'acme/catalog',
  domain: 'example.com',
  stage: ['dev', 'staging', 'prod=example.com'],
  account: ['dev=111111111111', 'staging=222222222222', 'prod=333333333333'],
  region: ['eu-west-1'],
}
const one: Given = { ...three, stage: ['dev=dev.example.com'], account: ['111111111111'] }
const pinned = `acme/protium/actions@${'a1'.repeat(20)}`
const ids = { 'organisation-id': '9919', 'repository-id': '1296269' }

function filesOf(given: Given): FileTree {
  const answers = readAnswers(given)
  if (!answers.ok) throw new Error(answers.problems.map(({ message }) => message).join('\n'))
  const files = catalogOf(answers.value, sample)
  if (!files.ok) throw new Error(files.problems.map(({ message }) => message).join('\n'))
  return files.value
}

function messages(given: Given): readonly string[] {
  const { problems } = readAnswers(given)
  for (const { expected, remedy } of problems) expect([expected, remedy]).not.toContain(undefined)
  return problems.map(({ severity, code, message }) => `${severity} ${code}: ${message}`)
}

describe('a new catalog', () => {
  const table = [
    ...(['sample', 'empty'] as const).flatMap((start) =>
      [pinned, 'vendored'].flatMap((actions) =>
        [one, three].flatMap((given) => [
          { ...given, start, actions },
          { ...given, start, actions, ...ids },
        ]),
      ),
    ),
    { ...three, account: [], local: true },
    { ...three, account: ['444444444444'], 'shared-account': true, ...ids },
    { ...three, region: ['us-east-1', 'prod=eu-west-1'], approval: ['@ada', '@acme/oncall'], owner: '@ada' },
    { ...three, stage: ['dev=dev.other.org', 'live'], account: ['dev=111111111111', 'live=222222222222'] },
    { ...three, repository: '3m/Catalog.of-Things', domain: 'Example.COM' },
  ].map((given) => {
    const words = [given.start ?? 'sample', given.actions === pinned ? 'pinned' : 'vendored', given.stage.join(' ')]
    return [
      [...words, 'organisation-id' in given ? 'with roles' : 'without', given.account.join(' ')].join(', '),
      given,
    ] as const
  })

  test.each<readonly [string, Given]>(table)('is in order: %s', (_, given) => {
    const files = filesOf(given)
    const organisation = readOrganisation(files, () => undefined, [])
    const catalog = readCatalog(files)

    expect(organisation.problems).toEqual([])
    if (!catalog.ok) throw new Error('no catalog')
    expect(staleWorkflows(catalog.value, files)).toEqual([])
    expect(trustProblems(catalog.value)).toEqual([])
    for (const [path, text] of accessTemplates(catalog.value)) expect(files.get(path)).toBe(text)
    expect([...files.keys()].at(-1)).toBe('catalog.yaml')
  })

  test('deploys nothing until it is said', () => {
    const files = filesOf(three)

    expect(files.get('catalog.yaml')).toContain('\n  deploy: false')
    expect(files.has('.github/workflows/stages.yml')).toBe(false)
    expect(files.get('.github/workflows/deploy.yml')).not.toContain('/deploy')
  })

  test('asks for approval of production alone, by the owner', () => {
    const catalog = readCatalog(filesOf(three))

    expect(
      catalog.ok && catalog.value.stages.map(({ name, production, approval }) => [name, production, approval]),
    ).toEqual([
      ['dev', false, undefined],
      ['staging', false, undefined],
      ['prod', true, { by: ['@acme/platform'] }],
    ])
  })

  test('puts a stage outside of the domain where it was said to be', () => {
    const given = { ...three, stage: ['dev=dev.other.org', 'live'], account: ['dev=111111111111', 'live=222222222222'] }

    expect(filesOf(given).get('catalog.yaml')).toContain('host: "{service}.dev.other.org"')
    expect(filesOf(given).get('catalog.yaml')).toContain('host: "{service}.{domain}"')
  })

  test('names the actions and what they are pinned to', () => {
    expect(filesOf({ ...three, actions: pinned }).get('.github/workflows/plan.yml')).toContain(
      `acme/protium/actions/plan@${'a1'.repeat(20)}`,
    )
    expect(filesOf({ ...three, actions: 'vendored' }).get('.github/CODEOWNERS')).toContain('/.protium/ @acme/platform')
  })

  test('gives the roles of its templates the boundary where roles are trusted, and nowhere else', () => {
    const boundaries = (given: Given): number =>
      [...filesOf(given)].filter(
        ([path, text]) => path.startsWith('templates/') && text.includes('PermissionsBoundary'),
      ).length

    expect(boundaries(three)).toBe(0)
    expect(boundaries({ ...three, ...ids })).toBeGreaterThan(10)
  })

  test('owns itself', () => {
    const owners = filesOf({ ...three, owner: '@acme/core' }).get('.github/CODEOWNERS') ?? ''

    for (const path of ['/.github/', '/catalog.yaml', '/environments/', '/waivers/', '/accounts/', '/templates/'])
      expect(owners).toContain(`\n${path} @acme/core\n`)
  })

  test('tells what to do next, with the commands for its own stages and accounts', () => {
    const readme = filesOf({ ...three, ...ids }).get('README.md') ?? ''

    expect(readme).toContain('gh repo create acme/catalog --private')
    expect(readme).toContain('environments/staging-plan')
    expect(readme).toContain('--template-file accounts/333333333333.yaml')
    expect(readme).toContain('`protium workflows --write` and `protium trust --write`, and merge')
    expect(filesOf({ ...three, account: [], local: true }).get('README.md')).not.toContain('protium trust')
    expect(filesOf(three).get('README.md')).toContain('gh api repos/acme/catalog --jq .id')
    expect(filesOf({ ...three, start: 'empty' }).get('README.md')).toContain(
      '`templates/base/` is one for environments',
    )
  })
})

describe('what is missing', () => {
  test('is told all at once, by the names of the options', () => {
    expect(messages(nothingGiven)).toEqual([
      'error missing-argument: It is not said which repository on GitHub this is for.',
      'error missing-argument: It is not said in which domain services answer.',
      'error missing-argument: It is not said which stages there are, in their order.',
    ])
    expect(readAnswers(nothingGiven).problems.map(({ expected }) => expected?.split(',')[0])).toEqual([
      '--repository',
      '--domain',
      '--stage',
    ])
  })

  test('is told of each stage', () => {
    expect(messages({ ...three, account: ['dev=111111111111'], region: [] })).toEqual([
      'error missing-argument: It is not said in which account of AWS the stage "staging" lies.',
      'error missing-argument: It is not said in which account of AWS the stage "prod" lies.',
      'error missing-argument: It is not said in which region of AWS the stage "dev" lies.',
      'error missing-argument: It is not said in which region of AWS the stage "staging" lies.',
      'error missing-argument: It is not said in which region of AWS the stage "prod" lies.',
    ])
  })
})

describe('a repository that GitHub refuses', () => {
  test.each([
    ['catalog', 'is no owner/name'],
    ['acme/catalog/more', 'is no owner/name'],
    ['https://github.com/acme/catalog', 'is no owner/name'],
    ['/catalog', 'has no owner'],
    ['acme/', 'has no name'],
    ['-acme/catalog', 'has an owner with "-" at an end, or two of them in a row'],
    ['ac--me/catalog', 'has an owner with "-" at an end, or two of them in a row'],
    ['ac_me/catalog', 'has an owner with a character that is not a letter, a digit or "-"'],
    [`${'a'.repeat(40)}/catalog`, 'has an owner of more than 39 characters'],
    ['acme/the catalog', 'has a name with a character that is not a letter, a digit, ".", "-" or "_"'],
    ['acme/katalög', 'has a name with a character that is not a letter, a digit, ".", "-" or "_"'],
    ['acme/..', 'has a name of dots alone'],
    ['acme/catalog.git', 'has a name that ends in ".git"'],
    [`acme/${'a'.repeat(101)}`, 'has a name of more than 100 characters'],
  ])('%s', (repository, fault) => {
    expect(messages({ ...three, repository })).toEqual([
      `error repository-name: --repository: GitHub takes no repository ${JSON.stringify(repository)}: it ${fault}.`,
    ])
  })
})

describe('a domain that is none', () => {
  test.each([
    ['https://example.com', 'is an address with a protocol'],
    ['example', 'has only one part'],
    ['example.com.', 'ends with a dot'],
    ['example..com', 'has an empty part between two dots'],
    ['10.0.0.1', 'is an address of numbers'],
    ['bücher.example', 'has a character that is not a letter, a digit or "-"'],
    ['example.com/path', 'has a character that is not a letter, a digit or "-"'],
    [`${'a'.repeat(64)}.com`, 'has a part of more than 63 characters'],
    ['', 'is empty'],
  ])('%s', (domain, fault) => {
    expect(messages({ ...three, domain })).toEqual([
      `error not-a-domain: --domain: ${JSON.stringify(domain)} is no domain: it ${fault}.`,
    ])
  })
})

describe('stages that do not go together', () => {
  test.each<readonly [string, Given, readonly string[]]>([
    [
      'two of one name',
      { ...three, stage: ['dev', 'dev=other.example.com'] },
      ['--stage: there are two stages "dev".'],
    ],
    [
      'two of one zone',
      { ...three, stage: ['dev=example.com', 'prod'] },
      [
        '--stage: "dev" and "prod" have the same zone example.com, and a host could not be told to be in the one or the other.',
      ],
    ],
    ['a name that is none', { ...three, stage: ['Dev'] }, ['--stage: "Dev" names no stage.']],
    ['a name that is taken', { ...three, stage: ['pipeline'] }, ['--stage: "pipeline" names no stage.']],
    [
      'a zone that is none',
      { ...three, stage: ['dev=dev'] },
      ['--stage dev: "dev" is no domain: it has only one part.'],
    ],
    [
      'a zone in which no service could answer',
      { ...three, stage: [`dev=${'a23456789.'.repeat(25)}com`] },
      [
        `--stage dev: no service could answer in ${'a23456789.'.repeat(25)}com: the pattern "{service}.${'a23456789.'.repeat(25)}com" fits no host: a part of it or the whole is too long.`,
      ],
    ],
    [
      'production that is none',
      { ...three, production: 'prd' },
      ['--production: there is no stage "prd". Did you mean "prod"?'],
    ],
  ])('%s', (_, given, told) => {
    expect(messages(given).map((each) => each.replace(/^\S+ \S+: /u, ''))).toEqual(told)
  })
})

describe('accounts', () => {
  const shared = ['dev=111111111111', 'staging=111111111111', 'prod=333333333333']

  test('may be the same of two stages, with a warning', () => {
    expect(messages({ ...three, account: shared })).toEqual([
      'warning account-shared: --account: "dev" and "staging" lie in the same account 111111111111, so that what goes wrong in the one can reach the other.',
    ])
  })

  test('are production’s own, unless it is said that they are not', () => {
    const given = { ...three, account: ['111111111111'] }

    expect(messages(given)).toEqual([expect.stringMatching(/^error account-shared: .*"dev" and "staging" and "prod"/u)])
    expect(messages({ ...given, 'shared-account': true })).toEqual([expect.stringMatching(/^warning account-shared/u)])
  })

  test.each<readonly [Partial<Given>, string]>([
    [
      { account: ['dev=1111-1111-1111', 'staging=222222222222', 'prod=333333333333'] },
      '--account: "1111-1111-1111" is no account of AWS.',
    ],
    [{ account: [...three.account, 'prdo=444444444444'] }, '--account: there is no stage "prdo". Did you mean "prod"?'],
    [{ account: [...three.account, 'dev=444444444444'] }, '--account: the stage "dev" is given two.'],
    [{ region: ['Ireland'] }, '--region: "Ireland" is no region of AWS.'],
    [{ region: ['eu-west-1', 'eu-west-2'] }, '--region: eu-west-1 and eu-west-2 are given to all stages.'],
    [{ local: true }, '--local: nothing lies in an account, and --account names one.'],
    [
      { local: true, account: [], ...ids },
      '--local: nothing lies in an account, so nothing is to be trusted there; --organisation-id is for that.',
    ],
    [
      { 'organisation-id': '9919' },
      '--repository-id is missing: who may work in the accounts is known by the two numbers together.',
    ],
    [{ 'organisation-id': 'acme', 'repository-id': '1' }, '--organisation-id: "acme" is not a number of GitHub\'s.'],
    [{ start: 'smaple' }, '--start: "smaple" is nothing to begin with. Did you mean "sample"?'],
    [
      { actions: 'acme/protium/actions@v1' },
      '--actions: "acme/protium/actions@v1" is not pinned: a tag or a branch can be moved to other code.',
    ],
    [{ actions: 'actions' }, '--actions: "actions" names no actions.'],
    [{ owner: 'platform' }, '--owner: "platform" is neither a team nor a person of GitHub.'],
    [
      { approval: ['@other/platform'] },
      '--approval: the team @other/platform is not one of acme, whose repository this is.',
    ],
  ])('and what else is wrong is told by its option: %j', (more, told) => {
    expect(messages({ ...three, ...more }).map((each) => each.replace(/^\S+ \S+: /u, ''))).toEqual([told])
  })
})
