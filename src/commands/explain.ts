import type { Json, Outcome, Ports } from '../command.ts'
import { command, path, text } from '../command.ts'
import { explanationText } from '../core/explanation.ts'
import { didYouMean } from '../core/nearest.ts'
import { problemCodes } from '../core/problem-codes.ts'
import { table } from '../core/report.ts'
import { type From, traceLine } from './tracing.ts'

export const explain = command({
  name: 'explain',
  summary:
    'Explains a problem by its code, or a line of something rendered: the template and the inputs that it came from.',
  inputs: {
    code: text('The word in square brackets at the end of a problem; without one, all of them are listed.', {
      positional: true,
    }),
    at: text('Explain this line of a rendered file, or of a unit: checkout/dev:212.', { hint: 'FILE:LINE[:COLUMN]' }),
    bundle: path('The file was rendered from this Proton bundle.', { hint: 'DIR' }),
    spec: path('The bundle’s spec.', { hint: 'FILE' }),
    text: path('The file was rendered from this one template.', { hint: 'FILE' }),
    context: text('What the template saw: a JSON file, or JSON itself.', { hint: 'JSON' }),
    root: path('The folder of the organisation.', { default: '.' }),
    state: path('The folder of the local stacks and records; a relative one lies below the root.', {
      default: '.protium',
    }),
  },
  outputs: {
    codes: 'The explained codes, each with title, why and fix.',
    origin: 'The explained line: its text, the place in the template, what was read for it, and what it stands within.',
  },
  async run(ports, { code, at, bundle, spec, text: template, context, root, state }) {
    if (at !== undefined) return explainAt(ports, { at, from: { bundle, spec, text: template, context, root, state } })
    const all = Object.entries(problemCodes).map(([each, { title, why, fix }]) => ({ code: each, title, why, fix }))
    if (code === undefined) {
      return {
        exit: 'done',
        data: { codes: all, origin: null },
        text: (paint) =>
          table(
            [{ name: 'code' }, { name: 'what it says' }],
            all.map((each) => [{ text: each.code, paint: paint.accent }, each.title]),
            paint,
          ),
        next: [{ run: 'explain <code>', why: 'why it is a problem, and how to mend it' }],
      }
    }
    // Codes are copied out of a sentence, so brackets around one are forgiven.
    const wanted = code.replace(/^\[(.*)\]$/u, '$1')
    const found = all.find((each) => each.code === wanted)
    if (found === undefined) {
      return {
        exit: 'bad-input',
        data: { codes: [], origin: null },
        text: () => '',
        problems: [
          {
            code: 'unknown-problem-code',
            severity: 'error',
            message: `There is no problem code ${JSON.stringify(wanted)}.${didYouMean(wanted, Object.keys(problemCodes))}`,
            remedy: 'List all of them: `protium explain`.',
          },
        ],
      }
    }
    return {
      exit: 'done',
      data: { codes: [found], origin: null },
      text: (paint) =>
        `${paint.bold(found.code)}: ${found.title}\n\n${paint.dim('Why')}  ${found.why}\n${paint.dim('Fix')}  ${found.fix}`,
    }
  },
})

async function explainAt(
  ports: Ports,
  { at, from }: { readonly at: string; readonly from: From },
): Promise<Outcome<{ readonly codes: Json; readonly origin: Json }>> {
  const traced = await traceLine(ports, { at, from })
  const { sources } = traced
  if (!traced.ok) {
    return { exit: 'bad-input', data: { codes: [], origin: null }, text: () => '', problems: traced.problems, sources }
  }
  const { name, explanation } = traced.value
  return {
    exit: 'done',
    data: { codes: [], origin: { of: name, ...explanation } },
    text: (paint) => explanationText(explanation, { name, source: (file) => sources.get(file), paint }),
  }
}
