import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { same } from '../../src/core/canonical.ts'
import type { DataMap } from '../../src/core/data.ts'
import {
  dataTypes,
  guard,
  type GuardedChange,
  guardProblems,
  holdsData,
  policyChanges,
  removalChanges,
  withMarks,
  withoutMarks,
} from '../../src/core/guard.ts'
import { lookUpType } from '../../src/core/stack/types.ts'

const table = 'AWS::DynamoDB::Table'

function change(more: Partial<GuardedChange> = {}): GuardedChange {
  return { logicalId: 'Orders', type: table, action: 'delete', because: [], retained: false, ...more }
}

describe('the types that hold data', () => {
  test.each([
    'AWS::RDS::DBInstance',
    'AWS::RDS::DBCluster',
    table,
    'AWS::S3::Bucket',
    'AWS::EFS::FileSystem',
    'AWS::EC2::Volume',
    'AWS::ElastiCache::ReplicationGroup',
    'AWS::OpenSearchService::Domain',
    'AWS::Cognito::UserPool',
    'AWS::KMS::Key',
    'AWS::SecretsManager::Secret',
    'AWS::ECR::Repository',
    'AWS::Logs::LogGroup',
    'AWS::SQS::Queue',
    'AWS::CloudFormation::Stack',
  ])('%s is one', (type) => {
    expect(holdsData(type)).toBe(true)
  })

  test.each([
    'AWS::IAM::Role',
    'AWS::ECS::Service',
    'AWS::SNS::Topic',
    'AWS::EC2::Instance',
    'Custom::Database',
    'constructor',
    '',
  ])('%s is none', (type) => {
    expect(holdsData(type)).toBe(false)
  })

  test.each(Object.keys(dataTypes))('exist: %s', (type) => {
    expect(['known', 'named']).toContain(lookUpType(type).is)
  })

  test('are what the catalog makes of them', () => {
    expect(holdsData('Custom::Database', { types: ['Custom::Database'] })).toBe(true)
    expect(holdsData('AWS::SQS::Queue', { release: ['AWS::SQS::Queue'] })).toBe(false)
    expect(holdsData('Custom::Database', { types: ['Custom::Database'], release: ['Custom::Database'] })).toBe(false)
  })
})

describe('the guard', () => {
  test.each<[string, GuardedChange, string | undefined]>([
    ['a deletion', change(), 'deleted'],
    ['a replacement', change({ action: 'replace' }), 'replaced'],
    [
      'a replacement that may be',
      change({ action: 'update', conditional: ['Properties.KeySchema'] }),
      'perhaps replaced',
    ],
    ['an update', change({ action: 'update' }), undefined],
    ['an update without conditions', change({ action: 'update', conditional: [] }), undefined],
    ['a creation', change({ action: 'create' }), undefined],
    ['a deletion that leaves it in the account', change({ retained: true }), undefined],
    ['a replacement that leaves the old one in the account', change({ action: 'replace', retained: true }), undefined],
    ['a deletion of what holds nothing', change({ type: 'AWS::IAM::Role' }), undefined],
  ])('looks at %s', (_, given, happens) => {
    const { refused } = guard([given])
    expect(refused.map((finding) => finding.happens)).toEqual(happens === undefined ? [] : [happens])
  })

  test('lets through what is acknowledged by its logical id, and nothing else', () => {
    const changes = [
      change(),
      change({ logicalId: 'Payments' }),
      change({ logicalId: 'Network/Logs', type: 'AWS::Logs::LogGroup' }),
    ]
    const found = guard(changes, { acknowledged: ['Orders', 'Network/Logs'] })
    expect(found.refused.map(({ logicalId }) => logicalId)).toEqual(['Payments'])
    expect(found.acknowledged.map(({ logicalId }) => logicalId)).toEqual(['Orders', 'Network/Logs'])
    expect(found.idle).toEqual([])
  })

  test('tells of an acknowledgement that lets nothing through', () => {
    expect(guard([change({ action: 'update' })], { acknowledged: ['Orders', 'Gone'] }).idle).toEqual(['Gone', 'Orders'])
  })

  test('names what causes a replacement, and whether a snapshot is kept', () => {
    const live: DataMap = {
      Resources: {
        Db: { Type: 'AWS::RDS::DBInstance', DeletionPolicy: 'Snapshot' },
        Orders: { Type: table, DeletionPolicy: 'Snapshot', UpdateReplacePolicy: 'Delete' },
      },
    }
    const changes = [
      change({ logicalId: 'Db', type: 'AWS::RDS::DBInstance' }),
      change({ action: 'replace', because: ['Properties.KeySchema'] }),
    ]
    expect(guard(changes, { live }).refused).toEqual([
      {
        logicalId: 'Db',
        type: 'AWS::RDS::DBInstance',
        happens: 'deleted',
        holds: 'a database',
        because: [],
        isSnapshotKept: true,
      },
      {
        logicalId: 'Orders',
        type: table,
        happens: 'replaced',
        holds: 'the items of a table',
        because: ['Properties.KeySchema'],
        isSnapshotKept: false,
      },
    ])
  })

  test('neither loses nor invents a finding, whatever is acknowledged', () => {
    const any = fc.record({
      logicalId: fc.constantFrom('A', 'B', 'C'),
      type: fc.constantFrom(table, 'AWS::IAM::Role', 'AWS::S3::Bucket'),
      action: fc.constantFrom('create', 'update', 'replace', 'delete'),
      because: fc.constant([]),
      conditional: fc.constantFrom([], ['Properties.X']),
      retained: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(any), fc.subarray(['A', 'B', 'C', 'D']), (changes, acknowledged) => {
        const all = guard(changes).refused
        const found = guard(changes, { acknowledged })
        expect([...found.refused, ...found.acknowledged].toSorted(byId)).toEqual(all.toSorted(byId))
        expect(found.refused.some(({ logicalId }) => acknowledged.includes(logicalId))).toBe(false)
        for (const id of found.idle) expect(all.some(({ logicalId }) => logicalId === id)).toBe(false)
      }),
    )
  })
})

