// The inbox in PostgreSQL: any process posts, the holder of the lease reads. Invariant: positions have no gaps, each item
// is what was posted, by its hash, and a post whose connection was lost is there once.
import type { Clock } from '../../clock/index.ts'
import { CHAIN_START, chainHash } from '../entry.ts'
import type { InboxItem, Journal, RunStatus } from '../journal.ts'
import { refuseEnded, refuseUnknown } from '../refusal.ts'
import { damaged, jsonIn, numberIn, textIn, type Columns } from '../sqlite/connection.ts'
import { watchers } from '../watch.ts'
import type { PgDatabase } from './database.ts'

const NEXT = `UPDATE runs SET inbox = inbox + 1 WHERE id = ? RETURNING no, inbox - 1 AS n, status`
const POST = 'INSERT INTO inbox (run, n, at, hash, body, token) VALUES (?, ?, ?, ?, ?, ?)'
const FROM = `SELECT runs.inbox AS length, inbox.n, inbox.at, inbox.hash, inbox.body FROM runs
  LEFT JOIN inbox ON inbox.run = runs.no AND inbox.n >= ? WHERE runs.id = ? ORDER BY inbox.n`

const itemIn = (found: Columns | undefined, n: number, run: string): InboxItem => {
  const what = `item ${n} in the inbox of run ${run}`
  const at = numberIn(found?.['at'], what)
  const body = textIn(found?.['body'], what)
  if (found?.['n'] !== n || chainHash(CHAIN_START, n, at, body) !== found['hash']) damaged(what)
  return { n, at, ...(jsonIn(body, what) as Pick<InboxItem, 'event' | 'by'>) }
}

/** The part of the journal that is about outside events. */
export const pgInboxOn = (db: PgDatabase, clock: Clock): Pick<Journal, 'post' | 'inbox' | 'watch'> => {
  const watching = watchers()
  return {
    async post(run, event, by) {
      const body = JSON.stringify({ event, by })
      const token = clock.id()
      const posted = await db.write(async (sql, again) => {
        const before = again ? await sql.get('SELECT n FROM inbox WHERE token = ?', token) : undefined
        if (before !== undefined) return numberIn(before['n'], `the inbox of run ${run}`)
        const { no, n, status } = (await sql.get(NEXT, run)) ?? refuseUnknown(run)
        // The transaction takes the count back when this throws.
        refuseEnded(run, status as RunStatus)
        const at = clock.now()
        await sql.get(POST, no as number, n as number, at, chainHash(CHAIN_START, n as number, at, body), body, token)
        return n as number
      })
      watching.notify(run)
      return posted
    },
    async inbox(run, from) {
      const found = await db.once('Reading', FROM, from, run)
      const length = numberIn((found[0] ?? refuseUnknown(run))['length'], `the inbox of run ${run}`)
      return Array.from({ length: Math.max(0, length - from) }, (_, offset) => itemIn(found[offset], from + offset, run))
    },
    watch: watching.add,
  }
}
