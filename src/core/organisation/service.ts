import { type Bundle, readBundleFolder } from '../bundle.ts'
import { wrongEnding } from '../catalog.ts'
import type { Problem } from '../problem.ts'
import { openServiceSpec, type ServiceSpec } from '../spec.ts'
import type { FileTree } from '../tree.ts'
import { checkCompatible, findBundle } from './bundles.ts'
import { problem, type Reading, type Service, type Unit } from './model.ts'
import { stagesOf } from './stages.ts'
import { instanceUnits, pipelineUnits } from './units.ts'

/** The files of one service. */
export type ServiceFiles = {
  /** The folder's name; nothing for a service at the root. */
  readonly folder: string | undefined
  readonly file: string
  readonly text: string
  readonly component: { readonly root: string; readonly files: FileTree } | undefined
}

/** The files of services in one pass over the tree, in its order. */
export function serviceFiles(tree: FileTree, problems: Problem[]): ServiceFiles[] {
  const specs = new Map<string, { readonly file: string; readonly text: string }>()
  const components = new Map<string, Map<string, string>>()
  for (const [path, text] of tree) {
    const match = /^(services\/[^/]+\/)?(?:(service\.ya?ml)|component\/(.+))$/.exec(path)
    if (match === null) continue
    const folder = match[1] ?? ''
    if (match[2] === 'service.yaml') specs.set(folder, { file: path, text })
    else if (match[2] !== undefined) problems.push(wrongEnding(path))
    else if (match[3] !== undefined)
      components.set(folder, (components.get(folder) ?? new Map<string, string>()).set(match[3], text))
  }
  return [...specs].map(([folder, spec]) => {
    const files = components.get(folder)
    const name = /^services\/(.+)\/$/.exec(folder)?.[1]
    return { ...spec, folder: name, component: files === undefined ? undefined : { root: `${folder}component`, files } }
  })
}

/**
 * Reads one service against the catalog; what stands in its way is in the reading's problems. With `version`, as if its file named
 * that one.
 */
export function readService(
  reading: Reading,
  files: ServiceFiles,
  version?: string,
): { readonly service: Service; readonly units: readonly Unit[]; readonly isFirst: boolean } | undefined {
  const { problems } = reading
  const opened = openServiceSpec(files.file, files.text)
  problems.push(...opened.problems)
  if (opened.spec === undefined) return undefined
  const spec = version === undefined ? opened.spec : { ...opened.spec, version }
  const isFirst = claimName(reading, spec, files.folder)
  const bundle = findBundle(reading, {
    template: spec.template,
    version: spec.version,
    kind: 'service',
    at: spec.document.place(['template']),
  })
  const stages = stagesOf(reading, spec, isFirst)
  if (bundle === undefined) return undefined
  checkCompatible(reading, { spec, bundle, stages })
  const service: Service = { service: spec.service, spec, bundle, stages }
  const component = readComponent(reading, { bundle, spec, files })
  const units = [...instanceUnits(reading, service, component), ...pipelineUnits(reading, service)]
  return { service, units, isFirst }
}

/** Whether the name is the service's: it lies in the folder of this name, or at the root. */
function claimName(
  { names, problems, strangers }: Reading,
  { service, document }: ServiceSpec,
  folder: string | undefined,
): boolean {
  const at = document.place(['service'])
  if (service === 'environment') {
    problems.push(
      problem('service-name', at, {
        message: 'A service cannot be called "environment", which is the first word of the names of environments.',
        expected: 'Another name.',
        remedy: 'Rename the service.',
      }),
    )
  }
  if (names.has(service) || (folder !== undefined && folder !== service)) {
    strangers.push({ is: 'name', text: folder ?? '', service, at, problems })
    return false
  }
  names.set(service, at)
  return true
}

function readComponent(
  reading: Reading,
  { bundle, spec, files }: { readonly bundle: Bundle; readonly spec: ServiceSpec; readonly files: ServiceFiles },
): Bundle | undefined {
  if (files.component === undefined) return undefined
  const { root, files: tree } = files.component
  const at = { file: root, line: 1, column: 1 }
  const read = readBundleFolder(tree, { template: `${spec.service}-component`, root })
  reading.problems.push(...read.problems)
  if (!read.ok) return undefined
  if (read.value.kind !== 'component') {
    reading.problems.push(
      problem('wrong-template', at, {
        message: `The folder holds a bundle of kind ${read.value.kind}, and a component is wanted here.`,
        expected: '`manifest.yaml` and the one file that it names.',
        remedy: 'Lay the files out as a component, or move the folder.',
      }),
    )
    return undefined
  }
  if (!bundle.componentSources.includes('DIRECTLY_DEFINED')) {
    reading.problems.push(
      problem('component-refused', at, {
        message: `The template "${bundle.template}" takes no components.`,
        expected:
          'A template with `supported_component_sources: [DIRECTLY_DEFINED]` in its `.template-registration.yaml`.',
        remedy: 'Remove the component, or ask the owners of the template.',
      }),
    )
    return undefined
  }
  return read.value
}

/** Problems of one file by line, each told once although several stages have it. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const seen = new Map<string, Problem>()
  for (const each of problems) {
    const id = JSON.stringify([each.code, each.at, each.message])
    if (!seen.has(id)) seen.set(id, each)
  }
  return [...seen.values()].toSorted(
    (a, b) => (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0),
  )
}
