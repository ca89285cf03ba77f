import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { arch, cpus, platform, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { env, stderr, stdout, version } from 'node:process'
import { parseArgs } from 'node:util'
import { sideBySide } from './cloudformation.ts'
import { detectionTable } from './detection.ts'
import { graphTable } from './graph.ts'
import { bundleCases, type Case, sampleCases } from './cases.ts'
import type { EngineResult, Figures } from './engine.ts'
import { median, spread, table } from './figures.ts'
import { changeService, type Fleet, makeFleet } from './fleet.ts'
import { impactTable } from './impact.ts'
import { haveMinijinja, node, protium, python } from './processes.ts'
import { startTable } from './start.ts'
import { upgradeTable } from './upgrade.ts'

/**
 * Measures what Protium promises about time and memory, beside others that do the same work, and prints the tables;
 * `--write` puts them into docs/performance.md. Nothing is asserted: a figure that misses its target says so.
 */
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    /** `render`, `fleet`, `change`, `start`, `impact`, `upgrade`, `cloudformation`; all of them if none is named. */
    only: {
      type: 'string',
      multiple: true,
      default: ['render', 'fleet', 'change', 'start', 'impact', 'upgrade', 'cloudformation'],
    },
    /** Services of the fleets, small and large. */
    sizes: { type: 'string', default: '1000,10000' },
    seconds: { type: 'string', default: '0.4' },
    write: { type: 'boolean', default: false },
  },
})
const rounds = Number(options.rounds)
const folder = mkdtempSync(join(tmpdir(), 'protium-bench-'))

function machine(): string {
  const all = cpus()
  // The family and not the exact model, which says more of the owner than of the figures.
  const model = (all[0]?.model ?? 'unknown')
    .replaceAll(/\((?:R|TM)\)|CPU|@.*$/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return `Measured on ${all.length} cores (${model}, ${arch()}, ${platform()}) with ${Math.round(totalmem() / 2 ** 30)} GB, Node ${version}; ${rounds} rounds, interleaved. A figure is the median, with the least and the most in brackets.`
}

// Rendering

type Engine = {
  readonly name: string
  readonly title: string
  readonly measure: (file: string) => Promise<EngineResult | undefined>
}

const engines: readonly Engine[] = [
  { name: 'python', title: 'Python Jinja2', measure: async (file) => python(['render', file, options.seconds]) },
  ...[
    ['protium', 'Protium'],
    ['protium-spans', 'Protium, spans on'],
    ['nunjucks', 'nunjucks, compiled'],
  ].map(([name = '', title = '']): Engine => ({
    name,
    title,
    measure: async (file) => node('engine.ts', [name, file, options.seconds]),
  })),
  {
    name: 'minijinja',
    title: 'minijinja-js',
    measure: async (file) =>
      (await haveMinijinja()) ? node('engine.ts', ['minijinja', file, options.seconds]) : undefined,
  },
]

async function rendering(): Promise<string> {
  const cases: readonly Case[] = [
    ...(await sampleCases(join(folder, 'sample'))),
    ...(await bundleCases(join(import.meta.dirname, '..', '..', 'shared', 'proton', 'bundles'))),
  ]
  const file = join(folder, 'cases.json')
  writeFileSync(file, JSON.stringify(cases))
  const results = new Map<string, EngineResult[]>()
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, title, measure } of engines) {
      progress(`render ${round + 1}/${rounds}: ${title}`)
      const result = await measure(file)
      if (result !== undefined) results.set(name, [...(results.get(name) ?? []), result])
    }
  }
  const of = (engine: string, name: string): readonly Figures[] =>
    (results.get(engine) ?? []).flatMap(({ cases }) => cases[name] ?? [])
  const cell = (engine: string, name: string, what: 'render' | 'parse'): string => {
    const found = of(engine, name)
    const [first] = found
    if (first === undefined) return 'void'
    if ('fault' in first) return 'cannot'
    const [reference] = of('python', name)
    const other = reference !== undefined && 'texts' in reference && reference.texts !== first.texts
    return `${spread(
      found.flatMap((each) => ('fault' in each ? [] : [each[what]])),
      1,
    )}${other ? ' (another text)' : ''}`
  }
  const ratio = (engine: string, name: string): string => {
    const [ours, theirs] = [engine, 'python'].map((each) =>
      median(of(each, name).flatMap((figures) => ('fault' in figures ? [] : [figures.render]))),
    )
    return ours === undefined || theirs === undefined || ours === 0 || theirs === 0
      ? 'void'
      : `${(theirs / ours).toFixed(1)} ×`
  }
  const times = table(
    ['template', ...engines.map(({ title }) => title), 'faster than Python', 'with spans'],
    cases.map(({ name }) => [
      name,
      ...engines.map((engine) => cell(engine.name, name, 'render')),
      ratio('protium', name),
      ratio('protium-spans', name),
    ]),
  )
  const shown = engines.filter(({ name }) => name !== 'protium-spans')
  const parsing = table(
    ['template', ...shown.map(({ title }) => title)],
    cases.map(({ name }) => [name, ...shown.map((engine) => cell(engine.name, name, 'parse'))]),
  )
  const memory = table(
    ['', ...engines.map(({ title }) => title)],
    [
      [
        'peak, MB',
        ...engines.map(({ name }) =>
          spread(
            (results.get(name) ?? []).map(({ peak }) => peak),
            0,
          ),
        ),
      ],
    ],
  )
  const faults = engines.flatMap(({ name: engine, title }) =>
    cases.flatMap(({ name }) => {
      const [figures] = of(engine, name)
      return figures !== undefined && 'fault' in figures
        ? [`- ${title} cannot render ${name}: \`${figures.fault}\``]
        : []
    }),
  )
  return [
    '### Rendering: CPU microseconds a rendering, the template parsed once',
    times,
    ...(faults.length === 0 ? [] : [faults.join('\n')]),
    '### Parsing: CPU microseconds a template',
    parsing,
    '### Memory of the whole process after all templates',
    memory,
  ].join('\n\n')
}

