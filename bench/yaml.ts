import { parseDocument } from 'yaml'
import { JSON_SCHEMA, load, parseEvents } from 'js-yaml'
import { readRendered, readYaml } from '../src/core/yaml.ts'

/**
 * What it costs to read a rendered CloudFormation template, by several ways: `node bench/yaml.ts`. Medians of 200 rounds
 * after warming up, in milliseconds. Nothing is asserted.
 */
const sizes = [2, 9, 40, 160]
const rounds = 200

function template(kilobytes: number): string {
  const resource = (index: number): string => `  Queue${index}:
    Type: AWS::SQS::Queue
    DeletionPolicy: Retain
    Properties:
      QueueName: !Sub '\${AWS::StackName}-queue-${index}'
      VisibilityTimeout: 30
      MessageRetentionPeriod: 345600
      RedrivePolicy:
        deadLetterTargetArn: !GetAtt Queue${index}.Arn # its own
        maxReceiveCount: 5
      Tags:
        - Key: Name
          Value: !Join ['-', [!Ref 'AWS::StackName', "queue", ${index}]]
        - {Key: note, Value: "a text with \\"quotes\\""}
      Script: |
        #!/bin/bash
        echo ${index} >/tmp/x
`
  let text = "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n"
  for (let index = 0; text.length < kilobytes * 1024; index += 1) text += resource(index)
  return text
}

function median(action: () => unknown): number {
  const turns = Array.from({ length: rounds + 50 }, () => {
    const started = performance.now()
    action()
    return performance.now() - started
  }).slice(50)
  return turns.toSorted((a, b) => a - b)[rounds / 2] ?? 0
}

const ways: readonly (readonly [string, (text: string) => unknown])[] = [
  ['js-yaml, events only', (text) => parseEvents(text, {})],
  ['readRendered', (text) => readRendered('t.yaml', text)],
  [
    'readRendered and a place',
    (text) => {
      const read = readRendered('t.yaml', text)
      return read.ok ? read.value.place(['Resources', 'Queue0']) : undefined
    },
  ],
  ["readYaml, 'cloudformation'", (text) => readYaml('t.yaml', text, 'cloudformation')],
  [
    'yaml, parseDocument alone',
    (text) => parseDocument(text, { uniqueKeys: false, schema: 'failsafe', logLevel: 'error' }),
  ],
  [
    'js-yaml, load (tags replaced)',
    (text) => load(text.replaceAll(/!(?:Ref|Sub|GetAtt|Join) /g, ''), { schema: JSON_SCHEMA }),
  ],
]

const texts = sizes.map(template)
console.log(
  [
    'milliseconds a template'.padEnd(32),
    ...texts.map((text) => `${(text.length / 1024).toFixed(1)} KB`.padStart(9)),
  ].join(' '),
)
for (const [name, way] of ways) {
  console.log(
    [
      name.padEnd(32),
      ...texts.map((text) =>
        median(() => way(text))
          .toFixed(3)
          .padStart(9),
      ),
    ].join(' '),
  )
}
