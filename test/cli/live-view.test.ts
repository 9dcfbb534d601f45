import { expect, it } from 'vitest'
import { fakeClock } from '../../src/clock/index.ts'
import { liveView } from '../../src/cli/live-view.ts'
import type { Io } from '../../src/cli/io.ts'
import type { RunEvent, RunEventBody } from '../../src/run/index.ts'
import { failure } from '../../src/failure/index.ts'

const event = (at: number, body: RunEventBody, actor = ''): RunEvent => ({ ...body, run: 'r', at, seq: 0, actor })

/** A view on a made-up terminal, with what was written so far. */
const watch = (terminal: boolean, columns = 80) => {
  const clock = fakeClock({ startMs: 0 })
  let out = ''
  const io: Io = {
    out: (text) => void (out += text),
    err: () => {},
    readInput: () => Promise.resolve(''),
    terminal,
    columns: () => columns,
    style: (_format, text) => text,
    cwd: '/',
    env: {},
    platform: 'linux',
    program: 'stateloop',
  }
  return { clock, view: liveView(io, clock), written: () => out }
}

const asking = { state: 'asking', kind: 'model' } as const
const attempt = { type: 'attempt.ended', key: '/asking#1', name: 'p/m', durationMs: 5, ...asking } as const

it('writes one line per visit in a pipe, with retries, tokens, cost and the failure that ended it', () => {
  const { view, written } = watch(false)
  view.take(event(0, { type: 'state.entered', ...asking }))
  view.take(event(100, { ...attempt, attempt: 1, failure: failure('overloaded', 'busy'), retryInMs: 500, usage: { inputTokens: 10, outputTokens: 0 }, costUsd: 0.001 }))
  view.take(event(700, { ...attempt, attempt: 2, failure: failure('refused', 'no'), usage: { inputTokens: 10, outputTokens: 4 }, costUsd: null }))
  view.take(event(700, { type: 'failure.raised', state: 'asking', failure: failure('refused', 'no') }))
  view.take(event(700, { type: 'state.left', ...asking }))
  view.take(event(700, { type: 'state.entered', state: 'over', kind: 'final' }))
  view.end(true)
  expect(written().split('\n')).toEqual([
    '  asking: overloaded, trying again in 500 ms',
    '✗ asking                   model · 700 ms · 20 in, 4 out · price unknown · 2 calls  overloaded, refused',
    '● over                     final',
    '',
  ])
})

it('shows the states inside of a group instead of the group, and child machines one step deeper', () => {
  const { view, written } = watch(false)
  view.take(event(0, { type: 'state.entered', state: 'both', kind: 'group' }))
  view.take(event(0, { type: 'state.entered', state: 'both.child', kind: 'agent' }))
  view.take(event(0, { type: 'state.entered', ...asking }, '/both.child#1'))
  view.take(event(5, { type: 'state.left', ...asking }, '/both.child#1'))
  view.take(event(5, { type: 'state.entered', state: 'end', kind: 'final' }, '/both.child#1'))
  view.take(event(9, { type: 'state.left', state: 'both.child', kind: 'agent' }))
  view.take(event(9, { type: 'state.left', state: 'both', kind: 'group' }))
  view.end(true)
  expect(written()).toBe('✓   asking                 model · 5 ms\n●   end                    final\n✓ both.child               agent · 9 ms\n')
})

it('redraws what is under way on a terminal, without wrapping and without what could steer it', async () => {
  const { clock, view, written } = watch(true, 30)
  view.take(event(0, { type: 'state.entered', ...asking }))
  view.take(event(0, { type: 'token.delta', key: '/asking#1', state: 'asking', text: `${'a'.repeat(40)}\u001b[2Jend` }))
  const before = written().length
  await clock.advance(300)
  const redrawn = written().slice(before)
  expect(redrawn).toMatch(/^\u001b\[1A\u001b\[0J… asking/)
  expect(redrawn).toContain('[2Jend')
  expect(redrawn.slice(1)).not.toContain('\u001b[2J')
  for (const line of redrawn.split('\n')) expect(line.replaceAll(/\u001b\[\d[AJ]/g, '').length).toBeLessThan(30)
  view.end(false)
  const last = written().length
  await clock.advance(1_000)
  expect(written().length).toBe(last)
})

it('takes back what a discarded attempt said', async () => {
  const { clock, view, written } = watch(true)
  view.take(event(0, { type: 'state.entered', ...asking }))
  view.take(event(0, { type: 'token.delta', key: '/asking#1', state: 'asking', text: 'half an answ' }))
  view.take(event(0, { type: 'attempt.discarded', key: '/asking#1', state: 'asking', attempt: 1 }))
  const before = written().length
  await clock.advance(300)
  expect(written().slice(before)).not.toContain('half')
})
