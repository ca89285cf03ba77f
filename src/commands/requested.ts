import type { Ports } from '../command.ts'
import type { Catalog } from '../core/catalog.ts'
import type { Run } from '../core/event.ts'
import type { PlannedUnit } from '../core/plan.ts'
import { verdictOf } from '../core/plan.ts'
import type { Checked, Problem } from '../core/problem.ts'
import type { PlanRequest, RequestedUnit } from '../core/request.ts'
import { readRequest } from '../core/request.ts'
import { checkLimits } from '../core/stack/limits.ts'
import { planStack as planAbsent } from '../core/stack/plan.ts'
import type { Stage } from '../core/stage.ts'
import { digest } from '../core/canonical.ts'
import type { GivenOutputs } from '../core/given.ts'
import { withLive } from '../core/given.ts'
import type { FileTree } from '../core/tree.ts'
import { stackOptions } from '../core/organisation.ts'
import type { Provisioner, StackOptions, WantedStack } from '../ports.ts'
import { withDemands } from './gating.ts'
import { planStack } from './looking.ts'
import { tagsOf } from '../core/rendering.ts'
import { changedOutputs } from './planning.ts'
import { Slots } from './slots.ts'
import { stacksOf } from './stacks.ts'
import { readFolder, stateFolders, unknownStage } from './reading.ts'
import { termsOf } from './terms.ts'

/**
 * Plans what another job has rendered, in one stage. Nothing is rendered here, where there may be a role of the cloud; and
 * the account, the region and the provisioner of a unit are those of the catalog in the root, which is merged.
 */
export async function planRequested(
  ports: Ports,
  {
    request: file,
    stages,
    root,
    state,
  }: {
    readonly request: string
    readonly stages: readonly string[]
    readonly root: string
    readonly state: string
  },
): Promise<Checked<readonly PlannedUnit[]> & { readonly sources?: FileTree }> {
  const request = await requestIn(ports, file)
  if (!request.ok) return request
  // The name of an environment leads to what all services share, and to no service.
  const { organisation, sources } = await readFolder(ports, root, { services: ['environment'] })
  if (!organisation.ok) return { ...organisation, sources }
  const { catalog, units: environments } = organisation.value
  const problems: Problem[] = stages
    .filter((name) => catalog.stages.every((stage) => stage.name !== name))
    .map((name) => unknownStage(name, catalog))
  await using stacks = stacksOf(ports, {
    folder: stateFolders(root, state).stacks,
    terms: termsOf(ports, { catalog }),
  })
  const slots = new Slots()
  const homes = new Map<string, Home>()
  const planOne = async (unit: RequestedUnit, stage: Stage): Promise<PlannedUnit | undefined> => {
    const environment = catalog.environments.get(unit.environment)
    const { stack, kind } = unit
    const isThere = environment?.account === stack.account && environment.region === stack.region
    if (environment === undefined || !isThere) {
      const plan = planAbsent(wantedOf(unit, {}))
      problems.push(...plan.problems.map((problem) => ({ ...problem, at: { file, line: 0, column: 0 } })))
      return plan.ok ? absent(unit, plan.value.changes) : undefined
    }
    const provisioner = await stacks.of({ environment })
    const name = environments.find(({ id }) => id === `environment/${unit.environment}`)?.stack ?? environment.stack
    const release = await slots.take(environment)
    try {
      if (kind !== 'environment' && !homes.has(unit.environment))
        homes.set(unit.environment, await homeOf(provisioner, { ...stack, name }))
      const own = kind === 'environment' ? undefined : withLive(unit.body, givenOf(unit, homes.get(unit.environment)))
      const options = stackOptions(catalog, {
        kind,
        environment: environment.name,
        ...(kind !== 'environment' && kind !== 'pipeline' && { stage }),
      })
      const {
        planned,
        preview,
        state: live,
      } = await planStack(provisioner, {
        wanted: wantedOf({ ...unit, body: own?.body ?? unit.body }, options),
        facts: factsOf(unit, own?.isWhole === false),
        purpose: 'plan',
        ownership: stacks.terms.ownerOf(unit),
        guard: { ...stacks.terms.guard, acknowledged: unit.acknowledged },
        signal: stacks.signal,
      })
      if (kind === 'environment') {
        const outputs = live.is === 'settled' ? live.outputs : {}
        homes.set(unit.environment, { outputs, changed: changedOutputs(preview) })
      }
      return planned
    } finally {
      release()
    }
  }
  const due: (readonly [RequestedUnit, Stage])[] = []
  for (const unit of request.value.units) {
    const stage = stageOf(unit, catalog)
    if (stage === undefined || !stages.includes(stage.name)) continue
    const faults = faultsOf(unit, { file, stage })
    problems.push(...faults)
    if (faults.length === 0) due.push([unit, stage])
  }
  const found = new Map<string, PlannedUnit>()
  // What environments would give out is known before what is rendered with it is looked at.
  for (const isHome of [true, false]) {
    const some = due.filter(([{ kind }]) => (kind === 'environment') === isHome)
    const looks = some.map(async ([unit, stage]) => {
      const planned = await planOne(unit, stage)
      if (planned !== undefined) found.set(unit.unit, planned)
    })
    await Promise.allSettled(looks)
    await Promise.all(looks)
  }
  if (problems.some(({ severity }) => severity === 'error')) return { ok: false, problems, sources }
  const stagesOf = (service: string): readonly string[] =>
    request.value.units.flatMap((unit) => (unit.service === service && unit.stage !== undefined ? [unit.stage] : []))
  const value = withDemands(
    due.flatMap(([{ unit }]) => found.get(unit) ?? []),
    { catalog, stagesOf },
  )
  return { ok: true, value, problems }
}

