// The inbox in SQL: any process posts, the holder of the lease reads. Invariant: positions have no gaps, and each item is
// what was posted, by its hash.
import type { Clock } from '../../clock/index.ts'
import { CHAIN_START, chainHash } from '../entry.ts'
import type { InboxItem, Journal, RunStatus } from '../journal.ts'
import { refuseEnded } from '../refusal.ts'
import { watchers } from '../watch.ts'
import { damaged, jsonIn, numberIn, textIn, type Columns } from './connection.ts'
import type { Database } from './database.ts'
import { runIn } from './runs.ts'

const itemIn = (found: Columns | undefined, n: number, run: string): InboxItem => {
  const what = `item ${n} in the inbox of run ${run}`
  const at = numberIn(found?.['at'], what)
  const body = textIn(found?.['body'], what)
  if (found?.['n'] !== n || chainHash(CHAIN_START, n, at, body) !== found['hash']) damaged(what)
  return { n, at, ...(jsonIn(body, what) as Pick<InboxItem, 'event' | 'by'>) }
}

/** The part of the journal that is about outside events. */
export const inboxOn = (db: Database, clock: Clock): Pick<Journal, 'post' | 'inbox' | 'watch'> => {
  const watching = watchers()
  return {
    async post(run, event, by) {
      const body = JSON.stringify({ event, by })
      const posted = await db.write((sql) => {
        const { no, status, inbox: n } = runIn(db, sql, run)
        refuseEnded(run, status as RunStatus)
        const at = clock.now()
        const hash = chainHash(CHAIN_START, n, at, body)
        sql.run('UPDATE runs SET inbox = ? WHERE no = ?', n + 1, no)
        sql.run('INSERT INTO inbox (run, n, at, hash, body) VALUES (?, ?, ?, ?, ?)', no, n, at, hash, body)
        sql.seal(hash)
        return n
      })
      watching.notify(run)
      return posted
    },
    inbox: (run, from) =>
      db.read((sql) => {
        const { no, inbox: length } = runIn(db, sql, run)
        if (from >= length) return []
        const found = sql.all('SELECT n, at, hash, body FROM inbox WHERE run = ? AND n >= ? ORDER BY n', no, from)
        return Array.from({ length: length - from }, (_, offset) => itemIn(found[offset], from + offset, run))
      }),
    watch: watching.add,
  }
}
