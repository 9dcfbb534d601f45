// Options that states of several kinds share.
import type { RetryPolicy, TimeoutPolicy } from '../../policy/index.ts'

/** Options of every state that performs an effect. */
export interface StateOptions {
  /** One sentence for charts. Not part of the agent's hash. */
  readonly description?: string
  /** How often the state may be entered in one run before it fails with `loop_limit`. */
  readonly maxVisits?: number
}

/** Options of states whose effect is tried again and timed. */
export interface AttemptOptions extends StateOptions {
  readonly retry?: RetryPolicy
  /** Milliseconds. */
  readonly timeout?: TimeoutPolicy
}

/** Those options with everything else erased, as compiling sees them. */
export interface Erased extends AttemptOptions {
  readonly onDone?: unknown
  readonly onError?: unknown
  readonly save?: unknown
}
