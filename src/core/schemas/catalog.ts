import type { DataMap } from '../data.ts'
import { duration, plainName } from './parts.ts'

const host: DataMap = {
  type: 'string',
  minLength: 1,
  maxLength: 300,
  'x-protium-expected': 'A pattern of hosts such as "{service}.dev.{domain}".',
}

/** `catalog.yaml`. */
export const catalogSchema: DataMap = {
  title: 'Protium catalog',
  type: 'object',
  additionalProperties: false,
  required: ['catalog', 'domain', 'stages'],
  properties: {
    catalog: { ...plainName, description: 'The name of this catalog.' },
    domain: {
      type: 'string',
      description: 'What `{domain}` stands for in patterns of hosts.',
      maxLength: 253,
      pattern: '^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
      'x-protium-expected': 'A DNS name in small letters, such as example.com.',
    },
    stages: {
      type: 'object',
      description: 'The stages, in the order of promotion.',
      minProperties: 1,
      propertyNames: {
        ...plainName,
        not: { enum: ['pipeline', 'component'] },
        'x-protium-expected': 'Small letters, digits and "-", a letter first; not "pipeline" or "component".',
      },
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        required: ['host', 'environment'],
        properties: {
          host: { ...host, description: 'The addresses in this stage. `{service}` stands for a part of one label.' },
          environment: { ...plainName, description: 'The environment that the stage lies in.' },
          soak: {
            ...duration,
            description: 'How long a service has to be healthy here before the next stage may start.',
          },
          production: { type: 'boolean', description: 'Images have to be digests here, and changes are held longest.' },
          approval: {
            type: 'object',
            description: 'Who has to agree before this stage is deployed.',
            additionalProperties: false,
            required: ['by'],
            properties: {
              by: {
                type: 'array',
                minItems: 1,
                items: {
                  type: 'string',
                  pattern: '^@[A-Za-z0-9][A-Za-z0-9-]*(/[A-Za-z0-9._-]+)?$',
                  'x-protium-expected': 'A team or a person of GitHub, "@acme/platform", in quotes.',
                },
              },
            },
          },
        },
      },
    },
    previews: {
      type: 'object',
      description: 'Instances of pull requests.',
      additionalProperties: false,
      required: ['host', 'stage'],
      properties: {
        host: { ...host, 'x-protium-expected': 'A pattern such as "{service}-pr-{number}.preview.{domain}".' },
        stage: { ...plainName, description: 'The stage whose inputs and environment they have.' },
        expire: { ...duration, description: 'When they are removed; 72h if nothing is said.' },
        most: { type: 'integer', minimum: 1, maximum: 1000, description: 'How many at a time; 10 if nothing is said.' },
      },
    },
    services: {
      type: 'object',
      description: 'Where services live besides the folder `services/` of this repository.',
      additionalProperties: false,
      properties: {
        repositories: {
          type: ['object', 'array'],
          description: 'Repositories with a topic, with a custom property, or a list of them.',
          additionalProperties: false,
          minProperties: 1,
          maxProperties: 1,
          properties: {
            topic: {
              type: 'string',
              pattern: '^[a-z0-9][a-z0-9-]{0,49}$',
              'x-protium-expected': 'A topic of GitHub: small letters, digits and "-".',
            },
            property: { type: 'string', minLength: 1, maxLength: 75 },
          },
          items: {
            type: 'string',
            pattern: '^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$',
            'x-protium-expected': 'A repository as owner/name.',
          },
        },
      },
    },
    upgrades: {
      type: 'object',
      additionalProperties: false,
      properties: {
        waves: {
          type: 'array',
          description: 'How many services get an upgrade at a time: a number, a share, and `rest` at the end.',
          minItems: 1,
          maxItems: 20,
          items: {
            type: ['integer', 'string'],
            minimum: 1,
            pattern: '^(rest|100%|[1-9][0-9]?%)$',
            'x-protium-expected': 'A number of services, a share such as 10%, or rest.',
          },
        },
      },
    },
    workflows: {
      type: 'object',
      description: 'How the workflows in .github/workflows/ are made; `protium workflows --write` writes them.',
      additionalProperties: false,
      required: ['actions'],
      properties: {
        actions: {
          type: 'string',
          description: "Where Protium's actions are: a folder of this repository, or one of another at a commit.",
          maxLength: 250,
          pattern: '^[A-Za-z0-9_.-]*[A-Za-z0-9_-](/[A-Za-z0-9_.-]*[A-Za-z0-9_-])*(@[0-9a-f]{40})?$',
          'x-protium-expected':
            'A folder such as "actions" or ".protium/actions", or owner/name/folder@commit with all 40 digits.',
        },
        version: {
          type: 'string',
          description: 'What the commit is called, for the comment behind it.',
          pattern: '^v[0-9]+(\\.[0-9]+){0,2}$',
          'x-protium-expected': 'A version such as v1.2.3.',
        },
        repository: {
          type: 'string',
          description: 'The repository of this catalog, which the workflows of service repositories call.',
          pattern: '^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$',
          'x-protium-expected': 'A repository as owner/name.',
        },
        app: {
          type: 'boolean',
          description: 'The catalog is private: service repositories read it with the token of a GitHub App.',
        },
      },
    },
    stacks: {
      type: 'object',
      additionalProperties: false,
      properties: {
        name: {
          type: 'string',
          description: 'How the stacks of instances are called; "{service}-{stage}" if nothing is said.',
          pattern: '^([A-Za-z0-9-]|\\{service\\}|\\{stage\\})+$',
          'x-protium-expected': 'A pattern such as "{service}-{stage}".',
        },
      },
    },
  },
}
