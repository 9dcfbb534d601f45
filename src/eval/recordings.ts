// Tier 0: recorded runs are replayed against today's agent. Invariant: no network, no model, no statistics: a run that goes
// another way than recorded blocks, and one whose answers belong to an older prompt is named apart.
import { fileURLToPath } from 'node:url'
import { fail } from '../failure/index.ts'
import { firstDifference, replayAll } from '../replay/index.ts'
import type { Evaluation } from './evaluation.ts'

/** What became of one recording. */
export interface ReplayedRecording {
  readonly name: string
  readonly status: 'same' | 'stale' | 'diverged'
  /** Where it first differs; empty when it is the same. */
  readonly difference: string
}

/**
 * Replays the recordings of an evaluation.
 * @throws FailureError `usage` when a folder holds none, or the evaluation runs a function, which has none.
 */
export const replayRecordings = async ({ name, agent, recordings = [] }: Evaluation): Promise<readonly ReplayedRecording[]> => {
  if (recordings.length === 0) return []
  if (typeof agent === 'function') return fail('usage', `The evaluation ${name} names recordings, but it runs a function. Only runs of agents are recorded; take recordings out.`)
  const reports = []
  for (const folder of recordings) reports.push(...(await replayAll(folder instanceof URL ? fileURLToPath(folder) : folder, { agent })))
  return reports.map((report) => ({ name: report.name, status: report.status, difference: report.status === 'same' ? '' : firstDifference(report) }))
}
