// Runs and their entries in SQL. Invariant: a row is written in the transaction of the entry it sums up, and only under
// the lease whose owner and epoch the entry was appended with.
import type { Clock } from '../../clock/index.ts'
import type { Settlement } from '../../cost/index.ts'
import { verifyChain } from '../chain.ts'
import { CHAIN_START, type StoredEntry } from '../entry.ts'
import type { Journal, Lease, RowUpdate, RunFilter, RunRow } from '../journal.ts'
import { checkRow, checkText, isNext, refuseLost, refuseSession, refuseUnknown } from '../refusal.ts'
import { settleEntry } from '../sql/settle.ts'
import { perform } from '../sql/script.ts'
import { damaged, numberIn, textIn, type Columns, type Value } from './connection.ts'
import type { Database, WriteSql } from './database.ts'
import { oneOf } from './one-of.ts'
import type { Sql } from './open.ts'
import { columnsOf, flagColumn, INSERT_ROW, jsonColumn, rowIn, SELECT_ROW } from './row.ts'

/** Finds the run that has a key. */
export const BY_KEY = `${SELECT_ROW} WHERE agent = ? AND coalesce(tenant, '') = ? AND run_key = ?`
/** Finds the run that holds a session. */
export const IN_SESSION = `SELECT id FROM runs WHERE coalesce(tenant, '') = ? AND session = ? AND status IN ('queued', 'running', 'waiting')`
const INSERT_LEASE = 'INSERT INTO leases (run, owner, epoch, expires_at) VALUES (?, ?, 1, ?)'
/** Adds an entry. */
export const INSERT_ENTRY = 'INSERT INTO entries (run, seq, at, hash, body) VALUES (?, ?, ?, ?, ?)'

/** What an entry changes in its run's row. */
// The same parameters twice: most entries leave the status as it was, and naming it in SET would rewrite its indexes.
export const SET = `seq = ?, hash = ?, updated_at = ?, state = ?, waiting = ?, due_at = ?, taken = ?, model_calls = ?, tool_calls = ?,
  input_tokens = ?, output_tokens = ?, cost_nano = ?, cost_unknown = ?, output = ?, failure_code = ?, defect = ?`
const HELD = 'id = ? AND seq = ? AND EXISTS (SELECT 1 FROM leases WHERE leases.run = runs.no AND owner = ? AND epoch = ?)'
const ADVANCE = `UPDATE runs SET ${SET} WHERE status = ? AND ${HELD} RETURNING no`
const ADVANCE_AND_MOVE = `UPDATE runs SET ${SET}, status = ? WHERE ${HELD} RETURNING no`
/** Puts a run under another agent. */
const MIGRATE = 'UPDATE runs SET agent_hash = coalesce(?, agent_hash), agent_version = ? WHERE no = ?'

/** A run's number, head, status and inbox length, or a refusal. @throws FailureError `run_not_found`, `journal_corrupt`. */
export const runIn = (db: Database, sql: Sql, id: string): { readonly no: number; readonly seq: number; readonly hash: string; readonly status: string; readonly inbox: number } => {
  const found = sql.get('SELECT no, id, seq, hash, status, inbox FROM runs WHERE id = ?', id) ?? missing(db, sql, id)
  const what = `the row of run ${id}`
  if (found['id'] !== id) damaged(what)
  return {
    no: numberIn(found['no'], what),
    seq: numberIn(found['seq'], what),
    hash: textIn(found['hash'], what),
    status: textIn(found['status'], what),
    inbox: numberIn(found['inbox'], what),
  }
}

/** A damaged index hides rows, so a run is said to be unknown only once the table was found whole. */
const missing = (db: Database, sql: Sql, id: string): never => {
  db.verifyTable(sql, 'runs')
  return refuseUnknown(id)
}

/** An entry as it was stored. */
export const entryIn = (found: Columns): StoredEntry => ({
  seq: numberIn(found['seq'], 'the seq of an entry'),
  at: numberIn(found['at'], 'the time of an entry'),
  hash: textIn(found['hash'], 'the hash of an entry'),
  text: textIn(found['body'], 'the body of an entry'),
})

const createIn = (sql: WriteSql, row: RunRow, entry: StoredEntry, lease: Lease): { readonly created: true; readonly lease: Lease } | { readonly created: false; readonly row: RunRow } => {
  const tenant = row.tenant ?? ''
  const taken = row.key === undefined ? undefined : sql.get(BY_KEY, row.agent, tenant, row.key)
  if (taken !== undefined) return { created: false, row: rowIn(taken) }
  const busy = row.session === undefined ? undefined : sql.get(IN_SESSION, tenant, row.session)
  if (row.session !== undefined && busy !== undefined) refuseSession(row.session, textIn(busy['id'], 'the id of a run'))
  const no = numberIn(sql.get(INSERT_ROW, ...columnsOf(row, entry))?.['no'], 'the number of a run')
  sql.run(INSERT_LEASE, no, lease.owner, lease.expiresAt)
  sql.run(INSERT_ENTRY, no, entry.seq, entry.at, entry.hash, entry.text)
  sql.seal(entry.hash)
  return { created: true, lease }
}

