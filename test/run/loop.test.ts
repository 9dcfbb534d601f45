import { describe, expect, it } from 'vitest'
import { memoryJournal } from '../../src/journal/index.ts'
import { adder, agentOf, assignAnswer, copyPrefix, listModel, loopAgent, modelSpec, testRuntime } from './harness.ts'

const call = (id: string, a: number, b = 1) => ({ id, name: 'add', args: { a, b } })

describe('a tool loop', () => {
  it('ends with the answer, and every step is an entry', async () => {
    const model = listModel([{ calls: [call('c1', 1)] }, { calls: [call('c2', 2), call('c3', 3)] }, { text: 'six' }])
    const { runtime } = testRuntime({ providers: [model] })
    const run = await runtime.start(loopAgent({ add: adder() }), 'x', { user: 'u1', route: '/chat' })
    expect(await run.outcome()).toMatchObject({
      outcome: 'done',
      output: 'six',
      modelCalls: 3,
      toolCalls: 3,
      inputTokens: 30,
      outputTokens: 15,
      costUsd: 0.00006,
    })
    const entries = await runtime.entries(run.id)
    expect(entries.map((entry) => entry.body.cause.type)).toEqual(['start', 'attempt', 'attempt', 'attempt', 'attempt', 'attempt', 'attempt'])
    expect(model.asked[2]?.messages.map((message) => message.role)).toEqual(['user', 'assistant', 'tool', 'assistant', 'tool', 'tool'])
  })

  it('answers unknown tools and wrong arguments to the model instead of failing', async () => {
    const model = listModel([
      {
        calls: [
          { id: 'a', name: 'nope', args: {} },
          { id: 'b', name: 'add', args: { a: 'one' } },
        ],
      },
      { text: 'sorry' },
    ])
    const { runtime } = testRuntime({ providers: [model] })
    const run = await runtime.start(loopAgent({ add: adder() }), 'x')
    expect((await run.outcome()).outcome).toBe('done')
    const answers = model.asked[1]?.messages.filter((message) => message.role === 'tool')
    expect(answers?.map((message) => (message as { failed?: string }).failed)).toEqual(['unknown_tool', 'invalid_args'])
  })

  it('is the same run when the process dies after any entry', async () => {
    const turns = (request: { readonly messages: readonly unknown[] }) => (request.messages.length >= 7 ? { text: 'end' } : { calls: [call(`c${request.messages.length}`, request.messages.length)] })
    const whole = memoryJournal()
    const { runtime } = testRuntime({ providers: [listModel(turns)], journal: whole })
    const agent = loopAgent({ add: adder() })
    const run = await runtime.start(agent, 'x')
    await run.outcome()
    const entries = await runtime.entries(run.id)
    for (let count = 1; count < entries.length; count++) {
      const journal = memoryJournal()
      await copyPrefix(whole, journal, run.id, count)
      const again = testRuntime({ providers: [listModel(turns)], journal }).runtime
      const resumed = await again.resume(run.id, { agent })
      expect(await resumed.outcome()).toMatchObject({ outcome: 'done', output: 'end' })
      const moves = (list: typeof entries) => list.filter((entry) => entry.body.cause.type !== 'resumed').map((entry) => entry.body.moves)
      expect(moves(await again.entries(run.id))).toEqual(moves(entries))
    }
  })

  it('gives the same run for the same key', async () => {
    const { runtime } = testRuntime({ providers: [listModel([{ text: 'once' }])] })
    const agent = loopAgent({})
    const first = await runtime.start(agent, 'x', { key: 'k' })
    const second = await runtime.start(agent, 'x', { key: 'k' })
    expect([second.id, second.created]).toEqual([first.id, false])
    expect(await second.outcome()).toMatchObject({ outcome: 'done', output: 'once' })
  })
})

describe('attempts', () => {
  it('are repeated after the time the provider asks for, and their cost is kept', async () => {
    const model = listModel([{ fails: 'rate_limited', retryAfterMs: 7_000 }, { text: 'ok' }])
    const { runtime, clock } = testRuntime({ providers: [model] })
    const run = await runtime.start(loopAgent({}), 'x')
    await clock.advance(6_999)
    expect(model.asked).toHaveLength(1)
    await clock.advance(1)
    expect(await run.outcome()).toMatchObject({ outcome: 'done', output: 'ok', inputTokens: 20 })
  })

  it('stop when the failure cannot be retried, and the failure is the outcome', async () => {
    const { runtime } = testRuntime({ providers: [listModel([{ fails: 'auth_failed' }])] })
    const run = await runtime.start(loopAgent({}), 'x')
    expect(await run.outcome()).toMatchObject({ outcome: 'failed', failure: { code: 'auth_failed' } })
  })

  it('end as a defect when code throws what is not a failure', async () => {
    const model = { ...listModel([]), call: () => Promise.reject(new TypeError('bug')) }
    const { runtime } = testRuntime({ providers: [model] })
    const run = await runtime.start(loopAgent({}), 'x')
    expect(await run.outcome()).toMatchObject({ outcome: 'failed', defect: true, failure: { code: 'defect', message: expect.stringContaining('bug') } })
  })
})

