import { compareText } from '../canonical.ts'
import { type Environment, openEnvironment } from '../catalog.ts'
import { bundleOf, type Opened, withEnvironments } from '../organisation.ts'
import { serviceFiles } from '../organisation/service.ts'
import type { Checked, Problem } from '../problem.ts'
import { releaseStatus, type ReleaseStatus } from '../release/status.ts'
import type { FileTree } from '../tree.ts'
import { compareVersions } from '../version.ts'
import { changedTemplates, outputsRead, targetOf, type TemplateChange } from './changes.ts'
import { impactOf, outputsAfter } from './compare.ts'
import { type Migrated, migrated } from './migrated.ts'
import type { Consumer, ConsumerRendering, Impact } from './model.ts'
import { consumerReference, renderConsumer } from './render.ts'

/** A catalog before or after a change: as it was opened, and the files that it was opened from. */
export type Side = { readonly opened: Opened; readonly tree: FileTree }

/** Why a consumer is looked at: its template is another, its environment gives out something else, the rules of all are others. */
export type Through = 'template' | 'environment' | 'catalog'

/** What a change does to one consumer. */
export type ConsumerImpact = {
  /** `checkout`, `environment/dev`; where its file cannot be read, the repository or the file. */
  readonly consumer: string
  readonly is: Consumer['is']
  readonly repository?: string
  readonly file: string
  readonly owner?: string
  readonly template: string
  /** The version that its file names, and the one that it would go to. */
  readonly from: string
  readonly to: string
  readonly through: readonly Through[]
  /** How it stands with the version that it runs, where that is not supported. */
  readonly standing?: Exclude<ReleaseStatus, { readonly is: 'supported' }>
  readonly impact: Impact
  /** What its inputs become on the way. */
  readonly migrated: Migrated['shown']
}

/** An output of an environment that is another after the change, and who reads it. */
export type OutputChange = {
  readonly environment: string
  readonly output: string
  readonly is: 'added' | 'changed' | 'removed'
  /** The templates that read it, `web@1.4.2`, and the services in this environment that do so. */
  readonly templates: readonly string[]
  readonly services: number
}

/**
 * The reach of a change of a catalog. Consumers are judged one by one, in any order, and nothing is kept of them. The environments
 * are judged first, for what they give out is read by services.
 */
export class Radius {
  readonly templates: readonly TemplateChange[]
  readonly environments: readonly ConsumerImpact[]
  readonly #before: Side
  readonly #after: Side
  readonly #now: Date
  readonly #isCatalogChanged: boolean
  readonly #outputs = new Map<string, Map<string, Output>>()
  #untouched = 0

