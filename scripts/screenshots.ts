// Takes the pictures of the inspector that the docs show: `node --conditions=stateloop-source scripts/screenshots.ts`.
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { memoryJournal } from '../src/index.ts'
import { startInspector } from '../src/inspector/index.ts'
import { openPage, startBrowser } from '../test/inspector/browser.ts'
import { travel, travelRuntime } from '../test/inspector/travel.ts'

const folder = fileURLToPath(new URL('../docs/images/', import.meta.url))
const journal = memoryJournal()
const runtime = travelRuntime(journal, 60)
/** A runtime for each run, because a circuit that one run opens stays open for the next. */
const start = async (question: string, city = 'Lisbon'): Promise<string> => {
  const run = await travelRuntime(journal, 60).start(travel, { question, city }, { user: 'ada', route: '/plan' })
  await run.outcome()
  return run.id
}

const runs: string[] = []
for (const question of ['Write a poem.', 'A weekend, and retry when needed?', 'Is the model overloaded?', 'A weekend away?']) runs.push(await start(question))
runs.push(await start('A weekend away?', 'Oslo'), await start('Book a weekend away.'))

const browser = await startBrowser()
await using inspector = await startInspector({ journal, agents: [travel], control: runtime })

const picture = async (name: string, dark: boolean, act: (page: Page) => Promise<unknown>): Promise<void> => {
  const { page, problems } = await openPage(browser, inspector, { width: 1360, height: 850, dark })
  await page.waitForSelector('.row')
  await act(page)
  await page.waitForTimeout(400)
  await page.screenshot({ path: `${folder}${name}.jpg`, type: 'jpeg', quality: 72 })
  await page.close()
  if (problems.length > 0) throw new Error(problems.join('\n'))
}
const open = (page: Page, index: number): Promise<void> => page.click(`[data-run="${runs[index]}"]`)

await mkdir(folder, { recursive: true })
await picture('inspector-run', false, async (page) => {
  await open(page, 3)
  await page.waitForSelector('.live-button:has-text("done")')
  await page.keyboard.press('Home')
  for (let step = 0; step < 4; step++) await page.keyboard.press('ArrowRight')
})
await picture('inspector-failures', true, async (page) => {
  await open(page, 2)
  await page.waitForSelector('.badge')
  await page.keyboard.press('4')
})
await picture('inspector-approval', false, async (page) => {
  await open(page, 5)
  await page.waitForSelector('.pending')
  await page.keyboard.press('2')
  await page.click('.pending button:text-is("Edit…")')
})
await picture('inspector-agent', false, async (page) => {
  await page.click('.agents button')
  await page.waitForSelector('.figures tr:nth-child(2)')
})
await picture('inspector-compare', false, async (page) => {
  await open(page, 3)
  await page.waitForSelector('.live-button:has-text("done")')
  await page.click(`[data-run="${runs[4]}"]`, { modifiers: ['Shift'] })
  await page.waitForSelector('.pair.first')
  await page.keyboard.press('p')
})
await browser.close()
await runtime.close()
