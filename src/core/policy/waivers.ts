import { compareText } from '../canonical.ts'
import { isMap } from '../data.ts'
import { didYouMean } from '../nearest.ts'
import type { Place, Problem } from '../problem.ts'
import { waiverSchema } from '../schemas/policy.ts'
import { checkShape, textIn } from '../shape.ts'
import type { FileTree } from '../tree.ts'
import { type Document, readYaml } from '../yaml.ts'
import { dayIn, isDay, isZone, zones } from '../zone.ts'
import { builtInRules, type CheckName, checkNames, type Rule } from './rules.ts'

/**
 * A rule that need not be kept somewhere, for a while: `waivers/<name>.yaml` in the catalog. It counts until the day that
 * it names, which begins at midnight of `zone`.
 */
export type Waiver = {
  /** That of its file. */
  readonly name: string
  readonly rule: string
  readonly for:
    | { readonly is: 'unit'; readonly unit: string }
    | { readonly is: 'service'; readonly service: string }
    | { readonly is: 'template'; readonly template: string }
  readonly resource?: string
  readonly owner: string
  readonly reason: string
  /** `2026-12-31`. */
  readonly expires: string
  readonly zone: string
  readonly document: Document
}

/** Days before its end from which on a waiver is announced. */
export const announcedDays = 14

/** What a waiver may be for, as far as the catalog knows. */
export type Names = {
  readonly rules: readonly Rule[]
  readonly checks: readonly CheckName[]
  readonly stages: readonly string[]
  readonly environments: readonly string[]
  readonly templates: readonly string[]
}

/** Reads the files in `waivers/`. What a catalog cannot know, the names of services, is left to `checkWaivedServices`. */
export function readWaivers(
  tree: FileTree,
  { names, problems }: { readonly names: Names; readonly problems: Problem[] },
): readonly Waiver[] {
  const files = [...tree].filter(([path]) => path.startsWith('waivers/')).toSorted(([a], [b]) => compareText(a, b))
  return files.flatMap(([path, text]): Waiver[] => {
    const name = /^waivers\/([a-z0-9][a-z0-9-]*)\.yaml$/u.exec(path)?.[1]
    if (name === undefined) {
      // What is beside them is not ours; what looks like one and is none would be missed when it counts.
      if (/\.ya?ml$/iu.test(path)) problems.push(misnamed(path))
      return []
    }
    const read = readYaml(path, text, 'own')
    problems.push(...read.problems)
    if (!read.ok) return []
    const faults = checkShape(read.value, waiverSchema, 'a waiver')
    problems.push(...faults)
    return faults.length > 0 ? [] : readWaiver(name, { document: read.value, names, problems })
  })
}

function misnamed(path: string): Problem {
  return {
    code: 'irregular-form',
    severity: 'error',
    message: `The file \`${path}\` is not read as a waiver.`,
    expected: 'A name such as `waivers/old-bastion.yaml`: small letters, digits and "-", in the folder itself.',
    remedy: 'Rename or move it.',
    at: { file: path, line: 1, column: 1 },
  }
}

function readWaiver(
  name: string,
  { document, names, problems }: { readonly document: Document; readonly names: Names; readonly problems: Problem[] },
): Waiver[] {
  const data = isMap(document.data) ? document.data : undefined
  const said = (['unit', 'service', 'template'] as const).filter((key) => data?.[key] !== undefined)
  const [key, ...more] = said
  const [rule, expires] = [textIn(data, 'rule') ?? '', textIn(data, 'expires') ?? '']
  const zone = textIn(data, 'zone') ?? 'UTC'
  const before = problems.length
  const wrong = (at: Place, words: Pick<Problem, 'message' | 'expected' | 'remedy'>): void =>
    void problems.push({ code: 'wrong-value', severity: 'error', ...words, at })
  if (key === undefined || more.length > 0) {
    wrong(document.place(more[0] === undefined ? [] : [more[0]]), {
      message: key === undefined ? 'The waiver does not say what it is for.' : 'The waiver is for several things.',
      expected: 'One of `unit`, `service` and `template`.',
      remedy: key === undefined ? 'Add the one that it is for.' : 'Write a waiver for each.',
    })
  }
  checkRule(rule, { names, problems, at: document.place(['rule']) })
  if (!isDay(expires)) {
    wrong(document.place(['expires']), {
      message: `There is no day ${expires}.`,
      expected: 'A date such as 2026-12-31.',
      remedy: 'Correct the date.',
    })
  }
  if (!isZone(zone)) {
    wrong(document.place(['zone']), {
      message: `There is no time zone "${zone}".${didYouMean(zone, zones())}`,
      expected: 'A name of the IANA time zone database, such as Europe/Berlin.',
      remedy: 'Correct the name; without one, the day is one of UTC.',
    })
  }
  const subject = key === undefined ? '' : (textIn(data, key) ?? '')
  if (key === 'unit') checkUnit(subject, { names, problems, at: document.place(['unit']) })
  if (key === 'template' && !names.templates.includes(subject)) {
    problems.push({
      code: 'unknown-template',
      severity: 'error',
      message: `There is no template "${subject}".${didYouMean(subject, names.templates)}`,
      expected: `One of ${names.templates.join(', ')}.`,
      remedy: 'Correct the name.',
      at: document.place(['template']),
    })
  }
  if (key === undefined || problems.length > before) return []
  const resource = textIn(data, 'resource')
  return [
    {
      name,
      rule,
      for:
        key === 'unit'
          ? { is: key, unit: subject }
          : key === 'service'
            ? { is: key, service: subject }
            : { is: key, template: subject },
      ...(resource !== undefined && { resource }),
      owner: textIn(data, 'owner') ?? '',
      reason: textIn(data, 'reason') ?? '',
      expires,
      zone,
      document,
    },
  ]
}

