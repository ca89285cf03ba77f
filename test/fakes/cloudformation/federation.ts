import { createPublicKey, createVerify, type JsonWebKey } from 'node:crypto'
import { ApiError } from './state.ts'

/** A provider of identities that accounts may trust. */
export type IdentityProvider = {
  /** As tokens name it: `https://token.actions.githubusercontent.com`. */
  readonly issuer: string
  /** Where it is found on this machine: what `/.well-known/openid-configuration` is below. */
  readonly url: string
  /** Whom it vouches to: the client ids of the provider in the account. */
  readonly audiences: readonly string[]
  /** By default the machine's. */
  readonly now?: () => Date
}

/** What a token says, once it was found to be right. Claims that are no text are left out, as STS knows none. */
export type WebIdentity = {
  readonly issuer: string
  readonly subject: string
  readonly audience: string
  readonly claims: Readonly<Record<string, string>>
}

/**
 * Checks a token as STS does: the issuer is known, the key is one that it publishes, the signature fits, the times and the
 * audience are right. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export async function readIdentity(token: string, providers: readonly IdentityProvider[]): Promise<WebIdentity> {
  const [head = '', body = '', signature = ''] = token.split('.')
  const claims = parsed(body)
  const { kid, alg } = parsed(head)
  const provider = providers.find(({ issuer }) => issuer === claims['iss'])
  if (provider === undefined)
    throw invalid('No OpenIDConnect provider found in your account for the issuer of the token')
  // The algorithm is the provider's to choose, not the token's: `none` and shared secrets are no choice.
  if (alg !== 'RS256') throw invalid('The algorithm of the token is not supported')
  const key = (await keysOf(provider)).find((each) => each['kid'] === kid)
  if (key === undefined) throw invalid("Couldn't retrieve verification key from your identity provider")
  const isSigned = createVerify('RSA-SHA256')
    .update(`${head}.${body}`)
    .verify(createPublicKey({ key, format: 'jwk' }), signature, 'base64url')
  if (!isSigned) throw invalid('The signature of the token is not valid')
  const seconds = (provider.now?.() ?? new Date()).getTime() / 1000
  const [from, to] = [Number(claims['nbf'] ?? 0), Number(claims['exp'] ?? 0)]
  if (to <= seconds)
    throw new ApiError('ExpiredTokenException', `Token expired: current date/time ${seconds} must be before ${to}`)
  if (from > seconds) throw invalid('The token is not valid yet')
  const audience = String(claims['aud'])
  if (!provider.audiences.includes(audience)) throw invalid('Incorrect token audience')
  return {
    issuer: provider.issuer,
    subject: String(claims['sub']),
    audience,
    claims: Object.fromEntries(
      Object.entries(claims).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : [])),
    ),
  }
}

function invalid(message: string): ApiError {
  return new ApiError('InvalidIdentityTokenException', message)
}

function parsed(part: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    if (typeof value === 'object' && value !== null) return { ...value }
  } catch {
    // Told below, as anything else that is no token.
  }
  throw invalid('The ID Token provided is not a valid JWT.')
}

async function keysOf({ url }: IdentityProvider): Promise<readonly JsonWebKey[]> {
  try {
    const configuration: { readonly jwks_uri: string } = JSON.parse(
      await textAt(`${url}/.well-known/openid-configuration`),
    )
    const { keys }: { readonly keys: readonly JsonWebKey[] } = JSON.parse(await textAt(configuration.jwks_uri))
    return keys
  } catch {
    throw new ApiError('IDPCommunicationErrorException', 'The identity provider could not be reached')
  }
}

async function textAt(url: string): Promise<string> {
  return (await fetch(url)).text()
}
