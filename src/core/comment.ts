import type { Budget, Html, Markdown, Url } from './markdown.ts'
import {
  alert,
  blocks,
  bullets,
  code,
  cut,
  fence,
  fold,
  title,
  link,
  listed,
  listedHtml,
  marker,
  prose,
  plainText,
  shorten,
  sizeOf,
  small,
  stacked,
  table,
} from './markdown.ts'
import type { Organisation } from './organisation.ts'
import type { Change, Plan, PlannedLoss, PlannedUnit } from './plan.ts'
import { isMap } from './data.ts'
import { isRevision } from './guard.ts'
import type { PolicyFact } from './policy.ts'
import { accessNotes, handNotes, harmless, placeOf, subjectOf } from './plan-notes.ts'
import type { Problem } from './problem.ts'
import type { PlanRequest } from './request.ts'
import { count, distinct, duration, list, short, sorted, width } from './report.ts'
import type { GateName } from './gates/model.ts'
import { gateTitle } from './gates/model.ts'
import type { Stage } from './stage.ts'
import { line } from './encode.ts'

/**
 * What people read in a pull request: one comment that says in its first line what merging would do, then what would be
 * lost, then where and when, then the rest in folds. GitHub takes 65,536 characters; ours has at most 60,000, and what is
 * left out is left out from the end, never from the warning.
 */

/** What a plan does not say of itself: the stages in the order of promotion, and where units answer, by their ids. */
export type Surroundings = {
  readonly stages: readonly Pick<Stage, 'name' | 'environment' | 'soak' | 'approval'>[]
  readonly hosts: ReadonlyMap<string, readonly string[]>
  /** No workflow deploys what is merged. */
  readonly plansOnly?: true
  /** Units that there was no room for, so that they were not planned. */
  readonly left?: readonly string[]
}

/** Where a text comes from. `took` is in milliseconds; `run` is where the whole of it can be read. */
export type Made = {
  readonly commit: string
  readonly at: Date
  readonly took?: number
  readonly run?: Url
}

export const commentBudget = { most: 60_000, unit: 'characters' } as const satisfies Budget

export function surroundingsOf({ catalog, units }: Organisation): Surroundings {
  const hosts = units.flatMap(({ kind, id, service, stage }): [string, readonly string[]][] => {
    const found = service?.stages.find((each) => each.stage.name === stage?.name)
    return kind === 'instance' && found !== undefined ? [[id, found.hosts]] : []
  })
  return {
    stages: catalog.stages,
    hosts: new Map(hosts),
    ...(catalog.workflows?.deploy === false && { plansOnly: true }),
  }
}

/** The comment on a plan. Values of properties are in no plan, so none is shown: names and paths are. */
export function planComment(
  plan: Plan,
  { around, made }: { readonly around: Surroundings; readonly made: Made },
): Markdown {
  const subjects = subjectsOf(plan.units)
  const [only] = subjects
  const isOne = subjects.length === 1
  const busy = plan.units.filter(isBusy)
  const head = [marker('plan', isOne ? only : ''), prose`### Plan: ${verdict(plan, code)}`, lossAlert(busy, isOne)]
  const shown = isOne && busy.length > 0 ? plan.units : busy
  const rows = shown.map((unit) => rowOf(unit, { around, isOne, units: plan.units }))
  const columns = [...(isOne ? [] : ['Service']), 'Stage', 'Goes live at', 'When', 'Changes']
  return fitted({
    head,
    table: rows.length === 0 ? undefined : (most) => tableOf(columns, rows.slice(0, most), rows.length),
    notes: [...leftNote(around.left ?? []), ...notesOf(plan, { busy, isOne })],
    folds: foldsOf(busy, isOne),
    foot: footOf(plan, made),
    rest: restOf(made),
  })
}

/** What a plan of one unit would do, for a page that says itself what it is about: the losses, what is noted, the changes. */
export function planDetails(plan: Plan): Markdown {
  const busy = plan.units.filter(isBusy)
  const notes = notesOf(plan, { busy, isOne: true })
  const folds = foldsOf(busy, true).map((each) => fold(each.title, each.body))
  return blocks([
    lossAlert(busy, true),
    notes.length === 0 ? undefined : bullets(notes),
    folds.length === 0 ? undefined : stacked(folds),
  ])
}

