import type { Bundle } from '../bundle.ts'
import type { Catalog, Environment } from '../catalog.ts'
import type { StackOptions } from '../catalog/stack-options.ts'
import type { DataMap } from '../data.ts'
import type { ProblemCode } from '../problem-codes.ts'
import type { Policy } from '../policy.ts'
import type { Place, Problem } from '../problem.ts'
import type { ServiceSpec } from '../spec.ts'
import type { Acknowledged } from '../spec/acknowledged.ts'
import type { Stage } from '../stage.ts'
import type { FileTree } from '../tree.ts'

/** Everything that a catalog repository describes, with all references followed and all inputs checked. */
export type Organisation = {
  readonly catalog: Catalog
  /** By name. */
  readonly services: readonly Service[]
  /**
   * Environments first, in the order of the stages that lie in them; then service by service the instances in the order of
   * the stages, each after its component, whose outputs it sees, and the pipeline last.
   */
  readonly units: readonly Unit[]
}

/** An application, in the stages that it has, in the order of promotion. */
export type Service = {
  readonly service: string
  readonly spec: ServiceSpec
  readonly bundle: Bundle
  readonly stages: readonly ServiceStage[]
}

/** A service in a stage, with its host there; a service that is not called has none. */
export type ServiceStage = { readonly stage: Stage; readonly hosts: readonly string[]; readonly because?: string }

/** What is deployed by itself: one unit is one stack, in the account and region of its environment. */
export type Unit = {
  readonly kind: 'environment' | 'instance' | 'pipeline' | 'component'
  /** `environment/dev`, `checkout/dev`, `checkout/pipeline`, `checkout/dev/component`. */
  readonly id: string
  /** The name of the stack. */
  readonly stack: string
  /** A pipeline lies in the environment of its service's first stage. */
  readonly environment: Environment
  readonly stage?: Stage
  readonly service?: Service
  readonly bundle: Bundle
  /** Defaults are in, in the order of the schema. A component has those of its instance. */
  readonly inputs: DataMap
  /** What the catalog says of the stack besides its template. */
  readonly options: StackOptions
  /** Resources that hold data and may be replaced or deleted all the same. */
  readonly acknowledged: Acknowledged
  /** The rules of the catalog that its rendering is judged by, and the stages that it serves: its own, or those of its environment. */
  readonly policy: Policy
  readonly serves: readonly string[]
  /** Where the value of an input was written: in the service's file, for the stage or for all; or as the schema's default. */
  inputPlace(name: string): Place
}

/** The files of a released version of a template, by paths relative to its bundle; nothing where there is no such release. */
export type Released = (template: string, version: string) => FileTree | undefined

export type Reading = {
  readonly catalog: Catalog
  readonly broken: ReadonlySet<string>
  readonly released: Released
  readonly releases: readonly string[]
  readonly problems: Problem[]
  /** Bundles by `name@version`, each read once. */
  readonly bundles: Map<string, Loaded>
  /** Bundles of releases whose problems this reading has told. */
  readonly told: Set<string>
  /** Where each service says its name, and each host of one is written; of those that lie where their name says. */
  readonly names: Map<string, Place>
  readonly hosts: Map<string, Place>
  /** What can be judged only when the service is known whose name it is. */
  readonly strangers: Stranger[]
  /** Where services name other services. */
  readonly mentions: Mention[]
}

/** The name of another service among the inputs of one. */
export type Mention = { readonly service: string; readonly at: Place; readonly problems: Problem[] }

/** A host that names another service, or a service that lies in the folder of another name. */
export type Stranger = {
  readonly is: 'host' | 'name'
  readonly text: string
  /** The service whose it would be. */
  readonly service: string
  readonly at: Place
  readonly problems: Problem[]
}

/** A reading of some services alone: their names, and how to ask for another that one of them has to be compared with. */
export type Only = { readonly services: ReadonlySet<string>; readonly wants: (service: string) => void }

/** A bundle, with the problems of one that is released; `broken` if there is one that cannot be read. */
export type Loaded =
  | { readonly is: 'there'; readonly bundle: Bundle; readonly problems: readonly Problem[] }
  | { readonly is: 'broken'; readonly problems: readonly Problem[] }
  | { readonly is: 'absent' }

export function problem(code: ProblemCode, at: Place, words: Omit<Problem, 'code' | 'severity' | 'at'>): Problem {
  return { code, severity: 'error', ...words, at }
}
