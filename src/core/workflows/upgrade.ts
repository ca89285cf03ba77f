import type { Facts } from './facts.ts'
import { own } from './facts.ts'
import { elsewhereJob } from './steps.ts'
import type { Grant } from './text.ts'
import { expression, file, header, lines, onDefaultBranch, others, permissions } from './text.ts'

/** What a token of the App may that looks at all repositories, and one that writes to those of a shard. */
const planGrants: readonly Grant[] = [
  ['checks', 'read', 'see whether the checks of an upgrade pass'],
  ['contents', 'read', 'see who runs what'],
  ['deployments', 'read', 'see what became of upgrades that were merged'],
  ['pull-requests', 'read', 'see which upgrades are open, and which somebody has closed'],
  ['statuses', 'read', 'see whether the checks of an upgrade pass'],
]
const shardGrants: readonly Grant[] = [
  ['checks', 'read', 'see whether the checks of an upgrade pass'],
  ['contents', 'write', 'write the branches of upgrades'],
  ['pull-requests', 'write', 'open, edit and close the pull requests of upgrades'],
  ['statuses', 'read', 'see whether the checks of an upgrade pass'],
]

/** What the App for upgrades has to be given: each job takes a part of it. */
export const upgradeGrants: readonly Grant[] = [
  ...planGrants.filter(([scope]) => shardGrants.every(([other]) => other !== scope)),
  ...shardGrants,
]

/** What the jobs may in the catalog itself. */
const ownGrants: readonly Grant[] = [
  ['contents', 'write', 'check out; note on the branch protium-rollouts how far a rollout is'],
  ['issues', 'write', 'the one issue of a rollout, which tells how it stands'],
]

/** Whether releases are brought to who runs the templates, by pull requests of an App. */
export function hasUpgrades({ workflows }: Pick<Facts, 'workflows'>): boolean {
  return workflows.upgrades === true && workflows.repository !== undefined
}

const choices = ['go on', 'halt', 'pause', 'resume', 'next-wave', 'abort'] as const
/** They may be done beside a run that opens pull requests, which then stops by itself. */
const halts = 'contains(fromJSON(\'["halt","pause"]\'), inputs.what)'

/**
 * Brings releases to who runs the templates. The plan reads all with a token that may only read, and lists the shards that have
 * something to write; each of these takes a token of the same App for its repositories alone. A run does as much as an hour
 * allows, and ends; the next hour goes on.
 */
export function upgrade(facts: Facts): string {
  return file(
    header,
    '# Brings the releases of templates to those who run them: a pull request in each repository, in waves, and none where nothing would change.',
    '#',
    '#   control   halts or pauses a rollout, goes on with it, or takes it back, for a person who says so.',
    '#   plan      reads who runs what, with a token that may only read, and says which repositories have something to be written.',
    '#   upgrade   writes there: some hundred repositories at a time, with a token for these alone that cannot touch workflows.',
    '#',
    '# GitHub takes some hundred pull requests an hour, so a run does a part and ends; the next hour goes on where it was. How is in',
    '# catalog.yaml, below `upgrades:`. A pull request that somebody closes is not opened again.',
    'name: Upgrade',
    `run-name: ${expression("inputs.what && format('{0} {1}', inputs.what, inputs.release) || 'Upgrade'")}`,
    'on:',
    '  schedule:',
    "    - cron: '37 * * * *' # at a minute when fewer others begin; nothing depends on it",
    '  # A person, or release.yml when something was released.',
    '  workflow_dispatch:',
    '    inputs:',
    '      what:',
    '        description: What to do with rollouts.',
    '        type: choice',
    `        options: [${choices.join(', ')}]`,
    '        default: go on',
    '        required: true',
    '      release:',
    '        description: Which one, as template@version; all that are under way if nothing is said.',
    '        type: string',
    "        default: ''",
    '      reason:',
    '        description: Why, in a sentence. It stands on the issue of the rollout.',
    '        type: string',
    "        default: ''",
    '',
    'permissions: {}',
    '',
    '# One at a time, and none is thrown out. Who halts or pauses a rollout does not wait for the one that is under way.',
    'concurrency:',
    `  group: protium-upgrade-${expression(`${halts} && 'halt' || 'write'`)}`,
    '  cancel-in-progress: false',
    '  queue: max',
    '',
    'jobs:',
    ...elsewhereJob('Upgrades are looked after'),
    controlJob(facts),
    '',
    planJob(facts),
    '',
    shardsJob(facts),
  )
}

