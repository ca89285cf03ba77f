/** Where a rollback goes back to: the record, and the files of its commit. */
import type { Ports } from '../command.ts'
import { line } from '../core/encode.ts'
import type { Run } from '../core/event.ts'
import type { Organisation, Unit } from '../core/organisation.ts'
import { readOrganisation } from '../core/organisation.ts'
import type { Checked, Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import type { FileTree } from '../core/tree.ts'
import type { DeploymentRecord, Records } from '../ports.ts'
import { readFolder, unknownStage } from './reading.ts'

/** What is gone back to, and what runs until then. */
export type Target = {
  readonly id: string
  readonly record: DeploymentRecord
  readonly commit: string
  /** The latest records of the unit, the newest last. */
  readonly history: readonly DeploymentRecord[]
}

/**
 * The id of the unit that is meant: `checkout/prod`, or a service with a stage. `environment` with a stage is the environment that
 * the stage lies in, by the catalog of this moment. A name that leads out of the stage is refused: the rules of that stage let
 * the run begin.
 */
export async function meantUnit(
  ports: Ports,
  { name, stage, ...folders }: { readonly name: string; readonly stage: string | undefined } & Folders,
): Promise<Checked<string>> {
  const [first, second] = name.split('/')
  if (stage === undefined) return { ok: true, value: name, problems: [] }
  if (second !== undefined && (first === 'environment' || second !== stage)) {
    const message = `${line(name)} is not a unit of the stage ${line(stage)} alone.`
    const remedy = 'Name the service alone, or `environment`; or leave out the stage.'
    return { ok: false, problems: [{ code: 'option-value', severity: 'error', message, remedy }] }
  }
  if (second !== undefined) return { ok: true, value: name, problems: [] }
  if (name !== 'environment') return { ok: true, value: `${name}/${stage}`, problems: [] }
  const { organisation: read } = await readFolder(ports, folders.root, { services: ['environment'], ...apart(folders) })
  if (!read.ok) return read
  const { catalog } = read.value
  const found = catalog.stages.find((each) => each.name === stage)
  return found === undefined
    ? { ok: false, problems: [unknownStage(stage, catalog)] }
    : { ok: true, value: `environment/${found.environment}`, problems: [] }
}

/** As many records are looked at for the last good one. */
const latest = 100

/** The record to go back to: the one that is named, or the last good one that is not what runs now. */
export async function targetOf(
  records: Records,
  { id, to }: { readonly id: string; readonly to: string | undefined },
): Promise<Target> {
  const history = await records.list(id, { latest })
  const record =
    chosen(history, to) ?? (history.length < latest ? undefined : chosen(await records.list(id), to)) ?? missing(id, to)
  const { commit } = record
  if (commit !== undefined) return { id, record, commit, history }
  throw new Refused(
    'nothing-to-roll-back-to',
    `The deployment ${record.id} was made from files that no commit holds.`,
    {
      remedy: 'Bring the files back as they were, and deploy them.',
    },
  )
}

function chosen(history: readonly DeploymentRecord[], to: string | undefined): DeploymentRecord | undefined {
  const good = history.filter(({ outcome }) => outcome === 'deployed' || outcome === 'unchanged')
  if (to !== undefined)
    return good.findLast((record) => record.id === to || (to.length >= 7 && record.commit?.startsWith(to) === true))
  // After a failure the last good one is what to go back to; after a success it is what runs, and the one before is meant.
  const running = history.at(-1)?.outcome === 'failed' ? undefined : good.at(-1)
  return good.findLast(
    ({ wants, version, image }) =>
      running === undefined || wants !== running.wants || version !== running.version || image !== running.image,
  )
}

function missing(id: string, to: string | undefined): never {
  throw new Refused(
    'nothing-to-roll-back-to',
    to === undefined
      ? `There is no good deployment of ${line(id)} to go back to.`
      : `There is no good deployment ${line(to)} of ${line(id)}.`,
    { remedy: 'See what there was: `protium status`; to undo a change, revert its commit and deploy.' },
  )
}

/**
 * A rollback in a workflow is that of the default branch, and goes back to what was merged there. Branches are fetched with the rest of
 * the history, and a record is a file that who may write to the ledger may write: neither brings anything else to a stage.
 */
export async function checkReturn(
  ports: Ports,
  { run, root, commit }: { readonly run: Run; readonly root: string; readonly commit: string },
): Promise<void> {
  const { about, defaultBranch, ref } = run
  if (about.is !== 'other' || ref !== `refs/heads/${defaultBranch}`) {
    throw new Refused('not-merged', `A rollback is started on ${defaultBranch}, by hand.`, {
      remedy: `Start the workflow with \`gh workflow run rollback.yml --ref ${defaultBranch}\`.`,
    })
  }
  if (commit === run.commit) return
  const isMerged = await ports.files.isBefore(root, { older: commit, newer: run.commit })
  if (isMerged === true) return
  throw isMerged === undefined
    ? commitMissing(commit)
    : new Refused('not-merged', `The commit ${commit.slice(0, 12)} is not one of ${defaultBranch}.`, {
        remedy: 'Name a record of what was merged there with `to`.',
      })
}

function commitMissing(commit: string): Refused {
  return new Refused('commit-missing', `The clone does not have the commit ${commit.slice(0, 12)}.`, {
    remedy: 'Fetch it: `git fetch --unshallow`, or `fetch-depth: 0` for actions/checkout.',
  })
}

export type Folders = { readonly root: string; readonly catalog: string | undefined }

function apart({ root, catalog }: Folders): { readonly catalog?: string } {
  return catalog === undefined || catalog === root ? {} : { catalog }
}

export type Then =
  | {
      readonly ok: true
      readonly organisation: Organisation
      readonly unit: Unit
      readonly problems: readonly Problem[]
      readonly sources: FileTree
    }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly sources: FileTree }

