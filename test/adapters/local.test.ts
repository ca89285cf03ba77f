import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pid } from 'node:process'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { type LocalOptions, localProvisioner } from '../../src/adapters/local.ts'
import { type DataMap, isMap, mapOf } from '../../src/core/data.ts'
import { Refused } from '../../src/core/problem.ts'
import { predictOutputs } from '../../src/core/stack/plan.ts'
import { readRendered, readYaml } from '../../src/core/yaml.ts'
import type { Clock, Provisioner, StackEvent, StackId, WantedStack } from '../../src/ports.ts'

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'protium-local-'))
  folders.push(folder)
  return folder
}

/** A clock that goes on by itself: each look at it is a second later, and nobody waits. */
function newClock(): Clock & { readonly slept: number[] } {
  let now = 0
  const slept: number[] = []
  return {
    slept,
    now: () => new Date((now += 1000)),
    sleep: async (milliseconds, signal) => {
      slept.push(milliseconds)
      signal?.throwIfAborted()
    },
  }
}

/** Without bringing it to the disk: what these tests are about is in the order of the writes. */
const quick = (path: string, text: string): void => writeFileSync(path, text)

function local(folder: string, options: Partial<LocalOptions> = {}): Provisioner {
  return localProvisioner({ folder, clock: newClock(), write: quick, ...options })
}

const here = { account: '111111111111', region: 'ap-northeast-2' }
const app: StackId = { name: 'checkout-dev', ...here }

function bodyOf(text: string): DataMap {
  const read = readYaml('template.yaml', text, 'cloudformation')
  if (!read.ok || !isMap(read.value.data)) throw new Error(`no YAML: ${text}`)
  return read.value.data
}

function want(text: string, { stack = app, ...rest }: Partial<Omit<WantedStack, 'body'>> = {}): WantedStack {
  return { stack, body: bodyOf(text), parameters: {}, tags: {}, ...rest }
}

async function collect(events: AsyncIterable<StackEvent>): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const event of events) lines.push(lineOf(event))
  return lines
}

function lineOf(event: StackEvent): string {
  const reason = event.reason === undefined ? '' : `: ${event.reason}`
  return event.kind === 'stack' ? `${event.status}${reason}` : `  ${event.logicalId} ${event.status}${reason}`
}

async function deploy(provisioner: Provisioner, wanted: WantedStack, signal?: AbortSignal): Promise<readonly string[]> {
  return collect(provisioner.execute(await provisioner.preview(wanted), wanted, signal))
}

async function refusalOf(action: Promise<unknown>): Promise<Refused> {
  const error = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof Refused) return error
  throw new Error(`not refused: ${String(error)}`)
}

/** Every file below a folder with its text, but the locks. */
function contents(folder: string): Readonly<Record<string, string>> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.parentPath.endsWith('locks'),
  )
  return Object.fromEntries(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted()
      .map((path) => [path.slice(folder.length), readFileSync(path, 'utf8')]),
  )
}

async function resourcesOf(provisioner: Provisioner, stack = app): Promise<Readonly<Record<string, string>>> {
  const state = await provisioner.state(stack)
  return state.is === 'settled'
    ? Object.fromEntries((state.resources ?? []).map(({ logicalId, physicalId }) => [logicalId, physicalId]))
    : {}
}

const web = `
Resources:
  Vpc: { Type: AWS::EC2::VPC, Properties: { CidrBlock: 10.0.0.0/16 } }
  Group: { Type: AWS::EC2::SecurityGroup, Properties: { GroupDescription: g, VpcId: !Ref Vpc } }
  Queue: { Type: AWS::SQS::Queue }
Outputs:
  Queue: { Value: !Ref Queue }
`

