import { describe, expect, it } from 'vitest'
import { fakeClock } from '../../src/clock/index.ts'
import { activeStates } from '../../src/inspector/feed/active.ts'
import { aggregateRuns } from '../../src/inspector/feed/aggregate.ts'
import { clip } from '../../src/inspector/feed/clip.ts'
import { compareFeeds } from '../../src/inspector/feed/compare.ts'
import { ReportedFeed } from '../../src/inspector/feed/reported-feed.ts'
import { RunFeed } from '../../src/inspector/feed/run-feed.ts'
import { journalOfRecordings } from '../../src/inspector/index.ts'
import { RunModel } from '../../src/inspector/page/run-model.ts'
import { memoryJournal, type Journal } from '../../src/journal/index.ts'
import { exportRun, formatRecording, parseRecording } from '../../src/replay/index.ts'
import { historyOf } from '../../src/run/index.ts'
import { adder, agentOf, listModel, loopAgent, modelSpec, testRuntime } from '../run/harness.ts'
import { playedRun } from './world.ts'
import { travel, travelRuntime } from './travel.ts'

const feedOf = async (journal: Journal, run: string, agent?: Parameters<typeof historyOf>[2]): Promise<RunFeed> => {
  const row = await journal.get(run)
  if (row === undefined) throw new Error('no such run')
  const feed = new RunFeed(journal, row, agent)
  await feed.refresh()
  return feed
}

const modelOf = (feed: RunFeed): RunModel => {
  const model = new RunModel()
  model.take({ type: 'head', run: feed.run, notes: feed.notes })
  feed.drawings.forEach((drawing, index) => model.take({ type: 'drawing', index, drawing }))
  model.take({ type: 'steps', steps: JSON.parse(JSON.stringify(feed.steps)) as typeof feed.steps })
  return model
}

const travelled = async (journal: Journal, question: string, city = 'Lisbon'): Promise<string> => {
  await using runtime = travelRuntime({ ...journal, close: () => Promise.resolve() })
  const run = await runtime.start(travel, { question, city })
  await run.outcome()
  return run.id
}

describe('the steps of a run', () => {
  it('give the page every machine as it was after any entry, in whatever order they are looked at', async () => {
    const journal = memoryJournal()
    const run = await travelled(journal, 'Book a weekend away, and retry when needed.')
    const history = await historyOf(journal, run, travel).next()
    const model = modelOf(await feedOf(journal, run, travel))
    expect(model.length).toBe(history.length)
    for (const index of [...history.keys(), 3, 0, history.length - 1, 5]) {
      const standing = model.at(index)
      const actors = history[index]?.actors ?? []
      expect([...standing.keys()].toSorted()).toEqual(actors.map(({ path }) => path).toSorted())
      for (const { path, context, value, threads } of actors) {
        const { $run: _run, ...fields } = context
        expect(standing.get(path)?.context).toEqual(JSON.parse(JSON.stringify(fields)))
        expect(standing.get(path)?.active).toEqual(activeStates(value))
        expect([...(standing.get(path)?.threads ?? [])].map(([id, { length }]) => [id, length])).toEqual(threads.filter(({ length }) => length > 0).map(({ id, length }) => [id, length]))
      }
    }
  })

  it('stay right over the keyframes that the page keeps', async () => {
    const { journal, agent, run } = await playedRun(150)
    const history = await historyOf(journal, run, agent).next()
    const model = modelOf(await feedOf(journal, run, agent))
    for (let index = 0; index < model.length; index += 7) {
      expect(model.at(index).get('')?.active).toEqual(activeStates(history[index]?.actors[0]?.value))
      expect([...(model.at(index).get('')?.threads.values() ?? [])][0]?.length).toBe(history[index]?.actors[0]?.threads[0]?.length)
    }
    expect(model.spentAt(model.length - 1)).toMatchObject({ calls: 151, inputTokens: 1_510, outputTokens: 755, unknown: false })
    expect(model.stays.map(({ to }) => to === undefined)).not.toContain(true)
  })

  it('are shown without the agent: where it went and what failed, on the chart that the journal describes', async () => {
    const journal = memoryJournal()
    const run = await travelled(journal, 'Is the model overloaded?')
    const feed = await feedOf(journal, run)
    expect(feed.notes).toEqual([expect.stringContaining('context and messages need the agent')])
    expect(feed.drawings[0]?.states.find(({ path }) => path === 'answering')?.kind).toBe('model')
    expect(feed.steps.at(-1)?.changes[0]?.active).toEqual(['', 'sent'])
    expect(modelOf(feed).failures.map(({ code, state }) => `${state} ${code}`)).toContain('answering overloaded')
    const folded = await feedOf(journal, run, travel)
    const edges = ({ steps }: RunFeed): readonly unknown[] =>
      steps.flatMap(({ happenings }) => happenings.flatMap((happening) => (happening.type === 'transition.taken' && happening.actor === '' ? [happening['edges']] : [])))
    expect(edges(feed)).toEqual(edges(folded))
    expect(modelOf(feed).spentAt(feed.steps.length - 1)).toEqual(modelOf(folded).spentAt(folded.steps.length - 1))
  })

  it('are shown for a loop and a call that have no agent at all, child machines on charts of their own', async () => {
    const journal = memoryJournal()
    const run = await travelled(journal, 'A weekend away, and retry when needed?')
    const feed = await feedOf(journal, run)
    const folded = await feedOf(journal, run, travel)
    expect(feed.drawings.map(({ states }) => states.length).toSorted()).toEqual(folded.drawings.map(({ states }) => states.length).toSorted())
    await using runtime = travelRuntime({ ...journal, close: () => Promise.resolve() })
    const loop = await runtime.record('mine', {}, () => 'over')
    await loop.outcome()
    const shown = await feedOf(journal, loop.id)
    expect(shown.drawings[0]?.states.map(({ path }) => path)).toContain('looping')
    expect(shown.run).toMatchObject({ status: 'done' })
    expect(shown.ended).toBe(true)
  })

  it('are shown that way too when the agent has changed since, with a note that says so', async () => {
    const { journal, agent, run } = await playedRun()
    const feed = await feedOf(journal, run, { ...agent, machine: agent.machine.provide({ guards: { 'stateloop.calls': () => false } }) })
    expect(feed.notes).toEqual([expect.stringContaining('has changed since')])
    expect(feed.steps.map(({ changes }) => changes[0]?.active.at(-1))).toEqual(['thinking', 'acting', 'thinking', 'done'])
    expect(feed.ended).toBe(true)
  })
})

