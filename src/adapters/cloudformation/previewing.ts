import type { CreateChangeSetInput } from '@aws-sdk/client-cloudformation'

import { readChanges } from '../../core/cloudformation/changes.ts'
import type { Capability } from '../../core/cloudformation/options.ts'
import { callFields, expressRefusal } from '../../core/cloudformation/options.ts'
import { restOf } from '../../core/cloudformation/status.ts'
import { changeSetName } from '../../core/cloudformation/tokens.ts'
import { compareStack } from '../../core/cloudformation/unchanged.ts'
import { canonicalJson } from '../../core/canonical.ts'
import type { DataMap } from '../../core/data.ts'
import { isMap } from '../../core/data.ts'
import { withMarks } from '../../core/guard.ts'
import { Refused } from '../../core/problem.ts'
import { planStack } from '../../core/stack/plan.ts'
import { resourcesOf, transformsOf } from '../../core/stack/template.ts'
import { readJson } from '../../core/yaml.ts'
import type { ResourceChange, StackPreview, WantedStack } from '../../ports.ts'
import type { Made } from './changing.ts'
import { deleteChangeSet, makeChangeSet, templateFields } from './changing.ts'
import type { Cloud } from './client.ts'
import type { Context, Reading } from './context.ts'
import { againstOf, wantsOf } from './context.ts'
import { lastDrift } from './drifting.ts'
import type { Described } from './reading.ts'
import { liveTemplate, outputsOf, parametersOf, stackPolicy } from './reading.ts'
import { meaningOf, staleRefusal } from './refusal.ts'

/** What executing needs to know of a preview besides. */
export type Kept = {
  readonly reading: Reading
  /** The token that the operation will have. */
  readonly token: string
  readonly settings: Settings
}

/** What is set by calls of their own before a change set is executed. */
export type Settings = { readonly terminationProtection?: boolean; readonly stackPolicy?: string }

export type Previewed = { readonly preview: StackPreview; readonly kept: Kept }

/** Looks what a stack would become: without a change set where that is known from what was read, otherwise by one. */
export async function previewed(
  context: Context,
  {
    cloud,
    wanted,
    reading,
    purpose,
    mends,
  }: {
    readonly cloud: Cloud
    readonly wanted: WantedStack
    readonly reading: Reading
    readonly purpose: 'plan' | 'deployment'
    readonly mends: 'drift' | undefined
  },
): Promise<Previewed> {
  const wants = wantsOf(wanted)
  const base = { stack: wanted.stack, wants, against: againstOf(reading) }
  const live = reading.is === 'there' ? reading.stack : undefined
  const keptOf = (settings: Settings, token = ''): Kept => ({ reading, token, settings })
  if (mends !== undefined) checkMendable(wanted, live)
  if (live !== undefined && restOf(live.StackStatus) === 'stuck') {
    return { preview: { ...base, ...changesOnceMended(wanted, { live, reading }) }, kept: keptOf({}) }
  }
  const settings = await settingsFor(cloud, { live, wanted })
  if (reading.is === 'absent' && (purpose === 'plan' || reading.shell === undefined)) {
    const token = changeSetName(context.nameFor(wants))
    return { preview: { ...base, ...firstChanges(wanted) }, kept: keptOf(settings, token) }
  }
  const names = settingNames(settings)
  const set = names.length === 0 ? {} : { settings: names }
  const nothing: Previewed = {
    preview: { ...base, changes: [], outputs: [], ...(names.length === 0 ? { unchanged: true } : set) },
    kept: keptOf(settings),
  }
  let template = reading.is === 'there' ? reading.template : undefined
  if (live !== undefined && mends === undefined) {
    const { is } = compareStack(live, template, wanted)
    if (is === 'unchanged' || is === 'settings') return nothing
  }
  await cloud.checkAccount(live?.StackId ?? (reading.is === 'absent' ? reading.shell : undefined))
  let asked = await asking(context, { cloud, wanted, live, template, purpose, mends })
  if (mends === undefined && asked.made.is === 'empty' && live !== undefined && template === undefined) {
    // CloudFormation does not see a change of a policy alone; with the live template at hand it is shown to it.
    template = await liveTemplate(cloud, live.StackId)
    const isMarked = template !== undefined && withMarks(template, wanted.body) !== wanted.body
    if (isMarked) asked = await asking(context, { cloud, wanted, live, template, purpose, mends })
  }
  const { made, name } = asked
  if (made.is === 'empty') return nothing
  const { changes, outputs, notes } = readChanges(made.changeSet, {
    nested: made.nested,
    before: template,
    after: wanted.body,
  })
  const express = expressRefusal(wanted.options ?? {}, { changes, isProduction: false })
  if (express !== undefined) {
    await deleteChangeSet(cloud, made.arn)
    throw new Refused(express.code, `${wanted.stack.name}: ${express.message}`, { remedy: express.remedy })
  }
  const byHand = purpose === 'plan' && live !== undefined ? await lastDrift(cloud, live) : {}
  const preview: StackPreview = {
    ...base,
    ...byHand,
    changes,
    ...(template !== undefined && { outputs }),
    handle: made.arn,
    ...(notes.length > 0 && { notes }),
    ...set,
  }
  return { preview, kept: keptOf(settings, name) }
}

