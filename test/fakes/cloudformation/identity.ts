import { createHash } from 'node:crypto'
import { judge } from '../../../src/core/trust/evaluate.ts'
import type { WebIdentity } from './federation.ts'
import { numberAt, text } from './input.ts'
import type { Members } from './model.ts'
import { type FoundRole, letIn } from './roles.ts'
import { ApiError, validation } from './state.ts'

/** Who signs a request, as far as this server tells people apart. */
export type Identity = {
  readonly account: string
  readonly arn: string
  readonly expires: Date | undefined
  /** Of a session of a role that a stack has made: what it may do is held to. */
  readonly role?: FoundRole
}

export type Identities = {
  /** By an access key. One that was not given out here belongs to the account that the options name. */
  of(accessKey: string): Identity
  /** The answer of an action of STS. */
  answer(asked: {
    readonly action: string
    readonly input: Members
    readonly accessKey: string
    /** The identity in a token, where those are checked. */
    readonly web?: WebIdentity
  }): Members
  /** Ends all credentials that were given out so far. */
  expireAll(): void
}

/** With keys a role is taken by whom its trust policy names; those for identities name nobody who has keys. */
function letInByKey({ trust, arn: role }: FoundRole, arn: string): void {
  const asked = { action: 'sts:AssumeRole', principal: { kind: 'AWS', name: arn }, context: {} } as const
  if (judge([trust], asked).is === 'allowed') return
  throw new ApiError('AccessDenied', `User: ${arn} is not authorized to perform: sts:AssumeRole on resource: ${role}`)
}

export function newIdentities(
  now: () => Date,
  options: {
    readonly account: string
    readonly accessKeys: Readonly<Record<string, string>>
    readonly roleOf: (arn: string) => FoundRole | undefined
  },
): Identities {
  const given = new Map<string, { identity: Identity }>()
  let count = 0

  function identityOf(accessKey: string): Identity {
    const session = given.get(accessKey)?.identity
    if (session !== undefined) return session
    const account = options.accessKeys[accessKey] ?? options.account
    return { account, arn: `arn:aws:iam::${account}:user/deployer`, expires: undefined }
  }

  function assumed(
    input: Members,
    { accessKey, web }: { readonly accessKey: string; readonly web?: WebIdentity },
  ): Members {
    const role = text(input, 'RoleArn')
    const [, account, name] = /^arn:aws[a-z-]*:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(role) ?? []
    if (account === undefined || name === undefined) throw validation(`${role} is invalid`)
    const found = options.roleOf(role)
    if (web !== undefined) letIn(found, web, account)
    else if (found !== undefined) letInByKey(found, identityOf(accessKey).arn)
    if ((numberAt(input, 'DurationSeconds') ?? 3600) > (found?.longest ?? 43_200))
      throw validation('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.')
    count += 1
    const random = createHash('sha256').update(`${role} ${count}`).digest('hex').toUpperCase()
    const key = `ASIA${random.slice(0, 16)}`
    const session = text(input, 'RoleSessionName')
    const arn = `arn:aws:sts::${account}:assumed-role/${name}/${session}`
    const seconds = numberAt(input, 'DurationSeconds') ?? 3600
    given.set(key, {
      identity: {
        account,
        arn,
        expires: new Date(now().getTime() + seconds * 1000),
        ...(found === undefined ? {} : { role: found }),
      },
    })
    return {
      Credentials: {
        AccessKeyId: key,
        SecretAccessKey: `secret-${random.slice(16, 56)}`,
        SessionToken: `session-${random}`,
        // A client compares it with the clock of its machine, whatever time it is here.
        Expiration: new Date(Math.floor(Date.now() / 1000 + seconds) * 1000),
      },
      AssumedRoleUser: { AssumedRoleId: `AROA${random.slice(20, 37)}:${session}`, Arn: arn },
    }
  }

  return {
    of: identityOf,
    expireAll: () => {
      for (const session of given.values()) session.identity = { ...session.identity, expires: new Date(0) }
    },
    answer: ({ action, input, accessKey, web }) => {
      if (action === 'AssumeRole') return assumed(input, { accessKey })
      if (action === 'AssumeRoleWithWebIdentity')
        return {
          ...assumed(input, { accessKey, ...(web === undefined ? {} : { web }) }),
          Provider: web?.issuer ?? 'arn:aws:iam::oidc-provider/token',
          SubjectFromWebIdentityToken: web?.subject ?? 'subject',
          ...(web === undefined ? {} : { Audience: web.audience }),
        }
      const { account, arn } = identityOf(accessKey)
      return { UserId: `AIDA${account}`, Account: account, Arn: arn }
    },
  }
}