// The fleet

type FleetFigures = { readonly wall: number; readonly cpu: number; readonly peak: number }

async function fleets(): Promise<string> {
  const sizes = options.sizes.split(',').map(Number)
  const rows: (readonly string[])[] = []
  const each = new Map<string, number[]>()
  for (const size of sizes) {
    const fleet = await makeFleet(join(folder, `fleet-${size}`), size)
    const runs: readonly (readonly [string, () => Promise<FleetFigures | undefined>])[] = [
      ['Python: load, validate, render, parse', async () => python(['fleet', fleet.folder])],
      ['`protium validate`', async () => protium(['validate', fleet.folder, '--json'])],
      ['`protium plan` (validates, renders, plans)', async () => protium(['plan', '--root', fleet.folder, '--json'])],
    ]
    const figures = new Map<string, FleetFigures[]>()
    for (let round = 0; round < rounds; round += 1) {
      for (const [title, measure] of runs) {
        progress(`fleet of ${size}, ${round + 1}/${rounds}: ${title}`)
        const result = await measure()
        if (result !== undefined) figures.set(title, [...(figures.get(title) ?? []), result])
      }
    }
    const reference = figures.get(runs[0]?.[0] ?? '') ?? []
    const ofReference = (found: readonly FleetFigures[], what: 'wall' | 'cpu'): string => {
      const [ours, theirs] = [found, reference].map((all) => median(all.map((one) => one[what])))
      return ours === undefined || theirs === undefined ? 'void' : (ours / theirs).toFixed(2)
    }
    for (const [title] of runs) {
      const found = figures.get(title) ?? []
      const cpu = median(found.map((one) => one.cpu))
      each.set(title, [...(each.get(title) ?? []), (cpu ?? 0) / fleet.instances])
      rows.push([
        `${size.toLocaleString('en')} services`,
        title,
        spread(
          found.map((one) => one.wall),
          1,
        ),
        ofReference(found, 'wall'),
        spread(
          found.map((one) => one.cpu),
          1,
        ),
        ofReference(found, 'cpu'),
        spread(
          found.map((one) => (one.cpu / fleet.instances) * 1000),
          2,
        ),
        spread(
          found.map((one) => one.peak),
          0,
        ),
      ])
    }
    rmSync(fleet.folder, { recursive: true })
  }
  const growth = [...each].flatMap(([title, [small, large]]) =>
    small === undefined || large === undefined || small === 0
      ? []
      : [`- ${title}: an instance of the large fleet costs ${(large / small).toFixed(2)} × one of the small.`],
  )
  return [
    '### The fleet: each service in three stages',
    table(
      ['fleet', 'what', 'wall, s', 'of Python’s', 'CPU, s', 'of Python’s', 'CPU an instance, ms', 'peak, MB'],
      rows,
    ),
    growth.join('\n'),
  ].join('\n\n')
}

