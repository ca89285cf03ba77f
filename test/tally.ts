/** What a run of the tests came to. */
export type Tally = { readonly passed: number; readonly failed: number; readonly skipped: number }

/** The one line that every run ends with; other programs read it. */
export function tallyLine(tally: Tally): string {
  const skipped = tally.skipped === 0 ? '' : `, ${tally.skipped} skipped`
  return `${tally.passed} passed, ${tally.failed} failed${skipped}`
}
