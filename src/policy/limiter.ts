// Limits how many calls run at once and how fast they start, first come first served. Invariant: at most `concurrency`
// permits are out, at most `queue` calls wait, and no call overtakes an earlier one.
import type { Clock } from '../clock/index.ts'
import { fail } from '../failure/index.ts'
import { bucket, type Bucket } from './bucket.ts'
import { perKey } from './per-key.ts'

/** How much may run and wait. */
export interface LimiterPolicy {
  /** Calls at once. Default 64. */
  readonly concurrency?: number
  /** Calls that may wait; one more fails as `saturated`. Default 10,000. */
  readonly queue?: number
  /** Starts per minute, on top of what the provider's headers allow. Default unlimited. */
  readonly requestsPerMinute?: number
  /** Tokens per minute, on top of what the provider's headers allow. Default unlimited. */
  readonly tokensPerMinute?: number
}

/** What a provider's `x-ratelimit-*` headers say; a field is absent where they do not say it. */
export interface RateObservation {
  readonly limitRequests?: number
  readonly remainingRequests?: number
  /** Until requests are full again, milliseconds. */
  readonly resetRequestsMs?: number
  readonly limitTokens?: number
  readonly remainingTokens?: number
  /** Until tokens are full again, milliseconds. */
  readonly resetTokensMs?: number
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

/** The two things that rates count. */
interface Rates {
  readonly requests: Bucket
  readonly tokens: Bucket
}

/** Makes one limiter. */
export const limiter = (options: LimiterOptions): Limiter => {
  const { clock, key, concurrency = 64, queue = 10_000, requestsPerMinute, tokensPerMinute } = options
  const own: Rates = { requests: bucket(requestsPerMinute), tokens: bucket(tokensPerMinute) }
  const stated: Rates = { requests: bucket(), tokens: bucket() }
  const waiting = new Set<Waiter>()
  const active = new Set<Active>()
  let cancelTimer: (() => void) | undefined
  let heldUntilMs: number | undefined

  const rateWaitMs = (cost: number): number => {
    const now = clock.monotonic()
    return Math.max(...[own, stated].flatMap((rates) => [rates.requests.waitMs(1, now), rates.tokens.waitMs(cost, now)]))
  }
  const pump = (): void => {
    cancelTimer?.()
    cancelTimer = undefined
    heldUntilMs = undefined
    for (const next of waiting) {
      if (active.size >= concurrency) return
      const holdMs = rateWaitMs(next.tokens)
      if (holdMs > 0) {
        heldUntilMs = clock.now() + holdMs
        cancelTimer = clock.timer(holdMs, pump)
        return
      }
      waiting.delete(next)
      next.start()
    }
  }
  const observe = (call: Active, seen: RateObservation): void => {
    call.seen = true
    const unseen = [...active].filter((other) => !other.seen)
    const now = clock.monotonic()
    if (seen.remainingRequests !== undefined) stated.requests.observe(seen.limitRequests, seen.remainingRequests, seen.resetRequestsMs ?? 0, unseen.length, now)
    if (seen.remainingTokens !== undefined) stated.tokens.observe(seen.limitTokens, seen.remainingTokens, seen.resetTokensMs ?? 0, unseen.reduce((sum, other) => sum + other.tokens, 0), now)
    pump()
  }
  const permit = (cost: number, since: number): Permit => {
    const call: Active = { tokens: cost, seen: false }
    for (const rates of [own, stated]) {
      rates.requests.take(1, clock.monotonic())
      rates.tokens.take(cost, clock.monotonic())
    }
    active.add(call)
    return {
      waitedMs: Math.max(0, Math.round(clock.monotonic() - since)),
      observe: (observation) => observe(call, observation),
      release(used) {
        if (!active.delete(call)) return
        // Once the provider has counted the call, its own number stands.
        for (const rates of call.seen ? [own] : [own, stated]) rates.tokens.give(cost - (used ?? cost), clock.monotonic())
        pump()
      },
    }
  }
  const refuse = (why: string): never => fail('saturated', `${key} was not called: ${why}. Lower the load, raise the limit, or route saturated to another model.`, { details: { key, active: active.size, waiting: waiting.size } })
  return {
    async enter({ signal, tokens: cost = 0, leftMs = Infinity } = {}) {
      signal?.throwIfAborted()
      const since = clock.monotonic()
      if (waiting.size === 0 && active.size < concurrency && rateWaitMs(cost) === 0) return permit(cost, since)
      if (waiting.size >= queue) refuse(`${waiting.size} calls are waiting for it already`)
      const atLeastMs = rateWaitMs(cost)
      if (atLeastMs > leftMs) refuse(`its rate limit is used up for another ${atLeastMs} ms, and the call has ${Math.max(0, Math.round(leftMs))} ms left`)
      const turn = Promise.withResolvers<Permit>()
      const waiter: Waiter = { tokens: cost, start: () => turn.resolve(permit(cost, since)) }
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