/** The parameters of SET. */
export const setParameters = (entry: StoredEntry, update: RowUpdate): Value[] => {
  const { updatedAt, taken, modelCalls, toolCalls, inputTokens, outputTokens, costNano, costUnknown, dueAt = null, failureCode = null } = update
  const texts = [jsonColumn(update.state), jsonColumn(update.waiting)]
  const counts = [modelCalls, toolCalls, inputTokens, outputTokens, costNano, Number(costUnknown)]
  const end = [jsonColumn(update.output), failureCode, flagColumn(update.defect)]
  return [entry.seq, entry.hash, updatedAt, ...texts, dueAt, taken, ...counts, ...end]
}

const appendIn = (db: Database, sql: WriteSql, lease: Lease, entry: StoredEntry, update: RowUpdate, settlement: Settlement | undefined): void => {
  const where = [update.status, lease.run, entry.seq - 1, lease.owner, lease.epoch]
  const parameters = [...setParameters(entry, update), ...where]
  const moved = sql.get(ADVANCE, ...parameters) ?? sql.get(ADVANCE_AND_MOVE, ...parameters)
  if (moved === undefined) return explain(db, sql, lease, entry)
  const no = moved['no'] as number
  sql.run(INSERT_ENTRY, no, entry.seq, entry.at, entry.hash, entry.text)
  if (update.agentHash !== undefined || update.agentVersion !== undefined) sql.run(MIGRATE, update.agentHash ?? null, update.agentVersion ?? null, no)
  if (settlement !== undefined) perform(sql, settleEntry(settlement, lease.run, entry.at))
  sql.seal(entry.hash)
}

/** Says why no row was updated; returns when the entry was there before. */
const explain = (db: Database, sql: Sql, lease: Lease, entry: StoredEntry): void => {
  const run = runIn(db, sql, lease.run)
  const held = sql.get('SELECT owner, epoch FROM leases WHERE run = ?', run.no)
  if (held?.['owner'] !== lease.owner || held['epoch'] !== lease.epoch) refuseLost(lease, numberIn(held?.['epoch'], `the lease of run ${lease.run}`))
  if (isNext(lease.run, run, entry)) damaged(`the row of run ${lease.run}`)
}

const readIn = (db: Database, sql: Sql, id: string, from: number): readonly StoredEntry[] => {
  const head = runIn(db, sql, id)
  // The entry before the first one anchors the chain.
  const start = Math.max(0, from - 1)
  if (start > head.seq) return []
  const entries = sql.all('SELECT seq, at, hash, body FROM entries WHERE run = ? AND seq >= ? ORDER BY seq', head.no, start).map(entryIn)
  const anchor = from > 0 && entries[0]?.seq === start ? entries.shift() : undefined
  verifyChain(id, entries, anchor === undefined ? start : from, anchor?.hash ?? CHAIN_START, head)
  return entries
}

const FILTERS: readonly (readonly [keyof RunFilter & keyof RunRow, string])[] = [
  ['agent', 'agent'],
  ['user', 'user_id'],
  ['route', 'route'],
  ['tenant', 'tenant'],
  ['session', 'session'],
  ['key', 'run_key'],
]

/** The statement that lists runs, with its parameters. */
export const listStatement = (filter: RunFilter): { readonly sql: string; readonly parameters: readonly Value[] } => {
  const { status, since, before, limit = 100 } = filter
  const given = FILTERS.filter(([field]) => filter[field] !== undefined)
  const conditions = given.map(([, column]) => `${column} = ?`)
  if (since !== undefined) conditions.push('started_at >= ?')
  if (before !== undefined) conditions.push('started_at < ?')
  if (status !== undefined) conditions.push(oneOf('status', status.length))
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
  const parameters = [...given.map(([field]) => filter[field] as string), ...(since === undefined ? [] : [since]), ...(before === undefined ? [] : [before]), ...(status ?? [])]
  return { sql: `${SELECT_ROW}${where} ORDER BY started_at DESC, no DESC LIMIT ?`, parameters: [...parameters, limit] }
}

const listIn = (db: Database, sql: Sql, filter: RunFilter): readonly RunRow[] => {
  db.verifyTable(sql, 'runs')
  const { sql: statement, parameters } = listStatement(filter)
  return sql.all(statement, ...parameters).map(rowIn)
}

/** The part of the journal that is about runs and entries. */
export const runsOn = (db: Database, clock: Clock): Pick<Journal, 'create' | 'append' | 'read' | 'get' | 'list'> => ({
  async create(row, entry, owner, leaseMs) {
    checkRow(row, entry)
    return db.write((sql) => createIn(sql, row, entry, { run: row.id, owner, epoch: 1, expiresAt: clock.now() + leaseMs }))
  },
  async append(lease, entry, update, settlement) {
    checkText(entry.text)
    return db.write((sql) => appendIn(db, sql, lease, entry, update, settlement))
  },
  read: (id, from = 0) => db.read((sql) => readIn(db, sql, id, from)),
  get: (id) =>
    db.read((sql) => {
      const found = sql.get(`${SELECT_ROW} WHERE id = ?`, id)
      if (found === undefined) db.verifyTable(sql, 'runs')
      const row = found === undefined ? undefined : rowIn(found)
      return row === undefined || row.id === id ? row : damaged(`the row of run ${id}`)
    }),
  list: (filter = {}) => db.read((sql) => listIn(db, sql, filter)),
})
