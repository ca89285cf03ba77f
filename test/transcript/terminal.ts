import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { quickFolder } from '../quick-folder.ts'

const repository = join(import.meta.dirname, '..', '..')

/** What a person sees of one run, with the durations taken out: they differ from run to run. */
export type Transcript = { readonly stdout: string; readonly stderr: string; readonly exit: number | null }

/** A copy of the sample organisation in a folder of its own, gone when the test ends. */
export function sample(): string {
  const folder = emptyFolder()
  for (const name of ['catalog.yaml', 'environments', 'services', 'templates']) {
    cpSync(join(repository, name), join(folder, name), { recursive: true })
  }
  return folder
}

export function emptyFolder(): string {
  const folder = mkdtempSync(join(quickFolder(), 'protium-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Runs `protium` with the words, in the folder, as a child process whose output is no terminal. */
export async function protium(folder: string, ...words: readonly string[]): Promise<Transcript> {
  return protiumWith({}, folder, ...words)
}

export async function protiumWith(
  options: { readonly env?: Readonly<Record<string, string>>; readonly stdin?: string; readonly uid?: number },
  folder: string,
  ...words: readonly string[]
): Promise<Transcript> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, USER: 'ana', ...options.env }
  const child = spawn(process.execPath, [join(repository, 'src', 'cli.ts'), ...words], {
    cwd: folder,
    env,
    ...(options.uid !== undefined && { uid: options.uid }),
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  child.stdin.end(options.stdin ?? '')
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exit) => {
      resolve({
        stdout: timeless(Buffer.concat(out).toString()),
        stderr: timeless(Buffer.concat(err).toString()),
        exit,
      })
    })
  })
}

/** Durations and ages at the ends of columns are replaced, with the space before them, since their width differs too. */
export function timeless(text: string): string {
  return text.replaceAll(/ +(?:\d+(?:\.\d)? (?:s|min)(?: \d+ s)?|now)(?=  |$)/gmu, ' <time>')
}

/** Changes a file of a copy; the text that is replaced has to be there. */
export function edit(folder: string, file: string, change: { readonly from: string; readonly to: string }): void {
  const path = join(folder, file)
  const text = readFileSync(path, 'utf8')
  if (!text.includes(change.from)) throw new Error(`${file} does not hold ${JSON.stringify(change.from)}`)
  writeFileSync(
    path,
    text.replace(change.from, () => change.to),
  )
}

export function write(folder: string, file: string, text: string | Uint8Array): void {
  writeFileSync(join(folder, file), text)
}

/** Every file below a folder with its text: equal before and after means that nothing was written. */
export function snapshotOf(folder: string): Readonly<Record<string, string>> {
  if (!existsSync(folder)) return {}
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()
  return Object.fromEntries(
    names
      .filter((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isFile() === true)
      .map((name) => [name, readFileSync(join(folder, name), 'latin1')]),
  )
}

/** What a bash script of the folder prints; it is called with the paths of node and of the command line's file. */
export function shell(folder: string, script: string): string {
  return spawnSync('bash', [script, process.execPath, join(repository, 'src', 'cli.ts')], {
    cwd: folder,
    encoding: 'utf8',
  }).stdout
}
