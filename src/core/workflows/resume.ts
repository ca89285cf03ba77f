import type { Facts } from './facts.ts'
import { own } from './facts.ts'
import type { Grant } from './text.ts'
import { expression, file, header, lines, others, permissions, sameRepository } from './text.ts'

/** What starts jobs again that wait. */
export const resumeGrants: readonly Grant[] = [
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
export const everyTenMinutes = "    - cron: '4-59/10 * * * *' # GitHub is late at times; nothing depends on the minute"

export function resume(facts: Facts): string {
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
