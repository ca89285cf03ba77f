import type { Outcome, Ports } from '../command.ts'
import { command, path, text } from '../command.ts'
import { readConsumers, readReport, reportText } from '../core/impact/file.ts'
import { impactPage } from '../core/impact/page.ts'
import { Radius, type Side } from '../core/impact/radius.ts'
import { Collected, countsOf, type Report } from '../core/impact/report.ts'
import { impactText } from '../core/impact/table.ts'
import { isGrave, understatedTo, verdictOf } from '../core/impact/words.ts'
import { type Consumer, consumerReference } from '../core/impact.ts'
import { openOrganisation } from '../core/organisation.ts'
import type { Checked, Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import type { FileTree } from '../core/tree.ts'
import { atGitHub, madeOf, targetOf } from './posting.ts'
import { parts } from './reading.ts'

/** The check that tells what a change does to everybody. */
const impactCheck = 'protium/impact'

export const impact = command({
  name: 'impact',
  summary: 'Shows what a change of templates would do to every service and environment. Changes nothing.',
  inputs: {
    consumers: path('The services in other repositories, as `consumers` wrote them to this file.', { hint: 'FILE' }),
    since: text(
      'What the change is compared with: a branch, a tag or a commit. At GitHub the base of the pull request.',
      {
        hint: 'REF',
      },
    ),
    out: path('Write the whole of it to this file, for a job that says it on the pull request.', { hint: 'FILE' }),
    report: path('Say on the pull request what this file holds, and look at nothing else.', { hint: 'FILE' }),
    root: path('The folder of the catalog.', { default: '.' }),
  },
  outputs: {
    verdict: 'What it comes to, in one line.',
    counts: 'How many consumers there are of each outcome.',
    report: 'All of it; null where it was written to a file.',
  },
  permissions: {
    checks: { access: 'write', why: 'the check `protium/impact`, with `report`' },
    'pull-requests': { access: 'write', why: 'the comment, with `report`' },
  },
  async run(ports, { consumers, since, out, report: file, root }) {
    if (file !== undefined) return post(ports, file)
    const made = await reportOf(ports, { consumers, since, root })
    if (!made.ok) return { exit: 'bad-input', data: nothing, text: () => '', ...made }
    const { report, problems, sources } = made
    if (out !== undefined) await ports.files.writeText(out, reportText(report))
    return {
      // Who hands it on has found what there is; it is judged where it is read.
      exit: out === undefined && isGrave(report) ? 'different' : 'done',
      data: { ...dataOf(report), report: out === undefined ? report : null },
      text: (paint) => impactText(report, { paint }),
      problems,
      sources,
      page: impactPage(report, { made: { commit: report.commit ?? '', at: ports.clock.now() } }),
    }
  },
})

type Data = {
  readonly verdict: string | null
  readonly counts: Readonly<Record<string, number>>
  readonly report: null
}

const nothing: Data = { verdict: null, counts: {}, report: null }

function dataOf(report: Report): Data {
  return { verdict: verdictOf(report), counts: { ...countsOf(report), untouched: report.untouched }, report: null }
}

type Made =
  | { readonly ok: true; readonly report: Report; readonly problems: readonly Problem[]; readonly sources: FileTree }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly sources: FileTree }

async function reportOf(
  ports: Ports,
  {
    consumers: file,
    since,
    root,
  }: { readonly consumers: string | undefined; readonly since: string | undefined; readonly root: string },
): Promise<Made> {
  const { files, run, clock } = ports
  const others = file === undefined ? undefined : await readAll(ports, file, readConsumers)
  if (others?.ok === false) return { ok: false, problems: others.problems, sources: new Map() }
  const base = await baseOf(ports, { since, root })
  const now = await files.tree(root, new Map([['', parts]]))
  const then = await files.at(root, base)
  if (then === undefined) throw noBase(base)
  const found = others?.value.consumers ?? []
  const releases = await releasesFor(ports, root, [...inTree(now.tree), ...inTree(then.tree), ...found])
  const [before, after] = [sideOf(then.tree, releases), sideOf(now.tree, releases)]
  if (after.is === 'broken') return { ok: false, problems: [...now.problems, ...after.problems], sources: now.tree }
  if (before.is === 'broken') throw noBase(base)
  const radius = new Radius({ before: before.side, after: after.side, now: clock.now() })
  const collected = new Collected()
  for (const each of radius.environments) collected.add(each)
  for (const each of radius.own()) collected.add(each)
  for (const each of found) {
    const judged = radius.judge(each)
    if (judged !== undefined) collected.add(judged)
  }
  const commit = run?.commit ?? (await files.commit(root))
  const { templates, outputs, untouched } = radius
  const report = collected.report({
    ...(commit !== undefined && { commit }),
    ...(run?.about.is === 'pull-request' && { head: run.about.head.commit }),
    since: base,
    ...(others !== undefined && { read: others.value.read }),
    templates,
    outputs,
    untouched,
    unread: others?.value.unread ?? [],
  })
  return { ok: true, report, problems: [...now.problems, ...releases.problems], sources: now.tree }
}

