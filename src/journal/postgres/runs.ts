// Runs and their entries in PostgreSQL. Invariant: an entry and the row that sums it up are written by one statement, under
// the row's lock and only for the owner and epoch that the row names.
import type { Clock } from '../../clock/index.ts'
import type { Settlement } from '../../cost/index.ts'
import { fail } from '../../failure/index.ts'
import { verifyChain } from '../chain.ts'
import { CHAIN_START, type StoredEntry } from '../entry.ts'
import type { Journal, Lease, RowUpdate, RunRow } from '../journal.ts'
import { checkRow, checkText, isNext, refuseLost, refuseSession, refuseUnknown } from '../refusal.ts'
import { damaged, numberIn, textIn, type Columns, type Value } from '../sqlite/connection.ts'
import { columnsOf, INSERT_ROW, rowIn, SELECT_ROW } from '../sqlite/row.ts'
import { BY_KEY, entryIn, IN_SESSION, INSERT_ENTRY, listStatement, SET, setParameters } from '../sqlite/runs.ts'
import { settleEntry } from '../sql/settle.ts'
import { performLater } from '../sql/script.ts'
import type { PgDatabase, PgSql } from './database.ts'

const APPEND = `WITH moved AS (
    UPDATE runs SET ${SET}, status = ?, agent_hash = coalesce(?, agent_hash), agent_version = CASE WHEN ?::int = 1 THEN ? ELSE agent_version END
    WHERE id = ? AND seq = ? AND lease_owner = ? AND lease_epoch = ? RETURNING no)
  INSERT INTO entries (run, seq, at, hash, body) SELECT no, ?::bigint, ?::bigint, ?, ? FROM moved RETURNING run`

const LEASED = 'UPDATE runs SET lease_owner = ?, lease_epoch = 1, lease_expires_at = ? WHERE no = ?'

/** A run's number, head, status and lease, or a refusal. @throws FailureError `run_not_found`. */
export const pgRunIn = async (sql: PgSql, id: string): Promise<{ readonly no: number; readonly seq: number; readonly hash: string; readonly owner: unknown; readonly epoch: number; readonly expiresAt: number }> => {
  const found = (await sql.get('SELECT no, seq, hash, lease_owner, lease_epoch, lease_expires_at FROM runs WHERE id = ?', id)) ?? refuseUnknown(id)
  const what = `the row of run ${id}`
  return {
    no: numberIn(found['no'], what),
    seq: numberIn(found['seq'], what),
    hash: textIn(found['hash'], what),
    owner: found['lease_owner'],
    epoch: numberIn(found['lease_epoch'], what),
    expiresAt: numberIn(found['lease_expires_at'], what),
  }
}

type Created = { readonly created: true; readonly lease: Lease } | { readonly created: false; readonly row: RunRow }

const createIn = async (sql: PgSql, again: boolean, row: RunRow, entry: StoredEntry, lease: Lease): Promise<Created> => {
  // The commit before a connection was lost may have been made.
  if (again && (await sql.get('SELECT no FROM runs WHERE id = ? AND lease_owner = ? AND lease_epoch = 1', row.id, lease.owner)) !== undefined) return { created: true, lease }
  const tenant = row.tenant ?? ''
  const taken = row.key === undefined ? undefined : await sql.get(BY_KEY, row.agent, tenant, row.key)
  if (taken !== undefined) return { created: false, row: rowIn(taken) }
  const busy = row.session === undefined ? undefined : await sql.get(IN_SESSION, tenant, row.session)
  if (row.session !== undefined && busy !== undefined) refuseSession(row.session, textIn(busy['id'], 'the id of a run'))
  const no = numberIn((await sql.get(INSERT_ROW, ...columnsOf(row, entry)))?.['no'], 'the number of a run')
  await sql.get(LEASED, lease.owner, lease.expiresAt, no)
  await sql.get(INSERT_ENTRY, no, entry.seq, entry.at, entry.hash, entry.text)
  return { created: true, lease }
}

const appendParameters = (lease: Lease, entry: StoredEntry, update: RowUpdate): Value[] => {
  const { agentHash = null, agentVersion = null } = update
  const migrated = Number(update.agentHash !== undefined || update.agentVersion !== undefined)
  const where = [lease.run, entry.seq - 1, lease.owner, lease.epoch]
  return [...setParameters(entry, update), update.status, agentHash, migrated, agentVersion, ...where, entry.seq, entry.at, entry.hash, entry.text]
}

