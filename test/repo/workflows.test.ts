import { data, Evaluator, Lexer, Parser } from '@actions/expressions'
import { validate } from '@actions/languageservice'
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { TextDocument } from 'vscode-languageserver-textdocument'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { catalogOf, workflowsOf } from '../../scripts/generate-workflows.ts'
import type { Environment, Workflows } from '../../src/core/catalog.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { catalogWorkflows, serviceWorkflows, upgradeGrants } from '../../src/core/workflows.ts'
import { checkWorkflow } from './workflow-rules.ts'

const root = join(import.meta.dirname, '../..')
const sample = await catalogOf(root)
const wanted = await workflowsOf(root)
const workflows = globSync(['.github/workflows/*.{yml,yaml}', 'workflows/*/*.{yml,yaml}'], { cwd: root }).toSorted()
const actions = globSync('actions/*/action.yml', { cwd: root }).toSorted()
/** The repository of the sample's catalog, which is this one. */
const catalog = 'acme/catalog'

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

type Job = {
  readonly if?: string
  readonly uses?: string
  readonly needs?: string | readonly string[]
  readonly permissions?: Readonly<Record<string, string>>
  readonly outputs?: Readonly<Record<string, string>>
  readonly environment?: { readonly name: string; readonly deployment?: boolean }
  readonly concurrency?: { readonly group: string; readonly 'cancel-in-progress'?: boolean; readonly queue?: string }
  readonly steps?: readonly {
    readonly uses?: string
    readonly run?: string
    readonly with?: Readonly<Record<string, unknown>>
  }[]
}

function jobsOf(path: string): Readonly<Record<string, Job>> {
  return jobsIn(read(path))
}

function jobsIn(text: string): Readonly<Record<string, Job>> {
  return parse(text).jobs
}

