// What a user sees when a recorded run is replayed against a changed agent, word for word.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { setup } from 'xstate'
import { z } from 'zod'
import { formatReport, replay } from '../../src/replay/index.ts'
import { recordRun } from '../../src/replay/record.ts'
import { agentOf, listModel, modelSpec, testRuntime } from '../run/harness.ts'
import { desk, recorded, type DeskOptions } from './desk.ts'

type Match = 'strict' | 'prompt' | 'shape' | 'sequence'

const report = async (options: DeskOptions, match: Match = 'strict') => replay(desk(options), await recorded(), { name: 'order', match })
const shown = async (options: DeskOptions): Promise<string> => formatReport(await report(options))
const statusOf = async (options: DeskOptions, match: Match): Promise<string> => (await report(options, match)).status

afterEach(() => vi.unstubAllGlobals())

describe('an agent that did not change', () => {
  it('replays as recorded', async () => {
    expect(await shown({})).toBe('✓ order  same, 6 steps')
    expect((await report({})).end).toEqual({ outcome: 'done', output: 'It was sent.' })
  })

  it('replays without network, clock or randomness', async () => {
    const recording = await recorded()
    const forbidden = (): never => {
      throw new Error('A replay touched the world.')
    }
    vi.stubGlobal('fetch', forbidden)
    vi.stubGlobal('setTimeout', forbidden)
    vi.stubGlobal('performance', { now: forbidden })
    const spies = [vi.spyOn(Math, 'random').mockImplementation(forbidden), vi.spyOn(Date, 'now').mockImplementation(forbidden)]
    const { status } = await replay(desk(), recording)
    spies.forEach((spy) => spy.mockRestore())
    expect(status).toBe('same')
  })
})

describe('the first difference', () => {
  it('is stale for a changed prompt, with the words that changed', async () => {
    expect(await shown({ tone: 'long' })).toBe(
      `! order  stale after 6 steps
  stale  step 2  answering
  expected  fake/m asked with step daa5c3ed7b47
  actual    fake/m asked with step 8747cb442241
  because   prompt desk.answer e3e13567c0d5 → db3b90d00b05
    ~ system
        Give a [-short-]{+long+} answer about orders.`,
    )
  })

  it('is stale for a changed model', async () => {
    expect(await shown({ model: 'fake/n' })).toBe(
      `! order  stale after 6 steps
  stale  step 2  answering
  expected  fake/m asked with step daa5c3ed7b47
  actual    fake/n asked with step 0fd02ac0843b
  because   model fake/n daa5c3ed7b47 → 0fd02ac0843b
    ~ model: "m" → "n"`,
    )
  })

  it('is stale for a changed tool schema', async () => {
    expect(await shown({ orderField: 'number' })).toBe(
      `! order  stale after 6 steps
  stale  step 2  answering
  expected  fake/m asked with step daa5c3ed7b47
  actual    fake/m asked with step 51884d6d68fe
  because   tool schema lookupOrder daa5c3ed7b47 → 51884d6d68fe
    + tools.lookupOrder.parameters.properties.number: {"type":"string"}
    - tools.lookupOrder.parameters.properties.order: {"type":"string"}
    - tools.lookupOrder.parameters.required: order
    + tools.lookupOrder.parameters.required: number`,
    )
  })

  it('is a divergence for a renamed state', async () => {
    expect(await shown({ answering: 'replying' })).toBe(
      `✗ order  diverged after 3 steps
  transition  step 2  searching
  expected  searching done → answering
  actual    searching done → replying
  because   machine desk aef060da39ec → 9812c920bb47
    state answering is now called replying`,
    )
  })

  it('names the edge that leads elsewhere', async () => {
    expect(await shown({ orderTo: 'refused' })).toBe(
      `✗ order  diverged after 2 steps
  transition  step 1  triaging
  expected  triaging done → searching
  actual    triaging done → refused
  because   machine desk aef060da39ec → 2539e1dcef92
    ~ machine.states.triaging.invoke.onDone[0].target: "#desk.searching" → "#desk.refused"
    ~ machine.states.triaging.invoke.onDone[1].target: "#desk.refused" → "#desk.searching"`,
    )
  })

  it('blames a limit where one was reached', async () => {
    expect(await shown({ maxVisits: 1 })).toBe(
      `✗ order  diverged after 5 steps
  transition  step 4  answering
  expected  answering done → sent
  actual    answering failed (loop_limit) → failed
  because   policy desk
    ~ states.answering.maxVisits: 4 → 1`,
    )
  })

  it('shows the arguments that differ', async () => {
    const text = await shown({ query: (question) => question.toUpperCase() })
    expect(text).toContain('  request  step 1  searching\n  expected  retrieve shelf {"query":"Where is order A1?","k":3}\n')
    expect(text).toContain('    ~ args.query: "Where is order A1?" → "WHERE IS ORDER A1?"\n')
  })

  it('shows the messages that differ when only what fills a template changed', async () => {
    expect(await shown({ vars: (question) => `${question}!` })).toContain('    ~ messages[1].content: "Where is order A1?" → "Where is order A1?!"\n')
  })

  it('shows the value that a save gives otherwise', async () => {
    expect(await shown({ saved: (text) => text.replace('sent', 'lost') })).toBe(
      `✗ order  diverged after 6 steps
  context  step 5  answering
  expected  answering done → sent, context.answer as recorded
  actual    answering done → sent, context.answer with another value
    ~ context.answer: "It was sent." → "It was lost."
  because   machine desk
    the structure is the same, so a function decides otherwise now: look at the guards, arguments, save and output of answering`,
    )
  })

  it('leaves out what comes before a step', async () => {
    expect((await replay(desk({ query: () => 'x' }), await recorded(), { from: 2 })).status).toBe('same')
  })
})

