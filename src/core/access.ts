import type { Change } from './plan.ts'

/**
 * Which changes are about who may do what, and who can reach whom. They are told from the types of resources and the names of
 * properties alone; whether a rule allows or denies, a plan does not hold.
 */

export type Access = 'permission' | 'network'

/** What a change does to access. Where something comes or becomes another, access may be wider than before. */
export type AccessChange = {
  readonly access: Access
  readonly is: 'new' | 'gone' | 'replaced' | 'changed'
  /** Of `changed`: property paths that come, that go, and that have another value. */
  readonly gains: readonly string[]
  readonly loses: readonly string[]
  readonly changes: readonly string[]
}

/** Roles and policies; and the policies that lie on a resource. https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/ */
const permissionType =
  /^AWS::IAM::|^AWS::Lambda::(?:LayerVersion)?Permission$|::(?:\w*Resource|Bucket|Queue|QueueInline|Topic|TopicInline|EventBus|Registry|AccessPoint)Policy$/
const networkType = /^AWS::EC2::(?:SecurityGroup|NetworkAcl)|^AWS::WAFv2::|^AWS::RDS::DBSecurityGroup/

/** The same as a property of something else. */
const permissionPath =
  /(?:^|\.)(?:PolicyDocument|AssumeRolePolicyDocument|KeyPolicy|RepositoryPolicyText|ResourcePolicy|FileSystemPolicy|AccessPolicies|ManagedPolicyArns)(?:\.|$)/
const networkPath =
  /(?:^|\.)(?:SecurityGroups|SecurityGroupIds|VpcSecurityGroupIds|PubliclyAccessible|PublicAccessBlockConfiguration|AssignPublicIp)(?:\.|$)/

/** What says nothing of access, although it is a part of a role or a group. */
const harmlessPath =
  /^(?:Properties\.)?(?:Tags|Description|GroupDescription|MaxSessionDuration|RoleName|GroupName)(?:\.|$)/

/** Which access a resource is about, by its type. */
export function accessOf(type: string): Access | undefined {
  return permissionType.test(type) ? 'permission' : networkType.test(type) ? 'network' : undefined
}

/** What a change does to either access; nothing where it has to do with none. */
export function accessChanges({ type, action, properties }: Change): readonly AccessChange[] {
  const own = accessOf(type)
  const none = { gains: [], loses: [], changes: [] }
  if (action === 'create') return own === undefined ? [] : [{ access: own, is: 'new', ...none }]
  if (action === 'delete') return own === undefined ? [] : [{ access: own, is: 'gone', ...none }]
  return (['permission', 'network'] as const).flatMap((access): AccessChange[] => {
    const path = access === 'permission' ? permissionPath : networkPath
    const about = properties.filter((each) => (own === access && !harmlessPath.test(each.path)) || path.test(each.path))
    if (action === 'replace' && own === access) return [{ access, is: 'replaced', ...none }]
    if (about.length === 0) return []
    const isNew = ({ before, after }: Change['properties'][number]): boolean =>
      before === undefined && after !== undefined
    const isGone = ({ before, after }: Change['properties'][number]): boolean =>
      before !== undefined && after === undefined
    const paths = (some: Change['properties']): readonly string[] =>
      some.map((each) => each.path.replace(/^Properties\./u, ''))
    return [
      {
        access,
        is: 'changed',
        gains: paths(about.filter(isNew)),
        loses: paths(about.filter(isGone)),
        changes: paths(about.filter((each) => !isNew(each) && !isGone(each))),
      },
    ]
  })
}

/** Whether somebody may do or reach more than before, as far as a plan can tell. */
export function mayWiden({ is, gains, changes }: AccessChange): boolean {
  return is === 'new' || is === 'replaced' || gains.length > 0 || changes.length > 0
}
