import { resourcesOf } from '../../../src/core/stack/template.ts'
import { changesOf } from './changes.ts'
import type { Work } from './agenda.ts'
import {
  cancelUpdate,
  continueRollback,
  hasChanges,
  nameTaken,
  type Options,
  startCreation,
  startDeletion,
  startRollback,
  startUpdate,
} from './operations.ts'
import { asItIs, nestedType, type Planning, planFor, settingsChanged, subjectOf } from './plan.ts'
import { refuseBadPolicy } from './policy.ts'
import {
  ApiError,
  type ChangeSet,
  type Config,
  digestOf,
  emptyStack,
  findStack,
  isBusy,
  newId,
  newOperation,
  type Operation,
  type Place,
  type RollbackConfiguration,
  type Stack,
  stackEvent,
  type Validation,
  validation,
  type World,
} from './state.ts'
import {
  type GivenParameter,
  parameterValues,
  parseTemplate,
  propertyFindings,
  refuseBroken,
  refuseWithoutCapabilities,
  resolvedParameters,
  templateAt,
} from './templates.ts'

/** A request's words on what a stack shall be. */
export type Wanted = {
  readonly templateBody: string | undefined
  readonly templateUrl: string | undefined
  readonly usePreviousTemplate: boolean
  readonly parameters: readonly GivenParameter[]
  /** `undefined` leaves what the stack has. */
  readonly tags: Readonly<Record<string, string>> | undefined
  readonly capabilities: readonly string[]
  readonly notificationArns: readonly string[] | undefined
  readonly roleArn: string | undefined
  readonly rollback: RollbackConfiguration | undefined
}

/** The config that a request asks for. Refuses, as CloudFormation does, before anything is done. */
export function configOf(
  world: World,
  place: Place,
  { wanted, before }: { readonly wanted: Wanted; readonly before: Config | undefined },
): Config {
  const given = [wanted.templateBody, wanted.templateUrl, wanted.usePreviousTemplate ? 'previous' : undefined]
  const count = given.filter((each) => each !== undefined).length
  if (wanted.templateBody !== undefined && Buffer.byteLength(wanted.templateBody) > 51_200)
    throw validation(
      `1 validation error detected: Value '${wanted.templateBody}' at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200`,
    )
  if (count !== 1)
    throw validation(
      count === 0
        ? 'Either Template URL or Template Body must be specified.'
        : 'You must only specify one of TemplateBody, TemplateURL or UsePreviousTemplate.',
    )
  if (wanted.usePreviousTemplate && before === undefined)
    throw validation('UsePreviousTemplate cannot be true when there is no previous template.')
  const templateText =
    wanted.templateBody ??
    (wanted.templateUrl === undefined ? (before?.templateText ?? '') : templateAt(world, place, wanted.templateUrl))
  const template = parseTemplate(templateText)
  refuseBroken(template)
  const parameters = parameterValues(template, wanted.parameters, before?.parameters)
  resolvedParameters(world, template, parameters)
  refuseWithoutCapabilities(template, wanted.capabilities)
  if (
    wanted.roleArn !== undefined &&
    !new RegExp(`^arn:aws[a-z-]*:iam::${place.account}:role/.+$`).test(wanted.roleArn)
  )
    throw validation(`Role ${wanted.roleArn} is invalid or cannot be assumed`)
  return {
    templateText,
    template,
    parameters,
    tags: wanted.tags ?? before?.tags ?? {},
    capabilities: wanted.capabilities,
    notificationArns: wanted.notificationArns ?? before?.notificationArns ?? [],
    roleArn: wanted.roleArn ?? before?.roleArn,
    rollback: wanted.rollback ?? before?.rollback,
  }
}

/** The stack of a name or an id that a request is about. A deleted one is there by its id alone. */
export function needStack(place: Place, nameOrId: string): Stack {
  const stack = findStack(place, nameOrId)
  if (stack === undefined) throw validation(`Stack with id ${nameOrId} does not exist`)
  return stack
}

