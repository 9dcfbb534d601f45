import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { fakeClock } from '../../src/clock/index.ts'
import { memoryJournal } from '../../src/journal/index.ts'
import { definePrompt } from '../../src/prompt/index.ts'
import { client, type RunEvent } from '../../src/run/index.ts'
import { listModel, type Turn } from './harness.ts'

const price = { inputUsd: 1, outputUsd: 2 }
const models = { fast: { model: 'fake/fast', price }, strong: { model: 'fake/strong', price } } as const

const withTurns = (turns: readonly Turn[]) => {
  const provider = listModel(turns)
  const clock = fakeClock({ seed: 1 })
  const journal = memoryJournal({ clock })
  return { provider, clock, journal, ai: client({ models, providers: [provider], clock, journal }) }
}

const Answer = z.object({ n: z.number() })
const sum = definePrompt({ id: 'sum', vars: z.object({ a: z.number(), b: z.number() }), messages: 'Add {{a}} and {{b}}.' })

describe('a call of a client', () => {
  it('gives text, what it used, and is a run that can be shown', async () => {
    const { ai, provider } = withTurns([{ text: 'hello' }])
    const outcome = await ai.call({ model: 'fast', prompt: 'Say hello.', user: 'ada', route: '/greet' })
    expectTypeOf(outcome).toExtend<{ readonly run: string }>()
    expect(outcome).toMatchObject({ outcome: 'done', output: 'hello', inputTokens: 10, outputTokens: 5, costUsd: 0.00002 })
    expect(provider.asked[0]).toMatchObject({ model: 'fast', messages: [{ role: 'user', content: 'Say hello.' }] })
    expect(await ai.runtime.get(outcome.run)).toMatchObject({ agent: 'call', user: 'ada', route: '/greet', status: 'done' })
  })

  it('renders a prompt, validates the output, repairs it once, and files the call under the hash of the prompt', async () => {
    const { ai, provider } = withTurns([{ text: '{"n":"five"}' }, { text: '{"n":5}' }])
    const outcome = await ai.call({ model: 'strong', prompt: sum, vars: { a: 2, b: 3 }, output: Answer, name: 'sum' })
    if (outcome.outcome === 'done') expectTypeOf(outcome.output).toEqualTypeOf<{ n: number }>()
    expect(outcome).toMatchObject({ outcome: 'done', output: { n: 5 }, modelCalls: 2 })
    expect(provider.asked[0]?.messages).toEqual([{ role: 'user', content: 'Add 2 and 3.' }])
    const calls = (await ai.runtime.entries(outcome.run)).flatMap(({ body }) => (body.cause.type === 'attempt' ? (body.cause.outcome.calls ?? []) : []))
    expect(calls).toMatchObject([{ prompt: 'sum', promptHash: sum.hash.slice(0, 16), failed: 'invalid_output' }, { prompt: 'sum' }])
  })

  it('goes on to other models and at last to a value, keeping each failure', async () => {
    const { ai, provider } = withTurns([{ fails: 'refused' }, { fails: 'context_overflow' }])
    const run = await ai.start({ model: 'strong', prompt: 'x', output: Answer, fallback: ['fast', { value: { n: 0 } }] })
    expect(await run.outcome()).toMatchObject({ outcome: 'done', output: { n: 0 }, costUsd: 0.00002 })
    const failures: string[] = []
    for await (const event of run as AsyncIterable<RunEvent>) if (event.type === 'failure.raised') failures.push(event.failure.code)
    expect(failures).toEqual(['refused', 'context_overflow'])
    expect(provider.asked.map((request) => request.model)).toEqual(['strong', 'fast'])
  })

  it('fails as a value, with the code of what happened last', async () => {
    const { ai } = withTurns([{ fails: 'auth_failed' }])
    expect(await ai.call({ model: 'fast', prompt: 'x' })).toMatchObject({ outcome: 'failed', failure: { code: 'auth_failed' } })
  })

  it('is the same call for the same key, and shares the cache of equal calls', async () => {
    const { ai, provider } = withTurns([{ text: 'one' }, { text: 'two' }])
    const call = { model: 'fast', prompt: 'x', cache: { ttlMs: 1_000 } } as const
    const first = await ai.call({ ...call, key: 'k' })
    expect((await ai.call({ ...call, key: 'k' })).run).toBe(first.run)
    expect(await ai.call(call)).toMatchObject({ output: 'one', costUsd: 0 })
    expect(await ai.call({ ...call, prompt: 'y' })).toMatchObject({ output: 'two' })
    expect(provider.asked).toHaveLength(2)
  })

  it('takes a model by its full name, with parameters and a price of its own', async () => {
    const { ai, provider } = withTurns([{ text: 'a' }, { text: 'b' }])
    await ai.call({ model: 'fake/other', prompt: 'x' })
    expect(await ai.call({ model: { model: 'fake/dear', maxOutputTokens: 7, temperature: 0, price: { inputUsd: 100, outputUsd: 0 } }, prompt: 'x' })).toMatchObject({ costUsd: 0.001 })
    expect(provider.asked.map(({ model, params }) => [model, params.maxOutputTokens, params.temperature])).toEqual([
      ['other', 4096, undefined],
      ['dear', 7, 0],
    ])
  })

  it('that cannot be made says what to do', async () => {
    const { ai } = withTurns([])
    await expect(ai.call({ model: 'fastt' as 'fast', prompt: 'x' })).rejects.toThrow("Did you mean 'fast'?")
    await expect(ai.call({ model: 'fast', prompt: 'x', name: 'not a name' })).rejects.toThrow('not a name')
    const missing = await ai.call({ model: 'fast', prompt: sum, vars: { a: 1 } as never })
    expect(missing).toMatchObject({ outcome: 'failed', failure: { code: 'invalid_input' } })
  })

  it('never spends past its own limit', async () => {
    const { ai, provider } = withTurns([{ text: 'x' }])
    await expect(ai.call({ model: 'fast', prompt: 'x', limits: { costUsd: 0.000_001 } })).rejects.toThrow('can cost')
    expect(provider.asked).toEqual([])
  })

  it('is forgotten some time after it ended, where the journal is in memory and nobody gave one', async () => {
    const clock = fakeClock({ seed: 1 })
    const ai = client({ models, providers: [listModel(() => ({ text: 'ok' }))], clock, keepCalls: 2 })
    const runs: string[] = []
    for (let count = 0; count < 4; count++) {
      runs.push((await ai.call({ model: 'fast', prompt: 'x' })).run)
      await clock.advance(61_000)
    }
    expect(await Promise.all(runs.map(async (run) => (await ai.runtime.get(run)) !== undefined))).toEqual([false, false, true, true])
    await ai.close()
  })
})

