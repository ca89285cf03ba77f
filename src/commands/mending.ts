/** Brings back what was changed by hand. */
import type { Json, Outcome, Ports } from '../command.ts'
import { canonicalJson } from '../core/canonical.ts'
import { mapOf } from '../core/data.ts'
import { line } from '../core/encode.ts'
import { withoutMarks } from '../core/guard.ts'
import type { Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import { count, list } from '../core/report.ts'
import type { StackPreview, StackState } from '../ports.ts'
import type { Found } from './drifting.ts'
import { planStack } from './looking.ts'
import { lossProblems } from './losses.ts'
import type { Rendered } from '../core/rendering.ts'
import { renderedDigest } from '../core/rendering.ts'
import type { Stacks } from './stacks.ts'

type Mended = {
  readonly exit: Outcome['exit']
  readonly lines: readonly string[]
  readonly problems: readonly Problem[]
  readonly units: readonly Json[]
}

/** Brings back one stack after the other; all are planned and shown first. */
export async function mendAll(
  ports: Ports,
  { found, stacks, yes }: { readonly found: readonly Found[]; readonly stacks: Stacks; readonly yes: boolean },
): Promise<Mended> {
  const planned: Mend[] = []
  const problems: Problem[] = []
  for (const each of found.filter(({ drift: { resources } }) => resources.length > 0)) {
    const one = await planMend(each, stacks)
    problems.push(...one.problems)
    if (one.mend !== undefined) planned.push(one.mend)
  }
  if (planned.length === 0) return { exit: 'different', lines: ['Nothing was brought back.'], problems, units: [] }
  const what = planned.map(({ found: { unit }, preview: { changes } }) => {
    const resources = changes.map(({ logicalId }) => logicalId)
    const named = resources.length > 5 ? [...resources.slice(0, 5), `${resources.length - 5} more`] : resources
    const would = `${count(resources.length, 'resource')} would be brought back`
    return `${unit.id}: ${would}${named.length === 0 ? '' : `: ${line(list(named))}`}`
  })
  const agreed = yes || ((await ports.confirm?.(`${what.join('\n')}\n\nBring it back?`)) ?? false)
  if (!agreed) return { exit: 'needs-approval', lines: [...what, 'Nothing was touched.'], problems, units: [] }
  const ended: { unit: string; outcome: string; why: string | null }[] = []
  for (const each of planned) ended.push(await mendOne(ports, each, stacks))
  const failed = ended.some(({ outcome }) => outcome !== 'mended')
  return {
    exit: failed ? 'failed' : problems.length > 0 ? 'different' : 'done',
    lines: ended.map(({ unit, outcome, why }) => `${unit}: ${outcome}${why === null ? '' : ` (${line(why)})`}`),
    problems,
    units: ended,
  }
}

type Mend = { readonly found: Found; readonly preview: StackPreview; readonly wanted: Rendered['wanted'] }

/**
 * What bringing back would do. The files have to say what is deployed, for otherwise their change would come along; and what holds
 * data is not replaced.
 */
async function planMend(
  found: Found,
  stacks: Stacks,
): Promise<{ readonly mend?: Mend; readonly problems: readonly Problem[] }> {
  const { unit, rendered, state } = found
  const unmendable = (why: string, remedy: string): { readonly problems: readonly Problem[] } => ({
    problems: [{ code: 'drift-unmendable', severity: 'error', message: `${unit.id}: ${why}`, remedy }],
  })
  if (rendered === undefined) return unmendable('its files cannot be rendered.', 'See `protium validate`.')
  const { terms, signal } = stacks
  const provisioner = await stacks.of(unit)
  const facts = { unit: unit.id, template: unit.bundle.template, rendered: renderedDigest(rendered), predicted: false }
  const acknowledged = [...unit.acknowledged.keys(), ...(terms.acknowledged.get(unit.id) ?? [])]
  const looking = {
    wanted: rendered.wanted,
    facts,
    ownership: terms.ownerOf(unit),
    guard: { ...terms.guard, acknowledged },
    signal,
  }
  const plain = await planStack(provisioner, { ...looking, purpose: 'plan' })
  if (plain.planned.verdict !== 'nothing' && !isDeployed(state, plain.wanted)) {
    return unmendable(
      'its files say another thing than what is deployed, which would be deployed along with it.',
      `Deploy it, which brings back what it changes: \`protium deploy ${unit.id}\`; or go back to the files that are deployed.`,
    )
  }
  try {
    const back = await planStack(provisioner, { ...looking, purpose: 'deployment', mends: 'drift' })
    const losses = lossProblems(unit, back.planned)
    return losses.length > 0
      ? { problems: losses }
      : { mend: { found, preview: back.preview, wanted: back.wanted }, problems: [] }
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== 'drift-unmendable') throw error
    return unmendable(error.message, error.remedy)
  }
}

/** Whether a stack is what is wanted but for what was changed by hand. */
function isDeployed(state: StackState, { body, parameters, tags }: Rendered['wanted']): boolean {
  if (state.is !== 'settled') return false
  const texts = (map: Readonly<Record<string, string>>): string => canonicalJson(mapOf(Object.entries(map)))
  const known = Object.fromEntries(
    Object.entries(state.parameters).map(([name, value]) => [
      name,
      value === '****' ? (parameters[name] ?? value) : value,
    ]),
  )
  return (
    canonicalJson(withoutMarks(state.body)) === canonicalJson(withoutMarks(body)) &&
    texts(known) === texts(parameters) &&
    texts(state.tags) === texts(tags)
  )
}

async function mendOne(
  ports: Ports,
  { found: { unit }, preview, wanted }: Mend,
  stacks: Stacks,
): Promise<{ readonly unit: string; readonly outcome: string; readonly why: string | null }> {
  const provisioner = await stacks.of(unit)
  let last = 'unknown'
  let why: string | null = null
  try {
    for await (const event of provisioner.execute(preview, wanted, ports.signal)) {
      if (event.kind === 'stack') last = event.status
      else if (event.status.endsWith('_FAILED')) why ??= `${event.logicalId}: ${event.reason ?? event.status}`
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    return { unit: unit.id, outcome: 'failed', why: error.message }
  }
  const isBack = last === 'UPDATE_COMPLETE' || last === 'CREATE_COMPLETE'
  return { unit: unit.id, outcome: isBack ? 'mended' : 'failed', why: isBack ? null : (why ?? `the stack is ${last}`) }
}
