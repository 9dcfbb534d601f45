// How many of the recent calls failed, where recent means both young enough and among the latest so many. Invariant: adding
// and counting cost the same however many calls there were.
import type { Clock } from '../clock/index.ts'

/** Recent calls of one circuit. */
export interface CallWindow {
  /** Adds a finished call. */
  add(failed: boolean): void
  counts(): { readonly calls: number; readonly failures: number }
  clear(): void
}

/** Makes an empty window. @param maxCalls how many calls it remembers. */
export const callWindow = (clock: Clock, windowMs: number, maxCalls: number): CallWindow => {
  // A ring: the oldest call that counts stands at `first`.
  const times = new Float64Array(maxCalls)
  const failed = new Uint8Array(maxCalls)
  let first = 0
  let calls = 0
  let failures = 0
  const forgetOldest = (): void => {
    failures -= failed[first] ?? 0
    first = (first + 1) % maxCalls
    calls--
  }
  const forgetOld = (): void => {
    const since = clock.monotonic() - windowMs
    while (calls > 0 && (times[first] ?? 0) <= since) forgetOldest()
  }
  return {
    add(hasFailed) {
      forgetOld()
      if (calls === maxCalls) forgetOldest()
      const last = (first + calls) % maxCalls
      times[last] = clock.monotonic()
      failed[last] = hasFailed ? 1 : 0
      failures += hasFailed ? 1 : 0
      calls++
    },
    counts() {
      forgetOld()
      return { calls, failures }
    },
    clear() {
      calls = 0
      failures = 0
    },
  }
}
