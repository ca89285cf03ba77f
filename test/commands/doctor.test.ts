import { afterEach, describe, expect, test } from 'vitest'
import { settingsOf } from '../../src/adapters/github/settings.ts'
import type { Outcome, Ports } from '../../src/command.ts'
import { doctor } from '../../src/commands/doctor.ts'
import { type Catalog, readCatalog } from '../../src/core/catalog.ts'
import { mapOf } from '../../src/core/data.ts'
import { plain } from '../../src/core/report.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { accessTemplates, rolesOf } from '../../src/core/trust.ts'
import { compareTrust } from '../../src/core/trust/compare.ts'
import { catalogWorkflows, serviceWorkflows } from '../../src/core/workflows.ts'
import type { AccountHost } from '../../src/ports.ts'
import { brief, lines, organisationFiles, treeOf } from '../core/trees.ts'
import type { EnvironmentRules } from '../fakes/github/environments.ts'
import { number } from '../fakes/github/json.ts'
import type { RepositorySeed, Seed } from '../fakes/github/seed.ts'
import { type GitHub, type Grant, startGitHub } from '../fakes/github/server.ts'
import { run, type World, worldOf } from './ports.ts'

/** How an organisation is set up where nothing is amiss; each test changes one thing. */
type Setup = {
  readonly catalog?: string
  readonly files?: Readonly<Record<string, string | undefined>>
  readonly seed?: Partial<Seed>
  readonly repository?: Partial<RepositorySeed>
  readonly environments?: Readonly<Record<string, EnvironmentRules | undefined>>
  /** Of the repository of the service. */
  readonly service?: Partial<RepositorySeed>
  /** Nothing: there is no token. */
  readonly token?: Grant | 'none' | 'unknown'
  readonly api?: string
  readonly around?: Partial<Ports['around']>
  readonly ids?: { readonly catalog: string }
  readonly given?: Readonly<Record<string, readonly string[]>>
}

const main = { branches: { protectedOnly: false, patterns: [{ id: 1, name: 'main', type: 'branch' as const }] } }
const platform = { is: 'team', organisation: 'acme', slug: 'platform' } as const
const environments: Readonly<Record<string, EnvironmentRules>> = {
  dev: main,
  'dev-plan': {},
  prod: { ...main, reviewers: [platform] },
  'prod-plan': {},
}
const ruleset = { enforcement: 'active', exclude: [], bypass: [] } as const
const kept = [{ type: 'deletion' }, { type: 'non_fast_forward' }]
const reviewed = {
  type: 'pull_request',
  parameters: {
    required_approving_review_count: 1,
    require_code_owner_review: true,
    dismiss_stale_reviews_on_push: true,
    require_last_push_approval: false,
    required_review_thread_resolution: false,
  },
}
const planned = {
  type: 'required_status_checks',
  parameters: {
    strict_required_status_checks_policy: false,
    required_status_checks: [{ context: 'protium/plan', integration_id: 15_368 }],
  },
}
const own = { ...ruleset, name: 'own', include: ['refs/heads/protium-*'], rules: kept }
const onMain = (...rules: Rules): NonNullable<RepositorySeed['rulesets']> => [
  { ...ruleset, name: 'main', include: ['~DEFAULT_BRANCH'], rules },
  own,
]
type Rules = NonNullable<RepositorySeed['rulesets']>[number]['rules']
const rulesets = onMain(reviewed, planned, ...kept)

/** Sees everything that there is to be seen. */
const seesAll: Grant = { kind: 'app', app: 'seer' }
const apps = {
  seer: {
    permissions: {
      actions: 'read',
      actions_variables: 'read',
      administration: 'write',
      contents: 'read',
      members: 'read',
      organization_administration: 'read',
      organization_plan: 'read',
    },
  },
} as const

const open: { github?: GitHub; world?: World } = {}

afterEach(async () => {
  open.world?.end()
  await open.github?.close()
  delete open.world
  delete open.github
})

function catalogText({
  catalog = '',
  ids,
}: Pick<Setup, 'catalog'> & { ids: Readonly<Record<string, string>> }): string {
  return lines(`
    catalog: acme
    domain: example.com
    stages:
      dev:
        host: "{service}.dev.{domain}"
        environment: dev
        stack: { service_role: "arn:aws:iam::111111111111:role/protium/cloudformation-dev" }
      prod:
        host: "{service}.{domain}"
        environment: prod
        production: true
        approval: { by: ["@acme/platform"] }
        stack: { service_role: "arn:aws:iam::222222222222:role/protium/cloudformation-prod" }
    workflows: { actions: .protium/actions, repository: acme/catalog${catalog} }
    trust:
      organisation: "${ids['acme'] ?? ''}"
      repositories: { acme/catalog: { id: "${ids['catalog'] ?? ''}" }, acme/checkout: { id: "${ids['checkout'] ?? ''}" } }
  `)
}

