import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { quickFolder } from '../quick-folder.ts'
import { timeless } from './terminal.ts'

const repository = join(import.meta.dirname, '..', '..')

/** What came of a step: what the runner reads, and what it keeps. */
export type Step = {
  /** With the random words of the runner's commands taken out. */
  readonly stdout: string
  readonly stderr: string
  readonly outputs: Readonly<Record<string, string>>
  readonly summary: string
  readonly exit: number | null
}

/**
 * Runs a built action as the runner does, in the folder as its workspace: from a copy of `dist/` that has nothing beside
 * it, with no other variables than a step has.
 */
export async function step(
  verb: string,
  folder: string,
  {
    inputs = {},
    env = {},
  }: {
    readonly inputs?: Readonly<Record<string, string>>
    readonly env?: Readonly<Record<string, string | undefined>>
  } = {},
): Promise<Step> {
  const temporary = mkdtempSync(join(quickFolder(), 'protium-step-'))
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }))
  const dist = join(temporary, 'action/dist')
  cpSync(join(repository, 'dist'), dist, { recursive: true })
  const [output, summary] = ['output', 'summary'].map((name) => join(temporary, name))
  if (output === undefined || summary === undefined) throw new Error('no files')
  writeFileSync(output, '')
  writeFileSync(summary, '')
  const variables: Readonly<Record<string, string | undefined>> = {
    PATH: process.env['PATH'] ?? '',
    HOME: temporary,
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTOR: 'ana',
    GITHUB_WORKSPACE: folder,
    GITHUB_OUTPUT: output,
    GITHUB_STEP_SUMMARY: summary,
    ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
    ...env,
  }
  const child = spawn(process.execPath, [join(dist, `${verb}.js`)], {
    cwd: folder,
    env: Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined)),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  const exit = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return {
    stdout: timeless(withoutTokens(Buffer.concat(out).toString())),
    stderr: Buffer.concat(err).toString(),
    outputs: outputsIn(readFileSync(output, 'utf8')),
    summary: readFileSync(summary, 'utf8'),
    exit,
  }
}

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gu

function withoutTokens(text: string): string {
  return text.replaceAll(uuid, 'TOKEN')
}

/** The outputs as the runner reads them: `name<<DELIMITER`, lines, `DELIMITER`. */
function outputsIn(text: string): Readonly<Record<string, string>> {
  const outputs: Record<string, string> = {}
  const all = text.split('\n')
  while (all.length > 1) {
    const head = /^([^=]+?)<<(ghadelimiter_.+)$/u.exec(all.shift() ?? '')
    const end = all.indexOf(head?.[2] ?? '')
    if (head?.[1] === undefined || end === -1) throw new Error(`no output of a step: ${text}`)
    outputs[head[1]] = all.splice(0, end).join('\n')
    all.shift()
  }
  return outputs
}

/** What the runner would do on reading the lines: a port of its two parsers, with `stop-commands` obeyed. */
export function commandsIn(stdout: string): readonly { readonly name: string; readonly text: string }[] {
  const found: { name: string; text: string }[] = []
  let stopped: string | undefined
  for (const each of stdout.split(/\r\n|\r|\n/u)) {
    const [, name, text = ''] =
      /^\s*::([^\s:]+)(?: [^:]*)?::(.*)$/u.exec(each) ?? /##\[([^\s\]]+)[^\]]*\](.*)$/u.exec(each) ?? []
    if (name === undefined) continue
    if (stopped !== undefined) {
      if (name === stopped) stopped = undefined
      else found.push({ name: `(stopped) ${name}`, text })
    } else if (name === 'stop-commands') stopped = text
    else found.push({ name, text })
  }
  if (stopped !== undefined) found.push({ name: '(never resumed)', text: stopped })
  return found
}
