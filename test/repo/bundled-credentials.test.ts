import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { built } from '../../scripts/build.ts'
import type * as adapter from '../../src/adapters/cloudformation.ts'
import type { FakeCloudFormation } from '../fakes/cloudformation/server.ts'
import { startCloudFormation } from '../fakes/cloudformation/server.ts'

/** Who the built actions are in an account: each way in which the SDK finds out, through what a build leaves of it. */
const folder = mkdtempSync(join(tmpdir(), 'protium-credentials-'))
const root = join(import.meta.dirname, '../..')
let fake: FakeCloudFormation
/** Tells containers and machines who they are. */
let keeper: Server
let keeperUrl = ''

beforeAll(async () => {
  fake = await startCloudFormation({
    accessKeys: { AKIAENV: '111111111111', AKIAPROFILE: '222222222222', AKIAPROCESS: '333333333333' },
  })
  keeper = createServer(answerOf).listen(0, '127.0.0.1')
  await new Promise((resolve) => keeper.once('listening', resolve))
  const address = keeper.address()
  keeperUrl = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  const files = await built({ cloudformation: join(root, 'src/adapters/cloudformation.ts') })
  for (const [path, text] of files) write(path, text)
})
afterAll(async () => {
  keeper.close()
  await fake.close()
  rmSync(folder, { recursive: true, force: true })
})
afterEach(() => vi.unstubAllEnvs())

function write(path: string, text: string | Buffer): string {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}

const role = 'arn:aws:iam::444444444444:role/deployer'
const temporary = (key: string) => ({
  AccessKeyId: key,
  SecretAccessKey: 's',
  Token: 't',
  Expiration: new Date(Date.now() + 3_600_000).toISOString(),
})

const answerOf: Parameters<typeof createServer>[1] = ({ method, url = '' }, response) => {
  const json = (data: object) => response.setHeader('content-type', 'application/json').end(JSON.stringify(data))
  if (url === '/container') json(temporary('ASIACONTAINER'))
  else if (url === '/latest/api/token' && method === 'PUT') response.end('token')
  else if (url.endsWith('/security-credentials/')) response.end('of-the-machine')
  else if (url.endsWith('/of-the-machine')) json({ Code: 'Success', ...temporary('ASIAMACHINE') })
  else response.writeHead(404).end()
}

const ways = [
  {
    way: 'the environment',
    account: '111111111111',
    env: { AWS_ACCESS_KEY_ID: 'AKIAENV', AWS_SECRET_ACCESS_KEY: 's' },
  },
  {
    way: 'a profile',
    account: '222222222222',
    config: '[profile it]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = s\n',
    credentials: { is: 'profile', profile: 'it' },
  },
  {
    way: 'a process',
    account: '333333333333',
    config: `[profile it]\ncredential_process = echo '{"Version":1,"AccessKeyId":"AKIAPROCESS","SecretAccessKey":"s"}'\n`,
    env: { AWS_PROFILE: 'it' },
  },
  {
    way: 'a role of a profile',
    account: '444444444444',
    config: `[profile base]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = s\n[profile it]\nrole_arn = ${role}\nsource_profile = base\n`,
    credentials: { is: 'profile', profile: 'it' },
  },
  {
    way: 'a role that is asked for',
    account: '444444444444',
    env: { AWS_ACCESS_KEY_ID: 'AKIAENV', AWS_SECRET_ACCESS_KEY: 's' },
    credentials: { is: 'role', role },
  },
  { way: 'a web identity', account: '444444444444', env: { AWS_ROLE_ARN: role, AWS_WEB_IDENTITY_TOKEN_FILE: 'token' } },
  { way: 'a container', account: '123456789012', env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: '/container' } },
  { way: 'a machine', account: '123456789012', env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: '' } },
] as const

/** What a person does in a browser, and nobody on a runner. */
const browsers = {
  'single sign-on':
    '[profile it]\nsso_session = acme\nsso_account_id = 123456789012\nsso_role_name = deployer\n[sso-session acme]\nsso_region = eu-central-1\nsso_start_url = https://acme.example\n',
  '`aws login`': '[profile it]\nlogin_session = arn:aws:iam::123456789012:user/ada\n',
} as const

describe('the built adapter is who the SDK finds it to be by', () => {
  /** The built adapter where this is all that is known of who it is. */
  async function adapterOf(way: {
    readonly config?: string
    readonly env?: Readonly<Record<string, string>>
    readonly credentials?: Parameters<typeof adapter.cloudFormation>[0]['credentials']
  }): Promise<ReturnType<typeof adapter.cloudFormation>> {
    const home = mkdtempSync(join(folder, 'home-'))
    const inHome = (path: string, text: string) => write(join(home.slice(folder.length), path), text)
    const variables = {
      HOME: home,
      USERPROFILE: home,
      AWS_ENDPOINT_URL: fake.url,
      AWS_CONFIG_FILE: inHome('config', way.config ?? ''),
      AWS_SHARED_CREDENTIALS_FILE: inHome('credentials', ''),
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_SESSION_TOKEN: undefined,
      AWS_PROFILE: undefined,
    }
    const filled: Record<string, string> = {
      AWS_WEB_IDENTITY_TOKEN_FILE: inHome('token', 'signed'),
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${keeperUrl}/container`,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: keeperUrl,
    }
    const ofWay = Object.entries(way.env ?? {}).map(([name, value]) => [name, filled[name] ?? value])
    for (const [name = '', value] of [...Object.entries(variables), ...ofWay]) vi.stubEnv(name, value)
    const { cloudFormation }: typeof adapter = await import(
      /* @vite-ignore */ pathToFileURL(join(folder, 'cloudformation.js')).href
    )
    const { clock } = fake
    return cloudFormation({
      clock,
      random: () => 0.5,
      run: { id: '1', attempt: 1 },
      credentials: way.credentials,
    })
  }

  test.each(ways)('$way', async ({ account, ...way }) => {
    const cloud = await adapterOf(way)
    fake.forget()

    const state = await cloud.state({ account, region: 'eu-central-1', name: 'nothing' })

    expect(state.is).toBe('absent')
    const asked = fake.requests().filter(({ action }) => action === 'DescribeStacks')
    expect(asked.map(({ who }) => who.split(':')[4])).toEqual([account])
  })

  test.each(Object.entries(browsers))('but not by %s, and says so', async (_, config) => {
    const cloud = await adapterOf({ config, credentials: { is: 'profile', profile: 'it' } })

    await expect(cloud.state({ account: '123456789012', region: 'eu-central-1', name: 'nothing' })).rejects.toThrow(
      'cannot be used by an action',
    )
  })
})
