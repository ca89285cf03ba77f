/**
 * Writes `test/fakes/github/schema.generated.graphql`: what GitHub's public schema says of the types and fields that this
 * project asks for. It is cut from `@octokit/graphql-schema`. A field is in the cut with all of its arguments, an enumeration
 * and an input whole, an interface and a union as far as types of the cut belong to them.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type DefinitionNode, type DirectiveNode, Kind, parse, print, type TypeNode } from 'graphql'

/** By the names of their types. */
const cut: Readonly<Record<string, string>> = {
  Query: 'node nodes organization rateLimit repository repositoryOwner user viewer',
  Mutation: `closePullRequest convertPullRequestToDraft createCommitOnBranch createPullRequest createRef deleteRef
    disablePullRequestAutoMerge enablePullRequestAutoMerge markPullRequestReadyForReview mergePullRequest reopenPullRequest
    updatePullRequest updateRef updateRefs`,
  RateLimit: 'cost limit nodeCount remaining resetAt used',
  PageInfo: 'endCursor hasNextPage hasPreviousPage startCursor',

  Node: 'id',
  Actor: 'login url',
  RepositoryOwner: 'id login repositories repository url',
  GitObject: 'abbreviatedOid id oid repository',
  GitSignature: 'email isValid signer state wasSignedByGitHub',
  Closable: 'closed closedAt',
  Bot: 'databaseId id login url',
  User: 'databaseId id login name url',
  Organization: 'databaseId id login name repositories repository url',

  Repository: `autoMergeAllowed createdAt databaseId defaultBranchRef deleteBranchOnMerge deployments description
    hasIssuesEnabled id isArchived isDisabled isEmpty isFork isLocked isPrivate isTemplate latestRelease mergeCommitAllowed name
    nameWithOwner object owner pullRequest pullRequests pushedAt rebaseMergeAllowed ref refs release releases repositoryTopics
    squashMergeAllowed updatedAt url viewerPermission visibility`,
  RepositoryConnection: 'nodes pageInfo totalCount',
  RepositoryTopic: 'id topic',
  RepositoryTopicConnection: 'nodes pageInfo totalCount',
  Topic: 'id name',
  Release: 'createdAt databaseId description id isDraft isLatest isPrerelease name publishedAt tagName url',
  ReleaseConnection: 'nodes pageInfo totalCount',

  Ref: 'associatedPullRequests id name prefix repository target',
  RefConnection: 'nodes pageInfo totalCount',
  Blob: 'abbreviatedOid byteSize id isBinary isTruncated oid repository text',
  Tree: 'abbreviatedOid entries id oid repository',
  TreeEntry: 'mode name object oid path size type',
  Tag: 'abbreviatedOid id message name oid repository tagger target',
  Commit: `abbreviatedOid associatedPullRequests author authoredDate committedDate committer deployments file history id message
    messageBody messageHeadline oid parents repository signature statusCheckRollup tree url`,
  CommitConnection: 'nodes pageInfo totalCount',
  CommitHistoryConnection: 'nodes pageInfo totalCount',
  GitActor: 'date email name user',
  GpgSignature: 'email isValid keyId signer state wasSignedByGitHub',

  PullRequest: `additions author autoMergeRequest baseRef baseRefName baseRefOid body changedFiles closed closedAt commits
    createdAt databaseId deletions fullDatabaseId headRef headRefName headRefOid headRepository id isCrossRepository isDraft
    isInMergeQueue isMergeQueueEnabled mergeCommit mergeStateStatus mergeable merged mergedAt mergedBy number repository
    reviewDecision state statusCheckRollup timelineItems title updatedAt url`,
  PullRequestConnection: 'nodes pageInfo totalCount',
  PullRequestCommit: 'commit id',
  PullRequestCommitConnection: 'nodes pageInfo totalCount',
  PullRequestTimelineItemsConnection: 'nodes pageInfo totalCount',
  PullRequestTimelineItems: '',
  ClosedEvent: 'actor createdAt id',
  MergedEvent: 'actor commit createdAt id',
  ReopenedEvent: 'actor createdAt id',
  AutoMergeRequest: 'enabledAt enabledBy mergeMethod pullRequest',

  StatusCheckRollup: 'commit contexts id state',
  StatusCheckRollupContextConnection: 'nodes pageInfo totalCount',
  StatusCheckRollupContext: '',
  CheckRun: 'completedAt conclusion databaseId detailsUrl externalId id isRequired name startedAt status summary title',
  StatusContext: 'context createdAt description id isRequired state targetUrl',

  Deployment: `commit commitOid createdAt creator databaseId description environment id latestEnvironment latestStatus
    originalEnvironment payload ref repository state statuses task updatedAt`,
  DeploymentConnection: 'nodes pageInfo totalCount',
  DeploymentStatus: 'createdAt creator description environment environmentUrl id logUrl state updatedAt',
  DeploymentStatusConnection: 'nodes pageInfo totalCount',

  ClosePullRequestPayload: 'clientMutationId pullRequest',
  ConvertPullRequestToDraftPayload: 'clientMutationId pullRequest',
  CreateCommitOnBranchPayload: 'clientMutationId commit ref',
  CreatePullRequestPayload: 'clientMutationId pullRequest',
  CreateRefPayload: 'clientMutationId ref',
  DeleteRefPayload: 'clientMutationId',
  DisablePullRequestAutoMergePayload: 'actor clientMutationId pullRequest',
  EnablePullRequestAutoMergePayload: 'actor clientMutationId pullRequest',
  MarkPullRequestReadyForReviewPayload: 'clientMutationId pullRequest',
  MergePullRequestPayload: 'actor clientMutationId pullRequest',
  ReopenPullRequestPayload: 'clientMutationId pullRequest',
  UpdatePullRequestPayload: 'actor clientMutationId pullRequest',
  UpdateRefPayload: 'clientMutationId ref',
  UpdateRefsPayload: 'clientMutationId',
}

