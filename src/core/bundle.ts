import { readPart } from './bundle/manifest.ts'
import type { Bundle, Kind, Part } from './bundle/model.ts'
import { complain, has, inRoot, open, type Reader } from './bundle/reader.ts'
import { readRegistration } from './bundle/registration.ts'
import type { Checked, Problem } from './problem.ts'
import { type BundleSchema, readSchema } from './schema.ts'
import { isOfSkeleton, readSkeleton } from './skeleton/read.ts'
import type { FileTree } from './tree.ts'

export type { Bundle, Kind, Part } from './bundle/model.ts'

/**
 * Reads one bundle in the layout of AWS Proton. Its kind follows from its files: `infrastructure/` is an environment,
 * `instance_infrastructure/` a service, a manifest at the root a component, a schema of an environment alone an environment
 * that the customer manages. Forms that Proton's users wrote and Proton took are read with a warning.
 * https://docs.aws.amazon.com/proton/latest/userguide/ag-template-authoring.html
 */
export function readBundle(
  files: FileTree,
  options: { readonly template: string; readonly version: string; readonly root: string },
): Checked<Bundle> {
  const reader: Reader = { files, root: options.root, problems: [] }
  const schema = readBundleSchema(reader)
  const kind = kindOf(reader, schema)
  if (kind === undefined) return { ok: false, problems: reader.problems }
  if (kind === 'component') {
    if (schema !== undefined)
      complain(reader, 'bundle-layout', {
        file: schema.file,
        message: 'A component has no schema.',
        expected: 'A manifest and one file.',
        remedy: 'Remove the schema.',
      })
  } else {
    checkInputTypes(reader, kind, schema)
  }
  const parts: Part[] = []
  for (const name of partsOf[kind]) {
    const part = readPart(reader, name)
    if (part !== undefined) parts.push(part)
  }
  if (kind === 'service') checkPipeline(reader, schema)
  const registration = readRegistration(reader)
  reader.problems.push(...readSkeleton(files, { root: options.root, kind }).problems)
  reader.problems.push(...quotaProblems(reader, options.template))
  if (reader.problems.some((problem) => problem.severity === 'error')) return { ok: false, problems: reader.problems }
  return {
    ok: true,
    value: {
      template: options.template,
      kind,
      version: options.version,
      root: options.root,
      files,
      schema: schema ?? { file: '' },
      parts,
      ...registration,
    },
    problems: reader.problems,
  }
}

/** A bundle that somebody gives by its folder, without a catalog around it. Its version is 0.0.0 unless it is said. */
export function readBundleFolder(
  files: FileTree,
  options: { readonly template: string; readonly version?: string; readonly root?: string },
): Checked<Bundle> {
  return readBundle(files, {
    template: options.template,
    version: options.version ?? '0.0.0',
    root: options.root ?? '',
  })
}

const partsOf: Readonly<Record<Kind, readonly Part['name'][]>> = {
  environment: ['infrastructure'],
  service: ['instance_infrastructure', 'pipeline_infrastructure'],
  component: ['component'],
}

function readBundleSchema(reader: Reader): BundleSchema | undefined {
  const document = open(reader, 'schema/schema.yaml', 'schema/schema.yml')
  if (document === undefined) return undefined
  const schema = readSchema(document)
  reader.problems.push(...schema.problems)
  return schema.ok ? schema.value : undefined
}

function hasSchema(reader: Reader): boolean {
  return reader.files.has('schema/schema.yaml') || reader.files.has('schema/schema.yml')
}

