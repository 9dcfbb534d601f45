// A worker on a journal: what it takes up, in which order, how much at once, and what it leaves behind.
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { setupAgent, type Agent } from '../../src/agent/index.ts'
import { fakeClock, systemClock, type Clock } from '../../src/clock/index.ts'
import { memoryJournal, sqliteJournal, type Journal } from '../../src/journal/index.ts'
import { createRuntime, type Runtime } from '../../src/run/index.ts'
import { defineTool } from '../../src/tool/index.ts'
import { databasePaths } from '../journal/folder.ts'

const newPath = databasePaths()
const open: Runtime[] = []
afterEach(async () => {
  for (const runtime of open.splice(0)) await runtime.close(0)
})

const runtimeOn = (journal: Journal, agents: readonly Agent[], options: { readonly clock?: Clock; readonly services?: { readonly [name: string]: unknown } } = {}): Runtime => {
  const runtime = createRuntime({ journal, agents, leaseMs: 60_000, ...options })
  open.push(runtime)
  return runtime
}

const t = setupAgent({ id: 'job', models: {}, input: z.object({ n: z.number() }), events: { GO: z.object({}) }, onFailure: 'failed' })

/** Does one piece of work, waits for a person, and is done. */
const asking = t.createAgent({
  initial: 'working',
  states: {
    working: t.code({ run: ({ context }) => context.n * 2, idempotent: true, onDone: 'asking' }),
    asking: t.human({ on: { GO: 'done' } }),
    done: t.final({ output: ({ context }) => context.n }),
    failed: t.final({ outcome: 'failed' }),
  },
})

const DAY_MS = 86_400_000
const sleeping = t.createAgent({
  initial: 'sleeping',
  states: { sleeping: t.wait({ ms: DAY_MS, onDone: 'done' }), done: t.final(), failed: t.final({ outcome: 'failed' }) },
})

describe('the queue', () => {
  test('a run in the queue has not begun, and its time does not run', async () => {
    const clock = fakeClock()
    const journal = memoryJournal({ clock })
    const runtime = runtimeOn(journal, [], { clock })
    const { id, created } = await runtime.enqueue(asking, { n: 1 }, { user: 'ann', priority: 3 })
    expect(created).toBe(true)
    expect(await runtime.get(id)).toMatchObject({ status: 'queued', priority: 3, user: 'ann', state: null })
    expect((await runtime.entries(id)).map(({ body }) => [body.cause.type, body.moves, body.intents])).toStrictEqual([['start', [], undefined]])
    await clock.advance(DAY_MS)
    expect(await runtime.drive()).toMatchObject({ taken: 1, waiting: 1 })
    expect(await runtime.get(id)).toMatchObject({ status: 'waiting', state: 'asking' })
    expect((await runtime.entries(id)).map(({ body }) => body.cause.type)).toStrictEqual(['start', 'resumed', 'attempt'])
  })

  test('a wrong input is refused when it is put in, and a key gives the run that has it', async () => {
    const runtime = runtimeOn(memoryJournal(), [])
    await expect(runtime.enqueue(asking, { n: 'x' } as never)).rejects.toMatchObject({ failure: { code: 'invalid_input' } })
    const first = await runtime.enqueue(asking, { n: 1 }, { key: 'k' })
    expect(await runtime.enqueue(asking, { n: 1 }, { key: 'k' })).toStrictEqual({ id: first.id, created: false })
  })

  test('a run that is cancelled in the queue never begins', async () => {
    const journal = memoryJournal()
    const sender = runtimeOn(journal, [])
    const { id } = await sender.enqueue(asking, { n: 1 })
    await journal.post(id, { type: 'stateloop.cancel' })
    await sender.drive()
    expect(await sender.get(id)).toMatchObject({ status: 'cancelled' })
    expect((await sender.entries(id)).flatMap(({ body }) => body.moves)).toStrictEqual([])
  })

  test('users take turns, urgent runs go first, and no more than allowed are at work at once', async () => {
    const order: string[] = []
    let atWork = 0
    let most = 0
    const u = setupAgent({ id: 'turns', models: {}, input: z.object({ name: z.string() }), onFailure: 'failed' })
    const noting = u.createAgent({
      initial: 'working',
      states: {
        working: u.code({
          run: async ({ context }) => {
            most = Math.max(most, ++atWork)
            order.push(context.name)
            await new Promise((resolve) => setImmediate(resolve))
            atWork -= 1
          },
          onDone: 'done',
        }),
        done: u.final(),
        failed: u.final({ outcome: 'failed' }),
      },
    })
    const runtime = runtimeOn(memoryJournal(), [noting])
    for (const [name, user, priority] of [
      ['a1', 'a', 0],
      ['a2', 'a', 0],
      ['a3', 'a', 0],
      ['b1', 'b', 0],
      ['now', 'a', 9],
    ] as const)
      await runtime.enqueue(noting, { name }, { user, priority })
    expect(await runtime.drive({ concurrency: 1 })).toMatchObject({ taken: 5, ended: 5 })
    expect(order).toStrictEqual(['now', 'b1', 'a1', 'a2', 'a3'])
    expect(most).toBe(1)
    for (let n = 0; n < 20; n++) await runtime.enqueue(noting, { name: `${n}` })
    await runtime.drive({ concurrency: 4 })
    expect(most).toBe(4)
  })
})

