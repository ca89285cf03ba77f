import type { DataMap } from '../data.ts'
import { exactVersion, exactVersionPattern } from './parts.ts'

const majorName: DataMap = { pattern: '^v?(0|[1-9][0-9]{0,8})$', 'x-protium-expected': 'A major version such as v1.' }

/** `templates/<name>/template.yaml`. */
export const templateSchema: DataMap = {
  title: 'Protium template',
  type: 'object',
  additionalProperties: false,
  required: ['kind'],
  properties: {
    template: { type: 'string', description: 'The name of the template, as that of its folder.' },
    kind: { enum: ['environment', 'service', 'component'], description: 'What the template makes.' },
    versions: {
      type: 'object',
      description: 'The exact version that each folder `v<major>` holds.',
      propertyNames: majorName,
      additionalProperties: exactVersion,
    },
    description: { type: 'string', description: 'One sentence for those who choose a template.' },
    owners: {
      type: ['array', 'string'],
      items: { type: 'string' },
      description: 'The teams that answer for the template.',
    },
    support: { type: 'string', description: 'Where people get help: a channel, a page, an address.' },
    migrations: {
      type: 'array',
      description: 'How the inputs of a service change on the way to a version. Read; nothing applies them yet.',
      items: {
        type: 'object',
        required: ['to'],
        properties: { to: { ...exactVersion, description: 'The version that it leads to.' } },
      },
    },
    notes: {
      type: 'object',
      description: 'What is new, by version.',
      propertyNames: { pattern: exactVersionPattern, 'x-protium-expected': 'An exact version such as 1.4.2.' },
      additionalProperties: { type: 'string' },
    },
  },
}
