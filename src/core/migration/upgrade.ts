import { type DataMap, entriesOf, isMap, mapOf } from '../data.ts'
import { type Edit, editYaml } from '../edit.ts'
import type { Checked } from '../problem.ts'
import { mapIn } from '../shape.ts'
import { readYaml } from '../yaml.ts'
import type { Ask, Block, Consumer, Migrated, Shown } from './model.ts'

/** A consumer's file for a new version; or why it is not changed by program. */
export type Upgraded =
  | {
      readonly is: 'upgraded'
      readonly text: string
      readonly shown: readonly Shown[]
      /** A placeholder stands for each, which `validate` refuses. */
      readonly asks: readonly Ask[]
    }
  | { readonly is: 'blocked'; readonly blocks: readonly Block[] }
  | { readonly is: 'unsure'; readonly why: string }

/** Changes the file of a service or an environment to a version, with what its migrations do; no other line is touched. */
export function upgradeSpec(
  file: string,
  text: string,
  { reference, migrated }: { readonly reference: string; readonly migrated: Migrated },
): Upgraded {
  if (migrated.blocks.length > 0) return { is: 'blocked', blocks: migrated.blocks }
  const version: Edit = { is: 'set', path: ['template'], value: reference }
  const edited = editYaml(file, text, [version, ...migrated.edits])
  if (edited.is === 'unsure') return edited
  return { is: 'upgraded', text: edited.text, shown: migrated.shown, asks: migrated.asks }
}

/** What the file of a service or an environment says, as far as migrations touch it. Its other faults are not looked for. */
export function consumerOf(file: string, text: string): Checked<Consumer> {
  const read = readYaml(file, text, 'own')
  if (!read.ok) return read
  const data = isMap(read.value.data) ? read.value.data : mapOf()
  const inputs = (map: DataMap | undefined): DataMap => mapIn(map, 'inputs') ?? mapOf()
  const stages = entriesOf(mapIn(data, 'stages') ?? mapOf()).map(
    ([name, value]) => [name, inputs(isMap(value) ? value : undefined)] as const,
  )
  const keep = entriesOf(mapIn(data, 'keep') ?? mapOf()).flatMap(([id, live]) =>
    typeof live === 'string' ? [[id, live] as const] : [],
  )
  const hasPipeline = data['pipeline'] !== undefined
  return {
    ok: true,
    value: {
      inputs: inputs(data),
      stages: new Map(stages),
      ...(hasPipeline ? { pipeline: inputs(mapIn(data, 'pipeline')) } : {}),
      keep: new Map(keep),
    },
    problems: read.problems,
  }
}
