import { createSign, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createEmulator } from 'emulate'
import { isList, isMap, type Json, type JsonMap, parseJson, text } from './json.ts'

/** Who acts in emulate: the server itself, a user, or an App by its slug. */
export type Actor =
  | { readonly is: 'server' }
  | { readonly is: 'user'; readonly login: string }
  | { readonly is: 'app'; readonly slug: string; readonly account: string }

export type Asked = {
  readonly actor: Actor
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly body?: JsonMap
}

export type Told = { readonly status: number; readonly body: Json | undefined; readonly link?: string }

/** What emulate starts with. Everything else is written through its API, and kept in the journal. */
export type Population = {
  readonly users: readonly string[]
  readonly organisations: readonly string[]
  readonly members: readonly { readonly organisation: string; readonly login: string }[]
  readonly repositories: readonly { readonly owner: string; readonly name: string; readonly defaultBranch: string }[]
  readonly apps: readonly { readonly id: number; readonly slug: string; readonly name: string }[]
}

/** A write, and what the clock said then. A copy of emulate's state is made by repeating them. */
export type Entry = { readonly asked: Asked; readonly at: string }

export type Emulator = {
  ask(asked: Asked): Promise<Told>
  readonly journal: readonly Entry[]
  close(): Promise<void>
}

/** The one version that is GitHub's emulator; later numbers of the name are a package of somebody else. */
export const emulateVersion = '0.12.2'

/** The login of the server itself: it is first among emulate's users, and shown nowhere. */
const serverLogin = 'local-github-server'

/** The permissions of Apps are checked in front of emulate, so there they may do everything. */
const everything = {
  administration: 'write',
  checks: 'write',
  contents: 'write',
  issues: 'write',
  pull_requests: 'write',
}

let pair: { readonly publicKey: string; readonly privateKey: string } | undefined

/** The key of every App of every local GitHub of this process: making one takes a tenth of a second. */
export function appKeys(): { readonly publicKey: string; readonly privateKey: string } {
  pair ??= generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  })
  return pair
}

export type EmulatorOptions = {
  readonly population: Population
  /** What the URLs in the answers begin with. */
  readonly url: string
  readonly now: () => Date
  /** Writes to be done anew, to get a copy of another emulator's state. */
  readonly journal?: readonly Entry[]
}

