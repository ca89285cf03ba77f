import type { Access, AccessChange } from './access.ts'
import { accessChanges, mayWiden } from './access.ts'
import { compareText } from './canonical.ts'
import type { Markdown } from './markdown.ts'
import { code, listed, prose, shorten } from './markdown.ts'
import type { PlannedUnit } from './plan.ts'
import { list } from './report.ts'

/**
 * What a plan does besides: who may do what, who can reach whom, and what was changed by hand. A plan holds names and digests, so
 * names and paths are told; what a rule allows is in the change of the template.
 */

type Showing = { readonly busy: readonly PlannedUnit[]; readonly isOne: boolean }

const accesses = { permission: 'Permissions', network: 'Firewall' } as const satisfies Record<Access, string>
const mostItems = 8
const mostNames = 4
const longestName = 60

/** What a unit is a part of: its service, or the environment that it is. */
export function subjectOf({ unit }: Pick<PlannedUnit, 'unit'>): string {
  return unit.startsWith('environment/') ? unit : unit.replace(/\/.*$/su, '')
}

/** Where it lies, below its subject: `dev`, `dev component`, `pipeline`. */
export function placeOf({ unit }: Pick<PlannedUnit, 'unit'>): string {
  return unit.replace(/^[^/]*\//su, '').replaceAll('/', ' ')
}

/** What becomes wider, or another, of either access; nothing where neither is touched. */
export function accessNotes({ busy, isOne }: Showing): readonly Markdown[] {
  return (['permission', 'network'] as const).flatMap((access) => {
    const found = busy.flatMap((unit) =>
      unit.changes.flatMap((change) =>
        accessChanges(change)
          .filter((each) => each.access === access)
          .map((each) => ({ unit, name: change.logicalId, each })),
      ),
    )
    if (found.length === 0) return []
    const verdict = found.some(({ each }) => mayWiden(each)) ? 'may be wider' : 'other than before'
    const deeds = found.map(({ unit, name, each }) => ({ unit, name, ...accessDeed(each) }))
    return [prose`**${accesses[access]}:** ${verdict}. ${grouped(deeds, { busy, isOne })}.`]
  })
}

function accessDeed({ is, gains, loses, changes }: AccessChange): Pick<Deed, 'one' | 'many'> {
  if (is === 'new') return { one: prose`is new`, many: prose`are new` }
  if (is === 'gone') return { one: prose`goes`, many: prose`go` }
  if (is === 'replaced') return { one: prose`is replaced`, many: prose`are replaced` }
  const parts = [
    { verb: 'gain', paths: gains },
    { verb: 'change', paths: changes },
    { verb: 'lose', paths: loses },
  ].filter(({ paths }) => paths.length > 0)
  const what = (paths: readonly string[]): Markdown => {
    const first = code(shorten(paths[0] ?? '', 120))
    return paths.length === 1 ? first : prose`${first} and ${paths.length - 1} more`
  }
  return {
    one: listed(parts.map(({ verb, paths }) => prose`${verb}s ${what(paths)}`)),
    many: listed(parts.map(({ verb, paths }) => prose`${verb} ${what(paths)}`)),
  }
}

/** What would be overwritten of what somebody has done by hand, and what stays as somebody has made it. */
export function handNotes({ busy, isOne }: Showing): readonly Markdown[] {
  const found = busy.flatMap((unit) =>
    (unit.byHand ?? []).map(({ logicalId, is }): Deed => {
      const isTouched = unit.changes.some((change) => change.logicalId === logicalId)
      const what = is === 'gone' ? 'deleted by hand' : 'changed by hand'
      const then = is === 'gone' ? 'made again' : 'overwritten'
      return {
        unit,
        name: logicalId,
        one: isTouched ? prose`was ${what} and is ${then}` : prose`was ${what} and stays so`,
        many: isTouched ? prose`were ${what} and are ${then}` : prose`were ${what} and stay so`,
      }
    }),
  )
  if (found.length === 0) return []
  const when = lastLooked(busy)
  const how = prose`${when === undefined ? prose`` : prose`That was seen ${when}. `}To keep it, take it into the files first: ${code('protium drift --accept')}.`
  return [prose`**Drift:** ${grouped(found, { busy, isOne })}. ${how}`]
}

/** What is of no concern, to be told in one line: that it was looked at is worth knowing. */
export function harmless({ busy }: Pick<Showing, 'busy'>): readonly Markdown[] {
  const changes = busy.flatMap((unit) => unit.changes.flatMap(accessChanges))
  const same = (['permission', 'network'] as const)
    .filter((access) => changes.every((each) => each.access !== access))
    .map((access) => prose`**${accesses[access]}:** same.`)
  // Of what is not there yet, nothing can have been changed.
  const live = busy.filter(({ verdict }) => verdict !== 'create')
  const isDrifted = live.some(({ byHand = [] }) => byHand.length > 0)
  if (live.length === 0 || isDrifted) return same
  const isLooked = live.every(({ byHand }) => byHand !== undefined)
  if (!isLooked) return [...same, prose`**Drift:** not looked for; ${code('protium drift')} does.`]
  const when = lastLooked(live)
  return [...same, when === undefined ? prose`**Drift:** none.` : prose`**Drift:** none when last looked for, ${when}.`]
}

/** When it was looked for hand-made changes of all of them: `2026-11-22 17:31 UTC`. Nothing, if that was now. */
function lastLooked(units: readonly PlannedUnit[]): string | undefined {
  const [oldest] = units.flatMap(({ byHandAt }) => byHandAt ?? []).toSorted(compareText)
  return oldest === undefined ? undefined : `${oldest.slice(0, 16).replace('T', ' ')} UTC`
}

type Deed = {
  readonly unit: PlannedUnit
  readonly name: string
  /** What it does, of one and of several: `is new`, `are new`. */
  readonly one: Markdown
  readonly many: Markdown
}

/** Those that do the same in the same places are told at once: `A` and `B` are new in every stage. */
function grouped(deeds: readonly Deed[], { busy, isOne }: Showing): Markdown {
  const whereOf = (own: readonly Deed[]): string => {
    const subject = own.map(({ unit }) => subjectOf(unit))[0] ?? ''
    const places = own.map(({ unit }) => placeOf(unit))
    const all = busy.filter((unit) => subjectOf(unit) === subject).length
    const some = places.length > 4 ? `${places.length} stages` : list(places)
    const text = places.length > 1 && places.length === all ? 'in every stage' : `in ${some}`
    return isOne ? text : `of ${shorten(subject, longestName)} ${text}`
  }
  const byName = Map.groupBy(deeds, ({ unit, name, one }) => JSON.stringify([subjectOf(unit), name, one.markdown]))
  const together = Map.groupBy([...byName.values()], (own) => JSON.stringify([own[0]?.one.markdown, whereOf(own)]))
  const items = [...together.values()].map((some) => {
    const firsts = some.flatMap(([first]) => (first === undefined ? [] : [first]))
    const names = firsts.map(({ name }) => code(shorten(name, longestName)))
    const deed = (firsts.length === 1 ? firsts[0]?.one : firsts[0]?.many) ?? prose``
    return prose`${listed(atMost(names, mostNames))} ${deed} ${whereOf(some[0] ?? [])}`
  })
  return atMost(items, mostItems).reduce((text, each) => prose`${text}; ${each}`)
}

function atMost(all: readonly Markdown[], most: number): readonly Markdown[] {
  return all.length > most ? [...all.slice(0, most - 1), prose`${all.length - most + 1} more`] : all
}
