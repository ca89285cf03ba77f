import { type DataMap, entriesOf, isMap } from '../data.ts'
import { listIn, mapIn, textIn, textsIn } from '../shape.ts'

/**
 * Judges policies of IAM: trust policies of roles, and what roles may do. It knows the operators that such policies are
 * written with; one that it does not know is taken as what lets more through, so that nothing looks safer than it is.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export type Asked = {
  /** `sts:AssumeRoleWithWebIdentity`. */
  readonly action: string
  /** Nothing in a trust policy, which is about its own role. */
  readonly resource?: string
  /** Who asks, in a trust policy: the ARN of a provider, or the name of a service. */
  readonly principal?: { readonly kind: 'Federated' | 'Service' | 'AWS'; readonly name: string }
  /** What is known of the request, by condition key. A key that is not there is absent, which is not the same as empty. */
  readonly context: Readonly<Record<string, string | readonly string[]>>
}

export type Verdict =
  | { readonly is: 'allowed' }
  /** `explicitly`: a statement denies it; otherwise none allows it. */
  | { readonly is: 'denied'; readonly explicitly: boolean }

export function judge(policies: readonly DataMap[], asked: Asked): Verdict {
  const statements = policies.flatMap(statementsOf).filter((statement) => applies(statement, asked))
  if (statements.some((statement) => textIn(statement, 'Effect') === 'Deny')) return { is: 'denied', explicitly: true }
  return statements.length > 0 ? { is: 'allowed' } : { is: 'denied', explicitly: false }
}

export const githubIssuer = 'token.actions.githubusercontent.com'

/**
 * Asks a trust policy whether a job with these claims of GitHub may take the role: `claims` are those of its token, and the
 * keys of conditions are theirs behind the name of the provider.
 */
export function mayAssume(
  policy: DataMap,
  { provider, claims }: { readonly provider: string; readonly claims: Readonly<Record<string, string>> },
): Verdict {
  return judge([policy], {
    action: 'sts:AssumeRoleWithWebIdentity',
    principal: { kind: 'Federated', name: provider },
    context: Object.fromEntries(Object.entries(claims).map(([name, value]) => [`${githubIssuer}:${name}`, value])),
  })
}

/** The claims that a strong trust policy fixes, each to what is written out. */
export const pinnedClaims = ['aud', 'sub', 'repository_id', 'environment', 'job_workflow_ref', 'ref'] as const

export type Weakness = { readonly statement: number; readonly what: string }

/**
 * What of a trust policy is weaker than the strong form. `except` are claims that cannot be fixed, as the ref of a pull
 * request, which is another one each time.
 */
export function weaknesses(policy: DataMap, except: readonly (typeof pinnedClaims)[number][] = []): Weakness[] {
  return statementsOf(policy).flatMap((each, statement) => {
    if (textIn(each, 'Effect') !== 'Allow' || !named(each, 'Action', 'sts:AssumeRoleWithWebIdentity')) return []
    const condition = mapIn(each, 'Condition')
    const found: string[] = []
    if (each['Principal'] === '*') found.push('everybody may take the role')
    const exact = mapIn(condition, 'StringEquals')
    for (const claim of pinnedClaims) {
      const isFixed = textsIn(exact, `${githubIssuer}:${claim}`).length > 0
      if (!isFixed && !except.includes(claim)) found.push(`the claim "${claim}" is not fixed by StringEquals`)
    }
    for (const operator of Object.keys(condition ?? {})) {
      if (operator !== 'StringEquals') found.push(`${operator} lets more through than StringEquals`)
    }
    return found.map((what) => ({ statement, what }))
  })
}

function statementsOf(policy: DataMap): DataMap[] {
  const statement = policy['Statement']
  if (isMap(statement)) return [statement]
  return (listIn(policy, 'Statement') ?? []).filter((each) => isMap(each))
}

function applies(statement: DataMap, asked: Asked): boolean {
  const allows = textIn(statement, 'Effect') === 'Allow'
  if (!allows && textIn(statement, 'Effect') !== 'Deny') return false
  if (!named(statement, 'Action', asked.action)) return false
  if (asked.resource !== undefined && !named(statement, 'Resource', asked.resource)) return false
  if (asked.principal !== undefined && !isPrincipal(statement, asked.principal)) return false
  return entriesOf(mapIn(statement, 'Condition') ?? {}).every(
    ([operator, keys]) =>
      isMap(keys) &&
      Object.keys(keys).every((key) =>
        holds({ operator, wanted: textsIn(keys, key), has: valuesOf(asked, key), allows }),
      ),
  )
}

/** Actions are compared without regard to case, ARNs with it. */
function named(statement: DataMap, key: 'Action' | 'Resource', name: string): boolean {
  const flags = key === 'Action' ? 'iu' : 'u'
  const isAmong = (patterns: readonly string[]): boolean => patterns.some((each) => like(each, flags).test(name))
  if (statement[`Not${key}`] !== undefined) return !isAmong(textsIn(statement, `Not${key}`))
  return isAmong(textsIn(statement, key))
}

function isPrincipal(statement: DataMap, { kind, name }: NonNullable<Asked['principal']>): boolean {
  const principal = statement['Principal']
  if (principal === '*') return true
  if (!isMap(principal)) return false
  return [...textsIn(principal, kind), ...textsIn(principal, 'AWS').filter((each) => each === '*')].some(
    (each) => each === '*' || each === name,
  )
}

/** Condition keys are compared without regard to case. Nothing where the key is absent. */
function valuesOf({ context }: Asked, key: string): readonly string[] | undefined {
  const found = Object.entries(context).find(([name]) => name.toLowerCase() === key.toLowerCase())?.[1]
  return typeof found === 'string' ? [found] : found
}

type Test = {
  readonly operator: string
  readonly wanted: readonly string[]
  readonly has: readonly string[] | undefined
  readonly allows: boolean
}

function holds({ operator, wanted, has, allows }: Test): boolean {
  const [, set, name = '', optional] = /^(?:(ForAnyValue|ForAllValues):)?(.*?)(IfExists)?$/.exec(operator) ?? []
  if (name === 'Null') return wanted.some((each) => each === String(has === undefined))
  const isNegative = /^(String|Arn)Not/.test(name)
  const match = matchers[name.replace('Not', '')]
  if (match === undefined) return allows
  const one = (value: string): boolean => wanted.some((each) => match(each, value)) !== isNegative
  // Of no values at all, ForAllValues is true: it lets through whom nothing is known of.
  if (set === 'ForAllValues') return (has ?? []).every(one)
  if (has === undefined) return optional !== undefined || (isNegative && set === undefined)
  return has.some(one)
}

const matchers: Readonly<Record<string, (wanted: string, value: string) => boolean>> = {
  StringEquals: (wanted, value) => wanted === value,
  StringEqualsIgnoreCase: (wanted, value) => wanted.toLowerCase() === value.toLowerCase(),
  StringLike: (wanted, value) => like(wanted, 'u').test(value),
  ArnEquals: (wanted, value) => like(wanted, 'u').test(value),
  ArnLike: (wanted, value) => like(wanted, 'u').test(value),
  Bool: (wanted, value) => wanted.toLowerCase() === value.toLowerCase(),
}

/** A pattern of IAM: `*` is any text, `?` any character. */
function like(pattern: string, flags: string): RegExp {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\/]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, `s${flags}`)
}
