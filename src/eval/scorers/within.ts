// Holds a run to limits and budgets. Invariant: an unknown cost breaks a cost limit, because nobody can say that it was kept.
import { passUnless, type Scored, type Scorer } from '../score.ts'

/** The most a run may use; what is not named is not limited. */
export interface Bounds {
  readonly costUsd?: number
  /** Input and output together. */
  readonly tokens?: number
  readonly modelCalls?: number
  readonly toolCalls?: number
  readonly transitions?: number
  readonly durationMs?: number
}

const usedBy = (trial: Scored): { readonly [K in keyof Bounds]-?: number | null } => ({
  costUsd: trial.costUsd,
  tokens: trial.inputTokens + trial.outputTokens,
  modelCalls: trial.modelCalls,
  toolCalls: trial.calls.length,
  transitions: trial.transitions,
  durationMs: trial.durationMs,
})

/**
 * Passes when the run stayed within every bound.
 * @example within({ costUsd: 0.02, modelCalls: 4, durationMs: 20_000 })
 */
export const within =
  (bounds: Bounds): Scorer =>
  (trial) => {
    const used = usedBy(trial)
    const names = Object.keys(bounds) as (keyof Bounds)[]
    return passUnless(
      names.flatMap((name) => {
        const [most, seen] = [bounds[name], used[name]]
        if (most === undefined || (seen !== null && seen <= most)) return []
        return [`${name}: at most ${most}, seen ${seen ?? 'an unknown amount, since a price is unknown'}`]
      }),
    )
  }
