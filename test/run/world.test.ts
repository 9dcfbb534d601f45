import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Agent, EffectSpec } from '../../src/agent/index.ts'
import { fakeClock } from '../../src/clock/index.ts'
import { FailureError } from '../../src/failure/index.ts'
import { textOf } from '../../src/prompt/index.ts'
import { memoryJournal } from '../../src/journal/index.ts'
import { adder, agentOf, assignAnswer, copyPrefix, listModel, loopAgent, modelRef, modelSpec, testRuntime } from './harness.ts'

const call = (id: string, a: number, b = 1) => ({ id, name: 'add', args: { a, b } })
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no failure',
    (error: unknown) => (error instanceof FailureError ? error.code : String(error)),
  )

const approvingAgent = (runs: string[]) => {
  const add = adder({ effect: 'irreversible', onRun: (key) => runs.push(key) })
  return agentOf(
    {
      id: 'approving',
      initial: 'thinking',
      states: {
        thinking: {
          invoke: {
            id: 'thinking',
            src: 'model',
            onDone: [
              { guard: { type: 'stateloop.calls', params: {} }, target: 'approving' },
              { target: 'done', actions: assignAnswer },
            ],
          },
        },
        approving: {
          invoke: {
            id: 'approving',
            src: 'approve',
            onDone: [{ guard: { type: 'stateloop.outputEquals', params: { value: 'approved' } }, target: 'acting' }, { target: 'thinking' }],
            onError: { guard: { type: 'stateloop.failureIs', params: { code: 'expired' } }, target: 'failed' },
          },
        },
        acting: { invoke: { id: 'acting', src: 'tools', onDone: 'thinking' } },
        done: { type: 'final' },
        failed: { type: 'final', meta: { outcome: 'failed' } },
      },
    },
    {
      model: modelSpec({ tools: { add } }),
      approve: { kind: 'approve', tools: { add }, expiresMs: 60_000 },
      tools: { kind: 'tools', tools: { add }, parallel: 4 },
    },
  )
}

describe('approvals', () => {
  it('perform exactly the call that was approved, once', async () => {
    const runs: string[] = []
    const { runtime } = testRuntime({ providers: [listModel([{ calls: [call('c', 1)] }, { text: 'ok' }])] })
    const run = await runtime.start(approvingAgent(runs), 'x')
    const waiting = await run.outcome()
    expect(waiting).toMatchObject({
      outcome: 'waiting',
      waiting: [{ for: 'approval', state: 'approving', calls: [{ name: 'add', args: { a: 1, b: 1 }, effect: 'irreversible' }] }],
    })
    const hash = waiting.outcome === 'waiting' ? waiting.waiting[0]?.calls?.[0]?.hash : undefined
    expect(runs).toEqual([])
    await run.send({ type: 'APPROVE', hash: hash ?? '' })
    expect(await run.outcome()).toMatchObject({ outcome: 'done', output: 'ok', toolCalls: 1 })
    expect(runs).toHaveLength(1)
  })

  it('show the model a rejected call as denied, with the reason', async () => {
    const runs: string[] = []
    const model = listModel([{ calls: [call('c', 1)] }, { text: 'understood' }])
    const { runtime } = testRuntime({ providers: [model] })
    const run = await runtime.start(approvingAgent(runs), 'x')
    const waiting = await run.outcome()
    const hash = waiting.outcome === 'waiting' ? (waiting.waiting[0]?.calls?.[0]?.hash ?? '') : ''
    await run.send({ type: 'REJECT', hash, reason: 'too much' })
    expect(await run.outcome()).toMatchObject({ outcome: 'done', output: 'understood', toolCalls: 0 })
    expect(model.asked[1]?.messages.at(-1)).toMatchObject({ role: 'tool', failed: 'denied', content: expect.stringContaining('too much') })
    expect(runs).toEqual([])
  })

  it('perform edited arguments, and refuse edits that do not match the schema', async () => {
    const { runtime } = testRuntime({ providers: [listModel([{ calls: [call('c', 1)] }, { text: 'ok' }])] })
    const run = await runtime.start(approvingAgent([]), 'x')
    const waiting = await run.outcome()
    const hash = waiting.outcome === 'waiting' ? (waiting.waiting[0]?.calls?.[0]?.hash ?? '') : ''
    expect(await codeOf(run.send({ type: 'APPROVE', hash: 'wrong' }))).toBe('event_not_accepted')
    expect(await codeOf(run.send({ type: 'APPROVE' }))).toBe('invalid_event')
    expect(await codeOf(run.send({ type: 'EDIT', hash, args: { a: 'x' } }))).toBe('invalid_event')
    // A process without the agent cannot check; the run then refuses by itself.
    await runtime.journal.post(run.id, { type: 'EDIT', hash, args: { a: 'x' } })
    await (await runtime.resume(run.id)).outcome()
    expect((await run.outcome()).outcome).toBe('waiting')
    await run.send({ type: 'EDIT', hash, args: { a: 40, b: 2 } })
    expect((await run.outcome()).outcome).toBe('done')
    const entries = await runtime.entries(run.id)
    expect(entries.some(({ body }) => body.cause.type === 'attempt' && body.cause.outcome.ok && JSON.stringify(body.cause.outcome.value) === '{"sum":42}')).toBe(true)
  })

  it('expire in the process that waits', async () => {
    const { runtime, clock } = testRuntime({ providers: [listModel([{ calls: [call('c', 1)] }])] })
    const run = await runtime.start(approvingAgent([]), 'x')
    await run.outcome()
    await clock.advance(59_999)
    expect((await run.outcome()).outcome).toBe('waiting')
    await clock.advance(1)
    expect(await run.outcome()).toMatchObject({ outcome: 'failed', failure: { code: 'expired' } })
  })

  it('expire at their absolute time, also in another process', async () => {
    const journal = memoryJournal()
    const first = testRuntime({ providers: [listModel([{ calls: [call('c', 1)] }])], journal })
    const agent = approvingAgent([])
    const run = await first.runtime.start(agent, 'x')
    await run.outcome()
    const later = fakeClock({ startMs: first.clock.now() + 60_000, seed: 2 })
    const second = testRuntime({ providers: [listModel([])], journal, clock: later })
    const resumed = await second.runtime.resume(run.id, { agent })
    expect(await resumed.outcome()).toMatchObject({ outcome: 'failed', failure: { code: 'expired' } })
  })
})

