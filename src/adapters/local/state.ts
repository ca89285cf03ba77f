import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { canonicalJson, compareText } from '../../core/canonical.ts'
import { type Data, type DataMap, isList, isMap, mapOf } from '../../core/data.ts'
import { Refused } from '../../core/problem.ts'
import type { ResourceRecord, Resources } from '../../core/stack/plan.ts'
import { own, type StackName } from '../../core/stack/template.ts'
import { refusalOf } from '../disk.ts'

/** The format of the folder and of its files. What a released version wrote, later versions read. */
const format = 1

type Texts = Readonly<Record<string, string>>

/** What makes up a stack at rest, and what a failed update goes back to. */
export type Content = {
  readonly body: DataMap
  /** As given; `****` for those with `NoEcho`. */
  readonly parameters: Texts
  readonly tags: Texts
  readonly resources: Resources
  readonly outputs: Texts
  readonly exports: Texts
  readonly imports: Texts
}

/** A resource that a stack has let go of and that is still to be deleted, or to be left alone. */
export type Leaving = { readonly logicalId: string; readonly record: ResourceRecord; readonly retained: boolean }

export type Retained = {
  readonly logicalId: string
  readonly type: string
  readonly physicalId: string
  readonly name?: string
}

export type StackFile = Content & {
  readonly stack: StackName
  readonly status: string
  readonly reason?: string
  /** While an operation is under way: the stack as it was at rest before. */
  readonly previous?: Content
  readonly leaving: readonly Leaving[]
  /** What stayed in the account when the stack let go of it. */
  readonly retained: readonly Retained[]
}

/** Writes a file whole or not at all. */
export type WriteFile = (path: string, text: string) => void

/** One folder of stacks, as `stacks/<account>/<region>/<name>.json`. Reading changes nothing, and a missing folder is empty. */
export type StateFolder = {
  readonly read: (stack: StackName) => StackFile | undefined
  /** All stacks of an account and region, by name. */
  readonly neighbours: (stack: StackName) => readonly StackFile[]
  readonly write: (file: StackFile) => void
  readonly remove: (stack: StackName) => void
}

export function stateFolder(folder: string, write: WriteFile): StateFolder {
  const known = join(folder, 'format.json')
  const fileOf = (stack: StackName): string => join(regionOf(folder, stack), `${stack.name}.json`)
  const read = (file: string): StackFile | undefined => {
    const text = readText(file)
    return text === undefined ? undefined : stackFile(file, text)
  }
  return {
    read: (stack) => {
      checkFormat(known)
      return read(fileOf(checked(stack)))
    },
    neighbours: (stack) => {
      checkFormat(known)
      const region = regionOf(folder, checked(stack))
      const names = namesIn(region).filter((name) => /^[A-Za-z][-A-Za-z0-9]*\.json$/.test(name))
      return names.flatMap((name) => read(join(region, name)) ?? [])
    },
    write: (file) => {
      const path = fileOf(checked(file.stack))
      try {
        mkdirSync(dirname(path), { recursive: true })
      } catch (error) {
        throw refusalOf(path, error) ?? error
      }
      if (readText(known) === undefined) write(known, `${canonicalJson(mapOf([['format', format]]))}\n`)
      write(path, stackText(file))
    },
    remove: (stack) => {
      const path = fileOf(checked(stack))
      try {
        rmSync(path, { force: true })
      } catch (error) {
        throw refusalOf(path, error) ?? error
      }
    },
  }
}

/** A stack without anything in it. */
export function emptyContent(): Content {
  return { body: mapOf(), parameters: {}, tags: {}, resources: {}, outputs: {}, exports: {}, imports: {} }
}

/** The file of a stack, with its place in the folder checked: each part becomes the name of a folder or a file. */
function checked(stack: StackName): StackName {
  const wrong = !/^[A-Za-z][-A-Za-z0-9]{0,127}$/.test(stack.name)
    ? `"${stack.name}" is not a name for a stack`
    : !/^[A-Za-z0-9]{1,64}$/.test(stack.account)
      ? `"${stack.account}" is not an account`
      : !/^[a-z0-9-]{1,64}$/.test(stack.region)
        ? `"${stack.region}" is not a region`
        : undefined
  if (wrong === undefined) return stack
  throw new Refused('stack-name', `${wrong}.`, {
    remedy: 'A name begins with a letter and has letters, digits and hyphens, at most 128; an account is 12 digits.',
  })
}

function regionOf(folder: string, stack: StackName): string {
  return join(folder, 'stacks', stack.account, stack.region)
}

function checkFormat(path: string): void {
  const text = readText(path)
  if (text === undefined) return
  const found = own(parse(path, text), 'format')
  if (found === format) return
  if (typeof found === 'number' && found > format) throw newer(path, found)
  throw damaged(path)
}

function newer(path: string, found: number): Refused {
  return new Refused(
    'state-newer-format',
    `"${path}" was written by a newer version of Protium (format ${found}; this version knows ${format}).`,
    {
      remedy: 'Use that version, or another state folder.',
    },
  )
}

function damaged(path: string): Refused {
  return new Refused('state-damaged', `"${path}" is not a state file of Protium, or was changed by hand.`, {
    remedy: 'Restore the file from a copy, or remove it: the stack then counts as absent.',
  })
}

function readText(path: string): string | undefined {
  try {
    // Most stacks of a first plan are not there, and an error that is thrown costs more than a question.
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined
    throw new Refused(
      'state-unreadable',
      `"${path}" cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown'}).`,
      {
        remedy: 'Change the rights of the file, or choose another state folder.',
        cause: error,
      },
    )
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted(compareText)
  } catch {
    return []
  }
}