function byId(a: { readonly logicalId: string }, b: { readonly logicalId: string }): number {
  return a.logicalId < b.logicalId ? -1 : a.logicalId > b.logicalId ? 1 : 0
}

describe('the words of the guard', () => {
  test('name the resource, what happens, why, and how to acknowledge it', () => {
    const [problem] = guardProblems(
      'checkout/prod',
      guard([change({ action: 'replace', because: ['Properties.KeySchema'] })]),
    )
    expect(problem).toMatchObject({
      code: 'data-loss',
      severity: 'error',
      message:
        'checkout/prod: Orders (AWS::DynamoDB::Table) would be replaced (Properties.KeySchema). It holds the items of a table.',
    })
    expect(problem?.remedy).toContain('`--acknowledge checkout/prod:Orders`')
    expect(problem?.remedy).toContain('`acknowledge: [Orders]`')
  })

  test('say that a snapshot is made, and that a replacement is not certain', () => {
    const live: DataMap = { Resources: { Orders: { Type: table, UpdateReplacePolicy: 'Snapshot' } } }
    const [problem] = guardProblems(
      'a/b',
      guard([change({ action: 'update', conditional: ['Properties.X'] })], { live }),
    )
    expect(problem?.message).toContain('may be replaced (Properties.X)')
    expect(problem?.message).toContain('A snapshot of it is made first.')
  })

  test('warn of an idle acknowledgement, with the name that is near', () => {
    const [, problem] = guardProblems('a/b', guard([change()], { acknowledged: ['Order'] }))
    expect(problem).toMatchObject({ code: 'acknowledged-nothing', severity: 'warning' })
    expect(problem?.message).toContain('Did you mean "Orders"?')
  })
})

test('removing a stack is looked at as deleting each of its resources', () => {
  const live: DataMap = {
    Resources: {
      Orders: { Type: table },
      Kept: { Type: 'AWS::S3::Bucket', DeletionPolicy: 'Retain' },
      Role: { Type: 'AWS::IAM::Role' },
    },
  }
  expect(guard(removalChanges(live)).refused.map(({ logicalId }) => logicalId)).toEqual(['Orders'])
})

