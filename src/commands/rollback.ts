import type { Json, Outcome, Ports } from '../command.ts'
import { command, flag, lines, path, text } from '../command.ts'
import { line } from '../core/encode.ts'
import type { Organisation, Unit } from '../core/organisation.ts'
import { readOrganisation } from '../core/organisation.ts'
import { planOf } from '../core/plan.ts'
import type { Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import { planText } from '../core/report.ts'
import type { FileTree } from '../core/tree.ts'
import type { DeploymentRecord } from '../ports.ts'
import { deployUnits } from './deploying.ts'
import { outcomeOf } from './outcome.ts'
import { planUnits } from './planning.ts'
import { stacksOf } from './stacks.ts'
import { sameFolders, stateFolders } from './reading.ts'
import { withImages } from './shipping.ts'
import { termsOf } from './terms.ts'

type Answer = Outcome<Readonly<Record<'to' | 'units', Json>>>

export const rollback = command({
  name: 'rollback',
  summary: 'Goes back to the last good deployment of a unit: the files of its commit, and the image that ran.',
  inputs: {
    unit: text('The unit: checkout/prod, environment/dev; or a service, with --stage.', {
      positional: true,
      required: true,
    }),
    stage: text('The stage, where a service is named.', {}),
    to: text('Another record than the last good one, by its id, or by its commit.', { hint: 'RECORD' }),
    yes: flag('Do it without being asked.'),
    fail: lines('Rehearse a failure: the local provisioner lets this resource fail.', { hint: 'STACK/RESOURCE' }),
    root: path('The folder of the organisation.', { default: '.' }),
    state: path('The folder of the local stacks and records; a relative one lies below the root.', {
      default: '.protium',
    }),
  },
  outputs: {
    to: 'The record that was gone back to.',
    units: 'The unit, with its outcome and, if it failed, why.',
  },
  async run(ports, { unit: name, stage, to, yes, fail, root, state }): Promise<Answer> {
    const id = stage === undefined ? name : `${name}/${stage}`
    const folders = stateFolders(root, state)
    const records = await ports.records(folders.records)
    const history = await records.list(id)
    const target = targetOf(history, { id, to })
    const commit = target.commit ?? ''
    const then = await organisationAt(ports, { root, commit })
    const data = { to: target.id, units: [] }
    const bad = (problems: readonly Problem[], sources?: FileTree): Answer => ({
      exit: 'bad-input',
      data,
      text: () => '',
      problems,
      ...(sources !== undefined && { sources }),
    })
    if (!then.ok) return bad(then.problems, then.sources)
    const { organisation, sources } = then
    const unit = organisation.units.find((each) => each.id === id)
    if (unit === undefined) throw notThere(id, commit)
    await using _run = await ports.exclusive(folders.stacks)
    const terms = termsOf(ports, { catalog: organisation.catalog })
    await using stacks = stacksOf(ports, { folder: folders.stacks, fail, for: 'deployment', terms })
    const images = new Map(target.image === undefined ? [] : [[id, target.image] as const])
    const planned = await planUnits(withImages(neededFor(unit, organisation), images), stacks)
    if (!planned.ok) return bad(planned.problems, sources)
    const own = planned.value.filter((each) => each.unit.id === id)
    const plan = planOf(own.map((each) => each.planned))
    const agreed = yes || (await asked(ports, `${planText(plan)}\n\nGo back to this?`))
    if (!agreed) {
      return {
        exit: 'needs-approval',
        data,
        text: (paint) => `${planText(plan, paint)}\n\nNothing was touched.`,
        problems: planned.problems,
        sources,
        next: [{ run: `rollback ${id} --yes${sameFolders({ root, state })}`, why: 'do what the plan says' }],
      }
    }
    const from = history.at(-1)?.commit
    const attempts = await deployUnits(ports, {
      organisation,
      planned: own,
      stacks,
      records,
      commit,
      images,
      rollback: { to: target.id, ...(from !== undefined && from !== commit && { from }) },
      approve: async () => true,
    })
    const outcome = outcomeOf(attempts, {
      organisation,
      again: `rollback ${id}`,
      folders: sameFolders({ root, state }),
    })
    return { ...outcome, data: { to: target.id, units: outcome.data.units }, problems: planned.problems, sources }
  },
})

/** The record to go back to: the one that is named, or the last good one that is not what runs now. */
function targetOf(
  history: readonly DeploymentRecord[],
  { id, to }: { readonly id: string; readonly to: string | undefined },
): DeploymentRecord & { readonly commit: string } {
  const good = history.filter(({ outcome }) => outcome === 'deployed' || outcome === 'unchanged')
  // After a failure the last good one is what to go back to; after a success it is what runs, and the one before is meant.
  const running = history.at(-1)?.outcome === 'failed' ? undefined : good.at(-1)
  const isOther = ({ wants, version, image }: DeploymentRecord): boolean =>
    running === undefined || wants !== running.wants || version !== running.version || image !== running.image
  const target =
    to === undefined
      ? good.findLast(isOther)
      : good.findLast((record) => record.id === to || (to.length >= 7 && record.commit?.startsWith(to) === true))
  if (target === undefined) {
    throw new Refused(
      'nothing-to-roll-back-to',
      to === undefined
        ? `There is no good deployment of ${line(id)} to go back to.`
        : `There is no good deployment ${line(to)} of ${line(id)}.`,
      { remedy: 'See what there was: `protium status`; to undo a change, revert its commit and deploy.' },
    )
  }
  const { commit } = target
  if (commit !== undefined) return { ...target, commit }
  throw new Refused(
    'nothing-to-roll-back-to',
    `The deployment ${target.id} was made from files that no commit holds.`,
    {
      remedy: 'Bring the files back as they were, and deploy them.',
    },
  )
}

type Then =
  | { readonly ok: true; readonly organisation: Organisation; readonly sources: FileTree }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly sources: FileTree }

