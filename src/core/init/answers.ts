import { didYouMean } from '../nearest.ts'
import type { Checked, Problem } from '../problem.ts'
import { isServiceName, readHost, readHostPattern } from '../stage.ts'

/** What is said of a new catalog, as it was typed: by options, or as answers to questions. */
export type Given = {
  readonly repository?: string | undefined
  readonly domain?: string | undefined
  /** `dev=dev.example.com`, or `dev` alone; in the order of promotion. */
  readonly stage: readonly string[]
  readonly production?: string | undefined
  /** `dev=111111111111` */
  readonly account: readonly string[]
  /** `eu-west-1` for all stages, or `dev=eu-west-1`. */
  readonly region: readonly string[]
  /** Nothing lies in an account: stacks are rehearsed on the machine. */
  readonly local: boolean
  readonly owner?: string | undefined
  readonly approval: readonly string[]
  readonly start?: string | undefined
  readonly actions?: string | undefined
  readonly 'organisation-id'?: string | undefined
  readonly 'repository-id'?: string | undefined
  /** Production may share its account. */
  readonly 'shared-account': boolean
}

/** A new catalog, as far as it is for the person who begins it to say. */
export type Answers = {
  readonly repository: { readonly owner: string; readonly name: string }
  readonly domain: string
  /** In the order of promotion. */
  readonly stages: readonly StageAnswer[]
  /** The team or person who answers for the catalog, `@acme/platform`. */
  readonly owner: string
  /** Who has to agree to what goes to production. */
  readonly approval: readonly string[]
  readonly start: 'sample' | 'empty'
  /** `vendored`, or `owner/name/folder@<commit>`. */
  readonly actions: string
  /** The numbers of organisation and repository on GitHub; without them there are no roles yet. */
  readonly ids?: { readonly organisation: string; readonly repository: string }
  readonly local: boolean
}

export type StageAnswer = {
  readonly name: string
  /** The zone in which its services answer. */
  readonly zone: string
  /** The pattern of its hosts, in terms of the domain where it lies in it. */
  readonly host: string
  readonly production: boolean
  readonly account: string
  readonly region: string
}

/** Reads what was typed; all that is wrong or missing is told at once, by the names of the options. */
export function readAnswers(given: Given): Checked<Answers> {
  const problems: Problem[] = []
  const take = <T>(read: Checked<T>): T | undefined => {
    problems.push(...read.problems)
    return read.ok ? read.value : undefined
  }
  const repository = take(readRepository(given.repository))
  const domain = take(readDomain(given.domain))
  const owner = take(readOwner(given.owner, repository?.owner))
  const approval = given.approval.map((who) => take(readPeople('--approval', who, repository?.owner)))
  const start = take(readStart(given.start))
  const actions = take(readActions(given.actions))
  const ids = take(readIds(given))
  // What a stage lacks is told in any case; where it lies needs the domain.
  const names = domain === undefined && given.stage.length > 0 ? undefined : take(readStages(given, domain ?? ''))
  const stages = names === undefined ? undefined : take(readHomes(given, names))
  const failed = problems.some(({ severity }) => severity === 'error')
  if (
    failed ||
    repository === undefined ||
    domain === undefined ||
    owner === undefined ||
    start === undefined ||
    actions === undefined ||
    stages === undefined
  )
    return { ok: false, problems }
  const value = {
    repository,
    domain,
    stages,
    owner,
    approval: approval.length === 0 ? [owner] : approval.filter((who) => who !== undefined),
    start,
    actions,
    ...(ids === undefined ? {} : { ids }),
    local: given.local,
  }
  return { ok: true, value, problems }
}

function good<T>(value: T, problems: readonly Problem[] = []): Checked<T> {
  return { ok: true, value, problems }
}

function missing(flag: string, what: string, example: string): Checked<never> {
  return refused({
    code: 'missing-argument',
    message: `It is not said ${what}.`,
    expected: `${flag}, such as \`${flag} ${example}\`.`,
    remedy: `Add ${flag}; in a terminal, \`protium init\` asks for it.`,
  })
}

