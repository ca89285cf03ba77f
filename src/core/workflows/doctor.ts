import type { Facts } from './facts.ts'
import { own } from './facts.ts'
import { file, header, others, permissions } from './text.ts'

export function doctor(facts: Facts): string {
  return file(
    header,
    '# Looks once a week whether what is around this catalog is as it needs it: environments and their rules, branches, code owners, names.',
    '# It changes nothing. What its token may not see it says; `protium doctor` on the machine of an administrator sees more.',
    'name: Doctor',
    'on:',
    '  schedule:',
    "    - cron: '17 5 * * 1' # Mondays, before people come",
    '  workflow_dispatch:',
    '',
    'permissions: {}',
    '',
    'jobs:',
    '  doctor:',
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 10',
    permissions([
      ['actions', 'read', 'the environments, and the form of identities'],
      ['contents', 'read', 'check out; the errors of the code owners'],
    ]),
    '    steps:',
    '      - name: Check out the catalog, and its ledger',
    `        uses: ${others.checkout}`,
    '        with:',
    '          fetch-depth: 0 # with all branches: the ledger is one',
    '          persist-credentials: false # so that no file finds a token in .git/config',
    '      - name: Look',
    `        uses: ${own(facts, 'doctor')}`,
  )
}
