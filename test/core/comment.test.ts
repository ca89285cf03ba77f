import fc from 'fast-check'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmFromMarkdown } from 'mdast-util-gfm'
import { gfm } from 'micromark-extension-gfm'
import { describe, expect, test } from 'vitest'

import type { Made, Surroundings } from '../../src/core/comment.ts'
import { commentBudget, isLossy, planComment, problemsComment, verdictTitle } from '../../src/core/comment.ts'
import type { Markdown } from '../../src/core/markdown.ts'
import { url } from '../../src/core/markdown.ts'
import type { Change, PlannedUnit } from '../../src/core/plan.ts'
import { planOf, readPlan } from '../../src/core/plan.ts'
import type { Problem } from '../../src/core/problem.ts'

const run = url('https://github.com', ['acme', 'checkout', 'actions', 'runs', 48213])
const made: Made = {
  commit: '5c0e1f2a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e',
  at: new Date('2026-11-22T17:33:10Z'),
  took: 41_000,
  ...(run !== undefined && { run }),
}

const around: Surroundings = {
  stages: [
    { name: 'dev', environment: 'dev' },
    { name: 'staging', environment: 'staging', soak: 1800 },
    { name: 'prod', environment: 'prod', approval: { by: ['@acme/platform'] } },
  ],
  hosts: new Map([
    ['checkout/dev', ['checkout.dev.example.com']],
    ['checkout/staging', ['checkout.staging.example.com']],
    ['checkout/prod', ['checkout.example.com', 'pay.example.com']],
  ]),
}

function change(
  action: Change['action'],
  logicalId: string,
  type: string,
  paths: readonly string[] = [],
  options: Partial<Change> = {},
): Change {
  const properties = paths.map((path) => ({ path: `Properties.${path}`, before: 'sha256:0', after: 'sha256:1' }))
  return { logicalId, type, action, properties, because: [], retained: false, ...options }
}

function unit(id: string, changes: readonly Change[], options: Partial<PlannedUnit> = {}): PlannedUnit {
  const [subject, stage] = id.split('/')
  const worst = (['delete', 'replace', 'update', 'create'] as const).find((action) =>
    changes.some((each) => each.action === action),
  )
  return {
    unit: id,
    ...(subject !== 'environment' && stage !== undefined && { stage }),
    stack: { name: id.replaceAll('/', '-'), account: '111111111111', region: 'ap-northeast-2' },
    template: 'fargate-service@2.3.0',
    verdict: worst === 'create' ? 'update' : (worst ?? 'nothing'),
    changes,
    rendered: 'sha256:same',
    wants: 'sha256:a',
    against: 'sha256:b',
    predicted: false,
    ...options,
  }
}

const everywhere = [
  change('update', 'Service', 'AWS::ECS::Service', ['HealthCheckGracePeriodSeconds']),
  change('update', 'TaskRole', 'AWS::IAM::Role', ['Policies.0.PolicyDocument.Statement.1'], {
    properties: [{ path: 'Properties.Policies.0.PolicyDocument.Statement.1', after: 'sha256:1' }],
  }),
  change('create', 'ReceiptQueue', 'AWS::SQS::Queue', []),
]
const database = change('replace', 'OrdersDb', 'AWS::RDS::DBInstance', ['DBInstanceIdentifier', 'AllocatedStorage'], {
  because: ['Properties.DBInstanceIdentifier'],
})

const dangerous = planOf([
  unit('checkout/dev', everywhere),
  unit('checkout/staging', everywhere),
  unit('checkout/prod', [database, ...everywhere], { rendered: 'sha256:other' }),
])

const setting = [change('update', 'Service', 'AWS::ECS::Service', ['DesiredCount'])]
const harmless = planOf(['dev', 'staging', 'prod'].map((stage) => unit(`checkout/${stage}`, setting)))

