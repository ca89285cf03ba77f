import { describe, expect, test } from 'vitest'
import { readCatalog } from '../../src/core/catalog.ts'
import { mapOf } from '../../src/core/data.ts'
import { diagnose, diagnosisPage, diagnosisText } from '../../src/core/doctor.ts'
import type {
  AppFacts,
  BranchFacts,
  EnvironmentFacts,
  Facts,
  PersonFacts,
  RepositoryFacts,
  Seen,
  ZoneFacts,
} from '../../src/core/doctor/facts.ts'
import { seen } from '../../src/core/doctor/facts.ts'
import type { Check, Finding } from '../../src/core/doctor/finding.ts'
import { ownersOf } from '../../src/core/doctor/owners.ts'
import { compareTrust } from '../../src/core/trust/compare.ts'
import { trustPolicy } from '../../src/core/trust/policies.ts'
import { serviceWorkflows } from '../../src/core/workflows.ts'
import { brief, lines, organisationFiles, treeOf } from './trees.ts'

const hidden: Seen<never> = {
  is: 'hidden',
  why: 'The token may not see it: it lacks administration: read',
  needs: 'administration: read',
}

/** A catalog with one stage that asks for approval; `more` are lines of it. */
function catalogOf({ workflows = '', more = '', provisioner = 'cloudformation' } = {}) {
  const read = readCatalog(
    treeOf(organisationFiles, {
      'catalog.yaml': lines(`
        catalog: acme
        domain: example.com
        stages:
          prod:
            host: "{service}.{domain}"
            environment: prod
            production: true
            approval: { by: ["@acme/platform"] }
        workflows: { actions: .protium/actions, repository: acme/catalog${workflows} }
      `).concat(more),
      'environments/prod.yaml': `${organisationFiles['environments/prod.yaml'] ?? ''}provisioner: ${provisioner}\n`,
    }),
  )
  if (!read.ok) throw new Error(brief(read.problems).join('\n'))
  return read.value
}

const branch: BranchFacts = {
  isOlderKind: false,
  pullRequest: { approvals: 1, byOwners: true },
  checks: [{ name: 'protium/plan', app: 15_368 }],
  workflows: [],
  types: ['pull_request', 'required_status_checks', 'deletion', 'non_fast_forward'],
  passedBy: seen([]),
}
const kept: BranchFacts = { ...branch, checks: [], types: ['deletion', 'non_fast_forward'] }
const about = {
  id: '2',
  name: 'acme/catalog',
  owner: { id: '1' },
  isPrivate: true,
  isArchived: false,
  defaultBranch: 'main',
}
const production: EnvironmentFacts = {
  name: 'prod',
  reviewers: ['@acme/platform'],
  waits: false,
  branches: { is: 'some', patterns: [{ name: 'main', kind: 'branch' }] },
}
const planning: EnvironmentFacts = { name: 'prod-plan', reviewers: [], waits: false, branches: { is: 'all' } }

const healthy: RepositoryFacts = {
  name: 'acme/catalog',
  about: seen(about),
  environments: seen([production, planning]),
  main: seen(branch),
  ledger: seen(kept),
  board: seen(kept),
  actions: seen({ isEnabled: true, allowed: { is: 'all' } }),
  access: seen('organization'),
  ownersErrors: seen([]),
  isSubjectOwn: seen(true),
  workflows: seen(new Map()),
}

const inOrder: Facts = {
  files: {
    workflows: { stale: [], all: 9 },
    accounts: seen({ stale: [], all: 1 }),
    owners: { file: '.github/CODEOWNERS', text: '* @acme/platform' },
    ledger: seen({ records: 3, faults: [] }),
    version: '1.0.0',
    actions: seen({ version: '1.0.0' }),
  },
  repositories: [healthy],
  plan: seen('enterprise'),
  people: [],
  apps: [],
  roles: seen([]),
  buckets: [],
  zones: [],
}