describe('the workflows', () => {
  test('are as catalog.yaml makes them, and there are no others but the checks of this project', () => {
    const stale = [...wanted].filter(([path, text]) => !existsSync(join(root, path)) || read(path) !== text)

    expect(
      stale.map(([path]) => path),
      'Run `npm run generate` and commit what changes.',
    ).toEqual([])
    expect(workflows).toEqual([...wanted.keys(), '.github/workflows/ci.yml'].toSorted())
  })

  test.each(workflows)('%s keeps the rules', (path) => {
    expect(checkWorkflow(read(path), { own: [catalog] })).toEqual([])
  })

  test.each([...workflows, ...actions])('%s is right to the reader of GitHub’s own', async (path) => {
    expect(await findings(path)).toEqual([])
  })

  test('pass the zizmor', ({ skip }) => {
    if (spawnSync('zizmor', ['--version']).error !== undefined) skip('zizmor is not installed')
    const args = ['--offline', '--no-progress', '--quiet', '--format=plain', '--', ...workflows, ...actions]
    const { stdout, status } = spawnSync('zizmor', args, { cwd: root, encoding: 'utf8' })

    expect({ stdout, status }).toMatchObject({ status: 0 })
  })

  test('name each action of others by one commit, everywhere the same', () => {
    const named = workflows.flatMap((path) =>
      [...read(path).matchAll(/uses: ((?!\$\/|acme\/)\S+ # \S+)/g)].map((match) => match[1] ?? ''),
    )

    expect([...new Set(named)].toSorted()).toEqual([
      'actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1',
      'actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1',
      'actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1',
    ])
  })
})

/** What GitHub's language service finds, each with its line. `files` are there instead of what the repository has. */
async function findings(path: string, files: FileTree = new Map()): Promise<string[]> {
  const contentOf = (name: string): string => files.get(name) ?? read(posix.normalize(name))
  const found = await validate(TextDocument.create(`file:///${path}`, 'yaml', 1, contentOf(path)), {
    fileProvider: {
      getFileContent: async (reference) => {
        // `$/` is the repository of the file itself; the copies for others find there what this repository has elsewhere.
        const name = 'repository' in reference ? reference.path : reference.path.replace(/^\.protium\//, '')
        return { name, content: contentOf(name) }
      },
    },
    actionsMetadataProvider: {
      fetchActionMetadata: async ({ owner, name }) => {
        const inputs = inputsOfOthers[`${owner}/${name}`]
        return (
          inputs && {
            name,
            description: name,
            inputs: Object.fromEntries(inputs.map((input) => [input, { description: input }])),
          }
        )
      },
    },
  })
  return found.map(
    ({ range, message }) => `${path}:${range.start.line + 1} ${typeof message === 'string' ? message : message.value}`,
  )
}

/** The inputs that we use of the actions of others, as their action.yml has them at the commit that we name. */
const inputsOfOthers: Readonly<Record<string, readonly string[]>> = {
  'actions/checkout': ['repository', 'ref', 'path', 'token', 'fetch-depth', 'persist-credentials'],
  'actions/create-github-app-token': [
    'client-id',
    'private-key',
    'owner',
    'repositories',
    'permission-actions',
    'permission-checks',
    'permission-contents',
    'permission-deployments',
    'permission-members',
    'permission-pull-requests',
    'permission-statuses',
  ],
  'actions/download-artifact': ['name', 'artifact-ids', 'path', 'merge-multiple', 'github-token', 'run-id'],
  'actions/upload-artifact': ['name', 'path', 'if-no-files-found', 'retention-days'],
}

describe('the workflows of other catalogs', () => {
  const variants = [
    ['in accounts', { provisioner: 'cloudformation' }],
    ['private', { provisioner: 'local', app: true }],
    ['private, in accounts', { provisioner: 'cloudformation', app: true }],
    ['with a fleet', { provisioner: 'local', fleet: true }],
    ['with teams and a glass', { provisioner: 'cloudformation', teams: true, glass: true }],
    ['private, with teams and a glass', { provisioner: 'local', app: true, teams: true, glass: true }],
    ['in accounts, with roles of its own', { provisioner: 'cloudformation', trust: true }],
    ['with upgrades', { provisioner: 'local', upgrades: true }],
    ['with upgrades, that only plans', { provisioner: 'cloudformation', upgrades: true, deploy: false }],
  ] as const

  describe.each(variants)('%s', (_what, { provisioner, ...more }) => {
    const files = variant(provisioner, more)
    // Where roles are given to the main branch of the catalog, its own files call one another by that.
    const own = 'trust' in more ? [catalog] : []

    test.each([...files.own.keys()])('%s keeps the rules', (path) => {
      expect(checkWorkflow(files.own.get(path) ?? '', { own })).toEqual([])
    })

    test.each([...files.own.keys()])('%s is right to the reader of GitHub’s own', async (path) => {
      expect(await findings(path, files.own)).toEqual([])
    })

    test.each([...files.callers.keys()])('the caller %s is right to both', async (path) => {
      const text = files.callers.get(path) ?? ''
      // The caller stands beside the files that it calls, under another name.
      const beside = new Map([...files.own, ['caller.yml', text]])

      expect(checkWorkflow(text, { own: [catalog] })).toEqual([])
      expect(await findings('caller.yml', beside)).toEqual([])
    })

    test('no job that reads what a pull request brought is given a secret', () => {
      const jobs: Readonly<Record<string, unknown>> = parse(files.own.get('.github/workflows/plan.yml') ?? '').jobs
      const secret = Object.entries(jobs).filter(([, job]) => /secrets\.|app-key/.test(JSON.stringify(job)))

      expect(secret.map(([name]) => name)).toEqual('app' in more ? ['catalog'] : [])
    })
  })
})

/** The workflows of the sample, had its catalog been another. */
function variant(
  provisioner: Environment['provisioner'],
  { trust, glass, ...more }: Partial<Workflows> & { readonly trust?: true; readonly glass?: true },
): Record<'own' | 'callers', FileTree> {
  const { environments, workflows: said } = sample
  if (said === undefined) throw new Error('The sample has no workflows')
  const other = {
    ...sample,
    environments: new Map([...environments].map(([name, each]) => [name, { ...each, provisioner }])),
    workflows: { ...said, ...more },
    ...(glass === true && { glass: { by: ['@acme/oncall'] } }),
    ...(trust === undefined
      ? {}
      : { trust: { organisation: { name: 'acme', id: '1' }, repositories: [], actions: [] } }),
  }
  return { own: catalogWorkflows(other), callers: serviceWorkflows(other) }
}

const stages = ['dev', 'staging', 'prod']
const look = { contents: 'read' }
const post = { checks: 'write', 'pull-requests': 'write' }
const back = { contents: 'write', deployments: 'write' }
const deploy = { actions: 'read', checks: 'write', contents: 'write', deployments: 'write', 'pull-requests': 'write' }
const settle = { actions: 'read', contents: 'write', deployments: 'write', 'pull-requests': 'write' }
const resume = { actions: 'write', contents: 'write', deployments: 'write', 'pull-requests': 'read' }
const lock = { actions: 'read', contents: 'write' }
const cancel = { contents: 'write', deployments: 'write', 'pull-requests': 'write' }
const everyStage = (rights: object, prefix = ''): object =>
  Object.fromEntries(stages.map((stage) => [prefix + stage, rights]))

describe('the rights of the jobs', () => {
  // A wider right shall not come in with another change: it is written down here a second time.
  const table = {
    '.github/workflows/ci.yml': { ci: look },
    '.github/workflows/validate.yml': { validate: look },
    '.github/workflows/plan.yml': { validate: look, ...everyStage(look, 'plan-'), post },
    '.github/workflows/forks.yml': { post: { actions: 'read', ...post }, impact: { actions: 'read', ...post } },
    '.github/workflows/impact.yml': { render: look, post },
    '.github/workflows/release.yml': { check: {}, release: { contents: 'write' } },
    '.github/workflows/deploy.yml': { validate: look, environments: deploy, services: deploy },
    '.github/workflows/doctor.yml': { doctor: { actions: 'read', contents: 'read' } },
    '.github/workflows/hold.yml': { check: {}, lock, cancel },
    '.github/workflows/resume.yml': { resume },
    '.github/workflows/rollback.yml': { check: {}, ...everyStage(look, 'plan-'), ...everyStage(back, 'rollback-') },
    '.github/workflows/stages.yml': { ...everyStage(deploy), settle },
    'workflows/service/pull-request.yml': { plan: { ...look, ...post } },
    'workflows/service/forks.yml': { post: { actions: 'read', ...post } },
    'workflows/service/deploy.yml': { deploy },
    'workflows/service/hold.yml': { hold: { ...lock, ...cancel } },
    'workflows/service/resume.yml': { resume },
    'workflows/service/rollback.yml': { rollback: back },
  }

  test.each(Object.entries(table))('of %s are those of the table', (path, rights) => {
    const found = Object.fromEntries(Object.entries(jobsOf(path)).map(([name, { permissions }]) => [name, permissions]))

    expect(found).toEqual(rights)
  })

  test('are the same in the copies for a new catalog', () => {
    const copies = workflows.filter((path) => path.startsWith('workflows/catalog/'))

    expect(copies.map((path) => read(path).replaceAll('$/.protium/actions/', '$/actions/'))).toEqual(
      copies.map((path) => read(path.replace('workflows/catalog/', '.github/workflows/'))),
    )
  })

  test.each(workflows)(
    'in %s: what a pull request brought is checked out only where nothing can be written',
    (path) => {
      const loose = Object.entries(jobsOf(path)).filter(([, { permissions, steps = [] }]) => {
        const brought = steps.some(
          ({ uses, with: inputs }) => uses?.startsWith('actions/checkout@') && inputs?.['ref'] === undefined,
        )
        return brought && Object.values(permissions ?? {}).includes('write')
      })

      // Nobody but the default branch's own files is checked out there: after a merge, or by hand.
      const merged = path.endsWith('/stages.yml')
        ? stages
        : path.endsWith('catalog/rollback.yml') || path === '.github/workflows/rollback.yml'
          ? stages.map((stage) => `rollback-${stage}`)
          : path.endsWith('catalog/hold.yml') || path === '.github/workflows/hold.yml'
            ? ['lock', 'cancel']
            : path.endsWith('/release.yml')
              ? ['release']
              : []
      expect(loose.map(([name]) => name)).toEqual(merged)
    },
  )

  test.each(workflows)('in %s: no job that writes to a pull request before the merge checks anything out', (path) => {
    const posting = Object.values(jobsOf(path)).filter(
      ({ permissions }) => permissions?.['pull-requests'] === 'write' && permissions['contents'] === undefined,
    )

    expect(
      posting
        .flatMap(({ steps = [] }) => steps)
        .filter(({ uses, run }) => run !== undefined || uses?.startsWith('actions/checkout@')),
    ).toEqual([])
  })
})

describe('templates of a pull request are rendered where there is nothing to take', () => {
  const everywhere = [
    ['local', variant('local', {})],
    ['in accounts', variant('cloudformation', {})],
    ['private, in accounts', variant('cloudformation', { app: true })],
    ['with upgrades', variant('local', { upgrades: true })],
  ] as const
  const before = ['plan.yml', 'validate.yml', 'forks.yml', 'impact.yml'].map((name) => `.github/workflows/${name}`)

  test.each(everywhere.flatMap(([what, { own }]) => before.map((path) => ({ what, path, text: own.get(path) ?? '' }))))(
    '$what, $path: a job that renders has no identity, no secret, no environment, and may write nothing',
    ({ text }) => {
      const rendering = Object.values(jobsIn(text)).filter(({ steps = [] }) =>
        steps.some(
          ({ uses, with: inputs }) =>
            isOwn(uses, 'validate') ||
            (isOwn(uses, 'plan') && inputs?.['request'] === undefined) ||
            (isOwn(uses, 'impact') && inputs?.['report'] === undefined),
        ),
      )

      for (const job of rendering) {
        expect(job.permissions).toEqual({ contents: 'read' })
        expect(job.environment).toBeUndefined()
        expect(JSON.stringify(job)).not.toMatch(/secrets\.|github\.token|id-token/)
      }
      expect(rendering).toHaveLength(/\/validate|^name: Blast radius$/mu.test(text) ? 1 : 0)
    },
  )

  test.each(everywhere)(
    '%s: a job with an identity or an environment is handed what was rendered, and the merged catalog',
    (_what, { own }) => {
      const trusted = Object.values(jobsIn(own.get('.github/workflows/plan.yml') ?? '')).filter(
        ({ environment, permissions }) => environment !== undefined || permissions?.['id-token'] !== undefined,
      )

      expect(trusted).toHaveLength(stages.length)
      for (const { steps = [] } of trusted) {
        const plans = steps.filter(({ uses }) => isOwn(uses, 'plan'))
        const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'))
        expect(plans.map(({ with: inputs }) => typeof inputs?.['request'])).toEqual(['string'])
        expect(steps.filter(({ uses }) => isOwn(uses, 'validate') || isOwn(uses, 'deploy'))).toEqual([])
        for (const { with: inputs } of checkouts)
          expect(inputs?.['ref']).toMatch(/github\.event\.pull_request\.base\.sha|job\.workflow_sha/)
      }
    },
  )
})

function isOwn(uses: string | undefined, verb: string): boolean {
  return uses?.replace(/@.*$/, '').endsWith(`/actions/${verb}`) === true
}

describe('the stages', () => {
  const { settle: end, ...found } = jobsOf('.github/workflows/stages.yml')

  test('are jobs in the order of catalog.yaml, each with its environment', () => {
    expect(Object.entries(found).map(([name, { needs, environment }]) => [name, needs, environment])).toEqual([
      ['dev', undefined, { name: 'dev', deployment: false }],
      ['staging', 'dev', { name: 'staging', deployment: false }],
      ['prod', 'staging', { name: 'prod', deployment: false }],
    ])
  })

  test('are told of at the end, where one of them could not speak for itself', () => {
    expect(end).toMatchObject({ needs: stages, if: 'failure() || cancelled()' })
    expect(end?.environment).toBeUndefined()
    expect(end?.steps?.map(({ with: inputs }) => inputs)).toEqual([
      {
        service: '${{ inputs.service }}',
        jobs: '${{ toJSON(needs) }}',
        environments: stages.map((stage) => `${stage}: ${stage}\n`).join(''),
      },
    ])
    expect(Object.values(found).map(({ outputs }) => outputs)).toEqual(
      stages.map(() => ({ exit: '${{ steps.deploy.outputs.exit }}' })),
    )
  })

  test('take one deployment of a service at a time, and let none fall out of the queue', () => {
    expect(Object.values(found).map(({ concurrency }) => concurrency)).toEqual(
      stages.map((stage) => ({
        group: `protium-deploy-\${{ inputs.service }}-${stage}`,
        'cancel-in-progress': false,
        queue: 'max',
      })),
    )
  })

  test('are gone back in under the same rules and in the same queue as they are deployed to', () => {
    const back = Object.entries(jobsOf('.github/workflows/rollback.yml')).filter(([name]) =>
      name.startsWith('rollback-'),
    )

    expect(back.map(([, { environment, concurrency }]) => ({ environment, concurrency }))).toEqual(
      Object.values(found).map(({ environment, concurrency }) => ({ environment, concurrency })),
    )
    expect(back.map(([name, { needs }]) => [name, needs])).toEqual(
      stages.map((stage) => [`rollback-${stage}`, `plan-${stage}`]),
    )
  })

  test('are planned under an environment of their own, which is not that of the deployment', () => {
    const plans = Object.entries(jobsOf('.github/workflows/plan.yml')).filter(([name]) => name.startsWith('plan-'))

    expect(plans.map(([, { environment }]) => environment)).toEqual(
      stages.map((stage) => ({ name: `${stage}-plan`, deployment: false })),
    )
  })
})

describe('a catalog with a fleet', () => {
  const { own, callers } = variant('local', { fleet: true })
  const jobs = jobsIn(own.get('.github/workflows/resume.yml') ?? '')
  const merged = { head: { repo: { full_name: 'acme/catalog' } }, merged_at: '2026-11-25T12:00:00Z' }
  const approved = { review: { state: 'approved' }, pull_request: merged }

  test.each([
    ['its schedule', 'schedule', 'acme/catalog', {}, ['fleet']],
    ['a person', 'workflow_dispatch', 'acme/catalog', {}, ['fleet']],
    ['a review', 'pull_request_review', 'acme/catalog', approved, ['resume']],
    ['a person in another repository', 'workflow_dispatch', 'acme/shop', {}, ['resume']],
  ])('is looked after by one job: %s', (_what, event_name, repository, event, expected) => {
    const github = { event_name, repository, event }
    const begun = Object.entries(jobs).filter(([, job]) => begins(job, { github }))

    expect(begun.map(([name]) => name)).toEqual(expected)
  })

  test('keeps the key of its App in an environment, and gives that job no right of its own', () => {
    expect(jobs['fleet']).toMatchObject({ environment: { name: 'protium-fleet' }, permissions: {} })
    expect(jobs['fleet']?.steps?.[0]?.with).toMatchObject({ owner: 'acme', 'permission-actions': 'write' })
    expect(JSON.stringify(jobs['resume'])).not.toContain('secrets.')
  })

  test('labels what a lost runner leaves in another repository, whose own schedule is not needed', () => {
    const { settle: end } = jobsIn(own.get('.github/workflows/stages.yml') ?? '')

    expect(end?.permissions).toEqual({ ...settle, 'pull-requests': 'write' })
    expect(end?.steps?.[0]?.with?.['label']).toBe('${{ github.repository != job.workflow_repository }}')
    expect(callers.get('.github/workflows/resume.yml')).not.toContain('schedule')
  })
})

describe('a catalog with upgrades', () => {
  const { own, callers } = variant('local', { upgrades: true })
  const text = own.get('.github/workflows/upgrade.yml') ?? ''
  const jobs = jobsIn(text)
  const event = { repository: { default_branch: 'main' } }
  const main = { github: { ref: 'refs/heads/main', event } }
  const skipped = { control: { result: 'skipped' } }
  const begun = (given: Readonly<Record<string, unknown>>): readonly string[] =>
    Object.entries(jobs).flatMap(([name, job]) => (begins(job, given) ? [name] : []))
  const planned = (shards: string, result = 'success'): object => ({
    ...skipped,
    plan: { result, outputs: { shards } },
  })

  test('has them only where it says so, and nothing of it in service repositories', () => {
    expect([...wanted.keys()].filter((path) => path.endsWith('/upgrade.yml'))).toEqual([])
    expect(read('.github/workflows/release.yml')).not.toContain('upgrade')
    expect(read('.github/workflows/impact.yml')).not.toContain('consumers')
    expect(callers).toEqual(variant('local', {}).callers)
  })

  test('plans with a token that may only read, and writes with one for the repositories of a shard alone', () => {
    const taken = Object.entries(jobs).flatMap(([name, { steps = [] }]) =>
      steps.flatMap(({ uses, with: inputs = {} }) =>
        uses?.startsWith('actions/create-github-app-token@') === true
          ? [[name, inputs['repositories'], rightsIn(inputs)] as const]
          : [],
      ),
    )
    const reads = { checks: 'read', contents: 'read', 'pull-requests': 'read', statuses: 'read' }
    const asked = Object.fromEntries(upgradeGrants.map(([scope, access]) => [scope, access]))

    // What a doctor asks of the App is what its jobs take, and nothing more.
    expect(asked).toEqual({ ...reads, deployments: 'read', contents: 'write', 'pull-requests': 'write' })
    expect(taken).toEqual([
      ['plan', undefined, { ...reads, deployments: 'read' }],
      ['upgrade', '${{ matrix.part.repositories }}', { ...reads, contents: 'write', 'pull-requests': 'write' }],
    ])
  })

  test('keeps the key in an environment, and gives no job of its own more than its branch and its issue', () => {
    const own = { contents: 'write', issues: 'write' }

    expect(Object.fromEntries(Object.entries(jobs).map(([name, { permissions }]) => [name, permissions]))).toEqual({
      check: {},
      control: own,
      plan: own,
      upgrade: own,
    })
    const keyed = Object.entries(jobs).filter(([, job]) => JSON.stringify(job).includes('secrets.'))
    expect(keyed.map(([name, { environment }]) => [name, environment])).toEqual(
      ['plan', 'upgrade'].map((name) => [name, { name: 'protium-upgrades', deployment: false }]),
    )
  })

  test.each([
    ['the hour', {}, skipped, ['plan']],
    ['a person who goes on', { what: 'go on' }, skipped, ['plan']],
    ['a person who pauses a rollout', { what: 'pause' }, { control: { result: 'success' } }, ['control']],
    [
      'a person who begins the next wave',
      { what: 'next-wave' },
      { control: { result: 'success' } },
      ['control', 'plan'],
    ],
    ['a person who halts a rollout', { what: 'halt' }, { control: { result: 'success' } }, ['control']],
    ['a person who resumes one', { what: 'resume' }, { control: { result: 'success' } }, ['control', 'plan']],
    ['one who may not', { what: 'abort' }, { control: { result: 'failure' } }, ['control']],
    ['something to be written', {}, planned('[{"shard":"1/1","repositories":"a"}]'), ['plan', 'upgrade']],
    ['nothing to be written', {}, planned('[]'), ['plan']],
    ['a plan that has failed', {}, planned('', 'failure'), ['plan']],
  ])('does for %s what is to be done', (_what, inputs, needs, expected) => {
    expect(begun({ ...main, inputs, needs })).toEqual(expected)
  })

  test('does nothing on another branch, and says so', () => {
    const github = { ref: 'refs/heads/next', event }

    expect(begun({ github, inputs: { what: 'halt' }, needs: skipped })).toEqual(['check'])
  })

  test('writes one shard after the other, and lets nobody wait who halts a rollout', () => {
    const { concurrency, jobs: parsed } = parse(text)

    expect(parsed.upgrade.strategy).toEqual({
      'fail-fast': false,
      'max-parallel': 1,
      matrix: { part: '${{ fromJSON(needs.plan.outputs.shards) }}' },
    })
    expect(concurrency).toEqual({
      group: `protium-upgrade-\${{ contains(fromJSON('["halt","pause"]'), inputs.what) && 'halt' || 'write' }}`,
      'cancel-in-progress': false,
      queue: 'max',
    })
  })

  test('offers what was released at once, and nothing where nothing was', () => {
    const { upgrade } = jobsIn(own.get('.github/workflows/release.yml') ?? '')
    const after = (released: string): boolean => begins(upgrade, { needs: { release: { outputs: { released } } } })

    expect([after('["web@1.2.0"]'), after('[]'), after('')]).toEqual([true, false, false])
    expect(upgrade?.permissions).toEqual({ actions: 'write' })
    expect(upgrade?.steps?.map(({ run }) => run)).toEqual([
      expect.stringContaining('/workflows/upgrade.yml/dispatches'),
    ])
  })

  test('takes of what runs elsewhere what a scheduled run has read last, whoever made another', ({ skip }) => {
    if (spawnSync('jq', ['--version']).error !== undefined) skip('jq is not installed')
    const steps = jobsIn(own.get('.github/workflows/impact.yml') ?? '')['consumers']?.steps ?? []
    const script = steps.find(({ run }) => run !== undefined)?.run ?? ''
    const folder = mkdtempSync(join(tmpdir(), 'protium-find-'))
    const upgrades = '.github/workflows/upgrade.yml'
    type Made = { readonly id: number; readonly path?: string; readonly artifacts?: readonly { expired: boolean }[] }
    /** What the step gives out where GitHub knows of these runs by schedule, the newest first. */
    const found = (...runs: readonly Made[]): string => {
      const answers = new Map<string, unknown>([
        ['runs?event=schedule&per_page=100', { workflow_runs: runs.map(({ id, path = upgrades }) => ({ id, path })) }],
        ...runs.map(({ id, artifacts = [] }): [string, unknown] => [
          `${id}/artifacts?name=protium-consumers`,
          { artifacts },
        ]),
      ])
      const cases = [...answers].map(([end, answer]) => `*'/${end}') echo '${JSON.stringify(answer)}' ;;`)
      const text = `#!/bin/sh\nfor last; do :; done\ncase "$last" in\n${cases.join('\n')}\n*) exit 22 ;;\nesac\n`
      writeFileSync(join(folder, 'curl'), text, { mode: 0o755 })
      writeFileSync(join(folder, 'output'), '')
      const env = {
        PATH: `${folder}:${process.env['PATH'] ?? ''}`,
        GITHUB_API_URL: 'http://127.0.0.1',
        GITHUB_REPOSITORY: 'acme/catalog',
        GITHUB_OUTPUT: join(folder, 'output'),
      }
      const ended = spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], {
        env,
        encoding: 'utf8',
      })
      return `${ended.stderr}${readFileSync(join(folder, 'output'), 'utf8')}`
    }
    const good = { artifacts: [{ expired: false }] }

    expect(found({ id: 3 }, { id: 2, ...good }, { id: 1, ...good })).toBe('run=2\n')
    expect(found({ id: 2, artifacts: [{ expired: true }] }, { id: 1, ...good })).toBe('run=1\n')
    expect(found({ id: 2, path: '.github/workflows/other.yml', ...good }, { id: 1, ...good })).toBe('run=1\n')
    expect(found()).toBe('')
    rmSync(folder, { recursive: true })
  })
})

function rightsIn(inputs: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, access]) => {
      const [, scope] = /^permission-(.*)$/u.exec(name) ?? []
      return scope === undefined ? [] : [[scope, access]]
    }),
  )
}