/** Rules of access, and what somebody has changed by hand. */
const delicate = planOf(
  ['dev', 'staging', 'prod'].map((stage) =>
    unit(
      `checkout/${stage}`,
      [
        change('update', 'Service', 'AWS::ECS::Service', ['DesiredCount']),
        change('update', 'DbGroup', 'AWS::EC2::SecurityGroup', [], {
          properties: [
            { path: 'Properties.SecurityGroupIngress.1', after: 'sha256:1' },
            { path: 'Properties.SecurityGroupIngress.0.CidrIp', before: 'sha256:0', after: 'sha256:1' },
          ],
        }),
        change('create', 'ReadRole', 'AWS::IAM::Role'),
        change('create', 'ReadPolicy', 'AWS::IAM::Policy'),
        ...(stage === 'prod' ? [change('delete', 'OldRole', 'AWS::IAM::Role')] : []),
      ],
      {
        byHand:
          stage === 'prod'
            ? [
                { logicalId: 'Service', is: 'changed' },
                { logicalId: 'Topic', is: 'changed' },
                { logicalId: 'Alarm', is: 'gone' },
              ]
            : [],
      },
    ),
  ),
)

const fleet = planOf([
  unit('environment/dev', [change('update', 'Vpc', 'AWS::EC2::VPC', ['Tags'])], { template: 'vpc-fargate@1.2.0' }),
  unit('checkout/dev', [change('delete', 'Receipts', 'AWS::S3::Bucket', [], { retained: true })]),
  unit('checkout/prod', [database]),
  unit('ledger/dev', setting, { predicted: true }),
  unit('search/dev', []),
])

const shown = ({ markdown }: Markdown): string => markdown

describe('the gates of a plan', () => {
  const gates = [
    { gate: 'order', asks: 'staging has this commit.' },
    { gate: 'soak', asks: 'staging has had it for 30 min.' },
    { gate: 'approval', asks: 'Somebody approves it.', by: ['@acme/platform', '@ada'] },
  ] as const
  const grown = [change('update', 'Service', 'AWS::ECS::Service', ['DesiredCount'])]

  test('are shown once for all of which the same is asked', () => {
    const plan = planOf([
      unit('checkout/staging', grown, { gates: gates.slice(0, 1) }),
      unit('checkout/prod', grown, { gates }),
      unit('checkout/prod/component', grown, { gates }),
    ])
    const text = planComment(plan, { around, made }).markdown
    expect(text).toContain('<b>Gates</b> before prod and prod component')
    expect(text).toContain('| prod and prod component | **Soak** | staging has had it for 30 min. |')
    expect(text).toContain('|  | **Approval** | Somebody approves it. `@acme/platform` and `@ada` may. |')
    expect(text).not.toContain('staging has this commit.')
  })

  test('are not spoken of where none but the order is asked for', () => {
    const plan = planOf([unit('checkout/prod', grown, { gates: gates.slice(0, 1) })])
    expect(planComment(plan, { around, made }).markdown).not.toContain('Gates')
  })
})

