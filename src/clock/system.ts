// The real clock. The only file of the core that reads ambient time and randomness.
import { randomFillSync } from 'node:crypto'
import { uuidV7, type Clock } from './clock.ts'

/** Longest delay that `setTimeout` keeps (2^31 - 1 ms); longer ones are re-armed. */
const LONGEST_TIMER_MS = 2_147_483_647

const pool = new Uint32Array(256)
let used = pool.length
const random = (): number => {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  return (pool[used++] ?? 0) / 2 ** 32
}

const timer: Clock['timer'] = (delayMs, fire, background = false) => {
  let handle: NodeJS.Timeout | undefined
  const arm = (left: number): void => {
    handle = left > LONGEST_TIMER_MS ? setTimeout(() => arm(left - LONGEST_TIMER_MS), LONGEST_TIMER_MS) : setTimeout(fire, Math.max(0, left))
    if (background) handle.unref()
  }
  arm(delayMs)
  return () => clearTimeout(handle)
}

/** The machine's own time and randomness. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer,
  random,
  id: () => uuidV7(Date.now(), random),
}