const builtIn = new Set(['Boolean', 'Float', 'ID', 'Int', 'String'])

const folder = dirname(fileURLToPath(import.meta.resolve('@octokit/graphql-schema')))
const output = join(import.meta.dirname, '../test/fakes/github/schema.generated.graphql')

if (import.meta.main) writeFileSync(output, text())

/** Whether the cut is what this program makes of the schema that is installed. */
export function isCurrent(): boolean {
  return existsSync(output) && readFileSync(output, 'utf8') === text()
}

function text(): string {
  const { version, license }: { version: string; license: string } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  )
  const copyright = readFileSync(join(folder, 'LICENSE.md'), 'utf8')
    .split('\n')
    .find((line) => line.startsWith('Copyright'))
  const whole = readFileSync(join(folder, 'schema.graphql'), 'utf8')
  const head = [
    `From @octokit/graphql-schema ${version} (GitHub's public schema, https://docs.github.com/public/fpt/schema.docs.graphql),`,
    `whose sha256 is ${createHash('sha256').update(whole).digest('hex')}.`,
    `Licence: ${license}, ${copyright}`,
    'Cut by scripts/generate-github-graphql.ts',
  ]
  return `${head.map((line) => `# ${line}\n`).join('')}\n${cutSchema(whole)}\n`
}

function cutSchema(whole: string): string {
  const { definitions } = parse(whole, { noLocation: true })
  const byName = new Map(
    definitions.flatMap((each) =>
      'name' in each && each.name !== undefined ? [[each.name.value, each] as const] : [],
    ),
  )
  const wanted = new Set(Object.keys(cut))
  const made = new Map<string, string>()
  // A set that grows while it is gone through: what a definition needs comes after it.
  for (const name of wanted) {
    const definition = byName.get(name)
    if (definition === undefined && builtIn.has(name)) continue
    if (definition === undefined) throw new Error(`GitHub's schema has no ${name}`)
    made.set(name, print(cutDefinition(definition, wanted)))
  }
  return [...made]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, source]) => source)
    .join('\n\n')
}

/** The part of a definition that is in the cut, without what only people read; adds the types that it needs. */
function cutDefinition(definition: DefinitionNode, wanted: Set<string>): DefinitionNode {
  switch (definition.kind) {
    case Kind.OBJECT_TYPE_DEFINITION:
    case Kind.INTERFACE_TYPE_DEFINITION: {
      const name = definition.name.value
      const interfaces = (definition.interfaces ?? []).filter((each) => each.name.value in cut)
      const own = [name, ...interfaces.map((each) => each.name.value)].flatMap((each) => (cut[each] ?? '').split(/\s+/))
      const names = new Set(own.filter((each) => each !== ''))
      const fields = (definition.fields ?? []).filter((field) => names.delete(field.name.value))
      if (names.size > 0) throw new Error(`GitHub's ${name} has no ${[...names].join(', ')}`)
      return {
        ...bare(definition),
        interfaces,
        fields: fields.map((field) => ({
          ...bare(field),
          type: need(field.type, wanted),
          arguments: (field.arguments ?? []).map((each) => ({ ...bare(each), type: need(each.type, wanted) })),
        })),
      }
    }
    case Kind.UNION_TYPE_DEFINITION:
      return { ...bare(definition), types: (definition.types ?? []).filter((each) => each.name.value in cut) }
    case Kind.INPUT_OBJECT_TYPE_DEFINITION:
      return {
        ...bare(definition),
        fields: (definition.fields ?? []).map((field) => ({ ...bare(field), type: need(field.type, wanted) })),
      }
    case Kind.ENUM_TYPE_DEFINITION:
      return { ...bare(definition), values: (definition.values ?? []).map(bare) }
    case Kind.SCALAR_TYPE_DEFINITION:
      return bare(definition)
    default:
      throw new Error(`What is to become of a ${definition.kind} is not said`)
  }
}

type Told = { readonly description?: unknown; readonly directives?: readonly DirectiveNode[] }

/** Of what people read, that something is deprecated is kept: no query of ours may ask for it. */
function bare<Node extends Told>(node: Node): Node {
  const directives = (node.directives ?? []).filter((each) => each.name.value === 'deprecated')
  return { ...node, description: undefined, directives }
}

function need(type: TypeNode, wanted: Set<string>): TypeNode {
  if (type.kind === Kind.NAMED_TYPE) wanted.add(type.name.value)
  else need(type.type, wanted)
  return type
}
