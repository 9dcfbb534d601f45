import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { reportCosts, type CostDimension, type CostReport } from '../../src/cost/index.ts'
import { memoryJournal, type Journal } from '../../src/journal/index.ts'
import type { Runtime } from '../../src/run/index.ts'
import { ModelCallError, type ModelProvider } from '../../src/model/index.ts'
import { failure } from '../../src/failure/index.ts'
import { defineTool } from '../../src/tool/index.ts'
import { setupAgent } from '../../src/agent/index.ts'
import { adder, copyPrefix, listModel, loopAgent, testRuntime } from './harness.ts'

const reportOf = async (journal: Journal, ...by: readonly CostDimension[]): Promise<CostReport> => {
  if (journal.ledger === undefined) throw new Error('no ledger')
  return reportCosts(journal.ledger, { by, sinceMs: 0, untilMs: 10 * 365 * 86_400_000 * 10 })
}
const groupsOf = async ({ journal }: Pick<Runtime, 'journal'>, ...by: readonly CostDimension[]) => (await reportOf(journal, ...by)).groups

describe('the charges of a run', () => {
  it('hold every billed attempt: retries, failures and repairs', async () => {
    const model = listModel([{ fails: 'overloaded' }, { text: 'no json' }, { text: '{"n":1}' }])
    const { runtime, clock } = testRuntime({ providers: [model] })
    const run = await runtime.start(loopAgent({}, {}, { output: z.object({ n: z.number() }) }), 'x', { user: 'ada', route: '/chat', tenant: 'acme' })
    await clock.advance(60_000)
    expect(await run.outcome()).toMatchObject({ outcome: 'done', costUsd: 0.00005 })
    const groups = await groupsOf(runtime, 'user', 'route', 'tenant', 'agent', 'state', 'model', 'prompt')
    expect(groups).toMatchObject([
      {
        key: { user: 'ada', route: '/chat', tenant: 'acme', agent: 'loop', state: 'thinking', model: 'fake/m', prompt: 'loop/thinking' },
        calls: 3,
        failedCalls: 2,
        costUsd: 0.00005,
        inputTokens: 30,
        outputTokens: 10,
        runs: 1,
      },
    ])
  })

  it('hold calls made inside tools and what a tool added by hand', async () => {
    const look = defineTool({
      effect: 'none',
      description: 'Looks.',
      input: z.object({}),
      run: async (_input, { model, addCost }) => {
        addCost(0.5, 'a search')
        return (await model({ model: 'fake/small', messages: 'look' })).text
      },
    })
    const model = listModel((request) => (request.model === 'small' ? { text: 'seen' } : request.messages.length > 1 ? { text: 'done' } : { calls: [{ id: 'c', name: 'look', args: {} }] }))
    const { runtime } = testRuntime({ providers: [model] })
    await (await runtime.start(loopAgent({ look }), 'x')).outcome()
    const groups = await groupsOf(runtime, 'state', 'model')
    expect(groups.map(({ key, calls, costUsd }) => [key.state, key.model, calls, costUsd])).toEqual([
      ['acting', 'tool/look', 0, 0.5],
      ['thinking', 'fake/m', 2, 0.00004],
      ['acting', 'fake/small', 1, 0.00002],
    ])
  })

  it('say which version of a prompt was turned away, in a tool as well, and charge nobody for it', async () => {
    const look = defineTool({ description: 'Looks.', input: z.object({}), run: async (_input, { model }) => (await model({ model: 'fake/small', messages: 'look' })).text })
    const answers = listModel((request) => (request.messages.length > 1 ? { text: 'done' } : { calls: [{ id: 'c', name: 'look', args: {} }] }))
    let asked = 0
    const model: ModelProvider = {
      ...answers,
      call: (request, options) => (request.model === 'small' || asked++ < 2 ? Promise.reject(new ModelCallError(failure('rate_limited', 'slow down'))) : answers.call(request, options)),
    }
    const { runtime, clock } = testRuntime({ providers: [model] })
    const run = await runtime.start(loopAgent({ look }), 'x', { user: 'ada' })
    await clock.advance(60_000)
    expect(await run.outcome()).toMatchObject({ outcome: 'done', costUsd: 0.00004 })
    const rows = (await runtime.journal.ledger?.read({ sinceMs: 0, untilMs: clock.now() })) ?? []
    expect(rows.map(({ key, total }) => [key.model, key.prompt, total.calls, total.unbilled, total.runs[0]]).toSorted()).toEqual([
      ['fake/m', 'loop/thinking', 2, 2, 1],
      ['fake/small', 'look/model', 0, 1, 0],
    ])
    expect(await groupsOf(runtime, 'model')).toMatchObject([{ key: { model: 'fake/m' }, calls: 2, failedCalls: 0, runs: 1 }])
    const unbilled = (await runtime.entries(run.id)).flatMap(({ body: { cause } }) => (cause.type === 'attempt' ? (cause.outcome.unbilled ?? []) : []))
    expect(unbilled.map(({ prompt, promptHash, failed }) => [prompt, promptHash?.length, failed])).toEqual([
      ['loop/thinking', 16, 'rate_limited'],
      ['loop/thinking', 16, 'rate_limited'],
      ['look/model', 16, 'rate_limited'],
    ])
  })

  it('hold what a run had left: answers that came too late, and calls of a tool that was cancelled', async () => {
    const t = setupAgent({ id: 'left', models: { m: { model: 'fake/m' } }, input: z.string(), context: z.object({}), onFailure: 'recovering' })
    const region = (text: string) => t.region({ initial: 'asking', states: { asking: t.model('m', { prompt: () => text, onDone: 'ready' }), ready: t.final({}) } })
    const agent = t.createAgent({
      initial: 'both',
      states: {
        both: t.parallel({ onDone: 'done', states: { a: region('fail'), b: region('answer') } }),
        recovering: t.code({ run: () => null, onDone: 'done', onError: { '*': 'failed' } }),
        done: t.final({}),
        failed: t.final({ outcome: 'failed' }),
      },
    })
    const { runtime } = testRuntime({ providers: [listModel(({ messages }) => (messages[0]?.content === 'fail' ? { fails: 'refused' } : { text: 'x' }))] })
    expect(await (await runtime.start(agent, 'x')).outcome()).toMatchObject({ outcome: 'done', costUsd: 0.00001 })
    // What answered too late is in the sums, though no entry of the run has it.
    expect((await groupsOf(runtime, 'state')).map(({ key, calls, costUsd }) => [key.state, calls, costUsd])).toEqual([
      ['both.b.asking', 1, 0.00002],
      ['both.a.asking', 1, 0.00001],
    ])

    let ask = (): void => {}
    const asked = new Promise<void>((resolve) => (ask = resolve))
    const look = defineTool({
      description: 'Looks, and then never ends.',
      input: z.object({}),
      run: async (_input, { model, signal }) => {
        await model({ model: 'fake/small', messages: 'look' })
        ask()
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
      },
    })
    const calling = listModel((request) => (request.model === 'small' ? { text: 'seen' } : { calls: [{ id: 'c', name: 'look', args: {} }] }))
    const cancelled = testRuntime({ providers: [calling] }).runtime
    const run = await cancelled.start(loopAgent({ look }), 'x')
    await asked
    await run.cancel()
    expect(await run.outcome()).toMatchObject({ outcome: 'cancelled', costUsd: 0.00002 })
    await new Promise(setImmediate)
    expect((await groupsOf(cancelled, 'model')).map(({ key, calls, failedCalls }) => [key.model, calls, failedCalls])).toEqual([
      ['fake/m', 1, 0],
      ['fake/small', 1, 0],
    ])
  })

  it('count under the agent of the run, with the states of children behind the state that started them', async () => {
    const inner = setupAgent({ id: 'inner', models: { m: 'fake/m' }, input: z.string(), context: z.object({}), onFailure: 'failed' })
    const child = inner.createAgent({
      initial: 'asking',
      states: { asking: inner.model('m', { prompt: () => 'go', onDone: 'done' }), done: inner.final({ output: () => 'x' }), failed: inner.final({ outcome: 'failed' }) },
    })
    const outer = setupAgent({ id: 'outer', agents: { child }, models: {}, input: z.string(), context: z.object({}), onFailure: 'failed' })
    const parent = outer.createAgent({
      initial: 'researching',
      states: { researching: outer.each('child', { items: () => ['a', 'b', 'c'], concurrency: 2, onDone: 'done' }), done: outer.final(), failed: outer.final({ outcome: 'failed' }) },
    })
    const { runtime } = testRuntime({ providers: [listModel(() => ({ text: 'a' }))] })
    expect((await (await runtime.start(parent, 'x')).outcome()).outcome).toBe('done')
    expect(await groupsOf(runtime, 'agent', 'state')).toMatchObject([{ key: { agent: 'outer', state: 'researching/asking' }, calls: 3, runs: 1 }])
  })

  it('are those of the run as a whole when it is taken up again after a crash', async () => {
    const turns = [{ calls: [{ id: 'c', name: 'add', args: { a: 1, b: 1 } }] }, { text: 'done' }]
    const first = testRuntime({ providers: [listModel(turns)] })
    const agent = loopAgent({ add: adder() })
    const run = await first.runtime.start(agent, 'x', { user: 'ada' })
    await run.outcome()
    const journal = memoryJournal({ clock: first.clock })
    await copyPrefix(first.runtime.journal, journal, run.id, 3)
    const { runtime } = testRuntime({ journal, clock: first.clock, providers: [listModel(turns.slice(1))] })
    expect(await (await runtime.resume(run.id, { agent })).outcome()).toMatchObject({ outcome: 'done' })
    // The copy has no charges of its own for the entries before the crash; the run was counted there.
    expect(await groupsOf(runtime, 'state')).toMatchObject([{ calls: 1, runs: 0 }])
    expect(await groupsOf(first.runtime, 'state')).toMatchObject([{ calls: 2, runs: 1 }])
  })

  it('count an answer of the cache as saved, not as spent', async () => {
    const { runtime } = testRuntime({ providers: [listModel([{ text: 'once' }])] })
    for (let count = 0; count < 2; count++) await (await runtime.start(loopAgent({}, {}, { cache: { ttlMs: 60_000 } }), 'x')).outcome()
    expect(await groupsOf(runtime, 'model')).toMatchObject([{ calls: 1, cacheHits: 1, costUsd: 0.00002, savedUsd: 0.00002, runs: 2 }])
  })
})
