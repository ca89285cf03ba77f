import type { Part } from '../bundle.ts'
import type { Reference } from '../jinja/index.ts'
import { nearest } from '../nearest.ts'
import type { Problem } from '../problem.ts'
import { list } from '../report.ts'

/** What lies below a name: names with what lies below them, or `open` where anything may. `*` is an element of a list. */
type Names = { readonly [name: string]: Names | 'open' }

const environment = { name: 'open', account_id: 'open', outputs: 'open' } as const satisfies Names
const service = {
  name: 'open',
  branch_name: 'open',
  repository_id: 'open',
  repository_connection_arn: 'open',
} as const satisfies Names

/**
 * The names that each kind of template sees, as `render.ts` gives them and as AWS Proton gave them.
 * https://docs.aws.amazon.com/proton/latest/userguide/parameters.html
 */
const namespaces: Readonly<Record<Part['name'], Names>> = {
  infrastructure: { environment: { name: 'open', inputs: 'open' } },
  instance_infrastructure: {
    environment,
    service,
    service_instance: { name: 'open', inputs: 'open', components: 'open', environment },
  },
  pipeline_infrastructure: {
    service,
    pipeline: { inputs: 'open' },
    service_instances: { '*': { name: 'open', inputs: 'open', outputs: 'open', environment } },
  },
  component: {
    component: { name: 'open' },
    environment,
    service: { name: 'open' },
    service_instance: { name: 'open', inputs: 'open' },
  },
}

const kinds: Readonly<Record<Part['name'], string>> = {
  infrastructure: 'an environment',
  instance_infrastructure: 'a service instance',
  pipeline_infrastructure: 'a pipeline',
  component: 'a component',
}

/** A reference to a name that no template of this kind sees: nothing where the template provides for that. */
export function namespaceProblem(part: Part['name'], { path, at, guarded }: Reference): Problem | undefined {
  let names: Names | 'open' = namespaces[part]
  for (const [index, step] of path.entries()) {
    if (names === 'open') return undefined
    const next: Names | 'open' | undefined = Object.hasOwn(names, step) ? names[step] : undefined
    if (next !== undefined) {
      names = next
      continue
    }
    // A list has a length and the like; which of its elements is meant may be computed.
    if (guarded.has(index + 1) || '*' in names) return undefined
    const before = path.slice(0, index)
    const known = Object.keys(names).map((name) => [...before, name].join('.'))
    return {
      code: 'contract-namespace',
      severity: 'error',
      message: `The template of ${kinds[part]} sees no \`${shown(path.slice(0, index + 1))}\`, so rendering fails where it is read.`,
      expected: `One of ${list(known.map((name) => `\`${name.replace('.*', '[…]')}\``))}.`,
      remedy: remedyFor(part, path, index),
      at,
    }
  }
  return undefined
}

/** `service_instances[…].inputs.port` */
export function shown(path: readonly string[]): string {
  return path.join('.').replaceAll('.*', '[…]')
}

/** Names of Proton's preview, and what they became. https://docs.aws.amazon.com/proton/latest/userguide/ga-api-migration.html */
const renamed: Readonly<Record<string, string>> = {
  service_name: 'service.name',
  service_instance_name: 'service_instance.name',
  environment_name: 'environment.name',
  'source.repository': 'service.repository_id',
  'source.branch': 'service.branch_name',
  'source.connection_arn': 'service.repository_connection_arn',
}

function remedyFor(part: Part['name'], path: readonly string[], index: number): string {
  const [root = '', second = '', third = ''] = path
  const today = renamed[`${root}.${second}`] ?? renamed[root]
  if (index === 0 && today !== undefined)
    return `Write \`${today}\`, as AWS Proton called it once its preview had ended.`
  if (index === 0) {
    const near = nearest(root, Object.keys(namespaces[part]))
    return near === undefined
      ? 'Read an input of the schema, set the name in the template, or give it a `default`.'
      : `Write \`${near}\`.`
  }
  const name = second === '' ? '' : third
  if (root === 'environment' && part === 'infrastructure') {
    if (second === 'account_id') return 'Use `!Ref AWS::AccountId`.'
    if (second === 'outputs') return 'Use what CloudFormation has for its own resources: `!Ref`, `!GetAtt`.'
    return `Write \`environment.inputs.${second}\`.`
  }
  if (root === 'environment' && second === 'inputs') {
    const output = name === '' ? '…' : name
    return `Let the template of the environment give the value as an output, and read \`environment.outputs.${output}\`.`
  }
  if (root === 'environment') return `Write \`environment.outputs.${second}\`.`
  if (root === 'service_instance' && second === 'outputs') {
    return 'Use what CloudFormation has for its own resources: `!Ref`, `!GetAtt`. Only a pipeline sees outputs of instances.'
  }
  if (root === 'service_instance' || root === 'pipeline') return `Write \`${root}.inputs.${second}\`.`
  if (root === 'service_instances') {
    const end = third === 'spec' ? (path[3] ?? '…') : third
    return `Write \`service_instances[…].inputs.${end}\`, or \`.outputs.${end}\` for an output of the instance.`
  }
  return 'Read another name, or give it a `default`.'
}
