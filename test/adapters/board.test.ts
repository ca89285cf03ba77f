import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { folderBoard } from '../../src/adapters/board.ts'
import { boardBranch, branchBoard } from '../../src/adapters/github/board.ts'
import type { Board, Lock, Waiting } from '../../src/core/board.ts'
import { emptyBoard, readBoard, withLock, withWaiting, writeBoard } from '../../src/core/board.ts'
import type { BoardHost, Clock } from '../../src/ports.ts'
import type { FaultKind } from '../fakes/github/faults.ts'
import type { GitHub, Grant } from '../fakes/github/server.ts'
import { startGitHub } from '../fakes/github/server.ts'
import { quickFolder } from '../quick-folder.ts'

const now = new Date('2026-11-25T12:00:00Z')

function waiting(unit: string): Waiting {
  const gates = [{ gate: 'soak', is: 'held', why: 'It soaks: 한국어 ±.' }] as const
  const run = { id: '1', attempt: 1 }
  return { unit, stage: 'prod', commit: 'a'.repeat(40), by: 'ana', run, since: now.toISOString(), gates }
}

function lockOf(by: string): Lock {
  return { unit: 'checkout/prod', by, reason: 'moving the data', since: now.toISOString() }
}

const add =
  (unit: string) =>
  (board: Board): Board =>
    withWaiting(board, waiting(unit))

/** Counts how often it was taken up: an edit that comes to something else when it is made twice. */
const resumed = (board: Board): Board => ({
  ...board,
  waiting: board.waiting.map((each) => ({ ...each, resumes: (each.resumes ?? 0) + 1 })),
})

/** What every place of a board promises, tried on new and empty ones; each call is another process or another run. */
function testBoard(host: () => BoardHost): void {
  test('is empty before the first change', async () => {
    expect(await host().read()).toEqual(emptyBoard)
    expect(await host().change((board) => board, 'look')).toEqual(emptyBoard)
  })

  test('keeps what was changed, for everybody', async () => {
    const changed = await host().change(add('checkout/prod'), 'checkout/prod waits')
    expect(changed.waiting).toEqual([waiting('checkout/prod')])
    await host().change(add('cart/prod'), 'cart/prod waits')
    const { waiting: all } = await host().read()
    expect(all.map(({ unit }) => unit)).toEqual(['cart/prod', 'checkout/prod'])
  })

  test('shows to who has changed it what came of it', async () => {
    const mine = host()
    expect(await mine.read()).toEqual(emptyBoard)
    await mine.change(add('checkout/prod'), 'it waits')
    expect((await mine.read()).waiting).toHaveLength(1)
  })

  test('is left as it was by an edit that throws', async () => {
    await host().change(add('checkout/prod'), 'it waits')
    const failing = host().change(() => {
      throw new RangeError('no')
    }, 'fail')
    await expect(failing).rejects.toThrow(RangeError)
    expect((await host().read()).waiting).toHaveLength(1)
    await host().change(add('cart/prod'), 'and it is free again')
    expect((await host().read()).waiting).toHaveLength(2)
  })

  test('loses nothing of many who change it at once', async () => {
    const units = Array.from({ length: 8 }, (_, index) => `service-${index}/prod`)
    await Promise.all(units.map(async (unit) => host().change(add(unit), `${unit} waits`)))
    expect((await host().read()).waiting.map(({ unit }) => unit)).toEqual(units)
  })

  test('gives a lock to one of two who ask for it at once', async () => {
    const asked = ['ana', 'ben'].map(async (by) =>
      host().change((board) => withLock(board, lockOf(by), { now }), `lock for ${by}`),
    )
    const answers = await Promise.allSettled(asked)
    const [given, refused] = answers.toSorted((a, b) => a.status.localeCompare(b.status))
    expect(given?.status).toBe('fulfilled')
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'lock-held' } })
    expect((await host().read()).locks).toHaveLength(1)
  })
}

