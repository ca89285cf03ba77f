import type { DataMap } from '../data.ts'
import type { Problem } from '../problem.ts'
import { mapIn, textsIn } from '../shape.ts'
import type { FileTree } from '../tree.ts'
import type { Document } from '../yaml.ts'
import type { Policy } from './judge.ts'
import { type CheckName, checkNames, readRules } from './rules.ts'
import { readWaivers } from './waivers.ts'

/** The policy of a catalog: `policy:` in catalog.yaml, and `waivers/`. */
export function readPolicy(
  tree: FileTree,
  {
    document,
    data,
    problems,
    environments,
    templates,
    broken,
  }: {
    readonly document: Document
    readonly data: DataMap
    readonly problems: Problem[]
    readonly environments: ReadonlyMap<string, unknown>
    readonly templates: ReadonlyMap<string, unknown>
    readonly broken: ReadonlySet<string>
  },
): Policy {
  const policy = mapIn(data, 'policy')
  const stages = Object.keys(mapIn(data, 'stages') ?? {})
  const rules = readRules(document, { data, stages, problems })
  const checks = checksIn(policy, 'checks')
  const require = checksIn(policy, 'require')
  for (const name of require.filter((each) => !checks.includes(each))) {
    problems.push({
      code: 'wrong-value',
      severity: 'error',
      message: `${name} is required, and is not among the checks.`,
      expected: `\`checks: [${[...checks, name].join(', ')}]\` beside it.`,
      remedy: 'Add it to the checks, or take it out.',
      at: document.place(['policy', 'require']),
    })
  }
  if (checks.includes('cfn-guard') && guardRules(tree).size === 0) {
    problems.push({
      code: 'missing-file',
      severity: 'error',
      message: 'cfn-guard is to judge what is rendered, and there are no rules for it.',
      expected: 'A file such as `policy/tables.guard` in the catalog.',
      remedy: 'Add one, or take cfn-guard out of the checks.',
      at: document.place(['policy', 'checks']),
    })
  }
  const names = {
    rules,
    checks,
    stages,
    environments: [...environments.keys()],
    templates: [...templates.keys(), ...broken],
  }
  return { rules, checks, require, waivers: readWaivers(tree, { names, problems }), guardRules: guardRules(tree) }
}

function checksIn(policy: DataMap | undefined, key: string): readonly CheckName[] {
  const said = textsIn(policy, key)
  return checkNames.filter((name) => said.includes(name))
}

/** The rules for cfn-guard, by the paths of their files. */
function guardRules(tree: FileTree): FileTree {
  return new Map([...tree].filter(([path]) => /^policy\/[A-Za-z0-9_-]+\.guard$/u.test(path)))
}
