import { type DataMap, isMap, mapOf } from '../../../src/core/data.ts'
import { listIn, mapIn, numberIn, textIn } from '../../../src/core/shape.ts'
import { type Asked, judge, mayAssume } from '../../../src/core/trust/evaluate.ts'
import type { WebIdentity } from './federation.ts'
import { structuresAt, textAt } from './input.ts'
import type { Members } from './model.ts'
import { ApiError, findStack, type Place, type World } from './state.ts'

/** A role that a stack of the fake has made. */
export type FoundRole = {
  readonly arn: string
  readonly trust: DataMap
  readonly permissions: readonly DataMap[]
  /** The longest session, in seconds. */
  readonly longest: number
}

/** The role of an ARN, if a live stack has made it; those that are elsewhere are nobody's business here. */
export function roleIn(world: World, arn: string): FoundRole | undefined {
  const account = arn.split(':')[4]
  for (const place of world.places.values()) {
    if (place.account !== account) continue
    for (const { resources, status } of place.stacks) {
      if (status === 'DELETE_COMPLETE') continue
      for (const { type, properties } of resources.values()) {
        if (type !== 'AWS::IAM::Role' || arnOf(place, properties) !== arn) continue
        const policies = (listIn(properties, 'Policies') ?? []).filter((each) => isMap(each))
        return {
          arn,
          trust: mapIn(properties, 'AssumeRolePolicyDocument') ?? mapOf(),
          permissions: policies.map((each) => mapIn(each, 'PolicyDocument') ?? mapOf()),
          longest: numberIn(properties, 'MaxSessionDuration') ?? 3600,
        }
      }
    }
  }
  return undefined
}

/** The answer of `GetRole`. IAM gives policies as in an address. */
export function foundRole(world: World, name: string, account: string): Members {
  for (const place of world.places.values()) {
    for (const { resources } of place.account === account ? place.stacks : []) {
      for (const { type, properties } of resources.values()) {
        const arn = type === 'AWS::IAM::Role' ? arnOf(place, properties) : undefined
        const role = arn === undefined || !arn.endsWith(`/${name}`) ? undefined : roleIn(world, arn)
        if (role === undefined) continue
        return {
          Role: {
            Path: textIn(properties, 'Path') ?? '/',
            RoleName: name,
            RoleId: `AROA${account}EXAMPLE`,
            Arn: role.arn,
            CreateDate: new Date('2026-01-01T00:00:00Z'),
            AssumeRolePolicyDocument: encodeURIComponent(JSON.stringify(role.trust)),
          },
        }
      }
    }
  }
  throw new ApiError('NoSuchEntityException', `The role with name ${name} cannot be found.`)
}

function arnOf({ account }: Place, properties: DataMap): string | undefined {
  const name = textIn(properties, 'RoleName')
  return name === undefined ? undefined : `arn:aws:iam::${account}:role${textIn(properties, 'Path') ?? '/'}${name}`
}

/** Throws as STS does where the role's trust policy does not let the identity in. */
export function letIn(role: FoundRole | undefined, identity: WebIdentity, account: string): void {
  const provider = `arn:aws:iam::${account}:oidc-provider/${identity.issuer.replace('https://', '')}`
  const verdict = role === undefined ? undefined : mayAssume(role.trust, { provider, claims: identity.claims })
  if (verdict?.is !== 'allowed')
    throw new ApiError('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity')
}

export type Session = { readonly arn: string; readonly role?: FoundRole }

/** Why the role of a session may not do something; nothing where it may, and of who is in no such role. */
export function refusalOf({ arn, role }: Session, asked: Asked): string | undefined {
  if (role === undefined || judge(role.permissions, asked).is === 'allowed') return undefined
  return `User: ${arn} is not authorized to perform: ${asked.action} on resource: ${asked.resource ?? '*'} because no identity-based policy allows the ${asked.action} action`
}

/** Throws where the role of a session may not do what is asked of CloudFormation, with what comes along with that. */
export function permit({
  place,
  action,
  input,
  session,
}: {
  readonly place: Place
  readonly action: string
  readonly input: Members
  readonly session: Session
}): void {
  const resource = resourceOf(place, input)
  const context = contextOf(place, input)
  const allow = (asked: Asked): void => {
    const refused = refusalOf(session, asked)
    if (refused !== undefined) throw new ApiError('AccessDenied', refused)
  }
  allow({ action: `cloudformation:${action}`, resource, context })
  const role = textAt(input, 'RoleARN')
  if (role !== undefined)
    allow({
      action: 'iam:PassRole',
      resource: role,
      context: { 'iam:PassedToService': 'cloudformation.amazonaws.com' },
    })
  if ((structuresAt(input, 'Tags') ?? []).length > 0)
    allow({
      action: 'cloudformation:TagResource',
      resource,
      context: { ...context, 'cloudformation:CreateAction': action },
    })
}

function resourceOf(place: Place, input: Members): string {
  const stack = textAt(input, 'StackName')
  const changeSet = textAt(input, 'ChangeSetName')
  if (stack !== undefined)
    return (
      findStack(place, stack)?.id ??
      (stack.startsWith('arn:') ? stack : `arn:aws:cloudformation:${place.region}:${place.account}:stack/${stack}/*`)
    )
  return place.stacks.find(({ changeSets }) => changeSets.some(({ id }) => id === changeSet))?.id ?? '*'
}

function contextOf({ region }: Place, input: Members): Asked['context'] {
  const [changeSet, role] = [textAt(input, 'ChangeSetName'), textAt(input, 'RoleARN')]
  return {
    'aws:RequestedRegion': region,
    ...(changeSet === undefined ? {} : { 'cloudformation:ChangeSetName': changeSet }),
    ...(role === undefined ? {} : { 'cloudformation:RoleArn': role }),
  }
}
