/** The one template of a catalog that begins empty: what an environment needs to be one, and an example of how it is written. */
export function emptyTemplate(owner: string): readonly (readonly [string, string])[] {
  return [
    [
      'templates/base/template.yaml',
      `template: base
kind: environment
versions: { v1: 1.0.0 }
description: What the services of a stage share. A topic for alarms, to begin with.
owners: [${JSON.stringify(owner)}]
notes:
  1.0.0: The first release.
`,
    ],
    ['templates/base/v1/schema/schema.yaml', schema],
    ['templates/base/v1/infrastructure/manifest.yaml', manifest],
    [
      'templates/base/v1/infrastructure/cloudformation.yaml',
      body('{{ environment.name }}', '{{ environment.inputs.domain }}'),
    ],
    ['templates/base/v1/examples/development/inputs.yaml', 'domain: dev.example.com\n'],
    [
      'templates/base/v1/examples/development/context.json',
      `${JSON.stringify({ environment: { name: 'dev' } }, undefined, 2)}\n`,
    ],
    [
      'templates/base/v1/examples/development/expected/infrastructure/cloudformation.yaml',
      body('dev', 'dev.example.com'),
    ],
  ]
}

const schema = `schema:
  format:
    openapi: "3.0.0"
  environment_input_type: Base
  types:
    Base:
      type: object
      description: What the services of a stage share.
      required: [domain]
      properties:
        domain:
          type: string
          title: Domain
          description: The DNS zone of this environment. A service named checkout answers at checkout.<domain>.
          example: dev.example.com
          minLength: 3
          maxLength: 190
`

const manifest = `infrastructure:
  templates:
    - file: cloudformation.yaml
      rendering_engine: jinja
      template_language: cloudformation
`

function body(name: string, domain: string): string {
  return `Description: 'What the services of ${name} share'

Resources:
  Alarms:
    Type: AWS::SNS::Topic
    Properties:
      DisplayName: 'Alarms of ${name}'
      KmsMasterKeyId: alias/aws/sns

# Templates of services read these as environment.outputs.AlarmTopicArn and environment.outputs.Domain.
Outputs:
  AlarmTopicArn:
    Value: !Ref Alarms
  Domain:
    Value: '${domain}'
`
}
