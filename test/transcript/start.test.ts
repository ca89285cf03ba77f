import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { holdFolder, holdStack } from '../../src/adapters/local/lock.ts'
import { edit, protium, sample, snapshotOf } from './terminal.ts'

const noClock = { now: () => new Date(), sleep: async () => {} }

describe('protium start', () => {
  test('brings the sample to life, says that there is nothing to do when run again, and begins again with --fresh', async () => {
    const folder = sample()
    const [first, second] = [await protium(folder, 'start'), await protium(folder, 'start')]

    expect([first.exit, second.exit]).toEqual([0, 0])
    expect(first).toMatchInlineSnapshot(`
      {
        "exit": 0,
        "stderr": "  read                   acme: 3 stages, 4 services, 4 templates <time>
        checked and planned    15 units, 376 resources to deploy <time>
        environment/dev        deployed, 53 resources <time>
        checkout/dev           deployed, 18 resources <time>
        inventory/dev          deployed, 19 resources <time>
        receipts/dev           deployed, 14 resources <time>
        storefront/dev         deployed, 19 resources <time>
        environment/staging    deployed, 52 resources <time>
        checkout/staging       deployed, 18 resources <time>
        inventory/staging      deployed, 19 resources <time>
        receipts/staging       deployed, 14 resources <time>
        storefront/staging     deployed, 19 resources <time>
        environment/prod       deployed, 61 resources <time>
        checkout/prod          deployed, 18 resources <time>
        inventory/prod         deployed, 19 resources <time>
        receipts/prod          deployed, 14 resources <time>
        storefront/prod        deployed, 19 resources <time>
      ",
        "stdout": "             DEV                         STAGING                         PROD
      environment  vpc-fargate 1.2.0           vpc-fargate 1.2.0               vpc-fargate 1.2.0
      checkout     checkout.dev.example.com    checkout.staging.example.com    checkout.example.com
      inventory    inventory.dev.example.com   inventory.staging.example.com   inventory.example.com
      receipts     queue-worker 1.0.0          queue-worker 1.0.0              queue-worker 1.0.0
      storefront   storefront.dev.example.com  storefront.staging.example.com  storefront.example.com

      acme runs: 4 services in dev, staging and prod. 376 resources were made, all of them in .protium/ on this machine.

      Three things to try
      1. See what runs where, and since when.
         node src/cli.ts status
      2. Ask for twice as many tasks: add \`desired_count: 4\` to the inputs in services/receipts/service.yaml, then look before you leap.
         node src/cli.ts plan receipts
      3. Rehearse a failure on a second copy: staging is rolled back, prod is never begun.
         node src/cli.ts deploy checkout --state .protium/rehearsal --fail checkout-staging/Service
      ",
      }
    `)
    expect(second).toMatchInlineSnapshot(`
      {
        "exit": 0,
        "stderr": "  read                   acme: 3 stages, 4 services, 4 templates <time>
        checked and planned    nothing to do <time>
      ",
        "stdout": "             DEV                         STAGING                         PROD
      environment  vpc-fargate 1.2.0           vpc-fargate 1.2.0               vpc-fargate 1.2.0
      checkout     checkout.dev.example.com    checkout.staging.example.com    checkout.example.com
      inventory    inventory.dev.example.com   inventory.staging.example.com   inventory.example.com
      receipts     queue-worker 1.0.0          queue-worker 1.0.0              queue-worker 1.0.0
      storefront   storefront.dev.example.com  storefront.staging.example.com  storefront.example.com

      Nothing to do: acme runs as its files say. To begin again: \`node src/cli.ts start --fresh\`.

      Three things to try
      1. See what runs where, and since when.
         node src/cli.ts status
      2. Ask for twice as many tasks: add \`desired_count: 4\` to the inputs in services/receipts/service.yaml, then look before you leap.
         node src/cli.ts plan receipts
      3. Rehearse a failure on a second copy: staging is rolled back, prod is never begun.
         node src/cli.ts deploy checkout --state .protium/rehearsal --fail checkout-staging/Service
      ",
      }
    `)
    const { stdout, exit } = await protium(folder, 'start', '--fresh', '--json')

    expect(exit).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      exit: 'done',
      units: expect.arrayContaining([expect.objectContaining({ unit: 'checkout/prod', outcome: 'deployed' })]),
    })
  })

  test('makes true what it says can be tried', async () => {
    const folder = sample()
    const { stdout } = await protium(folder, 'start')
    const commands = [...stdout.matchAll(/^ +node src\/cli\.ts (.*)$/gmu)].map(([, words = '']) => words.split(' '))
    edit(folder, 'services/receipts/service.yaml', { from: 'inputs:\n', to: 'inputs:\n  desired_count: 4\n' })

    const [status, plan, rehearsal] = await Promise.all(commands.map(async (words) => protium(folder, ...words)))

    expect(commands).toHaveLength(3)
    expect(status).toMatchInlineSnapshot(`
      {
        "exit": 0,
        "stderr": "
      Next
        node src/cli.ts plan  what a deployment would change
      ",
        "stdout": "SERVICE      STAGE    VERSION  OUTCOME   SINCE  ADDRESS
      environment  dev      1.2.0    deployed <time>
      environment  staging  1.2.0    deployed <time>
      environment  prod     1.2.0    deployed <time>
      checkout     dev      2.3.0    deployed <time>  checkout.dev.example.com
      checkout     staging  2.3.0    deployed <time>  checkout.staging.example.com
      checkout     prod     2.3.0    deployed <time>  checkout.example.com
      inventory    dev      2.3.0    deployed <time>  inventory.dev.example.com
      inventory    staging  2.3.0    deployed <time>  inventory.staging.example.com
      inventory    prod     2.3.0    deployed <time>  inventory.example.com
      receipts     dev      1.0.0    deployed <time>
      receipts     staging  1.0.0    deployed <time>
      receipts     prod     1.0.0    deployed <time>
      storefront   dev      2.3.0    deployed <time>  storefront.dev.example.com
      storefront   staging  2.3.0    deployed <time>  storefront.staging.example.com
      storefront   prod     2.3.0    deployed <time>  storefront.example.com
      ",
      }
    `)
    expect(plan).toMatchInlineSnapshot(`
      {
        "exit": 0,
        "stderr": "
      Next
        node src/cli.ts deploy receipts  do what the plan says
      ",
        "stdout": "UNIT                 STACK             TEMPLATE            VERDICT  RESOURCES
      environment/dev      env-dev           vpc-fargate@1.2.0   nothing
      environment/staging  env-staging       vpc-fargate@1.2.0   nothing
      environment/prod     env-prod          vpc-fargate@1.2.0   nothing
      receipts/dev         receipts-dev      queue-worker@1.0.0  update   1 update
      receipts/staging     receipts-staging  queue-worker@1.0.0  update   1 update
      receipts/prod        receipts-prod     queue-worker@1.0.0  update   1 update

      receipts/dev, receipts/staging and receipts/prod (the same)
        ~  ScalableTarget  AWS::ApplicationAutoScaling::ScalableTarget  update  MinCapacity

      3 units to change, 3 resources touched. Nothing is replaced or deleted. Plan 7b9c6cbfd7ac.
      ",
      }
    `)
    expect(rehearsal).toMatchInlineSnapshot(`
      {
        "exit": 1,
        "stderr": "  environment/dev        deployed, 53 resources <time>
        checkout/dev           deployed, 18 resources <time>
        environment/staging    deployed, 52 resources <time>
        checkout/staging       failed, Service: Resource handler returned message: "Told to fail." (HandlerErrorCode: GeneralServiceException) <time>
        environment/prod       skipped, because checkout/staging failed
        checkout/prod          skipped, because checkout/staging failed

      Next
        node src/cli.ts deploy checkout --state .protium/rehearsal  deploy it without the rehearsed failure; what is deployed stays
        node src/cli.ts explain failure-unknown                     what such a failure means
        node src/cli.ts status --state .protium/rehearsal           what runs where
      ",
        "stdout": "             DEV       STAGING   PROD
      environment  deployed  deployed  skipped
      checkout     deployed  failed    skipped

      checkout/staging failed
        failed first  Service (AWS::ECS::Service)
        declared at   templates/fargate-service/v2/instance_infrastructure/cloudformation.yaml:258:3
        why           Resource handler returned message: "Told to fail." (HandlerErrorCode: GeneralServiceException)
       <time>           rolled back: what had been created is gone again

        WHERE IS IT?    VERDICT    EVIDENCE
        Developer code  not known  Nothing speaks for it or against it.
        Infra setting   ruled out  The same template and the same settings run healthy in dev.
        Security        not known  The log could not be looked at.
        Firewall        not known  Nothing speaks for it or against it.

        1. This failure was rehearsed: \`--fail\` asked for it. Nothing has to be mended; without \`--fail\` it is deployed.
        2. What is left to look at: the code of the service, the permissions, the network’s rules, at templates/fargate-service/v2/instance_infrastructure/cloudformation.yaml line 258.
        3. Read the message. If it should be known, report it: the table of messages grows by each.
        4. Of a real one: mend it and run the command again.

      3 units deployed (123 resources), 1 failed and 2 not begun.
      ",
      }
    `)
  })

  test('changes nothing but .protium', async () => {
    const folder = sample()
    const before = snapshotOf(folder)

    await protium(folder, 'start')

    const after = Object.entries(snapshotOf(folder)).filter(([name]) => !name.startsWith('.protium'))
    expect(Object.fromEntries(after)).toEqual(before)
  })

  test('steps back from a state folder that another run works on', async () => {
    const folder = sample()
    const hold = await holdStack(join(folder, '.protium', 'stacks'), 'any', noClock)

    const { stdout, stderr, exit } = await protium(folder, 'start')
    hold.release()

    expect({ stdout, exit }).toEqual({ stdout: '', exit: 1 })
    expect(stderr).toMatch(/Refused {2}Another run works on the state folder .*\[state-locked\]/u)
    expect(await protium(folder, 'start')).toMatchObject({ exit: 0 })
  })
})