describe('a deployment', () => {
  test('creates in the order of what waits for what, side by side where nothing does', async () => {
    expect(await deploy(local(newFolder()), want(web))).toEqual([
      'CREATE_IN_PROGRESS: User Initiated',
      '  Vpc CREATE_IN_PROGRESS',
      '  Queue CREATE_IN_PROGRESS',
      '  Vpc CREATE_COMPLETE',
      '  Group CREATE_IN_PROGRESS',
      '  Queue CREATE_COMPLETE',
      '  Group CREATE_COMPLETE',
      'CREATE_COMPLETE',
    ])
  })

  test('leaves a settled stack with what was asked for and what came of it', async () => {
    const provisioner = local(newFolder())
    const wanted = want(web, { tags: { service: 'checkout' } })
    expect(await provisioner.state(app)).toEqual({ is: 'absent' })
    await deploy(provisioner, wanted)
    const state = await provisioner.state(app)
    expect(state).toMatchObject({ is: 'settled', tags: { service: 'checkout' }, parameters: {} })
    expect(state.is === 'settled' && state.outputs['Queue']).toMatch(
      /^https:\/\/sqs\.ap-northeast-2\.amazonaws\.com\/111111111111\/checkout-dev-Queue-/,
    )
  })

  test('updates first, then clears away what was replaced or is gone', async () => {
    const provisioner = local(newFolder())
    await deploy(provisioner, want(web))
    expect(
      await deploy(
        provisioner,
        want(
          web
            .replace('10.0.0.0/16', '10.1.0.0/16')
            .replace('  Queue: { Type: AWS::SQS::Queue }\n', '  Topic: { Type: AWS::SNS::Topic }\n')
            .replace('!Ref Queue', '!Ref Topic'),
        ),
      ),
    ).toEqual([
      'UPDATE_IN_PROGRESS: User Initiated',
      '  Vpc UPDATE_IN_PROGRESS: Requested update requires the creation of a new physical resource; hence creating one.',
      '  Topic CREATE_IN_PROGRESS',
      '  Vpc UPDATE_COMPLETE',
      '  Group UPDATE_IN_PROGRESS: Requested update requires the creation of a new physical resource; hence creating one.',
      '  Topic CREATE_COMPLETE',
      '  Group UPDATE_COMPLETE',
      'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
      '  Queue DELETE_IN_PROGRESS',
      '  Queue DELETE_COMPLETE',
      '  Group DELETE_IN_PROGRESS',
      '  Group DELETE_COMPLETE',
      '  Vpc DELETE_IN_PROGRESS',
      '  Vpc DELETE_COMPLETE',
      'UPDATE_COMPLETE',
    ])
  })

  test('with nothing to do ends at once and writes nothing', async () => {
    const folder = newFolder()
    const written: string[] = []
    const provisioner = local(folder, {
      write: (path, text) => {
        written.push(path)
        quick(path, text)
      },
    })
    await deploy(provisioner, want(web))
    const before = written.length
    expect(await deploy(provisioner, want(web))).toEqual(['CREATE_COMPLETE'])
    expect(written.length).toBe(before)
  })

  test('that changes outputs alone is a change, and shows it', async () => {
    const provisioner = local(newFolder())
    await deploy(provisioner, want(web))
    const wanted = want(web.replace('!Ref Queue', '!GetAtt Queue.Arn'))
    const preview = await provisioner.preview(wanted)
    expect(preview.changes).toEqual([])
    expect(preview.outputs?.map(({ path }) => path)).toEqual(['Outputs.Queue'])
    expect(await collect(provisioner.execute(preview, wanted))).toEqual([
      'UPDATE_IN_PROGRESS: User Initiated',
      'UPDATE_COMPLETE',
    ])
  })

  test('keeps its pace by the clock', async () => {
    const clock = newClock()
    await deploy(local(newFolder(), { clock, pace: 3 }), want(web))
    expect(clock.slept).toEqual([6, 6])
  })

  test('is the same bytes every time', async () => {
    const [one, two] = [newFolder(), newFolder()]
    await deploy(local(one), want(web))
    await deploy(local(two, { clock: { ...newClock(), now: () => new Date(5) } }), want(web))
    expect(contents(one)).toEqual(contents(two))
  })

  test('gives the outputs that were predicted', async () => {
    const provisioner = local(newFolder())
    const predicted = predictOutputs(want(web))
    await deploy(provisioner, want(web))
    const state = await provisioner.state(app)
    expect(predicted).toMatchObject({ ok: true, value: state.is === 'settled' ? state.outputs : {} })
  })
})

