// What a worker can take up, in PostgreSQL: SQLite's statements in one snapshot, with the lease in the run's row.
import type { Clock } from '../../clock/index.ts'
import type { Claimable, Journal, RunRow } from '../journal.ts'
import { numberIn } from '../sqlite/connection.ts'
import { claimStatements } from '../sqlite/claims.ts'
import { rowIn } from '../sqlite/row.ts'
import type { PgDatabase } from './database.ts'

const NOBODY_HOLDS = '(lease_owner IS NULL OR lease_expires_at <= ?)'

/** The part of the journal that is about what a worker can take up. */
export const pgClaimsOn = (db: PgDatabase, clock: Clock): Pick<Journal, 'claimable'> => ({
  claimable: (query) =>
    db.read<Claimable>(async (sql) => {
      const { kinds, next } = claimStatements(query, NOBODY_HOLDS, clock.now())
      const runs = new Map<string, RunRow>()
      for (const { sql: statement, parameters } of kinds) {
        if (runs.size >= query.limit) break
        for (const row of (await sql.all(statement, ...parameters)).map(rowIn)) if (runs.size < query.limit) runs.set(row.id, row)
      }
      const dueAt = (await sql.get(next.sql, ...next.parameters))?.['due_at'] ?? undefined
      return { runs: [...runs.values()], ...(dueAt === undefined ? {} : { nextDueAt: numberIn(dueAt, 'the time of a timer') }) }
    }),
})
