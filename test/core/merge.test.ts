import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergeText, mostLines } from '../../src/core/merge.ts'
import { linesOf, lostLines, textOf } from '../../src/core/merge/lines.ts'
import { cases } from './merge/cases.ts'

const text = (...lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')

describe('Merging lines', () => {
  const before = text('FROM node:20', 'WORKDIR /app', 'COPY . .', 'RUN npm ci', 'EXPOSE 8080', 'CMD ["node", "."]')

  it.each([
    {
      when: 'the template alone has changed it',
      after: before.replace('node:20', 'node:24'),
      ours: before,
      expected: before.replace('node:20', 'node:24'),
    },
    {
      when: 'the user alone has changed it',
      after: before,
      ours: before.replace('8080', '9090'),
      expected: before.replace('8080', '9090'),
    },
    {
      when: 'both have changed it in different places',
      after: before.replace('node:20', 'node:24'),
      ours: before.replace('8080', '9090'),
      expected: before.replace('node:20', 'node:24').replace('8080', '9090'),
    },
    {
      when: 'both have changed it alike',
      after: before.replace('node:20', 'node:24').replace('npm ci', 'npm ci --omit=dev'),
      ours: before.replace('node:20', 'node:24'),
      expected: before.replace('node:20', 'node:24').replace('npm ci', 'npm ci --omit=dev'),
    },
    {
      when: 'the template takes lines away that the user has not touched',
      after: before.replace('EXPOSE 8080\n', ''),
      ours: before.replace('node:20', 'node:22'),
      expected: before.replace('node:20', 'node:22').replace('EXPOSE 8080\n', ''),
    },
    { when: 'a file becomes empty that nobody has changed', after: '', ours: before, expected: '' },
    { when: 'all are empty', after: '', ours: '', expected: '' },
  ])('is clean where $when', ({ after, ours, expected }) => {
    expect(mergeText({ before, after, ours })).toEqual({ is: 'clean', text: expected })
  })

  it('keeps ours in a conflict, applies all else, and says where it stands', () => {
    const after = before.replace('node:20', 'node:24').replace('CMD', 'USER node\nCMD')
    const ours = `# Ours\n${before.replace('node:20', 'node:22').replace('npm ci', 'npm install')}`
    expect(mergeText({ before, after, ours })).toEqual({
      is: 'conflict',
      text: ours.replace('CMD', 'USER node\nCMD'),
      hunks: [{ line: 1, ours: ['# Ours', 'FROM node:22'], before: ['FROM node:20'], after: ['FROM node:24'] }],
    })
  })

  it('takes the side of a hunk that somebody has chosen', () => {
    const merged = mergeText({
      before: text('a', 'b', 'c', 'd', 'e'),
      after: text('A', 'b', 'c', 'd', 'E'),
      ours: text('1', 'b', 'c', 'd', '5'),
      take: ({ ours }) => (ours.includes('1') ? 'after' : 'ours'),
    })
    expect(merged).toMatchObject({ is: 'conflict', text: text('A', 'b', 'c', 'd', '5') })
  })

  it('counts the line of a hunk in the merged text', () => {
    const merged = mergeText({
      before: text('a', 'b', 'c', 'd'),
      after: text('new', 'lines', 'a', 'b', 'c', 'D'),
      ours: text('a', 'b', 'c', 'dd'),
    })
    expect(merged).toMatchObject({ text: text('new', 'lines', 'a', 'b', 'c', 'dd'), hunks: [{ line: 6 }] })
  })

  it('does not lose a line that the template has moved to where ours stays', () => {
    const merged = mergeText({
      before: text('secret: keep', 'one', 'two', 'three', 'end'),
      after: text('one', 'two', 'three', 'secret: keep', 'finish'),
      ours: text('secret: keep', 'one', 'two', 'three', 'stop'),
    })
    expect(merged).toMatchObject({
      is: 'conflict',
      text: text('secret: keep', 'one', 'two', 'three', 'stop'),
      hunks: [{ before: ['secret: keep'] }, { ours: ['stop'] }],
    })
  })

  it('moves the line where the template is chosen for its place', () => {
    const merged = mergeText({
      before: text('secret: keep', 'one', 'two', 'three', 'end'),
      after: text('one', 'two', 'three', 'secret: keep', 'finish'),
      ours: text('secret: keep', 'one', 'two', 'three', 'stop'),
      take: () => 'after',
    })
    expect(merged).toMatchObject({ text: text('one', 'two', 'three', 'secret: keep', 'finish') })
  })
})

describe('The form of a text', () => {
  const before = text('one', 'two', 'three')
  const crlf = (plain: string): string => plain.replaceAll('\n', '\r\n')

  it.each([
    {
      of: 'an editor that has turned all ends of lines',
      after: text('one', 'two', 'THREE'),
      ours: crlf(text('ONE', 'two', 'three')),
      expected: crlf(text('ONE', 'two', 'THREE')),
    },
    {
      of: 'an editor that has turned them and changed nothing else',
      after: text('one', '2', 'three'),
      ours: crlf(before),
      expected: crlf(text('one', '2', 'three')),
    },
    {
      of: 'a byte order mark that an editor has put',
      after: text('one', 'two', 'THREE'),
      ours: `\uFEFF${before}`,
      expected: `\uFEFF${text('one', 'two', 'THREE')}`,
    },
    {
      of: 'a last line without an end in ours',
      after: text('ONE', 'two', 'three'),
      ours: 'one\ntwo\nthree',
      expected: 'ONE\ntwo\nthree',
    },
    {
      of: 'a last line without an end in the new version',
      after: 'one\ntwo\nTHREE',
      ours: text('ONE', 'two', 'three'),
      expected: 'ONE\ntwo\nTHREE',
    },
  ])('is no conflict: $of', ({ after, ours, expected }) => {
    expect(mergeText({ before, after, ours })).toEqual({ is: 'clean', text: expected })
  })

  it('leaves ends of lines as they are where a file has both', () => {
    const ours = 'one\r\ntwo\nthree\n'
    expect(mergeText({ before: text('one', 'two', 'three'), after: text('one', 'two', 'three', '4'), ours })).toEqual({
      is: 'clean',
      text: 'one\r\ntwo\nthree\n4\n',
    })
  })

  it('is read and written to the same', () => {
    const parts = fc.array(fc.constantFrom('a', '', '\n', '\r\n', '\r', '\uFEFF'), { maxLength: 12 })
    fc.assert(
      fc.property(parts, (each) => {
        const whole = each.join('')
        expect(textOf(linesOf(whole))).toBe(whole)
      }),
    )
  })
})

describe('Long texts', () => {
  const many = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, index) => `line ${from + index}`)

  it('are merged where their ends are the same, however long they are', () => {
    const all = many(0, 20_000)
    const merged = mergeText({
      before: text(...all),
      after: text(...all.with(10_000, 'theirs')),
      ours: text(...all.with(10_500, 'ours')),
    })
    expect(merged).toEqual({ is: 'clean', text: text(...all.with(10_000, 'theirs').with(10_500, 'ours')) })
  })

  it('are not merged where more than 1,500 lines lie between the changes', () => {
    const all = many(0, mostLines + 3)
    const merged = mergeText({
      before: text(...all),
      after: text('theirs', ...all),
      ours: text(...all, 'ours'),
    })
    expect(merged).toEqual({ is: 'too-long', lines: mostLines + 4 })
  })

  it('are taken whole where one side alone has changed them', () => {
    const [before, after] = [text(...many(0, 5000)), text(...many(9000, 20_000))]
    expect(mergeText({ before, after, ours: before })).toEqual({ is: 'clean', text: after })
    const windows = before.replaceAll('\n', '\r\n')
    expect(mergeText({ before, after, ours: windows })).toEqual({ is: 'clean', text: after.replaceAll('\n', '\r\n') })
  })
})