function findingsOf(check: Check, facts: Facts, catalog = catalogOf()): readonly Finding[] {
  return diagnose(catalog, facts).filter((finding) => finding.check === check)
}

/** One finding as it is read: `fail prod: Every branch may deploy there. → Settings …` */
function words({ is, about: subject, what, fix }: Finding): string {
  return `${is} ${subject === undefined ? '' : `${subject}: `}${what}${fix === undefined ? '' : ` → ${fix}`}`
}

const withFiles = (files: Partial<Facts['files']>): Facts => ({ ...inOrder, files: { ...inOrder.files, ...files } })
const withRepository = (repository: Partial<RepositoryFacts>, more: Partial<Facts> = {}): Facts => ({
  ...inOrder,
  repositories: [{ ...healthy, ...repository }],
  ...more,
})
const withEnvironment = (environment: Partial<EnvironmentFacts>, more: Partial<Facts> = {}): Facts =>
  withRepository({ environments: seen([{ ...production, ...environment }, planning]) }, more)
const withPlanning = (environment: Partial<EnvironmentFacts>): Facts =>
  withRepository({ environments: seen([production, { ...planning, ...environment }]) })
const withMain = (main: Partial<BranchFacts>): Facts => withRepository({ main: seen({ ...branch, ...main }) })
const withLedger = (ledger: Partial<BranchFacts>): Facts => withRepository({ ledger: seen({ ...kept, ...ledger }) })

const rules = 'Settings, Rules, Rulesets'

type Row = readonly [check: Check, facts: Facts, expected: string, catalog?: ReturnType<typeof catalogOf>]

