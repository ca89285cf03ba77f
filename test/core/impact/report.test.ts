import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { consumersText, readConsumers, readReport, reportText } from '../../../src/core/impact/file.ts'
import { impactPage } from '../../../src/core/impact/page.ts'
import { Radius } from '../../../src/core/impact/radius.ts'
import { Collected, countsOf, type Report, type ReportedConsumer } from '../../../src/core/impact/report.ts'
import { impactText } from '../../../src/core/impact/table.ts'
import { groupsOf, verdictOf } from '../../../src/core/impact/words.ts'
import { treeOf } from '../trees.ts'
import { catalogFiles, now, opened, serviceOf, webAt } from './organisation.ts'

const made = { commit: '1'.repeat(40), at: now }

/** A fleet of which some lose their logs, some need an input, one is broken already, and the rest renders the same. */
function fleetReport(size: number, given?: string): Report {
  const noServices = { 'services/checkout/service.yaml': undefined }
  const change = webAt('1.5.0', (text) =>
    text.replace('/acme/{{', "/acme/{{ 'logs/' if service_instance.inputs.port > 100 else '' }}{{"),
  )
  const schema = 'templates/web/v1/schema/schema.yaml'
  const narrowed = { ...change, [schema]: (catalogFiles[schema] ?? '').replace('[small, large]', '[small]') }
  const radius = new Radius({
    before: { opened: opened(noServices), tree: treeOf(catalogFiles, noServices) },
    after: { opened: opened(noServices, narrowed), tree: treeOf(catalogFiles, noServices, narrowed) },
    now,
  })
  const collected = new Collected()
  for (let index = 0; index < size; index += 1) {
    const size = index % 10 === 3 ? ', size: large' : ''
    const inputs =
      given !== undefined
        ? `{ ${given} }`
        : index === 5
          ? '{ prot: 1 }'
          : `{ port: ${index % 4 === 0 ? 200 : 20}${size} }`
    const judged = radius.judge(serviceOf(`service-${String(index).padStart(5, '0')}`, `inputs: ${inputs}\n`))
    if (judged !== undefined) collected.add(judged)
  }
  return collected.report({
    commit: '1'.repeat(40),
    head: '2'.repeat(40),
    since: '3'.repeat(40),
    read: '2026-11-25T11:00:00.000Z',
    templates: radius.templates,
    outputs: radius.outputs,
    untouched: radius.untouched,
    unread: [{ repository: 'acme/hidden', why: 'no permission' }],
  })
}

const report = fleetReport(40)

