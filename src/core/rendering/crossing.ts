import type { GraphUnit } from '../cloudformation/graph.ts'
import { crossings, graphOf } from '../cloudformation/graph.ts'
import { type Data, isList, isMap, type Path } from '../data.ts'
import type { Unit } from '../organisation.ts'
import type { Problem } from '../problem.ts'
import type { RenderedStack } from '../render.ts'
import type { StackWish } from '../stack/template.ts'

type Rendered = { readonly unit: Unit; readonly part: RenderedStack; readonly wanted: StackWish }

/** A unit as the graph knows it, with the names that its stack exports and imports. */
export function graphUnit({ unit, part, wanted }: Rendered): GraphUnit {
  const { id, kind, environment, service, stage } = unit
  // Most stacks neither export nor import, which their text shows; the others are evaluated.
  const crosses = part.text.includes('ImportValue') || part.text.includes('Export')
  const imported = crosses ? importPath(part.body, []) : undefined
  return {
    id,
    kind,
    environment: environment.name,
    ...(service !== undefined && { service: service.service }),
    ...(stage !== undefined && { stage: stage.name }),
    stack: wanted.stack,
    ...(crosses && crossings(wanted)),
    ...(imported !== undefined && { at: part.document.place(imported) }),
  }
}

/** Where a template takes the value of another stack. */
function importPath(value: Data, path: Path): Path | undefined {
  const entries: readonly (readonly [string | number, Data])[] = isList(value)
    ? [...value.entries()]
    : isMap(value)
      ? Object.entries(value)
      : []
  for (const [key, inner] of entries) {
    const found = key === 'Fn::ImportValue' ? [...path, key] : importPath(inner, [...path, key])
    if (found !== undefined) return found
  }
  return undefined
}

/** The units of a run that export or import, and whether they need each other in a circle. */
export class Crossings {
  readonly #units: GraphUnit[] = []
  readonly #traces = new Map<string, RenderedStack['trace']>()

  add(rendered: Rendered): void {
    const unit = graphUnit(rendered)
    if (unit.exports === undefined && unit.imports === undefined) return
    this.#units.push(unit)
    this.#traces.set(unit.id, rendered.part.trace)
  }

  problems(): readonly Problem[] {
    if (this.#units.length === 0) return []
    return graphOf(this.#units).problems.map((problem) => {
      const first = this.#units.find(({ at }) => at !== undefined && at === problem.at)
      return (first === undefined ? undefined : this.#traces.get(first.id)?.(problem)) ?? problem
    })
  }
}
