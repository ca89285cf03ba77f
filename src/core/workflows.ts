import type { Catalog, Workflows } from './catalog.ts'
import type { CheckName } from './policy/rules.ts'
import type { Problem } from './problem.ts'
import type { Stage } from './stage.ts'
import type { FileTree } from './tree.ts'
import { branch, deploySeconds, type Purpose, roleArn } from './trust/names.ts'
import { switchedOff } from './workflows/off.ts'

/**
 * The workflows of a catalog, written from catalog.yaml, so that the stages are jobs that a person sees; and the callers of a
 * service repository, which know no stage and never change.
 *
 * All of them follow the same rules: no rights at the top and a reason for each that a job has; actions of others by commit;
 * no expression inside of a script; what a pull request says is read in a job that has nothing to lose.
 */

/** Actions of others, by the commit that their tag named when it was looked up; the tag is for people. */
const others = {
  checkout: 'actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1',
  upload: 'actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1',
  download: 'actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1',
  token: 'actions/create-github-app-token@1b10c78c7865c340bc4f6099eb2f838309f1e8c3 # v3.1.1',
  role: 'aws-actions/configure-aws-credentials@e6de054238d6b7531b4efff3b6587d9aade6a06c # v6.2.3',
} as const

const folder = '.github/workflows'

const header = `# Written by \`protium workflows --write\` from catalog.yaml. Change that file, not this one: every pull request compares the two.
#`

/** The files of a catalog by their paths in its repository; nothing for a catalog that does not say `workflows:`. */
export function catalogWorkflows(catalog: Catalog): FileTree {
  const { workflows, stages } = catalog
  if (workflows === undefined || stages.length === 0) return new Map()
  const facts: Facts = {
    app: appOf(workflows),
    fleet: fleetOf(workflows),
    glass: catalog.glass !== undefined,
    checks: catalog.policy.checks,
    stages,
    workflows,
    cloud: (stage) => provisionerOf(catalog, stage) !== 'local',
    local: (stage) => provisionerOf(catalog, stage) === 'local',
    home: (stage) => catalog.environments.get(stage.environment),
    trusting: catalog.trust === undefined ? undefined : workflows.repository,
    trusted: (stage) => catalog.trust !== undefined && provisionerOf(catalog, stage) === 'cloudformation',
  }
  const made = new Map([
    [`${folder}/deploy.yml`, deploy(facts)],
    [`${folder}/doctor.yml`, doctor(facts)],
    [`${folder}/forks.yml`, forks(facts)],
    ...(catalog.glass === undefined ? [] : [[`${folder}/glass.yml`, breakGlass(facts)] as const]),
    [`${folder}/hold.yml`, hold(facts)],
    [`${folder}/plan.yml`, plan(facts)],
    ...(facts.trusting === undefined
      ? []
      : [[`${folder}/pull-request.yml`, pullRequest(facts, facts.trusting)] as const]),
    [`${folder}/resume.yml`, resume(facts)],
    [`${folder}/rollback.yml`, rollback(facts)],
    [`${folder}/stages.yml`, stagesOfService(facts)],
    [`${folder}/validate.yml`, validate(facts)],
  ])
  return workflows.deploy === false ? switchedOff(made) : made
}

/** Whether a file is one of ours: of those, what catalog.yaml no longer makes is to go. */
export function isGeneratedWorkflow(text: string): boolean {
  return text.startsWith(header.split('\n')[0] ?? header)
}

/** The files of a service repository; nothing for a catalog that does not say in which repository it lies. */
export function serviceWorkflows(catalog: Catalog): FileTree {
  const repository = catalog.workflows?.repository
  if (repository === undefined) return new Map()
  const cloud = catalog.stages.some((stage) => provisionerOf(catalog, stage) !== 'local')
  const key = catalog.workflows?.app === true ? keyOfApp : undefined
  const keys = keysOf(catalog.workflows)
  const of = (name: string): string => `${repository}/${folder}/${name}@${branch}`
  return new Map([
    [`${folder}/deploy.yml`, serviceDeploy(of('deploy.yml'), { cloud, key: keys })],
    [`${folder}/forks.yml`, serviceForks(of('forks.yml'))],
    ...(catalog.glass === undefined
      ? []
      : [[`${folder}/glass.yml`, serviceGlass(of('glass.yml'), { cloud, key: keys })] as const]),
    [`${folder}/hold.yml`, serviceHold(of('hold.yml'), { cloud, key: keys })],
    [`${folder}/pull-request.yml`, servicePullRequest(of('plan.yml'), { cloud, key })],
    [`${folder}/resume.yml`, serviceResume(of('resume.yml'), { isLookedAfter: catalog.workflows?.fleet === true })],
    [`${folder}/rollback.yml`, serviceRollback(of('rollback.yml'), { cloud, key })],
  ])
}

/**
 * What of a catalog's workflows does not follow from catalog.yaml any more, each at the first line that differs. `tree` holds
 * the files that there are.
 */
export function staleWorkflows(catalog: Catalog, tree: FileTree): readonly Problem[] {
  const made = catalogWorkflows(catalog)
  const left = [...tree].filter(([file, text]) => !made.has(file) && isGeneratedWorkflow(text))
  const unasked = left.map(([file]): Problem => ({
    code: 'workflow-stale',
    severity: 'error',
    message: `The workflow \`${file}\` is none that catalog.yaml makes any more, and would go on being run.`,
    expected: 'No such file.',
    remedy: 'Run `protium workflows --write`, which takes it away, and commit that.',
    at: { file, line: 1, column: 1 },
  }))
  const differing = [...made].flatMap(([file, wanted]): Problem[] => {
    const text = tree.get(file)
    if (text === wanted) return []
    const lines = wanted.split('\n')
    const line = text === undefined ? 1 : firstDifference(lines, text.split('\n'))
    const wants = lines[line - 1]
    return [
      {
        code: 'workflow-stale',
        severity: 'error',
        message:
          text === undefined
            ? `The workflow \`${file}\` is missing.`
            : `The workflow \`${file}\` is not what catalog.yaml makes of it.`,
        expected:
          text === undefined || wants === undefined
            ? 'The file as catalog.yaml makes it.'
            : `As line ${line}: ${JSON.stringify(wants.trim())}`,
        remedy: 'Run `protium workflows --write` and commit what changes.',
        at: text === undefined ? catalog.document.keyPlace(['workflows']) : { file, line, column: 1 },
      },
    ]
  })
  return [...differing, ...unasked]
}

function firstDifference(wanted: readonly string[], has: readonly string[]): number {
  const index = has.findIndex((line, at) => line !== wanted[at])
  // What is there is the beginning of what is wanted.
  return index === -1 ? Math.max(1, has.length) : index + 1
}

type Facts = {
  /** The catalog is private: service repositories read it through an App. */
  readonly app: { readonly owner: string; readonly name: string } | undefined
  /** The owner whose repositories are looked after from the catalog, and the catalog's own. */
  readonly fleet: { readonly owner: string; readonly repository: string } | undefined
  /** Whether some may break the glass. */
  readonly glass: boolean
  /** The programs that judge templates beside Protium. */
  readonly checks: readonly CheckName[]
  readonly stages: readonly Stage[]
  readonly workflows: Workflows
  /** Whether a stage lies in an account, so that its jobs need a role there. */
  readonly cloud: (stage: Stage) => boolean
  readonly local: (stage: Stage) => boolean
  /** Where a stage lies; nothing where the catalog has no such environment, which is said elsewhere. */
  readonly home: (stage: Stage) => { readonly account: string; readonly region: string } | undefined
  /**
   * The catalog's repository, where roles are made by `trust:`. They are given to workflows of its main branch alone, so those
   * are called by that name, also from itself: what a pull request has made of them cannot take a role.
   */
  readonly trusting: string | undefined
  /** Whether there are such roles in the account of a stage. */
  readonly trusted: (stage: Stage) => boolean
}

