import { canonicalJson } from '../../../src/core/canonical.ts'
import { type Data, isList, mapOf } from '../../../src/core/data.ts'
import { differences } from '../../../src/core/stack/diff.ts'
import { scalarText } from '../../../src/core/stack/parameters.ts'
import { own, section, transformsOf } from '../../../src/core/stack/template.ts'
import { flagAt, membersAt, numberAt, structuresAt, text, textAt, textsAt } from './input.ts'
import type { Members } from './model.ts'
import type { Options } from './operations.ts'
import { exportsOf, importersOf } from './plan.ts'
import { refuseBadPolicy } from './policy.ts'
import {
  cancelStackUpdate,
  continueUpdateRollback,
  createChangeSet,
  createStack,
  deleteChangeSet,
  deleteStack,
  executeChangeSet,
  needChangeSet,
  needLiveStack,
  needStack,
  resourceTypesOf,
  rollbackStack,
  updateStack,
  type Wanted,
} from './stacks.ts'
import {
  ApiError,
  type Change,
  type ChangeSet,
  type Config,
  type Detail,
  findStack,
  isBusy,
  type LiveResource,
  newId,
  type Operation,
  type Place,
  type Stack,
  type StackEvent,
  validation,
  type World,
} from './state.ts'
import { capabilitiesNeeded, parseTemplate, refuseBroken, resolvedParameters, templateAt } from './templates.ts'

export type Call = { readonly world: World; readonly place: Place; readonly input: Members }

/** What answers an action of CloudFormation. */
export type Handler = (call: Call) => Members