function read(tree: FileTree): Catalog {
  const catalog = readCatalog(tree)
  if (!catalog.ok) throw new Error(brief(catalog.problems).join('\n'))
  return catalog.value
}

/** The files of a catalog that is as it makes itself. */
function filesOf(
  setup: Setup,
  ids: Readonly<Record<string, string>>,
): { readonly tree: FileTree; readonly catalog: Catalog } {
  const tree = treeOf(organisationFiles, {
    'catalog.yaml': catalogText({ ...setup, ids }),
    'environments/dev.yaml': `${organisationFiles['environments/dev.yaml'] ?? ''}template_bucket: acme-templates\n`,
    'services/checkout/service.yaml': undefined,
    '.github/CODEOWNERS': '* @acme/platform\n',
    '.protium/dist/package.json': '{\n  "version": "0.0.0"\n}\n',
  })
  const catalog = read(tree)
  const made = Object.fromEntries([...catalogWorkflows(catalog), ...accessTemplates(catalog)])
  return { tree: treeOf(Object.fromEntries(tree), made, setup.files ?? {}), catalog }
}

const servers = ['ns-1.awsdns-1.org', 'ns-2.awsdns-2.com']

async function examined(setup: Setup = {}): Promise<Outcome> {
  const drafted = filesOf(setup, { acme: '1', catalog: '1', checkout: '2' })
  const callers = Object.fromEntries(serviceWorkflows(drafted.catalog))
  const inside = Object.entries({ ...environments, ...setup.environments }).flatMap(([name, rules]) =>
    rules === undefined ? [] : [[name, rules] as const],
  )
  const shared = { rulesets, environments: Object.fromEntries(inside) }
  const github = await startGitHub({
    organisation: 'acme',
    members: { ada: 'admin', ben: 'member' },
    teams: { platform: { members: ['ada'], repositories: { catalog: 'write', checkout: 'write' } } },
    apps,
    repositories: {
      catalog: { files: drafted.tree, ...shared, settings: { access: 'organization' }, ...setup.repository },
      checkout: { files: callers, ...shared, ...setup.service },
    },
    ...setup.seed,
  })
  open.github = github
  const idOf = async (repo: string): Promise<{ readonly id: string; readonly owner: string }> => {
    const about = await github.act({ operation: 'repos/get', by: 'ada', parameters: { owner: 'acme', repo } })
    return { id: String(number(about, 'id')), owner: String(number(about['owner'], 'id')) }
  }
  const [catalogId, checkout] = [await idOf('catalog'), await idOf('checkout')]
  const ids = { acme: catalogId.owner, catalog: catalogId.id, checkout: checkout.id, ...setup.ids }
  const { tree, catalog } = filesOf(setup, ids)
  const account: AccountHost = {
    trustOf: async (arn) => ({ is: 'seen', value: rolesOf(catalog).find((role) => role.arn === arn)?.trust }),
    bucket: async () => ({ is: 'seen', value: 'there' }),
    outputs: async () => ({ is: 'seen', value: { NameServers: servers.map((each) => `${each}.`).join(',') } }),
  }
  const { token = seesAll } = setup
  const clock = { now: () => new Date(), sleep: async () => undefined }
  const settings: Ports['around']['settings'] = async (repository) =>
    settingsOf({
      repository,
      token: token === 'unknown' || token === 'none' ? 'gone' : github.token(token),
      api: setup.api ?? github.url,
      clock,
      random: () => 0.5,
      second: 1,
    })
  open.world = worldOf(() => tree, {
    ledger: { files: new Map(), messages: [], problems: [] },
    around: {
      settings: token === 'none' ? undefined : settings,
      account: async () => account,
      access: async () => ({ files: accessTemplates, roles: rolesOf, compare: compareTrust }),
      nameServers: async () => ({ is: 'seen', value: servers }),
      ...setup.around,
    },
  })
  return run(doctor, open.world, { root: ['.'], ...setup.given })
}

type Shown = { readonly is: string; readonly group: string; readonly check: string; readonly about: string | null }

