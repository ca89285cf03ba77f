import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OutputOptions, Plugin } from 'rolldown'
import { defineConfig } from 'rolldown'
import { builtin } from './scripts/bundle/builtin.ts'
import { constantsOnly } from './scripts/bundle/constants.ts'
import { instead } from './scripts/bundle/instead.ts'
import { onlyUsedEndpoints } from './scripts/bundle/endpoints.ts'
import { methodsOnly } from './scripts/bundle/methods.ts'
import { packed } from './scripts/bundle/packed.ts'
import { pure } from './scripts/bundle/pure.ts'
import { sentences } from './scripts/bundle/sentences.ts'
import { silent } from './scripts/bundle/silent.ts'
import { licences } from './scripts/licences.ts'
import { problemCodes } from './src/core/problem-codes.ts'

const root = import.meta.dirname
const standIn = (name: string): string => join(root, 'scripts/bundle/stand-ins', `${name}.ts`)

/** The actions that are built, each from its `actions/<verb>/main.ts`. */
const verbs = [
  'cancel',
  'consumers',
  'deploy',
  'doctor',
  'impact',
  'lock',
  'plan',
  'release',
  'resume',
  'rollback',
  'upgrade',
  'validate',
]

/**
 * What is bundled in the place of whole packages. `test/repo/bundle.test.ts` and `test/repo/stand-ins.test.ts` prove that what
 * we use of them works as with the packages themselves.
 */
const packages: Readonly<Record<string, string>> = {
  '@actions/exec': standIn('http-client'),
  '@actions/http-client': standIn('http-client'),
  '@actions/http-client/lib/auth': standIn('http-client'),
  '@aws/lambda-invoke-store': standIn('invoke-store'),
  '@aws-sdk/client-cloudtrail': standIn('evidence'),
  '@aws-sdk/client-cloudwatch-logs': standIn('evidence'),
  '@aws-sdk/client-ecs': standIn('evidence'),
  '@aws-sdk/client-elastic-load-balancing-v2': standIn('evidence'),
  '@aws-sdk/client-lambda': standIn('evidence'),
  '@aws-sdk/client-s3': standIn('s3'),
  '@aws-sdk/credential-provider-login': standIn('login'),
  '@aws-sdk/credential-provider-sso': standIn('sso'),
  // The SDK has a smaller STS for itself beside the whole one, which is here anyway.
  '@aws-sdk/nested-clients/sts': join(root, 'node_modules/@aws-sdk/client-sts/dist-es/index.js'),
  '@noble/hashes/sha2.js': standIn('sha2'),
  '@smithy/core/event-streams': standIn('event-streams'),
  undici: standIn('http-client'),
  // The same as ES modules, of which only what is used is bundled.
  yaml: join(root, 'node_modules/yaml/browser/index.js'),
}

/** What is bundled in the place of modules of packages. */
const modules: Record<string, string> = {
  // The event is read once, by src/core/event.ts, which checks it.
  '@actions/github/lib/context.js': 'export class Context {}',
  // Requests that are signed for several regions at once; we send none.
  '@aws-sdk/signature-v4-multi-region/dist-es/index.js': `
    import { SignatureV4 } from '@smithy/signature-v4'
    export class SignatureV4MultiRegion extends SignatureV4 {
      static sigv4aDependency() { return 'none' }
    }`,
  'yaml/browser/dist/stringify/stringify.js': `
    export const createStringifyContext = () => { throw new Error('The build writes no YAML.') }
    export const stringify = createStringifyContext`,
  // What a plain word means is decided by us, so `yaml` is asked for texts, lists and maps alone.
  'yaml/browser/dist/schema/tags.js': `
    import { map } from './common/map.js'
    import { seq } from './common/seq.js'
    import { string } from './common/string.js'
    export const coreKnownTags = {}
    export function getTags(custom, schema) {
      if (custom || schema !== 'failsafe') throw new Error('The build has the failsafe schema of YAML alone.')
      return [map, seq, string]
    }`,
}

