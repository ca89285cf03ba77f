import { existsSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Demo, startDemo } from '../../demo/demo.ts'
import { accessibilityFaults, chromiumFile, type Look, type Looking, openBrowser } from './chromium.ts'

const looks: readonly Look[] = [
  { width: 1280, scheme: 'light' },
  { width: 390, scheme: 'dark' },
  { width: 1280, scheme: 'dark' },
  { width: 390, scheme: 'light' },
]

describe.skipIf(chromiumFile === undefined)('the demo (needs Chromium)', () => {
  let demo: Demo
  let looking: Looking
  const told: string[] = []

  beforeAll(async () => {
    demo = await startDemo({ port: 0, progress: (what) => told.push(what) })
    looking = await openBrowser(demo.url, { width: 1280, scheme: 'light' })
  }, 120_000)
  afterAll(async () => {
    await looking.close()
    await demo.close()
  })

  /** Opens the pull request of something to try, and waits until it is planned; its page. */
  async function tried(title: string): Promise<string> {
    const { page } = looking
    await page.goto(demo.url)
    await page.getByRole('button', { name: `Open the pull request: ${title}` }).click()
    await page.waitForURL(/\/pulls\/\d+$/u)
    await demo.runner.rest()
    await page.getByText('protium/plan', { exact: true }).first().waitFor()
    await page
      .getByRole('region', { name: /^Comment \d+ by github-actions/u })
      .first()
      .waitFor()
    return page.url()
  }

  async function merge(): Promise<void> {
    const { page } = looking
    await page.getByRole('button', { name: 'Merge, as dev' }).click()
    await page.getByText('merged', { exact: true }).waitFor()
    await demo.runner.rest()
  }

  async function deployRun(): Promise<number> {
    const [latest] = demo.runner.runs()
    expect(latest?.workflow).toBe('Deploy')
    return latest?.id ?? 0
  }

  test('is there with a sample organisation that is deployed', async () => {
    const { page } = looking
    await page.goto(demo.url)
    const row = page.getByRole('row', { name: /^checkout/u })

    expect(told).toEqual(['a GitHub', 'a cloud', 'releases', 'the pages'])
    expect(await row.innerText()).toContain('checkout.staging.example.com')
    expect((await row.innerText()).match(/deployed/gu)).toHaveLength(3)
  })

  test('a service is requested, planned, merged, deployed stage by stage, and to prod when somebody has approved', async () => {
    const { page } = looking
    await tried('Request a service')
    const comment = await page.getByRole('region', { name: /^Comment \d+ by github-actions/u }).innerText()
    await merge()
    const run = await deployRun()
    await page.goto(`${demo.url}/runs/${run}`)
    const before = await page.getByRole('main').innerText()
    await page.getByRole('button', { name: 'Approve, as mia' }).click()
    await demo.runner.rest()
    await page.getByRole('heading', { name: 'cart → prod: deployed' }).waitFor()
    await page.goto(`${demo.url}/deployments`)

    expect(comment).toContain('cart.dev.example.com')
    expect(comment).toContain('after approval')
    expect(before).toContain('cart → staging: deployed')
    expect(before).not.toContain('cart → prod: deployed')
    expect(await page.getByRole('row', { name: /^cart\/prod/u }).innerText()).toContain('done')
  })

  test('what would replace a database is held, until it is mended', async () => {
    const { page } = looking
    await tried('Fall into a trap')
    const held = await page.getByRole('main').innerText()
    await page.getByRole('button', { name: 'Push a commit: Keep the key as it was' }).click()
    await page.getByRole('button', { name: 'Merge, as dev' }).waitFor()

    expect(held).toContain('Table')
    expect(held).toContain('AWS::DynamoDB::Table')
    expect(held).toContain('It can be merged when the check protium/plan is green')
  })

  test('a stage that fails goes back and says why, and what mends it goes through', async () => {
    const { page } = looking
    const pull = await tried('Break staging')
    await merge()
    await page.goto(pull)
    const why = await page
      .getByRole('region', { name: /^Comment \d+ by github-actions/u })
      .last()
      .innerText()
    const failed = demo.runner.runs()[0]
    await tried('Mend it')
    await merge()
    const run = await deployRun()
    await page.goto(`${demo.url}/runs/${run}`)
    await page.getByRole('button', { name: 'Approve, as mia' }).click()
    await demo.runner.rest()
    await page.getByRole('heading', { name: 'receipts → prod: deployed' }).waitFor()

    expect(failed?.conclusion).toBe('failure')
    expect(failed?.jobs.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'validate success',
      'services (receipts) / dev success',
      'services (receipts) / staging failure',
      'services (receipts) / settle success',
    ])
    expect(why).toContain('receipts → staging: failed, rolled back')
    expect(why).toContain('templates/queue-worker/v1/instance_infrastructure/cloudformation.yaml')
    expect(why).toContain('Circuit Breaker')
  })

  test('a template that is changed is held until it has a number, shows whom it reaches, and is released when merged', async () => {
    const { page } = looking
    await tried('Improve a template')
    const held = await page.getByRole('main').innerText()
    await page.getByRole('button', { name: 'Push a commit: Call it 1.0.1, and say what is new' }).click()
    await page.getByRole('button', { name: 'Merge, as dev' }).waitFor()
    await demo.runner.rest()
    const shown = await page.getByRole('main').innerText()
    await merge()
    const release = demo.runner.runs().find(({ workflow }) => workflow === 'Release')
    const ledger = await demo.github.files('acme/catalog', 'protium-ledger')

    expect(held).toContain('The version 1.0.1.')
    expect(held).toContain('It can be merged when the check protium/plan is green')
    expect(shown).toContain('Blast radius of queue-worker 1.0.1: 1 of 5 consumers changes in place, nothing is lost')
    expect(release?.conclusion).toBe('success')
    expect([...ledger.keys()].filter((path) => path.startsWith('releases/queue-worker/'))).toEqual([
      'releases/queue-worker/1.0.0.json',
      'releases/queue-worker/1.0.1.json',
    ])
  })

  test.each(looks)('its pages can be read at $width pixels, $scheme, by everybody', async (look) => {
    const seen = await openBrowser(demo.url, look)
    try {
      const runs = demo.runner.runs().map(({ id }) => `/runs/${id}`)
      const paths = ['/', '/runs', '/deployments', '/pulls/1', '/pulls/2', '/pulls/3', ...runs.slice(0, 2), '/nothing']
      const faults: string[] = []
      for (const path of paths) {
        await seen.page.goto(`${demo.url}${path}`)
        for (const details of await seen.page.locator('details').all())
          await details.evaluate((each) => each.setAttribute('open', ''))
        for (const fault of await accessibilityFaults(seen.page)) faults.push(`${path}: ${fault}`)
        const width = await seen.page.evaluate<number>('document.documentElement.scrollWidth')
        if (width > look.width) faults.push(`${path}: is ${width} pixels wide`)
      }

      expect(faults).toEqual([])
      expect(seen.wrong.filter((each) => !each.includes('404'))).toEqual([])
    } finally {
      await seen.close()
    }
  })

  test('everything is reached by the keyboard', async () => {
    const { page } = looking
    await page.goto(demo.url)
    const stops: string[] = []
    for (let at = 0; at < 40; at += 1) {
      await page.keyboard.press('Tab')
      const name = await page.evaluate<string>(
        `(document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '').trim()`,
      )
      if (name === '') break
      stops.push(name)
    }

    expect(stops.slice(0, 5)).toEqual(['Skip to the content', 'acme/catalog', 'Overview', 'Runs', 'Deployments'])
    expect(stops).toContain('Pull request #1')
    expect(stops).toContain('What runs where')
    expect(looking.wrong).toEqual([])
  })

  test('takes no orders from other pages, and answers to no other name', async () => {
    const strange = await fetch(`${demo.url}/try/request`, {
      method: 'POST',
      headers: { origin: 'http://example.com' },
    })
    const pages = await fetch(demo.url)

    expect(strange.status).toBe(403)
    expect(pages.headers.get('content-security-policy')).toContain("default-src 'none'")
  })

  test('leaves nothing behind', async () => {
    const own = await startDemo({ port: 0, progress: () => undefined })
    const folders = (): string[] => readdirSync(tmpdir()).filter((name) => /^protium-(?:demo|runner)-/u.test(name))
    const during = folders()
    await own.close()
    const after = folders()

    expect(during.length).toBe(after.length + 2)
    expect(after.every((name) => existsSync(`${tmpdir()}/${name}`))).toBe(true)
    await expect(fetch(own.url)).rejects.toThrow('fetch failed')
  })
})
