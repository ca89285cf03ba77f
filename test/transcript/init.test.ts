import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { emptyFolder, protium, protiumWith, snapshotOf } from './terminal.ts'

const words = `--repository acme/catalog --domain example.com --stage dev --stage prod --account dev=111111111111
--account prod=333333333333 --region eu-west-1 --actions acme/protium/actions@${'a1'.repeat(20)} --start empty`
const answers = words.split(/\s/u)

describe('protium init', () => {
  test('writes a catalog, says what it left out, and what to do next', async () => {
    const folder = emptyFolder()

    expect(await protium(folder, 'init', '--into', 'catalog', ...answers)).toMatchInlineSnapshot(`
      {
        "exit": 0,
        "stderr": "  prepared               30 files of a catalog with 2 stages: dev and prod <time>

      Next
        node src/cli.ts validate catalog  checks it again; catalog/README.md says what to do next
      ",
        "stdout": "Wrote 30 files to catalog: the catalog of acme, which plans, and deploys nothing yet.
      Checked: everything renders in dev and prod, with 0 problems.
      Left out: the roles in the accounts. They need two numbers: --organisation-id, \`gh api users/acme --jq .id\`; and --repository-id, \`gh api repos/acme/catalog --jq .id\`. README.md says how to add them later.
      Left out: git, as the folder is no working copy of it. README.md begins with that.
      ",
      }
    `)
    expect(await protium(folder, 'init', '--into', 'catalog', ...answers)).toMatchInlineSnapshot(`
      {
        "exit": 0,
        "stderr": "  prepared               30 files of a catalog with 2 stages: dev and prod <time>

      Next
        node src/cli.ts validate catalog  checks it again; catalog/README.md says what to do next
      ",
        "stdout": "Nothing to do: the catalog of acme is in catalog.
      Left out: the roles in the accounts. They need two numbers: --organisation-id, \`gh api users/acme --jq .id\`; and --repository-id, \`gh api repos/acme/catalog --jq .id\`. README.md says how to add them later.
      Left out: git, as the folder is no working copy of it. README.md begins with that.
      ",
      }
    `)
  })

  test('without a terminal names the options that are missing, and writes nothing', async () => {
    const folder = emptyFolder()

    expect(await protium(folder, 'init')).toMatchInlineSnapshot(`
      {
        "exit": 2,
        "stderr": "error  It is not said in which domain services answer. Expected: --domain, such as \`--domain example.com\`. Add --domain; in a terminal, \`node src/cli.ts init\` asks for it. [missing-argument]
      error  It is not said which repository on GitHub this is for. Expected: --repository, such as \`--repository acme/catalog\`. Add --repository; in a terminal, \`node src/cli.ts init\` asks for it. [missing-argument]
      error  It is not said which stages there are, in their order. Expected: --stage, such as \`--stage dev=dev.example.com --stage prod=example.com\`. Add --stage; in a terminal, \`node src/cli.ts init\` asks for it. [missing-argument]
      ",
        "stdout": "",
      }
    `)
    expect(snapshotOf(folder)).toEqual({})
  })

  test('refuses a folder of something else, and shows where', async () => {
    const folder = emptyFolder()
    writeFileSync(join(folder, 'package.json'), '{}\n')

    expect(await protium(folder, 'init', ...answers)).toMatchInlineSnapshot(`
      {
        "exit": 2,
        "stderr": "package.json:1:1  The folder holds 1 file of something else: package.json. Expected: an empty folder, or a fresh repository with a README and a licence. Choose another folder, such as \`--into catalog\`; or move away what is there. [folder-taken]
          1 | {}
            | ^

      1 problem. Nothing was changed.

      Next
        node src/cli.ts explain folder-taken  what a code means
      ",
        "stdout": "",
      }
    `)
  })

  test('works without git and without a network', async () => {
    const folder = emptyFolder()
    const cut = { PATH: '/nowhere', HTTPS_PROXY: 'http://127.0.0.1:9', HTTP_PROXY: 'http://127.0.0.1:9' }
    const { exit, stdout } = await protiumWith({ env: cut }, folder, 'init', '--into', 'catalog', ...answers)

    expect(exit).toBe(0)
    expect(stdout).toContain('Left out: git')
  })
})

describe('protium add', () => {
  test('writes the files for a repository, and puts it into catalog.yaml', async () => {
    const folder = emptyFolder()
    const sample = answers.map((word) => (word === 'empty' ? 'sample' : word))
    spawnSync('git', ['init', '-q', folder])
    await protium(folder, 'init', '--into', 'catalog', ...sample)
    const call = ['add', 'acme/checkout', '--root', 'catalog', '--template', 'lambda-api']

    expect(await protium(folder, ...call)).toMatchInlineSnapshot(`
      {
        "exit": 2,
        "stderr": "error  There is no token to open a pull request in acme/checkout with. Expected: GITHUB_TOKEN with \`contents: write\`, \`pull-requests: write\` and \`workflows: write\` on it; or --into FOLDER, to have the files. Set it, such as by \`GITHUB_TOKEN="$(gh auth token)"\`; or say \`--into\`. [github-token]
      ",
        "stdout": "",
      }
    `)
    expect(await protium(folder, ...call, '--into', 'checkout')).toMatchInlineSnapshot(`
      {
        "exit": 0,
        "stderr": "
      Next
        node src/cli.ts validate checkout --catalog catalog  checks it with the catalog, before it is committed
      ",
        "stdout": "Wrote 8 files to checkout: .github/workflows/deploy.yml, .github/workflows/forks.yml, .github/workflows/hold.yml, .github/workflows/pull-request.yml, .github/workflows/resume.yml, .github/workflows/rollback.yml, .protium/schemas/service.schema.json, service.yaml.
      Added the repository to catalog.yaml; commit that.
      ",
      }
    `)
    expect(await protium(folder, 'validate', 'checkout', '--catalog', 'catalog')).toMatchObject({ exit: 0 })
  })
})
