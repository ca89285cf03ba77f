import { canonicalJson } from '../canonical.ts'
import { type DataMap, isMap, type Path } from '../data.ts'
import type { Problem } from '../problem.ts'
import { listIn, mapIn, numberIn, textIn, textsIn } from '../shape.ts'
import { utf8Length } from '../stack/sizes.ts'
import type { Document } from '../yaml.ts'

/**
 * What the stacks of a stage are besides their templates; only the catalog says it, never a service's file. What is absent is
 * left as the cloud has it.
 */
export type StackOptions = {
  readonly terminationProtection?: boolean
  readonly stackPolicy?: DataMap
  readonly serviceRole?: string
  /** ARNs of alarms that roll an operation back, and how many minutes they are watched after it. */
  readonly rollback?: { readonly alarms: readonly string[]; readonly minutes: number }
  readonly mode?: 'standard' | 'express'
  readonly capabilities?: readonly string[]
}

/** The account and region that a stage lies in, as far as they are known. */
export type Home = { readonly account: string; readonly region: string }

/**
 * Reads `stack:` of a stage. Without a word, a production stack is protected from being deleted as a whole.
 *
 * What CloudFormation would refuse only when somebody deploys is told here: a role or an alarm of another account
 * (CreateChangeSet, `RoleARN`, `RollbackConfiguration`), a policy of more than 16,384 bytes (SetStackPolicy).
 */
export function readStackOptions(
  stage: DataMap,
  {
    name,
    production,
    home,
    document,
    problems,
  }: {
    readonly name: string
    readonly production: boolean
    readonly home: Home | undefined
    readonly document: Document
    readonly problems: Problem[]
  },
): StackOptions {
  const data = mapIn(stage, 'stack')
  const path: Path = ['stages', name, 'stack']
  const wrong = (below: Path, words: Pick<Problem, 'message' | 'remedy'> & { readonly expected: string }): void => {
    problems.push({ code: 'stack-option', severity: 'error', ...words, at: document.place([...path, ...below]) })
  }
  const protection = data?.['termination_protection']
  const policy = mapIn(data, 'stack_policy')
  const role = textIn(data, 'service_role')
  const mode = textIn(data, 'mode')
  const alarms = mapIn(data, 'rollback_alarms')
  if (policy !== undefined) checkPolicy(policy, wrong)
  if (role !== undefined) checkHome(role, { home, below: ['service_role'], what: 'The service role', wrong })
  for (const [index, alarm] of textsIn(alarms, 'alarms').entries())
    checkHome(alarm, { home, below: ['rollback_alarms', 'alarms', index], what: 'The alarm', wrong })
  if (mode === 'express' && production) {
    wrong(['mode'], {
      message: `The stage "${name}" is a production stage, and express mode ends before resources are known to work.`,
      expected: '`mode: standard` where `production: true`.',
      remedy: 'Leave the line out; express mode is for the stages before.',
    })
  }
  if (mode === 'express' && alarms !== undefined) {
    wrong(['rollback_alarms'], {
      message:
        'Alarms are watched until an operation ends, and express mode ends it before there is anything to watch.',
      expected: 'Either `mode: express` or `rollback_alarms:`.',
      remedy: 'Remove one of the two.',
    })
  }
  const isProtected = typeof protection === 'boolean' ? protection : production ? true : undefined
  return {
    ...(isProtected !== undefined && { terminationProtection: isProtected }),
    ...(policy !== undefined && { stackPolicy: policy }),
    ...(role !== undefined && { serviceRole: role }),
    ...(alarms !== undefined && {
      rollback: { alarms: textsIn(alarms, 'alarms'), minutes: numberIn(alarms, 'minutes') ?? 0 },
    }),
    ...((mode === 'standard' || mode === 'express') && { mode }),
    ...(data?.['capabilities'] !== undefined && { capabilities: textsIn(data, 'capabilities') }),
  }
}

type Wrong = (below: Path, words: Pick<Problem, 'message' | 'remedy'> & { readonly expected: string }) => void

const longestPolicy = 16_384

/** Once a stack has a policy, what it does not allow is denied: a policy without `Allow` would freeze the stack. */
function checkPolicy(policy: DataMap, wrong: Wrong): void {
  const statements = listIn(policy, 'Statement') ?? []
  const size = utf8Length(canonicalJson(policy))
  if (size > longestPolicy) {
    wrong(['stack_policy'], {
      message: `The stack policy has ${size} bytes.`,
      expected: `At most ${longestPolicy} bytes.`,
      remedy: 'Write fewer statements; `LogicalResourceId/Orders*` names several resources.',
    })
  }
  if (!statements.some((each) => isMap(each) && each['Effect'] === 'Allow')) {
    wrong(['stack_policy'], {
      message: 'The stack policy allows nothing, so no resource could ever be updated.',
      expected: 'A list `Statement:` in which one has `Effect: Allow`.',
      remedy: 'Add `{ Effect: Allow, Action: "Update:*", Principal: "*", Resource: "*" }` before what is denied.',
    })
  }
}

/** An ARN is `arn:partition:service:region:account:…`; IAM has no region. */
function checkHome(
  arn: string,
  {
    home,
    below,
    what,
    wrong,
  }: { readonly home: Home | undefined; readonly below: Path; readonly what: string; readonly wrong: Wrong },
): void {
  if (home === undefined) return
  const [, , , region = '', account = ''] = arn.split(':')
  // What is no ARN has been told of by the schema.
  if (account === '' || (account === home.account && (region === '' || region === home.region))) return
  wrong(below, {
    message: `${what} is in the account ${account}${region === '' ? '' : `, region ${region}`}, and the stage is in ${home.account}, ${home.region}.`,
    expected: 'One of the account and region that the environment of the stage is in.',
    remedy: 'Correct the ARN.',
  })
}
