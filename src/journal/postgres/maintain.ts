// What `stateloop db` does to a PostgreSQL database. Invariant: looking changes nothing.
import { systemClock } from '../../clock/index.ts'
import { faultOf } from './fault.ts'
import { migrate, placeOf, preparePool, schemaStatus, type PostgresOptions, type SchemaStatus } from './open.ts'

const withPool = async <T>(options: PostgresOptions, job: (pool: Awaited<ReturnType<typeof preparePool>>) => Promise<T>): Promise<T> => {
  const pool = await preparePool({ ...options, connections: 1 })
  try {
    return await job(pool)
  } catch (thrown) {
    throw faultOf(thrown, 'Opening', placeOf(options))
  } finally {
    await pool.end()
  }
}

/** Compares the tables with those of this version. @throws FailureError `journal_unavailable`. */
export const postgresStatus = (options: PostgresOptions): Promise<SchemaStatus> => withPool(options, (pool) => schemaStatus(pool, options))

/** Makes the tables what this version needs. @returns what was there before. @throws FailureError `journal_unavailable`. */
export const migratePostgres = (options: PostgresOptions): Promise<SchemaStatus> => withPool(options, (pool) => migrate(pool, { ...options, migrate: true, clock: options.clock ?? systemClock }))
