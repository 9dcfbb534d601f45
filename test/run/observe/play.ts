// Plays the scenario of the desk: one runtime until a person is asked, another one, as another process would, to the end.
import { expect } from 'vitest'
import { fakeClock, type FakeClock } from '../../../src/clock/index.ts'
import { memoryJournal, type Journal } from '../../../src/journal/index.ts'
import type { ModelProvider } from '../../../src/model/index.ts'
import { createRuntime, type Runtime, type RuntimeOptions } from '../../../src/run/index.ts'
import { desk, firstHalf, secondHalf } from './desk.ts'

const deskRuntime = (journal: Journal, clock: FakeClock, provider: ModelProvider, options: RuntimeOptions = {}): Runtime => createRuntime({ journal, clock, providers: [provider], agents: [desk], ...options })

/** Lets a run go on whose retries wait for the clock. */
export const settle = async <T>(clock: FakeClock, work: Promise<T>): Promise<T> => {
  let over = false
  void work.finally(() => (over = true)).catch(() => {})
  for (let turn = 0; turn < 1_000 && !over; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(50)
  }
  return work
}

/** Plays the whole scenario: the first runtime until a person is asked, a second one from there. */
export const play = async (options: RuntimeOptions = {}): Promise<{ readonly journal: Journal; readonly id: string }> => {
  const journal = memoryJournal()
  const clock = fakeClock({ seed: 3 })
  const first = deskRuntime(journal, clock, firstHalf(), options)
  const run = await first.start(desk, { question: 'Refund order 7' }, { user: 'ada', route: '/help', tenant: 'acme', session: 's1' })
  const asked = await settle(clock, run.outcome())
  const hash = asked.outcome === 'waiting' ? asked.waiting[0]?.calls?.[0]?.hash : undefined
  if (hash === undefined) throw new Error(`does not wait: ${JSON.stringify(asked)}`)
  await clock.advance(60_000)
  const second = deskRuntime(journal, clock, secondHalf(), options)
  const again = await second.resume(run.id)
  await again.send({ type: 'APPROVE', hash })
  const end = await settle(clock, again.outcome())
  expect(end).toMatchObject({ outcome: 'done', output: 'You get 90 USD back.' })
  return { journal, id: run.id }
}
