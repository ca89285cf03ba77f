import type { Bundle } from '../bundle.ts'
import { canonicalJson, same } from '../canonical.ts'
import type { DataMap } from '../data.ts'
import { isPlaceholder } from '../placeholder.ts'
import type { Place, Problem } from '../problem.ts'
import { checkInputs, type InputSchema, type InputsAt } from '../schema.ts'
import { dataAt, mapIn } from '../shape.ts'
import { compareVersions, parseVersion } from '../version.ts'
import { newProgress } from './migrate.ts'
import type { Migration, MigrationExample, Step } from './model.ts'
import { known, type Layer, type Progress, take } from './steps.ts'

/**
 * Tries the examples of migrations, and holds the steps of those that lead to a version which is there against its schema. A
 * migration of inputs without an example is a Problem.
 */
export function checkMigrations({
  migrations,
  bundles,
}: {
  readonly migrations: readonly Migration[]
  readonly bundles: ReadonlyMap<number, Bundle>
}): readonly Problem[] {
  return migrations.flatMap((migration) => {
    const bundle = bundles.get(parseVersion(migration.to)?.major ?? -1)
    const own = bundle?.version === migration.to ? bundle : undefined
    const elsewhere = own === undefined ? ahead(migration, bundles) : lostIds(migration, own)
    const tries = (['inputs', 'pipeline'] as const).flatMap((of) => {
      const steps = migration[of]
      const schema = of === 'pipeline' ? own?.schema.pipeline : (own?.schema.environment ?? own?.schema.service)
      const examples = migration.examples.filter((each) => each.of === of)
      return [
        ...(schema === undefined ? [] : steps.flatMap((step) => unknownTarget(step, schema))),
        ...(steps.length > 0 && examples.length === 0 ? [noExample(migration, of)] : []),
        ...examples.flatMap((example) => tried(example, steps, schema)),
      ]
    })
    return [...elsewhere, ...tries]
  })
}

/**
 * One that leads beyond all versions is taken by nobody, such as one whose file has a slip in its name. One between two versions
 * is taken on the way.
 */
function ahead({ file, to }: Migration, bundles: ReadonlyMap<number, Bundle>): readonly Problem[] {
  const newest = [...bundles.values()]
    .map(({ version }) => version)
    .toSorted(compareVersions)
    .at(-1)
  if (newest === undefined || compareVersions(newest, to) >= 0) return []
  return [
    {
      code: 'migration-version',
      severity: 'warning',
      message: `The migration leads to ${to}, and the newest version is ${newest}: nobody takes it.`,
      expected: 'A version that was released, or that `versions:` names.',
      remedy: 'Rename the file to the version that needs it, or raise that in `template.yaml`.',
      at: { file, line: 1, column: 1 },
    },
  ]
}

/** Ids that no file of the version names; one that a template puts together may be there all the same. */
function lostIds({ resources }: Migration, { version, files }: Bundle): readonly Problem[] {
  return resources.flatMap(({ to, at }): readonly Problem[] => {
    const word = new RegExp(`(?<![A-Za-z0-9])${to}(?![A-Za-z0-9])`, 'u')
    if ([...files].some(([path, text]) => !path.startsWith('migrations/') && word.test(text))) return []
    return [
      {
        code: 'migration-step',
        severity: 'warning',
        message: `No file of version ${version} names a resource "${to}".`,
        expected: 'The logical id that the template has for it now.',
        remedy: 'Correct `to:`, or remove the line.',
        at,
      },
    ]
  })
}

function problem(at: Place, words: Pick<Problem, 'message' | 'expected' | 'remedy'>): Problem {
  return { code: 'migration-example', severity: 'error', ...words, at }
}

/** Where a step writes to. */
export function targetOf(step: Step): readonly string[] | undefined {
  if (step.is === 'rename' || step.is === 'map') return step.to
  return step.is === 'remove' ? undefined : step.path
}

function unknownTarget(step: Step, { json }: InputSchema): readonly Problem[] {
  const path = targetOf(step)
  if (path === undefined) return []
  return isKnown(json, path)
    ? []
    : [
        {
          code: 'migration-step',
          severity: 'error',
          message: `The version has no input "${path.join('.')}".`,
          expected: 'An input of the version that the migration leads to.',
          remedy: 'Correct the path, or add the input to `schema/schema.yaml`.',
          at: step.at,
        },
      ]
}

