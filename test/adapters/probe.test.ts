import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createSocketServer } from 'node:net'
import type { AddressInfo, Server as SocketServer } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { probe } from '../../src/adapters/probe.ts'

const open: (Server | SocketServer)[] = []
afterEach(() => {
  for (const server of open.splice(0)) server.close()
})

async function portOf(server: Server | SocketServer): Promise<number> {
  open.push(server)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const address: AddressInfo | string | null = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

describe('an address that answers', () => {
  test.each([200, 204, 404, 503])('is told by its status: %i', async (status) => {
    const seen: string[] = []
    const server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? 'without credentials'}`)
      response.writeHead(status).end()
    })

    const answer = await probe(`http://127.0.0.1:${await portOf(server)}/healthz`)

    expect(answer).toMatchObject({ is: 'answered', status })
    expect(answer.took).toBeGreaterThanOrEqual(0)
    expect(seen).toEqual(['GET /healthz without credentials'])
  })

  test('by a redirection is not followed', async () => {
    const seen: (string | undefined)[] = []
    const server = createServer((request, response) => {
      seen.push(request.url)
      response.writeHead(302, { location: '/elsewhere' }).end()
    })

    expect(await probe(`http://127.0.0.1:${await portOf(server)}/healthz`)).toMatchObject({ status: 302 })
    expect(seen).toEqual(['/healthz'])
  })

  test('with a body without an end is not read', async () => {
    const closed = Promise.withResolvers<void>()
    const server = createServer((_request, response) => {
      response.on('close', closed.resolve)
      response.writeHead(200)
      const more = (): void => {
        while (response.write('more'.repeat(10_000)));
      }
      response.on('drain', more)
      more()
    })

    expect(await probe(`http://127.0.0.1:${await portOf(server)}/`)).toMatchObject({ is: 'answered', status: 200 })
    await closed.promise
  })
})

describe('an address that does not answer', () => {
  test('because nothing listens there', async () => {
    const server = createServer()
    const port = await portOf(server)
    await new Promise((resolve) => void server.close(resolve))
    open.pop()

    expect(await probe(`http://127.0.0.1:${port}/`)).toMatchObject({ is: 'failed', why: 'refused' })
  })

  test('because the connection is closed without a word', async () => {
    const server = createSocketServer((socket) => void socket.destroy())

    expect(await probe(`http://127.0.0.1:${await portOf(server)}/`)).toMatchObject({ is: 'failed', why: 'refused' })
  })

  test('because its name is not known', async () => {
    expect(await probe('http://nobody.invalid/')).toMatchObject({ is: 'failed', why: 'unresolved' })
  })

  test('because it speaks TLS badly', async () => {
    // Without a certificate no handshake can be made.
    const server = createTlsServer({}, (_request, response) => void response.end())

    expect(await probe(`https://127.0.0.1:${await portOf(server)}/`)).toMatchObject({
      is: 'failed',
      why: 'certificate',
    })
  })

  test('and is not waited for when the run is stopped', async () => {
    const stop = new AbortController()
    const server = createSocketServer(() => stop.abort(new Error('stopped')))

    await expect(probe(`http://127.0.0.1:${await portOf(server)}/`, stop.signal)).rejects.toThrow('stopped')
  })
})
