import type { DataMap } from '../data.ts'
import { healthSchema } from '../health.ts'
import { acknowledge, inputs, keep, plainName, stackName, templateReference } from './parts.ts'
import { serviceUpgrades } from './upgrades.ts'

/** `service.yaml`. */
export const serviceSchema: DataMap = {
  title: 'Protium service',
  type: 'object',
  additionalProperties: false,
  required: ['service', 'template'],
  properties: {
    service: { ...plainName, description: 'The name of the service, as it stands in its hosts.' },
    template: templateReference,
    owner: { type: 'string', minLength: 1, maxLength: 100, description: 'The team that answers for the service.' },
    hosts: {
      type: 'array',
      description: 'The addresses of the service. Each says by its name which stage it is in.',
      maxItems: 100,
      items: { type: 'string', 'x-protium-expected': 'A host such as checkout.dev.example.com.' },
    },
    inputs,
    health: healthSchema,
    acknowledge,
    keep,
    upgrades: serviceUpgrades,
    pipeline: {
      type: ['object', 'null'],
      description: "Provisions the template's pipeline too.",
      additionalProperties: false,
      properties: {
        inputs,
        stack: { ...stackName, description: 'The name of an adopted stack of the pipeline.' },
        acknowledge,
      },
    },
    stages: {
      type: 'object',
      description: 'What is on purpose different in a stage; for a service without hosts, its stages.',
      additionalProperties: {
        type: ['object', 'null'],
        additionalProperties: false,
        properties: {
          inputs,
          health: healthSchema,
          because: { type: 'string', description: 'Why it differs.' },
          stack: { ...stackName, description: 'The name of an adopted stack.' },
          acknowledge,
        },
      },
    },
    stack: {
      type: 'string',
      description: 'The name of adopted stacks, with `{stage}` in it where the service has more than one.',
      maxLength: 128,
      pattern: '^[a-zA-Z]([-a-zA-Z0-9]|\\{stage\\})*$',
      'x-protium-expected': 'The name of a stack, or a pattern such as "shop-{stage}".',
    },
  },
}
