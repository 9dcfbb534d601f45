import { expect, it } from 'vitest'
import { assign, setup } from 'xstate'
import { z } from 'zod'
import { fromModel, machineAgent, setupAgent, type Agent } from '../../src/agent/index.ts'
import { entriesOf, visitsOf } from '../../src/cli/run-tree.ts'
import { noteKinds } from '../../src/cli/state-kinds.ts'
import { memoryJournal } from '../../src/journal/index.ts'
import { listModel, testRuntime } from '../run/harness.ts'

const kindsIn = async (made: Agent, input: unknown): Promise<readonly string[]> => {
  const journal = memoryJournal()
  const { runtime } = testRuntime({ journal, providers: [listModel(() => ({ text: 'hi' }))] })
  const run = await runtime.start(made, input)
  await run.outcome()
  const entries = await entriesOf(journal, run.id)
  const visits = visitsOf(entries)
  await noteKinds(journal, entries, visits)
  return visits.map(({ actor, state, kind }) => `${actor}${actor === '' ? '' : ' '}${state} ${kind ?? '?'}`)
}

const inner = setupAgent({ id: 'inner', models: { m: 'fake/m' }, input: z.object({ q: z.string() }), onFailure: 'failed' })
const child = inner.createAgent({
  initial: 'asking',
  states: { asking: inner.model('m', { prompt: 'q', onDone: 'done' }), done: inner.final({ output: () => 1 }), failed: inner.final({ outcome: 'failed', output: () => 0 }) },
})

it('knows the kinds of states, those of groups and child agents included, without the code', async () => {
  const t = setupAgent({ id: 'outer', models: { m: 'fake/m' }, agents: { child }, input: z.object({ q: z.string() }), onFailure: 'failed' })
  const made = t.createAgent({
    initial: 'trying',
    states: {
      trying: t.fallback(['m', { value: 'none' }], { prompt: 'q', onDone: 'asking' }),
      asking: t.agent('child', { input: ({ context }) => ({ q: context.q }), onDone: 'done' }),
      done: t.final(),
      failed: t.final({ outcome: 'failed' }),
    },
  })
  expect(await kindsIn(made as Agent, { q: 'x' })).toEqual(['trying.1-m model', 'asking agent', '/asking#1 asking model', '/asking#1 done final', 'done final'])
})

it('knows the kinds of a machine written by hand', async () => {
  const machine = setup({ actors: { ask: fromModel({ model: 'fake/m', prompt: 'hi' }) } }).createMachine({
    id: 'raw',
    initial: 'asking',
    context: { answer: '' },
    states: { asking: { invoke: { id: 'ask', src: 'ask', onDone: { target: 'ended', actions: assign({ answer: 'x' }) }, onError: 'ended' } }, ended: { type: 'final' } },
  })
  expect(await kindsIn(machineAgent({ machine: machine as never, input: z.unknown() as never }) as Agent, {})).toEqual(['asking model', 'ended final'])
})