describe('a failure', () => {
  test('of a first creation undoes it; the next deployment deletes the empty stack and starts again', async () => {
    const folder = newFolder()
    expect(await deploy(local(folder, { fail: ['checkout-dev/Group=no such group'] }), want(web))).toEqual([
      'CREATE_IN_PROGRESS: User Initiated',
      '  Vpc CREATE_IN_PROGRESS',
      '  Queue CREATE_IN_PROGRESS',
      '  Vpc CREATE_COMPLETE',
      '  Group CREATE_IN_PROGRESS',
      '  Queue CREATE_COMPLETE',
      '  Group CREATE_FAILED: no such group',
      'ROLLBACK_IN_PROGRESS: The following resource(s) failed to create: [Group]. Rollback requested by user.',
      '  Vpc DELETE_IN_PROGRESS',
      '  Vpc DELETE_COMPLETE',
      '  Queue DELETE_IN_PROGRESS',
      '  Queue DELETE_COMPLETE',
      'ROLLBACK_COMPLETE',
    ])
    expect(await local(folder).state(app)).toMatchObject({
      is: 'stuck',
      status: 'ROLLBACK_COMPLETE',
      remedy: expect.stringContaining('deploy again'),
    })
    const again = await deploy(local(folder), want(web))
    expect(again.slice(0, 3)).toEqual([
      'DELETE_IN_PROGRESS: User Initiated',
      'DELETE_COMPLETE',
      'CREATE_IN_PROGRESS: User Initiated',
    ])
    expect(again.at(-1)).toBe('CREATE_COMPLETE')
  })

  test('cancels what is under way', async () => {
    const events = await deploy(local(newFolder(), { fail: ['checkout-dev/Vpc'] }), want(web))
    expect(events).toContain('  Queue CREATE_FAILED: Resource creation cancelled')
    expect(events).toContain(
      'ROLLBACK_IN_PROGRESS: The following resource(s) failed to create: [Vpc, Queue]. Rollback requested by user.',
    )
  })

  test('of an update goes back to what was there', async () => {
    const folder = newFolder()
    await deploy(local(folder), want(web))
    const before = { resources: await resourcesOf(local(folder)), state: await local(folder).state(app) }
    const changed = web
      .replace('10.0.0.0/16', '10.1.0.0/16')
      .replace('Type: AWS::SQS::Queue }', 'Type: AWS::SQS::Queue, Properties: { DelaySeconds: 5 } }')
      .replace('Outputs:', '  Topic: { Type: AWS::SNS::Topic }\nOutputs:')
    const events = await deploy(local(folder, { fail: ['checkout-dev/Group'] }), want(changed))
    expect(events.slice(-12)).toEqual([
      '  Group UPDATE_FAILED: Resource handler returned message: "Told to fail." (HandlerErrorCode: GeneralServiceException)',
      'UPDATE_ROLLBACK_IN_PROGRESS: The following resource(s) failed to update: [Group].',
      '  Queue UPDATE_IN_PROGRESS',
      '  Queue UPDATE_COMPLETE',
      '  Vpc UPDATE_IN_PROGRESS',
      '  Vpc UPDATE_COMPLETE',
      'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS',
      '  Vpc DELETE_IN_PROGRESS',
      '  Vpc DELETE_COMPLETE',
      '  Topic DELETE_IN_PROGRESS',
      '  Topic DELETE_COMPLETE',
      'UPDATE_ROLLBACK_COMPLETE',
    ])
    expect(await resourcesOf(local(folder))).toEqual(before.resources)
    expect(await local(folder).state(app)).toEqual(before.state)
  })

  test('to delete leaves the stack with what is left, and what that stands on', async () => {
    const folder = newFolder()
    await deploy(local(folder), want(web))
    const events = await collect(local(folder, { fail: ['delete:checkout-dev/Group=in use'] }).remove(app))
    expect(events).toEqual([
      'DELETE_IN_PROGRESS: User Initiated',
      '  Queue DELETE_IN_PROGRESS',
      '  Queue DELETE_COMPLETE',
      '  Group DELETE_IN_PROGRESS',
      '  Group DELETE_FAILED: in use',
      'DELETE_FAILED: The following resource(s) failed to delete: [Group, Vpc].',
    ])
    expect(await local(folder).state(app)).toMatchObject({ is: 'stuck', status: 'DELETE_FAILED' })
    expect((await collect(local(folder).remove(app))).at(-1)).toBe('DELETE_COMPLETE')
    expect(await local(folder).state(app)).toEqual({ is: 'absent' })
  })

  test('comes by itself when a name is taken, in this stack or in another', async () => {
    const provisioner = local(newFolder())
    const named = 'Resources: { A: { Type: AWS::SQS::Queue, Properties: { QueueName: orders } } }'
    await deploy(provisioner, want(named))
    expect(await deploy(provisioner, want(named, { stack: { name: 'other', ...here } }))).toContain(
      '  A CREATE_FAILED: orders already exists in stack checkout-dev',
    )
    expect(await deploy(provisioner, want(named.replace('A:', 'B:')))).toContain(
      '  B CREATE_FAILED: orders already exists in stack checkout-dev',
    )
    expect(
      (await deploy(provisioner, want(named, { stack: { name: 'other', ...here, region: 'eu-west-1' } }))).at(-1),
    ).toBe('CREATE_COMPLETE')
  })
})

