import type { DataMap } from '../data.ts'
import { exactVersion } from './parts.ts'

const path: DataMap = {
  type: 'string',
  pattern: '^[A-Za-z_][A-Za-z0-9_-]*(\\.[A-Za-z_][A-Za-z0-9_-]*)*$',
  maxLength: 500,
  description: 'An input, and the keys inside of it: `scaling.min`.',
  'x-protium-expected': 'An input, or a key inside of one, such as scaling.min.',
}

const why: DataMap = { type: 'string', maxLength: 1000, description: 'Why, for those who see the change.' }

const expression: DataMap = {
  type: 'string',
  minLength: 1,
  maxLength: 1000,
  'x-protium-expected': 'An expression of the template language, such as scaling.min * 2.',
}

function step(required: readonly string[], properties: DataMap): DataMap {
  return { type: 'object', additionalProperties: false, required, properties: { ...properties, why } }
}

const steps: DataMap = {
  type: 'array',
  maxItems: 200,
  items: {
    type: 'object',
    additionalProperties: false,
    minProperties: 1,
    maxProperties: 1,
    properties: {
      rename: { ...step(['from', 'to'], { from: path, to: path }), description: 'A value gets another name.' },
      map: {
        ...step(['path', 'values'], {
          path,
          to: { ...path, description: 'Another input that gets the new value.' },
          values: { type: 'object', minProperties: 1, maxProperties: 500, description: 'New values by the old ones.' },
          else: { enum: ['ask', 'block', 'keep', 'remove'], description: 'What is done with any other value; ask.' },
        }),
        description: 'Values become others.',
      },
      convert: {
        ...step(['path', 'as'], { path, as: { enum: ['string', 'integer', 'number', 'boolean', 'list'] } }),
        description: 'A value gets another type; one that has no meaning in it is asked for.',
      },
      default: {
        ...step(['path', 'value'], { path, value: {} }),
        description: 'A value is written out where none is given.',
      },
      compute: {
        ...step(['path', 'expr'], { path, expr: expression }),
        description: 'A value is worked out from others where none is given.',
      },
      remove: {
        ...step(['path'], {
          path,
          when: { ...expression, description: 'Only then; `value` is the value.' },
          else: { enum: ['ask', 'block', 'keep'], description: 'What is done otherwise; block.' },
        }),
        description: 'A value is taken out.',
      },
      ask: {
        ...step(['path', 'type'], {
          path,
          type: { enum: ['string', 'integer', 'number', 'boolean', 'enum', 'list', 'map'] },
          options: { type: 'array', minItems: 1, maxItems: 100, description: 'The answers there are.' },
          suggest: { description: 'The likely answer.' },
        }),
        description: 'Somebody has to say a value where none is given.',
      },
    },
  },
}

/** `templates/<name>/migrations/<x.y.z>.yaml`. */
export const migrationSchema: DataMap = {
  title: 'Protium migration',
  type: 'object',
  additionalProperties: false,
  properties: {
    to: { ...exactVersion, description: 'The version that it leads to, as the name of the file says.' },
    inputs: { ...steps, description: 'What is done with inputs, in this order: of an environment, or of instances.' },
    pipeline: { ...steps, description: "The same for the inputs of a service's pipeline." },
    resources: {
      type: 'array',
      maxItems: 500,
      description: 'Resources that have another logical id in the new version, and are the same.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['keep_id'],
        properties: {
          keep_id: step(['from', 'to'], {
            from: {
              type: 'string',
              pattern: '^[A-Za-z0-9]+$',
              maxLength: 255,
              description: 'The id that stacks have.',
            },
            to: { type: 'string', pattern: '^[A-Za-z0-9]+$', maxLength: 255, description: 'The id in the template.' },
          }),
        },
      },
    },
    notes: { type: 'string', maxLength: 4000, description: 'One paragraph for those who are to take the version.' },
    examples: {
      type: 'array',
      maxItems: 100,
      description: 'Inputs, and what becomes of them. They are tried by `protium test` and by `protium validate`.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['before'],
        properties: {
          name: { type: 'string', maxLength: 200 },
          of: { enum: ['inputs', 'pipeline'], description: 'Whose steps are tried; inputs.' },
          before: { type: ['object', 'null'], description: 'Inputs as a file has them.' },
          after: { type: ['object', 'null'], description: 'What they become, without what is asked for.' },
          ask: { type: 'array', items: path, description: 'What is asked for.' },
          block: { type: 'array', items: path, description: 'What keeps the file from being changed.' },
        },
      },
    },
  },
}