function appOf({ app, repository }: Workflows): Facts['app'] {
  const [owner, name] = repository?.split('/') ?? []
  return app === true && owner !== undefined && name !== undefined ? { owner, name } : undefined
}

function fleetOf({ fleet, repository }: Workflows): Facts['fleet'] {
  const [owner] = repository?.split('/') ?? []
  return fleet === true && owner !== undefined && repository !== undefined ? { owner, repository } : undefined
}

/** The jobs that come before all others. */
function before({ app }: Facts): readonly string[] {
  return app === undefined ? [] : ['catalog']
}

function list(names: readonly string[]): string {
  return names.length === 1 ? names.join('') : `[${names.join(', ')}]`
}

function provisionerOf(catalog: Catalog, stage: Stage): string {
  return catalog.environments.get(stage.environment)?.provisioner ?? 'cloudformation'
}

/** One of Protium's own actions. `$/` is the repository of this very workflow, at the commit that runs. */
function own({ workflows: { actions, version } }: Facts, verb: string): string {
  const [path = '', commit] = actions.split('@')
  return commit === undefined
    ? `$/${path}/${verb}`
    : `${path}/${verb}@${commit}${version === undefined ? '' : ` # ${version}`}`
}

/** An expression of GitHub's, which a workflow evaluates. */
function expression(text: string): string {
  return `\${{ ${text} }}`
}

/** A right of a job, and why it has it. */
type Grant = readonly [scope: string, access: 'read' | 'write', why: string]

function permissions(grants: readonly Grant[]): string {
  return lines('    permissions:', ...grants.map(([scope, access, why]) => `      ${scope}: ${access} # ${why}`))
}

function lines(...texts: readonly (string | undefined)[]): string {
  return texts.filter((text) => text !== undefined).join('\n')
}

function file(...texts: readonly (string | undefined)[]): string {
  return `${lines(...texts)}\n`
}

const sameRepository = 'github.event.pull_request.head.repo.full_name == github.repository'
const elsewhere = 'github.repository != job.workflow_repository'
const here = 'github.repository == job.workflow_repository'
const catalogFolder = '.protium/catalog'

/** Checks out the commit of the run, and beside it the catalog where the run is a service repository's. */
function checkouts(facts: Facts, { what, artifact }: { readonly what: string; readonly artifact: string }): string {
  return lines(
    `      - name: Check out ${what}`,
    `        uses: ${others.checkout}`,
    '        with:',
    '          fetch-depth: 0 # history says what changed, tags hold the released versions of templates',
    '          persist-credentials: false # so that no file finds a token in .git/config',
    catalogSteps(facts, artifact),
  )
}

/** Lays the catalog into a folder where the run is a service repository's; `artifact` says where its id is found. */
function catalogSteps({ app }: Facts, artifact: string): string {
  if (app === undefined) {
    return lines(
      '      - name: Check out the catalog, for a service repository',
      `        if: ${elsewhere}`,
      `        uses: ${others.checkout}`,
      '        with:',
      `          repository: ${expression('job.workflow_repository')} # the repository of this file`,
      `          ref: ${expression('job.workflow_sha')} # and the commit that runs`,
      `          path: ${catalogFolder}`,
      '          fetch-depth: 0',
      '          persist-credentials: false',
    )
  }
  return lines(
    '      - name: Fetch the catalog, for a service repository',
    `        if: ${elsewhere}`,
    `        uses: ${others.download}`,
    '        with:',
    `          artifact-ids: ${expression(artifact)}`,
    `          path: ${expression('runner.temp')}/catalog`,
    '      - name: Unpack the catalog, with its history and tags',
    `        if: ${elsewhere}`,
    `        run: git clone --quiet "$RUNNER_TEMP/catalog/catalog.bundle" ${catalogFolder}`,
  )
}

/**
 * The job that fetches a private catalog for a service repository, with the token of an App that may read that and nothing
 * else. It is a job of its own so that the next one, which reads what a stranger may have written, sees no secret.
 */
function catalogJob({ app }: Facts): string | undefined {
  if (app === undefined) return undefined
  return lines(
    '  # Another repository may not read this one by itself. The token for that stays in this job, which looks at nothing else.',
    '  catalog:',
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 5',
    '    permissions: {}',
    '    outputs:',
    `      catalog: ${expression('steps.catalog.outputs.artifact-id')}`,
    '    steps:',
    '      - name: Take a token that may read the catalog',
    '        id: token',
    `        if: ${elsewhere}`,
    `        uses: ${others.token}`,
    '        with:',
    `          client-id: ${expression('vars.PROTIUM_APP_CLIENT_ID')}`,
    `          private-key: ${expression('secrets.app-key')}`,
    `          owner: ${app.owner}`,
    `          repositories: ${app.name}`,
    '          permission-contents: read',
    '      - name: Check out the catalog',
    `        if: ${elsewhere}`,
    `        uses: ${others.checkout}`,
    '        with:',
    `          repository: ${expression('job.workflow_repository')} # the repository of this file`,
    `          ref: ${expression('job.workflow_sha')} # and the commit that runs`,
    `          token: ${expression('steps.token.outputs.token')}`,
    '          fetch-depth: 0',
    '          persist-credentials: false',
    '      - name: Pack it, with its history and tags',
    `        if: ${elsewhere}`,
    '        run: git bundle create --quiet "$RUNNER_TEMP/catalog.bundle" HEAD --all',
    '      - name: Hand it on',
    '        id: catalog',
    `        if: ${elsewhere}`,
    `        uses: ${others.upload}`,
    '        with:',
    '          name: protium-catalog',
    `          path: ${expression('runner.temp')}/catalog.bundle`,
    '          retention-days: 1',
    '',
  )
}

const catalogArtifact = 'needs.catalog.outputs.catalog'
/** What is declared of the key where another repository calls. */
const secrets = [
  '    secrets:',
  '      app-key:',
  '        description: The private key of the App that may read the catalog.',
  '        required: true',
]

const teamSecret = [
  '      team-key:',
  '        description: The private key of the App that may see who is in a team.',
  '        required: false',
]

/** What is declared of the keys of both Apps, for what judges who somebody is. */
function judgingSecrets({ app, workflows: { teams } }: Facts): readonly string[] {
  if (teams !== true) return app === undefined ? [] : secrets
  return [...(app === undefined ? ['    secrets:'] : secrets), ...teamSecret]
}

/** Hands that key on to the stages: of a run of the catalog's own it is the organisation's. */
function teamKey({ workflows: { teams } }: Facts): readonly string[] {
  if (teams !== true) return []
  return [
    '    secrets:',
    `      team-key: ${expression('secrets.team-key || secrets.PROTIUM_TEAMS_KEY')} # it sees teams`,
  ]
}

/** Takes a token that may see who is in a team. Without it whoever has to be in one is held, which is said. */
function teamStep({ workflows: { teams } }: Facts, key = 'secrets.team-key'): string | undefined {
  if (teams !== true) return undefined
  return lines(
    '      - name: Take a token that may see who is in a team, and nothing else',
    '        id: teams',
    '        continue-on-error: true # without it nobody is taken for a member',
    `        uses: ${others.token}`,
    '        with:',
    `          client-id: ${expression('vars.PROTIUM_TEAMS_CLIENT_ID')}`,
    `          private-key: ${expression(key)}`,
    `          owner: ${expression('github.repository_owner')}`,
    '          permission-members: read',
  )
}