describe('each fact is judged, and what is wrong comes with what mends it', () => {
  const rows: readonly Row[] = [
    ['workflows', inOrder, 'ok 9 workflows, as catalog.yaml makes them.'],
    [
      'workflows',
      withFiles({ workflows: { stale: ['.github/workflows/plan.yml'], all: 9 } }),
      'fail Not as catalog.yaml makes it: .github/workflows/plan.yml. → `protium workflows --write`, and merge what changes.',
    ],
    [
      'accounts',
      withFiles({ accounts: seen({ stale: ['a', 'b', 'c', 'd', 'e', 'f'], all: 6 }) }),
      'fail Not as catalog.yaml makes them: a, b, c, d and 2 more. → `protium trust --write`, and merge what changes.',
    ],
    [
      'accounts',
      withFiles({ accounts: seen(undefined) }),
      'ok catalog.yaml trusts no repository (`trust:`); the roles are made by hand.',
    ],
    [
      'version',
      withFiles({ actions: seen({ version: '0.9.0' }) }),
      'warn The actions are 0.9.0, this program is 1.0.0: they may make different workflows of one catalog. → Use one version: name the commit of this one as `actions:` in catalog.yaml, with its `version:`, or copy its folders `actions` and `dist` anew.',
    ],
    ['ledger', withFiles({ ledger: seen({ records: 0, faults: [] }) }), 'ok It is empty.'],
    [
      'ledger',
      withFiles({ ledger: seen({ records: 3, faults: ['A record is missing.', 'Another.'] }) }),
      'fail A record is missing. And 1 other fault. → `protium ledger` names each with what to do.',
    ],
    [
      'owners',
      withFiles({ owners: { file: 'CODEOWNERS', text: '/catalog.yaml @ada' } }),
      'fail CODEOWNERS has no owner for CODEOWNERS, .github/workflows/, environments/, templates/ and 3 more. → Add a line for each to CODEOWNERS, behind those that match it now; the last that matches counts.',
    ],
    [
      'repository',
      withRepository({ about: seen({ ...about, isArchived: true }) }),
      'fail It is archived: nothing can be recorded there. → Settings, General: unarchive it, or take it out of catalog.yaml.',
    ],
    [
      'repository',
      withRepository({ about: seen({ ...about, defaultBranch: 'trunk' }) }),
      'fail Its default branch is trunk, and main is what is deployed and trusted. → `gh api -X PATCH repos/acme/catalog -f default_branch=main`, once there is such a branch.',
    ],
    [
      'repository',
      withRepository({ about: seen(undefined) }),
      'fail There is no repository acme/catalog, or the token may not see it. → Correct the name in catalog.yaml, or use a token that may read it.',
    ],
    [
      'branch',
      withMain({ pullRequest: { approvals: 0, byOwners: true }, types: ['pull_request', 'deletion'] }),
      `fail main takes pull requests that nobody has approved and can be written anew. → ${rules}: a branch ruleset for the default branch, active, with "Require a pull request" and one approval, "Restrict deletions" and "Block force pushes".`,
    ],
    [
      'branch',
      withMain({ pullRequest: { approvals: 2, byOwners: false } }),
      `warn main takes changes that no code owner has approved. → ${rules}: "Require review from Code Owners".`,
    ],
    [
      'branch',
      withMain({ isOlderKind: true, types: [] }),
      `unknown main is protected by the older kind of rules, which are not looked into. → ${rules}: a branch ruleset for the default branch, active, with the same rules.`,
    ],
    [
      'check',
      withMain({ checks: [{ name: 'ci' }] }),
      `fail Pull requests can be merged without the check protium/plan, so without a plan that anybody has seen. → ${rules}: "Require status checks to pass", with protium/plan from GitHub Actions.`,
    ],
    [
      'check',
      withMain({ checks: [{ name: 'protium/plan' }] }),
      `warn The check protium/plan is required, but any App may give it. → ${rules}: choose GitHub Actions as its source.`,
    ],
    [
      'check',
      withMain({ checks: [], workflows: ['.github/workflows/plan.yml'] }),
      'ok The workflow .github/workflows/plan.yml is required.',
    ],
    [
      'bypass',
      withMain({ passedBy: seen([{ who: 'owners of the organisation', isActions: false }]) }),
      `warn The rules of main do not hold for owners of the organisation. → ${rules}, Bypass list: take them off, or let them by "for pull requests only".`,
    ],
    ['bypass', withMain({ passedBy: hidden }), 'unknown The token may not see it: it lacks administration: read.'],
    [
      'ledger-branch',
      withLedger({ types: ['deletion'] }),
      `fail protium-ledger can be written anew by whoever may push. → ${rules}: a branch ruleset for protium-ledger with "Restrict deletions" and "Block force pushes".`,
    ],
    [
      'ledger-branch',
      withLedger({ types: ['deletion', 'non_fast_forward', 'pull_request'] }),
      `fail Rules (pull_request) keep jobs from writing to protium-ledger, so nothing can be deployed. → ${rules}: leave protium-ledger out of those; it needs "Restrict deletions" and "Block force pushes" alone.`,
    ],
    [
      'ledger-branch',
      withLedger({
        types: ['deletion', 'non_fast_forward', 'update'],
        passedBy: seen([{ who: 'GitHub Actions', isActions: true }]),
      }),
      'ok protium-ledger can only be added to.',
    ],
    [
      'board-branch',
      withRepository({ board: seen({ ...kept, types: [] }) }),
      `warn protium-board can be deleted and written anew by whoever may push. → ${rules}: a branch ruleset for protium-board with "Restrict deletions" and "Block force pushes".`,
    ],
    [
      'environment',
      withEnvironment({ branches: { is: 'all' } }),
      'fail prod: Every branch may deploy there. → Settings, Environments, prod: "Selected branches and tags", with main alone.',
    ],
    [
      'environment',
      withEnvironment({ branches: { is: 'protected' } }),
      'warn prod: Every protected branch may deploy there, not main alone. → Settings, Environments, prod: "Selected branches and tags", with main alone.',
    ],
    [
      'environment',
      withEnvironment({ branches: { is: 'some', patterns: [] } }),
      'fail prod: No branch may deploy there. → Settings, Environments, prod: "Selected branches and tags", with main alone.',
    ],
    [
      'environment',
      withEnvironment({
        branches: {
          is: 'some',
          patterns: [
            { name: 'main', kind: 'branch' },
            { name: 'MAIN', kind: 'branch' },
          ],
        },
      }),
      'fail prod: the branch MAIN may deploy there, too. → Settings, Environments, prod: "Selected branches and tags", with main alone.',
    ],
    [
      'environment',
      withEnvironment({ branches: { is: 'some', patterns: [{ name: 'main', kind: 'tag' }] } }),
      'fail prod: the tag main may deploy there, and main may not. → Settings, Environments, prod: "Selected branches and tags", with main alone.',
    ],
    [
      'environment',
      withRepository({ environments: seen([planning]) }),
      'fail prod: There is no such environment; the first job that names it makes one that every branch may use. → Settings, Environments, New environment: prod, with main as its only deployment branch.',
    ],
    [
      'environment',
      withRepository({ environments: seen([planning]) }),
      'warn prod: There is no such environment; the first job that names it makes one that every branch may use. → Settings, Environments, New environment: prod, with main as its only deployment branch.',
      catalogOf({ provisioner: 'local' }),
    ],
    [
      'environment',
      withPlanning({ branches: { is: 'protected' } }),
      'fail prod-plan: Pull requests may not use it, so they get no plan. → Settings, Environments, prod-plan: "No restriction", or the pattern refs/pull/*/merge.',
    ],
    [
      'environment',
      withPlanning({ reviewers: ['@ada'] }),
      'warn prod-plan: Each plan waits for a reviewer first. → Settings, Environments, prod-plan: take that off; planning changes nothing.',
    ],
    [
      'environment',
      inOrder,
      'fail protium-upgrades: There is no such environment; the first job that names it makes one that every branch may use. → Settings, Environments, New environment: protium-upgrades, with main as its only deployment branch.',
      catalogOf({ workflows: ', upgrades: true' }),
    ],
    [
      'environment',
      withRepository({ environments: seen([production, planning, { ...planning, name: 'protium-upgrades' }]) }),
      'fail protium-upgrades: Every branch may use it. → Settings, Environments, protium-upgrades: "Selected branches and tags", with main alone.',
      catalogOf({ workflows: ', upgrades: true, fleet: false' }),
    ],
    [
      'environment',
      withRepository({ environments: seen([production, planning, { ...production, name: 'protium-fleet' }]) }),
      'ok protium-fleet: main alone may use it.',
      catalogOf({ workflows: ', fleet: true' }),
    ],
    [
      'reviewers',
      withEnvironment({ reviewers: ['@ada'] }),
      'warn prod: @ada may let a job begin, but the stage does not name them: that alone is no approval. → Settings, Environments, prod: only @acme/platform.',
    ],
    [
      'reviewers',
      withEnvironment({ reviewers: [] }),
      'fail prod: The environment has no reviewers, and jobs cannot see who is in @acme/platform: nobody can approve. → Settings, Environments, prod: "Required reviewers", with @acme/platform.',
    ],
    [
      'reviewers',
      withEnvironment({ reviewers: [] }, { plan: seen('team') }),
      'fail prod: GitHub’s plan "team" has no reviewers of environments in private repositories, and jobs cannot see who is in @acme/platform: nobody can approve. → Say `teams: true` below `workflows:` with an App that sees teams, or name people.',
    ],
    [
      'reviewers',
      withEnvironment({ reviewers: [] }, { plan: seen('team') }),
      'warn prod: GitHub’s plan "team" has no reviewers of environments in private repositories: an approving review of the pull request counts instead. → Nothing, if that is meant; GitHub Enterprise has them.',
      catalogOf({ workflows: ', teams: true' }),
    ],
    [
      'owners-errors',
      withRepository({ ownersErrors: seen([{ line: 3, kind: 'Unknown owner', source: '* @acme/gone ' }]) }),
      'fail Line 3 of the code owners: unknown owner, "* @acme/gone". Such a line owns nothing. → Correct it; `gh api repos/acme/catalog/codeowners/errors` names all.',
    ],
    [
      'actions',
      withRepository({ actions: seen({ isEnabled: false, allowed: { is: 'all' } }) }),
      'fail Actions are switched off. → `gh api -X PUT repos/acme/catalog/actions/permissions -F enabled=true`',
    ],
    [
      'actions',
      withRepository({ actions: seen({ isEnabled: true, allowed: { is: 'listed', ofGitHub: true, patterns: [] } }) }),
      'fail Workflows may not run aws-actions/configure-aws-credentials, which the generated ones name. → Settings, Actions, General: allow them.',
    ],
    [
      'actions',
      withRepository({
        actions: seen({
          isEnabled: true,
          allowed: { is: 'listed', ofGitHub: false, patterns: ['actions/checkout@*', 'aws-actions/*'] },
        }),
      }),
      'fail Workflows may not run actions/create-github-app-token, which the generated ones name. → Settings, Actions, General: allow them.',
      catalogOf({ workflows: ', upgrades: true' }),
    ],
    [
      'actions',
      withRepository({
        actions: seen({
          isEnabled: true,
          allowed: { is: 'listed', ofGitHub: true, patterns: ['aws-actions/configure-aws-credentials@*'] },
        }),
      }),
      'ok Workflows may run what the generated ones name.',
    ],
  ]

  const each = rows.map(([check, facts, expected, catalog]) => ({ check, facts, expected, catalog }))

  test.each(each)('$check: $expected', ({ check, facts, expected, catalog }) => {
    expect(findingsOf(check, facts, catalog).map(words)).toContain(expected)
  })

  test('where nothing is amiss, nothing is told but that', () => {
    expect(diagnose(catalogOf(), inOrder).filter(({ is }) => is !== 'ok')).toEqual([])
  })
})

