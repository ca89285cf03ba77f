import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, delimiter, isAbsolute, join } from 'node:path'
import { canonicalJson } from '../core/canonical.ts'
import { type CheckFinding, type CheckedFiles, readFindings, withoutDirections } from '../core/policy/checks.ts'
import type { CheckName } from '../core/policy/rules.ts'
import type { FileTree } from '../core/tree.ts'
import type { CheckAnswer, CheckedTemplate, CheckOptions } from '../ports.ts'

/** Milliseconds that a program has for its templates. */
const patience = 120_000
/** Bytes of what it says that are kept; more is none of its forms. */
const most = 20_000_000

/**
 * What a job has in its environment that may do something in an account.
 * https://docs.github.com/en/actions/reference/security/oidc#methods-for-requesting-the-oidc-token
 */
const rights = [
  'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
]

/**
 * Runs a program that judges templates, in a folder of its own that holds them and nothing else: no configuration of a
 * repository is found from there, no setting and no credential of the environment is handed on, and what a template would tell
 * the program is taken out of it. In a job that has credentials it does nothing. Never throws for what the program does.
 */
export async function checkTemplates(
  name: CheckName,
  { templates, rules, signal, limit = patience }: CheckOptions,
): Promise<CheckAnswer> {
  const right =
    process.env['GITHUB_ACTIONS'] === 'true' ? rights.find((each) => process.env[each] !== undefined) : undefined
  if (right !== undefined)
    return { is: 'failed', why: `this job has credentials (${right}), and ${name} runs only in one that has none` }
  // The real path: a program tells of its files by that.
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'protium-check-')))
  try {
    const findings: CheckFinding[] = []
    for (const [region, some] of Map.groupBy(templates, (each) => each.region)) {
      const files = await written(some, join(folder, region))
      const args = await argumentsOf(name, { files, rules, folder, region })
      const ran = await run(name, { args, folder, signal, limit })
      if (ran.is !== 'ended') return ran
      const found = isDone(name, ran.code) ? readFindings(name, { text: ran.text, files }) : undefined
      if (found === undefined) return { is: 'failed', why: ended(name, ran) }
      findings.push(...found)
    }
    return { is: 'judged', findings }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function written(templates: readonly CheckedTemplate[], folder: string): Promise<CheckedFiles> {
  await mkdir(folder, { recursive: true })
  const files = templates.map(async ({ name, body }, index) => {
    // Names come from files of a repository, and are no names of files here.
    const file = join(folder, `${index}.json`)
    await writeFile(file, canonicalJson(withoutDirections(body)))
    return [file, { name, body }] as const
  })
  return new Map(await Promise.all(files))
}

async function argumentsOf(
  name: CheckName,
  {
    files,
    rules,
    folder,
    region,
  }: {
    readonly rules: FileTree | undefined
    readonly files: CheckedFiles
    readonly folder: string
    readonly region: string
  },
): Promise<readonly string[]> {
  if (name === 'cfn-lint') {
    // A configuration that is named keeps it from looking for others, in the home of who runs it too.
    const config = join(folder, 'config.json')
    await writeFile(config, '{}')
    return ['--config-file', config, '--format', 'json', '--regions', region, '--', ...files.keys()]
  }
  const own = join(folder, 'rules')
  await mkdir(own, { recursive: true })
  const texts = [...(rules ?? [])]
  // Under their own names, which are in what it says of them.
  await Promise.all(texts.map(async ([path, text]) => writeFile(join(own, basename(path)), text)))
  const data = [...files.keys()].flatMap((file) => ['--data', file])
  return ['validate', '--rules', own, ...data, '--structured', '--output-format', 'json', '--show-summary', 'none']
}

/** cfn-lint adds up 2 for errors, 4 for warnings and 8 for remarks; cfn-guard ends with 19 where a rule is not kept. */
function isDone(name: CheckName, code: number): boolean {
  return name === 'cfn-lint' ? code >= 0 && code < 16 && code % 2 === 0 : code === 0 || code === 19
}

type Ran = { readonly is: 'ended'; readonly code: number; readonly text: string; readonly errors: string }

function ended(name: CheckName, { code, errors }: Ran): string {
  const said = errors
    .split('\n')
    .find((line) => line.trim() !== '')
    ?.trim()
    .slice(0, 300)
  return `${name} ended with ${code}${said === undefined ? ', and said nothing of its form' : `: ${said}`}`
}

async function run(
  name: string,
  {
    args,
    folder,
    signal,
    limit,
  }: {
    readonly args: readonly string[]
    readonly folder: string
    readonly signal: AbortSignal
    readonly limit: number
  },
): Promise<Ran | Exclude<CheckAnswer, { readonly is: 'judged' }>> {
  const child = spawn(name, args, {
    cwd: folder,
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: what it has started itself ends with it.
    detached: process.platform !== 'win32',
  })
  const { promise, resolve } = Promise.withResolvers<Ran | Exclude<CheckAnswer, { readonly is: 'judged' }>>()
  let [text, errors, size] = ['', '', 0]
  const stop = (why: string): void => {
    resolve({ is: 'failed', why })
    try {
      if (child.pid !== undefined && process.platform !== 'win32') process.kill(-child.pid, 'SIGKILL')
      else child.kill('SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }
  const hear = (piece: string, isText: boolean): void => {
    size += piece.length
    if (size > most) stop(`${name} said more than ${most} bytes`)
    else if (isText) text += piece
    else errors += piece
  }
  child.stdout.setEncoding('utf8').on('data', (piece: string) => hear(piece, true))
  child.stderr.setEncoding('utf8').on('data', (piece: string) => hear(piece, false))
  child.once('error', (error: NodeJS.ErrnoException) =>
    resolve(
      error.code === 'ENOENT'
        ? { is: 'missing' }
        : { is: 'failed', why: `${name} cannot be started (${error.message})` },
    ),
  )
  // 127 is what a shell script says that stands for the program and finds none.
  child.once('close', (code) =>
    resolve(code === 127 ? { is: 'missing' } : { is: 'ended', code: code ?? -1, text, errors }),
  )
  const timer = setTimeout(() => stop(`${name} did not end within ${Math.round(limit / 1000)} seconds`), limit)
  const interrupted = (): void => stop(`${name} was stopped`)
  signal.addEventListener('abort', interrupted, { once: true })
  if (signal.aborted) interrupted()
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', interrupted)
  }
}

/** What a program needs to be found and to start: no setting of its own, no token and no credential is among it. */
function environment(): NodeJS.ProcessEnv {
  const { PATH = '', HOME, USERPROFILE, SYSTEMROOT } = process.env
  const path = PATH.split(delimiter).filter(isAbsolute).join(delimiter)
  return {
    PATH: path,
    LANG: 'C.UTF-8',
    ...(HOME !== undefined && { HOME }),
    ...(USERPROFILE !== undefined && { USERPROFILE }),
    ...(SYSTEMROOT !== undefined && { SYSTEMROOT }),
  }
}