describe('events from people', () => {
  const asking = agentOf(
    {
      id: 'asking',
      initial: 'asking',
      states: { asking: { invoke: { id: 'asking', src: 'ask' }, on: { ANSWER: { target: 'done', actions: assignAnswer } } }, done: { type: 'final' } },
    },
    { ask: { kind: 'human', accepts: ['ANSWER'], show: () => 'How many?' } },
    { events: { ANSWER: z.object({ output: z.number() }) } },
  )

  it('are validated, and move the machine', async () => {
    const { runtime } = testRuntime()
    const run = await runtime.start(asking, 'x')
    expect(await run.outcome()).toMatchObject({ outcome: 'waiting', waiting: [{ for: 'event', accepts: ['ANSWER'], show: 'How many?' }] })
    expect(await codeOf(run.send({ type: 'ANSWER', output: 'seven' }))).toBe('invalid_event')
    expect(await codeOf(run.send({ type: 'NOPE' }))).toBe('invalid_event')
    expect(await codeOf(run.send({ type: 'xstate.done.actor.asking' }))).toBe('invalid_event')
    await run.send({ type: 'ANSWER', output: 7 })
    expect(await run.outcome()).toMatchObject({ outcome: 'done', output: 7 })
    expect(await codeOf(run.send({ type: 'ANSWER', output: 7 }))).toBe('run_ended')
  })
})

describe('waiting without an expiry', () => {
  it('follows a model call, for approvals as for events', async () => {
    const add = adder({ effect: 'irreversible' })
    const agent = agentOf(
      {
        id: 'patient',
        initial: 'thinking',
        states: {
          thinking: { invoke: { id: 'thinking', src: 'model', onDone: 'approving' } },
          approving: { invoke: { id: 'approving', src: 'approve', onDone: 'asking' } },
          asking: { invoke: { id: 'asking', src: 'ask' }, on: { ANSWER: 'done' } },
          done: { type: 'final' },
        },
      },
      { model: modelSpec({ tools: { add } }), approve: { kind: 'approve', tools: { add } }, ask: { kind: 'human', accepts: ['ANSWER'] } },
      { events: { ANSWER: z.object({}) } },
    )
    const { runtime } = testRuntime({ providers: [listModel([{ calls: [call('c', 1)] }])] })
    const run = await runtime.start(agent, 'x')
    const waiting = await run.outcome()
    const hash = waiting.outcome === 'waiting' ? (waiting.waiting[0]?.calls?.[0]?.hash ?? '') : ''
    await run.send({ type: 'APPROVE', hash })
    expect(await run.outcome()).toMatchObject({ outcome: 'waiting', waiting: [{ for: 'event', accepts: ['ANSWER'] }] })
  })

  it('does not lose an event that is sent while the run is being taken up', async () => {
    const journal = memoryJournal()
    const agent = approvingAgent([])
    const first = testRuntime({ providers: [listModel([{ calls: [call('c', 1)] }])], journal })
    const run = await first.runtime.start(agent, 'x')
    const waiting = await run.outcome()
    const hash = waiting.outcome === 'waiting' ? (waiting.waiting[0]?.calls?.[0]?.hash ?? '') : ''
    const second = testRuntime({ providers: [listModel([{ text: 'ok' }])], journal, clock: first.clock })
    const resumed = await second.runtime.resume(run.id, { agent })
    await resumed.send({ type: 'APPROVE', hash })
    expect(await resumed.outcome()).toMatchObject({ outcome: 'done', output: 'ok' })
  })
})

