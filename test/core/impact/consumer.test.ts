import { describe, expect, test } from 'vitest'
import { consumerReference, impactOf, renderConsumer } from '../../../src/core/impact.ts'
import { readOrganisation } from '../../../src/core/organisation.ts'
import { renderAll } from '../../../src/core/rendering.ts'
import { renderedDigest } from '../../../src/core/rendering.ts'
import { brief, schemaFile, treeOf } from '../trees.ts'
import {
  catalogFiles,
  impact,
  net,
  netFile,
  now,
  opened,
  openedWith,
  serviceOf,
  web,
  webAt,
  webFile,
  webSchema,
} from './organisation.ts'

const checkout = serviceOf('checkout', 'inputs: { port: 30 }\n')

describe('a consumer by itself', () => {
  test('renders as it does among all others', () => {
    const file = 'services/checkout/service.yaml'
    const text = `service: checkout\ntemplate: web@1.4.2\nhosts: [checkout.dev.example.com, checkout.example.com]\n`
    const whole = readOrganisation(treeOf(catalogFiles, { [file]: text }), () => undefined)
    if (!whole.ok) throw new Error(JSON.stringify(whole.problems))
    const together = renderAll(whole.value.units).rendered.map((one) => [one.unit.id, renderedDigest(one)])
    const alone = renderConsumer(opened(), { is: 'service', file, text }, { now })
    expect(alone.ok && alone.value.units.map(({ unit, rendered }) => [unit, rendered])).toEqual(
      together.filter(([unit]) => unit?.startsWith('checkout/')),
    )
  })

  test('is judged although another one is broken, and breaks none itself', () => {
    const catalog = opened()
    const broken = renderConsumer(catalog, { ...checkout, text: 'service: [\n' }, { now })
    const unknown = renderConsumer(catalog, serviceOf('other', '', 'wbe@1.4.2'), { now })
    expect(broken.ok).toBe(false)
    expect(brief(unknown.problems)).toEqual(['unknown-template service.yaml:2'])
    expect(renderConsumer(catalog, checkout, { now }).ok).toBe(true)
  })

  test.each([
    ['an environment that cannot be read', { 'environments/dev.yaml': 'environment: dev\ntemplate: net\n' }],
    [
      'an environment of a version that is not there',
      { 'environments/dev.yaml': (catalogFiles['environments/dev.yaml'] ?? '').replace('1.0.0', '1.9.0') },
    ],
    [
      'an environment that does not render',
      { [netFile]: net.replace('environment.inputs.cidr', 'environment.inputs.cdir') },
    ],
    ['its own template, which cannot be read', { [webSchema]: 'schema: [\n' }],
  ])('is told of what stands in its way: %s', (_, change) => {
    const read = renderConsumer(opened(change), checkout, { now })
    expect(read.ok).toBe(false)
    expect(read.problems.filter(({ severity }) => severity === 'error').length).toBeGreaterThan(0)
  })

  test('is not stopped by what is broken in the catalog beside its way', () => {
    const stray = {
      'templates/other/v1/schema/schema.yaml': 'schema: [\n',
      'environments/test.yaml': 'environment: test\n',
    }
    expect(renderConsumer(opened(stray), checkout, { now }).ok).toBe(true)
  })

  test('is told each time of a release that is broken, and not the first time alone', () => {
    const catalog = openedWith(new Map([['web@1.0.0', new Map([['schema/schema.yaml', 'schema: [\n']])]]))
    const old = serviceOf('old', '', 'web@1.0.0')
    const first = renderConsumer(catalog, old, { now })
    expect(first.problems.length).toBeGreaterThan(0)
    expect(renderConsumer(catalog, old, { now }).problems).toEqual(first.problems)
  })

  test('renders at another version than its file names, its places still those of its file', () => {
    const after = renderConsumer(opened(webAt('1.5.0')), checkout, { now, version: '1.5.0' })
    expect(after.ok && after.value.template).toBe('web@1.5.0')
    const missing = renderConsumer(opened(), checkout, { now, version: '9.0.0' })
    expect(brief(missing.problems)).toEqual(['unknown-version service.yaml:2'])
  })

  test.each([
    ['nothing', webAt('1.5.0'), 2],
    ['all of it', webAt('1.5.0', (text) => text.replace('30', '90')), 0],
    ['one stage', webAt('1.5.0', (text) => text.replace('30', "{{ 90 if environment.name == 'prod' else 30 }}")), 1],
    [
      'its environment, another account',
      {
        'environments/dev.yaml': (catalogFiles['environments/dev.yaml'] ?? '').replace('111111111111', '333333333333'),
      },
      1,
    ],
    ['its environment, another output', { [netFile]: net.replace('!Ref Vpc', 'vpc-1') }, 0],
  ])('comes to the same where what stays as it was is not looked at again: %s', (_, change, kept) => {
    const first = renderConsumer(opened(), checkout, { now })
    if (!first.ok) throw new Error('it renders')
    const [after, version] = [opened(change), 'templates/web/template.yaml' in change ? { version: '1.5.0' } : {}]
    const quick = renderConsumer(after, checkout, { now, ...version, same: first.value })
    const whole = renderConsumer(after, checkout, { now, ...version })
    expect(impactOf({ before: first, after: quick })).toEqual(impactOf({ before: first, after: whole }))
    expect(quick.ok && quick.value.units.map(({ rendered, outputs }) => [rendered, outputs])).toEqual(
      whole.ok && whole.value.units.map(({ rendered, outputs }) => [rendered, outputs]),
    )
    const reused = quick.ok ? quick.value.units.filter((unit) => first.value.units.includes(unit)) : []
    expect(reused).toHaveLength(kept)
  })

  test('says what it runs, whatever else its file says', () => {
    expect(consumerReference(checkout)).toEqual({ template: 'web', version: '1.4.2' })
    expect(consumerReference({ file: 'service.yaml', text: 'template: web\n' })).toBeUndefined()
    expect(consumerReference({ file: 'service.yaml', text: '\u0000' })).toBeUndefined()
    expect(consumerReference({ file: 'service.yaml', text: '- a\n' })).toBeUndefined()
  })
})

