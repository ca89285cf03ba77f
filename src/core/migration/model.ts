import type { Data, DataMap, Path } from '../data.ts'
import type { Edit } from '../edit.ts'
import type { Place } from '../problem.ts'

/**
 * How the inputs of a consumer become those of a version of a template: what `migrations/<x.y.z>.yaml` says. It is data alone:
 * nothing in it runs but expressions of the template language, in their bounds.
 */
export type Migration = {
  /** It applies on the way from a version below to this one or one above. */
  readonly to: string
  readonly file: string
  /** In order. Of a service these are the inputs of its instances, for all stages and for each. */
  readonly inputs: readonly Step[]
  /** The same for the inputs of a service's pipeline. */
  readonly pipeline: readonly Step[]
  /** Logical ids that the template has renamed, of resources that shall stay. */
  readonly resources: readonly KeepId[]
  /** One paragraph for those who are asked to take the version. */
  readonly notes?: string
  readonly examples: readonly MigrationExample[]
}

/** A type of an answer, as the schema of a template says it. */
export type AnswerType = 'string' | 'integer' | 'number' | 'boolean' | 'enum' | 'list' | 'map'

/** What is done with a value that a step does not know. */
export type Else = 'ask' | 'block' | 'keep' | 'remove'

/**
 * One step. Paths are keys of maps, from an input down. Each step is total (done, asked or blocked, with a reason), and what was
 * migrated already is left as it is.
 */
export type Step = { readonly why?: string; readonly at: Place } & (
  | { readonly is: 'rename'; readonly from: readonly string[]; readonly to: readonly string[] }
  | {
      readonly is: 'map'
      readonly path: readonly string[]
      readonly to: readonly string[]
      readonly values: DataMap
      readonly else: Else
    }
  | { readonly is: 'convert'; readonly path: readonly string[]; readonly as: Exclude<AnswerType, 'enum' | 'map'> }
  | { readonly is: 'default'; readonly path: readonly string[]; readonly value: Data }
  | { readonly is: 'compute'; readonly path: readonly string[]; readonly expr: string }
  | {
      readonly is: 'remove'
      readonly path: readonly string[]
      readonly when?: string
      readonly else: Exclude<Else, 'remove'>
    }
  | {
      readonly is: 'ask'
      readonly path: readonly string[]
      readonly type: AnswerType
      readonly options: readonly Data[]
      readonly suggest?: Data
    }
)

/** The template calls `to` what it called `from`; a stack that has `from` keeps it. */
export type KeepId = { readonly from: string; readonly to: string; readonly at: Place; readonly why?: string }

/** An example in the file of a migration: what goes in, and what has to come out. */
export type MigrationExample = {
  readonly name: string
  readonly at: Place
  readonly of: 'inputs' | 'pipeline'
  readonly before: DataMap
  /** The inputs that come out, without those that are asked for. */
  readonly after?: DataMap
  readonly ask: readonly (readonly string[])[]
  readonly block: readonly (readonly string[])[]
}

/** What a consumer's file says, as far as a migration touches it. */
export type Consumer = {
  readonly inputs: DataMap
  /** Inputs of stages, by their names; empty for an environment. */
  readonly stages: ReadonlyMap<string, DataMap>
  /** There if the service asks for its pipeline. */
  readonly pipeline?: DataMap
  /** `keep:` of the file: the id of the template to the id that the live stacks have. */
  readonly keep: ReadonlyMap<string, string>
}

/** A change of a value. Paths are those of the file, `['stages', 'prod', 'inputs', 'cpu']`. */
export type Shown = {
  readonly path: Path
  /** Where the value was before, if it has moved. */
  readonly from?: Path
  readonly before?: Data
  readonly after?: Data
  readonly why: string
  readonly version: string
}

/** A value that a person has to give. A placeholder stands for it in the file, which `validate` refuses. */
export type Ask = {
  readonly path: Path
  /** What is wanted, in words: `one of public, internal, pii`. */
  readonly expected: string
  readonly options: readonly Data[]
  readonly suggest?: Data
  /** What stood there, if anything. */
  readonly before?: Data
  readonly why: string
  /** What stands there until it is answered; nothing where the old value does, which `validate` refuses as well. */
  readonly placeholder?: string
}

/** Why this consumer does not get the version by itself. */
export type Block = { readonly path: Path; readonly why: string; readonly version: string }

/** An input that the file does not give, and whose default is another in the new version: behaviour changes. */
export type ChangedDefault = {
  readonly path: Path
  readonly before?: Data
  readonly after?: Data
  /** What keeps the old value; nothing where it has no meaning any more. */
  readonly keep?: Edit
}

/** What becomes of a consumer on its way to a version. Everything is in the order of the steps. */
export type Migrated = {
  readonly from: string
  readonly to: string
  readonly edits: readonly Edit[]
  readonly shown: readonly Shown[]
  readonly asks: readonly Ask[]
  readonly blocks: readonly Block[]
  readonly defaults: readonly ChangedDefault[]
  /** Inputs that the new version does not know. They are kept, and `validate` refuses them; `isNew` where it did not before. */
  readonly unknown: readonly { readonly path: Path; readonly why: string; readonly isNew: boolean }[]
  /** Those of the migrations, lowest version first. */
  readonly notes: readonly { readonly version: string; readonly text: string }[]
  /** The consumer as it is after all, with the placeholders of what is asked for. */
  readonly after: Consumer
}
