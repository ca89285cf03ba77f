import type { Upgrades } from '../catalog/upgrades.ts'
import type { Impact } from '../impact/model.ts'
import { parseVersion } from '../version.ts'
import type { Consumer } from './model.ts'

/** What speaks for and against merging an upgrade without a person, found by rendering and merging. */
export type Evidence = {
  readonly from: string
  readonly to: string
  readonly impact: Pick<Impact, 'is' | 'stages'>
  /** Inputs that the migration changes, asks for, or whose default is another. */
  readonly inputs: number
  /** Files that both sides have changed, or that a person has to look at. */
  readonly attention: boolean
}

/**
 * Why GitHub may not merge it by itself: a sentence; nothing where it may. It is off by default, asked for by the service and allowed by the
 * catalog, and only for what changes nothing that matters. GitHub merges only what all required checks have passed.
 */
export function automergeFault(
  { wishes, kind }: Consumer,
  {
    upgrades,
    evidence,
    wave,
    mayAutomerge,
  }: {
    readonly upgrades: Pick<Upgrades, 'automerge'>
    readonly evidence: Evidence
    readonly wave: number
    /** The repository has it switched on. Without required checks GitHub would merge at once, so it refuses to wait there. */
    readonly mayAutomerge: boolean
  },
): string | undefined {
  if (upgrades.automerge === 'none') return 'The catalog lets nothing be merged by itself.'
  if (kind === 'environment') return 'An environment is what others stand on.'
  if (wishes.automerge !== true) return 'Its file does not ask for it.'
  if (!mayAutomerge) return 'Its repository has not switched it on.'
  if (wave === 0) return 'The first wave is looked at by people.'
  const step = stepOf(evidence)
  if (step !== 'patch' && !(step === 'minor' && upgrades.automerge === 'minor'))
    return 'The version makes a larger step.'
  if (evidence.inputs > 0) return 'Inputs change.'
  if (evidence.attention) return 'Generated files want looking at.'
  return impactFault(evidence.impact)
}

function stepOf({ from, to }: Evidence): 'patch' | 'minor' | 'major' | 'back' {
  const [a, b] = [parseVersion(from), parseVersion(to)]
  if (a === undefined || b === undefined || a.major !== b.major) return 'major'
  if (b.minor < a.minor || (b.minor === a.minor && b.patch <= a.patch)) return 'back'
  return a.minor === b.minor ? 'patch' : 'minor'
}

function impactFault({ is, stages }: Evidence['impact']): string | undefined {
  if (is !== 'changed' && is !== 'unchanged') return 'It does more than change what is there.'
  for (const { changes, losses, broken } of stages) {
    if (losses.length > 0 || changes.some(({ action }) => action === 'delete' || action === 'replace'))
      return 'Something is replaced or deleted.'
    if (broken.length > 0) return 'It breaks a rule.'
    const door = changes.find(({ type }) => isDoor(type))
    if (door !== undefined) return `${door.logicalId} says who may do or reach what.`
  }
  return undefined
}

/** What says who may do something, or reach something: nobody but a person widens it. */
function isDoor(type: string): boolean {
  return (
    /^AWS::(?:IAM|KMS|SSO|RAM|Organizations|Cognito|WAFv2)::/u.test(type) ||
    /Policy$|Permission$|SecurityGroup|NetworkAcl|AccessPoint|AccessPolicy/u.test(type)
  )
}