/** Like `needStack`, in the words of the calls that change something. */
export function needLiveStack(place: Place, nameOrId: string): Stack {
  const stack = findStack(place, nameOrId)
  if (stack === undefined || stack.status === 'DELETE_COMPLETE') throw validation(`Stack [${nameOrId}] does not exist`)
  return stack
}

/** Whether the same was asked before by the same token: then it is answered again, and nothing is done. */
function isRepeated(place: Place, token: string | undefined, asked: unknown): boolean {
  if (token === undefined) return false
  const digest = digestOf(asked)
  const known = place.tokens.get(token)
  if (known !== undefined && known !== digest)
    throw new ApiError('TokenAlreadyExistsException', `Token already exists: ${token}`)
  place.tokens.set(token, digest)
  return known !== undefined
}

function operationBy(stack: Stack | undefined, token: string | undefined): Operation | undefined {
  return stack?.operations.findLast((each) => token !== undefined && each.token === token && each.type !== 'ROLLBACK')
}

type Request = {
  readonly world: World
  readonly place: Place
  readonly token: string | undefined
  /** All of the request, by which a repetition is known. */
  readonly asked: unknown
}

export type Creating = {
  readonly name: string
  readonly wanted: Wanted
  readonly options: Options
  readonly policy: string | undefined
  readonly terminationProtection: boolean
  readonly timeoutMinutes: number | undefined
  readonly validates: boolean
}

export function createStack(
  request: Request,
  creating: Creating,
): { readonly stack: Stack; readonly operation: Operation } {
  const { world, place, token } = request
  const { name, wanted } = creating
  refuseBadName(name)
  const existing = findStack(place, name)
  const repeated = operationBy(existing, token)
  if (existing !== undefined && repeated !== undefined && isRepeated(place, token, request.asked))
    return { stack: existing, operation: repeated }
  if (existing !== undefined) throw new ApiError('AlreadyExistsException', `Stack [${name}] already exists`)
  refuseTooMany(world, place)
  const config = configOf(world, place, { wanted, before: undefined })
  if (creating.policy !== undefined) refuseBadPolicy(creating.policy)
  const planning = planFor(world, place, { subject: { ...subjectOf(place, ''), name }, config })
  if (creating.validates) refuseInvalid(world, place, { planning, config, stack: undefined })
  isRepeated(place, token, request.asked)
  const stack = emptyStack(world, { place, name, status: 'CREATE_IN_PROGRESS', parent: undefined, root: undefined })
  stack.policy = creating.policy
  stack.terminationProtection = creating.terminationProtection
  stack.timeoutMinutes = creating.timeoutMinutes
  const operation = startCreation({ world, place, stack, token }, config, creating.options)
  return { stack, operation }
}

function refuseBadName(name: string): void {
  if (/^[a-zA-Z][-a-zA-Z0-9]*$/.test(name) && name.length <= 128) return
  throw validation(
    `1 validation error detected: Value '${name}' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*`,
  )
}

function refuseTooMany(world: World, place: Place): void {
  if (place.stacks.filter(({ status }) => status !== 'DELETE_COMPLETE').length >= world.settings.stackLimit)
    throw new ApiError('LimitExceededException', 'Limit for stacks has been exceeded')
}

/** Early validation of a call that begins at once: it is refused with what was found. */
function refuseInvalid(
  world: World,
  place: Place,
  { planning, config, stack }: { planning: Planning; config: Config; stack: Stack | undefined },
): void {
  const found = earlyFindings(world, place, { planning, config, stack }).find(({ mode }) => mode === 'FAIL')
  if (found !== undefined) throw validation(earlyText([found]))
}

