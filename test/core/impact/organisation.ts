import type { Consumer } from '../../../src/core/impact.ts'
import { impactOf, renderConsumer } from '../../../src/core/impact.ts'
import type { Opened } from '../../../src/core/organisation.ts'
import { openOrganisation } from '../../../src/core/organisation.ts'
import type { FileTree } from '../../../src/core/tree.ts'
import { lines, organisationFiles, schemaFile, treeOf } from '../trees.ts'

export type Files = Readonly<Record<string, string | undefined>>

export const now = new Date('2026-11-25T12:00:00Z')
export const webFile = 'templates/web/v1/instance_infrastructure/cloudformation.yaml'
export const webSchema = 'templates/web/v1/schema/schema.yaml'
export const netFile = 'templates/net/v1/infrastructure/cloudformation.yaml'

/** A service with a queue and a group of logs that hold data, and a role of its own for each size. */
export const web = lines(`
  Resources:
    Queue:
      Type: AWS::SQS::Queue
      Properties:
        VisibilityTimeout: {{ service_instance.inputs.port }}
    Logs:
      Type: AWS::Logs::LogGroup
      Properties:
        LogGroupName: /acme/{{ service.name }}
        RetentionInDays: 30
    Parameter:
      Type: AWS::SSM::Parameter
      Properties:
        Type: String
        Value: {{ environment.outputs.VpcId }}
`)

export const net = lines(`
  Resources:
    Vpc:
      Type: AWS::EC2::VPC
      Properties:
        CidrBlock: {{ environment.inputs.cidr }}
  Outputs:
    VpcId: { Value: !Ref Vpc }
    Cidr: { Value: {{ environment.inputs.cidr }} }
`)

export const catalogFiles: Files = {
  ...organisationFiles,
  'templates/net/template.yaml': 'kind: environment\nversions: { v1: 1.0.0 }\n',
  [netFile]: net,
  [webFile]: web,
  [webSchema]: schemaFile(
    'service',
    lines(`
      properties:
        port: { type: integer, default: 80, minimum: 1, maximum: 65535 }
        size: { type: string, enum: [small, large] }
    `),
  ),
  'templates/web/v1/pipeline_infrastructure/manifest.yaml': undefined,
  'templates/web/v1/pipeline_infrastructure/cloudformation.yaml': undefined,
}

/** The same catalog with another version of the service template: what is replaced in it, and what it is called. */
export function webAt(version: string, change: (text: string) => string = (text) => text): Files {
  return {
    'templates/web/template.yaml': `kind: service\nversions: { v1: ${version} }\n`,
    [webFile]: change(web),
  }
}

export function opened(...changes: readonly Files[]): Opened {
  return openedWith(new Map(), ...changes)
}

/** With versions that were released, by `name@x.y.z`. */
export function openedWith(released: ReadonlyMap<string, FileTree>, ...changes: readonly Files[]): Opened {
  const read = openOrganisation(
    treeOf(catalogFiles, ...changes),
    (template, version) => released.get(`${template}@${version}`),
    [...released.keys()],
  )
  if (read.opened === undefined) throw new Error(JSON.stringify(read.problems))
  return read.opened
}

/** The bundle of a template in a tree, as a release of it would have it. */
export function bundleIn(tree: FileTree, folder: string): FileTree {
  const own = [...tree].filter(([path]) => path.startsWith(`${folder}/`))
  return new Map(own.map(([path, text]) => [path.slice(folder.length + 1), text]))
}

export function serviceOf(name: string, more = '', template = 'web@1.4.2'): Consumer {
  const text = `service: ${name}\ntemplate: ${template}\nowner: storefront\nhosts: [${name}.dev.example.com, ${name}.example.com]\n${more}`
  return { is: 'service', repository: `acme/${name}`, file: 'service.yaml', text }
}

export function impact(before: Opened, after: Opened, consumer: Consumer, version?: string) {
  return impactOf({
    before: renderConsumer(before, consumer, { now }),
    after: renderConsumer(after, consumer, { now, ...(version !== undefined && { version }) }),
  })
}
