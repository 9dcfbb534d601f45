// What was seen of one run of one case: everything scorers may judge, as data that survives JSON. Invariant: scoring an
// observation needs nothing else, so results of an earlier version can be judged by today's scorers.
import type { Failure, Json } from '../failure/index.ts'

/** One state that the run entered. */
export interface VisitedState {
  /** State path; states of child agents carry the path of their actor: `research/asking`. */
  readonly state: string
  /** Failure code that led here, if one did. */
  readonly failed?: string
}

/** One tool call that was performed. */
export interface PerformedCall {
  /** Name of the tool. */
  readonly name: string
  /** Arguments it was called with. */
  readonly args: Json
  /** Code of its failure, if it failed. */
  readonly failed?: string
}

/** One run of one case. */
export interface Observation {
  /** How it ended; code that is no agent gives `done` or `failed`. */
  readonly outcome: 'done' | 'failed' | 'limited' | 'waiting' | 'cancelled'
  /** What the run gave; absent when it gave nothing. */
  readonly output?: Json
  /** What the run failed by, when it did. */
  readonly failure?: Pick<Failure, 'code' | 'message'>
  /** Id of the run, for looking into it. */
  readonly run?: string
  /** States in the order they were entered. */
  readonly states: readonly VisitedState[]
  /** Tool calls in the order they were performed. */
  readonly calls: readonly PerformedCall[]
  /** Models that answered, as their providers name them. */
  readonly models: readonly string[]
  /** Attempts of model calls. */
  readonly modelCalls: number
  /** Transitions of all machines of the run. */
  readonly transitions: number
  /** Input tokens of all model calls. */
  readonly inputTokens: number
  /** Output tokens of all model calls. */
  readonly outputTokens: number
  /** What it cost, USD; null when a price is unknown. */
  readonly costUsd: number | null
  /** How long it took, milliseconds. */
  readonly durationMs: number
  /** How often a model refused. */
  readonly refusals: number
  /** What `capture` read from the world after the run. */
  readonly world?: Json
  /** When it was made, milliseconds UTC. */
  readonly at: number
}

/** Failures of what lies below an agent. They say nothing about the agent, so a trial that failed by one is not counted. */
const INFRASTRUCTURE: ReadonlySet<string> = new Set([
  'rate_limited',
  'quota_exhausted',
  'overloaded',
  'provider_error',
  'connection_failed',
  'stream_truncated',
  'malformed_response',
  'auth_failed',
  'model_not_found',
  'provider_not_found',
  'circuit_open',
  'saturated',
  'throttled',
  'journal_unavailable',
  'journal_corrupt',
  'journal_rolled_back',
  'lease_lost',
  'lease_held',
  'draining',
])

/** The infrastructure failure that a run met, if it met one: the one that ended it, or the last that moved it. */
export const infrastructureFailure = ({ failure, states }: Observation): string | undefined => {
  if (failure !== undefined && INFRASTRUCTURE.has(failure.code)) return failure.code
  return states.findLast(({ failed }) => failed !== undefined && INFRASTRUCTURE.has(failed))?.failed
}
