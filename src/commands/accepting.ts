/** Takes what runs into the files: an edit of one line for each property that is one input, and of nothing else. */
import type { Ports } from '../command.ts'
import { acceptable, inputPath, renderedValue } from '../core/drift.ts'
import type { Origin } from '../core/drift.ts'
import { setValue } from '../core/edit.ts'
import type { Organisation } from '../core/organisation.ts'
import type { Problem } from '../core/problem.ts'
import { scalarText } from '../core/stack/parameters.ts'
import type { FileTree } from '../core/tree.ts'
import type { DriftedProperty } from '../ports.ts'
import type { Found } from './drifting.ts'
import { originOf, originText } from './drifting.ts'
import { renderDeployed } from './planning.ts'
import { readFolder } from './reading.ts'
import type { Stacks } from './stacks.ts'

type Edit = { readonly unit: string; readonly file: string; readonly path: readonly string[]; readonly value: string }

type Accepted = {
  /** The changed files alone. */
  readonly files: FileTree
  readonly edits: readonly Edit[]
  /** What could not be taken over, and why. */
  readonly problems: readonly Problem[]
}

type Wish = { readonly found: Found; readonly logicalId: string; readonly property: DriftedProperty }

/**
 * Makes the edits, one after the other, and keeps each only if the organisation still reads and renders with it, to exactly what
 * runs. Writes nothing.
 */
export async function accepted(
  ports: Ports,
  {
    root,
    names,
    sources,
    organisation,
    found,
    stacks,
  }: {
    readonly root: string
    readonly names: readonly string[]
    readonly sources: FileTree
    readonly organisation: Organisation
    readonly found: readonly Found[]
    readonly stacks: Stacks
  },
): Promise<Accepted> {
  let now: { readonly files: FileTree; readonly organisation: Organisation } = { files: new Map(), organisation }
  const edits: Edit[] = []
  const problems: Problem[] = []
  const wishes = found.flatMap((each): readonly Wish[] =>
    each.drift.resources.flatMap(({ logicalId, is, properties, type }) => {
      if (is === 'gone') problems.push(refused(each, `${logicalId} (${type}) is gone, and the template has it.`))
      return properties.map((property) => ({ found: each, logicalId, property }))
    }),
  )
  for (const wish of wishes) {
    const { unit } = wish.found
    const made = editFor(wish, { ...now, sources })
    if ('why' in made) {
      problems.push(refused(wish.found, made.why))
      continue
    }
    const files = new Map([...now.files, [made.edit.file, made.text]])
    const { organisation: read } = await readFolder(laidOver(ports, files), root, { services: names })
    if (!read.ok) {
      problems.push(...read.problems)
      continue
    }
    const neededBy = read.value.units.filter(
      ({ kind, service }) => kind === 'environment' || service?.service === unit.service?.service,
    )
    const rendered = (await renderDeployed(neededBy, stacks)).find((each) => each.unit.id === unit.id)
    const { logicalId, property } = wish
    const value = rendered && renderedValue(rendered.part, { logicalId, path: property.path })
    if (value === undefined || value !== scalarText(property.actual)) {
      problems.push(
        refused(wish.found, `${nameOf(wish)} would not become what runs by changing ${made.edit.path.join('.')}.`),
      )
      continue
    }
    now = { files, organisation: read.value }
    edits.push(made.edit)
  }
  return { files: now.files, edits, problems }
}

function nameOf({ logicalId, property }: Wish): string {
  return [logicalId, ...property.path].join('.')
}

function editFor(
  wish: Wish,
  {
    files,
    sources,
    organisation,
  }: { readonly files: FileTree; readonly sources: FileTree; readonly organisation: Organisation },
): { readonly edit: Edit; readonly text: string } | { readonly why: string } {
  const { found, logicalId, property } = wish
  const name = nameOf(wish)
  const origin = originOf(found, logicalId, property)
  if (origin.is !== 'input') return { why: `${name} ${unlike(origin)}` }
  // What was edited before may have given the unit a place of its own.
  const unit = organisation.units.find(({ id }) => id === found.unit.id) ?? found.unit
  const place = inputPath(unit, origin.name)
  const value = acceptable(unit.inputs[origin.name], property.actual)
  if (value === undefined) return { why: `what ${name} is now is no value that inputs.${origin.name} could have.` }
  const text = place === undefined ? undefined : (files.get(place.file) ?? sources.get(place.file))
  if (place === undefined || text === undefined) return { why: `${name} comes from an input without a file.` }
  const edited = setValue(place.file, text, { path: place.path, value })
  if (edited.is === 'unsure')
    return { why: `${place.file} is not edited: ${edited.why}. Write ${place.path.join('.')}: ${String(value)} there.` }
  return { edit: { unit: unit.id, ...place, value: String(value) }, text: edited.text }
}

function unlike(origin: Exclude<Origin, { readonly is: 'input' }>): string {
  if (origin.is === 'undeployed') return 'is not taken over: the files say another value, which is not deployed.'
  return origin.reads.length === 0
    ? 'is written by the template itself, for all that use it.'
    : `is made by ${originText(origin)}, and is not the value of one input alone.`
}

function refused({ unit }: Found, why: string): Problem {
  return {
    code: 'drift-unaccepted',
    severity: 'error',
    message: `${unit.id}: ${why}`,
    remedy: `Change it in the template or the files by hand, or bring the stack back: \`protium drift ${unit.id} --mend\`.`,
  }
}

/** The same files, some of them changed. */
function laidOver(ports: Ports, changed: FileTree): Ports {
  return {
    ...ports,
    files: {
      ...ports.files,
      tree: async (root, only, options) => {
        const { tree, problems } = await ports.files.tree(root, only, options)
        return { tree: new Map([...tree, ...changed]), problems }
      },
    },
  }
}
