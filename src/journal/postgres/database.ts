// A PostgreSQL database: a pool of connections, statements and transactions on it, and what happens when it goes away.
// Invariant: what may or may not have happened is repeated only by a job that finds out, and nobody waits without an end.
import { sleep, type Clock } from '../../clock/index.ts'
import { refuseClosed } from '../refusal.ts'
import type { Columns, Value } from '../sqlite/connection.ts'
import type { PgClient, PgPool } from './driver.ts'
import { faultOf, isConflict, isLost } from './fault.ts'
import { migrate, placeOf, preparePool, type PostgresOptions } from './open.ts'

/** Statements of one connection, with bare `?` parameters. */
export interface PgSql {
  get(sql: string, ...parameters: Value[]): Promise<Columns | undefined>
  all(sql: string, ...parameters: Value[]): Promise<readonly Columns[]>
}

/** A database. It connects with its first use. */
export interface PgDatabase {
  readonly place: string
  /** Performs one statement, which must not matter when it is performed twice. */
  once(doing: 'Reading' | 'Writing to', sql: string, ...parameters: Value[]): Promise<readonly Columns[]>
  /** Performs `job` in one snapshot. */
  read<T>(job: (sql: PgSql) => Promise<T>): Promise<T>
  /**
   * Performs `job` in a transaction. It is performed again when another transaction stood in its way or the connection was
   * lost; then, with `again` true, an earlier try may have been committed, and the job must find out.
   */
  write<T>(job: (sql: PgSql, again: boolean) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** How often a transaction gives way to others before that is reported. */
const MOST_CONFLICTS = 20
/** How long until a lost connection is tried again, milliseconds. */
const PAUSE_MS = 100

const numbered = new Map<string, { readonly name: string; readonly text: string }>()
/** A statement by its number, so that the server parses it once for each connection. */
const statement = (sql: string): { readonly name: string; readonly text: string } => {
  const known = numbered.get(sql)
  if (known !== undefined) return known
  let count = 0
  const made = { name: `stateloop_${numbered.size}`, text: sql.replace(/\?/g, () => `$${++count}`) }
  numbered.set(sql, made)
  return made
}

const sqlOn = (client: PgClient | PgPool): PgSql => {
  const all = async (sql: string, ...parameters: Value[]): Promise<readonly Columns[]> => (await client.query<Record<string, unknown>>({ ...statement(sql), values: parameters })).rows
  return { all, get: async (sql, ...parameters) => (await all(sql, ...parameters))[0] }
}

/** Performs a job between two statements on a connection of its own; a connection that failed in between is thrown away. */
const inTransaction = async <T>(pool: PgPool, begin: string, job: (sql: PgSql) => Promise<T>): Promise<T> => {
  const client = await pool.connect()
  try {
    await client.query(begin)
    const value = await job(sqlOn(client))
    await client.query('COMMIT')
    client.release()
    return value
  } catch (thrown) {
    const broken =
      isLost(thrown) ||
      (await client.query('ROLLBACK').then(
        () => false,
        () => true,
      ))
    client.release(broken)
    throw thrown
  }
}

/**
 * Waits until the server answers again. All that lost it wait together: a thousand runs that knocked each by itself would
 * keep it from starting.
 * @returns gives false once it was away for `patienceMs`.
 */
const reunion = (clock: Clock, use: () => Promise<PgPool>): ((patienceMs: number) => Promise<boolean>) => {
  let waiting: Promise<boolean> | undefined
  const knock = async (patienceMs: number): Promise<boolean> => {
    const startedAt = clock.monotonic()
    while (clock.monotonic() - startedAt < patienceMs) {
      await sleep(clock, PAUSE_MS)
      try {
        await (await use()).query('SELECT 1')
        return true
      } catch (thrown) {
        if (!isLost(thrown)) return false
      }
    }
    return false
  }
  return (patienceMs) =>
    (waiting ??= knock(patienceMs).finally(() => {
      waiting = undefined
    }))
}

/** Describes a database; nothing is connected yet. */
export const pgDatabase = (options: PostgresOptions & { readonly clock: Clock }): PgDatabase => {
  const { clock, reconnectMs = 10_000 } = options
  const place = placeOf(options)
  let pool: Promise<PgPool> | undefined
  let met = false
  let closed = false
  const open = async (): Promise<PgPool> => {
    const made = await preparePool(options)
    try {
      await migrate(made, options)
    } catch (thrown) {
      await made.end()
      throw thrown
    }
    met = true
    return made
  }
  const use = async (): Promise<PgPool> => {
    if (closed) return refuseClosed(place)
    pool ??= open()
    try {
      return await pool
    } catch (thrown) {
      pool = undefined
      throw thrown
    }
  }
  const isBack = reunion(clock, use)
  const lasting = async <T>(doing: string, job: (pool: PgPool, again: boolean) => Promise<T>): Promise<T> => {
    let conflicts = 0
    let again = false
    for (;;) {
      try {
        return await job(await use(), again)
      } catch (thrown) {
        if (isConflict(thrown) && ++conflicts < MOST_CONFLICTS) continue
        // A server that was never met is more likely misspelt than restarting.
        if (!isLost(thrown) || closed || !met || !(await isBack(reconnectMs))) throw faultOf(thrown, doing, place)
        again = true
      }
    }
  }
  return {
    place,
    once: (doing, sql, ...parameters) => lasting(doing, (used) => sqlOn(used).all(sql, ...parameters)),
    read: (job) => lasting('Reading', (used) => inTransaction(used, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', job)),
    write: (job) => lasting('Writing to', (used, again) => inTransaction(used, 'BEGIN', (sql) => job(sql, again))),
    async close() {
      closed = true
      const opened = await pool?.catch(() => undefined)
      pool = undefined
      await opened?.end()
    },
  }
}
