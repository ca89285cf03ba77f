import { basename, join } from 'node:path'

import type { Json, Outcome, Ports } from '../command.ts'
import { command, flag, lines, path } from '../command.ts'
import { type Catalog, openCatalog } from '../core/catalog.ts'
import { diffShown, diffText } from '../core/diff-text.ts'
import {
  compareExample,
  type Comparison,
  environmentFacts,
  type Example,
  expectedPath,
  readExamples,
  renderExample,
  renderExampleSkeleton,
} from '../core/examples.ts'
import { checkMigrations, type Migration } from '../core/migration.ts'
import { didYouMean } from '../core/nearest.ts'
import type { Checked, Problem } from '../core/problem.ts'
import type { Cell, Paint } from '../core/report.ts'
import { count, list, table } from '../core/report.ts'
import type { Template } from '../core/template.ts'

/** What came of one example. */
type Tested = {
  readonly example: Example
  readonly is: 'same' | 'different' | 'updated' | 'broken'
  readonly files: readonly Comparison[]
}

type Result = Outcome<{ readonly examples: Json; readonly written: Json; readonly removed: Json }>

export const test = command({
  name: 'test',
  summary: 'Renders the examples of templates, checks what comes out, and compares it with what is expected.',
  inputs: {
    templates: lines('Templates, or examples such as fargate-service/defaults; all of them if none is named.', {
      positional: true,
    }),
    update: flag('Write what was rendered as what is expected from now on.'),
    root: path('The folder of the organisation.', { default: '.' }),
  },
  outputs: {
    examples: 'The examples, each with its template, its outcome (same, different, updated, broken) and its files.',
    written: 'The expected files that were written.',
    removed: 'The expected files that were removed, because nothing renders them any more.',
  },
  async run(ports, { templates: words, update, root }) {
    const { tree, problems: unreadable } = await ports.files.tree(root)
    const opened = openCatalog(tree)
    const { catalog } = opened
    if (catalog === undefined) return refuse([...unreadable, ...opened.problems])
    const chosen = choose([...catalog.templates.values()], { words, broken: opened.broken })
    if (!chosen.ok) return refuse(chosen.problems)
    const own = ownProblems([...unreadable, ...opened.problems], words)
    const read = chosen.value.flatMap((template) =>
      [...template.bundles.values()].map((bundle) => readExamples(bundle)),
    )
    const examples = read.flatMap((each) => each.examples).filter((example) => isNamed(example, words))
    const tested = examples.map((example) => testExample(example, { catalog, update, now: ports.clock.now() }))
    // Whoever names one example wants that alone.
    const whole = chosen.value.filter(({ name }) => words.length === 0 || words.includes(name))
    const migrations = whole.flatMap((template) => template.migrations)
    const problems = [
      ...own,
      ...read.flatMap((each) => each.problems),
      ...tested.flatMap((each) => each.problems),
      ...whole.flatMap((template) => checkMigrations(template)),
    ]
    const results = tested.map(({ result }) => result)
    const done = update ? await accept(ports, results, root) : { written: [], removed: [] }
    const failed = problems.some(({ severity }) => severity === 'error')
    const differ = results.some(({ is }) => is === 'different')
    return {
      exit: failed ? 'bad-input' : differ ? 'different' : 'done',
      data: { examples: results.map(dataOf), ...done },
      text: (paint) =>
        [
          ...(update ? acceptedText(done) : diffTexts(results, paint)),
          ...(results.length === 0 && failed ? [] : [resultTable(results, paint), sentence(results)]),
          tried(migrations, failed),
        ]
          .filter((each) => each !== '')
          .join('\n\n'),
      problems,
      sources: tree,
      ...(differ && {
        next: [
          {
            run: ['test', ...words, '--update', ...(root === '.' ? [] : [`--root ${root}`])].join(' '),
            why: 'if the differences are as you want them',
          },
        ],
      }),
    }
  },
})

function refuse(problems: readonly Problem[]): Result {
  return { exit: 'bad-input', data: { examples: [], written: [], removed: [] }, text: () => '', problems }
}

function templateOf(word: string): string {
  return word.split('/')[0] ?? ''
}

/** The templates that were named, all if none was; one that is broken has told so itself. */
function choose(
  templates: readonly Template[],
  { words, broken }: { readonly words: readonly string[]; readonly broken: ReadonlySet<string> },
): Checked<readonly Template[]> {
  const names = templates.map(({ name }) => name)
  const examples = templates.flatMap(({ name, bundles }) =>
    [...bundles.values()].flatMap((bundle) =>
      readExamples(bundle).examples.map((example) => `${name}/${example.name}`),
    ),
  )
  const problems = words.flatMap((word): Problem[] => {
    const name = templateOf(word)
    if (broken.has(name) || names.includes(word) || examples.includes(word)) return []
    const known = names.includes(name) ? examples.filter((each) => each.startsWith(`${name}/`)) : names
    return [
      {
        code: 'unknown-template',
        severity: 'error',
        message: `There is no ${known === names ? 'template' : 'example'} ${JSON.stringify(word)}.${didYouMean(word, known)}`,
        expected: known.length === 0 ? 'There is none yet.' : `One of ${known.join(', ')}.`,
        remedy: 'Correct the name.',
      },
    ]
  })
  if (problems.length > 0) return { ok: false, problems }
  const wanted = words.map(templateOf)
  return { ok: true, value: templates.filter(({ name }) => words.length === 0 || wanted.includes(name)), problems: [] }
}

