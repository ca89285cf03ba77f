import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { type Catalog, readCatalog } from '../../src/core/catalog.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { catalogWorkflows, serviceWorkflows, staleWorkflows } from '../../src/core/workflows.ts'
import { guardPackage } from '../checks/guard.ts'

const digits = '0123456789abcdef0123456789abcdef01234567'

type Wanted = {
  readonly stages?: readonly string[]
  readonly provisioner?: string
  /** The lines below `workflows:`. */
  readonly workflows?: readonly string[]
  readonly checks?: string
}

function catalog({
  stages = ['dev', 'prod'],
  provisioner = 'local',
  workflows = ['actions: actions', 'repository: acme/catalog'],
  checks,
}: Wanted = {}): Catalog {
  const tree = new Map([
    [
      'catalog.yaml',
      [
        'catalog: acme',
        'domain: example.com',
        'stages:',
        ...stages.flatMap((stage) => [
          `  ${stage}:`,
          `    host: "{service}.${stage}.{domain}"`,
          `    environment: main`,
        ]),
        ...(checks === undefined ? [] : [`policy: { checks: ${checks} }`]),
        ...(workflows.length === 0 ? [] : ['workflows:', ...workflows.map((line) => `  ${line}`)]),
        '',
      ].join('\n'),
    ],
    [
      'environments/main.yaml',
      `environment: main\ntemplate: vpc@1.0.0\nprovisioner: ${provisioner}\naccount: "111111111111"\nregion: eu-west-1\n`,
    ],
    ['policy/own.guard', 'rule own { Resources exists }\n'],
  ])
  const read = readCatalog(tree)
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join('\n'))
  return read.value
}

function jobs(files: FileTree, name: string): Readonly<Record<string, Record<string, unknown>>> {
  return parse(files.get(`.github/workflows/${name}`) ?? '').jobs
}

function usesOf(files: FileTree): string[] {
  return [
    ...new Set(
      [...files.values()].flatMap((text) => [...text.matchAll(/uses: (\S+)/g)].map((match) => match[1] ?? '')),
    ),
  ].toSorted()
}

