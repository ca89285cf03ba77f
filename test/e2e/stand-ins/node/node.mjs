// The `node` that a runner of the end-to-end tests finds first. Before the first step of a job it asks for the job's token,
// and so waits where the environment of the job waits for a reviewer; then it becomes the real node.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const { env } = process
const control = env.PROTIUM_E2E
const inJob = control !== undefined && env.GITHUB_JOB !== undefined && env.GITHUB_WORKSPACE !== undefined
const given = { ...env }
if (inJob) {
  const { token, refused, identity } = await ask('job', { job: env.GITHUB_JOB, workspace: env.GITHUB_WORKSPACE })
  if (refused !== undefined) {
    console.log(`The job may not begin: ${refused}`)
    process.exit(1)
  }
  // act has one token for all jobs of a run; GitHub gives each its own.
  for (const [name, value] of Object.entries(env)) if (value === 'the token of the job') given[name] = token
  // What the local cloud is to let fail: an input that no workflow of users gives.
  if (env.PROTIUM_E2E_FAIL !== undefined) given.INPUT_FAIL = env.PROTIUM_E2E_FAIL
  // Where it asks for an identity, if it may.
  if (identity !== undefined) {
    given.ACTIONS_ID_TOKEN_REQUEST_URL = identity.url
    given.ACTIONS_ID_TOKEN_REQUEST_TOKEN = identity.token
  }
}
// act asks node where it is, and from then on calls it there.
if (process.argv.at(-1) === 'console.log(process.execPath)') {
  console.log(process.argv[1])
  process.exit(0)
}
const { status, signal } = spawnSync(process.execPath, process.argv.slice(2), { stdio: 'inherit', env: given })
if (inJob && env.GITHUB_STEP_SUMMARY !== undefined) {
  await ask('summary', {
    job: env.GITHUB_JOB,
    workspace: env.GITHUB_WORKSPACE,
    text: readFileSync(env.GITHUB_STEP_SUMMARY, 'utf8'),
  })
}
process.exitCode = signal === null ? (status ?? 1) : 1

async function ask(what, body) {
  const answer = await fetch(`${control}/${what}`, {
    method: 'POST',
    body: JSON.stringify({ run: Number(env.GITHUB_RUN_ID), ...body }),
  })
  if (!answer.ok) throw new Error(`${what}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}
