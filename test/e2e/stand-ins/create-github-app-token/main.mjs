import { appendFileSync } from 'node:fs'

const { env } = process
const input = (name) => env[`INPUT_${name.toUpperCase()}`] ?? ''
const answer = await fetch(`${env.PROTIUM_E2E}/token`, {
  method: 'POST',
  body: JSON.stringify({
    run: Number(env.GITHUB_RUN_ID),
    app: input('client-id'),
    key: input('private-key'),
    repositories: input('repositories')
      .split(',')
      .map((name) => `${input('owner')}/${name.trim()}`),
    contents: input('permission-contents'),
  }),
})
if (!answer.ok) {
  console.log(`::error::${await answer.text()}`)
  process.exit(1)
}
const { token } = await answer.json()
console.log(`::add-mask::${token}`)
appendFileSync(env.GITHUB_OUTPUT, `token=${token}\n`)
