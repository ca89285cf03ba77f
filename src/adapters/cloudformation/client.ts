import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import type { fromTemporaryCredentials } from '@aws-sdk/credential-providers'

import type { Budget } from '../../core/cloudformation/pace.ts'
import { newBudget, take, throttled } from '../../core/cloudformation/pace.ts'
import { Refused } from '../../core/problem.ts'
import type { Clock } from '../../ports.ts'
import { proxyOf } from '../proxy.ts'
import { meaningOf, noteCall } from './refusal.ts'

/** Who Protium is in an account; without it, what the process finds around it. */
export type Credentials =
  | { readonly is: 'profile'; readonly profile: string }
  | { readonly is: 'role'; readonly role: string }

export type ClientOptions = {
  readonly account: string
  readonly region: string
  readonly credentials?: Credentials | undefined
  readonly clock: Clock
  /** From 0 up to 1, for waits that do not meet. */
  readonly random: () => number
}

/** One request, as a command of the SDK's that is sent with what the client hands in. */
export type Ask<T> = (client: CloudFormationClient, at: { readonly abortSignal?: AbortSignal }) => Promise<T>

/** CloudFormation of one account and region. What is asked is repeated here; what is answered is not judged. */
export type Cloud = {
  readonly account: string
  readonly region: string
  readonly clock: Clock
  readonly random: () => number
  /** Asks; up to eight times where nothing was answered, and for three minutes where the account takes no more. */
  readonly read: <T>(ask: Ask<T>, signal?: AbortSignal) => Promise<T>
  /**
   * Tells CloudFormation to do something, with a token in it by which it knows a repetition. Where the answer was lost, `look`
   * says whether it was done.
   */
  readonly write: <T>(
    ask: Ask<T>,
    options?: { readonly signal?: AbortSignal | undefined; readonly look?: () => Promise<T | undefined> },
  ) => Promise<T>
  /** Asks once, with the budget but without a repetition: for who looks again anyway. */
  readonly once: <T>(ask: Ask<T>, signal?: AbortSignal) => Promise<T>
  /** Puts a text into a bucket, if it is not there yet. */
  readonly put: (object: StoredText, signal?: AbortSignal) => Promise<void>
  /** Throws `Refused` (`wrong-account`) unless the credentials are those of the account. */
  readonly checkAccount: (stack: string | undefined, signal?: AbortSignal) => Promise<void>
  /** Waits a little longer each time, and never the same for two who wait. */
  readonly pause: (count: number, signal?: AbortSignal) => Promise<void>
}

export type StoredText = { readonly bucket: string; readonly key: string; readonly text: string }

const attempts = 8

/** Milliseconds that are waited for an account that takes no more requests, or that works on as much as it may at a time. */
const longestWaits = { throttled: 3 * 60_000, crowded: 15 * 60_000 } as const

/** Milliseconds in which an answer comes, unless it is lost. */
const longestAnswer = 60_000

/**
 * The client. The SDK's own repetitions are off: three attempts within some seconds are too few for a throttled account, and
 * waits have to be the clock's. Where the endpoint is and who it is that asks is found by the SDK alone (`AWS_ENDPOINT_URL`,
 * `AWS_PROFILE`, a web identity and so on).
 */
export function cloudOf(options: ClientOptions): Cloud {
  const { account, region, clock, random } = options
  const shared = sharedOptions(region)
  const budget = budgetOf(options)
  // Who asks is found once for all clients of the same stage, and anew when what was found has expired.
  let client: Promise<CloudFormationClient> | undefined
  const found = async (): Promise<CloudFormationClient> =>
    (client ??= identityOf(options.credentials).then((identity) =>
      named(new CloudFormationClient({ ...shared, ...identity })),
    ))
  const renew = async (): Promise<void> => {
    const before = client
    client = undefined
    ;(await before)?.destroy()
  }

  const pause = async (count: number, signal?: AbortSignal): Promise<void> =>
    clock.sleep(Math.ceil(random() * Math.min(20_000, 1000 * 2 ** count)), signal)

  const send = async <T>(kind: 'read' | 'write', ask: Ask<T>, signal: AbortSignal | undefined): Promise<T> => {
    signal?.throwIfAborted()
    const wait = budget.take(kind)
    if (wait > 0) await clock.sleep(Math.ceil(wait), signal)
    try {
      return await ask(await found(), signal === undefined ? {} : { abortSignal: signal })
    } catch (error) {
      if (meaningOf(error).is === 'throttled') budget.throttled()
      throw error
    }
  }

  const repeated = async <T>(
    ask: Ask<T>,
    {
      kind,
      signal,
      look,
    }: {
      readonly kind: 'read' | 'write'
      readonly signal?: AbortSignal | undefined
      readonly look?: (() => Promise<T | undefined>) | undefined
    },
  ): Promise<T> => {
    let renewed = false
    const began = clock.now().getTime()
    for (let count = 0; ; count += 1) {
      try {
        return await send(kind, ask, signal)
      } catch (error) {
        signal?.throwIfAborted()
        const { is } = meaningOf(error)
        if (is === 'credentials' && !renewed) {
          renewed = true
          await renew()
          continue
        }
        const lost = is === 'unreachable'
        const isOver = lost
          ? count + 1 >= attempts
          : clock.now().getTime() - began > longestWaits[is === 'crowded' ? is : 'throttled']
        if ((!lost && is !== 'throttled' && is !== 'crowded') || isOver) throw error
        if (is === 'crowded') await clock.sleep(Math.ceil(15_000 + 45_000 * random()), signal)
        else await pause(count, signal)
        const done = lost ? await look?.() : undefined
        if (done !== undefined) return done
      }
    }
  }

  let checked: Promise<void> | undefined
  const checkAccount = async (stack: string | undefined, signal?: AbortSignal): Promise<void> => {
    const named = stack?.split(':')[4] ?? roleAccount(options.credentials)
    if (named !== undefined) return sameAccount(named, options)
    checked ??= checkCaller(options, shared)
    signal?.throwIfAborted()
    try {
      await checked
    } catch (error) {
      checked = undefined
      throw error
    }
  }

  return {
    account,
    region,
    clock,
    random,
    read: async (ask, signal) => repeated(ask, { kind: 'read', signal }),
    write: async (ask, { signal, look } = {}) => repeated(ask, { kind: 'write', signal, look }),
    once: async (ask, signal) => {
      try {
        return await send('read', ask, signal)
      } catch (error) {
        if (meaningOf(error).is === 'credentials') await renew()
        throw error
      }
    },
    put: async (object, signal) => {
      const { putText } = await import('./bucket.ts')
      const identity = await identityOf(options.credentials)
      await putText({ ...shared, ...identity }, { object, account, signal, pause })
    },
    checkAccount,
    pause,
  }
}