function earlyFindings(
  world: World,
  place: Place,
  { planning, config, stack }: { planning: Planning; config: Config; stack: Stack | undefined },
): readonly Validation[] {
  const names = !planning.ok
    ? []
    : planning.plan.resources.flatMap((planned): Validation[] => {
        if (planned.action !== 'create' && planned.action !== 'replace') return []
        const taken = nameTaken({ world, place, stack: stack ?? emptyLike }, planned)
        return taken === undefined
          ? []
          : [
              {
                name: 'NAME_CONFLICT_VALIDATION',
                logicalId: planned.logicalId,
                type: planned.type,
                path: `/Resources/${planned.logicalId}`,
                reason: `Resource of type '${planned.type}' with identifier '${planned.fixedName ?? ''}' already exists.`,
                mode: 'FAIL',
              },
            ]
      })
  return [...propertyFindings(config.template), ...names]
}

/** Stands for a stack that is not there yet, where only its identity matters. */
const emptyLike: Stack = {
  id: '',
  name: '',
  createdAt: new Date(0),
  incarnation: 0,
  parent: undefined,
  root: undefined,
  updatedAt: undefined,
  deletedAt: undefined,
  status: '',
  statusReason: undefined,
  detailed: undefined,
  config: undefined,
  outputs: {},
  imports: [],
  resources: new Map(),
  generations: new Map(),
  stable: undefined,
  doomed: [],
  orphans: [],
  policy: undefined,
  terminationProtection: false,
  disableRollback: false,
  deploymentConfig: undefined,
  onFailure: undefined,
  timeoutMinutes: undefined,
  retainExceptOnCreate: false,
  deletionMode: undefined,
  changeSet: undefined,
  changeSets: [],
  events: [],
  operations: [],
  driftCheckedAt: undefined,
  driftStatus: 'NOT_CHECKED',
  stale: undefined,
}

function earlyText(found: readonly Validation[]): string {
  const hooks = [
    ...new Set(
      found.map(
        ({ name }) =>
          `AWS::EarlyValidation::${name === 'PROPERTY_VALIDATION' ? 'PropertyValidation' : 'ResourceExistenceCheck'}`,
      ),
    ),
  ]
  return `The following hook(s)/validation failed: [${hooks.join(', ')}]. To troubleshoot Early Validation errors, use the DescribeEvents API for detailed failure information.`
}

export type Updating = {
  readonly wanted: Wanted
  readonly options: Options
  readonly validates: boolean
  readonly policy: string | undefined
}

export function updateStack(
  request: Request,
  { nameOrId, ...updating }: Updating & { readonly nameOrId: string },
): { readonly stack: Stack; readonly operation: Operation } {
  const { world, place, token } = request
  const stack = needLiveStack(place, nameOrId)
  const repeated = operationBy(stack, token)
  if (repeated !== undefined && isRepeated(place, token, request.asked)) return { stack, operation: repeated }
  refuseUnready(stack, updating.options)
  const { options, wanted, validates, policy } = updating
  const config = configOf(world, place, { wanted, before: stack.config })
  if (policy !== undefined) refuseBadPolicy(policy)
  const planning = planFor(world, place, { subject: stack, config })
  if (planning.ok && !isChanging(planning, { stack, config })) throw validation('No updates are to be performed.')
  if (validates) refuseInvalid(world, place, { planning, config, stack })
  isRepeated(place, token, request.asked)
  if (policy !== undefined) stack.policy = policy
  for (const each of stack.changeSets) if (each.execution === 'AVAILABLE') each.execution = 'OBSOLETE'
  const operation = startUpdate({ world, place, stack, token }, config, options)
  return { stack, operation }
}

function isChanging(planning: Planning, { stack, config }: { stack: Stack; config: Config }): boolean {
  if (!planning.ok || stack.config === undefined) return true
  if (stack.status === 'UPDATE_FAILED' || stack.status === 'CREATE_FAILED') return true
  const isNested = planning.plan.resources.some(({ type }) => type === nestedType)
  return hasChanges(planning.plan) || isNested || settingsChanged(stack.config, config)
}

const updatable = new Set([
  'CREATE_COMPLETE',
  'UPDATE_COMPLETE',
  'UPDATE_ROLLBACK_COMPLETE',
  'IMPORT_COMPLETE',
  'IMPORT_ROLLBACK_COMPLETE',
])