function kindOf(reader: Reader, schema: BundleSchema | undefined): Kind | undefined {
  const [environment, service] = [has(reader, 'infrastructure'), has(reader, 'instance_infrastructure')]
  if (environment && service) {
    complain(reader, 'bundle-layout', {
      message: 'The bundle has both `infrastructure/` and `instance_infrastructure/`.',
      expected:
        '`infrastructure/` for an environment; `instance_infrastructure/` and `pipeline_infrastructure/` for a service.',
      remedy: 'Remove the one that does not belong here.',
    })
    return undefined
  }
  if (environment) return 'environment'
  if (service) return 'service'
  if (reader.files.has('manifest.yaml') || reader.files.has('manifest.yml')) return 'component'
  if (schema?.environment !== undefined) return 'environment'
  if (hasSchema(reader) && schema === undefined) return undefined
  complain(reader, 'bundle-layout', {
    message: has(reader, 'pipeline_infrastructure')
      ? 'The bundle has `pipeline_infrastructure/`, but no `instance_infrastructure/`.'
      : 'The folder holds no template bundle.',
    expected:
      '`schema/schema.yaml` with `infrastructure/` or `instance_infrastructure/`; for a component, `manifest.yaml`.',
    remedy: "Lay the files out as AWS Proton's template bundles are.",
  })
  return undefined
}

function checkInputTypes(reader: Reader, kind: 'environment' | 'service', schema: BundleSchema | undefined): void {
  if (schema === undefined) {
    if (hasSchema(reader)) return
    complain(reader, 'missing-file', {
      file: 'schema/schema.yaml',
      message: 'The bundle has no `schema/schema.yaml`.',
      expected: `A schema with \`${kind}_input_type\`.`,
      remedy: 'Add the file. A template without inputs has an empty type.',
    })
  } else if (schema[kind] === undefined) {
    complain(reader, 'schema-invalid', {
      at: { file: schema.file, line: 1, column: 1 },
      message: `The bundle is of kind ${kind}, and its schema has no \`${kind}_input_type\`.`,
      expected: `\`${kind}_input_type:\` with the name of a type.`,
      remedy: 'Add the line.',
    })
  }
}

function checkPipeline(reader: Reader, schema: BundleSchema | undefined): void {
  const hasPipeline = has(reader, 'pipeline_infrastructure')
  if (schema === undefined) return
  if (hasPipeline && schema.pipeline === undefined) {
    complain(reader, 'schema-invalid', {
      at: { file: schema.file, line: 1, column: 1 },
      message: 'The bundle has a pipeline, and its schema has no `pipeline_input_type`.',
      expected: '`pipeline_input_type:` with the name of a type; it may be empty.',
      remedy: 'Add the line.',
    })
  }
  if (!hasPipeline && schema.pipeline !== undefined) {
    complain(reader, 'schema-invalid', {
      at: { file: schema.file, line: 1, column: 1 },
      severity: 'warning',
      message: 'The schema has inputs of a pipeline, and the bundle has no `pipeline_infrastructure/`.',
      remedy: 'Remove `pipeline_input_type:`, or add the pipeline.',
    })
  }
}

/** Proton's quotas are no limits of ours; they are told to those who may still go back. */
function quotaProblems(reader: Reader, template: string): Problem[] {
  const found: Problem[] = []
  const warn = (file: string, what: string, limit: string): void => {
    found.push({
      code: 'proton-quota',
      severity: 'warning',
      message: `${what} is beyond a quota of AWS Proton (${limit}).`,
      remedy: 'Nothing has to be done: Protium has no such limit.',
      at: { file: inRoot(reader, file), line: 1, column: 1 },
    })
  }
  let total = 0
  let templates = 0
  for (const [path, text] of reader.files) {
    if (isOfSkeleton(path)) continue
    total += text.length
    const isManifest = /(?:^|\/)manifest\.ya?ml$/.test(path)
    const isSchema = path.startsWith('schema/')
    if (/_?infrastructure\//.test(path) && !isManifest) templates += 1
    if ((isManifest || isSchema) && text.length > 50 * 1024)
      warn(path, `The file has ${Math.ceil(text.length / 1024)} KiB and`, '50 KB')
    else if (text.length > 200 * 1024) warn(path, `The file has ${Math.ceil(text.length / 1024)} KiB and`, '200 KB')
  }
  if (total > 5 * 1024 * 1024) warn('', 'The size of the bundle', '5 MB')
  if (templates > 10) warn('', `The number of template files, ${templates},`, '10')
  if (template.length > 100) warn('', 'The name of the template', '100 characters')
  return found
}
