import { compareText } from './canonical.ts'
import { type Data, type DataMap, entriesOf, isMap, mapOf } from './data.ts'
import { didYouMean } from './nearest.ts'
import type { Problem } from './problem.ts'
import { isRetained } from './stack/plan.ts'
import { isText, own, resourcesOf, section } from './stack/template.ts'

/**
 * The types whose loss is the loss of what was put into them, with what that is; the one place where they are listed. A
 * catalog adds to it or takes from it (`guard: { types, release }`).
 *
 * In are those whose content exists nowhere else: databases, file systems, volumes, buckets, caches with a disk or a
 * snapshot, search indexes, users, keys (with which everything that they encrypted is lost), secrets, images, logs, streams
 * and queues with messages that nobody has read yet. A queue is in although its messages are meant to be short-lived:
 * replacing it drops those that wait in it, and nobody sees that afterwards. A nested stack is in because a stack that is
 * deleted takes all in it along, and a change set does not list that. Out are types that hold settings alone, which a
 * template makes again as they were.
 */
export const dataTypes: Readonly<Record<string, string>> = {
  'AWS::Backup::BackupVault': 'backups',
  'AWS::Cassandra::Table': 'the rows of a table',
  'AWS::CloudFormation::Stack': 'all that is in the nested stack',
  'AWS::Cognito::IdentityPool': 'identities of users',
  'AWS::Cognito::UserPool': 'users and their passwords',
  'AWS::DocDB::DBCluster': 'a database',
  'AWS::DocDB::DBInstance': 'an instance of a database',
  'AWS::DynamoDB::GlobalTable': 'the items of a table',
  'AWS::DynamoDB::Table': 'the items of a table',
  'AWS::EC2::Volume': 'a disk',
  'AWS::ECR::PublicRepository': 'container images',
  'AWS::ECR::Repository': 'container images',
  'AWS::EFS::FileSystem': 'files',
  'AWS::ElastiCache::CacheCluster': 'what is in the cache',
  'AWS::ElastiCache::ReplicationGroup': 'what is in the cache',
  'AWS::ElastiCache::ServerlessCache': 'what is in the cache',
  'AWS::Elasticsearch::Domain': 'search indexes',
  'AWS::FSx::FileSystem': 'files',
  'AWS::FSx::Volume': 'files',
  'AWS::KMS::Key': 'the key to all that was encrypted with it',
  'AWS::KMS::ReplicaKey': 'the key to all that was encrypted with it',
  'AWS::Kinesis::Stream': 'records that are not read yet',
  'AWS::Logs::LogGroup': 'logs',
  'AWS::MSK::Cluster': 'messages of topics',
  'AWS::MSK::ServerlessCluster': 'messages of topics',
  'AWS::MemoryDB::Cluster': 'a database',
  'AWS::Neptune::DBCluster': 'a database',
  'AWS::Neptune::DBInstance': 'an instance of a database',
  'AWS::OpenSearchServerless::Collection': 'search indexes',
  'AWS::OpenSearchService::Domain': 'search indexes',
  'AWS::QLDB::Ledger': 'a ledger',
  'AWS::RDS::DBCluster': 'a database',
  'AWS::RDS::DBInstance': 'a database',
  'AWS::RDS::GlobalCluster': 'a database',
  'AWS::Redshift::Cluster': 'a database',
  'AWS::RedshiftServerless::Namespace': 'a database',
  'AWS::Route53::HostedZone': 'the records of a domain, and the name servers that it is delegated to',
  'AWS::S3::Bucket': 'objects',
  'AWS::S3Express::DirectoryBucket': 'objects',
  'AWS::S3Tables::Table': 'the rows of a table',
  'AWS::S3Tables::TableBucket': 'tables',
  'AWS::SDB::Domain': 'the items of a domain',
  'AWS::SQS::Queue': 'messages that are not read yet',
  'AWS::SecretsManager::Secret': 'a secret',
  'AWS::Timestream::Database': 'the records of a database',
  'AWS::Timestream::Table': 'the records of a table',
}

/**
 * Types of which each state is a revision: they never change, a change makes the next one, and what refers to them moves over. A
 * replacement of one is how it is changed, and nobody has to be warned of it.
 */
const revisionTypes: ReadonlySet<string> = new Set([
  'AWS::ApiGateway::Deployment',
  'AWS::ApiGatewayV2::Deployment',
  'AWS::AppConfig::HostedConfigurationVersion',
  'AWS::AutoScaling::LaunchConfiguration',
  'AWS::Batch::JobDefinition',
  'AWS::ECS::TaskDefinition',
  'AWS::Lambda::LayerVersion',
  'AWS::Lambda::Version',
])

/** Whether a change makes a new revision of something whose states are revisions. */
export function isRevision({ type, action }: Pick<GuardedChange, 'type' | 'action'>): boolean {
  return action === 'replace' && revisionTypes.has(type)
}

