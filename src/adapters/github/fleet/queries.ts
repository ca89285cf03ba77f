/**
 * What is asked of GitHub's GraphQL. All values go as variables. A query costs a hundredth of a point for each list that it may look into,
 * so what few repositories need is asked for by itself: who closed a pull request, more branches than most have.
 * https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
 */

const rate = 'rateLimit{cost remaining limit resetAt} viewer{login}'

const facts = `id databaseId nameWithOwner isArchived isDisabled isEmpty isLocked viewerPermission autoMergeAllowed
defaultBranchRef{name target{oid ...on Commit{tree{oid}}}}`

const blob = '__typename oid ...on Blob{text isBinary isTruncated byteSize}'

const pull = `id number state isDraft isInMergeQueue mergeable title body headRefName headRefOid baseRefName createdAt closedAt mergedAt
author{login} reviewDecision autoMergeRequest{enabledAt} statusCheckRollup{state} mergeCommit{oid}`

const closer = 'timelineItems(last:1,itemTypes:[CLOSED_EVENT]){nodes{...on ClosedEvent{actor{login}}}}'

const branch = 'prefix name target{oid ...on Commit{message tree{oid} signature{isValid wasSignedByGitHub}}}'

const newest = 'orderBy:{field:CREATED_AT,direction:DESC}'

/** Most repositories have one or two branches of ours. */
const branches = `refs(refPrefix:$prefix,first:4){pageInfo{hasNextPage endCursor} nodes{${branch} associatedPullRequests(first:3,${newest}){nodes{${pull}}}}}`

function fileFields(count: number): string {
  return Array.from({ length: count }, (_, index) => `f${index}:object(expression:$f${index}){${blob}}`).join(' ')
}

function variables(names: readonly string[], type: string): string {
  return names.map((name) => `,$${name}:${type}`).join('')
}

function fileNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `f${index}`)
}

/** `$ids`, and `$f0` … as `HEAD:<path>`. */
export function filesQuery(count: number): string {
  return `query Files($ids:[ID!]!${variables(fileNames(count), 'String!')}){${rate} nodes(ids:$ids){...on Repository{${facts} ${fileFields(count)}}}}`
}

/** The same, and `$prefix` as `refs/heads/<prefix>`. */
export function readQuery(count: number): string {
  return `query Read($ids:[ID!]!,$prefix:String!${variables(fileNames(count), 'String!')}){${rate} nodes(ids:$ids){...on Repository{${facts} ${fileFields(count)} ${branches}}}}`
}

/** The branches behind those that `read` has shown: `$id`, `$prefix`, `$after`. */
export const moreBranches = `query Branches($id:ID!,$prefix:String!,$after:String!){${rate} node(id:$id){...on Repository{refs(refPrefix:$prefix,first:25,after:$after){pageInfo{hasNextPage endCursor} nodes{${branch} associatedPullRequests(first:3,${newest}){nodes{${pull}}}}}}}}`

/**
 * For each repository its id `$i0`, its branches `$b0_0` … and their qualified names `$q0_0` …, its files `$f0_0` …; answered as `r0`, in it
 * `b0`, `p0` and `f0`.
 */
export function lookQuery(wanted: readonly { readonly branches: number; readonly paths: number }[]): string {
  const declared: string[] = []
  const asked = wanted.map((each, index) => {
    declared.push(`$i${index}:ID!`)
    const own = Array.from({ length: each.branches }, (_, nth) => {
      declared.push(`$b${index}_${nth}:String!`, `$q${index}_${nth}:String!`)
      return `b${nth}:ref(qualifiedName:$q${index}_${nth}){${branch}} p${nth}:pullRequests(headRefName:$b${index}_${nth},first:5,${newest}){nodes{...Pull}}`
    })
    const files = Array.from({ length: each.paths }, (_, nth) => {
      declared.push(`$f${index}_${nth}:String!`)
      return `f${nth}:object(expression:$f${index}_${nth}){...File}`
    })
    return `r${index}:node(id:$i${index}){...Facts ...on Repository{${[...own, ...files].join(' ')}}}`
  })
  const fragments = [
    `fragment Facts on Repository{${facts}}`,
    ...(wanted.some(({ branches: count }) => count > 0) ? [`fragment Pull on PullRequest{${pull} ${closer}}`] : []),
    ...(wanted.some(({ paths }) => paths > 0) ? [`fragment File on GitObject{${blob}}`] : []),
  ]
  return `query Look(${declared.join(',')}){${rate} ${asked.join(' ')}} ${fragments.join(' ')}`
}

export const pullsQuery = `query Pulls($ids:[ID!]!){${rate} nodes(ids:$ids){...on PullRequest{${pull} ${closer}}}}`

export const mergedQuery = `query Merged($ids:[ID!]!){${rate} nodes(ids:$ids){...on PullRequest{id mergeCommit{oid deployments(first:30,${newest}){nodes{environment createdAt latestStatus{state createdAt}}}}}}}`

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

export const blobQuery = `query Blob($id:ID!,$oid:GitObjectID!){${rate} node(id:$id){...on Repository{object(oid:$oid){${blob}}}}}`

// What changes something. The parts that go into one document each have their own variables.

export const updateRefs = {
  declared: '$refRepo:ID!,$refUpdates:[RefUpdate!]!',
  field: 'ref:updateRefs(input:{repositoryId:$refRepo,refUpdates:$refUpdates}){clientMutationId}',
} as const

export const createPull = {
  declared: '$create:CreatePullRequestInput!',
  field: 'pr:createPullRequest(input:$create){pullRequest{id number headRefOid createdAt}}',
} as const

export const updatePull = {
  declared: '$update:UpdatePullRequestInput!',
  field: 'edit:updatePullRequest(input:$update){pullRequest{id}}',
} as const

export const toDraft = {
  declared: '$draft:ID!',
  field: 'draft:convertPullRequestToDraft(input:{pullRequestId:$draft}){pullRequest{id}}',
} as const

export const toReady = {
  declared: '$ready:ID!',
  field: 'ready:markPullRequestReadyForReview(input:{pullRequestId:$ready}){pullRequest{id}}',
} as const

export const automergeOn = {
  declared: '$auto:EnablePullRequestAutoMergeInput!',
  field: 'auto:enablePullRequestAutoMerge(input:$auto){pullRequest{id}}',
} as const

export const automergeOff = {
  declared: '$manual:ID!',
  field: 'manual:disablePullRequestAutoMerge(input:{pullRequestId:$manual}){pullRequest{id}}',
} as const

export const appendCommit = {
  declared: '$commit:CreateCommitOnBranchInput!',
  field: 'commit:createCommitOnBranch(input:$commit){commit{oid}}',
} as const

export type Part = { readonly declared: string; readonly field: string }

/** GitHub does the parts of a mutation one after the other, in this order, and goes on behind one that fails. */
export function mutation(parts: readonly Part[]): string {
  return `mutation Write(${parts.map(({ declared }) => declared).join(',')}){${parts.map(({ field }) => field).join(' ')}}`
}
