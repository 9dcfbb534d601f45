// The chat page and the client in a real browser.
import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { replyCalls, replyText, systemClock } from 'stateloop'
import { client } from 'stateloop/client'
import { listen, type Listening } from 'stateloop/server'
import { openBrowser } from './browser.ts'
import { faultProxy } from './fault-proxy.ts'
import { testServer, TOKEN, weather, payer } from './world.ts'

const HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=2</script>'

let browser: Browser
let listening: Listening
beforeAll(async () => {
  browser = await openBrowser()
  const { server } = testServer({
    clock: systemClock,
    agents: [weather, payer],
    rules: (request) => {
      const last = request.messages.at(-1)
      if (last?.role === 'user' && last.content === 'Say something hostile.') return replyText(HOSTILE)
      if (last?.role !== 'tool' && request.tools?.[0]?.name === 'pay') return replyCalls({ name: 'pay', args: { amount: 3, to: HOSTILE } })
      return replyText('It will rain in Bern today, and tomorrow as well.', { pieceMs: 150 })
    },
  })
  listening = await listen(server, { port: 0 })
})
afterAll(async () => {
  await browser.close()
  await listening.close(100)
})

const openPage = async (hash = `#token=${TOKEN}`): Promise<{ readonly page: Page; readonly complaints: string[] }> => {
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(`${listening.url}/${hash}`)
  return { page, complaints }
}
const say = async (page: Page, agent: string, text: string): Promise<void> => {
  await page.selectOption('#agent', agent)
  await page.fill('#text', text)
  await page.press('#text', 'Enter')
}

test('the page streams tokens, shows the states that a run passes, and ends with the output', async () => {
  const { page, complaints } = await openPage()
  await say(page, 'weather', 'Rain in Bern?')
  await page.locator('.agent', { hasText: /^It will .*(?<!well\.)$/ }).waitFor()
  await page.waitForSelector('.agent[data-outcome=done]')
  expect(await page.textContent('.agent')).toBe('It will rain in Bern today, and tomorrow as well.')
  expect(await page.locator('.state').allTextContents()).toEqual(['answering', 'done'])
  expect(await page.evaluate('location.hash')).toBe('')
  expect(complaints).toEqual([])
})

test('the page asks before a call that cannot be undone, and goes on with the decision', async () => {
  const { page, complaints } = await openPage()
  await say(page, 'payer', 'Pay 3.')
  await page.waitForSelector('[data-call=pay]')
  expect(await page.textContent('[data-call=pay] pre')).toContain('"amount": 3')
  await page.click('[data-call=pay] .yes')
  await page.waitForSelector('.agent[data-outcome=done]')
  expect(await page.locator('.state').allTextContents()).toEqual(['answering', 'approving', 'acting', 'answering', 'done'])
  expect(complaints).toEqual([])
})

test('what models and tools say is shown as text, and the policy of the page lets nothing else run', async () => {
  const { page } = await openPage()
  await say(page, 'weather', 'Say something hostile.')
  await page.waitForSelector('.agent[data-outcome=done]')
  expect(await page.textContent('.agent')).toBe(HOSTILE)
  await say(page, 'payer', 'Pay 3.')
  await page.waitForSelector('[data-call=pay]')
  expect(await page.evaluate('window.hacked')).toBeUndefined()
  const injected = page.evaluate("document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.hacked = 3' }))")
  await injected.catch(() => {})
  expect(await page.evaluate('window.hacked')).toBeUndefined()
})

test('without the token the page says so and shows nothing', async () => {
  const { page } = await openPage('')
  await page.waitForSelector('#door:not([hidden])')
  await page.fill('#token', 'wrong token, certainly')
  await page.click('#enter')
  await page.locator('#refused', { hasText: 'not let in' }).waitFor()
  expect(await page.isVisible('#chat')).toBe(false)
  await page.fill('#token', TOKEN)
  await page.click('#enter')
  await page.waitForSelector('#chat:not([hidden])')
})

/** A page of that origin from which the client can be imported, typed sources stripped of their types. */
const clientPage = async (origin: string): Promise<Page> => {
  const page = await browser.newPage()
  await page.route('**/client/**', async (route) => {
    const name = new URL(route.request().url()).pathname.split('/').at(-1) ?? ''
    const source = await readFile(new URL(`../../src/client/${name}`, import.meta.url), 'utf8')
    await route.fulfill({ contentType: 'text/javascript', body: stripTypeScriptTypes(source) })
  })
  await page.route('**/empty', (route) => route.fulfill({ contentType: 'text/html', body: '<title>x</title>' }))
  await page.goto(`${origin}/empty`)
  return page
}

test('the client runs in a browser as it is, typed sources stripped of their types', async () => {
  const page = await clientPage(listening.url)
  // As text, because the test's own tools would rewrite the import.
  const heard = (await page.evaluate(`(async () => {
    const { client } = await import('/client/index.ts')
    const run = await client({ url: location.origin, agent: 'weather', token: '${TOKEN}' }).start('Rain?')
    const types = []
    for await (const event of run) types.push(event.type)
    return { types, output: (await run.outcome()).output }
  })()`)) as { readonly types: readonly string[]; readonly output: string }
  expect(heard.types.at(-1)).toBe('run.ended')
  expect(heard.types.filter((type) => type === 'token.delta').length).toBeGreaterThan(2)
  expect(heard.output).toBe('It will rain in Bern today, and tomorrow as well.')
})

test('in the browser, too, a network that cuts and refuses loses no event and repeats none', async () => {
  await using proxy = await faultProxy(listening.url, (connection) => (connection % 4 === 3 ? { refuse: true } : connection > 8 ? {} : { cutAfterBytes: 1_500 + connection * 300 }))
  const page = await clientPage(proxy.url)
  const { id, held } = (await page.evaluate(`(async () => {
    const { client } = await import('/client/index.ts')
    const run = await client({ url: location.origin, agent: 'weather', token: '${TOKEN}' }).start('Rain?')
    const held = []
    for await (const event of run) if (event.index !== undefined) held.push(event.seq + '.' + event.index)
    return { id: run.id, held }
  })()`)) as { readonly id: string; readonly held: readonly string[] }
  const whole: string[] = []
  for await (const event of client({ url: listening.url, agent: 'weather', token: TOKEN }).run(id)) if (event.index !== undefined) whole.push(`${event.seq}.${event.index}`)
  expect(held).toEqual(whole)
  expect(proxy.connections()).toBeGreaterThan(2)
}, 60_000)
