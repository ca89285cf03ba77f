/** Actions of others, by the commit that their tag named when it was looked up; the tag is for people. */
export const others = {
  checkout: 'actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1',
  upload: 'actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1',
  download: 'actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1',
  token: 'actions/create-github-app-token@1b10c78c7865c340bc4f6099eb2f838309f1e8c3 # v3.1.1',
  role: 'aws-actions/configure-aws-credentials@e6de054238d6b7531b4efff3b6587d9aade6a06c # v6.2.3',
} as const

export const folder = '.github/workflows'

export const header = `# Written by \`protium workflows --write\` from catalog.yaml. Change that file, not this one: every pull request compares the two.
#`

export function list(names: readonly string[]): string {
  return names.length === 1 ? names.join('') : `[${names.join(', ')}]`
}

/** An expression of GitHub's, which a workflow evaluates. */
export function expression(text: string): string {
  return `\${{ ${text} }}`
}

/** A right of a job, and why it has it. */
export type Grant = readonly [scope: string, access: 'read' | 'write', why: string]

export function permissions(grants: readonly Grant[]): string {
  return lines('    permissions:', ...grants.map(([scope, access, why]) => `      ${scope}: ${access} # ${why}`))
}

export function lines(...texts: readonly (string | undefined)[]): string {
  return texts.filter((text) => text !== undefined).join('\n')
}

export function file(...texts: readonly (string | undefined)[]): string {
  return `${lines(...texts)}\n`
}

export const sameRepository = 'github.event.pull_request.head.repo.full_name == github.repository'
export const elsewhere = 'github.repository != job.workflow_repository'
export const here = 'github.repository == job.workflow_repository'
export const catalogFolder = '.protium/catalog'

/** Told to those who run zizmor over their workflows; our own rules hold the workflow to what is said here. */
export const forkTrigger = '# zizmor: ignore[dangerous-triggers] it checks out nothing and runs nothing of the fork'
export const byBranch = '# zizmor: ignore[unpinned-uses] our own catalog, whose newest stages are meant'

export const onDefaultBranch = "github.ref == format('refs/heads/{0}', github.event.repository.default_branch)"