describe('removal', () => {
  test('deletes dependants first and forgets the stack', async () => {
    const folder = newFolder()
    await deploy(local(folder), want(web))
    const events = await collect(local(folder).remove(app))
    expect(events.filter((line) => line.includes('DELETE_COMPLETE'))).toEqual([
      '  Queue DELETE_COMPLETE',
      '  Group DELETE_COMPLETE',
      '  Vpc DELETE_COMPLETE',
      'DELETE_COMPLETE',
    ])
    expect(Object.keys(contents(folder))).toEqual(['/format.json'])
  })

  test('of a stack that is not there is done already', async () => {
    expect(await collect(local(newFolder()).remove(app))).toEqual(['DELETE_COMPLETE'])
  })

  test('leaves alone what is to be retained, and remembers its name', async () => {
    const provisioner = local(newFolder())
    const kept =
      'Resources: { A: { Type: AWS::SQS::Queue, DeletionPolicy: Retain, Properties: { QueueName: orders } } }'
    await deploy(provisioner, want(kept))
    expect(await collect(provisioner.remove(app))).toEqual([
      'DELETE_IN_PROGRESS: User Initiated',
      '  A DELETE_SKIPPED',
      'DELETE_COMPLETE',
    ])
    expect(await provisioner.state(app)).toEqual({ is: 'absent' })
    expect(await deploy(provisioner, want(kept))).toContain(
      '  A CREATE_FAILED: orders already exists in stack checkout-dev (retained)',
    )
  })

  test('RetainExceptOnCreate deletes what a failed creation made', async () => {
    const text =
      'Resources: { A: { Type: AWS::SQS::Queue, DeletionPolicy: RetainExceptOnCreate }, B: { Type: AWS::SNS::Topic, DependsOn: A } }'
    expect(await deploy(local(newFolder(), { fail: ['checkout-dev/B'] }), want(text))).toContain('  A DELETE_COMPLETE')
    expect(
      await deploy(local(newFolder(), { fail: ['checkout-dev/B'] }), want(text.replace('ExceptOnCreate', ''))),
    ).toContain('  A DELETE_SKIPPED')
  })
})

describe('exports', () => {
  const shared = { name: 'env-dev', ...here }
  const exporting = (name: string): string =>
    `Resources: { V: { Type: AWS::EC2::VPC, Properties: { CidrBlock: 10.0.0.0/16 } } }\nOutputs: { Vpc: { Value: !Ref V, Export: { Name: ${name} } } }`
  const importing =
    'Resources: { G: { Type: AWS::EC2::SecurityGroup, Properties: { GroupDescription: g, VpcId: !ImportValue dev-vpc } } }\nOutputs: { Vpc: { Value: !GetAtt G.VpcId } }'

  test('are taken by another stack', async () => {
    const provisioner = local(newFolder())
    expect((await refusalOf(deploy(provisioner, want(importing)))).message).toContain('No export named dev-vpc found.')
    await deploy(provisioner, want(exporting('dev-vpc'), { stack: shared }))
    await deploy(provisioner, want(importing))
    const state = await provisioner.state(app)
    expect(state.is === 'settled' && state.outputs['Vpc']).toBe((await resourcesOf(provisioner, shared))['V'])
  })

  test('in use can neither go, nor change, nor be deleted with their stack', async () => {
    const provisioner = local(newFolder())
    await deploy(provisioner, want(exporting('dev-vpc'), { stack: shared }))
    await deploy(provisioner, want(importing))
    const gone = await refusalOf(provisioner.preview(want(exporting('other'), { stack: shared })))
    expect([gone.code, gone.message]).toEqual([
      'export-in-use',
      'Export dev-vpc cannot be deleted as it is in use by checkout-dev.',
    ])
    const changed = await refusalOf(
      provisioner.preview(want(exporting('dev-vpc').replace('10.0', '10.9'), { stack: shared })),
    )
    expect([changed.code, changed.message]).toEqual([
      'export-in-use',
      'Cannot update export dev-vpc as it is in use by checkout-dev.',
    ])
    expect((await refusalOf(collect(provisioner.remove(shared)))).code).toBe('export-in-use')
    await collect(provisioner.remove(app))
    expect((await collect(provisioner.remove(shared))).at(-1)).toBe('DELETE_COMPLETE')
  })

  test('have one stack each in an account and region', async () => {
    const provisioner = local(newFolder())
    await deploy(provisioner, want(exporting('dev-vpc'), { stack: shared }))
    const taken = await refusalOf(provisioner.preview(want(exporting('dev-vpc'))))
    expect([taken.code, taken.message]).toEqual([
      'export-taken',
      'Export with name dev-vpc is already exported by stack env-dev.',
    ])
  })

  test('that change after the plan was made make it stale', async () => {
    const provisioner = local(newFolder())
    await deploy(provisioner, want(exporting('dev-vpc'), { stack: shared }))
    const preview = await provisioner.preview(want(importing))
    await deploy(provisioner, want(exporting('dev-vpc').replace('10.0', '10.9'), { stack: shared }))
    expect((await refusalOf(collect(provisioner.execute(preview, want(importing))))).code).toBe('plan-stale')
  })
})