describe('the workflows of a catalog', () => {
  test('have its stages as jobs, each after the one before it', () => {
    const found = jobs(catalogWorkflows(catalog({ stages: ['test', 'canary', 'live'] })), 'stages.yml')

    expect(Object.entries(found).map(([name, { needs }]) => [name, needs])).toEqual([
      ['test', undefined],
      ['canary', 'test'],
      ['live', 'canary'],
      ['settle', ['test', 'canary', 'live']],
    ])
  })

  test('tell of a lost runner in a job whose name is not that of a stage', () => {
    const found = jobs(catalogWorkflows(catalog({ stages: ['dev', 'settle'] })), 'stages.yml')

    expect(Object.entries(found).map(([name, { needs }]) => [name, needs])).toEqual([
      ['dev', undefined],
      ['settle', 'dev'],
      ['settle-run', ['dev', 'settle']],
    ])
  })

  test('say in which repositories they look for what waits, and not without a repository of their own', () => {
    const own = ['actions: actions', 'repository: acme/catalog']
    const found = jobs(catalogWorkflows(catalog({ workflows: [...own, 'fleet: true'] })), 'resume.yml')

    expect(Object.keys(found)).toEqual(['resume', 'fleet'])
    expect(() => catalog({ workflows: ['actions: actions', 'fleet: true'] })).toThrow(/it is not said whose/)
  })

  test('bring upgrades to others where they are told to, and not without a repository of their own', () => {
    const own = ['actions: actions', 'repository: acme/catalog']
    const named = (workflows: readonly string[]): boolean =>
      catalogWorkflows(catalog({ workflows })).has('.github/workflows/upgrade.yml')

    expect([named(own), named([...own, 'upgrades: false']), named([...own, 'upgrades: true'])]).toEqual([
      false,
      false,
      true,
    ])
    expect(() => catalog({ workflows: ['actions: actions', 'upgrades: true'] })).toThrow(/which one this catalog is/)
  })

  test('plan each stage in a job of its own, and post after all of them', () => {
    const found = jobs(catalogWorkflows(catalog({ stages: ['test', 'live'] })), 'plan.yml')

    expect(Object.keys(found)).toEqual(['validate', 'plan-test', 'plan-live', 'post'])
    expect(found['post']?.['needs']).toEqual(['validate', 'plan-test', 'plan-live'])
  })

  test('ask for an identity only where a stage lies in an account', () => {
    const text = (provisioner: string): string => [...catalogWorkflows(catalog({ provisioner })).values()].join('')

    expect(text('local')).not.toContain('id-token')
    expect(text('cloudformation')).toContain('id-token: write')
    expect(text('local')).toContain('state:')
    expect(text('cloudformation')).not.toContain('state:')
  })

  test('take the role of the environment where a stage lies in an account, in that account and region alone', () => {
    const of = (provisioner: string): Readonly<Record<string, unknown>>[] =>
      ['plan.yml', 'stages.yml', 'rollback.yml'].flatMap((name) =>
        Object.values(jobs(catalogWorkflows(catalog({ provisioner, stages: ['test'] })), name)).flatMap(
          ({ environment, steps }) =>
            (Array.isArray(steps) ? steps : [])
              .filter(({ uses }) => String(uses).startsWith('aws-actions/'))
              .map((step: object) => ({ environment, ...step })),
        ),
      )

    expect(of('local')).toEqual([])
    expect(of('cloudformation')).toMatchObject(
      ['test-plan', 'test', 'test-plan', 'test'].map((name) => ({
        environment: { name },
        name: `Take the role of ${name}`,
        if: "vars.PROTIUM_ROLE != ''",
        with: { 'role-to-assume': '${{ vars.PROTIUM_ROLE }}', 'allowed-account-ids': '111111111111' },
      })),
    )
  })

  test('take the actions from a folder of the catalog, or from a commit of another repository', () => {
    const of = (...workflows: string[]): string[] =>
      usesOf(catalogWorkflows(catalog({ workflows }))).filter((uses) => !uses.startsWith('actions/'))

    expect(of('actions: .protium/actions')).toEqual([
      '$/.github/workflows/stages.yml',
      '$/.protium/actions/cancel',
      '$/.protium/actions/deploy',
      '$/.protium/actions/doctor',
      '$/.protium/actions/impact',
      '$/.protium/actions/lock',
      '$/.protium/actions/plan',
      '$/.protium/actions/release',
      '$/.protium/actions/resume',
      '$/.protium/actions/rollback',
      '$/.protium/actions/validate',
    ])
    expect(of(`actions: some/protium/actions@${digits}`, 'version: v1.2.3')).toEqual([
      '$/.github/workflows/stages.yml',
      ...['cancel', 'deploy', 'doctor', 'impact', 'lock', 'plan', 'release', 'resume', 'rollback', 'validate'].map(
        (verb) => `some/protium/actions/${verb}@${digits}`,
      ),
    ])
  })

  test('name the version of an action behind its commit', () => {
    const text = [
      ...catalogWorkflows(
        catalog({ workflows: [`actions: some/protium/actions@${digits}`, 'version: v1.2.3'] }),
      ).values(),
    ].join('')

    expect(text).toContain(`some/protium/actions/plan@${digits} # v1.2.3\n`)
  })

  test('install the programs of the checks in the job without rights, and nowhere else', () => {
    const files = catalogWorkflows(catalog({ checks: '[cfn-lint, cfn-guard]' }))
    const plain = catalogWorkflows(catalog())
    for (const [name, text] of files) {
      const installing = Object.entries(parse(text).jobs ?? {}).filter(([, job]) =>
        /cfn-lint|cfn-guard/u.test(JSON.stringify(job)),
      )
      expect(installing.map(([job]) => job)).toEqual(/validate|plan|deploy/u.test(name) ? ['validate'] : [])
      if (installing.length === 0) expect(text).toBe(plain.get(name))
    }
    const steps: { name: string; run?: string }[] = parse(files.get('.github/workflows/validate.yml') ?? '').jobs
      .validate.steps
    const names = steps.map((step) => step.name)
    const [lint, guard] = ['cfn-lint', 'cfn-guard'].map((program) =>
      names.indexOf(`Install ${program}, for the checks of policy`),
    )
    expect(lint).toBeGreaterThan(0)
    expect([guard, names.indexOf('Check and render all that is touched')]).toEqual([(lint ?? 0) + 1, (lint ?? 0) + 2])
    expect(steps[guard ?? 0]?.run).toContain(
      `${Buffer.from(guardPackage.integrity.replace('sha512-', ''), 'base64').toString('hex')} *cdklabs-cdk-validator-cfnguard-${guardPackage.version}.tgz`,
    )
    const pinned = readFileSync(join(import.meta.dirname, '../../.ci/requirements.txt'), 'utf8')
    expect(pinned).toContain(`\n${/cfn-lint==\S+/u.exec(steps[lint ?? 0]?.run ?? '')?.[0] ?? 'none'}\n`)
  })

  test('are not there for a catalog that asks for none', () => {
    expect(catalogWorkflows(catalog({ workflows: [] }))).toEqual(new Map())
    expect(serviceWorkflows(catalog({ workflows: [] }))).toEqual(new Map())
  })

  test.each([
    '../actions',
    'a/../b',
    '/actions',
    'actions/',
    'some/protium/actions@v1',
    `some/protium@${digits}0`,
    'a b',
    '${{ x }}',
  ])('do not take the actions from %j', (actions) => {
    expect(() => catalog({ workflows: [`actions: ${JSON.stringify(actions)}`] })).toThrow(/actions/)
  })
})

