import type { CheckName } from '../policy/rules.ts'
import type { Stage } from '../stage.ts'
import type { Purpose } from '../trust/names.ts'
import { deploySeconds, roleArn } from '../trust/names.ts'
import type { Facts } from './facts.ts'
import { catalogFolder, elsewhere, expression, lines, onDefaultBranch, others, permissions } from './text.ts'

/** Checks out the commit of the run, and beside it the catalog where the run is a service repository's. */
export function checkouts(
  facts: Facts,
  { what, artifact }: { readonly what: string; readonly artifact: string },
): string {
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
export function catalogSteps({ app }: Facts, artifact: string): string {
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
export function catalogJob({ app }: Facts): string | undefined {
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

export const catalogArtifact = 'needs.catalog.outputs.catalog'
/** What is declared of the key where another repository calls. */
export const secrets = [
  '    secrets:',
  '      app-key:',
  '        description: The private key of the App that may read the catalog.',
  '        required: true',
]

export const teamSecret = [
  '      team-key:',
  '        description: The private key of the App that may see who is in a team.',
  '        required: false',
]

/** What is declared of the keys of both Apps, for what judges who somebody is. */
export function judgingSecrets({ app, workflows: { teams } }: Facts): readonly string[] {
  if (teams !== true) return app === undefined ? [] : secrets
  return [...(app === undefined ? ['    secrets:'] : secrets), ...teamSecret]
}

/** Hands that key on to the stages: of a run of the catalog's own it is the organisation's. */
export function teamKey({ workflows: { teams } }: Facts): readonly string[] {
  if (teams !== true) return []
  return [
    '    secrets:',
    `      team-key: ${expression('secrets.team-key || secrets.PROTIUM_TEAMS_KEY')} # it sees teams`,
  ]
}

/** Takes a token that may see who is in a team. Without it whoever has to be in one is held, which is said. */
export function teamStep({ workflows: { teams } }: Facts, key = 'secrets.team-key'): string | undefined {
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

export function teamInput({ workflows: { teams } }: Facts): string | undefined {
  return teams === true ? `          team-token: ${expression('steps.teams.outputs.token')}` : undefined
}

export const ownCatalog = expression(`${elsewhere} && '${catalogFolder}' || '.'`)
export const catalogInput = `          catalog: ${ownCatalog}`

/** Stacks of the local provisioner are files; on a runner that forgets they have to lie somewhere that it does not. */
export function stateInput(facts: Facts, stage: Stage): string | undefined {
  if (!facts.local(stage)) return undefined
  return `          state: ${expression("vars.PROTIUM_STATE || '.protium'")} # the local stacks; a folder that the runner keeps`
}

/**
 * The step that takes the role of a job's environment by the identity that GitHub vouches for. It stands between what is
 * checked out and Protium, which sees credentials as any program of AWS does.
 */
export function roleStep(facts: Facts, stage: Stage, environment: string): string | undefined {
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

/** Of a job that changes what runs in a stage: whose rules it is under, and that one is under way at a time. `turn` says why, as a comment. */
export function stageRules({ name, approval }: Stage, turn: string): string {
  const approvers = approval?.by.join(', ')
  return lines(
    approvers === undefined
      ? '    # The rules of this environment say which branches may deploy here.'
      : `    # The rules of this environment say which branches may deploy here, and that one of ${approvers} approves it.`,
    '    # The action makes a deployment for the service, so the job does not make one for itself.',
    '    environment:',
    `      name: ${name}`,
    '      deployment: false',
    `    # ${turn}`,
    '    concurrency:',
    `      group: protium-deploy-${expression('inputs.service')}-${name}`,
    '      cancel-in-progress: false',
    '      queue: max',
  )
}

/** What a job is given that looks at a stage and touches nothing: its role of that purpose, and `contents` for what it says. */
export function lookingHead(
  facts: Facts,
  { stage, contents }: { readonly stage: Stage; readonly contents: string },
): string {
  const { name } = stage
  return lines(
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 15',
    '    # The rules of this environment say which branches may ask for its role; it is no deployment.',
    '    environment:',
    `      name: ${name}-plan`,
    '      deployment: false',
    permissions([
      ['contents', 'read', contents],
      ...(facts.cloud(stage)
        ? [['id-token', 'write', `take the role of ${name}-plan, which may look and not touch`] as const]
        : []),
    ]),
  )
}

/**
 * How the programs get onto a runner of GitHub: cfn-lint by pipx, which is there; cfn-guard from AWS's package for the CDK, by
 * its digest, since no registry has it under its own name.
 */
export const installs = {
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

/** Where every other job is left out, this one says why; without it that would look like a success. */
export function elsewhereJob(what: string): readonly string[] {
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
