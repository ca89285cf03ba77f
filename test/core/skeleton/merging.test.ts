import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Float, mapOf } from '../../../src/core/data.ts'
import { lockFile, readLock, versionsIn } from '../../../src/core/skeleton.ts'
import { bundleWith, type Files, Repository, said, skeletonOf } from './bundles.ts'

const docker = 'FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\nEXPOSE {{ service.inputs.port }}\nCMD ["node", "."]\n'

function version(number: string, files: Files, owners: Readonly<Record<string, string>> = {}) {
  return bundleWith(skeletonOf(files, owners), number)
}

/** A repository that has one file of a template, whose user then does something. */
function withFile(path: string, text: string, owner = 'merge'): Repository {
  const repository = new Repository()
  repository.upgrade(version('1.0.0', { [path]: text }, { [path]: owner }))
  return repository
}

describe('A repository that gets a skeleton', () => {
  it('has its files and a lock, and those that begin as a program can be run', () => {
    const repository = new Repository()
    const merged = repository.upgrade(version('1.0.0', { Dockerfile: docker, 'bin/run': '#!/bin/sh\n' }))
    expect(said(merged)).toEqual(['added Dockerfile', 'added bin/run'])
    expect([...merged.executables]).toEqual(['bin/run'])
    expect(merged.attention).toBe('none')
    expect(repository.files.get('Dockerfile')).toContain('EXPOSE 8080\n')
    const lock = readLock(repository.files.get(lockFile) ?? '')
    expect(lock?.values).toEqual({ name: 'cart', inputs: mapOf() })
    expect(lock === undefined ? [] : versionsIn(lock)).toEqual(['web@1.0.0'])
    expect([...(lock?.files.keys() ?? [])]).toEqual(['Dockerfile', 'bin/run'])
  })

  it.each([
    [
      'many files',
      Object.fromEntries(Array.from({ length: 401 }, (_, index) => [`f${index}`, 'web@1.0.0'])),
      undefined,
    ],
    ['paths that lead elsewhere', { '../x': 'web@1.0.0', '.git/config': 'web@1.0.0', a: 'web@1.0.0' }, ['a']],
  ])('believes no lock that somebody has written with %s', (_, given, expected) => {
    const files = Object.fromEntries(Object.entries(given).map(([path, from]) => [path, { from, base: 'sha256:0' }]))
    const lock = readLock(JSON.stringify({ format: 1, service: { name: 'cart', inputs: {} }, files }))
    expect(lock && [...lock.files.keys()]).toEqual(expected)
  })

  it('keeps what it has under the same name, and shows both', () => {
    const repository = new Repository()
    repository.files.set('Dockerfile', 'FROM own\n')
    const merged = repository.upgrade(version('1.0.0', { Dockerfile: 'FROM node\n' }))
    expect(repository.files.get('Dockerfile')).toBe('FROM own\n')
    expect(merged.outcomes).toMatchObject([
      { is: 'review', why: 'both-added', ours: 'FROM own\n', after: 'FROM node\n', question: { choice: 'mine' } },
    ])
    expect(merged.attention).toBe('answer')
  })

  it('has no more to do where it has the same file already', () => {
    const repository = new Repository()
    repository.files.set('Dockerfile', 'FROM node\r\n')
    const merged = repository.upgrade(version('1.0.0', { Dockerfile: 'FROM node\n' }))
    expect(said(merged)).toEqual([])
    expect([...merged.files.keys()]).toEqual([lockFile])
  })

  it('keeps a seed that it has, without a word', () => {
    const repository = new Repository()
    repository.files.set('Dockerfile', 'FROM own\n')
    const merged = repository.upgrade(version('1.0.0', { Dockerfile: 'FROM node\n' }, { Dockerfile: 'seed' }))
    expect(said(merged)).toEqual([])
    expect(repository.files.get('Dockerfile')).toBe('FROM own\n')
  })
})

