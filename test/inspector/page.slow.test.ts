// The page in a real browser: what a person clicks, and what is then on the screen.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { graphOf } from '../../src/agent/index.ts'
import { startInspector, type Inspector, type InspectorOptions } from '../../src/inspector/index.ts'
import { memoryJournal, type Journal } from '../../src/journal/index.ts'
import { atStep, keepPicture, openPage, startBrowser, type Watched } from './browser.ts'
import { travel, travelRuntime } from './travel.ts'

const journal: Journal = memoryJournal()
const runtime = travelRuntime(journal, 25)
const runs: string[] = []
let browser: Browser
let inspector: Inspector

const QUESTIONS = [
  { question: 'A weekend away?', city: 'Lisbon' },
  { question: 'A weekend away?', city: 'Oslo' },
  { question: 'Write a poem.', city: 'Lisbon' },
  { question: 'A weekend, and retry when needed?', city: 'Lisbon' },
  { question: 'Is the model overloaded?', city: 'Lisbon' },
  { question: 'Book a weekend away.', city: 'Lisbon' },
]

beforeAll(async () => {
  browser = await startBrowser()
  for (const input of QUESTIONS) {
    // A runtime for each, because a circuit that one run opens stays open for the next.
    const run = await travelRuntime(journal, 25).start(travel, input, { user: 'ada', route: '/plan' })
    await run.outcome()
    runs.push(run.id)
  }
  inspector = await startInspector({ journal, agents: [travel], times: { pollMs: 30 } })
})

afterAll(async () => {
  await inspector.close()
  await runtime.close()
  await browser.close()
})

const visit = async (options: Partial<InspectorOptions> & { readonly dark?: boolean } = {}): Promise<Watched> => {
  const { dark = false, ...more } = options
  const own = Object.keys(more).length === 0 ? inspector : await startInspector({ journal, agents: [travel], times: { pollMs: 30 }, ...more })
  const watched = await openPage(browser, own, { dark })
  onTestFinished(async () => {
    await watched.page.close()
    if (own !== inspector) await own.close()
  })
  return watched
}

const openRun = async (page: Page, index: number): Promise<void> => {
  await page.click(`[data-run="${runs[index]}"]`)
  await page.waitForSelector('.row')
}

const active = (page: Page): Promise<readonly string[]> => page.$$eval('.state.on', (all) => all.map((one) => one.dataset['state'] ?? '').filter((path) => path !== ''))
const texts = (page: Page, selector: string): Promise<readonly string[]> => page.$$eval(selector, (all) => all.map((one) => one.textContent))