function teamInput({ workflows: { teams } }: Facts): string | undefined {
  return teams === true ? `          team-token: ${expression('steps.teams.outputs.token')}` : undefined
}

const ownCatalog = expression(`${elsewhere} && '${catalogFolder}' || '.'`)
const catalogInput = `          catalog: ${ownCatalog}`

/** Stacks of the local provisioner are files; on a runner that forgets they have to lie somewhere that it does not. */
function stateInput(facts: Facts, stage: Stage): string | undefined {
  if (!facts.local(stage)) return undefined
  return `          state: ${expression("vars.PROTIUM_STATE || '.protium'")} # the local stacks; a folder that the runner keeps`
}

/**
 * The step that takes the role of a job's environment by the identity that GitHub vouches for. It stands between what is
 * checked out and Protium, which sees credentials as any program of AWS does.
 */
function roleStep(facts: Facts, stage: Stage, environment: string): string | undefined {
  const home = facts.home(stage)
  if (!facts.cloud(stage) || home === undefined) return undefined
  const purpose = environment === stage.name ? 'deploy' : 'plan'
  return lines(
    `      - name: Take the role of ${environment}`,
    !facts.trusted(stage)
      ? "        if: vars.PROTIUM_ROLE != '' # a variable of this environment; a runner with credentials of its own needs none"
      : undefined,
    `        uses: ${others.role}`,
    '        with:',
    ...(!facts.trusted(stage)
      ? [`          role-to-assume: ${expression('vars.PROTIUM_ROLE')}`]
      : trustedRole(home, { stage: stage.name, purpose })),
    `          aws-region: ${home.region}`,
    `          allowed-account-ids: '${home.account}'`,
  )
}

/** The role that `protium trust` has made for the repository that runs, under a name by which the account's log leads back to the run. */
function trustedRole(
  home: { readonly account: string; readonly region: string },
  { stage, purpose }: { readonly stage: string; readonly purpose: Purpose },
): readonly string[] {
  const run = ['github.repository_id', 'github.run_id', 'github.run_attempt'].map(expression).join('-')
  return [
    `          role-to-assume: ${roleArn(home, { stage, purpose, id: expression('github.repository_id') })}`,
    `          role-session-name: ${run}`,
    ...(purpose === 'deploy' ? [`          role-duration-seconds: ${deploySeconds}`] : []),
  ]
}

/**
 * How the programs get onto a runner of GitHub: cfn-lint by pipx, which is there; cfn-guard from AWS's package for the CDK, by
 * its digest, since no registry has it under its own name.
 */
const installs = {
  'cfn-lint': lines(
    '      - name: Install cfn-lint, for the checks of policy',
    '        run: pipx install --quiet cfn-lint==1.51.0',
  ),
  'cfn-guard': lines(
    '      - name: Install cfn-guard, for the checks of policy',
    '        working-directory: ${{ runner.temp }}',
    '        run: |',
    '          npm pack --silent @cdklabs/cdk-validator-cfnguard@0.0.62',
    '          echo "4a0da4f34ebb07400827cd901522e11d3508ab13984ca001bd5ad31e2c9cea3d2b136347962d9d88862a7fec3e0e4b8328261880c20e81adcead830e1d4c3499 *cdklabs-cdk-validator-cfnguard-0.0.62.tgz" \\',
    '            | sha512sum --check --quiet',
    '          mkdir cfn-guard',
    '          tar -xzf cdklabs-cdk-validator-cfnguard-0.0.62.tgz -C cfn-guard --strip-components=4 package/bin/ubuntu/x86_64/cfn-guard',
    '          echo "$PWD/cfn-guard" >> "$GITHUB_PATH"',
  ),
} as const satisfies Record<CheckName, string>

/** The job that reads what a stranger may have written. It is the same before and after the merge. */
function validateJob(
  facts: Facts,
  {
    what,
    guard,
    needs = [],
  }: { readonly what: string; readonly guard?: readonly string[]; readonly needs?: readonly string[] },
): string {
  return lines(
    '  validate:',
    ...needs.map((name) => `    needs: ${name}`),
    ...(guard ?? []).map((line) => `    ${line}`),
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 10',
    permissions([['contents', 'read', 'check out; nothing else, because of what it reads']]),
    '    outputs:',
    `      services: ${expression('steps.validate.outputs.services')} # a JSON list of names`,
    `      environments: ${expression('steps.validate.outputs.environments')} # true if any is touched`,
    `      stages: ${expression('steps.validate.outputs.stages')} # a JSON list of names`,
    `      request: ${expression('steps.request.outputs.artifact-id')} # later jobs ask for it by this id, not by a name`,
    '    steps:',
    checkouts(facts, { what, artifact: catalogArtifact }),
    ...facts.checks.map((name) => installs[name]),
    '      - name: Check and render all that is touched',
    '        id: validate',
    `        uses: ${own(facts, 'validate')}`,
    '        with:',
    catalogInput,
    `          request: ${expression('runner.temp')}/request.json`,
    '      - name: Hand on what was found',
    '        id: request',
    `        if: ${expression('!cancelled()')} # also what is wrong is to be shown`,
    `        uses: ${others.upload}`,
    '        with:',
    '          name: protium-plan-request',
    `          path: ${expression('runner.temp')}/request.json`,
    '          if-no-files-found: ignore',
    '          retention-days: 7',
  )
}

function validate(facts: Facts): string {
  return file(
    header,
    '# The check alone, for those who want no more of a pull request: it reads the files, renders them and marks what is wrong on',
    '# its lines. It needs no account and no right but to read. plan.yml has the same job as its first.',
    'name: Validate',
    'on:',
    '  # Before a merge queue merges: what was fine alone may not be fine together.',
    '  merge_group:',
    '  workflow_call:',
    ...(facts.app === undefined ? [] : secrets),
    '',
    'permissions: {}',
    '',
    'concurrency:',
    `  group: protium-validate-${expression('github.ref')}`,
    '  cancel-in-progress: true',
    '',
    'jobs:',
    catalogJob(facts),
    validateJob(facts, { what: 'what is to be checked', needs: before(facts) }),
  )
}

function plan(facts: Facts): string {
  const { stages, trusting } = facts
  return file(
    header,
    '# Shows on a pull request what merging it would do, in every stage, before anything is done: one comment and one check.',
    '#',
    "#   validate   reads the files. Until they are merged they are a stranger's, so this job may do nothing but read: whatever a",
    '#              file does to it, there is no secret to take and nothing to write to.',
    '#   plan-…     one job a stage compares what validate rendered with what runs in that stage. It may look, not touch.',
    '#   post       writes the comment and the check. It checks out nothing.',
    '#',
    '# A pull request from a fork gets validate only; forks.yml then says what that found.',
    'name: Plan',
    'on:',
    ...(trusting === undefined
      ? ['  # Services and templates of this repository.', '  pull_request:']
      : ['  # For this repository pull-request.yml does it, by the main branch: that alone may take roles.']),
    '  # Services of other repositories: a few lines there call this file.',
    '  workflow_call:',
    ...(facts.app === undefined ? [] : secrets),
    '',
    'permissions: {}',
    '',
    '# The plan of an older push is of no use to anybody.',
    'concurrency:',
    `  group: protium-plan-${expression('github.event.pull_request.number')}`,
    '  cancel-in-progress: true',
    '',
    'jobs:',
    catalogJob(facts),
    validateJob(facts, { what: 'the pull request', needs: before(facts) }),
    ...stages.map((stage) => `\n${planJob(facts, stage)}`),
    '',
    postJob(facts),
  )
}

