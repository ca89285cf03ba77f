import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What is installed: moto at the one version that the tests speak of, and what it needs. */
export const requirements = join(import.meta.dirname, 'requirements.txt')

/** Where `npm run setup:moto` puts it. The name carries what is in it, so a changed list makes a new folder. */
export const motoFolder = join(
  import.meta.dirname,
  '../../node_modules/.cache',
  `moto-${createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12)}`,
)

export const isMotoInstalled = existsSync(motoFolder)

/** A server of moto of our own: https://docs.getmoto.org/en/5.2.1/docs/server_mode.html */
export type Moto = {
  readonly url: string
  /** How many requests it has answered. */
  readonly requests: () => number
  readonly close: () => Promise<void>
}

/** Starts moto on a free port of 127.0.0.1. */
export async function startMoto(): Promise<Moto> {
  const child = spawn('python3', ['-m', 'moto.server', '--host', '127.0.0.1', '--port', '0'], {
    // moto asks nobody else; the machine's own settings of AWS are none of its business.
    env: { PATH: process.env.PATH, HOME: motoFolder, PYTHONPATH: motoFolder, PYTHONUNBUFFERED: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let answered = 0
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const hear = (text: string): void => {
    answered += text.match(/" [1-5][0-9]{2} -$/gm)?.length ?? 0
    if (said.length < 10_000) said += text
    const url = /Running on (http:\/\/127\.0\.0\.1:[0-9]+)/.exec(said)?.[1]
    if (url !== undefined) resolve(url)
  }
  child.stdout.setEncoding('utf8').on('data', hear)
  child.stderr.setEncoding('utf8').on('data', hear)
  const ended = new Promise<void>((done) => {
    child.once('close', () => {
      reject(new Error(`moto did not start. npm run setup:moto mends it where it is broken. It said:\n${said}`))
      done()
    })
  })
  child.once('error', reject)
  const url = await promise
  return {
    url,
    requests: () => answered,
    async close() {
      child.kill()
      await ended
    },
  }
}
