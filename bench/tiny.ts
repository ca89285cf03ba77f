import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * One small stack, a queue and a topic with two parameters and one output: as a file that any tool deploys, and as the one
 * environment of an organisation that Protium deploys.
 */
export type Tiny = {
  /** The folder of the organisation. */
  readonly organisation: string
  /** The same template as a file, for others. */
  readonly template: string
}

export type TinyValues = {
  readonly stack: string
  readonly account: string
  readonly region: string
  readonly retention: number
}

const template = `AWSTemplateFormatVersion: '2010-09-09'
Description: A queue and a topic.
Parameters:
  name:
    Type: String
  retention:
    Type: String
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub '\${name}-queue'
      MessageRetentionPeriod: !Ref retention
      SqsManagedSseEnabled: true
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      DisplayName: !Sub '\${name} topic'
      KmsMasterKeyId: alias/aws/sns
Outputs:
  QueueUrl:
    Value: !Ref Queue
`

const files: Readonly<Record<string, string>> = {
  'catalog.yaml': `catalog: tiny
domain: example.com
stages:
  dev:
    host: "{service}.dev.{domain}"
    environment: dev
`,
  'templates/tiny/template.yaml': `template: tiny
kind: environment
versions: { v1: 1.0.0 }
description: A queue and a topic.
`,
  'templates/tiny/v1/schema/schema.yaml': `schema:
  format:
    openapi: "3.0.0"
  environment_input_type: Tiny
  types:
    Tiny:
      type: object
      description: A queue and a topic.
      required: [name, retention]
      properties:
        name: { type: string, title: Name, description: What it is called. }
        retention: { type: string, title: Retention, description: Seconds. }
`,
  'templates/tiny/v1/infrastructure/manifest.yaml': `infrastructure:
  templates:
    - file: cloudformation.yaml
      rendering_engine: none
      template_language: cloudformation
`,
  'templates/tiny/v1/infrastructure/cloudformation.yaml': template,
}

/** Writes both into an empty folder. */
export function makeTiny(folder: string, values: TinyValues): Tiny {
  const organisation = join(folder, 'organisation')
  for (const [path, text] of Object.entries(files)) write(join(organisation, path), text)
  const tiny = { organisation, template: join(folder, 'template.yaml') }
  write(tiny.template, template)
  changeTiny(tiny, values)
  return tiny
}

/** Gives the stack other values. */
export function changeTiny({ organisation }: Tiny, { stack, account, region, retention }: TinyValues): void {
  write(
    join(organisation, 'environments/dev.yaml'),
    `environment: dev
template: tiny@1.0.0
provisioner: cloudformation
account: "${account}"
region: ${region}
stack: ${stack}
inputs:
  name: ${stack}
  retention: "${retention}"
`,
  )
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
