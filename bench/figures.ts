/** How figures are told: the middle of several runs with the least and the most, in tables of Markdown. */

export function median(numbers: readonly number[]): number | undefined {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]
}

export function spread(numbers: readonly number[], digits: number): string {
  const middle = median(numbers)
  if (middle === undefined) return 'void'
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)]
  return `${middle.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}
