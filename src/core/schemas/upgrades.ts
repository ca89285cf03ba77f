import type { DataMap } from '../data.ts'
import { duration, plainName, templateReference } from './parts.ts'

const share: DataMap = {
  type: 'string',
  pattern: '^(100|[1-9]?[0-9])%$',
  'x-protium-expected': 'A share such as 60%.',
}

const limit: DataMap = {
  type: ['integer', 'string'],
  minimum: 1,
  pattern: '^(100|[1-9][0-9]?)%$',
  'x-protium-expected': 'A number from 1, or a share such as 5%.',
}

/** Times of each week. */
export const schedule: DataMap = {
  type: 'array',
  description: 'When pull requests are opened: spans of each week. At any time if nothing is said.',
  minItems: 1,
  maxItems: 20,
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['every', 'zone'],
    properties: {
      every: {
        type: 'string',
        description: 'From when to when: "mon 09:00 - thu 16:00".',
        pattern:
          '^(mon|tue|wed|thu|fri|sat|sun) [0-9]{1,2}:[0-9]{2} - (mon|tue|wed|thu|fri|sat|sun) [0-9]{1,2}:[0-9]{2}$',
        'x-protium-expected': 'A span of a week, such as "mon 09:00 - thu 16:00".',
      },
      zone: {
        type: 'string',
        description: 'The time zone whose clocks are meant, by its IANA name.',
        pattern: '^[A-Za-z][A-Za-z0-9_+/-]{0,63}$',
        'x-protium-expected': 'A time zone such as Europe/Vienna, or UTC.',
      },
    },
  },
}

/** `upgrades:` of catalog.yaml. */
export const catalogUpgrades: DataMap = {
  type: 'object',
  description: 'How new versions of templates are offered to those who run older ones.',
  additionalProperties: false,
  properties: {
    waves: {
      type: 'array',
      description: 'How many get an upgrade at a time: a number, a share, and `rest` at the end.',
      minItems: 1,
      maxItems: 20,
      items: {
        type: ['integer', 'string'],
        minimum: 1,
        pattern: '^(rest|100%|[1-9][0-9]?%)$',
        'x-protium-expected': 'A number of services, a share such as 10%, or rest.',
      },
    },
    canaries: {
      type: 'object',
      description: 'Who is in the first wave besides services that say so themselves.',
      additionalProperties: false,
      minProperties: 1,
      properties: {
        services: {
          type: 'array',
          description: 'Services by their names.',
          minItems: 1,
          maxItems: 200,
          items: plainName,
        },
        property: {
          type: 'object',
          description: 'A custom property of repositories, and the value that it has.',
          additionalProperties: false,
          required: ['name', 'value'],
          properties: {
            name: { type: 'string', minLength: 1, maxLength: 75, description: 'The name of the property.' },
            value: { type: 'string', minLength: 1, maxLength: 75, description: 'Its value.' },
          },
        },
      },
    },
    gate: {
      type: 'object',
      description: 'What has to be so before the next wave begins.',
      additionalProperties: false,
      properties: {
        soak: { ...duration, description: 'How long what was merged has to have run well; 24h if nothing is said.' },
        merged: { ...share, description: 'How many of the wave have merged it; 60% if nothing is said.' },
        deployed: { ...share, description: 'How many deployments of it went well; 98% if nothing is said.' },
        least: {
          type: 'integer',
          minimum: 1,
          maximum: 1000,
          description: 'How many have deployed it at the least, or all that there are so far; 1 if nothing is said.',
        },
        patience: {
          ...duration,
          description: 'After this a wave that nobody merges is shown to people, who decide; 14d if nothing is said.',
        },
      },
    },
    halt: {
      type: 'object',
      description:
        'When the rollout of a release stops: a number, or a share of those that have it and two at the least.',
      additionalProperties: false,
      properties: {
        failed: { ...limit, description: 'Deployments that failed for its sake; 1 if nothing is said.' },
        checks: { ...limit, description: 'Pull requests whose checks fail for its sake; 5% if nothing is said.' },
        reverted: { ...limit, description: 'Merged ones that were taken back; 1 if nothing is said.' },
        declined: { ...limit, description: 'Those who declined it; 20% if nothing is said.' },
      },
    },
    schedule,
    automerge: {
      enum: ['none', 'patch', 'minor'],
      description:
        'What may be merged by itself where a service wants that and nothing that matters changes; `none` if nothing is said.',
    },
    per_team: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      description: 'How many upgrades of one team may be open at a time; 5 if nothing is said.',
    },
    urgent: {
      type: 'array',
      description: 'Releases that mend a hole: times of the week, waves and the limit of a team do not hold them up.',
      maxItems: 100,
      items: templateReference,
    },
  },
}

/** `upgrades:` of service.yaml. */
export const serviceUpgrades: DataMap = {
  type: ['boolean', 'object'],
  description: 'Which upgrades are offered to this service; `false` for none.',
  additionalProperties: false,
  properties: {
    major: { type: 'boolean', description: '`false`: no new major version is offered.' },
    canary: { type: 'boolean', description: '`true`: it gets new versions with the first.' },
    automerge: { type: 'boolean', description: '`true`: what the catalog allows may be merged by itself.' },
    schedule,
  },
}