describe('a catalog that plans only', () => {
  test('needs no environment to deploy from, no ledger and no board', () => {
    const facts = withRepository({ environments: seen([planning]), ledger: seen({ ...kept, types: [] }) })

    expect(diagnose(catalogOf({ workflows: ', deploy: false' }), facts).filter(({ is }) => is !== 'ok')).toEqual([])
  })

  test('may have no zone yet', () => {
    const facts = { ...inOrder, zones: [{ stage: 'prod', domain: 'example.com', servers: seen(undefined) }] }

    expect(findingsOf('zone', facts, catalogOf({ workflows: ', deploy: false' }))[0]?.is).toBe('warn')
  })
})

describe('whom the catalog names', () => {
  const rows: readonly (readonly [string, PersonFacts['is'], string])[] = [
    ['@acme/platform', seen({ is: 'team', members: 3 }), 'ok @acme/platform: A team of 3.'],
    [
      '@acme/platform',
      seen({ is: 'team', members: 0 }),
      'fail @acme/platform: Nobody is in that team, and catalog.yaml names it for prod. → Put somebody into it.',
    ],
    [
      '@acme/gone',
      seen({ is: 'absent' }),
      'fail @acme/gone: There is no such team, and catalog.yaml names it for prod. → Correct the name in catalog.yaml.',
    ],
    [
      '@other/team',
      hidden,
      'fail @other/team: It is a team of another organisation than acme; catalog.yaml names it for prod. → Name a team of acme.',
    ],
    [
      '@ben',
      seen({ is: 'person', writes: false }),
      'fail @ben: That person may not write to the catalog’s repository, so the word does not count; catalog.yaml names it for prod. → Give write access, or name somebody else.',
    ],
    ['@ada', seen({ is: 'person', writes: true }), 'ok @ada: May write, so the word counts.'],
  ]

  test.each(rows.map(([name, is, expected]) => ({ name, is, expected })))('$expected', ({ name, is, expected }) => {
    const facts = { ...inOrder, people: [{ name, where: ['prod'], is }] }

    expect(findingsOf('people', facts).map(words)).toEqual([expected])
  })
})