/** The organisation as it was at a commit, with the released versions that it asks for. */
async function organisationAt(
  ports: Ports,
  { root, commit }: { readonly root: string; readonly commit: string },
): Promise<Then> {
  const then = await ports.files.at(root, commit)
  if (then === undefined) {
    throw new Refused('commit-missing', `The clone does not have the commit ${commit.slice(0, 12)}.`, {
      remedy: 'Fetch it: `git fetch --unshallow`, or `fetch-depth: 0` for actions/checkout.',
    })
  }
  const releases = await ports.files.releases(root)
  const released = new Map<string, FileTree | undefined>()
  for (;;) {
    const asked: { readonly template: string; readonly version: string }[] = []
    const read = readOrganisation(
      then.tree,
      (template, version) => {
        if (!released.has(`${template}@${version}`)) asked.push({ template, version })
        return released.get(`${template}@${version}`)
      },
      releases,
    )
    if (asked.length === 0)
      return read.ok
        ? { ok: true, organisation: read.value, sources: then.tree }
        : { ok: false, problems: read.problems, sources: then.tree }
    for (const wanted of asked)
      released.set(`${wanted.template}@${wanted.version}`, (await ports.files.released(root, wanted))?.tree)
  }
}

/** A unit with what it is rendered with: its environment, its component, or all that a pipeline serves. */
function neededFor(unit: Unit, { units }: Organisation): readonly Unit[] {
  const service = unit.service?.service
  return units.filter(
    (each) => each.kind === 'environment' || (service !== undefined && each.service?.service === service),
  )
}

function notThere(id: string, commit: string): Refused {
  return new Refused('nothing-to-roll-back-to', `There was no unit ${line(id)} at commit ${commit.slice(0, 12)}.`, {
    remedy: 'Name another record with `--to`.',
  })
}

async function asked(ports: Ports, question: string): Promise<boolean> {
  return ports.confirm === undefined ? false : ports.confirm(question)
}
