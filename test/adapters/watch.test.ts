import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { changes } from '../../src/adapters/watch.ts'

let folder: string
let controller: AbortController
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'protium-watch-'))
  controller = new AbortController()
})
afterEach(() => {
  controller.abort()
  rmSync(folder, { recursive: true, force: true })
})

/** Waits for the next change that a deed brings about. */
async function changeBy(deed: () => void, ...paths: readonly string[]): Promise<IteratorResult<void>> {
  const watched = changes(
    paths.map((path) => join(folder, path)),
    controller.signal,
  )
  const next = watched.next()
  deed()
  return next
}

describe('watching', () => {
  test('notices a file that is written', async () => {
    writeFileSync(join(folder, 'a.txt'), 'one')
    const change = await changeBy(() => writeFileSync(join(folder, 'a.txt'), 'two'), 'a.txt')
    expect(change).toEqual({ done: false, value: undefined })
  })

  test('notices a file that is replaced, as editors do', async () => {
    writeFileSync(join(folder, 'a.txt'), 'one')
    const change = await changeBy(() => {
      writeFileSync(join(folder, 'a.txt.new'), 'two')
      renameSync(join(folder, 'a.txt.new'), join(folder, 'a.txt'))
    }, 'a.txt')
    expect(change.done).toBe(false)
  })

  test('notices a file deep in a folder', async () => {
    mkdirSync(join(folder, 'templates', 'web', 'v1'), { recursive: true })
    const change = await changeBy(
      () => writeFileSync(join(folder, 'templates', 'web', 'v1', 'a.yaml'), 'x'),
      'templates',
    )
    expect(change.done).toBe(false)
  })

  test('takes many changes at once for one', async () => {
    writeFileSync(join(folder, 'a.txt'), '')
    const watched = changes([join(folder, 'a.txt')], controller.signal)
    const first = watched.next()
    for (let round = 0; round < 20; round += 1) writeFileSync(join(folder, 'a.txt'), String(round))
    expect((await first).done).toBe(false)
    const second = watched.next()
    controller.abort()
    expect((await second).done).toBe(true)
  })

  test('ends when it is told to, also where nothing is there to be watched', async () => {
    const watched = changes([join(folder, 'nothing')], controller.signal)
    const next = watched.next()
    controller.abort()
    expect((await next).done).toBe(true)
  })
})
