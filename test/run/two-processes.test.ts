// Two processes on one journal: one drives a run, and both can speak to it.
import { describe, expect, it } from 'vitest'
import { fakeClock } from '../../src/clock/index.ts'
import { memoryJournal, sqliteJournal } from '../../src/journal/index.ts'
import { databasePaths } from '../journal/folder.ts'
import { adder, listModel, loopAgent, testRuntime } from './harness.ts'

const newPath = databasePaths()

describe('two processes', () => {
  it('cannot drive one run at the same time', async () => {
    const journal = memoryJournal()
    const stuck = { ...listModel([]), call: () => new Promise<never>(() => {}) }
    const agent = loopAgent({})
    const { runtime, clock } = testRuntime({ providers: [stuck], journal })
    const run = await runtime.start(agent, 'x')
    await expect(testRuntime({ providers: [stuck], journal, clock }).runtime.resume(run.id, { agent })).rejects.toMatchObject({ code: 'lease_held' })
  })

  it('reach a run of each other that is never idle', async () => {
    const clock = fakeClock()
    const path = newPath()
    const [own, other] = [sqliteJournal({ path, clock }), sqliteJournal({ path, clock })]
    let calls = 0
    const busy = listModel(() => ({ calls: [{ id: `c${calls}`, name: 'add', args: { a: calls, b: 1 } }] }))
    // Far more steps than the run is to take, so that only the cancel can end it in time.
    const onRun = async (): Promise<void> => {
      calls += 1
      if (calls === 3) await other.post(id, { type: 'stateloop.cancel' })
      await clock.advance(100)
    }
    const { runtime } = testRuntime({ providers: [busy], journal: own, clock })
    const run = await runtime.start(loopAgent({ add: adder({ onRun }) }, { limits: { transitions: 1_000, modelCalls: 1_000, toolCalls: 1_000 } }), 'x')
    const { id } = run
    expect((await run.outcome()).outcome).toBe('cancelled')
    expect(calls).toBeLessThan(10)
    await Promise.all([own.close(), other.close()])
  })
})
