// The conformance suite of engines: whatever drives the fold, embedded on a journal or on Restate, must do the same with the
// same agents, and leave the same entries. Restarting is part of most cases: it ends everything that the engine has in
// this process, as a deployment would, and brings it up again on the same data.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { setupAgent, type Agent } from '../../src/agent/index.ts'
import { failure, FailureError, type Json } from '../../src/failure/index.ts'
import { historyOf, type OutsideEvent, type RunOutcome, type StartOptions } from '../../src/run/index.ts'
import { defineTool } from '../../src/tool/index.ts'
import type { Entry, Journal, RunRow } from '../../src/journal/index.ts'

/** An engine with its journal, at work. */
export interface EngineSubject extends AsyncDisposable {
  readonly journal: () => Journal
  readonly start: (agent: Agent, input: unknown, options?: StartOptions) => Promise<{ readonly id: string; readonly created: boolean }>
  readonly send: (run: string, event: OutsideEvent) => Promise<void>
  readonly cancel: (run: string) => Promise<void>
  /** Resolves when the run has ended or waits. */
  readonly outcome: (run: string) => Promise<RunOutcome>
  /** Ends what the engine has in this process and brings it up again. */
  readonly restart: () => Promise<void>
}

/** How a suite opens an engine that knows these agents. */
export type OpenEngine = (agents: readonly Agent[]) => Promise<EngineSubject>

/** What the agents' code notes; shared by all lives of an engine in this process. */
const notes: string[] = []
const gates = new Map<string, () => void>()
/** Holds an effect until the test opens the gate, or the effect is aborted. */
const gate = (name: string, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    notes.push(`at ${name}`)
    gates.set(name, resolve)
    signal.addEventListener('abort', () => {
      notes.push(`aborted ${name}`)
      reject(new FailureError(failure('code_failed', 'aborted')))
    })
  })