/** Whether a schema lets something stand at a place. */
function isKnown(schema: DataMap, [key, ...rest]: readonly string[]): boolean {
  const properties = mapIn(schema, 'properties')
  if (key === undefined) return true
  const inner = mapIn(properties, key) ?? mapIn(schema, 'additionalProperties')
  return inner === undefined
    ? properties === undefined || schema['additionalProperties'] === true
    : isKnown(inner, rest)
}

function noExample({ file, to }: Migration, of: 'inputs' | 'pipeline'): Problem {
  return problem(
    { file, line: 1, column: 1 },
    {
      message: `The migration to ${to} changes inputs${of === 'pipeline' ? ' of the pipeline' : ''}, and no example shows how.`,
      expected: `\`examples:\` with one example at least${of === 'pipeline' ? ' that says `of: pipeline`' : ''}.`,
      remedy: 'Write inputs as services have them under `before:`, and what becomes of them under `after:`.',
    },
  )
}

function run(inputs: DataMap, steps: readonly Step[]): { readonly layer: Layer; readonly progress: Progress } {
  const layer: Layer = { prefix: [], isBase: true, inputs }
  const progress = newProgress(false)
  for (const step of steps) take(progress, [layer], step)
  return { layer, progress }
}

/** What steps make of inputs: what comes out, what is asked for, and what blocks it. */
export function outcomeOf(
  before: DataMap,
  steps: readonly Step[],
): { readonly after: DataMap; readonly asks: readonly string[]; readonly blocks: readonly string[] } {
  const { layer, progress } = run(before, steps)
  const asked = progress.asks.filter(({ path }) => isPlaceholder(dataAt(layer.inputs, path)))
  return {
    after: known(layer.inputs),
    asks: asked.map(({ path }) => path.join('.')),
    blocks: progress.blocks.map(({ path }) => path.join('.')),
  }
}

function tried(
  { name, at, before, after, ask, block }: MigrationExample,
  steps: readonly Step[],
  schema: InputSchema | undefined,
): readonly Problem[] {
  const { layer, progress } = run(before, steps)
  const outcome = outcomeOf(before, steps)
  const problems: Problem[] = []
  const differ = (what: string, { got, wanted }: { readonly got: string; readonly wanted: string }): void =>
    void problems.push(
      problem(at, {
        message: `The example "${name}" comes out otherwise: ${what} ${got}.`,
        expected: `${wanted}.`,
        remedy: 'Correct the steps, or the example.',
      }),
    )
  compare('ask', { got: outcome.asks, wanted: ask.map((path) => path.join('.')) }, differ)
  compare('block', { got: outcome.blocks, wanted: block.map((path) => path.join('.')) }, differ)
  const result = outcome.after
  if (after !== undefined && !same(result, after))
    differ('the inputs are', { got: canonicalJson(result), wanted: canonicalJson(after) })
  if (progress.blocks.length === 0 && !same(run(layer.inputs, steps).layer.inputs, layer.inputs))
    problems.push(
      problem(at, {
        message: `The steps, taken again on what the example "${name}" becomes, change it once more.`,
        expected: 'Steps that leave alone what they have done.',
        remedy: 'Write to another input what would be taken for an old value.',
      }),
    )
  if (schema !== undefined && after !== undefined && problems.length === 0 && ask.length === 0 && block.length === 0) {
    const places = { place: () => at, keyPlace: () => at, missing: at } satisfies InputsAt
    const host = [...schema.inputs.values()].find((input) => input.host)?.name
    for (const each of checkInputs(schema, result, places).problems) {
      if (each.code === 'missing-input' && host !== undefined && each.message.includes(`"${host}"`)) continue
      problems.push({
        ...each,
        message: `What the example "${name}" becomes is no input of the version: ${each.message}`,
      })
    }
  }
  return problems
}

const said = { ask: 'asks for', block: 'is blocked by' } as const

function compare(
  key: keyof typeof said,
  { got, wanted }: { readonly got: readonly string[]; readonly wanted: readonly string[] },
  differ: (what: string, words: { readonly got: string; readonly wanted: string }) => void,
): void {
  const [left, right] = [got.toSorted(), wanted.toSorted()].map((list) => list.join(', '))
  if (left === right) return
  const line = left === '' ? `no \`${key}:\`` : `\`${key}: [${left ?? ''}]\``
  differ(`it ${said[key]}`, {
    got: left === '' ? 'nothing' : (left ?? ''),
    wanted: `As the example says, or ${line} in it`,
  })
}
