import type { Suspect, Verdict } from './suspects.ts'

/** How the suspects and the verdicts are called wherever people read of them. */
export const suspectNames = {
  code: 'Developer code',
  settings: 'Infra setting',
  security: 'Security',
  firewall: 'Firewall',
} as const satisfies Record<Suspect, string>

export const verdictWords = {
  convicted: 'look here first',
  cleared: 'ruled out',
  unknown: 'not known',
} as const satisfies Record<Verdict['is'], string>