describe('Merging values of JSON and YAML', () => {
  it('puts keys beside each other that both have added at one place', () => {
    const before = text('name: cart', 'env:', '  A: "1"')
    const merged = mergeText({
      path: 'compose.yaml',
      before,
      after: `${before}  TEMPLATE: "2"\n`,
      ours: `${before}  OURS: "3" # why\n`,
    })
    expect(merged).toEqual({
      is: 'clean',
      text: text('name: cart', 'env:', '  A: "1"', '  OURS: "3" # why', '  TEMPLATE: "2"'),
    })
  })

  it('does the same for JSON', () => {
    const merged = mergeText({
      path: 'tsconfig.json',
      before: json({ compilerOptions: { strict: true } }),
      after: json({ compilerOptions: { strict: true, target: 'es2024' } }),
      ours: json({ compilerOptions: { strict: true, jsx: 'react' }, include: ['src'] }),
    })
    expect(merged).toEqual({
      is: 'clean',
      text: json({ compilerOptions: { strict: true, jsx: 'react', target: 'es2024' }, include: ['src'] }),
    })
  })

  const json = (value: unknown, step: string | number = 2): string => `${JSON.stringify(value, undefined, step)}\n`

  it.each([
    {
      what: 'a value, a key that goes and one that comes',
      before: json({ a: 1, gone: { x: 1 }, b: 2 }, '\t'),
      after: json({ a: 1, b: 3, c: { d: [1, 'x'] } }, '\t'),
      ours: json({ a: 1, gone: { x: 1 }, b: 2, own: 1 }, '\t'),
      expected: json({ a: 1, b: 3, own: 1, c: { d: [1, 'x'] } }, '\t'),
    },
    {
      what: 'a file on one line',
      before: '{"a":1}',
      after: '{"a":1,"b":"2"}',
      ours: '{"a":1,"c":true}',
      expected: '{"a":1,"c":true, "b": "2"}',
    },
    {
      what: 'a map that was empty, and keys like those of JavaScript',
      before: json({ env: {}, last: 1 }),
      after: json({ env: { __proto__x: 'a', constructor: 1 }, last: 1 }),
      ours: '{\n  "env": {}, "last": 1, "own": 2\n}\n',
      expected: '{\n  "env": {\n    "__proto__x": "a",\n    "constructor": 1\n  }, "last": 1, "own": 2\n}\n',
    },
    {
      what: 'the last key that goes, and ends of lines of Windows',
      before: json({ a: { only: 1 }, b: { x: 1, y: 2 } }).replaceAll('\n', '\r\n'),
      after: json({ a: {}, b: { x: 1 } }),
      ours: json({ a: { only: 1 }, b: { x: 7, y: 2 } }).replaceAll('\n', '\r\n'),
      expected: json({ a: {}, b: { x: 7 } }).replaceAll('\n', '\r\n'),
    },
  ])('edits JSON: $what', ({ before, after, ours, expected }) => {
    expect(mergeText({ path: 'x.json', before, after, ours })).toEqual({ is: 'clean', text: expected })
  })

  it('keeps the comments that the template writes, where lines can be merged', () => {
    const merged = mergeText({
      path: 'a.yaml',
      before: text('a: 1', 'b: 2', 'c: 3'),
      after: text('a: 1', 'b: 2', '# Why.', 'd: 4', 'c: 3'),
      ours: text('a: 5', 'b: 2', 'c: 3'),
    })
    expect(merged).toEqual({ is: 'clean', text: text('a: 5', 'b: 2', '# Why.', 'd: 4', 'c: 3') })
  })

  it('sets a value that we have only written a comment to', () => {
    const merged = mergeText({ path: 'a.yaml', before: 'a: 1\n', after: 'a: 2\n', ours: 'a: 1 # ours\n' })
    expect(merged).toEqual({ is: 'clean', text: 'a: 2 # ours\n' })
  })

  it('is a conflict where both have changed one key', () => {
    const merged = mergeText({ path: 'a.yaml', before: 'a: 1\n', after: 'a: 2\n', ours: 'a: 3\n' })
    expect(merged).toMatchObject({ is: 'conflict', text: 'a: 3\n' })
  })

  it('never makes a file of two keys of one name, whatever the lines say', () => {
    const merged = mergeText({
      path: 'a.yaml',
      before: text('a: 1', 'b: 2', 'c: 3', 'd: 4'),
      after: text('new: 1', 'a: 1', 'b: 2', 'c: 3', 'd: 4'),
      ours: text('a: 1', 'b: 2', 'c: 3', 'd: 4', 'new: 2'),
    })
    expect(merged).toEqual({ is: 'unsure', why: 'could not be read any more' })
  })

  it('leaves values alone in a file that is very long', () => {
    const long = `big: ${'x'.repeat(300_000)}\n`
    const merged = mergeText({
      path: 'a.yaml',
      before: `${long}a: 1\n`,
      after: `${long}a: 1\nb: 2\n`,
      ours: `${long}a: 1\nc: 3\n`,
    })
    expect(merged.is).toBe('conflict')
  })

  it('merges lines where a file is no YAML that is read', () => {
    const merged = mergeText({
      path: 'chart.yaml',
      before: text('{{ a }}', 'x', 'y', 'z'),
      after: text('{{ b }}', 'x', 'y', 'z'),
      ours: text('{{ a }}', 'x', 'y', '{{ z }}'),
    })
    expect(merged).toEqual({ is: 'clean', text: text('{{ b }}', 'x', 'y', '{{ z }}') })
  })
})

