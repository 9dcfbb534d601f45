// Limits on runs at work, for runs that come from the queue: nobody has more at work than allowed, and nobody's run is lost.
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { setupAgent } from '../../src/agent/index.ts'
import { fakeClock, type Clock } from '../../src/clock/index.ts'
import { limitsOf, type LimitDefinition } from '../../src/cost/index.ts'
import type { Failure } from '../../src/failure/index.ts'
import { memoryJournal, sqliteJournal, type Journal } from '../../src/journal/index.ts'
import { createRuntime, type Runtime } from '../../src/run/index.ts'
import { databasePaths } from '../journal/folder.ts'

const newPath = databasePaths()
const open: Runtime[] = []
afterEach(async () => {
  for (const runtime of open.splice(0)) await runtime.close(0)
})

/** Counts who has how many runs at work, and who had most. */
const watching = () => {
  const atWork = new Map<string, number>()
  const most = new Map<string, number>()
  const t = setupAgent({ id: 'job', models: {}, input: z.object({ who: z.string() }), onFailure: 'failed' })
  const agent = t.createAgent({
    initial: 'working',
    states: {
      working: t.code({
        run: async ({ context: { who } }) => {
          atWork.set(who, (atWork.get(who) ?? 0) + 1)
          most.set(who, Math.max(most.get(who) ?? 0, atWork.get(who) ?? 0))
          for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve))
          atWork.set(who, (atWork.get(who) ?? 0) - 1)
        },
        onDone: 'done',
      }),
      done: t.final(),
      failed: t.final({ outcome: 'failed' }),
    },
  })
  return { agent, most }
}

const runtimeOn = (journal: Journal, agent: ReturnType<typeof watching>['agent'], budgets: readonly LimitDefinition[], clock?: Clock): Runtime => {
  const runtime = createRuntime({ journal, agents: [agent], budgets, ...(clock === undefined ? {} : { clock }) })
  open.push(runtime)
  return runtime
}

const statuses = async (runtime: Runtime): Promise<readonly string[]> => [...new Set((await runtime.list()).map(({ status }) => status))]

describe('a queued run', () => {
  it.each([
    ['memory', () => memoryJournal()],
    ['SQLite', () => sqliteJournal({ path: newPath() })],
  ])('begins when its user has a place, in a %s journal, and none is lost', async (_name, journal) => {
    const { agent, most } = watching()
    const runtime = runtimeOn(journal(), agent, [{ scope: 'user:*', runs: 2 }])
    for (let n = 0; n < 6; n++) for (const who of ['ada', 'bob']) await runtime.enqueue(agent, { who }, { user: who })
    const troubles: Failure[] = []
    expect(await runtime.drive({ onTrouble: (_run, trouble) => void troubles.push(trouble) })).toMatchObject({ taken: 12, ended: 12 })
    expect(await statuses(runtime)).toEqual(['done'])
    expect(Object.fromEntries(most)).toEqual({ ada: 2, bob: 2 })
    expect(troubles).toEqual([])
  })

  it('stays in the queue while another process has the places, and the worker says when to come back', async () => {
    const path = newPath()
    const clock = fakeClock()
    const { agent, most } = watching()
    const limit: LimitDefinition = { scope: 'route:/batch', runs: 1 }
    const busy = runtimeOn(sqliteJournal({ path, clock }), agent, [limit], clock)
    const t = setupAgent({ id: 'long', models: {}, input: z.object({}), onFailure: 'failed' })
    let end = (): void => {}
    const long = t.createAgent({
      initial: 'working',
      states: { working: t.code({ run: () => new Promise<void>((resolve) => (end = resolve)), onDone: 'done' }), done: t.final(), failed: t.final({ outcome: 'failed' }) },
    })
    const held = await busy.start(long, {}, { route: '/batch' })
    const worker = runtimeOn(sqliteJournal({ path, clock }), agent, [limit], clock)
    // Everybody on the crowded route is queued before the one who is not.
    for (let n = 0; n < 90; n++) await worker.enqueue(agent, { who: 'batch' }, { user: `u${n}`, route: '/batch' })
    await worker.enqueue(agent, { who: 'chat' }, { route: '/chat' })
    const first = await worker.drive()
    expect(first).toMatchObject({ taken: 1, ended: 1, nextDueAt: clock.now() + 1_000 })
    expect([...most.keys()]).toEqual(['chat'])
    expect((await worker.list({ status: ['queued'], limit: 1_000 })).length).toBe(90)
    end()
    await held.outcome()
    await worker.journal.budgets?.putLimits(limitsOf({ scope: 'route:/batch', runs: 8 }))
    await clock.advance(1_000)
    expect(await worker.drive()).toMatchObject({ taken: 90, ended: 90 })
    expect(most.get('batch')).toBeLessThanOrEqual(8)
  })

  it('can be cancelled and looked for by its key while it waits for a place', async () => {
    const { agent } = watching()
    const runtime = runtimeOn(memoryJournal(), agent, [{ scope: 'user:*', runs: 0 }])
    const { id } = await runtime.enqueue(agent, { who: 'ada' }, { user: 'ada', key: 'k' })
    expect(await runtime.drive()).toMatchObject({ taken: 0 })
    await expect(runtime.resume(id)).rejects.toMatchObject({ code: 'throttled' })
    const again = await runtime.start(agent, { who: 'ada' }, { user: 'ada', key: 'k' })
    expect([again.id, again.created]).toEqual([id, false])
    await runtime.cancel(id)
    expect(await again.outcome()).toMatchObject({ outcome: 'cancelled' })
  })
})
