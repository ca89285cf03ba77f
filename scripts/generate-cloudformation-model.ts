/**
 * Writes `test/fakes/cloudformation/model.generated.json`: what AWS's own models say of the operations of CloudFormation, STS
 * and of the services that failures are looked up in, as far as this project uses them. They are cut from `botocore`, which is fetched into a temporary folder, by pip, and only if
 * the cut is not current.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const version = '1.44.8'

/** By service; the file of its model inside of botocore's `data`. */
const services = {
  cloudformation: {
    file: 'cloudformation/2010-05-15/service-2.json',
    operations: [
      'CancelUpdateStack',
      'ContinueUpdateRollback',
      'CreateChangeSet',
      'CreateStack',
      'DeleteChangeSet',
      'DeleteStack',
      'DescribeAccountLimits',
      'DescribeChangeSet',
      'DescribeEvents',
      'DescribeStackDriftDetectionStatus',
      'DescribeStackEvents',
      'DescribeStackResource',
      'DescribeStackResourceDrifts',
      'DescribeStackResources',
      'DescribeStacks',
      'DetectStackDrift',
      'ExecuteChangeSet',
      'GetStackPolicy',
      'GetTemplate',
      'GetTemplateSummary',
      'ListChangeSets',
      'ListExports',
      'ListImports',
      'ListStackResources',
      'ListStacks',
      'RollbackStack',
      'SetStackPolicy',
      'UpdateStack',
      'UpdateTerminationProtection',
      'ValidateTemplate',
    ],
  },
  sts: {
    file: 'sts/2011-06-15/service-2.json',
    operations: ['AssumeRole', 'AssumeRoleWithWebIdentity', 'GetCallerIdentity'],
  },
  iam: { file: 'iam/2010-05-08/service-2.json', operations: ['GetRole'] },
  elasticloadbalancing: { file: 'elbv2/2015-12-01/service-2.json', operations: ['DescribeTargetHealth'] },
  ecs: {
    file: 'ecs/2014-11-13/service-2.json',
    operations: ['DescribeServices', 'DescribeTaskDefinition', 'DescribeTasks', 'ListTasks'],
  },
  logs: { file: 'logs/2014-03-28/service-2.json', operations: ['DescribeLogStreams', 'GetLogEvents'] },
  cloudtrail: { file: 'cloudtrail/2013-11-01/service-2.json', operations: ['LookupEvents'] },
  lambda: { file: 'lambda/2015-03-31/service-2.json', operations: ['GetFunctionConfiguration'] },
} as const

type Value = string | number | boolean | null | readonly Value[] | Fields
type Fields = { readonly [key: string]: Value }

/** Prints the models as one JSON: `{ "<file>": <model> }`. */
const reader = (from: string): string => `
import gzip, json, sys
${from}
print(json.dumps({name: json.loads(gzip.decompress(read(name + '.gz'))) for name in sys.argv[2:]}))
`
const fromWheel = reader(
  "import glob, zipfile\nwheel = zipfile.ZipFile(glob.glob(sys.argv[1] + '/*.whl')[0])\nread = lambda name: wheel.read('botocore/data/' + name)",
)
const fromInstalled = reader(
  "import botocore\nif botocore.__version__ != sys.argv[1]: sys.exit(3)\nread = lambda name: open(botocore.__path__[0] + '/data/' + name, 'rb').read()",
)
const files = Object.values(services).map(({ file }) => file)
const output = join(import.meta.dirname, '../test/fakes/cloudformation/model.generated.json')

