// One call as the ledger and budgets see it: who it was for, what it used, what it cost. Invariant: a charge says
// everything needed to account for it, so it can be added up without reading the run it belongs to.
import type { Usage } from './usage.ts'

/** What charges are added up under. */
export interface ChargeKey {
  readonly user?: string
  readonly route?: string
  readonly tenant?: string
  /** The agent of the run, also for calls of its children. */
  readonly agent: string
  /** State path; states of a child agent stand behind the state that started it: `researching/asking`. */
  readonly state: string
  /** As asked for, with its provider: `openai/gpt-5-mini`. For cost that a tool added by hand, `tool/` and its name. */
  readonly model: string
  readonly prompt?: string
  readonly promptHash?: string
}

/** Fields of a charge that can differ within one run: groupings over them count runs by `Charge.firstOf`. */
export const RUN_DIMENSIONS = ['state', 'model', 'promptHash'] as const

/** One call, nearly always one that was billed. */
export interface Charge extends ChargeKey {
  /** When it was settled, milliseconds UTC. */
  readonly at: number
  /** null when the provider reported none. */
  readonly usage: Usage | null
  /** Nano-dollars; null when the price is unknown. */
  readonly costNano: number | null
  readonly latencyMs: number
  /** False for cost that a tool added by hand, which is no call of a model. */
  readonly isCall: boolean
  /** The call failed, and was billed all the same. */
  readonly failed: boolean
  /** Set when the call was sent, failed and was not billed: it counts for its prompt's failures, and as nothing else. */
  readonly isUnbilled?: true
  /** Set when no usage was reported, so that cost and tokens are those that were reserved. */
  readonly estimatedTokens?: number
  /** Set when the cache answered: nothing was billed, this much would have been; null when the price is unknown. */
  readonly savedNano?: number | null
  /**
   * Groupings in which this is the first charge of its run, as bits: bit n is the grouping by those of RUN_DIMENSIONS whose
   * bit is set in n. So runs can be counted by adding bits up, however charges are grouped later.
   */
  readonly firstOf: number
}
