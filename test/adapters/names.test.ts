import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nameServersBy } from '../../src/adapters/names.ts'

/** What is asked for NS records, and the answer: names, or a code of RFC 1035, 4.1.1. */
const zones: Readonly<Record<string, readonly string[] | number>> = {
  com: ['a.gtld.net'],
  'example.com': ['ns-2.aws.org', 'ns-1.aws.com'],
  'www.example.com': [],
  'gone.example.com': 3,
  'lame.example.com': 2,
  'app.internal': 3,
  internal: 3,
}
const server = createSocket('udp4')
let address = ''

beforeAll(async () => {
  server.on('message', (question, { port }) => server.send(answerTo(question), port, '127.0.0.1'))
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  address = `127.0.0.1:${server.address().port}`
})
afterAll(() => server.close())

/** RFC 1035, 4: the header, the question as it came, and the answers, whose name is that of the question. */
function answerTo(message: Buffer): Buffer {
  const labels: string[] = []
  let at = 12
  while (message[at] !== 0) {
    const length = message[at] ?? 0
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const found = zones[labels.join('.').toLowerCase()] ?? 5
  const names = typeof found === 'number' ? [] : found
  const header = Buffer.alloc(12)
  message.copy(header, 0, 0, 2)
  header.writeUInt16BE(0x8180 | (typeof found === 'number' ? found : 0), 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(names.length, 6)
  return Buffer.concat([header, message.subarray(12, at + 5), ...names.map(record)])
}

function record(name: string): Buffer {
  const data = Buffer.concat([
    ...name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ])
  return Buffer.concat([Buffer.from([0xc0, 12, 0, 2, 0, 1, 0, 0, 0, 60, 0, data.length]), data])
}

test.each([
  ['a zone has its servers', 'example.com', { is: 'seen', value: ['ns-1.aws.com', 'ns-2.aws.org'] }],
  ['a name in a zone has none', 'www.example.com', { is: 'seen', value: [] }],
  ['a name that is not there is nothing', 'gone.example.com', { is: 'seen', value: undefined }],
  [
    'servers that do not answer are not known',
    'lame.example.com',
    { is: 'hidden', why: 'The servers that it is delegated to do not answer' },
  ],
  [
    'who knows of no top level either says nothing of the world',
    'app.internal',
    { is: 'hidden', why: 'The servers of names of this machine do not know the world' },
  ],
  ['who refuses is not known', 'refused.test', { is: 'hidden', why: 'No server of names answered' }],
])('%s', async (_what, domain, expected) => {
  expect(await nameServersBy([address])(domain)).toMatchObject(expected)
})
