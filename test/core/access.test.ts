import { describe, expect, test } from 'vitest'
import { accessChanges, accessOf, mayWiden } from '../../src/core/access.ts'
import type { Change } from '../../src/core/plan.ts'

function change(type: string, more: Partial<Change> = {}): Change {
  return { logicalId: 'It', type, action: 'update', properties: [], because: [], retained: false, ...more }
}

describe('a resource', () => {
  test.each([
    ['AWS::IAM::Role', 'permission'],
    ['AWS::IAM::ManagedPolicy', 'permission'],
    ['AWS::S3::BucketPolicy', 'permission'],
    ['AWS::SecretsManager::ResourcePolicy', 'permission'],
    ['AWS::Lambda::Permission', 'permission'],
    ['AWS::EC2::SecurityGroupIngress', 'network'],
    ['AWS::WAFv2::WebACL', 'network'],
    // These are called policies, and permit nothing.
    ['AWS::ApplicationAutoScaling::ScalingPolicy', undefined],
    ['AWS::AutoScaling::ScalingPolicy', undefined],
    ['AWS::CloudFront::CachePolicy', undefined],
    ['AWS::SQS::Queue', undefined],
  ])('%s is about %s', (type, access) => {
    expect(accessOf(type)).toBe(access)
  })
})

describe('a change of access', () => {
  const value = { before: 'a', after: 'b' }

  test.each<readonly [string, Change, readonly string[], boolean]>([
    ['a new role', change('AWS::IAM::Role', { action: 'create' }), ['permission is new'], true],
    ['a role that goes', change('AWS::IAM::Role', { action: 'delete' }), ['permission is gone'], false],
    [
      'a group that is made anew',
      change('AWS::EC2::SecurityGroup', { action: 'replace' }),
      ['network is replaced'],
      true,
    ],
    [
      'a rule more',
      change('AWS::EC2::SecurityGroup', { properties: [{ path: 'Properties.SecurityGroupIngress.1', after: 'b' }] }),
      ['network is changed'],
      true,
    ],
    [
      'a rule less',
      change('AWS::EC2::SecurityGroup', { properties: [{ path: 'Properties.SecurityGroupIngress.1', before: 'b' }] }),
      ['network is changed'],
      false,
    ],
    [
      'another value in the policy of a key',
      change('AWS::KMS::Key', { properties: [{ path: 'Properties.KeyPolicy.Statement.0.Principal', ...value }] }),
      ['permission is changed'],
      true,
    ],
    [
      'another group of a function',
      change('AWS::Lambda::Function', { properties: [{ path: 'Properties.VpcConfig.SecurityGroupIds.0', ...value }] }),
      ['network is changed'],
      true,
    ],
    [
      'a tag of a role',
      change('AWS::IAM::Role', { properties: [{ path: 'Properties.Tags.0.Value', ...value }] }),
      [],
      false,
    ],
    ['a new queue', change('AWS::SQS::Queue', { action: 'create' }), [], false],
  ])('%s', (_what, given, expected, wider) => {
    const found = accessChanges(given)

    expect(found.map(({ access, is }) => `${access} is ${is}`)).toEqual(expected)
    expect(found.some(mayWiden)).toBe(wider)
  })
})
