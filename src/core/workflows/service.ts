import type { Workflows } from '../catalog.ts'
import { branch } from '../trust/names.ts'
import { deployGrants, glassInputs } from './deploy.ts'
import type { Facts } from './facts.ts'
import { cancelGrants, holdChoices, holdGrants, holdInputs } from './hold.ts'
import { forkGrants } from './plan.ts'
import { everyTenMinutes, resumeGrants } from './resume.ts'
import { rollbackInputs } from './rollback.ts'
import { byBranch, expression, file, folder, forkTrigger, header, lines, permissions } from './text.ts'

/** The private catalog is read with it. */
export const keyOfApp = lines(
  '    secrets:',
  `      app-key: ${expression('secrets.PROTIUM_APP_KEY')} # it may read the catalog`,
)

/** The same for what judges who somebody is. */
export function keysOf({ app, teams }: Partial<Workflows> = {}): string | undefined {
  if (teams !== true) return app === true ? keyOfApp : undefined
  return lines(
    app === true ? keyOfApp : '    secrets:',
    `      team-key: ${expression('secrets.PROTIUM_TEAMS_KEY')} # it may see who is in a team`,
  )
}

type Caller = { readonly cloud: boolean; readonly key: string | undefined }

export function servicePullRequest(plan: string, caller: Caller): string {
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
export function pullRequest(facts: Facts, repository: string): string {
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

export function serviceForks(forks: string): string {
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

export function serviceDeploy(deploy: string, { cloud, key }: Caller): string {
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

export function serviceResume(resume: string, { isLookedAfter }: { readonly isLookedAfter: boolean }): string {
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

export function serviceRollback(rollback: string, { cloud, key }: Caller): string {
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

export function serviceHold(hold: string, { key }: Caller): string {
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

export function serviceGlass(glass: string, { cloud, key }: Caller): string {
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
