import type { Catalog } from '../catalog.ts'
import type { AppFacts, PersonFacts } from './facts.ts'
import { few } from './files.ts'
import { judged, ok, tell, type Told } from './finding.ts'

/** Everybody whom the catalog names, with where. */
export function namedIn({
  stages,
  glass,
  locks,
}: Pick<Catalog, 'stages' | 'glass' | 'locks'>): ReadonlyMap<string, readonly string[]> {
  const all: readonly (readonly [string, readonly string[]])[] = [
    ...stages.map(({ name, approval }) => [name, approval?.by ?? []] as const),
    ['glass', glass?.by ?? []],
    ['locks', locks?.by ?? []],
  ]
  const found = new Map<string, readonly string[]>()
  for (const [where, names] of all)
    for (const name of names) found.set(name, [...new Set([...(found.get(name) ?? []), where])])
  return found
}

export function judgePerson(
  { name, where, is }: PersonFacts,
  { owner }: { readonly owner: string | undefined },
): readonly Told[] {
  const at = `catalog.yaml names it for ${few(where)}`
  if (name.includes('/') && owner !== undefined && !name.toLowerCase().startsWith(`@${owner.toLowerCase()}/`)) {
    return [
      tell('fail', {
        about: name,
        what: `It is a team of another organisation than ${owner}; ${at}.`,
        fix: `Name a team of ${owner}.`,
      }),
    ]
  }
  return judged(
    is,
    (value) => {
      if (value.is === 'absent') {
        return tell('fail', {
          about: name,
          what: `There is no such ${name.includes('/') ? 'team' : 'person'}, and ${at}.`,
          fix: 'Correct the name in catalog.yaml.',
        })
      }
      if (value.is === 'team' && value.members === 0) {
        return tell('fail', { about: name, what: `Nobody is in that team, and ${at}.`, fix: 'Put somebody into it.' })
      }
      if (value.is === 'person' && !value.writes) {
        return tell('fail', {
          about: name,
          what: `That person may not write to the catalog’s repository, so the word does not count; ${at}.`,
          fix: 'Give write access, or name somebody else.',
        })
      }
      return ok(value.is === 'team' ? `A team of ${value.members}.` : 'May write, so the word counts.', name)
    },
    name,
  )
}

const ranks: Readonly<Record<string, number>> = { read: 1, write: 2, admin: 3 }

/** An App that is asked for: the variable names one that is installed, and that may what it has to. */
export function judgeApp({ purpose, variable, value, installation, needs }: AppFacts, owner: string): readonly Told[] {
  const about = variable
  const settings = ['organizations', owner, 'settings']
  return judged(
    value,
    (client) => {
      if (client === undefined || client === '') {
        return tell('fail', {
          about,
          what: `The variable is not set, so no job gets the App that ${purpose}.`,
          fix: `\`gh variable set ${variable} --org ${owner} --body <client id>\`; workflows/README.md says how the App is made.`,
        })
      }
      return judged(
        installation,
        (app) => {
          if (app === undefined) {
            return tell('fail', {
              about,
              what: `No App with the number ${client} is installed in ${owner}.`,
              fix: 'Install it, or correct the variable.',
              link: [...settings, 'installations'],
            })
          }
          const missing = Object.entries(needs).filter(
            ([scope, access]) => (ranks[app.permissions[scope.replaceAll('-', '_')] ?? ''] ?? 0) < (ranks[access] ?? 0),
          )
          if (missing.length === 0) return ok(`${app.name} may what it needs to.`, about)
          return tell('fail', {
            about,
            what: `${app.name} lacks ${few(missing.map(([scope, access]) => `${scope}: ${access}`))}.`,
            fix: 'Add that to the permissions of the App, and accept the change where it is installed.',
            link: [...settings, 'installations'],
          })
        },
        about,
      )
    },
    about,
  )
}
