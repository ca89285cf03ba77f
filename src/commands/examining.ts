import { join } from 'node:path'

import type { Ports } from '../command.ts'
import type { Catalog, Environment } from '../core/catalog.ts'
import type {
  AppFacts,
  BucketFacts,
  Facts,
  FileFacts,
  PersonFacts,
  RepositoryFacts,
  RoleFacts,
  Seen,
  ZoneFacts,
} from '../core/doctor/facts.ts'
import { seen } from '../core/doctor/facts.ts'
import { ownersFiles } from '../core/doctor/owners.ts'
import { namedIn } from '../core/doctor/people.ts'
import { recordsIn } from '../core/ledger.ts'
import type { HostPattern } from '../core/stage.ts'
import { catalogWorkflows, fleetGrants, staleWorkflows, upgradeGrants } from '../core/workflows.ts'
import type { AccountHost, SettingsHost } from '../ports.ts'
import { releaseFaults } from './released.ts'
import { workflowFiles } from './workflows.ts'

type Place = { readonly root: string; readonly catalog: Catalog }

/** Looks at everything that a catalog needs around it, and changes nothing. `more` are repositories of services. */
export async function examine(
  ports: Ports,
  { root, catalog, more }: Place & { readonly more: readonly string[] },
): Promise<Facts> {
  const own = ownRepository(ports, { catalog, more })
  const settings = own === undefined ? undefined : await ports.around.settings?.(own)
  const { names, unlisted } = await repositoriesOf({ catalog, settings, own, more })
  const accounts = accountsOf(ports, catalog)
  const owner = own?.split('/')[0] ?? ''
  const [files, repositories, plan, people, apps, roles, buckets, zones] = await Promise.all([
    examineFiles(ports, { root, catalog }),
    Promise.all(
      names.map(
        async (name) => settings?.repository(name, name === own ? 'catalog' : 'services') ?? unseenRepository(name),
      ),
    ),
    settings?.plan(owner) ?? noToken,
    peopleOf(catalog, { settings, own }),
    appsOf(catalog, { settings, own }),
    rolesOf(ports, { catalog, accounts }),
    bucketsOf(catalog, accounts),
    zonesOf(ports, { catalog, accounts }),
  ])
  return {
    files,
    repositories,
    plan,
    people,
    apps,
    roles,
    buckets,
    zones,
    ...(unlisted === undefined ? {} : { unlisted }),
  }
}

const noToken = {
  is: 'hidden',
  why: 'There is no token for GitHub',
  fix: 'Set GITHUB_TOKEN, such as by `GITHUB_TOKEN="$(gh auth token)" protium doctor`.',
} as const satisfies Seen<never>

function unseenRepository(name: string): RepositoryFacts {
  return {
    name,
    about: noToken,
    environments: noToken,
    main: noToken,
    ledger: noToken,
    board: noToken,
    actions: noToken,
    access: noToken,
    ownersErrors: noToken,
    isSubjectOwn: noToken,
    workflows: noToken,
  }
}

/** The catalog's own repository, as it says itself, or where the run or whoever calls is. */
function ownRepository(
  { run }: Ports,
  { catalog, more }: { readonly catalog: Catalog; readonly more: readonly string[] },
): string | undefined {
  const here = run === undefined ? undefined : `${run.repository.owner}/${run.repository.name}`
  return catalog.workflows?.repository ?? here ?? more[0]
}

type Listed = { readonly names: readonly string[]; readonly unlisted?: string }

async function repositoriesOf({
  catalog: { trust, repositories },
  settings,
  own,
  more,
}: {
  readonly catalog: Catalog
  readonly settings: SettingsHost | undefined
  readonly own: string | undefined
  readonly more: readonly string[]
}): Promise<Listed> {
  if (own === undefined) return { names: [] }
  const [owner = ''] = own.split('/')
  const named = repositories?.by === 'name' ? repositories.names : []
  const found =
    repositories?.by === 'topic' && settings !== undefined
      ? await settings.topic(owner, repositories.topic)
      : seen<readonly string[]>([])
  const all = [
    own,
    ...(trust?.repositories.map(({ name }) => name) ?? []),
    ...named.map((name) => (name.includes('/') ? name : `${owner}/${name}`)),
    ...(found.is === 'seen' ? found.value : []),
    ...more,
  ]
  const first = new Map(all.toReversed().map((name) => [name.toLowerCase(), name]))
  const names = [...new Set(all.map((name) => first.get(name.toLowerCase()) ?? name))]
  const unlisted =
    repositories?.by === 'property'
      ? `Repositories with the property ${repositories.property} are not looked for.`
      : found.is === 'hidden'
        ? `Repositories of services could not be looked for. ${found.why}.`
        : repositories?.by === 'topic' && settings === undefined
          ? `Repositories with the topic ${repositories.topic} could not be looked for. ${noToken.why}.`
          : undefined
  return { names, ...(unlisted === undefined ? {} : { unlisted }) }
}

