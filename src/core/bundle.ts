import { type DataMap, isList, isMap, mapOf } from './data.ts'
import { didYouMean } from './nearest.ts'
import { resolveInside, subtree } from './paths.ts'
import type { Checked, Place, Problem } from './problem.ts'
import { type BundleSchema, readSchema } from './schema.ts'
import { templateSchema } from './schemas/template.ts'
import { checkShape, inWords, listIn, mapIn, textIn, textsIn } from './shape.ts'
import type { FileTree } from './tree.ts'
import { isTemplateName, parseVersion } from './version.ts'
import { type Document, readYaml } from './yaml.ts'

export type Kind = 'environment' | 'service' | 'component'

/** One manifest of a bundle: what is rendered or run together, and becomes one stack. */
export type Part = {
  readonly name: 'infrastructure' | 'instance_infrastructure' | 'pipeline_infrastructure' | 'component'
  readonly engine: 'jinja' | 'hcl' | 'codebuild'
  /** The folder that the manifest lies in, relative to the bundle; empty for a component. */
  readonly folder: string
  /** The manifest, relative to the bundle. */
  readonly manifest: string
  /** Relative to the bundle: the one CloudFormation file, or the one Terraform file; absent where all `.tf` files are meant. */
  readonly file?: string
  /** CodeBuild only. `input_type` is inside, wherever the manifest says it. */
  readonly settings?: DataMap
}

/** The files of one version of a template, read. */
export type Bundle = {
  readonly template: string
  readonly kind: Kind
  /** Exact, `1.4.2`. */
  readonly version: string
  /** Where the bundle lies, `templates/fargate-service/v1`; empty for one that lies alone. Places are below it. */
  readonly root: string
  /** Relative to the root. */
  readonly files: FileTree
  readonly schema: BundleSchema
  /**
   * In the order in which they are deployed. None: an environment that the customer manages, of which the bundle describes
   * the outputs alone; the values of its inputs are those outputs.
   */
  readonly parts: readonly Part[]
  /** For a service: the environment templates that it runs in; an empty list means any. */
  readonly compatible: readonly { readonly template: string; readonly major: number }[]
  /** For a service: `DIRECTLY_DEFINED` where instances take components. */
  readonly componentSources: readonly string[]
}

/** A named recipe: what `templates/<name>/` holds. The checkout offers one version a major. */
export type Template = {
  readonly name: string
  readonly kind: Kind
  readonly folder: string
  /** By major, lowest first. */
  readonly bundles: ReadonlyMap<number, Bundle>
  readonly description?: string
  readonly owners: readonly string[]
  /** Where people get help: a channel, a page, an address. */
  readonly support?: string
  readonly migrations: readonly DataMap[]
  /** What is new, by exact version. */
  readonly notes: ReadonlyMap<string, string>
}

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

/**
 * Reads `templates/<name>/`: our `template.yaml` if there is one, and every major (`v1`, or `1` as a part of Proton's users
 * wrote it). A folder that has only what Proton asks for is a template; its versions are `<major>.0.0`.
 */
