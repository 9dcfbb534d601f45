// A run as HTTP shows it: its row and, once it has ended, how. Invariant: nothing here tells more than `stateloop show` of
// the same run, and less than the row where the row is the operator's: no hashes, no source, no causes of failures.
import type { Failure, Json } from '../failure/index.ts'
import { isEnded, type RunRow, type RunStatus, type Waiting } from '../journal/index.ts'
import type { Runtime, RunEvent } from '../run/index.ts'
import { ownName } from './access.ts'
import { tellableFailure } from './problem.ts'

/** A run as HTTP shows it. `O` is the output of its agent. */
export interface RunView<O = unknown> {
  /** Its id. */
  readonly run: string
  /** Id of its agent. */
  readonly agent: string
  /** Where it stands. */
  readonly status: RunStatus
  /** Where its machine stands: `"asking"`, or an object for a machine with regions. */
  readonly state: Json
  /** Milliseconds UTC. */
  readonly startedAt: number
  /** Time of its last step, milliseconds UTC. */
  readonly updatedAt: number
  /** Whom it is for. */
  readonly user?: string
  /** The part of the product that asked. */
  readonly route?: string
  /** The customer it belongs to. */
  readonly tenant?: string
  /** The session it is part of. */
  readonly session?: string
  /** The caller's key: starting again with it gives this run. */
  readonly key?: string
  /** Attempts of model calls. */
  readonly modelCalls: number
  /** Tool calls. */
  readonly toolCalls: number
  /** Input tokens of all model calls. */
  readonly inputTokens: number
  /** Output tokens of all model calls. */
  readonly outputTokens: number
  /** What it cost so far, USD; null when at least one call has no known price. */
  readonly costUsd: number | null
  /** What it waits for, when its status is `waiting`. */
  readonly waiting?: readonly Waiting[]
  /** What it gave, once it has ended. */
  readonly output?: O
  /** Why it did not end as `done`; lists show its code alone. */
  readonly failure?: Failure
  /** The code of that failure. */
  readonly failureCode?: string
}

/** A row as HTTP shows it. */
export const viewOf = (row: RunRow): RunView => {
  const { id, agent, status, state, startedAt, updatedAt, user, route, tenant, session, key, waiting, output, failureCode } = row
  const { modelCalls, toolCalls, inputTokens, outputTokens, costNano, costUnknown } = row
  const named = (name: string | undefined): string | undefined => (name === undefined ? undefined : ownName(row, name))
  const optional = Object.entries({ user, route, tenant, session: named(session), key: named(key), waiting, output, failureCode }).filter(([, value]) => value !== undefined)
  return {
    run: id,
    agent,
    status,
    state,
    startedAt,
    updatedAt,
    modelCalls,
    toolCalls,
    inputTokens,
    outputTokens,
    costUsd: costUnknown ? null : costNano / 1e9,
    ...Object.fromEntries(optional),
  }
}

/** A run with the failure it ended with. */
export const fullViewOf = async (runtime: Runtime, row: RunRow): Promise<RunView> => {
  if (!isEnded(row.status) || row.status === 'done') return viewOf(row)
  const outcome = await runtime.outcome(row.id)
  return 'failure' in outcome ? { ...viewOf(row), failure: tellableFailure(outcome.failure) } : viewOf(row)
}

/** An event as clients are told it. */
export const tellable = (event: RunEvent): RunEvent => ('failure' in event && event.failure !== undefined ? { ...event, failure: tellableFailure(event.failure) } : event)
