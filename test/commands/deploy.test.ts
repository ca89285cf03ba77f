import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { UnitProgress } from '../../src/command.ts'
import { deploy } from '../../src/commands/deploy.ts'
import { plan } from '../../src/commands/plan.ts'
import { status } from '../../src/commands/status.ts'
import { folderRecords } from '../../src/adapters/records.ts'
import { plain } from '../../src/core/report.ts'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Small } from './organisation.ts'
import { bundle, small } from './organisation.ts'
import type { World } from './ports.ts'
import { run, worldOf } from './ports.ts'

const shop: Small = {
  stages: ['dev', 'staging', 'prod'],
  services: { cart: { size: 1, topics: 1 }, mail: { size: 2, topics: 0 } },
  approval: ['prod'],
}

let now: Small = shop
let world: World
beforeEach(() => {
  now = shop
  world = worldOf(() => small(now))
})
afterEach(() => world.end())

async function outcomes(
  given: Readonly<Record<string, readonly string[]>>,
  of: World = world,
): Promise<Readonly<Record<string, unknown>>> {
  const { data, exit } = await run(deploy, of, given)
  const units: { unit?: string; outcome?: string }[] = JSON.parse(JSON.stringify(data['units']))
  return { exit, ...Object.fromEntries(units.map(({ unit, outcome }) => [unit, outcome])) }
}

describe('a deployment that fails', () => {
  const failureOf = async (fail: string): Promise<Readonly<Record<string, unknown>>> => {
    const { data } = await run(deploy, world, { fail: [fail], yes: ['true'] })
    const units: { unit?: string; failure?: Record<string, unknown> }[] = JSON.parse(JSON.stringify(data['units']))
    return units.find(({ failure }) => failure !== null)?.failure ?? {}
  }

  test('leads from the property that the message names to the input behind it', async () => {
    const failure = await failureOf(
      'mail-prod/Queue=Properties validation failed for resource Queue with message: #/DelaySeconds: 2 is odd',
    )

    expect(failure).toMatchObject({
      logicalId: 'Queue',
      class: 'settings',
      at: { file: 'templates/queue/v1/instance_infrastructure/cloudformation.yaml', line: 4 },
      inputs: [
        {
          reference: 'service_instance.inputs.size',
          value: '2',
          at: { file: 'services/mail/service.yaml', line: expect.any(Number) },
        },
      ],
    })
  })

  test('clears what it shares with the stage before, where that is healthy', async () => {
    const { suspects } = await failureOf('mail-prod/Queue=It did not work.')

    expect(suspects).toContainEqual({
      suspect: 'settings',
      is: 'cleared',
      evidence: ['The same template and the same settings run healthy in staging.'],
    })
  })

  test('knows nothing of a stage before in the first one', async () => {
    const { suspects } = await failureOf('mail-dev/Queue=It did not work.')

    expect(suspects).toContainEqual(expect.objectContaining({ suspect: 'settings', is: 'unknown' }))
  })

  test('shows no secret that the cloud repeats, in what it prints and in what it records', async () => {
    const secret = `ghp_${'a1B2'.repeat(9)}`
    const { text, data } = await run(deploy, world, {
      fail: [`mail-dev/Queue=could not clone with ${secret} and password=hunter2secret`],
    })
    const records = await folderRecords(join(world.folder, 'records')).list()

    for (const shown of [text(plain), JSON.stringify(data), JSON.stringify(records)]) {
      expect(shown).not.toContain(secret)
      expect(shown).not.toContain('hunter2secret')
    }
  })
})

