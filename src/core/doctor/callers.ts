import type { Catalog } from '../catalog.ts'
import { type Data, type DataMap, isMap } from '../data.ts'
import { mapIn, textIn } from '../shape.ts'
import type { FileTree } from '../tree.ts'
import { catalogWorkflows } from '../workflows.ts'
import { readYaml } from '../yaml.ts'
import { few } from './files.ts'
import { ok, tell, type Told } from './finding.ts'

/** A job that calls a workflow of the catalog, with what it grants. */
type Call = { readonly file: string; readonly workflow: string; readonly grants: Data | undefined }

/** Whether a repository of a service calls the workflows of the catalog, and grants each what its jobs need. */
export function judgeCallers(
  files: FileTree,
  { catalog, name }: { readonly catalog: Catalog; readonly name: string },
): Told {
  const own = catalog.workflows?.repository
  if (own === undefined) {
    return tell('unknown', {
      what: 'catalog.yaml does not say which repository it is in.',
      fix: 'Say `repository: owner/name` below `workflows:`.',
    })
  }
  const made = catalogWorkflows(catalog)
  const calls = callsIn(files, own)
  const needed = ['plan.yml', ...(catalog.workflows?.deploy === false ? [] : ['deploy.yml'])]
  const missing = needed.filter((workflow) => !calls.some((call) => call.workflow === workflow))
  const fix = `\`protium add ${name}\``
  if (missing.length > 0) {
    const what = `No workflow of it calls ${few(missing.map((workflow) => `${own}/.github/workflows/${workflow}`))}.`
    return tell('fail', { what, fix })
  }
  const lacking = calls.flatMap(({ file, workflow, grants }) => {
    const lacks = [...rightsOf(made.get(`.github/workflows/${workflow}`))].flatMap(([scope, access]) =>
      has(grants, scope, access) ? [] : [`${scope}: ${access}`],
    )
    return lacks.length === 0 ? [] : [`${file} to ${workflow}: ${few(lacks)}`]
  })
  if (lacking.length === 0) return ok('It calls the workflows of the catalog, and grants them what they need.')
  return tell('fail', { what: `Too little is granted, so GitHub does not begin them: ${few(lacking)}.`, fix })
}

/** What the jobs of a workflow need in all: GitHub lets none have more than who calls it has. */
function rightsOf(text: string | undefined): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const job of Object.values(mapIn(dataIn('workflow.yml', text ?? ''), 'jobs') ?? {})) {
    const permissions = isMap(job) ? mapIn(job, 'permissions') : undefined
    for (const [scope, access] of Object.entries(permissions ?? {}))
      if (typeof access === 'string' && found.get(scope) !== 'write') found.set(scope, access)
  }
  return new Map([...found].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** What cannot be read is somebody else's workflow, or GitHub says so itself. */
function dataIn(file: string, text: string): DataMap | undefined {
  const read = readYaml(file, text, 'schema')
  return read.ok && isMap(read.value.data) ? read.value.data : undefined
}

function callsIn(files: FileTree, own: string): readonly Call[] {
  return [...files].flatMap(([file, text]) => {
    const data = dataIn(file, text)
    return Object.values(mapIn(data, 'jobs') ?? {}).flatMap((job): Call[] => {
      if (!isMap(job)) return []
      const [path = ''] = (textIn(job, 'uses') ?? '').split('@')
      const folder = `${own}/.github/workflows/`
      if (!path.toLowerCase().startsWith(folder.toLowerCase())) return []
      const grants = job['permissions'] ?? data?.['permissions']
      return [{ file: file.slice(file.lastIndexOf('/') + 1), workflow: path.slice(folder.length), grants }]
    })
  })
}

/** Where a file says nothing, the settings of the repository count: that is left to them. */
function has(grants: Data | undefined, scope: string, access: string): boolean {
  if (grants === undefined || grants === 'write-all') return true
  if (grants === 'read-all') return access === 'read'
  const granted = isMap(grants) ? grants[scope] : undefined
  return granted === 'write' || granted === access
}
