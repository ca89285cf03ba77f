import { describe, expect, test } from 'vitest'
import { firstCause } from '../../../src/core/cause/first.ts'
import type { Evidence, Parity, Verdict } from '../../../src/core/cause/suspects.ts'
import { blamesCloud, judge } from '../../../src/core/cause/suspects.ts'
import { stream } from './failures.ts'

/** The failure of one resource, in these words. */
function failed(reason: string, type = 'AWS::ECS::Service'): Pick<Evidence, 'cause'> {
  const cause = firstCause(stream(`5 UPDATE_FAILED Service ${type} | ${reason}`))
  return cause === undefined ? {} : { cause }
}

const unhealthy = failed('Error occurred during operation ECS Deployment Circuit Breaker was triggered')
const alike: Parity = { stage: 'staging', sameTemplate: true, sameImage: true, differences: [] }
const newImage: Parity = { ...alike, sameImage: false }

function differing(
  what: string,
  kind: Parity['differences'][number]['kind'],
  is: 'other' | 'missing' = 'other',
): Parity {
  return { ...alike, differences: [{ what, kind, is, declared: false }] }
}

type Case = readonly [name: string, evidence: Evidence, is: Readonly<Record<Verdict['suspect'], Verdict['is']>>]

const [yes, no, open] = ['convicted', 'cleared', 'unknown'] as const