function planJob(facts: Facts, stage: Stage): string {
  const { name } = stage
  return lines(
    `  plan-${name}:`,
    `    needs: ${list([...before(facts), 'validate'])}`,
    '    # Not for a fork, whoever wrote it, and only where there is something to plan.',
    '    if: >-',
    `      ${sameRepository}`,
    `      && contains(fromJSON(needs.validate.outputs.stages), '${name}')`,
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 15',
    '    # The rules of this environment say which branches may ask for its role; it is no deployment.',
    '    environment:',
    `      name: ${name}-plan`,
    '      deployment: false',
    permissions([
      ['contents', 'read', 'check out the catalog, which says the account and the region'],
      ...(facts.cloud(stage)
        ? [['id-token', 'write', `take the role of ${name}-plan, which may look and not touch`] as const]
        : []),
    ]),
    '    outputs:',
    `      plan: ${expression('steps.plan.outputs.artifact-id')}`,
    '    steps:',
    '      - name: Check out the catalog as it is merged, not as the pull request would have it',
    `        if: ${here}`,
    `        uses: ${others.checkout}`,
    '        with:',
    `          ref: ${expression('github.event.pull_request.base.sha')}`,
    '          fetch-depth: 0',
    '          persist-credentials: false',
    catalogSteps(facts, catalogArtifact),
    '      - name: Fetch what validate rendered',
    `        uses: ${others.download}`,
    '        with:',
    `          artifact-ids: ${expression('needs.validate.outputs.request')}`,
    `          path: ${expression('runner.temp')}/request`,
    roleStep(facts, stage, `${name}-plan`),
    '      - name: Compare it with what runs',
    `        uses: ${own(facts, 'plan')}`,
    '        with:',
    `          stage: ${name}`,
    `          root: ${ownCatalog}`,
    `          request: ${expression('runner.temp')}/request/request.json`,
    stateInput(facts, stage),
    `          out: ${expression('runner.temp')}/${name}.json`,
    '      - name: Hand on the plan',
    '        id: plan',
    `        uses: ${others.upload}`,
    '        with:',
    `          name: protium-plan-${name}`,
    `          path: ${expression('runner.temp')}/${name}.json`,
    '          retention-days: 7',
  )
}

function postJob(facts: Facts): string {
  const ids = facts.stages.map(({ name }) => `needs.plan-${name}.outputs.plan`)
  return lines(
    '  post:',
    `    needs: [${['validate', ...facts.stages.map(({ name }) => `plan-${name}`)].join(', ')}]`,
    '    # Also when a job before it failed: then that is what there is to say.',
    `    if: >-`,
    '      !cancelled()',
    `      && ${sameRepository}`,
    "      && needs.validate.result != 'skipped'",
    "      && needs.validate.outputs.request != ''",
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 5',
    permissions(postGrants),
    '    steps:',
    '      - name: Fetch what validate found',
    `        uses: ${others.download}`,
    '        with:',
    `          artifact-ids: ${expression('needs.validate.outputs.request')}`,
    `          path: ${expression('runner.temp')}/request`,
    '      - name: Fetch the plans of the stages',
    `        if: ${facts.stages.map(({ name }) => `needs.plan-${name}.result == 'success'`).join(' || ')}`,
    `        uses: ${others.download}`,
    '        with:',
    `          artifact-ids: ${ids.map(expression).join(',')}`,
    `          path: ${expression('runner.temp')}/plans`,
    '          merge-multiple: true',
    '      - name: Write the comment and the check',
    `        uses: ${own(facts, 'plan')}`,
    '        with:',
    `          request: ${expression('runner.temp')}/request/request.json`,
    `          plans: ${expression('runner.temp')}/plans`,
    `          out: ${expression('runner.temp')}/plan.json`,
    '      - name: Keep the whole plan, for who wants to see all of it',
    `        uses: ${others.upload}`,
    '        with:',
    '          name: protium-plan',
    `          path: ${expression('runner.temp')}/plan.json`,
    '          if-no-files-found: ignore',
    '          retention-days: 90',
  )
}

const postGrants: readonly Grant[] = [
  ['checks', 'write', 'the check protium/plan'],
  ['pull-requests', 'write', 'the comment'],
]

const forkGrants: readonly Grant[] = [['actions', 'read', 'fetch what the other run left'], ...postGrants]

/** Told to those who run zizmor over their workflows; our own rules hold the workflow to what is said here. */
const forkTrigger = '# zizmor: ignore[dangerous-triggers] it checks out nothing and runs nothing of the fork'
const byBranch = '# zizmor: ignore[unpinned-uses] our own catalog, whose newest stages are meant'

function forks(facts: Facts): string {
  return file(
    header,
    '# Says on the pull request of a fork what was found in it. The run of such a pull request is given no right to write, rightly,',
    '# so a second run does it: one of the default branch, which nobody outside can change. It checks out nothing and runs',
    '# nothing of the fork; what it posts is read as data, and everything in it is encoded. There is no account in reach.',
    'name: Plan of a fork',
    'on:',
    `  workflow_run: ${forkTrigger}`,
    `    workflows: [${facts.trusting === undefined ? 'Plan' : 'Pull request'}]`,
    '    types: [completed]',
    '  workflow_call:',
    '',
    'permissions: {}',
    '',
    'concurrency:',
    `  group: protium-fork-${expression('github.event.workflow_run.head_repository.id')}-${expression('github.event.workflow_run.head_branch')}`,
    '  cancel-in-progress: true',
    '',
    'jobs:',
    '  post:',
    '    # Pull requests of this repository have had their plan already.',
    '    if: >-',
    "      github.event.workflow_run.event == 'pull_request'",
    '      && github.event.workflow_run.head_repository.full_name != github.repository',
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 5',
    permissions(forkGrants),
    '    steps:',
    '      - name: Fetch what validate found',
    `        uses: ${others.download}`,
    '        with:',
    '          name: protium-plan-request',
    `          run-id: ${expression('github.event.workflow_run.id')}`,
    `          github-token: ${expression('github.token')}`,
    `          path: ${expression('runner.temp')}/request`,
    '      - name: Write the comment and the check',
    `        uses: ${own(facts, 'plan')}`,
    '        with:',
    `          request: ${expression('runner.temp')}/request/request.json`,
    `          plans: ${expression('runner.temp')}/plans`,
  )
}

function deployGrants(cloud: boolean): readonly Grant[] {
  return [
    ['actions', 'read', 'who has let the run go on, and which of its jobs a runner has lost'],
    ['checks', 'write', 'read the plan that was reviewed, and show the new one where it is held'],
    [
      'contents',
      'write',
      'check out; add one file an attempt to the branch protium-ledger; put what is held on protium-board',
    ],
    ['deployments', 'write', 'the deployment, its state and its address'],
    ...(cloud ? [['id-token', 'write', 'take the role of the stage'] as const] : []),
    ['pull-requests', 'write', 'find the pull request that was merged, and say on it why a stage failed'],
  ]
}