// A pull request that changes one service

async function changes(): Promise<string> {
  const sizes = [100, 10_000]
  const all: Fleet[] = []
  for (const size of sizes) all.push(await makeFleet(join(folder, `change-${size}`), size))
  const kinds = ['validate', 'plan'] as const
  const figures = new Map<string, FleetFigures[]>()
  const turns = rounds * 5
  for (let round = 0; round < turns; round += 1) {
    progress(`change ${round + 1}/${turns}`)
    for (const kind of kinds) {
      for (const fleet of all) {
        changeService(fleet, [256, 512, 1024][round % 3] ?? 256)
        const words =
          kind === 'plan' ? [fleet.changed, '--root', fleet.folder] : [fleet.folder, '--only', fleet.changed]
        const key = `${kind} ${fleet.services}`
        figures.set(key, [...(figures.get(key) ?? []), await protium([kind, ...words, '--json'])])
      }
    }
  }
  const rows = kinds.flatMap((kind) => {
    const [small, large] = sizes.map((size) => figures.get(`${kind} ${size}`) ?? [])
    return all.map((fleet) => {
      const found = figures.get(`${kind} ${fleet.services}`) ?? []
      const isLarge = fleet.services === sizes.at(-1)
      const growth = (what: 'wall' | 'cpu'): string =>
        `${((median((large ?? []).map((one) => one[what])) ?? 0) / (median((small ?? []).map((one) => one[what])) ?? 1)).toFixed(2)} ×`
      return [
        `\`protium ${kind}\` of one service of ${fleet.services.toLocaleString('en')}`,
        spread(
          found.map((one) => one.wall),
          2,
        ),
        isLarge ? growth('wall') : '',
        spread(
          found.map((one) => one.cpu),
          2,
        ),
        isLarge ? growth('cpu') : '',
        spread(
          found.map((one) => one.peak),
          0,
        ),
      ]
    })
  })
  return [
    '### A change of one service',
    table(['what', 'wall, s', 'of the small', 'CPU, s', 'of the small', 'peak, MB'], rows),
  ].join('\n\n')
}

// Words

type Section = { readonly name: 'results' | 'impact' | 'upgrade' | 'cloudformation'; readonly text: string }

function writeResults({ name, text }: Section): void {
  const file = join(import.meta.dirname, '..', 'docs', 'performance.md')
  const page = readFileSync(file, 'utf8')
  const begin = page.indexOf(`<!-- ${name}: written by`)
  const before = page.indexOf('-->', begin) + '-->'.length
  const after = page.indexOf(`<!-- end of ${name} -->`)
  if (begin === -1 || after < before) throw new Error(`${file} has no place for ${name}.`)
  writeFileSync(file, `${page.slice(0, before)}\n\n${text}\n\n${page.slice(after)}`)
}

function progress(text: string): void {
  stderr.write(`${text}\n`)
}

try {
  const parts: string[] = []
  if (options.only.includes('render')) parts.push(await rendering())
  if (options.only.includes('fleet')) parts.push(await fleets())
  if (options.only.includes('change')) parts.push(await changes())
  if (options.only.includes('start')) parts.push(await startTable(rounds * 7))
  const reach: string[] = []
  if (options.only.includes('impact')) {
    const sizes = options.sizes.split(',').map(Number)
    reach.push(await impactTable(folder, { sizes, rounds, progress }))
  }
  const rollouts: string[] = []
  if (options.only.includes('upgrade')) {
    rollouts.push(await upgradeTable({ sizes: options.sizes.split(',').map(Number), progress }))
  }
  const cloud: string[] = []
  if (options.only.includes('cloudformation')) {
    cloud.push(await sideBySide(join(folder, 'cloudformation'), rounds))
    // On a simulated clock, where nobody is who they say.
    Object.assign(env, { AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench' })
    cloud.push(await detectionTable(rounds * 10), await graphTable())
  }
  const sections = [
    { name: 'results', parts },
    { name: 'impact', parts: reach },
    { name: 'upgrade', parts: rollouts },
    { name: 'cloudformation', parts: cloud },
  ] as const
  for (const { name, parts: own } of sections) {
    if (own.length === 0) continue
    const text = [machine(), ...own].join('\n\n')
    stdout.write(`${text}\n`)
    if (options.write) writeResults({ name, text })
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
