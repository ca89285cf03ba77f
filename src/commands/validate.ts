import { command, lines, path } from '../command.ts'
import { isMap } from '../core/data.ts'
import { checkContracts } from '../core/contract.ts'
import type { Unit } from '../core/organisation.ts'
import type { Place, Problem } from '../core/problem.ts'
import { count, list } from '../core/report.ts'
import { staleWorkflows } from '../core/workflows.ts'
import { readFolder, selectUnits } from './reading.ts'
import { renderEach } from './planning.ts'
import { workflowFiles } from './workflows.ts'

export const validate = command({
  name: 'validate',
  summary: 'Checks the catalog, the templates and every service, and renders all of it. Writes nothing.',
  inputs: {
    path: path('The folder of the organisation.', { positional: true, default: '.' }),
    only: lines('This service alone, with the catalog and the templates: for a pull request that changes it.', {
      hint: 'SERVICE',
    }),
  },
  outputs: {
    catalog: 'The name of the catalog, or null if it cannot be read.',
    units: 'The units that were rendered, each with its stack and the number of its resources.',
  },
  async run(ports, { path: root, only }) {
    const { organisation, sources } = await readFolder(ports, root, { services: only })
    if (!organisation.ok) {
      return {
        exit: 'bad-input',
        data: { catalog: null, units: [] },
        text: () => '',
        problems: organisation.problems,
        sources,
      }
    }
    const { catalog } = organisation.value
    const selected = selectUnits(organisation.value, { services: only, stages: [] })
    if (!selected.ok)
      return {
        exit: 'bad-input',
        data: { catalog: catalog.name, units: [] },
        text: () => '',
        problems: selected.problems,
      }
    const units = selected.value
    const found: Problem[] = []
    const rendered: { readonly unit: string; readonly stack: string; readonly resources: number }[] = []
    const given: { readonly unit: Unit; readonly names: readonly string[] }[] = []
    for (const one of renderEach(units)) {
      found.push(...one.problems)
      if (!one.ok) continue
      const { unit, part, wanted, outputs } = one.value
      const { Resources: resources } = part.body
      rendered.push({
        unit: unit.id,
        stack: wanted.stack.name,
        resources: isMap(resources) ? Object.keys(resources).length : 0,
      })
      if (unit.kind === 'environment') given.push({ unit, names: Object.keys(outputs) })
    }
    const files = await workflowFiles(ports, { root, catalog })
    const problems = [
      ...organisation.problems,
      ...withoutDoubles(found, checkContracts(organisation.value, given)),
      // A catalog without workflows is one that is used from the terminal alone.
      ...(files.size === 0 ? [] : staleWorkflows(catalog, files)),
    ]
    const data = { catalog: catalog.name, units: rendered }
    const told = new Map([...sources, ...files])
    if (problems.some(({ severity }) => severity === 'error'))
      return { exit: 'bad-input', data, text: () => '', problems, sources: told }
    const total = rendered.reduce((sum, { resources }) => sum + resources, 0)
    return {
      exit: 'done',
      data,
      text: (paint) =>
        `${paint.good('Everything is in order:')} ${only.length === 0 ? catalog.name : list(only)} has ${count(units.length, 'unit')} with ${count(total, 'resource')}, and each renders within the rules.`,
      problems,
      sources: told,
      next: [{ run: ['plan', ...only].join(' '), why: 'what a deployment would change' }],
    }
  },
})

/** What a template lacks is met again by everything that was rendered with it; the contract says it best. */
function withoutDoubles(
  rendered: readonly Problem[],
  contracts: { readonly problems: readonly Problem[]; readonly places: readonly Place[] },
): readonly Problem[] {
  const lineOf = (at: Place | undefined): string => (at === undefined ? '' : `${at.file}:${at.line}`)
  const told = new Set(contracts.places.map(lineOf))
  const others = rendered.filter(({ code, at }) => code !== 'undefined-variable' || !told.has(lineOf(at)))
  return [...contracts.problems, ...others]
}
