import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readTree } from '../../src/adapters/disk.ts'
import { type Bundle, readBundle } from '../../src/core/bundle.ts'
import { type DataMap, isMap, mapOf } from '../../src/core/data.ts'
import { addressOf, readOrganisation, type Unit } from '../../src/core/organisation.ts'
import { subtree } from '../../src/core/paths.ts'
import { checkPolicy } from '../../src/core/policy.ts'
import type { Checked } from '../../src/core/problem.ts'
import { environmentContext, instanceContext, renderStack, type RenderedStack } from '../../src/core/render.ts'
import { checkInputs, inputsAt } from '../../src/core/schema.ts'
import { checkLimits } from '../../src/core/stack/limits.ts'
import { predictOutputs } from '../../src/core/stack/plan.ts'
import { readJson, readYaml } from '../../src/core/yaml.ts'

const root = join(import.meta.dirname, '../..')
const { tree, problems: unread } = await readTree(root, (path) => /^(?:catalog\.yaml$|environments\/|services\/|templates\/)/u.test(path))
const organisation = valueOf(readOrganisation(tree, () => undefined))
const renderings = renderAll()
const examples = renderExamples()

/** The value, or a failure that shows the problems. */
function valueOf<T>(checked: Checked<T>): T {
  if (!checked.ok) throw new Error(checked.problems.map(({ at, message }) => `${at?.file}:${at?.line} ${message}`).join('\n'))
  return checked.value
}

type Rendering = { readonly name: string; readonly stack: RenderedStack; readonly production: boolean }

function rendered(name: string, bundle: Bundle, context: DataMap, production: boolean): Rendering {
  const [part] = bundle.parts
  if (part === undefined) throw new Error(`${bundle.template} has no part`)
  return { name, stack: valueOf(renderStack(bundle, part, context)), production }
}

/** What the stack of an environment would put out, all of it text. */
function outputsOf({ stack }: Rendering, unit: Unit): DataMap {
  const { account, region } = unit.environment
  const wish = { stack: { name: unit.stack, account, region }, body: stack.body, parameters: {}, tags: {} }
  return mapOf(Object.entries(valueOf(predictOutputs(wish, { at: (path) => stack.document.place(path) }))))
}

/** Every unit of the sample, by its id; instances on the outputs of their environment. */
function renderAll(): ReadonlyMap<string, Rendering> {
  const found = new Map<string, Rendering>()
  const outputs = new Map<string, DataMap>()
  for (const unit of organisation.units) {
    const { name, account } = unit.environment
    const production = name === 'prod'
    if (unit.kind === 'environment') {
      const rendering = rendered(unit.id, unit.bundle, environmentContext({ name, inputs: unit.inputs }), production)
      found.set(unit.id, rendering)
      outputs.set(name, outputsOf(rendering, unit))
      continue
    }
    const facts = { name: unit.stage?.name ?? '', inputs: unit.inputs, environment: { name, account, outputs: outputs.get(name) ?? mapOf() } }
    const context = instanceContext({ name: unit.service?.service ?? '' }, facts)
    found.set(unit.id, rendered(unit.id, unit.bundle, context, production))
  }
  return found
}

/** The examples of every template, which try the options that the sample's services do not use. */
function renderExamples(): Rendering[] {
  const bundles = new Map(organisation.units.map(({ bundle }) => [bundle.root, bundle]))
  const lambda = valueOf(
    readBundle(subtree(tree, 'templates/lambda-api/v1'), { template: 'lambda-api', version: '1.0.0', root: 'templates/lambda-api/v1' }),
  )
  bundles.set(lambda.root, lambda)
  return [...bundles.values()].flatMap((bundle) => {
    const cases = [...bundle.files.keys()].flatMap((path) => /^examples\/(?<name>[^/]+)\/inputs\.yaml$/u.exec(path)?.groups?.['name'] ?? [])
    return cases.map((name) => {
      const text = (file: string): string => bundle.files.get(`examples/${name}/${file}`) ?? ''
      const document = valueOf(readYaml(`${bundle.root}/examples/${name}/inputs.yaml`, text('inputs.yaml'), 'own'))
      const context = valueOf(readJson(`${bundle.root}/examples/${name}/context.json`, text('context.json'))).data
      const schema = bundle.schema.service ?? bundle.schema.environment
      if (schema === undefined || !isMap(context) || !isMap(document.data)) throw new Error(`${bundle.root} ${name}`)
      const inputs = valueOf(checkInputs(schema, document.data, inputsAt(document, [])))
      const owner = bundle.kind === 'service' ? 'service_instance' : 'environment'
      const around = context[owner]
      const whole = mapOf([...Object.entries(context), [owner, mapOf([...Object.entries(isMap(around) ? around : {}), ['inputs', inputs]])]])
      const environment = context['environment']
      const outputs = isMap(environment) ? environment['outputs'] : undefined
      const production = bundle.kind === 'service' ? isMap(outputs) && outputs['Production'] === 'true' : inputs['production'] === true
      return rendered(`${bundle.template}-${name}`, bundle, whole, production)
    })
  })
}

