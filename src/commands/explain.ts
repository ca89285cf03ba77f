import { command, text } from '../command.ts'
import { didYouMean } from '../core/nearest.ts'
import { problemCodes } from '../core/problem-codes.ts'
import { table } from '../core/report.ts'

export const explain = command({
  name: 'explain',
  summary: 'Explains a problem by its code: why it is one, and how to mend it. Without a code it lists all of them.',
  inputs: { code: text('The word in square brackets at the end of a problem.', { positional: true }) },
  outputs: { codes: 'The explained codes, each with title, why and fix.' },
  async run(_ports, { code }) {
    const all = Object.entries(problemCodes).map(([each, { title, why, fix }]) => ({ code: each, title, why, fix }))
    if (code === undefined) {
      return {
        exit: 'done',
        data: { codes: all },
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
        data: { codes: [] },
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
      data: { codes: [found] },
      text: (paint) =>
        `${paint.bold(found.code)}: ${found.title}\n\n${paint.dim('Why')}  ${found.why}\n${paint.dim('Fix')}  ${found.fix}`,
    }
  },
})
