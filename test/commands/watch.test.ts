import { afterEach, describe, expect, test } from 'vitest'
import { render } from '../../src/commands/render.ts'
import { plain } from '../../src/core/report.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { small } from './organisation.ts'
import type { World } from './ports.ts'
import { run, worldOf } from './ports.ts'

let world: World | undefined
afterEach(() => world?.end())

/** What is shown while the moments pass; each changes the files and then is noticed. */
async function shownDuring(
  tree: () => FileTree,
  given: Readonly<Record<string, readonly string[]>>,
  moments: readonly ((world: World) => void)[],
  texts: ReadonlyMap<string, string> = new Map(),
): Promise<string[]> {
  const own: World = worldOf(tree, {
    texts,
    changes: function* () {
      for (const moment of moments) {
        moment(own)
        yield
      }
    },
  })
  world = own
  const outcome = await run(render, own, { ...given, watch: ['true'] })
  expect(outcome).toMatchObject({ exit: 'done', problems: [] })
  expect(outcome.text(plain)).toBe('Stopped watching.')
  return own.shown.map(({ exact, text, problems = [] }) =>
    [exact ?? text(plain), ...problems.map(({ code }) => `[${code}]`)].filter((each) => each !== '').join('\n'),
  )
}

const template = (text: string) => (own: World) => void own.written.set('page.txt', text)

describe('render --watch', () => {
  test('of a template shows the text, then what is different, and nothing where nothing is', async () => {
    const shown = await shownDuring(
      () => new Map(),
      { text: ['page.txt'], context: ['{"port": 80}'] },
      [template('port {{ port }}'), template('port: {{ port }}\n'), template('port: {{ port + 0 }}\n')],
      new Map([['page.txt', 'port {{ port }}']]),
    )
    expect(shown).toEqual([
      'port 80\n',
      [
        '--- page.txt',
        '+++ rendered now',
        '@@ -1 +1 @@',
        '-port 80',
        '\\ No newline at end of file',
        '+port: 80',
        '\\ No newline at end of file',
      ].join('\n'),
    ])
  })

  test('shows problems once, and says when they are mended', async () => {
    const shown = await shownDuring(
      () => new Map(),
      { text: ['page.txt'] },
      [template('{{ port }}'), template('{{ port }} '), template('{{ port'), template('ok')],
      new Map([['page.txt', 'ok']]),
    )
    expect(shown).toEqual([
      'ok\n',
      '[undefined-variable]',
      '[template-syntax]',
      'It renders again, to the same as before.',
    ])
  })

  test('of an organisation renders all units again when one of its files changes', async () => {
    let word = 'first'
    const shown = await shownDuring(
      () => small({ stages: ['dev', 'prod'], services: { cart: { size: 1, topics: 0 } }, word }),
      {},
      [() => void (word = 'second')],
    )
    expect(shown[0]).toBe('4 files rendered. Watching for changes; Ctrl-C ends it.')
    expect(shown[1]?.match(/^[-+].*$/gm)).toEqual([
      '--- environment/dev/infrastructure/cloudformation.yaml',
      '+++ rendered now',
      expect.stringMatching(/^-.*first/),
      expect.stringMatching(/^\+.*second/),
      expect.stringMatching(/^-.*first/),
      expect.stringMatching(/^\+.*second/),
      '--- environment/prod/infrastructure/cloudformation.yaml',
      '+++ rendered now',
      expect.stringMatching(/^-.*first/),
      expect.stringMatching(/^\+.*second/),
      expect.stringMatching(/^-.*first/),
      expect.stringMatching(/^\+.*second/),
    ])
  })

  test('writes the files again each time where they are to be written', async () => {
    let size = 1
    await shownDuring(() => small({ stages: ['dev'], services: { cart: { size, topics: 0 } } }), { out: ['out'] }, [
      () => void (size = 7),
    ])
    expect(world?.written.get('cart/dev/instance_infrastructure/cloudformation.yaml')).toContain('DelaySeconds: 7')
  })
})