function refused(...problems: readonly Omit<Problem, 'severity'>[]): Checked<never> {
  return { ok: false, problems: problems.map((problem) => ({ severity: 'error', ...problem })) }
}

/**
 * https://docs.github.com/en/enterprise-cloud@latest/admin/managing-iam/iam-configuration-reference/username-considerations-for-external-authentication:
 * letters, digits and single hyphens, at most 39. Repositories: letters, digits, ".", "-" and "_", at most 100.
 */
export function readRepository(text: string | undefined, flag = '--repository'): Checked<Answers['repository']> {
  if (text === undefined) return missing(flag, 'which repository on GitHub this is for', 'acme/catalog')
  const [owner = '', name = '', more] = text.split('/')
  const fault = more === undefined && text.includes('/') ? (ownerFault(owner) ?? nameFault(name)) : 'is no owner/name'
  if (fault === undefined) return good({ owner, name })
  return refused({
    code: 'repository-name',
    message: `${flag}: GitHub takes no repository ${JSON.stringify(text)}: it ${fault}.`,
    expected: 'A repository as owner/name, such as acme/catalog, without an address before it.',
    remedy: 'Correct it.',
  })
}

function ownerFault(owner: string): string | undefined {
  if (owner === '') return 'has no owner'
  if (owner.length > 39) return 'has an owner of more than 39 characters'
  if (!/^[A-Za-z0-9-]+$/u.test(owner)) return 'has an owner with a character that is not a letter, a digit or "-"'
  if (/^-|-$|--/u.test(owner)) return 'has an owner with "-" at an end, or two of them in a row'
  return undefined
}

function nameFault(name: string): string | undefined {
  if (name === '') return 'has no name'
  if (name.length > 100) return 'has a name of more than 100 characters'
  if (!/^[A-Za-z0-9._-]+$/u.test(name))
    return 'has a name with a character that is not a letter, a digit, ".", "-" or "_"'
  if (name === '.' || name === '..') return 'has a name of dots alone'
  if (/\.(?:git|wiki)$/iu.test(name))
    return `has a name that ends in ${JSON.stringify(name.slice(name.lastIndexOf('.')))}`
  return undefined
}

function readDomain(text: string | undefined): Checked<string> {
  if (text === undefined) return missing('--domain', 'in which domain services answer', 'example.com')
  return readZone(text, { flag: '--domain' })
}

/** A name of DNS with at least two parts; a single one belongs to nobody who could delegate from it. */
function readZone(text: string, { flag }: { readonly flag: string }): Checked<string> {
  const read = readHost(text)
  const fault =
    'fault' in read
      ? read.fault
      : !read.host.includes('.')
        ? 'has only one part'
        : /^[0-9.]+$/u.test(read.host)
          ? 'is an address of numbers'
          : undefined
  if (fault === undefined && 'host' in read) return good(read.host)
  return refused({
    code: 'not-a-domain',
    message: `${flag}: ${JSON.stringify(text)} is no domain: it ${fault ?? 'cannot be read'}.`,
    expected: 'A name of DNS such as example.com, without a protocol, a path or a port.',
    remedy: 'Correct it. A name with other letters is written as DNS has it, beginning with xn--.',
  })
}

/** A team of the organisation, or a person. */
function readPeople(flag: string, text: string, owner: string | undefined): Checked<string> {
  const [, organisation, team] = /^@([A-Za-z0-9][A-Za-z0-9-]*)(?:\/([A-Za-z0-9._-]+))?$/u.exec(text) ?? []
  if (organisation === undefined)
    return refused({
      code: 'option-value',
      message: `${flag}: ${JSON.stringify(text)} is neither a team nor a person of GitHub.`,
      expected: '"@acme/platform", or "@ada".',
      remedy: 'Correct it.',
    })
  if (team !== undefined && owner !== undefined && organisation.toLowerCase() !== owner.toLowerCase())
    return refused({
      code: 'option-value',
      message: `${flag}: the team ${text} is not one of ${owner}, whose repository this is.`,
      expected: `A team of ${owner}, "@${owner}/${team}"; GitHub knows no others here.`,
      remedy: 'Correct it.',
    })
  return good(text)
}

