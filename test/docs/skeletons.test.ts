import { describe, expect, it } from 'vitest'
import { mapOf } from '../../src/core/data.ts'
import { renderSkeleton } from '../../src/core/skeleton.ts'
import { most } from '../../src/core/skeleton/read.ts'
import { mostLines } from '../../src/core/merge.ts'
import { bundleWith, Repository } from '../core/skeleton/bundles.ts'
import { blocksOf, textOf } from './pages.ts'

const page = 'docs/skeletons.md'
const given = blocksOf(page).flatMap(({ mark, text }) => {
  const path = /^skeleton: (.+)$/u.exec(mark ?? '')?.[1]
  return path === undefined ? [] : [[path === 'skeleton.yaml' ? path : `skeleton/${path}`, text] as const]
})
const files = {
  ...Object.fromEntries(given),
  'skeleton/Dockerfile': 'FROM scratch\n',
  'skeleton/README.md': 'Deployed by Protium.\n',
}

describe('The page of skeletons', () => {
  it('shows files as they are read', () => {
    const bundle = bundleWith(files)
    const none = renderSkeleton(bundle, { name: 'cart', inputs: mapOf() })
    expect(none.ok && [...none.value.owners]).toEqual([
      ['Dockerfile', 'seed'],
      ['README.md', 'block'],
    ])
    const some = renderSkeleton(bundle, { name: 'cart', inputs: mapOf([['port', 9090]]) })
    expect(some.ok && some.value.files.get('docs/queue.md')).toBe('The port of cart is 9090.\n')
    expect(some.ok && some.value.owners.get('docs/queue.md')).toBe('managed')
  })

  it('shows a block as it is written', () => {
    const repository = new Repository()
    repository.upgrade(bundleWith(files))
    const shown = blocksOf(page).find(({ info }) => info === 'html')
    expect(shown?.text).toBe(repository.files.get('README.md'))
  })

  it.each([
    `${most.files} files`,
    most.characters.toLocaleString('en'),
    most.together.toLocaleString('en'),
    `${mostLines.toLocaleString('en')} lines`,
  ])('knows the limit %s', (limit) => {
    expect(textOf(page)).toContain(limit)
  })
})