describe('the Apps that the catalog asks for', () => {
  const app: AppFacts = {
    purpose: 'sees who is in a team',
    variable: 'PROTIUM_TEAMS_CLIENT_ID',
    value: seen('Iv1.teams'),
    installation: seen({ client: 'Iv1.teams', name: 'teams', permissions: { members: 'read' }, isEverywhere: true }),
    needs: { members: 'read' },
  }
  const rows: readonly (readonly [Partial<AppFacts>, string])[] = [
    [{}, 'ok PROTIUM_TEAMS_CLIENT_ID: teams may what it needs to.'],
    [
      { needs: { members: 'write', 'pull-requests': 'read' } },
      'fail PROTIUM_TEAMS_CLIENT_ID: teams lacks members: write and pull-requests: read. → Add that to the permissions of the App, and accept the change where it is installed.',
    ],
    [
      { value: seen(undefined) },
      'fail PROTIUM_TEAMS_CLIENT_ID: The variable is not set, so no job gets the App that sees who is in a team. → `gh variable set PROTIUM_TEAMS_CLIENT_ID --org acme --body <client id>`; workflows/README.md says how the App is made.',
    ],
    [
      { installation: seen(undefined) },
      'fail PROTIUM_TEAMS_CLIENT_ID: No App with the number Iv1.teams is installed in acme. → Install it, or correct the variable.',
    ],
    [
      { installation: hidden },
      'unknown PROTIUM_TEAMS_CLIENT_ID: The token may not see it: it lacks administration: read.',
    ],
  ]

  test.each(rows.map(([more, expected]) => ({ more, expected })))('$expected', ({ more, expected }) => {
    expect(findingsOf('app', { ...inOrder, apps: [{ ...app, ...more }] }).map(words)).toEqual([expected])
  })
})