describe('limits', () => {
  const forEver = () => ({ calls: [call('c', 1)] })
  it.each([
    ['modelCalls', { modelCalls: 3, repeat: 99 }, 'loop_limit'],
    ['toolCalls', { toolCalls: 2, repeat: 99 }, 'loop_limit'],
    ['transitions', { transitions: 5, repeat: 99 }, 'loop_limit'],
    ['tokens', { tokens: 40, repeat: 99 }, 'budget_exceeded'],
    ['repeat', { repeat: 3 }, 'no_progress'],
    ['costUsd', { costUsd: 0.000_5, repeat: 99 }, 'budget_exceeded'],
  ] as const)('stop a model that never stops: %s', async (_name, limits, code) => {
    const { runtime } = testRuntime({ providers: [listModel(forEver)] })
    const run = await runtime.start(loopAgent({ add: adder() }, { limits }), 'x')
    const outcome = await run.outcome()
    expect(['failed', 'limited']).toContain(outcome.outcome)
    expect(outcome).toMatchObject({ failure: { code } })
    expect(outcome.costUsd).toBeLessThanOrEqual('costUsd' in limits ? limits.costUsd : Infinity)
  })

  it('end a machine that ignores its failures as limited, after a bounded grace', async () => {
    const stubborn = agentOf(
      {
        id: 'stubborn',
        initial: 'a',
        states: { a: { invoke: { id: 'a', src: 'model', onDone: 'b', onError: 'b' } }, b: { invoke: { id: 'b', src: 'model', onDone: 'a', onError: 'a' } } },
      },
      { model: modelSpec() },
      { limits: { modelCalls: 2, repeat: 99 } },
    )
    const { runtime } = testRuntime({ providers: [listModel(() => ({ text: 'again' }))] })
    const run = await runtime.start(stubborn, 'x')
    expect(await run.outcome()).toMatchObject({ outcome: 'limited', modelCalls: 2, failure: { code: 'loop_limit' } })
  })

  it('end an eventless loop as a defect instead of hanging', async () => {
    const spinning = agentOf({ id: 'spinning', initial: 'a', options: { maxIterations: 100 }, states: { a: { always: 'b' }, b: { always: 'a' } } }, {})
    const { runtime } = testRuntime()
    const run = await runtime.start(spinning, 'x')
    expect(await run.outcome()).toMatchObject({ outcome: 'failed', defect: true })
  })

  it('count polling tools as progress', async () => {
    const model = listModel([...Array.from({ length: 5 }, () => ({ calls: [call('c', 1)] })), { text: 'ready' }])
    const { runtime } = testRuntime({ providers: [model] })
    const run = await runtime.start(loopAgent({ add: adder({ polling: true }) }), 'x')
    expect(await run.outcome()).toMatchObject({ outcome: 'done', output: 'ready' })
  })
})

describe('cancelling', () => {
  it('aborts what is under way and ends the run', async () => {
    let aborted = false
    const model = {
      ...listModel([]),
      call: (_request: unknown, { signal }: { readonly signal: AbortSignal }) =>
        new Promise<never>((_resolve, reject) =>
          signal.addEventListener('abort', () => {
            aborted = true
            reject(signal.reason as Error)
          }),
        ),
    }
    const { runtime } = testRuntime({ providers: [model] })
    const run = await runtime.start(loopAgent({}), 'x')
    await run.cancel('enough')
    expect(await run.outcome()).toMatchObject({ outcome: 'cancelled', failure: { message: expect.stringContaining('enough') } })
    expect(aborted).toBe(true)
  })
})

describe('fallback by hand', () => {
  it('routes a failure to another state, which sees it in $run', async () => {
    const agent = agentOf(
      {
        id: 'fallback',
        initial: 'strong',
        states: {
          strong: {
            invoke: {
              id: 'strong',
              src: 'strong',
              onDone: 'done',
              onError: { target: 'cheap', guard: { type: 'stateloop.failureIs', params: { code: 'refused' } } },
            },
          },
          cheap: { invoke: { id: 'cheap', src: 'cheap', onDone: { target: 'done', actions: assignAnswer } } },
          done: { type: 'final' },
        },
      },
      {
        strong: modelSpec(),
        cheap: modelSpec({ prompt: ({ context }) => `after ${(context as { $run: { lastFailure?: { code: string } } }).$run.lastFailure?.code}` }),
      },
    )
    const model = listModel([{ fails: 'refused' }, { text: 'fine' }])
    const { runtime } = testRuntime({ providers: [model] })
    const run = await runtime.start(agent, 'x')
    expect(await run.outcome()).toMatchObject({ outcome: 'done', output: 'fine' })
    expect(model.asked[1]?.messages).toEqual([{ role: 'user', content: 'after refused' }])
  })
})
