import { type FSWatcher, statSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** Milliseconds without a change after which files count as saved: an editor writes one in several steps. */
const quiet = 40

/**
 * Watches files and folders from now on. Comes whenever something in them has changed and has been quiet for a moment; what
 * changes while nobody waits is told at the next wait. A file is watched through its folder, so that one that is replaced
 * is noticed too; what is not there is not watched. Ends with the signal.
 */
export function changes(paths: readonly string[], signal: AbortSignal): AsyncGenerator<void> {
  const state = { changed: false, wake: () => {} }
  const note = (): void => {
    state.changed = true
    state.wake()
  }
  const watchers = paths.flatMap((path) => watcherOf(path, note))
  signal.addEventListener('abort', note)
  const end = (): void => {
    signal.removeEventListener('abort', note)
    for (const watcher of watchers) watcher.close()
  }
  return moments(state, { signal, end })
}

type State = { changed: boolean; wake: () => void }

async function* moments(
  state: State,
  { signal, end }: { readonly signal: AbortSignal; readonly end: () => void },
): AsyncGenerator<void> {
  try {
    while (!signal.aborted) {
      if (!state.changed) await new Promise<void>((resolve) => (state.wake = resolve))
      while (state.changed && !signal.aborted) {
        state.changed = false
        await wait(quiet)
      }
      if (!signal.aborted) yield
    }
  } finally {
    end()
  }
}

function watcherOf(path: string, note: () => void): FSWatcher[] {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return []
  if (stats.isDirectory()) return [quietly(watch(path, { recursive: true }, note))]
  const name = basename(path)
  return [quietly(watch(dirname(path), (_, changed) => (changed === null || changed === name ? note() : undefined)))]
}

/** A folder that is removed while it is watched has nothing more to tell. */
function quietly(watcher: FSWatcher): FSWatcher {
  return watcher.on('error', () => {})
}
