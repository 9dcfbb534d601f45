// Runs that go on from a snapshot are the runs that fold all of their entries, wherever the snapshot was taken.
import { assign } from 'xstate'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Agent, EffectSpec } from '../../src/agent/index.ts'
import { fakeClock, seededRandom } from '../../src/clock/index.ts'
import { FailureError, failure } from '../../src/failure/index.ts'
import { memoryJournal, sqliteJournal, type EntryBody, type Journal, type StartCause, type StoredEntry } from '../../src/journal/index.ts'
import { connectNodeSqlite } from '../../src/journal/sqlite.ts'
import { requestHashOf } from '../../src/run/call/ask.ts'
import { chargedOf, settlementOf } from '../../src/run/charges.ts'
import { refold } from '../../src/run/drive.ts'
import type { Fold } from '../../src/run/fold.ts'
import { recallFold } from '../../src/run/fold-snapshot.ts'
import type { RunEvent } from '../../src/run/index.ts'
import { foldOf } from '../../src/run/open-fold.ts'
import { databasePaths } from '../journal/folder.ts'
import { adder, agentOf, assignAnswer, listModel, modelSpec, testRuntime } from './harness.ts'

const newPath = databasePaths()
const open: ReturnType<typeof testRuntime>[] = []
afterEach(async () => {
  for (const parts of open.splice(0)) await stop(parts)
})

const stop = async ({ runtime, clock }: ReturnType<typeof testRuntime>): Promise<void> => {
  const closed = runtime.close(0)
  await clock.advance(1)
  await closed
}

const ROADS = ['talking', 'talking', 'resting', 'asking', 'steps', 'back', 'both', 'calling'] as const

const code = (run: () => unknown, more: Partial<Extract<EffectSpec, { readonly kind: 'code' }>> = {}): EffectSpec => ({ kind: 'code', run, idempotent: true, ...more })

const child = agentOf(
  {
    id: 'child',
    initial: 'first',
    states: { first: { invoke: { id: 'first', src: 'one', onDone: 'second' } }, second: { invoke: { id: 'second', src: 'one', onDone: 'done' } }, done: { type: 'final' } },
    output: () => 'from below',
  },
  { one: code(() => 1) },
)

