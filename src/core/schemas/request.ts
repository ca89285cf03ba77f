import type { DataMap } from '../data.ts'
import { acknowledge, plainName, stackName, templateReference } from './parts.ts'

const digest: DataMap = { type: 'string', pattern: '^sha256:[0-9a-f]{64}$' }
const text = (maxLength: number): DataMap => ({ type: 'string', maxLength })
const count: DataMap = { type: 'integer', minimum: 0, maximum: 1_000_000_000 }

const place: DataMap = {
  type: 'object',
  required: ['file', 'line', 'column'],
  properties: { file: text(5000), line: count, column: count },
}

const problem: DataMap = {
  type: 'object',
  required: ['code', 'severity', 'message', 'remedy'],
  properties: {
    code: text(100),
    severity: { enum: ['error', 'warning'] },
    message: text(100_000),
    expected: text(100_000),
    remedy: text(100_000),
    at: {
      type: 'object',
      required: ['file', 'line', 'column'],
      properties: { file: text(5000), line: count, column: count },
    },
  },
}

const fact: DataMap = {
  type: 'object',
  additionalProperties: false,
  required: ['rule', 'resource', 'severity', 'message'],
  properties: {
    rule: text(200),
    resource: text(255),
    severity: { enum: ['error', 'warning'] },
    message: text(100_000),
    text: text(500),
    at: place,
    waiver: {
      type: 'object',
      additionalProperties: false,
      required: ['name', 'owner', 'reason', 'until', 'expired'],
      properties: {
        name: text(300),
        owner: text(100),
        reason: text(500),
        until: text(100),
        expired: { type: 'boolean' },
      },
    },
  },
}

const unit: DataMap = {
  type: 'object',
  additionalProperties: false,
  required: ['kind', 'environment', 'stack', 'hosts', 'template', 'rendered', 'body', 'given'],
  properties: {
    kind: { enum: ['environment', 'instance', 'pipeline', 'component'] },
    service: plainName,
    stage: plainName,
    environment: plainName,
    stack: {
      type: 'object',
      additionalProperties: false,
      required: ['name', 'account', 'region'],
      properties: {
        name: stackName,
        account: { type: 'string', pattern: '^[0-9]{12}$' },
        region: { type: 'string', pattern: '^[a-z]{2}(-[a-z]+)+-[0-9]$' },
      },
    },
    hosts: { type: 'array', maxItems: 100, items: text(253) },
    template: templateReference,
    rendered: digest,
    // As much as CloudFormation takes.
    body: text(1_048_576),
    parameters: { type: 'object', maxProperties: 200, additionalProperties: text(4096) },
    acknowledged: acknowledge,
    policy: { type: 'array', maxItems: 200, items: fact },
    given: { type: 'object', maxProperties: 1000, additionalProperties: text(100_000) },
  },
}

/** What the job that reads a pull request hands on: `request.ts`. */
export const requestSchema: DataMap = {
  title: 'Protium plan request',
  type: 'object',
  additionalProperties: false,
  required: ['format', 'stages', 'problems', 'units', 'left'],
  properties: {
    format: { const: 1, 'x-protium-expected': 'Format 1; a newer one is of a newer version of Protium.' },
    commit: { type: 'string', pattern: '^[0-9a-f]{40,64}$' },
    head: { type: 'string', pattern: '^[0-9a-f]{40,64}$' },
    plans_only: { const: true },
    stages: {
      type: 'array',
      maxItems: 100,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'environment'],
        properties: {
          name: plainName,
          environment: plainName,
          soak: count,
          approval: {
            type: 'object',
            required: ['by'],
            properties: { by: { type: 'array', maxItems: 100, items: text(200) } },
          },
        },
      },
    },
    problems: { type: 'array', maxItems: 1000, items: problem },
    units: { type: 'array', maxItems: 10_000, items: unit },
    left: { type: 'array', maxItems: 1000, items: text(200) },
  },
}
