import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'

import { prompts } from '../../src/adapters/prompts.ts'
import type { Ask } from '../../src/ports.ts'

/** A person who types, once each question is there; and what he has seen. */
function person(): { readonly ask: Ask; readonly type: (keys: string) => Promise<void>; readonly seen: () => string } {
  const input = new PassThrough()
  const output = Object.assign(new PassThrough(), { columns: 200, rows: 40, isTTY: true })
  const shown: Buffer[] = []
  output.on('data', (chunk: Buffer) => shown.push(chunk))
  return {
    ask: prompts(input, output),
    type: async (keys) => {
      for (const key of keys.split('|')) {
        input.write(key)
        await new Promise((resolve) => void setImmediate(resolve))
      }
    },
    seen: () => stripVTControlCharacters(Buffer.concat(shown).toString()),
  }
}

const enter = '\r'
const down = '\u001B[B'

describe('a question', () => {
  test('takes what is typed, without the blanks around it', async () => {
    const { ask, type, seen } = person()
    const answer = ask.text({ message: 'Which domain?', fault: () => undefined })
    await type(` example.com |${enter}`)

    expect(await answer).toBe('example.com')
    expect(seen()).toContain('Which domain?')
  })

  test('says what is wrong, and is asked on', async () => {
    const { ask, type, seen } = person()
    const answer = ask.text({
      message: 'Which domain?',
      fault: (text) => (text.includes('.') ? undefined : `${JSON.stringify(text)} is no domain.`),
    })
    await type(`example|${enter}|.com|${enter}`)

    expect(await answer).toBe('example.com')
    expect(seen()).toContain('"example" is no domain.')
  })

  test('keeps what stands there when nothing is typed', async () => {
    const { ask, type } = person()
    const answer = ask.text({ message: 'Who?', given: '@acme/platform', fault: () => undefined })
    await type(enter)

    expect(await answer).toBe('@acme/platform')
  })

  test('offers a choice', async () => {
    const { ask, type, seen } = person()
    const answer = ask.choice({
      message: 'What?',
      options: [
        { value: 'sample', label: 'The sample', hint: 'with templates' },
        { value: 'empty', label: 'Empty' },
      ],
      given: 'sample',
    })
    await type(`${down}|${enter}`)

    expect(await answer).toBe('empty')
    expect(seen()).toContain('The sample (with templates)')
  })

  test('ends the run of who goes away', async () => {
    const { ask, type } = person()
    const answer = ask.text({ message: 'Which domain?', fault: () => undefined })
    const choice = answer.catch((error: unknown) => error)
    await type('\u0003')

    expect(await choice).toMatchObject({ code: 'interrupted', message: expect.stringContaining('Nothing was written') })
  })
})
