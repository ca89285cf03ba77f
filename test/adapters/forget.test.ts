import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { forget } from '../../src/adapters/local/forget.ts'
import { quickFolder } from '../quick-folder.ts'

const clock = { now: () => new Date(0), sleep: async () => {} }
const made: string[] = []
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function state(more: Readonly<Record<string, string>> = {}) {
  const root = mkdtempSync(join(quickFolder(), 'protium-forget-'))
  made.push(root)
  const files = {
    'stacks/format.json': '{"format":1}',
    'stacks/stacks/1/r/a.json': '{}',
    'records/a.json': '{}',
    ...more,
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const folders = { stacks: join(root, 'stacks'), records: join(root, 'records') }
  return { root, folders, left: () => readdirSync(root, { recursive: true }).map(String).toSorted() }
}

describe('forgetting the local stacks', () => {
  test('removes stacks and records, and leaves no lock', async () => {
    const { folders, left } = state()

    await forget(folders, clock)

    expect(left()).toEqual(['stacks'])
  })

  test('makes nothing where there is nothing', async () => {
    const { root } = state()
    const folders = { stacks: join(root, 'x/stacks'), records: join(root, 'x/records') }

    await forget(folders, clock)

    expect(existsSync(join(root, 'x'))).toBe(false)
  })

  test.each(['stacks/notes.txt', 'records/photo.png'])('touches nothing where %s is somebody else’s', async (path) => {
    const { folders, left } = state({ [path]: 'mine' })
    const before = left()

    await expect(forget(folders, clock)).rejects.toMatchObject({ code: 'path-taken' })

    expect(left()).toEqual(before)
  })

  test('touches nothing while another run works on the stacks', async () => {
    const other = JSON.stringify({ pid: 1, started: '', host: 'elsewhere' })
    const { folders, left } = state({ 'stacks/locks/1-.json': other })
    const before = left()

    await expect(forget(folders, clock)).rejects.toMatchObject({ code: 'state-locked' })

    expect(left()).toEqual(before)
  })
})
