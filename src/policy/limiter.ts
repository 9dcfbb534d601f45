// Limits how many calls run at once and how fast they start, first come first served. Invariant: at most `concurrency`
// permits are out, at most `queue` calls wait, and no call overtakes an earlier one.
import type { Clock } from '../clock/index.ts'
import { fail } from '../failure/index.ts'
import { perKey } from './per-key.ts'
import { rates, type RateObservation, type RatePolicy } from './rates.ts'

/** How much may run and wait. */
export interface LimiterPolicy extends RatePolicy {
  /** Calls at once. Default 64. */
  readonly concurrency?: number
  /** Calls that may wait; one more fails as `saturated`. Default 10,000. */
  readonly queue?: number
}

/** What a call asks for. */
export interface LimiterRequest {
  /** Leaves the queue when it aborts. */
  readonly signal?: AbortSignal
  /** Tokens the call may use, input and output. Default 0. */
  readonly tokens?: number
  /** Milliseconds the caller can wait. A wait that is known to be longer is not begun. Default unlimited. */
  readonly leftMs?: number
}

/** Leave to perform one call. */
export interface Permit {
  /** How long the call waited, milliseconds. */
  readonly waitedMs: number
  /** Reports the headers of the reply. */
  observe(observation: RateObservation): void
  /** Ends the call. Must be called once, whatever happens; later calls do nothing. @param usedTokens what it really used. */
  release(usedTokens?: number): void
}

/** A limiter as people and programs read it. */
export interface LimiterView {
  readonly key: string
  readonly active: number
  readonly waiting: number
  readonly concurrency: number
  /** When the next waiting call may start, milliseconds UTC, where a rate holds it back. */
  readonly heldUntilMs?: number
}

/** One limiter. */
export interface Limiter {
  /**
   * Waits for its turn.
   * @throws FailureError `saturated` when the queue is full or the wait would be longer than `leftMs`.
   * @throws the signal's reason when it aborts first.
   */
  enter(request?: LimiterRequest): Promise<Permit>
  view(): LimiterView
}

/** What a limiter needs. */
export interface LimiterOptions extends LimiterPolicy {
  readonly clock: Clock
  /** Names it in messages, such as `openai/gpt-5-mini`. */
  readonly key: string
}

/** A call in the queue. */
interface Waiter {
  readonly tokens: number
  readonly start: () => void
}

/** A call that runs; `seen` once the provider has reported limits that include it. */
interface Active {
  readonly tokens: number
  seen: boolean
}

/** Makes one limiter. */
export const limiter = (options: LimiterOptions): Limiter => {
  const { clock, key, concurrency = 64, queue = 10_000 } = options
  const pace = rates(clock, options)
  const waiting = new Set<Waiter>()
  const active = new Set<Active>()
  let cancelTimer: (() => void) | undefined
  let heldUntilMs: number | undefined

  const pump = (): void => {
    cancelTimer?.()
    cancelTimer = undefined
    heldUntilMs = undefined
    for (const next of waiting) {
      if (active.size >= concurrency) return
      const holdMs = pace.waitMs(next.tokens)
      if (holdMs > 0) {
        heldUntilMs = clock.now() + holdMs
        cancelTimer = clock.timer(holdMs, pump)
        return
      }
      waiting.delete(next)
      next.start()
    }
  }
  const permit = (tokens: number, since: number): Permit => {
    const call: Active = { tokens, seen: false }
    pace.take(tokens)
    active.add(call)
    return {
      waitedMs: Math.max(0, Math.round(clock.monotonic() - since)),
      observe(observation) {
        call.seen = true
        const unseen = [...active].filter((other) => !other.seen)
        pace.observe(observation, { requests: unseen.length, tokens: unseen.reduce((sum, other) => sum + other.tokens, 0) })
        pump()
      },
      release(used = tokens) {
        if (!active.delete(call)) return
        pace.give(tokens - used, call.seen)
        pump()
      },
    }
  }
  const refuse = (why: string): never =>
    fail('saturated', `${key} was not called: ${why}. Lower the load, raise the limit, or route saturated to another model.`, {
      details: { key, active: active.size, waiting: waiting.size },
    })
  return {
    async enter({ signal, tokens = 0, leftMs = Infinity } = {}) {
      signal?.throwIfAborted()
      const since = clock.monotonic()
      if (waiting.size === 0 && active.size < concurrency && pace.waitMs(tokens) === 0) return permit(tokens, since)
      if (waiting.size >= queue) refuse(`${waiting.size} calls are waiting for it already`)
      const atLeastMs = pace.waitMs(tokens)
      if (atLeastMs > leftMs) refuse(`its rate limit is used up for another ${atLeastMs} ms, and the call has ${Math.max(0, Math.round(leftMs))} ms left`)
      const turn = Promise.withResolvers<Permit>()
      const waiter: Waiter = { tokens, start: () => turn.resolve(permit(tokens, since)) }
      const leave = (): void => {
        if (!waiting.delete(waiter)) return
        turn.reject(signal?.reason)
        pump()
      }
      signal?.addEventListener('abort', leave, { once: true })
      waiting.add(waiter)
      pump()
      return turn.promise.finally(() => signal?.removeEventListener('abort', leave))
    },
    view: () => ({ key, active: active.size, waiting: waiting.size, concurrency, ...(heldUntilMs === undefined ? {} : { heldUntilMs }) }),
  }
}

/** Limiters by key. */
export interface Limiters {
  /** Waits for a turn at the limiter of a key. @throws as `Limiter.enter`. */
  enter(key: string, request?: LimiterRequest): Promise<Permit>
  /** All limiters that were used. */
  views(): readonly LimiterView[]
}

/** Makes limiters as keys appear, all under one policy. At most 1,000 are kept, idle ones forgotten first. */
export const limiters = (options: Omit<LimiterOptions, 'key'>): Limiters => {
  const all = perKey(
    (key) => limiter({ ...options, key }),
    (one) => one.view().active === 0 && one.view().waiting === 0,
  )
  return { enter: (key, request) => all.of(key).enter(request), views: () => all.all().map((one) => one.view()) }
}
