// Judges how a run ended. Invariant: a run that waits for a person has an outcome of its own.
import { failedBecause, passed, type Scorer } from '../score.ts'
import type { Observation } from '../observation.ts'

/** Passes when the run ended this way, and, when a code is named, by this failure. */
export const ended =
  (outcome: Observation['outcome'], code?: string): Scorer =>
  (trial) => {
    const seen = `${trial.outcome}${trial.failure === undefined ? '' : ` by ${trial.failure.code}: ${trial.failure.message}`}`
    const right = trial.outcome === outcome && (code === undefined || trial.failure?.code === code)
    return right ? passed : failedBecause(`expected to end ${outcome}${code === undefined ? '' : ` by ${code}`}, seen ${seen}`)
  }
