// Machines of several shapes, written with the builder as users write them.
import { describe, expect, it } from 'vitest'
import { setup } from 'xstate'
import { z } from 'zod'
import { createRuntime, fakeClock, setupAgent, textOf, type Agent } from 'stateloop'
import { agentOf, listModel, modelSpec } from './harness.ts'

const base = { models: { m: { model: 'fake/m', price: { inputUsd: 1, outputUsd: 1 } } }, input: z.object({ q: z.string() }) } as const

describe('parallel regions', () => {
  it('run at the same time and join, whatever order their results come in', async () => {
    const t = setupAgent({ ...base, id: 'parallel', context: z.object({ left: z.string(), right: z.string() }), onFailure: 'failed' })
    const agent = t.createAgent({
      initial: 'both',
      states: {
        both: t.parallel({
          onDone: 'done',
          states: {
            a: t.region({ initial: 'asking', states: { asking: t.model('m', { prompt: 'left', save: 'left', onDone: 'ready' }), ready: t.final({}) } }),
            b: t.region({ initial: 'asking', states: { asking: t.model('m', { prompt: 'right', save: 'right', onDone: 'ready' }), ready: t.final({}) } }),
          },
        }),
        done: t.final({ output: ({ context }) => ({ left: context.left, right: context.right }) }),
        failed: t.final({ outcome: 'failed' }),
      },
    })
    const clock = fakeClock()
    const model = listModel([])
    const provider: typeof model = {
      ...model,
      call: (request) =>
        new Promise((resolve) => {
          const content = textOf(request.messages[0]?.content ?? '')
          clock.timer(content === 'left' ? 20 : 10, () => resolve({ message: { role: 'assistant', content }, finish: 'stop', usage: null, model: 'm' }))
        }),
    }
    const runtime = createRuntime({ providers: [provider], clock })
    const run = await runtime.start(agent, { q: 'x' })
    await clock.runAll()
    expect(await run.outcome()).toMatchObject({ outcome: 'done', output: { left: 'left', right: 'right' }, costUsd: null })
    const keys = (await runtime.entries(run.id)).flatMap(({ body }) => (body.cause.type === 'attempt' ? [body.cause.key] : []))
    expect(keys).toEqual(['/both.b.asking#1', '/both.a.asking#1'])
  })

  it('leave behind what comes too late: a result that arrives with the failure that ends them is not taken', async () => {
    const t = setupAgent({ ...base, id: 'left', context: z.object({}), onFailure: 'recovering' })
    const agent = t.createAgent({
      initial: 'both',
      states: {
        both: t.parallel({
          onDone: 'done',
          states: {
            a: t.region({ initial: 'asking', states: { asking: t.model('m', { prompt: () => 'fail', onDone: 'ready' }), ready: t.final({}) } }),
            b: t.region({ initial: 'asking', states: { asking: t.model('m', { prompt: () => 'answer', onDone: 'ready' }), ready: t.final({}) } }),
          },
        }),
        recovering: t.model('m', { prompt: () => 'answer', onDone: 'done', onError: { '*': 'failed' } }),
        done: t.final({}),
        failed: t.final({ outcome: 'failed' }),
      },
    })
    const model = listModel(({ messages }) => (messages[0]?.content === 'fail' ? { fails: 'refused' } : { text: 'x' }))
    const runtime = createRuntime({ providers: [model], clock: fakeClock() })
    const run = await runtime.start(agent, { q: 'x' })
    expect(await run.outcome()).toMatchObject({ outcome: 'done' })
    expect(model.asked).toHaveLength(3)
  })
})

