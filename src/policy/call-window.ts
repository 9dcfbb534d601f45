// How many of the recent calls failed, where recent means both young enough and among the latest so many.
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
  let calls: readonly { readonly at: number; readonly failed: boolean }[] = []
  const recent = (): typeof calls => (calls = calls.filter(({ at }) => at > clock.monotonic() - windowMs).slice(-maxCalls))
  return {
    add: (failed) => void (calls = [...recent(), { at: clock.monotonic(), failed }]),
    counts: () => ({ calls: recent().length, failures: calls.filter(({ failed }) => failed).length }),
    clear: () => void (calls = []),
  }
}