function readOwner(text: string | undefined, owner: string | undefined): Checked<string> {
  if (text === undefined && owner !== undefined) return good(`@${owner}/platform`)
  return text === undefined ? good('') : readPeople('--owner', text, owner)
}

function readStart(text = 'sample'): Checked<Answers['start']> {
  if (text === 'sample' || text === 'empty') return good(text)
  return refused({
    code: 'option-value',
    message: `--start: ${JSON.stringify(text)} is nothing to begin with.${didYouMean(text, ['sample', 'empty'])}`,
    expected: '`sample`, with the templates of the sample organisation; or `empty`.',
    remedy: 'Correct it.',
  })
}

function readActions(text = 'vendored'): Checked<string> {
  if (text === 'vendored') return good(text)
  const [, repository] =
    /^([A-Za-z0-9-]+\/[A-Za-z0-9._-]+)(?:\/[A-Za-z0-9_.-]*[A-Za-z0-9_-])+@[0-9a-f]{40}$/u.exec(text) ?? []
  if (repository !== undefined && readRepository(repository).ok) return good(text)
  return refused({
    code: 'option-value',
    message: /@(?![0-9a-f]{40}$)[^@]*$/u.test(text)
      ? `--actions: ${JSON.stringify(text)} is not pinned: a tag or a branch can be moved to other code.`
      : `--actions: ${JSON.stringify(text)} names no actions.`,
    expected: '`vendored`, or owner/name/actions@ and all 40 digits of a commit, in small letters.',
    remedy: 'Write the commit; `git ls-remote` shows which one a tag names.',
  })
}

function readIds(given: Given): Checked<Answers['ids']> {
  const flags = ['organisation-id', 'repository-id'] as const
  const told = flags.filter((flag) => given[flag] !== undefined)
  if (told.length === 0) return good(undefined)
  if (given.local)
    return refused({
      code: 'option-value',
      message: `--local: nothing lies in an account, so nothing is to be trusted there; --${told[0]} is for that.`,
      expected: 'The one or the other.',
      remedy: 'Leave out --local, or the ids.',
    })
  const wrong = told.filter((flag) => !/^[1-9][0-9]{0,17}$/u.test(given[flag] ?? ''))
  const absent = flags.filter((flag) => given[flag] === undefined)
  if (wrong.length + absent.length > 0)
    return refused(
      ...wrong.map((flag) => ({
        code: 'option-value' as const,
        message: `--${flag}: ${JSON.stringify(given[flag])} is not a number of GitHub's.`,
        expected: 'Digits alone, such as 1296269.',
        remedy: howToAsk(flag, given.repository),
      })),
      ...absent.map((flag) => ({
        code: 'missing-argument' as const,
        message: `--${flag} is missing: who may work in the accounts is known by the two numbers together.`,
        expected: 'Both numbers, or none of them for now.',
        remedy: howToAsk(flag, given.repository),
      })),
    )
  return good({ organisation: given['organisation-id'] ?? '', repository: given['repository-id'] ?? '' })
}

/** The command that shows a number that GitHub has given. */
export function howToAsk(flag: 'organisation-id' | 'repository-id', repository: string | undefined): string {
  const [owner = 'acme'] = (repository ?? '').split('/').filter((part) => part !== '')
  return flag === 'organisation-id'
    ? `\`gh api users/${owner} --jq .id\` shows it.`
    : `\`gh api repos/${repository ?? 'acme/catalog'} --jq .id\` shows it.`
}

// Stages

type Named = Pick<StageAnswer, 'name' | 'zone' | 'host' | 'production'>