/** Refuses an update of a stack that is not to be updated now. */
function refuseUnready(stack: Stack, { disableRollback, deployment }: Options): void {
  const { status } = stack
  if (updatable.has(status)) return
  if (status === 'CREATE_FAILED' || status === 'UPDATE_FAILED') {
    const goesOn = disableRollback || (deployment?.mode === 'EXPRESS' && deployment.disableRollback !== false)
    if (goesOn) return
    throw validation(
      `This stack is currently in a non-terminal [${status}] state. To update the stack from this state, please use the disable-rollback parameter with update-stack API. To rollback to the last known good state, use the rollback-stack API`,
    )
  }
  throw validation(`Stack:${stack.id} is in ${status} state and can not be updated.`)
}

export function deleteStack(
  request: Request,
  options: {
    readonly nameOrId: string
    readonly retain: readonly string[]
    readonly force: boolean
    readonly express: boolean
  },
): void {
  const { world, place, token } = request
  const stack = findStack(place, options.nameOrId)
  if (stack === undefined || stack.status === 'DELETE_COMPLETE') return
  if (operationBy(stack, token) !== undefined && isRepeated(place, token, request.asked)) return
  if (stack.terminationProtection)
    throw validation(`Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`)
  if (stack.status === 'DELETE_IN_PROGRESS') return
  const busy = isBusy(stack.status) && stack.status !== 'CREATE_IN_PROGRESS'
  if (busy) throw validation(`Stack:${stack.id} is in ${stack.status} state and can not be deleted.`)
  const failed = stack.status === 'DELETE_FAILED'
  if (options.retain.length > 0 && !failed)
    throw validation(
      `Invalid operation on stack [${stack.id}]. RetainResources can only be specified on a stack in DELETE_FAILED state.`,
    )
  if (options.force && !failed)
    throw validation(
      `Invalid operation on stack [${stack.id}]. FORCE_DELETE_STACK can only be specified on a stack in DELETE_FAILED state.`,
    )
  isRepeated(place, token, request.asked)
  stack.deletionMode = options.force ? 'FORCE_DELETE_STACK' : stack.deletionMode
  for (const changeSet of stack.changeSets) forgetNested(place, changeSet)
  stack.changeSets.length = 0
  const skip = options.retain
  startDeletion({ world, place, stack, token }, { skip, force: options.force, express: options.express })
}

export type ChangeSetWanted = {
  readonly name: string
  readonly stackName: string
  readonly kind: string
  readonly description: string | undefined
  readonly wanted: Wanted
  readonly includeNested: boolean
  readonly onStackFailure: string | undefined
  readonly deployment: ChangeSet['deploymentConfig']
  readonly revertDrift: boolean
  readonly importExisting: boolean
  readonly validates: boolean
}

