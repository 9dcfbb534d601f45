// What a worker can take up, in SQL. Invariant: a run is offered only while nobody holds its lease, and asking takes nothing.
import type { Clock } from '../../clock/index.ts'
import type { Claimable, ClaimQuery, ClaimReason, Journal, RunRow } from '../journal.ts'
import { numberIn, type Value } from './connection.ts'
import type { Database } from './database.ts'
import { oneOf } from './one-of.ts'
import type { Sql } from './open.ts'
import { rowIn, SELECT_ROW } from './row.ts'

/** SQL with its parameters. */
interface Bound {
  readonly sql: string
  readonly parameters: readonly Value[]
}

const NOBODY_HOLDS = 'NOT EXISTS (SELECT 1 FROM leases WHERE leases.run = runs.no AND owner IS NOT NULL AND expires_at > ?)'

const ofAgents = (agents: ClaimQuery['agents']): Bound => {
  if (agents === undefined) return { sql: '', parameters: [] }
  const each = agents.map(({ hashes }) => (hashes === undefined ? 'agent = ?' : `agent = ? AND ${oneOf('agent_hash', hashes.length)}`))
  return { sql: ` AND (${each.map((condition) => `(${condition})`).join(' OR ') || '1 = 0'})`, parameters: agents.flatMap(({ id, hashes = [] }) => [id, ...hashes]) }
}

// Each user's queued runs in a line of their own; the turn counts what the user has at work already.
const QUEUED = `SELECT runs.no AS queued_no, row_number() OVER (PARTITION BY runs.priority, runs.tenant, runs.user_id ORDER BY runs.started_at, runs.no)
    + coalesce(busy.count, 0) AS turn
  FROM runs LEFT JOIN (SELECT tenant, user_id, count(*) AS count FROM runs WHERE status = 'running' GROUP BY tenant, user_id) AS busy
    ON busy.tenant IS NOT DISTINCT FROM runs.tenant AND busy.user_id IS NOT DISTINCT FROM runs.user_id
  WHERE runs.status = 'queued'`

/** Kinds of claimable runs, most urgent first: where they are looked for and in which order. */
const KINDS: readonly { readonly reason: ClaimReason; readonly join: string; readonly where: string; readonly order: string; readonly timed?: true }[] = [
  { reason: 'work', join: '', where: `status = 'running'`, order: 'updated_at, no' },
  { reason: 'timer', join: '', where: `status = 'waiting' AND due_at IS NOT NULL AND due_at <= ?`, order: 'due_at, no', timed: true },
  { reason: 'event', join: '', where: `inbox > taken AND status IN ('running', 'waiting')`, order: 'updated_at, no' },
  { reason: 'queue', join: ` JOIN (${QUEUED}) AS queue ON queue.queued_no = runs.no`, where: `status = 'queued'`, order: 'coalesce(priority, 0) DESC, turn, started_at, no' },
]

/**
 * The statements that find claimable runs, most urgent first, and the one that finds the next timer.
 * @param nobodyHolds condition on a run, with the time now as its parameter.
 */
export const claimStatements = ({ engine, agents, limit, only }: ClaimQuery, nobodyHolds: string, nowMs: number): { readonly kinds: readonly Bound[]; readonly next: Bound } => {
  const known = ofAgents(agents)
  const kinds = KINDS.filter(({ reason }) => only === undefined || only.includes(reason)).map(({ join, where, order, timed }) => ({
    sql: `${SELECT_ROW}${join} WHERE ${where} AND engine = ? AND ${nobodyHolds}${known.sql} ORDER BY ${order} LIMIT ?`,
    parameters: [...(timed === true ? [nowMs] : []), engine, nowMs, ...known.parameters, limit],
  }))
  const next = { sql: `SELECT min(due_at) AS due_at FROM runs WHERE status = 'waiting' AND due_at > ? AND engine = ?${known.sql}`, parameters: [nowMs, engine, ...known.parameters] }
  return { kinds, next }
}

const claimableIn = (sql: Sql, query: ClaimQuery, nowMs: number): Claimable => {
  const { kinds, next } = claimStatements(query, NOBODY_HOLDS, nowMs)
  const runs = new Map<string, RunRow>()
  for (const { sql: statement, parameters } of kinds) {
    if (runs.size >= query.limit) break
    for (const row of sql.all(statement, ...parameters).map(rowIn)) if (runs.size < query.limit) runs.set(row.id, row)
  }
  const dueAt = sql.get(next.sql, ...next.parameters)?.['due_at'] ?? undefined
  return { runs: [...runs.values()], ...(dueAt === undefined ? {} : { nextDueAt: numberIn(dueAt, 'the time of a timer') }) }
}

/** The part of the journal that is about what a worker can take up. */
export const claimsOn = (db: Database, clock: Clock): Pick<Journal, 'claimable'> => ({
  claimable: (query) => db.read((sql) => claimableIn(sql, query, clock.now())),
})