/** A machine that takes a road at random, through every kind of state, until it has taken so many. */
const wanderer = (seed: number, roads: number): Agent => {
  const random = seededRandom(seed)
  let taken = 0
  const pick = (): string => (taken++ < roads ? (ROADS[Math.floor(random() * ROADS.length)] ?? 'talking') : 'done')
  const shaky = (): number => {
    if (random() < 0.3) throw new FailureError(failure('code_failed', 'as it happens', { retryable: true }))
    return Math.floor(random() * 1_000)
  }
  const keep = assign(
    ({ context, event }: { readonly context: { readonly notes: readonly unknown[] }; readonly event: object }) =>
      ({ notes: [...context.notes, (event as { readonly output?: unknown }).output ?? null].slice(-5) }) as never,
  )
  const road = (value: string, target: string) => ({ guard: { type: 'stateloop.outputEquals', params: { value } }, target, actions: keep })
  const region = (name: string) => ({ initial: 'working', states: { working: { invoke: { id: name, src: 'shaky', onDone: { target: 'ready', actions: keep }, onError: 'ready' } }, ready: { type: 'final' } } })
  const tools = { add: adder() }
  return agentOf(
    {
      id: 'wanderer',
      context: () => ({ notes: [], answer: null }),
      initial: 'choosing',
      states: {
        choosing: {
          invoke: {
            id: 'choosing',
            src: 'choose',
            onDone: [...['talking', 'resting', 'asking', 'both', 'calling', 'done'].map((name) => road(name, name)), road('steps', 'steps'), { target: 'steps.back', actions: keep }],
          },
        },
        talking: {
          invoke: {
            id: 'talking',
            src: 'model',
            onDone: [
              { guard: { type: 'stateloop.calls', params: {} }, target: 'acting' },
              { target: 'choosing', actions: assignAnswer },
            ],
            onError: 'choosing',
          },
        },
        acting: { invoke: { id: 'acting', src: 'tools', onDone: 'talking', onError: 'choosing' } },
        resting: { after: { 1_000: { target: 'choosing', actions: keep } } },
        asking: { invoke: { id: 'asking', src: 'person' }, on: { ANSWER: { target: 'choosing', actions: keep } } },
        steps: {
          initial: 'one',
          after: { 60_000: 'choosing' },
          states: {
            one: { invoke: { id: 'one', src: 'shaky', onDone: { target: 'two', actions: keep }, onError: '#wanderer.choosing' } },
            two: { invoke: { id: 'two', src: 'shaky', onDone: { target: '#wanderer.choosing', actions: keep }, onError: '#wanderer.choosing' } },
            back: { type: 'history' },
          },
        },
        both: { type: 'parallel', states: { left: region('left'), right: region('right') }, onDone: 'choosing' },
        calling: { invoke: { id: 'calling', src: 'child', onDone: { target: 'choosing', actions: keep } } },
        done: { type: 'final' },
      },
    },
    {
      choose: code(pick),
      shaky: code(shaky, { retry: { attempts: 2 } }),
      model: modelSpec({ tools, prompt: () => 'Add.' }),
      tools: { kind: 'tools', tools, parallel: 2 },
      person: { kind: 'human', accepts: ['ANSWER'], expiresMs: 3_600_000 },
      child: { kind: 'agent', agent: child, input: () => 'x' },
    },
    { events: { ANSWER: z.object({ output: z.number() }) }, limits: { transitions: 10_000, modelCalls: 1_000, toolCalls: 1_000, repeat: 50 } },
  )
}

const talker = (seed: number) => {
  const random = seededRandom(seed)
  let calls = 0
  const next = (): { readonly id: string; readonly name: string; readonly args: { readonly a: number; readonly b: number } } => ({ id: `c${++calls}`, name: 'add', args: { a: calls, b: 1 } })
  return listModel(() => {
    const luck = random()
    if (luck < 0.15) return { fails: luck < 0.05 ? 'refused' : 'overloaded' }
    return luck < 0.6 ? { calls: luck < 0.3 ? [next(), next()] : [next()] } : { text: `heard ${Math.floor(luck * 100)}` }
  })
}

const setUp = (journal: Journal, seed: number, agent: Agent, more: object = {}) => {
  const made = testRuntime({ providers: [talker(seed)], journal, seed, ...more })
  open.push(made)
  return { ...made, agent }
}

/** Lets time pass and answers questions, until the run has ended or has so many entries. */
const wander = async ({ runtime, clock }: ReturnType<typeof setUp>, id: string, most = Infinity): Promise<string> => {
  for (let turn = 0; turn < 2_000; turn++) {
    const row = await runtime.get(id)
    if (row === undefined || !['running', 'waiting'].includes(row.status) || row.seq >= most) return row?.status ?? 'lost'
    if (row.waiting?.some((waiting) => waiting.for === 'event') === true) await runtime.send(id, { type: 'ANSWER', output: turn })
    await clock.advance(500)
  }
  return 'endless'
}

const recorded = async (seed: number): Promise<{ readonly journal: Journal; readonly agent: Agent; readonly id: string; readonly entries: readonly StoredEntry[]; readonly start: StartCause }> => {
  const journal = memoryJournal()
  const agent = wanderer(seed, 16)
  const parts = setUp(journal, seed, agent)
  const { id } = await parts.runtime.start(agent, 'x')
  expect(await wander(parts, id)).toBe('done')
  const entries = await journal.read(id)
  return { journal, agent, id, entries, start: (JSON.parse(entries[0]?.text ?? '') as EntryBody).cause as StartCause }
}

