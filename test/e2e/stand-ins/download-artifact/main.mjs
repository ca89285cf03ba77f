import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const { env } = process
const input = (name) => env[`INPUT_${name.toUpperCase()}`] ?? ''
const ids = input('artifact-ids')
  .split(',')
  .map((id) => id.trim())
  // act hands on the outputs of a job that was skipped as they are written, not as nothing.
  .filter((id) => /^[0-9]+$/.test(id))
  .map(Number)
const answer = await fetch(`${env.PROTIUM_E2E}/download`, {
  method: 'POST',
  body: JSON.stringify({
    run: Number(input('run-id')),
    own: Number(env.GITHUB_RUN_ID),
    token: input('github-token'),
    ...(input('name') === '' ? { ids } : { name: input('name') }),
  }),
})
if (!answer.ok) {
  console.log(`::error::${await answer.text()}`)
  process.exit(1)
}
const { artifacts } = await answer.json()
const flat = artifacts.length === 1 || input('merge-multiple') === 'true'
for (const { name, files } of artifacts) {
  for (const [file, content] of Object.entries(files)) {
    const target = join(input('path'), flat ? '.' : name, file)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, Buffer.from(content, 'base64'))
  }
}
console.log(`${artifacts.map(({ name }) => name).join(', ')} in ${input('path')}`)
