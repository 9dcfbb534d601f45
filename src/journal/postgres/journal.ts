// The journal on PostgreSQL: the contract, part by part, on one database.
import { systemClock } from '../../clock/index.ts'
import type { LedgerStore } from '../../cost/index.ts'
import type { Journal } from '../journal.ts'
import { dearestRuns, readLedger } from '../sql/ledger.ts'
import { performLater } from '../sql/script.ts'
import { pgCacheOn } from './cache.ts'
import { pgClaimsOn } from './claims.ts'
import { pgContentOn } from './content.ts'
import { pgDatabase } from './database.ts'
import { pgInboxOn } from './inbox.ts'
import { pgLeasesOn } from './leases.ts'
import type { PostgresOptions } from './open.ts'
import { pgRunsOn } from './runs.ts'

/**
 * Makes a journal in a PostgreSQL database, which any number of processes and machines share. Nothing is connected before
 * its first use. It takes connections of its own; behind a pooler, use session pooling.
 *
 * @example const runtime = createRuntime({ journal: postgresJournal({ url: 'postgres://localhost/app' }) })
 */
export const postgresJournal = (options: PostgresOptions): Journal => {
  const { clock = systemClock } = options
  const db = pgDatabase({ ...options, clock })
  const { settled, ...content } = pgContentOn(db)
  const { forgetHead, ...runs } = pgRunsOn(db, clock, settled)
  const ledger: LedgerStore = { read: (query) => db.read((sql) => performLater(sql, readLedger(query))), dearest: (query) => db.read((sql) => performLater(sql, dearestRuns(query))) }
  return { name: 'postgres', ...runs, ...pgLeasesOn(db, clock, forgetHead), ...pgClaimsOn(db, clock), ...pgInboxOn(db, clock), ...content, cache: pgCacheOn(db, clock), ledger, close: () => db.close() }
}