describe('a plan', () => {
  test('changes nothing, not even the folder', async () => {
    const folder = join(newFolder(), 'state')
    await local(folder).preview(want(web))
    expect(existsSync(folder)).toBe(false)
  })

  test('that no longer holds is refused before anything is touched', async () => {
    const folder = newFolder()
    const provisioner = local(folder)
    const preview = await provisioner.preview(want(web))
    await deploy(provisioner, want(web.replace('10.0', '10.2')))
    const before = contents(folder)
    expect((await refusalOf(collect(provisioner.execute(preview, want(web))))).code).toBe('plan-stale')
    const other = await provisioner.preview(want(web))
    expect((await refusalOf(collect(provisioner.execute(other, want(web, { tags: { a: 'b' } }))))).code).toBe(
      'plan-stale',
    )
    expect(contents(folder)).toEqual(before)
  })

  test('of a template that cannot be made is refused with all its problems', async () => {
    const refused = await refusalOf(
      local(newFolder()).preview(
        want('Resources: { A: { Type: AWS::SNS::Topic, DependsOn: B }, C: { Type: AWS::SNS::Topic, Condition: D } }'),
      ),
    )
    expect(refused.code).toBe('stack-refused')
    expect(refused.message).toContain('There is no resource B.')
    expect(refused.message).toContain('There is no condition D.')
  })
})

describe('the state folder', () => {
  test('of a newer format is refused', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'format.json'), '{"format":2}')
    expect((await refusalOf(local(folder).state(app))).code).toBe('state-newer-format')
    expect((await refusalOf(deploy(local(folder), want(web)))).code).toBe('state-newer-format')
  })

  test.each(['', '{', '[]', '{"format":1}', '{"format":0}'])('with a damaged file %j is refused', async (text) => {
    const folder = newFolder()
    await deploy(local(folder), want(web))
    const [, file = ''] = Object.keys(contents(folder))
    writeFileSync(join(folder, file), text)
    expect((await refusalOf(local(folder).state(app))).code).toBe('state-damaged')
  })

  test.each(['../../evil', 'a/b', '', '1st', `a${'b'.repeat(128)}`])(
    'has no place for a stack named %j',
    async (name) => {
      expect((await refusalOf(local(newFolder()).state({ ...app, name }))).code).toBe('stack-name')
    },
  )

  test('is one run at a time: a living process holds it, a dead one does not', async () => {
    const folder = newFolder()
    const lock = (owner: number, started: string, host = hostname()): string => {
      const file = join(folder, 'locks', `${owner}-${started}.json`)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, JSON.stringify({ pid: owner, started, host }))
      return file
    }
    const parent = lock(process.ppid, '')
    const refused = await refusalOf(deploy(local(folder), want(web)))
    expect([refused.code, refused.remedy]).toEqual([
      'state-locked',
      `Wait until it has ended. If there is no such process any more, remove ${parent}.`,
    ])
    rmSync(parent)
    const dead = lock(4_194_305, '1')
    const reused = lock(process.ppid, 'another start')
    expect((await deploy(local(folder), want(web))).at(-1)).toBe('CREATE_COMPLETE')
    expect([dead, reused].filter((file) => existsSync(file))).toEqual([])
    const elsewhere = lock(pid + 1, '1', 'another-machine')
    expect((await refusalOf(collect(local(folder).remove(app)))).code).toBe('state-locked')
    rmSync(elsewhere)
  })

  test('takes several stacks at once in one run, each once', async () => {
    const provisioner = local(newFolder())
    const names = ['a', 'b', 'c'].map((name) => ({ name, ...here }))
    const ends = await Promise.all(names.map(async (stack) => (await deploy(provisioner, want(web, { stack }))).at(-1)))
    expect(ends).toEqual(['CREATE_COMPLETE', 'CREATE_COMPLETE', 'CREATE_COMPLETE'])
    const preview = await provisioner.preview(want(web))
    const running = provisioner.execute(preview, want(web))[Symbol.asyncIterator]()
    await running.next()
    expect(await provisioner.state(app)).toMatchObject({ is: 'busy', status: 'CREATE_IN_PROGRESS' })
    expect((await refusalOf(collect(provisioner.execute(preview, want(web))))).code).toBe('stack-busy')
    await running.return?.()
    expect(await provisioner.state(app)).toMatchObject({ is: 'stuck', status: 'CREATE_IN_PROGRESS' })
  })

  test('keeps whole numbers of any size', async () => {
    const provisioner = local(newFolder())
    const wanted: WantedStack = {
      ...want(web),
      body: mapOf([
        [
          'Resources',
          mapOf([
            [
              'A',
              mapOf([
                ['Type', 'AWS::SQS::Queue'],
                ['Metadata', mapOf([['n', 12345678901234567890n]])],
              ]),
            ],
          ]),
        ],
      ]),
    }
    await deploy(provisioner, wanted)
    expect(await deploy(provisioner, wanted)).toEqual(['CREATE_COMPLETE'])
    expect(await provisioner.state(app)).toMatchObject({
      body: { Resources: { A: { Metadata: { n: 12345678901234567890n } } } },
    })
  })

  test('on a disk that takes no more is refused with what to do, and stays whole', async () => {
    const folder = newFolder()
    await deploy(local(folder), want(web))
    const before = contents(folder)
    const full = local(folder, {
      write: () => {
        throw new Refused('disk-full', 'full', { remedy: 'Free some space.' })
      },
    })
    expect((await refusalOf(deploy(full, want(web.replace('10.0', '10.3'))))).code).toBe('disk-full')
    expect(contents(folder)).toEqual(before)
    const file = join(newFolder(), 'file')
    writeFileSync(file, '')
    expect((await refusalOf(deploy(localProvisioner({ folder: file, clock: newClock() }), want(web)))).code).toBe(
      'path-taken',
    )
  })

  test('written for real is the same', async () => {
    const [real, fast] = [newFolder(), newFolder()]
    await deploy(localProvisioner({ folder: real, clock: newClock() }), want(web))
    await deploy(local(fast), want(web))
    expect(contents(real)).toEqual(contents(fast))
  })
})

