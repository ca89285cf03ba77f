/**
 * Every problem that Protium can report, by its stable code. From this table come the pages in `docs/problems/` and what
 * `protium explain <code>` prints. A code is never reused for something else; a line is added in alphabetical order.
 */
export const problemCodes = {
  'path-twins': {
    title: 'Two files differ only in upper and lower case',
    why: 'Windows and macOS see such names as one file, so a checkout there holds only one of the two.',
    fix: 'Rename one of them.',
  },
  'unknown-template': {
    title: 'The template is not in the catalog',
    why: 'A spec names a template that the catalog does not have, so nothing can be rendered.',
    fix: 'Correct the name in `template:`; the message names the nearest ones. `protium validate` checks again.',
  },
  'unsafe-path': {
    title: 'The path is not safe',
    why: 'A path that leaves the repository, or that file systems spell in several ways, could read or overwrite what nobody reviewed.',
    fix: 'Write a plain relative path with `/` between its parts: no `..`, no backslash, no special characters.',
  },
  'yaml-alias': {
    title: 'Anchors and aliases are not read',
    why: 'An alias makes a small file mean a large one, and CloudFormation does not take them either.',
    fix: 'Write the value again where the alias stands.',
  },
  'yaml-complex-key': {
    title: 'A key is not a text',
    why: 'A list, a map, nothing at all or a tagged value as a key cannot be addressed by name.',
    fix: 'Write a plain or quoted text as the key.',
  },
  'yaml-control-character': {
    title: 'The file holds an invisible character',
    why: 'Control, zero-width and text-direction characters make a file look different from what it says.',
    fix: 'Delete the character. Where it is wanted, write it as an escape in double quotes: `"\\u200b"`.',
  },
  'yaml-directive': {
    title: 'Lines that begin with % are not read',
    why: 'A directive such as `%YAML 1.1` changes what the rest of the file means.',
    fix: 'Delete the line. If it belongs to a text, indent it or quote the text.',
  },
  'yaml-duplicate-key': {
    title: 'A key stands twice in one map',
    why: 'Only one of the two values can hold, and readers differ on which.',
    fix: 'Keep one of the two. Keys are compared as they are written, so `1` and `"1"` are the same key.',
  },
  'yaml-encoding': {
    title: 'The file is not plain UTF-8',
    why: 'Bytes that are not UTF-8, or a byte order mark, are read differently by different programs.',
    fix: 'Save the file as UTF-8 without a byte order mark.',
  },
  'yaml-merge-key': {
    title: 'Merge keys are not read',
    why: '`<<` belongs to YAML 1.1 and copies entries in ways that a reviewer does not see.',
    fix: 'Write the entries out.',
  },
  'yaml-number': {
    title: 'A number could be read in two ways',
    why: 'Versions of YAML differ on leading zeros, underscores, colons and exponents, and very long numbers lose digits. An account id with a leading zero is the usual victim.',
    fix: 'Put it in quotes if it is a text (an account id, a time), or write it as a plain decimal number.',
  },
  'yaml-reserved-key': {
    title: 'The key is reserved',
    why: '`__proto__` has a meaning of its own in JavaScript and could change objects that have nothing to do with the file.',
    fix: 'Give the key another name.',
  },
  'yaml-several-documents': {
    title: 'The file holds several documents',
    why: 'A file is one document; what follows `---` would be left out without a word.',
    fix: 'Keep one document a file.',
  },
  'yaml-syntax': {
    title: 'The file is not valid YAML or JSON',
    why: 'The text cannot be read, or two readers of YAML would read it differently.',
    fix: 'Correct the line; the message says what was found there. Indent with spaces, and quote texts that hold `: ` or ` #`.',
  },
  'yaml-tag': {
    title: 'The tag is not known',
    why: 'A tag changes the type of a value, and only `!!str` and, in CloudFormation templates, its short functions are read.',
    fix: 'Remove the tag, or correct it; the message names the nearest one.',
  },
  'yaml-too-deep': {
    title: 'The file is nested too deeply',
    why: 'Nesting is bounded so that no file can exhaust the reader.',
    fix: 'Flatten the structure.',
  },
  'yaml-too-large': {
    title: 'The file is too large',
    why: 'Size, number of values and keys in one map are bounded so that no file can exhaust the reader.',
    fix: 'Split the file, or move data out of it. The message names the limit.',
  },
  'yaml-word': {
    title: 'A word could mean true or false',
    why: '`yes`, `no`, `on` and `off` are booleans to YAML 1.1 and texts to YAML 1.2.',
    fix: 'Write `true` or `false`, or put the word in quotes if it is a text.',
  },
} as const satisfies Record<string, ProblemText>

export type ProblemCode = keyof typeof problemCodes

type ProblemText = {
  /** A short headline, without a full stop. */
  readonly title: string
  /** Why it is a problem: one to three sentences. */
  readonly why: string
  /** How to mend it: one to three sentences, Markdown. */
  readonly fix: string
}
