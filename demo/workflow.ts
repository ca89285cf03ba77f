import { parse } from 'yaml'

/**
 * A workflow as far as the demo's runner knows the language: what the generated workflows use. What it does not know it
 * refuses, so that nothing is left out in silence.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
 */
export type Workflow = {
  readonly name: string
  /** The events that start it, with what they ask for. */
  readonly on: Readonly<Record<string, Trigger>>
  /** What a caller may hand in, with what it is if nothing is handed in. */
  readonly inputs: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, Job>>
}

export type Trigger = {
  readonly branches?: readonly string[]
  /** Files of which one has to be another than before. */
  readonly paths?: readonly string[]
  readonly types?: readonly string[]
  readonly workflows?: readonly string[]
}

export type Job = {
  readonly needs: readonly string[]
  readonly if?: string
  /** A workflow that is called, with what it is given; or steps of its own. */
  readonly uses?: string
  readonly with: Readonly<Record<string, string>>
  readonly matrix: Readonly<Record<string, string | readonly string[]>>
  readonly permissions: Readonly<Record<string, 'read' | 'write'>>
  readonly environment?: { readonly name: string; readonly deployment?: false }
  readonly concurrency?: string
  readonly outputs: Readonly<Record<string, string>>
  readonly steps: readonly Step[]
}

export type Step = {
  readonly id?: string
  readonly name: string
  readonly if?: string
  /** An action; or a script, for bash. */
  readonly uses: string | undefined
  readonly run: string
  readonly with: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
  /** That it fails does not let its job fail. */
  readonly isOptional?: true
}

type Text = Readonly<Record<string, unknown>>

/** Reads a workflow. Throws what is wrong with it, or what the runner does not know. */
export function readWorkflow(file: string, source: string): Workflow {
  const text = mapOf(parse(source), file)
  const on = text['on']
  const events = typeof on === 'string' ? { [on]: {} } : mapOf(on, `${file}: on`)
  const called = mapOf(events['workflow_call'] ?? {}, `${file}: workflow_call`)
  const dispatched = mapOf(events['workflow_dispatch'] ?? {}, `${file}: workflow_dispatch`)
  const inputs = mapOf(called['inputs'] ?? dispatched['inputs'] ?? {}, `${file}: inputs`)
  return {
    name: wordOf(text['name'], `${file}: name`),
    on: Object.fromEntries(Object.entries(events).map(([event, value]) => [event, triggerOf(value)])),
    inputs: Object.fromEntries(
      Object.entries(inputs).map(([name, value]) => [name, wordOf(mapOf(value, name)['default'] ?? '', name)]),
    ),
    jobs: Object.fromEntries(
      Object.entries(mapOf(text['jobs'], `${file}: jobs`)).map(([id, value]) => [id, jobOf(value, `${file}: ${id}`)]),
    ),
  }
}

function triggerOf(value: unknown): Trigger {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
  const { branches, paths, types, workflows } = mapOf(value, 'on')
  return {
    ...(branches !== undefined && { branches: listOf(branches) }),
    ...(paths !== undefined && { paths: listOf(paths) }),
    ...(types !== undefined && { types: listOf(types) }),
    ...(workflows !== undefined && { workflows: listOf(workflows) }),
  }
}

const known = new Set(
  'name needs if uses with secrets strategy permissions environment concurrency outputs steps runs-on timeout-minutes'.split(
    ' ',
  ),
)

function jobOf(value: unknown, where: string): Job {
  const text = mapOf(value, where)
  const strange = Object.keys(text).filter((key) => !known.has(key))
  if (strange.length > 0) throw new Error(`${where}: the runner does not know ${strange.join(', ')}`)
  const strategy = mapOf(text['strategy'] ?? {}, where)
  const environment = text['environment']
  const concurrency = text['concurrency']
  const place =
    typeof environment === 'string' ? { name: environment } : mapOf(environment ?? {}, `${where}: environment`)
  return {
    needs: listOf(text['needs'] ?? []),
    ...(text['if'] !== undefined && { if: wordOf(text['if'], where) }),
    ...(text['uses'] !== undefined && { uses: wordOf(text['uses'], where) }),
    with: wordsOf(text['with'] ?? {}, where),
    matrix: Object.fromEntries(
      Object.entries(mapOf(strategy['matrix'] ?? {}, where)).map(([name, each]) => [
        name,
        typeof each === 'string' ? each : listOf(each),
      ]),
    ),
    permissions: permissionsOf(text['permissions'] ?? {}, where),
    ...(place['name'] !== undefined && {
      environment: {
        name: wordOf(place['name'], where),
        ...(place['deployment'] === false && { deployment: false }),
      },
    }),
    ...(concurrency !== undefined && {
      concurrency: typeof concurrency === 'string' ? concurrency : wordOf(mapOf(concurrency, where)['group'], where),
    }),
    outputs: wordsOf(text['outputs'] ?? {}, where),
    steps: Array.isArray(text['steps']) ? text['steps'].map((step) => stepOf(step, where)) : [],
  }
}

function stepOf(value: unknown, where: string): Step {
  const text = mapOf(value, where)
  const strange = Object.keys(text).filter((key) => !ofStep.has(key))
  if (strange.length > 0) throw new Error(`${where}: the runner does not know ${strange.join(', ')} of a step`)
  const uses = text['uses'] === undefined ? undefined : wordOf(text['uses'], where)
  const run = uses === undefined ? wordOf(text['run'], where) : ''
  return {
    ...(text['id'] !== undefined && { id: wordOf(text['id'], where) }),
    name: wordOf(text['name'] ?? uses ?? run, where),
    ...(text['if'] !== undefined && { if: wordOf(text['if'], where) }),
    uses,
    run,
    with: wordsOf(text['with'] ?? {}, where),
    env: wordsOf(text['env'] ?? {}, where),
    ...(text['continue-on-error'] === true && { isOptional: true }),
  }
}

const ofStep = new Set('id name if uses run with env continue-on-error'.split(' '))

function permissionsOf(value: unknown, where: string): Job['permissions'] {
  return Object.fromEntries(
    Object.entries(wordsOf(value, where)).flatMap(([name, access]) =>
      access === 'read' || access === 'write' ? [[name, access] as const] : [],
    ),
  )
}

function wordsOf(value: unknown, where: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(mapOf(value, where)).map(([name, each]) => [name, wordOf(each, where)]))
}

function wordOf(value: unknown, where: string): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new Error(`${where}: not a text: ${JSON.stringify(value)}`)
}

function listOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.map((each) => wordOf(each, 'a list')) : []
}

function mapOf(value: unknown, where: string): Text {
  if (value === null) return {}
  if (typeof value !== 'object' || value === undefined || Array.isArray(value)) throw new Error(`${where}: not a map`)
  return { ...value }
}