const until = async (found: () => boolean | Promise<boolean>): Promise<void> => {
  for (let attempt = 0; attempt < 1_500; attempt++) {
    if (await found()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`What the test waits for did not come. Notes: ${notes.join(', ')}`)
}
const noted = (what: string): Promise<void> => until(() => notes.includes(what))

const setup = (id: string) =>
  setupAgent({ id, models: {}, input: z.object({ name: z.string() }), context: z.object({ name: z.string(), sum: z.number().optional() }), events: { GO: z.object({ n: z.number() }) }, onFailure: 'failed' })
const ends = <T extends { readonly final: (options: object) => unknown }>(t: T) => ({ failed: t.final({ outcome: 'failed' }) as ReturnType<T['final']> })

const sequence = setup('sequence')
const sequential = sequence.createAgent({
  initial: 'first',
  states: {
    first: sequence.code({ run: ({ context }) => (notes.push(`first ${context.name}`), 1), idempotent: true, save: 'sum', onDone: 'flaky' }),
    flaky: sequence.code({
      run: ({ context }) => {
        const tries = notes.filter((note) => note === `flaky ${context.name}`).length
        notes.push(`flaky ${context.name}`)
        if (tries === 0) throw new FailureError(failure('code_failed', 'the first time', { retryable: true }))
        return 2
      },
      idempotent: true,
      retry: { attempts: 3, backoffMs: 20 },
      save: 'sum',
      onDone: 'resting',
    }),
    resting: sequence.wait({ ms: 30, onDone: 'last' }),
    last: sequence.code({ run: ({ context }) => (notes.push(`last ${context.name}`), (context.sum ?? 0) + 1), idempotent: true, save: 'sum', onDone: 'done' }),
    done: sequence.final({ output: ({ context }) => context.sum }),
    ...ends(sequence),
  },
})

const held = setup('held')
const holding = held.createAgent({
  initial: 'holding',
  states: {
    holding: held.code({ run: ({ context }, { signal }) => gate(context.name, signal), idempotent: true, onDone: 'done' }),
    done: held.final({ output: () => 'let go' }),
    ...ends(held),
  },
})

const human = setup('human')
const asking = human.createAgent({
  initial: 'first',
  states: {
    first: human.human({ on: { GO: { to: 'second', save: ({ event }) => ({ sum: event.n }) } } }),
    second: human.human({ on: { GO: { to: 'third', save: ({ event, context }) => ({ sum: (context.sum ?? 0) * 10 + event.n }) } } }),
    third: human.human({ on: { GO: { to: 'done', save: ({ event, context }) => ({ sum: (context.sum ?? 0) * 10 + event.n }) } }, expiresMs: 86_400_000 }),
    done: human.final({ output: ({ context }) => context.sum }),
    ...ends(human),
  },
})

const sides = setup('sides')
const region = (side: string, ms: number) =>
  sides.region({
    initial: 'working',
    states: {
      working: sides.code({ run: async () => new Promise<number>((resolve) => setTimeout(resolve, ms, ms)), idempotent: true, onDone: 'resting' }),
      resting: sides.wait({ ms, onDone: 'ready' }),
      ready: sides.final({}),
    },
  }) as ReturnType<typeof sides.region>
const racing = sides.createAgent({
  initial: 'both',
  states: { both: sides.parallel({ states: { left: region('left', 25), right: region('right', 5), middle: region('middle', 12) }, onDone: 'done' }), done: sides.final({}), ...ends(sides) },
})

const pay = defineTool({
  description: 'Pays.',
  input: z.object({ name: z.string() }),
  effect: 'reversible',
  run: async ({ name }, { signal }) => {
    notes.push(`pay ${name}`)
    await gate(`pay-${name}`, signal)
    return { paid: true }
  },
})
const payer = setupAgent({ id: 'payer', models: {}, tools: { pay }, input: z.object({ name: z.string() }), onFailure: 'failed' })
const paying = payer.createAgent({
  initial: 'paying',
  states: { paying: payer.tool('pay', { args: ({ context }) => ({ name: context.name }), onDone: 'done' }), done: payer.final({ output: () => 'paid' }), failed: payer.final({ outcome: 'failed' }) },
})

const parent = setupAgent({ id: 'parent', models: {}, agents: { sequential, racing }, input: z.object({ name: z.string() }), context: z.object({ name: z.string(), all: z.unknown().optional() }), onFailure: 'failed' })
const delegating = parent.createAgent({
  initial: 'one',
  states: {
    one: parent.agent('racing', { input: ({ context }) => ({ name: context.name }), onDone: 'many', onError: { '*': 'failed' } }),
    many: parent.each('sequential', { items: ({ context }) => ['x', 'y', 'z'].map((item) => ({ name: `${context.name}-${item}` })), concurrency: 2, save: 'all', onDone: 'done', onError: { '*': 'failed' } }),
    done: parent.final({ output: ({ context }) => context.all as Json }),
    failed: parent.final({ outcome: 'failed' }),
  },
})

const late = setup('late')
const hurrying = late.createAgent({
  initial: 'hurrying',
  states: {
    hurrying: late.code({ run: ({ context }, { signal }) => gate(context.name, signal), idempotent: true, timeout: { totalMs: 60 }, onDone: 'done', onError: { timeout: 'tooLate' } }),
    tooLate: late.final({ outcome: 'limited', output: () => 'too late' }),
    done: late.final({}),
    ...ends(late),
  },
})

const AGENTS: readonly Agent[] = [sequential, holding, asking, racing, paying, delegating, hurrying]

const entriesOf = async (subject: EngineSubject, run: string): Promise<readonly Entry[]> =>
  (await subject.journal().read(run)).map(({ seq, at, hash, text }) => ({ seq, at, hash, body: JSON.parse(text) as Entry['body'] }))
const causesOf = async (subject: EngineSubject, run: string): Promise<readonly string[]> => (await entriesOf(subject, run)).map(({ body }) => body.cause.type)

/** Entries without what must differ: ids, times, seeds and the engine's name. */
const comparable = (entries: readonly Entry[]): unknown =>
  entries.map(({ body }) =>
    JSON.parse(
      JSON.stringify(body, (key, value: unknown) => {
        if (['seed', 'engine', 'durationMs', 'trace', 'stack'].includes(key)) return undefined
        return value
      }),
    ),
  )

/** What every engine must write for the sequential agent, but for ids, times and hashes of the chain. */
const SEQUENTIAL = ['start', 'attempt', 'attempt', 'timer', 'attempt', 'timer', 'attempt']

const folds = async (subject: EngineSubject, agent: Agent, run: string): Promise<number> => (await historyOf(subject.journal(), run, agent).next()).length

/** Judges an engine. @param engine its name in a run's first entry. */
export const engineContract = (name: string, engine: string, open: OpenEngine, seen?: (entries: unknown) => void): void => {
  describe(`the ${name} engine`, { timeout: 60_000 }, () => {
    let subject: EngineSubject
    beforeAll(async () => {
      notes.length = 0
      subject = await open(AGENTS)
    })
    afterAll(() => subject[Symbol.asyncDispose]())
    const rowOf = (run: string): Promise<RunRow | undefined> => subject.journal().get(run)
    const ended = (run: string): Promise<void> => until(async () => ['done', 'failed', 'limited', 'cancelled'].includes((await rowOf(run))?.status ?? ''))

    test('performs a sequence once each, retries after a timer, and names itself in the first entry', async () => {
      const { id } = await subject.start(sequential, { name: 'a' }, { user: 'ann', tenant: 't' })
      await ended(id)
      expect(await subject.outcome(id)).toMatchObject({ outcome: 'done', output: 3 })
      expect(notes.filter((note) => note.endsWith(' a'))).toStrictEqual(['first a', 'flaky a', 'flaky a', 'last a'])
      expect(await causesOf(subject, id)).toStrictEqual(SEQUENTIAL)
      const entries = await entriesOf(subject, id)
      expect(entries[0]?.body.cause).toMatchObject({ type: 'start', engine, user: 'ann', input: { name: 'a' } })
      expect(await rowOf(id)).toMatchObject({ status: 'done', engine, user: 'ann', tenant: 't', output: 3, seq: 6 })
      expect(await folds(subject, sequential, id)).toBe(7)
      seen?.(comparable(entries))
    })

    test('times never go back, and timers come at their time or later', async () => {
      const { id } = await subject.start(sequential, { name: 'times' })
      await ended(id)
      const times = (await entriesOf(subject, id)).map(({ at }) => at)
      expect(times).toStrictEqual(times.toSorted((a, b) => a - b))
      expect((times[5] ?? 0) - (times[4] ?? 0)).toBeGreaterThanOrEqual(30)
    })

    test('the order in which parallel results came is kept, and folds again', async () => {
      const runs = await Promise.all(Array.from({ length: 3 }, () => subject.start(racing, { name: 'r' })))
      for (const { id } of runs) {
        await ended(id)
        expect((await rowOf(id))?.status).toBe('done')
        expect((await causesOf(subject, id)).toSorted()).toStrictEqual(['attempt', 'attempt', 'attempt', 'start', 'timer', 'timer', 'timer'])
        expect(await folds(subject, racing, id)).toBe(7)
      }
    })

    test('child agents and one per item run in the same run', async () => {
      const { id } = await subject.start(delegating, { name: 'c' })
      await ended(id)
      expect(await subject.outcome(id)).toMatchObject({ outcome: 'done', output: [3, 3, 3] })
      expect(notes.filter((note) => note.startsWith('last c-')).toSorted()).toStrictEqual(['last c-x', 'last c-y', 'last c-z'])
      expect(await folds(subject, delegating, id)).toBeGreaterThan(20)
    })

    test('events are taken in the order they were sent, also over a restart', async () => {
      const { id } = await subject.start(asking, { name: 'h' })
      expect(await subject.outcome(id)).toMatchObject({ outcome: 'waiting' })
      await subject.send(id, { type: 'GO', n: 1 })
      await until(async () => (await rowOf(id))?.state === 'second')
      await subject.restart()
      await subject.send(id, { type: 'GO', n: 2 })
      await until(async () => (await rowOf(id))?.state === 'third')
      await subject.journal().post(id, { type: 'GO', n: 3 })
      await ended(id)
      expect(await subject.outcome(id)).toMatchObject({ outcome: 'done', output: 123 })
    })

    test('a cancelled run ends, and the effect under way is aborted', async () => {
      const { id } = await subject.start(holding, { name: 'cancelled' })
      await noted('at cancelled')
      await subject.cancel(id)
      await ended(id)
      await noted('aborted cancelled')
      expect((await rowOf(id))?.status).toBe('cancelled')
    })

    test('an effect that takes longer than its time is aborted and fails with timeout', async () => {
      const { id } = await subject.start(hurrying, { name: 'hurried' })
      await ended(id)
      expect(notes).toContain('aborted hurried')
      expect(await subject.outcome(id)).toMatchObject({ outcome: 'limited', output: 'too late' })
    })

    test('a run at work when the engine restarts goes on, and its repeatable effect is performed again', async () => {
      const { id } = await subject.start(holding, { name: 'restarted' })
      await noted('at restarted')
      await subject.restart()
      await until(() => notes.filter((note) => note === 'at restarted').length === 2)
      gates.get('restarted')?.()
      await ended(id)
      expect(await subject.outcome(id)).toMatchObject({ outcome: 'done', output: 'let go' })
    })

    test('a call that must not be repeated and may have happened is not repeated: the run asks', async () => {
      const { id } = await subject.start(paying, { name: 'once' })
      await noted('pay once')
      await subject.restart()
      await until(async () => (await rowOf(id))?.waiting?.[0]?.for === 'in_doubt')
      expect(notes.filter((note) => note === 'pay once')).toHaveLength(1)
      await subject.send(id, { type: 'RESOLVE', action: 'retry' })
      await until(() => notes.filter((note) => note === 'pay once').length === 2)
      gates.get('pay-once')?.()
      await ended(id)
      expect(await subject.outcome(id)).toMatchObject({ outcome: 'done', output: 'paid' })
    })

    test('a key starts one run, and a session has one run at a time', async () => {
      const first = await subject.start(asking, { name: 'k' }, { key: 'key', session: 's' })
      expect(await subject.start(asking, { name: 'k' }, { key: 'key', session: 's' })).toStrictEqual({ id: first.id, created: false })
      await expect(subject.start(asking, { name: 'k' }, { session: 's' })).rejects.toMatchObject({ failure: { code: 'session_busy' } })
      await subject.cancel(first.id)
      await ended(first.id)
      const second = await subject.start(asking, { name: 'k' }, { session: 's' })
      expect(second.created).toBe(true)
      await subject.cancel(second.id)
    })

    test('a wrong input is refused', async () => {
      await expect(subject.start(asking, { name: 5 })).rejects.toMatchObject({ failure: { code: 'invalid_input' } })
    })
  })
}
