import { appendFileSync } from 'node:fs'

const { env } = process
const input = (name) => env[`INPUT_${name.toUpperCase()}`] ?? ''
const fail = (text) => {
  console.log(`::error::${text}`)
  process.exit(1)
}
const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer } = env
if (url === undefined)
  fail('Unable to get ACTIONS_ID_TOKEN_REQUEST_URL env variable: the job may not ask for an identity')
const identity = await fetch(`${url}&audience=sts.amazonaws.com`, { headers: { authorization: `Bearer ${bearer}` } })
if (!identity.ok) fail(`Failed to get ID Token: ${identity.status} ${await identity.text()}`)
const { value: token } = await identity.json()
// act knows no variables of an environment, so the runner says what the job's has in the place of the whole run's.
const wanted = input('role-to-assume')
const role = wanted === 'the role of the environment' ? (await roleOfEnvironment()).role : wanted
const seconds = input('role-duration-seconds')
const answer = await fetch(`${env.AWS_ENDPOINT_URL}/`, {
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: input('role-session-name') || 'GitHubActions',
    WebIdentityToken: token,
    DurationSeconds: seconds === '' ? '3600' : seconds,
  }),
})
const text = await answer.text()
if (!answer.ok) fail(`Could not assume role with OIDC: ${text}`)
const part = (name) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(text)?.[1] ?? fail(`No ${name}: ${text}`)
const account = role.split(':')[4]
const allowed = input('allowed-account-ids').split(',').filter(Boolean)
if (allowed.length > 0 && !allowed.includes(account))
  fail(`The account ID of the provided credentials (${account}) does not match any of the expected account IDs`)
const found = {
  AWS_ACCESS_KEY_ID: part('AccessKeyId'),
  AWS_SECRET_ACCESS_KEY: part('SecretAccessKey'),
  AWS_SESSION_TOKEN: part('SessionToken'),
  AWS_REGION: input('aws-region'),
  AWS_DEFAULT_REGION: input('aws-region'),
}
for (const name of ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']) console.log(`::add-mask::${found[name]}`)
appendFileSync(
  env.GITHUB_ENV,
  Object.entries(found)
    .map(([name, value]) => `${name}=${value}\n`)
    .join(''),
)
console.log(`The role ${role} in ${found.AWS_REGION}`)

async function roleOfEnvironment() {
  const said = await fetch(`${env.PROTIUM_E2E}/role`, {
    method: 'POST',
    body: JSON.stringify({ run: Number(env.GITHUB_RUN_ID), job: env.GITHUB_JOB }),
  })
  if (!said.ok) fail(await said.text())
  return said.json()
}
