import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { edit, emptyFolder, protium, sample, shell } from './terminal.ts'

describe('protium stage', () => {
  test('says which stage a host belongs to', async () => {
    expect(await protium(sample(), 'stage', 'checkout.staging.example.com')).toMatchInlineSnapshot(`
      {
        "exit": 0,
        "stderr": "",
        "stdout": "host         checkout.staging.example.com
      stage        staging
      service      checkout
      environment  staging
      ",
      }
    `)
  })

  test('says it as JSON, of a preview too', async () => {
    const { stdout, exit } = await protium(sample(), 'stage', 'Checkout-PR-12.preview.example.com', '--json')

    expect(exit).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      command: 'stage',
      exit: 'done',
      host: 'checkout-pr-12.preview.example.com',
      stage: 'dev',
      service: 'checkout',
      environment: 'dev',
      preview: 12,
      problems: [],
      next: [],
    })
  })

  test('refuses a host that no stage claims', async () => {
    expect(await protium(sample(), 'stage', 'checkout.qa.example.com')).toMatchInlineSnapshot(`
      {
        "exit": 2,
        "stderr": "error  The host checkout.qa.example.com belongs to no stage of acme. Expected: a host such as checkout.dev.example.com, checkout.staging.example.com, checkout.example.com, checkout-pr-12.preview.example.com. Correct the host; the patterns are in \`catalog.yaml\`. [host-unclaimed]
      ",
        "stdout": "",
      }
    `)
  })

  test('refuses a catalog in which a host belongs to two stages', async () => {
    const folder = sample()
    edit(folder, 'catalog.yaml', { from: '{service}.staging.{domain}', to: '{service}.dev.{domain}' })

    expect(await protium(folder, 'stage', 'checkout.dev.example.com')).toMatchInlineSnapshot(`
      {
        "exit": 2,
        "stderr": "catalog.yaml:11:11  The hosts of the stage "staging" and of the stage "dev" are not told apart: a.dev.example.com would belong to both. Expected: patterns that no host can match together, such as "{service}.dev.{domain}" and "{service}.{domain}". Put the stage into a label of its own. [host-patterns-overlap]
         11 |     host: "{service}.dev.{domain}"
            |           ^
        catalog.yaml:8:11  the pattern of the stage "dev"
          8 |     host: "{service}.dev.{domain}"
            |           ^

      1 problem. Nothing was changed.

      Next
        node src/cli.ts explain host-patterns-overlap  what a code means
      ",
        "stdout": "",
      }
    `)
  })

  test('needs a catalog', async () => {
    expect(await protium(emptyFolder(), 'stage', 'checkout.dev.example.com')).toMatchInlineSnapshot(`
      {
        "exit": 2,
        "stderr": "catalog.yaml:1:1  There is no \`catalog.yaml\`. Expected: a file \`catalog.yaml\` at the root of the catalog, with the stages. Go to the folder of the catalog, or begin one. [missing-file]

      1 problem. Nothing was changed.

      Next
        node src/cli.ts explain missing-file  what a code means
      ",
        "stdout": "",
      }
    `)
  })
})

describe('protium explain', () => {
  test('explains a code', async () => {
    expect(await protium(emptyFolder(), 'explain', '[unknown-template]')).toMatchInlineSnapshot(`
      {
        "exit": 0,
        "stderr": "",
        "stdout": "unknown-template: The template is not in the catalog

      Why  A spec names a template that the catalog does not have, so nothing can be rendered.
      Fix  Correct the name in \`template:\`; the message names the nearest ones. \`node src/cli.ts validate\` checks again.
      ",
      }
    `)
  })

  test('names the nearest code for one that is not there', async () => {
    expect(await protium(emptyFolder(), 'explain', 'unknown-tempalte')).toMatchInlineSnapshot(`
      {
        "exit": 2,
        "stderr": "error  There is no problem code "unknown-tempalte". Did you mean "unknown-template"? List all of them: \`node src/cli.ts explain\`. [unknown-problem-code]
      ",
        "stdout": "",
      }
    `)
  })
})

