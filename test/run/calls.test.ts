import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { setupAgent } from '../../src/agent/index.ts'
import { fakeClock } from '../../src/clock/index.ts'
import { sqliteJournal } from '../../src/journal/index.ts'
import type { ModelProvider, ModelRequest } from '../../src/model/index.ts'
import type { RunEvent, Runtime } from '../../src/run/index.ts'
import { defineRetriever, defineTool } from '../../src/tool/index.ts'
import { adder, listModel, loopAgent, testRuntime, type Turn } from './harness.ts'

const eventsOf = async (run: AsyncIterable<RunEvent>): Promise<readonly RunEvent[]> => {
  const events: RunEvent[] = []
  for await (const event of run) events.push(event)
  return events
}

const ended = (events: readonly RunEvent[]) => events.filter((event) => event.type === 'attempt.ended')

const DAY = 86_400_000
const cachedAgent = () => loopAgent({}, {}, { cache: { ttlMs: DAY } })

describe('a cached model call', () => {
  it('is answered without asking, costs nothing, and says what it saved', async () => {
    const model = listModel([{ text: 'once' }])
    const { runtime, clock } = testRuntime({ providers: [model] })
    expect(await (await runtime.start(cachedAgent(), 'x')).outcome()).toMatchObject({ output: 'once', costUsd: 0.00002 })
    await clock.advance(5_000)
    const again = await runtime.start(cachedAgent(), 'x')
    expect(await again.outcome()).toMatchObject({ outcome: 'done', output: 'once', costUsd: 0, inputTokens: 0, modelCalls: 1 })
    expect(ended(await eventsOf(again))).toMatchObject([{ cached: { ageMs: 5_000, savedUsd: 0.00002 }, costUsd: 0 }])
    expect(model.asked).toHaveLength(1)
  })

  it('is not shared between tenants unless the state says so', async () => {
    const model = listModel(() => ({ text: `answer ${model.asked.length}` }))
    const { runtime } = testRuntime({ providers: [model] })
    const ask = async (tenant: string, sharing?: 'everyone') => {
      const agent = loopAgent({}, {}, { cache: { ttlMs: DAY, ...(sharing === undefined ? {} : { sharing }) } })
      return ((await (await runtime.start(agent, 'x', { tenant })).outcome()) as { output?: unknown }).output
    }
    expect([await ask('a'), await ask('b'), await ask('a')]).toEqual(['answer 1', 'answer 2', 'answer 1'])
    expect([await ask('a', 'everyone'), await ask('b', 'everyone')]).toEqual(['answer 3', 'answer 3'])
  })

  it('is performed again when it failed, when its output did not validate, and when it asked for tools', async () => {
    const schema = z.object({ n: z.number() })
    const model = listModel([{ fails: 'refused' }, { text: '{"n":"no"}' }, { calls: [{ id: 'c', name: 'add', args: { a: 1, b: 1 } }] }, { text: '{"n":1}' }, { text: '{"n":2}' }])
    const { runtime } = testRuntime({ providers: [model] })
    const agent = () => loopAgent({ add: adder() }, {}, { cache: { ttlMs: DAY }, output: schema, repairs: 0 })
    const outcomes = []
    for (let count = 0; count < 4; count++) outcomes.push(await (await runtime.start(agent(), 'x')).outcome())
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'done', 'done'])
    // The third run asked for a tool, which is not kept, and was then answered; the fourth asks from the start.
    expect(model.asked).toHaveLength(5)
    expect(outcomes[3]).toMatchObject({ output: { n: 2 } })
  })

  it('under way is joined by equal calls, and a caller that leaves does not end it for the others', async () => {
    let answer = (_text: string): void => {}
    let asked = 0
    const slow: ModelProvider = {
      id: 'fake',
      price: { inputUsd: 1, outputUsd: 2 },
      call: () => {
        asked++
        return new Promise((resolve) => {
          answer = (text) => resolve({ message: { role: 'assistant', content: text }, finish: 'stop', usage: { inputTokens: 10, outputTokens: 5 }, model: 'm' })
        })
      },
    }
    const { runtime } = testRuntime({ providers: [slow] })
    const runs = [await runtime.start(cachedAgent(), 'x'), await runtime.start(cachedAgent(), 'x'), await runtime.start(cachedAgent(), 'x')]
    await new Promise(setImmediate)
    await runs[0]?.cancel()
    expect((await runs[0]?.outcome())?.outcome).toBe('cancelled')
    answer('shared')
    const outcomes = await Promise.all(runs.slice(1).map((run) => run.outcome()))
    expect(outcomes).toMatchObject([{ output: 'shared' }, { output: 'shared' }])
    // The one who began it has left, so one of the others pays.
    expect(outcomes.map(({ costUsd }) => costUsd).sort()).toEqual([0, 0.00002])
    expect(asked).toBe(1)
  })

  it('is found by another process on the same database', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'stateloop-cache-'))
    const model = listModel([{ text: 'kept' }])
    const run = async (seed: number) => {
      const clock = fakeClock({ seed })
      const { runtime } = testRuntime({ clock, providers: [model], journal: sqliteJournal({ path: join(folder, 'runs.db'), clock }) })
      const outcome = await (await runtime.start(cachedAgent(), 'x')).outcome()
      await runtime.close()
      return outcome
    }
    expect([await run(1), await run(2)]).toMatchObject([{ output: 'kept' }, { output: 'kept', costUsd: 0 }])
    expect(model.asked).toHaveLength(1)
    rmSync(folder, { recursive: true })
  })
})

