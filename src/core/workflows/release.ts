import type { Facts } from './facts.ts'
import { own } from './facts.ts'
import { elsewhereJob } from './steps.ts'
import { expression, file, header, lines, onDefaultBranch, others, permissions } from './text.ts'
import { hasUpgrades } from './upgrade.ts'

/** Publishes what has a new version. */
export function release(facts: Facts): string {
  return file(
    header,
    '# Publishes the templates whose version has risen: a tag, a record on the branch protium-ledger, a release on GitHub. What is published',
    '# never changes. To go on after a failure, run the job again: what is done is not done twice.',
    'name: Release',
    'on:',
    '  push:',
    '    branches: [main]',
    "    paths: ['templates/**']",
    '  workflow_dispatch:',
    '',
    'permissions: {}',
    '',
    '# One after the other, and none is thrown out.',
    'concurrency:',
    '  group: protium-release',
    '  cancel-in-progress: false',
    '  queue: max',
    '',
    'jobs:',
    ...elsewhereJob('Templates are released'),
    '  release:',
    '    if: >-',
    `      ${onDefaultBranch}`,
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 15',
    permissions([['contents', 'write', 'check out; the tags, the releases, and one file for each on protium-ledger']]),
    '    outputs:',
    `      released: ${expression('steps.release.outputs.released')} # a JSON list of name@version`,
    '    steps:',
    '      - name: Check out the merged commit, with all tags and the ledger',
    `        uses: ${others.checkout}`,
    '        with:',
    '          fetch-depth: 0',
    '          persist-credentials: false # so that no file finds a token in .git/config',
    '      - name: Release what has a new version',
    '        id: release',
    `        uses: ${own(facts, 'release')}`,
    ...(hasUpgrades(facts) ? ['', upgradeJob()] : []),
  )
}

/**
 * Does at once what the next hour would do. It starts that workflow instead of calling it: the key of the App lies in an environment, and a
 * workflow that is called is given such a key only together with all secrets there are.
 */
function upgradeJob(): string {
  return lines(
    '  # Those who run them are offered the new versions at once, and not with the next hour.',
    '  upgrade:',
    '    needs: release',
    "    if: needs.release.outputs.released != '' && needs.release.outputs.released != '[]'",
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 5',
    permissions([['actions', 'write', 'start the workflow upgrade.yml']]),
    '    steps:',
    '      - name: Start it',
    '        env:',
    `          TOKEN: ${expression('github.token')}`,
    '        run: |',
    '          curl --silent --show-error --fail --request POST --header "Authorization: Bearer $TOKEN" \\',
    '            --header "Content-Type: application/json" --data "{\\"ref\\":\\"$GITHUB_REF_NAME\\"}" \\',
    '            "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/actions/workflows/upgrade.yml/dispatches"',
  )
}
