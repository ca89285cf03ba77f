import type { Catalog } from '../catalog.ts'
import type { Stage } from '../stage.ts'
import { branch as deploying } from '../trust/names.ts'
import type { ActionsFacts, BranchFacts, EnvironmentFacts, RepositoryAbout, RepositoryFacts, Seen } from './facts.ts'
import { judgeCallers } from './callers.ts'
import { few } from './files.ts'
import { type Check, judged, ok, tell, type Told } from './finding.ts'

type Judged = readonly (readonly [Check, readonly Told[]])[]

/** What a repository is judged by. */
export type Wanted = {
  readonly catalog: Catalog
  /** It is the catalog's own. */
  readonly isCatalog: boolean
  /** Other repositories call its workflows. */
  readonly isCalled: boolean
  readonly plan: Seen<string | undefined>
}

/** How one repository is set up at GitHub. */
export function judgeRepository(facts: RepositoryFacts, wanted: Wanted): Judged {
  const { catalog, isCatalog, isCalled } = wanted
  const { name, about } = facts
  const path = name.split('/')
  const aboutIt = judged(about, (value) => judgeAbout(value, { name, catalog, isCatalog }))
  // What is not there has no settings that could be wrong.
  if (about.is === 'seen' && about.value === undefined) return [['repository', aboutIt]]
  const isPrivate = about.is === 'hidden' || about.value?.isPrivate !== false
  const rules = [...path, 'settings', 'rules']
  const deploys = catalog.workflows?.deploy !== false
  return [
    ['repository', aboutIt],
    ['branch', judged(facts.main, (main) => judgeBranch(main, { rules, isCatalog }))],
    ['check', judged(facts.main, (main) => judgeCheck(main, rules))],
    ['bypass', judged(facts.main, (main) => judgePassing(main, rules))],
    ...(deploys
      ? ([
          ['ledger-branch', judged(facts.ledger, (own) => judgeOwnBranch(own, { name: 'protium-ledger', rules }))],
          ['board-branch', judged(facts.board, (own) => judgeOwnBranch(own, { name: 'protium-board', rules }))],
        ] as const)
      : []),
    [
      'environment',
      judged(facts.environments, (all) => [
        ...judgeEnvironments(all, { catalog, path }),
        ...(isCatalog ? judgeKept(all, { catalog, path }) : []),
      ]),
    ],
    ['reviewers', judged(facts.environments, (all) => judgeReviewers(all, { ...wanted, path, isPrivate }))],
    ...(isCatalog ? ([['owners-errors', ownersErrors(facts, path)]] as const) : []),
    ['actions', judged(facts.actions, (actions) => judgeActions(actions, { catalog, path }))],
    ...(isCalled ? ([['access', judgeAccess(facts, { isPrivate, path })]] as const) : []),
    ...(catalog.trust === undefined
      ? []
      : ([['subject', judged(facts.isSubjectOwn, (isOwn) => judgeSubject(isOwn, name))]] as const)),
    ...(isCatalog
      ? []
      : ([['callers', judged(facts.workflows, (files) => judgeCallers(files, { catalog, name }))]] as const)),
  ]
}