// Files

async function examineFiles(ports: Ports, { root, catalog }: Place): Promise<FileFacts> {
  const { files, around } = ports
  const stale = staleWorkflows(catalog, await workflowFiles(ports, { root, catalog }))
  const made = catalogWorkflows(catalog)
  return {
    workflows: {
      // A file that is missing is told of at catalog.yaml.
      stale: [...new Set(stale.map(({ at, message }) => /`(\.github\/[^`]+)`/u.exec(message)?.[1] ?? at?.file ?? ''))],
      all: made.size,
    },
    accounts: await accountFiles(ports, { root, catalog }),
    owners: await ownersIn(ports, root),
    ledger: await ledgerIn(files, root),
    version: around.version(),
    actions: await actionsVersion(ports, { root, catalog }),
  }
}

async function accountFiles({ files, around }: Ports, { root, catalog }: Place): Promise<FileFacts['accounts']> {
  if (catalog.trust === undefined) return seen(undefined)
  if (around.access === undefined) {
    return {
      is: 'hidden',
      why: 'A job does not make the templates of the accounts',
      fix: '`protium trust` on a machine says whether they are current.',
    }
  }
  const wanted = (await around.access()).files(catalog)
  const { tree: there } = await files.tree(root, new Map([['', ['accounts']]]))
  return seen({
    stale: [...wanted].filter(([file, text]) => there.get(file) !== text).map(([file]) => file),
    all: wanted.size,
  })
}

async function ownersIn({ files }: Ports, root: string): Promise<FileFacts['owners']> {
  for (const file of ownersFiles) {
    const read = await files.text(join(root, file))
    if (read.ok) return { file, text: read.value }
  }
  return undefined
}

async function ledgerIn(files: Ports['files'], root: string): Promise<FileFacts['ledger']> {
  const fetched = await files.ledger(root)
  if (fetched === undefined) {
    return {
      is: 'hidden',
      why: 'Git has fetched no branch protium-ledger here; before the first deployment there is none',
      fix: '`git fetch origin protium-ledger:refs/remotes/origin/protium-ledger`',
    }
  }
  const { records, faults } = recordsIn(fetched)
  return seen({
    records,
    faults: [
      ...fetched.problems.map(({ message }) => message),
      ...[...faults, ...(await releaseFaults(files, root))].map(({ what }) => what),
    ],
  })
}

/** The version of the actions: what the catalog says of their commit, or what stands beside their files. */
async function actionsVersion({ files }: Ports, { root, catalog }: Place): Promise<FileFacts['actions']> {
  const { workflows } = catalog
  if (workflows === undefined) return { is: 'hidden', why: 'catalog.yaml says nothing of workflows' }
  if (workflows.actions.includes('@')) {
    if (workflows.version !== undefined) return seen({ version: workflows.version.replace(/^v/u, '') })
    return {
      is: 'hidden',
      why: 'catalog.yaml names a commit, and not its version',
      fix: 'Say `version:` below `workflows:` in catalog.yaml.',
    }
  }
  const read = await files.text(join(root, workflows.actions, '..', 'dist', 'package.json'))
  const [, version] = read.ok ? (/"version": "([0-9A-Za-z.+-]{1,60})"/u.exec(read.value) ?? []) : []
  if (version !== undefined) return seen({ version })
  return { is: 'hidden', why: `Beside ${workflows.actions} there is no dist/package.json that says the version` }
}

// People and Apps

type There = { readonly settings: SettingsHost | undefined; readonly own: string | undefined }

async function peopleOf(catalog: Catalog, { settings, own }: There): Promise<readonly PersonFacts[]> {
  return Promise.all(
    [...namedIn(catalog)].map(async ([name, where]) => ({
      name,
      where,
      is: settings === undefined || own === undefined ? noToken : await settings.person(name, own),
    })),
  )
}

async function appsOf({ workflows }: Catalog, { settings, own }: There): Promise<readonly AppFacts[]> {
  // Who is in a team, and what waits, is asked where something is deployed.
  const deploys = workflows?.deploy !== false
  const wanted: readonly Pick<AppFacts, 'purpose' | 'variable' | 'needs'>[] = [
    ...(workflows?.app === true
      ? [
          {
            purpose: 'reads the catalog',
            variable: 'PROTIUM_APP_CLIENT_ID',
            needs: { contents: 'read' },
          } as const,
        ]
      : []),
    ...(deploys && workflows?.teams === true
      ? [
          {
            purpose: 'sees who is in a team',
            variable: 'PROTIUM_TEAMS_CLIENT_ID',
            needs: { members: 'read' },
          } as const,
        ]
      : []),
    ...(deploys && workflows?.fleet === true
      ? [
          {
            purpose: 'looks after all repositories',
            variable: 'PROTIUM_FLEET_CLIENT_ID',
            needs: Object.fromEntries(fleetGrants.map(([scope, access]) => [scope, access])),
          },
        ]
      : []),
    ...(workflows?.upgrades === true
      ? [
          {
            purpose: 'brings upgrades',
            variable: 'PROTIUM_UPGRADES_CLIENT_ID',
            needs: Object.fromEntries(upgradeGrants.map(([scope, access]) => [scope, access])),
          },
        ]
      : []),
  ]
  return Promise.all(
    wanted.map(async (app) => ({
      ...app,
      ...(settings === undefined || own === undefined
        ? { value: noToken, installation: noToken }
        : await settings.app(app.variable, own)),
    })),
  )
}

// Accounts and names

/** The account of an environment that lies in one; each is opened once. */
type Accounts = (home: Environment) => Promise<AccountHost | undefined>

function accountsOf({ around }: Ports, { environments }: Catalog): Accounts {
  const open = new Map<string, Promise<AccountHost> | undefined>()
  for (const home of environments.values()) if (isInAccount(home)) open.set(home.name, around.account?.(home))
  return async ({ name }) => open.get(name)
}

function isInAccount({ provisioner }: Environment): boolean {
  return provisioner === 'cloudformation'
}

const noAccount: Seen<never> = {
  is: 'hidden',
  why: 'Accounts are not looked at from here',
  fix: 'Run `protium doctor` on a machine with credentials of the account.',
}

async function rolesOf(
  { around }: Ports,
  { catalog, accounts }: { readonly catalog: Catalog; readonly accounts: Accounts },
): Promise<Facts['roles']> {
  if (catalog.trust === undefined) return seen([])
  if (around.access === undefined) return noAccount
  const { roles, compare } = await around.access()
  const homes = new Map([...catalog.environments.values()].map((home) => [home.account, home]))
  const found = roles(catalog).map(async (role): Promise<RoleFacts[]> => {
    const { arn, stage, account, purpose } = role
    if (purpose === 'service') return []
    const home = homes.get(account)
    const host = home === undefined ? undefined : await accounts(home)
    const policy = (await host?.trustOf(arn)) ?? noAccount
    const is: RoleFacts['found'] =
      policy.is === 'hidden' ? policy : seen(policy.value === undefined ? undefined : compare(policy.value, role))
    return [{ arn, stage, account, purpose, found: is }]
  })
  return seen((await Promise.all(found)).flat())
}

async function bucketsOf({ environments }: Catalog, accounts: Accounts): Promise<readonly BucketFacts[]> {
  const found = [...environments.values()].map(async (home): Promise<BucketFacts[]> => {
    const { name, templateBucket } = home
    if (templateBucket === undefined || !isInAccount(home)) return []
    const host = await accounts(home)
    return [{ environment: name, name: templateBucket, is: (await host?.bucket(templateBucket)) ?? noAccount }]
  })
  return (await Promise.all(found)).flat()
}

/** Of stages that lie in an account: what is rehearsed on this machine nobody looks for by its name. */
async function zonesOf(
  { around }: Ports,
  { catalog, accounts }: { readonly catalog: Catalog; readonly accounts: Accounts },
): Promise<readonly ZoneFacts[]> {
  const stages = catalog.stages.flatMap(({ name, host, environment }) => {
    const home = catalog.environments.get(environment)
    const domain = domainOf(host)
    return home === undefined || !isInAccount(home) || domain === undefined ? [] : [{ stage: name, domain, home }]
  })
  return Promise.all(
    stages.map(async ({ stage, domain, home }) => {
      const outputs = await (await accounts(home))?.outputs(home.stack)
      const given = outputs?.is === 'seen' ? serversIn(outputs.value ?? {}) : undefined
      return {
        stage,
        domain,
        servers: await around.nameServers(domain),
        ...(given === undefined ? {} : { given }),
      }
    }),
  )
}

/** What is behind the part that stands for the service: `dev.example.com` of `{service}.dev.example.com`. */
function domainOf({ labels }: HostPattern): string | undefined {
  const fixed = labels.slice(labels.findLastIndex((label) => label.some(({ is }) => is !== 'fixed')) + 1)
  const text = fixed.map((label) => label.map((piece) => (piece.is === 'fixed' ? piece.text : '')).join('')).join('.')
  return text === '' ? undefined : text
}

/** An environment tells its name servers as one output, with commas between. */
function serversIn(outputs: Readonly<Record<string, string>>): readonly string[] | undefined {
  const found = Object.entries(outputs).find(([name]) => /name_?servers?$/iu.test(name))
  const names = found?.[1].split(/[\s,]+/u).filter((each) => each !== '') ?? []
  return names.length === 0 ? undefined : names
}
