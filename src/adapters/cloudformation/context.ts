import { canonicalJson, digest } from '../../core/canonical.ts'
import type { RunName } from '../../core/cloudformation/tokens.ts'
import type { Data, DataMap } from '../../core/data.ts'
import { mapOf } from '../../core/data.ts'
import type { StackId, WantedStack } from '../../ports.ts'
import type { Cloud } from './client.ts'
import type { Described } from './reading.ts'
import { describeStack, liveTemplate, outputsOf, parametersOf, tagsOf } from './reading.ts'

/** What the methods of the provisioner share. */
export type Context = {
  readonly cloudOf: (stack: StackId) => Cloud
  readonly templateBucket: string | undefined
  /** A name for what is done next; of what was asked before in this run, it is another one. */
  readonly nameFor: (wants: string) => RunName
}

/** A stack as it was read. `shell` is the ARN of one that has change sets and nothing else; it is as good as absent. */
export type Reading =
  | { readonly is: 'absent'; readonly shell: string | undefined }
  | { readonly is: 'there'; readonly stack: Described; readonly template: DataMap | undefined }

/** The two reads that tell whether there is anything to do, in parallel; the first alone where a change is expected. */
export async function readStack(
  cloud: Cloud,
  name: string,
  { withTemplate = true }: { readonly withTemplate?: boolean } = {},
): Promise<Reading> {
  const [stack, template] = await Promise.all([
    describeStack(cloud, name),
    withTemplate ? liveTemplate(cloud, name) : undefined,
  ])
  if (stack === undefined || stack.StackStatus === 'DELETE_COMPLETE') return { is: 'absent', shell: undefined }
  if (stack.StackStatus === 'REVIEW_IN_PROGRESS') return { is: 'absent', shell: stack.StackId }
  return { is: 'there', stack, template }
}

/** What is wanted, as a digest. */
export function wantsOf({ stack, body, parameters, tags, options }: WantedStack): string {
  return digest(
    mapOf([
      ['stack', texts(stack)],
      ['body', body],
      ['parameters', texts(parameters)],
      ['tags', texts(tags)],
      ...(options === undefined ? [] : [['options', plain(options)] as const]),
    ]),
  )
}

/** What it was compared with: the stack as it stands. Every update of it sets the time, whoever makes it. */
export function againstOf(reading: Reading): string {
  if (reading.is === 'absent') return digest(mapOf([['status', 'ABSENT']]))
  const { stack } = reading
  return digest(
    mapOf([
      ['stack', stack.StackId],
      ['updated', (stack.LastUpdatedTime ?? stack.CreationTime)?.toISOString() ?? ''],
      ['parameters', texts(parametersOf(stack))],
      ['tags', texts(tagsOf(stack))],
      ['outputs', texts(outputsOf(stack))],
    ]),
  )
}

function texts(map: Readonly<Record<string, string>>): DataMap {
  return mapOf(Object.entries(map))
}

/** Options are data already, but for what is not said of them. */
function plain(options: NonNullable<WantedStack['options']>): Data {
  const { terminationProtection, stackPolicy, serviceRole, rollback, mode, capabilities } = options
  const said: readonly (readonly [string, Data | undefined])[] = [
    ['terminationProtection', terminationProtection],
    ['stackPolicy', stackPolicy],
    ['serviceRole', serviceRole],
    ['rollback', rollback === undefined ? undefined : canonicalJson([[...rollback.alarms], rollback.minutes])],
    ['mode', mode],
    ['capabilities', capabilities],
  ]
  return mapOf(said.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])))
}
