import { execFile, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { execPath } from 'node:process'
import { promisify } from 'node:util'
import { parse } from 'yaml'

const run = promisify(execFile)

/** What a step says with `::error`, `::warning` or `::notice`, shown on the lines that it is about. */
export type Annotation = {
  readonly level: 'error' | 'warning' | 'notice'
  readonly message: string
  readonly properties: Readonly<Record<string, string>>
}

export type StepEnd = {
  readonly result: 'success' | 'failure'
  readonly log: string
  readonly summary: string
  readonly outputs: Readonly<Record<string, string>>
  readonly annotations: readonly Annotation[]
}

export type StepWanted = {
  readonly uses: string | undefined
  /** What bash is given, where no action is used. */
  readonly script: string
  readonly inputs: Readonly<Record<string, string>>
  readonly workspace: string
  readonly temp: string
  readonly token: string
  /** The folder of this project. */
  readonly product: string
  /** What an action of this project is given besides. */
  readonly rehearse: (verb: string) => Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** A bare repository that has a commit, and the commit. */
  readonly checkout: (wanted: {
    readonly ref: string
    readonly isWhole: boolean
  }) => Promise<{ readonly folder: string; readonly commit: string }>
  /** Keeps a folder as an artifact of the run; its id. */
  readonly upload: (name: string, folder: string) => number
  readonly artifacts: ReadonlyMap<number, { readonly name: string; readonly folder: string }>
}

/** Runs one step. The actions of others are played by what is below, those of this project are the built ones. */
export async function runStep(wanted: StepWanted): Promise<StepEnd> {
  const [action = ''] = (wanted.uses ?? '').split('@')
  try {
    if (wanted.uses === undefined) return await scripted(wanted)
    if (action === 'actions/checkout') return await checkOut(wanted)
    if (action === 'actions/upload-artifact') return upload(wanted)
    if (action === 'actions/download-artifact') return download(wanted)
    const verb = /^\$\/(?:\.protium\/)?actions\/([a-z-]+)$/u.exec(action)?.[1]
    if (verb !== undefined) return await ours(verb, wanted)
    return failed(`The runner of the demo does not know the action ${action}.`)
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error))
  }
}

const nothing = { summary: '', outputs: {}, annotations: [] }

function failed(message: string): StepEnd {
  return { ...nothing, result: 'failure', log: message, annotations: [{ level: 'error', message, properties: {} }] }
}

async function checkOut({ inputs, workspace, checkout }: StepWanted): Promise<StepEnd> {
  const isWhole = inputs['fetch-depth'] === '0'
  const { folder, commit } = await checkout({ ref: inputs['ref'] ?? '', isWhole })
  const here = join(workspace, inputs['path'] ?? '.')
  mkdirSync(here, { recursive: true })
  const git = async (...args: string[]): Promise<unknown> => run('git', args, { cwd: here })
  await git('init', '--quiet', '--initial-branch=main')
  const branches = isWhole ? ['+refs/heads/*:refs/remotes/origin/*'] : []
  await git('fetch', '--quiet', `file://${folder}`, commit, '+refs/tags/*:refs/tags/*', ...branches)
  await git('-c', 'advice.detachedHead=false', 'checkout', '--quiet', '--force', '--detach', commit)
  return { ...nothing, result: 'success', log: `The files are those of ${commit}.` }
}

function upload({ inputs, temp, workspace, upload: keep }: StepWanted): StepEnd {
  const { name = 'artifact', path = '' } = inputs
  const file = resolve(workspace, path)
  if (!existsSync(file)) {
    const message = `No files were found with the provided path: ${path}`
    return inputs['if-no-files-found'] === 'error' ? failed(message) : { ...nothing, result: 'success', log: message }
  }
  const folder = mkdtempSync(join(temp, 'artifact-'))
  cpSync(file, join(folder, basename(file)), { recursive: true })
  const id = keep(name, folder)
  return {
    ...nothing,
    result: 'success',
    log: `${name} is artifact ${id}.`,
    outputs: { 'artifact-id': String(id) },
  }
}

function download({ inputs, workspace, artifacts }: StepWanted): StepEnd {
  const ids = (inputs['artifact-ids'] ?? '').split(',').filter((id) => id.trim() !== '')
  const wanted = ids.map((id) => artifacts.get(Number(id.trim())))
  const found = wanted.filter((each) => each !== undefined)
  if (found.length === 0 || found.length < wanted.length) return failed('Unable to download artifact(s): not found')
  const into = resolve(workspace, inputs['path'] ?? '.')
  mkdirSync(into, { recursive: true })
  for (const { folder } of found) cpSync(folder, into, { recursive: true })
  return { ...nothing, result: 'success', log: `${found.map(({ name }) => name).join(', ')} in ${into}.` }
}