function judgeAbout(
  about: RepositoryAbout | undefined,
  { name, catalog, isCatalog }: { readonly name: string; readonly catalog: Catalog; readonly isCatalog: boolean },
): readonly Told[] {
  if (about === undefined) {
    // GitHub does not tell the one from the other; the token of a job sees its own repository, and public ones.
    return [
      tell(isCatalog ? 'fail' : 'unknown', {
        what: `There is no repository ${name}, or the token may not see it.`,
        fix: 'Correct the name in catalog.yaml, or use a token that may read it.',
      }),
    ]
  }
  const trusted = catalog.trust?.repositories.find((each) => each.name.toLowerCase() === name.toLowerCase())
  const organisation = catalog.trust?.organisation
  const found = [
    ...(about.isArchived
      ? [
          tell('fail', {
            what: 'It is archived: nothing can be recorded there.',
            fix: 'Settings, General: unarchive it, or take it out of catalog.yaml.',
            link: [...name.split('/'), 'settings'],
          }),
        ]
      : []),
    ...(about.defaultBranch === deploying
      ? []
      : [
          tell('fail', {
            what: `Its default branch is ${about.defaultBranch}, and ${deploying} is what is deployed and trusted.`,
            fix: `\`gh api -X PATCH repos/${name} -f default_branch=${deploying}\`, once there is such a branch.`,
          }),
        ]),
    ...(trusted !== undefined && trusted.id !== about.id
      ? [
          tell('fail', {
            what: `Its number is ${about.id}, and catalog.yaml trusts ${trusted.id}: roles refuse its jobs.`,
            fix: `If it is the right one, write \`id: "${about.id}"\` below \`trust:\` in catalog.yaml, then \`protium trust --write\`.`,
          }),
        ]
      : []),
    ...(trusted !== undefined && organisation !== undefined && organisation.id !== about.owner.id
      ? [
          tell('fail', {
            what: `The number of its owner is ${about.owner.id}, and catalog.yaml trusts ${organisation.id}.`,
            fix: `Write \`organisation: "${about.owner.id}"\` below \`trust:\` in catalog.yaml, then \`protium trust --write\`.`,
          }),
        ]
      : []),
    ...(trusted !== undefined && trusted.name !== about.name
      ? [
          tell('fail', {
            what: `GitHub writes its name ${about.name}, and roles compare it letter by letter.`,
            fix: 'Write it so in catalog.yaml, then `protium trust --write`.',
          }),
        ]
      : []),
  ]
  return found.length === 0 ? [ok(`It is there, and deploys from ${deploying}.`)] : found
}

// Branches

function judgeBranch(
  { isOlderKind, pullRequest, types }: BranchFacts,
  { rules, isCatalog }: { readonly rules: readonly string[]; readonly isCatalog: boolean },
): readonly Told[] {
  const fix = 'Settings, Rules, Rulesets: a branch ruleset for the default branch, active, with'
  const weak = [
    ...(pullRequest === undefined ? ['can be pushed to without a pull request'] : []),
    ...(pullRequest?.approvals === 0 ? ['takes pull requests that nobody has approved'] : []),
    ...(types.includes('deletion') ? [] : ['can be deleted']),
    ...(types.includes('non_fast_forward') ? [] : ['can be written anew']),
  ]
  if (weak.length > 0 && isOlderKind) {
    return [
      tell('unknown', {
        what: `${deploying} is protected by the older kind of rules, which are not looked into.`,
        fix: `${fix} the same rules.`,
        link: rules,
      }),
    ]
  }
  if (weak.length > 0) {
    return [
      tell('fail', {
        what: `${deploying} ${few(weak)}.`,
        fix: `${fix} "Require a pull request" and one approval, "Restrict deletions" and "Block force pushes".`,
        link: rules,
      }),
    ]
  }
  if (isCatalog && pullRequest?.byOwners === false) {
    return [
      tell('warn', {
        what: `${deploying} takes changes that no code owner has approved.`,
        fix: 'Settings, Rules, Rulesets: "Require review from Code Owners".',
        link: rules,
      }),
    ]
  }
  return [ok(`${deploying} takes reviewed pull requests alone.`)]
}

/** The check that shows the plan, and the App whose word it has to be: that of the jobs. */
const planCheck = { name: 'protium/plan', app: 15_368 } as const

function judgeCheck({ checks, workflows }: BranchFacts, rules: readonly string[]): Told {
  const own = checks.filter(({ name }) => name === planCheck.name)
  const byWorkflow = workflows.find((path) => /(?:^|\/)(?:plan|pull-request)\.yml$/u.test(path))
  if (own.length === 0 && byWorkflow !== undefined) return ok(`The workflow ${byWorkflow} is required.`)
  if (own.length === 0) {
    return tell('fail', {
      what: `Pull requests can be merged without the check ${planCheck.name}, so without a plan that anybody has seen.`,
      fix: `Settings, Rules, Rulesets: "Require status checks to pass", with ${planCheck.name} from GitHub Actions.`,
      link: rules,
    })
  }
  if (own.some(({ app }) => app === planCheck.app)) return ok(`The check ${planCheck.name} is required.`)
  return tell('warn', {
    what: `The check ${planCheck.name} is required, but any App may give it.`,
    fix: 'Settings, Rules, Rulesets: choose GitHub Actions as its source.',
    link: rules,
  })
}