describe('a request that is passed through', () => {
  const tools = [{ name: 'look', description: 'Looks.', parameters: { type: 'object', properties: { at: { type: 'string' } } } }]

  it('is sent as the caller made it, and its reply comes back with the calls of tools', async () => {
    const { ai, provider } = withTurns([{ calls: [{ id: 'c', name: 'look', args: { at: 'x' } }] }])
    const run = await ai.complete({ model: 'fast', messages: [{ role: 'user', content: 'hm' }], tools, toolChoice: 'required', params: { temperature: 0, maxOutputTokens: 9 }, user: 'ada' })
    const outcome = await run.outcome()
    if (outcome.outcome !== 'done') throw new Error(outcome.outcome)
    expect(outcome.output).toEqual({ message: { role: 'assistant', content: '', calls: [{ id: 'c', name: 'look', args: { at: 'x' } }] }, finish: 'tool_calls' })
    expect(provider.asked).toMatchObject([{ model: 'fast', tools, toolChoice: 'required', params: { temperature: 0, maxOutputTokens: 9 } }])
    expect(await ai.runtime.get(run.id)).toMatchObject({ agent: 'completion', user: 'ada', status: 'done' })
  })

  it('goes on to the next model when one fails, and keeps refusals written as text', async () => {
    const { ai, provider } = withTurns([{ fails: 'auth_failed' }, { text: "I'm sorry, but I can't help with that." }])
    const outcome = await (await ai.complete({ model: 'fast', fallback: ['strong'], messages: [{ role: 'user', content: 'hm' }] })).outcome()
    expect(outcome).toMatchObject({ outcome: 'done', output: { message: { content: "I'm sorry, but I can't help with that." }, finish: 'stop' } })
    expect(provider.asked.map(({ model }) => model)).toEqual(['fast', 'strong'])
  })

  it('has another step hash when a tool of the same name takes other arguments', async () => {
    const { ai } = withTurns([{ text: 'a' }, { text: 'b' }])
    const hashOf = async (properties: object) => {
      const run = await ai.complete({ model: 'fast', messages: [{ role: 'user', content: 'hm' }], tools: [{ name: 'look', description: 'Looks.', parameters: { type: 'object', properties: properties as never } }] })
      await run.outcome()
      return (await ai.runtime.entries(run.id)).flatMap(({ body }) => (body.cause.type === 'attempt' ? (body.cause.outcome.calls ?? []) : []))[0]?.stepHash
    }
    expect(await hashOf({ at: { type: 'string' } })).not.toBe(await hashOf({ at: { type: 'number' } }))
  })
})
