import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { KeyedCalls } from '../../src/agent/index.ts'
import { fakeClock } from '../../src/clock/index.ts'
import { failureOf } from '../../src/failure/index.ts'
import { memoryJournal } from '../../src/journal/index.ts'
import { replyCalls, replyFailure, replyText, script, type Script } from '../../src/model/index.ts'
import type { Message } from '../../src/prompt/index.ts'
import { createRuntime, type Runtime, type RuntimeOptions } from '../../src/run/index.ts'
import { defineRetriever, defineTool } from '../../src/tool/index.ts'
import { copyPrefix } from './harness.ts'
import { settle } from './observe/play.ts'
import { recordTelemetry, treeOf } from './observe/telemetry.ts'

const price = { inputUsd: 1, outputUsd: 1 }
const performed: string[] = []
const add = defineTool({
  description: 'Adds.',
  input: z.object({ a: z.number(), b: z.number() }),
  effect: 'reversible',
  idempotent: true,
  run: ({ a, b }, { key }) => {
    performed.push(key.replace(/^[0-9a-f-]+/, ''))
    return a + b
  },
})
const kb = defineRetriever({ search: ({ query }) => [{ id: 'a', text: `about ${query}` }] })

/** A loop as teams have it: ask, perform what is asked for, ask again. */
const loop = async (run: KeyedCalls): Promise<string> => {
  const [found] = await run.retrieve('search', kb, { query: 'sums', k: 1 })
  const messages: Message[] = [{ role: 'user', content: `Add up. ${found?.text ?? ''}` }]
  for (let turn = 1; turn <= 5; turn++) {
    const { message, text, calls } = await run.model(`ask-${turn}`, { model: 'scripted/m', messages, tools: { add } })
    messages.push(message)
    if (calls.length === 0) return text
    const sums = await Promise.all(calls.map((call, index) => run.tool(`add-${turn}-${index}`, add, call.args)))
    calls.forEach((call, index) => messages.push({ role: 'tool', callId: call.id, name: call.name, content: String(sums[index]) }))
  }
  return 'too many turns'
}

const model = (): Script => script([replyFailure('rate_limited'), replyCalls({ name: 'add', args: { a: 1, b: 2 } }, { name: 'add', args: { a: 3, b: 4 } }), replyText('3 and 7')], { price })

const runtimeWith = (options: RuntimeOptions = {}): { readonly runtime: Runtime; readonly clock: ReturnType<typeof fakeClock> } => {
  const clock = fakeClock({ seed: 1 })
  return { clock, runtime: createRuntime({ clock, providers: [model()], ...options }) }
}

