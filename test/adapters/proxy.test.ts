import { execFile } from 'node:child_process'
import type { IncomingMessage, Server } from 'node:http'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { proxyOf } from '../../src/adapters/proxy.ts'
import { Refused } from '../../src/core/problem.ts'

const ofTheMachine = '169.254.169.254,169.254.170.2,169.254.170.23,fd00:ec2::254'

describe('the proxy that the environment names', () => {
  test.each([
    ['nothing', {}, undefined],
    ['empty variables', { https_proxy: ' ', HTTP_PROXY: '' }, undefined],
    ['all hosts without one', { https_proxy: 'http://one.example', no_proxy: 'a.example,*' }, undefined],
    ['a list of hosts alone', { no_proxy: 'a.example' }, undefined],
    [
      'the one of both ways',
      { https_proxy: 'http://one.example:8080', http_proxy: 'http://two.example:8080' },
      {
        http_proxy: 'http://two.example:8080',
        https_proxy: 'http://one.example:8080',
        no_proxy: ofTheMachine,
      },
    ],
    [
      'the one in capitals, where there is none in small letters',
      { HTTPS_PROXY: 'http://one.example:8080' },
      { https_proxy: 'http://one.example:8080', no_proxy: ofTheMachine },
    ],
    [
      'the one in small letters, where there are both',
      { HTTPS_PROXY: 'http://capital.example', https_proxy: 'http://small.example' },
      { https_proxy: 'http://small.example', no_proxy: ofTheMachine },
    ],
    [
      'the one without a scheme',
      { https_proxy: 'user:secret@one.example:8080' },
      { https_proxy: 'http://user:secret@one.example:8080', no_proxy: ofTheMachine },
    ],
    [
      'a host that is reached without it, and all below that',
      { https_proxy: 'http://one.example', no_proxy: 'corp.example, .other.example  10.0.0.1:80' },
      {
        https_proxy: 'http://one.example',
        no_proxy: `corp.example,.other.example,10.0.0.1:80,.corp.example,${ofTheMachine}`,
      },
    ],
  ])('is, of %s, so', (_, env, wanted) => {
    expect(proxyOf(env)).toEqual(wanted)
  })

  test.each(['socks5://one.example:1080', 'http://', 'ftp://one.example', 'http://one.example:port'])(
    'is refused where it is no address, and not shown: %s',
    (value) => {
      const fault = thrownBy(() => proxyOf({ https_proxy: value }))

      expect(fault).toBeInstanceOf(Refused)
      expect(String(fault)).toContain('https_proxy')
      expect(String(fault)).not.toContain(value)
    },
  )
})

describe('what is asked of GitHub behind a proxy', () => {
  let target: Server
  let proxy: Server
  let wishes: string[] = []
  let direct: (string | undefined)[] = []

  beforeEach(async () => {
    wishes = []
    direct = []
    target = createServer((request, response) => {
      direct.push(request.headers.host)
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(pull))
    })
    await listening(target)
    proxy = createServer((_, response) => response.writeHead(400).end())
    proxy.on('connect', (request: IncomingMessage, socket) => {
      wishes.push(`${request.method} ${request.url}`)
      if (request.url !== 'github.example:80') {
        socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
        return
      }
      const way = connect(portOf(target), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
        way.pipe(socket).pipe(way)
      })
      way.on('error', () => socket.destroy())
      socket.on('error', () => way.destroy())
    })
    await listening(proxy)
  })
  afterEach(() => {
    for (const server of [proxy, target]) {
      server.closeAllConnections()
      server.close()
    }
  })

  test('goes through it', async () => {
    const answer = await ask('http://github.example', { http_proxy: `http://127.0.0.1:${portOf(proxy)}` })

    expect(answer).toBe('open')
    expect(wishes).toEqual(['CONNECT github.example:80'])
    expect(direct).toEqual(['github.example'])
  })

  test('goes through it encrypted, and fails where it lets nothing through', async () => {
    const answer = await ask('https://api.github.example', { https_proxy: `127.0.0.1:${portOf(proxy)}` })

    expect(answer).toBe('github-unreachable')
    expect(new Set(wishes)).toEqual(new Set(['CONNECT api.github.example:443']))
    expect(direct).toEqual([])
  })

  test.each(['127.0.0.1', '*', 'github.example,127.0.0.1'])('goes past it to a host of no_proxy: %s', async (hosts) => {
    const to = `127.0.0.1:${portOf(target)}`
    const answer = await ask(`http://${to}`, { http_proxy: `http://127.0.0.1:${portOf(proxy)}`, no_proxy: hosts })

    expect(answer).toBe('open')
    expect(wishes).toEqual([])
    expect(direct).toEqual([to])
  })

  test('is sent by Node alone, where it was told to before it began', async () => {
    const answer = await ask('http://github.example', {
      http_proxy: `http://127.0.0.1:${portOf(proxy)}`,
      NODE_USE_ENV_PROXY: '1',
    })

    expect(answer).toBe('open')
    expect(wishes).toEqual(['CONNECT github.example:80'])
  })
})