describe('effects in doubt', () => {
  const crashed = async (tool: Parameters<typeof adder>[0]) => {
    const whole = memoryJournal()
    const agent = loopAgent({ add: adder(tool) })
    const { runtime } = testRuntime({ providers: [listModel([{ calls: [call('c', 1)] }, { text: 'ok' }])], journal: whole })
    const run = await runtime.start(agent, 'x')
    await run.outcome()
    const journal = memoryJournal()
    await copyPrefix(whole, journal, run.id, 2)
    const again = testRuntime({ providers: [listModel([{ text: 'ok' }])], journal }).runtime
    return { runtime: again, run: await again.resume(run.id, { agent }) }
  }

  it('are asked about when repeating them is not safe, and go on as a person says', async () => {
    const runs: string[] = []
    const { run } = await crashed({ effect: 'reversible', onRun: (key) => runs.push(key) })
    const before = runs.length
    const waiting = await run.outcome()
    expect(waiting).toMatchObject({ outcome: 'waiting', waiting: [{ for: 'in_doubt', keys: ['/acting#1:0.1'] }] })
    await run.send({ type: 'RESOLVE', key: '/acting#1:0.1', action: 'done', value: { sum: 2 } })
    expect(await run.outcome()).toMatchObject({ outcome: 'done', output: 'ok' })
    expect(runs).toHaveLength(before)
  })

  it('are performed again under the same key when the tool honours it', async () => {
    const runs: string[] = []
    const { run } = await crashed({ effect: 'reversible', idempotent: true, onRun: (key) => runs.push(key) })
    expect((await run.outcome()).outcome).toBe('done')
    expect(runs).toHaveLength(2)
    expect(new Set(runs).size).toBe(1)
  })
})

describe('children', () => {
  const child = loopAgent({}, {}, { prompt: ({ context }) => `child ${JSON.stringify((context as { input: unknown }).input)}` })

  it('run one per item with bounded concurrency, in the same journal, with outputs in order', async () => {
    let now = 0
    let most = 0
    const model = listModel((request) => ({ text: textOf(request.messages[0]?.content ?? '') }))
    const slow = {
      ...model,
      call: async (...args: Parameters<typeof model.call>) => {
        most = Math.max(most, ++now)
        await Promise.resolve()
        now -= 1
        return model.call(...args)
      },
    }
    const each: EffectSpec = { kind: 'each', agent: child, items: () => [1, 2, 3], concurrency: 2, maxItems: 10 }
    const parent = agentOf(
      {
        id: 'parent',
        initial: 'each',
        states: { each: { invoke: { id: 'each', src: 'each', onDone: { target: 'done', actions: assignAnswer } } }, done: { type: 'final' } },
      },
      { each },
    )
    const { runtime } = testRuntime({ providers: [slow] })
    const run = await runtime.start(parent, 'x')
    expect(await run.outcome()).toMatchObject({ outcome: 'done', output: ['child 1', 'child 2', 'child 3'], modelCalls: 3 })
    expect(most).toBe(2)
  })

  it('fail their parent with child_failed', async () => {
    const parent = agentOf(
      {
        id: 'parent',
        initial: 'one',
        states: {
          one: {
            invoke: {
              id: 'one',
              src: 'one',
              onDone: 'done',
              onError: { target: 'done', guard: { type: 'stateloop.failureIs', params: { code: 'child_failed' } } },
            },
          },
          done: { type: 'final' },
        },
      },
      { one: { kind: 'agent', agent: child, input: () => 1 } },
    )
    const { runtime } = testRuntime({ providers: [listModel([{ fails: 'refused' }])] })
    const run = await runtime.start(parent, 'x')
    expect((await run.outcome()).outcome).toBe('done')
    expect((await runtime.entries(run.id)).flatMap(({ body }) => body.moves.map((move) => move.failed)).filter(Boolean)).toEqual(['refused', 'child_failed'])
  })
})