/** The comment where there are problems instead of a plan. Its title names the service, if it is one that is asked for. */
export function problemsComment(
  problems: readonly Problem[],
  { subject, made }: { readonly subject?: string; readonly made: Made },
): Markdown {
  const all = sorted(distinct(problems.filter(({ severity }) => severity === 'error')))
  const files = [...new Set(all.map(({ at }) => at?.file ?? ''))]
  const [file] = files
  const isOne = files.length === 1 && file !== undefined && file !== ''
  const place = ({ at }: Problem): Markdown => {
    if (at === undefined) return prose`-`
    const where = at.line === 0 ? prose`` : prose`:${at.line}`
    return isOne ? prose`${at.line === 0 ? '-' : at.line}` : prose`${code(at.file)}${where}`
  }
  const rows = all
    .slice(0, mostProblems)
    .map((problem) => [
      place(problem),
      prose`${problem.message}${problem.expected === undefined ? prose`` : prose` ${problem.expected}`}`,
      prose`${problem.remedy}`,
    ])
  const codes = [...new Set(all.map((problem) => problem.code))]
  const left = all.length - rows.length
  const marked = all.filter(({ at }) => at !== undefined).length
  return cut(
    blocks([
      marker('plan', subject),
      prose`### Cannot plan ${subject === undefined ? 'this' : code(shorten(subject, longestName))}: ${count(all.length, 'problem')}${isOne ? prose` in ${code(file)}` : prose``}`,
      table([isOne ? '>Line' : 'Where', 'Problem', 'Try'], rows),
      left === 0 ? undefined : prose`And ${left} more, in ${link('the run', made.run)}.`,
      plainText(
        `${marked === 0 ? '' : `${marked === 1 ? 'It is' : marked === all.length ? 'All are' : 'Most are'} marked on the lines. `}Nothing was planned or deployed. More on ${codes.length === 1 ? 'it' : 'one'}: \`protium explain ${codes[0] ?? ''}\`.`,
      ),
      small([
        prose`commit ${code(made.commit.slice(0, 7))}`,
        plainText(moment(made.at)),
        made.run && link('log', made.run),
      ]),
    ]),
    { ...commentBudget, rest: restOf(made) },
  )
}

/** The comment on what a fork asks for: what its files come to, by what they say of themselves, and no plan. */
export function forkComment({ units, left }: PlanRequest, { made }: { readonly made: Made }): Markdown {
  const subjects = [...new Set(units.map(({ unit }) => subjectOf({ unit })))]
  const [only] = subjects
  const what =
    subjects.length === 1 && only !== undefined ? code(shorten(only, longestName)) : plainText(subjectCount(subjects))
  const rows = units
    .slice(0, mostProblems)
    .map(({ unit, template, hosts, body }) => [
      code(unit),
      code(template),
      hosts.length === 0 ? '' : plainText(list(hosts)),
      String(isMap(body['Resources']) ? Object.keys(body['Resources']).length : 0),
    ])
  const more = units.length + left.length - rows.length
  return cut(
    blocks([
      marker('plan', subjects.length === 1 ? only : ''),
      units.length === 0
        ? prose`### Checked: no service and no environment is touched`
        : prose`### Checked: ${what} renders within the rules`,
      units.length === 0 ? undefined : table(['Unit', 'Template', 'Goes live at', '>Resources'], rows),
      more > 0 ? prose`And ${more} more.` : undefined,
      prose`The pull request comes from a fork: nothing was compared with what runs, and this is what its files say of themselves. It is planned once its branch is in this repository.`,
      small([
        prose`unverified preview of commit ${code(made.commit.slice(0, 7))}`,
        plainText(moment(made.at)),
        made.run && link('log', made.run),
      ]),
    ]),
    { ...commentBudget, rest: restOf(made) },
  )
}

const mostProblems = 50
const longestName = 60

/** The verdict as a sentence for the title of a check: `checkout replaces a database in prod`. One line of plain text. */
export function verdictTitle(plan: Plan, left = 0): string {
  const title = line(verdict(plan, plainText).markdown)
  const more = left === 0 ? '' : `; ${count(left, 'unit')} not planned`
  // A name stays as it is written.
  return `${title.replace(/^nothing/u, 'Nothing')}${more}`
}

/** Whether something is deleted, or deleted and created again; a new revision of a task is neither. */
export function isLossy(plan: Plan): boolean {
  // What may be replaced under conditions that only the cloud knows is told of by the guard alone.
  return lossesOf(plan.units.filter(isBusy)).length > 0 || plan.units.some(({ losses = [] }) => losses.length > 0)
}

// The verdict

