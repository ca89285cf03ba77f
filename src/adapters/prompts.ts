import type { Readable, Writable } from 'node:stream'
import { isCancel, select, text } from '@clack/prompts'

import { Refused } from '../core/problem.ts'
import type { Ask } from '../ports.ts'

/** Asks the person at a terminal, one question after the other. What is shown goes to `output`, so that results stay alone. */
export function prompts(input: Readable, output: Writable): Ask {
  return {
    async text({ message, given, fault }) {
      const answer = await text({
        message,
        input,
        output,
        ...(given !== undefined && { initialValue: given }),
        validate: (value) => fault((value ?? '').trim()),
      })
      return isCancel(answer) ? gone() : answer.trim()
    },
    async choice({ message, options, given }) {
      const answer = await select({
        message,
        input,
        output,
        options: options.map((option) => ({ ...option })),
        ...(given !== undefined && { initialValue: given }),
      })
      return isCancel(answer) ? gone() : answer
    },
  }
}

function gone(): never {
  throw new Refused('interrupted', 'The questions were not answered to the end. Nothing was written.', {
    remedy: 'Run the command again; each question has an option, too.',
  })
}
