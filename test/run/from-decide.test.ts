import { describe, expect, it } from 'vitest'
import { setup } from 'xstate'
import { z } from 'zod'
import { failedWith, fromDecide, machineAgent, type Agent } from '../../src/agent/index.ts'
import { listModel, testRuntime } from './harness.ts'

describe('fromDecide', () => {
  const machine = setup({
    types: { context: {} as { amount: number }, events: {} as { type: 'PAY'; amount: number } | { type: 'REFUSE' } },
    actors: { choose: fromDecide({ model: 'fake/m', prompt: 'Pay or refuse?', events: { PAY: { description: 'pays', payload: z.object({ amount: z.number() }) }, REFUSE: {} } }) },
    guards: { refused: failedWith('refused') },
  }).createMachine({
    id: 'desk',
    initial: 'choosing',
    context: { amount: 0 },
    states: {
      choosing: {
        invoke: { id: 'choose', src: 'choose', onError: [{ guard: 'refused', target: 'refused' }, { target: 'failed' }] },
        on: { PAY: { guard: ({ event }) => event.amount === undefined || event.amount < 100, target: 'paid' }, REFUSE: 'refused' },
      },
      paid: { type: 'final' },
      refused: { type: 'final' },
      failed: { type: 'final', meta: { outcome: 'failed' } },
    },
  })
  const desk = machineAgent({ machine: machine as never, input: z.object({}) as never }) as Agent
  const choice = (event: string, payload: object): { readonly text: string } => ({ text: JSON.stringify({ choice: { event, payload } }) })

  it('lets a model pick an event of a machine written by hand', async () => {
    for (const [turn, state] of [
      [choice('PAY', { amount: 5 }), 'paid'],
      [choice('REFUSE', {}), 'refused'],
    ] as const) {
      const { runtime } = testRuntime({ providers: [listModel([turn])] })
      const run = await runtime.start(desk, {})
      expect(await run.outcome()).toMatchObject({ outcome: 'done' })
      expect((await runtime.get(run.id))?.state).toBe(state)
    }
  })

  it('shows the model what was wrong with a choice, and fails when it stays wrong', async () => {
    const model = listModel([choice('PAY', { amount: 'all' }), choice('PAY', { amount: 7 })])
    const { runtime } = testRuntime({ providers: [model] })
    const run = await runtime.start(desk, {})
    await run.outcome()
    expect((await runtime.get(run.id))?.state).toBe('paid')
    expect(JSON.stringify(model.asked[1]?.messages)).toContain('choice.payload.amount')
    const stubborn = testRuntime({ providers: [listModel(() => choice('DANCE', {}))] }).runtime
    const failing = await stubborn.start(desk, {})
    expect(await failing.outcome()).toMatchObject({ outcome: 'failed' })
  })
})