/** Everything about a fold that can matter later. */
const seen = (fold: Fold): unknown => {
  const { root } = fold
  const steps = [...fold.steps.values()].map(({ perform: _perform, call, ...step }) => ({ ...step, asks: call === undefined ? null : requestHashOf(call()) }))
  const threads = [...root.threads].map(([name, { id, messages, continues, inherited, hash, bytes, tokenBound, pending }]) => ({
    name,
    id,
    messages,
    continues,
    inherited,
    hash,
    bytes,
    tokenBound,
    pending: pending?.calls ?? null,
  }))
  const actors = [...fold.actors.values()].map(({ path, snapshot, used, visits, entries, lastFailure, approved, pending, delays }) => ({
    path,
    value: snapshot.value,
    nodes: (snapshot._nodes as unknown as readonly { readonly id: string }[]).map(({ id }) => id),
    children: Object.keys(snapshot.children),
    context: snapshot.context,
    used,
    visits,
    entries: [...entries],
    lastFailure,
    approved: [...approved],
    pending: pending.filter((calls) => calls.thread.pending === calls).map(({ state }) => state),
    delays: [...delays],
  }))
  const { now, inbox, end } = fold
  return JSON.parse(JSON.stringify({ now, inbox, end, row: fold.row(now), waiting: fold.waiting(), timers: [...fold.timers], steps, threads, actors, repeat: root.repeat.recent, charged: chargedOf(fold) }))
}

describe('a fold that goes on from a snapshot', () => {
  it.each([1, 2, 3])('is the fold of all entries, wherever it was taken (seed %i)', async (seed) => {
    const { journal, agent, id, entries, start } = await recorded(seed)
    const whole = await foldOf(journal, agent, id, start, start.prompts)
    const states: unknown[] = []
    const snapshots: (string | undefined)[] = []
    whole.remembers = true
    refold(whole, entries, () => {
      snapshots.push(whole.takeSnapshot())
      states.push(seen(whole))
    })
    expect(snapshots.filter((text) => text !== undefined).length).toBeGreaterThan(entries.length / 3)
    for (const [at, text] of snapshots.entries()) {
      if (text === undefined) continue
      const fold = await foldOf(journal, agent, id, start, start.prompts)
      expect(recallFold(fold, JSON.parse(text))).toBeUndefined()
      expect(seen(fold)).toStrictEqual(states[at])
      const rest = entries.slice(at + 1)
      if (rest.length > 0) refold(fold, rest)
      expect(seen(fold)).toStrictEqual(states.at(-1))
    }
  })

  it('charges the same to the ledger', async () => {
    const { journal, agent, id, entries, start } = await recorded(5)
    const whole = await foldOf(journal, agent, id, start, start.prompts)
    whole.remembers = true
    const settle = (fold: Fold, { text, at }: StoredEntry): unknown => {
      const { cause } = JSON.parse(text) as EntryBody
      const settlement = settlementOf(fold, { cause, at })
      fold.apply(cause, at)
      return settlement
    }
    const settled = entries.map((entry) => ({ settlement: settle(whole, entry), snapshot: whole.takeSnapshot() }))
    const half = settled.findIndex(({ snapshot }, at) => at > entries.length / 2 && snapshot !== undefined)
    const fold = await foldOf(journal, agent, id, start, start.prompts)
    expect(recallFold(fold, JSON.parse(settled[half]?.snapshot ?? ''))).toBeUndefined()
    expect(entries.slice(half + 1).map((entry) => settle(fold, entry))).toStrictEqual(settled.slice(half + 1).map(({ settlement }) => settlement))
  })

  it('is refused when the snapshot belongs to another agent or does not lead where the run was', async () => {
    const { journal, agent, id, entries, start } = await recorded(1)
    const whole = await foldOf(journal, agent, id, start, start.prompts)
    whole.remembers = true
    refold(whole, entries.slice(0, 6))
    const text = whole.takeSnapshot() ?? ''
    const other = await foldOf(journal, { ...agent, hash: 'other' }, id, start, start.prompts)
    expect(recallFold(other, JSON.parse(text))).toMatch('another version of the agent')
    const wrong = await foldOf(journal, agent, id, start, start.prompts)
    expect(recallFold(wrong, JSON.parse(text.replace(/"now":\d+/, '"now":1')))).toMatch('does not lead where the run was')
    const torn = await foldOf(journal, agent, id, start, start.prompts)
    expect(recallFold(torn, JSON.parse(text.replace('"threads"', '"thread"')))).toMatch('could not be read')
  })
})