describe('the comment on a plan', () => {
  test.each([
    ['dangerous', dangerous],
    ['harmless', harmless],
    ['of-a-fleet', fleet],
    ['delicate', delicate],
    ['looked-at', planOf(['dev', 'prod'].map((stage) => unit(`checkout/${stage}`, setting, { byHand: [] })))],
    ['nothing', planOf([unit('checkout/dev', []), unit('checkout/prod', [])])],
    [
      'new',
      planOf(
        ['dev', 'staging', 'prod'].map((stage) =>
          unit(
            `checkout/${stage}`,
            Array.from({ length: 34 }, (_, index) =>
              change('create', `R${index}`, index < 4 ? 'AWS::SQS::Queue' : 'AWS::IAM::Role', ['Properties']),
            ),
            {
              verdict: 'create',
            },
          ),
        ),
      ),
    ],
  ])('that is %s reads as it should', async (name, plan) => {
    await expect(shown(planComment(plan, { around, made }))).toMatchFileSnapshot(`../golden/comment-${name}.md`)
  })

  test('says when it was looked for what was changed by hand, where that was not now', () => {
    const looked = (byHand: NonNullable<PlannedUnit['byHand']>): string =>
      shown(
        planComment(
          planOf([
            unit('checkout/dev', setting, { byHand: [], byHandAt: '2026-11-23T08:00:12.000Z' }),
            unit('checkout/prod', setting, { byHand, byHandAt: '2026-11-22T17:31:40.000Z' }),
          ]),
          { around, made },
        ),
      )

    expect(looked([])).toContain('**Drift:** none when last looked for, 2026-11-22 17:31 UTC.')
    expect(looked([{ logicalId: 'Service', is: 'gone' }])).toContain(
      '**Drift:** `Service` was deleted by hand and is made again in prod. That was seen 2026-11-22 17:31 UTC.',
    )
  })

  test.each([
    ['checkout replaces a database in prod', dangerous.units],
    ['checkout changes 1 setting, nothing is replaced', harmless.units],
    ['checkout deletes a bucket in dev and replaces a database in prod; 2 others change', fleet.units],
    [
      'checkout replaces a database in every stage',
      [unit('checkout/dev', [database]), unit('checkout/prod', [database])],
    ],
    ['checkout changes nothing', [unit('checkout/dev', [])]],
    ['nothing changes', [unit('checkout/dev', []), unit('search/dev', [])]],
    ['checkout is new: 1 resource', [unit('checkout/dev', [everywhere[2] ?? database], { verdict: 'create' })]],
    ['checkout changes outputs or tags only, nothing is replaced', [unit('checkout/dev', [], { verdict: 'update' })]],
    ['checkout adds 1 resource and changes 2 settings, nothing is replaced', [unit('checkout/dev', everywhere)]],
    [
      '1 service and 1 environment change, nothing is replaced',
      [unit('environment/dev', setting), unit('checkout/dev', setting)],
    ],
    [
      '2 services delete a queue in dev and prod',
      [
        unit('checkout/dev', [change('delete', 'Q', 'AWS::SQS::Queue')]),
        unit('search/prod', [change('delete', 'Q', 'AWS::SQS::Queue', [], { because: ['x'] })]),
        unit('search/dev', []),
        unit('search/staging', []),
      ],
    ],
  ])('has the title: %s', (title, units) => {
    expect(verdictTitle(planOf(units)).toLowerCase()).toBe(
      title.replace('delete a queue', 'delete 2 resources').toLowerCase(),
    )
  })

  test('says in its first 120 characters what would be lost', () => {
    const [, title = ''] = shown(planComment(dangerous, { around, made }))
      .split('\n')
      .filter((each) => each !== '')
    expect(title).toBe('### Plan: `checkout` replaces a database in prod')
    expect(isLossy(dangerous)).toBe(true)
    expect(isLossy(harmless)).toBe(false)
  })

  test('does not promise a deployment where the catalog only plans', () => {
    const plan = planOf([unit('checkout/dev', [change('update', 'Service', 'AWS::ECS::Service', ['DesiredCount'])])])

    expect(shown(planComment(plan, { around, made }))).toContain('| on merge |')
    expect(shown(planComment(plan, { around: { ...around, plansOnly: true }, made }))).toContain('| not by merging |')
  })

  test('counts a resource once, though it stays in the account in one stage and goes in another', () => {
    const table = (retained: boolean): Change =>
      change('replace', 'Orders', 'AWS::DynamoDB::Table', ['KeySchema.0.AttributeName'], { retained })
    const plan = planOf([unit('checkout/dev', [table(false)]), unit('checkout/prod', [table(true)])])
    const page = shown(planComment(plan, { around, made }))

    expect(verdictTitle(plan)).toBe('checkout replaces a table in every stage')
    expect(page).toContain('**1 resource will be deleted and created again.**')
  })

  test('takes a new revision of a task for the change that it is, and not for a loss', () => {
    const changes = [
      change('update', 'Service', 'AWS::ECS::Service', ['TaskDefinition']),
      change('replace', 'Task', 'AWS::ECS::TaskDefinition', ['ContainerDefinitions.0.Image']),
    ]
    const plan = planOf([unit('checkout/dev', changes), unit('checkout/prod', changes)])
    const page = shown(planComment(plan, { around, made }))

    expect(isLossy(plan)).toBe(false)
    expect(page).toContain('`checkout` changes 1 setting and makes 1 new revision, nothing else is replaced')
    expect(page).toContain('| 1 change, 1 new revision |')
    expect(page).not.toContain('CAUTION')
  })

  test('keeps to its budget, and leaves out folds from the last, never the warning', () => {
    const services = Array.from({ length: 400 }, (_, index) => `service-${index}`)
    const units = services.map((name, index) =>
      unit(`${name}/prod`, [
        ...(index === 399 ? [database] : []),
        ...Array.from({ length: 12 }, (_, number) =>
          change('update', `Resource${index}x${number}`, 'AWS::IAM::Role', ['Policies.0.PolicyName']),
        ),
      ]),
    )
    const text = shown(planComment(planOf(units), { around, made }))
    expect(text.length).toBeLessThanOrEqual(commentBudget.most)
    expect(text.length).toBeGreaterThan(commentBudget.most * 0.9)
    expect(text).toContain(
      '**`service-399` in prod: `OrdersDb` (`AWS::RDS::DBInstance`) will be deleted and created again.**',
    )
    expect(text).toContain('<b>service-399/prod</b>')
    expect(text).toContain('**Left out here:** the changes of')
    expect(text).toContain('planned 22 Nov 17:33 UTC')
    expect(text.split('<details>')).toHaveLength(text.split('</details>').length)
  })

  test('says how many units were not planned, and names them', () => {
    const left = Array.from({ length: 145 }, (_, index) => `service-${index}/dev`)
    const text = shown(planComment(harmless, { around: { ...around, left: ['@acme/all', ...left] }, made }))

    expect(text).toContain(
      '- **Not planned here:** 146 units, for which there was no room: `@acme/all`, `service-0/dev`,',
    )
    expect(text).toContain('and 135 more. In production they are held')
    expect(verdictTitle(harmless, 146)).toBe('checkout changes 1 setting, nothing is replaced; 146 units not planned')
  })

  test('of more stacks than a table can hold keeps to its budget', () => {
    const units = Array.from({ length: 3000 }, (_, index) => unit(`service-${index}/prod`, [database]))
    const text = shown(planComment(planOf(units), { around, made }))
    expect(text.length).toBeLessThanOrEqual(commentBudget.most)
    expect(text).toContain('### Plan: 3000 services replace 3000 resources in prod')
    expect(text).toContain('**Cut here:**')
  })

  test('shows names that are made to mislead as what they are, and mentions nobody', () => {
    const hostile = [
      '@acme/platform',
      '#1',
      'a|b',
      '</details><script>',
      '`x`',
      '\u202egnp',
      '\u001b[31m',
      '::set-output name=x::y',
      'x\n\n# y',
    ]
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...hostile), fc.string()), { minLength: 6, maxLength: 6 }),
        fc.constantFrom('update', 'replace', 'delete', 'create'),
        (names, action) => {
          const [name = '', id = '', type = '', path = '', template = '', host = ''] = names
          const plan = planOf([
            unit(`${name}/${id}`, [change(action, id, type, [path], { because: [path] })], { template, stage: id }),
            unit('checkout/dev', setting),
          ])
          const odd = {
            stages: [{ name: id, environment: name, soak: 60 }],
            hosts: new Map([[`${name}/${id}`, [host]]]),
          }
          const text = shown(planComment(plan, { around: odd, made }))
          const tree = fromMarkdown(text, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] })
          const tags: string[] = []
          const prose: string[] = []
          const visit = (node: typeof tree | (typeof tree)['children'][number]): void => {
            if (node.type === 'html') tags.push(node.value)
            if (node.type === 'text') prose.push(node.value)
            if (node.type === 'link') expect(node.url).toBe(run?.url)
            if ('children' in node) node.children.forEach(visit)
          }
          visit(tree)
          const html = tags.join('\n').replaceAll(/<!-- protium:plan(?: [a-z0-9/-]+)? -->/gu, '')
          expect(
            html.replaceAll(/<\/?(?:details|summary|b|code|sub)>/gu, '').replaceAll(/&\w+;|&#39;/gu, ''),
          ).not.toMatch(/[<>&]/u)
          const words = [...prose, html.replaceAll(/<code>.*?<\/code>/gu, '')].join('\n')
          expect(words).not.toMatch(/(?:^|[^\w`/])@[a-z\d]/iu)
          expect(words).not.toMatch(/#\d/u)
          expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/u)
          expect(tree.children.filter((node) => node.type === 'heading')).toHaveLength(1)
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('the comment on problems', () => {
  const problems: readonly Problem[] = [
    {
      code: 'unknown-input',
      severity: 'error',
      message: '`inputs.prot` is not an input of fargate-service@2.3.0.',
      remedy: 'Did you mean `port`?',
      at: { file: 'service.yaml', line: 6, column: 3 },
    },
    {
      code: 'input-value',
      severity: 'error',
      message: '`inputs.cpu` is `300`.',
      expected: 'One of 256, 512, 1024, 2048.',
      remedy: 'Write `cpu: 512`.',
      at: { file: 'service.yaml', line: 9, column: 8 },
    },
  ]

  test('in one file reads as it should', async () => {
    await expect(shown(problemsComment(problems, { subject: 'checkout', made }))).toMatchFileSnapshot(
      '../golden/comment-problems.md',
    )
  })

  test('in several files says where each is', () => {
    const other: Problem = {
      code: 'missing-file',
      severity: 'error',
      message: 'There is no catalog.',
      remedy: 'Write `catalog.yaml`.',
    }
    const text = shown(problemsComment([...problems, other], { made }))
    expect(text).toContain('### Cannot plan this: 3 problems\n')
    expect(text).toContain('| `service.yaml`:6 |')
    expect(text).toContain('| - | There is no catalog. |')
    expect(text).toContain('Most are marked on the lines.')
  })

  test('shows at most 50, and keeps to its budget with the longest texts', () => {
    const many = Array.from({ length: 90 }, (_, index): Problem => ({
      code: 'input-value',
      severity: 'error',
      message: `${index} ${'@x|'.repeat(30_000)}`,
      expected: '@'.repeat(70_000),
      remedy: '#'.repeat(70_000),
      at: { file: `${'services/'.repeat(300)}.yaml`, line: index + 1, column: 1 },
    }))
    const text = shown(problemsComment(many, { made }))
    expect(text.length).toBeLessThanOrEqual(commentBudget.most)
    expect(text).toContain('90 problems')
  })
})

describe('what breaks a rule of the policy', () => {
  const at = { file: 'templates/queue/v1/instance_infrastructure/cloudformation.yaml', line: 12, column: 5 }
  const fact = {
    rule: 'cost-tags',
    resource: 'Mail',
    severity: 'error',
    message: 'Mail has no tag `team`.',
    at,
  } as const
  const waiver = {
    name: 'old-mail',
    owner: '@acme/mail',
    reason: 'Moves @everyone in **May**.',
    until: '2026-12-31',
    expired: false,
  } as const
  const shown = (policy: NonNullable<PlannedUnit['policy']>): string => {
    const units = ['checkout/dev', 'checkout/prod'].map((id) => unit(id, everywhere, { policy }))
    return planComment(planOf(units), { around, made }).markdown
  }

  test('is said with the text of the rule, its line, and who has waived it until when, and why', () => {
    expect(shown([{ ...fact, text: 'Costs are booked by it.', waiver }])).toContain(
      '**Waived until 2026-12-31** by `@acme/mail`: Mail has no tag `team` in `checkout/dev` and `checkout/prod` (`templates/queue/v1/instance_infrastructure/cloudformation.yaml:12`). Rule `cost-tags`: Costs are booked by it. Because: Moves `@everyone` in `**May**`.',
    )
  })

  test('comes with what holds first, then what is waived, then what is only a warning', () => {
    const text = shown([
      { ...fact, severity: 'warning', resource: 'A' },
      { ...fact, waiver, resource: 'B' },
      { ...fact, waiver: { ...waiver, expired: true }, resource: 'C' },
    ])
    const order = ['**Held back:**', '**Waived until 2026-12-31**', '**Warning:**'].map((words) => text.indexOf(words))
    expect(order).toEqual(order.toSorted((a, b) => a - b))
    expect(order).not.toContain(-1)
    expect(text).toContain('The waiver `old-mail` of `@acme/mail` ended on 2026-12-31.')
  })

  test('is not in the digest of a plan, and is read back from it', () => {
    const bare = planOf([unit('checkout/dev', everywhere)])
    const told = planOf([unit('checkout/dev', everywhere, { policy: [{ ...fact, waiver }] })])
    expect(told.digest).toBe(bare.digest)
    expect(readPlan('plan.json', JSON.stringify(told))).toMatchObject({ ok: true, value: told })
    expect(readPlan('plan.json', JSON.stringify(told).replace('"expired":false', '"expired":0'))).toMatchObject({
      ok: false,
    })
  })
})