function deploy(facts: Facts): string {
  const cloud = facts.stages.some(facts.cloud)
  const handOn = facts.app === undefined ? [] : [`      catalog: ${expression(catalogArtifact)}`]
  return file(
    header,
    '# Deploys what was merged, stage by stage. Which stages there are, and in which order, is in stages.yml.',
    '#',
    '#   validate       checks the merged commit once more, and finds what it touches.',
    '#   environments   what services share (networks, clusters) comes first.',
    '#   services       then each service by itself: one that fails does not hold up the others.',
    '#',
    '# To go on after a failure, run the failed jobs again: what is done is not done twice.',
    'name: Deploy',
    'on:',
    '  # Services and templates of this repository.',
    '  push:',
    '    branches: [main]',
    '  # Services of other repositories: a few lines there call this file.',
    '  workflow_call:',
    '    inputs:',
    '      image:',
    '        description: >-',
    '          What the build of the service made: name@sha256:digest. With several services in the repository a line for each,',
    '          service=name@sha256:digest. Every stage is given the same.',
    '        type: string',
    "        default: ''",
    ...judgingSecrets(facts),
    '',
    'permissions: {}',
    '',
    'jobs:',
    catalogJob(facts),
    validateJob(facts, {
      what: 'the merged commit',
      needs: before(facts),
      guard: [
        '# Whoever calls this file, only what is on the default branch is deployed. Expressions compare without regard to case, so',
        '# MAIN passes here; deploy compares again, and so do the rules of the environments.',
        'if: >-',
        "  github.event_name == 'push'",
        "  && github.ref == format('refs/heads/{0}', github.event.repository.default_branch)",
      ],
    }),
    '',
    '  environments:',
    `    needs: ${list([...before(facts), 'validate'])}`,
    "    if: needs.validate.outputs.environments == 'true'",
    permissions(deployGrants(cloud)),
    stagesCall(facts),
    '    with:',
    '      service: environment',
    ...handOn,
    ...teamKey(facts),
    '',
    '  services:',
    `    needs: ${list([...before(facts), 'validate', 'environments'])}`,
    '    # Where no environment is touched that job is skipped, which is no failure.',
    '    if: >-',
    '      !cancelled()',
    "      && needs.validate.result == 'success'",
    "      && needs.environments.result != 'failure'",
    "      && needs.validate.outputs.services != '[]'",
    '    strategy:',
    '      fail-fast: false',
    '      matrix:',
    `        service: ${expression('fromJSON(needs.validate.outputs.services)')}`,
    permissions(deployGrants(cloud)),
    stagesCall(facts),
    '    with:',
    `      service: ${expression('matrix.service')}`,
    `      image: ${expression('inputs.image')}`,
    ...handOn,
    ...teamKey(facts),
  )
}

/**
 * The stages are called at the commit that runs. Where roles are given to the main branch they are called by that name, since
 * it is what GitHub says of the job then.
 */
function stagesCall({ trusting }: Facts): string {
  return trusting === undefined
    ? `    uses: $/${folder}/stages.yml`
    : `    uses: ${trusting}/${folder}/stages.yml@${branch} ${byBranch}`
}

function stagesOfService(facts: Facts): string {
  return file(
    header,
    '# One service through the stages, in the order of catalog.yaml. A stage begins when the one before it is healthy with this very',
    '# commit; if one fails, those after it do not begin.',
    'name: Stages',
    'on:',
    '  workflow_call:',
    '    inputs:',
    '      service:',
    '        description: The service; `environment` for what the services of a stage share.',
    '        type: string',
    '        required: true',
    '      image:',
    '        description: What the build of the service made, name@sha256:digest.',
    '        type: string',
    "        default: ''",
    ...(facts.app === undefined
      ? []
      : [
          '      catalog:',
          '        description: The id of the artifact with the catalog, for a service repository.',
          '        type: string',
          "        default: ''",
        ]),
    ...(facts.glass
      ? [
          '      break-glass:',
          '        description: Why the glass is broken, in an emergency; then it is not waited for soak, freeze and approval.',
          '        type: string',
          "        default: ''",
        ]
      : []),
    ...(facts.workflows.teams === true ? ['    secrets:', ...teamSecret] : []),
    '',
    'permissions: {}',
    '',
    'jobs:',
    facts.stages.map((stage, index) => stageJob(facts, stage, facts.stages[index - 1])).join('\n\n'),
    '',
    settleJob(facts),
  )
}

function stageJob(facts: Facts, stage: Stage, before: Stage | undefined): string {
  const { name } = stage
  const approvers = stage.approval?.by.join(', ')
  return lines(
    `  ${name}:`,
    before === undefined ? undefined : `    needs: ${before.name}`,
    '    runs-on: ubuntu-latest',
    `    timeout-minutes: ${facts.cloud(stage) ? 120 : 30}`,
    approvers === undefined
      ? '    # The rules of this environment say which branches may deploy here.'
      : `    # The rules of this environment say which branches may deploy here, and that one of ${approvers} approves it.`,
    '    # The action makes a deployment for the service, so the job does not make one for itself.',
    '    environment:',
    `      name: ${name}`,
    '      deployment: false',
    '    # One at a time in this stage. All wait for their turn: without `queue: max` a third would throw the second out, silently.',
    '    concurrency:',
    `      group: protium-deploy-${expression('inputs.service')}-${name}`,
    '      cancel-in-progress: false',
    '      queue: max',
    permissions(deployGrants(facts.cloud(stage))),
    '    outputs:',
    `      exit: ${expression('steps.deploy.outputs.exit')} # nothing if the runner was lost before it could say it`,
    '    steps:',
    checkouts(facts, { what: 'the merged commit', artifact: 'inputs.catalog' }),
    teamStep(facts),
    roleStep(facts, stage, name),
    `      - name: Deploy to ${name}`,
    '        id: deploy',
    `        uses: ${own(facts, 'deploy')}`,
    '        with:',
    `          stage: ${name}`,
    `          services: ${expression('inputs.service')}`,
    `          image: ${expression('inputs.image')}`,
    facts.glass ? `          break-glass: ${expression('inputs.break-glass')}` : undefined,
    catalogInput,
    stateInput(facts, stage),
    teamInput(facts),
  )
}

/** What a runner that was lost could not say. It looks at what the jobs said of themselves, and asks GitHub only if one did not. */
function settleJob(facts: Facts): string {
  const { stages, fleet } = facts
  const names = stages.map(({ name }) => name)
  return lines(
    '  # Where a job was cut off, this says so: on the deployment, and on the board, from which it is started again.',
    `  ${names.includes('settle') ? 'settle-run' : 'settle'}:`,
    `    needs: [${names.join(', ')}]`,
    '    if: failure() || cancelled()',
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 10',
    permissions([
      ['actions', 'read', 'whether a runner ever had the job'],
      ['contents', 'write', 'put what was lost on the branch protium-board'],
      ['deployments', 'write', 'say of the deployment that it is no longer under way'],
      ['pull-requests', 'write', 'the pull request that was merged: its comment, where it waits no more'],
    ]),
    '    steps:',
    '      - name: Tell of what was cut off',
    `        uses: ${own(facts, 'resume')}`,
    '        with:',
    `          service: ${expression('inputs.service')}`,
    `          jobs: ${expression('toJSON(needs)')}`,
    '          environments: |',
    ...stages.map(({ name, environment }) => `            ${name}: ${environment}`),
    fleet === undefined ? undefined : `          label: ${expression(elsewhere)} # by which the catalog finds it`,
  )
}

/** What starts jobs again that wait. */
const resumeGrants: readonly Grant[] = [
  ['actions', 'write', 'see how a run stands, and start its job again'],
  ['contents', 'write', 'read what waits on the branch protium-board, and note there what is started'],
  ['deployments', 'write', 'say of a deployment that it cannot be started again'],
  ['pull-requests', 'read', 'see who has approved'],
]

export const fleetGrants: readonly Grant[] = [
  ...resumeGrants.filter(([scope]) => scope !== 'pull-requests'),
  ['pull-requests', 'write', 'see who has approved, and take the label off what waits no more'],
]

