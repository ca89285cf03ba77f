import type { DataMap } from '../data.ts'
import type { BundleSchema } from '../schema.ts'
import type { FileTree } from '../tree.ts'

export type Kind = 'environment' | 'service' | 'component'

/** One manifest of a bundle: what is rendered or run together, and becomes one stack. */
export type Part = {
  readonly name: 'infrastructure' | 'instance_infrastructure' | 'pipeline_infrastructure' | 'component'
  /** `none` is a CloudFormation template that is taken as it is; inputs become its Parameters. */
  readonly engine: 'jinja' | 'none' | 'hcl' | 'codebuild'
  /** The folder that the manifest lies in, relative to the bundle; empty for a component. */
  readonly folder: string
  /** The manifest, relative to the bundle. */
  readonly manifest: string
  /** Relative to the bundle: the one CloudFormation file, or the one Terraform file; absent where all `.tf` files are meant. */
  readonly file?: string
  /** Further CloudFormation files, which are one stack with the first. */
  readonly others?: readonly string[]
  /** CodeBuild only. `input_type` is inside, wherever the manifest says it. */
  readonly settings?: DataMap
}

/** The files of one version of a template, read. */
export type Bundle = {
  readonly template: string
  readonly kind: Kind
  /** Exact, `1.4.2`. */
  readonly version: string
  /** Where the bundle lies, `templates/fargate-service/v1`; empty for one that lies alone. Places are below it. */
  readonly root: string
  /** Relative to the root. */
  readonly files: FileTree
  readonly schema: BundleSchema
  /**
   * In the order in which they are deployed. None: an environment that the customer manages, of which the bundle describes
   * the outputs alone; the values of its inputs are those outputs.
   */
  readonly parts: readonly Part[]
  /** For a service: the environment templates that it runs in; an empty list means any. */
  readonly compatible: readonly { readonly template: string; readonly major: number }[]
  /** For a service: `DIRECTLY_DEFINED` where instances take components. */
  readonly componentSources: readonly string[]
}
