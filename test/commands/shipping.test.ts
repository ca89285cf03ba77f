import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { readTree } from '../../src/adapters/disk.ts'
import { handedImages, imageInput, recordedImages, withImages } from '../../src/commands/shipping.ts'
import type { Organisation, Unit } from '../../src/core/organisation.ts'
import { readOrganisation } from '../../src/core/organisation.ts'
import type { DeploymentRecord } from '../../src/ports.ts'

const digest = `sha256:${'a'.repeat(64)}`
const image = `111111111111.dkr.ecr.ap-northeast-2.amazonaws.com/checkout@${digest}`

let organisation: Organisation
beforeAll(async () => {
  const folders = ['catalog.yaml', 'environments', 'services', 'templates']
  const { tree } = await readTree(join(import.meta.dirname, '../..'), (path) =>
    folders.some((folder) => path === folder || path.startsWith(`${folder}/`)),
  )
  const read = readOrganisation(tree, () => undefined)
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  organisation = read.value
})

function unitsOf(...ids: readonly string[]): readonly Unit[] {
  return organisation.units.filter(({ id }) => ids.includes(id))
}

function stage(name: string) {
  const found = organisation.catalog.stages.find((each) => each.name === name)
  if (found === undefined) throw new Error(name)
  return found
}

describe('an image that a build hands over', () => {
  test('becomes the input of the service in the stage', () => {
    const units = unitsOf('environment/dev', 'checkout/dev')
    const { images, problems } = handedImages([image], { units, stage: stage('dev') })

    const [environment, service] = withImages(units, images)

    expect(problems).toEqual([])
    expect(environment).toBe(units[0])
    expect(service?.inputs[imageInput(service) ?? '']).toBe(image)
    expect(Object.keys(service?.inputs ?? {})).toEqual(Object.keys(units[1]?.inputs ?? {}))
  })

  test('is that of the service that its line names', () => {
    const units = unitsOf('checkout/dev')

    const { images } = handedImages([`inventory=x@${digest}`, `checkout=${image}`], { units, stage: stage('dev') })

    expect([...images]).toEqual([['checkout/dev', image]])
  })

  test.each([
    ['two images without a name', [image, image], 'option-value'],
    ['words', ['latest and greatest'], 'option-value'],
    ['a workflow command', ['::set-output name=exit::done'], 'option-value'],
    ['a tag in production', ['acme/checkout:latest'], 'image-tag'],
    ['half a digest in production', ['acme/checkout@sha256:abc'], 'option-value'],
  ])('is refused: %s', (_what, lines, code) => {
    const { images, problems } = handedImages(lines, { units: unitsOf('checkout/prod'), stage: stage('prod') })

    expect([...images]).toEqual([])
    expect(problems[0]?.code).toBe(code)
  })

  test('stays until another one is handed over, and is not taken from what failed', () => {
    const record = (more: Partial<DeploymentRecord>): DeploymentRecord => ({
      format: 1,
      id: 'x',
      unit: 'checkout/dev',
      template: 'fargate-service',
      version: '2.3.0',
      by: 'ana',
      started: '',
      finished: '',
      outcome: 'deployed',
      wants: '',
      ...more,
    })
    const history = new Map([
      [
        'checkout/dev',
        [record({ image: 'one' }), record({ image: 'two' }), record({}), record({ image: 'three', outcome: 'failed' })],
      ],
    ])

    expect([...recordedImages(unitsOf('checkout/dev', 'environment/dev'), history)]).toEqual([['checkout/dev', 'two']])
  })
})
