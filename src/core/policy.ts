import { type DataMap, isMap, type Path } from './data.ts'
import { ingress, listener } from './policy/doors.ts'
import { type Finding, type Resource, resourcesOf } from './policy/resources.ts'
import { identity } from './policy/roles.ts'
import { encryption, retained, retention } from './policy/stores.ts'
import type { Place, Problem } from './problem.ts'

/**
 * Judges a CloudFormation template (intrinsics in long form) by rules that hold for every template of a catalog: no
 * wildcard in what a role may do, no door to everybody but a public load balancer's, encryption at rest, logs that end,
 * and in production stores that outlive their stack.
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
  const resources = resourcesOf(template)
  const problems: Problem[] = []
  for (const resource of resources.values()) {
    const findings: Finding[] = [
      ...identity(resource),
      ...ingress(resource, resources),
      ...listener(resource, resources),
      ...encryption(resource),
      ...retention(resource, resources),
      ...(options.production === true ? retained(resource) : []),
    ]
    const allowed = excused(resource)
    for (const { code, severity = 'error', path, message, expected, remedy } of findings) {
      if (!allowed.has(code)) problems.push({ code, severity, message, expected, remedy, at: at(path) })
    }
  }
  return problems
}

function excused(resource: Resource): ReadonlySet<string> {
  const metadata = resource.body['Metadata']
  const own = isMap(metadata) ? metadata['protium'] : undefined
  const allow = isMap(own) ? own['allow'] : undefined
  if (!isMap(allow)) return new Set()
  return new Set(Object.keys(allow).filter((code) => typeof allow[code] === 'string' && allow[code].trim() !== ''))
}
