// Leases in PostgreSQL: columns of the run's row. Invariant: the epoch of a run only grows, by one with each new holder, so
// an earlier holder never matches again.
import type { Clock } from '../../clock/index.ts'
import type { Journal, Lease } from '../journal.ts'
import { refuseHeld, refuseLost } from '../refusal.ts'
import { numberIn } from '../sqlite/connection.ts'
import type { PgDatabase } from './database.ts'
import { pgRunIn } from './runs.ts'

const TAKE = `UPDATE runs SET lease_owner = ?, lease_epoch = lease_epoch + 1, lease_expires_at = ?
  WHERE id = ? AND (lease_owner IS NULL OR lease_expires_at <= ?) RETURNING lease_epoch`
const HELD = 'id = ? AND lease_owner = ? AND lease_epoch = ?'

/**
 * The part of the journal that is about leases.
 * @param forgetHead Called when this process stops appending to a run.
 */
export const pgLeasesOn = (db: PgDatabase, clock: Clock, forgetHead: (run: string) => void): Pick<Journal, 'acquire' | 'renew' | 'release'> => ({
  acquire: (run, owner, leaseMs) =>
    db.write(async (sql) => {
      const now = clock.now()
      const lease: Lease = { run, owner, epoch: 0, expiresAt: now + leaseMs }
      const taken = await sql.get(TAKE, owner, lease.expiresAt, run, now)
      if (taken !== undefined) return { ...lease, epoch: numberIn(taken['lease_epoch'], `the lease of run ${run}`) }
      const held = await pgRunIn(sql, run)
      return refuseHeld({ run, owner: String(held.owner), epoch: held.epoch, expiresAt: held.expiresAt })
    }),
  renew: async (lease, leaseMs) => {
    const renewed = { ...lease, expiresAt: clock.now() + leaseMs }
    const [found] = await db.once('Writing to', `UPDATE runs SET lease_expires_at = ? WHERE ${HELD} RETURNING no`, renewed.expiresAt, lease.run, lease.owner, lease.epoch)
    return found === undefined ? refuseLost(lease, await db.read(async (sql) => (await pgRunIn(sql, lease.run)).epoch)) : renewed
  },
  release: async (lease) => {
    forgetHead(lease.run)
    await db.once('Writing to', `UPDATE runs SET lease_owner = NULL WHERE ${HELD}`, lease.run, lease.owner, lease.epoch)
  },
})
