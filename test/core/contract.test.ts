import { describe, expect, test } from 'vitest'
import { checkContracts } from '../../src/core/contract.ts'
import { isMap } from '../../src/core/data.ts'
import { readOrganisation } from '../../src/core/organisation.ts'
import type { Problem } from '../../src/core/problem.ts'
import { environmentContext, renderStack } from '../../src/core/render.ts'
import { brief, lines, manifest, organisationFiles, schemaFile, treeOf } from './trees.ts'

const environmentFile = 'templates/net/v1/infrastructure/cloudformation.yaml'
const instanceFile = 'templates/web/v1/instance_infrastructure/cloudformation.yaml'
const pipelineFile = 'templates/web/v1/pipeline_infrastructure/cloudformation.yaml'

const base = {
  ...organisationFiles,
  [environmentFile]: lines(`
    Resources: {}
    Outputs:
      VpcId: { Value: '{{ environment.inputs.cidr }}' }
    {%- if environment.name == 'prod' %}
      AlarmTopicArn: { Value: a }
    {%- endif %}
  `),
}

/** The problems of an organisation, each environment given out as it renders. */
function problemsOf(...changes: readonly Readonly<Record<string, string | undefined>>[]): readonly Problem[] {
  const organisation = readOrganisation(treeOf(base, ...changes), () => undefined)
  if (!organisation.ok) throw new Error(organisation.problems.map(({ message }) => message).join('\n'))
  const environments = organisation.value.units.flatMap((unit) => {
    const [part] = unit.bundle.parts
    if (unit.kind !== 'environment' || part === undefined) return []
    const stack = renderStack(
      unit.bundle,
      part,
      environmentContext({ name: unit.environment.name, inputs: unit.inputs }),
    )
    const outputs = stack.ok ? stack.value.body['Outputs'] : undefined
    return [{ unit, names: isMap(outputs) ? Object.keys(outputs) : [] }]
  })
  return checkContracts(organisation.value, environments).problems
}

function instance(text: string): Readonly<Record<string, string>> {
  return { [instanceFile]: `Resources: {}\n${text}` }
}

