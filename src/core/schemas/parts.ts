import type { DataMap } from '../data.ts'

// What the schemas of our own files have in common. `x-protium-expected` is what a message says was expected.

export const exactVersionPattern = '^(0|[1-9][0-9]{0,8})\\.(0|[1-9][0-9]{0,8})\\.(0|[1-9][0-9]{0,8})$'

export const exactVersion: DataMap = {
  type: 'string',
  pattern: exactVersionPattern,
  'x-protium-expected': 'An exact version such as 1.4.2.',
}

export const templateReference: DataMap = {
  type: 'string',
  description: 'A template of the catalog and an exact version of it, `fargate-service@2.3.0`.',
  pattern: '^[0-9A-Za-z][0-9A-Za-z_-]{0,99}@(0|[1-9][0-9]{0,8})\\.(0|[1-9][0-9]{0,8})\\.(0|[1-9][0-9]{0,8})$',
  'x-protium-expected': 'A template and an exact version, such as fargate-service@2.3.0.',
}

/** A name that is part of a host and of a stack's name: a DNS label (RFC 1123) that begins with a letter. */
export const plainName: DataMap = {
  type: 'string',
  pattern: '^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$',
  'x-protium-expected': 'Small letters, digits and "-", a letter first, at most 63.',
}

export const duration: DataMap = {
  type: 'string',
  pattern: '^[1-9][0-9]{0,6}(s|m|h|d)$',
  'x-protium-expected': 'A duration such as 90s, 30m, 72h or 7d.',
}

/** CloudFormation's rule for the names of stacks (CreateStack, `StackName`). */
export const stackName: DataMap = {
  type: 'string',
  pattern: '^[a-zA-Z][-a-zA-Z0-9]*$',
  maxLength: 128,
  'x-protium-expected': 'The name of a stack: letters, digits and "-", a letter first, at most 128.',
}

/** Inputs are checked against the template's own schema. */
export const inputs: DataMap = {
  type: ['object', 'null'],
  description: "Values for the template's inputs. What is left out has the template's default.",
}

/** Logical ids of CloudFormation: letters and digits. */
export const acknowledge: DataMap = {
  type: 'array',
  description:
    'Resources that hold data and may be replaced or deleted all the same, by their logical ids. Remove a line once that is done.',
  maxItems: 500,
  items: {
    type: 'string',
    pattern: '^[A-Za-z0-9]+$',
    maxLength: 255,
    'x-protium-expected': 'The logical id of a resource, such as OrdersTable.',
  },
}

/** Logical ids that a migration keeps. */
export const keep: DataMap = {
  type: 'object',
  description:
    'Logical ids of the template that the live stacks have by another name: `ApiService: Service`. An upgrade writes it, so that nothing is replaced.',
  maxProperties: 500,
  propertyNames: {
    pattern: '^[A-Za-z0-9]{1,255}$',
    'x-protium-expected': 'The logical id of a resource in the template.',
  },
  additionalProperties: {
    type: 'string',
    pattern: '^[A-Za-z0-9]+$',
    maxLength: 255,
    'x-protium-expected': 'The logical id that the live stacks have.',
  },
}