/** At minutes when fewer others begin. */
const everyTenMinutes = "    - cron: '4-59/10 * * * *' # GitHub is late at times; nothing depends on the minute"

function resume(facts: Facts): string {
  const { fleet } = facts
  return file(
    header,
    '# Goes on with promotions that were held, when they may: a soak or a freeze is over, somebody has approved, a lock was given back, a',
    '# runner was lost. Where nothing waits it asks GitHub once. The job that is started again judges all of its gates anew.',
    'name: Resume',
    'on:',
    '  schedule:',
    everyTenMinutes,
    '  workflow_dispatch:',
    '  pull_request_review:',
    '    types: [submitted]',
    '  # Services of other repositories: a few lines there call this file.',
    '  workflow_call:',
    '',
    'permissions: {}',
    '',
    '# Two at once do no harm; they would only do the same.',
    'concurrency:',
    '  group: protium-resume',
    '  cancel-in-progress: false',
    '',
    'jobs:',
    '  resume:',
    '    # A review of what is not merged yet wakes nothing; one of the pull request of a fork is given no right to.',
    '    if: >-',
    ...(fleet === undefined
      ? ["      github.event_name != 'pull_request_review'"]
      : [`      (github.event_name != 'pull_request_review' && github.repository != '${fleet.repository}')`]),
    "      || (github.event.review.state == 'approved'",
    "      && github.event.pull_request.merged_at != ''",
    `      && ${sameRepository})`,
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 10',
    permissions(resumeGrants),
    '    steps:',
    '      - name: Start what may go on',
    `        uses: ${own(facts, 'resume')}`,
    ...(fleet === undefined ? [] : ['', fleetJob(facts, fleet)]),
  )
}

/**
 * The job for all repositories of the owner. Its App may start jobs in each of them, so its key is one of an environment, which
 * gives it to the default branch alone.
 */
function fleetJob(facts: Facts, { owner, repository }: NonNullable<Facts['fleet']>): string {
  return lines(
    `  # Looks after all repositories of ${owner}: one search finds those that have something waiting, however many there are.`,
    '  fleet:',
    '    if: >-',
    `      github.repository == '${repository}'`,
    "      && github.event_name != 'pull_request_review'",
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 10',
    '    # The rules of this environment say that the default branch alone is given the key.',
    '    environment:',
    '      name: protium-fleet',
    '      deployment: false',
    '    permissions: {}',
    '    steps:',
    '      - name: Take a token that may start jobs again',
    '        id: token',
    `        uses: ${others.token}`,
    '        with:',
    `          client-id: ${expression('vars.PROTIUM_FLEET_CLIENT_ID')}`,
    `          private-key: ${expression('secrets.PROTIUM_FLEET_KEY')}`,
    `          owner: ${owner}`,
    ...fleetGrants.map(([scope, access, why]) => `          permission-${scope}: ${access} # ${why}`),
    '      - name: Start what may go on',
    `        uses: ${own(facts, 'resume')}`,
    '        with:',
    `          fleet: ${owner}`,
    `          token: ${expression('steps.token.outputs.token')}`,
  )
}

const onDefaultBranch = "github.ref == format('refs/heads/{0}', github.event.repository.default_branch)"

/** What a person is asked for who starts a rollback. `stage` says what kind of word a stage is. */
function rollbackInputs(stage: readonly string[]): readonly string[] {
  return [
    '    inputs:',
    '      service:',
    '        description: The service; `environment` for what the services of a stage share.',
    '        type: string',
    '        required: true',
    '      stage:',
    '        description: The stage to go back in.',
    ...stage,
    '        required: true',
    '      reason:',
    '        description: Why, in a sentence. It is kept in the record.',
    '        type: string',
    '        required: true',
    '      to:',
    '        description: Another record than the last good one, by its id, or by its commit.',
    '        type: string',
    "        default: ''",
    '      acknowledge:',
    '        description: >-',
    '          A resource that may be lost although it holds data, such as checkout/prod:OrdersTable.',
    '        type: string',
    "        default: ''",
  ]
}

function rollback(facts: Facts): string {
  const { stages } = facts
  const names = stages.map(({ name }) => name)
  return file(
    header,
    '# Goes back: one service, in one stage, to its last good deployment, the image included. A person starts it and says why.',
    '#',
    '#   plan-…       shows in the summary of the run what would be done. It may look, not touch.',
    "#   rollback-…   does it, once the rules of the stage's environment let it begin: what was shown, or nothing.",
    '#',
    '# What was gone back from is not deployed to that stage again; a new commit is.',
    'name: Roll back',
    `run-name: Roll back ${expression('inputs.service')} in ${expression('inputs.stage')}`,
    'on:',
    '  # Services of this repository.',
    '  workflow_dispatch:',
    ...rollbackInputs(['        type: choice', `        options: [${names.join(', ')}]`]),
    '  # Services of other repositories: a few lines there call this file.',
    '  workflow_call:',
    ...rollbackInputs(['        type: string']),
    ...(facts.app === undefined ? [] : secrets),
    '',
    'permissions: {}',
    '',
    'jobs:',
    catalogJob(facts),
    '  # Where every other job is left out, this one says why; without it that would look like a success.',
    '  check:',
    '    if: >-',
    `      !(${onDefaultBranch})`,
    `      || !contains(fromJSON('${JSON.stringify(names)}'), inputs.stage)`,
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 5',
    '    permissions: {}',
    '    steps:',
    `      - run: echo "A rollback is started on the default branch, for one of the stages ${names.join(', ')}." && exit 1`,
    ...stages.flatMap((stage) => ['', shownJob(facts, stage), '', returnJob(facts, stage)]),
  )
}

/** What both jobs of a stage hand to the action. */
function rollbackWith(facts: Facts, stage: Stage): string {
  return lines(
    `          unit: ${expression('inputs.service')}`,
    `          stage: ${stage.name}`,
    `          reason: ${expression('inputs.reason')}`,
    `          acknowledge: ${expression('inputs.acknowledge')}`,
    catalogInput,
    stateInput(facts, stage),
  )
}

function shownJob(facts: Facts, stage: Stage): string {
  const { name } = stage
  const needs = before(facts)
  return lines(
    `  plan-${name}:`,
    needs.length === 0 ? undefined : `    needs: ${list(needs)}`,
    '    # Whoever starts it, what is on the default branch decides how.',
    '    if: >-',
    `      inputs.stage == '${name}'`,
    `      && ${onDefaultBranch}`,
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 15',
    '    # The rules of this environment say which branches may ask for its role; it is no deployment.',
    '    environment:',
    `      name: ${name}-plan`,
    '      deployment: false',
    permissions([
      ['contents', 'read', 'check out, with the records of the branch protium-ledger'],
      ...(facts.cloud(stage)
        ? [['id-token', 'write', `take the role of ${name}-plan, which may look and not touch`] as const]
        : []),
    ]),
    '    outputs:',
    `      to: ${expression('steps.show.outputs.to')}`,
    `      seen: ${expression('steps.show.outputs.seen')}`,
    '    steps:',
    checkouts(facts, { what: 'the default branch', artifact: catalogArtifact }),
    roleStep(facts, stage, `${name}-plan`),
    '      - name: Show what would be done',
    '        id: show',
    `        uses: ${own(facts, 'rollback')}`,
    '        with:',
    '          show: true',
    `          to: ${expression('inputs.to')}`,
    rollbackWith(facts, stage),
  )
}

