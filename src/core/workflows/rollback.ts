import type { Stage } from '../stage.ts'
import type { Facts } from './facts.ts'
import { before, own } from './facts.ts'
import {
  catalogArtifact,
  catalogInput,
  catalogJob,
  checkouts,
  lookingHead,
  roleStep,
  secrets,
  stageRules,
  stateInput,
} from './steps.ts'
import { expression, file, header, lines, list, onDefaultBranch, permissions } from './text.ts'

/** What a person is asked for who starts a rollback. `stage` says what kind of word a stage is. */
export function rollbackInputs(stage: readonly string[]): readonly string[] {
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

export function rollback(facts: Facts): string {
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
    lookingHead(facts, { stage, contents: 'check out, with the records of the branch protium-ledger' }),
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
  return lines(
    `  rollback-${name}:`,
    `    needs: ${list([...before(facts), `plan-${name}`])}`,
    '    runs-on: ubuntu-latest',
    `    timeout-minutes: ${facts.cloud(stage) ? 120 : 30}`,
    stageRules(stage, 'In one queue with the deployments of this stage: neither begins in the middle of the other.'),
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