describe('roles as they are in an account', () => {
  const wanted = trustPolicy({
    provider: 'arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com',
    organisation: { name: 'acme', id: '1' },
    repository: { name: 'acme/catalog', id: '2' },
    environment: 'prod',
    workflows: ['acme/catalog/.github/workflows/stages.yml@refs/heads/main'],
    ref: 'refs/heads/main',
  })
  const other = trustPolicy({
    provider: 'arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com',
    organisation: { name: 'acme', id: '1' },
    repository: { name: 'acme/catalog', id: '3' },
    environment: 'prod',
    workflows: ['acme/catalog/.github/workflows/stages.yml@refs/heads/main'],
    ref: 'refs/heads/main',
  })
  const commonly = mapOf([
    [
      'Statement',
      [
        mapOf([
          ['Effect', 'Allow'],
          ['Action', 'sts:AssumeRoleWithWebIdentity'],
          ['Principal', mapOf([['Federated', 'arn']])],
          ['Condition', mapOf([['StringLike', mapOf([['token.actions.githubusercontent.com:sub', 'repo:acme/*']])]])],
        ]),
      ],
    ],
  ])
  const fix = 'Make the stack of `accounts/222222222222.yaml` again, as docs/accounts.md says.'
  const rows = [
    [seen(wanted), 'ok protium-prod-deploy-2: Who may take it is as catalog.yaml says.'],
    [
      seen(undefined),
      `fail protium-prod-deploy-2: There is no such role in 222222222222: jobs that deploy prod are refused. → ${fix}`,
    ],
    [seen(other), `fail protium-prod-deploy-2: Others may take it than catalog.yaml says. → ${fix}`],
    [
      seen(commonly),
      `fail protium-prod-deploy-2: More may take it than should: the claim "aud" is not fixed by StringEquals; the claim "sub" is not fixed by StringEquals; the claim "repository_id" is not fixed by StringEquals; the claim "environment" is not fixed by StringEquals; the claim "job_workflow_ref" is not fixed by StringEquals; the claim "ref" is not fixed by StringEquals; StringLike lets more through than StringEquals. → ${fix}`,
    ],
    [hidden, 'unknown protium-prod-deploy-2: The token may not see it: it lacks administration: read.'],
  ] as const

  test.each(rows.map(([found, expected]) => ({ found, expected })))('$expected', ({ found, expected }) => {
    const { is } = found
    const policy = is === 'seen' ? found.value : undefined
    const compared = policy === undefined ? undefined : compareTrust(policy, { purpose: 'deploy', trust: wanted })
    const role = {
      arn: 'arn:aws:iam::222222222222:role/protium/protium-prod-deploy-2',
      stage: 'prod',
      account: '222222222222',
      purpose: 'deploy',
      found: is === 'seen' ? seen(compared) : found,
    } as const

    expect(findingsOf('role', { ...inOrder, roles: seen([role]) }).map(words)).toEqual([expected])
  })
})