describe('what becomes of a consumer', () => {
  const before = opened()

  test('nothing, where what is rendered is the same', () => {
    const result = impact(before, opened(webAt('1.5.0')), checkout, '1.5.0')
    expect(result.is).toBe('unchanged')
    expect(result.stages.map(({ unit, is }) => `${unit} ${is}`)).toEqual([
      'checkout/dev unchanged',
      'checkout/prod unchanged',
    ])
  })

  test('the change list of a plan, stage by stage', () => {
    const after = opened(webAt('1.5.0', (text) => text.replace('RetentionInDays: 30', 'RetentionInDays: 90')))
    const result = impact(before, after, checkout, '1.5.0')
    expect(result.is).toBe('changed')
    expect(result.stages[0]).toMatchObject({
      stage: 'dev',
      changes: [{ logicalId: 'Logs', action: 'update', properties: [{ path: 'Properties.RetentionInDays' }] }],
      losses: [],
    })
  })

  test('a resource that would be replaced, with what it holds', () => {
    const after = opened(webAt('1.5.0', (text) => text.replace('/acme/', '/acme/logs/')))
    const result = impact(before, after, checkout, '1.5.0')
    expect(result.is).toBe('replaces')
    expect(result.stages.map(({ losses }) => losses)).toEqual([
      [
        {
          logicalId: 'Logs',
          type: 'AWS::Logs::LogGroup',
          happens: 'replaced',
          because: ['Properties.LogGroupName'],
          retained: false,
          holds: 'logs',
        },
      ],
      [
        {
          logicalId: 'Logs',
          type: 'AWS::Logs::LogGroup',
          happens: 'replaced',
          because: ['Properties.LogGroupName'],
          retained: false,
          holds: 'logs',
        },
      ],
    ])
  })

  test('resources that would be deleted, those with data first', () => {
    const after = opened(
      webAt('1.5.0', () => 'Resources:\n  Queue: { Type: AWS::SQS::Queue, Properties: { VisibilityTimeout: 30 } }\n'),
    )
    const result = impact(before, after, checkout, '1.5.0')
    expect(result.is).toBe('replaces')
    expect(result.stages[0]?.losses.map(({ logicalId, happens, holds }) => [logicalId, happens, holds])).toEqual([
      ['Logs', 'deleted', 'logs'],
      ['Parameter', 'deleted', undefined],
    ])
  })

  test.each([
    [
      'a new required input',
      schemaFile(
        'service',
        'properties: { port: { type: integer, default: 80 }, team: { type: string } }\nrequired: [team]',
      ),
      'missing-input',
    ],
    ['an input that was removed', schemaFile('service', 'properties: { size: { type: string } }'), 'unknown-input'],
    [
      'a narrower input',
      schemaFile('service', 'properties: { port: { type: integer, minimum: 1024, default: 1024 } }'),
      'input-value',
    ],
  ])('it needs an input: %s', (_, schema, code) => {
    const after = opened({
      ...webAt('2.0.0'),
      'templates/web/template.yaml': 'kind: service\nversions: { v1: 1.5.0 }\n',
      [webSchema]: schema,
    })
    const result = impact(before, after, checkout, '1.5.0')
    expect(result.is).toBe('needs-input')
    expect(result.problems.map((problem) => problem.code)).toContain(code)
  })

  test('it does not render', () => {
    const after = opened(webAt('1.5.0', (text) => text.replace('inputs.port', 'inputs.prot')))
    const result = impact(before, after, checkout, '1.5.0')
    expect(result).toMatchObject({ is: 'does-not-render', stages: [] })
    expect(result.problems.map(({ code }) => code)).toContain('undefined-variable')
  })

  test('CloudFormation would refuse it: a resource of another type', () => {
    const after = opened(webAt('1.5.0', (text) => text.replace('AWS::SSM::Parameter', 'AWS::SNS::Topic')))
    const result = impact(before, after, checkout, '1.5.0')
    expect(result.is).toBe('does-not-render')
    expect(result.problems.map(({ code }) => code)).toContain('stack-type')
  })

  test('it breaks a rule that it did not break before, and is not blamed for one that it did', () => {
    const open = (text: string): string =>
      `${text}  Role:\n    Type: AWS::IAM::Role\n    Properties:\n      AssumeRolePolicyDocument: {}\n      Policies:\n        - PolicyName: all\n          PolicyDocument: { Statement: [{ Effect: Allow, Action: '*', Resource: '*' }] }\n`
    const after = opened(webAt('1.5.0', open))
    const result = impact(before, after, checkout, '1.5.0')
    expect(result.is).toBe('breaks-policy')
    expect(result.stages[0]?.broken.map(({ resource }) => resource)).toContain('Role')
    const both = impact(opened({ [webFile]: open(web) }), after, checkout, '1.5.0')
    expect(both.is).toBe('unchanged')
  })

  test('nothing is known of one that is broken already', () => {
    const stale = serviceOf('checkout', 'inputs: { prot: 30 }\n')
    const result = impact(before, opened(webAt('1.5.0')), stale, '1.5.0')
    expect(result.is).toBe('unknown')
    expect(result.problems.map(({ code }) => code)).toEqual(['unknown-input'])
  })

  test('a stage that is new is made, and one that is gone would lose all that is in it', () => {
    const after = renderConsumer(before, serviceOf('checkout'), { now })
    const [, prod] = after.ok ? after.value.units : []
    if (!after.ok || prod === undefined) throw new Error('it renders')
    const less = { ...after, value: { ...after.value, units: [prod] } }
    expect(impactOf({ before: less, after })).toMatchObject({
      is: 'changed',
      stages: [{ unit: 'checkout/dev', is: 'new' }, { is: 'unchanged' }],
    })
    expect(impactOf({ before: after, after: less })).toMatchObject({
      is: 'replaces',
      stages: [{ is: 'unchanged' }, { unit: 'checkout/dev', is: 'gone' }],
    })
  })

  test('a type that the catalog adds to those that hold data is marked too', () => {
    const after = opened(
      webAt('1.5.0', (text) =>
        text.replace('/acme/', '/acme/logs/').replace('Type: String', 'Type: String\n      Name: x'),
      ),
    )
    const result = impactOf({
      before: renderConsumer(before, checkout, { now }),
      after: renderConsumer(after, checkout, { now, version: '1.5.0' }),
      guard: { types: ['AWS::SSM::Parameter'], release: ['AWS::Logs::LogGroup'] },
    })
    expect(result.stages[0]?.losses.map(({ logicalId, holds }) => [logicalId, holds])).toEqual([
      ['Parameter', 'data'],
      ['Logs', undefined],
    ])
  })
})
