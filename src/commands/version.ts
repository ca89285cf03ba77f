import { join } from 'node:path'

import type { Outcome, Ports } from '../command.ts'
import { command, flag, lines, path } from '../command.ts'
import { setValue } from '../core/edit.ts'
import { didYouMean } from '../core/nearest.ts'
import type { Problem } from '../core/problem.ts'
import { withHeading } from '../core/release/changelog.ts'
import { releaseName } from '../core/release/model.ts'
import { runsOf, type TroubledVersion } from '../core/release/runs.ts'
import { releaseStatus } from '../core/release/status.ts'
import type { Verdict } from '../core/release/verdict.ts'
import type { Cell, Paint } from '../core/report.ts'
import { count, list, table } from '../core/report.ts'
import { parseVersion } from '../core/version.ts'
import { deployedVersions, troubledData, troubledText } from './running.ts'
import { type Judged, judgeFolder, problemsOf } from './versioning.ts'

type Result = Outcome<{
  readonly versions: ReturnType<typeof dataOf>[]
  readonly written: readonly string[]
  readonly removed: readonly string[]
  readonly troubled: ReturnType<typeof troubledData>
}>

export const version = command({
  name: 'version',
  summary:
    'Says which number the version of each template must have, by what has changed since its last release. Names who runs a version that ends, or was taken back.',
  inputs: {
    templates: lines('Templates; all of them if none is named.', { positional: true }),
    write: flag(
      'Set the versions in the files, with a heading in each CHANGELOG.md and a draft of migrations that are needed.',
    ),
    root: path('The folder of the organisation.', { default: '.' }),
  },
  outputs: {
    versions: 'The versions of the checkout, each with what it is compared with, what it must be, and why.',
    written: 'The files that were written.',
    removed: 'The files that were removed.',
    troubled: 'Versions that were taken back or have ended, each with who runs it.',
  },
  async run(ports, { templates: names, write, root }) {
    const judged = await judgeFolder(ports, root, { names })
    if (!('verdicts' in judged)) return refuse(judged, new Map())
    const { catalog, verdicts, files } = judged
    const known = [...catalog.templates.keys()]
    const unknown = names.filter((name) => !known.includes(name)).map((name) => unknownTemplate(name, known))
    const errors = [...unknown, ...judged.problems].filter(({ severity }) => severity === 'error')
    if (errors.length > 0) return refuse([...unknown, ...judged.problems], files)
    const troubled = runsOf(catalog, await deployedVersions(ports, root, files))
    if (write) return written(ports, { root, judged, troubled, names })
    const problems = problemsOf(judged)
    const isWrong = problems.some(({ severity }) => severity === 'error')
    const isBroken = verdicts.some(({ is }) => is === 'broken')
    return {
      exit: isWrong ? 'bad-input' : 'done',
      data: { versions: verdicts.map(dataOf), written: [], removed: [], troubled: troubledData(troubled) },
      text: (paint) => shown(judged, { paint, troubled }),
      problems,
      sources: files,
      ...(isWrong &&
        !isBroken && { next: [{ run: ['version', ...names, '--write'].join(' '), why: 'set what they must be' }] }),
    }
  },
})

function refuse(problems: readonly Problem[], sources: Judged['files']): Result {
  return {
    exit: 'bad-input',
    data: { versions: [], written: [], removed: [], troubled: [] },
    text: () => '',
    problems,
    sources,
  }
}

function unknownTemplate(name: string, known: readonly string[]): Problem {
  return {
    code: 'unknown-template',
    severity: 'error',
    message: `There is no template ${JSON.stringify(name)}.${didYouMean(name, known)}`,
    expected: known.length === 0 ? 'There is none yet.' : `One of ${known.join(', ')}.`,
    remedy: 'Correct the name.',
  }
}

function dataOf({ template, bundle, is, last, level, must, reasons }: Verdict) {
  return {
    template: template.name,
    version: bundle.version,
    is,
    last: last ?? null,
    level,
    must,
    reasons: reasons.map(({ level: asks, what, at }) => ({
      level: asks,
      what,
      at: at === undefined ? null : `${at.file}:${at.line}`,
    })),
  }
}

// What is written

