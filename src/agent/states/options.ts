// Options that states of several kinds share.
import type { Json } from '../../failure/index.ts'
import type { ModelParams } from '../../model/index.ts'
import type { BreakerPolicy, CachePolicy, LimiterPolicy, RetryPolicy, TimeoutPolicy } from '../../policy/index.ts'

/** Options of every state that performs an effect. */
export interface StateOptions {
  /** One sentence for charts. Not part of the agent's hash. Default: none. */
  readonly description?: string
  /** How often the state may be entered in one run before it fails with `loop_limit`. Default: as often as the run's limits allow. */
  readonly maxVisits?: number
}

/** Options of states whose effect is tried again and timed. */
export interface AttemptOptions extends StateOptions {
  /** When and how often a failed attempt is tried again. Default: see {@link RetryPolicy}. */
  readonly retry?: RetryPolicy
  /** Time limits of an attempt and of the whole effect, milliseconds. Default: see {@link TimeoutPolicy}. */
  readonly timeout?: TimeoutPolicy
}

/** Options of states whose effect may be answered from the cache. */
export interface CacheOptions {
  /** How long an equal call gets the same answer, milliseconds. Default: each call is performed. */
  readonly cache?: CachePolicy
}

/** Options of states that call a model. */
export interface CallOptions extends AttemptOptions {
  /** When calls to the model are refused for a while. States with an equal policy share their circuits. Default: the runtime's; `false` for none. */
  readonly breaker?: BreakerPolicy | false
  /** How many calls at once and how fast. States with an equal policy share their limiters. Default: the runtime's; `false` for none. */
  readonly limiter?: LimiterPolicy | false
}

/** Options of states that ask a model in their own way: they win over those of the model. */
export interface ParamOptions {
  /** Parameters of this state's calls. Part of the step's hash. Default: those of the model. */
  readonly params?: ModelParams
  /** Passed to the provider as it is, beside those of the model. Part of the step's hash. Default: nothing. */
  readonly providerOptions?: { readonly [key: string]: Json }
}

/** Those options with everything else erased, as compiling sees them. */
export interface Erased extends CallOptions, CacheOptions, ParamOptions {
  readonly onDone?: unknown
  readonly onError?: unknown
  readonly save?: unknown
}
