import type { Stage } from '../stage.ts'
import { branch } from '../trust/names.ts'
import type { Facts } from './facts.ts'
import { before, own } from './facts.ts'
import { validateJob } from './plan.ts'
import {
  catalogArtifact,
  catalogInput,
  catalogJob,
  checkouts,
  elsewhereJob,
  judgingSecrets,
  roleStep,
  stageRules,
  stateInput,
  teamInput,
  teamKey,
  teamSecret,
  teamStep,
} from './steps.ts'
import type { Grant } from './text.ts'
import {
  byBranch,
  elsewhere,
  expression,
  file,
  folder,
  header,
  lines,
  list,
  onDefaultBranch,
  permissions,
} from './text.ts'

export function deployGrants(cloud: boolean): readonly Grant[] {
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

export function deploy(facts: Facts): string {
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

export function stagesOfService(facts: Facts): string {
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
  return lines(
    `  ${name}:`,
    before === undefined ? undefined : `    needs: ${before.name}`,
    '    runs-on: ubuntu-latest',
    `    timeout-minutes: ${facts.cloud(stage) ? 120 : 30}`,
    stageRules(
      stage,
      'One at a time in this stage. All wait for their turn: without `queue: max` a third would throw the second out, silently.',
    ),
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

export const glassInputs: readonly string[] = [
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

export function breakGlass(facts: Facts): string {
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
