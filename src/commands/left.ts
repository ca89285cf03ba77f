/** What was deployed and no file asks for any more: nothing is deleted because a file is gone, so it has to be told of. */
import type { Ports } from '../command.ts'
import type { Catalog } from '../core/catalog.ts'
import type { Organisation } from '../core/organisation.ts'
import { filled } from '../core/organisation/stacks.ts'
import { Refused } from '../core/problem.ts'
import type { Problem } from '../core/problem.ts'
import { list } from '../core/report.ts'
import type { DeploymentRecord } from '../ports.ts'
import { quoted } from './reading.ts'
import type { Stacks } from './stacks.ts'

export type Left = {
  readonly unit: string
  /** By the pattern of the catalog: that of an adopted stack stood in the file that is gone. */
  readonly stack: string
  /** When its last deployment ended. */
  readonly since: string
  readonly commit: string | null
}

/**
 * Units whose last record says that they are deployed, and that no file asks for any more. One whose stack is seen to be gone is
 * none of them, nor one whose stack another unit has now. What cannot be looked at is told of.
 */
export async function leftBehind(
  records: readonly DeploymentRecord[],
  { organisation: { catalog, units }, stacks }: { readonly organisation: Organisation; readonly stacks: Stacks },
): Promise<readonly Left[]> {
  const wanted = new Set(units.map(({ id }) => id))
  const last = new Map<string, DeploymentRecord>()
  for (const record of records) {
    const { unit, outcome } = record
    // A creation that failed leaves a stack, too; after a success, a failure changes nothing of what is there.
    const isFirst = (last.get(unit)?.outcome ?? 'removed') === 'removed'
    if (['deployed', 'unchanged', 'removed'].includes(outcome) || (outcome === 'failed' && isFirst))
      last.set(unit, record)
  }
  const left: Left[] = []
  for (const { unit, stage, outcome, finished, commit } of last.values()) {
    if (outcome === 'removed' || wanted.has(unit)) continue
    const stack = stackNameOf(unit, catalog)
    const environment = environmentOf({ unit, stage }, catalog)
    if (environment !== undefined) {
      const taken = units.some((each) => each.stack === stack && each.environment.name === environment.name)
      if (taken || (await isAbsent({ stack, environment }, stacks))) continue
    } else if (outcome === 'failed') continue
    left.push({ unit, stack, since: finished, commit: commit ?? null })
  }
  return left.toSorted((a, b) => (a.unit < b.unit ? -1 : 1))
}

type Environment = NonNullable<ReturnType<Catalog['environments']['get']>>

function environmentOf(
  { unit, stage }: { readonly unit: string; readonly stage: string | undefined },
  { stages, environments }: Catalog,
): Environment | undefined {
  const name = stages.find((each) => each.name === stage)?.environment
  return environments.get(name ?? /^environment\/(.+)$/u.exec(unit)?.[1] ?? '')
}

function stackNameOf(unit: string, catalog: Catalog): string {
  const [service = '', stage = '', component] = unit.split('/')
  if (service === 'environment') return `env-${stage}`
  return `${filled(catalog.stackName, service, stage)}${component === undefined ? '' : '-component'}`
}

async function isAbsent(
  { stack, environment }: { readonly stack: string; readonly environment: Environment },
  stacks: Stacks,
): Promise<boolean> {
  const { account, region } = environment
  try {
    const provisioner = await stacks.of({ environment })
    return (await provisioner.state({ name: stack, account, region }, { expects: 'change' })).is === 'absent'
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    return false
  }
}

/** `3 units were deployed and no file asks for them any more: …`; nothing where there are none. */
export function leftLine(left: readonly Left[], program: string): readonly string[] {
  if (left.length === 0) return []
  const names = left.slice(0, 5).map(({ unit }) => unit)
  const those = left.length > 5 ? `${names.join(', ')} and ${left.length - 5} more` : list(names)
  const [what, them] = left.length === 1 ? ['1 unit was', 'it'] : [`${left.length} units were`, 'them']
  return [`${what} deployed and no file asks for ${them} any more: ${those}; see \`${program} status\`.`]
}

/** What is said of names that nothing has any more but the records: how to have their files back, to remove them by them. */
export async function leftProblems(
  ports: Ports,
  {
    names,
    root,
    left,
    command,
  }: {
    readonly names: readonly string[]
    readonly root: string
    readonly left: readonly Left[]
    /** What is to be done with them once their files are back. */
    readonly command: string
  },
): Promise<readonly Problem[]> {
  const problems: Problem[] = []
  for (const name of names) {
    const those = left.filter(({ unit }) => isNamed(unit, name))
    const last = those.toSorted((a, b) => (a.since < b.since ? -1 : 1)).at(-1)
    if (last === undefined) continue
    const stacks = `the stack${those.length === 1 ? '' : 's'} ${list(those.map(({ stack }) => stack))}`
    problems.push({
      code: 'unknown-unit',
      severity: 'error',
      message: `No file asks for ${name} any more, and ${stacks} ${those.length === 1 ? 'is' : 'are'} left of it.`,
      expected: 'The file of what is removed: it says where the stacks are, and what in them holds data.',
      remedy: `${await wayBack(ports, { root, last, those })}, and run \`${ports.program} ${command}\` again.`,
    })
  }
  return problems
}

/** `cart` means all that is left of it. */
export function isNamed(unit: string, name: string): boolean {
  return unit === name || unit.startsWith(`${name}/`)
}

async function wayBack(
  ports: Ports,
  {
    root,
    last: { unit, commit },
    those,
  }: { readonly root: string; readonly last: Left; readonly those: readonly Left[] },
): Promise<string> {
  const [service = '', stage = ''] = unit.split('/')
  const isEnvironment = service === 'environment'
  const file = isEnvironment ? `environments/${stage}.yaml` : `services/${service}/service.yaml`
  const then = commit === null ? undefined : (await ports.files.at(root, commit))?.tree
  if (then?.has(file) !== true) return `Put its file back as it was when it was deployed (\`${file}\`)`
  // The files of a component lie beside it.
  const hasComponent = those.some((each) => each.unit.endsWith('/component'))
  const path = hasComponent ? `services/${service}` : file
  const git = root === '.' ? 'git' : `git -C ${quoted(root)}`
  return `Put its file back: \`${git} checkout ${commit ?? ''} -- ${quoted(path)}\``
}