describe('a report', () => {
  test('holds nothing of a service that has the form of a secret, whoever may read the catalog', () => {
    const key = `AKIA${'Q7'.repeat(8)}`
    const secret = fleetReport(2, `size: ${key}, port: "${key}"`)
    expect(secret.consumers.some(({ problems }) => problems.length > 0)).toBe(true)
    expect(reportText(secret)).not.toContain(key)
  })

  test('has the gravest first, and each list of changes once', () => {
    expect(countsOf(report)).toMatchObject({ replaces: 10, 'needs-input': 4, unknown: 1, unchanged: 25 })
    expect([...new Set(report.consumers.map(({ is }) => is))]).toEqual([
      'needs-input',
      'replaces',
      'unknown',
      'unchanged',
    ])
    // Nothing, and the logs of each stage under the same paths.
    expect(report.lists).toHaveLength(2)
  })

  test('says in one line what it comes to', () => {
    expect(verdictOf(report)).toBe('web 1.5.0: 4 of 40 consumers need an input and 10 lose a resource')
    expect(verdictOf({ ...report, consumers: [], untouched: 0 })).toBe('web 1.5.0: nobody runs it')
    expect(verdictOf({ ...report, consumers: [], untouched: 3 })).toBe('web 1.5.0: nothing changes for 3 consumers')
    const back = report.consumers.slice(0, 1).map((each) => ({ ...each, is: 'unchanged', standing: 'yanked' }) as const)
    const taken = { ...report, consumers: back, untouched: 3 }
    expect(verdictOf(taken)).toBe(
      'web 1.5.0: nothing changes for 4 consumers, and 1 runs a version that was taken back',
    )
    expect(impactText(taken)).toContain('which was taken back')
  })

  test('puts together those of whom the same is to be said', () => {
    expect(groupsOf(report).map(({ is, consumers, what }) => [is, consumers.length, what])).toEqual([
      ['needs-input', 4, expect.stringContaining('size')],
      ['replaces', 10, '`Logs` (`AWS::Logs::LogGroup`, holds logs) is replaced in dev and prod'],
      ['unknown', 1, expect.stringContaining('prot')],
      ['unchanged', 25, 'renders the same'],
    ])
  })

  test('reads back as what it is, and as nothing else', () => {
    const text = reportText(report)
    expect(readReport('impact.json', text)).toEqual({ ok: true, value: report, problems: [] })
    expect(reportText(report)).toBe(text)
  })

  test.each([
    ['another format', '"format":1', '"format":2'],
    ['a word that is none', '"is":"replaces"', '"is":"explodes"'],
    ['a list that is not there', '"list":1', '"list":7'],
    ['a number for a name', /"consumer":"[^"]*"/u, '"consumer":5'],
    ['a code of nothing', /"code":"input-value"/u, '"code":"__proto__"'],
    ['a part that is missing', '"outputs":[],"untouched"', '"untouched"'],
    ['no JSON', '{', '['],
  ])('that is not whole is refused: %s', (_, from, to) => {
    const text = reportText(report)
    const changed = text.replace(from, to)
    expect(changed).not.toBe(text)
    expect(readReport('impact.json', changed).ok).toBe(false)
  })

  test('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        readReport('f', JSON.stringify(value))
        readReport('f', JSON.stringify({ ...report, format: 1, consumers: [value] }))
        readConsumers('f', JSON.stringify({ format: 1, read: '', consumers: [value], unread: [] }))
      }),
    )
  })
})

describe('the file of consumers', () => {
  const consumers = [
    { is: 'service', repository: 'acme/a', file: 'service.yaml', text: 'service: a\n# \u202e `@acme`\n' },
    {
      is: 'service',
      repository: 'acme/b',
      file: 'service.yaml',
      text: 'x',
      component: new Map([['manifest.yaml', 'y']]),
    },
  ] as const

  test('reads back as what it is', () => {
    const file = { read: '2026-11-25T11:00:00.000Z', consumers, unread: [{ repository: 'acme/c', why: 'no' }] }
    expect(readConsumers('f', consumersText(file))).toEqual({ ok: true, value: file, problems: [] })
  })

  test('has room for so much, and names what it left out', () => {
    const large = Array.from({ length: 20 }, (_, index) => ({
      ...consumers[0],
      repository: `acme/r${index}`,
      text: 'x'.repeat(1_000_000),
    }))
    const text = consumersText({ read: '', consumers: large, unread: [] })
    const read = readConsumers('f', text)
    expect(text.length).toBeLessThan(16 * 1024 * 1024)
    expect(read.ok && read.value.consumers.length + read.value.unread.length).toBe(20)
    expect(read.ok && read.value.unread[0]).toEqual({
      repository: 'acme/r14',
      why: 'there is no more room in the file',
    })
  })

  test('leaves out the longest, wherever they stand: few who write much push nobody else out', () => {
    const large = Array.from({ length: 20 }, (_, index) => ({
      ...consumers[0],
      repository: `acme/r${index}`,
      text: 'x'.repeat(1_000_000),
    }))
    const read = readConsumers('f', consumersText({ read: '', consumers: [...large, ...consumers], unread: [] }))
    expect(read.ok && read.value.consumers.slice(-2)).toEqual(consumers)
  })

  test.each([
    ['a file that lies elsewhere', { repository: 'acme/a', file: 'services/b/service.yaml', text: '' }],
    ['a repository that is none', { repository: '../a', file: 'service.yaml', text: '' }],
    ['a name with more in it', { repository: 'acme/a/b', file: 'service.yaml', text: '' }],
  ])('takes nothing for what it is not: %s', (_, consumer) => {
    expect(readConsumers('f', JSON.stringify({ format: 1, read: '', consumers: [consumer], unread: [] })).ok).toBe(
      false,
    )
  })
})

