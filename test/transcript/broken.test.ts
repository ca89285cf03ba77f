import { chmodSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { edit, protium, protiumWith, sample, snapshotOf, write } from './terminal.ts'

const checkout = 'services/checkout/service.yaml'
const service = 'templates/fargate-service/v2'
const manifest = `${service}/instance_infrastructure/manifest.yaml`
const template = `${service}/instance_infrastructure/cloudformation.yaml`

type Case = {
  readonly what: string
  readonly broken: (folder: string) => void
  /** Every problem that is told: `<code> <file>:<line>`. */
  readonly told: readonly string[]
  /** What the words say besides. */
  readonly says?: readonly string[]
}

const cases: readonly Case[] = [
  {
    what: 'an unknown template',
    broken: (folder) => edit(folder, checkout, { from: 'fargate-service@2.3.0', to: 'fargate-servise@2.3.0' }),
    told: [`unknown-template ${checkout}:3`],
    says: ['Did you mean "fargate-service"?'],
  },
  {
    what: 'a version that there is not',
    broken: (folder) => edit(folder, checkout, { from: 'fargate-service@2.3.0', to: 'fargate-service@2.9.0' }),
    told: [`unknown-version ${checkout}:3`],
    says: ['2.3.0'],
  },
  {
    what: 'a host that no stage claims',
    broken: (folder) => edit(folder, checkout, { from: 'checkout.dev.example.com', to: 'checkout.qa.example.com' }),
    told: [`host-unclaimed ${checkout}:6`],
  },
  {
    what: 'a host that two stages claim',
    broken: (folder) =>
      edit(folder, 'catalog.yaml', { from: '{service}.staging.{domain}', to: '{service}.dev.{domain}' }),
    told: [
      'host-patterns-overlap catalog.yaml:11',
      ...['checkout', 'inventory', 'storefront'].flatMap((name) => [
        `host-ambiguous services/${name}/service.yaml:6`,
        `host-unclaimed services/${name}/service.yaml:7`,
      ]),
    ],
  },
  {
    what: 'a host that two services claim',
    broken: (folder) =>
      edit(folder, 'services/inventory/service.yaml', {
        from: 'inventory.dev.example.com',
        to: 'checkout.dev.example.com',
      }),
    told: ['host-service services/inventory/service.yaml:6', 'host-taken services/inventory/service.yaml:6'],
  },
  {
    what: 'a name that two services claim',
    broken: (folder) =>
      edit(folder, 'services/inventory/service.yaml', { from: 'service: inventory', to: 'service: checkout' }),
    told: [
      'host-service services/inventory/service.yaml:6',
      'host-service services/inventory/service.yaml:7',
      'host-service services/inventory/service.yaml:8',
      'service-twice services/inventory/service.yaml:2',
    ],
  },
  {
    what: 'an unknown input',
    broken: (folder) => edit(folder, checkout, { from: 'port: 8080', to: 'prot: 8080' }),
    told: [`unknown-input ${checkout}:10`],
    says: ['Did you mean "port"?'],
  },
  {
    what: 'an input of another type',
    broken: (folder) => edit(folder, checkout, { from: 'port: 8080', to: 'port: many' }),
    told: [`input-type ${checkout}:10`],
  },
  {
    what: 'an input out of its range',
    broken: (folder) => edit(folder, checkout, { from: 'port: 8080', to: 'port: 80800\n  cpu: 300' }),
    told: [`input-value ${checkout}:10`, `input-value ${checkout}:11`],
  },
  {
    what: 'an input that is missing',
    broken: (folder) => edit(folder, 'environments/dev.yaml', { from: '  domain: dev.example.com\n', to: '' }),
    told: ['missing-input environments/dev.yaml:7'],
  },
  {
    what: 'invalid YAML',
    broken: (folder) => edit(folder, checkout, { from: 'owner: money', to: 'owner: [money' }),
    told: [`yaml-syntax ${checkout}:5`],
  },
  {
    what: 'a key twice',
    broken: (folder) => edit(folder, checkout, { from: '  port: 8080', to: '  port: 8080\n  port: 8081' }),
    told: [`yaml-duplicate-key ${checkout}:11`],
  },
  {
    what: 'a bomb of aliases',
    broken: (folder) => {
      const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
      for (const [of, name] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg', 'gh', 'hi'].map((pair) => [
        pair.charAt(0),
        pair.charAt(1),
      ])) {
        bomb.push(`${name}: &${name} [*${of}, *${of}, *${of}, *${of}, *${of}, *${of}, *${of}, *${of}, *${of}, *${of}]`)
      }
      write(folder, checkout, `${bomb.join('\n')}\n`)
    },
    told: [`yaml-alias ${checkout}:1`, ...Array.from({ length: 9 }, () => `yaml-alias ${checkout}:2`)],
  },
  {
    what: 'a file that is too long',
    broken: (folder) => write(folder, checkout, `service: checkout\n${'# long\n'.repeat(200_000)}`),
    told: [`file-too-large ${checkout}:1`],
  },
  {
    what: 'a file that is not UTF-8',
    broken: (folder) => write(folder, checkout, Uint8Array.of(0x73, 0x3a, 0x20, 0xff, 0xfe)),
    told: [`file-encoding ${checkout}:1`],
  },
  {
    what: 'a manifest that points above its bundle',
    broken: (folder) =>
      edit(folder, manifest, { from: 'file: cloudformation.yaml', to: 'file: ../../../../catalog.yaml' }),
    told: [`path-outside-bundle ${manifest}:3`],
  },
  {
    what: 'a manifest that points to an absolute path',
    broken: (folder) => edit(folder, manifest, { from: 'file: cloudformation.yaml', to: 'file: /etc/passwd' }),
    told: [`path-outside-bundle ${manifest}:3`],
  },
  {
    what: 'a manifest that points through a link',
    broken: (folder) => {
      rmSync(join(folder, template))
      symlinkSync('/etc/passwd', join(folder, template))
    },
    told: [`not-a-file ${template}:1`, `missing-file ${manifest}:3`],
  },
  {
    what: 'an unknown engine',
    broken: (folder) => edit(folder, manifest, { from: 'rendering_engine: jinja', to: 'rendering_engine: ginger' }),
    told: [`unknown-engine ${manifest}:4`],
  },
  {
    what: 'an undefined variable in a template',
    broken: (folder) =>
      edit(folder, template, { from: 'What {{ service.name }} itself', to: 'What {{ service.title }} itself' }),
    told: [`contract-namespace ${template}:30`],
    says: ['service.title', 'service.branch_name'],
  },
  {
    what: 'a stack over the limits of CloudFormation',
    broken: (folder) =>
      edit(folder, template, {
        from: 'Resources:\n',
        to: 'Resources:\n{%- for number in range(501) %}\n  Handle{{ number }}:\n    Type: AWS::CloudFormation::WaitConditionHandle\n{%- endfor %}\n',
      }),
    told: [`stack-limit ${template}:24`],
    says: ['500'],
  },
]