export const handlers: Readonly<Record<string, Handler>> = {
  CreateStack: (call) => {
    const { input } = call
    const express = membersAt(input, 'DeploymentConfig')
    if (flagAt(input, 'DisableRollback') !== undefined && textAt(input, 'OnFailure') !== undefined)
      throw validation('Cannot specify both OnFailure and DisableRollback.')
    if (express !== undefined && (flagAt(input, 'DisableRollback') ?? textAt(input, 'OnFailure')) !== undefined)
      throw validation('DisableRollback and OnFailure cannot be specified together with DeploymentConfig.')
    const { stack, operation } = createStack(requestOf(call), {
      name: text(input, 'StackName'),
      wanted: wantedOf(input),
      options: optionsOf(input),
      policy: textAt(input, 'StackPolicyBody'),
      terminationProtection: flagAt(input, 'EnableTerminationProtection') ?? false,
      timeoutMinutes: numberAt(input, 'TimeoutInMinutes'),
      validates: flagAt(input, 'DisableValidation') !== true,
    })
    return { StackId: stack.id, OperationId: operation.id }
  },
  UpdateStack: (call) => {
    const { input } = call
    const { stack, operation } = updateStack(requestOf(call), {
      nameOrId: text(input, 'StackName'),
      wanted: wantedOf(input),
      options: optionsOf(input),
      policy: textAt(input, 'StackPolicyBody'),
      validates: flagAt(input, 'DisableValidation') !== true,
    })
    return { StackId: stack.id, OperationId: operation.id }
  },
  DeleteStack: (call) => {
    const { input } = call
    deleteStack(requestOf(call), {
      nameOrId: text(input, 'StackName'),
      retain: textsAt(input, 'RetainResources') ?? [],
      force: textAt(input, 'DeletionMode') === 'FORCE_DELETE_STACK',
      express: textAt(membersAt(input, 'DeploymentConfig') ?? {}, 'Mode') === 'EXPRESS',
    })
    return {}
  },
  CreateChangeSet: (call) => {
    const { input } = call
    const { stack, changeSet } = createChangeSet(requestOf(call, 'ClientToken'), {
      name: text(input, 'ChangeSetName'),
      stackName: text(input, 'StackName'),
      kind: textAt(input, 'ChangeSetType') ?? 'UPDATE',
      description: textAt(input, 'Description'),
      wanted: wantedOf(input),
      includeNested: flagAt(input, 'IncludeNestedStacks') ?? false,
      onStackFailure: textAt(input, 'OnStackFailure'),
      deployment: deploymentOf(input),
      revertDrift: textAt(input, 'DeploymentMode') === 'REVERT_DRIFT',
      importExisting: flagAt(input, 'ImportExistingResources') ?? false,
      validates: flagAt(input, 'DisableValidation') !== true,
    })
    return { Id: changeSet.id, StackId: stack.id }
  },
  DescribeChangeSet: (call) => {
    const { input, world } = call
    const { stack, changeSet } = changeSetOf(call)
    const { items, next } = page(world, changeSet.changes, textAt(input, 'NextToken'))
    const values = flagAt(input, 'IncludePropertyValues') ?? false
    return {
      ...summaryOfChangeSet(stack, changeSet),
      Parameters: parametersOf(world, changeSet.config),
      NotificationARNs: changeSet.config.notificationArns,
      RollbackConfiguration: rollbackOf(changeSet.config),
      Capabilities: changeSet.config.capabilities,
      Tags: tagsOf(changeSet.config),
      Changes: items.map((change) => shownChange(change, values)),
      NextToken: next,
      OnStackFailure: changeSet.onStackFailure,
      ...(changeSet.revertDrift
        ? { DeploymentMode: 'REVERT_DRIFT', StackDriftStatus: isDrifted(stack) ? 'DRIFTED' : 'IN_SYNC' }
        : {}),
      DeploymentConfig: shownDeployment(changeSet.deploymentConfig),
    }
  },
  ListChangeSets: ({ world, place, input }) => {
    const stack = findStack(place, text(input, 'StackName'))
    if (stack === undefined) throw validation(`Stack [${text(input, 'StackName')}] does not exist`)
    const { items, next } = page(world, stack.changeSets, textAt(input, 'NextToken'))
    return { Summaries: items.map((each) => summaryOfChangeSet(stack, each)), NextToken: next }
  },
  ExecuteChangeSet: (call) => {
    executeChangeSet(requestOf(call), {
      ...changeSetOf(call),
      disableRollback: flagAt(call.input, 'DisableRollback'),
      retainExceptOnCreate: flagAt(call.input, 'RetainExceptOnCreate') ?? false,
    })
    return {}
  },
  DeleteChangeSet: (call) => {
    deleteChangeSet(call, {
      changeSet: text(call.input, 'ChangeSetName'),
      stackName: textAt(call.input, 'StackName'),
    })
    return {}
  },
  DescribeStacks: ({ world, place, input }) => {
    const name = textAt(input, 'StackName')
    if (name !== undefined) return { Stacks: [shownStack(world, needStack(place, name))] }
    const there = place.stacks.filter(({ status }) => status !== 'DELETE_COMPLETE').toReversed()
    const { items, next } = page(world, there, textAt(input, 'NextToken'))
    return { Stacks: items.map((stack) => shownStack(world, stack)), NextToken: next }
  },
  ListStacks: ({ world, place, input }) => {
    const filter = textsAt(input, 'StackStatusFilter')
    const wanted = place.stacks
      .filter(({ status }) => filter === undefined || filter.length === 0 || filter.includes(status))
      .toReversed()
    const { items, next } = page(world, wanted, textAt(input, 'NextToken'))
    return { StackSummaries: items.map(summaryOf), NextToken: next }
  },
  DescribeStackEvents: ({ world, place, input }) => {
    const name = text(input, 'StackName')
    const stack = findStack(place, name)
    if (stack === undefined) throw validation(`Stack [${name}] does not exist`)
    const { items, next } = page(world, stack.events.toReversed(), textAt(input, 'NextToken'))
    return { StackEvents: items.map((event) => shownEvent(stack, event)), NextToken: next }
  },
  DescribeEvents: describeEvents,
  DescribeStackResource: ({ place, input }) => {
    const name = text(input, 'StackName')
    const stack = findStack(place, name)
    if (stack === undefined) throw validation(`Stack '${name}' does not exist`)
    const logicalId = text(input, 'LogicalResourceId')
    const found = stack.resources.get(logicalId)
    if (found === undefined) throw validation(`Resource ${logicalId} does not exist for stack ${stack.name}`)
    const { Timestamp, ...rest } = shownResource(stack, found)
    return { StackResourceDetail: { ...rest, LastUpdatedTimestamp: Timestamp } }
  },
  DescribeStackResources: ({ place, input }) => {
    const physical = textAt(input, 'PhysicalResourceId')
    const name = textAt(input, 'StackName')
    const stack =
      name === undefined
        ? place.stacks.find(({ resources }) =>
            [...resources.values()].some(({ physicalId }) => physicalId === physical),
          )
        : findStack(place, name)
    if (stack === undefined) throw validation(`Stack with id ${name ?? physical ?? ''} does not exist`)
    const logicalId = textAt(input, 'LogicalResourceId')
    const resources = [...stack.resources.values()].filter(
      (it) => logicalId === undefined || it.logicalId === logicalId,
    )
    return { StackResources: resources.slice(0, 100).map((it) => shownResource(stack, it)) }
  },
  ListStackResources: ({ world, place, input }) => {
    const name = text(input, 'StackName')
    const stack = findStack(place, name)
    if (stack === undefined) throw validation(`Stack with id ${name} does not exist`)
    const { items, next } = page(world, [...stack.resources.values()], textAt(input, 'NextToken'))
    return {
      StackResourceSummaries: items.map((it) => {
        const { Timestamp, StackId: _id, StackName: _name, ...rest } = shownResource(stack, it)
        return { ...rest, LastUpdatedTimestamp: Timestamp }
      }),
      NextToken: next,
    }
  },
  GetTemplate: (call) => {
    const { place, input } = call
    const config =
      textAt(input, 'ChangeSetName') === undefined
        ? needStack(place, textAt(input, 'StackName') ?? '').config
        : changeSetOf(call).changeSet.config
    // A stack that is only reviewed has no template yet.
    if (config === undefined) return { TemplateBody: '', StagesAvailable: [] }
    const processed = textAt(input, 'TemplateStage') === 'Processed'
    return {
      TemplateBody:
        processed && transformsOf(config.template).length > 0 ? canonicalJson(config.template) : config.templateText,
      StagesAvailable: ['Original', 'Processed'],
    }
  },
  GetTemplateSummary: (call) => {
    const { place, input } = call
    const name = textAt(input, 'StackName')
    const template = name === undefined ? givenTemplate(call) : summarised(needStack(place, name))
    const declared = declarationsOf(template)
    const resources = section(template, 'Resources')
    return {
      ...described(template),
      Parameters: declared.map(({ key, declaration }) => {
        const allowed = own(declaration, 'AllowedValues')
        const constraints = isList(allowed) ? { AllowedValues: allowed.flatMap((each) => scalarText(each) ?? []) } : {}
        return {
          ...shownDeclaration(key, declaration),
          ParameterType: scalarText(own(declaration, 'Type')) ?? 'String',
          ParameterConstraints: constraints,
        }
      }),
      ResourceTypes: resourceTypesOf(template),
      Version: scalarText(own(template, 'AWSTemplateFormatVersion')),
      ResourceIdentifierSummaries: resourceTypesOf(template).map((type) => ({
        ResourceType: type,
        LogicalResourceIds: Object.keys(resources).filter((id) => own(resources[id], 'Type') === type),
      })),
      ...(own(template, 'Metadata') === undefined
        ? {}
        : { Metadata: canonicalJson(own(template, 'Metadata') ?? null) }),
    }
  },
  ValidateTemplate: (call) => {
    const template = givenTemplate(call)
    return {
      ...described(template),
      Parameters: declarationsOf(template).map(({ key, declaration }) => shownDeclaration(key, declaration)),
    }
  },
  CancelUpdateStack: (call) => {
    cancelStackUpdate(requestOf(call), text(call.input, 'StackName'))
    return {}
  },
  ContinueUpdateRollback: (call) => {
    const { input } = call
    const skip = textsAt(input, 'ResourcesToSkip') ?? []
    const force = flagAt(input, 'ForceRollback') ?? false
    if (skip.length > 0 && force) throw validation('ResourcesToSkip and ForceRollback cannot be specified together.')
    continueUpdateRollback(requestOf(call), { nameOrId: text(input, 'StackName'), skip, force })
    return {}
  },
  RollbackStack: (call) => {
    const { stack, operation } = rollbackStack(requestOf(call), {
      nameOrId: text(call.input, 'StackName'),
      retainExceptOnCreate: flagAt(call.input, 'RetainExceptOnCreate') ?? false,
    })
    return { StackId: stack.id, OperationId: operation.id }
  },
  SetStackPolicy: ({ place, input }) => {
    const stack = needLiveStack(place, text(input, 'StackName'))
    const body = textAt(input, 'StackPolicyBody')
    if (body === undefined) throw validation('You must specify either StackPolicyBody or StackPolicyURL')
    refuseBadPolicy(body)
    stack.policy = body
    return {}
  },
  GetStackPolicy: ({ place, input }) => {
    return { StackPolicyBody: needLiveStack(place, text(input, 'StackName')).policy }
  },
  UpdateTerminationProtection: ({ place, input }) => {
    const stack = needLiveStack(place, text(input, 'StackName'))
    if (stack.root !== undefined)
      throw validation(
        `Termination protection cannot be updated on the nested stack [${stack.id}]. It is set on its root.`,
      )
    stack.terminationProtection = flagAt(input, 'EnableTerminationProtection') ?? false
    return { StackId: stack.id }
  },
  ListExports: ({ world, place, input }) => {
    const { items, next } = page(world, [...exportsOf(place)], textAt(input, 'NextToken'))
    return {
      Exports: items.map(([name, { value, stack }]) => ({ ExportingStackId: stack.id, Name: name, Value: value })),
      NextToken: next,
    }
  },
  ListImports: ({ world, place, input }) => {
    const name = text(input, 'ExportName')
    const users = importersOf(place, name)
    if (users.length === 0) throw validation(`Export '${name}' is not imported by any stack.`)
    const { items, next } = page(world, users, textAt(input, 'NextToken'))
    return { Imports: items.map((stack) => stack.name), NextToken: next }
  },
  DescribeAccountLimits: ({ world }) => ({
    AccountLimits: [
      { Name: 'StackLimit', Value: world.settings.stackLimit },
      { Name: 'StackOutputsLimit', Value: 200 },
      { Name: 'ConcurrentResourcesLimit', Value: 2500 },
    ],
  }),
  DetectStackDrift: ({ world, place, input }) => {
    const stack = needLiveStack(place, text(input, 'StackName'))
    if (isBusy(stack.status) || stack.status === 'REVIEW_IN_PROGRESS')
      throw validation(
        `Drift detection cannot be performed on stack [${stack.id}] while it is in ${stack.status} state.`,
      )
    const id = newId(world)
    const at = world.agenda.now()
    place.detections.set(id, { stack: stack.id, at, done: new Date(at.getTime() + 5000) })
    return { StackDriftDetectionId: id }
  },
  DescribeStackDriftDetectionStatus: ({ world, place, input }) => {
    const id = text(input, 'StackDriftDetectionId')
    const detection = place.detections.get(id)
    if (detection === undefined) throw validation(`No drift detection with the id ${id} exists.`)
    const stack = needStack(place, detection.stack)
    const isDone = world.agenda.now() >= detection.done
    const drifted = [...stack.resources.values()].filter((it) => it.drifted !== undefined)
    if (isDone) {
      stack.driftStatus = drifted.length > 0 ? 'DRIFTED' : 'IN_SYNC'
      stack.driftCheckedAt = detection.done
      for (const [key, it] of stack.resources) stack.resources.set(key, { ...it, driftCheckedAt: detection.done })
    }
    return {
      StackId: stack.id,
      StackDriftDetectionId: id,
      DetectionStatus: isDone ? 'DETECTION_COMPLETE' : 'DETECTION_IN_PROGRESS',
      ...(isDone ? { StackDriftStatus: stack.driftStatus, DriftedStackResourceCount: drifted.length } : {}),
      Timestamp: detection.at,
    }
  },
  DescribeStackResourceDrifts: ({ world, place, input }) => {
    const stack = needLiveStack(place, text(input, 'StackName'))
    const filter = textsAt(input, 'StackResourceDriftStatusFilters')
    const drifts = [...stack.resources.values()]
      .filter(({ driftCheckedAt }) => driftCheckedAt !== undefined)
      .map((it) => shownDrift(stack, it))
      .filter(({ StackResourceDriftStatus: status }) => filter === undefined || filter.includes(status))
    const { items, next } = page(world, drifts, textAt(input, 'NextToken'), numberAt(input, 'MaxResults'))
    return { StackResourceDrifts: items, NextToken: next }
  },
}

