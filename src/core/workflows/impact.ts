import type { Facts } from './facts.ts'
import { own } from './facts.ts'
import type { Grant } from './text.ts'
import { expression, file, header, lines, others, permissions, sameRepository } from './text.ts'
import { consumersArtifact, hasUpgrades } from './upgrade.ts'

/** The name of the workflow, by which that for forks knows it. */
export const impactName = 'Blast radius'
export const impactArtifact = 'protium-impact'

export const impactGrants: readonly Grant[] = [
  ['checks', 'write', 'the check protium/impact'],
  ['pull-requests', 'write', 'the comment'],
]

/**
 * Shows on a pull request of the catalog what a change of a template does to each who runs it. What runs elsewhere the main branch
 * has read; so no key is near to what a pull request holds, and a fork is shown as much.
 */
export function impact(facts: Facts): string {
  const isWide = hasUpgrades(facts)
  return file(
    header,
    '# Shows on a pull request what its change of templates and environments does to everything that runs them, before it is merged.',
    '#',
    ...(isWide
      ? [
          '#   consumers   fetches what the main branch has read of other repositories, an hour ago at most. It checks out nothing.',
          '#   render      renders each at its own inputs, as it was and as it would be. It may do nothing but read.',
        ]
      : ['#   render   renders each at its own inputs, as it was and as it would be. It may do nothing but read.']),
    `#   post${isWide ? '        ' : '     '}writes the comment and the check. It checks out nothing.`,
    '#',
    '# For the pull request of a fork forks.yml does the last.',
    `name: ${impactName}`,
    'on:',
    '  pull_request:',
    "    paths: [catalog.yaml, 'environments/**', 'policy/**', 'templates/**', 'waivers/**']",
    '',
    'permissions: {}',
    '',
    '# What an older push would do is of no use to anybody.',
    'concurrency:',
    `  group: protium-impact-${expression('github.event.pull_request.number')}`,
    '  cancel-in-progress: true',
    '',
    'jobs:',
    ...(isWide ? [consumersJob(), ''] : []),
    renderJob(facts, { isWide }),
    '',
    postJob(facts),
  )
}

/**
 * An artifact of that name can be made by any run, and a branch called as the main one is by a tag or by a pull request from it. What runs
 * by schedule is of the main branch, whoever pushes what; so the newest of such a run is meant, be that run at its end or not.
 */
const findScript = [
  '          ask() { curl --silent --show-error --fail --header "Authorization: Bearer $TOKEN" "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/$1"; }',
  "          runs=$(ask 'actions/runs?event=schedule&per_page=100' \\",
  '            | jq \'[.workflow_runs[] | select(.path | startswith(".github/workflows/upgrade.yml")) | .id] | .[:10][]\')',
  '          for run in $runs; do',
  `            left=$(ask "actions/runs/$run/artifacts?name=${consumersArtifact}" | jq '[.artifacts[] | select(.expired | not)] | length')`,
  '            if [ "$left" -gt 0 ]; then',
  '              echo "run=$run" >> "$GITHUB_OUTPUT"',
  '              break',
  '            fi',
  '          done',
]

function consumersJob(): string {
  return lines(
    '  consumers:',
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 5',
    permissions([['actions', 'read', 'find and fetch what a run of the main branch has left']]),
    '    outputs:',
    `      consumers: ${expression('steps.consumers.outputs.artifact-id')} # nothing where it was never read`,
    '    steps:',
    '      - name: Find what the main branch has read last',
    '        id: find',
    '        env:',
    `          TOKEN: ${expression('github.token')}`,
    '        shell: bash # where one of both fails, the step does',
    '        run: |',
    ...findScript,
    '      - name: Fetch it',
    "        if: steps.find.outputs.run != ''",
    `        uses: ${others.download}`,
    '        with:',
    `          name: ${consumersArtifact}`,
    `          run-id: ${expression('steps.find.outputs.run')}`,
    `          github-token: ${expression('github.token')}`,
    `          path: ${expression('runner.temp')}`,
    '      - name: Hand it on',
    '        id: consumers',
    "        if: steps.find.outputs.run != ''",
    `        uses: ${others.upload}`,
    '        with:',
    '          name: protium-consumers-of-main',
    `          path: ${expression('runner.temp')}/consumers.json`,
    '          retention-days: 1',
  )
}

function renderJob(facts: Facts, { isWide }: { readonly isWide: boolean }): string {
  return lines(
    '  render:',
    ...(isWide
      ? [
          '    needs: consumers',
          '    # Also where that could not be fetched: what runs in this repository is shown all the same.',
          `    if: ${expression('!cancelled()')}`,
        ]
      : []),
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 20',
    permissions([['contents', 'read', 'check out; nothing else, because of what it reads']]),
    '    outputs:',
    `      impact: ${expression('steps.impact.outputs.artifact-id')} # the next job asks for it by this id, not by a name`,
    '    steps:',
    '      - name: Check out the pull request as it would be merged',
    `        uses: ${others.checkout}`,
    '        with:',
    '          fetch-depth: 0 # with what it is compared with, and the released versions of templates',
    '          persist-credentials: false # so that no file finds a token in .git/config',
    ...(isWide
      ? [
          '      - name: Fetch who runs what elsewhere',
          "        if: needs.consumers.outputs.consumers != ''",
          `        uses: ${others.download}`,
          '        with:',
          `          artifact-ids: ${expression('needs.consumers.outputs.consumers')}`,
          `          path: ${expression('runner.temp')}`,
        ]
      : []),
    '      - name: Render all of them, as they were and as they would be',
    `        uses: ${own(facts, 'impact')}`,
    '        with:',
    isWide
      ? `          consumers: ${expression("needs.consumers.outputs.consumers != '' && format('{0}/consumers.json', runner.temp) || ''")}`
      : undefined,
    `          out: ${expression('runner.temp')}/impact.json`,
    '      - name: Hand on what was found',
    '        id: impact',
    `        if: ${expression('!cancelled()')} # also what is wrong is to be shown`,
    `        uses: ${others.upload}`,
    '        with:',
    `          name: ${impactArtifact}`,
    `          path: ${expression('runner.temp')}/impact.json`,
    '          if-no-files-found: ignore',
    '          retention-days: 90',
  )
}

function postJob(facts: Facts): string {
  return lines(
    '  post:',
    '    needs: render',
    '    if: >-',
    '      !cancelled()',
    `      && ${sameRepository}`,
    "      && needs.render.outputs.impact != ''",
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 5',
    permissions(impactGrants),
    '    steps:',
    '      - name: Fetch what was found',
    `        uses: ${others.download}`,
    '        with:',
    `          artifact-ids: ${expression('needs.render.outputs.impact')}`,
    `          path: ${expression('runner.temp')}/impact`,
    reportStep(facts),
  )
}

/** Writes the comment and the check, of a file that a job without rights has handed on. */
export function reportStep(facts: Facts): string {
  return lines(
    '      - name: Write the comment and the check',
    `        uses: ${own(facts, 'impact')}`,
    '        with:',
    `          report: ${expression('runner.temp')}/impact/impact.json`,
  )
}