function verdict({ units }: Plan, name: (text: string) => Markdown): Markdown {
  const busy = units.filter(isBusy)
  const subjects = subjectsOf(busy.length === 0 ? units : busy)
  const losses = lossesOf(busy)
  if (losses.length > 0) return lossVerdict(losses, { subjects, units, name })
  const [only] = subjects
  if (subjects.length !== 1 || only === undefined)
    return busy.length === 0 ? prose`nothing changes` : prose`${subjectCount(subjects)} change, nothing is replaced`
  const who = name(shorten(only, longestName))
  if (busy.length === 0) return prose`${who} changes nothing`
  if (busy.every((unit) => unit.verdict === 'create')) return prose`${who} is new${sizeOfNew(busy)}`
  const changes = busy.flatMap((unit) => unit.changes)
  const added = new Set(changes.filter(({ action }) => action === 'create').map(({ logicalId }) => logicalId))
  const settings = changes
    .filter(({ action }) => action === 'update')
    .flatMap(({ logicalId, properties }) => properties.map(({ path }) => `${logicalId} ${path}`))
  const revisions = new Set(changes.filter(isRevision).map(({ logicalId }) => logicalId))
  const parts = [
    ...(added.size > 0 ? [`adds ${count(added.size, 'resource')}`] : []),
    ...(settings.length > 0 ? [`changes ${count(new Set(settings).size, 'setting')}`] : []),
    ...(revisions.size > 0 ? [`makes ${count(revisions.size, 'new revision')}`] : []),
  ]
  const end = revisions.size > 0 ? ', nothing else is replaced' : ', nothing is replaced'
  return prose`${who} ${parts.length === 0 ? 'changes outputs or tags only' : list(parts)}${end}`
}

type Named = {
  readonly subjects: readonly string[]
  readonly units: readonly PlannedUnit[]
  readonly name: (text: string) => Markdown
}

/** `checkout replaces a database in prod`, `2 services replace 3 resources in dev and prod; 4 others change`. */
function lossVerdict(losses: readonly Loss[], { subjects, units, name }: Named): Markdown {
  const losers = [...new Set(losses.map(({ subject }) => subject))]
  const [loser] = losers
  const isOne = losers.length === 1 && loser !== undefined
  const who = isOne ? name(shorten(loser, longestName)) : prose`${subjectCount(losers)}`
  const all = new Set(units.map(placeOf))
  const phrases = (['delete', 'replace'] as const).flatMap((action) => {
    const lost = losses.filter(({ change }) => change.action === action)
    const [first] = lost
    if (first === undefined) return []
    const many = resourcesOf(lost)
    const what = many === 1 ? nounOf(first.change.type) : count(many, 'resource')
    return [{ words: `${action}${isOne ? 's' : ''} ${what}`, where: whereText(lost, all) }]
  })
  const isSame = phrases.every(({ where }) => where === phrases[0]?.where)
  const deed = isSame
    ? `${list(phrases.map(({ words }) => words))} ${phrases[0]?.where ?? ''}`
    : list(phrases.map(({ words, where }) => `${words} ${where}`))
  const others = subjects.length - losers.length
  const also = others === 0 ? prose`` : prose`; ${others} ${others === 1 ? 'other changes' : 'others change'}`
  return prose`${who} ${deed}${also}`
}

function whereText(lost: readonly Loss[], all: ReadonlySet<string>): string {
  const places = new Set(lost.flatMap((loss) => loss.places))
  if (places.size > 1 && places.size === all.size) return 'in every stage'
  return places.size > 4 ? `in ${places.size} stages` : `in ${list([...places])}`
}

/** `: 14 resources`, ` in 3 stages: 14 resources each`. */
function sizeOfNew(units: readonly PlannedUnit[]): Markdown {
  const [first] = units
  if (first === undefined) return prose``
  const isSame = units.every(({ changes }) => changes.length === first.changes.length)
  const all = units.reduce((sum, { changes }) => sum + changes.length, 0)
  if (units.length === 1) return prose`: ${count(all, 'resource')}`
  const where = units.every(({ stage }) => stage !== undefined) ? 'stages' : 'stacks'
  const size = isSame ? `${count(first.changes.length, 'resource')} each` : `${count(all, 'resource')} in all`
  return prose` in ${units.length} ${where}: ${size}`
}

function subjectCount(subjects: readonly string[]): string {
  const environments = subjects.filter(isEnvironment).length
  const services = subjects.length - environments
  return list([
    ...(services > 0 ? [count(services, 'service')] : []),
    ...(environments > 0 ? [count(environments, 'environment')] : []),
  ])
}

// Units

function isBusy({ verdict: word }: PlannedUnit): boolean {
  return word !== 'nothing'
}

const isEnvironment = (id: string): boolean => id.startsWith('environment/')

function subjectsOf(units: readonly PlannedUnit[]): readonly string[] {
  return [...new Set(units.map(subjectOf))]
}

// What is lost

/** A resource that is deleted, or deleted and created again, and where. */
type Loss = { readonly subject: string; readonly change: Change; readonly places: readonly string[] }

function lossesOf(units: readonly PlannedUnit[]): readonly Loss[] {
  const losses = new Map<string, Loss & { readonly places: string[] }>()
  for (const unit of units) {
    for (const change of unit.changes) {
      if ((change.action !== 'delete' && change.action !== 'replace') || isRevision(change)) continue
      const { logicalId, type, action, because, retained } = change
      const subject = subjectOf(unit)
      const key = JSON.stringify([subject, logicalId, type, action, because, retained])
      const loss = losses.get(key) ?? { subject, change, places: [] }
      loss.places.push(placeOf(unit))
      losses.set(key, loss)
    }
  }
  return [...losses.values()]
}

