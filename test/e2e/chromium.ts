import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import axe from 'axe-core'
import { type BrowserContext, chromium, type Page } from 'playwright-core'

/** Chromium, as Debian and others install it; undefined where it is not there. */
export const chromiumFile = [
  process.env['PROTIUM_CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((file) => file !== undefined && existsSync(file))

export type Look = {
  readonly width: number
  readonly scheme: 'light' | 'dark'
}

/** A page in a browser of its own, and what went wrong in it: errors of its console, and requests to another host. */
export type Looking = {
  readonly page: Page
  readonly wrong: readonly string[]
  readonly close: () => Promise<void>
}

export async function openBrowser(base: string, { width, scheme }: Look): Promise<Looking> {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'protium-chromium-'))
  const context: BrowserContext = await chromium.launchPersistentContext(folder, {
    ...(chromiumFile !== undefined && { executablePath: chromiumFile }),
    viewport: { width, height: 900 },
    colorScheme: scheme,
    // The rules of the pages keep out what a test puts in to look at them.
    bypassCSP: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  const wrong: string[] = []
  context.on('request', (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith('data:')) wrong.push(`asks ${request.url()}`)
  })
  context.on('console', (message) => {
    if (message.type() === 'error') wrong.push(`console: ${message.text()}`)
  })
  const page = context.pages()[0] ?? (await context.newPage())
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`))
  return {
    page,
    wrong,
    async close() {
      await context.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** What axe finds wrong with a page for people who do not see it, or do not use a mouse: one line a rule. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source)
  const found: unknown = await page.evaluate(
    `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 160)).join(' | ')))`,
  )
  return Array.isArray(found) ? found.map(String) : ['axe said nothing']
}