test('a cloud is asked through the proxy, and past it where no_proxy says so', async () => {
  const seen: (string | undefined)[] = []
  const proxy = createServer((request, response) => {
    seen.push(request.url)
    response.writeHead(400, { 'content-type': 'text/xml' })
    response.end(
      '<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id it does not exist</Message></Error></ErrorResponse>',
    )
  })
  await listening(proxy)
  try {
    const at = `http://127.0.0.1:${portOf(proxy)}`
    const through = await askCloud({ AWS_ENDPOINT_URL: 'http://cloud.example', http_proxy: at })
    const past = await askCloud({ AWS_ENDPOINT_URL: at, http_proxy: 'http://127.0.0.1:9', no_proxy: '127.0.0.1' })

    expect([through, past]).toEqual(['absent', 'absent'])
    expect(seen.filter((url) => url?.startsWith('http://cloud.example/'))).not.toEqual([])
    expect(seen.filter((url) => url === '/')).not.toEqual([])
  } finally {
    proxy.closeAllConnections()
    proxy.close()
  }
})

/** What a process of its own hears of a stack. */
async function askCloud(env: Readonly<Record<string, string>>): Promise<string> {
  const program = `
    import { cloudFormation } from ${JSON.stringify(join(import.meta.dirname, '../../src/adapters/cloudformation.ts'))}
    const clock = { now: () => new Date(), sleep: async () => {} }
    const cloud = cloudFormation({ clock, random: () => 0, run: { id: '1', attempt: 1 } })
    const stack = { account: '123456789012', region: 'eu-central-1', name: 'it' }
    const told = await cloud.state(stack).then(({ is }) => is, ({ code, message }) => code ?? message)
    process.stdout.write(String(told))`
  const given = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's', AWS_CONFIG_FILE: '/nowhere', ...env }
  const options = { env: given, timeout: 20_000 }
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], options)
  return stdout
}

/** What a process of its own hears of a pull request: its state, or the code of the refusal. */
async function ask(api: string, env: Readonly<Record<string, string>>): Promise<string> {
  const sources = join(import.meta.dirname, '../../src/adapters')
  const program = `
    import { useProxy } from ${JSON.stringify(join(sources, 'proxy.ts'))}
    import { gitHub } from ${JSON.stringify(join(sources, 'github.ts'))}
    await useProxy(process.env)
    const clock = { now: () => new Date(), sleep: async () => {} }
    const options = { repository: 'acme/catalog', token: 't', api: ${JSON.stringify(api)}, clock, random: () => 0, second: 1 }
    const told = await gitHub(options).pullRequest(1).then(({ state }) => state, ({ code }) => code)
    process.stdout.write(String(told))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], { env })
  return stdout
}

const pull = {
  number: 1,
  state: 'open',
  user: { login: 'ada' },
  head: { ref: 'x', sha: 'a', repo: { full_name: 'acme/catalog' } },
  base: { ref: 'main', sha: 'b', repo: { full_name: 'acme/catalog' } },
}

async function listening(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function thrownBy(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}
