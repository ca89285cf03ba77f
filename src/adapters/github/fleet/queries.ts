/**
 * What is asked of GitHub's GraphQL. All values go as variables. A query costs a hundredth of a point for each list that it may look into,
 * so what few repositories need is asked for by itself: who closed a pull request, more branches than most have.
 * https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
 */

const rate = 'rateLimit{cost remaining limit resetAt} viewer{login}'

const facts = `id databaseId nameWithOwner isArchived isDisabled isEmpty isLocked viewerPermission autoMergeAllowed
`

function mainBranch(files: string): string {
  return `defaultBranchRef{name target{oid ...on Commit{tree{oid} statusCheckRollup{state} ${files}}}}`
}

const entry = 'mode type object{oid ...on Blob{text isBinary isTruncated byteSize}}'

const pull = `id number state isDraft isInMergeQueue mergeable title body headRefName headRefOid isCrossRepository baseRefName createdAt closedAt mergedAt
author{login} reviewDecision autoMergeRequest{enabledAt} statusCheckRollup{state} mergeCommit{oid}`

const closer = 'timelineItems(last:1,itemTypes:[CLOSED_EVENT]){nodes{...on ClosedEvent{actor{login}}}}'

function branchWith(file: string): string {
  return `prefix name target{oid ...on Commit{message tree{oid} author{name user{login}} signature{isValid wasSignedByGitHub} ${file}}}`
}

const branch = branchWith('')

const newest = 'orderBy:{field:CREATED_AT,direction:DESC}'

/** Most repositories have one or two branches of ours. */
const branches = `refs(refPrefix:$prefix,first:4){pageInfo{hasNextPage endCursor} nodes{${branch} associatedPullRequests(first:3,${newest}){nodes{${pull}}}}}`

function fileFields(count: number): string {
  return Array.from({ length: count }, (_, index) => `f${index}:file(path:$f${index}){${entry}}`).join(' ')
}

function variables(names: readonly string[], type: string): string {
  return names.map((name) => `,$${name}:${type}`).join('')
}

function fileNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `f${index}`)
}

/** `$ids`, and the paths `$f0` …. */
export function filesQuery(count: number): string {
  return `query Files($ids:[ID!]!${variables(fileNames(count), 'String!')}){${rate} nodes(ids:$ids){...on Repository{${facts} ${mainBranch(fileFields(count))}}}}`
}

/** The same, and `$prefix` as `refs/heads/<prefix>`. */
export function readQuery(count: number): string {
  return `query Read($ids:[ID!]!,$prefix:String!${variables(fileNames(count), 'String!')}){${rate} nodes(ids:$ids){...on Repository{${facts} ${mainBranch(fileFields(count))} ${branches}}}}`
}

/** The branches behind those that `read` has shown: `$id`, `$prefix`, `$after`. */
export const moreBranches = `query Branches($id:ID!,$prefix:String!,$after:String!){${rate} node(id:$id){...on Repository{refs(refPrefix:$prefix,first:25,after:$after){pageInfo{hasNextPage endCursor} nodes{${branch} associatedPullRequests(first:3,${newest}){nodes{${pull}}}}}}}}`

/**
 * For each repository its id `$i0`, the file `$p0` of its branches, its branches `$b0_0` … and their qualified names `$q0_0` …, its files `$f0_0` …; answered as `r0`, in it
 * `b0`, `p0` and `f0`.
 */
export function lookQuery(wanted: readonly { readonly branches: number; readonly paths: number }[]): string {
  const declared: string[] = []
  const asked = wanted.map((each, index) => {
    declared.push(`$i${index}:ID!`)
    if (each.branches > 0) declared.push(`$p${index}:String!`)
    const own = Array.from({ length: each.branches }, (_, nth) => {
      declared.push(`$b${index}_${nth}:String!`, `$q${index}_${nth}:String!`)
      return `b${nth}:ref(qualifiedName:$q${index}_${nth}){${branchWith(`own:file(path:$p${index}){...File}`)}} p${nth}:pullRequests(headRefName:$b${index}_${nth},first:5,${newest}){nodes{...Pull}}`
    })
    const files = Array.from({ length: each.paths }, (_, nth) => {
      declared.push(`$f${index}_${nth}:String!`)
      return `f${nth}:file(path:$f${index}_${nth}){...File}`
    })
    return `r${index}:node(id:$i${index}){...Facts ...on Repository{${own.join(' ')} ${mainBranch(files.join(' '))}}}`
  })
  const fragments = [
    `fragment Facts on Repository{${facts}}`,
    ...(wanted.some(({ branches: count }) => count > 0) ? [`fragment Pull on PullRequest{${pull} ${closer}}`] : []),
    ...(wanted.some(({ paths, branches: count }) => paths + count > 0) ? [`fragment File on TreeEntry{${entry}}`] : []),
  ]
  return `query Look(${declared.join(',')}){${rate} ${asked.join(' ')}} ${fragments.join(' ')}`
}

