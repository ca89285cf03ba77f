/** The claims of a job on GitHub that a role is asked for with. */
export type Claims = Readonly<Record<string, string>>

export type Job = {
  readonly repository: string
  readonly repositoryId: string
  readonly ownerId: string
  readonly environment: string
  /** `owner/name/.github/workflows/file.yml@refs/heads/main`. */
  readonly workflow: string
  readonly ref: string
  /** The subject with numbers in it, as repositories made since July 2026 have it. */
  readonly immutable: boolean
}

export function claimsOf({ repository, repositoryId, ownerId, environment, workflow, ref, immutable }: Job): Claims {
  const [owner = '', name = ''] = repository.split('/')
  const subject = immutable ? `${owner}@${ownerId}/${name}@${repositoryId}` : repository
  return {
    aud: 'sts.amazonaws.com',
    sub: `repo:${subject}:environment:${environment}`,
    repository,
    repository_id: repositoryId,
    repository_owner_id: ownerId,
    environment,
    ref,
    job_workflow_ref: workflow,
    actor: 'mia',
  }
}

type Attack = readonly [what: string, attacker: (job: Job) => Job]

const elsewhere = { repositoryId: '777', ownerId: '666' }

/** Seven ways to get at a role of somebody else, each as the job that an attacker would run. */
export const attacks: readonly Attack[] = [
  [
    'a pull request that has changed the workflow',
    (job) => ({
      ...job,
      ref: 'refs/pull/7/merge',
      workflow: job.workflow.replace('refs/heads/main', 'refs/pull/7/merge'),
    }),
  ],
  ['a job of another environment', (job) => ({ ...job, environment: 'playground' })],
  [
    'a repository of the same name in another organisation',
    (job) => ({ ...job, ...elsewhere, repository: `evil/${job.repository.split('/')[1]}` }),
  ],
  [
    'a fork, with a copy of the workflow',
    (job) => ({
      ...job,
      ...elsewhere,
      repository: `evil/${job.repository.split('/')[1]}`,
      workflow: job.workflow.replace(/^[^/]+/, 'evil'),
    }),
  ],
  [
    'another workflow of the same repository',
    (job) => ({ ...job, workflow: job.workflow.replace(/[\w-]+\.yml/, 'own.yml') }),
  ],
  ['a new repository under the name of one that was deleted', (job) => ({ ...job, repositoryId: '777' })],
  [
    'the workflow as a branch has it',
    (job) => ({ ...job, ref: 'refs/heads/MAIN', workflow: job.workflow.replace('refs/heads/main', 'refs/heads/MAIN') }),
  ],
]