describe('a deployment', () => {
  test('goes stage by stage, and waits where a stage asks for approval', async () => {
    expect(await outcomes({})).toEqual({
      exit: 'needs-approval',
      'environment/dev': 'deployed',
      'cart/dev': 'deployed',
      'mail/dev': 'deployed',
      'environment/staging': 'deployed',
      'cart/staging': 'deployed',
      'mail/staging': 'deployed',
      'environment/prod': 'held',
      'cart/prod': 'held',
      'mail/prod': 'held',
    })
    expect(await outcomes({ yes: ['true'] })).toMatchObject({
      exit: 'done',
      'mail/staging': 'unchanged',
      'environment/prod': 'deployed',
      'mail/prod': 'deployed',
    })
  })

  test('asks a person where there is one, with what would be changed', async () => {
    const questions: string[] = []
    const asked = worldOf(() => small(shop), {
      confirm: async (question) => {
        questions.push(question)
        return true
      },
    })

    expect(await outcomes({}, asked)).toMatchObject({ exit: 'done', 'cart/prod': 'deployed' })
    expect(questions).toHaveLength(1)
    expect(questions[0]).toContain('cart-prod')
    expect(questions[0]).toContain('Deploy this to prod?')
    asked.end()
  })

  test('has the state folder to itself from its plan to its end, also while a person thinks', async () => {
    const seconds: unknown[] = []
    const asked = worldOf(() => small(shop), {
      confirm: async () => {
        seconds.push(await run(deploy, asked).catch((error: unknown) => error))
        return true
      },
    })

    const first = await outcomes({}, asked)

    expect(seconds).toMatchObject([{ code: 'state-locked' }])
    expect(first).toMatchObject({ exit: 'done', 'cart/prod': 'deployed' })
    expect(await outcomes({}, asked)).toMatchObject({ exit: 'done', 'cart/prod': 'unchanged' })
    asked.end()
  })

  test('of one service takes its environments along, and no other service', async () => {
    expect(await outcomes({ services: ['mail'], stage: ['dev'] })).toEqual({
      exit: 'done',
      'environment/dev': 'deployed',
      'mail/dev': 'deployed',
    })
  })

  test('that fails in a stage goes no further with that service, and on with the others', async () => {
    const failing = { fail: ['cart-staging/Queue'], yes: ['true'] }

    expect(await outcomes(failing)).toEqual({
      exit: 'failed',
      'environment/dev': 'deployed',
      'cart/dev': 'deployed',
      'mail/dev': 'deployed',
      'environment/staging': 'deployed',
      'cart/staging': 'failed',
      'mail/staging': 'deployed',
      'environment/prod': 'deployed',
      'cart/prod': 'skipped',
      'mail/prod': 'deployed',
    })
    expect(await outcomes({ yes: ['true'] })).toMatchObject({
      exit: 'done',
      'cart/staging': 'deployed',
      'cart/prod': 'deployed',
    })
  })

  test('of an environment that fails holds back all that lives in it, in this stage and the later ones', async () => {
    expect(await outcomes({ fail: ['env-staging/Key'], yes: ['true'] })).toMatchObject({
      exit: 'failed',
      'cart/dev': 'deployed',
      'environment/staging': 'failed',
      'cart/staging': 'skipped',
      'environment/prod': 'skipped',
      'cart/prod': 'skipped',
    })
  })

  test('tells what failed first, where that leaves the stack, and what to do', async () => {
    await run(deploy, world, { services: ['cart'], stage: ['dev'] })
    now = { ...shop, services: { cart: { size: 5, topics: 1 } } }

    const outcome = await run(deploy, world, {
      services: ['cart'],
      stage: ['dev'],
      fail: ['cart-dev/Queue=Rate exceeded'],
    })

    expect(outcome.text(plain)).toMatchInlineSnapshot(`
      "             DEV
      environment  unchanged
      cart         failed

      cart/dev failed
        failed first  Queue (AWS::SQS::Queue)
        declared at   templates/queue/v1/instance_infrastructure/cloudformation.yaml:2:3
        why           Rate exceeded
        now           rolled back: what ran before runs again

        WHERE IS IT?    VERDICT    EVIDENCE
        Developer code  ruled out  It was stopped before anything of the service ran: Queue: Rate exceeded
        Infra setting   not known  There is no healthy stage before this one to compare with.
        Security        not known  The log could not be looked at.
        Firewall        not known  Nothing speaks for it or against it.
        AWS was asked too often and refused for the moment.

        1. This failure was rehearsed: \`--fail\` asked for it. Nothing has to be mended; without \`--fail\` it is deployed.
        2. What is left to look at: the settings, the permissions, the network’s rules, at templates/queue/v1/instance_infrastructure/cloudformation.yaml line 2.
        3. Run the job again.
        4. Of a real one: mend it and run the command again.

      1 unchanged and 1 failed."
    `)
    expect(outcome.next?.[0]).toMatchObject({
      why: 'deploy it without the rehearsed failure; what is deployed stays',
    })
  })

  test('follows an environment whose outputs changed', async () => {
    await run(deploy, world, { yes: ['true'] })
    now = { ...shop, word: 'second' }

    expect(await outcomes({ yes: ['true'] })).toMatchObject({
      exit: 'done',
      'cart/dev': 'deployed',
      'mail/dev': 'unchanged',
    })
  })

  test('that is stopped leaves the rest for the next run', async () => {
    const controller = new AbortController()
    const told = ({ unit, is }: UnitProgress): void => {
      if (unit === 'environment/staging' && is === 'deployed') controller.abort()
    }
    const stopped = worldOf(() => small(shop), { signal: controller.signal, told })

    expect(await outcomes({ yes: ['true'] }, stopped)).toMatchObject({
      exit: 'unfinished',
      'cart/dev': 'deployed',
      'cart/staging': 'skipped',
      'cart/prod': 'skipped',
    })
    const again = { ...stopped, ports: { ...stopped.ports, signal: new AbortController().signal } }
    expect(await outcomes({ yes: ['true'] }, again)).toMatchObject({
      exit: 'done',
      'cart/dev': 'unchanged',
      'cart/staging': 'deployed',
      'cart/prod': 'deployed',
    })
    stopped.end()
  })

  test('is not rehearsed with a failure of a resource that there is not', async () => {
    const outcome = await run(deploy, world, { fail: ['cart-dev/Quue', 'delete:cart-dev/Queue=so'] })

    expect(outcome).toMatchObject({
      exit: 'bad-input',
      problems: [{ code: 'option-value', message: expect.stringContaining('Did you mean "cart-dev/Queue"?') }],
    })
  })

  test('of a service that there is not touches nothing', async () => {
    await expect(run(deploy, world, { services: ['nobody'] })).resolves.toMatchObject({
      exit: 'bad-input',
      problems: [{ code: 'unknown-unit' }],
    })
  })

  test('runs the version that a tag holds where the checkout has another', async () => {
    now = { ...shop, services: { cart: { size: 1, topics: 0, version: '1.0.7' } } }
    const old = bundle('queue/v1', {
      kind: 'service',
      properties: 'size: { type: integer }, topics: { type: integer }',
      template: 'Resources:\n  Old: { Type: AWS::SQS::Queue, Properties: { SqsManagedSseEnabled: true } }\n',
    })
    const released = new Map([
      ['queue@1.0.7', new Map(old.map(([path, text]) => [path.replace('templates/queue/v1/', ''), text]))],
    ])
    const tagged = worldOf(() => small(now), { released })

    const outcome = await run(plan, tagged, { services: ['cart'], stage: ['dev'] })

    expect(outcome.text(plain)).toContain('queue@1.0.7')
    expect(outcome.text(plain)).toContain('Old')
    tagged.end()
  })
})