describe('a worker', () => {
  test('goes on with a run whose process is gone, once its lease has expired', async () => {
    const path = newPath()
    const clock = fakeClock()
    const lost = sqliteJournal({ path, clock })
    const first = createRuntime({ journal: lost, clock, leaseMs: 1_000 })
    const blocking = t.createAgent({
      initial: 'working',
      states: {
        working: t.code({ run: (_args, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))), idempotent: true, onDone: 'done' }),
        done: t.final(),
        failed: t.final({ outcome: 'failed' }),
      },
    })
    const run = await first.start(blocking, { n: 1 })
    const fixed = t.createAgent({ initial: 'working', states: { working: t.code({ run: () => 1, idempotent: true, onDone: 'done' }), done: t.final(), failed: t.final({ outcome: 'failed' }) } })
    const worker = runtimeOn(sqliteJournal({ path, clock }), [fixed], { clock })
    expect(await worker.drive()).toMatchObject({ taken: 0 })
    // The process that had it is stopped: nothing renews its lease.
    await lost.close()
    await clock.advance(1_001)
    expect(await worker.drive()).toMatchObject({ taken: 1, ended: 1 })
    expect(await worker.get(run.id)).toMatchObject({ status: 'done' })
    await first.close(0)
  })

  test('lets a run that waits for a timer leave memory, names the time, and fires it when it is due', async () => {
    const clock = fakeClock()
    const runtime = runtimeOn(memoryJournal({ clock }), [sleeping], { clock })
    const { id } = await runtime.enqueue(sleeping, { n: 1 })
    expect(await runtime.drive()).toStrictEqual({ taken: 1, ended: 0, waiting: 1, handedOver: 0, nextDueAt: clock.now() + DAY_MS })
    expect(clock.nextDue()).toBeUndefined()
    await clock.advance(DAY_MS)
    expect(await runtime.drive()).toMatchObject({ taken: 1, ended: 1 })
    expect(await runtime.get(id)).toMatchObject({ status: 'done' })
  })

  test('brings a run back for an event that another process posted', async () => {
    const journal = memoryJournal()
    const runtime = runtimeOn(journal, [asking])
    const { id } = await runtime.enqueue(asking, { n: 7 })
    await runtime.drive()
    await journal.post(id, { type: 'GO' })
    expect(await runtime.drive()).toMatchObject({ taken: 1, ended: 1 })
    expect(await runtime.get(id)).toMatchObject({ status: 'done', output: 7 })
  })

  test('leaves runs of other code and of other engines alone, and says what it could not take up', async () => {
    const journal = memoryJournal()
    const runtime = runtimeOn(journal, [])
    const { id } = await runtime.enqueue(asking, { n: 1 })
    const other = runtimeOn(journal, [sleeping])
    expect(await other.drive()).toMatchObject({ taken: 0 })
    const troubles: string[] = []
    expect(await other.drive({ acceptChanged: true, onTrouble: (run, { code }) => troubles.push(`${run} ${code}`) })).toMatchObject({ taken: 1 })
    expect(await other.get(id)).toMatchObject({ status: 'waiting' })
    expect(troubles).toStrictEqual([])
  })

  test('two workers on one journal share the runs and drive none twice', async () => {
    const path = newPath()
    const done: number[] = []
    const counting = t.createAgent({
      initial: 'working',
      states: { working: t.code({ run: ({ context }) => void done.push(context.n), onDone: 'done' }), done: t.final(), failed: t.final({ outcome: 'failed' }) },
    })
    const workers = [0, 1].map(() => runtimeOn(sqliteJournal({ path }), [counting]))
    for (let n = 0; n < 60; n++) await workers[0]?.enqueue(counting, { n })
    const results = await Promise.all(workers.map((worker) => worker.drive({ concurrency: 4, pollMs: 1 })))
    expect(done.toSorted((a, b) => a - b)).toStrictEqual(Array.from({ length: 60 }, (_, n) => n))
    expect(results.reduce((sum, { ended }) => sum + ended, 0)).toBe(60)
  })

  test('ends after its time and hands over what is under way', async () => {
    const clock = fakeClock()
    const journal = memoryJournal({ clock })
    const slow = t.createAgent({
      initial: 'working',
      states: {
        working: t.code({ run: (_args, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))), idempotent: true, onDone: 'done' }),
        done: t.final(),
        failed: t.final({ outcome: 'failed' }),
      },
    })
    const runtime = runtimeOn(journal, [slow], { clock })
    const { id } = await runtime.enqueue(slow, { n: 1 })
    const driving = runtime.drive({ maxMs: 2_000 })
    await clock.advance(2_001)
    expect(await driving).toMatchObject({ taken: 1, handedOver: 1 })
    expect(await runtime.get(id)).toMatchObject({ status: 'running' })
    expect((await journal.claimable({ engine: 'embedded', limit: 9 })).runs.map((row) => row.id)).toStrictEqual([id])
  })

  test('told to end, it waits for a call that must not be repeated, and nothing is in doubt', async () => {
    const journal = memoryJournal()
    const stop = new AbortController()
    const calls: string[] = []
    let finish = (): void => {}
    const pay = defineTool({
      description: 'Pays.',
      input: z.object({}),
      effect: 'reversible',
      run: async (_input, { key }) => {
        calls.push(key)
        stop.abort()
        await new Promise<void>((resolve) => (finish = resolve))
        return { paid: true }
      },
    })
    const p = setupAgent({ id: 'payer', models: {}, tools: { pay }, input: z.object({}), onFailure: 'failed' })
    const paying = p.createAgent({
      initial: 'paying',
      states: {
        paying: p.tool('pay', { args: () => ({}), onDone: 'resting', onError: { in_doubt: 'failed' } }),
        resting: p.wait({ ms: DAY_MS, onDone: 'done' }),
        done: p.final(),
        failed: p.final({ outcome: 'failed' }),
      },
    })
    const runtime = runtimeOn(journal, [paying])
    const { id } = await runtime.enqueue(paying, {})
    const driving = runtime.drive({ whenIdle: 'wait', signal: stop.signal })
    while (calls.length === 0) await new Promise((resolve) => setImmediate(resolve))
    setImmediate(() => finish())
    await driving
    expect(calls).toHaveLength(1)
    expect(await runtime.get(id)).toMatchObject({ status: 'waiting', state: 'resting' })
  })

  test('a worker that stays is woken by its signal at once', async () => {
    const runtime = runtimeOn(memoryJournal(), [asking], { clock: systemClock })
    const stop = new AbortController()
    const driving = runtime.drive({ whenIdle: 'wait', pollMs: 3_600_000, signal: stop.signal })
    stop.abort()
    expect(await driving).toMatchObject({ taken: 0 })
  })
})

test('a run of another engine is not taken up here', async () => {
  const journal = memoryJournal()
  const runtime = runtimeOn(journal, [asking])
  const { id } = await runtime.enqueue(asking, { n: 1 })
  const row = await journal.get(id)
  const elsewhere: Journal = { ...journal, get: async () => (row === undefined ? undefined : { ...row, engine: 'restate' }) }
  await expect(runtimeOn(elsewhere, [asking]).resume(id)).rejects.toMatchObject({ failure: { code: 'other_engine' } })
})
