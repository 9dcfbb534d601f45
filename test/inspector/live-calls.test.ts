import { describe, expect, it } from 'vitest'
import { LiveCalls } from '../../src/inspector/feed/live-calls.ts'
import type { RunEvent, RunEventBody } from '../../src/run/index.ts'

const told = (body: RunEventBody, actor = ''): RunEvent => ({ ...body, run: 'r', at: 0, seq: 0, actor })
const started = (key: string, attempt = 1, kind = 'model'): RunEvent => told({ type: 'effect.started', key, state: 'asking', kind, name: 'fake/m', attempt })
const token = (key: string, text: string): RunEvent => told({ type: 'token.delta', key, state: 'asking', text })
const ended = (key: string, attempt: number): RunEvent => told({ type: 'attempt.ended', key, state: 'asking', kind: 'model', name: 'fake/m', attempt, durationMs: 1 })
const discarded = (key: string, attempt: number): RunEvent => told({ type: 'attempt.discarded', key, state: 'asking', attempt })

const after = (...events: readonly RunEvent[]): LiveCalls => {
  const calls = new LiveCalls()
  for (const event of events) calls.take(event)
  return calls
}

describe('the calls under way', () => {
  it('hold their words and what can be read of their output, and are told once', () => {
    const calls = after(started('/asking#1'), token('/asking#1', 'Hel'), token('/asking#1', 'lo'), told({ type: 'output.partial', key: '/asking#1', state: 'asking', value: { a: 1 } }))
    expect(calls.news()).toEqual([{ key: '/asking#1', state: 'asking', name: 'fake/m', attempts: [{ number: 1, text: 'Hello', partial: { a: 1 }, discarded: false }] }])
    expect(calls.news()).toBeUndefined()
  })

  it('keep a discarded attempt beside the one that took its place, whichever was told first', () => {
    const calls = after(started('k', 1), token('k', 'no'), started('k', 2), discarded('k', 1), ended('k', 1), token('k', 'yes'))
    expect(calls.news()?.[0]?.attempts.map(({ number, text, discarded: gone }) => [number, text, gone])).toEqual([
      [1, 'no', true],
      [2, 'yes', false],
    ])
    const later = after(started('k', 1), token('k', 'no'), discarded('k', 1), ended('k', 1), started('k', 2))
    expect(later.news()?.[0]?.attempts.map(({ discarded: gone }) => gone)).toEqual([true, false])
  })

  it('are forgotten when they end, when their state is left, and when nothing is under way', () => {
    expect(after(started('k'), ended('k', 1)).news()).toEqual([])
    expect(after(started('k'), told({ type: 'state.left', state: 'asking', kind: 'model' })).news()).toEqual([])
    expect(after(started('k'), told({ type: 'run.ended', outcome: 'done' })).news()).toEqual([])
    expect(after(started('k', 1, 'tools'), token('other', 'x')).news()).toBeUndefined()
  })

  it('stay small, however much is written', () => {
    const calls = after(started('k'))
    for (let piece = 0; piece < 2_000; piece++) calls.take(token('k', 'x'.repeat(100)))
    for (let attempt = 2; attempt < 200; attempt++) calls.take(started('k', attempt))
    for (let call = 0; call < 200; call++) calls.take(started(`k${call}`))
    expect(JSON.stringify(calls.news()).length).toBeLessThan(20_000)
  })
})
