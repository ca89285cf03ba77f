import { describe, expect, test } from 'vitest'
import { clientOf } from './github/client.ts'
import { manualClock } from './github/clock.ts'
import { checkEvent } from './github/description.ts'
import { type GitHub, startGitHub } from './github/server.ts'

const at = { owner: 'acme', repo: 'catalog' }

async function start(): Promise<GitHub> {
  return startGitHub(
    {
      organisation: 'acme',
      members: { ada: 'admin' },
      apps: {
        protium: { permissions: { contents: 'write', organization_custom_properties: 'write' } },
        reader: { permissions: { contents: 'read' } },
      },
      repositories: {
        catalog: { files: { 'catalog.yaml': 'catalog: acme\n' } },
        checkout: {
          files: { 'service.yaml': 'x\n' },
          settings: { topics: ['protium'], properties: { 'catalog-template': 'fargate', ring: ['canary', 'early'] } },
        },
        cart: { files: { 'service.yaml': 'x\n' }, settings: { properties: { 'catalog-template': 'lambda' } } },
      },
    },
    { clock: manualClock('2026-11-22T12:00:00Z') },
  )
}

describe('releases', () => {
  test('one makes its tag where there is none, and leaves one that is there where it is', async () => {
    const github = await start()
    const { repos, git } = clientOf(github, { kind: 'app', app: 'protium' })
    const first = await github.head('acme/catalog')
    const { data: made } = await repos.createRelease({ ...at, tag_name: 'web@1.0.0', body: 'Notes', name: 'web 1.0.0' })
    expect(made).toMatchObject({
      tag_name: 'web@1.0.0',
      body: 'Notes',
      draft: false,
      author: { login: 'protium[bot]' },
      published_at: '2026-11-22T12:00:00Z',
    })
    expect((await git.getRef({ ...at, ref: 'tags/web@1.0.0' })).data.object.sha).toBe(first)
    await git.createRef({ ...at, ref: 'refs/tags/web@1.1.0', sha: first ?? '' })
    await github.push({ repository: 'acme/catalog', branch: 'main', files: { a: '1' }, by: 'ada' })
    await repos.createRelease({ ...at, tag_name: 'web@1.1.0', target_commitish: 'main' })
    expect((await git.getRef({ ...at, ref: 'tags/web@1.1.0' })).data.object.sha).toBe(first)
    expect((await repos.listReleases(at)).data.map(({ tag_name: tag }) => tag)).toEqual(['web@1.1.0', 'web@1.0.0'])
    await github.close()
  })

  test('a tag has one release, and what is missing is not found', async () => {
    const github = await start()
    const { repos } = clientOf(github, { kind: 'app', app: 'protium' })
    await repos.createRelease({ ...at, tag_name: 'web@1.0.0' })
    await expect(repos.createRelease({ ...at, tag_name: 'web@1.0.0' })).rejects.toMatchObject({
      status: 422,
      response: { data: { errors: [{ resource: 'Release', code: 'already_exists', field: 'tag_name' }] } },
    })
    await expect(repos.getReleaseByTag({ ...at, tag: 'web@2.0.0' })).rejects.toMatchObject({ status: 404 })
    await expect(repos.createRelease({ ...at, tag_name: 'x', target_commitish: 'none' })).rejects.toMatchObject({
      status: 422,
    })
    const reader = clientOf(github, { kind: 'app', app: 'reader' })
    await expect(reader.repos.createRelease({ ...at, tag_name: 'y' })).rejects.toMatchObject({ status: 403 })
    await github.close()
  })

  test('a draft has no tag until it is published', async () => {
    const github = await start()
    const { repos } = clientOf(github, { kind: 'app', app: 'protium' })
    const { data: draft } = await repos.createRelease({ ...at, tag_name: 'web@1.0.0', draft: true })
    expect((await repos.listTags(at)).data).toEqual([])
    await expect(repos.getReleaseByTag({ ...at, tag: 'web@1.0.0' })).rejects.toMatchObject({ status: 404 })
    await repos.updateRelease({ ...at, release_id: draft.id, draft: false })
    expect((await repos.listTags(at)).data).toHaveLength(1)
    await github.close()
  })

  test('the latest is the newest, or the one that was said to be', async () => {
    const github = await start()
    const { repos } = clientOf(github, { kind: 'app', app: 'protium' })
    await repos.createRelease({ ...at, tag_name: 'web@2.0.0', make_latest: 'true' })
    await repos.createRelease({ ...at, tag_name: 'web@1.4.1' })
    await repos.createRelease({ ...at, tag_name: 'web@3.0.0', prerelease: true })
    expect((await repos.getLatestRelease(at)).data.tag_name).toBe('web@2.0.0')
    await github.close()
  })

  test('one that is published is an event, and its tag is a push', async () => {
    const github = await start()
    const { repos } = clientOf(github, { kind: 'app', app: 'protium' })
    await repos.createRelease({ ...at, tag_name: 'web@1.0.0' })
    const events = github.events()
    expect(events.map(({ name }) => name)).toEqual(['push', 'release'])
    expect(checkEvent('release-published', events[1]?.payload ?? null)).toEqual([])
    await github.close()
  })

  test('a body may be 125,000 characters long', async () => {
    const github = await start()
    const { repos } = clientOf(github, { kind: 'app', app: 'protium' })
    await repos.createRelease({ ...at, tag_name: 'a', body: 'x'.repeat(125_000) })
    await expect(repos.createRelease({ ...at, tag_name: 'b', body: 'x'.repeat(125_001) })).rejects.toMatchObject({
      status: 422,
    })
    await github.close()
  })
})

describe('repositories of an installation', () => {
  test('come with topics and custom properties', async () => {
    const github = await start()
    const { apps } = clientOf(github, { kind: 'app', app: 'protium' })
    const { data } = await apps.listReposAccessibleToInstallation({ per_page: 2, page: 1 })
    expect(data.total_count).toBe(3)
    expect(data.repositories[1]).toMatchObject({
      name: 'checkout',
      topics: ['protium'],
      custom_properties: { 'catalog-template': 'fargate', ring: ['canary', 'early'] },
      archived: false,
      default_branch: 'main',
    })
    await github.close()
  })

  test('are found by a property of the organisation, which is set for thirty at a time', async () => {
    const github = await start()
    const { orgs } = clientOf(github, { kind: 'app', app: 'protium' })
    const repository_query = 'props.catalog-template:fargate'
    const found = async () =>
      (await orgs.customPropertiesForReposGetOrganizationValues({ org: 'acme', repository_query })).data.map(
        ({ repository_name: name }) => name,
      )
    expect(await found()).toEqual(['checkout'])
    const properties = [{ property_name: 'catalog-template', value: 'fargate' }]
    const set = (repository_names: string[]) =>
      orgs.customPropertiesForReposCreateOrUpdateOrganizationValues({ org: 'acme', repository_names, properties })
    await set(['cart'])
    expect(await found()).toEqual(['checkout', 'cart'])
    const many = Array.from({ length: 31 }, () => 'cart')
    await expect(set(many)).rejects.toMatchObject({ status: 422 })
    await github.close()
  })
})
