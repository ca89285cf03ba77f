import { expect, test } from 'vitest'
import { clientOf, clientWith } from './github/client.ts'
import { manualClock } from './github/clock.ts'
import { operationIds } from './github/description.ts'
import { appJwt } from './github/emulator.ts'
import type { Permissions } from './github/state.ts'
import { startGitHub } from './github/server.ts'

/** What is checked here is the description's half: `close` throws what was asked or answered against it. */
test('every operation of the cut is answered as GitHub describes it', async () => {
  const everything = 'actions administration checks contents deployments issues pull_requests statuses workflows'
  const permissions: Permissions = {
    ...Object.fromEntries(everything.split(' ').map((name) => [name, 'write'] as const)),
    members: 'read',
    actions_variables: 'read',
    organization_administration: 'read',
    organization_plan: 'read',
    organization_custom_properties: 'write',
  }
  const rules = [{ type: 'deletion' }, { type: 'non_fast_forward' }]
  const ruleset = {
    name: 'ledger',
    enforcement: 'active',
    include: ['refs/heads/ledger'],
    exclude: [],
    rules,
    bypass: [],
  }
  await using github = await startGitHub(
    {
      organisation: 'acme',
      members: { ada: 'admin', bob: 'member' },
      teams: { platform: { members: ['bob'], repositories: { catalog: 'write' } } },
      apps: { protium: { permissions } },
      repositories: {
        catalog: {
          files: { 'catalog.yaml': 'domain: example.com\n', CODEOWNERS: '* @acme/platform @nobody\n' },
          environments: { production: { reviewers: [{ is: 'user', login: 'bob' }] } },
          rulesets: [{ ...ruleset, enforcement: 'active' }],
          settings: {
            actions: { allowed: 'selected' },
            variables: { PROTIUM_APP_CLIENT_ID: 'Iv1.protium' },
            topics: ['protium'],
          },
        },
      },
    },
    { clock: manualClock('2026-11-22T12:00:00Z') },
  )
  const at = { owner: 'acme', repo: 'catalog' }
  const org = { org: 'acme' }
  const repository = 'acme/catalog'
  const app = clientOf(github, { kind: 'app', app: 'protium' })
  const bob = clientOf(github, { kind: 'user', login: 'bob' })
  const signed = clientWith(github, appJwt(900_000))

  // Git data and contents.
  const { data: main } = await app.git.getRef({ ...at, ref: 'heads/main' })
  const { data: parent } = await app.git.getCommit({ ...at, commit_sha: main.object.sha })
  await app.git.getTree({ ...at, tree_sha: parent.tree.sha, recursive: '1' })
  const { data: blob } = await app.git.createBlob({ ...at, content: 'hello' })
  await app.git.getBlob({ ...at, file_sha: blob.sha })
  const { data: tree } = await app.git.createTree({
    ...at,
    base_tree: parent.tree.sha,
    tree: [{ path: 'hello.txt', mode: '100644', type: 'blob', sha: blob.sha }],
  })
  const { data: commit } = await app.git.createCommit({ ...at, message: 'm', tree: tree.sha, parents: [parent.sha] })
  await app.git.createRef({ ...at, ref: 'refs/heads/topic', sha: commit.sha })
  await app.git.createRef({ ...at, ref: 'refs/heads/other', sha: parent.sha })
  await app.git.updateRef({ ...at, ref: 'heads/other', sha: commit.sha })
  await app.git.deleteRef({ ...at, ref: 'heads/other' })
  await app.git.createRef({ ...at, ref: 'refs/tags/fargate-service@1.0.0', sha: parent.sha })
  await app.git.listMatchingRefs({ ...at, ref: 'tags/fargate-service@' })
  const content = Buffer.from('1').toString('base64')
  await app.repos.createOrUpdateFileContents({ ...at, path: 'one.txt', message: 'one', content, branch: 'topic' })
  await app.repos.getContent({ ...at, path: 'catalog.yaml' })
  await app.repos.getContent({ ...at, path: '' })
  const raw = await app.repos.getContent({ ...at, path: 'catalog.yaml', mediaType: { format: 'raw' } })
  expect(raw.data).toBe('domain: example.com\n')
  const tagged = { ...at, tag: 'annotated', message: 'm', object: parent.sha, type: 'commit' } as const
  const { data: tag } = await app.git.createTag(tagged)
  await app.git.getTag({ ...at, tag_sha: tag.sha })
  const { data: release } = await app.repos.createRelease({ ...at, tag_name: 'fargate-service@1.0.0' })
  await app.repos.updateRelease({ ...at, release_id: release.id, body: 'Notes' })
  await app.repos.getRelease({ ...at, release_id: release.id })
  await app.repos.getReleaseByTag({ ...at, tag: 'fargate-service@1.0.0' })
  await app.repos.getLatestRelease(at)
  await app.repos.listReleases(at)
  const properties = [{ property_name: 'protium', value: 'yes' }]
  await app.orgs.customPropertiesForReposCreateOrUpdateOrganizationValues({
    ...org,
    repository_names: ['catalog'],
    properties,
  })
  const { data: values } = await app.orgs.customPropertiesForReposGetOrganizationValues(org)
  expect(values).toMatchObject([{ repository_name: 'catalog', properties }])
  await app.repos.get(at)
  await app.repos.listBranches(at)
  await app.repos.getBranch({ ...at, branch: 'topic' })
  const { data: tags } = await app.repos.listTags(at)
  expect(tags.map(({ name }) => name)).toEqual(['fargate-service@1.0.0'])
  await app.repos.listCommits(at)
  await app.repos.getCommit({ ...at, ref: 'topic' })
  await app.repos.compareCommitsWithBasehead({ ...at, basehead: 'main...topic' })
  await app.repos.getRepoRulesets(at)
  await app.repos.getRepoRuleset({ ...at, ruleset_id: 1 })
  await app.repos.getBranchRules({ ...at, branch: 'ledger' })

  // How it is set up.
  await app.actions.getGithubActionsPermissionsRepository(at)
  await app.actions.getAllowedActionsRepository(at)
  await app.actions.getWorkflowAccessToRepository(at)
  await app.actions.getCustomOidcSubClaimForRepo(at)
  await app.actions.getRepoVariable({ ...at, name: 'PROTIUM_APP_CLIENT_ID' })
  await app.actions.listRepoOrganizationVariables(at)
  await app.repos.codeownersErrors(at)
  await app.orgs.get({ org: 'acme' })
  await app.orgs.listAppInstallations({ org: 'acme' })
  const { data: topics } = await app.search.repos({ q: 'org:acme topic:protium' })
  expect(topics.items.map(({ full_name: name }) => name)).toEqual(['acme/catalog'])

  // Pull requests, issues, comments, labels.
  const { data: pull } = await app.pulls.create({ ...at, head: 'topic', base: 'main', title: 'Topic' })
  const pulled = { ...at, pull_number: pull.number }
  const issued = { ...at, issue_number: pull.number }
  await app.pulls.list(at)
  await app.pulls.get(pulled)
  await app.pulls.update({ ...pulled, body: 'b' })
  await app.pulls.listFiles(pulled)
  await app.pulls.listCommits(pulled)
  const { data: word } = await bob.pulls.createReview({ ...pulled, event: 'APPROVE' })
  await app.pulls.listReviews(pulled)
  await app.pulls.dismissReview({ ...pulled, review_id: word.id, message: 'Another look' })
  await app.repos.listPullRequestsAssociatedWithCommit({ ...at, commit_sha: commit.sha })
  const { data: issue } = await app.issues.create({ ...at, title: 'Issue' })
  await app.issues.get({ ...at, issue_number: issue.number })
  await app.issues.get(issued)
  await app.issues.update({ ...at, issue_number: issue.number, state: 'closed' })
  await app.issues.listForRepo({ ...at, state: 'all' })
  const { data: comment } = await app.issues.createComment({ ...issued, body: 'hello' })
  await app.issues.listComments(issued)
  await app.issues.getComment({ ...at, comment_id: comment.id })
  await app.issues.updateComment({ ...at, comment_id: comment.id, body: 'bye' })
  await app.issues.deleteComment({ ...at, comment_id: comment.id })
  await app.issues.createLabel({ ...at, name: 'protium', color: '00ff00' })
  await app.issues.getLabel({ ...at, name: 'protium' })
  await app.issues.listLabelsForRepo(at)
  await app.issues.addLabels({ ...issued, labels: ['protium'] })
  await app.issues.setLabels({ ...issued, labels: ['protium'] })
  await app.issues.listLabelsOnIssue(issued)
  const q = 'org:acme is:pr is:open label:"protium"'
  const { data: labelled } = await app.search.issuesAndPullRequests({ q })
  expect(labelled.items.map(({ number }) => number)).toEqual([pull.number])
  await app.issues.removeLabel({ ...issued, name: 'protium' })

  // What a commit is said to be.
  const output = { title: 't', summary: 's' }
  const annotations = [{ path: 'a', start_line: 1, end_line: 1, annotation_level: 'notice', message: 'm' } as const]
  const { data: check } = await app.checks.create({ ...at, name: 'plan', head_sha: commit.sha })
  await app.checks.update({ ...at, check_run_id: check.id, conclusion: 'success', output: { ...output, annotations } })
  await app.checks.get({ ...at, check_run_id: check.id })
  await app.checks.listAnnotations({ ...at, check_run_id: check.id })
  await app.checks.listForRef({ ...at, ref: 'topic' })
  await app.repos.createCommitStatus({ ...at, sha: commit.sha, state: 'success' })
  await app.repos.getCombinedStatusForRef({ ...at, ref: commit.sha })
  await app.repos.listCommitStatusesForRef({ ...at, ref: commit.sha })

  // Deployments and environments.
  const ref = { ref: 'main', auto_merge: false, required_contexts: [] }
  const { data: deployment } = await app.repos.createDeployment({ ...at, ...ref, environment: 'dev' })
  if (!('id' in deployment)) throw new Error('No deployment was made')
  const deployed = { ...at, deployment_id: deployment.id }
  const { data: status } = await app.repos.createDeploymentStatus({
    ...deployed,
    state: 'success',
    environment_url: 'https://checkout.dev.example.com',
    log_url: 'https://example.com/log',
  })
  await app.repos.getDeployment(deployed)
  await app.repos.listDeployments(at)
  await app.repos.listDeploymentStatuses(deployed)
  await app.repos.getDeploymentStatus({ ...deployed, status_id: status.id })
  const dev = { ...at, environment_name: 'dev' }
  const policy = { protected_branches: false, custom_branch_policies: true }
  await app.repos.createOrUpdateEnvironment({ ...dev, deployment_branch_policy: policy })
  await app.repos.createDeploymentBranchPolicy({ ...dev, name: 'main' })
  await app.repos.listDeploymentBranchPolicies(dev)
  await app.repos.getAllEnvironments(at)
  const { data: production } = await app.repos.getEnvironment({ ...at, environment_name: 'production' })

  // Workflows.
  const workflow = '.github/workflows/deploy.yml'
  const started = { repository, workflow, event: 'push', branch: 'main', sha: parent.sha, actor: 'ada' }
  const run = await github.beginRun(started)
  const running = { ...at, run_id: run }
  const job = github.beginJob({ repository, run, name: 'deploy', environment: 'production', permissions: {} })
  await bob.actions.getPendingDeploymentsForRun(running)
  const review = { environment_ids: [production.id], comment: '' }
  await bob.actions.reviewPendingDeploymentsForRun({ ...running, ...review, state: 'approved' })
  await job
  const artifact = github.addArtifact({ repository, run, name: 'plan', zip: Buffer.from('PK') })
  await app.actions.getReviewsForRun(running)
  await app.actions.getWorkflowRun(running)
  const { data: jobs } = await app.actions.listJobsForWorkflowRun(running)
  const ran = jobs.jobs[0]?.id ?? 0
  await github.endJob({ repository, run, job: ran, conclusion: 'failure' })
  await github.endRun({ repository, run, conclusion: 'failure' })
  await app.actions.reRunJobForWorkflowRun({ ...at, job_id: ran })
  await app.actions.listWorkflowRunArtifacts(running)
  await app.actions.listArtifactsForRepo({ ...at, name: 'plan' })
  await app.actions.getArtifact({ ...at, artifact_id: artifact })
  await app.actions.downloadArtifact({ ...at, artifact_id: artifact, archive_format: 'zip' })
  await app.actions.listWorkflowRunsForRepo(at)
  await app.actions.listWorkflowRuns({ ...at, workflow_id: 'deploy.yml' })
  await app.actions.createWorkflowDispatch({ ...at, workflow_id: 'deploy.yml', ref: 'main' })
  await app.repos.createDispatchEvent({ ...at, event_type: 'resume' })
  await bob.pulls.merge(pulled)

  // People and Apps.
  await app.repos.getCollaboratorPermissionLevel({ ...at, username: 'bob' })
  await app.orgs.checkMembershipForUser({ ...org, username: 'bob' })
  await app.orgs.getMembershipForUser({ ...org, username: 'bob' })
  await app.orgs.listMembers(org)
  await app.teams.getByName({ ...org, team_slug: 'platform' })
  await app.teams.getMembershipForUserInOrg({ ...org, team_slug: 'platform', username: 'bob' })
  await app.teams.listMembersInOrg({ ...org, team_slug: 'platform' })
  await app.users.getByUsername({ username: 'bob' })
  await bob.users.getAuthenticated()
  await signed.apps.getAuthenticated()
  await signed.apps.getOrgInstallation(org)
  const { data: installation } = await signed.apps.getRepoInstallation(at)
  const { data: token } = await signed.apps.createInstallationAccessToken({ installation_id: installation.id })
  const installed = clientWith(github, token.token)
  await installed.apps.listReposAccessibleToInstallation()
  await installed.rateLimit.get()
  await installed.apps.revokeInstallationAccessToken()

  const called = new Set(github.requests().map(({ operation }) => operation))
  expect(operationIds.filter((id) => !called.has(id))).toEqual([])
})
