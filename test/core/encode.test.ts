import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { json, line, lines, quoted } from '../../src/core/encode.ts'

/** How the runner of GitHub Actions finds commands in a line of a log (actions/runner, `ActionCommand.cs`). */
function isCommand(text: string): boolean {
  return text.split(/\r\n|\r|\n/u).some((each) => /^\s*::[^\s:]/u.test(each) || each.includes('##['))
}

const nasty = fc.string({
  unit: fc.oneof(
    fc.constantFrom('::', '##[', '#', '[', ':', '\n', '\r', '\u001b', '\u202e', '\u3000', '\u2028', 'add-mask', ' '),
    fc.string({ unit: 'binary', maxLength: 3 }),
  ),
})

describe('a line', () => {
  test.each([
    ['colour\u001b[31m', 'colour\\u001b[31m'],
    ['two\nlines', 'two\\nlines'],
    ['back\rover', 'back\\rover'],
    ['left\u202eright', 'left\\u202eright'],
    ['zero\u200bwidth', 'zero\\u200bwidth'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
    ['::add-mask::x', '\\::add-mask::x'],
    ['\u3000::error::x', '\u3000\\::error::x'],
    ['a ##[error]x', 'a ##\\[error]x'],
    ['서울 ☂ é', '서울 ☂ é'],
  ])('shows %j as %j', (text, shown) => {
    expect(line(text)).toBe(shown)
  })

  test('of any text holds no control character and no workflow command', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const shown = line(text)
        expect(shown).not.toMatch(/\p{Cc}/u)
        expect(isCommand(shown)).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })
})

test('lines keep their line feeds and nothing else that is unseen', () => {
  expect(lines('a\tb\r\n::c::d\n')).toBe('a  b\n\\::c::d\n')
})

test('a quoted block of any text holds no workflow command', () => {
  expect(quoted('one\n::error::two')).toBe('| one\n| \\::error::two')

  fc.assert(
    fc.property(nasty, (text) => !isCommand(quoted(text))),
    { numRuns: 2000 },
  )
})

test('json reads back as what was written, and holds no workflow command', () => {
  fc.assert(
    fc.property(nasty, (text) => {
      const written = json({ [text]: [text] })
      expect(JSON.parse(written)).toEqual({ [text]: [text] })
      expect(isCommand(written)).toBe(false)
    }),
    { numRuns: 2000 },
  )
})