/** Notes at an error which call it answered. */
function named(client: CloudFormationClient): CloudFormationClient {
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (call) => {
        try {
          return await next(call)
        } catch (error) {
          noteCall(error, commandName.replace(/Command$/u, ''))
          throw error
        }
      },
    { step: 'initialize', name: 'protiumCallName', priority: 'high' },
  )
  return client
}

/** What every client of a region is made with; repetitions are not the SDK's. */
function sharedOptions(region: string): Shared {
  return { region, maxAttempts: 1, customUserAgent: 'protium', requestHandler: handlerOptions() }
}

/** What clients of other services are made with, who look at the same account by the same credentials. */
export async function clientOptions({
  region,
  credentials,
}: Pick<ClientOptions, 'region' | 'credentials'>): Promise<Shared & Identity> {
  return { ...sharedOptions(region), ...(await identityOf(credentials)) }
}

/** An agent of one's own does not know of a proxy by itself: https://nodejs.org/api/http.html#built-in-proxy-support */
function handlerOptions() {
  const proxy = proxyOf(process.env)
  const agent = { keepAlive: true, ...(proxy !== undefined && { proxyEnv: proxy }) }
  return { connectionTimeout: 10_000, requestTimeout: longestAnswer, httpAgent: agent, httpsAgent: agent }
}

type Shared = {
  readonly region: string
  readonly maxAttempts: number
  readonly customUserAgent: string
  readonly requestHandler: ReturnType<typeof handlerOptions>
}

type Identity = { readonly credentials?: ReturnType<typeof fromTemporaryCredentials>; readonly profile?: string }

/** The SDK's own chain, from a profile, or from a role that who was found by it may assume. */
async function identityOf(credentials: Credentials | undefined): Promise<Identity> {
  if (credentials === undefined) return {}
  if (credentials.is === 'profile') return { profile: credentials.profile }
  const providers = await import('@aws-sdk/credential-providers')
  return {
    credentials: providers.fromTemporaryCredentials({
      params: { RoleArn: credentials.role, RoleSessionName: 'protium' },
    }),
  }
}

function roleAccount(credentials: Credentials | undefined): string | undefined {
  return credentials?.is === 'role' ? credentials.role.split(':')[4] : undefined
}

function sameAccount(found: string, { account }: ClientOptions): void {
  if (found === account) return
  throw new Refused(
    'wrong-account',
    `The credentials are those of the account ${found}, and the environment is in ${account}. Nothing was touched.`,
    {
      remedy: `Run this with credentials of ${account}, or say in the environment’s file which profile or role they come from: \`credentials:\`.`,
    },
  )
}

async function checkCaller(options: ClientOptions, shared: Shared): Promise<void> {
  const caller = await callerAccount(options, shared)
  if (caller !== undefined) sameAccount(caller, options)
}

/** The account of who asks; nothing where the endpoint has no word for that. */
async function callerAccount({ credentials }: ClientOptions, shared: Shared): Promise<string | undefined> {
  const { STSClient, GetCallerIdentityCommand } = await import('@aws-sdk/client-sts')
  const client = new STSClient({ ...shared, ...(await identityOf(credentials)), maxAttempts: attempts })
  try {
    return (await client.send(new GetCallerIdentityCommand({}))).Account
  } catch (error) {
    if (meaningOf(error).is === 'unsupported') return undefined
    throw error
  } finally {
    client.destroy()
  }
}

type Spending = { take(kind: 'read' | 'write'): number; throttled(): void }

const budgets = new WeakMap<Clock, Map<string, Spending>>()

/** All stacks of a process share what an account and region take. */
function budgetOf({ account, region, clock }: ClientOptions): Spending {
  const known = budgets.get(clock) ?? new Map<string, Spending>()
  budgets.set(clock, known)
  const key = `${account}/${region}`
  const there = known.get(key)
  if (there !== undefined) return there
  const now = (): number => clock.now().getTime()
  let budget: Budget = newBudget(now())
  const made: Spending = {
    take: (kind) => {
      const taken = take(budget, now(), kind)
      budget = taken.budget
      return taken.wait
    },
    throttled: () => {
      budget = throttled(budget, now())
    },
  }
  known.set(key, made)
  return made
}
