import type { Stage } from '../stage.ts'
import type { Facts } from './facts.ts'
import { before, own } from './facts.ts'
import {
  catalogArtifact,
  catalogInput,
  catalogJob,
  catalogSteps,
  checkouts,
  installs,
  lookingHead,
  ownCatalog,
  roleStep,
  secrets,
  stateInput,
} from './steps.ts'
import type { Grant } from './text.ts'
import { impactArtifact, impactGrants, impactName, reportStep } from './impact.ts'
import {
  expression,
  file,
  forkTrigger,
  header,
  here,
  lines,
  list,
  others,
  permissions,
  sameRepository,
} from './text.ts'

/** The job that reads what a stranger may have written. It is the same before and after the merge. */
export function validateJob(
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

export function validate(facts: Facts): string {
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

export function plan(facts: Facts): string {
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
    lookingHead(facts, { stage, contents: 'check out the catalog, which says the account and the region' }),
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

const forkGrant: Grant = ['actions', 'read', 'fetch what the other run left']
export const forkGrants: readonly Grant[] = [forkGrant, ...postGrants]

export function forks(facts: Facts): string {
  return file(
    header,
    '# Says on the pull request of a fork what was found in it. The run of such a pull request is given no right to write, rightly,',
    '# so a second run does it: one of the default branch, which nobody outside can change. It checks out nothing and runs',
    '# nothing of the fork; what it posts is read as data, and everything in it is encoded. There is no account in reach.',
    'name: Plan of a fork',
    'on:',
    `  workflow_run: ${forkTrigger}`,
    `    workflows: [${facts.trusting === undefined ? 'Plan' : 'Pull request'}, ${impactName}]`,
    '    types: [completed]',
    '  workflow_call:',
    '',
    'permissions: {}',
    '',
    'concurrency:',
    `  group: protium-fork-${expression('github.event.workflow_run.workflow_id')}-${expression('github.event.workflow_run.head_repository.id')}-${expression('github.event.workflow_run.head_branch')}`,
    '  cancel-in-progress: true',
    '',
    'jobs:',
    '  post:',
    '    # Pull requests of this repository have had their plan already.',
    '    if: >-',
    ...ofFork(`github.event.workflow_run.name != '${impactName}'`),
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
    '',
    '  impact:',
    '    if: >-',
    ...ofFork(`github.event.workflow_run.name == '${impactName}'`),
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 5',
    permissions([forkGrant, ...impactGrants]),
    '    steps:',
    '      - name: Fetch what was found',
    `        uses: ${others.download}`,
    '        with:',
    `          name: ${impactArtifact}`,
    `          run-id: ${expression('github.event.workflow_run.id')}`,
    `          github-token: ${expression('github.token')}`,
    `          path: ${expression('runner.temp')}/impact`,
    reportStep(facts),
  )
}

/** Pull requests of this repository have had theirs already. */
function ofFork(which: string): readonly string[] {
  return [
    "      github.event.workflow_run.event == 'pull_request'",
    `      && ${which}`,
    '      && github.event.workflow_run.head_repository.full_name != github.repository',
  ]
}