describe('the conditions of the jobs', () => {
  const own = { event: { pull_request: { head: { repo: { full_name: 'acme/catalog' } } } }, repository: 'acme/catalog' }
  const fork = { event: { pull_request: { head: { repo: { full_name: 'eve/catalog' } } } }, repository: 'acme/catalog' }
  /** The fork was deleted after the pull request was opened. */
  const gone = { event: { pull_request: { head: { repo: null } } }, repository: 'acme/catalog' }
  const validated = {
    validate: {
      result: 'success',
      outputs: { stages: '["dev","prod"]', services: '["checkout"]', environments: 'false', request: '17' },
    },
  }
  const plan = '.github/workflows/plan.yml'

  test.each([
    ['a stage that is touched', 'plan-dev', own, true],
    ['a stage that is not', 'plan-staging', own, false],
    ['a fork', 'plan-dev', fork, false],
    ['a fork that is gone', 'plan-dev', gone, false],
  ])('a plan: %s', (_what, job, github, expected) => {
    expect(runs(plan, job, { github, needs: validated })).toBe(expected)
  })

  test('a stage whose name is part of another is not planned in its place', () => {
    const needs = {
      validate: { ...validated.validate, outputs: { ...validated.validate.outputs, stages: '["dev2","prod-eu"]' } },
    }

    expect(stages.map((stage) => runs(plan, `plan-${stage}`, { github: own, needs }))).toEqual([false, false, false])
  })

  test.each([
    ['after everything went well', own, validated, 'success', true],
    [
      'after validate found something wrong',
      own,
      { validate: { result: 'failure', outputs: { request: '17' } } },
      'failure',
      true,
    ],
    [
      'not where validate broke down',
      own,
      { validate: { result: 'failure', outputs: { request: '' } } },
      'failure',
      false,
    ],
    ['not where validate did not begin', own, { validate: { result: 'skipped', outputs: {} } }, 'failure', false],
    ['not for a run that a newer push has replaced', own, validated, 'cancelled', false],
    ['not for a fork', fork, validated, 'success', false],
  ] as const)('the comment: %s', (_what, github, needs, status, expected) => {
    expect(runs(plan, 'post', { github, needs }, status)).toBe(expected)
  })

  test.each([
    ['the pull request of a fork', 'pull_request', { full_name: 'eve/catalog' }, true],
    ['one whose fork is gone', 'pull_request', null, true],
    ['a pull request of this repository', 'pull_request', { full_name: 'acme/catalog' }, false],
    ['a run for something else', 'push', { full_name: 'eve/catalog' }, false],
  ])('the comment on a fork: %s', (_what, event, head, expected) => {
    const of = (name: string): object => ({
      event: { workflow_run: { event, name, head_repository: head } },
      repository: 'acme/catalog',
    })
    const begun = ['Plan', 'Pull request', 'Blast radius'].map((name) =>
      ['post', 'impact'].filter((job) => runs('.github/workflows/forks.yml', job, { github: of(name) })),
    )

    expect(begun).toEqual(expected ? [['post'], ['post'], ['impact']] : [[], [], []])
  })

  test.each([
    ['a push to the default branch', 'push', 'refs/heads/main', true],
    ['a push to another branch', 'push', 'refs/heads/next', false],
    ['a branch whose name only begins so', 'push', 'refs/heads/mai', false],
    ['a pull request', 'pull_request', 'refs/pull/1/merge', false],
    ['a dispatch', 'workflow_dispatch', 'refs/heads/main', false],
    // Expressions compare without regard to case. The action and the rules of the environments do not.
    ['a branch called MAIN', 'push', 'refs/heads/MAIN', true],
  ])('a deployment: %s', (_what, event, ref, expected) => {
    const github = { event_name: event, ref, event: { repository: { default_branch: 'main' } } }

    expect(runs('.github/workflows/deploy.yml', 'validate', { github })).toBe(expected)
  })

  test.each([
    ['the stage that is named', 'plan-prod', 'prod', 'refs/heads/main', true],
    ['no other stage', 'plan-dev', 'prod', 'refs/heads/main', false],
    ['not on another branch', 'plan-prod', 'prod', 'refs/heads/next', false],
    ['another branch is told of', 'check', 'prod', 'refs/heads/next', true],
    ['a stage that there is not is told of', 'check', 'pro', 'refs/heads/main', true],
    ['nothing is told where all is well', 'check', 'prod', 'refs/heads/main', false],
  ])('a rollback: %s', (_what, job, stage, ref, expected) => {
    const github = { ref, event: { repository: { default_branch: 'main' } } }

    expect(runs('.github/workflows/rollback.yml', job, { github, inputs: { stage } })).toBe(expected)
  })

  test.each([
    ['where no environment is touched', 'skipped', '["checkout"]', 'success', true],
    ['after the environments', 'success', '["checkout"]', 'success', true],
    ['not where an environment failed', 'failure', '["checkout"]', 'failure', false],
    ['not where no service is touched', 'skipped', '[]', 'success', false],
    ['not in a run that was cancelled', 'skipped', '["checkout"]', 'cancelled', false],
  ] as const)('the services: %s', (_what, environments, services, status, expected) => {
    const needs = { validate: { result: 'success', outputs: { services } }, environments: { result: environments } }

    expect(runs('.github/workflows/deploy.yml', 'services', { needs }, status)).toBe(expected)
  })
})