describe('the comment', () => {
  const page = impactPage(report, { made }).markdown

  test('is known by its own marker, and says in its first line what it comes to', () => {
    expect(page.split('\n').slice(0, 3)).toEqual([
      '<!-- protium:impact -->',
      '',
      '### Blast radius of web 1.5.0: 4 of 40 consumers need an input and 10 lose a resource',
    ])
  })

  test('warns of what holds data, counts, and names the first of each kind', () => {
    expect(page).toContain('**10 consumers:** `Logs` (`AWS::Logs::LogGroup`), which holds logs, is replaced')
    expect(page).toContain('| 25 | render the same |')
    expect(page).toContain('`service-00000` (storefront)')
    expect(page).toContain('**Not read:** `acme/hidden` (no permission)')
  })

  test('says that it shows the changes of one, where those of others differ', () => {
    expect(page).not.toContain('differ in details')
    const lists = [...report.lists, ...report.lists]
    const consumers = report.consumers.map((each, index) =>
      index % 2 === 0
        ? each
        : { ...each, stages: each.stages.map((one) => ({ ...one, list: one.list + report.lists.length })) },
    )
    expect(impactPage({ ...report, lists, consumers }, { made }).markdown).toContain(
      'Shown are the changes of `service-00000`; those of 5 of the others differ in details',
    )
  })

  test('says so where other repositories were not read', () => {
    const { read: _, ...unread } = report
    expect(impactPage(unread, { made }).markdown).toContain('Services in other repositories were not read')
  })

  test('fits, however many there are and whatever they say', () => {
    const [first] = report.consumers
    if (first === undefined) throw new Error('there is one')
    const hostile = (index: number): ReportedConsumer => ({
      ...first,
      consumer: `@acme/everybody</details>|${'x'.repeat(300)}${index}`,
      owner: `<img src=x> @all ${index}`,
      problems: [
        {
          code: 'input-value',
          message: `${index} ${'![a](b) ```\n| ::set-output '.repeat(20)}`,
          remedy: '<!-- protium:plan -->',
        },
      ],
    })
    const many = { ...report, consumers: Array.from({ length: 3000 }, (_, index) => hostile(index)) }
    const shown = impactPage(many, { made }).markdown
    expect(shown.length).toBeLessThanOrEqual(60_000)
    expect(shown.length).toBeGreaterThan(5000)
    expect(shown).toContain('| 3000 | need an input |')
    const outside = shown.replaceAll(/(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)/gu, '').replaceAll(/<code>.*?<\/code>/gu, '')
    expect(outside).not.toMatch(/@acme|@all|<img|!\[a\]|::set-output|<\/details>\|/u)
    expect(outside.match(/<!--/gu)).toHaveLength(1)
  })
})

describe('the text at a terminal', () => {
  test('has the verdict, the counts and the gravest', () => {
    const text = impactText(report)
    expect(text.split('\n').slice(0, 4)).toEqual([
      'web 1.5.0: 4 of 40 consumers need an input and 10 lose a resource',
      '',
      '      4  need an input',
      '     10  lose a resource',
    ])
    expect(text).toContain('service-00000, service-00004, service-00008 and 7 more')
    expect(text).toContain('acme/hidden was not read: no permission')
  })

  test('has nothing in it that a terminal obeys', () => {
    const [first] = report.consumers
    if (first === undefined) throw new Error('there is one')
    const text = impactText({ ...report, consumers: [{ ...first, consumer: 'a\u001b[31m\nb\u202e' }] })
    expect(text).not.toMatch(/\u001b|\u202e/u)
  })
})
