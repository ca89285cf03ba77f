/**
 * - `order`: the stage before has this commit, in this version of the template
 * - `soak`: it has had it for long enough, and nothing has failed there since
 * - `freeze`: nothing is deployed at this time
 * - `approval`: somebody has agreed who may, and who did not make it himself
 * - `guard`: what holds data is replaced or deleted only where its file names it
 * - `policy`: what would run keeps the rules of the catalog
 * - `lock`: nobody has taken the unit for himself
 * - `binding`: it is what people have seen
 */
export type GateName = (typeof gateNames)[number]

export const gateNames = ['order', 'soak', 'freeze', 'approval', 'guard', 'policy', 'lock', 'binding'] as const

/** A gate at one moment. Times are as `Date.toISOString` writes them. */
export type Gate = {
  readonly gate: GateName
  /** `skipped` is held, and passed all the same because the glass was broken. */
  readonly is: 'open' | 'held' | 'skipped'
  /** Whole sentences. */
  readonly why: string
  readonly since?: string
  /** When it opens by itself, if it does. */
  readonly until?: string
  /** Who can open it: `@acme/platform`, `@ada`. */
  readonly by?: readonly string[]
}

/** What keeps a deployment from being begun. */
export function heldGates(gates: readonly Gate[]): readonly Gate[] {
  return gates.filter(({ is }) => is === 'held')
}

/** What a gate asks, as a plan tells it: before anybody knows when it will be deployed. */
export type Demand = {
  readonly gate: GateName
  /** Whole sentences. */
  readonly asks: string
  readonly by?: readonly string[]
  /** Where the plan knows it already: of a guard, and of a policy. */
  readonly is?: 'open' | 'held'
}

const gateTitles: Readonly<Record<GateName, string>> = {
  order: 'Order of the stages',
  soak: 'Soak',
  freeze: 'Freeze',
  approval: 'Approval',
  guard: 'Data guard',
  policy: 'Policy',
  lock: 'Lock',
  binding: 'What was reviewed',
}

/** What a gate is called where people read. */
export function gateTitle(gate: GateName): string {
  return gateTitles[gate]
}