describe('what people start to hold something, or in an emergency', () => {
  const event = { repository: { default_branch: 'main' } }
  const holding = jobsOf('.github/workflows/hold.yml')
  const { own, callers } = variant('local', { glass: true, teams: true })
  const breaking = jobsIn(own.get('.github/workflows/glass.yml') ?? '')
  const begun = (jobs: Readonly<Record<string, Job>>, given: Readonly<Record<string, unknown>>): readonly string[] =>
    Object.entries(jobs).flatMap(([name, job]) => (begins(job, given) ? [name] : []))

  test.each([
    ['lock', ['lock']],
    ['unlock', ['lock']],
    ['cancel', ['cancel']],
    ['deploy', []],
  ])('one job does %s, on the default branch', (what, expected) => {
    const github = { ref: 'refs/heads/main', event }

    expect(begun(holding, { github, inputs: { what } })).toEqual(expected)
  })

  test.each(['refs/heads/mine', 'refs/tags/main', 'refs/pull/1/merge'])(
    'on %s nothing is done, and it is said',
    (ref) => {
      expect(begun(holding, { github: { ref, event }, inputs: { what: 'lock' } })).toEqual(['check'])
      expect(begun(breaking, { github: { ref, event } })).toEqual(['check'])
    },
  )

  test('the glass is broken on the default branch, for the stages in their order, with the reason', () => {
    expect(begun(breaking, { github: { ref: 'refs/heads/main', event } })).toEqual(['deploy'])
    expect(parse(own.get('.github/workflows/glass.yml') ?? '').jobs.deploy.with).toEqual({
      service: '${{ inputs.service }}',
      image: '${{ inputs.image }}',
      'break-glass': '${{ inputs.reason }}',
    })
    const staged = jobsIn(own.get('.github/workflows/stages.yml') ?? '')
    for (const stage of stages) {
      const step = staged[stage]?.steps?.find(({ uses }) => isOwn(uses, 'deploy'))
      expect(step?.with).toMatchObject({
        'break-glass': '${{ inputs.break-glass }}',
        'team-token': '${{ steps.teams.outputs.token }}',
      })
    }
  })

  test('there is no such workflow where the catalog names nobody who may', () => {
    expect([...wanted.keys()].filter((path) => path.endsWith('/glass.yml'))).toEqual([])
    expect(wanted.get('.github/workflows/stages.yml')).not.toContain('break-glass')
    expect([...callers.keys()]).toContain('.github/workflows/glass.yml')
  })

  test('a token that sees teams sees nothing else, and is taken only where the catalog says so', () => {
    const takes = /permission-(?!members: read)|team-key/u
    expect(wanted.get('.github/workflows/stages.yml')).not.toMatch(takes)
    for (const [path, text] of own) {
      const steps = Object.values(jobsIn(text)).flatMap(({ steps: all = [] }) => all)
      const taken = steps.filter(({ uses }) => uses?.startsWith('actions/create-github-app-token@'))
      for (const { with: inputs } of taken) {
        const rights = Object.keys(inputs ?? {}).filter((name) => name.startsWith('permission-'))
        expect([path, rights]).toEqual([path, ['permission-members']])
      }
    }
  })
})

