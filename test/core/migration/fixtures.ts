import { type Bundle, readBundle } from '../../../src/core/bundle.ts'
import { type Consumer, migrate, type Migrated, type Migration, readMigrations } from '../../../src/core/migration.ts'
import { consumerOf } from '../../../src/core/migration.ts'

/** A bundle of a service with these properties, written as lines of a schema. */
export function bundle(version: string, properties: string, required: readonly string[] = []): Bundle {
  const schema = `schema:
  format: { openapi: "3.0.0" }
  service_input_type: Inputs
  pipeline_input_type: Inputs
  types:
    Inputs:
      type: object
      required: [${required.join(', ')}]
      properties:
${properties
  .split('\n')
  .map((line) => `        ${line}`)
  .join('\n')}
`
  const manifest =
    'infrastructure:\n  templates:\n    - { file: a.yaml, rendering_engine: jinja, template_language: cloudformation }\n'
  const files = new Map([
    ['instance_infrastructure/a.yaml', 'Resources: {}\n'],
    ['instance_infrastructure/manifest.yaml', manifest],
    ['pipeline_infrastructure/a.yaml', 'Resources: {}\n'],
    ['pipeline_infrastructure/manifest.yaml', manifest],
    ['schema/schema.yaml', required.length === 0 ? schema.replace('      required: []\n', '') : schema],
  ])
  const read = readBundle(files, { template: 'web', version, root: `templates/web/v${version.split('.')[0] ?? ''}` })
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  return read.value
}

export function migrationsOf(files: Readonly<Record<string, string>>): readonly Migration[] {
  const entries = Object.entries(files).map(([version, text]) => [`migrations/${version}.yaml`, text] as const)
  const read = readMigrations(new Map(entries), 'templates/web')
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  return read.value
}

export function consumer(text: string): Consumer {
  const read = consumerOf('service.yaml', text)
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  return read.value
}

/** What becomes of a service file by steps to 2.0.0, whose schema takes anything. */
export function stepped(text: string, steps: string): Migrated {
  const open = bundle('1.0.0', 'x: { type: string }').schema
  const before = { ...bundle('1.0.0', 'x: { type: string }'), schema: { file: open.file } }
  return migrate({
    consumer: consumer(text),
    from: '1.0.0',
    to: '2.0.0',
    migrations: migrationsOf({ '2.0.0': steps }),
    before,
    after: { ...before, version: '2.0.0' },
  })
}
