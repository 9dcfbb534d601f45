// What a state may say about its own patience: how often to try again, and how long to wait.
// Decisions are pure: the jitter comes from a number the caller supplies, so replay decides the same.
import type { Failure } from '../failure/index.ts'

/** How attempts of one effect are repeated. */
export interface RetryPolicy {
  /** Attempts in all, the first included. Default 3 for models and retrieval, 1 for tools. */
  readonly attempts?: number
  /** Delay before the second attempt, milliseconds; doubles each time. Default 500. */
  readonly backoffMs?: number
  /** Longest delay this policy chooses, milliseconds; a provider's Retry-After is obeyed even above it. Default 30,000. */
  readonly maxBackoffMs?: number
}

/** Time limits of one attempt, milliseconds. */
export interface TimeoutPolicy {
  /** Until the connection stands, milliseconds. Default 10,000. */
  readonly connectMs?: number
  /** Until the first token of a stream, or the whole body of a plain reply, milliseconds. Default 60,000. */
  readonly firstTokenMs?: number
  /** Between two pieces of a stream, milliseconds. Default 30,000. */
  readonly idleMs?: number
  /** For the whole effect, retries and waits between them included, milliseconds. Default 120,000. */
  readonly totalMs?: number
}

/** Codes that get one more try at most: more would pay again for the same answer. */
const ONE_MORE_TRY: ReadonlySet<string> = new Set(['malformed_response', 'empty_response'])

/** What a retry decision looks at. */
export interface RetryQuestion {
  readonly policy: RetryPolicy
  /** The attempt that just failed, counted from 1. */
  readonly attempt: number
  readonly failure: Failure
  /** Milliseconds left until the deadline of the effect or run. */
  readonly leftMs: number
  /** A number in [0, 1) for jitter. */
  readonly random: number
  readonly defaultAttempts: number
}

/**
 * Decides whether and when to try again.
 * The delay is full backoff minus up to half as jitter, never earlier than Retry-After; a wait that would pass the
 * deadline is not begun.
 * @returns milliseconds to wait, or undefined to give up.
 */
export const retryDelay = ({ policy, attempt, failure, leftMs, random, defaultAttempts }: RetryQuestion): number | undefined => {
  const attempts = policy.attempts ?? defaultAttempts
  const allowed = ONE_MORE_TRY.has(failure.code) ? Math.min(attempts, 2) : attempts
  if (!failure.retryable || attempt >= allowed) return undefined
  const backoff = Math.min((policy.backoffMs ?? 500) * 2 ** (attempt - 1), policy.maxBackoffMs ?? 30_000)
  const delay = Math.ceil(Math.max(backoff * (1 - random / 2), failure.provider?.retryAfterMs ?? 0))
  return delay > leftMs ? undefined : delay
}

/** Time limits with defaults filled in. */
export const timeoutsOf = (policy: TimeoutPolicy = {}): Required<TimeoutPolicy> => ({
  connectMs: policy.connectMs ?? 10_000,
  firstTokenMs: policy.firstTokenMs ?? 60_000,
  idleMs: policy.idleMs ?? 30_000,
  totalMs: policy.totalMs ?? 120_000,
})
