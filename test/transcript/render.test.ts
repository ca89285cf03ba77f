import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { emptyFolder, protium, sample, snapshotOf, write } from './terminal.ts'

const bundles = join(import.meta.dirname, '..', '..', '..', 'shared', 'proton', 'bundles')

describe('protium render --text', () => {
  test('prints exactly what the template gives, and nothing else', async () => {
    const folder = emptyFolder()
    write(folder, 'list.txt', 'port {{ port }}\n{% for zone in zones %}- {{ zone }}\n{% endfor %}{{ ratio }}\u001b[0m')
    write(folder, 'context.json', '{ "port": 80, "zones": ["a", "b"], "ratio": 2.0 }')

    expect(await protium(folder, 'render', '--text', 'list.txt', '--context', 'context.json')).toEqual({
      stdout: 'port 80\n- a\n- b\n2.0\u001b[0m',
      stderr: '',
      exit: 0,
    })
  })

  test('takes JSON itself, and nothing at all', async () => {
    const folder = emptyFolder()
    write(folder, 'hello.txt', 'hello {{ who | default("you") }}')

    expect(await protium(folder, 'render', '--text', 'hello.txt', '--context', '{"who": "ana"}')).toMatchObject({
      stdout: 'hello ana',
      exit: 0,
    })
    expect(await protium(folder, 'render', '--text', 'hello.txt')).toMatchObject({ stdout: 'hello you', exit: 0 })
  })

  test('refuses a template with its problems on standard error, and prints nothing', async () => {
    const folder = emptyFolder()
    write(folder, 'broken.txt', 'line one\n{{ service.nme }}\n')

    expect(await protium(folder, 'render', '--text', 'broken.txt', '--context', '{"service": {"name": "cart"}}'))
      .toMatchInlineSnapshot(`
      {
        "exit": 2,
        "stderr": "broken.txt:2:12  service.nme is not defined: service has no "nme". Did you mean "name"? Expected: one of the names that are there: name. Correct the name, or write \`| default("…")\` or \`is defined\` where it may be absent. [undefined-variable]
          2 | {{ service.nme }}
            |            ^

      1 problem. Nothing was changed.

      Next
        node src/cli.ts explain undefined-variable  what a code means
      ",
        "stdout": "",
      }
    `)
  })

  test.each([
    ['no JSON', '{"a": ', 'yaml-syntax'],
    ['no map', '[1]', 'context-shape'],
  ])('refuses a context that is %s', async (_, text, code) => {
    const folder = emptyFolder()
    write(folder, 'a.txt', 'a')
    write(folder, 'context.json', text)

    const { stdout, stderr, exit } = await protium(folder, 'render', '--text', 'a.txt', '--context', 'context.json')

    expect({ stdout, exit }).toEqual({ stdout: '', exit: 2 })
    expect(stderr).toContain(`[${code}]`)
  })

  test('is one thing to render, a bundle another', async () => {
    expect(await protium(emptyFolder(), 'render', 'checkout', '--text', 'a.txt', '--bundle', 'b'))
      .toMatchInlineSnapshot(`
      {
        "exit": 2,
        "stderr": "error  Units, --bundle and --text are three different things to render. Give one of them. See \`node src/cli.ts help render\`. [option-value]
      ",
        "stdout": "",
      }
    `)
  })
})

describe('protium render --bundle', () => {
  test('renders each instance of a spec, and the pipeline', async () => {
    const folder = emptyFolder()
    bundleIn(folder)

    const run = await protium(
      folder,
      'render',
      '--bundle',
      'b/v1',
      '--spec',
      'spec.yaml',
      '--context',
      'context.json',
      '--out',
      'out',
    )

    expect(run).toMatchObject({ exit: 0, stdout: '3 files written below out.\n' })
    expect(snapshotOf(join(folder, 'out'))).toEqual({
      'one/instance_infrastructure/stack.yaml': 'Description: web one 8080 vpc-1',
      'two/instance_infrastructure/stack.yaml': 'Description: web two 9090 vpc-1',
      'pipeline/pipeline_infrastructure/pipe.yaml': 'Description: one,two main',
    })
  })

  test('writes nothing when one of them cannot be rendered', async () => {
    const folder = emptyFolder()
    bundleIn(folder)
    write(
      folder,
      'context.json',
      '{ "environment": { "name": "env", "account_id": "1", "outputs": {} }, "service": { "name": "web" } }',
    )

    const { stdout, stderr, exit } = await protium(
      folder,
      'render',
      '--bundle',
      'b/v1',
      '--spec',
      'spec.yaml',
      '--context',
      'context.json',
      '--out',
      'out',
    )

    expect({ stdout, exit }).toEqual({ stdout: '', exit: 2 })
    expect(stderr).toContain('[undefined-variable]')
    expect(existsSync(join(folder, 'out'))).toBe(false)
  })

  test.skipIf(!existsSync(bundles)).each(bundleNames())(
    'renders the bundle %s of AWS’s samples (beside the repository) as Jinja2 does',
    async (name) => {
      const folder = emptyFolder()
      const given = join(bundles, name)
      const run = await protium(
        folder,
        'render',
        '--bundle',
        join(given, 'v1'),
        '--spec',
        join(given, 'spec.yaml'),
        '--context',
        join(given, 'context.json'),
        '--out',
        'out',
      )

      expect(run.exit).toBe(0)
      expect(snapshotOf(join(folder, 'out'))).toEqual(snapshotOf(join(given, 'expected')))
    },
  )
})

