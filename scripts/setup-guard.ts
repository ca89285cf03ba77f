/**
 * `npm run setup:guard`: puts cfn-guard into a folder of its own, for the tests that ask it (`test/checks`). Nothing of the
 * package that it comes in is run or installed. Does nothing where it is there already.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { guardFile, guardFolder, guardPackage, isGuardInstalled } from '../test/checks/guard.ts'

process.exitCode = main()

function main(): number {
  if (isGuardInstalled) return say(`cfn-guard is in ${guardFolder}.`, 0)
  if (guardFile === undefined) return say('there is no cfn-guard for this machine in the package that it comes in.', 1)
  mkdirSync(dirname(guardFolder), { recursive: true })
  const aside = mkdtempSync(`${guardFolder}.`)
  try {
    const { name, version, integrity } = guardPackage
    say(`fetching ${name} ${version} …`, 0)
    const npm = spawnSync('npm', ['pack', `${name}@${version}`, '--silent', '--pack-destination', aside], {
      cwd: aside,
      stdio: ['ignore', 'ignore', 2],
    })
    const file = readdirSync(aside).find((each) => each.endsWith('.tgz'))
    if (npm.status !== 0 || file === undefined) return say('npm failed; its message is above.', 1)
    const digest = createHash('sha512')
      .update(readFileSync(join(aside, file)))
      .digest('base64')
    if (`sha512-${digest}` !== integrity)
      return say('what npm fetched is not what was fetched when this was written.', 1)
    execFileSync('tar', ['-xzf', file, '--strip-components=4', `package/bin/${guardFile}/cfn-guard`], { cwd: aside })
    rmSync(join(aside, file))
    chmodSync(join(aside, 'cfn-guard'), 0o755)
    const starts = spawnSync(join(aside, 'cfn-guard'), ['--version'], { stdio: ['ignore', 'ignore', 2] }).status === 0
    if (!starts) return say('what is in the package does not start here; its message is above.', 1)
    // Another run may have been as quick: then its folder is as good.
    if (!existsSync(guardFolder)) renameSync(aside, guardFolder)
    return say('cfn-guard is installed.', 0)
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

function say(message: string, code: number): number {
  process.stderr.write(`protium: ${message}\n`)
  return code
}