export function readTemplate(
  files: FileTree,
  options: { readonly name: string; readonly folder: string },
): Checked<Template> {
  const { name, folder } = options
  const problems: Problem[] = []
  const at = (file: string): Place => ({ file: `${folder}/${file}`, line: 1, column: 1 })
  if (!isTemplateName(name)) {
    problems.push({
      code: 'template-name',
      severity: 'error',
      message: `"${name}" cannot be the name of a template.`,
      expected: 'Letters, digits, "-" and "_", at most 100, a letter or digit first.',
      remedy: 'Rename the folder.',
      at: at('template.yaml'),
    })
  }
  const { document, data } = readTemplateFile(files, folder, problems)
  const called = textIn(data, 'template')
  if (called !== undefined && called !== name && document !== undefined) {
    problems.push({
      code: 'template-name',
      severity: 'error',
      message: `The template is called "${called}", and its folder "${name}".`,
      expected: 'The same name.',
      remedy: 'Correct `template:`, or rename the folder.',
      at: document.place(['template']),
    })
  }
  const majors = majorsOf(files, folder, problems)
  if (majors.size === 0) {
    problems.push({
      code: 'bundle-layout',
      severity: 'error',
      message: `The template "${name}" has no version.`,
      expected: 'A folder `v1/` with `schema/schema.yaml` in it.',
      remedy: 'Add the folder, or remove the template.',
      at: at('template.yaml'),
    })
  }
  const versions = readVersions({ document, data, majors, problems })
  const bundles = new Map<number, Bundle>()
  for (const [major, directory] of [...majors].toSorted(([a], [b]) => a - b)) {
    const version = versions.get(major) ?? `${major}.0.0`
    const bundle = readBundle(subtree(files, directory), { template: name, version, root: `${folder}/${directory}` })
    problems.push(...bundle.problems)
    if (bundle.ok) bundles.set(major, bundle.value)
  }
  const kind = checkKinds({ name, document, data, bundles, problems })
  if (kind === undefined || problems.some((problem) => problem.severity === 'error')) return { ok: false, problems }
  const description = textIn(data, 'description')
  const support = textIn(data, 'support')
  return {
    ok: true,
    value: {
      name,
      kind,
      folder,
      bundles,
      ...(description === undefined ? {} : { description }),
      owners: textsIn(data, 'owners'),
      ...(support === undefined ? {} : { support }),
      migrations: (listIn(data, 'migrations') ?? []).filter(isMap),
      notes: textMap(mapIn(data, 'notes')),
    },
    problems,
  }
}

type Reader = { readonly files: FileTree; readonly root: string; readonly problems: Problem[] }

type Complaint = {
  /** Relative to the bundle, or a place. */
  readonly file?: string
  readonly at?: Place
  readonly message: string
  readonly expected?: string
  readonly remedy: string
  readonly severity?: 'warning'
}

const partsOf: Readonly<Record<Kind, readonly Part['name'][]>> = {
  environment: ['infrastructure'],
  service: ['instance_infrastructure', 'pipeline_infrastructure'],
  component: ['component'],
}

function complain(
  reader: Reader,
  code:
    | 'bundle-layout'
    | 'compatible-environments'
    | 'irregular-form'
    | 'manifest-invalid'
    | 'missing-file'
    | 'path-outside-bundle'
    | 'schema-invalid'
    | 'unknown-engine',
  complaint: Complaint,
): void {
  const { message, expected, remedy, severity } = complaint
  reader.problems.push({
    code,
    severity: severity ?? 'error',
    message,
    ...(expected === undefined ? {} : { expected }),
    remedy,
    at: complaint.at ?? { file: inRoot(reader, complaint.file ?? ''), line: 1, column: 1 },
  })
}

function inRoot(reader: Reader, file: string): string {
  return reader.root === '' ? file : file === '' ? reader.root : `${reader.root}/${file}`
}

/** A YAML file of the bundle by either ending; nothing when there is none or when it could not be read (which is then told). */
function open(reader: Reader, ...names: readonly string[]): Document | undefined {
  for (const name of names) {
    const text = reader.files.get(name)
    if (text === undefined) continue
    const document = readYaml(inRoot(reader, name), text, 'schema')
    reader.problems.push(...document.problems)
    return document.ok ? document.value : undefined
  }
  return undefined
}

function readBundleSchema(reader: Reader): BundleSchema | undefined {
  const document = open(reader, 'schema/schema.yaml', 'schema/schema.yml')
  if (document === undefined) return undefined
  const schema = readSchema(document)
  reader.problems.push(...schema.problems)
  return schema.ok ? schema.value : undefined
}

