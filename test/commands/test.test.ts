import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { test as testTemplates } from '../../src/commands/test.ts'
import { validate } from '../../src/commands/validate.ts'
import { plain } from '../../src/core/report.ts'
import { organisationFiles, treeOf } from '../core/trees.ts'
import type { World } from './ports.ts'
import { run, worldOf } from './ports.ts'

const folder = 'templates/web/v1'
const instance = `${folder}/instance_infrastructure/cloudformation.yaml`
const expectedInstance = `${folder}/examples/small/expected/instance_infrastructure/cloudformation.yaml`
const expectedPipeline = `${folder}/examples/small/expected/pipeline_infrastructure/cloudformation.yaml`
const topic = 'Resources:\n  Topic: { Type: AWS::SNS::Topic, Properties: { KmsMasterKeyId: alias/own, DisplayName: '
const template = `${topic}'{{ service_instance.inputs.port }}' } }\n`

const files: Readonly<Record<string, string>> = {
  ...organisationFiles,
  'templates/net/v1/infrastructure/cloudformation.yaml': `${topic}a } }\nOutputs:\n  Zone: { Value: z }\n`,
  [instance]: template,
  [`${folder}/pipeline_infrastructure/cloudformation.yaml`]: `${topic}b } }\n`,
  [`${folder}/examples/small/inputs.yaml`]: 'port: 81\n',
  [`${folder}/examples/small/context.json`]: '{}',
  [`${folder}/examples/tall/inputs.yaml`]: 'port: 82\n',
}

/** Files that are changed while a test goes on; what a command writes is laid over them. */
let changed: Record<string, string | undefined>
let world: World
beforeEach(() => {
  changed = {}
  world = worldOf(() => treeOf(files, Object.fromEntries(world.written), changed))
})
afterEach(() => world.end())

async function tested(given: Readonly<Record<string, readonly string[]>> = {}) {
  const outcome = await run(testTemplates, world, given)
  const examples: { example: string; outcome: string }[] = JSON.parse(JSON.stringify(outcome.data['examples']))
  return {
    exit: outcome.exit,
    outcomes: examples.map(({ example, outcome: is }) => `${example} ${is}`),
    text: outcome.text(plain),
    problems: (outcome.problems ?? []).map(({ code, at }) => `${code} ${at?.file ?? ''}:${at?.line ?? 0}`),
    next: outcome.next?.map(({ run: words }) => words) ?? [],
    written: outcome.data['written'],
    removed: outcome.data['removed'],
  }
}

describe('protium test, with a skeleton', () => {
  const skeleton = {
    [`${folder}/skeleton/Dockerfile`]: 'EXPOSE {{ service.inputs.port }}\n',
    [`${folder}/skeleton/docs/{{ service.name }}.md`]: '{{ service.owner }}\n',
    [`${folder}/examples/small/context.json`]: '{ "service": { "name": "shop", "owner": "money" } }',
  }

  test('compares its files with those of the example', async () => {
    Object.assign(changed, skeleton)
    const first = await tested({ templates: ['web/small'], update: ['true'] })
    const expected = `${folder}/examples/small/expected/skeleton`
    expect(first.written).toEqual(expect.arrayContaining([`${expected}/Dockerfile`, `${expected}/docs/shop.md`]))
    expect(world.written.get(`${expected}/Dockerfile`)).toBe('EXPOSE 81\n')
    expect(world.written.get(`${expected}/docs/shop.md`)).toBe('money\n')
    changed[`${folder}/skeleton/Dockerfile`] = 'EXPOSE 1\n'
    const { exit, outcomes } = await tested({ templates: ['web/small'] })
    expect([exit, outcomes]).toEqual(['different', ['small different']])
  })

  test('tells what cannot be rendered, as validate does once for all examples', async () => {
    Object.assign(changed, skeleton, { [`${folder}/skeleton/Dockerfile`]: '{{ service.inputs.prot }}\n' })
    const { problems, outcomes } = await tested()
    const place = `undefined-variable ${folder}/skeleton/Dockerfile:1`
    expect(problems).toEqual([place, place])
    expect(outcomes).toEqual(['small broken', 'tall broken'])
    const checked = await run(validate, world, {})
    expect(checked.exit).toBe('bad-input')
    expect((checked.problems ?? []).map(({ code, at }) => `${code} ${at?.file ?? ''}:${at?.line ?? 0}`)).toEqual([
      place,
    ])
  })
})

