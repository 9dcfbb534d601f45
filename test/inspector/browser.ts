// Headless Chromium from its npm package, and a page on an inspector that remembers everything which should not happen:
// errors, scripts that ran, and breaches of the content security policy.
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import binary from '@sparticuz/chromium'
import { chromium, type Browser, type Page } from 'playwright-core'
import type { Inspector } from '../../src/inspector/index.ts'

/** What a browser in a container needs, and nothing that weakens its rules: the package's own list turns the same-origin policy off. */
const ARGS = ['--no-sandbox', '--disable-gpu', '--no-zygote', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--font-render-hinting=none']

/** Starts the browser. */
export const startBrowser = async (): Promise<Browser> => chromium.launch({ executablePath: await binary.executablePath(), args: ARGS })

/** A page with what went wrong on it. */
export interface Watched {
  readonly page: Page
  readonly problems: readonly string[]
}

const ARTEFACTS = fileURLToPath(new URL('../../artefacts/', import.meta.url))

/** Opens an inspector's page. Whatever a text on it would run calls `pwned`. */
export const openPage = async (browser: Browser, inspector: Pick<Inspector, 'url'>, options: { readonly width?: number; readonly height?: number; readonly dark?: boolean } = {}): Promise<Watched> => {
  const { width = 1440, height = 900, dark = false } = options
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce' })
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`))
  page.on('console', (message) => void (message.type() === 'error' && problems.push(`console: ${message.text()}`)))
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => void (request.url().startsWith(new URL(inspector.url).origin) || problems.push(`request: ${request.url()}`)))
  await page.exposeFunction('pwned', () => void problems.push('script: pwned() was called'))
  await page.addInitScript("addEventListener('securitypolicyviolation', (event) => console.error('csp ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample))")
  await page.goto(inspector.url)
  return { page, problems }
}

/** Keeps a picture of the page under `artefacts/`. */
export const keepPicture = async (page: Page, name: string): Promise<void> => {
  await mkdir(ARTEFACTS, { recursive: true })
  await page.screenshot({ path: `${ARTEFACTS}${name}.png` })
}

/** Waits until the open run stands at that step. */
export const atStep = (page: Page, step: number): Promise<void> => page.waitForSelector(`.run-view[data-position="${step}"]`, { timeout: 20_000 }).then(() => {})