describe('a change of policies alone', () => {
  const live: DataMap = {
    Resources: {
      Orders: { Type: table, Properties: { A: 1 }, Metadata: { Own: 'x' } },
      Bucket: { Type: 'AWS::S3::Bucket', DeletionPolicy: 'Retain' },
    },
  }
  const wanted: DataMap = {
    Resources: {
      Orders: { Type: table, Properties: { A: 1 }, Metadata: { Own: 'x' }, DeletionPolicy: 'Retain' },
      Bucket: { Type: 'AWS::S3::Bucket', DeletionPolicy: 'Retain' },
    },
  }

  test('is found', () => {
    expect(policyChanges(live, wanted)).toEqual([
      { logicalId: 'Orders', type: table, policies: [{ policy: 'DeletionPolicy', before: 'Delete', after: 'Retain' }] },
    ])
    expect(policyChanges(wanted, live)).toMatchObject([{ policies: [{ before: 'Retain', after: 'Delete' }] }])
    expect(policyChanges(live, live)).toEqual([])
  })

  test('is none of a resource that is new, or of another type', () => {
    expect(policyChanges({ Resources: {} }, wanted)).toEqual([])
    expect(policyChanges({ Resources: { Orders: { Type: 'AWS::SQS::Queue' } } }, wanted)).toEqual([])
  })

  test('is sent with a note in the metadata of the resource, which CloudFormation sees', () => {
    expect(withMarks(live, wanted)).toMatchObject({
      Resources: { Orders: { DeletionPolicy: 'Retain', Metadata: { Own: 'x', 'Protium::Policies': 'Retain Delete' } } },
    })
    expect(Object.keys(withMarks(live, wanted)['Resources'] ?? {})).toEqual(['Orders', 'Bucket'])
  })

  test('touches nothing where no policy changes', () => {
    expect(withMarks(live, live)).toBe(live)
    expect(withoutMarks(live)).toBe(live)
  })

  test('keeps the note of an earlier time, so that the next deployment has nothing to do', () => {
    const sent = withMarks(live, wanted)
    expect(same(withMarks(sent, wanted), sent)).toBe(true)
    expect(same(withoutMarks(sent), wanted)).toBe(true)
  })

  test('writes another note when the policies change again', () => {
    const sent = withMarks(live, wanted)
    expect(withMarks(sent, live)).toMatchObject({
      Resources: { Orders: { Metadata: { 'Protium::Policies': 'Delete Delete' } } },
    })
  })

  test('writes another note also where somebody has changed the policies by other means', () => {
    const back: DataMap = {
      Resources: {
        Orders: { Type: table, Metadata: { 'Protium::Policies': 'Retain Delete' }, DeletionPolicy: 'Delete' },
      },
    }
    expect(withMarks(back, wanted)).toMatchObject({
      Resources: { Orders: { Metadata: { 'Protium::Policies': 'Retain Delete again' } } },
    })
  })

  test('any chain of templates is sent so that it settles, and is read back as it was', () => {
    const policy = fc.constantFrom('Delete', 'Retain', 'Snapshot')
    const template = fc
      .dictionary(
        fc.constantFrom('A', 'B', 'C'),
        fc.record(
          {
            Type: fc.constantFrom(table, 'AWS::SQS::Queue'),
            DeletionPolicy: policy,
            UpdateReplacePolicy: policy,
            Metadata: fc.constant({ Own: 1 }),
          },
          { requiredKeys: ['Type'] },
        ),
      )
      .map((Resources): DataMap => ({ Resources }))
    fc.assert(
      fc.property(fc.array(template, { minLength: 2, maxLength: 5 }), (templates) => {
        let current: DataMap = templates[0] ?? {}
        for (const next of templates.slice(1)) {
          const changes = policyChanges(current, next)
          const sent = withMarks(current, next)
          expect(same(withoutMarks(sent), next)).toBe(true)
          expect(same(withMarks(sent, next), sent)).toBe(true)
          // Where only policies change, the metadata does too; otherwise CloudFormation would see nothing.
          for (const { logicalId } of changes)
            expect(same(metadata(current, logicalId), metadata(sent, logicalId))).toBe(false)
          current = sent
        }
      }),
    )
  })
})

function metadata(template: DataMap, logicalId: string): DataMap {
  const of = (value: unknown, key: string): unknown =>
    typeof value === 'object' && value !== null ? Object.entries(value).find(([name]) => name === key)?.[1] : undefined
  return { of: JSON.stringify(of(of(of(template, 'Resources'), logicalId), 'Metadata') ?? null) }
}
