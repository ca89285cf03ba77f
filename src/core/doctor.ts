import type { Catalog } from './catalog.ts'
import type { Facts, RepositoryFacts, Seen } from './doctor/facts.ts'
import { judgeBucket, judgeRole, judgeZone } from './doctor/cloud.ts'
import { few, judgeFiles } from './doctor/files.ts'
import { type Check, type Finding, judged, tell, type Told, type Verdict } from './doctor/finding.ts'
import { judgeApp, judgePerson } from './doctor/people.ts'
import { judgeRepository } from './doctor/repository.ts'
import type { Markdown } from './markdown.ts'
import { blocks, code, fold, link, plainText, prose, table as markdownTable, title, url } from './markdown.ts'
import type { Cell, Paint } from './report.ts'
import { count, plain, table } from './report.ts'

/**
 * Whether everything outside of the files is set up as the catalog needs it: facts in, findings out. What could not be looked at
 * is a finding too.
 */
export function diagnose(catalog: Catalog, facts: Facts): readonly Finding[] {
  const { files, repositories, plan, people, apps, roles, buckets, zones, unlisted } = facts
  const own = catalog.workflows?.repository
  const owner = repositories[0]?.name.split('/')[0]
  const deploys = catalog.workflows?.deploy !== false
  const isCalled = repositories.length > 1 || catalog.repositories !== undefined
  return [
    ...filed('files', judgeFiles(files, { owned: ownedIn(catalog) })),
    ...filed('GitHub', [
      ['token', judgeToken(facts)],
      ['people', people.flatMap((person) => judgePerson(person, { owner }))],
      ['app', apps.flatMap((app) => judgeApp(app, owner ?? ''))],
      ...(unlisted === undefined
        ? []
        : [['callers', [tell('unknown', { what: unlisted, fix: 'Name them: `--repository owner/name`.' })]] as const]),
    ]),
    ...repositories.flatMap((repository, index) => {
      const isCatalog = own === undefined ? index === 0 : repository.name.toLowerCase() === own.toLowerCase()
      return filed(
        repository.name,
        judgeRepository(repository, { catalog, isCatalog, isCalled: isCatalog && isCalled, plan }),
      )
    }),
    ...filed('accounts', [
      ['role', judged(roles, (all) => all.flatMap((role) => judgeRole(role)))],
      ['bucket', buckets.flatMap((bucket) => judgeBucket(bucket))],
    ]),
    ...filed('names', [['zone', zones.flatMap((zone) => judgeZone(zone, { deploys }))]]),
  ]
}

function filed(group: string, all: readonly (readonly [Check, readonly Told[]])[]): readonly Finding[] {
  return all.flatMap(([check, told]) => told.map((each): Finding => ({ check, group, ...each })))
}

/** What decides over who deploys what: whoever changes it has to be reviewed by somebody who answers for it. */
function ownedIn({ workflows, trust }: Catalog): readonly string[] {
  const isVendored = workflows !== undefined && !workflows.actions.includes('@')
  return [
    'catalog.yaml',
    '.github/workflows/*',
    'environments/*',
    'templates/*',
    'policy/*',
    'waivers/*',
    ...(trust === undefined ? [] : ['accounts/*']),
    ...(isVendored ? [`${workflows.actions}/*`] : []),
  ]
}

/** The permissions that would have shown more. */
function judgeToken({ repositories, plan, people, apps }: Facts): readonly Told[] {
  const hidden = [
    ...repositories.flatMap(settingsOf),
    plan,
    ...people.map(({ is }) => is),
    ...apps.flatMap(({ value, installation }) => [value, installation]),
  ].flatMap((fact) => (fact.is === 'hidden' && fact.isUnavailable !== true ? [fact] : []))
  if (repositories.length === 0) {
    return [
      tell('unknown', {
        what: 'It is not known which repository this is, so nothing was looked at on GitHub.',
        fix: 'Say `repository: owner/name` below `workflows:` in catalog.yaml, or `--repository owner/name`.',
      }),
    ]
  }
  const [first] = hidden
  if (first === undefined) return [tell('ok', { what: 'The token sees everything that is looked at.' })]
  const needs = [...new Set(hidden.flatMap((fact) => (fact.needs === undefined ? [] : [fact.needs])))].toSorted()
  if (needs.length === 0) {
    return [tell('unknown', { what: `${first.why}.`, ...(first.fix === undefined ? {} : { fix: first.fix }) })]
  }
  return [
    tell('unknown', {
      what: `The token does not see everything. It lacks ${few(needs, 8)}.`,
      fix: 'Nothing, if that is meant: run `protium doctor` with a token of an owner of the organisation now and then.',
    }),
  ]
}

/** Whether somebody who would have known did not answer, so that another run may find more. */
export function isCutOff({ repositories, plan, people }: Pick<Facts, 'repositories' | 'plan' | 'people'>): boolean {
  return [...repositories.flatMap(settingsOf), plan, ...people.map(({ is }) => is)].some(
    (fact) => fact.is === 'hidden' && fact.isDown === true,
  )
}