/** What a rendering says at a path, or nothing. */
function dig(rendering: Rendering | undefined, ...path: (string | number)[]): unknown {
  let data: unknown = rendering?.stack.body
  for (const step of path) {
    data = typeof data === 'object' && data !== null ? Object.entries(data).find(([key]) => key === String(step))?.[1] : undefined
  }
  return data
}

function variables(id: string): Map<string, unknown> {
  const list = dig(renderings.get(id), 'Resources', 'TaskDefinition', 'Properties', 'ContainerDefinitions', 0, 'Environment')
  return new Map(
    (Array.isArray(list) ? list : []).map((each: unknown) => {
      const { Name: name, Value: value }: Partial<Record<string, unknown>> = typeof each === 'object' && each !== null ? { ...each } : {}
      return [String(name), value] as const
    }),
  )
}

const all = [...renderings.values(), ...examples]

describe('the sample organisation', () => {
  test('is read without a problem: four services in three stages', () => {
    expect(unread).toEqual([])
    expect(organisation.units.map(({ id }) => id)).toEqual([
      'environment/dev',
      'environment/staging',
      'environment/prod',
      ...['checkout', 'inventory', 'receipts', 'storefront'].flatMap((name) => [`${name}/dev`, `${name}/staging`, `${name}/prod`]),
    ])
  })

  test.each(all)('$name keeps the rules and limits', ({ stack, production }) => {
    const at = stack.document.place.bind(stack.document)
    expect(checkPolicy(stack.body, at, { production })).toEqual([])
    expect(checkLimits(stack.body, at)).toEqual([])
  })

  test.each(all)('$name can be evaluated: every reference leads somewhere', ({ stack }) => {
    const wish = { stack: { name: 'sample', account: '111111111111', region: 'ap-northeast-2' }, body: stack.body, parameters: {}, tags: {} }
    expect(predictOutputs(wish).problems).toEqual([])
  })

  test('every rendering passes cfn-lint', ({ skip }) => {
    if (spawnSync('cfn-lint', ['--version']).error !== undefined) skip('cfn-lint is not installed')
    const folder = mkdtempSync(join(tmpdir(), 'protium-sample-'))
    try {
      const files = all.map(({ name, stack }) => {
        const file = `${name.replaceAll('/', '-')}.yaml`
        writeFileSync(join(folder, file), stack.text)
        return file
      })
      const { stdout, stderr, status } = spawnSync('cfn-lint', ['--regions', 'ap-northeast-2', '--', ...files], { cwd: folder, encoding: 'utf8' })
      expect({ stdout, stderr, status }).toEqual({ stdout: '', stderr: '', status: 0 })
    } finally {
      rmSync(folder, { recursive: true })
    }
  }, 180_000)

  test.each(['dev', 'staging', 'prod'])('services of %s find each other at their own addresses', (stage) => {
    const address = (service: string): string => {
      const unit = organisation.units.find(({ id }) => id === `${service}/${stage}`)
      return `https://${unit === undefined ? '' : addressOf(unit)}`
    }
    expect(variables(`storefront/${stage}`).get('INVENTORY_URL')).toBe(address('inventory'))
    expect(variables(`storefront/${stage}`).get('CHECKOUT_URL')).toBe(address('checkout'))
    expect(variables(`inventory/${stage}`).get('CHECKOUT_URL')).toBe(address('checkout'))
    expect(variables(`checkout/${stage}`).get('INVENTORY_URL')).toBe(address('inventory'))
    expect(dig(renderings.get(`checkout/${stage}`), 'Resources', 'Address', 'Properties', 'Name')).toBe(address('checkout').slice('https://'.length))
  })

  test.each(['dev', 'staging', 'prod'])('the work that checkout gives away in %s goes to the queue of the worker', (stage) => {
    const queue = dig(renderings.get(`receipts/${stage}`), 'Resources', 'Queue', 'Properties', 'QueueName')
    const url = variables(`checkout/${stage}`).get('RECEIPTS_QUEUE_URL')
    expect(url).toEqual({ 'Fn::Sub': `https://sqs.\${AWS::Region}.\${AWS::URLSuffix}/\${AWS::AccountId}/${String(queue)}` })
  })

  test.each(['dev', 'staging', 'prod'])('no two addresses of %s claim the same place among the rules', (stage) => {
    const services = organisation.services.filter(({ stages }) => stages.some(({ hosts }) => hosts.length > 0)).map(({ service }) => service)
    const places = services.map((service) => dig(renderings.get(`${service}/${stage}`), 'Resources', 'ListenerRule', 'Properties', 'Priority'))
    expect(places.every((place) => typeof place === 'number' && place >= 1 && place <= 50_000)).toBe(true)
    expect(new Set(places).size).toBe(services.length)
  })

  test('all stages are built alike: dev and staging from the same inputs, prod with differences that say why', () => {
    for (const { service, spec, stages } of organisation.services) {
      // The address is what tells the stages apart.
      const inputs = (stage: string) => ({ ...organisation.units.find(({ id }) => id === `${service}/${stage}`)?.inputs, host: '' })
      expect(inputs('staging')).toEqual(inputs('dev'))
      for (const { stage } of stages) {
        const own = spec.stages.get(stage.name)
        expect(own === undefined || Object.keys(own.inputs).length === 0 || own.because !== undefined).toBe(true)
      }
    }
  })

  test('the Friday sale stands ready with a hundred times the tasks of a quiet day in dev', () => {
    const target = (id: string): unknown => dig(renderings.get(id), 'Resources', 'ScalableTarget', 'Properties')
    expect(target('storefront/prod')).toMatchObject({
      MinCapacity: 4,
      ScheduledActions: [
        { Schedule: 'cron(30 11 ? * FRI *)', Timezone: 'Asia/Seoul', ScalableTargetAction: { MinCapacity: 200, MaxCapacity: 600 } },
        { Schedule: 'cron(0 14 ? * FRI *)', Timezone: 'Asia/Seoul', ScalableTargetAction: { MinCapacity: 4, MaxCapacity: 400 } },
      ],
    })
    expect(target('storefront/dev')).toMatchObject({ MinCapacity: 2 })
  })

  test.each(['checkout', 'inventory'])('the table of %s outlives its stack in production alone', (service) => {
    const policies = (stage: string): unknown[] =>
      ['DeletionPolicy', 'UpdateReplacePolicy'].map((key) => dig(renderings.get(`${service}/${stage}`), 'Resources', 'Table', key))
    expect(policies('prod')).toEqual(['Retain', 'Retain'])
    expect(policies('dev')).toEqual(['Delete', 'Delete'])
  })

  test('a private service lets in only the internal load balancer, a public one only the public one', () => {
    const source = (id: string): unknown => {
      const rules = dig(renderings.get(id), 'Resources', 'SecurityGroup', 'Properties', 'SecurityGroupIngress')
      return Array.isArray(rules) && rules.length === 1 ? dig(renderings.get(id), 'Resources', 'SecurityGroup', 'Properties', 'SecurityGroupIngress', 0, 'SourceSecurityGroupId') : undefined
    }
    expect(source('inventory/prod')).toBe(source('checkout/prod'))
    expect(source('storefront/prod')).not.toBe(source('checkout/prod'))
    expect(source('storefront/prod')).toMatch(/^sg-/u)
  })
})
