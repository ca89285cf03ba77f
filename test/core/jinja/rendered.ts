/** What the tests of templates share: a template rendered at once, and a runtime without bounds. */
import { parseTemplate, renderTemplate } from '../../../src/core/jinja/index.ts'
import type { Limits } from '../../../src/core/jinja/index.ts'
import { mapOf } from '../../../src/core/data.ts'
import type { Data, DataMap } from '../../../src/core/data.ts'
import { templateFilters } from '../../../src/core/jinja/filters.ts'
import { templateTests } from '../../../src/core/jinja/tests.ts'
import type { Runtime } from '../../../src/core/jinja/values.ts'

/** The text of a template, or `code: message` of its first problem. */
export function rendered(
  source: string,
  context: DataMap | Readonly<Record<string, Data>> = {},
  limits: Partial<Limits> = {},
): string {
  const template = parseTemplate('template.yaml', source)
  const result = template.ok ? renderTemplate(template.value, mapOf(Object.entries(context)), { limits }) : template
  if ('text' in result) return result.text
  const problem = result.ok ? undefined : result.problems[0]
  return `${problem?.code ?? 'nothing'}: ${problem?.message ?? ''}`
}

/** `{{ expression }}`, rendered. */
export function shown(expression: string, context: DataMap | Readonly<Record<string, Data>> = {}): string {
  return rendered(`{{ ${expression} }}`, context)
}

/** A runtime that bounds nothing. */
export const unbounded: Runtime = {
  spend: () => undefined,
  size: () => undefined,
  autoescape: false,
  filters: templateFilters,
  tests: templateTests,
}
