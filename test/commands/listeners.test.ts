import { describe, expect, test } from 'vitest'
import type { Command } from '../../src/command.ts'
import { plan } from '../../src/commands/plan.ts'
import { validate } from '../../src/commands/validate.ts'
import type { Problem } from '../../src/core/problem.ts'
import { lines, organisationFiles, schemaFile, treeOf } from '../core/trees.ts'
import { run, worldOf } from './ports.ts'

const arn = 'arn:aws:elasticloadbalancing:ap-northeast-2:111111111111:listener/app/x/1/'

function rules(...listeners: readonly string[]): string {
  const each = listeners.map(
    (listener, index) => `
      Rule${index}:
        Type: AWS::ElasticLoadBalancingV2::ListenerRule
        Properties:
          ListenerArn: ${listener}
          Priority: {{ service_instance.inputs.rule_priority }}
          Conditions: [{ Field: path-pattern, PathPatternConfig: { Values: ['/{{ service.name }}/${index}'] } }]
          Actions: [{ Type: fixed-response, FixedResponseConfig: { StatusCode: '404' } }]`,
  )
  return `${lines(`Parameters: { Own: { Type: String, Default: here } }\nResources:${each.join('')}`)}\n`
}

/** Two services with a rule of these priorities each, at the listener that the template names. */
async function problemsOf(
  command: Command,
  {
    priorities: [first, second],
    template,
    only = [],
  }: { readonly priorities: readonly [string, string]; readonly template: string; readonly only?: readonly string[] },
): Promise<readonly Problem[]> {
  const service = (name: string, priority: string): string =>
    `service: ${name}\ntemplate: web@1.4.2\ninputs: { rule_priority: ${priority} }\nstages: { dev: {} }\n`
  const tree = treeOf(organisationFiles, {
    'templates/web/v1/pipeline_infrastructure/manifest.yaml': undefined,
    'templates/web/v1/pipeline_infrastructure/cloudformation.yaml': undefined,
    'templates/web/v1/schema/schema.yaml': schemaFile('service', 'properties: { rule_priority: { type: integer } }'),
    'templates/web/v1/instance_infrastructure/cloudformation.yaml': template,
    'templates/net/v1/infrastructure/cloudformation.yaml':
      'Resources: { Topic: { Type: AWS::SNS::Topic, Properties: { KmsMasterKeyId: alias/aws/sns } } }\n',
    'services/checkout/service.yaml': service('checkout', first),
    'services/inventory/service.yaml': service('inventory', second),
  })
  const world = worldOf(() => tree)
  const names = command.name === 'validate' ? { only } : { services: only }
  const { problems = [] } = await run(command, world, { ...(command.name === 'validate' && { path: ['.'] }), ...names })
  world.end()
  const errors = problems.filter(({ severity }) => severity === 'error')
  expect(errors.map(({ code }) => code).filter((code) => code !== 'listener-priority-taken')).toEqual([])
  return errors
}

describe.each([validate, plan])('$name, of the rules of one listener', (command) => {
  test('finds two of one priority, in the template and in the services', async () => {
    expect(await problemsOf(command, { priorities: ['7', '7'], template: rules(arn) })).toMatchObject([
      {
        severity: 'error',
        message: expect.stringContaining('The rules of checkout/dev and inventory/dev have the priority 7'),
        remedy: expect.stringContaining('`rule_priority:`'),
        at: { file: 'templates/web/v1/instance_infrastructure/cloudformation.yaml', line: 7 },
        related: expect.arrayContaining([
          expect.objectContaining({ at: expect.objectContaining({ file: 'services/checkout/service.yaml' }) }),
          expect.objectContaining({ at: expect.objectContaining({ file: 'services/inventory/service.yaml' }) }),
        ]),
      },
    ])
  })

  test.each([
    ['are two priorities', ['7', '8'], rules(arn)],
    ['are two listeners, each in a stack of its own', ['7', '7'], rules('!Ref Own')],
  ] as const)('finds nothing where there %s', async (_, priorities, template) => {
    expect(await problemsOf(command, { priorities, template })).toEqual([])
  })

  test('finds two in one stack, and those of an import', async () => {
    expect(await problemsOf(command, { priorities: ['7', '8'], template: rules(arn, arn) })).toMatchObject([
      { message: expect.stringContaining('Two rules of checkout/dev') },
      { message: expect.stringContaining('Two rules of inventory/dev') },
    ])
    const imported = rules('!ImportValue listener')
    expect(await problemsOf(validate, { priorities: ['7', '7'], template: imported })).toHaveLength(1)
  })

  test('compares what is rendered: of one service alone nothing is said', async () => {
    expect(await problemsOf(command, { priorities: ['7', '7'], template: rules(arn), only: ['inventory'] })).toEqual([])
  })
})
