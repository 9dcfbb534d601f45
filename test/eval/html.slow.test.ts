// The HTML report in a real browser: it draws, it opens and closes, and nothing in it runs or asks for anything.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { htmlReport } from '../../src/eval/index.ts'
import { keepPicture, startBrowser } from '../inspector/browser.ts'
import { caseResult } from './seen.ts'
import { history, NASTY, nasty, odd, regressed, reportOf } from './results.ts'

let browser: Browser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser.close())

const open = async (html: string, options: { readonly width?: number; readonly dark?: boolean } = {}): Promise<{ readonly page: Page; readonly problems: readonly string[] }> => {
  const folder = await mkdtemp(join(tmpdir(), 'stateloop-html-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'report.html')
  await writeFile(file, html)
  const page = await browser.newPage({ viewport: { width: options.width ?? 1_100, height: 900 }, colorScheme: options.dark === true ? 'dark' : 'light' })
  onTestFinished(() => page.close())
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => void problems.push(message.text()))
  page.on('dialog', (dialog) => void dialog.dismiss().then(() => problems.push('a dialog')))
  page.on('request', (request) => void (request.url() === pathToFileURL(file).href || problems.push(request.url())))
  await page.goto(pathToFileURL(file).href)
  return { page, problems }
}

describe('the HTML report', () => {
  it('shows the verdict, plots with intervals, and each case with its reasons', async () => {
    const report = reportOf(regressed, odd)
    const { page, problems } = await open(htmlReport({ ...report, evaluations: report.evaluations.map((one) => ({ ...one, history })) }))
    expect(await page.title()).toBe('Evals: regressed')
    expect(await page.locator('h2 .verdict').allTextContents()).toEqual(['regressed', 'could not be judged'])
    expect(await page.locator('svg[aria-label="Pass rate by tag"] circle.now').count()).toBeGreaterThan(0)
    expect(await page.locator('svg[aria-label="Pass rate over time"] circle.now').count()).toBe(2 * history.length)
    expect(await page.locator('details.case').count()).toBe(52)
    await page.getByText('Cost per case').first().click()
    expect(await page.locator('svg[aria-label="Cost per case"]').first().isVisible()).toBe(true)
    expect(await page.locator('details.case[open]').first().textContent()).toContain('answer: expected "yes", seen "no"')
    expect(problems).toEqual([])
    await page.evaluate('scrollTo(0, 0)')
    await keepPicture(page, 'eval-report')
  })

  it('holds what a model wrote as text', async () => {
    const { page, problems } = await open(htmlReport(reportOf(nasty)))
    expect(await page.locator('script').count()).toBe(0)
    expect(await page.locator('a').count()).toBe(0)
    expect(await page.locator('details.case summary b').textContent()).toContain(NASTY.slice(0, 30))
    expect(problems).toEqual([])
  })

  it('fits a phone, and a dark room', async () => {
    const { page } = await open(htmlReport(reportOf(regressed)), { width: 400, dark: true })
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    await keepPicture(page, 'eval-report-phone')
  })

  it('draws a case without results', async () => {
    const { page, problems } = await open(htmlReport(reportOf({ ...odd, cases: [caseResult('untried', '')] })))
    expect(await page.getByText('No trial was run.').count()).toBe(1)
    expect(problems).toEqual([])
  })
})
