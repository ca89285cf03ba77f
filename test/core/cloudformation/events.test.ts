import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Follow,
  followFrom,
  followLatest,
  look,
  reaches,
  underWay,
  watched,
} from '../../../src/core/cloudformation/events.ts'
import type { DescribedEvent } from '../../../src/core/cloudformation/model.ts'

const arn = 'arn:aws:cloudformation:eu-west-1:111111111111:stack/checkout-dev/1'
const nestedArn = 'arn:aws:cloudformation:eu-west-1:111111111111:stack/checkout-dev-Network/2'
const innerArn = 'arn:aws:cloudformation:eu-west-1:111111111111:stack/checkout-dev-Network-Inner/3'
const stackType = 'AWS::CloudFormation::Stack'

/** Events in the order in which they happen: a text each, `<logical id> <status>`; the stack itself is `Stack`. */
function happen(
  texts: readonly string[],
  more: DescribedEvent & { readonly from?: number; readonly stack?: string; readonly prefix?: string } = {},
): readonly DescribedEvent[] {
  const { from = 0, stack = arn, prefix = 'e', ...rest } = more
  return texts.map((text, index) => {
    const [logicalId = '', status = '', physicalId = `id-${logicalId}`] = text.split(' ')
    const isStack = logicalId === 'Stack'
    return {
      EventId: `${prefix}${from + index}`,
      StackId: stack,
      LogicalResourceId: isStack ? 'checkout-dev' : logicalId,
      PhysicalResourceId: isStack ? stack : physicalId,
      ResourceType: isStack || physicalId.startsWith('arn:') ? stackType : 'AWS::SQS::Queue',
      ResourceStatus: status,
      Timestamp: new Date(1_700_000_000_000 + (from + index) * 1000),
      ...rest,
    }
  })
}

function newestFirst(...events: readonly (readonly DescribedEvent[])[]): readonly DescribedEvent[] {
  return events.flat().toReversed()
}

function inWords(events: readonly DescribedEvent[]): readonly string[] {
  return events.map(
    ({ LogicalResourceId: id, PhysicalResourceId: physical, StackId: stack, ResourceStatus: status }) =>
      `${physical === stack ? 'Stack' : (id ?? '')} ${status ?? ''}`,
  )
}

const earlier = [
  'Stack CREATE_IN_PROGRESS',
  'Queue CREATE_IN_PROGRESS',
  'Queue CREATE_COMPLETE',
  'Stack CREATE_COMPLETE',
]
const update = [
  'Stack UPDATE_IN_PROGRESS',
  'Queue UPDATE_IN_PROGRESS',
  'Queue UPDATE_COMPLETE',
  'Stack UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
  'Stack UPDATE_COMPLETE',
]
const rolledBack = [
  'Stack UPDATE_IN_PROGRESS',
  'Queue UPDATE_IN_PROGRESS',
  'Queue UPDATE_FAILED',
  'Stack UPDATE_ROLLBACK_IN_PROGRESS',
  'Queue UPDATE_IN_PROGRESS',
  'Queue UPDATE_COMPLETE',
  'Stack UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS',
  'Stack UPDATE_ROLLBACK_COMPLETE',
]

const before = happen(earlier)

function one(follow: Follow, events: readonly DescribedEvent[]): ReturnType<typeof look> {
  return look(follow, new Map([[arn, events]]))
}

