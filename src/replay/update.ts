// Brings a recording up to date with a changed agent, once a person has seen how it differs and said yes. Invariant: what
// is accepted is bound to exactly the differences that were shown; anything that changed since must be shown again.
import type { Agent } from '../agent/index.ts'
import { fail } from '../failure/index.ts'
import { shortHash } from '../schema/index.ts'
import type { ReplayReport } from './difference.ts'
import { firstDifference } from './print.ts'
import type { Recording } from './recording.ts'
import { refoldRecording, type Refolded } from './refold.ts'
import type { ReplayOptions } from './replay.ts'

/** What a person accepts: eight characters over every difference and the recording they are differences of. */
const acceptanceOf = (report: Pick<ReplayReport, 'differences'>, recording: Recording): string => shortHash([recording.row.hash, report.differences]).slice(0, 8)

/** A recording for the changed agent. */
export interface Updated extends Refolded {
  /** What must be accepted before it may replace the old one. */
  readonly acceptance: string
}

/**
 * Folds a recording with a changed agent as far as its answers reach.
 * @throws FailureError `usage` when the agent asks for what the recording does not hold: such a run must be recorded anew.
 */
export const updateRecording = async (agent: Agent, recording: Recording, options: Pick<ReplayOptions, 'name' | 'prompts'> = {}): Promise<Updated> => {
  const { recording: updated, report } = await refoldRecording(agent, recording, { ...options, versions: 'current' })
  const asked = report.differences.filter(({ kind }) => kind === 'unanswered')
  if (asked.length > 0) {
    fail('usage', `Recording ${report.name} cannot be brought up to date: ${firstDifference({ ...report, differences: asked })}. Record such a run anew, or fork this one and go on live.`, {
      details: { name: report.name },
    })
  }
  return { recording: updated, report, acceptance: acceptanceOf(report, recording) }
}