/** How many resources they are of: one may be lost in one stage and stay in the account in another. */
function resourcesOf(losses: readonly Loss[]): number {
  return new Set(losses.map(({ subject, change }) => `${subject}/${change.logicalId}`)).size
}

/** What holds something that people would miss, and what they call it. */
const holders: Readonly<Record<string, string>> = {
  'AWS::Cognito::UserPool': 'a user pool',
  'AWS::DocDB::DBCluster': 'a database',
  'AWS::DynamoDB::GlobalTable': 'a table',
  'AWS::DynamoDB::Table': 'a table',
  'AWS::EC2::Volume': 'a volume',
  'AWS::ECR::Repository': 'an image repository',
  'AWS::EFS::FileSystem': 'a file system',
  'AWS::ElastiCache::CacheCluster': 'a cache',
  'AWS::ElastiCache::ReplicationGroup': 'a cache',
  'AWS::KMS::Key': 'a key',
  'AWS::Kinesis::Stream': 'a stream',
  'AWS::Logs::LogGroup': 'a log group',
  'AWS::Neptune::DBCluster': 'a database',
  'AWS::OpenSearchService::Domain': 'a search domain',
  'AWS::RDS::DBCluster': 'a database',
  'AWS::RDS::DBInstance': 'a database',
  'AWS::Redshift::Cluster': 'a database',
  'AWS::S3::Bucket': 'a bucket',
  'AWS::SecretsManager::Secret': 'a secret',
  'AWS::SNS::Topic': 'a topic',
  'AWS::SQS::Queue': 'a queue',
}

function holderOf(type: string): string | undefined {
  return Object.hasOwn(holders, type) ? holders[type] : undefined
}

function nounOf(type: string): string {
  return holderOf(type) ?? '1 resource'
}

/** The one warning: it comes before everything else, and is never left out. */
function lossAlert(busy: readonly PlannedUnit[], isOne: boolean): Markdown | undefined {
  const losses = lossesOf(busy)
  const [first] = losses
  if (first === undefined) return undefined
  if (losses.length === 1) {
    const end = first.change.action === 'delete' ? 'deleted' : 'deleted and created again'
    return alert(
      'CAUTION',
      blocks([
        prose`**${whereOf(first, isOne)}: ${code(first.change.logicalId)} (${code(first.change.type)}) will be ${end}.**`,
        bullets([
          prose`**Cause:** ${causeOf(first.change)}`,
          ...dataOf(first.change).map((data) => prose`**Data:** ${data}`),
        ]),
      ]),
    )
  }
  const points = losses.map((loss) => {
    const { change } = loss
    const word = change.action === 'delete' ? 'deleted' : 'replaced'
    const data = dataOf(change).map((each) => prose`; ${each}`)
    return prose`**${whereOf(loss, isOne)}:** ${code(change.logicalId)} (${code(change.type)}) is ${word}: ${causeOf(change)}${data[0] ?? prose``}`
  })
  const what = [
    ...new Set(losses.map(({ change }) => (change.action === 'delete' ? 'deleted' : 'deleted and created again'))),
  ]
  return alert(
    'CAUTION',
    blocks([prose`**${count(resourcesOf(losses), 'resource')} will be ${what.join(', or ')}.**`, bullets(points)]),
  )
}

function whereOf({ subject, places }: Loss, isOne: boolean): Markdown {
  const shown = places.length > 6 ? `${places.slice(0, 5).join(', ')} and ${places.length - 5} more` : list(places)
  return isOne ? prose`${shown}` : prose`${code(shorten(subject, longestName))} in ${shown}`
}

function causeOf({ action, because }: Change): Markdown {
  if (action === 'delete') return prose`the template no longer has it`
  const paths = because.slice(0, 5).map((path) => code(pathText(path)))
  const more = because.length - paths.length
  if (paths.length === 0) return prose`it cannot change in place`
  return prose`${listed(more > 0 ? [...paths, prose`${more} more`] : paths)} cannot change in place`
}

function dataOf({ type, action, retained }: Change): readonly Markdown[] {
  if (holderOf(type) === undefined) return []
  const fresh = action === 'replace' ? prose`; the new one starts empty` : prose``
  if (retained) return [prose`the old one stays in the account, outside of the stack${fresh}`]
  return [prose`what is in it goes with it, unless its policy takes a snapshot${fresh}`]
}

const pathText = (path: string): string => path.replace(/^Properties\./u, '')

// The table

