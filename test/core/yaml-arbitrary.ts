import fc from 'fast-check'

/** Something to put on one line: a word of some kind, without a line end. */
const word = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'key',
    'Ref',
    'true',
    'yes',
    'No',
    'on',
    'null',
    '~',
    '1',
    '-1',
    '+1',
    '0',
    '007',
    '0o7',
    '0x1f',
    '1_000',
    '12:30',
    '1.50',
    '2.0',
    '.5',
    '1e3',
    '.inf',
    '-.INF',
    '.NaN',
    '2012-10-17',
    '12345678901234567890',
    '0b1',
    '<<',
    '=',
    'a b',
    'a: b',
    'a #b',
    'a# b',
    'a:b',
    ':a',
    'http://x',
    'a,b',
    'a]b',
    '{a',
    '[a',
    '-a',
    '- a',
    '?a',
    '%a',
    '@a',
    '`a',
    '*a',
    '&a',
    '!a',
    '!Ref',
    '!!str',
    '!Sub a',
    '|',
    '>',
    '"',
    "'",
    'ü',
    '😀',
    'é',
    'a\u00a0b',
    'a\tb',
    '',
    ' ',
    '#',
    '---',
    '...',
    'arn:aws:iam::${AWS::AccountId}:role/x',
    '${a}',
    '$',
    '10.0.0.0/16',
    'C:\\x',
    'a\\nb',
    'constructor',
    '__proto__',
  ),
  fc.string({ maxLength: 6 }),
  fc.string({ unit: 'grapheme', maxLength: 4 }),
)

const safeWord = fc.constantFrom(
  'a',
  'b',
  'c',
  'name',
  'x-y',
  'Type',
  'AWS::S3::Bucket',
  '80',
  '1.5',
  'true',
  'value here',
  'Ü',
)

const doubleQuoted = fc
  .array(
    fc.oneof(
      word,
      fc.constantFrom(
        '\\n',
        '\\t',
        '\\"',
        '\\\\',
        '\\/',
        '\\x41',
        '\\u00e9',
        '\\ud83d\\ude00',
        '\\U0001f600',
        '\\ ',
        '\\\n   ',
        '\n\n  ',
        '\\e',
        '\\0',
        '\\N',
        '  \n  ',
      ),
    ),
    { maxLength: 4 },
  )
  .map((parts) => `"${parts.map((part) => (part.startsWith('\\') ? part : part.replaceAll(/["\\]/g, ''))).join('')}"`)

const singleQuoted = fc
  .array(fc.oneof(word, fc.constantFrom("''", '\n  ', '\n\n  ', '\t')), { maxLength: 3 })
  .map((parts) => `'${parts.map((part) => (part === "''" ? part : part.replaceAll("'", ''))).join(' ')}'`)

const tag = fc.constantFrom(
  '',
  '',
  '',
  '',
  '!Ref ',
  '!Sub ',
  '!GetAtt ',
  '!If ',
  '!!str ',
  '!Join ',
  '!Base64 ',
  '!x ',
  '!!int ',
  '!<x> ',
  '&a ',
  '! ',
)

const comment = fc.constantFrom('', '', '', '', ' # c', ' #', '# c', '\t# c', ' ')

/** The lines of a node that begins on the line of its key or dash; the first line has no indentation, the others are relative. */
type Lines = readonly string[]

const block: fc.Arbitrary<Lines> = fc
  .tuple(
    fc.constantFrom('|', '>'),
    fc.constantFrom('', '', '-', '+', '2', '1', '3', '2-', '+2', '9'),
    comment,
    fc.array(
      fc.tuple(
        fc.constantFrom('  ', '  ', '  ', '   ', ' ', '', '\t', '  \t', '    '),
        fc.oneof(word, fc.constantFrom('', '# c', '- a', 'a: b', 'text  ')),
      ),
      { maxLength: 5 },
    ),
  )
  .map(([style, indicator, note, lines]) => [
    `${style}${indicator}${note}`,
    ...lines.map(([indent, text]) => indent + text),
  ])

const flow: fc.Arbitrary<string> = fc.letrec<{ flow: string; item: string }>((tie) => ({
  item: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    fc.oneof(safeWord, word, doubleQuoted, singleQuoted),
    tie('flow'),
  ),
  flow: fc.oneof(
    fc
      .tuple(
        fc.array(fc.tuple(tag, tie('item')), { maxLength: 3 }),
        fc.constantFrom(', ', ',', ' ,', ',\n  ', ', # c\n  ', '\n,', ',\t'),
        fc.constantFrom('', ' ', ',', ', ', '\n'),
      )
      .map(([items, comma, end]) => `[${items.map((item) => item.join('')).join(comma)}${end}]`),
    fc
      .tuple(
        fc.array(
          fc.tuple(tie('item'), fc.constantFrom(': ', ':', ' : ', ':\n  ', '', ': \t', ':  !Ref '), tie('item')),
          { maxLength: 3 },
        ),
        fc.constantFrom(', ', ',', ',\n   '),
        fc.constantFrom('', ' ', ',', '\n'),
      )
      .map(([items, comma, end]) => `{${items.map((item) => item.join('')).join(comma)}${end}}`),
  ),
})).flow

