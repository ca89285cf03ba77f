/** How values become text in the output. */
import type { Rendering } from './rendering.ts'
import { typeName, undefinedError } from './text.ts'
import { Aligned, JinjaError, Markup, Undefined } from './values.ts'
import type { Value } from './values.ts'

/** What a filter or call block gives has to be a text: Jinja2 does not convert it. */
export function writeText(value: Value, rendering: Rendering): void {
  if (value instanceof Aligned) align(value, rendering)
  else if (typeof value === 'string') rendering.write(value)
  else if (value instanceof Markup) rendering.write(value.text)
  else if (value instanceof Undefined && !value.lenient) throw undefinedError(value)
  else {
    // Jinja2 finds it when it joins the output, after everything else that may go wrong.
    rendering.misfit ??= {
      error: new JinjaError('TypeError', `the block gives no text: expected str instance, ${typeName(value)} found`),
      site: rendering.site,
      stack: rendering.stack,
    }
  }
}

/** Lines of YAML under each other, from the column at which they are printed. */
export function align(value: Aligned, rendering: Rendering): void {
  const { text } = rendering
  if (value.lines.length === 0) {
    rendering.spend(100)
    rendering.blanks.push({ offset: text.length, text: value.empty })
    return
  }
  const column = text.length - (text.lastIndexOf('\n') + 1)
  rendering.size(value.lines.length * (column + 1))
  rendering.write(value.lines.join(`\n${' '.repeat(column)}`))
}
