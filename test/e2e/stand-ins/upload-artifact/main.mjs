import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'

const { env } = process
const input = (name) => env[`INPUT_${name.toUpperCase()}`] ?? ''
const path = input('path')
if (!existsSync(path)) {
  if (input('if-no-files-found') === 'error') {
    console.log(`::error::No files were found with the provided path: ${path}`)
    process.exit(1)
  }
  console.log(`No file at ${path}`)
} else {
  const files = { [basename(path)]: readFileSync(path, 'base64') }
  const answer = await fetch(`${env.PROTIUM_E2E}/upload`, {
    method: 'POST',
    body: JSON.stringify({ run: Number(env.GITHUB_RUN_ID), name: input('name'), files }),
  })
  if (!answer.ok) {
    console.log(`::error::${await answer.text()}`)
    process.exit(1)
  }
  const { id } = await answer.json()
  appendFileSync(env.GITHUB_OUTPUT, `artifact-id=${id}\n`)
  console.log(`${input('name')} is artifact ${id}`)
}