function judgePassing({ passedBy, types }: BranchFacts, rules: readonly string[]): readonly Told[] {
  // Where nothing holds, nobody passes it by.
  if (types.length === 0) return []
  return judged(passedBy, (all) =>
    all.length === 0
      ? ok(`Nobody passes by the rules of ${deploying}.`)
      : tell('warn', {
          what: `The rules of ${deploying} do not hold for ${few(all.map(({ who }) => who))}.`,
          fix: 'Settings, Rules, Rulesets, Bypass list: take them off, or let them by "for pull requests only".',
          link: rules,
        }),
  )
}

/** Rules that keep a job from adding a commit to a branch. */
const closing = new Set([
  'creation',
  'update',
  'pull_request',
  'required_status_checks',
  'required_deployments',
  'workflows',
])

function judgeOwnBranch(
  { types, passedBy }: BranchFacts,
  { name, rules }: { readonly name: string; readonly rules: readonly string[] },
): readonly Told[] {
  const isLetBy = passedBy.is === 'seen' && passedBy.value.some(({ isActions }) => isActions)
  const closed = isLetBy ? [] : types.filter((type) => closing.has(type))
  if (closed.length > 0) {
    return [
      tell('fail', {
        what: `Rules (${few(closed)}) keep jobs from writing to ${name}, so nothing can be deployed.`,
        fix: `Settings, Rules, Rulesets: leave ${name} out of those; it needs "Restrict deletions" and "Block force pushes" alone.`,
        link: rules,
      }),
    ]
  }
  const open = [
    ...(types.includes('deletion') ? [] : ['deleted']),
    ...(types.includes('non_fast_forward') ? [] : ['written anew']),
  ]
  if (open.length === 0) return [ok(`${name} can only be added to.`)]
  return [
    tell(name === 'protium-ledger' ? 'fail' : 'warn', {
      what: `${name} can be ${few(open)} by whoever may push.`,
      fix: `Settings, Rules, Rulesets: a branch ruleset for ${name} with "Restrict deletions" and "Block force pushes".`,
      link: rules,
    }),
  ]
}

// Environments

type Place = { readonly catalog: Catalog; readonly path: readonly string[] }

/** The environments that the generated workflows name, whatever is there. */
export function environmentsOf(
  catalog: Catalog,
): readonly { readonly name: string; readonly stage: Stage; readonly plans: boolean }[] {
  const { stages, workflows } = catalog
  return stages.flatMap((stage) => [
    ...(workflows?.deploy === false ? [] : [{ name: stage.name, stage, plans: false }]),
    { name: `${stage.name}-plan`, stage, plans: true },
  ])
}

function find(all: readonly EnvironmentFacts[], name: string): EnvironmentFacts | undefined {
  return all.find((each) => each.name.toLowerCase() === name.toLowerCase())
}

function judgeEnvironments(all: readonly EnvironmentFacts[], { catalog, path }: Place): readonly Told[] {
  return environmentsOf(catalog).map(({ name, plans, stage }) => {
    const there = find(all, name)
    const link = [...path, 'settings', 'environments']
    const isLocal = catalog.environments.get(stage.environment)?.provisioner === 'local'
    if (there === undefined) {
      return tell(plans || isLocal ? 'warn' : 'fail', {
        about: name,
        what: 'There is no such environment; the first job that names it makes one that every branch may use.',
        fix: plans
          ? `\`gh api -X PUT repos/${path.join('/')}/environments/${name}\``
          : `Settings, Environments, New environment: ${name}, with ${deploying} as its only deployment branch.`,
        link,
      })
    }
    return plans ? judgePlanning(there, { name, link }) : judgeDeploying(there, { name, link })
  })
}

/** The environments that hold the key of an App for the default branch alone. */
export function keptFor({ workflows }: Pick<Catalog, 'workflows'>): readonly string[] {
  return [
    ...(workflows?.fleet === true && workflows.deploy !== false ? ['protium-fleet'] : []),
    ...(workflows?.upgrades === true ? ['protium-upgrades'] : []),
  ]
}

function judgeKept(all: readonly EnvironmentFacts[], { catalog, path }: Place): readonly Told[] {
  return keptFor(catalog).map((name) => {
    const link = [...path, 'settings', 'environments']
    const there = find(all, name)
    if (there !== undefined) return judgeDeploying(there, { name, link, may: 'use it' })
    return tell('fail', {
      about: name,
      what: 'There is no such environment; the first job that names it makes one that every branch may use.',
      fix: `Settings, Environments, New environment: ${name}, with ${deploying} as its only deployment branch.`,
      link,
    })
  })
}

