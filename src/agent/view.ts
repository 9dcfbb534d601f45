// What an agent can see of its own run: `context.$run`, written by the driver before each transition, never by the machine.
import type { Failure } from '../failure/index.ts'
import type { Message } from '../prompt/index.ts'

/** A thread as the context refers to it. */
export interface ThreadView {
  /** The thread's id in the run. */
  readonly id: string
  /** Messages so far. */
  readonly length: number
}

/** The run as guards and callbacks see it. */
export interface RunView {
  /** The run's id, a UUIDv7. */
  readonly id: string
  /** Whom the run is for, from `start`. */
  readonly user?: string
  /** The part of the product that asked, from `start`. */
  readonly route?: string
  /** The customer the run belongs to, from `start`. */
  readonly tenant?: string
  /** Entries per effect state, by state path. */
  readonly visits: { readonly [state: string]: number }
  /** Transitions of all machines of the run so far. */
  readonly transitions: number
  /** Attempts of model calls so far. */
  readonly modelCalls: number
  /** Tool calls so far. */
  readonly toolCalls: number
  /** Input tokens of all model calls so far. */
  readonly inputTokens: number
  /** Output tokens of all model calls so far. */
  readonly outputTokens: number
  /** Known cost so far, USD. */
  readonly costUsd: number
  /** The failure that last moved this machine, with the state it arose in. */
  readonly lastFailure?: Failure & { readonly state: string }
  /** Threads by state path, or by name. */
  readonly threads: { readonly [name: string]: ThreadView }
}

/** What every callback of an agent gets. Callbacks are pure and synchronous: same arguments, same result. */
export interface CallbackArgs<C = { readonly [field: string]: unknown }> {
  /** The context as it is now, with the run's own numbers under `$run`. */
  readonly context: C & { readonly $run: RunView }
  /** What a machine written with plain `setup()` passes as `invoke.input`. */
  readonly input?: unknown
  /** Messages of a thread, by state path or thread name; empty when there is none. */
  readonly messages: (thread: string) => readonly Message[]
}

/** A callback with its types erased, as the driver calls it. */
export type Callback<R> = (args: CallbackArgs<never>) => R

/** The view of a run that has not begun: what a machine's context factory puts in place until the driver writes it. */
export const emptyRunView: RunView = Object.freeze({
  id: '',
  visits: Object.freeze({}),
  transitions: 0,
  modelCalls: 0,
  toolCalls: 0,
  inputTokens: 0,
  outputTokens: 0,
  costUsd: 0,
  threads: Object.freeze({}),
})