/**
 * Starts emulate in this process, on a port of its own that only the server in front knows. Its times are the machine's;
 * in what it answers they are those of the given clock.
 */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  refuseOthers()
  const { population, url, now } = options
  const logins = [serverLogin, ...population.users]
  const installations = [...new Set([...population.organisations, ...population.users])]
  const inner = await createEmulator({
    service: 'github',
    port: 0,
    hostname: '127.0.0.1',
    seed: {
      tokens: Object.fromEntries(
        logins.flatMap((login) => tokenNumbers.map((index) => [userToken(login, index), { login }])),
      ),
      github: {
        users: logins.map((login) => ({ login, name: login, email: `${login}@users.noreply.github.com` })),
        orgs: population.organisations.map((login) => ({
          login,
          members: [
            { login: serverLogin, role: 'admin' },
            ...population.members
              .filter(({ organisation }) => organisation === login)
              .map((member) => ({ login: member.login, role: 'member' })),
          ],
        })),
        repos: population.repositories.map(({ owner, name, defaultBranch }) => ({
          owner,
          name,
          default_branch: defaultBranch,
          auto_init: false,
        })),
        apps: population.apps.map(({ id, slug, name }) => ({
          app_id: id,
          slug,
          name,
          private_key: appKeys().privateKey,
          permissions: everything,
          installations: installations.map((account, index) => ({
            installation_id: installationId(id, index),
            account,
            repository_selection: 'all',
          })),
        })),
      },
    },
  })
  const { port } = new URL(inner.url)
  const base = `http://127.0.0.1:${port}`
  const journal: Entry[] = []
  /**
   * When each write was done, by the machine's clock and by the given one. What emulate starts with was made before the first
   * write, or in its millisecond; so that it is the same in a copy, it has the first write's time in both.
   */
  const moments = [{ real: 0, told: options.journal?.[0]?.at ?? now().toISOString() }]
  const spent = new Map<string, number>()
  const minted = new Map<string, { readonly token: string; readonly until: number }>()

  async function ask(asked: Asked, at = now().toISOString()): Promise<Told> {
    if (asked.method !== 'GET') {
      moments.push({ real: newMoment(moments.at(-1)?.real ?? 0), told: at })
      journal.push({ asked, at })
    }
    const response = await fetch(`${base}${asked.path}`, {
      method: asked.method,
      headers: { authorization: `Bearer ${await tokenOf(asked.actor)}`, accept: 'application/json' },
      ...(asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }),
    })
    const source = (await response.text()).replaceAll(inner.url, url).replaceAll(`localhost:${port}`, new URL(url).host)
    const link = response.headers.get('link')?.replaceAll(base, url)
    return {
      status: response.status,
      body: source === '' ? undefined : toldTimes(parseJson(source), moments),
      ...(link === undefined ? {} : { link }),
    }
  }

  /** Emulate allows 5,000 requests an hour and token; what is allowed here is the business of the server in front. */
  async function tokenOf(actor: Actor): Promise<string> {
    const name = actor.is === 'app' ? `${actor.slug} ${actor.account}` : actor.is === 'user' ? actor.login : serverLogin
    const count = (spent.get(name) ?? 0) + 1
    spent.set(name, count)
    const round = Math.floor(count / 4000)
    if (actor.is !== 'app') return userToken(name, round)
    const known = minted.get(name)
    if (known !== undefined && known.until > count) return known.token
    const token = await mint(actor.slug, actor.account)
    minted.set(name, { token, until: count + 4000 })
    return token
  }

  async function mint(slug: string, account: string): Promise<string> {
    const app = population.apps.find((each) => each.slug === slug)
    if (app === undefined) throw new Error(`There is no App "${slug}" in the local GitHub`)
    const id = installationId(app.id, installations.indexOf(account))
    const response = await fetch(`${base}/app/installations/${id}/access_tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${appJwt(app.id)}` },
    })
    return text(parseJson(await response.text()), 'token')
  }

  for (const { asked, at } of options.journal ?? []) await ask(asked, at)
  return { ask, journal, close: () => inner.close() }
}

/** How many tokens each user has, of 4,000 requests each. */
const tokenNumbers = Array.from({ length: 100 }, (_none, index) => index)

function userToken(login: string, index: number): string {
  return `inner-${login}-${index}`
}

function installationId(app: number, index: number): number {
  return app * 1000 + index + 1
}

/** The proof of an App that it is the one of this id, as GitHub wants it: signed by its key, and good for ten minutes. */
export function appJwt(app: number | string): string {
  const seconds = Math.floor(Date.now() / 1000)
  const parts = [
    { alg: 'RS256', typ: 'JWT' },
    { iss: app, iat: seconds - 60, exp: seconds + 540 },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  const signed = parts.join('.')
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(appKeys().privateKey, 'base64url')}`
}

/** No two writes share a millisecond, so that each time in an answer belongs to one write. */
function newMoment(last: number): number {
  let real = Date.now()
  while (real <= last) real = Date.now()
  return real
}

const times = new Set(['created_at', 'updated_at', 'pushed_at', 'closed_at', 'merged_at', 'submitted_at'])

function toldTimes(value: Json, moments: readonly { readonly real: number; readonly told: string }[]): Json {
  if (isList(value)) return value.map((item) => toldTimes(item, moments))
  if (!isMap(value)) return value
  const made: Record<string, Json | undefined> = {}
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner === 'string' && times.has(key)) {
      const real = Date.parse(inner)
      made[key] = (moments.findLast((moment) => moment.real <= real)?.told ?? inner).replace(/\.\d+Z$/, 'Z')
    } else if (typeof inner === 'object') made[key] = toldTimes(inner, moments)
    else made[key] = inner
  }
  return made
}

function refuseOthers(): void {
  const manifest = parseJson(
    readFileSync(fileURLToPath(import.meta.resolve('emulate')).replace(/dist.api\.js$/, 'package.json'), 'utf8'),
  )
  const version = text(manifest, 'version')
  if (version !== emulateVersion) {
    throw new Error(
      `The local GitHub is built on emulate ${emulateVersion}, not on ${version}: other numbers are another package`,
    )
  }
}
