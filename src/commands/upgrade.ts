import { join } from 'node:path'

import type { Json, Outcome, Ports } from '../command.ts'
import { command, flag, path, text } from '../command.ts'
import { line } from '../core/encode.ts'
import { diffShown, diffText } from '../core/diff-text.ts'
import type { Ask } from '../core/migration.ts'
import type { Problem } from '../core/problem.ts'
import { count, list } from '../core/report.ts'
import { inWords } from '../core/shape.ts'
import { compareVersions, parseReference } from '../core/version.ts'
import { withWord, words } from './upgrading/controlling.ts'
import { upgradeHere } from './upgrading/here.ts'
import { pageOf, problemsOf, summaryOf, tableOf } from './upgrading/report.ts'
import { type Mode, type Upgraded, upgradeFleet } from './upgrading/run.ts'
import { sidesTexts } from './upgrading/sides.ts'
import { quoted } from './reading.ts'

type Result = {
  readonly opened: number
  readonly changed: number
  readonly left: number
  readonly rollouts: Json
  readonly shards: Json
  readonly moved: Json
}

export const upgrade = command({
  name: 'upgrade',
  summary:
    'Brings new versions of templates to those who run older ones, by pull requests in waves; or moves one service of this checkout.',
  inputs: {
    service: text('A service of this checkout, or `environment/NAME`: its files are moved, without GitHub.', {
      positional: true,
      hint: 'SERVICE',
    }),
    to: text('The version that it goes to; the newest of its major if nothing is said.', { hint: 'X.Y.Z' }),
    write: flag('Write the files of that service; without it, they are shown.'),
    catalog: path('The folder of the catalog, where the service is in a repository of its own.', { hint: 'FOLDER' }),
    'dry-run': flag('Say what would be done to all, and do nothing.'),
    show: flag(
      'See how it stands with all, begin waves and stop rollouts; open no pull request. Tells the shards that have.',
    ),
    shard: text('Write to the repositories of this part alone, which are those that the token reaches.', {
      hint: 'N/M',
    }),
    what: text('What to do with rollouts: halt, pause, resume, next-wave or abort.', { hint: 'WHAT' }),
    release: text('Of which release; without it, of all that are under way.', { hint: 'TEMPLATE@X.Y.Z' }),
    reason: text('Why, for those who read it.', { hint: 'TEXT' }),
    root: path('The folder of the catalog, or of the repository of the service.', { default: '.' }),
  },
  outputs: {
    opened: 'How many pull requests were opened.',
    changed: 'How many were changed or closed.',
    left: 'How many things are left for the next run.',
    rollouts: 'The rollouts, each with how it stands.',
    shards: 'With `show`, what is to be written, in parts: each with the names of its repositories, for a token.',
    moved: 'At a terminal, of the one service that was named: its versions, the files that change, and what is asked.',
  },
  permissions: {
    contents: { access: 'write', why: 'keep how far rollouts have come on the branch `protium-rollouts`' },
    issues: { access: 'write', why: 'keep one issue for each rollout' },
  },
  asksFleet: true,
  async run(ports, values): Promise<Outcome<Result>> {
    const { service, root, catalog = root, to, write } = values
    const wrong = faultsOf(values)
    if (wrong.length > 0) return bad(wrong)
    if (service !== undefined) return here(ports, { root, catalog, name: service, to, write })
    const { what, release, reason, 'dry-run': isDry, show, shard } = values
    const mode: Mode = isDry ? 'dry' : show || what !== undefined ? 'show' : shard === undefined ? 'run' : 'shard'
    const word = words.find((each) => each === what)
    const change =
      word === undefined ? {} : { change: withWord(word, { release, reason, by: ports.by, at: ports.clock.now() }) }
    return resultOf(await upgradeFleet(ports, { root, mode, ...change }), mode)
  },
})

