// A run's row as the page lists it.
import type { Agent } from '../../agent/index.ts'
import type { RunRow, Waiting } from '../../journal/index.ts'
import { acceptedBy, type Accepted } from '../../run/index.ts'
import type { JsonSchema, PendingCall, RunSummary, Wait } from '../page/wire.ts'
import { showValue } from './active.ts'
import { clip } from './clip.ts'

/** Characters of arguments, as JSON, that the page may change: what it sends back has to fit into one request. */
const LONGEST_EDITED = 48_000

/** A call as the page shows it. What was cut on the way must not be sent back as if it were all. */
const shownCall = ({ hash, name, args }: NonNullable<Waiting['calls']>[number], schema: Accepted['calls'][string] | undefined): PendingCall => {
  const shown = clip(args)
  const text = JSON.stringify(args)
  return { hash, name, args: shown, editable: text.length <= LONGEST_EDITED && text === JSON.stringify(shown), ...(schema === undefined ? {} : { schema: schema as JsonSchema }) }
}

/** What a run waits for, as the page shows it. */
const shownWait = ({ for: what, state, show, accepts, calls, keys, dueAt }: Waiting, { events, calls: schemas }: Accepted): Wait => ({
  for: what,
  state,
  accepts,
  ...(show === undefined ? {} : { show: clip(show) }),
  ...(calls === undefined ? {} : { calls: calls.map((call) => shownCall(call, schemas[call.hash])) }),
  ...(accepts.some((type) => events[type] !== undefined) ? { payloads: Object.fromEntries(accepts.flatMap((type) => (events[type] === undefined ? [] : [[type, events[type] as JsonSchema]]))) } : {}),
  ...(keys === undefined ? {} : { keys }),
  ...(dueAt === undefined ? {} : { dueAt }),
})

const NOTHING: Accepted = { events: {}, calls: {} }

/** A run as lists show it. @param agent its agent, which knows what it accepts. */
export const summaryOf = (row: RunRow, agent?: Agent): RunSummary => ({
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
  ...(row.waiting === undefined ? {} : { waiting: row.waiting.map((waiting) => shownWait(waiting, agent === undefined ? NOTHING : acceptedBy(row, agent))) }),
})
