import type { Catalog, Workflows } from '../catalog.ts'
import type { CheckName } from '../policy/rules.ts'
import type { Stage } from '../stage.ts'

export type Facts = {
  /** The catalog is private: service repositories read it through an App. */
  readonly app: { readonly owner: string; readonly name: string } | undefined
  /** The owner whose repositories are looked after from the catalog, and the catalog's own. */
  readonly fleet: { readonly owner: string; readonly repository: string } | undefined
  /** Whether some may break the glass. */
  readonly glass: boolean
  /** The programs that judge templates beside Protium. */
  readonly checks: readonly CheckName[]
  readonly stages: readonly Stage[]
  readonly workflows: Workflows
  /** Whether a stage lies in an account, so that its jobs need a role there. */
  readonly cloud: (stage: Stage) => boolean
  readonly local: (stage: Stage) => boolean
  /** Where a stage lies; nothing where the catalog has no such environment, which is said elsewhere. */
  readonly home: (stage: Stage) => { readonly account: string; readonly region: string } | undefined
  /**
   * The catalog's repository, where roles are made by `trust:`. They are given to workflows of its main branch alone, so those
   * are called by that name, also from itself: what a pull request has made of them cannot take a role.
   */
  readonly trusting: string | undefined
  /** Whether there are such roles in the account of a stage. */
  readonly trusted: (stage: Stage) => boolean
}

/** What the workflows of a catalog follow from. */
export function factsOf(catalog: Catalog, workflows: Workflows): Facts {
  return {
    app: appOf(workflows),
    fleet: fleetOf(workflows),
    glass: catalog.glass !== undefined,
    checks: catalog.policy.checks,
    stages: catalog.stages,
    workflows,
    cloud: (stage) => provisionerOf(catalog, stage) !== 'local',
    local: (stage) => provisionerOf(catalog, stage) === 'local',
    home: (stage) => catalog.environments.get(stage.environment),
    trusting: catalog.trust === undefined ? undefined : workflows.repository,
    trusted: (stage) => catalog.trust !== undefined && provisionerOf(catalog, stage) === 'cloudformation',
  }
}

function appOf({ app, repository }: Workflows): Facts['app'] {
  const [owner, name] = repository?.split('/') ?? []
  return app === true && owner !== undefined && name !== undefined ? { owner, name } : undefined
}

function fleetOf({ fleet, repository }: Workflows): Facts['fleet'] {
  const [owner] = repository?.split('/') ?? []
  return fleet === true && owner !== undefined && repository !== undefined ? { owner, repository } : undefined
}

/** The jobs that come before all others. */
export function before({ app }: Facts): readonly string[] {
  return app === undefined ? [] : ['catalog']
}

export function provisionerOf(catalog: Catalog, stage: Stage): string {
  return catalog.environments.get(stage.environment)?.provisioner ?? 'cloudformation'
}

/** One of Protium's own actions. `$/` is the repository of this very workflow, at the commit that runs. */
export function own({ workflows: { actions, version } }: Facts, verb: string): string {
  const [path = '', commit] = actions.split('@')
  return commit === undefined
    ? `$/${path}/${verb}`
    : `${path}/${verb}@${commit}${version === undefined ? '' : ` # ${version}`}`
}
