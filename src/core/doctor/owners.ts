/**
 * The file of code owners, as GitHub reads it: the last line that matches a path says who owns it.
 * https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
 */

/** Where GitHub looks for it, in this order. */
export const ownersFiles = ['.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS'] as const

/** A longer one is not read at all. */
export const longestOwners = 3_000_000

/** Who owns a path; nobody where no line matches, or the one that does names nobody. */
export function ownersOf(text: string, path: string): readonly string[] {
  let owners: readonly string[] = []
  for (const line of text.split('\n')) {
    const [pattern, ...names] = line
      .replace(/(^|\s)#.*$/u, '')
      .trim()
      .split(/\s+/u)
    if (pattern !== undefined && pattern !== '' && matches(pattern, path)) owners = names
  }
  return owners
}

/** What is in a folder that matches belongs to it, except where the pattern ends with a `*`. */
function matches(pattern: string, path: string): boolean {
  const isFolder = pattern.endsWith('/')
  const bare = pattern.replace(/^\//u, '').replace(/\/$/u, '')
  const isAnchored = pattern.startsWith('/') || bare.includes('/')
  const source = bare
    .split('**')
    .map((part) => part.replaceAll(/[.+^${}()|[\]\\]/gu, String.raw`\$&`).replaceAll('?', '[^/]'))
    .map((part) => part.replaceAll('*', '[^/]*'))
    .join('.*')
  const inside = isFolder ? '/.*' : bare.includes('/') && bare.endsWith('*') ? '' : '(?:/.*)?'
  return new RegExp(`^${isAnchored ? '' : '(?:.*/)?'}${source}${inside}$`, 'su').test(path)
}