describe('what is seen of a resource that fails', () => {
  test('is what the rehearsal says: how its tasks ended, and what they logged last', async () => {
    const fail = [
      'checkout-dev/Service',
      'exit:checkout-dev/Service=1',
      'log:checkout-dev/Service=ready',
      'log:checkout-dev/Service=a=b: RangeError',
      'log:checkout-dev/Other=not this',
    ]
    const { evidence } = local(newFolder(), { fail })

    expect(await evidence?.(app, { logicalId: 'Service' })).toEqual({
      tasks: [{ container: 'checkout', exitCode: 1, reason: 'Essential container in task exited' }],
      log: ['ready', 'a=b: RangeError'],
    })
    expect(await evidence?.({ ...app, name: 'checkout-prod' }, { logicalId: 'Service' })).toEqual({})
  })
})

describe('a run that is cut short', () => {
  const changed = web
    .replace('10.0.0.0/16', '10.1.0.0/16')
    .replace(
      '  Queue: { Type: AWS::SQS::Queue }',
      '  Queue: { Type: AWS::SQS::Queue, Properties: { DelaySeconds: 3 } }\n  New: { Type: AWS::SNS::Topic }',
    )

  test('by a signal stops, says how to go on, and goes on', async () => {
    const folder = newFolder()
    const control = new AbortController()
    const wanted = want(web)
    const preview = await local(folder).preview(wanted)
    const seen: string[] = []
    const refused = await refusalOf(
      (async () => {
        for await (const event of local(folder).execute(preview, wanted, control.signal)) {
          seen.push(lineOf(event))
          if (seen.length === 4) control.abort()
        }
      })(),
    )
    expect(refused.code).toBe('interrupted')
    expect(await local(folder).state(app)).toMatchObject({ is: 'stuck', status: 'CREATE_IN_PROGRESS' })
    expect((await deploy(local(folder), wanted)).at(-1)).toBe('CREATE_COMPLETE')
  })

  /** Runs with a disk that is gone after so many writes, as if the process was killed there; tells whether it came to that. */
  async function cutAt(
    limit: number,
    run: (provisioner: Provisioner) => Promise<unknown>,
    options: { readonly folder: string; readonly fail?: readonly string[] },
  ): Promise<boolean> {
    let writes = 0
    const cutting = local(options.folder, {
      fail: options.fail ?? [],
      write: (path, text) => {
        writes += 1
        if (writes > limit) throw new Error('killed')
        quick(path, text)
      },
    })
    return run(cutting).then(
      () => false,
      (error: unknown) => {
        if (error instanceof Error && error.message === 'killed') return true
        throw error
      },
    )
  }

  test.each<[string, string, readonly string[]]>([
    ['an update', changed, []],
    ['an update that fails', changed, ['checkout-dev/Group']],
    ['an update that only takes away', 'Resources: { Queue: { Type: AWS::SQS::Queue } }', []],
  ])('at any write of %s: the next run comes to the same end', async (_name, text, fail) => {
    const wanted = want(text)
    const uncut = newFolder()
    await deploy(local(uncut), want(web))
    await deploy(local(uncut), wanted)
    for (let limit = 0, cut = true; cut; limit += 1) {
      const folder = newFolder()
      await deploy(local(folder), want(web))
      cut = await cutAt(limit, async (provisioner) => deploy(provisioner, wanted), { folder, fail })
      const next = local(folder)
      expect(['settled', 'stuck']).toContain((await next.state(app)).is)
      expect((await deploy(next, wanted)).at(-1)).toMatch(/^(CREATE|UPDATE)_COMPLETE$/)
      expect((await next.preview(wanted)).changes).toEqual([])
      expect(Object.keys(await resourcesOf(next)).toSorted()).toEqual(
        Object.keys(await resourcesOf(local(uncut))).toSorted(),
      )
      const [, file = ''] = Object.keys(contents(folder))
      expect(JSON.parse(contents(folder)[file] ?? '')).toMatchObject({ leaving: [] })
    }
  })

  test('at any write of a first creation or a removal: the next run comes to the same end', async () => {
    for (let limit = 0, cut = true; cut; limit += 1) {
      const folder = newFolder()
      cut = await cutAt(limit, async (provisioner) => deploy(provisioner, want(web)), { folder })
      expect((await deploy(local(folder), want(web))).at(-1)).toBe('CREATE_COMPLETE')
      expect(Object.keys(await resourcesOf(local(folder)))).toEqual(['Group', 'Queue', 'Vpc'])
      expect((await local(folder).preview(want(web))).changes).toEqual([])
    }
    for (let limit = 0, cut = true; cut; limit += 1) {
      const folder = newFolder()
      await deploy(local(folder), want(web))
      cut = await cutAt(limit, async (provisioner) => collect(provisioner.remove(app)), { folder })
      expect((await collect(local(folder).remove(app))).at(-1)).toBe('DELETE_COMPLETE')
      expect(await local(folder).state(app)).toEqual({ is: 'absent' })
    }
  })

  test('and goes on to fail leads back to the last state at rest', async () => {
    for (let limit = 0, cut = true; cut; limit += 1) {
      const folder = newFolder()
      await deploy(local(folder), want(web))
      const before = await local(folder).state(app)
      cut = await cutAt(limit, async (provisioner) => deploy(provisioner, want(changed)), { folder })
      if (!cut) break
      const events = await deploy(
        local(folder, { fail: ['checkout-dev/Later'] }),
        want(changed.replace('Outputs:', '  Later: { Type: AWS::SNS::Topic, DependsOn: Group }\nOutputs:')),
      )
      expect(events.at(-1)).toBe('UPDATE_ROLLBACK_COMPLETE')
      const after = await local(folder).state(app)
      // Once the update has begun to clear away, it is itself the state to go back to.
      const wentBack =
        after.is === 'settled' && before.is === 'settled' && JSON.stringify(after.body) === JSON.stringify(before.body)
      if (wentBack) expect(after).toEqual(before)
      else expect((await local(folder).preview(want(changed))).changes).toEqual([])
    }
  })
})