describe('protium validate', () => {
  test.each(cases)('refuses $what', async ({ broken, told, says = [] }) => {
    const folder = sample()
    broken(folder)
    const before = snapshotOf(folder)

    const { stdout, stderr, exit } = await protium(folder, 'validate')

    expect({ told: toldIn(stderr), exit, stdout }).toEqual({ told: [...told].toSorted(), exit: 2, stdout: '' })
    for (const words of says) expect(stderr).toContain(words)
    expect(snapshotOf(folder)).toEqual(before)
    expect(stderr).toMatchSnapshot()
  })

  test('tells the problems of all files at once, in their order', async () => {
    const folder = sample()
    edit(folder, 'catalog.yaml', { from: 'environment: staging', to: 'environment: stagging' })
    edit(folder, checkout, { from: 'port: 8080', to: 'prot: 8080' })
    edit(folder, 'services/receipts/service.yaml', { from: 'queue-worker@1.0.0', to: 'queue-worker@3.0.0' })

    const { stderr, exit } = await protium(folder, 'validate')

    expect(exit).toBe(2)
    expect(stderr).toMatchInlineSnapshot(`
      "catalog.yaml:12:18  There is no environment "stagging". Did you mean "staging"? Expected: one of dev, prod, staging. Correct the name, or add \`environments/stagging.yaml\`. [unknown-environment]
         12 |     environment: stagging
            |                  ^
      services/checkout/service.yaml:10:3  The template has no input "prot". Did you mean "port"? Expected: one of image, public, port, health_path, health_grace_seconds, command, cpu, memory_per_cpu, architecture, writable, configuration, secrets, secrets_key, calls, sends_to, egress_ports, managed_policies, desired_count, maximum_count, cpu_target and 14 more. Correct the name, or remove the line. [unknown-input]
         10 |   prot: 8080
            |   ^
      services/receipts/service.yaml:3:11  The template "queue-worker" has no version 3.0.0. Expected: one of 1.0.0. Use 1.0.0, or fetch the tags if the version was released (\`git fetch --tags\`). [unknown-version]
          3 | template: queue-worker@3.0.0
            |           ^

      3 problems. Nothing was changed.

      Next
        node src/cli.ts explain unknown-environment  what a code means
      "
    `)
  })

  test('finds nothing in the sample', async () => {
    expect(await protium(sample(), 'validate')).toMatchInlineSnapshot(`
      {
        "exit": 0,
        "stderr": "
      Next
        node src/cli.ts plan  what a deployment would change
      ",
        "stdout": "Everything is in order: acme has 15 units with 376 resources, and each renders within the rules.
      ",
      }
    `)
  })

  test('tells problems as data', async () => {
    const folder = sample()
    edit(folder, checkout, { from: 'port: 8080', to: 'prot: 8080' })

    const { stdout, stderr, exit } = await protium(folder, 'validate', '--json')

    expect({ stderr, exit }).toEqual({ stderr: '', exit: 2 })
    expect(JSON.parse(stdout)).toMatchObject({
      command: 'validate',
      exit: 'bad-input',
      problems: [{ code: 'unknown-input', severity: 'error', at: { file: checkout, line: 10, column: 3 } }],
    })
  })

  test('needs a folder', async () => {
    expect(await protium(sample(), 'validate', 'nowhere')).toMatchInlineSnapshot(`
      {
        "exit": 2,
        "stderr": "Refused  There is no folder "nowhere". Correct the path, or make the folder. [no-folder]
      ",
        "stdout": "",
      }
    `)
  })
})

