import type { Catalog } from '../catalog.ts'
import type { FileTree } from '../tree.ts'
import type { Given } from './answers.ts'

/**
 * What was once said of a catalog that is there, so that it need not be said again; nothing of one whose hosts are not those of
 * zones, as somebody has written it himself.
 */
export function answersIn(catalog: Catalog, tree: FileTree): Partial<Given> | undefined {
  const { domain, stages, workflows, trust, environments } = catalog
  const homes = stages.map(({ name, environment }) => ({ name, home: environments.get(environment) }))
  const zones = stages.map(({ name, host }) => {
    const [, zone] = /^\{service\}\.(.+)$/u.exec(host.text.replaceAll('{domain}', domain)) ?? []
    return zone === undefined ? undefined : `${name}=${zone}`
  })
  if (workflows?.repository === undefined || zones.includes(undefined)) return undefined
  const production = stages.find((stage) => stage.production)
  const own = trust?.repositories.find(({ name }) => name === workflows.repository)
  const [, owner] = /^\/catalog\.yaml (\S+)/mu.exec(tree.get('.github/CODEOWNERS') ?? '') ?? []
  const local = homes.every(({ home }) => home?.provisioner === 'local')
  const accounts = homes.map(({ home }) => home?.account)
  return {
    repository: workflows.repository,
    domain,
    stage: zones.filter((zone) => zone !== undefined),
    ...(production === undefined ? {} : { production: production.name }),
    account: local ? [] : homes.map(({ name, home }) => `${name}=${home?.account ?? ''}`),
    region: homes.map(({ name, home }) => `${name}=${home?.region ?? ''}`),
    local,
    ...(owner === undefined ? {} : { owner }),
    approval: production?.approval?.by ?? [],
    start: tree.has('templates/base/template.yaml') ? 'empty' : 'sample',
    actions: workflows.actions.startsWith('.') ? 'vendored' : workflows.actions,
    ...(trust === undefined || own === undefined
      ? {}
      : { 'organisation-id': trust.organisation.id, 'repository-id': own.id }),
    'shared-account': new Set(accounts).size < accounts.length,
  }
}
