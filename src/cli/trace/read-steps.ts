// The steps of a run for those who look back: folded with its agent where that is at hand, or else as the entries alone tell
// them. Invariant: a run that is in the journal can be read; what is missing without its agent is said.
import type { Agent } from '../../agent/index.ts'
import { failureOf } from '../../failure/index.ts'
import type { Journal, RunRow } from '../../journal/index.ts'
import { historyOf, recordedHistory, type HistoryStep } from '../../run/index.ts'
import { agentOfRun } from '../open-runtime.ts'
import type { Project } from '../project.ts'

/** A run that was read. */
export interface ReadSteps {
  readonly steps: readonly HistoryStep[]
  /** Undefined when the run was read from its entries alone. */
  readonly agent: Agent | undefined
  /** What the user should know then. */
  readonly note?: string
}

const MISSING = 'so this is what the journal alone tells: arguments that the agent itself computes, and tools that nobody chose, are missing.'

const fromEntries = async (journal: Journal, row: RunRow, why: string): Promise<ReadSteps> => ({ agent: undefined, steps: await recordedHistory(journal, row.id).next(), note: `${why}, ${MISSING}` })

/** Reads a run. @param named the agent as the user named it. @throws FailureError `agent_not_found`, `agent_invalid` for a named one. */
export const readSteps = async (project: Project, journal: Journal, row: RunRow, named: string | undefined): Promise<ReadSteps> => {
  // A call of a client and a recorded loop have no file; another agent of an application may have one.
  if (named === undefined && row.source === undefined) return fromEntries(journal, row, 'An application started this run, and --agent names no agent for it')
  let agent: Agent
  try {
    agent = (await agentOfRun(project, row, named)).agent
  } catch (thrown) {
    const known = failureOf(thrown)
    if (known === undefined || named !== undefined) throw thrown
    return fromEntries(journal, row, known.message.replace(/\.$/, ''))
  }
  try {
    return { agent, steps: await historyOf(journal, row.id, agent).next() }
  } catch (thrown) {
    if (failureOf(thrown)?.code !== 'definition_changed') throw thrown
    return fromEntries(journal, row, `Agent ${row.agent} has changed since this run (${row.agentHash.slice(0, 12)}, now ${agent.hash.slice(0, 12)})`)
  }
}
