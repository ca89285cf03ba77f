import type { Environment } from '../catalog.ts'

/** The branch whose workflows are trusted, and from which is deployed. */
export const branch = 'main'

/** How long a role may be had: as long as the longest job, in seconds. */
export const deploySeconds = 7200

/** The workflows of the catalog whose jobs take roles, by what they take; each other one is refused. */
export const workflowsOf = {
  plan: ['plan.yml', 'rollback.yml'],
  deploy: ['rollback.yml', 'stages.yml'],
} as const

export type Purpose = keyof typeof workflowsOf

/** The ARN of the role that the jobs of a repository take. `id` is its number, which stays when it is renamed. */
export function roleArn(
  { account, region }: Pick<Environment, 'account' | 'region'>,
  { stage, purpose, id }: { readonly stage: string; readonly purpose: Purpose; readonly id: string },
): string {
  return `arn:${partitionOf(region)}:iam::${account}:role/protium/protium-${stage}-${purpose}-${id}`
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn'
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
}