describe('records', () => {
  test('tell each attempt, with its version, outcome and evidence', async () => {
    await run(deploy, world, { services: ['cart'], stage: ['dev'], fail: ['cart-dev/Queue=Rate exceeded'] })
    await run(deploy, world, { services: ['cart'], stage: ['dev'] })
    await run(deploy, world, { services: ['cart'], stage: ['dev'] })

    const records = await folderRecords(join(world.folder, 'records')).list('cart/dev')

    expect(
      records.map(({ outcome, version, by, stage, evidence }) => ({ outcome, version, by, stage, evidence })),
    ).toEqual([
      { outcome: 'failed', version: '1.0.0', by: 'ana', stage: 'dev', evidence: 'Queue: Rate exceeded' },
      { outcome: 'deployed', version: '1.0.0', by: 'ana', stage: 'dev', evidence: undefined },
    ])
  })

  test('tell of a commit that changed nothing, once', async () => {
    const first = worldOf(() => small(shop), { commit: 'aaa' })
    await run(deploy, first, { services: ['mail'], stage: ['dev'] })
    const second = { ...first, ports: { ...first.ports, files: { ...first.ports.files, commit: async () => 'bbb' } } }
    await run(deploy, second, { services: ['mail'], stage: ['dev'] })
    await run(deploy, second, { services: ['mail'], stage: ['dev'] })

    const records = await folderRecords(join(first.folder, 'records')).list('mail/dev')

    expect(records.map(({ outcome, commit }) => [outcome, commit])).toEqual([
      ['deployed', 'aaa'],
      ['unchanged', 'bbb'],
    ])
    first.end()
  })

  test('are what the status is read from', async () => {
    await run(deploy, world, { services: ['cart'], fail: ['cart-staging/Queue=Rate exceeded'] })

    const outcome = await run(status, world, { services: ['cart'] })

    expect(outcome.text(plain)).toMatchInlineSnapshot(`
      "SERVICE      STAGE    VERSION           OUTCOME       SINCE  ADDRESS
      environment  dev      1.0.0             deployed       25 s
      environment  staging  1.0.0             deployed       11 s
      environment  prod     - (1.0.0 wanted)  not deployed
      cart         dev      1.0.0             deployed       17 s  cart.dev.example.com
      cart         staging  - (1.0.0 wanted)  failed          2 s  cart.staging.example.com
      cart         prod     - (1.0.0 wanted)  not deployed         cart.example.com

      cart/staging failed: Queue: Rate exceeded
      cart/staging is ROLLBACK_COMPLETE. Its first creation failed. Mend the cause and deploy again: the empty stack is deleted first."
    `)
    expect(outcome.next?.[0]?.run).toContain('deploy cart/staging')
  })

  test('tell of stacks that no file asks for any more', async () => {
    await run(deploy, world, { yes: ['true'] })
    now = { ...shop, services: { cart: { size: 1, topics: 1 } } }

    const outcome = await run(status, world)

    const left = (unit: string) => ({ unit, stack: unit.replace('/', '-'), since: expect.any(String), commit: null })
    expect(outcome.data['left']).toEqual([left('mail/dev'), left('mail/prod'), left('mail/staging')])
    expect(outcome.text(plain)).toContain('No file asks for mail/dev, mail/prod and mail/staging any more.')
    expect(outcome.text(plain)).toMatch(/^LEFT +STACK +SINCE\nmail\/dev +mail-dev +\d+ s$/mu)
  })

  test('do not hide that a stack is not there any more', async () => {
    await run(deploy, world, { services: ['cart'] })
    rmSync(join(world.folder, 'stacks/stacks/111111111111/eu-west-1/cart-dev.json'))

    const outcome = await run(status, world, { services: ['cart'] })

    expect(outcome.data['units']).toContainEqual(
      expect.objectContaining({ unit: 'cart/dev', outcome: 'gone', version: null }),
    )
  })
})

