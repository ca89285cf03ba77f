import type { Bundle } from '../bundle.ts'
import { type Consumer, consumerReference, impactOf, renderConsumer } from '../impact.ts'
import type { Opened } from '../organisation.ts'
import { serviceFiles } from '../organisation/service.ts'
import type { FileTree } from '../tree.ts'
import { parseVersion } from '../version.ts'
import type { Reason } from './level.ts'
import { releaseName } from './model.ts'

/**
 * What a change of a bundle does to those who run its major, rendered at their own inputs with the release before and with the
 * change: who would lose a resource, or does not render any more, is broken by it. Who does not render as it is says nothing.
 */
export function compareConsumers(
  before: Bundle,
  after: Bundle,
  { opened, consumers, now }: { readonly opened: Opened; readonly consumers: readonly Consumer[]; readonly now: Date },
): readonly Reason[] {
  const { version } = before
  const found = new Map<
    string,
    { readonly reason: Omit<Reason, 'what'>; readonly what: string; readonly who: string[] }
  >()
  const tell = (reason: Omit<Reason, 'what'>, what: string, who: string): void => {
    const known = found.get(what) ?? { reason, what, who: [] }
    known.who.push(who)
    found.set(what, known)
  }
  const [first, second] = [withBundle(opened, before, version), withBundle(opened, after, version)]
  for (const consumer of consumers) {
    const runs = consumerReference(consumer)
    if (runs?.template !== before.template || majorOf(runs.version) !== majorOf(version)) continue
    const was = renderConsumer(first, consumer, { version, now })
    if (!was.ok) continue
    const is = renderConsumer(second, consumer, { version, now, same: was.value })
    const impact = impactOf({ before: was, after: is, guard: opened.catalog.guard })
    const at = { file: consumer.file, line: 1, column: 1 }
    if (impact.is === 'needs-input' || impact.is === 'does-not-render') {
      const [problem] = impact.problems
      tell(
        { level: 'major', at },
        `${(problem?.message ?? 'It does not render any more.').replace(/[.]$/u, '')}: `,
        was.value.consumer,
      )
    }
    for (const { unit, losses } of impact.stages) {
      for (const { logicalId, type, happens } of losses) {
        const level = happens === 'perhaps replaced' ? 'minor' : 'major'
        const words = happens === 'perhaps replaced' ? 'may be replaced' : `would be ${happens}`
        tell({ level, at }, `${logicalId} (${type}) ${words} in `, unit)
      }
    }
  }
  return [...found.values()].map(({ reason, what, who }): Reason => {
    const [name = '', ...others] = who
    return { ...reason, what: `${what}${name}${others.length > 0 ? ` and ${others.length} more` : ''}.` }
  })
}

function majorOf(version: string): number | undefined {
  return parseVersion(version)?.major
}

/** The services and environments that lie in the repository of a catalog. */
export function consumersIn(tree: FileTree): readonly Consumer[] {
  const services = serviceFiles(tree, []).map(({ file, text, component }): Consumer => ({
    is: 'service',
    file,
    text,
    ...(component !== undefined && { component: component.files }),
  }))
  const environments = [...tree].flatMap(([file, text]): readonly Consumer[] =>
    /^environments\/[^/]+\.yaml$/u.test(file) ? [{ is: 'environment', file, text }] : [],
  )
  return [...environments, ...services]
}

/** The catalog, with a bundle in the place of a version. */
function withBundle(opened: Opened, bundle: Bundle, version: string): Opened {
  const placed = { ...bundle, version }
  return {
    ...opened,
    bundles: new Map([...opened.bundles, [releaseName(placed), { is: 'there', bundle: placed, problems: [] }]]),
  }
}
