import { type DataMap, isList, isMap, mapOf } from '../data.ts'
import { didYouMean } from '../nearest.ts'
import { resolveInside } from '../paths.ts'
import { inWords, listIn, mapIn } from '../shape.ts'
import type { Document } from '../yaml.ts'
import type { Part } from './model.ts'
import { complain, has, irregular, open, type Reader } from './reader.ts'

export function readPart(reader: Reader, name: Part['name']): Part | undefined {
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
  const parts: Part[] = []
  for (const [index, entry] of entries.entries()) {
    if (!isMap(entry))
      return invalid(
        ['infrastructure', 'templates', index],
        'The entry is not a map.',
        'A map with `rendering_engine:`.',
      )
    const part = readEntry(reader, { document, entry, index, name, folder, manifest })
    if (part === undefined) return undefined
    parts.push(part)
  }
  const [first, ...others] = parts
  if (first === undefined || others.length === 0) return first
  // Several templates are one stack, so they have to be of one kind.
  const odd = parts.findIndex(({ engine }) => engine !== first.engine || (engine !== 'jinja' && engine !== 'none'))
  if (odd !== -1) {
    return invalid(
      ['infrastructure', 'templates', Math.max(odd, 1)],
      `The manifest has ${parts.length} templates, and they cannot be one stack.`,
      'One entry; or several CloudFormation files with one engine. Terraform takes `file: "*"` for all of its files.',
    )
  }
  const files = parts.flatMap(({ file }) => file ?? [])
  const again = files.findIndex((file, index) => files.indexOf(file) !== index)
  if (again !== -1)
    return invalid(['infrastructure', 'templates', again], 'The manifest names a file twice.', 'Each file once.')
  return { ...first, others: files.slice(1) }
}

const engines: Readonly<Record<Part['engine'], string | undefined>> = {
  jinja: 'cloudformation',
  none: 'cloudformation',
  hcl: 'terraform',
  codebuild: undefined,
}

const engineNames: readonly Part['engine'][] = ['jinja', 'none', 'hcl', 'codebuild']

const entryKeys = ['file', 'rendering_engine', 'engine', 'template_language', 'settings', 'input_type']

function readEntry(
  reader: Reader,
  {
    document,
    entry,
    index,
    name,
    folder,
    manifest,
  }: {
    readonly document: Document
    readonly entry: DataMap
    readonly index: number
    readonly name: Part['name']
    readonly folder: string
    readonly manifest: string
  },
): Part | undefined {
  const path = ['infrastructure', 'templates', index]
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
      expected: '`jinja` for CloudFormation, `none` for CloudFormation as it is, `hcl` for Terraform, or `codebuild`.',
      remedy: 'Correct `rendering_engine:`.',
    })
    return undefined
  }
  const language = entry['template_language']
  if (language !== undefined && engines[engine] !== undefined && language !== engines[engine]) {
    complain(reader, 'unknown-engine', {
      at: document.place([...path, 'template_language']),
      message: `The engine "${engine}" does not go with ${inWords(language)}.`,
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
    readonly engine: 'jinja' | 'none' | 'hcl'
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
