import type { Outcome, Ports } from '../command.ts'
import { command, lines, path } from '../command.ts'
import { type Catalog, type Environment, openCatalog } from '../core/catalog.ts'
import { isMap } from '../core/data.ts'
import { checkContracts } from '../core/contract.ts'
import { skeletonProblems } from '../core/examples.ts'
import { checkMigrations } from '../core/migration.ts'
import type { Organisation, Unit } from '../core/organisation.ts'
import type { PolicyFact } from '../core/policy.ts'
import type { Place, Problem } from '../core/problem.ts'
import { count, list } from '../core/report.ts'
import type { RenderedUnit } from '../core/request.ts'
import { brokenRequestText, requestText } from '../core/request.ts'
import type { Touched } from '../core/touched.ts'
import { touchedBy } from '../core/touched.ts'
import type { FileTree } from '../core/tree.ts'
import { staleWorkflows } from '../core/workflows.ts'
import { TemplateChecks } from './checking.ts'
import { changedFiles, readChanged, readFolder, selectUnits } from './reading.ts'
import type { Judging } from '../core/rendering.ts'
import { policyFacts, renderEach, renderedDigest } from '../core/rendering.ts'
import type { Images } from './shipping.ts'
import { imageInput, recordedImages, withImages } from './shipping.ts'
import { judgeCatalog } from './versioning.ts'
import { WaiverUse } from './waiving.ts'
import { workflowFiles } from './workflows.ts'

export const validate = command({
  name: 'validate',
  summary: 'Checks the catalog, the templates and every service, and renders all of it. Writes nothing.',
  inputs: {
    path: path('The folder of the organisation.', { positional: true, default: '.' }),
    only: lines('This service alone, with the catalog and the templates: for a pull request that changes it.', {
      hint: 'SERVICE',
    }),
    catalog: path('The folder of the catalog, where the services are in a repository of their own.', {}),
    request: path('Write what is rendered to this file, for `plan --request`.', { hint: 'FILE' }),
  },
  outputs: {
    catalog: 'The name of the catalog, or null if it cannot be read.',
    units: 'The units that were rendered, each with its stack and the number of its resources.',
    services: 'The names of the services that the change touches; of all of them, where it is not about a change.',
    environments: 'Whether it touches an environment.',
    stages: 'The names of the stages that it touches.',
  },
  async run(ports, { path: root, only, catalog, request }) {
    const files = only.length > 0 ? undefined : await changedFiles(ports, root)
    const reading =
      files === undefined
        ? await readFolder(ports, root, { services: only, judges: true, ...(catalog !== undefined && { catalog }) })
        : await readChanged(ports, root, { files, catalog: catalog ?? root, judges: true })
    const shared = catalog === undefined || catalog === root
    const checked = await check(ports, { ...reading, root, only, files, shared, keep: request !== undefined })
    if (request !== undefined) await ports.files.writeText(request, await requestOf(ports, { root, checked }))
    return checked.outcome
  },
})

type Result = {
  readonly catalog: string | null
  readonly units: readonly { readonly unit: string; readonly stack: string; readonly resources: number }[]
  readonly services: readonly string[]
  readonly environments: boolean
  readonly stages: readonly string[]
}

const nothing: Result = { catalog: null, units: [], services: [], environments: false, stages: [] }

type Checking = {
  readonly outcome: Outcome<Result>
  /** There, if all is in order. */
  readonly good?: { readonly organisation: Organisation; readonly units: readonly RenderedUnit[] }
}