type Placing = { readonly around: Surroundings; readonly isOne: boolean; readonly units: readonly PlannedUnit[] }

function rowOf(unit: PlannedUnit, { around, isOne, units }: Placing): readonly Markdown[] {
  const hosts = around.hosts.get(unit.unit) ?? []
  const address = hosts.length === 0 ? code(unit.stack.name) : prose`${list(hosts)}`
  return [
    ...(isOne ? [] : [code(shorten(subjectOf(unit), longestName))]),
    prose`**${placeOf(unit)}**`,
    address,
    prose`${whenOf(unit, { around, units })}`,
    changesOf(unit),
  ]
}

function tableOf(columns: readonly string[], rows: readonly (readonly Markdown[])[], all: number): Markdown {
  const left = all - rows.length
  const shown = table(columns, rows)
  return left === 0 ? shown : blocks([shown, prose`And ${left} more.`])
}

/** When a unit is deployed: what has to have happened before. */
function whenOf(unit: PlannedUnit, { around: { stages, plansOnly }, units }: Omit<Placing, 'isOne'>): string {
  if (plansOnly === true) return 'not by merging'
  const here = unit.unit.replace(/^environment\//u, '')
  const index = stages.findIndex(({ name, environment }) =>
    isEnvironment(unit.unit) ? environment === here : name === unit.stage,
  )
  const stage = stages[index]
  if (stage === undefined) return unit.unit.endsWith('/pipeline') ? 'after all stages' : 'on merge'
  if (stage.approval !== undefined) return 'after approval'
  const own = new Set(units.filter((other) => subjectOf(other) === subjectOf(unit)).map((other) => other.stage))
  const before = stages.slice(0, index).findLast(({ name }) => isEnvironment(unit.unit) || own.has(name))
  if (before === undefined) return 'on merge'
  return `after ${before.name} is healthy${before.soak === undefined ? '' : ` for ${duration(before.soak * 1000)}`}`
}

const verbs = { create: 'add', update: 'change', replace: 'replace', delete: 'delete' } as const

function changesOf({ verdict: word, changes }: PlannedUnit): Markdown {
  if (word === 'nothing') return prose`none`
  const words = countsOf(changes).map(({ action, text }) =>
    action === 'replace' || action === 'delete' ? prose`**${text}**` : prose`${text}`,
  )
  return words.length === 0 ? prose`outputs or tags only` : words.reduce((all, word) => prose`${all}, ${word}`)
}

function countsOf(
  changes: readonly Change[],
): readonly { readonly action: Change['action'] | 'revise'; readonly text: string }[] {
  const fresh = changes.filter(isRevision).length
  return [
    ...(['create', 'update'] as const).map((action) => ({ action, text: verbs[action] })),
    ...(fresh === 0 ? [] : [{ action: 'revise' as const, text: fresh === 1 ? 'new revision' : 'new revisions' }]),
    ...(['replace', 'delete'] as const).map((action) => ({ action, text: verbs[action] })),
  ].flatMap(({ action, text }) => {
    const of = (change: Change): boolean =>
      isRevision(change) ? action === 'revise' : action !== 'revise' && change.action === action
    const number = changes.filter(of).length
    return number === 0 ? [] : [{ action, text: `${number} ${text}` }]
  })
}

// The notes

/** What the cloud says of it, each thing once. */
function saidNotes(units: readonly PlannedUnit[]): readonly Markdown[] {
  const said = new Map<string, string[]>()
  for (const { unit, notes = [] } of units) for (const note of notes) said.set(note, [...(said.get(note) ?? []), unit])
  return [...said]
    .slice(0, mostGuardNotes)
    .map(
      ([note, [first = '', ...others]]) =>
        prose`${code(first)}${others.length > 0 ? prose` and ${others.length} more` : prose``}: ${note}`,
    )
}

/** What is held back because data would be lost, and what goes on because somebody has said that it may be. */
function guardNotes(units: readonly PlannedUnit[]): readonly Markdown[] {
  const found = new Map<string, { readonly loss: PlannedLoss; readonly units: string[] }>()
  for (const { unit, losses = [] } of units) {
    for (const loss of losses) {
      const key = JSON.stringify([unit.replace(/\/.*$/su, ''), loss])
      const known = found.get(key) ?? { loss, units: [] }
      known.units.push(unit)
      found.set(key, known)
    }
  }
  const all = [...found.values()].toSorted((a, b) => Number(a.loss.isAcknowledged) - Number(b.loss.isAcknowledged))
  const notes = all.slice(0, mostGuardNotes).map(({ loss, units: ids }) => {
    const { logicalId, happens, holds, isAcknowledged } = loss
    const what = prose`${code(logicalId)} holds ${holds} and would be ${happens} in ${listed(ids.slice(0, 6).map((id) => code(id)))}${ids.length > 6 ? prose` and ${ids.length - 6} more` : prose``}`
    return isAcknowledged
      ? prose`**Acknowledged:** ${what}.`
      : prose`**Held back:** ${what}. To let it go, write ${code(`acknowledge: [${logicalId}]`)} in the file of the unit; it is refused until then.`
  })
  const left = all.length - notes.length
  return left === 0 ? notes : [...notes, prose`**And ${left} more** resources that hold data.`]
}

const mostGuardNotes = 20

/** What breaks a rule: what it is held back for, what a waiver lets through until its day, and what is only a warning. */
function policyNotes(units: readonly PlannedUnit[]): readonly Markdown[] {
  const found = new Map<string, { readonly fact: PolicyFact; readonly units: string[] }>()
  for (const { unit, policy = [] } of units) {
    for (const fact of policy) {
      const key = JSON.stringify([unit.replace(/\/.*$/su, ''), { ...fact, at: null }])
      const known = found.get(key) ?? { fact, units: [] }
      known.units.push(unit)
      found.set(key, known)
    }
  }
  const rank = ({ severity, waiver }: PolicyFact): number =>
    waiver?.expired === false ? 1 : severity === 'error' ? 0 : 2
  const all = [...found.values()].toSorted((a, b) => rank(a.fact) - rank(b.fact))
  const notes = all.slice(0, mostGuardNotes).map(({ fact, units: ids }) => {
    const { rule, message, text, at, waiver, severity: weight } = fact
    const where = prose`${listed(ids.slice(0, 6).map((id) => code(id)))}${ids.length > 6 ? prose` and ${ids.length - 6} more` : prose``}`
    const line = at === undefined ? prose`` : prose` (${code(`${at.file}:${at.line}`)})`
    const says = text === undefined ? prose`` : prose`: ${text.replace(/\.$/u, '')}`
    const what = prose`${message.replace(/\.$/u, '')} in ${where}${line}. Rule ${code(rule)}${says}.`
    const owner = prose`${code(shorten(waiver?.owner ?? '', longestName))}`
    if (waiver?.expired === false)
      return prose`**Waived until ${waiver.until}** by ${owner}: ${what} Because: ${waiver.reason}`
    if (weight === 'warning') return prose`**Warning:** ${what}`
    const ended =
      waiver === undefined ? prose`` : prose` The waiver ${code(waiver.name)} of ${owner} ended on ${waiver.until}.`
    return prose`**Held back:** ${what}${ended}`
  })
  const left = all.length - notes.length
  return left === 0 ? notes : [...notes, prose`**And ${left} more** that rules are broken by.`]
}

/** Whether something of it holds data that would be lost, and nobody has acknowledged that. */
export function isGuarded({ units }: Plan): boolean {
  return units.some(({ losses = [] }) => losses.some(({ isAcknowledged }) => !isAcknowledged))
}

/** What was not planned is said before all else that is noted, by number and by name. */
function leftNote(left: readonly string[]): readonly Markdown[] {
  if (left.length === 0) return []
  const named = left.length > 12 ? left.slice(0, 11) : left
  const names = named.map((unit) => code(shorten(unit, longestName)))
  const all = listed(left.length > named.length ? [...names, prose`${left.length - named.length} more`] : names)
  return [
    prose`**Not planned here:** ${count(left.length, 'unit')}, for which there was no room: ${all}. In production they are held, with a plan of their own, when they are deployed.`,
  ]
}

function notesOf(
  plan: Plan,
  { busy, isOne }: { readonly busy: readonly PlannedUnit[]; readonly isOne: boolean },
): readonly Markdown[] {
  const idle = plan.units.length - busy.length
  const predicted = busy.filter((unit) => unit.predicted).map(({ unit }) => unit)
  const [first] = predicted
  if (busy.length === 0) return [prose`**No change** in ${count(plan.units.length, 'stack')}.`]
  return [
    ...guardNotes(busy),
    ...policyNotes(busy),
    ...saidNotes(busy),
    ...accessNotes({ busy, isOne }),
    ...handNotes({ busy, isOne }),
    ...inOneLine([...(isOne ? stagesMatch(busy) : []), ...harmless({ busy })]),
    ...(idle > 0 && !isOne ? [prose`**Unchanged:** ${count(idle, 'stack')}.`] : []),
    ...(first === undefined
      ? []
      : [
          prose`**Predicted:** ${predicted.length === 1 ? code(first) : prose`${predicted.length} stacks`} will be planned again once the environment is deployed.`,
        ]),
  ]
}

function inOneLine(facts: readonly Markdown[]): readonly Markdown[] {
  return facts.length === 0 ? [] : [facts.reduce((line, fact) => prose`${line} ${fact}`)]
}

/** Whether stages run the same, told by the digests of what was rendered. */
function stagesMatch(busy: readonly PlannedUnit[]): readonly Markdown[] {
  const instances = busy.filter(({ stage, unit }) => stage !== undefined && unit.split('/').length === 2)
  if (instances.length < 2) return []
  const groups = [...Map.groupBy(instances, ({ rendered }) => rendered).values()].map((units) => units.map(placeOf))
  const alike = groups.filter((places) => places.length > 1)
  if (groups.length === 1) return [prose`**Stages match:** all render the same.`]
  const [some] = alike
  return some === undefined ? [] : [prose`**Stages match:** ${list(some)} render the same.`]
}

// The folds

type Fold = { readonly title: Html; readonly names: readonly string[]; readonly body: Markdown }

/** Units with the same changes are shown once. What loses something comes first, then the order of the plan. */
function foldsOf(busy: readonly PlannedUnit[], isOne: boolean): readonly Fold[] {
  const groups = Map.groupBy(
    busy.filter(({ changes }) => changes.length > 0),
    ({ changes }) => diffText(changes),
  )
  const folds = [...groups].map(([text, units]) => {
    const names = units.map((unit) => (isOne ? placeOf(unit) : unit.unit))
    const [first] = units
    const isLossy = first !== undefined && lossesOf([first]).length > 0
    const same = names.length > 1 ? title` (identical)` : title``
    const counts = countsOf(first?.changes ?? []).map(({ text: words }) => words)
    return { isLossy, title: title`${boldList(names)}${same}: ${counts.join(', ')}`, names, body: fence(text, 'diff') }
  })
  return [
    ...folds.filter(({ isLossy }) => isLossy),
    ...gatesFold(busy, isOne),
    ...folds.filter(({ isLossy }) => !isLossy),
  ]
}

/** The guard and the policy are told of where people look first; that stages follow each other is in the table. */
const askedInFold: readonly GateName[] = ['soak', 'freeze', 'approval']
const mostGates = 30

/** What has to be so before the stages are deployed to; units of which the same is asked are shown once. */
function gatesFold(busy: readonly PlannedUnit[], isOne: boolean): readonly Fold[] {
  const asked = busy.flatMap((unit) => {
    const gates = (unit.gates ?? []).filter(({ gate }) => askedInFold.includes(gate))
    return gates.length === 0 ? [] : [{ name: isOne ? placeOf(unit) : unit.unit, place: placeOf(unit), gates }]
  })
  if (asked.length === 0) return []
  const groups = [...Map.groupBy(asked, ({ gates }) => JSON.stringify(gates)).values()]
  const rows = groups.flatMap((group) => {
    const names = group.map(({ name }) => name)
    const where = names.length > 4 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : list(names)
    return (group[0]?.gates ?? []).map(({ gate, asks, by = [] }, index) => [
      index === 0 ? prose`${where}` : '',
      prose`**${gateTitle(gate)}**`,
      by.length === 0 ? prose`${asks}` : prose`${asks} ${list(by)} may.`,
    ])
  })
  const body = table(['Where', 'Gate', 'What it asks'], rows.slice(0, mostGates))
  const left = rows.length - mostGates
  const places = [...new Set(asked.map(({ place }) => place))]
  return [
    {
      title: title`<b>Gates</b> before ${places.length > 4 ? `${places.length} places` : list(places)}`,
      names: ['the gates'],
      body: left > 0 ? blocks([body, prose`And ${left} more.`]) : body,
    },
  ]
}

function boldList(names: readonly string[]): Html {
  const shown = names.length > 8 ? names.slice(0, 7) : names
  const bold = shown.map((name) => title`<b>${name}</b>`)
  return listedHtml(names.length > shown.length ? [...bold, title`${names.length - shown.length} more`] : bold)
}

const severity = ['delete', 'replace', 'update', 'create'] as const
const signs = { delete: '-', replace: '-+', update: '~', create: '+' } as const satisfies Record<
  Change['action'],
  string
>
const deeds = {
  delete: 'delete',
  replace: 'replace',
  update: 'change in place',
  create: 'create',
} as const satisfies Record<Change['action'], string>

/** A new stack of more resources than this is told by their types. */
const manyResources = 30
const mostProperties = 20

/** The changes as a block that GitHub colours as a difference, the worst first. */
function diffText(changes: readonly Change[]): string {
  if (changes.length > manyResources && changes.every(({ action }) => action === 'create')) return typesText(changes)
  const worstFirst = severity.flatMap((action) => changes.filter((change) => change.action === action))
  const nameOf = ({ logicalId }: Change): string => cell(logicalId)
  const typeOf = ({ type }: Change): string => cell(type)
  const widths = [nameOf, typeOf].map((of) => Math.max(0, ...worstFirst.map((change) => width(of(change)))))
  return worstFirst
    .flatMap((change) => {
      const cells = [padded(nameOf(change), widths[0] ?? 0), padded(typeOf(change), widths[1] ?? 0)]
      const kept = change.retained ? ' (stays in the account)' : ''
      return [
        `${signs[change.action].padEnd(3)}${cells.join('  ')}  ${deeds[change.action]}${kept}`,
        ...propertyLines(change),
      ]
    })
    .join('\n')
}

function propertyLines({ action, properties, because }: Change): readonly string[] {
  if (action === 'create' || action === 'delete') return []
  const shown = properties.slice(0, mostProperties)
  const widest = Math.max(0, ...shown.map(({ path }) => width(cell(pathText(path)))))
  const lines = shown.map(({ path, before, after }) => {
    const sign = before === undefined ? '+' : after === undefined ? '-' : '!'
    const word = before === undefined ? 'added' : after === undefined ? 'removed' : 'other value'
    const note = because.includes(path) ? 'causes the replacement' : word
    return `${sign}      ${padded(cell(pathText(path)), widest)}  ${note}`
  })
  const left = properties.length - shown.length
  return left > 0 ? [...lines, `!      and ${left} more`] : lines
}

function typesText(changes: readonly Change[]): string {
  const counts = [...Map.groupBy(changes, ({ type }) => type)]
    .map(([type, all]) => ({ type: cell(type), number: String(all.length) }))
    .toSorted((a, b) => (a.type < b.type ? -1 : 1))
  const widest = Math.max(...counts.map(({ number }) => number.length))
  return counts.map(({ type, number }) => `+  ${number.padStart(widest)}  ${type}`).join('\n')
}

const cell = (text: string): string => line(shorten(text, 120))

function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - width(text)))
}