/** What an environment gives out now, and which of that would be other than it is. */
type Home = { readonly outputs: Readonly<Record<string, string>>; readonly changed: ReadonlySet<string> }

async function homeOf(provisioner: Provisioner, stack: WantedStack['stack']): Promise<Home> {
  const state = await provisioner.state(stack, { expects: 'change' })
  return { outputs: state.is === 'settled' ? state.outputs : {}, changed: new Set() }
}

function givenOf({ given }: RequestedUnit, home: Home | undefined): GivenOutputs {
  return { given, live: home?.outputs ?? {}, changed: home?.changed ?? new Set() }
}

/** The request that another job handed on, if it is one of the commit that this run is about. */
export async function requestIn(ports: Ports, file: string): Promise<Checked<PlanRequest>> {
  const text = await ports.files.text(file, { own: true })
  if (!text.ok) return text
  const request = readRequest(file, text.value)
  const fault = request.ok ? faultOf(request.value, ports.run) : undefined
  return fault === undefined ? request : { ok: false, problems: [{ ...fault, at: { file, line: 0, column: 0 } }] }
}

/**
 * An artifact may be that of another run, or of another pull request, by a mistake or on purpose; and what is said of one commit
 * must not pass for what was found in another. In the run after that of a fork, only the head is known.
 */
function faultOf({ commit, head }: PlanRequest, run: Run | undefined): Problem | undefined {
  const about = run?.about
  if (about?.is !== 'pull-request' && about?.is !== 'workflow-run') return undefined
  const isOfHead = head === about.head.commit
  if (isOfHead && (about.is === 'workflow-run' || commit === run?.commit)) return undefined
  const [said, own] = isOfHead ? [commit, run?.commit] : [head, about.head.commit]
  return {
    code: 'request-mismatch',
    severity: 'error',
    message: `The plan request is one of ${said === undefined ? 'no commit' : `commit ${said.slice(0, 7)}`}, and this run is about ${own?.slice(0, 7) ?? ''}.`,
    expected: 'What the job `validate` of this very run has handed on.',
    remedy:
      'Run the whole workflow again. If it comes again, see which job writes the artifact `protium-plan-request`.',
  }
}

/** The stage in which a unit is planned; what several stages share, in the first of them. */
function stageOf(unit: RequestedUnit, { stages }: Catalog): Stage | undefined {
  return unit.kind === 'environment' || unit.kind === 'pipeline'
    ? stages.find(({ environment }) => environment === unit.environment)
    : stages.find(({ name }) => name === unit.stage)
}

function faultsOf(unit: RequestedUnit, { file, stage }: { readonly file: string; readonly stage: Stage }): Problem[] {
  const at = { file, line: 0, column: 0 }
  const faults = checkLimits(unit.body, () => at).filter(({ severity }) => severity === 'error')
  if (unit.environment === stage.environment) return faults
  return [
    ...faults,
    {
      code: 'wrong-value',
      severity: 'error',
      message: `${unit.unit} says that it lies in the environment ${JSON.stringify(unit.environment)}.`,
      expected: `${JSON.stringify(stage.environment)}, which is that of the stage ${stage.name}.`,
      remedy: 'Merge the change of the stage first; what lies in it is planned after that.',
      at,
    },
  ]
}

/** What is set besides the template is what the merged catalog says. */
function wantedOf(
  { unit, stack, body, parameters, template, service, stage }: RequestedUnit,
  options: StackOptions,
): WantedStack {
  const names = { unit, template: template.replace(/@.*$/u, ''), service, stage }
  return { stack, body, parameters, tags: tagsOf(names), options }
}

type Facts = Pick<PlannedUnit, 'unit' | 'stage' | 'template' | 'rendered' | 'predicted'> &
  Partial<Pick<PlannedUnit, 'policy'>>

function factsOf({ unit, stage, template, rendered, policy }: RequestedUnit, predicted: boolean): Facts {
  return {
    unit,
    ...(stage !== undefined && { stage }),
    template,
    rendered,
    predicted,
    ...(policy.length > 0 && { policy }),
  }
}

/** In an environment that the merged catalog does not know, everything is new, and no account is asked. */
function absent(unit: RequestedUnit, changes: PlannedUnit['changes']): PlannedUnit {
  const wanted = wantedOf(unit, {})
  return {
    ...factsOf(unit, true),
    stack: wanted.stack,
    verdict: verdictOf(undefined, wanted, changes),
    changes,
    wants: digest(wanted.body),
    against: digest(null),
  }
}
