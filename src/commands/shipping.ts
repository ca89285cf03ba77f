import { mapOf } from '../core/data.ts'
import type { Unit } from '../core/organisation.ts'
import type { Problem } from '../core/problem.ts'
import type { Stage } from '../core/stage.ts'
import type { DeploymentRecord } from '../ports.ts'

/**
 * What is shipped. The build of a service hands over an image by its digest; that very digest goes through every stage, is
 * recorded, and runs until a build hands over another one, whatever the service's file says of a placeholder.
 */

/** The image of units, by their ids. */
export type Images = ReadonlyMap<string, string>

/** The input of a unit that takes the image; nothing for a unit that runs none. */
export function imageInput({ kind, bundle }: Unit): string | undefined {
  if (kind !== 'instance') return undefined
  return [...(bundle.schema.service?.inputs.values() ?? [])].find(({ image }) => image)?.name
}

/** Units with these images instead of what their files say. */
export function withImages(units: readonly Unit[], images: Images): readonly Unit[] {
  return units.map((unit) => {
    const [name, image] = [imageInput(unit), images.get(unit.id)]
    if (name === undefined || image === undefined || unit.inputs[name] === image) return unit
    const inputs = Object.entries(unit.inputs).map(([key, value]) => [key, key === name ? image : value] as const)
    return { ...unit, inputs: mapOf(Object.hasOwn(unit.inputs, name) ? inputs : [...inputs, [name, image]]) }
  })
}

/** What units run according to their records, which are in order. Only what a build has handed over counts. */
export function recordedImages(
  units: readonly Unit[],
  history: ReadonlyMap<string, readonly DeploymentRecord[]>,
): Images {
  return new Map(
    units.flatMap((unit) => {
      const image = history
        .get(unit.id)
        ?.findLast((record) => record.image !== undefined && record.outcome !== 'failed')?.image
      return image === undefined || imageInput(unit) === undefined ? [] : [[unit.id, image] as const]
    }),
  )
}

const reference =
  /^(?:(?<service>[a-z][a-z0-9-]{0,62})=)?(?<image>[a-z0-9][a-z0-9._-]*(?::\d{1,5})?(?:\/[a-z0-9][a-z0-9._-]*)*(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?<digest>@sha256:[0-9a-f]{64})?)$/u

/** The images that a build hands over for these units: a reference, or one line for each service, `service=reference`. */
export function handedImages(
  lines: readonly string[],
  { units, stage }: { readonly units: readonly Unit[]; readonly stage: Stage },
): { readonly images: Images; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const images = new Map<string, string>()
  for (const line of lines) {
    const { service, image, digest } = reference.exec(line)?.groups ?? {}
    if (image === undefined || (service === undefined && lines.length > 1)) {
      problems.push(mistake(`The image ${JSON.stringify(line.slice(0, 300))} is no reference of one.`))
      continue
    }
    const meant = units.filter(
      (unit) => unit.kind === 'instance' && (service === undefined || unit.service?.service === service),
    )
    for (const unit of meant) {
      if (imageInput(unit) === undefined)
        problems.push(mistake(`${unit.id} takes no image: its template has no input for one.`))
      else if (stage.production && digest === undefined) problems.push(tag(image, stage))
      else images.set(unit.id, image)
    }
  }
  return { images, problems }
}

function mistake(message: string): Problem {
  return {
    code: 'option-value',
    severity: 'error',
    message,
    expected: '`name@sha256:…`, or with several services a line `service=name@sha256:…` for each.',
    remedy: 'Correct what the build hands over as `image`.',
  }
}

function tag(image: string, { name }: Stage): Problem {
  return {
    code: 'image-tag',
    severity: 'error',
    message: `The image ${image} is not named by its digest, so in the stage "${name}" it could be another than the one that was tried.`,
    expected: '`name@sha256:…`.',
    remedy: 'Hand over the digest: the step that pushes an image gives it out.',
  }
}
