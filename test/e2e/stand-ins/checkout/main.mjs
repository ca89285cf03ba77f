import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

const { env } = process
const input = (name) => env[`INPUT_${name.toUpperCase()}`] ?? ''
const repository = input('repository')
const isWhole = input('fetch-depth') === '0'
const answer = await fetch(`${env.PROTIUM_E2E}/checkout`, {
  method: 'POST',
  body: JSON.stringify({
    run: Number(env.GITHUB_RUN_ID),
    repository,
    ref: input('ref'),
    token: input('token'),
    isWhole,
  }),
})
if (!answer.ok) {
  console.log(`::error::${repository}: ${await answer.text()}`)
  process.exit(1)
}
const { folder, commit } = await answer.json()
const here = join(env.GITHUB_WORKSPACE, input('path'))
mkdirSync(here, { recursive: true })
const git = (...args) => execFileSync('git', args, { cwd: here, stdio: ['ignore', 'ignore', 'inherit'] })
const depth = isWhole ? [] : [`--depth=${input('fetch-depth')}`]
const branches = isWhole ? ['+refs/heads/*:refs/remotes/origin/*'] : []
git('init', '--quiet', '--initial-branch=main')
git('fetch', '--quiet', ...depth, `file://${folder}`, commit, '+refs/tags/*:refs/tags/*', ...branches)
git('checkout', '--quiet', '--force', '--detach', commit)
if (input('persist-credentials') !== 'false') git('config', 'http.extraheader', `AUTHORIZATION: ${input('token')}`)
console.log(`${repository} is at ${commit}`)