describe('what builds on other units', () => {
  const component = new Map([
    [
      'services/cart/component/manifest.yaml',
      'infrastructure:\n  templates: [{ file: bucket.yaml, rendering_engine: jinja, template_language: cloudformation }]\n',
    ],
    [
      'services/cart/component/bucket.yaml',
      'Resources:\n  Topic: { Type: AWS::SNS::Topic, Properties: { KmsMasterKeyId: "{{ environment.outputs.KeyArn }}" } }\nOutputs:\n  TopicArn: { Value: !Ref Topic }\n',
    ],
    ['templates/queue/v1/.template-registration.yaml', 'supported_component_sources: [DIRECTLY_DEFINED]\n'],
    [
      'templates/queue/v1/instance_infrastructure/cloudformation.yaml',
      'Resources:\n  Queue: { Type: AWS::SQS::Queue, Properties: { KmsMasterKeyId: "{{ environment.outputs.KeyArn }}" } }\nOutputs:\n  Topic: { Value: "{{ service_instance.components.default.outputs.TopicArn }}" }\n',
    ],
  ])

  test('is deployed after it, with what it really gives out', async () => {
    const attached = worldOf(
      () => new Map([...small({ ...shop, services: { cart: { size: 1, topics: 0 } } }), ...component]),
    )

    const { data, exit } = await run(deploy, attached, { services: ['cart'], stage: ['dev'] })
    const again = await run(plan, attached, { services: ['cart'], stage: ['dev'] })

    expect({ exit, ids: JSON.stringify(data).match(/cart[a-z/]+/gu) }).toEqual({
      exit: 'done',
      ids: ['cart/dev/component', 'cart/dev'],
    })
    expect(again.text(plain)).toContain('Nothing to do')
    attached.end()
  })

  test('is not begun when that fails', async () => {
    const attached = worldOf(
      () => new Map([...small({ ...shop, services: { cart: { size: 1, topics: 0 } } }), ...component]),
    )

    expect(await outcomes({ stage: ['dev'], fail: ['cart-dev-component/Topic'] }, attached)).toMatchObject({
      exit: 'failed',
      'cart/dev/component': 'failed',
      'cart/dev': 'skipped',
    })
    attached.end()
  })
})