function readStages(given: Given, domain: string): Checked<readonly Named[]> {
  if (given.stage.length === 0)
    return missing('--stage', 'which stages there are, in their order', 'dev=dev.example.com --stage prod=example.com')
  const problems: Problem[] = []
  const production = productionOf(given)
  const stages: Named[] = []
  for (const text of given.stage) {
    const [name = '', zone, more] = text.split('=')
    const read = readStage(text, {
      name,
      zone: zone ?? (name === production ? domain : `${name}.${domain}`),
      domain,
      production: name === production,
      isWhole: more === undefined,
    })
    problems.push(...read.problems)
    if (!read.ok) continue
    const other = stages.find((stage) => stage.name === name || stage.zone === read.value.zone)
    if (other === undefined) stages.push(read.value)
    else
      problems.push({
        code: 'option-value',
        severity: 'error',
        message:
          other.name === name
            ? `--stage: there are two stages "${name}".`
            : `--stage: "${other.name}" and "${name}" have the same zone ${other.zone}, and a host could not be told to be in the one or the other.`,
        expected: 'A name and a zone of its own for each stage.',
        remedy: 'Correct one of the two.',
      })
  }
  if (given.production !== undefined && !stages.some(({ name }) => name === given.production) && problems.length === 0)
    problems.push({
      code: 'option-value',
      severity: 'error',
      message: `--production: there is no stage ${JSON.stringify(given.production)}.${didYouMean(
        given.production,
        stages.map(({ name }) => name),
      )}`,
      expected: `One of ${stages.map(({ name }) => name).join(', ')}.`,
      remedy: 'Correct it.',
    })
  return problems.length > 0 ? { ok: false, problems } : good(stages)
}

/** The one that was named; else the last of several, or one that is called so. */
function productionOf({ production, stage }: Given): string | undefined {
  if (production !== undefined) return production
  const names = stage.map((text) => text.split('=')[0] ?? '')
  const called = names.find((name) => name === 'prod' || name === 'production' || name === 'live')
  return called ?? (names.length > 1 ? names.at(-1) : undefined)
}

function readStage(
  text: string,
  {
    name,
    zone: wanted,
    domain,
    production,
    isWhole,
  }: {
    readonly name: string
    readonly zone: string
    readonly domain: string
    readonly production: boolean
    readonly isWhole: boolean
  },
): Checked<Named> {
  if (!isWhole || !isServiceName(name) || name === 'pipeline' || name === 'component')
    return refused({
      code: 'option-value',
      message: `--stage: ${JSON.stringify(text)} names no stage.`,
      expected:
        'A name and its zone, such as dev=dev.example.com. Names have small letters, digits and "-", a letter first; "pipeline" and "component" are taken.',
      remedy: 'Correct it.',
    })
  const zone = readZone(wanted, { flag: `--stage ${name}` })
  if (!zone.ok) return zone
  const host = hostIn(zone.value, domain)
  const pattern = readHostPattern(host, { domain, of: 'stage' })
  if ('fault' in pattern)
    return refused({
      code: 'not-a-domain',
      message: `--stage ${name}: no service could answer in ${zone.value}: the pattern "${host}" ${pattern.fault}.`,
      expected: 'A shorter zone.',
      remedy: 'Correct it.',
    })
  return good({ name, zone: zone.value, host, production })
}

function hostIn(zone: string, domain: string): string {
  if (zone === domain) return '{service}.{domain}'
  return zone.endsWith(`.${domain}`) ? `{service}.${zone.slice(0, -domain.length)}{domain}` : `{service}.${zone}`
}

// Accounts

function readHomes(given: Given, stages: readonly Named[]): Checked<readonly StageAnswer[]> {
  const problems: Problem[] = []
  const accounts = given.local
    ? new Map(stages.map(({ name }, index) => [name, String(index + 1).padStart(12, '0')]))
    : valuesOf(given.account, { flag: '--account', stages, what: account, problems })
  const regions = valuesOf(given.region, { flag: '--region', stages, what: region, problems })
  if (given.local && given.account.length > 0)
    problems.push({
      code: 'option-value',
      severity: 'error',
      message: '--local: nothing lies in an account, and --account names one.',
      expected: 'The one or the other.',
      remedy: 'Leave out one of them.',
    })
  problems.push(...sharing(given, { stages, accounts }))
  if (problems.some(({ severity }) => severity === 'error')) return { ok: false, problems }
  const value = stages.map((stage) => ({
    ...stage,
    account: accounts.get(stage.name) ?? '',
    region: regions.get(stage.name) ?? '',
  }))
  return good(value, problems)
}

