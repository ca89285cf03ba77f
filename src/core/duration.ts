/** `30m` in seconds. */
export function durationSeconds(text: string): number | undefined {
  const match = /^(\d{1,7})(s|m|h|d)$/.exec(text)
  const unit = { s: 1, m: 60, h: 3600, d: 86_400 }[match?.[2] ?? '']
  return unit === undefined ? undefined : Number(match?.[1]) * unit
}
