import type { DataMap, Path } from './data.ts'
import { judge, noPolicy, problemOf } from './policy/judge.ts'
import type { Place, Problem } from './problem.ts'

export { factOf, holds, judge, noPolicy, problemOf, weighed } from './policy/judge.ts'
export type { Excuse, Judged, Policy, PolicyFact, Subject } from './policy/judge.ts'

/**
 * Judges a CloudFormation template (intrinsics in long form) by the rules that hold for every template of a catalog where it
 * says nothing else: no wildcard in what a role may do, no door to everybody but a public load balancer's, encryption at
 * rest, logs that end, and in production stores that outlive their stack.
 *
 * A value behind `Fn::If` is judged on both branches; one that only the deployment knows (a parameter, an attribute) is
 * not judged. A resource may be excused from a rule, with a reason:
 * `Metadata: { protium: { allow: { policy-open-ingress: why } } }`.
 *
 * `at` gives the place of a path in the template, for the problems.
 */
export function checkPolicy(
  template: DataMap,
  at: (path: Path) => Place,
  options: { readonly production?: boolean } = {},
): Problem[] {
  const subject = { unit: '', template: '', stages: [], production: options.production === true }
  const judged = judge(template, { policy: noPolicy, subject, now: new Date(0) })
  return judged.flatMap((finding) => problemOf(finding, at(finding.path)) ?? [])
}
