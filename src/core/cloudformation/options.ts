import { canonicalJson } from '../canonical.ts'
import { type Data, type DataMap, isList, isMap } from '../data.ts'
import { own, resourcesOf, transformsOf } from '../stack/template.ts'

/** What the catalog says of a stack; the shape of `StackOptions` in `src/ports.ts`. What is absent is left as the cloud has it. */
export type StackOptions = {
  readonly terminationProtection?: boolean
  readonly stackPolicy?: DataMap
  readonly serviceRole?: string
  readonly rollback?: { readonly alarms: readonly string[]; readonly minutes: number }
  readonly mode?: 'standard' | 'express'
  readonly capabilities?: readonly string[]
}

/** The fields of each call that come from the options, named as the service names them. */
export type CallFields = {
  readonly createChangeSet: {
    readonly RoleARN?: string
    readonly Capabilities: readonly Capability[]
    readonly RollbackConfiguration?: {
      readonly RollbackTriggers: readonly { readonly Arn: string; readonly Type: string }[]
      readonly MonitoringTimeInMinutes: number
    }
    readonly DeploymentConfig?: { readonly Mode: 'EXPRESS'; readonly DisableRollback: false }
  }
  /** What `executeChangeSet` takes: the mode is stored in the change set and is not said again. */
  readonly executeChangeSet: { readonly RetainExceptOnCreate: true }
  readonly deleteStack: { readonly RoleARN?: string }
  readonly rollbackStack: { readonly RoleARN?: string; readonly RetainExceptOnCreate: true }
  readonly continueUpdateRollback: { readonly RoleARN?: string }
  /** For SetStackPolicy, before a change set is executed: CreateChangeSet has no field for it. */
  readonly stackPolicy: string | undefined
  /** For UpdateTerminationProtection, before a change set is executed and only if the stack has it otherwise. */
  readonly terminationProtection: boolean | undefined
}

export type Capability = 'CAPABILITY_IAM' | 'CAPABILITY_NAMED_IAM' | 'CAPABILITY_AUTO_EXPAND'

/**
 * Which option goes into which call. Resources that a failed creation has made are deleted with it also where their policy is
 * `Retain` (RetainExceptOnCreate), so that the next run does not find their names taken.
 */
export function callFields(options: StackOptions, body: DataMap): CallFields {
  const { serviceRole, rollback, mode, stackPolicy, terminationProtection, capabilities } = options
  const role = serviceRole === undefined ? {} : { RoleARN: serviceRole }
  return {
    createChangeSet: {
      ...role,
      Capabilities: capabilities === undefined ? neededCapabilities(body) : knownCapabilities(capabilities),
      ...(rollback !== undefined && {
        RollbackConfiguration: {
          // An empty list is sent too: it takes the alarms away again.
          RollbackTriggers: rollback.alarms.map((Arn) => ({ Arn, Type: 'AWS::CloudWatch::Alarm' })),
          MonitoringTimeInMinutes: rollback.minutes,
        },
      }),
      // Express mode does not roll back unless it is asked to.
      ...(mode === 'express' && { DeploymentConfig: { Mode: 'EXPRESS', DisableRollback: false } as const }),
    },
    executeChangeSet: { RetainExceptOnCreate: true },
    deleteStack: role,
    rollbackStack: { ...role, RetainExceptOnCreate: true },
    continueUpdateRollback: role,
    stackPolicy: stackPolicy === undefined ? undefined : canonicalJson(stackPolicy),
    terminationProtection,
  }
}

const allCapabilities = ['CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'] as const

function knownCapabilities(words: readonly string[]): readonly Capability[] {
  return allCapabilities.filter((word) => words.includes(word))
}

/**
 * The capabilities that a template asks for: of IAM resources, with names of their own or not, and of macros. What a nested
 * stack has in it is not seen here, so that it asks for all of them.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
 */
export function neededCapabilities(body: DataMap): readonly Capability[] {
  const resources = [...resourcesOf(body).values()]
  const iam = resources.filter(({ type }) => type.startsWith('AWS::IAM::'))
  const isNested = resources.some(({ type }) => type === 'AWS::CloudFormation::Stack' || type.endsWith('::MODULE'))
  const isNamed = isNested || iam.some(({ properties }) => iamNames.some((name) => own(properties, name) !== undefined))
  const macros = transformsOf(body)
  const isExpanded = isNested || macros.length > 0 || hasTransform(body)
  // The Serverless transform makes the roles of functions.
  const isIam = iam.length > 0 || macros.some((name) => name.startsWith('AWS::Serverless'))
  return [
    ...(isNamed ? (['CAPABILITY_NAMED_IAM'] as const) : isIam ? (['CAPABILITY_IAM'] as const) : []),
    ...(isExpanded ? (['CAPABILITY_AUTO_EXPAND'] as const) : []),
  ]
}

const iamNames = [
  'GroupName',
  'InstanceProfileName',
  'ManagedPolicyName',
  'PolicyName',
  'RoleName',
  'UserName',
] as const

function hasTransform(value: Data): boolean {
  if (isList(value)) return value.some(hasTransform)
  return isMap(value) && Object.entries(value).some(([key, member]) => key === 'Fn::Transform' || hasTransform(member))
}

/** Why a deployment in express mode is refused; nothing if it is not. */
export function expressRefusal(
  options: StackOptions,
  facts: {
    readonly changes: readonly {
      readonly logicalId: string
      readonly action: string
      readonly conditional?: readonly string[]
    }[]
    readonly isProduction: boolean
    readonly isForced?: boolean
  },
): { readonly code: 'express-refused'; readonly message: string; readonly remedy: string } | undefined {
  if (options.mode !== 'express' || facts.isForced === true) return undefined
  const replaced = facts.changes.filter(
    ({ action, conditional = [] }) => action === 'replace' || (action === 'update' && conditional.length > 0),
  )
  const remedy = 'Take `mode: express` out of the stage in catalog.yaml, or deploy this change without it.'
  if (facts.isProduction) {
    return {
      code: 'express-refused',
      message: 'Express mode does not wait until what was deployed works, which a stage of production has to.',
      remedy,
    }
  }
  if (replaced.length === 0) return undefined
  return {
    code: 'express-refused',
    message: `Express mode cannot roll back a replacement: ${replaced.map(({ logicalId }) => logicalId).join(', ')}.`,
    remedy,
  }
}