function requestOf(
  { world, place, input }: Call,
  name = 'ClientRequestToken',
): {
  readonly world: World
  readonly place: Place
  readonly token: string | undefined
  readonly asked: Members
} {
  return { world, place, token: textAt(input, name), asked: input }
}

function wantedOf(input: Members): Wanted {
  const rollback = membersAt(input, 'RollbackConfiguration')
  const tags = structuresAt(input, 'Tags')
  if (tags?.some((tag) => text(tag, 'Key').startsWith('aws:')) === true)
    throw validation('aws: prefixed tag key names are not allowed for external use.')
  return {
    templateBody: textAt(input, 'TemplateBody'),
    templateUrl: textAt(input, 'TemplateURL'),
    usePreviousTemplate: flagAt(input, 'UsePreviousTemplate') ?? false,
    parameters: (structuresAt(input, 'Parameters') ?? []).map((each) => ({
      key: text(each, 'ParameterKey'),
      value: textAt(each, 'ParameterValue'),
      usePrevious: flagAt(each, 'UsePreviousValue') ?? false,
    })),
    tags:
      tags === undefined ? undefined : Object.fromEntries(tags.map((tag) => [text(tag, 'Key'), text(tag, 'Value')])),
    capabilities: textsAt(input, 'Capabilities') ?? [],
    notificationArns: textsAt(input, 'NotificationARNs'),
    roleArn: textAt(input, 'RoleARN'),
    rollback:
      rollback === undefined
        ? undefined
        : {
            triggers: structuresAt(rollback, 'RollbackTriggers')?.map((each) => ({
              arn: text(each, 'Arn'),
              type: text(each, 'Type'),
            })),
            minutes: numberAt(rollback, 'MonitoringTimeInMinutes'),
          },
  }
}

