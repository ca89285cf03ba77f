import type { Ports } from '../command.ts'
import type { Catalog } from '../core/catalog.ts'
import type { Unit } from '../core/organisation.ts'
import type { CheckName } from '../core/policy/rules.ts'
import type { Judged, PolicyFact } from '../core/policy.ts'
import { factOf, problemOf, weighed } from '../core/policy.ts'
import type { Problem } from '../core/problem.ts'
import type { CheckAnswer } from '../ports.ts'
import type { Rendered } from '../core/rendering.ts'
import { subjectOf } from '../core/rendering.ts'

/** So many are held at a time, and handed to a program together: to start it takes longer than to judge one. */
const together = 25

/** What the programs that a catalog has judge its templates come to, told unit by unit. */
export type CheckTelling = {
  readonly tell: (
    unit: Unit,
    found: { readonly judged: readonly Judged[]; readonly facts: readonly PolicyFact[] },
  ) => void
  readonly now: Date
}

/**
 * Has the programs that the catalog names judge what is rendered. Only where nobody's rights are: they are handed templates
 * that anybody may have written. What a program could not do is told of once.
 */
export class TemplateChecks {
  readonly #ports: Ports
  readonly #catalog: Catalog
  readonly #telling: CheckTelling
  readonly #problems: Problem[] = []
  readonly #absent = new Set<CheckName>()
  #waiting: Rendered[] = []

  constructor(ports: Ports, catalog: Catalog, telling: CheckTelling) {
    this.#ports = ports
    this.#catalog = catalog
    this.#telling = telling
  }

  /** The checks that judged all that they were asked to. */
  get ran(): ReadonlySet<CheckName> {
    return new Set(this.#catalog.policy.checks.filter((name) => !this.#absent.has(name)))
  }

  async add(rendered: Rendered): Promise<void> {
    if (this.#catalog.policy.checks.length === 0) return
    this.#waiting.push(rendered)
    if (this.#waiting.length >= together) await this.#judge()
  }

  /** Judges what is left, and gives what was found in all. */
  async end(): Promise<readonly Problem[]> {
    if (this.#waiting.length > 0) await this.#judge()
    return this.#problems
  }

  async #judge(): Promise<void> {
    const some = this.#waiting
    this.#waiting = []
    const templates = some.map(({ unit, part }) => ({
      name: unit.id,
      body: part.body,
      region: unit.environment.region,
    }))
    const { checks, guardRules } = this.#catalog.policy
    for (const name of checks) {
      if (this.#absent.has(name)) continue
      const answer = await this.#ports.check(name, { templates, rules: guardRules, signal: this.#ports.signal })
      if (answer.is === 'judged') this.#take(name, { findings: answer.findings, some })
      else this.#miss(name, answer)
    }
  }

  #take(
    check: CheckName,
    {
      findings,
      some,
    }: {
      readonly findings: Extract<CheckAnswer, { readonly is: 'judged' }>['findings']
      readonly some: readonly Rendered[]
    },
  ): void {
    for (const { unit, part, wanted } of some) {
      const judged = findings.flatMap((finding) => {
        if (finding.template !== unit.id) return []
        const [section, id] = finding.path
        const about = {
          rule: `${check}/${finding.rule}`,
          resource: section === 'Resources' && id !== undefined ? String(id) : '',
          severity: finding.severity,
          code: 'check-finding',
          path: finding.path,
          message: finding.message.endsWith('.') ? finding.message : `${finding.message}.`,
          remedy: 'Mend it, or say in the catalog that this rule does not fit.',
          ...(finding.note !== undefined && {
            expected: finding.note.endsWith('.') ? finding.note : `${finding.note}.`,
          }),
        } as const
        return weighed(about, {
          policy: this.#catalog.policy,
          subject: subjectOf(unit, wanted),
          now: this.#telling.now,
        })
      })
      this.#telling.tell(unit, { judged, facts: judged.map((each) => factOf(each, part.origin(each.path))) })
      for (const each of judged) {
        const problem = problemOf(each, part.document.place(each.path))
        if (problem !== undefined) this.#problems.push(part.trace(problem))
      }
    }
  }

  #miss(name: CheckName, answer: Exclude<CheckAnswer, { readonly is: 'judged' }>): void {
    this.#absent.add(name)
    const { document, policy } = this.#catalog
    const isRequired = policy.require.includes(name)
    const at = document.place(['policy', isRequired ? 'require' : 'checks'])
    this.#problems.push(
      answer.is === 'missing'
        ? {
            code: 'check-missing',
            severity: isRequired ? 'error' : 'warning',
            message: `${name} is not installed here, so what it would find is not known.`,
            expected: `\`${name}\` on the path${isRequired ? ': the catalog requires it' : ''}.`,
            remedy:
              name === 'cfn-lint'
                ? 'Install it: `pip install cfn-lint`.'
                : 'Install it as its project says: https://github.com/aws-cloudformation/cloudformation-guard.',
            at,
          }
        : {
            code: 'check-failed',
            // What is installed and does not work is a mistake of somebody, whether it is required or not.
            severity: 'error',
            message: `Nothing is known of what ${name} would find: ${answer.why}.`,
            remedy: `Run \`${name}\` on what \`protium render --out FOLDER\` writes, and see what it says.`,
            at,
          },
    )
  }
}