function settingsOf(facts: RepositoryFacts): readonly Seen<unknown>[] {
  const { about, environments, main, ledger, board, actions, access, ownersErrors, isSubjectOwn, workflows } = facts
  const passing = main.is === 'seen' ? [main.value.passedBy] : []
  return [about, environments, main, ledger, board, actions, access, ownersErrors, isSubjectOwn, workflows, ...passing]
}

// Showing it

const words: Readonly<Record<Verdict, string>> = { ok: 'ok', warn: 'warn', fail: 'FAIL', unknown: 'unknown' }

/** Group by group; what is well of one kind is one line. The address of GitHub is put before links. */
export function diagnosisText(findings: readonly Finding[], { paint = plain, server }: Shown): string {
  const paints: Readonly<Record<Verdict, (text: string) => string>> = {
    ok: paint.good,
    warn: paint.notice,
    fail: (text) => paint.bad(paint.bold(text)),
    unknown: paint.dim,
  }
  // The same advice is given once.
  const given = new Set<string>()
  const isNew = (fix: string): boolean => !given.has(fix) && given.add(fix).has(fix)
  const parts = groupsOf(findings).map(([group, own]) => {
    const rows = folded(own).flatMap(({ is, checks, about, what, fix, link: to }): Cell[][] => [
      [
        { text: words[is], paint: paints[is] },
        checks.length === 1 ? (checks[0] ?? '') : count(checks.length, 'check'),
        about.length === 0 ? what : `${few(about)}: ${what}`,
      ],
      ...(checks.length === 1 ? [] : [['', '', { text: checks.join(', '), paint: paint.dim }]]),
      ...(is === 'ok' || fix === undefined || !isNew(fix)
        ? []
        : [['', '', { text: `fix: ${fix}`, paint: paint.accent }]]),
      ...(is === 'ok' || to === undefined ? [] : [['', '', { text: [server, ...to].join('/'), paint: paint.dim }]]),
    ])
    const lines = table([{ name: '' }, { name: '' }, { name: '' }], rows).replaceAll(/^/gmu, '  ')
    return `${paint.bold(group)}\n${lines}`
  })
  return [...parts, sumOf(findings)].join('\n\n')
}

type Shown = { readonly paint?: Paint; readonly server: string }

/** The same for the page of a job. */
export function diagnosisPage(findings: readonly Finding[], { server }: Pick<Shown, 'server'>): Markdown {
  const worst = findings.some(({ is }) => is === 'fail')
  const bad = findings.filter(({ is }) => is !== 'ok' && is !== 'unknown')
  const unknown = findings.filter(({ is }) => is === 'unknown')
  const fine = findings.filter(({ is }) => is === 'ok')
  const rows = (some: readonly Finding[]): readonly (readonly (Markdown | string)[])[] =>
    some.map(({ is, group, check, about, what, fix, link: to }) => [
      prose`${words[is]}`,
      group,
      code(check),
      about === undefined ? plainText(what) : prose`${code(about)}: ${what}`,
      fix === undefined ? '' : to === undefined ? plainText(fix) : prose`${fix} ${link('Open', url(server, to))}`,
    ])
  const shown = (some: readonly Finding[]): Markdown => markdownTable(['', 'Where', 'What', 'Found', 'Fix'], rows(some))
  return blocks([
    worst ? prose`## Doctor: something is to be mended` : prose`## Doctor: nothing is broken`,
    plainText(sumOf(findings)),
    bad.length === 0 ? undefined : shown(bad),
    unknown.length === 0 ? undefined : fold(title`Could not be looked at: ${unknown.length}`, shown(unknown)),
    fine.length === 0 ? undefined : fold(title`In order: ${fine.length}`, shown(fine)),
  ])
}

function sumOf(findings: readonly Finding[]): string {
  const number = (is: Verdict): number => findings.filter((each) => each.is === is).length
  return `${number('ok')} in order, ${count(number('warn'), 'warning')}, ${count(number('fail'), 'failure')}, ${number('unknown')} not known.`
}

function groupsOf(findings: readonly Finding[]): readonly (readonly [string, readonly Finding[]])[] {
  const groups = [...new Set(findings.map(({ group }) => group))]
  return groups.map((group) => [group, findings.filter((each) => each.group === group)])
}

type Folded = Omit<Finding, 'check' | 'about'> & {
  readonly checks: readonly Check[]
  readonly about: readonly string[]
}

/** Several things that are well in the same way, or are not for the same reason, are one line. */
function folded(findings: readonly Finding[]): readonly Folded[] {
  const shown: Folded[] = []
  for (const { check, about, ...finding } of findings) {
    const { is, what, fix } = finding
    const isSame = (each: Folded): boolean =>
      each.is === is && each.what === what && (is === 'ok' ? each.checks.includes(check) : each.fix === fix)
    const index = shown.findIndex(isSame)
    const first = shown[index]
    const own = about === undefined ? [] : [about]
    if (first === undefined) shown.push({ ...finding, checks: [check], about: own })
    else {
      const checks = [...new Set([...first.checks, check])]
      // What several checks would have been about is no longer one thing.
      shown[index] = { ...first, checks, about: checks.length > 1 ? [] : [...first.about, ...own] }
    }
  }
  return shown
}