if (import.meta.main && !isCurrent()) {
  const folder = mkdtempSync(join(tmpdir(), 'protium-botocore-'))
  try {
    const download = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--dest', folder]
    execFileSync('python3', [...download, `botocore==${version}`], { stdio: ['ignore', 'ignore', 'inherit'] })
    const text = execFileSync('python3', ['-c', fromWheel, folder, ...files], { encoding: 'utf8', maxBuffer: 2 ** 26 })
    writeFileSync(output, cut(JSON.parse(text)))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Whether the cut was written by this very program from the version that it names. */
export function isCurrent(): boolean {
  if (!existsSync(output)) return false
  const { madeBy }: { madeBy?: string } = JSON.parse(readFileSync(output, 'utf8'))
  return madeBy === digest(readFileSync(import.meta.filename, 'utf8'))
}

/** The cut made anew, where a Python has that very version of botocore installed. */
export function cutOfInstalled(python: string): string | undefined {
  try {
    const text = execFileSync(python, ['-c', fromInstalled, version, ...files], {
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return cut(JSON.parse(text))
  } catch {
    return undefined
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function cut(models: Readonly<Record<string, Fields>>): string {
  const cuts = Object.entries(services).map(([name, { file, operations }]): [string, Value] => {
    const model = models[file]
    if (model === undefined) throw new Error(`botocore has no ${file}`)
    return [name, { ...cutService(model, operations), digest: digest(JSON.stringify(model)) }]
  })
  return `${JSON.stringify({
    source: `botocore ${version}, data/{${files.join(',')}} (AWS's own descriptions of its services)`,
    licence: 'Apache-2.0, Copyright Amazon.com, Inc. or its affiliates',
    generator: 'scripts/generate-cloudformation-model.ts',
    madeBy: digest(readFileSync(import.meta.filename, 'utf8')),
    services: Object.fromEntries(cuts),
  })}\n`
}

function cutService(model: Fields, wanted: readonly string[]): Fields {
  const metadata = fields(model['metadata'])
  const shapes = fields(model['shapes'])
  const reached = new Set<string>()
  const reach = (name: string): void => {
    if (reached.has(name)) return
    reached.add(name)
    const shape = fields(shapes[name])
    for (const member of Object.values(fields(shape['members'] ?? {}))) reach(text(fields(member)['shape']))
    for (const key of ['member', 'key', 'value']) if (shape[key] !== undefined) reach(text(fields(shape[key])['shape']))
  }
  const operations = wanted.map((name): [string, Value] => {
    const operation = fields(fields(model['operations'])[name])
    const { input, output: answer, errors } = operation
    const names = list(errors ?? []).map((error) => text(fields(error)['shape']))
    if (input !== undefined) reach(text(fields(input)['shape']))
    if (answer !== undefined) reach(text(fields(answer)['shape']))
    for (const error of names) reach(error)
    return [
      name,
      {
        ...(input === undefined ? {} : { input: text(fields(input)['shape']) }),
        ...(answer === undefined
          ? {}
          : {
              output: text(fields(answer)['shape']),
              ...(fields(answer)['resultWrapper'] === undefined
                ? {}
                : { wrapper: text(fields(answer)['resultWrapper']) }),
            }),
        errors: names,
        // Of a service that is asked by paths.
        ...(metadata['protocol'] === 'rest-json' ? { http: fields(fields(operation)['http']) } : {}),
      },
    ]
  })
  return {
    version: text(metadata['apiVersion']),
    protocol: text(metadata['protocol']),
    ...(metadata['xmlNamespace'] === undefined ? {} : { namespace: text(metadata['xmlNamespace']) }),
    ...(metadata['targetPrefix'] === undefined ? {} : { target: text(metadata['targetPrefix']) }),
    operations: Object.fromEntries(operations),
    shapes: Object.fromEntries(
      [...reached].toSorted().map((name) => [name, withoutProse(fields(shapes[name]))] as const),
    ),
  }
}

/** The shape without what only people read. */
function withoutProse(value: Fields): Fields {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]): [string, Value][] => {
      if (key === 'documentation' && typeof inner === 'string') return []
      const plain = typeof inner !== 'object' || inner === null || isList(inner)
      return [[key, plain ? inner : withoutProse(inner)]]
    }),
  )
}

function fields(value: Value | undefined): Fields {
  if (value === undefined || value === null || typeof value !== 'object' || isList(value)) {
    throw new Error(`The model has ${JSON.stringify(value)} where something with fields was expected`)
  }
  return value
}

function text(value: Value | undefined): string {
  if (typeof value !== 'string') throw new Error(`The model has ${JSON.stringify(value)} where a text was expected`)
  return value
}

function list(value: Value): readonly Value[] {
  if (!isList(value)) throw new Error(`The model has ${JSON.stringify(value)} where a list was expected`)
  return value
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}
