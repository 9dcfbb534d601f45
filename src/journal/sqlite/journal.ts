// The journal over a SQLite driver: the contract, part by part, on one database file.
import { resolve } from 'node:path'
import { systemClock, type Clock } from '../../clock/index.ts'
import type { BudgetStore, LedgerStore } from '../../cost/index.ts'
import type { Journal } from '../journal.ts'
import { cacheOn } from './cache.ts'
import type { Connect } from './connection.ts'
import { claimsOn } from './claims.ts'
import { contentOn } from './content.ts'
import { database, type Database } from './database.ts'
import { inboxOn } from './inbox.ts'
import { endCall, putLimits, readLimits, removeLimits, reserve, standings } from '../sql/budgets.ts'
import { dearestRuns, readLedger } from '../sql/ledger.ts'
import { forgetUser, readSizes, removeRuns } from '../sql/removal.ts'
import { perform } from '../sql/script.ts'
import { settleEntry } from '../sql/settle.ts'
import { leasesOn } from './leases.ts'
import { runsOn } from './runs.ts'

/** Where a SQLite journal lives. */
export interface SqliteJournalOptions {
  /** The database file; it is made, with its directory, when there is none. */
  readonly path: string
  /** Time. Default: the system's. */
  readonly clock?: Clock
  /** How long a commit waits for another process's, milliseconds; default 5,000. */
  readonly busyTimeoutMs?: number
}

/** A lease of a run that somebody holds. */
const HELD = 'EXISTS (SELECT 1 FROM leases WHERE leases.run = runs.no AND owner IS NOT NULL AND leases.expires_at > ?)'

/** Budgets on a database. */
const budgetsOn = (db: Database, clock: Clock): BudgetStore => ({
  limits: () => db.read((sql) => perform(sql, readLimits())),
  putLimits: (limits) => db.write((sql) => perform(sql, putLimits(limits, clock.now()))),
  removeLimits: (scope) => db.write((sql) => perform(sql, removeLimits(scope))),
  reserve: (reservation) => db.write((sql) => perform(sql, reserve(reservation, clock.now(), HELD))),
  end: (attempt, call) => db.write((sql) => perform(sql, endCall(attempt, call))),
  standing: (accounts) => db.read((sql) => perform(sql, standings(accounts, clock.now(), HELD))),
})

/** Makes a journal over any driver of that shape. */
export const journalOver = (connect: Connect, options: SqliteJournalOptions): Journal => {
  const { clock = systemClock, busyTimeoutMs = 5_000 } = options
  const db = database({ path: resolve(options.path), connect, busyTimeoutMs, now: () => clock.now() })
  const ledger: LedgerStore = { read: (query) => db.read((sql) => perform(sql, readLedger(query))), dearest: (query) => db.read((sql) => perform(sql, dearestRuns(query))) }
  return {
    name: 'sqlite',
    ...runsOn(db, clock),
    ...leasesOn(db, clock),
    ...claimsOn(db, clock),
    ...inboxOn(db, clock),
    ...contentOn(db),
    cache: cacheOn(db, clock),
    settle: (run, settlement) => db.write((sql) => perform(sql, settleEntry(settlement, run, clock.now()))),
    ledger,
    budgets: budgetsOn(db, clock),
    sizes: () => db.read((sql) => perform(sql, readSizes())),
    remove: (runs) => db.write((sql) => perform(sql, removeRuns(runs, HELD, ['leases'], clock.now()))),
    forgetUser: (user, tenant) => db.write((sql) => perform(sql, forgetUser(user, tenant))),
    close: () => db.close(),
  }
}
