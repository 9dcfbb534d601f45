// A run's row as the page lists it.
import type { RunRow, Waiting } from '../../journal/index.ts'
import type { RunSummary, Wait } from '../page/wire.ts'
import { showValue } from './active.ts'
import { clip } from './clip.ts'

/** What a run waits for, as the page shows it. */
const shownWait = ({ for: what, state, show, accepts, calls, keys, dueAt }: Waiting): Wait => ({
  for: what,
  state,
  accepts,
  ...(show === undefined ? {} : { show: clip(show) }),
  ...(calls === undefined ? {} : { calls: calls.map(({ hash, name, args }) => ({ hash, name, args: clip(args) })) }),
  ...(keys === undefined ? {} : { keys }),
  ...(dueAt === undefined ? {} : { dueAt }),
})

/** A run as lists show it. */
export const summaryOf = (row: RunRow): RunSummary => ({
  id: row.id,
  from: 'run',
  agent: row.agent,
  ...(row.agentVersion === undefined ? {} : { version: row.agentVersion }),
  status: row.status,
  startedAt: row.startedAt,
  updatedAt: row.updatedAt,
  state: showValue(row.state),
  steps: row.seq + 1,
  ...(row.user === undefined ? {} : { user: row.user }),
  ...(row.route === undefined ? {} : { route: row.route }),
  ...(row.session === undefined ? {} : { session: row.session }),
  modelCalls: row.modelCalls,
  toolCalls: row.toolCalls,
  inputTokens: row.inputTokens,
  outputTokens: row.outputTokens,
  costUsd: row.costUnknown ? null : row.costNano / 1e9,
  ...(row.failureCode === undefined ? {} : { failureCode: row.failureCode }),
  ...(row.waiting === undefined ? {} : { waiting: row.waiting.map(shownWait) }),
})