describe('an operation of ours', () => {
  test('is told from its first event to its last, oldest first', () => {
    const own = happen(update, { from: 10, ClientRequestToken: 'd-1', OperationId: 'op-1' })
    const { follow, events } = one(followFrom(arn, { newest: 'e3', token: 'd-1' }), newestFirst(before, own))
    expect(inWords(events)).toEqual(update)
    expect(follow).toMatchObject({ has: 'ended', status: 'UPDATE_COMPLETE' })
  })

  test('is told without its beginning when nothing is new', () => {
    const own = happen(update, { from: 10, ClientRequestToken: 'd-1' })
    const first = one(followFrom(arn, { newest: 'e3', token: 'd-1' }), newestFirst(before, own.slice(0, 2)))
    expect(inWords(first.events)).toEqual(update.slice(0, 2))
    expect(first.follow.has).toBe('begun')
    const second = one(first.follow, newestFirst(before, own.slice(0, 2)))
    expect(second.events).toEqual([])
    expect(inWords(one(second.follow, newestFirst(before, own)).events)).toEqual(update.slice(2))
  })

  test.each<[string, DescribedEvent]>([
    ['token and id', { ClientRequestToken: 'd-1', OperationId: 'op-1' }],
    ['token alone', { ClientRequestToken: 'd-1' }],
    ['id alone', { OperationId: 'op-1' }],
    ['neither', {}],
  ])('is known by %s', (_, marks) => {
    const own = happen(update, { from: 10, ...marks })
    const { follow, events } = one(followFrom(arn, { newest: 'e3', token: 'd-1' }), newestFirst(before, own))
    expect(inWords(events)).toEqual(update)
    expect(follow.has).toBe('ended')
  })

  test.each<[string, DescribedEvent]>([
    ['token', { ClientRequestToken: 'other', OperationId: 'op-2' }],
    ['id', { OperationId: 'op-2' }],
  ])('is not mixed with the next one of somebody else, by its %s', (_, marks) => {
    const own = happen(update, { from: 10, ClientRequestToken: 'd-1', OperationId: 'op-1' })
    const others = happen(rolledBack, { from: 20, ...marks })
    const { follow, events } = one(followFrom(arn, { newest: 'e3', token: 'd-1' }), newestFirst(before, own, others))
    expect(inWords(events)).toEqual(update)
    expect(follow.status).toBe('UPDATE_COMPLETE')
  })

  test('is not mixed with the next one that has no mark at all', () => {
    const own = happen(update, { from: 10 })
    const others = happen(rolledBack, { from: 20 })
    expect(inWords(one(followFrom(arn, { newest: 'e3' }), newestFirst(before, own, others)).events)).toEqual(update)
  })

  test('is not mixed with one that was begun before it, between the cursor and it', () => {
    const others = happen(update, { from: 10, ClientRequestToken: 'other', OperationId: 'op-0' })
    const own = happen(rolledBack, { from: 20, ClientRequestToken: 'd-1', OperationId: 'op-1' })
    const { events } = one(followFrom(arn, { newest: 'e3', token: 'd-1' }), newestFirst(before, others, own))
    expect(inWords(events)).toEqual(rolledBack)
  })

  test('has its rollback in it, which has an id of its own', () => {
    const own = [
      ...happen(rolledBack.slice(0, 3), { from: 10, OperationId: 'op-1' }),
      ...happen(rolledBack.slice(3), { from: 13, OperationId: 'op-rollback' }),
    ]
    const { follow, events } = one(followFrom(arn, { newest: 'e3' }), newestFirst(before, own))
    expect(inWords(events)).toEqual(rolledBack)
    expect(follow).toMatchObject({ has: 'ended', status: 'UPDATE_ROLLBACK_COMPLETE' })
    expect([...follow.operations]).toEqual(['op-1', 'op-rollback'])
  })

  test('has not begun by the shell of a new stack', () => {
    const own = happen(['Stack REVIEW_IN_PROGRESS'])
    const { follow } = one(followFrom(arn), newestFirst(own))
    expect(follow.has).toBe('not begun')
    const all = [...own, ...happen(earlier, { from: 1 })]
    expect(one(follow, newestFirst(all)).follow).toMatchObject({ has: 'ended', status: 'CREATE_COMPLETE' })
  })

  test('tells events that come late with its mark', () => {
    const own = happen(update, { from: 10, OperationId: 'op-1' })
    const [late] = happen(['Other UPDATE_COMPLETE'], { from: 12, prefix: 'late', OperationId: 'op-1' })
    const first = one(followFrom(arn, { newest: 'e3' }), newestFirst(before, own))
    expect(first.follow.has).toBe('ended')
    expect(inWords(one(first.follow, [...newestFirst(own), ...(late === undefined ? [] : [late])]).events)).toEqual([
      'Other UPDATE_COMPLETE',
    ])
  })
})

