import type { DataMap } from '../data.ts'
import { duration, plainName, stackName } from './parts.ts'
import { policySchema } from './policy.ts'
import { catalogUpgrades } from './upgrades.ts'

const host: DataMap = {
  type: 'string',
  minLength: 1,
  maxLength: 300,
  'x-protium-expected': 'A pattern of hosts such as "{service}.dev.{domain}".',
}

/** What a stage says of its stacks besides their templates. */
const stackOptions: DataMap = {
  type: 'object',
  description: 'What the stacks of this stage are besides their templates; of `provisioner: cloudformation`.',
  additionalProperties: false,
  properties: {
    termination_protection: {
      type: 'boolean',
      description: 'Stacks cannot be deleted as a whole; true in production if nothing is said.',
    },
    stack_policy: {
      type: 'object',
      description: 'A stack policy: which resources an update may touch.',
      required: ['Statement'],
      properties: {
        Version: { type: 'string', description: 'The version of its language, as AWS writes it.' },
        Statement: {
          type: 'array',
          description: 'Its statements, as AWS writes them.',
          minItems: 1,
          items: { type: 'object' },
        },
      },
      additionalProperties: false,
    },
    service_role: {
      type: 'string',
      description: 'The role that CloudFormation works with, instead of that of who calls it. A stack keeps it.',
      pattern: '^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$',
      maxLength: 600,
      'x-protium-expected': 'The ARN of a role, such as arn:aws:iam::111111111111:role/cloudformation.',
    },
    rollback_alarms: {
      type: 'object',
      description: 'Alarms of CloudWatch that roll back what is being deployed.',
      additionalProperties: false,
      required: ['alarms'],
      properties: {
        alarms: {
          type: 'array',
          description: 'The alarms that are watched.',
          minItems: 1,
          maxItems: 5,
          items: {
            type: 'string',
            pattern: '^arn:aws[a-z-]*:cloudwatch:[a-z0-9-]+:[0-9]{12}:alarm:.+$',
            maxLength: 400,
            'x-protium-expected': 'The ARN of an alarm, arn:aws:cloudwatch:eu-west-1:111111111111:alarm:errors.',
          },
        },
        minutes: {
          type: 'integer',
          minimum: 0,
          maximum: 180,
          description: 'How long they are watched after the last resource; 0 if nothing is said.',
        },
      },
    },
    mode: {
      enum: ['standard', 'express'],
      description:
        'express does not wait until resources are known to work; refused in production and for replacements.',
    },
    capabilities: {
      type: 'array',
      description:
        'What templates may make besides: roles, and what macros make. If nothing is said, what is in them; of components, nothing.',
      items: { enum: ['CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'] },
    },
  },
}

const resourceTypes: DataMap = {
  type: 'array',
  items: {
    type: 'string',
    pattern: '^[A-Za-z0-9]+(::[A-Za-z0-9_@-]+){1,3}$',
    'x-protium-expected': 'A type of resource, such as AWS::DynamoDB::Table.',
  },
}

/** Teams and persons of GitHub. */
const people: DataMap = {
  type: 'array',
  description: 'Teams and persons of GitHub, in quotes: "@acme/platform".',
  minItems: 1,
  maxItems: 50,
  items: {
    type: 'string',
    pattern: '^@[A-Za-z0-9][A-Za-z0-9-]*(/[A-Za-z0-9._-]+)?$',
    'x-protium-expected': 'A team or a person of GitHub, "@acme/platform", in quotes.',
  },
}

const localTime: DataMap = {
  type: 'string',
  pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2})?$',
  'x-protium-expected': 'A date, or a date and a time of day, such as 2026-12-20T18:00.',
}

/** Times at which nothing is deployed. */
const freezes: DataMap = {
  type: 'array',
  description: 'Times at which nothing is deployed: once, by `from` and `to`, or `every` week.',
  maxItems: 100,
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['name', 'zone', 'reason'],
    properties: {
      name: { ...plainName, description: 'What it is called where something waits for its end.' },
      from: { ...localTime, description: 'When it begins, by the clocks of the zone.' },
      to: { ...localTime, description: 'When it is over.' },
      every: {
        type: 'string',
        description: 'From when to when in each week: "fri 16:00 - mon 08:00".',
        pattern:
          '^(mon|tue|wed|thu|fri|sat|sun) [0-9]{1,2}:[0-9]{2} - (mon|tue|wed|thu|fri|sat|sun) [0-9]{1,2}:[0-9]{2}$',
        'x-protium-expected': 'A span of a week, such as "fri 16:00 - mon 08:00".',
      },
      zone: {
        type: 'string',
        description: 'The time zone whose clocks are meant, by its IANA name.',
        pattern: '^[A-Za-z][A-Za-z0-9_+/-]{0,63}$',
        'x-protium-expected': 'A time zone such as Europe/Vienna, or UTC.',
      },
      stages: {
        type: 'array',
        minItems: 1,
        description: 'The stages that it is for; all if nothing is said.',
        items: plainName,
      },
      reason: { type: 'string', minLength: 1, maxLength: 300, description: 'What who waits is told.' },
    },
  },
}

