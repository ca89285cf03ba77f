import { hash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'

import type { Ports } from './command.ts'
import { line } from './core/encode.ts'
import { Refused } from './core/problem.ts'
import { chooseSha256 } from './core/sha256.ts'
import type { Clock } from './ports.ts'

/** What a command is handed of the machine that it runs on; the same at every door. */
export type Machine = Pick<
  Ports,
  'files' | 'provisioner' | 'records' | 'board' | 'exclusive' | 'forget' | 'probe' | 'check' | 'around' | 'clock'
>

/** The disk, git, the clock and the provisioners; each adapter is loaded when it is asked for. */
export function machine({
  pace,
}: {
  /** Milliseconds that a unit of the local provisioner's work takes; 0 where nobody watches. */
  readonly pace: number
}): Machine {
  chooseSha256((text) => hash('sha256', text, 'hex'))
  const clock: Clock = {
    now: () => new Date(),
    sleep: async (milliseconds, abort) => wait(milliseconds, undefined, abort === undefined ? {} : { signal: abort }),
  }
  return {
    files: {
      tree: async (root, only, options) => {
        const read = await (await import('./adapters/disk.ts')).readTree(root, undefined, only, options)
        if (read.tree.size > manyFiles) tuneEngine()
        return read
      },
      text: async (file, options) => (await import('./adapters/disk.ts')).readText(file, options),
      write: async (root, tree) => (await import('./adapters/disk.ts')).writeTree(root, tree),
      writeText: async (file, text) =>
        (await import('./adapters/disk.ts')).writeTree(dirname(file), new Map([[basename(file), text]])),
      remove: async (folder) => rm(folder, { recursive: true, force: true }),
      changes: async (paths, abort) => (await import('./adapters/watch.ts')).changes(paths, abort),
      releases: async (root, options) => (await import('./adapters/git.ts')).tags(root, options),
      released: async (root, release) => (await import('./adapters/checkout.ts')).checkoutBundle(root, release),
      recorded: async (root) => (await import('./adapters/checkout.ts')).checkoutReleases(root),
      changed: async (root, base) => (await import('./adapters/git.ts')).changed(root, base),
      begun: async (root, base) => (await import('./adapters/git.ts')).begun(root, base),
      isBefore: async (root, commits) => (await import('./adapters/git.ts')).isBefore(root, commits),
      at: async (root, commit) => (await import('./adapters/git.ts')).readTreeAt(root, commit, ''),
      commit: async (root) => (await import('./adapters/git.ts')).head(root),
      board: async (root) => (await import('./adapters/checkout.ts')).checkoutBoard(root),
      ledger: async (root) => (await import('./adapters/checkout.ts')).fetchedBranch(root),
    },
    provisioner: async (options) => {
      if (options.name === 'cloudformation') {
        const { credentials, templateBucket } = options
        const { cloudFormation } = await import('./adapters/cloudformation.ts')
        return cloudFormation({ credentials, templateBucket, clock, random: Math.random, run: runNow() })
      }
      if (options.name !== 'local') {
        throw new Refused(
          'provisioner-missing',
          `There is no provisioner "${line(options.name)}" in this version; there are "local" and "cloudformation".`,
          {
            remedy: 'Write `provisioner: local` in the environment’s file to rehearse it on this machine.',
          },
        )
      }
      const [{ localProvisioner }, { writeAtomically }] = await Promise.all([
        import('./adapters/local.ts'),
        import('./adapters/disk.ts'),
      ])
      return localProvisioner({
        folder: options.folder,
        fail: options.fail,
        clock,
        pace,
        // A rehearsal can be begun again; it need not outlive a power failure, and writes hundreds of files.
        write: (path, text) => writeAtomically(path, text, { settle: false }),
      })
    },
    records: async (folder) => (await import('./adapters/records.ts')).folderRecords(folder),
    board: async (records) => (await import('./adapters/board.ts')).folderBoard(records, clock),
    exclusive: async (stacks) => {
      const hold = await (await import('./adapters/local/lock.ts')).holdFolder(stacks, clock)
      return { [Symbol.asyncDispose]: async () => hold.release() }
    },
    forget: async (folders) => (await import('./adapters/local/forget.ts')).forget(folders, clock),
    probe: async (url, signal) => (await import('./adapters/probe.ts')).probe(url, signal),
    check: async (name, options) => (await import('./adapters/checks.ts')).checkTemplates(name, options),
    // What only a terminal looks at, or only who has a token, is put in by the doors.
    around: {
      settings: undefined,
      account: undefined,
      access: undefined,
      nameServers: async (domain) => (await import('./adapters/names.ts')).nameServersBy()(domain),
      version,
    },
    clock,
  }
}

/**
 * By which the operations of this run are known again: the run of a workflow, or a number that is drawn for one in a terminal.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/variables
 */
function runNow(): { readonly id: string; readonly attempt: number; readonly pullRequest?: number } {
  const { GITHUB_RUN_ID: id, GITHUB_RUN_ATTEMPT: attempt, GITHUB_REF: ref = '' } = process.env
  const [, pull] = /^refs\/pull\/(\d+)\//u.exec(ref) ?? []
  return {
    id: id ?? randomBytes(6).toString('hex'),
    attempt: Number(attempt ?? 1),
    ...(pull !== undefined && { pullRequest: Number(pull) }),
  }
}

/** So many files make a run that lasts. */
const manyFiles = 500

/**
 * Two habits of V8 cost a run more than they give it. It sees that what is read first, the organisation, lives long, and from then
 * on makes all that comes of the same lines of code for a long life too, although a rendering is gone a moment later. And it puts
 * so many functions into each that it makes fast that this takes longer than most runs last. Neither changes any result. With other
 * habits V8 takes no code that was compiled with the old ones, Node's own included, so that a short run is better off without.
 */
function tuneEngine(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=300')
}

/** The number of this version. The file lies one folder up from the sources, and from the shared parts of a build. */
export function version(): string {
  const { version: number } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return String(number)
}