function findings({ data }: Outcome): readonly (Shown & { readonly what: string; readonly fix: string | null })[] {
  const { findings: found } = JSON.parse(JSON.stringify(data))
  return found
}

/** What is not in order: `fail acme/catalog environment prod`. */
function amiss(outcome: Outcome, verdicts: readonly string[] = ['warn', 'fail', 'unknown']): readonly string[] {
  return findings(outcome)
    .filter(({ is }) => verdicts.includes(is))
    .map(({ is, group, check, about }) => [is, group, check, ...(about === null ? [] : [about])].join(' '))
}

describe('an organisation that is set up', () => {
  test('is found so, in everything', async () => {
    const outcome = await examined()

    expect(amiss(outcome)).toEqual([])
    expect(outcome.exit).toBe('done')
    expect(findings(outcome).length).toBeGreaterThan(35)
    expect(outcome.text(plain)).toMatch(/^files\n {2}ok {2}workflows {2}12 workflows, as catalog.yaml makes them\.\n/u)
    expect(outcome.text(plain)).toContain('  ok  environment    dev and prod: main alone may deploy there.\n')
    expect(outcome.text(plain)).toContain('in order, no warnings, no failures, 0 not known.')
  })
})

describe('where something is amiss', () => {
  test('each gap is found, with what closes it', async () => {
    const outcome = await examined({
      catalog: ', teams: true',
      files: {
        '.github/CODEOWNERS': '* @acme/platform\n/catalog.yaml @acme/nobody\n/environments/\n',
        '.github/workflows/plan.yml': 'name: Plan\n',
        'accounts/111111111111.yaml': undefined,
        '.protium/dist/package.json': '{ "version": "9.9.9" }\n',
      },
      ids: { catalog: '77' },
      seed: { plan: 'team' },
      environments: {
        dev: {},
        'dev-plan': main,
        prod: { branches: { protectedOnly: true, patterns: [] } },
        'prod-plan': undefined,
      },
      repository: {
        settings: { actions: { allowed: 'local_only' }, access: 'none', subject: ['repo'] },
        rulesets: [
          { ...ruleset, name: 'main', include: ['~ALL'], rules: [{ type: 'update' }], bypass: [900_000] },
          { ...own, include: ['refs/heads/protium-board'] },
        ],
      },
      service: { files: { 'README.md': 'A service.\n' }, settings: { actions: { enabled: false } } },
      around: {
        account: async () => ({
          trustOf: async (arn) => ({ is: 'seen', value: arn.includes('-plan-') ? undefined : everybody }),
          bucket: async () => ({ is: 'seen', value: 'absent' }),
          outputs: async () => ({ is: 'seen', value: { NameServers: servers.join(',') } }),
        }),
        nameServers: async (domain) => ({
          is: 'seen',
          value: domain.startsWith('dev.') ? undefined : ['ns.other.org'],
        }),
      },
    })

    expect(outcome.exit).toBe('different')
    const found = amiss(outcome).map((each) => each.replaceAll(/\d{7,}/gu, 'N').replaceAll(/-(\d+)$/gmu, '-N'))
    expect([...new Set(found)]).toEqual([
      'fail files workflows',
      'fail files accounts',
      'warn files version',
      'fail files owners',
      'fail GitHub app PROTIUM_TEAMS_CLIENT_ID',
      'fail acme/catalog repository',
      'fail acme/catalog branch',
      'fail acme/catalog check',
      'warn acme/catalog bypass',
      'fail acme/catalog ledger-branch',
      'fail acme/catalog board-branch',
      'fail acme/catalog environment dev',
      'fail acme/catalog environment dev-plan',
      'warn acme/catalog environment prod',
      'warn acme/catalog environment prod-plan',
      'warn acme/catalog reviewers prod',
      'fail acme/catalog owners-errors',
      'fail acme/catalog actions',
      'fail acme/catalog access',
      'fail acme/catalog subject',
      'fail acme/checkout environment dev',
      'fail acme/checkout environment dev-plan',
      'warn acme/checkout environment prod',
      'warn acme/checkout environment prod-plan',
      'warn acme/checkout reviewers prod',
      'fail acme/checkout actions',
      'fail acme/checkout callers',
      'fail accounts role protium-dev-plan-N',
      'fail accounts role protium-dev-deploy-N',
      'fail accounts role protium-prod-plan-N',
      'fail accounts role protium-prod-deploy-N',
      'fail accounts bucket dev',
      'fail names zone dev.example.com',
      'fail names zone example.com',
    ])
    for (const { is, fix } of findings(outcome)) if (is === 'fail') expect(fix).toMatch(/.{10}/u)
    expect(outcome.page?.markdown).toContain('## Doctor: something is to be mended')
    expect(outcome.page?.markdown).toContain('[Open](https://github.com/acme/catalog/settings/environments)')
  })

  test('what the plan of the organisation does not have is a failure, not something unknown', async () => {
    const outcome = await examined({ seed: { plan: 'free' } })

    expect(outcome.exit).toBe('different')
    expect(amiss(outcome)).toEqual(
      ['acme/catalog', 'acme/checkout'].flatMap((group) =>
        ['branch', 'check', 'bypass', 'ledger-branch', 'board-branch'].map((check) => `fail ${group} ${check}`),
      ),
    )
    expect(outcome.text(plain)).toContain('GitHub has none of this for private repositories on the plan')
  })

  test('a catalog that cannot be read is bad input', async () => {
    const outcome = await examined({ token: 'none', files: { 'catalog.yaml': 'catalog: acme\n' } })

    expect(outcome.exit).toBe('bad-input')
    expect(brief(outcome.problems ?? [])).toContain('missing-key catalog.yaml:1')
  })

  test('a repository that is none is bad input', async () => {
    const outcome = await examined({ token: 'none', given: { repository: ['https://github.com/acme/shop'] } })

    expect(outcome.exit).toBe('bad-input')
    expect(outcome.problems?.map(({ message }) => message)).toEqual(['--repository is "https://github.com/acme/shop".'])
  })
})

