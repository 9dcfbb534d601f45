// Seeded edits to a machine. Whether an edit changes a run is found out by running the edited machine, not by replaying it:
// then a replay must say the same. Nothing that changes a run may pass, and nothing that does not may be blamed.
import { assign, setup, type AnyStateMachine } from 'xstate'
import { expect, it } from 'vitest'
import { effectSource, guards, type Agent } from '../../src/agent/index.ts'
import { fakeClock, seededRandom } from '../../src/clock/index.ts'
import { hashOf } from '../../src/schema/index.ts'
import type { EntryBody } from '../../src/journal/index.ts'
import { replay } from '../../src/replay/index.ts'
import { recordRun } from '../../src/replay/record.ts'
import { createRuntime } from '../../src/run/index.ts'
import { adder, agentOf, listModel, modelSpec } from '../run/harness.ts'

const EDITS = 300
const SEED = 20_261

interface Edge {
  guard?: { type: string; params?: object }
  target: string
  actions?: readonly string[]
}
interface State {
  invoke?: { id: string; src: string; onDone: Edge[]; onError: Edge[] }
  always?: Edge[]
  type?: 'final'
  meta?: { outcome: string }
}
interface Config {
  initial: string
  states: { [name: string]: State }
}

const failing = (): Edge[] => [{ target: 'failed', guard: { type: 'stateloop.anyFailure' } }]

const base = (): Config => ({
  initial: 'thinking',
  states: {
    thinking: {
      invoke: {
        id: 'thinking',
        src: 'model',
        onDone: [
          { guard: { type: 'stateloop.calls', params: {} }, target: 'acting' },
          { target: 'checking', actions: ['keep'] },
        ],
        onError: failing(),
      },
    },
    acting: { invoke: { id: 'acting', src: 'tools', onDone: [{ target: 'thinking' }], onError: failing() } },
    checking: { always: [{ guard: { type: 'long', params: { min: 4 } }, target: 'polishing' }, { target: 'done' }] },
    polishing: { invoke: { id: 'polishing', src: 'polish', onDone: [{ target: 'done', actions: ['keep', 'count'] }], onError: failing() } },
    spare: { invoke: { id: 'spare', src: 'polish', onDone: [{ target: 'done', actions: ['count'] }], onError: failing() } },
    done: { type: 'final', meta: { outcome: 'done' } },
    failed: { type: 'final', meta: { outcome: 'failed' } },
  },
})

const edgesOf = ({ states }: Config): Edge[][] => Object.values(states).flatMap(({ invoke, always }) => [...(invoke === undefined ? [] : [invoke.onDone, invoke.onError]), ...(always === undefined ? [] : [always])])

type Edit = (config: Config, pick: <T>(items: readonly T[]) => T) => string

const edits: readonly Edit[] = [
  (config, pick) => {
    const edge = pick(pick(edgesOf(config)))
    const target = pick(Object.keys(config.states))
    const said = `${edge.target} becomes ${target}`
    edge.target = target
    return said
  },
  (config, pick) => {
    const edges = pick(edgesOf(config))
    edges.reverse()
    return `the order of ${edges.length} edges`
  },
  (config, pick) => {
    const edges = pick(edgesOf(config))
    const edge = pick(edges)
    edges.splice(edges.indexOf(edge), 1)
    return `the edge to ${edge.target} goes`
  },
  (config, pick) => {
    const edge = pick(pick(edgesOf(config)))
    const { guard: _guard, ...rest } = edge
    delete edge.guard
    return `the guard of ${JSON.stringify(rest)} goes`
  },
  (config, pick) => {
    const edge = pick(pick(edgesOf(config)))
    edge.guard = { type: 'long', params: { min: pick([0, 4, 7, 50]) } }
    return `a guard for ${edge.target}`
  },
  (config, pick) => {
    const edge = pick(pick(edgesOf(config)))
    edge.actions = pick([[], ['keep'], ['count'], ['keep', 'count']])
    return `actions ${edge.actions.join()} to ${edge.target}`
  },
  (config, pick) => {
    const name = pick(Object.keys(config.states))
    const { [name]: state, ...states } = config.states
    config.states = { ...states, [`${name}Now`]: state as State }
    for (const edges of edgesOf(config)) for (const edge of edges) if (edge.target === name) edge.target = `${name}Now`
    if (config.initial === name) config.initial = `${name}Now`
    return `${name} gets another name`
  },
  (config, pick) => {
    config.initial = pick(Object.keys(config.states))
    return `${config.initial} comes first`
  },
  (config, pick) => {
    const state = pick(Object.values(config.states).filter(({ meta }) => meta !== undefined))
    state.meta = { outcome: pick(['done', 'failed', 'limited']) }
    return `an end is ${state.meta.outcome}`
  },
]

