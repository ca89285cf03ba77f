import type { Outcome, Ports } from '../command.ts'
import { command, flag, lines, path, text } from '../command.ts'
import { readCatalog } from '../core/catalog.ts'
import type { Answers, Given } from '../core/init.ts'
import { answersIn, catalogOf, differences, howToAsk, readAnswers } from '../core/init.ts'
import type { Checked, Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import { count, list } from '../core/report.ts'
import type { FileTree } from '../core/tree.ts'
import type { Product, Vendored } from '../ports.ts'
import { asked } from './asking.ts'
import { quoted } from './reading.ts'
import { validate } from './validate.ts'

export const init = command({
  name: 'init',
  summary:
    'Begins a catalog: stages, accounts, templates and workflows that plan, and deploy nothing until it is said.',
  inputs: {
    into: path('The folder to write to.', { default: '.' }),
    repository: text('The repository of the catalog on GitHub.', { hint: 'OWNER/NAME' }),
    domain: text('The domain below which services answer.', { hint: 'DOMAIN' }),
    stage: lines('A stage and the zone of its hosts, in the order of promotion.', { hint: 'NAME=ZONE' }),
    production: text('The stage that is production; the last one of several if nothing is said.', { hint: 'STAGE' }),
    account: lines('The AWS account of a stage.', { hint: 'STAGE=DIGITS' }),
    region: lines('The region of all stages, or of one.', { hint: '[STAGE=]REGION' }),
    local: flag('Rehearse: stacks are files on the machine that deploys, and no account is touched.'),
    owner: text('The team or person who owns the catalog; @OWNER/platform if nothing is said.', { hint: '@TEAM' }),
    approval: lines('Who agrees to what goes to production; the owner if nothing is said.', { hint: '@TEAM' }),
    start: text('What to begin with: `sample`, or `empty`. sample if nothing is said.', { hint: 'WORD' }),
    actions: text(
      'Where the actions are: `vendored`, in the catalog; or owner/name/actions@COMMIT. The commit of this copy, where GitHub has it.',
      { hint: 'WHERE' },
    ),
    'organisation-id': text('The number of the organisation on GitHub: `gh api users/OWNER --jq .id`.', { hint: 'ID' }),
    'repository-id': text('The number of the repository on GitHub: `gh api repos/OWNER/NAME --jq .id`.', {
      hint: 'ID',
    }),
    'shared-account': flag('Production shares its account with other stages, and that is meant.'),
  },
  outputs: {
    files: 'The files of the catalog that were written.',
    kept: 'Files that somebody has changed, which were left as they are.',
    gone: 'Files that somebody has taken away, which were not brought back.',
    vendored: 'How many files of Protium itself were written.',
  },
  async run(ports, { into, ...options }) {
    const product = await ports.product?.()
    if (product === undefined)
      throw new Refused('no-product', 'A catalog is begun from a copy of Protium, in a terminal.', {
        remedy: 'Run it there.',
      })
    const found = await foundIn(ports, into)
    // Before anybody is asked anything.
    const early = found.tree.has('catalog.yaml') ? [] : strangers({ paths: found.paths, isOurs: isLikeOurs, kept: [] })
    if (early.length > 0) return { ...refusal(early), sources: found.tree }
    const known = withKnown(options, found.tree)
    if (!known.ok) return { ...refusal(known.problems), sources: found.tree }
    const ask = found.tree.has('catalog.yaml') ? undefined : await ports.ask?.()
    const given = await withActions(product, ask === undefined ? known.value : await asked(ask, known.value))
    if (ask !== undefined) ports.reporter.step('asked', given.repository ?? '')
    const answers = readAnswers(given)
    if (!answers.ok) return refusal(answers.problems)
    const files = catalogOf(answers.value, await product.sample())
    if (!files.ok) return refusal([...answers.problems, ...files.problems])
    const vendored = answers.value.actions === 'vendored' ? await product.vendored(into) : undefined
    const settled = settle(files.value, found)
    const problems = [...answers.problems, ...settled.problems]
    if (problems.some(({ severity }) => severity === 'error')) return { ...refusal(problems), sources: found.tree }
    ports.reporter.step('prepared', `${count(files.value.size, 'file')} of a catalog with ${stagesOf(answers.value)}`)
    const checked = settled.isFinished ? undefined : await check(ports, files.value)
    if (checked !== undefined && checked.exit !== 'done')
      return { ...refusal(checked.problems ?? []), sources: files.value }
    // Protium's own first: where catalog.yaml is, all is.
    await vendored?.write()
    await ports.files.write(into, settled.missing)
    const done: Done = { answers: answers.value, settled, vendored, into, isInGit: await product.isInGit(into) }
    return {
      exit: 'done',
      data: {
        files: [...settled.missing.keys()],
        kept: settled.kept,
        gone: settled.gone,
        vendored: vendored?.missing.length ?? 0,
      },
      text: (paint) => paint.bold(headline(done)) + details(done),
      problems,
      next: nextOf(done),
    }
  },
})

type Result = {
  readonly files: readonly string[]
  readonly kept: readonly string[]
  readonly gone: readonly string[]
  readonly vendored: number
}

function refusal(problems: readonly Problem[]): Outcome<Result> {
  return {
    exit: 'bad-input',
    data: { files: [], kept: [], gone: [], vendored: 0 },
    text: () => '',
    problems,
  }
}

/** A copy that GitHub has, too, can be named by its commit; every other has to come along. */
async function withActions(product: Product, given: Given): Promise<Given> {
  if (given.actions !== undefined) return given
  const release = await product.release()
  return {
    ...given,
    actions: release === undefined ? 'vendored' : `${release.repository}/actions@${release.commit}`,
  }
}

/** Of a catalog that is there, what is not said anew is as it was. */
function withKnown(options: Given, tree: FileTree): Checked<Given> {
  if (!tree.has('catalog.yaml')) return { ok: true, value: options, problems: [] }
  const there = readCatalog(tree)
  if (!there.ok) return there
  const known = answersIn(there.value, tree)
  if (known === undefined)
    return {
      ok: false,
      problems: [
        {
          code: 'catalog-there',
          severity: 'error',
          message:
            'There is a catalog already, and not one that `protium init` makes: it has no `workflows.repository`, or its hosts are not those of a zone.',
          expected: 'A folder without a catalog.',
          remedy:
            'Begin in another folder: `--into`. Or go on with what is there: `protium workflows --write`, `protium trust --write`.',
          at: there.value.document.place([]),
        },
      ],
    }
  const said = Object.entries(options).filter(([, value]) =>
    Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false,
  )
  // Where a stage lies that is not meant any more is nothing to be told of.
  const meant = new Set<string | undefined>(options.stage.map((each) => each.split('=')[0]))
  const of = (texts: readonly string[] = []): readonly string[] =>
    meant.size === 0 ? texts : texts.filter((each) => meant.has(each.split('=')[0]))
  const production = meant.size === 0 || meant.has(known.production) ? known.production : undefined
  const old = { ...known, production, account: of(known.account), region: of(known.region) }
  const value = { ...options, ...old, ...Object.fromEntries(said) }
  return { ok: true, value: options.local ? { ...value, account: [] } : value, problems: [] }
}

/** Where files of a catalog lie, whatever is answered. */
function isLikeOurs(path: string): boolean {
  return /^(?:accounts|environments|schemas|services|templates|\.github)\//u.test(path)
}

type Found = {
  readonly tree: FileTree
  /** Everything there is, also what is no text. */
  readonly paths: readonly string[]
}

async function foundIn(ports: Ports, folder: string): Promise<Found> {
  try {
    const { tree, problems } = await ports.files.tree(folder)
    return { tree, paths: [...tree.keys(), ...problems.flatMap(({ at }) => (at === undefined ? [] : [at.file]))] }
  } catch (error) {
    if (error instanceof Refused && error.code === 'no-folder') return { tree: new Map(), paths: [] }
    throw error
  }
}

type Settled = {
  /** A catalog was begun here to its end. */
  readonly isFinished: boolean
  readonly missing: FileTree
  readonly kept: readonly string[]
  readonly gone: readonly string[]
  readonly problems: readonly Problem[]
}

/** What of the files is to be written to a folder that has some; what somebody has written or taken away stays so. */
function settle(wanted: FileTree, { tree, paths }: Found): Settled {
  const kept = [...wanted]
    .filter(([path, text]) => paths.includes(path) && tree.get(path) !== text)
    .map(([path]) => path)
  const absent = [...wanted].filter(([path]) => !paths.includes(path))
  if (tree.has('catalog.yaml'))
    return {
      isFinished: true,
      missing: new Map(),
      kept,
      gone: absent.map(([path]) => path),
      problems: otherCatalog(wanted, tree),
    }
  const problems = strangers({ paths, isOurs: (path) => wanted.has(path), kept })
  return { isFinished: false, missing: new Map(absent), kept, gone: [], problems }
}

function otherCatalog(wanted: FileTree, tree: FileTree): readonly Problem[] {
  const [asked, there] = [readCatalog(wanted), readCatalog(tree)]
  if (!there.ok) return there.problems
  const found = asked.ok ? differences(asked.value, there.value) : []
  if (found.length === 0) return []
  return [
    {
      code: 'catalog-there',
      severity: 'error',
      message: `There is a catalog already, and another one: ${found.join('; ')}.`,
      expected: 'The same answers as the first time, or a folder without a catalog.',
      remedy: `Change \`catalog.yaml\` and \`environments/\` by hand, then run \`protium workflows --write\`. Or begin in another folder: \`--into\`.`,
      at: there.value.document.place([]),
    },
  ]
}

/** What a repository may have that was just made. */
const fresh =
  /^(?:README(?:\.md)?|LICEN[CS]E(?:\.(?:md|txt))?|\.gitignore|\.gitattributes|\.editorconfig|\.github\/CODEOWNERS)$/iu

function strangers({
  paths,
  isOurs,
  kept,
}: {
  readonly paths: readonly string[]
  readonly isOurs: (path: string) => boolean
  readonly kept: readonly string[]
}): readonly Problem[] {
  const others = [...paths.filter((path) => !isOurs(path)), ...kept].filter((path) => !fresh.test(path))
  const [first] = others
  if (first === undefined) return []
  return [
    {
      code: 'folder-taken',
      severity: 'error',
      message: `The folder holds ${count(others.length, 'file')} of something else: ${list(others.slice(0, 3))}${others.length > 3 ? ', …' : ''}.`,
      expected: 'An empty folder, or a fresh repository with a README and a licence.',
      remedy: 'Choose another folder, such as `--into catalog`; or move away what is there.',
      at: { file: first, line: 1, column: 1 },
    },
  ]
}

/** What would be written is checked and rendered before it is. */
async function check(ports: Ports, tree: FileTree): Promise<Outcome> {
  const accepted = validate.accept(new Map())
  if (!accepted.ok) throw new Error('validate takes no words.')
  return accepted.value({
    ...ports,
    files: {
      ...ports.files,
      tree: async () => ({ tree, problems: [] }),
      text: async (file) => {
        const found = tree.get(file)
        return found === undefined ? { ok: false, problems: [] } : { ok: true, value: found, problems: [] }
      },
      releases: async () => [],
      released: async () => undefined,
    },
    base: undefined,
  })
}

type Done = {
  readonly answers: Answers
  readonly settled: Settled
  readonly vendored: Vendored | undefined
  readonly into: string
  readonly isInGit: boolean
}

function stagesOf({ stages }: Answers): string {
  return `${count(stages.length, 'stage')}: ${list(stages.map(({ name }) => name))}`
}

function headline({ answers, settled, vendored, into }: Done): string {
  const own = vendored?.missing.length ?? 0
  if (settled.missing.size === 0 && own === 0)
    return `Nothing to do: the catalog of ${answers.repository.owner} is in ${into}.`
  const parts = [
    ...(settled.missing.size > 0 ? [count(settled.missing.size, 'file')] : []),
    ...(own > 0 ? [`${count(own, 'file')} of Protium’s own`] : []),
  ]
  return `Wrote ${list(parts)} to ${into}: the catalog of ${answers.repository.owner}${settled.isFinished ? '' : ', which plans, and deploys nothing yet'}.`
}

function details({ answers, settled, vendored, isInGit }: Done): string {
  const { repository, ids, local, stages } = answers
  const shown = (files: readonly string[]): string => `${files.slice(0, 8).join(', ')}${files.length > 8 ? ', …' : ''}`
  const other = vendored?.different.length ?? 0
  const told = [
    ...(settled.isFinished
      ? []
      : [`Checked: everything renders in ${list(stages.map(({ name }) => name))}, with 0 problems.`]),
    ...(settled.kept.length === 0 ? [] : [`Left as somebody has changed it: ${shown(settled.kept)}.`]),
    ...(settled.gone.length === 0 ? [] : [`Taken away by somebody, and not brought back: ${shown(settled.gone)}.`]),
    ...(other === 0
      ? []
      : [
          `In .protium/ ${count(other, 'file is', 'files are')} of another version of Protium. To have this one’s, take .protium/actions and .protium/dist away and run this again.`,
        ]),
    ...(ids !== undefined || local
      ? []
      : [
          `Left out: the roles in the accounts. They need two numbers: --organisation-id, ${howToAsk('organisation-id', `${repository.owner}/${repository.name}`).replace(' shows it.', '')}; and --repository-id, ${howToAsk('repository-id', `${repository.owner}/${repository.name}`).replace(' shows it.', '')}. README.md says how to add them later.`,
        ]),
    ...(isInGit ? [] : ['Left out: git, as the folder is no working copy of it. README.md begins with that.']),
  ]
  return told.map((each) => `\n${each}`).join('')
}

function nextOf({ into }: Done): NonNullable<Outcome['next']> {
  const root = into === '.' ? '' : ` ${quoted(into)}`
  return [
    { run: `validate${root}`, why: `checks it again; ${into === '.' ? '' : `${into}/`}README.md says what to do next` },
  ]
}