const everybody = mapOf([
  [
    'Statement',
    [
      mapOf([
        ['Effect', 'Allow'],
        ['Action', 'sts:AssumeRoleWithWebIdentity'],
        ['Principal', '*'],
      ]),
    ],
  ],
])

describe('what cannot be looked at', () => {
  const gitHubs = ['GitHub', 'acme/catalog', 'acme/checkout']

  test('without a token is everything at GitHub, and the rest is looked at', async () => {
    const outcome = await examined({ token: 'none' })

    expect(outcome.exit).toBe('done')
    const others = findings(outcome).filter(({ group }) => gitHubs.includes(group))
    expect(new Set(others.map(({ is, what }) => `${is}: ${what}`))).toEqual(
      new Set(['unknown: There is no token for GitHub.']),
    )
    expect(amiss(outcome).filter((each) => !gitHubs.some((group) => each.includes(` ${group} `)))).toEqual([])
    expect(outcome.text(plain)).toContain('fix: Set GITHUB_TOKEN')
  })

  test('with a token that may read nothing is all of it, each with what would show it', async () => {
    const outcome = await examined({ token: { kind: 'job', repository: 'acme/catalog', permissions: {} } })

    expect(outcome.exit).toBe('done')
    expect(amiss(outcome, ['fail', 'warn'])).toEqual([])
    expect(amiss(outcome)).toContain('unknown acme/checkout repository')
    expect(outcome.text(plain)).toContain(
      'The token does not see everything. It lacks actions: read, administration: read, administration: write, contents: read, members: read and organization-plan: read.',
    )
  })

  test('with the token of the weekly job is what only administrators see', async () => {
    const outcome = await examined({
      seed: {},
      token: { kind: 'job', repository: 'acme/catalog', permissions: { actions: 'read', contents: 'read' } },
      around: { account: undefined, access: undefined },
    })

    expect(amiss(outcome).filter((each) => !each.includes('acme/checkout'))).toEqual([
      'unknown files accounts',
      'unknown GitHub token',
      'unknown GitHub people @acme/platform',
      'unknown acme/catalog bypass',
      'unknown acme/catalog actions',
      'unknown acme/catalog access',
      'unknown accounts role',
      'unknown accounts bucket dev',
    ])
  })

  test('where GitHub does not know the token, that is said once', async () => {
    const outcome = await examined({ token: 'unknown' })

    expect(outcome.exit).toBe('done')
    expect(outcome.text(plain)).toContain('GitHub does not know the token.')
    expect(open.github?.requests().length).toBeLessThan(10)
  })

  test('where GitHub does not answer, the rest is looked at, and another run may find more', async () => {
    const outcome = await examined({ api: 'http://127.0.0.1:9' })

    expect(outcome.exit).toBe('unfinished')
    const others = findings(outcome).filter(({ group }) => gitHubs.includes(group))
    expect(new Set(others.map(({ is }) => is))).toEqual(new Set(['unknown']))
    expect(outcome.text(plain)).toContain('GitHub did not answer.')
  })
})
