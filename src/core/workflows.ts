import type { Catalog } from './catalog.ts'
import type { Problem } from './problem.ts'
import type { FileTree } from './tree.ts'
import { branch } from './trust/names.ts'
import { switchedOff } from './workflows/off.ts'
import { breakGlass, deploy, stagesOfService } from './workflows/deploy.ts'
import { doctor } from './workflows/doctor.ts'
import { factsOf, provisionerOf } from './workflows/facts.ts'
import { hold } from './workflows/hold.ts'
import { impact } from './workflows/impact.ts'
import { forks, plan, validate } from './workflows/plan.ts'
import { release } from './workflows/release.ts'
import { resume } from './workflows/resume.ts'
import { rollback } from './workflows/rollback.ts'
import {
  keyOfApp,
  keysOf,
  pullRequest,
  serviceDeploy,
  serviceForks,
  serviceGlass,
  serviceHold,
  servicePullRequest,
  serviceResume,
  serviceRollback,
} from './workflows/service.ts'
import { folder, header } from './workflows/text.ts'
import { hasUpgrades, upgrade } from './workflows/upgrade.ts'

/**
 * The workflows of a catalog, written from catalog.yaml, so that the stages are jobs that a person sees; and the callers of a
 * service repository, which know no stage and never change.
 *
 * All of them follow the same rules: no rights at the top and a reason for each that a job has; actions of others by commit;
 * no expression inside of a script; what a pull request says is read in a job that has nothing to lose.
 */

export { fleetGrants } from './workflows/resume.ts'
export { upgradeGrants } from './workflows/upgrade.ts'

/** The files of a catalog by their paths in its repository; nothing for a catalog that does not say `workflows:`. */
export function catalogWorkflows(catalog: Catalog): FileTree {
  const { workflows, stages } = catalog
  if (workflows === undefined || stages.length === 0) return new Map()
  const facts = factsOf(catalog, workflows)
  const made = new Map([
    [`${folder}/deploy.yml`, deploy(facts)],
    [`${folder}/doctor.yml`, doctor(facts)],
    [`${folder}/forks.yml`, forks(facts)],
    ...(catalog.glass === undefined ? [] : [[`${folder}/glass.yml`, breakGlass(facts)] as const]),
    [`${folder}/hold.yml`, hold(facts)],
    [`${folder}/impact.yml`, impact(facts)],
    [`${folder}/plan.yml`, plan(facts)],
    ...(facts.trusting === undefined
      ? []
      : [[`${folder}/pull-request.yml`, pullRequest(facts, facts.trusting)] as const]),
    [`${folder}/release.yml`, release(facts)],
    [`${folder}/resume.yml`, resume(facts)],
    [`${folder}/rollback.yml`, rollback(facts)],
    [`${folder}/stages.yml`, stagesOfService(facts)],
    ...(hasUpgrades(facts) ? [[`${folder}/upgrade.yml`, upgrade(facts)] as const] : []),
    [`${folder}/validate.yml`, validate(facts)],
  ])
  return workflows.deploy === false ? switchedOff(made) : made
}

/** Whether a file is one of ours: of those, what catalog.yaml no longer makes is to go. */
export function isGeneratedWorkflow(text: string): boolean {
  return text.startsWith(header.split('\n')[0] ?? header)
}

/** The files of a service repository; nothing for a catalog that does not say in which repository it lies. */
export function serviceWorkflows(catalog: Catalog): FileTree {
  const repository = catalog.workflows?.repository
  if (repository === undefined) return new Map()
  const cloud = catalog.stages.some((stage) => provisionerOf(catalog, stage) !== 'local')
  const key = catalog.workflows?.app === true ? keyOfApp : undefined
  const keys = keysOf(catalog.workflows)
  const of = (name: string): string => `${repository}/${folder}/${name}@${branch}`
  return new Map([
    [`${folder}/deploy.yml`, serviceDeploy(of('deploy.yml'), { cloud, key: keys })],
    [`${folder}/forks.yml`, serviceForks(of('forks.yml'))],
    ...(catalog.glass === undefined
      ? []
      : [[`${folder}/glass.yml`, serviceGlass(of('glass.yml'), { cloud, key: keys })] as const]),
    [`${folder}/hold.yml`, serviceHold(of('hold.yml'), { cloud, key: keys })],
    [`${folder}/pull-request.yml`, servicePullRequest(of('plan.yml'), { cloud, key })],
    [`${folder}/resume.yml`, serviceResume(of('resume.yml'), { isLookedAfter: catalog.workflows?.fleet === true })],
    [`${folder}/rollback.yml`, serviceRollback(of('rollback.yml'), { cloud, key })],
  ])
}

/**
 * What of a catalog's workflows does not follow from catalog.yaml any more, each at the first line that differs. `tree` holds
 * the files that there are.
 */
export function staleWorkflows(catalog: Catalog, tree: FileTree): readonly Problem[] {
  const made = catalogWorkflows(catalog)
  const left = [...tree].filter(([file, text]) => !made.has(file) && isGeneratedWorkflow(text))
  const unasked = left.map(([file]): Problem => ({
    code: 'workflow-stale',
    severity: 'error',
    message: `The workflow \`${file}\` is none that catalog.yaml makes any more, and would go on being run.`,
    expected: 'No such file.',
    remedy: 'Run `protium workflows --write`, which takes it away, and commit that.',
    at: { file, line: 1, column: 1 },
  }))
  const differing = [...made].flatMap(([file, wanted]): Problem[] => {
    const text = tree.get(file)
    if (text === wanted) return []
    const lines = wanted.split('\n')
    const line = text === undefined ? 1 : firstDifference(lines, text.split('\n'))
    const wants = lines[line - 1]
    return [
      {
        code: 'workflow-stale',
        severity: 'error',
        message:
          text === undefined
            ? `The workflow \`${file}\` is missing.`
            : `The workflow \`${file}\` is not what catalog.yaml makes of it.`,
        expected:
          text === undefined || wants === undefined
            ? 'The file as catalog.yaml makes it.'
            : `As line ${line}: ${JSON.stringify(wants.trim())}`,
        remedy: 'Run `protium workflows --write` and commit what changes.',
        at: text === undefined ? catalog.document.keyPlace(['workflows']) : { file, line, column: 1 },
      },
    ]
  })
  return [...differing, ...unasked]
}

function firstDifference(wanted: readonly string[], has: readonly string[]): number {
  const index = has.findIndex((line, at) => line !== wanted[at])
  // What is there is the beginning of what is wanted.
  return index === -1 ? Math.max(1, has.length) : index + 1
}
