import type { FileTree } from '../../src/core/tree.ts'
import type { Problem } from '../../src/core/problem.ts'

/** A tree of the given files; `undefined` leaves a file of an earlier tree out. */
export function treeOf(...files: readonly Readonly<Record<string, string | undefined>>[]): FileTree {
  const tree = new Map<string, string>()
  for (const [path, text] of files.flatMap((each) => Object.entries(each))) {
    if (text === undefined) tree.delete(path)
    else tree.set(path, text)
  }
  return new Map([...tree].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Lines with the indentation of the first taken away, as they are written in a test. */
export function lines(text: string): string {
  const all = text.replace(/^\n/, '').trimEnd().split('\n')
  const indent = /^ */.exec(all[0] ?? '')?.[0].length ?? 0
  return `${all.map((line) => line.slice(Math.min(indent, /^ */.exec(line)?.[0].length ?? 0))).join('\n')}\n`
}

/** Problems in short: `code file:line`. */
export function brief(problems: readonly Problem[]): string[] {
  return problems.map(({ code, at }) => `${code} ${at?.file ?? '-'}:${at?.line ?? 0}`)
}

export const manifest = lines(`
  infrastructure:
    templates:
      - file: cloudformation.yaml
        rendering_engine: jinja
        template_language: cloudformation
`)

/** A schema file with the given types, each a text of properties in flow style. */
export function schemaFile(kind: 'environment' | 'service', properties: string, more = ''): string {
  return `schema:\n  format: { openapi: "3.0.0" }\n  ${kind}_input_type: Input\n${more === '' ? '' : `  ${more}\n`}  types:\n    Input:\n      type: object\n${properties
    .trimEnd()
    .split('\n')
    .map((line) => `      ${line}`)
    .join('\n')}\n`
}

/** A small organisation: two stages, one environment template, one service template, one service. */
export const organisationFiles: Readonly<Record<string, string>> = {
  'catalog.yaml': lines(`
    catalog: acme
    domain: example.com
    stages:
      dev: { host: "{service}.dev.{domain}", environment: dev }
      prod: { host: "{service}.{domain}", environment: prod, production: true }
    previews: { host: "{service}-pr-{number}.preview.{domain}", stage: dev }
  `),
  'environments/dev.yaml': lines(`
    environment: dev
    template: net@1.0.0
    account: "111111111111"
    region: ap-northeast-2
  `),
  'environments/prod.yaml': lines(`
    environment: prod
    template: net@1.0.0
    account: "222222222222"
    region: ap-northeast-2
    inputs: { cidr: 10.1.0.0/16 }
  `),
  'templates/net/v1/schema/schema.yaml': schemaFile(
    'environment',
    'properties:\n  cidr: { type: string, default: 10.0.0.0/16 }',
  ),
  'templates/net/v1/infrastructure/manifest.yaml': manifest,
  'templates/net/v1/infrastructure/cloudformation.yaml': 'Resources: {}\n',
  'templates/web/template.yaml': 'kind: service\nversions: { v1: 1.4.2 }\n',
  'templates/web/v1/.compatible-envs': 'net:1',
  'templates/web/v1/schema/schema.yaml': schemaFile(
    'service',
    lines(`
      properties:
        port: { type: integer, default: 80, minimum: 1, maximum: 65535 }
        image: { type: string, default: "public.example.com/placeholder:1" }
        env: { type: object, additionalProperties: { type: string }, default: {} }
        size: { type: string, enum: [small, large] }
    `),
    'pipeline_input_type: Pipe',
  ).replace(
    '  types:\n',
    '  types:\n    Pipe: { type: object, properties: { dockerfile: { type: string, default: Dockerfile } } }\n',
  ),
  'templates/web/v1/instance_infrastructure/manifest.yaml': manifest,
  'templates/web/v1/instance_infrastructure/cloudformation.yaml': 'Resources: {}\n',
  'templates/web/v1/pipeline_infrastructure/manifest.yaml': manifest,
  'templates/web/v1/pipeline_infrastructure/cloudformation.yaml': 'Resources: {}\n',
  'services/checkout/service.yaml': lines(`
    service: checkout
    template: web@1.4.2
    owner: storefront
    hosts:
      - checkout.dev.example.com
      - checkout.example.com
    inputs:
      port: 8080
    stages:
      prod:
        inputs: { size: large }
        because: more people
  `),
}