function stackText(file: StackFile): string {
  const { stack, status, reason, previous, leaving, retained } = file
  const text = canonicalJson(
    mapOf([
      ['format', format],
      ['stack', texts(stack)],
      ['status', status],
      ...(reason === undefined ? [] : [['reason', reason] as const]),
      ...contentEntries(file),
      ...(previous === undefined ? [] : [['previous', mapOf(contentEntries(previous))] as const]),
      [
        'leaving',
        leaving.map((it) =>
          mapOf([
            ['logicalId', it.logicalId],
            ['record', recordData(it.record)],
            ['retained', it.retained],
          ]),
        ),
      ],
      ['retained', retained.map((it) => texts(it))],
    ]),
  )
  return `${text}\n`
}

function contentEntries(content: Content): readonly (readonly [string, Data])[] {
  return [
    ['body', content.body],
    ['parameters', texts(content.parameters)],
    ['tags', texts(content.tags)],
    ['resources', mapOf(Object.entries(content.resources).map(([id, record]) => [id, recordData(record)] as const))],
    ['outputs', texts(content.outputs)],
    ['exports', texts(content.exports)],
    ['imports', texts(content.imports)],
  ]
}

function recordData(record: ResourceRecord): DataMap {
  const { type, physicalId, generation, properties, tags, dependencies, deletionPolicy, updateReplacePolicy } = record
  return mapOf([
    ['type', type],
    ['physicalId', physicalId],
    ['generation', generation],
    ['properties', properties],
    ['tags', texts(tags)],
    ['dependencies', dependencies],
    ['deletionPolicy', deletionPolicy],
    ['updateReplacePolicy', updateReplacePolicy],
  ])
}

function texts(map: Texts): DataMap {
  return mapOf(Object.entries(map))
}

/** Reads what `stackText` wrote; anything else is damage, and named as such. */
function stackFile(path: string, text: string): StackFile {
  const data = parse(path, text)
  const found = own(data, 'format')
  if (typeof found === 'number' && found > format) throw newer(path, found)
  const read = new Reader(path)
  const stack = read.texts(own(data, 'stack'))
  const reason = own(data, 'reason')
  const previous = own(data, 'previous')
  const { name, account, region } = stack
  if (found !== format || name === undefined || account === undefined || region === undefined) throw damaged(path)
  return {
    stack: { name, account, region },
    status: read.text(own(data, 'status')),
    ...(reason === undefined ? {} : { reason: read.text(reason) }),
    ...read.content(data),
    ...(previous === undefined ? {} : { previous: read.content(previous) }),
    leaving: read.list(own(data, 'leaving')).map((it) => ({
      logicalId: read.text(own(it, 'logicalId')),
      record: read.record(own(it, 'record')),
      retained: own(it, 'retained') === true,
    })),
    retained: read.list(own(data, 'retained')).map((it) => {
      const resourceName = own(it, 'name')
      return {
        logicalId: read.text(own(it, 'logicalId')),
        type: read.text(own(it, 'type')),
        physicalId: read.text(own(it, 'physicalId')),
        ...(resourceName === undefined ? {} : { name: read.text(resourceName) }),
      }
    }),
  }
}

class Reader {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  text(value: Data | undefined): string {
    if (typeof value !== 'string') throw damaged(this.#path)
    return value
  }

  map(value: Data | undefined): DataMap {
    if (!isMap(value)) throw damaged(this.#path)
    return value
  }

  list(value: Data | undefined): readonly Data[] {
    if (!isList(value)) throw damaged(this.#path)
    return value
  }

  texts(value: Data | undefined): Texts {
    return Object.fromEntries(Object.entries(this.map(value)).map(([key, member]) => [key, this.text(member)]))
  }

  content(value: Data | undefined): Content {
    const resources = Object.entries(this.map(own(value, 'resources'))).map(
      ([id, record]) => [id, this.record(record)] as const,
    )
    return {
      body: this.map(own(value, 'body')),
      parameters: this.texts(own(value, 'parameters')),
      tags: this.texts(own(value, 'tags')),
      resources: Object.fromEntries(resources),
      outputs: this.texts(own(value, 'outputs')),
      exports: this.texts(own(value, 'exports')),
      imports: this.texts(own(value, 'imports')),
    }
  }

  record(value: Data | undefined): ResourceRecord {
    const generation = own(value, 'generation')
    if (typeof generation !== 'number') throw damaged(this.#path)
    return {
      type: this.text(own(value, 'type')),
      physicalId: this.text(own(value, 'physicalId')),
      generation,
      properties: this.map(own(value, 'properties')),
      tags: this.texts(own(value, 'tags')),
      dependencies: this.list(own(value, 'dependencies')).map((it) => this.text(it)),
      deletionPolicy: this.text(own(value, 'deletionPolicy')),
      updateReplacePolicy: this.text(own(value, 'updateReplacePolicy')),
    }
  }
}

/** Whole numbers beyond what a JavaScript number holds stay whole. */
function parse(path: string, text: string): Data {
  const parsed = ((): unknown => {
    try {
      return JSON.parse(text, (_key: string, value: unknown, ...[context]: readonly { readonly source?: string }[]) => {
        const source = context?.source ?? ''
        return typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source)
          ? BigInt(source)
          : value
      })
    } catch {
      throw damaged(path)
    }
  })()
  return dataOf(parsed)
}

function dataOf(value: unknown): Data {
  if (
    value === null ||
    typeof value === 'boolean' ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'bigint'
  )
    return value
  if (Array.isArray(value)) return value.map(dataOf)
  if (typeof value === 'object')
    return mapOf(Object.entries(value).map(([key, member]) => [key, dataOf(member)] as const))
  return null
}