describe('the domain of a stage', () => {
  const zone: ZoneFacts = { stage: 'prod', domain: 'example.com', servers: seen(['ns-1.aws.com', 'ns-2.aws.org']) }
  const rows: readonly (readonly [Partial<ZoneFacts>, string])[] = [
    [{}, 'ok example.com: The world finds it at ns-1.aws.com and ns-2.aws.org.'],
    [
      { given: ['NS-2.aws.org.', 'ns-1.aws.com.'] },
      'ok example.com: The world finds it at ns-1.aws.com and ns-2.aws.org.',
    ],
    [
      { given: ['ns-3.aws.com'] },
      'fail example.com: The world is sent to ns-1.aws.com and ns-2.aws.org, and the environment’s zone is at ns-3.aws.com. → Change the NS record for example.com in the zone above it.',
    ],
    [
      { servers: seen(undefined) },
      'fail example.com: The world finds no zone there, so no service answers in prod. → Add an NS record for example.com to the zone above it, with the name servers of the hosted zone.',
    ],
    [
      { servers: seen([]) },
      'warn example.com: It is a name in the zone above, and no zone of its own. → Nothing, if the hosts of prod are kept there; otherwise delegate it with an NS record.',
    ],
    [
      { servers: { is: 'hidden', why: 'No server of names answered' } },
      'unknown example.com: No server of names answered.',
    ],
  ]

  test.each(rows.map(([more, expected]) => ({ more, expected })))('$expected', ({ more, expected }) => {
    expect(findingsOf('zone', { ...inOrder, zones: [{ ...zone, ...more }] }).map(words)).toEqual([expected])
  })
})