function returnJob(facts: Facts, stage: Stage): string {
  const { name } = stage
  const approvers = stage.approval?.by.join(', ')
  return lines(
    `  rollback-${name}:`,
    `    needs: ${list([...before(facts), `plan-${name}`])}`,
    '    runs-on: ubuntu-latest',
    `    timeout-minutes: ${facts.cloud(stage) ? 120 : 30}`,
    approvers === undefined
      ? '    # The rules of this environment say which branches may deploy here.'
      : `    # The rules of this environment say which branches may deploy here, and that one of ${approvers} approves it.`,
    '    # The action makes a deployment for the service, so the job does not make one for itself.',
    '    environment:',
    `      name: ${name}`,
    '      deployment: false',
    '    # In one queue with the deployments of this stage: neither begins in the middle of the other.',
    '    concurrency:',
    `      group: protium-deploy-${expression('inputs.service')}-${name}`,
    '      cancel-in-progress: false',
    '      queue: max',
    permissions([
      ['contents', 'write', 'check out, and add one file an attempt to the branch protium-ledger'],
      ['deployments', 'write', 'the deployment, its state and its address'],
      ...(facts.cloud(stage) ? [['id-token', 'write', 'take the role of the stage'] as const] : []),
    ]),
    '    steps:',
    checkouts(facts, { what: 'the default branch', artifact: catalogArtifact }),
    roleStep(facts, stage, name),
    `      - name: Go back in ${name}`,
    `        uses: ${own(facts, 'rollback')}`,
    '        with:',
    '          yes: true # the rules of the environment have let this job begin',
    `          to: ${expression(`needs.plan-${name}.outputs.to`)}`,
    `          seen: ${expression(`needs.plan-${name}.outputs.seen`)}`,
    rollbackWith(facts, stage),
  )
}

function doctor(facts: Facts): string {
  return file(
    header,
    '# Looks once a week whether what is around this catalog is as it needs it: environments and their rules, branches, code owners, names.',
    '# It changes nothing. What its token may not see it says; `protium doctor` on the machine of an administrator sees more.',
    'name: Doctor',
    'on:',
    '  schedule:',
    "    - cron: '17 5 * * 1' # Mondays, before people come",
    '  workflow_dispatch:',
    '',
    'permissions: {}',
    '',
    'jobs:',
    '  doctor:',
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 10',
    permissions([
      ['actions', 'read', 'the environments, and the form of identities'],
      ['contents', 'read', 'check out; the errors of the code owners'],
    ]),
    '    steps:',
    '      - name: Check out the catalog, and its ledger',
    `        uses: ${others.checkout}`,
    '        with:',
    '          fetch-depth: 0 # with all branches: the ledger is one',
    '          persist-credentials: false # so that no file finds a token in .git/config',
    '      - name: Look',
    `        uses: ${own(facts, 'doctor')}`,
  )
}

// What people start besides

/** Where every other job is left out, this one says why; without it that would look like a success. */
function elsewhereJob(what: string): readonly string[] {
  return [
    '  # Whoever starts it, what is on the default branch decides how; elsewhere it says so, instead of doing nothing.',
    '  check:',
    '    if: >-',
    `      !(${onDefaultBranch})`,
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 5',
    '    permissions: {}',
    '    steps:',
    `      - run: echo "${what} on the default branch." && exit 1`,
    '',
  ]
}

function holdInputs(what: readonly string[]): readonly string[] {
  return [
    '    inputs:',
    '      what:',
    '        description: What to do.',
    ...what,
    '        required: true',
    '      units:',
    '        description: A service, or one of its stages, such as checkout/prod.',
    '        type: string',
    '        required: true',
    '      reason:',
    '        description: Why, in a sentence. A lock needs one, and so does who breaks that of somebody else.',
    '        type: string',
    "        default: ''",
    '      until:',
    '        description: When a lock ends by itself, such as 2h, 3d or 2026-12-24T18:00Z.',
    '        type: string',
    "        default: ''",
  ]
}

const holdChoices = ['lock', 'unlock', 'cancel'] as const
const holdGrants: readonly Grant[] = [
  ['actions', 'read', 'see whether the run that a lock was taken for is over'],
  ['contents', 'write', 'check out; change the branch protium-board; record on protium-ledger whose lock was broken'],
]
const cancelGrants: readonly Grant[] = [
  ['contents', 'write', 'check out, and change the branch protium-board'],
  ['deployments', 'write', 'say of the deployment that it is cancelled'],
  ['pull-requests', 'write', 'say so on the pull request that was merged'],
]

function hold(facts: Facts): string {
  const job = (name: string, condition: string, grants: readonly Grant[]): readonly string[] => [
    `  ${name}:`,
    ...before(facts).map((each) => `    needs: ${each}`),
    '    if: >-',
    `      ${condition}`,
    `      && ${onDefaultBranch}`,
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 10',
    permissions(grants),
    '    steps:',
    checkouts(facts, { what: 'the default branch', artifact: catalogArtifact }),
  ]
  return file(
    header,
    '# Holds a service, or one of its stages: a lock keeps it from being deployed until it is given back, cancel takes back what waits.',
    '# Who starts it holds the lock. That of somebody else is broken by those that `locks.by` in catalog.yaml names, with a record.',
    'name: Hold',
    `run-name: ${expression("format('{0} {1}', inputs.what, inputs.units)")}`,
    'on:',
    '  # Services of this repository.',
    '  workflow_dispatch:',
    ...holdInputs(['        type: choice', `        options: [${holdChoices.join(', ')}]`]),
    '  # Services of other repositories: a few lines there call this file.',
    '  workflow_call:',
    ...holdInputs(['        type: string']),
    ...judgingSecrets(facts),
    '',
    'permissions: {}',
    '',
    'jobs:',
    catalogJob(facts),
    ...elsewhereJob('It is started'),
    ...job('lock', 'contains(fromJSON(\'["lock","unlock"]\'), inputs.what)', holdGrants),
    teamStep(facts, 'secrets.team-key || secrets.PROTIUM_TEAMS_KEY'),
    '      - name: Lock it, or give the lock back',
    `        uses: ${own(facts, 'lock')}`,
    '        with:',
    `          units: ${expression('inputs.units')}`,
    `          reason: ${expression('inputs.reason')}`,
    `          until: ${expression('inputs.until')}`,
    `          release: ${expression("inputs.what == 'unlock'")}`,
    catalogInput,
    teamInput(facts),
    '',
    ...job('cancel', "inputs.what == 'cancel'", cancelGrants),
    '      - name: Take back what waits',
    `        uses: ${own(facts, 'cancel')}`,
    '        with:',
    `          units: ${expression('inputs.units')}`,
    `          reason: ${expression('inputs.reason')}`,
    '          waiting: true',
    catalogInput,
  )
}

const glassInputs: readonly string[] = [
  '    inputs:',
  '      service:',
  '        description: The service; `environment` for what the services of a stage share.',
  '        type: string',
  '        required: true',
  '      reason:',
  '        description: What the emergency is, in a sentence. It is kept in the record, and everybody sees it.',
  '        type: string',
  '        required: true',
  '      image:',
  '        description: What the build of the service made, name@sha256:digest; without it the images stay as they are.',
  '        type: string',
  "        default: ''",
]

