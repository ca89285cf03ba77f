import { fork, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { env, execPath, stderr } from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'
import { built } from '../scripts/build.ts'
import { isMotoInstalled, startMoto } from '../test/moto/moto.ts'
import { median, spread, table } from './figures.ts'
import { changeTiny, makeTiny, type Tiny, type TinyValues } from './tiny.ts'

/**
 * Protium beside `aws cloudformation deploy`: each creates one small stack, is run again with nothing to do, and updates it,
 * in turns and against the same endpoint. What is measured is the program, from its start to its end: the endpoints answer at
 * once, so the intervals at which a program looks whether something has ended add nothing to these figures.
 */
type Endpoint = {
  readonly title: string
  readonly url: string
  readonly account: string
  readonly requests: () => Promise<number>
  readonly close: () => Promise<void>
}

/** A program that deploys. `files` are its own. */
type Contender = {
  readonly name: string
  readonly title: string
  readonly command: (tiny: Tiny, now: { readonly step: Step; readonly values: TinyValues }) => readonly string[]
  readonly env?: (tiny: Tiny) => Readonly<Record<string, string>>
}

const steps = ['create', 'nothing to do', 'update'] as const
type Step = (typeof steps)[number]

type Figure = { readonly wall: number; readonly cpu: number; readonly requests: number }
type Run = Figure | { readonly fault: string }

/** What the product may cost: requests, and the part of the time of `aws cloudformation deploy`. */
const most: Readonly<Record<Step, number>> = { create: 5, 'nothing to do': 2, update: 5 }
const mostOfTime = 1 / 3

export async function sideBySide(folder: string, rounds: number): Promise<string> {
  const dist = join(folder, 'dist')
  for (const [path, text] of await built()) write(join(dist, path), text)
  const aws = awsCli()
  const contenders = [...(aws === undefined ? [] : [deployOfAws(aws.file)]), compiled(dist), fromSources()]
  const parts: string[] = []
  for (const start of [fakeEndpoint, motoEndpoint]) {
    const endpoint = await start()
    if (endpoint === undefined) continue
    try {
      parts.push(await measure(endpoint, { contenders, folder, rounds }))
    } finally {
      await endpoint.close()
    }
  }
  return [
    '### One small stack, beside `aws cloudformation deploy`',
    aws === undefined
      ? 'There is no `aws` on this machine, so its figures are void.'
      : `\`${aws.version}\`. "Of aws" is the part of its time that Protium takes; at most ${mostOfTime.toFixed(2)}.`,
    ...parts,
  ].join('\n\n')
}

async function measure(
  endpoint: Endpoint,
  {
    contenders,
    folder,
    rounds,
  }: { readonly contenders: readonly Contender[]; readonly folder: string; readonly rounds: number },
): Promise<string> {
  const runs = new Map<string, Run[]>()
  // The first round is for the endpoint and the disk to get warm, and is not counted.
  for (let round = 0; round <= rounds; round += 1) {
    for (const contender of contenders) {
      stderr.write(`cloudformation, ${endpoint.title}, ${round}/${rounds}: ${contender.title}\n`)
      const values = {
        stack: `${contender.name}-${round}`,
        account: endpoint.account,
        region: 'us-east-1',
        retention: 60,
      }
      const tiny = makeTiny(join(folder, endpoint.title, values.stack), values)
      for (const step of steps) {
        const now = step === 'update' ? { ...values, retention: 120 } : values
        changeTiny(tiny, now)
        // Within one second it gives two change sets the same name.
        if (contender.name === 'aws') await wait(1100)
        const run = await timed(contender, { tiny, step, values: now, endpoint })
        if (round === 0) continue
        const key = `${contender.name} ${step}`
        runs.set(key, [...(runs.get(key) ?? []), run])
      }
    }
  }
  const figures = (name: string, step: Step): readonly Figure[] =>
    (runs.get(`${name} ${step}`) ?? []).flatMap((run) => ('fault' in run ? [] : [run]))
  const faults = contenders.flatMap(({ name, title }) =>
    steps.flatMap((step) => {
      const fault = (runs.get(`${name} ${step}`) ?? []).find((run) => 'fault' in run)
      return fault !== undefined && 'fault' in fault ? [`- ${title}, ${step}: \`${fault.fault}\``] : []
    }),
  )
  const rows = steps.flatMap((step) => {
    const theirs = figures('aws', step)
    return contenders.map(({ name, title }) => {
      const found = figures(name, step)
      const part = (what: 'wall' | 'cpu'): string => {
        const [ours, aws] = [found, theirs].map((all) => median(all.map((one) => one[what])))
        if (ours === undefined || aws === undefined) return 'void'
        const missed = name === 'protium' && what === 'wall' && ours / aws > mostOfTime
        return `${(ours / aws).toFixed(2)}${missed ? ' (missed)' : ''}`
      }
      const requests = median(found.map((one) => one.requests))
      const isOver = name !== 'aws' && requests !== undefined && requests > most[step]
      return [
        step,
        title,
        spread(
          found.map(({ wall }) => wall),
          3,
        ),
        name === 'aws' ? '' : part('wall'),
        spread(
          found.map(({ cpu }) => cpu),
          3,
        ),
        name === 'aws' ? '' : part('cpu'),
        requests === undefined ? 'void' : `${requests}${isOver ? ' (missed)' : ''}`,
        name === 'aws' ? '' : String(most[step]),
      ]
    })
  })
  return [
    `Against ${endpoint.title}:`,
    table(['what', 'by', 'wall, s', 'of aws', 'CPU, s', 'of aws', 'requests', 'at most'], rows),
    ...(faults.length === 0 ? [] : [faults.join('\n')]),
  ].join('\n\n')
}

/** One run, timed by the shell: the clock, and the CPU of the program with all that it starts. */
async function timed(
  { command, env: more }: Contender,
  {
    tiny,
    step,
    values,
    endpoint,
  }: { readonly tiny: Tiny; readonly step: Step; readonly values: TinyValues; readonly endpoint: Endpoint },
): Promise<Run> {
  const before = await endpoint.requests()
  const script = 'TIMEFORMAT="%R %U %S"; time "$@" >"$OUT" 2>&1'
  const out = join(tiny.organisation, '..', 'out.txt')
  const child = spawn('bash', ['-c', script, 'bash', ...command(tiny, { step, values })], {
    cwd: tiny.organisation,
    env: {
      PATH: env['PATH'],
      HOME: join(tiny.organisation, '..'),
      OUT: out,
      AWS_ENDPOINT_URL: endpoint.url,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: values.region,
      AWS_DEFAULT_REGION: values.region,
      AWS_EC2_METADATA_DISABLED: 'true',
      ...more?.(tiny),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let times = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (times += text))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const requests = (await endpoint.requests()) - before
  if (code !== 0) return { fault: lastLine(readFileSync(out, 'utf8')) }
  const [wall = 0, user = 0, system = 0] = times.trim().split(' ').map(Number)
  return { wall, cpu: user + system, requests }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}

// The programs

/** The program itself, not a shim that looks for it first, and its version. */
function awsCli(): { readonly file: string; readonly version: string } | undefined {
  const said = (program: string, words: readonly string[]): string | undefined => {
    const { status, stdout } = spawnSync(program, words, { encoding: 'utf8' })
    return status === 0 ? stdout.trim() : undefined
  }
  const file = said('pyenv', ['which', 'aws']) ?? said('bash', ['-c', 'command -v aws'])
  const version = file === undefined ? undefined : said(file, ['--version'])
  return file === undefined || version === undefined
    ? undefined
    : { file, version: version.split(' ').slice(0, 2).join(' ') }
}

function deployOfAws(file: string): Contender {
  return {
    name: 'aws',
    title: '`aws cloudformation deploy`',
    command: ({ template }, { step, values: { stack, retention } }) => [
      file,
      'cloudformation',
      'deploy',
      '--no-fail-on-empty-changeset',
      `--stack-name=${stack}`,
      `--template-file=${template}`,
      // moto knows that nothing has changed where the parameters are left as they were, and throws where they are repeated.
      ...(step === 'nothing to do' ? [] : ['--parameter-overrides', `name=${stack}`, `retention=${retention}`]),
    ],
  }
}

/** The action `deploy` as a workflow runs it. */
function compiled(dist: string): Contender {
  return {
    name: 'protium',
    title: 'Protium, the action',
    command: () => [execPath, join(dist, 'deploy.js')],
    env: ({ organisation }) => {
      const [output, summary] = ['output', 'summary'].map((name) => join(organisation, '..', name))
      for (const file of [output, summary]) if (file !== undefined) writeFileSync(file, '')
      return { INPUT_SERVICES: 'environment/dev', GITHUB_OUTPUT: output ?? '', GITHUB_STEP_SUMMARY: summary ?? '' }
    },
  }
}

function fromSources(): Contender {
  const cli = join(import.meta.dirname, '../src/cli.ts')
  return {
    name: 'sources',
    title: 'Protium, the command from its sources',
    command: () => [execPath, cli, 'deploy', 'environment/dev'],
  }
}

// The endpoints

async function fakeEndpoint(): Promise<Endpoint> {
  const child = fork(join(import.meta.dirname, 'endpoint.ts'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const next = async (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('the fake CloudFormation has ended'))
      child.once('exit', ended)
      child.once('message', (said) => {
        child.off('exit', ended)
        resolve(said)
      })
    })
  const url = String(await next())
  let all = 0
  return {
    title: 'the fake CloudFormation',
    url,
    account: '123456789012',
    requests: async () => {
      child.send('requests')
      const asked = await next()
      all += Array.isArray(asked) ? asked.length : 0
      return all
    },
    close: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.disconnect()
      await ended
    },
  }
}

async function motoEndpoint(): Promise<Endpoint | undefined> {
  if (!isMotoInstalled) {
    stderr.write('bench: no moto, so its figures are void: npm run setup:moto installs it\n')
    return undefined
  }
  const { url, requests, close } = await startMoto()
  return {
    title: 'moto',
    url,
    account: '123456789012',
    // It writes a line down after it has answered.
    requests: async () => {
      await wait(100)
      return requests()
    },
    close,
  }
}

function write(file: string, text: string | Buffer): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
