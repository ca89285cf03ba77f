import type { Bundle } from '../bundle.ts'
import { canonicalJson, same } from '../canonical.ts'
import type { DataMap } from '../data.ts'
import { isPlaceholder } from '../placeholder.ts'
import type { Place, Problem } from '../problem.ts'
import { checkInputs, type InputSchema, type InputsAt } from '../schema.ts'
import { dataAt, mapIn } from '../shape.ts'
import { parseVersion } from '../version.ts'
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
    return (['inputs', 'pipeline'] as const).flatMap((of) => {
      const steps = migration[of]
      const schema = of === 'pipeline' ? own?.schema.pipeline : (own?.schema.environment ?? own?.schema.service)
      const examples = migration.examples.filter((each) => each.of === of)
      return [
        ...(schema === undefined ? [] : steps.flatMap((step) => unknownTarget(step, schema))),
        ...(steps.length > 0 && examples.length === 0 ? [noExample(migration, of)] : []),
        ...examples.flatMap((example) => tried(example, steps, schema)),
      ]
    })
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

function tried(
  { name, at, before, after, ask, block }: MigrationExample,
  steps: readonly Step[],
  schema: InputSchema | undefined,
): readonly Problem[] {
  const { layer, progress } = run(before, steps)
  const problems: Problem[] = []
  const differ = (what: string, { got, wanted }: { readonly got: string; readonly wanted: string }): void =>
    void problems.push(
      problem(at, {
        message: `The example "${name}" comes out otherwise: ${what} ${got}.`,
        expected: `${wanted}.`,
        remedy: 'Correct the steps, or the example.',
      }),
    )
  const asked = progress.asks.filter(({ path }) => isPlaceholder(dataAt(layer.inputs, path)))
  compare(
    'what is asked for is',
    asked.map(({ path }) => path.join('.')),
    ask.map((path) => path.join('.')),
    differ,
  )
  compare(
    'what blocks it is',
    progress.blocks.map(({ path }) => path.join('.')),
    block.map((path) => path.join('.')),
    differ,
  )
  const result = known(layer.inputs)
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

function compare(
  what: string,
  got: readonly string[],
  wanted: readonly string[],
  differ: (what: string, words: { readonly got: string; readonly wanted: string }) => void,
): void {
  const [left, right] = [got.toSorted(), wanted.toSorted()].map((list) =>
    list.length === 0 ? 'nothing' : list.join(', '),
  )
  if (left !== right) differ(what, { got: left ?? '', wanted: right ?? '' })
}