function judgeDeploying(
  { branches }: EnvironmentFacts,
  {
    name,
    link,
    may = 'deploy there',
  }: { readonly name: string; readonly link: readonly string[]; readonly may?: string },
): Told {
  const fix = `Settings, Environments, ${name}: "Selected branches and tags", with ${deploying} alone.`
  if (branches.is === 'all') return tell('fail', { about: name, what: `Every branch may ${may}.`, fix, link })
  if (branches.is === 'protected') {
    return tell('warn', {
      about: name,
      what: `Every protected branch may ${may}, not ${deploying} alone.`,
      fix,
      link,
    })
  }
  const { patterns } = branches
  const [first, ...more] = patterns
  if (first?.name === deploying && first.kind === 'branch' && more.length === 0)
    return ok(`${deploying} alone may ${may}.`, name)
  const others = patterns.filter((each) => each.name !== deploying || each.kind !== 'branch')
  const what =
    others.length === 0
      ? `No branch may ${may}.`
      : `${few(others.map((each) => `the ${each.kind} ${each.name}`))} may ${may}${others.length === patterns.length ? `, and ${deploying} may not` : ', too'}.`
  return tell('fail', { about: name, what, fix, link })
}

/** A pull request runs on a ref of its own, `refs/pull/12/merge`. */
const ofPulls = /^refs\/pull\/(?:\*|\*\*)(?:\/(?:merge|\*|\*\*))?$/u

function judgePlanning(
  { branches, reviewers, waits }: EnvironmentFacts,
  { name, link }: { readonly name: string; readonly link: readonly string[] },
): Told {
  const isOpen =
    branches.is === 'all' || (branches.is === 'some' && branches.patterns.some((each) => ofPulls.test(each.name)))
  if (!isOpen) {
    return tell('fail', {
      about: name,
      what: 'Pull requests may not use it, so they get no plan.',
      fix: `Settings, Environments, ${name}: "No restriction", or the pattern refs/pull/*/merge.`,
      link,
    })
  }
  if (reviewers.length > 0 || waits) {
    return tell('warn', {
      about: name,
      what: `Each plan waits for ${reviewers.length > 0 ? 'a reviewer' : 'a timer'} first.`,
      fix: `Settings, Environments, ${name}: take that off; planning changes nothing.`,
      link,
    })
  }
  return ok('Pull requests may plan there.', name)
}

/** Plans whose private repositories have no reviewers of environments. https://docs.github.com/en/actions/reference/workflows-and-actions/deployments-and-environments */
const smallPlans = /^(?:free|pro|team|business)$/iu

function judgeReviewers(
  all: readonly EnvironmentFacts[],
  { catalog, plan, isPrivate, path }: Wanted & { readonly path: readonly string[]; readonly isPrivate: boolean },
): readonly Told[] {
  if (catalog.workflows?.deploy === false) return []
  return catalog.stages.flatMap(({ name, approval }) => {
    if (approval === undefined) return []
    const reviewers = find(all, name)?.reviewers ?? []
    const link = [...path, 'settings', 'environments']
    const foreign = reviewers.filter((who) => !approval.by.some((each) => each.toLowerCase() === who.toLowerCase()))
    if (reviewers.length > 0 && foreign.length === 0) return [ok(`${few(reviewers)} may let a job begin.`, name)]
    if (foreign.length > 0) {
      return [
        tell('warn', {
          about: name,
          what: `${few(foreign)} may let a job begin, but the stage does not name them: that alone is no approval.`,
          fix: `Settings, Environments, ${name}: only ${few(approval.by)}.`,
          link,
        }),
      ]
    }
    const isSeen = catalog.workflows?.teams === true || approval.by.some((who) => !who.includes('/'))
    const planName = plan.is === 'seen' ? plan.value : undefined
    const isMissing = isPrivate && planName !== undefined && smallPlans.test(planName)
    const missing = isMissing
      ? `GitHub’s plan "${planName}" has no reviewers of environments in private repositories`
      : 'The environment has no reviewers'
    const other = isMissing
      ? 'Say `teams: true` below `workflows:` with an App that sees teams, or name people.'
      : `Settings, Environments, ${name}: "Required reviewers", with ${few(approval.by)}.`
    if (!isSeen) {
      return [
        tell('fail', {
          about: name,
          what: `${missing}, and jobs cannot see who is in ${few(approval.by)}: nobody can approve.`,
          fix: other,
          link,
        }),
      ]
    }
    return [
      tell('warn', {
        about: name,
        what: `${missing}: an approving review of the pull request counts instead.`,
        fix: isMissing ? 'Nothing, if that is meant; GitHub Enterprise has them.' : other,
        link,
      }),
    ]
  })
}

