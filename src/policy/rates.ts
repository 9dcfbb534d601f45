// How fast calls may start: what the author allows and what the provider's headers say, in requests and in tokens.
// Invariant: the stricter one of the two holds.
import type { Clock } from '../clock/index.ts'
import { bucket } from './bucket.ts'

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

/** What the author allows. */
export interface RatePolicy {
  /** Starts per minute, on top of what the provider's headers allow. Default unlimited. */
  readonly requestsPerMinute?: number
  /** Tokens per minute, on top of what the provider's headers allow. Default unlimited. */
  readonly tokensPerMinute?: number
}

/** What calls reserved that the provider may not have counted yet. */
export interface Unseen {
  readonly requests: number
  readonly tokens: number
}

/** The rates of one limiter. */
export interface Rates {
  /** Milliseconds until a call of so many tokens may start. */
  waitMs(tokens: number): number
  take(tokens: number): void
  /** Returns tokens that a call reserved and did not use. @param seen whether the provider has counted the call itself. */
  give(tokens: number, seen: boolean): void
  observe(observation: RateObservation, unseen: Unseen): void
}

/** Makes rates that are full. */
export const rates = (clock: Clock, { requestsPerMinute, tokensPerMinute }: RatePolicy): Rates => {
  const own = { requests: bucket(requestsPerMinute), tokens: bucket(tokensPerMinute) }
  const stated = { requests: bucket(), tokens: bucket() }
  return {
    waitMs(tokens) {
      const now = clock.monotonic()
      return Math.max(own.requests.waitMs(1, now), own.tokens.waitMs(tokens, now), stated.requests.waitMs(1, now), stated.tokens.waitMs(tokens, now))
    },
    take(tokens) {
      for (const limits of [own, stated]) {
        limits.requests.take(1, clock.monotonic())
        limits.tokens.take(tokens, clock.monotonic())
      }
    },
    give(tokens, seen) {
      // Once the provider has counted the call, its own number stands.
      for (const limits of seen ? [own] : [own, stated]) limits.tokens.give(tokens, clock.monotonic())
    },
    observe({ limitRequests, remainingRequests, resetRequestsMs = 0, limitTokens, remainingTokens, resetTokensMs = 0 }, unseen) {
      const now = clock.monotonic()
      if (remainingRequests !== undefined) stated.requests.observe(limitRequests, remainingRequests, resetRequestsMs, unseen.requests, now)
      if (remainingTokens !== undefined) stated.tokens.observe(limitTokens, remainingTokens, resetTokensMs, unseen.tokens, now)
    },
  }
}
