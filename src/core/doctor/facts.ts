import type { FileTree } from '../tree.ts'
import type { Compared } from '../trust/compare.ts'

/** What was seen; or why it could not be looked at, as the rest of a sentence, and what would help. */
export type Seen<T> =
  | { readonly is: 'seen'; readonly value: T }
  | {
      readonly is: 'hidden'
      readonly why: string
      readonly fix?: string
      /** The permission that the token lacks, as GitHub names it in a workflow: `administration: read`. */
      readonly needs?: string
      /** There is no such thing to be had, by what is paid for: that is known. */
      readonly isUnavailable?: true
      /** Nobody answered, so nothing is known by anybody. */
      readonly isDown?: true
    }

export function seen<T>(value: T): Seen<T> {
  return { is: 'seen', value }
}

/** One repository on GitHub, as it is set up. What is `undefined` in something that was seen is not there. */
export type RepositoryFacts = {
  /** `owner/name`, as the catalog writes it. */
  readonly name: string
  readonly about: Seen<RepositoryAbout | undefined>
  readonly environments: Seen<readonly EnvironmentFacts[]>
  /** The default branch, and Protium's own two. */
  readonly main: Seen<BranchFacts>
  readonly ledger: Seen<BranchFacts>
  readonly board: Seen<BranchFacts>
  readonly actions: Seen<ActionsFacts>
  /** Who besides may use its workflows; of a public repository everybody may. */
  readonly access: Seen<string>
  /** What GitHub finds wrong in the file of code owners; nothing where there is no such file. */
  readonly ownersErrors: Seen<readonly OwnersError[] | undefined>
  /** Whether the subjects of its identities are as GitHub makes them by itself. */
  readonly isSubjectOwn: Seen<boolean>
  /** Its workflows, by their paths; of the catalog's own repository they are among the files. */
  readonly workflows: Seen<FileTree>
}

export type RepositoryAbout = {
  readonly id: string
  readonly name: string
  readonly owner: { readonly id: string }
  readonly isPrivate: boolean
  readonly isArchived: boolean
  readonly defaultBranch: string
}

export type EnvironmentFacts = {
  readonly name: string
  /** As a catalog names people: `@acme/platform`, `@ada`. */
  readonly reviewers: readonly string[]
  readonly waits: boolean
  readonly branches:
    | { readonly is: 'all' }
    | { readonly is: 'protected' }
    | { readonly is: 'some'; readonly patterns: readonly { readonly name: string; readonly kind: string }[] }
}

/** What holds for a branch, by all rulesets together; the branch need not be there yet. */
export type BranchFacts = {
  /** Protected by the older kind of rules, which are not looked into. */
  readonly isOlderKind: boolean
  readonly pullRequest?: { readonly approvals: number; readonly byOwners: boolean }
  /** `app` is the number of the App that a check has to come from. */
  readonly checks: readonly { readonly name: string; readonly app?: number }[]
  /** The names of the workflows that have to pass: `plan.yml`. */
  readonly workflows: readonly string[]
  readonly types: readonly string[]
  /** Who may pass by the rules at any time. */
  readonly passedBy: Seen<readonly Passer[]>
}

export type Passer = { readonly who: string; readonly isActions: boolean }

export type ActionsFacts = {
  readonly isEnabled: boolean
  /** What of others may be run: everything, what lies in the organisation, or what is listed. */
  readonly allowed:
    | { readonly is: 'all' | 'local' }
    | { readonly is: 'listed'; readonly ofGitHub: boolean; readonly patterns: readonly string[] }
}

export type OwnersError = { readonly line: number; readonly kind: string; readonly source: string }

/** Somebody whom the catalog names. */
export type PersonFacts = {
  /** As it is written: `@acme/platform`, `@ada`. */
  readonly name: string
  /** Where: `prod`, `glass`, `locks`. */
  readonly where: readonly string[]
  /** Of a person: whether he is there and may write; of a team: how many are in it. */
  readonly is: Seen<
    | { readonly is: 'absent' }
    | { readonly is: 'person'; readonly writes: boolean }
    | { readonly is: 'team'; readonly members: number }
  >
}

/** An App that the catalog asks for: the variable with its number, and what it may. */
export type AppFacts = {
  readonly purpose: string
  readonly variable: string
  readonly value: Seen<string | undefined>
  /** The installation of that App in the organisation. */
  readonly installation: Seen<InstallationFacts | undefined>
  readonly needs: Readonly<Record<string, 'read' | 'write'>>
}

export type InstallationFacts = {
  readonly client: string
  readonly name: string
  readonly permissions: Readonly<Record<string, string>>
  readonly isEverywhere: boolean
}

/** What is found on the disk, beside catalog.yaml. */
export type FileFacts = {
  /** The workflows that are not what catalog.yaml makes of them, and how many there are. */
  readonly workflows: { readonly stale: readonly string[]; readonly all: number }
  /** The same of the templates of the accounts; nothing where the catalog trusts nobody. */
  readonly accounts: Seen<{ readonly stale: readonly string[]; readonly all: number } | undefined>
  /** The file of code owners, where GitHub looks for it. */
  readonly owners: { readonly file: string; readonly text: string } | undefined
  readonly ledger: Seen<{ readonly records: number; readonly faults: readonly string[] } | undefined>
  /** This version, and that of the actions. */
  readonly version: string
  readonly actions: Seen<{ readonly version: string }>
}

export type RoleFacts = {
  readonly arn: string
  readonly stage: string
  readonly account: string
  readonly purpose: 'plan' | 'deploy'
  /** Who may take it in the account, beside what catalog.yaml makes of it; nothing where there is no such role. */
  readonly found: Seen<Compared | undefined>
}

export type BucketFacts = {
  readonly environment: string
  readonly name: string
  readonly is: Seen<'there' | 'absent'>
}

/** The domain of a stage, in which the hosts of its services lie. */
export type ZoneFacts = {
  readonly stage: string
  readonly domain: string
  /** The name servers that the world is told; nothing where nobody has such a zone. */
  readonly servers: Seen<readonly string[] | undefined>
  /** Those that the stack of the environment gives out. */
  readonly given?: readonly string[]
}

export type Facts = {
  readonly files: FileFacts
  /** The catalog's own first. */
  readonly repositories: readonly RepositoryFacts[]
  /** The plan of the organisation at GitHub: `free`, `team`, `enterprise`. */
  readonly plan: Seen<string | undefined>
  readonly people: readonly PersonFacts[]
  readonly apps: readonly AppFacts[]
  readonly roles: Seen<readonly RoleFacts[]>
  readonly buckets: readonly BucketFacts[]
  readonly zones: readonly ZoneFacts[]
  /** Repositories of services that could not be looked for. */
  readonly unlisted?: string
}
