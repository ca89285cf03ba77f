import { createHash } from 'node:crypto'
import { numberAt, text } from './input.ts'
import type { Members } from './model.ts'
import { validation } from './state.ts'

/** Who signs a request, as far as this server tells people apart. */
export type Identity = {
  readonly account: string
  readonly arn: string
  readonly expires: Date | undefined
}

export type Identities = {
  /** By an access key. One that was not given out here belongs to the account that the options name. */
  of(accessKey: string): Identity
  /** The answer of an action of STS. */
  answer(asked: { readonly action: string; readonly input: Members; readonly accessKey: string }): Members
  /** Ends all credentials that were given out so far. */
  expireAll(): void
}

export function newIdentities(
  now: () => Date,
  options: { readonly account: string; readonly accessKeys: Readonly<Record<string, string>> },
): Identities {
  const given = new Map<string, { identity: Identity }>()
  let count = 0

  function identityOf(accessKey: string): Identity {
    const session = given.get(accessKey)?.identity
    if (session !== undefined) return session
    const account = options.accessKeys[accessKey] ?? options.account
    return { account, arn: `arn:aws:iam::${account}:user/deployer`, expires: undefined }
  }

  function assumed(input: Members): Members {
    const role = text(input, 'RoleArn')
    const [, account, name] = /^arn:aws[a-z-]*:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(role) ?? []
    if (account === undefined || name === undefined) throw validation(`${role} is invalid`)
    count += 1
    const random = createHash('sha256').update(`${role} ${count}`).digest('hex').toUpperCase()
    const accessKey = `ASIA${random.slice(0, 16)}`
    const session = text(input, 'RoleSessionName')
    const arn = `arn:aws:sts::${account}:assumed-role/${name}/${session}`
    const seconds = numberAt(input, 'DurationSeconds') ?? 3600
    given.set(accessKey, { identity: { account, arn, expires: new Date(now().getTime() + seconds * 1000) } })
    return {
      Credentials: {
        AccessKeyId: accessKey,
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
    answer: ({ action, input, accessKey }) => {
      if (action === 'AssumeRole') return assumed(input)
      if (action === 'AssumeRoleWithWebIdentity')
        return {
          ...assumed(input),
          Provider: 'arn:aws:iam::oidc-provider/token',
          SubjectFromWebIdentityToken: 'subject',
        }
      const { account, arn } = identityOf(accessKey)
      return { UserId: `AIDA${account}`, Account: account, Arn: arn }
    },
  }
}