/** Small stacks of queues, topics, networks and functions that mention each other backwards, so never in a circle. */
const stacks = fc
  .array(
    fc.record({
      type: fc.constantFrom(
        'AWS::SQS::Queue',
        'AWS::SNS::Topic',
        'AWS::EC2::VPC',
        'AWS::EC2::SecurityGroup',
        'AWS::ECS::TaskDefinition',
        'AWS::SSM::Parameter',
      ),
      value: fc.constantFrom('a', 'b', 'c'),
      mentions: fc.nat(5),
      there: fc.boolean(),
      retained: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((list) => {
    const properties: Readonly<Record<string, readonly string[]>> = {
      'AWS::SQS::Queue': ['KmsMasterKeyId', 'QueueName'],
      'AWS::SNS::Topic': ['DisplayName', 'TopicName'],
      'AWS::EC2::VPC': ['InstanceTenancy', 'CidrBlock'],
      'AWS::EC2::SecurityGroup': ['SecurityGroupEgress', 'VpcId'],
      'AWS::ECS::TaskDefinition': ['Family', 'Cpu'],
      'AWS::SSM::Parameter': ['Value', 'Type'],
    }
    const resources = list.map(({ type, value, mentions, there, retained }, index) => {
      const [soft = '', hard = ''] = properties[type] ?? []
      const of = list
        .slice(0, index)
        .map((it, at) => ({ it, at }))
        .filter(({ it }) => it.there || index === 0)[mentions]
      const mention = of === undefined ? value : mapOf([['Ref', `R${of.at}${of.it.type.replaceAll(/\W/g, '')}`]])
      const entry = mapOf([
        ['Type', type],
        ...(retained ? [['DeletionPolicy', 'Retain'] as const] : []),
        [
          'Properties',
          mapOf([
            [soft, mention],
            [hard, `${value}${index}`],
          ]),
        ],
      ])
      return { name: `R${index}${type.replaceAll(/\W/g, '')}`, entry, there: there || index === 0 }
    })
    const body = mapOf([
      ['Resources', mapOf(resources.filter(({ there }) => there).map(({ name, entry }) => [name, entry] as const))],
    ])
    return { stack: app, body, parameters: {}, tags: {} }
  })

describe('whatever the templates are', () => {
  test('executing does what the preview says, no more and no less; after it there is nothing to do', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(stacks, { minLength: 1, maxLength: 4 }), async (list) => {
        const folder = newFolder()
        const provisioner = local(folder)
        for (const wanted of list) {
          const before = await resourcesOf(provisioner)
          const preview = await provisioner.preview(wanted)
          const events: StackEvent[] = []
          for await (const event of provisioner.execute(preview, wanted)) events.push(event)
          const failed = events.some(({ status }) => status.endsWith('FAILED'))
          const after = await resourcesOf(provisioner)
          if (failed) {
            expect(after).toEqual(before)
            return
          }
          const done = (action: string): readonly string[] =>
            preview.changes
              .filter((it) => it.action === action)
              .map(({ logicalId }) => logicalId)
              .toSorted()
          const names = Object.keys({ ...before, ...after })
          expect(names.filter((name) => !(name in before)).toSorted()).toEqual(done('create'))
          expect(names.filter((name) => !(name in after)).toSorted()).toEqual(done('delete'))
          expect(
            names.filter((name) => name in before && name in after && before[name] !== after[name]).toSorted(),
          ).toEqual(done('replace'))
          const updated = events
            .filter(({ status }) => status === 'UPDATE_COMPLETE')
            .flatMap((it) => (it.kind === 'resource' ? [it.logicalId] : []))
          expect(updated.toSorted()).toEqual([...done('update'), ...done('replace')].toSorted())
          const skipped = events.filter(({ status }) => status === 'DELETE_SKIPPED').length
          expect(skipped).toBe(preview.changes.filter(({ retained }) => retained).length)
          const again = await provisioner.preview(wanted)
          expect(again.changes).toEqual([])
          expect(again.outputs).toEqual([])
        }
      }),
      { numRuns: 150 },
    )
  })

  test('a failure anywhere in an update leaves the stack as it was', async () => {
    await fc.assert(
      fc.asyncProperty(stacks, stacks, fc.nat(5), async (one, two, which) => {
        const folder = newFolder()
        if ((await deploy(local(folder), one)).at(-1) !== 'CREATE_COMPLETE') return
        const before = await local(folder).state(app)
        const { changes } = await local(folder).preview(two)
        const target = changes.filter(({ action }) => action !== 'delete')[which]
        if (target === undefined) return
        const events = await deploy(local(folder, { fail: [`checkout-dev/${target.logicalId}`] }), two)
        expect(events.at(-1)).toBe('UPDATE_ROLLBACK_COMPLETE')
        expect(await local(folder).state(app)).toEqual(before)
      }),
      { numRuns: 150 },
    )
  })
})

