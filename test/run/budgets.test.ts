import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { setupAgent } from '../../src/agent/index.ts'
import { fakeClock, sleep } from '../../src/clock/index.ts'
import { accountsOf, limitsOf, type LimitDefinition } from '../../src/cost/index.ts'
import { fail, failure, FailureError } from '../../src/failure/index.ts'
import { memoryJournal } from '../../src/journal/index.ts'
import { ModelCallError, type ModelProvider } from '../../src/model/index.ts'
import type { RunEvent, Runtime, RuntimeOptions } from '../../src/run/index.ts'
import { defineTool } from '../../src/tool/index.ts'
import { adder, listModel, loopAgent, testRuntime, type Turn } from './harness.ts'

/** What a call of the list model costs at worst, USD: 532 tokens in, 100 out. In fact it costs 0.00002. */
const WORST = 0.000_732

const outcomeOf = async (runtime: Runtime, agent = loopAgent({}, {}, { retry: { attempts: 1 } }), who: object = { user: 'ada' }) => (await runtime.start(agent, 'x', who)).outcome()
const codeOf = async (runtime: Runtime, who: object = { user: 'ada' }): Promise<string> => {
  const outcome = await outcomeOf(runtime, undefined, who)
  return 'failure' in outcome ? outcome.failure.code : outcome.outcome
}
const answering = (): ModelProvider & { readonly asked: unknown[] } => listModel(() => ({ text: 'x' }))
const limited = (limit: LimitDefinition, options: RuntimeOptions = {}) => testRuntime({ providers: [answering()], budgets: [limit], ...options })
const standingOf = async (runtime: Runtime, limit: LimitDefinition, nowMs: number) => {
  const found = await runtime.journal.budgets?.standing(accountsOf(limitsOf(limit), { run: 'r', agent: 'loop', user: 'ada' }, nowMs))
  return found?.map(({ spent, reserved }) => [spent, reserved])
}

