import type { DataMap, Path } from '../data.ts'
import { didYouMean } from '../nearest.ts'
import type { Unit } from '../organisation.ts'
import type { Checked, Place, Problem } from '../problem.ts'
import type { RenderedStack } from '../render.ts'
import { misfits, oldPath, renamedResources } from '../stack/rename.ts'
import { section } from '../stack/template.ts'
import type { Document } from '../yaml.ts'

/**
 * A rendering in which resources have the logical ids that the live stack has, as `keep:` of its file says. Places stay those of
 * the text, which has the ids of the template.
 */
export function withKeptIds<Stack extends RenderedStack>(stack: Stack, unit: Unit): Checked<Stack> {
  const { keep, document } = keepOf(unit)
  if (keep.size === 0) return { ok: true, value: stack, problems: [] }
  const found = misfits(stack.body, keep)
  const problems = found.map(({ id, is }) =>
    problem({ id, is, unit, live: keep.get(id) ?? '', document, body: stack.body }),
  )
  if (found.some(({ is }) => is === 'taken')) return { ok: false, problems }
  const nothing = new Set(found.map(({ id }) => id))
  const ids = new Map([...keep].filter(([id]) => !nothing.has(id)))
  const old = new Map([...ids].map(([id, live]) => [live, id]))
  const body = renamedResources(stack.body, ids)
  const place = (path: Path): Place => stack.document.place(oldPath(path, old))
  const keyPlace = (path: Path): Place => stack.document.keyPlace(oldPath(path, old))
  return {
    ok: true,
    value: {
      ...stack,
      body,
      ...(ids.size > 0 && { kept: ids }),
      document: { ...stack.document, data: body, place, keyPlace },
      origin: (path: Path) => stack.origin(oldPath(path, old)),
    },
    problems,
  }
}

/** The ids that a unit keeps: an environment its own, an instance those of its service. */
function keepOf({ kind, service, environment }: Unit): {
  readonly keep: ReadonlyMap<string, string>
  readonly document: Document
} {
  if (kind === 'instance' && service !== undefined) return service.spec
  if (kind === 'environment') return environment
  return { keep: new Map(), document: environment.document }
}

function problem({
  id,
  live,
  is,
  unit,
  document,
  body,
}: {
  readonly id: string
  readonly live: string
  readonly is: 'nothing' | 'taken'
  readonly unit: Unit
  readonly document: Document
  readonly body: DataMap
}): Problem {
  if (is === 'taken')
    return {
      code: 'keep-taken',
      severity: 'error',
      message: `${id} cannot keep the id ${live} in ${unit.id}: the template has that for something else.`,
      expected: 'An id of a resource that the template calls otherwise now.',
      remedy: 'Correct the line, or remove it.',
      at: document.place(['keep', id]),
    }
  const ids = Object.keys(section(body, 'Resources'))
  return {
    code: 'keep-nothing',
    severity: 'warning',
    message: `The template makes no resource ${id} for ${unit.id}, so ${live} is kept for nothing.${didYouMean(id, ids)}`,
    expected: 'The logical id of a resource in the template.',
    remedy: 'Correct the line, or remove it.',
    at: document.keyPlace(['keep', id]),
  }
}