/** What a catalog says of the guard: types that hold data besides the known ones, and known ones that are let go. */
export type GuardSettings = { readonly types?: readonly string[]; readonly release?: readonly string[] }

export type GuardOptions = GuardSettings & {
  /** Logical ids that somebody has said may be lost: those of one unit. */
  readonly acknowledged?: readonly string[]
  /** The live template, from which it is known what stays as a snapshot. */
  readonly live?: DataMap
}

/** The part of a change that the guard looks at; the changes of a plan and those of a preview both have it. */
export type GuardedChange = {
  readonly logicalId: string
  readonly type: string
  readonly action: 'create' | 'update' | 'replace' | 'delete'
  readonly because: readonly string[]
  readonly conditional?: readonly string[]
  readonly retained: boolean
}

/** One resource that would be lost, or may be. */
export type Finding = {
  readonly logicalId: string
  readonly type: string
  readonly happens: 'deleted' | 'replaced' | 'perhaps replaced'
  /** What it holds, in words: `the items of a table`. */
  readonly holds: string
  /** The property paths that it comes from. */
  readonly because: readonly string[]
  /** A snapshot of it is made first (`DeletionPolicy: Snapshot`): its data can be had back, but not by itself. */
  readonly isSnapshotKept: boolean
}

export type Guarded = {
  /** In the way: nothing of the unit is executed while there is one. */
  readonly refused: readonly Finding[]
  /** Would be in the way, but for somebody's word. */
  readonly acknowledged: readonly Finding[]
  /** Acknowledged logical ids to which nothing happens. */
  readonly idle: readonly string[]
}

/**
 * Looks for what would be lost. A resource that stays in the account although the stack lets go of it (`retained`) is not
 * lost. A replacement under conditions that only the cloud knows is a loss that may be: it is refused too.
 */
export function guard(changes: readonly GuardedChange[], options: GuardOptions = {}): Guarded {
  const holds = heldBy(options)
  const known = new Set(options.acknowledged)
  const found = changes.flatMap((change): Finding[] => {
    const happens = fateOf(change)
    const what = holds(change.type)
    if (happens === undefined || what === undefined || change.retained) return []
    const { logicalId, type } = change
    const because = happens === 'perhaps replaced' ? (change.conditional ?? []) : change.because
    return [{ logicalId, type, happens, holds: what, because, isSnapshotKept: isSnapshotKept(change, options.live) }]
  })
  const touched = new Set(found.map(({ logicalId }) => logicalId))
  return {
    refused: found.filter(({ logicalId }) => !known.has(logicalId)),
    acknowledged: found.filter(({ logicalId }) => known.has(logicalId)),
    idle: [...known].filter((logicalId) => !touched.has(logicalId)).toSorted(compareText),
  }
}

/** Whether a type holds data by the list and the settings of the catalog. */
export function holdsData(type: string, settings: GuardSettings = {}): boolean {
  return heldBy(settings)(type) !== undefined
}

function heldBy({ types = [], release = [] }: GuardSettings): (type: string) => string | undefined {
  return (type) => {
    if (release.includes(type)) return undefined
    return Object.hasOwn(dataTypes, type) ? dataTypes[type] : types.includes(type) ? 'data' : undefined
  }
}

function fateOf({ action, conditional = [] }: GuardedChange): Finding['happens'] | undefined {
  if (action === 'delete') return 'deleted'
  if (action === 'replace') return 'replaced'
  return action === 'update' && conditional.length > 0 ? 'perhaps replaced' : undefined
}

function isSnapshotKept({ logicalId, action }: GuardedChange, live: DataMap | undefined): boolean {
  const resource = live === undefined ? undefined : resourcesOf(live).get(logicalId)
  return (action === 'delete' ? resource?.deletionPolicy : resource?.updateReplacePolicy) === 'Snapshot'
}

/**
 * What removing a whole stack does to its resources, as changes that the guard can look at: `protium remove` asks as a
 * deployment does.
 */
export function removalChanges(live: DataMap): readonly GuardedChange[] {
  return [...resourcesOf(live).values()].map(({ logicalId, type, deletionPolicy }) => ({
    logicalId,
    type,
    action: 'delete',
    because: [],
    retained: isRetained(deletionPolicy),
  }))
}

/** The findings of a unit in words, each with how to acknowledge it. */
export function guardProblems(unit: string, { refused, idle }: Guarded): readonly Problem[] {
  return [
    ...refused.map((finding): Problem => ({
      code: 'data-loss',
      severity: 'error',
      message: `${unit}: ${finding.logicalId} (${finding.type}) ${fateInWords(finding)}. It holds ${finding.holds}.${finding.isSnapshotKept ? ' A snapshot of it is made first.' : ''}`,
      expected: 'Resources that hold data stay, or somebody says that this one may go.',
      remedy: `Keep ${finding.logicalId} as it is, or give it \`DeletionPolicy: Retain\` and \`UpdateReplacePolicy: Retain\` in a deployment before this one. If it may be lost, say so: \`--acknowledge ${unit}:${finding.logicalId}\`, or \`acknowledge: [${finding.logicalId}]\` in the file of the unit.`,
    })),
    ...idle.map((logicalId): Problem => ({
      code: 'acknowledged-nothing',
      severity: 'warning',
      message: `${unit}: ${logicalId} is acknowledged, but nothing would be lost of it.${didYouMean(
        logicalId,
        refused.map((finding) => finding.logicalId),
      )}`,
      remedy: `Take ${logicalId} out of what is acknowledged, so that a later loss is not let through by it.`,
    })),
  ]
}

