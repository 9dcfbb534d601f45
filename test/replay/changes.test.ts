// What is done about a changed agent: recordings brought up to date, unfinished runs checked before a deploy, functions
// that decide by more than they are given found, effects performed anew.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { setupAgent, type Agent } from '../../src/agent/index.ts'
import { fakeClock } from '../../src/clock/index.ts'
import { checkCompat, formatReport, migrationHint, replay, updateRecording } from '../../src/replay/index.ts'
import { recordRun } from '../../src/replay/record.ts'
import { createRuntime } from '../../src/run/index.ts'
import { listModel } from '../run/harness.ts'
import { desk, recorded } from './desk.ts'

describe('a recording brought up to date', () => {
  it('replays with the changed agent, and says what was accepted', async () => {
    for (const options of [{ tone: 'long' }, { answering: 'replying' }, { saved: (text: string) => `${text}!` }, { query: () => 'x' }]) {
      const { recording, report, acceptance } = await updateRecording(desk(options), await recorded())
      expect(report.differences.length).toBeGreaterThan(0)
      expect(acceptance).toMatch(/^[0-9a-f]{8}$/)
      expect((await replay(desk(options), recording)).status).toBe('same')
      expect((await replay(desk(), recording)).status).not.toBe('same')
    }
  })

  it('is bound to the differences that were shown', async () => {
    const of = async (tone: string) => (await updateRecording(desk({ tone }), await recorded())).acceptance
    expect(await of('long')).toBe(await of('long'))
    expect(await of('long')).not.toBe(await of('longer'))
  })

  it('is refused where the agent asks for what was never recorded', async () => {
    const recording = await recorded(desk(), listModel([{ text: '{"topic":"other"}' }]))
    await expect(updateRecording(desk({ orderTo: 'refused' }), recording)).rejects.toThrow(/cannot be brought up to date: .*searching asks for retrieve shelf, which the recording does not hold/)
  })
})

/** Waits for an answer; `waiting` names the state, `ready` says which runs come there. */
const waiter = (waiting: string, migrations: Agent['migrations'] = [], extra = false): Agent => {
  const t = setupAgent({ id: 'waiter', models: {}, input: z.object({ n: z.number() }), context: z.object({ n: z.number() }), events: { GO: z.object({}), STOP: z.object({}) }, onFailure: 'failed' })
  const states = {
    first: t.choose({ cases: [{ when: ({ context }) => context.n > 5, to: 'early' }], else: waiting }),
    early: t.human({ on: { GO: 'done' } }),
    [waiting]: t.human({ on: { GO: 'done', ...(extra ? { STOP: 'done' } : {}) } }),
    done: t.final({}),
    failed: t.final({ outcome: 'failed' }),
  }
  return { ...(t.createAgent({ initial: 'first', states: states as never }) as unknown as Agent), migrations }
}