describe('outputs that a service template reads', () => {
  test('are all given: nothing to say', () => {
    expect(problemsOf(instance('# {{ environment.outputs.VpcId }}'))).toEqual([])
  })

  test('and no environment gives are an error, with both places and the nearest name', () => {
    const [problem, ...others] = problemsOf(
      instance('# {{ environment.outputs.VpcID }}\n# {{ environment.outputs["VpcID"] }}'),
    )
    expect(others).toEqual([])
    expect(problem).toMatchObject({
      code: 'contract-output-missing',
      severity: 'error',
      message:
        'The template reads the output "VpcID" of its environment, and net@1.0.0 does not give it. Did you mean "VpcId"?',
      expected: '`VpcId`.',
      at: { file: instanceFile, line: 2, column: 6 },
      related: [
        { at: { file: environmentFile, line: 2 }, note: 'what net@1.0.0 gives' },
        { at: { file: 'templates/web/v1/.compatible-envs', line: 1 } },
        { at: { file: instanceFile, line: 3 }, note: 'read here too' },
      ],
    })
  })

  test('and only some environments give are told for those that do not', () => {
    expect(problemsOf(instance('# {{ environment.outputs.AlarmTopicArn }}')).map(({ message }) => message)).toEqual([
      'The template reads the output "AlarmTopicArn" of its environment, and net@1.0.0 does not give it in dev.',
    ])
  })

  test.each([
    "{{ environment.outputs.Zone | default('') }}",
    '{% if environment.outputs.Zone is defined %}{{ environment.outputs.Zone }}{% endif %}',
    "{{ environment.outputs.get('Zone', '') }}",
    "{{ environment.outputs.Zone if 'Zone' in environment.outputs else '' }}",
  ])('may be missing where the template provides for it: %s', (text) => {
    expect(problemsOf(instance(`# ${text}`))).toEqual([])
  })

  test('are looked for in every compatible environment template, also if no environment uses it', () => {
    const other = {
      'templates/web/v1/.compatible-envs': 'net:1\nmesh:3\n',
      'templates/mesh/v3/schema/schema.yaml': schemaFile(
        'environment',
        'properties:\n  zones: { type: integer, default: 2 }',
      ),
      'templates/mesh/v3/infrastructure/manifest.yaml': manifest,
      'templates/mesh/v3/infrastructure/cloudformation.yaml': 'Resources: {}\nOutputs:\n  VPC: { Value: x }\n',
    }
    const [problem] = problemsOf(other, instance('# {{ environment.outputs.VpcId }}'))
    expect(problem).toMatchObject({
      code: 'contract-output-missing',
      message: expect.stringContaining('mesh@3.0.0 does not give it'),
      related: [
        { at: { file: 'templates/mesh/v3/infrastructure/cloudformation.yaml', line: 2 } },
        { at: { file: 'templates/web/v1/.compatible-envs', line: 2 } },
      ],
    })
  })

  test('are read off the text of an unused environment template that needs inputs and has no example', () => {
    const other = {
      'templates/web/v1/.compatible-envs': 'net:1\nmesh:3\n',
      'templates/mesh/v3/schema/schema.yaml': schemaFile(
        'environment',
        'required: [zones]\nproperties:\n  zones: { type: integer }',
      ),
      'templates/mesh/v3/infrastructure/manifest.yaml': manifest,
      'templates/mesh/v3/infrastructure/cloudformation.yaml':
        'Resources: {}\nOutputs:\n{% if environment.inputs.zones > 2 %}\n  VpcId:\n    Value: x\n{% endif %}\n',
    }
    expect(problemsOf(other, instance('# {{ environment.outputs.VpcId }}'))).toEqual([])
    expect(brief(problemsOf(other, instance('# {{ environment.outputs.Value }}')))).toEqual([
      `contract-output-missing ${instanceFile}:2`,
      `contract-output-missing ${instanceFile}:2`,
    ])
  })

  test('are the inputs of an environment that the customer manages', () => {
    const given = {
      'templates/web/v1/.compatible-envs': 'net:1\ngiven:1\n',
      'templates/given/v1/schema/schema.yaml': schemaFile('environment', 'properties:\n  VpcId: { type: string }'),
    }
    expect(problemsOf(given, instance('# {{ environment.outputs.VpcId }}'))).toEqual([])
    const [problem] = problemsOf(
      given,
      instance('# {{ environment.outputs.AlarmTopicArn | default(1) }}{{ environment.outputs.Vpc }}'),
    )
    expect(problem?.message).toContain('"Vpc"')
  })

  test('are held against the environments of its services where the template names none that it runs in', () => {
    const any = { 'templates/web/v1/.compatible-envs': undefined }
    expect(brief(problemsOf(any, instance('# {{ environment.outputs.Zone }}')))).toEqual([
      `contract-output-missing ${instanceFile}:2`,
    ])
    expect(
      problemsOf(any, { 'services/checkout/service.yaml': undefined }, instance('# {{ environment.outputs.Zone }}')),
    ).toEqual([])
  })

  test('of the instances are those that the instance template has, for a pipeline', () => {
    const texts = {
      [instanceFile]: 'Resources: {}\nOutputs:\n  Url: { Value: x }\n',
      [pipelineFile]:
        'Resources: {}\n# {% for i in service_instances %}{{ i.outputs.Url }}{{ i.outputs.Uri }}{{ i.environment.outputs.Zone }}{% endfor %}',
    }
    expect(problemsOf(texts).map(({ message }) => message)).toEqual([
      'The pipeline reads the output "Uri" of its instances, and their template does not give it. Did you mean "Url"?',
      'The template reads the output "Zone" of its environment, and net@1.0.0 does not give it.',
    ])
  })
})