/** Problems of the templates that are tested; what else is wrong in the catalog is for `validate`. */
function ownProblems(problems: readonly Problem[], words: readonly string[]): readonly Problem[] {
  const folders = words.length === 0 ? ['templates/'] : words.map((word) => `templates/${templateOf(word)}/`)
  return problems.filter(({ at }) => at !== undefined && folders.some((folder) => at.file.startsWith(folder)))
}

function isNamed({ bundle, name }: Example, words: readonly string[]): boolean {
  return words.length === 0 || words.includes(bundle.template) || words.includes(`${bundle.template}/${name}`)
}

function testExample(
  example: Example,
  {
    catalog: { stages, policy },
    update,
    now,
  }: { readonly catalog: Catalog; readonly update: boolean; readonly now: Date },
): { readonly result: Tested; readonly problems: readonly Problem[] } {
  const home = environmentFacts(example.context).name
  const inside = stages.filter((stage) => stage.environment === home)
  const production = inside.some((stage) => stage.production)
  const rendered = renderExample(example, { production, stages: inside.map(({ name }) => name), policy, now })
  const skeleton = renderExampleSkeleton(example)
  const problems = [...rendered.problems, ...skeleton.problems]
  if (!rendered.ok || !skeleton.ok) return { result: { example, is: 'broken', files: [] }, problems }
  const texts = new Map([...[...rendered.value].map(([file, { text }]) => [file, text] as const), ...skeleton.value])
  const files = compareExample(example, texts)
  const is = files.every((file) => file.is === 'same') ? 'same' : update ? 'updated' : 'different'
  return { result: { example, is, files }, problems }
}

/** Makes the expected files what was rendered. Examples with problems are left as they are. */
async function accept(
  ports: Ports,
  results: readonly Tested[],
  root: string,
): Promise<{ readonly written: readonly string[]; readonly removed: readonly string[] }> {
  const written = new Map<string, string>()
  const removed: string[] = []
  for (const { example, files } of results) {
    for (const file of files) {
      if (file.is === 'different' || file.is === 'missing') written.set(expectedPath(example, file.file), file.rendered)
      if (file.is === 'stray') removed.push(expectedPath(example, file.file))
    }
  }
  if (written.size > 0) await ports.files.write(root, written)
  for (const file of removed) await ports.files.remove(join(root, file))
  return { written: [...written.keys()], removed }
}

function acceptedText(done: { readonly written: readonly string[]; readonly removed: readonly string[] }): string[] {
  const rows = [...done.written.map((file) => `wrote    ${file}`), ...done.removed.map((file) => `removed  ${file}`)]
  return rows.length === 0 ? [] : [rows.join('\n')]
}

function diffTexts(results: readonly Tested[], paint: Paint): string[] {
  const all = results.flatMap(({ example, files }) =>
    files.map((file) => ({ file, where: expectedPath(example, file.file) })),
  )
  const diffs = all.map(({ file, where }) =>
    file.is === 'different'
      ? diffShown(diffText(file.expected, file.rendered), { before: where, after: 'rendered now', paint })
      : '',
  )
  const rows = all.flatMap(({ file, where }): Cell[][] => {
    if (file.is !== 'missing' && file.is !== 'stray') return []
    return [[{ text: file.is === 'missing' ? 'not there yet' : 'no longer rendered', paint: paint.notice }, where]]
  })
  return [...diffs, table([{ name: '' }, { name: '' }], rows)]
}

function resultTable(results: readonly Tested[], paint: Paint): string {
  const tones = {
    same: paint.good,
    different: paint.notice,
    updated: paint.notice,
    broken: paint.bad,
  } satisfies Record<Tested['is'], (text: string) => string>
  return table(
    [{ name: 'template' }, { name: 'example' }, { name: 'outcome' }, { name: '' }],
    results.map(({ example, is, files }): Cell[] => [
      { text: `${example.bundle.template} ${example.bundle.version}`, paint: paint.bold },
      example.name,
      { text: is, paint: tones[is] },
      { text: detailOf(files), paint: paint.dim },
    ]),
    paint,
  )
}

function detailOf(files: readonly Comparison[]): string {
  const words = { same: '', different: 'changed', missing: 'not there yet', stray: 'no longer rendered' } as const
  return list(files.filter(({ is }) => is !== 'same').map(({ file, is }) => `${basename(file)} ${words[is]}`))
}

function sentence(results: readonly Tested[]): string {
  if (results.length === 0) {
    return 'There is no example. One is a folder `examples/<name>/` in the bundle with `inputs.yaml` and `context.json`.'
  }
  const number = (is: Tested['is']): number => results.filter((result) => result.is === is).length
  if (number('same') === results.length) {
    return `${count(results.length, 'example renders', 'examples render')} as expected.`
  }
  const parts = [
    ...(number('same') > 0 ? [`${number('same')} as expected`] : []),
    ...(number('updated') > 0 ? [`${number('updated')} updated`] : []),
    ...(number('different') > 0 ? [`${number('different')} not as expected`] : []),
    ...(number('broken') > 0 ? [`${number('broken')} with problems`] : []),
  ]
  return `${count(results.length, 'example')}: ${list(parts)}.`
}

function tried(migrations: readonly Migration[], failed: boolean): string {
  const number = migrations.reduce((sum, { examples }) => sum + examples.length, 0)
  if (number === 0 || failed) return ''
  return `${count(number, 'example of migrations comes out', 'examples of migrations come out')} as written.`
}

function dataOf({ example, is, files }: Tested): Json {
  const { template, version } = example.bundle
  return {
    template,
    version,
    example: example.name,
    outcome: is,
    files: files.map(({ file, is: how }) => ({ file: expectedPath(example, file), is: how })),
  }
}
