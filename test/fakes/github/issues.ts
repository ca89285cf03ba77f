import { isList, type JsonMap, textAt } from './json.ts'
import { type Found, pullView } from './pull-view.ts'
import { refuseLong, updatePull } from './pulls.ts'
import { fullNameOf } from './state.ts'
import { type Answer, type Call, Failure, type Handler, idIn, pass, read, repositoryIn, type World } from './world.ts'

/** Emulate keeps issues, labels and comments; the lengths that GitHub allows are kept here. */
export const issuesHandlers: Readonly<Record<string, Handler>> = {
  'issues/create': limited,
  'issues/create-comment': comment,
  'issues/get': getIssue,
  'issues/update': updateIssue,
  'issues/update-comment': comment,
}

/** A pull request is an issue too; in emulate it is one only for labels and comments. */
async function getIssue(world: World, call: Call): Promise<Answer> {
  const repository = repositoryIn(world, call)
  const pull = repository.pulls[idIn(call, 'issue_number')]
  if (pull === undefined) return pass(world, call)
  return { status: 200, body: await issueOfPull(world, call, { repository, pull }) }
}

async function updateIssue(world: World, call: Call): Promise<Answer> {
  const repository = repositoryIn(world, call)
  const number = idIn(call, 'issue_number')
  if (repository.pulls[number] === undefined) return limited(world, call)
  const parameters = { ...call.parameters, pull_number: String(number) }
  const path = `/repos/${fullNameOf(repository)}/pulls/${number}`
  const answer = await updatePull(world, { ...call, path, parameters })
  const pull = repository.pulls[number]
  if (answer.status >= 400 || pull === undefined) return answer
  return { status: 200, body: await issueOfPull(world, call, { repository, pull }) }
}

export async function issueOfPull(world: World, call: Call, found: Found): Promise<JsonMap> {
  const view = await pullView(world, call.identity, found)
  const home = `${world.url}/repos/${fullNameOf(found.repository)}`
  const url = `${home}/issues/${found.pull.number}`
  const taken = [
    'id',
    'node_id',
    'number',
    'title',
    'user',
    'body',
    'state',
    'labels',
    'assignee',
    'assignees',
    'milestone',
  ]
  const comments = await read(
    world,
    `/repos/${fullNameOf(found.repository)}/issues/${found.pull.number}/comments?per_page=100`,
  )
  return {
    ...Object.fromEntries(
      [...taken, 'locked', 'created_at', 'updated_at', 'closed_at', 'html_url'].map((key) => [key, view[key]]),
    ),
    author_association: view['author_association'],
    url,
    repository_url: home,
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    comments: isList(comments) ? comments.length : 0,
    pull_request: {
      url: view['url'],
      html_url: view['html_url'],
      diff_url: view['diff_url'],
      patch_url: view['patch_url'],
      merged_at: view['merged_at'],
    },
  }
}

function limited(world: World, call: Call): Promise<Answer> {
  refuseLong('Issue', call.body)
  return pass(world, call)
}

function comment(world: World, call: Call): Promise<Answer> {
  if ([...(textAt(call.body, 'body') ?? '')].length > 65_536) {
    throw new Failure(422, 'Validation Failed', [
      {
        resource: 'IssueComment',
        code: 'unprocessable',
        field: 'data',
        message: 'Body is too long (maximum is 65536 characters)',
      },
    ])
  }
  return pass(world, call)
}