async function check(
  ports: Ports,
  {
    organisation: read,
    sources,
    root,
    only,
    files,
    shared,
    keep,
  }: {
    readonly organisation: Awaited<ReturnType<typeof readFolder>>['organisation']
    readonly sources: FileTree
    readonly root: string
    readonly only: readonly string[]
    readonly files: readonly string[] | undefined
    readonly shared: boolean
    /** Whether the renderings are asked for; without that one is held at a time. */
    readonly keep: boolean
  },
): Promise<Checking> {
  const bad = (problems: readonly Problem[], data: Result, texts: FileTree): Checking => ({
    outcome: { exit: 'bad-input', data, text: () => '', problems, sources: texts },
  })
  if (!read.ok) {
    // What a changed template does to those who run it has its first cause in the number that it kept.
    const { catalog: opened } = shared ? openCatalog(sources) : {}
    const versions = opened === undefined ? [] : await versionProblems(ports, { root, catalog: opened, sources, files })
    return bad([...versions, ...read.problems], nothing, sources)
  }
  const organisation = read.value
  const { catalog } = organisation
  const touched = touchedBy(organisation, { files, shared })
  const selected = selectUnits(organisation, { services: files === undefined ? only : namesOf(touched), stages: [] })
  if (!selected.ok) return bad(selected.problems, { ...nothing, catalog: catalog.name }, new Map())
  // Names of nothing are not all names.
  const isOfRules = files?.some((file) => /^(?:policy|waivers)\//u.test(file)) === true
  const none = files !== undefined && namesOf(touched).length === 0
  // What rules and waivers say concerns everything, although none of it is deployed for that.
  const units = isOfRules ? organisation.units : none ? [] : selected.value
  const shipped = await shippedImages(ports, keep ? units.filter((unit) => isTouched(unit, touched)) : [])
  const use = new WaiverUse()
  const now = ports.clock.now()
  const facts = new Map<string, readonly PolicyFact[]>()
  const checking = new TemplateChecks(ports, catalog, {
    now,
    tell: (unit, told) => {
      use.add(unit, told.judged)
      facts.set(unit.id, [...(facts.get(unit.id) ?? []), ...told.facts])
    },
  })
  const { found, rendered, given, kept } = await renderAll(withImages(units, shipped), {
    keep: (unit) => keep && isTouched(unit, touched),
    judging: { now, tell: (unit, judged) => use.add(unit, judged) },
    checking,
  })
  const checked = await checking.end()
  const isWhole = shared && only.length === 0 && catalog.repositories === undefined
  const workflows = shared ? await workflowFiles(ports, { root, catalog }) : new Map<string, string>()
  const contracts = checkContracts(organisation, given)
  const known = [...contracts.problems, ...withoutDoubles(found, contracts.places)]
  const versions = shared ? await versionProblems(ports, { root, catalog, sources, files }) : []
  const problems = [
    ...read.problems,
    ...units.flatMap(({ kind, environment }) => (kind === 'environment' ? provisionerProblems(environment) : [])),
    ...known,
    ...checked,
    ...(shared
      ? skeletonProblems([...catalog.templates.values()].flatMap(({ bundles }) => [...bundles.values()]))
      : []),
    ...(shared ? [...catalog.templates.values()].flatMap((template) => checkMigrations(template)) : []),
    ...withoutDoubles(versions, [...contracts.places, ...known.flatMap(({ at }) => at ?? [])]),
    ...use.problems(organisation, { now, isWhole, ran: checking.ran }),
    // A catalog without workflows is one that is used from the terminal alone.
    ...(workflows.size === 0 ? [] : staleWorkflows(catalog, workflows)),
  ]
  const data: Result = { ...nothing, catalog: catalog.name, units: rendered }
  const texts = new Map([...sources, ...workflows])
  if (problems.some(({ severity }) => severity === 'error')) return bad(problems, data, texts)
  const total = rendered.reduce((sum, { resources }) => sum + resources, 0)
  const names = only.length > 0 ? only : namesOf(touched)
  const subject = files === undefined && only.length === 0 ? catalog.name : list(names)
  return {
    outcome: {
      exit: 'done',
      data: {
        ...data,
        services: touched.services,
        environments: touched.environments.length > 0,
        stages: touched.stages,
      },
      text: (paint) =>
        units.length === 0
          ? `${paint.good('Everything is in order:')} no environment and no service is touched.`
          : `${paint.good('Everything is in order:')} ${subject} has ${count(units.length, 'unit')} with ${count(total, 'resource')}, and each renders within the rules.`,
      problems,
      sources: texts,
      next: [{ run: ['plan', ...only].join(' '), why: 'what a deployment would change' }],
    },
    good: {
      organisation,
      units: kept.map((each) => ({ ...each, policy: [...(each.policy ?? []), ...(facts.get(each.unit.id) ?? [])] })),
    },
  }
}

/** What keeps the templates that were changed from being released; of all of them, where it is not about a change. */
async function versionProblems(
  ports: Ports,
  {
    root,
    catalog,
    sources,
    files,
  }: {
    readonly root: string
    readonly catalog: Catalog
    readonly sources: FileTree
    readonly files: readonly string[] | undefined
  },
): Promise<readonly Problem[]> {
  const names = [...catalog.templates.keys()].filter(
    (name) => files === undefined || files.some((file) => file.startsWith(`templates/${name}/`)),
  )
  if (names.length === 0) return []
  const { verdicts, problems } = await judgeCatalog(ports, { root, catalog, files: sources, names })
  return [...problems, ...verdicts.flatMap((verdict) => verdict.problems)]
}

/** What another version deploys is still rendered and checked by this one; a plan of it is refused. */
function provisionerProblems({ provisioner, document }: Environment): readonly Problem[] {
  if (provisioner === 'local' || provisioner === 'cloudformation') return []
  return [
    {
      code: 'provisioner-unsupported',
      severity: 'warning',
      message: `This version renders and checks what \`${provisioner}\` provisions, and cannot deploy it.`,
      expected: '`provisioner: cloudformation`, or `local` to rehearse on this machine.',
      remedy: 'Nothing has to be done to check it.',
      at: document.place(['provisioner']),
    },
  ]
}

function namesOf({ services, environments }: Touched): readonly string[] {
  return [...environments.map((name) => `environment/${name}`), ...services]
}

function isTouched({ kind, environment, service }: Unit, { services, environments }: Touched): boolean {
  return kind === 'environment' ? environments.includes(environment.name) : services.includes(service?.service ?? '')
}

async function renderAll(
  units: readonly Unit[],
  {
    keep,
    judging,
    checking,
  }: { readonly keep: (unit: Unit) => boolean; readonly judging: Judging; readonly checking: TemplateChecks },
): Promise<{
  readonly found: readonly Problem[]
  readonly rendered: Result['units']
  readonly given: readonly { readonly unit: Unit; readonly names: readonly string[] }[]
  readonly kept: readonly RenderedUnit[]
}> {
  const found: Problem[] = []
  const rendered: Result['units'][number][] = []
  const given: { readonly unit: Unit; readonly names: readonly string[] }[] = []
  const kept: RenderedUnit[] = []
  const outputsOf = new Map<string, Readonly<Record<string, string>>>()
  for (const one of renderEach(units, judging)) {
    found.push(...one.problems)
    if (!one.ok) continue
    await checking.add(one.value)
    const { unit, part, wanted, outputs } = one.value
    const { Resources: resources } = part.body
    const number = isMap(resources) ? Object.keys(resources).length : 0
    rendered.push({ unit: unit.id, stack: wanted.stack.name, resources: number })
    if (keep(unit))
      kept.push({
        unit,
        rendered: renderedDigest(one.value),
        body: part.body,
        parameters: wanted.parameters,
        given: outputsOf.get(unit.environment.name) ?? {},
        policy: policyFacts(one.value),
      })
    if (unit.kind !== 'environment') continue
    given.push({ unit, names: Object.keys(outputs) })
    outputsOf.set(unit.environment.name, outputs)
  }
  return { found, rendered, given, kept }
}

/** What builds have handed over to units before: it runs there, so it is what a change is planned with. */
async function shippedImages(ports: Ports, units: readonly Unit[]): Promise<Images> {
  const own = units.filter((unit) => imageInput(unit) !== undefined)
  if (ports.run === undefined || own.length === 0) return new Map()
  const records = await ports.records('')
  if (own.length > 20)
    return recordedImages(
      own,
      Map.groupBy(await records.list(), ({ unit }) => unit),
    )
  const history = own.map(async ({ id }) => [id, await records.list(id, { latest: 20 })] as const)
  return recordedImages(own, new Map(await Promise.all(history)))
}

/** What is wrong is handed on as well: a later job shows it. */
async function requestOf(
  ports: Ports,
  { root, checked: { outcome, good } }: { readonly root: string; readonly checked: Checking },
): Promise<string> {
  const { run } = ports
  const commit = run?.commit ?? (await ports.files.commit(root))
  const of = {
    ...(commit !== undefined && { commit }),
    ...(run?.about.is === 'pull-request' && { head: run.about.head.commit }),
  }
  const problems = outcome.problems ?? []
  if (good === undefined) return brokenRequestText(of, problems)
  return requestText(good.organisation, { of, problems, units: good.units })
}

/** What a template lacks is met again by everything that is rendered with it, services and examples; who tells it first says it best. */
function withoutDoubles(rendered: readonly Problem[], told: readonly Place[]): readonly Problem[] {
  const lineOf = (at: Place | undefined): string => (at === undefined ? '' : `${at.file}:${at.line}`)
  const lines = new Set(told.map(lineOf))
  return rendered.filter(({ code, at }) => code !== 'undefined-variable' || !lines.has(lineOf(at)))
}