/** Files to write, and those to take away, relative to the root. */
type Changes = { readonly written: Map<string, string>; readonly removed: Set<string>; readonly problems: Problem[] }

async function written(
  ports: Ports,
  {
    root,
    judged,
    troubled,
    names,
  }: {
    readonly root: string
    readonly judged: Judged
    readonly troubled: readonly TroubledVersion[]
    readonly names: readonly string[]
  },
): Promise<Result> {
  const changes: Changes = { written: new Map(), removed: new Set(), problems: [] }
  const broken = judged.verdicts.filter(({ is }) => is === 'broken')
  // What does not render has to be mended first: that it breaks everything says nothing of what was meant.
  if (broken.length > 0)
    return refuse(
      broken.flatMap(({ problems }) => problems),
      judged.files,
    )
  const wrong = judged.verdicts.filter(({ is }) => is === 'wrong')
  for (const verdict of wrong) await change(ports, { root, verdict, judged, changes })
  if (changes.problems.length > 0) return refuse(changes.problems, judged.files)
  // What is removed goes last: a run that is cut off in between leaves too much, and nothing is lost.
  if (changes.written.size > 0) await ports.files.write(root, changes.written)
  for (const file of changes.removed) await ports.files.remove(join(root, file))
  const after = await judgeFolder(ports, root, { names })
  const left = 'verdicts' in after ? problemsOf(after) : after
  const paths = [...changes.written.keys()].toSorted()
  const gone = [...changes.removed].toSorted()
  const isDone = left.every(({ severity }) => severity !== 'error')
  return {
    exit: isDone ? 'done' : paths.length > 0 ? 'different' : 'bad-input',
    data: {
      versions: 'verdicts' in after ? after.verdicts.map(dataOf) : [],
      written: paths,
      removed: gone,
      troubled: troubledData(troubled),
    },
    text: (paint) =>
      paths.length === 0
        ? 'Nothing to write: the versions tell the truth.'
        : [
            ...wrong.map(
              ({ template, bundle, must }) =>
                `${paint.bold(template.name)}  ${bundle.version === must ? must : `${bundle.version} → ${paint.good(must)}`}`,
            ),
            '',
            ...paths.map((file) => `wrote    ${file}`),
            ...gone.map((file) => `removed  ${file}`),
          ].join('\n'),
    problems: left,
    sources: 'verdicts' in after ? after.files : judged.files,
    ...(isDone && paths.length > 0 && { next: [{ run: 'validate', why: 'check all of it' }] }),
  }
}

async function change(
  ports: Ports,
  {
    root,
    verdict,
    judged: { files },
    changes,
  }: { readonly root: string; readonly verdict: Verdict; readonly judged: Judged; readonly changes: Changes },
): Promise<void> {
  const { template, bundle, major, must, last, reasons, migration } = verdict
  const { folder, name } = template
  const file = `${folder}/template.yaml`
  const now = parseVersion(must)?.major ?? major
  const text = changes.written.get(file) ?? files.get(file)
  if (now !== major && last !== undefined) {
    const released = await ports.files.released(root, { template: name, version: last })
    if (released === undefined) throw new TypeError(`The release ${name}@${last} was read before.`)
    moveMajor(changes, { bundle, folder: `${folder}/v${now}`, released: released.tree })
  }
  const versions: readonly (readonly [string, string])[] =
    now !== major && last !== undefined
      ? [
          [`v${major}`, last],
          [`v${now}`, must],
        ]
      : [[keyOf(verdict, text), must]]
  let edited = text ?? `kind: ${template.kind}\n`
  for (const [key, value] of versions) {
    const set = setValue(file, edited, { path: ['versions', key], value })
    if (set.is === 'unsure') {
      changes.problems.push(unsure({ file, key, value, why: set.why, verdict }))
      return
    }
    edited = set.text
  }
  if (edited !== text) changes.written.set(file, edited)
  const changelog = `${folder}/CHANGELOG.md`
  const before = changes.written.get(changelog) ?? files.get(changelog)
  // A template that has its notes in template.yaml goes on so.
  const isNoted = before === undefined && template.notes.has(must)
  const headed = isNoted
    ? before
    : withHeading(before, {
        version: must,
        ...(bundle.version !== must && bundle.version !== last && { instead: bundle.version }),
        draft: draftOf(reasons),
      })
  if (headed !== undefined && headed !== before) changes.written.set(changelog, headed)
  const plan = `${folder}/migrations/${must}.yaml`
  if (migration !== undefined && !files.has(plan)) changes.written.set(plan, migration)
}