describe('two runs at once on one state folder', () => {
  test('do not meet half-way: the second is refused at its start, and what only looks is not', async () => {
    const folder = sample()
    const state = join(folder, '.protium')
    await protium(folder, 'deploy', 'receipts', '--stage', 'dev')
    const hold = await holdFolder(join(state, 'stacks'), noClock)
    const before = snapshotOf(state)

    const second = await protium(folder, 'deploy', 'receipts', '--stage', 'staging')
    const looks = [await protium(folder, 'plan'), await protium(folder, 'status'), await protium(folder, 'validate')]
    const after = snapshotOf(state)
    hold.release()

    expect({ stdout: second.stdout, exit: second.exit }).toEqual({ stdout: '', exit: 1 })
    expect(second.stderr).toMatch(/^Refused {2}Another run works on the state folder .*\[state-locked\]\n$/u)
    expect(looks.map(({ exit }) => exit)).toEqual([0, 0, 0])
    expect(after).toEqual(before)
    expect(await protium(folder, 'deploy', 'receipts', '--stage', 'staging')).toMatchObject({ exit: 0 })
  })
})

describe('protium plan', () => {
  test('prints the same bytes for the same files, and binds a deployment', async () => {
    const folder = sample()

    const [first, second] = [
      await protium(folder, 'plan', '--json', '--out', 'plan.json'),
      await protium(folder, 'plan', '--json'),
    ]
    const deployed = await protium(folder, 'deploy', '--plan', 'plan.json', '--yes')
    const again = await protium(folder, 'deploy', '--plan', 'plan.json', '--yes')

    expect({ ...first, stdout: withoutNext(first.stdout) }).toEqual({ ...second, stdout: withoutNext(second.stdout) })
    expect(deployed.exit).toBe(0)
    expect(again.stdout).toContain('Nothing to do: 15 units are as wanted.')
  })

  test('that no longer holds is refused, and nothing is touched', async () => {
    const folder = sample()
    await protium(folder, 'plan', 'checkout', '--out', 'plan.json')
    edit(folder, 'services/checkout/service.yaml', { from: 'port: 8080', to: 'port: 9090' })
    const before = snapshotOf(folder)

    expect(await protium(folder, 'deploy', '--plan', 'plan.json', '--yes')).toMatchInlineSnapshot(`
      {
        "exit": 1,
        "stderr": "Refused  The plan no longer holds: checkout/dev wants something else than when the plan was made, checkout/staging wants something else than when the plan was made and checkout/prod wants something else than when the plan was made. Nothing was touched. Make the plan again and have that one reviewed: \`node src/cli.ts plan --out FILE\`. [plan-stale]
      ",
        "stdout": "",
      }
    `)
    expect(snapshotOf(folder)).toEqual(before)
  })

  test('that was edited is refused', async () => {
    const folder = sample()
    await protium(folder, 'plan', 'receipts', '--out', 'plan.json')
    edit(folder, 'plan.json', { from: '"verdict": "create"', to: '"verdict": "nothing"' })

    expect(await protium(folder, 'deploy', '--plan', 'plan.json')).toMatchInlineSnapshot(`
      {
        "exit": 2,
        "stderr": "plan.json  The plan was changed after it was made: its digest is not that of its units. Make the plan again: \`node src/cli.ts plan --out FILE\`. [plan-edited]

      1 problem. Nothing was changed.

      Next
        node src/cli.ts explain plan-edited  what a code means
      ",
        "stdout": "",
      }
    `)
  })
})

describe('protium deploy', () => {
  test('waits where a stage asks for approval, and says how to give it', async () => {
    const folder = sample()

    expect(await protium(folder, 'deploy', 'receipts')).toMatchInlineSnapshot(`
      {
        "exit": 3,
        "stderr": "  environment/dev        deployed, 53 resources <time>
        receipts/dev           deployed, 14 resources <time>
        environment/staging    deployed, 52 resources <time>
        receipts/staging       deployed, 14 resources <time>
        environment/prod       held, waits for approval by @acme/platform
        receipts/prod          held, waits for approval by @acme/platform

      Next
        node src/cli.ts deploy receipts --yes  approve what waits, and deploy it
        node src/cli.ts status                 what runs where
      ",
        "stdout": "             DEV       STAGING   PROD
      environment  deployed  deployed  held
      receipts     deployed  deployed  held

      4 units deployed (133 resources) and 2 waiting for approval.
      ",
      }
    `)
  })
})

/** The plan that was written to a file is offered with the file's name. */
function withoutNext(stdout: string): unknown {
  const { next: _, ...others }: Record<string, unknown> = JSON.parse(stdout)
  return others
}
