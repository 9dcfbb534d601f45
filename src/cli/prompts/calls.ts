// The calls that a prompt made, read from the entries of runs. Invariant: a run counts for the version that its first entry
// recorded, so what is compared is what was assigned.
import { isEnded, type EntryBody, type Journal, type RunRow, type StartCause } from '../../journal/index.ts'
import type { PromptAssignment, Unit } from '../../prompt/index.ts'

/** One call that was sent. */
export interface PromptCall {
  /** False for one that failed and cost nothing, such as one that was turned away. */
  readonly billed: boolean
  /** null when the price is unknown. */
  readonly costNano: number | null
  readonly latencyMs: number
  readonly failed: boolean
}

/** A run that a prompt took part in. */
export interface PromptRun {
  readonly run: string
  readonly startedAt: number
  readonly assignment: PromptAssignment
  /** Whom the run was for, in the unit that is compared by; the run itself where it was for nobody. */
  readonly unit: string
  /** Undefined while it has not ended. */
  readonly ok: boolean | undefined
  readonly calls: readonly PromptCall[]
}

/** More runs than anybody compares at once. */
const MOST_RUNS = 1_000_000

const callsIn = (bodies: readonly EntryBody[], id: string): readonly PromptCall[] => {
  const outcomes = bodies.flatMap(({ cause }) => (cause.type === 'attempt' ? [cause.outcome] : []))
  const billed = outcomes.flatMap(({ calls = [] }) => calls).filter(({ prompt, cached }) => prompt === id && cached !== true)
  const unbilled = outcomes.flatMap((outcome) => outcome.unbilled ?? []).filter(({ prompt }) => prompt === id)
  return [
    ...billed.map(({ costNano, latencyMs, failed }) => ({ billed: true, costNano, latencyMs, failed: failed !== undefined })),
    ...unbilled.map(({ latencyMs }) => ({ billed: false, costNano: 0, latencyMs, failed: true })),
  ]
}

const runOf = (row: RunRow, bodies: readonly EntryBody[], id: string): PromptRun | undefined => {
  const start = bodies[0]?.cause as StartCause | undefined
  const assignment = start?.prompts?.[id]
  const calls = assignment === undefined ? [] : callsIn(bodies, id)
  if (assignment === undefined || calls.length === 0) return undefined
  const by: Unit = assignment.unit ?? 'user'
  return { run: row.id, startedAt: row.startedAt, assignment, unit: (by === 'run' ? undefined : row[by]) ?? row.id, ok: isEnded(row.status) ? row.status === 'done' : undefined, calls }
}

/** Runs in which a prompt was called, oldest first. @param since milliseconds UTC. */
export const promptRuns = async (journal: Journal, id: string, since: number): Promise<readonly PromptRun[]> => {
  const found: PromptRun[] = []
  for (const row of (await journal.list({ since, limit: MOST_RUNS })).toReversed()) {
    if (row.modelCalls === 0) continue
    const bodies = (await journal.read(row.id)).map(({ text }) => JSON.parse(text) as EntryBody)
    found.push(...[runOf(row, bodies, id)].filter((run) => run !== undefined))
  }
  return found
}