describe('a budget', () => {
  it('lets calls through until the next one could pass it, and says which budget, its limit, what is spent and held', async () => {
    const { runtime } = limited({ scope: 'user:*', usd: '0.00079/day' })
    const codes = []
    for (let count = 0; count < 4; count++) codes.push(await codeOf(runtime))
    expect(codes).toEqual(['done', 'done', 'done', 'budget_exceeded'])
    expect(await outcomeOf(runtime)).toMatchObject({ outcome: 'failed', failure: { details: { budget: 'user:*', unit: 'usd', window: 'day', limit: 0.00079, spent: 0.00006, reserved: 0, asked: WORST } } })
    expect(await codeOf(runtime, { user: 'bob' })).toBe('done')
  })

  it('counts retries, repairs and calls that failed, and never begins anew', async () => {
    const turns: readonly Turn[] = [{ fails: 'overloaded' }, { fails: 'overloaded' }, { text: 'no json' }, { text: '{"n":1}' }]
    const limit: LimitDefinition = { scope: 'user:*', usd: '1/day', calls: '10/day' }
    const { runtime, clock } = limited(limit, { providers: [listModel(turns)] })
    const run = await runtime.start(loopAgent({}, {}, { output: z.object({ n: z.number() }) }), 'x', { user: 'ada' })
    await clock.advance(100_000)
    expect((await run.outcome()).outcome).toBe('done')
    expect(await standingOf(runtime, limit, clock.now())).toEqual([
      [4, 0],
      [60_000, 0],
    ])
  })

  it('counts what tools spend: calls they make and cost they add by hand', async () => {
    const look = defineTool({
      description: 'Looks.',
      input: z.object({}),
      run: async (_input, { model, addCost }) => {
        addCost(0.25, 'a search')
        return (await model({ model: 'fake/m', messages: 'look' })).text
      },
    })
    const limit: LimitDefinition = { scope: 'user:*', usd: '1/day', calls: '10/day' }
    const { runtime, clock } = limited(limit, { providers: [listModel([{ calls: [{ id: 'c', name: 'look', args: {} }] }, { text: 'seen' }, { text: 'done' }])] })
    expect((await outcomeOf(runtime, loopAgent({ look }))).outcome).toBe('done')
    expect(await standingOf(runtime, limit, clock.now())).toEqual([
      [3, 0],
      [250_060_000, 0],
    ])
  })

  it('counts a call without usage as what was held, marked as estimated', async () => {
    const silent: ModelProvider = { id: 'fake', price: { inputUsd: 1, outputUsd: 2 }, call: async () => ({ message: { role: 'assistant', content: 'x' }, finish: 'stop', usage: null, model: 'm' }) }
    const cut: ModelProvider = { ...silent, call: () => Promise.reject(new ModelCallError(failure('stream_truncated', 'cut'))) }
    for (const provider of [silent, cut]) {
      const limit: LimitDefinition = { scope: 'user:*', usd: '1/day' }
      const { runtime, clock } = limited(limit, { providers: [provider] })
      const run = await runtime.start(loopAgent({}, {}, { retry: { attempts: 1 } }), 'x', { user: 'ada' })
      const { costUsd } = await run.outcome()
      expect(costUsd).toBe(WORST)
      const outcomes = (await runtime.entries(run.id)).flatMap(({ body: { cause } }) => (cause.type === 'attempt' ? [cause.outcome] : []))
      expect(outcomes).toMatchObject([{ held: true, calls: [{ usage: null, priceSource: 'estimated', costNano: Math.round((costUsd ?? 0) * 1e9) }] }])
      expect(await standingOf(runtime, limit, clock.now())).toEqual([[Math.round((costUsd ?? 0) * 1e9), 0]])
    }
  })

  it('does not count a call that the provider refused, and lets go of one that was never sent', async () => {
    const limit: LimitDefinition = { scope: 'user:*', usd: '1/day' }
    const failing: ModelProvider = { id: 'fake', price: { inputUsd: 1, outputUsd: 2 }, call: () => Promise.reject(new ModelCallError(failure('overloaded', 'full'))) }
    const { runtime, clock } = limited(limit, { providers: [failing], breaker: { consecutive: 1 } as never })
    for (let count = 0; count < 7; count++) await codeOf(runtime)
    expect(await standingOf(runtime, limit, clock.now())).toEqual([[0, 0]])
  })

  it('counts the call of a run that was cancelled meanwhile as what was held', async () => {
    const limit: LimitDefinition = { scope: 'user:*', tokens: '100000/day' }
    const waits: ModelProvider = { id: 'fake', call: (_request, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))) }
    const { runtime, clock } = limited(limit, { providers: [waits] })
    const run = await runtime.start(loopAgent({}), 'x', { user: 'ada' })
    await new Promise(setImmediate)
    await run.cancel()
    await run.outcome()
    await new Promise(setImmediate)
    const [standing] = (await standingOf(runtime, limit, clock.now())) ?? []
    expect(standing?.[0]).toBeGreaterThan(100)
    expect(standing?.[1]).toBe(0)
  })

  it('refuses a model without a price where it is in USD, and not where it is in tokens', async () => {
    const unpriced = (): ModelProvider => ({ id: 'fake', call: async () => ({ message: { role: 'assistant', content: 'x' }, finish: 'stop', usage: { inputTokens: 1, outputTokens: 1 }, model: 'm' }) })
    const dollars = limited({ scope: 'all', usd: '1/day' }, { providers: [unpriced()] }).runtime
    expect(await outcomeOf(dollars)).toMatchObject({ failure: { code: 'budget_exceeded', details: { reason: 'unknown_price' } } })
    expect(await codeOf(limited({ scope: 'all', tokens: '10000/day' }, { providers: [unpriced()] }).runtime)).toBe('done')
  })

  it('holds for each call, and for each run', async () => {
    expect(await codeOf(limited({ scope: 'all', usd: '0.0001/call' }).runtime)).toBe('budget_exceeded')
    const each = limited({ scope: 'run:*', calls: '1/run' }, { providers: [listModel((request) => (request.messages.length > 1 ? { text: 'x' } : { calls: [{ id: 'c', name: 'add', args: { a: 1, b: 1 } }] }))] }).runtime
    for (let count = 0; count < 2; count++) expect(await outcomeOf(each, loopAgent({ add: adder() }))).toMatchObject({ failure: { code: 'budget_exceeded' } })
    expect((await each.list()).map(({ modelCalls }) => modelCalls)).toEqual([2, 2])
  })

  it('holds over calls at work at the same time', async () => {
    let atWork = 0
    const slow: ModelProvider = {
      id: 'fake',
      price: { inputUsd: 1, outputUsd: 2 },
      call: async () => {
        atWork += 1
        await new Promise((resolve) => setTimeout(resolve, 20))
        return { message: { role: 'assistant', content: 'x' }, finish: 'stop', usage: { inputTokens: 10, outputTokens: 5 }, model: 'm' }
      },
    }
    const { runtime } = limited({ scope: 'tenant:*', usd: `${WORST * 3}/day` }, { providers: [slow] })
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => codeOf(runtime, { tenant: 'acme' })))
    expect(outcomes.filter((code) => code === 'done')).toHaveLength(3)
    expect(atWork).toBe(3)
  })

  it('holds for each call that a tool makes at the same time, and is settled for those that the tool did not wait for', async () => {
    const clock = fakeClock()
    const slow: ModelProvider = {
      id: 'fake',
      price: { inputUsd: 1, outputUsd: 2 },
      call: async ({ messages }) => {
        if (messages[0]?.content === 'go')
          return { message: { role: 'assistant', content: '', calls: [{ id: 'c', name: 'look', args: {} }] }, finish: 'tool_calls', usage: { inputTokens: 10, outputTokens: 5 }, model: 'm' }
        await sleep(clock, 10)
        return { message: { role: 'assistant', content: 'x' }, finish: 'stop', usage: { inputTokens: 500, outputTokens: 100 }, model: 'm' }
      },
    }
    const ends: string[] = []
    const look = defineTool({
      description: 'Looks.',
      input: z.object({}),
      run: (_input, { model }) => {
        for (let call = 0; call < 4; call++)
          model({ model: 'fake/m', messages: 'look', maxOutputTokens: 100 }).then(
            () => ends.push('done'),
            (error: unknown) => ends.push(error instanceof FailureError ? error.code : 'defect'),
          )
        return 'seen'
      },
    })
    const limit: LimitDefinition = { scope: 'user:*', usd: `${WORST * 2.9}/day` }
    const { runtime } = limited(limit, { providers: [slow], clock })
    const run = await runtime.start(loopAgent({ look }), 'x', { user: 'ada' })
    await clock.runAll()
    expect(ends.toSorted()).toEqual(['budget_exceeded', 'budget_exceeded', 'done', 'done'])
    expect(await standingOf(runtime, limit, clock.now())).toEqual([[20_000 + 2 * 700_000, 0]])
    expect(await run.outcome()).toMatchObject({ costUsd: 0.00002 + 2 * 0.000_7, failure: { code: 'budget_exceeded' } })
  })

  it('is refused where the journal cannot keep it', () => {
    const { budgets: _budgets, ...journal } = memoryJournal()
    expect(() => testRuntime({ journal, budgets: [{ scope: 'all', usd: '1/day' }] })).toThrow('journal that keeps budgets')
  })
})