/** How often a change set is made anew, when others were quicker with the stack. */
const remakes = 3

type Asking = {
  readonly cloud: Cloud
  readonly wanted: WantedStack
  readonly live: Described | undefined
  readonly template: DataMap | undefined
  readonly purpose: 'plan' | 'deployment'
  readonly mends: 'drift' | undefined
}

/**
 * CloudFormation reverts drift only by an update, and not in stacks that have others nested in them.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/drift-aware-change-sets.html
 */
function checkMendable({ stack, body }: WantedStack, live: Described | undefined): void {
  const why =
    live === undefined
      ? 'it is not there'
      : restOf(live.StackStatus) !== 'settled'
        ? `it is ${live.StackStatus}`
        : hasNested(body)
          ? 'other stacks are nested in it, and CloudFormation does not revert drift there'
          : undefined
  if (why === undefined) return
  throw new Refused('drift-unmendable', `The drift of the stack ${stack.name} cannot be mended: ${why}.`, {
    remedy: 'Bring back by hand what was changed by hand, or accept it: `protium drift --accept`.',
  })
}

/** Has CloudFormation tell what would change. */
async function asking(
  context: Context,
  { cloud, wanted, live, template, purpose, mends }: Asking,
): Promise<{ readonly made: Made; readonly name: string }> {
  const sent = template === undefined ? wanted.body : withMarks(template, wanted.body)
  const wants = wantsOf(wanted)
  let isLarge = false
  for (let count = 1; ; count += 1) {
    const name = changeSetName(context.nameFor(wants), purpose === 'plan' ? 'plan' : 'execute')
    const input = await changeSetInput(context, { cloud, wanted, sent, name, live, mends, isLarge })
    try {
      const made = await makeChangeSet(cloud, { stack: wanted.stack.name, input })
      const of = made.is === 'ready' ? made.changeSet.StackId : undefined
      if (made.is !== 'ready' || live === undefined || of === undefined || of === live.StackId) return { made, name }
      await deleteChangeSet(cloud, made.arn)
      throw staleRefusal(wanted.stack.name, { said: 'it was deleted and made again by somebody else.' })
    } catch (error) {
      if (count >= remakes) throw error
      if (meaningOf(error).is === 'too-large' && context.templateBucket !== undefined) isLarge = true
      else if (!(error instanceof Refused) || error.code !== 'plan-stale') throw error
    }
  }
}

/** What has to be set besides. Termination protection is told with the stack; a policy is asked for only where one is wanted. */
async function settingsFor(
  cloud: Cloud,
  { live, wanted }: { readonly live: Described | undefined; readonly wanted: WantedStack },
): Promise<Settings> {
  const { stackPolicy: policy, terminationProtection } = callFields(wanted.options ?? {}, wanted.body)
  const protects = live?.EnableTerminationProtection ?? false
  const found = policy === undefined || live === undefined ? '' : await stackPolicy(cloud, live.StackId)
  return {
    ...(terminationProtection !== undefined && terminationProtection !== protects && { terminationProtection }),
    ...(policy !== undefined && found !== undefined && !samePolicy(found, policy) && { stackPolicy: policy }),
  }
}

function samePolicy(found: string, wanted: string): boolean {
  const document = readJson('stack policy', found)
  return document.ok && canonicalJson(document.value.data) === wanted
}

function settingNames({ terminationProtection, stackPolicy: policy }: Settings): readonly string[] {
  return [
    ...(terminationProtection === undefined ? [] : [`termination protection ${terminationProtection ? 'on' : 'off'}`]),
    ...(policy === undefined ? [] : ['stack policy']),
  ]
}

type Predicted = Pick<StackPreview, 'changes' | 'outputs' | 'notes'>

