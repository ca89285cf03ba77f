import { spawn } from 'node:child_process'
import { join } from 'node:path'

const cli = join(import.meta.dirname, '../../src/cli.ts')

export type Typed = { readonly code: number; readonly out: string; readonly error: string }

/** Runs what a person types behind `protium`, in a folder and with this environment alone. */
export function terminal({
  folder,
  env,
}: {
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}): (...words: readonly string[]) => Promise<Typed> {
  return async (...words) => {
    const child = spawn(process.execPath, [cli, ...words], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [out, error] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text))
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (status) => resolve(status ?? 1))
    })
    return { code, out, error }
  }
}