describe('protium render', () => {
  test('renders units of the organisation to files', async () => {
    const folder = sample()

    const run = await protium(folder, 'render', 'checkout', '--stage', 'dev', '--stage', 'prod', '--out', 'out')

    expect(run).toMatchObject({ exit: 0, stdout: '2 files written below out.\n' })
    expect(Object.keys(snapshotOf(join(folder, 'out')))).toEqual([
      'checkout/dev/instance_infrastructure/cloudformation.yaml',
      'checkout/prod/instance_infrastructure/cloudformation.yaml',
    ])
  })

  test('names the nearest service for one that there is not', async () => {
    expect(await protium(sample(), 'render', 'chekout', '--stage', 'live')).toMatchInlineSnapshot(`
      {
        "exit": 2,
        "stderr": "error  There is no service "chekout". Did you mean "checkout"? Expected: one of checkout, inventory, receipts, storefront. Correct the name. [unknown-unit]
      error  There is no stage "live". Expected: one of dev, staging, prod. Correct the name. [unknown-unit]
      ",
        "stdout": "",
      }
    `)
  })
})

function bundleNames(): string[] {
  if (!existsSync(bundles)) return ['none']
  return readdirSync(bundles).filter(
    (name) => existsSync(join(bundles, name, 'spec.yaml')) && existsSync(join(bundles, name, 'expected')),
  )
}

/** A small bundle of a service, its spec, and what is known besides. */
function bundleIn(folder: string): void {
  for (const path of ['b/v1/schema', 'b/v1/instance_infrastructure', 'b/v1/pipeline_infrastructure'])
    mkdirSync(join(folder, path), { recursive: true })
  write(
    folder,
    'b/v1/schema/schema.yaml',
    [
      'schema:',
      '  format: { openapi: "3.0.0" }',
      '  service_input_type: S',
      '  pipeline_input_type: P',
      '  types:',
      '    S: { type: object, properties: { port: { type: number, default: 8080 } } }',
      '    P: { type: object, properties: { branch: { type: string } } }',
      '',
    ].join('\n'),
  )
  write(folder, 'b/v1/.compatible-envs', 'home:1\n')
  for (const [part, file] of [
    ['instance_infrastructure', 'stack.yaml'],
    ['pipeline_infrastructure', 'pipe.yaml'],
  ]) {
    write(
      folder,
      `b/v1/${part}/manifest.yaml`,
      `infrastructure:\n  templates: [{ file: ${file}, rendering_engine: jinja, template_language: cloudformation }]\n`,
    )
  }
  write(
    folder,
    'b/v1/instance_infrastructure/stack.yaml',
    'Description: {{ service.name }} {{ service_instance.name }} {{ service_instance.inputs.port }} {{ environment.outputs.Vpc }}\n',
  )
  write(
    folder,
    'b/v1/pipeline_infrastructure/pipe.yaml',
    'Description: {% for i in service_instances %}{{ i.name }}{{ "" if loop.last else "," }}{% endfor %} {{ pipeline.inputs.branch }}\n',
  )
  write(
    folder,
    'spec.yaml',
    'proton: ServiceSpec\npipeline: { branch: main }\ninstances:\n  - { name: one, environment: env, spec: {} }\n  - { name: two, environment: env, spec: { port: 9090 } }\n',
  )
  write(
    folder,
    'context.json',
    '{ "environment": { "name": "env", "account_id": "1", "outputs": { "Vpc": "vpc-1" } }, "service": { "name": "web" } }',
  )
}