describe('a cached tool and a cached retrieval', () => {
  const searches: string[] = []
  const looked: string[] = []
  const docs = defineRetriever({ search: ({ query }) => (searches.push(query), query === 'none' ? [] : [{ id: 'd', text: query }]) })
  const look = defineTool({ description: 'Looks.', input: z.object({ at: z.string() }), cache: { ttlMs: 1_000 }, run: ({ at }) => (looked.push(at), { at }) })
  const t = setupAgent({ id: 'finder', retrievers: { docs }, tools: { look }, models: {}, input: z.object({ query: z.string() }), context: z.object({ query: z.string(), seen: z.unknown() }), onFailure: 'failed' })
  const agent = t.createAgent({
    initial: 'searching',
    states: {
      searching: t.retrieve('docs', { query: ({ context }) => context.query, cache: { ttlMs: 1_000 }, onDone: 'looking' }),
      looking: t.tool('look', { args: ({ context }) => ({ at: context.query }), save: 'seen', onDone: 'done' }),
      done: t.final({ output: ({ context }) => context.seen }),
      failed: t.final({ outcome: 'failed' }),
    },
  })

  it('are performed once while they are fresh, and an empty result is never kept', async () => {
    const { runtime, clock } = testRuntime()
    const ask = async (query: string) => (await (await runtime.start(agent, { query })).outcome()).outcome
    expect([await ask('a'), await ask('a'), await ask('b'), await ask('none'), await ask('none')]).toEqual(['done', 'done', 'done', 'failed', 'failed'])
    expect([searches, looked]).toEqual([
      ['a', 'b', 'none', 'none'],
      ['a', 'b'],
    ])
    await clock.advance(1_000)
    expect([await ask('a'), searches.at(-1), looked.at(-1)]).toEqual(['done', 'a', 'a'])
  })

  it('are refused where the tool has an effect', () => {
    const definition = { description: 'Writes.', input: z.object({}), effect: 'reversible' as const, run: () => 1 }
    expect(() => defineTool({ ...definition, cache: { ttlMs: 1 } })).toThrow('cannot have a cache')
  })
})

const failing = (code: 'overloaded' | 'quota_exhausted', count: number): readonly Turn[] => Array.from({ length: count }, () => ({ fails: code }))
const oneTry = (more: object = {}) => loopAgent({}, {}, { retry: { attempts: 1 }, ...more })
const codeOf = async (runtime: Runtime, agent = oneTry()): Promise<string> => {
  const outcome = await (await runtime.start(agent, 'x')).outcome()
  return outcome.outcome === 'failed' ? outcome.failure.code : outcome.outcome
}

