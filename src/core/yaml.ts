import type { Data, Path } from './data.ts'
import type { Place } from './problem.ts'

/**
 * How the words and numbers of a text are read.
 *
 * - `own`: Protium's own files. What YAML 1.1 and 1.2 read differently (`yes`, `0123`, `1_000`, `12:30`) is refused.
 * - `proton-spec`: specs that were written for AWS Proton, whose reader was YAML 1.1; such words come with a warning.
 * - `schema`: Proton's `schema.yaml`, manifests and registrations; read as `proton-spec`.
 * - `cloudformation`: CloudFormation's short tags become long form; `yes no on off` are booleans, with a warning; the number
 *   forms are refused.
 */
export type Dialect = 'own' | 'proton-spec' | 'schema' | 'cloudformation'

/** What a file says, and where it says it. */
export type Document = {
  readonly file: string
  readonly data: Data
  /** The place of the value at a path; of the nearest value above it where the path leads nowhere. */
  place(path: Path): Place
  /** The place of the key that a path ends with (of an item, in a list); the nearest above it where there is none. */
  keyPlace(path: Path): Place
}