describe('how far back is read', () => {
  const own = happen(update, { from: 10 })

  test('to the cursor', () => {
    const follow = followFrom(arn, { newest: 'e3' })
    expect(reaches(follow, arn, newestFirst(own))).toBe(false)
    expect(reaches(follow, arn, newestFirst(before, own))).toBe(true)
  })

  test('to what was seen', () => {
    const { follow } = one(followFrom(arn), newestFirst(own.slice(0, 2)))
    expect(reaches(follow, arn, newestFirst(own.slice(2)))).toBe(false)
    expect(reaches(follow, arn, newestFirst(own.slice(1)))).toBe(true)
  })

  test('of a nested stack, to what is older than the operation', () => {
    const parent = happen(['Stack UPDATE_IN_PROGRESS', `Network UPDATE_IN_PROGRESS ${nestedArn}`], { from: 10 })
    const { follow } = one(followFrom(arn, { newest: 'e3' }), newestFirst(before, parent))
    const history = happen(earlier, { stack: nestedArn, prefix: 'n' })
    expect(reaches(follow, nestedArn, happen(['Stack UPDATE_IN_PROGRESS'], { stack: nestedArn, from: 12 }))).toBe(false)
    expect(reaches(follow, nestedArn, newestFirst(history))).toBe(true)
  })
})

describe('the operation of somebody else', () => {
  const others = happen(rolledBack, { from: 10, ClientRequestToken: 'theirs', OperationId: 'op-9' })

  test('is followed from its beginning', () => {
    for (let count = 1; count <= others.length; count += 1) {
      const page = newestFirst(before, others.slice(0, count))
      const follow = followLatest(arn, page)
      expect(follow).toMatchObject({ cursor: 'e3', token: 'theirs' })
      expect(inWords(one(follow ?? followFrom('none'), page).events)).toEqual(rolledBack.slice(0, count))
    }
  })

  test('is known only when the pages reach back to the one before it', () => {
    expect(followLatest(arn, newestFirst(others))).toBeUndefined()
    expect(followLatest(arn, newestFirst(others), { isLastPage: true })).toMatchObject({
      cursor: undefined,
      token: 'theirs',
    })
    expect(followLatest(arn, [])).toBeUndefined()
    expect(followLatest(arn, [], { isLastPage: true })).toMatchObject({ cursor: undefined })
  })

  test('may be a rollback that somebody asked for', () => {
    const paused = happen(['Stack UPDATE_IN_PROGRESS', 'Queue UPDATE_FAILED', 'Stack UPDATE_FAILED'], { from: 4 })
    const rollback = happen(['Stack UPDATE_ROLLBACK_IN_PROGRESS', 'Queue UPDATE_COMPLETE'], {
      from: 10,
      ClientRequestToken: 'r-1',
    })
    const page = newestFirst(before, paused, rollback)
    const follow = followLatest(arn, page)
    expect(follow).toMatchObject({ cursor: 'e6', token: 'r-1' })
    expect(one(follow ?? followFrom('none'), page).follow.has).toBe('begun')
  })

  test('may be the first of the stack', () => {
    const first = happen(['Stack REVIEW_IN_PROGRESS', 'Stack CREATE_IN_PROGRESS', 'Queue CREATE_IN_PROGRESS'], {
      ClientRequestToken: 'd-1',
    })
    expect(followLatest(arn, newestFirst(first), { isLastPage: true })).toMatchObject({
      cursor: undefined,
      token: 'd-1',
    })
  })
})