describe('inputs that a template reads', () => {
  test.each([
    ['one that the schema does not have', '{{ service_instance.inputs.prot }}', 'error', 'Did you mean "port"?'],
    [
      'one that can never be given',
      '{{ service_instance.inputs.prot | default(1) }}',
      'warning',
      'never has another value',
    ],
    ['one that may be left out', '{{ service_instance.inputs.size }}', 'warning', 'may be left out'],
  ])('%s', (_, text, severity, words) => {
    const problems = problemsOf(instance(`# ${text}`))
    expect(problems).toMatchObject([{ code: 'contract-input-missing', severity, at: { line: 2 } }])
    expect(problems[0]?.message).toContain(words)
  })

  test.each([
    '{{ service_instance.inputs.port }}',
    '{{ service_instance.inputs.env.ANYTHING }}',
    "{{ service_instance.inputs.size | default('small') }}",
    '{% if service_instance.inputs.size is defined and service_instance.inputs.size == "large" %}{% endif %}',
  ])('that are there, or provided for: %s', (text) => {
    expect(problemsOf(instance(`# ${text}`))).toEqual([])
  })

  test('inside of maps and lists whose parts the schema describes', () => {
    const schema = {
      'templates/web/v1/schema/schema.yaml': `${organisationFiles['templates/web/v1/schema/schema.yaml']}`.replace(
        '        port:',
        '        ports: { type: array, default: [], items: { type: object, properties: { number: { type: integer } } } }\n        port:',
      ),
    }
    const text = '# {% for p in service_instance.inputs.ports %}{{ p.number }}{{ p.nubmer }}{% endfor %}'
    expect(problemsOf(schema, instance(text))).toMatchObject([
      { message: expect.stringContaining('`service_instance.inputs.ports[…].nubmer`'), expected: '`number`.' },
    ])
  })

  test('of an environment and of a pipeline', () => {
    const texts = {
      [environmentFile]: 'Resources: {}\n# {{ environment.inputs.cdir }}\n',
      [pipelineFile]: 'Resources: {}\n# {{ pipeline.inputs.dockerfil }}{{ service_instances[0].inputs.prot }}\n',
    }
    expect(problemsOf(texts).map(({ at, expected }) => `${at?.file}:${at?.column} ${expected}`)).toEqual([
      `${environmentFile}:6 \`cidr\`.`,
      `${pipelineFile}:6 \`dockerfile\`.`,
      `${pipelineFile}:37 \`port\`.`,
    ])
  })
})

describe('names that a template does not see', () => {
  test.each([
    ['environment.inputs in an instance', instanceFile, 'environment.inputs.cidr', 'read `environment.outputs.cidr`'],
    ['outputs in an environment', environmentFile, 'environment.outputs.x', '`!GetAtt`'],
    ['the account in an environment', environmentFile, 'environment.account_id', 'AWS::AccountId'],
    ['a name of the preview', instanceFile, 'service_name', '`service.name`'],
    ['the source of the preview', instanceFile, 'source.branch', '`service.branch_name`'],
    ['an environment of the preview', instanceFile, 'environment.VpcId', '`environment.outputs.VpcId`'],
    [
      'an environment of the preview, in its own template',
      environmentFile,
      'environment.cidr',
      '`environment.inputs.cidr`',
    ],
    ['an input of the preview', instanceFile, 'service_instance.port', '`service_instance.inputs.port`'],
    ['an input of a pipeline in the preview', pipelineFile, 'pipeline.dockerfile', '`pipeline.inputs.dockerfile`'],
    ['instances of the preview', pipelineFile, 'service_instances[0].spec.port', '`service_instances[…].inputs.port`'],
    ['the environment in a pipeline', pipelineFile, 'environment.name', 'default'],
    ['own outputs', instanceFile, 'service_instance.outputs.Url', '`!GetAtt`'],
    ['a slip', instanceFile, 'enviroment.name', '`environment`'],
    ['anything else', instanceFile, 'region', '`default`'],
  ])('%s', (_, file, reference, remedy) => {
    const problems = problemsOf({ [file]: `Resources: {}\n# {{ ${reference} }}\n` })
    expect(brief(problems)).toEqual([`contract-namespace ${file}:2`])
    expect(problems[0]?.remedy).toContain(remedy)
  })

  test.each([
    "{{ region | default('x') }}",
    '{% set region = 1 %}{{ region }}',
    '{% if service_instance.outputs is defined %}{{ service_instance.outputs.Url }}{% endif %}',
    '{{ service_instance.components.default.outputs | length }}{{ service_instance.environment.name }}',
    '{{ service.repository_id }}{{ service.branch_name }}{{ environment.account_id }}',
  ])('are fine where the template sets them or provides for their absence: %s', (text) => {
    expect(problemsOf(instance(`# ${text}`))).toEqual([])
  })

  test('a template that cannot be read is told of, although no service uses it', () => {
    const unused = { 'services/checkout/service.yaml': undefined }
    expect(brief(problemsOf(unused, instance('{% if %}')))).toEqual([`template-syntax ${instanceFile}:2`])
  })
})
