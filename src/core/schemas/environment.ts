import type { DataMap } from '../data.ts'
import { inputs, plainName, stackName, templateReference } from './parts.ts'

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
      pattern: '^[a-z]{2,3}(-[a-z]+)+-[0-9]+$',
      'x-protium-expected': 'A region such as ap-northeast-2.',
    },
    inputs,
    stack: { ...stackName, description: 'The name of an adopted stack; `env-<environment>` if nothing is said.' },
  },
}