// The end, and the length

function footOf(plan: Plan, made: Made): Markdown {
  const templates = [...new Set(plan.units.map(({ template }) => template))]
  const shown = templates.slice(0, 2).map((template) => {
    const at = template.lastIndexOf('@')
    return prose`${code(template.slice(0, at))} ${template.slice(at + 1)}`
  })
  const more = templates.length - shown.length
  const took = made.took === undefined ? prose`` : prose` in ${duration(made.took)}`
  return small([
    ...shown,
    more > 0 ? prose`${more} more ${more === 1 ? 'template' : 'templates'}` : undefined,
    prose`commit ${code(made.commit.slice(0, 7))}`,
    prose`planned ${moment(made.at)}${took}`,
    prose`plan ${code(short(plan.digest))}`,
    made.run && link('rendered templates and full plan', made.run),
  ])
}

function restOf({ run }: Made): Markdown {
  return run === undefined
    ? prose`The whole of it is in the artifacts of the run.`
    : prose`The whole of it: ${link('full plan', run)}.`
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const

/** `22 Nov 17:33 UTC`. */
function moment(at: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0')
  return `${at.getUTCDate()} ${months[at.getUTCMonth()] ?? ''} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())} UTC`
}

type Parts = {
  readonly head: readonly (Markdown | undefined)[]
  /** The table with at most so many rows. */
  readonly table: ((most: number) => Markdown) | undefined
  readonly notes: readonly Markdown[]
  readonly folds: readonly Fold[]
  readonly foot: Markdown
  readonly rest: Markdown
}

/** Leaves out folds from the last backwards, then rows of the table, until it fits; the title and the warning stay. */
function fitted({ head, table: rows, notes, folds, foot, rest }: Parts): Markdown {
  const withFolds = (kept: number, rowCount: number): Markdown => {
    const left = folds.slice(kept).flatMap(({ names }) => names)
    const shown = left.length > 8 ? `${left.slice(0, 7).join(', ')} and ${left.length - 7} more` : list(left)
    const points = left.length === 0 ? notes : [...notes, prose`**Left out here:** the changes of ${shown}. ${rest}`]
    return blocks([
      ...head,
      rows?.(rowCount),
      points.length === 0 ? undefined : bullets(points),
      stacked(folds.slice(0, kept).map(({ title, body }) => fold(title, body))),
      foot,
    ])
  }
  const fits = (made: Markdown): boolean => sizeOf(made, commentBudget.unit) <= commentBudget.most
  const whole = withFolds(folds.length, Infinity)
  if (fits(whole)) return whole
  const sizes = folds.map(({ title, body }) => fold(title, body).markdown.length + 1)
  let room = commentBudget.most - withFolds(0, Infinity).markdown.length
  let kept = 0
  for (const size of sizes) {
    room -= size
    if (room < 0) break
    kept += 1
  }
  const made = withFolds(kept, Infinity)
  if (fits(made)) return made
  let most = 2000
  while (most > 10 && !fits(withFolds(0, most))) most = Math.floor(most / 2)
  return cut(withFolds(0, most), { ...commentBudget, rest })
}