function deploymentOf(input: Members): ChangeSet['deploymentConfig'] {
  const config = membersAt(input, 'DeploymentConfig')
  return config === undefined
    ? undefined
    : { mode: textAt(config, 'Mode'), disableRollback: flagAt(config, 'DisableRollback') }
}

function optionsOf(input: Members): Options {
  const deployment = deploymentOf(input)
  const express = deployment?.mode === 'EXPRESS'
  return {
    disableRollback: flagAt(input, 'DisableRollback') ?? deployment?.disableRollback ?? express,
    onFailure: textAt(input, 'OnFailure'),
    retainExceptOnCreate: flagAt(input, 'RetainExceptOnCreate') ?? false,
    deployment,
  }
}

function changeSetOf({ place, input }: Call): { readonly stack: Stack; readonly changeSet: ChangeSet } {
  return needChangeSet(place, { changeSet: text(input, 'ChangeSetName'), stackName: textAt(input, 'StackName') })
}

/** A page of a list. The token is where the next one begins. */
function page<T>(
  world: World,
  all: readonly T[],
  token: string | undefined,
  size: number = world.settings.pageSize,
): { readonly items: readonly T[]; readonly next: string | undefined } {
  const from = token === undefined ? 0 : Number(Buffer.from(token, 'base64').toString())
  if (!Number.isSafeInteger(from)) throw validation('The NextToken is not valid.')
  const end = from + size
  return {
    items: all.slice(from, end),
    next: end < all.length ? Buffer.from(String(end)).toString('base64') : undefined,
  }
}