type Kind = { readonly pattern: RegExp; readonly is: string; readonly expected: string; readonly example: string }

const account: Kind = {
  pattern: /^[0-9]{12}$/u,
  is: 'account of AWS',
  expected: 'Its twelve digits, without hyphens.',
  example: '111111111111',
}

const region: Kind = {
  pattern: /^[a-z]{2,3}(?:-[a-z]+)+-[0-9]+$/u,
  is: 'region of AWS',
  expected: 'A region such as eu-west-1.',
  example: 'eu-west-1',
}

/** A value for each stage: `dev=…`, or one alone for all of them. */
function valuesOf(
  texts: readonly string[],
  {
    flag,
    stages,
    what,
    problems,
  }: {
    readonly flag: '--account' | '--region'
    readonly stages: readonly Named[]
    readonly what: Kind
    readonly problems: Problem[]
  },
): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  const names = stages.map(({ name }) => name)
  const wrong = (message: string, expected: string): void =>
    void problems.push({
      code: 'option-value',
      severity: 'error',
      message: `${flag}: ${message}`,
      expected,
      remedy: 'Correct it.',
    })
  const rest: string[] = []
  for (const text of texts) {
    const at = text.indexOf('=')
    const [name, value] = at === -1 ? [undefined, text] : [text.slice(0, at), text.slice(at + 1)]
    if (!what.pattern.test(value)) wrong(`${JSON.stringify(value)} is no ${what.is}.`, what.expected)
    else if (name === undefined) rest.push(value)
    else if (!names.includes(name))
      wrong(`there is no stage ${JSON.stringify(name)}.${didYouMean(name, names)}`, `One of ${names.join(', ')}.`)
    else if (values.has(name)) wrong(`the stage "${name}" is given two.`, `One for each stage.`)
    else values.set(name, value)
  }
  if (rest.length > 1) wrong(`${rest.join(' and ')} are given to all stages.`, `\`${flag} <stage>=…\` for each.`)
  for (const name of names) {
    const value = values.get(name) ?? rest[0]
    if (value !== undefined) values.set(name, value)
    // What was typed wrongly is told already, and need not be told to be missing.
    else if (!problems.some(({ message }) => message.startsWith(flag))) {
      const absent = missing(flag, `in which ${what.is} the stage "${name}" lies`, `${name}=${what.example}`)
      problems.push(...absent.problems)
    }
  }
  return values
}

/** Whoever may deploy to a stage may reach what else lies in its account: that is said, and of production it has to be meant. */
function sharing(
  given: Given,
  { stages, accounts }: { readonly stages: readonly Named[]; readonly accounts: ReadonlyMap<string, string> },
): readonly Problem[] {
  const groups = Map.groupBy(
    stages.filter(({ name }) => accounts.has(name)),
    ({ name }) => accounts.get(name) ?? '',
  )
  return [...groups].flatMap(([number, inside]): Problem[] => {
    if (inside.length < 2) return []
    const names = inside.map(({ name }) => `"${name}"`).join(' and ')
    const meant = given['shared-account'] || !inside.some(({ production }) => production)
    return [
      {
        code: 'account-shared',
        severity: meant ? 'warning' : 'error',
        message: `--account: ${names} lie in the same account ${number}, so that what goes wrong in the one can reach the other.`,
        expected: 'An account of its own for each stage, and above all for production.',
        remedy: meant
          ? 'Nothing has to be done; an account for each is safer.'
          : 'Give production another account, or say that it is meant: --shared-account.',
      },
    ]
  })
}

/** Nothing is said yet. */
export const nothingGiven: Given = {
  stage: [],
  account: [],
  region: [],
  approval: [],
  local: false,
  'shared-account': false,
}