describe('time', () => {
  it('moves a wait at its absolute time', async () => {
    const t = setupAgent({ ...base, id: 'waiting', onFailure: 'failed' })
    const agent = t.createAgent({
      initial: 'pausing',
      states: { pausing: t.wait({ ms: () => 5_000, onDone: 'done' }), done: t.final({ output: () => 'later' }), failed: t.final({ outcome: 'failed' }) },
    })
    const clock = fakeClock()
    const runtime = createRuntime({ clock })
    const run = await runtime.start(agent, { q: 'x' })
    await clock.advance(4_999)
    expect((await runtime.get(run.id))?.status).toBe('waiting')
    await clock.advance(1)
    expect(await run.outcome()).toMatchObject({ outcome: 'done', output: 'later' })
  })

  it('fires `after` of a plain machine, and cancels it when the state is left', async () => {
    const plain = agentOf(
      {
        id: 'plain',
        initial: 'a',
        states: {
          a: { after: { 1_000: 'b' } },
          b: { after: { 1_000: 'c' }, on: { GO: 'd' } },
          c: { type: 'final' },
          d: { type: 'final', meta: { outcome: 'failed' } },
        },
      },
      {},
      { events: { GO: z.object({}) } },
    )
    const clock = fakeClock()
    const runtime = createRuntime({ clock })
    const run = await runtime.start(plain, 'x')
    await clock.advance(1_000)
    await run.send({ type: 'GO' })
    expect((await run.outcome()).outcome).toBe('failed')
  })

  it('cuts a model call when the run has used up its time', async () => {
    const t = setupAgent({ ...base, id: 'slow', limits: { durationMs: 3_000 }, onFailure: 'failed' })
    const agent = t.createAgent({
      initial: 'asking',
      states: { asking: t.model('m', { prompt: 'x', onDone: 'done' }), done: t.final({}), failed: t.final({ outcome: 'limited' }) },
    })
    const clock = fakeClock()
    const model = listModel([])
    const hanging = {
      ...model,
      call: (_request: unknown, { signal }: { readonly signal: AbortSignal }) => new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    }
    const runtime = createRuntime({ providers: [hanging], clock })
    const run = await runtime.start(agent, { q: 'x' })
    await clock.advance(3_000)
    expect(await run.outcome()).toMatchObject({ outcome: 'limited', failure: { code: 'deadline_exceeded' } })
  })
})

describe('budgets', () => {
  it('are not overspent by calls at work at the same time', async () => {
    const t = setupAgent({
      ...base,
      models: { m: { model: 'fake/m', maxOutputTokens: 1_000, price: { inputUsd: 0, outputUsd: 1 } } },
      id: 'capped',
      limits: { costUsd: 0.001_5 },
    })
    const ask = () => t.region({ initial: 'asking', states: { asking: t.model('m', { prompt: 'x', onDone: 'ready', onError: { '*': 'ready' } }), ready: t.final({}) } })
    const agent = t.createAgent({ initial: 'both', states: { both: t.parallel({ onDone: 'done', states: { a: ask(), b: ask() } }), done: t.final({}) } })
    const model = listModel(() => ({ text: 'ok' }))
    const runtime = createRuntime({ providers: [model] })
    const run = await runtime.start(agent, { q: 'x' })
    await run.outcome()
    expect(model.asked).toHaveLength(1)
  })
})

describe('plain machines', () => {
  it('run child machines in the same fold', async () => {
    const child = setup({}).createMachine({
      id: 'child',
      initial: 'a',
      states: { a: { after: { 10: 'b' } }, b: { type: 'final' } },
      output: () => 'from the child',
    })
    const parent = agentOf(
      {
        id: 'parent',
        initial: 'calling',
        states: { calling: { invoke: { id: 'child', src: child, onDone: 'done' } }, done: { type: 'final' } },
        output: () => 'done',
      },
      {},
    )
    const clock = fakeClock()
    const runtime = createRuntime({ clock })
    const run = await runtime.start(parent, 'x')
    await clock.advance(10)
    expect(await run.outcome()).toMatchObject({ outcome: 'done' })
    expect((await runtime.entries(run.id)).flatMap(({ body }) => body.moves.map((move) => move.actor))).toContain('/child#1')
  })

  it('are stopped when they stand where nothing can move them', async () => {
    const stuck: Agent = agentOf({ id: 'stuck', initial: 'a', states: { a: {}, b: { type: 'final' } } }, { unused: modelSpec() })
    const run = await createRuntime().start(stuck, 'x')
    expect(await run.outcome()).toMatchObject({ outcome: 'failed', defect: true, failure: { message: expect.stringContaining('Give that state a way out') } })
  })
})

describe('messages of a thread', () => {
  it('are seen by callbacks that run inside a transition', async () => {
    const t = setupAgent({ ...base, id: 'reading', context: z.object({ q: z.string(), roles: z.array(z.string()) }), onFailure: 'failed' })
    const agent = t.createAgent({
      initial: 'asking',
      states: {
        asking: t.model('m', { prompt: 'hello', save: ({ messages }) => ({ roles: messages('asking').map((message) => message.role) }), onDone: 'done' }),
        done: t.final({ output: ({ context }) => context.roles }),
        failed: t.final({ outcome: 'failed' }),
      },
    })
    const run = await createRuntime({ providers: [listModel([{ text: 'hi' }])] }).start(agent, { q: 'x' })
    expect(await run.outcome()).toMatchObject({ outcome: 'done', output: ['user', 'assistant'] })
  })
})
