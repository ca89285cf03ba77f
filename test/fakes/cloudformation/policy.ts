import { type Data, isList, isMap } from '../../../src/core/data.ts'
import { scalarText } from '../../../src/core/stack/parameters.ts'
import { own } from '../../../src/core/stack/template.ts'
import { readJson } from '../../../src/core/yaml.ts'
import type { Plan } from './plan.ts'
import { type Stack, validation } from './state.ts'

/** Refuses a text that is no stack policy. */
export function refuseBadPolicy(text: string): void {
  const read = readJson('policy', text)
  const statements = read.ok ? own(read.value.data, 'Statement') : undefined
  if (!isList(statements) && !isMap(statements)) throw validation('Error validating stack policy: Invalid stack policy')
  for (const statement of isList(statements) ? statements : [statements]) {
    if (
      !['Allow', 'Deny'].includes(scalarText(own(statement, 'Effect')) ?? '') ||
      own(statement, 'Action') === undefined
    )
      throw validation('Error validating stack policy: Invalid stack policy')
  }
}

/**
 * The resources that a stack's policy does not let be changed, with the reason. Once there is a policy, what it does not
 * allow is denied. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html
 */
export function deniedByPolicy(stack: Stack, plan: Plan): ReadonlyMap<string, string> {
  const denied = new Map<string, string>()
  if (stack.policy === undefined) return denied
  const read = readJson('policy', stack.policy)
  const written = read.ok ? own(read.value.data, 'Statement') : undefined
  const statements = isList(written) ? written : written === undefined ? [] : [written]
  const ask = (logicalId: string, type: string, action: string): void => {
    const matching = statements.filter((statement) => matches(statement, { logicalId, type, action }))
    const denies = matching.findIndex((statement) => own(statement, 'Effect') === 'Deny')
    if (denies >= 0) {
      const number = statements.indexOf(matching[denies] ?? null) + 1
      denied.set(
        logicalId,
        `Action denied by stack policy: Statement [#${number}] does not allow [${action}] for resource [${logicalId}];`,
      )
    } else if (matching.length === 0) {
      denied.set(
        logicalId,
        `Action not allowed by stack policy: no statement allows [${action}] for resource [${logicalId}];`,
      )
    }
  }
  for (const { logicalId, type, action } of plan.resources) {
    if (action === 'update') ask(logicalId, type, 'Update:Modify')
    if (action === 'replace') ask(logicalId, type, 'Update:Replace')
  }
  for (const { logicalId, type } of plan.removals) ask(logicalId, type, 'Update:Delete')
  return denied
}

function matches(
  statement: Data,
  it: { readonly logicalId: string; readonly type: string; readonly action: string },
): boolean {
  const words = (key: string): readonly string[] => textsOf(own(statement, key))
  const isAction =
    words('Action').some((pattern) => like(pattern, it.action)) ||
    (words('NotAction').length > 0 && !words('NotAction').some((pattern) => like(pattern, it.action)))
  const name = `LogicalResourceId/${it.logicalId}`
  const notResource = words('NotResource')
  const isResource =
    words('Resource').some((pattern) => like(pattern, name)) ||
    (notResource.length > 0 && !notResource.some((pattern) => like(pattern, name)))
  const condition = own(statement, 'Condition')
  const isType = ['StringEquals', 'StringLike'].every((operator) => {
    const types = own(own(condition, operator), 'ResourceType')
    return types === undefined || textsOf(types).some((pattern) => like(pattern, it.type))
  })
  return isAction && isResource && isType
}

function textsOf(value: Data | undefined): readonly string[] {
  const items = isList(value) ? value : value === undefined ? [] : [value]
  return items.flatMap((item) => scalarText(item) ?? [])
}

function like(pattern: string, text: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`).test(text)
}
