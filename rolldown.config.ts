import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OutputOptions, Plugin } from 'rolldown'
import { defineConfig } from 'rolldown'
import { licences } from './scripts/licences.ts'
import { problemCodes } from './src/core/problem-codes.ts'

const root = import.meta.dirname
const leftOut = join(root, 'scripts/left-out.ts')

/** The actions that are built, each from its `actions/<verb>/main.ts`. */
const verbs = ['deploy', 'plan', 'validate']

/** How `dist/` is laid out. */
export const output: OutputOptions = {
  dir: join(root, 'dist'),
  format: 'esm',
  minify: true,
  comments: false,
  // Names without a digest, so that a difference between two builds is the difference of their contents.
  chunkFileNames: 'shared/[name].js',
  codeSplitting: {
    groups: [
      { name: 'github', test: /node_modules\/(?:@octokit|bottleneck)\// },
      { name: 'libraries', test: /node_modules\// },
      { name: 'core', test: /src\/core\// },
      { name: 'machine', test: /src\/adapters\/(?:local|disk|entries|records)/ },
    ],
  },
}

/** Builds the actions into `dist/`, with what they share beside them; `npm run build` writes it. */
export default defineConfig({
  cwd: root,
  input: Object.fromEntries(verbs.map((verb) => [verb, join(root, 'actions', verb, 'main.ts')])),
  platform: 'node',
  resolve: {
    // The ES modules of a package rather than its CommonJS: of them, what is not used is left out.
    mainFields: ['module', 'main'],
    alias: {
      '@actions/http-client/lib/auth': leftOut,
      '@actions/http-client': leftOut,
      '@actions/exec': leftOut,
    },
  },
  output,
  plugins: [withoutPages(), alone()],
})

/** Of the problem codes an action needs the words that there are; what they mean is told by `protium explain`. */
function withoutPages(): Plugin {
  return {
    name: 'without-pages',
    load(id) {
      if (id !== join(root, 'src/core/problem-codes.ts')) return null
      const names = Object.fromEntries(Object.keys(problemCodes).map((code) => [code, 1]))
      return `export const problemCodes = ${JSON.stringify(names)}`
    },
  }
}

/** What the folder needs to stand alone, wherever it is copied to: the licences, and that its files are ES modules. */
function alone(): Plugin {
  return {
    name: 'alone',
    generateBundle(_options, bundle) {
      for (const part of Object.values(bundle)) if (part.type === 'chunk') part.code = inAscii(part.code)
      const modules = Object.values(bundle).flatMap((part) =>
        part.type === 'chunk'
          ? Object.entries(part.modules).flatMap(([id, { code }]) => (code === null ? [] : [id]))
          : [],
      )
      const { name, version, license }: Readonly<Record<string, string>> = JSON.parse(
        readFileSync(join(root, 'package.json'), 'utf8'),
      )
      const about = { name, version, license, private: true, type: 'module' }
      this.emitFile({ type: 'asset', fileName: 'package.json', source: `${JSON.stringify(about, null, 2)}\n` })
      this.emitFile({ type: 'asset', fileName: 'LICENSES.txt', source: licences(modules) })
    },
  }
}

/** One character beyond ASCII makes the text of a whole file twice as long in memory, and slower to read at every start. */
function inAscii(code: string): string {
  return code.replaceAll(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
