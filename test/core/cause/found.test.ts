import { describe, expect, test } from 'vitest'
import {
  circuitOf,
  denialsIn,
  evidenceText,
  eventsOf,
  failingDeployment,
  logTail,
  shownOf,
  stoppedTasks,
} from '../../../src/core/cause/found.ts'

const at = (second: number): Date => new Date(second * 1000)

describe('ended tasks', () => {
  test('are told by what ended them, the newest first, and the same end once', () => {
    expect(
      stoppedTasks([
        {
          stoppedAt: at(1),
          stoppedReason: 'Essential container in task exited',
          containers: [{ name: 'app', exitCode: 1 }],
        },
        {
          stoppedAt: at(3),
          stoppedReason: 'Essential container in task exited',
          containers: [
            { name: 'app', exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' },
            { name: 'proxy', exitCode: 0 },
          ],
        },
        {
          stoppedAt: at(2),
          stoppedReason: 'Essential container in task exited',
          containers: [{ name: 'app', exitCode: 1 }],
        },
      ]),
    ).toEqual([
      {
        container: 'app',
        exitCode: 137,
        reason: 'Essential container in task exited: OutOfMemoryError: Container killed due to memory usage',
      },
      { container: 'app', exitCode: 1, reason: 'Essential container in task exited', times: 2 },
    ])
  })

  test('that never had a container say why themselves', () => {
    expect(
      stoppedTasks([{ stopCode: 'TaskFailedToStart', stoppedReason: 'ResourceInitializationError: i/o timeout' }]),
    ).toEqual([{ reason: 'ResourceInitializationError: i/o timeout' }])
  })

  test.each([
    { stopCode: 'UserInitiated', stoppedReason: 'Task stopped by user', containers: [{ name: 'app', exitCode: 143 }] },
    { stopCode: 'ServiceSchedulerInitiated', stoppedReason: 'Scaling activity initiated by (deployment ecs-svc/1)' },
  ])('that were meant to end are no failures: $stoppedReason', (task) => {
    expect(stoppedTasks([task])).toEqual([])
  })

  test('are six at most, each in so many words', () => {
    const many = Array.from({ length: 50 }, (_, index) => ({
      stoppedAt: at(index),
      stoppedReason: `password=hunter2secret ${index} ${'x'.repeat(50_000)}`,
    }))
    const told = stoppedTasks(many)

    expect(told).toHaveLength(6)
    expect(told[0]?.reason).toMatch(/^password=\*\*\* 49 x+…$/)
    expect(told[0]?.reason?.length).toBeLessThanOrEqual(501)
  })
})

describe('of the deployments of a service', () => {
  const primary = { id: '2', status: 'PRIMARY', taskDefinition: 'x/cart:8', rolloutState: 'IN_PROGRESS' }
  const given = { id: '1', status: 'ACTIVE', taskDefinition: 'x/cart:9', rolloutState: 'FAILED', failedTasks: 3 }

  test('the one that ECS has given up fails, or whose tasks fail, or else the one that shall be', () => {
    expect(failingDeployment([primary, given])?.id).toBe('1')
    expect(failingDeployment([primary, { ...given, rolloutState: 'IN_PROGRESS' }])?.id).toBe('1')
    expect(failingDeployment([primary])?.id).toBe('2')
    expect(failingDeployment([])).toBeUndefined()
  })

  test('it is told that ECS has stopped one by itself, and what it goes back to', () => {
    expect(circuitOf([primary, given])).toBe(
      'ECS has stopped the deployment of cart:9. It goes back to cart:8 by itself.',
    )
    expect(
      circuitOf([
        { ...given, status: 'PRIMARY', rolloutStateReason: 'ECS deployment circuit breaker: tasks failed to start.' },
      ]),
    ).toBe('ECS has stopped the deployment of cart:9 (ECS deployment circuit breaker: tasks failed to start).')
    expect(circuitOf([primary])).toBeUndefined()
  })
})

describe('the end of a log', () => {
  test('is thirty lines, without empty ones', () => {
    const lines = logTail(Array.from({ length: 100 }, (_, index) => `line ${index}\n\n`))

    expect(lines).toHaveLength(30)
    expect(lines.at(-1)).toBe('line 99')
  })

  test('hides a secret that would be cut in two, and one that takes several messages', () => {
    const token = `ghp_${'a1B2'.repeat(9)}`
    const lines = logTail([
      '-----BEGIN RSA PRIVATE KEY-----',
      'MIIEowIBAAKCAQEA',
      '-----END RSA PRIVATE KEY-----',
      `${'x'.repeat(480)} ${token}`,
    ])

    expect(lines.join('\n')).not.toContain('MIIEow')
    expect(lines.join('\n')).not.toContain('ghp_')
  })

  test('of a megabyte that is made to be slow is read all the same', () => {
    const lines = logTail(['a.'.repeat(500_000)])

    expect(lines).toHaveLength(1)
    expect(lines[0]).toHaveLength(501)
  })

  test('tells what the cloud has denied, and not what the service denies to its users', () => {
    expect(
      denialsIn([
        'POST /login 403 Forbidden',
        'permission denied: /var/run',
        ' AccessDenied: User is not authorized to perform: s3:GetObject',
        ' AccessDenied: User is not authorized to perform: s3:GetObject',
        'AccessDeniedException: kms:Decrypt',
      ]),
    ).toEqual(['AccessDenied: User is not authorized to perform: s3:GetObject', 'AccessDeniedException: kms:Decrypt'])
  })
})

describe('what was seen', () => {
  const found = {
    circuit: 'ECS has stopped the deployment of cart:9.',
    tasks: [{ container: 'app', exitCode: 1, reason: 'Essential container in task exited', times: 3 }],
    targets: [
      { state: 'unhealthy', code: 'Target.Timeout', reason: 'Request timed out' },
      { state: 'unhealthy', code: 'Target.Timeout', reason: 'Request timed out' },
    ],
    functions: [{ name: 'cart', state: 'Failed', update: 'Failed', reason: 'No image' }],
    events: eventsOf(['(service cart) has started 1 tasks']),
    log: ['TypeError: x'],
    unseen: ['The log could not be looked at: no.'],
  }

  test('is shown kind by kind', () => {
    expect(shownOf(found)).toEqual([
      { what: 'ECS', lines: ['ECS has stopped the deployment of cart:9.'] },
      { what: 'Tasks that ended', lines: ['app: exit code 1, Essential container in task exited (3 times)'] },
      { what: 'Functions', lines: ['cart: Failed, last change Failed, No image'] },
      { what: 'Targets of the load balancer', lines: ['unhealthy, Target.Timeout, Request timed out (2 times)'] },
      { what: 'Events of the service', lines: ['(service cart) has started 1 tasks'] },
      { what: 'The last line of the log', lines: ['TypeError: x'], is: 'log' },
      { what: 'What is not known', lines: ['The log could not be looked at: no.'] },
    ])
  })

  test('says that nothing was logged, which is something else than a log that was not looked at', () => {
    expect(shownOf({ log: [] })).toEqual([{ what: 'The log', lines: ['Nothing was logged.'] }])
    expect(shownOf({})).toEqual([])
  })

  test('is recorded without the log', () => {
    expect(evidenceText(shownOf(found)).join('\n')).toContain('Tasks that ended: app: exit code 1')
    expect(evidenceText(shownOf(found)).join('\n')).not.toContain('TypeError')
  })
})