function fateInWords({ happens, because }: Finding): string {
  const words = { deleted: 'would be deleted', replaced: 'would be replaced', 'perhaps replaced': 'may be replaced' }
  return `${words[happens]}${because.length === 0 ? '' : ` (${because.join(', ')})`}`
}

/** Where the policies of a resource are noted in its own `Metadata`, when they alone were changed. */
const markKey = 'Protium::Policies'

/** A resource whose policies are changed, and nothing else of it. */
export type PolicyChange = {
  readonly logicalId: string
  readonly type: string
  readonly policies: readonly {
    readonly policy: 'DeletionPolicy' | 'UpdateReplacePolicy'
    readonly before: string
    readonly after: string
  }[]
}

/** Resources of both templates whose policies differ. */
export function policyChanges(live: DataMap, wanted: DataMap): readonly PolicyChange[] {
  const before = resourcesOf(live)
  return [...resourcesOf(wanted).values()].flatMap(({ logicalId, type, ...after }): PolicyChange[] => {
    const was = before.get(logicalId)
    if (was === undefined || was.type !== type) return []
    const policies = [
      { policy: 'DeletionPolicy', before: was.deletionPolicy, after: after.deletionPolicy },
      { policy: 'UpdateReplacePolicy', before: was.updateReplacePolicy, after: after.updateReplacePolicy },
    ] as const
    const changed = policies.filter(({ before, after }) => before !== after)
    return changed.length === 0 ? [] : [{ logicalId, type, policies: changed }]
  })
}

/**
 * The wanted template as it has to be sent so that changed policies are applied. CloudFormation sees no change in a policy
 * alone, and answers that there is nothing to update; a change of the resource's metadata it does see, and touches nothing by
 * it. So the policies are noted there. A note of an earlier time stays, for taking it away would be a change too.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
 */
export function withMarks(live: DataMap, wanted: DataMap): DataMap {
  const changed = new Set(policyChanges(live, wanted).map(({ logicalId }) => logicalId))
  const before = resourcesOf(live)
  const marks = [...resourcesOf(wanted).values()].flatMap(
    ({ logicalId, type, deletionPolicy, updateReplacePolicy }) => {
      const mark = before.get(logicalId)?.type === type ? markOf(live, logicalId) : undefined
      if (!changed.has(logicalId)) return mark === undefined ? [] : [[logicalId, mark] as const]
      const policies = `${deletionPolicy} ${updateReplacePolicy}`
      // Somebody may have changed the policies back by other means, and left the note.
      return [[logicalId, mark === policies ? `${policies} again` : policies] as const]
    },
  )
  return marks.length === 0 ? wanted : marked(wanted, new Map(marks))
}

/** A template without the notes of `withMarks`, as it is compared. */
export function withoutMarks(template: DataMap): DataMap {
  const any = [...resourcesOf(template).keys()].some((logicalId) => markOf(template, logicalId) !== undefined)
  return any ? marked(template, new Map()) : template
}

function markOf(template: DataMap, logicalId: string): string | undefined {
  const mark = own(own(own(section(template, 'Resources'), logicalId), 'Metadata'), markKey)
  return isText(mark) ? mark : undefined
}

function marked(template: DataMap, marks: ReadonlyMap<string, string>): DataMap {
  const resources = entriesOf(section(template, 'Resources')).map(([logicalId, resource]): [string, Data] => [
    logicalId,
    isMap(resource) ? withMark(resource, marks.get(logicalId)) : resource,
  ])
  return mapOf(
    entriesOf(template).map(([key, value]): [string, Data] => [key, key === 'Resources' ? mapOf(resources) : value]),
  )
}

/** One resource without the note of `withMarks`. */
export function withoutMark(resource: DataMap): DataMap {
  return withMark(resource, undefined)
}

function withMark(resource: DataMap, mark: string | undefined): DataMap {
  const metadata = own(resource, 'Metadata')
  const had = own(metadata, markKey) !== undefined
  if (mark === undefined && !had) return resource
  const kept = isMap(metadata) ? entriesOf(metadata).filter(([key]) => key !== markKey) : []
  const noted: [string, Data][] = mark === undefined ? kept : [...kept, [markKey, mark]]
  const rest = entriesOf(resource).filter(([key]) => key !== 'Metadata')
  return mapOf(noted.length === 0 ? rest : [...rest, ['Metadata', mapOf(noted)]])
}