describe('the board in a folder', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(quickFolder(), 'protium-board-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
  // Whoever comes second waits for the other's files, which takes as long as the disk does.
  const clock: Clock = { now: () => now, sleep: async (milliseconds) => wait(milliseconds) }
  const host = (): BoardHost => folderBoard(join(folder, 'records'), clock)

  testBoard(host)

  test('lies beside the records, and leaves nothing else', async () => {
    await host().change(add('checkout/prod'), 'it waits')
    expect(readdirSync(folder)).toEqual(['board'])
    expect(readdirSync(join(folder, 'board'))).toContain('board.json')
    expect(readFileSync(join(folder, 'board', 'board.json'), 'utf8')).toBe(
      writeBoard({ ...emptyBoard, waiting: [waiting('checkout/prod')] }),
    )
  })

  test('leaves nothing where there is nothing to keep', async () => {
    await host().change((board) => board, 'look')
    expect(readdirSync(folder)).toEqual([])
  })

  test('that was broken by hand is refused, by who reads and by who changes it', async () => {
    mkdirSync(join(folder, 'board'))
    writeFileSync(join(folder, 'board', 'board.json'), '{"format": 1, "locks"')
    await expect(host().read()).rejects.toMatchObject({ code: 'board-format' })
    await expect(host().change(add('cart/prod'), 'it waits')).rejects.toMatchObject({ code: 'board-format' })
    expect(readFileSync(join(folder, 'board', 'board.json'), 'utf8')).toBe('{"format": 1, "locks"')
  })

  test('is changed although a process died that held it', async () => {
    mkdirSync(join(folder, 'board', 'locks'), { recursive: true })
    writeFileSync(join(folder, 'board', 'locks', '.board.json.tmp'), '{')
    writeFileSync(join(folder, 'board', '.board.json.half.tmp'), '{"format"')
    await host().change(add('checkout/prod'), 'it waits')
    expect((await host().read()).waiting).toHaveLength(1)
  })
})

const name = 'acme/catalog'
const job: Grant = { kind: 'job', repository: name, permissions: { contents: 'write' } }