const cases: readonly Case[] = [
  // Convicted.
  [
    'a new image that crashes, all else being as in the stage before, convicts the code',
    {
      ...unhealthy,
      before: newImage,
      tasks: [{ container: 'app', exitCode: 1 }],
      log: ['TypeError: Invalid URL: undefined'],
    },
    { code: yes, settings: no, security: open, firewall: open },
  ],
  [
    'an image that was never built convicts the code',
    failed('CannotPullContainerError: acme/checkout:9: not found'),
    { code: yes, settings: open, security: open, firewall: open },
  ],
  [
    'a variable that is missing where the same image does not start convicts the settings',
    {
      ...unhealthy,
      before: differing('PAYMENTS_URL', 'environment', 'missing'),
      log: ['TypeError: Invalid URL: undefined'],
    },
    { code: open, settings: yes, security: open, firewall: open },
  ],
  [
    'a property that the cloud does not take convicts the settings',
    failed('Properties validation failed for resource Service with message: extraneous key [Port]'),
    { code: no, settings: yes, security: open, firewall: open },
  ],
  [
    'a denial convicts security',
    failed('User: arn:aws:sts::1:assumed-role/d/r is not authorized to perform: ecs:CreateService'),
    { code: no, settings: open, security: yes, firewall: open },
  ],
  [
    'a denial in the log convicts security',
    { ...unhealthy, denials: ['s3:GetObject for role checkout-task'], log: [] },
    { code: open, settings: open, security: yes, firewall: open },
  ],
  [
    'a connection that is never made convicts the firewall',
    { ...unhealthy, log: ['Error: connect ETIMEDOUT 10.0.3.7:5432'], before: alike },
    { code: no, settings: no, security: open, firewall: yes },
  ],
  [
    'a load balancer that gets no answer through rules that differ convicts the firewall',
    {
      ...unhealthy,
      targets: [{ state: 'unhealthy', code: 'Target.Timeout' }],
      log: [],
      before: differing('ServiceSecurityGroup', 'network'),
    },
    { code: no, settings: no, security: open, firewall: yes },
  ],
  [
    'an image that a task does not find convicts the code',
    {
      ...unhealthy,
      tasks: [
        {
          reason:
            'CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref docker.io/acme/cart:9: docker.io/acme/cart:9: not found',
        },
      ],
    },
    { code: yes, settings: open, security: open, firewall: open },
  ],
  [
    'an image that a task may not pull convicts security, and clears the code, which never ran',
    {
      ...unhealthy,
      tasks: [
        {
          reason:
            'CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref 1.dkr.ecr.eu-west-1.amazonaws.com/cart:9: unexpected status from HEAD request: 403 Forbidden',
          times: 3,
        },
      ],
    },
    { code: no, settings: open, security: yes, firewall: open },
  ],
  [
    'a secret that a task may not read convicts security',
    {
      ...unhealthy,
      tasks: [
        {
          reason:
            'ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secrets from ssm: AccessDeniedException: User: arn:aws:sts::1:assumed-role/cart/1 is not authorized to perform: ssm:GetParameters',
        },
      ],
    },
    { code: no, settings: open, security: yes, firewall: open },
  ],
  [
    'a registry that a task does not reach convicts the firewall, and clears the code',
    {
      ...unhealthy,
      tasks: [
        {
          reason:
            'ResourceInitializationError: unable to pull secrets or registry auth: RequestError: send request failed caused by: Post "https://api.ecr.eu-west-1.amazonaws.com/": dial tcp 10.0.3.7:443: i/o timeout. Please check your task network configuration',
        },
      ],
    },
    { code: no, settings: open, security: open, firewall: yes },
  ],
  [
    'a new image that needs more memory than before, all else being equal, convicts the code',
    {
      ...unhealthy,
      before: newImage,
      tasks: [{ container: 'app', exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' }],
    },
    { code: yes, settings: no, security: open, firewall: open },
  ],
  [
    'a new image that does not pass the check of its container, all else being equal, convicts the code',
    { ...unhealthy, before: newImage, tasks: [{ reason: 'Task failed container health checks' }] },
    { code: yes, settings: no, security: open, firewall: open },
  ],
  [
    'a function whose image may not be read convicts security',
    {
      ...failed('Lambda function cart failed to stabilize', 'AWS::Lambda::Function'),
      functions: [
        {
          name: 'cart',
          state: 'Failed',
          reason: 'Lambda is not authorized to perform ecr:BatchGetImage on the image.',
        },
      ],
    },
    { code: open, settings: open, security: yes, firewall: open },
  ],
  // Cleared.
  [
    'the same image and the same settings in the stage before clear both',
    { ...unhealthy, before: alike },
    { code: no, settings: no, security: open, firewall: open },
  ],
  [
    'permissions like those of the stage before, and nothing denied, clear security',
    { ...unhealthy, before: alike, denials: [], log: [] },
    { code: no, settings: no, security: no, firewall: open },
  ],
  [
    'an answer of the service clears the firewall',
    { ...unhealthy, answered: { status: 503 } },
    { code: open, settings: open, security: open, firewall: no },
  ],
  [
    'a load balancer that is answered, if wrongly, clears the firewall',
    { ...unhealthy, targets: [{ state: 'unhealthy', code: 'Target.ResponseCodeMismatch' }], before: newImage },
    { code: yes, settings: no, security: open, firewall: no },
  ],
  // Not known.
  ['nothing is known of nothing', {}, { code: open, settings: open, security: open, firewall: open }],
  [
    'a service that does not start, and nothing else',
    unhealthy,
    { code: open, settings: open, security: open, firewall: open },
  ],
  [
    'words that say nothing',
    failed('It did not work.'),
    { code: open, settings: open, security: open, firewall: open },
  ],
  [
    'the same image crashes here and is healthy there, and a setting differs on purpose',
    {
      ...unhealthy,
      tasks: [{ exitCode: 1 }],
      before: { ...alike, differences: [{ what: 'inputs.memory', kind: 'input', is: 'other', declared: true }] },
    },
    { code: open, settings: open, security: open, firewall: open },
  ],
  [
    'a container that was ended for its memory may need more, or leak',
    { ...unhealthy, tasks: [{ exitCode: 137, reason: 'OutOfMemoryError: container killed due to memory usage' }] },
    { code: open, settings: open, security: open, firewall: open },
  ],
  [
    'a new image that crashes under settings that differ too',
    { ...unhealthy, tasks: [{ exitCode: 1 }], before: { ...differing('inputs.port', 'input'), sameImage: false } },
    { code: open, settings: open, security: open, firewall: open },
  ],
  [
    'a new image that crashes under a new version of the template',
    { ...unhealthy, tasks: [{ exitCode: 1 }], before: { ...newImage, sameTemplate: false } },
    { code: open, settings: open, security: open, firewall: open },
  ],
  [
    'a load balancer that gets no answer, where the log could not be read',
    {
      ...unhealthy,
      targets: [{ state: 'unhealthy', code: 'Target.Timeout' }],
      before: differing('ServiceSecurityGroup', 'network'),
    },
    { code: no, settings: no, security: open, firewall: open },
  ],
  [
    'permissions that differ, and nothing denied',
    { ...unhealthy, denials: [], log: [], before: differing('TaskRole', 'permission') },
    { code: no, settings: no, security: open, firewall: open },
  ],
  [
    'an image that is not there or is not to be seen, and the registry does not say which',
    {
      ...unhealthy,
      tasks: [
        {
          reason:
            'CannotPullContainerError: pull access denied for acme/cart, repository does not exist or may require authorization',
        },
      ],
    },
    { code: open, settings: open, security: open, firewall: open },
  ],
  [
    'a service that answers its load balancer with an error can be reached',
    {
      ...unhealthy,
      events: [
        '(service cart) is unhealthy in (target-group cart) due to (reason Health checks failed with these codes: [503])',
      ],
    },
    { code: open, settings: open, security: open, firewall: no },
  ],
  [
    'nothing could be looked at',
    { ...unhealthy, unseen: ['The log of cart could not be looked at: the role may not call logs:GetLogEvents.'] },
    { code: open, settings: open, security: open, firewall: open },
  ],
  ['the cloud was busy', failed('Rate exceeded'), { code: no, settings: open, security: open, firewall: open }],
]

describe('the four suspects', () => {
  test.each(cases)('%s', (_name, evidence, expected) => {
    const verdicts = judge(evidence)

    expect(Object.fromEntries(verdicts.map(({ suspect, is }) => [suspect, is]))).toEqual(expected)
    for (const { is, evidence: sentences } of verdicts) if (is !== 'unknown') expect(sentences).not.toEqual([])
  })

  test('there is a case for each verdict on each suspect, and at least as many that must end as not known', () => {
    const ends = cases.flatMap(([, , expected]) => Object.entries(expected).map(([suspect, is]) => `${suspect} ${is}`))
    const kinds = new Set(ends)
    const undecided = cases.filter(([, , expected]) => Object.values(expected).every((is) => is !== 'convicted'))

    expect(kinds.size).toBe(12)
    expect(undecided.length).toBeGreaterThanOrEqual(12)
  })

  test('what the cloud does wrong itself is said beside them', () => {
    expect(blamesCloud(failed('Rate exceeded'))).toMatch(/asked too often/)
    expect(blamesCloud(failed('We currently do not have sufficient m7g.large capacity'))).toMatch(/no capacity/)
    expect(blamesCloud(failed('Internal Failure'))).toMatch(/failure of its own/)
    expect(blamesCloud(unhealthy)).toBeUndefined()
  })
})