async function readAll<T>(
  { files }: Ports,
  file: string,
  read: (file: string, text: string) => Checked<T>,
): Promise<Checked<T>> {
  const text = await files.text(file, { own: true })
  return text.ok ? read(file, text.value) : text
}

/** The commit that the change is compared with. */
async function baseOf(
  { files, base }: Ports,
  { since, root }: { readonly since: string | undefined; readonly root: string },
): Promise<string> {
  const wanted = since === undefined ? base : { since, merge: false }
  if (wanted === undefined) {
    throw new Refused('no-base', 'It is not known what the change is compared with.', {
      remedy: 'Name a branch, a tag or a commit: `--since main`.',
    })
  }
  const commit = await files.begun(root, wanted)
  if (commit === undefined) throw noBase(wanted.since)
  return commit
}

function noBase(since: string): Refused {
  return new Refused('no-base', `The catalog cannot be read as it was at ${since}.`, {
    remedy: 'Fetch the whole history (`fetch-depth: 0` of actions/checkout), or name another commit with `--since`.',
  })
}

type Releases = {
  readonly bundles: ReadonlyMap<string, FileTree>
  readonly names: readonly string[]
  readonly problems: readonly Problem[]
}

/** The released bundles that consumers name. One that is not what was released is used by nobody. */
async function releasesFor({ files }: Ports, root: string, consumers: readonly Consumer[]): Promise<Releases> {
  const names = await files.releases(root)
  const known = new Set(names)
  const bundles = new Map<string, FileTree>()
  const problems: Problem[] = []
  const asked = new Set<string>()
  for (const consumer of consumers) {
    const runs = consumerReference(consumer)
    const name = runs === undefined ? '' : `${runs.template}@${runs.version}`
    if (runs === undefined || asked.has(name) || !known.has(name)) continue
    asked.add(name)
    const bundle = await files.released(root, runs)
    problems.push(...(bundle?.problems ?? []))
    if (bundle !== undefined && !bundle.problems.some(({ severity }) => severity === 'error'))
      bundles.set(name, bundle.tree)
  }
  // Whoever runs such a version is told so; for all others it is a warning.
  return { bundles, names, problems: problems.map((problem) => ({ ...problem, severity: 'warning' })) }
}

function inTree(tree: FileTree): readonly Consumer[] {
  return [...tree].flatMap(([file, content]) =>
    /^(?:service\.yaml|services\/[^/]+\/service\.yaml|environments\/[^/]+\.yaml)$/u.test(file)
      ? [{ is: 'service', file, text: content } as const]
      : [],
  )
}

function sideOf(
  tree: FileTree,
  { bundles, names }: Releases,
): { readonly is: 'there'; readonly side: Side } | { readonly is: 'broken'; readonly problems: readonly Problem[] } {
  const { opened, problems } = openOrganisation(
    tree,
    (template, version) => bundles.get(`${template}@${version}`),
    names,
  )
  return opened === undefined ? { is: 'broken', problems } : { is: 'there', side: { opened, tree } }
}

/** Says on the pull request what another job has found; that job may have read what anybody has written. */
async function post(ports: Ports, file: string): Promise<Outcome<Data>> {
  const { run, github } = await atGitHub(ports)
  const target = await targetOf(run, github)
  if (target === undefined) {
    const words = 'The pull request has gone on since: there is nothing to be said of this commit.'
    return { exit: 'done', data: nothing, text: () => words }
  }
  const read = await readAll(ports, file, readReport)
  if (!read.ok) return { exit: 'bad-input', data: nothing, text: () => '', problems: read.problems }
  const report = read.value
  const isOfRun = report.head === target.commit && (run.about.is === 'workflow-run' || report.commit === run.commit)
  if (!isOfRun) return { exit: 'bad-input', data: nothing, text: () => '', problems: [otherCommit(file, report)] }
  const page = impactPage(report, { made: madeOf(ports, { run, commit: target.commit }) })
  const isQuiet = report.consumers.length === 0
  const understated = understatedTo(report).length
  const tooLittle = `${understated} ${understated === 1 ? 'loses' : 'lose'} resources within a major version: the number says too little`
  await github.comment({
    pullRequest: target.pullRequest,
    kind: 'impact',
    body: page,
    ...(isQuiet && { onlyIfThere: true }),
  })
  await github.check({
    commit: target.commit,
    name: impactCheck,
    conclusion: understated > 0 ? 'failure' : isGrave(report) ? 'neutral' : 'success',
    title: understated > 0 ? `${verdictOf(report)}; ${tooLittle}` : verdictOf(report),
    summary: page,
  })
  return { exit: 'done', data: dataOf(report), text: () => `Said on the pull request: ${verdictOf(report)}.`, page }
}

function otherCommit(file: string, { head }: Report): Problem {
  return {
    code: 'request-mismatch',
    severity: 'error',
    message: `The report is one of ${head === undefined ? 'no pull request' : `commit ${head.slice(0, 7)}`}, and this run is about another.`,
    expected: 'What the job that renders has handed on in this very run.',
    remedy: 'Run the whole workflow again. If it comes again, see which job writes the artifact.',
    at: { file, line: 0, column: 0 },
  }
}