function faultsOf({
  what,
  release,
  shard,
  to,
  write,
  service,
  reason,
  'dry-run': isDry,
  show,
}: {
  readonly what: string | undefined
  readonly release: string | undefined
  readonly shard: string | undefined
  readonly to: string | undefined
  readonly write: boolean
  readonly service: string | undefined
  readonly reason: string | undefined
  readonly 'dry-run': boolean
  readonly show: boolean
}): readonly Problem[] {
  const fault = (message: string, expected: string): Problem => ({
    code: 'option-value',
    severity: 'error',
    message,
    expected,
    remedy: 'See `protium help upgrade`.',
  })
  const others = [
    ...(what === undefined ? [] : ['--what']),
    ...(release === undefined ? [] : ['--release']),
    ...(reason === undefined ? [] : ['--reason']),
    ...(shard === undefined ? [] : ['--shard']),
    ...(isDry ? ['--dry-run'] : []),
    ...(show ? ['--show'] : []),
  ]
  const isWord = what === undefined || words.some((each) => each === what)
  return [
    ...(isWord ? [] : [fault(`--what is ${JSON.stringify(what)}.`, `One of ${words.join(', ')}.`)]),
    ...(release === undefined || parseReference(release) !== undefined
      ? []
      : [fault(`--release is ${JSON.stringify(release)}.`, 'A release, such as `fargate-service@2.3.0`.')]),
    ...(shard === undefined || /^[1-9]\d{0,3}\/[1-9]\d{0,3}$/u.test(shard)
      ? []
      : [fault(`--shard is ${JSON.stringify(shard)}.`, 'Which part of how many, such as `2/5`.')]),
    ...(service !== undefined || (to === undefined && !write)
      ? []
      : [fault('--to and --write are for one service.', 'The name of a service first.')]),
    ...(service === undefined || others.length === 0
      ? []
      : [
          fault(
            `${list(others)} ${others.length === 1 ? 'is' : 'are'} for all services, and "${service}" is named.`,
            'A service, or what is done with all of them.',
          ),
        ]),
    ...(service !== undefined || what !== undefined || (release === undefined && reason === undefined)
      ? []
      : [fault('--release and --reason are for --what.', `\`--what\` with one of ${words.join(', ')}.`)]),
    ...(show || isDry || what !== undefined ? together({ what, show, isDry, shard, fault }) : []),
  ]
}

/** Ways to run that shut each other out. */
function together({
  what,
  show,
  isDry,
  shard,
  fault,
}: {
  readonly what: string | undefined
  readonly show: boolean
  readonly isDry: boolean
  readonly shard: string | undefined
  readonly fault: (message: string, expected: string) => Problem
}): readonly Problem[] {
  const given = [
    ...(isDry ? ['--dry-run'] : []),
    ...(what === undefined ? [] : ['--what']),
    ...(shard === undefined ? [] : ['--shard']),
    ...(show && what === undefined ? ['--show'] : []),
  ]
  return given.length < 2 ? [] : [fault(`${list(given)} do not go together.`, 'One of them.')]
}

function bad(problems: readonly Problem[], sources?: Outcome['sources']): Outcome<Result> {
  const data = { opened: 0, changed: 0, left: 0, rollouts: [], shards: [], moved: null }
  return { exit: 'bad-input', data, text: () => '', problems, ...(sources !== undefined && { sources }) }
}

function resultOf(upgraded: Upgraded, mode: Mode): Outcome<Result> {
  const { done, rollouts, shards, sources } = upgraded
  const isUnread =
    rollouts.length === 0 && done.length === 0 && upgraded.problems.some(({ severity }) => severity === 'error')
  if (isUnread) return bad(upgraded.problems, sources)
  const ends = done.map(({ end }) => end)
  const opened = ends.filter((end) => end.is === 'opened' || end.is === 'there').length
  const changed = ends.filter(({ is }) => is === 'done').length
  const left = ends.filter(({ is }) => is === 'left' || is === 'moved' || is === 'skipped').length
  const problems = [...upgraded.problems.filter(({ severity }) => severity === 'warning'), ...problemsOf(upgraded)]
  return {
    exit: left > 0 ? 'unfinished' : 'done',
    data: {
      opened,
      changed,
      left,
      rollouts: rollouts.map(({ template, version, is, waves, members, issue }) => ({
        release: `${template}@${version}`,
        is,
        waves: waves.length,
        members: members.length,
        issue: issue ?? null,
      })),
      shards: shards.map(({ shard, repositories }) => ({
        shard,
        repositories: repositories.map((name) => name.split('/')[1] ?? name).join(','),
      })),
      moved: null,
    },
    text: (paint) => [tableOf(upgraded, paint), summaryOf(upgraded, mode)].filter((part) => part !== '').join('\n\n'),
    page: pageOf(upgraded, mode),
    problems,
    sources,
  }
}

