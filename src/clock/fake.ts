// A clock that moves only when told, with seeded randomness: the same seed gives the same ids and jitter.
import { uuidV7, type Clock } from './clock.ts'

/** A clock for tests. */
export interface FakeClock extends Clock {
  /** Moves time forward, firing due timers in order and letting promises settle between them. */
  advance(byMs: number): Promise<void>
  /** Fires timers until none is left, up to `limit` of them. */
  runAll(limit?: number): Promise<void>
  /** Due time of the earliest timer, or undefined. */
  nextDue(): number | undefined
}

/** A small deterministic generator. @see https://github.com/bryc/code/blob/master/jshash/PRNGs.md (mulberry32) */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Makes a clock that stands still until it is told otherwise, for tests. Equal seeds give equal ids and random numbers. */
export const fakeClock = (
  options: {
    /** When it begins, milliseconds UTC. Default 2026-01-01 UTC. */
    readonly startMs?: number
    /** What random numbers and ids follow from. Default 1. */
    readonly seed?: number
  } = {},
): FakeClock => {
  let now = options.startMs ?? Date.UTC(2026, 0, 1)
  const start = now
  const random = seededRandom(options.seed ?? 1)
  const timers = new Map<number, { readonly due: number; readonly fire: () => void }>()
  let serial = 0
  const earliest = (): [number, { readonly due: number; readonly fire: () => void }] | undefined => [...timers].sort(([a, x], [b, y]) => x.due - y.due || a - b)[0]
  const fireNext = async (limitMs: number): Promise<boolean> => {
    await settle()
    const next = earliest()
    if (next === undefined || next[1].due > limitMs) return false
    timers.delete(next[0])
    now = Math.max(now, next[1].due)
    next[1].fire()
    await settle()
    return true
  }
  return {
    now: () => now,
    monotonic: () => now - start,
    random,
    id: () => uuidV7(now, random),
    timer: (delayMs, fire) => {
      const id = serial++
      timers.set(id, { due: now + Math.max(0, delayMs), fire })
      return () => void timers.delete(id)
    },
    nextDue: () => earliest()?.[1].due,
    async advance(byMs) {
      const until = now + byMs
      while (await fireNext(until));
      now = until
      await settle()
    },
    async runAll(limit = 10_000) {
      for (let fired = 0; fired < limit; fired++) if (!(await fireNext(Infinity))) return
    },
  }
}