describe('what wakes promotions that wait', () => {
  const merged = { head: { repo: { full_name: 'acme/catalog' } }, merged_at: '2026-11-25T12:00:00Z' }
  const approved = { state: 'approved' }

  test.each([
    ['the schedule', 'schedule', {}, true],
    ['a person', 'workflow_dispatch', {}, true],
    ['the approval of what is merged', 'pull_request_review', { review: approved, pull_request: merged }, true],
    ['not a comment on it', 'pull_request_review', { review: { state: 'commented' }, pull_request: merged }, false],
    [
      'not the approval of what is not merged',
      'pull_request_review',
      { review: approved, pull_request: { ...merged, merged_at: null } },
      false,
    ],
    [
      'not that of a fork, which may write nothing',
      'pull_request_review',
      { review: approved, pull_request: { ...merged, head: { repo: { full_name: 'eve/catalog' } } } },
      false,
    ],
  ])('%s', (_what, event_name, event, expected) => {
    const github = { event_name, event, repository: 'acme/catalog' }

    expect(runs('.github/workflows/resume.yml', 'resume', { github })).toBe(expected)
  })

  test.each([
    ['success', false],
    ['failure', true],
    ['cancelled', true],
  ] as const)('the end of a run is looked at after %s: %s', (status, expected) => {
    expect(runs('.github/workflows/stages.yml', 'settle', {}, status)).toBe(expected)
  })
})

type Status = 'success' | 'failure' | 'cancelled'

/** Whether a job would begin, by GitHub's own evaluation of its condition. */
function runs(
  path: string,
  job: string,
  contexts: Readonly<Record<string, unknown>>,
  status: Status = 'success',
): boolean {
  return begins(jobsOf(path)[job], contexts, status)
}

function begins(
  job: Job | undefined,
  contexts: Readonly<Record<string, unknown>>,
  status: Status = 'success',
): boolean {
  const condition = job?.if?.replace(/^\$\{\{(.*)\}\}$/s, '$1') ?? 'success()'
  const functions = ['success', 'failure', 'cancelled', 'always'].map((name) => ({
    name,
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(name === 'always' || name === status),
  }))
  const { tokens } = new Lexer(condition).lex()
  const expression = new Parser(tokens, ['github', 'needs', 'inputs'], functions).parse()
  const context = JSON.parse(JSON.stringify(contexts), data.reviver)
  const value = new Evaluator(expression, context, new Map(functions.map((each) => [each.name, each]))).evaluate()
  const asks = /\b(success|failure|cancelled|always)\s*\(/.test(condition)
  const holds = value.coerceString() === 'true'
  return holds && (asks || status === 'success')
}