const inline: fc.Arbitrary<Lines> = fc
  .tuple(tag, fc.oneof({ weight: 3, arbitrary: safeWord }, word, doubleQuoted, singleQuoted, flow), comment)
  .map((parts) => parts.join('').split('\n'))

const plainLines: fc.Arbitrary<Lines> = fc
  .array(fc.oneof(safeWord, word, fc.constantFrom('', '  more', '# c')), { minLength: 2, maxLength: 4 })
  .map(([first = '', ...rest]) => [first, ...rest.map((text) => (text === '' ? '' : `  ${text}`))])

const node: fc.Arbitrary<Lines> = fc.letrec<{ node: Lines; map: Lines; list: Lines }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', maxDepth: 5 },
    fc.oneof({ weight: 4, arbitrary: inline }, block, plainLines),
    tie('map'),
    tie('list'),
  ),
  map: fc
    .array(
      fc.tuple(
        fc.oneof({ weight: 6, arbitrary: safeWord }, word, doubleQuoted, singleQuoted, flow),
        fc.constantFrom(':', ':', ':', ' :', ':  ', ':\t'),
        tag,
        tie('node'),
        fc.constantFrom('  ', '  ', ' ', '    ', ''),
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map((entries) =>
      entries.flatMap(([key, colon, mark, value, indent], index) =>
        entry(`${key}${index}${colon}`, mark, value, indent),
      ),
    )
    .map((lines) => ['', ...lines]),
  list: fc
    .array(
      fc.tuple(
        fc.constantFrom('-', '-', '-', '-  ', '-\t', '- -'),
        tag,
        tie('node'),
        fc.constantFrom('  ', '  ', '   '),
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map((entries) => entries.flatMap(([dash, mark, value, indent]) => entry(dash, mark, value, indent)))
    .map((lines) => ['', ...lines]),
})).node

/** A key or a dash with its value: on the same line where the value begins there, else on the next lines. */
function entry(lead: string, mark: string, [first = '', ...rest]: Lines, indent: string): string[] {
  if (first !== '') return [`${lead} ${mark}${first}`, ...rest.map((line) => indent + line)]
  // A list or a map may begin on the line of a dash.
  if (lead.startsWith('-') && mark === '' && rest[0] !== undefined)
    return [`${lead} ${rest[0]}`, ...rest.slice(1).map((line) => `  ${line}`)]
  return [`${lead} ${mark}`.trimEnd(), ...rest.map((line) => indent + line)]
}

const documents = fc
  .tuple(
    fc.constantFrom('', '', '', '', '---\n', '--- ', '# c\n', '\n', '%YAML 1.1\n---\n'),
    node,
    fc.constantFrom('\n', '\n', '', '\n\n', '\n...\n', '\n# c', '\n---\n', '\n  '),
    fc.constantFrom('\n', '\n', '\n', '\r\n'),
  )
  .map(([head, lines, tail, end]) =>
    (head + (lines[0] === '' ? lines.slice(1) : lines).join('\n') + tail).replaceAll(/\r?\n/g, end),
  )

/** A document with some of its text cut out, doubled, or replaced by a sign. */
const damaged = fc
  .tuple(
    documents,
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.nat({ max: 3 }),
        fc.constantFrom(
          '',
          ' ',
          '\n',
          '\t',
          '"',
          "'",
          ':',
          '-',
          '- ',
          '#',
          ',',
          '[',
          ']',
          '{',
          '}',
          '?',
          '|',
          '&a',
          '*a',
          '!',
          '\n  ',
          '  ',
        ),
      ),
      { minLength: 1, maxLength: 3 },
    ),
  )
  .map(([text, damages]) =>
    damages.reduce((whole, [where, length, sign]) => {
      const at = where % (whole.length + 1)
      return whole.slice(0, at) + sign + whole.slice(at + length)
    }, text),
  )

const soup = fc
  .array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom(
          'a',
          'b',
          ' ',
          ' ',
          '  ',
          '\n',
          '\n',
          '\n  ',
          '\n ',
          '\t',
          ':',
          ': ',
          '- ',
          '-',
          '? ',
          '?',
          '#',
          ' #',
          ',',
          '[',
          ']',
          '{',
          '}',
          '"',
          "'",
          '|',
          '>',
          '|\n',
          '>-\n',
          '&a',
          '*a',
          '!',
          '!a',
          '!Ref ',
          '!!str',
          '%',
          '---',
          '...',
          '\r\n',
          '\\',
          '0',
          '1',
          '.',
          '@',
          '`',
          '<<',
          '~',
          '=',
        ),
      },
      word,
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(''))

/**
 * Texts that look like YAML: well-formed documents of every style, the same with small damages, and soups of the signs
 * that mean something. They are made to find places where two readers differ.
 */
export const yamlText: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: documents },
  { weight: 4, arbitrary: damaged },
  { weight: 4, arbitrary: soup },
)