/**
 * Of a stack that is not there yet everything is new, which is known without asking; so a plan leaves no empty stack behind.
 * What only the cloud knows (values that other stacks export, what a macro makes) is left out.
 */
function firstChanges(wanted: WantedStack): Predicted {
  const macros = transformsOf(wanted.body)
  const notes =
    macros.length === 0
      ? {}
      : { notes: [`What ${macros.join(' and ')} makes of the template is seen only when it is created.`] }
  const planned = planStack(wanted)
  if (planned.ok) return { changes: planned.value.changes, outputs: planned.value.outputChanges, ...notes }
  const changes = [...resourcesOf(wanted.body).values()].map(({ logicalId, type }): ResourceChange => ({
    logicalId,
    type,
    action: 'create',
    properties: [],
    because: [],
    retained: false,
  }))
  return { changes, ...notes }
}

/**
 * A stack that is stuck takes no change set. What has failed to be created is deleted and created anew; what an update has left is
 * mended first, and what would change then is predicted from the template.
 */
function changesOnceMended(
  wanted: WantedStack,
  { live, reading }: { readonly live: Described; readonly reading: Reading },
): Predicted {
  const { StackStatus: status } = live
  const isUpdate = status.startsWith('UPDATE_') || status.startsWith('IMPORT_')
  const template = reading.is === 'there' ? reading.template : undefined
  const note = (what: string): readonly string[] => [`The stack is ${status}: ${what}`]
  if (!isUpdate) {
    const first = firstChanges(wanted)
    return { ...first, notes: [...note('it is deleted first, and created anew.'), ...(first.notes ?? [])] }
  }
  const notes = note(
    'that is mended first. What would change then is predicted, and looked at again when it is deployed.',
  )
  if (template === undefined) return { changes: [], notes }
  const parameters = Object.fromEntries(Object.entries(parametersOf(live)).filter(([, value]) => value !== '****'))
  const before = planStack({ ...wanted, body: template, parameters })
  const after = before.ok
    ? planStack(wanted, {
        before: Object.fromEntries(before.value.steps.map(({ logicalId, record }) => [logicalId, record])),
        outputsBefore: outputsOf(live),
      })
    : before
  return after.ok ? { changes: after.value.changes, notes } : { changes: [], notes }
}

async function changeSetInput(
  { templateBucket }: Context,
  {
    cloud,
    wanted,
    sent,
    name,
    live,
    mends,
    isLarge,
  }: Pick<Asking, 'cloud' | 'wanted' | 'live' | 'mends'> & {
    readonly sent: DataMap
    readonly name: string
    readonly isLarge: boolean
  },
): Promise<CreateChangeSetInput> {
  const template = await templateFields(cloud, {
    stack: wanted.stack.name,
    body: sent,
    bucket: templateBucket,
    isLarge,
  })
  return {
    // By its name: an ARN is not taken here by every endpoint. `asking` looks whether it is still the same stack.
    StackName: wanted.stack.name,
    ChangeSetName: name,
    ClientToken: name,
    ChangeSetType: live === undefined ? 'CREATE' : 'UPDATE',
    ...template,
    ...inputFields(wanted),
    ...(hasNested(sent) && { IncludeNestedStacks: true }),
    ...(mends === 'drift' && { DeploymentMode: 'REVERT_DRIFT' }),
  }
}

/** What a change set and the creation of a stack take alike. */
export function inputFields({
  parameters,
  tags,
  options = {},
  body,
}: WantedStack): Pick<
  CreateChangeSetInput,
  'Parameters' | 'Tags' | 'RoleARN' | 'RollbackConfiguration' | 'DeploymentConfig'
> & { readonly Capabilities: Capability[] } {
  const {
    RoleARN,
    Capabilities,
    RollbackConfiguration: rollback,
    DeploymentConfig,
  } = callFields(options, body).createChangeSet
  return {
    Parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    Capabilities: [...Capabilities],
    ...(RoleARN !== undefined && { RoleARN }),
    ...(rollback !== undefined && {
      RollbackConfiguration: { ...rollback, RollbackTriggers: [...rollback.RollbackTriggers] },
    }),
    ...(DeploymentConfig !== undefined && { DeploymentConfig }),
  }
}

function hasNested(body: DataMap): boolean {
  const isNested = (type: unknown): boolean => type === 'AWS::CloudFormation::Stack'
  const resources = body['Resources']
  if (!isMap(resources)) return false
  return Object.values(resources).some((each) => isMap(each) && isNested(each['Type']))
}