describe('a repository of a service', () => {
  const service: RepositoryFacts = { ...healthy, name: 'acme/shop', about: seen({ ...about, name: 'acme/shop' }) }
  const made = serviceWorkflows(catalogOf())
  const calls = (...files: string[]): RepositoryFacts => ({
    ...service,
    workflows: seen(new Map([...made].filter(([path]) => files.some((file) => path.endsWith(`/${file}`))))),
  })
  const repositories = (each: RepositoryFacts, own: Partial<RepositoryFacts> = {}): Facts => ({
    ...inOrder,
    repositories: [{ ...healthy, ...own }, each],
  })

  test('calls the workflows of the catalog', () => {
    expect(
      findingsOf('callers', repositories(calls('pull-request.yml', 'deploy.yml', 'resume.yml'))).map(words),
    ).toEqual(['ok It calls the workflows of the catalog, and grants them what they need.'])
    expect(findingsOf('callers', repositories(calls('pull-request.yml'))).map(words)).toEqual([
      'fail No workflow of it calls acme/catalog/.github/workflows/deploy.yml. → `protium add acme/shop`',
    ])
  })

  test('grants the jobs of the catalog what they need', () => {
    const granting = (permissions: string): RepositoryFacts => {
      const { workflows } = calls('deploy.yml')
      const text = `permissions: ${permissions}\njobs: { plan: { uses: Acme/Catalog/.github/workflows/plan.yml@main } }\n`
      const files = workflows.is === 'seen' ? workflows.value : new Map<string, string>()
      return {
        ...service,
        workflows: seen(new Map([...files, ['.github/workflows/ci.yml', text], ['other.yml', '- a: &b']])),
      }
    }
    const lacking = findingsOf('callers', repositories(granting('{ checks: write, contents: read, id-token: write }')))

    expect(lacking.map(words)).toEqual([
      'fail Too little is granted, so GitHub does not begin them: ci.yml to plan.yml: pull-requests: write. → `protium add acme/shop`',
    ])
    expect(findingsOf('callers', repositories(granting('write-all')))[0]?.is).toBe('ok')
    expect(findingsOf('callers', repositories(granting('read-all')))[0]?.is).toBe('fail')
  })

  test('needs the workflows of the catalog to be open to it', () => {
    const closed = findingsOf('access', repositories(service, { access: seen('none') }))

    expect(closed.map(words)).toEqual([
      'fail Other repositories may not call its workflows: their pull requests get no plan. → `gh api -X PUT repos/acme/catalog/actions/permissions/access -f access_level=organization`',
    ])
    expect(closed[0]?.link).toEqual(['acme', 'catalog', 'settings', 'actions'])
  })

  test('that is not to be seen is not known', () => {
    const [first] = findingsOf('repository', repositories({ ...service, about: seen(undefined) })).filter(
      ({ group }) => group === 'acme/shop',
    )

    expect(first?.is).toBe('unknown')
  })
})

describe('code owners', () => {
  const text = lines(`
    # Everything
    *            @acme/all
    *.md         @ada   # texts
    /docs/*      @acme/docs
    apps/        @acme/apps
    /.github/    @acme/platform @ada
    /build/**/x  @acme/build
    /free/
  `)
  const rows = [
    ['catalog.yaml', ['@acme/all']],
    ['README.md', ['@ada']],
    ['deep/er/README.md', ['@ada']],
    ['docs/a.txt', ['@acme/docs']],
    ['docs/deep/a.txt', ['@acme/all']],
    ['x/apps/y/z', ['@acme/apps']],
    ['.github/workflows/plan.yml', ['@acme/platform', '@ada']],
    ['build/a/b/x', ['@acme/build']],
    ['free/of/owners', []],
  ] as const

  test.each(rows)('own %s', (path, owners) => {
    expect(ownersOf(text, path)).toEqual(owners)
  })
})

describe('what is shown', () => {
  const facts = withRepository({ actions: hidden, access: hidden, isSubjectOwn: hidden })
  const findings = diagnose(catalogOf({ more: 'services: { repositories: { topic: protium } }\n' }), facts)

  test('is what is unknown for the same reason, once; and the same advice once', () => {
    const text = diagnosisText(findings, { server: 'https://github.com' })

    expect(text).toContain(
      '  unknown  2 checks       The token may not see it: it lacks administration: read.\n                          actions, access\n',
    )
    expect(text).toContain('15 in order, no warnings, no failures, 3 not known.')
  })

  test('mentions nobody and breaks no table on a page', () => {
    const hostile = withFiles({ workflows: { stale: ['a|b', '@everybody <img>'], all: 2 } })
    const { markdown } = diagnosisPage(diagnose(catalogOf(), hostile), { server: 'https://github.com' })

    expect(markdown).toContain('## Doctor: something is to be mended')
    expect(markdown).not.toMatch(/[^`]@everybody|<img>[^`]/u)
    expect(
      markdown
        .split('\n')
        .find((line) => line.includes('FAIL'))
        ?.match(/(?<!\\)\|/gu),
    ).toHaveLength(6)
  })
})
