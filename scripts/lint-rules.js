/**
 * Lint rules of this project's own, for what oxlint's rules cannot say. `.oxlintrc.json` switches them on, and
 * `test/repo/lint.test.ts` proves that each fires.
 */
import { isBuiltin } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'

const root = dirname(import.meta.dirname)

/**
 * The layers, innermost first: `core <- ports <- commands <- doors`, with the adapters beside the commands. `may` lists what
 * a file of the layer imports from this repository, `packages` what it imports from elsewhere (absent: anything).
 */
const layers = [
  {
    of: 'src/core/',
    may: ['src/core/'],
    packages: ['yaml', 'js-yaml', 'nunjucks', '@noble/hashes', 'node-diff3'],
    message: 'The core is pure: it imports src/core and the pure libraries that scripts/lint-rules.js lists.',
  },
  {
    of: 'src/ports.ts',
    may: ['src/core/'],
    packages: [],
    message: "A port speaks of the core's values only: src/ports.ts imports src/core and nothing else.",
  },
  {
    of: 'src/command.ts',
    may: ['src/core/', 'src/ports.ts'],
    message: 'src/command.ts says what a command is: it knows the core and the ports, and no command.',
  },
  {
    of: 'src/commands/',
    may: ['src/core/', 'src/ports.ts', 'src/command.ts', 'src/commands/'],
    message: 'A command knows ports, not adapters: a door chooses the adapter and hands it in.',
  },
  {
    of: 'src/adapters/',
    may: ['src/core/', 'src/ports.ts', 'src/adapters/'],
    message: 'An adapter implements a port and knows the core; it does not know the commands.',
  },
  { of: 'src/', may: ['src/'], message: 'src/ stands alone: it imports nothing from tests, scripts or benchmarks.' },
]

const doors = ['src/cli.ts', 'src/action.ts']

const importsFlowOneWay = {
  create(context) {
    const file = inRepository(context.filename)
    const layer = layers.find(({ of }) => file.startsWith(of))

    function check(node, source) {
      if (source?.type !== 'Literal' || typeof source.value !== 'string') return
      const wanted = source.value
      if (wanted.startsWith('.')) {
        const target = inRepository(join(dirname(context.filename), wanted))
        if (doors.includes(target) && !file.startsWith('actions/')) {
          context.report({
            node,
            message: 'Nothing imports a door: that is where a program begins, and it runs at once.',
          })
        } else if (layer && !layer.may.some((prefix) => target.startsWith(prefix))) {
          context.report({ node, message: layer.message })
        }
      } else if (layer?.packages && !layer.packages.includes(packageOf(wanted))) {
        context.report({ node, message: layer.message })
      }
    }

    return {
      ImportDeclaration: (node) => check(node, node.source),
      ExportNamedDeclaration: (node) => check(node, node.source),
      ExportAllDeclaration: (node) => check(node, node.source),
      ImportExpression: (node) => check(node, node.source),
      TSImportType: (node) => check(node, node.source),
    }
  },
}

function inRepository(file) {
  return relative(root, file).split(sep).join('/')
}

function packageOf(specifier) {
  if (isBuiltin(specifier)) return specifier
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

const noTypeAssertion = {
  create(context) {
    const message =
      'A cast hides what the compiler could have found: parse the value into its type, or use `satisfies`.'
    return {
      TSAsExpression(node) {
        if (!isConst(node.typeAnnotation)) context.report({ node, message })
      },
      TSTypeAssertion(node) {
        if (!isConst(node.typeAnnotation)) context.report({ node, message })
      },
    }
  },
}

function isConst(type) {
  return type.type === 'TSTypeReference' && type.typeName.type === 'Identifier' && type.typeName.name === 'const'
}

/** Reading a date out of a text is pure; asking what time it is now is not. */
const noAmbientDate = {
  create(context) {
    const message = 'The core is pure: time comes as an argument, from the Clock port.'
    return {
      NewExpression(node) {
        if (isDate(node.callee) && node.arguments.length === 0) context.report({ node, message })
      },
      CallExpression(node) {
        if (isDate(node.callee)) context.report({ node, message })
      },
    }
  },
}

function isDate(node) {
  return node.type === 'Identifier' && node.name === 'Date'
}

/** What is safe to show on GitHub is made in one file; a value of its form that is made elsewhere has passed no encoder. */
const markdownHasOneMaker = {
  create(context) {
    const file = inRepository(context.filename)
    if (!file.startsWith('src/') || file === 'src/core/markdown.ts') return {}
    return {
      ObjectExpression(node) {
        for (const property of node.properties) {
          const name = property.key?.type === 'Identifier' ? property.key.name : property.key?.value
          if (name !== 'markdown' && name !== 'html') continue
          context.report({
            node: property,
            message: 'Markdown is made in src/core/markdown.ts alone: use its `prose`, `code`, `table` and the like.',
          })
        }
      },
    }
  },
}

export default {
  meta: { name: 'protium' },
  rules: {
    'imports-flow-one-way': importsFlowOneWay,
    'markdown-has-one-maker': markdownHasOneMaker,
    'no-ambient-date': noAmbientDate,
    'no-type-assertion': noTypeAssertion,
  },
}