describe('unfinished runs before a deploy', () => {
  const journaled = async () => {
    const runtime = createRuntime({ clock: fakeClock() })
    for (const n of [1, 9]) await (await runtime.start(waiter('asking'), { n })).outcome()
    return runtime.journal
  }

  it('fit, go on when accepted, or strand with the state they stand at', async () => {
    const journal = await journaled()
    const fates = async (agent: Agent) => (await checkCompat(journal, agent)).map(({ state, fate }) => [state, fate]).toSorted()
    expect(await fates(waiter('asking'))).toEqual([
      ['asking', 'fits'],
      ['early', 'fits'],
    ])
    expect(await fates(waiter('asking', [], true))).toEqual([
      ['asking', 'accept'],
      ['early', 'accept'],
    ])
    expect(await fates(waiter('wondering'))).toEqual([
      ['asking', 'strands'],
      ['early', 'accept'],
    ])
  })

  it('get a migration to fill in, which is tried on them', async () => {
    const journal = await journaled()
    const reports = await checkCompat(journal, waiter('wondering'), ['waiting'])
    const stranded = reports.find(({ fate }) => fate === 'strands')
    expect(stranded?.reason).toMatch(/^at step 0 {2}\(start\) expected start → asking, but start → wondering \(machine waiter/)
    expect(migrationHint(reports)).toContain(`from: '${waiter('asking').hash}',\n  // They stand at asking.`)
    const from = waiter('asking').hash
    const moving = (to: string): Agent => waiter('wondering', [{ from, migrate: ({ value, context }) => ({ value: value === 'asking' ? to : value, context }) }])
    expect((await checkCompat(journal, moving('wondering'))).map(({ fate }) => fate)).toEqual(['migrates', 'migrates'])
    const wrong = (await checkCompat(journal, moving('nowhere'))).map(({ fate, reason }) => [fate, reason ?? '']).toSorted()
    expect(wrong[0]).toEqual(['migrates', ''])
    expect(wrong[1]?.[1]).toMatch(/^its migration fails: .*nowhere/)
  })
})

describe('functions that decide by more than they are given', () => {
  it('are found by evaluating them a second time in another world', async () => {
    let calls = 0
    const table = {
      'a save': { saved: (text: string) => `${text} ${Math.random()}` },
      'args or query': { query: (text: string) => `${text} ${new Date().getFullYear()}` },
      'vars or an inline prompt': { vars: (text: string) => `${text} ${Date.now()}` },
      'a save reads': { saved: (text: string) => `${text} ${++calls}` },
    }
    for (const [about, options] of Object.entries(table)) {
      const { differences } = await replay(desk(options), await recorded(desk(options)).catch(() => recorded()), { twice: true, from: 1 })
      expect(differences.map(({ kind }) => kind)).toContain('unstable')
      expect(differences.find(({ kind }) => kind === 'unstable')?.blame.changes[0]).toContain(about)
    }
    expect((await replay(desk(), await recorded(), { twice: true })).status).toBe('same')
  })
})

describe('effects performed anew', () => {
  it('must give what was recorded: tools and retrieval', async () => {
    expect((await replay(desk(), await recorded(), { level: 'tools-live', clock: fakeClock() })).status).toBe('same')
    const report = await replay(desk({ lookup: (order) => ({ order, state: 'lost', items: 2 }) }), await recorded(), { level: 'tools-live', clock: fakeClock(), name: 'order' })
    expect(formatReport(report)).toBe(
      `✗ order  diverged after 4 steps
  result  step 4  acting
  expected  tool lookupOrder gives what was recorded
  actual    another result
    ~ state: "sent" → "lost"
  because   data lookupOrder
    it was performed anew and gave something else: its code or its data changed`,
    )
  })

  it('may be the model: what it then asks of tools is answered from the recording, whatever the order', async () => {
    const model = listModel([
      { text: '{"topic":"order"}' },
      { calls: [{ id: 'x', name: 'lookupOrder', args: { order: 'A1' } }] },
      { calls: [{ id: 'y', name: 'lookupOrder', args: { order: 'A1' } }] },
      { text: 'Sent, I looked twice.' },
    ])
    const report = await replay(desk(), await recorded(), { level: 'model-live', providers: [model], clock: fakeClock() })
    expect(report).toMatchObject({ status: 'same', end: { outcome: 'done', output: 'Sent, I looked twice.' } })
  })

  it('by a model that asks for what no recording answers ends the replay there', async () => {
    const model = listModel([{ text: '{"topic":"order"}' }, { calls: [{ id: 'x', name: 'lookupOrder', args: { order: 'B2' } }] }])
    const report = await replay(desk(), await recorded(), { level: 'model-live', providers: [model], clock: fakeClock() })
    expect(report.differences).toMatchObject([{ kind: 'unanswered', actual: 'acting asks for tools lookupOrder, which the recording does not hold' }])
  })

  it('that fail are retried without waiting for the real time to pass', async () => {
    const model = listModel([{ fails: 'rate_limited', retryAfterMs: 60_000 }, { text: '{"topic":"other"}' }])
    const report = await replay(desk(), await recorded(), { level: 'model-live', providers: [model], clock: fakeClock() })
    expect(report.end).toMatchObject({ outcome: 'done', output: 'no' })
  })
})

it('a recording of a run that was migrated replays from its migration', async () => {
  const runtime = createRuntime({ clock: fakeClock() })
  const run = await runtime.start(waiter('asking'), { n: 1 })
  await run.outcome()
  const moved = waiter('wondering', [{ from: waiter('asking').hash, migrate: ({ context }) => ({ value: 'wondering', context }) }])
  const handle = await runtime.resume(run.id, { agent: moved })
  await handle.outcome()
  await handle.send({ type: 'GO' })
  await handle.outcome()
  const recording = await recordRun(runtime.journal, run.id, moved)
  expect(await replay(moved, recording)).toMatchObject({ status: 'same', steps: 2, end: { outcome: 'done' } })
})