it('a recording is looked at like a run', async () => {
  const { journal, agent, run } = await playedRun(3)
  const recording = parseRecording(formatRecording(await exportRun(journal, run)))
  const copy = await journalOfRecordings([recording, recording])
  expect(await copy.list()).toHaveLength(1)
  expect((await feedOf(copy, run, agent)).steps).toEqual((await feedOf(journal, run, agent)).steps)
})

describe('values on their way to the page', () => {
  it('are bounded, whatever goes in', () => {
    const deep: { inner?: unknown } = {}
    let at = deep
    for (let depth = 0; depth < 10_000; depth++) at = (at.inner = {}) as typeof deep
    const wide = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`field${index}`, 'x'.repeat(1_000)]))
    for (const value of [deep, wide, 'x'.repeat(1_000_000), Array.from({ length: 100_000 }, () => wide)]) expect(JSON.stringify(clip(value)).length).toBeLessThan(600_000)
  })

  it('are JSON, also what was none', () => {
    expect(clip({ a: undefined, b: NaN, c: () => 1, d: [undefined, Symbol('x'), 1n], e: null })).toEqual({ b: 'NaN', c: '(function)', d: [null, '(symbol)', '(bigint)'], e: null })
  })
})

describe('many runs of an agent', () => {
  it('are added up by state and by edge', async () => {
    const journal = memoryJournal()
    for (const question of ['A weekend away?', 'Write a poem.', 'Is the model overloaded?', 'A weekend, and retry when needed?']) await travelled(journal, question)
    await travelled(journal, 'A weekend away?', 'Oslo')
    const rows = await journal.list({ agent: 'travel' })
    const sums = await aggregateRuns('travel', rows, async (row) => new RunFeed(journal, row, travel), travel)
    expect(sums).toMatchObject({ agent: 'travel', runs: 5, skipped: 0, outcomes: { done: 4, failed: 1 } })
    expect(sums.states['understanding']).toMatchObject({ visits: 5, failures: 0 })
    expect(sums.states['gathering.hotels.searching']).toMatchObject({ visits: 4, failures: 1, codes: [['tool_failed', 1]] })
    expect(sums.states['answering']?.codes[0]).toEqual(['overloaded', 5])
    expect(sums.edges['understanding/xstate.done.actor.understanding/0']).toMatchObject({ count: 4, share: 0.8 })
    expect(sums.edges['understanding/xstate.done.actor.understanding/2']).toMatchObject({ count: 1, share: 0.2 })
    const costs = ['understanding/xstate.done.actor.understanding/0', 'understanding/xstate.done.actor.understanding/2'].map((edge) => sums.edges[edge]?.costUsd ?? 0)
    expect(costs[0]! + costs[1]!).toBeCloseTo(sums.states['understanding']?.costUsd ?? 0, 12)
    const total = rows.reduce((sum, { costNano }) => sum + costNano, 0) / 1e9
    const own = Object.values(sums.states).reduce((sum, { costUsd }) => sum + costUsd, 0)
    expect(own).toBeGreaterThan(total / 2)
    expect(own).toBeLessThanOrEqual(total + 1e-9)
  })

  it('of another version of the agent are left out and counted', async () => {
    const journal = memoryJournal()
    await travelled(journal, 'A weekend away?')
    const rows = await journal.list()
    expect(
      await aggregateRuns(
        'travel',
        rows.map((row) => ({ ...row, agentHash: 'older' })),
        async (row) => new RunFeed(journal, row, travel),
        travel,
      ),
    ).toMatchObject({ runs: 0, skipped: 1, drawing: { id: 'travel' } })
  })

  it('give the duration that half and most of the visits stayed below', async () => {
    const clock = fakeClock({ seed: 1 })
    const journal = memoryJournal({ clock })
    const agent = agentOf(
      { id: 'slow', initial: 'waiting', states: { waiting: { invoke: { id: 'waiting', src: 'wait', onDone: 'done' } }, done: { type: 'final' } } },
      { wait: { kind: 'wait', ms: (({ input }: { input: number }) => input) as never } },
    )
    const waits = agentOf({ id: 'slow', initial: 'asking', states: { asking: { invoke: { id: 'asking', src: 'model', onDone: 'done' } }, done: { type: 'final' } } }, { model: modelSpec() })
    expect(agent.id).toBe(waits.id)
    for (const ms of [10, 20, 30, 1_000]) {
      const model = { ...listModel([{ text: 'x' }]) }
      const { runtime } = testRuntime({
        journal,
        clock,
        providers: [
          {
            ...model,
            call: async (request, io) => {
              await clock.advance(ms)
              return model.call(request, io)
            },
          },
        ],
      })
      await (await runtime.start(waits, 'x')).outcome()
    }
    const sums = await aggregateRuns('slow', await journal.list(), async (row) => new RunFeed(journal, row, waits), waits)
    expect(sums.states['asking']).toMatchObject({ visits: 4, p50Ms: 20, p95Ms: 1_000, totalMs: 1_060 })
    expect(sums.edges).toEqual({ 'asking/xstate.done.actor.asking/0': { count: 4, share: 1, p50Ms: 20, p95Ms: 1_000, costUsd: expect.any(Number) } })
  })
})

