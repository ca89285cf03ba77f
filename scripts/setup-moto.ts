/**
 * `npm run setup:moto`: installs moto, a fake of AWS that others wrote and that the tests in `test/moto` speak to, into a
 * folder of its own. It needs Python 3.11 or later with pip, asks nothing, and does nothing where moto is already there and starts.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { motoFolder, requirements } from '../test/moto/moto.ts'

process.exitCode = main()

function main(): number {
  if (existsSync(motoFolder)) {
    if (imports(motoFolder)) return say(`moto is in ${motoFolder}.`, 0)
    // Python itself has become another one.
    rmSync(motoFolder, { recursive: true, force: true })
  }
  say(`installing moto into ${motoFolder} …`, 0)
  mkdirSync(dirname(motoFolder), { recursive: true })
  const aside = mkdtempSync(`${motoFolder}.`)
  try {
    const options = ['--quiet', '--disable-pip-version-check', '--no-input', '--no-deps', '--target', aside]
    const pip = spawnSync('python3', ['-m', 'pip', 'install', ...options, '--requirement', requirements], {
      stdio: ['ignore', 2, 2],
    })
    if (pip.error !== undefined)
      return say(`python3 cannot be started (${pip.error.message}). Install Python 3.11 or later with pip.`, 1)
    if (pip.status !== 0) return say('pip failed; its message is above. Run it again when that is mended.', 1)
    if (!imports(aside)) return say('what pip installed does not start with this Python; its message is above.', 1)
    // Another run may have been as quick: then its folder is as good.
    if (!existsSync(motoFolder)) renameSync(aside, motoFolder)
    return say('moto is installed.', 0)
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

function imports(folder: string): boolean {
  const { status } = spawnSync('python3', ['-c', 'import moto.server'], {
    env: { ...process.env, PYTHONPATH: folder },
    stdio: ['ignore', 'ignore', 2],
  })
  return status === 0
}

function say(message: string, code: number): number {
  process.stderr.write(`protium: ${message}\n`)
  return code
}
