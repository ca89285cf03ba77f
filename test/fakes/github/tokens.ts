import { createHash, createVerify } from 'node:crypto'
import { appKeys } from './emulator.ts'
import type { Identity } from './identity.ts'
import { numberAt, parseJson, textAt } from './json.ts'
import type { App } from './state.ts'

/** The tokens that were given out, and whose they are. */
export type Tokens = {
  issue(identity: Identity): string
  /** Of the header `authorization`. A token that was never given out, was revoked or has expired is nobody's. */
  identify(header: string | undefined, now: Date): Identity | 'bad'
  revoke(token: string): void
  /** The token of a header, without the word before it. */
  inHeader(header: string | undefined): string | undefined
  /** One that stands in a text where no token may be. */
  leaked(text: string): string | undefined
}

/** GitHub's beginnings: of installations (a job's is one too), and of people's. */
const prefixes = { job: 'ghs_', app: 'ghs_', user: 'ghp_', 'signed-app': 'eyJ', nobody: 'none_' }

export function newTokens(apps: () => readonly App[]): Tokens {
  const issued = new Map<string, Identity>()
  const revoked = new Set<string>()

  return {
    issue: (identity) => {
      const token = prefixes[identity.is] + digest(`${issued.size} ${JSON.stringify(identity)}`)
      issued.set(token, identity)
      return token
    },
    identify: (header, now) => {
      const token = tokenIn(header)
      if (token === undefined) return { is: 'nobody' }
      if (token.startsWith('eyJ')) return signedApp(token, apps()) ?? 'bad'
      const identity = issued.get(token)
      if (identity === undefined || revoked.has(token)) return 'bad'
      return identity.is === 'app' && Date.parse(identity.expires) <= now.getTime() ? 'bad' : identity
    },
    revoke: (token) => {
      revoked.add(token)
    },
    inHeader: tokenIn,
    leaked: (text) => [...issued.keys()].find((token) => text.includes(token)),
  }
}

function tokenIn(header: string | undefined): string | undefined {
  return /^(?:bearer|token)\s+(\S+)$/i.exec(header ?? '')?.[1]
}

function digest(text: string): string {
  return createHash('sha256').update(`local GitHub ${text}`).digest('base64url').replaceAll(/[-_]/g, 'x').slice(0, 36)
}

/** The App that signed: its key is right, and the time of the machine is inside of the ten minutes that GitHub allows. */
function signedApp(token: string, apps: readonly App[]): Identity | undefined {
  const [head = '', claims = '', signature = ''] = token.split('.')
  const isRight = createVerify('RSA-SHA256')
    .update(`${head}.${claims}`)
    .verify(appKeys().publicKey, signature, 'base64url')
  if (!isRight) return undefined
  const said = parseJson(Buffer.from(claims, 'base64url').toString())
  const [issued, expires] = [numberAt(said, 'iat'), numberAt(said, 'exp')]
  const seconds = Date.now() / 1000
  if (issued === undefined || expires === undefined || issued > seconds || expires < seconds || expires - issued > 600)
    return undefined
  const issuer = textAt(said, 'iss') ?? String(numberAt(said, 'iss'))
  const app = apps.find(({ id }) => issuer === String(id) || issuer === `Iv1.${id}`)
  return app === undefined ? undefined : { is: 'signed-app', slug: app.slug }
}