describe('what counts as the same', () => {
  it('is every request in strict, the step in prompt, tools in shape and the order of effects in sequence', async () => {
    const table: readonly (readonly [DeskOptions, readonly string[]])[] = [
      [{ vars: (question) => `${question}!` }, ['diverged', 'same', 'same', 'same']],
      [{ tone: 'long' }, ['stale', 'stale', 'same', 'same']],
      [{ query: () => 'x' }, ['diverged', 'diverged', 'diverged', 'same']],
      [{ answering: 'replying' }, ['diverged', 'diverged', 'diverged', 'same']],
      [{ orderTo: 'refused' }, ['diverged', 'diverged', 'diverged', 'diverged']],
    ]
    for (const [options, expected] of table) {
      const seen = await Promise.all((['strict', 'prompt', 'shape', 'sequence'] as const).map((match) => statusOf(options, match)))
      expect([options, seen]).toEqual([options, expected])
    }
  })

  it('leaves requests alone at level pure', async () => {
    expect((await replay(desk({ tone: 'long', query: () => 'x' }), await recorded(), { level: 'pure' })).status).toBe('same')
    expect((await replay(desk({ orderTo: 'refused' }), await recorded(), { level: 'pure' })).status).toBe('diverged')
  })
})

describe('recorded effects', () => {
  it('that nothing asks for are a failure', async () => {
    const { differences } = await report({ orderTo: 'refused' }, 'sequence')
    expect(differences.map(({ kind }) => kind)).toEqual(['end'])
    const all = await replay(desk({ orderTo: 'refused' }), await recorded(), { match: 'sequence', all: true })
    expect(all.differences.at(-1)).toMatchObject({ kind: 'unused', actual: 'nothing asked for it, nor for 3 more' })
  })

  it('may come in another order between machines, as in children at work side by side', async () => {
    const child = agentOf(
      { id: 'child', initial: 'asking', states: { asking: { invoke: { id: 'asking', src: 'model', onDone: 'done', onError: { target: 'done', guard: 'stateloop.anyFailure' } } }, done: { type: 'final' } } },
      { model: modelSpec({ prompt: ({ context }) => String((context as { input: unknown }).input) }) },
    )
    const parent = (concurrency: number) =>
      agentOf(
        { id: 'parent', initial: 'each', states: { each: { invoke: { id: 'each', src: 'each', onDone: 'done', onError: { target: 'done', guard: 'stateloop.anyFailure' } } }, done: { type: 'final' } } },
        { each: { kind: 'each', agent: child, items: () => ['a', 'b', 'c'], concurrency, maxItems: 5 } },
      )
    const { runtime } = testRuntime({ providers: [listModel((request) => ({ text: JSON.stringify(request.messages) }))] })
    const run = await runtime.start(parent(3), null)
    await run.outcome()
    const recording = await recordRun(runtime.journal, run.id, parent(3))
    expect((await replay(parent(3), recording)).status).toBe('same')
    expect((await replay(parent(1), recording)).status).toBe('same')
  })
})

it('does not perform the actions of a machine again', async () => {
  let performed = 0
  const machine = setup({ actions: { ring: () => void performed++ } }).createMachine({ id: 'bell', initial: 'on', states: { on: { entry: 'ring', on: { OFF: 'off' } }, off: { type: 'final' } } })
  const bell = { ...agentOf({ id: 'bell', initial: 'off', states: { off: { type: 'final' } } }, {}), machine: machine as never, events: { OFF: z.object({}) } }
  const { runtime } = testRuntime()
  const run = await runtime.start(bell, null)
  await run.outcome()
  await run.send({ type: 'OFF' })
  await run.outcome()
  const before = performed
  expect((await replay(bell, await recordRun(runtime.journal, run.id, bell))).status).toBe('same')
  expect(performed).toBe(before)
})
