import { describe, expect, test } from 'vitest'
import { readOrganisation } from '../../../src/core/organisation.ts'
import { renderAll, renderedDigest } from '../../../src/core/rendering.ts'
import { brief, lines, organisationFiles, treeOf } from '../trees.ts'

const template = lines(`
  Resources:
    Api:
      Type: AWS::SNS::Topic
      Properties: { TopicName: "{{ service_instance.inputs.port }}" }
    Sub:
      Type: AWS::SNS::Subscription
      DependsOn: Api
      Properties: { TopicArn: !Ref Api, Protocol: lambda, Endpoint: !Sub "arn:x:\${Api.TopicName}" }
  Outputs:
    Api: { Value: !GetAtt Api.TopicName }
`)

const net = {
  'templates/net/v1/infrastructure/cloudformation.yaml':
    'Resources: { Net: { Type: AWS::EC2::VPC, Properties: { CidrBlock: 10.0.0.0/16 } } }\n',
}

function rendered(keep: string, text = template) {
  const service = `${organisationFiles['services/checkout/service.yaml'] ?? ''}${keep}`
  const read = readOrganisation(
    treeOf(organisationFiles, {
      'services/checkout/service.yaml': service,
      'templates/web/v1/instance_infrastructure/cloudformation.yaml': text,
      ...net,
    }),
    () => undefined,
  )
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  return renderAll(read.value.units.filter(({ kind }) => kind !== 'pipeline'))
}

function instanceOf({ rendered: all }: ReturnType<typeof rendered>) {
  const found = all.find(({ unit }) => unit.id === 'checkout/prod')
  if (found === undefined) throw new Error('not rendered')
  return found
}

describe('an id that is kept', () => {
  test('is that of the live stack, wherever it is named; places stay those of the template', () => {
    const { part, wanted } = instanceOf(rendered('keep: { Api: Topic }\n'))
    expect(wanted.body).toBe(part.body)
    expect(JSON.parse(JSON.stringify(part.body))).toEqual({
      Resources: {
        Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: '8080' } },
        Sub: {
          Type: 'AWS::SNS::Subscription',
          DependsOn: 'Topic',
          Properties: {
            TopicArn: { Ref: 'Topic' },
            Protocol: 'lambda',
            Endpoint: { 'Fn::Sub': 'arn:x:${Topic.TopicName}' },
          },
        },
      },
      Outputs: { Api: { Value: { 'Fn::GetAtt': ['Topic', 'TopicName'] } } },
    })
    expect(part.document.place(['Resources', 'Topic', 'Type'])).toMatchObject({ line: 3, column: 11 })
    expect(part.origin(['Resources', 'Topic', 'Properties', 'TopicName'])).toMatchObject({
      file: 'templates/web/v1/instance_infrastructure/cloudformation.yaml',
      line: 4,
    })
    expect(part.text).toContain('  Api:\n')
  })

  test('of a resource that is not there is a warning on its line, and of something else a Problem', () => {
    expect(brief(rendered('keep: { Apy: Topic }\n').problems)).toEqual([
      'keep-nothing services/checkout/service.yaml:13',
      'keep-nothing services/checkout/service.yaml:13',
    ])
    expect(rendered('keep: { Apy: Topic }\n').problems[0]?.message).toBe(
      'The template makes no resource Apy for checkout/dev, so Topic is kept for nothing. Did you mean "Api"?',
    )
    const taken = rendered('keep:\n  Api: Sub\n')
    expect(brief(taken.problems)).toEqual([
      'keep-taken services/checkout/service.yaml:14',
      'keep-taken services/checkout/service.yaml:14',
    ])
    expect(taken.rendered.map(({ unit }) => unit.kind)).toEqual(['environment', 'environment'])
  })

  test('is a part of what was rendered: without it, or with another, that is not the same', () => {
    const digests = ['', 'keep: { Api: Topic }\n', 'keep: { Api: Other }\n', 'keep: { Apy: Topic }\n'].map((keep) =>
      renderedDigest(instanceOf(rendered(keep))),
    )
    expect(new Set(digests).size).toBe(3)
    expect(digests[3]).toBe(digests[0])
  })

  test('is a file that is read: ids are letters and digits', () => {
    expect(() => rendered('keep: { A-b: C }\n')).toThrow('logical id')
  })
})

test('an environment keeps ids too', () => {
  const read = readOrganisation(
    treeOf(organisationFiles, {
      'environments/dev.yaml': `${organisationFiles['environments/dev.yaml'] ?? ''}keep: { Net: Vpc }\n`,
      ...net,
    }),
    () => undefined,
  )
  const units = read.ok ? read.value.units.filter(({ kind }) => kind === 'environment') : []
  const ids = renderAll(units).rendered.map(({ part }) => JSON.stringify(part.body['Resources']).slice(2, 5))
  expect(ids).toEqual(['Vpc', 'Net'])
})
