import { checkPath } from '../paths.ts'
import type { Problem } from '../problem.ts'

/** Why a skeleton may have no file of this name in the repository of a service. */
export function nameProblem(path: string): Problem | undefined {
  const safe = checkPath(path)
  if (!safe.ok) return safe.problems[0]
  const why = reserved.find(({ of }) => of.test(path))?.why
  if (why === undefined) return undefined
  return {
    code: 'skeleton-path',
    severity: 'error',
    message: `A template does not write "${path}": ${why}.`,
    expected: 'Files that belong to the service, outside of `.github/` and `.protium/`.',
    remedy: 'Give the file another place, or leave it to the people of the repository.',
  }
}

const reserved: readonly { readonly of: RegExp; readonly why: string }[] = [
  { of: /^\.github(?:\/|$)/iu, why: 'what lies in `.github/` says what runs with the rights of the repository' },
  { of: /^\.protium(?:\/|$)/iu, why: 'Protium keeps its own files there' },
  { of: /^service\.ya?ml$/iu, why: 'that file says what the service is, and is its people’s' },
  { of: /(?:^|\/)node_modules(?:\/|$)/iu, why: 'what is installed there is kept in no repository' },
  { of: /^\.gitmodules$/iu, why: 'it brings other repositories into this one' },
]

/** The same for what is passed over wherever it lies in a catalog, so that nobody looks for it in vain; nothing outside of a skeleton. */
export function passedOver(path: string): Problem | undefined {
  const name = /^templates\/[^/]+\/v?\d+\/skeleton\/(.+)$/u.exec(path)?.[1]
  const problem = name === undefined ? undefined : nameProblem(name)
  return problem === undefined ? undefined : { ...problem, at: { file: path, line: 1, column: 1 } }
}