describe('a run', () => {
  it('is shown as a chart with every state, at its newest step, with its log and its timeline', async () => {
    const { page, problems } = await visit()
    await openRun(page, 0)
    await atStep(page, 8)
    expect(await page.$$eval('.chart .state', (all) => all.length)).toBe(graphOf(travel.machine).nodes.length)
    expect(await active(page)).toEqual(['sent'])
    expect(await page.textContent('.row.chosen b')).toContain('→ sent')
    expect(await page.$$eval('.row', (all) => all.length)).toBe(9)
    expect(await page.$eval('.timeline canvas', (canvas) => canvas.clientHeight)).toBeGreaterThan(100)
    await keepPicture(page, 'run-light')
    expect(problems).toEqual([])
  })

  it('is scrubbed with keys, the slider and the log, and everything follows', async () => {
    const { page, problems } = await visit()
    await openRun(page, 0)
    await atStep(page, 8)
    await page.keyboard.press('Home')
    await atStep(page, 0)
    expect(await active(page)).toEqual(['understanding'])
    await page.keyboard.press('ArrowRight')
    await atStep(page, 1)
    expect(await active(page)).toEqual(['gathering', 'gathering.flights', 'gathering.hotels', 'gathering.flights.searching', 'gathering.hotels.searching'])
    expect(await page.$$eval('.edge.taken', (all) => all.length)).toBe(1)
    expect(await texts(page, '.change')).toEqual([expect.stringContaining('plan')])
    await page.click('.row[data-step="6"]')
    await atStep(page, 6)
    expect(await active(page)).toEqual(['acting'])
    await page.fill('.scrubber input', '2')
    await atStep(page, 2)
    await page.keyboard.press('Shift+ArrowRight')
    await atStep(page, 8)
    expect(problems).toEqual([])
  })

  it('shows messages, tool calls, cost and what a state did', async () => {
    const { page, problems } = await visit({ dark: true })
    await openRun(page, 0)
    await atStep(page, 8)
    await page.keyboard.press('2')
    await page.waitForSelector('.message')
    expect(await texts(page, '.message.tool pre')).toEqual(['{"city":"Lisbon","sky":"sunny","degrees":24}'])
    expect(await texts(page, '.message.fresh')).toEqual([expect.stringContaining('Fly on Friday')])
    await page.keyboard.press('3')
    await page.waitForSelector('.tile')
    expect(await texts(page, '.tile')).toEqual([expect.stringMatching(/^\$0\.000\d+cost$/), '5model calls', expect.stringContaining('tokens in'), expect.stringContaining('tokens out')])
    expect(await texts(page, '.panel .sums td:first-child')).toContain('answering')
    await page.click('[data-state="answering"] .name')
    expect(await page.textContent('.state-panel')).toMatch(/kindmodel.*visits so far2.*→ approving/)
    await keepPicture(page, 'run-dark')
    expect(problems).toEqual([])
  })

  it('lists its failures, and goes to each', async () => {
    const { page, problems } = await visit()
    await openRun(page, 3)
    await page.waitForSelector('.badge')
    await page.keyboard.press('4')
    expect(await page.textContent('.failure')).toMatch(/overloaded.*answering.*tried again/)
    await page.click('.failure')
    await page.locator('.row.chosen', { hasText: 'tried again' }).waitFor()
    await openRun(page, 4)
    await page.waitForSelector('.badge')
    expect(await page.textContent('.run-view')).toContain('apologising')
    expect(await page.$$eval('.state.hurt', (all) => all.map((one) => one.dataset['state']))).toEqual(['answering'])
    await page.keyboard.press('Home')
    await atStep(page, 0)
    expect(await page.$$eval('.state.hurt', (all) => all.length)).toBe(0)
    await keepPicture(page, 'failures')
    expect(problems).toEqual([])
  })

  it('shows child agents as machines of their own', async () => {
    const { page, problems } = await visit()
    await openRun(page, 0)
    await atStep(page, 8)
    await page.click('.row[data-step="3"]')
    await atStep(page, 3)
    expect(await texts(page, '.actors button')).toEqual(['travel', expect.stringContaining('reviewer'), expect.stringContaining('reviewer')])
    await page.click('.actors button:nth-child(2)')
    await page.waitForSelector('[data-state="reading"]')
    expect(await active(page)).toEqual(['reading'])
    expect(problems).toEqual([])
  })
})

it('finds states and steps by text, and brings the first into the middle', async () => {
  const { page, problems } = await visit()
  await openRun(page, 0)
  await atStep(page, 8)
  await page.keyboard.press('/')
  await page.keyboard.type('approv')
  // Each letter narrows what is found, and the page follows frame by frame.
  await expect.poll(() => page.$$eval('.state.found', (all) => all.map((one) => one.dataset['state']))).toEqual(['approving'])
  await expect.poll(() => page.locator('.row').count()).toBe(0)
  await page.keyboard.press('Enter')
  const middle = async (selector: string): Promise<number> => {
    const box = await page.locator(selector).boundingBox()
    return (box?.x ?? 0) + (box?.width ?? 0) / 2
  }
  await expect.poll(async () => Math.abs((await middle('.stage')) - (await middle('[data-state="approving"] .outline')))).toBeLessThan(3)
  await page.fill('.tools input', 'sent')
  await expect.poll(() => page.locator('.row').count()).toBe(1)
  expect(problems).toEqual([])
})

it('zooms, pans and fits', async () => {
  const { page, problems } = await visit()
  await openRun(page, 0)
  await atStep(page, 8)
  const width = async (): Promise<number> => (await page.locator('[data-state="answering"] .outline').boundingBox())?.width ?? 0
  const before = await width()
  await page.keyboard.press('+')
  expect(await width()).toBeGreaterThan(before * 1.2)
  const stage = await page.locator('.stage').boundingBox()
  await page.mouse.move((stage?.x ?? 0) + 30, (stage?.y ?? 0) + 30)
  await page.mouse.down()
  await page.mouse.move((stage?.x ?? 0) + 130, (stage?.y ?? 0) + 90)
  await page.mouse.up()
  await page.mouse.wheel(0, 400)
  await page.keyboard.press('f')
  expect(await width()).toBeCloseTo(before, 0)
  expect(problems).toEqual([])
})

