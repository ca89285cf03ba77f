import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readCatalog } from '../../src/core/catalog.ts'
import { catalogWorkflows } from '../../src/core/workflows.ts'
import { changes, copyFor } from '../e2e/copy.ts'

const root = join(import.meta.dirname, '../..')
const workflows = globSync('workflows/*/*.yml', { cwd: root }).toSorted()
const at = { repository: 'acme/catalog', commit: '0123456789abcdef0123456789abcdef01234567' }

/** The end-to-end tests run copies of the workflows, since act does not know all that GitHub does. */
describe('the copies of the workflows that act runs', () => {
  test.each(workflows)('%s differs only in the lines that act does not know', (path) => {
    const text = readFileSync(join(root, path), 'utf8')
    const unknown = /^\s+queue: max$|^\s+deployment: false$|uses: \$\/|job\.workflow_(repository|sha)/
    const known = text.split('\n').filter((line) => /^\s*#/.test(line) || !unknown.test(line))
    const copied = copyFor(text, at)
      .split('\n')
      .filter((line) => !/acme\/catalog\/\S+@0123|'acme\/catalog'|'0123/.test(line))

    expect(copied).toEqual(known)
  })

  test('nothing that act does not know is left in them', () => {
    const texts = workflows.map((path) => copyFor(readFileSync(join(root, path), 'utf8'), at))

    expect(texts.filter((text) => /^\s*[^#\s].*(\$\/|job\.workflow_|queue:|deployment: false)/m.test(text))).toEqual([])
  })

  test('each change is needed by some workflow', () => {
    const texts = [...workflows.map((path) => readFileSync(join(root, path), 'utf8')), ...trusting()]
    const lines = texts.flatMap((text) => text.split('\n'))

    expect(changes.filter(({ change }) => lines.every((line) => change(line, at) === line))).toEqual([])
  })

  test('a caller has none of them, so it runs as it is', () => {
    const callers = workflows.filter((path) => path.startsWith('workflows/service/'))

    expect(callers).toHaveLength(6)
    for (const path of callers) {
      const text = readFileSync(join(root, path), 'utf8')
      expect(copyFor(text, at)).toBe(text)
    }
  })
})

/** The workflows of the sample, if its stages lay in accounts that trust its repository. */
function trusting(): readonly string[] {
  const role = 'arn:aws:iam::111111111111:role/protium/cloudformation'
  const text = readFileSync(join(root, 'catalog.yaml'), 'utf8').replaceAll(
    /^( +)environment: (\w+)$/gm,
    `$&\n$1stack: { service_role: "${role}-$2" }`,
  )
  const trust = 'trust: { organisation: "1", repositories: { acme/catalog: { id: "2" } } }\n'
  const environments = globSync('environments/*.yaml', { cwd: root }).map((path): [string, string] => [
    path,
    readFileSync(join(root, path), 'utf8')
      .replace('provisioner: local', 'provisioner: cloudformation')
      .replace(/^account: "\d+"/m, 'account: "111111111111"'),
  ])
  const read = readCatalog(new Map([['catalog.yaml', `${text}${trust}`], ...environments]))
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join('\n'))
  return [...catalogWorkflows(read.value).values()]
}
