import type { DataMap } from '../data.ts'

// Proton's names of resources (CreateService, `name`).
const resourceName: DataMap = {
  type: 'string',
  pattern: '^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$',
  'x-protium-expected': 'Letters, digits, "-" and "_", at most 100.',
}

/** A spec of an environment as AWS Proton had it. */
export const protonEnvironmentSpecSchema: DataMap = {
  type: 'object',
  additionalProperties: false,
  required: ['proton'],
  properties: {
    proton: { enum: ['EnvironmentSpec'] },
    spec: { type: ['object', 'null'] },
  },
}

/** A spec of a service as AWS Proton had it: the inputs of the pipeline lie flat, an instance may have none. */
export const protonServiceSpecSchema: DataMap = {
  type: 'object',
  additionalProperties: false,
  required: ['proton', 'instances'],
  properties: {
    proton: { enum: ['ServiceSpec'] },
    pipeline: { type: ['object', 'null'] },
    instances: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'environment'],
        properties: { name: resourceName, environment: resourceName, spec: { type: ['object', 'null'] } },
      },
    },
  },
}