function shownStack(world: World, stack: Stack): Members {
  const { config, stale } = stack
  const old = stale !== undefined && stale.left > 0 ? stale.status : undefined
  if (stale !== undefined) stack.stale = stale.left > 1 ? { ...stale, left: stale.left - 1 } : undefined
  return {
    StackId: stack.id,
    StackName: stack.name,
    ChangeSetId: stack.changeSet,
    Description: config === undefined ? undefined : scalarText(own(config.template, 'Description')),
    Parameters: config === undefined ? [] : parametersOf(world, config),
    CreationTime: stack.createdAt,
    DeletionTime: stack.deletedAt,
    LastUpdatedTime: stack.updatedAt,
    RollbackConfiguration: config === undefined ? {} : rollbackOf(config),
    StackStatus: old ?? stack.status,
    StackStatusReason: old === undefined ? stack.statusReason : undefined,
    DetailedStatus: stack.detailed,
    DisableRollback: stack.disableRollback,
    DeploymentConfig: shownDeployment(stack.deploymentConfig),
    NotificationARNs: config?.notificationArns ?? [],
    TimeoutInMinutes: stack.timeoutMinutes,
    Capabilities: config?.capabilities ?? [],
    Outputs: Object.entries(stack.outputs).map(([key, { value, description, exportName }]) => ({
      OutputKey: key,
      OutputValue: value,
      Description: description,
      ExportName: exportName,
    })),
    RoleARN: config?.roleArn,
    Tags: config === undefined ? [] : tagsOf(config),
    EnableTerminationProtection: stack.terminationProtection,
    ParentId: stack.parent,
    RootId: stack.root,
    DriftInformation: driftOf(stack),
    RetainExceptOnCreate: stack.retainExceptOnCreate,
    DeletionMode: stack.deletionMode,
    LastOperations: lastOperations(stack),
  }
}

