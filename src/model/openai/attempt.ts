// One attempt under its watchdogs: it ends with the result, with the caller's own abort reason, or with a timeout that
// names the limit it passed. Invariant: whatever happens, no timer and no listener of the attempt stays behind.
import type { Clock } from '../../clock/index.ts'
import type { ModelIo } from '../provider.ts'

/** The limit that was passed. */
export type TimeoutPhase = 'first_token' | 'idle'

/** What an attempt gets to work under. */
export interface Control {
  /** Aborts when the caller cancels or a watchdog fires. */
  readonly signal: AbortSignal
  /** Call when the request leaves: from now on the limits count. */
  begin(): void
  /** Call for each piece that arrives; from the first with a token on, the idle limit counts. */
  progress(hasToken: boolean): void
}

/** Ends the attempt when nothing arrives for too long. One timer is re-armed, not one made per piece. */
const watchdog = (clock: Clock, timeouts: ModelIo['timeouts'], bark: (phase: TimeoutPhase, limitMs: number) => void) => {
  let phase: TimeoutPhase = 'first_token'
  let limitMs = timeouts.firstTokenMs
  let since = clock.monotonic()
  const fire = (): void => {
    const leftMs = limitMs - (clock.monotonic() - since)
    if (leftMs <= 0) bark(phase, limitMs)
    else cancel = clock.timer(Math.ceil(leftMs), fire)
  }
  let cancel = (): void => undefined
  return {
    stop: () => cancel(),
    begin() {
      since = clock.monotonic()
      cancel = clock.timer(limitMs, fire)
    },
    progress(hasToken: boolean) {
      if (phase === 'idle') since = clock.monotonic()
      else if (hasToken) {
        phase = 'idle'
        limitMs = timeouts.idleMs
        since = clock.monotonic()
        cancel()
        cancel = clock.timer(limitMs, fire)
      }
    },
  }
}

/**
 * Runs one attempt.
 * @param timedOut makes the error of a watchdog.
 * @throws whatever `run` throws, the caller's abort reason as it is, or the error of a watchdog.
 */
export const attempt = async <T>(
  { signal, timeouts }: Pick<ModelIo, 'signal' | 'timeouts'>,
  clock: Clock,
  timedOut: (phase: TimeoutPhase, limitMs: number) => Error,
  run: (control: Control) => Promise<T>,
): Promise<T> => {
  signal.throwIfAborted()
  const controller = new AbortController()
  const stopped = Promise.withResolvers<never>()
  const stop = (reason: unknown): void => {
    stopped.reject(reason)
    controller.abort(reason)
  }
  const onAbort = (): void => stop(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  const watch = watchdog(clock, timeouts, (phase, limitMs) => stop(timedOut(phase, limitMs)))
  const running = run({ signal: controller.signal, begin: watch.begin, progress: watch.progress })
  // After a stop nobody waits for it any more; its own complaint about the abort is not news.
  running.catch(() => undefined)
  try {
    return await Promise.race([running, stopped.promise])
  } finally {
    watch.stop()
    signal.removeEventListener('abort', onAbort)
  }
}
