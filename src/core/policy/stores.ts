import { type Data, isList, isMap, type Path } from '../data.ts'
import {
  branches,
  elements,
  type Finding,
  isIntrinsic,
  isSet,
  isTrue,
  properties,
  reach,
  type Resource,
  type Resources,
  targetOf,
  textOf,
} from './resources.ts'

type Encryption = {
  readonly keys: readonly string[]
  readonly test: (value: Data | undefined) => boolean
  readonly say: string
}

const switched = (...keys: string[]): Encryption => ({ keys, test: isTrue, say: `\`${keys.join('.')}: true\`` })
const named = (...keys: string[]): Encryption => ({ keys, test: isSet, say: `\`${keys.join('.')}\`` })

/**
 * What a store has to say to be encrypted at rest. Not here are those that AWS always encrypts: S3 (since January 2023),
 * log groups, serverless caches; and queues, which are encrypted unless they say otherwise (below).
 */
const encryptions: ReadonlyMap<string, readonly Encryption[]> = new Map([
  ['AWS::DAX::Cluster', [switched('SSESpecification', 'SSEEnabled')]],
  ['AWS::DocDB::DBCluster', [switched('StorageEncrypted')]],
  ['AWS::EC2::Volume', [switched('Encrypted')]],
  ['AWS::EFS::FileSystem', [switched('Encrypted')]],
  ['AWS::ElastiCache::ReplicationGroup', [switched('AtRestEncryptionEnabled'), switched('TransitEncryptionEnabled')]],
  ['AWS::Elasticsearch::Domain', [switched('EncryptionAtRestOptions', 'Enabled')]],
  ['AWS::Kinesis::Stream', [named('StreamEncryption', 'KeyId')]],
  ['AWS::Neptune::DBCluster', [switched('StorageEncrypted')]],
  ['AWS::OpenSearchService::Domain', [switched('EncryptionAtRestOptions', 'Enabled')]],
  ['AWS::RDS::DBCluster', [switched('StorageEncrypted')]],
  ['AWS::RDS::DBInstance', [switched('StorageEncrypted')]],
  ['AWS::Redshift::Cluster', [switched('Encrypted')]],
  ['AWS::SNS::Topic', [named('KmsMasterKeyId')]],
])

/** What decides the encryption instead: an instance has that of its cluster, a copy that of its source. */
const inherited = [
  'DBClusterIdentifier',
  'SourceDBInstanceIdentifier',
  'DBSnapshotIdentifier',
  'SnapshotIdentifier',
  'SourceDBClusterIdentifier',
]

export function encryption(resource: Resource): Finding[] {
  const rules = encryptions.get(resource.type) ?? []
  const findings: Finding[] = []
  const decidedElsewhere =
    rules.length > 0 && inherited.some((key) => properties(resource, key).some(({ value }) => isSet(value)))
  for (const { keys, test, say } of decidedElsewhere ? [] : rules) {
    for (const { value, path } of properties(resource, ...keys)) {
      if (isIntrinsic(value) || test(value)) continue
      findings.push(unencrypted(resource, path, `${resource.id} is not encrypted.`, say))
    }
  }
  if (resource.type === 'AWS::SQS::Queue') {
    const ownKey = properties(resource, 'KmsMasterKeyId').every(({ value }) => isSet(value))
    for (const { value, path } of properties(resource, 'SqsManagedSseEnabled')) {
      if (ownKey || (value !== false && value !== 'false')) continue
      findings.push(
        unencrypted(
          resource,
          path,
          `The queue ${resource.id} switches its encryption off.`,
          '`SqsManagedSseEnabled: true`, or `KmsMasterKeyId`',
        ),
      )
    }
  }
  if (resource.type === 'AWS::ElastiCache::CacheCluster') {
    findings.push(
      unencrypted(
        resource,
        [...resource.path, 'Type'],
        `${resource.id} is a single cache node, which cannot be encrypted at rest.`,
        'an `AWS::ElastiCache::ServerlessCache`, or a `ReplicationGroup` with `AtRestEncryptionEnabled: true`',
      ),
    )
  }
  if (resource.type === 'AWS::DynamoDB::Table') {
    for (const { value, path } of properties(resource, 'SSESpecification', 'SSEEnabled')) {
      if (isIntrinsic(value) || isTrue(value)) continue
      findings.push({
        ...unencrypted(
          resource,
          path,
          `The table ${resource.id} is encrypted by a key of AWS alone, which the account can neither watch nor withdraw.`,
          '`SSESpecification.SSEEnabled: true`',
        ),
        severity: 'warning',
      })
    }
  }
  return findings
}

function unencrypted(resource: Resource, path: Path, message: string, say: string): Finding {
  return {
    code: 'policy-unencrypted',
    path,
    message,
    expected: `A store encrypted at rest: ${say}.`,
    remedy: `Write ${say} in ${resource.id}. On a store with data, look in the plan whether it is replaced.`,
  }
}