/** Proton's users wrote majors without the letter as well. */
function keyOf({ major }: Verdict, text: string | undefined): string {
  return new RegExp(`["']?\\b${major}["']?\\s*:\\s*["']?${major}\\.\\d`, 'u').test(text ?? '') &&
    !new RegExp(`\\bv${major}["']?\\s*:`, 'u').test(text ?? '')
    ? String(major)
    : `v${major}`
}

/** What is new, as a first draft: the worst that the comparison found, or a place to write. */
function draftOf(reasons: Verdict['reasons']): readonly string[] {
  // What examples are called says nothing to those who run the template.
  const told = reasons.filter(({ level, what }) => level !== 'patch' && !what.startsWith('The inputs of the example'))
  const words = (told.length > 0 ? told : reasons)
    .slice(0, 12)
    .map(({ what }) => what.replace(/,? in the example "[^"]*"/u, ''))
  return [...new Set(words)]
}

/** The bundle goes to the folder of the next major, and the one that is released comes back to its own. */
function moveMajor(
  { written: to, removed }: Changes,
  {
    bundle,
    folder,
    released,
  }: { readonly bundle: Verdict['bundle']; readonly folder: string; readonly released: Judged['files'] },
): void {
  for (const [each, text] of bundle.files) {
    to.set(`${folder}/${each}`, text)
    if (!released.has(each)) removed.add(`${bundle.root}/${each}`)
  }
  for (const [each, text] of released) if (bundle.files.get(each) !== text) to.set(`${bundle.root}/${each}`, text)
}

function unsure({
  file,
  key,
  value,
  why,
  verdict: { template, major },
}: {
  readonly file: string
  readonly key: string
  readonly value: string
  readonly why: string
  readonly verdict: Verdict
}): Problem {
  return {
    code: 'version-understated',
    severity: 'error',
    message: `\`${file}\` is not written by program: ${why}.`,
    expected: `\`versions: { ${key}: ${value} }\` for ${template.name}.`,
    remedy: 'Write the version by hand, and run this again.',
    at: template.versionPlace(major),
  }
}

// What is shown

function shown(
  { verdicts, gone }: Judged,
  { paint, troubled }: { readonly paint: Paint; readonly troubled: readonly TroubledVersion[] },
): string {
  const rows = verdicts.map((verdict): Cell[] => {
    const { template, bundle, is, last, must } = verdict
    const status = releaseStatus(template, bundle.version)
    const words = {
      released: status.is === 'supported' ? 'released' : `released, ${status.is}`,
      due: last === undefined ? 'to be released, the first of its major' : `to be released, after ${last}`,
      skipped: status.is,
      broken: 'does not render: mend it first',
      wrong: bundle.version === must ? `not ready` : `must be ${must}`,
    } as const
    const tones = {
      released: paint.dim,
      due: paint.good,
      skipped: paint.dim,
      broken: paint.bad,
      wrong: paint.bad,
    } as const
    return [{ text: template.name, paint: paint.bold }, bundle.version, { text: words[is], paint: tones[is] }]
  })
  const whys = verdicts
    .filter(({ is, reasons }) => is !== 'released' && reasons.length > 0)
    .map(({ bundle, last, reasons }) =>
      [
        `${releaseName(bundle)}, since ${last ?? ''}:`,
        ...reasons.slice(0, 8).map(({ level, what }) => `  ${level.padEnd(5)}  ${what}`),
        ...(reasons.length > 8 ? [`  and ${count(reasons.length - 8, 'more')}`] : []),
      ].join('\n'),
    )
  const left = gone.length === 0 ? '' : `Released, and no longer in the catalog: ${list([...gone])}.`
  return [
    table([{ name: 'template' }, { name: 'version' }, { name: '' }], rows, paint),
    ...whys,
    left,
    troubledText(troubled, paint),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}