export function createChangeSet(
  request: Request,
  it: ChangeSetWanted,
): { readonly stack: Stack; readonly changeSet: ChangeSet } {
  const { world, place, token } = request
  const { name, stackName, kind } = it
  if (kind === 'IMPORT') throw validation('As of now, the local CloudFormation imports nothing.')
  if (it.revertDrift && (kind !== 'UPDATE' || it.includeNested))
    throw validation(
      'DeploymentMode REVERT_DRIFT is only supported for change sets of the type UPDATE without nested stacks.',
    )
  if (it.onStackFailure === 'DELETE' && kind !== 'CREATE')
    throw validation('OnStackFailure DELETE is only supported for change sets of the type CREATE.')
  const existing = findStack(place, stackName)
  const known = existing?.changeSets.find((each) => each.name === name)
  const asked = digestOf(request.asked)
  if (existing !== undefined && known !== undefined) {
    if (token !== undefined && known.token === token && known.asked === asked)
      return { stack: existing, changeSet: known }
    if (token !== undefined && known.token === token)
      throw validation(`ChangeSet [${name}] cannot be created due to a mismatch with existing attribute Template`)
    throw new ApiError('AlreadyExistsException', `ChangeSet [${name}] already exists`)
  }
  if (kind === 'CREATE' && existing !== undefined && existing.status !== 'REVIEW_IN_PROGRESS')
    throw validation(`Stack [${stackName}] already exists and cannot be created again with the changeSet [${name}].`)
  if (kind === 'UPDATE') {
    if (existing === undefined) throw validation(`Stack [${stackName}] does not exist`)
    refuseNoChangeSet(existing)
  }
  if (existing === undefined) {
    refuseBadName(stackName)
    refuseTooMany(world, place)
  }
  const config = configOf(world, place, { wanted: it.wanted, before: existing?.config })
  // Mistakes of the template are told at once, and no stack is left of it.
  planFor(world, place, { subject: existing ?? { ...subjectOf(place, ''), name: stackName }, config })
  const stack =
    existing ??
    emptyStack(world, { place, name: stackName, status: 'REVIEW_IN_PROGRESS', parent: undefined, root: undefined })
  if (existing === undefined)
    stackEvent(world, stack, { status: 'REVIEW_IN_PROGRESS', reason: 'User Initiated', operation: undefined })
  const changeSet = newChangeSet(world, place, { ...it, token, asked, config, parent: undefined })
  stack.changeSets.push(changeSet)
  world.agenda.spawn(preparing(world, place, { stack, changeSet, validates: it.validates }))
  return { stack, changeSet }
}

/** Whether a change set can be made for a stack at all. */
function refuseNoChangeSet({ id, status }: Stack): void {
  if (updatable.has(status) || status === 'CREATE_FAILED' || status === 'UPDATE_FAILED') return
  throw validation(`Stack:${id} is in ${status} state and can not be updated.`)
}

function newChangeSet(
  world: World,
  place: Place,
  it: Pick<
    ChangeSet,
    | 'name'
    | 'description'
    | 'token'
    | 'asked'
    | 'config'
    | 'includeNested'
    | 'onStackFailure'
    | 'revertDrift'
    | 'importExisting'
    | 'parent'
  > & {
    readonly kind: string
    readonly deployment: ChangeSet['deploymentConfig']
  },
): ChangeSet {
  const { deployment, kind, ...rest } = it
  return {
    name: rest.name,
    description: rest.description,
    token: rest.token,
    asked: rest.asked,
    config: rest.config,
    includeNested: rest.includeNested,
    onStackFailure: rest.onStackFailure,
    revertDrift: rest.revertDrift,
    importExisting: rest.importExisting,
    parent: rest.parent,
    id: `arn:aws:cloudformation:${place.region}:${place.account}:changeSet/${rest.name}/${newId(world)}`,
    kind: kind === 'CREATE' ? 'CREATE' : 'UPDATE',
    createdAt: world.agenda.now(),
    express: deployment?.mode === 'EXPRESS',
    deploymentConfig: deployment,
    operation: newOperation(world, { type: 'CREATE_CHANGESET', token: rest.token }),
    status: 'CREATE_PENDING',
    execution: 'UNAVAILABLE',
    reason: undefined,
    changes: [],
  }
}

type Preparing = { readonly stack: Stack; readonly changeSet: ChangeSet; readonly validates: boolean }