const machineOf = (config: Config): AnyStateMachine =>
  setup({
    actors: {
      model: effectSource(modelSpec({ tools: { add: adder() } })),
      tools: effectSource({ kind: 'tools', tools: { add: adder() }, parallel: 4 }),
      polish: effectSource(modelSpec({ prompt: () => 'polish' })),
    },
    guards: { ...(guards as object), long: ({ context }: { context: { answer?: unknown } }, params: { min: number }) => String(context.answer ?? '').length > params.min } as never,
    actions: {
      keep: assign(({ event }) => ({ answer: (event as unknown as { output: unknown }).output ?? null }) as never),
      count: assign(({ context }) => ({ count: ((context as { count?: number }).count ?? 0) + 1 }) as never),
    },
  }).createMachine({ id: 'edited', context: { answer: null }, output: ({ context }: { context: { answer: unknown } }) => context.answer, ...config } as never) as unknown as AnyStateMachine

const agentFor = (config: Config): Agent => ({ ...agentOf({ id: 'edited', initial: 'a', states: { a: { type: 'final' } } }, {}), machine: machineOf(config), hash: hashOf(config), definition: { machine: config } })

const answering = () =>
  listModel(({ messages }) => {
    if (messages[0]?.content === 'polish') return { text: 'polished' }
    return messages.some(({ role }) => role === 'tool') ? { text: 'seven' } : { calls: [{ id: 'c1', name: 'add', args: { a: 3, b: 4 } }] }
  })

const ranWith = async (agent: Agent) => {
  const runtime = createRuntime({ providers: [answering()], clock: fakeClock({ seed: 1 }) })
  const run = await runtime.start(agent, null)
  await run.outcome()
  return { runtime, run: run.id, bodies: (await runtime.entries(run.id)).map(({ body }) => body) }
}

/** What a run did, without the agent's own hash. */
const wayOf = (bodies: readonly EntryBody[]): string => JSON.stringify(bodies.map(({ cause, moves, intents, end }) => [cause.type === 'attempt' ? cause.key : cause.type, moves, intents ?? [], end?.outcome, end?.output]))

it(`sees each of ${EDITS} edits that changes a run, and none that does not`, { timeout: 60_000 }, async () => {
  const original = await ranWith(agentFor(base()))
  const recording = await recordRun(original.runtime.journal, original.run, agentFor(base()))
  const random = seededRandom(SEED)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
  const counts = { seen: 0, harmless: 0 }
  for (let number = 0; number < EDITS; number++) {
    const config = base()
    const said = pick(edits)(config, pick)
    const agent = agentFor(config)
    const changed = wayOf((await ranWith(agent)).bodies) !== wayOf(original.bodies)
    const { status } = await replay(agent, recording)
    expect([number, said, status]).toEqual([number, said, changed ? 'diverged' : 'same'])
    counts[changed ? 'seen' : 'harmless']++
  }
  expect(counts.seen).toBeGreaterThan(100)
  expect(counts.harmless).toBeGreaterThan(50)
})
