import { appendFileSync } from 'node:fs'

const { env } = process
const input = (name) => env[`INPUT_${name.toUpperCase()}`] ?? ''
// Of what is not named an App has all, so each is.
const permissions = Object.fromEntries(
  Object.entries(env).flatMap(([name, access]) => {
    const [, scope] = /^INPUT_PERMISSION-(.+)$/.exec(name) ?? []
    return scope === undefined || access === '' ? [] : [[scope.toLowerCase().replaceAll('-', '_'), access]]
  }),
)
const answer = await fetch(`${env.PROTIUM_E2E}/token`, {
  method: 'POST',
  body: JSON.stringify({
    run: Number(env.GITHUB_RUN_ID),
    app: input('client-id'),
    key: input('private-key'),
    repositories: input('repositories')
      .split(/[,\n]/)
      .map((name) => name.trim())
      .filter((name) => name !== '')
      .map((name) => `${input('owner')}/${name}`),
    permissions,
  }),
})
if (!answer.ok) {
  console.log(`::error::${await answer.text()}`)
  process.exit(1)
}
const { token } = await answer.json()
console.log(`::add-mask::${token}`)
appendFileSync(env.GITHUB_OUTPUT, `token=${token}\n`)