async function here(
  ports: Ports,
  options: {
    readonly root: string
    readonly catalog: string
    readonly name: string
    readonly to: string | undefined
    readonly write: boolean
  },
): Promise<Outcome<Result>> {
  const { root, catalog, name, write } = options
  const found = await upgradeHere(ports, options)
  const data = { opened: 0, changed: 0, left: 0, rollouts: [], shards: [], moved: null }
  if (found.is === 'bad') return bad(found.problems, found.sources)
  const where = `${root === '.' ? '' : ` --root ${quoted(root)}`}${catalog === root ? '' : ` --catalog ${quoted(catalog)}`}`
  if (found.is === 'newest') {
    const { consumer, next } = found
    const words = `${name} runs ${consumer.template}@${consumer.version}, and nothing newer is offered within its major version.`
    return {
      exit: 'done',
      data,
      text: () => (next === undefined ? words : `${words} The next one is ${next}.`),
      ...(next !== undefined && {
        next: [{ run: `upgrade ${quoted(name)} --to ${next}${where}`, why: 'shows what it would change' }],
      }),
    }
  }
  const { consumer, to, proposal, before, sources } = found
  const { draft, desired, files, deleted, problems } = proposal
  if (desired.is === 'impossible') {
    const told: Problem = {
      code: 'upgrade-blocked',
      severity: 'error',
      message: `${name} cannot go from ${consumer.template} ${consumer.version} to ${to}: ${desired.words}`,
      expected: 'A file that the new version can be made from.',
      remedy:
        desired.why === 'blocked'
          ? `Change in ${consumer.file} what it names, and run the command again; or ask the owners of the template.`
          : 'Mend what is told besides, and run the command again; where that is in the template, tell its owners.',
    }
    return { exit: 'failed', data, text: () => '', problems: [told, ...problems], sources }
  }
  if (write) {
    await ports.files.write(root, files)
    for (const file of deleted) await ports.files.remove(join(root, file))
  }
  const asks = (draft?.migrated.asks ?? []).map(questionText)
  const open = (proposal.merge?.outcomes ?? []).filter(({ is }) => is === 'conflict' || is === 'review')
  const head = `${name}: ${consumer.template} ${consumer.version} → ${to}`
  const isBack = compareVersions(to, consumer.version) < 0
  const said = [
    ...(isBack ? ['It goes back: what migrations have changed since is not taken back.'] : []),
    ...asks,
    write
      ? `Wrote ${count(files.size, 'file')}${deleted.length === 0 ? '' : `, removed ${deleted.length}`}.`
      : 'Nothing was written.',
  ]
  return {
    exit: write ? 'done' : 'different',
    data: {
      ...data,
      changed: write ? files.size + deleted.length : 0,
      moved: {
        service: name,
        template: consumer.template,
        from: consumer.version,
        to,
        files: [...files.keys()],
        deleted,
        asks: (draft?.migrated.asks ?? []).map(({ path: of, expected, why }) => ({
          path: of.join('.'),
          expected,
          why,
        })),
        conflicts: open.map(({ path: of }) => of),
      },
    },
    text: (paint) =>
      [
        paint.bold(line(head)),
        ...[...files].map(([file, after]) =>
          diffShown(diffText(before.get(file) ?? '', after), { before: file, after: file, paint }),
        ),
        ...deleted.map((file) => paint.bad(`removes ${line(file)}`)),
        ...sidesTexts(open, paint),
        // What a template asks is somebody's words.
        said.map(line).join('\n'),
      ]
        .filter((part) => part !== '')
        .join('\n\n'),
    problems: problems.filter(({ severity }) => severity === 'warning' || asks.length === 0),
    sources,
    next: write
      ? [
          {
            run: `validate${root === '.' ? '' : ` ${quoted(root)}`}${catalog === root ? '' : ` --catalog ${quoted(catalog)}`}`,
            why: 'checks it, before it is committed',
          },
        ]
      : [
          {
            run: `upgrade ${quoted(name)} --to ${to} --write${where}`,
            why: 'writes it',
          },
        ],
  }
}

/** A question to the person who writes the file: why it is asked, what may be answered, and what is proposed. */
function questionText({ path: of, expected, suggest, why }: Ask): string {
  const sentence = (words: string): string => (/[.!?]$/u.test(words) ? words : `${words}.`)
  const proposed = suggest === undefined ? '' : ` Proposed: ${inWords(suggest)}.`
  return `\`${of.join('.')}\` is for you to answer. ${sentence(why)} Wanted: ${sentence(expected)}${proposed}`
}
