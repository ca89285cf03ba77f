import { type Catalog, openCatalog } from '../../../src/core/catalog.ts'
import { isMap } from '../../../src/core/data.ts'
import { type Judged, judge, problemOf, type Subject } from '../../../src/core/policy.ts'
import type { Problem } from '../../../src/core/problem.ts'
import type { FileTree } from '../../../src/core/tree.ts'
import { readRendered } from '../../../src/core/yaml.ts'

const head = `catalog: acme
domain: example.com
stages:
  dev: { host: "{service}.dev.{domain}", environment: dev }
  staging: { host: "{service}.staging.{domain}", environment: staging }
  prod: { host: "{service}.{domain}", environment: prod, production: true }
`

const homes = ['dev', 'staging', 'prod'].map((name, index): [string, string] => [
  `environments/${name}.yaml`,
  `environment: ${name}\ntemplate: home@1.0.0\nprovisioner: local\naccount: "${String(index + 1).repeat(12)}"\nregion: eu-west-1\n`,
])

/** The files of a catalog of three stages and the templates `home` and `web`, which are empty, with a policy. */
export function treeOfCatalog(policy: string, more: Readonly<Record<string, string>> = {}): FileTree {
  return new Map([
    ['catalog.yaml', `${head}${policy}`],
    ...homes,
    ...['home', 'web'].map((name) => [`templates/${name}/v1/schema/schema.yaml`, 'broken: ['] as const),
    ...Object.entries(more),
  ])
}

/** That catalog, with waivers by the names of their files. */
export function catalogWith(
  policy: string,
  waivers: Readonly<Record<string, string>> = {},
): { readonly catalog: Catalog; readonly problems: readonly Problem[] } {
  const files = Object.entries(waivers).map(([name, text]) => [`waivers/${name}`, text] as const)
  const { catalog, problems } = openCatalog(treeOfCatalog(policy, Object.fromEntries(files)))
  if (catalog === undefined) throw new Error('there is no catalog')
  return { catalog, problems: problems.filter(({ at }) => at?.file.startsWith('templates/') !== true) }
}

export const noon = new Date('2026-11-25T12:00:00Z')

/** What is found in a rendering in one stage, as Problems whose places are paths. */
export function found(
  catalog: Catalog,
  template: string,
  { stage = 'dev', now = noon, ...more }: Partial<Subject> & { readonly stage?: string; readonly now?: Date } = {},
): { readonly judged: readonly Judged[]; readonly problems: readonly Problem[] } {
  const read = readRendered('t.yaml', template)
  if (!read.ok || !isMap(read.value.data)) throw new Error('the template is no YAML')
  const subject = {
    unit: `shop/${stage}`,
    service: 'shop',
    template: 'web',
    stages: [stage],
    production: stage === 'prod',
    stack: { name: `shop-${stage}`, account: '111111111111', region: 'eu-west-1' },
    ...more,
  }
  const judged = judge(read.value.data, { policy: catalog.policy, subject, now })
  return { judged, problems: judged.flatMap((each) => problemOf(each, read.value.place(each.path)) ?? []) }
}