function breakGlass(facts: Facts): string {
  const cloud = facts.stages.some(facts.cloud)
  return file(
    header,
    '# Breaks the glass: takes what is merged through the stages without waiting for soak, freeze and approval. Those may that',
    '# `glass.by` in catalog.yaml names. Stages come in their order, and what guards data, what keeps the rules, locks, and what people',
    '# have not seen hold it all the same. It is recorded, and the pull request asks for what has to follow.',
    '#',
    '# What GitHub itself asks for is not passed by that: where an environment has reviewers, one of them lets the job begin.',
    'name: Break glass',
    `run-name: Break glass for ${expression('inputs.service')}`,
    'on:',
    '  # Services of this repository.',
    '  workflow_dispatch:',
    ...glassInputs,
    '  # Services of other repositories: a few lines there call this file.',
    '  workflow_call:',
    ...glassInputs,
    ...judgingSecrets(facts),
    '',
    'permissions: {}',
    '',
    'jobs:',
    catalogJob(facts),
    ...elsewhereJob('The glass is broken'),
    '  deploy:',
    ...before(facts).map((each) => `    needs: ${each}`),
    '    if: >-',
    `      ${onDefaultBranch}`,
    permissions(deployGrants(cloud)),
    stagesCall(facts),
    '    with:',
    `      service: ${expression('inputs.service')}`,
    `      image: ${expression('inputs.image')}`,
    `      break-glass: ${expression('inputs.reason')}`,
    ...(facts.app === undefined ? [] : [`      catalog: ${expression(catalogArtifact)}`]),
    ...teamKey(facts),
  )
}

/** The private catalog is read with it. */
const keyOfApp = lines(
  '    secrets:',
  `      app-key: ${expression('secrets.PROTIUM_APP_KEY')} # it may read the catalog`,
)

/** The same for what judges who somebody is. */
function keysOf({ app, teams }: Partial<Workflows> = {}): string | undefined {
  if (teams !== true) return app === true ? keyOfApp : undefined
  return lines(
    app === true ? keyOfApp : '    secrets:',
    `      team-key: ${expression('secrets.PROTIUM_TEAMS_KEY')} # it may see who is in a team`,
  )
}

type Caller = { readonly cloud: boolean; readonly key: string | undefined }

function servicePullRequest(plan: string, caller: Caller): string {
  return file(
    '# Shows on a pull request what merging it would do. How, and in which stages, is the business of the catalog.',
    ...callOfPlan(plan, caller),
  )
}

function callOfPlan(plan: string, { cloud, key }: Caller): readonly (string | undefined)[] {
  return [
    'name: Pull request',
    'on: pull_request',
    'permissions: {}',
    'jobs:',
    '  plan:',
    `    uses: ${plan} ${byBranch}`,
    permissions([
      ['checks', 'write', 'the check protium/plan'],
      ['contents', 'read', 'check out'],
      ...(cloud ? [['id-token', 'write', 'take a role that may look and not touch'] as const] : []),
      ['pull-requests', 'write', 'the comment'],
    ]),
    key,
  ]
}

/** The catalog's own caller: that of a service repository, told why it is one. */
function pullRequest(facts: Facts, repository: string): string {
  return file(
    header,
    '# Shows on a pull request what merging it would do. It calls plan.yml as the main branch has it, not as the pull request would',
    '# have it: roles in the accounts are given to that alone.',
    ...callOfPlan(`${repository}/${folder}/plan.yml@${branch}`, {
      cloud: facts.stages.some(facts.cloud),
      key: facts.app === undefined ? undefined : keyOfApp,
    }),
  )
}

function serviceForks(forks: string): string {
  return file(
    '# Says on the pull request of a fork what was found in it; a repository that takes none can do without this file.',
    'name: Pull request of a fork',
    'on:',
    `  workflow_run: ${forkTrigger}`,
    '    workflows: [Pull request]',
    '    types: [completed]',
    'permissions: {}',
    'jobs:',
    '  post:',
    `    uses: ${forks} ${byBranch}`,
    permissions(forkGrants),
  )
}

function serviceDeploy(deploy: string, { cloud, key }: Caller): string {
  return file(
    '# Deploys what is merged, stage by stage; which stages there are is the business of the catalog. A job before this one that',
    '# builds the image hands it over, and every stage gets that very image:',
    '#     needs: build',
    '#     with:',
    `#       image: ${expression('needs.build.outputs.image')} # name@sha256:digest`,
    'name: Deploy',
    'on:',
    '  push:',
    '    branches: [main]',
    'permissions: {}',
    'jobs:',
    '  deploy:',
    `    uses: ${deploy} ${byBranch}`,
    permissions(deployGrants(cloud)),
    key,
  )
}

function serviceResume(resume: string, { isLookedAfter }: { readonly isLookedAfter: boolean }): string {
  return file(
    isLookedAfter
      ? '# Goes on with a promotion that was held when somebody has approved it. The catalog does so when its time has come.'
      : '# Goes on with promotions that were held when they may: their time has come, or somebody has approved them.',
    'name: Resume',
    'on:',
    ...(isLookedAfter ? [] : ['  schedule:', everyTenMinutes]),
    '  workflow_dispatch:',
    '  pull_request_review:',
    '    types: [submitted]',
    'permissions: {}',
    'jobs:',
    '  resume:',
    `    uses: ${resume} ${byBranch}`,
    permissions(resumeGrants),
  )
}

function serviceRollback(rollback: string, { cloud, key }: Caller): string {
  return file(
    '# Goes back in one stage to what ran before; which stages there are is the business of the catalog. Start it under Actions, or:',
    '#     gh workflow run rollback.yml -f service=… -f stage=… -f reason=…',
    'name: Roll back',
    `run-name: Roll back ${expression('inputs.service')} in ${expression('inputs.stage')}`,
    'on:',
    '  workflow_dispatch:',
    ...rollbackInputs(['        type: string']),
    'permissions: {}',
    'jobs:',
    '  rollback:',
    `    uses: ${rollback} ${byBranch}`,
    '    with:',
    ...['service', 'stage', 'reason', 'to', 'acknowledge'].map(
      (name) => `      ${name}: ${expression(`inputs.${name}`)}`,
    ),
    permissions([
      ['contents', 'write', 'check out, and add one file an attempt to the branch protium-ledger'],
      ['deployments', 'write', 'the deployment, its state and its address'],
      ...(cloud ? [['id-token', 'write', 'take the role of the stage'] as const] : []),
    ]),
    key,
  )
}

function serviceHold(hold: string, { key }: Caller): string {
  const grants = new Map([...holdGrants, ...cancelGrants].map((grant) => [grant[0], grant]))
  return file(
    '# Locks the service or one of its stages, gives the lock back, or takes back what waits. Start it under Actions, or:',
    '#     gh workflow run hold.yml -f what=lock -f units=… -f reason=…',
    'name: Hold',
    `run-name: ${expression("format('{0} {1}', inputs.what, inputs.units)")}`,
    'on:',
    '  workflow_dispatch:',
    ...holdInputs(['        type: choice', `        options: [${holdChoices.join(', ')}]`]),
    'permissions: {}',
    'jobs:',
    '  hold:',
    `    uses: ${hold} ${byBranch}`,
    '    with:',
    ...['what', 'units', 'reason', 'until'].map((name) => `      ${name}: ${expression(`inputs.${name}`)}`),
    permissions([...grants.values()].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    key,
  )
}

function serviceGlass(glass: string, { cloud, key }: Caller): string {
  return file(
    '# Deploys in an emergency what is merged, without waiting for soak, freeze and approval. Who may is the business of the catalog.',
    '#     gh workflow run glass.yml -f service=… -f reason=…',
    'name: Break glass',
    `run-name: Break glass for ${expression('inputs.service')}`,
    'on:',
    '  workflow_dispatch:',
    ...glassInputs,
    'permissions: {}',
    'jobs:',
    '  deploy:',
    `    uses: ${glass} ${byBranch}`,
    '    with:',
    ...['service', 'reason', 'image'].map((name) => `      ${name}: ${expression(`inputs.${name}`)}`),
    permissions(deployGrants(cloud)),
    key,
  )
}
