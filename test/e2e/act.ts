import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/** `act`, which runs workflows on this machine, or undefined where it is not installed. */
export const act = ['act', join(homedir(), 'go/bin/act')].find((file) => {
  const found = file.includes('/') ? existsSync(file) : true
  return found && spawnSync(file, ['--version']).status === 0
})

export type JobResult = {
  /** The names of the workflows and jobs that lead to it: `Plan/validate`, `services-1/Stages/dev`. */
  readonly name: string
  readonly id: string
  readonly result: 'success' | 'failure' | 'skipped' | 'cancelled'
}

export type Acted = {
  readonly code: number
  /** In the order in which they ended. Jobs that were skipped are not among them. */
  readonly jobs: readonly JobResult[]
  /** What the steps wrote, and what act says, line by line. */
  readonly log: string
  /** What a step said with `::error`, `::warning` or `::notice`. */
  readonly annotations: readonly Annotation[]
}

export type Annotation = {
  readonly level: string
  readonly job: string
  readonly message: string
  readonly properties: Readonly<Record<string, string>>
}

export type ActOptions = {
  /** The repository that is checked out; its HEAD is what runs. */
  readonly folder: string
  /** The path of the workflow in it. */
  readonly workflow: string
  readonly event: string
  readonly eventFile: string
  /** `owner/name@ref` to a folder. */
  readonly repositories: ReadonlyMap<string, string>
  readonly env: Readonly<Record<string, string>>
  readonly vars: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<string, string>>
  readonly actor: string
  /** The folder that is first on the path. */
  readonly bin: string
  /** Where act works. */
  readonly cache: string
}

/** Runs a workflow on this machine, without containers. */
export async function runAct(options: ActOptions): Promise<Acted> {
  if (act === undefined) throw new Error('act is not installed')
  const pairs = (flag: string, values: Readonly<Record<string, string>>): string[] =>
    Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`])
  const args = [
    options.event,
    '--workflows',
    options.workflow,
    '--eventpath',
    options.eventFile,
    '--platform',
    'ubuntu-latest=-self-hosted',
    '--actor',
    options.actor,
    '--action-cache-path',
    options.cache,
    // Otherwise act lays the folder into the workspace itself, with what is in it beside the commit.
    '--no-skip-checkout',
    '--no-cache-server',
    '--json',
    ...[...options.repositories].flatMap(([name, folder]) => ['--local-repository', `${name}=${folder}`]),
    ...pairs('--env', options.env),
    ...pairs('--var', options.vars),
    ...pairs('--secret', options.secrets),
  ]
  const child = spawn(act, args, {
    cwd: options.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PATH: [options.bin, process.env.PATH ?? ''].join(delimiter),
      HOME: options.cache,
      ...options.env,
    },
  })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (out += text))
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve(status ?? 1))
  })
  return { code, ...read(out) }
}

type Line = {
  readonly msg?: string
  readonly job?: string
  readonly jobID?: string
  readonly jobResult?: JobResult['result']
  readonly command?: string
  readonly arg?: string
  readonly kvPairs?: Readonly<Record<string, string>>
  readonly raw_output?: boolean
}

function read(out: string): Omit<Acted, 'code'> {
  const jobs: JobResult[] = []
  const annotations: Annotation[] = []
  const log: string[] = []
  for (const text of out.split('\n')) {
    if (!text.startsWith('{')) {
      if (text !== '') log.push(text)
      continue
    }
    const { msg = '', job = '', jobID: id = '', jobResult, command, arg, kvPairs }: Line = JSON.parse(text)
    if (jobResult !== undefined) jobs.push({ name: job.trim(), id, result: jobResult })
    if (command !== undefined && ['error', 'warning', 'notice'].includes(command))
      annotations.push({ level: command, job: id, message: arg ?? '', properties: { ...kvPairs } })
    if (!msg.startsWith('LocalRepositoryCache ')) log.push(`${job.trim()} | ${msg.trimEnd()}`)
  }
  return { jobs, annotations, log: log.join('\n') }
}