/** Who may do something. */
function byPeople(description: string): DataMap {
  return {
    type: 'object',
    description,
    additionalProperties: false,
    required: ['by'],
    properties: { by: people },
  }
}

const numberOfGitHub: DataMap = {
  type: 'string',
  pattern: '^[1-9][0-9]{0,17}$',
  'x-protium-expected': 'The number that GitHub gave it, in quotes: "1296269".',
}

/** Who may work in the accounts. */
const trust: DataMap = {
  type: 'object',
  description: 'Which repositories may work in the accounts; `protium trust --write` writes the roles in accounts/.',
  additionalProperties: false,
  required: ['organisation', 'repositories'],
  properties: {
    organisation: { ...numberOfGitHub, description: 'The id of the organisation on GitHub, in quotes.' },
    repositories: {
      type: 'object',
      description: 'The repositories that may deploy, by owner/name as GitHub writes it; also the one of this catalog.',
      minProperties: 1,
      maxProperties: 2000,
      propertyNames: {
        type: 'string',
        pattern: '^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$',
        'x-protium-expected': 'A repository as owner/name.',
      },
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        required: ['id'],
        properties: {
          id: { ...numberOfGitHub, description: 'The id of the repository on GitHub, in quotes.' },
          services: {
            type: 'array',
            description: 'The services that it deploys; the one of its own name if nothing is said, the catalog all.',
            items: plainName,
          },
          stacks: {
            type: 'array',
            description: 'Names of stacks that it adopted.',
            items: stackName,
          },
        },
      },
    },
    actions: {
      type: 'array',
      description: 'What CloudFormation may do besides what follows from the templates.',
      items: {
        type: 'string',
        pattern: '^[a-z0-9-]+:[A-Za-z0-9*]+$',
        'x-protium-expected': 'An action of IAM, such as "kms:CreateKey".',
      },
    },
  },
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
          approval: byPeople('Who has to agree before this stage is deployed.'),
          stack: stackOptions,
        },
      },
    },
    previews: {
      type: 'object',
      description:
        'Instances of pull requests. Their addresses are known (`protium stage`), and nothing makes them yet.',
      additionalProperties: false,
      required: ['host', 'stage'],
      properties: {
        host: {
          ...host,
          description: 'The addresses of previews. `{number}` stands for that of the pull request.',
          'x-protium-expected': 'A pattern such as "{service}-pr-{number}.preview.{domain}".',
        },
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
              description: 'The topic that they have.',
              pattern: '^[a-z0-9][a-z0-9-]{0,49}$',
              'x-protium-expected': 'A topic of GitHub: small letters, digits and "-".',
            },
            property: {
              type: 'string',
              description: 'The custom property that they have.',
              minLength: 1,
              maxLength: 75,
            },
          },
          items: {
            type: 'string',
            pattern: '^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$',
            'x-protium-expected': 'A repository as owner/name.',
          },
        },
      },
    },
    upgrades: catalogUpgrades,
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
        deploy: {
          type: 'boolean',
          description:
            'false: pull requests are checked and planned, and no workflow deploys. true if nothing is said.',
        },
        app: {
          type: 'boolean',
          description: 'The catalog is private: service repositories read it with the token of a GitHub App.',
        },
        fleet: {
          type: 'boolean',
          description:
            'Promotions that wait in other repositories of the owner are gone on with from here, with the token of another GitHub App.',
        },
        teams: {
          type: 'boolean',
          description:
            'Jobs see who is in a team that this catalog names, with the token of a GitHub App that may see that and nothing else.',
        },
        upgrades: {
          type: 'boolean',
          description:
            'Releases of templates are brought to those who run them, by pull requests of a GitHub App, as `upgrades` says.',
        },
      },
    },
    trust,
    owner: {
      type: 'string',
      description:
        'The id of the repository of this catalog, in quotes: the owner of the stacks that are deployed from a terminal.',
      pattern: '^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$',
      'x-protium-expected': 'The number of a repository on GitHub in quotes, "1296269".',
    },
    freezes,
    glass: byPeople(
      'Who may break the glass: deploy in an emergency without soak, freeze and approval. Without it, nobody may.',
    ),
    locks: byPeople('Who may break the locks of others.'),
    guard: {
      type: 'object',
      description: 'Which types of resources hold data: they are replaced or deleted only where that is acknowledged.',
      additionalProperties: false,
      properties: {
        types: { ...resourceTypes, description: 'Types that hold data besides those that Protium knows.' },
        release: { ...resourceTypes, description: 'Types that are not guarded.' },
      },
    },
    policy: policySchema,
    stacks: {
      type: 'object',
      description: 'What all stacks have in common.',
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