describe('Every merge', () => {
  const anyText = fc
    .array(fc.constantFrom('a', 'b', 'c', 'd', '}', ''), { maxLength: 12 })
    .map((lines) => text(...lines))

  it('gives what the other has made of it, where one has changed nothing', () => {
    fc.assert(
      fc.property(anyText, anyText, (one, other) => {
        expect(mergeText({ before: one, ours: one, after: other })).toEqual({ is: 'clean', text: other })
        expect(mergeText({ before: one, ours: other, after: one })).toEqual({ is: 'clean', text: other })
        expect(mergeText({ before: one, ours: other, after: other })).toEqual({ is: 'clean', text: other })
      }),
    )
  })

  it('loses no line of ours that the template has not taken away itself', () => {
    fc.assert(
      fc.property(cases, ({ before, after, ours }) => {
        const merged = mergeText({ before, after, ours })
        if (merged.is === 'too-long' || merged.is === 'unsure') throw new Error(merged.is)
        const [one, two, three, all] = [before, after, ours, merged.text].map((each) => linesOf(each).lines)
        const lost = lostLines({ before: one ?? [], after: two ?? [], ours: three ?? [], merged: all ?? [] })
        // A line that both have moved to one place is there once, and one that says nothing is not counted.
        const isMoved = (line: string): boolean => (all ?? []).includes(line) && (two ?? []).includes(line)
        expect(lost.filter((line) => /\w/.test(line) && !isMoved(line))).toEqual([])
      }),
      { numRuns: 1000 },
    )
  })

  it('gives ours when ours is taken of a conflict, and nothing else has changed', () => {
    fc.assert(
      fc.property(cases, (each) => {
        const merged = mergeText(each)
        if (merged.is !== 'conflict') return
        // The same once more, with what was settled: nothing of it moves.
        const again = mergeText({ ...each, take: () => 'ours' })
        expect(again).toEqual(merged)
        for (const { line, ours } of merged.hunks)
          expect(linesOf(merged.text).lines.slice(line - 1, line - 1 + ours.length)).toEqual(ours)
      }),
    )
  })

  it('is settled: merged into what came of it, the same change has nothing more to do', () => {
    fc.assert(
      fc.property(cases, ({ before, after, ours }) => {
        const merged = mergeText({ before, after, ours })
        if (merged.is !== 'clean') return
        expect(mergeText({ before: after, after, ours: merged.text })).toEqual({ is: 'clean', text: merged.text })
      }),
    )
  })
})
