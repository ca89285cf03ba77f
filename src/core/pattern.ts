import { parsePattern, Unreadable } from './pattern/parse.ts'
import { isFound, programOf, sizeOf } from './pattern/program.ts'

/** The longest pattern that a schema may hold. */
export const LONGEST_PATTERN = 200
/** The most instructions that a pattern may compile to; with texts of at most 4,096 characters a match stays in tens of milliseconds. */
export const LARGEST_PATTERN = 1000

/**
 * A regular expression that is matched in time linear in the text, whatever the two are. `test` searches: an unanchored
 * pattern matches anywhere, as in OpenAPI and ECMA-262. `size` is the number of instructions, `toString` the source.
 */
export type LinearPattern = {
  readonly size: number
  readonly test: (text: string) => boolean
  readonly toString: () => string
}

/**
 * Compiles a pattern written in the syntax of ECMA-262, or says why it cannot be used (the end of a sentence that begins
 * with the pattern). Look-around and back-references are refused: no engine matches those in linear time.
 */
export function linearPattern(source: string): Compiled {
  const known = compiled.get(source)
  if (known !== undefined) return known
  const result =
    source.length > LONGEST_PATTERN
      ? { fault: `is longer than ${LONGEST_PATTERN} characters` }
      : compile(source, { most: LARGEST_PATTERN })
  if (compiled.size >= MOST_KEPT) compiled.clear()
  compiled.set(source, result)
  return result
}

/** The longest text that a pattern of our own meets JavaScript's own engine on. */
const LONGEST_PLAIN = 256

/**
 * Finds a pattern that was written here in a text. The engine of JavaScript is there at once, where the other takes as long to
 * begin as a small command takes to end; and none of our patterns can keep it busy with a short text. What is longer goes to the other.
 */
export function ownPattern(source: string): (text: string) => boolean {
  let short: RegExp | undefined
  return (text) => {
    if (text.length <= LONGEST_PLAIN) return (short ??= new RegExp(source, 'u')).test(text)
    const result = linearPattern(source)
    if ('fault' in result) throw new Error(`The pattern ${source} ${result.fault}.`)
    return result.pattern.test(text)
  }
}

/**
 * Matches whole texts, as CloudFormation does with `AllowedPattern`, in linear time. Nothing for a pattern that cannot be matched so;
 * its engine is that of Java, which knows more.
 */
export function wholePattern(source: string): ((text: string) => boolean) | undefined {
  const known = wholes.get(source)
  if (known !== undefined) return 'pattern' in known ? known.pattern.test : undefined
  const result = compile(`^(?:${source})$`, { most: 10 * LARGEST_PATTERN })
  if (wholes.size >= MOST_KEPT) wholes.clear()
  wholes.set(source, result)
  return 'pattern' in result ? result.pattern.test : undefined
}

type Compiled = { readonly pattern: LinearPattern } | { readonly fault: string }

const MOST_KEPT = 1000
const compiled = new Map<string, Compiled>()
const wholes = new Map<string, Compiled>()

function compile(source: string, { most }: { readonly most: number }): Compiled {
  if (/(?<!\\)(?:\\\\)*\(\?(?:[=!]|<[=!])/.test(source))
    return { fault: 'looks ahead or behind, which cannot be matched in linear time' }
  if (/(?<!\\)(?:\\\\)*\\(?:[1-9]|k<)/.test(source))
    return { fault: 'refers back to a group, which cannot be matched in linear time' }
  try {
    const tree = parsePattern(source)
    const size = sizeOf(tree) + 1
    if (size > most) return { fault: `repeats too much: it has ${size} steps, and ${most} are allowed` }
    const program = programOf(tree)
    return { pattern: { size, test: (text) => isFound(program, text), toString: () => source } }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    return { fault: `cannot be read (${error.message})` }
  }
}
