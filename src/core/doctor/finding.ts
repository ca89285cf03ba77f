import type { Seen } from './facts.ts'

/**
 * What is looked at, by stable words. `what` is for the page about it, `needs` the permission of a token that shows it, as a
 * workflow or an App names it; `files`, `names` and `account` are looked at without one.
 */
export const checks = {
  workflows: { what: 'The workflows of the catalog are as `catalog.yaml` makes them.', needs: 'files' },
  accounts: { what: 'The templates of the accounts are as `catalog.yaml` makes them.', needs: 'files' },
  version: { what: 'The actions and this program are of one version.', needs: 'files' },
  ledger: { what: 'No record of the ledger is missing, was changed, or was put in.', needs: 'files' },
  owners: { what: 'What decides over deployments has code owners: their own file first.', needs: 'files' },
  token: { what: 'The token sees everything that is looked at.', needs: 'files' },
  repository: {
    what: 'The repository is there under its number, is not archived, and its default branch is the one that deploys.',
    needs: 'metadata: read',
  },
  branch: {
    what: 'The default branch takes changes by reviewed pull requests alone, and cannot be deleted or written anew.',
    needs: 'metadata: read',
  },
  check: { what: 'A pull request is merged only after the check `protium/plan`.', needs: 'metadata: read' },
  bypass: { what: 'Nobody passes by the rules of the default branch at any time.', needs: 'administration: write' },
  'ledger-branch': {
    what: 'The branch `protium-ledger` cannot be deleted or written anew, and jobs can add to it.',
    needs: 'metadata: read',
  },
  'board-branch': { what: 'The same of the branch `protium-board`.', needs: 'metadata: read' },
  environment: {
    what: 'Each stage has its environment, from which the default branch alone deploys; and another one to plan, which pull requests may use. Keys of Apps lie where the default branch alone is given them.',
    needs: 'actions: read',
  },
  reviewers: {
    what: 'Where a stage asks for approval, the environment has reviewers of those that the stage names, if the plan of the organisation has such a thing.',
    needs: 'actions: read',
  },
  'owners-errors': { what: 'GitHub can read the file of code owners.', needs: 'contents: read' },
  actions: {
    what: 'Workflows are switched on, and may run the actions that the generated ones name.',
    needs: 'administration: read',
  },
  access: {
    what: 'The workflows of the catalog are open to the repositories of services.',
    needs: 'administration: read',
  },
  subject: { what: 'The subjects of identities have the form that the roles expect.', needs: 'actions: read' },
  callers: {
    what: 'The repository of a service calls the workflows of the catalog, and grants them what they need.',
    needs: 'contents: read',
  },
  people: { what: 'Whom the catalog names is there, and his word counts.', needs: 'members: read' },
  app: {
    what: 'The GitHub Apps that the catalog asks for are installed, with the permissions that they need.',
    needs: 'organization-administration: read',
  },
  role: { what: 'Who may take a role in an account is as `catalog.yaml` makes it.', needs: 'account' },
  bucket: { what: 'The bucket for large templates is there.', needs: 'account' },
  zone: { what: 'The domain of each stage is a zone that the world finds, at the right name servers.', needs: 'names' },
} as const satisfies Readonly<Record<string, { readonly what: string; readonly needs: string }>>

export type Check = keyof typeof checks

export type Verdict = 'ok' | 'warn' | 'fail' | 'unknown'

/**
 * What came of one look. `what` is one sentence; `fix` what to do, a command in back-ticks or a place in the settings; `link` is
 * where that is below the address of GitHub, by its parts.
 */
export type Finding = {
  readonly check: Check
  readonly is: Verdict
  /** `files`, `GitHub`, `cloud`, `names`, or a repository. */
  readonly group: string
  /** What of several it is about: an environment, a person. */
  readonly about?: string
  readonly what: string
  readonly fix?: string
  readonly link?: readonly string[]
}

export type Told = Omit<Finding, 'check' | 'group'>

/** Judges what was seen; what was hidden is not known, for its own reason. */
export function judged<T>(fact: Seen<T>, judge: (value: T) => Told | readonly Told[], about?: string): readonly Told[] {
  if (fact.is === 'seen') {
    const told = judge(fact.value)
    return isMany(told) ? told : [told]
  }
  return [
    {
      is: fact.isUnavailable === true ? 'fail' : 'unknown',
      ...(about === undefined ? {} : { about }),
      what: `${fact.why}.`,
      ...(fact.fix === undefined ? {} : { fix: fact.fix }),
    },
  ]
}

function isMany(told: Told | readonly Told[]): told is readonly Told[] {
  return Array.isArray(told)
}

export const ok = (what: string, about?: string): Told => tell('ok', { what, about })

type Words = {
  readonly what: string
  readonly about?: string | undefined
  readonly fix?: string
  readonly link?: readonly string[]
}

export function tell(is: Verdict, { what, about, fix, link }: Words): Told {
  return {
    is,
    ...(about === undefined ? {} : { about }),
    what,
    ...(fix === undefined ? {} : { fix }),
    ...(link === undefined ? {} : { link }),
  }
}