describe('the cap of a run', () => {
  it('knows what the call before has cost when the next one of a queue begins', async () => {
    const inner = setupAgent({ id: 'inner', models: { m: { model: 'fake/m', maxOutputTokens: 100, price: { inputUsd: 1, outputUsd: 2 } } }, input: z.string(), context: z.object({}), onFailure: 'failed' })
    const child = inner.createAgent({
      initial: 'asking',
      states: { asking: inner.model('m', { prompt: () => 'go', retry: { attempts: 1 }, onDone: 'done' }), done: inner.final(), failed: inner.final({ outcome: 'failed' }) },
    })
    const outer = setupAgent({ id: 'outer', agents: { child }, models: {}, input: z.string(), context: z.object({}), limits: { costUsd: WORST + 0.000_01, parallel: 1 }, onFailure: 'failed' })
    const agent = outer.createAgent({
      initial: 'each',
      states: { each: outer.each('child', { items: () => ['a', 'b', 'c'], concurrency: 3, onDone: 'done' }), done: outer.final(), failed: outer.final({ outcome: 'failed' }) },
    })
    const model = answering()
    const { runtime } = testRuntime({ providers: [model] })
    await (await runtime.start(agent, 'x')).outcome()
    // The first costs 20,000 nano-dollars, which leaves less than another could cost.
    expect(model.asked).toHaveLength(1)
  })
})

