import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { argv, cpuUsage, stdout } from 'node:process'
import { isList, isMap } from '../src/core/data.ts'
import { parseTemplate, renderTemplate } from '../src/core/jinja/index.ts'
import { readJson } from '../src/core/yaml.ts'
import type { Case } from './cases.ts'
import { peakOf } from './peak.ts'

/**
 * One engine in a process of its own, on every case: `node bench/engine.ts ENGINE CASES.json SECONDS`. Prints, for each
 * case, CPU microseconds of a rendering and of a parsing, and a digest of the texts; or why the engine has none.
 */
export type Figures =
  | { readonly render: number; readonly parse: number; readonly texts: string }
  | { readonly fault: string }

export type EngineResult = { readonly cases: Readonly<Record<string, Figures>>; readonly peak: number }

/** How an engine sees a case: it parses again and again, and renders what it parsed with each of the contexts. */
type Engine = (given: Case) => { readonly parse: () => () => readonly (() => string)[] }

const engines: Readonly<Record<string, Engine>> = {
  protium: (given) => protium(given, { spans: false }),
  'protium-spans': (given) => protium(given, { spans: true }),
  nunjucks: ({ source, contexts }) => {
    const { Environment, Template } = createRequire(import.meta.url)('nunjucks')
    const environment = new Environment(null, { autoescape: false, throwOnUndefined: true })
    environment.addFilter('proton_cfn_ecs_task_definition_formatted_env_vars', nothing)
    environment.addFilter('proton_cfn_iam_policy_arns', nothing)
    environment.addFilter('tojson', (value: unknown) => JSON.stringify(value))
    return {
      parse: () => {
        const template = new Template(source, environment, 'case', true)
        return () => parsed(contexts).map((context) => () => String(template.render(context)))
      },
    }
  },
  minijinja: ({ source, contexts }) => {
    const { Environment } = createRequire(new URL('../node_modules/.cache/bench/', import.meta.url))('minijinja-js')
    return {
      parse: () => {
        const environment = new Environment()
        environment.enablePyCompat()
        environment.undefinedBehavior = 'strict'
        environment.addFilter('proton_cfn_ecs_task_definition_formatted_env_vars', nothing)
        environment.addFilter('proton_cfn_iam_policy_arns', nothing)
        environment.addTemplate('case', source)
        return () => parsed(contexts).map((context) => () => String(environment.renderTemplate('case', context)))
      },
    }
  },
}

/** Without an attached component Proton's filters add nothing, in the two places where these templates have them. */
const nothing = (): string => ''

const parsed = (json: string): readonly object[] => JSON.parse(json)

function protium({ file, source, contexts }: Case, options: { readonly spans: boolean }): ReturnType<Engine> {
  return {
    parse: () => {
      const template = parseTemplate(file, source)
      if (!template.ok) throw new Error(template.problems[0]?.message)
      return () => {
        const read = readJson('contexts.json', contexts)
        const data = read.ok && isList(read.value.data) ? read.value.data.filter(isMap) : []
        return data.map((context) => () => {
          const rendered = renderTemplate(template.value, context, options)
          if (rendered.ok) return rendered.text
          throw new Error(rendered.problems[0]?.message)
        })
      }
    },
  }
}

function figures(engine: Engine, given: Case, seconds: number): Figures {
  try {
    const { parse } = engine(given)
    const renders = parse()()
    const texts = createHash('sha256')
    for (const render of renders) texts.update(render())
    const all = (): void => {
      for (const render of renders) render()
    }
    spend(all, seconds)
    return {
      render: spend(all, seconds) / renders.length,
      parse: median(Array.from({ length: 5 }, () => spend(parse, seconds / 10))),
      texts: texts.digest('hex'),
    }
  } catch (error) {
    return {
      fault: (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ').trim().slice(0, 120),
    }
  }
}

/** CPU microseconds of one action, by as many of them as fit in the time. Collecting garbage and compiling count. */
function spend(action: () => unknown, seconds: number): number {
  const end = performance.now() + seconds * 1000
  const before = cpuUsage()
  let count = 0
  while (performance.now() < end) {
    action()
    count += 1
  }
  const { user, system } = cpuUsage(before)
  return (user + system) / count
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}

const [name = '', file = '', seconds = ''] = argv.slice(2)
const engine = engines[name]
if (engine === undefined) throw new Error(`There is no engine "${name}".`)
const cases: readonly Case[] = JSON.parse(readFileSync(file, 'utf8'))
const result: EngineResult = {
  cases: Object.fromEntries(cases.map((each) => [each.name, figures(engine, each, Number(seconds))])),
  peak: peakOf(),
}
stdout.write(JSON.stringify(result))