function summaryOf(stack: Stack): Members {
  return {
    StackId: stack.id,
    StackName: stack.name,
    TemplateDescription: stack.config === undefined ? undefined : scalarText(own(stack.config.template, 'Description')),
    CreationTime: stack.createdAt,
    LastUpdatedTime: stack.updatedAt,
    DeletionTime: stack.deletedAt,
    StackStatus: stack.status,
    StackStatusReason: stack.statusReason,
    ParentId: stack.parent,
    RootId: stack.root,
    DriftInformation: driftOf(stack),
    LastOperations: lastOperations(stack),
  }
}

function driftOf({ driftStatus, driftCheckedAt }: Stack): Members {
  return { StackDriftStatus: driftStatus, LastCheckTimestamp: driftCheckedAt }
}

function lastOperations(stack: Stack): readonly Members[] {
  return stack.operations
    .toReversed()
    .slice(0, 10)
    .map(({ id, type }) => ({ OperationType: type, OperationId: id }))
}

function shownDeployment(config: ChangeSet['deploymentConfig']): Members | undefined {
  return config === undefined ? undefined : { Mode: config.mode, DisableRollback: config.disableRollback }
}

function parametersOf(world: World, { template, parameters }: Config): readonly Members[] {
  const declared = section(template, 'Parameters')
  const resolved = safely(() => resolvedParameters(world, template, parameters)) ?? {}
  return Object.entries(parameters).map(([key, value]) => ({
    ParameterKey: key,
    ParameterValue: scalarText(own(declared[key], 'NoEcho')) === 'true' ? '****' : value,
    ResolvedValue: resolved[key],
  }))
}

/** What is told of later does not fail because the parameter store has changed since. */
function safely<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (error instanceof ApiError) return undefined
    throw error
  }
}

function tagsOf({ tags }: Config): readonly Members[] {
  return Object.entries(tags).map(([key, value]) => ({ Key: key, Value: value }))
}

function rollbackOf({ rollback }: Config): Members {
  return {
    RollbackTriggers: rollback?.triggers?.map(({ arn, type }) => ({ Arn: arn, Type: type })),
    MonitoringTimeInMinutes: rollback?.minutes,
  }
}

function shownEvent(stack: Stack, event: StackEvent): Members {
  return {
    StackId: stack.id,
    EventId: event.id,
    StackName: stack.name,
    OperationId: event.operation,
    LogicalResourceId: event.logicalId,
    PhysicalResourceId: event.physicalId,
    ResourceType: event.type,
    Timestamp: event.at,
    ResourceStatus: event.status,
    ResourceStatusReason: event.reason,
    ResourceProperties: event.properties === undefined ? undefined : canonicalJson(event.properties),
    ClientRequestToken: event.token,
    DetailedStatus: event.detailed,
  }
}

function shownResource(stack: Stack, it: LiveResource): Members {
  return {
    StackName: stack.name,
    StackId: stack.id,
    LogicalResourceId: it.logicalId,
    PhysicalResourceId: it.physicalId,
    ResourceType: it.type,
    Timestamp: it.at,
    ResourceStatus: it.status,
    ResourceStatusReason: it.reason,
    DriftInformation: { StackResourceDriftStatus: driftStatusOf(it), LastCheckTimestamp: it.driftCheckedAt },
  }
}

function driftStatusOf({ drifted, driftCheckedAt }: LiveResource): string {
  if (driftCheckedAt === undefined) return 'NOT_CHECKED'
  return drifted === undefined ? 'IN_SYNC' : drifted === 'gone' ? 'DELETED' : 'MODIFIED'
}

