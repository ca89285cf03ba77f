import { consumerOf, migrate, type Shown, upgradeSpec } from '../migration.ts'
import { bundleOf, type Opened } from '../organisation.ts'
import type { Problem } from '../problem.ts'
import { pathInWords } from '../shape.ts'
import { compareVersions } from '../version.ts'
import type { Consumer } from './model.ts'

/** A consumer's file with its inputs as another version wants them, and what was done to them. */
export type Migrated = {
  readonly text: string
  readonly shown: readonly { readonly path: string; readonly why: string }[]
  /** What a person has to answer first. */
  readonly problems: readonly Problem[]
}

/** Takes a consumer's file on the way from one version to another by the migrations of its template, if there are any in between. */
export function migrated(
  { file, text }: Consumer,
  {
    before,
    after,
    template,
    version,
    to,
  }: {
    readonly before: Opened
    readonly after: Opened
    readonly template: string
    readonly version: string
    readonly to: string
  },
): Migrated {
  const unchanged = { text, shown: [], problems: [] }
  const all = after.catalog.templates.get(template)?.migrations ?? []
  const isOnTheWay = all.some((each) => compareVersions(each.to, version) > 0 && compareVersions(each.to, to) <= 0)
  const bundle = isOnTheWay ? bundleOf(after, template, to) : undefined
  const consumer = bundle === undefined ? undefined : consumerOf(file, text)
  if (bundle === undefined || consumer?.ok !== true) return unchanged
  const done = migrate({
    consumer: consumer.value,
    from: version,
    to,
    migrations: all,
    before: bundleOf(before, template, version),
    after: bundle,
  })
  const upgraded = upgradeSpec(file, text, { reference: `${template}@${to}`, migrated: done })
  const at = { file, line: 1, column: 1 }
  switch (upgraded.is) {
    case 'blocked':
      return { ...unchanged, problems: upgraded.blocks.map(({ path, why }) => blocked(pathInWords(path), why, at)) }
    case 'unsure':
      return { ...unchanged, problems: [blocked('the file is not changed by program', upgraded.why, at)] }
    case 'upgraded':
      return {
        text: upgraded.text,
        shown: upgraded.shown.map((each) => ({ path: placeOf(each), why: each.why })),
        problems: upgraded.asks.map(({ path, why, expected }) => ({
          ...asked(`${pathInWords(path)} (${expected})`, why, at),
          expected: `${expected}.`,
        })),
      }
  }
}

function placeOf({ path, from }: Shown): string {
  const there = pathInWords(path)
  return from === undefined ? there : `${pathInWords(from)} becomes ${there}`
}

/** Nobody is asked: there is no answer with which it would go on. */
function blocked(what: string, why: string, at: NonNullable<Problem['at']>): Problem {
  return {
    ...asked(what, why, at),
    message: `It is blocked, ${what}: ${why}`,
    remedy: 'It stays at its version until somebody has changed its file, or its code, by hand.',
  }
}

function asked(what: string, why: string, at: NonNullable<Problem['at']>): Problem {
  return {
    code: 'input-unanswered',
    severity: 'error',
    message: `A person has to decide ${what}: ${why}`,
    remedy: 'It is asked for in the pull request that upgrades the service; nothing is guessed.',
    at,
  }
}
