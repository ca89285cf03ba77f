import type { Outcome, Ports } from '../command.ts'
import { command, path } from '../command.ts'
import type { Bundle } from '../core/bundle.ts'
import { blocks, bullets, code, type Markdown, prose } from '../core/markdown.ts'
import type { Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import { bundleDigest, releaseName, type ReleaseRecord } from '../core/release/model.ts'
import { notesMarkdown } from '../core/release/notes.ts'
import { runsOf, type TroubledVersion } from '../core/release/runs.ts'
import type { Verdict } from '../core/release/verdict.ts'
import { releaseProblems } from '../core/release/verify.ts'
import type { Paint } from '../core/report.ts'
import { list } from '../core/report.ts'
import type { ReleaseHost } from '../ports.ts'
import { type Judged, judgeFolder, problemsOf } from './versioning.ts'
import { deployedVersions, troubledData, troubledText } from './running.ts'

/** What came of one version. */
type Published = {
  readonly name: string
  readonly digest: string
  readonly commit: string
  /** `finished` is what an earlier run, or a person, had begun. */
  readonly is: 'released' | 'finished'
}

type Result = Outcome<{
  readonly released: readonly string[]
  readonly due: readonly string[]
  readonly troubled: ReturnType<typeof troubledData>
}>

export const release = command({
  name: 'release',
  summary:
    'Publishes each version of a template that is new: a tag, a release on GitHub, a record on the ledger. At a terminal it publishes nothing, and says what would be published.',
  inputs: { root: path('The folder of the organisation.', { default: '.' }) },
  outputs: {
    released: 'What was released by this run, each as name@version.',
    due: 'What is to be released and was not, because this is a terminal.',
    troubled: 'Versions that were taken back or have ended, each with who runs it.',
  },
  permissions: {
    contents: {
      access: 'write',
      why: 'make the tags and the releases, and record them on the branch `protium-ledger`',
    },
  },
  async run(ports, { root }) {
    const host = await ports.releases?.()
    const commit = host === undefined ? await ports.files.commit(root) : await mergedCommit(ports, root)
    const tags = await host?.tags()
    const judged = await judgeFolder(ports, root, tags === undefined ? {} : { tags })
    if (!('verdicts' in judged)) return refuse(judged, new Map())
    const known = await recordedNames(ports, root)
    const wrong = judged.verdicts.flatMap((verdict) =>
      verdict.problems.map((each) => takenTag(each, { verdict, known })),
    )
    const others = problemsOf({ ...judged, verdicts: judged.verdicts.map((verdict) => ({ ...verdict, problems: [] })) })
    const problems = [...others, ...wrong]
    if (problems.some(({ severity }) => severity === 'error')) return refuse(problems, judged.files)
    const troubled = runsOf(judged.catalog, await deployedVersions(ports, root, judged.files))
    if (host === undefined || tags === undefined || commit === undefined)
      return planned(ports, judged, { root, commit, troubled, problems })
    const published: Published[] = []
    for (const verdict of judged.verdicts) {
      if (verdict.is === 'skipped') continue
      // What the fetched ledger has was finished: the record is the last that is written.
      if (verdict.is === 'released' && known.has(releaseName(verdict.bundle))) continue
      const done = await publish(ports, { root, host, verdict, tagged: tags.get(releaseName(verdict.bundle)), commit })
      if (done !== undefined) published.push(done)
    }
    return ended(published, { problems, troubled })
  },
})

function refuse(problems: readonly Problem[], sources: ReadonlyMap<string, string>): Result {
  return { exit: 'bad-input', data: { released: [], due: [], troubled: [] }, text: () => '', problems, sources }
}

/** Only what is on the default branch is released: the commit that is checked out, which is the one of the run. */
async function mergedCommit({ run, files }: Ports, root: string): Promise<string> {
  if (run === undefined) throw new TypeError('A run has releases, and is none.')
  const { about, defaultBranch, ref, commit } = run
  const isPush = about.is === 'push' && about.branch === defaultBranch
  const isDispatch = about.is === 'other' && ref === `refs/heads/${defaultBranch}`
  if (!isPush && !isDispatch) {
    throw new Refused('not-merged', `Only what is on ${defaultBranch} is released.`, {
      remedy: 'Merge the pull request; the workflow on `push` releases it.',
    })
  }
  const here = await files.commit(root)
  if (here === commit) return commit
  throw new Refused('not-merged', `The files are those of commit ${here ?? 'none'}, and the run is about ${commit}.`, {
    remedy: 'Check out the commit of the run: `actions/checkout` without a `ref`, and with `fetch-depth: 0`.',
  })
}

async function recordedNames(ports: Ports, root: string): Promise<ReadonlySet<string>> {
  const { releases } = await ports.files.recorded(root)
  return new Set(releases.map(releaseName))
}

/** A tag that nobody has recorded, with another content, was made besides; it is told as that. */
function takenTag(
  problem: Problem,
  { verdict: { bundle, must }, known }: { readonly verdict: Verdict; readonly known: ReadonlySet<string> },
): Problem {
  const name = releaseName(bundle)
  if (problem.code !== 'version-unchanged' || known.has(name)) return problem
  return {
    ...problem,
    code: 'release-taken',
    message: `There is a tag ${name} with another content than the checkout, and no record of a release.`,
    remedy: `Give the bundle the number ${must}: \`protium version --write\`. If the tag was made by mistake and nobody uses it, delete it here and there: \`git push --delete origin ${name}\` and \`git tag --delete ${name}\`.`,
  }
}

type Publishing = {
  readonly root: string
  readonly host: ReleaseHost
  readonly verdict: Verdict
  /** The commit that its tag leads to, where there is one. */
  readonly tagged: string | undefined
  readonly commit: string
}

/**
 * The tag, the release of GitHub, and the record, in this order: what is recorded is whole. Each is looked for first, so that a
 * run that was interrupted, or another one at the same time, is no matter. Nothing, where all of it was there.
 */
async function publish(
  ports: Ports,
  { root, host, verdict, tagged, commit }: Publishing,
): Promise<Published | undefined> {
  const { bundle } = verdict
  const name = releaseName(bundle)
  const digest = bundleDigest(bundle.files)
  if (tagged !== undefined) {
    const record = await host.recorded(bundle)
    if (record !== undefined) {
      checkRecord(record, { bundle, commit: tagged })
      return undefined
    }
  }
  const tag = tagged === undefined ? await taggedNow(ports, { root, host, bundle, commit }) : tagged
  await host.publish({ tag: name, title: `${bundle.template} ${bundle.version}`, notes: notesOf(verdict) })
  const wanted: ReleaseRecord = {
    format: 1,
    template: bundle.template,
    version: bundle.version,
    digest,
    commit: tag,
    at: ports.clock.now().toISOString(),
    by: ports.by,
  }
  const { is, record } = await host.record(wanted)
  checkRecord(record, { bundle, commit: tag })
  ports.reporter.step(name, is === 'created' ? 'released' : 'another run has released it')
  return is === 'created'
    ? { name, digest, commit: tag, is: tagged === undefined ? 'released' : 'finished' }
    : undefined
}

/** Makes the tag on a commit that is known to hold the bundle. Who was faster with the same content has made it for this one too. */
async function taggedNow(
  ports: Ports,
  { root, host, bundle, commit }: Pick<Publishing, 'root' | 'host' | 'commit'> & { readonly bundle: Bundle },
): Promise<string> {
  const name = releaseName(bundle)
  await checkContent(ports, { root, bundle, commit })
  const made = await host.tag(name, commit)
  if (made.commit !== commit) await checkContent(ports, { root, bundle, commit: made.commit })
  return made.commit
}

async function checkContent(
  ports: Ports,
  { root, bundle, commit }: { readonly root: string; readonly bundle: Bundle; readonly commit: string },
): Promise<void> {
  const name = releaseName(bundle)
  const { template, version } = bundle
  const found = await ports.files.released(root, { template, version, commit })
  if (found === undefined) {
    throw new Refused('commit-missing', `The clone does not have ${name} at the commit ${commit.slice(0, 12)}.`, {
      remedy: 'Check out with `fetch-depth: 0`; if another run has just made the tag, run this again.',
    })
  }
  if (bundleDigest(found.tree) === bundleDigest(bundle.files)) return
  throw new Refused(
    'release-taken',
    `At the commit ${commit.slice(0, 12)}, ${name} has another content than what is checked out.`,
    {
      remedy:
        'Somebody else has taken the number: run `protium version --write` for the next one. A tag that was made by mistake, and that nobody uses, may be deleted.',
    },
  )
}

function checkRecord(
  record: ReleaseRecord,
  { bundle, commit }: { readonly bundle: Bundle; readonly commit: string },
): void {
  const [problem] = releaseProblems(record, { tree: bundle.files, commit })
  if (problem === undefined) return
  throw new Refused(problem.code, problem.message, { remedy: problem.remedy })
}

function notesOf({ notes }: Verdict): Markdown {
  return notes === undefined || notes === '' ? prose`The first release.` : notesMarkdown(notes)
}

function ended(
  published: readonly Published[],
  { problems, troubled }: { readonly problems: readonly Problem[]; readonly troubled: readonly TroubledVersion[] },
): Result {
  const words = (paint: Paint): string =>
    published.length === 0
      ? 'Nothing to release: every version of the checkout is released.'
      : published
          .map(({ name, commit, is }) => `${paint.good(is)}  ${paint.bold(name)}  ${commit.slice(0, 12)}`)
          .join('\n')
  return {
    exit: 'done',
    data: { released: published.map(({ name }) => name), due: [], troubled: troubledData(troubled) },
    text: (paint) => [words(paint), troubledText(troubled, paint)].filter((part) => part !== '').join('\n\n'),
    page: blocks([
      published.length === 0
        ? prose`Nothing to release: every version of the checkout is released.`
        : bullets(published.map(({ name, commit, is }) => prose`${is}: ${code(name)} at ${code(commit.slice(0, 12))}`)),
      ...(troubled.length === 0
        ? []
        : [
            bullets(
              troubled.map(({ name, is, runs }) => prose`${code(name)} is ${is}, and runs in ${list([...runs])}`),
            ),
          ]),
    ]),
    problems,
  }
}

/** At a terminal: what a merge would release, and how it is done by hand. A line to be copied is shown for what is committed alone. */
async function planned(
  { files: host }: Ports,
  { verdicts, files }: Judged,
  {
    root,
    commit,
    troubled,
    problems,
  }: {
    readonly root: string
    readonly commit: string | undefined
    readonly troubled: readonly TroubledVersion[]
    readonly problems: readonly Problem[]
  },
): Promise<Result> {
  const due = verdicts.filter(({ is }) => is === 'due')
  const committed: string[] = []
  for (const { bundle } of due) {
    const { template, version } = bundle
    const there = commit === undefined ? undefined : await host.released(root, { template, version, commit })
    if (there !== undefined && bundleDigest(there.tree) === bundleDigest(bundle.files))
      committed.push(releaseName(bundle))
  }
  const names = due.map(({ bundle }) => releaseName(bundle))
  const left = names.filter((name) => !committed.includes(name))
  const words = (paint: Paint): string =>
    due.length === 0
      ? 'Nothing to release: every version of the checkout is released.'
      : [
          ...due.map(({ bundle, last }) =>
            [paint.bold(releaseName(bundle)), last === undefined ? 'the first of its major' : `after ${last}`].join(
              '  ',
            ),
          ),
          '',
          `The workflow release.yml releases ${due.length === 1 ? 'it' : 'them'} once ${due.length === 1 ? 'it is' : 'they are'} merged.`,
          ...(left.length === 0 ? [] : [`Not committed yet: ${list(left)}.`]),
          ...(committed.length === 0
            ? []
            : [
                'By hand, once this commit is merged: the workflow takes over a tag with the same content, and records it.',
                ...committed.map((name) => `  git tag ${name} ${commit ?? ''} && git push origin ${name}`),
              ]),
        ].join('\n')
  return {
    exit: 'done',
    data: { released: [], due: names, troubled: troubledData(troubled) },
    text: (paint) => [words(paint), troubledText(troubled, paint)].filter((part) => part !== '').join('\n\n'),
    problems,
    sources: files,
  }
}