function shownDrift(stack: Stack, it: LiveResource): Members & { readonly StackResourceDriftStatus: string } {
  const actual = it.drifted === undefined ? it.properties : it.drifted === 'gone' ? mapOf() : it.drifted
  const found = it.drifted === 'gone' ? [] : differences(it.properties, actual)
  return {
    StackId: stack.id,
    LogicalResourceId: it.logicalId,
    PhysicalResourceId: it.physicalId,
    ResourceType: it.type,
    ExpectedProperties: canonicalJson(it.properties),
    ActualProperties: it.drifted === 'gone' ? undefined : canonicalJson(actual),
    PropertyDifferences: found.map(({ path, before, after }) => ({
      PropertyPath: `/${path.join('/')}`,
      ExpectedValue: before === undefined ? 'null' : textOf(before),
      ActualValue: after === undefined ? 'null' : textOf(after),
      DifferenceType: before === undefined ? 'ADD' : after === undefined ? 'REMOVE' : 'NOT_EQUAL',
    })),
    StackResourceDriftStatus: driftStatusOf(it),
    Timestamp: it.driftCheckedAt ?? it.at,
  }
}

function textOf(value: Data): string {
  return scalarText(value) ?? canonicalJson(value)
}

function isDrifted({ resources }: Stack): boolean {
  return [...resources.values()].some(({ drifted }) => drifted !== undefined)
}

function summaryOfChangeSet(stack: Stack, it: ChangeSet): Members {
  return {
    ChangeSetName: it.name,
    ChangeSetId: it.id,
    StackId: stack.id,
    StackName: stack.name,
    Description: it.description,
    CreationTime: it.createdAt,
    ExecutionStatus: it.execution,
    Status: it.status,
    StatusReason: it.reason,
    IncludeNestedStacks: it.includeNested,
    ImportExistingResources: it.importExisting,
    ParentChangeSetId: it.parent?.changeSet,
    RootChangeSetId: it.parent?.root,
  }
}

function shownChange(change: Change, values: boolean): Members {
  return {
    Type: 'Resource',
    ResourceChange: {
      Action: change.action,
      LogicalResourceId: change.logicalId,
      PhysicalResourceId: change.physicalId,
      ResourceType: change.type,
      PolicyAction: change.policyAction,
      Replacement: change.replacement,
      Scope: change.scope,
      Details: change.details.map((detail) => shownDetail(detail, values)),
      ChangeSetId: change.nestedChangeSet,
      ResourceDriftStatus: change.drift,
      ...(values ? { BeforeContext: change.before, AfterContext: change.after } : {}),
    },
  }
}

function shownDetail(detail: Detail, values: boolean): Members {
  const { drift } = detail
  return {
    Target: {
      Attribute: detail.attribute,
      Name: detail.name,
      RequiresRecreation: detail.recreation,
      ...(values
        ? {
            Path: detail.path,
            BeforeValue: detail.before,
            AfterValue: detail.after,
            AttributeChangeType: detail.path === undefined ? undefined : detail.kind,
            ...(drift === undefined
              ? {}
              : {
                  BeforeValueFrom: 'ACTUAL_STATE',
                  AfterValueFrom: 'TEMPLATE',
                  Drift: {
                    PreviousValue: drift.previous,
                    ActualValue: drift.actual,
                    DriftDetectionTimestamp: drift.at,
                  },
                }),
          }
        : {}),
    },
    Evaluation: detail.evaluation,
    ChangeSource: detail.source,
    CausingEntity: detail.cause,
  }
}

