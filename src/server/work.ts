// The runs that this server set to work, and waiting for them. Invariant: a run holds its slot from the request that set it
// to work until it ends or waits, and a drain knows all of them.
import { sleep, type Clock } from '../clock/index.ts'
import type { RunRow } from '../journal/index.ts'
import type { Runtime } from '../run/index.ts'
import type { Slots } from './limits.ts'

/** Runs at work. */
export interface Work {
  /**
   * Sets a run to work by `act`, within the limit.
   * @throws Refusal `saturated` before anything is done; whatever `act` throws.
   */
  readonly begin: <T>(act: () => Promise<T>, runOf: (result: T) => string) => Promise<T>
  /** The run once it has ended or waits, or after `waitMs`, whichever is first. Undefined when there is no such run. */
  readonly settle: (run: string, waitMs: number, signal: AbortSignal) => Promise<RunRow | undefined>
  /** Resolves when no run is at work, or after `graceMs`. */
  readonly drain: (graceMs: number) => Promise<void>
}

/** How often a run that another process drives is looked at, milliseconds. */
const POLL_MS = 250

const AT_WORK: ReadonlySet<string> = new Set(['queued', 'running'])

/** Keeps the runs of a server. */
export const work = (runtime: Runtime, clock: Clock, runs: Slots): Work => {
  const working = new Map<string, Promise<void>>()
  const track = (run: string, release: () => void): void => {
    if (working.has(run)) return release()
    const rest = runtime.outcome(run).then(
      () => {},
      // The run is intact and its row says where it stands; whoever asks for it reads that.
      () => {},
    )
    working.set(
      run,
      rest.then(() => {
        working.delete(run)
        release()
      }),
    )
  }
  /** Resolves with the run, or after some time; never rejects. */
  const eitherWay = async (done: Promise<unknown>, afterMs: number, signal?: AbortSignal): Promise<void> => {
    const over = new AbortController()
    const stop = (): void => over.abort()
    if (signal?.aborted === true) stop()
    signal?.addEventListener('abort', stop, { once: true })
    await Promise.race([done.catch(() => {}), sleep(clock, afterMs, over.signal).catch(() => {})])
    signal?.removeEventListener('abort', stop)
    stop()
  }
  return {
    begin: async (act, runOf) => {
      const release = runs.take()
      try {
        const result = await act()
        track(runOf(result), release)
        return result
      } catch (error) {
        release()
        throw error
      }
    },
    settle: async (run, waitMs, signal) => {
      const until = clock.monotonic() + waitMs
      for (;;) {
        const leftMs = until - clock.monotonic()
        if (leftMs > 0) await eitherWay(runtime.outcome(run), leftMs, signal)
        const row = await runtime.get(run)
        if (row === undefined || !AT_WORK.has(row.status) || signal.aborted || clock.monotonic() >= until) return row
        await eitherWay(new Promise(() => {}), Math.min(POLL_MS, until - clock.monotonic()), signal)
      }
    },
    drain: (graceMs) => eitherWay(Promise.all(working.values()), graceMs),
  }
}