describe('the workflows of a catalog that only plans', () => {
  const lines = ['actions: actions', 'repository: acme/catalog']
  const on = catalogWorkflows(catalog({ provisioner: 'cloudformation', workflows: lines }))
  const off = catalogWorkflows(catalog({ provisioner: 'cloudformation', workflows: [...lines, 'deploy: false'] }))
  const read = (files: FileTree, path: string): { on: Record<string, unknown>; jobs: Record<string, unknown> } =>
    parse(files.get(path) ?? '')

  test('check and plan, release and upgrade as ever', () => {
    for (const name of ['doctor.yml', 'forks.yml', 'impact.yml', 'plan.yml', 'release.yml', 'validate.yml'])
      expect(off.get(`.github/workflows/${name}`)).toBe(on.get(`.github/workflows/${name}`))
  })

  test('deploy nothing, whoever calls them with whatever they may be called with', () => {
    const others = [...on.keys()].filter(
      (path) => !/(?:doctor|forks|impact|plan|release|validate|stages)\.yml$/u.test(path),
    )

    expect(others.length).toBeGreaterThan(2)
    for (const path of others) {
      const { on: triggers, jobs: of } = read(off, path)
      expect(Object.keys(triggers)).toEqual(['workflow_call'])
      expect(triggers['workflow_call']).toEqual(read(on, path).on['workflow_call'] ?? null)
      expect(Object.keys(of)).toEqual(['off'])
      expect(JSON.stringify(of)).not.toContain('uses')
    }
    expect(off.has('.github/workflows/stages.yml')).toBe(false)
  })
})

describe('the workflows of a service repository', () => {
  test('call the catalog, and are the same whatever the stages are', () => {
    const files = serviceWorkflows(catalog())

    expect(usesOf(files)).toEqual(
      ['deploy', 'forks', 'hold', 'plan', 'resume', 'rollback'].map(
        (name) => `acme/catalog/.github/workflows/${name}.yml@main`,
      ),
    )
    expect(serviceWorkflows(catalog({ stages: ['a', 'b', 'c'] }))).toEqual(files)
  })

  test('grant what the called jobs ask for, and nothing more', () => {
    const workflows = ['actions: actions', 'repository: acme/catalog']
    for (const wanted of [
      { provisioner: 'local' },
      { provisioner: 'cloudformation' },
      { workflows: [...workflows, 'app: true'] },
    ]) {
      const own = catalogWorkflows(catalog(wanted))
      const callers = serviceWorkflows(catalog(wanted))
      const asked = (...names: string[]): unknown => union(names.flatMap((name) => Object.values(jobs(own, name))))

      expect(union(Object.values(jobs(callers, 'pull-request.yml')))).toEqual(asked('plan.yml'))
      expect(union(Object.values(jobs(callers, 'deploy.yml')))).toEqual(asked('deploy.yml', 'stages.yml'))
      expect(union(Object.values(jobs(callers, 'forks.yml')))).toEqual(asked('forks.yml'))
    }
  })
})