/** Of `yaml` only reading is used: what people wrote is edited as text. */
const writing = ['stringifyString', 'stringifyCollection', 'stringifyPair', 'stringifyDocument']
for (const name of writing) {
  modules[`yaml/browser/dist/stringify/${name}.js`] =
    `export function ${name}() { throw new Error('The build writes no YAML.') }`
}

/** What is read of `yaml` are its nodes: no value is made of one, and none of a value. */
for (const file of ['doc/applyReviver', 'doc/createNode', 'nodes/addPairToJSMap']) {
  modules[`yaml/browser/dist/${file}.js`] =
    `export function ${file.split('/')[1]}() { throw new Error('The build reads nodes of YAML alone.') }`
}

/** How `dist/` is laid out. */
export const output: OutputOptions = {
  dir: join(root, 'dist'),
  format: 'esm',
  minify: true,
  comments: false,
  // Names without a digest, so that a difference between two builds is the difference of their contents; of what a package
  // loads when it is asked for, the package's.
  chunkFileNames: ({ facadeModuleId }) => {
    const [, name] = /node_modules\/@aws-sdk\/([^/]+)\/dist-es\/index\.js$/u.exec(facadeModuleId ?? '') ?? []
    return `shared/${name ?? '[name]'}.js`
  },
  codeSplitting: {
    groups: [
      { name: 'github', test: /node_modules\/(?:@actions\/github|@octokit|bottleneck|json-with-bigint)\// },
      {
        name: 'aws',
        test: /node_modules\/(?:@smithy\/(?:core|node-http-handler|signature-v4)|@aws-sdk\/(?:client-cloudformation|core|credential-provider-node|xml-builder))\//,
      },
      { name: 'aws-sts', test: /node_modules\/@aws-sdk\/(?:client-sts|signature-v4-multi-region)\// },
      { name: 'aws-credentials', test: /node_modules\/(?:@aws-sdk|@smithy)\// },
      { name: 'libraries', test: /node_modules\// },
      // What brings new versions of templates is no part of a deployment.
      { name: 'core', test: /src\/core\/(?!doctor|upgrade|migration|merge|skeleton|impact|release)/ },
      // No other action looks at what is around a catalog.
      { name: 'examination', test: /src\/core\/doctor/ },
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
    alias: packages,
  },
  // To read a property does nothing else.
  treeshake: { propertyReadSideEffects: false },
  output,
  plugins: [
    withoutPages(),
    onlyUsedEndpoints(join(root, 'src/adapters')),
    instead(modules),
    silent({
      code: /src[\\/]core[\\/](?:schemas[\\/].*|catalog[\\/]stack-options)\.ts$/,
      keys: ['description', 'title'],
    }),
    builtin({ code: ['@smithy/node-http-handler/dist-es/node-http-handler.js'] }),
    constantsOnly({ code: ['nunjucks/src/lexer.js'] }),
    // The grammar is ours.
    methodsOnly({ code: ['nunjucks/src/parser.js'], keep: (name) => !name.startsWith('parse') }),
    pure({ code: ['js-yaml/dist/js-yaml.mjs'] }),
    packed({
      json: ['src/core/stack/types.generated.json'],
      code: ['src/core/jinja/entities.ts'],
    }),
    sentences({ chunks: /[\\/](?:src|actions|scripts[\\/]bundle)[\\/]/ }),
    alone(),
  ],
})

/**
 * Of the problem codes an action needs the words that there are; what they mean is told by `protium explain`. What is to be done about a
 * failure it says itself.
 */
function withoutPages(): Plugin {
  return {
    name: 'without-pages',
    load(id) {
      if (id !== join(root, 'src/core/problem-codes.ts')) return null
      const all = Object.entries(problemCodes)
      const fixes = all.filter(([code]) => code.startsWith('failure-')).map(([code, { fix }]) => [code, { fix }])
      const others = all.map(([code]) => code).filter((code) => !code.startsWith('failure-'))
      return `export const problemCodes = {
        ...Object.fromEntries('${others.join(' ')}'.split(' ').map((code) => [code, 1])),
        ...${JSON.stringify(Object.fromEntries(fixes))}
      }`
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