describe('the board on a branch', () => {
  let github: GitHub
  beforeEach(async () => {
    github = await startGitHub({
      organisation: 'acme',
      members: { ada: 'admin' },
      repositories: { catalog: { files: { 'catalog.yaml': 'catalog: acme\n' } } },
    })
  })
  afterEach(async () => github.close())

  let turn = 0
  function host({
    grant = job,
    signal,
    fetched,
  }: {
    readonly grant?: Grant
    readonly signal?: AbortSignal
    readonly fetched?: () => Promise<Board | undefined>
  } = {}): BoardHost {
    const options = {
      repository: name,
      token: github.token(grant),
      api: github.url,
      clock: {
        now: () => new Date(),
        sleep: async (milliseconds: number) => {
          signal?.throwIfAborted()
          await new Promise((resolve) => setTimeout(resolve, milliseconds))
        },
      },
      random: () => (turn += 0.37) % 1,
      second: 1,
      ...(signal !== undefined && { signal }),
    }
    return branchBoard(options, fetched === undefined ? {} : { fetched })
  }
  const operations = (): readonly string[] => github.requests().map(({ operation }) => operation)
  async function stored(): Promise<Board> {
    const text = (await github.files(name, boardBranch)).get('board.json')
    return text === undefined ? emptyBoard : readBoard('board.json', text)
  }

  testBoard(host)

  test('is a branch of its own with one file', async () => {
    await host().change(add('checkout/prod'), 'it waits')
    await host().change(add('cart/prod'), 'it waits')
    const files = await github.files(name, boardBranch)
    expect([...files.keys()]).toEqual(['board.json'])
    expect([...(await github.files(name)).keys()]).toEqual(['catalog.yaml'])
  })

  test('takes one read and one write for a change, and three more writes for the very first', async () => {
    await host().change(add('checkout/prod'), 'it waits')
    expect(operations()).toEqual([
      'repos/get-content',
      'repos/create-or-update-file-contents',
      'git/create-tree',
      'git/create-commit',
      'git/create-ref',
    ])
    github.forget()
    await host().change(add('cart/prod'), 'it waits')
    expect(operations()).toEqual(['repos/get-content', 'repos/create-or-update-file-contents'])
    github.forget()
    await host().change(add('cart/prod'), 'it waits')
    expect(operations()).toEqual(['repos/get-content'])
  })

  test('is read once, and not at all where it was fetched with the checkout', async () => {
    const asking = host()
    await asking.read()
    await asking.read()
    expect(operations()).toEqual(['repos/get-content'])
    github.forget()
    const board = add('checkout/prod')(emptyBoard)
    const knowing = host({ fetched: async () => board })
    expect(await knowing.read()).toEqual(board)
    expect(operations()).toEqual([])
    // What is changed is the newest, though.
    await knowing.change(add('cart/prod'), 'it waits')
    expect((await knowing.read()).waiting.map(({ unit }) => unit)).toEqual(['cart/prod'])
  })

  test('is asked for once more where it has to be of this moment', async () => {
    await host().change(add('checkout/prod'), 'it waits')
    github.forget()
    const knowing = host({ fetched: async () => emptyBoard })
    expect((await knowing.read()).waiting).toEqual([])
    expect((await knowing.read({ now: true })).waiting).toHaveLength(1)
    expect((await knowing.read({ now: true })).waiting).toHaveLength(1)
    expect((await knowing.read()).waiting).toHaveLength(1)
    expect(operations()).toEqual(['repos/get-content'])
  })

  test('is asked for where the checkout has no branches', async () => {
    await host().change(add('checkout/prod'), 'it waits')
    const board = await host({ fetched: async () => undefined }).read()
    expect(board.waiting).toHaveLength(1)
  })

  test('says in its history what was changed, and mentions nobody', async () => {
    await host().change(add('checkout/prod'), 'checkout/prod of @ana waits, see #12\nCloses #3')
    const { status, message } = await newestCommit()
    expect(status).toBe(200)
    expect(message).toMatch(/^checkout\/prod of ana waits, see 12\\nCloses 3\n\nChange: [-0-9a-f]{36}$/u)
  })

  async function newestCommit(): Promise<{ readonly status: number; readonly message: string }> {
    const answer = await fetch(`${github.url}/repos/${name}/commits/${boardBranch}`, {
      headers: { authorization: `Bearer ${github.token({ kind: 'user', login: 'ada' })}` },
    })
    const data: unknown = await answer.json()
    return { status: answer.status, message: String(Object(Object(data)['commit'])['message']).trimEnd() }
  }

  test('that was broken by hand, or written by a newer version, is refused and left as it is', async () => {
    for (const text of ['{"format": 1,', '{"format": 2}']) {
      await github.push({
        repository: name,
        branch: boardBranch,
        from: 'main',
        files: { 'board.json': text },
        by: 'ada',
      })
      await expect(host().read()).rejects.toMatchObject({ code: 'board-format' })
      await expect(host().change(add('cart/prod'), 'it waits')).rejects.toMatchObject({ code: 'board-format' })
      expect((await github.files(name, boardBranch)).get('board.json')).toBe(text)
    }
  })

  test('whose file somebody has taken away is begun again', async () => {
    await github.push({ repository: name, branch: boardBranch, from: 'main', files: { a: 'a' }, by: 'ada' })
    await host().change(add('cart/prod'), 'it waits')
    expect((await stored()).waiting).toHaveLength(1)
  })

  test('is not written by a job that may not, and that is said', async () => {
    const reading = host({ grant: { kind: 'job', repository: name, permissions: { contents: 'read' } } })
    expect(await reading.read()).toEqual(emptyBoard)
    await expect(reading.change(add('cart/prod'), 'it waits')).rejects.toMatchObject({ code: 'github-permission' })
  })

  const write = 'repos/create-or-update-file-contents'
  const lost: readonly FaultKind[] = ['error', 'error-after', 'reset-after', 'truncated', 'html', 'conflict']
  const lostAnswers: readonly { readonly kind: FaultKind; readonly match: string }[] = [
    ...lost.map((kind) => ({ kind, match: write })),
    { kind: 'error', match: 'git/create-tree' },
    { kind: 'reset-after', match: 'git/create-commit' },
    { kind: 'reset', match: 'git/create-ref' },
    { kind: 'truncated', match: 'git/create-ref' },
  ]
  test.each(lostAnswers)(
    'is changed once, whatever becomes of the answer: $kind of $match',
    async ({ kind, match }) => {
      if (match === write) await host().change(add('checkout/prod'), 'it waits')
      github.fault({ match, kind })
      const edit = (board: Board): Board => resumed(add('cart/prod')(board))
      await host().change(edit, 'resume')
      const units = (await stored()).waiting.filter(({ unit }) => unit === 'cart/prod')
      expect(units.map(({ resumes }) => resumes)).toEqual([1])
      expect(github.faults()).toEqual([])
    },
  )

  test('is changed once when the answer is lost and somebody changes it before it is looked for', async () => {
    await host().change(add('checkout/prod'), 'it waits')
    const other = { after: async () => void (await host().change(add('cart/prod'), 'another one')) }
    github.fault({ match: write, kind: other })
    github.fault({ match: write, kind: 'error-after' })
    await host().change(resumed, 'resume')
    const { waiting: all } = await stored()
    expect(all.map(({ unit, resumes }) => [unit, resumes])).toEqual([
      ['cart/prod', undefined],
      ['checkout/prod', 1],
    ])
  })

  test('is changed once when GitHub shows the change only some reads later', async () => {
    await host().change(add('checkout/prod'), 'it waits')
    github.fault({ match: write, kind: 'error-after' })
    await github.lag({ match: ['repos/list-commits', 'repos/get-content'], reads: 3 })
    await host().change(resumed, 'resume')
    expect((await stored()).waiting.map(({ resumes }) => resumes)).toEqual([1])
  })

  test('makes the edit again on the newer board when somebody was faster', async () => {
    await host().change(add('checkout/prod'), 'it waits')
    github.fault({ match: write, kind: { before: async () => void (await host().change(add('cart/prod'), 'faster')) } })
    const seen: number[] = []
    await host().change((board) => {
      seen.push(board.waiting.length)
      return resumed(board)
    }, 'resume')
    expect(seen).toEqual([1, 2])
    expect((await stored()).waiting.map(({ resumes }) => resumes)).toEqual([1, 1])
  })

  test('is begun by one of two who begin it at once, and has what both did', async () => {
    github.fault({
      match: 'git/create-ref',
      kind: { before: async () => void (await host().change(add('cart/prod'), 'faster')) },
    })
    await host().change(add('checkout/prod'), 'it waits')
    expect((await stored()).waiting).toHaveLength(2)
  })

  test('gives up in the end when it is never its turn', async () => {
    await host().change(add('checkout/prod'), 'it waits')
    github.fault({ match: write, kind: 'conflict', times: 100 })
    await expect(host().change(resumed, 'resume')).rejects.toMatchObject({ code: 'board-busy' })
  })

  test('does not try for long what a rule of the repository is against', async () => {
    await host().change(add('checkout/prod'), 'it waits')
    github.fault({ match: write, kind: 'forbidden' })
    await expect(host().change(resumed, 'resume')).rejects.toMatchObject({ code: 'github-permission' })
  })

  const moments = [1, 2, 3, 4, 5].flatMap((nth) => (['before', 'after'] as const).map((when) => ({ nth, when })))
  test.each(moments)(
    'comes to the same end when a run is killed $when request $nth, and is run again',
    async ({ nth, when }) => {
      const killed = new AbortController()
      const kill = (): void => killed.abort()
      github.fault({ match: () => true, nth, kind: when === 'before' ? { before: kill } : { after: kill } })
      const end = await host({ signal: killed.signal })
        .change(add('checkout/prod'), 'it waits')
        .catch((error: unknown) => error)
      expect(end).toMatchObject({ code: 'interrupted' })
      await host().change(add('checkout/prod'), 'it waits')
      expect(await stored()).toEqual({ ...emptyBoard, waiting: [waiting('checkout/prod')] })
    },
  )
})