function describeEvents({ world, place, input }: Call): Members {
  const failedOnly = flagAt(membersAt(input, 'Filters') ?? {}, 'FailedEvents') ?? false
  const operationId = textAt(input, 'OperationId')
  const changeSetName = textAt(input, 'ChangeSetName')
  const stackName = textAt(input, 'StackName')
  const found: { readonly stack: Stack; readonly operation: Operation }[] = []
  if (operationId !== undefined) {
    for (const stack of place.stacks)
      for (const operation of [...stack.operations, ...stack.changeSets.map((each) => each.operation)])
        if (operation.id === operationId) found.push({ stack, operation })
  } else if (changeSetName !== undefined) {
    const { stack, changeSet } = needChangeSet(place, { changeSet: changeSetName, stackName })
    found.push({ stack, operation: changeSet.operation })
  } else if (stackName !== undefined) {
    const stack = needStack(place, stackName)
    // Only the newest operation, which after a failure is the rollback.
    const operation = stack.operations.at(-1)
    if (operation !== undefined) found.push({ stack, operation })
  } else throw validation('One of StackName, ChangeSetName and OperationId must be specified.')
  const events = found.flatMap(({ stack, operation }) => eventsOf(stack, operation, failedOnly))
  const { items, next } = page(world, events, textAt(input, 'NextToken'))
  return { OperationEvents: items, NextToken: next }
}

function eventsOf(stack: Stack, operation: Operation, failedOnly: boolean): readonly Members[] {
  const head = {
    StackId: stack.id,
    OperationId: operation.id,
    OperationType: operation.type,
    OperationStatus:
      operation.state === 'running' ? 'IN_PROGRESS' : operation.state === 'succeeded' ? 'SUCCEEDED' : 'FAILED',
    ClientRequestToken: operation.token,
  }
  const validations = operation.validations.map((it, index) => ({
    EventId: `${operation.id}-validation-${index}`,
    ...head,
    EventType: 'VALIDATION_ERROR',
    LogicalResourceId: it.logicalId === '' ? undefined : it.logicalId,
    ResourceType: it.type === '' ? undefined : it.type,
    Timestamp: operation.endedAt ?? operation.startedAt,
    ValidationFailureMode: it.mode,
    ValidationName: it.name,
    ValidationStatus: 'FAILED',
    ValidationStatusReason: it.reason,
    ValidationPath: it.path,
  }))
  const events = stack.events
    .filter((event) => event.operation === operation.id)
    .toReversed()
    .filter((event) => !failedOnly || (event.status.endsWith('_FAILED') && event.type !== 'AWS::CloudFormation::Stack'))
    .map((event) => ({
      EventId: event.id,
      ...head,
      EventType: event.status.endsWith('_FAILED')
        ? 'PROVISIONING_ERROR'
        : event.status.endsWith('_IN_PROGRESS')
          ? 'PROGRESS_EVENT'
          : 'STACK_EVENT',
      LogicalResourceId: event.logicalId,
      PhysicalResourceId: event.physicalId,
      ResourceType: event.type,
      Timestamp: event.at,
      ResourceStatus: event.status,
      ResourceStatusReason: event.reason,
      ResourceProperties: event.properties === undefined ? undefined : canonicalJson(event.properties),
      DetailedStatus: event.detailed,
    }))
  return [...validations, ...events]
}

function givenTemplate({ world, place, input }: Call): Config['template'] {
  const url = textAt(input, 'TemplateURL')
  const body = textAt(input, 'TemplateBody') ?? (url === undefined ? undefined : templateAt(world, place, url))
  if (body === undefined) throw validation('Either Template URL or Template Body must be specified.')
  const template = parseTemplate(body)
  refuseBroken(template)
  return template
}

function summarised({ config, status }: Stack): Config['template'] {
  if (status === 'REVIEW_IN_PROGRESS' || config === undefined)
    throw validation('GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.')
  return config.template
}

function declarationsOf(template: Config['template']): readonly { readonly key: string; readonly declaration: Data }[] {
  return Object.entries(section(template, 'Parameters')).map(([key, declaration]) => ({ key, declaration }))
}

function shownDeclaration(key: string, declaration: Data): Members {
  return {
    ParameterKey: key,
    DefaultValue: scalarText(own(declaration, 'Default')),
    NoEcho: scalarText(own(declaration, 'NoEcho')) === 'true',
    Description: scalarText(own(declaration, 'Description')),
  }
}

function described(template: Config['template']): Members {
  const capabilities = capabilitiesNeeded(template)
  const transforms = transformsOf(template)
  return {
    Description: scalarText(own(template, 'Description')),
    Capabilities: capabilities,
    CapabilitiesReason:
      capabilities.length === 0
        ? undefined
        : `The following resource(s) require capabilities: [${resourceTypesOf(template)
            .filter((type) => type.startsWith('AWS::IAM::'))
            .join(', ')}]`,
    DeclaredTransforms: transforms,
  }
}