describe('a circuit', () => {
  it('opens after failures of any runs, refuses without asking, lets one probe through, and closes', async () => {
    const model = listModel([...failing('overloaded', 5), { text: 'back' }, { text: 'again' }])
    const { runtime, clock } = testRuntime({ providers: [model] })
    const codes = []
    for (let count = 0; count < 7; count++) codes.push(await codeOf(runtime))
    expect(codes).toEqual([...Array.from({ length: 5 }, () => 'overloaded'), 'circuit_open', 'circuit_open'])
    expect(runtime.policies().breakers).toMatchObject([{ key: 'fake/m', state: 'open', openedBy: 'overloaded' }])
    await clock.advance(15_000)
    const probe = await runtime.start(oneTry(), 'x')
    expect((await probe.outcome()).outcome).toBe('done')
    const events = await eventsOf(probe)
    expect(events.filter((event) => event.type === 'breaker.changed')).toMatchObject([{ circuit: 'fake/m', to: 'closed' }])
    expect(ended(events)).toMatchObject([{ gate: { probe: true } }])
    expect(await codeOf(runtime)).toBe('done')
  })

  it('opens at once when the quota is gone', async () => {
    const { runtime } = testRuntime({ providers: [listModel(failing('quota_exhausted', 1))] })
    expect([await codeOf(runtime), await codeOf(runtime)]).toEqual(['quota_exhausted', 'circuit_open'])
  })

  it('never opens because runs were cancelled', async () => {
    const never: ModelProvider = {
      id: 'fake',
      price: { inputUsd: 1, outputUsd: 2 },
      call: (_request, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    }
    const { runtime } = testRuntime({ providers: [never] })
    for (let count = 0; count < 20; count++) {
      const run = await runtime.start(oneTry(), 'x')
      await run.cancel()
      expect((await run.outcome()).outcome).toBe('cancelled')
    }
    expect(runtime.policies().breakers).toMatchObject([{ state: 'closed', failures: 0 }])
  })

  it("is the state's own where its policy differs, and absent where the state wants none", async () => {
    const model = listModel(() => ({ fails: 'overloaded' }))
    const { runtime } = testRuntime({ providers: [model] })
    const strict = () => oneTry({ breaker: { minFailures: 1 } })
    expect([await codeOf(runtime, strict()), await codeOf(runtime, strict()), await codeOf(runtime)]).toEqual(['overloaded', 'circuit_open', 'overloaded'])
    const none = () => oneTry({ breaker: false })
    for (let count = 0; count < 10; count++) expect(await codeOf(runtime, none())).toBe('overloaded')
  })

  it('that refused a call is read from the journal on replay, so the run goes the same way again', async () => {
    const { runtime } = testRuntime({ providers: [listModel(failing('quota_exhausted', 1))] })
    await codeOf(runtime)
    const run = await runtime.start(oneTry(), 'x')
    await run.outcome()
    const entries = await runtime.entries(run.id)
    expect(entries.at(-1)?.body.cause).toMatchObject({ type: 'attempt', outcome: { ok: false, failure: { code: 'circuit_open', details: { key: 'fake/m' } } } })
  })
})

describe('a limiter', () => {
  const gated = (): ModelProvider & { readonly open: (() => void)[]; most: number } => {
    let active = 0
    const provider = {
      id: 'fake',
      price: { inputUsd: 1, outputUsd: 2 },
      open: [] as (() => void)[],
      most: 0,
      call: async (_request: ModelRequest) => {
        provider.most = Math.max(provider.most, ++active)
        await new Promise<void>((resolve) => provider.open.push(resolve))
        active--
        return { message: { role: 'assistant' as const, content: 'ok' }, finish: 'stop' as const, usage: { inputTokens: 10, outputTokens: 5 }, model: 'm' }
      },
    }
    return provider
  }

  it('lets so many calls of all runs through at once, and says how long each waited', async () => {
    const provider = gated()
    const { runtime, clock } = testRuntime({ providers: [provider], limiter: { concurrency: 2 } })
    const runs = await Promise.all(Array.from({ length: 5 }, () => runtime.start(oneTry(), 'x')))
    const outcomes = Promise.all(runs.map((run) => run.outcome()))
    for (let released = 0; released < 5; released++) {
      await clock.advance(100)
      provider.open.shift()?.()
    }
    expect((await outcomes).every(({ outcome }) => outcome === 'done')).toBe(true)
    expect(provider.most).toBe(2)
    const waits = (await Promise.all(runs.map((run) => eventsOf(run)))).flatMap(ended).map((event) => ('gate' in event ? (event.gate?.waitedMs ?? 0) : 0))
    expect(waits.filter((waitedMs) => waitedMs > 0)).toHaveLength(3)
  })

  it('refuses what would be too long in the queue', async () => {
    const provider = gated()
    const { runtime } = testRuntime({ providers: [provider], limiter: { concurrency: 1, queue: 1 } })
    const first = await runtime.start(oneTry(), 'x')
    const second = await runtime.start(oneTry(), 'x')
    await new Promise(setImmediate)
    expect(await codeOf(runtime)).toBe('saturated')
    expect(runtime.policies().limiters).toMatchObject([{ key: 'fake/m', active: 1, waiting: 1 }])
    provider.open.shift()?.()
    expect((await first.outcome()).outcome).toBe('done')
    await new Promise(setImmediate)
    provider.open.shift()?.()
    expect((await second.outcome()).outcome).toBe('done')
  })
})

describe('a fallback', () => {
  const t = setupAgent({
    id: 'short',
    models: { fast: { model: 'fake/m', price: { inputUsd: 1, outputUsd: 2 } } },
    input: z.object({ question: z.string() }),
    context: z.object({ question: z.string(), text: z.string() }),
  })
  const agent = t.createAgent({
    initial: 'answering',
    states: {
      answering: t.fallback(['fast', { stale: true }, { value: 'a person will answer' }], {
        prompt: ({ context }) => context.question,
        cache: { ttlMs: 1_000, staleMs: 10_000 },
        retry: { attempts: 1 },
        save: 'text',
        onDone: 'done',
      }),
      done: t.final({ output: ({ context }) => context.text }),
    },
  })

  it('gives the answer of before when the model fails, and the fixed value when that is too old', async () => {
    const model = listModel([{ text: 'fresh' }, ...failing('overloaded', 2)])
    const { runtime, clock } = testRuntime({ providers: [model] })
    const ask = async () => {
      const run = await runtime.start(agent, { question: 'q' })
      return [((await run.outcome()) as { output?: unknown }).output, await eventsOf(run)] as const
    }
    expect((await ask())[0]).toBe('fresh')
    await clock.advance(2_000)
    const [stale, events] = await ask()
    expect(stale).toBe('fresh')
    expect(ended(events)).toMatchObject([{ failure: { code: 'overloaded' } }, { name: 'stale answer', cached: { ageMs: 2_000, stale: true } }])
    await clock.advance(10_000)
    const [value, last] = await ask()
    expect(value).toBe('a person will answer')
    expect(last.filter((event) => event.type === 'failure.raised')).toMatchObject([{ failure: { code: 'overloaded' } }, { failure: { code: 'overloaded' } }])
  })

  it('refuses a stale answer that could not exist', () => {
    const states = (alternatives: never, cache?: { ttlMs: number; staleMs?: number }) => ({
      answering: t.fallback(alternatives, { prompt: 'x', ...(cache === undefined ? {} : { cache }), onDone: 'done' } as never),
      done: t.final({}),
    })
    expect(() => t.createAgent({ initial: 'answering', states: states(['fast', { stale: true }] as never) as never })).toThrow('finds nothing without cache')
    expect(() => t.createAgent({ initial: 'answering', states: states([{ stale: true }, 'fast'] as never, { ttlMs: 1, staleMs: 1 }) as never })).toThrow('Name a model first')
  })
})

describe('a model call inside a tool', () => {
  const asking = () => defineTool({ description: 'Asks.', input: z.object({}), run: async (_input, { model }) => (await model({ model: 'fake/inner', messages: 'hm?', maxOutputTokens: 1_000 })).text })
  const turns = (request: ModelRequest): Turn => (request.model === 'inner' ? { text: 'inner says' } : request.messages.length > 2 ? { text: 'end' } : { calls: [{ id: 'c', name: 'ask', args: {} }] })

  it('is billed to the run with its hashes', async () => {
    const { runtime } = testRuntime({ providers: [listModel(turns)] })
    const run = await runtime.start(loopAgent({ ask: asking() }), 'x')
    expect(await run.outcome()).toMatchObject({ outcome: 'done', inputTokens: 30, costUsd: 0.00006 })
    const calls = (await runtime.entries(run.id)).flatMap(({ body }) => (body.cause.type === 'attempt' ? (body.cause.outcome.calls ?? []) : []))
    expect(calls.find((call) => call.model === 'inner')).toMatchObject({ prompt: 'ask/model', requestHash: expect.stringMatching(/^[0-9a-f]{16}$/) })
  })

  it('is refused when the run could not pay for its worst case', async () => {
    const model = listModel(turns)
    const { runtime } = testRuntime({ providers: [model] })
    const run = await runtime.start(loopAgent({ ask: asking() }, { limits: { costUsd: 0.0024 } }), 'x')
    await run.outcome()
    expect(model.asked.map((request) => request.model)).not.toContain('inner')
    expect(model.asked.at(-1)?.messages.at(-1)).toMatchObject({ role: 'tool', failed: 'tool_failed', content: expect.stringContaining('could cost up to') })
  })
})

describe('a watched run', () => {
  const streaming = (text: string): ModelProvider => ({
    id: 'fake',
    price: { inputUsd: 1, outputUsd: 2 },
    call: async (_request, { onDelta }) => {
      for (const piece of text.match(/.{1,7}/gs) ?? []) onDelta?.({ type: 'text', text: piece })
      return { message: { role: 'assistant', content: text }, finish: 'stop', usage: null, model: 'm' }
    },
  })

  it('sees what a structured output holds so far, in order', async () => {
    const text = JSON.stringify({ title: 'A long enough title', points: ['first of them', 'second of them'] })
    const { runtime } = testRuntime({ providers: [streaming(text)] })
    const run = await runtime.start(loopAgent({}, {}, { output: z.object({ title: z.string(), points: z.array(z.string()) }) }), 'x', { stream: true })
    expect((await run.outcome()).outcome).toBe('done')
    const partial = (await eventsOf(run)).flatMap((event) => (event.type === 'output.partial' ? [event.value] : []))
    expect(partial[0]).toEqual({ title: 'A long enou' })
    expect(partial.at(-1)).toMatchObject({ title: 'A long enough title', points: ['first of them', expect.stringContaining('sec')] })
  })

  it('sees nothing partial of what is not JSON', async () => {
    const { runtime } = testRuntime({ providers: [streaming('I would rather tell you a story about it, at length.')] })
    const run = await runtime.start(loopAgent({}, {}, { output: z.object({ n: z.number() }), repairs: 0, retry: { attempts: 1 } }), 'x', { stream: true })
    expect((await run.outcome()).outcome).toBe('failed')
    expect((await eventsOf(run)).filter((event) => event.type === 'output.partial')).toEqual([])
  })
})

describe('a blob', () => {
  it('is read by hash when a message part names it, and a missing one is an invalid request', async () => {
    const read: (string | undefined)[] = []
    const provider: ModelProvider = {
      id: 'fake',
      price: { inputUsd: 1, outputUsd: 2 },
      call: async ({ messages }, { blob }) => {
        const [part] = (messages[0]?.content ?? []) as readonly { readonly data: { readonly blob: string } }[]
        read.push(await blob?.(part?.data.blob ?? ''))
        return { message: { role: 'assistant', content: 'seen' }, finish: 'stop', usage: null, model: 'm' }
      },
    }
    const { runtime } = testRuntime({ providers: [provider] })
    const hash = await runtime.putBlob(Buffer.from('pixels'))
    const ask = (blob: string) => codeOf(runtime, oneTry({ prompt: () => [{ role: 'user', content: [{ type: 'image', data: { blob } }] }] }))
    expect(await ask(hash)).toBe('done')
    expect(read).toEqual([Buffer.from('pixels').toString('base64')])
    expect(await ask('0'.repeat(64))).toBe('invalid_request')
  })
})
