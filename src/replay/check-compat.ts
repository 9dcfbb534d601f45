// Whether unfinished runs could go on with a changed agent. Invariant: nothing is written; a run counts as safe only when
// its entries were folded with the new machine, or its migration was tried on where it stands.
import type { Agent } from '../agent/index.ts'
import { failureOf } from '../failure/index.ts'
import { isEnded, type Journal, type RunRow } from '../journal/index.ts'
import { tryMigration } from '../run/index.ts'
import type { Difference } from './difference.ts'
import { firstDifference } from './print.ts'
import { stateText } from './place.ts'
import { exportRun } from './record.ts'
import { replay } from './replay.ts'

/**
 * What would become of a run. `fits`: it goes on as it is. `accept`: its agent has another hash, but every step leads
 * where it led; resume it with `acceptChanged`. `migrates`: a migration takes it over. `strands`: nothing does.
 */
export type Fate = 'fits' | 'accept' | 'migrates' | 'strands'

/** One run under the changed agent. */
export interface CompatReport {
  /** The run's id. */
  readonly run: string
  /** Where it stands: `queued`, `running` or `waiting`. */
  readonly status: RunRow['status']
  /** Where it stands. */
  readonly state: string
  /** Hash of the agent it was started with, to name in a migration. */
  readonly from: string
  /** What would become of it. */
  readonly fate: Fate
  /** Why it strands. */
  readonly reason?: string
  /** Where it goes another way, when it strands. */
  readonly difference?: Difference
}

/** Rows that a list shows at most when nothing else is said. */
const MOST_RUNS = 10_000

/** The fate of one run. */
const fateOf = async (journal: Journal, agent: Agent, row: RunRow): Promise<Pick<CompatReport, 'fate' | 'reason' | 'difference'>> => {
  const migration = row.agentHash === agent.hash ? undefined : agent.migrations.find(({ from }) => from === row.agentHash)
  if (migration !== undefined) {
    const failed = await tryMigration(journal, row, agent, migration)
    return failed === undefined ? { fate: 'migrates' } : { fate: 'strands', reason: `its migration fails: ${failed.message}` }
  }
  try {
    const report = await replay(agent, await exportRun(journal, row.id), { level: 'pure' })
    const [difference] = report.differences
    if (difference !== undefined) return { fate: 'strands', reason: firstDifference(report), difference }
    return { fate: row.agentHash === agent.hash ? 'fits' : 'accept' }
  } catch (error) {
    const known = failureOf(error)
    if (known === undefined) throw error
    return { fate: 'strands', reason: known.message }
  }
}

/**
 * Tells for each unfinished run of an agent what would become of it.
 * @param statuses which runs; default: all that have not ended.
 */
export const checkCompat = async (journal: Journal, agent: Agent, statuses: readonly RunRow['status'][] = ['queued', 'running', 'waiting']): Promise<readonly CompatReport[]> => {
  const rows = (await journal.list({ agent: agent.id, status: statuses, limit: MOST_RUNS })).filter(({ status }) => !isEnded(status))
  const reports: CompatReport[] = []
  for (const row of rows) reports.push({ run: row.id, status: row.status, state: stateText(row.state as never), from: row.agentHash, ...(await fateOf(journal, agent, row)) })
  return reports
}

/** The migration to write for runs that strand, ready to be filled in. */
export const migrationHint = (reports: readonly CompatReport[]): string => {
  const stranded = reports.filter(({ fate }) => fate === 'strands')
  const hashes = [...new Set(stranded.map(({ from }) => from))]
  return hashes
    .map((from) => {
      const states = [...new Set(stranded.filter((report) => report.from === from).map(({ state }) => state))]
      return `migrations: [{\n  from: '${from}',\n  // They stand at ${states.join(', ')}.\n  migrate: ({ value, context }) => ({ value: /* where they stand now */ value, context }),\n}]`
    })
    .join('\n')
}