describe('protium', () => {
  test('alone lists its commands', async () => {
    expect(await protium(emptyFolder())).toMatchInlineSnapshot(`
      {
        "exit": 0,
        "stderr": "",
        "stdout": "Protium turns a GitHub organisation into its own delivery platform.

      Usage  node src/cli.ts <command> [arguments] [options]

        start      Brings the sample organisation to life on this machine: every service in every stage, without an account.
        init       Begins a catalog: stages, accounts, templates and workflows that plan, and deploy nothing until it is said.
        add        Takes the repository of a service into the catalog: its service.yaml and workflows, as a pull request there, or as files.
        validate   Checks the catalog, the templates and every service, and renders all of it. Writes nothing.
        render     Renders units of the organisation, a Proton bundle with its spec, or one template. Deploys nothing.
        test       Renders the examples of templates, checks what comes out, and compares it with what is expected.
        plan       Shows what a deployment would change, resource by resource. Changes nothing.
        upgrade    Brings new versions of templates to those who run older ones, by pull requests in waves; or moves one service of this checkout.
        impact     Shows what a change of templates would do to every service and environment. Changes nothing.
        consumers  Reads the services in other repositories into a file, for \`impact\`. Changes nothing.
        deploy     Deploys services stage by stage, the environment of a stage first. Run again, it does what is left.
        resume     Goes on with what was held and may go on now: a soak or a freeze is over, somebody has approved, a runner was lost.
        rollback   Goes back to the last good deployment of a unit: the files of its commit, and the image that ran.
        lock       Keeps services, or one of their stages, from being deployed until the lock is given back.
        unlock     Gives back a lock; or breaks that of somebody else, which is recorded.
        cancel     Takes back what waits to be deployed, and the update of a stack that is under way: waits until what ran before runs again.
        remove     Deletes the stacks of units. What holds data stays until it is acknowledged; the files are not touched.
        status     Shows what runs where: for each service and stage the version, how its last deployment ended, since when, and its address; what waits, and what is locked.
        compare    Compares a service in two stages: what differs, who declared it, and what nobody did.
        drift      Looks for what was changed by hand in stacks, property by property; brings it back, or takes it into the files.
        stage      Says which stage a host belongs to.
        version    Says which number the version of each template must have, by what has changed since its last release. Names who runs a version that ends, or was taken back.
        release    Publishes each version of a template that is new: a tag, a release on GitHub, a record on the ledger. At a terminal it publishes nothing, and says what would be published.
        ledger     Checks the ledger of deployments and releases, as git has fetched it: that no record is missing, was changed, or was put in, and that tags are where they were.
        workflows  Shows the workflows that catalog.yaml makes: its stages as jobs. With --write, writes them.
        trust      Shows who may do what in the accounts, as CloudFormation that catalog.yaml makes. With --write, writes it.
        doctor     Looks whether everything around the catalog is as it needs it: GitHub, the accounts, the names. Changes nothing, and says how each gap is closed.
        explain    Explains a problem by its code, or a line of something rendered: the template and the inputs that it came from.

      Every command knows --json, --plain and --help. Exit codes: 0 done, 1 failed, 2 bad-input, 3 needs-approval, 4 different, 5 unfinished.
      ",
      }
    `)
  })

  test('names the nearest command for one that is not there', async () => {
    expect(await protium(emptyFolder(), 'validte')).toMatchInlineSnapshot(`
      {
        "exit": 2,
        "stderr": "error  There is no command "validte". Did you mean "validate"? List them: \`node src/cli.ts help\`. [unknown-command]

      Next
        node src/cli.ts help  all commands
      ",
        "stdout": "",
      }
    `)
  })

  test('tells all mistakes of a line at once, and does nothing', async () => {
    expect(await protium(emptyFolder(), 'stage', '--jsno', '--root')).toMatchInlineSnapshot(`
      {
        "exit": 2,
        "stderr": "error  stage needs <host>: a host as it stands in a service file: checkout.dev.example.com. See \`node src/cli.ts help stage\`. [missing-argument]
      error  --root needs a value after it. See \`node src/cli.ts help stage\`. [option-value]
      error  stage has no option --jsno. Did you mean "--json"? See \`node src/cli.ts help stage\`. [unknown-option]
      ",
        "stdout": "",
      }
    `)
  })

  test('prints one JSON document for mistakes too', async () => {
    const { stdout, stderr, exit } = await protium(emptyFolder(), 'explain', 'nonsense', '--json')

    expect({ stderr, exit }).toEqual({ stderr: '', exit: 2 })
    expect(JSON.parse(stdout)).toMatchObject({
      command: 'explain',
      exit: 'bad-input',
      problems: [{ code: 'unknown-problem-code' }],
    })
  })

  test('ends quietly when its reader has seen enough', () => {
    const folder = emptyFolder()
    writeFileSync(
      join(folder, 'run.sh'),
      `"$1" "$2" explain 2>err.txt | head -1 >out.txt; echo "\${PIPESTATUS[0]}"; grep -c -e EPIPE -e bug err.txt\n`,
    )

    expect(shell(folder, 'run.sh')).toBe('0\n0\n')
  })
})
