// Connects to PostgreSQL and makes or migrates the tables. The only file that touches `pg`, which is loaded with the first
// use of a journal. Invariant: a server that would forget what it acknowledged is refused, and two processes that migrate
// at once take turns by a lock on a table.
import type { Clock } from '../../clock/index.ts'
import { fail } from '../../failure/index.ts'
import type { PgPool } from './driver.ts'
import { MIGRATIONS, MIGRATIONS_TABLE } from './schema.ts'

/** Where a journal in PostgreSQL lives. */
export interface PostgresOptions {
  /** `postgres://user:password@host:5432/database`. What it leaves out is taken from PGHOST, PGUSER and so on. */
  readonly url: string
  /** The schema that holds the tables; default `stateloop`. */
  readonly schema?: string
  /** Most connections of this process; default 10. */
  readonly connections?: number
  /** How long a lost connection is tried again before a call fails, milliseconds; default 10,000. */
  readonly reconnectMs?: number
  /** Whether the tables are made and migrated with the first use; default true. Else `stateloop db migrate` does it. */
  readonly migrate?: boolean
  /** Time. Default: the system's. */
  readonly clock?: Clock
}

/** What was found in a database. */
export interface SchemaStatus {
  /** Schema version of the database; 0 when it has no tables. */
  readonly found: number
  /** Schema version of this Stateloop. */
  readonly known: number
}

const schemaOf = ({ schema = 'stateloop' }: PostgresOptions): string =>
  /^[a-z_][a-z0-9_]{0,62}$/.test(schema) ? schema : fail('usage', `The schema ${JSON.stringify(schema)} is not a plain name. Use small letters, digits and _.`)

/** The URL as messages show it: without the password. */
export const placeOf = ({ url }: PostgresOptions): string => {
  try {
    const { host, pathname } = new URL(url)
    return `postgres://${host}${pathname}`
  } catch {
    return fail('usage', 'The URL of the database cannot be read. Write: postgres://user:password@host:5432/database')
  }
}

const loadDriver = async (): Promise<Pick<typeof import('pg'), 'Pool' | 'types'>> => {
  try {
    return await import('pg')
  } catch (thrown) {
    return fail('usage', 'A journal in PostgreSQL needs the package pg: npm install pg', { cause: thrown })
  }
}

const INT8 = 20

/**
 * What every connection begins with. A paused process must not keep rows locked, a statement must not wait for ever, and
 * a commit is acknowledged only once it is on disk.
 */
const greeting = (schema: string): string => `SET search_path TO ${schema};
  SET idle_in_transaction_session_timeout = 10000;
  SET lock_timeout = 10000;
  SET standard_conforming_strings = on;
  SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`

/** Makes a pool; nothing is connected yet. @throws FailureError `usage`. */
export const preparePool = async (options: PostgresOptions): Promise<PgPool> => {
  const { Pool, types } = await loadDriver()
  const schema = schemaOf(options)
  const pool = new Pool({
    connectionString: options.url,
    max: options.connections ?? 10,
    application_name: 'stateloop',
    connectionTimeoutMillis: 5_000,
    query_timeout: 30_000,
    keepAlive: true,
    allowExitOnIdle: true,
    // Awaited by the pool, although its type does not say so.
    onConnect: (client) => client.query(greeting(schema)) as unknown as void,
    types: { getTypeParser: ((oid: number, format: 'text') => (oid === INT8 ? Number : types.getTypeParser(oid, format))) as typeof types.getTypeParser },
  })
  // A connection that breaks between two statements says so here as well as to the next statement, which reports it.
  pool.on('connect', (client) => client.on('error', () => {}))
  pool.on('error', () => {})
  return pool as unknown as PgPool
}

const checkServer = async (pool: PgPool, place: string): Promise<void> => {
  const { rows } = await pool.query<{ fsync: string; encoding: string }>(`SELECT current_setting('fsync') AS fsync, current_setting('server_encoding') AS encoding`)
  const [server] = rows
  if (server?.fsync === 'off') fail('journal_unavailable', `The server of ${place} runs with fsync = off, so it would lose acknowledged steps when the machine stops. Turn fsync on.`)
  if (server?.encoding !== 'UTF8') fail('journal_unavailable', `The database ${place} has the encoding ${server?.encoding}, which cannot hold every text. Create it with ENCODING 'UTF8'.`)
}

const versionOf = async (pool: PgPool, schema: string): Promise<number> => {
  const { rows } = await pool.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [`${schema}.migrations`])
  if (rows[0]?.there !== true) return 0
  const found = await pool.query<{ version: number }>('SELECT coalesce(max(version), 0) AS version FROM migrations')
  return found.rows[0]?.version ?? 0
}

/** Compares the tables with those of this version. @throws FailureError `journal_unavailable`. */
export const schemaStatus = async (pool: PgPool, options: PostgresOptions): Promise<SchemaStatus> => {
  await checkServer(pool, placeOf(options))
  return { found: await versionOf(pool, schemaOf(options)), known: MIGRATIONS.length }
}

const applyMigrations = async (pool: PgPool, schema: string, nowMs: () => number): Promise<void> => {
  await pool.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
  await pool.query(MIGRATIONS_TABLE)
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await client.query('LOCK TABLE migrations IN EXCLUSIVE MODE')
    const { rows } = await client.query<{ version: number }>('SELECT coalesce(max(version), 0) AS version FROM migrations')
    for (let version = rows[0]?.version ?? 0; version < MIGRATIONS.length; version++) {
      await client.query(MIGRATIONS[version] as string)
      await client.query('INSERT INTO migrations (version, at) VALUES ($1, $2)', [version + 1, nowMs()])
    }
    await client.query('COMMIT')
    client.release()
  } catch (thrown) {
    client.release(true)
    throw thrown
  }
}

/** CREATE … IF NOT EXISTS fails when two do it at the same moment; the second time it finds what the other made. */
const MOST_TRIES = 5

/**
 * Makes the tables what this version needs.
 * @throws FailureError `journal_unavailable` when they are newer, or older and must not be touched.
 */
export const migrate = async (pool: PgPool, options: PostgresOptions & { readonly clock: Clock }): Promise<SchemaStatus> => {
  const before = await schemaStatus(pool, options)
  const place = placeOf(options)
  if (before.found > before.known) {
    fail('journal_unavailable', `The journal ${place} was written by a newer version of Stateloop: it has schema ${before.found}, this version knows ${before.known}. Upgrade Stateloop.`, {
      details: { place, ...before },
    })
  }
  if (before.found === before.known) return before
  if (options.migrate === false) fail('journal_unavailable', `The journal ${place} has schema ${before.found}, this version needs ${before.known}. Run \`stateloop db migrate\`.`, { details: { place, ...before } })
  for (let attempt = 1; ; attempt++) {
    try {
      await applyMigrations(pool, schemaOf(options), () => options.clock.now())
      return before
    } catch (thrown) {
      const raced = thrown instanceof Error && 'code' in thrown && ['23505', '42710', '42P06', '42P07'].includes(String(thrown.code))
      if (!raced || attempt === MOST_TRIES) throw thrown
    }
  }
}