/** The widest of the rights that jobs have. */
function union(found: readonly Readonly<Record<string, unknown>>[]): Record<string, unknown> {
  const rights: Record<string, unknown> = {}
  for (const { permissions } of found) {
    for (const [scope, access] of Object.entries({ ...(typeof permissions === 'object' ? permissions : {}) })) {
      if (rights[scope] !== 'write') rights[scope] = access
    }
  }
  return rights
}

describe('the workflows of a private catalog', () => {
  const wanted = catalog({ workflows: ['actions: actions', 'repository: acme/catalog', 'app: true'] })

  test('fetch it in a job that looks at nothing else, with a token that may read it and nothing more', () => {
    for (const name of ['plan.yml', 'deploy.yml', 'validate.yml']) {
      const text = JSON.stringify(jobs(catalogWorkflows(wanted), name)['catalog'])

      expect(text).toContain('"owner":"acme","repositories":"catalog","permission-contents":"read"')
      expect(text).toContain('"permissions":{}')
      expect(JSON.stringify(Object.entries(jobs(catalogWorkflows(wanted), name)).slice(1))).not.toMatch(
        /secrets\.|token/,
      )
    }
  })

  test('are handed the key by the callers, by its name', () => {
    const files = serviceWorkflows(wanted)

    expect(jobs(files, 'deploy.yml')['deploy']?.['secrets']).toEqual({ 'app-key': '${{ secrets.PROTIUM_APP_KEY }}' })
    expect(jobs(files, 'pull-request.yml')['plan']?.['secrets']).toEqual({
      'app-key': '${{ secrets.PROTIUM_APP_KEY }}',
    })
    expect(jobs(files, 'forks.yml')['post']?.['secrets']).toBeUndefined()
  })

  test('need to know which repository it is', () => {
    expect(() => catalog({ workflows: ['actions: actions', 'app: true'] })).toThrow(/which repository/)
  })
})

describe('workflows that are out of step with catalog.yaml', () => {
  const wanted = catalogWorkflows(catalog())
  const path = '.github/workflows/stages.yml'
  const stale = (change: (text: string) => string): ReturnType<typeof staleWorkflows> =>
    staleWorkflows(catalog(), new Map(wanted).set(path, change(wanted.get(path) ?? '')))

  test('are none when they are as they were written', () => {
    expect(staleWorkflows(catalog(), wanted)).toEqual([])
  })

  test('are told at the first line that differs, with what belongs there', () => {
    const lines = (wanted.get(path) ?? '').split('\n')
    const line = lines.findIndex((each) => each.trim() === 'queue: max') + 1

    expect(stale((text) => text.replace(' queue: max', ' queue: single'))).toEqual([
      expect.objectContaining({
        code: 'workflow-stale',
        severity: 'error',
        at: { file: path, line, column: 1 },
        expected: `As line ${line}: "queue: max"`,
        remedy: expect.stringContaining('protium workflows --write'),
      }),
    ])
  })

  test.each([
    ['cut short', (text: string) => text.slice(0, -200)],
    ['longer', (text: string) => `${text}# more\n`],
    ['with other line ends', (text: string) => text.replaceAll('\n', '\r\n')],
    ['empty', () => ''],
  ])('are told when one is %s', (_what, change) => {
    expect(stale(change)).toHaveLength(1)
  })

  test('are told when a stage was added, in each file that has stages', () => {
    const more = catalog({ stages: ['dev', 'staging', 'prod'] })

    expect(staleWorkflows(more, wanted).map(({ at }) => at?.file)).toEqual([
      '.github/workflows/plan.yml',
      '.github/workflows/rollback.yml',
      path,
    ])
  })

  test('are told of one that is missing, where catalog.yaml asks for it', () => {
    const some = new Map([...wanted].filter(([file]) => file !== path))

    expect(staleWorkflows(catalog(), some)).toEqual([
      expect.objectContaining({
        message: `The workflow \`${path}\` is missing.`,
        at: expect.objectContaining({ file: 'catalog.yaml', line: 10 }),
      }),
    ])
  })
})