describe('a state folder', () => {
  test('of a newer format is refused, and left as it is', async () => {
    const folder = sample()
    await protium(folder, 'start')
    write(folder, '.protium/stacks/format.json', '{ "format": 99 }\n')
    const before = snapshotOf(folder)

    expect(await protium(folder, 'deploy')).toMatchInlineSnapshot(`
      {
        "exit": 1,
        "stderr": "Refused  ".protium/stacks/format.json" was written by a newer version of Protium (format 99; this version knows 1). Use that version, or another state folder. [state-newer-format]
      ",
        "stdout": "",
      }
    `)
    expect(snapshotOf(folder)).toEqual(before)
  })

  test('that may not be written to is refused', async () => {
    const folder = sample()
    mkdirSync(join(folder, '.protium'))
    chmodSync(join(folder, '.protium'), 0o555)
    chmodSync(folder, 0o755)

    // Root may write anywhere, so it becomes somebody else.
    const run = await protiumWith(process.getuid?.() === 0 ? { uid: 65_534 } : {}, folder, 'start')

    expect({ ...run, stderr: run.stderr.replaceAll(folder, '') }).toMatchInlineSnapshot(`
      {
        "exit": 1,
        "stderr": "  read                   acme: 3 stages, 4 services, 4 templates <time>
      Refused  "/.protium/stacks" was not written: it may not be written to (EACCES). Choose a folder that you may write to, or change the rights of this one. [disk-read-only]
      ",
        "stdout": "",
      }
    `)
  })

  test('that is a file is refused', async () => {
    const folder = sample()
    write(folder, '.protium', '')

    const run = await protium(folder, 'start')

    expect({ ...run, stderr: run.stderr.replaceAll(folder, '') }).toMatchInlineSnapshot(`
      {
        "exit": 1,
        "stderr": "  read                   acme: 3 stages, 4 services, 4 templates <time>
      Refused  "/.protium/stacks" was not written: something else has that name (ENOTDIR). Move it away, or choose another folder to write to. [path-taken]
      ",
        "stdout": "",
      }
    `)
  })
})

/** `<code> <file>:<line>` of each problem that was printed. */
function toldIn(stderr: string): string[] {
  return [...stderr.matchAll(/^(\S+?):(\d+):\d+ {2}(?:.*)\[([a-z-]+)\]$/gmu)]
    .map(([, file, line, code]) => `${code} ${file}:${line}`)
    .toSorted()
}
