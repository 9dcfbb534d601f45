import { expect, it } from 'vitest'
import { visitsOf } from '../../src/cli/run-tree.ts'
import { leavesOf } from '../../src/journal/index.ts'
import type { Cause, Entry, EntryBody, Move } from '../../src/journal/index.ts'
import { failure } from '../../src/failure/index.ts'

const entry = (at: number, cause: Cause, moves: readonly Move[], intents: readonly string[] = []): Entry => ({
  seq: at,
  at,
  hash: '',
  body: { v: 1, cause, moves, intents: intents.map((key) => ({ key, attempt: 1 })) } satisfies EntryBody,
})

const start: Cause = { type: 'start', agent: { id: 'a', hash: '' }, input: null, seed: 1, engine: 'embedded' }
const call = (inputTokens: number, costNano: number | null) => ({
  provider: 'p',
  model: 'm',
  usage: { inputTokens, outputTokens: 1 },
  costNano,
  priceSource: 'table',
  latencyMs: 1,
})
const done = (key: string, ...costs: readonly (number | null)[]): Cause => ({
  type: 'attempt',
  key,
  attempt: 1,
  outcome: { ok: true, value: null, durationMs: 1, calls: costs.map((cost) => call(10, cost)) },
})
const failed = (key: string): Cause => ({ type: 'attempt', key, attempt: 1, outcome: { ok: false, failure: failure('timeout', 'late'), durationMs: 1 } })
const timer: Cause = { type: 'timer', key: '/asking#1~retry' }

it('finds the innermost states of every kind of value', () => {
  expect(leavesOf('a')).toEqual(['a'])
  expect(leavesOf({ group: { inner: 'a' } })).toEqual(['group.inner.a'])
  expect(leavesOf({ both: { left: 'a', right: { deep: 'b' } }, empty: {} })).toEqual(['both.left.a', 'both.right.deep.b', 'empty'])
})

it('counts retries, failures and cost where they happened', () => {
  const visits = visitsOf([
    entry(0, start, [{ actor: '', event: 'xstate.init', value: 'asking' }], ['/asking#1']),
    entry(10, failed('/asking#1'), []),
    entry(20, timer, [], ['/asking#1']),
    entry(30, done('/asking#1', 5, 7), [{ actor: '', event: 'd', value: 'acting' }], ['/acting#1:0', '/acting#1:1']),
    entry(40, done('/acting#1:0', null), []),
    entry(50, failed('/acting#1:1'), [{ actor: '', event: 'e', value: 'over', failed: 'timeout' }]),
  ])
  expect(visits).toMatchObject([
    { state: 'asking', enteredAt: 0, leftAt: 30, attempts: 2, inputTokens: 20, costNano: 12, failures: ['timeout'], failed: false, models: ['p/m'] },
    { state: 'acting', enteredAt: 30, leftAt: 50, attempts: 2, costNano: null, failures: ['timeout'], failed: true },
    { state: 'over', enteredAt: 50, attempts: 0 },
  ])
  expect(visits[2]).not.toHaveProperty('leftAt')
})

it('sees that a state was entered again from itself', () => {
  const visits = visitsOf([
    entry(0, start, [{ actor: '', event: 'xstate.init', value: 'asking' }], ['/asking#1']),
    entry(5, failed('/asking#1'), [{ actor: '', event: 'e', value: 'asking', failed: 'timeout' }], ['/asking#2']),
    entry(9, done('/asking#2', 3), [{ actor: '', event: 'd', value: 'over' }]),
  ])
  expect(visits).toMatchObject([{ state: 'asking', enteredAt: 0, leftAt: 5, failed: true, costNano: 0 }, { state: 'asking', enteredAt: 5, leftAt: 9, failed: false, costNano: 3 }, { state: 'over' }])
})

it('keeps parallel regions and child machines apart', () => {
  const visits = visitsOf([
    entry(
      0,
      start,
      [
        { actor: '', event: 'xstate.init', value: { both: { l: 'asking', r: 'reading' } } },
        { actor: '/both.r.reading#1', event: 'xstate.init', value: 'asking' },
      ],
      ['/both.l.asking#1', '/both.r.reading#1/asking#1'],
    ),
    entry(4, done('/both.r.reading#1/asking#1', 2), [
      { actor: '/both.r.reading#1', event: 'd', value: 'over' },
      { actor: '', event: 'd', value: { both: { l: 'asking', r: 'idle' } } },
    ]),
    entry(6, done('/both.l.asking#1', 1), [{ actor: '', event: 'd', value: 'over' }]),
  ])
  expect(visits.map(({ actor, state, costNano, leftAt }) => ({ actor, state, costNano, leftAt }))).toEqual([
    { actor: '', state: 'both.l.asking', costNano: 1, leftAt: 6 },
    { actor: '', state: 'both.r.reading', costNano: 0, leftAt: 4 },
    { actor: '/both.r.reading#1', state: 'asking', costNano: 2, leftAt: 4 },
    { actor: '/both.r.reading#1', state: 'over', costNano: 0, leftAt: undefined },
    { actor: '', state: 'both.r.idle', costNano: 0, leftAt: 6 },
    { actor: '', state: 'over', costNano: 0, leftAt: undefined },
  ])
})