function has(reader: Reader, folder: string): boolean {
  for (const path of reader.files.keys()) if (path.startsWith(`${folder}/`)) return true
  return false
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

function readPart(reader: Reader, name: Part['name']): Part | undefined {
  const folder = name === 'component' ? '' : name
  const prefix = folder === '' ? '' : `${folder}/`
  if (folder !== '' && !has(reader, folder)) return undefined
  const manifest = reader.files.has(`${prefix}manifest.yaml`) ? `${prefix}manifest.yaml` : `${prefix}manifest.yml`
  if (!reader.files.has(manifest)) {
    complain(reader, 'missing-file', {
      file: `${prefix}manifest.yaml`,
      message: `\`${folder}/\` has no \`manifest.yaml\`.`,
      expected: 'A manifest that names the file and the engine.',
      remedy: 'Add the manifest.',
    })
    return undefined
  }
  const document = open(reader, manifest)
  if (document === undefined) return undefined
  const invalid = (path: readonly (string | number)[], message: string, expected: string): undefined => {
    complain(reader, 'manifest-invalid', {
      at: document.place(path),
      message,
      expected,
      remedy: 'Correct the manifest.',
    })
    return undefined
  }
  const entries = listIn(mapIn(isMap(document.data) ? document.data : undefined, 'infrastructure'), 'templates')
  if (entries === undefined || entries.length === 0) {
    return invalid(
      ['infrastructure', 'templates'],
      'The manifest has no list of templates.',
      '`infrastructure:` with `templates:` and one entry.',
    )
  }
  if (entries.length > 1) {
    return invalid(
      ['infrastructure', 'templates', 1],
      `The manifest has ${entries.length} templates.`,
      'Exactly one entry; Terraform takes `file: "*"` for all of its files.',
    )
  }
  const entry = entries[0]
  if (!isMap(entry))
    return invalid(['infrastructure', 'templates', 0], 'The entry is not a map.', 'A map with `rendering_engine:`.')
  return readEntry(reader, { document, entry, name, folder, manifest })
}

const engines: Readonly<Record<Part['engine'], string | undefined>> = {
  jinja: 'cloudformation',
  hcl: 'terraform',
  codebuild: undefined,
}
const engineNames: readonly Part['engine'][] = ['jinja', 'hcl', 'codebuild']
const entryKeys = ['file', 'rendering_engine', 'engine', 'template_language', 'settings', 'input_type']

function readEntry(
  reader: Reader,
  {
    document,
    entry,
    name,
    folder,
    manifest,
  }: {
    readonly document: Document
    readonly entry: DataMap
    readonly name: Part['name']
    readonly folder: string
    readonly manifest: string
  },
): Part | undefined {
  const path = ['infrastructure', 'templates', 0]
  for (const key of Object.keys(entry)) {
    if (entryKeys.includes(key)) continue
    complain(reader, 'manifest-invalid', {
      at: document.keyPlace([...path, key]),
      severity: 'warning',
      message: `The manifest's key "${key}" has no meaning and is passed over.${didYouMean(key, entryKeys)}`,
      expected: 'The keys file, rendering_engine, template_language and, for CodeBuild, settings.',
      remedy: 'Correct the key, or remove it.',
    })
  }
  const key = entry['rendering_engine'] === undefined && entry['engine'] !== undefined ? 'engine' : 'rendering_engine'
  const written = entry[key]
  const engine = engineNames.find((name) => name === written)
  if (key === 'engine')
    irregular(reader, document.keyPlace([...path, key]), '`engine:` is the old name of a key.', 'rendering_engine')
  if (engine === undefined) {
    const near = typeof written === 'string' ? didYouMean(written, engineNames) : ''
    complain(reader, 'unknown-engine', {
      at: document.place([...path, key]),
      message:
        written === undefined
          ? 'The manifest names no rendering engine.'
          : `The rendering engine ${inWords(written)} is not known.${near}`,
      expected: '`jinja` for CloudFormation, `hcl` for Terraform, or `codebuild`.',
      remedy: 'Correct `rendering_engine:`.',
    })
    return undefined
  }
  const language = entry['template_language']
  if (language !== undefined && engines[engine] !== undefined && language !== engines[engine]) {
    complain(reader, 'unknown-engine', {
      at: document.place([...path, 'template_language']),
      message: `The engine "${engine}" does not render ${inWords(language)}.`,
      expected: `\`template_language: ${engines[engine]}\`, or another engine.`,
      remedy: 'Make the two fit each other.',
    })
    return undefined
  }
  const base = { name, engine, folder, manifest }
  if (engine === 'codebuild') {
    const settings = mapIn(entry, 'settings')
    if (settings === undefined || !isList(settings['provision'])) {
      complain(reader, 'manifest-invalid', {
        at: document.place([...path, 'settings']),
        message: 'The manifest says no commands to provision with.',
        expected: '`settings:` with a list `provision:`.',
        remedy: 'Add the commands.',
      })
      return undefined
    }
    const inputType = settings['input_type'] ?? entry['input_type'] ?? 'JSON'
    return { ...base, settings: mapOf([...Object.entries(settings), ['input_type', inputType]]) }
  }
  const file = readFileName(reader, { document, path: [...path, 'file'], value: entry['file'], engine, folder })
  if (file === undefined) return undefined
  return file === '*' ? base : { ...base, file }
}

/** The file of an entry relative to the bundle, or `*`; nothing when there is none (which is then told). */
function readFileName(
  reader: Reader,
  {
    document,
    path,
    value,
    engine,
    folder,
  }: {
    readonly document: Document
    readonly path: readonly (string | number)[]
    readonly value: DataMap[string] | undefined
    readonly engine: 'jinja' | 'hcl'
    readonly folder: string
  },
): string | undefined {
  const at = document.place(path)
  const inFolder = [...reader.files.keys()]
    .filter((file) => folder === '' || file.startsWith(`${folder}/`))
    .map((file) => (folder === '' ? file : file.slice(folder.length + 1)))
  if (value === '*' && engine === 'hcl') {
    if (inFolder.some((file) => file.endsWith('.tf') && !file.includes('/'))) return '*'
    complain(reader, 'missing-file', {
      at,
      message: `\`${folder}/\` has no file that ends in \`.tf\`.`,
      expected: 'The Terraform files beside the manifest.',
      remedy: 'Add them.',
    })
    return undefined
  }
  if (typeof value !== 'string' || value.includes('*')) {
    complain(reader, 'manifest-invalid', {
      at,
      message: value === undefined ? 'The manifest names no file.' : `The manifest's file is ${inWords(value)}.`,
      expected:
        engine === 'hcl'
          ? '`file: "*"` for all Terraform files, or the name of one.'
          : 'The name of the CloudFormation file.',
      remedy: 'Correct `file:`.',
    })
    return undefined
  }
  const resolved = resolveInside(folder, value)
  if (!resolved.ok) {
    complain(reader, 'path-outside-bundle', {
      at,
      message: resolved.problems[0]?.message ?? `The path ${inWords(value)} cannot be used.`,
      expected: 'A file in the folder of the manifest.',
      remedy: 'Move the file into the bundle and name it from there.',
    })
    return undefined
  }
  if (!reader.files.has(resolved.value)) {
    complain(reader, 'missing-file', {
      at,
      message: `The file ${inWords(value)} is not in the bundle.${didYouMean(value, inFolder)}`,
      expected: `One of ${
        inFolder
          .filter((file) => !/^manifest\.ya?ml$/.test(file))
          .slice(0, 10)
          .join(', ') || 'the files beside the manifest'
      }.`,
      remedy: 'Correct `file:`, or add the file.',
    })
    return undefined
  }
  return resolved.value
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

function irregular(reader: Reader, at: Place, message: string, instead: string): void {
  complain(reader, 'irregular-form', {
    at,
    severity: 'warning',
    message: `${message} It is read all the same.`,
    expected: `\`${instead}\`.`,
    remedy: `Rename it to \`${instead}\`.`,
  })
}

/** Proton's two ways to say what a service template fits: `.template-registration.yaml` and the older `.compatible-envs`. */
function readRegistration(reader: Reader): Pick<Bundle, 'compatible' | 'componentSources'> {
  const compatible = new Map<string, { readonly template: string; readonly major: number }>()
  const sources = new Set<string>()
  const add = (text: string, at: Place): void => {
    const match = /^([0-9A-Za-z][0-9A-Za-z_-]*):v?([1-9]\d{0,8}|0)$/.exec(text)
    if (match?.[1] === undefined) {
      complain(reader, 'compatible-environments', {
        at,
        message: `${inWords(text)} does not name an environment template and its major version.`,
        expected: 'A line such as `vpc-fargate:1`.',
        remedy: 'Correct the line.',
      })
    } else {
      compatible.set(text, { template: match[1], major: Number(match[2]) })
    }
  }
  for (const name of ['.template-registration.yaml', '.template-registration.yml']) {
    const text = reader.files.get(name)
    if (text !== undefined) readRegistrationYaml(reader, { name, text, add, sources })
  }
  for (const name of ['.compatible-envs', '.compatible_envs']) {
    const text = reader.files.get(name)
    if (text === undefined) continue
    const start = { file: inRoot(reader, name), line: 1, column: 1 }
    if (name === '.compatible_envs')
      irregular(reader, start, 'The name of the file is written with an underscore.', '.compatible-envs')
    if (/^(?:compatible_environments?|supported_component_sources)\s*:/m.test(text)) {
      if (name === '.compatible-envs') irregular(reader, start, 'The file holds YAML.', '.template-registration.yaml')
      readRegistrationYaml(reader, { name, text, add, sources })
      continue
    }
    // Plain text, one a line: read as YAML, two lines would be one string.
    text.split(/\r?\n/).forEach((line, index) => {
      const entry = line.replace(/(?:^|\s)#.*$/, '').trim()
      if (entry !== '') add(entry.replace(/^-\s+/, '').replaceAll(/^["']|["']$/g, ''), { ...start, line: index + 1 })
    })
  }
  return { compatible: [...compatible.values()], componentSources: [...sources] }
}

function readRegistrationYaml(
  reader: Reader,
  {
    name,
    text,
    add,
    sources,
  }: {
    readonly name: string
    readonly text: string
    readonly add: (text: string, at: Place) => void
    readonly sources: Set<string>
  },
): void {
  const read = readYaml(inRoot(reader, name), text, 'schema')
  reader.problems.push(...read.problems)
  if (!read.ok) return
  const document = read.value
  const data = isMap(document.data) ? document.data : mapOf()
  const known = ['compatible_environments', 'supported_component_sources']
  for (const key of Object.keys(data)) {
    if (known.includes(key)) continue
    if (key === 'compatible_environment')
      irregular(
        reader,
        document.keyPlace([key]),
        'The key `compatible_environment` lacks its "s".',
        'compatible_environments',
      )
    else
      complain(reader, 'compatible-environments', {
        at: document.keyPlace([key]),
        severity: 'warning',
        message: `The key "${key}" has no meaning here.${didYouMean(key, known)}`,
        remedy: 'Correct the key, or remove it.',
      })
  }
  for (const key of ['compatible_environments', 'compatible_environment']) {
    const list = data[key]
    if (list === undefined) continue
    if (typeof list === 'string') add(list, document.place([key]))
    else if (isList(list))
      list.forEach((item, index) => add(typeof item === 'string' ? item : inWords(item), document.place([key, index])))
    else
      complain(reader, 'compatible-environments', {
        at: document.place([key]),
        message: `"${key}" is not a list.`,
        expected: 'A list with items such as `vpc-fargate:1`.',
        remedy: 'Correct the file.',
      })
  }
  for (const source of textsIn(data, 'supported_component_sources')) sources.add(source)
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

function readTemplateFile(
  files: FileTree,
  folder: string,
  problems: Problem[],
): { readonly document: Document | undefined; readonly data: DataMap } {
  const text = files.get('template.yaml')
  if (text === undefined) return { document: undefined, data: mapOf() }
  const read = readYaml(`${folder}/template.yaml`, text, 'own')
  problems.push(...read.problems)
  if (!read.ok) return { document: undefined, data: mapOf() }
  problems.push(...checkShape(read.value, templateSchema, 'a template file'))
  return { document: read.value, data: isMap(read.value.data) ? read.value.data : mapOf() }
}

/** The folders of the majors: `v2`, or `2`. */
function majorsOf(files: FileTree, folder: string, problems: Problem[]): Map<number, string> {
  const majors = new Map<number, string>()
  for (const path of files.keys()) {
    const directory = /^(v?(0|[1-9]\d{0,8}))\//.exec(path)
    const [name, digits] = [directory?.[1], directory?.[2]]
    if (name === undefined) continue
    const major = Number(digits)
    const other = majors.get(major)
    if (other !== undefined && other !== name) {
      if (problems.some((problem) => problem.code === 'bundle-layout' && problem.at?.file === `${folder}/${name}`))
        continue
      problems.push({
        code: 'bundle-layout',
        severity: 'error',
        message: `The major version ${major} lies in two folders, "${other}" and "${name}".`,
        expected: `One folder, \`v${major}/\`.`,
        remedy: 'Remove one of them.',
        at: { file: `${folder}/${name}`, line: 1, column: 1 },
      })
    } else {
      majors.set(major, name)
    }
  }
  return majors
}

function readVersions({
  document,
  data,
  majors,
  problems,
}: {
  readonly document: Document | undefined
  readonly data: DataMap
  readonly majors: ReadonlyMap<number, string>
  readonly problems: Problem[]
}): Map<number, string> {
  const versions = new Map<number, string>()
  for (const [key, value] of Object.entries(mapIn(data, 'versions') ?? {})) {
    const major = Number(/^v?(\d{1,9})$/.exec(key)?.[1])
    if (document === undefined || typeof value !== 'string' || Number.isNaN(major)) continue
    if (!majors.has(major)) {
      problems.push({
        code: 'missing-file',
        severity: 'error',
        message: `The version ${value} has no folder "v${major}".`,
        expected: `The folder \`v${major}/\` with the bundle.`,
        remedy: 'Add the folder, or remove the line.',
        at: document.keyPlace(['versions', key]),
      })
    } else if (parseVersion(value)?.major !== major) {
      problems.push({
        code: 'version-major',
        severity: 'error',
        message: `"${key}" has the version ${value}, which is of another major.`,
        expected: `A version ${major}.x.y.`,
        remedy: 'Correct the version, or move the bundle to the folder of its major.',
        at: document.place(['versions', key]),
      })
    } else {
      versions.set(major, value)
    }
  }
  return versions
}

function checkKinds({
  name,
  document,
  data,
  bundles,
  problems,
}: {
  readonly name: string
  readonly document: Document | undefined
  readonly data: DataMap
  readonly bundles: ReadonlyMap<number, Bundle>
  readonly problems: Problem[]
}): Kind | undefined {
  const said = textIn(data, 'kind')
  const first = [...bundles.values()][0]
  for (const bundle of bundles.values()) {
    const wanted = said ?? first?.kind
    if (bundle.kind === wanted) continue
    problems.push({
      code: 'template-kind',
      severity: 'error',
      message: `The template "${name}" is of kind ${wanted}, and the files in \`${bundle.root}\` are of a ${bundle.kind}.`,
      expected: 'One kind for all versions of a template.',
      remedy: 'Correct `kind:`, or make another template.',
      at: document?.place(['kind']) ?? { file: bundle.root, line: 1, column: 1 },
    })
  }
  return first?.kind
}

function textMap(map: DataMap | undefined): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  for (const [key, value] of Object.entries(map ?? {})) if (typeof value === 'string') texts.set(key, value)
  return texts
}
