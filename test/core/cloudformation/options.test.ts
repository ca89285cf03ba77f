import { describe, expect, test } from 'vitest'
import { callFields, expressRefusal, neededCapabilities } from '../../../src/core/cloudformation/options.ts'
import type { DataMap } from '../../../src/core/data.ts'

const role = 'arn:aws:iam::111111111111:role/deploy'
const alarm = 'arn:aws:cloudwatch:eu-west-1:111111111111:alarm:errors'

function templateOf(resources: DataMap, more: DataMap = {}): DataMap {
  return { ...more, Resources: resources }
}

const queue = templateOf({ Queue: { Type: 'AWS::SQS::Queue' } })

describe('which option goes into which call', () => {
  test('without options, only what is safe by default', () => {
    expect(callFields({}, queue)).toEqual({
      createChangeSet: { Capabilities: [] },
      executeChangeSet: { RetainExceptOnCreate: true },
      deleteStack: {},
      rollbackStack: { RetainExceptOnCreate: true },
      continueUpdateRollback: {},
      stackPolicy: undefined,
      terminationProtection: undefined,
    })
  })

  test('the role goes into each call that works on resources', () => {
    const fields = callFields({ serviceRole: role }, queue)
    expect(fields.createChangeSet).toMatchObject({ RoleARN: role })
    expect(fields.deleteStack).toEqual({ RoleARN: role })
    expect(fields.rollbackStack).toMatchObject({ RoleARN: role })
    expect(fields.continueUpdateRollback).toEqual({ RoleARN: role })
    expect(fields.executeChangeSet).not.toHaveProperty('RoleARN')
  })

  test('alarms go into the change set, an empty list too, which takes them away', () => {
    expect(
      callFields({ rollback: { alarms: [alarm], minutes: 5 } }, queue).createChangeSet.RollbackConfiguration,
    ).toEqual({
      RollbackTriggers: [{ Arn: alarm, Type: 'AWS::CloudWatch::Alarm' }],
      MonitoringTimeInMinutes: 5,
    })
    expect(callFields({ rollback: { alarms: [], minutes: 0 } }, queue).createChangeSet.RollbackConfiguration).toEqual({
      RollbackTriggers: [],
      MonitoringTimeInMinutes: 0,
    })
  })

  test('express mode is stored in the change set, with its rollback switched on, and not said again', () => {
    const fields = callFields({ mode: 'express' }, queue)
    expect(fields.createChangeSet.DeploymentConfig).toEqual({ Mode: 'EXPRESS', DisableRollback: false })
    expect(fields.executeChangeSet).toEqual({ RetainExceptOnCreate: true })
    expect(callFields({ mode: 'standard' }, queue).createChangeSet).not.toHaveProperty('DeploymentConfig')
  })

  test('a policy and protection have calls of their own', () => {
    const fields = callFields({ stackPolicy: { Statement: [] }, terminationProtection: false }, queue)
    expect(fields.stackPolicy).toBe('{"Statement":[]}')
    expect(fields.terminationProtection).toBe(false)
  })

  test('capabilities that the catalog names are taken as they are', () => {
    const body = templateOf({ Role: { Type: 'AWS::IAM::Role' } })
    expect(callFields({ capabilities: [] }, body).createChangeSet.Capabilities).toEqual([])
    expect(callFields({ capabilities: ['CAPABILITY_NAMED_IAM'] }, body).createChangeSet.Capabilities).toEqual([
      'CAPABILITY_NAMED_IAM',
    ])
    expect(callFields({}, body).createChangeSet.Capabilities).toEqual(['CAPABILITY_IAM'])
  })
})

describe('the capabilities that a template needs', () => {
  test.each<[string, DataMap, readonly string[]]>([
    ['nothing of the kind', queue, []],
    ['a role', templateOf({ Role: { Type: 'AWS::IAM::Role' } }), ['CAPABILITY_IAM']],
    [
      'a role with a name',
      templateOf({ Role: { Type: 'AWS::IAM::Role', Properties: { RoleName: 'x' } } }),
      ['CAPABILITY_NAMED_IAM'],
    ],
    ['a macro', templateOf({}, { Transform: 'Own' }), ['CAPABILITY_AUTO_EXPAND']],
    [
      'the Serverless transform',
      templateOf({}, { Transform: ['AWS::Serverless-2016-10-31'] }),
      ['CAPABILITY_IAM', 'CAPABILITY_AUTO_EXPAND'],
    ],
    [
      'a macro inside',
      templateOf({ Queue: { Type: 'AWS::SQS::Queue', Properties: { 'Fn::Transform': { Name: 'Own' } } } }),
      ['CAPABILITY_AUTO_EXPAND'],
    ],
    [
      'a nested stack',
      templateOf({ Nested: { Type: 'AWS::CloudFormation::Stack' } }),
      ['CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'],
    ],
  ])('with %s', (_, body, needed) => {
    expect(neededCapabilities(body)).toEqual(needed)
  })
})

describe('express mode', () => {
  const replace = { logicalId: 'Task', action: 'replace' }
  const perhaps = { logicalId: 'Db', action: 'update', conditional: ['Properties.Engine'] }
  const update = { logicalId: 'Queue', action: 'update' }

  test.each([
    ['nothing is replaced', { changes: [update], isProduction: false }, undefined],
    ['something is replaced', { changes: [update, replace], isProduction: false }, 'Task'],
    ['something may be replaced', { changes: [perhaps], isProduction: false }, 'Db'],
    ['it is production', { changes: [update], isProduction: true }, 'production'],
    ['it is forced', { changes: [replace], isProduction: true, isForced: true }, undefined],
  ])('where %s', (_, facts, told) => {
    const found = expressRefusal({ mode: 'express' }, facts)
    if (told === undefined) expect(found).toBeUndefined()
    else expect(found).toMatchObject({ code: 'express-refused', message: expect.stringContaining(told) })
    expect(expressRefusal({ mode: 'standard' }, facts)).toBeUndefined()
    expect(expressRefusal({}, facts)).toBeUndefined()
  })
})
