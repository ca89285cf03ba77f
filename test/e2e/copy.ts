/**
 * What `act` has to be handed instead of a workflow's own text. It knows less than GitHub does: these lines, and no others,
 * are changed in the copies that it runs.
 */
export type Change = {
  readonly what: string
  /** What stands in for the line; undefined where it is left out. */
  readonly change: (line: string, at: At) => string | undefined
}

/** The repository of the workflow and its commit: what `$/` and `job.workflow_…` mean. */
export type At = { readonly repository: string; readonly commit: string }

export const changes: readonly Change[] = [
  { what: 'the queue of a concurrency group', change: (line) => (/^\s+queue: max$/.test(line) ? undefined : line) },
  {
    what: 'an environment without a deployment',
    change: (line) => (/^\s+deployment: false$/.test(line) ? undefined : line),
  },
  {
    what: 'the repository of the workflow itself',
    change: (line, { repository, commit }) =>
      line.replace(/uses: \$\/(\S+)/, (_, path: string) => `uses: ${repository}/${path}@${commit}`),
  },
  {
    what: 'the number of the repository that runs',
    change: (line) => line.replaceAll('github.repository_id', 'github.event.repository.id'),
  },
  {
    what: 'what a job knows of its workflow',
    change: (line, { repository, commit }) =>
      line.replaceAll('job.workflow_repository', `'${repository}'`).replaceAll('job.workflow_sha', `'${commit}'`),
  },
]

/** A workflow as `act` takes it. */
export function copyFor(text: string, at: At): string {
  return text
    .split('\n')
    .flatMap((line) => {
      // A comment is nobody's to run.
      if (/^\s*#/.test(line)) return [line]
      let now: string | undefined = line
      for (const { change } of changes) if (now !== undefined) now = change(now, at)
      return now === undefined ? [] : [now]
    })
    .join('\n')
}
