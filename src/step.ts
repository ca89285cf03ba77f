/**
 * A command as a step of a workflow sees it: the inputs and outputs of its `action.yml`, and what a step was given. The
 * generator of `actions/` and the door read the same declaration here.
 */
import type { Command, Given, Input } from './command.ts'
import type { Problem } from './core/problem.ts'

/** One input of an action. Its value is always a text; a list has one entry a line. */
export type StepInput = { readonly summary: string; readonly required: boolean; readonly default?: string }

/** The inputs of a command's action, by name, in the order of the declaration. */
export function stepInputs({ inputs, permissions, asksTeams, asksFleet }: Command): ReadonlyMap<string, StepInput> {
  const own = Object.entries<Input>(inputs).map(([name, input]) => [name, stepInput(input)] as const)
  return new Map([
    ...own,
    ...(Object.keys(permissions).length === 0 ? [] : [[tokenInput, token] as const]),
    ...(asksTeams ? [[teamTokenInput, teamToken] as const] : []),
    ...(asksFleet ? [[fleetTokenInput, fleetToken] as const] : []),
  ])
}

/** The input of every action that speaks to GitHub. */
export const tokenInput = 'token'

/** The input of those that ask who is in a team. */
export const teamTokenInput = 'team-token'

/** The input of those that reach the repositories of services. */
export const fleetTokenInput = 'fleet-token'

const fleetToken: StepInput = {
  summary: 'A token for the repositories of services, of a GitHub App. That of a job reaches its own repository alone.',
  required: false,
}

const teamToken: StepInput = {
  summary:
    'A token that may see who is in a team, of a GitHub App with `members: read`; needed where catalog.yaml names teams. That of a job may not.',
  required: false,
}

const token: StepInput = {
  summary: 'The token to speak to GitHub with; that of the job, with the permissions that it was given.',
  required: false,
  default: '${{ github.token }}',
}

function stepInput(input: Input): StepInput {
  const required = 'required' in input && input.required
  switch (input.kind) {
    case 'flag':
      return { summary: input.summary, required, default: 'false' }
    case 'lines':
      return { summary: `${input.summary} One a line.`, required }
    default:
      return {
        summary: input.summary,
        required,
        ...(input.default !== undefined && { default: String(input.default) }),
      }
  }
}

/** The outputs of a command's action, by name. Their names are constants: GitHub reads a name as it is. */
export function stepOutputs({ outputs }: Command): ReadonlyMap<string, string> {
  return new Map([...Object.entries(outputs), ['exit', `How it ended, in one word: ${exitWords}.`]])
}

const exitWords = '`done`, `failed`, `bad-input`, `needs-approval`, `different` or `unfinished`'

/** What a step was given; an empty text is nothing, as GitHub has no other way to say it. */
export function readStep(
  { inputs }: Command,
  valueOf: (name: string) => string,
): { readonly given: Given; readonly problems: readonly Problem[] } {
  const given = new Map<string, readonly string[]>()
  const problems: Problem[] = []
  for (const [name, input] of Object.entries<Input>(inputs)) {
    const value = valueOf(name).trim()
    const words =
      input.kind === 'lines'
        ? value
            .split('\n')
            .map((each) => each.trim())
            .filter((each) => each !== '')
        : value === ''
          ? []
          : [value]
    if (input.kind === 'flag') {
      if (/^true$/iu.test(value)) given.set(name, ['true'])
      else if (value !== '' && !/^false$/iu.test(value)) problems.push(noFlag(name, value))
    } else if (words.length > 0) given.set(name, words)
  }
  return { given, problems }
}

function noFlag(name: string, value: string): Problem {
  return {
    code: 'option-value',
    severity: 'error',
    message: `The input ${name} is ${JSON.stringify(value.slice(0, 100))}.`,
    expected: '`true` or `false`.',
    remedy: `Correct \`${name}:\` below \`with:\` in the workflow.`,
  }
}
