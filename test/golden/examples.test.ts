import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readTree } from '../../src/adapters/disk.ts'
import { readCatalog } from '../../src/core/catalog.ts'
import { compareExample, environmentFacts, type Example, readExamples, renderExample, renderExampleSkeleton } from '../../src/core/examples.ts'

const root = join(import.meta.dirname, '../..')
const { tree } = await readTree(root, (path) => /^(?:catalog\.yaml$|environments\/|templates\/)/u.test(path))
const catalog = readCatalog(tree)
if (!catalog.ok) throw new Error(catalog.problems.map(({ message }) => message).join('\n'))
const { stages, templates } = catalog.value
const read = [...templates.values()].flatMap(({ bundles }) => [...bundles.values()].map(readExamples))
const examples = read.flatMap((each) => each.examples.map((example) => ({ title: titleOf(example), example })))

function titleOf({ bundle, name }: Example): string {
  return `${bundle.template}/${name}`
}

// cfn-lint judges the same renderings in sample.test.ts.
describe('the examples of the sample’s templates', () => {
  test('can all be read, and every template has some', () => {
    expect(read.flatMap(({ problems }) => problems)).toEqual([])
    const tried = new Set(examples.map(({ example }) => example.bundle.template))
    expect([...tried]).toEqual([...templates.keys()])
  })

  test.each(examples)('$title renders within the rules, and exactly as expected', ({ example }) => {
    const home = environmentFacts(example.context).name
    const production = stages.some((stage) => stage.production && stage.environment === home)
    const rendered = renderExample(example, { production })
    const skeleton = renderExampleSkeleton(example)
    expect([...rendered.problems, ...skeleton.problems]).toEqual([])
    const texts = new Map(rendered.ok ? [...rendered.value].map(([file, { text }]) => [file, text]) : [])
    if (skeleton.ok) for (const [file, text] of skeleton.value) texts.set(file, text)
    expect(texts.size).toBeGreaterThan(0)
    expect(compareExample(example, texts).filter(({ is }) => is !== 'same')).toEqual([])
  })

  test('are what Jinja2 itself renders', ({ skip }) => {
    const known = spawnSync('python3', ['-c', 'import jinja2, yaml; print(jinja2.__version__)'], { encoding: 'utf8' })
    if (known.stdout?.trim() !== '3.1.6') skip('Python with jinja2 3.1.6 and PyYAML is not installed')
    const { stdout, stderr, status } = spawnSync('python3', [join(root, 'scripts', 'jinja-examples.py')], { encoding: 'utf8' })
    expect({ stdout, stderr, status }).toEqual({
      stdout: `${examples.length} files of ${examples.length} examples rendered with Jinja2 3.1.6, 0 different\n`,
      stderr: '',
      status: 0,
    })
  })
})
