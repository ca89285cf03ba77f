import type { Facts } from './facts.ts'
import { before, own } from './facts.ts'
import {
  catalogArtifact,
  catalogInput,
  catalogJob,
  checkouts,
  elsewhereJob,
  judgingSecrets,
  teamInput,
  teamStep,
} from './steps.ts'
import type { Grant } from './text.ts'
import { expression, file, header, onDefaultBranch, permissions } from './text.ts'

export function holdInputs(what: readonly string[]): readonly string[] {
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

export const holdChoices = ['lock', 'unlock', 'cancel'] as const
export const holdGrants: readonly Grant[] = [
  ['actions', 'read', 'see whether the run that a lock was taken for is over'],
  ['contents', 'write', 'check out; change the branch protium-board; record on protium-ledger whose lock was broken'],
]
export const cancelGrants: readonly Grant[] = [
  ['contents', 'write', 'check out, and change the branch protium-board'],
  ['deployments', 'write', 'say of the deployment that it is cancelled'],
  ['pull-requests', 'write', 'say so on the pull request that was merged'],
]

export function hold(facts: Facts): string {
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