describe('decide', () => {
  it('sends the event that the model chose, after repairing an illegal choice', async () => {
    const events = { SEARCH: { description: 'look it up', payload: z.object({ query: z.string() }) }, ANSWER: { description: 'answer', payload: z.object({}) } }
    const agent = agentOf(
      {
        id: 'deciding',
        initial: 'deciding',
        states: {
          deciding: { invoke: { id: 'deciding', src: 'decide' }, on: { SEARCH: { target: 'searched', actions: assignAnswer } } },
          searched: { type: 'final' },
        },
        output: () => 'searched',
      },
      { decide: { kind: 'decide', model: modelRef, prompt: () => 'what now?', events, repairs: 1 } },
    )
    const model = listModel([{ text: '{"choice":{"event":"ANSWER","payload":{}}}' }, { text: '{"choice":{"event":"SEARCH","payload":{"query":"x"}}}' }])
    const { runtime } = testRuntime({ providers: [model] })
    const run = await runtime.start(agent, 'x')
    expect(await run.outcome()).toMatchObject({ outcome: 'done', output: 'searched', modelCalls: 2 })
  })
})

describe('sessions', () => {
  it('share a named thread from run to run, one run at a time', async () => {
    const model = listModel((request) => ({ text: `seen ${request.messages.length}` }))
    const { runtime } = testRuntime({ providers: [model] })
    const agent = loopAgent({}, {}, { thread: 'chat' })
    const first = await runtime.start(agent, 'x', { session: 's' })
    await first.outcome()
    const second = await runtime.start(agent, 'x', { session: 's' })
    expect(await second.outcome()).toMatchObject({ output: 'seen 3' })
    const third = await runtime.start(agent, 'x', { session: 's' })
    expect(await third.outcome()).toMatchObject({ output: 'seen 5' })
  })

  it('refuse a second run while one is open', async () => {
    const { runtime } = testRuntime({ providers: [listModel([{ calls: [call('c', 1)] }])] })
    const agent = approvingAgent([])
    await (await runtime.start(agent, 'x', { session: 's' })).outcome()
    expect(await codeOf(runtime.start(agent, 'x', { session: 's' }))).toBe('session_busy')
  })
})

describe('a changed agent', () => {
  it('is refused, and accepted only when every recorded step still folds the same', async () => {
    const journal = memoryJournal()
    const agent = approvingAgent([])
    const { runtime, clock } = testRuntime({ providers: [listModel([{ calls: [call('c', 1)] }])], journal })
    const run = await runtime.start(agent, 'x')
    await run.outcome()
    const other = testRuntime({ providers: [listModel([])], journal, clock }).runtime
    expect(await codeOf(other.resume(run.id, { agent: { ...agent, hash: 'new' } }))).toBe('definition_changed')
    expect((await (await other.resume(run.id, { agent: { ...agent, hash: 'new' }, acceptChanged: true })).outcome()).outcome).toBe('waiting')
    const renamed = { ...loopAgent({ add: adder() }), id: agent.id, hash: 'new' }
    expect(await codeOf(other.resume(run.id, { agent: renamed, acceptChanged: true }))).toBe('definition_changed')
  })
})

describe('a migration', () => {
  const asking = (hash: string, more: Partial<Agent> = {}, target = 'asking') =>
    agentOf(
      {
        id: 'form',
        initial: target,
        states: { [target]: { invoke: { id: target, src: 'ask' }, on: { ANSWER: { target: 'done', actions: assignAnswer } } }, done: { type: 'final' } },
      },
      { ask: { kind: 'human', accepts: ['ANSWER'] } },
      { hash, events: { ANSWER: z.object({ output: z.number() }) }, ...more },
    )

  it('puts a waiting run on the changed agent, and it goes on there, also after another stop', async () => {
    const journal = memoryJournal()
    const first = testRuntime({ journal })
    const run = await first.runtime.start(asking('old'), 'x')
    await run.outcome()
    const changed = asking('new', { migrations: [{ from: 'old', migrate: ({ context }) => ({ value: 'questioning', context }) }] }, 'questioning')
    const second = testRuntime({ journal, clock: first.clock })
    expect(await (await second.runtime.resume(run.id, { agent: changed })).outcome()).toMatchObject({ outcome: 'waiting', waiting: [{ state: 'questioning' }] })
    const third = testRuntime({ journal, clock: first.clock })
    const resumed = await third.runtime.resume(run.id, { agent: changed })
    await resumed.outcome()
    await resumed.send({ type: 'ANSWER', output: 3 })
    expect(await resumed.outcome()).toMatchObject({ outcome: 'done', output: 3 })
  })

  it('is refused where there is none for the old agent', async () => {
    const journal = memoryJournal()
    const first = testRuntime({ journal })
    const run = await first.runtime.start(asking('old'), 'x')
    await run.outcome()
    const second = testRuntime({ journal, clock: first.clock })
    expect(await codeOf(second.runtime.resume(run.id, { agent: asking('new', {}, 'questioning') }))).toBe('definition_changed')
  })
})