it('goes on by itself while a run is at work, and lets a person approve', async () => {
  const started = await runtime.start(travel, { question: 'Book a weekend away.', city: 'Lisbon' }, { user: 'bob' })
  const { page, problems } = await visit({ control: runtime, open: [started.id] })
  await page.waitForSelector('.controls .pending', { timeout: 20_000 })
  expect(await active(page)).toEqual(['approving'])
  expect(await page.$$eval('.state.live', (all) => all.length)).toBeGreaterThan(0)
  expect(await page.textContent('.controls')).toContain('TP 941')
  await keepPicture(page, 'approval')
  await page.click('.controls .primary')
  await page.locator('.live-button', { hasText: 'done' }).waitFor()
  expect(await active(page)).toEqual(['sent'])
  expect(await started.outcome()).toMatchObject({ outcome: 'done', output: 'Booked: K7Q2PX. Have a good trip!' })
  expect(problems).toEqual([])
})

it('offers no buttons without --allow-control, and asks twice before it cancels with it', async () => {
  const read = await visit()
  await openRun(read.page, 5)
  await read.page.waitForSelector('.controls .pending')
  expect(await read.page.$$eval('.controls button', (all) => all.length)).toBe(0)
  expect(await read.page.textContent('.controls')).toContain('--allow-control')
  const write = await visit({ control: runtime, open: [runs[5] ?? ''] })
  await write.page.click('.danger')
  expect((await runtime.get(runs[5] ?? ''))?.status).toBe('waiting')
  await write.page.click('.danger')
  await write.page.locator('.live-button', { hasText: 'cancelled' }).waitFor()
  expect([...read.problems, ...write.problems]).toEqual([])
})

it('opens each new run when it was asked to', async () => {
  const { page, problems } = await visit({ live: true })
  await page.waitForSelector('.run')
  const started = await runtime.start(travel, { question: 'A weekend away?', city: 'Lisbon' })
  await page.waitForSelector(`.run.chosen[data-run="${started.id}"]`, { timeout: 20_000 })
  await started.outcome()
  expect(problems).toEqual([])
})

it('adds many runs up on one chart', async () => {
  const { page, problems } = await visit()
  await page.click('.agents button')
  await page.waitForSelector('.figures tr:nth-child(2)')
  expect(await page.textContent('.tools')).toMatch(/travel: [678] runs/)
  const figures = await texts(page, '.figures tr td:first-child')
  expect(figures.join(' ')).toContain('answering')
  await page.selectOption('.tools select', 'failure rate')
  expect(await page.$eval('[data-state="answering"]', (one) => one.style.getPropertyValue('--heat'))).not.toBe('0%')
  expect(await page.$$eval('.state.cold', (all) => all.map((one) => one.dataset['state']))).toContain('failed')
  expect(await page.textContent('[data-state="understanding"] .caption')).toBe('0.0 %')
  await page.selectOption('.tools select', 'visits')
  await keepPicture(page, 'aggregate')
  expect(problems).toEqual([])
})

it('shows two runs side by side with the first difference', async () => {
  const { page, problems } = await visit({ open: [runs[0] ?? '', runs[1] ?? ''] })
  await page.waitForSelector('.pair.first')
  await expect.poll(() => page.locator('.half .state.on').count()).toBeGreaterThan(1)
  expect(await page.textContent('.verdict span')).toContain('context.city')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  expect(await page.$$eval('.pair.only-left, .pair.only-right', (all) => all.length)).toBeGreaterThan(0)
  await keepPicture(page, 'compare')
  expect(problems).toEqual([])
})

it('says what to do when the token is wrong', async () => {
  const url = new URL(inspector.url)
  url.hash = 'x'.repeat(43)
  const { page } = await openPage(browser, { url: url.href })
  onTestFinished(() => page.close())
  await page.locator('nav .nothing', { hasText: 'wrong_token' }).waitFor()
  expect(page.url()).not.toContain('xxx')
})
