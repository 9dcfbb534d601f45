// What a caller gets to know of a run: its outcome so far, with what it used.
import type { Failure } from '../failure/index.ts'
import type { RunRow, Waiting } from '../journal/index.ts'

/** What a run used. */
export interface RunSummary {
  /** The run's id. */
  readonly run: string
  /** Attempts of model calls. */
  readonly modelCalls: number
  /** Tool calls. */
  readonly toolCalls: number
  /** Input tokens of all model calls. */
  readonly inputTokens: number
  /** Output tokens of all model calls. */
  readonly outputTokens: number
  /** What it cost, USD; null when at least one call has no known price. */
  readonly costUsd: number | null
}

/** Where a run stands. `waiting` is an outcome too: the run needs the world. */
export type RunOutcome<O = unknown> = RunSummary &
  (
    | { readonly outcome: 'done'; readonly output: O }
    | { readonly outcome: 'failed'; readonly failure: Failure; readonly output?: O; readonly defect?: true }
    | { readonly outcome: 'limited'; readonly failure: Failure; readonly output?: O }
    | { readonly outcome: 'cancelled'; readonly failure: Failure }
    | { readonly outcome: 'waiting'; readonly waiting: readonly Waiting[] }
  )

/** Usage of a run as callers see it. */
export const summaryOf = (row: RunRow): RunSummary => ({
  run: row.id,
  modelCalls: row.modelCalls,
  toolCalls: row.toolCalls,
  inputTokens: row.inputTokens,
  outputTokens: row.outputTokens,
  costUsd: row.costUnknown ? null : row.costNano / 1e9,
})
