import { IAMClient, GetRoleCommand } from '@aws-sdk/client-iam'
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation'

import type { DataMap } from '../../core/data.ts'
import { isMap } from '../../core/data.ts'
import type { Seen } from '../../core/doctor/facts.ts'
import { seen } from '../../core/doctor/facts.ts'
import { Refused } from '../../core/problem.ts'
import { partitionOf } from '../../core/trust/names.ts'
import { readJson } from '../../core/yaml.ts'
import type { AccountHost, Clock, Home } from '../../ports.ts'
import { clientOptions, cloudOf } from './client.ts'
import { isOfService, meaningOf } from './refusal.ts'

/** An account by whatever credentials are found for it; nothing is changed there. */
export function accountOf(
  home: Home,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): AccountHost {
  const { account, region, credentials } = home
  const cloud = cloudOf({ account, region, credentials, clock, random: Math.random })
  const attempts = 3
  // Whether the credentials are those of this account is asked once.
  let checked: Promise<void> | undefined
  const look = async <T>(ask: () => Promise<T>): Promise<Seen<T>> => {
    try {
      await (checked ??= cloud.checkAccount(undefined, signal))
      return seen(await ask())
    } catch (error) {
      signal.throwIfAborted()
      return { is: 'hidden', ...whyOf(error, home) }
    }
  }
  return {
    trustOf: async (role) =>
      look(async () => {
        const client = new IAMClient({
          ...(await clientOptions({ region: homeOf(region), credentials })),
          maxAttempts: attempts,
        })
        try {
          const { Role } = await client.send(new GetRoleCommand({ RoleName: role.slice(role.lastIndexOf('/') + 1) }), {
            abortSignal: signal,
          })
          return policyIn(Role?.AssumeRolePolicyDocument)
        } catch (error) {
          if (error instanceof Error && error.name.startsWith('NoSuchEntity')) return undefined
          throw error
        } finally {
          client.destroy()
        }
      }),
    bucket: async (name) =>
      look(async () => {
        const { HeadBucketCommand, S3Client, S3ServiceException } = await import('@aws-sdk/client-s3')
        const client = new S3Client({
          ...(await clientOptions({ region, credentials })),
          maxAttempts: attempts,
          forcePathStyle: true,
        })
        try {
          await client.send(new HeadBucketCommand({ Bucket: name, ExpectedBucketOwner: account }), {
            abortSignal: signal,
          })
          return 'there'
        } catch (error) {
          if (error instanceof Error && /^(?:NotFound|NoSuchBucket)$/u.test(error.name)) return 'absent'
          // To who asks for a head S3 says no more than the number.
          if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 403)
            throw new Refused('cloud-access', `The bucket ${name} may not be looked at.`, { remedy: '', cause: error })
          throw error
        } finally {
          client.destroy()
        }
      }),
    outputs: async (stack) =>
      look(async () => {
        try {
          const { Stacks } = await cloud.read(
            async (client, at) => client.send(new DescribeStacksCommand({ StackName: stack }), at),
            signal,
          )
          const outputs = Stacks?.[0]?.Outputs ?? []
          return Object.fromEntries(outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]))
        } catch (error) {
          if (error instanceof Error && /does not exist/u.test(error.message)) return undefined
          throw error
        }
      }),
  }
}

/** IAM has one endpoint for each partition. */
function homeOf(region: string): string {
  return { aws: 'us-east-1', 'aws-cn': 'cn-north-1', 'aws-us-gov': 'us-gov-west-1' }[partitionOf(region)] ?? region
}

/** IAM gives a policy as JSON, encoded as in an address. */
function policyIn(text: string | undefined): DataMap | undefined {
  const read = readJson('policy.json', decodeURIComponent(text ?? '{}'))
  return read.ok && isMap(read.value.data) ? read.value.data : undefined
}

function whyOf(error: unknown, { account }: Home): { readonly why: string; readonly fix?: string } {
  const fix = `Have credentials of ${account} in the environment, or say \`credentials: { profile: … }\` in the environment’s file.`
  if (error instanceof Refused && error.code === 'wrong-account')
    return { why: `The credentials are not those of ${account}`, fix }
  const { is } = meaningOf(error)
  if (is === 'access' || (error instanceof Refused && error.code === 'cloud-access'))
    return { why: `The credentials may not look at it in ${account}` }
  if (is === 'unreachable') return { why: 'AWS did not answer' }
  if (is === 'credentials' || (error instanceof Error && error.name === 'CredentialsProviderError'))
    return { why: `There are no credentials for ${account}`, fix }
  if (error instanceof Refused || isOfService(error)) return { why: `It could not be looked at in ${account}` }
  throw error
}
