import { describe, expect, test } from 'vitest'
import { readOrganisation } from '../../src/core/organisation.ts'
import { touchedBy } from '../../src/core/touched.ts'
import { organisationFiles, treeOf } from './trees.ts'

function organisationOf(...more: readonly Readonly<Record<string, string | undefined>>[]) {
  const read = readOrganisation(treeOf(organisationFiles, ...more), () => undefined)
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  return read.value
}

const everything = { services: ['checkout'], environments: ['dev', 'prod'], stages: ['dev', 'prod'] }
const nothing = { services: [], environments: [], stages: [] }
const service = { services: ['checkout'], environments: [], stages: ['dev', 'prod'] }

describe('what a change touches', () => {
  test.each([
    ['everything, where it is not known', undefined, everything],
    ['everything, by the catalog', ['catalog.yaml'], everything],
    ['nothing, by other files', ['README.md', '.github/workflows/plan.yml', 'services/README.md'], nothing],
    ['nothing, where nothing has changed', [], nothing],
    ['a service, by any file in its folder', ['services/checkout/service.yaml'], service],
    ['a service, by its template', ['templates/web/v1/schema/schema.yaml'], service],
    ['an environment and what reads its outputs', ['environments/dev.yaml'], { ...everything, environments: ['dev'] }],
    ['environments, by their template', ['templates/net/template.yaml'], everything],
    [
      'nothing, by what a template says of its releases',
      ['templates/web/CHANGELOG.md', 'templates/web/migrations/2.0.0.yaml'],
      nothing,
    ],
    ['nothing, by a template that nobody uses', ['templates/other/template.yaml'], nothing],
  ])('is %s', (_what, files, touched) => {
    expect(touchedBy(organisationOf(), { files, shared: true })).toEqual(touched)
  })

  test('in the repository of a service is that service, by any file', () => {
    const organisation = organisationOf({
      'service.yaml': organisationFiles['services/checkout/service.yaml'],
      'services/checkout/service.yaml': undefined,
    })

    expect(touchedBy(organisation, { files: ['src/main.py'], shared: false })).toEqual(service)
    expect(touchedBy(organisation, { files: ['.github/dependabot.yml'], shared: false })).toEqual(nothing)
  })
})
