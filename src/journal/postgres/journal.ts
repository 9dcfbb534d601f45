// The journal on PostgreSQL: the contract, part by part, on one database.
import { systemClock, type Clock } from '../../clock/index.ts'
import type { BudgetStore, LedgerStore } from '../../cost/index.ts'
import type { Journal } from '../journal.ts'
import { endCall, putLimits, readLimits, removeLimits, reserve, standings } from '../sql/budgets.ts'
import { dearestRuns, readLedger } from '../sql/ledger.ts'
import { forgetUser, readSizes, removeRuns } from '../sql/removal.ts'
import { performLater } from '../sql/script.ts'
import { settleEntry } from '../sql/settle.ts'
import { pgCacheOn } from './cache.ts'
import { pgClaimsOn } from './claims.ts'
import { pgContentOn } from './content.ts'
import { pgDatabase, type PgDatabase } from './database.ts'
import { pgInboxOn } from './inbox.ts'
import { pgLeasesOn } from './leases.ts'
import type { PostgresOptions } from './open.ts'
import { pgRunsOn } from './runs.ts'

/** A lease that somebody holds. */
const HELD = '(lease_owner IS NOT NULL AND lease_expires_at > ?)'

/** Budgets on a database. A reservation that is performed again replaces what it held. */
const budgetsOn = (db: PgDatabase, clock: Clock): BudgetStore => ({
  limits: () => db.read((sql) => performLater(sql, readLimits())),
  putLimits: (limits) => db.write((sql) => performLater(sql, putLimits(limits, clock.now()))),
  removeLimits: (scope) => db.write((sql) => performLater(sql, removeLimits(scope))),
  reserve: (reservation) => db.write((sql) => performLater(sql, reserve(reservation, clock.now(), HELD))),
  end: (attempt, call) => db.write((sql) => performLater(sql, endCall(attempt, call))),
  standing: (accounts) => db.read((sql) => performLater(sql, standings(accounts, clock.now(), HELD))),
})

const removalOn = (db: PgDatabase, clock: Clock): Pick<Journal, 'sizes' | 'remove' | 'forgetUser'> => ({
  sizes: () => db.read((sql) => performLater(sql, readSizes())),
  remove: (runs) => db.write((sql) => performLater(sql, removeRuns(runs, HELD, [], clock.now()))),
  forgetUser: (user, tenant) => db.write((sql) => performLater(sql, forgetUser(user, tenant))),
})

/**
 * Makes a journal in a PostgreSQL database, which any number of processes and machines share. Nothing is connected before
 * its first use. It takes connections of its own; behind a pooler, use session pooling.
 * @throws FailureError from its methods: `usage` without the package `pg` or for a URL that is none, `journal_unavailable`.
 *
 * @example const runtime = createRuntime({ journal: postgresJournal({ url: 'postgres://localhost/app' }) })
 */
export const postgresJournal = (options: PostgresOptions): Journal => {
  const { clock = systemClock } = options
  const db = pgDatabase({ ...options, clock })
  const { settled, ...content } = pgContentOn(db)
  const { forgetHead, ...runs } = pgRunsOn(db, clock, settled)
  const ledger: LedgerStore = { read: (query) => db.read((sql) => performLater(sql, readLedger(query))), dearest: (query) => db.read((sql) => performLater(sql, dearestRuns(query))) }
  return {
    name: 'postgres',
    ...runs,
    ...pgLeasesOn(db, clock, forgetHead),
    ...pgClaimsOn(db, clock),
    ...pgInboxOn(db, clock),
    ...content,
    cache: pgCacheOn(db, clock),
    settle: (run, settlement) => db.write((sql) => performLater(sql, settleEntry(settlement, run, clock.now()))),
    ledger,
    budgets: budgetsOn(db, clock),
    ...removalOn(db, clock),
    close: () => db.close(),
  }
}