const bundles = new URL('../../../shared/proton/bundles/', import.meta.url)

describe.skipIf(!existsSync(bundles))(
  'the rendered templates of published Proton bundles (beside the repository)',
  () => {
    const files = existsSync(bundles)
      ? readdirSync(bundles, { recursive: true, encoding: 'utf8' })
          .filter((path) => /\/expected\/.*cloudformation\.yaml$/.test(path))
          .toSorted()
      : []

    test.each(files)('%s', async (file) => {
      const read = readRendered(file, readFileSync(new URL(file, bundles), 'utf8'))
      if (!read.ok || !isMap(read.value.data)) throw new Error(`not readable: ${file}`)
      const wanted: WantedStack = { stack: app, body: read.value.data, parameters: {}, tags: { service: 'x' } }
      const provisioner = local(newFolder())
      expect((await deploy(provisioner, wanted)).at(-1)).toBe('CREATE_COMPLETE')
      expect((await provisioner.preview(wanted)).changes).toEqual([])
      const state = await provisioner.state(app)
      expect(predictOutputs(wanted)).toMatchObject({ ok: true, value: state.is === 'settled' ? state.outputs : {} })
      expect((await collect(provisioner.remove(app))).at(-1)).toBe('DELETE_COMPLETE')
    })
  },
)