/** What a change set goes through until it can be executed, or has failed. */
function* preparing(world: World, place: Place, { stack, changeSet, validates }: Preparing): Work {
  const whole = world.settings.changeSetSeconds * 1000
  yield { ms: whole / 10 }
  changeSet.status = 'CREATE_IN_PROGRESS'
  yield { ms: whole - whole / 10 }
  if (!stack.changeSets.includes(changeSet)) return
  const { config, operation } = changeSet
  const end = (reason: string | undefined): void => {
    changeSet.status = reason === undefined ? 'CREATE_COMPLETE' : 'FAILED'
    changeSet.execution = reason === undefined ? 'AVAILABLE' : 'UNAVAILABLE'
    changeSet.reason = reason
    operation.state = reason === undefined ? 'succeeded' : 'failed'
    operation.endedAt = world.agenda.now()
  }
  let planning: Planning
  try {
    planning = planFor(world, place, { subject: changeSet.revertDrift ? asItIs(stack) : stack, config })
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return end(error.message)
  }
  if (!planning.ok) return end(planning.missing)
  const found = validates ? earlyFindings(world, place, { planning, config, stack }) : []
  operation.validations.push(...found)
  const fatal = found.filter(({ mode }) => mode === 'FAIL')
  if (fatal.length > 0) return end(earlyText(fatal))
  const { plan } = planning
  const changes = changesOf(plan, {
    before: stack.config?.parameters ?? {},
    after: config.parameters,
    drifted: changeSet.revertDrift ? stack.resources : undefined,
    now: world.agenda.now(),
  })
  const isSame =
    stack.config !== undefined &&
    changes.length === 0 &&
    !plan.outputsChanged &&
    !settingsChanged(stack.config, config) &&
    stack.status !== 'CREATE_FAILED' &&
    stack.status !== 'UPDATE_FAILED'
  if (isSame)
    return end("The submitted information didn't contain changes. Submit different information to create a change set.")
  changeSet.changes = changes
  if (changeSet.includeNested) {
    const nestedSets: ChangeSet[] = []
    for (const planned of plan.resources) {
      if (planned.nested === undefined) continue
      nestedSets.push(
        nestedChangeSet(world, place, {
          stack,
          changeSet,
          id: planned.physicalId,
          config: planned.nested,
          logicalId: planned.logicalId,
        }),
      )
    }
    yield { until: () => nestedSets.every(({ status }) => status === 'CREATE_COMPLETE' || status === 'FAILED') }
    const failed = nestedSets.find(({ status, reason }) => status === 'FAILED' && !isEmptyReason(reason))
    if (failed !== undefined)
      return end(`Nested change set ${failed.id} was not successfully created: Currently in ${failed.status}.`)
  }
  end(undefined)
}

function isEmptyReason(reason: string | undefined): boolean {
  return reason?.startsWith("The submitted information didn't contain changes.") === true
}

function nestedChangeSet(
  world: World,
  place: Place,
  it: {
    readonly stack: Stack
    readonly changeSet: ChangeSet
    readonly id: string
    readonly config: Config
    readonly logicalId: string
  },
): ChangeSet {
  const { stack, changeSet, id, config, logicalId } = it
  const existing = findStack(place, id)
  const nested =
    existing ??
    emptyStack(world, {
      place,
      name: id.split('/')[1] ?? '',
      id,
      status: 'REVIEW_IN_PROGRESS',
      parent: stack.id,
      root: stack.root ?? stack.id,
    })
  if (existing === undefined)
    stackEvent(world, nested, { status: 'REVIEW_IN_PROGRESS', reason: 'User Initiated', operation: undefined })
  const made = newChangeSet(world, place, {
    ...changeSet,
    name: `${changeSet.name.slice(0, 60)}-${logicalId}-${newId(world).slice(0, 8)}`.slice(0, 128),
    kind: existing === undefined ? 'CREATE' : 'UPDATE',
    config,
    deployment: changeSet.deploymentConfig,
    parent: { stack: stack.id, changeSet: changeSet.id, root: changeSet.parent?.root ?? changeSet.id },
  })
  nested.changeSets.push(made)
  changeSet.changes = changeSet.changes.map((change) =>
    change.logicalId === logicalId ? { ...change, nestedChangeSet: made.id } : change,
  )
  world.agenda.spawn(preparing(world, place, { stack: nested, changeSet: made, validates: false }))
  return made
}

