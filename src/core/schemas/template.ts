import type { DataMap } from '../data.ts'
import { exactVersion, exactVersionPattern } from './parts.ts'

const majorName: DataMap = { pattern: '^v?(0|[1-9][0-9]{0,8})$', 'x-protium-expected': 'A major version such as v1.' }

const day: DataMap = {
  type: 'string',
  pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
  'x-protium-expected': 'A date such as 2027-01-31.',
}

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
    help: { type: 'string', description: 'Where people get help: a channel, a page, an address.' },
    support: {
      type: 'object',
      description: 'How it stands with versions, by major or by exact version. What is not named is supported.',
      propertyNames: {
        pattern: '^(v(0|[1-9][0-9]{0,8})|(0|[1-9][0-9]{0,8})(\\.(0|[1-9][0-9]{0,8})){2})$',
        'x-protium-expected': 'A major version such as v1, or an exact one such as 1.4.2.',
      },
      additionalProperties: {
        type: ['string', 'object'],
        pattern: '^(supported|draft)$',
        'x-protium-expected': '`supported`, `draft`, or a map with `is:`.',
        additionalProperties: false,
        required: ['is'],
        properties: {
          is: {
            enum: ['supported', 'draft', 'deprecated', 'yanked'],
            description:
              'draft: may still change, and is not for production. deprecated: ends on a day. yanked: taken back, nobody should run it.',
          },
          until: { ...day, description: 'The last day of a deprecated version.' },
          because: { type: 'string', description: 'Why, for those who run it.', minLength: 3, maxLength: 500 },
        },
      },
    },
    recommended: { ...exactVersion, description: 'The version that is offered to those who choose the template.' },
    notes: {
      type: 'object',
      description: 'What is new, by version.',
      propertyNames: { pattern: exactVersionPattern, 'x-protium-expected': 'An exact version such as 1.4.2.' },
      additionalProperties: { type: 'string' },
    },
  },
}
