import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sentences } from '../../scripts/bundle/sentences.ts'

/** Long texts wherever code may have one, in a file that is built and run, and run as it is. */
const source = `
import { late } from './other.js'
export const atTheBegin = ['a text that the module needs to begin with']
function tag(parts, ...values) { return [parts.raw.join('|'), ...values].join('/') }
export function everything(name) {
  'use strict of a kind that nobody knows'
  const keyed = { 'a key that is longer than most of them': 1, ['a computed key that is long as well']: 2 }
  const object = { method: () => \`what "\${name}" is called, and \${\`a template in a template: \${name}\`} at the end\` }
  return [
    atTheBegin, keyed, object.method(), first(name), yes(name), late(),
    tag\`a template that \${name} reads as it is \\n written\`,
    'quotes "\\' and \\\\ and \${braces} and \\u2028 lines \\u{1F600}', \`back\\\`ticks and \\\${dollars} and \\n line ends\`,
    typeof 'what is the type of this long text',
  ]
}
function first(name) { if (name === 'nobody in particular') return'it is nobody whom we know'; return'somebody whom we know:' + name }
const yes = (name) => name in { 'somebody else altogether': 1 } ? 'this is somebody else altogether' : void 'the value of this text is lost'
const more = () => ['${'filling '.repeat(20)}', '${'padding '.repeat(20)}', '${'stuffing '.repeat(20)}']
export const rest = () => more()
`
const other = "export const late = () => 'a text of another file that is in the same chunk'\n"

describe('the texts of a build', () => {
  const folder = mkdtempSync(join(tmpdir(), 'protium-sentences-'))
  let built = ''
  beforeAll(async () => {
    writeFileSync(join(folder, 'source.js'), source)
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(folder, 'other.js'), other)
    const build = await rolldown({
      input: { main: join(folder, 'source.js') },
      platform: 'node',
      plugins: [sentences({ chunks: /(?:source|other)\.js$/u })],
    })
    const { output } = await build.write({ dir: join(folder, 'dist'), format: 'esm', minify: true })
    built = output.map((part) => (part.type === 'chunk' ? part.code : '')).join('')
    writeFileSync(join(folder, 'dist/package.json'), '{ "type": "module" }')
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('are those of the sources, wherever they stand', async () => {
    const run = async (file: string): Promise<unknown> => {
      const { everything, rest } = await import(pathToFileURL(join(folder, file)).href)
      return [everything('ada'), everything('nobody in particular'), everything('somebody else altogether'), rest()]
    }
    expect(await run('dist/main.js')).toEqual(await run('source.js'))
  })

  test('lie beside the code, save those that a module begins with and those that a tag reads', () => {
    expect(built).not.toContain('somebody whom we know')
    expect(built).not.toContain('filling filling')
    expect(built).not.toContain('a template in a template')
    expect(built).toContain('a text that the module needs to begin with')
    expect(built).toContain('reads as it is')
  })
})