/** A change set by its ARN, or by its name and its stack's. */
export function needChangeSet(
  place: Place,
  { changeSet, stackName }: { readonly changeSet: string; readonly stackName: string | undefined },
): { readonly stack: Stack; readonly changeSet: ChangeSet } {
  const notFound = new ApiError('ChangeSetNotFoundException', `ChangeSet [${changeSet}] does not exist`)
  if (changeSet.startsWith('arn:')) {
    for (const stack of place.stacks) {
      const found = stack.changeSets.find(({ id }) => id === changeSet)
      if (found !== undefined) return { stack, changeSet: found }
    }
    throw notFound
  }
  if (stackName === undefined)
    throw validation('StackName must be specified if ChangeSetName is not specified as an ARN.')
  const stack = findStack(place, stackName)
  if (stack === undefined) throw validation(`Stack [${stackName}] does not exist`)
  const found = stack.changeSets.find(({ name }) => name === changeSet)
  if (found === undefined) throw notFound
  return { stack, changeSet: found }
}

export function executeChangeSet(
  request: Request,
  it: {
    readonly stack: Stack
    readonly changeSet: ChangeSet
    readonly disableRollback: boolean | undefined
    readonly retainExceptOnCreate: boolean
  },
): void {
  const { world, place, token } = request
  const { stack, changeSet } = it
  if (operationBy(stack, token) !== undefined && isRepeated(place, token, request.asked)) return
  if (changeSet.parent !== undefined)
    throw validation('ExecuteChangeSet cannot be called on a nested change set; execute its root.')
  if (changeSet.status !== 'CREATE_COMPLETE')
    throw new ApiError(
      'InvalidChangeSetStatusException',
      `ChangeSet [${changeSet.id}] cannot be executed in its current status of [${changeSet.status}]`,
    )
  if (changeSet.execution !== 'AVAILABLE')
    throw new ApiError(
      'InvalidChangeSetStatusException',
      `ChangeSet [${changeSet.id}] cannot be executed in its current execution status of [${changeSet.execution}]`,
    )
  if (it.disableRollback !== undefined && changeSet.onStackFailure !== undefined)
    throw validation('You cannot specify DisableRollback when the change set has OnStackFailure.')
  const express = changeSet.deploymentConfig?.mode === 'EXPRESS'
  const disableRollback =
    it.disableRollback ??
    changeSet.deploymentConfig?.disableRollback ??
    (express || changeSet.onStackFailure === 'DO_NOTHING')
  const options: Options = {
    disableRollback,
    onFailure: changeSet.onStackFailure,
    retainExceptOnCreate: it.retainExceptOnCreate,
    deployment: changeSet.deploymentConfig,
    revertDrift: changeSet.revertDrift,
  }
  const creates = stack.status === 'REVIEW_IN_PROGRESS'
  if (!creates) refuseUnready(stack, options)
  if (!creates && (stack.status === 'UPDATE_FAILED' || stack.status === 'CREATE_FAILED')) {
    const replaced = changeSet.changes.filter(({ replacement }) => replacement === 'True')
    if (replaced.length > 0) throw validation('Replacement type updates not supported on stack with disable-rollback.')
  }
  isRepeated(place, token, request.asked)
  stack.changeSet = changeSet.id
  changeSet.execution = 'EXECUTE_IN_PROGRESS'
  for (const each of stack.changeSets) if (each !== changeSet) forgetNested(place, each)
  stack.changeSets.splice(0, stack.changeSets.length, changeSet)
  const asked = { world, place, stack, token }
  if (creates && world.settings.staleReads > 0)
    stack.stale = { status: 'REVIEW_IN_PROGRESS', left: world.settings.staleReads }
  forgetNested(place, changeSet)
  const operation = creates
    ? startCreation(asked, changeSet.config, options)
    : startUpdate(asked, changeSet.config, options)
  world.agenda.spawn(watching())
  function* watching(): Work {
    yield { until: () => operation.state !== 'running' || stack.status === 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS' }
    changeSet.execution = operation.state === 'failed' ? 'EXECUTE_FAILED' : 'EXECUTE_COMPLETE'
  }
}

/** The change sets of nested stacks go with that of their root; and so do stacks that were only to be reviewed. */
function forgetNested(place: Place, { id }: ChangeSet): void {
  for (const stack of place.stacks) {
    const kept = stack.changeSets.filter(({ parent }) => parent?.root !== id)
    if (kept.length === stack.changeSets.length) continue
    stack.changeSets.splice(0, stack.changeSets.length, ...kept)
    if (stack.status === 'REVIEW_IN_PROGRESS' && kept.length === 0) drop(place, stack)
  }
}

function drop(place: Place, stack: Stack): void {
  place.stacks.splice(place.stacks.indexOf(stack), 1)
}

export function deleteChangeSet(
  { place }: Pick<Request, 'place'>,
  it: { readonly changeSet: string; readonly stackName: string | undefined },
): void {
  let found: ReturnType<typeof needChangeSet>
  try {
    found = needChangeSet(place, it)
  } catch (error) {
    // What is not there is as good as deleted.
    if (error instanceof ApiError && error.code === 'ChangeSetNotFoundException') return
    throw error
  }
  const { stack, changeSet } = found
  if (changeSet.execution === 'EXECUTE_IN_PROGRESS' || changeSet.status === 'CREATE_IN_PROGRESS')
    throw new ApiError('InvalidChangeSetStatusException', 'An operation on this ChangeSet is currently in progress.')
  forgetNested(place, changeSet)
  stack.changeSets.splice(stack.changeSets.indexOf(changeSet), 1)
}

export function cancelStackUpdate({ world, place, token }: Request, nameOrId: string): void {
  cancelUpdate({ world, place, stack: needLiveStack(place, nameOrId), token })
}

export function continueUpdateRollback(
  request: Request,
  { nameOrId, skip, force }: { readonly nameOrId: string; readonly skip: readonly string[]; readonly force: boolean },
): void {
  const { world, place, token } = request
  const stack = needLiveStack(place, nameOrId)
  if (operationBy(stack, token) !== undefined && isRepeated(place, token, request.asked)) return
  if (stack.status !== 'UPDATE_ROLLBACK_FAILED')
    throw validation(`Stack:${stack.id} is in ${stack.status} state and can not continue rollback.`)
  const unknown = skip.filter((id) => stack.resources.get(id)?.status !== 'UPDATE_FAILED')
  if (unknown.length > 0)
    throw validation(`The following resource(s) to skip are not in a UPDATE_FAILED state: [${unknown.join(', ')}]`)
  isRepeated(place, token, request.asked)
  const all = [...stack.resources.values()]
    .filter(({ status }) => status === 'UPDATE_FAILED')
    .map(({ logicalId }) => logicalId)
  continueRollback({ world, place, stack, token }, force ? all : skip)
}

export function rollbackStack(
  request: Request,
  { nameOrId, retainExceptOnCreate }: { readonly nameOrId: string; readonly retainExceptOnCreate: boolean },
): { readonly stack: Stack; readonly operation: Operation } {
  const { world, place, token } = request
  const stack = needLiveStack(place, nameOrId)
  const repeated = stack.operations.findLast((each) => token !== undefined && each.token === token)
  if (repeated !== undefined && isRepeated(place, token, request.asked)) return { stack, operation: repeated }
  if (stack.status !== 'CREATE_FAILED' && stack.status !== 'UPDATE_FAILED')
    throw validation(`Stack:${stack.id} is in ${stack.status} state and can not be rolled back.`)
  if (stack.operations.at(-1)?.express === true)
    throw validation('RollbackStack is not supported when the last operation was in express mode.')
  isRepeated(place, token, request.asked)
  return { stack, operation: startRollback({ world, place, stack, token }, { retainExceptOnCreate }) }
}

/** The resources that a template has, for those who only want to look at it. */
export function resourceTypesOf(template: Config['template']): readonly string[] {
  return [...new Set([...resourcesOf(template).values()].map(({ type }) => type))].toSorted()
}
