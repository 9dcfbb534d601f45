// Leases in SQL. Invariant: the epoch of a run only grows, by one with each new holder, so an earlier holder never
// matches again.
import type { Clock } from '../../clock/index.ts'
import type { Journal, Lease } from '../journal.ts'
import { refuseHeld, refuseLost } from '../refusal.ts'
import { numberIn, textIn } from './connection.ts'
import type { Database } from './database.ts'
import type { Sql } from './open.ts'
import { runIn } from './runs.ts'

const HELD = 'run = (SELECT no FROM runs WHERE id = ?) AND owner = ? AND epoch = ?'

interface Stored {
  readonly owner: string | undefined
  readonly epoch: number
  readonly expiresAt: number
}

const leaseIn = (sql: Sql, no: number, run: string): Stored => {
  const found = sql.get('SELECT owner, epoch, expires_at FROM leases WHERE run = ?', no)
  const what = `the lease of run ${run}`
  const owner = found?.['owner'] ?? undefined
  return {
    owner: owner === undefined ? undefined : textIn(owner, what),
    epoch: numberIn(found?.['epoch'], what),
    expiresAt: numberIn(found?.['expires_at'], what),
  }
}

/** The part of the journal that is about leases. */
export const leasesOn = (db: Database, clock: Clock): Pick<Journal, 'acquire' | 'renew' | 'release'> => ({
  acquire: (run, owner, leaseMs) =>
    db.write((sql) => {
      const { no } = runIn(db, sql, run)
      const held = leaseIn(sql, no, run)
      const now = clock.now()
      if (held.owner !== undefined && held.expiresAt > now) refuseHeld({ run, owner: held.owner, epoch: held.epoch, expiresAt: held.expiresAt })
      const lease: Lease = { run, owner, epoch: held.epoch + 1, expiresAt: now + leaseMs }
      sql.run('UPDATE leases SET owner = ?, epoch = ?, expires_at = ? WHERE run = ?', owner, lease.epoch, lease.expiresAt, no)
      return lease
    }),
  renew: (lease, leaseMs) =>
    db.write((sql) => {
      const renewed = { ...lease, expiresAt: clock.now() + leaseMs }
      const found = sql.get(`UPDATE leases SET expires_at = ? WHERE ${HELD} RETURNING epoch`, renewed.expiresAt, lease.run, lease.owner, lease.epoch)
      return found === undefined ? refuseLost(lease, leaseIn(sql, runIn(db, sql, lease.run).no, lease.run).epoch) : renewed
    }),
  release: (lease) => db.write((sql) => sql.run(`UPDATE leases SET owner = NULL WHERE ${HELD}`, lease.run, lease.owner, lease.epoch)),
})
