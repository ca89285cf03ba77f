import type { DataMap } from '../data.ts'
import { acknowledge, inputs, keep, plainName, stackName, templateReference } from './parts.ts'

/** `environments/<name>.yaml`. */
export const environmentSchema: DataMap = {
  title: 'Protium environment',
  type: 'object',
  additionalProperties: false,
  required: ['environment', 'template', 'account', 'region'],
  properties: {
    environment: { ...plainName, description: 'The name of the environment.' },
    template: templateReference,
    provisioner: {
      enum: ['cloudformation', 'terraform', 'command', 'local'],
      description: 'What provisions this environment and the services in it; cloudformation if nothing is said.',
    },
    account: {
      type: 'string',
      description: 'The AWS account, in quotes: a number would lose its leading zeros.',
      pattern: '^[0-9]{12}$',
      'x-protium-expected': 'The twelve digits of an account in quotes, "111111111111".',
    },
    region: {
      type: 'string',
      description: 'The AWS region.',
      pattern: '^[a-z]{2,3}(-[a-z]+)+-[0-9]+$',
      'x-protium-expected': 'A region such as ap-northeast-2.',
    },
    credentials: {
      type: 'object',
      description:
        'Who Protium is in this account: a profile of this machine, or a role to assume; without it, what the environment of the process says.',
      additionalProperties: false,
      minProperties: 1,
      maxProperties: 1,
      properties: {
        profile: { type: 'string', minLength: 1, maxLength: 128, description: 'A profile of the AWS configuration.' },
        role: {
          type: 'string',
          description: 'A role that is assumed.',
          pattern: '^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$',
          maxLength: 600,
          'x-protium-expected': 'The ARN of a role, such as arn:aws:iam::111111111111:role/deploy.',
        },
      },
    },
    template_bucket: {
      type: 'string',
      description: 'The bucket for templates of more than 51,200 bytes, which CloudFormation reads from there.',
      pattern: '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$',
      'x-protium-expected': 'The name of an S3 bucket in the region of the environment.',
    },
    acknowledge,
    keep,
    inputs,
    stack: { ...stackName, description: 'The name of an adopted stack; `env-<environment>` if nothing is said.' },
  },
}
