import type { Data, DataMap } from '../data.ts'
import type { Place } from '../problem.ts'
import { numberIn } from '../shape.ts'

/** What a bundle's `schema/schema.yaml` says: the inputs of an environment, or of a service and its pipeline. */
export type BundleSchema = {
  readonly file: string
  readonly environment?: InputSchema
  readonly service?: InputSchema
  readonly pipeline?: InputSchema
}

/**
 * The inputs of one unit. `json` is JSON Schema with its references resolved; it knows no key but the named inputs unless
 * the file says `additionalProperties`. `inputs` are in the order of the file.
 */
export type InputSchema = {
  readonly type: string
  readonly json: DataMap
  readonly inputs: ReadonlyMap<string, Input>
}

export type Input = {
  readonly name: string
  /** Somebody has to give it: it is in `required` and has no default. */
  readonly required: boolean
  readonly default?: Data
  readonly description?: string
  /** From `x-protium-secret`: true takes references only, false is never taken for a secret. */
  readonly secret?: boolean
  /** Holds a container image: `x-protium-image`, or a text input named `image`. */
  readonly image: boolean
  /** Takes the address of the instance: `x-protium-host`. One input of a service's schema at most. */
  readonly host: boolean
  /** Names services, itself or somewhere inside of it: `x-protium-service`. */
  readonly services: boolean
  /** Where the schema file names it, and where its default stands. */
  readonly at: Place
  readonly defaultAt: Place
}

/** The most characters of a text: without a word of the schema, and at most if its `maxLength` allows more. */
export const LONGEST_TEXT = 4096
export const LONGEST_DECLARED_TEXT = 65_536

/** The most characters of a text that is described by this schema. */
export function longestText(json: DataMap): number {
  const declared = numberIn(json, 'maxLength') ?? 0
  return declared <= LONGEST_TEXT ? LONGEST_TEXT : Math.min(declared, LONGEST_DECLARED_TEXT)
}

/** Names by which JavaScript reaches into an object's own machinery. */
export const refusedNames = ['__proto__', 'constructor', 'prototype']