describe('protium test', () => {
  test('says what is not there yet, and how to write it', async () => {
    const { exit, outcomes, text, next } = await tested()
    expect({ exit, outcomes, next }).toEqual({
      exit: 'different',
      outcomes: ['small different', 'tall different'],
      next: [`test --update --root ${world.folder}`],
    })
    expect(text).toContain(`not there yet  ${expectedInstance}`)
    expect(text).toContain('2 examples: 2 not as expected.')
  })

  test('writes what is rendered as expected, says so, and is content from then on', async () => {
    const { exit, outcomes, written, text } = await tested({ update: ['true'] })
    expect({ exit, outcomes }).toEqual({ exit: 'done', outcomes: ['small updated', 'tall updated'] })
    expect(written).toContain(expectedInstance)
    expect(text).toContain(`wrote    ${expectedPipeline}`)
    expect(world.written.get(expectedInstance)).toBe(
      template.trimEnd().replace('{{ service_instance.inputs.port }}', '81'),
    )
    const again = await tested()
    expect(again).toMatchObject({ exit: 'done', outcomes: ['small same', 'tall same'], problems: [], next: [] })
    expect(again.text).toContain('2 examples render as expected.')
    expect(await tested({ update: ['true'] })).toMatchObject({ exit: 'done', written: [], removed: [] })
  })

  test('shows what a change of the template makes different, for the examples that were named', async () => {
    await tested({ update: ['true'] })
    changed[instance] = template.replace("'{{", "'port {{")
    const { exit, outcomes, text, next } = await tested({ templates: ['web/small'] })
    expect({ exit, outcomes, next }).toEqual({
      exit: 'different',
      outcomes: ['small different'],
      next: [`test web/small --update --root ${world.folder}`],
    })
    expect(text.split('\n').filter((line) => /^[-+]/.test(line))).toEqual([
      `--- ${expectedInstance}`,
      '+++ rendered now',
      expect.stringMatching(/^-.*DisplayName: '81'/),
      expect.stringMatching(/^\+.*DisplayName: 'port 81'/),
    ])
    expect(text).toContain('cloudformation.yaml changed')
  })

  test('removes an expected file that nothing renders any more', async () => {
    await tested({ update: ['true'] })
    const stray = `${folder}/examples/small/expected/old.yaml`
    changed[stray] = 'x'
    expect(await tested()).toMatchObject({ exit: 'different', outcomes: ['small different', 'tall same'] })
    expect(await tested({ update: ['true'] })).toMatchObject({ exit: 'done', written: [], removed: [stray] })
  })

  test('judges what comes out as CloudFormation and by the rules, on the line of the template', async () => {
    changed[instance] =
      `${template}  Open:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      GroupDescription: x\n      VpcId: vpc-1\n      SecurityGroupIngress: [{ IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0 }]\n  Lost: { Type: AWS::SQS::Queue, DependsOn: Nobody }\n`
    const { exit, outcomes, problems } = await tested({ update: ['true'] })
    expect({ exit, outcomes }).toEqual({ exit: 'bad-input', outcomes: ['small broken', 'tall broken'] })
    expect(problems).toContain(`policy-open-ingress ${instance}:8`)
    expect(problems).toContain(`stack-reference ${instance}:9`)
    expect(world.written.size).toBe(0)
  })

  test('tells of the inputs of an example, and still tests the others', async () => {
    changed[`${folder}/examples/small/inputs.yaml`] = 'prot: 81\n'
    expect(await tested()).toMatchObject({
      exit: 'bad-input',
      outcomes: ['tall different'],
      problems: [`unknown-input ${folder}/examples/small/inputs.yaml:1`],
    })
  })

  test('minds only the templates that were named: what else is broken is for validate', async () => {
    changed['templates/net/v1/schema/schema.yaml'] = 'schema: []\n'
    changed['environments/dev.yaml'] = 'nonsense'
    expect(await tested({ templates: ['web'] })).toMatchObject({ exit: 'different', problems: [] })
    expect(await tested({ templates: ['net'] })).toMatchObject({
      exit: 'bad-input',
      problems: [expect.stringContaining('templates/net/v1/schema/schema.yaml')],
    })
  })

  test.each([
    ['wep', 'There is no template "wep". Did you mean "web"?'],
    ['web/smal', 'There is no example "web/smal". Did you mean "web/small"?'],
  ])('knows nothing of %s', async (word, message) => {
    const { exit, problems } = await run(testTemplates, world, { templates: [word] })
    expect({ exit, messages: problems?.map((each) => each.message) }).toEqual({
      exit: 'bad-input',
      messages: [message],
    })
  })

  test('is content with a template without examples, and says what one is', async () => {
    const { exit, text } = await tested({ templates: ['net'] })
    expect(exit).toBe('done')
    expect(text).toContain('There is no example.')
  })
})

