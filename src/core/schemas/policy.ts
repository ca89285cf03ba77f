import type { DataMap } from '../data.ts'
import { plainName } from './parts.ts'

const type: DataMap = {
  type: 'string',
  pattern: '^(\\*|[A-Za-z0-9]+(::[A-Za-z0-9_@-]+){0,3}(::\\*)?)$',
  maxLength: 200,
  'x-protium-expected': 'A type of resource, AWS::RDS::DBInstance, or a family of them, AWS::RDS::*.',
}

const types = (description: string): DataMap => ({
  ...type,
  type: ['string', 'array'],
  description,
  minItems: 1,
  maxItems: 200,
  items: type,
})

const pattern: DataMap = {
  type: 'string',
  minLength: 1,
  maxLength: 200,
  'x-protium-expected': 'A regular expression without look-around and back-references, of at most 200 characters.',
}

const values = (description: string): DataMap => ({
  type: 'array',
  description,
  minItems: 1,
  maxItems: 200,
  items: { type: ['string', 'number', 'boolean'] },
})

const ruleName: DataMap = {
  type: 'string',
  pattern: '^[a-z][a-z0-9]*(-[a-z0-9]+)*(/[A-Za-z0-9_]+)?$',
  maxLength: 100,
  'x-protium-expected': 'Small letters, digits and "-", such as cost-tags; or cfn-lint/W3005.',
}

/** What a rule says of itself, and what it demands: one of `tags`, `allow`, `deny`, `property` and `ids`. */
const rule: DataMap = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: {
    name: {
      ...ruleName,
      description:
        'The name of the rule, by which waivers call it. That of a built-in rule, policy-open-ingress, or of a rule of a check, cfn-lint/W3005, sets how grave it is.',
    },
    text: {
      type: 'string',
      description: 'What people read where the rule is broken: why there is such a rule, and whom to ask.',
      minLength: 1,
      maxLength: 500,
    },
    severity: {
      enum: ['error', 'warning', 'none'],
      description:
        'error, if nothing is said: what breaks it is neither planned nor deployed without a waiver. none: it is not looked at.',
    },
    stages: {
      type: 'array',
      description: 'The stages that it is for; all of them if nothing is said.',
      minItems: 1,
      items: plainName,
    },
    resources: types('The types of resources that it is for; all of them if nothing is said.'),
    tags: {
      type: ['array', 'object'],
      description: 'Tags that each resource has: their keys, or a pattern for the value of each key.',
      minItems: 1,
      minProperties: 1,
      maxItems: 50,
      maxProperties: 50,
      items: { type: 'string', minLength: 1, maxLength: 128 },
      additionalProperties: pattern,
    },
    allow: types('The only types of resources that a template may have.'),
    deny: types('Types of resources that no template may have.'),
    property: {
      type: 'string',
      description: 'A property of the resources, Runtime or ContainerDefinitions.*.Memory; `*` is each of a list.',
      pattern: '^[A-Za-z0-9_-]+(\\.([A-Za-z0-9_:/-]+|\\*))*$',
      maxLength: 300,
      'x-protium-expected': 'The path of a property, such as DBInstanceClass or ContainerDefinitions.*.Memory.',
    },
    is_set: { type: 'boolean', description: 'Whether the property has to be there; false: it may not be.' },
    one_of: values('The only values that the property may have.'),
    none_of: values('Values that the property may not have.'),
    at_least: { type: 'number', description: 'The least number that the property may be.' },
    at_most: { type: 'number', description: 'The greatest number that the property may be.' },
    matches: { ...pattern, description: 'A regular expression that the property matches; it may match a part of it.' },
    ids: { ...pattern, description: 'A regular expression that the logical ids of the resources match.' },
  },
}

const checks = (description: string): DataMap => ({
  type: 'array',
  description,
  maxItems: 2,
  uniqueItems: true,
  items: { enum: ['cfn-lint', 'cfn-guard'] },
})

/** `policy:` in `catalog.yaml`. */
export const policySchema: DataMap = {
  type: 'object',
  description: 'Rules that what is rendered has to keep. What they let pass for a while stands in `waivers/`.',
  additionalProperties: false,
  properties: {
    rules: { type: 'array', description: 'Rules, and how grave the built-in ones are.', maxItems: 500, items: rule },
    checks: checks(
      'Programs that judge what is rendered, in `validate`, where they are installed; cfn-guard by the files policy/*.guard.',
    ),
    require: checks('Those of the checks without which `validate` does not pass: they have to be installed.'),
  },
}

/** `waivers/<name>.yaml`. */
export const waiverSchema: DataMap = {
  title: 'Protium waiver',
  type: 'object',
  additionalProperties: false,
  required: ['rule', 'owner', 'reason', 'expires'],
  properties: {
    rule: { ...ruleName, description: 'The rule that is waived: policy-open-ingress, cost-tags, cfn-lint/W3005.' },
    unit: {
      type: 'string',
      description: 'The unit that it is for: checkout/dev, environment/prod. One of `unit`, `service` and `template`.',
      pattern: '^[a-z][a-z0-9-]*/[a-z][a-z0-9-]*(/component)?$',
      maxLength: 200,
      'x-protium-expected': 'A unit such as checkout/dev or environment/prod.',
    },
    service: { ...plainName, description: 'The service that it is for, in all of its stages.' },
    template: {
      type: 'string',
      description: 'The template that it is for, whoever uses it.',
      pattern: '^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$',
      'x-protium-expected': 'The name of a template, such as fargate-service.',
    },
    resource: {
      type: 'string',
      description: 'The logical id of the one resource that it is for; all of them if nothing is said.',
      pattern: '^[A-Za-z0-9]+$',
      maxLength: 255,
      'x-protium-expected': 'The logical id of a resource, such as OrdersTable.',
    },
    owner: {
      type: 'string',
      description: 'Who answers for it, and ends it: a team or a person.',
      minLength: 1,
      maxLength: 100,
    },
    reason: { type: 'string', description: 'Why the rule is not kept here.', minLength: 10, maxLength: 500 },
    expires: {
      type: 'string',
      description: 'The day on which it no longer counts. Fourteen days before, it is announced.',
      pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
      'x-protium-expected': 'A date such as 2026-12-31.',
    },
    zone: {
      type: 'string',
      description: 'The time zone that the day is one of, Europe/Berlin; UTC if nothing is said.',
      maxLength: 60,
      'x-protium-expected': 'A time zone such as Europe/Berlin.',
    },
  },
}
