import { command, lines, path } from '../command.ts'
import { diagnose, diagnosisPage, diagnosisText, isCutOff } from '../core/doctor.ts'
import { count } from '../core/report.ts'
import { examine } from './examining.ts'
import { readFolder } from './reading.ts'

export const doctor = command({
  name: 'doctor',
  summary:
    'Looks whether everything around the catalog is as it needs it: GitHub, the accounts, the names. Changes nothing, and says how each gap is closed.',
  inputs: {
    repository: lines('A repository of a service to look at as well, besides those that catalog.yaml names.', {
      hint: 'OWNER/NAME',
    }),
    root: path('The folder of the catalog.', { default: '.' }),
  },
  outputs: {
    findings:
      'What was looked at: each with `check`, `is` (`ok`, `warn`, `fail` or `unknown`), `group`, `about`, `what`, and `fix`.',
    failures: 'How many of them are failures.',
  },
  permissions: {
    actions: { access: 'read', why: 'the environments, and the form of identities' },
    contents: { access: 'read', why: 'check out; the errors of the code owners' },
  },
  async run(ports, { repository, root }) {
    const none = { data: { findings: [], failures: 0 }, text: () => '' }
    const strange = repository.filter((name) => !/^[A-Za-z0-9][A-Za-z0-9-]*\/[A-Za-z0-9._-]+$/u.test(name))
    if (strange.length > 0) {
      return {
        exit: 'bad-input',
        ...none,
        problems: strange.map((name) => ({
          code: 'option-value',
          severity: 'error',
          message: `--repository is ${JSON.stringify(name.slice(0, 100))}.`,
          expected: 'A repository as owner/name.',
          remedy: 'Correct it.',
        })),
      }
    }
    const { organisation, sources } = await readFolder(ports, root)
    if (!organisation.ok) return { exit: 'bad-input', ...none, problems: organisation.problems, sources }
    const { catalog } = organisation.value
    const facts = await examine(ports, { root, catalog, more: repository })
    const findings = diagnose(catalog, facts)
    const failures = findings.filter(({ is }) => is === 'fail').length
    const server = ports.run?.server ?? 'https://github.com'
    ports.reporter.step('looked', `${count(findings.length, 'finding')}, ${count(failures, 'failure')}`)
    return {
      exit: failures > 0 ? 'different' : isCutOff(facts) ? 'unfinished' : 'done',
      data: {
        findings: findings.map(({ about, fix, link, ...finding }) => ({
          ...finding,
          about: about ?? null,
          fix: fix ?? null,
          link: link === undefined ? null : [server, ...link].join('/'),
        })),
        failures,
      },
      text: (paint) => diagnosisText(findings, { paint, server }),
      page: diagnosisPage(findings, { server }),
      problems: organisation.problems.filter(({ severity }) => severity === 'error'),
      sources,
    }
  },
})