describe('a rate limit', () => {
  it('throttles calls, says when to come back, and lets them through then', async () => {
    const { runtime, clock } = limited({ scope: 'user:*', calls: '2/m' })
    expect([await codeOf(runtime), await codeOf(runtime), await codeOf(runtime)]).toEqual(['done', 'done', 'throttled'])
    const refused = await outcomeOf(runtime)
    if (!('failure' in refused)) throw new Error('not refused')
    const retryAtMs = refused.failure.details?.['retryAtMs'] as number
    expect(retryAtMs).toBeGreaterThan(clock.now())
    await clock.advance(retryAtMs - clock.now())
    expect(await codeOf(runtime)).toBe('done')
  })

  it('refuses to start more runs than may be at work, and does so no longer once one has ended', async () => {
    let answer = (): void => {}
    const slow: ModelProvider = { id: 'fake', call: () => new Promise((resolve) => (answer = () => resolve({ message: { role: 'assistant', content: 'x' }, finish: 'stop', usage: null, model: 'm' }))) }
    const { runtime } = limited({ scope: 'user:*', runs: 1 }, { providers: [slow] })
    const first = await runtime.start(loopAgent({}), 'x', { user: 'ada' })
    const refused: unknown = await runtime.start(loopAgent({}), 'x', { user: 'ada' }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(FailureError)
    expect(refused).toMatchObject({ code: 'throttled', failure: { details: { unit: 'runs', limit: 1, spent: 1 } } })
    const other = await runtime.start(loopAgent({}), 'x', { user: 'bob' })
    await other.cancel()
    answer()
    await first.cancel()
    await first.outcome()
    await new Promise(setImmediate)
    await (await runtime.start(loopAgent({}), 'x', { user: 'ada' })).cancel()
  })
})

describe('a limit that an operator sets', () => {
  it('holds for a runtime at work within a second, wins over the code, and goes when it is removed', async () => {
    const { runtime, clock } = limited({ scope: 'user:ada', calls: '100/m' })
    const store = runtime.journal.budgets
    expect(await codeOf(runtime)).toBe('done')
    await store?.putLimits(limitsOf({ scope: 'user:ada', calls: '1/m' }))
    await clock.advance(1_000)
    expect(await codeOf(runtime)).toBe('throttled')
    await store?.removeLimits('user:ada')
    await clock.advance(1_000)
    expect(await codeOf(runtime)).toBe('done')
  })
})

describe('a warning', () => {
  it.each([
    ['throws', () => fail('usage', 'no webhook')],
    ['rejects', () => Promise.reject(new Error('no webhook'))],
    ['never answers', () => new Promise<void>(() => {})],
  ])('harms no run when its hook %s', async (how, onBudget: () => void | Promise<void>) => {
    const warnings: string[] = []
    const note = ({ message }: Error): void => void warnings.push(message)
    process.on('warning', note)
    const { runtime } = limited({ scope: 'user:*', calls: '2/day', warnAt: 0.5 }, { onBudget })
    expect([await codeOf(runtime), await codeOf(runtime), await codeOf(runtime)]).toEqual(['done', 'done', 'budget_exceeded'])
    await new Promise(setImmediate)
    process.off('warning', note)
    expect(warnings.filter((message) => message.includes('The onBudget hook failed for user:*') && message.includes('no webhook'))).toHaveLength(how === 'never answers' ? 0 : 2)
  })

  it('is an event of the run that met it and a call of the hook, once in a window; so is reaching the limit', async () => {
    const told: unknown[] = []
    const seen: RunEvent[] = []
    const observer = { run: () => ({ event: (event: RunEvent) => void seen.push(event) }) }
    const { runtime } = limited({ scope: 'user:*', calls: '4/day', warnAt: 0.5 }, { onBudget: (event) => void told.push(event), observers: [observer] })
    for (let count = 0; count < 7; count++) await codeOf(runtime)
    const near = { type: 'budget.warned', scope: 'user:*', unit: 'calls', window: 'day', limit: 4, spent: 2, reserved: 0 }
    const full = { type: 'budget.reached', scope: 'user:*', unit: 'calls', window: 'day', limit: 4, spent: 4, reserved: 0 }
    expect(told).toMatchObject([near, full])
    expect(seen.filter(({ type }) => type.startsWith('budget.'))).toMatchObject([near, full])
  })
})