  constructor({ before, after, now }: { readonly before: Side; readonly after: Side; readonly now: Date }) {
    this.#before = before
    this.#after = after
    this.#now = now
    this.templates = changedTemplates(before.opened.catalog, after.opened.catalog)
    this.#isCatalogChanged = isCatalogChanged(before.tree, after.tree)
    const found = environmentsIn(after.tree).map((consumer) => this.#environment(consumer))
    this.environments = found.flatMap(({ impact }) => (impact === undefined ? [] : [impact]))
    const moved = found.flatMap(({ environment }) => (environment === undefined ? [] : [environment]))
    const outputs = new Map(
      found.flatMap(({ environment, outputs }) =>
        environment === undefined || outputs === undefined ? [] : [[environment.name, outputs] as const],
      ),
    )
    this.#after = { ...after, opened: { ...withEnvironments(after.opened, moved), outputs } }
  }

  /** Services that the change does not concern; they are not rendered. */
  get untouched(): number {
    return this.#untouched
  }

  /** Which outputs of environments are others, and who of those that were judged reads them. */
  get outputs(): readonly OutputChange[] {
    return [...this.#outputs].flatMap(([environment, outputs]) =>
      [...outputs].map(([output, { is, templates, services }]) => ({
        environment,
        output,
        is,
        templates: [...templates].toSorted(compareText),
        services,
      })),
    )
  }

  /** The services of the catalog's own repository, as they are before and after. */
  *own(): Generator<ConsumerImpact, void, void> {
    const after = new Map(servicesIn(this.#after.tree).map((consumer) => [consumer.file, consumer]))
    for (const before of servicesIn(this.#before.tree)) {
      const now = after.get(before.file)
      // What is removed by the change, or made by it, is nobody's consumer before and after.
      const impact = now === undefined ? undefined : this.judge(before, now)
      if (impact !== undefined) yield impact
    }
  }

  /** What becomes of a service; nothing where the change does not concern it. `now` is its file after the change, if it is another. */
  judge(before: Consumer, now: Consumer = before): ConsumerImpact | undefined {
    const runs = consumerReference(before)
    const target = runs === undefined ? undefined : targetOf(runs, this.#targets())
    const through =
      runs === undefined ? [] : this.#through(runs, { target, consumer: before, isEdited: before.text !== now.text })
    if (runs !== undefined && through.length === 0) {
      this.#untouched += 1
      return undefined
    }
    const own = consumerReference(now)
    const to = latest([target, own?.version ?? runs?.version])
    const { impact, first } = this.#compared({ before, now, runs, to, through })
    if (first.ok) this.#noteReaders(first.value, { runs, consumer: before })
    return impact
  }

  #compared({ before, now, runs, to, through }: Way): Compared {
    const { opened } = this.#after
    const first = renderConsumer(this.#before.opened, before, { now: this.#now })
    const way = { before: this.#before.opened, after: opened, to }
    const { text, shown, problems } =
      first.ok && runs !== undefined ? migrated(now, { ...way, ...runs }) : { text: now.text, shown: [], problems: [] }
    // Of a file that stays as it is, what is rendered to the same text is as good or as bad as before.
    const isFile = first.ok && !this.#isCatalogChanged && text === before.text && before.component === now.component
    const same = isFile ? { same: first.value } : {}
    const second: Checked<ConsumerRendering> =
      problems.length > 0
        ? { ok: false, problems }
        : renderConsumer(opened, { ...now, text }, { version: to, now: this.#now, ...same })
    const names = first.ok ? first.value : second.ok ? second.value : undefined
    const owner = names?.owner
    const standing = runs === undefined ? undefined : this.#standing(runs)
    const impact: ConsumerImpact = {
      consumer: names?.consumer ?? nameIn(before),
      is: before.is,
      ...(before.repository !== undefined && { repository: before.repository }),
      file: before.file,
      ...(owner !== undefined && { owner }),
      template: runs?.template ?? '',
      from: runs?.version ?? '',
      to,
      through,
      ...(standing !== undefined && standing.is !== 'supported' && { standing }),
      impact: impactOf({ before: first, after: second, guard: opened.catalog.guard }),
      migrated: shown,
    }
    return { impact, first, second, text }
  }

  #targets(): { readonly changes: readonly TemplateChange[]; readonly after: Opened['catalog'] } {
    return { changes: this.templates, after: this.#after.opened.catalog }
  }

  #through(
    runs: Runs,
    {
      target,
      consumer,
      isEdited,
    }: { readonly target: string | undefined; readonly consumer: Consumer; readonly isEdited: boolean },
  ): readonly Through[] {
    // A template that is taken away, or whose version is offered no more, may be one that nobody can render.
    const isGone = this.templates.some(
      ({ template, is, majors }) =>
        template === runs.template && (is === 'removed' || majors.some(({ before }) => before === runs.version)),
    )
    const isTakenBack = this.#standing(runs)?.is === 'yanked' && this.#stood(runs)?.is !== 'yanked'
    return [
      ...(target !== undefined || isGone || isTakenBack || isEdited ? (['template'] as const) : []),
      ...(this.#outputs.size > 0 && this.#readsChanged(runs, { target, consumer }) ? (['environment'] as const) : []),
      ...(this.#isCatalogChanged ? (['catalog'] as const) : []),
    ]
  }

  #readsChanged(
    { template, version }: Runs,
    { target, consumer }: { readonly target: string | undefined; readonly consumer: Consumer },
  ): boolean {
    if (consumer.component !== undefined) return true
    const bundles = [
      bundleOf(this.#before.opened, template, version),
      bundleOf(this.#after.opened, template, target ?? version),
    ]
    const changed = [...this.#outputs.values()].flatMap((outputs) => [...outputs.keys()])
    return bundles.some((bundle) => {
      const names = bundle === undefined ? undefined : outputsRead(bundle)
      return names === undefined || names.has('*') || changed.some((name) => names.has(name))
    })
  }

  #noteReaders(
    { units }: ConsumerRendering,
    { runs, consumer }: { readonly runs: Runs | undefined; readonly consumer: Consumer },
  ): void {
    const bundle = runs === undefined ? undefined : bundleOf(this.#before.opened, runs.template, runs.version)
    if (bundle === undefined || runs === undefined || this.#outputs.size === 0) return
    const names = outputsRead(bundle)
    for (const environment of new Set(units.map((unit) => unit.environment))) {
      for (const [name, output] of this.#outputs.get(environment) ?? []) {
        if (!names.has('*') && !names.has(name) && consumer.component === undefined) continue
        output.templates.add(`${runs.template}@${runs.version}`)
        output.services += 1
      }
    }
  }

  #standing(runs: Runs): ReleaseStatus | undefined {
    return statusIn(this.#after, runs)
  }

  #stood(runs: Runs): ReleaseStatus | undefined {
    return statusIn(this.#before, runs)
  }

  /** The environment as it is after the change, at the version that it would go to; with its impact, where it is concerned. */
  #environment(now: Consumer): {
    readonly impact?: ConsumerImpact
    readonly environment?: Environment
    readonly outputs?: Readonly<Record<string, string>>
  } {
    const text = this.#before.tree.get(now.file)
    const { environment } = openEnvironment(now.file, now.text)
    // What the change makes has been nobody's before.
    if (text === undefined || environment === undefined) return {}
    const before: Consumer = { ...now, text }
    const runs = consumerReference(before)
    const target = runs === undefined ? undefined : targetOf(runs, this.#targets())
    const isOwn = target !== undefined || text !== now.text
    if (!isOwn && !this.#isCatalogChanged) return {}
    const to = latest([target, environment.version])
    const through: readonly Through[] = isOwn ? ['template'] : ['catalog']
    const compared = this.#compared({ before, now, runs, to, through })
    const { impact, first, second } = compared
    const is = second.ok ? second.value.units[0] : undefined
    // One that does not get there stays as it is, and so does what lies in it.
    if (is === undefined) return { impact }
    this.#noteOutputs(environment.name, impact.impact)
    const outputs = outputsAfter(first.ok ? first.value.units[0] : undefined, is)
    const moved = openEnvironment(now.file, compared.text).environment ?? environment
    return { impact, environment: { ...moved, version: to }, ...(outputs !== undefined && { outputs }) }
  }

  #noteOutputs(environment: string, { stages }: Impact): void {
    const known = new Map<string, Output>()
    for (const { path, before, after } of stages.flatMap(({ outputs }) => outputs)) {
      const is = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed'
      known.set(path.split('.')[1] ?? path, { is, templates: new Set(), services: 0 })
    }
    if (known.size > 0) this.#outputs.set(environment, known)
  }
}

function statusIn({ opened }: Side, { template, version }: Runs): ReleaseStatus | undefined {
  const known = opened.catalog.templates.get(template)
  return known === undefined ? undefined : releaseStatus(known, version)
}

type Runs = { readonly template: string; readonly version: string }

type Way = {
  readonly before: Consumer
  readonly now: Consumer
  readonly runs: Runs | undefined
  readonly to: string
  readonly through: readonly Through[]
}

type Compared = {
  readonly impact: ConsumerImpact
  readonly first: Checked<ConsumerRendering>
  readonly second: Checked<ConsumerRendering>
  /** The file as it would be. */
  readonly text: string
}

type Output = { readonly is: OutputChange['is']; readonly templates: Set<string>; services: number }

/** The services that lie in a tree: those of the catalog's own repository. */
export function servicesIn(tree: FileTree): readonly Consumer[] {
  const problems: Problem[] = []
  return serviceFiles(tree, problems).map(({ file, text, component }) => ({
    is: 'service',
    file,
    text,
    ...(component !== undefined && { component: component.files }),
  }))
}

function environmentsIn(tree: FileTree): readonly Consumer[] {
  return [...tree].flatMap(([file, text]) =>
    /^environments\/[^/]+\.yaml$/u.test(file) ? [{ is: 'environment', file, text } as const] : [],
  )
}

/** What all units are judged by, and how they are called, besides their templates. */
function isCatalogChanged(before: FileTree, after: FileTree): boolean {
  const isShared = (path: string): boolean => /^(?:catalog\.yaml$|policy\/|waivers\/)/u.test(path)
  const shared = (tree: FileTree): readonly (readonly [string, string])[] =>
    [...tree].filter(([path]) => isShared(path))
  const [one, other] = [shared(before), new Map(shared(after))]
  return one.length !== other.size || one.some(([path, text]) => other.get(path) !== text)
}

function latest(versions: readonly (string | undefined)[]): string {
  return (
    versions
      .filter((version) => version !== undefined)
      .toSorted(compareVersions)
      .at(-1) ?? ''
  )
}

function nameIn({ repository, file }: Consumer): string {
  return /^(?:services|environments)\/([^/]+?)(?:\.yaml|\/service\.yaml)$/u.exec(file)?.[1] ?? repository ?? file
}