type Checking = { readonly names: Names; readonly problems: Problem[]; readonly at: Place }

function checkRule(rule: string, { names: { rules, checks }, problems, at }: Checking): void {
  if (checks.some((check) => rule.startsWith(`${check}/`))) return
  const own = rules.filter(({ demand }) => demand !== undefined).map(({ name }) => name)
  const known = [...builtInRules, ...own]
  if (known.includes(rule)) return
  const check = checkNames.find((each) => rule.startsWith(`${each}/`))
  problems.push({
    code: 'unknown-rule',
    severity: 'error',
    message: `There is no rule "${rule}".${check === undefined ? didYouMean(rule, known) : ` ${check} is not among the checks of \`policy:\`.`}`,
    expected: `One of ${known.join(', ')}${checks.map((each) => `, ${each}/…`).join('')}.`,
    remedy: 'Correct the name.',
    at,
  })
}

/** A unit's service may live elsewhere; its stage, or the environment that it is, is one of the catalog's. */
function checkUnit(unit: string, { names: { stages, environments }, problems, at }: Checking): void {
  const [service = '', place = '', part] = unit.split('/')
  const isEnvironment = service === 'environment'
  const known = isEnvironment ? environments : [...stages, 'pipeline']
  if (known.includes(place) && (part === undefined || (!isEnvironment && place !== 'pipeline'))) return
  problems.push({
    code: 'unknown-unit',
    severity: 'error',
    message: `There is no unit "${unit}".${didYouMean(place, known)}`,
    expected: isEnvironment
      ? `One of ${environments.map((name) => `environment/${name}`).join(', ')}.`
      : `A unit in one of the stages ${stages.join(', ')}: \`${service}/${stages[0] ?? ''}\`.`,
    remedy: 'Correct the name.',
    at,
  })
}

/**
 * Waivers for services that there are not. Where services live in other repositories too, a name that is not known here may be
 * right, so it is doubted only where it is nearly that of one that is known.
 */
export function checkWaivedServices(
  waivers: readonly Waiver[],
  { services, isAll }: { readonly services: ReadonlySet<string>; readonly isAll: boolean },
): readonly Problem[] {
  return waivers.flatMap(({ for: of, document }): Problem[] => {
    const name = of.is === 'service' ? of.service : of.is === 'unit' ? (of.unit.split('/')[0] ?? '') : undefined
    if (name === undefined || name === 'environment' || services.has(name)) return []
    const near = didYouMean(name, services)
    if (!isAll && near === '') return []
    return [
      {
        code: 'unknown-service',
        severity: isAll ? 'error' : 'warning',
        message: `There is no service "${name}" here.${near}`,
        expected: 'The name of a service.',
        remedy: `Correct the name${isAll ? ', or remove the waiver' : '. If the service lies in another repository, nothing has to be done'}.`,
        at: document.place([of.is]),
      },
    ]
  })
}

/** What a waiver is compared with. */
export type Waived = {
  readonly unit: string
  readonly service?: string
  readonly template: string
  readonly rule: string
  readonly resource: string
}

/** Whether a waiver is for it, whatever the day. */
export function isFor(waiver: Waiver, { unit, service, template, rule, resource }: Waived): boolean {
  if (waiver.rule !== rule || (waiver.resource !== undefined && waiver.resource !== resource)) return false
  switch (waiver.for.is) {
    case 'unit':
      return waiver.for.unit === unit
    case 'service':
      return waiver.for.service === service
    case 'template':
      return waiver.for.template === template
  }
}

/** Whole days until it no longer counts, from the day that it is now in its zone; 0 on its day, negative after it. */
export function daysLeft({ expires, zone }: Pick<Waiver, 'expires' | 'zone'>, now: Date): number {
  return (Date.parse(expires) - Date.parse(dayIn(zone, now))) / 86_400_000
}

/** `2026-12-31`, with the zone where that is not UTC. */
export function dayText({ expires, zone }: Pick<Waiver, 'expires' | 'zone'>): string {
  return zone === 'UTC' ? expires : `${expires} (${zone})`
}

/** What to know of waivers that are needed: those that end soon. Each is told once, in the order of their names. */
export function endingSoon(waivers: Iterable<Waiver>, now: Date): readonly Problem[] {
  return [...new Set(waivers)]
    .toSorted((a, b) => compareText(a.name, b.name))
    .flatMap((waiver): Problem[] => {
      const days = daysLeft(waiver, now)
      if (days <= 0 || days > announcedDays) return []
      const when = days === 1 ? 'tomorrow' : `in ${days} days`
      return [
        {
          code: 'waiver-ends',
          severity: 'warning',
          message: `The waiver \`${waiver.name}\` of ${waiver.owner} ends ${when}, on ${dayText(waiver)}, and ${waiver.rule} is not kept yet.`,
          expected: 'What is rendered keeps the rule by then.',
          remedy: `Mend it before that day, or agree on another one. From then on what needs the waiver is neither planned nor deployed.`,
          at: waiver.document.place(['expires']),
        },
      ]
    })
}

/** Waivers that nothing needs. */
export function idleWaivers(waivers: Iterable<Waiver>): readonly Problem[] {
  return [...waivers].map((waiver): Problem => ({
    code: 'waiver-unused',
    severity: 'warning',
    message: `Nothing needs the waiver \`${waiver.name}\`: ${waiver.rule} is kept without it.`,
    remedy: `Remove \`${waiver.document.file}\`, so that it does not let something through later.`,
    at: waiver.document.place(['rule']),
  }))
}
