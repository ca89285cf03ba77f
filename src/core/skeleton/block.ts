/** A part of a file that a template has, between two marks in comments; the rest is its user's. */

const note = 'these lines are written by the template; change the others'

type Comment = { readonly open: string; readonly close: string }

const hash: Comment = { open: '# ', close: '' }
const slashes: Comment = { open: '// ', close: '' }
const dashes: Comment = { open: '-- ', close: '' }
const stars: Comment = { open: '/* ', close: ' */' }
const tags: Comment = { open: '<!-- ', close: ' -->' }

const byEnding: ReadonlyMap<string, Comment> = new Map(
  (
    [
      [
        hash,
        'yaml yml toml sh bash zsh py rb pl r conf cfg ini properties env tf tfvars hcl ex exs mk gql graphql nix',
      ],
      [slashes, 'js mjs cjs ts mts cts jsx tsx jsonc json5 go java kt kts scala groovy gradle c h cc cpp hpp cs rs'],
      [slashes, 'swift php dart proto scss less'],
      [dashes, 'sql lua hs'],
      [stars, 'css'],
      [tags, 'md markdown html htm xml svg vue'],
    ] as const
  ).flatMap(([comment, endings]) => endings.split(' ').map((ending) => [ending, comment] as const)),
)

/** How a comment is written in a file of this name; nothing where its type has none, or is not known. */
function commentOf(path: string): Comment | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1)
  if (/^(?:(?:docker|container|make|gem|rake|brew|just|vagrant)file|codeowners)(?:\..+)?$/iu.test(name)) return hash
  if (/^\.[\w-]*(?:ignore|rc|attributes|editorconfig|env)$/u.test(name)) return hash
  const dot = name.lastIndexOf('.')
  return dot > 0 ? byEnding.get(name.slice(dot + 1).toLowerCase()) : undefined
}

/** Whether a file of this name can have a block. */
export function takesBlock(path: string): boolean {
  return commentOf(path) !== undefined
}

type Found = { readonly from: number; readonly to: number }

/** The lines of a block inside of its marks; nothing where there is not exactly one pair of them. */
export function findBlock(lines: readonly string[]): Found | undefined {
  const marks = lines.flatMap((text, index) => {
    const word = /^\s*(?:#|\/\/|--|\/\*|<!--)\s*protium:(begin|end)\b/u.exec(text)?.[1]
    return word === undefined ? [] : [{ word, index }]
  })
  const [begin, end, ...more] = marks
  if (begin?.word !== 'begin' || end?.word !== 'end' || more.length > 0) return undefined
  return { from: begin.index + 1, to: end.index }
}

/** The lines of a block with its marks around them. */
export function marked(path: string, lines: readonly string[]): readonly string[] {
  const { open, close } = commentOf(path) ?? hash
  return [`${open}protium:begin (${note})${close}`, ...lines, `${open}protium:end${close}`]
}