// The rest

function ownersErrors({ ownersErrors: errors }: RepositoryFacts, path: readonly string[]): readonly Told[] {
  return judged(errors, (found) => {
    if (found === undefined) return []
    const [first, ...more] = found
    if (first === undefined) return ok('GitHub reads the file of code owners without an error.')
    return tell('fail', {
      what: `Line ${first.line} of the code owners: ${first.kind.toLowerCase()}, ${JSON.stringify(first.source.trim())}${more.length === 0 ? '' : `, and ${more.length} more`}. Such a line owns nothing.`,
      fix: `Correct it; \`gh api repos/${path.join('/')}/codeowners/errors\` names all.`,
    })
  })
}

function judgeActions({ isEnabled, allowed }: ActionsFacts, { catalog, path }: Place): Told {
  const link = [...path, 'settings', 'actions']
  if (!isEnabled) {
    return tell('fail', {
      what: 'Actions are switched off.',
      fix: `\`gh api -X PUT repos/${path.join('/')}/actions/permissions -F enabled=true\``,
      link,
    })
  }
  const inAccounts = [...catalog.environments.values()].some(({ provisioner }) => provisioner === 'cloudformation')
  const { app, teams, fleet, upgrades } = catalog.workflows ?? {}
  const [owner, repository] = catalog.workflows?.actions.split('@')[0]?.split('/') ?? []
  const isPinned = catalog.workflows?.actions.includes('@') === true
  const needed = [
    'actions/checkout',
    ...(app === true || teams === true || fleet === true || upgrades === true
      ? ['actions/create-github-app-token']
      : []),
    ...(inAccounts ? ['aws-actions/configure-aws-credentials'] : []),
    ...(isPinned ? [`${owner ?? ''}/${repository ?? ''}`] : []),
  ].filter((each) => !each.startsWith(`${path[0] ?? ''}/`))
  const refused = needed.filter((each) => !mayRun(allowed, each))
  if (refused.length === 0) return ok('Workflows may run what the generated ones name.')
  return tell('fail', {
    what: `Workflows may not run ${few(refused)}, which the generated ones name.`,
    fix: 'Settings, Actions, General: allow them.',
    link,
  })
}

function mayRun(allowed: ActionsFacts['allowed'], name: string): boolean {
  if (allowed.is !== 'listed') return allowed.is === 'all'
  if (allowed.ofGitHub && name.startsWith('actions/')) return true
  return allowed.patterns.some((pattern) => isAllowed(pattern, name))
}

/** `acme/*`, `acme/tool@*`, `acme/tool/part@v1`: a name, or all below it. */
function isAllowed(pattern: string, name: string): boolean {
  const [path = ''] = pattern.split('@')
  return path.endsWith('*') ? name.startsWith(path.slice(0, -1)) : path === name || path.startsWith(`${name}/`)
}

function judgeAccess(
  { access, name }: RepositoryFacts,
  { isPrivate, path }: { readonly isPrivate: boolean; readonly path: readonly string[] },
): readonly Told[] {
  if (!isPrivate) return [ok('It is public, so every repository may call its workflows.')]
  return judged(access, (level) =>
    level === 'organization' || level === 'enterprise'
      ? ok(`The repositories of the ${level} may call its workflows.`)
      : tell('fail', {
          what: 'Other repositories may not call its workflows: their pull requests get no plan.',
          fix: `\`gh api -X PUT repos/${name}/actions/permissions/access -f access_level=organization\``,
          link: [...path, 'settings', 'actions'],
        }),
  )
}

function judgeSubject(isOwn: boolean, name: string): Told {
  if (isOwn) return ok('Subjects of identities are as GitHub makes them.')
  return tell('fail', {
    what: 'Subjects of identities are customised, and roles refuse a subject of another form.',
    fix: `\`gh api -X PUT repos/${name}/actions/oidc/customization/sub -F use_default=true\``,
  })
}