describe('two runs', () => {
  const compared = async (left: readonly Parameters<typeof listModel>[0][], agent = loopAgent({ add: adder() })) => {
    const journal = memoryJournal()
    const [one, other] = [await playedRun(0, { journal, agent, turns: left[0] as never }), await playedRun(0, { journal, agent, turns: left[1] as never, seed: 2 })]
    return compareFeeds(await feedOf(journal, one.run, agent), await feedOf(journal, other.run, agent))
  }
  const call = (a: number) => ({ calls: [{ id: 'c', name: 'add', args: { a, b: 1 } }] })

  it('that went alike have no difference', async () => {
    const same = await compared([
      [call(1), { text: 'two' }],
      [call(1), { text: 'two' }],
    ])
    expect(same).toMatchObject({ first: -1, parts: -1, says: 'The two runs took the same way with the same results.' })
    expect(same.pairs.map(({ left, right }) => [left, right])).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 3],
    ])
  })

  it('that say something else differ there, and only there', async () => {
    const { first, says, pairs } = await compared([
      [call(1), { text: 'two' }],
      [call(1), { text: 'three' }],
    ])
    expect(first).toBe(3)
    expect(says).toBe('Both went thinking → done, but result, context.answer, messages differ.')
    expect(pairs.slice(0, 3).flatMap(({ differs }) => differs)).toEqual([])
  })

  it('that part are aligned again where they meet', async () => {
    const { first, parts, says, pairs } = await compared([
      [call(1), { text: 'two' }],
      [call(1), call(2), { text: 'two' }],
    ])
    expect(pairs[first]?.left === undefined || pairs[first]?.right === undefined).toBe(true)
    expect(parts).toBe(first)
    expect(says).toBe('The way parts here. Left: thinking → done. Right: thinking → acting.')
    expect(pairs.at(-1)).toMatchObject({ left: 3, right: 5 })
    expect(pairs.flatMap(({ left }) => left ?? [])).toEqual([0, 1, 2, 3])
    expect(pairs.flatMap(({ right }) => right ?? [])).toEqual([0, 1, 2, 3, 4, 5])
  })
})

it('a machine that reports forever is kept in bounded memory, and the oldest step that stays tells where it stood', async () => {
  const feed = new ReportedFeed('xstate-1', 'r', 0)
  const frame = (at: number) => ({
    type: '@xstate.snapshot' as const,
    sessionId: 'r',
    rootId: 'r',
    createdAt: String(at),
    event: { type: 'TICK' },
    snapshot: { status: 'active', value: at % 2 === 0 ? 'even' : 'odd', context: { at, constant: 'stays' } },
  })
  feed.take({ ...frame(0), type: '@xstate.actor', name: 'ticker' }, 0)
  for (let at = 1; at <= 12_000; at++) feed.take(frame(at), 0)
  await feed.refresh()
  expect(feed.steps.length).toBeLessThanOrEqual(5_000)
  expect(feed.first + feed.steps.length).toBe(12_001)
  expect(feed.steps.map(({ seq }) => seq)).toEqual(feed.steps.map((_, index) => feed.first + index))
  expect(feed.steps[0]?.changes[0]).toMatchObject({ set: { at: feed.first, constant: 'stays' } })
})
