import { command, path } from '../command.ts'
import { type LedgerFault, recordsIn } from '../core/ledger.ts'
import type { Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import { count } from '../core/report.ts'
import { releaseFaults } from './released.ts'

export const ledger = command({
  name: 'ledger',
  summary:
    'Checks the ledger of deployments and releases, as git has fetched it: that no record is missing, was changed, or was put in, and that tags are where they were.',
  inputs: { root: path('A folder in a clone of the repository whose ledger it is.', { default: '.' }) },
  outputs: {
    records: 'How many records there are.',
    faults: 'What is wrong, each with the record and how it is known; empty if the ledger is whole.',
  },
  async run(ports, { root }) {
    const fetched = await ports.files.ledger(root)
    if (fetched === undefined) {
      throw new Refused('no-ledger', 'Git has fetched no branch `protium-ledger` here, so there is nothing to check.', {
        remedy:
          'Fetch it: `git fetch origin protium-ledger:refs/remotes/origin/protium-ledger`. Before the first deployment there is none.',
      })
    }
    if (fetched.problems.length > 0)
      return { exit: 'bad-input', data: { records: 0, faults: [] }, text: () => '', problems: fetched.problems }
    const { records, faults: broken } = recordsIn(fetched)
    const moved = await releaseFaults(ports.files, root)
    const faults = [...broken, ...moved]
    const told =
      (code: Problem['code'], expected: string) =>
      (fault: LedgerFault): Problem => ({
        code,
        severity: 'error',
        message: fault.what,
        expected,
        remedy: fault.remedy,
        at: { file: fault.file, line: 0, column: 0 },
      })
    const problems = [
      ...broken.map(
        told('ledger-broken', 'Records as they were written: they are added, and never changed or taken away.'),
      ),
      // By a code of their own: what is wrong with a tag is to be seen beside what is wrong with its record.
      ...moved.map(told('release-changed', 'The tag of each release where it was when that was recorded.')),
    ]
    return {
      exit: faults.length === 0 ? 'done' : 'different',
      data: { records, faults: faults.map(({ file, what }) => ({ file, what })) },
      text: (paint) =>
        faults.length === 0
          ? `${paint.good('The ledger is whole:')} ${count(records, 'record')}, each as it was written, in one chain.`
          : paint.bad(`The ledger is not whole: ${count(faults.length, 'fault')} in ${count(records, 'record')}.`),
      problems,
    }
  },
})