describe('protium validate', () => {
  test('holds templates to their contracts, each thing told once although services meet it too', async () => {
    changed[instance] = template.replace('service_instance.inputs.port', 'environment.outputs.Zoen')
    changed[`${folder}/.compatible-envs`] = 'net:1\n'
    const { exit, problems = [] } = await run(validate, world, { path: ['.'] })
    expect(exit).toBe('bad-input')
    const errors = problems.filter(({ severity }) => severity === 'error')
    expect(errors.map(({ code, at }) => `${code} ${at?.file}:${at?.line}`)).toEqual([
      `contract-output-missing ${instance}:2`,
    ])
  })

  test('judges examples by the rules of the catalog, and lets a waiver for the template count', async () => {
    await tested({ update: ['true'] })
    changed['catalog.yaml'] =
      `${files['catalog.yaml'] ?? ''}policy: { rules: [{ name: named, resources: AWS::SNS::Topic, property: DisplayName, none_of: ["82"] }] }\n`
    expect(await tested()).toMatchObject({
      outcomes: ['small same', 'tall broken'],
      problems: [`policy-rule ${instance}:2`],
    })
    changed['waivers/tall.yaml'] =
      'rule: named\ntemplate: web\nowner: ana\nreason: For this test alone.\nexpires: 2026-11-23\n'
    expect(await tested()).toMatchObject({ outcomes: ['small same', 'tall same'], problems: [] })
    changed['waivers/tall.yaml'] = changed['waivers/tall.yaml'].replace('11-23', '11-22')
    expect(await tested()).toMatchObject({ problems: [`waiver-expired ${instance}:2`] })
  })
})

describe('protium test, with migrations', () => {
  const at = 'templates/web/migrations/1.4.2.yaml'
  const example = (after: string): string =>
    `inputs:\n  - rename: { from: prot, to: port }\nexamples:\n  - { before: { prot: 1 }, after: { ${after} } }\n`

  test('tries their examples, as validate does', async () => {
    changed[at] = example('port: 2')
    expect((await tested()).problems).toEqual([`migration-example ${at}:4`])
    expect((await tested({ templates: ['web/small'], update: ['true'] })).problems).toEqual([])
    const checked = await run(validate, world, {})
    expect((checked.problems ?? []).map(({ code }) => code)).toContain('migration-example')
    changed[at] = example('port: 1')
    const { problems, text } = await tested({ update: ['true'] })
    expect(problems).toEqual([])
    expect(text).toContain('1 example of migrations comes out as written.')
  })

  test('says what is wrong in one, and not that there are no examples', async () => {
    changed[at] = 'inputs: [{ renam: { from: a, to: b } }]\n'
    const { problems, text } = await tested()

    expect(problems).toEqual([`unknown-key ${at}:1`])
    expect(text).not.toContain('There is no example')
  })
})