export function retention(resource: Resource, resources: Resources): Finding[] {
  const forever = (path: Path, message: string, expected: string, remedy: string): Finding => ({
    code: 'policy-log-retention',
    path,
    message,
    expected,
    remedy,
  })
  if (resource.type === 'AWS::Logs::LogGroup') {
    return properties(resource, 'RetentionInDays')
      .filter(({ value }) => !isSet(value))
      .map(({ path }) =>
        forever(
          path,
          `The log group ${resource.id} keeps everything for ever.`,
          '`RetentionInDays`.',
          'Set the days, by the retention of the environment.',
        ),
      )
  }
  if (resource.type === 'AWS::Lambda::Function') {
    const group = properties(resource, 'LoggingConfig', 'LogGroup')
    if (group.every(({ value }) => isSet(value)) || hasLogGroup(resource, resources)) return []
    return [
      forever(
        [...resource.path, 'Properties', 'LoggingConfig'],
        `The function ${resource.id} has no log group here; Lambda makes one that keeps everything for ever.`,
        'A log group with `RetentionInDays`, named in `LoggingConfig.LogGroup`.',
        'Add an `AWS::Logs::LogGroup` and refer to it.',
      ),
    ]
  }
  if (resource.type === 'AWS::ECS::TaskDefinition') {
    return elements(properties(resource, 'ContainerDefinitions'))
      .flatMap((container) => reach(container, 'LogConfiguration', 'Options', 'awslogs-create-group'))
      .filter(({ value }) => isTrue(value))
      .map(({ path }) =>
        forever(
          path,
          `A container of ${resource.id} makes its log group itself, and that keeps everything for ever.`,
          'A log group of the template, with `RetentionInDays`.',
          'Add an `AWS::Logs::LogGroup` and refer to it in `awslogs-group`.',
        ),
      )
  }
  return []
}

/** Whether the group that Lambda would make, `/aws/lambda/<function>`, is in the template. */
function hasLogGroup(resource: Resource, resources: Resources): boolean {
  const names = properties(resource, 'FunctionName').map(({ value }) => textOf(value))
  return [...resources.values()].some(
    (other) =>
      other.type === 'AWS::Logs::LogGroup' &&
      properties(other, 'LogGroupName').some(({ value }) => {
        const name = textOf(value)
        if (name === undefined || !name.startsWith('/aws/lambda/')) return false
        return names.includes(name.slice('/aws/lambda/'.length)) || mentions(value, resource.id)
      }),
  )
}

/** Whether `Fn::Sub` or `Fn::Join` puts the name of a resource into a text. */
function mentions(value: Data | undefined, id: string): boolean {
  if (!isMap(value)) return false
  const sub = value['Fn::Sub']
  const template = isList(sub) ? sub[0] : sub
  if (typeof template === 'string') return template.includes(`\${${id}}`)
  const join = value['Fn::Join']
  return isList(join) && isList(join[1]) && join[1].some((part) => targetOf(part) === id)
}

/** Stores, and whether a snapshot keeps their data as well. */
const stores: ReadonlyMap<string, 'retain' | 'snapshot'> = new Map([
  ['AWS::Cognito::UserPool', 'retain'],
  ['AWS::DocDB::DBCluster', 'snapshot'],
  ['AWS::DynamoDB::GlobalTable', 'retain'],
  ['AWS::DynamoDB::Table', 'retain'],
  ['AWS::EC2::Volume', 'snapshot'],
  ['AWS::ECR::Repository', 'retain'],
  ['AWS::EFS::FileSystem', 'retain'],
  ['AWS::ElastiCache::ReplicationGroup', 'snapshot'],
  ['AWS::ElastiCache::ServerlessCache', 'retain'],
  ['AWS::KMS::Key', 'retain'],
  ['AWS::Kinesis::Stream', 'retain'],
  ['AWS::Neptune::DBCluster', 'snapshot'],
  ['AWS::OpenSearchService::Domain', 'retain'],
  ['AWS::RDS::DBCluster', 'snapshot'],
  ['AWS::RDS::DBInstance', 'snapshot'],
  ['AWS::Redshift::Cluster', 'snapshot'],
  ['AWS::S3::Bucket', 'retain'],
  ['AWS::SQS::Queue', 'retain'],
])

export function retained(resource: Resource): Finding[] {
  const kept = stores.get(resource.type)
  if (kept === undefined) return []
  if (properties(resource, 'DBClusterIdentifier').some(({ value }) => isSet(value))) return []
  const accepted =
    kept === 'snapshot' ? ['Retain', 'RetainExceptOnCreate', 'Snapshot'] : ['Retain', 'RetainExceptOnCreate']
  const findings: Finding[] = []
  for (const key of ['DeletionPolicy', 'UpdateReplacePolicy'] as const) {
    for (const { value, path } of branches({ value: resource.body[key], path: [...resource.path, key] })) {
      if (isIntrinsic(value) || (typeof value === 'string' && accepted.includes(value))) continue
      findings.push({
        code: 'policy-unretained-store',
        path,
        message: `${resource.id} holds data of production, which is gone when the ${key === 'DeletionPolicy' ? 'stack is deleted' : 'resource is replaced'}.`,
        expected: `\`${key}: Retain\`${kept === 'snapshot' ? ', or `Snapshot`' : ''} in production.`,
        remedy: `Add it beside \`Type:\`; in a template of all stages by \`{{ 'Retain' if environment.outputs.Production == 'true' else 'Delete' }}\`.`,
      })
    }
  }
  return findings
}