/** Lets a first process begin a run and a second one finish it. */
const twoLives = async (
  journal: Journal,
  between: () => Promise<Journal> = async () => journal,
): Promise<{ readonly id: string; readonly agent: Agent; readonly journal: Journal; readonly resumed: Extract<RunEvent, { readonly type: 'run.resumed' }> | undefined }> => {
  const kept = (one: Journal): Journal => ({ ...one, close: async () => {} })
  const agent = wanderer(7, 40)
  const clock = fakeClock({ seed: 7 })
  const first = setUp(kept(journal), 7, agent, { clock, snapshotEvery: 10 })
  const { id } = await first.runtime.start(agent, 'x')
  expect(await wander(first, id, 60)).not.toBe('done')
  await stop(first)
  const later = await between()
  const events: RunEvent[] = []
  const second = setUp(kept(later), 8, agent, { clock, snapshotEvery: 10, observers: [{ run: () => ({ event: (event: RunEvent) => void events.push(event) }) }] })
  await second.runtime.resume(id, { agent })
  expect(await wander(second, id)).toBe('done')
  await stop(second)
  return { id, agent, journal: later, resumed: events.find((event) => event.type === 'run.resumed') }
}

/** Folds all entries of a run from its beginning. @throws FailureError `definition_changed` where they do not follow from each other. */
const foldAll = async (journal: Journal, id: string, agent: Agent): Promise<void> => {
  const entries = await journal.read(id)
  const start = (JSON.parse(entries[0]?.text ?? '') as EntryBody).cause as StartCause
  refold(await foldOf(journal, agent, id, start, start.prompts), entries)
}

describe('a run that is taken up', () => {
  it.each([
    ['memory', () => memoryJournal()],
    ['SQLite', () => sqliteJournal({ path: newPath() })],
  ] as const)('goes on from its newest snapshot, writes what it would have written, and leaves none when it ends (%s)', async (_name, makeJournal) => {
    const { id, agent, journal, resumed } = await twoLives(makeJournal())
    expect(resumed?.from).toBeGreaterThan(40)
    expect(resumed?.unusable).toBeUndefined()
    await foldAll(journal, id, agent)
    expect(await journal.getSnapshot(id, 'fold')).toMatchObject({ text: '{}' })
    await journal.close()
  })

  it('folds all of its entries and says so when its snapshot is damaged', async () => {
    const path = newPath()
    const journal = sqliteJournal({ path })
    const twice = await twoLives(journal, async () => {
      await journal.close()
      const editor = connectNodeSqlite(path, { readOnly: false })
      editor.exec(`UPDATE folds SET body = replace(body, '"visits"', '"visit"')`)
      editor.close()
      return sqliteJournal({ path })
    })
    expect(twice.resumed).toMatchObject({ unusable: 'it is damaged' })
    expect(twice.resumed?.from).toBeUndefined()
    await foldAll(twice.journal, twice.id, twice.agent)
    await twice.journal.close()
  })

  it('takes its snapshot with it when it is removed', async () => {
    const path = newPath()
    const { journal, id } = await twoLives(sqliteJournal({ path }))
    expect(await journal.remove([id])).toStrictEqual([id])
    await journal.close()
    const reader = connectNodeSqlite(path, { readOnly: true })
    expect(reader.prepare('SELECT run FROM folds').all()).toStrictEqual([])
    reader.close()
  })
})