describe('An upgrade of a merged file', () => {
  it('asks for nothing that the template has not changed', () => {
    const repository = withFile('a', 'x\n')
    const merged = repository.upgrade(version('1.1.0', { a: 'x\n' }))
    expect(merged).toMatchObject({ outcomes: [], attention: 'none', deleted: [] })
    expect([...merged.files]).toEqual([])
  })

  it('takes the new one where nobody has changed it', () => {
    const repository = withFile('a', 'x\n')
    expect(said(repository.upgrade(version('1.1.0', { a: 'y\n' })))).toEqual(['updated a'])
    expect(repository.files.get('a')).toBe('y\n')
  })

  it('merges what both have changed, over several versions', () => {
    const repository = withFile('Dockerfile', docker)
    repository.files.set('Dockerfile', `${repository.files.get('Dockerfile')}# Ours.\n`)
    expect(said(repository.upgrade(version('1.1.0', { Dockerfile: docker.replace('node:20', 'node:22') })))).toEqual([
      'merged Dockerfile',
    ])
    expect(said(repository.upgrade(version('1.2.0', { Dockerfile: docker.replace('node:20', 'node:24') })))).toEqual([
      'merged Dockerfile',
    ])
    expect(repository.files.get('Dockerfile')).toBe(
      `${docker.replace('node:20', 'node:24').replace('{{ service.inputs.port }}', '8080')}# Ours.\n`,
    )
  })

  it('merges by the values of then: what an input makes of the base is no change of the user', () => {
    const repository = withFile('Dockerfile', docker)
    repository.files.set('Dockerfile', `# Ours.\n${repository.files.get('Dockerfile')}`)
    repository.inputs = mapOf([['port', 9090]])
    const merged = repository.upgrade(version('1.1.0', { Dockerfile: docker.replace('CMD', 'USER node\nCMD') }))
    expect(said(merged)).toEqual(['merged Dockerfile'])
    expect(repository.files.get('Dockerfile')).toContain('EXPOSE 9090\nUSER node\n')
  })

  it('keeps floats in the values as they are', () => {
    const repository = new Repository()
    repository.inputs = mapOf([['ratio', new Float(3)]])
    const text = 'a: {{ service.inputs.ratio }}\nb: 1\nc: 1\nd: 1\n'
    repository.upgrade(version('1.0.0', { 'a.txt': text }))
    repository.files.set('a.txt', `${repository.files.get('a.txt')}ours\n`)
    expect(said(repository.upgrade(version('1.1.0', { 'a.txt': text.replace('b: 1', 'b: 2') })))).toEqual([
      'merged a.txt',
    ])
    expect(repository.files.get('a.txt')).toBe('a: 3.0\nb: 2\nc: 1\nd: 1\nours\n')
  })

  it('keeps ours in a conflict, applies the rest, and asks', () => {
    const repository = withFile('a', '1\n2\n3\n4\n5\n')
    repository.files.set('a', 'ours\n2\n3\n4\n5\n')
    const merged = repository.upgrade(version('1.1.0', { a: 'theirs\n2\n3\n4\n5\n6\n' }))
    expect(repository.files.get('a')).toBe('ours\n2\n3\n4\n5\n6\n')
    expect(merged.attention).toBe('answer')
    expect(merged.outcomes).toMatchObject([
      {
        is: 'conflict',
        hunks: [{ line: 1, ours: ['ours'], before: ['1'], after: ['theirs'], choice: 'mine', isSettled: false }],
      },
    ])
  })

  it('takes the side that was chosen, and never asks the same again', () => {
    const first = withFile('a', '1\n2\n3\n')
    first.files.set('a', 'ours\n2\n3\n')
    const next = version('1.1.0', { a: 'theirs\n2\n3\n' })
    const before = new Map(first.files)
    const [outcome] = first.upgrade(next).outcomes
    const id = outcome?.is === 'conflict' ? (outcome.hunks[0]?.id ?? '') : ''
    expect(first.files.get('a')).toBe('ours\n2\n3\n')

    const chosen = withFile('a', '1\n2\n3\n')
    for (const [path, text] of before) chosen.files.set(path, text)
    const merged = chosen.upgrade(next, new Map([[id, 'template']]))
    expect(chosen.files.get('a')).toBe('theirs\n2\n3\n')
    expect(merged.attention).toBe('look')

    // The merge is reverted, but for its lock of decisions; then the version comes again.
    const lock = first.files.get(lockFile) ?? ''
    const again = withFile('a', '1\n2\n3\n')
    again.files.set('a', 'ours\n2\n3\n')
    const old = again.files.get(lockFile) ?? ''
    const settled = /"settled": \{[^}]*\}/.exec(lock)?.[0] ?? ''
    again.files.set(lockFile, old.replace(/("base": "[^"]*")/, `$1,\n      ${settled}`))
    const quiet = again.upgrade(next)
    expect(quiet).toMatchObject({ attention: 'none', outcomes: [{ is: 'merged' }] })
    expect(again.files.get('a')).toBe('ours\n2\n3\n')
  })

  it('has the same question for the same three sides, and another for others', () => {
    const idOf = (ours: string, theirs: string): string => {
      const repository = withFile('a', '1\n2\n')
      repository.files.set('a', ours)
      const [outcome] = repository.upgrade(version('1.1.0', { a: theirs })).outcomes
      return outcome?.is === 'conflict' ? (outcome.hunks[0]?.id ?? '') : 'none'
    }
    expect(idOf('x\n2\n', 'y\n2\n')).toBe(idOf('x\n2\n', 'y\n2\n3\n4\n'))
    expect(idOf('x\n2\n', 'y\n2\n')).not.toBe(idOf('x\n2\n', 'z\n2\n'))
    expect(idOf('x\n2\n', 'y\n2\n')).toMatch(/^h[0-9a-f]{15}$/)
  })

  it('leaves a file deleted that somebody has deleted, and says so', () => {
    const repository = withFile('a', 'x\n')
    repository.files.delete('a')
    const merged = repository.upgrade(version('1.1.0', { a: 'y\n' }))
    expect(said(merged)).toEqual(['kept deleted a'])
    expect(repository.files.has('a')).toBe(false)
    // Nor does the version after it come back with it.
    expect(said(repository.upgrade(version('1.2.0', { a: 'z\n' })))).toEqual(['kept deleted a'])
    expect(repository.files.has('a')).toBe(false)
  })

  it('removes what the template no longer has, unless somebody has changed it', () => {
    const repository = new Repository()
    repository.upgrade(version('1.0.0', { a: 'x\n', b: 'x\n', c: 'x\n', d: 'x\n' }))
    repository.files.set('b', 'ours\n')
    repository.files.delete('c')
    repository.files.set('d', 'x\r\n')
    const merged = repository.upgrade(version('1.1.0', {}))
    expect(said(merged)).toEqual(['removed a', 'kept dropped b', 'removed d'])
    expect(merged.attention).toBe('look')
    expect([...repository.files.keys()]).toEqual(['b'])
  })

  it('moves a file whose name an input has changed', () => {
    const repository = withFile('docs/{{ service.name }}.md', 'x\n')
    repository.name = 'basket'
    const merged = repository.upgrade(version('1.1.0', { 'docs/{{ service.name }}.md': 'x\n' }))
    expect(said(merged)).toEqual(['added docs/basket.md', 'removed docs/cart.md'])
  })

  it('shows what is too long to be merged, and leaves it', () => {
    const many = Array.from({ length: 1600 }, (_, index) => `line ${index}`).join('\n')
    const repository = withFile('a', `${many}\n`)
    repository.files.set('a', `${many}\nours\n`)
    const merged = repository.upgrade(version('1.1.0', { a: `theirs\n${many}\n` }))
    expect(merged.outcomes).toMatchObject([{ is: 'review', why: 'too-long', question: { isSettled: false } }])
    expect(repository.files.get('a')).toBe(`${many}\nours\n`)
  })

  it.each(['binary', 'link', 'folder', 'large'] as const)('touches nothing that is a %s', (what) => {
    const repository = withFile('docs/a.md', 'x\n')
    repository.files.delete('docs/a.md')
    repository.others.set('docs/a.md', what)
    const merged = repository.upgrade(version('1.1.0', { 'docs/a.md': 'y\n' }))
    expect(said(merged)).toEqual(['review no-text docs/a.md'])
    expect([...merged.files.keys()]).toEqual([lockFile])
    expect(merged.attention).toBe('look')
  })

  it.each([
    ['a link', (repository: Repository) => void repository.others.set('docs', 'link')],
    ['a file', (repository: Repository) => void repository.files.set('docs', 'x\n')],
  ])('puts nothing below %s that stands where a folder should be', (_, stand) => {
    const repository = new Repository()
    stand(repository)
    const merged = repository.upgrade(version('1.0.0', { 'docs/a.md': 'y\n' }))
    expect(said(merged)).toEqual(['review no-text docs/a.md'])
    expect(repository.files.has('docs/a.md')).toBe(false)
  })

  it('writes nothing where the lock itself is no file', () => {
    const repository = new Repository()
    repository.others.set(lockFile, 'link')
    const merged = repository.upgrade(version('1.0.0', { a: 'y\n' }))
    expect(said(merged)).toEqual([`review no-text ${lockFile}`])
    expect(merged.files.size).toBe(0)
  })
})

describe('A base that is not proven', () => {
  /** A repository whose lock is not what it was. */
  function withLock(edit: (lock: string) => string | undefined): Repository {
    const repository = withFile('a', '1\n2\n3\n')
    const lock = edit(repository.files.get(lockFile) ?? '')
    if (lock === undefined) repository.files.delete(lockFile)
    else repository.files.set(lockFile, lock)
    return repository
  }

  const broken: readonly (readonly [string, (lock: string) => string | undefined])[] = [
    ['no lock', () => undefined],
    ['a lock with the marks of a conflict', (lock) => `<<<<<<< ours\n${lock}`],
    ['a lock of a later format', (lock) => lock.replace('"format": 1', '"format": 2')],
    ['a lock that is another thing', () => '[]'],
    ['another digest', (lock) => lock.replace(/sha256:..../, 'sha256:0000')],
    ['a version that is gone', (lock) => lock.replace('web@1.0.0', 'web@0.9.0')],
  ]

  it.each(broken)('is never taken to overwrite what somebody has changed: %s', (_, edit) => {
    const repository = withLock(edit)
    repository.files.set('a', '1\n2\n3\nours\n')
    const merged = repository.upgrade(version('1.1.0', { a: 'theirs\n2\n3\n' }))
    expect(said(merged)).toEqual(['review no-base a'])
    expect(merged.attention).toBe('answer')
    expect(repository.files.get('a')).toBe('1\n2\n3\nours\n')
    // Once that was merged, the base is known again.
    expect(said(repository.upgrade(version('1.2.0', { a: 'theirs\n2!\n3\n' })))).toEqual(['conflict a'])
  })

  it.each(broken)('is no matter where nobody has changed anything: %s', (_, edit) => {
    const repository = withLock(edit)
    expect(said(repository.upgrade(version('1.1.0', { a: 'theirs\n2\n3\n' })))).toEqual(['updated a'])
  })

  it('gives the whole file of the template where that is chosen', () => {
    const repository = withLock(() => undefined)
    repository.files.set('a', 'ours\r\n')
    const before = new Map(repository.files)
    const [outcome] = repository.upgrade(version('1.1.0', { a: 'theirs\n' })).outcomes
    const id = outcome?.is === 'review' ? (outcome.question?.id ?? '') : ''
    const again = withLock(() => undefined)
    for (const [path, text] of before) again.files.set(path, text)
    again.files.delete(lockFile)
    const merged = again.upgrade(version('1.1.0', { a: 'theirs\n' }), new Map([[id, 'template']]))
    expect(again.files.get('a')).toBe('theirs\r\n')
    expect(merged.attention).toBe('look')
  })

  it('is found in an older version than the one before', () => {
    const repository = withFile('a', '1\n2\n3\n4\n')
    // The template does not change the file in between, so that the lock stays as it is.
    expect([...repository.upgrade(version('1.1.0', { a: '1\n2\n3\n4\n' })).files]).toEqual([])
    repository.files.set('a', 'ours\n2\n3\n4\n')
    expect(said(repository.upgrade(version('1.2.0', { a: '1\n2\n3\ntheirs\n' })))).toEqual(['merged a'])
    expect(repository.files.get('a')).toBe('ours\n2\n3\ntheirs\n')
  })
})

describe('A managed file', () => {
  it('is overwritten, and says what of ours is gone', () => {
    const repository = withFile('a', '1\n2\n', 'managed')
    repository.files.set('a', '1\nours\n2\n')
    const merged = repository.upgrade(version('1.1.0', { a: '1\n2\n3\n' }, { a: 'managed' }))
    expect(merged.outcomes).toMatchObject([{ is: 'overwritten', lost: ['ours'] }])
    expect(merged.attention).toBe('look')
    expect(repository.files.get('a')).toBe('1\n2\n3\n')
  })

  it('is left alone where its base is not proven', () => {
    const repository = withFile('a', '1\n2\n', 'managed')
    repository.files.delete(lockFile)
    repository.files.set('a', '1\nours\n2\n')
    expect(said(repository.upgrade(version('1.1.0', { a: '1\n2\n3\n' }, { a: 'managed' })))).toEqual([
      'review no-base a',
    ])
  })

  it('stays deleted', () => {
    const repository = withFile('a', '1\n', 'managed')
    repository.files.delete('a')
    expect(said(repository.upgrade(version('1.1.0', { a: '2\n' }, { a: 'managed' })))).toEqual(['kept deleted a'])
  })
})

describe('A seed', () => {
  it('is written once, and never again, whatever becomes of it', () => {
    const repository = withFile('a', 'x\n', 'seed')
    for (const [number, act] of [
      ['1.1.0', () => undefined],
      ['1.2.0', () => void repository.files.set('a', 'ours\n')],
      ['1.3.0', () => void repository.files.delete('a')],
    ] as const) {
      act()
      const before = repository.files.get('a')
      expect(said(repository.upgrade(version(number, { a: `${number}\n` }, { a: 'seed' })))).toEqual([])
      expect(repository.files.get('a')).toBe(before)
    }
    expect(said(repository.upgrade(version('1.4.0', {})))).toEqual([])
  })

  it('that a version brings is written', () => {
    const repository = withFile('a', 'x\n')
    expect(said(repository.upgrade(version('1.1.0', { a: 'x\n', b: 'y\n' }, { b: 'seed' })))).toEqual(['added b'])
  })
})

describe('A block', () => {
  const block = (number: string, text: string, path = 'README.md') =>
    version(number, { [path]: text }, { [path]: 'block' })
  const begin = '<!-- protium:begin (these lines are written by the template; change the others) -->'
  const end = '<!-- protium:end -->'

  it('is the whole of a file that was not there', () => {
    const repository = new Repository()
    expect(said(repository.upgrade(block('1.0.0', 'Deployed by {{ service.name }}.\n')))).toEqual(['added README.md'])
    expect(repository.files.get('README.md')).toBe(`${begin}\nDeployed by cart.\n${end}\n`)
  })

  it('comes to the end of a file that was there, and changes with the template alone', () => {
    const repository = new Repository()
    repository.files.set('README.md', '# Cart')
    expect(said(repository.upgrade(block('1.0.0', 'one\n')))).toEqual(['added README.md'])
    expect(repository.files.get('README.md')).toBe(`# Cart\n\n${begin}\none\n${end}\n`)
    repository.files.set('README.md', `${repository.files.get('README.md')}More of ours.\n`)
    expect(said(repository.upgrade(block('1.1.0', 'two\n')))).toEqual(['updated README.md'])
    expect(repository.files.get('README.md')).toBe(`# Cart\n\n${begin}\ntwo\n${end}\nMore of ours.\n`)
  })

  it('keeps the ends of lines of the file around it', () => {
    const repository = new Repository()
    repository.files.set('README.md', '# Cart\r\n')
    repository.upgrade(block('1.0.0', 'one\n'))
    repository.upgrade(block('1.1.0', 'two\n'))
    expect(repository.files.get('README.md')).toBe(`# Cart\r\n\r\n${begin}\r\ntwo\r\n${end}\r\n`)
  })

  it('is overwritten inside, and says what of ours is gone', () => {
    const repository = new Repository()
    repository.upgrade(block('1.0.0', 'one\n'))
    repository.files.set('README.md', `# Cart\n${repository.files.get('README.md')?.replace('one', 'one\nours')}`)
    const merged = repository.upgrade(block('1.1.0', 'two\n'))
    expect(merged.outcomes).toMatchObject([{ is: 'overwritten', lost: ['ours'] }])
    expect(repository.files.get('README.md')).toBe(`# Cart\n${begin}\ntwo\n${end}\n`)
  })

  it.each([
    ['without its marks', '# Cart\n'],
    ['with one mark alone', `# Cart\n${begin}\none\n`],
    ['with marks in the wrong order', `${end}\none\n${begin}\n`],
    ['with two of it', `${begin}\none\n${end}\n${begin}\none\n${end}\n`],
  ])('is left alone %s', (_, text) => {
    const repository = new Repository()
    repository.upgrade(block('1.0.0', 'one\n'))
    repository.files.set('README.md', text)
    expect(said(repository.upgrade(block('1.1.0', 'two\n')))).toEqual(['kept unmarked README.md'])
    expect(repository.files.get('README.md')).toBe(text)
  })

  it('goes when the template has it no longer, and the file stays', () => {
    const repository = new Repository()
    repository.files.set('README.md', '# Cart\n')
    repository.upgrade(block('1.0.0', 'one\n'))
    expect(said(repository.upgrade(version('1.1.0', {})))).toEqual(['removed README.md'])
    expect(repository.files.get('README.md')).toBe('# Cart\n')
  })

  it('takes the file along where nothing else is in it', () => {
    const repository = new Repository()
    repository.upgrade(block('1.0.0', 'one\n'))
    expect(said(repository.upgrade(version('1.1.0', {})))).toEqual(['removed README.md'])
    expect(repository.files.size).toBe(0)
  })

  it('is not put into YAML that could not be read with it', () => {
    const repository = new Repository()
    repository.files.set('a.yaml', '- a list\n')
    const merged = repository.upgrade(block('1.0.0', 'key: value\n', 'a.yaml'))
    expect(said(merged)).toEqual(['review unsure a.yaml'])
    expect(repository.files.get('a.yaml')).toBe('- a list\n')
  })

  it.each([
    ['Dockerfile', '# protium:begin ', '# protium:end'],
    ['.gitignore', '# protium:begin ', '# protium:end'],
    ['Makefile', '# protium:begin ', '# protium:end'],
    ['src/app.ts', '// protium:begin ', '// protium:end'],
    ['db/init.sql', '-- protium:begin ', '-- protium:end'],
    ['web/a.css', '/* protium:begin ', '/* protium:end */'],
    ['a.html', '<!-- protium:begin ', '<!-- protium:end -->'],
  ])('is marked in %s as comments are there', (path, opening, closing) => {
    const repository = new Repository()
    repository.upgrade(block('1.0.0', 'x\n', path))
    const text = repository.files.get(path) ?? ''
    expect(text.startsWith(opening)).toBe(true)
    expect(text.endsWith(`${closing}\n`)).toBe(true)
    expect(said(repository.upgrade(block('1.1.0', 'y\n', path)))).toEqual([`updated ${path}`])
  })
})

describe('Upgrades of any kind', () => {
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', 'd', 'e: 1', 'f'), { maxLength: 8 })
    .map((all) => all.map((line) => `${line}\n`).join(''))
  const owner = fc.constantFrom('managed', 'merge', 'seed', 'block')
  const path = fc.constantFrom('a.md', 'b.yaml', 'c/d.md')
  const skeleton = fc.dictionary(path, fc.record({ text, owner }), { maxKeys: 3, noNullPrototype: true })
  const act = fc.oneof(
    fc.record({ is: fc.constant('write' as const), path, text }),
    fc.record({ is: fc.constant('delete' as const), path }),
    fc.record({ is: fc.constant('append' as const), path, text }),
    fc.record({ is: fc.constant('unlock' as const) }),
  )

  it('lose no line of the user without a word, and have nothing to do the second time', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ skeleton, acts: fc.array(act, { maxLength: 3 }) }), { maxLength: 4 }),
        (steps) => {
          const repository = new Repository()
          for (const [index, step] of steps.entries()) {
            for (const each of step.acts) {
              if (each.is === 'write') repository.files.set(each.path, `own ${index}\n${each.text}`)
              if (each.is === 'append')
                repository.files.set(each.path, `${repository.files.get(each.path) ?? ''}own ${index}\n`)
              if (each.is === 'delete') repository.files.delete(each.path)
              if (each.is === 'unlock') repository.files.delete(lockFile)
            }
            const before = new Map(repository.files)
            const to = version(
              `1.${index}.0`,
              Object.fromEntries(Object.entries(step.skeleton).map(([name, file]) => [name, file.text])),
              Object.fromEntries(Object.entries(step.skeleton).map(([name, file]) => [name, file.owner])),
            )
            const merged = repository.upgrade(to)
            for (const [name, old] of before) {
              if (name === lockFile) continue
              const now = repository.files.get(name) ?? ''
              const lost = old.split('\n').filter((line) => line.startsWith('own ') && !now.split('\n').includes(line))
              const told = merged.outcomes.some((each) => each.path === name && each.is === 'overwritten')
              if (!told) expect(lost).toEqual([])
            }
            for (const name of before.keys())
              if (name !== lockFile && !repository.files.has(name)) expect(said(merged)).toContain(`removed ${name}`)
            const again = repository.upgrade(to)
            expect([...again.files]).toEqual([])
            expect(again.outcomes.filter(({ is }) => is !== 'kept')).toEqual([])
          }
        },
      ),
      { numRuns: 400 },
    )
  })
})