function controlJob(facts: Facts): string {
  return lines(
    '  control:',
    '    if: >-',
    `      contains(fromJSON('${JSON.stringify(choices.slice(1))}'), inputs.what)`,
    `      && ${onDefaultBranch}`,
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 10',
    permissions(ownGrants),
    '    steps:',
    checkout,
    '      - name: Note it',
    `        uses: ${own(facts, 'upgrade')}`,
    '        with:',
    `          what: ${expression('inputs.what')}`,
    `          release: ${expression('inputs.release')}`,
    `          reason: ${expression('inputs.reason')}`,
  )
}

function planJob(facts: Facts): string {
  return lines(
    '  plan:',
    '    needs: control',
    '    # Where nobody has said anything, that job is skipped, which is no failure.',
    '    if: >-',
    '      !cancelled()',
    "      && needs.control.result != 'failure'",
    `      && !${halts}`,
    `      && ${onDefaultBranch}`,
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 50 # its token lasts for an hour',
    environment,
    permissions(ownGrants),
    '    outputs:',
    `      shards: ${expression('steps.plan.outputs.shards')} # a JSON list: of each its number and its repositories`,
    '    steps:',
    checkout,
    tokenStep('that may read who runs what, and no more', { grants: planGrants }),
    '      - name: See who is to be offered what',
    '        id: plan',
    `        uses: ${own(facts, 'upgrade')}`,
    '        with:',
    '          show: true',
    fleetToken,
    '      - name: Read all that runs a template, for the blast radius of changes',
    '        id: consumers',
    "        if: ${{ !cancelled() && steps.token.outcome == 'success' }}",
    `        uses: ${own(facts, 'consumers')}`,
    '        with:',
    `          out: ${expression('runner.temp')}/consumers.json`,
    fleetToken,
    '      - name: Keep it, for the pull requests of this repository',
    "        if: ${{ !cancelled() && steps.consumers.outcome == 'success' }}",
    `        uses: ${others.upload}`,
    '        with:',
    `          name: ${consumersArtifact}`,
    `          path: ${expression('runner.temp')}/consumers.json`,
    '          if-no-files-found: ignore',
    '          retention-days: 3',
  )
}

/** What is known of the consumers in other repositories, as the main branch has read it. */
export const consumersArtifact = 'protium-consumers'

function shardsJob(facts: Facts): string {
  return lines(
    '  upgrade:',
    `    name: upgrade ${expression('matrix.part.shard')}`,
    '    needs: plan',
    '    if: >-',
    '      !cancelled()',
    "      && needs.plan.result == 'success'",
    "      && needs.plan.outputs.shards != ''",
    "      && needs.plan.outputs.shards != '[]'",
    '    strategy:',
    '      fail-fast: false',
    '      max-parallel: 1 # GitHub counts what is opened, whoever does it',
    '      matrix:',
    `        part: ${expression('fromJSON(needs.plan.outputs.shards)')}`,
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 50 # its token lasts for an hour',
    environment,
    permissions(ownGrants),
    '    steps:',
    checkout,
    tokenStep('for the repositories of this shard, which cannot touch workflows', {
      grants: shardGrants,
      repositories: expression('matrix.part.repositories'),
    }),
    '      - name: Open, edit and close the pull requests of this shard',
    `        uses: ${own(facts, 'upgrade')}`,
    '        with:',
    `          shard: ${expression('matrix.part.shard')}`,
    fleetToken,
  )
}

const fleetToken = `          fleet-token: ${expression('steps.token.outputs.token')}`

const environment = lines(
  '    # The rules of this environment say that the default branch alone is given the key.',
  '    environment:',
  '      name: protium-upgrades',
  '      deployment: false',
)

const checkout = lines(
  '      - name: Check out the catalog, with the released versions and its ledger',
  `        uses: ${others.checkout}`,
  '        with:',
  '          fetch-depth: 0 # tags hold the released versions of templates',
  '          persist-credentials: false # so that no file finds a token in .git/config',
)

function tokenStep(
  what: string,
  { grants, repositories }: { readonly grants: readonly Grant[]; readonly repositories?: string },
): string {
  return lines(
    `      - name: Take a token ${what}`,
    '        id: token',
    `        uses: ${others.token}`,
    '        with:',
    `          client-id: ${expression('vars.PROTIUM_UPGRADES_CLIENT_ID')}`,
    `          private-key: ${expression('secrets.PROTIUM_UPGRADES_KEY')}`,
    `          owner: ${expression('github.repository_owner')}`,
    repositories === undefined ? undefined : `          repositories: ${repositories}`,
    ...grants.map(([scope, access, why]) => `          permission-${scope}: ${access} # ${why}`),
  )
}