/** An action of this project: `node dist/<verb>.js` with the variables and files that a runner gives a step. */
async function ours(verb: string, wanted: StepWanted): Promise<StepEnd> {
  const { workspace, temp, token, product, env, signal } = wanted
  const inputs = { ...wanted.inputs, ...wanted.rehearse(verb) }
  const folder = mkdtempSync(join(temp, 'step-'))
  const output = join(folder, 'output')
  const summary = join(folder, 'summary')
  for (const file of [output, summary]) writeFileSync(file, '')
  const declared: { inputs?: Readonly<Record<string, { readonly default?: string }>> } = parse(
    readFileSync(join(product, 'actions', verb, 'action.yml'), 'utf8'),
  )
  const given = Object.fromEntries(
    Object.entries(declared.inputs ?? {}).map(([name, value]) => {
      const text = inputs[name] ?? (name === 'token' || name === 'github-token' ? token : (value.default ?? ''))
      return [`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`, text.replace('${{ github.token }}', token)]
    }),
  )
  const { code, text } = await started([execPath, join(product, 'dist', `${verb}.js`)], {
    workspace,
    signal,
    env: { ...env, ...given, GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary },
  })
  const { log, annotations } = spoken(text)
  return {
    result: code === 0 ? 'success' : 'failure',
    log,
    annotations,
    summary: readFileSync(summary, 'utf8'),
    outputs: outputsIn(readFileSync(output, 'utf8')),
  }
}

/** A script: bash, which ends at the first command that fails. */
async function scripted({ script, workspace, signal, env }: StepWanted): Promise<StepEnd> {
  const { code, text } = await started(['bash', '-e', '-o', 'pipefail', '-c', script], { workspace, signal, env })
  return { ...nothing, result: code === 0 ? 'success' : 'failure', ...spoken(text) }
}

/** Runs a program with the variables of a step, and of this machine's only what it needs to run at all. */
async function started(
  [program = '', ...args]: readonly string[],
  {
    workspace,
    signal,
    env,
  }: Pick<StepWanted, 'workspace' | 'signal'> & { readonly env: Readonly<Record<string, string>> },
): Promise<{ readonly code: number; readonly text: string }> {
  const { PATH = '', HOME = '', TMPDIR = '', SYSTEMROOT = '' } = process.env
  const child = spawn(program, args, {
    cwd: workspace,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    env: {
      PATH,
      HOME,
      ...(TMPDIR !== '' && { TMPDIR }),
      ...(SYSTEMROOT !== '' && { SYSTEMROOT }),
      ...env,
    },
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part))
  child.stderr.setEncoding('utf8').on('data', (part: string) => (text += part))
  const code = await new Promise<number>((settle, reject) => {
    child.once('error', reject)
    child.once('close', (status) => settle(status ?? 1))
  })
  return { code, text }
}

/** The log without the commands in it, and what the commands annotate. Between a stop and its token nothing is a command. */
function spoken(text: string): { readonly log: string; readonly annotations: readonly Annotation[] } {
  const annotations: Annotation[] = []
  const log: string[] = []
  let token: string | undefined
  for (const line of text.split('\n')) {
    const command = /^::([a-z-]+|[0-9a-f-]{36})(?: ([^:]*(?::(?!:)[^:]*)*))?::(.*)$/u.exec(line)
    if (token !== undefined) {
      if (line === `::${token}::`) token = undefined
      else log.push(line)
      continue
    }
    const [, name = '', properties = '', message = ''] = command ?? []
    if (command === null) log.push(line)
    else if (name === 'stop-commands') token = message
    else if (name === 'error' || name === 'warning' || name === 'notice')
      annotations.push({ level: name, message: decoded(message), properties: propertiesIn(properties) })
    else if (name === 'group') log.push(decoded(message))
  }
  return { log: log.join('\n').trim(), annotations }
}

function propertiesIn(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text
      .split(',')
      .filter((pair) => pair.includes('='))
      .map((pair) => [pair.slice(0, pair.indexOf('=')), decoded(pair.slice(pair.indexOf('=') + 1))]),
  )
}

function decoded(text: string): string {
  return text
    .replaceAll('%0A', '\n')
    .replaceAll('%0D', '\r')
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%25', '%')
}

/** What `GITHUB_OUTPUT` holds: `name=value`, or a value of several lines between two marks. */
function outputsIn(text: string): Readonly<Record<string, string>> {
  const outputs: Record<string, string> = {}
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? ''
    const [, name, mark] = /^([^=]+?)<<(.+)$/u.exec(line) ?? []
    if (name !== undefined && mark !== undefined) {
      const end = lines.indexOf(mark, at + 1)
      outputs[name] = lines.slice(at + 1, end).join('\n')
      at = end
    } else if (line.includes('=')) outputs[line.slice(0, line.indexOf('='))] = line.slice(line.indexOf('=') + 1)
  }
  return outputs
}