describe('nested stacks', () => {
  const begin = ['Stack UPDATE_IN_PROGRESS', 'Network CREATE_IN_PROGRESS', `Network CREATE_IN_PROGRESS ${nestedArn}`]

  test('are watched once their ARN is known, and no more when they are at rest by their own word', () => {
    let { follow } = one(
      followFrom(arn, { newest: 'e3' }),
      newestFirst(before, happen(begin.slice(0, 2), { from: 10 })),
    )
    expect(watched(follow)).toEqual([arn])
    ;({ follow } = one(follow, newestFirst(before, happen(begin, { from: 10 }))))
    expect(watched(follow)).toEqual([arn, nestedArn])

    // Its beginning is older than the event that tells its ARN.
    const inside = happen(
      ['Stack CREATE_IN_PROGRESS', `Inner CREATE_IN_PROGRESS ${innerArn}`, 'Vpc CREATE_IN_PROGRESS'],
      { stack: nestedArn, from: 11, prefix: 'n' },
    )
    const found = look(
      follow,
      new Map([
        [arn, newestFirst(before, happen(begin, { from: 10 }))],
        [nestedArn, newestFirst(inside)],
      ]),
    )
    expect(inWords(found.events)).toEqual([
      'Stack CREATE_IN_PROGRESS',
      'Inner CREATE_IN_PROGRESS',
      'Vpc CREATE_IN_PROGRESS',
    ])
    expect(watched(found.follow)).toEqual([arn, nestedArn, innerArn])

    // The word of the stack around it comes before its own last events.
    const parent = happen([...begin, `Network CREATE_COMPLETE ${nestedArn}`], { from: 10 })
    ;({ follow } = look(found.follow, new Map([[arn, newestFirst(before, parent)]])))
    expect(watched(follow)).toContain(nestedArn)
    const end = happen(['Vpc CREATE_COMPLETE', 'Stack CREATE_COMPLETE'], { stack: nestedArn, from: 14, prefix: 'n' })
    ;({ follow } = look(follow, new Map([[nestedArn, newestFirst(inside, end)]])))
    expect(watched(follow)).toEqual([arn, innerArn])
    expect(follow.has).toBe('begun')
  })

  test('are watched again when they are worked on again', () => {
    const own = happen(
      ['Stack UPDATE_IN_PROGRESS', `Network UPDATE_IN_PROGRESS ${nestedArn}`, `Network UPDATE_COMPLETE ${nestedArn}`],
      { from: 10 },
    )
    const inside = happen(
      ['Stack UPDATE_IN_PROGRESS', 'Stack UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', 'Stack UPDATE_COMPLETE'],
      { stack: nestedArn, from: 10, prefix: 'n' },
    )
    let { follow } = look(
      followFrom(arn, { newest: 'e3' }),
      new Map([
        [arn, newestFirst(before, own)],
        [nestedArn, newestFirst(inside)],
      ]),
    )
    expect(watched(follow)).toEqual([arn])
    const again = happen(['Stack UPDATE_ROLLBACK_IN_PROGRESS', `Network UPDATE_IN_PROGRESS ${nestedArn}`], { from: 20 })
    ;({ follow } = one(follow, newestFirst(before, own, again)))
    expect(watched(follow)).toEqual([arn, nestedArn])
  })

  test('bring nothing of an operation before', () => {
    const { follow } = one(followFrom(arn, { newest: 'e3' }), newestFirst(before, happen(begin, { from: 10 })))
    const history = happen(earlier, { stack: nestedArn, prefix: 'n' })
    const own = happen(['Stack UPDATE_IN_PROGRESS'], { stack: nestedArn, from: 11, prefix: 'n' })
    expect(inWords(look(follow, new Map([[nestedArn, newestFirst(history, own)]])).events)).toEqual([
      'Stack UPDATE_IN_PROGRESS',
    ])
  })
})

test('the end is near when nothing is under way but the stack', () => {
  const own = happen(update, { from: 10 })
  const at = (count: number): number =>
    underWay(one(followFrom(arn, { newest: 'e3' }), newestFirst(before, own.slice(0, count))).follow)
  expect([1, 2, 3, 4].map(at)).toEqual([0, 1, 0, 0])
})

