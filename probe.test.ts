import { test, expect } from 'vitest'
import { setup, assign } from 'xstate'
import { z } from 'zod'
import { createRuntime } from './src/run/index.ts'
import { effectSource, guards } from './src/agent/index.ts'
import { defineTool } from './src/tool/index.ts'
import { fakeClock } from './src/clock/index.ts'
const add = defineTool({ description: 'adds', input: z.object({ a: z.number(), b: z.number() }), run: ({ a, b }) => ({ sum: a + b }) })
const ref = { alias: 'm', provider: 'fake', model: 'x', params: { maxOutputTokens: 100 } }
const machine = setup({ actors: {
  think: effectSource<any>({ kind: 'model', model: ref, prompt: ({ context }: any) => `q ${context.n}`, tools: { add: add as never }, repairs: 1 } as never),
  act: effectSource<any>({ kind: 'tools', tools: { add: add as never }, parallel: 4 }) },
  guards: { calls: ({ event }: any) => guards['stateloop.calls']({ event }, {}) } }).createMachine({
  id: 'loop', initial: 'thinking', context: ({ input }: any) => ({ n: input?.n ?? 0, answer: '' }),
  states: { thinking: { invoke: { id: 'thinking', src: 'think', onDone: [{ guard: 'calls', target: 'acting' }, { target: 'end', actions: assign({ answer: ({ event }) => event.output }) }], onError: 'failed' } },
    acting: { invoke: { id: 'acting', src: 'act', onDone: 'thinking', onError: 'failed' } }, end: { type: 'final' }, failed: { type: 'final', meta: { outcome: 'failed' } } }, output: ({ context }: any) => context.answer })
const agent: any = { kind: 'agent', id: 'loop', hash: 'h', definition: {}, machine, input: z.object({ n: z.number() }), events: {}, limits: {}, migrations: [] }
const provider: any = { id: 'fake', price: { inputUsd: 1, outputUsd: 2 }, call: async (r: any) => { const done = (r.messages.length - 1) >> 1; const n = Number(r.messages[0].content.slice(2)); return { message: done >= n ? { role: 'assistant', content: 'done' } : { role: 'assistant', content: '', calls: [{ id: `c${done}`, name: 'add', args: { a: done, b: 1 } }] }, finish: done >= n ? 'stop' : 'tool_calls', usage: { inputTokens: 10, outputTokens: 5 }, model: 'x' } } }
test('runs', async () => {
  const rt = createRuntime({ providers: [provider], clock: fakeClock() })
  const run = await rt.start(agent, { n: 3 })
  const out = await run.outcome()
  console.log(out)
  for (const e of await rt.entries(run.id)) console.log(JSON.stringify(e.body).length, JSON.stringify(e.body))
  for await (const e of run) console.log(e.type, (e as any).state ?? '')
  expect(out.outcome).toBe('done')
})
test('perf', async () => {
  const rt = createRuntime({ providers: [provider] })
  agent.limits = { transitions: 1e6, modelCalls: 1e6, toolCalls: 1e6, repeat: 3 }
  for (const n of [10, 100, 1000, 10000, 100, 1000]) { const t = performance.now(); const reps = n <= 100 ? 100 : 2; for (let i = 0; i < reps; i++) { const r = await rt.start(agent, { n }); const o = await r.outcome(); if (o.outcome !== 'done') console.log(o) } console.log(n, ((performance.now() - t) / reps / n * 1000).toFixed(1), 'us/step') }
}, 60000)
