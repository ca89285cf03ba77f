import { type DataMap, isMap } from '../data.ts'
import type { Problem } from '../problem.ts'
import { mapIn, textIn, textsIn } from '../shape.ts'
import type { Stage } from '../stage.ts'
import type { Document } from '../yaml.ts'

/** Which repositories may work in the accounts of the catalog: what the roles that `protium trust` writes are made from. */
export type Trust = {
  /** The organisation of all of them, by its name and by its number, which is never given to another. */
  readonly organisation: { readonly name: string; readonly id: string }
  /** The catalog's own first, the others as they are written. */
  readonly repositories: readonly TrustedRepository[]
  /** What CloudFormation may do besides what follows from the templates: actions of IAM, `kms:*`. */
  readonly actions: readonly string[]
}

export type TrustedRepository = {
  /** `owner/name`, in the very case that GitHub has: it is compared with what GitHub says of a job. */
  readonly name: string
  readonly id: string
  /** The services that it deploys; the catalog's own repository deploys all, if nothing is said. */
  readonly services: readonly string[] | 'all'
  /** Names of stacks besides those that follow from the services: adopted ones. */
  readonly stacks: readonly string[]
}

type Reading = {
  readonly document: Document
  readonly data: DataMap
  readonly stages: readonly Stage[]
  /** The catalog's own repository, as `workflows:` says it. */
  readonly repository: string | undefined
  /** Whether a stage lies in an account. */
  readonly inAccount: (stage: Stage) => boolean
  readonly problems: Problem[]
}

/** Reads `trust:`. What it needs elsewhere in the file and does not find there is told at its own line. */
export function readTrust({ document, data, stages, repository, inAccount, problems }: Reading): Trust | undefined {
  const trust = mapIn(data, 'trust')
  if (trust === undefined) return undefined
  const tell = (problem: Omit<Problem, 'severity'>): void => {
    problems.push({ severity: 'error', ...problem })
  }
  for (const stage of stages.filter(inAccount)) {
    if (stage.stack.serviceRole !== undefined) continue
    tell({
      code: 'missing-key',
      message: `The stage "${stage.name}" has no service role, and who deploys may not make resources himself where \`trust:\` is written.`,
      expected: `\`service_role\` under "stages.${stage.name}.stack".`,
      remedy: `Add \`stack: { service_role: "arn:aws:iam::<account>:role/protium/cloudformation-${stage.name}" }\`; a role below \`protium/\` is made by \`protium trust\`.`,
      at: document.keyPlace(['stages', stage.name]),
    })
  }
  if (repository === undefined) {
    tell({
      code: 'missing-key',
      message: 'It is not said which repository this catalog is, and only its workflows may take the roles.',
      expected: '`workflows: { repository: owner/name }`.',
      remedy: 'Add it.',
      at: document.keyPlace(['trust']),
    })
    return undefined
  }
  const repositories = readRepositories({ document, trust, repository, tell })
  const [name = ''] = repository.split('/')
  return {
    organisation: { name, id: textIn(trust, 'organisation') ?? '' },
    repositories,
    actions: textsIn(trust, 'actions'),
  }
}

function readRepositories({
  document,
  trust,
  repository,
  tell,
}: {
  readonly document: Document
  readonly trust: DataMap
  readonly repository: string
  readonly tell: (problem: Omit<Problem, 'severity'>) => void
}): TrustedRepository[] {
  const found: TrustedRepository[] = []
  const [owner] = repository.split('/')
  const ids = new Map<string, string>()
  for (const [name, value] of Object.entries(mapIn(trust, 'repositories') ?? {})) {
    const id = isMap(value) ? textIn(value, 'id') : undefined
    // What has no id has been told of by the schema.
    if (!isMap(value) || id === undefined) continue
    const path = ['trust', 'repositories', name]
    if (name.split('/')[0] !== owner) {
      tell({
        code: 'wrong-value',
        message: `The repository "${name}" is not one of "${owner}", whose number is given.`,
        expected: `A repository of "${owner}", in the case that GitHub writes it.`,
        remedy: 'Remove it; repositories of another organisation have a catalog of their own.',
        at: document.keyPlace(path),
      })
    }
    const other = ids.get(id)
    if (other !== undefined) {
      tell({
        code: 'wrong-value',
        message: `"${name}" and "${other}" have the same number ${id}.`,
        expected: 'The number of each repository, which GitHub gives to one only.',
        remedy: `Correct it: \`gh api repos/${name} --jq .id\` shows the right one.`,
        at: document.place([...path, 'id']),
      })
    }
    ids.set(id, name)
    const services = value['services'] === undefined ? undefined : textsIn(value, 'services')
    const own = name === repository
    found.push({
      name,
      id,
      services: services ?? (own ? 'all' : [name.slice(name.indexOf('/') + 1)]),
      stacks: textsIn(value, 'stacks'),
    })
  }
  if (!found.some(({ name }) => name === repository)) {
    tell({
      code: 'missing-key',
      message: `The catalog's own repository "${repository}" is not among those that may work in the accounts.`,
      expected: `\`${repository}: { id: "…" }\`, which deploys the environments.`,
      remedy: `Add it; \`gh api repos/${repository} --jq .id\` shows its number.`,
      at: document.keyPlace(['trust', 'repositories']),
    })
  }
  return found.toSorted((a, b) => Number(b.name === repository) - Number(a.name === repository))
}