describe('a hand-written loop that is recorded', () => {
  it('has its calls journaled, retried and priced, each under its key', async () => {
    performed.length = 0
    const { runtime, clock } = runtimeWith()
    const run = await runtime.record('sums', { user: 'ada', route: '/sum' }, loop)
    const outcome = await settle(clock, run.outcome())
    expect(outcome).toMatchObject({ outcome: 'done', output: '3 and 7' })
    expect(performed).toEqual(['/looping#1:add-1-0', '/looping#1:add-1-1'])
    const row = await runtime.get(run.id)
    expect(row).toMatchObject({ agent: 'sums', user: 'ada', route: '/sum', modelCalls: 3, toolCalls: 2 })
    expect(row?.costNano).toBeGreaterThan(0)
    const keys = (await runtime.entries(run.id)).flatMap(({ body: { cause } }) => (cause.type === 'attempt' && cause.key.includes(':') ? [`${cause.key}.${cause.attempt}`] : []))
    expect(keys).toEqual(['/looping#1:search.1', '/looping#1:ask-1.1', '/looping#1:ask-1.2', '/looping#1:add-1-0.1', '/looping#1:add-1-1.1', '/looping#1:ask-2.1'])
  })

  it('goes on after a crash at any step, without a second call of what is recorded', async () => {
    const whole = runtimeWith()
    const journal = whole.runtime.journal
    const run = await whole.runtime.record('sums', { key: 'k' }, loop)
    await settle(whole.clock, run.outcome())
    const entries = await journal.read(run.id)
    expect(entries.length).toBeGreaterThan(10)
    for (let count = 1; count < entries.length; count++) {
      performed.length = 0
      const copy = memoryJournal()
      await copyPrefix(journal, copy, run.id, count)
      const before = entries.slice(0, count).map(({ text }) => text)
      const done = (key: string): boolean => before.some((text) => text.includes(`"key":"/looping#1:${key}","attempt":1,"outcome":{"ok":true`))
      const asked = before.filter((text) => /"key":"\/looping#1:ask-\d","attempt":\d,"outcome"/.test(text)).length
      const turns = [replyFailure('rate_limited'), replyCalls({ name: 'add', args: { a: 1, b: 2 } }, { name: 'add', args: { a: 3, b: 4 } }), replyText('3 and 7')].slice(asked)
      const clock = fakeClock({ seed: 1, startMs: whole.clock.now() })
      const provider = script(turns, { price })
      const runtime = createRuntime({ journal: copy, clock, providers: [provider] })
      const again = await runtime.record('sums', { key: 'k' }, loop)
      expect(again.id).toBe(run.id)
      expect(await settle(clock, again.outcome()), `after ${count} entries`).toMatchObject({ outcome: 'done', output: '3 and 7' })
      provider.assertComplete()
      expect(performed).toEqual(['add-1-0', 'add-1-1'].filter((key) => !done(key)).map((key) => `/looping#1:${key}`))
    }
  })

  it('can catch the failure of a call, and go another way', async () => {
    const { runtime, clock } = runtimeWith({ providers: [script([replyFailure('refused'), replyText('small')])] })
    const run = await runtime.record('careful', {}, async ({ model: ask }) => {
      try {
        return (await ask('strong', { model: 'scripted/strong', messages: 'q' })).text
      } catch (thrown) {
        return `${failureOf(thrown)?.code ?? ''}, so ${(await ask('weak', { model: 'scripted/weak', messages: 'q' })).text}`
      }
    })
    expect(await settle(clock, run.outcome())).toMatchObject({ outcome: 'done', output: 'refused, so small' })
  })

  it.each([
    ['throws', () => Promise.reject(new Error('no luck')), 'no luck'],
    ['uses a key twice', async ({ retrieve }: KeyedCalls) => [await retrieve('a', kb, { query: 'q', k: 1 }), await retrieve('a', kb, { query: 'q', k: 1 })], 'The key a was used twice'],
    ['uses a key that is none', ({ retrieve }: KeyedCalls) => retrieve('a/b', kb, { query: 'q', k: 1 }), 'cannot be a key'],
    ['returns what JSON cannot hold', () => Promise.resolve({ n: 1n }), 'JSON cannot hold'],
  ])('fails with code_failed when it %s', async (_what, body, message) => {
    const { runtime, clock } = runtimeWith()
    const run = await runtime.record<unknown>('broken', {}, body as (run: KeyedCalls) => Promise<unknown>)
    const outcome = await settle(clock, run.outcome())
    expect(outcome).toMatchObject({ outcome: 'failed' })
    const failures = (await runtime.entries(run.id)).flatMap(({ body: { cause } }) => (cause.type === 'attempt' && !cause.outcome.ok ? [cause.outcome.failure] : []))
    expect(failures.at(-1)).toMatchObject({ code: 'code_failed' })
    expect(failures.at(-1)?.message).toContain(message)
  })

  it('meets the limits of its run', async () => {
    const { runtime, clock } = runtimeWith({ providers: [script(Array.from({ length: 9 }, () => replyText('again')))] })
    const run = await runtime.record('endless', { limits: { modelCalls: 3 } }, async ({ model: ask }) => {
      for (let turn = 1; ; turn++) await ask(`ask-${turn}`, { model: 'scripted/m', messages: String(turn) })
    })
    expect(await settle(clock, run.outcome())).toMatchObject({ outcome: 'failed' })
    expect((await runtime.get(run.id))?.modelCalls).toBe(3)
  })

  it('is ended when it goes on regardless of them', async () => {
    const { runtime, clock } = runtimeWith({ providers: [script(Array.from({ length: 9 }, () => replyText('again')))] })
    const run = await runtime.record('stubborn', { limits: { modelCalls: 3 } }, async ({ model: ask }) => {
      for (let turn = 1; ; turn++) await ask(`ask-${turn}`, { model: 'scripted/m', messages: String(turn) }).catch(() => {})
    })
    expect(await settle(clock, run.outcome())).toMatchObject({ outcome: 'failed' })
    expect((await runtime.get(run.id))?.modelCalls).toBe(3)
  })

  it('refuses to go on with a loop that asks for something else under a recorded key', async () => {
    const whole = runtimeWith()
    const run = await whole.runtime.record('sums', { key: 'k' }, loop)
    await settle(whole.clock, run.outcome())
    const copy = memoryJournal()
    await copyPrefix(whole.runtime.journal, copy, run.id, 5)
    const clock = fakeClock({ seed: 1, startMs: whole.clock.now() })
    const runtime = createRuntime({ journal: copy, clock, providers: [script([])] })
    const other = await runtime.record('sums', { key: 'k' }, ({ retrieve }) => retrieve('search', kb, { query: 'something else', k: 1 }))
    expect(JSON.stringify(await settle(clock, other.outcome()))).toContain('failed')
    expect(JSON.stringify(await runtime.entries(run.id))).toContain('calls search with something else')
  })

  it('is traced like any other run', async () => {
    const telemetry = recordTelemetry()
    const { runtime, clock } = runtimeWith()
    await settle(clock, (await runtime.record('sums', {}, loop)).outcome())
    const tree = treeOf(telemetry.spans())
    expect(tree.filter((line) => !line.includes('code') && line.trim() !== 'attempt')).toEqual([
      'invoke_agent sums',
      '  state looping',
      '    retrieval search',
      '    chat m',
      '      attempt !rate_limited',
      '    execute_tool add',
      '    execute_tool add',
      '    chat m',
      '  state done',
    ])
  })
})
