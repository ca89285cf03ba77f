import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { localProvisioner } from '../../src/adapters/local.ts'
import type { DataMap } from '../../src/core/data.ts'
import type { Provisioner, StackDrift, WantedStack } from '../../src/ports.ts'
import { quickFolder } from '../quick-folder.ts'

const stack = { name: 'jobs', account: '111111111111', region: 'eu-west-1' }
const clock = { now: () => new Date(0), sleep: async () => {} }

let folder: string
let provisioner: Provisioner
beforeEach(() => {
  folder = mkdtempSync(join(quickFolder(), 'protium-drift-'))
  provisioner = localProvisioner({ folder, clock })
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function deploy(body: DataMap, parameters: WantedStack['parameters'] = {}): Promise<void> {
  const wanted = { stack, body, parameters, tags: {} }
  const preview = await provisioner.preview(wanted)
  for await (const _ of provisioner.execute(preview, wanted)) {
    // To its end.
  }
}

type File = { body: unknown; resources: Record<string, { properties: Record<string, unknown> }> }

function edit(change: (file: File) => void): void {
  const path = join(folder, 'stacks', stack.account, stack.region, `${stack.name}.json`)
  const file: File = JSON.parse(readFileSync(path, 'utf8'))
  change(file)
  writeFileSync(path, JSON.stringify(file))
}

async function drift(): Promise<StackDrift> {
  return provisioner.drift(stack)
}

const secret: DataMap = {
  Parameters: { Word: { Type: 'String', NoEcho: true } },
  Resources: {
    News: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: { 'Fn::Sub': 'is ${Word}' }, TopicName: 'news' } },
    Jobs: { Type: 'AWS::SQS::Queue', Properties: { QueueName: { 'Fn::GetAtt': ['News', 'TopicName'] } } },
  },
}

describe('drift of a local stack', () => {
  test('is none after a deployment, also where a parameter must not be seen', async () => {
    await deploy(secret, { Word: 'geheim' })

    expect(await drift()).toEqual({ resources: [], looked: 2, unknown: [] })
  })

  test('is where its file says another thing than its template', async () => {
    await deploy(secret, { Word: 'geheim' })
    edit(({ resources }) => Object.assign(resources['News']?.properties ?? {}, { DisplayName: 'other', Fifo: 'true' }))

    expect((await drift()).resources).toEqual([
      {
        logicalId: 'News',
        type: 'AWS::SNS::Topic',
        is: 'changed',
        properties: [
          { path: ['DisplayName'], expected: expect.stringMatching(/^is \*{4}/u), actual: 'other' },
          { path: ['Fifo'], actual: 'true' },
        ],
      },
    ])
  })

  test('is where a resource was taken out of it', async () => {
    await deploy(secret, { Word: 'geheim' })
    edit(({ resources }) => void delete resources['Jobs'])

    expect((await drift()).resources).toEqual([
      { logicalId: 'Jobs', type: 'AWS::SQS::Queue', is: 'gone', properties: [] },
    ])
  })

  test('is not known where its template cannot be evaluated any more', async () => {
    await deploy(secret, { Word: 'geheim' })
    edit((file) => Object.assign(file, { body: { Resources: { A: { Type: 'T', Properties: { B: { Ref: 'C' } } } } } }))

    expect(await drift()).toMatchObject({
      resources: [],
      looked: 0,
      unknown: [{ logicalId: 'Jobs' }, { logicalId: 'News' }],
    })
  })

  test('is none of a stack that is not there', async () => {
    expect(await drift()).toEqual({ resources: [], looked: 0, unknown: [] })
  })
})

describe('the address of a rehearsed unit', () => {
  test.each([
    [[], 204, { is: 'answered', status: 204 }],
    [['health:jobs/dev=503'], 200, { is: 'answered', status: 503 }],
    [['health:jobs/dev'], 200, { is: 'answered', status: 503 }],
    [['health:jobs/dev=timeout'], 200, { is: 'failed', why: 'timeout' }],
    [['health:jobs/prod=503'], 200, { is: 'answered', status: 200 }],
  ])('answers as it was told, or else as is expected: %j', async (fail, expected, answer) => {
    const wanted = { stack, body: secret, parameters: { Word: 'a' }, tags: { 'protium:unit': 'jobs/dev' } }
    const rehearsal = localProvisioner({ folder, clock, fail })
    for await (const _ of rehearsal.execute(await rehearsal.preview(wanted), wanted)) {
      // To its end.
    }

    expect(await rehearsal.answer?.(stack, expected)).toMatchObject(answer)
    const isHealthy = 'status' in answer && answer.status !== 503
    expect((await rehearsal.health(stack)).is).toBe(isHealthy ? 'healthy' : 'pending')
  })
})