describe('any way of reading', () => {
  /** Operations one after the other, of which the second is ours. */
  const operations = fc
    .tuple(
      fc.constantFrom(update, rolledBack),
      fc.array(fc.nat(5), { maxLength: 12 }),
      fc.constantFrom<DescribedEvent>(
        {},
        { ClientRequestToken: 'd-1' },
        { OperationId: 'op-1' },
        { ClientRequestToken: 'd-1', OperationId: 'op-1' },
      ),
      fc.boolean(),
    )
    .map(([shape, extra, marks, isFollowed]) => {
      const middle = extra.flatMap((index) => [`R${index} UPDATE_IN_PROGRESS`, `R${index} UPDATE_COMPLETE`])
      const texts = [...shape.slice(0, 2), ...middle, ...shape.slice(2)]
      const own = happen(texts, { from: 100, ...marks })
      const others = happen(update, { from: 900, ClientRequestToken: 'other', OperationId: 'op-2' })
      return { own, all: [...before, ...own, ...(isFollowed ? others : [])], token: marks.ClientRequestToken }
    })

  /** Several events of one time, as the service has them when much happens at once. */
  function coarse<T extends { readonly own: readonly DescribedEvent[]; readonly all: readonly DescribedEvent[] }>(
    it: T,
  ): T {
    const rounded = (events: readonly DescribedEvent[]): readonly DescribedEvent[] =>
      events.map((event) => ({
        ...event,
        Timestamp: new Date(Math.floor((event.Timestamp?.getTime() ?? 0) / 7000) * 7000),
      }))
    return { ...it, own: rounded(it.own), all: rounded(it.all) }
  }

  test('gives each event once and in order, however the pages are cut, repeated, and overlap', () => {
    fc.assert(
      fc.property(
        operations.chain((it) => fc.constantFrom(it, coarse(it))),
        fc.array(fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 7 }), fc.nat(3)), { minLength: 1, maxLength: 8 }),
        ({ own, all, token }, looks) => {
          let follow = followFrom(arn, { newest: 'e3', token })
          const told: DescribedEvent[] = []
          let known = before.length
          for (const [grow, size, overlap] of [...looks, [all.length, 5, 1] as const]) {
            known = Math.min(all.length, known + grow)
            const newest = all.slice(0, known).toReversed()
            // Pages overlap, because events are added at the front while they are read.
            const pages: (readonly DescribedEvent[])[] = []
            for (let from = 0; from < newest.length; from += size) {
              const page = newest.slice(Math.max(0, from - overlap), from + size)
              pages.push(page)
              if (reaches(follow, arn, page)) break
            }
            const found = one(follow, pages.flat())
            told.push(...found.events)
            follow = found.follow
          }
          expect(told.map(({ EventId }) => EventId)).toEqual(own.map(({ EventId }) => EventId))
          expect(follow).toMatchObject({ has: 'ended', status: own.at(-1)?.ResourceStatus })
        },
      ),
    )
  })

  test('gives the same for pages in any order, in one look', () => {
    fc.assert(
      fc.property(
        operations,
        fc.integer({ min: 1, max: 7 }),
        fc.infiniteStream(fc.nat()),
        ({ own, all, token }, size, random) => {
          const newest = all.toReversed()
          const pages: (readonly DescribedEvent[])[] = []
          for (let from = 0; from < newest.length; from += size) pages.push(newest.slice(from, from + size))
          const shuffled = pages
            .map((page) => ({ page, key: random.next().value }))
            .toSorted((a, b) => a.key - b.key)
            .flatMap(({ page }) => page)
          const cursorless =
            before.length === 0
              ? shuffled
              : shuffled.filter(({ EventId: id }) => !['e0', 'e1', 'e2'].includes(id ?? ''))
          const { events } = one(followFrom(arn, { newest: 'e3', token }), cursorless)
          expect(events.map(({ EventId }) => EventId)).toEqual(own.map(({ EventId }) => EventId))
        },
      ),
    )
  })

  test('changes nothing of the follower that it was given', () => {
    const own = happen(update, { from: 10 })
    const first = followFrom(arn, { newest: 'e3' })
    one(first, newestFirst(before, own))
    expect(first).toEqual(followFrom(arn, { newest: 'e3' }))
  })

  test('passes over events without an id', () => {
    const { EventId: _, ...bare } = happen(['Queue UPDATE_IN_PROGRESS'])[0] ?? {}
    expect(one(followFrom(arn), [bare]).events).toEqual([])
  })
})