/**
 * The unit as it was at a commit, among the environments and what is of its service, with the released versions that they ask for.
 * A catalog that lies apart is that of this moment: the commit is one of the service's repository, and its file names the version.
 */
export async function unitAt(
  ports: Ports,
  { id, commit, ...folders }: { readonly id: string; readonly commit: string } & Folders,
): Promise<Then> {
  const { root } = folders
  const { catalog = root } = apart(folders)
  const then = await ports.files.at(root, commit)
  if (then === undefined) throw commitMissing(commit)
  const shared = catalog === root ? undefined : await ports.files.tree(catalog, ofCatalog)
  const tree: FileTree =
    shared === undefined ? then.tree : new Map([...[...then.tree].filter(([path]) => !isShared(path)), ...shared.tree])
  const releases = await ports.files.releases(catalog)
  const released = new Map<string, FileTree | undefined>()
  const [service = ''] = id.split('/')
  const only = { services: new Set(service === 'environment' ? [] : [service]), wants: () => {} }
  for (;;) {
    const asked: { readonly template: string; readonly version: string }[] = []
    const release = (template: string, version: string): FileTree | undefined => {
      if (!released.has(`${template}@${version}`)) asked.push({ template, version })
      return released.get(`${template}@${version}`)
    }
    const read = readOrganisation(tree, release, releases, only)
    if (asked.length === 0) {
      if (!read.ok) return { ok: false, problems: read.problems, sources: tree }
      const unit = read.value.units.find((each) => each.id === id)
      if (unit === undefined) throw notThere(id, commit)
      return { ok: true, organisation: read.value, unit, problems: read.problems, sources: tree }
    }
    for (const wanted of asked)
      released.set(`${wanted.template}@${wanted.version}`, (await ports.files.released(catalog, wanted))?.tree)
  }
}

const ofCatalog = new Map([['', ['catalog.yaml', 'catalog.yml', 'environments', 'policy', 'templates', 'waivers']]])

function isShared(path: string): boolean {
  return /^(?:catalog\.ya?ml$|(?:environments|policy|templates|waivers)\/)/u.test(path)
}

function notThere(id: string, commit: string): Refused {
  return new Refused('nothing-to-roll-back-to', `There was no unit ${line(id)} at commit ${commit.slice(0, 12)}.`, {
    remedy: 'Name another record with `--to`.',
  })
}
