import type { Template } from './template.ts'
import type { FileTree } from './tree.ts'
import { type Data, type DataMap, Float, isList, isMap, mapOf } from './data.ts'
import { isProposed, releaseStatus } from './release/status.ts'
import type { InputSchema } from './schema.ts'
import { catalogSchema } from './schemas/catalog.ts'
import { environmentSchema } from './schemas/environment.ts'
import { migrationSchema } from './schemas/migration.ts'
import { waiverSchema } from './schemas/policy.ts'
import { serviceSchema } from './schemas/service.ts'
import { skeletonSchema } from './schemas/skeleton.ts'
import { templateSchema } from './schemas/template.ts'

/**
 * JSON Schemas (draft-07, which every editor reads) for the files that people write, by the names of their own files. Those
 * of services and environments know the templates: they offer their names and versions, and under `inputs` what the chosen
 * version takes. A schema promises no more than an editor can see: whether a required input is given is decided by all
 * stages together, so it is left to `protium validate`.
 */
export function editorSchemas(templates: Iterable<Template>): FileTree {
  const all = [...templates]
  const schemas: readonly (readonly [string, DataMap])[] = [
    ['catalog.schema.json', whole(catalogSchema)],
    ['environment.schema.json', withTemplates(environmentSchema, all, 'environment')],
    ['migration.schema.json', whole(migrationSchema)],
    ['service.schema.json', withTemplates(serviceSchema, all, 'service')],
    ['skeleton.schema.json', whole(skeletonSchema)],
    ['template.schema.json', whole(templateSchema)],
    ['waiver.schema.json', whole(waiverSchema)],
  ]
  return new Map(schemas.map(([name, schema]) => [name, `${JSON.stringify(schema, inJson, 2)}\n`]))
}

/** In the order in which they are written, unlike canonical JSON: editors offer keys in this order. */
function inJson(_key: string, value: unknown): unknown {
  if (value instanceof Float) return value.value
  return typeof value === 'bigint' ? Number(value) : value
}

function withTemplates(schema: DataMap, templates: readonly Template[], kind: 'environment' | 'service'): DataMap {
  const references: string[] = []
  const definitions: [string, DataMap][] = []
  const choices: DataMap[] = []
  for (const template of templates) {
    if (template.kind !== kind) continue
    for (const [major, bundle] of template.bundles) {
      if (isProposed(releaseStatus(template, bundle.version))) references.push(`${template.name}@${bundle.version}`)
      const inputs = bundle.schema[kind]
      if (inputs === undefined) continue
      const name = `${template.name}-${major}`
      definitions.push([name, inputsSchema(inputs)])
      const pipeline = kind === 'service' ? bundle.schema.pipeline : undefined
      if (pipeline !== undefined) definitions.push([`${name}-pipeline`, inputsSchema(pipeline)])
      const chosen = { type: 'string', pattern: `^${template.name}@${major}\\.` }
      choices.push(
        mapOf([
          ['if', { required: ['template'], properties: { template: chosen } }],
          ['then', { properties: places(kind, name, pipeline !== undefined) }],
        ]),
      )
    }
  }
  const properties = isMap(schema['properties']) ? schema['properties'] : mapOf()
  const template = isMap(properties['template']) ? properties['template'] : mapOf()
  // Older versions are good too, so those of the checkout are examples to choose from, and no closed list.
  const offered = { ...properties, template: { ...template, examples: references } }
  return whole({
    ...schema,
    properties: offered,
    ...(choices.length === 0 ? {} : { allOf: choices, definitions: mapOf(definitions) }),
  })
}

/** Where the inputs of a template stand in a file. */
function places(kind: 'environment' | 'service', name: string, hasPipeline: boolean): DataMap {
  const inputs = { $ref: `#/definitions/${name}` }
  if (kind === 'environment') return { inputs }
  return {
    inputs,
    stages: { additionalProperties: { properties: { inputs } } },
    ...(hasPipeline ? { pipeline: { properties: { inputs: { $ref: `#/definitions/${name}-pipeline` } } } } : {}),
  }
}

function inputsSchema({ json }: InputSchema): DataMap {
  return mapOf([
    ...Object.entries(json).filter(([key]) => key !== 'required' && key !== 'type'),
    ['type', ['object', 'null']],
  ])
}

function whole(schema: DataMap): DataMap {
  const plain = forEditors(schema)
  return mapOf([['$schema', 'http://json-schema.org/draft-07/schema#'], ...(isMap(plain) ? Object.entries(plain) : [])])
}

/** Our own words in those that editors know: what a pattern wants is shown when it is not met. */
function forEditors(value: Data): Data {
  if (isList(value)) return value.map(forEditors)
  if (!isMap(value)) return value
  return mapOf(
    Object.entries(value).flatMap(([key, inner]): [string, Data][] => {
      if (key === 'x-protium-expected') return 'pattern' in value ? [['patternErrorMessage', inner]] : []
      return key.startsWith('x-') ? [] : [[key, forEditors(inner)]]
    }),
  )
}