/** Pull requests by their repositories `$i0` and numbers `$n0` …; answered as `r0`. */
export function outcomesQuery(count: number): string {
  const indices = Array.from({ length: count }, (_, index) => index)
  const declared = indices.map((index) => `$i${index}:ID!,$n${index}:Int!`)
  const asked = indices.map(
    (index) => `r${index}:node(id:$i${index}){...on Repository{id pullRequest(number:$n${index}){...Outcome}}}`,
  )
  return `query Outcomes(${declared.join(',')}){${rate} ${asked.join(' ')}} fragment Outcome on PullRequest{${pull} ${closer} merging:mergeCommit{deployments(first:30,${newest}){nodes{environment createdAt latestStatus{state createdAt}}}}}`
}

export const ownedQuery = `query Owned($owner:String!,$after:String){${rate} repositoryOwner(login:$owner){repositories(first:100,after:$after,ownerAffiliations:[OWNER]){pageInfo{hasNextPage endCursor} nodes{id databaseId nameWithOwner isArchived isDisabled repositoryTopics(first:30){nodes{topic{name}}}}}}}`

/** `$o0`, `$n0` …: answered as `r0` …. */
export function namedQuery(count: number): string {
  const indices = Array.from({ length: count }, (_, index) => index)
  const declared = indices.map((index) => `$o${index}:String!,$n${index}:String!`)
  const asked = indices.map(
    (index) =>
      `r${index}:repository(owner:$o${index},name:$n${index}){id databaseId nameWithOwner isArchived isDisabled}`,
  )
  return `query Named(${declared.join(',')}){${rate} ${asked.join(' ')}}`
}

/** Where a branch stands: `$id`, `$branch`. */
export const headQuery =
  'query Head($id:ID!,$branch:String!){node(id:$id){...on Repository{ref(qualifiedName:$branch){target{oid}}}}}'

/** The files of a branch, three folders deep: `$owner`, `$name`, `$branch`. */
export const branchQuery = `query Files($owner:String!,$name:String!,$branch:String!){repository(owner:$owner,name:$name){id ref(qualifiedName:$branch){target{oid ...on Commit{tree{entries{...File object{...on Tree{entries{...File object{...on Tree{entries{...File}}}}}}}}}}}}} fragment File on TreeEntry{path type object{oid ...on Blob{text isTruncated}}}`

// What changes something. Several of one kind may go into one document, each with a number of its own.

export type Part = { readonly alias: string; readonly declared: string; readonly field: string }

export const parts = {
  ref: part('updateRefs', 'UpdateRefsInput', 'clientMutationId'),
  create: part('createPullRequest', 'CreatePullRequestInput', 'pullRequest{id number headRefOid createdAt}'),
  edit: part('updatePullRequest', 'UpdatePullRequestInput', 'pullRequest{id state}'),
  draft: part('convertPullRequestToDraft', 'ConvertPullRequestToDraftInput', 'pullRequest{id}'),
  ready: part('markPullRequestReadyForReview', 'MarkPullRequestReadyForReviewInput', 'pullRequest{id}'),
  automerge: part('enablePullRequestAutoMerge', 'EnablePullRequestAutoMergeInput', 'pullRequest{id}'),
  manual: part('disablePullRequestAutoMerge', 'DisablePullRequestAutoMergeInput', 'pullRequest{id}'),
  commit: part('createCommitOnBranch', 'CreateCommitOnBranchInput', 'commit{oid}'),
} as const

function part(name: string, input: string, result: string): (nth: number) => Part {
  return (nth) => {
    const alias = `m${nth}`
    return { alias, declared: `$${alias}:${input}!`, field: `${alias}:${name}(input:$${alias}){${result}}` }
  }
}

/** GitHub does the parts of a mutation one after the other, in this order, and goes on behind one that fails. */
export function mutation(all: readonly Part[]): string {
  return `mutation Write(${all.map(({ declared }) => declared).join(',')}){${all.map(({ field }) => field).join(' ')}}`
}