/** Appends and settles in one transaction; an entry that is there already is settled already. */
const appendSettling = async (sql: PgSql, parameters: readonly Value[], settlement: Settlement, run: string, atMs: number): Promise<readonly Columns[]> => {
  const moved = await sql.all(APPEND, ...parameters)
  if (moved.length > 0) await performLater(sql, settleEntry(settlement, run, atMs))
  return moved
}

/** Says why nothing was appended; returns when the entry was there before. */
const explain = async (sql: PgSql, lease: Lease, entry: StoredEntry, acknowledged: number): Promise<void> => {
  const run = await pgRunIn(sql, lease.run)
  if (run.seq < acknowledged) {
    const [have, witnessed] = [run.seq + 1, acknowledged + 1]
    fail(
      'journal_rolled_back',
      `Appending to run ${lease.run}, ${have} entries were found, but ${witnessed} were acknowledged: the server was replaced by one that is behind. Recover the old server, or let the run go on from what is there in another process.`,
      { details: { run: lease.run, have, witnessed } },
    )
  }
  if (run.owner !== lease.owner || run.epoch !== lease.epoch) refuseLost(lease, run.epoch)
  if (isNext(lease.run, run, entry)) damaged(`the row of run ${lease.run}`)
}

/** Appends of one run, one after the other: connections of a pool would overtake one another. */
const inLine = (): ((run: string, job: () => Promise<void>) => Promise<void>) => {
  const tails = new Map<string, Promise<void>>()
  return (run, job) => {
    const before = tails.get(run)
    const mine = before === undefined ? job() : before.then(job, job)
    tails.set(run, mine)
    const leave = (): void => void (tails.get(run) === mine && tails.delete(run))
    mine.then(leave, leave)
    return mine
  }
}

const readIn = async (sql: PgSql, id: string, from: number): Promise<readonly StoredEntry[]> => {
  const head = await pgRunIn(sql, id)
  // The entry before the first one anchors the chain.
  const start = Math.max(0, from - 1)
  if (start > head.seq) return []
  const found = await sql.all('SELECT seq, at, hash, body FROM entries WHERE run = ? AND seq >= ? ORDER BY seq', head.no, start)
  const entries = found.map(entryIn)
  const anchor = from > 0 && entries[0]?.seq === start ? entries.shift() : undefined
  verifyChain(id, entries, anchor === undefined ? start : from, anchor?.hash ?? CHAIN_START, head)
  return entries
}

/**
 * The part of the journal that is about runs and entries.
 * @param settled Resolves when content that was put before is durable.
 */
export const pgRunsOn = (db: PgDatabase, clock: Clock, settled: () => Promise<void>): Pick<Journal, 'create' | 'append' | 'read' | 'get' | 'list'> & { readonly forgetHead: (run: string) => void } => {
  const line = inLine()
  /** The last entry of each run that this process was told is durable. */
  const acknowledged = new Map<string, number>()
  const rowsOf = (rows: readonly Columns[]): readonly RunRow[] => rows.map(rowIn)
  return {
    forgetHead: (run) => void acknowledged.delete(run),
    async create(row, entry, owner, leaseMs) {
      checkRow(row, entry)
      const lease = { run: row.id, owner, epoch: 1, expiresAt: clock.now() + leaseMs }
      await settled()
      return db.write((sql, again) => createIn(sql, again, row, entry, lease))
    },
    async append(lease, entry, update, settlement) {
      checkText(entry.text)
      const content = settled()
      await line(lease.run, async () => {
        await content
        const parameters = appendParameters(lease, entry, update)
        const moved = settlement === undefined ? await db.once('Writing to', APPEND, ...parameters) : await db.write((sql) => appendSettling(sql, parameters, settlement, lease.run, entry.at))
        if (moved.length === 0) await db.read((sql) => explain(sql, lease, entry, acknowledged.get(lease.run) ?? -1))
        acknowledged.set(lease.run, entry.seq)
      })
    },
    read: (id, from = 0) => db.read((sql) => readIn(sql, id, from)),
    get: async (id) => rowsOf(await db.once('Reading', `${SELECT_ROW} WHERE id = ?`, id))[0],
    list: async (filter = {}) => {
      const { sql, parameters } = listStatement(filter)
      return rowsOf(await db.once('Reading', sql, ...parameters))
    },
  }
}
